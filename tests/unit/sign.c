/*
 * sign - the canonical forms of RFC 6376, the vector of RFC 8463, the shape of
 * the header we write, and what is refused.
 *
 * The signer's file is taken in under other names, so that the vector, whose
 * h= is not ours, can be signed by the same function.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>

#define sign_new	inner_new
#define sign_free	inner_free
#define sign_begin	inner_begin
#define sign_body	inner_body
#define sign_long_lines	inner_long_lines
#define sign_names	inner_names
#define sign_finish	inner_finish
#include "lib/sign.c"

#include "lib/buf.h"

static struct arena *arena;
static struct signer *signer;
static struct key rsa_key, ed_key;

/* clang-format off */
/* RFC 8463, appendix A: a seed of 32 bytes in PKCS#8, and RSA of 1024 bits */
static const char ed_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";
static const char rsa_pem[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIICXQIBAAKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi\n"
    "Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqM\n"
    "KrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB\n"
    "AoGAH0cxOhFZDgzXWhDhnAJDw5s4roOXN4OhjiXa8W7Y3rhX3FJqmJSPuC8N9vQm\n"
    "6SVbaLAE4SG5mLMueHlh4KXffEpuLEiNp9Ss3O4YfLiQpbRqE7Tm5SxKjvvQoZZe\n"
    "zHorimOaChRL2it47iuWxzxSiRMv4c+j70GiWdxXnxe4UoECQQDzJB/0U58W7RZy\n"
    "6enGVj2kWF732CoWFZWzi1FicudrBFoy63QwcowpoCazKtvZGMNlPWnC7x/6o8Gc\n"
    "uSe0ga2xAkEA8C7PipPm1/1fTRQvj1o/dDmZp243044ZNyxjg+/OPN0oWCbXIGxy\n"
    "WvmZbXriOWoSALJTjExEgraHEgnXssuk7QJBALl5ICsYMu6hMxO73gnfNayNgPxd\n"
    "WFV6Z7ULnKyV7HSVYF0hgYOHjeYe9gaMtiJYoo0zGN+L3AAtNP9huqkWlzECQE1a\n"
    "licIeVlo1e+qJ6Mgqr0Q7Aa7falZ448ccbSFYEPD6oFxiOl9Y9se9iYHZKKfIcst\n"
    "o7DUw1/hz2Ck4N5JrgUCQQCyKveNvjzkkd8HjYs0SwM0fPjK16//5qDZ2UiDGnOe\n"
    "uEzxBDAr518Z8VFbR41in3W4Y3yCDgQlLlcETrS+zYcL\n"
    "-----END RSA PRIVATE KEY-----\n";

static const struct sign_header vector[] = {
	{ SLICE("From"), SLICE("Joe SixPack <joe@football.example.com>") },
	{ SLICE("To"), SLICE("Suzie Q <suzie@shopping.example.net>") },
	{ SLICE("Subject"), SLICE("Is dinner ready?") },
	{ SLICE("Date"), SLICE("Fri, 11 Jul 2003 21:00:37 -0700 (PDT)") },
	{ SLICE("Message-ID"),
	  SLICE("<20030712040037.46341.5F8J@football.example.com>") },
};
static const char vector_body[] =
    "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
#define VECTOR_TAGS(alg, sel, h) \
    "v=1; a=" alg "; c=relaxed/relaxed;\r\n" \
    " d=football.example.com; i=@football.example.com;\r\n" \
    " q=dns/txt; s=" sel "; t=1528637909; " h ";\r\n" \
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b="
/* clang-format on */

/* key_of - a key from its PEM text */
static struct key
key_of(const char *pem, enum key_type type)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	struct key key = { .type = type };

	key.pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_non_null(key.pkey);
	return key;
}

