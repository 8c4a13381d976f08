/*
 * bounce - try a remote server's reply against the rules for bounces.
 *
 * One reply for eyes, with the rules that would decide if the first one did
 * not; or "-": a reply per line of standard input and exactly one JSON object
 * per line back, whatever the line is.  A line may begin with the recipient's
 * domain and a tab.  No more of a line is kept than the classifier reads.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/provider.h"
#include "reputation/classify.h"
#include "tools/tool.h"

#define RUNNERS_UP	8
#define DOMAIN_MOST	255

static const char usage[] =
    "penstock bounce test [--rules FILE] [--domain D] [--json] REPLY | -\n"
    "  REPLY is a text such as \"550 5.1.1 no such user\"; with - each line\n"
    "  of standard input is one, or DOMAIN<tab>REPLY, and is answered by one\n"
    "  JSON object";

struct lines {			/* standard input, in bounded pieces */
	char	 in[1 << 16];
	size_t	 at, n;
	char	 line[CLASSIFY_TEXT_MAX + DOMAIN_MOST + 1];
	size_t	 len;
	bool	 ended;
};

/* rules - of --rules, of penstock.conf where there is one, or our own */
static int
rules(const struct tool *tool, const char *path, struct classifier **out)
{
	struct arena *arena = arena_new(4096, 0);
	struct config *config = NULL;
	struct problems problems;
	struct why why;
	int status = TOOL_OK, got;

	if (arena == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	problems_init(&problems, arena);
	if (path == NULL && (strcmp(tool->config_path, CONFIG_DEFAULT) != 0 ||
	    access(CONFIG_DEFAULT, F_OK) == 0))
		status = tool_config(tool, &config);
	if (status != TOOL_OK)
		goto out;
	got = path != NULL ? classifier_load(out, path, &problems, &why) :
	    classifier_installed(out, config != NULL ? config->bounces : NULL,
	    &problems, &why);
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

/* finding_json - the three words, as members of an object that is open */
static void
finding_json(struct buf *b, const struct finding *f)
{
	buf_printf(b, "\"category\":\"%s\",\"action\":\"%s\",\"rule\":",
	    category_names[f->category], action_names[f->action]);
	buf_json(b, f->rule);
}

/* print_json - the one that decides, and those behind it */
static void
print_json(const struct finding *f, size_t n)
{
	struct buf b = BUF_INIT;

	buf_char(&b, '{');
	finding_json(&b, &f[0]);
	buf_str(&b, ",\"runners_up\":[");
	for (size_t i = 1; i < n; i++) {
		buf_str(&b, i > 1 ? ",{" : "{");
		finding_json(&b, &f[i]);
		buf_char(&b, '}');
	}
	buf_str(&b, "]}\n");
	fwrite(buf_slice(&b).p, 1, b.len, stdout);
	buf_free(&b);
}

/* print_table - the same for eyes */
static void
print_table(const struct finding *f, size_t n, bool color)
{
	static const char *const headings[] = {
		"", "category", "action", "rule", NULL
	};
	struct table *t = table_new(headings, "<<<<");

	for (size_t i = 0; i < n; i++) {
		table_cell(t, "%s", i == 0 ? "decides" : "also");
		table_cell(t, "%s", category_names[f[i].category]);
		table_cell(t, "%s", action_names[f[i].action]);
		table_cell(t, "%.*s", SLICE_ARG(f[i].rule));
	}
	table_print(t, stdout, color);
	table_free(t);
}

/* test_one - a reply from the command line */
static void
test_one(const struct tool *tool, const struct classifier *c,
    const char *domain, const char *reply, bool json)
{
	struct finding found[1 + RUNNERS_UP];
	size_t n = classify_all(c, PROVIDER_UNRESOLVED, slice_of(domain),
	    slice_of(reply), found, 1 + RUNNERS_UP);

	if (n == 0)
		found[n++] = (struct finding){ CATEGORY_UNKNOWN, ACTION_NONE,
		    SLICE("-") };
	if (json)
		print_json(found, n);
	else
		print_table(found, n, tool->color);
}

/* next_line - the beginning of the next one; fetch style */
static int
next_line(struct lines *l, struct why *why)
{
	bool any = false;
	ssize_t got;
	char c;

	for (l->len = 0;;) {
		if (l->at == l->n) {
			if (fflush(stdout) == EOF)
				return why_errno(why, "standard output");
			do
				got = l->ended ? 0 : read(STDIN_FILENO,
				    l->in, sizeof(l->in));
			while (got == -1 && errno == EINTR);
			if (got == -1)
				return why_errno(why, "standard input");
			l->at = 0;
			l->n = (size_t)got;
			l->ended |= got == 0;
			if (got == 0)
				return any;
		}
		c = l->in[l->at++];
		any = true;
		if (c == '\n')
			return 1;
		if (l->len < sizeof(l->line))
			l->line[l->len++] = c;
	}
}

/* domain_of - what stands before the tab, if it can be a domain; "-": none */
static bool
domain_of(struct slice *line, struct slice *domain)
{
	const char *tab = memchr(line->p, '\t', line->n);
	struct slice head = { line->p,
	    tab != NULL ? (size_t)(tab - line->p) : 0 };
	bool letter = false;
	size_t i;

	if (tab == NULL || head.n > DOMAIN_MOST)
		return false;
	for (i = 0; i < head.n; i++) {
		unsigned char c = (unsigned char)(head.p[i] | 0x20);

		if ((c >= 'a' && c <= 'z') || c >= 0x80)
			letter = true;
		else if (head.p[i] == '\0' ||
		    strchr("0123456789.-_@", head.p[i]) == NULL)
			return false;
		if (head.p[i] == '@') {		/* an address: its domain */
			head = slice_from(head, i + 1);
			i = (size_t)-1;
		}
	}
	if (!letter && head.n > 0 && !slice_is(head, "-"))
		return false;			/* "550", "5.1.1" */
	*domain = letter ? head : SLICE_NONE;
	*line = slice_from(*line, (size_t)(tab - line->p) + 1);
	return true;
}

/* test_lines - one object per line */
static int
test_lines(const struct classifier *c, const char *given)
{
	struct lines *l = xcalloc(1, sizeof(*l));
	struct buf b = BUF_INIT;
	struct finding found;
	struct slice line, domain;
	struct why why;
	int got;

	while ((got = next_line(l, &why)) == 1) {
		line = (struct slice){ l->line, l->len };
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		domain = slice_of(given);
		domain_of(&line, &domain);
		classify(c, PROVIDER_UNRESOLVED, domain, line, &found);
		buf_reset(&b);
		buf_char(&b, '{');
		finding_json(&b, &found);
		buf_str(&b, "}\n");
		fwrite(buf_slice(&b).p, 1, b.len, stdout);
	}
	buf_free(&b);
	free(l);
	if (got == 0 && fflush(stdout) == EOF)
		got = why_errno(&why, "standard output");
	return got == -1 ? tool_fail(TOOL_BROKEN, "%s", why.text) : TOOL_OK;
}

/* tool_bounce_test - a reply, or many */
int
tool_bounce_test(const struct tool *tool, int argc, char **argv)
{
	const char *path = NULL, *domain = NULL, *reply = NULL;
	struct classifier *c = NULL;
	bool json = false;
	int i, status;

	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return tool_help(usage);
		if (strcmp(argv[i], "--rules") == 0 && i + 1 < argc)
			path = argv[++i];
		else if (strcmp(argv[i], "--domain") == 0 && i + 1 < argc)
			domain = argv[++i];
		else if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--") == 0 && i + 2 == argc)
			reply = argv[++i];
		else if (reply == NULL && strncmp(argv[i], "--", 2) != 0)
			reply = argv[i];
		else
			return tool_usage(usage);
	}
	if (reply == NULL)
		return tool_usage(usage);
	if ((status = rules(tool, path, &c)) != TOOL_OK)
		return status;
	if (strcmp(reply, "-") == 0)
		status = test_lines(c, domain);
	else
		test_one(tool, c, domain, reply, json);
	classifier_free(c);
	return status;
}
