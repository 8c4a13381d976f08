/*
 * config_or_end - how every daemon reads penstock.conf.
 */
#include "lib/config.h"

#include <sysexits.h>

#include "lib/log.h"

/* config_or_end - or the end, with every mistake named */
struct config *
config_or_end(const char *path, int status)
{
	struct arena *arena = arena_new(4096, 0);
	struct problems problems;
	struct config *config = NULL;
	struct why why;
	int got;

	if (arena == NULL)
		log_fatal(EX_OSERR, "out of memory");
	problems_init(&problems, arena);
	if ((got = config_load(path, &config, &problems, &why)) == -1)
		log_fatal(status, "%s", why.text);
	problems_sort(&problems);
	for (const struct problem *p = problems.first; p != NULL; p = p->next)
		log_line(p->warning ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR,
		    "%s:%u:%u: %s", p->at.file != NULL ? p->at.file : path,
		    p->at.line, p->at.col, p->text);
	arena_free(arena);
	if (got != 1)
		log_fatal(status, "%s: not usable", path);
	return config;
}
