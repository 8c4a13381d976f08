/*
 * policy - the life of a snapshot, and the questions that need no table.
 */
#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "lib/parse.h"
#include "policy/index.h"

const char *const count_by_names[] = { "recipients", "messages", "bytes",
	NULL };
const char *const over_names[] = { "defer", "hold", "refuse", NULL };
const char *const priority_names[] = { "interactive", "transactional", "bulk",
	NULL };
const char *const return_path_names[] = { "keep", "verp", NULL };
const char *const partial_names[] = { "by listener", "allow", "all-or-none",
	NULL };
const char *const unsubscribe_names[] = { "off", "mailto", "one-click", NULL };
const char *const many_names[] = { "mailto", "defer", "refuse", NULL };
const char *const existing_names[] = { "keep", "replace", "require-own",
	NULL };
const char *const feedback_names[] = { "off", "add", "keep", NULL };
const char *const select_names[] = { "none", "sender", "header", NULL };
const char *const fair_names[] = { "none", "tenant", NULL };
const char *const other_path_names[] = { "defer", "ignore", NULL };
const char *const suppressed_names[] = { "drop", "refuse", NULL };
const char *const complaint_scope_names[] = { "bulk", "tenant", NULL };
const char *const heed_names[] = { "advise", "off", "enforce", NULL };
const char *const postal_names[] = { "record", "defer", "refuse", NULL };
const char *const breaker_when_names[] = { "hard_bounce", "bounce",
	"complaint", NULL };
const char *const breaker_action_names[] = { "hold", "slow", "pause", NULL };
const char *const per_names[] = { "group", "tenant", "stream", "login",
	"sender", "sender_domain", "pool", "address", "provider",
	"recipient_domain", NULL };
const char *const shadow_names[] = { "limits", "ownership", "require",
	"suppression", NULL };
const char *const form_names[] = { "current", "last good", "broken", NULL };

