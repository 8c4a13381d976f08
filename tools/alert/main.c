/*
 * main - penstock-alert: the order of the beginning and of the end.
 *
 * watch/ has one writer.  A second daemon waits until the first one is gone,
 * and goes on where that one was: so two of them may be started, and one works.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <sys/stat.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/service.h"
#include "lib/version.h"
#include "reputation/rollup.h"
#include "tools/alert/count.h"
#include "tools/alert/fetch.h"
#include "tools/alert/judge.h"

enum { USAGE = 2, BROKEN = 3 };		/* as penstock(1) */

static const char usage[] =
    "usage: penstock-alert [-hnv] [-c FILE] [--once | --rebuild] [--json]\n"
    "  -c FILE      configuration (default " CONFIG_DEFAULT ")\n"
    "  -h           print this, as --help does\n"
    "  -n           check the configuration, and exit\n"
    "  -v           print the version\n"
    "  --once       count all there is by now, and exit\n"
    "  --rebuild    the same, from the beginning\n"
    "  --json       say as JSON what --once did\n";

/* What the daemon and --once have in common. */
struct parts {
	struct count	*count;
	struct fetch	*fetch;		/* of the daemon alone; a thread */
	struct judge	*judge;
	struct cycle_part list[8];
	size_t		 n;
};

/* parts_free - what was made of them */
static void
parts_free(struct parts *p)
{
	fetch_stop(p->fetch);
	judge_free(p->judge);
	count_free(p->count);
}

/* parts_new - in the order of their turns; strict: as count_new */
static int
parts_new(struct parts *p, struct alert *a, bool strict, struct why *why)
{
	*p = (struct parts){ .n = 0 };
	if (count_new(&p->count, a, strict, why) == -1 ||
	    judge_new(&p->judge, a, p->count, strict, why) == -1)
		return -1;
	p->list[p->n++] = (struct cycle_part){ p->count, NULL, count_ready,
		NULL };
	p->list[p->n++] = (struct cycle_part){ p->judge, NULL, judge_ready,
		judge_reload };
	return 0;
}

/* status_of - what a failure of the store means for a restart */
static int
status_of(const struct why *why)
{
	return why->kind == WHY_BUSY ? EX_CANTCREAT :
	    why->kind == WHY_BROKEN ? EX_DATAERR : EX_IOERR;
}

/* open_patiently - when no other one has the store. Fetch: 0 the end was asked
 * for meanwhile. */
static int
open_patiently(struct alert *a, const struct config *config, struct why *why)
{
	bool said = false;

	while (alert_open(a, config, why) == -1) {
		if (why->kind != WHY_BUSY)
			return -1;
		if (!said) {
			log_info("%s; waiting for its end", why->text);
			service_notify("READY=1");
		}
		said = true;
		if (cycle_pause())
			return 0;
	}
	return 1;
}

/* run - the daemon */
static int
run(struct config *config)
{
	struct parts parts = { .n = 0 };
	struct alert alert = { .config = config };
	struct why why;
	int got, status = 0;

	cycle_block();
	umask(0007);
	if (alert_become(config, &why) == -1 ||
	    judge_check(config, &why) == -1)
		log_fatal(EX_CONFIG, "%s", why.text);
	if ((got = open_patiently(&alert, config, &why)) == 1) {
		log_info("counting what happened to the mail");
		if (parts_new(&parts, &alert, false, &why) == -1 ||
		    fetch_start(&parts.fetch, config, alert.watch, &why) ==
		    -1 || cycle_run(&alert, parts.list, parts.n, &why) == -1)
			got = -1;
	}
	if (got == -1) {
		log_error("%s", why.text);
		status = status_of(&why);
	}
	parts_free(&parts);
	alert_close(&alert);
	config_free(config);
	log_info("stopped");
	return status;
}

/* report - what was done */
static void
report(const uint64_t was[2], const uint64_t at[2], int64_t us, bool json)
{
	uint64_t events = at[0] > was[0] ? at[0] - was[0] : 0;
	uint64_t outcomes = at[1] > was[1] ? at[1] - was[1] : 0;

	if (json)
		printf("{\"events\":%" PRIu64 ",\"outcomes\":%" PRIu64
		    ",\"last_event\":%" PRIu64 ",\"last_outcome\":%" PRIu64
		    ",\"seconds\":%.3f}\n", events, outcomes, at[0], at[1],
		    (double)us / 1e6);
	else
		printf("%" PRIu64 " events and %" PRIu64 " outcomes counted "
		    "in %.1f s, up to event %" PRIu64 " and outcome %" PRIu64
		    "\n", events, outcomes, (double)us / 1e6, at[0], at[1]);
}

/* catch_up - all there is, once */
static int
catch_up(struct alert *a, bool anew, bool json, struct why *why)
{
	struct parts parts = { .n = 0 };
	uint64_t was[2], at[2];
	int64_t began = clock_mono();
	int rc = -1;

	if ((anew && rollup_forget(a->watch, why) == -1) ||
	    parts_new(&parts, a, true, why) == -1 ||
	    rollup_places(a->watch, &was[0], &was[1], why) == -1 ||
	    cycle_once(a, parts.list, parts.n, why) == -1 ||
	    rollup_places(a->watch, &at[0], &at[1], why) == -1)
		goto out;
	report(was, at, clock_mono() - began, json);
	rc = 0;
out:
	parts_free(&parts);
	return rc;
}

/* once - as a command: 0, or 3 with the reason */
static int
once(struct config *config, bool anew, bool json)
{
	struct alert alert = { .config = config };
	struct why why;
	int rc;

	umask(0007);
	if ((rc = alert_become(config, &why)) == 0 &&
	    (rc = alert_open(&alert, config, &why)) == 0)
		rc = catch_up(&alert, anew, json, &why);
	if (rc == -1)
		fprintf(stderr, "penstock-alert: %s%s\n", why.text,
		    why.kind == WHY_BUSY ? "; it counts by itself" : "");
	alert_close(&alert);
	config_free(config);
	return rc == -1 ? BROKEN : 0;
}

/* check - the configuration is good; and what it names? */
static int
check(struct config *config)
{
	struct why why;
	int rc = judge_check(config, &why);

	if (rc == -1)
		fprintf(stderr, "penstock-alert: %s\n", why.text);
	config_free(config);
	return rc == -1 ? BROKEN : 0;
}

/* main - the options */
int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "once", no_argument, NULL, 'o' },
		{ "rebuild", no_argument, NULL, 'r' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	bool only_check = false, json = false, now = false, anew = false;
	const char *path = CONFIG_DEFAULT;
	int c;

	log_open("penstock-alert", false, LOG_LEVEL_INFO);
	while ((c = getopt_long(argc, argv, "c:hnv", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 'n':
			only_check = true;
			break;
		case 'o':
			now = true;
			break;
		case 'r':
			anew = true;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'v':
			puts("penstock-alert " PENSTOCK_VERSION);
			return 0;
		default:
			fputs(usage, stderr);
			return USAGE;
		}
	}
	if (optind < argc || (now && anew) || (json && !now && !anew)) {
		fputs(usage, stderr);
		return USAGE;
	}
	if (only_check)
		return check(config_or_end(path, BROKEN));
	if (now || anew)
		return once(config_or_end(path, BROKEN), anew, json);
	return run(config_or_end(path, EX_CONFIG));
}
