/*
 * dmarc - rows of the table "dmarc".  Numbers in keys are big-endian.
 *
 *	key				value
 *	"r" u8[16] hash of org, id,	i64 end of the report; it was counted
 *	    domain
 *	"n" be32 day			u32 reports that came on that day
 *	"m" be32 day			u32 of them about new domains
 *	"d" domain, 0, be32 day		u32 of them about that domain
 *	"k" domain			u32 first day, last day that a report
 *					about it came
 *	"c" domain, 0, be32 day		u32 sources that have a row
 *	"x" be32 day			u32 rows that the reports of that day
 *					made
 *	"w" be32 day			u32 of them about new domains
 *	"y" domain, 0, be32 day		u32 of them about that domain
 *	"s" domain, 0, be32 day,	u8 format = 1, u64 aligned, failing,
 *	    source			dkim, spf, quarantined, rejected,
 *					field signer, reporter
 *
 * A domain has no zero byte: one that has is refused at the beginning.
 */
#include "reputation/dmarc.h"

#include <string.h>

#include "lib/hash.h"
#include "lib/wire.h"

enum { DOMAIN_BYTES = 253, SOURCE_BYTES = 64, NAME_BYTES = 253,
	KEY_ROOM = 1 + DOMAIN_BYTES + 1 + 4 + SOURCE_BYTES };

#define DAY	(24 * 3600 * INT64_C(1000000))

struct key {
	uint8_t	bytes[KEY_ROOM];
	size_t	n;
};

/* key_slice - as the store takes it */
static struct slice
key_slice(const struct key *k)
{
	return (struct slice){ (const char *)k->bytes, k->n };
}

/* key_add - bytes, as many as fit */
static void
key_add(struct key *k, const void *p, size_t n)
{
	if (n > sizeof(k->bytes) - k->n)
		n = sizeof(k->bytes) - k->n;
	if (n > 0)
		memcpy(k->bytes + k->n, p, n);
	k->n += n;
}

/* key_day - four bytes that sort */
static void
key_day(struct key *k, int32_t day)
{
	uint8_t be[4] = { (uint8_t)((uint32_t)day >> 24),
		(uint8_t)((uint32_t)day >> 16), (uint8_t)((uint32_t)day >> 8),
		(uint8_t)day };

	key_add(k, be, 4);
}

/* key_domain - letter, domain, zero, day */
static void
key_domain(struct key *k, char letter, struct slice domain, int32_t day)
{
	k->n = 0;
	key_add(k, &letter, 1);
	key_add(k, domain.p, domain.n);
	key_add(k, "", 1);
	key_day(k, day);
}

/* day_of - the middle of a report: one that covers a day is of that day */
static int32_t
day_of(const struct dmarc_report *r)
{
	return (int32_t)((r->begin + (r->end - r->begin) / 2) / DAY);
}

/* count_up - a u32 in a row, unless it has come to most; fetch: 0 it has */
static int
count_up(struct outcomes *o, const struct key *k, uint32_t most,
    struct why *why)
{
	struct buf b = BUF_INIT;
	struct slice value;
	uint32_t n = 0;
	int got = outcomes_get(o, OUTCOMES_DMARC, key_slice(k), &value, why);

	if (got == -1)
		return -1;
	if (got == 1) {
		struct wire w = wire_of(value);

		n = get_u32(&w);
	}
	if (n >= most)
		return 0;
	put_u32(&b, n + 1);
	got = outcomes_put(o, OUTCOMES_DMARC, key_slice(k), buf_slice(&b),
	    why);
	buf_free(&b);
	return got == -1 ? -1 : 1;
}

/* key_count - letter, day */
static void
key_count(struct key *k, char letter, int32_t day)
{
	k->n = 0;
	key_add(k, &letter, 1);
	key_day(k, day);
}

/* key_known - since when a domain is */
static void
key_known(struct key *k, struct slice domain)
{
	k->n = 0;
	key_add(k, "k", 1);
	key_add(k, domain.p, domain.n);
}

