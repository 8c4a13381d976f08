/*
 * floor - the small things that everything stands on: arenas, buffers, the
 * wire, maps, hashes against published values, and the clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/map.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/why.h"
#include "lib/wire.h"

/* --- arena ---------------------------------------------------------------- */

static void
arena_memory_is_zeroed_and_aligned(void **state)
{
	static const unsigned char zero[5000];
	struct arena *a = arena_new(64, 0);
	unsigned char *p;
	int round;
	size_t n;

	(void)state;
	for (round = 0; round < 3; round++) {
		for (n = 0; n < 5000; n += 37) {
			p = arena_alloc(a, n);
			assert_non_null(p);
			assert_int_equal((uintptr_t)p % _Alignof(max_align_t),
			    0);
			assert_memory_equal(p, zero, n);
			memset(p, 0xa5, n);
		}
		arena_reset(a);
		assert_int_equal(arena_used(a), 64);
	}
	arena_free(a);
	arena_free(NULL);
}

static void
arena_keeps_its_limit(void **state)
{
	struct arena *a = arena_new(64, 1000);
	size_t taken = 0;

	(void)state;
	while (arena_alloc(a, 16) != NULL)
		taken += 16;
	assert_true(taken >= 900 && taken <= 1000);
	assert_true(arena_used(a) <= 1000);
	assert_null(arena_copy(a, SLICE("0123456789abcdef")).p);
	assert_null(arena_printf(a, "%0100d", 7));
	arena_reset(a);
	assert_non_null(arena_alloc(a, 64));
	assert_null(arena_alloc(a, 937));
	assert_null(arena_alloc(a, SIZE_MAX));
	assert_null(arena_alloc(a, SIZE_MAX - 4));
	assert_null(arena_array(a, SIZE_MAX / 2, 3));
	arena_free(a);
}

static void
arena_copies(void **state)
{
	struct arena *a = arena_new(64, 0);
	struct slice s = arena_copy(a, (struct slice){ "a\0b", 3 });

	(void)state;
	assert_int_equal(s.n, 3);
	assert_memory_equal(s.p, "a\0b", 4);
	s = arena_copy(a, (struct slice){ "", 0 });
	assert_non_null(s.p);
	assert_int_equal(s.n, 0);
	assert_string_equal(arena_printf(a, "%s-%d", "x", 5), "x-5");
	arena_free(a);
}

/* --- buf ------------------------------------------------------------------ */

static const struct { const char *text; size_t n; const char *want; } json[] = {
	{ "", 0, "\"\"" },
	{ "plain text", 10, "\"plain text\"" },
	{ "\"\\/", 3, "\"\\\"\\\\/\"" },
	{ "a\0b\n\x1f", 5, "\"a\\u0000b\\u000a\\u001f\"" },
	{ "\x7f", 1, "\"\\u007f\"" },
	{ "J\xc3\xbcrgen", 7, "\"J\xc3\xbcrgen\"" },
	{ "\xf0\x9f\x93\xac", 4, "\"\xf0\x9f\x93\xac\"" },
	{ "\xff" "a", 2, "\"\xef\xbf\xbd" "a\"" },
	{ "a\xc3", 2, "\"a\xef\xbf\xbd\"" },		/* cut */
	{ "\xc0\xaf", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"" },	/* overlong */
	{ "\xed\xa0\x80", 3,				/* a surrogate */
	  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "\xf4\x90\x80\x80", 4,			/* above U+10FFFF */
	  "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
};

static void
buf_json_is_always_json(void **state)
{
	struct buf b = BUF_INIT;
	int wrong = 0;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(json) / sizeof(json[0]); i++) {
		buf_reset(&b);
		buf_json(&b, (struct slice){ json[i].text, json[i].n });
		if (slice_is(buf_slice(&b), json[i].want))
			continue;
		print_error("got %.*s, want %s\n", SLICE_ARG(buf_slice(&b)),
		    json[i].want);
		wrong++;
	}
	buf_free(&b);
	assert_int_equal(wrong, 0);
}

