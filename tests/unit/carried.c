/*
 * carried - what bulk mail carries, for whom, and when it is turned away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <unistd.h>

#include "tests/unit/asked.h"

#define LATE \
	"  stream \"late\" { match = {\"header:X-Late\"}" \
	"  priority = \"bulk\" unsubscribe = \"one-click\" }\n"
#define TENANT(block, stream)	ACME(block, stream, LATE)
#define ACME(block, stream, late) \
	"tenant \"acme\" {\n" \
	"  logins = {\"acme\"}  domains = {\"acme.example\"}\n" \
	"  bounce_domain = \"bounce.acme.example\"\n" \
	"  dkim \"a\" { domain = \"acme.example\"  key = \"good.rsa\" }\n" \
	"  unsubscribe { url = \"https://u.acme.example/u/\"" block " }\n" \
	"  stream \"news\" { match = {\"sender:news@*\"}" \
	"  priority = \"bulk\"" stream " }\n" \
	late "}\n"
#define CLICK	"  unsubscribe = \"one-click\""
#define LETTER	"  unsubscribe = \"mailto\""
#define UNSUB	"<https://u.acme.example/u/%L>,\n <mailto:unsubscribe@" \
		"bounce.acme.example?subject=%L>"
#define MANY	"<mailto:b+%S@bounce.acme.example?subject=unsubscribe>"
#define POST	"List-Unsubscribe-Post=List-Unsubscribe=One-Click"
#define LU	"List-Unsubscribe="

static struct header_fact heads[16];
static size_t nheads;
static struct plan plan;

static int
setup(void **state)
{
	struct why why;
	uint8_t number;

	(void)state;
	memset(&asked, 0, sizeof(asked));
	asked_begin("");
	asked.tokens = "token.keys";
	(void)unlink(asked.tokens);
	assert_int_equal(token_ring_add(asked.tokens, &number, &why), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink("token.keys");
	asked_end();
	return 0;
}

/* policy - another one, with the keys that are there */
static void
policy(const char *text)
{
	files_write("policy.conf", text, strlen(text));
	asked_load();
}

/* sent - up to the plan; rcpts: by blanks, with "@here" one is local; lines:
 * "Name=value" by bars.  PASS, or what turned the message away */
static enum verdict
sent(const char *from, const char *rcpts, const char *lines)
{
	struct slice all = slice_of(lines);
	char to[128];
	struct why why;

	nheads = 0;
	heads[nheads++] = (struct header_fact){ SLICE("From"),
	    slice_of("me@acme.example") };
	while (all.n > 0) {
		const char *bar = memchr(all.p, '|', all.n);
		size_t n = bar != NULL ? (size_t)(bar - all.p) : all.n;
		const char *is = memchr(all.p, '=', n);

		assert_non_null(is);
		heads[nheads++] = (struct header_fact){ { all.p,
		    (size_t)(is - all.p) }, { is + 1,
		    n - (size_t)(is + 1 - all.p) } };
		all = slice_from(all, n + 1);
	}
	assert_int_equal(ask_mail("acme", NULL, from, 0), VERDICT_PASS);
	while (*rcpts != '\0') {
		size_t n = strcspn(rcpts, " ");

		snprintf(to, sizeof(to), "<%.*s>", (int)n, rcpts);
		if (ask_rcpt(arena_copy(asked.texts, slice_of(to)).p, strstr(
		    to, "@here") != NULL ? "local" : "smtp") != VERDICT_PASS)
			return asked.answer.verdict;
		rcpts += n + (rcpts[n] == ' ');
	}
	if (looked_at(decide_headers(&asked.mail, heads, nheads, asked.now,
	    &asked.answer)) != VERDICT_PASS)
		return asked.answer.verdict;
	assert_int_equal(plan_make(&asked.mail, heads, nheads, &plan,
	    asked.arena, &why), 0);
	return VERDICT_PASS;
}

/* like - is the text as wanted? %L a long token of that recipient, %S a short
 * one of this message, %C a code */
