/*
 * budget_days - is a sender old enough that figures about it mean something?
 *
 * Days with mail are counted in the cells of rollup, which go back further than
 * any outcome.  A walk over them takes a while, so it is made for a subject
 * only when all else allows to ask about it.
 */
#include "reputation/budget.h"

#include "lib/clock.h"
#include "reputation/rollup.h"

enum { BACK = 400 };

struct days {
	struct slice	domain;
	int32_t		last;		/* one that was counted */
	unsigned	n;
};

/* below - is it that domain, or one below it? */
static bool
below(struct slice name, struct slice domain)
{
	if (domain.p == NULL || slice_case_eq(name, domain))
		return true;
	return name.n > domain.n + 1 && name.p[name.n - domain.n - 1] == '.' &&
	    slice_case_eq(slice_from(name, name.n - domain.n), domain);
}

/* cell - cells come by day */
static bool
cell(void *with, const struct cell *c)
{
	struct days *d = with;

	if (c->at != d->last && c->n[TALLY_ACCEPTED] > 0 &&
	    below(c->domain, d->domain)) {
		d->last = c->at;
		d->n++;
	}
	return true;
}

/* budget_days - so far */
int
budget_days(struct db *watch, struct slice domain, int64_t now, unsigned *out,
    struct why *why)
{
	struct days d = { .domain = domain, .last = INT32_MIN };
	int32_t today = (int32_t)(now / CLOCK_DAY);

	if (rollup_each(watch, GRAIN_DAY, today - BACK, today + 1, cell, &d,
	    why) == -1)
		return -1;
	*out = d.n;
	return 0;
}
