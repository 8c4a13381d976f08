/*
 * lmtp_serve - LMTP on a listening socket: connections around lib/lmtp.
 *
 * It has no loop of its own: the program asks for what is to be polled, polls
 * that together with what else it waits for, and gives the result back.  A
 * slow client costs a slot and nothing else; LMTP_SLOTS of them at a time,
 * others wait in the backlog, and one that was silent for LMTP_GRACE makes
 * room for them.
 *
 * Messages that are whole at the end of a turn are delivered together, so that
 * one commit may answer for all of them.
 * Threads: one at a time.
 */
#ifndef LIB_LMTP_SERVE_H
#define LIB_LMTP_SERVE_H

#include <poll.h>
#include <stdint.h>
#include "lib/lmtp.h"
#include "lib/why.h"

#define LMTP_SLOTS	32
#define LMTP_SILENCE	(300 * INT64_C(1000000))	/* us, then 421 */
#define LMTP_WHOLE	(900 * INT64_C(1000000))	/* for one message */
#define LMTP_GRACE	(5 * INT64_C(1000000))

struct lmtp_service {
	/* Judges the last recipient by one lmtp_reply; NULL when the rules do
	 * not ask. */
	void	(*recipient)(void *, struct lmtp *);
	/* n messages, each to be given all its replies before it returns. */
	void	(*deliver)(void *, struct lmtp **, size_t n);
	void	*self;
};

struct lmtp_server;

/* listen_fd: made non-blocking, stays the caller's. rules and service are
 * copied, rules->name is borrowed. NULL: no memory. */
struct lmtp_server *lmtp_server_new(int listen_fd, const struct lmtp_rules *,
	    const struct lmtp_service *);
/* Whoever is connected is cut off. NULL allowed. */
void	lmtp_server_free(struct lmtp_server *);
/* Fills at most LMTP_SLOTS + 1 entries; how many. */
size_t	lmtp_server_poll(struct lmtp_server *, struct pollfd *);
/* us until something is due, for poll's time-out; -1: nothing is. */
int64_t	lmtp_server_due(const struct lmtp_server *);
/* What poll said about these entries, or zeros in revents. */
void	lmtp_server_turn(struct lmtp_server *, const struct pollfd *,
	    size_t n);
/* No new connections, those between two messages get 421; how many are left,
 * which the program waits for by further turns, as long as it likes. */
size_t	lmtp_server_drain(struct lmtp_server *);

#endif
