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
	bool		 good_asked;
	bool		 demoted;	/* lost against a rival */
};

/* A limit before its defaults are filled in. */
enum {
	SET_AMOUNT = 1 << 0, SET_BURST = 1 << 1, SET_TO = 1 << 2
};
struct draft {
	struct limit	 limit;
	unsigned	 set;		/* SET_* that were written */
	bool		 off;		/* "none" */
	bool		 lost;		/* its class is not there: forgive */
	struct limit	*made;		/* finished, in keep */
};

enum tristate { UNSET = -1, NO, YES };

struct class {
	struct slice	 name;
	struct place	 at;
	struct draft	*drafts;
	size_t		 ndrafts;
	int		 max_recipients;
	struct place	 max_recipients_at;
	enum tristate	 shadow;
	struct place	 shadow_at;
};

/* A setting that many share, by its parts: class and group. */
struct shared_limits {
	const struct class *class;
	const struct group *group;
	const struct limit **limits;
	size_t		 n;
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
	struct map	*classes, *groups, *pools, *addresses;
	struct map	*shared;	/* of struct shared_limits */
	struct map	*warned;	/* limits of which check.c has spoken */
	enum tristate	 shadow;
	struct unit	*units;
	size_t		 nunits;
	struct map	*held[STAKES];
	bool		 warned_pools;
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
/* A title that is a name; says the mistake. */
bool	 build_name(const struct node *, struct slice *, struct problems *);
/* One line of printable ASCII, not empty, that goes into an SMTP reply. */
bool	 build_reply_text(const struct node *, struct problems *);

/* compile.c: the main part; problems tell whether it is good */
void	 compile_main(struct build *, struct problems *);
/* compile_tenant.c */
void	 compile_duplicates(struct build *, const struct node *,
	    struct problems *);
void	 compile_picture(struct build *, uint32_t unit, struct node *,
	    bool tenants_only, struct picture *, struct problems *);
/* Tenants that hold whatever of their logins and clients can be read. */
void	 compile_salvage(struct build *, uint32_t unit, const struct node *,
	    struct picture *);
bool	 compile_shadow(const struct node *, const struct keyword *,
	    enum tristate *, struct place *, struct problems *);
/* compile_names.c */
void	 compile_logins(struct build *, struct picture *, struct tenant *,
	    uint32_t unit, const struct value *, struct problems *);
void	 compile_clients(struct build *, struct picture *, struct tenant *,
	    uint32_t unit, const struct value *, struct problems *);
void	 compile_domains(struct build *, struct picture *, struct tenant *,
	    uint32_t unit, const struct value *, struct problems *);
void	 compile_bounce(struct build *, struct picture *, struct tenant *,
	    uint32_t unit, const struct value *, struct problems *);
void	 stake_add(struct build *, struct picture *, enum stake_kind,
	    struct slice, struct place, struct tenant *, uint32_t unit);
/* compile_dkim.c: tenant NULL is the platform */
void	 compile_dkim(struct build *, struct picture *, struct tenant *,
	    uint32_t unit, const struct node *, struct identity **, size_t *,
	    struct problems *);
/* compile_limit.c */
bool	 compile_draft(struct build *, const struct node *,
	    const struct class *, bool class_lost, unsigned per, struct draft *,
	    struct problems *);
struct limit *compile_limit(struct build *, struct draft *);
/* class_lost: the name of a class was written, and there is no such class */
void	 compile_limits(struct build *, struct tenant *, const struct class *,
	    bool class_lost, const struct node *, struct problems *);
size_t	 compile_drafts(struct build *, const struct node *, unsigned per,
	    struct draft **, struct problems *);

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
/* A unit for each file of the folders. */
void	 read_folders(struct build *);
/* load.c: the last good form of a unit, or NULL */
struct picture *load_good(struct build *, uint32_t unit);

/* finish.c: tenants, index, hash; and a last look at the whole */
void	 finish(struct build *);

/* check.c: what compiles and is not wise; keys */
void	 check_limits(struct build *, const struct limit *const *, size_t n,
	    const struct tenant *own, struct problems *);
void	 check_tenants(struct build *);
void	 check_keys(struct build *);

#endif
