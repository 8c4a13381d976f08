/*
 * Lines and events become outcomes: whose they are, what they mean, and that
 * they are the same however often and in whatever pieces the log is read.
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

#include "lib/fold.h"
#include "lib/provider.h"
#include "reputation/domain.h"
#include "reputation/join.h"
#include "reputation/outcome_in.h"

#define MAP	(UINT64_C(64) << 20)
#define SECOND	INT64_C(1000000)
#define NOW	(INT64_C(1795262400) * SECOND)	/* 2026-11-21 12:00 UTC */
#define T0	(NOW - 12 * 3600 * SECOND)	/* midnight */

static char folder[64], dir[2][80];
static struct store *gate;
static struct outcomes *store;
static struct classifier *classifier;
static struct join *join;
static struct arena *arena;
static struct why why;

static const struct join_instance instances[] = {
	{ SLICE("postfix-two"), SLICE("two") },
};
static const struct slice relays[] = { SLICE("hop.example"),
	SLICE("mx.smart.example:587") };
static const struct join_rules rules = { SLICE(""), instances, 1, relays, 2 };

/* must - or the reason */
static void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s", why.text);
}

/* open_all - a gate, a store, and what joins them */
static void
open_all(void)
{
	must(store_open(&gate, dir[0], MAP, &why));
	must(outcomes_open(&store, dir[1], MAP, &why));
	must(join_new(&join, store, classifier, &rules, &why));
}

/* close_all - and back on disk */
static void
close_all(void)
{
	join_free(join);
	outcomes_close(store);
	store_close(gate);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/penstock-join.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(dir[0], sizeof(dir[0]), "%s/gate", folder);
	snprintf(dir[1], sizeof(dir[1]), "%s/outcomes", folder);
	arena = arena_new(4096, 0);
	must(provider_init(&why));
	must(fold_init(&why));
	must(classifier_builtin(&classifier, &why));
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

/* event - the gate accepted this for tenant acme; recipients end with NULL */
static uint64_t
event(enum event_kind kind, uint64_t voids, const char *instance,
    const char *queue_id, int64_t time, const char *const *rcpts)
{
	struct event_recipient list[8];
	struct event e = { .kind = kind, .count = 1, .voids = voids,
		.instance = slice_of(instance), .tenant = SLICE("acme"),
		.stream = SLICE("news"), .address = SLICE("192.0.2.25"),
		.queue_id = slice_of(queue_id), .recipients = list,
		.mail_from = SLICE("a@acme.example") };
	struct buf b = BUF_INIT;
	uint64_t seq = 0;

	for (; *rcpts != NULL; rcpts++)
		list[e.nrecipients++] = (struct event_recipient){
			.address = slice_of(*rcpts),
			.local = strstr(*rcpts, "@here.example") != NULL };
	event_encode(&e, &b);
	must(store_begin(gate, &why));
	must(store_append(gate, buf_slice(&b), time, e.queue_id, &seq, &why));
	must(store_commit(gate, &why));
	buf_free(&b);
	return seq;
}
#define RCPTS(...)	((const char *const[]){ __VA_ARGS__, NULL })
#define ACCEPT(id, time, ...) \
	event(EVENT_ACCEPT, 0, "", id, time, RCPTS(__VA_ARGS__))

/* read_log - lines that end with '\n', committed after each "every" lines */
static void
read_log(const char *log, unsigned every)
{
	struct logline_clock clock = { .now = NOW, .zone = zone_utc() };
	struct logline l;
	size_t got;

	must(outcomes_begin(store, &why));
	must(join_events(join, gate, JOIN_ALL, SIZE_MAX, &got, &why));
	for (unsigned n = 1; *log != '\0'; n++) {
		struct slice line = { log, strcspn(log, "\n") };

		log += line.n + 1;
		(void)logline_parse(line, &clock, &l);
		must(join_line(join, gate, &l, line, &why));
		if (n % every == 0) {
			must(join_flush(join, &why));
			must(outcomes_commit(store, &why));
			must(outcomes_begin(store, &why));
		}
	}
	must(join_flush(join, &why));
	must(outcomes_commit(store, &why));
}

/* told - every outcome: "event kind recipient domain/provider category\n" */
static const char *
told(void)
{
	static struct buf b;
	struct outcome list[64];
	size_t n;

	buf_reset(&b);
	arena_reset(arena);
	must(outcomes_read(store, 1, 64, arena, list, &n, &why));
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%u %s %.*s %.*s %.*s\n",
		    (unsigned)list[i].event, outcome_kind_names[list[i].kind],
		    SLICE_ARG(list[i].recipient), SLICE_ARG(list[i].provider),
		    SLICE_ARG(list[i].category));
	buf_char(&b, '\0');
	return b.data;
}

