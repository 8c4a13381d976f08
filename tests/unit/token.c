/*
 * token - made and read back, cut at every byte, forged in every way that a
 * stranger has, and compared with an AES-SIV that somebody else wrote
 * (RFC 5297 A.1 cannot be used: it is a 128-bit one; the values below came
 * from the AESSIV class of Python's cryptography package).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/token.h"

/* bytes 00 01 ... 3f */
#define KEY1 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" \
	"202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
/* bytes ff fe ... c0 */
#define KEY2 "fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0efeeedecebeae9e8e7e6e5e4e3e2e1e0" \
	"dfdedddcdbdad9d8d7d6d5d4d3d2d1d0cfcecdcccbcac9c8c7c6c5c4c3c2c1c0"

static char dir[] = "/tmp/penstock-token-XXXXXX", path[64];
static struct arena *arena;

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL || (arena = arena_new(65536, 0)) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/token.keys", dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	unlink(path);
	return rmdir(dir);
}

/* put - the file of keys */
static void
put(const char *text, mode_t mode)
{
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd != -1);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* ring_of - loaded, or the test fails */
static struct token_ring *
ring_of(const char *text)
{
	struct token_ring *ring = NULL;
	struct why why;

	put(text, 0600);
	if (token_ring_load(&ring, path, &why) == -1)
		fail_msg("%s", why.text);
	return ring;
}

/* made - the text of a token */
static struct slice
made(const struct token_ring *ring, uint64_t tenant, uint64_t list,
    struct slice recipient)
{
	struct token t = { .tenant = tenant, .list = list,
	    .recipient = recipient };
	struct slice text = SLICE_NONE;
	struct why why;

	if (token_make(ring, &t, arena, &text, &why) == -1)
		fail_msg("%s", why.text);
	return text;
}

/* reads - does that text read? */
static int
reads(const struct token_ring *ring, struct slice text, struct token *t)
{
	struct why why;
	int rc = token_read(ring, text, arena, t, &why);

	if (rc == -1)
		fail_msg("%s", why.text);
	return rc;
}

static void
what_was_made_reads_the_same_for_every_length(void **state)
{
	struct token_ring *ring = ring_of("1 " KEY1 "\n");
	char address[TOKEN_RECIPIENT_MAX];
	struct token t;
	struct slice text;

	(void)state;
	memset(address, 'a', sizeof(address));
	for (size_t n = 1; n <= sizeof(address); n++) {
		arena_reset(arena);
		text = made(ring, n * 7919, UINT64_MAX - n,
		    (struct slice){ address, n });
		assert_int_equal(reads(ring, text, &t), 1);
		assert_true(t.tenant == n * 7919 && t.list == UINT64_MAX - n);
		assert_int_equal(t.version, 1);
		assert_int_equal(t.key, 1);
		assert_int_equal(t.recipient.n, n);
		assert_memory_equal(t.recipient.p, address, n);
		assert_true(text.n <= TOKEN_MAX);
		if (n == 64)
			assert_int_equal(text.n, 131);	/* <= 200 */
		for (size_t i = 0; i < text.n; i++)
			assert_non_null(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "abcdefghijklmnopqrstuvwxyz0123456789-_",
			    text.p[i]));
	}
	assert_int_equal(text.n, TOKEN_MAX);
	token_ring_free(ring);
}

static void
addresses_that_do_not_fit_are_refused(void **state)
{
	struct token_ring *ring = ring_of("1 " KEY1);
	char address[TOKEN_RECIPIENT_MAX + 1] = "a";
	struct token t = { .recipient = { address, sizeof(address) } };
	struct slice text;
	struct why why;

	(void)state;
	assert_int_equal(token_make(ring, &t, arena, &text, &why), -1);
	assert_string_equal(why.text, "the recipient has 321 bytes; a token "
	    "holds at most 320");
	t.recipient.n = 0;
	assert_int_equal(token_make(ring, &t, arena, &text, &why), -1);
	assert_string_equal(why.text, "a token needs a recipient");
	token_ring_free(ring);
}

static void
another_implementation_makes_the_same(void **state)
{
	struct token_ring *ring = ring_of("1 " KEY1 "\n200 " KEY2 "\n");
	struct token_short s = { .id = UINT64_C(0x0123456789abcdef) };
	char out[TOKEN_SHORT + 1];
	struct slice text;
	struct why why;

	(void)state;
	text = made(ring, UINT64_C(0x1122334455667788), 5,
	    SLICE("ann@example.org"));
	assert_string_equal(text.p,
	    "AciTAfCoQK3SlIc2IVjJcjLf8AXd6K1tzaZdNPUOkn_y3X1bgs5mOlyYeNNeD0e15Q");
	assert_int_equal(token_short_make(ring, &s, out, &why), 0);
	assert_string_equal(out, "aheo7tnlrftukiyb5r4nl737g4v3kek6");
	assert_int_equal(s.key, 200);
	token_ring_free(ring);
}

