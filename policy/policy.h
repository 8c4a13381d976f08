/*
 * policy - an immutable picture of what may happen, made from the policy files.
 *
 * parse -> check -> compile, one way for start, reload, `policy check` and
 * tests.  After policy_load no string is interpreted any more.
 * A snapshot is reference-counted: sessions take it at MAIL and drop it with
 * the message; the last drop frees it.  That is to be the reload thread's,
 * which waits for it: freeing a large one takes longer than a message.
 * Threads: a loaded policy is read by any thread; load and free by one.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/address.h"
#include "lib/event.h"
#include "lib/hash.h"
#include "lib/key.h"
#include "lib/map.h"
#include "lib/mem.h"
#include "lib/parse.h"
#include "lib/provider.h"
#include "lib/token.h"
#include "lib/zone.h"

enum count_by { COUNT_RECIPIENTS, COUNT_MESSAGES, COUNT_BYTES };
enum over { OVER_DEFER, OVER_HOLD, OVER_REFUSE };
enum priority { PRIORITY_INTERACTIVE, PRIORITY_TRANSACTIONAL, PRIORITY_BULK };
enum return_path { RETURN_PATH_KEEP, RETURN_PATH_VERP };
enum suppressed { SUPPRESSED_DROP, SUPPRESSED_REFUSE };
/* What a complaint stops: bulk mail, or all mail of the tenant. */
enum complaint_scope { COMPLAINT_BULK, COMPLAINT_TENANT };
/* What a provider's wish for less mail does: it is shown, nothing, the gate
 * obeys. */
enum heed { HEED_ADVISE, HEED_OFF, HEED_ENFORCE };
/* By listener: all-or-none where mail programs submit, allow elsewhere. */
enum partial { PARTIAL_BY_LISTENER, PARTIAL_ALLOW, PARTIAL_ALL_OR_NONE };
/* What bulk mail carries for those who had enough of it: unsubscribe.h. */
enum unsubscribe { UNSUBSCRIBE_OFF, UNSUBSCRIBE_MAILTO, UNSUBSCRIBE_ONE_CLICK };
enum many { MANY_MAILTO, MANY_DEFER, MANY_REFUSE };
enum existing { EXISTING_KEEP, EXISTING_REPLACE, EXISTING_REQUIRE_OWN };
enum postal { POSTAL_RECORD, POSTAL_DEFER, POSTAL_REFUSE };
enum feedback { FEEDBACK_OFF, FEEDBACK_ADD, FEEDBACK_KEEP };
/* How Postfix is told which transport a message leaves by: its own route, the
 * domain's local part of MAIL FROM, or a header. */
enum select { SELECT_NONE, SELECT_SENDER, SELECT_HEADER };
enum fair { FAIR_NONE, FAIR_TENANT };
/* Recipients whose weight says another pool than that of the message. */
enum other_path { OTHER_PATH_DEFER, OTHER_PATH_IGNORE };
extern const char *const count_by_names[];
extern const char *const over_names[];
extern const char *const priority_names[];
extern const char *const return_path_names[];
extern const char *const partial_names[];
extern const char *const unsubscribe_names[];
extern const char *const many_names[];
extern const char *const existing_names[];
extern const char *const feedback_names[];
extern const char *const select_names[];
extern const char *const fair_names[];
extern const char *const other_path_names[];
extern const char *const suppressed_names[];
extern const char *const complaint_scope_names[];
extern const char *const heed_names[];
extern const char *const postal_names[];

/* What a limit counts apart: bits of its "per".  What it stands in is always
 * among them (nothing for the main file), so only a limit of the main file, a
 * group, a pool or an address is shared by tenants. */
enum {
	PER_GROUP		= 1 << 0,
	PER_TENANT		= 1 << 1,
	PER_STREAM		= 1 << 2,
	PER_LOGIN		= 1 << 3,
	PER_SENDER		= 1 << 4,	/* MAIL FROM */
	PER_SENDER_DOMAIN	= 1 << 5,	/* of From: known at EOH */
	PER_POOL		= 1 << 6,
	PER_ADDRESS		= 1 << 7,
	PER_PROVIDER		= 1 << 8,
	PER_RECIPIENT_DOMAIN	= 1 << 9
};
#define PER_DIMENSIONS	10
extern const char *const per_names[];		/* by bit, NULL-ended */

/* The parts of the decision that may be in shadow: decided, recorded, and
 * the mail passes. */
