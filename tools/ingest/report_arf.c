/*
 * report_arf - a complaint becomes outcomes.
 *
 * A complaint about a message with one recipient is his, named or not; one
 * about a message with several needs a name, and counts once for him, whoever
 * of them wrote it (attribute.c).  abuse, fraud, virus and other are
 * complaints; not-spam and opt-out are what they say; auth-failure is a report
 * about our signatures and ends in the quarantine, where people see it.
 */
#include <stdio.h>

#include "lib/provider.h"
#include "tools/ingest/arf.h"
#include "tools/ingest/fields.h"
#include "tools/ingest/reports_in.h"

/* kind_of - as an outcome; -1: none */
static int
kind_of(enum arf_type type)
{
	switch (type) {
	case ARF_ABUSE:
	case ARF_FRAUD:
	case ARF_VIRUS:
	case ARF_OTHER:
		return OUTCOME_COMPLAINT;
	case ARF_NOT_SPAM:
		return OUTCOME_NOT_SPAM;
	case ARF_OPT_OUT:
		return OUTCOME_OPT_OUT;
	case ARF_AUTH_FAILURE:
	case ARF_UNKNOWN:
		break;
	}
	return -1;
}

/* record - proven by an event */
static int
record(struct job *j, const struct arf *a, enum outcome_kind kind,
    const struct proof *p, struct why *why)
{
	const struct event *e = &p->event;
	struct outcome x = { .time = j->now, .kind = kind,
	    .source = OUTCOME_ARF, .event = e->seq, .delay = -1,
	    .instance = e->instance, .queue_id = e->queue_id,
	    .tenant = e->tenant, .group = e->group, .stream = e->stream,
	    .campaign = e->campaign, .pool = e->pool, .address = e->address,
	    .recipient = p->recipient->address,
	    .domain = p->recipient->domain,
	    .provider = p->recipient->provider,
	    .category = slice_of(arf_type_names[a->type]),
	    .action = SLICE(""), .rule = SLICE(""),
	    .reply = slice_cut(a->agent, OUTCOME_TEXT),
	    .relay = slice_cut(a->reporter, OUTCOME_TEXT) };

	return outcomes_add(j->r->with.outcomes, &x, why);
}

/* by_token - proven, without an event: only what it means for the address */
static int
by_token(struct job *j, enum outcome_kind kind, const struct proof *p,
    struct why *why)
{
	if (kind == OUTCOME_NOT_SPAM)
		return 0;
	return outcomes_suppress(j->r->with.outcomes, p->token.tenant,
	    p->token.recipient, kind == OUTCOME_OPT_OUT ?
	    SUPPRESS_UNSUBSCRIBE : SUPPRESS_COMPLAINT, "arf", j->now, 0,
	    SLICE(""), why);
}

/* one - claim: about that recipient, or about whoever it was */
static int
one(struct job *j, const struct arf *a, enum outcome_kind kind,
    struct slice recipient, struct why *why)
{
	struct claim claim = { .returned = a->returned,
	    .recipient = recipient, .path = a->mail_from,
	    .feedback_id = a->feedback_id };
	struct attribute_by by;
	struct proof p;
	int got;

	report_by(j, &by);
	if ((got = attribute(&by, &claim, j->arena, &p, why)) == -1)
		return -1;
	if (got == 0) {
		j->unproven++;
		return outcomes_count(j->r->with.outcomes, "mail unproven", 1,
		    why);
	}
	got = p.by == PROOF_TOKEN ? by_token(j, kind, &p, why) :
	    record(j, a, kind, &p, why);
	if (got == -1)
		return -1;
	j->recorded += got == 1;
	j->known += got == 0;
	return 0;
}

/* report_arf - all recipients of a complaint */
int
report_arf(struct job *j, struct why *why)
{
	struct arf a;
	int got = arf_read(&j->mail, j->arena, &a, why), kind;

	if (got == -1)
		return -1;
	if (got == 0 || a.type == ARF_UNKNOWN)
		return report_strange(j, "a complaint of a kind that is not "
		    "known", why);
	if ((kind = kind_of(a.type)) == -1) {
		snprintf(j->answer, sizeof(j->answer), "arf: %s, kept for "
		    "people", arf_type_names[a.type]);
		return report_keep(j, "arf", "a report about a signature or "
		    "SPF that failed (auth-failure)", why);
	}
	if (a.nrecipients == 0 && one(j, &a, (enum outcome_kind)kind,
	    SLICE_NONE, why) == -1)
		return -1;
	for (size_t i = 0; i < a.nrecipients; i++)
		if (one(j, &a, (enum outcome_kind)kind, a.recipients[i],
		    why) == -1)
			return -1;
	snprintf(j->answer, sizeof(j->answer), "arf: %s, %u recorded, "
	    "%u known, %u unproven", arf_type_names[a.type], j->recorded,
	    j->known, j->unproven);
	if (j->unproven > 0)
		return report_keep(j, "arf", "unproven: no message of ours to "
		    "that recipient was found", why);
	return 0;
}
