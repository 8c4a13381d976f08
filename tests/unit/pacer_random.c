/*
 * Sessions at the same time, a pacer beside them, kill -9 and restarts, time
 * that jumps: whatever happens, no window of a cap has more than its number, no
 * message goes twice, and nobody is forgotten.  There are caps of tenants and
 * groups, which are charged when a message comes, and of a fair pool and its
 * address, which are when it goes.  And tenants who all wait get the same, to
 * within 5 %, or what their weights say where a pool is fair.
 *
 * The gate runs in a child that is killed at a random moment; what is true is
 * read from the store afterwards.  ROUNDS rounds of sending and pacing (default
 * 50), 16 of them to a schedule, from PACER_SEED on; and a 500th of them of a
 * queue of 1,500 that goes within 40 minutes and some restarts.
 */
#include "tests/unit/pacer_world.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "lib/map.h"

enum { SHARED = 30, OWN = 17, CALM = 9, WAY = 23, ADDRESS = 200 };

static const char policy[] =
    "timezone = \"UTC\"\n"
    "pool \"w\" { fair = \"tenant\"\n"
    "  cap \"way\" { limit = \"23/minute\"  over = \"hold\" }\n"
    "  address \"192.0.2.1\" { transport = \"w1\"\n"
    "    cap \"address\" { limit = \"200/hour\"  over = \"hold\" } } }\n"
    "group \"g\" { cap \"shared\" { limit = \"30/minute\"  over = \"hold\" } }\n"
    "tenant \"a\" { group = \"g\"  logins = {\"a\"}\n"
    "  domains = {\"a.example\"} }\n"
    "tenant \"b\" { group = \"g\"  logins = {\"b\"}\n"
    "  domains = {\"b.example\"}\n"
    "  cap \"own\" { limit = \"17/minute\"  over = \"hold\" } }\n"
    "tenant \"c\" { group = \"g\"  logins = {\"c\"}\n"
    "  domains = {\"c.example\"}\n"
    "  cap \"calm\" { limit = \"9/minute\" } }\n"
    "tenant \"d\" { pool \"w\" { }  logins = {\"d\"}\n"
    "  domains = {\"d.example\"}  priority = \"bulk\"  fair_weight = 2 }\n"
    "tenant \"e\" { group = \"g\"  pool \"w\" { }  logins = {\"e\"}\n"
    "  domains = {\"e.example\"} }\n";
static const char *const tenants[] = { "a", "b", "c", "d", "e" };
static const struct {
	struct slice	name;
	int64_t		most;
} caps[] = {
	{ SLICE("shared"), SHARED }, { SLICE("own"), OWN },
	{ SLICE("calm"), CALM }, { SLICE("way"), WAY },
	{ SLICE("address"), ADDRESS },
};

/* What outlives a child. */
static struct {
	int64_t		now;
	atomic_int	ids;
} *outlives;

static uint64_t dice_state;

/* dice - 0 to n - 1 (xorshift) */
static unsigned
dice(unsigned n)
{
	dice_state ^= dice_state << 13;
	dice_state ^= dice_state >> 7;
	dice_state ^= dice_state << 17;
	return (unsigned)(dice_state >> 33) % n;
}

/* --- the gate, in a child ------------------------------------------------- */

struct sender {
	pthread_t	 thread;
	unsigned	 seed, n;
};

/* busy - some messages, one after the other */
static void *
busy(void *arg)
{
	struct sender *s = arg;

	for (unsigned i = 0; i < s->n; i++) {
		unsigned r = rand_r(&s->seed);

		(void)deliver(tenants[r % 5], 1 + r / 5 % 3, r / 15 % 20 != 0);
		outlives->ids = atomic_load(&queue_ids);
	}
	return NULL;
}

/* step - two who send, and the pacer between them; then time goes on */
static void
step(void)
{
	struct sender senders[2];
	unsigned i;

	for (i = 0; i < 2; i++) {
		senders[i] = (struct sender){ .seed = dice(1u << 30),
			.n = dice(12) };
		assert_int_equal(pthread_create(&senders[i].thread, NULL,
		    busy, &senders[i]), 0);
	}
	for (i = dice(4); i > 0; i--)
		(void)paced();
	for (i = 0; i < 2; i++)
		pthread_join(senders[i].thread, NULL);
	later((int64_t)dice(40) * CLOCK_SECOND);
	outlives->now = now;
	(void)paced();
}

/* live - one life of the gate */
static void
live(unsigned steps)
{
	now = outlives->now;
	clock_set(now);
	atomic_store(&queue_ids, outlives->ids + 100);
	start();
	while (steps-- > 0)
		step();
	stop();
	_exit(0);
}