enum {
	SHADOW_LIMITS		= 1 << 0,
	SHADOW_OWNERSHIP	= 1 << 1,
	SHADOW_REQUIRE		= 1 << 2,
	SHADOW_SUPPRESSION	= 1 << 3,
	SHADOW_ALL		= (1 << 4) - 1
};
extern const char *const shadow_names[];	/* by bit, NULL-ended */

struct warmup;				/* policy/warmup.h */
/* A warmup is a handful of limits: a cap per day, a throttle of 5 minutes, a
 * cap per day and provider. */
enum warm_part { WARM_DAY, WARM_BURST, WARM_SHARE };

struct limit {
	struct slice	 name;
	enum limit_kind	 kind;
	unsigned	 per;		/* PER_*; no PER_TENANT: shared */
	enum count_by	 count;
	enum over	 over;		/* when over_at is a place; else as */
	bool		 shadow;	/* limit_over() says.  mode = "shadow" */
	bool		 to_all;
	provider_set	 to;
	struct slice	 to_text;	/* "provider:google", for eyes */
	int64_t		 rate, period;	/* throttle: n per us */
	int64_t		 burst;
	int64_t		 most;		/* cap */
	enum window_unit unit;
	int		 month_day;
	struct slice	 text;		/* "200/hour" as written */
	int		 jitter;	/* thousandths of the wait */
	const struct warmup *warmup;	/* whose numbers it has; NULL: its own */
	enum warm_part	 part;		/* of it */
	struct place	 at;		/* of the block */
	/* where each value was written; nowhere: its default */
	struct place	 amount_at, burst_at, count_at, to_at, over_at,
			 jitter_at, per_at, mode_at;
};

/*
 * What stops a tenant's own mail when too much of it goes wrong: counted by
 * penstock-ingest over the last window, obeyed by the gate, lifted by a person.
 */
enum breaker_when { BREAKER_HARD_BOUNCE, BREAKER_BOUNCE, BREAKER_COMPLAINT };
enum breaker_action { BREAKER_HOLD, BREAKER_SLOW, BREAKER_PAUSE };
extern const char *const breaker_when_names[];
extern const char *const breaker_action_names[];
struct breaker {
	struct slice	 name;
	enum breaker_when when;
	int		 rate;		/* hundredths of a percent */
	struct slice	 rate_text;	/* "8%" */
	int64_t		 least;		/* recipients that became final */
	int64_t		 window;	/* us */
	unsigned	 per;		/* PER_TENANT, and PER_STREAM, _LOGIN */
	enum breaker_action action;
	struct limit	 slow;		/* what slow lets through */
	bool		 off;		/* a nearer "none" */
	struct place	 at;
};

struct identity {			/* a dkim block */
	struct slice	 selector, domain;
	const char	*key_path;	/* absolute */
	enum key_type	 type;		/* as written, or as the key's */
	bool		 typed;		/* algorithm was written */
	const char	*trouble;	/* NULL, or why it cannot sign */
	struct place	 at;
};

struct group {
	struct slice	 name;
	uint64_t	 id;
	struct slice	 contact;
	const char	*paused;	/* NULL or the reason */
	struct limit	*limits;
	size_t		 nlimits;
	struct place	 at, paused_at, contact_at;
};

struct pool;
struct pool_address {
	struct slice	 address, helo, transport;
	uint64_t	 id;		/* hash_id("address", as inet_ntop
					   writes it) */
	const struct pool *pool;	/* that it stands in */
	const struct warmup *warmup;	/* NULL: none */
	const struct limit **limits;	/* its own, then those of its warmup */
	size_t		 nlimits;
	struct place	 at, helo_at, transport_at;
};

/* How much of the warmup cap of an address may go to some providers. */
struct pool_share {
	provider_set	 to;
	struct slice	 to_text;	/* "google" */
	int		 percent;
	struct place	 at;
};

struct pool {
	struct slice	 name;
	uint64_t	 id;
	const struct zone *zone;	/* where its limits count */
	enum select	 select;
	enum fair	 fair;
	enum other_path	 other_path;
	const struct pool *overflow;	/* where mail goes that does not fit
					   our own caps; NULL: nowhere */
	struct pool_address *addresses;
	size_t		 naddresses;
	const struct limit **limits;	/* standing in it */
	size_t		 nlimits;
	const struct pool_share *shares;
	size_t		 nshares;
	struct place	 at;
	/* where each value was written; nowhere: its default */
	struct place	 zone_at, select_at, fair_at, other_path_at,
			 overflow_at;
};

