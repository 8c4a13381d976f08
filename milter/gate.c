/*
 * gate - what libmilter calls, and what it is told.
 *
 * Steps: HELO, DATA and unknown commands are of no use here and are switched
 * off, the same on every connection, since libmilter keeps its table of
 * allowed steps in one global array.  Headers are not answered one by one
 * (SMFIP_NR_HDR; libmilter answers for us where the MTA cannot do without).
 * Body chunks are: with SMFIP_NR_BODY libmilter never calls the end of the
 * message when a client puts body bytes into that very command, and the
 * client would wait for ever.
 *
 * QUIT may be followed by another connection in the same context, with a
 * connect but without a negotiation: the session is born at connect.
 */
#include "milter/gate.h"

#include <libmilter/mfapi.h>

#include "lib/log.h"
#include "milter/apply.h"
#include "milter/stage.h"

#define ACTIONS	(SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_DELRCPT | \
		SMFIF_QUARANTINE | SMFIF_CHGFROM)
#define STEPS	(SMFIP_NOHELO | SMFIP_NOUNKNOWN | SMFIP_NODATA | SMFIP_NR_HDR)

static struct gate *gate;	/* the one of this process */

/* enter - the session of a callback; NULL when there is none, or no more */
static struct session *
enter(SMFICTX *ctx)
{
	atomic_fetch_add(&gate->inside, 1);
	return atomic_load(&gate->stopping) ? NULL : smfi_getpriv(ctx);
}

/* leave - the turn in libmilter's words, its reply set, the message settled */
static sfsistat
leave(SMFICTX *ctx, struct session *s, enum turn turn, const struct answer *a)
{
	static const sfsistat stats[] = {
		[TURN_ON] = SMFIS_CONTINUE, [TURN_ACCEPT] = SMFIS_ACCEPT,
		[TURN_LATER] = SMFIS_TEMPFAIL, [TURN_NO] = SMFIS_REJECT,
	};

	if (turn == TURN_LATER || turn == TURN_NO)
		apply_reply(ctx, a);
	if (s != NULL)
		message_settle(s);
	atomic_fetch_sub(&gate->inside, 1);
	return stats[turn];
}

/* macro - what the MTA says about it; absent when it does not */
static struct slice
macro(SMFICTX *ctx, const char *name)
{
	return slice_of(smfi_getsymval(ctx, (char *)name));
}

/* on_negotiate - what the MTA must let us do, and need not tell us */
static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
    unsigned long f2, unsigned long f3, unsigned long *want,
    unsigned long *without, unsigned long *want2, unsigned long *want3)
{
	(void)f2, (void)f3;
	if ((actions & ACTIONS) != ACTIONS) {
		log_error("the MTA does not let a milter change headers, "
		    "recipients and sender and hold mail (it offers 0x%lx, "
		    "needed is 0x%lx)", actions, ACTIONS);
		return SMFIS_REJECT;
	}
	*want = ACTIONS | (actions & SMFIF_SETSYMLIST);
	*without = STEPS & (steps | SMFIP_NR_HDR);
	*want2 = *want3 = 0;
	if ((actions & SMFIF_SETSYMLIST) == 0)
		return SMFIS_CONTINUE;
	(void)smfi_setsymlist(ctx, SMFIM_CONNECT, "{daemon_name}");
	/*
	 * libmilter keeps the macros of the MAIL before when none comes with
	 * this one, and a login with them: so there is one that always comes.
	 */
	(void)smfi_setsymlist(ctx, SMFIM_ENVFROM,
	    "{daemon_name} {auth_authen} {auth_type}");
	(void)smfi_setsymlist(ctx, SMFIM_ENVRCPT, "{rcpt_addr} {rcpt_mailer}");
	(void)smfi_setsymlist(ctx, SMFIM_EOM, "i");
	return SMFIS_CONTINUE;
}

