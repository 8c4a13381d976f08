/*
 * fuzz event - any bytes as a stored event.  What is accepted must be the one
 * way to write what was read, must have a JSON form on one line, and must
 * give the replay the charges that the reader sees, and to who counts it what
 * he needs of it.
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

/* peeked - every recipient that event_peek sees, or the end of it */
static int
peeked(struct slice in, struct event_peek *p, const struct event *e)
{
	struct event_peek_recipient r;
	struct why why;
	size_t n = 0;
	int got;

	if (event_peek(in, p, &why) == -1)
		return -1;
	while ((got = event_peek_next(p, &r, &why)) == 1 && ++n > 0)
		if (e != NULL)
			must(r.local == e->recipients[n - 1].local &&
			    r.verdict == e->recipients[n - 1].verdict &&
			    slice_eq(r.address, e->recipients[n - 1].address) &&
			    slice_eq(r.provider,
			    e->recipients[n - 1].provider));
	must(e == NULL || (got == 0 && n == e->nrecipients));
	return got;
}

/* same_peek - event_peek against event_decode */
static void
same_peek(struct slice in, const struct event *e)
{
	struct slice domain = e->nfrom_domains > 0 ? e->from_domains[0] :
	    SLICE("");
	struct event_peek p;

	must(peeked(in, &p, e) == 0);
	must(p.kind == e->kind && p.verdict == e->verdict &&
	    p.flags == e->flags && p.count == e->count && p.seq == e->seq &&
	    p.voids == e->voids && p.time == e->time && p.size == e->size);
	must(slice_eq(p.group, e->group) && slice_eq(p.tenant, e->tenant) &&
	    slice_eq(p.stream, e->stream) && slice_eq(p.pool, e->pool) &&
	    slice_eq(p.address, e->address) && slice_eq(p.domain, domain));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct event_peek peek;

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
		(void)peeked(in, &peek, NULL);
		return 0;
	}
	buf_reset(&again);
	event_encode(&e, &again);
	must(again.len == n && memcmp(again.data, data, n) == 0);
	buf_reset(&json);
	event_json(&e, &json);
	must(json.len > 2 && memchr(json.data, '\n', json.len) == NULL);
	same_charges(in, &e, arena);
	same_peek(in, &e);
	/* a record may be stamped wherever it came from */
	event_stamp(buf_slice(&again), 1, 2);
	must(event_decode(buf_slice(&again), &e, arena, &why) == 0 &&
	    e.seq == 1 && e.time == 2);
	return 0;
}
