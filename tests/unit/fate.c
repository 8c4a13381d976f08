/*
 * What became of a warmup's mail, from outcomes to whole days in any zone: a
 * row per reply and what it is counted as, mail that is charged later, mail
 * that was taken back, and keys that make no sense.
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

#include "lib/fate.h"
#include "lib/provider.h"
#include "reputation/outcome_in.h"

#define MAP	(UINT64_C(64) << 20)
#define MINUTE	FATE_MINUTE
#define HOUR	(60 * MINUTE)
#define T0	(INT64_C(1763712000) * 1000000)	/* 2025-11-21 08:00 UTC */

static const uint8_t address[FATE_SUBJECT] = "of an address...",
	login[FATE_SUBJECT] = "of a login......";
static char folder[64], dir[80];
static struct outcomes *store;
static struct why why;

/* must - or the reason */
static void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s", why.text);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/penstock-fate.XXXXXX");
	if (mkdtemp(folder) == NULL || provider_init(&why) == -1)
		return -1;
	snprintf(dir, sizeof(dir), "%s/outcomes", folder);
	must(outcomes_open(&store, dir, MAP, &why));
	must(outcomes_begin(store, &why));
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock" };
	char path[160];

	(void)state;
	outcomes_close(store);
	store = NULL;
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
	rmdir(folder);
	return 0;
}

/* happened - an event of two warmups, or its release */
static void
happened(enum event_kind kind, uint64_t seq, uint64_t about, size_t ncharges)
{
	struct charge charges[] = {
		{ .kind = LIMIT_CAP, .amount = 3, .name = SLICE("daily") },
		{ .kind = LIMIT_CAP, .amount = 3, .name = SLICE(FATE_CHARGE) },
		{ .kind = LIMIT_CAP, .amount = 3, .name = SLICE(FATE_CHARGE) },
	};
	struct event e = { .kind = kind, .seq = seq, .voids = about,
		.time = T0, .queue_id = SLICE("Q7"), .tenant = SLICE("acme"),
		.stream = SLICE("news"), .address = SLICE("192.0.2.1"),
		.charges = charges, .ncharges = ncharges };

	memcpy(charges[1].key, address, sizeof(address));
	memcpy(charges[2].key, login, sizeof(login));
	must(kind == EVENT_RELEASE ? outcome_released(store, &e, &why) :
	    outcome_accept(store, &e, &why));
}

/* add - what became of one more recipient of event 7 */
static void
add(enum outcome_kind kind, const char *provider, const char *category,
    const char *reply, int64_t time)
{
	static unsigned n;
	char rcpt[40];
	struct outcome x = { .kind = kind, .event = 7,
		.queue_id = SLICE("Q7"), .time = time, .delay = -1,
		.recipient = { rcpt, 0 }, .provider = slice_of(provider),
		.category = slice_of(category), .reply = slice_of(reply) };

	x.recipient.n = (size_t)snprintf(rcpt, sizeof(rcpt), "r%u@x.example",
	    n++);
	must(outcomes_add(store, &x, &why));
}

struct seen {
	uint64_t	count[FATES];
	const char	*provider;	/* that all of them must be */
};

/* see - one row */
static bool
see(void *with, const struct fate_row *row)
{
	struct seen *seen = with;

	seen->count[row->fate] += row->count;
	if (seen->provider != NULL &&
	    !slice_is(row->provider, seen->provider))
		fail_msg("got provider %.*s, want %s",
		    SLICE_ARG(row->provider), seen->provider);
	assert_true(slice_is(row->tenant, "acme"));
	return true;
}

/* read_back - of a span; what was not committed is committed first */
static struct seen
read_back(const uint8_t *subject, int64_t since, int64_t until)
{
	struct seen seen = { .provider = NULL };
	struct fates *f;

	must(outcomes_commit(store, &why));
	assert_int_equal(fates_open(&f, folder, &why), 1);
	must(fates_each(f, subject, since, until, see, &seen, &why));
	fates_close(f);
	must(outcomes_begin(store, &why));
	return seen;
}

/* --- what is counted as what ---------------------------------------------- */

