/*
 * rollup_count - which cell an event or an outcome counts in.
 *
 * Cells of a batch are found by their hour and names, packed as the value will
 * have them: one run of bytes to hash and to compare, and in the row right
 * behind its numbers, since what costs here is memory that is not in the
 * cache.  Mail comes in runs (a campaign to one provider), so the cell of the
 * last record is tried first.
 *
 * A void gives back what the event that it names counted, in the hour of that
 * event: so it is read again.  When it was pruned it counts as little in a
 * table that is made anew, and nothing is given back.
 *
 * An outcome does not carry the domain that it was sent from, nor whether its
 * recipient is one of this machine; its event does.  The last SENDERS events
 * that were asked for are remembered, since what became of a message with many
 * recipients comes in a run, too.  Mail of Postfix that the gate never saw
 * (its own reports, cron) has neither event nor tenant and counts nowhere.
 */
#include "reputation/rollup_in.h"

#include <stdlib.h>

#include "lib/hash.h"
#include "lib/provider.h"
#include "lib/wire.h"
#include "reputation/classify.h"

enum { FIRST = 1024, SENDERS = 4096,
	RETIRE = 50 };			/* of what a batch may have, a part */

/* Who sent, by the low bits of the sequence of the event. */
struct senders {
	struct sender {
		uint64_t	event;
		bool		local;	/* some of its recipients are */
		uint8_t		n;
		char		domain[ROLLUP_NAME];
	}		 list[SENDERS];
};

const char *const tally_names[] = { "accepted", "messages", "bytes", "held",
	"released", "over", "refused", "dropped", "violated", "delivered",
	"deferred", "slow", "hard", "blocked", "blocked_day", "bounced",
	"expired", "complaints", "not_spam", "opt_out", "feedback", NULL };
_Static_assert(sizeof(tally_names) / sizeof(tally_names[0]) == TALLIES + 1,
    "a name for each tally");

/* --- the table of a batch ------------------------------------------------ */

/* rollup_table_new - empty */
int
rollup_table_new(struct tally_table *t, size_t numbers)
{
	t->numbers = numbers;
	t->size = t->room = FIRST;
	t->places = calloc(t->size, sizeof(*t->places));
	t->rows = calloc(t->room, sizeof(struct tallied *));
	return t->places == NULL || t->rows == NULL ? -1 : 0;
}

/* retire - what is there is not searched any more */
static void
retire(struct tally_table *t)
{
	if (t->used > 0)
		memset(t->places, 0, t->size * sizeof(*t->places));
	t->used = 0;
}

/* rollup_table_empty - its rows were the arena's */
void
rollup_table_empty(struct tally_table *t)
{
	retire(t);
	t->n = 0;
	t->newest = 0;
}

/* rollup_table_free - its rows are the arena's */
void
rollup_table_free(struct tally_table *t)
{
	free(t->places);
	free(t->rows);
}

/* enlist - one row more */
static int
enlist(struct tally_table *t, struct tallied *row)
{
	if (t->n == t->room) {
		struct tallied **wider = reallocarray(t->rows, t->room * 2,
		    sizeof(struct tallied *));

		if (wider == NULL)
			return -1;
		t->rows = wider;
		t->room *= 2;
	}
	t->rows[t->n++] = row;
	return 0;
}

/* grow - twice the room */
static int
grow(struct tally_table *t)
{
	size_t size = t->size * 2, at;
	struct tally_place *places = calloc(size, sizeof(*places));

	if (places == NULL)
		return -1;
	for (size_t i = 0; i < t->size; i++) {
		if (t->places[i].row == NULL)
			continue;
		for (at = t->places[i].hash & (size - 1);
		    places[at].row != NULL;)
			at = (at + 1) & (size - 1);
		places[at] = t->places[i];
	}
	free(t->places);
	t->places = places;
	t->size = size;
	return 0;
}

/* same - is that row about these names? */
static inline bool
same(const struct tallied *row, int32_t at, struct slice packed)
{
	return row->at == at && row->nnames == packed.n &&
	    memcmp(row->names, packed.p, packed.n) == 0;
}

/* add - a row that is new */
static struct tallied *
add(struct rollup *r, const struct tally_table *t, uint64_t hash, int32_t at,
    struct slice packed)
{
	size_t numbers = t->numbers * sizeof(uint64_t);
	struct tallied *row = arena_alloc(r->arena, sizeof(*row) + numbers +
	    packed.n);
	char *names;

	if (row == NULL)
		return NULL;
	names = (char *)row->n + numbers;
	memcpy(names, packed.p, packed.n);
	row->hash = hash;
	row->at = at;
	row->nnames = (uint32_t)packed.n;
	row->names = names;
	return row;
}

