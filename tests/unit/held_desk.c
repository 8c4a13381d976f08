/*
 * held_desk - which held messages a decision at the desk means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/held_desk.h"

#define ACME	SLICE("acme")
#define QID	SLICE("8B6BAA7A6E3")

static const struct {
	const char	*name;
	struct desk_record r;
	bool		 want;		/* of message 7, acme's */
} cases[] = {
	{ "that message", { .kind = DESK_HOLD_RELEASE, .object = QID, .tenant = ACME, .amount = 7 }, true },
	{ "to drop it", { .kind = DESK_HOLD_DROP, .object = QID, .tenant = ACME, .amount = 7 }, true },
	{ "that message, whose it was is not said", { .kind = DESK_HOLD_DROP, .object = QID, .amount = 7 }, true },
	{ "an older message of that queue id", { .kind = DESK_HOLD_DROP, .object = QID, .tenant = ACME, .amount = 6 }, false },
	{ "a younger one", { .kind = DESK_HOLD_DROP, .object = QID, .tenant = ACME, .amount = 8 }, false },
	{ "another message", { .kind = DESK_HOLD_DROP, .object = SLICE("8B6BAA7A6E4"), .tenant = ACME, .amount = 7 }, false },
	{ "all of its tenant", { .kind = DESK_HOLD_RELEASE, .object = SLICE("*"), .tenant = ACME, .amount = 9 }, true },
	{ "all of another tenant", { .kind = DESK_HOLD_RELEASE, .object = SLICE("*"), .tenant = SLICE("acm"), .amount = 9 }, false },
	{ "all", { .kind = DESK_HOLD_RELEASE, .object = SLICE("*"), .amount = 9 }, true },
	{ "all, up to this one", { .kind = DESK_HOLD_RELEASE, .object = SLICE("*"), .amount = 7 }, true },
	{ "all, before it was held", { .kind = DESK_HOLD_RELEASE, .object = SLICE("*"), .amount = 6 }, false },
	{ "all, of no moment", { .kind = DESK_HOLD_RELEASE, .object = SLICE("*") }, false },
	{ "all, of a moment that makes no sense", { .kind = DESK_HOLD_RELEASE, .object = SLICE("*"), .amount = -1 }, false },
	{ "a decision of another kind", { .kind = DESK_BREAKER_LIFT, .object = SLICE("*"), .tenant = ACME, .amount = 9 }, false },
	{ "a kind of tomorrow", { .kind = 999, .object = SLICE("*"), .amount = 9 }, false },
};

static void
what_is_meant(void **state)
{
	const struct held h = { .seq = 7, .tenant = ACME, .queue_id = QID };
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (held_desk_means(&cases[i].r, &h) != cases[i].want) {
			print_error("%s: want %d\n", cases[i].name,
			    cases[i].want);
			wrong++;
		}
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