static void
buf_grows_and_fails_for_good(void **state)
{
	struct buf b = BUF_INIT;
	int i;

	(void)state;
	assert_int_equal(buf_slice(&b).n, 0);
	assert_non_null(buf_slice(&b).p);
	for (i = 0; i < 100000; i++)
		buf_printf(&b, "%d,", i % 10);
	buf_char(&b, '.');
	buf_add(&b, NULL, 0);
	assert_int_equal(b.len, 200001);
	assert_memory_equal(b.data + 199998, "9,.", 3);
	assert_false(buf_failed(&b));
	assert_null(buf_room(&b, SIZE_MAX / 2));
	assert_true(buf_failed(&b));
	buf_str(&b, "more");
	buf_printf(&b, "more");
	assert_int_equal(b.len, 200001);
	buf_reset(&b);
	assert_false(buf_failed(&b));
	buf_free(&b);
	assert_null(b.data);
}

/* --- wire ----------------------------------------------------------------- */

static void
wire_brings_back_what_was_put(void **state)
{
	struct buf b = BUF_INIT;
	struct slice s;
	struct wire w;
	char bytes[3];

	(void)state;
	put_u8(&b, 0xfe);
	put_u16(&b, 0xfedc);
	put_u32(&b, 0xfedcba98);
	put_u64(&b, UINT64_C(0xfedcba9876543210));
	put_i64(&b, INT64_MIN);
	put_bytes(&b, "xyz", 3);
	put_field(&b, SLICE("field"));
	put_field(&b, (struct slice){ "", 0 });
	put_field(&b, SLICE_NONE);
	assert_memory_equal(b.data, "\xfe\xdc\xfe\x98\xba\xdc\xfe", 7);
	w = wire_of(buf_slice(&b));
	assert_int_equal(get_u8(&w), 0xfe);
	assert_int_equal(get_u16(&w), 0xfedc);
	assert_true(get_u32(&w) == 0xfedcba98);
	assert_true(get_u64(&w) == UINT64_C(0xfedcba9876543210));
	assert_true(get_i64(&w) == INT64_MIN);
	get_bytes(&w, bytes, 3);
	assert_memory_equal(bytes, "xyz", 3);
	s = get_field(&w);
	assert_true(slice_is(s, "field"));
	assert_int_equal(get_field(&w).n, 0);
	assert_int_equal(get_field(&w).n, 0);
	assert_false(w.bad);
	assert_ptr_equal(w.p, w.end);
	buf_free(&b);
}

static void
wire_past_the_end_is_bad_for_ever(void **state)
{
	static const char bytes[] = { 1, 2, 3, 4, 5, 6, 7 };
	struct slice all = { bytes, sizeof(bytes) };
	char out[8] = "xxxxxxx";
	struct wire w;

	(void)state;
	w = wire_of(all);
	assert_int_equal(get_u64(&w), 0);
	assert_true(w.bad);
	assert_int_equal(get_u8(&w), 0);	/* though there is one */
	w = wire_of(all);
	get_bytes(&w, out, 8);
	assert_true(w.bad);
	assert_memory_equal(out, "\0\0\0\0\0\0\0\0", 8);
	/* A length of 0x04030201, and one that is one too long. */
	w = wire_of(all);
	assert_null(get_field(&w).p);
	assert_true(w.bad);
	w = wire_of((struct slice){ "\4\0\0\0abc", 7 });
	assert_null(get_field(&w).p);
	assert_true(w.bad);
	w = wire_of((struct slice){ "\3\0\0\0abc", 7 });
	assert_true(slice_is(get_field(&w), "abc"));
	assert_false(w.bad);
	w = wire_of(SLICE_NONE);
	assert_int_equal(get_u8(&w), 0);
	assert_true(w.bad);
}

static void
be64_keys_sort_as_numbers(void **state)
{
	static const uint64_t v[] = { 0, 1, 255, 256, UINT64_C(1) << 32,
		UINT64_MAX };
	uint8_t a[8], b[8];
	size_t i;

	(void)state;
	for (i = 1; i < sizeof(v) / sizeof(v[0]); i++) {
		be64_put(a, v[i - 1]);
		be64_put(b, v[i]);
		assert_true(memcmp(a, b, 8) < 0);
		assert_true(be64_get(b) == v[i]);
	}
}

/* --- map ------------------------------------------------------------------ */

#define KEYS	50000

