/*
 * storage - the store and its writer in a process that may be killed, starved
 * and lied to.  tests/faults/run starts it and judges what is left.
 *
 *	storage write DIR MAP THREADS PAD DEADLINE	mail, until SIGTERM
 *	storage count DIR		events and counters, as after a restart
 *	storage own DIR			holds the store until stdin ends
 *	storage verify DIR		as penstock store verify
 *	storage copy DIR TO		as penstock store backup
 *	storage bench DIR THREADS SECONDS
 *
 * write says, a line each, on stdout: "P pid" first, "A seq id key amount" for
 * what was answered with "on disk", "N why" for what was not.
 */
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "milter/writer.h"

enum { KEYS = 3000, PAD_MOST = 65536 };

struct gate {
	struct store	*store;
	struct ledger	*ledger;
	struct writer	*writer;
	size_t		 pad;
	bool		 quiet;
	atomic_bool	 stop;
	atomic_ulong	 done;
};

/* must - or that is the end */
static void
must(int rc, const struct why *why)
{
	if (rc == -1)
		log_fatal(1, "%s", why->text);
}

/* say - one line, in one write: it is there or not when we are killed */
static void
say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void
say(const char *fmt, ...)
{
	char line[600];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		_exit(2);
}

/* ask_of - key 0 is everybody's; a window that is always now */
static struct ask
ask_of(uint32_t key, int64_t amount)
{
	struct ask ask = { .most = LEDGER_AMOUNT_MAX };

	memcpy(ask.charge.key, &key, sizeof(key));
	ask.charge.kind = LIMIT_CAP;
	ask.charge.tenant = key;
	ask.charge.amount = amount;
	ask.charge.window_end = INT64_C(4102444800) * CLOCK_SECOND;
	ask.charge.name = SLICE("always");
	return ask;
}

/* start - store, counters, writer */
static void
start(struct gate *g, const char *dir, uint64_t map)
{
	uint64_t applied;
	struct why why;
	int64_t time;

	must(store_open(&g->store, dir, map, &why), &why);
	must(store_last(g->store, &applied, &time, &why), &why);
	clock_start(time);
	if ((g->ledger = ledger_new()) == NULL)
		log_fatal(1, "out of memory");
	must(ledger_restore(g->ledger, g->store, &applied, &why), &why);
	must(writer_start(&g->writer, g->store, g->ledger, applied, &why),
	    &why);
}

/* message - one, as the gate would send it */
static void
message(struct gate *g, struct arena *arena, uint32_t random)
{
	static const char padding[PAD_MOST];
	struct ask asks[2] = { ask_of(0, 1 + random % 5),
		ask_of(1 + random / 5 % (KEYS - 1), 1 + random % 5) };
	struct charge charges[2];
	struct claim claim = { 0 };
	struct event e = { .kind = EVENT_ACCEPT, .count = 1,
		.stage = STAGE_MESSAGE, .tenant = SLICE("acme"),
		.charges = charges, .ncharges = 2,
		.text = { padding, g->pad } };
	char id[32];
	struct why why;
	uint64_t seq;

	arena_reset(arena);
	snprintf(id, sizeof(id), "%08x%08lx", random,
	    (unsigned long)(clock_mono() & 0xffffffff));
	e.queue_id = slice_of(id);
	if (ledger_seal(g->ledger, &claim, arena, asks, 2, clock_now(), NULL,
	    NULL) != 1)
		log_fatal(1, "the ledger refuses");
	charges[0] = claim.asks[0].charge;
	charges[1] = claim.asks[1].charge;
	if (writer_commit(g->writer, &e, &seq, &why) == -1) {
		if (!g->quiet)
			say("N %s\n", why.text);
		usleep(10000);
		return;
	}
	atomic_fetch_add(&g->done, 1);
	if (!g->quiet)
		say("A %llu %s %u %lld\n", (unsigned long long)seq, id,
		    1 + random / 5 % (KEYS - 1),
		    (long long)charges[0].amount);
}

/* sender - one session */
static void *
sender(void *arg)
{
	struct gate *g = arg;
	struct arena *arena = arena_new(4096, 0);
	uint32_t random = (uint32_t)(uintptr_t)&random ^ (uint32_t)getpid() ^
	    (uint32_t)clock_mono();

	while (!atomic_load(&g->stop)) {
		random = random * 1664525 + 1013904223;
		message(g, arena, random >> 4);
	}
	arena_free(arena);
	return NULL;
}

/* run_threads - until until(); then a clean end */
static void
run_threads(struct gate *g, int n, void (*until)(struct gate *))
{
	pthread_t threads[64];
	int i;

	for (i = 0; i < n && i < 64; i++)
		if (pthread_create(&threads[i], NULL, sender, g) != 0)
			log_fatal(1, "cannot start a thread");
	until(g);
	atomic_store(&g->stop, true);
	while (i-- > 0)
		pthread_join(threads[i], NULL);
	writer_stop(g->writer);
	ledger_free(g->ledger);
	store_close(g->store);
}

