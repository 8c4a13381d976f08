/*
 * obey - read, check the chain, put in force, record.
 *
 * Order: the picture is swapped first, then recorded with the sequence in one
 * commit (writer_desk.c).  Whoever waits for the sequence in the status sees
 * it only when mail that begins from then on obeys.  When there is no room to
 * record, what was swapped in stays in force and the recording is tried again;
 * resets are part of the recording, so they happen once.
 *
 * Trust.  The desk is written by operators, who could change it behind our
 * back; so each record must follow the one before it, and the first new one
 * the last that we took ourselves.  What does not is not obeyed, and neither
 * is anything behind it: a person must look (penstock audit --verify).
 *
 * Not chosen: inotify (not on every file system, and one more thing that can
 * be lost), a signal from the command line (an operator who may write the desk
 * need not be allowed to signal the gate).  A look costs two stat(2) and a read
 * transaction, some microseconds.
 */
#include "milter/obey.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/desk.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "milter/pacer.h"
#include "milter/warmer.h"
#include "policy/whose.h"

#define EVERY	(200 * INT64_C(1000))		/* us between looks */

enum { BATCH = 64, HEADS = 64 };

struct obey {
	struct gate	*gate;
	char		*dir;
	struct desk	*desk;		/* NULL: not open */
	bool		 seen;		/* there was one in this life */
	struct orders	*taken;		/* in force, and on record */
	uint64_t	 head_seq;	/* of the last head on record */
	int64_t		 head_at;
	char		 trouble[sizeof(((struct why *)NULL)->text)];
	bool		 said;		/* trouble is in the status as well */
	struct arena	*arena;		/* of one batch */
	struct buf	 buf;
	pthread_t	 thread;
	bool		 running;
	pthread_mutex_t	 lock;		/* of stop */
	pthread_cond_t	 wake;
	bool		 stop;
};

/* --- a reset -------------------------------------------------------------- */

/* reset_charges - one for each counter of that limit; 0: there is none */
static size_t
reset_charges(struct obey *f, const struct policy *p, const struct tenant *t,
    const struct desk_record *r, struct charge **charges)
{
	struct decide_facts whose;
	struct counter_view view;
	struct ask *asks;
	struct why why;
	size_t i, n;
	bool apart;

	*charges = NULL;
	if (r->limit_kind == LIMIT_OPEN || whose_scan(r->object, &whose,
	    f->arena, &why) == -1 || decide_asks_named(p, t,
	    r->limit_kind, r->limit, &whose, clock_now(), f->arena, &asks, &n,
	    &apart) == -1 || (*charges = arena_array(f->arena, n + 1,
	    sizeof(**charges))) == NULL)
		return 0;
	for (i = 0; i < n; i++) {
		ledger_view(f->gate->ledger, &asks[i], clock_now(), &view);
		(*charges)[i] = asks[i].charge;
		(*charges)[i].amount = view.used;
	}
	return n;
}

/* reset_event - what the ledger will follow; false: there is nothing to do */
static bool
reset_event(struct obey *f, const struct policy *p,
    const struct desk_record *r, struct event *e)
{
	const struct tenant *t = policy_tenant(p, r->tenant);
	const char *text = arena_printf(f->arena, "%.*s",
	    SLICE_ARG(r->reason));
	const char *rule = arena_printf(f->arena, DESK_NAME ":%" PRIu64,
	    r->seq);

	*e = (struct event){
		.kind = EVENT_RESET,
		.time = clock_now(),
		.instance = slice_of(f->gate->config->milter.instance),
		.tenant = r->tenant,
		.limit = r->limit,
		.rule = slice_of(rule),
		.text = slice_of(text),
		.verdict = VERDICT_PASS,
		.count = 1,
	};
	memcpy(e->policy_hash, p->hash, sizeof(e->policy_hash));
	if (t == NULL)
		(void)policy_auto_domain(p, r->tenant, f->arena, &t);
	if (t != NULL)
		e->ncharges = reset_charges(f, p, t, r, &e->charges);
	if (e->ncharges > 0)
		return true;
	log_warn("desk:%" PRIu64 ": tenant %.*s has no limit \"%.*s\"%s%.*s "
	    "now: nothing to reset", r->seq, SLICE_ARG(r->tenant),
	    SLICE_ARG(r->limit), r->object.n > 0 ? " of " : "",
	    SLICE_ARG(r->object));
	return false;
}

