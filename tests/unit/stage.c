/*
 * Messages as they should not be: beyond all bounds, in any order, at the
 * wrong moment.  Nothing is left behind.
 */
#include "tests/unit/gate_world.h"

static const struct {
	const char	*name;
	size_t		 n, name_bytes, value_bytes;
	bool		 refused;
} heads[] = {
	{ "as many fields as may be", MESSAGE_HEADERS - 5, 1, 1, false },
	{ "one field too many", MESSAGE_HEADERS - 4, 1, 1, true },
	{ "a name of 998 bytes", 1, 998, 1, false },
	{ "a name of 999 bytes", 1, 999, 1, true },
	{ "4 MB in long fields", 70, 1, 59000, false },
	{ "more than 4 MB", 72, 1, 59000, true },
	{ "a field that the wire cut", 1, 1, 60000, true },
};

static void
the_head_has_bounds(void **state)
{
	char *long_value = malloc(60001), long_name[1000];
	struct session *s = fresh();
	struct answer a;
	enum turn t;

	(void)state;
	memset(long_value, 'v', 60001);
	memset(long_name, 'n', sizeof(long_name));
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		assert_int_equal(mail(s, "bare", "<b@bare.example>"),
		    TURN_ON);
		assert_int_equal(rcpt(s, "<x@example.org>"), TURN_ON);
		for (size_t k = 0; k < heads[i].n; k++)
			stage_header(s, (struct slice){ long_name,
			    heads[i].name_bytes }, (struct slice){ long_value,
			    heads[i].value_bytes });
		t = rest(s, "b@bare.example", true, &a);
		if (t != (heads[i].refused ? TURN_NO : TURN_ACCEPT))
			fail_msg("%s: got turn %d %.*s", heads[i].name, t,
			    SLICE_ARG(a.text));
		if (heads[i].refused)
			assert_string_equal(a.code, "554");
	}
	free(long_value);
	done(s);
}

static void
memory_has_a_bound_and_then_it_is_later(void **state)
{
	struct session *s = fresh();
	char *path = malloc(60001);
	struct answer a;
	enum turn t = TURN_ON;
	int n = 0;

	(void)state;
	memset(path, 'p', 60000);
	path[60000] = '\0';
	assert_int_equal(mail(s, "bare", "<b@bare.example>"), TURN_ON);
	assert_int_equal(rcpt(s, "<x@example.org>"), TURN_ON);
	for (; n < 5000 && (t == TURN_ON || t == TURN_NO); n++)
		t = rcpt(s, path);
	assert_int_equal(t, TURN_LATER);
	assert_true(n > 100);
	/* small things may still fit: any answer, but an answer */
	(void)rest(s, "b@bare.example", true, &a);
	free(path);
	/* and it is all given back */
	assert_int_equal(message(s, "bare", "<b@bare.example>", 1),
	    TURN_ACCEPT);
	done(s);
}

static void
steps_without_a_message_are_later(void **state)
{
	struct session *s = fresh();
	struct answer a;

	(void)state;
	assert_int_equal(rcpt(s, "<x@example.org>"), TURN_LATER);
	head(s, "a@acme.example");
	assert_int_equal(stage_eoh(s, &a), TURN_LATER);
	assert_int_equal(stage_body(s, "x", 1, &a), TURN_LATER);
	assert_int_equal(stage_eom(s, SLICE_NONE, &a), TURN_LATER);
	assert_int_equal(stage_applied(s, NULL, &a), TURN_LATER);
	stage_abort(s);
	assert_int_equal(mail(s, "acme", "<a@acme.example>"), TURN_ON);
	assert_int_equal(stage_eom(s, SLICE_NONE, &a), TURN_LATER);
	assert_int_equal(stage_body(s, "x", 1, &a), TURN_LATER);
	assert_int_equal(stage_eoh(s, &a), TURN_NO);	/* no recipient */
	done(s);
}

static const struct {
	const char	*name, *field;
	size_t		 n;
	bool		 refused;
} crowds[] = {
	{ "as many forged ones as may be", "X-Penstock-A", MESSAGE_FORGED - 2,
	    false },			/* head() brings two */
	{ "one forged field too many", "x-penstock-b ", MESSAGE_FORGED - 1,
	    true },
	{ "as many Cc as h= may name", "Cc", SIGN_NAMES_MOST / 3 - 10, false },
	{ "more Cc than h= may name", "CC", SIGN_NAMES_MOST / 3, true },
	{ "as many of a longer name", "References", SIGN_NAMES_MOST / 11,
	    true },
	{ "many that are not signed", "X-Other", 5000, false },
};

