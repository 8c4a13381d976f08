/*
 * When a provider asks for less: the file of rules and its mistakes, which
 * answers count and whose they are, and which of a row's entries is in force.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/wire.h"
#include "reputation/backoff.h"

#define T0	(INT64_C(1763712000) * 1000000)
#define UNUSUAL	"host mx.google.com[192.0.2.1] said: 421-4.7.28 Our system " \
	"has detected an unusual rate of 421-4.7.28 unsolicited mail (in " \
	"reply to end of DATA command)"

static struct arena *arena;
static struct problems problems;

static int
setup(void **state)
{
	(void)state;
	arena = arena_new(4096, 0);
	return arena == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* parse - of that text; NULL: it has mistakes */
static struct backoffs *
parse(const char *text)
{
	struct backoffs *b = NULL;
	struct why why;
	int got;

	problems_init(&problems, arena);
	got = backoffs_parse(&b, "/etc/b.conf", slice_of(text), &problems,
	    &why);
	assert_true(got == 1 ? b != NULL : got == 0);
	problems_sort(&problems);
	return b;
}

#define REST	"threshold = \"2/hour\" action = \"pause\" duration = \"1h\" "

static const struct mistake {
	const char	*name, *text, *said;
} mistakes[] = {
	{ "a rule without a name", "rule { " REST "}",
	    "1:1: " },
	{ "a name that is none", "rule \"a b\" { " REST "}",
	    "1:6: \"a b\" is no name" },
	{ "two rules of one name", "rule \"a\" { text = \"x y\" " REST "}\n"
	    "rule \"a\" { text = \"x y\" " REST "}", "2:1: " },
	{ "a word that is none", "rule \"a\" { text = \"xy\" txt = \"x\" "
	    REST "}", "1:24: " },
	{ "nothing to look for", "rule \"a\" { " REST "}",
	    "1:1: rule \"a\" has neither text, code" },
	{ "no threshold",
	    "rule \"a\" { text = \"xy\" action = \"pause\" duration = \"1h\" }",
	    "1:1: rule \"a\" has no threshold" },
	{ "no action",
	    "rule \"a\" { text = \"xy\" threshold = \"1/hour\" duration = \"1h\" }",
	    "1:1: rule \"a\" has no action" },
	{ "no duration",
	    "rule \"a\" { text = \"xy\" threshold = \"1/hour\" action = \"pause\" }",
	    "1:1: rule \"a\" has no duration" },
	{ "slow without a rate",
	    "rule \"a\" { text = \"xy\" threshold = \"1/hour\" action = \"slow\""
	    " duration = \"1h\" }", "1:1: rule \"a\" has no rate" },
	{ "a pause with a rate", "rule \"a\" { text = \"xy\" rate = \"1/hour\" "
	    REST "}", "1:1: rule \"a\" has a rate, and pause" },
	{ "a provider that is none", "rule \"a\" { text = \"xy\" provider = "
	    "{\"google\", \"gogle\"} " REST "}",
	    "1:46: there is no provider \"gogle\"" },
	{ "no provider at all", "rule \"a\" { text = \"xy\" provider = {} "
	    REST "}", "1:35: provider is empty" },
	{ "a category that is none",
	    "rule \"a\" { category = \"rate\" " REST "}",
	    "1:23: \"rate\" is no category" },
	{ "a threshold for ever",
	    "rule \"a\" { text = \"xy\" threshold = \"1/month\" "
	    "action = \"pause\" duration = \"1h\" }", "1:36: threshold: " },
	{ "a threshold of a second",
	    "rule \"a\" { text = \"xy\" threshold = \"5/second\" "
	    "action = \"pause\" duration = \"1h\" }",
	    "1:36: threshold: expected 1 to" },
	{ "a duration of a week", "rule \"a\" { text = \"xy\" threshold = "
	    "\"1/hour\" action = \"pause\" duration = \"7 days\" }",
	    "1:73: duration: \"7 days\" is not between" },
	{ "nothing between two signs, with its place in the string",
	    "rule \"a\" { text = {\"good\", \"xy && z\"} " REST "}",
	    "1:33: nothing stands between" },
	{ "a text without a word", "rule \"a\" { text = {\" \"} " REST "}",
	    "1:20: text: \" \" has no word" },
	{ "a text that is the sign for none", "rule \"a\" { text = \"-\" " REST
	    "}", "1:19: text: \"-\" has no word" },
	{ "a code that is none", "rule \"a\" { code = \"4x1\" " REST "}",
	    "1:19: expected a code" },
	{ "two codes in one", "rule \"a\" { code = \"421 450\" " REST "}",
	    "1:19: code: expected one code" },
	{ "an enhanced code that is none",
	    "rule \"a\" { enhanced = \"4.7,28\" " REST "}",
	    "1:23: expected a code" },
};

