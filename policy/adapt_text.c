/*
 * adapt_text - a decision and what it was made of, as one line of text.
 *
 * It stands in the "text" of a warmup event, so that whoever reads events sees
 * it, and `penstock warmup explain` can make the decision again:
 *
 *	RULE to=DAY clean=N warmed=0|1 stop=0|1 faster=0|1 by=PROVIDER|-
 *	date=2026-11-20 day=N of=N cap=N bulk=N used=N turned=N silent=N
 *	before=N was=0|1 known=0|1 required=0|1 fast=0|1 dnsbl=N
 *	{; PROVIDER RULE COUNTS {, TENANT RULE|- COUNTS}}
 *
 *	COUNTS: ended= deferred= slow= hard= blocked= listed= arrived=
 *	complaints=
 *
 * in this order, one blank between words.  Behind "to" and up to "by" stands
 * what was decided, then what was seen; a tenant with a rule was singled out.
 * Bytes that would end a word are written "?" in names.
 */
#include "policy/adapt.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "lib/date.h"

enum { NUMBER_MOST = 18 };		/* digits */

static const struct { const char *name; size_t at; } counts[] = {
	{ "ended", offsetof(struct adapt_count, ended) },
	{ "deferred", offsetof(struct adapt_count, deferred) },
	{ "slow", offsetof(struct adapt_count, slow) },
	{ "hard", offsetof(struct adapt_count, hard) },
	{ "blocked", offsetof(struct adapt_count, blocked) },
	{ "listed", offsetof(struct adapt_count, listed) },
	{ "arrived", offsetof(struct adapt_count, arrived) },
	{ "complaints", offsetof(struct adapt_count, complaints) },
};
enum { COUNTS = sizeof(counts) / sizeof(counts[0]) };

/* count_at - one of them by its place in the list */
static uint64_t *
count_at(const struct adapt_count *c, size_t i)
{
	return (uint64_t *)(void *)((char *)(uintptr_t)c + counts[i].at);
}

/* --- writing -------------------------------------------------------------- */

/* put_name - so that it stays one word */
static void
put_name(struct buf *b, struct slice name)
{
	for (size_t i = 0; i < name.n; i++)
		buf_char(b, name.p[i] > ' ' && name.p[i] != 0x7f &&
		    strchr(",;=", name.p[i]) == NULL ? name.p[i] : '?');
	if (name.n == 0)
		buf_char(b, '?');
}

/* put_counts - all of them */
static void
put_counts(struct buf *b, const struct adapt_count *c)
{
	for (size_t i = 0; i < COUNTS; i++)
		buf_printf(b, " %s=%" PRIu64, counts[i].name, *count_at(c, i));
}

/* single_of - was that tenant singled out there? */
static const struct adapt_single *
single_of(const struct adapt_decision *d, size_t provider, size_t tenant)
{
	for (size_t i = 0; i < d->nsingles; i++)
		if (d->singles[i].provider == provider &&
		    d->singles[i].tenant == tenant)
			return &d->singles[i];
	return NULL;
}

/* put_provider - and those of its tenants that were looked at */
static void
put_provider(struct buf *b, const struct adapt_input *in,
    const struct adapt_decision *d, size_t at)
{
	const struct adapt_provider *p = &in->providers[at];
	const struct adapt_single *s;

	buf_str(b, "; ");
	put_name(b, p->name);
	buf_printf(b, " %s", adapt_rule_names[d->of[at]]);
	put_counts(b, &p->count);
	for (size_t i = 0; i < p->ntenants && i < ADAPT_TENANTS; i++) {
		s = single_of(d, at, i);
		buf_str(b, ", ");
		put_name(b, p->tenants[i].name);
		buf_printf(b, " %s", s != NULL ? adapt_rule_names[s->rule] :
		    "-");
		put_counts(b, &p->tenants[i].count);
	}
}

