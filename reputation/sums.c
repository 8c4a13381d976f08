/*
 * sums - one walk over the cells of some days.
 *
 * A cell is added to the sum of each of its names, and for the last span to
 * the pairs of a name and the provider.  Names are looked up in one map whose
 * keys are the kind, the name and, for pairs, a zero byte and the provider.
 *
 * A day of a sum has memory only when there was something on it: a house of
 * 100,000 tenants, most of whom send once a week, would need gigabytes for two
 * months of zeros.  Days without anything point to one row of zeros.
 */
#include "reputation/sums.h"

#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/map.h"
#include "lib/mem.h"

enum { ARENA = 1 << 20 };

const char *const subject_names[] = { "platform", "group", "tenant", "domain",
	"pool", "address", "stream", "provider", NULL };
_Static_assert(sizeof(subject_names) / sizeof(subject_names[0]) ==
    SUBJECT_KINDS + 1, "a name for each kind");

static const uint64_t zeros[TALLIES];

/* What of one subject went to one provider. */
struct pair {
	uint64_t	n[TALLIES];
};

/* A subject, and where its days may be written. */
struct subject_sum {
	struct sum	 sum;		/* first: callers see this */
	uint64_t	**days;
};

/* Subjects of one kind. */
struct kind {
	struct subject_sum **list;
	size_t		 n, room;
	bool		 sorted;
};

struct sums {
	struct arena	*arena;
	struct map	*subjects, *pairs;
	struct kind	 kinds[SUBJECT_KINDS];
	int32_t		 from, ndays, span;
	struct slice	 group, tenant;		/* of the scope */
	struct buf	 key;
	bool		 failed;		/* no memory */
};

/* sums_free - NULL is allowed */
void
sums_free(struct sums *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < SUBJECT_KINDS; i++)
		free(s->kinds[i].list);
	map_free(s->subjects);
	map_free(s->pairs);
	arena_free(s->arena);
	buf_free(&s->key);
	free(s);
}

/* sums_new - nothing is added up yet */
int
sums_new(struct sums **out, int32_t from, int32_t ndays, int32_t span,
    const struct scope *scope, struct why *why)
{
	struct sums *s = NULL;

	*out = NULL;
	if (ndays < 1 || span < 1 || span > ndays)
		return why_set(why, "%d days of which the last %d: that is no "
		    "span", ndays, span);
	if ((s = calloc(1, sizeof(*s))) == NULL)
		goto memory;
	s->from = from;
	s->ndays = ndays;
	s->span = span;
	s->arena = arena_new(ARENA, 0);
	s->subjects = map_new();
	s->pairs = map_new();
	if (s->arena == NULL || s->subjects == NULL || s->pairs == NULL)
		goto memory;
	if (scope != NULL && scope->group.p != NULL &&
	    (s->group = arena_copy(s->arena, scope->group)).p == NULL)
		goto memory;
	if (scope != NULL && scope->tenant.p != NULL &&
	    (s->tenant = arena_copy(s->arena, scope->tenant)).p == NULL)
		goto memory;
	*out = s;
	return 0;
memory:
	sums_free(s);
	return why_kind(why, WHY_MEMORY, "no memory to add up");
}

/* key_of - of a subject, or of a pair when there is a provider */
static struct slice
key_of(struct buf *b, enum subject_kind kind, struct slice name,
    const struct slice *provider)
{
	buf_reset(b);
	buf_char(b, (char)('a' + (int)kind));
	buf_slices(b, name);
	if (provider != NULL) {
		buf_char(b, '\0');
		buf_slices(b, *provider);
	}
	return buf_slice(b);
}

/* enlist - a new subject among those of its kind */
static int
enlist(struct kind *k, struct subject_sum *one)
{
	if (k->n == k->room) {
		size_t room = k->room * 2 + 64;
		struct subject_sum **wider = realloc(k->list, room *
		    sizeof(struct subject_sum *));

		if (wider == NULL)
			return -1;
		k->list = wider;
		k->room = room;
	}
	k->list[k->n++] = one;
	k->sorted = false;
	return 0;
}