static void
every_mistake_is_named_with_its_place(void **state)
{
	char said[512];

	(void)state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		const struct mistake *m = &mistakes[i];
		struct backoffs *b = parse(m->text);

		if (b != NULL || problems.first == NULL)
			fail_msg("%s: got no mistake, want %s", m->name,
			    m->said);
		snprintf(said, sizeof(said), "%u:%u: %s",
		    problems.first->at.line, problems.first->at.col,
		    problems.first->text);
		if (strncmp(said, m->said, strlen(m->said)) != 0)
			fail_msg("%s:\ngot  %s\nwant %s", m->name, said,
			    m->said);
		assert_string_equal(problems.first->at.file, "/etc/b.conf");
	}
}

static void
all_mistakes_of_a_file_come_at_once(void **state)
{
	(void)state;
	assert_null(parse("rule \"a\" { text = \"x && y\" " REST "}\n"
	    "rule \"b\" { code = \"z\" threshold = \"no\" }\n"
	    "what = \"?\"\n"));
	/* b: threshold, no action, no duration, the code; and what */
	assert_int_equal(problems.errors, 6);
}

static void
a_file_without_a_rule_wants_no_back_off(void **state)
{
	struct backoffs *b = parse("# nothing\n");
	size_t n;

	(void)state;
	assert_non_null(b);
	(void)backoffs_rules(b, &n);
	assert_int_equal(n, 0);
	backoffs_free(b);
}

static void
more_rules_than_there_may_be_are_refused(void **state)
{
	struct buf text = BUF_INIT;

	(void)state;
	for (int i = 0; i <= BACKOFF_RULES; i++)
		buf_printf(&text, "rule \"r%d\" { text = \"xy\" " REST "}\n",
		    i);
	buf_char(&text, '\0');
	assert_null(parse(text.data));
	assert_int_equal(problems.errors, 1);
	buf_free(&text);
}

static void
a_file_cut_at_every_byte_is_good_or_says_why(void **state)
{
	static const char text[] = "rule \"a\" {\n\tprovider = \"google\"\n"
	    "\ttext = {\"unusual & rate\", \"x*y\"}\n\tcode = \"4??\"\n"
	    "\tthreshold = \"2/hour\"\n\taction = \"slow\" rate = "
	    "\"10/minute\"\n\tduration = \"30 minutes\"\n}\n";
	char cut[sizeof(text)];
	struct backoffs *b;

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		memcpy(cut, text, n);
		cut[n] = '\0';
		b = parse(cut);
		if ((b != NULL) != (problems.errors == 0))
			fail_msg("cut at %zu", n);
		assert_true(b == NULL || n == 0 || n >= sizeof(text) - 2);
		backoffs_free(b);
	}
}

/* match - the first rule that it counts for, as the ingester asks; NULL */
static const char *
match(const struct backoffs *b, const char *provider, enum category category,
    const char *text, char name[65])
{
	const struct backoff_rule *found[BACKOFF_RULES];
	struct slice host, said = slice_of(text);
	unsigned p = 0;
	size_t n;

	while (strcmp(provider_name(p), provider) != 0)
		p++;
	n = backoffs_match(b, backoff_whose(said, &host), p,
	    SLICE("dest.example"), category, said, found, BACKOFF_RULES);
	if (n == 0)
		return NULL;
	snprintf(name, 65, "%.*s", SLICE_ARG(found[0]->name));
	return name;
}

