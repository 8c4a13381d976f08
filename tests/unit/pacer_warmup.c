/*
 * What a warmup holds goes again within hold_max, though no day brings a larger
 * number than the last: rules may repeat it, and mail that was held on the word
 * of a number that never came would go back to its sender.  And it is not held
 * in vain either: of what may go within hold_max most is taken.
 *
 * Mail comes at some hour, until no more of it is held; then time goes by,
 * three minutes by three, since in its first days a warmup's throttle lets one
 * bulk message out at a time.
 */
#include "tests/unit/pacer_world.h"

#include "policy/measure.h"
#include "policy/progress.h"

static const char text[] =
    "timezone = \"UTC\"\n"
    "schedule \"s\" { table = {\"40\", \"60\", \"90\"} }\n"
    "pool \"w\" { share { google = 50 }\n"
    "  address \"192.0.2.1\" { transport = \"w1\"\n"
    "    warmup \"s\" { over = \"hold\" %s } } }\n"
    "tenant \"a\" { pool \"w\" { }  logins = {\"a\"}\n"
    "  domains = {\"a.example\"}  hold_max = \"%s\"  priority = \"%s\" }\n";

/* halve - what google may have, by R1, for some days from now on */
static void
halve(int days)
{
	const struct pool_address *a = &gate.policy->pools[0]->addresses[0];
	int64_t today = now / CLOCK_DAY;
	const struct warm_factor f = { .provider = SLICE("google"),
	    .thousandths = 500, .until = today + days, .rule = SLICE("R1") };
	struct warm_row row = { .day = 1, .date = today, .started = today,
	    .name = SLICE("192.0.2.1"), .factors = &f, .nfactors = 1 };
	struct dimensions d;
	struct ask ask;

	measure_begin(gate.policy, gate.policy->tenants[0], NULL, &d);
	measure_egress(&d, a);
	for (size_t i = 0; i < a->nlimits; i++) {
		if (a->limits[i]->part != WARM_DAY)
			continue;
		measure_ask(a->limits[i], &d, 1, 1, now, &ask);
		memcpy(row.key, ask.charge.key, sizeof(row.key));
	}
	gate.progress = progress_after(NULL, &row, 1);
	assert_non_null(gate.progress);
}

/* flood - one by one, until a few in a row are turned away; how many are held,
 * and passed */
static void
flood(const char *domain, int *held, int *passed)
{
	int said[VERDICT_DEFER + 1] = { 0 };

	deliver_to = domain;
	for (int i = 0; i < 300 && said[VERDICT_DEFER] < 3; i++) {
		enum verdict v = deliver("a", 1, true);

		assert_true(v <= VERDICT_DEFER);
		said[v]++;
	}
	*held += said[VERDICT_HOLD];
	*passed += said[VERDICT_PASS];
}

/* expired - how many went back */
static size_t
expired(void)
{
	return how_many(HELD_EXPIRE);
}

struct situation {
	const char	*name, *hours, *hold_max, *priority;
	int		 hour, halved;	/* of the first day */
	const char	*domain;
	int		 least;		/* that must be held */
};

static const struct situation situations[] = {
	{ "a night's mail, hours", "active_hours = \"08:00-18:00\"", "24h",
	    "bulk", 3, 0, "example.org", 24 },
	{ "late, hours", "active_hours = \"08:00-18:00\"", "24h", "bulk", 20,
	    0, "example.org", 24 },
	{ "two days, hours", "active_hours = \"08:00-18:00\"", "48h", "bulk",
	    12, 0, "example.org", 56 },
	{ "three days, any time", "", "72h", "bulk", 12, 0, "example.org",
	    88 },
	{ "a provider's part", "", "48h", "bulk", 1, 0, "gmail.com", 28 },
	{ "a provider that R1 halved", "", "48h", "bulk", 1, 4, "gmail.com", 14 },
	{ "one that it halved until tomorrow", "", "48h", "bulk", 1, 1,
	    "gmail.com", 25 },
	{ "other mail", "active_hours = \"08:00-18:00\"", "48h",
	    "transactional", 12, 0, "example.org", 72 },
	{ "other mail, a provider", "", "72h", "transactional", 22, 0,
	    "gmail.com", 50 },
};

/* play - one of them */
static void
play(const struct situation *s)
{
	char policy[1024];
	int held = 0, passed = 0, hours = atoi(s->hold_max);

	snprintf(policy, sizeof(policy), text, s->hours, s->hold_max,
	    s->priority);
	world_begin(policy);
	later(CLOCK_DAY - NOW % CLOCK_DAY + s->hour * CLOCK_HOUR);
	if (s->halved > 0)
		halve(s->halved);
	flood(s->domain, &held, &passed);
	for (int i = 0; i <= 20 * hours + 1; i++) {
		later(CLOCK_HOUR / 20);
		(void)paced();
	}
	if (expired() > 0 || how_many(HELD_WAITING) > 0 || held < s->least)
		fail_msg("%s: %d passed, %d held, %zu went back, %zu wait",
		    s->name, passed, held, expired(), how_many(HELD_WAITING));
	progress_drop(gate.progress);
	world_end();
}

static void
what_is_held_goes_within_hold_max(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(situations) / sizeof(*situations); i++)
		play(&situations[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_held_goes_within_hold_max),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
