/*
 * parse - the one parser of all our .conf files.
 *
 * Recursive descent over lib/lex.c with one token in hand.  What matters here
 * is not the grammar, which is small, but what happens at a mistake: the
 * message shows what was found and what was expected, and reading goes on at
 * the next statement, so that one mistake is one message and the file's other
 * mistakes are named in the same run.
 *
 * After a mistake, tokens are skipped up to a word that begins a statement (it
 * is the first of its line, or "=" follows it), up to the "}" of the block we
 * are in, or behind a whole block that was opened on the way.  Where the
 * meaning is plain all the same (a bare word for a string, a missing comma)
 * the tree gets what was meant, so that nothing is reported for lack of it.
 *
 * Not chosen: a generated parser (its messages name tokens, not mistakes), and
 * libconfuse, which stops at the first mistake, merges sections of one title
 * and keeps no line for a value.
 */
#include "lib/parse.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/lex.h"
#include "lib/text.h"

/* Room for a name of 64 bytes and a quoted title, so that none is cut. */
#define BLOCK_TEXT	(66 + sizeof(struct quoted))

const char *const value_type_names[] = { "a string", "a number", "a set" };

struct parser {
	struct arena	*arena;
	struct problems	*problems;
	struct lex	 lex;
	struct lex_token tok;		/* the token in hand */
	unsigned	 depth;		/* blocks we are in */
	unsigned	 errors;
	bool		 quiet;		/* this statement's mistake was named */
	bool		 stopped;	/* no memory, or too many mistakes */
	const struct node *suspect;	/* block whose "}" may be missing */
};

static struct node	*statements(struct parser *);

/* mistake - name one; the last straw ends the file */
static void __attribute__((format(printf, 3, 4)))
mistake(struct parser *p, struct place at, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (p->stopped)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	problem_error(p->problems, at, "%s", text);
	if (++p->errors == PARSE_ERRORS_MAX) {
		problem_error(p->problems, at,
		    "too many mistakes; the rest of the file was not read");
		p->stopped = true;
	}
}

/* next - take the next token in hand */
static void
next(struct parser *p)
{
	struct quoted q;

	lex_next(&p->lex, &p->tok);
	if (p->tok.type == LEX_STRING && p->tok.open_ended) {
		mistake(p, p->tok.at, "this string does not end on its line: "
		    "%s", text_quote(p->tok.text, &q));
		p->quiet = true;
	}
	if (p->stopped)
		p->tok.type = LEX_END;
}

/* peek - the type of the token behind the one in hand */
static enum lex_type
peek(const struct parser *p)
{
	struct lex ahead = p->lex;
	struct lex_token t;

	lex_next(&ahead, &t);
	return t.type;
}

/* curly - do the bytes begin with a typographic quotation mark? */
static bool
curly(struct slice text)
{
	return slice_starts(text, SLICE("\xe2\x80\x98")) ||
	    slice_starts(text, SLICE("\xe2\x80\x99")) ||
	    slice_starts(text, SLICE("\xe2\x80\x9c")) ||
	    slice_starts(text, SLICE("\xe2\x80\x9d")) ||
	    slice_starts(text, SLICE("\xe2\x80\x9e")) ||
	    slice_starts(text, SLICE("'"));
}

/* expected - the token in hand is not what should stand here */
static void
expected(struct parser *p, const char *what)
{
	struct quoted q;
	const char *hint = "";

	if (p->quiet)
		return;
	p->quiet = true;
	if (p->tok.type == LEX_END) {
		mistake(p, p->tok.at, "expected %s, found the end of the file",
		    what);
		return;
	}
	if (p->tok.type == LEX_OTHER && p->tok.text.p[0] == ';')
		hint = "; nothing stands at the end of a statement";
	else if (curly(p->tok.text))
		hint = "; the only quotation mark is \"";
	mistake(p, p->tok.at, "expected %s, found %s%s%s", what,
	    p->tok.type == LEX_STRING ? "the string " : "",
	    text_quote(p->tok.text, &q), hint);
}

/* skip - to where a statement may begin; opened: braces to close first */
static void
skip(struct parser *p, unsigned opened)
{
	unsigned depth = opened;

	for (; p->tok.type != LEX_END; next(p)) {
		if (p->tok.type == LEX_OPEN) {
			depth++;
		} else if (p->tok.type == LEX_CLOSE) {
			if (depth == 0)
				return;
			if (--depth == 0) {
				next(p);
				return;
			}
		} else if (p->tok.type == LEX_WORD && depth <= opened) {
			if (peek(p) == LEX_EQUALS ||
			    (opened == 0 && p->tok.first))
				return;
		} else if (p->tok.type == LEX_OTHER && depth == 0 &&
		    p->tok.first) {
			return;
		}
	}
}