/* A tenant's pool with its part of the mail. */
struct route {
	const struct pool *pool;
	int		 weight;	/* beside the stream's other routes */
	struct place	 at;
};

struct match_line;			/* policy/match.h */

/*
 * A stream as the mail of one tenant meets it: what file, group, class, tenant
 * and stream say, merged.  Tenants that say the same share it.  Streams are
 * tried in order and the first that matches is the mail's; the last one of
 * every tenant is "default", which has no lines and always matches.
 */
struct stream {
	struct slice	 name;
	uint64_t	 id;		/* hash_id("stream", name) */
	const struct match_line *lines;	/* any of them */
	size_t		 nlines;
	bool		 by_header;	/* a line looks at headers */
	bool		 late;		/* it, or one before it, does: mail is
					   known to be in it at EOH only */
	bool		 strip;		/* remove the headers that select it */
	const struct limit **limits;	/* all that bind its mail */
	size_t		 nlimits;
	enum priority	 priority;
	enum return_path return_path;
	enum partial	 partial;
	enum suppressed	 suppressed;	/* what his mail gets at RCPT */
	enum complaint_scope complaint_scope;
	int		 max_recipients; /* 0: none */
	int		 fair_weight;	/* the tenant's: the same in all */
	unsigned	 shadow;	/* SHADOW_* */
	const char	*paused;	/* this stream alone; NULL or why */
	int64_t		 hold_max;	/* us */
	enum heed	 backoff;
	int64_t		 backoff_max;	/* us: how long one may last */
	enum over	 then;		/* not OVER_HOLD: what does not fit */
	const struct breaker **breakers; /* by name, those that are off too */
	size_t		 nbreakers;
	const struct route *routes;	/* 0: Postfix's own */
	size_t		 nroutes;
	struct identity	*identities;	/* who signs, by domain; see
					   policy_identities */
	size_t		 nidentities;
	enum unsubscribe unsubscribe;
	struct slice	 url;		/* a token goes behind it */
	struct slice	 mailto;	/* local part; p NULL: none */
	enum many	 many_recipients;
	enum existing	 existing;
	bool		 list_id;
	enum feedback	 feedback_id;
	struct slice	 campaign;	/* name of a header; n 0: none */
	struct slice	 cfbl;		/* an address; n 0: none */
	struct slice	 postal_address; /* as postal_fold has it; n 0: none */
	enum postal	 postal;	/* what becomes of mail without it */
	struct slice	*claim;		/* logins that may select it by header */
	size_t		 nclaim;	/* 0 and by_header: all */
	struct place	 at;		/* nowhere: default, never written */
	/* where each value was written; nowhere: its default */
	struct place	 match_at, priority_at, return_path_at, partial_at,
			 fair_weight_at,
			 max_recipients_at, shadow_at, paused_at, hold_max_at,
			 then_at, strip_at, claim_at, unsubscribe_at, url_at,
			 mailto_at, many_recipients_at, existing_at,
			 list_id_at, feedback_id_at, campaign_at, cfbl_at,
			 suppressed_at, complaint_scope_at, backoff_at,
			 backoff_max_at,
			 postal_address_at, postal_at;
};

enum form {
	FORM_CURRENT,		/* as its file says */
	FORM_LAST_GOOD,		/* the file is broken; this is what it was */
	FORM_BROKEN		/* new and broken: its logins get 451 */
};
extern const char *const form_names[];

struct tenant {
	struct slice	 name;
	uint64_t	 id;		/* hash_id("tenant", name) */
	enum form	 form;
	const struct group *group;	/* or NULL */
	struct slice	 class;
	struct slice	 contact;
	const struct zone *zone;
	const struct stream *const *streams; /* in order; the last: default */
	size_t		 nstreams;	/* >= 1 */
	/* Limits that all streams have alike: they bind before the stream of
	 * a mail is known. */
	const struct limit **common;
	size_t		 ncommon;
	struct slice	*domains;	/* as written, for show */
	size_t		 ndomains;
	struct slice	 bounce_domain;
	struct identity	*identities;	/* of the tenant's own block */
	size_t		 nidentities;
	const char	*paused;
	int64_t		 value;		/* to the operator; value_at nowhere:
					   not said */
	bool		 automatic;	/* made by auto_tenant, for one mail */
	uint64_t	 known;		/* of its logins and clients, wherever
					   they stand: other ones, other sum */
	uint32_t	 unit;		/* which file; index.c's number */
	struct place	 at, paused_at;
	/* where its values come from; nowhere: the default */
	struct place	 class_at, group_at, contact_at, zone_at,
			 bounce_domain_at, value_at;
};