/* put_date - "2026-11-20" */
static void
put_date(struct buf *b, int64_t days)
{
	int64_t year;
	int month, day;

	date_of(days, &year, &month, &day);
	buf_printf(b, "%04" PRId64 "-%02d-%02d", year, month, day);
}

/* adapt_print - the whole line */
void
adapt_print(const struct adapt_input *in, const struct adapt_decision *d,
    struct buf *b)
{
	buf_printf(b, "%s to=%d clean=%d warmed=%d stop=%d faster=%d by=",
	    adapt_rule_names[d->rule], d->day, d->clean, d->warmed, d->stop,
	    d->faster);
	if (d->provider < in->nproviders)
		put_name(b, in->providers[d->provider].name);
	else
		buf_char(b, '-');
	buf_str(b, " date=");
	put_date(b, in->date);
	buf_printf(b, " day=%d of=%d cap=%" PRId64 " bulk=%" PRId64
	    " used=%" PRId64 " turned=%" PRId64 " silent=%d before=%d was=%d "
	    "known=%d required=%d fast=%d dnsbl=%" PRIu64, in->day, in->days,
	    in->cap, in->bulk, in->used, in->turned, in->silent, in->clean,
	    in->warmed, in->known, in->required, in->fast, in->dnsbl);
	for (size_t i = 0; i < in->nproviders && i < ADAPT_PROVIDERS; i++)
		put_provider(b, in, d, i);
}

/* --- reading -------------------------------------------------------------- */

struct reader {
	struct slice	rest;
	bool		bad;
};

/* word - up to the next blank or mark, which is left */
static struct slice
word(struct reader *r)
{
	struct slice w = { r->rest.p, 0 };

	while (w.n < r->rest.n && strchr(" ,;", r->rest.p[w.n]) == NULL)
		w.n++;
	r->bad |= w.n == 0;
	r->rest = slice_from(r->rest, w.n);
	return w;
}

/* mark - that text and nothing else */
static void
mark(struct reader *r, const char *text)
{
	if (!slice_starts(r->rest, slice_of(text)))
		r->bad = true;
	else
		r->rest = slice_from(r->rest, strlen(text));
}

/* number - digits alone, with a bound */
static uint64_t
number(struct reader *r, uint64_t most)
{
	struct slice w = word(r);
	uint64_t n = 0;

	r->bad |= w.n > NUMBER_MOST;
	for (size_t i = 0; !r->bad && i < w.n; i++) {
		r->bad |= w.p[i] < '0' || w.p[i] > '9';
		n = n * 10 + (uint64_t)(w.p[i] - '0');
	}
	r->bad |= n > most;
	return r->bad ? 0 : n;
}

/* value - " NAME=" and a number */
static uint64_t
value(struct reader *r, const char *name, uint64_t most)
{
	mark(r, " ");
	mark(r, name);
	mark(r, "=");
	return number(r, most);
}

/* rule - its number; "-" is none, where that may be */
static enum adapt_rule
rule(struct reader *r)
{
	struct slice w = word(r);
	unsigned i = 0;

	while (i < ADAPT_RULES && !slice_is(w, adapt_rule_names[i]))
		i++;
	r->bad |= i == ADAPT_RULES && !slice_is(w, "-");
	return i;
}

/* get_counts - as put_counts wrote them */
static void
get_counts(struct reader *r, struct adapt_count *c)
{
	for (size_t i = 0; i < COUNTS; i++)
		*count_at(c, i) = value(r, counts[i].name, INT64_MAX);
}

/* get_date - "2026-11-20" */
static int64_t
get_date(struct reader *r)
{
	struct slice w;
	struct reader part;
	int n[3] = { 0 };

	mark(r, " date=");
	w = word(r);
	if (r->bad || w.n != 10 || w.p[4] != '-' || w.p[7] != '-') {
		r->bad = true;
		return 0;
	}
	for (int i = 0; i < 3; i++) {
		part = (struct reader){ { w.p + (i == 0 ? 0 : 2 + 3 * i),
			i == 0 ? 4 : 2 }, false };
		n[i] = (int)number(&part, 9999);
		r->bad |= part.bad;
	}
	r->bad |= !date_exists(n[0], n[1], n[2]);
	return r->bad ? 0 : date_days(n[0], n[1], n[2]);
}

