/*
 * samples - the mails in tests/fuzz/corpus, which the unit tests read as well.
 */
#ifndef TESTS_UNIT_SAMPLES_H
#define TESTS_UNIT_SAMPLES_H

#include <stdio.h>
#include <stdlib.h>

#include "lib/slice.h"

/* sample - a file of a corpus; the caller frees the bytes */
static inline struct slice
sample(const char *corpus, const char *name)
{
	char path[256], *bytes = malloc(1 << 20);
	struct slice s = SLICE_NONE;
	FILE *f;

	snprintf(path, sizeof(path), "tests/fuzz/corpus/%s/%s", corpus, name);
	f = fopen(path, "rb");
	if (f == NULL || bytes == NULL)
		fail_msg("%s: cannot be read; tests run at the top", path);
	s.p = bytes;
	s.n = fread(bytes, 1, 1 << 20, f);
	fclose(f);
	return s;
}

/* sample_free - its bytes */
static inline void
sample_free(struct slice s)
{
	free((void *)(uintptr_t)s.p);
}

#endif