/* resets_of - the events of a batch; they borrow the policy */
static size_t
resets_of(struct obey *f, const struct policy *p, const struct desk_row *rows,
    size_t n, struct event *events)
{
	size_t got = 0;

	for (size_t i = 0; i < n; i++)
		if (rows[i].record.kind == DESK_RESET &&
		    reset_event(f, p, &rows[i].record, &events[got]))
			got++;
	return got;
}

/* --- on record ------------------------------------------------------------ */

/* head_due - the end of the chain as we know it, when it is time for one */
static const struct store_head *
head_due(const struct obey *f, const struct orders *o,
    struct store_head *head)
{
	int64_t now = clock_mono();

	head->seq = orders_seq(o);
	if (head->seq == f->head_seq || (f->head_at != 0 &&
	    now - f->head_at < CLOCK_MINUTE))
		return NULL;
	head->time = clock_now();
	orders_chain(o, head->chain);
	return head;
}

/* record - what is in force now, and how it is with the desk */
static int
record(struct obey *f, const struct orders *o, const struct event *resets,
    size_t nresets, const struct writer_warm *warm, struct why *why)
{
	struct store_head room;
	struct writer_desk desk = { .resets = resets, .nresets = nresets,
		.warm = warm, .seq = orders_seq(o),
		.trouble = slice_of(f->trouble) };

	if (orders_seq(o) != orders_seq(f->taken)) {
		buf_reset(&f->buf);
		orders_encode(o, &f->buf);
		if (buf_failed(&f->buf))
			return why_kind(why, WHY_MEMORY, "no memory");
		desk.orders = buf_slice(&f->buf);
	}
	desk.head = head_due(f, o, &room);
	if (writer_desk(f->gate->writer, &desk, why) == -1)
		return -1;
	f->said = true;
	if (desk.head != NULL) {
		f->head_seq = room.seq;
		f->head_at = clock_mono();
	}
	return 0;
}

/* trouble - said once, and again when it is another one; empty: it is over */
static void
trouble(struct obey *f, const char *text)
{
	if (strcmp(f->trouble, text) == 0)
		return;
	if (text[0] != '\0')
		log_error("desk: %s; what was in force up to desk:%" PRIu64
		    " stays so", text, orders_seq(f->taken));
	else
		log_info("desk: it can be followed again");
	(void)snprintf(f->trouble, sizeof(f->trouble), "%s", text);
	f->said = false;
}

/* --- following ------------------------------------------------------------ */

/* log_row - what an operator decided, for who reads the log */
static void
log_row(const struct desk_record *r)
{
	log_info("desk:%" PRIu64 ": %s tenant=%.*s%s%.*s by %.*s: %.*s",
	    r->seq, desk_kind_name(r->kind), SLICE_ARG(r->tenant),
	    r->limit.n > 0 ? " limit=" : "", SLICE_ARG(r->limit),
	    SLICE_ARG(r->sudo.n > 0 ? r->sudo : r->user),
	    SLICE_ARG(r->reason));
}

/* held - decisions about held messages: done before they are on record, and
 * doing one again changes nothing */
static int
held(struct obey *f, const struct desk_row *rows, size_t n, struct why *why)
{
	for (size_t i = 0; i < n; i++) {
		const struct desk_record *r = &rows[i].record;

		if ((r->kind == DESK_HOLD_RELEASE ||
		    r->kind == DESK_HOLD_DROP) &&
		    pacer_order(f->gate->pacer, r, why) == -1)
			return why_in(why, DESK_NAME ":%" PRIu64, r->seq);
	}
	return 0;
}

