/*
 * event_peek - what counting needs of an event, and no more of it.
 *
 * event_decode makes arrays of everything; here lengths are stepped over, and
 * the six texts and the recipients that somebody counts are pointed to.  The
 * format is that at the head of event.c; tests/unit/event.c holds that both
 * say the same of any record, and that neither reads behind its end.
 */
#include "lib/event.h"

#include <endian.h>

enum { FORMAT = 2, HEAD = 76, CHARGE = 16 + 2 + 6 * 8, FIELD = 4,
	NTEXTS = 18, AT_GROUP = 2, AT_TENANT = 3, AT_STREAM = 8, AT_POOL = 11,
	AT_ADDRESS = 12, RECIPIENT = 2 + 4 * FIELD, FLAGS = 0xffffff };

/* u32 - at p */
static inline uint32_t
u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

/* u64 - at p */
static inline uint64_t
u64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

/* field - the one at *p, which moves behind it; false: it is not whole */
static inline bool
field(const uint8_t **p, const uint8_t *end, struct slice *out)
{
	uint32_t n;

	if ((size_t)(end - *p) < FIELD)
		return false;
	n = u32(*p);
	*p += FIELD;
	if ((size_t)(end - *p) < n)
		return false;
	*out = (struct slice){ (const char *)*p, n };
	*p += n;
	return true;
}

/* count - the number at *p, which moves behind it */
static inline bool
count(const uint8_t **p, const uint8_t *end, uint32_t *n)
{
	if ((size_t)(end - *p) < FIELD)
		return false;
	*n = u32(*p);
	*p += FIELD;
	return true;
}

/* head - in front of the charges; false: it makes no sense */
static bool
head(const uint8_t *p, size_t n, struct event_peek *e)
{
	uint32_t flags;

	if (n < HEAD + FIELD || p[0] < 1 || p[0] > FORMAT ||
	    p[1] > EVENT_RESET || p[2] > VERDICT_DROP || p[3] > STAGE_MESSAGE)
		return false;
	flags = u32(p + 4);
	if (flags >> 24 > VERDICT_DROP)
		return false;
	e->kind = p[1];
	e->verdict = p[2];
	e->flags = flags & FLAGS;
	e->seq = u64(p + 8);
	e->time = (int64_t)u64(p + 16);
	e->voids = u64(p + 24);
	e->size = (int64_t)u64(p + 32);
	e->count = u32(p + 40);
	return true;
}

/* event_peek - up to the recipients */
int
event_peek(struct slice record, struct event_peek *e, struct why *why)
{
	const uint8_t *p = (const uint8_t *)record.p, *end = p + record.n;
	struct slice skip, text[NTEXTS];
	uint32_t n, i;

	if (!head(p, record.n, e))
		return why_set(why, "the head of the event makes no sense, or "
		    "was written by a newer Penstock");
	p += HEAD;
	if (!count(&p, end, &n))
		goto cut;
	for (i = 0; i < n; i++) {
		if ((size_t)(end - p) < CHARGE)
			goto cut;
		p += CHARGE;
		if (!field(&p, end, &skip) || !field(&p, end, &skip))
			goto cut;
	}
	for (i = 0; i < NTEXTS; i++)
		if (!field(&p, end, &text[i]))
			goto cut;
	e->group = text[AT_GROUP];
	e->tenant = text[AT_TENANT];
	e->stream = text[AT_STREAM];
	e->pool = text[AT_POOL];
	e->address = text[AT_ADDRESS];
	e->domain = SLICE("");
	if (!count(&p, end, &n))
		goto cut;
	for (i = 0; i < n; i++)
		if (!field(&p, end, i == 0 ? &e->domain : &skip))
			goto cut;
	if (!count(&p, end, &n))
		goto cut;
	for (i = 0; i < n; i++)
		if (!field(&p, end, &skip) || !field(&p, end, &skip))
			goto cut;
	if (!count(&p, end, &e->recipients) ||
	    e->recipients > (size_t)(end - p) / RECIPIENT)
		goto cut;
	e->at = p;
	e->end = end;
	return 0;
cut:
	return why_set(why, "the event ends before it is whole");
}

/* event_peek_next - the recipients, one by one */
int
event_peek_next(struct event_peek *e, struct event_peek_recipient *r,
    struct why *why)
{
	const uint8_t *p = e->at;
	struct slice skip;

	if (e->recipients == 0)
		return 0;
	if (e->end - p < 2 || p[0] > 1 || p[1] > VERDICT_DROP)
		goto bad;
	r->local = p[0] != 0;
	r->verdict = p[1];
	p += 2;
	if (!field(&p, e->end, &r->address) || !field(&p, e->end, &skip) ||
	    !field(&p, e->end, &r->provider) || !field(&p, e->end, &skip))
		goto bad;
	e->at = p;
	e->recipients--;
	return 1;
bad:
	return why_set(why, "a recipient of the event makes no sense");
}
