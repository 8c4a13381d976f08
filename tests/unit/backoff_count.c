/*
 * Answers that ask for less, from lines of a log to what the gate reads: how
 * many are enough, whose words count, when it is over; and that it is the same
 * however often, in whatever pieces and through whatever crash a log is read.
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

#include "lib/clock.h"
#include "lib/fold.h"
#include "lib/provider.h"
#include "reputation/backoff.h"
#include "reputation/join.h"
#include "reputation/outcome_in.h"
#include "reputation/prune.h"

#define MAP	(UINT64_C(64) << 20)
#define T0	(INT64_C(1795219200) * CLOCK_SECOND)	/* 2026-11-21 00:00 */
#define AT(h, m, s) (T0 + (h) * CLOCK_HOUR + (m) * CLOCK_MINUTE + \
		    (s) * CLOCK_SECOND)

static char folder[64], dir[2][80];
static struct store *gate;
static struct outcomes *store;
static struct classifier *classifier;
static struct backoffs *backoffs;
static struct join *join;
static struct happenings *seen;
static struct arena *arena;
static struct why why;

static const struct slice relays[] = { SLICE("hop.example") };
static const struct join_rules join_rules = { SLICE(""), NULL, 0, relays, 1 };
static const char rules[] =
    "rule \"wait\" { text = \"unusual rate\"  threshold = \"2/hour\"\n"
    "    action = \"pause\"  duration = \"30 minutes\" }\n"
    "rule \"slow\" { category = \"rate_limit\"  threshold = \"4/hour\"\n"
    "    action = \"slow\"  rate = \"10/minute\"  duration = \"2 hours\" }\n"
    "rule \"away\" { from = \"connection\"  threshold = \"3/hour\"\n"
    "    action = \"slow\"  rate = \"1/minute\"  duration = \"1 hour\" }\n";

/* must - or the reason */
static void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s", why.text);
}

/* open_all - a gate, a store, what joins them, and what the gate reads */
static void
open_all(void)
{
	must(store_open(&gate, dir[0], MAP, &why));
	must(outcomes_open(&store, dir[1], MAP, &why));
	must(join_new(&join, store, classifier, &join_rules, &why));
	join_backoffs(join, backoffs);
	must(happenings_open(&seen, folder, &why));
}

/* close_all - and back on disk */
static void
close_all(void)
{
	happenings_close(seen);
	join_free(join);
	outcomes_close(store);
	store_close(gate);
}

static int
setup(void **state)
{
	struct problems problems;

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/penstock-backoff.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(dir[0], sizeof(dir[0]), "%s/gate", folder);
	snprintf(dir[1], sizeof(dir[1]), "%s/outcomes", folder);
	arena = arena_new(4096, 0);
	problems_init(&problems, arena);
	must(provider_init(&why));
	must(fold_init(&why));
	must(classifier_builtin(&classifier, &why));
	if (backoffs_parse(&backoffs, "backoff.conf", slice_of(rules),
	    &problems, &why) != 1)
		return -1;
	open_all();
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock" };
	char path[256];

	(void)state;
	close_all();
	classifier_free(classifier);
	backoffs_free(backoffs);
	arena_free(arena);
	for (size_t d = 0; d < 2; d++) {
		for (size_t i = 0; i < 3; i++) {
			snprintf(path, sizeof(path), "%s/%s", dir[d],
			    files[i]);
			unlink(path);
		}
		rmdir(dir[d]);
	}
	rmdir(folder);
	return 0;
}

/* accept - one message of that tenant to "n" recipients, u0 to u(n-1) */
static void
accept_mail(const char *tenant, const char *address, const char *id,
    const char *domain, unsigned n)
{
	struct event_recipient list[64];
	char texts[64][64];
	struct event e = { .kind = EVENT_ACCEPT, .count = 1,
		.tenant = slice_of(tenant), .stream = SLICE("news"),
		.address = slice_of(address), .queue_id = slice_of(id),
		.recipients = list, .nrecipients = n,
		.mail_from = SLICE("a@acme.example") };
	struct buf b = BUF_INIT;
	uint64_t seq = 0;

	for (unsigned i = 0; i < n; i++) {
		snprintf(texts[i], sizeof(texts[i]), "u%u@%s", i, domain);
		list[i] = (struct event_recipient){
			.address = slice_of(texts[i]) };
	}
	event_encode(&e, &b);
	must(store_begin(gate, &why));
	must(store_append(gate, buf_slice(&b), T0, e.queue_id, &seq, &why));
	must(store_commit(gate, &why));
	buf_free(&b);
}

