/*
 * main - penstock-unsubscribe: the order of the beginning and of the end.
 *
 * It begins as the gate does (milter/main.c): all is made and read as its own
 * user, root comes back for the sockets and the private key of TLS, and is
 * given up for good before anybody may connect.
 *
 * The end: no new connection; what was asked is answered, within the deadline
 * of a request; the store's queue runs dry; then libmicrohttpd may go.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/config.h"
#include "lib/fold.h"
#include "lib/listener.h"
#include "lib/log.h"
#include "lib/service.h"
#include "lib/user.h"
#include "lib/version.h"
#include "tools/unsubscribe/door.h"
#include "tools/unsubscribe/page.h"
#include "tools/unsubscribe/postbox.h"

enum { USAGE = 2, PEM_MAX = 256 << 10, FEW_FILES = 256 };
#define TICK	(200 * INT64_C(1000))
#define LOOK	CLOCK_SECOND		/* at files that may have changed */
#define COMPLAIN (60 * CLOCK_SECOND)	/* of one that cannot be read */

static const char usage[] =
    "usage: penstock-unsubscribe [-hnv] [-c FILE]\n"
    "       penstock-unsubscribe [-c FILE] -m RECIPIENT < MESSAGE\n"
    "  -c FILE  configuration (default " CONFIG_DEFAULT ")\n"
    "  -m TO    hand a message for that recipient over to the daemon\n"
    "  -h       print this, as --help does\n"
    "  -n       check the configuration and the keys, and exit\n"
    "  -v       print the version\n";

struct house {				/* all of the process */
	struct config	*config;
	struct shared	 shared;
	struct door	*door;
	struct postbox	*postbox;
	struct listener	 http, lmtp;
	sigset_t	 signals;
	struct stat	 labels_file;	/* as it was loaded */
	int64_t		 looked, complained;
};

/* read_config - or the end; what only this program wants to know */
static struct config *
read_config(const char *path, int status)
{
	struct config *config = config_or_end(path, status);

	if ((config->unsubscribe.certificate[0] == '\0') !=
	    (config->unsubscribe.certificate_key[0] == '\0'))
		log_fatal(status, "%s: certificate and certificate_key go "
		    "together", path);
	return config;
}

/* --- files that change while we run --------------------------------------- */

/* same_file - by what identifies one */
static bool
same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* complain - once a minute, about what may last */
static void
complain(struct house *h, const struct why *why, const char *what)
{
	if (h->complained != 0 && clock_mono() - h->complained < COMPLAIN)
		return;
	h->complained = clock_mono();
	log_warn("%s: %s", what, why->text);
}

/* look_at_labels - names for the page; without them it names nobody */
static void
look_at_labels(struct house *h)
{
	const char *path = h->config->unsubscribe.names;
	struct labels *labels = NULL, *old;
	struct stat now = { .st_size = 0 };
	struct why why;

	if (stat(path, &now) == -1)
		memset(&now, 0, sizeof(now));
	if (same_file(&now, &h->labels_file))
		return;
	if (labels_load(&labels, path, &why) == -1) {
		complain(h, &why, "the page keeps the names it has");
		return;
	}
	h->labels_file = now;
	pthread_rwlock_wrlock(&h->shared.lock);
	old = h->shared.labels;
	h->shared.labels = labels;
	pthread_rwlock_unlock(&h->shared.lock);
	labels_free(old);
}

/* look_at_keys - after a rotation */
static void
look_at_keys(struct house *h)
{
	struct token_ring *ring = NULL, *old;
	struct why why;
	size_t keys;

	if (!token_ring_changed(h->shared.ring))
		return;
	if (token_ring_load(&ring, h->config->token.keys, &why) == -1) {
		complain(h, &why, "the keys of tokens stay as they were");
		return;
	}
	pthread_rwlock_wrlock(&h->shared.lock);
	old = h->shared.ring;
	h->shared.ring = ring;
	pthread_rwlock_unlock(&h->shared.lock);
	token_ring_free(old);
	log_info("keys of tokens read again, the newest is %u",
	    token_ring_newest(ring, &keys));
}

/* --- beginning ------------------------------------------------------------ */

