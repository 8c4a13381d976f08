/*
 * Which outcomes end in a suppression: each case is what became of mail to one
 * address, message by message, and what the store says of it at the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <unistd.h>

#include "lib/hash.h"
#include "reputation/outcome_in.h"

#define MAP	(UINT64_C(64) << 20)
#define T0	(INT64_C(1763712000) * INT64_C(1000000))

static char folder[64], dir[80];
static struct outcomes *store;
static struct arena *arena;
static struct why why;
static uint64_t next;

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
	snprintf(folder, sizeof(folder), "/tmp/penstock-suppress.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(dir, sizeof(dir), "%s/outcomes", folder);
	arena = arena_new(4096, 0);
	must(outcomes_open(&store, dir, MAP, &why));
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
	arena_free(arena);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
	rmdir(folder);
	return 0;
}

/* One message, and what became of it. */
struct step {
	int		 day;		/* since T0 */
	enum outcome_kind kind;
	const char	*category, *action;
};

struct story {
	const char	*name;
	struct step	 steps[6];
	int		 n;
	int		 want;		/* enum suppress_reason, -1: none */
	int		 expires;	/* days behind T0, 0: never */
};

#define NOW	"suppress_now"
#define AFTER	"suppress_after_k"
#define B	OUTCOME_BOUNCED
#define D	OUTCOME_DELIVERED

/* clang-format off */
static const struct story stories[] = {
	{ "no such user, once", { { 0, B, "recipient_unknown", NOW } }, 1,
	  SUPPRESS_HARD_BOUNCE, 0 },
	{ "no such domain is forgotten after a week",
	  { { 3, B, "domain_bad", NOW } }, 1, SUPPRESS_HARD_BOUNCE, 10 },
	{ "blocked for spam", { { 0, B, "spam_content", "slow_down" } }, 1,
	  -1, 0 },
	{ "expired in our queue", { { 0, OUTCOME_EXPIRED, "recipient_unknown",
	  NOW } }, 1, -1, 0 },
	{ "deferred", { { 0, OUTCOME_DEFERRED, "recipient_unknown", NOW } },
	  1, -1, 0 },
	{ "inactive once", { { 0, B, "recipient_inactive", AFTER } }, 1,
	  -1, 0 },
	{ "inactive twice on one day", { { 0, B, "recipient_inactive", AFTER },
	  { 0, B, "recipient_inactive", AFTER } }, 2, -1, 0 },
	{ "inactive on two days", { { 0, B, "recipient_inactive", AFTER },
	  { 1, B, "recipient_inactive", AFTER } }, 2, SUPPRESS_HARD_BOUNCE,
	  0 },
	{ "inactive, delivered, inactive",
	  { { 0, B, "recipient_inactive", AFTER }, { 1, D, "", "none" },
	    { 2, B, "recipient_inactive", AFTER } }, 3, -1, 0 },
	{ "inactive, delivered, inactive, inactive",
	  { { 0, B, "recipient_inactive", AFTER }, { 1, D, "", "none" },
	    { 2, B, "recipient_inactive", AFTER },
	    { 3, B, "recipient_inactive", AFTER } }, 4, SUPPRESS_HARD_BOUNCE,
	  0 },
	{ "full three times in a week", { { 0, B, "quota", AFTER },
	  { 3, B, "quota", AFTER }, { 6, B, "quota", AFTER } }, 3, -1, 0 },
	{ "full three times in two weeks", { { 0, B, "quota", AFTER },
	  { 3, B, "quota", AFTER }, { 14, B, "quota", AFTER } }, 3,
	  SUPPRESS_HARD_BOUNCE, 0 },
	{ "full twice in two weeks", { { 0, B, "quota", AFTER },
	  { 14, B, "quota", AFTER } }, 2, -1, 0 },
	{ "full, and again three months later", { { 0, B, "quota", AFTER },
	  { 1, B, "quota", AFTER }, { 90, B, "quota", AFTER } }, 3, -1, 0 },
	{ "unknown for now, three times in a week",
	  { { 0, B, "recipient_unknown", AFTER },
	    { 4, B, "recipient_unknown", AFTER },
	    { 7, B, "recipient_unknown", AFTER } }, 3, SUPPRESS_HARD_BOUNCE,
	  0 },
	{ "a complaint", { { 0, OUTCOME_COMPLAINT, "", "" } }, 1,
	  SUPPRESS_COMPLAINT, 0 },
	{ "an opt-out by a feedback loop", { { 0, OUTCOME_OPT_OUT, "", "" } },
	  1, SUPPRESS_UNSUBSCRIBE, 0 },
	{ "not spam after all", { { 0, OUTCOME_NOT_SPAM, "", "" } }, 1, -1,
	  0 },
};
/* clang-format on */