/* subject_of - the sum of that subject, made when it is new; NULL: no memory */
static struct subject_sum *
subject_of(struct sums *s, enum subject_kind kind, struct slice name)
{
	struct slice key = key_of(&s->key, kind, name, NULL);
	struct subject_sum *one;

	if (buf_failed(&s->key))
		return NULL;
	if ((one = map_get(s->subjects, key)) != NULL)
		return one;
	one = arena_alloc(s->arena, sizeof(*one));
	key = arena_copy(s->arena, key);
	if (one == NULL || key.p == NULL)
		return NULL;
	one->days = arena_array(s->arena, (size_t)s->ndays,
	    sizeof(*one->days));
	if (one->days == NULL)
		return NULL;
	for (int32_t i = 0; i < s->ndays; i++)
		one->days[i] = (uint64_t *)(uintptr_t)zeros;
	one->sum.kind = kind;
	one->sum.name = slice_from(key, 1);
	one->sum.days = (const uint64_t *const *)(const void *)one->days;
	return map_set(s->subjects, key, one) == -1 ||
	    enlist(&s->kinds[kind], one) == -1 ? NULL : one;
}

/* add - numbers to numbers */
static void
add(uint64_t *to, const uint64_t *n)
{
	for (size_t i = 0; i < TALLIES; i++)
		to[i] += n[i];
}

/* add_subject - a cell to one of its names; -1: no memory */
static int
add_subject(struct sums *s, enum subject_kind kind, struct slice name,
    const struct cell *c)
{
	struct subject_sum *one = subject_of(s, kind, name);
	int32_t day = c->at - s->from;

	if (one == NULL)
		return -1;
	if (one->days[day] == zeros && (one->days[day] = arena_array(s->arena,
	    TALLIES, sizeof(uint64_t))) == NULL)
		return -1;
	add(one->days[day], c->n);
	if (day >= s->ndays - s->span)
		add(one->sum.all, c->n);
	return 0;
}

/* add_pair - what one of its names sent to the provider */
static int
add_pair(struct sums *s, enum subject_kind kind, struct slice name,
    const struct cell *c)
{
	struct slice key = key_of(&s->key, kind, name, &c->provider);
	struct pair *pair;

	if (buf_failed(&s->key))
		return -1;
	if ((pair = map_get(s->pairs, key)) == NULL) {
		pair = arena_alloc(s->arena, sizeof(*pair));
		key = arena_copy(s->arena, key);
		if (pair == NULL || key.p == NULL ||
		    map_set(s->pairs, key, pair) == -1)
			return -1;
	}
	add(pair->n, c->n);
	return 0;
}

/* add_cell - to everybody whom it is about; false: no memory */
static bool
add_cell(void *with, const struct cell *c)
{
	struct sums *s = with;
	char stream[2 * 256 + 1];
	struct slice names[SUBJECT_KINDS] = {
		[SUBJECT_PLATFORM] = SLICE(""),
		[SUBJECT_GROUP] = c->group,
		[SUBJECT_TENANT] = c->tenant,
		[SUBJECT_DOMAIN] = c->domain,
		[SUBJECT_POOL] = c->pool,
		[SUBJECT_ADDRESS] = c->address,
		[SUBJECT_STREAM] = { stream, 0 },
		[SUBJECT_PROVIDER] = c->provider,
	};
	bool last = c->at - s->from >= s->ndays - s->span;

	if ((s->group.p != NULL && !slice_eq(s->group, c->group)) ||
	    (s->tenant.p != NULL && !slice_eq(s->tenant, c->tenant)))
		return true;
	if (c->tenant.n > 0 && c->stream.n > 0 &&
	    c->tenant.n + 1 + c->stream.n <= sizeof(stream)) {
		memcpy(stream, c->tenant.p, c->tenant.n);
		stream[c->tenant.n] = '/';
		memcpy(stream + c->tenant.n + 1, c->stream.p, c->stream.n);
		names[SUBJECT_STREAM].n = c->tenant.n + 1 + c->stream.n;
	}
	for (enum subject_kind k = 0; k < SUBJECT_KINDS; k++) {
		if (k != SUBJECT_PLATFORM && names[k].n == 0)
			continue;
		s->failed |= add_subject(s, k, names[k], c) == -1 ||
		    (last && k != SUBJECT_DOMAIN && k != SUBJECT_STREAM &&
		    k != SUBJECT_PROVIDER && add_pair(s, k, names[k],
		    c) == -1);
	}
	return !s->failed;
}

