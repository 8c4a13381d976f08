/*
 * explain_gate - what explain says is what the gate does.
 *
 * Facts and policies are made at random from one number (EXPLAIN_FIRST=number
 * makes the same again).  Each message is put to explain first, whose counters
 * come from the events on disk as those of the command do, and then to the
 * gate's stages with its own ledger, writer and store.  Compared: every
 * answer (verdict, code, text, line, limit, next slot), stream, counters, edits
 * and the message's size.  At the end the records are replayed through the
 * policy that made them: nothing should change, and of what an event does not
 * hold (the order of recipients, a size that was told and never seen) no more
 * than one in a hundred may.
 */
#include "tests/unit/gate_world.h"
#include "tests/unit/random_policy.h"

#include "tools/explain.h"
#include "tools/replay.h"

enum { POLICIES = 25, STEPS = 16, MOST = 4000 };

struct said {				/* by the gate */
	struct answer	answers[STEPS];
	size_t		n;
	bool		accepted;
};

static struct ledger *mirror;		/* explain's: fed by the store alone */
static uint64_t fed;			/* up to this event */
static struct arena *arena;
static char seed_text[64];

/* feed - what the store has got since; the command does it at its start */
static void
feed(void)
{
	struct arena *a = arena_new(1 << 14, 0);
	struct slice bytes[16];
	struct charge *charges;
	enum event_kind kind;
	uint64_t seq, voids;
	int64_t time;
	size_t got, n;
	struct why why;

	do {
		assert_int_equal(store_read(gate.store, fed + 1, 16, a, bytes,
		    &got, &why), 0);
		for (size_t i = 0; i < got; i++) {
			assert_int_equal(event_charges(bytes[i], &seq, &time,
			    &kind, &voids, &charges, &n, a, &why), 0);
			assert_int_equal(ledger_replay(mirror, charges, n,
			    kind == EVENT_VOID, seq, time), 0);
			fed = seq;
		}
	} while (got > 0);
	arena_free(a);
}

/* keep - a step of the gate; texts live until the message is settled */
static bool
keep(struct said *said, const struct answer *a, enum turn t)
{
	if (said->n < STEPS)
		said->answers[said->n++] = *a;
	return t == TURN_ON || t == TURN_ACCEPT;
}

/* drive - the message through the gate; still open when it returns */
static void
drive(struct session *s, const struct facts *f, const struct message_file *m,
    struct said *said)
{
	char size[32], *args[] = { NULL, NULL };
	struct envelope e = { .from = slice_of(f->sender), .args = args,
		.login = f->login != NULL ? slice_of(f->login) : SLICE_NONE,
		.listener = slice_of(f->listener) };
	struct answer a = { .code = NULL };
	enum turn t;

	snprintf(size, sizeof(size), "SIZE=%lld", (long long)f->size);
	args[0] = f->size > 0 ? size : NULL;
	if (!keep(said, &a, t = stage_mail(s, &e, &a)) && t != TURN_ON) {
		said->answers[said->n - 1] = a;
		return;
	}
	said->answers[said->n - 1] = a;
	for (size_t i = 0; i < f->nrcpts; i++) {
		t = stage_rcpt(s, slice_of(f->rcpts[i]),
		    slice_of(f->transports[i]), &a);
		(void)keep(said, &a, t);
	}
	if (s->message.mail.nrcpts == 0)
		return;
	for (size_t i = 0; i < m->nheaders; i++)
		stage_header(s, m->headers[i].name, m->headers[i].value);
	t = stage_eoh(s, &a);
	if (s->message.mail.origin != ORIGIN_INBOUND)
		(void)keep(said, &a, t);
	said->accepted = t == TURN_ACCEPT;
	if (t != TURN_ON)
		return;
	t = stage_body(s, f->body, strlen(f->body), &a);
	assert_int_equal(t, TURN_ON);
	t = stage_eom(s, SLICE("4xRANDOM"), &a);
	(void)keep(said, &a, t);
	if ((said->accepted = t == TURN_ACCEPT))
		assert_int_equal(stage_applied(s, NULL, &a), TURN_ACCEPT);
}

/* same_text - or the test ends, with the number that makes it again */
static void
same_text(const char *what, struct slice got, struct slice expected)
{
	if (!slice_eq(got, expected))
		fail_msg("%s: %s: explain \"%.*s\", gate \"%.*s\"", seed_text,
		    what, SLICE_ARG(got), SLICE_ARG(expected));
}

static void
same(const char *what, int64_t got, int64_t expected)
{
	if (got != expected)
		fail_msg("%s: %s: explain %lld, gate %lld", seed_text, what,
		    (long long)got, (long long)expected);
}

