/*
 * The gate follows the desk: what an operator decides holds for the very next
 * message, once, and over any death of the gate.
 */
#include "tests/unit/gate_world.h"

#include <sys/wait.h>

#include "lib/desk.h"
#include "milter/obey.h"

static struct obey *obeys;

/*
 * The operator: a process of its own, as in life.  It is born before the gate
 * has threads, because a child of a process with threads may find any lock held
 * by a thread that it does not have.  What a record points to are literals,
 * which both have at one address.
 */
static struct {
	int	fd;
	pid_t	pid;
} operator;

struct command {
	char			folder[sizeof(folder)];
	int64_t			now;
	struct desk_record	record;
};

/* obeyed - one command of the operator's, done */
static bool
obeyed(const struct command *c)
{
	struct desk *d;
	uint64_t seq;
	struct why why;
	bool good;

	memcpy(folder, c->folder, sizeof(folder));
	clock_set(c->now);
	if (desk_open(&d, at("desk"), 64 << 20, &why) == -1) {
		fprintf(stderr, "%s\n", why.text);
		return false;
	}
	good = desk_append(d, &c->record, &seq, &why) == 0;
	if (!good)
		fprintf(stderr, "%s\n", why.text);
	desk_close(d);
	return good;
}

/* operator_begin - before the first gate */
static int
operator_begin(void **state)
{
	struct command c;
	int fds[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == -1 ||
	    (operator.pid = fork()) == -1)
		return -1;
	if (operator.pid == 0) {
		close(fds[0]);
		while (recv(fds[1], &c, sizeof(c), 0) == (ssize_t)sizeof(c)) {
			bool good = obeyed(&c);

			(void)send(fds[1], &good, sizeof(good), MSG_NOSIGNAL);
		}
		_exit(0);
	}
	close(fds[1]);
	operator.fd = fds[0];
	return 0;
}

/* operator_end - behind the last */
static int
operator_end(void **state)
{
	(void)state;
	close(operator.fd);
	return waitpid(operator.pid, NULL, 0) == operator.pid ? 0 : -1;
}

/* decide - an operator's command, done when this returns */
static void
decide(struct desk_record r)
{
	struct command c = { .now = clock_now(), .record = r };
	bool good = false;

	memcpy(c.folder, folder, sizeof(folder));
	assert_int_equal(send(operator.fd, &c, sizeof(c), MSG_NOSIGNAL),
	    sizeof(c));
	assert_int_equal(recv(operator.fd, &good, sizeof(good), 0),
	    sizeof(good));
	assert_true(good);
}

static struct desk_record
about(unsigned kind)
{
	return (struct desk_record){ .kind = kind, .tenant = SLICE("acme"),
		.user = SLICE("ada"), .reason = SLICE("spam complaint 17") };
}

static struct desk_record
about_limit(unsigned kind)
{
	struct desk_record r = about(kind);

	r.limit = SLICE("daily");
	r.limit_kind = LIMIT_CAP;
	r.until = clock_now() + CLOCK_HOUR;
	return r;
}

/* begin - as the gate does at its start */
static void
begin(void)
{
	struct why why;

	if (obey_new(&obeys, &gate, &why) == -1)
		fail_msg("%s", why.text);
	obey_once(obeys);
}

/* die - kill -9 of the gate, as far as memory goes: the writer's is lost */
static void
die(void)
{
	uint64_t applied;
	struct why why;

	obey_stop(obeys);
	obeys = NULL;
	gate_order(&gate, NULL);
	writer_stop(gate.writer);
	store_close(gate.store);
	ledger_free(gate.ledger);
	gate.ledger = ledger_new();
	if (store_open(&gate.store, at("gate"), 64 << 20, &why) == -1 ||
	    ledger_restore(gate.ledger, gate.store, &applied, &why) == -1 ||
	    writer_start(&gate.writer, gate.store, gate.ledger, applied,
	    &why) == -1)
		fail_msg("%s", why.text);
}

/* world - a gate of its own for each test; it never saw a desk */
static int
world(void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/penstock-session-XXXXXX");
	if (setup(state) != 0)
		return -1;
	config.store = folder;
	obeys = NULL;
	return 0;
}

static int
end(void **state)
{
	static const char *const files[] = { "desk/data.mdb", "desk/lock.mdb",
		"desk/owner.lock", "aside" };

	obey_stop(obeys);
	gate_order(&gate, NULL);
	for (size_t i = 0; i < 4; i++)
		(void)unlink(at(files[i]));
	(void)rmdir(at("desk"));
	return teardown(state);
}

