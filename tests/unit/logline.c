/*
 * Lines of Postfix logs: each field in its place, times without a year, and
 * what strangers write where it looks like fields.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "reputation/logline.h"

#define SECOND	INT64_C(1000000)
#define NOW	(INT64_C(1795262400) * SECOND)	/* 2026-11-21 12:00 UTC */

#define T	"Nov 21 02:31:07 gw "
#define SENT	": 4jWbmW5m0mz1bw1v: to=<b@dest.example>, relay=mx.dest.example" \
		"[192.0.2.1]:25, delay=0.02, delays=0.01/0.01/0/0, " \
		"dsn=2.0.0, status=sent (250 2.0.0 Ok)"

static const struct row {
	const char	*name, *line;
	enum logline_kind kind;
	const char	*daemon, *id, *to, *orig, *relay, *dsn, *status, *text;
	const char	*from, *other;	/* sasl, message_id, notice */
	int64_t		 delay;		/* us; 0: not asked */
} rows[] = {
	{ "a delivery", T "postfix/smtp[16417]" SENT, .kind = LOGLINE_DELIVERY,
	  "smtp", "4jWbmW5m0mz1bw1v", "b@dest.example", NULL,
	  "mx.dest.example[192.0.2.1]:25", "2.0.0", "sent", "250 2.0.0 Ok",
	  .delay = 20000 },
	{ "a pool of its own", T "postfix/poolb/smtp[1]" SENT,
	  .kind = LOGLINE_DELIVERY, "smtp", .status = "sent" },
	{ "another syslog_name", T "postfix-polite/smtp[1]" SENT,
	  .kind = LOGLINE_DELIVERY, "smtp", .status = "sent" },
	{ "ISO time with a zone",
	  "2026-11-21T03:31:07.000000+01:00 gw postfix/smtp[1]" SENT,
	  .kind = LOGLINE_DELIVERY, "smtp", .status = "sent" },
	{ "ISO time in UTC",
	  "2026-11-21T02:31:07Z gw postfix/smtp[1]" SENT,
	  .kind = LOGLINE_DELIVERY, "smtp", .status = "sent" },
	{ "a bounce whose text speaks of status", T "postfix/smtp[1]: "
	  "4jWbmW5m0mz1bw1v: to=<b@d.example>, orig_to=<a@t.example>, "
	  "relay=mx[1.2.3.4]:25, conn_use=3, delay=4.2, delays=4.2/0/0/0, "
	  "tls=verified, dsn=5.1.1, status=bounced (host mx[1.2.3.4] said: "
	  "550 5.1.1 no, dsn=2.0.0, status=sent (250 ok) (in reply to RCPT))",
	  .kind = LOGLINE_DELIVERY, "smtp", NULL, "b@d.example", "a@t.example",
	  "mx[1.2.3.4]:25", "5.1.1", "bounced", "host mx[1.2.3.4] said: 550 "
	  "5.1.1 no, dsn=2.0.0, status=sent (250 ok) (in reply to RCPT)",
	  .delay = 4200000 },
	{ "a recipient that looks like fields", T "postfix/smtp[1]: ABCDEF0: "
	  "to=<\"x>, relay=none, dsn=2.0.0, status=sent (\\\"y\"@d.example>, "
	  "relay=none, delay=1, dsn=5.4.4, status=bounced (no such host)",
	  .kind = LOGLINE_DELIVERY, "smtp", "ABCDEF0",
	  "\"x>, relay=none, dsn=2.0.0, status=sent (\\\"y\"@d.example", NULL,
	  "none", "5.4.4", "bounced", "no such host", .delay = SECOND },
	{ "an odd quote in a recipient", T "postfix/smtp[1]: ABCDEF0: "
	  "to=<o\"x@d.example>, relay=none, delay=1, dsn=4.4.1, "
	  "status=deferred (connect to d.example[1.2.3.4]:25: refused)",
	  .kind = LOGLINE_DELIVERY, "smtp", NULL, "o\"x@d.example", .status =
	  "deferred" },
	{ "delivered here", T "postfix/local[1]: 0123456789AB: to=<r@l>, "
	  "relay=local, delay=0.1, dsn=2.0.0, status=sent (delivered to "
	  "mailbox)", .kind = LOGLINE_DELIVERY, "local", .relay = "local",
	  .delay = 100000 },
	{ "an expiry", T "postfix/qmgr[1]: 4jWbmY40cQz1bw20: "
	  "from=<a@t1.example>, status=expired, returned to sender",
	  .kind = LOGLINE_EXPIRED, "qmgr", "4jWbmY40cQz1bw20",
	  .from = "a@t1.example" },
	{ "an expiry by hand", T "postfix/qmgr[1]: 4jWbmY40cQz1bw20: "
	  "from=<a@t1.example>, status=force-expired, returned to sender",
	  .kind = LOGLINE_EXPIRED, "qmgr" },
	{ "a sender who would like to be expired", T "postfix/qmgr[1]: "
	  "4jWbmY40cQz1bw20: from=<\"a>, status=expired\"@t1.example>, "
	  "size=1, nrcpt=1 (queue active)", .kind = LOGLINE_QUEUED, "qmgr",
	  .from = "\"a>, status=expired\"@t1.example" },
	{ "a report in the queue", T "postfix/qmgr[1]: 4jWbmW5swPz1bw1y: "
	  "from=<>, size=2237, nrcpt=1 (queue active)", .kind = LOGLINE_QUEUED,
	  "qmgr", .from = "" },
	{ "the end", T "postfix/qmgr[1]: 4jWbmW5swPz1bw1y: removed",
	  .kind = LOGLINE_REMOVED, "qmgr", "4jWbmW5swPz1bw1y" },
	{ "the end, by hand", T "postfix/postsuper[1]: 4jWbmW5swPz1bw1y: "
	  "removed", .kind = LOGLINE_DELETED, "postsuper" },
	{ "a new queue id", T "postfix/pickup[1]: 4jWbmW5swPz1bw1y: uid=0 "
	  "from=<a@t> orig_id=4jWbmW5m0mz1bw1v", .kind = LOGLINE_REQUEUED,
	  "pickup", "4jWbmW5swPz1bw1y", .other = "4jWbmW5m0mz1bw1v" },
	{ "a notification", T "postfix/bounce[1]: 4jWbmW5m0mz1bw1v: sender "
	  "non-delivery notification: 4jWbmW5swPz1bw1y", .kind = LOGLINE_NOTICE,
	  "bounce", .other = "4jWbmW5swPz1bw1y" },
	{ "a client", T "postfix/submission/smtpd[1]: 4jWbhJ3sqfz1bw0N: "
	  "client=localhost[127.0.0.1], sasl_method=PLAIN, "
	  "sasl_username=user1@t1.example", .kind = LOGLINE_CLIENT, "smtpd",
	  .other = "user1@t1.example" },
	{ "a Message-ID", T "postfix/cleanup[1]: 4jWbhJ3sqfz1bw0N: "
	  "message-id=<m1@t1.example>", .kind = LOGLINE_MESSAGE_ID, "cleanup",
	  .other = "<m1@t1.example>" },
	{ "a hold", T "postfix/cleanup[1]: 4jWbhp4jNKz1bw0w: milter-hold: "
	  "END-OF-MESSAGE from h[1.2.3.4]: milter triggers HOLD action; "
	  "from=<a@t> to=<b@d> proto=ESMTP helo=<c>", .kind = LOGLINE_MILTER,
	  "cleanup" },
	{ "a soft bounce", T "postfix/smtp[1]: ABCDEF0: to=<b@d>, relay=none, "
	  "delay=1, dsn=5.0.0, status=SOFTBOUNCE (no)", .kind = LOGLINE_DELIVERY,
	  "smtp", .status = "SOFTBOUNCE" },
	{ "no text", T "postfix/smtp[1]: ABCDEF0: to=<b@d>, relay=none, "
	  "delay=1, dsn=2.0.0, status=sent", .kind = LOGLINE_DELIVERY, "smtp",
	  .status = "sent" },
	{ "a transport that does not answer", T "postfix/qmgr[1]: ABCDEF0: "
	  "to=<b@d>, relay=none, delay=1, delays=1/0/0/0, dsn=4.3.0, "
	  "status=deferred (mail transport unavailable)", .kind = LOGLINE_DELIVERY,
	  "qmgr", .status = "deferred" },
	{ "a delivery without a status", T "postfix/smtp[1]: ABCDEF0: "
	  "to=<b@d>, relay=none, delay=1", .kind = LOGLINE_STRANGE, "smtp" },
	{ "a connection", T "postfix/smtpd[1]: connect from l[127.0.0.1]",
	  .kind = LOGLINE_OTHER, "smtpd" },
	{ "a warning", T "postfix/smtpd[1]: warning: dict_nis_init: NIS",
	  .kind = LOGLINE_OTHER, "smtpd" },
	{ "no queue id", T "postfix/smtpd[1]: NOQUEUE: milter-reject: RCPT "
	  "from l[1.1.1.1]: 451 4.7.1 x; from=<a> to=<b>", .kind = LOGLINE_OTHER },
	{ "another program", T "dovecot: imap-login: Login: user=<a>",
	  .kind = LOGLINE_OTHER },
	{ "the kernel", T "kernel: [1.0] to=<a>, status=sent (x)",
	  .kind = LOGLINE_OTHER },
	{ "a repetition", T "last message repeated 3 times", .kind = LOGLINE_OTHER },
};

