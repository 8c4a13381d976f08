/*
 * Days of warmups with a real gate around: mail goes through its stages, what
 * became of it is written as the ingester does, and the clock is set.  Then:
 * good days, bad lists, silence, an ingester that is down, a gate that was
 * killed, clocks that step, zones of half an hour, and a person.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/date.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "lib/provider.h"
#include "milter/stage.h"
#include "milter/warmer.h"
#include "policy/adapt.h"
#include "policy/subject.h"
#include "policy/warmup.h"
#include "reputation/outcome_in.h"

#define MAP	(64 << 20)
#define HOURS(n) ((n) * CLOCK_HOUR)

static const char policy_text[] =
    "timezone = \"UTC\"\n"
    "unknown_sender = \"refuse\"\n"
    "pool \"b2b\" {\n"
    "	timezone = \"Asia/Kolkata\"\n"
    "	address \"192.0.2.10\" { helo = \"mta1.example\"\n"
    "	    transport = \"b2b1\"  warmup = \"cold-slow\"\n"
    "	    started = \"first-mail\" }\n"
    "	share { google = 60 }\n"
    "}\n"
    "pool \"strict\" {\n"
    "	address \"192.0.2.20\" { helo = \"mta2.example\"\n"
    "	    transport = \"s1\"  warmup = \"cold-slow\"\n"
    "	    started = \"first-mail\"  require_outcomes = \"yes\" }\n"
    "}\n"
    "tenant \"acme\" { logins = {\"acme\"}  domains = {\"acme.example\"}\n"
    "	pool \"b2b\" { weight = 1 } }\n"
    "tenant \"beta\" { logins = {\"beta\"}  domains = {\"beta.example\"}\n"
    "	pool \"b2b\" { weight = 1 } }\n"
    "tenant \"coda\" { logins = {\"coda\"}  domains = {\"coda.example\"}\n"
    "	pool \"strict\" { weight = 1 } }\n"
    "tenant \"dora\" { logins = {\"dora\", \"dori\"}\n"
    "	domains = {\"dora.example\"}  timezone = \"Europe/Madrid\"\n"
    "	warmup \"mailbox\" { per = \"login\"  started = \"first-mail\" }\n"
    "	cap \"few\" { limit = \"3/day\" } }\n";

static char folder[64];
static struct config config;
static struct gate gate;
static struct outcomes *outcomes;
static struct arena *arena;
static struct why why;
static uint64_t told;		/* the last event whose fate was written */

/* must - or the reason */
static void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s", why.text);
}

/* at - a file of the folder */
static const char *
at(const char *name)
{
	static char path[4][200];
	static unsigned n;
	char *p = path[n++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
	return p;
}

/* moment - of a date of November or December 2026, in UTC */
static int64_t
moment(int month, int day, int hour, int minute)
{
	return date_days(2026, month, day) * CLOCK_DAY + HOURS(hour) +
	    minute * CLOCK_MINUTE;
}

/* begin - store, ledger, writer and warmer, as at a start of the gate */
static void
begin(void)
{
	uint64_t applied;

	must(store_open(&gate.store, at("gate"), MAP, &why));
	assert_non_null(gate.ledger = ledger_new());
	must(ledger_restore(gate.ledger, gate.store, &applied, &why));
	must(writer_start(&gate.writer, gate.store, gate.ledger, applied,
	    &why));
	must(warmer_new(&gate.warmer, &gate, &why));
	warmer_tune(gate.warmer, 0, 0, 0);
	warmer_once(gate.warmer);
}

/* end - what was not committed is lost, as by kill -9 */
static void
end(void)
{
	warmer_stop(gate.warmer);
	gate_advance(&gate, NULL);
	writer_stop(gate.writer);
	ledger_free(gate.ledger);
	store_close(gate.store);
}

static int
setup(void **state)
{
	struct policy_load args = { .keys = "/nowhere" };
	struct problems problems;
	FILE *f;

	(void)state;
	log_open("warmer", false, LOG_LEVEL_ERROR);
	snprintf(folder, sizeof(folder), "/tmp/penstock-warmer.XXXXXX");
	assert_non_null(mkdtemp(folder));
	must(provider_init(&why));
	memset(&gate, 0, sizeof(gate));
	config = (struct config){ .store = folder, .keys = "/nowhere" };
	config.milter.instance = "mx1";
	gate.config = &config;
	pthread_mutex_init(&gate.policy_lock, NULL);
	gate.keys = key_cache_new(0);
	arena = arena_new(1 << 16, 0);
	clock_set(moment(11, 20, 0, 0));
	assert_non_null(f = fopen(at("policy.conf"), "w"));
	fputs(policy_text, f);
	fclose(f);
	args.path = at("policy.conf");
	problems_init(&problems, arena);
	if (policy_load(&args, &gate.policy, &problems, &why) != 1)
		fail_msg("policy: %s", problems.first != NULL ?
		    problems.first->text : why.text);
	must(outcomes_open(&outcomes, at("outcomes"), MAP, &why));
	told = 0;
	begin();
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "gate/data.mdb",
		"gate/lock.mdb", "gate/owner.lock", "outcomes/data.mdb",
		"outcomes/lock.mdb", "outcomes/owner.lock", "policy.conf" };

	(void)state;
	end();
	policy_drop(gate.policy);
	key_cache_free(gate.keys);
	outcomes_close(outcomes);
	arena_free(arena);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlink(at(files[i]));
	(void)rmdir(at("gate"));
	(void)rmdir(at("outcomes"));
	(void)rmdir(folder);
	clock_set(0);
	return 0;
}

