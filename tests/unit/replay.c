/*
 * penstock policy replay, as a person calls it, on a store with some events
 * whose times and verdicts are written by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "lib/clock.h"
#include "tests/unit/policy_files.h"
#include "tools/tool.h"

static const char config[] =
    "store = \"store\"\n"
    "policy = \"policy.conf\"\n"
    "keys = \"keys\"\n";

#define TENANTS								\
    "tenant \"acme\" { logins = {\"acme\"}  domains = {\"acme.example\"}\n" \
    "%s }\n"								\
    "tenant \"beta\" { logins = {\"beta\"}  domains = {\"beta.example\"} }\n"

static const struct tool tool = { .config_path = "penstock.conf" };
static char out[1 << 16];
static int64_t now;

/* Words of a command; what it printed is in out. */
static int
run(const char *words)
{
	char copy[512], *rest = copy, *word, *argv[16];
	FILE *file = tmpfile();
	int old, status, argc = 0;
	size_t n;

	snprintf(copy, sizeof(copy), "%s", words);
	while ((word = strsep(&rest, " ")) != NULL && argc < 16)
		argv[argc++] = word;
	assert_non_null(file);
	fflush(stdout);
	old = dup(1);
	assert_int_equal(dup2(fileno(file), 1), 1);
	status = tool_policy_replay(&tool, argc, argv);
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

/* The new policy: lines of acme. */
static void
new_policy(const char *lines)
{
	char text[2048];

	snprintf(text, sizeof(text), TENANTS, lines);
	files_write("new.conf", text, strlen(text));
}

#define ACCEPT(minutes, name, n)					\
	{ .ago = (minutes), .kind = EVENT_ACCEPT, .tenant = (name),	\
	    .rcpts = (n), .stage = STAGE_MESSAGE }

struct row {			/* an event, in few words */
	int		 ago;		/* minutes */
	enum event_kind	 kind;
	const char	*tenant;	/* also its login and its domain */
	size_t		 rcpts;
	enum stage	 stage;
	const char	*limit, *rule, *reply;
	uint32_t	 count;
	int64_t		 size;
};

/* record - into the store, as the gate's writer would */
static void
record(struct store *store, const struct row *row)
{
	struct event_recipient to[8];
	char from[64], domain[64];
	struct slice from_domain;
	struct event e = { .kind = row->kind,
		.time = now - row->ago * CLOCK_MINUTE,
		.tenant = slice_of(row->tenant),
		.login = slice_of(*row->tenant != '\0' ? row->tenant :
		    "stranger"),
		.client = SLICE("203.0.113.5"),
		.stage = row->stage, .size = row->size,
		.limit = slice_of(row->limit), .rule = slice_of(row->rule),
		.reply = slice_of(row->reply), .stream = SLICE("default"),
		.count = row->count > 0 ? row->count : 1,
		.verdict = row->kind == EVENT_DEFER ? VERDICT_DEFER :
		    row->kind == EVENT_REFUSE ? VERDICT_REFUSE :
		    VERDICT_PASS };
	struct buf b = BUF_INIT;
	struct why why;
	uint64_t seq;

	snprintf(from, sizeof(from), "a@%s.example", row->tenant);
	snprintf(domain, sizeof(domain), "%s.example", row->tenant);
	from_domain = slice_of(domain);
	e.mail_from = slice_of(from);
	e.from_domains = &from_domain;
	e.nfrom_domains = row->kind == EVENT_ACCEPT;
	for (size_t i = 0; i < row->rcpts; i++)
		to[i] = (struct event_recipient){
			.address = slice_of(i % 2 == 0 ? "x@gmail.com" :
			    "y@example.org"), .domain = SLICE("example.org"),
			.verdict = e.verdict, .rule = e.rule };
	e.recipients = to;
	e.nrecipients = row->rcpts;
	event_encode(&e, &b);
	if (store_begin(store, &why) == -1 || store_append(store,
	    buf_slice(&b), e.time, SLICE_NONE, &seq, &why) == -1 ||
	    store_commit(store, &why) == -1)
		fail_msg("%s", why.text);
	buf_free(&b);
}

/* recorded - all of them, the oldest first */
static void
recorded(const struct row *rows, size_t n)
{
	struct store *store;
	struct why why;

	mkdir("store", 0755);
	if (store_open(&store, "store/gate", UINT64_C(64) << 20, &why) == -1)
		fail_msg("%s", why.text);
	for (size_t i = 0; i < n; i++)
		record(store, &rows[i]);
	store_close(store);
}
#define RECORDED(rows)	recorded((rows), sizeof(rows) / sizeof((rows)[0]))

static int
setup(void **state)
{
	(void)state;
	files_begin();
	files_write("penstock.conf", config, sizeof(config) - 1);
	/* noon: an hour ago is today */
	now = clock_wall() / CLOCK_DAY * CLOCK_DAY - CLOCK_HOUR * 12;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	files_end();
	return 0;
}

/* --- cases --------------------------------------------------------------- */

static void
a_tighter_cap_defers_what_went_through(void **state)
{
	static const struct row rows[] = {
		ACCEPT(50, "acme", 3),
		ACCEPT(40, "acme", 2),
		ACCEPT(30, "beta", 2),
	};

	(void)state;
	RECORDED(rows);
	new_policy("\ncap \"daily\" { limit = \"4/day\" }\n");
	assert_int_equal(run("new.conf"), TOOL_OK);
	says("acme    daily  pass  defer         1      2  new.conf:3");
	says("acme    (all)  5 > 4     0  0 > 1");
	says("new.conf: 1 of 2 tenants would change, 1 of 7 recipients");
	says_not("beta");
	assert_int_equal(run("new.conf --json"), TOOL_OK);
	says("\"changes\":[{\"tenant\":\"acme\",\"limit\":\"daily\","
	    "\"was\":\"pass\",\"would\":\"defer\",\"rule\":\"new.conf:3\","
	    "\"recipient\":\"y@example.org\",\"reply\":\"tenant acme: limit "
	    "daily (4/day) is used up;");
	says("\"count\":1,\"seq\":2,");
	says("{\"tenant\":\"acme\",\"limit\":\"daily\",\"recorded\":{\"pass\":"
	    "0,\"hold\":0,\"defer\":0,\"refuse\":0,\"drop\":0},\"would\":"
	    "{\"pass\":0,\"hold\":0,\"defer\":1,");
	says("\"messages\":3,\"recipients\":7,\"recipients_changed\":1,"
	    "\"tenants_seen\":2,\"tenants_changed\":1,");
}

static void
the_window_before_since_warms_the_counters_up(void **state)
{
	static const struct row rows[] = {
		ACCEPT(300, "acme", 3),
		ACCEPT(30, "acme", 2),
	};
	char words[64];

	(void)state;
	RECORDED(rows);
	snprintf(words, sizeof(words), "new.conf --since %lldh",
	    (long long)((clock_wall() - now) / CLOCK_HOUR + 2));
	new_policy("cap \"daily\" { limit = \"4/day\" }\n");
	assert_int_equal(run(words), TOOL_OK);
	says("1 of 1 tenants would change, 1 of 2 recipients");
	/* of an hour's window the five hours before are not */
	new_policy("cap \"hourly\" { limit = \"2/hour\" }\n");
	assert_int_equal(run(words), TOOL_OK);
	says("0 of 1 tenants would change, 0 of 2 recipients");
	/* a throttle that takes a day to run dry remembers them */
	new_policy("throttle \"slow\" { rate = \"4/day\" }\n");
	assert_int_equal(run(words), TOOL_OK);
	says("1 of 1 tenants would change, 1 of 2 recipients");
	assert_int_equal(run("new.conf --since now"), TOOL_OK);
	says("no mail is recorded in that time");
}

static void
a_refused_recipient_goes_with_its_message(void **state)
{
	static const struct row rows[] = {
		ACCEPT(50, "acme", 2),
		/* of one message: two fitted, the third did not */
		{ .ago = 40, .kind = EVENT_DEFER, .tenant = "acme",
		    .rcpts = 1, .stage = STAGE_RCPT, .limit = "daily",
		    .rule = "old:1" },
		ACCEPT(40, "acme", 2),
	};

	(void)state;
	RECORDED(rows);
	new_policy("cap \"daily\" { limit = \"4/day\" }\n");
	assert_int_equal(run("new.conf"), TOOL_OK);
	says("0 of 1 tenants would change, 0 of 5 recipients");
	new_policy("cap \"daily\" { limit = \"5/day\" }\n");
	assert_int_equal(run("new.conf"), TOOL_OK);
	says("acme    daily  defer  pass          1      2  old:1");
	new_policy("cap \"daily\" { limit = \"none\" }\n");
	new_policy("cap \"other\" { limit = \"3/day\" over = \"refuse\" }\n");
	assert_int_equal(run("new.conf"), TOOL_OK);
	says("acme    other  pass   refuse");
	says("acme    other  defer  refuse");
}

static void
counted_repeats_are_that_many(void **state)
{
	static const struct row rows[] = {
		{ .ago = 50, .kind = EVENT_DEFER, .tenant = "acme",
		    .rcpts = 1, .stage = STAGE_RCPT, .limit = "daily",
		    .rule = "old:1" },
		{ .ago = 49, .kind = EVENT_DEFER, .tenant = "acme",
		    .rcpts = 0, .stage = STAGE_RCPT, .limit = "daily",
		    .rule = "old:1", .count = 20 },
	};

	(void)state;
	RECORDED(rows);
	new_policy("cap \"daily\" { limit = \"11/day\" }\n");
	assert_int_equal(run("new.conf"), TOOL_OK);
	says("0 > 11");
	says("21 > 10");
	says("11 of 21 recipients");
	new_policy("paused = \"closed\"\n");
	assert_int_equal(run("new.conf"), TOOL_OK);
	says("0 of 21 recipients");	/* deferred as they were */
}

static void
what_no_policy_decides_is_left_alone(void **state)
{
	static const struct row rows[] = {
		{ .ago = 50, .kind = EVENT_DEFER, .tenant = "acme",
		    .rcpts = 0, .stage = STAGE_MAIL, .rule = "desk:7",
		    .reply = "tenant acme is paused: by hand" },
		{ .ago = 45, .kind = EVENT_DEFER, .tenant = "acme",
		    .rcpts = 1, .stage = STAGE_HEADERS,
		    .reply = "local error, .count = try again later" },
		{ .ago = 40, .kind = EVENT_REFUSE, .tenant = "acme",
		    .rcpts = 1, .stage = STAGE_HEADERS, .rule = "old:1",
		    .reply = "Sender: tenant acme does not own the domain" },
		ACCEPT(30, "acme", 1),
		{ .ago = 29, .kind = EVENT_VOID, .tenant = "acme",
		    .rcpts = 1, .stage = STAGE_MESSAGE },
	};

	(void)state;
	RECORDED(rows);
	new_policy("");
	assert_int_equal(run("new.conf"), TOOL_OK);
	says("0 of 1 tenants would change, 0 of 2 recipients");
	says("1 answer of the desk (a pause) was left out");
	says("1 answer that no policy made");
	says("1 message was taken back");
}

static void
a_tenant_that_is_gone_is_nobody(void **state)
{
	static const struct row rows[] = {
		ACCEPT(50, "gone", 2),
		{ .ago = 40, .kind = EVENT_REFUSE, .tenant = "", .rcpts = 0,
		    .stage = STAGE_MAIL,
		    .reply = "login belongs to no tenant here" },
	};

	(void)state;
	RECORDED(rows);
	new_policy("");
	assert_int_equal(run("new.conf"), TOOL_OK);
	says("(nobody)  -      refuse  defer         1      2  -");
	says("gone      -      pass    defer         2      1  -");
}

static void
many_recipients_are_sent_in_several_messages(void **state)
{
	static const struct row rows[] = {
		ACCEPT(50, "acme", 8),
	};

	(void)state;
	RECORDED(rows);
	new_policy("max_recipients = 3\n");
	assert_int_equal(run("new.conf"), TOOL_OK);
	says("0 of 8 recipients");
	new_policy("max_recipients = 3\n"
	    "cap \"m\" { limit = \"2/day\" count = \"messages\" }\n");
	assert_int_equal(run("new.conf"), TOOL_OK);
	says("2 of 8 recipients");
}

static void
shadow_is_told_beside_the_figures(void **state)
{
	static const struct row rows[] = {
		ACCEPT(50, "acme", 8),
	};

	(void)state;
	RECORDED(rows);
	new_policy("mode = \"shadow\"  cap \"m\" { limit = \"2/day\" }\n");
	assert_int_equal(run("new.conf"), TOOL_OK);
	says("0 of 8 recipients");
	says("1 message would pass only because the new policy is in shadow");
}

static void
what_is_asked_wrongly_is_said(void **state)
{
	(void)state;
	new_policy("");
	assert_int_equal(run("--since"), TOOL_USAGE);
	assert_int_equal(run("--help"), TOOL_OK);
	says("usage: penstock policy replay NEWFILE");
	assert_int_equal(run("new.conf"), TOOL_BROKEN);	/* no store */
	assert_int_equal(run("missing.conf"), TOOL_NO);
	new_policy("cap \"m\" { limit = \"lots\" }\n");
	assert_int_equal(run("new.conf"), TOOL_NO);
	new_policy("");
	recorded(NULL, 0);
	assert_int_equal(run("new.conf --since yesterdayish"), TOOL_USAGE);
	assert_int_equal(run("new.conf"), TOOL_OK);
	says("no mail is recorded in that time");
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_tighter_cap_defers_what_went_through),
		T(the_window_before_since_warms_the_counters_up),
		T(a_refused_recipient_goes_with_its_message),
		T(counted_repeats_are_that_many),
		T(what_no_policy_decides_is_left_alone),
		T(a_tenant_that_is_gone_is_nobody),
		T(many_recipients_are_sent_in_several_messages),
		T(shadow_is_told_beside_the_figures),
		T(what_is_asked_wrongly_is_said),
	};

	return cmocka_run_group_tests_name("replay", tests, files_keys,
	    files_no_keys);
}
