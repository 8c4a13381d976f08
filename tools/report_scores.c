/*
 * report_scores - how each subject stands, and what is said of those that are
 * not well.
 *
 * Scores are made on Mondays, of the week before.  Those are shown that were
 * known when the period ended: of the last Monday until then, or of the one
 * before it when nobody has judged since.
 */
#include "tools/report_in.h"

#include <stdlib.h>
#include <string.h>

#include "lib/date.h"
#include "lib/map.h"

#define NAME_MAX_KEY	300

struct reading {
	struct making	*m;
	struct map	*rows;		/* kind and name -> row */
	struct strip	*strip;		/* of one subject; or all: NULL */
	bool		failed;
};

/* the kinds that have a score, in the order in which they are told */
static const enum subject_kind judged_kinds[] = { SUBJECT_TENANT,
	SUBJECT_STREAM, SUBJECT_DOMAIN, SUBJECT_ADDRESS, SUBJECT_POOL,
	SUBJECT_GROUP };
enum { JUDGED = sizeof(judged_kinds) / sizeof(judged_kinds[0]) };

/* key_of - in a map of all kinds */
static struct slice
key_of(char room[NAME_MAX_KEY], enum subject_kind kind, struct slice name)
{
	size_t n = name.n < NAME_MAX_KEY - 1 ? name.n : NAME_MAX_KEY - 1;

	room[0] = (char)('0' + kind);
	memcpy(room + 1, name.p, n);
	return (struct slice){ room, n + 1 };
}

/* index_rows - by kind and name, while they stay where they are */
static int
index_rows(struct reading *g)
{
	struct report *r = g->m->r;
	char room[NAME_MAX_KEY];

	for (int k = 0; k < SUBJECT_KINDS; k++)
		for (size_t i = 0; i < r->rows[k].n; i++) {
			struct row *row = &r->rows[k].list[i];
			struct slice key = arena_copy(r->arena,
			    key_of(room, row->kind, row->name));

			if (key.p == NULL || map_set(g->rows, key, row) == -1)
				return why_kind(g->m->why, WHY_MEMORY,
				    "out of memory");
		}
	return 0;
}

/* weeks_ago - of a score, seen from the Monday that is shown */
static int32_t
weeks_ago(const struct report *r, int32_t day)
{
	return (r->judged - day) / 7;
}

/* keep - the score as of the end of the period */
static bool
keep(struct reading *g, struct row *row, const struct scored *s)
{
	struct scored *copy = arena_alloc(g->m->r->arena, sizeof(*copy));

	if (copy == NULL) {
		g->failed = true;
		return false;
	}
	*copy = *s;
	copy->name = row->name;
	row->scored = copy;
	return true;
}

/* week_of - what a picture needs of it */
static struct week
week_of(const struct scored *s)
{
	return (struct week){ .known = true, .tier = s->score.tier,
	    .total = s->score.total };
}

/* take - one score of the last weeks, to its row */
static bool
take(void *with, const struct scored *s)
{
	struct reading *g = with;
	int32_t ago = weeks_ago(g->m->r, s->in.day);
	char room[NAME_MAX_KEY];
	struct row *row = map_get(g->rows, key_of(room, s->kind, s->name));

	if (row == NULL || ago < 0 || ago >= REPORT_SPARK ||
	    report_shared(g->m, s->kind, s->name))
		return true;
	row->weeks[REPORT_SPARK - 1 - ago] = week_of(s);
	return ago > 1 || keep(g, row, s);
}

/* trend - this week's score beside the last one's */
static int
trend(const struct row *row)
{
	const struct week *now = NULL, *before = NULL;

	for (size_t i = REPORT_SPARK; i-- > 0 && before == NULL; )
		if (row->weeks[i].known && now == NULL)
			now = &row->weeks[i];
		else if (row->weeks[i].known)
			before = &row->weeks[i];
	if (now == NULL || before == NULL)
		return 0;
	return now->total > before->total + 1 ? 1 :
	    now->total < before->total - 1 ? -1 : 0;
}