/* --- mail ----------------------------------------------------------------- */

static unsigned names;		/* of recipients and queue ids */

/* post - a message to n at that domain; how many were taken */
static size_t
post(const char *login, const char *from, const char *domain, size_t n,
    struct answer *a)
{
	char *args[] = { NULL };
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct envelope e = { .from = slice_of(from), .args = args,
		.login = slice_of(login), .listener = SLICE("smtpd") };
	char to[80], id[24];
	struct session *s;
	size_t taken = 0;
	enum turn t;

	inet_pton(AF_INET, "198.51.100.7", &in.sin_addr);
	assert_non_null(s = session_new(&gate, (struct sockaddr *)&in));
	assert_int_equal(stage_mail(s, &e, a), TURN_ON);
	for (size_t i = 0; i < n; i++) {
		snprintf(to, sizeof(to), "<r%u@%s>", names++, domain);
		taken += stage_rcpt(s, slice_of(to), SLICE("smtp"), a) ==
		    TURN_ON;
	}
	stage_header(s, SLICE("From"), slice_of(from));
	snprintf(id, sizeof(id), "4xQ%08uz", names++);
	if (taken > 0 && (t = stage_eoh(s, a)) == TURN_ON &&
	    (t = stage_body(s, "Hello\r\n", 7, a)) == TURN_ON)
		t = stage_eom(s, slice_of(id), a);
	else
		t = TURN_LATER;
	if (t == TURN_ACCEPT)
		t = stage_applied(s, NULL, a);
	if (t != TURN_ACCEPT)
		taken = 0;
	arena_reset(arena);
	a->text = arena_copy(arena, a->text);
	message_settle(s);
	session_free(s);
	return taken;
}

/* send - that must be taken, all of it */
static void
send_all(const char *login, const char *domain, size_t n)
{
	char from[60];
	struct answer a = { .code = NULL };

	snprintf(from, sizeof(from), "%s@%.4s.example", login,
	    login[3] == 'i' ? "dora" : login);
	if (post(login, from, domain, n, &a) != n)
		fail_msg("%s to %s: %.*s", login, domain, SLICE_ARG(a.text));
}

/* noted - a refusal is written when the writer comes to it */
static void
noted(uint64_t before)
{
	int64_t deadline = clock_mono() + 30 * CLOCK_SECOND, time;
	uint64_t seq = before;

	while (seq <= before && clock_mono() < deadline) {
		must(store_last(gate.store, &seq, &time, &why));
		usleep(1000);
	}
	assert_true(seq > before);
}

