/*
 * advice_make - what a score of the week recommends, with its figures.
 *
 * Only of what this week's points say: who is kept in a tier by the weeks
 * before has his advice already.  A provider or a tenant is named from three
 * events on, as with points, and the worst is who is worst at least
 * (lib/wilson.h), so that one bounce of one message is not the top of a list.
 */
#include "reputation/advice.h"

#include <stdlib.h>

#include "lib/wilson.h"

enum { TOP = 3, EVENTS = 3 };

struct making {
	const struct scored *x;
	struct sums	*sums;
	struct makeup	*makeup;
	struct arena	*arena;
	struct buf	 text;
	struct advice	*out;
	size_t		 n;
	bool		 failed;	/* no memory */
};

/* what_of - "address 192.0.2.10" */
static void
what_of(struct making *m)
{
	buf_printf(&m->text, "%s%s%.*s", subject_names[m->x->kind],
	    m->x->name.n > 0 ? " " : "", SLICE_ARG(m->x->name));
}

/* finish - the text that was made, as an advice */
static void
finish(struct making *m, enum advice_what what, struct slice object)
{
	struct advice *a = &m->out[m->n];

	*a = (struct advice){ .day = m->x->in.day, .kind = m->x->kind,
		.name = m->x->name, .what = what,
		.object = arena_copy(m->arena, object),
		.text = arena_copy(m->arena, buf_slice(&m->text)) };
	if (buf_failed(&m->text) || a->object.p == NULL || a->text.p == NULL) {
		m->failed = true;
		return;
	}
	advice_id(a);
	m->n++;
}

/* worst_signal - the one with most points */
static enum signal
worst_signal(const struct score *s)
{
	enum signal worst = 0;

	for (int i = 1; i < SIGNALS; i++)
		if (s->points[i] > s->points[worst])
			worst = (enum signal)i;
	return worst;
}

/* hold_warmup - of an address or pool that is not warm yet */
static void
hold_warmup(struct making *m)
{
	const struct scored *x = m->x;

	if (!x->in.warming || (x->kind != SUBJECT_ADDRESS &&
	    x->kind != SUBJECT_POOL))
		return;
	buf_reset(&m->text);
	what_of(m);
	buf_printf(&m->text, " is warming up and has %.1f points (",
	    x->score.total);
	score_say(&x->in, &x->score, worst_signal(&x->score), &m->text);
	buf_str(&m->text, "): no more a day than now, until a week is "
	    "Healthy");
	finish(m, ADVICE_WARMUP_HOLD, SLICE(""));
}

/* unwanted - recipients whom a provider blocked or slowed down */
static uint64_t
unwanted(const uint64_t n[TALLIES])
{
	return n[TALLY_BLOCKED] + n[TALLY_BLOCKED_DAY] + n[TALLY_SLOW];
}

/* part_text - "84 of 2,000 recipients (4.2 %)" */
static void
part_text(struct buf *b, uint64_t x, uint64_t n, const char *of)
{
	double percent = n > 0 ? 100.0 * (double)x / (double)n : 0.0;

	score_number(b, x);
	buf_str(b, " of ");
	score_number(b, n);
	buf_printf(b, percent < 1.0 ? "%s (%.2f %%)" : "%s (%.1f %%)", of,
	    percent);
}

/* throttle - to the provider that wants it least */
static void
throttle(struct making *m)
{
	const struct scored *x = m->x;
	const struct sum *const *providers;
	const struct sum *worst = NULL;
	const uint64_t *n;
	uint64_t here[2] = { 0, 0 }, rest[2] = { 0, 0 };
	double low, most = 0.0;
	size_t np;

	if (x->kind != SUBJECT_ADDRESS && x->kind != SUBJECT_POOL &&
	    x->kind != SUBJECT_TENANT)
		return;
	if (x->score.judged < TIER_AT_RISK &&
	    x->score.points[SIGNAL_BLOCK] + x->score.points[SIGNAL_DEFERRAL] <=
	    0.0)
		return;
	providers = sums_of(m->sums, SUBJECT_PROVIDER, &np);
	for (size_t i = 0; i < np; i++) {
		n = sums_to(m->sums, x->kind, x->name, providers[i]->name);
		low = wilson_low(unwanted(n), tally_ended(n), WILSON_90);
		rest[0] += unwanted(n);
		rest[1] += tally_ended(n);
		if (unwanted(n) < EVENTS || low <= most ||
		    providers[i]->name.n == 0)
			continue;
		most = low;
		worst = providers[i];
		here[0] = unwanted(n);
		here[1] = tally_ended(n);
	}
	if (worst == NULL)
		return;
	buf_reset(&m->text);
	buf_printf(&m->text, "%.*s blocked or slowed ",
	    SLICE_ARG(worst->name));
	part_text(&m->text, here[0], here[1], " recipients");
	buf_str(&m->text, " of ");
	what_of(m);
	buf_str(&m->text, " in two weeks, all others ");
	part_text(&m->text, rest[0] - here[0], rest[1] - here[1], "");
	buf_str(&m->text, ": let half as much go there");
	finish(m, ADVICE_THROTTLE, worst->name);
}

