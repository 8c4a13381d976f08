/*
 * snapshot_snds_row - what a row of SNDS says of an address.
 *
 * Times come in the manner of the United States and without a zone; they are
 * read as UTC, and the note says so.  "< 0.1%" is not a value but a bound: the
 * row says so, too.  A colour that we do not know is an error and not green.
 */
#include "reputation/snapshot_in.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "lib/scan.h"

enum { RANGE_MOST = 256 };	/* addresses of a range that get rows */

struct about {
	const struct snds_row *row;
	const char	*type;		/* "address", "range" */
	struct slice	 subject;
	int32_t		 begin, end;
	bool		 dated;		/* the row said when */
};

/* add - a row about it */
static struct snapshot_item *
add(struct snapshot_set *set, const struct about *a, const char *metric)
{
	struct snapshot_item *item = snapshot_add(set, a->type, a->subject,
	    slice_of(metric));

	item->row.begin = a->begin;
	item->row.end = a->end;
	item->daily = a->dated && a->begin == a->end;
	return item;
}

/* count - of one of its columns; blank: no row */
static void
count(struct snapshot_set *set, const struct about *a, enum snds_field f,
    const char *metric)
{
	struct slice text = slice_trim(a->row->f[f]);
	struct snapshot_item *item;
	struct why why;
	int64_t n;

	if (text.n == 0)
		return;
	item = add(set, a, metric);
	item->row.unit = SLICE("count");
	if (scan_count(text, 0, INT64_C(1) << 50, &n, &why) == -1)
		snapshot_say(set, item, SNAPSHOT_API_ERROR, "%s", why.text);
	else
		snapshot_count(set, item, n);
}

/* result - the colour */
static void
result(struct snapshot_set *set, const struct about *a)
{
	static const char *const colours[] = { "GREEN", "YELLOW", "RED" };
	struct slice text = slice_trim(a->row->f[SNDS_RESULT]);
	struct slice said = a->row->f[SNDS_COMMENTS];
	bool hours = a->row->f[SNDS_START].n > 0;
	struct snapshot_item *item;
	char note[300];

	if (a->row->f[SNDS_RESULT].p == NULL)
		return;
	item = add(set, a, "filter_result");
	item->row.unit = SLICE("colour");
	if (text.n == 0) {
		snapshot_say(set, item, SNAPSHOT_NO_DATA, "no colour came");
		return;
	}
	for (size_t i = 0; i < 3; i++) {
		if (!slice_case_eq(text, slice_of(colours[i])))
			continue;
		snapshot_value(set, item, slice_of(colours[i]), "colour");
		(void)snprintf(note, sizeof(note), "%s%s%.*s", hours ?
		    "times have no zone and are read as UTC" : "", hours &&
		    said.n > 0 ? "; " : "", (int)(said.n < 200 ? said.n :
		    200), said.p != NULL ? said.p : "");
		snapshot_note(set, item, slice_of(note));
		return;
	}
	snapshot_say(set, item, SNAPSHOT_API_ERROR, "a colour that is not "
	    "known: %.*s", (int)(text.n < 60 ? text.n : 60), text.p);
}

/* complaints - "0.3%", or "< 0.1%" */
static void
complaints(struct snapshot_set *set, const struct about *a)
{
	struct slice text = slice_trim(a->row->f[SNDS_COMPLAINTS]);
	struct snapshot_item *item;
	bool upper = false;
	double x;

	if (text.n == 0)
		return;
	item = add(set, a, "complaint_rate");
	item->row.unit = SLICE("share");
	if (text.p[0] == '<') {
		upper = true;
		text = slice_trim(slice_from(text, 1));
	}
	if (text.n < 2 || text.p[text.n - 1] != '%' ||
	    !snapshot_number((struct slice){ text.p, text.n - 1 }, &x)) {
		snapshot_say(set, item, SNAPSHOT_API_ERROR, "a rate that is "
		    "not known: %.*s; expected a percentage", (int)(text.n <
		    60 ? text.n : 60), text.p);
		return;
	}
	snapshot_share(set, item, x / 100);
	if (item->row.state == SNAPSHOT_AVAILABLE)
		item->row.upper = upper;
}

