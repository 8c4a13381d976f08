/*
 * sort - which report a mail is, if it is one.
 *
 * By what it says of itself (report-type, types of its parts), then by the
 * names and subjects of those who say nothing, at last by the words of its
 * text.  A report sorted wrongly is not understood by its parser and is kept
 * in the quarantine; an answer of a person or of a machine that is on holiday
 * is never taken for a bounce.   Threads: any.
 */
#ifndef TOOLS_INGEST_SORT_H
#define TOOLS_INGEST_SORT_H

#include "tools/ingest/mail.h"

enum report {
	REPORT_NONE,		/* goes on to whom it was meant for */
	REPORT_DSN,
	REPORT_ARF,
	REPORT_RUA,
	REPORT_AUTO		/* vacation and its like: goes on, too */
};
extern const char *const report_names[];	/* NULL-ended */

enum report sort_mail(const struct mail *, bool null_sender, struct arena *);
/* RFC 3834, and those who were there before it. */
bool	sort_is_auto(const struct mail *, struct arena *);
/* The part that holds a DMARC aggregate report; NULL: none. */
const struct mail_part *sort_rua_part(const struct mail *);
/* Microsoft's complaints, which are no RFC 5965. */
bool	sort_is_jmrp(const struct mail *);

#endif
