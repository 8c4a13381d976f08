/*
 * backoff_in - the rules of back-off as backoff_load.c makes them and
 * backoff.c asks them; nobody else includes it.
 */
#ifndef REPUTATION_BACKOFF_IN_H
#define REPUTATION_BACKOFF_IN_H

#include "lib/mem.h"
#include "reputation/backoff.h"

struct backoffs {
	struct arena		*arena;		/* rules and their texts */
	struct backoff_rule	*rules;
	size_t			 n;
	struct classifier	*texts;		/* NULL: no rule has any */
};

#endif
