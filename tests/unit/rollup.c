/*
 * Events and outcomes become cells: a row per kind of record and what it
 * counts as, what is taken back, what became of held mail; and the tables have
 * the same bytes however the records came: in batches of any size, with other
 * places to stop, made anew.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/store.h"
#include "reputation/outcome.h"
#include "reputation/rollup_in.h"

#define MAP	(UINT64_C(256) << 20)
#define MINUTE	(60 * INT64_C(1000000))
#define HOUR	ROLLUP_HOUR
#define DAY	ROLLUP_DAY
#define D0	20600			/* a day */
#define T0	(D0 * DAY + 8 * HOUR)

enum { GATE, OUTCOMES, WATCH, FOLDERS, MOST = 8 };

static char folder[64], dir[FOLDERS][96];
static struct store *gate;
static struct outcomes *outcomes;
static struct db *watch;
static struct rollup *rollup;
static struct arena *arena;
static struct why why;

/* must - or the reason */
static void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s", why.text);
}

/* wipe - the files of a store */
static void
wipe(const char *at)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock" };
	char path[160];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", at, files[i]);
		unlink(path);
	}
	rmdir(at);
}

/* open_watch - and what fills it */
static void
open_watch(void)
{
	must(watch_open(&watch, dir[WATCH], MAP, &why));
	must(rollup_new(&rollup, watch, &why));
}

/* close_watch - both */
static void
close_watch(void)
{
	rollup_free(rollup);
	rollup = NULL;
	db_close(watch);
	watch = NULL;
}

static int
setup(void **state)
{
	static const char *const names[] = { "gate", "outcomes", "watch" };

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/penstock-rollup.XXXXXX");
	if (mkdtemp(folder) == NULL || (arena = arena_new(4096, 0)) == NULL)
		return -1;
	for (size_t i = 0; i < FOLDERS; i++)
		snprintf(dir[i], sizeof(dir[i]), "%s/%s", folder, names[i]);
	must(store_open(&gate, dir[GATE], MAP, &why));
	must(outcomes_open(&outcomes, dir[OUTCOMES], MAP, &why));
	open_watch();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	close_watch();
	outcomes_close(outcomes);
	store_close(gate);
	arena_free(arena);
	for (size_t i = 0; i < FOLDERS; i++)
		wipe(dir[i]);
	rmdir(folder);
	return 0;
}

/* --- records ------------------------------------------------------------- */

/* To somebody: "google", "-google" dropped, "!google" local, "" nobody. */
static size_t
recipients(const char *const *to, struct event_recipient *r,
    enum verdict verdict)
{
	size_t n = 0;

	for (; n < MOST && to[n] != NULL; n++) {
		bool local = to[n][0] == '!', drop = to[n][0] == '-';

		r[n] = (struct event_recipient){ .address = SLICE("r@x.test"),
			.provider = slice_of(to[n] + (local || drop)),
			.local = local,
			.verdict = drop ? VERDICT_DROP : verdict };
		if (local)
			r[n].address = SLICE("r@here.test");
	}
	return n;
}

/* append - an event of acme's; its sequence */
static uint64_t
append(struct event *e, int64_t time)
{
	static struct slice from[] = { { "acme.test", 9 }, { "b.test", 6 } };
	struct buf b = BUF_INIT;
	uint64_t seq;

	e->group = SLICE("agency");
	e->tenant = SLICE("acme");
	e->stream = SLICE("news");
	e->pool = SLICE("b2b");
	e->address = SLICE("192.0.2.1");
	e->from_domains = from;
	e->nfrom_domains = 2;
	if (e->count == 0)
		e->count = 1;
	event_encode(e, &b);
	must(store_begin(gate, &why));
	must(store_append(gate, buf_slice(&b), time, SLICE_NONE, &seq, &why));
	must(store_commit(gate, &why));
	buf_free(&b);
	return seq;
}

/* mail - of that kind to those */
static uint64_t
mail(enum event_kind kind, const char *const *to, uint64_t about, int64_t time)
{
	struct event_recipient r[MOST];
	enum verdict verdict = kind == EVENT_HOLD ? VERDICT_HOLD :
	    VERDICT_PASS;
	struct event e = { .kind = kind, .verdict = verdict, .size = 1000,
		.recipients = r, .voids = about };

	e.nrecipients = recipients(to, r, VERDICT_PASS);
	return append(&e, time);
}

