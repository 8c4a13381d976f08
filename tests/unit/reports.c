/*
 * reports - mails against a gate that sent something.
 *
 * The gate's store has one message, 4XyZ1a2b3c, of tenant acme to ann and bob,
 * and one, 5one, to ann alone.  Each case is a mail and what it leads to: the
 * answer, and who is suppressed at the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "reputation/dmarc.h"
#include "reputation/outcome_in.h"
#include "reputation/quarantine.h"
#include "tests/unit/samples.h"
#include "tools/ingest/attribute.h"
#include "tools/ingest/fields.h"
#include "tools/ingest/reports.h"

#define MAP	(UINT64_C(64) << 20)
#define NOW	(INT64_C(1795600000) * CLOCK_SECOND)	/* 2026-11-25 */

static char folder[64];
static char bounce_to[80] = "b@bounce.example";
static struct store *gate;
static struct outcomes *store;
static struct classifier *rules;
static struct reports *reports, *served;
static struct arena *arena;
static struct why why;

/* must - or the reason */
static void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s", why.text);
}

/* sent - an event of the gate */
static void
sent(const char *queue_id, const char *message_id, const char *a,
    const char *b, int64_t time, bool indexed)
{
	struct event_recipient rcpts[] = {
		{ .address = slice_of(a), .domain = SLICE("far.example"),
		  .provider = SLICE("other") },
		{ .address = slice_of(b), .domain = SLICE("far.example"),
		  .provider = SLICE("other") } };
	struct event e = { .kind = EVENT_ACCEPT, .time = time,
		.queue_id = slice_of(queue_id), .tenant = SLICE("acme"),
		.stream = SLICE("news"), .mail_from = SLICE("news@acme.example"),
		.message_id = slice_of(message_id), .count = 1,
		.recipients = rcpts, .nrecipients = b[0] != '\0' ? 2 : 1 };
	struct buf b1 = BUF_INIT;

	event_encode(&e, &b1);
	must(store_begin(gate, &why));
	must(store_append(gate, buf_slice(&b1), time, e.queue_id, &e.seq,
	    &why));
	must(store_commit(gate, &why));
	buf_free(&b1);
	if (!indexed)
		return;
	must(outcomes_begin(store, &why));
	must(outcome_accept(store, &e, &why));
	must(outcomes_put_applied(store, e.seq, &why));
	must(outcomes_commit(store, &why));
}

