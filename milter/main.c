/*
 * main - penstock-milter: the order of the beginning and of the end.
 *
 * As root with a user set, everything is made and read as that user; root
 * comes back for the socket alone (a name in a folder that need not be the
 * user's, a group, a low port) and is given up for good before the first
 * connection.  Of our threads only the writer runs by then, and it has all its
 * files open.  The socket comes last: whoever finds it finds the policy
 * loaded, every counter restored and the start on record.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/listener.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/provider.h"
#include "lib/user.h"
#include "lib/version.h"
#include "milter/feedback.h"
#include "milter/obey.h"
#include "milter/life.h"
#include "milter/pacer.h"
#include "milter/reload.h"
#include "milter/warmer.h"

enum { USAGE = 2,		/* as penstock(1) */
	MAPPED = 512 << 10, TRIMMED = 1 << 20 };

static const char usage[] = "usage: penstock-milter [-hnv] [-c FILE]\n"
    "  -c FILE  configuration (default " CONFIG_DEFAULT ")\n"
    "  -h       print this, as --help does\n"
    "  -n       check configuration, policy and keys, and exit\n"
    "  -v       print the version\n";

/* check - -n: 0 all well, 1 the policy is wrong, 3 the configuration is */
static int
check(const char *path)
{
	struct config *config = config_or_end(path, 3);
	struct why why;
	bool well;

	if (provider_init(&why) == -1)
		log_fatal(EX_SOFTWARE, "%s", why.text);
	well = reload_check(config, stderr);
	config_free(config);
	return well ? 0 : 1;
}

/* store_folder - ours, below a store that exists */
static char *
store_folder(const struct config *config, const struct user *user)
{
	char *dir = xasprintf("%s/gate", config->store);
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

/* broken - what stands in a store makes no sense: a start will not mend it, so
 * the exit says that there is no use in another one */
static int
broken(const struct why *why)
{
	return why->kind == WHY_BROKEN ? EX_DATAERR : EX_IOERR;
}

/* open_store - whose failure has three names */
static struct store *
open_store(const char *dir, const struct config *config)
{
	struct store *store = NULL;
	struct why why;

	if (store_open(&store, dir, (uint64_t)config->map_size, &why) == -1)
		log_fatal(why.kind == WHY_BUSY ? EX_CANTCREAT : broken(&why),
		    "%s", why.text);
	return store;
}

/* restore - gate time and every counter as they were; the last sequence */
static uint64_t
restore(struct gate *gate)
{
	uint64_t last, applied;
	int64_t time;
	struct why why;

	if (store_last(gate->store, &last, &time, &why) == -1)
		log_fatal(broken(&why), "%s", why.text);
	clock_start(time);
	gate->ledger = ledger_new();
	gate->keys = key_cache_new(0);
	if (gate->ledger == NULL || gate->keys == NULL)
		log_fatal(EX_OSERR, "out of memory");
	if (ledger_restore(gate->ledger, gate->store, &applied, &why) == -1)
		log_fatal(broken(&why), "%s", why.text);
	return applied;
}

/* finish - flushed, and given back as far as nobody else has it */
static int
finish(struct gate *gate, struct reload *reload, struct obey *obey,
    struct feedback_view *feedback, struct listener *listener,
    struct config *config, int status)
{
	reload_stop(reload);
	obey_stop(obey);
	pacer_stop(gate->pacer);
	warmer_stop(gate->warmer);
	writer_stop(gate->writer);
	listener_close(listener);
	log_info("stopped");
	/* A connection that is still open has memory that a thread of
	 * libmilter may look at: leave it to the kernel. */
	if (atomic_load(&gate->sessions) > 0)
		_exit(status);
	policy_drop(gate->policy);
	orders_drop(gate->orders);
	progress_drop(gate->progress);
	feedback_free(feedback);
	key_cache_free(gate->keys);
	ledger_free(gate->ledger);
	store_close(gate->store);
	config_free(config);
	return status;
}

/* many_files - a descriptor per connection: as many as we may have */
static void
many_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* give_back - a policy's large blocks are the kernel's again when it is freed,
 * whatever lies between them: without this each reload leaves holes */
static void
give_back(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, MAPPED);
	(void)mallopt(M_TRIM_THRESHOLD, TRIMMED);
}

