/*
 * unsubscribe - what a mail carries for those who had enough of it, as data:
 * List-Unsubscribe (RFC 2369, RFC 8058), List-Id (RFC 2919), Feedback-ID,
 * CFBL-Address (RFC 9477), and the return path that names the message.
 *
 * Bulk mail only (but for the return path), and mail with a remote recipient
 * only.  A link names one recipient, so mail to several gets none: it gets a
 * mailto: that names the message, or is turned away, as many_recipients says.
 * List-Unsubscribe-Post is written beside our own link and under a signature
 * alone; a sender's own List-Unsubscribe never gets it.
 * Memory: the arena.  Threads: any.
 */
#ifndef POLICY_UNSUBSCRIBE_H
#define POLICY_UNSUBSCRIBE_H

#include "policy/decide.h"

#define UNSUBSCRIBE_FIELDS	8
#define UNSUBSCRIBE_CODE	15	/* "t" and 13 letters, with a NUL */

struct carried {
	struct header_fact fields[UNSUBSCRIBE_FIELDS];	/* to be written */
	size_t		 n;
	bool		 list, feedback, cfbl;	/* what others wrote of it goes */
	uint64_t	 token;		/* id of the short token; 0: none */
	char		 text[TOKEN_SHORT + 1];
	struct slice	 return_path;	/* p NULL: as it came */
};

/* Can mail of that stream not be without the keys of tokens? */
bool	unsubscribe_needs_ring(const struct stream *);
/* At RCPT, the stream being known: one recipient more than a link has? */
enum verdict unsubscribe_rcpt(struct mail *, struct answer *);
/* At the end of the headers: the same, a field that must be there, keys that
 * are not; and the campaign's name. */
enum verdict unsubscribe_headers(struct mail *, const struct header_fact *,
	    size_t n, struct answer *);
/* What is written. Action. */
int	unsubscribe_make(const struct mail *, const struct header_fact *,
	    size_t n, struct carried *, struct arena *, struct why *);
/* Does a field of that name go? */
bool	unsubscribe_takes(const struct carried *, struct slice name);
/* The code of a thing in Feedback-ID: its letter, and its id in base32, which
 * is nobody else's. */
void	unsubscribe_code(char letter, uint64_t id,
	    char out[UNSUBSCRIBE_CODE]);

#endif