/* same - what was told against what is wanted */
static void
same(const char *want)
{
	const char *got = told();

	if (strcmp(got, want) != 0)
		fail_msg("got:\n%swant:\n%s", got, want);
}

/* count - one of the counters */
static uint64_t
count(const char *name)
{
	uint64_t n;

	must(outcomes_counter(store, name, &n, &why));
	return n;
}

#define T(clock) "Nov 21 " clock " gw postfix/"
#define TO(clock, id, to, rest) \
	T(clock) "smtp[1]: " id ": to=<" to ">, " rest "\n"
#define MX	"relay=mx.dest.example[198.51.100.9]:25, delay=1, "
#define SENT	MX "dsn=2.0.0, status=sent (250 Ok)"
#define LATER	MX "dsn=4.2.2, status=deferred (host mx.dest.example" \
		"[198.51.100.9] said: 452 4.2.2 mailbox full (in reply to " \
		"RCPT TO command))"
#define UNKNOWN	MX "dsn=5.1.1, status=bounced (host mx.dest.example" \
		"[198.51.100.9] said: 550 5.1.1 <x@y>: user unknown (in " \
		"reply to RCPT TO command))"
#define GONE(clock, id) T(clock) "qmgr[1]: " id ": removed\n"

static const char day[] =
	T("01:00:01") "smtpd[1]: AAAA1: client=l[127.0.0.1], "
	"sasl_username=a\n"
	T("01:00:01") "qmgr[1]: AAAA1: from=<a@acme.example>, size=1, nrcpt=3 "
	"(queue active)\n"
	TO("01:00:02", "AAAA1", "B@Dest.Example", SENT)
	TO("01:00:02", "AAAA1", "c@dest.example", UNKNOWN)
	TO("01:00:02", "AAAA1", "d@gmail.com", LATER)
	T("01:00:03") "bounce[1]: AAAA1: sender non-delivery notification: "
	"BBBB1\n"
	T("01:00:03") "qmgr[1]: BBBB1: from=<>, size=1, nrcpt=1 (queue "
	"active)\n"
	TO("01:00:03", "BBBB1", "a@acme.example", UNKNOWN)
	GONE("01:00:03", "BBBB1")
	TO("02:00:02", "AAAA1", "d@gmail.com", LATER)
	TO("03:00:02", "AAAA1", "d@gmail.com", SENT)
	GONE("03:00:02", "AAAA1")
	TO("03:10:00", "CCCC1", "z@dest.example", SENT)
	GONE("03:10:00", "CCCC1");
static const char day_told[] =
	"1 delivered B@Dest.Example other \n"
	"1 bounced c@dest.example other recipient_unknown\n"
	"1 deferred d@gmail.com google quota\n"
	"1 delivered d@gmail.com google \n";

/* read_beside - like read_log, with events only as far as each line needs */
static void
read_beside(const char *log)
{
	struct logline_clock clock = { .now = NOW, .zone = zone_utc() };
	struct logline l;
	size_t got;

	must(outcomes_begin(store, &why));
	join_look(join);
	for (; *log != '\0'; log += strcspn(log, "\n") + 1) {
		struct slice line = { log, strcspn(log, "\n") };

		(void)logline_parse(line, &clock, &l);
		if (join_needs(&l))
			must(join_events(join, gate, l.time, SIZE_MAX, &got,
			    &why));
		must(join_line(join, gate, &l, line, &why));
	}
	must(join_flush(join, &why));
	must(outcomes_commit(store, &why));
}

