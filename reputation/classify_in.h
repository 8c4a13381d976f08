/*
 * classify_in - what is behind classify.h; private to classify*.c.
 *
 * A rule has terms, joined by "&"; a term has pieces, parted by "*", which
 * must follow each other without overlapping.  Equal pieces are one piece, so
 * that one automaton (classify_find.c) finds all pieces of all rules.
 */
#ifndef REPUTATION_CLASSIFY_IN_H
#define REPUTATION_CLASSIFY_IN_H

#include <stdint.h>
#include "lib/mem.h"
#include "lib/provider.h"
#include "reputation/classify.h"

#define PIECE_MAX	64	/* bytes of a piece */
#define TERM_PIECES_MAX	8	/* pieces of a term */
#define RULE_TERMS_MAX	8
#define TERMS_MAX	16384	/* of all rules; so pieces start no more */
#define PIECES_MAX	16384	/* different ones */
#define NOTHING		UINT16_MAX
#define GLOB_MAX	12	/* "5.7.515" and its like */

struct term {
	uint32_t	 at;		/* its pieces: classifier.sequence[at] */
	uint16_t	 rule;
	uint8_t		 npieces;
};

struct rule {
	struct slice	 id;
	provider_set	 providers;	/* 0: all */
	char		 code[GLOB_MAX], enhanced[GLOB_MAX];	/* "": any */
	enum category	 category;
	enum action	 action;
	uint8_t		 nterms;	/* 0: codes alone */
};

struct piece {
	struct slice	 text;
	uint32_t	 at;		/* terms that begin with it: starts[at] */
	uint32_t	 nstarts;
};

/* A node of the automaton; children stand together, labels beside them. */
struct find_node {
	uint32_t	 child;		/* first of them */
	uint32_t	 fail;		/* longest suffix that is a node */
	uint32_t	 shorter;	/* longest suffix that ends a piece; 0 */
	uint16_t	 nchildren;
	uint16_t	 piece;		/* that ends here, or NOTHING */
};

struct find {
	struct find_node *nodes;	/* 0 is the root */
	unsigned char	*labels;	/* of the step into that node */
	size_t		 nnodes, nrows;
	uint32_t	(*rows)[256];	/* nodes below nrows: next by byte; 0 */
};

struct classifier {
	struct arena	*arena;
	struct rule	*rules;		/* strongest first */
	size_t		 nrules;
	struct term	*terms;
	size_t		 nterms;
	uint16_t	*sequence;	/* piece numbers */
	size_t		 nsequence;
	struct piece	*pieces;	/* sorted */
	size_t		 npieces;
	uint16_t	*starts;	/* terms, by their first piece */
	struct find	 find;
	uint64_t	 bare[CLASSIFY_RULES_MAX / 64];	/* without words */
};

/* Pieces must be sorted and different; -1: no memory. */
int		 find_build(struct find *, struct arena *,
		    const struct piece *, size_t n);
uint32_t	 find_step(const struct find *, uint32_t node, unsigned char);

/* What a reply says, and in which codes. */
struct said {
	char		 code[4];	/* "550"; "5??" from an enhanced code; "" */
	char		 enhanced[GLOB_MAX];		/* "5.1.1"; "" */
	size_t		 n;
	char		 text[CLASSIFY_TEXT_MAX + 2];	/* " folded text " */
};
void	said_read(struct said *, struct slice reply);
/*
 * Case folded (ASCII, and the letters of two bytes in UTF-8), white space and
 * control bytes as one space, typographic quotes as ' and ".  out has room for
 * in.n bytes; returns how many are used, never more than in.n.
 */
size_t	said_fold(char *out, struct slice in);

#endif
