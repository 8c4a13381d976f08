/*
 * decide_in - what the three files of decide share; private to them.
 */
#ifndef POLICY_DECIDE_IN_H
#define POLICY_DECIDE_IN_H

#include "policy/decide.h"

/* A fresh answer of that stage. */
void	decide_begin(struct answer *, enum stage);
/* The verdict of unknown_sender; who: "login \"x\" belongs to nobody here". */
enum verdict decide_unknown(struct mail *, struct answer *, const char *who);
/* The tenant is known: broken, paused?  Makes its meters. */
enum verdict decide_tenant(struct mail *, struct answer *);
/* Did an operator pause this?  stream 0, ORDERS_ALL: the tenant as a whole. */
enum verdict decide_desk(struct mail *, uint64_t stream, unsigned provider,
	    struct answer *);
/* May the tenant use that MAIL FROM? */
enum verdict decide_sender(struct mail *, struct answer *);

#endif
