/*
 * postbox - mail to the unsubscribe address, by LMTP.
 *
 * A reply of 250 means that the wish is on disk, or that there was none in the
 * mail: nobody is answered by mail, so that forged senders get none.  A store
 * that cannot be written is 451, and Postfix comes again.
 * Threads: one of its own; calls from main.
 */
#ifndef TOOLS_UNSUBSCRIBE_POSTBOX_H
#define TOOLS_UNSUBSCRIBE_POSTBOX_H

#include "tools/unsubscribe/answer.h"

struct postbox;

/* fd: listening; borrowed until postbox_stop. Action. */
int	postbox_start(struct postbox **, struct shared *, int fd,
	    struct why *);
/* Messages whose end was seen are answered first. NULL allowed. */
void	postbox_stop(struct postbox *);

/* The other end: the message on fd 0 goes to that socket ("unix:/path",
 * "inet:port@host") for one recipient. Exit status of a pipe(8) command. */
int	postbox_hand_over(const char *where, const char *recipient);

#endif
