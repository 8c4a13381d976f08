/*
 * store_watch - see store_watch.h.
 *
 * Cells come in the order of their keys, so two dumps of stores that were made
 * of the same events are the same text.
 */
#include "tools/store_watch.h"

#include <inttypes.h>

#include "lib/clock.h"
#include "reputation/rollup.h"

/* A walk over all that the rollup wrote. */
struct walk {
	FILE		*out;		/* NULL: only counted */
	struct buf	 b;
	const char	*record;	/* "hour", "day" */
	int64_t		 unit;		/* us */
	uint64_t	 hours, days, categories;	/* the last of both */
	bool		 bad;		/* it could not be written */
};

/* open_watch - it must be there */
static int
open_watch(struct db **db, const char *dir, struct why *why)
{
	int got = watch_open_read(db, dir, why);

	return got == 0 ? why_set(why, "%s: no store there yet", dir) :
	    got == -1 ? -1 : 0;
}

/* store_watch_places - how far it has come */
int
store_watch_places(const char *dir, uint64_t at[2], struct why *why)
{
	struct db *db = NULL;
	int rc = open_watch(&db, dir, why);

	if (rc == 0)
		rc = rollup_places(db, &at[0], &at[1], why);
	db_close(db);
	return rc;
}

/* flush - a line; false: that was the last one */
static bool
flush(struct walk *w)
{
	w->bad |= buf_failed(&w->b) || fwrite(w->b.data, 1, w->b.len,
	    w->out) != w->b.len;
	buf_reset(&w->b);
	return !w->bad;
}

/* see - a cell */
static bool
see(void *with, const struct cell *c)
{
	struct walk *w = with;
	struct buf *b = &w->b;

	if (w->unit == CLOCK_HOUR)
		w->hours++;
	else
		w->days++;
	if (w->out == NULL)
		return true;
	buf_printf(b, "{\"record\":\"%s\",\"time\":\"", w->record);
	event_time(c->at * w->unit, b);
	buf_str(b, "\",");
	buf_json_member(b, "group", c->group);
	buf_json_member(b, "tenant", c->tenant);
	buf_json_member(b, "domain", c->domain);
	buf_json_member(b, "stream", c->stream);
	buf_json_member(b, "pool", c->pool);
	buf_json_member(b, "address", c->address);
	buf_json_member(b, "provider", c->provider);
	for (size_t i = 0; i < TALLIES; i++)
		if (c->n[i] > 0)
			buf_printf(b, "\"%s\":%" PRIu64 ",", tally_names[i],
			    c->n[i]);
	if (b->len > 0)
		b->len--;		/* the last comma */
	buf_str(b, "}\n");
	return flush(w);
}

/* see_category - the same */
static bool
see_category(void *with, const struct category_cell *c)
{
	struct walk *w = with;
	struct buf *b = &w->b;

	w->categories++;
	if (w->out == NULL)
		return true;
	buf_printf(b, "{\"record\":\"%s\",\"time\":\"", w->record);
	event_time(c->at * w->unit, b);
	buf_str(b, "\",");
	buf_json_member(b, "group", c->group);
	buf_json_member(b, "tenant", c->tenant);
	buf_json_member(b, "pool", c->pool);
	buf_json_member(b, "address", c->address);
	buf_json_member(b, "provider", c->provider);
	buf_json_member(b, "kind", c->kind);
	buf_json_member(b, "category", c->category);
	buf_printf(b, "\"count\":%" PRIu64 ",\"last_outcome\":%" PRIu64
	    "}\n", c->count, c->last);
	return flush(w);
}

/* walk_all - hours, days, categories of both */
static int
walk_all(struct walk *w, struct db *db, struct why *why)
{
	w->record = "hour";
	w->unit = CLOCK_HOUR;
	if (rollup_each(db, GRAIN_HOUR, 0, INT32_MAX, see, w, why) == -1)
		return -1;
	w->record = "category_hour";
	if (rollup_categories(db, GRAIN_HOUR, 0, INT32_MAX, see_category, w,
	    why) == -1)
		return -1;
	w->record = "day";
	w->unit = CLOCK_DAY;
	if (rollup_each(db, GRAIN_DAY, 0, INT32_MAX, see, w, why) == -1)
		return -1;
	w->record = "category";
	if (rollup_categories(db, GRAIN_DAY, 0, INT32_MAX, see_category, w,
	    why) == -1)
		return -1;
	return w->bad ? why_set(why, "cannot write") : 0;
}

/* store_watch_verify - by the reader that everybody uses */
int
store_watch_verify(const char *dir, struct buf *said, struct why *why)
{
	struct walk w = { .out = NULL };
	uint64_t at[2] = { 0, 0 };
	struct db *db = NULL;
	int rc = -1;

	if (db_verify(dir, NULL, why) == -1 || open_watch(&db, dir,
	    why) == -1)
		return -1;
	if (walk_all(&w, db, why) == 0 && rollup_places(db, &at[0], &at[1],
	    why) == 0) {
		buf_printf(said, "%" PRIu64 " cells of an hour, %" PRIu64
		    " of a day, %" PRIu64 " categories, counted up to event "
		    "%" PRIu64 " and outcome %" PRIu64, w.hours, w.days,
		    w.categories, at[0], at[1]);
		rc = 0;
	}
	db_close(db);
	return rc;
}

/* store_watch_dump - JSON lines */
int
store_watch_dump(const char *dir, FILE *out, struct why *why)
{
	struct walk w = { .out = out, .b = BUF_INIT };
	uint64_t at[2] = { 0, 0 };
	struct db *db = NULL;
	int rc = -1;

	if (open_watch(&db, dir, why) == -1)
		return -1;
	if (rollup_places(db, &at[0], &at[1], why) == 0) {
		buf_printf(&w.b, "{\"record\":\"store\",\"kind\":\"watch\","
		    "\"format\":%u,\"last_event\":%" PRIu64
		    ",\"last_outcome\":%" PRIu64 "}\n", watch_layout.version,
		    at[0], at[1]);
		if (flush(&w))
			rc = walk_all(&w, db, why);
		else
			why_set(why, "cannot write");
	}
	if (rc == 0 && fflush(out) != 0)
		rc = why_errno(why, "cannot write");
	db_close(db);
	buf_free(&w.b);
	return rc;
}
