/*
 * cycle - one thread, so that the store has one writer without a lock.
 *
 * Stores are looked at every TICK: LMDB tells nobody that a row was written,
 * and what is counted here is asked for by people and once a week.
 */
#include "tools/alert/cycle.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/service.h"

enum { TICK = 1000, PARTS = 8 };	/* ms */
#define LOOK	(5 * CLOCK_SECOND)

struct cycle {
	struct alert	*alert;
	const struct cycle_part *parts;
	size_t		 nparts;
	int		 signals;
	bool		 told;		/* to end */
	int64_t		 looked, watched;	/* mono */
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

/* cycle_block - they wait until somebody looks */
void
cycle_block(void)
{
	sigset_t set;

	signal_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* is_reload - or the end */
static bool
is_reload(int signo)
{
	return signo == SIGHUP || signo == SIGUSR1;
}

/* cycle_pause - before there is anything to read again */
bool
cycle_pause(void)
{
	struct timespec second = { .tv_sec = 1 };
	sigset_t set;
	int got;

	signal_set(&set);
	got = sigtimedwait(&set, NULL, &second);
	service_notify("WATCHDOG=1");
	return got > 0 && !is_reload(got);
}

/* listen_signals - what came, if anything */
static void
listen_signals(struct cycle *l)
{
	struct signalfd_siginfo info;

	while (read(l->signals, &info, sizeof(info)) == sizeof(info)) {
		if (!is_reload((int)info.ssi_signo)) {
			l->told = true;
			continue;
		}
		for (size_t i = 0; i < l->nparts; i++)
			if (l->parts[i].reload != NULL)
				l->parts[i].reload(l->parts[i].with);
	}
}

/* wait_all - for signals and for the parts. Fetch: 1 there is more. */
static int
wait_all(struct cycle *l, bool more, struct why *why)
{
	struct pollfd fds[1 + CYCLE_FDS];
	size_t from[PARTS + 1] = { 1 };
	int got, rc = 0;

	fds[0] = (struct pollfd){ .fd = l->signals, .events = POLLIN };
	for (size_t i = 0; i < l->nparts; i++)
		from[i + 1] = from[i] + (l->parts[i].want == NULL ? 0 :
		    l->parts[i].want(l->parts[i].with, fds + from[i],
		    1 + CYCLE_FDS - from[i]));
	if (poll(fds, from[l->nparts], more ? 0 : TICK) == -1)
		return errno == EINTR ? more : why_errno(why, "poll");
	if (fds[0].revents != 0)
		listen_signals(l);
	for (size_t i = 0; i < l->nparts && !l->told; i++) {
		got = l->parts[i].ready(l->parts[i].with, fds + from[i],
		    from[i + 1] - from[i], why);
		if (got == -1)
			return -1;
		rc |= got;
	}
	return rc;
}

/* look_after - what is due by the clock */
static int
look_after(struct cycle *l, int64_t watchdog, struct why *why)
{
	int64_t now = clock_mono();

	if (now - l->looked >= LOOK) {
		l->looked = now;
		db_check_readers(l->alert->watch);
		if (db_check_file(l->alert->watch, why) == -1)
			return -1;
	}
	if (watchdog > 0 && now - l->watched >= watchdog) {
		service_notify("WATCHDOG=1");
		l->watched = now;
	}
	return 0;
}

/* cycle_run - the long part */
int
cycle_run(struct alert *a, const struct cycle_part *parts, size_t n,
    struct why *why)
{
	struct cycle l = { .alert = a, .parts = parts,
		.nparts = n < PARTS ? n : PARTS, .looked = clock_mono() };
	int64_t watchdog = service_watchdog();
	sigset_t set;
	int got = 0;

	signal_set(&set);
	l.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (l.signals == -1)
		return why_errno(why, "cannot listen to signals");
	service_notify("READY=1");
	while (!l.told && got != -1)
		if ((got = wait_all(&l, got == 1, why)) != -1 &&
		    look_after(&l, watchdog, why) == -1)
			got = -1;
	service_notify("STOPPING=1");
	close(l.signals);
	return got == -1 ? -1 : 0;
}

/* cycle_once - all that there is by now */
int
cycle_once(struct alert *a, const struct cycle_part *parts, size_t n,
    struct why *why)
{
	int got, more;

	(void)a;
	do {
		more = 0;
		for (size_t i = 0; i < n; i++) {
			got = parts[i].ready(parts[i].with, NULL, 0, why);
			if (got == -1)
				return -1;
			more |= got;
		}
	} while (more == 1);
	return 0;
}
