/*
 * unsubscribe - see unsubscribe.h.
 *
 *	one recipient	List-Unsubscribe: <https://u.acme.example/u/LONG>,
 *			 <mailto:unsubscribe@bounce.acme.example?subject=LONG>
 *			List-Unsubscribe-Post: List-Unsubscribe=One-Click
 *	several		List-Unsubscribe: <mailto:b+SHORT@bounce.acme.example
 *			 ?subject=unsubscribe>
 *
 * The long token goes into the subject, since a local part has 64 bytes at
 * most.  The short one names the message; who of its recipients it was says
 * the mail that comes back.
 *
 *	return path	b+SHORT@bounce.acme.example, or, where its pool is
 *			selected by it, b.TRANSPORT.SHORT@bounce.acme.example
 *
 *	Feedback-ID: campaign:tenant:pool:sender
 *
 * are four codes of fourteen characters: a letter that tells the fields apart
 * and the durable id of the thing, so that no two things of any two tenants
 * have one code and none changes with a restart.  The sender is the domain
 * that signs: the platform's when it has a key, since one verified domain then
 * has the figures of all tenants.  A mail that nobody signs gets none: it
 * would not be believed.
 *
 * A CFBL-Address is written when a signature is of its domain; receivers do
 * not take another's word for where complaints go.
 */
#include "policy/unsubscribe.h"

#include <stdio.h>

#include "policy/decide_in.h"
#include "policy/egress.h"
#include "policy/meter.h"
#include "policy/reply.h"

enum { CAMPAIGN_MOST = 128 };

/* is_bulk - only such mail carries something */
static bool
is_bulk(const struct stream *s)
{
	return s->priority == PRIORITY_BULK;
}

/* unsubscribe_needs_ring - links and ids are made with keys */
bool
unsubscribe_needs_ring(const struct stream *s)
{
	return s->return_path == RETURN_PATH_VERP || (is_bulk(s) &&
	    (s->unsubscribe != UNSUBSCRIBE_OFF || s->cfbl.n > 0));
}

/* reached - those who get the message; *only: the one, if he is remote */
static size_t
reached(const struct mail *mail, const struct rcpt **only, size_t *remote)
{
	size_t n = 0;

	*only = NULL;
	*remote = 0;
	for (size_t i = 0; i < mail->nrcpts; i++) {
		const struct rcpt *r = &mail->rcpts[i];

		if (r->verdict == VERDICT_DROP)
			continue;
		n++;
		*remote += !r->local;
		*only = r;
	}
	if (n != 1 || *remote != 1)
		*only = NULL;
	return n;
}

/* crowd - one-click mail to several, where that is not to be */
static bool
crowd(const struct stream *s)
{
	return s != NULL && is_bulk(s) &&
	    s->unsubscribe == UNSUBSCRIBE_ONE_CLICK &&
	    s->many_recipients != MANY_MAILTO;
}

/* unsubscribe_rcpt - may there be one more? */
enum verdict
unsubscribe_rcpt(struct mail *mail, struct answer *a)
{
	const struct stream *s = mail->stream;
	const struct rcpt *only;
	bool defer;
	size_t remote;

	if (!crowd(s) || reached(mail, &only, &remote) == 0)
		return reply_pass(a, mail->tenant_rule);
	defer = s->many_recipients == MANY_DEFER;
	(void)reply(a, mail->arena, defer ? VERDICT_DEFER : VERDICT_REFUSE,
	    defer ? "452" : "550", defer ? "4.5.3" : "5.7.1",
	    s->many_recipients_at, "tenant %.*s: stream %.*s has an "
	    "unsubscribe link for one recipient in each message "
	    "(many_recipients); %s", SLICE_ARG(mail->tenant->name),
	    SLICE_ARG(s->name), defer ? "next slot: the next message" :
	    "send each his own");
	return shadow(mail, SHADOW_LIMITS, a);
}

/* find - the first field of that name */
static const struct header_fact *
find(const struct header_fact *h, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_case_eq(slice_trim(h[i].name), name))
			return &h[i];
	return NULL;
}