/* count - how many are how well */
static void
count(struct report *r)
{
	for (int k = 0; k < SUBJECT_KINDS; k++)
		for (size_t i = 0; i < r->rows[k].n; i++) {
			struct row *row = &r->rows[k].list[i];

			row->trend = trend(row);
			if (row->scored != NULL)
				r->tiers[k][row->scored->score.tier]++;
		}
}

/* report_scores - of all rows, the last weeks */
int
report_scores(struct making *m)
{
	struct report *r = m->r;
	struct reading g = { .m = m, .rows = map_new() };
	int rc = -1;

	r->judged = r->period.until - date_weekday(r->period.until);
	if (g.rows == NULL) {
		why_kind(m->why, WHY_MEMORY, "out of memory");
		return -1;
	}
	if (index_rows(&g) == 0 && scores_each(m->in->watch, r->knots,
	    SUBJECT_KINDS, SLICE_NONE, r->judged - 7 * (REPORT_SPARK - 1),
	    r->judged + 1, take, &g, m->why) != -1)
		rc = g.failed ? why_kind(m->why, WHY_MEMORY,
		    "out of memory") : 0;
	map_free(g.rows);
	if (rc == 0)
		count(r);
	return rc;
}

/* --- those that are not well ---------------------------------------------- */

/* place_of - senders before what they share */
static int
place_of(enum subject_kind kind)
{
	int i = 0;

	while (i < JUDGED && judged_kinds[i] != kind)
		i++;
	return i;
}

