/*
 * judged - what the commands share that show scores: the store, the knots of
 * this machine, and weeks as people write them.
 */
#ifndef TOOLS_JUDGED_H
#define TOOLS_JUDGED_H

#include "lib/desk.h"
#include "reputation/score.h"
#include "tools/tool.h"

struct judged {
	struct config	*config;
	struct db	*watch;
	struct knots	*knots;
	struct desk	*desk;		/* NULL: there is none yet */
	struct arena	*arena;
};

/* TOOL_OK, or says why and returns the status; judged_close in every case. */
int	judged_open(const struct tool *, struct judged *);
void	judged_close(struct judged *);

/* "2026-W47", a date in it, or "last", to the day behind that week: the day of
 * its scores.  last: the one that was judged last. false: it is none. */
bool	judged_week(const char *text, int32_t last, int32_t *day);
/* "2026-W47", and "16 to 22 November 2026", of the day of a score. */
const char *judged_week_name(int32_t day, char out[16]);
const char *judged_week_days(int32_t day, char out[64]);
/* "acme" or "tenant:acme": which kinds have a score; how
 * many.  *name: without the kind. */
size_t	judged_who(const struct judged *, const char *subject,
	    enum subject_kind kinds[SUBJECT_KINDS], struct slice *name,
	    struct why *);

#endif