/* row_of - the row of those names in the batch; NULL: no memory */
static struct tallied *
row_of(struct rollup *r, struct tally_table *t, int32_t at,
    struct slice packed)
{
	uint64_t hash = hash_64(r->seed ^ (uint64_t)at, packed.p, packed.n);
	struct tally_place *p;
	struct tallied *row;
	size_t i;

	for (i = hash & (t->size - 1); (p = &t->places[i])->row != NULL;
	    i = (i + 1) & (t->size - 1))
		if (p->hash == hash && same(p->row, at, packed))
			return p->row;
	if ((row = add(r, t, hash, at, packed)) == NULL ||
	    enlist(t, row) == -1)
		return NULL;
	*p = (struct tally_place){ hash, row };
	return ++t->used >= t->size / 4 * 3 && grow(t) == -1 ? NULL : row;
}

/* Names of a record, packed; the provider comes last and is put anew. */
struct packed {
	char	room[ROLLUP_PACKED];
	size_t	front;			/* bytes of the six before it */
};

/* pack - all but the provider */
static void
pack(struct packed *p, struct slice group, struct slice tenant,
    struct slice domain, struct slice stream, struct slice pool,
    struct slice address)
{
	size_t n = rollup_pack_one(p->room, 0, group);

	n = rollup_pack_one(p->room, n, tenant);
	n = rollup_pack_one(p->room, n, domain);
	n = rollup_pack_one(p->room, n, stream);
	n = rollup_pack_one(p->room, n, pool);
	p->front = rollup_pack_one(p->room, n, address);
}

/* cell_of - the cell of that hour; the last one is at hand */
static struct tallied *
cell_of(struct rollup *r, int64_t time, struct packed *p,
    struct slice provider)
{
	int32_t at = time > 0 ? (int32_t)(time / ROLLUP_HOUR) : 0;
	struct slice packed = { p->room, rollup_pack_one(p->room, p->front,
	    provider) };

	if (r->last != NULL && same(r->last, at, packed))
		return r->last;
	if (at > r->hours.newest) {
		if (r->hours.used > r->most_cells / RETIRE)
			retire(&r->hours);
		r->hours.newest = at;
	}
	return r->last = row_of(r, &r->hours, at, packed);
}

/* no_memory - for a cell */
static int
no_memory(struct why *why)
{
	return why_kind(why, WHY_MEMORY, "no memory to count events");
}

/* rollup_fold - hours to days */
int
rollup_fold(struct rollup *r, struct why *why)
{
	for (size_t i = 0; i < r->hours.n; i++) {
		struct tallied *hour = r->hours.rows[i], *day;

		if ((day = row_of(r, &r->days, hour->at / 24, (struct slice){
		    hour->names, hour->nnames })) == NULL)
			return no_memory(why);
		for (size_t k = 0; k < TALLIES; k++)
			day->n[k] += hour->n[k];
	}
	return 0;
}

/* --- events -------------------------------------------------------------- */

/* What recipients of an event count as. */
struct counts {
	int		 went;		/* a tally; -1: nothing */
	bool		 released, sent;
};

/* went - one that got through, and the message with the first of them */
static void
went(struct tallied *cell, const struct event_peek *e, const struct counts *c,
    bool first, uint64_t sign)
{
	cell->n[c->went] += sign;
	if (c->released)
		cell->n[TALLY_RELEASED] += sign;
	if (!first || !c->sent)
		return;
	cell->n[TALLY_MESSAGES] += sign;
	if (e->size > 0)
		cell->n[TALLY_BYTES] += sign * (uint64_t)e->size;
}

/* count_mail - of a message that we took, or let go */
static int
count_mail(struct rollup *r, struct event_peek *e, struct packed *names,
    const struct counts *c, uint64_t sign, struct why *why)
{
	struct event_peek_recipient to;
	struct tallied *cell;
	bool first = true;
	int got;

	while ((got = event_peek_next(e, &to, why)) == 1) {
		if (to.local || (to.verdict == VERDICT_DROP && c->released) ||
		    to.verdict == VERDICT_DEFER ||
		    to.verdict == VERDICT_REFUSE)
			continue;
		if ((cell = cell_of(r, e->time, names, to.provider)) == NULL)
			return no_memory(why);
		if (to.verdict == VERDICT_DROP) {
			cell->n[TALLY_DROPPED] += sign;
			continue;
		}
		went(cell, e, c, first, sign);
		first = false;
	}
	return got;
}

/* count_refusal - at the provider of the one that it is about */
static int
count_refusal(struct rollup *r, struct event_peek *e, struct packed *names,
    enum tally tally, uint64_t sign, struct why *why)
{
	uint64_t n = sign * (e->count > 0 ? e->count : 1);
	struct event_peek_recipient to;
	struct tallied *cell;
	int got = event_peek_next(e, &to, why);

