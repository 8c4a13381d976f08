/*
 * stage - what happens to a message at each step of the dialogue.
 *
 * The only place between libmilter and the policy that thinks; it knows
 * neither libmilter nor the wire.  Every function may be called in any state:
 * a step that does not belong there is answered "later", and changes nothing.
 * Recipient text, macros and headers are copied into the message's arena.
 * Threads: one at a time per session.  Only stage_eom waits, for the commit.
 */
#ifndef MILTER_STAGE_H
#define MILTER_STAGE_H

#include "milter/session.h"

enum turn {
	TURN_ON,	/* go on */
	TURN_ACCEPT,	/* nothing more to ask about this message */
	TURN_LATER,	/* 4xx, as the answer says */
	TURN_NO		/* 5xx, as the answer says */
};

struct envelope {		/* of MAIL; p NULL for what was not told */
	struct slice		 from;		/* first argument */
	char			*const *args;	/* the others, NULL-ended */
	struct slice		 login;		/* {auth_authen} */
	struct slice		 listener;	/* {daemon_name} */
};

enum turn stage_mail(struct session *, const struct envelope *,
	    struct answer *);
enum turn stage_rcpt(struct session *, struct slice path, struct slice mailer,
	    struct answer *);
/* A mistake is remembered and answered by stage_eoh: nobody reads a reply to
 * a header. */
void	 stage_header(struct session *, struct slice name,
	    struct slice value);
/* TURN_ACCEPT: inbound, passes untouched. */
enum turn stage_eoh(struct session *, struct answer *);
enum turn stage_body(struct session *, const void *, size_t,
	    struct answer *);
/* TURN_ACCEPT: recorded; message.plan is to be carried out now, and the
 * outcome told to stage_applied. */
enum turn stage_eom(struct session *, struct slice queue_id,
	    struct answer *);
/* why NULL: all edits are through. Ends the message either way. */
enum turn stage_applied(struct session *, const struct why *,
	    struct answer *);
void	 stage_abort(struct session *);

/* The answer when there is no session, or no memory for anything. */
enum turn stage_lost(struct answer *);
/* The answer to a connection beyond max_sessions. */
enum turn stage_crowded(struct answer *);

#endif
