/*
 * fuzz figures - any bytes as CSV with our own columns.
 */
#include "tests/fuzz/snapshot.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return imported("yahoo", data, size);
}
