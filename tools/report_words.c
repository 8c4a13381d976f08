/*
 * report_words - shares, numbers and sentences that all four voices share.
 *
 * What a share is a share of is decided here and nowhere else: complaints of
 * what was delivered where complaints are reported, since elsewhere nobody
 * would tell us; everything else of what ended.
 */
#include "tools/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/date.h"

const char *const rate_names[] = { "delivered", "bounce", "complaint",
	"block", "deferral", "unsub", NULL };

/* least - of two */
static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* rate_of - x of n */
struct share
rate_of(const uint64_t n[TALLIES], enum rate rate)
{
	struct share s = { .n = tally_ended(n) };

	switch (rate) {
	case RATE_DELIVERED:
		s.x = n[TALLY_DELIVERED];
		break;
	case RATE_BOUNCE:
		s.x = n[TALLY_HARD];
		break;
	case RATE_COMPLAINT:
		s = (struct share){ n[TALLY_COMPLAINTS], n[TALLY_FEEDBACK] };
		break;
	case RATE_BLOCK:
		s.x = n[TALLY_BLOCKED] + n[TALLY_BLOCKED_DAY];
		break;
	case RATE_DEFERRAL:
		s.x = n[TALLY_DEFERRED];
		break;
	case RATE_UNSUB:
		s = (struct share){ n[TALLY_OPT_OUT], n[TALLY_DELIVERED] };
		break;
	case RATES:
		break;
	}
	s.x = least(s.x, s.n);	/* who is still deferred did not end yet */
	return s;
}

/* share_of - as a number */
double
share_value(struct share s)
{
	return s.n > 0 ? (double)s.x / (double)s.n : 0;
}

/* number_text - with a comma for each thousand */
const char *
number_text(uint64_t n, char out[32])
{
	char plain[24];
	int len = snprintf(plain, sizeof(plain), "%" PRIu64, n), at = 0;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = plain[i];
	}
	out[at] = '\0';
	return out;
}

/* share_text - in percent; of nothing it is n/a */
const char *
share_text(struct share s, int decimals, char out[32])
{
	if (s.n == 0)
		snprintf(out, 32, "n/a");
	else
		snprintf(out, 32, "%.*f %%", decimals, 100 * share_value(s));
	return out;
}

/* report_known - of how much of what was accepted the end is known */
double
report_known(const struct report *r)
{
	uint64_t accepted = r->all.now[TALLY_ACCEPTED];
	uint64_t ended = tally_ended(r->all.now);

	return accepted == 0 ? 0 : ended >= accepted ? 1 :
	    (double)ended / (double)accepted;
}

/* report_whose - of whom */
void
report_whose(const struct report *r, struct buf *b)
{
	if (r->scope.tenant.p != NULL)
		buf_printf(b, "tenant %.*s", SLICE_ARG(r->scope.tenant));
	else if (r->scope.group.p != NULL)
		buf_printf(b, "group %.*s", SLICE_ARG(r->scope.group));
	else
		buf_str(b, "all tenants");
}

/* official_text - a provider's figure; a share in percent, as ours are */
void
official_text(const struct snapshot *s, struct buf *b)
{
	char text[32];
	size_t n = s->value.n;
	char *end = text;
	double share;

	if (s->state != SNAPSHOT_AVAILABLE && s->value.n == 0) {
		buf_str(b, snapshot_state_names[s->state]);
		return;
	}
	if (s->upper)
		buf_str(b, "< ");
	if (n > 0 && n < sizeof(text) && slice_is(s->unit, "share")) {
		memcpy(text, s->value.p, n);
		text[n] = '\0';
		share = strtod(text, &end);
		if (end == text + n && share >= 0 && share <= 1) {
			buf_printf(b, "%.4g %%", 100 * share);
			n = 0;
		}
	}
	if (n > 0) {
		buf_slices(b, s->value);
		buf_char(b, ' ');
		buf_slices(b, s->unit);
	}
	if (s->state != SNAPSHOT_AVAILABLE)
		buf_printf(b, " (%s)", snapshot_state_names[s->state]);
}

/* report_calls - how much of the month's budget is left */
void
report_calls(const struct report *r, struct buf *b)
{
	char day[16];

	if (r->ncalls == 0)
		return;
	buf_printf(b, "Calls left in %.7s:", day_text(r->period.until - 1,
	    day));
	for (size_t i = 0; i < r->ncalls; i++)
		buf_printf(b, " %s %lld of %lld,", r->calls[i].provider,
		    (long long)(r->calls[i].most - r->calls[i].made),
		    (long long)r->calls[i].most);
	buf_printf(b, " in all %lld of %lld.", (long long)(r->calls_most -
	    r->calls_made), (long long)r->calls_most);
}

/* many - "3 tenants", and what parts it from those before */
static void
many(struct buf *b, size_t n, enum subject_kind kind, size_t *told,
    size_t kinds)
{
	const char *name = subject_names[kind];
	bool es = kind == SUBJECT_ADDRESS;

	if (n == 0)
		return;
	if (*told > 0)
		buf_str(b, *told + 1 == kinds ? " and " : ", ");
	buf_printf(b, "%zu %s%s", n, kind == SUBJECT_DOMAIN ?
	    "sending domain" : name, n == 1 ? "" : es ? "es" : "s");
	++*told;
}

/* alone - of one tenant: how he stands */
static bool
alone(const struct report *r, struct buf *b)
{
	const struct rows *rows = &r->rows[SUBJECT_TENANT];
	const struct scored *s = rows->n == 1 ? rows->list[0].scored : NULL;

	if (r->scope.tenant.p == NULL || s == NULL ||
	    s->score.tier == TIER_UNKNOWN)
		return false;
	buf_printf(b, "%.*s is %s", SLICE_ARG(r->scope.tenant),
	    tier_names[s->score.tier]);
	return true;
}

/* report_headline - what a person should know first: senders, and where there
 * is nothing to say of those, whatever else is not well */
void
report_headline(const struct report *r, struct buf *b)
{
	static const enum subject_kind kinds[] = { SUBJECT_TENANT,
	    SUBJECT_ADDRESS, SUBJECT_DOMAIN, SUBJECT_POOL, SUBJECT_GROUP };
	enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), FIRST = 2 };
	size_t bad[KINDS], well = 0, all = 0, some = 0, told = 0, last;

	if (alone(r, b))
		return;
	for (size_t i = 0; i < KINDS; i++) {
		const size_t *t = r->tiers[kinds[i]];

		bad[i] = t[TIER_WATCH] + t[TIER_AT_RISK] + t[TIER_CRITICAL];
		well += t[TIER_HEALTHY];
	}
	last = bad[0] + bad[1] > 0 ? FIRST : KINDS;
	for (size_t i = 0; i < last; i++) {
		all += bad[i];
		some += bad[i] > 0;
	}
	if (all > 0) {
		for (size_t i = 0; i < last; i++)
			many(b, bad[i], kinds[i], &told, some);
		buf_str(b, all == 1 ? " needs attention" :
		    " need attention");
	} else if (r->all.now[TALLY_ACCEPTED] == 0 &&
	    tally_ended(r->all.now) == 0) {
		buf_str(b, "No mail in this period");
	} else if (well > 0) {
		buf_str(b, "All who could be judged are healthy");
	} else {
		buf_str(b, "Nobody could be judged yet");
	}
}
