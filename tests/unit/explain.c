/*
 * penstock limits and penstock policy explain, as a person calls them, on a
 * store that the gate's ledger has written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <unistd.h>

#include "lib/clock.h"
#include "policy/decide.h"
#include "tests/unit/policy_files.h"
#include "tools/tool.h"

static const char config[] =
    "store = \"store\"\n"
    "policy = \"policy.conf\"\n"
    "keys = \"keys\"\n";

static const char policy[] =
/*  1 */ "timezone = \"UTC\"\n"
/*  2 */ "group \"g\" { cap \"contract\" { limit = \"100/month\" }\n"
/*  3 */ "  contact = \"ops@agency.example\" }\n"
/*  4 */ "tenant \"acme\" { group = \"g\"\n"
/*  5 */ "  logins = {\"acme\"}  domains = {\"acme.example\"}\n"
/*  6 */ "  throttle \"gg\" { rate = \"60/hour\" to = \"provider:google\" }\n"
/*  7 */ "  cap \"daily\" { limit = \"10/day\"  over = \"refuse\" }\n"
/*  8 */ "  dkim \"s1\" { domain = \"acme.example\"  key = \"good.rsa\" }\n"
/*  9 */ "}\n"
/* 10 */ "tenant \"beta\" { group = \"g\"  logins = {\"beta\"}\n"
/* 11 */ "  domains = {\"beta.example\"}\n"
/* 12 */ "  dkim \"s1\" { domain = \"beta.example\"  key = \"text\" }\n"
/* 13 */ "}\n";

static const struct tool tool = { .config_path = "penstock.conf" };
static char out[1 << 16];

/* run - a command with its words; what it said is in out */
static int
run(int (*command)(const struct tool *, int, char **), const char *words)
{
	char copy[512], *rest = copy, *word, *argv[32];
	FILE *file = tmpfile();
	int old, status, argc = 0;
	size_t n;

	snprintf(copy, sizeof(copy), "%s", words);
	while ((word = strsep(&rest, " ")) != NULL && argc < 32)
		if (*word != '\0')
			argv[argc++] = word;
	assert_non_null(file);
	fflush(stdout);
	old = dup(1);
	assert_int_equal(dup2(fileno(file), 1), 1);
	status = command(&tool, argc, argv);
	fflush(stdout);
	assert_int_equal(dup2(old, 1), 1);
	close(old);
	rewind(file);
	n = fread(out, 1, sizeof(out) - 1, file);
	out[n] = '\0';
	fclose(file);
	return status;
}

static void
says(const char *words)
{
	if (strstr(out, words) == NULL)
		fail_msg("\"%s\" is not in\n%s", words, out);
}

static void
says_not(const char *words)
{
	if (strstr(out, words) != NULL)
		fail_msg("\"%s\" is in\n%s", words, out);
}

/* spend - an event that charges every limit of acme */
static void
spend(int64_t amount)
{
	struct policy_load args = { .path = "policy.conf", .keys = "keys" };
	struct arena *arena = arena_new(1 << 14, 0);
	struct charge charges[8];
	struct event e = { .kind = EVENT_ACCEPT, .count = 1,
		.charges = charges };
	struct problems problems;
	struct policy *p;
	struct store *store;
	const struct limit **limits;
	struct ask *asks;
	struct buf b = BUF_INIT;
	struct why why;
	uint64_t seq;

	problems_init(&problems, arena);
	assert_int_equal(policy_load(&args, &p, &problems, &why), 1);
	assert_int_equal(decide_asks(p, policy_tenant(p, SLICE("acme")),
	    DECIDE_ALL, 1, clock_wall(), arena, &asks, &limits,
	    &e.ncharges), 0);
	for (size_t i = 0; i < e.ncharges; i++) {
		charges[i] = asks[i].charge;
		charges[i].amount = amount;
	}
	event_encode(&e, &b);
	mkdir("store", 0755);
	if (store_open(&store, "store/gate", UINT64_C(64) << 20, &why) == -1 ||
	    store_begin(store, &why) == -1 || store_append(store,
	    buf_slice(&b), clock_wall(), SLICE_NONE, &seq, &why) == -1 ||
	    store_commit(store, &why) == -1)
		fail_msg("%s", why.text);
	store_close(store);
	buf_free(&b);
	policy_drop(p);
	arena_free(arena);
}