/* sums_read - the walk */
int
sums_read(struct sums *s, struct db *watch, struct why *why)
{
	if (rollup_each(watch, GRAIN_DAY, s->from, s->from + s->ndays,
	    add_cell, s, why) == -1)
		return -1;
	return s->failed ? why_kind(why, WHY_MEMORY, "no memory to add up "
	    "%d days", s->ndays) : 0;
}

/* sums_from - the first day */
int32_t
sums_from(const struct sums *s)
{
	return s->from;
}

/* sums_ndays - how many there are */
int32_t
sums_ndays(const struct sums *s)
{
	return s->ndays;
}

/* by_name - for qsort */
static int
by_name(const void *a, const void *b)
{
	const struct sum *x = *(const struct sum *const *)a,
	    *y = *(const struct sum *const *)b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int c = n > 0 ? memcmp(x->name.p, y->name.p, n) : 0;

	return c != 0 ? c : x->name.n < y->name.n ? -1 :
	    x->name.n > y->name.n;
}

/* sums_of - all of a kind, by name */
const struct sum *const *
sums_of(struct sums *s, enum subject_kind kind, size_t *n)
{
	struct kind *k = &s->kinds[kind];

	if (!k->sorted && k->n > 0)
		qsort(k->list, k->n, sizeof(struct subject_sum *), by_name);
	k->sorted = true;
	*n = k->n;
	return (const struct sum *const *)(const void *)k->list;
}

/* sums_find - one of them */
const struct sum *
sums_find(const struct sums *s, enum subject_kind kind, struct slice name)
{
	struct buf b = BUF_INIT;
	struct slice key = key_of(&b, kind, name, NULL);
	struct subject_sum *one = buf_failed(&b) ? NULL :
	    map_get(s->subjects, key);

	buf_free(&b);
	return one != NULL ? &one->sum : NULL;
}

/* sums_to - to one provider */
const uint64_t *
sums_to(const struct sums *s, enum subject_kind kind, struct slice name,
    struct slice provider)
{
	struct buf b = BUF_INIT;
	struct slice key = key_of(&b, kind, name, &provider);
	struct pair *pair = buf_failed(&b) ? NULL : map_get(s->pairs, key);

	buf_free(&b);
	return pair != NULL ? pair->n : zeros;
}

/* tally_ended - delivered, or given up by somebody */
uint64_t
tally_ended(const uint64_t n[TALLIES])
{
	return n[TALLY_DELIVERED] + n[TALLY_HARD] + n[TALLY_BLOCKED] +
	    n[TALLY_BOUNCED] + n[TALLY_EXPIRED];
}

/* subject_parse - "kind:name", or a name that only one of the kinds has */
bool
subject_parse(struct slice text, const struct sums *s, enum subject_kind *kind,
    struct slice *name)
{
	size_t found = 0;

	for (enum subject_kind k = 0; k < SUBJECT_KINDS; k++) {
		struct slice word = slice_of(subject_names[k]);

		if (slice_starts(text, word) && text.n > word.n &&
		    text.p[word.n] == ':') {
			*kind = k;
			*name = slice_from(text, word.n + 1);
			return true;
		}
	}
	if (slice_is(text, subject_names[SUBJECT_PLATFORM])) {
		*kind = SUBJECT_PLATFORM;
		*name = SLICE("");
		return true;
	}
	for (enum subject_kind k = SUBJECT_GROUP; s != NULL &&
	    k < SUBJECT_KINDS; k++)
		if (text.n > 0 && sums_find(s, k, text) != NULL) {
			*kind = k;
			*name = text;
			found++;
		}
	return found == 1;
}
