/*
 * report_dsn - a bounce becomes outcomes.
 *
 * Delays and successes are in the log already and are only counted.  A failure
 * that is proven is one outcome; the store knows whether it heard of it from
 * the log before.  With a token alone there is no event to tell the tenant's
 * name, so nothing is recorded, but a hard bounce suppresses.
 */
#include <stdio.h>

#include "lib/provider.h"
#include "tools/ingest/dsn.h"
#include "tools/ingest/fields.h"
#include "tools/ingest/reports_in.h"

/* reply_of - the words of the other server, with the status when they have
 * none */
static struct slice
reply_of(const struct dsn_recipient *r, struct arena *arena)
{
	char *text;

	if (r->status.n == 0 || dsn_has_code(r->diagnostic))
		return r->diagnostic;
	text = arena_printf(arena, "%.*s %.*s", SLICE_ARG(r->status),
	    SLICE_ARG(r->diagnostic));
	return text != NULL ? slice_trim(slice_of(text)) : r->diagnostic;
}

/* record - a proven failure */
static int
record(struct job *j, const struct proof *p, const struct dsn_recipient *r,
    struct why *why)
{
	const struct classifier *c = *j->r->with.classifier;
	const struct event *e = &p->event;
	struct outcome x = { .time = j->now, .kind = OUTCOME_BOUNCED,
	    .source = OUTCOME_DSN, .event = e->seq, .delay = -1,
	    .instance = e->instance, .queue_id = e->queue_id,
	    .tenant = e->tenant, .group = e->group, .stream = e->stream,
	    .campaign = e->campaign, .pool = e->pool, .address = e->address,
	    .recipient = p->recipient->address,
	    .domain = p->recipient->domain,
	    .provider = p->recipient->provider, .code = r->status,
	    .reply = reply_of(r, j->arena),
	    .relay = r->remote };
	struct finding f;
	int got;

	classify(c, PROVIDER_UNRESOLVED, x.domain, x.reply, &f);
	x.reply = slice_cut(x.reply, OUTCOME_REPLY);
	x.category = slice_of(category_names[f.category]);
	x.action = slice_of(action_names[f.action]);
	x.rule = f.rule;
	if (f.category == CATEGORY_NETWORK_EXPIRED &&
	    text_begins(r->status, "4"))
		x.kind = OUTCOME_EXPIRED;
	if ((got = outcomes_add(j->r->with.outcomes, &x, why)) == -1)
		return -1;
	j->recorded += got == 1;
	j->known += got == 0;
	return 0;
}

/* by_token - proven, without an event */
static int
by_token(struct job *j, const struct proof *p, const struct dsn_recipient *r,
    struct why *why)
{
	struct slice reply = reply_of(r, j->arena);
	const char *at = memchr(p->token.recipient.p, '@',
	    p->token.recipient.n);
	struct finding f;
	int got = 0;

	classify(*j->r->with.classifier, PROVIDER_UNRESOLVED, at != NULL ?
	    slice_from(p->token.recipient, (size_t)(at + 1 -
	    p->token.recipient.p)) : SLICE_NONE, reply, &f);
	if (f.action == ACTION_SUPPRESS_NOW)
		got = outcomes_suppress(j->r->with.outcomes, p->token.tenant,
		    p->token.recipient, SUPPRESS_HARD_BOUNCE, "dsn", j->now,
		    0, reply, why);
	if (got == -1)
		return -1;
	j->recorded += got == 1;
	j->known += got == 0;
	return 0;
}

/* one - recipient of a report */
static int
one(struct job *j, const struct dsn *d, const struct attribute_by *by,
    const struct dsn_recipient *r, struct why *why)
{
	struct claim claim = { .queue_id = d->queue_id,
	    .returned = d->returned, .recipient = r->address,
	    .original = r->original, .path = j->recipient,
	    .message_id = field_find(j->mail.head, "In-Reply-To", j->arena) };
	struct proof p;
	int got;

	if (r->action != DSN_FAILED) {
		j->other++;
		return outcomes_count(j->r->with.outcomes,
		    r->action == DSN_DELAYED ? "mail delays" :
		    "mail successes", 1, why);
	}
	if ((got = attribute(by, &claim, j->arena, &p, why)) == -1)
		return -1;
	if (got == 0) {
		j->unproven++;
		return outcomes_count(j->r->with.outcomes, "mail unproven", 1,
		    why);
	}
	return p.by == PROOF_TOKEN ? by_token(j, &p, r, why) :
	    record(j, &p, r, why);
}

/* report_dsn - all recipients of a bounce */
int
report_dsn(struct job *j, struct why *why)
{
	struct attribute_by by;
	struct dsn d;
	int got = dsn_read(&j->mail, j->sender.n == 0, j->arena, &d, why);

	if (got == -1)
		return -1;
	if (got == 0)
		return report_strange(j, "a bounce in which no recipient was "
		    "found", why);
	report_by(j, &by);
	for (size_t i = 0; i < d.n; i++)
		if (one(j, &d, &by, &d.list[i], why) == -1)
			return -1;
	snprintf(j->answer, sizeof(j->answer), "dsn: %u recorded, %u known, "
	    "%u unproven, %u delays and successes", j->recorded, j->known,
	    j->unproven, j->other);
	if (j->unproven > 0)
		return report_keep(j, "dsn", "unproven: no message of ours to "
		    "that recipient was found", why);
	return 0;
}
