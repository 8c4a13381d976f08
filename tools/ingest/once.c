/*
 * once - one log, with a bar for who waits.
 *
 * The store has one writer: while penstock-ingest runs, it is that one, and
 * the sentence says what to do.
 */
#include "tools/ingest/once.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/user.h"
#include "tools/ingest/breakers.h"
#include "tools/ingest/ingest.h"

enum { BROKEN = 3, BAR = 30 };
#define TICK	(100 * INT64_C(1000))

struct bar {
	bool	on;
	int64_t	began, drawn;		/* mono */
	size_t	widest;
};

/* ingest_become - the folder, then the user, for good */
int
ingest_become(const struct config *config, struct why *why)
{
	char *dir = xasprintf("%s/outcomes", config->store);
	int rc = user_settle(config->ingest.user, config->store, dir, why);

	free(dir);
	return rc;
}

/* amount - bytes for eyes */
static const char *
amount(double bytes, char room[32])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	size_t i = 0;

	while (bytes >= 1000 && i < 4) {
		bytes /= 1000;
		i++;
	}
	snprintf(room, 32, i == 0 ? "%.0f %s" : "%.1f %s", bytes, units[i]);
	return room;
}

/* draw - the bar, over the one before */
static void
draw(struct bar *bar, const struct source *s, bool last)
{
	int64_t now = clock_mono(), past = now - bar->began;
	struct source_stat st;
	char line[160], done[32], rate[32];
	size_t n, full;
	double share;

	if (!bar->on || (!last && now - bar->drawn < TICK))
		return;
	bar->drawn = now;
	source_stat(s, &st);
	share = st.size > 0 ? (double)st.bytes / (double)st.size : 0;
	full = share >= 1 ? BAR : (size_t)(share * BAR);
	amount((double)st.total, done);
	amount(past > 0 ? (double)st.total * 1e6 / (double)past : 0, rate);
	if (st.size > 0 && share > 0)
		n = (size_t)snprintf(line, sizeof(line), "[%.*s%.*s] %3.0f %% "
		    " %s  %s/s  %" PRIu64 " lines  %.0f s left", (int)full,
		    "##############################", (int)(BAR - full),
		    "..............................", share * 100, done, rate,
		    st.lines, (double)past / 1e6 * (1 - share) / share);
	else
		n = (size_t)snprintf(line, sizeof(line), "%s  %s/s  %" PRIu64
		    " lines", done, rate, st.lines);
	fprintf(stderr, "\r%s%*s", line, n < bar->widest ?
	    (int)(bar->widest - n) : 0, "");
	bar->widest = n;
	if (last)
		fputc('\n', stderr);
	fflush(stderr);
}

/* counts - before and after, so that the difference can be told */
struct counts {
	uint64_t	outcomes, foreign, notices, strange, repeated;
};

/* take_counts - as the store has them */
static int
take_counts(struct outcomes *o, struct counts *c, struct why *why)
{
	return outcomes_counter(o, "outcomes", &c->outcomes, why) == -1 ||
	    outcomes_counter(o, "foreign", &c->foreign, why) == -1 ||
	    outcomes_counter(o, "notices", &c->notices, why) == -1 ||
	    outcomes_counter(o, "repeated", &c->repeated, why) == -1 ||
	    outcomes_counter(o, "strange log", &c->strange, why) == -1 ?
	    -1 : 0;
}

/* report - what came of it */
static void
report(const struct source *s, const struct counts *a, const struct counts *b,
    int64_t past, bool json)
{
	struct source_stat st;

	source_stat(s, &st);
	if (json) {
		printf("{\"lines\":%" PRIu64 ",\"bytes\":%" PRIu64
		    ",\"seconds\":%.6f,\"outcomes\":%" PRIu64
		    ",\"foreign\":%" PRIu64 ",\"notices\":%" PRIu64
		    ",\"repeated\":%" PRIu64 ",\"not_understood\":%" PRIu64
		    ",\"cut\":%" PRIu64 "}\n", st.lines, st.total,
		    (double)past / 1e6, b->outcomes - a->outcomes,
		    b->foreign - a->foreign, b->notices - a->notices,
		    b->repeated - a->repeated, b->strange - a->strange,
		    st.cut);
		return;
	}
	printf("%" PRIu64 " lines in %.2f s: %" PRIu64 " new outcomes, %"
	    PRIu64 " of mail that the gate does not know, %" PRIu64
	    " of Postfix's own reports, %" PRIu64 " known already\n",
	    st.lines, (double)past / 1e6, b->outcomes - a->outcomes,
	    b->foreign - a->foreign, b->notices - a->notices,
	    b->repeated - a->repeated);
	if (b->strange > a->strange)
		printf("%" PRIu64 " lines were not understood: penstock "
		    "ingest status shows some\n", b->strange - a->strange);
}

/* settle - breakers that it trips: nobody else would see them soon, since the
 * daemon is not running.  A policy that cannot be used is said and no more. */
static int
settle(struct ingest *in, struct why *why)
{
	struct breakers *b = NULL;
	int rc = breakers_new(&b, in, why) == -1 ||
	    breakers_settle(b, why) == -1 ? -1 : 0;

	breakers_free(b);
	return rc;
}

/* ingest_once - the whole file */
int
ingest_once(const struct config *config, const char *path, bool json)
{
	struct bar bar = { .on = isatty(STDERR_FILENO),
		.began = clock_mono() };
	struct counts before, after;
	struct source *s = NULL;
	struct ingest in = { .config = config };
	struct why why;
	int got = 1, rc = BROKEN;

	if (ingest_become(config, &why) == -1 ||
	    ingest_open(&in, config, &why) == -1) {
		fprintf(stderr, "penstock: %s%s\n", why.text, why.kind ==
		    WHY_BUSY ? "; it reads its logs by itself: stop it to "
		    "read another one" : "");
		return BROKEN;
	}
	if (take_counts(in.outcomes, &before, &why) == -1 ||
	    source_once(&s, &in, path, &why) == -1)
		goto out;
	while (got == 1) {
		if ((got = source_pump(s, &why)) == -1)
			goto out;
		draw(&bar, s, false);
	}
	draw(&bar, s, true);
	if (settle(&in, &why) == -1)
		goto out;
	if (take_counts(in.outcomes, &after, &why) == -1)
		goto out;
	report(s, &before, &after, clock_mono() - bar.began, json);
	rc = 0;
out:
	if (rc != 0)
		fprintf(stderr, "penstock: %s\n", why.text);
	source_free(s);
	ingest_close(&in);
	return rc;
}