/* read_log - committed at its end, unless it is aborted there */
static void
read_log(const char *log, bool commit)
{
	struct logline_clock clock = { .now = T0 + CLOCK_DAY,
		.zone = zone_utc() };
	struct logline l;
	size_t got;

	must(outcomes_begin(store, &why));
	must(join_events(join, gate, JOIN_ALL, SIZE_MAX, &got, &why));
	while (*log != '\0') {
		struct slice line = { log, strcspn(log, "\n") };

		log += line.n + 1;
		(void)logline_parse(line, &clock, &l);
		must(join_line(join, gate, &l, line, &why));
	}
	if (!commit) {
		outcomes_abort(store);
		join_forget(join);
		return;
	}
	must(join_flush(join, &why));
	must(outcomes_commit(store, &why));
}

#define LINE(clock, id, to, relay, text) \
	"Nov 21 " clock " gw postfix/smtp[1]: " id ": to=<" to ">, relay=" \
	relay ", delay=1, dsn=4.0.0, status=deferred (" text ")\n"
#define MX	"mx.dest.example[198.51.100.9]"
#define SAID	"host " MX " said: 421 4.7.28 unusual rate of mail (in reply " \
		"to RCPT TO command)"
#define NO(clock, id, to) LINE(clock, id, to, MX ":25", SAID)

/* in_force - the rule for that tenant (or address) there; "": none */
static const char *
in_force(const char *tenant, const char *address, const char *to,
    int64_t now)
{
	static struct backoff b;
	struct backoff_when when = { now, 0, CLOCK_DAY };
	uint8_t key[BACKOFF_KEY];

	backoff_key(address != NULL, address != NULL ? hash_id("address",
	    slice_of(address)) : hash_id("tenant", slice_of(tenant)),
	    strchr(to, '.') != NULL, slice_of(to), key);
	happenings_refresh(seen);
	return happenings_backoff(seen, key, &when, &b) == 1 ? b.rule : "";
}
#define ACME(h, m, s)	in_force("acme", NULL, "dest.example", AT(h, m, s))

static void
enough_answers_begin_it_and_it_ends_by_itself(void **state)
{
	(void)state;
	accept_mail("acme", "", "AAAA1", "dest.example", 3);
	read_log(NO("01:00:00", "AAAA1", "u0@dest.example"), true);
	assert_string_equal(ACME(1, 0, 1), "");
	read_log(NO("01:10:00", "AAAA1", "u1@dest.example"), true);
	assert_string_equal(ACME(1, 10, 0), "wait");
	assert_string_equal(ACME(1, 39, 59), "wait");
	assert_string_equal(ACME(1, 40, 0), "");
	/* nobody else, and nowhere else */
	assert_string_equal(in_force("other", NULL, "dest.example",
	    AT(1, 10, 1)), "");
	assert_string_equal(in_force("acme", NULL, "mx.example",
	    AT(1, 10, 1)), "");
	assert_string_equal(in_force(NULL, "192.0.2.25", "dest.example",
	    AT(1, 10, 1)), "");
}

static void
a_log_read_again_or_lost_in_a_crash_changes_nothing(void **state)
{
	static const char log[] =
	    NO("01:00:00", "AAAA1", "u0@dest.example")
	    NO("01:01:00", "AAAA1", "u1@dest.example");
	struct slice key, first, again;
	uint8_t id[BACKOFF_KEY];

	(void)state;
	accept_mail("acme", "", "AAAA1", "dest.example", 3);
	read_log(log, false);		/* kill -9 before the commit */
	assert_string_equal(ACME(1, 1, 1), "");
	read_log(log, true);
	assert_string_equal(ACME(1, 1, 1), "wait");
	backoff_key(false, hash_id("tenant", SLICE("acme")), true,
	    SLICE("dest.example"), id);
	key = (struct slice){ (char *)id, sizeof(id) };
	assert_int_equal(outcomes_row(store, OUTCOMES_BACKOFF, key, arena,
	    &first, &why), 1);
	for (int i = 0; i < 3; i++) {
		close_all();
		open_all();
		read_log(log, true);
		assert_int_equal(outcomes_row(store, OUTCOMES_BACKOFF, key,
		    arena, &again, &why), 1);
		assert_true(slice_eq(first, again));
	}
}

