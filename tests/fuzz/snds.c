/*
 * fuzz snds - any bytes as a file of SNDS.
 */
#include "tests/fuzz/snapshot.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return imported("microsoft", data, size);
}
