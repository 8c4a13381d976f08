/*
 * progress - the picture: one array, sorted by key.
 *
 * It is made whole from the one before: rows change once a day, messages look
 * at them all day long, and need neither a lock nor a copy.  A look-up halves
 * the array; keys are hashes, so sixteen bytes decide early.
 *
 *	stored, under the key: u8 format = 1, u32 day, i64 date, started, used,
 *	u32 clean, i64 warmed, stopped, floor, u64 seq, field name, rule,
 *	inputs,
 *	u8 n, n times: field provider, u16 thousandths, i64 until, field rule
 *
 * A provider stands by its name, since numbers of providers are a matter of
 * the release.  One whose name is not known any more keeps its factor, which
 * binds nobody, until the name is back or the factor is over.
 */
#include "policy/progress.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "lib/provider.h"
#include "lib/wire.h"

enum { FORMAT = 1, WHOLE = 1000 };

struct progress {
	atomic_uint	 refs;
	struct arena	*arena;		/* rows and all texts */
	struct warm_row	*rows;		/* by key */
	size_t		 n;
};

/* --- births and deaths ---------------------------------------------------- */

/* progress_new - room for n */
static struct progress *
progress_new(size_t n)
{
	struct progress *p = calloc(1, sizeof(*p));

	if (p == NULL || (p->arena = arena_new(4096, 0)) == NULL ||
	    (p->rows = arena_array(p->arena, n + 1,
	    sizeof(*p->rows))) == NULL) {
		progress_drop(p);
		return NULL;
	}
	atomic_init(&p->refs, 1);
	return p;
}

