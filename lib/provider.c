/*
 * provider - which mailbox provider a recipient's domain belongs to.
 *
 * The text of conf/providers.conf is part of the program, so that there is no
 * file to lose or to install; it goes through the parser of all .conf files
 * once, at start.  Numbers of providers follow the order of the file and are
 * good for this process only: what is stored is the name.
 *
 * A mail exchanger is looked up as a whole name first, then by each of its
 * parents with a leading dot, the longest first.  gateway is checked as a word
 * and left alone.
 */
#include "lib/provider.h"

#include <stdlib.h>

#include "lib/keyword.h"
#include "lib/map.h"

extern const char provider_data[];	/* made from conf/providers.conf */

enum word { WORD_PROVIDER, WORD_SET, WORD_DOMAINS, WORD_MX, WORD_GATEWAY,
	WORD_MEMBERS, WORD_CONNECTIONS, WORD_COMPLAINTS };
enum { IN_FILE = 1, IN_PROVIDER = 2, IN_SET = 4 };
static const char *const where_names[] = { "providers.conf", "provider",
	"set" };
static const char *const yes[] = { "yes", NULL };

/* clang-format off */
static const struct keyword rows[] = {
	{ "provider", KEYWORD_BLOCK, IN_FILE, WORD_PROVIDER, .titles = 1,
	  .help = "a provider of mailboxes" },
	{ "set", KEYWORD_BLOCK, IN_FILE, WORD_SET, .titles = 1,
	  .help = "a name for several of them" },
	{ "domains", KEYWORD_SET, IN_PROVIDER, WORD_DOMAINS,
	  .help = "recipient domains, exactly" },
	{ "mx", KEYWORD_SET, IN_PROVIDER, WORD_MX,
	  .help = "mail exchangers" },
	{ "gateway", KEYWORD_CHOICE, IN_PROVIDER, WORD_GATEWAY, yes,
	  .help = "filters mail for others" },
	{ "connections", KEYWORD_NUMBER, IN_PROVIDER, WORD_CONNECTIONS,
	  .least = 1, .most = 1000, .help = "at a time from one address" },
	{ "complaints", KEYWORD_CHOICE, IN_PROVIDER, WORD_COMPLAINTS, yes,
	  .help = "of its users are reported to senders" },
	{ "members", KEYWORD_SET, IN_SET, WORD_MEMBERS,
	  .help = "names of providers" },
};
/* clang-format on */

static const struct keyword_table table = {
	rows, sizeof(rows) / sizeof(rows[0]), where_names
};

/* The one global: filled before threads start, read-only from then on. */
static struct providers {
	struct arena	*arena;
	struct map	*domains;	/* domain -> index + 1 */
	struct map	*mx;		/* host or ".parent" -> index + 1 */
	const char	*names[PROVIDER_MAX];
	int		 connections[PROVIDER_MAX];
	bool		 complaints[PROVIDER_MAX];
	unsigned	 count;
	struct node	*sets;		/* all statements; sets among them */
} all;

/* provider_number - index of that name; PROVIDER_MAX: unknown */
static unsigned
provider_number(struct slice name)
{
	unsigned i;

	for (i = 0; i < all.count; i++)
		if (slice_is(name, all.names[i]))
			return i;
	return PROVIDER_MAX;
}

/* add_names - domains or hosts: each belongs to one provider only */
static int
add_names(struct map *map, const struct value *set, struct problems *problems)
{
	void *value = (void *)(uintptr_t)all.count, *old;
	size_t i;

	for (i = 0; i < set->nitems; i++) {
		if (map_add(map, set->items[i].text, value, &old) == -1)
			return -1;
		if (old != NULL)
			problem_error(problems, set->items[i].at,
			    "%s belongs to %s already", set->items[i].text.p,
			    all.names[(uintptr_t)old - 1]);
	}
	return 0;
}

/* add_provider - one block */
static int
add_provider(const struct node *n, struct problems *problems)
{
	const struct keyword *row;
	struct slice name = n->titles[0].text;
	const struct node *in;

	if (!keyword_is_name(name) || provider_number(name) < PROVIDER_MAX ||
	    all.count == PROVIDER_MAX) {
		problem_error(problems, n->at, all.count == PROVIDER_MAX ?
		    "no room for provider %s" :
		    "%s is no name, or stands already", name.p);
		return 0;
	}
	all.names[all.count++] = name.p;
	keyword_duplicates(n->child, problems);
	for (in = n->child; in != NULL; in = in->next) {
		row = keyword_check(&table, in, IN_PROVIDER, problems);
		if (row != NULL && row->id == WORD_CONNECTIONS)
			all.connections[all.count - 1] =
			    atoi(in->value.text.p);	/* 1 to 1000 */
		if (row != NULL && row->id == WORD_COMPLAINTS)
			all.complaints[all.count - 1] = true;	/* "yes" */
		if (row != NULL &&
		    (row->id == WORD_DOMAINS || row->id == WORD_MX) &&
		    add_names(row->id == WORD_MX ? all.mx : all.domains,
		    &in->value, problems) == -1)
			return -1;
	}
	return 0;
}

