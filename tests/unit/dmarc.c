/*
 * The tables "dmarc" and "quarantine" of the outcomes/ store: totals that add
 * up, reports that count once, and bounds on what strangers can write.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <unistd.h>

#include "reputation/dmarc.h"
#include "reputation/quarantine.h"

#define MAP	(UINT64_C(256) << 20)
#define DAY	(24 * 3600 * INT64_C(1000000))
#define T0	(20000 * DAY)

static char folder[64], dir[80];
static struct outcomes *store;
static struct why why;

/* must - or the reason */
static void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s", why.text);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/penstock-dmarc.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(dir, sizeof(dir), "%s/outcomes", folder);
	must(outcomes_open(&store, dir, MAP, &why));
	must(outcomes_begin(store, &why));
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock" };
	char path[160];

	(void)state;
	outcomes_close(store);
	store = NULL;
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
	rmdir(folder);
	return 0;
}

/* report_of - one that covers the day behind T0 + so many */
static struct dmarc_report
report_of(const char *id, const char *domain, int day)
{
	return (struct dmarc_report){ .org = SLICE("far.example"),
	    .id = slice_of(id), .domain = slice_of(domain),
	    .begin = T0 + day * DAY, .end = T0 + (day + 1) * DAY - 1 };
}

/* begin - it comes at that moment */
static int
begin(struct dmarc_report *r, int64_t now)
{
	r->came = now;
	return dmarc_begin(store, r, &why);
}

/* add - figures of a source; 0: it has no row of its own */
static int
add(const struct dmarc_report *r, const char *source, uint64_t aligned,
    uint64_t failing)
{
	int own;

	struct dmarc_total t = { .source = slice_of(source),
		.aligned = aligned, .failing = failing, .dkim = aligned,
		.signer = SLICE("acme.example") };

	must(own = dmarc_add(store, r, &t, &why));
	return own;
}

/* note - a total as text */
static bool
note(void *with, const struct dmarc_total *t)
{
	buf_printf(with, "%d %.*s %llu/%llu\n", t->day - 20000,
	    SLICE_ARG(t->source), (unsigned long long)t->aligned,
	    (unsigned long long)t->failing);
	return true;
}

/* totals_are - of a domain, in days from..to behind T0 */
static void
totals_are(const char *domain, int from, int to, const char *want)
{
	struct buf got = BUF_INIT;

	must(dmarc_each(store, slice_of(domain), 20000 + from, 20000 + to,
	    note, &got, &why));
	if (!slice_is(buf_slice(&got), want))
		fail_msg("%s:\n got: %.*s\nwant: %s", domain, (int)got.len,
		    got.len > 0 ? got.data : "", want);
	buf_free(&got);
}

static void
totals_add_up_by_domain_source_and_day(void **state)
{
	struct dmarc_report one = report_of("1", "acme.example", 0);
	struct dmarc_report two = report_of("2", "acme.example", 0);
	struct dmarc_report next = report_of("3", "acme.example", 1);
	struct dmarc_report other = report_of("4", "acme.example.org", 0);
	struct dmarc_report inner = report_of("5", "acme.exampl", 0);

	(void)state;
	add(&one, "192.0.2.1", 10, 0);
	add(&one, "203.0.113.9", 0, 3);
	add(&two, "192.0.2.1", 5, 1);
	add(&next, "192.0.2.1", 7, 0);
	add(&other, "192.0.2.1", 99, 0);
	add(&inner, "192.0.2.1", 98, 0);
	must(outcomes_commit(store, &why));
	totals_are("acme.example", 0, 9, "0 192.0.2.1 15/1\n"
	    "0 203.0.113.9 0/3\n1 192.0.2.1 7/0\n");
	totals_are("acme.example", 1, 1, "1 192.0.2.1 7/0\n");
	totals_are("acme.example", 2, 9, "");
	totals_are("acme.example.org", 0, 9, "0 192.0.2.1 99/0\n");
	totals_are("nobody.example", 0, 9, "");
}

static void
a_report_counts_once(void **state)
{
	struct dmarc_report r = report_of("1", "acme.example", 0);

	(void)state;
	assert_int_equal(begin(&r, T0 + DAY), 1);
	assert_int_equal(begin(&r, T0 + DAY), 0);
	must(outcomes_commit(store, &why));
	must(outcomes_begin(store, &why));
	assert_int_equal(begin(&r, T0 + 2 * DAY), 0);
	r.id = SLICE("2");
	assert_int_equal(begin(&r, T0 + DAY), 1);
	r.org = SLICE("else.example");
	assert_int_equal(begin(&r, T0 + DAY), 1);
}