/* What a mail of acme charges that is from that login, to that domain. */
static void
mail_of(const char *policy_file, const char *login, const char *domain,
    const char *stream)
{
	struct policy_load args = { .path = policy_file, .keys = "keys" };
	struct arena *arena = arena_new(1 << 14, 0);
	struct charge charges[8];
	struct event_recipient to = { .address = SLICE("r@x.example"),
		.domain = slice_of(domain) };
	struct event e = { .kind = EVENT_ACCEPT, .count = 1,
		.charges = charges, .recipients = &to, .nrecipients = 1,
		.tenant = SLICE("acme"), .login = slice_of(login),
		.mail_from = SLICE("a@acme.example"),
		.stream = slice_of(stream) };
	struct decide_facts facts = { .login = e.login,
		.sender = e.mail_from, .recipient_domain = to.domain,
		.provider = provider_of(to.domain) };
	struct problems problems;
	struct policy *p;
	struct store *store;
	const struct limit **limits;
	struct ask *asks;
	struct buf b = BUF_INIT;
	struct why why;
	uint64_t seq;

	problems_init(&problems, arena);
	assert_int_equal(policy_load(&args, &p, &problems, &why), 1);
	facts.stream = policy_stream(policy_tenant(p, e.tenant), e.stream);
	assert_int_equal(decide_asks_of(p, policy_tenant(p, e.tenant), &facts,
	    clock_wall(), arena, &asks, &limits, &e.ncharges), 0);
	for (size_t i = 0; i < e.ncharges; i++) {
		charges[i] = asks[i].charge;
		charges[i].amount = 1;
	}
	event_encode(&e, &b);
	mkdir("store", 0755);
	if (store_open(&store, "store/gate", UINT64_C(64) << 20, &why) == -1 ||
	    store_begin(store, &why) == -1 || store_append(store,
	    buf_slice(&b), clock_wall(), SLICE_NONE, &seq, &why) == -1 ||
	    store_commit(store, &why) == -1)
		fail_msg("%s", why.text);
	store_close(store);
	buf_free(&b);
	policy_drop(p);
	arena_free(arena);
}

static const char streams[] =
/*  1 */ "cap \"house\" { limit = \"1000/month\"  per = \"all\" }\n"
/*  2 */ "tenant \"acme\" { logins = {\"*@acme.example\"}\n"
/*  3 */ "  domains = {\"acme.example\"}\n"
/*  4 */ "  cap \"person\" { limit = \"40/month\"  per = \"login\" }\n"
/*  5 */ "  cap \"place\" { limit = \"20/month\"  per = \"provider\" }\n"
/*  6 */ "  cap \"daily\" { limit = \"90/month\" }\n"
/*  7 */ "  stream \"near\" { match = {\"recipient:*@near.example\"}\n"
/*  8 */ "    priority = \"interactive\"  cap \"daily\" { limit = \"50/month\" } }\n"
/*  9 */ "  stream \"news\" { match = {\"header:X-News\", \"sender:news@*\"}\n"
/* 10 */ "    claim = {\"a@acme.example\"}  strip = \"yes\"\n"
/* 11 */ "    cap \"news\" { limit = \"30/month\"  over = \"refuse\" } }\n"
/* 12 */ "}\n"
/* 13 */ "auto_tenant { by = \"login-domain\"  except = {\"x.example\"} }\n"
/* 14 */ "claim \"X-Tenant\" { logins = {\"api\"} }\n";

static int
setup(void **state)
{
	(void)state;
	files_begin();
	files_write("penstock.conf", config, sizeof(config) - 1);
	files_write("policy.conf", policy, sizeof(policy) - 1);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	files_end();
	return 0;
}

static void
limits_needs_a_store_and_explain_does_not(void **state)
{
	(void)state;
	assert_int_equal(run(tool_limits, ""), TOOL_BROKEN);
	assert_int_equal(run(tool_policy_explain, "--login acme "
	    "--from a@acme.example --rcpt r@gmail.com"), TOOL_OK);
	says("verdict pass");
	assert_int_equal(run(tool_limits, "one two"), TOOL_USAGE);
	assert_int_equal(run(tool_policy_explain, "--login acme"),
	    TOOL_USAGE);
	assert_int_equal(run(tool_policy_explain, "--help"), TOOL_OK);
}

