/*
 * pacer_world - a gate with a pacer and without libmilter: a policy of the
 * test's, messages that come in by the milter's own steps, time that is set.
 * Included by one test program each.
 */
#ifndef TESTS_UNIT_PACER_WORLD_H
#define TESTS_UNIT_PACER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <ftw.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/provider.h"
#include "lib/released.h"
#include "milter/pacer.h"
#include "milter/stage.h"

#define NOW	(INT64_C(1795000020) * CLOCK_SECOND)	/* a full minute */

static char folder[64];
static struct config config;
static struct gate gate;
static struct why why;
static int64_t now;			/* as set */
static atomic_int queue_ids;
static const char *deliver_to = "example.org";	/* the domain */

/* must - or the reason */
static inline void
must(int rc)
{
	if (rc == -1)
		fail_msg("%s", why.text);
}

/* at - a path in the folder */
static inline const char *
at(const char *name)
{
	static char path[4][200];
	static unsigned n;
	char *p = path[n++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
	return p;
}

/* later - time goes on */
static inline void
later(int64_t us)
{
	now += us;
	clock_set(now);
}

/* policy_of - the gate has this policy from now on */
static inline void
policy_of(const char *text)
{
	struct policy_load args = { .path = at("policy.conf"),
		.keys = config.keys };
	struct arena *arena = arena_new(4096, 0);
	struct problems problems;
	struct policy *p = NULL;
	FILE *f = fopen(at("policy.conf"), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	problems_init(&problems, arena);
	if (policy_load(&args, &p, &problems, &why) != 1)
		fail_msg("policy: %s", problems.first != NULL ?
		    problems.first->text : why.text);
	arena_free(arena);
	policy_drop(gate_swap(&gate, p));
	pacer_wake(gate.pacer);
}

/* start - store, counters as they were, writer, pacer */
static inline void
start(void)
{
	uint64_t applied;

	must(store_open(&gate.store, at("gate"), UINT64_C(256) << 20, &why));
	assert_non_null(gate.ledger = ledger_new());
	must(ledger_restore(gate.ledger, gate.store, &applied, &why));
	must(ledger_restore_shares(gate.ledger, gate.store, gate.policy, now,
	    &why));
	must(writer_start(&gate.writer, gate.store, gate.ledger, applied,
	    &why));
	must(pacer_new(&gate.pacer, &gate, &why));
	pacer_tune(gate.pacer, 0);
}

/* stop - all of that */
static inline void
stop(void)
{
	pacer_stop(gate.pacer);
	writer_stop(gate.writer);
	ledger_free(gate.ledger);
	store_close(gate.store);
	gate.pacer = NULL;
	gate.writer = NULL;
	gate.store = NULL;
}

/* world_begin - set-up with that policy */
static inline void
world_begin(const char *text)
{
	log_open("pacer", false, LOG_LEVEL_ERROR);
	snprintf(folder, sizeof(folder), "/tmp/penstock-pacer-XXXXXX");
	assert_non_null(mkdtemp(folder));
	must(provider_init(&why));
	config = (struct config){ .keys = folder, .store = folder };
	config.milter.instance = "mx1";
	config.milter.max_sessions = 100;
	gate = (struct gate){ .config = &config };
	now = NOW;
	clock_set(now);
	pthread_mutex_init(&gate.policy_lock, NULL);
	assert_non_null(gate.keys = key_cache_new(0));
	policy_of(text);
	start();
}

/* world_unlink - for nftw */
static inline int
world_unlink(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* world_end - everything is gone */
static inline void
world_end(void)
{
	stop();
	policy_drop(gate.policy);
	key_cache_free(gate.keys);
	pthread_mutex_destroy(&gate.policy_lock);
	nftw(folder, world_unlink, 16, FTW_DEPTH | FTW_PHYS);
	clock_set(0);
}

/* deliver - a message of login to n recipients, by the milter's steps: what
 * becomes of it; fine: its edits work */
static inline enum verdict
deliver(const char *login, size_t n, bool fine)
{
	static const struct why refused = { .text = "no such edit" };
	struct sockaddr_in in = { .sin_family = AF_INET };
	char id[32], from[64], to[64], *args[] = { NULL };
	struct envelope e = { .args = args, .login = slice_of(login),
		.listener = SLICE("smtpd") };
	enum verdict verdict = VERDICT_DEFER;
	struct session *s;
	struct answer a;
	size_t i, in_it = 0;

	inet_pton(AF_INET, "198.51.100.7", &in.sin_addr);
	assert_non_null(s = session_new(&gate, (struct sockaddr *)&in));
	snprintf(from, sizeof(from), "a@%s.example", login);
	e.from = slice_of(from);
	snprintf(id, sizeof(id), "4Q%06d", atomic_fetch_add(&queue_ids, 1));
	if (stage_mail(s, &e, &a) != TURN_ON)
		goto out;
	for (i = 0; i < n; i++) {
		snprintf(to, sizeof(to), "<r%zu@%s>", i, deliver_to);
		in_it += stage_rcpt(s, slice_of(to), SLICE("smtp"), &a) ==
		    TURN_ON;
	}
	if (in_it < n)
		goto out;
	stage_header(s, SLICE("From"), slice_of(from));
	if (stage_eoh(s, &a) == TURN_ON &&
	    stage_body(s, "Hello\r\n", 7, &a) == TURN_ON &&
	    stage_eom(s, slice_of(id), &a) == TURN_ACCEPT &&
	    stage_applied(s, fine ? NULL : &refused, &a) == TURN_ACCEPT)
		verdict = s->message.mail.hold.code != NULL ? VERDICT_HOLD :
		    VERDICT_PASS;
out:
	message_settle(s);
	session_free(s);
	return verdict;
}

/* paced - one round; how many were decided */
static inline long
paced(void)
{
	long n = pacer_once(gate.pacer, &why);

	if (n == -1)
		fail_msg("%s", why.text);
	return n;
}

/* in_state - rows that are in that state, oldest first; at most n of them */
static inline size_t
in_state(int state, struct arena *arena, struct held *rows, size_t n)
{
	size_t got;

	must(store_held(gate.store, 0, state, n, arena, rows, &got, &why));
	return got;
}

/* how_many - of them */
static inline size_t
how_many(int state)
{
	struct arena *arena = arena_new(4096, 0);
	static struct held rows[4096];
	size_t n = in_state(state, arena, rows, 4096);

	arena_free(arena);
	return n;
}

#endif
