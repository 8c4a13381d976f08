/*
 * knots - see knots.h.
 *
 * The stored form, under its SHA-256 in watch/ (score_store.c), little-endian:
 *
 *	u8 format = 1
 *	per signal: u8 knots, each u64 at, u64 points	IEEE 754 bits
 *	u64 each: z, few_points, watch, at_risk, critical, margin, minor,
 *	    minor_most, major, confirmed, targets		IEEE 754 bits
 *	u64 each: least_events, calm_weeks, least_recipients, confident, many
 *
 * The hash is of this form: a comment that changed judges nobody anew, and a
 * row says by itself whether it is what it was.
 */
#include "reputation/knots.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/wire.h"

#define FORMAT	1

const char *const signal_names[] = { "complaint", "bounce", "block",
	"deferral", "volume", "unsubscribe", "policy", NULL };
const char *const target_names[] = { "bounce", "complaint", "delivered",
	NULL };

extern const char reputation_data[];	/* made from conf/reputation.conf */

/* knots_free - NULL is allowed */
void
knots_free(struct knots *k)
{
	free(k);
}

/* builtin - what was compiled in; a mistake in it is an error of ours */
static int
builtin(struct knots **out, struct why *why)
{
	struct arena *arena = arena_new(4096, 0);
	struct problems problems;
	int got;

	*out = NULL;
	if (arena == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for the knots");
	problems_init(&problems, arena);
	got = knots_parse("reputation.conf", slice_of(reputation_data), out,
	    &problems, why);
	if (got == 0) {
		problems_sort(&problems);
		got = why_set(why, "the built-in knots: %s:%u:%u: %s",
		    problems.first->at.file, problems.first->at.line,
		    problems.first->at.col, problems.first->text);
	}
	arena_free(arena);
	return got;
}

/* knots_load - those of a file, or the compiled-in ones */
int
knots_load(const char *path, struct knots **out, struct problems *problems,
    struct why *why)
{
	struct slice text, file;
	struct arena *arena;
	int got;

	*out = NULL;
	if (path == NULL)
		return builtin(out, why);
	arena = arena_new(1 << 14, 0);
	/* problems point to the name, so it lives as long as they do */
	file = arena_copy(problems->arena, slice_of(path));
	if (arena == NULL || file.p == NULL)
		got = why_kind(why, WHY_MEMORY, "no memory for %s", path);
	else if ((got = parse_read(arena, path, &text, why)) == 0)
		got = why_set(why, "there is no file %s; penstock.conf names "
		    "it as reputation", path);
	if (got == 1)
		got = knots_parse(file.p, text, out, problems, why);
	arena_free(arena);
	return got;
}

/* knots_installed - the file of this machine, or what was compiled in */
int
knots_installed(const char *configured, struct knots **out,
    struct problems *problems, struct why *why)
{
	if (configured == NULL && access(KNOTS_DEFAULT, F_OK) == -1 &&
	    errno == ENOENT)
		return knots_load(NULL, out, problems, why);
	return knots_load(configured != NULL ? configured : KNOTS_DEFAULT,
	    out, problems, why);
}

/* knots_points - on the line between two of them */
double
knots_points(const struct knots *k, enum signal signal, double share)
{
	const struct knot *c = k->curve[signal];
	size_t n = k->ncurve[signal], i;

	if (n == 0)
		return 0.0;
	for (i = 0; i < n && share > c[i].at; i++)
		;
	if (i == 0)
		return c[0].points;
	if (i == n)
		return c[n - 1].points;
	return c[i - 1].points + (share - c[i - 1].at) *
	    (c[i].points - c[i - 1].points) / (c[i].at - c[i - 1].at);
}

/* --- as stored ------------------------------------------------------------ */

#define TARGET_VALUES	(2 * TARGETS)
#define VALUES		(10 + TARGET_VALUES)
#define COUNTS		5

/* values_of - the fractions, in the order of the format */
static void
values_of(struct knots *k, double *out[VALUES])
{
	double *const first[] = { &k->z, &k->few_points, &k->watch,
		&k->at_risk, &k->critical, &k->margin, &k->minor,
		&k->minor_most, &k->major, &k->confirmed };

	memcpy(out, first, sizeof(first));
	for (int i = 0; i < TARGET_VALUES; i++)
		out[10 + i] = &k->targets[i / TARGETS][i % TARGETS];
}

/* put_double - as it is in memory */
static void
put_double(struct buf *b, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	put_u64(b, bits);
}

/* get_double - the same back */
static double
get_double(struct wire *w)
{
	uint64_t bits = get_u64(w);
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* knots_encode - all but the hash */
void
knots_encode(const struct knots *k, struct buf *out)
{
	struct knots copy = *k;
	const uint64_t counts[COUNTS] = { k->least_events, k->calm_weeks,
		k->least_recipients, k->confident, k->many };
	double *values[VALUES];

	put_u8(out, FORMAT);
	for (int s = 0; s < SIGNALS; s++) {
		put_u8(out, (uint8_t)k->ncurve[s]);
		for (size_t i = 0; i < k->ncurve[s]; i++) {
			put_double(out, k->curve[s][i].at);
			put_double(out, k->curve[s][i].points);
		}
	}
	values_of(&copy, values);
	for (int i = 0; i < VALUES; i++)
		put_double(out, *values[i]);
	for (int i = 0; i < COUNTS; i++)
		put_u64(out, counts[i]);
}

/* read_curves - false: more knots than there may be, or not in order */
static bool
read_curves(struct wire *w, struct knots *k)
{
	for (int s = 0; s < SIGNALS; s++) {
		k->ncurve[s] = get_u8(w);
		if (k->ncurve[s] > KNOTS_MOST)
			return false;
		for (size_t i = 0; i < k->ncurve[s]; i++) {
			k->curve[s][i].at = get_double(w);
			k->curve[s][i].points = get_double(w);
			if (!isfinite(k->curve[s][i].at) ||
			    !isfinite(k->curve[s][i].points) || (i > 0 &&
			    k->curve[s][i].at <= k->curve[s][i - 1].at))
				return false;
		}
	}
	return true;
}

/* knots_decode - and the hash of it */
int
knots_decode(struct slice bytes, struct knots **out, struct why *why)
{
	struct wire w = wire_of(bytes);
	struct knots *k = calloc(1, sizeof(*k));
	double *values[VALUES];
	uint64_t counts[COUNTS];

	*out = NULL;
	if (k == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for the knots");
	if (get_u8(&w) != FORMAT || !read_curves(&w, k))
		w.bad = true;
	values_of(k, values);
	for (int i = 0; i < VALUES; i++)
		w.bad |= !isfinite(*values[i] = get_double(&w));
	for (int i = 0; i < COUNTS; i++)
		w.bad |= (counts[i] = get_u64(&w)) > UINT32_MAX;
	k->least_events = (unsigned)counts[0];
	k->calm_weeks = (unsigned)counts[1];
	k->least_recipients = counts[2];
	k->confident = counts[3];
	k->many = counts[4];
	if (w.bad || w.p != w.end) {
		free(k);
		return why_set(why, "knots of %zu bytes are none of this "
		    "release", bytes.n);
	}
	hash_sha256(bytes.p, bytes.n, k->hash);
	*out = k;
	return 0;
}
