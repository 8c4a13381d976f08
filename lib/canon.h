/*
 * canon - relaxed canonicalisation of RFC 6376, section 3.4, by the stream.
 *
 * Only relaxed: simple breaks on every relay that rewraps a header.  No l=.
 * What is no CRLF pair is no line end: a lone LF and a lone CR in a body are
 * bytes like any other (section 3.4.4 knows CRLF alone).
 * Ownership: canon_body borrows the hash.  Threads: one at a time.
 */
#ifndef LIB_CANON_H
#define LIB_CANON_H

#include <stdbool.h>
#include <stddef.h>
#include "lib/hash.h"
#include "lib/slice.h"

#define CANON_LINE_MAX	998	/* without CRLF; RFC 5322, section 2.1.1 */

struct canon_body {
	struct hash_sha256_ctx	*hash;
	size_t	 crlfs;		/* line ends that no content has followed yet */
	size_t	 line;		/* bytes of the line so far, white space too */
	bool	 space;		/* white space that no content has followed */
	bool	 cr;		/* the chunk before ended with CR */
	bool	 content;	/* something was hashed */
	bool	 long_line;	/* one had more than CANON_LINE_MAX bytes */
	size_t	 used;
	char	 block[2048];	/* short runs wait here */
};

void	 canon_body_start(struct canon_body *, struct hash_sha256_ctx *);
void	 canon_body_add(struct canon_body *, const void *, size_t);
void	 canon_body_end(struct canon_body *);	/* the hash is the caller's */
/* Without the b= of a signature there is no CRLF at its end (section 3.7), so
 * none is written here.  out holds name.n + value.n + 1; returns the length. */
size_t	 canon_header(struct slice name, struct slice value, char *out);

#endif