static bool
like(struct slice text, const char *want, const char *recipient)
{
	const struct token_ring *ring = asked.policy->ring;
	struct token_short s;
	struct token t;
	struct why why;
	size_t n;

	for (; *want != '\0'; want++) {
		if (*want != '%') {
			if (text.n == 0 || text.p[0] != *want)
				return false;
			text = slice_from(text, 1);
			continue;
		}
		n = 0;
		while (n < text.n && strchr(":>, ;@?", text.p[n]) == NULL)
			n++;
		if (*++want == 'L' && (token_read(ring,
		    (struct slice){ text.p, n }, asked.texts, &t, &why) != 1 ||
		    t.tenant != hash_id("tenant", SLICE("acme")) ||
		    t.list != token_list(SLICE("acme"),
		    asked.mail.stream->name) ||
		    !slice_is(t.recipient, recipient)))
			return false;
		if (*want == 'S' && (token_short_read(ring,
		    (struct slice){ text.p, n }, &s, &why) != 1 ||
		    s.id != plan.carried.token))
			return false;
		if (*want == 'C' && n != 14)
			return false;
		text = slice_from(text, n);
	}
	return text.n == 0;
}

/* written - are these the fields, and do they stand among what is signed? */
static bool
written(const char *const *want, const char *recipient)
{
	size_t n = 0, inserted = 0;

	for (size_t i = 0; i < plan.n; i++)
		inserted += plan.edits[i].kind == EDIT_INSERT;
	for (; want[n] != NULL; n++) {
		const char *is = strchr(want[n], '=');
		size_t i = 0, left = 0;

		while (i < plan.n && (plan.edits[i].kind != EDIT_INSERT ||
		    !slice_eq(plan.edits[i].name, (struct slice){ want[n],
		    (size_t)(is - want[n]) })))
			i++;
		if (i == plan.n || !like(plan.edits[i].value, is + 1,
		    recipient))
			return false;
		for (size_t k = 0; k < plan.nleft; k++)
			left += slice_case_eq(plan.left[k].name,
			    plan.edits[i].name);
		if (left != 1)
			return false;
	}
	return n == inserted;
}

/* clang-format off */
static const struct {
	const char	*name, *block, *stream, *from, *rcpts, *lines;
	const char	*want[5];
	size_t		 removed;
} cases[] = {
	{ "one-click: a link, a letter, and the word that makes it one click",
	    "", CLICK, "news@acme.example", "ann@x.example", "",
	    { LU UNSUB, POST }, 0 },
	{ "the recipient is written as he is known everywhere", "", CLICK,
	    "news@acme.example", "ann@X.Example", "", { LU UNSUB, POST }, 0 },
	{ "mail of another stream gets nothing", "", CLICK,
	    "bills@acme.example", "ann@x.example", "", { NULL }, 0 },
	{ "off is off", "", "", "news@acme.example", "ann@x.example", "",
	    { NULL }, 0 },
	{ "mailto: the letter alone, and no word of one click", "", LETTER,
	    "news@acme.example", "ann@x.example", "",
	    { LU "<mailto:unsubscribe@bounce.acme.example?subject=%L>" }, 0 },
	{ "another local part", " mailto = \"leave\"", LETTER,
	    "news@acme.example", "ann@x.example", "",
	    { LU "<mailto:leave@bounce.acme.example?subject=%L>" }, 0 },
	{ "no letter", " mailto = \"none\"", CLICK, "news@acme.example",
	    "ann@x.example", "", { LU "<https://u.acme.example/u/%L>", POST },
	    0 },
	{ "several recipients: a letter that names the message", "", CLICK,
	    "news@acme.example", "ann@x.example bob@x.example", "",
	    { LU MANY }, 0 },
	{ "one elsewhere and one here are several", "", CLICK,
	    "news@acme.example", "ann@x.example bob@here.example", "",
	    { LU MANY }, 0 },
	{ "mail that stays here gets nothing", "", CLICK, "news@acme.example",
	    "bob@here.example", "", { NULL }, 0 },
	{ "a sender's own stays alone, without our word", "", CLICK,
	    "news@acme.example", "ann@x.example",
	    "list-unsubscribe=<https://own.example/>", { NULL }, 0 },
	{ "it is replaced, with all that goes with it",
	    " existing = \"replace\"", CLICK, "news@acme.example",
	    "ann@x.example", "List-Unsubscribe=<https://own.example/>|"
	    "List-Unsubscribe-Post=List-Unsubscribe=One-Click",
	    { LU UNSUB, POST }, 2 },
	{ "a word of one click without a link of its own does not stay beside "
	    "ours", "", CLICK, "news@acme.example", "ann@x.example",
	    "List-Unsubscribe-Post=List-Unsubscribe=One-Click",
	    { LU UNSUB, POST }, 1 },
	{ "it must be there and is", " existing = \"require-own\"", CLICK,
	    "news@acme.example", "ann@x.example",
	    "List-Unsubscribe=<https://own.example/>", { NULL }, 0 },
	{ "a List-Id when it is asked for", " list_id = \"yes\"", CLICK,
	    "news@acme.example", "ann@x.example", "",
	    { LU UNSUB, POST, "List-Id=<news.bounce.acme.example>" }, 0 },
	{ "and the sender's, when there is one", " list_id = \"yes\"", CLICK,
	    "news@acme.example", "ann@x.example", "List-Id=<a.b.example>",
	    { LU UNSUB, POST }, 0 },
	{ "a stream that a header selects", "", CLICK, "me@acme.example",
	    "ann@x.example", "X-Late=1", { LU UNSUB, POST }, 0 },
	{ "Feedback-ID: ours instead of the sender's", "",
	    " feedback_id = \"add\"", "news@acme.example", "ann@x.example",
	    "Feedback-ID=a:b:c:d", { "Feedback-ID=%C:%C:%C:%C" }, 1 },
	{ "Feedback-ID: the sender's, if he has one", "",
	    " feedback_id = \"keep\"", "news@acme.example", "ann@x.example",
	    "Feedback-ID=a:b:c:d", { NULL }, 0 },
	{ "Feedback-ID: ours, if he has none", "", " feedback_id = \"keep\"",
	    "news@acme.example", "ann@x.example", "",
	    { "Feedback-ID=%C:%C:%C:%C" }, 0 },
	{ "CFBL: the address and the message", "",
	    " cfbl = \"fbl@acme.example\"", "news@acme.example",
	    "ann@x.example bob@x.example", "CFBL-Address=x@y.example",
	    { "CFBL-Address=fbl@acme.example; report=arf",
	    "CFBL-Feedback-ID=%S" }, 1 },
	{ "CFBL: not for a domain that nobody signs for", "",
	    " cfbl = \"fbl@other.example\"", "news@acme.example",
	    "ann@x.example", "", { NULL }, 0 },
};
/* clang-format on */

