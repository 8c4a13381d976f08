/*
 * login_map - files of "login tenant" lines, for hosts whose logins are too
 * many to stand in tenant blocks.
 *
 *	# exported every hour
 *	info@acme.example	acme
 *	*@acme.example		acme		all logins of the domain
 *	*@.acme.example		acme		of all domains below it
 *
 * Ownership: the text of a file is kept as it was read (domains of "*@" are
 * folded in place); a line costs 12 bytes of table, which is between 3/8 and
 * 3/4 full, beside its text.  Threads: readers any, once it is settled.
 */
#ifndef POLICY_LOGIN_MAP_H
#define POLICY_LOGIN_MAP_H

#include <stdint.h>
#include "lib/mem.h"
#include "lib/problem.h"
#include "lib/slice.h"

struct tenant;
struct login_map;

struct login_map *login_map_new(void);		/* NULL: no memory */
void	 login_map_free(struct login_map *);	/* NULL allowed */
/* Reads a file's text, whose bytes must live as long and may change; path
 * too.  Mistakes are said with line and column.  -1 without memory. */
int	 login_map_add(struct login_map *, const char *path, char *text,
	    size_t n, struct problems *);
size_t	 login_map_count(const struct login_map *);	/* lines that count */
/* Names of tenants as written: find is asked for each, once; NULL: there is
 * no such tenant, and its logins are nobody's. */
void	 login_map_settle(struct login_map *,
	    struct tenant *(*find)(void *, struct slice name,
	    struct place first), void *);
/*
 * The line of a login, or of a domain ("x" as in "*@x", ".x" as in "*@.x").
 * *tenant (may be NULL) is NULL before the map is settled, and for a name that
 * is no tenant's; *name (may be NULL) is that name as written.
 */
bool	 login_map_find(const struct login_map *, struct slice login,
	    bool domain, struct tenant **tenant, struct slice *name,
	    struct place *at);
/* Every line that has a tenant, in no order; text as written. */
void	 login_map_walk(const struct login_map *, void (*)(void *,
	    struct tenant *, struct slice text), void *);
/* Every line of that tenant; text as written. */
void	 login_map_each(const struct login_map *, const struct tenant *,
	    void (*)(void *, struct slice text, struct place), void *);

#endif
