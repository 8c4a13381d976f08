/*
 * rua - samples of DMARC reports, sentences for those that are none, and
 * attachments that unpack to more than they should.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "lib/buf.h"
#include "tests/unit/samples.h"
#include "tools/ingest/fields.h"
#include "tools/ingest/rua.h"
#include "tools/ingest/unpack.h"

static const char *const good[] = { "plain.xml", "gzip", "zip", "zip-stored",
	"namespace" };

static const struct {
	const char	*file, *want;
} bad[] = {
	{ "doctype", "has a document type" },
	{ "other-xml", "no DMARC report" },
	{ "no-domain", "names no domain" },
	{ "deep", "nested too deep" },
};

/* test_good - all of them say the same */
static void
test_good(void **state)
{
	struct arena *arena = arena_new(1 << 16, 0);
	struct rua r;
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct slice raw = sample("rua", good[i]);

		if (rua_read(raw, arena, &r, &why) == -1)
			fail_msg("%s: %s", good[i], why.text);
		assert_true(slice_is(r.org, "far.example"));
		assert_true(slice_is(r.id, "2026-11-24.acme"));
		assert_true(slice_is(r.domain, "acme.example"));
		assert_true(slice_is(r.policy, "none"));
		assert_int_equal(r.begin, 1795478400);
		assert_int_equal(r.end, 1795564799);
		assert_int_equal(r.n, 2);
		assert_true(slice_is(r.records[0].source, "192.0.2.25"));
		assert_int_equal(r.records[0].count, 120);
		assert_true(r.records[0].dkim && !r.records[0].spf);
		assert_true(slice_is(r.records[0].signer, "acme.example"));
		assert_true(slice_is(r.records[0].from, "acme.example"));
		assert_true(slice_is(r.records[1].source, "203.0.113.66"));
		assert_int_equal(r.records[1].count, 7);
		assert_true(!r.records[1].dkim && !r.records[1].spf);
		assert_true(slice_is(r.records[1].disposition, "quarantine"));
		assert_int_equal(r.records[1].signer.n, 0);
		arena_reset(arena);
		sample_free(raw);
	}
	arena_free(arena);
}

/* test_bad - the sentence that the quarantine shows */
static void
test_bad(void **state)
{
	struct arena *arena = arena_new(1 << 16, 0);
	struct rua r;
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct slice raw = sample("rua", bad[i].file);

		if (rua_read(raw, arena, &r, &why) == 0)
			fail_msg("%s: was read", bad[i].file);
		if (!text_has(slice_of(why.text), bad[i].want))
			fail_msg("%s: got \"%s\", want \"%s\"", bad[i].file,
			    why.text, bad[i].want);
		sample_free(raw);
	}
	arena_free(arena);
}

/* test_cut - cut at every byte: never a report, never a crash */
static void
test_cut(void **state)
{
	struct arena *arena = arena_new(1 << 16, 0);
	struct rua r;
	struct why why;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct slice raw = sample("rua", good[i]);

		for (size_t n = 0; n < raw.n; n++) {
			char *copy = malloc(n > 0 ? n : 1);
			int rc;

			memcpy(copy, raw.p, n);
			rc = rua_read((struct slice){ copy, n }, arena, &r,
			    &why);
			/* The trailers of gzip and zip may be missing. */
			if (rc == 0 && n + 400 < raw.n)
				fail_msg("%s cut at %zu was read", good[i], n);
			arena_reset(arena);
			free(copy);
		}
		sample_free(raw);
	}
	arena_free(arena);
}

struct flow {
	size_t	 n;
};

/* count - a sink */
static int
count(void *to, const void *bytes, size_t n, struct why *why)
{
	(void)bytes;
	(void)why;
	((struct flow *)to)->n += n;
	return 0;
}

/* gzipped - n bytes of one letter, or of noise */
static struct slice
gzipped(size_t n, bool noise)
{
	z_stream z = { .avail_in = 0 };
	char *in = malloc(n), *out;
	unsigned seed = 1;
	size_t room;

	for (size_t i = 0; i < n; i++)
		in[i] = noise ? (char)((seed = seed * 1103515245 + 12345) >>
		    16) : ' ';
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8,
	    Z_DEFAULT_STRATEGY), Z_OK);
	room = deflateBound(&z, n);
	out = malloc(room);
	z.next_in = (Bytef *)in;
	z.avail_in = (uInt)n;
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	n = room - z.avail_out;
	deflateEnd(&z);
	free(in);
	return (struct slice){ out, n };
}

