/*
 * queue - one Postfix: its folder, and the three commands that are run on it.
 *
 * For the half that is root.  postconf(1) says once where the queue is, so
 * that nobody can point us at another one's; postsuper(1) and postqueue(1) do
 * all that is done.  Programs are started by their path with a vector of
 * arguments of our own; queue ids reach postsuper as a file that is whole
 * before it starts, never as a pipe that could be cut within one of them.
 * Threads: one.
 */
#ifndef TOOLS_RELEASE_QUEUE_H
#define TOOLS_RELEASE_QUEUE_H

#include "tools/release/order.h"

struct queue;

/* commands: folder of postsuper and its like.  -1 also when Postfix is older
 * than 3.5, which has no postsuper -f. */
int	queue_open(struct queue **, const char *config_directory,
	    const char *commands, struct why *);
void	queue_close(struct queue *);			/* NULL allowed */
const char *queue_folder(const struct queue *);

/* Each message in hold/; each returns false to stop. Action. */
int	queue_held(struct queue *, bool (*each)(void *, struct slice id,
	    uint64_t file), void *, struct why *);
/* Where each of those messages is now. Action. */
int	queue_where(struct queue *, const struct slice *ids, size_t n,
	    enum order_place *, struct why *);
/* release, expire, drop: postsuper. What it complained of is added to said;
 * an exit status other than 0 is no error, the look afterwards counts. */
int	queue_change(struct queue *, enum order_verb, const struct slice *ids,
	    size_t n, struct buf *said, struct why *);
/* postqueue -i: try to deliver it now, and not at the next queue run. */
int	queue_now(struct queue *, struct slice id, struct buf *said,
	    struct why *);

#endif
