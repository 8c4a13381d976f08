/*
 * dsn - each sample of tests/fuzz/corpus/dsn, what it is taken for, and what
 * is read in it: "address action status", and a piece of the words.  Behind
 * it: every sample cut at every byte, what is made to hurt, and codes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "tests/unit/samples.h"
#include "tools/ingest/dsn.h"
#include "tools/ingest/fields.h"
#include "tools/ingest/sort.h"

#define ANN	"ann@far.example failed "

struct bounce {
	const char	*file;
	const char	*want;		/* one line per recipient */
	const char	*words[3];	/* in their diagnostics */
	enum dsn_form	 form;
	bool		 returned;	/* with the head of the message */
};

/* clang-format off */
static const struct bounce bounces[] = {
	{ "postfix", ANN "5.1.1\n", { "550 5.1.1 <ann@far.example>: Recipient "
	  "address rejected: User unknown" }, DSN_RFC3464, true },
	{ "postfix-delay", "ann@far.example delayed 4.4.1\n",
	  { "Connection timed out" }, DSN_RFC3464, true },
	{ "postfix-plain", ANN "5.1.1\n", { "User unknown" }, DSN_POSTFIX,
	  true },
	{ "glued-groups", ANN "5.2.2\nbob@far.example delivered 2.0.0\n"
	  "carol@far.example relayed 2.0.0\n", { "The mailbox is full", "", "" },
	  DSN_RFC3464, true },
	{ "utf8", "j\xc3\xb6rg@far.example failed 5.1.1\n",
	  { "Empf\xc3\xa4nger unbekannt" }, DSN_RFC3464, true },
	{ "exim", ANN "5.1.1\n", { "550 5.1.1 <ann@far.example>: Recipient" },
	  DSN_EXIM, true },
	{ "exim-sent-by", ANN "\n", { "all hosts have been failing" },
	  DSN_EXIM, true },
	{ "exim-delay", "ann@far.example delayed 4.7.1\n",
	  { "451 4.7.1 Greylisting" }, DSN_EXIM, false },
	{ "qmail", ANN "5.1.1\nbob@far.example failed 5.1.1\n",
	  { "Remote host said: 550 5.1.1 no mailbox",
	    "Sorry, no mailbox here by that name. (#5.1.1)" }, DSN_QMAIL,
	  true },
	{ "group", ANN "\nbob@far.example failed \n", { "the group you tried to "
	  "contact", "may not have permission" }, DSN_OTHER, true },
	{ "sns", ANN "5.1.1\n", { "550 5.1.1 <ann@far.example>: Recipient" },
	  DSN_SES, true },
	{ "sns-broken", ANN "5.1.1\n", { "550 5.1.1 <ann@far.example>: Recip" },
	  DSN_SES, true },
	{ "sns-envelope", ANN "5.1.1\n", { "550 5.1.1 <ann@far.example>: Re" },
	  DSN_SES, true },
	{ "sns-two", ANN "\nbob@far.example delayed 4.4.7\n",
	  { "Amazon SES: Permanent bounce, OnAccountSuppressionList" }, DSN_SES,
	  true },
	{ "sns-delay", "ann@far.example delayed 4.2.2\n",
	  { "452 4.2.2 over quota" }, DSN_SES, true },
	{ "sns-delivery", "ann@far.example delivered \n", { "250 2.0.0 ok" },
	  DSN_SES, true },
	{ "sendmail", ANN "5.1.1\nbob@far.example failed 5.2.1\n",
	  { "550 5.1.1 <ann@far.example>... User unknown",
	    "550 5.2.1 <bob@far.example>... Mailbox disabled" },
	  DSN_SENDMAIL, true },
	{ "exchange2003", ANN "\n", { "Unknown Recipient" }, DSN_EXCHANGE,
	  false },
	{ "office365-text", ANN "5.1.10\n", { "550 5.1.10 RESOLVER.ADR" },
	  DSN_EXCHANGE, true },
	{ "office365", ANN "5.1.10\n", { "550 5.1.10 RESOLVER.ADR" },
	  DSN_RFC3464, true },
	{ "gmail-old", ANN "5.2.1\n",
	  { "550 5.2.1 The email account that you tried to reach is" },
	  DSN_GMAIL, true },
	{ "gmail", ANN "5.1.1\n", { "550-5.1.1 The email account" },
	  DSN_RFC3464, true },
	{ "yahoo", ANN "5.0.0\n", { "dd This user doesn't have a" },
	  DSN_YAHOO, true },
	{ "domino", ANN "\n", { "not listed in Domino Directory" }, DSN_OTHER,
	  false },
	{ "dma", ANN "5.1.1\n", { "User unknown" }, DSN_OTHER, true },
	{ "mime-broken", ANN "5.1.1\n", { "User unknown" }, DSN_POSTFIX,
	  false },
	{ "nested", ANN "5.1.1\n", { "User unknown" }, DSN_RFC3464, true },
	{ "base64-status", ANN "5.1.1\n", { "User unknown" }, DSN_RFC3464,
	  false },
	{ "opensmtpd", ANN "5.0.0\nbob@far.example failed 5.0.0\n",
	  { "550 5.1.1 <ann@far.example>: Recipient address rejected",
	    "552 5.2.2 <bob@far.example>: Mailbox is over its quota" },
	  DSN_OTHER, true },
	{ "notes", ANN "\nbob@far.example failed \n",
	  { "User ann not listed in public", "Mail file of bob is full" },
	  DSN_OTHER, true },
	{ "wrapped", ANN "5.1.1\n", { "550 5.1.1 User unknown" }, DSN_RFC3464,
	  true },
	{ "status-comment", "ann@far.example delayed 4.4.3\n"
	  "bob@far.example failed 5.0.0\n",
	  { "far.example: host name lookup failure", "550 'bob@far.example'" },
	  DSN_SENDMAIL, false },
	{ "empty-recipient", ANN "5.1.1\n", { "550 5.1.1 User unknown" },
	  DSN_RFC3464, false },
	{ "mobile", ANN "\n", { "As their mailbox is full." }, DSN_OTHER,
	  false },
};