/* take_campaign - up to what could not stand in a line */
static void
take_campaign(struct mail *mail, const struct header_fact *h, size_t n)
{
	const struct header_fact *f;
	struct slice v;
	size_t i = 0;

	mail->campaign = SLICE_NONE;
	if (mail->stream->campaign.n == 0 ||
	    (f = find(h, n, mail->stream->campaign)) == NULL)
		return;
	v = slice_trim(f->value);
	while (i < v.n && i < CAMPAIGN_MOST && (unsigned char)v.p[i] >= ' ' &&
	    v.p[i] != 0x7f)
		i++;
	v.n = i;
	if (v.n > 0)
		mail->campaign = v;
}

/* must_be_there - the sender's own List-Unsubscribe, where he has to */
static enum verdict
must_be_there(struct mail *mail, const struct header_fact *h, size_t n,
    struct answer *a)
{
	const struct stream *s = mail->stream;

	if (s->existing != EXISTING_REQUIRE_OWN || mail->told.p != NULL ||
	    find(h, n, SLICE("List-Unsubscribe")) != NULL)
		return reply_pass(a, mail->tenant_rule);
	(void)reply(a, mail->arena, VERDICT_REFUSE, "550", "5.7.1",
	    s->existing_at, "tenant %.*s: mail of stream %.*s must bring its "
	    "own List-Unsubscribe header%.*s", SLICE_ARG(mail->tenant->name),
	    SLICE_ARG(s->name),
	    SLICE_ARG(reply_contact(mail->arena, mail->tenant)));
	return shadow(mail, SHADOW_REQUIRE, a);
}

/* late_crowd - the stream was not known at RCPT */
static enum verdict
late_crowd(struct mail *mail, struct answer *a)
{
	const struct stream *s = mail->stream;

	(void)reply(a, mail->arena, VERDICT_REFUSE, "550", "5.7.1",
	    s->many_recipients_at, "tenant %.*s: stream %.*s has an "
	    "unsubscribe link for one recipient in each message "
	    "(many_recipients); send each his own",
	    SLICE_ARG(mail->tenant->name), SLICE_ARG(s->name));
	return shadow(mail, SHADOW_LIMITS, a);
}

/* unsubscribe_headers - can it carry what it must? */
enum verdict
unsubscribe_headers(struct mail *mail, const struct header_fact *h,
    size_t n, struct answer *a)
{
	const struct stream *s = mail->stream;
	const struct rcpt *only;
	size_t remote, many;

	take_campaign(mail, h, n);
	many = reached(mail, &only, &remote);
	if (remote == 0)
		return reply_pass(a, mail->tenant_rule);
	if (crowd(s) && many > 1 && late_crowd(mail, a) != VERDICT_PASS)
		return a->verdict;
	if (is_bulk(s) && s->unsubscribe != UNSUBSCRIBE_OFF &&
	    must_be_there(mail, h, n, a) != VERDICT_PASS)
		return a->verdict;
	if (mail->policy->ring_trouble != NULL && unsubscribe_needs_ring(s))
		return reply(a, mail->arena, VERDICT_DEFER, "451", "4.3.5",
		    s->at, "tenant %.*s: the keys for unsubscribe links "
		    "and return paths cannot be used, the postmaster must "
		    "mend them",
		    SLICE_ARG(mail->tenant->name));
	return reply_pass(a, mail->tenant_rule);
}

/* unsubscribe_code - a letter, and 64 bits as 13 characters */
void
unsubscribe_code(char letter, uint64_t id, char out[UNSUBSCRIBE_CODE])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

	out[0] = letter;
	for (int i = 1; i <= 13; i++, id >>= 5)
		out[i] = digits[id & 31];
	out[14] = '\0';
}

/* add - one field, copied already */
static int
add(struct carried *c, struct slice name, const char *value, struct why *why)
{
	if (value == NULL)
		return why_kind(why, WHY_MEMORY,
		    "no memory for a header of the message");
	c->fields[c->n++] = (struct header_fact){ name, slice_of(value) };
	return 0;
}

/* short_token - of this message, made once */
static int
short_token(const struct mail *mail, struct carried *c, struct why *why)
{
	struct token_short t;

	if (c->token != 0)
		return 0;
	do
		if (token_short_id(&t.id, why) == -1)
			return -1;
	while (t.id == 0);
	if (token_short_make(mail->policy->ring, &t, c->text, why) == -1)
		return -1;
	c->token = t.id;
	return 0;
}