/* last - event there is */
static uint64_t
last(void)
{
	uint64_t seq;
	int64_t time;

	must(store_last(gate.store, &seq, &time, &why));
	return seq;
}

/* --- what became of it ---------------------------------------------------- */

/* fates - of every message since the last time: of n recipients each so many
 * bounced, were refused; the rest arrived */
static void
fates(const char *provider, size_t hard, size_t blocked)
{
	struct slice encoded;
	struct event e;
	size_t got;

	must(outcomes_begin(outcomes, &why));
	for (;;) {
		must(store_read(gate.store, told + 1, 1, arena, &encoded, &got,
		    &why));
		if (got == 0)
			break;
		must(event_decode(encoded, &e, arena, &why));
		told = e.seq;
		if (e.kind != EVENT_ACCEPT)
			continue;
		must(outcome_accept(outcomes, &e, &why));
		for (size_t i = 0; i < e.nrecipients; i++) {
			struct outcome x = { .event = e.seq, .time = e.time,
				.instance = e.instance, .queue_id = e.queue_id,
				.recipient = e.recipients[i].address,
				.provider = slice_of(provider), .delay = -1 };

			x.kind = i < hard + blocked ? OUTCOME_BOUNCED :
			    OUTCOME_DELIVERED;
			x.category = slice_of(i < hard ? "recipient_unknown" :
			    "block_reputation");
			must(outcomes_add(outcomes, &x, &why));
		}
	}
	must(outcomes_put_applied(outcomes, told, &why));
	must(outcomes_commit(outcomes, &why));
}

/* --- what is known -------------------------------------------------------- */

/* row_of - of a warmup by its name */
static const struct warm_row *
row_of(const struct progress *p, const char *name)
{
	const struct warm_row *rows;
	size_t n = progress_rows(p, &rows);

	for (size_t i = 0; i < n; i++)
		if (slice_is(rows[i].name, name))
			return &rows[i];
	return NULL;
}

/* row - the same of the gate's picture, which nobody changes meanwhile */
static const struct warm_row *
row(const char *name)
{
	return row_of(gate.progress, name);
}

/* expect - that row, at that day, by that rule */
static void
expect(const char *what, const char *name, const char *rule, int day)
{
	const struct warm_row *r = row(name);

	if (r == NULL)
		fail_msg("%s: there is no row of %s", what, name);
	else if (!slice_is(r->rule, rule) || r->day != day)
		fail_msg("%s: %s is at day %d by %.*s (%.*s), want day %d by "
		    "%s", what, name, r->day, SLICE_ARG(r->rule),
		    SLICE_ARG(r->inputs), day, rule);
}

/* decisions - how many events of warmups there are, of those with a row */
static unsigned
decisions(void)
{
	struct slice encoded;
	unsigned n = 0;
	struct event e;
	size_t got = 1;

	for (uint64_t seq = 1; got == 1; seq++) {
		must(store_read(gate.store, seq, 1, arena, &encoded, &got,
		    &why));
		if (got == 1) {
			must(event_decode(encoded, &e, arena, &why));
			n += e.kind == EVENT_WARMUP && e.ncharges == 0;
		}
	}
	return n;
}

/* replays - the event of a row is a decision that can be made again */
static void
replays(const char *name)
{
	struct adapt_decision said, again;
	struct adapt_input in;
	struct slice encoded;
	struct event e;
	size_t got;

	must(store_read(gate.store, row(name)->seq, 1, arena, &encoded, &got,
	    &why));
	assert_int_equal(got, 1);
	must(event_decode(encoded, &e, arena, &why));
	assert_int_equal(e.kind, EVENT_WARMUP);
	must(adapt_read(e.text, &in, &said, arena, &why));
	adapt(&in, &again);
	assert_true(adapt_same(&in, &said, &again));
	assert_int_equal(said.day, row(name)->day);
}

/* --- good days ------------------------------------------------------------ */