/* first_day - that a report about a domain came; day when none did, or today.
 * Action. */
static int
first_day(struct outcomes *o, const struct key *k, int32_t day,
    uint32_t *first, uint32_t *last, struct why *why)
{
	struct slice value;
	int got = outcomes_get(o, OUTCOMES_DMARC, key_slice(k), &value, why);

	*first = (uint32_t)day;
	*last = 0;
	if (got == 1) {
		struct wire w = wire_of(value);

		*first = get_u32(&w);
		*last = get_u32(&w);
	}
	return got == -1 ? -1 : 0;
}

/* is_full - a count that has come to most; fetch, 1: it has */
static int
is_full(struct outcomes *o, const struct key *k, uint32_t most,
    struct why *why)
{
	struct slice value;
	int got = outcomes_get(o, OUTCOMES_DMARC, key_slice(k), &value, why);
	struct wire w = wire_of(got == 1 ? value : SLICE(""));

	return got == -1 ? -1 : got == 1 && get_u32(&w) >= most;
}

struct share {
	struct key	 key;
	uint32_t	 most;
	const char	*of;
};

/* take - one of each of them when none has come to its most: what is refused
 * writes nothing.  Fetch: 0 with the first that has. */
static int
take(struct outcomes *o, const struct share *all, size_t n,
    const struct share **full, struct why *why)
{
	int got;

	for (size_t i = 0; i < n; i++) {
		if ((got = is_full(o, &all[i].key, all[i].most, why)) == -1)
			return -1;
		if (got == 1) {
			*full = &all[i];
			return 0;
		}
	}
	for (size_t i = 0; i < n; i++)
		if (count_up(o, &all[i].key, all[i].most, why) == -1)
			return -1;
	return 1;
}

/* take_report - a share of what a day takes.  Fetch: 0 with the reason. */
static int
take_report(struct outcomes *o, const struct dmarc_report *r, struct why *why)
{
	struct share all[] = { { { .n = 0 }, DMARC_REPORTS, "" },
		{ { .n = 0 }, DMARC_SHARE, " about that domain" },
		{ { .n = 0 }, DMARC_NEW, " about new domains" } };
	int32_t day = (int32_t)(r->came / DAY);
	const struct share *full;
	struct buf b = BUF_INIT;
	uint32_t first, last;
	struct key k;
	int got;

	key_count(&all[0].key, 'n', day);
	key_domain(&all[1].key, 'd', r->domain, day);
	key_count(&all[2].key, 'm', day);
	key_known(&k, r->domain);
	if (first_day(o, &k, day, &first, &last, why) == -1)
		return -1;
	got = take(o, all, first == (uint32_t)day ? 3 : 2, &full, why);
	if (got == 0)
		why_set(why, "%u DMARC reports%s came today already",
		    full->most, full->of);
	if (got != 1 || last == (uint32_t)day)
		return got;
	put_u32(&b, first);
	put_u32(&b, (uint32_t)day);
	got = outcomes_put(o, OUTCOMES_DMARC, key_slice(&k), buf_slice(&b),
	    why);
	buf_free(&b);
	return got == -1 ? -1 : 1;
}

/* take_row - a share of the rows of a domain and day, and of those that the
 * reports of today may make; fetch */
static int
take_row(struct outcomes *o, const struct dmarc_report *r, int32_t of,
    struct why *why)
{
	struct share all[] = { { { .n = 0 }, DMARC_SOURCES, "" },
		{ { .n = 0 }, DMARC_ROWS_SHARE, "" },
		{ { .n = 0 }, DMARC_ROWS, "" },
		{ { .n = 0 }, DMARC_ROWS_NEW, "" } };
	int32_t day = (int32_t)(r->came / DAY);
	const struct share *full;
	uint32_t first, last;
	struct key k;

