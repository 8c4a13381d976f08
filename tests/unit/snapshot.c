/*
 * What providers say, in every shape it comes in: figures, and of what is no
 * figure a state, never a zero.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/date.h"
#include "reputation/snapshot.h"
#include "tests/unit/snapshot_cases.h"

enum { ROOM = 1 << 16 };

/* ask_of - a file that was taken on 2026-09-01 */
static struct snapshot_ask
ask_of(const char *provider, const char *subject)
{
	return (struct snapshot_ask){ .provider = slice_of(provider),
	    .subject = subject != NULL ? slice_of(subject) : SLICE_NONE,
	    .taken = date_days(2026, 9, 1) * CLOCK_DAY + 8 * CLOCK_HOUR,
	    .fetched = date_days(2026, 9, 2) * CLOCK_DAY, .source = "file" };
}

/* day - as 08-03; another year in full */
static int
day(char *out, size_t room, int32_t days)
{
	int64_t year;
	int month, d;

	date_of(days, &year, &month, &d);
	return year == 2026 ? snprintf(out, room, "%02d-%02d", month, d) :
	    snprintf(out, room, "%04d-%02d-%02d", (int)year, month, d);
}

/* shown - every row: subject metric day[..day] [<]value unit state (note) */
static void
shown(const struct snapshot_set *set, bool notes, char *out)
{
	const struct snapshot *rows;
	const char *first;
	size_t count, n = 0, refused = snapshot_refused(set, &first);

	rows = snapshot_rows(set, &count);
	out[0] = '\0';
	for (size_t i = 0; i < count && n < ROOM - 2000; i++) {
		const struct snapshot *s = &rows[i];

		n += (size_t)snprintf(out + n, ROOM - n, "%.*s %.*s ",
		    SLICE_ARG(s->subject), SLICE_ARG(s->metric));
		n += (size_t)day(out + n, ROOM - n, s->begin);
		if (s->end != s->begin) {
			n += (size_t)snprintf(out + n, ROOM - n, "..");
			n += (size_t)day(out + n, ROOM - n, s->end);
		}
		if (s->state == SNAPSHOT_AVAILABLE)
			n += (size_t)snprintf(out + n, ROOM - n, " %s%.*s %.*s",
			    s->upper ? "<" : "", SLICE_ARG(s->value),
			    SLICE_ARG(s->unit));
		else
			n += (size_t)snprintf(out + n, ROOM - n, " %s",
			    snapshot_state_names[s->state]);
		if (notes && s->note.n > 0)
			n += (size_t)snprintf(out + n, ROOM - n, " (%.*s)",
			    SLICE_ARG(s->note));
		n += (size_t)snprintf(out + n, ROOM - n, "\n");
		/* what has no figure has none */
		assert_true(s->state == SNAPSHOT_AVAILABLE ||
		    s->state == SNAPSHOT_STALE || s->value.n == 0);
		assert_true(s->end >= s->begin);
	}
	if (refused > 0)
		snprintf(out + n, ROOM - n, "refused %zu: %s\n", refused,
		    first);
}

/* taken - texts parted by '\f' as pages of one import */
static struct snapshot_set *
taken(const struct snapshot_ask *ask, struct slice text)
{
	struct snapshot_set *set;
	struct why why;

	assert_int_equal(snapshot_set_new(&set, ask, &why), 0);
	for (;;) {
		const char *cut = text.n > 0 ? memchr(text.p, '\f', text.n) :
		    NULL;
		size_t n = cut != NULL ? (size_t)(cut - text.p) : text.n;

		if (snapshot_read(set, (struct slice){ text.p, n }, &why) == -1)
			fail_msg("%s", why.text);
		if (cut == NULL)
			break;
		text = slice_from(text, n + 1);
	}
	if (snapshot_end(set, &why) == -1)
		fail_msg("%s", why.text);
	return set;
}

static void
test_cases(void **state)
{
	static char got[ROOM];
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snapshot_ask ask = ask_of(cases[i].provider,
		    cases[i].subject);
		struct snapshot_set *set = taken(&ask, slice_of(
		    cases[i].text));

		shown(set, strchr(cases[i].want, '(') != NULL, got);
		snapshot_set_free(set);
		if (strcmp(got, cases[i].want) == 0)
			continue;
		printf("%s:\ngot:\n%swant:\n%s\n", cases[i].name, got,
		    cases[i].want);
		failed++;
	}
	assert_int_equal(failed, 0);
}

/* Every case, cut at every byte, is rows or a state: never nothing at all, and
 * what is no figure has no value. */