static void
what_is_written(void **state)
{
	char text[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), TENANT("%s", "%s"),
		    cases[i].block, cases[i].stream);
		policy(text);
		if (sent(cases[i].from, cases[i].rcpts, cases[i].lines) !=
		    VERDICT_PASS)
			fail_msg("%s: %.*s", cases[i].name,
			    SLICE_ARG(asked.answer.text));
		if (!written(cases[i].want, "ann@x.example"))
			fail_msg("%s: got %zu fields, the first %.*s",
			    cases[i].name, plan.carried.n, SLICE_ARG(
			    plan.carried.fields[0].value));
		if (plan.nremoved != cases[i].removed)
			fail_msg("%s: want %zu removed, got %zu",
			    cases[i].name, cases[i].removed, plan.nremoved);
	}
}

static void
the_same_words_give_the_same_link(void **state)
{
	struct slice first;

	(void)state;
	policy(TENANT("", CLICK));
	assert_int_equal(sent("news@acme.example", "ann@x.example", ""),
	    VERDICT_PASS);
	first = arena_copy(asked.texts, plan.carried.fields[0].value);
	assert_int_equal(sent("news@acme.example", "ann@x.example", ""),
	    VERDICT_PASS);
	assert_true(slice_eq(first, plan.carried.fields[0].value));
}

static const struct {
	const char	*name, *from, *rcpts;
	bool		 changed;
} paths[] = {
	{ "a message elsewhere", "news@acme.example", "ann@x.example", true },
	{ "one to several", "news@acme.example",
	    "ann@x.example bob@x.example", true },
	{ "mail that wants no answer keeps it so", "<>", "ann@x.example",
	    false },
	{ "mail that stays here", "news@acme.example", "bob@here.example",
	    false },
};