static void
a_good_day_goes_on_and_is_on_record(void **state)
{
	struct answer a;

	(void)state;
	clock_set(moment(11, 20, 10, 0));
	send_all("acme", "gmail.com", 30);
	send_all("acme", "web.de", 20);
	assert_int_equal(post("acme", "a@acme.example", "web.de", 1, &a), 0);
	fates("google", 0, 0);
	warmer_once(gate.warmer);
	assert_null(row("192.0.2.10"));
	/* the day is over at 18:30 UTC, midnight of Kolkata */
	clock_set(moment(11, 20, 18, 29));
	warmer_once(gate.warmer);
	assert_null(row("192.0.2.10"));
	clock_set(moment(11, 20, 18, 30));
	warmer_once(gate.warmer);
	expect("the first day", "192.0.2.10", "A1", 2);
	replays("192.0.2.10");
	assert_int_equal(decisions(), 1);
	assert_int_equal(row("192.0.2.10")->date, date_days(2026, 11, 21));
	/* and the second number holds from then on */
	send_all("acme", "gmail.com", 33);
	send_all("acme", "web.de", 22);
	assert_int_equal(post("acme", "a@acme.example", "web.de", 1, &a), 0);
	assert_non_null(memmem(a.text.p, a.text.n, "used up", 7));
}

static void
what_is_judged_is_judged_once_also_after_a_kill(void **state)
{
	(void)state;
	clock_set(moment(11, 20, 10, 0));
	send_all("acme", "gmail.com", 30);
	fates("google", 0, 0);
	end();				/* before the day is over */
	clock_set(moment(11, 20, 19, 0));
	begin();			/* judges what is over */
	expect("after a kill", "192.0.2.10", "A1", 2);
	warmer_once(gate.warmer);
	end();				/* behind its commit */
	begin();
	expect("after another", "192.0.2.10", "A1", 2);
	assert_int_equal(decisions(), 1);
	replays("192.0.2.10");
}

static void
days_that_nobody_judged_are_judged_in_order(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		clock_set(moment(11, 20 + i, 10, 0));
		/* the gate is too old to judge: as when it was down at each
		 * midnight and took mail in between */
		send_all("acme", "gmail.com", 30);
	}
	fates("google", 0, 0);
	end();
	clock_set(moment(11, 23, 10, 0));
	begin();
	expect("three days at once", "192.0.2.10", "A1", 4);
	assert_int_equal(decisions(), 3);
	assert_int_equal(row("192.0.2.10")->clean, 3);
}

/* --- trouble -------------------------------------------------------------- */

/* a_day - of mail to Google that ends so, judged */
static void
a_day(int day, size_t hard, size_t blocked)
{
	clock_set(moment(11, day, 10, 0));
	send_all("acme", "gmail.com", 30);
	fates("google", hard, blocked);
	clock_set(moment(11, day, 19, 0));
	warmer_once(gate.warmer);
}

static void
a_bad_list_stops_its_provider_until_a_person_resumes(void **state)
{
	struct desk_row r = { .record = { .kind = DESK_WARMUP_RESUME, .seq = 3,
		.object = SLICE("192.0.2.10"), .reason = SLICE("cleaned") } };
	const struct writer_warm *out;
	struct answer a;

	(void)state;
	a_day(20, 10, 0);
	expect("ten of thirty bounced", "192.0.2.10", "S2", 1);
	replays("192.0.2.10");
	assert_int_equal(row("192.0.2.10")->nfactors, 1);
	assert_int_equal(row("192.0.2.10")->factors[0].thousandths, 0);
	assert_int_equal(post("acme", "a@acme.example", "gmail.com", 1, &a),
	    0);
	assert_string_equal(a.code, "451");
	send_all("acme", "web.de", 1);
	/* also in the next life, and on the next day */
	end();
	clock_set(moment(11, 22, 10, 0));
	begin();
	assert_int_equal(post("acme", "a@acme.example", "gmail.com", 1, &a),
	    0);
	/* the person: another address is not meant */
	r.record.object = SLICE("192.0.2.11");
	must(warmer_resume(gate.warmer, &r, 1, &out, &why));
	assert_null(out);
	warmer_resumed(gate.warmer);
	r.record.object = SLICE("192.0.2.10");
	must(warmer_resume(gate.warmer, &r, 1, &out, &why));
	assert_non_null(out);
	must(writer_warm(gate.writer, out, &why));
	warmer_resumed(gate.warmer);
	send_all("acme", "gmail.com", 10);
	assert_int_equal(row("192.0.2.10")->nfactors, 0);
	end();
	begin();
	expect("after the next start", "192.0.2.10", "resume", 1);
	send_all("acme", "gmail.com", 10);
}