/* same_answer - word for word; of our own trouble the gate tells less */
static void
same_answer(const struct explain *e, const struct answer *x,
    const struct answer *g, const struct policy *p)
{
	same("verdict", x->verdict, g->verdict);
	if (g->verdict == VERDICT_PASS)
		return;
	same_text("code", slice_of(x->code), slice_of(g->code));
	same_text("dsn", slice_of(x->dsn), slice_of(g->dsn));
	if (slice_is(slice_of(g->dsn), "4.3.5") && g->rule.file == NULL)
		return;
	same_text("text", x->text, g->text);
	same("next", x->next, g->next);
	same_text("limit", x->limit != NULL ? x->limit->name : SLICE(""),
	    g->limit != NULL ? g->limit->name : SLICE(""));
	same_text("rule", policy_rule(e->live.policy, x->rule, arena),
	    policy_rule(p, g->rule, arena));
}

/* same_edits - number, kind, place, name; signatures are counted */
static void
same_edits(const struct explain *e, const struct message *m)
{
	size_t n = e->plan.n;

	same("signatures", (int64_t)e->mail.nidentities,
	    (int64_t)m->mail.nidentities);
	same("edits", (int64_t)(n + m->nkeys), (int64_t)m->plan.n);
	for (size_t i = 0; i < n; i++) {
		same("edit", e->plan.edits[i].kind, m->plan.edits[i].kind);
		same("index", e->plan.edits[i].index, m->plan.edits[i].index);
		same_text("header", e->plan.edits[i].name,
		    m->plan.edits[i].name);
	}
}

/* same_counters - before the message, seen by both */
static void
same_counters(const struct explain *e)
{
	struct counter_view view;

	for (size_t i = 0; i < e->nlimits; i++) {
		const struct explain_limit *l = &e->limits[i];

		ledger_view(gate.ledger, &l->ask, e->now, &view);
		same("used", l->view.used, view.used);
		same("reserved", l->view.reserved, view.reserved);
		same("next slot", l->view.next, view.next);
	}
}

/* ask - explain, as the command would with --message */
static void
ask(struct explain *e, const struct facts *f, struct policy *p)
{
	static struct explain_rcpt rcpts[FACTS_RCPTS];
	struct why why;

	*e = (struct explain){ .verdict = VERDICT_PASS };
	e->live.policy = p;
	e->live.ledger = mirror;
	e->live.arena = arena;
	e->live.now = e->now = clock_now();
	e->login = f->login != NULL ? slice_of(f->login) : SLICE_NONE;
	e->listener = slice_of(f->listener);
	e->size = f->size;
	ip_of((const struct sockaddr *)&f->client, &e->client);
	for (size_t i = 0; i < f->nrcpts; i++)
		rcpts[i] = (struct explain_rcpt){
			.address = slice_of(f->rcpts[i]),
			.transport = slice_of(f->transports[i]) };
	e->rcpts = rcpts;
	e->nrcpts = f->nrcpts;
	e->file = at("message.eml");
	write_file(e->file, f->text);
	if (message_read(e->file, arena, &e->message, &why) == -1)
		fail_msg("%s", why.text);
	e->mail.mail_from_text = slice_of(f->sender);
	assert_int_equal(explain_ask(e, &why), 0);
}

/* wait - until the writer has written what it was told so far */
static void
wait(void)
{
	struct event e = { .kind = EVENT_STATUS, .count = 1 };
	struct why why;
	uint64_t seq;

	if (writer_commit(gate.writer, &e, &seq, &why) == -1)
		fail_msg("%s", why.text);
}

/* one - message to both */
static void
one(const struct facts *f, struct policy *p)
{
	struct said said = { .n = 0 };
	struct explain e;
	struct session *s;
	const struct message *m;

	ask(&e, f, p);
	same_counters(&e);
	s = session_new(&gate, (const struct sockaddr *)&f->client);
	assert_non_null(s);
	drive(s, f, &e.message, &said);
	m = &s->message;
	for (size_t i = 0; i < said.n && i < e.nsteps; i++)
		same_answer(&e, &e.steps[i].answer, &said.answers[i],
		    gate.policy);
	same("steps", (int64_t)e.nsteps, (int64_t)said.n);
	same("accepted", e.accepted, said.accepted);
	same_text("tenant", e.mail.tenant != NULL ? e.mail.tenant->name :
	    SLICE(""), m->mail.tenant != NULL ? m->mail.tenant->name :
	    SLICE(""));
	same_text("stream", e.mail.stream != NULL ? e.mail.stream->name :
	    SLICE(""), m->mail.stream != NULL ? m->mail.stream->name :
	    SLICE(""));
	same("would", e.mail.would.verdict, m->mail.would.verdict);
	if (said.accepted && m->seq > 0) {
		same("size", e.message.size, m->size);
		same_edits(&e, m);
	}
	explain_forget(&e);
	message_free(&e.message);
	session_free(s);
	wait();
	feed();
	arena_reset(arena);
}