/* store_folder - ours, below a store that exists */
static char *
store_folder(const struct config *config, const struct user *user)
{
	char *dir = xasprintf("%s/consent", config->store);
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

/* open_store - whose failure has three names */
static struct consent *
open_store(const char *dir, const struct config *config)
{
	struct consent *consent = NULL;
	struct why why;

	if (consent_open(&consent, dir, (uint64_t)config->map_size, &why) == -1)
		log_fatal(why.kind == WHY_BUSY ? EX_CANTCREAT :
		    why.kind == WHY_BROKEN ? EX_DATAERR : EX_IOERR, "%s",
		    why.text);
	return consent;
}

/* read_pem - a file of TLS whole, NUL behind it */
static char *
read_pem(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = xcalloc(1, PEM_MAX + 1);
	size_t n = f != NULL ? fread(text, 1, PEM_MAX + 1, f) : 0;

	if (f == NULL || ferror(f))
		log_fatal(EX_CONFIG, "%s: %s", path, strerror(errno));
	if (n == 0 || n > PEM_MAX)
		log_fatal(EX_CONFIG, "%s: no PEM file of at most %d bytes",
		    path, PEM_MAX);
	text[n] = '\0';
	fclose(f);
	return text;
}

/* many_files - a descriptor per connection */
static void
many_files(const struct config *config)
{
	rlim_t want = (rlim_t)config->unsubscribe.connections + FEW_FILES;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 || limit.rlim_cur >= want)
		return;
	limit.rlim_cur = limit.rlim_max > want ? want : limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < want)
		log_warn("%llu files may be open, %llu are wanted for %lld "
		    "connections: raise LimitNOFILE",
		    (unsigned long long)limit.rlim_cur,
		    (unsigned long long)want,
		    (long long)config->unsubscribe.connections);
}

