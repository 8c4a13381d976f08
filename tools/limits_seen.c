/*
 * limits_seen - which logins, senders and places have a counter?
 *
 * A counter is found by a hash, and no way leads back from it.  But who spends
 * is in the events: the latest of them are read, their facts asked for once
 * each, and a counter that still has something in it is a row.  What was spent
 * by nobody of these events is not shown, which is said.
 */
#include <string.h>

#include "lib/map.h"
#include "policy/egress.h"
#include "tools/limits.h"

enum { PAGE = 256 };

/* once - are these facts new? */
static int
once(struct limits_rows *rows, const struct event *e,
    const struct event_recipient *to)
{
	struct arena *keep = rows->live->arena;
	const char *text = arena_printf(rows->scratch,
	    "%.*s\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s\n%.*s", SLICE_ARG(e->tenant),
	    SLICE_ARG(e->stream), SLICE_ARG(e->login),
	    SLICE_ARG(e->mail_from), SLICE_ARG(e->nfrom_domains > 0 ?
	    e->from_domains[0] : SLICE("")), SLICE_ARG(to->domain),
	    SLICE_ARG(e->address));
	struct slice key = slice_of(text);

	if (text == NULL)
		return -1;
	if (map_get(rows->known, key) != NULL)
		return 0;
	key = arena_copy(keep, key);
	return key.p == NULL || map_set(rows->known, key, rows) == -1 ? -1 :
	    1;
}

/* one - an event's facts, for each of its recipients */
static int
one(struct limits_rows *rows, const struct event *e, const struct tenant *t)
{
	struct decide_facts f = {
		.stream = policy_stream(t, e->stream),
		.login = e->login.p != NULL ? e->login : SLICE(""),
		.sender = e->mail_from.p != NULL ? e->mail_from : SLICE(""),
		.sender_domain = e->nfrom_domains > 0 ? e->from_domains[0] :
		    SLICE(""),
		.progress = rows->live->progress,
		.egress = egress_find(rows->live->policy, e->address),
	};
	int got;

	for (size_t i = 0; i < e->nrecipients; i++) {
		const struct event_recipient *to = &e->recipients[i];

		if (to->local)
			continue;
		arena_reset(rows->scratch);
		if ((got = once(rows, e, to)) == -1)
			return -1;
		f.recipient_domain = to->domain;
		f.provider = provider_of(to->domain);
		if (got == 1 && limits_add(rows, t, &f, false) == -1)
			return -1;
		if (got == 1 && f.egress != NULL &&
		    (limits_way(rows, t, &f, false) == -1 ||
		    limits_way(rows, NULL, &f, false) == -1))
			return -1;
	}
	return 0;
}

/* page - some events; *got of them */
static int
page(struct limits_rows *rows, struct arena *arena, const struct tenant *only,
    uint64_t *next, size_t *got, struct why *why)
{
	struct slice encoded[PAGE];
	const struct tenant *t;
	struct event e;

	arena_reset(arena);
	if (store_read(rows->live->store, *next, PAGE, arena, encoded, got,
	    why) == -1)
		return -1;
	for (size_t i = 0; i < *got; i++) {
		if (event_decode(encoded[i], &e, arena, why) == -1)
			return -1;
		*next = e.seq + 1;
		rows->events++;
		if (e.kind != EVENT_ACCEPT && e.kind != EVENT_HOLD)
			continue;
		t = policy_tenant(rows->live->policy, e.tenant);
		if (t == NULL && policy_auto_domain(rows->live->policy,
		    e.tenant, rows->live->arena, &t) == -1)
			return why_kind(why, WHY_MEMORY, "out of memory");
		if (t != NULL && (only == NULL ||
		    slice_eq(t->name, only->name)) && one(rows, &e, t) == -1)
			return why_kind(why, WHY_MEMORY, "out of memory");
	}
	return 0;
}

/* limits_seen - of the latest events */
int
limits_seen(struct limits_rows *rows, const struct tenant *only,
    struct why *why)
{
	struct arena *arena;
	uint64_t next, last;
	int64_t time;
	size_t got;
	int done = 0;

	if (rows->live->store == NULL || !rows->values)
		return 0;
	if (store_last(rows->live->store, &last, &time, why) == -1)
		return -1;
	if ((arena = arena_new(64u << 10, 0)) == NULL)
		return why_kind(why, WHY_MEMORY, "out of memory");
	next = last > LIMITS_SEEN ? last - LIMITS_SEEN + 1 : 1;
	do
		done = page(rows, arena, only, &next, &got, why);
	while (done == 0 && got == PAGE && next <= last);
	arena_free(arena);
	return done;
}