/* room - zeroed memory; without any, reading stops */
static void *
room(struct parser *p, size_t n, size_t size)
{
	void *m = arena_array(p->arena, n, size);

	if (m == NULL) {
		mistake(p, p->tok.at, "out of memory");
		p->stopped = true;
	}
	return m;
}

/* keep - copy text into the arena */
static struct slice
keep(struct parser *p, struct slice text)
{
	struct slice copy = arena_copy(p->arena, text);

	if (copy.p == NULL) {
		mistake(p, p->tok.at, "out of memory");
		p->stopped = true;
		return SLICE("");
	}
	return copy;
}

/* unescaped - the text of the string in hand; \" and \\ are all we know */
static struct slice
unescaped(struct parser *p)
{
	const struct slice raw = p->tok.text;
	struct place at = p->tok.at;
	struct slice out;
	struct quoted q;
	size_t i, n = 0;
	char *o;

	if (raw.n == 0 || memchr(raw.p, '\\', raw.n) == NULL)
		return keep(p, raw);
	o = room(p, raw.n + 1, 1);
	if (o == NULL)
		return SLICE("");
	for (i = 0; i < raw.n; i++) {
		if (raw.p[i] == '\\' && i + 1 < raw.n) {
			if (raw.p[i + 1] == '"' || raw.p[i + 1] == '\\') {
				i++;
			} else {
				at.col = p->tok.at.col + 1 + (unsigned)i;
				out = (struct slice){ raw.p + i + 1, 1 };
				mistake(p, at, "unknown escape \\ before %s; "
				    "a string knows \\\" and \\\\ only",
				    text_quote(out, &q));
			}
		}
		o[n++] = raw.p[i];
	}
	return (struct slice){ o, n };
}

/* bare - the word in hand stands where a string should */
static void
bare(struct parser *p)
{
	struct quoted q;

	if (!p->quiet)
		mistake(p, p->tok.at, "text stands in quotes: write %s%s",
		    text_quote(p->tok.text, &q),
		    curly(p->tok.text) ? "; the only quotation mark is \"" :
		    "");
}

/* take - the string, number or bare word in hand becomes a value */
static void
take(struct parser *p, struct value *v)
{
	v->type = p->tok.type == LEX_NUMBER ? VALUE_NUMBER : VALUE_STRING;
	v->at = p->tok.at;
	v->text = p->tok.type == LEX_STRING ? unescaped(p) :
	    keep(p, p->tok.text);
	next(p);
}

/* ends_set - does the token in hand say that a "}" is missing? */
static bool
ends_set(const struct parser *p)
{
	return p->tok.type == LEX_END || p->tok.type == LEX_EQUALS ||
	    p->tok.type == LEX_OPEN || (p->tok.type == LEX_WORD &&
	    (p->tok.first || peek(p) == LEX_EQUALS));
}

/* set_size - at most how many items the set in hand can have */
static size_t
set_size(const struct parser *p)
{
	struct lex ahead = p->lex;
	struct lex_token t = p->tok;
	size_t n = 0;

	while (t.type != LEX_END && t.type != LEX_CLOSE &&
	    t.type != LEX_OPEN && t.type != LEX_EQUALS) {
		n += t.type != LEX_COMMA;
		lex_next(&ahead, &t);
	}
	return n;
}

/* set - the items, from behind "{" to behind "}" */
static void
set(struct parser *p, struct value *v)
{
	size_t most = set_size(p);
	bool comma = true;

	v->type = VALUE_SET;
	if (most > 0 && (v->items = room(p, most, sizeof(*v->items))) == NULL)
		return;
	while (p->tok.type != LEX_CLOSE && !ends_set(p)) {
		if (p->tok.type == LEX_COMMA) {
			if (comma)
				expected(p, "a string");
			comma = true;
			next(p);
			continue;
		}
		if (!comma)
			expected(p, "\",\" or \"}\"");
		else if (p->tok.type != LEX_STRING)
			bare(p);
		if (v->nitems == most)
			break;
		take(p, &v->items[v->nitems]);
		v->items[v->nitems++].type = VALUE_STRING;
		comma = false;
	}
	if (p->tok.type != LEX_CLOSE) {
		expected(p, comma ? "a string or \"}\"" : "\",\" or \"}\"");
		if (p->tok.type != LEX_WORD)	/* else a statement begins */
			skip(p, 1);
		return;
	}
	if (comma && v->nitems > 0)
		expected(p, "a string after \",\"");
	next(p);
}

