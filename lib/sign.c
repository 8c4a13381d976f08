/*
 * sign - why not libopendkim: it parses the key again for every message,
 * cannot share a body hash between two signatures, and in Debian 12 loses
 * memory with each Ed25519 signature.  It verifies us in every test instead.
 *
 * One buffer holds the canonical headers of h=, which are the same for all
 * signatures of a message; behind them each signature writes its own
 * canonical DKIM-Signature header in turn.  RSA signs that run of bytes;
 * Ed25519 signs its SHA-256 (RFC 8463, section 3).
 *
 *	DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=acme.example;
 *		s=p2026a; t=1790000000;
 *		h=From:From:To:...;
 *		bh=...;
 *		b=...
 *
 * b= is last and nothing stands between "b=" and its first byte, so that all
 * verifiers agree on the text with b= taken out.
 */
#include "lib/sign.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "lib/canon.h"
#include "lib/hash.h"

enum {
	COLUMNS = 76,
	TAB = 8,
	NAME_ROOM = sizeof("DKIM-Signature: ") - 1,
	SIGNATURE_MAX = 2048,		/* RSA of 16,384 bits */
	LABELS_MAX = 253		/* a domain, or a selector */
};

/*
 * What is signed (RFC 6376, section 5.4.1, and what has become custom since):
 * the words the reader sees and acts on, never what relays write (Received,
 * Return-Path) and never our own X- headers.  Oversigned: h= names it once
 * more than it is there, so that nobody can add another.  Sender, List-Id and
 * Resent-* are not: a mailing list that leaves the text alone may add them.
 * The three that RFC 8058 and Feedback-ID need are oversigned, which names
 * them in every h=.
 */
static const struct signed_header {
	struct slice	 name;
	bool		 oversign;
} signed_set[] = {
	{ SLICE("From"), true },
	{ SLICE("To"), true },
	{ SLICE("Cc"), true },
	{ SLICE("Subject"), true },
	{ SLICE("Date"), true },
	{ SLICE("Reply-To"), true },
	{ SLICE("Message-ID"), true },
	{ SLICE("MIME-Version"), true },
	{ SLICE("Content-Type"), true },
	{ SLICE("Content-Transfer-Encoding"), true },
	{ SLICE("List-Unsubscribe"), true },
	{ SLICE("List-Unsubscribe-Post"), true },
	{ SLICE("Feedback-ID"), true },
	{ SLICE("CFBL-Address"), false },
	{ SLICE("CFBL-Feedback-ID"), false },
	{ SLICE("Sender"), false },
	{ SLICE("In-Reply-To"), false },
	{ SLICE("References"), false },
	{ SLICE("List-Id"), false },
	{ SLICE("List-Help"), false },
	{ SLICE("List-Subscribe"), false },
	{ SLICE("List-Post"), false },
	{ SLICE("List-Owner"), false },
	{ SLICE("List-Archive"), false },
	{ SLICE("Resent-From"), false },
	{ SLICE("Resent-Sender"), false },
	{ SLICE("Resent-To"), false },
	{ SLICE("Resent-Cc"), false },
	{ SLICE("Resent-Date"), false },
	{ SLICE("Resent-Message-ID"), false },
	{ SLICE("Autocrypt"), false },
};
enum { SET = sizeof(signed_set) / sizeof(signed_set[0]), SET_FROM = 0 };

struct signer {
	struct hash_sha256_ctx	*hash;	/* the body, then each header block */
	EVP_MD_CTX	*rsa, *ed;	/* one per kind of key */
	EVP_MD		*sha256;
	bool		 open;		/* sign_begin was called */
	bool		 long_header;	/* a signed one has a long line */
	struct canon_body body;
	unsigned char	 signature[SIGNATURE_MAX];
};

/* Text that grows towards a size known before, with the column it stands in. */
struct text {
	char	*p;
	size_t	 n, size;
	size_t	 column;
};

/* sign_new - with everything that OpenSSL allocates once */
struct signer *
sign_new(void)
{
	struct signer *s = NULL;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	if ((s->hash = hash_sha256_new()) == NULL ||
	    (s->rsa = EVP_MD_CTX_new()) == NULL ||
	    (s->ed = EVP_MD_CTX_new()) == NULL ||
	    (s->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL)) == NULL) {
		sign_free(s);
		return NULL;
	}
	return s;
}