static void
fields_that_cost_more_than_they_are_worth_are_refused(void **state)
{
	struct session *s = fresh();
	struct answer a;
	enum turn t;

	(void)state;
	for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
		assert_int_equal(mail(s, "acme", "<a@acme.example>"),
		    TURN_ON);
		assert_int_equal(rcpt(s, "<x@example.org>"), TURN_ON);
		for (size_t k = 0; k < crowds[i].n; k++)
			stage_header(s, slice_of(crowds[i].field),
			    SLICE("x"));
		t = rest(s, "a@acme.example", true, &a);
		if (t != (crowds[i].refused ? TURN_NO : TURN_ACCEPT))
			fail_msg("%s: got turn %d %.*s", crowds[i].name, t,
			    SLICE_ARG(a.text));
		if (crowds[i].refused)
			assert_string_equal(a.code, "554");
	}
	done(s);
}

/* settled - the last sequence, once every refusal noted before is on disk */
static uint64_t
settled(void)
{
	struct session *s = session_new(&gate, NULL);

	assert_non_null(s);
	assert_int_equal(message(s, "bare", "<b@bare.example>", 1),
	    TURN_ACCEPT);
	session_free(s);
	return last_seq();
}

static void
a_message_without_recipients_is_answered_as_they_were(void **state)
{
	struct session *s = fresh();
	struct answer a;
	uint64_t seq;

	(void)state;
	/* the cap of the day is spent by another message */
	while (message(s, "acme", "<a@acme.example>", 1) == TURN_ACCEPT)
		continue;
	assert_int_equal(mail(s, "acme", "<a@acme.example>"), TURN_ON);
	assert_int_equal(rcpt(s, "<x@example.org>"), TURN_LATER);
	assert_int_equal(rcpt(s, "junk"), TURN_NO);
	seq = settled();
	assert_int_equal(rest(s, "a@acme.example", true, &a), TURN_LATER);
	assert_string_equal(a.code, "451");
	/* each has its own record */
	assert_int_equal(settled(), seq + 1);

	assert_int_equal(mail(s, "acme", "<a@acme.example>"), TURN_ON);
	assert_int_equal(rcpt(s, "junk"), TURN_NO);
	assert_int_equal(rest(s, "a@acme.example", true, &a), TURN_NO);
	assert_string_equal(a.code, "554");

	assert_int_equal(mail(s, NULL, "<a@elsewhere.example>"), TURN_ON);
	assert_int_equal(rcpt(s, "<x@example.org>"), TURN_NO);
	assert_int_equal(rest(s, "a@elsewhere.example", true, &a), TURN_NO);
	done(s);
}

static void
no_address_is_no_crash(void **state)
{
	struct session *s = session_new(&gate, NULL);

	(void)state;
	assert_non_null(s);
	assert_false(s->client.known);
	assert_int_equal(message(s, "bare", "<b@bare.example>", 1),
	    TURN_ACCEPT);
	assert_int_equal(mail(s, NULL, NULL), TURN_ON);
	assert_int_equal(mail(s, "acme", NULL), TURN_NO);
	assert_int_equal(mail(s, "", ""), TURN_ON);
	done(s);
}

static void
there_are_at_most_so_many_sessions(void **state)
{
	struct session *s[100];

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_non_null(s[i] = session_new(&gate, NULL));
	assert_null(session_new(&gate, NULL));
	session_free(s[0]);
	assert_non_null(s[0] = session_new(&gate, NULL));
	for (int i = 0; i < 100; i++)
		session_free(s[i]);
	assert_int_equal(atomic_load(&gate.sessions), 0);
}

static const struct {
	const char	*name, *arg;
	int64_t		 want;
} sizes[] = {
	{ "a size", "SIZE=1234", 1234 },
	{ "in small letters", "size=7", 7 },
	{ "nothing said", "BODY=8BITMIME", 0 },
	{ "no digits", "SIZE=x", 0 },
	{ "digits and more", "SIZE=12x", 0 },
	{ "empty", "SIZE=", 0 },
	{ "negative", "SIZE=-5", 0 },
	{ "more than there is", "SIZE=99999999999999999999", INT64_MAX },
};

static void
declared_sizes(void **state)
{
	struct session *s = fresh();
	struct answer a;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *args[] = { (char *)"BODY=7BIT",
			(char *)(uintptr_t)sizes[i].arg, NULL };
		struct envelope e = { .from = SLICE("<b@bare.example>"),
			.args = args, .login = SLICE("bare") };

		assert_int_equal(stage_mail(s, &e, &a), TURN_ON);
		if (s->message.mail.declared != sizes[i].want)
			fail_msg("%s: got %lld", sizes[i].name,
			    (long long)s->message.mail.declared);
	}
	done(s);
}

