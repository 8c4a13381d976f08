/*
 * report_leave - one of several recipients of a message unsubscribes by mail.
 *
 * The head of such a message names an address with a token of the message,
 * since it cannot name each of them.  Who writes there with "unsubscribe" as
 * the subject, and is one of those to whom it went, is taken at his word:
 * the token proves that the sender of this mail has the message, and From says
 * which of its recipients he is.  Automatic answers have another subject.
 */
#include <stdio.h>

#include "tools/ingest/reports_in.h"

/* report_leaves - does it look like that? */
bool
report_leaves(const struct job *j)
{
	return j->kind == REPORT_NONE && token_in_path(j->recipient).n > 0 &&
	    slice_case_eq(slice_trim(j->mail.subject), SLICE("unsubscribe"));
}

/* report_leave - the outcome, if it is proven */
int
report_leave(struct job *j, struct why *why)
{
	struct claim claim = { .path = j->recipient,
	    .recipient = j->mail.from };
	struct attribute_by by;
	struct proof p;
	struct outcome x;
	int got;

	report_by(j, &by);
	if ((got = attribute(&by, &claim, j->arena, &p, why)) == -1)
		return -1;
	if (got == 0 || p.by != PROOF_PATH ||
	    !slice_case_eq(p.recipient->address, j->mail.from)) {
		snprintf(j->answer, sizeof(j->answer),
		    "unsubscribe: unproven, kept");
		return report_keep(j, "none", "unsubscribe: no message of ours "
		    "to the address in From is named", why);
	}
	x = (struct outcome){ .time = j->now, .kind = OUTCOME_OPT_OUT,
	    .source = OUTCOME_ARF, .event = p.event.seq, .delay = -1,
	    .instance = p.event.instance, .queue_id = p.event.queue_id,
	    .tenant = p.event.tenant, .group = p.event.group,
	    .stream = p.event.stream, .campaign = p.event.campaign,
	    .pool = p.event.pool, .address = p.event.address,
	    .recipient = p.recipient->address,
	    .domain = p.recipient->domain,
	    .provider = p.recipient->provider, .category = SLICE("opt-out"),
	    .action = SLICE(""), .rule = SLICE(""),
	    .reply = SLICE("unsubscribed by mail"), .relay = SLICE("") };
	if ((got = outcomes_add(j->r->with.outcomes, &x, why)) == -1)
		return -1;
	snprintf(j->answer, sizeof(j->answer), "unsubscribe: %s", got == 1 ?
	    "recorded" : "known");
	return 0;
}
