/*
 * reports_in - what reports.c (socket, transaction) and report_*.c (what
 * becomes of a mail) share; nobody else includes it.
 */
#ifndef TOOLS_INGEST_REPORTS_IN_H
#define TOOLS_INGEST_REPORTS_IN_H

#include "lib/lmtp_serve.h"
#include "reputation/quarantine.h"
#include "tools/ingest/attribute.h"
#include "tools/ingest/reports.h"
#include "tools/ingest/sort.h"

struct reports {
	struct reports_with with;
	struct token_ring *ring;
	struct lmtp_server *server;
	int64_t		 forward_again;	/* mono: not before */
	bool		 broken;
	struct why	 why;		/* of that */
};

/* One mail on its way. */
struct job {
	struct reports	*r;
	struct arena	*arena;
	struct slice	 sender, recipient;	/* of the envelope; the first */
	const struct slice *recipients;		/* all of them */
	size_t		 nrecipients;
	struct slice	 message;
	bool		 utf8;
	struct mail	 mail;
	enum report	 kind;
	int64_t		 now;
	bool		 forwarded;
	/* what came of it */
	unsigned	 recorded, known, unproven, other;
	char		 answer[200];	/* behind the code */
};

/* The mail and the reason into the quarantine. Action. */
int	report_keep(struct job *, const char *kind, const char *reason,
	    struct why *);
/* Nobody understood it: counted, a sample kept, and the quarantine. */
int	report_strange(struct job *, const char *reason, struct why *);
void	report_by(const struct job *, struct attribute_by *);

int	report_dsn(struct job *, struct why *);		/* report_dsn.c */
int	report_arf(struct job *, struct why *);		/* report_arf.c */
int	report_rua(struct job *, struct why *);		/* report_rua.c */
/* report_leave.c: a mail to the address of a message, "unsubscribe" */
bool	report_leaves(const struct job *);
int	report_leave(struct job *, struct why *);
/* Before the transaction: sends it on. 1 it went, 0 there is nowhere to go (or
 * it was here before): the quarantine, -1 not now. report_forward.c */
int	report_forward(struct job *, struct why *);

#endif