static int
setup(void **state)
{
	struct reports_with with;
	char dir[96], keys[96];
	uint8_t number;

	(void)state;
	clock_set(NOW);
	snprintf(bounce_to, sizeof(bounce_to), "b@bounce.example");
	snprintf(folder, sizeof(folder), "/tmp/penstock-reports.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	arena = arena_new(1 << 16, 0);
	snprintf(dir, sizeof(dir), "%s/gate", folder);
	must(store_open(&gate, dir, MAP, &why));
	snprintf(dir, sizeof(dir), "%s/outcomes", folder);
	must(outcomes_open(&store, dir, MAP, &why));
	must(classifier_builtin(&rules, &why));
	snprintf(keys, sizeof(keys), "%s/token.keys", folder);
	must(token_ring_add(keys, &number, &why));
	with = (struct reports_with){ .forward = "", .token_keys = keys, .outcomes = store,
	    .gate = &gate, .classifier = &rules };
	must(reports_new(&reports, -1, &with, &why));
	sent("OLD", "<old@acme.example>", "ann@far.example", "",
	    NOW - 40 * CLOCK_DAY, true);
	sent("4XyZ1a2b3c", "<1001.news@acme.example>", "ann@far.example",
	    "bob@far.example", NOW - CLOCK_HOUR, true);
	sent("5one", "<1002.news@acme.example>", "ann@far.example", "",
	    NOW - CLOCK_HOUR, false);
	return 0;
}

/* named - a message of a token to cid, and one to cid and dan, whose
 * Message-ID nobody knows; the return path of the first or the second */
static void
named(bool two)
{
	struct event_recipient rcpts[] = {
		{ .address = SLICE("cid@far.example"),
		  .domain = SLICE("far.example"), .provider = SLICE("other") },
		{ .address = SLICE("dan@far.example"),
		  .domain = SLICE("far.example"),
		  .provider = SLICE("other") } };
	struct event e = { .kind = EVENT_ACCEPT, .time = NOW - CLOCK_HOUR,
		.queue_id = SLICE("6path"), .tenant = SLICE("acme"),
		.stream = SLICE("news"), .count = 1, .token = two ? 22 : 11,
		.return_path = SLICE("b+x@bounce.example"),
		.recipients = rcpts, .nrecipients = two ? 2 : 1 };
	struct token_short t = { .id = e.token };
	struct buf b = BUF_INIT;
	struct token_ring *ring;
	char path[96], text[TOKEN_SHORT + 1];

	event_encode(&e, &b);
	must(store_begin(gate, &why));
	must(store_append(gate, buf_slice(&b), e.time, e.queue_id, &e.seq,
	    &why));
	must(store_commit(gate, &why));
	buf_free(&b);
	snprintf(path, sizeof(path), "%s/token.keys", folder);
	must(token_ring_load(&ring, path, &why));
	must(token_short_make(ring, &t, text, &why));
	token_ring_free(ring);
	snprintf(bounce_to, sizeof(bounce_to), "B+%s@bounce.example", text);
	for (char *c = bounce_to; *c != '\0'; c++)	/* any case comes back */
		if (*c >= 'a' && *c <= 'm')
			*c = (char)(*c - 'a' + 'A');
}

static int
teardown(void **state)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock", "" };
	static const char *const dirs[] = { "gate", "outcomes", "" };
	char path[192];

	(void)state;
	snprintf(path, sizeof(path), "%s/token.keys", folder);
	unlink(path);
	reports_free(reports);
	classifier_free(rules);
	outcomes_close(store);
	store_close(gate);
	arena_free(arena);
	for (size_t d = 0; d < 3; d++)
		for (size_t f = 0; f < 4; f++) {
			snprintf(path, sizeof(path), "%s/%s/%s", folder,
			    dirs[d], files[f]);
			if (files[f][0] != '\0')
				unlink(path);
			else
				rmdir(path);
		}
	clock_set(0);
	return 0;
}

/* suppressed - the reason, or -1 */
static int
suppressed(const char *address)
{
	struct suppress_record r;
	struct folded folded;
	struct slice value;
	int got;

	must(fold_text(slice_of(address), arena, NULL, &folded, &why));
	got = outcomes_row(store, OUTCOMES_SUPPRESSIONS,
	    (struct slice){ (char *)folded.hash, 16 }, arena, &value, &why);
	must(got);
	if (got == 0)
		return -1;
	must(suppress_decode(value, arena, &r, &why));
	assert_int_equal(r.n, 1);
	assert_int_equal(r.list[0].id, hash_id("tenant", SLICE("acme")));
	return (int)r.list[0].reason;
}

/* take_from - a mail; what its sender is told */
static const char *
take_from(const char *sender, struct slice mail)
{
	static char answer[256];

	must(outcomes_begin(store, &why));
	must(reports_take(reports, slice_of(sender), slice_of(bounce_to), mail,
	    answer, sizeof(answer), &why));
	must(outcomes_commit(store, &why));
	return answer;
}

/* take - from nobody, as bounces come */
static const char *
take(struct slice mail)
{
	return take_from("", mail);
}

/* edited - a sample with one text in place of another; "" for none */
static struct slice
edited(const char *corpus, const char *file, const char *old, const char *new)
{
	struct slice s = sample(corpus, file), rest = s;
	struct buf b = BUF_INIT;
	size_t n = strlen(old);
	struct slice made;

	while (n > 0 && rest.n >= n) {
		if (memcmp(rest.p, old, n) == 0) {
			buf_str(&b, new);
			rest = slice_from(rest, n);
		} else {
			buf_char(&b, rest.p[0]);
			rest = slice_from(rest, 1);
		}
	}
	buf_slices(&b, rest);
	made = arena_copy(arena, buf_slice(&b));
	buf_free(&b);
	sample_free(s);
	return made;
}

struct story {
	const char	*name, *corpus, *file;
	const char	*old, *new;		/* in the sample */
	const char	*answer;		/* begins with */
	int		 ann, bob;		/* reason, -1: not suppressed */
	uint64_t	 kept;			/* in the quarantine */
};

