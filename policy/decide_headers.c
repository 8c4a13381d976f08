/*
 * decide_headers - does the tenant own everybody the message says it is from?
 *
 * Looked at: From (exactly one field, every mailbox of it), Sender (at most
 * one field), Resent-From and Resent-Sender wherever they stand.  A field that
 * cannot be read is refused, never skipped: a reader that is kinder than ours
 * might find an address in it.  Text in display names and comments is not an
 * address and is not judged.
 *
 * The milter's wire cuts a header near 60,000 bytes and the MTA keeps 102,400:
 * what is behind the cut could not be judged, so a header that long is refused.
 *
 * Ownership may be in shadow: what is wrong is kept as what would have been
 * said, the rest of the fields is looked at all the same, and the keys of the
 * domains in From that could be read sign, as far as the tenant has any.
 *
 * Trusted mail has no login; its From names the tenant, and all of its From
 * mailboxes must name the same one, which must own the MAIL FROM as well.
 * Who may claim a tenant names it in one header, once; that it is missing, or
 * says nothing that we know, is refused: mail of nobody is counted nowhere.
 */
#include "policy/decide.h"

#include <string.h>

#include "policy/decide_in.h"
#include "policy/egress.h"
#include "policy/meter.h"
#include "policy/reply.h"
#include "policy/unsubscribe.h"

enum author { AUTHOR_NONE, AUTHOR_FROM, AUTHOR_SENDER, AUTHOR_RESENT };

/* author_of - does this header say who the message is from? */
static enum author
author_of(struct slice name)
{
	name = slice_trim(name);
	if (slice_case_eq(name, SLICE("From")))
		return AUTHOR_FROM;
	if (slice_case_eq(name, SLICE("Sender")))
		return AUTHOR_SENDER;
	if (slice_case_eq(name, SLICE("Resent-From")) ||
	    slice_case_eq(name, SLICE("Resent-Sender")))
		return AUTHOR_RESENT;
	return AUTHOR_NONE;
}

/* malformed - 550 5.6.0 */
static enum verdict
malformed(struct mail *mail, struct answer *a, struct slice name,
    const char *what)
{
	struct place at = mail->tenant != NULL ? mail->tenant->at :
	    mail->policy->trusted_at;

	return reply(a, mail->arena, VERDICT_REFUSE, "550", "5.6.0", at,
	    "%.*s: %.300s", SLICE_ARG(reply_clean(mail->arena,
	    slice_trim(name))), what);
}

/* uncut - is every field as long as the message has it? */
static enum verdict
uncut(struct mail *mail, const struct header_fact *h, size_t n,
    struct answer *a)
{
	for (size_t i = 0; i < n; i++)
		if (h[i].name.n + h[i].value.n >= HEADER_CUT)
			return reply(a, mail->arena, VERDICT_REFUSE, "554",
			    "5.6.0", (struct place){ NULL, 0, 0 },
			    "header \"%.*s\" is longer than can be judged",
			    SLICE_ARG(reply_clean(mail->arena, h[i].name)));
	return VERDICT_PASS;
}

/* shape - are the fields there that must be, and only those? */
static enum verdict
shape(struct mail *mail, const struct header_fact *h, size_t n,
    struct answer *a)
{
	size_t i, from = 0, sender = 0;

	for (i = 0; i < n; i++) {
		from += author_of(h[i].name) == AUTHOR_FROM;
		sender += author_of(h[i].name) == AUTHOR_SENDER;
	}
	if (from != 1)
		return malformed(mail, a, SLICE("From"), from == 0 ?
		    "there is no such field, and there must be one" :
		    "there is more than one such field");
	if (sender > 1)
		return malformed(mail, a, SLICE("Sender"),
		    "there is more than one such field");
	return VERDICT_PASS;
}

/* from_add - remember a domain of From, once */
static int
from_add(struct mail *mail, struct slice domain, size_t room)
{
	size_t i;

	for (i = 0; i < mail->nfrom_domains; i++)
		if (slice_eq(mail->from_domains[i], domain))
			return 0;
	if (mail->from_domains == NULL) {
		mail->from_domains = arena_array(mail->arena, room,
		    sizeof(*mail->from_domains));
		if (mail->from_domains == NULL)
			return -1;
	}
	mail->from_domains[mail->nfrom_domains++] = domain;
	return 0;
}

