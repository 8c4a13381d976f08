/*
 * Messages as they should be, and what is written down about them.
 */
#include "tests/unit/gate_world.h"

static void
an_accepted_message_is_on_disk_with_all_that_is_known(void **state)
{
	struct session *s = fresh();
	struct arena *arena;
	struct event e;

	(void)state;
	assert_int_equal(message(s, "acme", "<a@acme.example>", 2),
	    TURN_ACCEPT);
	arena = last_event(&e);
	assert_int_equal(e.kind, EVENT_ACCEPT);
	assert_int_equal(e.verdict, VERDICT_PASS);
	want(e.instance, "mx1");
	want(e.queue_id, "4xQUEUEzID");
	want(e.tenant, "acme");
	want(e.login, "acme");
	want(e.listener, "smtpd");
	want(e.client, "198.51.100.7");
	want(e.mail_from, "a@acme.example");
	want(e.stream, "default");
	want(e.message_id, "<1@acme.example>");
	want(e.rule, "policy.conf:4");
	assert_int_equal(e.nfrom_domains, 1);
	want(e.from_domains[0], "acme.example");
	assert_int_equal(e.nsignatures, 1);
	want(e.signatures[0].domain, "acme.example");
	want(e.signatures[0].selector, "s1");
	assert_int_equal(e.ncharges, 1);
	assert_int_equal(e.charges[0].amount, 2);
	want(e.charges[0].name, "daily");
	want(e.charges[0].rule, "policy.conf:6");
	assert_int_equal(e.nrecipients, 2);
	want(e.recipients[1].address, "x@example.org");
	want(e.recipients[1].domain, "example.org");
	/* Received 25 with its fold's CR, From 24, two forged 26 and 29,
	 * Message-ID 32, empty line 2, body 7 */
	assert_int_equal(e.size, 25 + 24 + 26 + 29 + 32 + 2 + 7);
	assert_memory_equal(e.policy_hash, gate.policy->hash, HASH_SHA256);
	arena_free(arena);
	done(s);
}

static void
forged_headers_go_and_the_signature_comes(void **state)
{
	struct session *s = fresh();
	struct plan *plan = &s->message.plan;
	struct answer a;

	(void)state;
	assert_int_equal(mail(s, "acme", "<a@acme.example>"), TURN_ON);
	assert_int_equal(rcpt(s, "<x@example.org>"), TURN_ON);
	head(s, "a@acme.example");
	assert_int_equal(stage_eoh(s, &a), TURN_ON);
	assert_int_equal(stage_eom(s, SLICE("4x"), &a), TURN_ACCEPT);
	assert_int_equal(plan->n, 3);
	assert_int_equal(plan->edits[0].kind, EDIT_REMOVE);
	assert_int_equal(plan->edits[0].index, 2);
	assert_int_equal(plan->edits[1].index, 1);
	assert_int_equal(plan->edits[2].kind, EDIT_INSERT);
	want(plan->edits[2].name, "DKIM-Signature");
	assert_int_equal(stage_applied(s, NULL, &a), TURN_ACCEPT);
	done(s);
}

static void
mail_again_without_an_abort_gives_back(void **state)
{
	struct session *s = fresh();

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(mail(s, "acme", "<a@acme.example>"),
		    TURN_ON);
		for (int k = 0; k < 10; k++)
			assert_int_equal(rcpt(s, "<x@example.org>"), TURN_ON);
		assert_int_not_equal(rcpt(s, "<x@example.org>"), TURN_ON);
	}
	done(s);
}

static void
a_refusal_at_the_headers_gives_back(void **state)
{
	struct session *s = fresh();
	struct answer a;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(mail(s, "acme", "<a@acme.example>"),
		    TURN_ON);
		for (int k = 0; k < 10; k++)
			assert_int_equal(rcpt(s, "<x@example.org>"), TURN_ON);
		assert_int_equal(rest(s, "b@bare.example", true, &a),
		    TURN_NO);
		assert_string_equal(a.code, "550");
	}
	done(s);
}

static void
ten_are_ten(void **state)
{
	struct session *s = fresh();

	(void)state;
	assert_int_equal(message(s, "acme", "<a@acme.example>", 12),
	    TURN_ACCEPT);
	assert_int_equal(mail(s, "acme", "<a@acme.example>"), TURN_ON);
	assert_int_equal(rcpt(s, "<x@example.org>"), TURN_LATER);
	done(s);
}

