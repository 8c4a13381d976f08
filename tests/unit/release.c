/*
 * release - what the gate decided of held mail, against a model of the half
 * that is root: a queue in memory, which can be cut off after any step.
 *
 * The model speaks the real protocol over a real pair of sockets, and moves a
 * message as postsuper does: by one rename, from hold/.  Time: decisions are
 * old when the gate's heartbeat says so; an inventory is due in every round.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "tools/release/work_in.h"

#define MAP	(UINT64_C(16) << 20)
#define NOW	(INT64_C(1763712000) * CLOCK_SECOND)
enum { FOREVER = 1000000, MESSAGES = 16 };

/* --- the model ------------------------------------------------------------ */

struct message {
	const char	*id;		/* NULL: none */
	uint64_t	 inode;
	enum order_place place;
	bool		 stubborn;	/* postsuper leaves it */
	int		 renamed, hurried, deleted, expired;
};

static struct message queue[MESSAGES];
static int budget;		/* steps until the other half is cut off */
static bool cut;		/* it was */
static int peer = -1;
static pthread_t thread;

/* step - false when this was one too many */
static bool
step(void)
{
	if (budget-- > 0)
		return true;
	cut = true;
	return false;
}

/* message_of - by queue id */
static struct message *
message_of(struct slice id)
{
	for (int i = 0; i < MESSAGES; i++)
		if (queue[i].id != NULL && slice_is(id, queue[i].id))
			return &queue[i];
	return NULL;
}

/* say - a line of an answer */
static bool
say(const struct reply *r)
{
	struct buf b = BUF_INIT;
	bool fine = step();

	reply_format(r, &b);
	fine = fine && send(peer, b.data, b.len, MSG_NOSIGNAL) ==
	    (ssize_t)b.len;
	buf_free(&b);
	return fine;
}

/* change - one message, as postsuper and postqueue would */
static bool
change(enum order_verb verb, struct message *m)
{
	if (m == NULL)
		return true;
	if (m->place == PLACE_HOLD && !m->stubborn && verb != ORDER_QUEUE) {
		if (!step())
			return false;
		m->place = verb == ORDER_DROP ? PLACE_AWAY : PLACE_DEFERRED;
		m->renamed += verb != ORDER_DROP;
		m->deleted += verb == ORDER_DROP;
		m->expired += verb == ORDER_EXPIRE;
	}
	return true;
}

/* hurry - postqueue -i: the queue manager delivers it */
static bool
hurry(struct message *m)
{
	if (!step())
		return false;
	if (m != NULL && m->place == PLACE_DEFERRED) {
		m->place = PLACE_AWAY;
		m->hurried++;
	}
	return true;
}

/* serve - one order */
static bool
serve(const struct order *o)
{
	struct reply r = { .kind = REPLY_END, .text = SLICE("") };
	size_t i;

	if (!step())
		return false;
	for (i = 0; o->verb == ORDER_LIST && i < MESSAGES; i++) {
		struct reply h = { .kind = REPLY_HELD, .file =
			queue[i].inode, .id = slice_of(queue[i].id) };

		if (queue[i].id == NULL || queue[i].place != PLACE_HOLD)
			continue;
		r.n++;
		if (!say(&h))
			return false;
	}
	for (i = 0; o->verb != ORDER_WHERE && i < o->n; i++)
		if (!change(o->verb, message_of(o->ids[i])))
			return false;
	for (i = 0; (o->verb == ORDER_RELEASE || o->verb == ORDER_EXPIRE ||
	    o->verb == ORDER_QUEUE) && i < o->n; i++)
		if (!hurry(message_of(o->ids[i])))
			return false;
	for (i = 0; o->verb != ORDER_QUEUE && i < o->n; i++) {
		struct message *m = message_of(o->ids[i]);
		struct reply at = { .kind = REPLY_AT, .id = o->ids[i],
			.place = m == NULL ? PLACE_AWAY : m->place };

		r.n++;
		if (o->verb != ORDER_WHERE && at.place != PLACE_HOLD)
			at.place = PLACE_AWAY;
		if (!say(&at))
			return false;
	}
	if (o->verb == ORDER_RELEASE)
		r.text = SLICE("postsuper: a sentence");
	return say(&r);
}