/* became - an outcome of an event */
static void
became(uint64_t event, enum outcome_kind kind, const char *provider,
    const char *category, int64_t time)
{
	static unsigned n;
	char rcpt[40], id[24];
	struct outcome x = { .kind = kind, .event = event, .time = time,
		.delay = -1, .tenant = SLICE("acme"), .group = SLICE("agency"),
		.stream = SLICE("news"), .pool = SLICE("b2b"),
		.address = SLICE("192.0.2.1"), .queue_id = { id, 0 },
		.recipient = { rcpt, 0 }, .provider = slice_of(provider),
		.category = slice_of(category) };

	x.recipient.n = (size_t)snprintf(rcpt, sizeof(rcpt), "r%u@x.test",
	    n++);
	x.queue_id.n = (size_t)snprintf(id, sizeof(id), "Q%llu",
	    (unsigned long long)event);
	must(outcomes_begin(outcomes, &why));
	must(outcomes_add(outcomes, &x, &why));
	must(outcomes_commit(outcomes, &why));
}

/* catch_up - all that there is; how many steps it took */
static size_t
catch_up(void)
{
	size_t steps = 0;
	bool more = true;

	for (; more; steps++)
		must(rollup_step(rollup, gate, outcomes, &more, &why));
	return steps;
}

/* --- looking ------------------------------------------------------------- */

struct found {
	struct cell	 cells[16];
	size_t		 n;
	uint64_t	 all[TALLIES];
};

/* find - keeps a cell */
static bool
find(void *with, const struct cell *c)
{
	struct found *f = with;
	struct slice names[ROLLUP_NAMES];

	assert_true(f->n < 16);
	f->cells[f->n] = *c;
	rollup_names(c, names);
	for (size_t i = 0; i < ROLLUP_NAMES; i++)
		names[i] = arena_copy(arena, names[i]);
	f->cells[f->n].domain = names[2];
	f->cells[f->n].provider = names[6];
	f->n++;
	for (size_t i = 0; i < TALLIES; i++)
		f->all[i] += c->n[i];
	return true;
}

/* look - at all cells of a grain */
static struct found
look(enum grain grain)
{
	struct found f = { .n = 0 };

	must(rollup_each(watch, grain, 0, INT32_MAX, find, &f, &why));
	return f;
}

/* dump - every row of the tables as bytes */
static struct buf
dump(void)
{
	struct db_cursor *cursor;
	struct slice key, value;
	struct buf b = BUF_INIT;
	struct db_txn *txn;
	int got;

	must(db_begin(watch, false, &txn, &why));
	for (unsigned t = WATCH_PLACES; t < WATCH_TABLES; t++) {
		cursor = NULL;
		got = db_seek(txn, t, SLICE_NONE, &cursor, &key, &value, &why);
		for (; got == 1; got = db_next(cursor, &key, &value, &why)) {
			buf_printf(&b, "%u %zu %zu ", t, key.n, value.n);
			buf_slices(&b, key);
			buf_slices(&b, value);
		}
		must(got);
		db_cursor_close(cursor);
	}
	db_abort(txn);
	assert_false(buf_failed(&b));
	return b;
}

/* anew - the store deleted, and filled again in batches of that size */
static struct buf
anew(size_t records, size_t cells)
{
	close_watch();
	wipe(dir[WATCH]);
	open_watch();
	if (records > 0)
		rollup_batch(rollup, records, cells);
	catch_up();
	return dump();
}

/* same - both have the same bytes; frees the second */
static void
same(const struct buf *want, struct buf got, const char *name)
{
	if (want->len != got.len || (got.len > 0 && memcmp(want->data,
	    got.data, got.len) != 0))
		fail_msg("%s: other tables (%zu bytes, want %zu)", name,
		    got.len, want->len);
	buf_free(&got);
}

/* --- what counts as what ------------------------------------------------- */

struct want {
	enum tally	tally;
	uint64_t	n;
};
#define TO(...)		(const char *const[]){ __VA_ARGS__, NULL }
#define WANT(...)	(const struct want[]){ __VA_ARGS__, { TALLIES, 0 } }

