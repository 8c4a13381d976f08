/*
 * join - whose line is it, and what became of whom.
 *
 * An expiry is one line of qmgr for a whole message, without recipients: it
 * holds for those whom the event names and of whom nothing final was read.
 * What was last said about each comes from its last deferral.
 *
 * A message that postsuper -r puts back gets a new queue id; pickup names the
 * old one, and all that is known moves along.
 *
 * Postfix reports a bounce in a message of its own (from=<>): its lines are
 * counted as notices and are nobody's outcome.
 */
#include "reputation/join.h"

#include <stdlib.h>
#include <string.h>

#include "lib/fold.h"
#include "lib/provider.h"
#include "reputation/backoff.h"
#include "reputation/domain.h"
#include "reputation/outcome_in.h"

enum { EVENTS = 256, ARENA = 1 << 18 };

struct join {
	struct outcomes		*o;
	const struct classifier	*classifier;
	const struct join_rules	*rules;
	const struct backoffs	*backoffs;	/* NULL: none */
	struct domains		*domains;
	struct arena		*arena;		/* of one line, of one event */
	uint64_t		 applied, kept;	/* kept: as the store has it */
	bool			 loaded;	/* applied is read */
	bool			 drained;	/* no more events, at last look */
	struct arena		*ahead;		/* of events read and not applied */
	struct slice		 encoded[EVENTS];
	size_t			 at, some;	/* which of them */
	int64_t			 next;		/* us: of the first of them */
	struct join_counts	 counts;
};

/* join_new - nothing is read yet */
int
join_new(struct join **out, struct outcomes *o, const struct classifier *c,
    const struct join_rules *rules, struct why *why)
{
	struct join *j = calloc(1, sizeof(*j));

	*out = NULL;
	if (j == NULL || (j->arena = arena_new(ARENA, 0)) == NULL ||
	    (j->ahead = arena_new(ARENA, 0)) == NULL ||
	    (j->domains = domains_new(o)) == NULL) {
		join_free(j);
		return why_kind(why, WHY_MEMORY, "no memory to join lines");
	}
	j->o = o;
	j->classifier = c;
	j->rules = rules;
	*out = j;
	return 0;
}

/* join_free - NULL is allowed */
void
join_free(struct join *j)
{
	if (j == NULL)
		return;
	domains_free(j->domains);
	arena_free(j->arena);
	arena_free(j->ahead);
	free(j);
}

/* join_reclassify - other rules for what comes */
void
join_reclassify(struct join *j, const struct classifier *c)
{
	j->classifier = c;
}

/* join_backoffs - the same */
void
join_backoffs(struct join *j, const struct backoffs *b)
{
	j->backoffs = b;
}

/* join_counts - since the last flush */
const struct join_counts *
join_counts(const struct join *j)
{
	return &j->counts;
}

/* join_forget - what was counted is not so */
void
join_forget(struct join *j)
{
	memset(&j->counts, 0, sizeof(j->counts));
	j->loaded = j->drained = false;
	j->at = j->some = 0;
	domains_forget(j->domains);
}

/* join_flush - counters into the store */
int
join_flush(struct join *j, struct why *why)
{
	const struct {
		const char	*name;
		uint64_t	 n;
	} all[] = {
		{ "lines", j->counts.lines },
		{ "deliveries", j->counts.deliveries },
		{ "outcomes", j->counts.outcomes },
		{ "repeated", j->counts.repeated },
		{ "added", j->counts.added },
		{ "events", j->counts.events },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].n > 0 && outcomes_count(j->o, all[i].name,
		    (int64_t)all[i].n, why) == -1)
			return -1;
	if (j->loaded && j->applied != j->kept &&
	    outcomes_put_applied(j->o, j->applied, why) == -1)
		return -1;
	j->kept = j->applied;
	memset(&j->counts, 0, sizeof(j->counts));
	return 0;
}

/* --- events -------------------------------------------------------------- */