/* show_around - the records near one that came out otherwise */
static void
show_around(uint64_t seq)
{
	struct arena *a = arena_new(1 << 14, 0);
	struct buf b = BUF_INIT;
	struct slice bytes[6];
	struct event e;
	struct why why;
	size_t got;

	assert_int_equal(store_read(gate.store, seq - 1, 6, a, bytes, &got,
	    &why), 0);
	for (size_t i = 0; i < got; i++) {
		assert_int_equal(event_decode(bytes[i], &e, a, &why), 0);
		event_json(&e, &b);
		buf_char(&b, '\n');
	}
	fprintf(stderr, "%.*s", SLICE_ARG(buf_slice(&b)));
	buf_free(&b);
	arena_free(a);
}

/* replayed - the records of this policy, through it */
static void
replayed(struct policy *p, uint64_t from)
{
	struct replay r = { .policy = p, .ledger = ledger_new(),
		.arena = arena_new(1 << 14, 0) };
	const struct replay_change *c;
	uint64_t all = 0, changed = 0;
	struct why why;

	assert_int_equal(replay_tally_init(&r.tally), 0);
	if (replay_pages(&r, gate.store, from, last_seq(), NULL, NULL,
	    &why) == -1)
		fail_msg("%s", why.text);
	assert_true(r.messages > 0);
	for (size_t i = 0; i < r.tally.nrows; i++) {
		changed += r.tally.rows[i]->changed;
		for (size_t v = 0; r.tally.rows[i]->limit.n == 0 &&
		    v < REPLAY_VERDICTS; v++)
			all += r.tally.rows[i]->was[v];
	}
	for (size_t i = 0; changed * 100 > all && i < r.tally.nchanges; i++) {
		c = r.tally.changes[i];
		print_error("%llu x %.*s: event %llu, was %s, would be %s (%.*s"
		    " %.*s): %.*s\n", (unsigned long long)c->count,
		    SLICE_ARG(c->tenant), (unsigned long long)c->seq,
		    verdict_names[c->was], verdict_names[c->would],
		    SLICE_ARG(c->limit), SLICE_ARG(c->rule),
		    SLICE_ARG(c->reply));
		show_around(c->seq);
	}
	if (changed * 100 > all)
		fail_msg("%s: replayed through the same policy, %llu of %llu "
		    "would change", seed_text, (unsigned long long)changed,
		    (unsigned long long)all);
	replay_tally_free(&r.tally);
	ledger_free(r.ledger);
	arena_free(r.arena);
}

/* A new policy, both ledgers empty, some weeks later. */
static struct policy *
new_policy(uint64_t number)
{
	struct policy *mine;

	write_file(at("other.conf"), random_policy(number));
	policy_drop(gate_swap(&gate, load(at("other.conf"))));
	mine = load(at("other.conf"));
	clock_set(clock_now() + 40 * CLOCK_DAY);
	wait();			/* what the last one's repeats were */
	wait();
	return mine;
}

static void
explain_says_what_the_gate_does(void **state)
{
	const char *rounds = getenv("ROUNDS"), *first =
	    getenv("EXPLAIN_FIRST");
	size_t each = (size_t)(rounds != NULL ? atoi(rounds) : 50) *
	    200 / POLICIES;
	uint64_t number = first != NULL ? strtoull(first, NULL, 10) : 1;
	uint64_t from;
	struct facts f;

	(void)state;
	if (each > MOST)
		each = MOST;
	for (size_t i = 0; i < POLICIES; i++) {
		struct policy *mine = new_policy(number);

		from = last_seq() + 1;
		for (size_t j = 0; j < each; j++) {
			snprintf(seed_text, sizeof(seed_text),
			    "EXPLAIN_FIRST=%llu, message %zu",
			    (unsigned long long)number, j);
			random_facts(&f, number % 2);
			clock_set(clock_now() + random_step(number % 2));
			one(&f, mine);
		}
		/* what is nearer than replay's own patience may be taken
		 * for one message */
		if (number % 2 == 1)
			replayed(mine, from);
		policy_drop(mine);
		number++;
	}
}

static int
world(void **state)
{
	/* thousands of commits: in memory, where there is such a place */
	if (access("/dev/shm", W_OK) == 0)
		snprintf(folder, sizeof(folder),
		    "/dev/shm/penstock-explain-XXXXXX");
	if (setup(state) == -1)
		return -1;
	mirror = ledger_new();
	arena = arena_new(1 << 18, 0);
	return mirror != NULL && arena != NULL ? 0 : -1;
}

static int
world_end(void **state)
{
	ledger_free(mirror);
	arena_free(arena);
	(void)unlink(at("message.eml"));
	return teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(explain_says_what_the_gate_does),
	};

	return cmocka_run_group_tests_name("explain_gate", tests, world,
	    world_end);
}
