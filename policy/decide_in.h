/*
 * decide_in - what the files of decide share; private to them.
 */
#ifndef POLICY_DECIDE_IN_H
#define POLICY_DECIDE_IN_H

#include "policy/decide.h"

/* A fresh answer of that stage. */
void	decide_begin(struct answer *, enum stage stage);
/* The verdict of unknown_sender; who: "login \"x\" belongs to nobody here". */
enum verdict decide_unknown(struct mail *, struct answer *, const char *who);
/* decide_pause.c.  The tenant is known: broken, paused? */
enum verdict decide_tenant(struct mail *, struct answer *);
/* Did an operator pause mail of that stream, as far as it is known, to that
 * provider?  ORDERS_ALL: the tenant as a whole. */
enum verdict decide_desk(struct mail *, unsigned provider, struct answer *);
/* The stream is known: is it paused? */
enum verdict decide_stream_paused(struct mail *, struct answer *);
/* decide_breaker.c: did a breaker of its stream trip? */
enum verdict decide_breakers(struct mail *, struct answer *);
/* The message fits: is it held, for a breaker? */
enum verdict decide_broken(struct mail *, struct answer *);
/* May the tenant use that MAIL FROM?  Kept in mail->unowned when only the
 * stream will say whether that counts. */
enum verdict decide_sender(struct mail *, struct answer *);
/* decide_backoff.c: does his provider want less of this tenant's mail?  DEFER,
 * or PASS, and he may have to go slower.  Nothing when only the stream will
 * say whether that counts. */
enum verdict decide_backoff(struct mail *, struct rcpt *, struct answer *);
/* Those of whom that was not asked, at the end: what one has to wait for
 * defers the whole. */
enum verdict decide_backoff_late(struct mail *, struct answer *);
/* The same behind that, for mail whose address is known only now; with the
 * limits anew when somebody has to go slower. */
enum verdict decide_backoff_way(struct mail *, int64_t size, int64_t now,
	    struct answer *);
/* decide_suppress.c.  PASS, and the recipient may have become a DROP. */
enum verdict decide_suppressed(struct mail *, struct rcpt *,
	    struct answer *);
/* The same for those who were accepted before the stream was known. */
enum verdict decide_suppressed_late(struct mail *, struct answer *);
/* Are there more remote recipients than one message may have? */
enum verdict decide_crowd(struct mail *, const struct rcpt *, size_t n,
	    struct answer *);

/* decide_single.c: was the tenant singled out in that pool, and stopped there?
 * The row that says so, or NULL; and the same as an answer, which is left alone
 * when he was not. */
struct warm_row;
const struct warm_row *decide_singled(const struct mail *,
	    const struct pool *);
enum verdict decide_single(struct mail *, const struct pool *,
	    struct answer *);

/* decide_stream.c: which stream, as early as it can be known; PASS, or it is
 * paused, or a recipient's is another. */
enum verdict decide_stream_mail(struct mail *, struct answer *);
enum verdict decide_stream_rcpt(struct mail *, const struct rcpt *,
	    struct answer *);
void	decide_stream_back(struct mail *);
enum verdict decide_stream_headers(struct mail *, const struct header_fact *,
	    size_t n, struct answer *);
int	decide_stream_most(const struct mail *, const struct rcpt *,
	    struct place *at);
bool	decide_submission(const struct policy *, struct slice listener);
bool	decide_all_or_none(const struct mail *);

#endif