/* wanted - those tallies and no others */
static void
wanted(const char *name, const struct want *want, const uint64_t *got)
{
	uint64_t all[TALLIES] = { 0 };

	for (; want->tally != TALLIES; want++)
		all[want->tally] = want->n;
	for (size_t i = 0; i < TALLIES; i++)
		if (got[i] != all[i])
			fail_msg("%s: got %llu %s, want %llu", name,
			    (unsigned long long)got[i], tally_names[i],
			    (unsigned long long)all[i]);
}

/* clang-format off */
static const struct {
	const char	*name;
	enum event_kind	 kind;
	enum verdict	 verdict;
	const char	*const *to;
	uint32_t	 flags, count;
	const struct want *want;
} events[] = {
	{ "a message to one", EVENT_ACCEPT, VERDICT_PASS, TO("google"), 0, 1,
	  WANT({ TALLY_ACCEPTED, 1 }, { TALLY_MESSAGES, 1 }, { TALLY_BYTES, 1000 }) },
	{ "a message to three at two providers", EVENT_ACCEPT, VERDICT_PASS,
	  TO("google", "yahoo", "google"), 0, 1,
	  WANT({ TALLY_ACCEPTED, 3 }, { TALLY_MESSAGES, 1 }, { TALLY_BYTES, 1000 }) },
	{ "one of two is suppressed", EVENT_ACCEPT, VERDICT_PASS, TO("-google", "yahoo"), 0, 1,
	  WANT({ TALLY_ACCEPTED, 1 }, { TALLY_DROPPED, 1 }, { TALLY_MESSAGES, 1 }, { TALLY_BYTES, 1000 }) },
	{ "who is local counts nowhere", EVENT_ACCEPT, VERDICT_PASS, TO("!unresolved", "google"), 0, 1,
	  WANT({ TALLY_ACCEPTED, 1 }, { TALLY_MESSAGES, 1 }, { TALLY_BYTES, 1000 }) },
	{ "a message that stays in the house counts nowhere", EVENT_ACCEPT, VERDICT_PASS,
	  TO("!unresolved"), 0, 1, WANT({ TALLY_ACCEPTED, 0 }) },
	{ "a message that is held", EVENT_HOLD, VERDICT_HOLD, TO("google", "-yahoo"), 0, 1,
	  WANT({ TALLY_HELD, 1 }, { TALLY_DROPPED, 1 }) },
	{ "held mail that may go", EVENT_RELEASE, VERDICT_PASS, TO("google", "-yahoo"), 0, 1,
	  WANT({ TALLY_ACCEPTED, 1 }, { TALLY_RELEASED, 1 }, { TALLY_MESSAGES, 1 }, { TALLY_BYTES, 1000 }) },
	{ "held mail that nobody may have", EVENT_RELEASE, VERDICT_DROP, TO("-google"), 0, 1,
	  WANT({ TALLY_ACCEPTED, 0 }) },
	{ "held mail that waited too long", EVENT_RELEASE, VERDICT_REFUSE, TO("google"), 0, 1,
	  WANT({ TALLY_ACCEPTED, 0 }) },
	{ "seventeen deferrals in a record", EVENT_DEFER, VERDICT_DEFER, TO("google"), 0, 17,
	  WANT({ TALLY_OVER, 17 }) },
	{ "repeats do not say to whom", EVENT_DEFER, VERDICT_DEFER, TO(NULL), 0, 3,
	  WANT({ TALLY_OVER, 3 }) },
	{ "a refusal", EVENT_REFUSE, VERDICT_REFUSE, TO("google"), 0, 1,
	  WANT({ TALLY_REFUSED, 1 }) },
	{ "nobody was left of a message", EVENT_DROP, VERDICT_REFUSE, TO("-google", "-yahoo"), 0, 1,
	  WANT({ TALLY_REFUSED, 1 }) },
	{ "a sender that is not his, twice", EVENT_REFUSE, VERDICT_REFUSE, TO(NULL), EVENT_UNOWNED, 2,
	  WANT({ TALLY_REFUSED, 2 }, { TALLY_VIOLATED, 2 }) },
	{ "a reload", EVENT_RELOAD, VERDICT_PASS, TO(NULL), 0, 1, WANT({ TALLY_ACCEPTED, 0 }) },
	{ "a reset", EVENT_RESET, VERDICT_PASS, TO("google"), 0, 1, WANT({ TALLY_ACCEPTED, 0 }) },
	{ "a move of a warmup", EVENT_WARMUP, VERDICT_PASS, TO("google"), 0, 1, WANT({ TALLY_ACCEPTED, 0 }) },
};