/* from_tenant - trusted mail: one tenant must own all of From */
static enum verdict
from_tenant(struct mail *mail, const struct mailboxes *list, struct answer *a)
{
	const struct tenant *t = NULL;
	struct place rule;
	char *who;
	size_t i;

	for (i = 0; i < list->n; i++) {
		t = policy_by_domain(mail->policy, list->list[i].domain,
		    &rule);
		if (t == NULL) {
			if (policy_auto_domain(mail->policy,
			    list->list[i].domain, mail->arena, &t) == -1)
				return reply_memory(a);
			if (t != NULL)
				rule = t->at;
		}
		if (t == NULL) {
			who = arena_printf(mail->arena, "From: domain \"%.*s\" "
			    "belongs to no tenant here", SLICE_ARG(reply_clean(
			    mail->arena, list->list[i].domain)));
			return who != NULL ? decide_unknown(mail, a, who) :
			    reply_memory(a);
		}
		if (mail->tenant == NULL) {
			mail->tenant = t;
			mail->tenant_rule = rule;
		} else if (t->id != mail->tenant->id) {
			mail->tenant = NULL;
			(void)reply(a, mail->arena, VERDICT_REFUSE, "550",
			    "5.7.1", rule, "From: its addresses belong to "
			    "several tenants");
			a->unowned = true;
			return a->verdict;
		}
	}
	return decide_tenant(mail, a);
}

/* owned - every mailbox of one field */
static enum verdict
owned(struct mail *mail, struct slice name, const struct mailboxes *list,
    struct answer *a)
{
	const struct tenant *t = mail->tenant;
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (policy_owns(mail->policy, t, list->list[i].domain, false))
			continue;
		(void)reply(a, mail->arena, VERDICT_REFUSE, "550", "5.7.1",
		    t->at, "%.*s: tenant %.*s does not own the domain "
		    "\"%.*s\"%.*s", SLICE_ARG(reply_clean(mail->arena,
		    slice_trim(name))), SLICE_ARG(t->name),
		    SLICE_ARG(reply_clean(mail->arena, list->list[i].domain)),
		    SLICE_ARG(reply_contact(mail->arena, t)));
		a->unowned = true;
		return a->verdict;
	}
	return VERDICT_PASS;
}

/* field - one field that says who the message is from */
static enum verdict
field(struct mail *mail, const struct header_fact *h, struct answer *a)
{
	enum author author = author_of(h->name);
	struct mailboxes list;
	struct why why;
	size_t i;

	if (address_list(mail->arena, h->value, &list, &why) == -1)
		return why.kind == WHY_MEMORY ? reply_memory(a) :
		    malformed(mail, a, h->name, why.text);
	if (author == AUTHOR_FROM) {
		for (i = 0; i < list.n; i++)
			if (from_add(mail, list.list[i].domain, list.n) == -1)
				return reply_memory(a);
	}
	return owned(mail, h->name, &list, a);
}

/* fields - From first, as it says most, then the others; in shadow a field
 * that is wrong does not keep the next from being looked at */
static enum verdict
fields(struct mail *mail, const struct header_fact *h, size_t n,
    struct answer *a)
{
	enum author author;
	size_t i, pass;

	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < n; i++) {
			author = author_of(h[i].name);
			if (author == AUTHOR_NONE ||
			    (author == AUTHOR_FROM) != (pass == 0))
				continue;
			if (field(mail, &h[i], a) != VERDICT_PASS &&
			    shadow(mail, SHADOW_OWNERSHIP, a) != VERDICT_PASS)
				return a->verdict;
		}
	}
	return VERDICT_PASS;
}

/* speaker - trusted mail: its From says which tenant sends it */
static enum verdict
speaker(struct mail *mail, const struct header_fact *h, size_t n,
    struct answer *a)
{
	struct mailboxes list;
	struct why why;
	size_t i;

	if (shape(mail, h, n, a) != VERDICT_PASS)
		return a->verdict;
	for (i = 0; author_of(h[i].name) != AUTHOR_FROM; i++)
		;
	if (address_list(mail->arena, h[i].value, &list, &why) == -1)
		return why.kind == WHY_MEMORY ? reply_memory(a) :
		    malformed(mail, a, h[i].name, why.text);
	return from_tenant(mail, &list, a);
}

/* named - mail that may claim a tenant: the header that says which */
static enum verdict
named(struct mail *mail, const struct header_fact *h, size_t n,
    struct answer *a)
{
	const struct claimer *by = mail->claimer;
	bool refuse = !mail->policy->some_broken;
	const struct header_fact *found = NULL;
	size_t i, times = 0;

	for (i = 0; i < n; i++)
		if (slice_case_eq(slice_trim(h[i].name), by->header)) {
			found = &h[i];
			times++;
		}
	if (times != 1)
		return reply(a, mail->arena, VERDICT_REFUSE, "550", "5.7.1",
		    by->at, "%.*s: this header must name the tenant, %s",
		    SLICE_ARG(by->header), times == 0 ? "and it is not there" :
		    "and it is there more than once");
	mail->tenant = policy_claimed(mail->policy, by, found->value);
	if (mail->tenant == NULL)
		return reply(a, mail->arena, refuse ? VERDICT_REFUSE :
		    VERDICT_DEFER, refuse ? "550" : "451", refuse ? "5.7.1" :
		    "4.7.0", by->at, "%.*s: \"%.*s\" is no tenant that this "
		    "sender may name", SLICE_ARG(by->header),
		    SLICE_ARG(reply_clean(mail->arena,
		    slice_trim(found->value))));
	mail->tenant_rule = by->at;
	return decide_tenant(mail, a);
}