static const struct {
	const char	*name;
	enum outcome_kind kind;
	const char	*provider, *category, *reply;
	unsigned	fates;		/* bits 1 << enum fate */
} rows[] = {
	{ "arrived", OUTCOME_DELIVERED, "google", "", "250 OK",
	    1 << FATE_DELIVERED },
	{ "no such mailbox", OUTCOME_BOUNCED, "google", "recipient_unknown",
	    "550 5.1.1 no such user", 1 << FATE_HARD },
	{ "no such domain", OUTCOME_BOUNCED, "other", "domain_bad", "",
	    1 << FATE_HARD },
	{ "a full mailbox is nobody's fault", OUTCOME_BOUNCED, "google",
	    "quota", "552 full", 1 << FATE_BOUNCED },
	{ "refused for reputation", OUTCOME_BOUNCED, "gmx_webde",
	    "block_reputation", "554 bad reputation", 1 << FATE_BLOCKED },
	{ "given up", OUTCOME_EXPIRED, "yahoo", "rate_limit", "451 later",
	    1 << FATE_BOUNCED },
	{ "too fast", OUTCOME_DEFERRED, "yahoo", "rate_limit", "421 slow",
	    1 << FATE_SLOW },
	{ "deferred for reputation", OUTCOME_DEFERRED, "yahoo",
	    "block_reputation", "421 [TSS04]", 1 << FATE_SLOW },
	{ "deferred for a full disk", OUTCOME_DEFERRED, "yahoo",
	    "system_remote", "452 disk", 1 << FATE_DEFERRED },
	{ "a complaint", OUTCOME_COMPLAINT, "yahoo", "", "",
	    1 << FATE_COMPLAINT },
	{ "an opt-out is none", OUTCOME_OPT_OUT, "yahoo", "", "", 0 },
	{ "Microsoft blocks", OUTCOME_BOUNCED, "outlook",
	    "block_reputation", "550 5.7.1 part of their network is on our "
	    "block list (S3150).", 1 << FATE_BLOCKED | 1 << FATE_LISTED },
	{ "so does its other half", OUTCOME_BOUNCED, "office365",
	    "block_reputation", "550 5.7.606 Access denied, banned sending "
	    "IP [192.0.2.1]", 1 << FATE_BLOCKED | 1 << FATE_LISTED },
	{ "Yahoo defers for ever", OUTCOME_DEFERRED, "yahoo",
	    "block_reputation", "421 4.7.0 [TSS09] permanently deferred",
	    1 << FATE_SLOW | 1 << FATE_LISTED },
	{ "Gmail says very low", OUTCOME_BOUNCED, "google",
	    "block_reputation", "550-5.7.1 likely suspicious due to the very "
	    "low reputation of the sending IP", 1 << FATE_BLOCKED |
	    1 << FATE_LISTED },
	{ "anybody may say S3150", OUTCOME_BOUNCED, "other",
	    "block_reputation", "550 (S3150)", 1 << FATE_BLOCKED },
	{ "Spamhaus, says a provider", OUTCOME_BOUNCED, "gmx_webde",
	    "block_reputation", "554 listed at zen.SPAMHAUS.org",
	    1 << FATE_BLOCKED | 1 << FATE_DNSBL },
	{ "Spamhaus, says somebody", OUTCOME_BOUNCED, "other",
	    "block_reputation", "554 listed at zen.spamhaus.org",
	    1 << FATE_BLOCKED },
	{ "Spamhaus, says nobody knows who", OUTCOME_BOUNCED, "unresolved",
	    "block_reputation", "554 listed at zen.spamhaus.org",
	    1 << FATE_BLOCKED },
	{ "its list of domains is about what was written", OUTCOME_BOUNCED,
	    "gmx_webde", "block_reputation", "554 dbl.spamhaus.org",
	    1 << FATE_BLOCKED },
	{ "an asker who was turned away", OUTCOME_BOUNCED, "gmx_webde",
	    "block_reputation", "554 error: open resolver; "
	    "https://www.spamhaus.org/returnc/pub/", 1 << FATE_BLOCKED },
	{ "a mailbox of that name", OUTCOME_BOUNCED, "gmx_webde",
	    "recipient_unknown", "550 spamhaus@gmx.example unknown",
	    1 << FATE_HARD },
};

static void
every_reply_is_counted_as_what_it_is(void **state)
{
	(void)state;
	happened(EVENT_ACCEPT, 7, 0, 3);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t at = T0 + (int64_t)i * HOUR;
		struct seen seen;

		add(rows[i].kind, rows[i].provider, rows[i].category,
		    rows[i].reply, at);
		seen = read_back(address, at, at + HOUR);
		for (unsigned f = 0; f < FATES; f++)
			if (seen.count[f] != (rows[i].fates >> f & 1))
				fail_msg("%s: got %llu of %u, want %u",
				    rows[i].name, (unsigned long long)
				    seen.count[f], f, rows[i].fates >> f & 1);
	}
}

/* --- whose, and when ------------------------------------------------------ */

static void
each_warmup_of_a_message_gets_it(void **state)
{
	struct seen seen;

	(void)state;
	happened(EVENT_ACCEPT, 7, 0, 3);
	must(outcomes_commit(store, &why));	/* known from its row now */
	must(outcomes_begin(store, &why));
	for (int i = 0; i < 5; i++)
		add(OUTCOME_DELIVERED, "google", "", "", T0 + i * MINUTE);
	seen = read_back(address, T0, T0 + HOUR);
	assert_int_equal(seen.count[FATE_DELIVERED], 5);
	seen = read_back(login, T0, T0 + HOUR);
	assert_int_equal(seen.count[FATE_DELIVERED], 5);
	/* from the first minute to the one before the last */
	seen = read_back(address, T0 + MINUTE, T0 + 4 * MINUTE);
	assert_int_equal(seen.count[FATE_DELIVERED], 3);
	seen = read_back(address, T0 - HOUR, T0);
	assert_int_equal(seen.count[FATE_DELIVERED], 0);
}