/* status - the gate's own word */
static void
status_is(uint64_t seq, const char *trouble)
{
	struct arena *arena = arena_new(4096, 0);
	struct status status;
	struct event e = { .kind = EVENT_RELOAD, .count = 1 };
	struct status mine = { .pid = 1, .version = SLICE("1"),
		.socket = SLICE("s") };
	struct why why;

	/* a status begins with the first load; here nobody loads */
	assert_int_equal(writer_reload(gate.writer, &mine, &e, NULL, NULL,
	    &why), 0);
	assert_int_equal(store_status(gate.store, &status, arena, &why), 1);
	assert_int_equal(status.desk_seq, seq);
	if (trouble == NULL)
		assert_int_equal(status.desk.n, 0);
	else if (memmem(status.desk.p, status.desk.n, trouble,
	    strlen(trouble)) == NULL)
		fail_msg("got \"%.*s\", want \"%s\"", SLICE_ARG(status.desk),
		    trouble);
	arena_free(arena);
}

/* said - what the next message of acme is told at MAIL */
static enum turn
said(char text[901])
{
	struct envelope e = { .from = SLICE("<a@acme.example>"),
		.args = (char *[]){ NULL }, .login = SLICE("acme") };
	struct session *s = fresh();
	struct answer a = { .code = NULL };
	enum turn t = stage_mail(s, &e, &a);

	text[0] = '\0';
	if (t != TURN_ON)
		snprintf(text, 901, "%s %s %.*s", a.code, a.dsn,
		    SLICE_ARG(a.text));
	session_free(s);
	return t;
}

static void
no_desk_is_fine(void **state)
{
	char text[901];

	(void)state;
	begin();
	assert_int_equal(said(text), TURN_ON);
	status_is(0, NULL);
}

static void
a_pause_holds_from_the_next_message_on(void **state)
{
	struct session *open;
	char text[901];

	(void)state;
	begin();
	open = fresh();
	assert_int_equal(mail(open, "acme", "<a@acme.example>"), TURN_ON);
	decide(about(DESK_PAUSE));
	obey_once(obeys);
	assert_int_equal(said(text), TURN_LATER);
	assert_string_equal(text,
	    "451 4.7.0 tenant acme is paused: spam complaint 17");
	status_is(1, NULL);
	/* the message that had begun is not decided by half */
	assert_int_equal(rcpt(open, "<x@example.org>"), TURN_ON);
	session_free(open);
	decide(about(DESK_RESUME));
	obey_once(obeys);
	assert_int_equal(said(text), TURN_ON);
}

static void
a_pause_of_a_provider_defers_its_recipients_alone(void **state)
{
	struct desk_record r = about(DESK_PAUSE);
	struct session *s;

	(void)state;
	begin();
	r.provider = SLICE("google");
	decide(r);
	obey_once(obeys);
	s = fresh();
	assert_int_equal(mail(s, "acme", "<a@acme.example>"), TURN_ON);
	assert_int_equal(rcpt(s, "<x@gmail.com>"), TURN_LATER);
	assert_int_equal(rcpt(s, "<x@yahoo.com>"), TURN_ON);
	assert_int_equal(stage_rcpt(s, SLICE("<x@gmail.com>"),
	    SLICE("local"), &(struct answer){ .code = NULL }), TURN_ON);
	done(s);
}

static void
a_pause_outlives_the_gate_and_the_desk(void **state)
{
	char text[901];

	(void)state;
	begin();
	decide(about(DESK_PAUSE));
	obey_once(obeys);
	die();
	assert_int_equal(rename(at("desk/data.mdb"), at("aside")), 0);
	begin();
	assert_int_equal(said(text), TURN_LATER);
	status_is(1, "is gone");
	/* it comes back, and says something new */
	assert_int_equal(rename(at("aside"), at("desk/data.mdb")), 0);
	decide(about(DESK_RESUME));
	obey_once(obeys);
	assert_int_equal(said(text), TURN_ON);
	status_is(2, NULL);
}

static void
what_was_decided_while_the_gate_was_down_holds_at_once(void **state)
{
	char text[901];

	(void)state;
	decide(about(DESK_PAUSE));
	begin();
	assert_int_equal(said(text), TURN_LATER);
}

static void
a_desk_that_is_lost_while_it_is_followed_is_said(void **state)
{
	char text[901];

	(void)state;
	decide(about(DESK_PAUSE));
	begin();
	assert_int_equal(rename(at("desk/data.mdb"), at("aside")), 0);
	obey_once(obeys);
	status_is(1, "is gone");
	assert_int_equal(said(text), TURN_LATER);
	/* another one in its place is not believed, not even a longer one */
	decide(about(DESK_RESUME));
	decide(about(DESK_RESUME));
	obey_once(obeys);
	status_is(1, "does not follow");
	assert_int_equal(said(text), TURN_LATER);
	/* nor is a shorter one, or one of the same length */
	assert_int_equal(rename(at("aside"), at("desk/data.mdb")), 0);
	obey_once(obeys);
	status_is(1, NULL);
	decide(about(DESK_PAUSE));
	obey_once(obeys);
	assert_int_equal(unlink(at("desk/data.mdb")), 0);
	decide(about(DESK_RESUME));
	obey_once(obeys);
	status_is(2, "somebody cut it");
	decide(about(DESK_RESUME));
	obey_once(obeys);
	status_is(2, "is not the decision");
	assert_int_equal(said(text), TURN_LATER);
}

