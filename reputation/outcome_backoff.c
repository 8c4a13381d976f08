/*
 * outcome_backoff - what answers mean for the mail that comes next.
 *
 * Called for what the log tells the first time, in the transaction that records
 * it: what is counted is on disk with the outcome and with the log's cursor, or
 * is not there.  A log that is read twice tells nothing the second time.
 *
 * An outcome is one recipient (deferred: once a day), so a queue that tries
 * the same mail again and again counts it once.  Counted is by the time of the
 * log, in twenty steps of the rule's window.  While a rule is in force nothing
 * counts for it; behind its end it begins anew.  So it never lasts longer than
 * it says, and mail that is let through again is the question whether the
 * provider still means it.
 *
 * Only the log counts.  A mail that reports (DSN) can be written by whoever
 * got a mail of ours, and would let him stop the sender's mail to a provider.
 */
#include "reputation/outcome_in.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "reputation/backoff.h"

enum { LIFTS = 64 };
#define FORGET	(2 * CLOCK_DAY)	/* longer than a window and a duration */

/* slice_key - as the store wants it */
static struct slice
slice_key(const uint8_t *key)
{
	return (struct slice){ (const char *)key, BACKOFF_KEY };
}

/* row_get - what is counted there; a new one when there is none, or when it
 * makes no sense */
static int
row_get(struct outcomes *o, const uint8_t key[BACKOFF_KEY],
    struct backoff_row *row, struct why *why)
{
	struct slice value, kept;
	struct why ignored;
	int got = outcomes_get(o, OUTCOMES_BACKOFF, slice_key(key), &value,
	    why);

	row->n = 0;
	if (got != 1)
		return got;
	if ((kept = arena_copy(o->arena, value)).p == NULL) {
		why_kind(why, WHY_MEMORY, "no memory for a back-off");
		return outcome_fail(o, why);
	}
	if (backoff_decode(kept, row, &ignored) == 0)
		return 1;
	row->n = 0;
	return 0;
}

/* row_put - and back, or away when nothing is left of it */
static int
row_put(struct outcomes *o, const uint8_t key[BACKOFF_KEY],
    const struct backoff_row *row, struct why *why)
{
	if (row->n == 0)
		return outcomes_delete(o, OUTCOMES_BACKOFF, slice_key(key),
		    why) == -1 ? -1 : 0;
	buf_reset(&o->buf);
	backoff_encode(row, &o->buf);
	if (buf_failed(&o->buf)) {
		why_kind(why, WHY_MEMORY, "no memory for a back-off");
		return outcome_fail(o, why);
	}
	return outcomes_put(o, OUTCOMES_BACKOFF, slice_key(key),
	    buf_slice(&o->buf), why);
}

/* over - can nothing come of that entry any more? */
static bool
over(const struct backoff_entry *e, int64_t now)
{
	return e->until <= now && e->last <= now - FORGET;
}

/* entry_of - of that rule, or a new one in the place of the one that was met
 * longest ago */
static struct backoff_entry *
entry_of(struct backoff_row *row, const struct backoff_rule *rule)
{
	struct backoff_entry *e, *oldest = &row->entries[0];

	for (size_t i = 0; i < row->n; i++) {
		e = &row->entries[i];
		if (slice_eq(e->rule, rule->name))
			return e;
		if (e->last < oldest->last)
			oldest = e;
	}
	e = row->n < BACKOFF_ENTRIES ? &row->entries[row->n++] : oldest;
	*e = (struct backoff_entry){ .rule = rule->name };
	return e;
}

/* add - one in its step; how many lie within the window then */
static uint64_t
add(struct backoff_entry *e, int64_t step, int64_t time)
{
	int64_t at = time / step;
	uint64_t sum = 0;

	if (e->step != step || at >= e->head + BACKOFF_STEPS) {
		memset(e->counts, 0, sizeof(e->counts));
		e->step = step;
		e->head = at;
	}
	if (at <= e->head - BACKOFF_STEPS)
		return 0;
	for (; e->head < at; e->head++)
		e->counts[(e->head + 1) % BACKOFF_STEPS] = 0;
	e->counts[at % BACKOFF_STEPS]++;
	for (size_t i = 0; i < BACKOFF_STEPS; i++)
		sum += e->counts[i];
	return sum;
}

/* begin - from now on, for as long as the rule says */
static void
begin(const struct backoff_row *row, struct backoff_entry *e,
    const struct backoff_rule *rule, const struct outcome *x, uint64_t hits)
{
	e->place = rule->place;
	e->action = rule->action;
	e->rate = rule->rate;
	e->period = rule->period;
	e->since = x->time;
	e->until = e->floor = x->time + rule->duration;
	e->hits = hits;
	e->window = rule->window;
	e->reply = backoff_words(x->reply);
	if (e->reply.n > BACKOFF_REPLY)
		e->reply.n = BACKOFF_REPLY;
	memset(e->counts, 0, sizeof(e->counts));
	log_warn("back-off rule %.*s (%.*s): %s %.*s to %.*s: %llu answers "
	    "that ask for less; %s for %lld s", SLICE_ARG(rule->name),
	    SLICE_ARG(rule->place), row->address ? "address" : "tenant",
	    SLICE_ARG(row->whose), SLICE_ARG(row->to),
	    (unsigned long long)hits, backoff_action_names[rule->action],
	    (long long)(rule->duration / CLOCK_SECOND));
}

/* count - an answer in one rule */
static void
count(const struct backoff_row *row, struct backoff_entry *e,
    const struct backoff_rule *rule, const struct outcome *x)
{
	int64_t step = rule->window / BACKOFF_STEPS;
	uint64_t hits;

	if (x->time <= e->floor || x->time <= 0)
		return;
	if (x->time > e->last)
		e->last = x->time;
	hits = add(e, step, x->time);
	if (hits >= (uint64_t)rule->threshold)
		begin(row, e, rule, x, hits);
}

