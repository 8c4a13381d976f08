/*
 * ask - connect, say, and hear an answer to its end.
 */
#include "tools/release/ask.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"

#define SILENCE	(10 * CLOCK_MINUTE)	/* a page of messages has its time */

struct ask {
	const char	*path;		/* NULL: a pair */
	int		 fd;		/* -1: closed */
	void		(*wait)(void);
	char		 in[2 * ORDER_LINE];
	size_t		 nin, at;	/* bytes there; those read */
	bool		 greeted;
};

/* ask_new - connected when it is first needed */
int
ask_new(struct ask **out, const char *path, int fd, void (*wait)(void),
    struct why *why)
{
	struct ask *a = calloc(1, sizeof(*a));

	*out = a;
	if (a == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	a->path = path;
	a->fd = fd;
	a->wait = wait;
	return 0;
}

/* hang_up - whatever was under way */
static void
hang_up(struct ask *a)
{
	if (a->fd != -1)
		close(a->fd);
	a->fd = -1;
	a->nin = a->at = 0;
	a->greeted = false;
}

/* ask_free - the other half sees it */
void
ask_free(struct ask *a)
{
	if (a != NULL)
		hang_up(a);
	free(a);
}

/* ask_lost - a pair has one life */
bool
ask_lost(const struct ask *a)
{
	return a->path == NULL && a->fd == -1;
}

/* --- lines ---------------------------------------------------------------- */

/* hear - one line of an answer, which borrows until the next */
static int
hear(struct ask *a, struct slice *line, struct why *why)
{
	int64_t until = clock_mono() + SILENCE;
	struct pollfd p = { .fd = a->fd, .events = POLLIN };
	char *lf;
	ssize_t n;

	while ((lf = memchr(a->in + a->at, '\n', a->nin - a->at)) == NULL) {
		memmove(a->in, a->in + a->at, a->nin - a->at);
		a->nin -= a->at;
		a->at = 0;
		if (a->nin >= ORDER_LINE)
			return why_set(why, "an answer of more than %d bytes",
			    ORDER_LINE);
		a->wait();
		if (clock_mono() > until)
			return why_set(why, "no answer for %d minutes",
			    (int)(SILENCE / CLOCK_MINUTE));
		if (poll(&p, 1, 1000) != 1)
			continue;
		n = recv(a->fd, a->in + a->nin, sizeof(a->in) - a->nin, 0);
		if (n == 0)
			return why_set(why, "it hung up");
		if (n == -1 && errno != EINTR)
			return why_errno(why, "it does not answer");
		if (n > 0)
			a->nin += (size_t)n;
	}
	*line = (struct slice){ a->in + a->at,
		(size_t)(lf - a->in) - a->at };
	a->at += line->n + 1;
	return 0;
}

/* tell - an order, whole */
static int
tell(struct ask *a, const struct order *o, struct why *why)
{
	struct buf b = BUF_INIT;
	size_t at = 0;
	int rc = 0;
	ssize_t n;

	order_format(o, &b);
	if (buf_failed(&b))
		rc = why_kind(why, WHY_MEMORY, "no memory for an order");
	while (rc == 0 && at < b.len) {
		n = send(a->fd, b.data + at, b.len - at, MSG_NOSIGNAL);
		if (n > 0)
			at += (size_t)n;
		else if (n == -1 && errno != EINTR)
			rc = why_errno(why, "it takes no order");
	}
	buf_free(&b);
	return rc;
}

/* greet - is it what we think it is? */
static int
greet(struct ask *a, struct why *why)
{
	struct slice line;

	if (a->greeted)
		return 0;
	if (hear(a, &line, why) == -1)
		return -1;
	a->greeted = slice_is(line, ORDER_HELLO);
	return a->greeted ? 0 : why_set(why, "it is no penstock-release of "
	    "this version");
}

/* ready - connected, and greeted */
static int
ready(struct ask *a, struct why *why)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	if (a->fd != -1)
		return greet(a, why);
	if (a->path == NULL)
		return why_set(why, "it is gone");
	if (strlen(a->path) >= sizeof(sun.sun_path))
		return why_set(why, "the path is too long for a socket");
	memcpy(sun.sun_path, a->path, strlen(a->path));
	a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (a->fd == -1 || connect(a->fd, (struct sockaddr *)&sun,
	    sizeof(sun)) == -1)
		return why_errno(why, "cannot connect");
	return greet(a, why);
}

/* --- orders --------------------------------------------------------------- */

struct answer {
	const struct order *order;
	int		(*each)(void *, struct slice, uint64_t, struct why *);
	void		*with;
	enum order_place *places;
	struct buf	*said;
	uint64_t	 n;		/* lines before the end */
	bool		 refused;	/* nothing was done, all else is well */
};

/* take - one line of an answer: 1 it goes on, 0 that was all, -1 */
static int
take(struct answer *w, const struct reply *r, struct why *why)
{
	switch (r->kind) {
	case REPLY_HELD:
		if (w->each == NULL)
			break;
		w->n++;
		return w->each(w->with, r->id, r->file, why) == -1 ? -1 : 1;
	case REPLY_AT:
		if (w->places == NULL || w->n >= w->order->n ||
		    !slice_eq(r->id, w->order->ids[w->n]))
			break;
		w->places[w->n++] = r->place;
		return 1;
	case REPLY_END:
		if (r->n != w->n || (w->places != NULL &&
		    w->n != w->order->n))
			break;
		if (w->said != NULL)
			buf_slices(w->said, r->text);
		return 0;
	case REPLY_NO:
		w->refused = true;
		return why_set(why, "%.*s", SLICE_ARG(r->text));
	}
	return why_set(why, "it answers something else than it was asked");
}

/* converse - an order and its answer; hangs up when that fails */
static int
converse(struct ask *a, struct answer *w, struct why *why)
{
	struct slice line;
	struct reply r;
	int rc = ready(a, why);

	if (rc == 0)
		rc = tell(a, w->order, why);
	for (bool more = true; rc == 0 && more; ) {
		if ((rc = hear(a, &line, why)) == -1 ||
		    (rc = reply_parse(line, &r, why)) == -1)
			break;
		rc = take(w, &r, why);
		more = rc == 1;
		rc = rc == -1 ? -1 : 0;
	}
	if (rc == -1) {
		if (!w->refused)
			hang_up(a);
		why_in(why, "the half of penstock-release that is root%s%s",
		    a->path != NULL ? ", at " : "",
		    a->path != NULL ? a->path : "");
	}
	return rc;
}

/* ask_held - what lies in hold/ */
int
ask_held(struct ask *a, int (*each)(void *, struct slice, uint64_t,
    struct why *), void *with, struct why *why)
{
	struct order o = { .verb = ORDER_LIST };
	struct answer w = { .order = &o, .each = each, .with = with };

	return converse(a, &w, why);
}

/* ask_do - about messages */
int
ask_do(struct ask *a, enum order_verb verb, const struct slice *ids, size_t n,
    enum order_place *places, struct buf *said, struct why *why)
{
	struct order o = { .verb = verb, .n = n };
	struct answer w = { .order = &o, .said = said,
		.places = verb == ORDER_QUEUE ? NULL : places };

	if (n == 0 || n > ORDER_IDS)
		return why_set(why, "an order about %zu messages", n);
	memcpy(o.ids, ids, n * sizeof(*ids));
	if (said != NULL)
		buf_reset(said);
	return converse(a, &w, why);
}
