/*
 * replay_kept - what a record does not hold, so that another policy's answer is
 * not known: it stays what it was.
 *
 * A refusal for a header that is not recorded; one by an open limit, since what
 * was delivered is not in the events, so these do not bind in a replay; one by
 * a limit of bytes, of a message whose size was never seen.
 */
#include "tools/replay_in.h"

/* is_named - one of that name that counts bytes, or else an open one */
static bool
is_named(const struct limit *const *limits, size_t n, struct slice name,
    bool bytes)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(limits[i]->name, name) && (bytes ?
		    limits[i]->count == COUNT_BYTES :
		    limits[i]->kind == LIMIT_OPEN))
			return true;
	return false;
}

/* has_limit - does one of that name and kind bind the tenant's mail, or the
 * pools it leaves by? */
static bool
has_limit(const struct tenant *tenant, struct slice name, bool bytes)
{
	for (size_t i = 0; tenant != NULL && name.n > 0 &&
	    i < tenant->nstreams; i++) {
		const struct stream *s = tenant->streams[i];

		if (is_named(s->limits, s->nlimits, name, bytes))
			return true;
		for (size_t j = 0; j < s->nroutes; j++) {
			const struct pool *p = s->routes[j].pool;

			if (is_named(p->limits, p->nlimits, name, bytes))
				return true;
			for (size_t k = 0; k < p->naddresses; k++)
				if (is_named(p->addresses[k].limits,
				    p->addresses[k].nlimits, name, bytes))
					return true;
		}
	}
	return false;
}

/* trial_keeps - would what is not in the event still decide it? */
bool
trial_keeps(const struct event *e, const struct tenant *tenant)
{
	if (e->verdict <= VERDICT_HOLD)
		return false;
	if (has_limit(tenant, e->limit, false))
		return true;		/* what is delivered is not in it */
	/* A message whose size is not known, or one recipient too many of one
	 * whose end is not recorded. */
	if (e->stage < STAGE_MESSAGE && has_limit(tenant, e->limit, true))
		return true;
	if (e->stage == STAGE_RCPT && e->tenant.n > 0)
		return e->limit.n == 0 && e->verdict == VERDICT_DEFER;
	return e->stage == STAGE_HEADERS && e->limit.n == 0 &&
	    (e->nfrom_domains == 0 || (e->tenant.n > 0 &&
	    !slice_starts(e->reply, SLICE("From:"))));
}

/* trial_unknowable - turned away by a limit whose count is not in the events */
bool
trial_unknowable(const struct trial *t, const struct tenant *tenant, size_t i)
{
	const struct replay_attempt *a = &t->attempts[i];

	return has_limit(tenant, a->was_limit, false) ||
	    (a->was > VERDICT_HOLD && t->e->verdict > VERDICT_HOLD &&
	    t->e->stage < STAGE_MESSAGE &&
	    has_limit(tenant, a->was_limit, true));
}
