/*
 * build - what a policy is made of while it is being made.  Inside policy/
 * only: load.c reads, compile*.c make structures of trees, rivals.c settles
 * who holds what, check.c looks at the whole, index.c answers afterwards.
 *
 * Memory: keep is the policy's own arena, work lives as long as the load, file
 * as long as one tenant file is read.  Running out of memory anywhere sets
 * nomem and the load fails as a whole; functions then return NULL or nothing.
 */
#ifndef POLICY_BUILD_H
#define POLICY_BUILD_H

#include "policy/index.h"
#include "policy/keywords.h"
#include "policy/match.h"
#include "policy/policy.h"

#define PATH_ROOM	1024	/* for a place in a message */

/* The tenants of a unit in one of its forms. */
struct picture {
	struct tenant	**tenants;
	size_t		 n;
	struct stake	*stakes, **last;
	uint8_t		 hash[HASH_SHA256];
};

struct unit {
	const char	*path;		/* in keep */
	struct place	 at;		/* of the include that named it */
	enum form	 form;
	struct place	 first_error;
	struct picture	 now;		/* the form in force */
	struct picture	 partial;	/* what a broken text claims */
	struct picture	*good;		/* last good form, once asked for */
	const char	*was;		/* good is of that path, which is gone */
	bool		 good_asked;
	bool		 good_unfit;	/* there is one, it does not go with
					   this main part */
	bool		 demoted;	/* lost against a rival */
};

/* What one block says of a limit, line by line. */
enum {
	SET_AMOUNT = 1 << 0, SET_BURST = 1 << 1, SET_TO = 1 << 2,
	SET_COUNT = 1 << 3, SET_OVER = 1 << 4, SET_JITTER = 1 << 5,
	SET_PER = 1 << 6, SET_MODE = 1 << 7
};
struct draft {
	struct limit	 limit;		/* what was written, else 0 */
	unsigned	 set;		/* SET_* that were written */
	bool		 off;		/* "none" */
	unsigned	 standing;	/* PER_* of the place it stands in */
	unsigned	 dims;		/* PER_* that were written */
	bool		 passing;	/* of a tenant: its memory is used again */
	struct limit	*made;		/* alone and finished, in keep */
};

#define CLASSES_MAX	16		/* that extend one another */
#define LEVELS_MAX	(CLASSES_MAX + 3)
#define LIMITS_MAX	256		/* in one block */
#define STREAMS_MAX	64

enum level { LEVEL_FILE, LEVEL_GROUP, LEVEL_CLASS, LEVEL_TENANT,
	LEVEL_POOL, LEVEL_ADDRESS };	/* of those two: limits only */

/*
 * What one level says, or one of its streams: values that a nearer one may
 * say again, limits, streams.  Its arrays live as long as they are merged:
 * those of a tenant in file, others in work; what becomes a part of the policy
 * is in keep.
 */
struct scope {
	enum level	 level;
	bool		 in_stream;
	struct slice	 name;		/* of the stream */
	struct place	 at;
	struct arena	*arena;
	struct stream	 said;		/* fields whose _at is somewhere */
	bool		 says;		/* any of them */
	bool		 faulty;	/* has mistakes: no more is said */
	struct draft	*drafts;
	size_t		 ndrafts;
	const struct pool *pool;	/* of an address; else NULL */
	struct scope	*streams;
	size_t		 nstreams;
};

struct class {
	struct slice	 name;
	struct place	 at, extends_at;
	struct class	*extends;
	const struct value *base;	/* the name of that class, as written */
	struct scope	 scope;
	unsigned	 mark;		/* of the walk that looks for circles */
};

/* What tenants of a class and a group have when they say no more. */
struct mix {
	const struct class *class;
	const struct group *group;
	const struct stream *const *streams;
	size_t		 nstreams;
	const struct limit **base;	/* of streams that say no more */
	size_t		 nbase;
	const struct limit **common;
	size_t		 ncommon;
	const char	*trouble;	/* the two do not go together */
};

struct main_file {			/* one that counts as main file */
	const char	*path;
	uint8_t		 hash[HASH_SHA256];
	uint64_t	 device, inode;
	struct place	 at;		/* of the include; nowhere: the first */
	const struct main_file *parent;
	struct main_file *next;
};

struct folder {
	const char	*path;
	uint64_t	 device, inode;
	struct place	 at;
	struct folder	*next;
};

struct build {
	const struct policy_load *args;
	struct policy	*policy;
	struct arena	*keep, *work, *file;
	struct problems	*problems;
	bool		 nomem;
	struct main_file *files, **last_file;
	struct folder	*folders, **last_folder;
	struct node	*tree, **last_node;	/* of all main files */
	unsigned	 errors_before;	/* of the caller's problems */
	struct map	*classes, *groups, *pools, *addresses, *schedules;
	struct scope	 file_scope;	/* what the main file says for all */
	struct map	*group_scopes;	/* by name */
	struct map	*group_gives;	/* limits and streams of some group */
	struct map	*mixes;		/* of struct mix */
	struct map	*made;		/* limits by the blocks they are of */
	struct map	*warned;	/* places of which was spoken */
	struct map	*stream_ids;
	struct unit	*units;
	size_t		 nunits;
	struct map	*held[STAKES];
	bool		 warned_open;
	bool		 main_broken;	/* so tenants are not told of it */
};