/* record_of - what the store says of an address */
static struct suppress_record
record_of(const char *address)
{
	struct suppress_record r = { .n = 0 };
	struct folded folded;
	struct slice value;
	int got;

	must(fold_text(slice_of(address), arena, NULL, &folded, &why));
	got = outcomes_row(store, OUTCOMES_SUPPRESSIONS,
	    (struct slice){ (char *)folded.hash, 16 }, arena, &value, &why);
	must(got);
	if (got == 1)
		must(suppress_decode(value, arena, &r, &why));
	return r;
}

/* tell - a message to that address, and what became of it */
static void
tell(const char *address, const struct step *s, bool known)
{
	struct event_recipient rcpt = { .address = slice_of(address) };
	struct event e = { .kind = EVENT_ACCEPT, .seq = ++next,
		.time = T0 + s->day * OUTCOME_DAY, .queue_id = SLICE("Q"),
		.tenant = SLICE("acme"), .stream = SLICE("news"),
		.recipients = &rcpt, .nrecipients = 1 };
	struct outcome x = { .kind = s->kind, .source = OUTCOME_DSN,
		.event = known ? e.seq : 0, .queue_id = e.queue_id,
		.time = e.time + 60, .delay = -1,
		.recipient = slice_of(address),
		.category = slice_of(s->category),
		.action = slice_of(s->action),
		.reply = SLICE("550 5.1.1 no") };

	must(outcomes_begin(store, &why));
	if (known)
		must(outcome_accept(store, &e, &why));
	must(outcomes_add(store, &x, &why));
	must(outcomes_commit(store, &why));
}

static void
an_address_is_suppressed_when_it_should_be(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++) {
		const struct story *s = &stories[i];
		char address[32];
		struct suppress_record r;
		int64_t expires;

		arena_reset(arena);
		snprintf(address, sizeof(address), "Ann%zu@far.example", i);
		for (int j = 0; j < s->n; j++)
			tell(address, &s->steps[j], true);
		r = record_of(address);
		if (r.n != (s->want != -1))
			fail_msg("%s: %zu suppressions", s->name, r.n);
		if (r.n == 0)
			continue;
		expires = s->expires == 0 ? 0 :
		    T0 + s->expires * OUTCOME_DAY + 60;
		if ((int)r.list[0].reason != s->want ||
		    r.list[0].scope != SUPPRESS_TENANT ||
		    r.list[0].id != hash_id("tenant", SLICE("acme")) ||
		    r.list[0].expires != expires ||
		    !slice_is(r.list[0].source, "dsn"))
			fail_msg("%s: reason %d, expires %lld", s->name,
			    r.list[0].reason, (long long)r.list[0].expires);
		/* however the address is written */
		address[0] = 'a';
		assert_int_equal(record_of(address).n, 1);
	}
}

static void
mail_that_we_did_not_send_suppresses_nobody(void **state)
{
	const struct step hard = { 0, B, "recipient_unknown", NOW };

	(void)state;
	tell("victim@far.example", &hard, false);
	assert_int_equal(record_of("victim@far.example").n, 0);
}

static void
an_aborted_transaction_leaves_nothing(void **state)
{
	(void)state;
	must(outcomes_begin(store, &why));
	assert_int_equal(outcomes_suppress(store, 1, SLICE("a@b.example"),
	    SUPPRESS_COMPLAINT, "arf", T0, 0, SLICE(""), &why), 1);
	assert_int_equal(outcomes_suppress(store, 1, SLICE("a@b.example"),
	    SUPPRESS_COMPLAINT, "arf", T0, 0, SLICE(""), &why), 0);
	assert_int_equal(outcomes_suppress(store, 1, SLICE("no address"),
	    SUPPRESS_COMPLAINT, "arf", T0, 0, SLICE(""), &why), 0);
	outcomes_abort(store);
	assert_int_equal(record_of("a@b.example").n, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_address_is_suppressed_when_it_should_be),
		TEST(mail_that_we_did_not_send_suppresses_nobody),
		TEST(an_aborted_transaction_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
