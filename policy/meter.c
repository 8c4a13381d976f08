/*
 * meter - see meter.h.
 *
 * A mail holds one amount per meter.  recipients: one each; messages: one,
 * from the first watched recipient on; bytes: SIZE= (or, at the end, the bytes
 * seen) times the recipients watched.
 *
 * At RCPT those limits are asked that are known to bind: the stream's, or, as
 * long as headers may still decide about the stream, those that all streams of
 * the tenant have in common.  The others, and those that count apart by the
 * From domain, are asked at the end: all limits of the stream at once, all or
 * none.  When only some of the streams are in shadow nothing is reserved before
 * the stream is known: what is in shadow is taken without bound, and a
 * reservation, once made, is not judged again.
 *
 * A question to the ledger is asked until it fits or somebody says no.  Each
 * time meters_judge looks at what does not fit: a limit in shadow is loose from
 * then on (counted without bound, so that the figures are true), one that
 * holds counts among the held.  Neither goes back within the question, so there
 * is an end: after as many rounds as there are asks, at the latest.
 */
#include "policy/meter.h"

#include <string.h>

#include "policy/reply.h"

/* values - those of a recipient, and the From domain, that the limit counts
 * apart by */
static void
values(struct mail *mail, const struct limit *limit, struct rcpt *rcpt,
    size_t from, uint64_t of[4])
{
	const struct pool_address *egress = mail->egress;

	of[0] = of[1] = of[2] = of[3] = 0;
	if ((limit->per & PER_PROVIDER) != 0) {
		if (rcpt->provider_id == 0)
			rcpt->provider_id = measure_id(PER_PROVIDER,
			    slice_of(provider_name(rcpt->provider)));
		of[0] = rcpt->provider_id;
	}
	if ((limit->per & PER_RECIPIENT_DOMAIN) != 0) {
		if (rcpt->domain_id == 0)
			rcpt->domain_id = measure_id(PER_RECIPIENT_DOMAIN,
			    rcpt->to.domain);
		of[1] = rcpt->domain_id;
	}
	if ((limit->per & PER_SENDER_DOMAIN) != 0)
		of[2] = mail->meters.from_ids[from];
	if (egress != NULL && limit_egress(limit))
		of[3] = (limit->per & PER_ADDRESS) != 0 ? egress->id :
		    egress->pool->id;
}

/* from_ids - of the From domains; a From that is in shadow may have none */
static int
from_ids(struct mail *mail)
{
	struct meters *ms = &mail->meters;
	size_t i, n = mail->nfrom_domains;

	if (ms->from_ids != NULL)
		return 0;
	ms->from_ids = arena_array(mail->arena, n > 0 ? n : 1,
	    sizeof(*ms->from_ids));
	if (ms->from_ids == NULL)
		return -1;
	ms->from_ids[0] = measure_id(PER_SENDER_DOMAIN, SLICE(""));
	for (i = 0; i < n; i++)
		ms->from_ids[i] = measure_id(PER_SENDER_DOMAIN,
		    mail->from_domains[i]);
	return 0;
}

/* ready - is everything known that the limit counts apart by? */
static bool
ready(const struct mail *mail, const struct limit *limit)
{
	return (limit->per & PER_SENDER_DOMAIN) == 0 && !limit_egress(limit) &&
	    (limit->warmup == NULL || mail->stream != NULL) &&
	    ((limit->per & PER_STREAM) == 0 || mail->stream != NULL);
}

/* meter_known - all that its limit may count apart by */
void
meter_known(struct mail *mail, const struct meter *meter, struct dimensions *d)
{
	struct meters *ms = &mail->meters;
	unsigned per = meter->limit->per;

	measure_begin(mail->policy, mail->tenant, mail->stream, d);
	measure_egress(d, mail->egress);
	d->progress = mail->progress;
	d->provider = meter->provider;
	if ((per & PER_LOGIN) != 0 && ms->login_id == 0)
		ms->login_id = measure_id(PER_LOGIN, mail->login);
	if ((per & PER_SENDER) != 0 && ms->sender_id == 0)
		ms->sender_id = measure_id(PER_SENDER, mail->mail_from.text);
	measure_know(d, PER_LOGIN, ms->login_id);
	measure_know(d, PER_SENDER, ms->sender_id);
	measure_know(d, PER_PROVIDER, meter->of[0]);
	measure_know(d, PER_RECIPIENT_DOMAIN, meter->of[1]);
	measure_know(d, PER_SENDER_DOMAIN, meter->of[2]);
}