/* sign_free - NULL allowed */
void
sign_free(struct signer *s)
{
	if (s == NULL)
		return;
	hash_sha256_free(s->hash);
	EVP_MD_CTX_free(s->rsa);
	EVP_MD_CTX_free(s->ed);
	EVP_MD_free(s->sha256);
	free(s);
}

/* sign_begin - a new message, whatever became of the one before */
int
sign_begin(struct signer *s, struct why *why)
{
	(void)why;
	hash_sha256_reset(s->hash);
	canon_body_start(&s->body, s->hash);
	s->open = true;
	s->long_header = false;
	return 0;
}

/* sign_body - the next piece of it, cut anywhere */
int
sign_body(struct signer *s, const void *p, size_t n, struct why *why)
{
	if (!s->open)
		return why_set(why, "the signer got a body before a message");
	canon_body_add(&s->body, p, n);
	return 0;
}

/* sign_long_lines - was there a line that relays will break? */
int
sign_long_lines(const struct signer *s)
{
	return s->long_header || s->body.long_line ||
	    s->body.line > CANON_LINE_MAX;
}

/* text_add - bytes, without counting columns; room was reserved */
static void
text_add(struct text *t, const void *p, size_t n)
{
	if (n > t->size - t->n)
		n = t->size - t->n;	/* cannot be: the size is a bound */
	memcpy(t->p + t->n, p, n);
	t->n += n;
	t->column += n;
}

/* text_fold - a new line of the same header */
static void
text_fold(struct text *t)
{
	text_add(t, "\n\t", 2);
	t->column = TAB;
}

/* text_word - one that is not broken; gap: what stands before it in a line */
static void
text_word(struct text *t, const char *gap, struct slice word)
{
	if (t->column + strlen(gap) + word.n > COLUMNS && t->column > TAB)
		text_fold(t);
	else
		text_add(t, gap, strlen(gap));
	text_add(t, word.p, word.n);
}

/* text_base64 - may be broken anywhere */
static void
text_base64(struct text *t, const char *p, size_t n)
{
	while (n > 0) {
		size_t take;

		if (t->column >= COLUMNS)
			text_fold(t);
		take = COLUMNS - t->column;
		if (take > n)
			take = n;
		text_add(t, p, take);
		p += take;
		n -= take;
	}
}

/* set_of - the place of a header name in the set, SET when it has none */
static unsigned
set_of(struct slice name)
{
	unsigned i;

	for (i = 0; i < SET; i++) {
		if (slice_case_eq(signed_set[i].name, name))
			break;
	}
	return i;
}

/* sign_names - what a field of that name costs in h=, with its colon */
size_t
sign_names(struct slice name)
{
	return set_of(name) < SET ? name.n + 1 : 0;
}

/* long_line - does a line of that header go beyond what relays leave whole? */
static bool
long_line(const struct sign_header *h)
{
	size_t line = h->name.n + 2;	/* colon and space */

	if (line + h->value.n <= CANON_LINE_MAX)
		return false;
	for (size_t i = 0; i < h->value.n; i++) {
		line = h->value.p[i] == '\n' ? 0 : line + 1;
		if (line > CANON_LINE_MAX)
			return true;
	}
	return false;
}

/* The choice of h=: all signatures of a message share it. */
struct choice {
	size_t	 last[SET];	/* index + 1 of the lowest of a name; 0: none */
	size_t	*above;		/* index + 1 of the next one above it */
	size_t	 names;		/* entries of h= */
	size_t	 bytes;		/* of the canonical headers, at most */
	bool	 long_line;	/* in one of them */
};