static void
limits_shows_what_is_spent_fullest_first(void **state)
{
	const char *daily, *google, *contract;

	(void)state;
	spend(8);
	assert_int_equal(run(tool_limits, ""), TOOL_OK);
	daily = strstr(out, "daily");
	google = strstr(out, "gg ");
	contract = strstr(out, "contract");
	assert_true(daily != NULL && google > daily && contract > google);
	says("policy.conf:7");
	says("group g");
	/* the group's counter stands there once, for both tenants */
	assert_null(strstr(contract + 1, "contract"));
	assert_int_equal(run(tool_limits, "beta"), TOOL_OK);
	says("contract");
	says_not("daily");
	assert_int_equal(run(tool_limits, "nobody"), TOOL_NO);
	assert_int_equal(run(tool_limits, "acme --json"), TOOL_OK);
	says("{\"tenant\":\"acme\",\"limit\":\"daily\",\"kind\":\"cap\","
	    "\"number\":\"10/day\",\"to\":\"all\",\"count\":\"recipients\","
	    "\"over\":\"refuse\",\"rule\":\"policy.conf:7\",\"used\":8,"
	    "\"most\":10,\"remaining\":2,\"next\":");
}

static void
explain_counts_on_from_what_is_spent(void **state)
{
	static const char two[] = "--login acme --from a@acme.example "
	    "--rcpt r@x.example --rcpt s@x.example";

	(void)state;
	spend(8);
	assert_int_equal(run(tool_policy_explain, two), TOOL_OK);
	spend(1);
	assert_int_equal(run(tool_policy_explain, two), TOOL_NO);
	says("550 5.7.1 tenant acme: limit daily (10/day) is used up");
	says("; contact ops@agency.example");
	says("recipients\n  pass    r@x.example\n  refuse  s@x.example\n\n"
	    "verdict pass, for 1 of 2 recipients\n");
	assert_int_equal(run(tool_policy_explain, "--fresh --login acme "
	    "--from a@acme.example --rcpt r@x.example --rcpt s@x.example"),
	    TOOL_OK);
	/* a month from now the day and the month are others */
	assert_int_equal(run(tool_policy_explain, "--at 2199-01-01 "
	    "--login acme --from a@acme.example --rcpt r@x.example "
	    "--rcpt s@x.example"), TOOL_OK);
	/* here they are local, and free */
	assert_int_equal(run(tool_policy_explain, "--login acme "
	    "--from a@acme.example --transport lmtp --rcpt r@x.example "
	    "--rcpt s@x.example"), TOOL_OK);
}

static void
explain_names_who_and_the_line(void **state)
{
	(void)state;
	assert_int_equal(run(tool_policy_explain, "--fresh --login nobody "
	    "--from a@acme.example --rcpt r@x.example"), TOOL_NO);
	says("tenant  none, nobody claims this login");
	assert_int_equal(run(tool_policy_explain, "--fresh --login acme "
	    "--from a@beta.example --sender <> --rcpt r@x.example"), TOOL_NO);
	says("tenant  acme, by login (policy.conf:5)");
	says("550 5.7.1 From: tenant acme does not own the domain "
	    "\"beta.example\"");
	assert_int_equal(run(tool_policy_explain, "--fresh --client 192.0.2.1 "
	    "--from a@acme.example --rcpt r@x.example"), TOOL_NO);
	says("tenant  none, inbound");
	assert_int_equal(run(tool_policy_explain, "--fresh --client nonsense "
	    "--from a@acme.example --rcpt r@x.example"), TOOL_USAGE);
	/* a file that is no key: 451, never unsigned */
	assert_int_equal(run(tool_policy_explain, "--fresh --login beta "
	    "--from a@beta.example --rcpt r@x.example"), TOOL_NO);
	says("451 4.3.5");
}

static void
explain_shows_the_edits_of_a_message(void **state)
{
	static const char message[] = "From sender@x Thu Jan  1 00:00:00\n"
	    "From: A\r\n <a@acme.example>\r\nX-Penstock-Pool: one\r\n"
	    "X-PENSTOCK-pool : two\nSubject: x\n\nbody\n";

	(void)state;
	files_write("m.eml", message, sizeof(message) - 1);
	assert_int_equal(run(tool_policy_explain, "--fresh --login acme "
	    "--message m.eml --rcpt r@x.example"), TOOL_OK);
	says("remove X-PENSTOCK-pool, number 2 of that name\n"
	    "  remove X-Penstock-Pool, number 1 of that name\n"
	    "  insert DKIM-Signature: d=acme.example s=s1 rsa-sha256 "
	    "(policy.conf:8)");
	assert_int_equal(run(tool_policy_explain, "--fresh --json --login acme "
	    "--message m.eml --rcpt r@x.example"), TOOL_OK);
	says("\"edits\":[{\"name\":\"X-PENSTOCK-pool\",\"index\":2,"
	    "\"edit\":\"remove\"},");
	says("\"accepted\":true,\"verdict\":\"pass\"}");
	assert_int_equal(run(tool_policy_explain, "--fresh --login acme "
	    "--message missing --rcpt r@x.example"), TOOL_BROKEN);
}

