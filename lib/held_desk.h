/*
 * held_desk - what operators decide of held mail, as records of the desk.
 *
 * DESK_HOLD_RELEASE and DESK_HOLD_DROP: object is a queue id, or HELD_DESK_ALL
 * for all mail of the tenant, or of all tenants when that is absent.  amount
 * is the sequence of the hold event of the one message, or the gate's last
 * event when the decision was made: what is held later is not meant.  So no
 * clock is asked, and a queue id that is given again means its first message.
 * Whoever shows, decides and obeys asks the same function.
 * Threads: any.
 */
#ifndef LIB_HELD_DESK_H
#define LIB_HELD_DESK_H

#include "lib/desk.h"
#include "lib/held.h"

#define HELD_DESK_ALL	"*"

/* Is it a decision of one of both kinds? */
bool	held_desk_is(const struct desk_record *);
/* Is that message meant by it? */
bool	held_desk_means(const struct desk_record *, const struct held *);

#endif