static void
events_beside_the_lines_say_the_same_as_all_before(void **state)
{
	static const char log[] =
		TO("01:00:01", "AAAA1", "b@dest.example", SENT)
		GONE("01:00:01", "AAAA1")
		TO("05:00:00", "AAAA1", "b@dest.example", UNKNOWN)
		TO("05:00:09", "AAAA1", "c@dest.example", SENT)
		TO("05:00:20", "AAAA1", "b@dest.example", SENT);
	static const char told_so[] =
		"1 delivered b@dest.example other \n"
		"2 delivered c@dest.example other \n"
		"2 delivered b@dest.example other \n";

	(void)state;
	/* the id comes again; the gate's clock is 4 s ahead of the log's */
	ACCEPT("AAAA1", T0 + 3605 * SECOND, "b@dest.example");
	ACCEPT("AAAA1", T0 + (5 * 3600 + 13) * SECOND, "b@dest.example",
	    "c@dest.example");
	ACCEPT("AAAA1", T0 + 9 * 3600 * SECOND, "b@dest.example");
	read_beside(log);
	same(told_so);
	/* the line of 05:00:00 is nobody's: 13 s are too much */
	assert_int_equal(count("foreign"), 1);
	assert_int_equal(count("events"), 2);
	/* and the whole of it again, all events first */
	read_log(log, 2);
	same(told_so);
	assert_int_equal(count("events"), 3);
	assert_int_equal(count("foreign"), 1);
}

static void
each_recipient_gets_its_outcome(void **state)
{
	(void)state;
	ACCEPT("AAAA1", T0 + 3601 * SECOND, "b@dest.example",
	    "c@dest.example", "d@gmail.com");
	read_log(day, 1000);
	same(day_told);
	assert_int_equal(count("foreign"), 1);
	assert_int_equal(count("notices"), 1);
	assert_int_equal(count("strange log"), 0);
}

static void
a_log_read_twice_or_in_pieces_says_the_same(void **state)
{
	(void)state;
	ACCEPT("AAAA1", T0 + 3601 * SECOND, "b@dest.example",
	    "c@dest.example", "d@gmail.com");
	for (unsigned every = 1; every < 6; every++)
		read_log(day, every);
	close_all();
	open_all();
	read_log(day + sizeof(day) / 2, 2);	/* begins within a line */
	same(day_told);
	assert_int_equal(count("foreign"), 1);
	assert_int_equal(count("notices"), 1);
}

static void
an_expiry_ends_who_is_open(void **state)
{
	static const char log[] =
		TO("01:00:02", "AAAA1", "b@dest.example", SENT)
		TO("01:00:02", "AAAA1", "c@dest.example", LATER)
		T("06:00:00") "qmgr[1]: AAAA1: from=<a@acme.example>, "
		"status=expired, returned to sender\n"
		T("06:00:00") "bounce[1]: AAAA1: sender non-delivery "
		"notification: BBBB1\n"
		GONE("06:00:00", "AAAA1");

	(void)state;
	/* of d the log said nothing: it is open, too */
	ACCEPT("AAAA1", T0 + 3601 * SECOND, "b@dest.example",
	    "c@dest.example", "d@dest.example");
	read_log(log, 2);
	read_log(log, 1);
	same("1 delivered b@dest.example other \n"
	    "1 deferred c@dest.example other quota\n"
	    "1 expired c@dest.example other quota\n"
	    "1 expired d@dest.example other network_expired\n");
}

static void
what_postsuper_deletes_is_final(void **state)
{
	(void)state;
	ACCEPT("AAAA1", T0 + 3601 * SECOND, "b@dest.example");
	read_log(TO("01:00:02", "AAAA1", "b@dest.example", LATER)
	    T("02:00:00") "postsuper[9]: AAAA1: removed\n", 1);
	same("1 deferred b@dest.example other quota\n"
	    "1 deleted b@dest.example other quota\n");
}