enum unknown { UNKNOWN_DEFER, UNKNOWN_REFUSE };

/* A claim block: whoever is in it names the tenant of a mail in a header. */
struct claimer {
	struct slice	 header;	/* its name */
	struct slice	*tenants;	/* that may be named; 0: any */
	size_t		 ntenants;
	struct place	 at;
};

struct ip {				/* v4 is mapped into v6 */
	uint8_t		b[16];
	bool		known;		/* false: no address (pickup, unix) */
};

struct policy {
	atomic_uint	 refs;
	uint32_t	 number;	/* one made later has a greater one */
	struct arena	*arena;
	const char	*path;
	uint8_t		 hash[HASH_SHA256];
	enum unknown	 unknown_sender;
	struct place	 unknown_sender_at;
	bool		 some_broken;	/* FORM_BROKEN exists: unknown -> 451 */
	struct tenant	**tenants;	/* by name */
	size_t		 ntenants;
	struct group	**groups;
	size_t		 ngroups;
	struct pool	**pools;
	size_t		 npools;
	struct identity	*identities;	/* the platform's own, signs all */
	size_t		 nidentities;
	const struct zone *zone;	/* also where shared limits count */
	unsigned	 shadow;	/* SHADOW_*: of tenants that say nothing */
	bool		 trusted;	/* there is a trusted block */
	struct place	 trusted_at;
	const struct claimer **claimers;	/* claim blocks, for show */
	size_t		 nclaimers;
	const struct tenant *automatic;	/* what auto_tenant gives to those it
					   makes; NULL: it makes none */
	struct slice	*except;	/* domains it leaves alone: x, *.x */
	size_t		 nexcept;
	struct slice	*submission;	/* more listeners that are submission */
	size_t		 nsubmission;
	struct slice	*local_transports;
	size_t		 nlocal_transports;
	int		 inflight;	/* percent of a shared cap */
	int64_t		 queue_lifetime; /* us: Postfix's */
	struct token_ring *ring;	/* NULL: no stream needs it, nobody
					   said where it is, or: */
	const char	*ring_trouble;	/* NULL, or why it cannot be used */
	/* nowhere: the default */
	struct place	 zone_at, shadow_at, inflight_at, queue_lifetime_at,
			 submission_at, local_transports_at;
	struct policy_index *index;	/* logins, clients, domains: index.c */
};

/* The last good forms of tenant files, for those that are broken. */
struct policy_forms {
	/* Fetch; text lives in the arena. NULL function: there are none. */
	int	(*get)(void *, struct slice path, struct arena *,
		    struct slice *text, struct why *);
	void	*with;
	/* Every form, as store_each_form; NULL function: a file that was
	 * renamed does not find that of its old name. */
	int	(*each)(void *, bool (*)(void *, struct slice path,
		    struct slice text), void *, struct why *);
};
/* Those of the gate's store; NULL: none. */
struct store;
struct policy_forms policy_forms_of(struct store *);

struct policy_load {
	const char		*path;		/* policy.conf */
	const char		*keys;		/* folder of keys */
	const char		*token_keys;	/* file of lib/token.h; NULL: of
						   no interest */
	const struct policy	*running;	/* NULL: none; for rivals */
	struct policy_forms	 forms;
	size_t			 judge_keys;	/* parse this many keys now */
};

/*
 * policy_load - 1 loaded, all well or with tenant files in trouble (see
 * problems and tenants' form); 0 the main part is wrong, *out is NULL;
 * -1 could not read.  Problems may hold warnings in every case.
 */
int	 policy_load(const struct policy_load *, struct policy **out,
	    struct problems *, struct why *);
struct policy *policy_hold(struct policy *);	/* takes a reference */
void	 policy_drop(struct policy *);		/* NULL allowed */
/* Is ours the only reference?  Of one that nobody can take any more. */
bool	 policy_alone(const struct policy *);

/*
 * Good tenant files of this policy, to be kept as last good form: callback
 * per file with its path and bytes.  They are read again, and a file that
 * changed since the load is left out: what is kept is what was judged.  since:
 * only those whose bytes differ from that policy's; NULL: all.  Not for the
 * hot path.
 */
