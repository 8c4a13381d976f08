/*
 * life - the main thread waits for signals; smfi_main runs in another.
 *
 * Why so: libmilter waits for SIGTERM, SIGINT and SIGHUP itself, answers them
 * after up to five seconds and lets the messages under way fall.  A signal to
 * a process goes to its main thread first, if that one waits for it; so the
 * main thread waits, and a drain follows.  Should a signal reach libmilter all
 * the same (while the main thread is busy, a matter of microseconds), it stops
 * in its way, smfi_main returns, and the end is the same but for the messages.
 *
 * The end.  When "stopping" is set no callback gets past its door, those
 * inside are waited for (they wait for a commit at most), and then the writer
 * can be stopped.  Threads of libmilter stay; they find nothing to do.
 */
#include "milter/life.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/service.h"
#include "milter/gate.h"

#define ASIDE		10	/* nice(2) of threads that work beside mail */
#define TICK		(500 * INT64_C(1000))	/* us: at least this often */
#define DRAIN_TICK	(10 * INT64_C(1000))
#define LAST_WAIT	(WRITER_DEADLINE + CLOCK_SECOND)

struct life {
	struct gate	*gate;
	struct reload	*reload;
	struct listener	*listener;
	sigset_t	 signals;
	pthread_t	 server;
	atomic_bool	 returned;	/* smfi_main did */
	int		 result;	/* what it said */
	int64_t		 watchdog;	/* us between beats; 0: nobody asks */
	int64_t		 beaten;
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

/* life_aside - Linux counts nice(2) by thread, whatever POSIX says */
void
life_aside(void)
{
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), ASIDE);
}

/* life_block - threads made later inherit it */
void
life_block(void)
{
	sigset_t set;

	signal_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* watchdog - a beat of ours for every beat of the writer */
static void
watchdog(struct life *l)
{
	int64_t now = clock_mono();

	if (l->watchdog == 0 || now - l->beaten < l->watchdog)
		return;
	if (!writer_beats(l->gate->writer)) {
		log_error("the writer does not beat: no word to the watchdog");
		l->beaten = now;
		return;
	}
	service_notify("WATCHDOG=1");
	l->beaten = now;
}

/* serve - libmilter's thread */
static void *
serve(void *arg)
{
	struct life *l = arg;

	l->result = smfi_main();
	atomic_store(&l->returned, true);
	return NULL;
}

/* start - libmilter gets the socket and runs */
static int
start(struct life *l, struct why *why)
{
	char conn[32];
	int err;

	snprintf(conn, sizeof(conn), "fd:%d", l->listener->fd);
	if (gate_register(l->gate, why) == -1)
		return -1;
	if (smfi_setconn(conn) != MI_SUCCESS)
		return why_set(why, "libmilter does not take the socket");
	(void)smfi_settimeout((int)(l->gate->config->milter.timeout /
	    CLOCK_SECOND));
	if ((err = pthread_create(&l->server, NULL, serve, l)) != 0) {
		errno = err;
		return why_errno(why, "cannot start libmilter's thread");
	}
	return 0;
}

/* wait_signal - the next of ours, 0 after us without one */
static int
wait_signal(const struct life *l, int64_t us)
{
	struct timespec ts = { .tv_sec = us / CLOCK_SECOND,
		.tv_nsec = us % CLOCK_SECOND * 1000 };
	int got = sigtimedwait(&l->signals, NULL, &ts);

	return got == -1 ? 0 : got;
}

/* until_told - serve; the signal that ends it, 0 when libmilter gave up */
static int
until_told(struct life *l)
{
	int64_t tick = l->watchdog > 0 && l->watchdog < TICK * 2 ?
	    l->watchdog / 2 : TICK;
	int got;

	while (!atomic_load(&l->returned)) {
		got = wait_signal(l, tick);
		watchdog(l);
		if (got == SIGUSR1)
			reload_request(l->reload);
		else if (got == SIGHUP)
			log_warn("SIGHUP does nothing here; SIGUSR1, or "
			    "penstock reload, reads the policy again");
		else if (got != 0)
			return got;
	}
	return 0;
}

/* drain - open messages may end, new ones may not begin */
static void
drain(struct life *l)
{
	int64_t deadline = clock_mono() + l->gate->config->milter.drain;
	struct why why;
	int got;

	log_info("draining: %ld open messages on %ld connections",
	    atomic_load(&l->gate->messages), atomic_load(&l->gate->sessions));
	service_notify("STOPPING=1");
	atomic_store(&l->gate->draining, true);
	writer_draining(l->gate->writer);
	if (listener_quiet(l->listener, &why) == -1)
		log_error("drain: %s", why.text);
	while (atomic_load(&l->gate->messages) > 0 &&
	    clock_mono() < deadline) {
		got = wait_signal(l, DRAIN_TICK);
		watchdog(l);
		if (got != 0 && got != SIGUSR1 && got != SIGHUP)
			break;		/* asked twice */
	}
}

/* shut - no callback gets in, those inside come out */
static void
shut(struct gate *gate)
{
	int64_t deadline = clock_mono() + LAST_WAIT;
	struct timespec ms = { .tv_nsec = 1000000 };
	long left;

	atomic_store(&gate->stopping, true);
	while (atomic_load(&gate->inside) > 0 && clock_mono() < deadline)
		nanosleep(&ms, NULL);
	if ((left = atomic_load(&gate->messages)) > 0)
		log_warn("messages cut off, kept by their clients: %ld", left);
}

/* life_run - the long part */
int
life_run(struct gate *gate, struct reload *reload, struct listener *listener,
    struct why *why)
{
	/* On the heap: after a drain libmilter's thread lives on with it. */
	struct life *l = xcalloc(1, sizeof(*l));
	int told, rc = 0;

	*l = (struct life){
		.gate = gate,
		.reload = reload,
		.listener = listener,
		.watchdog = service_watchdog(),
	};
	signal_set(&l->signals);
	if (start(l, why) == -1) {
		free(l);
		return -1;
	}
	log_info("ready on %s", gate->config->milter.socket);
	service_notify("READY=1");
	if ((told = until_told(l)) != 0)
		drain(l);
	shut(gate);
	if (told == 0) {
		pthread_join(l->server, NULL);
		if (l->result != MI_SUCCESS)
			rc = why_set(why, "libmilter gave up; the reason is "
			    "in the log of facility daemon");
		free(l);
	}
	return rc;
}
