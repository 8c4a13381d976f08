/*
 * stage - the steps of a message.
 *
 *	MAIL	policy of now, tenant		-> ENVELOPE
 *	RCPT	reserve, per recipient
 *	HEADER	collected within bounds
 *	EOH	ownership, keys, body hash	-> BODY, or inbound: untouched
 *	BODY	hashed and counted, never kept
 *	EOM	limits sealed, signed, recorded, then edited
 *
 * Order at the end: the claim is sealed first, since a message over its limit
 * should not cost a signature.  Until writer_commit is called, the claim is
 * the message's and message_end releases it on every way out; from that call
 * on the writer settles it, whatever comes.  So nothing leaks and nothing is
 * given back twice, and there is no third state.
 *
 * libmilter keeps most nonsense away, not all: its table of states is global
 * and has "unknown command" as a way round (RCPT without MAIL after an abort,
 * end of message without end of headers).  Those get 451.
 */
#include "milter/stage.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "milter/record.h"

/* fail - an answer of our own */
static enum turn
fail(struct answer *a, enum verdict verdict, enum stage stage,
    const char *code, const char *dsn, const char *text)
{
	*a = (struct answer){
		.verdict = verdict,
		.stage = stage,
		.code = code,
		.dsn = dsn,
		.text = slice_of(text),
	};
	return verdict == VERDICT_REFUSE ? TURN_NO : TURN_LATER;
}

/* later - 451 for something that broke inside */
static enum turn
later(struct answer *a, enum stage stage, const char *text)
{
	return fail(a, VERDICT_DEFER, stage, "451", "4.3.0", text);
}

/* stage_lost - there is nothing to hold on to */
enum turn
stage_lost(struct answer *a)
{
	return later(a, STAGE_CONNECT, "local error, try again later");
}

/* stage_crowded - one more connection than there may be */
enum turn
stage_crowded(struct answer *a)
{
	return fail(a, VERDICT_DEFER, STAGE_CONNECT, "421", "4.3.2",
	    "too many connections, try again later");
}

/* stray - a step that has no message */
static enum turn
stray(struct answer *a, enum stage stage)
{
	return later(a, stage, "no mail transaction here");
}

/* refuse - the whole message, as the answer says: recorded, said, over */
static enum turn
refuse(struct session *s, const struct answer *a)
{
	record_refusal(s, a, SLICE_NONE);
	s->message.progress = MESSAGE_OVER;
	return a->verdict == VERDICT_REFUSE ? TURN_NO : TURN_LATER;
}

/* broke - something inside failed: a line for the operator, 451 for the rest */
static enum turn
broke(struct session *s, struct answer *a, enum stage stage, const char *dsn,
    const char *what, const struct why *why)
{
	static struct log_pace pace;
	struct message *m = &s->message;
	struct slice id = m->queue_id.n > 0 ? m->queue_id : SLICE("NOQUEUE");
	struct slice name = m->mail.tenant != NULL ? m->mail.tenant->name :
	    SLICE("-");

	log_paced(&pace, LOG_LEVEL_ERROR, "%.*s: tenant=%.*s: %s: %s",
	    SLICE_ARG(id), SLICE_ARG(name), what, why->text);
	fail(a, VERDICT_DEFER, stage, "451", dsn,
	    "local error, try again later");
	return refuse(s, a);
}

/* keep - a copy in the message's memory; absent stays absent */
static struct slice
keep(struct message *m, struct slice s, bool *lost)
{
	struct slice copy;

	if (s.p == NULL)
		return SLICE_NONE;
	copy = arena_copy(m->arena, s);
	if (copy.p == NULL)
		*lost = true;
	return copy;
}

/* declared_size - SIZE= of the MAIL command (RFC 1870); 0 when not told */
static int64_t
declared_size(char *const *args)
{
	int64_t size = 0;
	const char *p;

	for (; args != NULL && *args != NULL; args++) {
		if (strncasecmp(*args, "SIZE=", 5) != 0)
			continue;
		for (p = *args + 5; *p >= '0' && *p <= '9'; p++)
			if (__builtin_mul_overflow(size, 10, &size) ||
			    __builtin_add_overflow(size, *p - '0', &size))
				return INT64_MAX;
		return *p == '\0' ? size : 0;
	}
	return 0;
}