/* by_trouble - the worst first */
static int
by_trouble(const void *a, const void *b)
{
	const struct row *x = ((const struct wrong *)a)->row;
	const struct row *y = ((const struct wrong *)b)->row;
	const struct score *sx = &x->scored->score, *sy = &y->scored->score;

	if (sx->tier != sy->tier)
		return sx->tier > sy->tier ? -1 : 1;
	if (x->kind != y->kind)
		return place_of(x->kind) - place_of(y->kind);
	if (sx->total > sy->total || sx->total < sy->total)
		return sx->total > sy->total ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* find_wrong - all of them, sorted; the first are told */
static int
find_wrong(struct report *r)
{
	size_t most = 0;

	for (size_t k = 0; k < JUDGED; k++)
		most += r->rows[judged_kinds[k]].n;
	r->wrong = arena_array(r->arena, most + 1, sizeof(*r->wrong));
	if (r->wrong == NULL)
		return -1;
	for (size_t k = 0; k < JUDGED; k++) {
		const struct rows *rows = &r->rows[judged_kinds[k]];

		for (size_t i = 0; i < rows->n; i++)
			if (rows->list[i].scored != NULL &&
			    rows->list[i].scored->score.tier >= TIER_WATCH)
				r->wrong[r->wrongs++].row = &rows->list[i];
	}
	qsort(r->wrong, r->wrongs, sizeof(*r->wrong), by_trouble);
	r->nwrong = r->wrongs < REPORT_WRONG ? r->wrongs : REPORT_WRONG;
	return 0;
}

/* say - each signal that has points, in a sentence */
static int
say(struct report *r, struct wrong *w)
{
	const struct scored *s = w->row->scored;
	struct buf b = BUF_INIT;
	int rc = 0;

	for (int i = 0; i < SIGNALS && rc == 0; i++) {
		buf_reset(&b);
		score_say(&s->in, &s->score, (enum signal)i, &b);
		if (b.len > 0)
			w->said[i] = arena_copy(r->arena, buf_slice(&b));
		if (buf_failed(&b) || (b.len > 0 && w->said[i].p == NULL))
			rc = -1;
	}
	buf_free(&b);
	return rc;
}

/* tells - may a report with a scope have it?  Not what is about neighbours. */
static bool
tells(const struct report *r, const struct advice *a)
{
	return !report_scoped(r) || a->what != ADVICE_REASSIGN;
}

/* advised - one piece of advice, to whom it is about */
static bool
advised(void *with, const struct advice *a)
{
	struct reading *g = with;
	struct report *r = g->m->r;

	for (size_t i = 0; i < r->nwrong; i++) {
		struct wrong *w = &r->wrong[i];
		struct advice *copy;

		if (w->row->kind != a->kind || w->nadvice == ADVICE_KINDS ||
		    !tells(r, a) ||
		    a->day != w->row->scored->in.day ||
		    !slice_eq(w->row->name, a->name))
			continue;
		if ((copy = arena_alloc(r->arena, sizeof(*copy))) != NULL) {
			*copy = *a;
			copy->object = arena_copy(r->arena, a->object);
			copy->text = arena_copy(r->arena, a->text);
		}
		if (copy == NULL || copy->object.p == NULL ||
		    copy->text.p == NULL) {
			g->failed = true;
			return false;
		}
		copy->name = w->row->name;
		w->advice[w->nadvice++] = copy;
	}
	return true;
}

/* --- a year --------------------------------------------------------------- */

/* take_week - of one subject */
static bool
take_week(void *with, const struct scored *s)
{
	struct reading *g = with;
	int32_t ago = weeks_ago(g->m->r, s->in.day);

	if (ago >= 0 && ago < REPORT_WEEKS)
		g->strip->weeks[REPORT_WEEKS - 1 - ago] = week_of(s);
	return true;
}

/* weeks_of - a year; with a scope, of what others might have used before, no
 * more than was looked at */
static int32_t
weeks_of(const struct report *r, const struct row *row)
{
	bool own = row->kind == SUBJECT_TENANT ||
	    row->kind == SUBJECT_STREAM || row->kind == SUBJECT_GROUP;

	return own || !report_scoped(r) ? REPORT_WEEKS : REPORT_SPARK;
}

/* year - of a row that has a score; once */
static int
year(struct making *m, const struct row *row)
{
	struct report *r = m->r;
	struct reading g = { .m = m };

	if (row->scored == NULL || r->nstrips == REPORT_STRIPS)
		return 0;
	for (size_t i = 0; i < r->nstrips; i++)
		if (r->strips[i].row == row)
			return 0;
	g.strip = &r->strips[r->nstrips++];
	g.strip->row = row;
	return scores_each(m->in->watch, r->knots, row->kind, row->name,
	    r->judged - 7 * (weeks_of(r, row) - 1), r->judged + 1, take_week,
	    &g, m->why);
}

/* years - of those that are not well, then of addresses, then of tenants */
static int
years(struct making *m)
{
	static const enum subject_kind kinds[] = { SUBJECT_ADDRESS,
	    SUBJECT_POOL, SUBJECT_TENANT };
	struct report *r = m->r;

	r->strips = arena_array(r->arena, REPORT_STRIPS, sizeof(*r->strips));
	if (r->strips == NULL)
		return why_kind(m->why, WHY_MEMORY, "out of memory");
	for (size_t i = 0; i < r->nwrong; i++)
		if (year(m, r->wrong[i].row) == -1)
			return -1;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (size_t i = 0; i < r->rows[kinds[k]].shown; i++)
			if (year(m, &r->rows[kinds[k]].list[i]) == -1)
				return -1;
	return 0;
}

/* report_wrong - who is not well, why, and since when */
int
report_wrong(struct making *m)
{
	struct report *r = m->r;
	struct reading g = { .m = m };

	if (find_wrong(r) == -1)
		return why_kind(m->why, WHY_MEMORY, "out of memory");
	for (size_t i = 0; i < r->nwrong; i++)
		if (say(r, &r->wrong[i]) == -1)
			return why_kind(m->why, WHY_MEMORY, "out of memory");
	if (r->nwrong > 0 && advice_each(m->in->watch, r->judged - 7,
	    r->judged + 1, advised, &g, m->why) == -1)
		return -1;
	if (g.failed)
		return why_kind(m->why, WHY_MEMORY, "out of memory");
	return years(m);
}
