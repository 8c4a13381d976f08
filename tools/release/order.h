/*
 * order - the few words that pass between the two halves of penstock-release.
 *
 * One half reads stores and decides nothing; the other is root beside Postfix
 * and knows six verbs.  A line each way, ended by LF, never longer than
 * ORDER_LINE; an order names at most ORDER_IDS queue ids, and only such as
 * Postfix makes.  The half that is root greets with ORDER_HELLO; its answer to
 * an order is lines "held" or "at", then one "end", or one "no":
 *
 *	list			held ID INODE		each file in hold/
 *	where ID ...		at ID PLACE		each of them
 *	release ID ...		at ID PLACE		off hold, and to be
 *							delivered at once
 *	expire ID ...		at ID PLACE		likewise, its sender
 *							gets it back
 *	drop ID ...		at ID PLACE		deleted
 *	queue ID ...		(end alone)		to be delivered at once
 *
 *	end N TEXT		N lines came; TEXT: what Postfix complained of
 *	no TEXT			nothing was done
 *
 * After release, expire and drop a PLACE is "hold" or "away".
 * Slices borrow the line.  Threads: any.
 */
#ifndef TOOLS_RELEASE_ORDER_H
#define TOOLS_RELEASE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/buf.h"
#include "lib/slice.h"
#include "lib/why.h"

#define ORDER_HELLO	"penstock-release 1"
#define ORDER_IDS	200
#define ORDER_ID_MOST	32		/* bytes of a queue id */
#define ORDER_LINE	8192		/* with the LF */

enum order_verb { ORDER_LIST, ORDER_WHERE, ORDER_RELEASE, ORDER_EXPIRE,
	ORDER_DROP, ORDER_QUEUE, ORDER_VERBS };
extern const char *const order_verbs[];		/* NULL-ended */

struct order {
	enum order_verb	 verb;
	size_t		 n;		/* ids: 0 for ORDER_LIST, else >= 1 */
	struct slice	 ids[ORDER_IDS];
};

/* Folders of the queue; the order is that of a look for a file. */
enum order_place { PLACE_HOLD, PLACE_INCOMING, PLACE_ACTIVE, PLACE_DEFERRED,
	PLACE_CORRUPT, PLACE_AWAY, PLACES };
extern const char *const order_places[];	/* NULL-ended */

enum reply_kind { REPLY_HELD, REPLY_AT, REPLY_END, REPLY_NO };

struct reply {
	enum reply_kind	 kind;
	struct slice	 id;
	uint64_t	 file;		/* HELD: inode */
	enum order_place place;		/* AT */
	uint64_t	 n;		/* END */
	struct slice	 text;		/* END, NO */
};

/* Could Postfix have made it?  Short: five hexadecimal digits of a time and
 * an inode's; long: digits without vowels, a "z", an inode's. */
bool	order_queue_id(struct slice);

/* Without the LF. Action. */
int	order_parse(struct slice line, struct order *, struct why *);
void	order_format(const struct order *, struct buf *);	/* with it */
int	reply_parse(struct slice line, struct reply *, struct why *);
/* A text is made printable, and cut. */
void	reply_format(const struct reply *, struct buf *);

#endif
