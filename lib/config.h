/*
 * config - penstock.conf: where the store, the policy and the keys are, and a
 * block per program.
 *
 * Same parser and same quality of errors as the policy.  Ownership: the caller
 * frees with config_free.  Threads: any once loaded.
 */
#ifndef LIB_CONFIG_H
#define LIB_CONFIG_H

#include <stdint.h>
#include "lib/keyword.h"
#include "lib/parse.h"
#include "lib/why.h"

#define CONFIG_DEFAULT	"/etc/penstock/penstock.conf"

struct config {
	struct arena	*arena;
	const char	*path;
	const char	*store;		/* absolute; default /var/lib/penstock */
	const char	*policy;	/* /etc/penstock/policy.conf */
	const char	*keys;		/* /etc/penstock/keys */
	int64_t		 map_size;	/* default 16 GiB */
	const char	*bounces;	/* file of rules; NULL: not set */
	const char	*backoff;	/* the same of back-off */
	const char	*reputation;	/* the same of scores */
	struct {
		const char	*socket;	/* "unix:/path" or "inet:port@host" */
		const char	*socket_group;	/* "" keeps the own group */
		const char	*user;		/* "" stays as started */
		int64_t		 timeout;	/* us; half packets, idle: 360 s */
		int64_t		 max_sessions;	/* 0: no bound of ours */
		int64_t		 drain;		/* us; 10 s */
		const char	*instance;	/* written into events; "" */
	} milter;
	struct {
		const char	**logs;		/* files that are followed */
		size_t		 nlogs;
		const char	**journal;	/* units, of the journal */
		size_t		 njournal;
		const char	*journal_folder; /* "": this machine's */
		const char	*zone;		/* of times without one; "" */
		const char	**names;	/* syslog_name, instance, ... */
		size_t		 nnames;	/* of both: even */
		const char	**relays;	/* "host" or "host:port" */
		size_t		 nrelays;
		const char	*user;		/* "" stays as started */
		const char	*lmtp;		/* as milter's socket; "": none */
		const char	*socket_group;
		const char	*forward;	/* "inet:host:port"; "": none */
		int64_t		 keep_outcomes, keep_messages; /* us; 90 days */
		int64_t		 keep_totals;	/* us; 1095 days */
	} ingest;
	struct {
		const char	*keys;		/* file of lib/token.h */
	} token;
	struct {
		const char	*socket;	/* of HTTP; as milter's */
		const char	*socket_group, *user;
		const char	*lmtp;		/* as socket; "": none */
		const char	*names;		/* file for the page */
		const char	*certificate;	/* PEM; "": no TLS of our own */
		const char	*certificate_key;
		int64_t		 connections, per_address;
		int64_t		 deadline;	/* us, for a whole request */
		int64_t		 resubscribe;	/* us */
	} unsubscribe;
	struct {
		const char	*config_directory;	/* of Postfix */
		const char	*command_directory;
		const char	*agent;		/* socket of the other half
						   beside it; "": our own */
		const char	**instances;	/* instance, directory or
						   "unix:/path", ... */
		size_t		 ninstances;	/* of both: even */
		const char	*user;		/* of the half with the
						   stores */
		int64_t		 inventory;	/* us between two */
	} release;
	struct {
		int64_t		 calls;		/* of a month, in all */
		int64_t		 refresh;	/* us between two of a subject */
		int64_t		 timeout;	/* us of a call */
		const char	*certificates;	/* PEM of CAs; "": system's */
		const char	*google_credentials;	/* file; "": not asked */
		const char	*google_url, *google_token_url;
		const char	**google_domains;
		size_t		 ngoogle_domains;
		int64_t		 google_calls;
		const char	*microsoft_credentials;
		const char	*microsoft_url;
		int64_t		 microsoft_calls;
	} snapshot;
	struct {
		const char	*user;		/* "" stays as started */
		int64_t		 keep_hours, keep_days;	/* us: of cells */
	} alert;
};

/* Every word of the file, its default and its sense; also for the lint. */
extern const struct keyword_table config_keywords;

/* Relative paths are relative to the file. 1 good, 0 mistakes (problems),
 * -1 cannot be read. */
int	config_load(const char *path, struct config **, struct problems *,
	    struct why *);
/* The same for a daemon: every mistake into the log, and the end of the process
 * with that status when there is no configuration. */
struct config *config_or_end(const char *path, int status);
void	config_free(struct config *);

#endif