/* until_term - the signal is blocked in all threads */
static void
until_term(struct gate *g)
{
	sigset_t set;
	int sig;

	(void)g;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigwait(&set, &sig);
}

/* write_mail - argv: DIR MAP THREADS PAD DEADLINE */
static int
write_mail(char **argv)
{
	struct gate g = { .pad = strtoul(argv[3], NULL, 10) % PAD_MOST };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	say("P %ld\n", (long)getpid());
	start(&g, argv[0], strtoull(argv[1], NULL, 10));
	/* checkpoints as often as it goes: they shall be cut, too */
	writer_tune(g.writer, strtoll(argv[4], NULL, 10), 1000);
	run_threads(&g, atoi(argv[2]), until_term);
	return 0;
}

/* count - "E seq kind id key amount voids" each, "U key used" each */
static int
count(const char *dir)
{
	struct gate g = { 0 };
	struct arena *arena = arena_new(65536, 0);
	struct slice encoded[256];
	struct counter_view view;
	struct event e;
	struct why why;
	uint64_t next = 1, applied;
	uint32_t key;
	size_t got, i;

	must(store_open(&g.store, dir, 0, &why), &why);
	g.ledger = ledger_new();
	must(ledger_restore(g.ledger, g.store, &applied, &why), &why);
	do {
		arena_reset(arena);
		must(store_read(g.store, next, 256, arena, encoded, &got,
		    &why), &why);
		for (i = 0; i < got; i++) {
			must(event_decode(encoded[i], &e, arena, &why), &why);
			if (e.seq != next++)
				log_fatal(1, "event %llu is missing",
				    (unsigned long long)next - 1);
			key = 0;
			if (e.ncharges == 2)
				memcpy(&key, e.charges[1].key, sizeof(key));
			printf("E %llu %s %.*s %u %lld %llu\n",
			    (unsigned long long)e.seq,
			    event_kind_names[e.kind], SLICE_ARG(e.queue_id),
			    key, e.ncharges == 2 ?
			    (long long)e.charges[1].amount : 0,
			    (unsigned long long)e.voids);
		}
	} while (got > 0);
	if (applied != next - 1)
		log_fatal(1, "restored to another event");
	for (key = 0; key < KEYS; key++) {
		struct ask ask = ask_of(key, 1);

		ledger_view(g.ledger, &ask, CLOCK_DAY, &view);
		if (view.live)
			printf("U %u %lld\n", key, (long long)view.used);
	}
	ledger_free(g.ledger);
	store_close(g.store);
	arena_free(arena);
	return 0;
}

/* own - and do nothing with it */
static int
own(const char *dir)
{
	struct store *store;
	struct why why;
	char c;

	must(store_open(&store, dir, UINT64_C(64) << 20, &why), &why);
	say("open\n");
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	store_close(store);
	return 0;
}

/* verify - 0 well, 1 damaged */
static int
verify(const char *dir)
{
	struct store_tally tally;
	struct why why;

	must(store_verify(dir, &tally, &why), &why);
	printf("%llu\n", (unsigned long long)tally.events);
	return 0;
}

/* copy - live, then verified */
static int
copy(const char *dir, const char *to)
{
	struct store *store;
	struct why why;

	if (store_open_read(&store, dir, &why) != 1)
		log_fatal(1, "cannot read");
	must(db_copy(store_db(store), to, &why), &why);
	store_close(store);
	return verify(to);
}

static unsigned seconds;

/* until_over - the time of a measurement */
static void
until_over(struct gate *g)
{
	struct rusage before, after;
	unsigned long done;
	double cpu;

	getrusage(RUSAGE_SELF, &before);
	done = atomic_load(&g->done);
	sleep(seconds);
	done = atomic_load(&g->done) - done;
	getrusage(RUSAGE_SELF, &after);
	cpu = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec +
	    after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1e6 +
	    (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec +
	    after.ru_stime.tv_usec - before.ru_stime.tv_usec);
	printf("%lu events/s, %.1f us of CPU each\n", done / seconds,
	    done > 0 ? cpu / (double)done : 0);
}

int
main(int argc, char **argv)
{
	struct gate g = { .quiet = true };

	log_open("storage", false, LOG_LEVEL_INFO);
	if (argc == 7 && strcmp(argv[1], "write") == 0)
		return write_mail(argv + 2);
	if (argc == 3 && strcmp(argv[1], "count") == 0)
		return count(argv[2]);
	if (argc == 3 && strcmp(argv[1], "own") == 0)
		return own(argv[2]);
	if (argc == 3 && strcmp(argv[1], "verify") == 0)
		return verify(argv[2]);
	if (argc == 4 && strcmp(argv[1], "copy") == 0)
		return copy(argv[2], argv[3]);
	if (argc == 5 && strcmp(argv[1], "bench") == 0) {
		seconds = (unsigned)atoi(argv[4]);
		start(&g, argv[2], UINT64_C(8) << 30);
		run_threads(&g, atoi(argv[3]), until_over);
		return 0;
	}
	fprintf(stderr, "usage: tests/faults/storage.c says it\n");
	return 2;
}
