/*
 * warmer_move - mail to a provider that nobody knew is counted there once he
 * is known.
 *
 * A recipient whose provider is not known counts against the day alone.  What
 * a delivery teaches of his domain comes minutes later (lib/happenings.h);
 * then as many as went there today are charged to the provider's share, which
 * may go beyond it by that and has to drain before more goes there.
 *
 * The events of the day are followed by their sequence.  What was moved is an
 * event of its own, so after a restart the same reading comes to what is left
 * to move.  A day that is over needs none of it.
 */
#include "milter/warmer_in.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"

enum { BATCH = 256, WAITING = 100000 };

/* So many went to that domain on that day. */
struct waiting {
	struct waiting	*next;
	uint8_t		 key[PROGRESS_KEY];
	int64_t		 window, end;	/* of the counter of the day */
	int64_t		 n;
	uint64_t	 seq;		/* an event of it */
	size_t		 length;
	char		 id[];		/* key, domain */
};

struct moves {
	uint64_t	 seq;		/* the next event; 0: not begun */
	struct map	*by_id;
	struct waiting	*first;
	size_t		 n;
	struct arena	*arena;
	int64_t		 asked;		/* clock_mono */
	bool		 full;		/* that was said */
};

/* moves_new - nothing read */
struct moves *
moves_new(void)
{
	struct moves *v = calloc(1, sizeof(*v));

	if (v == NULL || (v->by_id = map_new()) == NULL ||
	    (v->arena = arena_new(256u << 10, 0)) == NULL) {
		moves_free(v);
		return NULL;
	}
	return v;
}

/* moves_free - NULL is allowed */
void
moves_free(struct moves *v)
{
	struct waiting *p;

	if (v == NULL)
		return;
	while ((p = v->first) != NULL) {
		v->first = p->next;
		free(p);
	}
	map_free(v->by_id);
	arena_free(v->arena);
	free(v);
}

/* domain_of - that of a row */
static struct slice
domain_of(const struct waiting *p)
{
	return (struct slice){ p->id + PROGRESS_KEY, p->length -
		PROGRESS_KEY };
}

/* --- what waits ----------------------------------------------------------- */

/* waiting_of - made when it is new; NULL: too many, or no memory */
static struct waiting *
waiting_of(struct moves *v, const struct charge *c, struct slice domain,
    uint64_t seq)
{
	char id[PROGRESS_KEY + 255];
	size_t length = PROGRESS_KEY + (domain.n < 255 ? domain.n : 255);
	struct waiting *p;

	memcpy(id, c->key, PROGRESS_KEY);
	if (domain.n > 0)
		memcpy(id + PROGRESS_KEY, domain.p, length - PROGRESS_KEY);
	p = map_get(v->by_id, (struct slice){ id, length });
	if (p != NULL && p->window == c->window)
		return p;
	if (p == NULL) {
		if (v->n >= WAITING || (p = calloc(1, sizeof(*p) +
		    length)) == NULL)
			return NULL;
		memcpy(p->id, id, length);
		p->length = length;
		if (map_set(v->by_id, (struct slice){ p->id, length },
		    p) == -1) {
			free(p);
			return NULL;
		}
		p->next = v->first;
		v->first = p;
		v->n++;
	}
	memcpy(p->key, c->key, PROGRESS_KEY);
	p->window = c->window;
	p->end = c->window_end;
	p->seq = seq;
	p->n = 0;
	return p;
}

/* count - recipients of one event whose provider is not known */
static void
count(struct moves *v, const struct event *e, const struct charge *c)
{
	int sign = e->kind == EVENT_VOID ? -1 : 1;
	struct waiting *p;

	for (size_t i = 0; i < e->nrecipients; i++) {
		const struct event_recipient *r = &e->recipients[i];

		if (r->local || (r->verdict != VERDICT_PASS &&
		    r->verdict != VERDICT_HOLD) || !slice_is(r->provider,
		    provider_name(PROVIDER_UNRESOLVED)))
			continue;
		if ((p = waiting_of(v, c, r->domain, e->seq)) != NULL) {
			p->n += sign;
			continue;
		}
		if (!v->full)
			log_warn("warmups: more than %d domains wait for their "
			    "providers; the rest is not counted there",
			    WAITING);
		v->full = true;
	}
}

/* moved_before - by an earlier life of the gate */
static void
moved_before(struct moves *v, const struct event *e)
{
	struct charge day = { .window = 0 };
	struct waiting *p;

	if (e->ncharges == 0 || e->nrecipients != 1 ||
	    !subject_unhex(e->matched, day.key))
		return;
	day.window = e->charges[0].window;
	day.window_end = e->charges[0].window_end;
	p = waiting_of(v, &day, e->recipients[0].domain, e->seq);
	if (p != NULL)
		p->n -= e->charges[0].amount;
}

/* is_day - a charge of a day that is not over */
static bool
is_day(const struct charge *c, int64_t now)
{
	return slice_is(c->name, FATE_CHARGE) && c->amount > 0 &&
	    c->window <= now && now < c->window_end;
}

