/*
 * fetch - one round of questions to providers, at a set time.
 *
 *	fetch CONF NOW [DOMAIN:DAYS ...]
 *
 * NOW is in seconds.  Each DOMAIN gets a cell of accepted mail on so many days
 * before NOW.  Prints how many refreshes were begun; lines of the log go to
 * stderr.  A host of the name in FETCH_HANGS is looked up without end.
 */
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "reputation/rollup.h"
#include "tools/alert/fetch.h"
#include "tools/alert/fetch_http.h"

/* getaddrinfo - libcurl's look-ups come by here */
int
getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **out)
{
	const char *hangs = getenv("FETCH_HANGS");
	int (*real)(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **);

	while (hangs != NULL && node != NULL && strcmp(node, hangs) == 0)
		(void)pause();
	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	return real(node, service, hints, out);
}

/* seed - mail of a domain on the days before */
static int
seed(struct db *watch, const char *word, int64_t now, struct why *why)
{
	const char *colon = strchr(word, ':');
	struct cell c = { .domain = { word, (size_t)(colon - word) } };
	struct db_txn *txn = NULL;
	int days = atoi(colon + 1);

	c.group = c.tenant = c.stream = c.pool = c.address = c.provider =
	    SLICE("");
	c.n[TALLY_ACCEPTED] = 100;
	if (db_begin(watch, true, &txn, why) == -1)
		return -1;
	for (int i = 1; i <= days; i++) {
		c.at = (int32_t)(now / CLOCK_DAY) - i;
		if (rollup_put(txn, GRAIN_DAY, &c, why) == -1) {
			db_abort(txn);
			return -1;
		}
	}
	return db_commit(txn, why);
}

int
main(int argc, char **argv)
{
	struct config *config;
	struct db *watch = NULL;
	struct why why;
	unsigned n = 0;
	int64_t now;
	char *dir;
	int rc;

	if (argc < 3)
		return 2;
	log_open("fetch", false, LOG_LEVEL_INFO);
	config = config_or_end(argv[1], 78);
	now = atoll(argv[2]) * CLOCK_SECOND;
	dir = xasprintf("%s/watch", config->store);
	if ((rc = fetch_http_init(&why)) == 0)
		rc = watch_open(&watch, dir, (uint64_t)config->map_size, &why);
	for (int i = 3; i < argc && rc == 0; i++)
		rc = seed(watch, argv[i], now, &why);
	if (rc == 0)
		rc = fetch_round(config, watch, now, &n, &why);
	if (rc == -1)
		fprintf(stderr, "%s\n", why.text);
	else
		printf("%u\n", n);
	db_close(watch);
	config_free(config);
	free(dir);
	return rc == 0 ? 0 : 1;
}
