/*
 * clock - gate time.
 *
 * now = base + (CLOCK_BOOTTIME - boot), never smaller than before.  Each look
 * compares it with the wall clock: the wall ahead by up to 25 h is followed
 * (a correction, or a machine that slept where BOOTTIME did not count); the
 * wall behind is not, since a window that was closed must not open again; a
 * jump of more than 25 h either way is remembered for clock_jumped() and not
 * followed, since a broken clock must neither skip warmup days nor hand out
 * new caps.
 */
#include "lib/clock.h"

#include <pthread.h>
#include <time.h>

#define JUMP	(25 * CLOCK_HOUR)

static struct {
	pthread_mutex_t	lock;
	bool		started;
	int64_t		base;		/* gate time at boot */
	int64_t		boot;		/* CLOCK_BOOTTIME then */
	int64_t		last;		/* the largest handed out */
	int64_t		jump;		/* wall minus gate, when insane */
	int64_t		accepted;	/* the wall stood so far behind, and a
					   person said it is right */
	int64_t		set;		/* tests */
} gate = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* read_clock - one of the system's clocks in us */
static int64_t
read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * CLOCK_SECOND + ts.tv_nsec / 1000;
}

/* clock_wall - what the machine's clock says */
int64_t
clock_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}

/* clock_mono - for deadlines */
int64_t
clock_mono(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/* start - base and boot from the wall and what was stored; lock held */
static void
start(int64_t last_stored)
{
	gate.base = clock_wall();
	gate.boot = read_clock(CLOCK_BOOTTIME);
	gate.jump = gate.accepted = 0;
	if (gate.base < last_stored) {
		if (last_stored - gate.base > JUMP)
			gate.jump = gate.base - last_stored;
		gate.base = last_stored;
	}
	gate.last = gate.base;
	gate.started = true;
}

/* clock_start - the wall clock, but not before what was stored */
void
clock_start(int64_t last_stored)
{
	pthread_mutex_lock(&gate.lock);
	start(last_stored);
	pthread_mutex_unlock(&gate.lock);
}

/* look - gate time; lock held */
static int64_t
look(void)
{
	int64_t now, ahead;

	if (gate.set != 0)
		return gate.set;
	if (!gate.started)
		start(0);
	now = gate.base + (read_clock(CLOCK_BOOTTIME) - gate.boot);
	ahead = clock_wall() - now;
	if (ahead > JUMP || ahead < gate.accepted - JUMP) {
		gate.jump = ahead;
	} else {
		gate.jump = 0;
		if (ahead > 0) {
			gate.base += ahead;
			now += ahead;
		}
	}
	if (now < gate.last)
		now = gate.last;
	gate.last = now;
	return now;
}

/* clock_now - gate time */
int64_t
clock_now(void)
{
	int64_t now;

	pthread_mutex_lock(&gate.lock);
	now = look();
	pthread_mutex_unlock(&gate.lock);
	return now;
}

/* clock_jumped - by how much the wall stands off, when that is insane */
int64_t
clock_jumped(void)
{
	int64_t jump;

	pthread_mutex_lock(&gate.lock);
	look();
	jump = gate.jump;
	pthread_mutex_unlock(&gate.lock);
	return jump;
}

/* clock_accept - a person says the wall is right: forward it is followed, back
 * it is only no longer an alarm, since closed windows stay closed */
void
clock_accept(void)
{
	pthread_mutex_lock(&gate.lock);
	look();
	if (gate.jump > 0)
		gate.base += gate.jump;
	else
		gate.accepted = gate.jump;
	gate.jump = 0;
	pthread_mutex_unlock(&gate.lock);
}

/* clock_set - tests: stand still at this moment, 0 to run again */
void
clock_set(int64_t us)
{
	pthread_mutex_lock(&gate.lock);
	gate.set = us;
	pthread_mutex_unlock(&gate.lock);
}