/* one - event */
static int
one(struct moves *v, struct slice encoded, int64_t now, struct why *why)
{
	struct charge *charges;
	enum event_kind kind;
	uint64_t seq, voids;
	struct event e;
	int64_t time;
	bool any = false;
	size_t n;

	if (event_charges(encoded, &seq, &time, &kind, &voids, &charges, &n,
	    v->arena, why) == -1)
		return why_in(why, "an event of the gate");
	v->seq = seq + 1;
	for (size_t i = 0; i < n; i++)
		any = any || is_day(&charges[i], now);
	if (kind == EVENT_WARMUP ? n == 0 : !any)
		return 0;
	if (event_decode(encoded, &e, v->arena, why) == -1)
		return why_in(why, "event %" PRIu64, seq);
	if (kind == EVENT_WARMUP)
		moved_before(v, &e);
	for (size_t i = 0; kind != EVENT_WARMUP && i < e.ncharges; i++)
		if (is_day(&e.charges[i], now))
			count(v, &e, &e.charges[i]);
	return 0;
}

/* follow - the events that came */
static int
follow(struct warmer *w, struct moves *v, int64_t now, struct why *why)
{
	struct slice encoded[BATCH];
	size_t got = BATCH;

	/* no day is longer than that, in any zone */
	if (v->seq == 0 && store_seq_at(w->gate->store, now -
	    26 * CLOCK_HOUR, &v->seq, why) == -1)
		return -1;
	while (got == BATCH && !warmer_stopping(w)) {
		arena_reset(v->arena);
		if (store_read(w->gate->store, v->seq, BATCH, v->arena,
		    encoded, &got, why) == -1)
			return -1;
		for (size_t i = 0; i < got; i++)
			if (one(v, encoded[i], now, why) == -1)
				return -1;
	}
	return 0;
}

/* --- to their provider ---------------------------------------------------- */

/* charged - fetch: what it costs at that provider, and its event */
static int
charged(struct warmer *w, const struct policy *p, const struct waiting *x,
    unsigned provider, struct charge c[SUBJECT_SHARES], struct event *e,
    struct why *why)
{
	struct arena *arena = w->moves->arena;
	struct event_recipient *r = arena_alloc(arena, sizeof(*r));
	char hex[SUBJECT_HEX + 1];
	struct subject s;
	size_t n;
	int found = store_event(w->gate->store, x->seq, arena, e, why);

	if (found != 1)
		return found;
	found = subject_of_event(p, e, x->key, arena, &s, why);
	if (found != 1)
		return found;
	n = subject_shares(p, &s, provider, x->n, x->window, c);
	if (n == 0)
		return 0;
	subject_hex(x->key, hex);
	*e = (struct event){ .kind = EVENT_WARMUP, .time = clock_now(),
		.instance = e->instance, .tenant = s.tenant, .pool = e->pool,
		.address = e->address, .limit = c->name, .count = 1,
		.matched = arena_copy(arena, slice_of(hex)),
		.charges = c, .ncharges = n, .recipients = r,
		.nrecipients = 1 };
	e->text = slice_of(arena_printf(arena, "move n=%" PRId64
	    " provider=%s domain=%.*s", x->n, provider_name(provider),
	    SLICE_ARG(domain_of(x))));
	if (r == NULL || e->matched.p == NULL || e->text.p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	r->domain = domain_of(x);
	r->provider = slice_of(provider_name(provider));
	memcpy(e->policy_hash, p->hash, sizeof(e->policy_hash));
	return 1;
}

/* move - one domain's */
static int
move(struct warmer *w, const struct policy *p, struct waiting *x,
    unsigned provider, struct why *why)
{
	struct charge c[SUBJECT_SHARES];
	struct event e;
	struct writer_warm out = { .events = &e, .nevents = 1 };
	int got;

	arena_reset(w->moves->arena);
	if ((got = charged(w, p, x, provider, c, &e, why)) == -1)
		return -1;
	if (got == 1 && writer_warm(w->gate->writer, &out, why) == -1)
		return -1;
	if (got == 1)
		log_debug("warmup: %.*s", SLICE_ARG(e.text));
	x->n = 0;
	return 0;
}

/* ask - for all that wait; those of a day that is over go */
static int
ask(struct warmer *w, struct moves *v, const struct policy *p, int64_t now,
    struct why *why)
{
	struct waiting **at = &v->first, *x;
	const struct happened *h = w->gate->happened;
	unsigned provider;

	while ((x = *at) != NULL) {
		if (x->end <= now) {
			*at = x->next;
			(void)map_remove(v->by_id, (struct slice){ x->id,
			    x->length });
			free(x);
			v->n--;
			v->full = false;
			continue;
		}
		at = &x->next;
		if (x->n <= 0 || h == NULL || (provider = h->provider(h->with,
		    domain_of(x))) == PROVIDER_UNRESOLVED)
			continue;
		if (move(w, p, x, provider, why) == -1)
			return -1;
	}
	return 0;
}

/* moves_look - what came, and now and then what is known by now */
int
moves_look(struct warmer *w, const struct policy *p, struct why *why)
{
	struct moves *v = w->moves;
	int64_t now = clock_now(), mono = clock_mono();

	if (w->nzones == 0)
		return 0;
	if (follow(w, v, now, why) == -1)
		return -1;
	if (v->asked != 0 && mono - v->asked < w->every)
		return 0;
	v->asked = mono;
	return ask(w, v, p, now, why);
}
