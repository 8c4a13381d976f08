/*
 * backoff_test - penstock backoff test: which rules an answer counts for.
 *
 * The answer is what a server says ("421 4.7.28 ..."), or a text of Postfix's
 * log as it stands in the brackets; then it is told whose word it is as well.
 */
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "reputation/backoff.h"
#include "tools/tool.h"

static const char usage[] =
    "penstock backoff test [--rules FILE] [--json] DOMAIN REPLY\n"
    "  which rules of backoff.conf a reply of DOMAIN's servers counts for;\n"
    "  REPLY is \"421 4.7.28 unusual rate\", or what stands in the brackets\n"
    "  of a line of Postfix's log. Exit status 1: none";

/* installed - rules of the file, of penstock.conf, or our own */
static int
installed(const struct tool *tool, const char *path, struct backoffs **b,
    struct classifier **c)
{
	struct arena *arena = arena_new(4096, 0);
	struct config *config = NULL;
	struct problems problems;
	struct why why;
	int status = TOOL_OK, got;

	if (arena == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	problems_init(&problems, arena);
	if (strcmp(tool->config_path, CONFIG_DEFAULT) != 0 ||
	    access(CONFIG_DEFAULT, F_OK) == 0)
		status = tool_config(tool, &config);
	if (status != TOOL_OK)
		goto out;
	got = path != NULL ? backoffs_load(b, path, &problems, &why) :
	    backoffs_installed(b, config != NULL ? config->backoff : NULL,
	    &problems, &why);
	if (got == 1)
		got = classifier_installed(c, config != NULL ?
		    config->bounces : NULL, &problems, &why);
	tool_problems(stderr, &problems);
	if (got == -1)
		status = tool_fail(TOOL_BROKEN, "%s", why.text);
	else if (got == 0)
		status = tool_fail(TOOL_NO, "the rules have mistakes; "
		    "nothing was tried");
out:
	config_free(config);
	arena_free(arena);
	return status;
}

/* print_json - one rule */
static void
print_json(const struct backoff_rule *r)
{
	struct buf b = BUF_INIT;

	buf_str(&b, "{\"rule\":");
	buf_json(&b, r->name);
	buf_str(&b, ",\"place\":");
	buf_json(&b, r->place);
	buf_printf(&b, ",\"threshold\":%lld,\"window\":%lld,\"action\":\"%s\","
	    "\"duration\":%lld}\n", (long long)r->threshold,
	    (long long)r->window, backoff_action_names[r->action],
	    (long long)r->duration);
	if (!buf_failed(&b))
		fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}

/* print - those that it counts for */
static void
print(const struct backoff_rule **met, size_t n, bool color)
{
	static const char *const heads[] = { "RULE", "ANSWERS", "WITHIN",
	    "ACTION", "FOR", "WHERE", NULL };
	struct table *t = table_new(heads, "<><<><");

	for (size_t i = 0; i < n; i++) {
		table_cell(t, "%.*s", SLICE_ARG(met[i]->name));
		table_cell(t, "%lld", (long long)met[i]->threshold);
		table_cell(t, "%lld min", (long long)(met[i]->window /
		    CLOCK_MINUTE));
		table_cell(t, "%s", backoff_action_names[met[i]->action]);
		table_cell(t, "%lld s", (long long)(met[i]->duration /
		    CLOCK_SECOND));
		table_cell(t, "%.*s", SLICE_ARG(met[i]->place));
	}
	table_print(t, stdout, color);
	table_free(t);
}

/* try - one reply */
static int
try(const struct tool *tool, const struct backoffs *b,
    const struct classifier *c, struct slice domain, struct slice reply,
    bool json)
{
	const struct backoff_rule *met[BACKOFF_RULES];
	enum backoff_from from;
	struct finding found;
	struct slice host;
	size_t n;

	from = backoff_whose(reply, &host);
	if (from == BACKOFF_OURS && reply.n > 0 && reply.p[0] >= '2' &&
	    reply.p[0] <= '5')
		from = BACKOFF_ANSWER;		/* as a server says it */
	if (from == BACKOFF_OURS)
		return tool_fail(TOOL_NO, "those are words of Postfix, or no "
		    "reply at all; they never count");
	classify(c, PROVIDER_UNRESOLVED, domain, reply, &found);
	n = backoffs_match(b, from, provider_of(domain), domain,
	    found.category, reply, met, BACKOFF_RULES);
	for (size_t i = 0; json && i < n; i++)
		print_json(met[i]);
	if (!json && n > 0)
		print(met, n, tool->color);
	if (!json && n == 0)
		printf("it counts for no rule\n");
	return n > 0 ? TOOL_OK : TOOL_NO;
}

/* tool_backoff_test - what would it count for? */
int
tool_backoff_test(const struct tool *tool, int argc, char **argv)
{
	const char *path = NULL, *words[2] = { NULL, NULL };
	struct classifier *c = NULL;
	struct backoffs *b = NULL;
	bool json = false;
	size_t n = 0;
	int status;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return tool_help(usage);
		if (strcmp(argv[i], "--rules") == 0 && i + 1 < argc)
			path = argv[++i];
		else if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (n < 2 && strncmp(argv[i], "--", 2) != 0)
			words[n++] = argv[i];
		else
			return tool_usage(usage);
	}
	if (n != 2)
		return tool_usage(usage);
	status = installed(tool, path, &b, &c);
	if (status == TOOL_OK)
		status = try(tool, b, c, slice_of(words[0]),
		    slice_of(words[1]), json);
	backoffs_free(b);
	classifier_free(c);
	return status;
}
