/*
 * main - penstock-ingest: the order of the beginning and of the end.
 *
 * Root is given up before the first byte of a log is read: the logs must be
 * readable for the user (group adm, or systemd-journal).
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/listener.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/version.h"
#include "tools/ingest/backoffs.h"
#include "tools/ingest/breakers.h"
#include "tools/ingest/forget.h"
#include "tools/ingest/loop.h"
#include "tools/ingest/once.h"
#include "tools/ingest/reports.h"

enum { USAGE = 2 };		/* as penstock(1) */

static const char usage[] =
    "usage: penstock-ingest [-hnv] [-c FILE] [--once LOG|-]\n"
    "  -c FILE      configuration (default " CONFIG_DEFAULT ")\n"
    "  -h           print this, as --help does\n"
    "  -n           check the configuration, and exit\n"
    "  -v           print the version\n"
    "  --once LOG   read this log to its end, and exit\n"
    "  --json       say as JSON what --once did\n";

/* status_of - what a failure of the store means for a restart */
static int
status_of(const struct why *why)
{
	return why->kind == WHY_BUSY ? EX_CANTCREAT :
	    why->kind == WHY_BROKEN ? EX_DATAERR : EX_IOERR;
}

/* open_sources - every log of the configuration */
static struct source **
open_sources(struct ingest *in, size_t *n)
{
	const struct config *c = in->config;
	struct source **all = xcalloc(c->ingest.nlogs + c->ingest.njournal + 1,
	    sizeof(struct source *));
	struct why why;

	*n = 0;
	for (size_t i = 0; i < c->ingest.nlogs; i++)
		if (source_file(&all[(*n)++], in, c->ingest.logs[i],
		    &why) == -1)
			log_fatal(EX_CONFIG, "%s", why.text);
	for (size_t i = 0; i < c->ingest.njournal; i++)
		if (source_journal(&all[(*n)++], in, c->ingest.journal[i],
		    &why) == -1)
			log_fatal(EX_CONFIG, "%s", why.text);
	for (size_t i = 0; i < *n; i++)
		log_info("following %s", source_name(all[i]));
	return all;
}

/* open_socket - for mails, as whoever we are now; fd -1: none is wanted */
static void
open_socket(const struct config *c, struct listener *l)
{
	struct user user;
	struct why why;

	*l = (struct listener){ .fd = -1, .spare = -1, .path = "" };
	if (c->ingest.lmtp[0] == '\0')
		return;
	if (user_find(c->ingest.user, &user, &why) == -1 ||
	    listener_open(c->ingest.lmtp, c->ingest.socket_group, &user, l,
	    &why) == -1)
		log_fatal(EX_CONFIG, "%s", why.text);
	log_info("mails that report: %s", c->ingest.lmtp);
}

/* Mails, and the gate's store that they are held against. */
struct mails {
	struct ingest	*in;
	struct reports	*reports;
};

/* mails_want - see struct loop_part */
static size_t
mails_want(void *self, struct pollfd *fds, size_t room)
{
	return reports_want(((struct mails *)self)->reports, fds, room);
}

/* mails_ready - likewise; without a log nobody else looks for the gate */
static int
mails_ready(void *self, const struct pollfd *fds, size_t n, struct why *why)
{
	struct mails *m = self;

	return ingest_gate(m->in, why) == -1 ? -1 :
	    reports_ready(m->reports, fds, n, why);
}

/* open_reports - what takes those mails; NULL: nobody does */
static struct reports *
open_reports(struct ingest *in, const struct listener *l)
{
	struct reports_with with = { .forward = in->config->ingest.forward,
	    .token_keys = in->config->token.keys, .outcomes = in->outcomes,
	    .gate = &in->gate, .classifier = &in->classifier };
	struct reports *reports;
	struct why why;

	if (l->fd == -1)
		return NULL;
	if (reports_new(&reports, l->fd, &with, &why) == -1)
		log_fatal(EX_OSERR, "%s", why.text);
	return reports;
}

/* run - the daemon */
static int
run(struct config *config)
{
	struct mails mails = { NULL, NULL };
	struct loop_part parts[] = { { NULL, breakers_want, breakers_ready },
	    { NULL, backoff_part_want, backoff_part_ready },
	    { NULL, forget_want, forget_ready },
	    { &mails, mails_want, mails_ready } };
	struct forget *forget = NULL;
	struct breakers *breakers = NULL;
	struct backoff_part *backoff = NULL;
	struct listener listener;
	struct source **sources;
	struct ingest in;
	struct why why;
	size_t n;
	int status = 0;

	loop_block();
	umask(0007);
	open_socket(config, &listener);
	if (ingest_become(config, &why) == -1)
		log_fatal(EX_CONFIG, "%s", why.text);
	if (ingest_open(&in, config, &why) == -1)
		log_fatal(status_of(&why), "%s", why.text);
	sources = open_sources(&in, &n);
	mails = (struct mails){ &in, open_reports(&in, &listener) };
	if (breakers_new(&breakers, &in, &why) == -1 ||
	    backoff_part_new(&backoff, &in, &why) == -1 ||
	    forget_new(&forget, &in, &why) == -1)
		log_fatal(EX_OSERR, "%s", why.text);
	parts[0].with = breakers;
	parts[1].with = backoff;
	parts[2].with = forget;
	if (loop_run(&in, sources, n, parts, mails.reports != NULL ? 4 : 3,
	    &why) == -1) {
		log_error("%s", why.text);
		status = status_of(&why);
	}
	breakers_free(breakers);
	backoff_part_free(backoff);
	forget_free(forget);
	reports_free(mails.reports);
	listener_close(&listener);
	for (size_t i = 0; i < n; i++)
		source_free(sources[i]);
	free(sources);
	ingest_close(&in);
	config_free(config);
	log_info("stopped");
	return status;
}

/* main - the options */
int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "once", required_argument, NULL, 'o' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	const char *path = CONFIG_DEFAULT, *once = NULL;
	bool only_check = false, json = false;
	int c;

	log_open("penstock-ingest", false, LOG_LEVEL_INFO);
	while ((c = getopt_long(argc, argv, "c:hnv", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 'n':
			only_check = true;
			break;
		case 'o':
			once = optarg;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'v':
			puts("penstock-ingest " PENSTOCK_VERSION);
			return 0;
		default:
			fputs(usage, stderr);
			return USAGE;
		}
	}
	if (optind < argc || (json && once == NULL)) {
		fputs(usage, stderr);
		return USAGE;
	}
	if (only_check) {
		config_free(config_or_end(path, 3));
		return 0;
	}
	if (once != NULL)
		return ingest_once(config_or_end(path, 3), once, json);
	return run(config_or_end(path, EX_CONFIG));
}
