/*
 * fuzz event - any bytes as a stored event.  What is accepted must be the one
 * way to write what was read, must have a JSON form on one line, and must
 * give the replay the charges that the reader sees.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/event.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* same_charges - event_charges against event_decode */
static void
same_charges(struct slice in, const struct event *e, struct arena *arena)
{
	struct charge *charges;
	enum event_kind kind;
	uint64_t seq, voids;
	int64_t time;
	struct why why;
	size_t n, i;

	must(event_charges(in, &seq, &time, &kind, &voids, &charges, &n,
	    arena, &why) == 0);
	must(seq == e->seq && time == e->time && kind == e->kind &&
	    voids == e->voids && n == e->ncharges);
	for (i = 0; i < n; i++)
		must(memcmp(charges[i].key, e->charges[i].key, 16) == 0 &&
		    charges[i].amount == e->charges[i].amount &&
		    slice_eq(charges[i].name, e->charges[i].name));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct arena *arena;
	static struct buf again, json;
	struct slice in = { (const char *)data, n };
	struct event e;
	struct why why;

	if (arena == NULL)
		must((arena = arena_new(1 << 16, 0)) != NULL);
	arena_reset(arena);
	if (event_decode(in, &e, arena, &why) == -1) {
		must(memchr(why.text, '\0', sizeof(why.text)) != NULL);
		return 0;
	}
	buf_reset(&again);
	event_encode(&e, &again);
	must(again.len == n && memcmp(again.data, data, n) == 0);
	buf_reset(&json);
	event_json(&e, &json);
	must(json.len > 2 && memchr(json.data, '\n', json.len) == NULL);
	same_charges(in, &e, arena);
	/* a record may be stamped wherever it came from */
	event_stamp(buf_slice(&again), 1, 2);
	must(event_decode(buf_slice(&again), &e, arena, &why) == 0 &&
	    e.seq == 1 && e.time == 2);
	return 0;
}
