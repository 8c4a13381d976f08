/*
 * index - who owns a login, a client, a domain; the tables behind the
 * questions of policy.h.  Inside policy/ only.
 *
 * Ownership: the struct and the stakes are in the policy's arena, the tables
 * on the heap.  Threads: any once the policy is loaded.
 */
#ifndef POLICY_INDEX_H
#define POLICY_INDEX_H

#include "lib/map.h"
#include "policy/login_map.h"
#include "policy/net.h"
#include "policy/policy.h"

#define LAST_GOOD	"#last-good"	/* behind the path of such a file */

/* What only one may hold.  The text is the key in the index. */
enum stake_kind {
	STAKE_TENANT,		/* name */
	STAKE_LOGIN,		/* exact */
	STAKE_LOGIN_DOMAIN,	/* "x" for *@x, ".x" for *@.x */
	STAKE_CLIENT,		/* struct net_key */
	STAKE_DOMAIN,		/* "x", or ".x" for *.x */
	STAKE_BOUNCE,		/* "x" */
	STAKE_SELECTOR,		/* "selector._domainkey.x" */
	STAKES
};

struct stake {
	struct slice	 text;
	struct tenant	*tenant;	/* NULL: the platform's own key */
	struct place	 at;
	struct stake	*next;		/* of the same form of a file */
	uint32_t	 unit;
	uint8_t		 kind;		/* enum stake_kind */
};

/* A file that stands or falls as one; unit 0 is the main part. */
struct policy_unit {
	const char	*path, *was;	/* was: or NULL; adopt.c */
	enum form	 form;
	uint8_t		 hash[HASH_SHA256];	/* of the bytes in force */
};

/* One login or client of a claim block. */
struct claim_line {
	const struct claimer *by;
	struct place	 at;
};

struct policy_index {
	struct map	*logins, *login_domains, *domains, *bounces;
	struct nets	 clients, trusted;
	struct login_map *login_map;	/* NULL: there is none */
	/* of struct claim_line */
	struct map	*claim_logins, *claim_domains;
	struct nets	 claim_clients;
	struct map	*withheld;	/* domains of files without any form */
	struct policy_unit *units;
	size_t		 nunits;
};

/* The stake of x, or of the nearest ".parent"; NULL: nobody's. */
struct stake *index_above(const struct map *, struct slice domain);
/* The part behind the last @, folded into out; n 0: none. */
#define LOGIN_DOMAIN_MAX	253
struct slice login_domain(struct slice login, char out[LOGIN_DOMAIN_MAX]);
/* Is there a line for it in a login map, whoever it names? */
bool	 policy_login_mapped(const struct policy *, struct slice login);
/* The path of the file that holds it, NULL when none in good form does. */
const char *index_holder(const struct policy *, enum stake_kind,
	    struct slice text);
void	 index_free(struct policy_index *);

#endif
