/*
 * count - see count.h.
 *
 * A disk that is full is waited for, and so is a map that is, while what is too
 * old goes.  A store that cannot be read as it should
 * be (another gate/ than was counted, a record that makes no sense) stops the
 * counting, not the program: it is said, and tried again a minute later.
 */
#include "tools/alert/count.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "reputation/rollup.h"

#define AGAIN	CLOCK_MINUTE		/* behind trouble */
#define SAY	CLOCK_HOUR		/* the same trouble */
#define FORGET	CLOCK_HOUR		/* between two looks for old cells */

struct count {
	struct alert	*alert;
	struct rollup	*rollup;
	bool		 strict, done;
	int64_t		 again, forget;	/* mono: not before */
	int64_t		 said;		/* mono */
	struct why	 trouble;	/* said last */
};

/* count_new - goes on where watch/ says */
int
count_new(struct count **out, struct alert *a, bool strict, struct why *why)
{
	struct count *c = calloc(1, sizeof(*c));

	*out = NULL;
	if (c == NULL)
		return why_kind(why, WHY_MEMORY, "no memory to count");
	c->alert = a;
	c->strict = strict;
	if (rollup_new(&c->rollup, a->watch, why) == -1) {
		free(c);
		return -1;
	}
	*out = c;
	return 0;
}

/* count_free - NULL is allowed */
void
count_free(struct count *c)
{
	if (c == NULL)
		return;
	rollup_free(c->rollup);
	free(c);
}

/* trouble - is it the end? */
static int
trouble(struct count *c, int64_t now, const struct why *why)
{
	if (c->strict || why->kind == WHY_BROKEN)
		return -1;
	c->again = now + AGAIN;
	if (c->said == 0 || now - c->said >= SAY ||
	    strcmp(why->text, c->trouble.text) != 0) {
		log_error("cannot count: %s", why->text);
		c->said = now;
		c->trouble = *why;
	}
	return 0;
}

/* forget - what is too old */
static int
forget(struct count *c, struct why *why)
{
	const struct config *config = c->alert->config;
	uint64_t gone = 0;
	int64_t now;

	if (alert_now(c->alert, &now, why) == -1 || rollup_prune(c->rollup,
	    now, config->alert.keep_hours, config->alert.keep_days, &gone,
	    why) == -1)
		return -1;
	if (gone > 0)
		log_info("%llu old counts are forgotten",
		    (unsigned long long)gone);
	return 0;
}

/* make_room - when the map is full: what is too old must not stay because of
 * that; what did not go in is tried again as after any trouble */
static void
make_room(struct count *c, int64_t now, const struct why *full)
{
	struct why why;

	if (full->kind != WHY_NOROOM || c->alert->gate == NULL ||
	    now < c->forget)
		return;
	c->forget = now + FORGET;
	if (forget(c, &why) == -1)
		log_error("cannot forget old counts: %s", why.text);
}

/* count_ready - a batch; and the old ones, when all is in */
int
count_ready(void *with, const struct pollfd *fds, size_t n, struct why *why)
{
	struct count *c = with;
	int64_t now = clock_mono();
	bool more = false;

	(void)fds;
	(void)n;
	if (now < c->again)
		return 0;
	c->done = false;
	if (alert_sources(c->alert, why) == -1 || rollup_step(c->rollup,
	    c->alert->gate, c->alert->outcomes, &more, why) == -1) {
		make_room(c, now, why);
		return trouble(c, now, why);
	}
	c->said = 0;
	if (more)
		return 1;
	c->done = c->alert->gate != NULL;
	if (!c->done || now < c->forget)
		return 0;	/* without a gate no clock can be trusted */
	c->forget = now + FORGET;
	return forget(c, why) == -1 ? trouble(c, now, why) : 0;
}

/* count_is_done - for who needs a whole week */
bool
count_is_done(const struct count *c)
{
	return c->done;
}
