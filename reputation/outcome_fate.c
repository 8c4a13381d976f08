/*
 * outcome_fate - what an outcome means for the warmups that its mail was
 * counted in (lib/fate.h).
 *
 * A message knows the counters of a day that its event was charged to; each of
 * them gets the outcome in the minute in which it happened.  So the warmup of
 * an address, of a stream, of one login are judged by their own mail, and
 * nobody has to find out again whose that was.
 *
 * Words that leave no doubt.  A provider that blocks an address says so in the
 * reply, and one reply is enough (rule S1 of policy/adapt.h).  So they count
 * only from whom they are: anybody may run a server that says "(S3150)", and
 * would stop our mail to all the small ones with it.  That Spamhaus lists us
 * is believed of every provider that has a name; but not when its list of
 * domains is meant, which is about what a tenant wrote, nor when the asker was
 * turned away by Spamhaus and took that for an answer.
 */
#include "reputation/outcome_in.h"

#include "lib/fate.h"
#include "lib/provider.h"
#include "reputation/classify.h"

enum { TEXT = OUTCOME_REPLY };

static const struct {
	const char	*word;		/* small letters */
	const char	*whose;		/* provider or set; NULL: any by name */
	enum fate	 fate;		/* FATES: no listing of ours */
} words[] = {
	{ "dbl.spamhaus", NULL, FATES },
	{ "spamhaus.org/returnc", NULL, FATES },
	{ "spamhaus", NULL, FATE_DNSBL },	/* SBL, CSS, XBL, ZEN */
	{ "(s3150)", "microsoft", FATE_LISTED },
	{ "(s3140)", "microsoft", FATE_LISTED },
	{ "on our block list", "microsoft", FATE_LISTED },
	{ "banned sending ip", "microsoft", FATE_LISTED },
	{ "[tss09]", "yahoo", FATE_LISTED },
	{ "[tss11]", "yahoo", FATE_LISTED },
	{ "[bl2", "yahoo", FATE_LISTED },
	{ "very low reputation", "google", FATE_LISTED },
};

/* is - that category? */
static bool
is(const struct outcome *x, enum category category)
{
	return slice_is(x->category, category_names[category]);
}

/* fate_of - false: it says nothing about the sender */
static bool
fate_of(const struct outcome *x, enum fate *fate)
{
	switch (x->kind) {
	case OUTCOME_DELIVERED:
		*fate = FATE_DELIVERED;
		return true;
	case OUTCOME_DEFERRED:
		*fate = is(x, CATEGORY_RATE_LIMIT) ||
		    is(x, CATEGORY_BLOCK_REPUTATION) ? FATE_SLOW :
		    FATE_DEFERRED;
		return true;
	case OUTCOME_BOUNCED:
		*fate = is(x, CATEGORY_RECIPIENT_UNKNOWN) ||
		    is(x, CATEGORY_DOMAIN_BAD) ? FATE_HARD :
		    is(x, CATEGORY_BLOCK_REPUTATION) ? FATE_BLOCKED :
		    FATE_BOUNCED;
		return true;
	case OUTCOME_EXPIRED:
		*fate = FATE_BOUNCED;
		return true;
	case OUTCOME_COMPLAINT:
		*fate = FATE_COMPLAINT;
		return true;
	default:
		return false;
	}
}

/* says - is it a word of that provider? */
static bool
says(struct slice provider, const char *whose)
{
	provider_set set = provider_find(provider);

	if (whose == NULL)
		return set != 0 && (set & (UINT64_C(1) << PROVIDER_UNRESOLVED |
		    UINT64_C(1) << PROVIDER_OTHER)) == 0;
	return (set & provider_find(slice_of(whose))) != 0;
}

/* lowered - small letters, and no byte that ends a string */
static void
lowered(struct slice reply, char low[TEXT + 1])
{
	size_t n = reply.n < TEXT ? reply.n : TEXT;

	for (size_t i = 0; i < n; i++)
		low[i] = reply.p[i] == '\0' ? ' ' : reply.p[i] >= 'A' &&
		    reply.p[i] <= 'Z' ? (char)(reply.p[i] | 0x20) :
		    reply.p[i];
	low[n] = '\0';
}