/* of_many - a mailto: that names the message */
static int
of_many(const struct mail *mail, struct carried *c, struct arena *arena,
    struct why *why)
{
	struct slice at = mail->tenant->bounce_domain;

	if (at.n == 0 || mail->stream->mailto.p == NULL)
		return 0;
	if (short_token(mail, c, why) == -1)
		return -1;
	c->list = true;
	return add(c, SLICE("List-Unsubscribe"), arena_printf(arena,
	    "<mailto:b+%s@%.*s?subject=unsubscribe>", c->text,
	    SLICE_ARG(at)), why);
}

/* of_one - a link of his own */
static int
of_one(const struct mail *mail, const struct rcpt *to, struct carried *c,
    struct arena *arena, struct why *why)
{
	const struct stream *s = mail->stream;
	struct token t = { .tenant = mail->tenant->id,
	    .list = token_list(mail->tenant->name, s->name),
	    .recipient = to->to.text };
	struct slice text, at = mail->tenant->bounce_domain;
	bool click = s->unsubscribe == UNSUBSCRIBE_ONE_CLICK, mailto;
	char *link = NULL, *letter = NULL;

	mailto = at.n > 0 && s->mailto.p != NULL;
	if (!click && !mailto)
		return 0;
	if (token_make(mail->policy->ring, &t, arena, &text, why) == -1)
		return -1;
	if (click && (link = arena_printf(arena, "<%.*s%.*s>",
	    SLICE_ARG(s->url), SLICE_ARG(text))) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a link");
	if (mailto && (letter = arena_printf(arena, "<mailto:%.*s@%.*s?"
	    "subject=%.*s>", SLICE_ARG(s->mailto), SLICE_ARG(at),
	    SLICE_ARG(text))) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a link");
	c->list = true;
	if (add(c, SLICE("List-Unsubscribe"), arena_printf(arena, "%s%s%s",
	    click ? link : "", click && mailto ? ",\n " : "",
	    mailto ? letter : ""), why) == -1)
		return -1;
	return !click || mail->nidentities == 0 ? 0 :
	    add(c, SLICE("List-Unsubscribe-Post"),
	    "List-Unsubscribe=One-Click", why);
}

/* make_list - List-Unsubscribe and List-Id */
static int
make_list(const struct mail *mail, const struct header_fact *h, size_t n,
    struct carried *c, struct arena *arena, struct why *why)
{
	const struct stream *s = mail->stream;
	const struct rcpt *only;
	struct slice at = mail->tenant->bounce_domain;
	size_t remote;

	if (s->unsubscribe == UNSUBSCRIBE_OFF)
		return 0;
	(void)reached(mail, &only, &remote);
	if (s->list_id && at.n > 0 && find(h, n, SLICE("List-Id")) == NULL &&
	    add(c, SLICE("List-Id"), arena_printf(arena, "<%.*s.%.*s>",
	    SLICE_ARG(s->name), SLICE_ARG(at)), why) == -1)
		return -1;
	if (mail->policy->ring == NULL || (s->existing != EXISTING_REPLACE &&
	    find(h, n, SLICE("List-Unsubscribe")) != NULL))
		return 0;
	return only != NULL ? of_one(mail, only, c, arena, why) :
	    of_many(mail, c, arena, why);
}

/* signer - whose word the receiver has that it is from us */
static struct slice
signer(const struct mail *mail)
{
	const struct policy *p = mail->policy;

	return p->nidentities > 0 ? p->identities[0].domain :
	    mail->identities[0]->domain;
}

/* make_feedback - Feedback-ID */
static int
make_feedback(const struct mail *mail, const struct header_fact *h, size_t n,
    struct carried *c, struct arena *arena, struct why *why)
{
	const struct stream *s = mail->stream;
	char campaign[UNSUBSCRIBE_CODE], tenant[UNSUBSCRIBE_CODE],
	    pool[UNSUBSCRIBE_CODE], sender[UNSUBSCRIBE_CODE];
	const char *name;

	if (s->feedback_id == FEEDBACK_OFF || mail->nidentities == 0 ||
	    (s->feedback_id == FEEDBACK_KEEP &&
	    find(h, n, SLICE("Feedback-ID")) != NULL))
		return 0;
	name = arena_printf(arena, "%.*s/%.*s/%.*s",
	    SLICE_ARG(mail->tenant->name), SLICE_ARG(s->name),
	    SLICE_ARG(mail->campaign));
	if (name == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for Feedback-ID");
	unsubscribe_code('c', hash_id("campaign", slice_of(name)), campaign);
	unsubscribe_code('t', mail->tenant->id, tenant);
	/* no pool is Postfix's own route */
	unsubscribe_code('p', mail->egress != NULL ? mail->egress->pool->id :
	    hash_id("pool", SLICE("")), pool);
	unsubscribe_code('s', hash_id("sender", signer(mail)), sender);
	c->feedback = true;
	return add(c, SLICE("Feedback-ID"), arena_printf(arena, "%s:%s:%s:%s",
	    campaign, tenant, pool, sender), why);
}

/* make_cfbl - CFBL-Address and its id, where somebody signs for its domain */
static int
make_cfbl(const struct mail *mail, struct carried *c, struct arena *arena,
    struct why *why)
{
	struct slice to = mail->stream->cfbl;
	const char *at = to.n > 0 ? memchr(to.p, '@', to.n) : NULL;
	struct slice domain;
	size_t i = 0;

	if (at == NULL || mail->policy->ring == NULL)
		return 0;
	domain = slice_from(to, (size_t)(at + 1 - to.p));
	while (i < mail->nidentities &&
	    !slice_case_eq(mail->identities[i]->domain, domain))
		i++;
	if (i == mail->nidentities)
		return 0;
	if (short_token(mail, c, why) == -1)
		return -1;
	c->cfbl = true;
	return add(c, SLICE("CFBL-Address"), arena_printf(arena,
	    "%.*s; report=arf", SLICE_ARG(to)), why) == -1 ||
	    add(c, SLICE("CFBL-Feedback-ID"), arena_printf(arena, "%s",
	    c->text), why) == -1 ? -1 : 0;
}

/* make_path - a return path that names the message; never for mail that
 * wants no answer */
static int
make_path(const struct mail *mail, struct carried *c, struct arena *arena,
    struct why *why)
{
	struct slice at = mail->tenant->bounce_domain, transport;
	char *path;

	if (mail->stream->return_path != RETURN_PATH_VERP ||
	    mail->null_sender || at.n == 0 || mail->policy->ring == NULL)
		return 0;
	if (short_token(mail, c, why) == -1)
		return -1;
	if (mail->egress == NULL ||
	    mail->egress->pool->select != SELECT_SENDER) {
		path = arena_printf(arena, "b+%s@%.*s", c->text,
		    SLICE_ARG(at));
	} else {
		transport = egress_transport(mail, arena);
		path = transport.p == NULL ? NULL : arena_printf(arena,
		    "b.%.*s.%s@%.*s", SLICE_ARG(transport), c->text,
		    SLICE_ARG(at));
	}
	if (path == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a path");
	c->return_path = slice_of(path);
	return 0;
}

/* unsubscribe_make - what is written */
int
unsubscribe_make(const struct mail *mail, const struct header_fact *h,
    size_t n, struct carried *c, struct arena *arena, struct why *why)
{
	const struct rcpt *only;
	size_t remote;

	*c = (struct carried){ .n = 0 };
	if (mail->tenant == NULL || mail->stream == NULL)
		return 0;
	(void)reached(mail, &only, &remote);
	if (remote == 0)
		return 0;
	if (make_path(mail, c, arena, why) == -1)
		return -1;
	if (!is_bulk(mail->stream))
		return 0;
	if (make_list(mail, h, n, c, arena, why) == -1 ||
	    make_feedback(mail, h, n, c, arena, why) == -1)
		return -1;
	return make_cfbl(mail, c, arena, why);
}

/* unsubscribe_takes - one of a name that is ours now */
bool
unsubscribe_takes(const struct carried *c, struct slice name)
{
	name = slice_trim(name);
	return (c->list && (slice_case_eq(name, SLICE("List-Unsubscribe")) ||
	    slice_case_eq(name, SLICE("List-Unsubscribe-Post")))) ||
	    (c->feedback && slice_case_eq(name, SLICE("Feedback-ID"))) ||
	    (c->cfbl && (slice_case_eq(name, SLICE("CFBL-Address")) ||
	    slice_case_eq(name, SLICE("CFBL-Feedback-ID"))));
}