/* get_tenants - behind a provider */
static void
get_tenants(struct reader *r, struct adapt_provider *p, size_t at,
    struct adapt_decision *d, struct arena *arena)
{
	struct adapt_tenant *to = arena_array(arena, ADAPT_TENANTS,
	    sizeof(*to));
	enum adapt_rule of;

	p->tenants = to;
	r->bad |= to == NULL;
	while (!r->bad && slice_starts(r->rest, SLICE(", "))) {
		if (p->ntenants == ADAPT_TENANTS) {
			r->bad = true;
			return;
		}
		mark(r, ", ");
		to[p->ntenants].name = word(r);
		mark(r, " ");
		of = rule(r);
		get_counts(r, &to[p->ntenants].count);
		if (of != ADAPT_RULES && d->nsingles < ADAPT_PROVIDERS)
			d->singles[d->nsingles++] = (struct adapt_single){ at,
				p->ntenants, of };
		p->ntenants++;
	}
}

/* get_providers - to the end of the line */
static void
get_providers(struct reader *r, struct adapt_input *in,
    struct adapt_decision *d, struct slice by, struct arena *arena)
{
	struct adapt_provider *to = arena_array(arena, ADAPT_PROVIDERS,
	    sizeof(*to));

	in->providers = to;
	r->bad |= to == NULL;
	while (!r->bad && r->rest.n > 0) {
		struct adapt_provider *p = &to[in->nproviders];

		if (in->nproviders == ADAPT_PROVIDERS) {
			r->bad = true;
			return;
		}
		mark(r, "; ");
		p->name = word(r);
		mark(r, " ");
		d->of[in->nproviders] = rule(r);
		r->bad |= d->of[in->nproviders] == ADAPT_RULES;
		get_counts(r, &p->count);
		get_tenants(r, p, in->nproviders, d, arena);
		if (slice_eq(p->name, by))
			d->provider = in->nproviders;
		in->nproviders++;
	}
	r->bad |= d->provider == ADAPT_NOBODY && !slice_is(by, "-");
}

/* get_seen - the numbers of the day */
static void
get_seen(struct reader *r, struct adapt_input *in)
{
	in->date = get_date(r);
	in->day = (int)value(r, "day", INT32_MAX);
	in->days = (int)value(r, "of", INT32_MAX);
	in->cap = (int64_t)value(r, "cap", INT64_MAX);
	in->bulk = (int64_t)value(r, "bulk", INT64_MAX);
	in->used = (int64_t)value(r, "used", INT64_MAX);
	in->turned = (int64_t)value(r, "turned", INT64_MAX);
	in->silent = (int)value(r, "silent", INT32_MAX);
	in->clean = (int)value(r, "before", INT32_MAX);
	in->warmed = value(r, "was", 1) != 0;
	in->known = value(r, "known", 1) != 0;
	in->required = value(r, "required", 1) != 0;
	in->fast = value(r, "fast", 1) != 0;
	in->dnsbl = value(r, "dnsbl", INT64_MAX);
}

/* adapt_read - and back */
int
adapt_read(struct slice text, struct adapt_input *in,
    struct adapt_decision *d, struct arena *arena, struct why *why)
{
	struct reader r = { text, false };
	struct slice by;

