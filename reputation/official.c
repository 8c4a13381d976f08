/*
 * official - see official.h.
 *
 *	Google		user-reported spam, mean of the last seven days there
 *			are: below 0.1 % Healthy, below 0.3 % Watch, else At
 *			Risk; Critical when all of seven days are at 0.3 % or
 *			more, or its compliance verdict on it is NEEDS_WORK
 *	Microsoft	of the last seven days the worst: RED or blocked
 *			Critical, YELLOW At Risk, GREEN with traps or with
 *			complaints of 0.1 % or more Watch, else Healthy
 *	DNSBL		a list of sources of spam (SBL, CSS, XBL, DROP)
 *			Critical, any other At Risk
 *
 * The levels are Google's and Microsoft's own, those of DNSBL ours.  A figure
 * that is an upper bound ("< 0.1 %") counts as less than it.
 */
#include "reputation/official.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/date.h"

#define CLEAN		0.001	/* share of spam or complaints: healthy below */
#define SPAMMY		0.003
#define HAIR		1e-3	/* of a bound: by that much it is less */
enum { WEEK = 7, COMPLIANCE = 30 /* days that one holds for */ };

/* The figures of the days in question. */
struct figures {
	double		sum;		/* of daily shares */
	unsigned	days, spammy;
	bool		needs_work;
	int		colour;		/* 0 none, 1 GREEN, 2 YELLOW, 3 RED */
	double		complaints;
	double		traps;
	bool		blocked;
	struct slice	listed;
	bool		bad_list;
};

/* number - of a value; false: it is none */
static bool
number(struct slice s, double *out)
{
	char text[32], *end;

	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	*out = strtod(text, &end);
	return *end == '\0' && *out >= 0.0 && *out < 1e15;
}

/* has_word - in "SBL,XBL" */
static bool
has_word(struct slice words, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= words.n; i++)
		if (strncasecmp(words.p + i, word, n) == 0 && (i == 0 ||
		    words.p[i - 1] == ',' || words.p[i - 1] == ' ') &&
		    (i + n == words.n || words.p[i + n] == ',' ||
		    words.p[i + n] == ' '))
			return true;
	return false;
}

/* is_spam - Google's figure, in either release */
static bool
is_spam(const struct snapshot *s)
{
	return slice_is(s->metric, "spam_rate") ||
	    slice_is(s->metric, "user_reported_spam_ratio");
}

/* of_days - is it what the last day is taken from? */
static bool
of_days(const struct snapshot *s)
{
	if (s->state != SNAPSHOT_AVAILABLE && s->state != SNAPSHOT_STALE)
		return false;
	if (slice_is(s->provider, "google"))
		return is_spam(s);
	if (slice_is(s->provider, "microsoft"))
		return slice_is(s->metric, "filter_result") ||
		    slice_is(s->metric, "blocked");
	return slice_is(s->provider, "dnsbl");
}

/* add_microsoft - one of its figures */
static void
add_microsoft(const struct snapshot *s, struct figures *f)
{
	static const char *const colours[] = { "GREEN", "YELLOW", "RED" };
	double x;

	for (int i = 0; i < 3 && slice_is(s->metric, "filter_result"); i++)
		if (slice_is(s->value, colours[i]) && i + 1 > f->colour)
			f->colour = i + 1;
	if (slice_is(s->metric, "blocked"))
		f->blocked |= slice_is(s->value, "yes");
	if (!number(s->value, &x))
		return;
	if (slice_is(s->metric, "complaint_rate") && !s->upper &&
	    x > f->complaints)
		f->complaints = x;
	if (slice_is(s->metric, "trap_hits"))
		f->traps += x;
}

/* add_dnsbl - a list and what it said */
static void
add_dnsbl(const struct snapshot *s, struct figures *f)
{
	static const char *const bad[] = { "SBL", "CSS", "XBL", "DROP" };
	bool worse = false;

	if (s->value.n == 0 || slice_is(s->value, "not listed"))
		return;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		worse |= has_word(s->value, bad[i]);
	if (f->listed.n == 0 || (worse && !f->bad_list))
		f->listed = s->value;
	f->bad_list |= worse;
}

/* add - a row that is not older than the days in question */
static void
add(const struct snapshot *s, int32_t last, struct figures *f)
{
	double x;

	if ((s->state != SNAPSHOT_AVAILABLE && s->state != SNAPSHOT_STALE) ||
	    s->end > last)
		return;
	if (slice_is(s->metric, "compliance:user_reported_spam_rate"))
		f->needs_work |= s->end > last - COMPLIANCE &&
		    slice_is(s->value, "NEEDS_WORK");
	if (s->end <= last - WEEK)
		return;
	if (slice_is(s->provider, "microsoft")) {
		add_microsoft(s, f);
	} else if (slice_is(s->provider, "dnsbl")) {
		add_dnsbl(s, f);
	} else if (is_spam(s) && number(s->value, &x)) {
		/* "< 0.1 %" on each day is below 0.1 % */
		f->sum += s->upper ? x * (1.0 - HAIR) : x;
		f->days++;
		f->spammy += x >= SPAMMY && !s->upper;
	}
}