/* one_life - until its end, or a kill */
static void
one_life(void)
{
	unsigned after = dice(3) == 0 ? 0 : 1 + dice(200000);
	pid_t pid = fork();
	int status;

	assert_true(pid != -1);
	if (pid == 0)
		live(1 + dice(12));
	if (after > 0) {
		usleep(after);
		(void)kill(pid, SIGKILL);
	}
	assert_true(waitpid(pid, &status, 0) == pid);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		assert_int_equal(status, 0);
	/* the child's dice are not ours */
	(void)dice(2);
}

/* --- what is true --------------------------------------------------------- */

struct window_sum {
	uint8_t		 id[16 + 8];	/* key and window */
	int64_t		 sum, most;
};

static struct map *sums, *gone;

/* window_of - the sum of that charge's window */
static struct window_sum *
window_of(const struct charge *c)
{
	struct window_sum *s = calloc(1, sizeof(*s)), *was;
	int64_t window = c->kind == LIMIT_CAP ? c->window : 0;

	assert_non_null(s);
	memcpy(s->id, c->key, 16);
	memcpy(s->id + 16, &window, 8);
	was = map_get(sums, (struct slice){ (char *)s->id, sizeof(s->id) });
	if (was != NULL) {
		free(s);
		return was;
	}
	s->most = c->kind == LIMIT_HELD ? INT64_MAX : 0;
	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
		if (c->kind == LIMIT_CAP && slice_eq(c->name, caps[i].name))
			s->most = caps[i].most;
	assert_true(s->most > 0);
	must(map_set(sums, (struct slice){ (char *)s->id, sizeof(s->id) }, s));
	return s;
}

/* count - one event; charges are given back by its void */
static void
count(const struct event *e)
{
	static const char yes[] = "";
	struct window_sum *s;
	uint64_t *seq;

	for (size_t i = 0; i < e->ncharges; i++) {
		s = window_of(&e->charges[i]);
		s->sum += e->kind == EVENT_VOID ? -e->charges[i].amount :
		    e->charges[i].amount;
	}
	if (e->kind != EVENT_RELEASE)
		return;
	assert_non_null(seq = malloc(sizeof(*seq)));
	*seq = e->voids;
	if (map_get(gone, (struct slice){ (char *)seq, 8 }) != NULL)
		fail_msg("held message %llu went twice",
		    (unsigned long long)*seq);
	must(map_set(gone, (struct slice){ (char *)seq, 8 },
	    (void *)(uintptr_t)yes));
}

/* check - every event of the store; empty: nothing waits any more */
static void
check(bool empty)
{
	struct arena *arena = arena_new(1 << 16, 0);
	struct slice encoded[256], key;
	struct event e;
	uint64_t seq = 0;
	size_t got, at = 0;
	void *value;

	sums = map_new();
	gone = map_new();
	do {
		arena_reset(arena);
		must(store_read(gate.store, seq + 1, 256, arena, encoded,
		    &got, &why));
		for (size_t i = 0; i < got; i++) {
			must(event_decode(encoded[i], &e, arena, &why));
			seq = e.seq;
			count(&e);
		}
	} while (got > 0);
	while (map_next(sums, &at, &key, &value)) {
		const struct window_sum *s = value;

		if (s->sum > s->most || s->sum < 0 || (empty &&
		    s->most == INT64_MAX && s->sum != 0))
			fail_msg("a counter has %lld of %lld",
			    (long long)s->sum, (long long)s->most);
	}
	for (at = 0; map_next(sums, &at, &key, &value);)
		free(value);
	for (at = 0; map_next(gone, &at, &key, &value);)
		free((void *)(uintptr_t)key.p);
	map_free(sums);
	map_free(gone);
	arena_free(arena);
}

/* drain - nobody sends any more: all that waits goes, or goes back */
static void
drain(void)
{
	int minutes = 0;

	while (how_many(HELD_WAITING) > 0) {
		if (++minutes > 24 * 60 + 2)
			fail_msg("%zu are forgotten", how_many(HELD_WAITING));
		later(CLOCK_MINUTE);
		(void)paced();
	}
}