static void
a_message_that_is_requeued_keeps_its_event(void **state)
{
	static const char log[] =
		TO("01:00:02", "AAAA1", "b@dest.example", SENT)
		TO("01:00:02", "AAAA1", "c@dest.example", LATER)
		T("02:00:00") "pickup[1]: DDDD1: uid=0 from=<a@acme.example> "
		"orig_id=AAAA1\n"
		TO("02:00:02", "DDDD1", "c@dest.example", SENT);

	(void)state;
	ACCEPT("AAAA1", T0 + 3601 * SECOND, "b@dest.example",
	    "c@dest.example");
	read_log(log, 1);
	read_log(log, 3);
	same("1 delivered b@dest.example other \n"
	    "1 deferred c@dest.example other quota\n"
	    "1 delivered c@dest.example other \n");
}

static void
a_queue_id_that_comes_again_is_another_message(void **state)
{
	(void)state;
	ACCEPT("AAAA1", T0 + 3601 * SECOND, "b@dest.example");
	ACCEPT("AAAA1", T0 + 7201 * SECOND, "b@dest.example");
	read_log(TO("01:00:02", "AAAA1", "b@dest.example", SENT)
	    GONE("01:00:02", "AAAA1")
	    TO("01:30:00", "AAAA1", "x@dest.example", SENT)	/* foreign */
	    GONE("01:30:00", "AAAA1")
	    TO("02:00:02", "AAAA1", "b@dest.example", UNKNOWN)
	    GONE("02:00:02", "AAAA1"), 1);
	same("1 delivered b@dest.example other \n"
	    "2 bounced b@dest.example other recipient_unknown\n");
	assert_int_equal(count("foreign"), 1);
}

static void
instances_are_kept_apart(void **state)
{
	(void)state;
	event(EVENT_ACCEPT, 0, "two", "AAAA1", T0 + 3601 * SECOND,
	    RCPTS("b@dest.example"));
	read_log(TO("01:00:02", "AAAA1", "b@dest.example", SENT)
	    "Nov 21 01:00:03 gw postfix-two/slow/smtp[1]: AAAA1: "
	    "to=<b@dest.example>, " UNKNOWN "\n", 9);
	same("1 bounced b@dest.example other recipient_unknown\n");
	assert_int_equal(count("foreign"), 1);
}

static void
an_alias_is_the_address_that_was_accepted(void **state)
{
	static const char log[] =
		TO("01:00:02", "AAAA1", "real@dest.example",
		    "orig_to=<Alias@dest.example>, " SENT)
		TO("01:00:02", "AAAA1", "archive@dest.example", SENT);

	(void)state;
	ACCEPT("AAAA1", T0 + 3601 * SECOND, "alias@dest.example",
	    "r@here.example");
	read_log(log, 9);
	read_log(TO("01:00:02", "AAAA1", "r@here.example", "relay=local, "
	    "delay=0, dsn=2.0.0, status=sent (delivered to mailbox)"), 9);
	same("1 delivered Alias@dest.example other \n"
	    "1 delivered r@here.example unresolved \n");
	assert_int_equal(count("added"), 1);	/* always_bcc */
}

static void
what_was_taken_back_was_never_accepted(void **state)
{
	uint64_t seq;

	(void)state;
	seq = ACCEPT("AAAA1", T0 + 3601 * SECOND, "b@dest.example");
	event(EVENT_VOID, seq, "", "AAAA1", T0 + 3602 * SECOND,
	    RCPTS("b@dest.example"));
	read_log(TO("01:00:02", "AAAA1", "b@dest.example", SENT), 9);
	same("");
	assert_int_equal(count("foreign"), 1);
}

static void
a_status_that_nobody_knows_is_kept_as_a_sample(void **state)
{
	struct slice texts[OUTCOMES_SAMPLES];
	int64_t times[OUTCOMES_SAMPLES];
	size_t n;

	(void)state;
	read_log(TO("01:00:02", "AAAA1", "b@dest.example",
	    "relay=none, dsn=2.0.0, status=teleported (x)")
	    TO("01:00:02", "AAAA1", "b@dest.example",
	    "relay=none, dsn=2.0.0, status=deliverable (x)")
	    "\001\002 rubbish\n", 9);
	same("");
	assert_int_equal(count("strange log"), 2);
	must(outcomes_samples(store, "log", arena, texts, times, &n, &why));
	assert_true(n == 2 && slice_is(texts[0], "\001\002 rubbish"));
}