static const struct {
	const char	*name;
	enum outcome_kind kind;
	const char	*provider, *category;
	const struct want *want;
} became_what[] = {
	{ "delivered", OUTCOME_DELIVERED, "google", "", WANT({ TALLY_DELIVERED, 1 }) },
	{ "delivered where complaints are told", OUTCOME_DELIVERED, "yahoo", "",
	  WANT({ TALLY_DELIVERED, 1 }, { TALLY_FEEDBACK, 1 }) },
	{ "a full mailbox, later", OUTCOME_DEFERRED, "google", "quota", WANT({ TALLY_DEFERRED, 1 }) },
	{ "too fast", OUTCOME_DEFERRED, "google", "rate_limit",
	  WANT({ TALLY_DEFERRED, 1 }, { TALLY_SLOW, 1 }) },
	{ "not liked, for now", OUTCOME_DEFERRED, "google", "block_reputation",
	  WANT({ TALLY_DEFERRED, 1 }, { TALLY_SLOW, 1 }, { TALLY_BLOCKED_DAY, 1 }) },
	{ "spam, for now", OUTCOME_DEFERRED, "google", "spam_content",
	  WANT({ TALLY_DEFERRED, 1 }, { TALLY_BLOCKED_DAY, 1 }) },
	{ "nobody of that name", OUTCOME_BOUNCED, "google", "recipient_unknown", WANT({ TALLY_HARD, 1 }) },
	{ "no such domain", OUTCOME_BOUNCED, "google", "domain_bad", WANT({ TALLY_HARD, 1 }) },
	{ "left long ago", OUTCOME_BOUNCED, "google", "recipient_inactive", WANT({ TALLY_HARD, 1 }) },
	{ "not liked", OUTCOME_BOUNCED, "google", "block_reputation", WANT({ TALLY_BLOCKED, 1 }) },
	{ "spam", OUTCOME_BOUNCED, "google", "spam_content", WANT({ TALLY_BLOCKED, 1 }) },
	{ "not signed", OUTCOME_BOUNCED, "google", "auth_policy", WANT({ TALLY_BLOCKED, 1 }) },
	{ "too big", OUTCOME_BOUNCED, "google", "size_or_protocol", WANT({ TALLY_BOUNCED, 1 }) },
	{ "no reason", OUTCOME_BOUNCED, "google", "", WANT({ TALLY_BOUNCED, 1 }) },
	{ "given up", OUTCOME_EXPIRED, "google", "network_expired", WANT({ TALLY_EXPIRED, 1 }) },
	{ "deleted by hand", OUTCOME_DELETED, "google", "", WANT({ TALLY_EXPIRED, 1 }) },
	{ "a complaint", OUTCOME_COMPLAINT, "yahoo", "", WANT({ TALLY_COMPLAINTS, 1 }) },
	{ "no spam after all", OUTCOME_NOT_SPAM, "yahoo", "", WANT({ TALLY_NOT_SPAM, 1 }) },
	{ "had enough of it", OUTCOME_OPT_OUT, "yahoo", "", WANT({ TALLY_OPT_OUT, 1 }) },
};
/* clang-format on */

static void
each_event_counts_as_what_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		struct event_recipient r[MOST];
		struct event e = { .kind = events[i].kind,
			.verdict = events[i].verdict, .size = 1000,
			.flags = events[i].flags, .count = events[i].count,
			.recipients = r };
		struct found hours, days;

		must(rollup_forget(watch, &why));
		e.nrecipients = recipients(events[i].to, r,
		    events[i].kind == EVENT_HOLD ? VERDICT_HOLD :
		    VERDICT_PASS);
		(void)append(&e, T0);
		/* only this one: those before are in an earlier hour */
		catch_up();
		hours = look(GRAIN_HOUR);
		days = look(GRAIN_DAY);
		for (size_t k = 0; k < TALLIES; k++)
			assert_true(hours.all[k] == days.all[k]);
		/* what the others of this table counted is taken off */
		for (size_t k = 0; k < i; k++)
			for (const struct want *w = events[k].want;
			    w->tally != TALLIES; w++)
				hours.all[w->tally] -= w->n;
		wanted(events[i].name, events[i].want, hours.all);
	}
}