static void
return_paths_name_the_message(void **state)
{
	size_t n;

	(void)state;
	policy("return_path = \"verp\"\n" TENANT("", ""));
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (sent(paths[i].from, paths[i].rcpts, "") != VERDICT_PASS)
			fail_msg("%s: %.*s", paths[i].name,
			    SLICE_ARG(asked.answer.text));
		for (n = 0; n < plan.n; n++)
			if (plan.edits[n].kind == EDIT_RETURN_PATH)
				break;
		if ((n < plan.n) != paths[i].changed ||
		    (plan.carried.token != 0) != paths[i].changed)
			fail_msg("%s: changed is not %d", paths[i].name,
			    paths[i].changed);
		if (n < plan.n && !like(plan.edits[n].value,
		    "b+%S@bounce.acme.example", ""))
			fail_msg("%s: got %.*s", paths[i].name,
			    SLICE_ARG(plan.edits[n].value));
	}
}

#define POOL	"pool \"p\" { select = \"sender\"\n" \
		"  address \"192.0.2.1\" { transport = \"out1\" } }\n" \
		"pool \"h\" { select = \"header\"\n" \
		"  address \"192.0.2.2\" { transport = \"out2\" } }\n"

/* edit_of - the first of that kind and name, or NULL */
static const struct edit *
edit_of(enum edit_kind kind, const char *name)
{
	for (size_t n = 0; n < plan.n; n++)
		if (plan.edits[n].kind == kind &&
		    slice_is(plan.edits[n].name, name))
			return &plan.edits[n];
	return NULL;
}

/* left - to the end, where the address is known, and the plan of then */
static void
left(const char *from, const char *rcpts, const char *lines)
{
	struct why why;

	assert_int_equal(sent(from, rcpts, lines), VERDICT_PASS);
	assert_int_equal(ask_end(1), VERDICT_PASS);
	assert_int_equal(plan_make(&asked.mail, heads, nheads, &plan,
	    asked.arena, &why), 0);
}

static void
a_return_path_names_the_transport(void **state)
{
	static const struct { const char *rcpts, *want; } ways[] = {
		{ "ann@x.example", "b.out1.%S@bounce.acme.example" },
		{ "ann@orange.fr", "b.out1-orange.%S@bounce.acme.example" },
		{ "ann@orange.fr ann@x.example",
		    "b.out1.%S@bounce.acme.example" },
		{ "ann@orange.fr bob@here.example",
		    "b.out1-orange.%S@bounce.acme.example" },
	};
	const struct edit *e;

	(void)state;
	policy(POOL "return_path = \"verp\"\n"
	    TENANT("", " pool \"p\" { }"));
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		left("news@acme.example", ways[i].rcpts, "");
		e = edit_of(EDIT_RETURN_PATH, "");
		assert_non_null(e);
		if (!like(e->value, ways[i].want, ""))
			fail_msg("%s: got %.*s", ways[i].rcpts,
			    SLICE_ARG(e->value));
		assert_null(edit_of(EDIT_INSERT, PLAN_ROUTE));
	}
	left("<>", "ann@x.example", "");
	assert_null(edit_of(EDIT_RETURN_PATH, ""));
}

static void
a_header_names_the_transport_and_is_not_signed(void **state)
{
	const struct edit *e;

	(void)state;
	policy(POOL TENANT("", " pool \"h\" { }"));
	left("news@acme.example", "ann@orange.fr", "X-Penstock-Route=out1");
	e = edit_of(EDIT_INSERT, PLAN_ROUTE);
	assert_non_null(e);
	assert_true(slice_is(e->value, "out2-orange"));
	assert_non_null(edit_of(EDIT_REMOVE, PLAN_ROUTE));
	for (size_t i = 0; i < plan.nleft; i++)
		assert_false(slice_case_eq(plan.left[i].name,
		    SLICE(PLAN_ROUTE)));
	/* a FILTER would take the local one away, too */
	left("news@acme.example", "ann@x.example bob@here.example", "");
	assert_null(edit_of(EDIT_INSERT, PLAN_ROUTE));
}

static const struct {
	const char	*name, *block, *from, *rcpts, *lines, *code, *dsn;
} turned[] = {
	{ "the second recipient comes with the next message",
	    " many_recipients = \"defer\"", "news@acme.example",
	    "ann@x.example bob@x.example", "", "452", "4.5.3" },
	{ "or is refused", " many_recipients = \"refuse\"",
	    "news@acme.example", "ann@x.example bob@x.example", "", "550",
	    "5.7.1" },
	{ "at the end of the headers, when only they say the stream",
	    " many_recipients = \"refuse\"", "me@acme.example",
	    "ann@x.example bob@x.example", "X-Late=1", "550", "5.7.1" },
	{ "a field that must be there and is not",
	    " existing = \"require-own\"", "news@acme.example",
	    "ann@x.example", "", "550", "5.7.1" },
};

