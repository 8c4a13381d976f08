/*
 * config - penstock.conf: what is read, what holds without it, and what is
 * said about mistakes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/config.h"

#define S	CLOCK_SECOND

static char dir[] = "/tmp/penstock-config-XXXXXX";
static char path[64];

/* put - write penstock.conf */
static void
put(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* load - a text that must be good */
static struct config *
load(const char *text)
{
	struct arena *arena = arena_new(4096, 0);
	struct config *c = NULL;
	struct problems problems;
	struct why why;

	put(text);
	problems_init(&problems, arena);
	if (config_load(path, &c, &problems, &why) != 1)
		fail_msg("%s", problems.first != NULL ? problems.first->text :
		    why.text);
	arena_free(arena);
	return c;
}

/* defaults - what holds where the file says nothing */
static void
defaults(const struct config *c)
{
	assert_string_equal(c->store, "/var/lib/penstock");
	assert_string_equal(c->policy, "/etc/penstock/policy.conf");
	assert_string_equal(c->keys, "/etc/penstock/keys");
	assert_true(c->map_size == INT64_C(16) << 30);
	assert_string_equal(c->milter.socket,
	    "unix:/var/spool/postfix/penstock/milter.sock");
	assert_true(c->milter.timeout == 360 * S);
	assert_true(c->milter.max_sessions == 0);
	assert_true(c->milter.drain == 10 * S);
	assert_string_equal(c->milter.instance, "");
	assert_string_equal(c->token.keys, "/etc/penstock/token.keys");
	assert_string_equal(c->unsubscribe.socket, "inet:8094@127.0.0.1");
	assert_string_equal(c->unsubscribe.lmtp, "");
	assert_string_equal(c->unsubscribe.names,
	    "/etc/penstock/unsubscribe.names");
	assert_string_equal(c->unsubscribe.certificate, "");
	assert_true(c->unsubscribe.connections == 16384);
	assert_true(c->unsubscribe.per_address == 64);
	assert_true(c->unsubscribe.deadline == 10 * S);
	assert_true(c->unsubscribe.resubscribe == 7 * 24 * 3600 * S);
	assert_string_equal(c->release.config_directory, "/etc/postfix");
	assert_string_equal(c->release.command_directory, "/usr/sbin");
	assert_string_equal(c->release.agent, "");
	assert_true(c->release.ninstances == 0);
	assert_true(c->release.inventory == 60 * S);
	assert_true(c->snapshot.calls == 200);
	assert_true(c->snapshot.google_calls == 150);
	assert_true(c->snapshot.microsoft_calls == 50);
	assert_true(c->snapshot.refresh == 30 * 24 * 3600 * S);
	assert_true(c->snapshot.timeout == 30 * S);
	assert_true(c->snapshot.ngoogle_domains == 0);
	assert_string_equal(c->snapshot.google_credentials, "");
	assert_string_equal(c->snapshot.microsoft_credentials, "");
	assert_string_equal(c->snapshot.certificates, "");
	assert_string_equal(c->snapshot.google_url,
	    "https://gmailpostmastertools.googleapis.com");
	assert_string_equal(c->snapshot.google_token_url,
	    "https://oauth2.googleapis.com/token");
	assert_string_equal(c->snapshot.microsoft_url,
	    "https://sendersupport.olc.protection.outlook.com/snds");
	assert_true(c->alert.keep_hours == 35 * 24 * 3600 * S);
	assert_true(c->alert.keep_days == INT64_C(1095) * 24 * 3600 * S);
}

static void
an_empty_file_means_the_defaults(void **state)
{
	struct config *c = load("");

	(void)state;
	defaults(c);
	assert_string_equal(c->path, path);
	assert_string_equal(c->milter.user, "");
	assert_string_equal(c->milter.socket_group, "");
	assert_string_equal(c->release.user, "");
	assert_string_equal(c->alert.user, "");
	config_free(c);
	config_free(NULL);
}

static void
everything_set(void **state)
{
	struct config *c = load("store = \"/s\" policy = \"/p\" keys = \"/k\"\n"
	    "map_size = \"1 GiB\"\n"
	    "milter { socket = \"inet:8893@127.0.0.1\" socket_group = \"g\"\n"
	    "user = \"u\" timeout = \"5 minutes\" max_sessions = 7\n"
	    "drain = \"0s\" instance = \"mta1\" }\n"
	    "ingest { log = \"/l1\" logs = {\"/l2\"} user = \"i\"\n"
	    "journal = {\"postfix@-.service\"} journal_folder = \"/j\"\n"
	    "log_zone = \"UTC\"\n"
	    "instances = {\"postfix-two=two\"} relays = {\"hop:25\"} }\n"
	    "preflight { } alert { user = \"a\" keep_hours = \"48h\"\n"
	    "keep_days = \"70 days\" } monitor { listen = "
	    "\"127.0.0.1:8080\" } keys { user = \"\" }\n"
	    "release { config_directory = \"/c\" command_directory = \"/d\"\n"
	    "agent = \"unix:/a\" user = \"r\" inventory = \"2s\"\n"
	    "instances = {\"two=/etc/two\", \"box=unix:/b\"} }\n"
	    "token { keys = \"/t\" }\n"
	    "unsubscribe { socket = \"unix:/h\" socket_group = \"w\"\n"
	    "user = \"u2\" lmtp = \"unix:/l\" names = \"/n\"\n"
	    "certificate = \"/c\" certificate_key = \"/ck\"\n"
	    "connections = 100 per_address = 0 deadline = \"3s\"\n"
	    "resubscribe = \"0s\" }");

	(void)state;
	assert_string_equal(c->store, "/s");
	assert_string_equal(c->policy, "/p");
	assert_string_equal(c->keys, "/k");
	assert_true(c->map_size == 1 << 30);
	assert_string_equal(c->alert.user, "a");
	assert_true(c->alert.keep_hours == 48 * 3600 * S);
	assert_true(c->alert.keep_days == 70 * 24 * 3600 * S);
	assert_string_equal(c->milter.socket, "inet:8893@127.0.0.1");
	assert_string_equal(c->milter.socket_group, "g");
	assert_string_equal(c->milter.user, "u");
	assert_true(c->milter.timeout == 300 * S);
	assert_true(c->milter.max_sessions == 7);
	assert_true(c->milter.drain == 0);
	assert_string_equal(c->milter.instance, "mta1");
	assert_true(c->ingest.nlogs == 2 && c->ingest.njournal == 1);
	assert_string_equal(c->ingest.logs[0], "/l1");
	assert_string_equal(c->ingest.logs[1], "/l2");
	assert_string_equal(c->ingest.journal[0], "postfix@-.service");
	assert_string_equal(c->ingest.journal_folder, "/j");
	assert_string_equal(c->ingest.zone, "UTC");
	assert_true(c->ingest.nnames == 2 && c->ingest.nrelays == 1);
	assert_string_equal(c->ingest.names[0], "postfix-two");
	assert_string_equal(c->ingest.names[1], "two");
	assert_string_equal(c->ingest.relays[0], "hop:25");
	assert_string_equal(c->ingest.user, "i");
	assert_string_equal(c->release.config_directory, "/c");
	assert_string_equal(c->release.command_directory, "/d");
	assert_string_equal(c->release.agent, "unix:/a");
	assert_string_equal(c->release.user, "r");
	assert_true(c->release.inventory == 2 * S);
	assert_true(c->release.ninstances == 4);
	assert_string_equal(c->release.instances[0], "two");
	assert_string_equal(c->release.instances[1], "/etc/two");
	assert_string_equal(c->release.instances[2], "box");
	assert_string_equal(c->release.instances[3], "unix:/b");
	assert_string_equal(c->token.keys, "/t");
	assert_string_equal(c->unsubscribe.socket, "unix:/h");
	assert_string_equal(c->unsubscribe.socket_group, "w");
	assert_string_equal(c->unsubscribe.user, "u2");
	assert_string_equal(c->unsubscribe.lmtp, "unix:/l");
	assert_string_equal(c->unsubscribe.names, "/n");
	assert_string_equal(c->unsubscribe.certificate, "/c");
	assert_string_equal(c->unsubscribe.certificate_key, "/ck");
	assert_true(c->unsubscribe.connections == 100);
	assert_true(c->unsubscribe.per_address == 0);
	assert_true(c->unsubscribe.deadline == 3 * S);
	assert_true(c->unsubscribe.resubscribe == 0);
	config_free(c);
}

static void
paths_are_relative_to_the_file(void **state)
{
	struct config *c = load("store = \"s\" policy = \"p/q.conf\" "
	    "milter { socket = \"unix:m.sock\" }");
	struct arena *arena = arena_new(4096, 0);
	struct problems problems;
	char want[128], *here = getcwd(NULL, 0);
	struct why why;

	(void)state;
	snprintf(want, sizeof(want), "%s/s", dir);
	assert_string_equal(c->store, want);
	snprintf(want, sizeof(want), "%s/p/q.conf", dir);
	assert_string_equal(c->policy, want);
	snprintf(want, sizeof(want), "unix:%s/m.sock", dir);
	assert_string_equal(c->milter.socket, want);
	config_free(c);

	/* Named without a folder, the file lies in the current one. */
	assert_int_equal(chdir(dir), 0);
	problems_init(&problems, arena);
	assert_int_equal(config_load("penstock.conf", &c, &problems, &why), 1);
	snprintf(want, sizeof(want), "%s/s", dir);
	assert_string_equal(c->store, want);
	config_free(c);
	assert_int_equal(config_load("./penstock.conf", &c, &problems, &why), 1);
	snprintf(want, sizeof(want), "%s/./s", dir);
	assert_string_equal(c->store, want);
	config_free(c);
	assert_int_equal(chdir(here), 0);
	free(here);
	arena_free(arena);
}

static void
the_sample_says_the_defaults(void **state)
{
	struct arena *arena = arena_new(4096, 0);
	struct buf all = BUF_INIT;
	struct config *c;
	struct problems problems;
	struct slice text;
	struct why why;
	size_t i;

	(void)state;
	if (parse_read(arena, "conf/penstock.conf", &text, &why) != 1)
		skip();				/* run from elsewhere */
	/* "#name = value" is a default; with the "#" gone all is the same. */
	for (i = 0; i < text.n; i++)
		if (text.p[i] != '#' || i + 1 >= text.n ||
		    text.p[i + 1] < 'a' || text.p[i + 1] > 'z')
			buf_char(&all, text.p[i]);
	buf_char(&all, '\0');
	c = load(text.p);
	defaults(c);
	assert_string_equal(c->milter.socket_group, "postfix");
	assert_string_equal(c->milter.user, "penstock-milter");
	assert_string_equal(c->release.user, "penstock-release");
	assert_string_equal(c->alert.user, "penstock-alert");
	config_free(c);
	put(all.data);
	problems_init(&problems, arena);
	assert_int_equal(config_load(path, &c, &problems, &why), 1);
	assert_string_equal(c->milter.instance, "mta1");
	c->milter.instance = "";
	defaults(c);
	config_free(c);
	buf_free(&all);
	arena_free(arena);
}

struct mistake {
	const char	*text;
	const char	*want;		/* "line:col: text\n" */
};

/* clang-format off */
static const struct mistake mistakes[] = {
	{ "stor = \"/x\"", "1:1: unknown word \"stor\" in penstock.conf; did you mean \"store\"?\n" },
	{ "store = 5", "1:9: store: expected a string, found the number 5\n" },
	{ "release { config_directory = \"postfix\" }", "1:30: config_directory: expected an absolute path, found \"postfix\"\n" },
	{ "release { agent = \"inet:1@127.0.0.1\" }", "1:19: agent: expected \"unix:/path\", found \"inet:1@127.0.0.1\"\n" },
	{ "release { instances = {\"two=postfix\"} }", "1:24: instances: expected \"instance=/etc/postfix-x\" or \"instance=unix:/socket\", found \"two=postfix\"\n" },
	{ "release { instances = {\"=/etc/two\"} }", "1:24: instances: expected \"instance=/etc/postfix-x\" or \"instance=unix:/socket\", found \"=/etc/two\"\n" },
	{ "release { instances = {\"a=/b\", \"a=/c\"} }", "1:32: instances: a is there already\n" },
	{ "alert { keep_hours = \"1 day\" }", "1:22: keep_hours: \"1 day\" is out of range; expected 172800 to 3153600000 seconds\n" },
	{ "alert { keep_days = \"63 days\" }", "1:21: keep_days: \"63 days\" is out of range; expected 6048000 to 3153600000 seconds\n" },
	{ "release { inventory = \"1 day\" }", "1:23: inventory: \"1 day\" is out of range; expected 1 to 3600 seconds\n" },
	{ "snapshot { google_url = \"http://api.example/\" }", "1:25: google_url: expected \"https://host/path\" (http only to 127.0.0.1, [::1] or localhost), found \"http://api.example/\"\n" },
	{ "snapshot { google_url = \"http://127.0.0.1.example/\" }", "1:25: google_url: expected \"https://host/path\" (http only to 127.0.0.1, [::1] or localhost), found \"http://127.0.0.1.example/\"\n" },
	{ "snapshot { microsoft_url = \"https://u:p@h/\" }", "1:28: microsoft_url: expected \"https://host/path\" (http only to 127.0.0.1, [::1] or localhost), found \"https://u:p@h/\"\n" },
	{ "snapshot { microsoft_url = \"https://h/?key=1\" }", "1:28: microsoft_url: expected \"https://host/path\" (http only to 127.0.0.1, [::1] or localhost), found \"https://h/?key=1\"\n" },
	{ "snapshot { refresh = \"1 hour\" }", "1:22: refresh: \"1 hour\" is out of range; expected 86400 to 34560000 seconds\n" },
	{ "store = \"\"", "1:9: store: expected a path, found \"\"\n" },
	{ "store = \"/a\"\nstore = \"/b\"", "2:1: store was set already at FILE:1:1\n" },
	{ "milter { }\nmilter { }", "2:1: milter stands already at FILE:1:1\n" },
	{ "milter \"a\" { }", "1:8: milter takes no title, found \"a\"\n" },
	{ "socket = \"unix:/x\"", "1:1: \"socket\" cannot stand in penstock.conf; its place is in milter, the block of another program or unsubscribe\n" },
	{ "unsubscribe { lmtp = \"inet:25\" }", "1:22: lmtp: \"inet:25\" names no host; write \"inet:port@host\"\n" },
	{ "unsubscribe { names = \"\" }", "1:23: names: expected a path, found \"\"\n" },
	{ "unsubscribe { deadline = \"0s\" }", "1:26: deadline: \"0s\" is out of range; expected 1 to 3600 seconds\n" },
	{ "milter { store = \"/x\" }", "1:10: \"store\" cannot stand in milter; its place is in penstock.conf\n" },
	{ "include \"x\"", "1:1: unknown word \"include\" in penstock.conf\n" },
	{ "milter { socket = \"/x\" }", "1:19: socket: expected \"unix:/path\" or \"inet:port@host\", found \"/x\"\n" },
	{ "milter { socket = \"unix:\" }", "1:19: socket: expected a path behind \"unix:\"\n" },
	{ "milter { socket = \"inet:8893\" }", "1:19: socket: \"inet:8893\" names no host; write \"inet:port@host\"\n" },
	{ "milter { socket = \"inet:8893@\" }", "1:19: socket: \"inet:8893@\" names no host; write \"inet:port@host\"\n" },
	{ "milter { socket = \"inet:@h\" }", "1:19: socket: port \"\" is not a whole number written in digits\n" },
	{ "milter { socket = \"inet6:70000@::1\" }", "1:19: socket: port \"70000\" is out of range; expected 1 to 65535\n" },
	{ "milter { socket = \"unix:/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678\" }",
	  "1:19: socket: the path has 110 bytes; a socket's has at most 107\n" },
	{ "milter { timeout = \"360\" }", "1:20: timeout: \"360\" has no unit; expected seconds, minutes, hours or days\n" },
	{ "milter { timeout = 360 }", "1:20: timeout: expected a duration such as \"15 minutes\", found the number 360\n" },
	{ "milter { timeout = \"0s\" }", "1:20: timeout: \"0s\" is out of range; expected 1 to 86400 seconds\n" },
	{ "milter { drain = \"2 hours\" }", "1:18: drain: \"2 hours\" is out of range; expected 0 to 3600 seconds\n" },
	{ "milter { max_sessions = \"5\" }", "1:25: max_sessions: expected a number without quotes, found \"5\"\n" },
	{ "milter { instance = \"a b\" }", "1:21: instance: \"a b\" is not a name; a name has 1 to 64 letters, digits, \".\", \"_\" or \"-\"\n" },
	{ "map_size = \"16 GB of\"", "1:12: map_size: \"16 GB of\": unknown unit; expected B, kB, KiB, MB, MiB, GB, GiB, TB or TiB\n" },
	{ "map_size = \"4 kB\"", "1:12: map_size: \"4 kB\" is out of range; expected 1 MiB to 64 TiB\n" },
	{ "stor = 1\n\nmilter {\n\ttimeout = 1s\n\tuser = 5\n}",
	  "1:1: unknown word \"stor\" in penstock.conf; did you mean \"store\"?\n"
	  "4:12: text stands in quotes: write \"1s\"\n"
	  "5:9: user: expected a string, found the number 5\n" },
};
/* clang-format on */

/* said - the problems in one text, the name of the file shortened */
static void
said(struct problems *problems, struct buf *out)
{
	const struct problem *p;
	const char *at;

	problems_sort(problems);
	buf_reset(out);
	for (p = problems->first; p != NULL; p = p->next) {
		at = strstr(p->text, path);
		buf_printf(out, "%u:%u: %.*s%s%s\n", p->at.line, p->at.col,
		    at != NULL ? (int)(at - p->text) : 1024, p->text,
		    at != NULL ? "FILE" : "",
		    at != NULL ? at + strlen(path) : "");
	}
}

static void
every_mistake(void **state)
{
	struct arena *arena = arena_new(4096, 0);
	struct buf got = BUF_INIT;
	struct problems problems;
	struct config *c;
	struct why why;
	int result, wrong = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		arena_reset(arena);
		problems_init(&problems, arena);
		put(mistakes[i].text);
		result = config_load(path, &c, &problems, &why);
		said(&problems, &got);
		if (result == 0 && c == NULL &&
		    slice_is(buf_slice(&got), mistakes[i].want))
			continue;
		print_error("%s\n  got:  %d %.*s\n  want: 0 %s\n",
		    mistakes[i].text, result, SLICE_ARG(buf_slice(&got)),
		    mistakes[i].want);
		wrong++;
	}
	buf_free(&got);
	arena_free(arena);
	assert_int_equal(wrong, 0);
}

static void
a_file_that_cannot_be_read(void **state)
{
	struct arena *arena = arena_new(4096, 0);
	struct problems problems;
	struct config *c;
	struct why why;

	(void)state;
	problems_init(&problems, arena);
	assert_int_equal(config_load("/nowhere/p.conf", &c, &problems, &why),
	    -1);
	assert_string_equal(why.text, "there is no file /nowhere/p.conf");
	assert_int_equal(config_load(dir, &c, &problems, &why), -1);
	assert_non_null(strstr(why.text, "is not a regular file"));
	assert_int_equal(problems.errors, 0);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_means_the_defaults),
		cmocka_unit_test(everything_set),
		cmocka_unit_test(paths_are_relative_to_the_file),
		cmocka_unit_test(the_sample_says_the_defaults),
		cmocka_unit_test(every_mistake),
		cmocka_unit_test(a_file_that_cannot_be_read),
	};
	int failed;

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/penstock.conf", dir);
	failed = cmocka_run_group_tests_name("config", tests, NULL, NULL);
	unlink(path);
	rmdir(dir);
	return failed;
}