/* check_set - its members must be providers, its name must be new */
static void
check_set(const struct node *n, struct problems *problems)
{
	const struct node *in;
	size_t i;

	if (!keyword_is_name(n->titles[0].text) ||
	    provider_number(n->titles[0].text) < PROVIDER_MAX)
		problem_error(problems, n->at, "%s is no name, or that of a "
		    "provider", n->titles[0].text.p);
	for (in = n->child; in != NULL; in = in->next) {
		if (keyword_check(&table, in, IN_SET, problems) == NULL)
			continue;
		for (i = 0; i < in->value.nitems; i++)
			if (provider_number(in->value.items[i].text) ==
			    PROVIDER_MAX)
				problem_error(problems, in->value.items[i].at,
				    "there is no provider %s",
				    in->value.items[i].text.p);
	}
}

/* provider_read - the whole text; -1: no memory */
static int
provider_read(struct slice text, struct problems *problems)
{
	const struct keyword *row;
	const struct node *n;

	all.names[all.count++] = "unresolved";
	all.names[all.count++] = "other";
	all.sets = parse_text(all.arena, "providers.conf", text, problems);
	keyword_duplicates(all.sets, problems);
	for (n = all.sets; n != NULL; n = n->next) {
		row = keyword_check(&table, n, IN_FILE, problems);
		if (row != NULL && row->id == WORD_PROVIDER &&
		    add_provider(n, problems) == -1)
			return -1;
	}
	for (n = all.sets; n != NULL; n = n->next)
		if (slice_is(n->name, "set") && n->type == NODE_BLOCK &&
		    n->ntitles == 1)
			check_set(n, problems);
	return 0;
}

/* provider_init - read what was compiled in; the second time it is there */
int
provider_init(struct why *why)
{
	struct problems problems;

	if (all.arena != NULL)
		return 0;
	all.arena = arena_new(65536, 0);
	all.domains = map_new();
	all.mx = map_new();
	if (all.arena == NULL || all.domains == NULL || all.mx == NULL)
		goto memory;
	problems_init(&problems, all.arena);
	if (provider_read(slice_of(provider_data), &problems) == -1)
		goto memory;
	if (problems.errors == 0)
		return 0;
	problems_sort(&problems);
	if (problems.first == NULL)
		goto memory;
	why_set(why, "the built-in providers: %s:%u:%u: %s",
	    problems.first->at.file, problems.first->at.line,
	    problems.first->at.col, problems.first->text);
	goto fail;
memory:
	why_kind(why, WHY_MEMORY, "no memory for the providers");
fail:
	map_free(all.domains);
	map_free(all.mx);
	arena_free(all.arena);
	memset(&all, 0, sizeof(all));
	return -1;
}

/* provider_of - by exact domain, in lower case */
unsigned
provider_of(struct slice domain)
{
	uintptr_t found = 0;

	if (all.domains != NULL)
		found = (uintptr_t)map_get(all.domains, domain);
	return found == 0 ? PROVIDER_UNRESOLVED : (unsigned)found - 1;
}

/* provider_of_mx - by the name of a host, or of what it is below */
unsigned
provider_of_mx(struct slice host)
{
	char low[256];
	struct slice name = { low, host.n };
	uintptr_t found = 0;

	if (all.mx == NULL || host.n == 0 || host.n > sizeof(low))
		return PROVIDER_OTHER;
	for (size_t i = 0; i < host.n; i++)
		low[i] = host.p[i] >= 'A' && host.p[i] <= 'Z' ?
		    (char)(host.p[i] | 0x20) : host.p[i];
	if (low[name.n - 1] == '.')
		name.n--;
	found = (uintptr_t)map_get(all.mx, name);
	while (found == 0 && name.n > 1) {
		const char *dot = memchr(name.p + 1, '.', name.n - 1);

		if (dot == NULL)
			break;
		name = slice_from(name, (size_t)(dot - name.p));
		found = (uintptr_t)map_get(all.mx, name);
	}
	return found == 0 ? PROVIDER_OTHER : (unsigned)found - 1;
}

/* provider_name - for eyes and for the store */
const char *
provider_name(unsigned i)
{
	return i < all.count ? all.names[i] : "unresolved";
}

/* provider_count - with "unresolved" and "other" */
unsigned
provider_count(void)
{
	return all.count;
}

/* provider_connections - at a time */
int
provider_connections(unsigned i)
{
	return i < all.count ? all.connections[i] : 0;
}

/* provider_reports_complaints - to senders who enrolled */
bool
provider_reports_complaints(struct slice name)
{
	unsigned i = provider_number(name);

	return i < all.count && all.complaints[i];
}

/* provider_find - the providers that a name stands for */
provider_set
provider_find(struct slice name)
{
	unsigned number = provider_number(name);
	const struct node *n;
	provider_set set = 0;
	size_t i;

	if (number < PROVIDER_MAX)
		return (provider_set)1 << number;
	for (n = all.sets; n != NULL; n = n->next) {
		if (!slice_is(n->name, "set") ||
		    !slice_eq(n->titles[0].text, name) || n->child == NULL)
			continue;
		for (i = 0; i < n->child->value.nitems; i++)
			set |= (provider_set)1 << provider_number(
			    n->child->value.items[i].text);
	}
	return set;
}