/* whose - of mail whose headers say it */
static enum verdict
whose(struct mail *mail, const struct header_fact *h, size_t n,
    struct answer *a)
{
	return mail->claimer != NULL ? named(mail, h, n, a) :
	    speaker(mail, h, n, a);
}

/* authors - everybody the message says it is from, MAIL FROM included */
static enum verdict
authors(struct mail *mail, const struct header_fact *h, size_t n,
    struct answer *a)
{
	if (mail->origin != ORIGIN_TENANT) {
		if (decide_sender(mail, a) != VERDICT_PASS)
			return a->verdict;
	} else if (mail->unowned.code != NULL) {
		*a = mail->unowned;
		a->stage = STAGE_HEADERS;
		if (shadow(mail, SHADOW_OWNERSHIP, a) != VERDICT_PASS)
			return a->verdict;
	}
	if (shape(mail, h, n, a) != VERDICT_PASS &&
	    shadow(mail, SHADOW_OWNERSHIP, a) != VERDICT_PASS)
		return a->verdict;
	return fields(mail, h, n, a);
}

/* signers_add - some identities more, each once */
static enum verdict
signers_add(struct mail *mail, const struct identity *first, size_t n,
    struct answer *a)
{
	const struct identity *id;
	size_t i, j;

	for (i = 0; i < n; i++) {
		id = &first[i];
		if (id->trouble != NULL)
			return reply(a, mail->arena, VERDICT_DEFER, "451",
			    "4.3.5", id->at, "tenant %.*s: the DKIM key %.*s "
			    "of %.*s cannot be used, the postmaster must mend "
			    "it", SLICE_ARG(mail->tenant->name),
			    SLICE_ARG(id->selector), SLICE_ARG(id->domain));
		for (j = 0; j < mail->nidentities; j++)
			if (mail->identities[j] == id)
				break;
		if (j == mail->nidentities)
			mail->identities[mail->nidentities++] = id;
	}
	return VERDICT_PASS;
}

/* signers - the nearest identities of every From domain, and our own */
static enum verdict
signers(struct mail *mail, struct answer *a)
{
	const struct policy *p = mail->policy;
	const struct identity *first;
	size_t i, n;

	mail->nidentities = 0;
	if (mail->nfrom_domains == 0)	/* in shadow: nothing to sign for */
		return VERDICT_PASS;
	n = mail->stream->nidentities + p->nidentities;
	mail->identities = arena_array(mail->arena, n > 0 ? n : 1,
	    sizeof(*mail->identities));
	if (mail->identities == NULL)
		return reply_memory(a);
	for (i = 0; i < mail->nfrom_domains; i++) {
		n = policy_identities(mail->stream, mail->from_domains[i],
		    &first);
		if (signers_add(mail, first, n, a) != VERDICT_PASS)
			return a->verdict;
	}
	return signers_add(mail, p->identities, p->nidentities, a);
}

/* decide_headers - at the end of the headers */
enum verdict
decide_headers(struct mail *mail, const struct header_fact *h, size_t n,
    int64_t now, struct answer *a)
{
	bool late;

	decide_begin(a, STAGE_HEADERS);
	mail->now = now;
	mail->nfrom_domains = 0;
	if (mail->barred.code != NULL) {
		*a = mail->barred;
		a->stage = STAGE_HEADERS;
		return a->verdict;
	}
	if (mail->tenant == NULL && mail->nremote == 0 &&
	    mail->claimer == NULL)
		return reply_pass(a, mail->tenant_rule);
	if (uncut(mail, h, n, a) != VERDICT_PASS || (mail->tenant == NULL &&
	    whose(mail, h, n, a) != VERDICT_PASS))
		return a->verdict;
	/* what needs the headers themselves was seen to when it came */
	late = mail->stream == NULL && mail->releasing == NULL;
	if (decide_stream_headers(mail, h, n, a) != VERDICT_PASS ||
	    (late && decide_crowd(mail, NULL, mail->nremote, a) !=
	    VERDICT_PASS) || decide_suppressed_late(mail, a) !=
	    VERDICT_PASS || authors(mail, h, n, a) != VERDICT_PASS ||
	    signers(mail, a) != VERDICT_PASS ||
	    (mail->releasing == NULL &&
	    unsubscribe_headers(mail, h, n, a) != VERDICT_PASS))
		return a->verdict;
	egress_headers(mail);
	return reply_pass(a, mail->tenant_rule);
}
