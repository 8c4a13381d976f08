/*
 * differential - messages made at random, signed by us in every chunking,
 * must verify with libopendkim; changed in one place, they must not.
 *
 * A message is made from its number alone, so that one that fails can be made
 * again (DIFF_FIRST=number).  ROUNDS times 200 messages.  With
 * DIFF_SAMPLE_DIR=folder the first 300 are written there, with keys.txt, for
 * other verifiers (tests/e2e/test_dkim_oracle.py).
 *
 * Left out, since libopendkim 2.11 reads them otherwise than RFC 6376: lone CR
 * in bodies (it drops them), vertical tab and form feed in headers (it takes
 * them for white space).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "lib/buf.h"
#include "lib/key.h"
#include "lib/mem.h"
#include "lib/sign.h"
#include "tools/verify.h"

enum { HEADERS_MAX = 24, SAMPLES = 300, WHEN = 1700000000 };
enum { ONE_MB = 1 << 20 };

struct message {
	struct sign_header headers[HEADERS_MAX];
	bool		 odd[HEADERS_MAX];	/* white space at the colon */
	size_t		 nheaders;
	struct slice	 body;
};

static char dir[] = "/tmp/penstock-diff-XXXXXX";
static struct arena *arena;
static struct signer *signer;
static struct key_cache *cache;
static struct verifier *verifier;
static struct sign_identity identities[2];

/* --- chance -------------------------------------------------------------- */

static uint64_t seed;

/* chance - below n; splitmix64, so that every number gives another message */
static size_t
chance(size_t n)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (size_t)((z ^ z >> 31) % n);
}

/* text - pieces in a row */
static struct slice
text(const char *const *pieces, size_t n, size_t most)
{
	struct slice s;
	char *p = arena_alloc(arena, most * 8 + 1), *o = p;

	for (size_t i = chance(most + 1); i > 0; i--) {
		const char *piece = pieces[chance(n)];

		o = (char *)memcpy(o, piece, strlen(piece)) + strlen(piece);
	}
	s = (struct slice){ p, (size_t)(o - p) };
	return s;
}

/* header_text - a value as the milter shows it: folds are "\n" and a blank */
static struct slice
header_text(void)
{
	static const char *const pieces[] = {
		"a", "Bc", "d-e", " ", " ", "  ", "\t", " \t ", "\n ", "\n\t",
		" \n  ", "\xfc", "\xc3\xa4", ":", ";", "=", "<x@y>", "\"q\"",
		"=?u?q?=", "\\", "\001", "b=",
	};
	struct slice s = text(pieces, sizeof(pieces) / sizeof(pieces[0]),
	    chance(8) == 0 ? 300 : 12);

	/* no line of white space alone, no fold at the end: as by SMTP */
	for (size_t i = 0; i < s.n; i++) {
		size_t j = i + 1;

		if (s.p[i] != '\n')
			continue;
		while (j < s.n && (s.p[j] == ' ' || s.p[j] == '\t'))
			j++;
		if (j == s.n || s.p[j] == '\n')
			((char *)(uintptr_t)s.p)[i] = ' ';
	}
	return s;
}

/* from_text - libopendkim wants to find an address in From */
static struct slice
from_text(void)
{
	static const char *const values[] = {
		"a@sender.example", "<a@sender.example>",
		"A  B\n\t<a@sender.example>", "\n a@sender.example \t",
		"\"A,\tB\" <a@sender.example>,\n c@sender.example",
		"J\xfc (x\n  y) <a@sender.example>",
	};

	return slice_of(values[chance(sizeof(values) / sizeof(values[0]))]);
}

/* body_text - lines of all kinds, the last one ended */
static struct slice
body_text(void)
{
	static const char *const pieces[] = {
		"a", "word", " ", " ", "  ", "\t", " \t", "\r\n", "\r\n",
		"\r\n\r\n", " \r\n", "\t\r\n", ".", "\xe9", "\xc3\xa9",
		"\001", "=20", "-- ", "\n", "\n ",
	};
	size_t kind = chance(40), n = sizeof(pieces) / sizeof(pieces[0]);
	struct slice s;
	char *p;

	if (kind == 0)
		return SLICE("");
	if (kind == 1)
		return text((const char *const[]){ "\r\n", " \r\n" }, 2, 9);
	/* a lone LF in every fourth */
	s = text(pieces, kind % 4 == 0 ? n : n - 2,
	    kind < 4 ? 20000 : kind < 12 ? 400 : 30);
	p = arena_alloc(arena, s.n + 2 + 20);
	memcpy(p, s.p, s.n);
	memcpy(p + s.n, "\r\n", 2);
	s.n += 2;
	for (size_t i = kind < 20 ? chance(10) : 0; i > 0; i--, s.n += 2)
		memcpy(p + s.n, "\r\n", 2);
	return (struct slice){ p, s.n };
}

