/*
 * match - the lines of a stream: what is read, and what they say of a mail of
 * which everything, or not everything, is known.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "policy/match.h"

static struct arena *arena;
static struct problems problems;
static const struct place here = { "policy.conf", 3, 9 };

static int
begin(void **state)
{
	(void)state;
	arena = arena_new(4096, 0);
	problems_init(&problems, arena);
	return 0;
}

static int
finish(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* --- globs ---------------------------------------------------------------- */

static void
a_glob_fits_the_whole_text(void **state)
{
	static const struct { const char *glob, *text; bool fits; } cases[] = {
		{ "", "", true }, { "", "a", false }, { "*", "", true },
		{ "*", "anything at all", true }, { "a", "a", true },
		{ "a", "A", true }, { "A*", "abc", true }, { "a", "ab", false },
		{ "?", "", false }, { "?", "x", true }, { "??", "x", false },
		{ "news@*", "news@acme.example", true },
		{ "news@*", "xnews@acme.example", false },
		{ "*@acme.example", "a@b.acme.example", false },
		{ "*.example", "a.example.org", false },
		{ "*ab*ab", "abab", true }, { "*ab*ab", "aab", false },
		{ "a*b*c", "a-b-b-c", true }, { "a*b*c", "a-c-b", false },
		{ "*a?c*", "xxabcabd", true }, { "***", "", true },
		{ "[", "[", true },		/* not a class of letters */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (match_glob(slice_of(cases[i].glob), slice_of(
		    cases[i].text)) != cases[i].fits)
			fail_msg("\"%s\" and \"%s\": want %d", cases[i].glob,
			    cases[i].text, cases[i].fits);
}

static void
a_glob_of_many_stars_comes_to_an_end(void **state)
{
	char text[20001], glob[256];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < 250; i += 2)
		memcpy(glob + i, "*a", 2);
	glob[250] = 'b';
	assert_false(match_glob((struct slice){ glob, 251 },
	    (struct slice){ text, sizeof(text) }));
}

/* --- reading -------------------------------------------------------------- */

static void
mistakes_in_a_line(void **state)
{
	static const struct { const char *line, *said; } cases[] = {
		{ "", "match: an empty line; \"any\" matches all mail" },
		{ " \t", "match: an empty line; \"any\" matches all mail" },
		{ "anny", "match: unknown word \"anny\"; write \"any\"" },
		{ "sendr:x", "match: unknown word \"sendr:x\"; did you mean "
		    "\"sender:...\"?" },
		{ "from:x@y", "match: unknown word \"from:x@y\"; expected any, "
		    "or sender:, recipient:, login:, listener:, client: or "
		    "header: and a pattern" },
		{ "!", "match: unknown word \"!\"; expected any, or sender:, "
		    "recipient:, login:, listener:, client: or header: and a "
		    "pattern" },
		{ "sender:", "match: \"sender:\" has no pattern; the empty "
		    "sender of bounces is \"sender:<>\"" },
		{ "!login:", "match: \"!login:\" has no pattern" },
		{ "header:", "match: \"header:\": write header:NAME or "
		    "header:NAME=PATTERN, with a name of 1 to 76 letters" },
		{ "header:=x", "match: \"header:=x\": write header:NAME or "
		    "header:NAME=PATTERN, with a name of 1 to 76 letters" },
		{ "header:X-*", "match: \"header:X-*\": the name of a header "
		    "is written out, without \"*\" and \":\"" },
		{ "header:X:bulk", "match: \"header:X:bulk\": the name of a "
		    "header is written out, without \"*\" and \":\"" },
		{ "client:10.1.2.3/16", "match: client: \"10.1.2.3/16\" is an "
		    "address in a network, not the network; write "
		    "\"10.1.0.0/16\", or \"10.1.2.3\" for the one address" },
	};
	struct match_line line;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		problems_init(&problems, arena);
		assert_int_equal(match_parse(slice_of(cases[i].line), here,
		    arena, &line, &problems), 0);
		assert_int_equal(problems.errors, 1);
		assert_string_equal(problems.first->text, cases[i].said);
		assert_int_equal(problems.first->at.col, 9);
	}
}

static void
a_line_has_bounds(void **state)
{
	struct match_line line;
	char text[600];

	(void)state;
	for (size_t i = 0; i < 65; i++)
		memcpy(text + 4 * i, "any ", 4);
	assert_int_equal(match_parse((struct slice){ text, 64 * 4 }, here,
	    arena, &line, &problems), 1);
	assert_int_equal(line.n, 64);
	assert_int_equal(match_parse((struct slice){ text, 65 * 4 }, here,
	    arena, &line, &problems), 0);
	memset(text, 'x', sizeof(text));
	memcpy(text, "login:", 6);
	assert_int_equal(match_parse((struct slice){ text, 6 + 255 }, here,
	    arena, &line, &problems), 1);
	assert_int_equal(match_parse((struct slice){ text, 6 + 256 }, here,
	    arena, &line, &problems), 0);
	assert_string_equal(problems.first->text,
	    "match: a line has at most 64 words");
}

