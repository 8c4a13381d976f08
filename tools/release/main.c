/*
 * main - penstock-release: the order of the beginning and of the end.
 *
 * As root it asks Postfix where its queue is and gives birth to the half that
 * stays root (agent.h), one for each Postfix of this machine.  Then it becomes
 * its user for good, and only after that the first byte of a store is read:
 * what is root never looks at what the gate or anybody else wrote into one,
 * but at lines of six verbs.
 *
 * The end: the round under way is finished; the other halves see that we are
 * gone.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/released.h"
#include "lib/service.h"
#include "lib/user.h"
#include "lib/version.h"
#include "tools/release/agent.h"
#include "tools/release/beside.h"
#include "tools/release/work.h"

enum { USAGE = 2 };		/* as penstock(1) */
#define PAUSE	CLOCK_SECOND		/* between two rounds */
#define CARE	(10 * CLOCK_SECOND)
#define ONCE	CLOCK_MINUTE		/* --once waits so long for the young */

static const char usage[] =
    "usage: penstock-release [-hnv] [-c FILE] [--once]\n"
    "       penstock-release --agent SOCKET [--user USER]\n"
    "           [--config-directory DIR] [--command-directory DIR]\n"
    "  -c FILE         configuration (default " CONFIG_DEFAULT ")\n"
    "  -h              print this, as --help does\n"
    "  -n              check the configuration and Postfix, and exit\n"
    "  -v              print the version\n"
    "  --once          do what is decided by now, and exit\n"
    "  --agent SOCKET  be the half that is root, beside a Postfix elsewhere\n"
    "  --user USER     who may connect there (default root)\n"
    "  --config-directory DIR   of that Postfix (default /etc/postfix)\n"
    "  --command-directory DIR  of its postsuper (default /usr/sbin)\n";

struct house {				/* all of the process */
	struct config	*config;
	struct db	*db;
	struct work	*work;
	struct ask	**asks;
	const char	**instances;
	size_t		 n;
	sigset_t	 signals;
	int64_t		 watchdog, beaten, cared;
	bool		 troubled;	/* the last round: it could not all be done */
};

static struct house house;

/* beat - while something is waited for, too */
static void
beat(void)
{
	if (house.watchdog == 0 ||
	    clock_mono() - house.beaten < house.watchdog)
		return;
	house.beaten = clock_mono();
	service_notify("WATCHDOG=1");
}

/* --- the other halves ----------------------------------------------------- */

/* bear - a half that stays root, on that queue; our end of the pair */
static int
bear(struct house *h, struct queue *queue)
{
	bool stopped;
	int pair[2];
	struct why why;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1 ||
	    (pid = fork()) == -1)
		log_fatal(EX_OSERR, "cannot start the half that stays root: "
		    "%s", strerror(errno));
	if (pid != 0) {
		close(pair[1]);
		return pair[0];
	}
	/* our ends of the others must close with us alone */
	for (size_t i = 0; i < h->n; i++)
		ask_free(h->asks[i]);
	close(pair[0]);
	if (agent_serve(pair[1], -1, queue, &stopped, &why) == -1)
		log_fatal(EX_PROTOCOL, "%s", why.text);
	_exit(0);
}

/* add - one Postfix: where is its main.cf, or who serves it */
static void
add(struct house *h, const char *instance, const char *where)
{
	const char *socket = NULL;
	struct queue *queue;
	struct why why;
	int fd = -1;

	if (strncmp(where, "unix:", 5) == 0) {
		socket = where + 5;
	} else if (queue_open(&queue, where,
	    h->config->release.command_directory, &why) == -1) {
		log_fatal(EX_CONFIG, "%s", why.text);
	} else {
		fd = bear(h, queue);
		log_info("held mail in %s", queue_folder(queue));
		queue_close(queue);
	}
	if (ask_new(&h->asks[h->n], socket, fd, beat, &why) == -1)
		log_fatal(EX_OSERR, "%s", why.text);
	h->instances[h->n++] = instance;
}

/* add_all - the first is for whoever has none of his own */
static void
add_all(struct house *h)
{
	const struct config *c = h->config;
	size_t all = 1 + c->release.ninstances / 2;

	h->asks = xcalloc(all, sizeof(struct ask *));
	h->instances = xcalloc(all, sizeof(const char *));
	add(h, "", c->release.agent[0] != '\0' ? c->release.agent :
	    c->release.config_directory);
	for (size_t i = 0; i < c->release.ninstances; i += 2)
		add(h, c->release.instances[i], c->release.instances[i + 1]);
}