	memset(in, 0, sizeof(*in));
	memset(d, 0, sizeof(*d));
	for (size_t i = 0; i < ADAPT_PROVIDERS; i++)
		d->of[i] = ADAPT_A1;
	d->provider = ADAPT_NOBODY;
	d->rule = rule(&r);
	r.bad |= d->rule == ADAPT_RULES;
	d->day = (int)value(&r, "to", INT32_MAX);
	d->clean = (int)value(&r, "clean", INT32_MAX);
	d->warmed = value(&r, "warmed", 1) != 0;
	d->stop = value(&r, "stop", 1) != 0;
	d->faster = value(&r, "faster", 1) != 0;
	mark(&r, " by=");
	by = word(&r);
	get_seen(&r, in);
	get_providers(&r, in, d, by, arena);
	return r.bad ? why_set(why, "the decision of a warmup cannot be read, "
	    "or was written by a newer Penstock") : 0;
}

/* adapt_same - one and the same? */
bool
adapt_same(const struct adapt_input *in, const struct adapt_decision *a,
    const struct adapt_decision *b)
{
	const struct adapt_single *s;

	if (a->rule != b->rule || a->day != b->day || a->clean != b->clean ||
	    a->warmed != b->warmed || a->stop != b->stop ||
	    a->faster != b->faster || a->provider != b->provider ||
	    a->nsingles != b->nsingles)
		return false;
	for (size_t i = 0; i < in->nproviders && i < ADAPT_PROVIDERS; i++)
		if (a->of[i] != b->of[i])
			return false;
	for (size_t i = 0; i < a->nsingles; i++) {
		s = single_of(b, a->singles[i].provider, a->singles[i].tenant);
		if (s == NULL || s->rule != a->singles[i].rule)
			return false;
	}
	return true;
}

/* --- for a person --------------------------------------------------------- */

/* say_provider - what was wrong there */
static void
say_provider(const struct adapt_provider *p, struct buf *b)
{
	const struct adapt_count *c = &p->count;

	put_name(b, p->name);
	buf_printf(b, ": %" PRIu64 " of %" PRIu64 " bounced, %" PRIu64
	    " refused for reputation, %" PRIu64 " of %" PRIu64
	    " deferred for rate or reputation, %" PRIu64 " complaints about %"
	    PRIu64 " in three days", c->hard, c->ended, c->blocked, c->slow,
	    c->ended + c->deferred, c->complaints, c->arrived);
	if (c->listed > 0)
		buf_printf(b, ", %" PRIu64 " said that we are blocked",
		    c->listed);
}

/* say_use - how much of the day's number */
static void
say_use(const struct adapt_input *in, struct buf *b)
{
	if (in->silent > 0) {
		buf_printf(b, "no mail for %d day%s", in->silent,
		    in->silent == 1 ? "" : "s");
		return;
	}
	buf_printf(b, "%" PRId64 " of %" PRId64 " used", in->used, in->cap);
	if (in->turned > 0)
		buf_str(b, ", and limits of ours turned mail away");
}

/* adapt_say - the sentence */
void
adapt_say(const struct adapt_input *in, const struct adapt_decision *d,
    struct buf *b)
{
	if (d->provider < in->nproviders)
		say_provider(&in->providers[d->provider], b);
	else if (d->rule == ADAPT_S1)
		buf_printf(b, "%" PRIu64 " refusals name a list of bad "
		    "senders that everybody asks", in->dnsbl);
	else if (d->rule == ADAPT_N1)
		buf_str(b, "nobody knows what became of the mail, and "
		    "require_outcomes wants that");
	else
		say_use(in, b);
	if (!in->known && d->rule != ADAPT_N1)
		buf_str(b, "; no outcome data");
	if (d->faster)
		buf_str(b, "; one day more would be fine (fast_track)");
	for (size_t i = 0; i < d->nsingles; i++) {
		const struct adapt_single *s = &d->singles[i];
		const struct adapt_provider *p = &in->providers[s->provider];

		buf_str(b, "; tenant ");
		put_name(b, p->tenants[s->tenant].name);
		buf_printf(b, " is stopped (%s at ",
		    adapt_rule_names[s->rule]);
		put_name(b, p->name);
		buf_char(b, ')');
	}
}