/* block - so that only main takes them */
static void
block(struct house *h)
{
	sigemptyset(&h->signals);
	sigaddset(&h->signals, SIGTERM);
	sigaddset(&h->signals, SIGINT);
	sigaddset(&h->signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &h->signals, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* open_sockets - as root once more, when we began as root */
static void
open_sockets(struct house *h, const struct user *user, char **certificate,
    char **key)
{
	const struct config *c = h->config;
	struct why why;

	if (user_raise(user, &why) == -1 ||
	    listener_open(c->unsubscribe.socket, c->unsubscribe.socket_group,
	    user, &h->http, &why) == -1 || (c->unsubscribe.lmtp[0] != '\0' &&
	    listener_open(c->unsubscribe.lmtp, c->unsubscribe.socket_group,
	    user, &h->lmtp, &why) == -1))
		log_fatal(EX_CANTCREAT, "%s", why.text);
	if (c->unsubscribe.certificate[0] != '\0') {
		*certificate = read_pem(c->unsubscribe.certificate);
		*key = read_pem(c->unsubscribe.certificate_key);
	}
	if (user_become(user, &why) == -1)
		log_fatal(EX_OSERR, "%s", why.text);
}

/* begin - from nothing to the first connection */
static void
begin(struct house *h)
{
	char *dir, *certificate = NULL, *key = NULL;
	struct user user;
	struct why why;
	int fd;

	block(h);
	umask(0007);
	many_files(h->config);
	clock_start(0);
	page_init();
	if (fold_init(&why) == -1)
		log_fatal(EX_SOFTWARE, "%s", why.text);
	if (user_find(h->config->unsubscribe.user, &user, &why) == -1)
		log_fatal(EX_CONFIG, "%s", why.text);
	dir = store_folder(h->config, &user);
	if (user_lower(&user, &why) == -1)
		log_fatal(EX_OSERR, "%s", why.text);
	if (token_ring_load(&h->shared.ring, h->config->token.keys, &why) == -1)
		log_fatal(EX_CONFIG, "%s", why.text);
	h->shared.consent = open_store(dir, h->config);
	free(dir);
	h->shared.resubscribe = h->config->unsubscribe.resubscribe;
	pthread_rwlock_init(&h->shared.lock, NULL);
	look_at_labels(h);
	open_sockets(h, &user, &certificate, &key);
	/* libmicrohttpd closes what it gets, listener_close its own hand */
	if ((fd = fcntl(h->http.fd, F_DUPFD_CLOEXEC, 0)) == -1 ||
	    door_start(&h->door, &h->shared, h->config, fd, certificate, key,
	    &why) == -1 || (h->lmtp.fd != -1 && postbox_start(&h->postbox,
	    &h->shared, h->lmtp.fd, &why) == -1))
		log_fatal(EX_OSERR, "%s", fd == -1 ? strerror(errno) :
		    why.text);
	free(certificate);
	if (key != NULL)
		explicit_bzero(key, strlen(key));
	free(key);
}

/* --- middle and end ------------------------------------------------------- */

/* tick - what is done now and then; a signal of ours, or 0 */
static int
tick(struct house *h)
{
	struct timespec ts = { .tv_nsec = TICK * 1000 };
	int got = sigtimedwait(&h->signals, NULL, &ts);

	door_sweep(h->door);
	if (got == SIGHUP)
		h->looked = 0;		/* look now */
	if (h->looked == 0 || clock_mono() - h->looked >= LOOK) {
		h->looked = clock_mono();
		look_at_labels(h);
		look_at_keys(h);
	}
	return got == SIGHUP || got == -1 ? 0 : got;
}

/* serve - until told to stop, or until nothing can be trusted; exit status */
static int
serve(struct house *h)
{
	int64_t watchdog = service_watchdog(), beaten = 0;

	while (tick(h) == 0) {
		if (consent_broken(h->shared.consent))
			return EX_IOERR;
		if (watchdog > 0 && clock_mono() - beaten >= watchdog &&
		    consent_beats(h->shared.consent)) {
			beaten = clock_mono();
			service_notify("WATCHDOG=1");
		}
	}
	return 0;
}

/* finish - see the head */
static void
finish(struct house *h)
{
	int64_t until = clock_mono() + h->config->unsubscribe.deadline;

	service_notify("STOPPING=1");
	door_quiet(h->door);
	while (door_count(h->door) > 0 && clock_mono() < until)
		(void)tick(h);
	postbox_stop(h->postbox);
	consent_stop(h->shared.consent);
	door_stop(h->door);
	listener_close(&h->http);
	listener_close(&h->lmtp);
	consent_close(h->shared.consent);
	token_ring_free(h->shared.ring);
	labels_free(h->shared.labels);
	pthread_rwlock_destroy(&h->shared.lock);
	log_info("stopped");
}

/* run - the daemon */
static int
run(struct config *config)
{
	static struct house h;		/* threads look at it until the end */
	int status;

	h.config = config;
	h.http.fd = h.http.spare = h.lmtp.fd = h.lmtp.spare = -1;
	begin(&h);
	log_info("penstock-unsubscribe " PENSTOCK_VERSION " serves at %s",
	    config->unsubscribe.socket);
	service_notify("READY=1");
	status = serve(&h);
	finish(&h);
	config_free(config);
	return status;
}

/* check - -n: the configuration and the keys; exit status */
static int
check(struct config *config)
{
	struct token_ring *ring;
	struct why why;

	if (token_ring_load(&ring, config->token.keys, &why) == -1) {
		log_error("%s", why.text);
		return 1;
	}
	token_ring_free(ring);
	config_free(config);
	return 0;
}

/* hand_over - -m */
static int
hand_over(struct config *config, const char *recipient)
{
	if (config->unsubscribe.lmtp[0] == '\0')
		log_fatal(EX_TEMPFAIL, "unsubscribe { lmtp } is not set in %s",
		    config->path);
	signal(SIGPIPE, SIG_IGN);
	return postbox_hand_over(config->unsubscribe.lmtp, recipient);
}

/* main - the options */
int
main(int argc, char **argv)
{
	const char *path = CONFIG_DEFAULT, *recipient = NULL;
	bool only_check = false;
	int c;

	log_open("penstock-unsubscribe", false, LOG_LEVEL_INFO);
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	while ((c = getopt(argc, argv, "c:hm:nv")) != -1) {
		switch (c) {
		case 'c':
			path = optarg;
			break;
		case 'm':
			recipient = optarg;
			break;
		case 'n':
			only_check = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'v':
			puts("penstock-unsubscribe " PENSTOCK_VERSION);
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
	if (only_check)
		return check(read_config(path, 3));
	if (recipient != NULL)
		return hand_over(read_config(path, EX_TEMPFAIL), recipient);
	return run(read_config(path, EX_CONFIG));
}