static void
a_line_cut_at_every_byte_is_read_or_refused(void **state)
{
	static const char whole[] = "!sender:news@* header:X-Stream=bulk "
	    "client:2001:db8::/32 any recipient:*@b.example login:?ops";
	struct match_line line;

	(void)state;
	for (size_t n = 0; n < sizeof(whole); n++) {
		int got = match_parse((struct slice){ whole, n }, here, arena,
		    &line, &problems);

		assert_in_range(got, 0, 1);
	}
}

/* --- asking --------------------------------------------------------------- */

static const struct header_fact headers[] = {
	{ { "X-Stream", 8 }, { " bulk-2026\r\n", 12 } },
	{ { "Subject", 7 }, { " Hello there", 12 } },
};
static const struct ip v4 = { .b = { [10] = 0xff, [11] = 0xff, 10, 1, 2, 3 },
	.known = true };
static const struct ip v6 = { .b = { 0x20, 0x01, 0x0d, 0xb8 }, .known = true };

/* stream_of - some lines */
static struct stream
stream_of(const char *const *texts)
{
	struct stream s = { .name = SLICE("s") };
	struct match_line *lines = arena_array(arena, 4, sizeof(*lines));

	for (; s.nlines < 4 && texts[s.nlines] != NULL; s.nlines++) {
		struct match_line *line = &lines[s.nlines];

		assert_int_equal(match_parse(slice_of(texts[s.nlines]), here,
		    arena, line, &problems), 1);
		for (size_t i = 0; i < line->n; i++)
			s.by_header = s.by_header ||
			    line->words[i].what == MATCH_HEADER;
	}
	s.lines = lines;
	return s;
}

#define NO	KNOWN_NO
#define YES	KNOWN_YES
#define NOT_YET	KNOWN_NOT_YET

/* The truth table: at MAIL, at RCPT, at the end of the headers. */
static void
three_answers(void **state)
{
	static const struct {
		const char	*lines[4];
		enum known	 mail, rcpt, eoh;
	} cases[] = {
		{ { "any" }, YES, YES, YES },
		{ { "!any" }, NO, NO, NO },
		{ { "sender:news@*" }, YES, YES, YES },
		{ { "sender:ops@*" }, NO, NO, NO },
		{ { "!sender:ops@*" }, YES, YES, YES },
		{ { "login:acme" }, YES, YES, YES },
		{ { "listener:sub*" }, YES, YES, YES },
		{ { "client:10.1.0.0/16" }, YES, YES, YES },
		{ { "client:10.2.0.0/16" }, NO, NO, NO },
		{ { "client:10.1.2.3" }, YES, YES, YES },
		{ { "client:::/0" }, NO, NO, NO },
		{ { "recipient:*@b.example" }, NOT_YET, YES, YES },
		{ { "!recipient:*@b.example" }, NOT_YET, NO, NO },
		{ { "header:X-Stream" }, NOT_YET, NOT_YET, YES },
		{ { "header:x-stream=BULK*" }, NOT_YET, NOT_YET, YES },
		{ { "header:X-Stream=bulk" }, NOT_YET, NOT_YET, NO },
		{ { "header:X-Stream=" }, NOT_YET, NOT_YET, NO },
		{ { "!header:X-Other" }, NOT_YET, NOT_YET, YES },
		/* in a line, one no is enough */
		{ { "sender:ops@* header:X-Stream" }, NO, NO, NO },
		{ { "header:X-Stream recipient:*@c.example" }, NOT_YET, NO,
		    NO },
		{ { "sender:news@* header:X-Stream" }, NOT_YET, NOT_YET, YES },
		/* of lines, one yes is enough */
		{ { "header:X-Other", "sender:news@*" }, YES, YES, YES },
		{ { "header:X-Other", "recipient:*@b.example" }, NOT_YET, YES,
		    YES },
		{ { "sender:ops@*", "header:X-Other" }, NOT_YET, NOT_YET, NO },
	};
	struct match_facts f = { .login = SLICE("acme"),
	    .listener = SLICE("submission"), .client = &v4,
	    .sender = SLICE("news@acme.example") };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stream s = stream_of(cases[i].lines);
		enum known mail, rcpt, eoh;

		f.recipient = SLICE_NONE;
		f.headers_known = false;
		mail = match_stream(&s, &f, NULL);
		f.recipient = SLICE("you@b.example");
		rcpt = match_stream(&s, &f, NULL);
		f.headers_known = true;
		f.headers = headers;
		f.nheaders = 2;
		eoh = match_stream(&s, &f, NULL);
		if (mail != cases[i].mail || rcpt != cases[i].rcpt ||
		    eoh != cases[i].eoh)
			fail_msg("%s: got %d %d %d, want %d %d %d",
			    cases[i].lines[0], mail, rcpt, eoh, cases[i].mail,
			    cases[i].rcpt, cases[i].eoh);
	}
}