static void
explain_looks_for_the_postal_address_in_the_text(void **state)
{
	static const char flyers[] = "tenant \"acme\" { logins = {\"acme\"}\n"
	    "  domains = {\"acme.example\"}  priority = \"bulk\"\n"
	    "  postal_address = \"Acme GmbH, Berlin\"\n"
	    "  stream \"flyer\" { match = {\"sender:fly@*\"}\n"
	    "    postal = \"refuse\" } }\n";
	static const char without[] = "From: fly@acme.example\n\nBuy.\n";
	static const char with[] = "From: fly@acme.example\n\nBuy.\n\n"
	    "Acme GmbH,\n  BERLIN";
	static const char words[] = "--fresh --login acme --message m.eml "
	    "--rcpt r@x.example";

	(void)state;
	files_write("policy.conf", flyers, sizeof(flyers) - 1);
	files_write("m.eml", without, sizeof(without) - 1);
	assert_int_equal(run(tool_policy_explain, words), TOOL_NO);
	says("refuse  end of message (policy.conf:5)\n"
	    "          550 5.7.1 tenant acme: the text of this message of "
	    "stream flyer does not have the postal address");
	says("verdict refuse\n");
	/* what is only recorded lets pass, and is said */
	assert_int_equal(run(tool_policy_explain, "--fresh --login acme "
	    "--message m.eml --sender o@acme.example --rcpt r@x.example"),
	    TOOL_OK);
	says("postal  its text does not have the postal address");
	files_write("m.eml", with, sizeof(with) - 1);
	assert_int_equal(run(tool_policy_explain, words), TOOL_OK);
	says_not("postal");
	/* no text, nothing to look in */
	assert_int_equal(run(tool_policy_explain, "--fresh --login acme "
	    "--from fly@acme.example --rcpt r@x.example --json"), TOOL_OK);
	says("\"recipients\":[{\"address\":\"r@x.example\","
	    "\"verdict\":\"pass\"}],\"no_postal\":false,");
}

/* lines_with - of what was said, that hold the word */
static size_t
lines_with(const char *word)
{
	size_t n = 0;

	for (const char *p = out; (p = strstr(p, word)) != NULL; n++)
		p += strlen(word);
	return n;
}

static void
limits_shows_the_logins_and_places_that_spend(void **state)
{
	char login[32];

	(void)state;
	files_write("policy.conf", streams, sizeof(streams) - 1);
	for (int i = 0; i < 14; i++) {
		snprintf(login, sizeof(login), "u%02d@acme.example", i);
		for (int j = 0; j <= i; j++)
			mail_of("policy.conf", login, "gmail.com", "default");
	}
	mail_of("policy.conf", "u13@acme.example", "near.example", "near");
	assert_int_equal(run(tool_limits, ""), TOOL_OK);
	says("all mail");
	says("acme provider=google");
	says("acme login=u13@acme.example");
	says("acme login=u04@acme.example");
	says_not("login=u03@acme.example");	/* ten of them are shown */
	says("those of the last 106 events, of each the fullest.");
	/* the number of a stream stands beside that of the others */
	says("acme stream=near");
	assert_int_equal(run(tool_limits, "acme --login u02@acme.example "
	    "--rcpt r@gmail.com --sender <>"), TOOL_OK);
	says("login=u02@acme.example");
	assert_int_equal((int)lines_with("login="), 1);
	assert_int_equal(run(tool_limits, "acme --json"), TOOL_OK);
	says("\"per\":\"tenant, login\",\"of\":\"login=u13@acme.example\"}");
	says("\"left_out\":4,\"backoffs\":[],\"breakers\":[]}");
	assert_int_equal(run(tool_limits, "acme --rcpt nonsense"), TOOL_USAGE);
	assert_int_equal(run(tool_limits, "--login a"), TOOL_USAGE);
	/* a tenant that auto_tenant would make, with what all share */
	assert_int_equal(run(tool_limits, "shop.example"), TOOL_OK);
	says("house");
	assert_int_equal(run(tool_limits, "x.example"), TOOL_NO);
}

