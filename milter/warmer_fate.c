/*
 * warmer_fate - what became of a warmup's mail on a day, as the rules want it.
 *
 * Complaints, and what arrived, are those of three days.  What happened before
 * a person resumed does not count: he has looked at it.  The same for a tenant
 * who was singled out, so that what his list did is not held against the pool
 * once more.
 */
#include "milter/warmer_in.h"

#include <stdlib.h>
#include <string.h>

#include "lib/hash.h"

enum { KNOWN_MOST = 2 * ADAPT_PROVIDERS };

struct part {			/* of one tenant at one provider */
	struct adapt_tenant tenant;
	int64_t		 floor;		/* us: what is not later is over */
	struct part	*next;
};

struct sum {			/* at one provider */
	struct adapt_provider provider;
	struct part	*parts;
	size_t		 nparts;
};

struct summing {
	struct warm_day	*d;
	const struct warm_mail *m;
	const struct progress *progress;
	int64_t		 floor;
	struct sum	 sums[KNOWN_MOST];
	size_t		 n;
	struct map	*parts;		/* provider, zero, tenant */
	uint64_t	 dnsbl;
	bool		 failed;
};

/* sum_of - of that provider; the last one holds all that are too many */
static struct sum *
sum_of(struct summing *s, struct slice name)
{
	for (size_t i = 0; i < s->n; i++)
		if (slice_eq(s->sums[i].provider.name, name))
			return &s->sums[i];
	if (s->n == KNOWN_MOST)
		return &s->sums[s->n - 1];
	s->sums[s->n].provider.name = arena_copy(s->d->arena, name);
	s->failed |= s->sums[s->n].provider.name.p == NULL;
	return &s->sums[s->n++];
}

/* floor_of - since when a tenant's mail counts here */
static int64_t
floor_of(const struct summing *s, struct slice tenant)
{
	const struct subject *subject = &s->m->subject;
	uint8_t key[PROGRESS_KEY];
	const struct warm_row *row;

	if (subject->whose != NULL)
		return s->floor;
	subject_single(subject->address->pool, hash_id("tenant", tenant), key);
	row = progress_find(s->progress, key);
	return row != NULL && row->floor > s->floor ? row->floor : s->floor;
}

/* part_of - that tenant's, of that provider */
static struct part *
part_of(struct summing *s, struct sum *sum, const struct fate_row *row)
{
	char *key = arena_printf(s->d->arena, "%.*s %.*s",
	    SLICE_ARG(sum->provider.name), SLICE_ARG(row->tenant));
	struct part *p;

	if (key == NULL)
		return NULL;
	if ((p = map_get(s->parts, slice_of(key))) != NULL)
		return p;
	p = arena_alloc(s->d->arena, sizeof(*p));
	if (p == NULL || map_set(s->parts, slice_of(key), p) == -1)
		return NULL;
	p->tenant.name = arena_copy(s->d->arena, row->tenant);
	if (p->tenant.name.p == NULL)
		return NULL;
	p->floor = floor_of(s, row->tenant);
	p->next = sum->parts;
	sum->parts = p;
	sum->nparts++;
	return p;
}

/* count - a row, of the day itself or of those before it */
static void
count(struct adapt_count *c, const struct fate_row *row, bool today)
{
	uint64_t n = row->count;

	if (row->fate == FATE_DELIVERED)
		c->arrived += n;
	if (row->fate == FATE_COMPLAINT)
		c->complaints += n;
	if (!today)
		return;
	switch (row->fate) {
	case FATE_HARD:
		c->hard += n;
		break;
	case FATE_BLOCKED:
		c->blocked += n;
		break;
	case FATE_SLOW:
		c->slow += n;
		c->deferred += n;
		return;
	case FATE_DEFERRED:
		c->deferred += n;
		return;
	case FATE_LISTED:
	case FATE_DNSBL:
		c->listed += n;
		return;
	case FATE_COMPLAINT:
		return;
	default:
		break;
	}
	c->ended += n;
}