/* title - is the token in hand one? a bare word on the line is meant as one */
static bool
title(struct parser *p)
{
	if (p->tok.type == LEX_STRING)
		return true;
	if ((p->tok.type != LEX_WORD && p->tok.type != LEX_NUMBER &&
	    p->tok.type != LEX_OTHER) || p->tok.first ||
	    p->tok.text.p[0] == ';' || peek(p) == LEX_EQUALS)
		return false;
	return true;
}

/* block_text - a block for eyes, such as tenant "acme"; returns out */
static const char *
block_text(const struct node *n, char *out, size_t size)
{
	struct quoted q;

	snprintf(out, size, "%.64s%s%s", n->name.p, n->ntitles > 0 ? " " : "",
	    n->ntitles > 0 ? text_quote(n->titles[0].text, &q) : "");
	return out;
}

/* unclosed - the file ends within a block; say where a brace may be missing */
static void
unclosed(struct parser *p, const struct node *n, unsigned line)
{
	char this[BLOCK_TEXT], other[BLOCK_TEXT];

	block_text(n, this, sizeof(this));
	if (p->suspect != NULL && p->suspect->at.line > n->at.line)
		mistake(p, p->tok.at, "missing \"}\" of %s, opened at line %u; "
		    "perhaps it is that of %s at line %u, whose \"}\" stands "
		    "further left", this, line,
		    block_text(p->suspect, other, sizeof(other)),
		    p->suspect->at.line);
	else
		mistake(p, p->tok.at, "missing \"}\" of %s, opened at line %u",
		    this, line);
}

/* block - titles, "{", statements, "}" */
static bool
block(struct parser *p, struct node *n, bool first)
{
	struct value titles[PARSE_TITLES_MAX] = { 0 };
	struct place open;
	char what[112];

	for (; title(p) && n->ntitles < PARSE_TITLES_MAX; n->ntitles++) {
		if (p->tok.type != LEX_STRING && peek(p) != LEX_OPEN)
			break;
		if (p->tok.type != LEX_STRING)
			bare(p);
		take(p, &titles[n->ntitles]);
		titles[n->ntitles].type = VALUE_STRING;
	}
	if (p->tok.type != LEX_OPEN) {
		snprintf(what, sizeof(what), "%s after %.64s",
		    n->ntitles > 0 ? "\"{\"" : "\"=\" or \"{\"", n->name.p);
		expected(p, what);
		return false;
	}
	if (p->depth == PARSE_DEPTH_MAX) {
		mistake(p, p->tok.at, "blocks stand in blocks more than %d "
		    "deep", PARSE_DEPTH_MAX);
		return false;
	}
	if (n->ntitles > 0) {
		n->titles = room(p, n->ntitles, sizeof(titles[0]));
		if (n->titles == NULL)
			return false;
		memcpy(n->titles, titles, n->ntitles * sizeof(titles[0]));
	}
	n->type = NODE_BLOCK;
	open = p->tok.at;
	p->depth++;
	next(p);
	n->child = statements(p);
	p->depth--;
	if (p->tok.type == LEX_END) {
		unclosed(p, n, open.line);
		return true;
	}
	if (first && p->tok.first && p->tok.at.col < n->at.col &&
	    p->suspect == NULL)
		p->suspect = n;
	next(p);
	return true;
}

/* meant_block - does name "=" stand behind the "{" in hand, on its line? */
static bool
meant_block(const struct parser *p)
{
	struct lex ahead = p->lex;
	struct lex_token t;

	lex_next(&ahead, &t);
	if (t.type != LEX_WORD || t.first)
		return false;
	lex_next(&ahead, &t);
	return t.type == LEX_EQUALS;
}

