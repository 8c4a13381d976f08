/*
 * lex - a .conf file as words, numbers, strings and marks; for lib/parse.c.
 *
 * A struct lex is a plain cursor: copy it to look ahead.  Nothing is allocated
 * and nothing is reported; lex_bytes alone judges the bytes, before.
 * Ownership: tokens borrow the text.   Threads: any.
 */
#ifndef LIB_LEX_H
#define LIB_LEX_H

#include <stdbool.h>
#include "lib/problem.h"
#include "lib/slice.h"

enum lex_type {
	LEX_END,
	LEX_WORD,		/* [A-Za-z_][A-Za-z0-9._-]* */
	LEX_NUMBER,		/* digits, or digits "." digits */
	LEX_STRING,
	LEX_EQUALS, LEX_OPEN, LEX_CLOSE, LEX_COMMA,
	LEX_OTHER		/* a run of bytes that is none of these */
};

struct lex_token {
	enum lex_type	type;
	struct place	at;
	struct slice	text;	/* string: what stands between the quotes */
	bool		first;	/* of its line */
	bool		open_ended; /* string: its line ended before it did */
};

struct lex {
	const char	*file;
	const char	*p, *end, *line_start;
	unsigned	 line;
	bool		 fresh;	/* no token on this line yet */
};

void	lex_start(struct lex *, const char *file, struct slice text);
void	lex_next(struct lex *, struct lex_token *);
/*
 * Names a byte order mark, Windows line ends, NUL and other control bytes, and
 * what is no UTF-8, each once per file at its first place.  False: this is no
 * text at all (UTF-16), reading on makes no sense.
 */
bool	lex_bytes(const char *file, struct slice text, struct problems *);

#endif