static void
a_token_cut_or_longer_is_none(void **state)
{
	struct token_ring *ring = ring_of("1 " KEY1);
	struct slice text = made(ring, 1, 2, SLICE("a@b.example"));
	char *more = arena_alloc(arena, text.n + 9);
	struct token t;

	(void)state;
	for (size_t n = 0; n < text.n; n++) {
		char *cut = malloc(n > 0 ? n : 1);

		assert_non_null(cut);
		memcpy(cut, text.p, n);
		assert_int_equal(reads(ring, (struct slice){ cut, n }, &t), 0);
		assert_int_equal(reads(ring, slice_from(text, n + 1), &t), 0);
		free(cut);
	}
	memcpy(more, text.p, text.n);
	for (size_t n = 1; n < 9; n++) {
		more[text.n + n - 1] = "A=A \n.-_"[n - 1];
		assert_int_equal(reads(ring,
		    (struct slice){ more, text.n + n }, &t), 0);
	}
	token_ring_free(ring);
}

static void
every_other_character_anywhere_is_refused(void **state)
{
	struct token_ring *ring = ring_of("1 " KEY1);
	struct slice text = made(ring, 1, 2, SLICE("ann@b.example"));
	char *bad = arena_copy(arena, text).p != NULL ? malloc(text.n) : NULL;
	struct token t;
	unsigned tried = 0;

	(void)state;
	assert_non_null(bad);
	for (size_t i = 0; i < text.n; i++) {
		memcpy(bad, text.p, text.n);
		for (int c = 0; c < 256; c++) {
			if ((char)c == text.p[i])
				continue;
			bad[i] = (char)c;
			tried++;
			assert_int_equal(reads(ring,
			    (struct slice){ bad, text.n }, &t), 0);
		}
	}
	assert_int_equal(tried, text.n * 255);
	free(bad);
	token_ring_free(ring);
}

/* many - how many forgeries: the full million with ROUNDS=1000 */
static long
many(void)
{
	const char *rounds = getenv("ROUNDS");

	long n = rounds != NULL ? atol(rounds) : 50;

	return (n < 1000 ? n : 1000) * 1000;
}

static void
forged_tokens_are_never_accepted(void **state)
{
	struct token_ring *ring = ring_of("1 " KEY1 "\n2 " KEY2);
	struct token_ring *other = ring_of("1 " KEY2 "\n2 " KEY1);
	static char forged[TOKEN_MAX + 8];
	uint64_t seed = 88172645463325252u;
	long accepted = 0, tried = many();
	struct slice genuine = made(ring, 3, 4, SLICE("bob@example.org"));
	struct token t;

	(void)state;
	for (long i = 0; i < tried; i++) {
		uint64_t r = seed = hash_64(seed, &i, sizeof(i));
		struct slice text = genuine;
		size_t at = (r >> 8) % genuine.n;

		if (i % 64 == 0) {
			arena_reset(arena);
			genuine = made(ring, r, r >> 7, (struct slice){
			    "somebody.with.a.name@example.org",
			    1 + r % 32 });
			text = genuine;
			at = (r >> 8) % genuine.n;
		}
		memcpy(forged, genuine.p, genuine.n);
		switch (r % 5) {
		case 0:			/* another character */
			forged[at] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
			    "opqrstuvwxyz0123456789-_"[(r >> 40) % 64];
			text = (struct slice){ forged, genuine.n };
			break;
		case 1:			/* cut */
			text.n = at;
			break;
		case 2:			/* extended */
			for (size_t k = 0; k < 1 + (r >> 50) % 8; k++)
				forged[genuine.n + k] = forged[(at + k) %
				    genuine.n];
			text = (struct slice){ forged, genuine.n + 1 +
			    (r >> 50) % 8 };
			break;
		case 3:			/* another house's key, same number */
			text = made(other, r, 4, SLICE("bob@example.org"));
			break;
		default:		/* two tokens crossed */
			text = made(ring, r, 9, SLICE("eve@example.org"));
			at = at < text.n ? at : text.n;
			memcpy(forged, genuine.p, at);
			memcpy(forged + at, text.p + at, text.n - at);
			if (at < 8)	/* both begin with the same head */
				forged[20] ^= 1;
			text = (struct slice){ forged, text.n };
			break;
		}
		if (slice_eq(text, genuine))
			continue;
		accepted += reads(ring, text, &t);
	}
	print_message("%ld forged, %ld accepted\n", tried, accepted);
	assert_int_equal(accepted, 0);
	token_ring_free(ring);
	token_ring_free(other);
}

