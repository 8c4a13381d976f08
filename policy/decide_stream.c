/*
 * decide_stream - which of the tenant's streams a mail is in, as early as it
 * can be known.
 *
 * At MAIL: when the login, the listener, the client and the sender suffice.
 * At RCPT: with the recipient.  The first remote recipient that is accepted
 * fixes the stream, and one whose stream would be another is asked to come
 * with the next message; on a submission listener he stays, since a mail
 * program gives up the whole message for it.  At the end of the headers: the
 * rest, for the same first recipient.
 *
 * A stream that is known does not change any more: three-valued logic said
 * that nothing which was not known yet could have made it another.
 */
#include "policy/decide_in.h"
#include "policy/meter.h"
#include "policy/reply.h"

/* facts - what is known of the mail by now */
static struct match_facts
facts(const struct mail *mail, struct slice rcpt)
{
	return (struct match_facts){
		.login = mail->login,
		.listener = mail->listener,
		.sender = mail->null_sender ? SLICE("") : mail->mail_from.text,
		.client = &mail->client,
		.recipient = rcpt,
	};
}

/* decide_submission - is it where mail programs hand in their mail? */
bool
decide_submission(const struct policy *p, struct slice listener)
{
	static const struct slice words[] = { { "submission", 10 },
		{ "smtps", 5 } };
	size_t i, at;

	for (i = 0; i < p->nsubmission; i++)
		if (slice_eq(p->submission[i], listener))
			return true;
	for (i = 0; i < 2; i++)
		for (at = 0; at + words[i].n <= listener.n; at++)
			if (slice_case_eq((struct slice){ listener.p + at,
			    words[i].n }, words[i]))
				return true;
	return false;
}

/* decide_all_or_none - does one recipient too many turn all away? */
bool
decide_all_or_none(const struct mail *mail)
{
	const struct stream *s = mail->stream != NULL ? mail->stream :
	    policy_default(mail->tenant);

	if (s->partial != PARTIAL_BY_LISTENER)
		return s->partial == PARTIAL_ALL_OR_NONE;
	return decide_submission(mail->policy, mail->listener);
}

/* decide_stream_mail - before any recipient */
enum verdict
decide_stream_mail(struct mail *mail, struct answer *a)
{
	struct match_facts f = facts(mail, SLICE_NONE);

	mail->stream = match_tenant(mail->tenant, &f, &mail->matched);
	if (mail->stream == NULL) {
		mail->by_rcpt = true;
		return reply_pass(a, mail->tenant_rule);
	}
	return decide_stream_paused(mail, a);
}

/* elsewhere - this recipient's stream is another */
static enum verdict
elsewhere(struct mail *mail, const struct rcpt *rcpt, const struct stream *s,
    struct answer *a)
{
	const struct tenant *t = mail->tenant;

	if (decide_submission(mail->policy, mail->listener))
		return reply_pass(a, mail->tenant_rule);
	return reply(a, mail->arena, VERDICT_DEFER, "452", "4.5.3", s->at,
	    "tenant %.*s: <%.*s> belongs to stream %.*s, this message is of "
	    "stream %.*s; next slot: the next message",
	    SLICE_ARG(t->name), SLICE_ARG(reply_clean(mail->arena,
	    rcpt->to.text)), SLICE_ARG(s->name), SLICE_ARG(mail->stream->name));
}

/* decide_stream_rcpt - with one more remote recipient, who is not accepted
 * yet: who turns him away calls decide_stream_back */
enum verdict
decide_stream_rcpt(struct mail *mail, const struct rcpt *rcpt,
    struct answer *a)
{
	struct match_facts f = facts(mail, rcpt->to.text);
	const struct match_line *which;
	const struct stream *s;

	if (!mail->by_rcpt)
		return reply_pass(a, mail->tenant_rule);
	s = match_tenant(mail->tenant, &f, &which);
	if (mail->nremote > 0) {
		if (s != NULL && mail->stream != NULL && s != mail->stream)
			return elsewhere(mail, rcpt, s, a);
		return reply_pass(a, mail->tenant_rule);
	}
	mail->stream = s;
	mail->matched = which;
	mail->first_rcpt = rcpt->to.text;
	return s != NULL ? decide_stream_paused(mail, a) :
	    reply_pass(a, mail->tenant_rule);
}

/* decide_stream_back - that recipient was turned away */
void
decide_stream_back(struct mail *mail)
{
	if (!mail->by_rcpt || mail->nremote > 0)
		return;
	mail->stream = NULL;
	mail->matched = NULL;
	mail->first_rcpt = SLICE_NONE;
}

/* decide_stream_most - the most recipients that a message may have, as far as
 * is known; 0: any number.  *at: the line */
int
decide_stream_most(const struct mail *mail, const struct rcpt *rcpt,
    struct place *at)
{
	struct match_facts f = facts(mail, rcpt != NULL ? rcpt->to.text :
	    SLICE_NONE);
	const struct tenant *t = mail->tenant;
	const struct stream *s = mail->stream;
	int most = -1;

	for (size_t i = 0; s == NULL && i < t->nstreams; i++) {
		const struct stream *c = t->streams[i];

		if (match_stream(c, &f, NULL) == KNOWN_NO)
			continue;
		if (c->max_recipients == 0)
			return 0;
		if (c->max_recipients > most) {
			most = c->max_recipients;
			*at = c->max_recipients_at;
		}
	}
	if (s == NULL)
		return most > 0 ? most : 0;
	*at = s->max_recipients_at;
	return s->max_recipients;
}

/* told - the stream that headers selected once, if the envelope allows it now;
 * NULL: nobody told us, or there is no such stream */
static const struct stream *
told(const struct mail *mail, const struct match_facts *f)
{
	const struct stream *s = mail->told.n > 0 ?
	    policy_stream(mail->tenant, mail->told) : NULL;

	return s != NULL && match_stream(s, f, NULL) != KNOWN_NO ? s : NULL;
}

/* first_rcpt - who fixes the stream when nobody did at RCPT: the first who is
 * remote, or the first at all */
static struct slice
first_rcpt(const struct mail *mail)
{
	for (size_t i = 0; i < mail->nrcpts; i++)
		if (!mail->rcpts[i].local)
			return mail->rcpts[i].to.text;
	return mail->nrcpts > 0 ? mail->rcpts[0].to.text : SLICE("");
}

/* decide_stream_headers - the headers are there: now it is known */
enum verdict
decide_stream_headers(struct mail *mail, const struct header_fact *h,
    size_t n, struct answer *a)
{
	struct match_facts f = facts(mail, mail->first_rcpt);

	if (mail->stream != NULL)
		return reply_pass(a, mail->tenant_rule);
	if (f.recipient.p == NULL)
		f.recipient = first_rcpt(mail);
	if ((mail->stream = told(mail, &f)) != NULL)
		return decide_stream_paused(mail, a);
	f.headers = h;
	f.nheaders = n;
	f.headers_known = true;
	mail->stream = match_tenant(mail->tenant, &f, &mail->matched);
	if (mail->stream == NULL)
		mail->stream = policy_default(mail->tenant);
	return decide_stream_paused(mail, a);
}
