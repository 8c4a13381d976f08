/*
 * decide_suppress - recipients who must not get this mail: they bounced for
 * good, complained, unsubscribed, or an operator says so.
 *
 * Asked at RCPT.  What an unsubscribe binds is a stream or bulk mail, and how
 * far a complaint reaches the stream says (complaint_scope), so while the
 * stream is not known only what binds all mail of the tenant is found then,
 * and the rest at the end of the headers.
 *
 * Dropped is the usual answer: 250 at RCPT, taken out at the end of the
 * message, charged to nobody.  A 550 would stop the whole message of a mail
 * program, and teach a sender with a list of many which addresses are worth
 * selling.  "refuse" is for senders that keep their own lists; at the end of
 * the headers one recipient cannot be refused any more, so he is dropped.
 *
 * When nobody knows (a store that was there is gone, or damaged): 451.
 */
#include "policy/decide_in.h"

#include "lib/date.h"
#include "lib/token.h"
#include "policy/meter.h"
#include "policy/reply.h"

#define DAY	(INT64_C(86400) * 1000000)

/* who - the mail in question, as far as it is known */
static struct suppress_who
who(struct mail *mail)
{
	const struct tenant *t = mail->tenant;
	const struct stream *s = mail->stream;

	if (s != NULL && mail->list == 0)
		mail->list = token_list(t->name, s->name);
	return (struct suppress_who){
		.list = s != NULL ? mail->list : 0,
		.tenant = t->id,
		.group = t->group != NULL ? t->group->id : 0,
		.bulk = s != NULL && s->priority == PRIORITY_BULK,
		.now = mail->now,
		.complained = s != NULL &&
		    s->complaint_scope == COMPLAINT_TENANT,
	};
}

/* story - "suppressed by consent: unsubscribe of list since 2026-11-20" */
static struct slice
story(struct mail *mail, const struct suppress_hit *hit)
{
	int64_t year;
	int month, day;
	const char *s;

	date_of(hit->date / DAY, &year, &month, &day);
	s = arena_printf(mail->arena, "suppressed by %s: %s of %s since "
	    "%04lld-%02d-%02d%s%s", suppress_store_names[hit->store],
	    suppress_reason_names[hit->reason],
	    suppress_scope_names[hit->scope], (long long)year, month, day,
	    hit->source[0] != '\0' ? ", " : "", hit->source);
	return slice_of(s);
}

/* refused - 550; what a shadow keeps of a drop is the same sentence */
static enum verdict
refused(struct mail *mail, const struct rcpt *rcpt, enum verdict verdict,
    struct answer *a)
{
	const struct tenant *t = mail->tenant;
	const struct stream *s = mail->stream != NULL ? mail->stream :
	    policy_default(t);

	return reply(a, mail->arena, verdict, "550", "5.7.1",
	    s->suppressed_at.file != NULL ? s->suppressed_at : t->at,
	    "tenant %.*s: %.*s may not get this: %.*s%.*s",
	    SLICE_ARG(t->name), SLICE_ARG(reply_clean(mail->arena,
	    rcpt->to.text)), SLICE_ARG(rcpt->why),
	    SLICE_ARG(reply_contact(mail->arena, t)));
}

/* decide_suppressed - one remote recipient; PASS, and he may be dropped */
enum verdict
decide_suppressed(struct mail *mail, struct rcpt *rcpt, struct answer *a)
{
	const struct happened *h = mail->happened;
	struct suppress_who w;
	struct suppress_hit hit;
	struct why why;
	bool refuse;
	int got;

	if (h == NULL || h->suppressed == NULL)
		return reply_pass(a, mail->tenant_rule);
	w = who(mail);
	got = h->suppressed(h->with, &rcpt->to, &w, &hit, &why);
	rcpt->asked = mail->stream;
	if (got == 0)
		return reply_pass(a, mail->tenant_rule);
	if (got == -1)
		return reply(a, mail->arena, VERDICT_DEFER, "451", "4.3.5",
		    mail->tenant->at, "the lists of suppressed recipients "
		    "cannot be read, try again later");
	rcpt->why = story(mail, &hit);
	if (rcpt->why.p == NULL)
		return reply_memory(a);
	refuse = a->stage == STAGE_RCPT && mail->releasing == NULL &&
	    (mail->stream != NULL ? mail->stream :
	    policy_default(mail->tenant))->suppressed == SUPPRESSED_REFUSE;
	(void)refused(mail, rcpt, refuse ? VERDICT_REFUSE : VERDICT_DROP, a);
	if (shadow(mail, SHADOW_SUPPRESSION, a) == VERDICT_PASS) {
		rcpt->why = SLICE_NONE;
		return VERDICT_PASS;
	}
	if (refuse)
		return VERDICT_REFUSE;
	rcpt->verdict = VERDICT_DROP;
	return reply_pass(a, mail->tenant_rule);
}

/* decide_suppressed_late - those who were asked for before the tenant or the
 * stream was known */
enum verdict
decide_suppressed_late(struct mail *mail, struct answer *a)
{
	struct rcpt *rcpt;
	size_t i;

	for (i = 0; i < mail->nrcpts; i++) {
		rcpt = &mail->rcpts[i];
		if (rcpt->local || rcpt->verdict == VERDICT_DROP ||
		    rcpt->asked == mail->stream)
			continue;
		if (decide_suppressed(mail, rcpt, a) != VERDICT_PASS)
			return a->verdict;
	}
	return VERDICT_PASS;
}
