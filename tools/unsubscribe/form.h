/*
 * form - what a POST asks for: the one pair of RFC 8058, as
 * application/x-www-form-urlencoded or as multipart/form-data, or the page's
 * own word to subscribe again.
 *
 * Read by us and not by a library: it is two names, in at most FORM_MAX bytes.
 * Threads: any.
 */
#ifndef TOOLS_UNSUBSCRIBE_FORM_H
#define TOOLS_UNSUBSCRIBE_FORM_H

#include "lib/slice.h"

#define FORM_MAX	1024		/* bytes of a body */

enum form_wish { FORM_NONE, FORM_UNSUBSCRIBE, FORM_RESUBSCRIBE };

/* type: Content-Type, absent or not.  Both wishes at once are none. */
enum form_wish	form_read(struct slice type, struct slice body);

#endif
