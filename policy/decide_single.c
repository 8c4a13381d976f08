/*
 * decide_single - a tenant who was singled out: more than half of what went
 * wrong in a pool was his, so a rule stopped him there and not the pool
 * (policy/adapt.h).  A person lets him go on.
 */
#include "policy/decide_in.h"
#include "policy/reply.h"
#include "policy/subject.h"

/* decide_singled - the row that says so, or NULL */
const struct warm_row *
decide_singled(const struct mail *mail, const struct pool *pool)
{
	uint8_t key[PROGRESS_KEY];
	const struct warm_row *row;

	if (mail->progress == NULL)
		return NULL;
	subject_single(pool, mail->tenant->id, key);
	row = progress_find(mail->progress, key);
	return row != NULL && row->stopped != 0 ? row : NULL;
}

/* decide_single - may the tenant's mail leave by that pool? */
enum verdict
decide_single(struct mail *mail, const struct pool *pool, struct answer *a)
{
	const struct warm_row *row = decide_singled(mail, pool);
	const struct tenant *t = mail->tenant;

	if (row == NULL)
		return VERDICT_PASS;
	return reply(a, mail->arena, VERDICT_DEFER, "451", "4.7.0", pool->at,
	    "tenant %.*s is stopped in pool %.*s by rule %.*s: too much of "
	    "its mail went wrong there; a person must look, and may let it go "
	    "on%.*s", SLICE_ARG(t->name), SLICE_ARG(pool->name),
	    SLICE_ARG(row->rule), SLICE_ARG(reply_contact(mail->arena, t)));
}
