/*
 * Ninety days of warmups, with the gate's own numbers and the gate's own rules
 * and a clock that is set: every schedule, three shapes of traffic, five zones;
 * every rule; clocks that step by a day.
 *
 *  1 No day, no provider and no hour gets more than its number.
 *  2 Each shape becomes warm, on the day that HACKING says.
 *  3 The day of the schedule never falls, and never rises by more than one,
 *    unless a rule says so.
 *
 * With TABLE set in the environment the table of HACKING is printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "lib/clock.h"
#include "lib/date.h"
#include "policy/adapt.h"
#include "policy/portion.h"
#include "policy/subject.h"
#include "tests/unit/charged.h"

enum { DAYS = 90, STEP = 15, RETRY = 5 };	/* minutes */
enum shape { CAMPAIGN, EVEN, COLD };
static const char *const shapes[] = { "campaign of 3 h", "even stream",
	"cold list" };

static const char policy_text[] =
"timezone = \"UTC\"\n"
"pool \"p\" {\n"
"  timezone = \"%s\"\n"
"  share { google = 60  other = 35 }\n"
"  address \"192.0.2.1\" { helo = \"mta.example\"  transport = \"p1\"\n"
"    warmup = \"%s\"  started = \"first-mail\"%s }\n"
"}\n"
"tenant \"a\" { logins = {\"a\"}  domains = {\"a.example\"}\n"
"  priority = \"bulk\"  pool \"p\" { weight = 1 } }\n";

/* What happens on some days; the rest are good ones. */
struct case_ {
	const char	*name;
	int		 from, to;	/* days since the beginning */
	enum adapt_rule	 rule;		/* on the day "from", or the one said */
	int		 on;		/* 0: from */
	int		 by;		/* what it does to the day; 99: to 1 */
	bool		 fast, required;
};

static struct {
	const struct schedule *schedule;
	const struct zone *zone;
	enum shape	 shape;
	const struct case_ *now;	/* NULL: good days only */
	struct subject	 subject;
	struct progress	*progress;
	struct warm_row	 row;		/* day 0: none yet */
	struct warm_factor factors[2];
	int64_t		 first;		/* date of the beginning */
	int64_t		 date;		/* not judged yet */
	int64_t		 used, google, moved, unknown, turned, backlog;
	int64_t		 sent;		/* in all */
	int		 warm;		/* day since the beginning; 0: not */
	enum adapt_rule	 rule;		/* the last one */
	unsigned	 dice;
} sim;

/* --- mail ----------------------------------------------------------------- */

/* number - of the day that is under way */
static int64_t
number(void)
{
	return schedule_number(sim.schedule, sim.row.day > 0 ? sim.row.day :
	    1);
}

/* exceeded - more than there may be of something */
static void
exceeded(const char *what, int64_t got, int64_t most)
{
	if (got > most)
		fail_msg("%s, %s, %s, day %lld (%d): %s: %lld of %lld",
		    sim.schedule->name.p, shapes[sim.shape],
		    sim.now != NULL ? sim.now->name : "good days",
		    (long long)(sim.date - sim.first + 1), sim.row.day, what,
		    (long long)got, (long long)most);
}

/* check - what was sent by now against numbers worked out apart */
static void
check(void)
{
	int64_t cap = number(), hour, since, length;
	struct window w;

	exceeded("the day", sim.used, cap);
	exceeded("google", sim.google, (cap * 60 + 99) / 100);
	/* ten hours, a quarter more each, and what was left of those before */
	zone_window(sim.zone, WINDOW_DAY, 1, asked.now, &w);
	length = 10 * CLOCK_HOUR;
	hour = (cap * 5 * CLOCK_HOUR + 4 * length - 1) / (4 * length);
	since = (asked.now - w.start) / CLOCK_HOUR + 1;
	exceeded("the hours", sim.used, hour * since);
}