/* The event of that sequence; its charges must be those ten. */
static enum event_kind
ten_charged(uint64_t seq, uint64_t *voids)
{
	struct arena *arena = arena_new(4096, 0);
	enum event_kind kind;
	struct slice bytes;
	struct event e;
	struct why why;
	size_t got;

	assert_int_equal(store_read(gate.store, seq, 1, arena, &bytes, &got,
	    &why), 0);
	assert_int_equal(event_decode(bytes, &e, arena, &why), 0);
	kind = e.kind;
	*voids = e.voids;
	if (kind == EVENT_VOID || seq == e.voids) {
		assert_int_equal(e.ncharges, 1);
		assert_int_equal(e.charges[0].amount, 10);
	}
	arena_free(arena);
	return kind;
}

static void
an_edit_that_fails_is_voided_and_given_back(void **state)
{
	struct session *s = fresh();
	uint64_t seq, voided = 0, none;
	struct answer a;

	(void)state;
	log_open("session", true, LOG_LEVEL_ERROR);	/* it is an error */
	assert_int_equal(mail(s, "acme", "<a@acme.example>"), TURN_ON);
	for (int k = 0; k < 10; k++)
		assert_int_equal(rcpt(s, "<x@example.org>"), TURN_ON);
	assert_int_equal(rest(s, "a@acme.example", false, &a), TURN_LATER);
	assert_string_equal(a.code, "451");
	log_open("session", false, LOG_LEVEL_ERROR);
	/* what follows is committed behind the void */
	assert_int_equal(message(s, "bare", "<b@bare.example>", 1),
	    TURN_ACCEPT);
	for (seq = last_seq(); seq > 0 && voided == 0; seq--)
		(void)ten_charged(seq, &voided);
	assert_int_not_equal(voided, 0);
	assert_int_equal(ten_charged(voided, &none), EVENT_ACCEPT);
	assert_int_equal(message(s, "acme", "<a@acme.example>", 10),
	    TURN_ACCEPT);
	done(s);
}

static void
inbound_mail_passes_untouched_and_unrecorded(void **state)
{
	struct session *s = fresh();
	uint64_t before = last_seq();
	struct answer a;

	(void)state;
	assert_int_equal(mail(s, NULL, "<q@elsewhere.example>"), TURN_ON);
	assert_int_equal(stage_rcpt(s, SLICE("<a@acme.example>"),
	    SLICE("local"), &a), TURN_ON);
	assert_int_equal(stage_rcpt(s, SLICE("<b@elsewhere.example>"),
	    SLICE("smtp"), &a), TURN_NO);
	for (int i = 0; i < MESSAGE_HEADERS + 5; i++)
		stage_header(s, SLICE("X"), SLICE("y"));
	assert_int_equal(stage_eoh(s, &a), TURN_ACCEPT);
	assert_int_equal(s->message.plan.n, 0);
	assert_int_equal(s->message.nheaders, 0);
	message_settle(s);
	/* only the refused relay attempt is noted; nothing is accepted */
	assert_int_equal(message(s, "bare", "<b@bare.example>", 1),
	    TURN_ACCEPT);
	assert_true(last_seq() <= before + 2);
	done(s);
}

static void
trusted_mail_that_stays_here_passes_untouched(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct session *s;
	struct answer a;

	(void)state;
	inet_pton(AF_INET, "192.0.2.9", &in.sin_addr);
	s = session_new(&gate, (struct sockaddr *)&in);
	assert_int_equal(mail(s, NULL, "<>"), TURN_ON);
	assert_int_equal(stage_rcpt(s, SLICE("<a@acme.example>"),
	    SLICE("local"), &a), TURN_ON);
	stage_header(s, SLICE("From"), SLICE("root"));
	assert_int_equal(stage_eoh(s, &a), TURN_ACCEPT);
	done(s);
}

static void
trusted_mail_is_identified_by_its_from(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct session *s = fresh();
	struct arena *arena;
	struct event e;

	(void)state;
	session_free(s);
	inet_pton(AF_INET, "192.0.2.9", &in.sin_addr);
	s = session_new(&gate, (struct sockaddr *)&in);
	assert_int_equal(message(s, NULL, "a@acme.example", 1), TURN_ACCEPT);
	arena = last_event(&e);
	want(e.tenant, "acme");
	assert_int_equal(e.ncharges, 1);
	arena_free(arena);
	done(s);
}

