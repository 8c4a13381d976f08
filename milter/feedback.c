/*
 * feedback - see feedback.h.
 *
 * lib/suppress looks once a second whether the stores are still the files that
 * it has open.  A trouble is said when it begins and once a minute while it
 * lasts: at a thousand messages a second, a line for each would be the next
 * trouble.
 */
#include "milter/feedback.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/happenings.h"
#include "lib/log.h"

struct feedback_view {
	struct happened	 happened;
	struct suppress	*lists;
	struct happenings *rest;
	_Atomic int64_t	 told;		/* clock_mono of the last line */
};

/* tell - why mail waits, once a minute */
static void
tell(struct feedback_view *f, const struct why *why)
{
	int64_t now = clock_mono(), told = atomic_load(&f->told);

	if (told != 0 && now - told < CLOCK_MINUTE)
		return;
	if (atomic_compare_exchange_strong(&f->told, &told, now))
		log_error("suppressions: %s; mail is deferred", why->text);
}

/* suppressed - may that mailbox get this mail? */
static int
suppressed(void *with, const struct mailbox *box,
    const struct suppress_who *who, struct suppress_hit *hit, struct why *why)
{
	struct feedback_view *f = with;
	struct folded folded;
	int got;

	fold_mailbox(box, &folded);
	got = suppress_check(f->lists, folded.hash, who, hit, why);
	if (got == -1)
		tell(f, why);
	return got;
}

/* provider - as deliveries taught it */
static unsigned
provider(void *with, struct slice domain)
{
	struct feedback_view *f = with;

	return happenings_provider(f->rest, domain);
}

/* tripped - did that breaker ever? */
static int
tripped(void *with, const uint8_t key[TRIP_KEY], struct trip *trip)
{
	struct feedback_view *f = with;

	return happenings_trip(f->rest, key, trip);
}

/* backoff - does a provider want less? */
static int
backoff(void *with, const uint8_t key[BACKOFF_KEY],
    const struct backoff_when *when, struct backoff *out)
{
	struct feedback_view *f = with;

	return happenings_backoff(f->rest, key, when, out);
}

/* seen_before - in the gate's last life */
static int
seen_before(struct gate *gate, unsigned *seen, struct why *why)
{
	struct arena *arena = arena_new(4096, 0);
	struct status status;
	int got;

	if (arena == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	got = store_status(gate->store, &status, arena, why);
	*seen = got == 1 ? status.seen : 0;
	arena_free(arena);
	return got == -1 ? -1 : 0;
}

/* feedback_new - nothing is opened yet but names */
int
feedback_new(struct feedback_view **out, struct gate *gate, struct why *why)
{
	struct feedback_view *f = calloc(1, sizeof(*f));
	unsigned seen = 0;

	*out = NULL;
	if (f == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	f->happened.suppressed = suppressed;
	f->happened.provider = provider;
	f->happened.tripped = tripped;
	f->happened.backoff = backoff;
	f->happened.with = f;
	if (fold_init(why) == -1 || seen_before(gate, &seen, why) == -1 ||
	    suppress_open(&f->lists, gate->config->store, seen, why) == -1 ||
	    happenings_open(&f->rest, gate->config->store, why) == -1) {
		feedback_free(f);
		return -1;
	}
	/* A trouble at the start is said now, and not at the first message. */
	if (suppress_refresh(f->lists, why) == -1)
		tell(f, why);
	ledger_finals(gate->ledger, happenings_finals, f->rest);
	gate->happened = &f->happened;
	*out = f;
	return 0;
}

/* feedback_free - no message may be left */
void
feedback_free(struct feedback_view *f)
{
	if (f == NULL)
		return;
	happenings_close(f->rest);
	suppress_close(f->lists);
	free(f);
}

/* feedback_seen - to be kept for the next life */
unsigned
feedback_seen(void *with)
{
	return suppress_seen(((struct feedback_view *)with)->lists);
}