#define BOUNCED	"dsn: 1 recorded, 0 known, 0 unproven"
#define FORGED	"dsn: 0 recorded, 0 known, 1 unproven"
#define HARD	SUPPRESS_HARD_BOUNCE
#define COMPL	SUPPRESS_COMPLAINT

/* clang-format off */
static const struct story stories[] = {
	{ "a bounce of our Postfix", "dsn", "postfix", "", "", BOUNCED, HARD,
	  -1, 0 },
	{ "one in words", "dsn", "exim", "", "", BOUNCED, HARD, -1, 0 },
	{ "qmail, both recipients", "dsn", "qmail", "", "",
	  "dsn: 2 recorded, 0 known, 0 unproven", HARD, HARD, 0 },
	{ "Office 365", "dsn", "office365", "", "", BOUNCED, HARD, -1, 0 },
	{ "Gmail", "dsn", "gmail", "", "", BOUNCED, HARD, -1, 0 },
	{ "an event that the log's reader has not seen", "dsn", "exim",
	  "<1001.news@", "<1002.news@", BOUNCED, HARD, -1, 0 },
	{ "a delay", "dsn", "postfix-delay", "", "",
	  "dsn: 0 recorded, 0 known, 0 unproven, 1 delays", -1, -1, 0 },
	{ "a full mailbox is no reason yet", "dsn", "postfix",
	  "550 5.1.1 <ann@far.example>: Recipient address\n    rejected: User "
	  "unknown", "552 5.2.2 <ann@far.example>: mailbox is full", BOUNCED,
	  -1, -1, 0 },
	{ "forged: a Message-ID that we never sent", "dsn", "exim",
	  "<1001.news@", "<6666.news@", FORGED, -1, -1, 1 },
	{ "forged: no message came back", "dsn", "domino", "", "", FORGED, -1,
	  -1, 1 },
	{ "forged: a queue id that was guessed", "dsn", "postfix",
	  "<1001.news@", "<6666.news@", FORGED, -1, -1, 1 },
	{ "forged: a recipient that the message did not have", "dsn", "exim",
	  "ann@far.example", "victim@far.example", FORGED, -1, -1, 1 },
	{ "a message that is too old", "dsn", "exim", "<1001.news@acme",
	  "<old@acme", FORGED, -1, -1, 1 },
	{ "forged: a report in what came back", "dsn", "nested",
	  "<1001.news@", "<6666.news@", FORGED, -1, -1, 1 },
	{ "a vacation notice has nowhere to go", "dsn", "vacation", "", "",
	  "auto: kept: no report, and no \"forward\" is set", -1, -1, 1 },
	{ "so has an answer", "dsn", "answer", "", "", "none: kept", -1, -1,
	  1 },
	{ "a complaint", "arf", "abuse", "", "",
	  "arf: abuse, 1 recorded, 0 known, 0 unproven", COMPL, -1, 0 },
	{ "Microsoft's", "arf", "jmrp", "", "",
	  "arf: abuse, 1 recorded, 0 known, 0 unproven", COMPL, -1, 0 },
	{ "several recipients", "arf", "several", "", "",
	  "arf: abuse, 2 recorded", COMPL, COMPL, 0 },
	{ "hidden recipient, message with two", "arf", "redacted", "", "",
	  "arf: abuse, 0 recorded, 0 known, 1 unproven", -1, -1, 1 },
	{ "hidden recipient, message with one", "arf", "redacted",
	  "<1001.news@", "<1002.news@", "arf: abuse, 1 recorded", COMPL, -1,
	  0 },
	{ "not spam", "arf", "not-spam", "", "", "arf: not-spam, 1 recorded",
	  -1, -1, 0 },
	{ "opt-out", "arf", "opt-out", "", "", "arf: opt-out, 1 recorded",
	  SUPPRESS_UNSUBSCRIBE, -1, 0 },
	{ "a failure report", "arf", "auth-failure", "", "",
	  "arf: auth-failure, kept", -1, -1, 1 },
	{ "a complaint of unknown kind", "arf", "unknown-type", "", "",
	  "arf: not understood", -1, -1, 1 },
	{ "a forged complaint", "arf", "abuse", "<1001.news@", "<6666.news@",
	  "arf: abuse, 0 recorded, 0 known, 1 unproven", -1, -1, 1 },
};
/* clang-format on */