/* model - the thread, until the peer leaves or the budget is spent */
static void *
model(void *with)
{
	char line[ORDER_LINE];
	struct order o;
	struct why why;
	size_t n = 0;

	(void)with;
	(void)send(peer, ORDER_HELLO "\n", sizeof(ORDER_HELLO), MSG_NOSIGNAL);
	while (recv(peer, line + n, 1, 0) == 1) {
		if (line[n++] != '\n')
			continue;
		if (order_parse((struct slice){ line, n - 1 }, &o,
		    &why) == -1 || !serve(&o))
			break;
		n = 0;
	}
	shutdown(peer, SHUT_RDWR);
	return NULL;
}

/* --- a house -------------------------------------------------------------- */

static char root[64];
static struct config config;
static struct store *gate;
static struct db *db;
static struct ask *ask, *other;
static bool two;			/* a second Postfix that is away */
static struct work *work;
static struct why why;

/* must - or the reason */
static void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s", why.text);
}

/* nothing - while an answer is awaited */
static void
nothing(void)
{
}

/* up - both halves, as after a start */
static void
up(void)
{
	static const char *const instances[] = { "", "two" };
	struct ask *asks[2];
	char dir[80];
	int pair[2];

	snprintf(dir, sizeof(dir), "%s/release", root);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	peer = pair[1];
	cut = false;
	assert_int_equal(pthread_create(&thread, NULL, model, NULL), 0);
	must(released_open(&db, dir, MAP, &why));
	must(ask_new(&ask, NULL, pair[0], nothing, &why));
	must(ask_new(&other, "/nowhere/at/all", -1, nothing, &why));
	asks[0] = ask;
	asks[1] = other;
	must(work_new(&work, &config, db, asks, instances, two ? 2 : 1,
	    nothing, &why));
}

/* down - as after kill -9: nothing of it was tidied */
static void
down(void)
{
	work_free(work);
	ask_free(ask);
	ask_free(other);
	db_close(db);
	work = NULL;
	ask = other = NULL;
	db = NULL;
	pthread_join(thread, NULL);
	close(peer);
}

/* heartbeat - the gate's word, after this moment */
static void
heartbeat(int64_t time)
{
	const struct status s = { .heartbeat = time, .text = SLICE(""),
		.version = SLICE(""), .socket = SLICE(""),
		.desk = SLICE("") };

	must(store_begin(gate, &why));
	must(store_put_status(gate, &s, &why));
	must(store_commit(gate, &why));
}

static int
setup(void **state)
{
	char dir[80];

	(void)state;
	snprintf(root, sizeof(root), "/tmp/penstock-release.XXXXXX");
	if (mkdtemp(root) == NULL)
		return -1;
	snprintf(dir, sizeof(dir), "%s/gate", root);
	config = (struct config){ .store = root };
	config.release.inventory = 1;
	config.release.agent = config.release.config_directory = "";
	must(store_open(&gate, dir, MAP, &why));
	heartbeat(NOW);
	memset(queue, 0, sizeof(queue));
	budget = FOREVER;
	two = false;
	up();
	return 0;
}

/* clear - a store of the house */
static void
clear(const char *name)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock" };
	char path[160];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", root, name,
		    files[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/%s", root, name);
	rmdir(path);
}

static int
teardown(void **state)
{
	(void)state;
	down();
	store_close(gate);
	clear("gate");
	clear("release");
	rmdir(root);
	return 0;
}