/* takes - how many of n recipients the next message of today may have */
static size_t
takes(size_t n)
{
	struct session *s = session_new(&gate, NULL);
	struct answer a;
	size_t got = 0;

	assert_int_equal(mail(s, "acme", "<a@acme.example>"), TURN_ON);
	while (got < n && rcpt(s, "<x@example.org>") == TURN_ON)
		got++;
	if (got > 0)
		assert_int_equal(rest(s, "a@acme.example", true, &a),
		    TURN_ACCEPT);
	done(s);
	return got;
}

static void
a_grant_lets_so_many_more_through(void **state)
{
	struct desk_record r;

	(void)state;
	begin();
	session_free(fresh());		/* a new day */
	assert_int_equal(takes(20), 10);
	r = about_limit(DESK_GRANT);
	r.amount = 3;
	decide(r);
	obey_once(obeys);
	assert_int_equal(takes(20), 3);
	assert_int_equal(takes(1), 0);
	/* when it ends, what was sent stays spent */
	clock_set(clock_now() + CLOCK_HOUR);
	assert_int_equal(takes(1), 0);
}

static void
a_reset_forgets_once_and_for_good(void **state)
{
	struct event e;
	struct arena *arena;

	(void)state;
	begin();
	session_free(fresh());
	assert_int_equal(takes(20), 10);
	assert_int_equal(takes(1), 0);
	decide(about_limit(DESK_RESET));
	obey_once(obeys);
	arena = last_event(&e);
	assert_int_equal(e.kind, EVENT_RESET);
	want(e.rule, "desk:1");
	want(e.limit, "daily");
	assert_int_equal(e.ncharges, 1);
	assert_true(e.charges[0].amount == 10);
	arena_free(arena);
	obey_once(obeys);
	assert_int_equal(takes(4), 4);
	die();
	begin();
	/* not again: six are left of ten, and they stay six */
	assert_int_equal(takes(20), 6);
	assert_int_equal(takes(1), 0);
}

static void
a_reset_of_what_is_not_there_changes_nothing(void **state)
{
	struct desk_record r = about_limit(DESK_RESET);
	uint64_t before;

	(void)state;
	begin();
	before = last_seq();
	r.limit = SLICE("dayly");
	decide(r);
	r.tenant = SLICE("nobody");
	decide(r);
	obey_once(obeys);
	assert_int_equal(last_seq(), before);
	status_is(2, NULL);
}

static void
heads_are_kept_once_a_minute_at_most(void **state)
{
	struct store_head heads[4];
	struct why why;
	size_t n;

	(void)state;
	decide(about(DESK_PAUSE));
	begin();
	assert_int_equal(store_heads(gate.store, 0, 4, heads, &n, &why), 0);
	assert_int_equal(n, 1);
	assert_int_equal(heads[0].seq, 1);
	decide(about(DESK_RESUME));
	obey_once(obeys);
	assert_int_equal(store_heads(gate.store, 0, 4, heads, &n, &why), 0);
	assert_int_equal(n, 1);
	die();
	begin();	/* and at every start, when it changed */
	assert_int_equal(store_heads(gate.store, 0, 4, heads, &n, &why), 0);
	assert_int_equal(n, 2);
	assert_int_equal(heads[1].seq, 2);
}

int
main(void)
{
#define TEST(t)	cmocka_unit_test_setup_teardown(t, world, end)
	const struct CMUnitTest tests[] = {
		TEST(no_desk_is_fine),
		TEST(a_pause_holds_from_the_next_message_on),
		TEST(a_pause_of_a_provider_defers_its_recipients_alone),
		TEST(a_pause_outlives_the_gate_and_the_desk),
		TEST(what_was_decided_while_the_gate_was_down_holds_at_once),
		TEST(a_desk_that_is_lost_while_it_is_followed_is_said),
		TEST(a_grant_lets_so_many_more_through),
		TEST(a_reset_forgets_once_and_for_good),
		TEST(a_reset_of_what_is_not_there_changes_nothing),
		TEST(heads_are_kept_once_a_minute_at_most),
	};

	return cmocka_run_group_tests(tests, operator_begin, operator_end);
}
