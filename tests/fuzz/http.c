/*
 * fuzz http - any request to penstock-unsubscribe, behind libmicrohttpd: path,
 * headers and body.  Fields are parted by NUL: path, Accept-Language,
 * Content-Type, body; the first byte picks the method; a path "T" is a token
 * that is good.
 *
 * What is not a token of ours gets the one 400, only a POST makes a wish, and
 * a page never lets text of the request into its markup.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fold.h"
#include "tools/unsubscribe/answer.h"
#include "tools/unsubscribe/page.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct shared shared;
static struct slice good;
static struct arena *arena;

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* set_up - a ring, a store in a folder that is gone at once */
static void
set_up(void)
{
	char dir[] = "/tmp/penstock-fuzz-XXXXXX", path[64];
	static const char *const files[] = { "keys", "s/data.mdb",
		"s/lock.mdb", "s/owner.lock" };
	struct token t = { .tenant = 1, .list = 2,
	    .recipient = SLICE("ann@example.org") };
	struct why why;
	uint8_t number;

	must(mkdtemp(dir) != NULL && fold_init(&why) == 0);
	must((arena = arena_new(4096, 0)) != NULL);
	page_init();
	pthread_rwlock_init(&shared.lock, NULL);
	snprintf(path, sizeof(path), "%s/keys", dir);
	must(token_ring_add(path, &number, &why) == 0);
	must(token_ring_load(&shared.ring, path, &why) == 0);
	snprintf(path, sizeof(path), "%s/s", dir);
	must(consent_open(&shared.consent, path, 1 << 24, &why) == 0);
	must(token_make(shared.ring, &t, arena, &good, &why) == 0);
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/s", dir);
	rmdir(path);
	rmdir(dir);
}

/* field - up to the next NUL */
static struct slice
field(struct slice *rest)
{
	const char *end = rest->n > 0 ? memchr(rest->p, '\0', rest->n) : NULL;
	size_t n = end != NULL ? (size_t)(end - rest->p) : rest->n;
	struct slice one = { rest->p, n };

	*rest = slice_from(*rest, n + (end != NULL));
	return one;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const methods[] = { "GET", "POST", "HEAD",
		"OPTIONS" };
	struct slice rest = { (const char *)data, n };
	struct request r = { .method = "GET" };
	struct answer a = { .body = BUF_INIT };
	struct wish w;
	bool is_good;

	if (arena == NULL)
		set_up();
	if (n > 0) {
		r.method = methods[data[0] % 4];
		rest = slice_from(rest, 1);
	}
	r.path = field(&rest);
	r.language = field(&rest);
	r.type = field(&rest);
	r.body = rest;
	if ((is_good = slice_is(r.path, "T")))
		r.path = good;
	if (answer_begin(&shared, &r, &a, &w) == ANSWER_WISH) {
		must(is_good && strcmp(r.method, "POST") == 0 && !w.lift);
		must(memmem(r.body.p, r.body.n, "Click", 5) != NULL ||
		    memchr(r.body.p, '%', r.body.n) != NULL);
	} else if (!is_good) {
		must(a.status == 400 || slice_is(r.path, "/health") ||
		    slice_is(r.path, "/robots.txt"));
	} else {
		must(a.status == 200 || a.status == 400 || a.status == 405);
	}
	must(!buf_failed(&a.body));
	must(a.language < 5);
	buf_free(&a.body);
	return 0;
}