static void
each_outcome_counts_as_what_it_is(void **state)
{
	uint64_t before[TALLIES] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(became_what) / sizeof(became_what[0]);
	    i++) {
		struct found f;
		uint64_t seq = mail(EVENT_RELOAD, TO(NULL), 0, T0);

		became(seq, became_what[i].kind, became_what[i].provider,
		    became_what[i].category, T0 + MINUTE);
		catch_up();
		f = look(GRAIN_DAY);
		for (size_t k = 0; k < TALLIES; k++) {
			uint64_t now = f.all[k];

			f.all[k] -= before[k];
			before[k] = now;
		}
		wanted(became_what[i].name, became_what[i].want, f.all);
		for (size_t k = 0; k < f.n; k++)
			assert_true(slice_is(f.cells[k].domain, "acme.test"));
	}
}

static void
an_event_counts_at_its_time_an_outcome_at_its_own(void **state)
{
	struct found f;
	uint64_t seq = mail(EVENT_ACCEPT, TO("google", "yahoo"), 0, T0);

	(void)state;
	became(seq, OUTCOME_DELIVERED, "google", "", T0 + 3 * HOUR);
	became(seq, OUTCOME_BOUNCED, "yahoo", "recipient_unknown", T0 + DAY);
	catch_up();
	f = look(GRAIN_HOUR);
	assert_int_equal(f.n, 4);
	for (size_t i = 0; i < f.n; i++) {
		const struct cell *c = &f.cells[i];
		bool google = slice_is(c->provider, "google");
		int32_t hour = (int32_t)(c->at - T0 / HOUR);

		assert_true(c->n[TALLY_ACCEPTED] == (hour == 0));
		assert_true(c->n[TALLY_MESSAGES] == (hour == 0 && google));
		assert_true(c->n[TALLY_DELIVERED] == (hour == 3));
		assert_true(c->n[TALLY_HARD] == (hour == 24 && !google));
		assert_true(c->n[TALLY_BYTES] == (hour == 0 && google ? 1000 :
		    0));
	}
	f = look(GRAIN_DAY);
	assert_int_equal(f.n, 3);
}

static void
a_void_gives_back_what_it_names_where_it_was(void **state)
{
	static const enum event_kind kinds[] = { EVENT_ACCEPT, EVENT_HOLD,
		EVENT_RELEASE };
	struct buf want, got;

	(void)state;
	(void)mail(EVENT_ACCEPT, TO("yahoo"), 0, T0);
	catch_up();
	for (size_t i = 0; i < 3; i++) {
		uint64_t seq = mail(kinds[i], TO("google", "-yahoo"), 0,
		    T0 + 59 * MINUTE + MINUTE / 2);

		if (i == 1)
			catch_up();	/* in another commit */
		(void)mail(EVENT_VOID, TO("google", "-yahoo"), seq,
		    T0 + 60 * MINUTE + MINUTE / 2);
	}
	/* of nothing, of itself, of what is not there yet */
	(void)mail(EVENT_VOID, TO("google"), 0, T0 + 2 * HOUR);
	(void)mail(EVENT_VOID, TO("google"), 9, T0 + 2 * HOUR);
	(void)mail(EVENT_VOID, TO("google"), 99, T0 + 2 * HOUR);
	catch_up();
	got = dump();
	close_watch();
	store_close(gate);
	wipe(dir[GATE]);
	must(store_open(&gate, dir[GATE], MAP, &why));
	for (size_t i = 0; i < 10; i++)		/* the same place at the end */
		(void)mail(i == 0 ? EVENT_ACCEPT : EVENT_RELOAD, TO("yahoo"),
		    0, T0);
	wipe(dir[WATCH]);
	open_watch();
	catch_up();
	want = dump();
	same(&want, got, "with voids");
	buf_free(&want);
}

static void
held_mail_is_accepted_when_it_goes(void **state)
{
	struct found f;
	uint64_t seq = mail(EVENT_HOLD, TO("google", "yahoo"), 0, T0);

	(void)state;
	(void)mail(EVENT_RELEASE, TO("google", "yahoo"), seq, T0 + 5 * HOUR);
	catch_up();
	f = look(GRAIN_HOUR);
	assert_int_equal(f.n, 4);
	for (size_t i = 0; i < f.n; i++) {
		bool first = f.cells[i].at == T0 / HOUR;

		assert_true(f.cells[i].n[TALLY_HELD] == first);
		assert_true(f.cells[i].n[TALLY_RELEASED] == !first);
		assert_true(f.cells[i].n[TALLY_ACCEPTED] == !first);
	}
	assert_true(f.all[TALLY_MESSAGES] == 1);
}