/* judge_google - and in words */
static enum tier
judge_google(const struct figures *f, struct buf *said)
{
	double mean;

	if (f->days == 0)
		return TIER_UNKNOWN;
	/* a sum of fractions may end a bit below the level that all are at */
	mean = floor(f->sum / f->days * 1e9 + 0.5) / 1e9;
	buf_printf(said, "spam rate %.2f %% in %u day%s%s", mean * 100.0,
	    f->days, f->days == 1 ? "" : "s", f->needs_work ?
	    ", NEEDS_WORK" : "");
	return f->needs_work || f->spammy >= WEEK ? TIER_CRITICAL :
	    mean >= SPAMMY ? TIER_AT_RISK : mean >= CLEAN ? TIER_WATCH :
	    TIER_HEALTHY;
}

/* judge_microsoft - and in words */
static enum tier
judge_microsoft(const struct figures *f, struct buf *said)
{
	static const char *const colours[] = { "no colour", "GREEN",
	    "YELLOW", "RED" };

	if (f->colour == 0 && !f->blocked)
		return TIER_UNKNOWN;
	buf_str(said, colours[f->colour]);
	if (f->blocked)
		buf_str(said, ", blocked");
	if (f->complaints > 0.0)
		buf_printf(said, ", complaints %.2f %%",
		    f->complaints * 100.0);
	if (f->traps > 0.0)
		buf_printf(said, ", %.0f trap hits", f->traps);
	return f->blocked || f->colour == 3 ? TIER_CRITICAL : f->colour == 2 ?
	    TIER_AT_RISK : f->traps > 0.0 || f->complaints >= CLEAN ?
	    TIER_WATCH : TIER_HEALTHY;
}

/* judge - the figures of a group */
static enum tier
judge(struct slice provider, const struct figures *f, struct buf *said)
{
	if (slice_is(provider, "google"))
		return judge_google(f, said);
	if (slice_is(provider, "microsoft"))
		return judge_microsoft(f, said);
	if (f->listed.n == 0)
		return TIER_UNKNOWN;
	buf_printf(said, "listed: %.*s", SLICE_ARG(f->listed));
	return f->bad_list ? TIER_CRITICAL : TIER_AT_RISK;
}

/* quarter_of - a day */
static int32_t
quarter_of(int32_t day)
{
	int64_t year;
	int month, of;

	date_of(day, &year, &month, &of);
	return (int32_t)(year * 4 + (month - 1) / 3);
}

/* official_quarter - for eyes */
const char *
official_quarter(int32_t quarter, char out[16])
{
	snprintf(out, 16, "%dQ%d", (quarter / 4) % 10000, quarter % 4 + 1);
	return out;
}

struct making {
	struct arena	*arena;
	struct official	*list;
	size_t		 n;
	struct buf	 said;
};

/* one - the verdict of a group in a quarter, if it says any; -1 no memory */
static int
one(struct making *m, const struct snapshot *rows, size_t n, int32_t quarter,
    int32_t last)
{
	struct figures f = { .sum = 0.0 };
	struct official *v = &m->list[m->n];

	buf_reset(&m->said);
	for (size_t i = 0; i < n; i++)
		add(&rows[i], last, &f);
	*v = (struct official){ .quarter = quarter, .day = last,
		.kind = slice_is(rows[0].subject_type, "address") ?
		SUBJECT_ADDRESS : SUBJECT_DOMAIN,
		.tier = judge(rows[0].provider, &f, &m->said) };
	if (v->tier == TIER_UNKNOWN)
		return 0;
	v->provider = arena_copy(m->arena, rows[0].provider);
	v->subject = arena_copy(m->arena, rows[0].subject);
	v->said = arena_copy(m->arena, buf_slice(&m->said));
	if (v->provider.p == NULL || v->subject.p == NULL ||
	    v->said.p == NULL || buf_failed(&m->said))
		return -1;
	m->n++;
	return 0;
}

/* next_quarter - of a group, the first behind that one and its last day */
static bool
next_quarter(const struct snapshot *rows, size_t n, int32_t *quarter,
    int32_t *last)
{
	int32_t found = INT32_MAX, q;

	for (size_t i = 0; i < n; i++) {
		if (!of_days(&rows[i]))
			continue;
		q = quarter_of(rows[i].end);
		if (q <= *quarter || q > found)
			continue;
		*last = q == found && *last > rows[i].end ? *last :
		    rows[i].end;
		found = q;
	}
	*quarter = found;
	return found != INT32_MAX;
}

/* officials_make - group by group */
int
officials_make(const struct snapshot *rows, size_t n, struct arena *arena,
    struct official **out, size_t *nout, struct why *why)
{
	struct making m = { .arena = arena, .said = BUF_INIT };
	size_t end;
	int rc = 0;

	*nout = 0;
	/* a verdict has a row of its own, at least */
	*out = m.list = arena_array(arena, n + 1, sizeof(*m.list));
	for (size_t i = 0; m.list != NULL && i < n && rc == 0; i = end) {
		int32_t quarter = INT32_MIN, last = 0;

		for (end = i + 1; end < n && slice_eq(rows[end].provider,
		    rows[i].provider) && slice_eq(rows[end].subject,
		    rows[i].subject); end++)
			;
		if (!slice_is(rows[i].subject_type, "address") &&
		    !slice_is(rows[i].subject_type, "domain"))
			continue;
		while (rc == 0 && next_quarter(&rows[i], end - i, &quarter,
		    &last))
			rc = one(&m, &rows[i], end - i, quarter, last);
	}
	buf_free(&m.said);
	*nout = m.n;
	return m.list == NULL || rc == -1 ? why_kind(why, WHY_MEMORY,
	    "out of memory") : 0;
}
