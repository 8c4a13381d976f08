/*
 * verify - the DKIM signatures of a whole message, judged by libopendkim.
 *
 * The one door to that library: the command `penstock dkim verify` and the
 * tests of the signer go through it.  Keys come from a file, never from DNS:
 * one per line, "selector._domainkey.domain v=DKIM1; k=rsa; p=...".
 * Threads: one at a time per verifier.
 */
#ifndef TOOLS_VERIFY_H
#define TOOLS_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/mem.h"
#include "lib/slice.h"
#include "lib/why.h"

struct verify_result {		/* one DKIM-Signature; text in the arena */
	struct slice	 domain, selector, algorithm;
	bool		 pass;
	const char	*reason;	/* of a failure; "" when it passes */
};

struct verifier;

int	 verify_open(const char *keys, struct verifier **, struct why *);
void	 verify_close(struct verifier *);		/* NULL allowed */
/*
 * Header and body, lines in CRLF or all in LF; a "From " line of an mbox is
 * skipped.  One result per signature, from the top of the header down; those
 * that cannot even be read come last, without a domain.
 * Action: -1 when it is no message, or nothing could be judged.
 */
int	 verify_message(struct verifier *, struct arena *, struct slice message,
	    struct verify_result **, size_t *n, struct why *);

#endif