/* same - a slice against what is wanted of it */
static void
same(const struct row *r, const char *what, struct slice got, const char *want)
{
	if (want != NULL && (got.p == NULL || !slice_is(got, want)))
		fail_msg("%s: %s: got \"%.*s\" want \"%s\"", r->name, what,
		    SLICE_ARG(got), want);
}

static void
each_field_is_found_in_its_place(void **state)
{
	struct logline_clock clock = { .now = NOW, .zone = zone_utc() };
	struct logline l;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];

		if (!logline_parse(slice_of(r->line), &clock, &l))
			fail_msg("%s: no line of a log", r->name);
		if (l.kind != r->kind)
			fail_msg("%s: got %s want %s", r->name,
			    logline_kind_names[l.kind],
			    logline_kind_names[r->kind]);
		assert_true(l.time == NOW - 34133 * SECOND);
		same(r, "daemon", l.daemon, r->daemon);
		same(r, "queue id", l.queue_id, r->id);
		same(r, "to", l.to, r->to);
		same(r, "orig_to", l.orig_to, r->orig);
		same(r, "relay", l.relay, r->relay);
		same(r, "dsn", l.dsn, r->dsn);
		same(r, "status", l.status, r->status);
		same(r, "text", l.text, r->text);
		same(r, "from", l.from, r->from);
		same(r, "other", l.kind == LOGLINE_CLIENT ? l.sasl :
		    l.notice.p != NULL ? l.notice : l.message_id,
		    r->other);
		if (r->delay != 0 && r->delay != l.delay)
			fail_msg("%s: delay %lld", r->name,
			    (long long)l.delay);
	}
}