/* build.c: memory that remembers its failure, and small things many need */
void	*build_alloc(struct build *, struct arena *, size_t n, size_t size);
struct slice build_copy(struct build *, struct arena *, struct slice);
char	*build_printf(struct build *, struct arena *, const char *, ...)
	    __attribute__((format(printf, 3, 4)));
/* "folder/name", or the name when it is absolute. */
char	*build_path(struct build *, struct arena *, const char *folder,
	    struct slice name);
/* file:line:col */
const char *build_place(struct place, char *out, size_t);
/* "; did you mean "x"?" from the names of a map, or "". */
const char *build_nearest(const struct map *, struct slice, char *out,
	    size_t);
/* The nearest provider as a hint, or all there are. */
const char *build_provider(struct build *, struct slice);
/* Which of the row's choices; keyword_check has made sure there is one. */
int	 choice_index(const struct keyword *, const struct value *);
/* The strings of a KEYWORD_LIST. */
const struct value *build_items(const struct value *, size_t *n);
/* The nearest of some words, NULL-ended, as build_nearest. */
const char *build_near(const char *const *, struct slice, char *out, size_t);
/* Was this said of that place already? Remembers it. */
bool	 build_told(struct build *, struct place, char what);
/* Of a header: printable, without ":". */
bool	 build_header(struct slice);
/* A title that is a name; says the mistake. */
bool	 build_name(const struct node *, struct slice *, struct problems *);
/* One line of printable ASCII, not empty, that goes into an SMTP reply. */
bool	 build_reply_text(const struct node *, struct problems *);

/* compile.c: the main part; problems tell whether it is good */
void	 compile_main(struct build *, struct problems *);
/* compile_pool.c */
void	 compile_pool(struct build *, const struct node *, struct problems *);
/* Once all are there: what one pool says of another. */
void	 compile_pools(struct build *, struct problems *);
/* compile_identify.c: login maps, claim blocks, auto_tenant */
void	 compile_login_map(struct build *, const struct node *,
	    struct problems *);
void	 compile_claim(struct build *, const struct node *,
	    struct problems *);
void	 compile_auto(struct build *, struct picture *, struct problems *);
/* Names of login maps become tenants; claims that are in vain. */
void	 identify_settle(struct build *);
/* compile_tenant.c */
void	 compile_duplicates(struct build *, const struct node *,
	    struct problems *);
void	 compile_picture(struct build *, uint32_t unit, struct node *,
	    bool tenants_only, struct picture *, struct problems *);
/* Tenants that hold whatever of their logins and clients can be read. */
void	 compile_salvage(struct build *, uint32_t unit, const struct node *,
	    struct picture *);
/* A class or a group by its name; says when there is none. */
void	*compile_refer(const struct map *, const struct node *,
	    struct problems *);
/* compile_names.c: the word is for the mistake */
bool	 compile_login_text(struct build *, const char *word,
	    const struct value *, struct slice *, struct problems *);
void	 compile_logins(struct build *, struct picture *, struct tenant *,
	    uint32_t unit, const struct value *, struct problems *);
void	 compile_clients(struct build *, struct picture *, struct tenant *,
	    uint32_t unit, const struct value *, struct problems *);
void	 compile_domains(struct build *, struct picture *, struct tenant *,
	    uint32_t unit, const char *word, const struct value *,
	    struct problems *);
void	 compile_bounce(struct build *, struct picture *, struct tenant *,
	    uint32_t unit, const struct value *, struct problems *);
void	 compile_bounce_auto(struct build *, struct picture *,
	    struct tenant *, const struct value *, struct problems *);
void	 stake_add(struct build *, struct picture *, enum stake_kind,
	    struct slice, struct place, struct tenant *, uint32_t unit);
/* compile_dkim.c: tenant NULL is the platform; beside: NULL, or the level in
 * whose stream the blocks stand */
void	 compile_dkim(struct build *, struct picture *, struct tenant *,
	    uint32_t unit, const struct node *, const struct scope *beside,
	    struct identity **, size_t *, struct problems *);
/* Streams' own keys beside the tenant's: its domains replace the tenant's. */
void	 compile_stream_keys(struct build *, const struct tenant *,
	    struct stream *, const struct stream *said);
/* compile_scope.c: one inheritable setting; false: it is none */
bool	 compile_said(struct build *, struct scope *, const struct node *,
	    const struct keyword *, struct problems *);
/* The limits, pools and streams of a chain. */
void	 compile_blocks(struct build *, struct scope *, const struct node *,
	    struct problems *);