/* post - a message to n of that domain; false: it was turned away */
static bool
post(const char *domain, int n)
{
	enum verdict verdict = VERDICT_PASS;
	char to[80];

	assert_int_equal(ask_mail("a", NULL, "<a@a.example>", 0),
	    VERDICT_PASS);
	asked.mail.progress = sim.progress;
	for (int i = 0; i < n && verdict == VERDICT_PASS; i++) {
		snprintf(to, sizeof(to), "<r%d@%s>", i, domain);
		verdict = ask_rcpt(to, "smtp");
	}
	if (verdict == VERDICT_PASS)
		verdict = ask_from("a@a.example");
	if (verdict == VERDICT_PASS)
		verdict = ask_end(1);
	if (verdict != VERDICT_PASS) {
		sim.turned++;
		decide_abort(&asked.mail);
		return false;
	}
	settled();
	sim.used += n;
	sim.sent += n;
	check();
	return true;
}

/* heap - recipients of one message: some sixty messages a day */
static int
heap(void)
{
	int64_t n = number() / 60;

	return n < 1 ? 1 : n > 100 ? 100 : (int)n;
}

/* domain_of - half of the mail goes to Google; a cold list's are all new */
static const char *
domain_of(void)
{
	static char name[40];
	unsigned dice = sim.dice++;

	if (sim.shape == COLD) {
		snprintf(name, sizeof(name), "d%u.example", dice);
		return name;
	}
	return dice % 2 == 0 ? "gmail.com" : "web.de";
}

/* burst - until it is turned away, or there is no more; both halves */
static void
burst(int64_t most)
{
	int no = 0;

	while (most > 0 && no < 2) {
		const char *domain = domain_of();
		int n = heap() < most ? heap() : (int)most;

		if (!post(domain, n)) {
			no++;
			continue;
		}
		no = 0;
		most -= n;
		if (sim.shape == COLD)
			sim.unknown += n;
		else if (strcmp(domain, "gmail.com") == 0)
			sim.google += n;
		if (sim.shape == EVEN)
			sim.backlog -= n;
	}
}

/* move - the strangers of a while ago are known to be nobody's we know */
static void
move(void)
{
	struct charge charges[SUBJECT_SHARES];
	size_t n;

	if (sim.unknown == 0)
		return;
	n = subject_shares(asked.policy, &sim.subject, PROVIDER_OTHER,
	    sim.unknown, asked.now, charges);
	assert_true(n > 0);
	assert_int_equal(ledger_replay(asked.ledger, charges, n, false,
	    ++asked.seq, asked.now), 0);
	sim.moved += sim.unknown;
	sim.unknown = 0;
}

/* in_case - is today one of the days of the case? */
static bool
in_case(void)
{
	int64_t day = sim.date - sim.first + 1;

	return sim.now != NULL && day >= sim.now->from && day <= sim.now->to;
}

/* silent - nothing is sent today */
static bool
silent(void)
{
	return in_case() && (sim.now->rule == ADAPT_I1 ||
	    sim.now->rule == ADAPT_I2);
}

/* little - is today one with little mail? */
static bool
little(void)
{
	return in_case() && sim.now->rule == ADAPT_H2;
}

/* wanted - how much a campaign wants to send now: all it may, or in the cases
 * a good half of it; with little mail, so slowly that nothing is in its way */
static int64_t
wanted(void)
{
	int64_t n;

	if (sim.now == NULL || sim.now->rule == ADAPT_A2)
		return INT32_MAX;
	n = (number() * (little() ? 20 : 55) + 99) / 100 - sim.used;
	return little() && n > heap() ? heap() : n;
}

/* step - what the shape does now; minutes until it does more: who is turned
 * away in the middle of a campaign comes again soon */
static int
step(void)
{
	int64_t target = schedule_number(sim.schedule, sim.schedule->n);
	struct civil c;

	move();
	if (silent())
		return STEP;
	zone_civil(sim.zone, asked.now, &c);
	switch (sim.shape) {
	case CAMPAIGN:
		if (c.hour < 10 || c.hour >= 13)
			break;
		burst(wanted());
		return little() ? STEP : RETRY;
	case EVEN:
		sim.backlog += target * 11 / 10 * STEP / (24 * 60) + 1;
		if (sim.backlog > target)
			sim.backlog = target;
		burst(sim.backlog);
		break;
	case COLD:
		if (c.hour >= 8 && c.hour < 18)
			burst(INT32_MAX);
		break;
	}
	return STEP;
}