/* stage_mail - a message begins: who sends it? */
enum turn
stage_mail(struct session *s, const struct envelope *e, struct answer *a)
{
	struct message *m = &s->message;
	const char *reason = NULL;
	bool lost = false;

	if (atomic_load(&s->gate->draining)) {
		message_end(s);
		return fail(a, VERDICT_DEFER, STAGE_MAIL, "451", "4.3.2",
		    "going down for a moment, try again later");
	}
	if (message_begin(s) == -1)
		return stage_lost(a);
	m->mail.mail_from_text = keep(m, e->from, &lost);
	m->mail.login = keep(m, e->login, &lost);
	m->mail.listener = keep(m, e->listener, &lost);
	m->mail.declared = declared_size(e->args);
	if (lost) {
		m->progress = MESSAGE_OVER;
		return stage_lost(a);
	}
	if (decide_mail(&m->mail, clock_now(), a) != VERDICT_PASS)
		return refuse(s, a);
	/* Inbound mail is not recorded: it needs no writer. */
	if (m->mail.origin != ORIGIN_INBOUND &&
	    !writer_alive(s->gate->writer, &reason)) {
		later(a, STAGE_MAIL, reason);
		return refuse(s, a);
	}
	return TURN_ON;
}

/* stage_rcpt - may this one have it?  The transaction stays open if not. */
enum turn
stage_rcpt(struct session *s, struct slice path, struct slice mailer,
    struct answer *a)
{
	struct message *m = &s->message;
	bool lost = false;
	struct slice text;

	if (m->progress != MESSAGE_ENVELOPE)
		return stray(a, STAGE_RCPT);
	text = keep(m, path, &lost);
	mailer = keep(m, mailer, &lost);
	if (lost)
		return later(a, STAGE_RCPT, "message too complex");
	if (decide_rcpt(&m->mail, text, mailer, clock_now(), a) <=
	    VERDICT_HOLD)
		return TURN_ON;
	record_refusal(s, a, text);
	return a->verdict == VERDICT_REFUSE ? TURN_NO : TURN_LATER;
}

/* remember - the first failure of the headers or the body */
static void
remember(struct message *m, const struct answer *a)
{
	if (!m->failed)
		m->failure = *a;
	m->failed = true;
}

/* headers_grow - room for one more */
static bool
headers_grow(struct message *m)
{
	size_t cap = m->cap_headers > 0 ? m->cap_headers * 2 : 32;
	struct header_fact *h;

	if (m->nheaders < m->cap_headers)
		return true;
	if ((h = arena_array(m->arena, cap, sizeof(*h))) == NULL)
		return false;
	if (m->nheaders > 0)
		memcpy(h, m->headers, m->nheaders * sizeof(*h));
	m->headers = h;
	m->cap_headers = cap;
	return true;
}

/* header_trouble - a field, or a head, that is beyond all bounds */
static const char *
header_trouble(struct message *m, struct slice name, struct slice value)
{
	if (name.n > MESSAGE_NAME_MOST)
		return "header field name too long";
	if (m->nheaders >= MESSAGE_HEADERS)
		return "too many header fields";
	if (m->header_bytes + name.n + value.n > MESSAGE_HEADER_BYTES)
		return "message header too large";
	m->nforged += plan_forged(name);
	if (m->nforged > MESSAGE_FORGED)
		return "too many header fields that only this gate writes";
	m->sign_names += sign_names(slice_trim(name));
	if (m->sign_names > SIGN_NAMES_MOST)
		return "too many header fields of one name to be signed";
	return NULL;
}

/* wire_bytes - of a field in the message: folds came without their CR */
static int64_t
wire_bytes(struct slice name, struct slice value)
{
	int64_t n = (int64_t)name.n + (int64_t)value.n + 4;

	for (size_t i = 0; i < value.n; i++)
		n += value.p[i] == '\n' && (i == 0 || value.p[i - 1] != '\r');
	return n;
}