/* row_in - of the gate, decided an hour ago when it is */
static void
row_in(const char *instance, uint64_t seq, const char *id,
    enum held_state state)
{
	const struct held h = { .seq = seq, .state = state,
		.since = NOW - 2 * CLOCK_HOUR + (int64_t)seq,
		.until = NOW + CLOCK_DAY,
		.decided = state == HELD_WAITING ? 0 : NOW - CLOCK_HOUR,
		.decision = state == HELD_WAITING ? 0 : seq + 1000,
		.instance = slice_of(instance), .queue_id = slice_of(id),
		.tenant = SLICE("acme"), .stream = SLICE("bulk"),
		.pool = SLICE(""), .address = SLICE(""),
		.why = SLICE("daily") };

	must(store_begin(gate, &why));
	must(store_put_held(gate, &h, &why));
	must(store_commit(gate, &why));
}

/* row - of the one Postfix there is */
static void
row(uint64_t seq, const char *id, enum held_state state)
{
	row_in("", seq, id, state);
}

/* forget - the gate has read what became of it */
static void
forget(uint64_t seq)
{
	must(store_begin(gate, &why));
	must(store_drop_held(gate, seq, &why));
	must(store_commit(gate, &why));
}

/* hold - a file in hold/ */
static struct message *
hold(int at, const char *id)
{
	queue[at] = (struct message){ .id = id, .inode = 100 + (uint64_t)at,
		.place = PLACE_HOLD };
	return &queue[at];
}

/* done - the result of a row, or -1 */
static int
done(uint64_t seq, char text[RELEASED_TEXT + 1])
{
	struct released r;
	struct db_txn *txn;
	int got;

	must(db_begin(db, false, &txn, &why));
	got = released_get(txn, seq, &r, &why);
	must(got);
	if (got == 1 && text != NULL)
		snprintf(text, RELEASED_TEXT + 1, "%.*s", SLICE_ARG(r.text));
	db_abort(txn);
	return got == 1 ? (int)r.result : -1;
}

/* trying_of - how many rows are under way */
static size_t
trying_of(void)
{
	struct trying t[MESSAGES];
	struct db_txn *txn;
	size_t got;

	must(db_begin(db, false, &txn, &why));
	must(trying_rows(txn, 0, MESSAGES, t, &got, &why));
	db_abort(txn);
	return got;
}

/* inventory - as it stands in the store */
static struct inventory
inventory(void)
{
	struct inventory i = { .time = 0 };
	struct slice value;
	struct db_txn *txn;

	must(db_begin(db, false, &txn, &why));
	assert_int_equal(db_get(txn, RELEASED_T_RECORDS, SLICE("inventory"),
	    &value, &why), 1);
	must(inventory_decode(value, &i, &why));
	i.trouble.p = i.trouble.n > 0 ? "some" : "";
	db_abort(txn);
	return i;
}

/* --- what is done --------------------------------------------------------- */

static void
what_is_decided_is_done(void **state)
{
	struct message *go = hold(0, "8B6BAA7A6E3");
	struct message *drop = hold(1, "8CCB9A7A6F4");
	struct message *expire = hold(2, "4hGPxs0KqpzcLY3");
	struct message *wait = hold(3, "8ED58A7A6FC");
	struct message *foreign = hold(4, "91270A7A6FF");
	struct inventory i;

	(void)state;
	row(1, "8B6BAA7A6E3", HELD_GO);
	row(2, "8CCB9A7A6F4", HELD_DROP);
	row(3, "4hGPxs0KqpzcLY3", HELD_EXPIRE);
	row(4, "8ED58A7A6FC", HELD_WAITING);
	must(work_round(work, &why));
	assert_int_equal(done(1, NULL), RELEASED_DONE);
	assert_int_equal(done(2, NULL), RELEASED_DROPPED);
	assert_int_equal(done(3, NULL), RELEASED_EXPIRED);
	assert_int_equal(done(4, NULL), -1);
	assert_true(go->renamed == 1 && go->hurried == 1 && !go->expired);
	assert_true(drop->deleted == 1 && !drop->hurried);
	assert_true(expire->expired == 1 && expire->hurried == 1);
	assert_int_equal(wait->place, PLACE_HOLD);
	assert_int_equal(foreign->place, PLACE_HOLD);
	assert_int_equal(trying_of(), 0);
	assert_false(work_waits(work));
	i = inventory();
	assert_int_equal(i.ours, 1);
	assert_int_equal(i.foreign, 1);
	assert_int_equal(i.oldest, NOW - 2 * CLOCK_HOUR + 4);
	/* once is enough, however often it is looked at */
	must(work_round(work, &why));
	must(work_round(work, &why));
	assert_true(go->renamed == 1 && drop->deleted == 1);
	assert_int_equal(work_tally(work)->done, 1);
}

