/*
 * What the tests of the writer share: a disk that can be held or broken (a
 * fdatasync that stands before libc's), a gate around a store, and mail.
 */
#ifndef TESTS_UNIT_WRITER_GATE_H
#define TESTS_UNIT_WRITER_GATE_H

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "milter/writer.h"

#define MAP	(UINT64_C(256) << 20)
#define T0	(INT64_C(20000) * CLOCK_DAY)
#define SHORT	(50 * INT64_C(1000))		/* us: a deadline for tests */

static char folder[64], dir[80];
static struct store *store;
static struct ledger *ledger;
static struct writer *writer;
static struct arena *arena;
static struct why why;

/* --- a disk --------------------------------------------------------------- */

static pthread_mutex_t disk_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t disk_moved = PTHREAD_COND_INITIALIZER;
static bool disk_held, disk_waits;
static atomic_int disk_error, disk_syncs;

/* fdatasync - what LMDB calls in each commit */
int
fdatasync(int fd)
{
	disk_syncs++;
	pthread_mutex_lock(&disk_lock);
	disk_waits = true;
	pthread_cond_broadcast(&disk_moved);
	while (disk_held)
		pthread_cond_wait(&disk_moved, &disk_lock);
	disk_waits = false;
	pthread_mutex_unlock(&disk_lock);
	if (disk_error != 0) {
		errno = disk_error;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

/* disk_hold - from now on commits do not return, until disk_hold(false) */
static inline void
disk_hold(bool hold)
{
	pthread_mutex_lock(&disk_lock);
	disk_held = hold;
	pthread_cond_broadcast(&disk_moved);
	pthread_mutex_unlock(&disk_lock);
}

/* disk_await - until a commit stands before the disk */
static inline void
disk_await(void)
{
	pthread_mutex_lock(&disk_lock);
	while (!disk_waits)
		pthread_cond_wait(&disk_moved, &disk_lock);
	pthread_mutex_unlock(&disk_lock);
}

/* --- a gate --------------------------------------------------------------- */

/* must - or the reason */
static inline void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s", why.text);
}

/* start - store, ledger as restored, writer */
static inline void
start(void)
{
	uint64_t applied;

	must(store_open(&store, dir, MAP, &why));
	ledger = ledger_new();
	must(ledger_restore(ledger, store, &applied, &why));
	must(writer_start(&writer, store, ledger, applied, &why));
}

/* stop - all of it */
static inline void
stop(void)
{
	writer_stop(writer);
	ledger_free(ledger);
	store_close(store);
	writer = NULL;
	ledger = NULL;
	store = NULL;
}

static inline int
setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/penstock-writer.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(dir, sizeof(dir), "%s/gate", folder);
	arena = arena_new(65536, 0);
	clock_set(T0);
	disk_error = 0;
	disk_hold(false);
	start();
	return 0;
}

static inline int
teardown(void **state)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock" };
	char path[160];

	(void)state;
	disk_hold(false);
	stop();
	arena_free(arena);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
	rmdir(folder);
	clock_set(0);
	return 0;
}

/* --- mail ----------------------------------------------------------------- */

static const char daily[16] = "the daily cap";

/* cap_of - an ask of the daily cap */
static inline struct ask
cap_of(int64_t amount)
{
	struct ask ask = { .most = 1000000 };

	memcpy(ask.charge.key, daily, 16);
	ask.charge.kind = LIMIT_CAP;
	ask.charge.tenant = 7;
	ask.charge.amount = amount;
	ask.charge.window = T0;
	ask.charge.window_end = T0 + CLOCK_DAY;
	ask.charge.name = SLICE("daily");
	ask.charge.rule = SLICE("acme.conf:4");
	return ask;
}

static struct event_recipient bob = { .address = { "bob@x.example", 13 },
	.domain = { "x.example", 9 } };

struct mail {			/* one message on its way */
	struct arena	*arena;
	struct claim	claim;
	struct charge	charge;
	struct event	event;
	uint64_t	seq;
	struct why	why;
	int		rc;
};

/* mail_make - sealed, charged with so many recipients */
static inline void
mail_make(struct mail *m, int64_t amount, const char *queue_id)
{
	struct ask ask = cap_of(amount);

	memset(m, 0, sizeof(*m));
	m->arena = arena_new(1024, 0);
	assert_int_equal(ledger_seal(ledger, &m->claim, m->arena, &ask, 1,
	    clock_now(), NULL, NULL), 1);
	m->charge = m->claim.asks[0].charge;
	m->event = (struct event){ .kind = EVENT_ACCEPT, .count = 1,
		.tenant = SLICE("acme"), .queue_id = slice_of(queue_id),
		.charges = &m->charge, .ncharges = 1, .recipients = &bob,
		.nrecipients = 1, .stage = STAGE_MESSAGE };
}

/* mail_send - what a callback does */
static inline int
mail_send(struct mail *m)
{
	m->rc = writer_commit(writer, &m->event, &m->seq, &m->why);
	return m->rc;
}

/* mail_free - the message is over */
static inline void
mail_free(struct mail *m)
{
	arena_free(m->arena);
}

/* send_one - a message of that many recipients */
static inline int
send_one(int64_t amount)
{
	struct mail m;
	int rc;

	mail_make(&m, amount, "Q1");
	rc = mail_send(&m);
	why = m.why;
	mail_free(&m);
	return rc;
}

/* send_thread - mail_send on a thread of its own */
static inline void *
send_thread(void *arg)
{
	mail_send(arg);
	return NULL;
}

/* spent - of the daily cap; reserved is checked */
static inline int64_t
spent(int64_t reserved)
{
	struct ask ask = cap_of(1);
	struct counter_view view;

	ledger_view(ledger, &ask, clock_now(), &view);
	if (view.reserved != reserved)
		fail_msg("reserved: got %lld, want %lld",
		    (long long)view.reserved, (long long)reserved);
	return view.used;
}

/* until - waits for a moment that must come; 10 s at most */
static inline void
until(bool (*come)(void), const char *what)
{
	int64_t end = clock_mono() + 10 * CLOCK_SECOND;

	while (!come()) {
		if (clock_mono() > end)
			fail_msg("%s: did not come", what);
		usleep(1000);
	}
}

static inline bool
alive(void)
{
	const char *reason;

	return writer_alive(writer, &reason);
}

static inline uint64_t
last_seq(void)
{
	uint64_t seq;
	int64_t time;

	must(store_last(store, &seq, &time, &why));
	return seq;
}

/* event - decoded */
static inline struct event
event(uint64_t seq)
{
	struct slice encoded;
	struct event e;
	size_t got;

	must(store_read(store, seq, 1, arena, &encoded, &got, &why));
	if (got != 1)
		fail_msg("event %llu is not there", (unsigned long long)seq);
	must(event_decode(encoded, &e, arena, &why));
	return e;
}

/* the_same_after_restart - what memory says is what the disk says */
static inline void
the_same_after_restart(int64_t used)
{
	stop();
	start();
	assert_int_equal(spent(0), used);
}

#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
