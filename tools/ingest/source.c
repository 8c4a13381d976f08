/*
 * source - a log, from its lines to committed outcomes.
 *
 * The order matters: lines are read first, then events of the gate; a line is
 * joined when all events are that it may be about, by its time.  The gate
 * commits an event before Postfix hears "yes", so the event of every line that
 * was read is there; and event and lines of a message are mostly met in one
 * transaction, which then has its row to write once.
 *
 * A log that cannot be read (no permission, a folder in its place, a damaged
 * disk) is said once and asked again every turn: its neighbours and the mails
 * that report do not wait for it.
 *
 * A commit holds some thousand rows.  One that finds no room on disk is undone
 * and the log is read again from the cursor in the store: the follower must
 * not be ahead of it.
 */
#include "tools/ingest/ingest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "tools/ingest/follow.h"
#include "tools/ingest/journal.h"

#define TURN	(200 * INT64_C(1000))	/* us that one log may take */
enum { EVENTS = 500 };

struct source {
	struct ingest	*in;
	char		*name;		/* of its cursor */
	char		*path;		/* NULL: a journal */
	char		*unit;
	bool		 once;
	struct why	 unread;	/* why it cannot be; "": it can */
	struct follow	*follow;
	struct journal	*journal;
	struct source_stat stat;
	struct buf	 cursor, stored;
	struct buf	 joined;	/* journal: behind the last one joined */
};

/* source_new - nothing open */
static struct source *
source_new(struct ingest *in, const char *kind, const char *name,
    struct why *why)
{
	struct source *s = calloc(1, sizeof(*s));

	if (s == NULL || asprintf(&s->name, "%s:%s", kind, name) == -1) {
		free(s);
		why_kind(why, WHY_MEMORY, "no memory for a log");
		return NULL;
	}
	s->in = in;
	return s;
}

/* source_free - NULL is allowed */
void
source_free(struct source *s)
{
	if (s == NULL)
		return;
	follow_close(s->follow);
	journal_close(s->journal);
	buf_free(&s->cursor);
	buf_free(&s->stored);
	buf_free(&s->joined);
	free(s->name);
	free(s->path);
	free(s->unit);
	free(s);
}

/* source_name - "file:/var/log/mail.log" */
const char *
source_name(const struct source *s)
{
	return s->name;
}

