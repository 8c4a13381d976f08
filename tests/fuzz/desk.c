/*
 * fuzz desk - any bytes as a decision, and as the orders in force that the
 * gate keeps.  What is accepted has a JSON form on one line; what follows from
 * the beginning of a chain is the one way to write it; orders come back as the
 * bytes they were, but for chains that nobody asks for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/provider.h"
#include "policy/orders.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const uint8_t zeros[HASH_SHA256];

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* record - the bytes as a row of the desk */
static void
record(struct slice in)
{
	static struct buf again, json;
	const struct desk_record *r;
	struct desk_row row;
	struct why why;

	if (desk_decode(in, &row, &why) == -1) {
		must(memchr(why.text, '\0', sizeof(why.text)) != NULL);
		return;
	}
	r = &row.record;
	buf_reset(&json);
	desk_json(&row, &json);
	must(json.len > 2 && memchr(json.data, '\n', json.len) == NULL);
	if (!desk_follows(&row, r->seq, zeros) || row.erased)
		return;
	buf_reset(&again);
	desk_encode(r, r->subject.n > 0 ?
	    (const uint8_t *)r->subject.p - 16 : NULL, zeros, &again);
	must(again.len == in.n && memcmp(again.data, in.p, in.n) == 0);
}

/* orders - and as a picture */
static void
orders(struct slice in)
{
	static struct buf once, twice;
	struct orders *o;
	const struct order *first;
	struct why why;
	size_t n;

	if (orders_decode(in, &o, &why) == -1)
		return;
	n = orders_list(o, 0, &first);
	for (size_t i = 0; i < n; i++) {
		must(first[i].seq <= orders_seq(o));
		must(orders_grant(o, first[i].tenant, first[i].limit_kind,
		    first[i].record->limit, 0) >= 0);
		(void)orders_pause(o, first[i].tenant, first[i].stream, 1, 0);
	}
	buf_reset(&once);
	orders_encode(o, &once);
	orders_drop(o);
	must(orders_decode(buf_slice(&once), &o, &why) == 0);
	buf_reset(&twice);
	orders_encode(o, &twice);
	orders_drop(o);
	must(once.len == twice.len &&
	    memcmp(once.data, twice.data, once.len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static bool ready;
	struct why why;

	if (!ready)
		must(provider_init(&why) == 0);
	ready = true;
	record((struct slice){ (const char *)data, n });
	orders((struct slice){ (const char *)data, n });
	return 0;
}