static void
a_report_that_cannot_be_is_refused(void **state)
{
	struct dmarc_report r = report_of("1", "acme.example", 9);
	char name[300];

	(void)state;
	assert_int_equal(begin(&r, T0), -1);
	r = report_of("1", "acme.example", 0);
	r.end = r.begin - 1;
	assert_int_equal(begin(&r, T0 + DAY), -1);
	r = report_of("1", "", 0);
	assert_int_equal(begin(&r, T0 + DAY), -1);
	memset(name, 'x', sizeof(name));
	r.domain = (struct slice){ name, 254 };
	assert_int_equal(begin(&r, T0 + DAY), -1);
	r.domain = (struct slice){ "a\0b", 3 };
	assert_int_equal(begin(&r, T0 + DAY), -1);
	/* and the transaction is none the worse */
	must(outcomes_commit(store, &why));
}

static void
strangers_cannot_fill_the_store(void **state)
{
	struct dmarc_report r = report_of("1", "acme.example", 0);
	struct buf got = BUF_INIT;
	char text[32];
	size_t lines = 0;

	(void)state;
	for (int i = 0; i < DMARC_SOURCES + 50; i++) {
		snprintf(text, sizeof(text), "10.0.%d.%d", i >> 8, i & 255);
		assert_int_equal(add(&r, text, 1, 0), i < DMARC_SOURCES);
	}
	/* who has a row goes on in it */
	assert_int_equal(add(&r, "10.0.0.0", 1, 0), 1);
	must(outcomes_commit(store, &why));
	must(dmarc_each(store, r.domain, 0, INT32_MAX, note, &got, &why));
	for (size_t i = 0; i < got.len; i++)
		lines += got.data[i] == '\n';
	assert_int_equal(lines, DMARC_SOURCES + 1);
	buf_char(&got, '\0');
	assert_non_null(strstr(got.data, "0 others 50/0\n"));
	buf_free(&got);
}

/* take - reports about a domain on a day, until one is refused or n are in */
static int
take(const char *domain, int day, int n)
{
	static int serial;
	struct dmarc_report r = report_of("1", domain, 0);
	char id[32];
	int taken = 0;

	must(outcomes_begin(store, &why));
	for (; taken < n; taken++) {
		snprintf(id, sizeof(id), "report %d", ++serial);
		r.id = slice_of(id);
		if (begin(&r, T0 + day * DAY) != 1)
			break;
	}
	must(outcomes_commit(store, &why));
	return taken;
}

static void
one_domain_does_not_keep_out_another(void **state)
{
	(void)state;
	must(outcomes_commit(store, &why));
	assert_int_equal(take("acme.example", 1, 5), 5);
	assert_int_equal(take("other.example", 1, 9999), DMARC_SHARE);
	assert_int_equal(take("acme.example", 1, 9999), DMARC_SHARE - 5);
	assert_int_equal(take("acme.example", 2, 1), 1);
	must(outcomes_begin(store, &why));
}

/* rows - sources of a domain that come in one day, of the days from T0 on,
 * "each" of a report; how many got a row before one did not */
static int
rows(const char *domain, int came, int days, int each)
{
	struct dmarc_report r;
	char id[32], source[32];
	int n = 0;

	must(outcomes_begin(store, &why));
	for (int day = 0; day < days; day++) {
		snprintf(id, sizeof(id), "rows %d of %d", day, came);
		r = report_of(id, domain, day);
		assert_int_equal(begin(&r, T0 + came * DAY), 1);
		for (int i = 0; i < each; i++, n++) {
			snprintf(source, sizeof(source), "10.%d.%d.%d", came,
			    i >> 8, i & 255);
			if (add(&r, source, 1, 0) == 0)
				goto out;
		}
	}
out:
	must(outcomes_commit(store, &why));
	return n;
}

static void
rows_of_other_days_are_of_the_day_they_came(void **state)
{
	struct buf got = BUF_INIT;

	(void)state;
	must(outcomes_commit(store, &why));
	/* five days, as many as may be: then the domain's share is gone */
	assert_int_equal(rows("acme.example", 30, 20, 1000),
	    DMARC_ROWS_SHARE);
	must(dmarc_each(store, SLICE("acme.example"), 20005, 20005, note,
	    &got, &why));
	assert_true(slice_is(buf_slice(&got), "5 others 1/0\n"));
	buf_free(&got);
	/* no other domain's, and not tomorrow's */
	assert_int_equal(rows("other.example", 30, 1, 100), 100);
	assert_int_equal(rows("acme.example", 31, 1, 100), 100);
	must(outcomes_begin(store, &why));
}

static void
rows_are_so_many_a_day_and_fewer_of_new_domains(void **state)
{
	char domain[32];
	int n = 0, got;

	(void)state;
	must(outcomes_commit(store, &why));
	for (int i = 0; i < 30; i++) {
		snprintf(domain, sizeof(domain), "d%d.example", i);
		assert_int_equal(take(domain, 1, 1), 1);
	}
	for (int i = 0; i < DMARC_ROWS_NEW / DMARC_ROWS_SHARE + 1; i++) {
		snprintf(domain, sizeof(domain), "new%d.example", i);
		n += rows(domain, 40, 6, 1000);
	}
	assert_int_equal(n, DMARC_ROWS_NEW);
	for (int i = 0; i < 30; i++) {
		snprintf(domain, sizeof(domain), "d%d.example", i);
		n += got = rows(domain, 40, 6, 1000);
		if (got == 0)
			break;
	}
	assert_int_equal(n, DMARC_ROWS);
	must(outcomes_begin(store, &why));
}

