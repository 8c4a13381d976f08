/*
 * decide_pause - who or what may not send at all for now: a tenant whose file
 * is broken, what a file pauses (tenant, group, stream), and what an operator
 * paused at the desk (a tenant, a stream, the mail to a provider).  The
 * stricter of both counts; the file is asked first.
 */
#include <stdio.h>

#include "policy/decide_in.h"
#include "policy/reply.h"

/* decide_tenant - may it send at all now? */
enum verdict
decide_tenant(struct mail *mail, struct answer *a)
{
	const struct tenant *t = mail->tenant;
	struct slice contact = reply_contact(mail->arena, t);

	if (t->form == FORM_BROKEN)
		return reply(a, mail->arena, VERDICT_DEFER, "451", "4.3.5",
		    t->at, "tenant %.*s: its policy file has mistakes, the "
		    "postmaster must mend it", SLICE_ARG(t->name));
	if (t->paused != NULL)
		return reply(a, mail->arena, VERDICT_DEFER, "451", "4.7.0",
		    t->paused_at, "tenant %.*s is paused: %.300s%.*s",
		    SLICE_ARG(t->name), t->paused, SLICE_ARG(contact));
	if (t->group != NULL && t->group->paused != NULL)
		return reply(a, mail->arena, VERDICT_DEFER, "451", "4.7.0",
		    t->group->paused_at, "tenant %.*s: group %.*s is paused: "
		    "%.300s%.*s", SLICE_ARG(t->name),
		    SLICE_ARG(t->group->name), t->group->paused,
		    SLICE_ARG(contact));
	return decide_desk(mail, ORDERS_ALL, a);
}

/* decide_stream_paused - may its stream? */
enum verdict
decide_stream_paused(struct mail *mail, struct answer *a)
{
	const struct stream *s = mail->stream;
	const struct tenant *t = mail->tenant;

	if (s->paused != NULL)
		return reply(a, mail->arena, VERDICT_DEFER, "451", "4.7.0",
		    s->paused_at, "tenant %.*s: stream %.*s is paused: "
		    "%.300s%.*s", SLICE_ARG(t->name), SLICE_ARG(s->name),
		    s->paused, SLICE_ARG(reply_contact(mail->arena, t)));
	if (decide_desk(mail, ORDERS_ALL, a) != VERDICT_PASS)
		return a->verdict;
	return decide_breakers(mail, a);
}

/* decide_desk - did an operator pause this? */
enum verdict
decide_desk(struct mail *mail, unsigned provider, struct answer *a)
{
	const struct tenant *t = mail->tenant;
	const struct order *o = orders_pause(mail->orders, t->id,
	    mail->stream != NULL ? mail->stream->id : 0, provider, mail->now);
	const struct desk_record *r;
	char what[3 * 64 + 32];

	if (o == NULL)
		return reply_pass(a, mail->tenant_rule);
	r = o->record;
	snprintf(what, sizeof(what), "%s%.*s%s%.*s",
	    r->stream.n > 0 ? ": stream " : "", SLICE_ARG(r->stream),
	    r->provider.n > 0 ? ": mail to " : "", SLICE_ARG(r->provider));
	return reply(a, mail->arena, VERDICT_DEFER, "451", "4.7.0",
	    orders_place(o), "tenant %.*s%s is paused: %.*s%.*s",
	    SLICE_ARG(t->name), what, (int)(r->reason.n < 300 ? r->reason.n :
	    300), r->reason.p, SLICE_ARG(reply_contact(mail->arena, t)));
}