/* compile_carried.c: headers that bulk mail gets.  One setting; false: it is
 * none of them */
bool	 compile_carried(struct build *, struct scope *, const struct node *,
	    const struct keyword *, struct problems *);
/* The block of a chain. */
/* compile_breaker.c: those of a level; a nearer one of a name replaces it */
void	 compile_breakers(struct build *, struct scope *,
	    const struct node *, struct problems *);
void	 compose_breakers(struct build *, struct stream *to,
	    const struct stream *from);
void	 compile_unsubscribe(struct build *, struct scope *,
	    const struct node *, struct problems *);
/* What the streams of a tenant cannot do as they are. */
void	 check_carried(struct build *, const struct tenant *,
	    struct problems *);
/* The keys of tokens, when a stream needs them. */
void	 check_ring(struct build *);
/* compile_warmup.c: schedule blocks, before all that refers to them */
void	 compile_schedules(struct build *, struct problems *);
/* The warmup of a chain as drafts of limits: how many there may be, and how
 * many there are. */
size_t	 compile_warmup_room(const struct scope *, const struct node *chain);
size_t	 compile_warmup(struct build *, const struct scope *,
	    const struct node *chain, struct draft *, struct problems *);
/* A cap that is reached before the warmup is at its end. */
void	 check_warmup(struct build *, const struct limit *warm,
	    const struct limit *cap, struct problems *);
void	 check_warmups(struct build *, const struct pool *,
	    struct problems *);
/* compile_limit.c: PER_* of the place that a block of limits stands in */
unsigned compile_standing(const struct scope *);
void	 compile_drafts(struct build *, struct scope *, const struct node *,
	    struct problems *);
/* The limit of some blocks, outermost first; those of the main part are made
 * once. NULL without memory. */
struct limit *compile_limit(struct build *, struct draft *const *, size_t n);
/* PER_* of the limit that those blocks make, outermost first. */
unsigned limit_parts_per(struct draft *const *, size_t n);
/* What a limit counts apart when per holds dims and its outermost block
 * stands there. */
unsigned compile_per(unsigned standing, unsigned dims);
/* merge.c: limits of several levels by kind and name */
struct merged {
	struct draft	*part[2 * LEVELS_MAX];	/* outermost first */
	size_t		 n;
	size_t		 judged;	/* parts that were looked at */
	size_t		 outer;		/* parts that stand in no stream */
	bool		 off;
	const struct limit *limit;	/* NULL: off, or no good */
	const struct limit *wide;	/* what it is outside the stream */
};
struct merging {
	struct build	*b;
	struct problems	*problems;
	const struct tenant *own;	/* NULL: the main part alone */
	const struct scope *levels[LEVELS_MAX];	/* outermost first */
	size_t		 n;
	bool		 lenient;	/* the main part tries itself */
	bool		 groupless;	/* a group may give what is missing */
	bool		 forgive;	/* its class or group is not there */
	bool		 skipped;	/* something was not said for that */
	struct merged	*all;
	size_t		 nall, cap;
};
void	 merge_scope(struct merging *, const struct scope *);
void	 merge_finish(struct merging *);
/* compose.c: streams of several levels */
void	 compose_main(struct build *);
void	 compose_tenant(struct build *, struct tenant *, const struct class *,
	    bool lost, const struct scope *, struct problems *);
void	 compose_none(struct build *, struct tenant *);	/* default alone */

/* rivals.c: every unit's form is final afterwards */
void	 rivals_settle(struct build *);
/* Rival claims of files that are broken anyway: said, without effect. */
void	 rivals_report(struct build *);
/* What a file claims twice by itself. */
void	 rivals_within(struct build *, const struct picture *,
	    struct problems *);
/* read.c: a file of the main part and what it includes, into the tree; fetch */
int	 read_main(struct build *, const char *path, struct place at,
	    const struct main_file *parent, struct why *);
/* A file that counts as main file and is none of ours; path in keep. */
bool	 read_beside(struct build *, const char *from, const struct value *,
	    const char **path, struct slice *text);
/* A unit for each file of the folders. */
void	 read_folders(struct build *);
/* load.c: the last good form of a unit, or NULL */
struct picture *load_good(struct build *, uint32_t unit);
bool	 load_text(struct build *, uint32_t unit, const char *path,
	    struct slice text, struct picture *, struct problems *);
/* adopt.c: a file that got another name and broke at once */
void	 adopt(struct build *);

/* finish.c: tenants, index, hash; and a last look at the whole */
void	 finish(struct build *);

/* check_streams.c: a tenant's, or those of a mix (own NULL) */
void	 check_streams(struct build *, const struct stream *const *, size_t n,
	    const struct tenant *own, struct problems *);
/* check.c: what compiles and is not wise; keys */
void	 check_limits(struct build *, const struct limit *const *, size_t n,
	    const struct tenant *own, struct problems *);
void	 check_tenants(struct build *);
void	 check_keys(struct build *);

#endif