/* choose - chain the headers of each name bottom up, in one pass */
static int
choose(struct choice *c, struct arena *arena,
    const struct sign_header *headers, size_t n, struct why *why)
{
	memset(c, 0, sizeof(*c));
	c->above = arena_array(arena, n > 0 ? n : 1, sizeof(*c->above));
	if (c->above == NULL)
		return why_kind(why, WHY_MEMORY, "no memory to sign with");
	for (unsigned i = 0; i < SET; i++)
		c->names += signed_set[i].oversign;
	for (size_t i = 0; i < n; i++) {
		unsigned set = set_of(headers[i].name);

		if (set == SET)
			continue;
		c->above[i] = c->last[set];
		c->last[set] = i + 1;
		c->names++;
		/* colon and CRLF; headers are in memory, the sum is too */
		c->bytes += headers[i].name.n + headers[i].value.n + 3;
		c->long_line = c->long_line || long_line(&headers[i]);
	}
	if (c->last[SET_FROM] == 0)
		return why_set(why, "a message without From is not signed");
	return 0;
}

/* header_block - the canonical headers of the choice, each with its CRLF */
static size_t
header_block(const struct choice *c, const struct sign_header *headers,
    char *out)
{
	char *o = out;

	for (unsigned set = 0; set < SET; set++) {
		for (size_t i = c->last[set]; i > 0; i = c->above[i - 1]) {
			o += canon_header(headers[i - 1].name,
			    headers[i - 1].value, o);
			*o++ = '\r';
			*o++ = '\n';
		}
	}
	return (size_t)(o - out);
}

/* names_text - "h=From:From:To:...;", starting at the left of a line */
static void
names_text(const struct choice *c, struct text *t)
{
	size_t left = c->names;

	text_add(t, "h=", 2);
	for (unsigned set = 0; set < SET; set++) {
		struct slice name = signed_set[set].name;
		size_t times = signed_set[set].oversign;
		char word[40];

		for (size_t i = c->last[set]; i > 0; i = c->above[i - 1])
			times++;
		memcpy(word, name.p, name.n);
		for (; times > 0; times--) {
			word[name.n] = --left > 0 ? ':' : ';';
			text_word(t, "",
			    (struct slice){ word, name.n + 1 });
		}
	}
}

/* openssl_why - what OpenSSL has to say, and its queue emptied */
static int
openssl_why(struct why *why, const struct sign_identity *id)
{
	char text[160];

	ERR_error_string_n(ERR_get_error(), text, sizeof(text));
	ERR_clear_error();
	return why_set(why, "signing with %.*s._domainkey.%.*s: %s",
	    SLICE_ARG(id->selector), SLICE_ARG(id->domain), text);
}

/* sign_bytes - the signature of one identity over that text, in s->signature */
static int
sign_bytes(struct signer *s, const struct sign_identity *id, const char *p,
    size_t n, size_t *len, struct why *why)
{
	bool rsa = id->key->type == KEY_RSA;
	EVP_MD_CTX *ctx = rsa ? s->rsa : s->ed;
	const unsigned char *data = (const unsigned char *)p;
	uint8_t sum[HASH_SHA256];

	if (!rsa) {
		hash_sha256_reset(s->hash);
		hash_sha256_add(s->hash, p, n);
		hash_sha256_end(s->hash, sum);
		data = sum;
		n = sizeof(sum);
	}
	*len = sizeof(s->signature);
	if (EVP_DigestSignInit(ctx, NULL, rsa ? s->sha256 : NULL, NULL,
	    id->key->pkey) != 1 ||
	    EVP_DigestSign(ctx, s->signature, len, data, n) != 1)
		return openssl_why(why, id);
	return 0;
}

/* tags - everything of one signature before the bytes of b= */
static void
tags(struct text *t, const struct sign_identity *id, int64_t when,
    struct slice names, const char *bh)
{
	char word[LABELS_MAX + 8];
	int n;

	n = snprintf(word, sizeof(word), "v=1; a=%s;",
	    key_algorithms[id->key->type]);
	text_add(t, word, (size_t)n);
	text_word(t, " ", SLICE("c=relaxed/relaxed;"));
	n = snprintf(word, sizeof(word), "d=%.*s;", SLICE_ARG(id->domain));
	text_word(t, " ", (struct slice){ word, (size_t)n });
	n = snprintf(word, sizeof(word), "s=%.*s;", SLICE_ARG(id->selector));
	text_word(t, " ", (struct slice){ word, (size_t)n });
	n = snprintf(word, sizeof(word), "t=%" PRId64 ";", when);
	text_word(t, " ", (struct slice){ word, (size_t)n });
	text_fold(t);
	text_add(t, names.p, names.n);
	text_fold(t);
	n = snprintf(word, sizeof(word), "bh=%s;", bh);
	text_add(t, word, (size_t)n);
	text_fold(t);
	text_add(t, "b=", 2);
}