/* refresh - its ask, for the moment */
static void
refresh(struct mail *mail, struct meter *meter, int64_t unit, int64_t now,
    struct dimensions *d)
{
	meter_known(mail, meter, d);
	if (!meter->made)
		measure_ask(meter->limit, d, 0, unit, now, &meter->ask);
	else
		measure_again(meter->limit, d, unit, now, &meter->ask);
	meter->made = true;
}

/* grant - what the desk lets through beyond the number */
static int64_t
grant(const struct mail *mail, const struct limit *limit, int64_t now)
{
	return orders_grant(mail->orders, mail->tenant->id, limit->kind,
	    limit->name, now);
}

/* most_of - what the meter may have in all, for a mail that is want of it: a
 * warmup's throttle lets a large one pass when it is empty */
static int64_t
most_of(const struct mail *mail, const struct meter *meter, int64_t want,
    int64_t now)
{
	const struct limit *limit = meter->limit;
	int64_t most = meter->ask.most;

	if (most == LEDGER_UNBOUNDED)
		return most;
	if (limit->warmup != NULL && limit->part == WARM_BURST && most < want)
		return want;
	return most + grant(mail, limit, now);
}

/* hold_max - of the stream, or of the one that other mail is in */
static int64_t
hold_max(const struct mail *mail)
{
	return (mail->stream != NULL ? mail->stream :
	    policy_default(mail->tenant))->hold_max;
}

/* is_bulk - is it mail of the last lane? */
static bool
is_bulk(const struct mail *mail)
{
	return (mail->stream != NULL ? mail->stream :
	    policy_default(mail->tenant))->priority == PRIORITY_BULK;
}

/* spent_before - was it charged when the message was accepted?  Mail that is
 * under way is open since then, whatever the policy says by now. */
static bool
spent_before(const struct mail *mail, const struct meter *meter)
{
	const struct releasing *r = mail->releasing;

	for (size_t i = 0; r != NULL && i < r->n; i++)
		if (memcmp(r->had[i].key, meter->ask.charge.key,
		    sizeof(r->had[i].key)) == 0)
			return true;
	return r != NULL && meter->limit->kind == LIMIT_OPEN;
}

/* room_left - less what waits for it already; who lets out what waits asks
 * for all */
static void
room_left(struct mail *mail, struct meter *meter, int64_t now,
    struct ask *ask)
{
	meter->before = 0;
	if (mail->releasing != NULL)	/* a batch is no open message */
		ask->inflight = 0;
	if (mail->releasing != NULL || meter->loose ||
	    ask->most == LEDGER_UNBOUNDED ||
	    limit_over(meter->limit, mail->stream) != OVER_HOLD)
		return;
	meter->before = measure_before(mail->ledger, &meter->ask,
	    is_bulk(mail), now) - meter->queued;
	if (meter->before < 0)		/* what we had was idle, and is gone */
		meter->before = 0;
	ask->most -= meter->before;
}

/* ask_add - what one meter asks for now; before: what it has already and is
 * not asked for again */
static int
ask_add(struct mail *mail, struct meter *meter, int64_t before, int64_t unit,
    int64_t now)
{
	const struct holding how = { .bulk = is_bulk(mail),
	    .need = meter->need, .hold_max = hold_max(mail) };
	struct meters *ms = &mail->meters;
	struct dimensions d;
	struct ask *ask;

	if (meter->want <= before)
		return 0;
	refresh(mail, meter, unit, now, &d);
	if (meter->ask.charge.rule.p == NULL && measure_rule(mail->policy,
	    meter->limit, mail->arena, &meter->ask) == -1)
		return -1;
	if (spent_before(mail, meter))
		return 0;
	ask = &ms->asks[ms->nasks];
	if (!meter->hold && !meter->need) {
		*ask = meter->ask;
		ask->most = most_of(mail, meter, meter->want, now);
		room_left(mail, meter, now, ask);
	} else if (measure_held(mail->ledger, meter->limit, &d, &meter->ask,
	    &how, now, mail->arena, ask) == -1)
		return -1;
	ask->charge.amount = meter->want - before;
	if (meter->loose) {
		ask->most = LEDGER_UNBOUNDED;
		ask->inflight = 0;
	}
	ms->whose[ms->nasks++] = meter;
	return 0;
}