static void
what_the_gate_did_not_send_counts_nowhere(void **state)
{
	struct outcome foreign = { .kind = OUTCOME_DELIVERED, .time = T0,
		.delay = -1, .queue_id = SLICE("F1"),
		.recipient = SLICE("root@x.test"), .provider =
		SLICE("google") },
	    local = { .kind = OUTCOME_DELIVERED, .time = T0, .delay = -1,
		.queue_id = SLICE("Q1"), .tenant = SLICE("acme"),
		.recipient = SLICE("R@HERE.test"), .provider =
		SLICE("unresolved") };

	(void)state;
	local.event = mail(EVENT_ACCEPT, TO("!unresolved", "google"), 0, T0);
	must(outcomes_begin(outcomes, &why));
	must(outcomes_add(outcomes, &foreign, &why));
	must(outcomes_add(outcomes, &local, &why));
	must(outcomes_commit(outcomes, &why));
	became(local.event, OUTCOME_DELIVERED, "google", "", T0);
	catch_up();
	assert_true(look(GRAIN_DAY).all[TALLY_DELIVERED] == 1);
}

static void
without_an_event_any_more_there_is_no_domain(void **state)
{
	struct found f;

	(void)state;
	(void)mail(EVENT_RELOAD, TO(NULL), 0, T0);
	became(77, OUTCOME_DELIVERED, "google", "", T0);
	catch_up();
	f = look(GRAIN_DAY);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.cells[0].domain.n, 0);
}

/* --- the same bytes ------------------------------------------------------ */

/* random_world - events of some days, and what became of them */
static void
random_world(size_t n, bool steps)
{
	static const char *const providers[] = { "google", "yahoo", "outlook",
		"other" };
	static const char *const categories[] = { "", "rate_limit",
		"recipient_unknown", "spam_content" };
	uint64_t seq = 0;

	srand(7);
	for (size_t i = 0; i < n; i++) {
		int64_t time = T0 + (int64_t)i * 11 * MINUTE;
		const char *const to[] = { providers[rand() % 4],
			providers[rand() % 4], NULL };
		int what = rand() % 10;

		if (what == 0 && seq > 0)
			(void)mail(EVENT_VOID, to, seq, time);
		else if (what == 1)
			seq = mail(EVENT_HOLD, to, 0, time);
		else if (what == 2)
			(void)mail(EVENT_RELEASE, to, seq, time);
		else
			seq = mail(EVENT_ACCEPT, to, 0, time);
		if (what > 4)
			became(seq, (enum outcome_kind)(rand() % 4), to[0],
			    categories[rand() % 4], time - (rand() % 3) * DAY);
		if (steps)
			catch_up();
	}
}

static void
the_same_bytes_in_batches_of_any_size(void **state)
{
	static const size_t batches[] = { 1, 2, 3, 7, 100, 100000 };
	struct buf want;
	char name[32];

	(void)state;
	random_world(400, true);
	want = dump();
	assert_true(want.len > 10000);
	same(&want, anew(0, 0), "made anew at once");
	for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++) {
		snprintf(name, sizeof(name), "batches of %zu", batches[i]);
		same(&want, anew(batches[i], batches[i]), name);
	}
	/* hours that are over are set aside, and outcomes come back to them */
	same(&want, anew(100000, 5000), "in one batch, hours set aside");
	must(rollup_forget(watch, &why));
	catch_up();
	same(&want, dump(), "forgotten and made again");
	buf_free(&want);
}

static void
a_forgetting_that_was_killed_is_finished(void **state)
{
	struct db_txn *txn;
	struct buf want;

	(void)state;
	random_world(50, false);
	catch_up();
	want = dump();
	must(db_begin(watch, true, &txn, &why));
	must(db_put(txn, WATCH_PLACES, SLICE("forgetting"), SLICE(""), &why));
	must(db_commit(txn, &why));
	close_watch();
	open_watch();
	catch_up();
	same(&want, dump(), "after the mark");
	buf_free(&want);
}