/* --- the end of a day ----------------------------------------------------- */

/* fate - what became of it, as the case says */
static void
fate(struct adapt_count *c, bool *known)
{
	uint64_t n = (uint64_t)sim.used;

	*c = (struct adapt_count){ .ended = n, .arrived = 3 * n };
	*known = true;
	if (!in_case())
		return;
	switch (sim.now->rule) {
	case ADAPT_S1:
		c->listed = 1;
		break;
	case ADAPT_S2:
		c->hard = n / 2;
		break;
	case ADAPT_R1:
		c->slow = c->deferred = n / 4;
		break;
	case ADAPT_H1:
		c->slow = c->deferred = (n + 7) / 8;
		break;
	case ADAPT_N1:
		*known = false;
		break;
	default:
		break;
	}
}

/* expect - the rule of the case, on its day, with what it does */
static void
expect(const struct adapt_input *in, const struct adapt_decision *d)
{
	int64_t day = sim.date - sim.first + 1;
	const struct case_ *c = sim.now;
	int after;

	if (c == NULL || day != (c->on != 0 ? c->on : c->from))
		return;
	after = c->by == 99 ? 1 : in->day + c->by;
	after = after < 1 ? 1 : after > in->days ? in->days : after;
	if (d->rule != c->rule || d->day != after)
		fail_msg("%s, %s: got %s and day %d -> %d (%lld of %lld), "
		    "want %s and %d", sim.schedule->name.p, c->name,
		    adapt_rule_names[d->rule], in->day, d->day,
		    (long long)in->used, (long long)in->cap,
		    adapt_rule_names[c->rule], after);
}

/* steady - the day falls and rises by what the rule says alone */
static void
steady(const struct adapt_input *in, const struct adapt_decision *d)
{
	int by = d->day - in->day;
	bool falls = d->rule == ADAPT_R1 || d->rule == ADAPT_I1 ||
	    d->rule == ADAPT_I2;

	if ((by < 0 && !falls) || by > 1 + (d->rule == ADAPT_A2) ||
	    (by == 1 && d->rule != ADAPT_A1 && d->rule != ADAPT_A2))
		fail_msg("%s: %s moved day %d to %d", sim.schedule->name.p,
		    adapt_rule_names[d->rule], in->day, d->day);
}

/* follow - what the decision does to the row, as milter/warmer.c does */
static void
follow(const struct adapt_input *in, const struct adapt_decision *d)
{
	struct warm_row *r = &sim.row;
	size_t n = 0;

	r->day = d->day;
	r->date = sim.date + 1;
	r->clean = d->clean;
	if (in->used > 0)
		r->used = sim.date;
	if (d->warmed && r->warmed == 0) {
		r->warmed = sim.date + 1;
		if (sim.warm == 0)
			sim.warm = (int)(sim.date - sim.first) + 1;
	} else if (!d->warmed) {
		r->warmed = 0;
	}
	if (r->nfactors > 0 && (sim.factors[0].until > sim.date + 1 ||
	    (sim.factors[0].until == 0 && in_case())))
		n = 1;
	if (adapt_stops(d->of[0]) || d->of[0] == ADAPT_R1) {
		sim.factors[0] = (struct warm_factor){
			.provider = SLICE("google"),
			.thousandths = adapt_stops(d->of[0]) ? 0 : ADAPT_HALF,
			.until = adapt_stops(d->of[0]) ? 0 :
			    sim.date + 1 + ADAPT_HALF_DAYS,
			.rule = SLICE("-") };
		n = 1;
	}
	r->factors = sim.factors;
	r->nfactors = n;
}

