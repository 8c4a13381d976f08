/*
 * policy - penstock policy check: name every mistake of the policy, its
 * includes and its keys in one run.
 *
 * It needs no store and no running gate; beside a store it says which limits
 * would start at 0 under a new name.  What it cannot see is what only the
 * gate has: last good forms and who holds a claim now; of two files that claim
 * one login it blames the later one.
 */
#include "tools/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/mem.h"
#include "tools/tool.h"

#define USAGE	"penstock policy check [--json] [FILE]"

static const char help[] = "usage: " USAGE "\n\n"
"Reads the policy of penstock.conf, or FILE, with all its includes and keys,\n"
"and names every mistake. Needs no store and changes nothing; with a store it\n"
"names limits that start at 0 because their name is new.\n\n"
"  --json    one JSON object\n\n"
"Exit status: 0 no errors (warnings may be), 1 errors, 3 penstock.conf is\n"
"broken.\n";

/* tool_policy_load - the policy of the configuration, everything judged */
int
tool_policy_load(const char *path, const char *keys, const char *tokens,
    struct problems *problems, struct policy **policy)
{
	struct policy_load load = { .path = path, .keys = keys,
	    .token_keys = tokens, .judge_keys = SIZE_MAX };
	struct why why;
	int got = policy_load(&load, policy, problems, &why);

	if (got == -1) {
		problem_error(problems, (struct place){ NULL, 0, 0 }, "%s",
		    why.text);
		return 0;
	}
	return got;
}

/* plural - "1 tenant", "2 tenants" */
static void
plural(struct buf *out, size_t n, const char *word, const char *word_many)
{
	buf_printf(out, "%zu %s", n, n == 1 ? word : word_many);
}

/* summary - the last line */
static void
summary(const char *path, const struct policy *p, const struct problems *all)
{
	struct buf out = BUF_INIT;

	buf_printf(&out, "%s: ", path);
	if (p != NULL) {
		plural(&out, p->ntenants, "tenant", "tenants");
		buf_str(&out, ", ");
		plural(&out, p->ngroups, "group", "groups");
		buf_str(&out, ", ");
		plural(&out, p->npools, "pool", "pools");
		buf_str(&out, "; ");
	}
	if (all->errors == 0 && all->warnings == 0) {
		buf_str(&out, "no problems");
	} else {
		plural(&out, all->errors, "error", "errors");
		buf_str(&out, ", ");
		plural(&out, all->warnings, "warning", "warnings");
	}
	printf("%.*s\n", SLICE_ARG(buf_slice(&out)));
	buf_free(&out);
}

/* json - the same as one object */
static void
json(const char *path, const struct policy *p, const struct problems *all)
{
	struct buf out = BUF_INIT;

	buf_str(&out, "{\"file\":");
	buf_json(&out, slice_of(path));
	buf_printf(&out, ",\"ok\":%s,\"errors\":%u,\"warnings\":%u,"
	    "\"tenants\":%zu,\"problems\":[", all->errors == 0 ? "true" :
	    "false", all->errors, all->warnings, p != NULL ? p->ntenants : 0);
	for (const struct problem *one = all->first; one != NULL;
	    one = one->next) {
		buf_str(&out, one == all->first ? "{\"file\":" :
		    ",{\"file\":");
		if (one->at.file != NULL)
			buf_json(&out, slice_of(one->at.file));
		else
			buf_str(&out, "null");
		buf_printf(&out, ",\"line\":%u,\"column\":%u,\"severity\":"
		    "\"%s\",\"text\":", one->at.line, one->at.col,
		    one->warning ? "warning" : "error");
		buf_json(&out, slice_of(one->text));
		buf_char(&out, '}');
	}
	buf_str(&out, "]}");
	printf("%.*s\n", SLICE_ARG(buf_slice(&out)));
	buf_free(&out);
}

/* settle_paths - where the policy and the keys are; FILE needs no config */
static int
settle_paths(const struct tool *tool, const char *file,
    struct config **config, const char **path, const char **keys)
{
	int status;

	*path = file;
	*keys = "/etc/penstock/keys";
	if (file != NULL && access(tool->config_path, F_OK) == -1 &&
	    errno == ENOENT && strcmp(tool->config_path, CONFIG_DEFAULT) == 0)
		return TOOL_OK;
	if ((status = tool_config(tool, config)) != TOOL_OK)
		return status;
	if (file == NULL)
		*path = (*config)->policy;
	*keys = (*config)->keys;
	return TOOL_OK;
}

/* tool_policy_check - all mistakes, one run */
int
tool_policy_check(const struct tool *tool, int argc, char **argv)
{
	bool as_json = false;
	const char *file = NULL, *path = NULL, *keys = NULL;
	struct config *config = NULL;
	struct policy *policy = NULL;
	struct arena *arena = NULL;
	struct problems problems;
	int status;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			as_json = true;
		} else if (strcmp(argv[i], "--help") == 0) {
			fputs(help, stdout);
			return TOOL_OK;
		} else if (argv[i][0] == '-' || file != NULL) {
			return tool_usage(USAGE);
		} else {
			file = argv[i];
		}
	}
	if ((status = settle_paths(tool, file, &config, &path, &keys)) !=
	    TOOL_OK)
		return status;
	if ((arena = arena_new(1 << 16, 0)) == NULL) {
		config_free(config);
		return tool_fail(TOOL_BROKEN, "out of memory");
	}
	problems_init(&problems, arena);
	tool_policy_load(path, keys, config != NULL ? config->token.keys : NULL,
	    &problems, &policy);
	if (policy != NULL && config != NULL) {
		char *dir = xasprintf("%s/gate", config->store);

		policy_spent(dir, policy, &problems);
		free(dir);
	}
	problems_sort(&problems);
	if (as_json) {
		json(path, policy, &problems);
	} else {
		tool_problems(stdout, &problems);
		summary(path, policy, &problems);
	}
	status = problems.errors > 0 ? TOOL_NO : TOOL_OK;
	policy_drop(policy);
	arena_free(arena);
	config_free(config);
	return status;
}