static void
a_time_without_a_year_is_the_latest_that_can_be(void **state)
{
	static const struct {
		const char	*name, *time;
		int64_t		 now, want;	/* seconds */
	} times[] = {
		{ "today", "Nov 21 02:27:26", 1795262400, 1795228046 },
		{ "tomorrow within a day", "Nov 22 11:00:00", 1795262400,
		  1795345200 },
		{ "in two days is last year", "Nov 23 12:00:01", 1795262400,
		  1763899201 },
		{ "New Year, read just after", "Dec 31 23:59:59", 1798761601,
		  1798761599 },
		{ "New Year, read just before", "Jan  1 00:00:00", 1798761590,
		  1798761600 },
		{ "the 29th of February, read in 2027", "Feb 29 12:00:00",
		  1806537600, 1709208000 },
		{ "the 29th of February, on the day", "Feb 29 12:00:00",
		  1835438400, 1835438400 },
		{ "a leap second", "Dec 31 23:59:60", 1798761601,
		  1798761600 },
	};
	char line[80];
	struct logline l;

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct logline_clock clock = { .now = times[i].now * SECOND,
			.zone = zone_utc() };

		snprintf(line, sizeof(line), "%s gw postfix/master[1]: x",
		    times[i].time);
		if (!logline_parse(slice_of(line), &clock, &l))
			fail_msg("%s: refused", times[i].name);
		if (l.time != times[i].want * SECOND)
			fail_msg("%s: got %lld want %lld", times[i].name,
			    (long long)(l.time / SECOND),
			    (long long)times[i].want);
	}
}

static void
what_is_no_line_of_a_log_is_said(void **state)
{
	static const char *const lines[] = { "", "x", "Nov 21", "Nov 31 00:00:"
		"00 gw postfix/smtp[1]: x", "Foo 21 00:00:00 gw postfix/x[1]: "
		"x", "Nov 21 24:00:00 gw postfix/smtp[1]: x",
		"2026-02-29T00:00:00Z gw postfix/smtp[1]: x",
		"2026-02-28T00:00:00 gw postfix/smtp[1]: no zone",
		"Nov 21 00:00:00", "Nov 21 00:00:00 gw",
		"\t at java.lang.Thread.run" };
	struct logline_clock clock = { .now = NOW, .zone = zone_utc() };
	struct logline l;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (logline_parse(slice_of(lines[i]), &clock, &l))
			fail_msg("taken: %s", lines[i]);
}

static void
a_line_that_is_cut_anywhere_harms_nobody(void **state)
{
	struct logline_clock clock = { .now = NOW, .zone = zone_utc() };
	struct logline l;
	unsigned deliveries = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t n = 0; n <= strlen(rows[i].line); n++) {
			/* on the heap, so that a sanitizer sees its end */
			char *copy = malloc(n + 1);

			assert_non_null(copy);
			memcpy(copy, rows[i].line, n);
			(void)logline_parse((struct slice){ copy, n }, &clock,
			    &l);
			deliveries += l.kind == LOGLINE_DELIVERY;
			free(copy);
		}
	assert_true(deliveries > 100);
}

static void
a_line_of_a_megabyte_is_cut_and_understood(void **state)
{
	struct logline_clock clock = { .now = NOW, .zone = zone_utc() };
	size_t n = 1 << 20, head = strlen(rows[0].line);
	char *line = malloc(n);
	struct logline l;

	(void)state;
	assert_non_null(line);
	memset(line, 'x', n);
	memcpy(line, rows[0].line, head);
	assert_true(logline_parse((struct slice){ line, n }, &clock, &l));
	assert_true(l.kind == LOGLINE_DELIVERY && l.text.n < LOGLINE_MAX &&
	    slice_is(l.status, "sent"));
	free(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_field_is_found_in_its_place),
		cmocka_unit_test(
		    a_time_without_a_year_is_the_latest_that_can_be),
		cmocka_unit_test(what_is_no_line_of_a_log_is_said),
		cmocka_unit_test(a_line_that_is_cut_anywhere_harms_nobody),
		cmocka_unit_test(a_line_of_a_megabyte_is_cut_and_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