static const struct {
	const char	*name, *corpus, *file, *old, *new, *answer;
	bool		 two, forged;
} paths[] = {
	{ "a bounce that came to the message's own address", "dsn", "domino",
	  "ann@far.example", "cid@far.example", BOUNCED, false, false },
	{ "the right one of two", "dsn", "exim", "ann@far.example",
	  "dan@far.example", BOUNCED, true, false },
	{ "whoever it was, when there is only one", "dsn", "exim",
	  "ann@far.example", "moved@else.example", BOUNCED, false, false },
	{ "forged: nobody of the two", "dsn", "exim", "ann@far.example",
	  "moved@else.example", FORGED, true, false },
	{ "forged: a token with another character", "dsn", "exim",
	  "ann@far.example", "cid@far.example", FORGED, false, true },
};

static void
a_message_id_of_many_messages_names_nobody_by_itself(void **state)
{
	char to[32];

	(void)state;
	/* a campaign with one Message-ID, and the last that the tenant sent
	 * itself to catch what comes */
	for (int i = 0; i < 200; i++) {
		snprintf(to, sizeof(to), "r%d@far.example", i);
		sent("7camp", "<all@acme.example>", i < 199 ? to :
		    "trap@acme.example", "", NOW - CLOCK_HOUR, i < 150);
	}
	/* a hidden recipient might be any of them */
	assert_string_equal(take(edited("arf", "redacted",
	    "<1001.news@acme.example>", "<all@acme.example>")),
	    "arf: abuse, 0 recorded, 0 known, 1 unproven");
	/* and nobody stands in for one who is not there */
	assert_string_equal(take(edited("arf", "abuse",
	    "<1001.news@acme.example>", "<all@acme.example>")),
	    "arf: abuse, 0 recorded, 0 known, 1 unproven");
	assert_int_equal(suppressed("r0@far.example"), -1);
	assert_int_equal(suppressed("trap@acme.example"), -1);
	sent("7camp", "<all@acme.example>", "ann@far.example", "",
	    NOW - CLOCK_HOUR, true);
	sent("8trap", "<all@acme.example>", "trap@acme.example", "", NOW,
	    true);
	assert_string_equal(take(edited("arf", "abuse",
	    "<1001.news@acme.example>", "<all@acme.example>")),
	    "arf: abuse, 1 recorded, 0 known, 0 unproven");
	assert_int_equal(suppressed("ann@far.example"), COMPL);
	assert_int_equal(suppressed("trap@acme.example"), -1);
}

/* one_more - counts what is kept */
static bool
one_more(void *with, const struct quarantined *q)
{
	(void)q;
	++*(uint64_t *)with;
	return true;
}

/* to_local_too - of a message to ann and to somebody on this machine */
static void
to_local_too(void)
{
	struct event_recipient rcpts[] = {
		{ .address = SLICE("ann@far.example"),
		  .domain = SLICE("far.example"), .provider = SLICE("other") },
		{ .address = SLICE("us@acme.example"), .local = true,
		  .domain = SLICE("acme.example") },
		{ .address = SLICE("gone@far.example"),
		  .domain = SLICE("far.example"), .verdict = VERDICT_DROP } };
	struct event e = { .kind = EVENT_ACCEPT, .time = NOW - CLOCK_HOUR,
		.queue_id = SLICE("9local"), .tenant = SLICE("acme"),
		.stream = SLICE("news"), .count = 1,
		.message_id = SLICE("<both@acme.example>"),
		.recipients = rcpts, .nrecipients = 3 };
	struct buf b = BUF_INIT;

	event_encode(&e, &b);
	must(store_begin(gate, &why));
	must(store_append(gate, buf_slice(&b), e.time, e.queue_id, &e.seq,
	    &why));
	must(store_commit(gate, &why));
	buf_free(&b);
}