	if (got == -1)
		return -1;
	if ((cell = cell_of(r, e->time, names, got == 1 ? to.provider :
	    SLICE(""))) == NULL)
		return no_memory(why);
	cell->n[tally] += n;
	if ((e->flags & EVENT_UNOWNED) != 0)
		cell->n[TALLY_VIOLATED] += n;
	return 0;
}

/* count_event - by its kind; sign: 1, or -1 to take it back */
static int
count_event(struct rollup *r, struct event_peek *e, uint64_t sign,
    struct why *why)
{
	static const struct counts accepted = { TALLY_ACCEPTED, false, true },
	    held = { TALLY_HELD, false, false },
	    released = { TALLY_ACCEPTED, true, true };
	struct packed names;

	pack(&names, e->group, e->tenant, e->domain, e->stream, e->pool,
	    e->address);
	switch (e->kind) {
	case EVENT_ACCEPT:
		return count_mail(r, e, &names, &accepted, sign, why);
	case EVENT_HOLD:
		return count_mail(r, e, &names, &held, sign, why);
	case EVENT_RELEASE:	/* unless it was dropped, or expired */
		return e->verdict != VERDICT_PASS ? 0 :
		    count_mail(r, e, &names, &released, sign, why);
	case EVENT_DEFER:
		return count_refusal(r, e, &names, TALLY_OVER, sign, why);
	case EVENT_REFUSE:
	case EVENT_DROP:	/* nobody was left of its recipients: 550 */
		return count_refusal(r, e, &names, TALLY_REFUSED, sign, why);
	case EVENT_VOID:
	case EVENT_RELOAD:
	case EVENT_WARMUP:
	case EVENT_STATUS:
	case EVENT_RESET:
		break;
	}
	return 0;
}

/* rollup_event - one event */
int
rollup_event(struct rollup *r, struct store_walk *walk, struct slice encoded,
    struct why *why)
{
	struct event_peek e, was;
	struct slice record;
	int got;

	if (event_peek(encoded, &e, why) == -1)
		return -1;
	if (e.kind != EVENT_VOID)
		return count_event(r, &e, 1, why);
	if (e.voids >= e.seq)		/* of nothing that was before it */
		return 0;
	if ((got = store_walk_at(walk, e.voids, &record, why)) != 1)
		return got;
	if (event_peek(record, &was, why) == -1)
		return -1;
	return count_event(r, &was, UINT64_MAX, why);
}

/* --- outcomes ------------------------------------------------------------ */

/* rollup_senders_new - nothing is remembered */
struct senders *
rollup_senders_new(void)
{
	return calloc(1, sizeof(struct senders));
}

/* rollup_senders_free - NULL is allowed */
void
rollup_senders_free(struct senders *s)
{
	free(s);
}

/* read_sender - from the event; without domain when that is gone */
static int
read_sender(struct sender *s, struct store_walk *walk, uint64_t event,
    struct why *why)
{
	struct event_peek_recipient to;
	struct event_peek e;
	struct slice record;
	int got = store_walk_at(walk, event, &record, why);

	*s = (struct sender){ .event = 0 };
	if (got == 1 && (got = event_peek(record, &e, why)) == 0) {
		s->n = (uint8_t)(e.domain.n < ROLLUP_NAME ? e.domain.n :
		    ROLLUP_NAME);
		if (s->n > 0)
			memcpy(s->domain, e.domain.p, s->n);
		while (!s->local && (got = event_peek_next(&e, &to,
		    why)) == 1)
			s->local = to.local;
	}
	if (got == -1)
		return -1;
	s->event = event;
	return 0;
}

/* is_local - does the event say so of that recipient? Fetch. */
static int
is_local(struct store_walk *walk, uint64_t event, struct slice address,
    struct why *why)
{
	struct event_peek_recipient to;
	struct event_peek e;
	struct slice record;
	int got = store_walk_at(walk, event, &record, why);

	if (got != 1 || event_peek(record, &e, why) == -1)
		return got == 1 ? -1 : got;
	while ((got = event_peek_next(&e, &to, why)) == 1)
		if (to.local && slice_case_eq(to.address, address))
			return 1;
	return got;
}

/* sender_of - the sending domain of an outcome.  Fetch: 0 it counts nowhere. */
static int
sender_of(struct rollup *r, struct store_walk *walk, const struct outcome *o,
    struct slice *domain, struct why *why)
{
	struct sender *s = &r->senders->list[o->event % SENDERS];
	int got;

	*domain = SLICE("");
	if (o->event == 0)
		return o->tenant.n > 0;
	if (s->event != o->event && read_sender(s, walk, o->event, why) == -1)
		return -1;
	*domain = (struct slice){ s->domain, s->n };
	if (!s->local)
		return 1;
	got = is_local(walk, o->event, o->recipient, why);
	return got == -1 ? -1 : got == 0;
}