#define SAID	"host mx.example[192.0.2.1] said: "
static const struct {
	const char	*provider;
	enum category	 category;
	const char	*text, *rule;		/* rule NULL: none */
} shipped[] = {
	{ "google", CATEGORY_RATE_LIMIT, UNUSUAL, "google-unusual-rate" },
	{ "google", CATEGORY_RATE_LIMIT, SAID "421-4.7.0 This message does "
	    "not pass; Our system has detected that this message is likely "
	    "unsolicited", "google-detected" },
	{ "google", CATEGORY_BLOCK_REPUTATION, SAID "550-5.7.1 ... due to "
	    "the very low reputation of the sending IP address",
	    "google-reputation" },
	{ "yahoo", CATEGORY_RATE_LIMIT, SAID "421 4.7.0 [TSS04] Messages "
	    "from 192.0.2.9 temporarily deferred", "yahoo-complaints" },
	{ "yahoo", CATEGORY_RATE_LIMIT, SAID "553 5.7.1 [TSS09] All messages",
	    "yahoo-hard" },
	{ "yahoo", CATEGORY_RATE_LIMIT, "host mta5.am0.yahoodns.net[192.0.2.1]"
	    " refused to talk to me: 421 4.7.0 [TS02] All messages from "
	    "192.0.2.9 deferred", "yahoo-volume" },
	{ "office365", CATEGORY_BLOCK_REPUTATION, SAID "550 5.7.1 part of "
	    "their network is on our block list (S3150)",
	    "microsoft-block-list" },
	{ "outlook", CATEGORY_RATE_LIMIT, SAID "451 4.7.500 Server busy.",
	    "microsoft-busy" },
	{ "comcast", CATEGORY_RATE_LIMIT, SAID "421 4.1.0 RL000010",
	    "comcast-stop" },
	{ "unresolved", CATEGORY_RATE_LIMIT, SAID "421 host has exceeded the "
	    "maximum number of connections", "too-many-connections" },
	{ "other", CATEGORY_RATE_LIMIT, SAID "451 whatever this house says",
	    "rate-limit" },
	{ "other", CATEGORY_RECIPIENT_UNKNOWN, SAID "550 5.1.1 unknown",
	    NULL },
	/* the same words from another house, and from ourselves */
	{ "yahoo", CATEGORY_UNKNOWN, UNUSUAL, NULL },
	{ "google", CATEGORY_RATE_LIMIT, "delivery temporarily suspended: "
	    UNUSUAL, NULL },
	{ "google", CATEGORY_RATE_LIMIT, "message size exceeds the unusual "
	    "rate of host x[1] said: 421 unusual rate of", NULL },
	{ "google", CATEGORY_NETWORK_EXPIRED, "connect to mx.google.com"
	    "[192.0.2.1]:25: Connection timed out", "not-reached" },
	{ "google", CATEGORY_NETWORK_EXPIRED, "lost connection with "
	    "mx.google.com[192.0.2.1] while receiving the initial server "
	    "greeting", "not-reached" },
	{ "other", CATEGORY_NETWORK_EXPIRED, "connect to mx.example"
	    "[192.0.2.1]:25: Connection timed out", NULL },
	{ "google", CATEGORY_RATE_LIMIT, "delivery temporarily suspended: "
	    "connect to mx.google.com[192.0.2.1]:25: Connection timed out",
	    NULL },
};

static void
what_ships_knows_the_words_of_the_big_houses(void **state)
{
	struct backoffs *b = NULL;
	char name[65];
	struct why why;

	(void)state;
	assert_int_equal(backoffs_builtin(&b, &why), 0);
	for (size_t i = 0; i < sizeof(shipped) / sizeof(shipped[0]); i++) {
		const char *got = match(b, shipped[i].provider,
		    shipped[i].category, shipped[i].text, name);

		if ((got == NULL) != (shipped[i].rule == NULL) ||
		    (got != NULL && strcmp(got, shipped[i].rule) != 0))
			fail_msg("%s: %s\ngot  %s\nwant %s",
			    shipped[i].provider, shipped[i].text,
			    got != NULL ? got : "none", shipped[i].rule !=
			    NULL ? shipped[i].rule : "none");
	}
	backoffs_free(b);
}

