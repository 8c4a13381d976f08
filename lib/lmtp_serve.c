/*
 * lmtp_serve - a table of connections.
 *
 * A connection is read only when its machine wants input, so that a client
 * whose message is being delivered, or who does not read its replies, is held
 * back by the kernel's buffers.  Nothing blocks: what cannot be written is
 * polled for.
 */
#include "lib/lmtp_serve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"

#define INPUT	16384		/* bytes of input that wait */

struct slot {
	int		 fd;		/* -1: free */
	struct lmtp	*lmtp;
	enum lmtp_step	 step;		/* what the machine wants */
	int64_t		 heard;		/* when a byte last moved */
	int64_t		 began;		/* of the message under way */
	size_t		 at, len;	/* of the input that waits */
	char		 in[INPUT];
};

struct lmtp_server {
	int		 listen_fd;
	bool		 draining;
	struct lmtp_rules rules;
	struct lmtp_service service;
	size_t		 taken;
	struct slot	 slots[LMTP_SLOTS];
};

/* nonblocking - or it is closed by the caller */
static int
nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags == -1 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* lmtp_server_new - no connection yet */
struct lmtp_server *
lmtp_server_new(int listen_fd, const struct lmtp_rules *rules,
    const struct lmtp_service *service)
{
	struct lmtp_server *s = calloc(1, sizeof(*s));

	if (s == NULL || nonblocking(listen_fd) == -1) {
		free(s);
		return NULL;
	}
	s->listen_fd = listen_fd;
	s->rules = *rules;
	s->service = *service;
	for (size_t i = 0; i < LMTP_SLOTS; i++)
		s->slots[i].fd = -1;
	return s;
}

/* hang_up - the slot is free again */
static void
hang_up(struct lmtp_server *s, struct slot *slot)
{
	close(slot->fd);
	lmtp_free(slot->lmtp);
	slot->fd = -1;
	slot->lmtp = NULL;
	s->taken--;
}

/* lmtp_server_free - all of them */
void
lmtp_server_free(struct lmtp_server *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < LMTP_SLOTS; i++)
		if (s->slots[i].fd != -1)
			hang_up(s, &s->slots[i]);
	free(s);
}

