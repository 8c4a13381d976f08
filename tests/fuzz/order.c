/*
 * fuzz order - any bytes as a line to the half of penstock-release that is
 * root, and as its answer.
 *
 * What is accepted is written in one way only; no queue id that passes is an
 * option, a path, a blank, or one of postsuper's words.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tools/release/order.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* harmless - as an argument of a program, and as a line of its input */
static void
harmless(struct slice id)
{
	must(id.n >= 6 && id.n <= ORDER_ID_MOST);
	for (size_t i = 0; i < id.n; i++)
		must(isalnum((unsigned char)id.p[i]) != 0);
}

/* same - is that the line, with its end? */
static void
same(const struct buf *b, struct slice line)
{
	must(!buf_failed(b) && b->len == line.n + 1 &&
	    b->data[line.n] == '\n' && memcmp(b->data, line.p, line.n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice line = { (const char *)data, n };
	static struct order o;
	static struct buf b;
	struct reply r;
	struct why why;

	if (order_parse(line, &o, &why) == 0) {
		must(n < ORDER_LINE && o.n <= ORDER_IDS);
		for (size_t i = 0; i < o.n; i++)
			harmless(o.ids[i]);
		buf_reset(&b);
		order_format(&o, &b);
		same(&b, line);
	}
	if (reply_parse(line, &r, &why) == 0) {
		if (r.kind == REPLY_HELD || r.kind == REPLY_AT)
			harmless(r.id);
		buf_reset(&b);
		reply_format(&r, &b);
		same(&b, line);
	}
	return 0;
}
