/*
 * report_rua - a DMARC report becomes totals, those of the most mail first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* by_count - the most mail first, then by the address */
static int
by_count(const void *left, const void *right)
{
	const struct rua_record *a = left, *b = right;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	if (a->source.n != b->source.n)
		return a->source.n < b->source.n ? -1 : 1;
	return a->source.n == 0 ? 0 : memcmp(a->source.p, b->source.p,
	    a->source.n);
}

/* add_all - the records; how many of them have no row of their own */
static int
add_all(struct job *j, const struct dmarc_report *report,
    const struct rua *rua, uint64_t *others, struct why *why)
{
	struct outcomes *o = j->r->with.outcomes;
	int own;

	qsort(rua->records, rua->n, sizeof(*rua->records), by_count);
	for (size_t i = 0; i < rua->n; i++) {
		if ((own = add(j, report, &rua->records[i], why)) == -1)
			return -1;
		*others += own == 0;
	}
	if (*others > 0 && outcomes_count(o, "dmarc_others", (int64_t)*others,
	    why) == -1)
		return -1;
	return rua->more == 0 ? 0 : outcomes_count(o, "dmarc_left_out",
	    (int64_t)rua->more, why);
}

/* report_rua - unpack, count once */
int
report_rua(struct job *j, struct why *why)
{
	const struct mail_part *part = sort_rua_part(&j->mail);
	struct dmarc_report report;
	struct rua rua;
	struct why reason;
	uint64_t others = 0;
	int got;

	if (part == NULL || rua_read(part->body, j->arena, &rua,
	    &reason) == -1)
		return report_strange(j, part == NULL ? "a DMARC report "
		    "without a file" : reason.text, why);
	report = (struct dmarc_report){ .org = rua.org, .id = rua.id,
	    .domain = rua.domain, .begin = rua.begin * 1000000,
	    .end = rua.end * 1000000, .came = j->now };
	got = dmarc_begin(j->r->with.outcomes, &report, &reason);
	if (got == -1)
		return report_strange(j, reason.text, why);
	if (got == 1 && add_all(j, &report, &rua, &others, why) == -1)
		return -1;
	snprintf(j->answer, sizeof(j->answer), "rua: %zu records%s%s", rua.n,
	    got == 1 ? "" : ", counted before", rua.more > 0 ?
	    ", others left out" : "");
	if (others > 0)
		snprintf(j->answer, sizeof(j->answer), "rua: %zu records, "
		    "%llu of them under \"" DMARC_OTHERS "\"", rua.n,
		    (unsigned long long)others);
	return 0;
}
