/*
 * charged - beside asked.h: what the writer does after the commit, and what is
 * spent then.  Included by one test program each.
 */
#ifndef TESTS_UNIT_CHARGED_H
#define TESTS_UNIT_CHARGED_H

#include "tests/unit/asked.h"

/* settled - the event of the mail is on disk */
static inline void
settled(void)
{
	struct claim *claim = &asked.mail.claim;
	struct charge *charges = calloc(claim->n + 1, sizeof(*charges));
	size_t i;

	assert_int_equal(claim->state, CLAIM_SEALED);
	for (i = 0; i < claim->n; i++)
		charges[i] = claim->asks[i].charge;
	ledger_settle(asked.ledger, charges, claim->n, true, ++asked.seq,
	    asked.now);
	free(charges);
	memset(claim, 0, sizeof(*claim));
}

/* used_by - of a limit of that tenant, for what those facts say */
static inline int64_t
used_by(const char *tenant, const char *limit, const struct decide_facts *f,
    int64_t *reserved)
{
	const struct tenant *t = policy_tenant(asked.policy,
	    slice_of(tenant));
	static const uint8_t none[16];
	const struct limit **limits;
	struct counter_view view;
	struct ask *asks;
	size_t i, n;

	assert_non_null(t);
	assert_int_equal(decide_asks_of(asked.policy, t, f, asked.now,
	    asked.texts, &asks, &limits, &n), 0);
	for (i = 0; i < n; i++) {
		if (!slice_is(limits[i]->name, limit))
			continue;
		assert_memory_not_equal(asks[i].charge.key, none, 16);
		ledger_view(asked.ledger, &asks[i], asked.now, &view);
		if (reserved != NULL)
			*reserved = view.reserved;
		return view.used;
	}
	fail_msg("tenant %s has no limit %s", tenant, limit);
	return -1;
}

/* used - of a limit, in whole units */
static inline int64_t
used(const char *tenant, const char *limit, int64_t *reserved)
{
	struct decide_facts f = { .provider = DECIDE_ALL, .bytes = 1 };

	return used_by(tenant, limit, &f, reserved);
}

/* expect_by - used and reserved, for what those facts say */
static inline void
expect_by(const char *tenant, const char *limit, struct decide_facts f,
    int64_t want, int64_t held)
{
	int64_t reserved, got = used_by(tenant, limit, &f, &reserved);

	if (got != want || reserved != held)
		fail_msg("%s %s: want used %lld reserved %lld, got %lld and "
		    "%lld", tenant, limit, (long long)want, (long long)held,
		    (long long)got, (long long)reserved);
}

/* expect_used - used and reserved of a tenant's limit */
static inline void
expect_used(const char *tenant, const char *limit, int64_t want, int64_t held)
{
	expect_by(tenant, limit, (struct decide_facts){
	    .provider = DECIDE_ALL, .bytes = 1 }, want, held);
}

/* expect_nothing_open - nothing is held by a message any more */
static inline void
expect_nothing_open(void)
{
	struct ledger_stat stat;

	decide_abort(&asked.mail);
	ledger_stat(asked.ledger, &stat);
	assert_int_equal(stat.claims, 0);
}

#endif
