/*
 * outcome_suppress - which outcomes end in "write there no more".
 *
 * Only outcomes of messages that the gate has an event of come here, so a
 * stranger's word about mail that we never sent suppresses nobody.
 *
 *	bounced, suppress_now		at once, for the tenant; a domain that
 *					does not exist for DOMAIN_BAD days
 *	bounced, suppress_after_k	the k-th day on which it happened, when
 *					the first is old enough and nothing was
 *					delivered there meanwhile
 *	complaint, opt-out		at once, for the tenant
 *
 * A strike is a day.  Its row in the table "strikes":
 *
 *	u8[16] hash of the folded	u8 format = 1, u8 days, i32 last day,
 *	address, be64 tenant		i64 time of the first
 *
 * Whether something was delivered is asked only when k is reached, of the
 * index of addresses: a row less to look up for each of the many deliveries.
 * Strikes that are STRIKES_LAST days old are forgotten.
 */
#include "reputation/outcome_in.h"

#include <string.h>

#include "lib/hash.h"
#include "lib/wire.h"
#include "reputation/classify.h"

enum { DOMAIN_BAD = 7, STRIKES_LAST = 60, EVENTS_ASKED = 64,
	EVENTS_MOST = 1024 };

struct strikes {
	uint8_t	days;
	int32_t	last;		/* day since 1970 */
	int64_t	first;		/* us */
};

/* When a repeated bounce is enough: so many days, the first so long ago. */
static const struct patience {
	enum category	category;
	int		days, span;
} patiences[] = {
	{ CATEGORY_RECIPIENT_INACTIVE, 2, 0 },
	{ CATEGORY_QUOTA, 3, 14 },
	{ CATEGORIES, 3, 7 },			/* any other */
};

/* outcomes_suppress - one entry; an address that is none has no key */
int
outcomes_suppress(struct outcomes *o, uint64_t tenant, struct slice address,
    enum suppress_reason reason, const char *source, int64_t time,
    int64_t expires, struct slice note, struct why *why)
{
	struct suppress_entry e = { .scope = SUPPRESS_TENANT,
	    .reason = reason, .id = tenant, .date = time, .expires = expires,
	    .source = slice_of(source), .note = note };
	struct folded folded;
	int rc;

	if (fold_text(address, o->arena, NULL, &folded, why) == -1)
		return 0;
	o->puts++;
	rc = suppress_add(o->txn, T_THEIRS + OUTCOMES_SUPPRESSIONS, &folded,
	    address, &e, o->arena, why);
	if (rc == -1)
		return outcome_fail(o, why);
	return rc == 1 && outcomes_count(o, "suppressed", 1, why) == -1 ? -1 :
	    rc;
}

/* patience_of - of a category by its name */
static const struct patience *
patience_of(struct slice category)
{
	const struct patience *p = patiences;

	while (p->category != CATEGORIES &&
	    !slice_is(category, category_names[p->category]))
		p++;
	return p;
}