/* --- the beginning -------------------------------------------------------- */

/* store_folder - ours, below a store that exists */
static char *
store_folder(const struct config *config, const struct user *user)
{
	char *dir = xasprintf("%s/release", config->store);
	gid_t gid = user->gid;
	struct stat st;
	struct why why;

	if (stat(config->store, &st) == -1)
		log_fatal(EX_CONFIG, "store %s: %s (a program makes its own "
		    "folder in it, not the store)", config->store,
		    strerror(errno));
	(void)user_group("penstock", &gid);
	if (user->switches && user_folder(user, dir, S_ISGID | 0750, gid,
	    &why) == -1)
		log_fatal(EX_CANTCREAT, "%s", why.text);
	return dir;
}

/* block - so that only the loop takes them */
static void
block(struct house *h)
{
	sigemptyset(&h->signals);
	sigaddset(&h->signals, SIGTERM);
	sigaddset(&h->signals, SIGINT);
	sigaddset(&h->signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &h->signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* begin - from nothing to the first round */
static void
begin(struct house *h)
{
	struct user user;
	struct why why;
	char *dir;

	block(h);
	umask(0007);
	clock_start(0);
	h->watchdog = service_watchdog();
	add_all(h);
	if (user_find(h->config->release.user, &user, &why) == -1)
		log_fatal(EX_CONFIG, "%s", why.text);
	dir = store_folder(h->config, &user);
	if (user_become(&user, &why) == -1)
		log_fatal(EX_OSERR, "%s", why.text);
	if (released_open(&h->db, dir, (uint64_t)h->config->map_size,
	    &why) == -1)
		log_fatal(why.kind == WHY_BUSY ? EX_CANTCREAT :
		    why.kind == WHY_BROKEN ? EX_DATAERR : EX_IOERR, "%s",
		    why.text);
	free(dir);
	if (work_new(&h->work, h->config, h->db, h->asks, h->instances, h->n,
	    beat, &why) == -1)
		log_fatal(EX_OSERR, "%s", why.text);
}

/* finish - all of it */
static void
finish(struct house *h)
{
	work_free(h->work);
	db_close(h->db);
	for (size_t i = 0; i < h->n; i++)
		ask_free(h->asks[i]);
	free(h->asks);
	free(h->instances);
	config_free(h->config);
}

/* --- the middle ----------------------------------------------------------- */

/* told - a signal that ends us, within that time */
static bool
told(struct house *h, int64_t us)
{
	struct timespec ts = { .tv_sec = us / CLOCK_SECOND,
		.tv_nsec = us % CLOCK_SECOND * 1000 };
	int got = sigtimedwait(&h->signals, NULL, &ts);

	if (got == SIGHUP)
		work_inventory_now(h->work);
	return got == SIGTERM || got == SIGINT;
}

/* care - what an owner does now and then */
static int
care(struct house *h, struct why *why)
{
	if (clock_mono() - h->cared < CARE)
		return 0;
	h->cared = clock_mono();
	db_check_readers(h->db);
	return db_check_file(h->db, why);
}

/* once_round - 0, or the exit status of what cannot go on */
static int
once_round(struct house *h)
{
	struct why why = { .kind = WHY_OTHER };

	beat();
	h->troubled = false;
	if (care(h, &why) == -1 || ((h->troubled = work_round(h->work,
	    &why) == -1) && why.kind == WHY_BROKEN)) {
		log_error("%s", why.text);
		return EX_IOERR;
	}
	for (size_t i = 0; i < h->n; i++)
		if (ask_lost(h->asks[i])) {
			log_error("the half that stays root is gone");
			return EX_UNAVAILABLE;
		}
	return 0;
}

/* serve - until told; a long round is followed by as long a pause, at most
 * half of the time is ours */
static int
serve(struct house *h)
{
	int64_t began, pause;
	int status;

	do {
		began = clock_mono();
		if ((status = once_round(h)) != 0)
			return status;
		pause = clock_mono() - began;
		beat();
	} while (!told(h, pause < PAUSE ? PAUSE : pause > 5 * PAUSE ?
	    5 * PAUSE : pause));
	return 0;
}

/* run - the daemon */
static int
run(struct config *config)
{
	int status;

	house.config = config;
	begin(&house);
	log_info("penstock-release " PENSTOCK_VERSION " follows %s/gate",
	    config->store);
	service_notify("READY=1");
	status = serve(&house);
	service_notify("STOPPING=1");
	finish(&house);
	log_info("stopped");
	return status;
}

/* once - --once: what is decided by now */
static int
once(struct config *config)
{
	struct house *h = &house;
	const struct work_tally *t;
	int64_t until;
	int status;

	h->config = config;
	begin(h);
	until = clock_mono() + ONCE;
	do {
		if ((status = once_round(h)) != 0)
			return 3;
	} while (work_waits(h->work) && clock_mono() < until &&
	    !told(h, PAUSE));
	t = work_tally(h->work);
	printf("%llu released, %llu dropped, %llu expired, %llu gone, "
	    "%llu failed\n", (unsigned long long)t->done,
	    (unsigned long long)t->dropped, (unsigned long long)t->expired,
	    (unsigned long long)t->gone, (unsigned long long)t->failed);
	status = work_waits(h->work) || t->failed > 0 || h->troubled;
	finish(h);
	return status;
}

/* check - -n: the configuration, and each Postfix of it */
static int
check(struct config *config)
{
	const char *first[] = { "", config->release.agent[0] != '\0' ?
	    config->release.agent : config->release.config_directory };
	int status = 0;

	for (size_t i = 0; i < 2 + config->release.ninstances; i += 2) {
		const char *where = i == 0 ? first[1] :
		    config->release.instances[i - 1];
		struct queue *queue = NULL;
		struct why why;

		if (where[0] == '/' && queue_open(&queue, where,
		    config->release.command_directory, &why) == -1) {
			log_error("%s", why.text);
			status = 1;
		}
		queue_close(queue);
	}
	config_free(config);
	return status;
}

/* standard - so that no descriptor of ours is one of the first three */
static void
standard(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDWR)) != -1 && fd < 3)
		;
	if (fd != -1)
		close(fd);
}