static void
what_is_tried_again_counts_once(void **state)
{
	(void)state;
	accept_mail("acme", "", "AAAA1", "dest.example", 3);
	read_log(NO("01:00:00", "AAAA1", "u0@dest.example")
	    NO("01:05:00", "AAAA1", "u0@dest.example")
	    NO("01:15:00", "AAAA1", "u0@dest.example"), true);
	assert_string_equal(ACME(1, 15, 1), "");
}

static void
only_words_of_other_servers_count(void **state)
{
	(void)state;
	accept_mail("acme", "", "AAAA1", "dest.example", 12);
	read_log(
	    LINE("01:00:00", "AAAA1", "u0@dest.example", "none",
	    "delivery temporarily suspended: " SAID)
	    LINE("01:00:00", "AAAA1", "u1@dest.example", "none",
	    "delivery temporarily suspended: " SAID)
	    LINE("01:00:01", "AAAA1", "u2@dest.example", "none",
	    "mail transport unavailable: unusual rate")
	    LINE("01:00:01", "AAAA1", "u3@dest.example", "none",
	    "unusual rate host " MX " said: 421")
	    /* our own smart host */
	    LINE("01:00:02", "AAAA1", "u4@dest.example",
	    "hop.example[198.51.100.1]:25", "host hop.example[198.51.100.1] "
	    "said: 421 4.7.28 unusual rate")
	    LINE("01:00:02", "AAAA1", "u5@dest.example",
	    "hop.example[198.51.100.1]:25", "host hop.example[198.51.100.1] "
	    "said: 421 4.7.28 unusual rate")
	    NO("01:00:03", "AAAA1", "u6@dest.example"), true);
	assert_string_equal(ACME(1, 0, 4), "");
	/* a banner is an answer */
	read_log(LINE("01:00:04", "AAAA1", "u7@dest.example", MX ":25", "host "
	    MX " refused to talk to me: 421 unusual rate"), true);
	assert_string_equal(ACME(1, 0, 4), "wait");
}

static void
connections_count_for_rules_that_ask_for_them(void **state)
{
#define LOST(clock, to, text) LINE(clock, "AAAA1", to, "none", text)
	(void)state;
	accept_mail("acme", "", "AAAA1", "dest.example", 8);
	read_log(LOST("01:00:00", "u0@dest.example", "connect to " MX ":25: "
	    "Connection timed out")
	    LOST("01:00:00", "u1@dest.example", "lost connection with " MX
	    " while sending RCPT TO")
	    LOST("01:00:00", "u2@dest.example", "delivery temporarily "
	    "suspended: connect to " MX ":25: Connection timed out")
	    LOST("01:00:00", "u3@dest.example", "connect to hop.example"
	    "[198.51.100.1]:25: Connection timed out")
	    NO("01:00:01", "AAAA1", "u4@dest.example"), true);
	assert_string_equal(ACME(1, 0, 2), "");
	read_log(LOST("01:00:03", "u5@dest.example", "conversation with " MX
	    " timed out while sending message body"), true);
	assert_string_equal(ACME(1, 0, 4), "away");
}

static void
what_left_the_window_counts_no_more(void **state)
{
	(void)state;
	accept_mail("acme", "", "AAAA1", "dest.example", 4);
	read_log(NO("01:00:00", "AAAA1", "u0@dest.example")
	    NO("02:01:00", "AAAA1", "u1@dest.example"), true);
	assert_string_equal(ACME(2, 1, 1), "");
	/* a line that comes late counts where it belongs */
	read_log(NO("01:30:00", "AAAA1", "u2@dest.example"), true);
	assert_string_equal(ACME(1, 30, 1), "wait");
	/* it began at 01:30, when two were in the hour */
	assert_string_equal(ACME(2, 1, 1), "");
}

static void
while_it_lasts_nothing_counts_and_then_anew(void **state)
{
	(void)state;
	accept_mail("acme", "", "AAAA1", "dest.example", 9);
	read_log(NO("01:00:00", "AAAA1", "u0@dest.example")
	    NO("01:00:00", "AAAA1", "u1@dest.example")
	    NO("01:05:00", "AAAA1", "u2@dest.example")
	    NO("01:29:59", "AAAA1", "u3@dest.example"), true);
	assert_string_equal(ACME(1, 29, 59), "wait");
	/* "slow" counts them all: four within the hour */
	assert_string_equal(ACME(1, 30, 0), "slow");
	assert_string_equal(ACME(3, 29, 59), "");
	read_log(NO("01:31:00", "AAAA1", "u4@dest.example"), true);
	assert_string_equal(ACME(1, 31, 1), "slow");
	read_log(NO("01:32:00", "AAAA1", "u5@dest.example"), true);
	assert_string_equal(ACME(1, 32, 1), "wait");
	assert_string_equal(ACME(2, 2, 0), "slow");
}

