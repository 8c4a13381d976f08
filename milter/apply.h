/*
 * apply - the only place that edits a message or words a reply on the wire.
 *
 * libmilter takes almost anything: header names and values with line breaks
 * are passed on, and a lone "%" in a reply is eaten by the MTA.  What must not
 * leave is stopped here, whoever made it.
 * Threads: inside a callback of that context.
 */
#ifndef MILTER_APPLY_H
#define MILTER_APPLY_H

#include <libmilter/mfapi.h>

#include "policy/plan.h"

/* All edits, in the order of the plan; at the end of the message only.
 * -1: refused by us or by libmilter; some may have been sent already, so the
 * message must not be accepted. */
int	apply_plan(SMFICTX *, const struct plan *, struct arena *,
	    struct why *);
/* Sets code, status and text for the next 4xx or 5xx of this context; what
 * cannot be set leaves the MTA's own words. */
void	apply_reply(SMFICTX *, const struct answer *);

#define APPLY_REPLY_MOST	981	/* libmilter's bound, with the NUL */
/* The text as libmilter wants it: "%" doubled, 8-bit bytes shown as "?", cut
 * to fit, NUL behind.
 * False: control bytes in it, or nothing to say. */
bool	apply_text(struct slice, char out[APPLY_REPLY_MOST]);
/* May be sent as a field: name of printable ASCII without ":"; value without
 * control bytes except tab, and "\n" only before white space (a fold). */
bool	apply_name_ok(struct slice);
bool	apply_value_ok(struct slice);

#endif