static void
another_store_in_its_place_is_said(void **state)
{
	bool more;

	(void)state;
	random_world(20, false);
	catch_up();
	store_close(gate);
	wipe(dir[GATE]);
	must(store_open(&gate, dir[GATE], MAP, &why));
	(void)mail(EVENT_ACCEPT, TO("google"), 0, T0);
	assert_int_equal(rollup_step(rollup, gate, outcomes, &more, &why),
	    -1);
	assert_non_null(strstr(why.text, "--rebuild"));
	must(rollup_forget(watch, &why));
	catch_up();
}

static void
the_first_and_the_last_day_are_known(void **state)
{
	struct cell c = { .at = 20700, .tenant = SLICE("acme"), .n = { 1 } };
	int32_t first = 0, last = 0;
	struct db_txn *txn;

	(void)state;
	assert_int_equal(rollup_days(watch, &first, &last, &why), 0);
	must(db_begin(watch, true, &txn, &why));
	must(rollup_put(txn, GRAIN_DAY, &c, &why));
	c.at = 20300;
	must(rollup_put(txn, GRAIN_DAY, &c, &why));
	must(db_commit(txn, &why));
	assert_int_equal(rollup_days(watch, &first, &last, &why), 1);
	assert_int_equal(first, 20300);
	assert_int_equal(last, 20700);
}

static void
without_a_gate_everything_waits(void **state)
{
	bool more;

	(void)state;
	became(0, OUTCOME_DELIVERED, "google", "", T0);
	must(rollup_step(rollup, NULL, outcomes, &more, &why));
	assert_false(more);
	assert_int_equal(look(GRAIN_DAY).n, 0);
}

/* write_on - messages and what becomes of them, one by one, until killed */
static _Noreturn void
write_on(void)
{
	must(store_open(&gate, dir[GATE], MAP, &why));
	must(outcomes_open(&outcomes, dir[OUTCOMES], MAP, &why));
	for (;;)
		became(mail(EVENT_ACCEPT, TO("google"), 0, T0),
		    OUTCOME_DELIVERED, "google", "", T0);
}

static void
what_happens_while_it_counts_has_its_event(void **state)
{
	uint64_t seq = mail(EVENT_ACCEPT, TO("google"), 0, T0), first = 0, n;
	struct outcome x = { .kind = OUTCOME_DELIVERED, .event = seq,
		.time = T0, .delay = -1, .tenant = SLICE("acme"),
		.queue_id = SLICE("Q"), .provider = SLICE("google") };
	char rcpt[40];
	struct buf want;
	pid_t writer;

	(void)state;
	must(outcomes_begin(outcomes, &why));
	for (unsigned i = 0; i < 20000; i++) {	/* takes a while */
		x.recipient.p = rcpt;
		x.recipient.n = (size_t)snprintf(rcpt, sizeof(rcpt),
		    "r%u@y.test", i);
		must(outcomes_add(outcomes, &x, &why));
	}
	must(outcomes_commit(outcomes, &why));
	outcomes_close(outcomes);
	store_close(gate);
	if ((writer = fork()) == 0)
		write_on();
	assert_true(writer > 0);
	must(store_open_read(&gate, dir[GATE], &why));
	must(outcomes_open_read(&outcomes, dir[OUTCOMES], &why));
	for (n = first = 0; first == 0 || n < first + 3;) {	/* it writes */
		must(outcomes_last(outcomes, &n, &why));
		first = first == 0 && n > 20000 ? n : first;
	}
	catch_up();
	assert_int_equal(kill(writer, SIGKILL), 0);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	catch_up();
	want = dump();
	same(&want, anew(0, 0), "made anew, when nobody writes");
	buf_free(&want);
}

/* --- what refusals meant, what is old ------------------------------------ */

struct meant {
	size_t		 n;
	uint64_t	 count, last;
};

/* see - sums of a category */
static bool
see(void *with, const struct category_cell *c)
{
	struct meant *m = with;

	if (slice_is(c->category, "rate_limit") &&
	    slice_is(c->kind, "deferred")) {
		m->n++;
		m->count += c->count;
		m->last = c->last > m->last ? c->last : m->last;
	}
	return true;
}

