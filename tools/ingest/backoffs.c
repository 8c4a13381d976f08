/*
 * backoffs - see backoffs.h.
 *
 * The gate compares when a back-off began with the last word of a person by
 * itself, so a lift holds though this program is down.  Here the rules count
 * again from then on, which they do not while one is in force.
 */
#include "tools/ingest/backoffs.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "policy/orders.h"
#include "tools/ingest/decisions.h"

#define EVERY	(500 * INT64_C(1000))		/* us between looks */

struct backoff_part {
	struct ingest	*in;
	struct arena	*arena;		/* of one look */
	struct decisions desk;
	int64_t		 looked;	/* mono */
};

/* lift - one decision */
static int
lift(void *with, const struct desk_record *r, struct why *why)
{
	struct backoff_part *b = with;
	struct backoff_lift l = { .time = r->time };

	if (!orders_backoff_object(r, &l.address, &l.whose, &l.to))
		return 0;
	return outcomes_backoff_lift(b->in->outcomes, &l, why);
}

/* backoff_part_new - nothing is read yet */
int
backoff_part_new(struct backoff_part **out, struct ingest *in,
    struct why *why)
{
	struct backoff_part *b = calloc(1, sizeof(*b));

	*out = NULL;
	if (b == NULL || (b->arena = arena_new(1 << 14, 0)) == NULL) {
		backoff_part_free(b);
		return why_kind(why, WHY_MEMORY, "no memory for back-off");
	}
	b->in = in;
	b->desk = (struct decisions){ .in = in, .kind = DESK_BACKOFF_LIFT,
	    .obey = lift, .with = b };
	*out = b;
	return 0;
}

/* backoff_part_free - NULL is allowed */
void
backoff_part_free(struct backoff_part *b)
{
	if (b == NULL)
		return;
	arena_free(b->arena);
	free(b);
}

/* backoff_part_want - nothing but the time */
size_t
backoff_part_want(void *with, struct pollfd *fds, size_t room)
{
	(void)with;
	(void)fds;
	(void)room;
	return 0;
}

/* backoff_part_ready - twice a second; a full disk is waited for */
int
backoff_part_ready(void *with, const struct pollfd *fds, size_t n,
    struct why *why)
{
	struct backoff_part *b = with;
	int64_t now = clock_mono();

	(void)fds;
	(void)n;
	if (b->looked != 0 && now - b->looked < EVERY)
		return 0;
	b->looked = now;
	arena_reset(b->arena);
	return decisions_follow(&b->desk, b->arena, why) == -1 &&
	    why->kind != WHY_NOROOM ? -1 : 0;
}
