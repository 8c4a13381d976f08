/*
 * ingest_status - u8 format = 2, i64 pid, started, heartbeat, field version,
 * u32 logs, each: field name, u64 lines, rate, done, size, gaps, cut,
 * i64 time, field unread (from format 2 on).
 */
#include "reputation/ingest_status.h"

#include <string.h>

#include "lib/wire.h"

enum { FORMAT = 2, LOG_LEAST = 4 + 7 * 8 };

/* ingest_status_encode - append the record */
void
ingest_status_encode(const struct ingest_status *s, struct buf *b)
{
	put_u8(b, FORMAT);
	put_i64(b, s->pid);
	put_i64(b, s->started);
	put_i64(b, s->heartbeat);
	put_field(b, s->version);
	put_u32(b, (uint32_t)s->nlogs);
	for (size_t i = 0; i < s->nlogs; i++) {
		const struct ingest_log *l = &s->logs[i];

		put_field(b, l->name);
		put_u64(b, l->lines);
		put_u64(b, l->rate);
		put_u64(b, l->done);
		put_u64(b, l->size);
		put_u64(b, l->gaps);
		put_u64(b, l->cut);
		put_i64(b, l->time);
		put_field(b, l->unread);
	}
}

/* ingest_status_decode - and back */
int
ingest_status_decode(struct slice record, struct arena *arena,
    struct ingest_status *s, struct why *why)
{
	struct wire w = wire_of(record);
	uint8_t format = get_u8(&w);

	memset(s, 0, sizeof(*s));
	if (format > FORMAT)
		return why_set(why, "the status of penstock-ingest was "
		    "written by a newer Penstock");
	s->pid = get_i64(&w);
	s->started = get_i64(&w);
	s->heartbeat = get_i64(&w);
	s->version = get_field(&w);
	s->nlogs = get_u32(&w);
	if (w.bad || s->nlogs > (size_t)(w.end - w.p) / LOG_LEAST)
		return why_set(why, "the status of penstock-ingest makes no "
		    "sense");
	s->logs = arena_array(arena, s->nlogs + 1, sizeof(*s->logs));
	if (s->logs == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a status");
	for (size_t i = 0; i < s->nlogs; i++) {
		struct ingest_log *l = &s->logs[i];

		l->name = get_field(&w);
		l->lines = get_u64(&w);
		l->rate = get_u64(&w);
		l->done = get_u64(&w);
		l->size = get_u64(&w);
		l->gaps = get_u64(&w);
		l->cut = get_u64(&w);
		l->time = get_i64(&w);
		l->unread = format > 1 ? get_field(&w) : SLICE("");
	}
	if (w.bad || w.p != w.end || format == 0)
		return why_set(why, "the status of penstock-ingest makes no "
		    "sense");
	return 0;
}