/* run - the daemon, from the first lock to the last flush */
static int
run(struct config *config)
{
	struct gate gate = { .config = config };
	struct listener listener;
	struct reload *reload;
	struct feedback_view *feedback;
	struct obey *obey;
	struct user user;
	struct why why;
	uint64_t applied;
	char *dir;
	int status = 0;

	give_back();
	life_block();
	umask(0007);
	many_files();
	pthread_mutex_init(&gate.policy_lock, NULL);
	if (provider_init(&why) == -1)
		log_fatal(EX_SOFTWARE, "%s", why.text);
	if (user_find(config->milter.user, &user, &why) == -1)
		log_fatal(EX_CONFIG, "%s", why.text);
	dir = store_folder(config, &user);
	if (user_lower(&user, &why) == -1)
		log_fatal(EX_OSERR, "%s", why.text);
	gate.store = open_store(dir, config);
	free(dir);
	applied = restore(&gate);
	if (obey_new(&obey, &gate, &why) == -1)
		log_fatal(broken(&why), "%s", why.text);
	if (warmer_new(&gate.warmer, &gate, &why) == -1)
		log_fatal(broken(&why), "%s", why.text);
	if (feedback_new(&feedback, &gate, &why) == -1)
		log_fatal(broken(&why), "%s", why.text);
	if ((reload = reload_new(&gate)) == NULL)
		log_fatal(EX_OSERR, "out of memory");
	if (reload_first(reload, &why) == -1)
		log_fatal(EX_CONFIG, "%s", why.text);
	if (ledger_restore_shares(gate.ledger, gate.store, gate.policy,
	    clock_now(), &why) == -1)
		log_fatal(broken(&why), "%s", why.text);
	if (writer_start(&gate.writer, gate.store, gate.ledger, applied,
	    &why) == -1)
		log_fatal(EX_OSERR, "%s", why.text);
	writer_seen(gate.writer, feedback_seen, feedback);
	if (pacer_new(&gate.pacer, &gate, &why) == -1)
		log_fatal(EX_OSERR, "%s", why.text);
	reload_record(reload);
	obey_once(obey);
	if (user_raise(&user, &why) == -1 ||
	    listener_open(config->milter.socket,
	    config->milter.socket_group, &user, &listener, &why) == -1)
		log_fatal(EX_CANTCREAT, "%s", why.text);
	if (user_become(&user, &why) == -1 ||
	    reload_start(reload, &why) == -1 ||
	    obey_start(obey, &why) == -1 ||
	    pacer_start(gate.pacer, &why) == -1 ||
	    warmer_start(gate.warmer, &why) == -1)
		log_fatal(EX_OSERR, "%s", why.text);
	if (life_run(&gate, reload, &listener, &why) == -1) {
		log_error("%s", why.text);
		status = EX_SOFTWARE;
	}
	return finish(&gate, reload, obey, feedback, &listener, config, status);
}

/* main - the options */
int
main(int argc, char **argv)
{
	const char *path = CONFIG_DEFAULT;
	bool only_check = false;
	int c;

	log_open("penstock-milter", false, LOG_LEVEL_INFO);
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	while ((c = getopt(argc, argv, "c:hnv")) != -1) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 'n':
			only_check = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'v':
			puts("penstock-milter " PENSTOCK_VERSION);
			return 0;
		default:
			fputs(usage, stderr);
			return USAGE;
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return USAGE;
	}
	return only_check ? check(path) : run(config_or_end(path, EX_CONFIG));
}