static void
no_cap_is_exceeded_and_nobody_forgotten(void **state)
{
	const char *rounds = getenv("ROUNDS"), *seed = getenv("PACER_SEED");
	unsigned long n = rounds != NULL ? strtoul(rounds, NULL, 10) : 50,
	    first = seed != NULL ? strtoul(seed, NULL, 10) : 1;
	struct store_tally tally;
	char dir[100];

	(void)state;
	n = n / 16 > 0 ? n / 16 : 1;
	outlives = mmap(NULL, sizeof(*outlives), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(outlives != MAP_FAILED);
	for (unsigned long i = 0; i < n; i++) {
		dice_state = (first + i) * UINT64_C(0x9e3779b97f4a7c15);
		world_begin(policy);
		stop();
		outlives->now = now;
		for (int lives = 3; lives > 0; lives--)
			one_life();
		snprintf(dir, sizeof(dir), "%s", at("gate"));
		if (store_verify(dir, &tally, &why) == -1)
			fail_msg("seed %lu: %s", first + i, why.text);
		now = outlives->now;
		clock_set(now);
		start();
		check(false);
		drain();
		check(true);
		world_end();
	}
}

/* Who waits in one queue: a has large messages, b small ones, c both; but none
 * that is as large as his part of a minute. */
static const char equal[] =
    "timezone = \"UTC\"\n"
    "hold_max = \"24h\"\n"
    "group \"g\" { cap \"shared\" { limit = \"31/minute\"\n"
    "  over = \"hold\" } }\n"
    "tenant \"a\" { group = \"g\"  logins = {\"a\"}\n"
    "  domains = {\"a.example\"} }\n"
    "tenant \"b\" { group = \"g\"  logins = {\"b\"}\n"
    "  domains = {\"b.example\"} }\n"
    "tenant \"c\" { group = \"g\"  logins = {\"c\"}\n"
    "  domains = {\"c.example\"} }\n";
static const char weighed[] =
    "timezone = \"UTC\"\n"
    "hold_max = \"24h\"  priority = \"bulk\"\n"
    "pool \"w\" { fair = \"tenant\"\n"
    "  cap \"shared\" { limit = \"70/minute\"  over = \"hold\" }\n"
    "  address \"192.0.2.1\" { transport = \"w1\" } }\n"
    "tenant \"a\" { pool \"w\" { }  fair_weight = 4  logins = {\"a\"}\n"
    "  domains = {\"a.example\"} }\n"
    "tenant \"b\" { pool \"w\" { }  fair_weight = 2  logins = {\"b\"}\n"
    "  domains = {\"b.example\"} }\n"
    "tenant \"c\" { pool \"w\" { }  logins = {\"c\"}\n"
    "  domains = {\"c.example\"} }\n";

/* let_go - recipients of each of three tenants, from that event on */
static void
let_go(uint64_t seq, int64_t got[3])
{
	struct arena *arena = arena_new(1 << 16, 0);
	struct slice encoded;
	struct event e;
	size_t n;

	got[0] = got[1] = got[2] = 0;
	for (;; seq++) {
		arena_reset(arena);
		must(store_read(gate.store, seq, 1, arena, &encoded, &n,
		    &why));
		if (n == 0)
			break;
		must(event_decode(encoded, &e, arena, &why));
		if (e.kind == EVENT_RELEASE)
			got[e.tenant.p[0] - 'a'] += (int64_t)e.nrecipients;
	}
	arena_free(arena);
}

/* crowd - who all wait, and go within 40 minutes with some restarts; each gets
 * what his weight says, to within 5 % and a message */
static void
crowd(uint64_t seed, const char *text, const int weights[3], int large,
    int64_t most)
{
	int64_t got[3], all, sum = weights[0] + weights[1] + weights[2];

	dice_state = seed * UINT64_C(0x9e3779b97f4a7c15);
	world_begin(text);
	for (int i = 0; i < 300; i++) {
		(void)deliver("a", 5, true);
		(void)deliver("a", 3 + dice(3), true);
		(void)deliver("b", 1 + dice(2), true);
		(void)deliver("b", 1, true);
		(void)deliver("c", 1 + dice((unsigned)large), true);
	}
	for (int half = 0; half < 80; half++) {
		later(CLOCK_MINUTE / 2);
		(void)paced();
		if (dice(14) == 0) {
			stop();
			start();
			(void)paced();
		}
	}
	let_go(1, got);
	all = got[0] + got[1] + got[2];
	for (int i = 0; i < 3; i++)
		if (llabs(got[i] - all * weights[i] / sum) >
		    all * weights[i] / sum / 20 + large)
			fail_msg("seed %llu: shares %lld, %lld, %lld",
			    (unsigned long long)seed, (long long)got[0],
			    (long long)got[1], (long long)got[2]);
	assert_true(how_many(HELD_WAITING) > 100);
	assert_true(all > 40 * most * 8 / 10);
	world_end();
}

/* some - a part of ROUNDS, at least one */
static uint64_t
some(uint64_t part)
{
	const char *rounds = getenv("ROUNDS");
	uint64_t n = rounds != NULL ? strtoull(rounds, NULL, 10) : 50;

	return n / part > 0 ? n / part : 1;
}

static void
who_all_wait_get_the_same(void **state)
{
	static const int weights[] = { 1, 1, 1 };

	(void)state;
	for (uint64_t seed = 1; seed <= some(500); seed++)
		crowd(seed, equal, weights, 7, 31);
}

static void
who_all_wait_get_what_their_weights_say(void **state)
{
	static const int weights[] = { 4, 2, 1 };

	(void)state;
	for (uint64_t seed = 1; seed <= some(500); seed++)
		crowd(seed + 1000, weighed, weights, 3, 56);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_cap_is_exceeded_and_nobody_forgotten),
		cmocka_unit_test(who_all_wait_get_the_same),
		cmocka_unit_test(who_all_wait_get_what_their_weights_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