/* warmups - resumed, if any is; then all of it on record */
static int
warmups(struct obey *f, const struct orders *next,
    const struct desk_row *rows, size_t n, const struct event *resets,
    size_t nresets, struct why *why)
{
	const struct writer_warm *warm = NULL;
	int rc = 0;

	if (f->gate->warmer != NULL)
		rc = warmer_resume(f->gate->warmer, rows, n, &warm, why);
	if (rc == 0)
		rc = record(f, next, resets, nresets, warm, why);
	if (f->gate->warmer != NULL)
		warmer_resumed(f->gate->warmer);
	return rc;
}

/* take - rows that follow what was taken so far */
static int
take(struct obey *f, const struct desk_row *rows, size_t n, struct why *why)
{
	struct orders *next = orders_after(f->taken, rows, n, clock_now());
	struct event resets[BATCH];
	struct policy *p;
	size_t nresets;
	int rc;

	if (next == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	gate_order(f->gate, orders_hold(next));
	p = gate_policy(f->gate);
	nresets = resets_of(f, p, rows, n, resets);
	if ((rc = held(f, rows, n, why)) == 0)
		rc = warmups(f, next, rows, n, resets, nresets, why);
	policy_drop(p);
	if (rc == -1) {
		orders_drop(next);
		return why_in(why, "in force, but not recorded yet");
	}
	for (size_t i = 0; i < n; i++)
		log_row(&rows[i].record);
	orders_drop(f->taken);
	f->taken = next;
	pacer_wake(f->gate->pacer);
	return 0;
}

/* check_rows - how many of them follow */
static size_t
check_rows(const struct obey *f, const struct desk_row *rows, size_t n)
{
	uint8_t before[HASH_SHA256];
	uint64_t seq = orders_seq(f->taken);
	size_t i;

	orders_chain(f->taken, before);
	for (i = 0; i < n && desk_follows(&rows[i], ++seq, before); i++)
		memcpy(before, rows[i].chain, sizeof(before));
	return i;
}

/* batch - the next rows; how many were taken, or -1 */
static long
batch(struct obey *f, struct why *why)
{
	struct desk_row rows[BATCH];
	size_t got, good;

	arena_reset(f->arena);
	if (desk_read(f->desk, orders_seq(f->taken) + 1, BATCH, f->arena,
	    rows, &got, why) == -1)
		return -1;
	good = check_rows(f, rows, got);
	if (good > 0 && take(f, rows, good, why) == -1)
		return -1;
	if (good < got)
		return why_set(why, "desk:%" PRIu64 " does not follow from "
		    "the decision before it: somebody changed the desk "
		    "(penstock audit --verify)", orders_seq(f->taken) + 1);
	return (long)good;
}

/* check_end - nothing is new: is it the desk that we took? */
static int
check_end(struct obey *f, uint64_t seq, const uint8_t chain[HASH_SHA256],
    struct why *why)
{
	uint8_t ours[HASH_SHA256];
	uint64_t had = orders_seq(f->taken);

	if (seq < had)
		return why_set(why, "it ends at desk:%" PRIu64 ", and desk:%"
		    PRIu64 " was in force already: somebody cut it, or put an "
		    "old copy back (penstock audit --verify, penstock store "
		    "anew)", seq, had);
	orders_chain(f->taken, ours);
	if (memcmp(ours, chain, sizeof(ours)) != 0)
		return why_set(why, "desk:%" PRIu64 " is not the decision that "
		    "was put in force: somebody changed the desk (penstock "
		    "audit --verify)", seq);
	return 0;
}

/* opened - fetch: is there a desk to look at? */
static int
opened(struct obey *f, struct why *why)
{
	int got;

	if (f->desk != NULL && desk_same(f->desk, why) == -1) {
		desk_close(f->desk);
		f->desk = NULL;
	}
	if (f->desk != NULL)
		return 1;
	got = desk_open_read(&f->desk, f->dir, why);
	if (got == 0 && (f->seen || orders_seq(f->taken) > 0))
		return why_set(why, "%s is gone: put its newest backup back; "
		    "that, or none, needs penstock store anew", f->dir);
	f->seen = f->seen || got == 1;
	return got;
}

/* look - once; 0 all is well */
static int
look(struct obey *f, struct why *why)
{
	uint8_t chain[HASH_SHA256];
	uint64_t seq;
	long n;
	int got = opened(f, why);

	if (got != 1)
		return got;
	if (desk_last(f->desk, &seq, chain, why) == -1)
		return -1;
	if (seq <= orders_seq(f->taken))
		return check_end(f, seq, chain, why);
	do {
		if ((n = batch(f, why)) == -1)
			return -1;
	} while (n == BATCH);
	return 0;
}

/* obey_once - look, and say how it is */
void
obey_once(struct obey *f)
{
	struct store_head head;
	struct why why;

	trouble(f, look(f, &why) == -1 ? why.text : "");
	if ((!f->said || head_due(f, f->taken, &head) != NULL) &&
	    record(f, f->taken, NULL, 0, NULL, &why) == -1)
		log_debug("desk: not recorded: %s", why.text);
}

/* work - the thread */
static void *
work(void *arg)
{
	struct obey *f = arg;
	struct timespec ts;
	int64_t until;

	pthread_mutex_lock(&f->lock);
	while (!f->stop) {
		pthread_mutex_unlock(&f->lock);
		obey_once(f);
		pthread_mutex_lock(&f->lock);
		until = clock_mono() + EVERY;
		ts.tv_sec = (time_t)(until / CLOCK_SECOND);
		ts.tv_nsec = (long)(until % CLOCK_SECOND * 1000);
		while (!f->stop && pthread_cond_timedwait(&f->wake, &f->lock,
		    &ts) != ETIMEDOUT)
			;
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

/* --- births and deaths ---------------------------------------------------- */

/* last_head - the end of the chain as it was last put on record */
static int
last_head(struct obey *f, struct why *why)
{
	struct store_head heads[HEADS];
	size_t n;

	do {
		if (store_heads(f->gate->store, f->head_seq + 1, HEADS, heads,
		    &n, why) == -1)
			return -1;
		if (n > 0)
			f->head_seq = heads[n - 1].seq;
	} while (n == HEADS);
	return 0;
}

/* restore - what was in force in the gate's last life */
static int
restore(struct obey *f, struct why *why)
{
	struct slice stored;
	int got = store_orders(f->gate->store, f->arena, &stored, why);

	if (got == 1 && orders_decode(stored, &f->taken, why) == -1)
		return why_kind(why, WHY_BROKEN, "the orders in force in the "
		    "gate's store cannot be read (penstock store verify)");
	if (got == 0 && (f->taken = orders_after(NULL, NULL, 0,
	    clock_now())) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	if (got == -1)
		return -1;
	gate_order(f->gate, orders_hold(f->taken));
	return last_head(f, why);
}

/* obey_new - nothing is read of the desk yet */
int
obey_new(struct obey **out, struct gate *gate, struct why *why)
{
	struct obey *f = calloc(1, sizeof(*f));
	pthread_condattr_t attr;

	*out = NULL;
	if (f == NULL || (f->arena = arena_new(1 << 16, 0)) == NULL ||
	    asprintf(&f->dir, "%s/desk", gate->config->store) == -1) {
		if (f != NULL)
			arena_free(f->arena);
		free(f);
		return why_kind(why, WHY_MEMORY, "no memory");
	}
	f->gate = gate;
	pthread_mutex_init(&f->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&f->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (restore(f, why) == -1) {
		obey_stop(f);
		return -1;
	}
	*out = f;
	return 0;
}

/* obey_start - its thread; signals are for others */
int
obey_start(struct obey *f, struct why *why)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&f->thread, NULL, work, f);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err != 0) {
		errno = err;
		return why_errno(why, "cannot start the desk's thread");
	}
	f->running = true;
	return 0;
}

/* obey_stop - and forget */
void
obey_stop(struct obey *f)
{
	if (f == NULL)
		return;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_signal(&f->wake);
	pthread_mutex_unlock(&f->lock);
	if (f->running)
		pthread_join(f->thread, NULL);
	desk_close(f->desk);
	orders_drop(f->taken);
	pthread_cond_destroy(&f->wake);
	pthread_mutex_destroy(&f->lock);
	buf_free(&f->buf);
	arena_free(f->arena);
	free(f->dir);
	free(f);
}
