/*
 * snapshot_snds - Microsoft SNDS, in the shapes it had and has.
 *
 *	data, old	CSV without a header, 14 columns: address, activity
 *			start, end, RCPT commands, DATA commands, recipients,
 *			filter result, complaint rate, trap period start, end,
 *			trap hits, sample HELO, sample MAIL FROM, comments
 *	status, old	CSV without a header: first address, last, Yes or No,
 *			reason
 *	both, new	CSV with a header, or JSON: a list of objects, bare or
 *			in value, items, data or results
 *
 * Columns of a header, and keys, are known by their letters alone, whatever
 * stands between them.  What parts columns is that of comma, semicolon and tab
 * which the first line has most of.
 */
#include "reputation/snapshot_in.h"

#include <ctype.h>
#include <stdio.h>

enum { OLD_DATA = 14, OLD_STATUS = 4 };

/* What a column may be called, in small letters and digits. */
static const struct { const char *name; enum snds_field field; } names[] = {
	{ "ip", SNDS_ADDRESS }, { "ipaddress", SNDS_ADDRESS },
	{ "address", SNDS_ADDRESS }, { "beginningipaddress", SNDS_ADDRESS },
	{ "beginningip", SNDS_ADDRESS }, { "startip", SNDS_ADDRESS },
	{ "startipaddress", SNDS_ADDRESS }, { "firstip", SNDS_ADDRESS },
	{ "endingipaddress", SNDS_LAST }, { "endingip", SNDS_LAST },
	{ "endip", SNDS_LAST }, { "endipaddress", SNDS_LAST },
	{ "lastip", SNDS_LAST },
	{ "activitystart", SNDS_START }, { "activityperiodstart", SNDS_START },
	{ "activityend", SNDS_END }, { "activityperiodend", SNDS_END },
	{ "activityperiod", SNDS_PERIOD }, { "date", SNDS_PERIOD },
	{ "activitydate", SNDS_PERIOD },
	{ "rcptcommands", SNDS_RCPT }, { "rcpt", SNDS_RCPT },
	{ "datacommands", SNDS_DATA }, { "data", SNDS_DATA },
	{ "messagerecipients", SNDS_MESSAGES }, { "recipients", SNDS_MESSAGES },
	{ "filterresult", SNDS_RESULT }, { "overallstatus", SNDS_RESULT },
	{ "filterresultoverallstatus", SNDS_RESULT }, { "status", SNDS_RESULT },
	{ "complaintrate", SNDS_COMPLAINTS },
	{ "traphits", SNDS_TRAPS }, { "trapmessagehits", SNDS_TRAPS },
	{ "trapmessageperiod", SNDS_IGNORED },
	{ "trapmessagestart", SNDS_IGNORED },
	{ "trapmessageend", SNDS_IGNORED },
	{ "samplehelo", SNDS_HELO }, { "helo", SNDS_HELO },
	{ "jmrp1sender", SNDS_SENDER }, { "jmrpp1sender", SNDS_SENDER },
	{ "samplemailfrom", SNDS_SENDER }, { "mailfrom", SNDS_SENDER },
	{ "comments", SNDS_COMMENTS }, { "comment", SNDS_COMMENTS },
	{ "blocked", SNDS_BLOCKED }, { "islisted", SNDS_BLOCKED },
	{ "blockedislisted", SNDS_BLOCKED }, { "isblocked", SNDS_BLOCKED },
	{ "listed", SNDS_BLOCKED },
	{ "reason", SNDS_REASON }, { "details", SNDS_REASON },
};

static const enum snds_field old_data[OLD_DATA] = { SNDS_ADDRESS, SNDS_START,
	SNDS_END, SNDS_RCPT, SNDS_DATA, SNDS_MESSAGES, SNDS_RESULT,
	SNDS_COMPLAINTS, SNDS_IGNORED, SNDS_IGNORED, SNDS_TRAPS, SNDS_HELO,
	SNDS_SENDER, SNDS_COMMENTS };
static const enum snds_field old_status[OLD_STATUS] = { SNDS_ADDRESS,
	SNDS_LAST, SNDS_BLOCKED, SNDS_REASON };

/* field_of - SNDS_FIELDS: no name of a column */
static enum snds_field
field_of(struct slice text)
{
	char name[64];
	size_t n = 0;

	for (size_t i = 0; i < text.n && n + 1 < sizeof(name); i++)
		if (isalnum((unsigned char)text.p[i]))
			name[n++] = (char)tolower((unsigned char)text.p[i]);
	name[n] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i].name) == 0)
			return names[i].field;
	return SNDS_FIELDS;
}

