/*
 * text - foreign text made fit for a sentence, and UTF-8 told from rubbish.
 *
 * Threads: any.
 */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include <stddef.h>
#include "lib/slice.h"

#define TEXT_QUOTED	48	/* bytes of the text that are shown */

struct quoted {
	char	s[TEXT_QUOTED * 4 + 8];
};

/*
 * The text in double quotes, cut after TEXT_QUOTED bytes ("..."), with
 * control bytes, bytes that are no UTF-8, and characters that would turn or
 * break a terminal's line written as \xNN.  Returns out->s.
 */
const char	*text_quote(struct slice, struct quoted *out);
/* Length of the UTF-8 character (RFC 3629) at p, 1..4; 0: there is none. */
size_t		 text_utf8(const char *p, size_t n);

#endif