	key_domain(&all[0].key, 'c', r->domain, of);
	key_domain(&all[1].key, 'y', r->domain, day);
	key_count(&all[2].key, 'x', day);
	key_count(&all[3].key, 'w', day);
	key_known(&k, r->domain);
	if (first_day(o, &k, day, &first, &last, why) == -1)
		return -1;
	return take(o, all, first == (uint32_t)day ? 4 : 3, &full, why);
}

/* dmarc_begin - known? too many? */
int
dmarc_begin(struct outcomes *o, const struct dmarc_report *r, struct why *why)
{
	struct buf b = BUF_INIT;
	struct key k = { .n = 0 };
	struct slice value;
	uint8_t hash[16];
	int got;

	if (r->domain.n == 0 || r->domain.n > DOMAIN_BYTES ||
	    memchr(r->domain.p, '\0', r->domain.n) != NULL)
		return why_set(why, "the report is about no domain");
	if (r->begin <= 0 || r->end < r->begin || r->end > r->came + 2 * DAY)
		return why_set(why, "the report is about days to come");
	put_field(&b, r->org);
	put_field(&b, r->id);
	put_field(&b, r->domain);
	if (buf_failed(&b))
		return why_kind(why, WHY_MEMORY, "no memory for a report");
	hash_128(b.data, b.len, hash);
	key_add(&k, "r", 1);
	key_add(&k, hash, sizeof(hash));
	got = outcomes_get(o, OUTCOMES_DMARC, key_slice(&k), &value, why);
	if (got != 0) {
		buf_free(&b);
		return got == 1 ? 0 : -1;
	}
	got = take_report(o, r, why);
	buf_reset(&b);
	put_i64(&b, r->end);
	if (got == 1 && outcomes_put(o, OUTCOMES_DMARC, key_slice(&k),
	    buf_slice(&b), why) == -1)
		got = -1;
	buf_free(&b);
	return got == 1 ? 1 : -1;
}

/* total_read - a row's value */
static int
total_read(struct slice value, struct dmarc_total *t, struct why *why)
{
	struct wire w = wire_of(value);

	if (get_u8(&w) != 1)
		return why_set(why, "a DMARC total of a newer Penstock");
	t->aligned = get_u64(&w);
	t->failing = get_u64(&w);
	t->dkim = get_u64(&w);
	t->spf = get_u64(&w);
	t->quarantined = get_u64(&w);
	t->rejected = get_u64(&w);
	t->signer = get_field(&w);
	t->reporter = get_field(&w);
	return w.bad ? why_set(why, "a DMARC total is damaged") : 0;
}

/* cut - names of strangers are bounded */
static struct slice
cut(struct slice s)
{
	return (struct slice){ s.p, s.n < NAME_BYTES ? s.n : NAME_BYTES };
}

/* source_row - the row of a source, or that of all others, of which each report
 * makes one at most; fetch, of the row; *own: the source's */
static int
source_row(struct outcomes *o, const struct dmarc_report *r, struct key *k,
    struct dmarc_total *t, struct slice *value, bool *own, struct why *why)
{
	int got;

	t->day = day_of(r);
	t->domain = r->domain;
	for (*own = true;; *own = false) {
		key_domain(k, 's', r->domain, t->day);
		key_add(k, t->source.p, t->source.n < SOURCE_BYTES ?
		    t->source.n : SOURCE_BYTES);
		got = outcomes_get(o, OUTCOMES_DMARC, key_slice(k), value,
		    why);
		if (got != 0 || !*own)
			return got;
		if ((got = take_row(o, r, t->day, why)) != 0)
			return got == -1 ? -1 : 0;
		t->source = SLICE(DMARC_OTHERS);
	}
}

/* dmarc_add - old figures and new ones */
int
dmarc_add(struct outcomes *o, const struct dmarc_report *r,
    struct dmarc_total *t, struct why *why)
{
	struct dmarc_total old = { .aligned = 0 };
	struct buf b = BUF_INIT;
	struct slice value;
	struct key k;
	bool own;
	int got = source_row(o, r, &k, t, &value, &own, why);