static void
relays_teach_the_provider_of_a_domain(void **state)
{
	static const char sent[] = ", delay=1, dsn=2.0.0, status=sent (ok)";
	char log[400];
	struct learned l;

	(void)state;
	ACCEPT("AAAA1", T0 + 3601 * SECOND, "b@corp.example",
	    "c@corp.example");
	snprintf(log, sizeof(log),
	    TO("01:00:02", "AAAA1", "b@corp.example", "relay=corp-example"
	    ".mail.protection.outlook.com[198.51.100.8]:25%s")
	    TO("01:00:02", "AAAA1", "c@corp.example", "relay=none, delay=1, "
	    "dsn=4.4.1, status=deferred (connect to x: timed out)"), sent);
	read_log(log, 1);
	same("1 delivered b@corp.example office365 \n"
	    "1 deferred c@corp.example office365 network_expired\n");
	assert_int_equal(outcomes_learned(store, SLICE("corp.example"), arena,
	    &l, &why), 1);
	assert_true(slice_is(l.provider, "office365") && l.count == 1 &&
	    slice_is(l.relay, "corp-example.mail.protection.outlook.com"));
	assert_int_equal(outcomes_learned(store, SLICE("none.example"), arena,
	    &l, &why), 0);
}

static void
a_relay_of_ours_teaches_nothing(void **state)
{
	static const struct {
		const char	*relay, *host;		/* NULL: nothing */
	} rows[] = {
		{ "mx.dest.example[198.51.100.9]:25", "mx.dest.example" },
		{ "mx.dest.example[IPv6:2001:db8::1]:25", "mx.dest.example" },
		{ "mx.dest.example[2001:db8::1]:25", "mx.dest.example" },
		{ "hop.example[198.51.100.9]:25", NULL },
		{ "HOP.example[198.51.100.9]:2525", NULL },
		{ "mx.smart.example[198.51.100.9]:587", NULL },
		{ "mx.smart.example[198.51.100.9]:25", "mx.smart.example" },
		{ "localhost[127.0.0.1]:10025", NULL },
		{ "mx.dest.example[10.1.2.3]:25", NULL },
		{ "mx.dest.example[172.20.0.2]:25", NULL },
		{ "mx.dest.example[fd00::1]:25", NULL },
		{ "mx.dest.example[::1]:25", NULL },
		{ "198.51.100.9[198.51.100.9]:25", NULL },
		{ "host[private/dovecot-lmtp]", NULL },
		{ "none", NULL }, { "local", NULL }, { "", NULL },
		{ "[", NULL }, { "x[", NULL }, { "x.y[1]", NULL },
	};
	struct slice host;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool got = domain_relay(&rules, slice_of(rows[i].relay),
		    &host);

		if (got != (rows[i].host != NULL) ||
		    (got && !slice_is(host, rows[i].host)))
			fail_msg("%s", rows[i].relay);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(events_beside_the_lines_say_the_same_as_all_before),
		CASE(each_recipient_gets_its_outcome),
		CASE(a_log_read_twice_or_in_pieces_says_the_same),
		CASE(an_expiry_ends_who_is_open),
		CASE(what_postsuper_deletes_is_final),
		CASE(a_message_that_is_requeued_keeps_its_event),
		CASE(a_queue_id_that_comes_again_is_another_message),
		CASE(instances_are_kept_apart),
		CASE(an_alias_is_the_address_that_was_accepted),
		CASE(what_was_taken_back_was_never_accepted),
		CASE(a_status_that_nobody_knows_is_kept_as_a_sample),
		CASE(relays_teach_the_provider_of_a_domain),
		CASE(a_relay_of_ours_teaches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
