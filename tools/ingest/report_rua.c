/*
 * report_rua - a DMARC report becomes totals.
 */
#include <stdio.h>

#include "reputation/dmarc.h"
#include "tools/ingest/fields.h"
#include "tools/ingest/reports_in.h"
#include "tools/ingest/rua.h"

/* add - one record */
static int
add(struct job *j, const struct dmarc_report *report,
    const struct rua_record *r, struct why *why)
{
	bool aligned = r->dkim || r->spf;
	struct dmarc_total t = { .source = r->source,
	    .aligned = aligned ? r->count : 0,
	    .failing = aligned ? 0 : r->count,
	    .dkim = r->dkim ? r->count : 0, .spf = r->spf ? r->count : 0,
	    .quarantined = slice_is(r->disposition, "quarantine") ?
	    r->count : 0,
	    .rejected = slice_is(r->disposition, "reject") ? r->count : 0,
	    .signer = r->signer };

	return dmarc_add(j->r->with.outcomes, report, &t, why);
}

/* report_rua - unpack, count once */
int
report_rua(struct job *j, struct why *why)
{
	const struct mail_part *part = sort_rua_part(&j->mail);
	struct dmarc_report report;
	struct rua rua;
	struct why reason;
	int got;

	if (part == NULL || rua_read(part->body, j->arena, &rua,
	    &reason) == -1)
		return report_strange(j, part == NULL ? "a DMARC report "
		    "without a file" : reason.text, why);
	report = (struct dmarc_report){ .org = rua.org, .id = rua.id,
	    .domain = rua.domain, .begin = rua.begin * 1000000,
	    .end = rua.end * 1000000 };
	got = dmarc_begin(j->r->with.outcomes, &report, j->now, &reason);
	if (got == -1)
		return report_strange(j, reason.text, why);
	for (size_t i = 0; got == 1 && i < rua.n; i++)
		if (add(j, &report, &rua.records[i], why) == -1)
			return -1;
	snprintf(j->answer, sizeof(j->answer), "rua: %zu records%s%s", rua.n,
	    got == 1 ? "" : ", counted before", rua.more > 0 ?
	    ", others left out" : "");
	return 0;
}
