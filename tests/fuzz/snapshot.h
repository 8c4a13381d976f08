/*
 * snapshot - what holds of the rows of an import, whatever was read: for the
 * fuzz targets of the importers.
 */
#ifndef TESTS_FUZZ_SNAPSHOT_H
#define TESTS_FUZZ_SNAPSHOT_H

#include <stdint.h>
#include <stdlib.h>

#include "lib/text.h"
#include "reputation/snapshot.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* harmless - UTF-8 without controls, not too long */
static void
harmless(struct slice s, size_t most)
{
	must(s.p != NULL && s.n <= most);
	for (size_t i = 0; i < s.n;) {
		size_t n = text_utf8(s.p + i, s.n - i);

		must(n > 0 && (unsigned char)s.p[i] >= ' ' &&
		    s.p[i] != 0x7f);
		i += n;
	}
}

/* stored - the same when it comes back */
static void
stored(const struct snapshot *s)
{
	struct buf key = BUF_INIT, value = BUF_INIT;
	uint32_t day = (uint32_t)s->begin ^ UINT32_C(0x80000000);
	struct snapshot back;
	struct why why;

	snapshot_encode(s, &value);
	buf_slices(&key, s->provider);
	buf_char(&key, '\0');
	buf_slices(&key, s->subject);
	buf_char(&key, '\0');
	buf_slices(&key, s->metric);
	buf_char(&key, '\0');
	for (int i = 3; i >= 0; i--)
		buf_char(&key, (char)(day >> (8 * i)));
	must(key.len <= DB_KEY_MAX && !buf_failed(&value));
	must(snapshot_decode(buf_slice(&key), buf_slice(&value), &back,
	    &why) == 0);
	must(slice_eq(back.value, s->value) && slice_eq(back.metric,
	    s->metric) && slice_eq(back.note, s->note) && back.begin ==
	    s->begin && back.end == s->end && back.state == s->state);
	/* cut anywhere it is refused */
	for (size_t n = 0; n < value.len; n++)
		must(snapshot_decode(buf_slice(&key), (struct slice){
		    value.data, n }, &back, &why) == -1);
	buf_free(&key);
	buf_free(&value);
}

/* by_bytes - as memcmp */
static int
by_bytes(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int rc = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return rc != 0 ? rc : (a.n > b.n) - (a.n < b.n);
}

/* in_order - one row for each */
static void
in_order(const struct snapshot *a, const struct snapshot *b)
{
	int rc = by_bytes(a->provider, b->provider);

	rc = rc != 0 ? rc : by_bytes(a->subject, b->subject);
	rc = rc != 0 ? rc : by_bytes(a->metric, b->metric);
	must(rc < 0 || (rc == 0 && a->begin < b->begin));
}

/* imported - rows, and what must hold of each */
static int
imported(const char *provider, const uint8_t *data, size_t size)
{
	struct snapshot_ask ask = { .provider = slice_of(provider),
	    .taken = 20697 * CLOCK_DAY, .fetched = 20698 * CLOCK_DAY,
	    .source = "file" };
	struct snapshot_set *set;
	const struct snapshot *rows;
	const char *first;
	struct why why;
	size_t n;

	if (size > 0 && data[0] & 1)
		ask.subject = SLICE("acme.example");
	must(snapshot_set_new(&set, &ask, &why) == 0);
	if (snapshot_read(set, (struct slice){ (const char *)data, size },
	    &why) == 0 && snapshot_end(set, &why) == 0) {
		rows = snapshot_rows(set, &n);
		must(n > 0 || snapshot_refused(set, &first) > 0);
		for (size_t i = 0; i < n; i++) {
			harmless(rows[i].subject, SNAPSHOT_SUBJECT);
			harmless(rows[i].metric, SNAPSHOT_METRIC);
			harmless(rows[i].value, SNAPSHOT_TEXT);
			harmless(rows[i].note, SNAPSHOT_TEXT);
			harmless(rows[i].unit, SNAPSHOT_TEXT);
			must(rows[i].end >= rows[i].begin);
			must(rows[i].state == SNAPSHOT_AVAILABLE ||
			    rows[i].state == SNAPSHOT_STALE ||
			    rows[i].value.n == 0);
			if (i > 0)
				in_order(&rows[i - 1], &rows[i]);
			if (i < 20)
				stored(&rows[i]);
		}
	} else
		must(why.text[0] != '\0');
	snapshot_set_free(set);
	return 0;
}

#endif