static void
what_is_absent_fits_nothing(void **state)
{
	struct match_facts f = { .sender = SLICE(""), .headers_known = true };
	struct stream login = stream_of((const char *const[]){ "login:*",
	    NULL });
	struct stream null = stream_of((const char *const[]){ "sender:<>",
	    NULL });
	struct stream net = stream_of((const char *const[]){ "client:0.0.0.0/0",
	    NULL });

	(void)state;
	assert_int_equal(match_stream(&login, &f, NULL), NO);
	assert_int_equal(match_stream(&null, &f, NULL), YES);
	f.sender = SLICE("a@b");
	assert_int_equal(match_stream(&null, &f, NULL), NO);
	assert_int_equal(match_stream(&net, &f, NULL), NO);
	f.client = &v6;
	assert_int_equal(match_stream(&net, &f, NULL), NO);
	f.client = &v4;
	assert_int_equal(match_stream(&net, &f, NULL), YES);
}

static void
headers_of_others_do_not_count(void **state)
{
	static struct slice claim[] = { { "acme", 4 }, { "*@a.example", 11 },
	    { "*@.b.example", 12 } };
	static const struct { const char *login; bool may; } cases[] = {
		{ "acme", true }, { "Acme", false }, { "x@A.example", true },
		{ "x@b.example", false }, { "x@c.b.example", true },
		{ "x@xb.example", false }, { NULL, false },
	};
	struct match_facts f = { .headers = headers, .nheaders = 2,
	    .headers_known = true };
	struct stream s = stream_of((const char *const[]){ "header:X-Stream",
	    NULL });
	struct stream turned = stream_of((const char *const[]){
	    "!header:X-Other", "login:other", NULL });

	(void)state;
	s.claim = turned.claim = claim;
	s.nclaim = turned.nclaim = 3;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f.login = slice_of(cases[i].login);
		if ((match_stream(&s, &f, NULL) == YES) != cases[i].may ||
		    (match_stream(&turned, &f, NULL) == YES) != cases[i].may)
			fail_msg("%s: want %d", cases[i].login, cases[i].may);
	}
	/* Nor are they waited for. */
	f.headers_known = false;
	f.login = SLICE("other");
	assert_int_equal(match_stream(&s, &f, NULL), NO);
	assert_int_equal(match_stream(&turned, &f, NULL), YES);
}

static void
the_first_that_matches_behind_those_that_do_not(void **state)
{
	struct stream header = stream_of((const char *const[]){
	    "sender:news@* header:X-Stream=bulk*", NULL });
	struct stream envelope = stream_of((const char *const[]){
	    "recipient:*@b.example", "sender:*@acme.example", NULL });
	struct stream rest = { .name = SLICE("default") };
	const struct stream *all[] = { &header, &envelope, &rest };
	const struct tenant t = { .streams = all, .nstreams = 3 };
	struct match_facts f = { .sender = SLICE("ops@acme.example") };
	const struct match_line *which;

	(void)state;
	/* The header stream cannot match any more: known at MAIL. */
	assert_ptr_equal(match_tenant(&t, &f, &which), &envelope);
	assert_string_equal(which->text.p, "sender:*@acme.example");
	/* It still may: nobody knows before the headers are read. */
	f.sender = SLICE("news@acme.example");
	f.recipient = SLICE("you@b.example");
	assert_null(match_tenant(&t, &f, &which));
	f.headers_known = true;
	f.headers = headers;
	f.nheaders = 2;
	assert_ptr_equal(match_tenant(&t, &f, &which), &header);
	f.nheaders = 0;
	assert_ptr_equal(match_tenant(&t, &f, &which), &envelope);
	assert_string_equal(which->text.p, "recipient:*@b.example");
	f.sender = SLICE("x@other.example");
	f.recipient = SLICE("you@c.example");
	assert_ptr_equal(match_tenant(&t, &f, &which), &rest);
	assert_null(which);
}

#define CASE(f)	cmocka_unit_test_setup_teardown(f, begin, finish)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_glob_fits_the_whole_text),
		CASE(a_glob_of_many_stars_comes_to_an_end),
		CASE(mistakes_in_a_line),
		CASE(a_line_has_bounds),
		CASE(a_line_cut_at_every_byte_is_read_or_refused),
		CASE(three_answers),
		CASE(what_is_absent_fits_nothing),
		CASE(headers_of_others_do_not_count),
		CASE(the_first_that_matches_behind_those_that_do_not),
	};

	return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