/* setting - from behind "=" */
static bool
setting(struct parser *p, struct node *n, bool first)
{
	n->type = NODE_SETTING;
	n->value.at = p->tok.at;
	if (p->tok.type == LEX_OPEN) {
		if (meant_block(p)) {
			mistake(p, p->tok.at, "a block is written without "
			    "\"=\" before the \"{\"");
			p->quiet = true;
			return block(p, n, first);
		}
		next(p);
		set(p, &n->value);
		return true;
	}
	if (p->tok.type == LEX_STRING || p->tok.type == LEX_NUMBER) {
		take(p, &n->value);
		return true;
	}
	if ((p->tok.type == LEX_WORD || p->tok.type == LEX_OTHER) &&
	    !p->tok.first && p->tok.text.p[0] != ';' &&
	    peek(p) != LEX_EQUALS) {
		bare(p);
		take(p, &n->value);
		return true;
	}
	expected(p, "a value after \"=\"");
	return false;
}

/* include - from behind the word */
static bool
include(struct parser *p, struct node *n)
{
	n->type = NODE_INCLUDE;
	if (p->tok.type == LEX_EQUALS) {
		expected(p, "a path in quotes after include, without \"=\"");
		next(p);
	}
	if (p->tok.type != LEX_STRING) {
		expected(p, "a path in quotes after include");
		return false;
	}
	take(p, &n->value);
	return true;
}

/* statement - one, or NULL after a mistake; always moves on */
static struct node *
statement(struct parser *p)
{
	struct node *n;
	bool good, first = p->tok.first;

	p->quiet = p->tok.type == LEX_STRING && p->tok.open_ended;
	if (p->tok.type != LEX_WORD) {
		expected(p, p->tok.type == LEX_OPEN ?
		    "the name of a block before \"{\"" :
		    "the name of a setting or of a block");
		if (p->tok.type != LEX_OPEN)
			next(p);
		skip(p, 0);
		return NULL;
	}
	if ((n = room(p, 1, sizeof(*n))) == NULL)
		return NULL;
	n->at = p->tok.at;
	n->name = keep(p, p->tok.text);
	next(p);
	if (slice_is(n->name, "include")) {
		good = include(p, n);
	} else if (p->tok.type == LEX_EQUALS) {
		next(p);
		good = setting(p, n, first);
	} else {
		good = block(p, n, first);
	}
	if (good)
		return n;
	skip(p, 0);
	return NULL;
}

/* statements - up to the end of the block, or of the file */
static struct node *
statements(struct parser *p)
{
	struct node *head = NULL, **tail = &head;

	while (!p->stopped && p->tok.type != LEX_END &&
	    !(p->tok.type == LEX_CLOSE && p->depth > 0)) {
		*tail = statement(p);
		if (*tail != NULL)
			tail = &(*tail)->next;
	}
	if (p->stopped)
		p->tok.type = LEX_END;
	return head;
}

/* parse_text - the tree of one file */
struct node *
parse_text(struct arena *arena, const char *file, struct slice text,
    struct problems *problems)
{
	struct parser p = { .arena = arena, .problems = problems };

	if (text.n == 0 || !lex_bytes(file, text, problems))
		return NULL;
	lex_start(&p.lex, file, text);
	next(&p);
	return statements(&p);
}

/* parse_read - a regular file, whole; a FIFO or a device would never end */
int
parse_read(struct arena *arena, const char *path, struct slice *out,
    struct why *why)
{
	struct stat st;
	ssize_t got;
	size_t n = 0, size;
	char *p;
	int fd, result = -1;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1)
		return errno == ENOENT ? 0 :
		    why_errno(why, "cannot open %s", path);
	if (fstat(fd, &st) == -1) {
		why_errno(why, "cannot stat %s", path);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		why_set(why, "%s is not a regular file", path);
		goto out;
	}
	if (st.st_size > PARSE_FILE_MAX) {
		why_set(why, "%s has %lld bytes; the most we read is %u", path,
		    (long long)st.st_size, PARSE_FILE_MAX);
		goto out;
	}
	size = (size_t)st.st_size;
	p = arena_alloc(arena, size + 1);
	if (p == NULL) {
		why_kind(why, WHY_MEMORY, "no memory to read %s", path);
		goto out;
	}
	/* One byte more than it had: that it grew must not go unseen. */
	while (n <= size && (got = read(fd, p + n, size + 1 - n)) != 0) {
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1) {
			why_errno(why, "cannot read %s", path);
			goto out;
		}
		n += (size_t)got;
	}
	if (n > size) {
		why_set(why, "%s grew while it was read; try again", path);
		goto out;
	}
	p[n] = '\0';
	*out = (struct slice){ p, n };
	result = 1;
out:
	close(fd);
	return result;
}