/* scratch - room for the asks of all meters */
static int
scratch(struct mail *mail)
{
	struct meters *ms = &mail->meters;

	ms->nasks = 0;
	if (ms->n <= ms->cap_asks)
		return 0;
	ms->cap_asks = ms->cap;
	ms->whose = arena_array(mail->arena, ms->cap, sizeof(*ms->whose));
	ms->asks = arena_array(mail->arena, ms->cap, sizeof(*ms->asks));
	ms->lacks = arena_array(mail->arena, ms->cap, sizeof(*ms->lacks));
	return ms->whose == NULL || ms->asks == NULL || ms->lacks == NULL ?
	    -1 : 0;
}

enum how { MORE, ALL, SEAL };

/* waits - is the mail to be held?  egress: for its way */
static bool
waits(const struct meters *ms, bool egress)
{
	for (size_t i = 0; i < ms->n; i++)
		if (ms->list[i]->hold && (!egress ||
		    limit_egress(ms->list[i]->limit)))
			return true;
	return false;
}

/* needed - will what is held for its way want room of that limit? */
static bool
needed(const struct meter *meter)
{
	return !meter->loose && !meter->limit->shadow &&
	    (meter->limit->warmup == NULL || meter->limit->part !=
	    WARM_BURST);
}

/* collect - the asks: what the touched ones want more, or all of everything */
static int
collect(struct mail *mail, enum how how, int64_t unit, int64_t now)
{
	struct meters *ms = &mail->meters;
	bool held = how == SEAL && waits(ms, false),
	    way = held && waits(ms, true);
	struct meter *meter;
	size_t i;

	if (scratch(mail) == -1)
		return -1;
	for (i = 0; how == MORE && i < ms->ntouched; i++)
		if (ask_add(mail, ms->touched[i], ms->touched[i]->taken, unit,
		    now) == -1)
			return -1;
	for (i = 0; how != MORE && i < ms->n; i++) {
		meter = ms->list[i];
		meter->need = held && !meter->hold &&
		    limit_egress(meter->limit);
		/* what is held leaves, and counts there, when it is released */
		if (meter->need && !(way && needed(meter)))
			continue;
		if (ask_add(mail, meter, 0, unit, now) == -1)
			return -1;
	}
	return 0;
}

/* ledger - in every limit or in none: 1, 0, -1 without memory, LEDGER_ANEW */
static int
ledger(struct mail *mail, enum how how, int64_t now, size_t *nlacks)
{
	struct meters *ms = &mail->meters;

	*nlacks = 0;
	return (how == SEAL ? ledger_seal : how == ALL ? ledger_reserve :
	    ledger_more)(mail->ledger, &mail->claim, mail->arena, ms->asks,
	    ms->nasks, now, ms->lacks, nlacks);
}

/* question - asked until it fits or somebody says no */
static enum verdict
question(struct mail *mail, enum how *how, int64_t unit, int64_t now,
    struct answer *a)
{
	struct meters *ms = &mail->meters;
	size_t nlacks, i, round;
	int got;

	for (round = 0; round <= 2 * ms->n + 1; round++) {
		if (collect(mail, *how, unit, now) == -1)
			return reply_memory(a);
		got = ledger(mail, *how, now, &nlacks);
		if (got == 1)
			return reply_pass(a, mail->tenant_rule);
		if (got == -1)
			return reply_memory(a);
		if (got == LEDGER_ANEW)
			*how = ALL;
		else if (meters_judge(mail, nlacks, now, a) != VERDICT_PASS)
			return a->verdict;
		/* one that turns to holding lets go of what it has */
		for (i = 0; *how == MORE && i < nlacks; i++)
			if (ms->whose[ms->lacks[i].which]->hold)
				*how = ALL;
	}
	return reply_memory(a);		/* cannot be; nothing is reserved */
}

/* meters_ask - a question; what it changed in the meters stands or falls with
 * its answer */
static enum verdict
meters_ask(struct mail *mail, enum how how, int64_t unit, int64_t now,
    struct answer *a)
{
	struct meters *ms = &mail->meters;
	enum verdict verdict = question(mail, &how, unit, now, a);
	struct meter *meter;
	size_t i, n = how == MORE ? ms->ntouched : ms->n;

	for (i = 0; i < n; i++) {
		meter = how == MORE ? ms->touched[i] : ms->list[i];
		if (verdict == VERDICT_PASS) {
			meter->taken = meter->want;
			meter->queued = meter->hold ? meter->want : 0;
		} else {
			meter->want = meter->taken;
			meter->hold = meter->hold_before;
		}
		meter->hold_before = meter->hold;
		meter->loose = false;
	}
	return verdict;
}