static void
an_address_is_counted_instead_of_its_tenants(void **state)
{
	(void)state;
	accept_mail("acme", "192.0.2.25", "AAAA1", "gmail.com", 2);
	accept_mail("other", "192.0.2.25", "BBBB1", "gmail.com", 2);
	read_log(NO("01:00:00", "AAAA1", "u0@gmail.com")
	    NO("01:00:00", "BBBB1", "u0@gmail.com"), true);
	assert_string_equal(in_force(NULL, "192.0.2.25", "google",
	    AT(1, 0, 1)), "wait");
	assert_string_equal(in_force("acme", NULL, "google", AT(1, 0, 1)),
	    "");
	assert_string_equal(in_force(NULL, "192.0.2.26", "google",
	    AT(1, 0, 1)), "");
}

static void
a_lift_counts_anew_and_twice_is_once(void **state)
{
	struct backoff_lift lift = { .whose = SLICE("acme"),
		.time = AT(1, 10, 0) }, other = lift;

	(void)state;
	accept_mail("acme", "", "AAAA1", "dest.example", 9);
	read_log(NO("01:00:00", "AAAA1", "u0@dest.example")
	    NO("01:00:00", "AAAA1", "u1@dest.example"), true);
	other.to = SLICE("google");
	must(outcomes_backoff_lift(store, &other, &why));
	other = (struct backoff_lift){ .address = true,
	    .whose = SLICE("acme"), .time = AT(1, 10, 0) };
	must(outcomes_backoff_lift(store, &other, &why));
	assert_string_equal(ACME(1, 10, 1), "wait");
	lift.to = SLICE("dest.example");
	must(outcomes_backoff_lift(store, &lift, &why));
	assert_string_equal(ACME(1, 10, 1), "");
	read_log(NO("01:11:00", "AAAA1", "u2@dest.example"), true);
	assert_string_equal(ACME(1, 11, 1), "");
	/* a restart reads the desk from its beginning: one still counts */
	must(outcomes_backoff_lift(store, &lift, &why));
	read_log(NO("01:12:00", "AAAA1", "u3@dest.example"), true);
	assert_string_equal(ACME(1, 12, 1), "wait");
	/* and what began behind the lift stands against it */
	must(outcomes_backoff_lift(store, &lift, &why));
	assert_string_equal(ACME(1, 12, 1), "wait");
}

/* pruned - a round of the pruner at that moment; how many rows are left */
static int
pruned(int64_t now)
{
	struct prune_keep keep = { .now = now };
	struct prune *p;
	struct db_stat st;
	size_t gone;
	int more;

	must(prune_new(&p, store, &why));
	do {
		must(outcomes_begin(store, &why));
		must(more = prune_step(p, &keep, &gone, &why));
		must(outcomes_commit(store, &why));
	} while (more == 1);
	prune_free(p);
	must(db_stat(outcomes_db(store), &st, &why));
	return (int)st.entries[T_THEIRS + OUTCOMES_BACKOFF];
}

static void
rows_of_long_ago_go_and_others_stay(void **state)
{
	uint64_t n;

	(void)state;
	accept_mail("acme", "", "AAAA1", "dest.example", 2);
	accept_mail("calm", "", "BBBB1", "dest.example", 1);
	read_log(NO("01:00:00", "AAAA1", "u0@dest.example")
	    NO("01:00:00", "AAAA1", "u1@dest.example")
	    NO("02:00:00", "BBBB1", "u0@dest.example"), true);
	/* in force, or counted a day ago: it stays */
	assert_int_equal(pruned(AT(1, 0, 1)), 2);
	assert_int_equal(pruned(AT(1, 0, 0) + 2 * CLOCK_DAY - 1), 2);
	assert_int_equal(pruned(AT(1, 0, 0) + 2 * CLOCK_DAY), 1);
	assert_int_equal(pruned(AT(2, 0, 0) + 2 * CLOCK_DAY), 0);
	must(outcomes_counter(store, "pruned backoff", &n, &why));
	assert_int_equal(n, 2);
}