/* apply - one event of the gate */
static int
apply(struct join *j, struct slice encoded, uint64_t *seq, struct why *why)
{
	struct event e;

	if (event_decode(encoded, &e, j->arena, why) == -1)
		return why_in(why, "an event of the gate");
	*seq = e.seq;
	if (e.kind == EVENT_REFUSE || e.kind == EVENT_DEFER ||
	    e.kind == EVENT_DROP)
		return outcome_index(j->o, &e, why);
	if (e.queue_id.n == 0)
		return 0;
	if (e.kind == EVENT_VOID)
		return outcome_message_void(j->o, e.instance, e.queue_id,
		    e.voids, why);
	if (e.kind == EVENT_RELEASE)
		return e.verdict != VERDICT_PASS ? 0 :
		    outcome_released(j->o, &e, why);
	if (e.kind != EVENT_ACCEPT && e.kind != EVENT_HOLD)
		return 0;
	j->counts.events++;
	return outcome_accept(j->o, &e, why);
}

/* join_look - the store is asked again */
void
join_look(struct join *j)
{
	j->drained = false;
}

/* read_ahead - some events more. Fetch: 0 there are none. */
static int
read_ahead(struct join *j, struct store *gate, struct why *why)
{
	uint64_t seq;

	if (!j->loaded) {
		if (outcomes_applied(j->o, &j->applied, why) == -1)
			return -1;
		j->kept = j->applied;
		j->loaded = true;
	}
	if (j->at == j->some) {
		j->at = j->some = 0;
		if (j->drained || gate == NULL)
			return 0;
		arena_reset(j->ahead);
		if (store_read(gate, j->applied + 1, EVENTS, j->ahead,
		    j->encoded, &j->some, why) == -1)
			return -1;
		j->drained = j->some == 0;
		if (j->drained)
			return 0;
	}
	if (!event_head(j->encoded[j->at], &seq, &j->next))
		return why_kind(why, WHY_BROKEN, "an event of the gate is "
		    "cut off");
	return 1;
}

/* join_events - those behind the last one applied, up to that moment */
int
join_events(struct join *j, struct store *gate, int64_t time, size_t n,
    size_t *got, struct why *why)
{
	int more;

	/* as outcome_message_at compares a line with its message */
	time = time > JOIN_ALL - OUTCOME_SLACK ? JOIN_ALL :
	    time + OUTCOME_SLACK;
	for (*got = 0; *got < n; ++*got) {
		if (j->at < j->some && j->next > time)
			return 0;
		if ((more = read_ahead(j, gate, why)) != 1)
			return more;
		if (j->next > time)
			return 0;
		arena_reset(j->arena);
		if (apply(j, j->encoded[j->at], &j->applied, why) == -1)
			return -1;
		if (++j->at < j->some && read_ahead(j, gate, why) == -1)
			return -1;
	}
	return 0;
}

/* join_needs - those that look for a message */
bool
join_needs(const struct logline *l)
{
	switch (l->kind) {
	case LOGLINE_DELIVERY:
	case LOGLINE_EXPIRED:
	case LOGLINE_DELETED:
	case LOGLINE_REMOVED:
	case LOGLINE_NOTICE:
	case LOGLINE_REQUEUED:
		return true;
	case LOGLINE_QUEUED:
		return l->from.n == 0;
	default:
		return false;
	}
}

/* --- lines --------------------------------------------------------------- */

/* instance_of - whose queue a daemon works on: its name, or its first part */
static struct slice
instance_of(const struct join *j, struct slice name)
{
	const char *slash = memchr(name.n > 0 ? name.p : "", '/', name.n);

	if (slash != NULL)
		name.n = (size_t)(slash - name.p);
	for (size_t i = 0; i < j->rules->ninstances; i++)
		if (slice_eq(j->rules->instances[i].syslog_name, name))
			return j->rules->instances[i].instance;
	return j->rules->instance;
}