/* reopen - where the store says */
static int
reopen(struct source *s, struct why *why)
{
	struct arena *arena = arena_new(1024, 0);
	struct slice cursor = SLICE_NONE;
	int rc;

	follow_close(s->follow);
	journal_close(s->journal);
	s->follow = NULL;
	s->journal = NULL;
	buf_reset(&s->joined);
	buf_reset(&s->stored);
	if (arena == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a cursor");
	rc = outcomes_cursor(s->in->outcomes, slice_of(s->name), arena,
	    &cursor, why);
	if (rc != -1)
		rc = s->path != NULL ?
		    follow_open(&s->follow, s->path, cursor, why) :
		    journal_open(&s->journal,
		    s->in->config->ingest.journal_folder, s->unit, cursor,
		    why);
	arena_free(arena);
	return rc;
}

/* source_file - a log that grows */
int
source_file(struct source **out, struct ingest *in, const char *path,
    struct why *why)
{
	struct source *s = source_new(in, "file", path, why);

	*out = NULL;
	if (s == NULL)
		return -1;
	if ((s->path = strdup(path)) == NULL) {
		why_kind(why, WHY_MEMORY, "no memory for a log");
		goto fail;
	}
	if (reopen(s, why) == -1)
		goto fail;
	*out = s;
	return 0;
fail:
	source_free(s);
	return -1;
}

/* source_journal - of a unit */
int
source_journal(struct source **out, struct ingest *in, const char *unit,
    struct why *why)
{
	struct source *s = source_new(in, "journal", unit, why);

	*out = NULL;
	if (s == NULL)
		return -1;
	if ((s->unit = strdup(unit)) == NULL) {
		why_kind(why, WHY_MEMORY, "no memory for a journal");
		goto fail;
	}
	if (reopen(s, why) == -1)
		goto fail;
	*out = s;
	return 0;
fail:
	source_free(s);
	return -1;
}

/* source_once - a file to its end */
int
source_once(struct source **out, struct ingest *in, const char *path,
    struct why *why)
{
	struct source *s = source_new(in, "once", path, why);

	*out = NULL;
	if (s == NULL)
		return -1;
	s->once = true;
	if (follow_once(&s->follow, path, why) == -1) {
		source_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

/* --- a turn -------------------------------------------------------------- */

/* commit - outcomes, counters and cursor. Action; WHY_NOROOM: undone. */
static int
commit(struct source *s, struct why *why)
{
	struct ingest *in = s->in;
	struct slice cursor = buf_slice(&s->joined);

	if (s->follow != NULL) {
		buf_reset(&s->cursor);
		(void)follow_cursor(s->follow, &s->cursor);
		cursor = buf_slice(&s->cursor);
	}
	/* an idle log costs no write */
	if (!s->once && cursor.n > 0 &&
	    !slice_eq(cursor, buf_slice(&s->stored)) &&
	    outcomes_put_cursor(in->outcomes, slice_of(s->name), cursor,
	    why) == -1)
		return -1;
	if (join_flush(in->join, why) == -1 ||
	    outcomes_commit(in->outcomes, why) == -1)
		return -1;
	buf_reset(&s->stored);
	buf_slices(&s->stored, cursor);
	return 0;
}

/* turn - commit and go on */
static int
turn(struct source *s, struct why *why)
{
	return commit(s, why) == -1 ||
	    outcomes_begin(s->in->outcomes, why) == -1 ? -1 : 0;
}

/* catch_up - events up to that moment, in transactions of a bounded size */
static int
catch_up(struct source *s, int64_t time, struct why *why)
{
	struct ingest *in = s->in;
	size_t got = EVENTS;

	while (got == EVENTS) {
		if (join_events(in->join, in->gate, time, EVENTS, &got,
		    why) == -1)
			return -1;
		if (outcomes_pending(in->outcomes) >= OUTCOMES_BATCH &&
		    turn(s, why) == -1)
			return -1;
	}
	return 0;
}

/* one - of the log */
static int
one(struct source *s, struct slice raw, const struct logline *l,
    struct why *why)
{
	if (l->time > s->stat.time)
		s->stat.time = l->time;
	s->stat.lines++;
	s->stat.total += raw.n + 1;
	if (join_needs(l) && catch_up(s, l->time, why) == -1)
		return -1;
	if (join_line(s->in->join, s->in->gate, l, raw, why) == -1)
		return -1;
	if (s->journal != NULL) {
		buf_reset(&s->joined);
		(void)journal_cursor(s->journal, &s->joined);
	}
	return outcomes_pending(s->in->outcomes) >= OUTCOMES_BATCH ?
	    turn(s, why) : 0;
}

/* lines - those that were read */
static int
lines(struct source *s, struct why *why)
{
	struct slice raw;
	struct logline l;

	s->in->clock.now = follow_now(s->follow);
	s->in->clock.minute[0] = '\0';
	while (follow_line(s->follow, &raw)) {
		if (raw.n == 0)
			continue;
		if (!logline_parse(raw, &s->in->clock, &l))
			l.time = s->in->clock.now;
		if (one(s, raw, &l, why) == -1)
			return -1;
	}
	return 0;
}

/* entries - some of a journal: read first, like lines */
static int
entries(struct source *s, struct why *why)
{
	struct slice tag, message;
	struct logline l;
	int64_t time;
	int got = 1;

	for (int i = 0; got == 1 && i < EVENTS; i++) {
		if ((got = journal_next(s->journal, &tag, &message, &time,
		    why)) != 1)
			break;
		join_look(s->in->join);
		logline_message(tag, message, time, &l);
		if (one(s, message, &l, why) == -1)
			return -1;
	}
	return got;
}

/* unreadable - said once. Fetch: 0, what was joined so far counts. */
static int
unreadable(struct source *s, const struct why *why)
{
	if (s->once)
		return -1;
	if (s->unread.text[0] == '\0')
		log_error("%s: %s; trying again", s->name, why->text);
	s->unread = *why;
	return 0;
}

/* readable - again */
static void
readable(struct source *s)
{
	if (s->unread.text[0] != '\0')
		log_info("%s: it can be read again", s->name);
	s->unread.text[0] = '\0';
}

/* damaged - a rotated file that was left is on record like a line */
static int
damaged(struct source *s, struct why *why)
{
	struct slice text;

	return follow_damaged(s->follow, &text) == 0 ? 0 :
	    outcomes_strange(s->in->outcomes, "log", clock_wall(), text, why);
}

/* pump - the whole of a turn, in a transaction */
static int
pump(struct source *s, struct why *why)
{
	int64_t deadline = clock_mono() + TURN;
	int got;

	if (s->journal != NULL) {
		if ((got = entries(s, why)) == -1)
			return -1;
		goto rest;
	}
	do {
		if ((got = follow_fill(s->follow, why)) == -1) {
			if ((got = unreadable(s, why)) == -1)
				return -1;
			break;
		}
		readable(s);
		if (damaged(s, why) == -1)
			return -1;
		join_look(s->in->join);
		if (got == 1 && lines(s, why) == -1)
			return -1;
	} while (got == 1 && clock_mono() < deadline);
rest:
	/* reports are attributed by what is indexed; who reads one log only
	 * goes on with events where its lines are, which costs less */
	if ((!s->once || got == 0) && (join_look(s->in->join),
	    catch_up(s, JOIN_ALL, why)) == -1)
		return -1;
	return got;
}

/* start_again - behind a commit that was undone */
static int
start_again(struct source *s, struct why *why)
{
	outcomes_abort(s->in->outcomes);
	join_forget(s->in->join);
	if (s->once)
		return -1;
	return why->kind == WHY_NOROOM ? 0 : -1;
}

/* source_pump - one turn */
int
source_pump(struct source *s, struct why *why)
{
	struct ingest *in = s->in;
	struct why other;
	int got;

	if (ingest_gate(in, why) == -1)
		return -1;
	if (outcomes_begin(in->outcomes, why) == -1)
		got = -1;
	else if ((got = pump(s, why)) != -1 && commit(s, why) == -1)
		got = -1;
	if (got != -1) {
		if (in->no_room)
			log_info("there is room in the store again");
		in->no_room = false;
		return got;
	}
	if (start_again(s, why) == -1)
		return -1;
	if (!in->no_room)
		log_error("%s: waiting for room; the log is read on then",
		    why->text);
	in->no_room = true;
	if (reopen(s, &other) == -1) {
		*why = other;
		return -1;
	}
	return 0;
}

/* source_stat - where it stands */
void
source_stat(const struct source *s, struct source_stat *out)
{
	struct follow_stat st = { 0 };

	*out = s->stat;
	out->unread = s->unread.text;
	if (s->follow == NULL)
		return;
	follow_stat(s->follow, &st);
	out->bytes = st.packed > 0 ? st.packed : st.done;
	out->size = st.size;
	out->gaps = st.gaps;
	out->cut = st.cut;
}