/* on_connect - a session is born */
static sfsistat
on_connect(SMFICTX *ctx, char *name, struct sockaddr *from)
{
	struct session *s = enter(ctx);
	struct answer a;

	(void)name;
	session_free(s);	/* a connection that was never closed */
	s = atomic_load(&gate->stopping) ? NULL : session_new(gate, from);
	(void)smfi_setpriv(ctx, s);
	return leave(ctx, s, s != NULL ? TURN_ON : stage_crowded(&a), &a);
}

/* on_mail - the sender, and who says so */
static sfsistat
on_mail(SMFICTX *ctx, char **argv)
{
	struct session *s = enter(ctx);
	struct answer a;
	struct envelope e = {
		.from = slice_of(argv[0]),
		.args = argv[0] != NULL ? argv + 1 : NULL,
		.login = macro(ctx, "{auth_authen}"),
		.listener = macro(ctx, "{daemon_name}"),
	};

	return leave(ctx, s, s != NULL ? stage_mail(s, &e, &a) :
	    stage_lost(&a), &a);
}

/* on_rcpt - one recipient */
static sfsistat
on_rcpt(SMFICTX *ctx, char **argv)
{
	struct session *s = enter(ctx);
	struct answer a;

	return leave(ctx, s, s != NULL ? stage_rcpt(s, slice_of(argv[0]),
	    macro(ctx, "{rcpt_mailer}"), &a) : stage_lost(&a), &a);
}

/* on_header - never answered */
static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	struct session *s = enter(ctx);

	if (s != NULL)
		stage_header(s, slice_of(name), slice_of(value));
	(void)leave(ctx, s, TURN_ON, NULL);
	return SMFIS_NOREPLY;
}

/* on_eoh - the headers are over */
static sfsistat
on_eoh(SMFICTX *ctx)
{
	struct session *s = enter(ctx);
	struct answer a;

	return leave(ctx, s, s != NULL ? stage_eoh(s, &a) : stage_lost(&a),
	    &a);
}

/* on_body - a piece of the body */
static sfsistat
on_body(SMFICTX *ctx, unsigned char *bytes, size_t n)
{
	struct session *s = enter(ctx);
	struct answer a;

	return leave(ctx, s, s != NULL ? stage_body(s, bytes, n, &a) :
	    stage_lost(&a), &a);
}

/* on_eom - decided, recorded, edited: in this order */
static sfsistat
on_eom(SMFICTX *ctx)
{
	struct session *s = enter(ctx);
	enum turn turn;
	struct answer a;
	struct why why;
	int done;

	turn = s != NULL ? stage_eom(s, macro(ctx, "i"), &a) : stage_lost(&a);
	if (turn == TURN_ACCEPT) {
		done = apply_plan(ctx, &s->message.plan, s->message.arena,
		    &why);
		turn = stage_applied(s, done == 0 ? NULL : &why, &a);
	}
	return leave(ctx, s, turn, &a);
}

/* on_abort - the message is not to be */
static sfsistat
on_abort(SMFICTX *ctx)
{
	struct session *s = enter(ctx);

	if (s != NULL)
		stage_abort(s);
	return leave(ctx, s, TURN_ON, NULL);
}

/* on_close - may come from libmilter's controller: it must not wait */
static sfsistat
on_close(SMFICTX *ctx)
{
	struct session *s = enter(ctx);

	session_free(s);
	(void)smfi_setpriv(ctx, NULL);
	return leave(ctx, NULL, TURN_ON, NULL);
}

/* gate_register - once */
int
gate_register(struct gate *g, struct why *why)
{
	struct smfiDesc filter = {
		.xxfi_name = (char *)"penstock-milter",
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = ACTIONS,
		.xxfi_connect = on_connect,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_rcpt,
		.xxfi_header = on_header,
		.xxfi_eoh = on_eoh,
		.xxfi_body = on_body,
		.xxfi_eom = on_eom,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_negotiate = on_negotiate,
	};

	gate = g;
	if (smfi_register(filter) != MI_SUCCESS)
		return why_set(why, "libmilter does not take the callbacks");
	return 0;
}
