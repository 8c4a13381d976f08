/*
 * fuzz held - any bytes as the row of a held message, which a program that is
 * root acts on.  What is accepted is the one way to write what was read, its
 * queue id is no more than letters and digits, and it says of a decision all
 * or nothing.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/held.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { SEQ = 7 };

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice in = { (const char *)data, n };
	static struct buf again;
	struct held h;
	struct why why;

	if (held_decode(SEQ, in, &h, &why) == -1) {
		must(memchr(why.text, '\0', sizeof(why.text)) != NULL);
		return 0;
	}
	must(h.seq == SEQ && h.state <= HELD_EXPIRE &&
	    held_state_names[h.state] != NULL);
	must(h.queue_id.n > 0 && h.queue_id.n <= HELD_QUEUE_ID);
	for (size_t i = 0; i < h.queue_id.n; i++)
		must((unsigned char)h.queue_id.p[i] < 0x80 &&
		    isalnum((unsigned char)h.queue_id.p[i]));
	must((h.state != HELD_WAITING) == (h.decision > SEQ));
	buf_reset(&again);
	held_encode(&h, &again);
	must(again.len == n && memcmp(again.data, data, n) == 0);
	return 0;
}
