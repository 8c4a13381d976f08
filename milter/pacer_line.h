/*
 * pacer_line - who stands where: held messages in lines, each before what it
 * waits for, and whose turn it is.
 *
 * A line is of everybody who waits for the same: room of one counter, or for
 * somebody to do something.  In a line each tenant has a place of its own,
 * where his messages stand oldest first, in lanes: those that an operator
 * wants out, those that are not bulk, bulk.  Turns go round the tenants by
 * deficit round robin with a quantum of one recipient, so over any time the
 * tenants of a line that all wait get the same number of recipients, to within
 * the largest message.
 * A message costs 48 bytes here.
 * Threads: one at a time.
 */
#ifndef MILTER_PACER_LINE_H
#define MILTER_PACER_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lane { LANE_ASKED, LANE_FIRST, LANE_BULK, LANES };
#define LINE_KEY	16

struct waiter {			/* one held message */
	struct waiter	*next;		/* behind it in its lane */
	uint64_t	 seq;		/* of the hold event; 0: a free one */
	uint64_t	 tenant;
	int64_t		 until;		/* us: hold_max is over */
	uint32_t	 cost;		/* recipients, as far as is known */
	uint8_t		 lane;		/* enum lane */
	bool		 dead;		/* decided elsewhere: skip it */
	bool		 standing;	/* in a lane */
};

struct place_in_line;
struct line {
	uint8_t		 key[LINE_KEY];	/* zeros: the line of the new ones */
	int64_t		 at;		/* us: not worth a look before */
	bool		 bulk;		/* is looked at after the others */
	struct place_in_line *turn;	/* whose it is; a ring; NULL: empty */
	struct line	*prev, *next;	/* of all */
	size_t		 n;		/* waiters, dead ones too */
};

struct lines;

struct lines *lines_new(void);			/* NULL: no memory */
void	 lines_free(struct lines *);		/* NULL allowed */
/* The line of that key, made when there is none. NULL: no memory. */
struct line *lines_get(struct lines *, const uint8_t key[LINE_KEY]);
/* All lines, one after the other; NULL: the first; NULL: no more. */
struct line *lines_next(struct lines *, struct line *);
/* An empty line is forgotten; not the one of the new. */
void	 lines_tidy(struct lines *, struct line *);

/* A waiter to be filled; NULL: no memory. */
struct waiter *waiter_new(struct lines *);
void	 waiter_free(struct lines *, struct waiter *);
/* All there are, in no order: NULL first, NULL at the end. */
struct waiter *waiter_next(struct lines *, struct waiter *);

/* In its place, by age within its lane. -1 without memory. */
int	 line_add(struct lines *, struct line *, struct waiter *);
/* Whose turn it is, out of the line; NULL: it is empty.  Dead ones are freed
 * on the way. */
struct waiter *line_take(struct lines *, struct line *);
/*
 * Those behind the one whose turn it is, a few of each tenant, beginning with
 * his own; no turn is used up.  all zero to begin with; NULL: no more.
 * line_out takes the one at hand out of the line.
 */
struct peek {
	struct place_in_line *began, *place;
	struct waiter	*prev, *at;
	int		 lane;
	unsigned	 depth;
};
struct waiter *line_peek(struct lines *, struct line *, struct peek *);
void	 line_out(struct line *, struct peek *);
/* It went: its tenant's place pays for it. */
void	 line_pay(struct lines *, struct line *, const struct waiter *);

struct lines_stat {
	size_t	waiters, lines, bytes;
};
void	 lines_stat(const struct lines *, struct lines_stat *);

#endif