/* --- JSON ----------------------------------------------------------------- */

/* cell - a value as a cell of a table has it */
static struct slice
cell(struct snapshot_set *set, const struct jval *v)
{
	char *made = NULL;
	double x;
	int64_t whole;

	switch (jval_kind(v)) {
	case JVAL_TEXT:
		return jval_text(v);
	case JVAL_BOOL:
		return jval_true(v) ? SLICE("Yes") : SLICE("No");
	case JVAL_NUMBER:
		if (jval_whole(v, &whole))
			made = arena_printf(set->arena, "%lld",
			    (long long)whole);
		else if (jval_number(v, &x))
			made = arena_printf(set->arena, "%.12g", x);
		if (made == NULL)
			set->failed = true;
		return made != NULL ? slice_of(made) : SLICE("");
	case JVAL_OBJECT:		/* a period of two ends */
		made = arena_printf(set->arena, "%.*s - %.*s",
		    SLICE_ARG(jval_text(jval_get(v, "start"))),
		    SLICE_ARG(jval_text(jval_get(v, "end"))));
		return made != NULL ? slice_of(made) : SLICE("");
	default:
		return SLICE("");
	}
}

/* object - one address */
static void
object(struct snapshot_set *set, const struct jval *v)
{
	struct snds_row row = { 0 };
	const struct jval *value;
	void *at = NULL;
	struct slice key;
	size_t known = 0;

	while (jval_each(v, &at, &key, &value)) {
		enum snds_field f = field_of(key);

		if (f == SNDS_FIELDS || row.f[f].p != NULL)
			continue;
		row.f[f] = cell(set, value);
		known++;
	}
	if (known == 0)
		snapshot_whole(set, SNAPSHOT_API_ERROR, "an entry without a "
		    "key that is known");
	else
		snapshot_snds_row(set, &row);
}

/* refusal - {"error": ...}, {"message": ...} */
static bool
refusal(struct snapshot_set *set, const struct jval *v)
{
	static const char *const keys[] = { "error", "message", "title" };
	const struct jval *one = NULL, *inner;
	struct slice said;
	int64_t code = 0;

	for (size_t i = 0; i < 3 && one == NULL; i++)
		one = jval_get(v, keys[i]);
	if (one == NULL)
		return false;
	said = jval_text(one);
	if ((inner = jval_get(one, "message")) != NULL)
		said = jval_text(inner);
	if (!jval_whole(jval_get(v, "status"), &code))
		(void)jval_whole(jval_get(one, "code"), &code);
	snapshot_whole(set, code == 401 || code == 403 ||
	    snapshot_denied(said) ? SNAPSHOT_NOT_AUTHORIZED :
	    SNAPSHOT_API_ERROR, "Microsoft says: %.*s", (int)(said.n < 300 ?
	    said.n : 300), said.p != NULL ? said.p : "");
	return true;
}

/* document - a list of objects, wrapped or not */
static void
document(struct snapshot_set *set, const struct jval *v)
{
	static const char *const keys[] = { "value", "items", "data",
		"results" };
	const struct jval *list = NULL;

	for (size_t i = 0; i < 4 && jval_kind(v) == JVAL_OBJECT; i++)
		if (jval_kind(jval_get(v, keys[i])) == JVAL_LIST)
			list = jval_get(v, keys[i]);
	if (list == NULL && jval_kind(v) == JVAL_LIST)
		list = v;
	if (list == NULL) {
		if (!refusal(set, v))
			snapshot_whole(set, SNAPSHOT_API_ERROR, "JSON, but no "
			    "answer of SNDS that is known");
		return;
	}
	for (size_t i = 0; i < jval_count(list) && !set->failed; i++)
		if (jval_kind(jval_at(list, i)) == JVAL_OBJECT)
			object(set, jval_at(list, i));
		else
			snapshot_whole(set, SNAPSHOT_API_ERROR, "a list of "
			    "something else than objects");
}

/* json - all documents of it */
static void
json(struct snapshot_set *set, struct slice bytes)
{
	struct jdoc *doc = NULL;
	struct why why;
	int got;

	while ((got = jdoc_next(&bytes, &doc, &why)) == 1) {
		document(set, jdoc_root(doc));
		jdoc_free(doc);
	}
	if (got == -1 && why.kind == WHY_MEMORY)
		set->failed = true;
	else if (got == -1)
		snapshot_whole(set, SNAPSHOT_API_ERROR, "no JSON, or half of "
		    "it: %s", why.text);
}