/* listed_as - FATES: nobody says so */
static enum fate
listed_as(const struct outcome *x)
{
	char low[TEXT + 1];

	if (!is(x, CATEGORY_BLOCK_REPUTATION) &&
	    !is(x, CATEGORY_SPAM_CONTENT) && !is(x, CATEGORY_RATE_LIMIT))
		return FATES;
	lowered(x->reply, low);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(low, words[i].word) != NULL &&
		    says(x->provider, words[i].whose))
			return words[i].fate;
	return FATES;
}

/* add - one more, in each of its warmups */
static int
add(struct outcomes *o, const struct outcome_message *m,
    const struct outcome *x, enum fate fate, struct why *why)
{
	struct fate_row row = { .minute = x->time > 0 ? x->time / FATE_MINUTE :
		0, .fate = fate, .provider = x->provider,
		.tenant = x->tenant };
	char room[FATE_KEY];

	for (size_t i = 0; i < m->nwarm; i++)
		if (outcome_sum(o, T_DAYS, fate_key(m->warm[i], &row, room), 1,
		    why) == -1)
			return -1;
	return 0;
}

/* outcome_fate - of one recipient of a message at hand */
int
outcome_fate(struct outcomes *o, const struct outcome_message *m,
    const struct outcome *x, struct why *why)
{
	enum fate fate, also;

	if (m->nwarm == 0 || !fate_of(x, &fate))
		return 0;
	if (add(o, m, x, fate, why) == -1)
		return -1;
	if (x->kind != OUTCOME_BOUNCED && x->kind != OUTCOME_DEFERRED)
		return 0;
	return (also = listed_as(x)) != FATES ? add(o, m, x, also, why) : 0;
}

/* warm_known - is the message counted there already? */
static bool
warm_known(const struct outcome_message *m, const uint8_t key[FATE_SUBJECT])
{
	for (size_t i = 0; i < m->nwarm; i++)
		if (memcmp(m->warm[i], key, FATE_SUBJECT) == 0)
			return true;
	return false;
}

/* outcome_warm - the warmups that an event is charged to */
int
outcome_warm(struct outcomes *o, struct outcome_message *m,
    const struct event *e, struct why *why)
{
	uint8_t (*warm)[FATE_SUBJECT];

	warm = arena_array(o->arena, m->nwarm + e->ncharges + 1,
	    sizeof(*warm));
	if (warm == NULL) {
		why_kind(why, WHY_MEMORY, "no memory for a message");
		return outcome_fail(o, why);
	}
	if (m->nwarm > 0)
		memcpy(warm, m->warm, m->nwarm * sizeof(*warm));
	m->warm = warm;
	for (size_t i = 0; i < e->ncharges; i++)
		if (slice_is(e->charges[i].name, FATE_CHARGE) &&
		    e->charges[i].amount > 0 &&
		    !warm_known(m, e->charges[i].key)) {
			memcpy(warm[m->nwarm++], e->charges[i].key,
			    sizeof(*warm));
			m->dirty = true;
		}
	return 0;
}

/* outcome_released - what a held message is charged when it goes */
int
outcome_released(struct outcomes *o, const struct event *e, struct why *why)
{
	struct outcome_message *m;

	if (outcome_message_of(o, e->instance, e->queue_id, e->voids, e->time,
	    &m, why) == -1)
		return -1;
	if (e->address.n > 0) {
		m->pool = arena_copy(o->arena, e->pool);
		m->address = arena_copy(o->arena, e->address);
		if (m->pool.p == NULL || m->address.p == NULL) {
			why_kind(why, WHY_MEMORY, "no memory for a message");
			return outcome_fail(o, why);
		}
		m->dirty = true;
	}
	return outcome_warm(o, m, e, why);
}