/* setup - a signer and the keys of the vector */
static int
setup(void **state)
{
	(void)state;
	arena = arena_new(1 << 16, 0);
	signer = sign_new();
	rsa_key = key_of(rsa_pem, KEY_RSA);
	ed_key = key_of(ed_pem, KEY_ED25519);
	return arena == NULL || signer == NULL ? -1 : 0;
}

/* teardown - leave nothing for the leak checker */
static int
teardown(void **state)
{
	(void)state;
	EVP_PKEY_free(rsa_key.pkey);
	EVP_PKEY_free(ed_key.pkey);
	sign_free(signer);
	arena_free(arena);
	return 0;
}

struct header_case {
	const char	*name;
	struct slice	 header, value;
	const char	*want;
};

/* clang-format off */
static const struct header_case header_cases[] = {
	{ "RFC 6376, 3.4.5: white space before the value", SLICE("A"),
	  SLICE(" X"), "a:X" },
	{ "RFC 6376, 3.4.5: a fold and runs of white space", SLICE("B"),
	  SLICE(" Y\t\r\n\tZ  "), "b:Y Z" },
	{ "a fold as the milter shows it", SLICE("B"), SLICE("Y\n Z"),
	  "b:Y Z" },
	{ "several folds", SLICE("B"), SLICE("\n Y\n\t \r\n Z\n"), "b:Y Z" },
	{ "an empty value", SLICE("Cc"), SLICE(""), "cc:" },
	{ "white space only", SLICE("Cc"), SLICE(" \n \t"), "cc:" },
	{ "upper case stays in the value", SLICE("X-AbC"), SLICE("AbC"),
	  "x-abc:AbC" },
	{ "8-bit bytes stay", SLICE("Subject"), SLICE("\xfc \xc3\xbc"),
	  "subject:\xfc \xc3\xbc" },
	{ "a vertical tab is no white space", SLICE("Subject"),
	  SLICE("a \v b"), "subject:a \v b" },
};
/* clang-format on */

/* headers - the table of canonical headers */
static void
headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(header_cases) / sizeof(header_cases[0]);
	    i++) {
		const struct header_case *c = &header_cases[i];
		size_t room = c->header.n + c->value.n + 1, n;
		char *out = malloc(room);

		n = canon_header(c->header, c->value, out);
		if (!slice_is((struct slice){ out, n }, c->want))
			fail_msg("%s: got \"%.*s\", want \"%s\"", c->name,
			    (int)n, out, c->want);
		free(out);
	}
}

struct body_case {
	const char	*name;
	struct slice	 body, want;
	int		 long_lines;
};

#define X10	"xxxxxxxxxx"
#define X100	X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X990	X100 X100 X100 X100 X100 X100 X100 X100 X100 \
		X10 X10 X10 X10 X10 X10 X10 X10 X10