/* progress_hold - one more who looks at it */
struct progress *
progress_hold(struct progress *p)
{
	if (p != NULL)
		atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

/* progress_drop - the last one frees it */
void
progress_drop(struct progress *p)
{
	if (p == NULL || (atomic_load(&p->refs) > 0 &&
	    atomic_fetch_sub(&p->refs, 1) > 1))
		return;
	arena_free(p->arena);
	free(p);
}

/* --- making --------------------------------------------------------------- */

/* copy_text - into the picture; false without memory */
static bool
copy_text(struct arena *arena, struct slice *s)
{
	if (s->p == NULL || s->n == 0) {
		*s = SLICE("");
		return true;
	}
	*s = arena_copy(arena, *s);
	return s->p != NULL;
}

/* index_of - the provider of that very name */
static unsigned
index_of(struct slice name)
{
	for (unsigned i = 0; i < provider_count(); i++)
		if (slice_is(name, provider_name(i)))
			return i;
	return UINT_MAX;
}

/* copy_factors - of one row, with the numbers that providers have here */
static bool
copy_factors(struct arena *arena, struct warm_row *row)
{
	struct warm_factor *to = arena_array(arena, row->nfactors + 1,
	    sizeof(*to));

	if (to == NULL)
		return false;
	for (size_t i = 0; i < row->nfactors; i++) {
		to[i] = row->factors[i];
		if (!copy_text(arena, &to[i].provider) ||
		    !copy_text(arena, &to[i].rule))
			return false;
		to[i].index = index_of(to[i].provider);
	}
	row->factors = to;
	return true;
}

/* by_key - the order of the array */
static int
by_key(const void *va, const void *vb)
{
	const struct warm_row *a = va, *b = vb;

	return memcmp(a->key, b->key, sizeof(a->key));
}

/* keep - a row, at the end */
static int
keep(struct progress *p, const struct warm_row *from)
{
	struct warm_row *to = &p->rows[p->n];

	if (from->day <= 0)
		return 0;
	*to = *from;
	if (!copy_text(p->arena, &to->name) ||
	    !copy_text(p->arena, &to->rule) ||
	    !copy_text(p->arena, &to->inputs) ||
	    !copy_factors(p->arena, to))
		return -1;
	p->n++;
	return 0;
}

/* by_turn - the same of pointers into one array: the earlier one first */
static int
by_turn(const void *va, const void *vb)
{
	const struct warm_row *a = *(const struct warm_row *const *)va;
	const struct warm_row *b = *(const struct warm_row *const *)vb;
	int order = by_key(a, b);

	return order != 0 ? order : a < b ? -1 : a > b;
}

/* sorted - the new rows by key, of each key the last one */
static const struct warm_row **
sorted(const struct warm_row *rows, size_t *n)
{
	const struct warm_row **to = calloc(*n + 1, sizeof(*to));
	size_t i, kept = 0;

	if (to == NULL)
		return NULL;
	for (i = 0; i < *n; i++)
		to[i] = &rows[i];
	if (*n > 1)
		qsort(to, *n, sizeof(*to), by_turn);
	for (i = 0; i < *n; i++) {
		if (kept > 0 && by_key(to[kept - 1], to[i]) == 0)
			kept--;
		to[kept++] = to[i];
	}
	*n = kept;
	return to;
}

/* progress_after - the next picture */
struct progress *
progress_after(const struct progress *old, const struct warm_row *rows,
    size_t n)
{
	size_t had = old != NULL ? old->n : 0, i = 0, j = 0;
	const struct warm_row **fresh = sorted(rows, &n);
	struct progress *p = fresh != NULL ? progress_new(had + n) : NULL;
	int order;

	if (p == NULL)
		goto fail;
	while (i < had || j < n) {
		order = i == had ? 1 : j == n ? -1 :
		    by_key(&old->rows[i], fresh[j]);
		if (keep(p, order < 0 ? &old->rows[i] : fresh[j]) == -1)
			goto fail;
		i += order <= 0;
		j += order >= 0;
	}
	free((void *)fresh);
	return p;
fail:
	free((void *)fresh);
	progress_drop(p);
	return NULL;
}

/* --- questions ------------------------------------------------------------ */

/* progress_find - the row of that key */
const struct warm_row *
progress_find(const struct progress *p, const uint8_t key[PROGRESS_KEY])
{
	size_t low = 0, high = p != NULL ? p->n : 0, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = memcmp(p->rows[middle].key, key, PROGRESS_KEY);
		if (order == 0)
			return &p->rows[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* progress_rows - all of them */
size_t
progress_rows(const struct progress *p, const struct warm_row **first)
{
	*first = p != NULL ? p->rows : NULL;
	return p != NULL ? p->n : 0;
}

/* progress_thousandths - the least of what is in force */
int
progress_thousandths(const struct warm_row *row, unsigned provider,
    int64_t date)
{
	int least = WHOLE;

	for (size_t i = 0; row != NULL && i < row->nfactors; i++) {
		const struct warm_factor *f = &row->factors[i];

		if (f->index == provider && f->thousandths < least &&
		    (f->until == 0 || date < f->until))
			least = f->thousandths;
	}
	return least;
}

/* --- as bytes ------------------------------------------------------------- */

/* progress_encode - append it; failure is sticky in the buffer */
void
progress_encode(const struct warm_row *row, struct buf *b)
{
	size_t n = row->nfactors < PROGRESS_FACTORS ? row->nfactors :
	    PROGRESS_FACTORS;

	put_u8(b, FORMAT);
	put_u32(b, (uint32_t)row->day);
	put_i64(b, row->date);
	put_i64(b, row->started);
	put_i64(b, row->used);
	put_u32(b, (uint32_t)row->clean);
	put_i64(b, row->warmed);
	put_i64(b, row->stopped);
	put_i64(b, row->floor);
	put_u64(b, row->seq);
	put_field(b, row->name);
	put_field(b, row->rule);
	put_field(b, row->inputs);
	put_u8(b, (uint8_t)n);
	for (size_t i = 0; i < n; i++) {
		put_field(b, row->factors[i].provider);
		put_u16(b, (uint16_t)row->factors[i].thousandths);
		put_i64(b, row->factors[i].until);
		put_field(b, row->factors[i].rule);
	}
}

/* get_factors - behind the rest; false when they make no sense */
static bool
get_factors(struct wire *w, struct warm_row *row, struct warm_factor *to)
{
	row->factors = to;
	row->nfactors = get_u8(w);
	if (row->nfactors > PROGRESS_FACTORS)
		return false;
	for (size_t i = 0; i < row->nfactors; i++) {
		to[i].provider = get_field(w);
		to[i].thousandths = get_u16(w);
		to[i].until = get_i64(w);
		to[i].rule = get_field(w);
		if (w->bad || to[i].provider.n == 0 ||
		    to[i].thousandths > WHOLE || to[i].until < 0)
			return false;
		to[i].index = index_of(to[i].provider);
	}
	return true;
}

/* progress_decode - and back */
int
progress_decode(const uint8_t key[PROGRESS_KEY], struct slice s,
    struct warm_row *row, struct warm_factor *factors, struct why *why)
{
	struct wire w = wire_of(s);
	uint8_t format = get_u8(&w);
	uint32_t day = get_u32(&w), clean;

	memset(row, 0, sizeof(*row));
	memcpy(row->key, key, sizeof(row->key));
	if (!w.bad && format > FORMAT)
		return why_set(why, "a warmup of format %u: written by a newer "
		    "Penstock", format);
	row->date = get_i64(&w);
	row->started = get_i64(&w);
	row->used = get_i64(&w);
	clean = get_u32(&w);
	row->warmed = get_i64(&w);
	row->stopped = get_i64(&w);
	row->floor = get_i64(&w);
	row->seq = get_u64(&w);
	row->name = get_field(&w);
	row->rule = get_field(&w);
	row->inputs = get_field(&w);
	if (w.bad || format != FORMAT || day == 0 || day > PROGRESS_DAYS ||
	    clean > INT_MAX || !get_factors(&w, row, factors) || w.bad ||
	    w.p != w.end)
		return why_set(why, "the record of a warmup makes no sense");
	row->day = (int)day;
	row->clean = (int)clean;
	return 0;
}