/* check - what the caller must have seen to */
static int
check(const struct signer *s, const struct sign_identity *ids, size_t n,
    int64_t when, struct why *why)
{
	if (!s->open)
		return why_set(why, "the signer was asked for a signature "
		    "before a message");
	if (when < 0)
		return why_set(why, "cannot sign at a time before 1970");
	for (size_t i = 0; i < n; i++) {
		if (ids[i].domain.n == 0 || ids[i].domain.n > LABELS_MAX ||
		    ids[i].selector.n == 0 || ids[i].selector.n > LABELS_MAX ||
		    ids[i].key == NULL)
			return why_set(why, "a signature needs a domain, a "
			    "selector and a key");
	}
	return 0;
}

/* What the signatures of one message have in common. */
struct common {
	struct slice	 names;		/* "h=...;" folded */
	char		*block;		/* canonical headers, and room behind */
	size_t		 nblock;
	char		 bh[(HASH_SHA256 + 2) / 3 * 4 + 1];
	int64_t		 when;
};

/* prepare - hash the body to its end, choose h=, lay out the header block */
static int
prepare(struct signer *s, struct arena *arena, struct common *m,
    const struct sign_header *headers, size_t nheaders, struct why *why)
{
	uint8_t sum[HASH_SHA256];
	struct choice c;
	struct text t = { .column = TAB };

	canon_body_end(&s->body);
	hash_sha256_end(s->hash, sum);
	m->bh[base64_encode(sum, sizeof(sum), m->bh)] = '\0';
	s->open = false;

	if (choose(&c, arena, headers, nheaders, why) == -1)
		return -1;
	s->long_header = c.long_line;
	/* a name and its colon, and a fold for each at worst */
	t.size = c.names * (sizeof("Content-Transfer-Encoding:") + 2) + 2;
	t.p = arena_alloc(arena, t.size);
	/* and behind the headers a canonical signature: h= and some 700 */
	m->block = arena_alloc(arena, c.bytes + t.size + 1024);
	if (t.p == NULL || m->block == NULL)
		return why_kind(why, WHY_MEMORY, "no memory to sign with");
	names_text(&c, &t);
	m->names = (struct slice){ t.p, t.n };
	m->nblock = header_block(&c, headers, m->block);
	return 0;
}

/* one - the value of one DKIM-Signature header */
static int
one(struct signer *s, struct arena *arena, struct common *m,
    const struct sign_identity *id, struct slice *value, struct why *why)
{
	char b64[(SIGNATURE_MAX + 2) / 3 * 4];
	struct text t = { .column = NAME_ROOM };
	size_t n, len;

	t.size = m->names.n + 1024 + sizeof(b64) + sizeof(b64) / 32;
	if ((t.p = arena_alloc(arena, t.size)) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory to sign with");
	tags(&t, id, m->when, m->names, m->bh);
	n = m->nblock + canon_header(SLICE("DKIM-Signature"),
	    (struct slice){ t.p, t.n }, m->block + m->nblock);
	if (sign_bytes(s, id, m->block, n, &len, why) == -1)
		return -1;
	text_base64(&t, b64, base64_encode(s->signature, len, b64));
	*value = (struct slice){ t.p, t.n };
	return 0;
}

/* sign_finish - one header value for each identity */
int
sign_finish(struct signer *s, struct arena *arena,
    const struct sign_header *headers, size_t nheaders,
    const struct sign_identity *ids, size_t n, int64_t when,
    struct slice *values, struct why *why)
{
	struct common m = { .when = when };

	if (check(s, ids, n, when, why) == -1 ||
	    prepare(s, arena, &m, headers, nheaders, why) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (one(s, arena, &m, &ids[i], &values[i], why) == -1)
			return -1;
	}
	return 0;
}