/* reports - do its users' complaints come back to us? */
static bool
reports(struct rollup *r, struct slice provider)
{
	if (provider.n == 0 || provider.n > sizeof(r->provider))
		return false;
	if (!slice_eq(provider, (struct slice){ r->provider, r->nprovider })) {
		memcpy(r->provider, provider.p, provider.n);
		r->nprovider = provider.n;
		r->reports = provider_reports_complaints(provider);
	}
	return r->reports;
}

/* means - is that category one of those? */
static bool
means(struct slice category, unsigned which)
{
	for (unsigned i = 0; i < CATEGORIES; i++)
		if ((which >> i & 1) != 0 && slice_is(category,
		    category_names[i]))
			return true;
	return false;
}

#define HARD	(1u << CATEGORY_RECIPIENT_UNKNOWN | \
	    1u << CATEGORY_DOMAIN_BAD | 1u << CATEGORY_RECIPIENT_INACTIVE)
#define BLOCKED	(1u << CATEGORY_BLOCK_REPUTATION | \
	    1u << CATEGORY_SPAM_CONTENT | 1u << CATEGORY_AUTH_POLICY)
#define SLOW	(1u << CATEGORY_RATE_LIMIT | 1u << CATEGORY_BLOCK_REPUTATION)

/* tally_outcome - what it counts as; feedback: where complaints come back */
static void
tally_outcome(const struct outcome *o, bool feedback, uint64_t *n)
{
	switch (o->kind) {
	case OUTCOME_DELIVERED:
		n[TALLY_DELIVERED]++;
		n[TALLY_FEEDBACK] += feedback;
		break;
	case OUTCOME_DEFERRED:
		n[TALLY_DEFERRED]++;
		n[TALLY_SLOW] += means(o->category, SLOW);
		n[TALLY_BLOCKED_DAY] += means(o->category, BLOCKED);
		break;
	case OUTCOME_BOUNCED:
		n[means(o->category, HARD) ? TALLY_HARD : means(o->category,
		    BLOCKED) ? TALLY_BLOCKED : TALLY_BOUNCED]++;
		break;
	case OUTCOME_EXPIRED:
	case OUTCOME_DELETED:
		n[TALLY_EXPIRED]++;
		break;
	case OUTCOME_COMPLAINT:
		n[TALLY_COMPLAINTS]++;
		break;
	case OUTCOME_NOT_SPAM:
		n[TALLY_NOT_SPAM]++;
		break;
	case OUTCOME_OPT_OUT:
		n[TALLY_OPT_OUT]++;
		break;
	}
}

/* count_meaning - one more of those in that hour or day */
static int
count_meaning(struct rollup *r, struct tally_table *t, int64_t unit,
    const struct outcome *o, struct slice packed, struct why *why)
{
	struct tallied *row = row_of(r, t, o->time > 0 ?
	    (int32_t)(o->time / unit) : 0, packed);

	if (row == NULL)
		return no_memory(why);
	row->n[OF_COUNT]++;
	if (o->seq > row->n[OF_LAST])
		row->n[OF_LAST] = o->seq;
	return 0;
}

/* count_category - what a refusal meant */
static int
count_category(struct rollup *r, const struct outcome *o, struct why *why)
{
	struct slice names[ROLLUP_NAMES] = { o->group, o->tenant, o->pool,
		o->address, o->provider,
		slice_of(outcome_kind_names[o->kind]),
		o->category.n > 0 ? o->category :
		slice_of(category_names[CATEGORY_UNKNOWN]) };
	char room[ROLLUP_PACKED];
	struct slice packed = rollup_pack(names, room);

	return count_meaning(r, &r->categories, ROLLUP_DAY, o, packed, why) ==
	    -1 || count_meaning(r, &r->category_hours, ROLLUP_HOUR, o, packed,
	    why) == -1 ? -1 : 0;
}

/* rollup_outcome - one of them */
int
rollup_outcome(struct rollup *r, struct store_walk *walk,
    const struct outcome *o, struct why *why)
{
	struct packed names;
	struct slice domain;
	struct tallied *cell;
	int got;

	if ((got = sender_of(r, walk, o, &domain, why)) != 1)
		return got;
	pack(&names, o->group, o->tenant, domain, o->stream, o->pool,
	    o->address);
	if ((cell = cell_of(r, o->time, &names, o->provider)) == NULL)
		return no_memory(why);
	tally_outcome(o, reports(r, o->provider), cell->n);
	return o->kind == OUTCOME_BOUNCED || o->kind == OUTCOME_DEFERRED ?
	    count_category(r, o, why) : 0;
}
