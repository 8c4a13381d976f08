/*
 * show - the policy as a list of lines, each with the place it comes from;
 * filled by policy_show.c and show_tenant.c, printed by show_print.c.
 *
 * Both voices print the same list, so that neither can show what the other
 * hides.  Of a key only its path is in it.
 */
#ifndef TOOLS_SHOW_H
#define TOOLS_SHOW_H

#include "policy/policy.h"

enum show_kind { SHOW_VALUE, SHOW_BLOCK, SHOW_END };

struct show_line {
	enum show_kind	 kind;
	const char	*name;		/* of the setting or block */
	const char	*title;		/* BLOCK: or NULL */
	const char	*value;		/* NULL: none */
	bool		 number;	/* a bare number in JSON */
	struct place	 at;		/* nowhere: the default */
};

struct show {
	const struct policy *policy;
	struct arena	*arena;
	struct show_line *lines;
	size_t		 n, cap;
};

void	show_add(struct show *, struct show_line);
/* A setting with its text; NULL or an empty slice: none. */
void	show_value(struct show *, const char *name, const char *,
	    struct place);
void	show_text(struct show *, const char *name, struct slice,
	    struct place);
void	show_number(struct show *, const char *name, int64_t, struct place);
/* "a, b": the strings of a set. */
void	show_set(struct show *, const char *name, const struct slice *,
	    size_t n, struct place);
/* What follows up to show_end is inside. */
void	show_block(struct show *, const char *name, struct slice title,
	    struct place);
void	show_end(struct show *);

/* show_tenant.c: everything that holds for it; stream: only that one. */
void	show_tenant(struct show *, const struct tenant *,
	    const struct stream *only);
void	show_limit(struct show *, const struct limit *,
	    const struct stream *);		/* stream NULL: of none */
void	show_identity(struct show *, const struct identity *);
/* "limits, ownership", "all", or "nothing". */
const char *show_shadow(struct show *, unsigned shadow);
/* "15 minutes", "2 days" */
const char *show_duration(struct show *, int64_t us);

void	show_print(const struct show *, bool color);
void	show_json(const struct show *);

#endif