static void
what_went_wrong_before_the_resume_counts_no_more(void **state)
{
	struct desk_row r = { .record = { .kind = DESK_WARMUP_RESUME, .seq = 3,
		.object = SLICE("192.0.2.10"), .reason = SLICE("cleaned") } };
	const struct writer_warm *out;

	(void)state;
	a_day(20, 10, 0);
	/* of the same day in Kolkata as what comes */
	clock_set(moment(11, 20, 20, 0));
	send_all("acme", "web.de", 10);
	fates("google", 9, 0);
	clock_set(moment(11, 20, 21, 0));
	must(warmer_resume(gate.warmer, &r, 1, &out, &why));
	must(writer_warm(gate.writer, out, &why));
	warmer_resumed(gate.warmer);
	a_day(21, 0, 0);
	expect("a day that begins badly", "192.0.2.10", "A1", 2);
}

static void
less_of_a_share_is_over_after_three_days(void **state)
{
	struct answer a;

	(void)state;
	a_day(20, 0, 0);
	a_day(21, 0, 0);
	expect("two days", "192.0.2.10", "A1", 3);
	a_day(22, 0, 2);		/* below three nothing is evidence */
	expect("two refusals", "192.0.2.10", "A1", 4);
	clock_set(moment(11, 23, 10, 0));
	send_all("acme", "gmail.com", 35);	/* of 39, 60 % of 65 */
	fates("google", 0, 3);
	clock_set(moment(11, 23, 19, 0));
	warmer_once(gate.warmer);
	expect("three refusals of 35", "192.0.2.10", "S2", 4);
	(void)a;
}

static void
who_has_most_of_it_is_stopped_and_not_the_pool(void **state)
{
	struct desk_row r = { .record = { .kind = DESK_WARMUP_RESUME, .seq = 3,
		.object = SLICE("b2b"), .tenant = SLICE("beta"),
		.reason = SLICE("cleaned") } };
	const struct writer_warm *out;
	struct answer a;

	(void)state;
	clock_set(moment(11, 20, 10, 0));
	send_all("acme", "gmail.com", 20);
	fates("google", 0, 0);
	send_all("beta", "gmail.com", 10);
	fates("google", 8, 0);
	clock_set(moment(11, 20, 19, 0));
	warmer_once(gate.warmer);
	expect("the pool", "192.0.2.10", "A1", 2);
	expect("the tenant", "b2b tenant beta", "S2", 1);
	replays("192.0.2.10");
	assert_int_equal(post("beta", "b@beta.example", "web.de", 1, &a), 0);
	assert_non_null(memmem(a.text.p, a.text.n, "is stopped in pool b2b",
	    22));
	send_all("acme", "gmail.com", 10);
	end();
	begin();
	assert_int_equal(post("beta", "b@beta.example", "web.de", 1, &a), 0);
	must(warmer_resume(gate.warmer, &r, 1, &out, &why));
	assert_non_null(out);
	must(writer_warm(gate.writer, out, &why));
	warmer_resumed(gate.warmer);
	send_all("beta", "web.de", 1);
}

/* --- who does not know ---------------------------------------------------- */

static void
without_outcomes_it_is_said_and_where_they_are_wanted_the_day_stays(
    void **state)
{
	(void)state;
	outcomes_close(outcomes);
	assert_int_equal(unlink(at("outcomes/data.mdb")), 0);
	clock_set(moment(11, 20, 10, 0));
	send_all("acme", "gmail.com", 30);
	send_all("coda", "gmail.com", 30);
	clock_set(moment(11, 21, 0, 0));
	warmer_once(gate.warmer);
	expect("nobody asks", "192.0.2.10", "A1", 2);
	assert_non_null(memmem(row("192.0.2.10")->inputs.p,
	    row("192.0.2.10")->inputs.n, "no outcome data", 15));
	expect("required", "192.0.2.20", "N1", 1);
	must(outcomes_open(&outcomes, at("outcomes"), MAP, &why));
}