static void
explain_names_the_stream_and_why(void **state)
{
	static const char message[] = "From: a@acme.example\nX-News: 1\n\nx\n";

	(void)state;
	files_write("policy.conf", streams, sizeof(streams) - 1);
	files_write("m.eml", message, sizeof(message) - 1);
	assert_int_equal(run(tool_policy_explain, "--fresh "
	    "--login b@acme.example --from b@acme.example "
	    "--rcpt r@near.example"), TOOL_OK);
	says("stream  near, by \"recipient:*@near.example\" (policy.conf:7), "
	    "known at RCPT");
	says("cap daily: 50/month; over: hold (policy.conf:8)");
	assert_int_equal(run(tool_policy_explain, "--fresh "
	    "--login a@acme.example --message m.eml --rcpt r@gmail.com"),
	    TOOL_OK);
	says("stream  news, by \"header:X-News\" (policy.conf:9), known at EOM");
	says("headers decide between news, default");
	says("cap person: 40/month, of login=a@acme.example; over: defer");
	says("cap place: 20/month, of provider=google;");
	says("cap news: 30/month, of stream=news; over: refuse");
	says("remove X-News, number 1 of that name");
	/* who is not in the claim */
	assert_int_equal(run(tool_policy_explain, "--fresh "
	    "--login b@acme.example --message m.eml --rcpt r@gmail.com "
	    "--sender b@acme.example --json"), TOOL_OK);
	says("\"stream\":\"default\"");
	/* tenants that are in no file */
	assert_int_equal(run(tool_policy_explain, "--fresh "
	    "--login me@shop.example --from me@shop.example "
	    "--rcpt r@gmail.com"), TOOL_OK);
	says("tenant  shop.example, by the login's domain, auto_tenant "
	    "(policy.conf:13)");
	assert_int_equal(run(tool_policy_explain, "--fresh --login api "
	    "--from a@acme.example --rcpt r@gmail.com"), TOOL_NO);
	assert_int_equal(run(tool_policy_explain, "--help"), TOOL_OK);
}

static void
show_tells_streams_and_where_each_value_is_from(void **state)
{
	(void)state;
	files_write("policy.conf", streams, sizeof(streams) - 1);
	assert_int_equal(run(tool_policy_show, "--tenant acme --json"),
	    TOOL_OK);
	says("{\"name\":\"stream\",\"title\":\"near\",\"from\":"
	    "\"policy.conf:7\",\"inside\":[{\"name\":\"known\",\"value\":"
	    "\"at RCPT\"");
	says("{\"name\":\"stream\",\"title\":\"news\",\"from\":"
	    "\"policy.conf:9\",\"inside\":[{\"name\":\"known\",\"value\":"
	    "\"at EOM\"");
	says("{\"name\":\"limit\",\"value\":\"50/month\",\"from\":"
	    "\"policy.conf:8\"}");
	says("{\"name\":\"hold_max\",\"value\":\"1 day\",\"from\":"
	    "\"default\"}");
	says("{\"name\":\"per\",\"value\":\"tenant, login\",\"from\":"
	    "\"policy.conf:4\"}");
	assert_int_equal(run(tool_policy_show, "--tenant acme --stream near"),
	    TOOL_OK);
	says("stream \"near\"");
	says_not("stream \"news\"");
	assert_int_equal(run(tool_policy_show, "--tenant acme --stream far"),
	    TOOL_NO);
	assert_int_equal(run(tool_policy_show, "--stream near"), TOOL_USAGE);
	assert_int_equal(run(tool_policy_show, "--tenant shop.example"),
	    TOOL_OK);
	says("made by auto_tenant");
	assert_int_equal(run(tool_policy_show, "--tenant x.example"), TOOL_NO);
	assert_int_equal(run(tool_policy_show, ""), TOOL_OK);
	says("claim \"X-Tenant\"");
	says("auto_tenant");
}

static void
explain_tells_the_stream_of_mail_refused_at_mail(void **state)
{
	(void)state;
	assert_int_equal(run(tool_policy_explain, "--login acme --fresh "
	    "--from a@beta.example --rcpt r@x.example"), TOOL_NO);
	says("stream  default, no other one matches, known at MAIL\n");
	says("553 5.7.1 tenant acme does not own");
	assert_int_equal(run(tool_policy_explain, "--login acme --fresh "
	    "--from a@beta.example --rcpt r@x.example --json"), TOOL_NO);
	says("\"known\":\"mail\"");
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(limits_needs_a_store_and_explain_does_not),
		T(limits_shows_what_is_spent_fullest_first),
		T(explain_counts_on_from_what_is_spent),
		T(explain_names_who_and_the_line),
		T(explain_shows_the_edits_of_a_message),
		T(explain_looks_for_the_postal_address_in_the_text),
		T(limits_shows_the_logins_and_places_that_spend),
		T(explain_names_the_stream_and_why),
		T(show_tells_streams_and_where_each_value_is_from),
		T(explain_tells_the_stream_of_mail_refused_at_mail),
	};

	return cmocka_run_group_tests_name("explain", tests, files_keys,
	    files_no_keys);
}
