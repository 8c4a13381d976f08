/*
 * alert - opening and closing what the parts of penstock-alert share.
 */
#include "tools/alert/alert.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/user.h"

#define ASK	(2 * CLOCK_SECOND)

/* alert_become - who it runs as */
int
alert_become(const struct config *config, struct why *why)
{
	char *dir = xasprintf("%s/watch", config->store);
	int rc = user_settle(config->alert.user, config->store, dir, why);

	free(dir);
	return rc;
}

/* alert_open - its own store; the others when they are there */
int
alert_open(struct alert *a, const struct config *config, struct why *why)
{
	char *dir = xasprintf("%s/watch", config->store);
	int rc;

	*a = (struct alert){ .config = config };
	rc = watch_open(&a->watch, dir, (uint64_t)config->map_size, why);
	free(dir);
	if (rc == 0 && alert_sources(a, why) == -1) {
		alert_close(a);
		rc = -1;
	}
	return rc;
}

/* alert_close - also one that was half open */
void
alert_close(struct alert *a)
{
	outcomes_close(a->outcomes);
	store_close(a->gate);
	db_close(a->watch);
	*a = (struct alert){ .config = a->config };
}

/* let_go - of stores that are not what they were */
static void
let_go(struct alert *a)
{
	struct why why;

	if (a->gate != NULL && db_check_file(store_db(a->gate), &why) == -1) {
		log_warn("%s; opening it anew", why.text);
		store_close(a->gate);
		a->gate = NULL;
	}
	if (a->outcomes != NULL && db_check_file(outcomes_db(a->outcomes),
	    &why) == -1) {
		log_warn("%s; opening it anew", why.text);
		outcomes_close(a->outcomes);
		a->outcomes = NULL;
	}
}

/* alert_sources - those that it reads */
int
alert_sources(struct alert *a, struct why *why)
{
	int64_t now = clock_mono();
	char *dir;
	int got = 0;

	if (a->asked != 0 && now - a->asked < ASK)
		return 0;
	a->asked = now;
	let_go(a);
	if (a->gate == NULL) {
		dir = xasprintf("%s/gate", a->config->store);
		got = store_open_read(&a->gate, dir, why);
		free(dir);
	}
	if (got != -1 && a->outcomes == NULL) {
		dir = xasprintf("%s/outcomes", a->config->store);
		got = outcomes_open_read(&a->outcomes, dir, why);
		free(dir);
	}
	return got == -1 ? -1 : 0;
}

/* alert_now - a clock to go by */
int
alert_now(struct alert *a, int64_t *us, struct why *why)
{
	uint64_t seq;
	int64_t last;

	*us = clock_now();
	if (a->gate == NULL)
		return 0;
	if (store_last(a->gate, &seq, &last, why) == -1)
		return -1;
	if (*us > last + CLOCK_DAY)
		*us = last + CLOCK_DAY;
	return 0;
}