/* huge_body - a line of a megabyte, with blanks or without */
static struct slice
huge_body(void)
{
	char *p = arena_alloc(arena, ONE_MB + 4);
	size_t blanks = chance(3);

	for (size_t i = 0; i < ONE_MB; i++)
		p[i] = blanks > 0 && chance(5) == 0 ? blanks == 1 ? ' ' :
		    "\t  "[chance(3)] : 'x';
	memcpy(p + ONE_MB, "\r\n", 2);
	return (struct slice){ p, ONE_MB + 2 };
}

/* make - the message of that number */
static void
make(struct message *m, uint64_t number)
{
	static const char *const names[] = {
		"To", "Cc", "Subject", "Date", "Reply-To", "Message-ID",
		"MIME-Version", "Content-Type", "Content-Transfer-Encoding",
		"List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID",
		"Sender", "References", "List-Id", "Received", "X-Other",
		"to", "CC", "sUBJECT", "Resent-From",
	};
	size_t from;

	seed = number * UINT64_C(0x2545f4914f6cdd1d) + 1;
	m->nheaders = 1 + chance(HEADERS_MAX - 1);
	from = chance(m->nheaders);
	for (size_t i = 0; i < m->nheaders; i++) {
		m->headers[i].name = i == from ? SLICE("From") : slice_of(
		    names[chance(sizeof(names) / sizeof(names[0]))]);
		m->headers[i].value = i == from ? from_text() : header_text();
		m->odd[i] = chance(30) == 0;
	}
	m->body = number % 1000 == 999 ? huge_body() : body_text();
}

/* --- signing and the wire ------------------------------------------------ */

/* sign - in pieces of a random size, or cut at one place; 0: no cut */
static void
sign(const struct message *m, const struct sign_identity *ids, size_t n,
    size_t cut, struct slice *values)
{
	struct why why = { .text = "" };
	size_t most = cut > 0 ? 0 : 1 + chance(chance(2) ? 7 : 70000);
	int rc = sign_begin(signer, &why);

	for (size_t at = 0; rc == 0 && at < m->body.n;) {
		size_t take = cut > 0 ? at == 0 ? cut : m->body.n - at :
		    1 + chance(most);

		/* a megabyte in sevens takes its time */
		if (m->body.n > 100000 && cut == 0)
			take += 5000;
		if (take > m->body.n - at)
			take = m->body.n - at;
		rc = sign_body(signer, m->body.p + at, take, &why);
		at += take;
	}
	if (rc == -1 || sign_finish(signer, arena, m->headers, m->nheaders,
	    ids, n, WHEN, values, &why) == -1)
		fail_msg("signing: %s", why.text);
}

/* wire_text - with CRLF where the milter shows LF */
static void
wire_text(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n')
			buf_char(b, '\r');
		buf_char(b, s.p[i]);
	}
}

/* wire - the message as the next hop sees it */
static void
wire(struct buf *b, const struct message *m, const struct slice *values,
    size_t n)
{
	buf_reset(b);
	for (size_t i = n; i > 0; i--) {
		buf_str(b, "DKIM-Signature: ");
		wire_text(b, values[i - 1]);
		buf_str(b, "\r\n");
	}
	for (size_t i = 0; i < m->nheaders; i++) {
		buf_slices(b, m->headers[i].name);
		buf_str(b, m->odd[i] ? " :" : ": ");
		wire_text(b, m->headers[i].value);
		buf_str(b, "\r\n");
	}
	buf_str(b, "\r\n");
	buf_slices(b, m->body);
}