static void
mail_that_warms_nothing_leaves_no_row(void **state)
{
	struct seen seen;

	(void)state;
	happened(EVENT_ACCEPT, 7, 0, 1);
	add(OUTCOME_DELIVERED, "google", "", "", T0);
	seen = read_back(address, 0, T0 + HOUR);
	assert_int_equal(seen.count[FATE_DELIVERED], 0);
}

static void
held_mail_is_counted_where_it_was_charged_at_last(void **state)
{
	struct seen seen;

	(void)state;
	happened(EVENT_HOLD, 7, 0, 1);
	happened(EVENT_RELEASE, 9, 7, 3);
	happened(EVENT_RELEASE, 9, 7, 3);	/* read again: the same */
	add(OUTCOME_DELIVERED, "google", "", "", T0);
	seen = read_back(login, 0, T0 + HOUR);
	assert_int_equal(seen.count[FATE_DELIVERED], 1);
}

static void
mail_that_was_taken_back_is_nobodys(void **state)
{
	struct seen seen;

	(void)state;
	happened(EVENT_ACCEPT, 7, 0, 3);
	must(outcome_message_void(store, SLICE_NONE, SLICE("Q7"), 7, &why));
	add(OUTCOME_DELIVERED, "google", "", "", T0);
	seen = read_back(address, 0, T0 + HOUR);
	assert_int_equal(seen.count[FATE_DELIVERED], 0);
}

static void
the_ingester_says_how_far_it_is(void **state)
{
	struct fates *f;
	uint64_t seq;

	(void)state;
	must(outcomes_put_applied(store, 4711, &why));
	must(outcomes_commit(store, &why));
	assert_int_equal(fates_open(&f, folder, &why), 1);
	must(fates_applied(f, &seq, &why));
	assert_int_equal(seq, 4711);
	fates_close(f);
	assert_int_equal(fates_open(&f, "/nowhere", &why), 0);
}

/* --- keys ----------------------------------------------------------------- */

static void
a_key_that_was_cut_is_none(void **state)
{
	struct fate_row row = { .minute = T0 / MINUTE, .fate = FATE_SLOW,
		.provider = SLICE("google"), .tenant = SLICE("acme") }, back;
	uint8_t subject[FATE_SUBJECT];
	char room[FATE_KEY], *cut;
	struct slice key = fate_key(address, &row, room), value =
	    { "\3\0\0\0\0\0\0\0", 8 };

	(void)state;
	assert_true(fate_row(key, value, subject, &back));
	assert_memory_equal(subject, address, sizeof(subject));
	assert_int_equal(back.minute, row.minute);
	assert_int_equal(back.fate, FATE_SLOW);
	assert_int_equal(back.count, 3);
	assert_true(slice_is(back.provider, "google"));
	assert_true(slice_is(back.tenant, "acme"));
	for (size_t n = 0; n < key.n; n++) {
		cut = malloc(n + 1);
		memcpy(cut, key.p, n);
		assert_false(fate_row((struct slice){ cut, n }, value, subject,
		    &back));
		free(cut);
	}
	assert_false(fate_row(key, (struct slice){ value.p, 7 }, subject,
	    &back));
	room[1 + FATE_SUBJECT + 4] = FATES;
	assert_false(fate_row(key, value, subject, &back));
}

static void
names_are_cut_and_lose_their_zeros(void **state)
{
	struct fate_row row = { .fate = FATE_SLOW,
		.provider = { "goo\0gle", 7 } }, back;
	uint8_t subject[FATE_SUBJECT];
	char room[FATE_KEY], name[200];

	(void)state;
	memset(name, 'x', sizeof(name));
	row.tenant = (struct slice){ name, sizeof(name) };
	assert_true(fate_row(fate_key(address, &row, room), (struct slice){
	    "\0\0\0\0\0\0\0\0", 8 }, subject, &back));
	assert_true(slice_is(back.provider, "google"));
	assert_int_equal(back.tenant.n, 64);
}

int
main(void)
{
#define IN_A_STORE(test) \
	cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		IN_A_STORE(every_reply_is_counted_as_what_it_is),
		IN_A_STORE(each_warmup_of_a_message_gets_it),
		IN_A_STORE(mail_that_warms_nothing_leaves_no_row),
		IN_A_STORE(held_mail_is_counted_where_it_was_charged_at_last),
		IN_A_STORE(mail_that_was_taken_back_is_nobodys),
		IN_A_STORE(the_ingester_says_how_far_it_is),
		cmocka_unit_test(a_key_that_was_cut_is_none),
		cmocka_unit_test(names_are_cut_and_lose_their_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