static void
refusals_are_counted_by_what_they_meant(void **state)
{
	struct meant m = { .n = 0 };
	uint64_t seq = mail(EVENT_RELOAD, TO(NULL), 0, T0);

	(void)state;
	became(seq, OUTCOME_DEFERRED, "google", "rate_limit", T0);
	became(seq, OUTCOME_DEFERRED, "google", "rate_limit", T0);
	catch_up();
	became(seq, OUTCOME_BOUNCED, "google", "rate_limit", T0);
	became(seq, OUTCOME_DEFERRED, "google", "rate_limit", T0);
	became(seq, OUTCOME_DEFERRED, "google", "", T0);
	became(seq, OUTCOME_DELIVERED, "google", "", T0);
	catch_up();
	must(rollup_categories(watch, GRAIN_DAY, D0, D0 + 1, see, &m, &why));
	assert_int_equal(m.n, 1);
	assert_true(m.count == 3);
	assert_true(m.last == 4);
	m = (struct meant){ .n = 0 };
	must(rollup_categories(watch, GRAIN_DAY, D0 + 1, D0 + 9, see, &m,
	    &why));
	assert_int_equal(m.n, 0);
	/* and by the hour */
	must(rollup_categories(watch, GRAIN_HOUR, T0 / HOUR, T0 / HOUR + 1,
	    see, &m, &why));
	assert_true(m.n == 1 && m.count == 3 && m.last == 4);
}

static void
what_is_old_goes_by_its_grain(void **state)
{
	struct category_cell meant = { .kind = SLICE("bounced"),
		.category = SLICE("quota"), .count = 1, .last = 1 };
	struct cell c = { .tenant = SLICE("acme"), .n = { 1 } };
	struct db_txn *txn;
	uint64_t gone;

	(void)state;
	must(db_begin(watch, true, &txn, &why));
	for (int32_t day = 0; day < 100; day++) {
		c.at = D0 + day;
		must(rollup_put(txn, GRAIN_DAY, &c, &why));
		for (int32_t hour = 0; hour < 24; hour++) {
			c.at = (D0 + day) * 24 + hour;
			must(rollup_put(txn, GRAIN_HOUR, &c, &why));
		}
		meant.at = c.at;
		must(rollup_put_category(txn, GRAIN_HOUR, &meant, &why));
		meant.at = D0 + day;
		must(rollup_put_category(txn, GRAIN_DAY, &meant, &why));
	}
	must(db_commit(txn, &why));
	must(rollup_prune(rollup, (D0 + 100) * DAY + HOUR / 2, 0, 0, &gone,
	    &why));
	assert_true(gone == 0);
	must(rollup_prune(rollup, (D0 + 100) * DAY + HOUR / 2, 10 * DAY,
	    30 * DAY, &gone, &why));
	assert_true(gone == 90 * 24 + 90 + 70 + 70);
	must(db_begin(watch, false, &txn, &why));
	must(db_count(txn, WATCH_HOURS, &gone, &why));
	assert_true(gone == 240);
	must(db_count(txn, WATCH_DAYS, &gone, &why));
	assert_true(gone == 30);
	db_abort(txn);
}

static void
a_name_longer_than_it_may_be_is_cut(void **state)
{
	char longer[400];
	struct cell c = { .at = D0, .n = { 1 } };
	struct db_txn *txn;
	struct found f;

	(void)state;
	memset(longer, 'x', sizeof(longer));
	c.domain = c.tenant = (struct slice){ longer, sizeof(longer) };
	must(db_begin(watch, true, &txn, &why));
	must(rollup_put(txn, GRAIN_DAY, &c, &why));
	c.domain.n = 300;
	must(rollup_put(txn, GRAIN_DAY, &c, &why));
	must(db_commit(txn, &why));
	f = look(GRAIN_DAY);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.cells[0].domain.n, ROLLUP_NAME);
	assert_true(f.all[0] == 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_event_counts_as_what_it_is),
		CASE(each_outcome_counts_as_what_it_is),
		CASE(an_event_counts_at_its_time_an_outcome_at_its_own),
		CASE(a_void_gives_back_what_it_names_where_it_was),
		CASE(held_mail_is_accepted_when_it_goes),
		CASE(what_the_gate_did_not_send_counts_nowhere),
		CASE(without_an_event_any_more_there_is_no_domain),
		CASE(the_same_bytes_in_batches_of_any_size),
		CASE(a_forgetting_that_was_killed_is_finished),
		CASE(another_store_in_its_place_is_said),
		CASE(the_first_and_the_last_day_are_known),
		CASE(without_a_gate_everything_waits),
		CASE(what_happens_while_it_counts_has_its_event),
		CASE(refusals_are_counted_by_what_they_meant),
		CASE(what_is_old_goes_by_its_grain),
		CASE(a_name_longer_than_it_may_be_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
