/*
 * arf - what a complaint says: about which message, to whom it had gone.
 *
 * RFC 5965 with the dialects of those who send it, and Microsoft's form.  Much
 * is hidden in the field ("redacted@example.com", "x.x.x.x"): hidden values
 * are left out.  It believes what it reads; see attribute.h for what a claim
 * is worth.   Ownership: slices live in the mail or the arena.  Threads: any.
 */
#ifndef TOOLS_INGEST_ARF_H
#define TOOLS_INGEST_ARF_H

#include "tools/ingest/mail.h"

#define ARF_RECIPIENTS	100	/* of one report; more are not looked at */

enum arf_type { ARF_ABUSE, ARF_FRAUD, ARF_VIRUS, ARF_OTHER, ARF_NOT_SPAM,
	ARF_OPT_OUT, ARF_AUTH_FAILURE, ARF_UNKNOWN };
extern const char *const arf_type_names[];	/* NULL-ended */

struct arf {
	enum arf_type	 type;
	struct slice	 reporter;	/* domain of the report's From */
	struct slice	 agent;		/* User-Agent; may be absent */
	struct slice	 source_ip;	/* absent when hidden */
	struct slice	 arrival;	/* Arrival-Date or Received-Date */
	struct slice	 mail_from;	/* address; absent when hidden */
	struct slice	 envelope_id;	/* Original-Envelope-Id */
	struct slice	 feedback_id;	/* CFBL-Feedback-ID of either place */
	struct slice	 returned;	/* the message complained of, or its
					   head; absent when there is none */
	struct slice	*recipients;	/* addresses that are not hidden */
	size_t		 nrecipients;
	bool		 hidden;	/* some value was */
};

/* Fetch: 0 when it is no complaint after all. */
int	arf_read(const struct mail *, struct arena *, struct arf *,
	    struct why *);

#endif
