/*
 * fuzz letter - any bytes as a mail to the unsubscribe address.  The first
 * line is the recipient.  "@TOKEN@" in the mail is a token that is good.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/unsubscribe/letter.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* load - a ring of one key */
static struct token_ring *
load(void)
{
	char dir[] = "/tmp/penstock-fuzz-XXXXXX", path[64];
	struct token_ring *ring = NULL;
	struct why why;
	uint8_t number;

	must(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/keys", dir);
	must(token_ring_add(path, &number, &why) == 0);
	must(token_ring_load(&ring, path, &why) == 0);
	unlink(path);
	rmdir(dir);
	return ring;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct token_ring *ring;
	static struct arena *arena;
	static const char mark[] = "@TOKEN@";
	struct slice in = { (const char *)data, n }, to, good, mail;
	struct token t = { .tenant = 1, .recipient = SLICE("a@b.example") };
	struct token got;
	struct why why;
	const char *end, *at;
	char *copy;
	int rc;

	if (ring == NULL) {
		ring = load();
		must((arena = arena_new(1 << 14, 0)) != NULL);
	}
	arena_reset(arena);
	must(token_make(ring, &t, arena, &good, &why) == 0);
	end = n > 0 ? memchr(data, '\n', n) : NULL;
	to = (struct slice){ in.p, end != NULL ? (size_t)(end - in.p) : n };
	mail = slice_from(in, to.n + (end != NULL));
	at = mail.n > 0 ? memmem(mail.p, mail.n, mark, sizeof(mark) - 1) :
	    NULL;
	if (at != NULL) {
		size_t head = (size_t)(at - mail.p);
		size_t tail = mail.n - head - (sizeof(mark) - 1);

		must((copy = malloc(head + good.n + tail)) != NULL);
		memcpy(copy, mail.p, head);
		memcpy(copy + head, good.p, good.n);
		memcpy(copy + head + good.n, at + sizeof(mark) - 1, tail);
		mail = (struct slice){ copy, head + good.n + tail };
	} else {
		must((copy = malloc(mail.n + 1)) != NULL);
		memcpy(copy, mail.p, mail.n);
		mail.p = copy;
	}
	rc = letter_token(ring, to, mail, arena, &got, &why);
	must(rc == 0 || rc == 1);
	must(rc == 0 || at != NULL);	/* nobody makes one up */
	if (rc == 1)
		must(got.tenant == 1 && slice_is(got.recipient,
		    "a@b.example"));
	free(copy);
	return 0;
}