static void
map_holds_many_keys(void **state)
{
	struct map *m = map_new();
	char (*keys)[16] = calloc(KEYS, sizeof(*keys));
	unsigned char *seen = calloc(KEYS, 1);
	struct slice key;
	void *value, *old;
	size_t at = 0, n = 0;
	int i;

	(void)state;
	for (i = 0; i < KEYS; i++) {
		snprintf(keys[i], sizeof(keys[i]), "key%d", i);
		assert_int_equal(map_add(m, slice_of(keys[i]), keys[i], &old),
		    0);
		assert_null(old);
	}
	assert_int_equal(map_count(m), KEYS);
	/* The value that was there stays. */
	assert_int_equal(map_add(m, SLICE("key7"), keys[0], &old), 0);
	assert_ptr_equal(old, keys[7]);
	assert_ptr_equal(map_get(m, SLICE("key7")), keys[7]);
	assert_int_equal(map_set(m, slice_of(keys[7]), keys[8]), 0);
	assert_ptr_equal(map_get(m, SLICE("key7")), keys[8]);
	assert_int_equal(map_set(m, slice_of(keys[7]), keys[7]), 0);
	/* Every third goes; the others must still be found. */
	for (i = 0; i < KEYS; i += 3)
		assert_ptr_equal(map_remove(m, slice_of(keys[i])), keys[i]);
	assert_null(map_remove(m, SLICE("key0")));
	for (i = 0; i < KEYS; i++)
		assert_ptr_equal(map_get(m, slice_of(keys[i])),
		    i % 3 == 0 ? NULL : keys[i]);
	while (map_next(m, &at, &key, &value)) {
		i = (int)((char (*)[16])value - keys);
		assert_true(slice_is(key, keys[i]) && seen[i]++ == 0);
		n++;
	}
	assert_int_equal(n, KEYS - (KEYS + 2) / 3);
	assert_int_equal(map_count(m), n);
	map_free(m);
	map_free(NULL);
	free(keys);
	free(seen);
}

static void
map_keys_are_bytes(void **state)
{
	struct map *m = map_new();
	int a, b, c;

	(void)state;
	assert_int_equal(map_set(m, (struct slice){ "a\0b", 3 }, &a), 0);
	assert_int_equal(map_set(m, (struct slice){ "a\0c", 3 }, &b), 0);
	assert_int_equal(map_set(m, (struct slice){ "", 0 }, &c), 0);
	assert_ptr_equal(map_get(m, (struct slice){ "a\0b", 3 }), &a);
	assert_ptr_equal(map_get(m, (struct slice){ "a\0c", 3 }), &b);
	assert_ptr_equal(map_get(m, (struct slice){ "", 0 }), &c);
	assert_null(map_get(m, SLICE("a")));
	map_free(m);
}

/* --- hash ----------------------------------------------------------------- */