/* clang-format off */
static const struct body_case body_cases[] = {
	{ "RFC 6376, 3.4.5: the example",
	  SLICE(" C \r\nD \t E\r\n\r\n\r\n"), SLICE(" C\r\nD E\r\n"), 0 },
	{ "an empty body is empty", SLICE(""), SLICE(""), 0 },
	{ "empty lines alone are empty", SLICE("\r\n\r\n\r\n"), SLICE(""), 0 },
	{ "white space alone is empty", SLICE(" \t\r\n  \r\n\t"), SLICE(""),
	  0 },
	{ "empty lines first stay", SLICE("\r\n\r\na\r\n"),
	  SLICE("\r\n\r\na\r\n"), 0 },
	{ "empty lines between stay", SLICE("a\r\n\r\n \r\nb\r\n"),
	  SLICE("a\r\n\r\n\r\nb\r\n"), 0 },
	{ "a line end is added", SLICE("a"), SLICE("a\r\n"), 0 },
	{ "a line end is added behind white space", SLICE("a \t "),
	  SLICE("a\r\n"), 0 },
	{ "white space first in a line is one blank",
	  SLICE("a\r\n\t\tb\r\n"), SLICE("a\r\n b\r\n"), 0 },
	{ "a tab is a blank", SLICE("a\tb\r\n"), SLICE("a b\r\n"), 0 },
	{ "a lone LF is a byte", SLICE("a\nb \n c\r\n"),
	  SLICE("a\nb \n c\r\n"), 0 },
	{ "a lone CR is a byte", SLICE("a\rb \r c\r\n"),
	  SLICE("a\rb \r c\r\n"), 0 },
	{ "two CR", SLICE("a\r\r\nb\r\n"), SLICE("a\r\r\nb\r\n"), 0 },
	{ "a CR at the end", SLICE("a\r\nb\r"), SLICE("a\r\nb\r\r\n"), 0 },
	{ "only a CR", SLICE("\r"), SLICE("\r\r\n"), 0 },
	{ "LF before CR", SLICE("a\n\rb\r\n"), SLICE("a\n\rb\r\n"), 0 },
	{ "NUL and control bytes stay", SLICE("a\0b\001 \002\r\n"),
	  SLICE("a\0b\001 \002\r\n"), 0 },
	{ "8-bit bytes stay", SLICE("\xff \x80\r\n"), SLICE("\xff \x80\r\n"),
	  0 },
	{ "998 bytes in a line", SLICE(X990 "12345678\r\n"),
	  SLICE(X990 "12345678\r\n"), 0 },
	{ "999 bytes in a line", SLICE(X990 "123456789\r\n"),
	  SLICE(X990 "123456789\r\n"), 1 },
	{ "999 bytes with white space", SLICE(X990 "1       9\r\nb\r\n"),
	  SLICE(X990 "1 9\r\nb\r\n"), 1 },
	{ "999 bytes of white space at the end",
	  SLICE("b\r\n" X990 "       89"), SLICE("b\r\n" X990 " 89\r\n"), 1 },
	{ "998 bytes in two lines",
	  SLICE(X990 "12345678\r\n" X990 "12345678\r\n"),
	  SLICE(X990 "12345678\r\n" X990 "12345678\r\n"), 0 },
};
/* clang-format on */

/* hash_in_steps - the body cut at two places, by the streaming code */
static bool
hash_in_steps(struct slice body, size_t one, size_t two, uint8_t *sum)
{
	struct hash_sha256_ctx *hash = hash_sha256_new();
	struct canon_body c;
	const size_t cuts[] = { 0, one, two, body.n };

	canon_body_start(&c, hash);
	for (int i = 0; i < 3; i++) {
		size_t n = cuts[i + 1] - cuts[i];
		char *exact = malloc(n > 0 ? n : 1);

		memcpy(exact, body.p + cuts[i], n);
		canon_body_add(&c, exact, n);
		free(exact);
	}
	canon_body_end(&c);
	hash_sha256_end(hash, sum);
	hash_sha256_free(hash);
	return c.long_line;
}

/* bodies - the table, each body cut at every two places */
static void
bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(body_cases) / sizeof(body_cases[0]);
	    i++) {
		const struct body_case *c = &body_cases[i];
		size_t step = c->body.n > 100 ? 331 : 1;
		uint8_t want[HASH_SHA256], got[HASH_SHA256];
		bool is_long;

		hash_sha256(c->want.p, c->want.n, want);
		for (size_t a = 0; a <= c->body.n; a += step) {
			for (size_t b = a; b <= c->body.n; b += step) {
				is_long = hash_in_steps(c->body, a, b, got);
				if (memcmp(got, want, sizeof(got)) != 0)
					fail_msg("%s, cut at %zu and %zu: got "
					    "another hash", c->name, a, b);
				if (is_long != c->long_lines)
					fail_msg("%s, cut at %zu and %zu: got "
					    "long line %d, want %d", c->name,
					    a, b, is_long, c->long_lines);
			}
		}
	}
}