static void
a_drain_takes_no_new_message_and_finishes_the_open_one(void **state)
{
	struct session *s = fresh(), *other = session_new(&gate, NULL);
	struct answer a;

	(void)state;
	assert_int_equal(mail(s, "acme", "<a@acme.example>"), TURN_ON);
	atomic_store(&gate.draining, true);
	assert_int_equal(mail(other, "acme", "<a@acme.example>"), TURN_LATER);
	assert_int_equal(atomic_load(&gate.messages), 1);
	assert_int_equal(rcpt(s, "<x@example.org>"), TURN_ON);
	assert_int_equal(rest(s, "a@acme.example", true, &a), TURN_ACCEPT);
	assert_int_equal(atomic_load(&gate.messages), 0);
	atomic_store(&gate.draining, false);
	session_free(other);
	done(s);
}

static void
a_message_keeps_the_policy_it_began_with(void **state)
{
	struct session *s = fresh();
	struct policy *old, *other;
	struct arena *arena;
	struct answer a;
	struct event e;

	(void)state;
	write_file(at("other.conf"), "tenant \"bare\" {\n logins = {\"bare\"}"
	    " domains = {\"bare.example\"}\n cap \"one\" { limit = \"1/day\" "
	    "} }\n");
	other = load(at("other.conf"));
	assert_int_equal(mail(s, "acme", "<a@acme.example>"), TURN_ON);
	old = gate_swap(&gate, other);
	assert_int_equal(rcpt(s, "<x@example.org>"), TURN_ON);
	assert_int_equal(rest(s, "a@acme.example", true, &a), TURN_ACCEPT);
	arena = last_event(&e);
	assert_memory_equal(e.policy_hash, old->hash, HASH_SHA256);
	arena_free(arena);
	assert_int_equal(mail(s, "acme", "<a@acme.example>"), TURN_LATER);
	assert_ptr_equal(gate_swap(&gate, old), other);
	policy_drop(other);
	done(s);
}

/* any_step - one of them, with whatever arguments; the gate's own order of
 * settle and applied is kept */
static void
any_step(struct session *s)
{
	static const char *const logins[] = { "acme", "bare", "nobody", NULL };
	static const char *const froms[] = { "<a@acme.example>",
		"<b@bare.example>", "<>", "junk", "" };
	static const struct why refused = { .text = "no such edit" };
	struct answer a;
	enum turn t;

	switch (rand() % 12) {
	case 0:
		(void)mail(s, logins[rand() % 4], froms[rand() % 5]);
		break;
	case 1: case 2: case 3:
		(void)rcpt(s, rand() % 4 ? "<x@example.org>" : froms[rand() %
		    5]);
		break;
	case 4: case 5:
		head(s, rand() % 8 ? "a@acme.example" : "x <<");
		break;
	case 6: case 7:
		(void)stage_eoh(s, &a);
		break;
	case 8: case 9:
		(void)stage_body(s, "line\r\n", (size_t)(rand() % 7), &a);
		break;
	case 10:
		t = stage_eom(s, rand() % 2 ? SLICE("4x") : SLICE_NONE, &a);
		if (t == TURN_ACCEPT)
			(void)stage_applied(s, rand() % 4 ? NULL : &refused,
			    &a);
		break;
	default:
		stage_abort(s);
		break;
	}
	message_settle(s);
}

static void
steps_in_any_order_leave_nothing_behind(void **state)
{
	const char *rounds = getenv("ROUNDS");
	int n = (rounds != NULL ? atoi(rounds) : 50) * 200;
	struct session *s;

	(void)state;
	log_open("session", true, LOG_LEVEL_ERROR);
	srand(4);
	while (n > 0) {
		s = fresh();
		for (int i = rand() % 60; i > 0; i--, n--)
			any_step(s);
		done(s);
	}
	log_open("session", false, LOG_LEVEL_ERROR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_head_has_bounds),
		cmocka_unit_test(memory_has_a_bound_and_then_it_is_later),
		cmocka_unit_test(steps_without_a_message_are_later),
		cmocka_unit_test(
		    fields_that_cost_more_than_they_are_worth_are_refused),
		cmocka_unit_test(
		    a_message_without_recipients_is_answered_as_they_were),
		cmocka_unit_test(no_address_is_no_crash),
		cmocka_unit_test(there_are_at_most_so_many_sessions),
		cmocka_unit_test(declared_sizes),
		cmocka_unit_test(
		    a_drain_takes_no_new_message_and_finishes_the_open_one),
		cmocka_unit_test(a_message_keeps_the_policy_it_began_with),
		cmocka_unit_test(steps_in_any_order_leave_nothing_behind),
	};

	return cmocka_run_group_tests_name("stage", tests, setup, teardown);
}