static const struct {
	const char	*file;
	enum report	 want;
} others[] = {
	{ "vacation", REPORT_AUTO }, { "challenge", REPORT_AUTO },
	{ "answer", REPORT_NONE },
};

static const struct {
	const char	*text, *want;
} codes[] = {
	{ "550 5.1.1 x", "5.1.1" }, { "550 x", "5.0.0" }, { "421 x", "4.0.0" },
	{ "sorry (#5.1.1)", "5.1.1" }, { "x 5.7.509 y", "5.7.509" },
	{ "550-5.1.1 a 550 5.1.1 b", "5.1.1" }, { "", "" },
	{ "192.0.2.1", "" }, { "15.1.1 x", "" }, { "5.1.1.2 x", "" },
	{ "5.1.1234", "" }, { "2.0.0 fine, then 5.2.2", "5.2.2" },
	{ "port 25 1550 5501", "" }, { "[198.51.100.7]:25: 550", "5.0.0" },
	{ "5.1.", "" }, { "5.1.1", "5.1.1" }, { "550", "5.0.0" },
	{ "587 is no reply", "" },
};
/* clang-format on */

/* from_nobody - the envelope, as the sample has it */
static bool
from_nobody(const struct mail *m, struct arena *arena)
{
	return slice_is(slice_trim(field_find(m->head, "Return-Path", arena)),
	    "<>");
}

/* read_one - sort and read; what became of it */
static enum report
read_one(struct slice raw, struct arena *arena, struct mail *m, struct dsn *d)
{
	enum report kind;
	struct why why;

	*d = (struct dsn){ .n = 0 };
	if (mail_read(raw, arena, m, &why) == -1)
		return REPORT_NONE;
	kind = sort_mail(m, from_nobody(m, arena), arena);
	if (kind == REPORT_DSN)
		assert_int_not_equal(dsn_read(m, from_nobody(m, arena), arena,
		    d, &why), -1);
	return kind;
}

