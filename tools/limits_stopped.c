/*
 * limits_stopped - below the limits of `penstock limits`: which providers want
 * less of whose mail and until when, and which breakers tripped.
 */
#include "lib/clock.h"
#include "lib/text.h"
#include "tools/limits.h"
#include "tools/stopped.h"

struct said {
	struct live	*live;
	struct buf	*b;
	bool		 json;
	size_t		 n;
};

/* backoff_json - one object */
static void
backoff_json(struct said *said, const struct stopped_backoff *s)
{
	const struct backoff_entry *e = s->entry;
	struct buf *b = said->b;

	buf_str(b, said->n > 0 ? ",{" : "{");
	buf_json_member(b, s->row->address ? "address" : "tenant",
	    s->row->whose);
	buf_json_member(b, "to", s->row->to);
	buf_json_member(b, "rule", e->rule);
	buf_json_member(b, "place", e->place);
	buf_json_member(b, "action", slice_of(backoff_action_names[e->action]));
	if (e->action == BACKOFF_SLOW)
		buf_json_member(b, "rate", slice_of(stopped_pace(
		    said->live->arena, e)));
	buf_json_member(b, "policy", slice_of(s->policy));
	buf_printf(b, "\"until\":%lld,\"answers\":%llu}",
	    (long long)s->until, (unsigned long long)e->hits);
}

/* backoff - one that is in force */
static void
backoff(void *with, const struct stopped_backoff *s)
{
	const struct backoff_entry *e = s->entry;
	struct said *said = with;
	char until[128];
	struct quoted q;

	if (said->json)
		backoff_json(said, s);
	else {
		buf_printf(said->b, "back-off: %s %s", s->row->address ?
		    "address" : "tenant", text_quote(s->row->whose, &q));
		buf_printf(said->b, " to %s: %s%s%s until %s (policy: %s)\n",
		    text_quote(s->row->to, &q),
		    backoff_action_names[e->action], e->action ==
		    BACKOFF_SLOW ? " " : "", e->action == BACKOFF_SLOW ?
		    stopped_pace(said->live->arena, e) : "",
		    zone_print(s->zone, s->until + (CLOCK_MINUTE - 1), until,
		    sizeof(until)), s->policy);
		buf_printf(said->b, "    rule %.*s (%.*s): %llu answers, the "
		    "last %s\n", SLICE_ARG(e->rule), SLICE_ARG(e->place),
		    (unsigned long long)e->hits, text_quote(e->reply, &q));
	}
	said->n++;
}

/* trip_json - one object */
static void
trip_json(struct said *said, const struct trip *t)
{
	struct buf *b = said->b;

	buf_str(b, said->n > 0 ? ",{" : "{");
	buf_json_member(b, "tenant", t->tenant);
	buf_json_member(b, "breaker", t->breaker);
	buf_json_member(b, "stream", t->stream);
	buf_json_member(b, "login", t->login);
	buf_json_member(b, "when", t->when);
	buf_json_member(b, "action", slice_of(stopped_action(said->live, t)));
	buf_printf(b, "\"time\":%lld,\"bad\":%llu,\"all\":%llu}",
	    (long long)t->time, (unsigned long long)t->bad,
	    (unsigned long long)t->all);
}

/* breaker - one that tripped */
static void
breaker(void *with, const struct trip *t)
{
	const struct policy *p;
	struct said *said = with;
	char since[128];
	struct quoted q;

	p = said->live->policy;
	if (said->json)
		trip_json(said, t);
	else {
		buf_printf(said->b, "breaker %.*s: tenant %s",
		    SLICE_ARG(t->breaker), text_quote(t->tenant, &q));
		if (t->stream.n > 0)
			buf_printf(said->b, ", stream %s",
			    text_quote(t->stream, &q));
		if (t->login.n > 0)
			buf_printf(said->b, ", login %s",
			    text_quote(t->login, &q));
		buf_printf(said->b, ": %s until penstock breaker lift\n"
		    "    tripped at %s: %llu of %llu recipients %.*s\n",
		    stopped_action(said->live, t), zone_print(p != NULL ?
		    p->zone : zone_utc(), t->time, since, sizeof(since)),
		    (unsigned long long)t->bad, (unsigned long long)t->all,
		    SLICE_ARG(t->when));
	}
	said->n++;
}

/* limits_stopped - both */
void
limits_stopped(struct live *live, struct slice tenant, bool json,
    struct buf *b)
{
	struct said said = { .live = live, .b = b, .json = json };
	struct why why;

	buf_str(b, json ? "\"backoffs\":[" : "");
	if (stopped_backoffs(live, tenant, backoff, &said, &why) == -1)
		fprintf(stderr, "penstock: %s; back-offs are not shown\n",
		    why.text);
	said.n = 0;
	buf_str(b, json ? "],\"breakers\":[" : "");
	if (stopped_breakers(live, tenant, breaker, &said, &why) == -1)
		fprintf(stderr, "penstock: %s; breakers are not shown\n",
		    why.text);
	buf_str(b, json ? "]" : "");
}
