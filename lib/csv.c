/*
 * csv - a machine of five states over a buffer.
 *
 * A row's text is collected without its quotes; fields are offsets into it
 * until the row ends.  An error is kept and the rest of the line passed over: a
 * quote that is never closed would else swallow the file, so a row has a bound.
 */
#include "lib/csv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT = 1 << 18, BOM = 3 };
enum state { STATE_FIELD, STATE_TEXT, STATE_QUOTED, STATE_CLOSED,
	STATE_SKIP };

struct csv {
	ssize_t		(*read)(void *, void *, size_t);
	void		*with;
	char		*input;
	size_t		 at, have;
	uint64_t	 line, bytes;
	bool		 begun, ended;
	char		 comma;
	size_t		 n, start;	/* of text; where the field began */
	char		 text[CSV_ROW];
};

/* csv_new - nothing is read yet */
struct csv *
csv_new(ssize_t (*reader)(void *, void *, size_t), void *with)
{
	struct csv *c = calloc(1, sizeof(*c));

	if (c == NULL || (c->input = malloc(INPUT)) == NULL) {
		free(c);
		return NULL;
	}
	c->read = reader;
	c->with = with;
	c->line = 1;
	c->comma = ',';
	return c;
}

/* csv_parted_by - of lists that are no RFC 4180 in this */
void
csv_parted_by(struct csv *c, char comma)
{
	c->comma = comma;
}

/* csv_free - NULL is allowed */
void
csv_free(struct csv *c)
{
	if (c == NULL)
		return;
	free(c->input);
	free(c);
}

/* csv_bytes - for a progress bar */
uint64_t
csv_bytes(const struct csv *c)
{
	return c->bytes - (c->have - c->at);
}

/* fill - one read behind what there is; -1 with errno */
static int
fill(struct csv *c)
{
	ssize_t got;

	do
		got = c->read(c->with, c->input + c->have, INPUT - c->have);
	while (got == -1 && errno == EINTR);
	if (got == -1)
		return -1;
	c->have += (size_t)got;
	c->bytes += (size_t)got;
	c->ended = got == 0;
	return 0;
}

/* more - input, when there is none; fetch */
static int
more(struct csv *c, struct why *why)
{
	if (c->at < c->have)
		return 1;
	c->at = c->have = 0;
	do {
		if (!c->ended && fill(c) == -1)
			return why_errno(why, "cannot read");
	} while (!c->begun && !c->ended && c->have < BOM);
	if (!c->begun && c->have >= BOM && memcmp(c->input, "\xef\xbb\xbf",
	    BOM) == 0)
		c->at = BOM;
	c->begun = true;
	return c->at < c->have ? 1 : c->ended ? 0 : more(c, why);
}

/* keep - a byte of the field */
static void
keep(struct csv *c, struct csv_row *row, char ch)
{
	if (c->n == CSV_ROW)
		row->error = "the row is too long, or a quote is not closed";
	else
		c->text[c->n++] = ch;
}

/* field - it ends here */
static void
field(struct csv *c, struct csv_row *row)
{
	if (row->n == CSV_FIELDS) {
		row->error = "the row has too many fields";
		return;
	}
	row->field[row->n++] = (struct slice){ c->text + c->start,
	    c->n - c->start };
	c->start = c->n;
}

/* eat - one byte; false: the row ends with it */
static bool
eat(struct csv *c, struct csv_row *row, enum state *state, char ch)
{
	if (ch == '\n')
		c->line++;
	if (ch == '\0')
		row->error = "the row has a NUL in it";
	if (row->error != NULL)
		*state = STATE_SKIP;
	switch (*state) {
	case STATE_SKIP:
		return ch != '\n';
	case STATE_QUOTED:
		if (ch == '"')
			*state = STATE_CLOSED;
		else
			keep(c, row, ch);
		return true;
	case STATE_FIELD:
		if (ch == '"') {
			*state = STATE_QUOTED;
			return true;
		}
		break;
	case STATE_CLOSED:
		if (ch == '"') {
			keep(c, row, ch);
			*state = STATE_QUOTED;
			return true;
		}
		if (ch != c->comma && ch != '\n' && ch != '\r') {
			row->error = "text behind a closing quote";
			return true;
		}
		break;
	case STATE_TEXT:
		break;
	}
	if (ch == '\n')
		return false;
	if (ch == c->comma) {
		field(c, row);
		*state = STATE_FIELD;
	} else if (ch != '\r' || *state == STATE_TEXT) {
		/* the CR of CR LF is taken off at the end of the row */
		keep(c, row, ch);
		*state = STATE_TEXT;
	}
	return true;
}

/* finish - the last field; false: the line was blank */
static bool
finish(struct csv *c, struct csv_row *row, enum state state)
{
	if (row->error != NULL)
		return true;
	if (state == STATE_QUOTED) {
		row->error = "a quote is not closed";
		return true;
	}
	if (state == STATE_TEXT && c->n > c->start &&
	    c->text[c->n - 1] == '\r')
		c->n--;
	if (row->n == 0 && c->n == 0 && state != STATE_CLOSED)
		return false;
	field(c, row);
	return true;
}

/* csv_next - the next row that is not blank */
int
csv_next(struct csv *c, struct csv_row *row, struct why *why)
{
	enum state state;
	int got;

	do {
		state = STATE_FIELD;
		c->n = c->start = 0;
		row->n = 0;
		row->error = NULL;
		row->line = c->line;
		if ((got = more(c, why)) != 1)
			return got;
		while (got == 1 && eat(c, row, &state, c->input[c->at++]))
			got = more(c, why);
		if (got == -1)
			return -1;
	} while (!finish(c, row, state));
	return 1;
}

/* csv_put - RFC 4180, section 2 */
void
csv_put(struct buf *out, struct slice text, bool first)
{
	bool quote = false;

	if (!first)
		buf_char(out, ',');
	for (size_t i = 0; i < text.n; i++)
		quote = quote || strchr(",\"\r\n", text.p[i]) != NULL;
	if (!quote) {
		buf_slices(out, text);
		return;
	}
	buf_char(out, '"');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"')
			buf_char(out, '"');
		buf_char(out, text.p[i]);
	}
	buf_char(out, '"');
}