/* delivered_in - did a message of that event reach the address since? */
static int
delivered_in(struct outcomes *o, uint64_t event, struct slice address,
    int64_t since, struct why *why)
{
	struct arena *arena = arena_new(4096, 0);
	uint64_t seqs[EVENTS_ASKED];
	struct outcome x;
	size_t n, got;
	int rc = 0;

	if (arena == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for an outcome");
	if (outcomes_of_event(o, event, seqs, EVENTS_ASKED, &n, why) == -1)
		rc = -1;
	for (size_t i = 0; rc == 0 && i < n; i++) {
		arena_reset(arena);
		if (outcomes_read(o, seqs[i], 1, arena, &x, &got, why) == -1)
			rc = -1;
		else if (got == 1 && x.kind == OUTCOME_DELIVERED &&
		    x.time >= since && slice_case_eq(x.recipient, address))
			rc = 1;
	}
	arena_free(arena);
	return rc;
}

/* delivered_since - fetch: did any? */
static int
delivered_since(struct outcomes *o, struct slice address, int64_t since,
    struct why *why)
{
	uint64_t events[EVENTS_ASKED], after = 0;
	size_t n, asked = 0;
	int rc = 0;

	do {
		if (outcomes_by_address(o, address, ROLE_RECIPIENT, after,
		    events, EVENTS_ASKED, &n, why) == -1)
			return -1;
		for (size_t i = 0; rc == 0 && i < n; i++)
			rc = delivered_in(o, events[i], address, since, why);
		after = n > 0 ? events[n - 1] : 0;
		asked += n;
	} while (rc == 0 && n == EVENTS_ASKED && asked < EVENTS_MOST);
	return rc;
}

/* strike - one day more; *enough: now it is */
static int
strike(struct outcomes *o, const struct outcome *x, uint64_t tenant,
    bool *enough, struct why *why)
{
	const struct patience *p = patience_of(x->category);
	struct strikes s = { .days = 0 };
	struct slice key, value;
	struct folded folded;
	uint8_t room[24];
	int32_t day = (int32_t)(x->time / OUTCOME_DAY);
	int got;

	*enough = false;
	if (fold_text(x->recipient, o->arena, NULL, &folded, why) == -1)
		return 0;
	memcpy(room, folded.hash, 16);
	be64_put(room + 16, tenant);
	key = (struct slice){ (char *)room, sizeof(room) };
	if ((got = outcomes_get(o, OUTCOMES_STRIKES, key, &value, why)) == -1)
		return -1;
	if (got == 1) {
		struct wire w = wire_of(value);

		(void)get_u8(&w);
		s.days = get_u8(&w);
		s.last = (int32_t)get_u32(&w);
		s.first = get_i64(&w);
		if (w.bad || day - s.last > STRIKES_LAST)
			s.days = 0;
	}
	if (s.days > 0 && day <= s.last)
		return 0;
	if (s.days == 0)
		s.first = x->time;
	s.last = day;
	s.days += s.days < 255;
	if (s.days >= p->days && x->time - s.first >= p->span * OUTCOME_DAY) {
		got = delivered_since(o, x->recipient, s.first, why);
		if (got == -1)
			return outcome_fail(o, why);
		*enough = got == 0;
		if (got == 1)
			s = (struct strikes){ 1, day, x->time };
	}
	buf_reset(&o->buf);
	put_u8(&o->buf, 1);
	put_u8(&o->buf, s.days);
	put_u32(&o->buf, (uint32_t)s.last);
	put_i64(&o->buf, s.first);
	return outcomes_put(o, OUTCOMES_STRIKES, key, buf_slice(&o->buf),
	    why);
}

/* outcome_suppress - what a new outcome of ours means for its address */
int
outcome_suppress(struct outcomes *o, const struct outcome *x, struct why *why)
{
	const char *source = outcome_source_names[x->source];
	uint64_t tenant;
	int64_t expires = 0;
	bool enough = true;

	if (x->kind == OUTCOME_DELIVERED || x->tenant.n == 0 ||
	    x->recipient.n == 0)
		return 0;
	tenant = hash_id("tenant", x->tenant);
	if (x->kind == OUTCOME_COMPLAINT)
		return outcomes_suppress(o, tenant, x->recipient,
		    SUPPRESS_COMPLAINT, source, x->time, 0, x->stream, why) ==
		    -1 ? -1 : 0;
	if (x->kind == OUTCOME_OPT_OUT)
		return outcomes_suppress(o, tenant, x->recipient,
		    SUPPRESS_UNSUBSCRIBE, source, x->time, 0, x->stream,
		    why) == -1 ? -1 : 0;
	if (x->kind != OUTCOME_BOUNCED)
		return 0;
	if (slice_is(x->action, action_names[ACTION_SUPPRESS_AFTER_K])) {
		if (strike(o, x, tenant, &enough, why) == -1)
			return -1;
	} else if (!slice_is(x->action, action_names[ACTION_SUPPRESS_NOW])) {
		return 0;
	}
	if (!enough)
		return 0;
	if (slice_is(x->category, category_names[CATEGORY_DOMAIN_BAD]))
		expires = x->time + DOMAIN_BAD * OUTCOME_DAY;
	return outcomes_suppress(o, tenant, x->recipient,
	    SUPPRESS_HARD_BOUNCE, source, x->time, expires, x->reply, why) ==
	    -1 ? -1 : 0;
}
