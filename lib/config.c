/*
 * config - penstock.conf.
 *
 * One file for all programs of the house, so that no two of them can disagree
 * about where the store is.  Each reads the settings at the top and its own
 * block, and accepts the blocks of the others without looking at what their
 * words mean: those that have no program yet are checked as words only.
 */
#include "lib/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/config_in.h"
#include "lib/keyword.h"
#include "lib/scan.h"
#include "lib/text.h"

static const char *const where_names[] = { "penstock.conf", "milter",
	"the block of another program", "token", "unsubscribe", "ingest",
	"release", "snapshot", "alert" };

#define MAP_LEAST	(INT64_C(1) << 20)
#define MAP_MOST	(INT64_C(1) << 46)

/* clang-format off */
static const struct keyword rows[] = {
	{ "store", KEYWORD_STRING, IN_FILE, WORD_STORE,
	  .unset = "/var/lib/penstock", .help = "folder of the stores" },
	{ "policy", KEYWORD_STRING, IN_FILE, WORD_POLICY,
	  .unset = "/etc/penstock/policy.conf", .help = "main policy file" },
	{ "keys", KEYWORD_STRING, IN_FILE, WORD_KEYS,
	  .unset = "/etc/penstock/keys", .help = "folder of DKIM keys" },
	{ "map_size", KEYWORD_SIZE, IN_FILE, WORD_MAP_SIZE,
	  .unset = "16 GiB", .help = "most a store may grow to" },
	{ "bounces", KEYWORD_STRING, IN_FILE, WORD_BOUNCES,
	  .unset = "/etc/penstock/bounces.rules",
	  .help = "rules that say what a refusal means" },
	{ "backoff", KEYWORD_STRING, IN_FILE, WORD_BACKOFF,
	  .unset = "/etc/penstock/backoff.conf",
	  .help = "rules that say when a provider asks for less" },
	{ "reputation", KEYWORD_STRING, IN_FILE, WORD_REPUTATION,
	  .unset = "/etc/penstock/reputation.conf",
	  .help = "what shares are how many points of a score" },
	{ "milter", KEYWORD_BLOCK, IN_FILE, WORD_MILTER,
	  .help = "penstock-milter" },
	{ "socket", KEYWORD_STRING, IN_MILTER, WORD_SOCKET,
	  .unset = "unix:/var/spool/postfix/penstock/milter.sock",
	  .help = "where Postfix connects to" },
	{ "socket_group", KEYWORD_STRING, IN_MILTER, WORD_SOCKET_GROUP,
	  .unset = "", .help = "group that may connect" },
	{ "user", KEYWORD_STRING, IN_MILTER | IN_OTHER, WORD_USER,
	  .unset = "", .help = "user to become" },
	{ "timeout", KEYWORD_DURATION, IN_MILTER, WORD_TIMEOUT,
	  .unset = "360 seconds", .help = "for a peer that says nothing" },
	{ "max_sessions", KEYWORD_NUMBER, IN_MILTER, WORD_MAX_SESSIONS,
	  .least = 0, .most = 1000000, .unset = "0",
	  .help = "connections at a time; 0: no bound" },
	{ "drain", KEYWORD_DURATION, IN_MILTER, WORD_DRAIN,
	  .unset = "10 seconds", .help = "time for messages to finish" },
	{ "instance", KEYWORD_NAME, IN_MILTER, WORD_INSTANCE,
	  .unset = "", .help = "name of this Postfix in events" },
	{ "ingest", KEYWORD_BLOCK, IN_FILE, WORD_INGEST,
	  .help = "penstock-ingest" },
	{ "log", KEYWORD_STRING, IN_INGEST, WORD_INGEST_LOG,
	  .unset = "/var/log/mail.log", .help = "Postfix log that is followed" },
	{ "logs", KEYWORD_SET, IN_INGEST, WORD_INGEST_LOGS,
	  .unset = "{}", .help = "more of them" },
	{ "journal", KEYWORD_SET, IN_INGEST, WORD_INGEST_JOURNAL,
	  .unset = "{}", .help = "units whose journal is followed" },
	{ "journal_folder", KEYWORD_STRING, IN_INGEST, WORD_INGEST_FOLDER,
	  .unset = "", .help = "where the journal lies, if not this machine's" },
	{ "log_zone", KEYWORD_ZONE, IN_INGEST, WORD_INGEST_ZONE,
	  .unset = "", .help = "zone of times that name none" },
	{ "instances", KEYWORD_SET, IN_INGEST, WORD_INGEST_INSTANCES,
	  .unset = "{}", .help = "syslog_name=instance" },
	{ "relays", KEYWORD_SET, IN_INGEST, WORD_INGEST_RELAYS,
	  .unset = "{}", .help = "next hops that tell of no provider" },
	{ "lmtp", KEYWORD_STRING, IN_INGEST, WORD_INGEST_LMTP,
	  .unset = "", .help = "socket for mails that report" },
	{ "socket_group", KEYWORD_STRING, IN_INGEST, WORD_INGEST_GROUP,
	  .unset = "", .help = "group that may connect" },
	{ "forward", KEYWORD_STRING, IN_INGEST, WORD_INGEST_FORWARD,
	  .unset = "", .help = "where mails that are no reports go on to" },
	{ "keep_outcomes", KEYWORD_DURATION, IN_INGEST,
	  WORD_INGEST_KEEP_OUTCOMES, .unset = "90 days",
	  .help = "how long single outcomes are kept" },
	{ "keep_messages", KEYWORD_DURATION, IN_INGEST,
	  WORD_INGEST_KEEP_MESSAGES, .unset = "90 days",
	  .help = "how long what happened to a message is known" },
	{ "keep_totals", KEYWORD_DURATION, IN_INGEST,
	  WORD_INGEST_KEEP_TOTALS, .unset = "1095 days",
	  .help = "how long sums per day are kept" },
	{ "user", KEYWORD_STRING, IN_INGEST, WORD_INGEST_USER,
	  .unset = "", .help = "user to become" },
	{ "preflight", KEYWORD_BLOCK, IN_FILE, WORD_OTHER,
	  .help = "penstock-preflight" },
	{ "alert", KEYWORD_BLOCK, IN_FILE, WORD_ALERT,
	  .help = "penstock-alert" },
	{ "user", KEYWORD_STRING, IN_ALERT, WORD_ALERT_USER,
	  .unset = "", .help = "user to become" },
	{ "keep_hours", KEYWORD_DURATION, IN_ALERT, WORD_ALERT_KEEP_HOURS,
	  .unset = "35 days", .help = "how long counts per hour are kept" },
	{ "keep_days", KEYWORD_DURATION, IN_ALERT, WORD_ALERT_KEEP_DAYS,
	  .unset = "1095 days", .help = "how long counts per day are kept" },
	{ "unsubscribe", KEYWORD_BLOCK, IN_FILE, WORD_UNSUBSCRIBE,
	  .help = "penstock-unsubscribe" },
	{ "token", KEYWORD_BLOCK, IN_FILE, WORD_TOKEN,
	  .help = "tokens of links and return paths" },
	{ "keys", KEYWORD_STRING, IN_TOKEN, WORD_TOKEN_KEYS,
	  .unset = "/etc/penstock/token.keys", .help = "file of their keys" },
	{ "socket", KEYWORD_STRING, IN_UNSUBSCRIBE, WORD_UNSUBSCRIBE_SOCKET,
	  .unset = "inet:8094@127.0.0.1", .help = "where HTTP is served" },
	{ "socket_group", KEYWORD_STRING, IN_UNSUBSCRIBE,
	  WORD_UNSUBSCRIBE_GROUP, .unset = "",
	  .help = "group that may connect to unix sockets" },
	{ "user", KEYWORD_STRING, IN_UNSUBSCRIBE, WORD_UNSUBSCRIBE_USER,
	  .unset = "", .help = "user to become" },
	{ "lmtp", KEYWORD_STRING, IN_UNSUBSCRIBE, WORD_UNSUBSCRIBE_LMTP,
	  .unset = "", .help = "where Postfix delivers unsubscribe mail" },
	{ "names", KEYWORD_STRING, IN_UNSUBSCRIBE, WORD_UNSUBSCRIBE_NAMES,
	  .unset = "/etc/penstock/unsubscribe.names",
	  .help = "names of tenants and streams for the page" },
	{ "certificate", KEYWORD_STRING, IN_UNSUBSCRIBE,
	  WORD_UNSUBSCRIBE_CERTIFICATE, .unset = "",
	  .help = "PEM chain; own TLS" },
	{ "certificate_key", KEYWORD_STRING, IN_UNSUBSCRIBE,
	  WORD_UNSUBSCRIBE_CERTIFICATE_KEY, .unset = "",
	  .help = "its private key" },
	{ "connections", KEYWORD_NUMBER, IN_UNSUBSCRIBE,
	  WORD_UNSUBSCRIBE_CONNECTIONS, .least = 16, .most = 1000000,
	  .unset = "16384", .help = "at a time" },
	{ "per_address", KEYWORD_NUMBER, IN_UNSUBSCRIBE,
	  WORD_UNSUBSCRIBE_PER_ADDRESS, .least = 0, .most = 65535,
	  .unset = "64", .help = "of them from one client; 0: no bound" },
	{ "deadline", KEYWORD_DURATION, IN_UNSUBSCRIBE,
	  WORD_UNSUBSCRIBE_DEADLINE, .unset = "10 seconds",
	  .help = "for a whole request" },
	{ "resubscribe", KEYWORD_DURATION, IN_UNSUBSCRIBE,
	  WORD_UNSUBSCRIBE_RESUBSCRIBE, .unset = "7 days",
	  .help = "how long the page offers the way back" },
	{ "monitor", KEYWORD_BLOCK, IN_FILE, WORD_OTHER,
	  .help = "penstock-monitor" },
	{ "release", KEYWORD_BLOCK, IN_FILE, WORD_RELEASE,
	  .help = "penstock-release" },
	{ "config_directory", KEYWORD_STRING, IN_RELEASE, WORD_RELEASE_CONFIG,
	  .unset = "/etc/postfix", .help = "where Postfix's main.cf is" },
	{ "command_directory", KEYWORD_STRING, IN_RELEASE,
	  WORD_RELEASE_COMMANDS, .unset = "/usr/sbin",
	  .help = "where postsuper and postqueue are" },
	{ "agent", KEYWORD_STRING, IN_RELEASE, WORD_RELEASE_AGENT,
	  .unset = "", .help = "socket of penstock-release --agent" },
	{ "instances", KEYWORD_SET, IN_RELEASE, WORD_RELEASE_INSTANCES,
	  .unset = "{}", .help = "instance=config_directory, or its agent" },
	{ "user", KEYWORD_STRING, IN_RELEASE, WORD_RELEASE_USER,
	  .unset = "", .help = "user of the half that reads stores" },
	{ "inventory", KEYWORD_DURATION, IN_RELEASE, WORD_RELEASE_INVENTORY,
	  .unset = "1 minute", .help = "between two looks at all of hold/" },
	{ "snapshot", KEYWORD_BLOCK, IN_FILE, WORD_SNAPSHOT,
	  .help = "what providers are asked by penstock-alert" },
	{ "calls", KEYWORD_NUMBER, IN_SNAPSHOT, WORD_SNAPSHOT_CALLS,
	  .least = 0, .most = 1000000, .unset = "200",
	  .help = "of a month, to all providers" },
	{ "refresh", KEYWORD_DURATION, IN_SNAPSHOT, WORD_SNAPSHOT_REFRESH,
	  .unset = "30 days", .help = "between two of one subject" },
	{ "timeout", KEYWORD_DURATION, IN_SNAPSHOT, WORD_SNAPSHOT_TIMEOUT,
	  .unset = "30 seconds", .help = "of a call" },
	{ "certificates", KEYWORD_STRING, IN_SNAPSHOT,
	  WORD_SNAPSHOT_CERTIFICATES, .unset = "",
	  .help = "PEM of authorities, instead of the system's" },
	{ "google_credentials", KEYWORD_STRING, IN_SNAPSHOT,
	  WORD_SNAPSHOT_GOOGLE_CREDENTIALS, .unset = "",
	  .help = "file of an OAuth refresh token" },
	{ "google_url", KEYWORD_STRING, IN_SNAPSHOT, WORD_SNAPSHOT_GOOGLE_URL,
	  .unset = "https://gmailpostmastertools.googleapis.com",
	  .help = "where Postmaster Tools answers" },
	{ "google_token_url", KEYWORD_STRING, IN_SNAPSHOT,
	  WORD_SNAPSHOT_GOOGLE_TOKEN_URL,
	  .unset = "https://oauth2.googleapis.com/token",
	  .help = "where it gives access tokens" },
	{ "google_domains", KEYWORD_SET, IN_SNAPSHOT,
	  WORD_SNAPSHOT_GOOGLE_DOMAINS, .unset = "{}",
	  .help = "domains that it is asked about" },
	{ "google_calls", KEYWORD_NUMBER, IN_SNAPSHOT,
	  WORD_SNAPSHOT_GOOGLE_CALLS, .least = 0, .most = 1000000,
	  .unset = "150", .help = "of a month, of all calls" },
	{ "microsoft_credentials", KEYWORD_STRING, IN_SNAPSHOT,
	  WORD_SNAPSHOT_MICROSOFT_CREDENTIALS, .unset = "",
	  .help = "file of the key of SNDS" },
	{ "microsoft_url", KEYWORD_STRING, IN_SNAPSHOT,
	  WORD_SNAPSHOT_MICROSOFT_URL,
	  .unset = "https://sendersupport.olc.protection.outlook.com/snds",
	  .help = "where SNDS answers" },
	{ "microsoft_calls", KEYWORD_NUMBER, IN_SNAPSHOT,
	  WORD_SNAPSHOT_MICROSOFT_CALLS, .least = 0, .most = 1000000,
	  .unset = "50", .help = "of a month, of all calls" },
	{ "keys", KEYWORD_BLOCK, IN_FILE, WORD_OTHER,
	  .help = "penstock-keys" },
	{ "log", KEYWORD_STRING, IN_OTHER, WORD_LATER,
	  .unset = "", .help = "log file to read" },
	{ "listen", KEYWORD_STRING, IN_OTHER, WORD_LATER,
	  .unset = "", .help = "address to serve at" },
	{ "socket", KEYWORD_STRING, IN_OTHER, WORD_LATER,
	  .unset = "", .help = "socket to serve at" },
	{ "socket_group", KEYWORD_STRING, IN_OTHER, WORD_LATER,
	  .unset = "", .help = "group that may connect" },
};
/* clang-format on */