static void
whose_word_it_is_stands_before_it(void **state)
{
	static const struct {
		const char	*text;
		enum backoff_from from;
		const char	*host;
	} all[] = {
		{ SAID "450 no", BACKOFF_ANSWER, "mx.example[192.0.2.1]" },
		{ "host a[1] refused to talk to me: 421 no", BACKOFF_ANSWER,
		    "a[1]" },
		{ "host a[1]", BACKOFF_OURS, "" },
		{ "host a[1] is not said: 450", BACKOFF_OURS, "a[1]" },
		{ "connect to a[1]:25: Connection refused",
		    BACKOFF_CONNECTION, "a[1]:25" },
		{ "connect to", BACKOFF_OURS, "" },
		{ "lost connection with a[1] while sending", BACKOFF_CONNECTION,
		    "a[1]" },
		{ "conversation with a[1] timed out while", BACKOFF_CONNECTION,
		    "a[1]" },
		{ "Host or domain name not found. host a said: 421",
		    BACKOFF_OURS, "" },
		{ "", BACKOFF_OURS, "" },
	};
	struct slice host;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(backoff_whose(slice_of(all[i].text), &host),
		    all[i].from);
		if (!slice_is(host, all[i].host))
			fail_msg("%s: host %.*s", all[i].text,
			    SLICE_ARG(host));
	}
}

static void
all_that_a_rule_says_must_hold(void **state)
{
	struct backoffs *b = parse("rule \"a\" { text = {\"slow down\", "
	    "\"go * away\"} code = \"4??\" enhanced = \"4.7.*\" category = "
	    "{\"rate_limit\", \"policy_other\"} provider = {\"microsoft\", "
	    "\"apple\"} " REST "}");
	char name[65];

	(void)state;
	assert_non_null(b);
	assert_non_null(match(b, "apple", CATEGORY_RATE_LIMIT, SAID
	    "450 4.7.1 please SLOW  down", name));
	assert_non_null(match(b, "office365", CATEGORY_POLICY_OTHER, SAID
	    "421-4.7.0 Go far 421-4.7.0 away", name));
	assert_null(match(b, "google", CATEGORY_RATE_LIMIT, SAID
	    "450 4.7.1 slow down", name));
	assert_null(match(b, "apple", CATEGORY_QUOTA, SAID
	    "450 4.7.1 slow down", name));
	assert_null(match(b, "apple", CATEGORY_RATE_LIMIT, SAID
	    "550 4.7.1 slow down", name));
	assert_null(match(b, "apple", CATEGORY_RATE_LIMIT, SAID
	    "450 4.2.1 slow down", name));
	assert_null(match(b, "apple", CATEGORY_RATE_LIMIT, SAID
	    "450 4.7.1 away go", name));
	backoffs_free(b);
}

/* --- rows ----------------------------------------------------------------- */

static struct backoff_row row;

/* entry - one in force from T0 on */
static struct backoff_entry *
entry(const char *rule, enum backoff_action action, int64_t rate,
    int64_t duration)
{
	struct backoff_entry *e = &row.entries[row.n++];

	*e = (struct backoff_entry){ .rule = slice_of(rule),
	    .place = SLICE("backoff.conf:7"), .action = action, .rate = rate,
	    .period = CLOCK_MINUTE, .since = T0, .until = T0 + duration,
	    .hits = 3, .window = CLOCK_HOUR, .reply = SLICE("no") };
	return e;
}

/* strictest - the rule at that moment, "" for none */
static const char *
strictest(int64_t now, int64_t lifted, int64_t most)
{
	static struct backoff b;
	struct backoff_when when = { now, lifted, most };

	return backoff_strictest(&row, &when, &b) == 1 ? b.rule : "";
}

static void
the_strictest_is_told_and_each_ends_by_itself(void **state)
{
	struct backoff_when when = { T0 + 1, 0, CLOCK_HOUR };
	struct backoff b;

	(void)state;
	row = (struct backoff_row){ .n = 0 };
	assert_string_equal(strictest(T0, 0, CLOCK_DAY), "");
	entry("slow", BACKOFF_SLOW, 10, 4 * CLOCK_HOUR);
	entry("slower", BACKOFF_SLOW, 1, 3 * CLOCK_HOUR);
	entry("pause", BACKOFF_PAUSE, 0, CLOCK_HOUR);
	entry("longer", BACKOFF_PAUSE, 0, 2 * CLOCK_HOUR);
	assert_string_equal(strictest(T0, 0, CLOCK_DAY), "longer");
	assert_string_equal(strictest(T0 + 2 * CLOCK_HOUR - 1, 0, CLOCK_DAY),
	    "longer");
	assert_string_equal(strictest(T0 + 2 * CLOCK_HOUR, 0, CLOCK_DAY),
	    "slower");
	assert_string_equal(strictest(T0 + 3 * CLOCK_HOUR, 0, CLOCK_DAY),
	    "slow");
	assert_string_equal(strictest(T0 + 4 * CLOCK_HOUR, 0, CLOCK_DAY), "");
	/* what the caller bears is the end of all of them */
	assert_int_equal(backoff_strictest(&row, &when, &b), 1);
	assert_true(b.until == T0 + CLOCK_HOUR);
	assert_string_equal(strictest(T0 + CLOCK_HOUR, 0, CLOCK_HOUR), "");
	/* and so is the word of a person, for what began before it */
	assert_string_equal(strictest(T0 + 1, T0, CLOCK_DAY), "");
	assert_string_equal(strictest(T0 + 1, T0 - 1, CLOCK_DAY), "longer");
	/* a clock that is far behind the log waits for it */
	assert_string_equal(strictest(T0 - CLOCK_HOUR, 0, CLOCK_DAY), "");
	assert_string_equal(strictest(T0 - CLOCK_SECOND, 0, CLOCK_DAY),
	    "longer");
}

