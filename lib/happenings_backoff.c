/*
 * happenings_backoff - the rows of back-off: as bytes, and which of their
 * entries is in force.
 *
 *	key	backoff_key: hash_128 of u8 flags (1 of an address, 2 to a
 *		domain), u64 id, the text of "to"
 *	value	u8 format = 1, u8 flags, field whose, field to, u32 entries,
 *		each: field rule, field place, u8 action (0 slow, 1 pause),
 *		i64 rate, period, since, until, u64 hits, i64 window, field
 *		reply, i64 floor, last, step, head, 20 u32 counts
 *
 * Times are those of the log, so a log that is read late ends nothing late and
 * one of last month stops nobody.  One that lies ahead of the gate's clock by
 * more than AHEAD is not in force yet.
 */
#include "lib/happenings.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/provider.h"
#include "lib/wire.h"

enum { FORMAT = 1, F_ADDRESS = 1, F_DOMAIN = 2, TO_MOST = 255 };
#define AHEAD	(5 * CLOCK_MINUTE)

const char *const backoff_action_names[] = { "slow", "pause", NULL };

/* flags - of a row and of its key */
static uint8_t
flags(bool address, bool domain)
{
	return (uint8_t)((address ? F_ADDRESS : 0) | (domain ? F_DOMAIN : 0));
}

/* backoff_key - whose, and to where */
void
backoff_key(bool address, uint64_t id, bool domain, struct slice to,
    uint8_t out[BACKOFF_KEY])
{
	uint8_t text[1 + 8 + TO_MOST];
	size_t n = to.n < TO_MOST ? to.n : TO_MOST;

	text[0] = flags(address, domain);
	for (int i = 0; i < 8; i++)
		text[1 + i] = (uint8_t)(id >> (8 * i));
	if (n > 0)
		memcpy(text + 9, to.p, n);
	hash_128(text, 9 + n, out);
}

/* backoff_to - a provider, or the domain */
bool
backoff_to(unsigned provider, struct slice domain, struct slice *to)
{
	bool unknown = provider == PROVIDER_UNRESOLVED ||
	    provider == PROVIDER_OTHER;

	*to = unknown ? domain : slice_of(provider_name(provider));
	return unknown;
}

/* backoff_encode - a row */
void
backoff_encode(const struct backoff_row *r, struct buf *b)
{
	put_u8(b, FORMAT);
	put_u8(b, flags(r->address, r->domain));
	put_field(b, r->whose);
	put_field(b, r->to);
	put_u32(b, (uint32_t)r->n);
	for (size_t i = 0; i < r->n; i++) {
		const struct backoff_entry *e = &r->entries[i];

		put_field(b, e->rule);
		put_field(b, e->place);
		put_u8(b, (uint8_t)e->action);
		put_i64(b, e->rate);
		put_i64(b, e->period);
		put_i64(b, e->since);
		put_i64(b, e->until);
		put_u64(b, e->hits);
		put_i64(b, e->window);
		put_field(b, e->reply);
		put_i64(b, e->floor);
		put_i64(b, e->last);
		put_i64(b, e->step);
		put_i64(b, e->head);
		for (size_t j = 0; j < BACKOFF_STEPS; j++)
			put_u32(b, e->counts[j]);
	}
}

/* get_entry - one of them; false: no number of it can be */
static bool
get_entry(struct wire *w, struct backoff_entry *e)
{
	uint8_t action;

	e->rule = get_field(w);
	e->place = get_field(w);
	action = get_u8(w);
	e->action = (enum backoff_action)action;
	e->rate = get_i64(w);
	e->period = get_i64(w);
	e->since = get_i64(w);
	e->until = get_i64(w);
	e->hits = get_u64(w);
	e->window = get_i64(w);
	e->reply = get_field(w);
	e->floor = get_i64(w);
	e->last = get_i64(w);
	e->step = get_i64(w);
	e->head = get_i64(w);
	for (size_t j = 0; j < BACKOFF_STEPS; j++)
		e->counts[j] = get_u32(w);
	return !w->bad && action <= BACKOFF_PAUSE && e->since >= 0 &&
	    e->until >= 0 && (e->since == 0 || action == BACKOFF_PAUSE ||
	    (e->rate > 0 && e->period > 0));
}

/* backoff_decode - and back */
int
backoff_decode(struct slice value, struct backoff_row *r, struct why *why)
{
	struct wire w = wire_of(value);
	uint8_t format = get_u8(&w), bits = get_u8(&w);
	bool good = format == FORMAT;

	r->address = (bits & F_ADDRESS) != 0;
	r->domain = (bits & F_DOMAIN) != 0;
	r->whose = get_field(&w);
	r->to = get_field(&w);
	r->n = get_u32(&w);
	good = good && !w.bad && r->n <= BACKOFF_ENTRIES;
	for (size_t i = 0; good && i < r->n; i++)
		good = get_entry(&w, &r->entries[i]);
	if (!good || w.bad || w.p != w.end)
		return why_set(why, "the row of a back-off makes no sense, or "
		    "was written by a newer Penstock");
	return 0;
}

/* backoff_holds - at that moment, of an entry */
bool
backoff_holds(const struct backoff_entry *e, const struct backoff_when *when,
    int64_t *until)
{
	*until = e->until;
	if (e->since <= 0 || e->since <= when->lifted ||
	    e->since > when->now + AHEAD)
		return false;
	if (e->until - e->since > when->most)
		*until = e->since + when->most;
	return when->now < *until;
}

/* stricter - than what was found so far? */
static bool
stricter(const struct backoff_entry *e, int64_t until,
    const struct backoff_entry *found, int64_t end)
{
	__int128 rate, other;

	if (found == NULL || e->action != found->action)
		return found == NULL || e->action == BACKOFF_PAUSE;
	if (e->action == BACKOFF_PAUSE)
		return until > end;
	rate = (__int128)e->rate * found->period;
	other = (__int128)found->rate * e->period;
	return rate != other ? rate < other : until > end;
}

/* copy - a text into its room, cut */
static void
copy(char *to, size_t room, struct slice s)
{
	size_t n = s.n < room ? s.n : room - 1;

	if (n > 0)
		memcpy(to, s.p, n);
	to[n] = '\0';
}

/* backoff_strictest - of those in force */
int
backoff_strictest(const struct backoff_row *r,
    const struct backoff_when *when, struct backoff *out)
{
	const struct backoff_entry *found = NULL;
	int64_t until, end = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct backoff_entry *e = &r->entries[i];

		if (!backoff_holds(e, when, &until) ||
		    !stricter(e, until, found, end))
			continue;
		found = e;
		end = until;
	}
	if (found == NULL)
		return 0;
	out->action = found->action;
	out->rate = found->rate;
	out->period = found->period;
	out->since = found->since;
	out->until = end;
	out->window = found->window;
	out->hits = found->hits;
	copy(out->rule, sizeof(out->rule), found->rule);
	copy(out->place, sizeof(out->place), found->place);
	copy(out->reply, sizeof(out->reply), found->reply);
	return 1;
}
