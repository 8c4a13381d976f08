/*
 * suppress_row - a row of a suppression list, in the columns of SendGrid,
 * Mailgun, SES, or our own, told apart by the header.
 *
 *	ours		address,scope,list,reason,source,created_at,
 *			expires_at,note		(any order, address needed)
 *	SendGrid	email, created; status: bounces, ip: spam reports,
 *			reason alone: invalid ones, neither: unsubscribes
 *	Mailgun		address, created_at; code or error: bounces, tags:
 *			unsubscribes, neither: complaints
 *	SES		an address and BOUNCE or COMPLAINT, with a header or
 *			without one
 *	a list		one column, email or address
 *
 * Threads: any.
 */
#ifndef TOOLS_SUPPRESS_ROW_H
#define TOOLS_SUPPRESS_ROW_H

#include "lib/suppress.h"
#include "lib/csv.h"

enum row_format { ROW_OURS, ROW_SENDGRID, ROW_MAILGUN, ROW_SES, ROW_LIST };
extern const char *const row_formats[];

struct row_layout {
	enum row_format		format;
	bool			headless;	/* the first row is data */
	enum suppress_reason	reason;		/* where no column says it */
	/* indexes of columns, -1: there is none */
	int	address, scope, list, reason_at, source, created, expires, note;
};

struct row_defaults {
	bool			 scoped;	/* scope and id are given */
	enum suppress_scope	 scope;
	uint64_t		 id;
	bool			 reasoned;	/* reason is given */
	enum suppress_reason	 reason;
	struct slice		 source;	/* where no column says it */
	int64_t			 now;		/* the date where none is */
};

/* What the first row of a file says. Action. */
int	row_layout(const struct csv_row *, struct row_layout *, struct why *);
/* One row: the address as it stands, and the entry, whose texts borrow the
 * row.  Without a scope in a column or in defaults it fails. Action. */
int	row_read(const struct row_layout *, const struct row_defaults *,
	    const struct csv_row *, struct slice *address,
	    struct suppress_entry *, struct why *);
/* "1763980000", "2026-11-21T08:00:00.000001Z", "2026-11-21 08:00", "Fri, 21
 * Nov 2025 08:00:00 UTC"; without a zone UTC. Action. */
int	row_date(struct slice, int64_t *, struct why *);
/* ISO 8601, with microseconds where there are any. */
void	row_print_date(int64_t, char out[40]);

#endif