static void
a_bounce_of_a_tenant_counts_and_is_signed(void **state)
{
	struct session *s = fresh();
	struct arena *arena;
	struct answer a;
	struct event e;

	(void)state;
	assert_int_equal(mail(s, "acme", "<>"), TURN_ON);
	assert_int_equal(rcpt(s, "<x@example.org>"), TURN_ON);
	assert_int_equal(rest(s, "a@acme.example", true, &a), TURN_ACCEPT);
	arena = last_event(&e);
	want(e.mail_from, "");
	assert_int_equal(e.ncharges, 1);
	assert_int_equal(e.nsignatures, 1);
	arena_free(arena);
	done(s);
}

static void
a_domain_without_a_key_is_sent_unsigned(void **state)
{
	struct session *s = fresh();
	struct arena *arena;
	struct event e;

	(void)state;
	assert_int_equal(message(s, "bare", "<b@bare.example>", 1),
	    TURN_ACCEPT);
	arena = last_event(&e);
	assert_int_equal(e.nsignatures, 0);
	arena_free(arena);
	done(s);
}

static void
a_key_that_is_gone_or_another_defers_its_tenant_alone(void **state)
{
	static const char *const bad[] = { "late", "odd" };
	struct session *s = fresh();
	char from[40];
	struct answer a;

	(void)state;
	log_open("session", true, LOG_LEVEL_ERROR);	/* it is an error */
	for (int i = 0; i < 2; i++) {
		snprintf(from, sizeof(from), "<b@%s.example>", bad[i]);
		assert_int_equal(mail(s, bad[i], from), TURN_ON);
		assert_int_equal(rcpt(s, "<x@example.org>"), TURN_ON);
		assert_int_equal(rest(s, from, true, &a), TURN_LATER);
		assert_string_equal(a.code, "451");
		assert_string_equal(a.dsn, "4.3.5");
	}
	log_open("session", false, LOG_LEVEL_ERROR);
	assert_int_equal(message(s, "acme", "<a@acme.example>", 1),
	    TURN_ACCEPT);
	done(s);
}

static void
what_is_spent_is_not_given_back_at_others_cost(void **state)
{
	struct session *s = fresh(), *other = session_new(&gate, NULL);

	(void)state;
	assert_int_equal(mail(other, "acme", "<a@acme.example>"), TURN_ON);
	for (int k = 0; k < 5; k++)
		assert_int_equal(rcpt(other, "<x@example.org>"), TURN_ON);
	assert_int_equal(message(s, "acme", "<a@acme.example>", 3),
	    TURN_ACCEPT);
	/* 3 spent, 5 reserved, of 10 */
	assert_int_equal(mail(s, "acme", "<a@acme.example>"), TURN_ON);
	assert_int_equal(rcpt(s, "<x@example.org>"), TURN_ON);
	assert_int_equal(rcpt(s, "<x@example.org>"), TURN_ON);
	assert_int_equal(rcpt(s, "<x@example.org>"), TURN_LATER);
	session_free(other);
	done(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    an_accepted_message_is_on_disk_with_all_that_is_known),
		cmocka_unit_test(forged_headers_go_and_the_signature_comes),
		cmocka_unit_test(mail_again_without_an_abort_gives_back),
		cmocka_unit_test(a_refusal_at_the_headers_gives_back),
		cmocka_unit_test(ten_are_ten),
		cmocka_unit_test(an_edit_that_fails_is_voided_and_given_back),
		cmocka_unit_test(inbound_mail_passes_untouched_and_unrecorded),
		cmocka_unit_test(trusted_mail_that_stays_here_passes_untouched),
		cmocka_unit_test(trusted_mail_is_identified_by_its_from),
		cmocka_unit_test(a_bounce_of_a_tenant_counts_and_is_signed),
		cmocka_unit_test(a_domain_without_a_key_is_sent_unsigned),
		cmocka_unit_test(
		    a_key_that_is_gone_or_another_defers_its_tenant_alone),
		cmocka_unit_test(
		    what_is_spent_is_not_given_back_at_others_cost),
	};

	return cmocka_run_group_tests_name("session", tests, setup, teardown);
}
