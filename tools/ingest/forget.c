/*
 * forget - see forget.h.
 *
 * A clock that is years ahead must not empty the store: time goes no further
 * than a day behind the gate's last sign of life.
 *
 * The index of addresses is by event, so its end is the first event of the
 * gate that is young enough.  Without a gate the index stays as it is.
 */
#include "tools/ingest/forget.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "reputation/prune.h"

#define STEP	CLOCK_SECOND		/* behind a step that deleted */
#define LOOK	(CLOCK_SECOND / 20)	/* behind one that did not */
#define ROUND	CLOCK_HOUR		/* between rounds */

struct forget {
	struct ingest	*in;
	struct prune	*prune;
	int64_t		 next;		/* us: of the next step */
};

/* forget_new - begins with the first turn */
int
forget_new(struct forget **out, struct ingest *in, struct why *why)
{
	struct forget *f = calloc(1, sizeof(*f));

	*out = NULL;
	if (f == NULL)
		return why_kind(why, WHY_MEMORY, "no memory to prune");
	f->in = in;
	if (prune_new(&f->prune, in->outcomes, why) == -1) {
		free(f);
		return -1;
	}
	*out = f;
	return 0;
}

/* forget_free - NULL is allowed */
void
forget_free(struct forget *f)
{
	if (f == NULL)
		return;
	prune_free(f->prune);
	free(f);
}

/* forget_want - nothing but the time */
size_t
forget_want(void *with, struct pollfd *fds, size_t room)
{
	(void)with;
	(void)fds;
	(void)room;
	return 0;
}

/* keep - what the settings say, now */
static int
keep(struct forget *f, struct prune_keep *k, struct why *why)
{
	const struct config *c = f->in->config;
	uint64_t seq;
	int64_t last;

	*k = (struct prune_keep){ .now = clock_now() };
	if (f->in->gate != NULL) {
		if (store_last(f->in->gate, &seq, &last, why) == -1)
			return -1;
		if (k->now > last + CLOCK_DAY)
			k->now = last + CLOCK_DAY;
	}
	k->outcomes = k->now - c->ingest.keep_outcomes;
	k->messages = k->now - c->ingest.keep_messages;
	k->totals = k->now - c->ingest.keep_totals;
	return f->in->gate == NULL ? 0 : store_seq_at(f->in->gate,
	    k->messages, &k->event, why);
}

/* step - one transaction; fetch: 1 there is more */
static int
step(struct forget *f, size_t *gone, struct why *why)
{
	struct outcomes *o = f->in->outcomes;
	struct prune_keep k;
	int more;

	if (keep(f, &k, why) == -1 || outcomes_begin(o, why) == -1)
		return -1;
	more = prune_step(f->prune, &k, gone, why);
	if (more == -1 || *gone == 0)
		outcomes_abort(o);
	else if (outcomes_commit(o, why) == -1)
		more = -1;
	if (more == -1)
		prune_forget(f->prune);
	return more;
}

/* forget_ready - a step, when it is time; a full disk is waited for, though to
 * delete takes room, too */
int
forget_ready(void *with, const struct pollfd *fds, size_t n, struct why *why)
{
	struct forget *f = with;
	int64_t now = clock_now();
	size_t gone = 0;
	int more;

	(void)fds;
	(void)n;
	if (now < f->next)
		return 0;
	more = step(f, &gone, why);
	f->next = now + (more == 0 ? ROUND : gone == 0 ? LOOK : STEP);
	return more == -1 && why->kind != WHY_NOROOM ? -1 : 0;
}
