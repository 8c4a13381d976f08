/*
 * pacer_desk - what operators decide of held messages: of one, of a tenant's,
 * of all (lib/held_desk.h).
 *
 * "Drop" is over at once.  "Release" is written into the row ("desk:12" where
 * the limit's name stood), so that it outlives a restart: the message goes
 * before all others of its tenant in every line, and breakers that hold do not
 * hold it.  Limits, pauses and suppressions still do: a person may say what is
 * urgent, and not that a cap is none.
 *
 * The object of the decision is a queue id, or the sequence of the hold; the
 * digits of one may look like the other, and then a queue id is meant that
 * waits.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/held_desk.h"
#include "lib/log.h"
#include "milter/pacer_in.h"

/* number - the digits of a sequence; 0: it is none */
static uint64_t
number(struct slice s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9' ||
		    __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(s.p[i] - '0'), &n))
			return 0;
	return n;
}

/* row_of - the message that is meant, if it waits. Fetch. */
static int
row_of(struct pacer *p, const struct desk_record *r, struct held *h,
    struct why *why)
{
	struct slice object = r->object;
	uint64_t seq = 0;
	int got;

	if (r->amount > 0) {
		got = pacer_row(p, (uint64_t)r->amount, p->arena, h, why);
		return got == 1 ? held_desk_means(r, h) : got;
	}
	got = store_by_queue_id(p->gate->store, object, &seq, why);
	if (got == 1)
		got = pacer_row(p, seq, p->arena, h, why);
	if (got != 0 || (seq = number(object)) == 0)
		return got;
	return pacer_row(p, seq, p->arena, h, why);
}