/* hex - bytes as text */
static const char *
hex(const uint8_t *p, size_t n)
{
	static char out[2 * HASH_SHA256 + 1];
	size_t i;

	for (i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
	return out;
}

static void
sha256_as_published(void **state)
{
	static const char two_blocks[] =
	    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	struct hash_sha256_ctx *ctx = hash_sha256_new();
	uint8_t out[HASH_SHA256];
	size_t i;

	(void)state;
	/* FIPS 180-2, appendix B */
	hash_sha256("abc", 3, out);
	assert_string_equal(hex(out, sizeof(out)), "ba7816bf8f01cfea414140de"
	    "5dae2223b00361a396177a9cb410ff61f20015ad");
	hash_sha256("", 0, out);
	assert_string_equal(hex(out, sizeof(out)), "e3b0c44298fc1c149afbf4c8"
	    "996fb92427ae41e4649b934ca495991b7852b855");
	hash_sha256_add(ctx, "to be forgotten", 15);
	hash_sha256_reset(ctx);
	for (i = 0; i < sizeof(two_blocks) - 1; i++)
		hash_sha256_add(ctx, two_blocks + i, 1);
	hash_sha256_end(ctx, out);
	assert_string_equal(hex(out, sizeof(out)), "248d6a61d20638b8e5c02693"
	    "0c3e6039a33ce45964ff2167f6ecedd419db06c1");
	hash_sha256_free(ctx);
	hash_sha256_free(NULL);
}

static void
ids_are_for_ever(void **state)
{
	(void)state;
	/* The head of SHA-256("tenant\0acme"), and of another kind. */
	assert_true(hash_id("tenant", SLICE("acme")) ==
	    UINT64_C(0xd2e79529ba2c46b2));
	assert_true(hash_id("group", SLICE("acme")) ==
	    UINT64_C(0x4af2492bcbb32c65));
}

static void
siphash_as_published(void **state)
{
	static const struct { size_t n; const char *want; } vectors[] = {
		{ 0, "a3817f04ba25a8e66df67214c7550293" },
		{ 1, "da87c1d86b99af44347659119b22fc45" },
		{ 8, "3b62a9ba6258f5610f83e264f31497b4" },
		{ 15, "5493e99933b0a8117e08ec0f97cfc3d9" },
		{ 63, "5150d1772f50834a503e069a973fbd7c" },
	};
	uint8_t in[64], out[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		hash_128(in, vectors[i].n, out);
		assert_string_equal(hex(out, 16), vectors[i].want);
	}
	assert_true(hash_64(1, in, 8) != hash_64(2, in, 8));
	assert_true(hash_64(1, in, 8) != hash_64(1, in, 9));
}

static void
base64_as_published(void **state)
{
	/* RFC 4648, section 10 */
	static const struct { const char *plain, *coded; } vectors[] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
	};
	static const char *const bad[] = { "Zg=", "Zg", "Z", "=", "====",
		"Zg==Zg==", "Zm9v!", "Zm-v", "Z\xc3\xa4==" };
	uint8_t out[16];
	char text[16];
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		n = strlen(vectors[i].plain);
		assert_int_equal(base64_len(n), strlen(vectors[i].coded));
		assert_int_equal(base64_encode(vectors[i].plain, n, text),
		    base64_len(n));
		assert_memory_equal(text, vectors[i].coded, base64_len(n));
		assert_int_equal(base64_decode(slice_of(vectors[i].coded),
		    out), n);
		assert_memory_equal(out, vectors[i].plain, n);
	}
	assert_int_equal(base64_decode(SLICE(" Zm\r\n\t9v "), out), 3);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (base64_decode(slice_of(bad[i]), out) != -1)
			fail_msg("\"%s\" was taken", bad[i]);
}

/* --- clock ---------------------------------------------------------------- */

static void
clock_stands_still_when_set(void **state)
{
	(void)state;
	clock_set(5 * CLOCK_DAY);
	assert_true(clock_now() == 5 * CLOCK_DAY);
	assert_true(clock_now() == 5 * CLOCK_DAY);
	clock_set(4 * CLOCK_DAY);		/* a test may go back */
	assert_true(clock_now() == 4 * CLOCK_DAY);
	clock_set(0);
	assert_true(clock_now() > 365 * CLOCK_DAY);
}

static void
clock_starts_at_the_wall(void **state)
{
	int64_t wall = clock_wall(), now, i;

	(void)state;
	clock_start(0);
	now = clock_now();
	assert_true(now >= wall && now < wall + CLOCK_MINUTE);
	for (i = 0; i < 1000; i++) {
		wall = clock_now();
		assert_true(wall >= now);
		now = wall;
	}
	assert_true(clock_jumped() == 0);
	assert_true(clock_mono() <= clock_mono());
}

static void
clock_starts_no_earlier_than_what_was_stored(void **state)
{
	int64_t stored = clock_wall() + CLOCK_HOUR;

	(void)state;
	clock_start(stored);
	assert_true(clock_now() >= stored);
	assert_true(clock_now() < stored + CLOCK_MINUTE);
	assert_true(clock_jumped() == 0);
	/* By so much that somebody must look at it. */
	stored = clock_wall() + 100 * CLOCK_DAY;
	clock_start(stored);
	assert_true(clock_now() >= stored);
	assert_true(clock_jumped() < -99 * CLOCK_DAY);
	clock_start(0);
	assert_true(clock_jumped() == 0);
}

/* --- why, text ------------------------------------------------------------ */