/* test_bounces - the table */
static void
test_bounces(void **state)
{
	struct arena *arena = arena_new(1 << 16, 0);
	struct mail m;
	struct dsn d;

	(void)state;
	for (size_t i = 0; i < sizeof(bounces) / sizeof(bounces[0]); i++) {
		const struct bounce *b = &bounces[i];
		struct slice raw = sample("dsn", b->file);
		struct buf got = BUF_INIT;

		arena_reset(arena);
		if (read_one(raw, arena, &m, &d) != REPORT_DSN)
			fail_msg("%s: not taken for a bounce", b->file);
		for (size_t j = 0; j < d.n; j++)
			buf_printf(&got, "%.*s %s %.*s\n",
			    SLICE_ARG(d.list[j].address),
			    dsn_action_names[d.list[j].action],
			    SLICE_ARG(d.list[j].status));
		if (!slice_is(buf_slice(&got), b->want))
			fail_msg("%s:\n got: %.*swant: %s", b->file,
			    (int)got.len, got.data, b->want);
		for (size_t j = 0; j < d.n && j < 3; j++)
			if (b->words[j] != NULL && b->words[j][0] != '\0' &&
			    !text_has(d.list[j].diagnostic, b->words[j]))
				fail_msg("%s: \"%s\" is not in \"%.*s\"",
				    b->file, b->words[j],
				    SLICE_ARG(d.list[j].diagnostic));
		if (d.form != b->form)
			fail_msg("%s: form %s, want %s", b->file,
			    dsn_form_names[d.form], dsn_form_names[b->form]);
		if (text_has(d.returned, "Message-ID: <1001.news@") !=
		    b->returned)
			fail_msg("%s: returned: %.*s", b->file,
			    SLICE_ARG(d.returned));
		buf_free(&got);
		sample_free(raw);
	}
	arena_free(arena);
}

/* test_others - answers of people and of machines are no bounces */
static void
test_others(void **state)
{
	struct arena *arena = arena_new(1 << 16, 0);
	struct mail m;
	struct dsn d;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct slice raw = sample("dsn", others[i].file);
		enum report got = read_one(raw, arena, &m, &d);

		if (got != others[i].want)
			fail_msg("%s: got %s, want %s", others[i].file,
			    report_names[got], report_names[others[i].want]);
		arena_reset(arena);
		sample_free(raw);
	}
	arena_free(arena);
}

/* test_codes - what is a code, and what only looks like one */
static void
test_codes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct slice got = dsn_status(slice_of(codes[i].text));

		if (!slice_is(got, codes[i].want))
			fail_msg("\"%s\": got \"%.*s\", want \"%s\"",
			    codes[i].text, SLICE_ARG(got), codes[i].want);
	}
}

/* test_ends - CR LF and CR say the same as LF */
static void
test_ends(void **state)
{
	struct arena *arena = arena_new(1 << 16, 0);
	struct buf crlf = BUF_INIT;
	struct mail m;
	struct dsn d;

	(void)state;
	for (size_t i = 0; i < sizeof(bounces) / sizeof(bounces[0]); i++) {
		struct slice raw = sample("dsn", bounces[i].file);
		size_t want;

		read_one(raw, arena, &m, &d);
		want = d.n;
		buf_reset(&crlf);
		for (size_t j = 0; j < raw.n; j++) {
			if (raw.p[j] == '\n')
				buf_char(&crlf, '\r');
			buf_char(&crlf, raw.p[j]);
		}
		assert_int_equal(read_one(buf_slice(&crlf), arena, &m, &d),
		    REPORT_DSN);
		assert_int_equal(d.n, want);
		arena_reset(arena);
		sample_free(raw);
	}
	buf_free(&crlf);
	arena_free(arena);
}

/* test_cut - every sample, cut at every byte, in memory of its own size */
static void
test_cut(void **state)
{
	struct arena *arena = arena_new(1 << 16, 0);
	struct mail m;
	struct dsn d;

	(void)state;
	for (size_t i = 0; i < sizeof(bounces) / sizeof(bounces[0]); i++) {
		struct slice raw = sample("dsn", bounces[i].file);

		for (size_t n = 0; n <= raw.n; n++) {
			char *copy = malloc(n > 0 ? n : 1);

			memcpy(copy, raw.p, n);
			read_one((struct slice){ copy, n }, arena, &m, &d);
			arena_reset(arena);
			free(copy);
		}
		sample_free(raw);
	}
	arena_free(arena);
}

/* hurt - a mail that is made to hurt is over in a moment and in few bytes */
static void
hurt(const char *what, const struct buf *raw)
{
	struct arena *arena = arena_new(1 << 16, 192u << 20);
	int64_t began = clock_mono();
	struct mail m;
	struct dsn d;

	assert_false(buf_failed(raw));
	read_one(buf_slice(raw), arena, &m, &d);
	if (d.n > DSN_RECIPIENTS)
		fail_msg("%s: %zu recipients", what, d.n);
	if (clock_mono() - began > 20 * CLOCK_SECOND)
		fail_msg("%s: took %lld s", what,
		    (long long)((clock_mono() - began) / CLOCK_SECOND));
	arena_free(arena);
}

