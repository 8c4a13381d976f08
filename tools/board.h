/*
 * board - the rows of `penstock warmup`: each warmup, where it is, and what
 * was used of it today.  Gathered by warmup.c, printed by board_print.c.
 */
#ifndef TOOLS_BOARD_H
#define TOOLS_BOARD_H

#include "policy/warmup.h"
#include "tools/live.h"

struct board_provider {
	unsigned	 provider;
	int64_t		 used, most;	/* today */
	int		 percent;	/* of the day's number, as the pool says */
	int		 thousandths;	/* of that, as the rules say */
	const struct warm_factor *factor;	/* or NULL */
};

struct board_row {
	const struct pool_address *address;	/* whose it is; or NULL, and: */
	const struct tenant *tenant;
	const struct stream *stream;	/* that it stands in; or NULL */
	const char	*of;		/* "login=ops", "" */
	const struct limit *limit;	/* that of the day */
	const struct zone *zone;
	const struct warm_row *row;	/* what the rules know; or NULL */
	struct warm_view view;
	int64_t		 used;		/* today */
	int64_t		 most;		/* what bulk mail may have had by now */
	int64_t		 next;		/* when one more fits */
	int64_t		 warm;		/* the date; 0: nobody knows */
	struct board_provider *providers;
	size_t		 nproviders;
};

struct board {
	struct live	*live;
	struct board_row *list;
	size_t		 n, cap;
};

void	board_print(const struct board *, bool color);
void	board_json(const struct board *);

#endif
