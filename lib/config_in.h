/*
 * config_in - what the files of config share; nobody else includes it.
 *
 * config.c: the table of words, the file, the top and the milter's block.
 * config_unsubscribe.c: tokens and penstock-unsubscribe.
 * config_ingest.c: penstock-ingest.
 * config_release.c: penstock-release.
 * config_snapshot.c: whom penstock-alert asks.
 * config_alert.c: penstock-alert.
 */
#ifndef LIB_CONFIG_IN_H
#define LIB_CONFIG_IN_H

#include <stdbool.h>
#include "lib/config.h"

enum {				/* ids of rows */
	WORD_STORE, WORD_POLICY, WORD_KEYS, WORD_MAP_SIZE, WORD_BOUNCES,
	WORD_BACKOFF, WORD_REPUTATION, WORD_MILTER, WORD_OTHER, WORD_SOCKET,
	WORD_SOCKET_GROUP, WORD_USER, WORD_TIMEOUT, WORD_MAX_SESSIONS,
	WORD_DRAIN, WORD_INSTANCE, WORD_LATER,
	WORD_TOKEN, WORD_TOKEN_KEYS,
	WORD_UNSUBSCRIBE, WORD_UNSUBSCRIBE_SOCKET, WORD_UNSUBSCRIBE_GROUP,
	WORD_UNSUBSCRIBE_USER, WORD_UNSUBSCRIBE_LMTP, WORD_UNSUBSCRIBE_NAMES,
	WORD_UNSUBSCRIBE_CERTIFICATE, WORD_UNSUBSCRIBE_CERTIFICATE_KEY,
	WORD_UNSUBSCRIBE_CONNECTIONS, WORD_UNSUBSCRIBE_PER_ADDRESS,
	WORD_UNSUBSCRIBE_DEADLINE, WORD_UNSUBSCRIBE_RESUBSCRIBE,
	WORD_INGEST, WORD_INGEST_LOG, WORD_INGEST_LOGS, WORD_INGEST_JOURNAL,
	WORD_INGEST_FOLDER,
	WORD_INGEST_ZONE, WORD_INGEST_INSTANCES, WORD_INGEST_RELAYS,
	WORD_INGEST_USER, WORD_INGEST_LMTP, WORD_INGEST_GROUP,
	WORD_INGEST_FORWARD, WORD_INGEST_KEEP_OUTCOMES,
	WORD_INGEST_KEEP_MESSAGES, WORD_INGEST_KEEP_TOTALS,
	WORD_RELEASE, WORD_RELEASE_CONFIG, WORD_RELEASE_COMMANDS,
	WORD_RELEASE_AGENT, WORD_RELEASE_INSTANCES, WORD_RELEASE_USER,
	WORD_RELEASE_INVENTORY,
	WORD_SNAPSHOT, WORD_SNAPSHOT_CALLS, WORD_SNAPSHOT_REFRESH,
	WORD_SNAPSHOT_TIMEOUT, WORD_SNAPSHOT_CERTIFICATES,
	WORD_SNAPSHOT_GOOGLE_CREDENTIALS, WORD_SNAPSHOT_GOOGLE_URL,
	WORD_SNAPSHOT_GOOGLE_TOKEN_URL, WORD_SNAPSHOT_GOOGLE_DOMAINS,
	WORD_SNAPSHOT_GOOGLE_CALLS, WORD_SNAPSHOT_MICROSOFT_CREDENTIALS,
	WORD_SNAPSHOT_MICROSOFT_URL, WORD_SNAPSHOT_MICROSOFT_CALLS,
	WORD_ALERT, WORD_ALERT_USER, WORD_ALERT_KEEP_HOURS,
	WORD_ALERT_KEEP_DAYS
};

/* Where a row may stand. */
enum { IN_FILE = 1, IN_MILTER = 2, IN_OTHER = 4, IN_TOKEN = 8,
	IN_UNSUBSCRIBE = 16, IN_INGEST = 32, IN_RELEASE = 64,
	IN_SNAPSHOT = 128, IN_ALERT = 256 };

struct reader {
	struct config	*config;
	struct problems	*problems;
	struct slice	 folder;	/* of the file, absolute */
	bool		 failed;	/* no memory */
	bool		 log_set;	/* ingest { log = ... } was read */
};

/* Values of one kind; what cannot be is said, and *out stays. */
void	config_path(struct reader *, const struct node *, const char **out);
void	config_socket(struct reader *, const struct node *, const char **out);
void	config_duration(struct reader *, const struct node *, int64_t least,
	    int64_t most, int64_t *out);
void	config_count(struct reader *, const struct node *, int64_t *out);

/* One setting of a block, and what holds without it. */
void	config_unsubscribe(struct reader *, const struct node *, int id);
void	config_unsubscribe_defaults(struct config *);
void	config_ingest(struct reader *, const struct node *, int id);
void	config_ingest_defaults(struct reader *);	/* at the end */
void	config_release(struct reader *, const struct node *, int id);
void	config_release_defaults(struct config *);
void	config_snapshot(struct reader *, const struct node *, int id);
void	config_snapshot_defaults(struct config *);
void	config_alert(struct reader *, const struct node *, int id);
void	config_alert_defaults(struct config *);

#endif
