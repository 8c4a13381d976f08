/*
 * lex - a .conf file as words, numbers, strings and marks.
 *
 * White space, control bytes (lex_bytes has named them) and comments separate
 * tokens.  A word is taken as far as it goes before it is judged, so that a
 * message can show all of Europe/Madrid or 200/hour when the quotes are
 * missing, and not its first letters.
 *
 * A string ends on its line.  One that does not would swallow the brace that
 * opens or closes a block at the end of that line, and every later mistake
 * would be a false one; so when the swallowed text holds one brace more of a
 * kind than of the other, reading goes on at the last of that kind.
 */
#include "lib/lex.h"

#include "lib/text.h"

/* lex_start - at the first byte, behind a byte order mark */
void
lex_start(struct lex *l, const char *file, struct slice text)
{
	l->file = file;
	l->p = l->line_start = text.p;
	l->end = text.p + text.n;
	l->line = 1;
	l->fresh = true;
	if (slice_starts(text, SLICE("\xef\xbb\xbf")))
		l->p += 3;
}

/* is_space - separates tokens: white space and control bytes */
static bool
is_space(char c)
{
	return (unsigned char)c <= 0x20 || c == 0x7f;
}

/* is_mark - a byte that ends a word wherever it stands */
static bool
is_mark(char c)
{
	return c == '=' || c == '{' || c == '}' || c == ',' || c == '"' ||
	    c == '#' || c == ';';
}

/* is_digit - ASCII, in any locale */
static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* is_letter - may a word begin with it? */
static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* lex_blank - to the next token, counting lines */
static void
lex_blank(struct lex *l)
{
	while (l->p < l->end) {
		if (*l->p == '\n') {
			l->line++;
			l->line_start = l->p + 1;
			l->fresh = true;
		} else if (*l->p == '#') {
			while (l->p < l->end && *l->p != '\n')
				l->p++;
			continue;
		} else if (!is_space(*l->p)) {
			return;
		}
		l->p++;
	}
}

/* word_type - what a run of bytes is */
static enum lex_type
word_type(struct slice text)
{
	size_t i = 0, dot = 0;

	if (is_letter(text.p[0])) {
		for (i = 0; i < text.n; i++)
			if (!is_letter(text.p[i]) && !is_digit(text.p[i]) &&
			    text.p[i] != '.' && text.p[i] != '-')
				return LEX_OTHER;
		return LEX_WORD;
	}
	while (i < text.n && is_digit(text.p[i]))
		i++;
	if (i > 0 && i < text.n && text.p[i] == '.') {
		dot = ++i;
		while (i < text.n && is_digit(text.p[i]))
			i++;
	}
	return i > 0 && i == text.n && i != dot ? LEX_NUMBER : LEX_OTHER;
}

/* lex_string - from behind the opening quote */
static void
lex_string(struct lex *l, struct lex_token *t)
{
	const char *open = NULL, *shut = NULL;
	int depth = 0;

	t->type = LEX_STRING;
	t->text.p = l->p;
	for (; l->p < l->end && *l->p != '\n' && *l->p != '"'; l->p++) {
		if (*l->p == '\\' && l->end - l->p > 1 && l->p[1] != '\n') {
			l->p++;
		} else if (*l->p == '{') {
			depth++;
			open = l->p;
		} else if (*l->p == '}') {
			depth--;
			shut = l->p;
		}
	}
	if (l->p < l->end && *l->p == '"') {
		t->text.n = (size_t)(l->p++ - t->text.p);
		return;
	}
	t->open_ended = true;
	if (depth == 1)
		l->p = open;
	else if (depth == -1)
		l->p = shut;
	t->text.n = (size_t)(l->p - t->text.p);
}

