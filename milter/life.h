/*
 * life - from "ready" to the last flush: signals, the watchdog, the drain.
 *
 *	SIGUSR1			read the policy again
 *	SIGUSR2, TERM, INT	drain: no new message, finish those that are
 *				open, within config.milter.drain; again: now
 *	SIGHUP			nothing, said in the log
 *
 * Threads: life_block before any other thread; the rest from main.
 */
#ifndef MILTER_LIFE_H
#define MILTER_LIFE_H

#include "lib/listener.h"
#include "milter/reload.h"

/* So that only the main thread and libmilter take them. */
void	life_block(void);
/* Of a thread that works beside mail: whoever answers a client goes first. */
void	life_aside(void);
/* Serves until it is told to stop. 0: asked to; -1: libmilter gave up. When
 * it returns, no callback of ours runs any more, and none will. */
int	life_run(struct gate *, struct reload *, struct listener *,
	    struct why *);

#endif
