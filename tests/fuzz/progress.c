/*
 * fuzz progress - any bytes as the stored row of a warmup.  What is accepted
 * can be asked about, and comes back as the bytes it was.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/provider.h"
#include "policy/progress.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

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
	static const uint8_t key[PROGRESS_KEY] = "0123456789abcde";
	static struct buf again;
	static bool ready;
	struct warm_factor factors[PROGRESS_FACTORS];
	struct warm_row row;
	struct progress *p;
	struct why why;

	if (!ready)
		must(provider_init(&why) == 0);
	ready = true;
	if (progress_decode(key, (struct slice){ (const char *)data, n }, &row,
	    factors, &why) == -1)
		return 0;
	must(row.day > 0 && row.nfactors <= PROGRESS_FACTORS);
	p = progress_after(NULL, &row, 1);
	must(p != NULL && progress_find(p, key) != NULL);
	for (unsigned i = 0; i < PROVIDER_MAX; i++)
		must(progress_thousandths(progress_find(p, key), i, row.date) <=
		    1000);
	buf_reset(&again);
	progress_encode(progress_find(p, key), &again);
	must(again.len == n && memcmp(again.data, data, n) == 0);
	progress_drop(p);
	return 0;
}
