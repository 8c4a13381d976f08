/*
 * fuzz dnsbl - any bytes as answers of block lists.
 */
#include "tests/fuzz/snapshot.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return imported("dnsbl", data, size);
}
