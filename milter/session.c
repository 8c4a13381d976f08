/*
 * session - births and deaths, each beside the other, every field named.
 *
 * A message ends in five ways (answered at its end, refused on the way, RSET,
 * the next MAIL, the end of the connection), and libmilter announces only
 * some of them.  So message_end may be called in any state and any number of
 * times, and message_begin always calls it.
 *
 * The arena keeps its first block from message to message; the signer keeps
 * its OpenSSL contexts.  Both are made at the first message that needs them:
 * a monitor that connects and leaves costs one small allocation.
 */
#include "milter/session.h"

#include <stdlib.h>
#include <string.h>

#include "milter/record.h"

/* session_new - a connection of the MTA */
struct session *
session_new(struct gate *gate, const struct sockaddr *from)
{
	struct session *s = NULL;
	int64_t most = gate->config->milter.max_sessions;
	long now = atomic_fetch_add(&gate->sessions, 1) + 1;

	if ((most > 0 && now > most) || (s = malloc(sizeof(*s))) == NULL) {
		atomic_fetch_sub(&gate->sessions, 1);
		return NULL;
	}
	*s = (struct session){
		.gate = gate,
		.signer = NULL,
		.message = { .progress = MESSAGE_NONE, .arena = NULL },
	};
	ip_of(from, &s->client);
	return s;
}

/* session_free - the connection is over, whatever it was doing */
void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	message_end(s);
	arena_free(s->message.arena);
	sign_free(s->signer);
	atomic_fetch_sub(&s->gate->sessions, 1);
	free(s);
}

/* message_begin - a mail transaction opens */
int
message_begin(struct session *s)
{
	struct message *m = &s->message;
	struct arena *arena;

	message_end(s);
	if ((arena = m->arena) == NULL && (arena = arena_new(
	    MESSAGE_ARENA_FIRST, MESSAGE_ARENA_MOST)) == NULL)
		return -1;
	*m = (struct message){
		.progress = MESSAGE_ENVELOPE,
		.arena = arena,
		.mail = {
			.policy = gate_policy(s->gate),
			.ledger = s->gate->ledger,
			.orders = gate_orders(s->gate),
			.progress = gate_progress(s->gate),
			.happened = s->gate->happened,
			.arena = arena,
			.client = s->client,
		},
	};
	atomic_fetch_add(&s->gate->messages, 1);
	return 0;
}

/* message_end - give back all that the message holds */
void
message_end(struct session *s)
{
	struct message *m = &s->message;

	if (m->progress == MESSAGE_NONE)
		return;
	record_unsaid(s);
	if (!m->handed)
		decide_abort(&m->mail);
	for (size_t i = 0; i < m->nkeys; i++)
		key_release(s->gate->keys, m->keys[i]);
	policy_drop(m->mail.policy);
	orders_drop(m->mail.orders);
	progress_drop(m->mail.progress);
	arena_reset(m->arena);
	*m = (struct message){ .progress = MESSAGE_NONE, .arena = m->arena };
	atomic_fetch_sub(&s->gate->messages, 1);
}

/* message_settle - nobody needs the answer's text any more */
void
message_settle(struct session *s)
{
	if (s->message.progress == MESSAGE_OVER)
		message_end(s);
}

/* gate_policy - the lock makes load-then-count one step */
struct policy *
gate_policy(struct gate *gate)
{
	struct policy *p;

	pthread_mutex_lock(&gate->policy_lock);
	p = policy_hold(gate->policy);
	pthread_mutex_unlock(&gate->policy_lock);
	return p;
}

/* gate_orders - the same lock, the same reason */
struct orders *
gate_orders(struct gate *gate)
{
	struct orders *o;

	pthread_mutex_lock(&gate->policy_lock);
	o = orders_hold(gate->orders);
	pthread_mutex_unlock(&gate->policy_lock);
	return o;
}

/* gate_order - messages that begin from here on obey these */
void
gate_order(struct gate *gate, struct orders *o)
{
	struct orders *old;

	pthread_mutex_lock(&gate->policy_lock);
	old = gate->orders;
	gate->orders = o;
	pthread_mutex_unlock(&gate->policy_lock);
	orders_drop(old);
}

/* gate_progress - and again */
struct progress *
gate_progress(struct gate *gate)
{
	struct progress *p;

	pthread_mutex_lock(&gate->policy_lock);
	p = progress_hold(gate->progress);
	pthread_mutex_unlock(&gate->policy_lock);
	return p;
}

/* gate_advance - messages that begin from here on are counted by this one */
void
gate_advance(struct gate *gate, struct progress *p)
{
	struct progress *old;

	pthread_mutex_lock(&gate->policy_lock);
	old = gate->progress;
	gate->progress = p;
	pthread_mutex_unlock(&gate->policy_lock);
	progress_drop(old);
}

/* gate_swap - messages that begin from here on see the other one */
struct policy *
gate_swap(struct gate *gate, struct policy *p)
{
	struct policy *old;

	pthread_mutex_lock(&gate->policy_lock);
	old = gate->policy;
	gate->policy = p;
	pthread_mutex_unlock(&gate->policy_lock);
	return old;
}
