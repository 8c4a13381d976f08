/*
 * reports - mails that report, from LMTP into the outcomes/ store.
 *
 * A part of penstock-ingest's loop: a socket (lib/lmtp_serve.h), and what
 * becomes of each mail.  250 is said when its transaction is committed, 451
 * when it is not; mails that are whole at the same moment share one.
 *
 *	bounce, complaint	the outcome, when it is proven (attribute.h);
 *				else the quarantine
 *	DMARC report		totals (reputation/dmarc.h)
 *	anything else		goes on to "forward", or to the quarantine
 *
 * Threads: one.
 */
#ifndef TOOLS_INGEST_REPORTS_H
#define TOOLS_INGEST_REPORTS_H

#include <poll.h>

#include "lib/config.h"
#include "lib/store.h"
#include "lib/token.h"
#include "reputation/classify.h"
#include "reputation/outcome.h"

#define REPORTS_SIZE	(32u << 20)	/* bytes of a mail */
#define REPORTS_HELD	(128u << 20)	/* of all under way */
#define REPORTS_RCPTS	1000
#define REPORTS_HERE	"@localhost"	/* recipients of a pipe: they never
					   go on to anybody */

struct reports_with {			/* borrowed while it lives */
	const char		*forward;	/* "inet:host:port"; "" none */
	const char		*token_keys;	/* file; "" or NULL: none */
	struct outcomes		*outcomes;
	struct store		*const *gate;	/* NULL there: no store yet */
	struct classifier	*const *classifier;
};

struct reports;

/* listen_fd stays the caller's. A key file that cannot be read is a warning:
 * tokens prove nothing then. Action. */
int	reports_new(struct reports **, int listen_fd,
	    const struct reports_with *, struct why *);
void	reports_free(struct reports *);			/* NULL allowed */
/* As struct life_part has it. ready: -1 when the store is broken. */
size_t	reports_want(void *reports, struct pollfd *, size_t room);
int	reports_ready(void *reports, const struct pollfd *, size_t n,
	    struct why *);
/* One mail without a socket, in a transaction that the caller opened; says in
 * out what an LMTP client would be told behind "250 2.0.0 ". Action. */
int	reports_take(struct reports *, struct slice sender,
	    struct slice recipient, struct slice message, char *out,
	    size_t room, struct why *);

#endif