/* judge - the day that is over */
static void
judge(void)
{
	struct adapt_provider google = { .name = SLICE("google") };
	struct adapt_input in = { .date = sim.date,
		.days = sim.schedule->n, .cap = number(),
		.bulk = portion_bulk(number()), .used = sim.used,
		.turned = sim.turned, .clean = sim.row.clean,
		.warmed = sim.row.warmed != 0, .fast = sim.now != NULL &&
		sim.now->fast, .required = sim.now != NULL &&
		sim.now->required, .providers = &google,
		.nproviders = sim.used > 0 };
	struct adapt_decision d;
	struct progress *next;

	if (sim.row.day == 0 && sim.used == 0)
		return;
	if (sim.row.day == 0)
		sim.row = (struct warm_row){ .day = 1, .started = sim.date,
			.used = sim.date - 1, .name = SLICE("192.0.2.1"),
			.rule = SLICE(""), .inputs = SLICE("") };
	memcpy(sim.row.key, sim.subject.key, sizeof(sim.row.key));
	in.day = sim.row.day;
	in.silent = sim.used > 0 ? 0 : (int)(sim.date - sim.row.used);
	fate(&google.count, &in.known);
	adapt(&in, &d);
	expect(&in, &d);
	steady(&in, &d);
	follow(&in, &d);
	sim.rule = d.rule;
	next = progress_after(sim.progress, &sim.row, 1);
	assert_non_null(next);
	progress_drop(sim.progress);
	sim.progress = next;
}

/* turn - days that are over by now */
static void
turn(void)
{
	struct civil c;
	int64_t today;

	zone_civil(sim.zone, asked.now, &c);
	today = date_days(c.year, c.month, c.day);
	for (; sim.date < today; sim.date++) {
		judge();
		sim.used = sim.google = sim.moved = sim.unknown = 0;
		sim.turned = 0;
	}
}

/* --- ninety days ---------------------------------------------------------- */

/* begin - a policy of that schedule and zone */
static void
begin(const char *schedule, enum shape shape, const char *zone,
    const struct case_ *c)
{
	char text[sizeof(policy_text) + 200];
	struct civil civil;
	struct why why;

	memset(&sim, 0, sizeof(sim));
	snprintf(text, sizeof(text), policy_text, zone, schedule,
	    c != NULL && c->fast ? "  fast_track = \"yes\"" : "");
	asked_begin(text);
	sim.schedule = schedule_find(slice_of(schedule));
	assert_non_null(sim.schedule);
	assert_int_equal(zone_find(zone, &sim.zone, &why), 0);
	sim.shape = shape;
	sim.now = c;
	assert_true(subject_of_address(asked.policy,
	    &asked.policy->pools[0]->addresses[0], &sim.subject));
	/* a week before clocks change in the north, and six in the south */
	asked.now = date_days(2026, 10, 18) * CLOCK_DAY;
	zone_civil(sim.zone, asked.now, &civil);
	sim.first = sim.date = date_days(civil.year, civil.month, civil.day);
}

/* end - and nothing is left open */
static void
end(void)
{
	expect_nothing_open();
	progress_drop(sim.progress);
	asked_end();
}

/* go - on, until that many days are over */
static void
go(int days)
{
	int64_t until = sim.first + days;

	for (turn(); sim.date < until; turn())
		asked.now += step() * CLOCK_MINUTE;
}

static const struct row {
	const char	*schedule;
	enum shape	 shape;
	const char	*zone;
	int		 warm;		/* day on which it is */
	int64_t		 sent;		/* until then and to the 90th */
} rows[] = {
	{ "mailbox", CAMPAIGN, "Europe/Madrid", 41, 2396 },
	{ "mailbox", EVEN, "Asia/Kolkata", 41, 2403 },
	{ "mailbox", COLD, "America/New_York", 42, 2371 },
	{ "cold-slow", CAMPAIGN, "Asia/Kolkata", 48, 94108 },
	{ "cold-slow", EVEN, "America/New_York", 48, 94108 },
	{ "cold-slow", COLD, "Australia/Lord_Howe", 48, 94108 },
	{ "standard", CAMPAIGN, "America/New_York", 37, 525730 },
	{ "standard", EVEN, "Australia/Lord_Howe", 36, 533810 },
	{ "standard", COLD, "UTC", 36, 533750 },
	{ "established", CAMPAIGN, "Australia/Lord_Howe", 34, 2696386 },
	{ "established", EVEN, "UTC", 34, 2696581 },
	{ "established", COLD, "Europe/Madrid", 34, 2696470 },
};