static void
who_got_it_too_speaks_once_and_of_recipients_only(void **state)
{
	struct slice of_bob = edited("arf", "abuse", "ann@far", "bob@far");
	uint64_t kept = 0;

	(void)state;
	/* ann may have written this; it is bob's, once */
	assert_string_equal(take(of_bob),
	    "arf: abuse, 1 recorded, 0 known, 0 unproven");
	assert_string_equal(take(of_bob),
	    "arf: abuse, 0 recorded, 1 known, 0 unproven");
	assert_int_equal(suppressed("bob@far.example"), COMPL);
	assert_int_equal(suppressed("ann@far.example"), -1);
	/* nobody of that message: kept, and without effect */
	assert_string_equal(take(edited("arf", "abuse", "ann@far",
	    "victim@far")), "arf: abuse, 0 recorded, 0 known, 1 unproven");
	assert_int_equal(suppressed("victim@far.example"), -1);
	must(quarantine_each(store, one_more, &kept, &why));
	assert_int_equal(kept, 1);
	/* somebody on this machine has it too, and might be who complains */
	to_local_too();
	assert_string_equal(take(edited("arf", "redacted",
	    "<1001.news@acme.example>", "<both@acme.example>")),
	    "arf: abuse, 0 recorded, 0 known, 1 unproven");
	assert_string_equal(take(edited("arf", "abuse",
	    "<1001.news@acme.example>", "<both@acme.example>")),
	    "arf: abuse, 1 recorded, 0 known, 0 unproven");
}

static void
a_return_path_says_which_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const char *got;
		struct slice mail;

		setup(NULL);
		named(paths[i].two);
		if (paths[i].forged)
			bounce_to[9] = bounce_to[9] == 'q' ? 'r' : 'q';
		mail = edited(paths[i].corpus, paths[i].file, paths[i].old,
		    paths[i].new);
		got = take(mail);
		if (strncmp(got, paths[i].answer, strlen(paths[i].answer)))
			fail_msg("%s: got %s", paths[i].name, got);
		teardown(NULL);
	}
}

static void
a_spoilt_feedback_id_is_no_reason_to_give_up(void **state)
{
	char both[160];

	(void)state;
	named(false);
	snprintf(both, sizeof(both), "CFBL-Feedback-ID: k7abcdefghij\n"
	    "Original-Mail-From: <%s>", bounce_to);
	assert_string_equal(take(edited("arf", "cfbl",
	    "CFBL-Feedback-ID: k7abcdefghij", both)),
	    "arf: abuse, 1 recorded, 0 known, 0 unproven");
	/* of the message of that path, not of the one with the Message-ID */
	assert_int_equal(suppressed("cid@far.example"), COMPL);
	assert_int_equal(suppressed("ann@far.example"), -1);
}

/* run_story - in a house of its own */
static void
run_story(const struct story *s)
{
	uint64_t kept = 0;
	const char *answer;

	setup(NULL);
	answer = take_from(strcmp(s->file, "answer") == 0 ? "ann@far.example" :
	    "", edited(s->corpus, s->file, s->old, s->new));
	if (strncmp(answer, s->answer, strlen(s->answer)) != 0)
		fail_msg("%s:\n got: %s\nwant: %s", s->name, answer,
		    s->answer);
	if (suppressed("ann@far.example") != s->ann ||
	    suppressed("bob@far.example") != s->bob ||
	    suppressed("victim@far.example") != -1)
		fail_msg("%s: ann %d, bob %d, victim %d", s->name,
		    suppressed("ann@far.example"),
		    suppressed("bob@far.example"),
		    suppressed("victim@far.example"));
	must(quarantine_each(store, one_more, &kept, &why));
	if (kept != s->kept)
		fail_msg("%s: %llu mails are kept", s->name,
		    (unsigned long long)kept);
	teardown(NULL);
}

static void
each_mail_has_its_effect_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
		run_story(&stories[i]);
}

static void
the_same_bounce_counts_once(void **state)
{
	struct outcome x;
	uint64_t last;
	size_t got;

	(void)state;
	assert_string_equal(take(edited("dsn", "postfix", "", "")),
	    BOUNCED ", 0 delays and successes");
	assert_string_equal(take(edited("dsn", "postfix", "", "")),
	    "dsn: 0 recorded, 1 known, 0 unproven, 0 delays and successes");
	/* and in other words */
	take(edited("dsn", "exim", "", ""));
	must(outcomes_last(store, &last, &why));
	assert_int_equal(last, 1);
	must(outcomes_read(store, 1, 1, arena, &x, &got, &why));
	assert_int_equal(x.kind, OUTCOME_BOUNCED);
	assert_int_equal(x.source, OUTCOME_DSN);
	assert_int_equal(x.event, 2);
	assert_true(slice_is(x.tenant, "acme"));
	assert_true(slice_is(x.recipient, "ann@far.example"));
	assert_true(slice_is(x.code, "5.1.1"));
	assert_true(slice_is(x.category, "recipient_unknown"));
	assert_true(slice_is(x.action, "suppress_now"));
}