#define T32	"abcdefghijklmnopqrstuvwxyz234567"

static const struct {
	const char	*path, *token;		/* NULL: none */
} paths[] = {
	{ "b+" T32 "@bounce.acme.example", T32 },
	{ "B+" T32, T32 },
	{ "b.b2b1-google." T32 "@bounce.acme.example", T32 },
	{ "B.X." T32, T32 },
	{ "b+@x.example", "" },
	{ "b.x.@x.example", "" },
	{ "b.j.smith@x.example", "smith" },	/* no token of 32 */
	{ "b.x.y.z@x.example", "y.z" },
	{ "b..z@x.example", NULL },
	{ "b.smith@x.example", NULL },
	{ "bob@x.example", NULL },
	{ "b@x.example", NULL },
	{ "@x.example", NULL },
	{ "", NULL },
	{ "c+" T32, NULL },
};

static void
tokens_are_found_in_return_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct slice text = slice_of(paths[i].path), got =
		    token_in_path(text);

		if ((got.p == NULL) != (paths[i].token == NULL) ||
		    (got.p != NULL && !slice_is(got, paths[i].token)))
			fail_msg("%s: got %.*s", paths[i].path,
			    SLICE_ARG(got));
		/* cut anywhere, it stays within what there is */
		for (size_t n = 0; n < text.n; n++) {
			struct slice cut = { text.p, n };

			got = token_in_path(cut);
			assert_true(got.p == NULL || (got.p >= cut.p &&
			    got.p + got.n <= cut.p + cut.n));
		}
	}
	assert_null(token_in_path(SLICE_NONE).p);
}

static void
short_tokens_come_back_in_any_case(void **state)
{
	struct token_ring *ring = ring_of("7 " KEY1);
	struct token_ring *other = ring_of("7 " KEY2);
	char text[TOKEN_SHORT + 1], upper[TOKEN_SHORT + 1], bad[64];
	struct token_short t, got;
	struct why why;

	(void)state;
	for (int round = 0; round < 200; round++) {
		assert_int_equal(token_short_id(&t.id, &why), 0);
		assert_int_equal(token_short_make(ring, &t, text, &why), 0);
		assert_int_equal(strlen(text), TOKEN_SHORT);
		for (size_t i = 0; i <= TOKEN_SHORT; i++)
			upper[i] = (char)(text[i] >= 'a' ? text[i] - 32 :
			    text[i]);
		assert_int_equal(token_short_read(ring, slice_of(upper), &got,
		    &why), 1);
		assert_true(got.id == t.id && got.key == 7);
		assert_int_equal(token_short_read(other, slice_of(text), &got,
		    &why), 0);
		for (size_t i = 0; i < TOKEN_SHORT; i++) {
			memcpy(bad, text, sizeof(text));
			bad[i] = bad[i] == 'a' ? 'b' : 'a';
			assert_int_equal(token_short_read(ring, slice_of(bad),
			    &got, &why), 0);
			assert_int_equal(token_short_read(ring,
			    (struct slice){ text, i }, &got, &why), 0);
		}
		snprintf(bad, sizeof(bad), "%sa", text);
		assert_int_equal(token_short_read(ring, slice_of(bad), &got,
		    &why), 0);
	}
	token_ring_free(ring);
	token_ring_free(other);
}

static void
old_keys_verify_and_the_newest_makes(void **state)
{
	struct token_ring *ring = ring_of("1 " KEY1), *next;
	struct slice old = made(ring, 1, 2, SLICE("a@b.example")), new;
	struct stat st;
	struct token t;
	struct why why;
	uint8_t number;
	size_t keys;

	(void)state;
	assert_false(token_ring_changed(ring));
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(token_ring_add(path, &number, &why), 0);
	assert_int_equal(number, 2);
	assert_true(token_ring_changed(ring));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0400);
	assert_int_equal(token_ring_load(&next, path, &why), 0);
	assert_int_equal(token_ring_newest(next, &keys), 2);
	assert_int_equal(keys, 2);
	assert_int_equal(reads(next, old, &t), 1);
	assert_int_equal(t.key, 1);
	new = made(next, 1, 2, SLICE("a@b.example"));
	assert_false(slice_eq(old, new));
	assert_int_equal(reads(next, new, &t), 1);
	assert_int_equal(t.key, 2);
	assert_int_equal(reads(ring, new, &t), 0);	/* not known yet */
	token_ring_free(ring);
	token_ring_free(next);
}