/* see - one row */
static bool
see(void *with, const struct fate_row *row)
{
	struct summing *s = with;
	int64_t at = row->minute * FATE_MINUTE;
	bool today = at >= s->d->window.start;
	struct sum *sum = sum_of(s, row->provider);
	struct part *part = part_of(s, sum, row);

	if (part == NULL || s->failed) {
		s->failed = true;
		return false;
	}
	if (at < part->floor)
		return true;
	count(&sum->provider.count, row, today);
	count(&part->tenant.count, row, today);
	if (today && row->fate == FATE_DNSBL)
		s->dnsbl += row->count;
	return true;
}

/* bad - how much went wrong for that tenant */
static uint64_t
bad(const struct adapt_count *c)
{
	return c->hard + c->blocked + c->slow + c->complaints;
}

/* worse - the worst first, and among equals by name */
static int
worse(const void *va, const void *vb)
{
	const struct adapt_tenant *a = va, *b = vb;
	uint64_t na = bad(&a->count), nb = bad(&b->count);
	size_t n = a->name.n < b->name.n ? a->name.n : b->name.n;
	int order;

	if (na != nb)
		return na > nb ? -1 : 1;
	order = n > 0 ? memcmp(a->name.p, b->name.p, n) : 0;
	return order != 0 ? order : a->name.n < b->name.n ? -1 :
	    a->name.n > b->name.n;
}

/* tenants_of - those with the most of what went wrong; one alone is all */
static int
tenants_of(struct warm_day *d, struct sum *sum)
{
	struct adapt_tenant *list;
	size_t n = 0;

	if (sum->nparts < 2)
		return 0;
	list = arena_array(d->arena, sum->nparts, sizeof(*list));
	if (list == NULL)
		return -1;
	for (struct part *p = sum->parts; p != NULL; p = p->next)
		if (bad(&p->tenant.count) > 0)
			list[n++] = p->tenant;
	if (n > 1)
		qsort(list, n, sizeof(*list), worse);
	sum->provider.tenants = list;
	sum->provider.ntenants = n < ADAPT_TENANTS ? n : ADAPT_TENANTS;
	return 0;
}

/* by_name - providers in one order, whatever came first */
static int
by_name(const void *va, const void *vb)
{
	const struct adapt_provider *a = va, *b = vb;

	return strcmp(a->name.p, b->name.p);	/* copies, with a zero */
}

/* providers_of - those with traffic */
static int
providers_of(struct summing *s, struct adapt_input *in)
{
	struct adapt_provider *list = arena_array(s->d->arena, s->n + 1,
	    sizeof(*list));
	size_t n = 0;

	if (list == NULL)
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		const struct adapt_count *c = &s->sums[i].provider.count;

		if (c->ended + c->deferred + c->complaints + c->listed == 0)
			continue;
		if (tenants_of(s->d, &s->sums[i]) == -1)
			return -1;
		list[n++] = s->sums[i].provider;
	}
	if (n > 1)
		qsort(list, n, sizeof(*list), by_name);
	in->providers = list;
	in->nproviders = n < ADAPT_PROVIDERS ? n : ADAPT_PROVIDERS;
	in->dnsbl = s->dnsbl;
	return 0;
}

/* fate_read - of one warmup */
int
fate_read(struct warm_day *d, const struct warm_mail *m, struct fates *f,
    const struct progress *progress, struct adapt_input *in, struct why *why)
{
	const struct warm_row *row = progress_find(progress, m->subject.key);
	struct summing *s = calloc(1, sizeof(*s));
	struct window before;
	int rc = -1;

	if (s == NULL || (s->parts = map_new()) == NULL) {
		free(s);
		return why_kind(why, WHY_MEMORY, "no memory");
	}
	s->d = d;
	s->m = m;
	s->progress = progress;
	s->floor = row != NULL ? row->floor : 0;
	warmer_window(d->zone, d->date - 2, &before);
	if (fates_each(f, m->subject.key, before.start, d->window.end, see, s,
	    why) == -1)
		goto out;
	if (s->failed || providers_of(s, in) == -1) {
		why_kind(why, WHY_MEMORY, "no memory");
		goto out;
	}
	rc = 0;
out:
	map_free(s->parts);
	free(s);
	return rc;
}