static void
a_young_decision_waits_for_the_gates_clock(void **state)
{
	struct message *m = hold(0, "8B6BAA7A6E3");

	(void)state;
	row(1, "8B6BAA7A6E3", HELD_GO);
	heartbeat(NOW - CLOCK_HOUR + WORK_AGE - 1);
	must(work_round(work, &why));
	assert_int_equal(m->place, PLACE_HOLD);
	assert_true(work_waits(work));
	heartbeat(NOW - CLOCK_HOUR + WORK_AGE);
	must(work_round(work, &why));
	assert_int_equal(m->renamed, 1);
	assert_false(work_waits(work));
}

static void
what_postfix_does_not_let_go_is_said(void **state)
{
	struct message *m = hold(0, "8B6BAA7A6E3");
	char text[RELEASED_TEXT + 1];

	(void)state;
	m->stubborn = true;
	row(1, "8B6BAA7A6E3", HELD_GO);
	row(2, "Q", HELD_GO);		/* none that Postfix makes */
	must(work_round(work, &why));
	assert_int_equal(done(1, text), RELEASED_FAILED);
	assert_string_equal(text, "postsuper: a sentence");
	assert_int_equal(done(2, text), RELEASED_FAILED);
	assert_non_null(strstr(text, "queue id"));
	assert_int_equal(trying_of(), 0);
	/* not again within the minute */
	m->stubborn = false;
	must(work_round(work, &why));
	assert_int_equal(m->place, PLACE_HOLD);
}

static void
an_order_is_for_its_message_alone(void **state)
{
	struct message *m = hold(0, "8B6BAA7A6E3");
	const struct trying t = { 1, NOW, HELD_GO, m->inode + 1,
		SLICE("8B6BAA7A6E3") };
	const struct released r = { 2, NOW, RELEASED_DONE, SLICE(""),
		SLICE("8CCB9A7A6F4") };
	struct message *second = hold(1, "8ED58A7A6FC");
	struct db_txn *txn;

	(void)state;
	must(db_begin(db, true, &txn, &why));
	must(trying_put(txn, &t, &why));
	must(released_put(txn, &r, &why));
	must(db_commit(txn, &why));
	/* what is there under its queue id is another file by now */
	row(1, "8B6BAA7A6E3", HELD_GO);
	/* and what was done under this sequence was of another gate's store */
	row(2, "8ED58A7A6FC", HELD_GO);
	must(work_round(work, &why));
	assert_int_equal(m->place, PLACE_HOLD);
	assert_int_equal(done(1, NULL), RELEASED_DONE);
	assert_int_equal(second->renamed, 1);
	assert_int_equal(done(2, NULL), RELEASED_DONE);
}

/* --- what is gone --------------------------------------------------------- */