	if (got == -1 || (got == 1 && total_read(value, &old, why) == -1))
		return -1;
	put_u8(&b, 1);
	put_u64(&b, old.aligned + t->aligned);
	put_u64(&b, old.failing + t->failing);
	put_u64(&b, old.dkim + t->dkim);
	put_u64(&b, old.spf + t->spf);
	put_u64(&b, old.quarantined + t->quarantined);
	put_u64(&b, old.rejected + t->rejected);
	put_field(&b, cut(t->signer.n > 0 ? t->signer : old.signer));
	put_field(&b, cut(r->org));
	got = buf_failed(&b) ? why_kind(why, WHY_MEMORY, "no memory for a "
	    "report") : outcomes_put(o, OUTCOMES_DMARC, key_slice(&k),
	    buf_slice(&b), why);
	buf_free(&b);
	return got == -1 ? -1 : own;
}

/* day_behind - the end of the day that stands there in a key */
static int64_t
day_behind(struct slice key, size_t at)
{
	const uint8_t *p = (const uint8_t *)key.p + at;

	if (key.n < at + 4)
		return INT64_MAX;
	return ((int64_t)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3]) + 1) * DAY;
}

/* dmarc_ends - of any row */
int64_t
dmarc_ends(struct slice key, struct slice value)
{
	struct wire w = wire_of(value);
	const char *zero;
	int64_t end;

	if (key.n == 0)
		return INT64_MAX;
	switch (key.p[0]) {
	case 'r':
		end = get_i64(&w);
		return w.bad ? INT64_MAX : end;
	case 'm':
	case 'n':
	case 'w':
	case 'x':
		return day_behind(key, 1);
	case 'k':
		(void)get_u32(&w);
		end = ((int64_t)get_u32(&w) + 1) * DAY;
		return w.bad ? INT64_MAX : end;
	case 'c':
	case 'd':
	case 's':
	case 'y':
		zero = memchr(key.p, '\0', key.n);
		return zero == NULL ? INT64_MAX :
		    day_behind(key, (size_t)(zero - key.p) + 1);
	default:
		return INT64_MAX;
	}
}

struct walk {
	struct slice	domain;
	size_t		head;		/* bytes of the key before the day */
	int32_t		to;
	bool		(*call)(void *, const struct dmarc_total *);
	void		*with;
	bool		failed;
	struct why	why;
};

/* one_total - a row; false behind the last of the domain */
static bool
one_total(void *self, struct slice key, struct slice value)
{
	struct dmarc_total t = { .aligned = 0 };
	struct walk *w = self;
	const uint8_t *p;

	if (key.n < w->head + 4 || key.p[0] != 's' ||
	    key.p[w->head - 1] != '\0' || !slice_eq(w->domain,
	    (struct slice){ key.p + 1, w->head - 2 }))
		return false;
	p = (const uint8_t *)key.p + w->head;
	t.day = (int32_t)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3]);
	if (t.day > w->to)
		return false;
	t.domain = w->domain;
	t.source = slice_from(key, w->head + 4);
	if (total_read(value, &t, &w->why) == -1) {
		w->failed = true;
		return false;
	}
	return w->call(w->with, &t);
}

/* dmarc_each - one transaction */
int
dmarc_each(struct outcomes *o, struct slice domain, int32_t from, int32_t to,
    bool (*call)(void *, const struct dmarc_total *), void *with,
    struct why *why)
{
	struct walk w = { .domain = domain, .head = domain.n + 2, .to = to,
	    .call = call, .with = with };
	struct key k;

	if (domain.n == 0 || domain.n > DOMAIN_BYTES)
		return 0;
	key_domain(&k, 's', domain, from);
	if (outcomes_each(o, OUTCOMES_DMARC, key_slice(&k), one_total, &w,
	    why) == -1)
		return -1;
	if (w.failed)
		*why = w.why;
	return w.failed ? -1 : 0;
}