/* touch - the meters that see this recipient, with one more in want */
static int
touch(struct mail *mail, struct rcpt *rcpt, const struct limit *limit)
{
	struct meters *ms = &mail->meters;
	struct meter *meter;
	uint64_t of[4];

	if (!measure_watches(limit, rcpt->provider) || !ready(mail, limit))
		return 0;
	values(mail, limit, rcpt, 0, of);
	meter = meters_find(mail, limit, of);
	if (meter == NULL || meters_grow(mail->arena, &ms->touched,
	    ms->ntouched, &ms->cap_touched) == -1)
		return -1;
	meter->provider = rcpt->provider;
	meter->want = measure_amount(limit, meter->watched + 1,
	    mail->declared);
	ms->touched[ms->ntouched++] = meter;
	return 0;
}

/* meters_reserve - for one more recipient */
enum verdict
meters_reserve(struct mail *mail, struct rcpt *rcpt, int64_t now,
    struct answer *a)
{
	const struct stream *s = mail->stream;
	const struct tenant *t = mail->tenant;
	const struct limit **limits = s != NULL ? s->limits : t->common;
	size_t i, n = s != NULL ? s->nlimits : t->ncommon;
	struct meters *ms = &mail->meters;
	bool held = mail->hold.code != NULL;

	ms->ntouched = 0;
	if (((shadow_all(mail) ^ shadow_some(mail)) & SHADOW_LIMITS) != 0)
		return reply_pass(a, mail->tenant_rule);
	for (i = 0; i < n + mail->nslow; i++)
		if (touch(mail, rcpt, i < n ? limits[i] :
		    mail->slow[i - n]) == -1)
			return reply_memory(a);
	if (rcpt->slow != NULL && touch(mail, rcpt, rcpt->slow) == -1)
		return reply_memory(a);
	if (ms->ntouched > 0 && meters_ask(mail, MORE, mail->declared, now,
	    a) != VERDICT_PASS) {
		if (!held)
			mail->hold.code = NULL;
		return a->verdict;
	}
	for (i = 0; i < ms->ntouched; i++) {
		ms->touched[i]->watched++;
		if (ms->touched[i]->hold)
			rcpt->verdict = VERDICT_HOLD;
	}
	(void)reply_pass(a, mail->tenant_rule);
	if (rcpt->verdict != VERDICT_HOLD)
		return VERDICT_PASS;
	*a = mail->hold;
	a->stage = STAGE_RCPT;
	return VERDICT_HOLD;
}

/* watch - one more recipient in the meters of a limit, at the end: one for
 * each From domain where they count apart */
static int
watch(struct mail *mail, const struct limit *limit, struct rcpt *rcpt)
{
	size_t i, n = (limit->per & PER_SENDER_DOMAIN) != 0 &&
	    mail->nfrom_domains > 1 ? mail->nfrom_domains : 1;
	struct meter *meter;
	uint64_t of[4];

	if (rcpt->local || rcpt->verdict == VERDICT_DROP ||
	    !measure_watches(limit, rcpt->provider))
		return 0;
	for (i = 0; i < n; i++) {
		values(mail, limit, rcpt, i, of);
		if ((meter = meters_find(mail, limit, of)) == NULL)
			return -1;
		meter->provider = rcpt->provider;
		meter->watched++;
	}
	return 0;
}

enum which { OWN, EGRESS };

/* watch_list - every recipient in those of the limits */
static int
watch_list(struct mail *mail, const struct limit *const *limits, size_t n,
    enum which which)
{
	size_t i, j;

	for (i = 0; i < n; i++) {
		if (limit_egress(limits[i]) != (which == EGRESS))
			continue;
		if ((limits[i]->per & PER_SENDER_DOMAIN) != 0 &&
		    from_ids(mail) == -1)
			return -1;
		for (j = 0; j < mail->nrcpts; j++)
			if (watch(mail, limits[i], &mail->rcpts[j]) == -1)
				return -1;
	}
	return 0;
}

/* watch_egress - in those of the way it leaves */
static int
watch_egress(struct mail *mail)
{
	const struct pool_address *a = mail->egress;
	const struct stream *s = mail->stream;

	if (watch_list(mail, s->limits, s->nlimits, EGRESS) == -1)
		return -1;
	return a == NULL ? 0 : watch_list(mail, a->pool->limits,
	    a->pool->nlimits, EGRESS) == -1 ? -1 :
	    watch_list(mail, a->limits, a->nlimits, EGRESS);
}

/* watch_none - to begin with */
static void
watch_none(struct meters *ms)
{
	for (size_t i = 0; i < ms->n; i++) {
		ms->list[i]->watched = 0;
		ms->list[i]->hold = false;
	}
}

