/*
 * agent - lines in, lines out.
 *
 * What an order leads to is told by a look at the queue afterwards and not by
 * what a program printed: postsuper counts in a sentence and its exit status
 * is 0 whether it found a message or not.
 */
#include "tools/release/agent.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/clock.h"

enum { FLUSH = 32768, SEND_PATIENCE = 60 };	/* bytes; s */

struct agent {
	int		 fd, stop;
	struct queue	*queue;
	struct buf	 out;
	struct why	*why;
	uint64_t	 sent;		/* lines of the answer */
	char		 in[ORDER_LINE];
	size_t		 nin;
};

/* --- answers -------------------------------------------------------------- */

/* flush_out - to the peer */
static int
flush_out(struct agent *a)
{
	size_t at = 0;
	ssize_t n;

	if (buf_failed(&a->out))
		return why_kind(a->why, WHY_MEMORY, "no memory to answer");
	while (at < a->out.len) {
		n = send(a->fd, a->out.data + at, a->out.len - at,
		    MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return why_errno(a->why, "the other half takes no "
			    "answer");
		at += (size_t)n;
	}
	buf_reset(&a->out);
	return 0;
}

/* say - one line more */
static bool
say(struct agent *a, const struct reply *r)
{
	reply_format(r, &a->out);
	a->sent++;
	return a->out.len < FLUSH || flush_out(a) == 0;
}

/* end - that was the answer */
static int
end(struct agent *a, const struct buf *said)
{
	struct reply r = { .kind = REPLY_END, .n = a->sent,
		.text = slice_trim(buf_slice(said)) };

	reply_format(&r, &a->out);
	return flush_out(a);
}

/* refuse - nothing was done, for that reason */
static int
refuse(struct agent *a, const struct why *reason)
{
	struct reply r = { .kind = REPLY_NO, .text = slice_of(reason->text) };

	reply_format(&r, &a->out);
	return flush_out(a);
}

/* --- orders --------------------------------------------------------------- */

/* say_held - each of them */
static bool
say_held(void *with, struct slice id, uint64_t file)
{
	struct reply r = { .kind = REPLY_HELD, .id = id, .file = file };

	return say(with, &r);
}

/* say_places - each of them */
static bool
say_places(struct agent *a, const struct order *o,
    const enum order_place *places)
{
	for (size_t i = 0; i < o->n; i++) {
		struct reply r = { .kind = REPLY_AT, .id = o->ids[i],
			.place = places[i] };

		if (!say(a, &r))
			return false;
	}
	return true;
}

struct left {				/* which of them are held still */
	const struct order *order;
	enum order_place *places;
};

/* still - that one */
static bool
still(void *with, struct slice id, uint64_t file)
{
	struct left *l = with;

	(void)file;
	for (size_t i = 0; i < l->order->n; i++)
		if (slice_eq(l->order->ids[i], id))
			l->places[i] = PLACE_HOLD;
	return true;
}

/* hurry - those that left hold/ are delivered now */
static int
hurry(struct agent *a, const struct order *o, const enum order_place *places,
    struct buf *said, struct why *why)
{
	for (size_t i = 0; i < o->n; i++)
		if ((places == NULL || places[i] == PLACE_AWAY) &&
		    queue_now(a->queue, o->ids[i], said, why) == -1)
			return -1;
	return 0;
}

/* change - release, expire or drop */
static int
change(struct agent *a, const struct order *o, struct buf *said,
    struct why *why)
{
	enum order_place places[ORDER_IDS];
	struct left left = { o, places };

	for (size_t i = 0; i < o->n; i++)
		places[i] = PLACE_AWAY;
	if (queue_change(a->queue, o->verb, o->ids, o->n, said, why) == -1 ||
	    queue_held(a->queue, still, &left, why) == -1 ||
	    (o->verb != ORDER_DROP && hurry(a, o, places, said, why) == -1))
		return -1;
	(void)say_places(a, o, places);
	return 0;
}

/* where - each of them is now */
static int
where(struct agent *a, const struct order *o, struct why *why)
{
	enum order_place places[ORDER_IDS];

	if (queue_where(a->queue, o->ids, o->n, places, why) == -1)
		return -1;
	(void)say_places(a, o, places);
	return 0;
}

/* obey - one line; -1 when the peer is not to be served any more */
static int
obey(struct agent *a, struct slice line)
{
	struct buf said = BUF_INIT;
	struct order o;
	struct why why;
	int rc = -1;

	a->sent = 0;
	if (order_parse(line, &o, &why) == -1) {
		(void)refuse(a, &why);
		*a->why = why;
		return -1;
	}
	switch (o.verb) {
	case ORDER_LIST:
		rc = queue_held(a->queue, say_held, a, &why);
		break;
	case ORDER_WHERE:
		rc = where(a, &o, &why);
		break;
	case ORDER_QUEUE:
		rc = hurry(a, &o, NULL, &said, &why);
		break;
	default:
		rc = change(a, &o, &said, &why);
		break;
	}
	rc = rc == -1 ? refuse(a, &why) : end(a, &said);
	buf_free(&said);
	return rc;
}

/* --- the peer ------------------------------------------------------------- */

/* next_line - 1 with a whole line, 0 the peer left or it is time to end, -1;
 * more: bytes behind the line that was served */
static int
next_line(struct agent *a, bool *stopped, struct slice *line)
{
	struct pollfd fds[] = { { .fd = a->fd, .events = POLLIN },
		{ .fd = a->stop, .events = POLLIN } };
	int64_t until = clock_mono() + AGENT_PATIENCE * CLOCK_SECOND;
	char *lf;
	ssize_t n;

	while ((lf = memchr(a->in, '\n', a->nin)) == NULL) {
		if (a->nin == sizeof(a->in))
			return why_set(a->why, "a line of more than %zu bytes "
			    "is no order", sizeof(a->in));
		if (clock_mono() > until)
			return why_set(a->why, "the other half said nothing "
			    "for %d minutes", AGENT_PATIENCE / 60);
		if (poll(fds, 2, 1000) == -1 && errno != EINTR)
			return why_errno(a->why, "poll");
		if ((*stopped = fds[1].revents != 0))
			return 0;
		if (fds[0].revents == 0)
			continue;
		n = recv(a->fd, a->in + a->nin, sizeof(a->in) - a->nin, 0);
		if (n == 0)
			return 0;
		if (n == -1 && errno != EINTR)
			return why_errno(a->why, "reading an order");
		if (n > 0)
			a->nin += (size_t)n;
	}
	*line = (struct slice){ a->in, (size_t)(lf - a->in) };
	return 1;
}

/* agent_serve - see agent.h */
int
agent_serve(int fd, int stop, struct queue *queue, bool *stopped,
    struct why *why)
{
	const struct timeval patience = { .tv_sec = SEND_PATIENCE };
	struct agent *a = calloc(1, sizeof(*a));
	struct slice line;
	int rc = -1;

	*stopped = false;
	if (a == NULL) {
		close(fd);
		return why_kind(why, WHY_MEMORY, "no memory for a peer");
	}
	*a = (struct agent){ .fd = fd, .stop = stop, .queue = queue,
		.why = why };
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
	    sizeof(patience));
	buf_str(&a->out, ORDER_HELLO "\n");
	rc = flush_out(a);
	while (rc == 0 && (rc = next_line(a, stopped, &line)) == 1) {
		size_t used = line.n + 1;

		rc = obey(a, line);
		memmove(a->in, a->in + used, a->nin - used);
		a->nin -= used;
	}
	close(fd);
	buf_free(&a->out);
	free(a);
	return rc;
}