static void
a_row_that_makes_no_sense_is_begun_anew(void **state)
{
	struct backoff_row row;
	uint8_t id[BACKOFF_KEY];
	struct slice value;

	(void)state;
	backoff_key(false, hash_id("tenant", SLICE("acme")), true,
	    SLICE("dest.example"), id);
	must(outcomes_begin(store, &why));
	must(outcomes_put(store, OUTCOMES_BACKOFF, (struct slice){
	    (char *)id, sizeof(id) }, SLICE("\1\2what is this"), &why));
	must(outcomes_commit(store, &why));
	assert_string_equal(ACME(1, 0, 0), "");
	accept_mail("acme", "", "AAAA1", "dest.example", 2);
	read_log(NO("01:00:00", "AAAA1", "u0@dest.example")
	    NO("01:00:00", "AAAA1", "u1@dest.example"), true);
	assert_string_equal(ACME(1, 0, 1), "wait");
	assert_int_equal(outcomes_row(store, OUTCOMES_BACKOFF, (struct slice){
	    (char *)id, sizeof(id) }, arena, &value, &why), 1);
	must(backoff_decode(value, &row, &why));
	assert_true(slice_is(row.whose, "acme"));
	assert_true(slice_is(row.to, "dest.example"));
}

static void
a_bounce_counts_whoever_told_it_first(void **state)
{
#define BOUNCED(clock, to) \
	"Nov 21 " clock " gw postfix/smtp[1]: AAAA1: to=<" to ">, relay=" MX \
	":25, delay=1, dsn=5.7.1, status=bounced (host " MX " said: 550 " \
	"5.7.1 unusual rate (in reply to RCPT TO command))\n"
	struct outcome x = { .time = AT(1, 0, 0), .kind = OUTCOME_BOUNCED,
		.source = OUTCOME_DSN, .event = 1, .queue_id = SLICE("AAAA1"),
		.recipient = SLICE("u0@dest.example"), .delay = -1,
		.reply = SLICE("host " MX " said: 550 5.7.1 unusual rate") };

	(void)state;
	accept_mail("acme", "", "AAAA1", "dest.example", 4);
	read_log("", true);
	must(outcomes_begin(store, &why));
	assert_int_equal(outcomes_add(store, &x, &why), 1);
	must(outcomes_commit(store, &why));
	read_log(BOUNCED("01:00:01", "u1@dest.example"), true);
	/* the mail that reports is no word of a server */
	assert_string_equal(ACME(1, 0, 2), "");
	read_log(BOUNCED("01:00:02", "u0@dest.example"), true);
	assert_string_equal(ACME(1, 0, 3), "wait");
	assert_string_equal(in_force("", NULL, "dest.example", AT(1, 0, 3)),
	    "");
}

static void
what_the_log_tells_twice_counts_once(void **state)
{
	(void)state;
	accept_mail("acme", "", "AAAA1", "dest.example", 4);
	for (int i = 0; i < 3; i++)
		read_log(BOUNCED("01:00:01", "u1@dest.example"), true);
	assert_string_equal(ACME(1, 0, 2), "");
}

static void
without_rules_nothing_is_counted(void **state)
{
	(void)state;
	join_backoffs(join, NULL);
	accept_mail("acme", "", "AAAA1", "dest.example", 2);
	read_log(NO("01:00:00", "AAAA1", "u0@dest.example")
	    NO("01:00:00", "AAAA1", "u1@dest.example"), true);
	assert_string_equal(ACME(1, 0, 1), "");
}

int
main(void)
{
#define CASE(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(enough_answers_begin_it_and_it_ends_by_itself),
		CASE(a_log_read_again_or_lost_in_a_crash_changes_nothing),
		CASE(what_is_tried_again_counts_once),
		CASE(only_words_of_other_servers_count),
		CASE(connections_count_for_rules_that_ask_for_them),
		CASE(what_left_the_window_counts_no_more),
		CASE(while_it_lasts_nothing_counts_and_then_anew),
		CASE(an_address_is_counted_instead_of_its_tenants),
		CASE(a_lift_counts_anew_and_twice_is_once),
		CASE(rows_of_long_ago_go_and_others_stay),
		CASE(a_row_that_makes_no_sense_is_begun_anew),
		CASE(a_bounce_counts_whoever_told_it_first),
		CASE(what_the_log_tells_twice_counts_once),
		CASE(without_rules_nothing_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