/* sum - aligned and failing of a domain */
static bool
sum(void *with, const struct dmarc_total *t)
{
	((uint64_t *)with)[0] += t->aligned;
	((uint64_t *)with)[1] += t->failing;
	return true;
}

static void
a_dmarc_report_counts_once(void **state)
{
	static const char head[] = "From: dmarc@far.example\n"
	    "To: dmarc@acme.example\nSubject: Report domain: acme.example "
	    "Submitter: far.example Report-ID: <1>\nContent-Type: text/xml\n"
	    "\n";
	struct slice xml = sample("rua", "plain.xml");
	struct buf mail = BUF_INIT;
	uint64_t sums[2] = { 0, 0 };

	(void)state;
	buf_str(&mail, head);
	buf_slices(&mail, xml);
	assert_string_equal(take(buf_slice(&mail)), "rua: 2 records");
	assert_string_equal(take(buf_slice(&mail)),
	    "rua: 2 records, counted before");
	must(dmarc_each(store, SLICE("acme.example"), 0, INT32_MAX, sum, sums,
	    &why));
	assert_int_equal(sums[0], 120);
	assert_int_equal(sums[1], 7);
	mail.len -= 20;
	assert_non_null(strstr(take(buf_slice(&mail)), "rua: not understood"));
	buf_free(&mail);
	sample_free(xml);
}

/* wide_report - so many sources with a message each; the last has many */
static void
wide_report(struct buf *b, size_t n)
{
	buf_str(b, "From: dmarc@far.example\nTo: dmarc@acme.example\n"
	    "Subject: Report domain: wide.example Submitter: far.example\n"
	    "Content-Type: text/xml\n\n<feedback><report_metadata><org_name>"
	    "far.example</org_name><report_id>1</report_id><date_range>"
	    "<begin>1795478400</begin><end>1795564799</end></date_range>"
	    "</report_metadata><policy_published><domain>wide.example</domain>"
	    "</policy_published>\n");
	for (size_t i = 1; i <= n; i++)
		buf_printf(b, "<record><row><source_ip>10.0.%zu.%zu"
		    "</source_ip><count>%d</count></row></record>\n",
		    i >> 8, i & 255, i == n ? 5000 : 1);
	buf_str(b, "</feedback>\n");
}

struct seen {
	uint64_t	rows, biggest, others;
};

/* look - how many rows, and whose mail is where */
static bool
look(void *with, const struct dmarc_total *t)
{
	struct seen *s = with;

	s->rows++;
	if (slice_is(t->source, DMARC_OTHERS))
		s->others = t->failing;
	else if (t->failing > s->biggest)
		s->biggest = t->failing;
	return true;
}

static void
the_sources_of_most_mail_have_rows_the_rest_is_counted(void **state)
{
	struct buf mail = BUF_INIT;
	struct seen seen = { .rows = 0 };
	uint64_t n;

	(void)state;
	wide_report(&mail, DMARC_SOURCES + 30);
	assert_string_equal(take(buf_slice(&mail)), "rua: 2030 records, 30 of "
	    "them under \"others\"");
	must(dmarc_each(store, SLICE("wide.example"), 0, INT32_MAX, look,
	    &seen, &why));
	assert_int_equal(seen.rows, DMARC_SOURCES + 1);
	assert_int_equal(seen.biggest, 5000);
	assert_int_equal(seen.others, 30);
	must(outcomes_counter(store, "dmarc_others", &n, &why));
	assert_int_equal(n, 30);
	buf_free(&mail);
}