static void
what_is_turned_away(void **state)
{
	char text[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(turned) / sizeof(turned[0]); i++) {
		snprintf(text, sizeof(text), ACME("%s", CLICK, "%s"),
		    turned[i].block, strstr(turned[i].block, "defer") ==
		    NULL ? LATE : "");
		policy(text);
		if (sent(turned[i].from, turned[i].rcpts, turned[i].lines) ==
		    VERDICT_PASS)
			fail_msg("%s: it passed", turned[i].name);
		expect_reply(turned[i].code, turned[i].dsn, "acme", 0);
	}
}

static void
in_shadow_they_pass(void **state)
{
	(void)state;
	policy("mode = \"shadow\"\n" TENANT(" many_recipients = \"refuse\" "
	    "existing = \"require-own\"", CLICK));
	assert_int_equal(sent("news@acme.example", "ann@x.example "
	    "bob@x.example", ""), VERDICT_PASS);
	assert_int_equal(asked.mail.would.verdict, VERDICT_REFUSE);
}

static void
without_keys_such_mail_waits_and_other_mail_does_not(void **state)
{
	struct policy_load args = { .path = "policy.conf", .keys = "keys",
	    .token_keys = "no.keys" };
	struct problems problems;
	struct why why;

	(void)state;
	policy(TENANT("", CLICK));
	problems_init(&problems, asked.texts);
	policy_drop(asked.policy);
	assert_int_equal(policy_load(&args, &asked.policy, &problems, &why),
	    1);
	assert_int_equal(problems.errors, 1);
	assert_non_null(strstr(problems.first->text, "stream \"news\" needs "
	    "the keys of tokens, its mail gets 451: "));
	assert_int_equal(sent("news@acme.example", "ann@x.example", ""),
	    VERDICT_DEFER);
	expect_reply("451", "4.3.5", "unsubscribe links", 0);
	assert_int_equal(sent("bills@acme.example", "ann@x.example", ""),
	    VERDICT_PASS);
}

static void
codes_are_nobody_elses(void **state)
{
	char a[UNSUBSCRIBE_CODE], b[UNSUBSCRIBE_CODE];

	(void)state;
	for (int i = 0; i < 64; i++) {
		unsubscribe_code('t', UINT64_C(1) << i, a);
		unsubscribe_code('t', 0, b);
		assert_string_not_equal(a, b);
		assert_int_equal(strlen(a), 14);
		unsubscribe_code('c', UINT64_C(1) << i, b);
		assert_string_not_equal(a, b);
	}
}

static void
a_campaign_is_what_its_header_says(void **state)
{
	struct slice first;

	(void)state;
	policy("campaign = \"X-Campaign\"\n" TENANT("",
	    " feedback_id = \"add\""));
	assert_int_equal(sent("news@acme.example", "ann@x.example",
	    "x-campaign= spring 26\r\n more"), VERDICT_PASS);
	assert_true(slice_is(asked.mail.campaign, "spring 26"));
	first = arena_copy(asked.texts, plan.carried.fields[0].value);
	assert_int_equal(sent("news@acme.example", "bob@x.example",
	    "x-campaign=autumn"), VERDICT_PASS);
	/* another campaign, the same tenant, pool and sender */
	assert_false(slice_eq(first, plan.carried.fields[0].value));
	assert_memory_equal(first.p + 14, plan.carried.fields[0].value.p + 14,
	    45);
	assert_int_equal(sent("news@acme.example", "bob@x.example", ""),
	    VERDICT_PASS);
	assert_null(asked.mail.campaign.p);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_written),
		T(the_same_words_give_the_same_link),
		T(return_paths_name_the_message),
		T(a_return_path_names_the_transport),
		T(a_header_names_the_transport_and_is_not_signed),
		T(what_is_turned_away),
		T(in_shadow_they_pass),
		T(without_keys_such_mail_waits_and_other_mail_does_not),
		T(codes_are_nobody_elses),
		T(a_campaign_is_what_its_header_says),
	};

	return cmocka_run_group_tests_name("carried", tests,
	    files_keys, files_no_keys);
}
