/*
 * wording - the text of a reply without what is different each time.
 *
 * "host mx.x.example[192.0.2.1] said: 550 5.1.1 <a@b.example>: unknown
 * 8f3a9c1e (in reply to RCPT TO command)" becomes "550 5.1.1 <ADDRESS>:
 * unknown ID", so that replies can be counted.  The codes at the front stay.
 * Threads: any; nothing is allocated.
 */
#ifndef REPUTATION_WORDING_H
#define REPUTATION_WORDING_H

#include "lib/slice.h"

#define WORDING_MAX	512

/* Returns how many bytes of out are the wording; no NUL is added. */
size_t	wording_of(struct slice reply, char out[WORDING_MAX]);

#endif
