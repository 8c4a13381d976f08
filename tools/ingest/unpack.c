/*
 * unpack - a stream is enough.
 *
 * A zip is read from its front: local header, then deflated bytes that know
 * their end by themselves.  The directory at its back, where sizes and names
 * may disagree with the front, is not looked at, so that there is only one way
 * to read a file.  An encrypted one, and one that is stored without a length,
 * is refused.
 */
#include "tools/ingest/unpack.h"

#include <stdint.h>

#include <zlib.h>

struct pouring {
	unpack_sink	 sink;
	void		*to;
	size_t		 in, out;
};

/* pour - count, then hand on */
static int
pour(struct pouring *p, const void *bytes, size_t n, struct why *why)
{
	p->out += n;
	if (p->out > UNPACK_OUT)
		return why_set(why, "the attachment unpacks to more than %zu "
		    "MiB", UNPACK_OUT >> 20);
	if (p->out > UNPACK_FREE && p->out / UNPACK_RATIO > p->in)
		return why_set(why, "the attachment unpacks to more than %u "
		    "times its size", UNPACK_RATIO);
	return n > 0 ? p->sink(p->to, bytes, n, why) : 0;
}

/* inflate_all - window: as inflateInit2 has it */
static int
inflate_all(struct pouring *p, struct slice in, int window, struct why *why)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)in.p,
	    .avail_in = (uInt)in.n };
	unsigned char room[32768];
	int got, rc = 0;

	if (inflateInit2(&z, window) != Z_OK)
		return why_kind(why, WHY_MEMORY, "no memory to unpack");
	do {
		z.next_out = room;
		z.avail_out = sizeof(room);
		got = inflate(&z, Z_NO_FLUSH);
		if (got != Z_OK && got != Z_STREAM_END)
			rc = why_set(why, got == Z_BUF_ERROR ?
			    "the attachment ends too early" :
			    "the attachment is damaged");
		else
			rc = pour(p, room, sizeof(room) - z.avail_out, why);
	} while (rc == 0 && got != Z_STREAM_END);
	inflateEnd(&z);
	return rc;
}

/* le16 - of a zip */
static unsigned
le16(const char *p)
{
	return (unsigned)(unsigned char)p[0] |
	    (unsigned)(unsigned char)p[1] << 8;
}

/* unzip - the first file: 30 bytes of header, its name, something more */
static int
unzip(struct pouring *p, struct slice in, struct why *why)
{
	unsigned flags, method;
	size_t size, skip;

	if (in.n < 30)
		return why_set(why, "the zip ends in its header");
	flags = le16(in.p + 6);
	method = le16(in.p + 8);
	size = le16(in.p + 18) | (size_t)le16(in.p + 20) << 16;
	skip = 30 + (size_t)le16(in.p + 26) + le16(in.p + 28);
	if ((flags & 1) != 0)
		return why_set(why, "the zip is encrypted");
	if (skip > in.n)
		return why_set(why, "the zip ends in its header");
	in = slice_from(in, skip);
	if (method == 8)
		return inflate_all(p, in, -MAX_WBITS, why);
	if (method != 0 || (flags & 8) != 0)
		return why_set(why, "the zip has a method (%u) that is not "
		    "known", method);
	if (size > in.n)
		return why_set(why, "the zip ends too early");
	return pour(p, in.p, size, why);
}

/* unpack - by the first bytes; names and types of attachments are not true */
int
unpack(struct slice in, unpack_sink sink, void *to, struct why *why)
{
	struct pouring p = { .sink = sink, .to = to, .in = in.n };

	if (in.n > UNPACK_IN)
		return why_set(why, "the attachment has more than %zu MiB",
		    UNPACK_IN >> 20);
	if (in.n >= 2 && memcmp(in.p, "\x1f\x8b", 2) == 0)
		return inflate_all(&p, in, MAX_WBITS + 16, why);
	if (in.n >= 4 && memcmp(in.p, "PK\3\4", 4) == 0)
		return unzip(&p, in, why);
	return pour(&p, in.p, in.n, why);
}