static void
the_first_key_makes_a_private_file(void **state)
{
	struct token_ring *ring;
	struct stat st;
	struct why why;
	uint8_t number;

	(void)state;
	unlink(path);
	assert_int_equal(token_ring_add(path, &number, &why), 0);
	assert_int_equal(number, 1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(token_ring_load(&ring, path, &why), 0);
	token_ring_free(ring);
}

static void
files_that_are_no_ring_are_refused(void **state)
{
	static const struct {
		const char *name, *text, *want;
		mode_t mode;
	} cases[] = {
		{ "an empty file", "", "the key file is empty", 0600 },
		{ "a file that others may read", "1 " KEY1, "others may read", 0644 },
		{ "comments alone", "# nothing\n\n", "there is no key in it", 0600 },
		{ "a number of nothing", "# x\n1\n", ":2: a number from 1 to 255", 0600 },
		{ "number 0", "0 " KEY1, ":1: a number from 1 to 255", 0600 },
		{ "number 256", "256 " KEY1, ":1: a number from 1 to 255", 0600 },
		{ "a number that wraps round", "4294967297 " KEY1, ":1: a number from 1 to 255", 0600 },
		{ "a word", "new " KEY1, ":1: a number from 1 to 255", 0600 },
		{ "a key cut short", "1 0011\n", ":1: the key has 4 characters; 128 hex digits", 0600 },
		{ "a letter that is no digit", "1 g" "00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f", ":1: character 1 of the key is no hex digit", 0600 },
		{ "one number twice", "1 " KEY1 "\n1 " KEY2, ":2: there is a key 1 already", 0600 },
		{ "one key twice", "1 " KEY1 "\n2 " KEY1, ":2: this is key 1 again", 0600 },
		{ "zeros", "1 " "0000000000000000000000000000000000000000000000000000000000000000" "0000000000000000000000000000000000000000000000000000000000000000", ":1: the two halves of the key are the same", 0600 },
	};
	struct token_ring *ring;
	struct why why;
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put(cases[i].text, cases[i].mode);
		why.text[0] = '\0';
		if (token_ring_load(&ring, path, &why) == 0) {
			print_error("%s: accepted\n", cases[i].name);
			token_ring_free(ring);
			wrong++;
		} else if (strstr(why.text, cases[i].want) == NULL ||
		    strstr(why.text, "0102030405") != NULL) {
			print_error("%s: got \"%s\", want \"%s\"\n",
			    cases[i].name, why.text, cases[i].want);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

static void
what_a_token_costs(void **state)
{
	struct token_ring *ring = ring_of("1 " KEY1);
	struct slice text = SLICE_NONE;
	struct token t;
	int64_t began, made_in, read_in;
	const int n = 2000;

	(void)state;
	began = clock_mono();
	for (int i = 0; i < n; i++) {
		arena_reset(arena);
		text = made(ring, 1, (uint64_t)i, SLICE("somebody@example.org"));
	}
	made_in = clock_mono() - began;
	began = clock_mono();
	for (int i = 0; i < n; i++)
		assert_int_equal(reads(ring, text, &t), 1);
	read_in = clock_mono() - began;
	print_message("%.1f us to make, %.1f us to read\n",
	    (double)made_in / n, (double)read_in / n);
	token_ring_free(ring);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_made_reads_the_same_for_every_length),
		cmocka_unit_test(addresses_that_do_not_fit_are_refused),
		cmocka_unit_test(another_implementation_makes_the_same),
		cmocka_unit_test(a_token_cut_or_longer_is_none),
		cmocka_unit_test(every_other_character_anywhere_is_refused),
		cmocka_unit_test(forged_tokens_are_never_accepted),
		cmocka_unit_test(short_tokens_come_back_in_any_case),
		cmocka_unit_test(tokens_are_found_in_return_paths),
		cmocka_unit_test(old_keys_verify_and_the_newest_makes),
		cmocka_unit_test(the_first_key_makes_a_private_file),
		cmocka_unit_test(files_that_are_no_ring_are_refused),
		cmocka_unit_test(what_a_token_costs),
	};

	return cmocka_run_group_tests_name("token", tests, setup, teardown);
}
