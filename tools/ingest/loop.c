/*
 * loop - one thread, so that the store has one writer without a lock: poll,
 * then a turn of each log, then the beat.
 *
 * A log is looked at every TICK: a file has no descriptor that tells of new
 * lines through a rename, and a quarter of a second is soon enough for what
 * became of mail.  A log that has more is not waited for.
 */
#include "tools/ingest/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/service.h"
#include "lib/version.h"
#include "reputation/ingest_status.h"

enum { TICK = 250, PARTS = 8 };		/* ms */
#define BEAT	(5 * CLOCK_SECOND)

struct loop {
	struct ingest	*in;
	struct source	**sources;
	size_t		 nsources;
	const struct loop_part *parts;
	size_t		 nparts;
	int		 signals;
	bool		 told;		/* to end */
	int64_t		 started;
	int64_t		 beaten;	/* mono */
	int64_t		 watched;	/* mono: watchdog */
	uint64_t	*before;	/* lines at the last beat */
};

/* signal_set - those that are ours to wait for */
static void
signal_set(sigset_t *set)
{
	static const int ours[] = { SIGUSR1, SIGUSR2, SIGTERM, SIGINT,
		SIGHUP };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigaddset(set, ours[i]);
}

/* loop_block - they wait until somebody looks */
void
loop_block(void)
{
	sigset_t set;

	signal_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* listen_signals - what came, if anything */
static void
listen_signals(struct loop *l)
{
	struct signalfd_siginfo info;

	while (read(l->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo == SIGHUP || info.ssi_signo == SIGUSR1)
			ingest_reload(l->in);
		else
			l->told = true;
}

/* beat - the status record, without a pid at the end; what a full disk refuses
 * comes with the next */
static void
beat(struct loop *l)
{
	int64_t now = clock_mono(), past = now - l->beaten;
	struct ingest_log *logs = calloc(l->nsources + 1, sizeof(*logs));
	struct ingest_status status = { .pid = l->told ? 0 : getpid(),
		.started = l->started, .heartbeat = clock_wall(),
		.version = SLICE(PENSTOCK_VERSION), .logs = logs,
		.nlogs = l->nsources };
	struct outcomes *o = l->in->outcomes;
	struct buf b = BUF_INIT;
	struct why why;

	for (size_t i = 0; logs != NULL && i < l->nsources; i++) {
		struct source_stat st;

		source_stat(l->sources[i], &st);
		logs[i] = (struct ingest_log){ .lines = st.lines,
			.name = slice_of(source_name(l->sources[i])),
			.rate = past > 0 ? (st.lines - l->before[i]) *
			    (uint64_t)CLOCK_SECOND / (uint64_t)past : 0,
			.done = st.bytes, .size = st.size, .gaps = st.gaps,
			.cut = st.cut, .time = st.time,
			.unread = slice_of(st.unread) };
		l->before[i] = st.lines;
	}
	if (logs != NULL) {
		ingest_status_encode(&status, &b);
		if (!buf_failed(&b) && outcomes_begin(o, &why) == 0) {
			(void)outcomes_put_note(o, INGEST_STATUS,
			    buf_slice(&b), &why);
			(void)outcomes_commit(o, &why);
		}
	}
	db_check_readers(outcomes_db(o));
	l->beaten = now;
	buf_free(&b);
	free(logs);
}

/* wait_all - for signals, for the parts, for the next look at the logs */
static int
wait_all(struct loop *l, bool more, struct why *why)
{
	struct pollfd fds[1 + LOOP_FDS];
	size_t from[PARTS + 1] = { 1 };

	fds[0] = (struct pollfd){ .fd = l->signals, .events = POLLIN };
	for (size_t i = 0; i < l->nparts; i++)
		from[i + 1] = from[i] + l->parts[i].want(l->parts[i].with,
		    fds + from[i], 1 + LOOP_FDS - from[i]);
	if (poll(fds, from[l->nparts], more ? 0 : TICK) == -1) {
		if (errno != EINTR)
			return why_errno(why, "poll");
		return 0;
	}
	if (fds[0].revents != 0)
		listen_signals(l);
	for (size_t i = 0; i < l->nparts; i++)
		if (l->parts[i].ready(l->parts[i].with, fds + from[i],
		    from[i + 1] - from[i], why) == -1)
			return -1;
	return 0;
}

/* look_after - what is due by the clock */
static int
look_after(struct loop *l, int64_t watchdog, struct why *why)
{
	int64_t now = clock_mono();

	if (now - l->beaten >= BEAT) {
		beat(l);
		if (db_check_file(outcomes_db(l->in->outcomes), why) == -1)
			return -1;
	}
	if (watchdog > 0 && now - l->watched >= watchdog) {
		service_notify("WATCHDOG=1");
		l->watched = now;
	}
	return 0;
}

/* turn_round - until told */
static int
turn_round(struct loop *l, struct why *why)
{
	int64_t watchdog = service_watchdog();
	bool more = false;

	while (!l->told) {
		if (wait_all(l, more, why) == -1)
			return -1;
		more = false;
		for (size_t i = 0; i < l->nsources && !l->told; i++) {
			int got = source_pump(l->sources[i], why);

			if (got == -1)
				return -1;
			more |= got == 1;
		}
		if (look_after(l, watchdog, why) == -1)
			return -1;
	}
	service_notify("STOPPING=1");
	beat(l);
	return 0;
}

/* loop_run - the long part */
int
loop_run(struct ingest *in, struct source **sources, size_t nsources,
    const struct loop_part *parts, size_t nparts, struct why *why)
{
	struct loop l = { .in = in, .sources = sources, .nsources = nsources,
		.parts = parts, .nparts = nparts < PARTS ? nparts : PARTS,
		.started = clock_wall(), .beaten = clock_mono() };
	sigset_t set;
	int rc = -1;

	signal_set(&set);
	l.before = calloc(nsources + 1, sizeof(*l.before));
	l.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (l.before == NULL || l.signals == -1) {
		why_errno(why, "cannot listen to signals");
		goto out;
	}
	beat(&l);
	service_notify("READY=1");
	rc = turn_round(&l, why);
out:
	if (l.signals != -1)
		close(l.signals);
	free(l.before);
	return rc;
}