struct options {
	const char	*path, *agent, *user, *config, *commands;
	bool		 check, once;
};

/* options_of - the command line; 0, or -1 and *status */
static int
options_of(int argc, char **argv, struct options *o, int *status)
{
	static const struct option options[] = {
		{ "once", no_argument, NULL, 'o' },
		{ "agent", required_argument, NULL, 'a' },
		{ "user", required_argument, NULL, 'u' },
		{ "config-directory", required_argument, NULL, 'd' },
		{ "command-directory", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	const char **texts[256] = { ['c'] = &o->path, ['a'] = &o->agent,
		['u'] = &o->user, ['d'] = &o->config, ['p'] = &o->commands };
	int c;

	*status = 0;
	while ((c = getopt_long(argc, argv, "c:hnv", options, NULL)) != -1) {
		if (c > 0 && c < 256 && texts[c] != NULL) {
			*texts[c] = optarg;
		} else if (c == 'n') {
			o->check = true;
		} else if (c == 'o') {
			o->once = true;
		} else if (c == 'h' || c == 'v') {
			fputs(c == 'h' ? usage :
			    "penstock-release " PENSTOCK_VERSION "\n", stdout);
			return -1;
		} else {
			*status = USAGE;
		}
	}
	if (*status == 0 && optind == argc && (o->agent != NULL ||
	    (o->user == NULL && o->config == NULL && o->commands == NULL)))
		return 0;
	fputs(usage, stderr);
	*status = USAGE;
	return -1;
}

/* main - which of the four it is */
int
main(int argc, char **argv)
{
	struct options o = { .path = CONFIG_DEFAULT };
	int status;

	standard();
	log_open("penstock-release", false, LOG_LEVEL_INFO);
	if (options_of(argc, argv, &o, &status) == -1)
		return status;
	if (o.agent != NULL)
		return beside_run(o.agent, o.user != NULL ? o.user : "",
		    o.config != NULL ? o.config : "/etc/postfix",
		    o.commands != NULL ? o.commands : "/usr/sbin");
	if (o.check)
		return check(config_or_end(o.path, 3));
	if (o.once)
		return once(config_or_end(o.path, 3));
	return run(config_or_end(o.path, EX_CONFIG));
}