static void
reasons_are_sentences(void **state)
{
	struct why why;
	char word[600];

	(void)state;
	assert_int_equal(why_kind(&why, WHY_BUSY, "a %d", 1), -1);
	assert_int_equal(why_in(&why, "in %s", "b"), -1);
	assert_string_equal(why.text, "in b: a 1");
	assert_int_equal(why.kind, WHY_BUSY);
	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(why_set(&why, "%s", word), -1);
	assert_int_equal(strlen(why.text), sizeof(why.text) - 1);
	assert_int_equal(why_in(&why, "cut"), -1);
	assert_memory_equal(why.text, "cut: www", 8);
}

static const struct { const char *text, *want; } quotes[] = {
	{ "", "\"\"" }, { "acme", "\"acme\"" },
	{ "a\"b\\", "\"a\\\"b\\\\\"" },
	{ "\x1b[2J\n", "\"\\x1b[2J\\x0a\"" },
	{ "\x7f\xff", "\"\\x7f\\xff\"" },
	{ "\xc3\xbc", "\"\xc3\xbc\"" },
	{ "\xc2\x9b", "\"\\xc2\\x9b\"" },		/* CSI, as a C1 byte */
	{ "\xe2\x80\xae", "\"\\xe2\\x80\\xae\"" },	/* right to left */
	{ "\xe2\x80\x9c", "\"\xe2\x80\x9c\"" },
	{ "0123456789012345678901234567890123456789012345678",
	  "\"012345678901234567890123456789012345678901234567...\"" },
	{ "01234567890123456789012345678901234567890123456\xc3\xbc",
	  "\"01234567890123456789012345678901234567890123456...\"" },
};

static void
quoted_text_does_no_harm(void **state)
{
	char all[TEXT_QUOTED + 1];
	struct quoted q;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(quotes) / sizeof(quotes[0]); i++)
		assert_string_equal(text_quote(slice_of(quotes[i].text), &q),
		    quotes[i].want);
	/* The longest there is. */
	memset(all, 0xff, sizeof(all));
	text_quote((struct slice){ all, sizeof(all) }, &q);
	assert_int_equal(strlen(q.s), TEXT_QUOTED * 4 + 5);
}

static void
lines_that_strangers_cause_are_so_many_in_a_minute(void **state)
{
	struct log_pace p = { 0 };
	unsigned left, said = 0;

	(void)state;
	for (int i = 0; i < 10 * LOG_PACE; i++) {
		said += log_pace(&p, CLOCK_MINUTE + i, &left);
		assert_int_equal(left, 0);
	}
	assert_int_equal(said, LOG_PACE);
	/* the next minute begins with how many there were more, once */
	assert_true(log_pace(&p, 2 * CLOCK_MINUTE, &left));
	assert_int_equal(left, 9 * LOG_PACE);
	assert_true(log_pace(&p, 2 * CLOCK_MINUTE + 1, &left));
	assert_int_equal(left, 0);
	/* a quiet hour later as well */
	assert_true(log_pace(&p, 90 * CLOCK_MINUTE, &left));
	assert_int_equal(left, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_memory_is_zeroed_and_aligned),
		cmocka_unit_test(arena_keeps_its_limit),
		cmocka_unit_test(arena_copies),
		cmocka_unit_test(buf_json_is_always_json),
		cmocka_unit_test(buf_grows_and_fails_for_good),
		cmocka_unit_test(wire_brings_back_what_was_put),
		cmocka_unit_test(wire_past_the_end_is_bad_for_ever),
		cmocka_unit_test(be64_keys_sort_as_numbers),
		cmocka_unit_test(map_holds_many_keys),
		cmocka_unit_test(map_keys_are_bytes),
		cmocka_unit_test(sha256_as_published),
		cmocka_unit_test(ids_are_for_ever),
		cmocka_unit_test(siphash_as_published),
		cmocka_unit_test(base64_as_published),
		cmocka_unit_test(clock_stands_still_when_set),
		cmocka_unit_test(clock_starts_at_the_wall),
		cmocka_unit_test(clock_starts_no_earlier_than_what_was_stored),
		cmocka_unit_test(reasons_are_sentences),
		cmocka_unit_test(quoted_text_does_no_harm),
		cmocka_unit_test(
		    lines_that_strangers_cause_are_so_many_in_a_minute),
	};

	return cmocka_run_group_tests_name("floor", tests, NULL, NULL);
}