/* test_bombs - stopped on the way */
static void
test_bombs(void **state)
{
	struct slice bomb = gzipped(100 << 20, false);
	struct flow flow = { 0 };
	struct why why;
	char *large;

	(void)state;
	assert_int_equal(unpack(bomb, count, &flow, &why), -1);
	assert_true(text_has(slice_of(why.text), "200 times"));
	assert_in_range(flow.n, 1, 32 << 20);
	sample_free(bomb);

	/* Two in one: what is unpacked is not unpacked again. */
	bomb = gzipped(3 << 20, true);
	flow.n = 0;
	assert_int_equal(unpack(bomb, count, &flow, &why), 0);
	assert_int_equal(flow.n, 3 << 20);
	sample_free(bomb);

	large = calloc(1, UNPACK_IN + 1);
	assert_int_equal(unpack((struct slice){ large, UNPACK_IN + 1 }, count,
	    &flow, &why), -1);
	assert_true(text_has(slice_of(why.text), "more than 10 MiB"));
	flow.n = 0;
	assert_int_equal(unpack((struct slice){ large, UNPACK_IN }, count,
	    &flow, &why), 0);
	assert_int_equal(flow.n, UNPACK_IN);
	free(large);
}

/* test_out - a modest ratio, but too much in all */
static void
test_out(void **state)
{
	struct buf xml = BUF_INIT;
	struct flow flow = { 0 };
	z_stream z = { .avail_in = 0 };
	size_t room = 10 << 20;
	char *out = malloc(room);
	struct why why;
	unsigned seed = 7;

	(void)state;
	for (int i = 0; i < (70 << 20) / 16; i++)
		buf_printf(&xml, "%08x        ", (seed = seed * 1103515245 +
		    12345) >> 20);
	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, MAX_WBITS + 16, 8,
	    Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)xml.data;
	z.avail_in = (uInt)xml.len;
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)room;
	(void)deflate(&z, Z_FINISH);
	deflateEnd(&z);
	assert_int_equal(unpack((struct slice){ out, room - z.avail_out },
	    count, &flow, &why), -1);
	assert_in_range(flow.n, 1, UNPACK_OUT);
	free(out);
	buf_free(&xml);
}

/* test_zip - headers that lie */
static void
test_zip(void **state)
{
	struct slice zip = sample("rua", "zip");
	char *p = (char *)(uintptr_t)zip.p;
	struct flow flow = { 0 };
	struct why why;

	(void)state;
	p[6] |= 1;
	assert_int_equal(unpack(zip, count, &flow, &why), -1);
	assert_true(text_has(slice_of(why.text), "encrypted"));
	p[6] &= ~1;
	p[8] = 12;
	assert_int_equal(unpack(zip, count, &flow, &why), -1);
	assert_true(text_has(slice_of(why.text), "method (12)"));
	p[8] = 0;
	memset(p + 18, 0xff, 4);
	assert_int_equal(unpack(zip, count, &flow, &why), -1);
	p[8] = 8;
	memset(p + 26, 0xff, 4);
	assert_int_equal(unpack(zip, count, &flow, &why), -1);
	assert_true(text_has(slice_of(why.text), "header"));
	sample_free(zip);
}

/* test_token - a name, and an attribute, that never end */
static void
test_token(void **state)
{
	struct arena *arena = arena_new(1 << 16, 0);
	struct buf xml = BUF_INIT;
	struct rua r;
	struct why why;

	(void)state;
	for (int i = 0; i < 2; i++) {
		buf_reset(&xml);
		buf_str(&xml, i == 0 ? "<feedback a='" : "<feedback><");
		for (int j = 0; j < 9 << 20; j++)
			buf_char(&xml, 'x');
		assert_int_equal(rua_read(buf_slice(&xml), arena, &r, &why),
		    -1);
	}
	buf_free(&xml);
	arena_free(arena);
}

/* test_many - records beyond the bound are counted */
static void
test_many(void **state)
{
	struct arena *arena = arena_new(1 << 16, 0);
	struct slice plain = sample("rua", "plain.xml");
	size_t at = text_find(plain, "<record>");
	struct buf xml = BUF_INIT;
	struct rua r;
	struct why why;

	(void)state;
	buf_slices(&xml, slice_cut(plain, at));
	for (int i = 0; i < RUA_RECORDS + 5; i++)
		buf_printf(&xml, "<record><row><source_ip>10.%d.%d.%d"
		    "</source_ip><count>1</count></row></record>", i >> 16,
		    i >> 8 & 255, i & 255);
	buf_str(&xml, "</feedback>");
	assert_int_equal(rua_read(buf_slice(&xml), arena, &r, &why), 0);
	assert_int_equal(r.n, RUA_RECORDS);
	assert_int_equal(r.more, 5);
	assert_true(slice_is(r.records[RUA_RECORDS - 1].source, "10.0.78.31"));
	buf_free(&xml);
	sample_free(plain);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_out),
		cmocka_unit_test(test_zip),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
