/*
 * wire - byte by byte, so that neither the machine's order nor its alignment
 * shows in what is stored.
 */
#include "lib/wire.h"

#include <endian.h>

/* put - n low bytes of v, least first */
static inline void
put(struct buf *b, uint64_t v, size_t n)
{
	v = htole64(v);
	buf_add(b, &v, n);
}

/* put_u8 - one byte */
void
put_u8(struct buf *b, uint8_t v)
{
	put(b, v, 1);
}

/* put_u16 - two bytes */
void
put_u16(struct buf *b, uint16_t v)
{
	put(b, v, 2);
}

/* put_u32 - four bytes */
void
put_u32(struct buf *b, uint32_t v)
{
	put(b, v, 4);
}

/* put_u64 - eight bytes */
void
put_u64(struct buf *b, uint64_t v)
{
	put(b, v, 8);
}

/* put_i64 - eight bytes, two's complement */
void
put_i64(struct buf *b, int64_t v)
{
	put(b, (uint64_t)v, 8);
}

/* put_bytes - as they are */
void
put_bytes(struct buf *b, const void *p, size_t n)
{
	buf_add(b, p, n);
}

/* put_field - length and bytes */
void
put_field(struct buf *b, struct slice s)
{
	if (s.n > UINT32_MAX) {
		b->failed = true;
		return;
	}
	put(b, s.n, 4);
	buf_add(b, s.p, s.n);
}

/* wire_of - read these bytes from their start */
struct wire
wire_of(struct slice s)
{
	const uint8_t *p = (const uint8_t *)(s.p != NULL ? s.p : "");

	return (struct wire){ p, p + s.n, false };
}

/* get - n bytes, least first; zero when they are not there */
static inline uint64_t
get(struct wire *w, size_t n)
{
	uint64_t v = 0;

	if (w->bad || (size_t)(w->end - w->p) < n) {
		w->bad = true;
		return 0;
	}
	memcpy(&v, w->p, n);
	w->p += n;
	return le64toh(v);
}

/* get_u8 - one byte */
uint8_t
get_u8(struct wire *w)
{
	return (uint8_t)get(w, 1);
}

/* get_u16 - two bytes */
uint16_t
get_u16(struct wire *w)
{
	return (uint16_t)get(w, 2);
}

/* get_u32 - four bytes */
uint32_t
get_u32(struct wire *w)
{
	return (uint32_t)get(w, 4);
}

/* get_u64 - eight bytes */
uint64_t
get_u64(struct wire *w)
{
	return get(w, 8);
}

/* get_i64 - eight bytes, two's complement */
int64_t
get_i64(struct wire *w)
{
	return (int64_t)get(w, 8);
}

/* get_bytes - n bytes as they are, zeros when they are not there */
void
get_bytes(struct wire *w, void *out, size_t n)
{
	if (w->bad || (size_t)(w->end - w->p) < n) {
		w->bad = true;
		memset(out, 0, n);
		return;
	}
	memcpy(out, w->p, n);
	w->p += n;
}

/* get_field - length and bytes, borrowed */
struct slice
get_field(struct wire *w)
{
	size_t n = get_u32(w);
	struct slice s;

	if (w->bad || (size_t)(w->end - w->p) < n) {
		w->bad = true;
		return SLICE_NONE;
	}
	s = (struct slice){ (const char *)w->p, n };
	w->p += n;
	return s;
}

/* be64_put - most significant byte first: memcmp order is number order */
void
be64_put(uint8_t *out, uint64_t v)
{
	v = htobe64(v);
	memcpy(out, &v, sizeof(v));
}

/* be64_get - the same back */
uint64_t
be64_get(const uint8_t *in)
{
	uint64_t v;

	memcpy(&v, in, sizeof(v));
	return be64toh(v);
}
