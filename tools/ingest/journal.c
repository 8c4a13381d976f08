/*
 * journal - entries of one unit, by the journal's own cursor.
 *
 * SYSLOG_IDENTIFIER is what Postfix calls itself ("postfix/smtp"), and the
 * time is the one at which the journal got the entry: the order of the log.
 */
#include "tools/ingest/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-journal.h>

#include "reputation/logline.h"

struct journal {
	sd_journal	*j;
	char		*unit;
	struct buf	 tag, message;
	bool		 taken;
	bool		 here;		/* it stands on one not taken yet */
};

/* failed - the sentence for an error of the library */
static int
failed(struct why *why, const char *unit, const char *what, int rc)
{
	return why_set(why, "the journal of %s: cannot %s: %s", unit, what,
	    strerror(-rc));
}

/* seek - behind the cursor, or to the end */
static int
seek(struct journal *g, struct slice cursor, struct why *why)
{
	char *text;
	int rc;

	if (cursor.p == NULL) {
		if ((rc = sd_journal_seek_tail(g->j)) < 0 ||
		    (rc = sd_journal_previous(g->j)) < 0)
			return failed(why, g->unit, "go to its end", rc);
		g->taken = rc > 0;
		return 0;
	}
	if ((text = strndup(cursor.p, cursor.n)) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a cursor");
	rc = sd_journal_seek_cursor(g->j, text);
	if (rc >= 0 && (rc = sd_journal_next(g->j)) >= 0 &&
	    sd_journal_test_cursor(g->j, text) <= 0 && rc > 0)
		/* that entry is gone: this one is the first behind it, and
		 * there may be none to go back to */
		g->here = true;
	free(text);
	return rc < 0 ? failed(why, g->unit, "find the last entry", rc) : 0;
}

/* journal_open - one unit */
int
journal_open(struct journal **out, const char *folder, const char *unit,
    struct slice cursor, struct why *why)
{
	struct journal *g = calloc(1, sizeof(*g));
	char match[300];
	int rc;

	*out = NULL;
	if (g == NULL || (g->unit = strdup(unit)) == NULL) {
		free(g);
		return why_kind(why, WHY_MEMORY, "no memory for a journal");
	}
	snprintf(match, sizeof(match), "_SYSTEMD_UNIT=%s", unit);
	rc = folder[0] == '\0' ? sd_journal_open(&g->j,
	    SD_JOURNAL_LOCAL_ONLY) : sd_journal_open_directory(&g->j, folder,
	    0);
	if (rc < 0 || (rc = sd_journal_add_match(g->j, match, 0)) < 0) {
		failed(why, unit, "open it (group systemd-journal?)", rc);
		journal_close(g);
		return -1;
	}
	/* without it the library never looks for files that come later: after
	 * journald has begun a new one there would be nothing any more */
	if ((rc = sd_journal_get_fd(g->j)) < 0) {
		failed(why, unit, "watch it", rc);
		journal_close(g);
		return -1;
	}
	(void)sd_journal_set_data_threshold(g->j, LOGLINE_MAX);
	if (seek(g, cursor, why) == -1) {
		journal_close(g);
		return -1;
	}
	*out = g;
	return 0;
}

/* journal_close - NULL is allowed */
void
journal_close(struct journal *g)
{
	if (g == NULL)
		return;
	if (g->j != NULL)
		sd_journal_close(g->j);
	buf_free(&g->tag);
	buf_free(&g->message);
	free(g->unit);
	free(g);
}

/* field - of the entry, copied: the library reuses its memory */
static struct slice
field(struct journal *g, const char *name, struct buf *b)
{
	const void *data;
	size_t n, skip = strlen(name) + 1;

	buf_reset(b);
	if (sd_journal_get_data(g->j, name, &data, &n) < 0 || n < skip)
		return SLICE("");
	buf_add(b, (const char *)data + skip, n - skip);
	return buf_slice(b);
}

/* journal_next - one entry */
int
journal_next(struct journal *g, struct slice *tag, struct slice *message,
    int64_t *time, struct why *why)
{
	uint64_t us;
	int rc = 1;

	(void)sd_journal_process(g->j);		/* files that came or went */
	if (!g->here && (rc = sd_journal_next(g->j)) < 0)
		return failed(why, g->unit, "read it", rc);
	if (!g->here && rc == 0)
		return 0;
	g->here = false;
	if ((rc = sd_journal_get_realtime_usec(g->j, &us)) < 0)
		return failed(why, g->unit, "tell the time of an entry", rc);
	g->taken = true;
	*time = (int64_t)us;
	*tag = field(g, "SYSLOG_IDENTIFIER", &g->tag);
	*message = field(g, "MESSAGE", &g->message);
	return 1;
}

/* journal_cursor - of the entry it stands on */
bool
journal_cursor(struct journal *g, struct buf *b)
{
	char *text = NULL;

	if (!g->taken || sd_journal_get_cursor(g->j, &text) < 0)
		return false;
	buf_str(b, text);
	free(text);
	return true;
}
