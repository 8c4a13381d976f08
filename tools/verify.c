/*
 * verify - libopendkim as the second opinion on what we sign.
 *
 * It is told of every signature (by itself it stops at the first that
 * passes), reads keys from a file with its own query method, and gets the
 * message in CRLF, which is what it hashed when it came by SMTP.  libopendkim
 * 2.11 of Debian 12 loses some 470 bytes with each Ed25519 signature: fine for
 * a command and for tests, one of the reasons why it does not sign for us.
 */
#include "tools/verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <opendkim/dkim.h>

#include "lib/buf.h"

struct verifier {
	DKIM_LIB	*lib;
	struct buf	 crlf;		/* the message when it came in LF */
};

/* verify_open - with the keys of that file */
int
verify_open(const char *keys, struct verifier **out, struct why *why)
{
	dkim_query_t query = DKIM_QUERY_FILE;
	struct verifier *v = NULL;

	*out = NULL;
	if (access(keys, R_OK) == -1)
		return why_errno(why, "%s", keys);
	if ((v = calloc(1, sizeof(*v))) == NULL ||
	    (v->lib = dkim_init(NULL, NULL)) == NULL) {
		verify_close(v);
		return why_kind(why, WHY_MEMORY, "no memory to verify with");
	}
	if (dkim_options(v->lib, DKIM_OP_SETOPT, DKIM_OPTS_QUERYMETHOD,
	    &query, sizeof(query)) != DKIM_STAT_OK ||
	    dkim_options(v->lib, DKIM_OP_SETOPT, DKIM_OPTS_QUERYINFO,
	    (void *)(uintptr_t)keys, strlen(keys)) != DKIM_STAT_OK) {
		verify_close(v);
		return why_set(why, "%s: libopendkim takes no keys from a "
		    "file", keys);
	}
	*out = v;
	return 0;
}

/* verify_close - NULL allowed */
void
verify_close(struct verifier *v)
{
	if (v == NULL)
		return;
	if (v->lib != NULL)
		dkim_close(v->lib);
	buf_free(&v->crlf);
	free(v);
}

/* in_crlf - as SMTP carries it; in a file LF alone may end the lines */
static struct slice
in_crlf(struct verifier *v, struct slice m)
{
	const char *lf, *end = m.p + m.n;

	lf = memchr(m.p, '\n', m.n);
	if (lf == NULL || (lf > m.p && lf[-1] == '\r'))
		return m;
	buf_reset(&v->crlf);
	for (const char *p = m.p; p < end; p = lf + 1) {
		if ((lf = memchr(p, '\n', (size_t)(end - p))) == NULL) {
			buf_add(&v->crlf, p, (size_t)(end - p));
			break;
		}
		buf_add(&v->crlf, p, (size_t)(lf - p));
		buf_add(&v->crlf, "\r\n", 2);
	}
	return buf_slice(&v->crlf);
}

/* line - the next one without its CRLF; rest moves behind it */
static struct slice
line(struct slice *rest)
{
	const char *crlf = memmem(rest->p, rest->n, "\r\n", 2);
	struct slice l = { rest->p, rest->n };

	if (crlf == NULL) {
		*rest = slice_from(*rest, rest->n);
		return l;
	}
	l.n = (size_t)(crlf - rest->p);
	*rest = slice_from(*rest, l.n + 2);
	return l;
}

/* A signature that libopendkim cannot even read, and forgets. */
struct broken {
	const char	*reason;
	struct broken	*next;
};

/* refused - libopendkim did not take that header: a signature, or no header */
static int
refused(DKIM *dkim, struct arena *arena, struct slice h,
    struct broken **broken, struct why *why)
{
	static const struct slice name = SLICE("DKIM-Signature");
	const char *says = dkim_geterror(dkim);
	struct broken *b;

	if (h.n < name.n || strncasecmp(h.p, name.p, name.n) != 0)
		return why_set(why, "this is no header of a message: %.*s",
		    h.n > 60 ? 60 : (int)h.n, h.p);
	b = arena_alloc(arena, sizeof(*b));
	if (b == NULL || (b->reason = arena_copy(arena, slice_of(
	    says != NULL ? says : "the signature cannot be read")).p) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory to verify with");
	b->next = *broken;
	*broken = b;
	return 0;
}

/* give_headers - one by one, folds inside; rest is the body then */
static int
give_headers(DKIM *dkim, struct arena *arena, struct slice *rest,
    struct broken **broken, struct why *why)
{
	struct slice h;

	if (slice_starts(*rest, SLICE("From ")))
		line(rest);
	while (rest->n > 0 && (h = line(rest)).n > 0) {
		while (rest->n > 0 && (rest->p[0] == ' ' ||
		    rest->p[0] == '\t')) {
			struct slice more = line(rest);

			h.n = (size_t)(more.p + more.n - h.p);
		}
		if (dkim_header(dkim, (unsigned char *)(uintptr_t)h.p, h.n) !=
		    DKIM_STAT_OK &&
		    refused(dkim, arena, h, broken, why) == -1)
			return -1;
	}
	return 0;
}

/* text - a string of libopendkim, kept */
static struct slice
text(struct arena *arena, const unsigned char *s)
{
	return arena_copy(arena, slice_of(s != NULL ? (const char *)s : ""));
}

/* judge - what became of one signature */
static int
judge(DKIM *dkim, DKIM_SIGINFO *sig, bool hashed, struct arena *arena,
    struct verify_result *r)
{
	int error;