static void
an_ingester_that_is_behind_is_waited_for(void **state)
{
	(void)state;
	warmer_tune(gate.warmer, 0, CLOCK_MINUTE, 0);
	clock_set(moment(11, 20, 10, 0));
	send_all("acme", "gmail.com", 30);
	clock_set(moment(11, 20, 18, 30));
	warmer_once(gate.warmer);
	assert_null(row("192.0.2.10"));
	fates("google", 10, 0);
	warmer_once(gate.warmer);
	expect("when it has come", "192.0.2.10", "S2", 1);
}

static void
mail_of_which_nobody_heard_is_not_known(void **state)
{
	(void)state;
	clock_set(moment(11, 20, 10, 0));
	send_all("coda", "gmail.com", 30);
	must(outcomes_begin(outcomes, &why));
	must(outcomes_put_applied(outcomes, 1000, &why));
	must(outcomes_commit(outcomes, &why));
	clock_set(moment(11, 21, 0, 0));
	warmer_once(gate.warmer);
	expect("an ingester with another log", "192.0.2.20", "N1", 1);
}

/* --- silence, and one's own limits ---------------------------------------- */

static void
silence_sets_back_and_costs_no_rows(void **state)
{
	unsigned n;

	(void)state;
	a_day(20, 0, 0);
	a_day(21, 0, 0);
	a_day(22, 0, 0);
	expect("three days", "192.0.2.10", "A1", 4);
	n = decisions();
	for (int day = 23; day < 30; day++) {
		clock_set(moment(11, day, 19, 0));
		warmer_once(gate.warmer);
	}
	assert_int_equal(decisions(), n);
	end();
	clock_set(moment(11, 30, 19, 0));
	begin();
	expect("eight days", "192.0.2.10", "I1", 1);
	assert_int_equal(decisions(), n + 1);
	replays("192.0.2.10");
	clock_set(moment(12, 24, 19, 0));
	warmer_once(gate.warmer);
	expect("a month", "192.0.2.10", "I2", 1);
}

static void
little_mail_repeats_a_day_unless_a_limit_of_ours_was_in_the_way(void **state)
{
	struct answer a;
	uint64_t before;

	(void)state;
	clock_set(moment(11, 20, 10, 0));
	send_all("dora", "gmail.com", 2);
	send_all("dori", "gmail.com", 1);
	fates("google", 0, 0);
	clock_set(moment(11, 20, 23, 0));	/* midnight of Madrid */
	warmer_once(gate.warmer);
	expect("two of five", "dora dora", "H2", 1);
	expect("one of five", "dora dori", "H2", 1);
	clock_set(moment(11, 21, 10, 0));
	send_all("dora", "gmail.com", 2);
	send_all("dori", "gmail.com", 1);
	fates("google", 0, 0);
	before = last();
	assert_int_equal(post("dora", "dora@dora.example", "gmail.com", 1,
	    &a), 0);
	noted(before);
	clock_set(moment(11, 21, 23, 0));
	warmer_once(gate.warmer);
	expect("the tenant's cap of 3", "dora dora", "A1", 2);
	expect("who did not ask", "dora dori", "H2", 1);
	replays("dora dora");
	/* silent ones are found again by their events */
	end();
	clock_set(moment(11, 29, 23, 0));
	begin();
	expect("eight days", "dora dora", "I1", 1);
}

/* --- clocks --------------------------------------------------------------- */

static void
a_clock_that_steps_makes_neither_two_days_nor_none(void **state)
{
	(void)state;
	a_day(20, 0, 0);
	a_day(21, 0, 0);
	expect("two days", "192.0.2.10", "A1", 3);
	/* back by a day: nothing that was judged is judged again */
	clock_set(moment(11, 20, 19, 0));
	warmer_once(gate.warmer);
	expect("back", "192.0.2.10", "A1", 3);
	assert_int_equal(decisions(), 2);
	/* forward by a day, with nothing sent: a silent one */
	clock_set(moment(11, 22, 19, 0));
	warmer_once(gate.warmer);
	expect("forward", "192.0.2.10", "A1", 3);
	assert_int_equal(decisions(), 2);
	a_day(23, 0, 0);
	expect("a good one", "192.0.2.10", "A1", 4);
}