/* flush - what can be written without waiting; -1: the client is gone */
static int
flush(struct slot *slot)
{
	struct slice out;
	ssize_t n;

	while ((out = lmtp_out(slot->lmtp)).n > 0) {
		n = send(slot->fd, out.p, out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN || errno == EWOULDBLOCK ? 0 :
			    -1;
		lmtp_sent(slot->lmtp, (size_t)n);
		slot->heard = clock_mono();
	}
	return 0;
}

/* drive - the machine, until it wants what is not there; -1: hang up */
static int
drive(struct lmtp_server *s, struct slot *slot)
{
	struct slice in;

	for (;;) {
		in = (struct slice){ slot->in + slot->at,
		    slot->len - slot->at };
		slot->step = lmtp_step(slot->lmtp, &in);
		slot->at = slot->len - in.n;
		if (lmtp_idle(slot->lmtp))
			slot->began = clock_mono();
		if (slot->step == LMTP_RCPT) {
			s->service.recipient(s->service.self, slot->lmtp);
			continue;
		}
		if (flush(slot) == -1)
			return -1;
		if (slot->step == LMTP_END)
			return lmtp_out(slot->lmtp).n == 0 ? -1 : 0;
		if (slot->step != LMTP_WRITE || lmtp_out(slot->lmtp).n > 0)
			return 0;
	}
}

/* take_input - a bufferful; -1: the client is gone */
static int
take_input(struct slot *slot)
{
	ssize_t n;

	if (slot->at < slot->len)
		return 0;
	do {
		n = recv(slot->fd, slot->in, sizeof(slot->in), MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
	if (n == 0)
		return -1;
	slot->at = 0;
	slot->len = (size_t)n;
	slot->heard = clock_mono();
	return 0;
}

/* longest_silent - who may be asked to make room; NULL: nobody */
static struct slot *
longest_silent(struct lmtp_server *s, int64_t now)
{
	struct slot *found = NULL;

	for (size_t i = 0; i < LMTP_SLOTS; i++)
		if (s->slots[i].fd != -1 && lmtp_idle(s->slots[i].lmtp) &&
		    now - s->slots[i].heard > LMTP_GRACE &&
		    (found == NULL || s->slots[i].heard < found->heard))
			found = &s->slots[i];
	return found;
}

/* dismiss - 421, and what of it can be written at once */
static void
dismiss(struct lmtp_server *s, struct slot *slot, const char *text)
{
	lmtp_give_up(slot->lmtp, text);
	(void)flush(slot);
	hang_up(s, slot);
}

/* welcome - who waits in the backlog */
static void
welcome(struct lmtp_server *s)
{
	struct slot *slot;
	int64_t now = clock_mono();
	int fd;

	for (;;) {
		if (s->taken == LMTP_SLOTS) {
			if ((slot = longest_silent(s, now)) == NULL)
				return;
			dismiss(s, slot, "421 4.3.2 others are waiting");
		}
		fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC |
		    SOCK_NONBLOCK);
		if (fd == -1 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd == -1)
			return;
		for (slot = s->slots; slot->fd != -1; slot++)
			;
		if ((slot->lmtp = lmtp_new(&s->rules)) == NULL) {
			close(fd);
			return;
		}
		slot->fd = fd;
		slot->at = slot->len = 0;
		slot->heard = slot->began = now;
		s->taken++;
		if (drive(s, slot) == -1)
			hang_up(s, slot);
	}
}

/* lmtp_server_poll - a full house listens when somebody may leave */
size_t
lmtp_server_poll(struct lmtp_server *s, struct pollfd *fds)
{
	size_t n = 0;

	fds[n++] = (struct pollfd){ .fd = s->draining || (s->taken ==
	    LMTP_SLOTS && longest_silent(s, clock_mono()) == NULL) ? -1 :
	    s->listen_fd, .events = POLLIN };
	for (size_t i = 0; i < LMTP_SLOTS; i++)
		if (s->slots[i].fd != -1)
			fds[n++] = (struct pollfd){ .fd = s->slots[i].fd,
			    .events = (short)((s->slots[i].step == LMTP_READ ?
			    POLLIN : 0) | (lmtp_out(s->slots[i].lmtp).n > 0 ?
			    POLLOUT : 0)) };
	return n;
}

/* lmtp_server_due - silence, a message that takes for ever, a full house */
int64_t
lmtp_server_due(const struct lmtp_server *s)
{
	int64_t now = clock_mono(), least = -1, due;

	for (size_t i = 0; i < LMTP_SLOTS; i++) {
		const struct slot *slot = &s->slots[i];

		if (slot->fd == -1)
			continue;
		due = slot->heard + LMTP_SILENCE;
		if (!lmtp_idle(slot->lmtp) && slot->began + LMTP_WHOLE < due)
			due = slot->began + LMTP_WHOLE;
		if (s->taken == LMTP_SLOTS && due > now + LMTP_GRACE)
			due = now + LMTP_GRACE;
		due = due > now ? due - now : 0;
		if (least == -1 || due < least)
			least = due;
	}
	return least;
}

/* deliver - all that are whole, together; then their pipelines go on */
static void
deliver(struct lmtp_server *s)
{
	struct lmtp *ready[LMTP_SLOTS];
	struct slot *slots[LMTP_SLOTS];
	size_t n;

	do {
		n = 0;
		for (size_t i = 0; i < LMTP_SLOTS; i++)
			if (s->slots[i].fd != -1 &&
			    s->slots[i].step == LMTP_MESSAGE) {
				slots[n] = &s->slots[i];
				ready[n++] = s->slots[i].lmtp;
			}
		if (n == 0)
			return;
		s->service.deliver(s->service.self, ready, n);
		for (size_t i = 0; i < n; i++) {
			slots[i]->heard = clock_mono();
			if (drive(s, slots[i]) == -1)
				hang_up(s, slots[i]);
		}
	} while (n > 0);
}

/* expire - those who say nothing, and those who never come to an end */
static void
expire(struct lmtp_server *s)
{
	int64_t now = clock_mono();

	for (size_t i = 0; i < LMTP_SLOTS; i++) {
		struct slot *slot = &s->slots[i];

		if (slot->fd == -1)
			continue;
		if (now - slot->heard >= LMTP_SILENCE)
			dismiss(s, slot, "421 4.4.2 nothing was said for too "
			    "long");
		else if (!lmtp_idle(slot->lmtp) &&
		    now - slot->began >= LMTP_WHOLE)
			dismiss(s, slot, "421 4.4.2 the message took too "
			    "long");
	}
}

/* lmtp_server_turn - read and write, deliver, welcome, expire */
void
lmtp_server_turn(struct lmtp_server *s, const struct pollfd *fds, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct slot *slot = NULL;

		for (size_t j = 0; j < LMTP_SLOTS; j++)
			if (s->slots[j].fd == fds[i].fd)
				slot = &s->slots[j];
		if (slot == NULL || fds[i].revents == 0)
			continue;
		if (slot->step == LMTP_READ && (fds[i].revents & (POLLIN |
		    POLLHUP | POLLERR)) != 0 && take_input(slot) == -1)
			hang_up(s, slot);
		else if ((fds[i].revents & (POLLHUP | POLLERR)) != 0 &&
		    slot->step != LMTP_READ)
			hang_up(s, slot);
		else if (drive(s, slot) == -1)
			hang_up(s, slot);
	}
	deliver(s);
	if (n > 0 && fds[0].revents != 0 && !s->draining)
		welcome(s);
	expire(s);
}

/* lmtp_server_drain - the polite end */
size_t
lmtp_server_drain(struct lmtp_server *s)
{
	s->draining = true;
	for (size_t i = 0; i < LMTP_SLOTS; i++)
		if (s->slots[i].fd != -1 && lmtp_idle(s->slots[i].lmtp) &&
		    lmtp_out(s->slots[i].lmtp).n == 0)
			dismiss(s, &s->slots[i], "421 4.3.2 going down");
	return s->taken;
}