/* kind_of - of a status; false: not one that becomes of mail */
static bool
kind_of(struct slice status, enum outcome_kind *kind)
{
	static const struct {
		const char		*status;
		enum outcome_kind	 kind;
	} all[] = {
		{ "sent", OUTCOME_DELIVERED }, { "deferred", OUTCOME_DEFERRED },
		{ "bounced", OUTCOME_BOUNCED },
		{ "SOFTBOUNCE", OUTCOME_DEFERRED },
		{ "expired", OUTCOME_EXPIRED },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (slice_is(status, all[i].status)) {
			*kind = all[i].kind;
			return true;
		}
	return false;
}

/* classified - what a refusal means; texts are constants or the classifier's */
static void
classified(const struct join *j, struct outcome *x)
{
	unsigned provider = PROVIDER_UNRESOLVED;
	struct finding f;

	if (x->kind == OUTCOME_DELIVERED || j->classifier == NULL)
		return;
	for (unsigned i = 0; i < provider_count(); i++)
		if (slice_is(x->provider, provider_name(i)))
			provider = i;
	classify(j->classifier, provider, x->domain, x->reply, &f);
	x->category = slice_of(category_names[f.category]);
	x->action = slice_of(action_names[f.action]);
	x->rule = f.rule;
}

/* fold - the hash that suppression lists know the recipient by */
static void
fold(struct join *j, struct outcome *x)
{
	struct mailbox mailbox;
	struct folded folded;
	struct why why;

	if (address_path(j->arena, x->recipient, &mailbox, &why) != 1)
		return;
	fold_mailbox(&mailbox, &folded);
	memcpy(x->folded, folded.hash, sizeof(x->folded));
}

/* strange - it was to be understood */
static int
strange(struct join *j, const struct logline *l, struct slice raw,
    struct why *why)
{
	j->counts.strange++;
	return outcomes_strange(j->o, "log", l->time, raw, why);
}

/* heard - is it the first time that the log tells this?  A bounce may have been
 * recorded before, by the mail that reports it. */
static bool
heard(struct outcome_message *m, struct outcome_rcpt *r,
    const struct outcome *x, bool fresh)
{
	if (x->kind != OUTCOME_BOUNCED)
		return fresh;
	if ((r->kinds & RCPT_HEARD) != 0)
		return false;
	r->kinds |= RCPT_HEARD;
	m->dirty = true;
	return true;
}

/* asks_less - an outcome that the log tells first; what a relay of ours says is
 * not a provider's word */
static int
asks_less(struct join *j, const struct outcome *x, struct why *why)
{
	struct slice host;

	if (j->backoffs == NULL || x->reply.n == 0 ||
	    backoff_whose(x->reply, &host) == BACKOFF_OURS ||
	    domain_ours(j->rules, host) || domain_ours(j->rules, x->relay))
		return 0;
	return outcome_backoff(j->o, j->backoffs, x, why);
}

/* record - an outcome of a recipient at hand, counted */
static int
record(struct join *j, struct outcome_message *m, struct outcome *x,
    struct why *why)
{
	struct outcome_rcpt *r = outcome_rcpt_of(j->o, m, x->recipient);
	int got;

	if (r == NULL) {
		why_kind(why, WHY_MEMORY, "no memory for a recipient");
		return outcome_fail(j->o, why);
	}
	if ((got = outcome_record(j->o, m, r, x, why)) == -1)
		return -1;
	j->counts.outcomes += got == 1 && m->event != 0;
	j->counts.repeated += got == 0;
	if (m->event == 0 || !heard(m, r, x, got == 1))
		return 0;
	if (got == 0)
		outcome_inherit(x, m);
	return asks_less(j, x, why);
}

/* recipient_of - as the gate accepted it; absent: it named another one */
static struct slice
recipient_of(const struct outcome_message *m, const struct logline *l)
{
	if (m->event == 0)
		return l->orig_to.n > 0 ? l->orig_to : l->to;
	if (l->orig_to.n > 0 && outcome_rcpt_known(m, l->orig_to))
		return l->orig_to;
	return outcome_rcpt_known(m, l->to) ? l->to : SLICE_NONE;
}

/* delivery - one attempt for one recipient */
static int
delivery(struct join *j, const struct logline *l, struct slice raw,
    struct why *why)
{
	struct outcome x = { .time = l->time, .source = OUTCOME_LOG,
		.delay = l->delay, .queue_id = l->queue_id, .code = l->dsn,
		.reply = l->text, .relay = l->relay };
	struct outcome_message *m;

	j->counts.deliveries++;
	if (!kind_of(l->status, &x.kind)) {
		if (slice_is(l->status, "deliverable") ||
		    slice_is(l->status, "undeliverable"))
			return 0;	/* address verification */
		return strange(j, l, raw, why);
	}
	x.instance = instance_of(j, l->name);
	if (outcome_message_at(j->o, x.instance, l->queue_id, l->time, true,
	    &m, why) == -1)
		return -1;
	x.recipient = recipient_of(m, l);
	if (x.recipient.p == NULL) {	/* always_bcc and the like */
		j->counts.added++;
		return 0;
	}
	if (domains_of(j->domains, j->rules, l, &x, why) == -1)
		return -1;
	if (m->event != 0) {
		arena_reset(j->arena);
		classified(j, &x);
		fold(j, &x);
	}
	return record(j, m, &x, why);
}

/* end_one - a recipient of whom nothing final was read */
static int
end_one(struct join *j, struct outcome_message *m, const struct logline *l,
    const struct outcome *said, struct slice address, enum outcome_kind kind,
    struct why *why)
{
	struct outcome x = { .time = l->time, .source = OUTCOME_LOG,
		.delay = -1, .queue_id = l->queue_id, .recipient = address,
		.kind = kind, .instance = instance_of(j, l->name) };
	struct outcome_rcpt *r = outcome_rcpt_of(j->o, m, address);

	if (r != NULL && (r->kinds & RCPT_FINAL) != 0)
		return 0;
	if (said != NULL) {
		x.code = said->code;
		x.reply = said->reply;
		x.relay = said->relay;
		x.category = said->category;
		x.action = said->action;
		x.rule = said->rule;
	}
	if (kind == OUTCOME_EXPIRED && (said == NULL ||
	    slice_is(x.category, category_names[CATEGORY_UNKNOWN]))) {
		x.category = slice_of(category_names[
		    CATEGORY_NETWORK_EXPIRED]);
		x.action = slice_of(action_names[ACTION_NONE]);
	}
	if (domains_of(j->domains, j->rules, l, &x, why) == -1)
		return -1;
	fold(j, &x);
	return record(j, m, &x, why);
}

/* end_ours - all open recipients of a message with an event */
static int
end_ours(struct join *j, struct store *gate, struct outcome_message *m,
    const struct logline *l, enum outcome_kind kind, struct why *why)
{
	struct map *said = map_new();
	struct event e;
	int rc = -1, got = 0;

	arena_reset(j->arena);
	if (said == NULL) {
		why_kind(why, WHY_MEMORY, "no memory for an expiry");
		return outcome_fail(j->o, why);
	}
	if (outcome_deferrals(j->o, m->event, j->arena, said, why) == -1 ||
	    (gate != NULL && (got = store_event(gate, m->event, j->arena, &e,
	    why)) == -1))
		goto out;
	if (got == 1) {
		for (size_t i = 0; i < e.nrecipients; i++)
			if (outcome_rcpt_known(m, e.recipients[i].address) &&
			    end_one(j, m, l, map_get(said,
			    e.recipients[i].address), e.recipients[i].address,
			    kind, why) == -1)
				goto out;
	} else {		/* the event was pruned */
		struct slice address;
		void *last;
		size_t at = 0;

		while (map_next(said, &at, &address, &last))
			if (end_one(j, m, l, last, address, kind, why) == -1)
				goto out;
	}
	rc = 0;
out:
	map_free(said);
	return rc;
}

/* end_foreign - its open recipients are counted */
static int
end_foreign(struct join *j, struct outcome_message *m,
    const struct logline *l, enum outcome_kind kind, struct why *why)
{
	struct outcome x = { .time = l->time, .source = OUTCOME_LOG,
		.delay = -1, .kind = kind, .provider = SLICE("unresolved") };

	for (size_t i = 0; i < m->nrcpts; i++)
		if (m->rcpts[i].days != 0 &&
		    (m->rcpts[i].kinds & RCPT_FINAL) == 0 &&
		    outcome_record(j->o, m, &m->rcpts[i], &x, why) == -1)
			return -1;
	return 0;
}

/* end - expired, or deleted by hand, with all that were open */
static int
end(struct join *j, struct store *gate, const struct logline *l,
    enum outcome_kind kind, struct why *why)
{
	struct outcome_message *m;
	int got = outcome_message_at(j->o, instance_of(j, l->name),
	    l->queue_id, l->time, false, &m, why);

	if (got != 1)
		return got;
	if (kind == OUTCOME_EXPIRED)
		m->expired = l->time;
	else
		m->removed = l->time;
	m->dirty = true;
	return m->event != 0 ? end_ours(j, gate, m, l, kind, why) :
	    end_foreign(j, m, l, kind, why);
}

/* mark_notice - a report that Postfix made */
static int
mark_notice(struct join *j, const struct logline *l, struct slice queue_id,
    struct why *why)
{
	struct outcome_message *m;

	if (outcome_message_at(j->o, instance_of(j, l->name), queue_id,
	    l->time, true, &m, why) == -1)
		return -1;
	if (m->event == 0 && !m->notice) {
		m->notice = true;
		m->dirty = true;
	}
	return 0;
}

/* removed - the queue id is free again */
static int
removed(struct join *j, const struct logline *l, struct why *why)
{
	struct outcome_message *m;
	int got = outcome_message_at(j->o, instance_of(j, l->name),
	    l->queue_id, l->time, false, &m, why);

	if (got == 1 && m->removed < l->time) {
		m->removed = l->time;
		m->dirty = true;
	}
	return got == -1 ? -1 : 0;
}

/* requeued - the new id is the old message */
static int
requeued(struct join *j, const struct logline *l, struct why *why)
{
	struct outcome_message *m;
	struct slice instance = instance_of(j, l->name);
	int got = outcome_message_at(j->o, instance, l->notice, l->time,
	    false, &m, why);

	if (got != 1 || m->event == 0)
		return got == -1 ? -1 : 0;
	return outcome_message_moved(j->o, m, instance, l->queue_id, l->time,
	    why);
}

/* join_line - one line of the log */
int
join_line(struct join *j, struct store *gate, const struct logline *l,
    struct slice raw, struct why *why)
{
	j->counts.lines++;
	switch (l->kind) {
	case LOGLINE_DELIVERY:
		return delivery(j, l, raw, why);
	case LOGLINE_STRANGE:
		return strange(j, l, raw, why);
	case LOGLINE_EXPIRED:
		return end(j, gate, l, OUTCOME_EXPIRED, why);
	case LOGLINE_DELETED:
		return end(j, gate, l, OUTCOME_DELETED, why);
	case LOGLINE_REMOVED:
		return removed(j, l, why);
	case LOGLINE_QUEUED:
		return l->from.n == 0 ?
		    mark_notice(j, l, l->queue_id, why) : 0;
	case LOGLINE_NOTICE:
		return mark_notice(j, l, l->notice, why);
	case LOGLINE_REQUEUED:
		return requeued(j, l, why);
	case LOGLINE_OTHER:
	case LOGLINE_CLIENT:
	case LOGLINE_MESSAGE_ID:
	case LOGLINE_MILTER:
		break;
	}
	return 0;
}