/* stage_header - one more field, kept for the end of the headers */
void
stage_header(struct session *s, struct slice name, struct slice value)
{
	struct message *m = &s->message;
	const char *trouble;
	struct answer a;
	bool lost = false;
	struct header_fact h;

	if (m->progress != MESSAGE_ENVELOPE || m->failed ||
	    m->mail.origin == ORIGIN_INBOUND)
		return;
	if ((trouble = header_trouble(m, name, value)) != NULL) {
		fail(&a, VERDICT_REFUSE, STAGE_HEADERS, "554", "5.6.0",
		    trouble);
		remember(m, &a);
		return;
	}
	m->size += wire_bytes(name, value);
	while (name.n > 0 && (name.p[name.n - 1] == ' ' ||
	    name.p[name.n - 1] == '\t'))
		name.n--;
	h.name = keep(m, name, &lost);
	h.value = keep(m, value, &lost);
	if (lost || !headers_grow(m)) {
		later(&a, STAGE_HEADERS, "message too complex");
		remember(m, &a);
		return;
	}
	m->headers[m->nheaders++] = h;
	m->header_bytes += name.n + value.n;
}

/* take_keys - of every identity that signs, held until the message ends */
static int
take_keys(struct session *s, struct why *why)
{
	struct message *m = &s->message;
	const struct mail *mail = &m->mail;

	if (mail->nidentities == 0)
		return 0;
	if ((m->keys = arena_array(m->arena, mail->nidentities,
	    sizeof(m->keys[0]))) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	for (; m->nkeys < mail->nidentities; m->nkeys++) {
		const struct identity *id = mail->identities[m->nkeys];
		const struct key *key;

		if (id->trouble != NULL)
			return why_set(why, "%s: %s", id->key_path,
			    id->trouble);
		if (key_get(s->gate->keys, id->key_path, &key, why) == -1)
			return -1;
		m->keys[m->nkeys] = key;
		if (id->typed && key->type != id->type) {
			m->nkeys++;
			return why_set(why, "%s: is %s, not %s as written",
			    id->key_path, key_algorithms[key->type],
			    key_algorithms[id->type]);
		}
	}
	return 0;
}

/* begin_signing - the body is hashed from here on, once for all signatures */
static int
begin_signing(struct session *s, struct why *why)
{
	if (s->message.nkeys == 0)
		return 0;
	if (s->signer == NULL && (s->signer = sign_new()) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	if (sign_begin(s->signer, why) == -1)
		return -1;
	s->message.signing = true;
	return 0;
}

/* nobody - there is no recipient; some of them may be tried again? */
static enum turn
nobody(struct session *s, struct answer *a)
{
	struct message *m = &s->message;
	enum turn turn;

	turn = m->deferred ? fail(a, VERDICT_DEFER, STAGE_HEADERS, "451",
	    "4.7.0", "no recipient was accepted, try again later") :
	    fail(a, VERDICT_REFUSE, STAGE_HEADERS, "554", "5.5.1",
	    "no valid recipients");
	if (m->refused == 0)
		return refuse(s, a);
	m->progress = MESSAGE_OVER;	/* each is recorded, with its line */
	return turn;
}

/* stage_eoh - the headers are known: whose names stand in them? */
enum turn
stage_eoh(struct session *s, struct answer *a)
{
	struct message *m = &s->message;
	struct why why;

	if (m->progress != MESSAGE_ENVELOPE)
		return stray(a, STAGE_HEADERS);
	if (m->mail.nrcpts == 0)
		return nobody(s, a);
	if (m->mail.origin != ORIGIN_INBOUND) {
		if (m->failed) {
			*a = m->failure;
			return refuse(s, a);
		}
		if (decide_headers(&m->mail, m->headers, m->nheaders,
		    clock_now(), a) != VERDICT_PASS)
			return refuse(s, a);
	}
	/* Also relayed mail that no tenant sends and that stays here. */
	if (m->mail.tenant == NULL) {
		m->progress = MESSAGE_OVER;
		return TURN_ACCEPT;
	}
	if (take_keys(s, &why) == -1)
		return broke(s, a, STAGE_HEADERS, "4.3.5", "key", &why);
	if (begin_signing(s, &why) == -1)
		return broke(s, a, STAGE_HEADERS, "4.3.0", "signing", &why);
	if (postal_begin(&m->postal, &m->mail, m->headers, m->nheaders,
	    &why) == -1)
		return broke(s, a, STAGE_HEADERS, "4.3.0", "text", &why);
	m->progress = MESSAGE_BODY;
	m->size += 2;
	return TURN_ON;
}

/* stage_body - a piece of it, of any size */
enum turn
stage_body(struct session *s, const void *bytes, size_t n, struct answer *a)
{
	struct message *m = &s->message;
	struct why why;

	if (m->progress != MESSAGE_BODY)
		return stray(a, STAGE_MESSAGE);
	if (__builtin_add_overflow(m->size, (int64_t)n, &m->size))
		m->size = INT64_MAX;
	if (m->postal != NULL)
		postal_add(m->postal, bytes, n);
	if (m->signing && sign_body(s->signer, bytes, n, &why) == -1)
		return broke(s, a, STAGE_MESSAGE, "4.3.0", "signing", &why);
	return TURN_ON;
}

/* sign - the signatures over the headers as they will stand */
static int
sign(struct session *s, struct why *why)
{
	struct message *m = &s->message;
	struct sign_identity *ids;
	struct slice *values;

	if (!m->signing)
		return 0;
	ids = arena_array(m->arena, m->nkeys, sizeof(*ids));
	values = arena_array(m->arena, m->nkeys, sizeof(*values));
	if (ids == NULL || values == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	for (size_t i = 0; i < m->nkeys; i++)
		ids[i] = (struct sign_identity){
			.domain = m->mail.identities[i]->domain,
			.selector = m->mail.identities[i]->selector,
			.key = m->keys[i],
		};
	if (sign_finish(s->signer, m->arena, m->plan.left, m->plan.nleft, ids,
	    m->nkeys, clock_now() / CLOCK_SECOND, values, why) == -1)
		return -1;
	for (size_t i = 0; i < m->nkeys; i++)
		if (plan_signature(&m->plan, values[i], m->arena, why) == -1)
			return -1;
	return 0;
}

/* commit - the event, and of a message that is held its row, on disk */
static int
commit(struct session *s, struct why *why)
{
	struct message *m = &s->message;
	struct held held;

	if (m->event.kind != EVENT_HOLD) {
		m->handed = true;
		return writer_commit(s->gate->writer, &m->event, &m->seq, why);
	}
	if (record_held(s, &held, why) == -1)
		return -1;
	m->handed = true;
	return writer_hold(s->gate->writer, &m->event, &held, &m->seq, why);
}

/* stage_eom - sealed, signed, on disk; then it may be edited and accepted */
enum turn
stage_eom(struct session *s, struct slice queue_id, struct answer *a)
{
	struct message *m = &s->message;
	bool lost = false;
	struct why why;

	if (m->progress != MESSAGE_BODY)
		return stray(a, STAGE_MESSAGE);
	m->queue_id = keep(m, queue_id, &lost);
	if (m->postal != NULL && !postal_found(m->postal) &&
	    postal_missing(&m->mail, a) != VERDICT_PASS)
		return refuse(s, a);
	if (decide_message(&m->mail, m->size, clock_now(), a) > VERDICT_HOLD)
		return refuse(s, a);
	if (plan_make(&m->mail, m->headers, m->nheaders, &m->plan, m->arena,
	    &why) == -1)
		return broke(s, a, STAGE_MESSAGE, "4.3.0", "edits", &why);
	if (m->plan.nremoved > MESSAGE_FORGED) {
		fail(a, VERDICT_REFUSE, STAGE_MESSAGE, "554", "5.6.0",
		    "too many header fields that this gate removes");
		return refuse(s, a);
	}
	if (sign(s, &why) == -1)
		return broke(s, a, STAGE_MESSAGE, "4.3.0", "signing", &why);
	if (lost || record_accept(s) == -1) {
		later(a, STAGE_MESSAGE, "message too complex");
		return refuse(s, a);
	}
	if (commit(s, &why) == -1)
		return broke(s, a, STAGE_MESSAGE, "4.3.0", "not recorded",
		    &why);
	return TURN_ACCEPT;
}

/* stage_applied - accepted as recorded, or the record is taken back */
enum turn
stage_applied(struct session *s, const struct why *why, struct answer *a)
{
	struct message *m = &s->message;

	if (m->progress != MESSAGE_BODY || m->seq == 0)
		return stray(a, STAGE_MESSAGE);
	if (why != NULL) {
		writer_void(s->gate->writer, &m->event, m->seq);
		return broke(s, a, STAGE_MESSAGE, "4.3.0", "edit refused",
		    why);
	}
	record_pass(s);
	m->progress = MESSAGE_OVER;
	return TURN_ACCEPT;
}

/* stage_abort - RSET, or the line is gone */
void
stage_abort(struct session *s)
{
	message_end(s);
}