/* passed - how many signatures libopendkim takes, of how many it sees */
static size_t
passed(const struct buf *b, size_t want, uint64_t number, const char **reason)
{
	struct verify_result *results;
	struct why why;
	size_t n, pass = 0;

	if (verify_message(verifier, arena, buf_slice(b), &results, &n,
	    &why) == -1)
		fail_msg("message %llu: %s", (unsigned long long)number,
		    why.text);
	if (n != want)
		fail_msg("message %llu: got %zu signatures, want %zu",
		    (unsigned long long)number, n, want);
	for (size_t i = 0; i < n; i++) {
		pass += results[i].pass;
		if (!results[i].pass)
			*reason = results[i].reason;
	}
	return pass;
}

/* --- changes that must show ---------------------------------------------- */

/* change - alter the message in one place that is signed; what was done */
static const char *
change(struct message *m)
{
	size_t i, at = chance(m->body.n + 1);
	char *copy;

	switch (chance(5)) {
	case 0:		/* a byte of the body that is no white space */
		while (at < m->body.n && (unsigned char)m->body.p[at] <= ' ')
			at++;
		if (at >= m->body.n)
			break;
		copy = (char *)(uintptr_t)arena_copy(arena, m->body).p;
		copy[at] = copy[at] == 'z' ? 'y' : 'z';
		m->body.p = copy;
		return "a byte of the body";
	case 1:
		m->body = slice_of(arena_printf(arena, "%.*sz\r\n",
		    SLICE_ARG(m->body)));
		return "a line more in the body";
	case 2:
		if (m->nheaders == HEADERS_MAX)
			break;
		memmove(m->headers + 1, m->headers,
		    m->nheaders * sizeof(m->headers[0]));
		memmove(m->odd + 1, m->odd, m->nheaders * sizeof(m->odd[0]));
		m->headers[0].name = chance(2) ? SLICE("From") :
		    SLICE("List-Unsubscribe");
		m->headers[0].value = SLICE("evil@evil.example");
		m->nheaders++;
		return "a header more that was oversigned";
	default:
		break;
	}
	for (i = 0; !slice_is(m->headers[i].name, "From"); i++)
		;
	m->headers[i].value = slice_of(arena_printf(arena, "%.*s z",
	    SLICE_ARG(m->headers[i].value)));
	return "a word more in From";
}

/* --- the tests ----------------------------------------------------------- */

/* sample - for other verifiers */
static void
sample(const struct buf *b, uint64_t number)
{
	const char *folder = getenv("DIFF_SAMPLE_DIR");
	char *path;
	FILE *f;

	if (folder == NULL || number >= SAMPLES)
		return;
	path = arena_printf(arena, "%s/%04d.eml", folder, (int)number);
	if ((f = fopen(path, "w")) == NULL)
		fail_msg("%s cannot be written", path);
	assert_int_equal(fwrite(b->data, 1, b->len, f), b->len);
	fclose(f);
}

/* one - make, sign, verify, change, verify again */
static void
one(uint64_t number, struct buf *b)
{
	/* RSA alone, Ed25519 alone, and both */
	size_t first = number % 3 == 1, n = number % 3 == 2 ? 2 : 1;
	struct message m;
	struct slice values[2];
	const char *reason = "", *what;

	arena_reset(arena);
	make(&m, number);
	sign(&m, identities + first, n, 0, values);
	wire(b, &m, values, n);
	sample(b, number);
	if (passed(b, n, number, &reason) != n)
		fail_msg("message %llu: got \"%s\", want that it verifies",
		    (unsigned long long)number, reason);
	if (number % 4 != 0)
		return;
	what = change(&m);
	wire(b, &m, values, n);
	if (passed(b, n, number, &reason) != 0)
		fail_msg("message %llu: got verified, want a failure by %s",
		    (unsigned long long)number, what);
}

/* messages - as many as ROUNDS says */
static void
messages(void **state)
{
	const char *rounds = getenv("ROUNDS"), *first = getenv("DIFF_FIRST");
	uint64_t at = first != NULL ? strtoull(first, NULL, 10) : 0;
	uint64_t most = (uint64_t)(rounds != NULL ? atoi(rounds) : 50) * 200;
	struct buf b = BUF_INIT;

	(void)state;
	for (uint64_t i = 0; i < most; i++)
		one(at + i, &b);
	buf_free(&b);
}