/* to_front - before all others of its tenant */
static int
to_front(struct pacer *p, struct waiter *was, struct why *why)
{
	struct waiter *w;

	if (was == NULL)		/* it comes with the next rows */
		return 0;
	if ((w = waiter_new(p->lines)) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	w->seq = was->seq;
	w->tenant = was->tenant;
	w->until = was->until;
	w->cost = was->cost;
	w->lane = LANE_ASKED;
	was->dead = true;
	return pacer_stand(p, w, NULL, why);
}

/* urge - it goes first, from now on */
static int
urge(struct pacer *p, struct held *h, struct slice rule, struct why *why)
{
	struct writer_held held = { .rows = h, .nrows = 1 };
	struct waiter *was = pacer_find(p, h->seq);

	h->why = rule;
	if (writer_held(p->gate->writer, &held, why) == -1)
		return -1;
	return to_front(p, was, why);
}

/* drop - nobody gets it */
static int
drop(struct pacer *p, uint64_t seq, struct slice rule, struct why *why)
{
	struct waiter *w = pacer_find(p, seq);
	int got = pacer_end(p, seq, HELD_DROP, rule, "an operator dropped it",
	    w, why);

	if (got == 1)
		return pacer_flush(p, why);
	return got;
}

/* --- many ----------------------------------------------------------------- */

struct mark {
	uint64_t	 seq;
	struct waiter	*waiter;
};

/* by_seq - for qsort and bsearch */
static int
by_seq(const void *va, const void *vb)
{
	const struct mark *a = va, *b = vb;

	return a->seq < b->seq ? -1 : a->seq > b->seq;
}

/* marks_of - all who wait, by sequence: to look for each of many in all of
 * them would take the square of the time; NULL: no memory */
static struct mark *
marks_of(struct pacer *p, size_t *n)
{
	struct waiter *w = NULL;
	struct mark *marks;
	size_t most = 0;

	*n = 0;
	while ((w = waiter_next(p->lines, w)) != NULL)
		most++;
	if ((marks = calloc(most + 1, sizeof(*marks))) == NULL)
		return NULL;
	while ((w = waiter_next(p->lines, w)) != NULL)
		if (!w->dead)
			marks[(*n)++] = (struct mark){ w->seq, w };
	qsort(marks, *n, sizeof(*marks), by_seq);
	return marks;
}

/* waiter_of - the one of that message, or NULL */
static struct waiter *
waiter_of(const struct mark *marks, size_t n, uint64_t seq)
{
	const struct mark key = { seq, NULL };
	const struct mark *at = bsearch(&key, marks, n, sizeof(*marks),
	    by_seq);

	return at != NULL ? at->waiter : NULL;
}

/* urge_rows - each to the front, in one commit */
static int
urge_rows(struct pacer *p, struct held *rows, size_t n, struct slice rule,
    const struct mark *marks, size_t nmarks, struct why *why)
{
	struct writer_held held = { .rows = rows, .nrows = n };

	for (size_t i = 0; i < n; i++)
		rows[i].why = rule;
	if (n > 0 && writer_held(p->gate->writer, &held, why) == -1)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (to_front(p, waiter_of(marks, nmarks, rows[i].seq),
		    why) == -1)
			return -1;
	return 0;
}

/* drop_rows - each of them, a batch in a commit */
static int
drop_rows(struct pacer *p, struct held *rows, size_t n,
    struct slice rule, const struct mark *marks, size_t nmarks,
    struct why *why)
{
	for (size_t i = 0; i < n; i++)
		if (pacer_end(p, rows[i].seq, HELD_DROP, rule,
		    "an operator dropped it", waiter_of(marks, nmarks,
		    rows[i].seq), why) == -1 ||
		    (pacer_full(p) && pacer_flush(p, why) == -1))
			return -1;
	return pacer_flush(p, why);
}

/* many - each row that is meant and waits, some at a time */
static int
many(struct pacer *p, const struct desk_record *r, struct slice rule,
    const struct mark *marks, size_t nmarks, struct arena *arena,
    struct why *why)
{
	struct held *rows;
	uint64_t from = 0;
	size_t got, kept, i;

	do {
		arena_reset(arena);
		if ((rows = arena_array(arena, PACER_ROWS,
		    sizeof(*rows))) == NULL)
			return why_kind(why, WHY_MEMORY, "no memory");
		if (store_held(p->gate->store, from, HELD_WAITING, PACER_ROWS,
		    arena, rows, &got, why) == -1)
			return -1;
		for (i = kept = 0; i < got; i++) {
			from = rows[i].seq + 1;
			if (held_desk_means(r, &rows[i]))
				rows[kept++] = rows[i];
		}
		if ((r->kind == DESK_HOLD_DROP ? drop_rows : urge_rows)(p,
		    rows, kept, rule, marks, nmarks, why) == -1)
			return -1;
	} while (got == PACER_ROWS);
	return 0;
}

/* all - of a tenant, or of everybody */
static int
all(struct pacer *p, const struct desk_record *r, struct slice rule,
    struct why *why)
{
	struct arena *arena = arena_new(64u << 10, 0);
	struct mark *marks;
	size_t n;
	int rc;

	marks = marks_of(p, &n);
	if (arena == NULL || marks == NULL)
		rc = why_kind(why, WHY_MEMORY, "no memory");
	else
		rc = many(p, r, rule, marks, n, arena, why);
	free(marks);
	arena_free(arena);
	return rc;
}

/* order - with the lock held */
static int
order(struct pacer *p, const struct desk_record *r, struct why *why)
{
	struct held h;
	const char *rule;
	int got;

	arena_reset(p->arena);
	rule = arena_printf(p->arena, DESK_NAME ":%" PRIu64, r->seq);
	if (rule == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	if (slice_is(r->object, HELD_DESK_ALL))
		return all(p, r, slice_of(rule), why);
	if ((got = row_of(p, r, &h, why)) == -1)
		return -1;
	if (got == 0) {
		log_warn("%s: %.*s is not held, or decided already", rule,
		    SLICE_ARG(r->object));
		return 0;
	}
	return r->kind == DESK_HOLD_DROP ?
	    drop(p, h.seq, slice_of(rule), why) :
	    urge(p, &h, slice_of(rule), why);
}

/* pacer_order - of an operator */
int
pacer_order(struct pacer *p, const struct desk_record *r, struct why *why)
{
	int rc;

	if (p == NULL)
		return why_set(why, "nothing lets held mail go here");
	pthread_mutex_lock(&p->lock);
	rc = order(p, r, why);
	pthread_mutex_unlock(&p->lock);
	return rc;
}