/* blocked - of ipStatus */
static void
blocked(struct snapshot_set *set, const struct about *a)
{
	struct slice text = slice_trim(a->row->f[SNDS_BLOCKED]);
	struct snapshot_item *item;
	bool yes, no;

	if (a->row->f[SNDS_BLOCKED].p == NULL)
		return;
	yes = slice_case_eq(text, SLICE("yes")) ||
	    slice_case_eq(text, SLICE("true"));
	no = slice_case_eq(text, SLICE("no")) ||
	    slice_case_eq(text, SLICE("false"));
	item = add(set, a, "blocked");
	item->row.unit = SLICE("verdict");
	if (!yes && !no) {
		snapshot_say(set, item, SNAPSHOT_API_ERROR, "neither yes nor "
		    "no: %.*s", (int)(text.n < 60 ? text.n : 60),
		    text.p);
		return;
	}
	snapshot_value(set, item, yes ? SLICE("yes") : SLICE("no"),
	    "verdict");
	snapshot_note(set, item, a->row->f[SNDS_REASON]);
}

/* said - all that the row says of one subject */
static void
said(struct snapshot_set *set, const struct about *a)
{
	count(set, a, SNDS_RCPT, "rcpt_commands");
	count(set, a, SNDS_DATA, "data_commands");
	count(set, a, SNDS_MESSAGES, "message_recipients");
	result(set, a);
	complaints(set, a);
	count(set, a, SNDS_TRAPS, "trap_hits");
	blocked(set, a);
}

/* cut - "a - b", "a to b": the two sides */
static bool
cut(struct slice s, struct slice *head, struct slice *tail)
{
	static const char *const between[] = { " - ", " to ",
		" \xe2\x80\x93 " };

	for (size_t k = 0; k < 3; k++) {
		size_t n = strlen(between[k]);

		for (size_t i = 0; i + n <= s.n; i++) {
			if (memcmp(s.p + i, between[k], n) != 0)
				continue;
			*head = (struct slice){ s.p, i };
			*tail = slice_from(s, i + n);
			return true;
		}
	}
	return false;
}

/* period - of which days is it?  false: it says so, and cannot be read */
static bool
period(struct about *a)
{
	const struct snds_row *r = a->row;
	struct slice head = r->f[SNDS_START], tail = r->f[SNDS_END];

	if (head.n == 0 && !cut(r->f[SNDS_PERIOD], &head, &tail))
		head = r->f[SNDS_PERIOD];
	if (slice_trim(head).n == 0)
		return true;
	if (slice_trim(tail).n == 0)
		tail = head;
	a->dated = true;
	return snapshot_day(head, &a->begin) && snapshot_day(tail, &a->end) &&
	    a->begin <= a->end;
}

/* range - each of a few addresses; more stay a range */
static void
range(struct snapshot_set *set, struct about *a, const char *first,
    const char *last)
{
	struct in_addr low, high, at;
	char text[140];
	uint32_t i, n;

	if (strcmp(first, last) != 0 && inet_pton(AF_INET, first, &low) == 1 &&
	    inet_pton(AF_INET, last, &high) == 1 &&
	    ntohl(high.s_addr) >= ntohl(low.s_addr) &&
	    ntohl(high.s_addr) - ntohl(low.s_addr) < RANGE_MOST) {
		n = ntohl(high.s_addr) - ntohl(low.s_addr);
		for (i = 0; i <= n && !set->failed; i++) {
			at.s_addr = htonl(ntohl(low.s_addr) + i);
			a->subject = slice_of(inet_ntop(AF_INET, &at, text,
			    sizeof(text)));
			said(set, a);
		}
		return;
	}
	a->subject = slice_of(first);
	if (strcmp(first, last) != 0) {
		(void)snprintf(text, sizeof(text), "%s-%s", first, last);
		a->type = "range";
		a->subject = slice_of(text);
	}
	said(set, a);
}

/* snapshot_snds_row - one address, or a range of them */
void
snapshot_snds_row(struct snapshot_set *set, const struct snds_row *row)
{
	struct about a = { .row = row, .type = "address", .begin = set->day,
	    .end = set->day };
	struct slice first = row->f[SNDS_ADDRESS], last = row->f[SNDS_LAST];
	char low[64], high[64];

	if (!snapshot_address(first, low) || (slice_trim(last).n > 0 &&
	    !snapshot_address(last, high))) {
		snapshot_whole(set, SNAPSHOT_API_ERROR, "a row about %.*s, "
		    "which is no address", (int)(first.n < 60 ? first.n : 60),
		    first.p != NULL ? first.p : "nobody");
		return;
	}
	if (slice_trim(last).n == 0)
		(void)snprintf(high, sizeof(high), "%s", low);
	if (!period(&a)) {
		a.begin = a.end = set->day;
		a.dated = false;
		a.subject = slice_of(low);
		snapshot_say(set, add(set, &a, "filter_result"),
		    SNAPSHOT_API_ERROR, "its activity period cannot be read");
		return;
	}
	range(set, &a, low, high);
}