/* index_of - a name's place in a list; 0: it has none */
static unsigned
index_of(const char *const *names, unsigned n, struct slice name)
{
	for (unsigned i = 0; i < n; i++)
		if (slice_is(name, names[i]))
			return i;
	return 0;
}

/* provider_index - of its name */
static unsigned
provider_index(struct slice name)
{
	for (unsigned i = 0; i < provider_count(); i++)
		if (slice_is(name, provider_name(i)))
			return i;
	return PROVIDER_UNRESOLVED;
}

/* outcome_backoff - what the log tells of a recipient, the first time */
int
outcome_backoff(struct outcomes *o, const struct backoffs *rules,
    const struct outcome *x, struct why *why)
{
	const struct backoff_rule *met[BACKOFF_ENTRIES];
	unsigned provider = provider_index(x->provider);
	struct backoff_row row;
	uint8_t key[BACKOFF_KEY];
	struct slice host, to;
	size_t n, kept = 0;
	bool domain;

	if (x->source != OUTCOME_LOG || (x->kind != OUTCOME_DEFERRED &&
	    x->kind != OUTCOME_BOUNCED) ||
	    (x->address.n == 0 && x->tenant.n == 0) || x->domain.n == 0)
		return 0;
	n = backoffs_match(rules, backoff_whose(x->reply, &host), provider,
	    x->domain, (enum category)index_of(category_names, CATEGORIES,
	    x->category), x->reply, met, BACKOFF_ENTRIES);
	if (n == 0)
		return 0;
	domain = backoff_to(provider, x->domain, &to);
	backoff_key(x->address.n > 0, x->address.n > 0 ? hash_id("address",
	    x->address) : hash_id("tenant", x->tenant), domain, to, key);
	if (row_get(o, key, &row, why) == -1)
		return -1;
	row.address = x->address.n > 0;
	row.whose = row.address ? x->address : x->tenant;
	row.domain = domain;
	row.to = to;
	for (size_t i = 0; i < row.n; i++)
		if (!over(&row.entries[i], x->time))
			row.entries[kept++] = row.entries[i];
	row.n = kept;
	for (size_t i = 0; i < n; i++)
		count(&row, entry_of(&row, met[i]), met[i], x);
	return row_put(o, key, &row, why);
}

/* --- what is over, and what a person lifted ------------------------------- */

/* outcome_backoff_over - no use is left in that row; nor in one without sense,
 * in whose place one would be begun anew */
bool
outcome_backoff_over(struct slice value, int64_t now)
{
	struct backoff_row row;
	struct why why;

	if (backoff_decode(value, &row, &why) == -1)
		return true;
	for (size_t i = 0; i < row.n; i++)
		if (!over(&row.entries[i], now))
			return false;
	return true;
}

/* lift_entry - does that word end it?  It does now. */
static bool
lift_entry(struct backoff_entry *e, int64_t time, bool now)
{
	bool holds = e->since > 0 && e->since <= time && e->until > time;
	bool counted = e->last <= time && e->floor < time;

	if (now && (holds || counted)) {
		e->until = holds ? time : e->until;
		e->floor = time;
		memset(e->counts, 0, sizeof(e->counts));
	}
	return holds || counted;
}

/* is_lifted - is it about that row, and news to it? */
static bool
is_lifted(const struct backoff_row *row, const struct backoff_lift *l)
{
	struct backoff_row copy = *row;
	bool some = false;

	if (row->address != l->address || !slice_eq(row->whose, l->whose) ||
	    (l->to.n > 0 && !slice_eq(row->to, l->to)))
		return false;
	for (size_t i = 0; i < copy.n; i++)
		some |= lift_entry(&copy.entries[i], l->time, false);
	return some;
}

struct gather {
	const struct backoff_lift *lift;
	uint8_t	 keys[LIFTS][BACKOFF_KEY];
	size_t	 n;
};

/* gather - keys of rows that it is about, LIFTS at most */
static bool
gather(void *with, struct slice key, struct slice value)
{
	struct backoff_row row;
	struct gather *g = with;
	struct why why;

	if (key.n == BACKOFF_KEY && backoff_decode(value, &row, &why) == 0 &&
	    is_lifted(&row, g->lift))
		memcpy(g->keys[g->n++], key.p, BACKOFF_KEY);
	return g->n < LIFTS;
}

/* rewrite - one row after a lift */
static int
rewrite(struct outcomes *o, const uint8_t key[BACKOFF_KEY],
    const struct backoff_lift *lift, struct why *why)
{
	struct backoff_row row;

	if (row_get(o, key, &row, why) == -1)
		return -1;
	for (size_t i = 0; i < row.n; i++)
		(void)lift_entry(&row.entries[i], lift->time, true);
	return row_put(o, key, &row, why);
}

/* outcomes_backoff_lift - count anew from then on, some rows a transaction */
int
outcomes_backoff_lift(struct outcomes *o, const struct backoff_lift *lift,
    struct why *why)
{
	struct gather g = { .lift = lift };

	do {
		g.n = 0;
		if (outcomes_each(o, OUTCOMES_BACKOFF, SLICE_NONE, gather, &g,
		    why) == -1)
			return -1;
		if (g.n == 0)
			return 0;
		if (outcomes_begin(o, why) == -1)
			return -1;
		for (size_t i = 0; i < g.n; i++)
			if (rewrite(o, g.keys[i], lift, why) == -1) {
				outcomes_abort(o);
				return -1;
			}
		if (outcomes_commit(o, why) == -1)
			return -1;
	} while (g.n == LIFTS);
	return 0;
}
