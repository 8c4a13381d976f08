/*
 * decide_shadow - what would have been said.
 *
 * Shadow is a matter of the stream, and the stream may be known only at the
 * end of the headers.  Until then something is in shadow when it is so in all
 * streams of the tenant.
 */
#include <string.h>

#include "policy/meter.h"
#include "policy/reply.h"

/* shadow_all - the parts that are in shadow, whatever the stream will be */
unsigned
shadow_all(const struct mail *mail)
{
	const struct tenant *t = mail->tenant;
	unsigned all = SHADOW_ALL;

	if (mail->stream != NULL)
		return mail->stream->shadow;
	if (t == NULL)
		return 0;
	for (size_t i = 0; i < t->nstreams; i++)
		all &= t->streams[i]->shadow;
	return all;
}

/* shadow_some - the parts that may turn out to be */
unsigned
shadow_some(const struct mail *mail)
{
	const struct tenant *t = mail->tenant;
	unsigned some = 0;

	if (mail->stream != NULL)
		return mail->stream->shadow;
	for (size_t i = 0; t != NULL && i < t->nstreams; i++)
		some |= t->streams[i]->shadow;
	return some;
}

/* would_keep - the worst of what was not said, and of those the first */
void
would_keep(struct mail *mail, const struct answer *a)
{
	if (a->verdict <= mail->would.verdict)
		return;
	mail->would.verdict = a->verdict;
	mail->would.stage = a->stage;
	mail->would.rule = a->rule;
	mail->would.limit = a->limit;
	mail->would.text = a->text;
}

/* shadow - not said, when that part is in shadow; that we have no memory is
 * no part of any decision */
enum verdict
shadow(struct mail *mail, unsigned part, struct answer *a)
{
	if (a->verdict == VERDICT_PASS || (shadow_all(mail) & part) == 0 ||
	    strcmp(a->dsn, "4.3.0") == 0)
		return a->verdict;
	would_keep(mail, a);
	a->limit = NULL;
	a->next = 0;
	return reply_pass(a, mail->tenant_rule);
}