static void
a_token_alone_is_a_proof(void **state)
{
	(void)state;
	/* A ring, a token in List-Unsubscribe, and no event. */
	struct token t = { .tenant = hash_id("tenant", SLICE("acme")),
		.list = 7, .recipient = SLICE("ann@far.example") };
	struct attribute_by by = { .outcomes = store, .gate = NULL,
		.now = NOW };
	struct token_ring *ring = NULL;
	struct claim claim = { .recipient = SLICE("Ann@far.example") };
	struct slice text;
	struct proof p;
	char path[96];
	uint8_t number;
	char *bent;

	snprintf(path, sizeof(path), "%s/token.keys", folder);
	must(token_ring_add(path, &number, &why));
	must(token_ring_load(&ring, path, &why));
	must(token_make(ring, &t, arena, &text, &why));
	claim.returned = slice_of(arena_printf(arena, "Subject: x\n"
	    "List-Unsubscribe: <https://u.acme.example/u/%.*s>,\n"
	    " <mailto:u@acme.example?subject=%.*s>\n\n", SLICE_ARG(text),
	    SLICE_ARG(text)));
	by.ring = ring;
	assert_int_equal(attribute(&by, &claim, arena, &p, &why), 1);
	assert_int_equal(p.by, PROOF_TOKEN);
	assert_int_equal(p.token.tenant, t.tenant);
	/* of somebody else, bent, or where no tokens are made */
	claim.recipient = SLICE("bob@far.example");
	assert_int_equal(attribute(&by, &claim, arena, &p, &why), 0);
	claim.recipient = SLICE("ann@far.example");
	by.ring = NULL;
	assert_int_equal(attribute(&by, &claim, arena, &p, &why), 0);
	by.ring = ring;
	bent = (char *)(uintptr_t)arena_copy(arena, text).p;
	bent[text.n / 2] = bent[text.n / 2] == 'A' ? 'B' : 'A';
	claim.returned = slice_of(arena_printf(arena, "List-Unsubscribe: "
	    "<https://u.acme.example/u/%s>\n", bent));
	assert_int_equal(attribute(&by, &claim, arena, &p, &why), 0);
	token_ring_free(ring);
	unlink(path);
}

/* say - all at once, and turn until the words are heard */
static void
say(const char *dialogue, const char *words)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct pollfd fds[64];
	struct buf heard = BUF_INIT;
	char in[4096];
	ssize_t got;
	size_t n;

	snprintf(un.sun_path, sizeof(un.sun_path), "%s/s", folder);
	assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(write(fd, dialogue, strlen(dialogue)),
	    (ssize_t)strlen(dialogue));
	for (int i = 0; i < 10000 && !text_has(buf_slice(&heard), words);
	    i++) {
		n = reports_want(served, fds, 64);
		poll(fds, n, 10);
		must(reports_ready(served, fds, n, &why));
		if ((got = read(fd, in, sizeof(in))) > 0)
			buf_add(&heard, in, (size_t)got);
	}
	if (!text_has(buf_slice(&heard), words))
		fail_msg("heard: %.*s", (int)heard.len, heard.data);
	buf_free(&heard);
	close(fd);
}

static void
nobody_hears_250_before_the_commit(void **state)
{
	static const char mail[] = "LHLO x\r\nMAIL FROM:<>\r\n"
	    "RCPT TO:<b@x>\r\nRCPT TO:<c@x>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n";
	struct reports_with with = { .forward = "", .outcomes = store,
		.gate = &gate, .classifier = &rules };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	uint64_t kept = 0;

	(void)state;
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/s", folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 4), 0);
	must(reports_new(&served, fd, &with, &why));
	/* The store takes no transaction: somebody has one. */
	must(outcomes_begin(store, &why));
	say(mail, "451 4.3.0 not now, try again\r\n451 4.3.0 not now, try "
	    "again\r\n221 ");
	outcomes_abort(store);
	must(quarantine_each(store, one_more, &kept, &why));
	assert_int_equal(kept, 0);
	say(mail, "250 2.0.0 none: kept: no report, and no \"forward\" is "
	    "set\r\n250 2.0.0 none: kept");
	must(quarantine_each(store, one_more, &kept, &why));
	assert_int_equal(kept, 1);
	reports_free(served);
	close(fd);
	unlink(un.sun_path);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_return_path_says_which_message),
		cmocka_unit_test(each_mail_has_its_effect_and_no_other),
		TEST(the_same_bounce_counts_once),
		TEST(a_message_id_of_many_messages_names_nobody_by_itself),
		TEST(who_got_it_too_speaks_once_and_of_recipients_only),
		TEST(a_spoilt_feedback_id_is_no_reason_to_give_up),
		TEST(a_dmarc_report_counts_once),
		TEST(the_sources_of_most_mail_have_rows_the_rest_is_counted),
		TEST(a_token_alone_is_a_proof),
		TEST(nobody_hears_250_before_the_commit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