static void
each_schedule_and_shape_becomes_warm(void **state)
{
	bool table = getenv("TABLE") != NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];

		begin(r->schedule, r->shape, r->zone, NULL);
		go(DAYS);
		if (table)
			printf("    %-12s %-16s %-20s %5d %8d %10lld\n",
			    r->schedule, shapes[r->shape], r->zone,
			    sim.schedule->n, sim.warm, (long long)sim.sent);
		else if (sim.warm != r->warm || sim.sent != r->sent)
			fail_msg("%s, %s, %s: warm on day %d (now %d, %s) "
			    "with %lld sent, want day %d and %lld",
			    r->schedule, shapes[r->shape], r->zone, sim.warm,
			    sim.row.day, adapt_rule_names[sim.rule],
			    (long long)sim.sent, r->warm, (long long)r->sent);
		end();
	}
}

/* --- every rule ----------------------------------------------------------- */

static const struct case_ cases[] = {
	{ "blocked for three days", 20, 22, ADAPT_S1, 0, 0, false, false },
	{ "a bad list for three days", 20, 22, ADAPT_S2, 0, 0, false, false },
	{ "deferred for a day", 20, 20, ADAPT_R1, 0, -2, false, false },
	{ "deferred a little", 20, 22, ADAPT_H1, 0, 0, false, false },
	{ "little mail for a week", 20, 26, ADAPT_H2, 0, 0, false, false },
	{ "ten days of silence", 20, 29, ADAPT_I1, 27, -6, false, false },
	{ "forty days of silence", 20, 59, ADAPT_I2, 50, 99, false, false },
	{ "nobody knows for three days", 20, 22, ADAPT_N1, 0, 0, false,
	    true },
	{ "the fast track", 6, 6, ADAPT_A2, 0, 2, true, false },
};

static void
every_rule_does_what_it_says_to_every_schedule(void **state)
{
	const struct schedule *s;
	int before;

	(void)state;
	for (size_t k = 0; (s = schedule_builtin(k)) != NULL; k++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]);
		    i++) {
			begin(s->name.p, CAMPAIGN, "UTC", &cases[i]);
			go(cases[i].to + 1);
			before = sim.row.day;
			go(DAYS);
			if (sim.row.day <= before && before < s->n)
				fail_msg("%s, %s: it stayed at day %d",
				    s->name.p, cases[i].name, before);
			end();
		}
}

/* --- clocks --------------------------------------------------------------- */

static void
a_clock_that_steps_by_a_day_gives_nothing_away(void **state)
{
	const struct schedule *s;

	(void)state;
	for (size_t k = 0; (s = schedule_builtin(k)) != NULL; k++)
		for (int by = -1; by <= 1; by += 2) {
			int64_t sent, date;

			begin(s->name.p, CAMPAIGN, "Europe/Madrid", NULL);
			go(20);
			asked.now += 12 * CLOCK_HOUR;
			turn();
			(void)step();
			date = sim.date;
			sent = sim.used;
			assert_true(sent > 0);
			/* the day before is over, and this one is not new */
			asked.now += by * CLOCK_DAY;
			if (by < 0) {
				int64_t most = number();

				for (int i = 0; i < 96; i++) {
					asked.now += step() * CLOCK_MINUTE;
				}
				exceeded("two days in one", sim.used, most);
				assert_int_equal(sim.date, date);
			}
			go(DAYS);
			if (sim.row.warmed == 0)
				fail_msg("%s is not warm", s->name.p);
			end();
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_schedule_and_shape_becomes_warm),
		cmocka_unit_test(
		    every_rule_does_what_it_says_to_every_schedule),
		cmocka_unit_test(
		    a_clock_that_steps_by_a_day_gives_nothing_away),
	};

	return cmocka_run_group_tests(tests, files_keys, files_no_keys);
}
