/*
 * postbox - a poll loop around lib/lmtp.h.
 *
 * Mail of this kind is rare, comes from the Postfix beside us, and a message
 * waits for its commit in the loop itself: simple, and a few thousand a minute
 * at the worst.  What a peer may hold is bounded by CLIENTS, by the size of a
 * message and by SILENCE.
 */
#include "tools/unsubscribe/postbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/lmtp.h"
#include "lib/log.h"
#include "tools/unsubscribe/letter.h"

enum { CLIENTS = 32, RECIPIENTS = 32, SIZE = 1 << 20, INPUT = 16384,
	HELD = 8 << 20 };
#define SILENCE	(60 * CLOCK_SECOND)

struct client {
	int		 fd;		/* -1: free */
	struct lmtp	*lmtp;
	int64_t		 heard;		/* clock_mono */
	char		*input;
	struct slice	 rest;		/* of it, not eaten */
	bool		 ending;	/* write what is left and close */
};

struct postbox {
	struct shared	*shared;
	struct lmtp_rules rules;
	int		 fd, wake;
	pthread_t	 thread;
	struct client	 clients[CLIENTS];
};

struct waiting {			/* for the commit of one wish */
	struct wish	 wish;
	pthread_mutex_t	 lock;
	pthread_cond_t	 done;
	bool		 told;
};

/* --- one message ---------------------------------------------------------- */

/* told - the store has answered */
static void
told(struct wish *w)
{
	struct waiting *one = w->with;

	pthread_mutex_lock(&one->lock);
	one->told = true;
	pthread_cond_signal(&one->done);
	pthread_mutex_unlock(&one->lock);
}

/* put - a wish, and wait for it */
static enum consent_result
put(struct shared *s, const struct token *t)
{
	struct waiting one = { .lock = PTHREAD_MUTEX_INITIALIZER,
	    .done = PTHREAD_COND_INITIALIZER };

	consent_wish(&one.wish, t, false, "mailto");
	one.wish.done = told;
	one.wish.with = &one;
	consent_put(s->consent, &one.wish);
	pthread_mutex_lock(&one.lock);
	while (!one.told)
		pthread_cond_wait(&one.done, &one.lock);
	pthread_mutex_unlock(&one.lock);
	return one.wish.result;
}

/* reply_to - what becomes of the mail for one recipient */
static const char *
reply_to(struct shared *s, struct slice recipient, struct slice message)
{
	struct arena *arena = arena_new(1024, 0);
	const char *reply = "451 4.3.0 unsubscribes cannot be stored now";
	struct token t;
	struct why why;
	int rc = -1;

	if (arena != NULL) {
		pthread_rwlock_rdlock(&s->lock);
		rc = letter_token(s->ring, recipient, message, arena, &t,
		    &why);
		pthread_rwlock_unlock(&s->lock);
	}
	if (rc == 0)
		reply = "250 2.1.5 no unsubscribe link of ours in it, nothing "
		    "was done";
	else if (rc == 1 && put(s, &t) == CONSENT_DONE)
		reply = "250 2.1.5 unsubscribed";
	log_info("mailto: %s", reply);
	arena_free(arena);
	return reply;
}

/* message - a reply for each recipient */
static void
message(struct postbox *p, struct client *c)
{
	const struct lmtp_mail *mail = lmtp_mail(c->lmtp);
	size_t n = mail->nrecipients;

	for (size_t i = 0; i < n; i++)
		lmtp_reply(c->lmtp, "%s", reply_to(p->shared,
		    mail->recipients[i], mail->message));
}

/* --- clients -------------------------------------------------------------- */

/* drop - a client is gone */
static void
drop(struct client *c)
{
	if (c->fd != -1)
		close(c->fd);
	lmtp_free(c->lmtp);
	free(c->input);
	*c = (struct client){ .fd = -1 };
}

