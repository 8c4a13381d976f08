/*
 * csv - rows as RFC 4180 has them and as programs write them, in pieces of any
 * size; and the dates of other houses' lists.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "tools/suppress_row.h"

struct source {
	const char	*p;
	size_t		 n, piece;
	bool		 fails;		/* at the end */
};

/* give - the next piece, as read(2) */
static ssize_t
give(void *with, void *room, size_t n)
{
	struct source *s = with;

	if (s->n == 0 && s->fails) {
		errno = EIO;
		return -1;
	}
	n = n < s->piece ? n : s->piece;
	n = n < s->n ? n : s->n;
	if (n > 0)
		memcpy(room, s->p, n);
	s->p += n;
	s->n -= n;
	return (ssize_t)n;
}

/* shown - all rows as text: fields in [], errors in (), rows by their line */
static void
shown(struct slice in, size_t piece, char *out, size_t room)
{
	struct source s = { in.p, in.n, piece, false };
	struct csv *c = csv_new(give, &s);
	struct csv_row row;
	struct why why;
	size_t n = 0;
	int rc;

	assert_non_null(c);
	out[0] = '\0';
	while ((rc = csv_next(c, &row, &why)) == 1) {
		n += (size_t)snprintf(out + n, room - n, "%d", (int)row.line);
		if (row.error != NULL)
			n += (size_t)snprintf(out + n, room - n, "(%s)",
			    row.error);
		for (size_t i = 0; row.error == NULL && i < row.n; i++)
			n += (size_t)snprintf(out + n, room - n, "[%.*s]",
			    SLICE_ARG(row.field[i]));
		assert_true(n < room);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(csv_bytes(c), in.n);
	csv_free(c);
}

static const struct { const char *name, *text, *want; } cases[] = {
	{ "nothing", "", "" },
	{ "blank lines", "\n\r\n\n", "" },
	{ "two rows", "a,b\nc,d\n", "1[a][b]2[c][d]" },
	{ "CR LF, and no end", "a,b\r\nc,d", "1[a][b]2[c][d]" },
	{ "empty fields", ",\n,,x\n", "1[][]2[][][x]" },
	{ "a blank line between", "a\n\nb\n", "1[a]3[b]" },
	{ "a byte order mark", "\xef\xbb\xbf" "a,b\n", "1[a][b]" },
	{ "a mark in the middle is text", "a\n\xef\xbb\xbf" "b\n", "1[a]2[\xef\xbb\xbf" "b]" },
	{ "quotes", "\"a\",\"b,c\",\"d\"\"e\"\n", "1[a][b,c][d\"e]" },
	{ "an empty field in quotes alone", "\"\"\na\n", "1[]2[a]" },
	{ "line ends in quotes", "\"a\nb\r\nc\",d\ne\n", "1[a\nb\r\nc][d]4[e]" },
	{ "a quote inside a field is text", "a\"b,c\n", "1[a\"b][c]" },
	{ "CR inside a field is text", "a\rb,c\r\n", "1[a\rb][c]" },
	{ "blanks are text", " a , b \n", "1[ a ][ b ]" },
	{ "text behind a quote", "\"a\"b,c\nd\n", "1(text behind a closing quote)2[d]" },
	{ "a quote that is not closed", "a\n\"b,c\nd\n", "1[a]2(a quote is not closed)" },
};

static void
rows_are_read_in_pieces_of_any_size(void **state)
{
	char out[512];
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t piece = 1; piece < 20; piece++) {
			shown(slice_of(cases[i].text), piece, out,
			    sizeof(out));
			if (strcmp(out, cases[i].want) == 0)
				continue;
			print_error("%s, %zu bytes at a time: got %s, want "
			    "%s\n", cases[i].name, piece, out, cases[i].want);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

static void
reading_goes_on_behind_what_is_too_much(void **state)
{
	char *big = malloc(3 * CSV_ROW);
	char out[512];
	size_t n = 0;

	(void)state;
	assert_non_null(big);
	memset(big, 'x', CSV_ROW + 1);
	memcpy(big + CSV_ROW + 1, "\nb\n", 3);
	shown((struct slice){ big, CSV_ROW + 4 }, 4096, out, sizeof(out));
	assert_string_equal(out,
	    "1(the row is too long, or a quote is not closed)2[b]");
	for (int i = 0; i < CSV_FIELDS; i++)
		big[n++] = ',';
	memcpy(big + n, "\nb\n", 3);
	shown((struct slice){ big, n + 3 }, 7, out, sizeof(out));
	assert_string_equal(out, "1(the row has too many fields)2[b]");
	shown((struct slice){ "a\0b\nc\n", 6 }, 2, out, sizeof(out));
	assert_string_equal(out, "1(the row has a NUL in it)2[c]");
	free(big);
}

static void
a_file_that_cannot_be_read_is_no_end(void **state)
{
	struct source s = { "a\nb", 3, 2, true };
	struct csv *c = csv_new(give, &s);
	struct csv_row row;
	struct why why;

	(void)state;
	assert_non_null(c);
	assert_int_equal(csv_next(c, &row, &why), 1);
	assert_int_equal(csv_next(c, &row, &why), -1);
	assert_non_null(strstr(why.text, "Input/output"));
	csv_free(c);
}

static const struct { const char *text, *want; } dates[] = {
	{ "1443651125", "2015-09-30T22:12:05Z" },
	{ "1443651125123", "2015-09-30T22:12:05.123000Z" },
	{ "0", "1970-01-01T00:00:00Z" },
	{ " 2015-09-30T22:12:05Z ", "2015-09-30T22:12:05Z" },
	{ "2015-09-30", "2015-09-30T00:00:00Z" },
	{ "2015-09-30 22:12", "2015-09-30T22:12:00Z" },
	{ "2015-09-30 22:12:05 UTC", "2015-09-30T22:12:05Z" },
	{ "2015-09-30 22:12:05 +0000 UTC", "2015-09-30T22:12:05Z" },
	{ "2015-10-01T00:12:05.000001+02:00", "2015-09-30T22:12:05.000001Z" },
	{ "2015-09-30T22:12:05.1234567Z", "2015-09-30T22:12:05.123456Z" },
	{ "Wed, 30 Sep 2015 22:12:05 GMT", "2015-09-30T22:12:05Z" },
	{ "30 sep 2015 17:12 -0500", "2015-09-30T22:12:00Z" },
	{ "1 Jan 1970", "1970-01-01T00:00:00Z" },
	{ "2016-02-29", "2016-02-29T00:00:00Z" },
	{ "2015-02-29", NULL }, { "2015-13-01", NULL }, { "2015-09-31", NULL },
	{ "2015-09-30T24:00:00Z", NULL }, { "2015-09-30T22:60Z", NULL },
	{ "2015-09-30T22:12:05X", NULL }, { "2015-09-30T22:12:05.Z", NULL },
	{ "2015-09-30T", NULL }, { "15-09-30", NULL }, { "yesterday", NULL },
	{ "1969-12-31", NULL }, { "99999999999999", NULL }, { "", NULL },
	{ "-1", NULL }, { "30 Foo 2015", NULL }, { "30", "1970-01-01T00:00:30Z" },
	{ "2015-09-30T22:12:05+15:00", NULL }, { "3 days ago", NULL },
};

static void
dates_of_other_houses(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		const char *want = dates[i].want;
		char out[40] = "";
		struct why why;
		int64_t us;
		int rc = row_date(slice_of(dates[i].text), &us, &why);

		if (rc == 0)
			row_print_date(us, out);
		if (rc == (want == NULL ? -1 : 0) && (want == NULL ||
		    strcmp(out, want) == 0))
			continue;
		print_error("%s: got %d %s, want %s\n", dates[i].text, rc,
		    out, want != NULL ? want : "refused");
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_read_in_pieces_of_any_size),
		cmocka_unit_test(reading_goes_on_behind_what_is_too_much),
		cmocka_unit_test(a_file_that_cannot_be_read_is_no_end),
		cmocka_unit_test(dates_of_other_houses),
	};

	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