/* --- beside mail ---------------------------------------------------------- */

static void
its_thread_judges_while_mail_goes(void **state)
{
	int64_t deadline = clock_mono() + 60 * CLOCK_SECOND;
	struct progress *p = NULL;
	unsigned sent = 0;

	(void)state;
	clock_set(moment(11, 20, 10, 0));
	send_all("acme", "gmail.com", 30);
	fates("google", 0, 0);
	must(warmer_start(gate.warmer, &why));
	clock_set(moment(11, 20, 18, 30));
	/* the rest is mail of the next day, by the old number or the new one */
	do {
		struct answer a;

		progress_drop(p);
		p = gate_progress(&gate);
		sent += sent < 20 ? post("acme", "a@acme.example", "web.de",
		    1, &a) : 0;
		usleep(1000);
	} while (row_of(p, "192.0.2.10") == NULL && clock_mono() < deadline);
	assert_true(sent > 0);
	assert_non_null(row_of(p, "192.0.2.10"));
	progress_drop(p);
	expect("the thread", "192.0.2.10", "A1", 2);
}

/* --- providers that nobody knew ------------------------------------------- */

static unsigned known = PROVIDER_UNRESOLVED;

static unsigned
provider(void *with, struct slice domain)
{
	(void)with;
	return slice_is(domain, "new.example") ? known : PROVIDER_UNRESOLVED;
}

static void
what_went_to_strangers_is_counted_where_they_belong(void **state)
{
	struct happened h = { .provider = provider };
	struct answer a;

	(void)state;
	known = PROVIDER_UNRESOLVED;
	clock_set(moment(11, 20, 10, 0));
	send_all("acme", "new.example", 20);
	gate.happened = &h;
	warmer_once(gate.warmer);
	/* 30 of 50 may go to Google; the strangers are none of his yet */
	send_all("acme", "gmail.com", 5);
	while (known < provider_count() && strcmp(provider_name(known),
	    "google") != 0)
		known++;
	end();
	begin();
	assert_int_equal(post("acme", "a@acme.example", "gmail.com", 6, &a),
	    0);
	send_all("acme", "gmail.com", 5);
	/* once: not by another look, nor by another life */
	warmer_once(gate.warmer);
	end();
	begin();
	assert_int_equal(post("acme", "a@acme.example", "gmail.com", 1, &a),
	    0);
	send_all("acme", "web.de", 20);
	gate.happened = NULL;
}

int
main(void)
{
#define IN_A_GATE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		IN_A_GATE(a_good_day_goes_on_and_is_on_record),
		IN_A_GATE(what_is_judged_is_judged_once_also_after_a_kill),
		IN_A_GATE(days_that_nobody_judged_are_judged_in_order),
		IN_A_GATE(a_bad_list_stops_its_provider_until_a_person_resumes),
		IN_A_GATE(what_went_wrong_before_the_resume_counts_no_more),
		IN_A_GATE(less_of_a_share_is_over_after_three_days),
		IN_A_GATE(who_has_most_of_it_is_stopped_and_not_the_pool),
		IN_A_GATE(
	without_outcomes_it_is_said_and_where_they_are_wanted_the_day_stays),
		IN_A_GATE(an_ingester_that_is_behind_is_waited_for),
		IN_A_GATE(mail_of_which_nobody_heard_is_not_known),
		IN_A_GATE(silence_sets_back_and_costs_no_rows),
		IN_A_GATE(
	    little_mail_repeats_a_day_unless_a_limit_of_ours_was_in_the_way),
		IN_A_GATE(a_clock_that_steps_makes_neither_two_days_nor_none),
		IN_A_GATE(its_thread_judges_while_mail_goes),
		IN_A_GATE(what_went_to_strangers_is_counted_where_they_belong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