/* reassign - a tenant whose neighbours pay for him */
static void
reassign(struct making *m)
{
	const struct scored *x = m->x;
	struct slice pool;
	size_t n;

	if (x->kind != SUBJECT_TENANT || x->score.judged < TIER_AT_RISK ||
	    (n = makeup_pool(m->makeup, x->name, &pool)) < 2)
		return;
	buf_reset(&m->text);
	what_of(m);
	buf_printf(&m->text, " has %.1f points and shares pool %.*s with %zu "
	    "other tenant%s: give it a pool of its own, so that the other%s "
	    "not pay for it", x->score.total, SLICE_ARG(pool), n - 1, n == 2 ?
	    "" : "s", n == 2 ? " does" : "s do");
	finish(m, ADVICE_REASSIGN, pool);
}

/* What a review looks at. */
static const struct { enum signal signal; const char *what; } looks[] = {
	{ SIGNAL_COMPLAINT, "complaints" }, { SIGNAL_BOUNCE, "hard bounces" },
	{ SIGNAL_BLOCK, "blocked recipients" } };
enum { LOOKS = sizeof(looks) / sizeof(looks[0]) };

/* count_of - of one part, by the number of a look */
static uint64_t
count_of(const struct part *p, size_t look)
{
	return look == 0 ? p->complaints : look == 1 ? p->hard : p->blocked;
}

/* top_of - the tenants with most of it, the most first, and none with less
 * than a twentieth; how many */
static size_t
top_of(const struct part *parts, size_t n, size_t look,
    const struct part *top[TOP], uint64_t *all)
{
	size_t ntop = 0, k;

	*all = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t c = count_of(&parts[i], look);

		*all += c;
		for (k = ntop; k > 0 && count_of(top[k - 1], look) < c; k--)
			if (k < TOP)
				top[k] = top[k - 1];
		if (c == 0 || k == TOP)
			continue;
		top[k] = &parts[i];
		ntop += ntop < TOP;
	}
	while (ntop > 0 && count_of(top[ntop - 1], look) * 20 < *all)
		ntop--;
	return ntop;
}

/* look_of - where most points come from; LOOKS: none of these */
static size_t
look_of(const struct score *s)
{
	size_t best = LOOKS;

	for (size_t i = 0; i < LOOKS; i++)
		if (s->points[looks[i].signal] > (best == LOOKS ? 0.0 :
		    s->points[looks[best].signal]))
			best = i;
	return best;
}

/* review_own - the lists of one tenant */
static void
review_own(struct making *m, size_t look)
{
	buf_reset(&m->text);
	buf_str(&m->text, "look at the lists of ");
	what_of(m);
	buf_str(&m->text, ": ");
	score_say(&m->x->in, &m->x->score, looks[look].signal, &m->text);
	finish(m, ADVICE_REVIEW, m->x->name);
}

/* review - whose mail it was that went wrong */
static void
review(struct making *m)
{
	const struct scored *x = m->x;
	const struct part *parts, *top[TOP];
	size_t look = look_of(&x->score), n, ntop;
	struct buf names = BUF_INIT;
	uint64_t all, some = 0;

	if (look == LOOKS)
		return;
	if (x->kind == SUBJECT_TENANT) {
		review_own(m, look);
		return;
	}
	parts = makeup_of(m->makeup, x->kind, x->name, &n);
	/* one alone has his own advice, and domains are a tenant's */
	ntop = n < 2 || x->kind == SUBJECT_DOMAIN ? 0 : top_of(parts, n, look,
	    top, &all);
	if (ntop == 0)
		return;
	for (size_t i = 0; i < ntop; i++)
		some += count_of(top[i], look);
	buf_reset(&m->text);
	score_number(&m->text, some);
	buf_str(&m->text, " of ");
	score_number(&m->text, all);
	buf_printf(&m->text, " %s of ", looks[look].what);
	what_of(m);
	buf_str(&m->text, " in two weeks were mail of ");
	for (size_t i = 0; i < ntop; i++) {
		buf_printf(&m->text, "%s%.*s (", i == 0 ? "" : ", ",
		    SLICE_ARG(top[i]->tenant));
		score_number(&m->text, count_of(top[i], look));
		buf_char(&m->text, ')');
		buf_printf(&names, "%s%.*s", i == 0 ? "" : ", ",
		    SLICE_ARG(top[i]->tenant));
	}
	buf_printf(&m->text, ": look at %s lists", ntop == 1 ? "its" :
	    "their");
	m->failed |= buf_failed(&names);
	finish(m, ADVICE_REVIEW, buf_slice(&names));
	buf_free(&names);
}

/* advice_make - of a score that is at Watch or worse this week */
int
advice_make(const struct scored *x, struct sums *sums, struct makeup *makeup,
    struct arena *arena, struct advice out[ADVICE_KINDS], size_t *n,
    struct why *why)
{
	struct making m = { .x = x, .sums = sums, .makeup = makeup,
		.arena = arena, .text = BUF_INIT, .out = out };

	*n = 0;
	if (x->score.judged < TIER_WATCH)
		return 0;
	hold_warmup(&m);
	throttle(&m);
	reassign(&m);
	if (x->kind != SUBJECT_PLATFORM)
		review(&m);
	buf_free(&m.text);
	if (m.failed)
		return why_kind(why, WHY_MEMORY, "no memory for advice");
	*n = m.n;
	return 0;
}
