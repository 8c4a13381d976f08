/*
 * fuzz login_map - any bytes as a file of logins.  Every line that was taken is
 * found again, at its place; what was refused has a sentence.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/login_map.h"
#include "policy/policy.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct login_map *whole;
static struct tenant someone;
static size_t lines;

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* all_his - every name is one tenant's */
static struct tenant *
all_his(void *with, struct slice name, struct place first)
{
	(void)with;
	must(name.n >= 1 && name.n <= 64 && first.line >= 1);
	return &someone;
}

/* again - a line is found by what it says */
static void
again(void *with, struct slice text, struct place at)
{
	bool domain = slice_starts(text, SLICE("*@"));
	struct tenant *t = NULL;
	struct place found;

	(void)with;
	lines++;
	must(text.n >= 1 && text.n <= 255);
	must(login_map_find(whole, slice_from(text, domain ? 2 : 0), domain,
	    &t, NULL, &found));
	must(t == &someone && found.line == at.line && found.col == at.col &&
	    found.file == at.file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *arena = arena_new(4096, 0);
	struct login_map *map = login_map_new();
	struct problems problems;
	size_t half = n / 2;
	char *copy = malloc(n + 1);

	must(arena != NULL && map != NULL && copy != NULL);
	if (n > 0)
		memcpy(copy, data, n);
	problems_init(&problems, arena);
	must(login_map_add(map, "one", copy, half, &problems) == 0);
	must(login_map_add(map, "two", copy + half, n - half, &problems) == 0);
	login_map_settle(map, all_his, NULL);
	whole = map;
	lines = 0;
	login_map_each(map, &someone, again, NULL);
	must(lines == login_map_count(map));
	login_map_free(map);
	arena_free(arena);
	free(copy);
	return 0;
}
