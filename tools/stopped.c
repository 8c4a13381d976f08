/*
 * stopped - see stopped.h.
 */
#include "tools/stopped.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/keyword.h"
#include "lib/text.h"
#include "reputation/outcome.h"

struct walk {
	struct live	*live;
	struct slice	 tenant;	/* p NULL: all */
	void		(*trip)(void *, const struct trip *);
	void		(*backoff)(void *, const struct stopped_backoff *);
	void		*with;
};

/* strange - a row that nobody can read */
static bool
strange(void)
{
	fprintf(stderr, "penstock: a row of outcomes/ cannot be read; penstock "
	    "store verify tells more\n");
	return true;
}

/* tenant_of - by its name, or what auto_tenant makes */
static const struct tenant *
tenant_of(const struct live *live, struct slice name)
{
	const struct policy *p = live->policy;
	const struct tenant *t = p != NULL ? policy_tenant(p, name) : NULL;

	return t == NULL && p != NULL ? p->automatic : t;
}

/* each_trip - one that nobody lifted */
static bool
each_trip(void *with, struct slice key, struct slice value)
{
	struct walk *w = with;
	struct trip t;
	struct why why;

	if (key.n != TRIP_KEY || trip_decode(value, &t, &why) == -1)
		return strange();
	if (t.time != 0 && t.time > orders_lifted(w->live->orders,
	    hash_id("tenant", t.tenant), t.breaker) &&
	    (w->tenant.p == NULL || slice_eq(w->tenant, t.tenant)))
		w->trip(w->with, &t);
	return true;
}

/* policy_of - what the tenant's streams say of back-off; the longest bound */
static const char *
policy_of(const struct tenant *t, int64_t *most)
{
	const char *said;

	*most = 0;
	if (t == NULL)
		return "none: there is no such tenant";
	said = heed_names[t->streams[0]->backoff];
	for (size_t i = 0; i < t->nstreams; i++) {
		if (t->streams[i]->backoff != t->streams[0]->backoff)
			said = "by stream";
		if (t->streams[i]->backoff_max > *most)
			*most = t->streams[i]->backoff_max;
	}
	return said;
}

/* each_backoff - the entries of a row that are in force */
static bool
each_backoff(void *with, struct slice key, struct slice value)
{
	struct walk *w = with;
	const struct policy *p = w->live->policy;
	struct stopped_backoff s = { .policy = "by tenant", .zone = p != NULL ?
	    p->zone : zone_utc() };
	struct backoff_when when = { .now = w->live->now, .most = CLOCK_DAY };
	const struct tenant *t;
	struct backoff_row row;
	struct why why;

	if (key.n != BACKOFF_KEY || backoff_decode(value, &row, &why) == -1)
		return strange();
	if (w->tenant.p != NULL &&
	    (row.address || !slice_eq(row.whose, w->tenant)))
		return true;
	if (!row.address) {
		t = tenant_of(w->live, row.whose);
		s.policy = policy_of(t, &when.most);
		if (t == NULL)
			when.most = CLOCK_DAY;
		else if (t->zone != NULL)
			s.zone = t->zone;
	}
	when.lifted = orders_backoff_lifted(w->live->orders,
	    hash_id("tenant", row.whose), row.address ? row.whose :
	    SLICE_NONE, row.to);
	s.row = &row;
	for (size_t i = 0; i < row.n; i++) {
		s.entry = &row.entries[i];
		if (backoff_holds(s.entry, &when, &s.until))
			w->backoff(w->with, &s);
	}
	return true;
}

/* walk - a table of outcomes/, if there is one */
static int
walk(struct walk *w, enum outcomes_table table,
    bool (*each)(void *, struct slice, struct slice), struct why *why)
{
	char *dir = xasprintf("%s/outcomes", w->live->config->store);
	struct outcomes *o = NULL;
	int got = outcomes_open_read(&o, dir, why);

	if (got == 1)
		got = outcomes_each(o, table, SLICE_NONE, each, w, why);
	outcomes_close(o);
	free(dir);
	return got == -1 ? -1 : 0;
}

/* stopped_breakers - that tripped and that nobody lifted */
int
stopped_breakers(struct live *live, struct slice tenant,
    void (*each)(void *, const struct trip *), void *with, struct why *why)
{
	struct walk w = { .live = live, .tenant = tenant, .trip = each,
		.with = with };

	return walk(&w, OUTCOMES_BREAKERS, each_trip, why);
}

/* stopped_backoffs - in force */
int
stopped_backoffs(struct live *live, struct slice tenant,
    void (*each)(void *, const struct stopped_backoff *), void *with,
    struct why *why)
{
	struct walk w = { .live = live, .tenant = tenant, .backoff = each,
		.with = with };

	return walk(&w, OUTCOMES_BACKOFF, each_backoff, why);
}

/* stopped_action - as the policy of now has it */
const char *
stopped_action(const struct live *live, const struct trip *t)
{
	const struct tenant *tenant = tenant_of(live, t->tenant);
	const struct stream *s = NULL;

	if (tenant == NULL)
		return "none: there is no such tenant";
	if (t->stream.n == 0 ||
	    (s = policy_stream(tenant, t->stream)) == NULL)
		s = policy_default(tenant);
	for (size_t i = 0; i < s->nbreakers; i++)
		if (!s->breakers[i]->off &&
		    slice_eq(s->breakers[i]->name, t->breaker))
			return breaker_action_names[s->breakers[i]->action];
	return "none: the policy has no such breaker";
}

/* stopped_pace - of what slow lets through */
const char *
stopped_pace(struct arena *arena, const struct backoff_entry *e)
{
	const char *unit = e->period == CLOCK_SECOND ? "second" :
	    e->period == CLOCK_MINUTE ? "minute" : e->period == CLOCK_HOUR ?
	    "hour" : e->period == CLOCK_DAY ? "day" : NULL;
	const char *text = unit != NULL ? arena_printf(arena, "%lld/%s",
	    (long long)e->rate, unit) : arena_printf(arena, "%lld in %lld s",
	    (long long)e->rate, (long long)(e->period / CLOCK_SECOND));

	return text != NULL ? text : "?";
}

/* stopped_cell - foreign text, or "-" */
void
stopped_cell(struct table *table, struct slice s)
{
	struct quoted q;

	if (s.n == 0)
		table_cell(table, "-");
	else if (keyword_is_name(s))
		table_cell(table, "%.*s", SLICE_ARG(s));
	else
		table_cell(table, "%s", text_quote(s, &q));
}