/* lex_next - the token at the cursor, which moves behind it */
void
lex_next(struct lex *l, struct lex_token *t)
{
	lex_blank(l);
	t->at = (struct place){ l->file, l->line,
	    (unsigned)(l->p - l->line_start) + 1 };
	t->first = l->fresh;
	t->open_ended = false;
	t->text = (struct slice){ l->p, 0 };
	l->fresh = false;
	if (l->p == l->end) {
		t->type = LEX_END;
		return;
	}
	if (*l->p == '"') {
		l->p++;
		lex_string(l, t);
		return;
	}
	if (is_mark(*l->p)) {
		switch (*l->p) {
		case '=': t->type = LEX_EQUALS; break;
		case '{': t->type = LEX_OPEN; break;
		case '}': t->type = LEX_CLOSE; break;
		case ',': t->type = LEX_COMMA; break;
		default: t->type = LEX_OTHER; break;
		}
		l->p++;
		t->text.n = 1;
		return;
	}
	while (l->p < l->end && !is_space(*l->p) && !is_mark(*l->p))
		l->p++;
	t->text.n = (size_t)(l->p - t->text.p);
	t->type = word_type(t->text);
}

enum byte_fault { FAULT_NUL, FAULT_CONTROL, FAULT_UTF8, FAULT_CR, FAULTS };

/* byte_fault - what is wrong at p; *len is how far to go on */
static enum byte_fault
byte_fault(const char *p, size_t left, size_t *len)
{
	unsigned char c = (unsigned char)*p;

	*len = 1;
	if (c >= 0x80) {
		*len = text_utf8(p, left);
		if (*len > 0)
			return FAULTS;
		*len = 1;
		return FAULT_UTF8;
	}
	if (c == '\0')
		return FAULT_NUL;
	if (c == '\r')
		return FAULT_CR;
	if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7f)
		return FAULT_CONTROL;
	return FAULTS;
}

/* byte_report - one sentence per kind of fault */
static void
byte_report(enum byte_fault fault, struct place at, unsigned char byte,
    size_t count, struct problems *problems)
{
	switch (fault) {
	case FAULT_NUL:
		problem_error(problems, at, "NUL byte (%zu in this file)",
		    count);
		break;
	case FAULT_CONTROL:
		problem_error(problems, at, "control byte 0x%02x (%zu control "
		    "bytes in this file)", byte, count);
		break;
	case FAULT_UTF8:
		problem_error(problems, at, "byte 0x%02x is not UTF-8 (%zu "
		    "such bytes in this file); save the file as UTF-8", byte,
		    count);
		break;
	case FAULT_CR:
		problem_error(problems, at, "the file has Windows line ends; "
		    "run: sed -i 's/\\r$//' %s", at.file);
		break;
	case FAULTS:
		break;
	}
}

/* lex_bytes - judge the bytes of a file before it is read */
bool
lex_bytes(const char *file, struct slice text, struct problems *problems)
{
	struct { struct place at; unsigned char byte; size_t n; } seen[FAULTS];
	struct place at = { file, 1, 1 };
	size_t i = 0, line_start = 0, len;
	enum byte_fault f;

	if (slice_starts(text, SLICE("\xff\xfe")) ||
	    slice_starts(text, SLICE("\xfe\xff"))) {
		problem_error(problems, at,
		    "the file is UTF-16; save it as UTF-8");
		return false;
	}
	if (slice_starts(text, SLICE("\xef\xbb\xbf")))
		problem_error(problems, at, "the file begins with a byte order "
		    "mark; save it as UTF-8 without one");
	memset(seen, 0, sizeof(seen));
	for (; i < text.n; i += len) {
		f = byte_fault(text.p + i, text.n - i, &len);
		if (f != FAULTS && seen[f].n++ == 0) {
			at.col = (unsigned)(i - line_start) + 1;
			seen[f].at = at;
			seen[f].byte = (unsigned char)text.p[i];
		}
		if (text.p[i] == '\n') {
			at.line++;
			line_start = i + 1;
		}
	}
	for (f = 0; f < FAULTS; f++)
		if (seen[f].n > 0)
			byte_report(f, seen[f].at, seen[f].byte, seen[f].n,
			    problems);
	return true;
}