/* slow - the relaxed body by the letter of RFC 6376, section 3.4.4 */
static struct buf
slow(struct slice s)
{
	struct buf b = BUF_INIT;
	size_t n;

	for (size_t i = 0; i < s.n; i++) {
		bool blank = s.p[i] == ' ' || s.p[i] == '\t';
		bool end = i + 1 < s.n && s.p[i] == '\r' && s.p[i + 1] == '\n';

		if (blank && (b.len == 0 || b.data[b.len - 1] != ' '))
			buf_char(&b, ' ');
		if (blank)
			continue;
		if (end && b.len > 0 && b.data[b.len - 1] == ' ')
			b.len--;
		buf_add(&b, s.p + i, end ? 2 : 1);
		i += end;
	}
	if (b.len > 0 && b.data[b.len - 1] == ' ')
		b.len--;
	if (b.len > 0 && (b.len < 2 || memcmp(b.data + b.len - 2, "\r\n", 2)))
		buf_str(&b, "\r\n");
	for (n = b.len; n >= 2 && memcmp(b.data + n - 2, "\r\n", 2) == 0;)
		n -= 2;
	b.len = n == 0 ? 0 : n + 2;
	return b;
}

/* random_bodies - the streaming code against the slow one */
static void
random_bodies(void **state)
{
	static const char bytes[] = "ab \t\r\n\r\n \n\xff";
	const char *rounds = getenv("ROUNDS");
	int most = (rounds != NULL ? atoi(rounds) : 50) * 2000;

	(void)state;
	srand(5);
	for (int i = 0; i < most; i++) {
		size_t n = (size_t)(rand() % (i % 2 ? 40 : 200)), a, b;
		uint8_t want[HASH_SHA256], got[HASH_SHA256];
		char text[200];
		struct buf expected;

		for (size_t j = 0; j < n; j++)
			text[j] = i % 2 || rand() % 12 == 0 ? bytes[
			    (size_t)rand() % (sizeof(bytes) - 1)] : 'x';
		a = (size_t)rand() % (n + 1);
		b = a + (size_t)rand() % (n - a + 1);
		expected = slow((struct slice){ text, n });
		hash_sha256(buf_slice(&expected).p, expected.len, want);
		(void)hash_in_steps((struct slice){ text, n }, a, b, got);
		buf_free(&expected);
		if (memcmp(got, want, sizeof(got)) == 0)
			continue;
		for (size_t j = 0; j < n; j++)
			print_error("%02x ", (unsigned char)text[j]);
		fail_msg("round %d, cut at %zu and %zu: got another hash", i,
		    a, b);
	}
}

/* vector_signature - our signature of the vector, as base64 */
static char *
vector_signature(const struct key *key, const char *tags_text)
{
	struct sign_identity id = { SLICE("football.example.com"),
		SLICE("x"), key };
	char *block = arena_alloc(arena, 4096), *o = block, *b64;
	struct why why;
	size_t len;

	for (size_t i = 0; i < sizeof(vector) / sizeof(vector[0]); i++) {
		o += canon_header(vector[i].name, vector[i].value, o);
		*o++ = '\r';
		*o++ = '\n';
	}
	o += canon_header(SLICE("DKIM-Signature"), slice_of(tags_text), o);
	if (sign_bytes(signer, &id, block, (size_t)(o - block), &len,
	    &why) == -1)
		fail_msg("%s", why.text);
	b64 = arena_alloc(arena, base64_len(len) + 1);
	b64[base64_encode(signer->signature, len, b64)] = '\0';
	return b64;
}