	if (hashed && dkim_sig_geterror(sig) <= DKIM_SIGERROR_OK)
		(void)dkim_sig_process(dkim, sig);
	error = dkim_sig_geterror(sig);
	r->domain = text(arena, dkim_sig_getdomain(sig));
	r->selector = text(arena, dkim_sig_getselector(sig));
	r->algorithm = text(arena, dkim_sig_getalgorithm(sig));
	r->pass = hashed && error == DKIM_SIGERROR_OK &&
	    (dkim_sig_getflags(sig) & DKIM_SIGFLAG_PASSED) != 0 &&
	    dkim_sig_getbh(sig) == DKIM_SIGBH_MATCH;
	r->reason = "";
	if (!r->pass && error == DKIM_SIGERROR_OK)
		r->reason = dkim_sig_getbh(sig) == DKIM_SIGBH_MISMATCH ?
		    "the body was changed" : "could not be verified";
	else if (!r->pass)
		r->reason = dkim_sig_geterrorstr(error);
	if (r->reason == NULL)
		r->reason = "unknown trouble";
	return r->domain.p == NULL || r->selector.p == NULL ||
	    r->algorithm.p == NULL ? -1 : 0;
}

/* hash_all - header and body to the end; *says when libopendkim gives up */
static bool
hash_all(DKIM *dkim, struct slice body, DKIM_STAT *stat, const char **says)
{
	unsigned char crlf[] = "\r\n";

	*stat = dkim_eoh(dkim);
	if (*stat == DKIM_STAT_OK && body.n > 0)
		*stat = dkim_body(dkim, (unsigned char *)(uintptr_t)body.p,
		    body.n);
	/* a last line without end is ended for it (RFC 6376, section 3.4.4) */
	if (*stat == DKIM_STAT_OK && body.n > 0 && (body.n < 2 ||
	    memcmp(body.p + body.n - 2, "\r\n", 2) != 0))
		*stat = dkim_body(dkim, crlf, 2);
	if (*stat == DKIM_STAT_OK)
		*stat = dkim_eom(dkim, NULL);
	*says = dkim_geterror(dkim);
	if (*says == NULL || **says == '\0')
		*says = dkim_getresultstr(*stat);
	/* anything else is about one signature, and shows there */
	return *stat != DKIM_STAT_SYNTAX && *stat != DKIM_STAT_NORESOURCE &&
	    *stat != DKIM_STAT_INTERNAL && *stat != DKIM_STAT_INVALID &&
	    *stat != DKIM_STAT_NOSIG;
}

/* collect - a result for each signature */
static int
collect(DKIM *dkim, bool hashed, const struct broken *broken,
    struct arena *arena, struct verify_result **out, size_t *n)
{
	const struct broken *b;
	DKIM_SIGINFO **sigs = NULL;
	size_t total;
	int count = 0;

	if (dkim_getsiglist(dkim, &sigs, &count) != DKIM_STAT_OK)
		count = 0;
	total = (size_t)count;
	for (b = broken; b != NULL; b = b->next)
		total++;
	if ((*out = arena_array(arena, total + 1, sizeof(**out))) == NULL)
		return -1;
	for (; *n < (size_t)count; ++*n) {
		if (judge(dkim, sigs[*n], hashed, arena, &(*out)[*n]) == -1)
			return -1;
	}
	for (b = broken; b != NULL; b = b->next)
		(*out)[(*n)++] = (struct verify_result){ SLICE(""), SLICE(""),
			SLICE(""), false, b->reason };
	return 0;
}

/* verify_message - every signature, from the top down */
int
verify_message(struct verifier *v, struct arena *arena, struct slice message,
    struct verify_result **out, size_t *n, struct why *why)
{
	struct slice rest = in_crlf(v, message);
	struct broken *broken = NULL;
	const char *says = NULL;
	DKIM_STAT stat = DKIM_STAT_OK;
	DKIM *dkim = NULL;
	bool hashed;
	int rc = -1;

	*out = NULL;
	*n = 0;
	if (buf_failed(&v->crlf))
		return why_kind(why, WHY_MEMORY, "no memory to verify with");
	dkim = dkim_verify(v->lib, (const unsigned char *)"verify", NULL,
	    &stat);
	if (dkim == NULL)
		return why_set(why, "libopendkim: %s", dkim_getresultstr(stat));
	if (give_headers(dkim, arena, &rest, &broken, why) == -1)
		goto out;
	hashed = hash_all(dkim, rest, &stat, &says);
	if (!hashed && stat != DKIM_STAT_NOSIG && broken == NULL) {
		why_set(why, "libopendkim: %s", says);
		goto out;
	}
	if (collect(dkim, hashed, broken, arena, out, n) == -1) {
		why_kind(why, WHY_MEMORY, "no memory to verify with");
		goto out;
	}
	rc = 0;
out:
	dkim_free(dkim);
	return rc;
}