/* cuts - a body cut at every place gives the same signature to the byte */
static void
cuts(void **state)
{
	struct message m;
	struct slice whole, cut;

	(void)state;
	for (uint64_t number = 0; number < 60; number++) {
		arena_reset(arena);
		make(&m, number);
		if (m.body.n > 500)
			m.body.n = 500;
		sign(&m, identities + 1, 1, m.body.n, &whole);
		for (size_t i = 1; i < m.body.n; i++) {
			sign(&m, identities + 1, 1, i, &cut);
			if (!slice_eq(whole, cut))
				fail_msg("message %llu cut at %zu: got another "
				    "signature", (unsigned long long)number,
				    i);
		}
	}
}

/* odd_input - what the verifier says of things that are no signed message */
static void
odd_input(void **state)
{
	struct verify_result *results;
	struct why why;
	size_t n;

	(void)state;
	arena_reset(arena);
	assert_int_equal(verify_message(verifier, arena, SLICE(""), &results,
	    &n, &why), -1);
	assert_non_null(strstr(why.text, "libopendkim"));
	assert_int_equal(verify_message(verifier, arena,
	    SLICE("From: a@b\n\nbody\n"), &results, &n, &why), 0);
	assert_int_equal((int)n, 0);
	assert_int_equal(verify_message(verifier, arena,
	    SLICE("no header\n\nbody\n"), &results, &n, &why), -1);
	assert_int_equal(verify_message(verifier, arena,
	    SLICE("From a mbox\nDKIM-Signature: v=1; a=x; b=\nFrom: a@b\n\n"),
	    &results, &n, &why), 0);
	assert_int_equal((int)n, 1);
	assert_false(results[0].pass);
	assert_non_null(strstr(results[0].reason, "missing"));
	assert_int_equal(verify_message(verifier, arena,
	    SLICE("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; "
	    "d=none.example; s=none; h=from; bh=AAAA; b=AAAA\n"
	    "From: a@b\n\nbody\n"), &results, &n, &why), 0);
	assert_int_equal((int)n, 1);
	assert_false(results[0].pass);
	assert_true(slice_is(results[0].domain, "none.example"));
}

/* add_key - a key in a file of ours, known to the signer and the verifier */
static int
add_key(FILE *keys, EVP_PKEY *pkey, const char *selector,
    struct sign_identity *id)
{
	char path[64], record[1024];
	struct why why;
	FILE *f;
	int ok;

	snprintf(path, sizeof(path), "%s/%s", dir, selector);
	if ((f = fopen(path, "w")) == NULL || fchmod(fileno(f), 0600) == -1)
		return -1;
	ok = PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	EVP_PKEY_free(pkey);
	id->domain = SLICE("sender.example");
	id->selector = slice_of(selector);
	if (ok != 1 || key_get(cache, path, &id->key, &why) == -1 ||
	    key_record(id->key, record, sizeof(record), &why) == -1)
		return -1;
	fprintf(keys, "%s._domainkey.sender.example %s\n", selector, record);
	return 0;
}

/* setup - two keys, their records, a signer and the verifier */
static int
setup(void **state)
{
	const char *folder = getenv("DIFF_SAMPLE_DIR");
	static char path[1024];
	struct why why;
	FILE *keys;

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	arena = arena_new(4 << 20, 0);
	signer = sign_new();
	cache = key_cache_new(0);
	snprintf(path, sizeof(path), "%s/keys.txt",
	    folder != NULL ? folder : dir);
	if ((keys = fopen(path, "w")) == NULL)
		return -1;
	if (add_key(keys, EVP_RSA_gen(2048), "rsa", &identities[0]) == -1 ||
	    add_key(keys, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "ed",
	    &identities[1]) == -1 || fclose(keys) != 0)
		return -1;
	return verify_open(path, &verifier, &why);
}

/* teardown - the folder and all handles */
static int
teardown(void **state)
{
	static const char *const names[] = { "rsa", "ed", "keys.txt" };
	char path[64];

	(void)state;
	for (int i = 0; i < 2; i++)
		key_release(cache, identities[i].key);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	key_cache_free(cache);
	verify_close(verifier);
	sign_free(signer);
	arena_free(arena);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages),
		cmocka_unit_test(cuts),
		cmocka_unit_test(odd_input),
	};

	return cmocka_run_group_tests_name("differential", tests, setup,
	    teardown);
}