void	 policy_files_since(const struct policy *, const struct policy *since,
	    void (*)(void *, struct slice path, struct slice text), void *);
void	 policy_files(const struct policy *,
	    void (*)(void *, struct slice path, struct slice text), void *);
/* The same, but those that known says yes to are not even read. */
void	 policy_files_unless(const struct policy *,
	    bool (*known)(void *, struct slice path, const uint8_t *hash),
	    void (*)(void *, struct slice path, struct slice text), void *);
/* Tenant files in trouble: callback per file whose form is not current. */
void	 policy_broken_files(const struct policy *,
	    void (*)(void *, struct slice path, enum form), void *);

/* --- questions: no allocation, any thread -------------------------------- */
const struct tenant *policy_tenant(const struct policy *, struct slice name);
/*
 * In tenants and login maps alike:
 * the exact login, then "*@domain", then "*@.parent", nearest first: "*@x"
 * holds the logins of x alone, "*@.x" those of all domains below x.  Logins
 * are compared byte by byte; in the two forms with "*" the domain's case is
 * folded.  *rule (may be NULL) is the claiming line.
 */
const struct tenant *policy_by_login(const struct policy *, struct slice,
	    struct place *rule);
/*
 * A login that no tenant has, or a client without a login, that may name its
 * tenant in a header; NULL: it may not.  policy_claimed: the tenant of that
 * name, NULL when there is none or it is not among those it may name.
 */
const struct claimer *policy_claim(const struct policy *, struct slice login,
	    const struct ip *);
const struct tenant *policy_claimed(const struct policy *,
	    const struct claimer *, struct slice name);
/*
 * The tenant that auto_tenant makes of a login that nobody else has, or of a
 * domain: 1, 0 it makes none, -1 without memory.  It lives in the arena and
 * as long as the policy; its rule is the auto_tenant block.
 */
int	 policy_auto(const struct policy *, struct slice login, struct arena *,
	    const struct tenant **);
int	 policy_auto_domain(const struct policy *, struct slice domain,
	    struct arena *, const struct tenant **);
const struct tenant *policy_by_client(const struct policy *,
	    const struct ip *, struct place *rule);	/* longest prefix */
/* Who owns that domain: exact before "*.", nearer before farther. */
const struct tenant *policy_by_domain(const struct policy *,
	    struct slice domain, struct place *rule);
bool	 policy_trusts(const struct policy *, const struct ip *);
bool	 policy_is_local(const struct policy *, struct slice transport);
/* Also true for the tenant's bounce_domain when bounce is set. */
bool	 policy_owns(const struct policy *, const struct tenant *,
	    struct slice domain, bool bounce);
/* The identities of the nearest domain at or above From's domain that has
 * any; 0 when none. They stand side by side in the stream's array. */
size_t	 policy_identities(const struct stream *, struct slice domain,
	    const struct identity **first);
/* The stream of a tenant that all other mail is in. */
const struct stream *policy_default(const struct tenant *);
/* By name; NULL: the tenant has none of that name. */
const struct stream *policy_stream(const struct tenant *, struct slice name);
/* What this limit does to mail of that stream when it is reached: as written,
 * or hold for interactive mail and defer for other. */
enum over limit_over(const struct limit *, const struct stream *);
/* Is its counter one of several tenants? */
bool	 limit_shared(const struct limit *);
/* Does it depend on the way that mail leaves: in a pool or an address, or
 * counting apart by one?  It is asked when that is known, at the end. */
bool	 limit_egress(const struct limit *);
/* "tenant, login": what it counts apart, for eyes; in the arena. */
const char *limit_per(const struct limit *, struct arena *);
void	 ip_of(const struct sockaddr *, struct ip *);	/* NULL: unknown */
char	*ip_print(const struct ip *, char out[INET6_ADDRSTRLEN]);

/* Each login, client, domain and bounce domain of a tenant as written, in no
 * order; word is the setting's name. Walks all tables: for people only. */
void	 policy_names(const struct policy *, const struct tenant *,
	    void (*)(void *, const char *word, struct slice text,
	    struct place), void *);

/* The tenant of each claim of "logins" and "clients", one after the other:
 * for counting those of all tenants in one walk. */
void	 policy_claims(const struct policy *, void (*)(void *,
	    const struct tenant *, const char *word), void *with);

/* file:line into the arena, "" for nowhere; path below the policy's folder
 * is written relative to it. */
struct slice policy_rule(const struct policy *, struct place,
	    struct arena *);

#endif