/* watch_all - every recipient in every limit of the stream */
static int
watch_all(struct mail *mail)
{
	const struct stream *s = mail->stream;

	mail->meters.way = false;
	watch_none(&mail->meters);
	if (watch_list(mail, s->limits, s->nlimits, OWN) == -1 ||
	    watch_list(mail, mail->slow, mail->nslow, OWN) == -1)
		return -1;
	for (size_t i = 0; i < mail->nrcpts; i++)
		if (mail->rcpts[i].slow != NULL &&
		    watch(mail, mail->rcpts[i].slow, &mail->rcpts[i]) == -1)
			return -1;
	return mail->meters.later ? 0 : watch_egress(mail);
}

/* look - one meter of an address.  What its pool counts as a whole says
 * whether there is room, and nothing about which address to take. */
static void
look(struct mail *mail, struct meter *meter, int64_t size, int64_t now,
    struct egress_look *to)
{
	int64_t want = measure_amount(meter->limit, meter->watched, size),
	    most, gone;
	struct counter_view view;
	struct dimensions d;
	int load = 0;

	if (want == 0)
		return;
	refresh(mail, meter, size, now, &d);
	ledger_view(mail->ledger, &meter->ask, now, &view);
	most = most_of(mail, meter, want, now);
	gone = view.used + view.reserved;
	if ((meter->limit->per & PER_ADDRESS) != 0)
		load = gone >= most ? 1000 : (int)((__int128)gone * 1000 /
		    most);
	if (to->fits && (to->fullest == NULL || load > to->load))
		to->fullest = meter->limit;
	if (load > to->load)
		to->load = load;
	if (!meter->limit->shadow && want > most - gone) {
		to->fits = false;
		to->fullest = meter->limit;
		view.next = measure_next(meter->limit, &d, gone, 0, want,
		    view.next, now);
	}
	if (view.next > to->next)
		to->next = view.next;
}

/* meters_look - its limits as they stand */
int
meters_look(struct mail *mail, const struct pool_address *a, int64_t size,
    int64_t now, struct egress_look *to)
{
	struct meters *ms = &mail->meters;
	size_t i;
	int done;

	*to = (struct egress_look){ .address = a, .fits = true };
	mail->egress = a;
	watch_none(ms);
	done = watch_egress(mail);
	for (i = 0; done == 0 && i < ms->n; i++)
		look(mail, ms->list[i], size, now, to);
	mail->egress = NULL;
	return done;
}

/* held_by - does the mail wait for room of that meter, because of him? */
static bool
held_by(struct mail *mail, const struct meter *meter, struct rcpt *rcpt)
{
	uint64_t of[4];

	if (rcpt->local || rcpt->verdict == VERDICT_DROP ||
	    !measure_watches(meter->limit, rcpt->provider))
		return false;
	values(mail, meter->limit, rcpt, 0, of);
	return of[0] == meter->of[0] && of[1] == meter->of[1];
}

/* held_for - which recipients are those that do not fit */
static void
held_for(struct mail *mail)
{
	struct meters *ms = &mail->meters;
	struct rcpt *rcpt;
	size_t i, j;

	for (i = 0; i < ms->n; i++) {
		for (j = 0; ms->list[i]->hold && j < mail->nrcpts; j++) {
			rcpt = &mail->rcpts[j];
			if (!held_by(mail, ms->list[i], rcpt))
				continue;
			rcpt->verdict = VERDICT_HOLD;
			rcpt->rule = ms->list[i]->limit->at;
		}
	}
}

/* meters_seal - the whole mail, for the last time */
enum verdict
meters_seal(struct mail *mail, int64_t size, int64_t now, struct answer *a)
{
	struct meters *ms = &mail->meters;
	struct meter *meter;
	size_t i;

	mail->hold.code = NULL;
	for (i = 0; i < mail->nrcpts; i++)
		if (mail->rcpts[i].verdict == VERDICT_HOLD) {
			mail->rcpts[i].verdict = VERDICT_PASS;
			mail->rcpts[i].rule = mail->tenant_rule;
		}
	if (watch_all(mail) == -1)
		return reply_memory(a);
	for (i = 0; i < ms->n; i++) {
		meter = ms->list[i];
		meter->want = measure_amount(meter->limit, meter->watched,
		    size);
	}
	if (meters_ask(mail, SEAL, size, now, a) != VERDICT_PASS ||
	    mail->hold.code == NULL)
		return a->verdict;
	held_for(mail);
	*a = mail->hold;
	a->stage = STAGE_MESSAGE;
	return VERDICT_HOLD;
}
