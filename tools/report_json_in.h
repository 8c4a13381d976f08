/*
 * report_json_in - what the two files of the JSON form share; private to them.
 */
#ifndef TOOLS_REPORT_JSON_IN_H
#define TOOLS_REPORT_JSON_IN_H

#include "tools/report.h"

extern const char *const json_tiers[];		/* as names of members */

/* Members of an object that has begun. */
void	json_tallies(struct buf *, const uint64_t n[TALLIES]);
void	json_who(struct buf *, enum subject_kind, struct slice);
/* An array of the charts' days; spikes may be NULL. */
void	json_days(struct buf *, const struct report *, const char *key,
	    uint64_t (*list)[TALLIES], const bool *spikes);

void	report_json_more(const struct report *, struct buf *);

#endif