/* policy_hold - one more who reads it */
struct policy *
policy_hold(struct policy *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

/* policy_drop - one less; the last one frees it */
void
policy_drop(struct policy *p)
{
	if (p == NULL || atomic_fetch_sub_explicit(&p->refs, 1,
	    memory_order_acq_rel) != 1)
		return;
	index_free(p->index);
	token_ring_free(p->ring);
	arena_free(p->arena);		/* p itself lives there */
}

/* policy_alone - nobody else reads it */
bool
policy_alone(const struct policy *p)
{
	return atomic_load_explicit(&p->refs, memory_order_acquire) == 1;
}

/* policy_tenant - by name; the array is sorted */
const struct tenant *
policy_tenant(const struct policy *p, struct slice name)
{
	size_t low = 0, high = p->ntenants;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct slice other = p->tenants[mid]->name;
		int order = memcmp(name.p, other.p,
		    name.n < other.n ? name.n : other.n);

		if (order == 0 && name.n == other.n)
			return p->tenants[mid];
		if (order < 0 || (order == 0 && name.n < other.n))
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* policy_is_local - does that transport deliver on this machine? */
bool
policy_is_local(const struct policy *p, struct slice transport)
{
	if (transport.p == NULL)
		return false;
	for (size_t i = 0; i < p->nlocal_transports; i++)
		if (slice_eq(p->local_transports[i], transport))
			return true;
	return false;
}

/* compare_domain - as the identities of a tenant are sorted */
static int
compare_domain(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return memcmp(a.p, b.p, a.n);
}

/* identities_of - those of exactly that domain */
static size_t
identities_of(const struct stream *t, struct slice domain,
    const struct identity **first)
{
	size_t low = 0, high = t->nidentities, n = 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_domain(t->identities[mid].domain, domain) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*first = t->identities + low;
	while (low + n < t->nidentities &&
	    slice_eq(t->identities[low + n].domain, domain))
		n++;
	return n;
}

/* policy_identities - of the domain, or of its nearest parent that has any */
size_t
policy_identities(const struct stream *t, struct slice domain,
    const struct identity **first)
{
	const char *dot;
	size_t n;

	*first = NULL;
	if (t->nidentities == 0 || domain.p == NULL)
		return 0;
	while ((n = identities_of(t, domain, first)) == 0) {
		if ((dot = memchr(domain.p, '.', domain.n)) == NULL) {
			*first = NULL;
			return 0;
		}
		domain = slice_from(domain, (size_t)(dot - domain.p) + 1);
	}
	return n;
}

/* policy_default - the last of its streams */
const struct stream *
policy_default(const struct tenant *t)
{
	return t->streams[t->nstreams - 1];
}

/* policy_stream - one of a tenant's */
const struct stream *
policy_stream(const struct tenant *t, struct slice name)
{
	for (size_t i = 0; i < t->nstreams; i++)
		if (slice_eq(t->streams[i]->name, name))
			return t->streams[i];
	return NULL;
}

/* limit_over - a person waits for the answer to interactive mail, a program
 * tries the other kind again */
enum over
limit_over(const struct limit *limit, const struct stream *stream)
{
	if (limit->over_at.file != NULL)
		return limit->over;
	return stream != NULL && stream->priority == PRIORITY_INTERACTIVE ?
	    OVER_HOLD : OVER_DEFER;
}

/* limit_shared - nothing in its key belongs to one tenant alone */
bool
limit_shared(const struct limit *limit)
{
	return (limit->per & PER_TENANT) == 0;
}

/* limit_egress - does it wait for the address? */
bool
limit_egress(const struct limit *limit)
{
	return (limit->per & (PER_POOL | PER_ADDRESS)) != 0;
}

/* limit_per - what it counts apart */
const char *
limit_per(const struct limit *limit, struct arena *arena)
{
	const char *all = NULL;

	for (unsigned i = 0; i < PER_DIMENSIONS; i++)
		if ((limit->per >> i & 1) != 0)
			all = all == NULL ? per_names[i] : arena_printf(arena,
			    "%s, %s", all, per_names[i]);
	return all != NULL ? all : "all mail";
}

/* policy_rule - file:line, short for files below the policy's folder */
struct slice
policy_rule(const struct policy *p, struct place at, struct arena *arena)
{
	const char *slash = strrchr(p->path, '/');
	size_t n = slash != NULL ? (size_t)(slash - p->path) + 1 : 0;
	const char *file = at.file;

	if (file == NULL)
		return SLICE("");
	if (strncmp(file, p->path, n) == 0)
		file += n;
	return slice_of(arena_printf(arena, "%s:%u", file, at.line));
}

/* policy_files_unless - each good tenant file that still is what was loaded */
void
policy_files_unless(const struct policy *p,
    bool (*known)(void *, struct slice, const uint8_t *),
    void (*call)(void *, struct slice, struct slice), void *with)
{
	struct arena *arena = arena_new(1 << 16, 0);
	uint8_t hash[HASH_SHA256];
	struct slice text;
	struct why why;

	for (size_t i = 1; arena != NULL && i < p->index->nunits; i++) {
		const struct policy_unit *u = &p->index->units[i];

		if (u->was != NULL)		/* it lives on that one */
			(void)known(with, slice_of(u->was), u->hash);
		if (u->form != FORM_CURRENT ||
		    known(with, slice_of(u->path), u->hash))
			continue;
		arena_reset(arena);
		if (parse_read(arena, u->path, &text, &why) != 1)
			continue;
		hash_sha256(text.p, text.n, hash);
		if (memcmp(hash, u->hash, sizeof(hash)) == 0)
			call(with, slice_of(u->path), text);
	}
	arena_free(arena);
}

struct since {				/* whom policy_files_since asks */
	struct map	*before;	/* units by path; NULL: none */
	void		(*call)(void *, struct slice, struct slice);
	void		*with;
};

/* same_as_before - had that policy the same file? */
static bool
same_as_before(void *with, struct slice path, const uint8_t *hash)
{
	const struct since *s = with;
	const struct policy_unit *old = s->before != NULL ?
	    map_get(s->before, path) : NULL;

	return old != NULL && old->form == FORM_CURRENT &&
	    memcmp(old->hash, hash, sizeof(old->hash)) == 0;
}

/* tell - the callback of policy_files_since */
static void
tell(void *with, struct slice path, struct slice text)
{
	const struct since *s = with;

	s->call(s->with, path, text);
}

/* policy_files_since - what is new or changed; all of them without memory */
void
policy_files_since(const struct policy *p, const struct policy *since,
    void (*call)(void *, struct slice, struct slice), void *with)
{
	struct map *before = since != NULL ? map_new() : NULL;
	struct since s = { before, call, with };

	for (size_t i = 1; before != NULL && i < since->index->nunits; i++)
		if (map_set(before, slice_of(since->index->units[i].path),
		    &since->index->units[i]) == -1)
			break;
	policy_files_unless(p, same_as_before, tell, &s);
	map_free(before);
}

/* policy_files - every good tenant file */
void
policy_files(const struct policy *p,
    void (*call)(void *, struct slice, struct slice), void *with)
{
	policy_files_since(p, NULL, call, with);
}

/* policy_broken_files - tenant files that are not in force as they stand */
void
policy_broken_files(const struct policy *p,
    void (*call)(void *, struct slice, enum form), void *with)
{
	for (size_t i = 1; i < p->index->nunits; i++)
		if (p->index->units[i].form != FORM_CURRENT)
			call(with, slice_of(p->index->units[i].path),
			    p->index->units[i].form);
}