static void
invented_domains_do_not_keep_out_those_in_use(void **state)
{
	char domain[32];
	int taken = 0;

	(void)state;
	must(outcomes_commit(store, &why));
	assert_int_equal(take("acme.example", 1, 3), 3);
	for (int i = 0; i < DMARC_NEW / 500 + 5; i++) {
		snprintf(domain, sizeof(domain), "d%d.example", i);
		taken += take(domain, 2, 500);
	}
	assert_int_equal(taken, DMARC_NEW);
	assert_non_null(strstr(why.text, "new domains"));
	assert_int_equal(take("acme.example", 2, 9999), DMARC_SHARE);
	must(outcomes_begin(store, &why));
}

static void
a_day_takes_so_many_in_all(void **state)
{
	char domain[32];
	int taken = 0;

	(void)state;
	must(outcomes_commit(store, &why));
	for (int i = 0; i < 30; i++) {
		snprintf(domain, sizeof(domain), "d%d.example", i);
		assert_int_equal(take(domain, 1, 1), 1);
	}
	for (int i = 0; i < 30; i++) {
		snprintf(domain, sizeof(domain), "d%d.example", i);
		taken += take(domain, 2, 9999);
	}
	assert_int_equal(taken, DMARC_REPORTS);
	assert_int_equal(take("d0.example", 3, 1), 1);
	must(outcomes_begin(store, &why));
}

/* --- quarantine ----------------------------------------------------------- */

/* put - one mail */
static uint64_t
put(const char *kind, const char *message, size_t n)
{
	struct quarantined q = { .time = T0, .kind = slice_of(kind),
		.reason = SLICE("unproven"), .sender = SLICE("a@b.example"),
		.recipient = SLICE("c@d.example"), .size = n,
		.message = { message, n } };

	must(quarantine_put(store, &q, &why));
	return q.id;
}

/* first - stops at once, and keeps the id */
static bool
first(void *with, const struct quarantined *q)
{
	*(uint64_t *)with = q->id;
	return false;
}

/* count - all of them */
static bool
count(void *with, const struct quarantined *q)
{
	(void)q;
	++*(size_t *)with;
	return true;
}

static void
the_latest_are_kept_and_come_first(void **state)
{
	struct arena *arena = arena_new(1 << 16, 0);
	struct quarantined q;
	uint64_t id;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < QUARANTINE_MOST + 7; i++)
		id = put("dsn", "Subject: x\n", 11);
	assert_int_equal(id, QUARANTINE_MOST + 7);
	must(outcomes_commit(store, &why));
	must(quarantine_each(store, count, &n, &why));
	assert_int_equal(n, QUARANTINE_MOST);
	must(quarantine_each(store, first, &id, &why));
	assert_int_equal(id, QUARANTINE_MOST + 7);
	assert_int_equal(quarantine_get(store, 7, arena, &q, &why), 0);
	assert_int_equal(quarantine_get(store, 8, arena, &q, &why), 1);
	assert_true(slice_is(q.kind, "dsn"));
	assert_true(slice_is(q.reason, "unproven"));
	assert_true(slice_is(q.sender, "a@b.example"));
	assert_true(slice_is(q.recipient, "c@d.example"));
	assert_true(slice_is(q.message, "Subject: x\n"));
	assert_int_equal(q.time, T0);
	arena_free(arena);
}

static void
a_long_mail_is_cut(void **state)
{
	struct arena *arena = arena_new(1 << 16, 0);
	char *big = calloc(1, 1 << 20);
	struct quarantined q;
	uint64_t id;

	(void)state;
	id = put("arf", big, 1 << 20);
	must(outcomes_commit(store, &why));
	assert_int_equal(quarantine_get(store, id, arena, &q, &why), 1);
	assert_int_equal(q.message.n, QUARANTINE_BYTES);
	assert_int_equal(q.size, 1 << 20);
	assert_int_equal(quarantine_get(store, 0, arena, &q, &why), 0);
	assert_int_equal(quarantine_get(store, UINT64_MAX, arena, &q, &why),
	    0);
	free(big);
	arena_free(arena);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(totals_add_up_by_domain_source_and_day),
		TEST(a_report_counts_once),
		TEST(a_report_that_cannot_be_is_refused),
		TEST(strangers_cannot_fill_the_store),
		TEST(one_domain_does_not_keep_out_another),
		TEST(rows_of_other_days_are_of_the_day_they_came),
		TEST(rows_are_so_many_a_day_and_fewer_of_new_domains),
		TEST(invented_domains_do_not_keep_out_those_in_use),
		TEST(a_day_takes_so_many_in_all),
		TEST(the_latest_are_kept_and_come_first),
		TEST(a_long_mail_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