/* repeat - a text, n times */
static void
repeat(struct buf *b, const char *text, size_t n)
{
	while (n-- > 0)
		buf_str(b, text);
}

/* test_hurt - long lines, many recipients, deep and broad MIME, NULs */
static void
test_hurt(void **state)
{
	static const char head[] = "From: MAILER-DAEMON@x.example\n"
	    "Subject: failure notice\nContent-Type: multipart/report; "
	    "report-type=delivery-status; boundary=b\n\n--b\n"
	    "Content-Type: message/delivery-status\n\n";
	struct buf b = BUF_INIT;

	(void)state;
	buf_str(&b, head);
	for (int i = 0; i < 100000; i++)
		buf_printf(&b, "Final-Recipient: rfc822; a%d@b.example\n"
		    "Action: failed\n\n", i);
	hurt("100,000 recipients", &b);

	buf_reset(&b);
	buf_str(&b, "From: MAILER-DAEMON@x.example\nSubject: failure notice"
	    "\n\ncould not be delivered\n");
	for (int i = 0; i < 100000; i++)
		buf_printf(&b, "<a%d@b.example>:\n550 no\n\n", i);
	hurt("100,000 recipients in words", &b);

	buf_reset(&b);
	buf_str(&b, head);
	buf_str(&b, "Diagnostic-Code: ");
	repeat(&b, "x550 5.1.1 <a@b>", 65536);
	buf_str(&b, "\nFinal-Recipient: ");
	repeat(&b, "a@", 500000);
	hurt("lines of a megabyte", &b);

	buf_reset(&b);
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "Content-Type: multipart/mixed; boundary=b%d\n"
		    "\n--b%d\n", i, i);
	buf_str(&b, "Content-Type: message/delivery-status\n\nx\n");
	hurt("a thousand levels", &b);

	buf_reset(&b);
	repeat(&b, "Content-Type: message/rfc822\n\n", 100000);
	hurt("messages in messages", &b);

	buf_reset(&b);
	buf_str(&b, "Content-Type: multipart/mixed; boundary=b\n\n");
	repeat(&b, "--b\n\n", 9000);
	hurt("nine thousand parts", &b);
	repeat(&b, "--b\n\n", 1000000);
	hurt("a million parts", &b);

	buf_reset(&b);
	repeat(&b, "a:\n", 5000000);
	hurt("five million fields", &b);

	buf_reset(&b);
	buf_str(&b, "Subject: ");
	for (int i = 0; i < 1000000; i++)
		buf_add(&b, "\0=?utf-8?q?=00?= ", 17);
	hurt("NULs and encoded words", &b);

	buf_reset(&b);
	buf_str(&b, "Subject: AWS Notification Message\n\n");
	repeat(&b, "{\"a\":", 200000);
	hurt("objects in objects", &b);

	buf_reset(&b);
	buf_str(&b, "Subject: AWS Notification Message\n\n{\"notificationType"
	    "\":\"Bounce\",\"bounce\":{\"bouncedRecipients\":[\"a@b\"");
	repeat(&b, ",\"a@b\"", 40000);
	buf_str(&b, "]}}");
	hurt("40,000 recipients in JSON", &b);
	repeat(&b, "\\\"[{!\n ", 1000000);
	hurt("JSON and then more", &b);

	buf_reset(&b);
	buf_str(&b, "From: MAILER-DAEMON@x\nContent-Type: text/html\n\n"
	    "undeliverable");
	repeat(&b, "<style", 300000);
	repeat(&b, "<", 300000);
	hurt("a page of beginnings", &b);
	buf_free(&b);

	/* All of it together, GMime's objects included (KiB; with sanitizers
	 * it is a multiple and says nothing). */
#ifndef __SANITIZE_ADDRESS__
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	assert_in_range(used.ru_maxrss, 1, 400 << 10);
#endif
}

/* start - GMime's tables */
static int
start(void **state)
{
	(void)state;
	mail_init();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounces),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_hurt),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