/* --- CSV ------------------------------------------------------------------ */

struct shape {
	enum snds_field	 field[CSV_FIELDS];
	size_t		 n;		/* columns */
	bool		 exact;		/* rows have as many */
};

/* parting - the byte of the three that the first line has most of */
static char
parting(struct slice s)
{
	static const char bytes[] = ",;\t";
	size_t count[3] = { 0, 0, 0 }, best = 0;
	bool quoted = false;

	for (size_t i = 0; i < s.n && (quoted || s.p[i] != '\n'); i++) {
		if (s.p[i] == '"')
			quoted = !quoted;
		for (size_t k = 0; k < 3 && !quoted; k++)
			count[k] += s.p[i] == bytes[k];
	}
	for (size_t k = 1; k < 3; k++)
		if (count[k] > count[best])
			best = k;
	return bytes[best];
}

/* shape_of - by the first row; 1 it is a header, 0 it is a row already, -1 it
 * is nothing of SNDS */
static int
shape_of(const struct csv_row *row, struct shape *s)
{
	const enum snds_field *old = NULL;
	char address[64];
	size_t known = 0;

	*s = (struct shape){ .n = row->n };
	for (size_t i = 0; i < row->n; i++) {
		s->field[i] = field_of(row->field[i]);
		known += s->field[i] != SNDS_FIELDS;
	}
	if (known >= 2) {
		for (size_t i = 0; i < row->n; i++)
			if (s->field[i] == SNDS_ADDRESS)
				return 1;
		return -1;
	}
	if (!snapshot_address(row->field[0], address))
		return -1;
	if (row->n == OLD_DATA)
		old = old_data;
	else if (row->n == OLD_STATUS && snapshot_address(row->field[1],
	    address))
		old = old_status;
	if (old == NULL)
		return -1;
	memcpy(s->field, old, row->n * sizeof(*old));
	s->exact = true;
	return 0;
}

/* strange - what came is no table of ours */
static void
strange(struct snapshot_set *set, const struct csv_row *row)
{
	struct slice said = row->n > 0 ? row->field[0] : SLICE("");

	if (snapshot_denied(said))
		snapshot_whole(set, SNAPSHOT_NOT_AUTHORIZED,
		    "Microsoft says: %.*s", (int)(said.n < 300 ? said.n :
		    300), said.p);
	else
		snapshot_whole(set, SNAPSHOT_API_ERROR, "line %llu: no header "
		    "of SNDS, and not its %d columns either",
		    (unsigned long long)row->line, OLD_DATA);
}

/* one - a row of a table */
static void
one(struct snapshot_set *set, const struct shape *shape,
    const struct csv_row *row)
{
	struct snds_row r = { 0 };

	if (row->error != NULL || (shape->exact ? row->n != shape->n :
	    row->n > shape->n)) {
		snapshot_whole(set, SNAPSHOT_API_ERROR, "line %llu: %s",
		    (unsigned long long)row->line, row->error != NULL ?
		    row->error : "another number of columns");
		return;
	}
	for (size_t i = 0; i < row->n; i++)
		if (shape->field[i] != SNDS_FIELDS &&
		    r.f[shape->field[i]].p == NULL)
			r.f[shape->field[i]] = row->field[i];
	snapshot_snds_row(set, &r);
}

/* table - every row */
static void
table(struct snapshot_set *set, struct slice bytes)
{
	struct snapshot_bytes from = { bytes };
	struct csv *c = csv_new(snapshot_give, &from);
	struct shape shape;
	struct csv_row row;
	struct why why;
	int got;

	if (c == NULL) {
		set->failed = true;
		return;
	}
	csv_parted_by(c, parting(bytes));
	if ((got = csv_next(c, &row, &why)) == 1) {
		int kind = row.error == NULL ? shape_of(&row, &shape) : -1;

		if (kind == -1)
			strange(set, &row);
		for (got = kind == 1 ? csv_next(c, &row, &why) : kind == 0;
		    got == 1 && !set->failed; got = csv_next(c, &row, &why))
			one(set, &shape, &row);
	}
	csv_free(c);
}

/* snapshot_snds - by the first byte */
void
snapshot_snds(struct snapshot_set *set, struct slice bytes)
{
	struct slice s = slice_trim(bytes);

	if (s.n >= 3 && memcmp(s.p, "\xef\xbb\xbf", 3) == 0)
		s = slice_trim(slice_from(s, 3));
	if (s.n > 0 && (s.p[0] == '{' || s.p[0] == '['))
		json(set, s);
	else
		table(set, s);
}
