/*
 * judge STORE [unjudged] - a watch/ store for tests of the command line: nine
 * weeks of mail that end with the week before this one, its last two weeks
 * judged (or none), and what a provider said of some domains.
 *
 * Tenant good is well; bad has a list of which 12 % bounce, is blocked by
 * Yahoo and shares pool b2b with good; many has 24 domains, of which Google
 * says that those with an even number are well and the others are not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/date.h"
#include "lib/store.h"
#include "reputation/score.h"
#include "reputation/snapshot.h"
#include "reputation/watch.h"

enum { DAYS = 63, DOMAINS = 24 };

static struct why why;
static struct db_txn *txn;

/* must - or the reason */
static void
must(int rc)
{
	if (rc == -1) {
		fprintf(stderr, "judge: %s\n", why.text);
		exit(1);
	}
}

/* put - one cell of a day */
static void
put(int32_t day, const char *tenant, const char *domain, const char *pool,
    const char *provider, uint64_t n, uint64_t hard, uint64_t blocked)
{
	struct cell c = { .at = day, .group = SLICE("agency"),
		.tenant = slice_of(tenant), .domain = slice_of(domain),
		.stream = SLICE("news"), .pool = slice_of(pool),
		.address = strcmp(pool, "b2b") == 0 ? SLICE("192.0.2.10") :
		SLICE("192.0.2.20"), .provider = slice_of(provider) };

	c.n[TALLY_ACCEPTED] = n;
	c.n[TALLY_HARD] = hard;
	c.n[TALLY_BLOCKED] = blocked;
	c.n[TALLY_DELIVERED] = n - hard - blocked;
	c.n[TALLY_FEEDBACK] = strcmp(provider, "yahoo") == 0 ?
	    c.n[TALLY_DELIVERED] : 0;
	must(rollup_put(txn, GRAIN_DAY, &c, &why));
}

/* refused - what a tenant was refused on a day who sent nothing: the senders
 * were not his */
static void
refused(int32_t day, const char *tenant, uint64_t n)
{
	struct cell c = { .at = day, .tenant = slice_of(tenant),
		.n = { [TALLY_REFUSED] = n, [TALLY_VIOLATED] = n } };

	must(rollup_put(txn, GRAIN_DAY, &c, &why));
}

/* said - Google's spam rate of a domain, on the last seven days */
static void
said(int32_t day, const char *domain, bool well)
{
	for (int32_t d = day - 7; d < day; d++) {
		struct snapshot s = { .provider = SLICE("google"),
			.subject_type = SLICE("domain"),
			.subject = slice_of(domain),
			.metric = SLICE("spam_rate"), .value = well ?
			SLICE("0.0004") : SLICE("0.002"),
			.unit = SLICE("share"), .begin = d, .end = d,
			.taken = day * CLOCK_DAY, .fetched = day * CLOCK_DAY,
			.source = SLICE("file"), .note = SLICE("") };

		must(snapshots_put(txn, WATCH_SNAPSHOTS, &s, &why));
	}
}

int
main(int argc, char **argv)
{
	int64_t today = clock_wall() / CLOCK_DAY;
	int32_t monday = (int32_t)(today - date_weekday(today));
	struct arena *arena = arena_new(4096, 0);
	struct problems problems;
	struct knots *k;
	struct db *watch;
	char dir[512], domain[32];
	size_t judged = 0;

	if (argc < 2 || arena == NULL)
		return 2;
	problems_init(&problems, arena);
	must(knots_load(NULL, &k, &problems, &why));
	snprintf(dir, sizeof(dir), "%s/watch", argv[1]);
	must(watch_open(&watch, dir, UINT64_C(64) << 20, &why));
	must(db_begin(watch, true, &txn, &why));
	for (int32_t day = monday - DAYS; day < monday; day++) {
		put(day, "good", "good.example", "b2b", "yahoo", 900, 2, 0);
		put(day, "bad", "bad.example", "b2b", "yahoo", 400, 48, 40);
		put(day, "bad", "bad.example", "b2b", "google", 600, 72, 4);
		for (int i = 0; i < DOMAINS; i++) {
			snprintf(domain, sizeof(domain), "d%02d.example", i);
			put(day, "many", domain, "b2c", "google", 10000,
			    i % 2 == 0 ? 300 : 450, 0);
		}
	}
	refused(monday - 3, "rogue", 200);
	for (int i = 0; i < DOMAINS; i++) {
		snprintf(domain, sizeof(domain), "d%02d.example", i);
		said(monday, domain, i % 2 == 0);
	}
	must(db_commit(txn, &why));
	for (int32_t day = monday - 7; argc == 2 && day <= monday; day += 7)
		must(scores_run(watch, NULL, k, day, &judged, &why));
	printf("%zu\n", judged);
	db_close(watch);
	knots_free(k);
	arena_free(arena);
	return 0;
}
