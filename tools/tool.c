/*
 * tool - the two voices: tables whose columns line up for eyes, and errors
 * that begin with the program's name on stderr, so that stdout stays what was
 * asked for.
 */
#include "tools/tool.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/mem.h"
#include "reputation/outcome.h"

#define BOLD	"\033[1m"
#define PLAIN	"\033[0m"

/* tool_fail - say what went wrong and pass the status on */
int
tool_fail(int status, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("penstock: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return status;
}

/* tool_usage - how to call it */
int
tool_usage(const char *usage)
{
	fprintf(stderr, "usage: %s\n", usage);
	return TOOL_USAGE;
}

/* tool_help - asked for: to stdout */
int
tool_help(const char *usage)
{
	printf("usage: %s\n", usage);
	return TOOL_OK;
}

/* tool_asks_help - --help and nothing else */
bool
tool_asks_help(int argc, char **argv)
{
	return argc == 1 && strcmp(argv[0], "--help") == 0;
}

/* tool_problems - one line each, in the order of the files */
void
tool_problems(FILE *out, struct problems *problems)
{
	const struct problem *p;

	problems_sort(problems);
	for (p = problems->first; p != NULL; p = p->next) {
		if (p->at.file != NULL)
			fprintf(out, "%s:%u:%u: ", p->at.file, p->at.line,
			    p->at.col);
		fprintf(out, "%s: %s\n", p->warning ? "warning" : "error",
		    p->text);
	}
}

/* tool_config - penstock.conf, or the reason there is none */
int
tool_config(const struct tool *tool, struct config **config)
{
	struct arena *arena = arena_new(4096, 0);
	struct problems problems;
	struct why why;
	int got;

	if (arena == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	problems_init(&problems, arena);
	got = config_load(tool->config_path, config, &problems, &why);
	tool_problems(stderr, &problems);
	arena_free(arena);
	if (got == -1)
		return tool_fail(TOOL_BROKEN, "%s; -c FILE names another",
		    why.text);
	return got == 1 ? TOOL_OK : TOOL_BROKEN;
}

/* tool_store - the gate's store, for reading */
int
tool_store(const struct config *config, struct store **store)
{
	char *dir = xasprintf("%s/gate", config->store);
	struct why why;
	int got = store_open_read(store, dir, &why);

	if (got == 0)
		tool_fail(TOOL_BROKEN, "%s: no store yet; penstock-milter "
		    "makes it at its first start", dir);
	else if (got == -1)
		tool_fail(TOOL_BROKEN, "%s", why.text);
	free(dir);
	return got == 1 ? TOOL_OK : TOOL_BROKEN;
}

/* tool_outcomes - the ingester's store, for reading */
int
tool_outcomes(const struct config *config, struct outcomes **store)
{
	char *dir = xasprintf("%s/outcomes", config->store);
	struct why why;
	int got = outcomes_open_read(store, dir, &why);

	if (got == 0)
		tool_fail(TOOL_BROKEN, "%s: no store yet; penstock-ingest "
		    "makes it at its first start", dir);
	else if (got == -1)
		tool_fail(TOOL_BROKEN, "%s", why.text);
	free(dir);
	return got == 1 ? TOOL_OK : TOOL_BROKEN;
}

struct table {
	size_t		 columns;
	const char	*align;		/* '<' or '>' per column */
	char		**cells;	/* headings first */
	size_t		 ncells, cap;
};

/* cell_add - takes the string */
static void
cell_add(struct table *t, char *text)
{
	if (t->ncells == t->cap) {
		t->cap = t->cap > 0 ? t->cap * 2 : 64;
		t->cells = xrealloc(t->cells, t->cap * sizeof(*t->cells));
	}
	t->cells[t->ncells++] = text;
}

/* table_new - headings is NULL-ended; align has a '<' or '>' for each */
struct table *
table_new(const char *const *headings, const char *align)
{
	struct table *t = xcalloc(1, sizeof(*t));

	t->align = align;
	for (; headings[t->columns] != NULL; t->columns++)
		cell_add(t, xstrdup(headings[t->columns]));
	return t;
}

/* harmless - what a stranger wrote must not drive the terminal: controls, also
 * those of C1 in UTF-8 */
static void
harmless(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
		else if ((unsigned char)s[0] == 0xc2 &&
		    (unsigned char)s[1] >= 0x80 && (unsigned char)s[1] < 0xa0)
			s[0] = s[1] = '?';
}

/* table_cell - the next cell, row by row */
void
table_cell(struct table *t, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = xstrdup("?");
	va_end(ap);
	harmless(text);
	cell_add(t, text);
}

/* table_rows - how many were added */
size_t
table_rows(const struct table *t)
{
	return t->ncells / t->columns - 1;
}

/* width - columns on a terminal: UTF-8 continuation bytes take none */
static size_t
width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* table_print - as wide as the widest cell; nothing behind the last column */
void
table_print(const struct table *t, FILE *out, bool color)
{
	size_t *wide = xcalloc(t->columns, sizeof(*wide));

	for (size_t i = 0; i < t->ncells; i++)
		if (width(t->cells[i]) > wide[i % t->columns])
			wide[i % t->columns] = width(t->cells[i]);
	for (size_t i = 0; i < t->ncells; i++) {
		size_t column = i % t->columns;
		int pad = (int)(wide[column] - width(t->cells[i]));
		bool right = t->align[column] == '>';
		bool last = column == t->columns - 1;

		if (color && i == 0)
			fputs(BOLD, out);
		fprintf(out, "%*s%s%*s%s", right ? pad : 0, "", t->cells[i],
		    right || last ? 0 : pad, "", last ? "" : "  ");
		if (color && i == t->columns - 1)
			fputs(PLAIN, out);
		if (last)
			fputc('\n', out);
	}
	free(wide);
}

/* table_free - NULL allowed */
void
table_free(struct table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->ncells; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

/* terminal_width - columns of stdout; 0: it is no terminal */
static size_t
terminal_width(void)
{
	struct winsize size = { .ws_col = 0 };

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == -1 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}

/* tool_wrap - word by word */
void
tool_wrap(struct buf *b, size_t indent, struct slice s)
{
	size_t most = terminal_width(), column = indent, n;
	struct slice word;

	if (most < indent + 20) {	/* no terminal, or one for ants */
		buf_slices(b, s);
		return;
	}
	while (s.n > 0) {
		for (n = 0; n < s.n && s.p[n] == ' '; n++)
			;
		for (word = slice_from(s, n); n < s.n && s.p[n] != ' '; n++)
			;
		word.n = n - (size_t)(word.p - s.p);
		if (column + n > most && column > indent && word.n > 0) {
			buf_printf(b, "\n%*s", (int)indent, "");
			buf_slices(b, word);
			column = indent + word.n;
		} else {
			buf_slices(b, (struct slice){ s.p, n });
			column += n;
		}
		s = slice_from(s, n);
	}
}