/* flush - write what there is; false when the client must go */
static bool
flush(struct client *c)
{
	struct slice out;
	ssize_t n;

	while ((out = lmtp_out(c->lmtp)).n > 0) {
		n = send(c->fd, out.p, out.n, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN;
		lmtp_sent(c->lmtp, (size_t)n);
	}
	return !c->ending;
}

/* eat - as far as the machine goes without new input; false: it must go */
static bool
eat(struct postbox *p, struct client *c)
{
	for (;;) {
		switch (lmtp_step(c->lmtp, &c->rest)) {
		case LMTP_READ:
			return flush(c);
		case LMTP_WRITE:
			if (!flush(c))
				return false;
			if (lmtp_out(c->lmtp).n > 0)
				return true;	/* when it can be written */
			break;
		case LMTP_RCPT:
			lmtp_reply(c->lmtp, "250 2.1.5 fine");
			break;
		case LMTP_MESSAGE:
			message(p, c);
			break;
		case LMTP_END:
			c->ending = true;
			return flush(c);
		}
	}
}

/* hear - input of a client */
static bool
hear(struct postbox *p, struct client *c)
{
	ssize_t n;

	if (c->rest.n == 0) {
		n = recv(c->fd, c->input, INPUT, 0);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0)
			return false;
		c->rest = (struct slice){ c->input, (size_t)n };
	}
	c->heard = clock_mono();
	return eat(p, c);
}

/* greet - a new client, if there is a place */
static void
greet(struct postbox *p)
{
	int fd = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c = NULL;

	if (fd == -1)
		return;
	for (size_t i = 0; i < CLIENTS && c == NULL; i++)
		if (p->clients[i].fd == -1)
			c = &p->clients[i];
	if (c == NULL) {
		close(fd);		/* Postfix comes again */
		return;
	}
	c->fd = fd;
	c->heard = clock_mono();
	c->lmtp = lmtp_new(&p->rules);
	c->input = malloc(INPUT);
	if (c->lmtp == NULL || c->input == NULL || !flush(c))
		drop(c);
}

/* go_round - one poll and what it brought; false: told to stop */
static bool
go_round(struct postbox *p)
{
	struct pollfd fds[CLIENTS + 2] = {
		{ .fd = p->wake, .events = POLLIN },
		{ .fd = p->fd, .events = POLLIN } };
	int64_t now;

	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *c = &p->clients[i];

		fds[i + 2].fd = c->fd;
		fds[i + 2].events = c->fd != -1 && lmtp_out(c->lmtp).n > 0 ?
		    POLLOUT : POLLIN;
	}
	if (poll(fds, CLIENTS + 2, 1000) == -1 && errno != EINTR)
		return false;
	if (fds[0].revents != 0)
		return false;
	now = clock_mono();
	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *c = &p->clients[i];
		bool stays = true;

		if (c->fd == -1)
			continue;
		if ((fds[i + 2].revents & POLLOUT) != 0)
			stays = flush(c) && (lmtp_out(c->lmtp).n > 0 ||
			    eat(p, c));
		else if (fds[i + 2].revents != 0)
			stays = hear(p, c);
		if (!stays || now - c->heard > SILENCE)
			drop(c);
	}
	if (fds[1].revents != 0)
		greet(p);
	return true;
}

/* run - the thread */
static void *
run(void *with)
{
	struct postbox *p = with;

	while (go_round(p))
		;
	for (size_t i = 0; i < CLIENTS; i++) {
		if (p->clients[i].fd == -1)
			continue;
		lmtp_give_up(p->clients[i].lmtp, "421 4.3.2 stopping");
		(void)flush(&p->clients[i]);
		drop(&p->clients[i]);
	}
	return NULL;
}

/* postbox_start - a thread that serves the socket */
int
postbox_start(struct postbox **out, struct shared *shared, int fd,
    struct why *why)
{
	struct postbox *p = calloc(1, sizeof(*p));
	int err = 0, flags = fcntl(fd, F_GETFL);

	*out = NULL;
	if (p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for LMTP");
	p->shared = shared;
	p->fd = fd;
	p->rules = (struct lmtp_rules){ .name = "penstock-unsubscribe",
	    .size_max = SIZE, .recipients_max = RECIPIENTS, .held_max = HELD };
	for (size_t i = 0; i < CLIENTS; i++)
		p->clients[i].fd = -1;
	if ((p->wake = eventfd(0, EFD_CLOEXEC)) == -1 || flags == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    (err = pthread_create(&p->thread, NULL, run, p)) != 0) {
		if (err != 0)
			errno = err;
		why_errno(why, "cannot serve LMTP");
		if (p->wake != -1)
			close(p->wake);
		free(p);
		return -1;
	}
	*out = p;
	return 0;
}

/* postbox_stop - behind the message that is being answered */
void
postbox_stop(struct postbox *p)
{
	uint64_t one = 1;

	if (p == NULL)
		return;
	while (write(p->wake, &one, sizeof(one)) == -1 && errno == EINTR)
		;
	pthread_join(p->thread, NULL);
	close(p->wake);
	free(p);
}