static void
what_somebody_took_is_gone(void **state)
{
	static const struct {
		const char	*id;
		enum order_place place;
		bool		 gone;
		const char	*said;
	} cases[] = {
		{ "8B6BAA7A6E1", PLACE_HOLD, false, NULL },
		{ "8B6BAA7A6E2", PLACE_INCOMING, false, NULL },
		{ "8B6BAA7A6E3", PLACE_ACTIVE, true, "released it" },
		{ "8B6BAA7A6E4", PLACE_DEFERRED, true, "released it" },
		{ "8B6BAA7A6E5", PLACE_CORRUPT, true, "damaged" },
		{ "8B6BAA7A6E6", PLACE_AWAY, true, "deleted it" },
	};
	char text[RELEASED_TEXT + 1];

	(void)state;
	for (int i = 0; i < 6; i++) {
		hold(i, cases[i].id)->place = cases[i].place;
		row((uint64_t)i + 1, cases[i].id, i % 2 == 0 ? HELD_WAITING :
		    HELD_GO);
	}
	/* so that the first one stays */
	row(1, "8B6BAA7A6E1", HELD_WAITING);
	must(work_round(work, &why));
	for (int i = 0; i < 6; i++)	/* not at the first look */
		assert_int_equal(done((uint64_t)i + 1, NULL), -1);
	must(work_round(work, &why));
	for (int i = 0; i < 6; i++) {
		int got = done((uint64_t)i + 1, text);

		if (got != (cases[i].gone ? RELEASED_GONE : -1))
			fail_msg("%s: got %d", cases[i].id, got);
		if (cases[i].gone && strstr(text, cases[i].said) == NULL)
			fail_msg("%s: %s", cases[i].id, text);
	}
	assert_int_equal(queue[3].hurried, 0);
	assert_int_equal(work_tally(work)->gone, 4);
}

static void
another_postfix_takes_nothing_from_the_gate(void **state)
{
	(void)state;
	config.release.inventory = CLOCK_HOUR;
	row(1, "8B6BAA7A6E3", HELD_WAITING);
	for (int i = 0; i < 5; i++) {
		work_inventory_now(work);
		must(work_round(work, &why));
	}
	assert_int_equal(done(1, NULL), -1);
	/* 60 of them later, nobody can wait for it any longer */
	config.release.inventory = 1;
	must(work_round(work, &why));
	assert_int_equal(done(1, NULL), RELEASED_GONE);
}

static void
what_the_gate_forgot_is_forgotten(void **state)
{
	const struct trying t = { 9, NOW, HELD_GO, 1, SLICE("8ED58A7A6FC") };
	struct db_txn *txn;

	(void)state;
	hold(0, "8B6BAA7A6E3");
	hold(1, "8CCB9A7A6F4");
	row(1, "8B6BAA7A6E3", HELD_GO);
	row(2, "8CCB9A7A6F4", HELD_DROP);
	must(db_begin(db, true, &txn, &why));
	must(trying_put(txn, &t, &why));	/* of a row that is voided */
	must(db_commit(txn, &why));
	must(work_round(work, &why));
	assert_int_equal(done(1, NULL), RELEASED_DONE);
	assert_int_equal(trying_of(), 0);
	forget(1);
	must(work_round(work, &why));
	assert_int_equal(done(1, NULL), -1);
	assert_int_equal(done(2, NULL), RELEASED_DROPPED);
}

static void
without_a_gate_all_is_foreign(void **state)
{
	(void)state;
	store_close(gate);
	clear("gate");
	hold(0, "8B6BAA7A6E3");
	must(work_round(work, &why));
	assert_int_equal(inventory().foreign, 1);
	assert_int_equal(inventory().ours, 0);
	gate = NULL;
}

static void
what_is_wrong_stands_in_the_store(void **state)
{
	(void)state;
	hold(0, "8B6BAA7A6E3");
	row(1, "8B6BAA7A6E3", HELD_GO);
	row(2, "8CCB9A7A6F4", HELD_WAITING);
	must(work_round(work, &why));
	assert_int_equal(inventory().trouble.n, 0);
	budget = 0;
	assert_int_equal(work_round(work, &why), -1);
	assert_true(ask_lost(ask));
	assert_true(inventory().trouble.n > 0);
	down();
	budget = FOREVER;
	up();
	must(work_round(work, &why));
	assert_int_equal(inventory().trouble.n, 0);
}

