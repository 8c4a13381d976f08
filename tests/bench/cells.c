/*
 * cells - a week of a house, and a walk over what was counted of it.
 *
 *	cells fill FOLDER EVENTS TENANTS	a gate's store
 *	cells walk FOLDER			sums of the week in watch/
 *
 * Events as a busy gate writes them: three charges, two signatures, mostly one
 * recipient.  Some tenants send much and most send little; mail leaves by two
 * pools of two addresses, to nine providers, in two streams of each tenant.
 * Always the same ones for the same numbers.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/provider.h"
#include "lib/store.h"
#include "reputation/sums.h"

#define MAP	(UINT64_C(64) << 30)
#define DAY	(24 * 3600 * INT64_C(1000000))
enum { BATCH = 100000, D0 = 20605 /* a Monday */, DAYS = 7 };

static const char *const providers[] = { "google", "google", "google",
	"google", "outlook", "outlook", "yahoo", "yahoo", "apple",
	"gmx_webde", "office365", "office365", "other", "other",
	"unresolved", "comcast" };
static const char *const addresses[] = { "192.0.2.10", "192.0.2.11",
	"198.51.100.10", "198.51.100.11" };

/* stop - with the reason */
static void
stop(const char *what)
{
	fprintf(stderr, "cells: %s\n", what);
	exit(1);
}

/* next - of a sequence that looks random (SplitMix64) */
static uint64_t
next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* text - formatted into a room of its own */
#define TEXT(room, ...) ((struct slice){ room, (size_t)snprintf(room, \
	    sizeof(room), __VA_ARGS__) })

/* one - the i-th of n */
static void
one(struct store *store, uint64_t i, uint64_t n, uint64_t tenants,
    uint64_t *state, struct buf *b)
{
	static struct charge charges[3] = {
		{ .kind = LIMIT_THROTTLE, .amount = 1, .rate = 1000,
		  .period = INT64_C(3600000000), .name = SLICE("steady"),
		  .rule = SLICE("tenants.d/plans.conf:14") },
		{ .kind = LIMIT_CAP, .amount = 1, .name = SLICE("daily"),
		  .rule = SLICE("tenants.d/plans.conf:15") },
		{ .kind = LIMIT_CAP, .amount = 1, .name = SLICE("google"),
		  .rule = SLICE("policy.conf:31") } };
	static struct event_signature signatures[2] = {
		{ SLICE("example.net"), SLICE("p2026a") },
		{ SLICE("platform.example"), SLICE("s1") } };
	uint64_t r = next(state), who = r % tenants * (r >> 20 & 1023) / 1023;
	char tenant[24], group[24], domain[40], from[48], id[24], msgid[64],
	    rcpt[3][40];
	struct slice domains[1];
	struct event_recipient to[3];
	struct event e = { .kind = EVENT_ACCEPT, .stage = STAGE_MESSAGE,
		.count = 1, .size = 9000 + (int64_t)(r >> 50),
		.charges = charges, .ncharges = 3, .signatures = signatures,
		.nsignatures = 2, .recipients = to, .client =
		SLICE("203.0.113.77"), .listener = SLICE("submission"),
		.rule = SLICE("tenants.d/plans.conf:3") };
	struct why why;
	uint64_t seq;

	e.tenant = TEXT(tenant, "tenant%" PRIu64, who);
	e.login = e.tenant;
	e.group = TEXT(group, "agency%" PRIu64, who % 11);
	domains[0] = TEXT(domain, "mail%" PRIu64 ".example", who);
	e.from_domains = domains;
	e.nfrom_domains = 1;
	e.mail_from = TEXT(from, "news@%s", domain);
	e.stream = r >> 32 & 3 ? SLICE("marketing") : SLICE("receipts");
	e.matched = SLICE("sender:news@*");
	e.pool = who & 1 ? SLICE("b2b") : SLICE("main");
	e.address = slice_of(addresses[2 * (who & 1) + (r >> 34 & 1)]);
	e.queue_id = TEXT(id, "4b%013" PRIX64, i);
	e.message_id = TEXT(msgid, "<%016" PRIx64 "@%s>", r, domain);
	e.nrecipients = (r >> 36 & 7) == 0 ? 3 : 1;
	for (size_t k = 0; k < e.nrecipients; k++) {
		to[k] = (struct event_recipient){ .domain =
			SLICE("dest.example"), .provider =
			slice_of(providers[next(state) % 16]) };
		to[k].address = TEXT(rcpt[k], "user%" PRIu64 "@dest.example",
		    r >> 40);
	}
	buf_reset(b);
	event_encode(&e, b);
	if (buf_failed(b) || store_append(store, buf_slice(b), D0 * DAY +
	    (int64_t)((double)DAYS * DAY / (double)n * (double)i), SLICE_NONE,
	    &seq, &why) == -1)
		stop("cannot append");
}

/* fill - the events */
static void
fill(const char *dir, uint64_t n, uint64_t tenants)
{
	uint64_t state = 7;
	struct buf b = BUF_INIT;
	struct store *store;
	struct why why;

	if (store_open(&store, dir, MAP, &why) == -1)
		stop(why.text);
	for (uint64_t i = 0; i < n; i++) {
		if (i % BATCH == 0 && ((i > 0 && store_commit(store,
		    &why) == -1) || store_begin(store, &why) == -1))
			stop(why.text);
		one(store, i, n, tenants, &state, &b);
	}
	if (n > 0 && store_commit(store, &why) == -1)
		stop(why.text);
	store_close(store);
	buf_free(&b);
}

/* seconds - of CPU or of the wall */
static double
seconds(clockid_t which)
{
	struct timespec t;

	clock_gettime(which, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* walk - what a weekly report reads; and twice that, as a score does */
static void
walk(const char *dir)
{
	double wall = seconds(CLOCK_MONOTONIC);
	double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	const struct sum *all;
	struct sums *sums;
	struct db *watch;
	struct db_stat st;
	struct why why;
	size_t tenants;

	if (watch_open_read(&watch, dir, &why) != 1 || db_stat(watch, &st,
	    &why) == -1 || sums_new(&sums, D0, DAYS, DAYS, NULL,
	    &why) == -1 || sums_read(sums, watch, &why) == -1)
		stop(why.text);
	(void)sums_of(sums, SUBJECT_TENANT, &tenants);
	all = sums_find(sums, SUBJECT_PLATFORM, SLICE(""));
	printf("{\"messages\":%" PRIu64 ",\"tenants\":%zu,\"hours\":%" PRIu64
	    ",\"days\":%" PRIu64 ",\"seconds\":%.3f,\"cpu\":%.3f,"
	    "\"bytes\":%" PRIu64 "}\n", all != NULL ?
	    all->all[TALLY_MESSAGES] : 0, tenants, st.entries[WATCH_HOURS],
	    st.entries[WATCH_DAYS], seconds(CLOCK_MONOTONIC) - wall,
	    seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, st.used);
	sums_free(sums);
	db_close(watch);
}

int
main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "fill") == 0)
		fill(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4],
		    NULL, 10));
	else if (argc == 3 && strcmp(argv[1], "walk") == 0)
		walk(argv[2]);
	else
		stop("usage: cells fill FOLDER EVENTS TENANTS | walk FOLDER");
	return 0;
}
