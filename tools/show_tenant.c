/*
 * show_tenant - what holds for one tenant: its names, and its streams in the
 * order in which mail is tried, each with all that binds it.
 *
 * A stream is merged from file, group, class, tenant and its own block before
 * it comes here; the place of each value says which of them won.
 */
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/date.h"
#include "policy/match.h"
#include "policy/warmup.h"
#include "tools/show.h"

#define NOWHERE	((struct place){ NULL, 0, 0 })

/* show_duration - in the greatest unit that leaves nothing over */
const char *
show_duration(struct show *s, int64_t us)
{
	static const struct {
		int64_t		 us;
		const char	*one, *many;
	} units[] = {
		{ CLOCK_DAY, "day", "days" },
		{ CLOCK_HOUR, "hour", "hours" },
		{ CLOCK_MINUTE, "minute", "minutes" },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (us != 0 && us % units[i].us == 0)
			return arena_printf(s->arena, "%lld %s",
			    (long long)(us / units[i].us), us == units[i].us ?
			    units[i].one : units[i].many);
	return arena_printf(s->arena, "%lld seconds",
	    (long long)(us / CLOCK_SECOND));
}

/* show_shadow - the parts */
const char *
show_shadow(struct show *s, unsigned shadow)
{
	const char *all = NULL;

	if ((shadow & SHADOW_ALL) == SHADOW_ALL)
		return "all parts";
	for (unsigned i = 0; shadow_names[i] != NULL; i++)
		if ((shadow >> i & 1) != 0)
			all = all == NULL ? shadow_names[i] : arena_printf(
			    s->arena, "%s, %s", all, shadow_names[i]);
	return all != NULL ? all : "nothing";
}

/* date_text - "2026-11-01" */
static const char *
date_text(struct show *s, int64_t date)
{
	int64_t year;
	int month, day;

	date_of(date, &year, &month, &day);
	return arena_printf(s->arena, "%04d-%02d-%02d", (int)year, month,
	    day);
}

/* show_warmup - all the limits that it is made of, at once */
static void
show_warmup(struct show *s, const struct limit *l,
    const struct stream *stream)
{
	const struct warmup *w = l->warmup;
	const struct schedule *k = w->schedule;

	show_block(s, "warmup", k->name, l->at);
	show_number(s, "days", k->n, k->at);
	show_number(s, "first", schedule_number(k, 1), k->at);
	show_number(s, "last", schedule_number(k, k->n), k->at);
	if (w->first_mail)
		show_value(s, "started", "first-mail", w->started_at);
	else
		show_value(s, "started", date_text(s, w->started),
		    w->started_at);
	show_value(s, "active_hours", w->hours_text.n > 0 ?
	    w->hours_text.p : "all day", w->hours_at);
	show_value(s, "per", limit_per(l, s->arena), l->per_at);
	show_value(s, "over", over_names[limit_over(l, stream)], l->over_at);
	show_value(s, "mode", l->shadow ? "shadow" : "enforce", l->mode_at);
	show_value(s, "require_outcomes", w->require_outcomes ? "yes" : "no",
	    w->outcomes_at);
	show_value(s, "fast_track", w->fast_track ? "yes" : "no", w->fast_at);
	show_end(s);
}

/* show_limit - whatever its kind has */
void
show_limit(struct show *s, const struct limit *l, const struct stream *stream)
{
	bool throttle = l->kind == LIMIT_THROTTLE;

	if (l->warmup != NULL) {
		if (l->part == WARM_DAY)
			show_warmup(s, l, stream);
		return;
	}
	show_block(s, limit_kind_names[l->kind], l->name, l->at);
	show_text(s, throttle ? "rate" : "limit", l->text, l->amount_at);
	if (throttle)
		show_number(s, "burst", l->burst, l->burst_at);
	show_value(s, "per", limit_per(l, s->arena), l->per_at);
	show_text(s, "to", l->to_all ? SLICE("all") : l->to_text, l->to_at);
	show_value(s, "count", count_by_names[l->count], l->count_at);
	show_value(s, "over", over_names[limit_over(l, stream)], l->over_at);
	show_value(s, "mode", l->shadow ? "shadow" : "enforce", l->mode_at);
	show_add(s, (struct show_line){ SHOW_VALUE, "jitter", NULL,
	    arena_printf(s->arena, "%g", l->jitter / 1000.0), true,
	    l->jitter_at });
	show_end(s);
}

/* show_identity - a key, and why it cannot be used */
void
show_identity(struct show *s, const struct identity *id)
{
	show_block(s, "dkim", id->selector, id->at);
	show_text(s, "domain", id->domain, id->at);
	show_value(s, "key", id->key_path, id->at);
	show_value(s, "algorithm", key_algorithms[id->type], id->typed ?
	    id->at : NOWHERE);
	if (id->trouble != NULL)
		show_value(s, "trouble", id->trouble, id->at);
	show_end(s);
}

/* match - which mail is in it, and when that is known */
static void
match(struct show *s, const struct stream *stream)
{
	show_value(s, "known", stream->late ? "at EOM" : "at RCPT",
	    stream->match_at);
	for (size_t i = 0; i < stream->nlines; i++)
		show_text(s, "match", stream->lines[i].text,
		    stream->lines[i].at);
	if (stream->nlines == 0)
		show_value(s, "match", "all other mail", stream->match_at);
	if (!stream->by_header)
		return;
	show_value(s, "strip", stream->strip ? "yes" : "no",
	    stream->strip_at);
	show_set(s, "claim", stream->claim, stream->nclaim, stream->claim_at);
}

/* carried - what bulk mail of it has for those who had enough */
static void
carried(struct show *s, const struct stream *stream)
{
	bool on = stream->unsubscribe != UNSUBSCRIBE_OFF;

	if (stream->priority != PRIORITY_BULK)
		return;
	show_value(s, "unsubscribe", unsubscribe_names[stream->unsubscribe],
	    stream->unsubscribe_at);
	if (on) {
		show_text(s, "url", stream->url, stream->url_at);
		show_text(s, "mailto", stream->mailto, stream->mailto_at);
		show_value(s, "many_recipients",
		    many_names[stream->many_recipients],
		    stream->many_recipients_at);
		show_value(s, "existing", existing_names[stream->existing],
		    stream->existing_at);
		show_value(s, "list_id", stream->list_id ? "yes" : "no",
		    stream->list_id_at);
	}
	show_value(s, "feedback_id", feedback_names[stream->feedback_id],
	    stream->feedback_id_at);
	show_text(s, "cfbl", stream->cfbl, stream->cfbl_at);
	show_text(s, "postal_address", stream->postal_address,
	    stream->postal_address_at);
	if (stream->postal_address.n > 0)
		show_value(s, "postal", postal_names[stream->postal],
		    stream->postal_at);
}

/* values - the settings of a stream */
static void
values(struct show *s, const struct stream *stream)
{
	show_text(s, "campaign", stream->campaign, stream->campaign_at);
	show_value(s, "priority", priority_names[stream->priority],
	    stream->priority_at);
	show_value(s, "shadow", show_shadow(s, stream->shadow),
	    stream->shadow_at);
	show_value(s, "paused", stream->paused, stream->paused_at);
	if (stream->max_recipients > 0)
		show_number(s, "max_recipients", stream->max_recipients,
		    stream->max_recipients_at);
	else
		show_value(s, "max_recipients", NULL,
		    stream->max_recipients_at);
	if (stream->nroutes > 0)
		show_number(s, "fair_weight", stream->fair_weight,
		    stream->fair_weight_at);
	show_value(s, "partial", partial_names[stream->partial],
	    stream->partial_at);
	show_value(s, "return_path", return_path_names[stream->return_path],
	    stream->return_path_at);
	carried(s, stream);
	show_value(s, "hold_max", show_duration(s, stream->hold_max),
	    stream->hold_max_at);
	show_value(s, "suppressed", suppressed_names[stream->suppressed],
	    stream->suppressed_at);
	show_value(s, "complaint_scope",
	    complaint_scope_names[stream->complaint_scope],
	    stream->complaint_scope_at);
	show_value(s, "backoff", heed_names[stream->backoff],
	    stream->backoff_at);
	show_value(s, "backoff_max", show_duration(s, stream->backoff_max),
	    stream->backoff_max_at);
	show_value(s, "then", over_names[stream->then], stream->then_at);
}

/* breakers - what stops it, and when */
static void
breakers(struct show *s, const struct stream *stream)
{
	for (size_t i = 0; i < stream->nbreakers; i++) {
		const struct breaker *k = stream->breakers[i];
		struct limit per = { .per = k->per };

		if (k->off)
			continue;
		show_block(s, "breaker", k->name, k->at);
		show_value(s, "when", breaker_when_names[k->when], k->at);
		show_text(s, "rate", k->rate_text, k->at);
		show_number(s, "least", k->least, k->at);
		show_value(s, "window", show_duration(s, k->window), k->at);
		show_value(s, "per", limit_per(&per, s->arena), k->at);
		show_value(s, "action", breaker_action_names[k->action],
		    k->at);
		if (k->action == BREAKER_SLOW)
			show_text(s, "slow", k->slow.text, k->at);
		show_end(s);
	}
}

/* routes - the pools its mail leaves by */
static void
routes(struct show *s, const struct stream *stream)
{
	for (size_t i = 0; i < stream->nroutes; i++) {
		show_block(s, "pool", stream->routes[i].pool->name,
		    stream->routes[i].at);
		show_number(s, "weight", stream->routes[i].weight,
		    stream->routes[i].at);
		show_end(s);
	}
}

/* show_stream - one of them, whole */
static void
show_stream(struct show *s, const struct stream *stream)
{
	show_block(s, "stream", stream->name, stream->at);
	match(s, stream);
	values(s, stream);
	for (size_t i = 0; i < stream->nlimits; i++)
		show_limit(s, stream->limits[i], stream);
	breakers(s, stream);
	routes(s, stream);
	for (size_t i = 0; i < stream->nidentities; i++)
		show_identity(s, &stream->identities[i]);
	show_end(s);
}

/* add_name - one login, client or domain */
static void
add_name(void *with, const char *word, struct slice t, struct place at)
{
	show_text(with, word, t, at);
}

/* by_place - as they stand in the file */
static int
by_place(const void *va, const void *vb)
{
	const struct show_line *a = va, *b = vb;

	if (a->at.line != b->at.line)
		return a->at.line < b->at.line ? -1 : 1;
	return a->at.col < b->at.col ? -1 : a->at.col > b->at.col;
}

/* paused - by its own line, or by its group's */
static void
paused(struct show *s, const struct tenant *t)
{
	if (t->paused != NULL || t->group == NULL)
		show_value(s, "paused", t->paused, t->paused_at);
	else
		show_value(s, "paused", t->group->paused,
		    t->group->paused_at);
}

/* show_tenant - everything that holds for it */
void
show_tenant(struct show *s, const struct tenant *t, const struct stream *only)
{
	size_t from;

	show_block(s, "tenant", t->name, t->at);
	show_value(s, "form", t->automatic ? "made by auto_tenant" :
	    form_names[t->form], t->at);
	show_text(s, "class", t->class, t->class_at);
	show_text(s, "group", t->group != NULL ? t->group->name : SLICE_NONE,
	    t->group_at);
	show_text(s, "contact", t->contact, t->contact_at);
	if (t->value_at.file != NULL)
		show_number(s, "value", t->value, t->value_at);
	paused(s, t);
	show_value(s, "timezone", t->zone != NULL ? zone_name(t->zone) : NULL,
	    t->zone_at);
	if (t->automatic)
		show_set(s, "domains", t->domains, t->ndomains, t->at);
	if (t->automatic)
		show_text(s, "bounce_domain", t->bounce_domain,
		    t->bounce_domain_at);
	from = s->n;
	if (!t->automatic)
		policy_names(s->policy, t, add_name, s);
	qsort(s->lines + from, s->n - from, sizeof(*s->lines), by_place);
	for (size_t i = 0; i < t->nstreams; i++)
		if (only == NULL || only == t->streams[i])
			show_stream(s, t->streams[i]);
	show_end(s);
}
