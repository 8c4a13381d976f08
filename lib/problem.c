/*
 * problem - what is wrong in a file, and where.
 *
 * A list in order of discovery.  Checks go through the files more than once
 * (first grammar, then words, then what belongs together), so the list is
 * sorted before a person reads it: files in the order in which they were first
 * mentioned, and from top to bottom within a file.
 */
#include "lib/problem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/map.h"
#include "lib/slice.h"

#define PROBLEM_TEXT	1024	/* bytes of one sentence; the rest is cut */

/* problems_init - an empty list whose texts will live in the arena */
void
problems_init(struct problems *all, struct arena *arena)
{
	all->arena = arena;
	all->first = NULL;
	all->last = &all->first;
	all->errors = all->warnings = 0;
}

/* problem_add - append one; without memory only the count remains */
static void
problem_add(struct problems *all, struct place at, bool warning,
    const char *format, va_list args)
{
	char text[PROBLEM_TEXT];
	struct problem *one;
	struct slice copy;

	if (warning)
		all->warnings++;
	else
		all->errors++;
	vsnprintf(text, sizeof(text), format, args);
	one = arena_alloc(all->arena, sizeof(*one));
	if (one == NULL)
		return;
	copy = arena_copy(all->arena, slice_of(text));
	one->at = at;
	one->warning = warning;
	one->text = copy.p != NULL ? copy.p : "out of memory";
	*all->last = one;
	all->last = &one->next;
}

/* problem_error - something that must be put right */
void
problem_error(struct problems *all, struct place at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	problem_add(all, at, false, format, args);
	va_end(args);
}

/* problem_warn - something that a careful person would look at */
void
problem_warn(struct problems *all, struct place at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	problem_add(all, at, true, format, args);
	va_end(args);
}

struct ranked {
	struct problem	*one;
	uintptr_t	 file;		/* 1 for the file seen first, ... */
	size_t		 order;		/* of discovery: makes the sort stable */
};

/* ranked_compare - by file, line, column, discovery */
static int
ranked_compare(const void *va, const void *vb)
{
	const struct ranked *a = va, *b = vb;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (a->one->at.line != b->one->at.line)
		return a->one->at.line < b->one->at.line ? -1 : 1;
	if (a->one->at.col != b->one->at.col)
		return a->one->at.col < b->one->at.col ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* rank_files - number the files by first mention; -1 without memory */
static int
rank_files(const struct problems *all, struct map *files,
    struct ranked *ranked)
{
	struct problem *one;
	struct slice name;
	void *known;
	size_t n = 0;

	for (one = all->first; one != NULL; one = one->next, n++) {
		name = slice_of(one->at.file != NULL ? one->at.file : "");
		known = map_get(files, name);
		if (known == NULL) {
			known = (void *)(uintptr_t)(map_count(files) + 1);
			if (map_set(files, name, known) == -1)
				return -1;
		}
		ranked[n].one = one;
		ranked[n].file = (uintptr_t)known;
		ranked[n].order = n;
	}
	return 0;
}

/* problems_sort - as a person reads them; left as they are without memory */
void
problems_sort(struct problems *all)
{
	struct ranked *ranked = NULL;
	struct problem *one;
	struct map *files = NULL;
	size_t n = 0, i;

	for (one = all->first; one != NULL; one = one->next)
		n++;
	if (n < 2)
		return;
	ranked = calloc(n, sizeof(*ranked));
	files = map_new();
	if (ranked == NULL || files == NULL ||
	    rank_files(all, files, ranked) == -1)
		goto out;
	qsort(ranked, n, sizeof(*ranked), ranked_compare);
	all->last = &all->first;
	for (i = 0; i < n; i++) {
		*all->last = ranked[i].one;
		all->last = &ranked[i].one->next;
	}
	*all->last = NULL;
out:
	map_free(files);
	free(ranked);
}