static void
test_cut_anywhere(void **state)
{
	static char got[ROOM];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct slice text = slice_of(cases[i].text);

		for (size_t n = 0; n <= text.n; n++) {
			struct snapshot_ask ask = ask_of(cases[i].provider,
			    cases[i].subject);
			char *copy = malloc(n + 1);	/* for ASan */
			struct snapshot_set *set;
			const char *first;
			size_t count;

			assert_non_null(copy);
			memcpy(copy, text.p, n);
			set = taken(&ask, (struct slice){ copy, n });
			free(copy);
			shown(set, true, got);
			(void)snapshot_rows(set, &count);
			assert_true(count > 0 || snapshot_refused(set,
			    &first) > 0);
			snapshot_set_free(set);
		}
	}
}

/* A half JSON has a state row wherever it was cut. */
static void
test_half_json(void **state)
{
	static const char page[] = "{\"domainStats\":[{\"name\":\"domains/"
	    "acme.example/domainStats/x\",\"metric\":\"spam\",\"date\":"
	    "{\"year\":2026,\"month\":8,\"day\":3},\"value\":"
	    "{\"floatValue\":0.0}}]}";

	(void)state;
	for (size_t n = 1; n < sizeof(page) - 1; n++) {
		struct snapshot_ask ask = ask_of("google", "acme.example");
		struct snapshot_set *set = taken(&ask, (struct slice){ page,
		    n });
		const struct snapshot *rows;
		size_t count;

		rows = snapshot_rows(set, &count);
		assert_int_equal(count, 1);
		assert_true(slice_is(rows[0].metric, SNAPSHOT_WHOLE));
		assert_int_equal(rows[0].state, SNAPSHOT_API_ERROR);
		snapshot_set_free(set);
	}
}

/* What was asked for and did not come is there as no data. */
static void
test_asked_days(void **state)
{
	static const char *const metrics[] = { "spam_rate",
		"tls_encryption_rate:inbound", NULL };
	static const char page[] = "{\"domainStats\":[{\"name\":\"domains/"
	    "acme.example/domainStats/x\",\"metric\":\"spam\",\"date\":"
	    "{\"year\":2026,\"month\":8,\"day\":3},\"value\":"
	    "{\"floatValue\":0.001}}]}";
	struct snapshot_ask ask = ask_of("google", "acme.example");
	static char got[ROOM];
	struct snapshot_set *set;

	(void)state;
	ask.begin = (int32_t)date_days(2026, 8, 1);
	ask.end = (int32_t)date_days(2026, 8, 4);
	ask.metrics = metrics;
	set = taken(&ask, slice_of(page));
	shown(set, true, got);
	assert_string_equal(got,
	    "acme.example spam_rate 08-01 NO_DATA\n"
	    "acme.example spam_rate 08-02 NO_DATA\n"
	    "acme.example spam_rate 08-03 0.001 share\n"
	    "acme.example spam_rate 08-04 NO_DATA\n"
	    "acme.example tls_encryption_rate:inbound 08-01..08-04 NO_DATA\n");
	snapshot_set_free(set);
}

static void
test_bounds(void **state)
{
	struct snapshot_ask ask = ask_of("google", "acme.example");
	char *deep = malloc(100001);
	struct snapshot_set *set;
	const struct snapshot *rows;
	size_t n;

	(void)state;
	assert_non_null(deep);
	memset(deep, '[', 100000);
	deep[100000] = '\0';
	set = taken(&ask, slice_of(deep));
	rows = snapshot_rows(set, &n);
	assert_int_equal(n, 1);
	assert_int_equal(rows[0].state, SNAPSHOT_API_ERROR);
	assert_non_null(strstr(rows[0].note.p, "levels deep"));
	snapshot_set_free(set);
	free(deep);
}

static void
test_grows_old(void **state)
{
	struct snapshot s = { .state = SNAPSHOT_AVAILABLE,
	    .taken = 1000 * CLOCK_DAY };

	(void)state;
	assert_int_equal(snapshot_state_at(&s, 1060 * CLOCK_DAY),
	    SNAPSHOT_AVAILABLE);
	assert_int_equal(snapshot_state_at(&s, 1060 * CLOCK_DAY + 1),
	    SNAPSHOT_STALE);
	s.state = SNAPSHOT_NO_DATA;
	assert_int_equal(snapshot_state_at(&s, 2000 * CLOCK_DAY),
	    SNAPSHOT_NO_DATA);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_half_json),
		cmocka_unit_test(test_asked_days),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_grows_old),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
