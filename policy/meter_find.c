/*
 * meter_find - the meters of a mail, by their limit and the values it counts
 * apart by: a list in the order they came in, and a table beside it, since a
 * mail to a thousand domains has thousands of them.
 */
#include <string.h>

#include "policy/meter.h"

#define SLOTS_FIRST	32
#define LIST_FIRST	16

/* slot_of - where a meter of that limit and those values is looked for */
static size_t
slot_of(const struct meters *ms, const struct limit *limit,
    const uint64_t of[4])
{
	uint64_t h = (uint64_t)(uintptr_t)limit * UINT64_C(0x9e3779b97f4a7c15);

	h ^= of[0] ^ of[1] ^ of[2] * UINT64_C(0xff51afd7ed558ccd) ^ of[3];
	h *= UINT64_C(0xc4ceb9fe1a85ec53);
	return (size_t)(h >> 32) & (ms->nslots - 1);
}

/* slots_grow - twice as many, once there are as many meters */
static int
slots_grow(struct mail *mail)
{
	struct meters *ms = &mail->meters;
	struct meter *meter, **slot;
	size_t i;

	if (ms->n < ms->nslots)
		return 0;
	ms->nslots = ms->nslots > 0 ? ms->nslots * 2 : SLOTS_FIRST;
	ms->slots = arena_array(mail->arena, ms->nslots, sizeof(*ms->slots));
	if (ms->slots == NULL)
		return -1;
	for (i = 0; i < ms->n; i++) {
		meter = ms->list[i];
		slot = &ms->slots[slot_of(ms, meter->limit, meter->of)];
		meter->next = *slot;
		*slot = meter;
	}
	return 0;
}

/* meters_grow - room for one meter more in the list */
int
meters_grow(struct arena *arena, struct meter ***list, size_t n, size_t *cap)
{
	size_t more = *cap > 0 ? *cap * 2 : LIST_FIRST;
	struct meter **to;

	if (n < *cap)
		return 0;
	if ((to = arena_array(arena, more, sizeof(struct meter *))) == NULL)
		return -1;
	if (n > 0)
		memcpy(to, *list, n * sizeof(struct meter *));
	*list = to;
	*cap = more;
	return 0;
}

/* meters_find - the meter of that limit and those values, made if need be */
struct meter *
meters_find(struct mail *mail, const struct limit *limit, const uint64_t of[4])
{
	struct meters *ms = &mail->meters;
	struct meter *meter, **slot;

	if (ms->nslots > 0)
		for (meter = ms->slots[slot_of(ms, limit, of)]; meter != NULL;
		    meter = meter->next)
			if (meter->limit == limit &&
			    memcmp(meter->of, of, sizeof(meter->of)) == 0)
				return meter;
	if (slots_grow(mail) == -1 ||
	    meters_grow(mail->arena, &ms->list, ms->n, &ms->cap) == -1 ||
	    (meter = arena_alloc(mail->arena, sizeof(*meter))) == NULL)
		return NULL;
	meter->limit = limit;
	memcpy(meter->of, of, sizeof(meter->of));
	slot = &ms->slots[slot_of(ms, limit, of)];
	meter->next = *slot;
	*slot = meter;
	ms->list[ms->n++] = meter;
	return meter;
}