static void
one_postfix_that_is_away_keeps_nothing_of_another(void **state)
{
	struct message *m = hold(0, "8B6BAA7A6E3");

	(void)state;
	down();
	two = true;
	up();
	hold(1, "8CCB9A7A6F4");		/* not the one of instance two */
	row_in("two", 1, "8CCB9A7A6F4", HELD_GO);
	row_in("three", 2, "8B6BAA7A6E3", HELD_GO);
	row_in("two", 3, "8ED58A7A6FC", HELD_WAITING);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(work_round(work, &why), -1);
		assert_non_null(strstr(why.text, "/nowhere/at/all"));
	}
	assert_int_equal(m->renamed, 1);
	assert_int_equal(done(2, NULL), RELEASED_DONE);
	assert_int_equal(done(1, NULL), -1);
	assert_int_equal(queue[1].place, PLACE_HOLD);
	/* nor is there anything to be said about what it has */
	assert_int_equal(done(3, NULL), -1);
	assert_int_equal(inventory().foreign, 1);
	assert_true(inventory().trouble.n > 0);
}

/* --- killed at every step ------------------------------------------------- */

static const struct {
	const char	*id;
	enum held_state	 state;
	int		 want;
} fates[] = {
	{ "8B6BAA7A6E1", HELD_GO, RELEASED_DONE },
	{ "8B6BAA7A6E2", HELD_DROP, RELEASED_DROPPED },
	{ "8B6BAA7A6E3", HELD_EXPIRE, RELEASED_EXPIRED },
	{ "8B6BAA7A6E4", HELD_GO, RELEASED_DONE },
	{ "8B6BAA7A6E5", HELD_WAITING, -1 },
	{ "8B6BAA7A6E6", HELD_GO, RELEASED_DONE },
};
enum { FATES = sizeof(fates) / sizeof(fates[0]) };

/* lay - the queue and the rows as they were in the beginning */
static void
lay(void)
{
	for (int i = 0; i < FATES; i++) {
		hold(i, fates[i].id);
		row((uint64_t)i + 1, fates[i].id, fates[i].state);
	}
	hold(FATES, "8B6BAA7A6EF");
}

/* judge - what came of it */
static void
judge(int steps)
{
	for (int i = 0; i < FATES; i++) {
		const struct message *m = &queue[i];
		int got = done((uint64_t)i + 1, NULL);
		bool goes = fates[i].state == HELD_GO ||
		    fates[i].state == HELD_EXPIRE;

		if (got != fates[i].want || m->renamed != goes ||
		    m->hurried != goes ||
		    m->deleted != (fates[i].state == HELD_DROP) ||
		    m->expired != (fates[i].state == HELD_EXPIRE))
			fail_msg("cut off after %d steps, %s: result %d, "
			    "renamed %d, hurried %d, deleted %d, expired %d",
			    steps, m->id, got, m->renamed, m->hurried,
			    m->deleted, m->expired);
	}
	if (queue[FATES].place != PLACE_HOLD)
		fail_msg("cut off after %d steps: foreign mail", steps);
}

static void
cut_off_anywhere_each_is_sent_once(void **state)
{
	int steps = 0;
	bool was;

	(void)state;
	do {
		down();
		clear("release");
		lay();
		budget = ++steps;
		up();
		(void)work_round(work, &why);
		was = cut;
		/* and cut off once more, soon after it is back */
		down();
		budget = steps % 7 + 3;
		up();
		(void)work_round(work, &why);
		down();
		budget = FOREVER;
		up();
		for (int i = 0; i < 3; i++)
			must(work_round(work, &why));
		assert_int_equal(trying_of(), 0);
		judge(steps);
	} while (was);
	assert_true(steps > 20);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_decided_is_done),
		TEST(a_young_decision_waits_for_the_gates_clock),
		TEST(what_postfix_does_not_let_go_is_said),
		TEST(an_order_is_for_its_message_alone),
		TEST(what_somebody_took_is_gone),
		TEST(another_postfix_takes_nothing_from_the_gate),
		TEST(what_the_gate_forgot_is_forgotten),
		TEST(without_a_gate_all_is_foreign),
		TEST(what_is_wrong_stands_in_the_store),
		TEST(one_postfix_that_is_away_keeps_nothing_of_another),
		TEST(cut_off_anywhere_each_is_sent_once),
	};

	log_open("release", false, LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
