/*
 * suppress - what the commands of penstock suppress share.
 */
#ifndef TOOLS_SUPPRESS_H
#define TOOLS_SUPPRESS_H

#include "lib/desk.h"
#include "lib/suppress.h"
#include "tools/names.h"
#include "tools/tool.h"

struct scope_option {			/* --list, --tenant, --group, ... */
	bool			given;
	enum suppress_scope	scope;
	const char		*name;	/* "" for the platform */
	uint64_t		id;
};

struct suppress_tool {			/* what a command has open */
	struct config	*config;
	struct names	*names;
	struct suppress	*lists;		/* NULL while the desk is open */
	struct desk	*desk;
	struct arena	*arena;
	int64_t		 now;		/* wall clock */
};

struct suppress_subject {		/* an address, and what is said of it */
	struct mailbox	mailbox;
	struct folded	folded;
	struct suppress_record records[SUPPRESS_STORES];
};

/* argv[*i] as one of the four; moves *i. true: it was one (or *status says
 * what is wrong with it). */
bool	suppress_option(int argc, char **argv, int *i, struct scope_option *,
	    int *status);
/* Is that name in the policy, or an id? TOOL_OK, or TOOL_NO and a sentence. */
int	suppress_known(const struct suppress_tool *,
	    const struct scope_option *);
/* Configuration, names and the three stores. suppress_end in every case. */
int	suppress_begin(const struct tool *, struct suppress_tool *);
void	suppress_end(struct suppress_tool *);
/* Looks it up; TOOL_OK, or what is wrong. */
int	suppress_subject(struct suppress_tool *, const char *address,
	    struct suppress_subject *);
/* The desk for writing; the three stores are closed, for one of them is it. */
int	suppress_desk(struct suppress_tool *);
/* "list acme/marketing", "platform" */
void	suppress_whose(const struct suppress_tool *, enum suppress_scope,
	    uint64_t id, char out[200]);
int	suppress_reason_of(const char *);	/* by name; -1 */

#endif
