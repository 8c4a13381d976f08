/*
 * fuzz google - any bytes as answers of Postmaster Tools.
 */
#include "tests/fuzz/snapshot.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return imported("google", data, size);
}
