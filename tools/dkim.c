/*
 * dkim - what DNS must say for the keys that sign, and whether a message
 * verifies.
 *
 * The two fit together: `dkim dns --query-file > keys` writes what
 * `dkim verify --keys keys` reads, so a signature can be tried before DNS has
 * the record.  A record from DNS itself is not asked for: the command line
 * makes no queries.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/key.h"
#include "policy/policy.h"
#include "tools/tool.h"
#include "tools/verify.h"

static const char verify_usage[] =
    "penstock dkim verify --keys FILE [--json] [MESSAGE]\n"
    "  FILE has a line per key: selector._domainkey.domain v=DKIM1; ...\n"
    "  (penstock dkim dns --query-file writes one); MESSAGE or - is a whole\n"
    "  message; there is no look-up in DNS";
static const char dns_usage[] =
    "penstock dkim dns [--tenant NAME] [--query-file]";

/* --- verify -------------------------------------------------------------- */

/* read_all - a message from a file or from standard input */
static int
read_all(const char *path, struct buf *out, struct why *why)
{
	int fd = STDIN_FILENO, rc = -1;
	ssize_t got;
	char *room;

	if (strcmp(path, "-") != 0 &&
	    (fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return why_errno(why, "%s", path);
	do {
		if ((room = buf_room(out, 1 << 16)) == NULL) {
			why_kind(why, WHY_MEMORY, "%s: no memory", path);
			goto out;
		}
		if ((got = read(fd, room, 1 << 16)) == -1) {
			why_errno(why, "%s", path);
			goto out;
		}
		out->len += (size_t)got;
	} while (got > 0);
	rc = 0;
out:
	if (fd != STDIN_FILENO)
		close(fd);
	return rc;
}

/* print_json - one object: the answer, and a row per signature */
static void
print_json(const struct verify_result *r, size_t n, bool pass)
{
	struct buf b = BUF_INIT;

	buf_printf(&b, "{\"pass\":%s,\"signatures\":[",
	    pass ? "true" : "false");
	for (size_t i = 0; i < n; i++) {
		buf_str(&b, i > 0 ? ",{\"domain\":" : "{\"domain\":");
		buf_json(&b, r[i].domain);
		buf_str(&b, ",\"selector\":");
		buf_json(&b, r[i].selector);
		buf_str(&b, ",\"algorithm\":");
		buf_json(&b, r[i].algorithm);
		buf_printf(&b, ",\"pass\":%s,\"reason\":",
		    r[i].pass ? "true" : "false");
		buf_json(&b, slice_of(r[i].reason));
		buf_char(&b, '}');
	}
	buf_str(&b, "]}\n");
	fwrite(buf_slice(&b).p, 1, b.len, stdout);
	buf_free(&b);
}

/* print_table - the same for eyes */
static void
print_table(const struct verify_result *r, size_t n, bool color)
{
	static const char *const headings[] = {
		"result", "d=", "s=", "a=", "reason", NULL
	};
	struct table *t = table_new(headings, "<<<<<");

	for (size_t i = 0; i < n; i++) {
		table_cell(t, "%s", r[i].pass ? "pass" : "FAIL");
		table_cell(t, "%.*s", SLICE_ARG(r[i].domain));
		table_cell(t, "%.*s", SLICE_ARG(r[i].selector));
		table_cell(t, "%.*s", SLICE_ARG(r[i].algorithm));
		table_cell(t, "%s", r[i].pass ? "-" : r[i].reason);
	}
	table_print(t, stdout, color);
	table_free(t);
}

/* verify - one message against one file of keys */
static int
verify(const struct tool *tool, const char *keys, const char *path, bool json)
{
	struct verify_result *results = NULL;
	struct verifier *v = NULL;
	struct arena *arena = arena_new(1 << 16, 0);
	struct buf message = BUF_INIT;
	struct why why;
	size_t n = 0, passed = 0;
	int status = TOOL_BROKEN;

	if (arena == NULL) {
		tool_fail(TOOL_BROKEN, "out of memory");
		goto out;
	}
	if (verify_open(keys, &v, &why) == -1 ||
	    read_all(path, &message, &why) == -1) {
		tool_fail(TOOL_BROKEN, "%s", why.text);
		goto out;
	}
	if (verify_message(v, arena, buf_slice(&message), &results, &n,
	    &why) == -1) {
		status = tool_fail(TOOL_NO, "%s: %s", path, why.text);
		goto out;
	}
	for (size_t i = 0; i < n; i++)
		passed += results[i].pass;
	status = n > 0 && passed == n ? TOOL_OK : TOOL_NO;
	if (json)
		print_json(results, n, status == TOOL_OK);
	else if (n > 0)
		print_table(results, n, tool->color);
	else
		tool_fail(TOOL_NO, "%s: there is no DKIM-Signature", path);
out:
	verify_close(v);
	buf_free(&message);
	arena_free(arena);
	return status;
}

/* tool_dkim_verify - 0: there are signatures and all of them pass */
int
tool_dkim_verify(const struct tool *tool, int argc, char **argv)
{
	const char *keys = NULL, *path = NULL;
	bool json = false;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return printf("usage: %s\n", verify_usage), TOOL_OK;
		if (strcmp(argv[i], "--keys") == 0 && i + 1 < argc)
			keys = argv[++i];
		else if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (path == NULL && (argv[i][0] != '-' ||
		    strcmp(argv[i], "-") == 0))
			path = argv[i];
		else
			return tool_usage(verify_usage);
	}
	if (keys == NULL)
		return tool_usage(verify_usage);
	return verify(tool, keys, path != NULL ? path : "-", json);
}

/* --- dns ----------------------------------------------------------------- */

/* What `dkim dns` prints, and how it went so far. */
struct dns {
	struct key_cache *cache;
	bool		 query_file;
	size_t		 printed, failed;
};

/* print_record - one line of a zone file, or of a file of keys */
static void
print_record(struct dns *d, const struct identity *id)
{
	const struct key *key = NULL;
	char record[4096];
	struct why why;

	if (key_get(d->cache, id->key_path, &key, &why) == -1 ||
	    key_record(key, record, sizeof(record), &why) == -1) {
		tool_fail(TOOL_NO, "%.*s._domainkey.%.*s: %s",
		    SLICE_ARG(id->selector), SLICE_ARG(id->domain), why.text);
		d->failed++;
		key_release(d->cache, key);
		return;
	}
	printf("%.*s._domainkey.%.*s%s", SLICE_ARG(id->selector),
	    SLICE_ARG(id->domain), d->query_file ? " " : ". IN TXT (");
	if (d->query_file) {
		printf("%s\n", record);
	} else {
		/* a string of a TXT record holds 255 bytes (RFC 1035) */
		for (size_t i = 0, n = strlen(record); i < n; i += 250)
			printf(" \"%.250s\"", record + i);
		printf(" )\n");
	}
	d->printed++;
	key_release(d->cache, key);
}

/* print_tenants - of one tenant, or of the platform and all */
static int
print_tenants(struct dns *d, const struct policy *p, const char *name)
{
	bool found = name == NULL;

	for (size_t i = 0; name == NULL && i < p->nidentities; i++)
		print_record(d, &p->identities[i]);
	for (size_t i = 0; i < p->ntenants; i++) {
		const struct tenant *t = p->tenants[i];

		if (name != NULL && !slice_is(t->name, name))
			continue;
		found = true;
		for (size_t j = 0; j < t->nidentities; j++)
			print_record(d, &t->identities[j]);
	}
	if (!found)
		return tool_fail(TOOL_NO, "no tenant \"%s\"", name);
	if (d->printed + d->failed == 0)
		return tool_fail(TOOL_NO, "no dkim block in the policy%s%s",
		    name != NULL ? " of tenant " : "",
		    name != NULL ? name : "");
	return d->failed > 0 ? TOOL_NO : TOOL_OK;
}

/* dns - load the policy as it stands in the files, and print */
static int
dns(const struct tool *tool, const char *tenant, bool query_file)
{
	struct dns d = { NULL, query_file, 0, 0 };
	struct arena *arena = arena_new(1 << 16, 0);
	struct config *config = NULL;
	struct policy *policy = NULL;
	struct problems problems;
	struct why why;
	int got, status = TOOL_BROKEN;

	if (arena == NULL || (d.cache = key_cache_new(0)) == NULL) {
		tool_fail(TOOL_BROKEN, "out of memory");
		goto out;
	}
	problems_init(&problems, arena);
	if ((status = tool_config(tool, &config)) != TOOL_OK)
		goto out;
	got = policy_load(&(struct policy_load){ .path = config->policy,
	    .keys = config->keys }, &policy, &problems, &why);
	if (got != 1) {
		tool_problems(stderr, &problems);
		status = got == 0 ? TOOL_NO : tool_fail(TOOL_NO, "%s",
		    why.text);
		goto out;
	}
	status = print_tenants(&d, policy, tenant);
out:
	policy_drop(policy);
	key_cache_free(d.cache);
	config_free(config);
	arena_free(arena);
	return status;
}

/* tool_dkim_dns - the records of every key that signs */
int
tool_dkim_dns(const struct tool *tool, int argc, char **argv)
{
	const char *tenant = NULL;
	bool query_file = false;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return printf("usage: %s\n", dns_usage), TOOL_OK;
		if (strcmp(argv[i], "--tenant") == 0 && i + 1 < argc)
			tenant = argv[++i];
		else if (strcmp(argv[i], "--query-file") == 0)
			query_file = true;
		else
			return tool_usage(dns_usage);
	}
	return dns(tool, tenant, query_file);
}