/* rfc8463 - both signatures of appendix A, byte for byte */
static void
rfc8463(void **state)
{
	struct why why;
	uint8_t sum[HASH_SHA256];
	char bh[64];

	(void)state;
	assert_int_equal(sign_begin(signer, &why), 0);
	assert_int_equal(sign_body(signer, vector_body,
	    sizeof(vector_body) - 1, &why), 0);
	canon_body_end(&signer->body);
	hash_sha256_end(signer->hash, sum);
	bh[base64_encode(sum, sizeof(sum), bh)] = '\0';
	assert_string_equal(bh,
	    "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
	assert_string_equal(vector_signature(&ed_key,
	    VECTOR_TAGS("ed25519-sha256", "brisbane", "h=from : to :\r\n"
	    " subject : date : message-id : from : subject : date")),
	    "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus"
	    "Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==");
	assert_string_equal(vector_signature(&rsa_key,
	    VECTOR_TAGS("rsa-sha256", "test", "h=from : to : subject :\r\n"
	    " date : message-id : from : subject : date")),
	    "F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3"
	    "DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz"
	    "dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=");
}

/* value_of - one signature over these headers and an empty body */
static char *
value_of(const struct sign_header *h, size_t n, const char *domain,
    const struct key *key)
{
	struct sign_identity id = { slice_of(domain), SLICE("s1"), key };
	struct slice value;
	struct why why;

	if (sign_begin(signer, &why) == -1 || sign_finish(signer, arena, h, n,
	    &id, 1, 1790000000, &value, &why) == -1)
		fail_msg("%s", why.text);
	return arena_printf(arena, "%.*s", SLICE_ARG(value));
}

/* tag - the text of a tag without its folds */
static char *
tag(const char *value, const char *name)
{
	const char *p = strstr(value, name);
	char *out, *o;

	assert_non_null(p);
	p += strlen(name);
	out = o = arena_alloc(arena, strlen(p) + 1);
	for (; *p != '\0' && *p != ';'; p++) {
		if (*p != '\n' && *p != '\t')
			*o++ = *p;
	}
	return out;
}

/* shape - the header as it is written */
static void
shape(void **state)
{
	static const struct sign_header h[] = {
		{ SLICE("Received"), SLICE("by us") },
		{ SLICE("to"), SLICE("one") },
		{ SLICE("FROM"), SLICE("a@b.example") },
		{ SLICE("To"), SLICE("two") },
		{ SLICE("X-Other"), SLICE("x") },
		{ SLICE("List-Id"), SLICE("<l.b.example>") },
	};
	const char *line, *end;
	char *value;

	(void)state;
	value = value_of(h, 6, "b.example", &rsa_key);
	assert_true(strncmp(value, "v=1; a=rsa-sha256; c=relaxed/relaxed; "
	    "d=b.example;", 50) == 0);
	assert_string_equal(tag(value, "h="),
	    "From:From:To:To:To:Cc:Subject:Date:Reply-To:Message-ID:"
	    "MIME-Version:Content-Type:Content-Transfer-Encoding:"
	    "List-Unsubscribe:List-Unsubscribe-Post:Feedback-ID:List-Id");
	assert_non_null(strstr(value, "t=1790000000;"));
	assert_string_equal(tag(value, "bh="),	/* of nothing */
	    "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
	assert_int_equal((int)strlen(tag(value, "\tb=")), 172);
	assert_null(strstr(value, "l="));
	assert_null(strstr(value, "x="));
	assert_null(strchr(value, '\r'));
	assert_null(strstr(value, " \n"));
	for (line = value; line != NULL; line = end) {
		size_t n, before = *line == '\t' ? 7 : 16;

		end = strchr(line, '\n');
		n = end != NULL ? (size_t)(end++ - line) : strlen(line);
		if (n + before > 76)
			fail_msg("got a line of %zu columns: %.*s",
			    n + before, (int)n, line);
	}
}

/* bottom_up - repeated headers are hashed from the lowest up */
static void
bottom_up(void **state)
{
	static const struct sign_header h[] = {
		{ SLICE("To"), SLICE("one") },
		{ SLICE("From"), SLICE("a@b.example") },
		{ SLICE("To"), SLICE("two") },
	};
	struct choice c;
	struct why why;
	char block[200];

	(void)state;
	assert_int_equal(choose(&c, arena, h, 3, &why), 0);
	block[header_block(&c, h, block)] = '\0';
	assert_string_equal(block,
	    "from:a@b.example\r\nto:two\r\nto:one\r\n");
}

/* sizes - long domains, many headers, and an empty set of identities */
static void
sizes(void **state)
{
	enum { MANY = 20000 };
	struct sign_header *h;
	char domain[254];
	struct why why;

	(void)state;
	memset(domain, 'd', 253);
	domain[253] = '\0';
	h = arena_array(arena, MANY, sizeof(*h));
	for (size_t i = 0; i < MANY; i++)
		h[i] = (struct sign_header){
			i == 7 ? SLICE("From") : i % 2 ?
			    SLICE("Content-Transfer-Encoding") : SLICE("Cc"),
			SLICE("a") };
	assert_non_null(value_of(h, MANY, domain, &ed_key));
	assert_int_equal(sign_begin(signer, &why), 0);
	assert_int_equal(sign_finish(signer, arena, h, MANY, NULL, 0, 0, NULL,
	    &why), 0);
}

/* long_headers - a line of a signed header that relays break is told */
static void
long_headers(void **state)
{
	static const struct {
		const char	*name;
		struct slice	 header, value;
		int		 want;
	} cases[] = {
		{ "a line of 998", SLICE("Cc"), SLICE(X990 "xxxx"), 0 },
		{ "a line of 999", SLICE("Cc"), SLICE(X990 "xxxxx"),
		    1 },
		{ "long, but folded", SLICE("Cc"), SLICE(X990 "\n\t" X990),
		    0 },
		{ "long behind a fold", SLICE("Cc"), SLICE("a\n\t" X990 X10),
		    1 },
		{ "not signed", SLICE("X-Other"), SLICE(X990 X990), 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sign_header h[] = { { SLICE("From"), SLICE("a@b.c") },
			{ cases[i].header, cases[i].value } };

		(void)value_of(h, 2, "b.example", &ed_key);
		if (sign_long_lines(signer) != cases[i].want)
			fail_msg("%s: got %d", cases[i].name,
			    sign_long_lines(signer));
	}
}

/* refused - what cannot be signed, with a sentence */
static void
refused(void **state)
{
	static const struct sign_header h = { SLICE("To"), SLICE("x") };
	struct sign_identity id = { SLICE("b.example"), SLICE("s"), &ed_key };
	struct slice v;
	struct why why;
	struct arena *small;

	(void)state;
	assert_int_equal(sign_finish(signer, arena, &h, 1, &id, 1, 1, &v,
	    &why), -1);
	assert_non_null(strstr(why.text, "before a message"));
	assert_int_equal(sign_body(signer, "x", 1, &why), -1);
	assert_int_equal(sign_begin(signer, &why), 0);
	assert_int_equal(sign_finish(signer, arena, &h, 1, &id, 1, -1, &v,
	    &why), -1);
	assert_non_null(strstr(why.text, "1970"));
	assert_int_equal(sign_finish(signer, arena, &h, 1, &id, 1, 1, &v,
	    &why), -1);
	assert_non_null(strstr(why.text, "without From"));
	id.key = NULL;
	assert_int_equal(sign_begin(signer, &why), 0);
	assert_int_equal(sign_finish(signer, arena, vector, 5, &id, 1, 1, &v,
	    &why), -1);
	assert_non_null(strstr(why.text, "needs a domain"));
	id.key = &ed_key;
	assert_non_null(small = arena_new(64, 64));
	assert_int_equal(sign_finish(signer, small, vector, 5, &id, 1, 1, &v,
	    &why), -1);
	assert_int_equal(why.kind, WHY_MEMORY);
	arena_free(small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers),
		cmocka_unit_test(bodies),
		cmocka_unit_test(random_bodies),
		cmocka_unit_test(rfc8463),
		cmocka_unit_test(shape),
		cmocka_unit_test(bottom_up),
		cmocka_unit_test(sizes),
		cmocka_unit_test(long_headers),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests_name("sign", tests, setup, teardown);
}