const struct keyword_table config_keywords = {
	rows, sizeof(rows) / sizeof(rows[0]), where_names
};

/* keep - the pointer, or the note that there was no memory for it */
static const char *
keep(struct reader *r, const char *made)
{
	if (made == NULL)
		r->failed = true;
	return made != NULL ? made : "";
}

/* absolute - a path as it is, or below the folder of the file */
static const char *
absolute(struct reader *r, struct slice path)
{
	if (path.n > 0 && path.p[0] == '/')
		return path.p;
	return keep(r, arena_printf(r->config->arena, "%.*s/%s",
	    SLICE_ARG(r->folder), path.p));
}

/* config_path - a path that must not be empty */
void
config_path(struct reader *r, const struct node *n, const char **out)
{
	if (n->value.text.n == 0) {
		problem_error(r->problems, n->value.at,
		    "%s: expected a path, found \"\"", n->name.p);
		return;
	}
	*out = absolute(r, n->value.text);
}

/* read_unix - the path of a socket */
static void
read_unix(struct reader *r, const struct node *n, struct slice path,
    const char **out)
{
	const char *whole;

	if (path.n == 0) {
		problem_error(r->problems, n->value.at, "%s: expected a path "
		    "behind \"unix:\"", n->name.p);
		return;
	}
	whole = absolute(r, path);
	if (strlen(whole) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
		problem_error(r->problems, n->value.at, "%s: the path has %zu "
		    "bytes; a socket's has at most %zu", n->name.p,
		    strlen(whole),
		    sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
		return;
	}
	*out = keep(r, arena_printf(r->config->arena, "unix:%s", whole));
}

/* config_socket - "unix:/path", "inet:port@host" or "inet6:port@host" */
void
config_socket(struct reader *r, const struct node *n, const char **out)
{
	struct slice text = n->value.text, port;
	struct quoted q;
	struct why why;
	int64_t number;
	size_t at = 0;

	if (slice_starts(text, SLICE("unix:"))) {
		read_unix(r, n, slice_from(text, 5), out);
		return;
	}
	if (!slice_starts(text, SLICE("inet:")) &&
	    !slice_starts(text, SLICE("inet6:"))) {
		problem_error(r->problems, n->value.at, "%s: expected "
		    "\"unix:/path\" or \"inet:port@host\", found %s",
		    n->name.p, text_quote(text, &q));
		return;
	}
	port = slice_from(text, text.p[4] == '6' ? 6 : 5);
	while (at < port.n && port.p[at] != '@')
		at++;
	if (port.n - at < 2) {
		problem_error(r->problems, n->value.at, "%s: %s names no "
		    "host; write \"inet:port@host\"", n->name.p,
		    text_quote(text, &q));
		return;
	}
	port.n = at;
	if (scan_count(port, 1, 65535, &number, &why) == -1) {
		problem_error(r->problems, n->value.at, "%s: port %s",
		    n->name.p, why.text);
		return;
	}
	*out = text.p;
}

/* config_duration - within bounds that make sense for it */
void
config_duration(struct reader *r, const struct node *n, int64_t least,
    int64_t most, int64_t *out)
{
	struct quoted q;
	struct why why;
	int64_t us;

	if (scan_duration(n->value.text, &us, &why) == -1)
		problem_error(r->problems, n->value.at, "%s: %s", n->name.p,
		    why.text);
	else if (us < least || us > most)
		problem_error(r->problems, n->value.at, "%s: %s is out of "
		    "range; expected %lld to %lld seconds", n->name.p,
		    text_quote(n->value.text, &q),
		    (long long)(least / CLOCK_SECOND),
		    (long long)(most / CLOCK_SECOND));
	else
		*out = us;
}

/* read_map_size - whole pages of 4096 */
static void
read_map_size(struct reader *r, const struct node *n)
{
	struct quoted q;
	struct why why;
	int64_t bytes;

	if (scan_size(n->value.text, &bytes, &why) == -1)
		problem_error(r->problems, n->value.at, "map_size: %s",
		    why.text);
	else if (bytes < MAP_LEAST || bytes > MAP_MOST)
		problem_error(r->problems, n->value.at, "map_size: %s is out "
		    "of range; expected 1 MiB to 64 TiB",
		    text_quote(n->value.text, &q));
	else
		r->config->map_size = bytes & ~INT64_C(4095);
}

/* config_count - a number whose bounds keyword_check knows */
void
config_count(struct reader *r, const struct node *n, int64_t *out)
{
	struct why why;

	if (scan_count(n->value.text, 0, INT64_MAX, out, &why) == -1)
		problem_error(r->problems, n->value.at, "%s: %s", n->name.p,
		    why.text);
}

/* read_milter - one setting of the milter block */
static void
read_milter(struct reader *r, const struct node *n, int id)
{
	struct config *c = r->config;

	switch (id) {
	case WORD_SOCKET:
		config_socket(r, n, &c->milter.socket);
		break;
	case WORD_SOCKET_GROUP:
		c->milter.socket_group = n->value.text.p;
		break;
	case WORD_USER:
		c->milter.user = n->value.text.p;
		break;
	case WORD_TIMEOUT:
		config_duration(r, n, CLOCK_SECOND, CLOCK_DAY,
		    &c->milter.timeout);
		break;
	case WORD_MAX_SESSIONS:
		config_count(r, n, &c->milter.max_sessions);
		break;
	case WORD_DRAIN:
		config_duration(r, n, 0, CLOCK_HOUR, &c->milter.drain);
		break;
	case WORD_INSTANCE:
		c->milter.instance = n->value.text.p;
		break;
	}
}

/* read_chain - the statements of the file, or of one block */
static void
read_chain(struct reader *r, const struct node *n, unsigned where)
{
	const struct keyword *row;

	keyword_duplicates(n, r->problems);
	for (; n != NULL; n = n->next) {
		row = keyword_check(&config_keywords, n, where, r->problems);
		if (row == NULL)
			continue;
		if (where == IN_MILTER) {
			read_milter(r, n, row->id);
			continue;
		}
		if (where == IN_INGEST) {
			config_ingest(r, n, row->id);
			continue;
		}
		if (where == IN_RELEASE) {
			config_release(r, n, row->id);
			continue;
		}
		if (where == IN_SNAPSHOT) {
			config_snapshot(r, n, row->id);
			continue;
		}
		if (where == IN_ALERT) {
			config_alert(r, n, row->id);
			continue;
		}
		if (where == IN_TOKEN || where == IN_UNSUBSCRIBE) {
			config_unsubscribe(r, n, row->id);
			continue;
		}
		switch (row->id) {
		case WORD_STORE:
			config_path(r, n, &r->config->store);
			break;
		case WORD_POLICY:
			config_path(r, n, &r->config->policy);
			break;
		case WORD_KEYS:
			config_path(r, n, &r->config->keys);
			break;
		case WORD_MAP_SIZE:
			read_map_size(r, n);
			break;
		case WORD_BOUNCES:
			config_path(r, n, &r->config->bounces);
			break;
		case WORD_BACKOFF:
			config_path(r, n, &r->config->backoff);
			break;
		case WORD_REPUTATION:
			config_path(r, n, &r->config->reputation);
			break;
		case WORD_MILTER:
			read_chain(r, n->child, IN_MILTER);
			break;
		case WORD_TOKEN:
			read_chain(r, n->child, IN_TOKEN);
			break;
		case WORD_UNSUBSCRIBE:
			read_chain(r, n->child, IN_UNSUBSCRIBE);
			break;
		case WORD_INGEST:
			read_chain(r, n->child, IN_INGEST);
			break;
		case WORD_RELEASE:
			read_chain(r, n->child, IN_RELEASE);
			break;
		case WORD_SNAPSHOT:
			read_chain(r, n->child, IN_SNAPSHOT);
			break;
		case WORD_ALERT:
			read_chain(r, n->child, IN_ALERT);
			break;
		case WORD_OTHER:
			read_chain(r, n->child, IN_OTHER);
			break;
		}
	}
}

/* folder_of - the folder of a path, absolute, in the arena */
static int
folder_of(struct arena *arena, const char *path, struct slice *out,
    struct why *why)
{
	const char *slash = strrchr(path, '/');
	char *here = NULL, *made;
	int n = slash == NULL ? 0 : (int)(slash - path);

	if (path[0] == '/') {
		made = arena_printf(arena, "%.*s", n, path);
	} else {
		here = getcwd(NULL, 0);
		if (here == NULL)
			return why_errno(why, "cannot tell the current folder");
		made = arena_printf(arena, "%s%s%.*s", here, n > 0 ? "/" : "",
		    n, path);
		free(here);
	}
	if (made == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for %s", path);
	*out = slice_of(made);
	return 0;
}

/* defaults - what holds where the file says nothing */
static void
defaults(struct config *c)
{
	c->store = "/var/lib/penstock";
	c->policy = "/etc/penstock/policy.conf";
	c->keys = "/etc/penstock/keys";
	c->map_size = INT64_C(16) << 30;
	c->milter.socket = "unix:/var/spool/postfix/penstock/milter.sock";
	c->milter.socket_group = "";
	c->milter.user = "";
	c->milter.timeout = 360 * CLOCK_SECOND;
	c->milter.drain = 10 * CLOCK_SECOND;
	c->milter.instance = "";
	config_unsubscribe_defaults(c);
	config_release_defaults(c);
	config_snapshot_defaults(c);
	config_alert_defaults(c);
}

/* config_load - read penstock.conf whole, or not at all */
int
config_load(const char *path, struct config **out, struct problems *problems,
    struct why *why)
{
	struct reader r = { .problems = problems };
	struct arena *arena = NULL;
	unsigned errors = problems->errors;
	struct slice file, text;
	int got, result = -1;

	*out = NULL;
	/* The name of the file outlives the arena: problems point to it. */
	file = arena_copy(problems->arena, slice_of(path));
	arena = arena_new(16384, 0);
	if (file.p == NULL || arena == NULL ||
	    (r.config = arena_alloc(arena, sizeof(*r.config))) == NULL) {
		why_kind(why, WHY_MEMORY, "no memory for %s", path);
		goto out;
	}
	r.config->arena = arena;
	r.config->path = keep(&r, arena_copy(arena, file).p);
	defaults(r.config);
	got = parse_read(arena, path, &text, why);
	if (got == 0) {
		why_set(why, "there is no file %s", path);
		goto out;
	}
	if (got == -1 || folder_of(arena, path, &r.folder, why) == -1)
		goto out;
	read_chain(&r, parse_text(arena, file.p, text, problems), IN_FILE);
	config_ingest_defaults(&r);
	if (r.failed) {
		why_kind(why, WHY_MEMORY, "no memory for %s", path);
		goto out;
	}
	result = problems->errors == errors;
out:
	if (result == 1)
		*out = r.config;
	else
		arena_free(arena);
	return result;
}

/* config_free - NULL is allowed */
void
config_free(struct config *c)
{
	if (c != NULL)
		arena_free(c->arena);
}