static void
a_row_cut_or_changed_at_any_byte_does_no_harm(void **state)
{
	struct buf b = BUF_INIT;
	struct backoff_row back;
	struct slice bytes;
	struct why why;

	(void)state;
	row = (struct backoff_row){ .address = true, .domain = true,
	    .whose = SLICE("192.0.2.1"), .to = SLICE("dest.example") };
	entry("a", BACKOFF_SLOW, 10, CLOCK_HOUR)->counts[19] = 7;
	entry("b", BACKOFF_PAUSE, 0, CLOCK_HOUR);
	backoff_encode(&row, &b);
	bytes = buf_slice(&b);
	for (size_t n = 0; n < bytes.n; n++)
		assert_int_equal(backoff_decode((struct slice){ bytes.p, n },
		    &back, &why), -1);
	assert_int_equal(backoff_decode(bytes, &back, &why), 0);
	assert_true(back.address && back.domain && back.n == 2);
	assert_true(slice_is(back.to, "dest.example"));
	assert_int_equal(back.entries[0].counts[19], 7);
	assert_true(slice_is(back.entries[1].rule, "b"));
	for (size_t i = 0; i < bytes.n; i++) {
		struct backoff_when when = { T0 + 1, 0, CLOCK_HOUR };
		struct backoff out;

		b.data[i] ^= (char)0xff;
		if (backoff_decode(bytes, &back, &why) == 0 &&
		    backoff_strictest(&back, &when, &out) == 1)
			assert_true(out.until <= T0 + 2 * CLOCK_HOUR);
		b.data[i] ^= (char)0xff;
	}
	buf_free(&b);
}

static void
a_domain_is_no_provider_and_a_tenant_no_address(void **state)
{
	uint8_t keys[4][BACKOFF_KEY];
	struct slice to;

	(void)state;
	for (int i = 0; i < 4; i++)
		backoff_key((i & 1) != 0, 7, (i & 2) != 0, SLICE("google"),
		    keys[i]);
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < i; j++)
			assert_memory_not_equal(keys[i], keys[j],
			    BACKOFF_KEY);
	assert_true(backoff_to(PROVIDER_UNRESOLVED, SLICE("a.example"), &to));
	assert_true(slice_is(to, "a.example"));
	assert_true(backoff_to(PROVIDER_OTHER, SLICE("a.example"), &to));
	assert_false(backoff_to(PROVIDER_OTHER + 1, SLICE("a.example"), &to));
	assert_true(slice_is(to, provider_name(PROVIDER_OTHER + 1)));
}

int
main(void)
{
#define CASE(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(every_mistake_is_named_with_its_place),
		CASE(all_mistakes_of_a_file_come_at_once),
		CASE(a_file_without_a_rule_wants_no_back_off),
		CASE(more_rules_than_there_may_be_are_refused),
		CASE(a_file_cut_at_every_byte_is_good_or_says_why),
		CASE(what_ships_knows_the_words_of_the_big_houses),
		CASE(whose_word_it_is_stands_before_it),
		CASE(all_that_a_rule_says_must_hold),
		CASE(the_strictest_is_told_and_each_ends_by_itself),
		CASE(a_row_cut_or_changed_at_any_byte_does_no_harm),
		CASE(a_domain_is_no_provider_and_a_tenant_no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
