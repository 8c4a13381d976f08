/*
 * snapshot_text - figures, days and names as consoles of others write them.
 *
 * Nothing here fails aloud: what is no number, day or address is answered with
 * false, and the importer says of which row.
 */
#include "reputation/snapshot_in.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

#include <arpa/inet.h>

#include "lib/date.h"
#include "lib/text.h"

/* snapshot_text - controls and what is no UTF-8 become '?' */
struct slice
snapshot_text(struct arena *arena, struct slice s, size_t most)
{
	char *out, *p;
	size_t i = 0;

	s = slice_trim(s);
	if ((out = p = arena_alloc(arena, (s.n < most ? s.n : most) + 1)) ==
	    NULL)
		return SLICE_NONE;
	while (i < s.n) {
		size_t n = text_utf8(s.p + i, s.n - i);
		bool odd = n == 0 || (unsigned char)s.p[i] < ' ' ||
		    s.p[i] == 0x7f || (n == 2 && s.p[i] == '\xc2' &&
		    (unsigned char)s.p[i + 1] < 0xa0);

		if ((size_t)(p - out) + (odd ? 1 : n) > most)
			break;
		if (odd)
			*p++ = '?';
		else
			memcpy(p, s.p + i, n), p += n;
		i += n == 0 ? 1 : n;
	}
	return (struct slice){ out, (size_t)(p - out) };
}

/* snapshot_number - no hex, no "nan", no blanks */
bool
snapshot_number(struct slice s, double *out)
{
	char room[40], *end;

	s = slice_trim(s);
	if (s.n == 0 || s.n >= sizeof(room))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\0' || strchr("0123456789.eE+-", s.p[i]) == NULL)
			return false;
	memcpy(room, s.p, s.n);
	room[s.n] = '\0';
	*out = strtod(room, &end);
	return *end == '\0' && isfinite(*out);
}

/* snapshot_address - as inet_ntop writes it */
bool
snapshot_address(struct slice s, char out[64])
{
	unsigned char bytes[16];
	char room[64];

	s = slice_trim(s);
	if (s.n == 0 || s.n >= sizeof(room) || memchr(s.p, '\0', s.n) != NULL)
		return false;
	memcpy(room, s.p, s.n);
	room[s.n] = '\0';
	if (inet_pton(AF_INET, room, bytes) == 1)
		return inet_ntop(AF_INET, bytes, out, 64) != NULL;
	return inet_pton(AF_INET6, room, bytes) == 1 &&
	    inet_ntop(AF_INET6, bytes, out, 64) != NULL;
}

/* snapshot_domain - letters, digits, hyphens, dots */
bool
snapshot_domain(struct slice s, char out[256])
{
	s = slice_trim(s);
	if (s.n > 0 && s.p[s.n - 1] == '.')
		s.n--;
	if (s.n == 0 || s.n > 253 || s.p[0] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (!(isalnum(c) || c == '-' || c == '_' || (c == '.' &&
		    s.p[i - 1] != '.')))
			return false;
		out[i] = (char)tolower(c);
	}
	out[s.n] = '\0';
	return true;
}

/* digits - of that many at most, cut from the front */
static bool
digits(struct slice *s, size_t least, size_t most, int *out)
{
	size_t n = 0;

	*out = 0;
	while (n < s->n && n < most && isdigit((unsigned char)s->p[n]))
		*out = *out * 10 + (s->p[n++] - '0');
	*s = slice_from(*s, n);
	return n >= least;
}

/* skip - one of these characters */
static bool
skip(struct slice *s, const char *any)
{
	if (s->n == 0 || s->p[0] == '\0' || strchr(any, s->p[0]) == NULL)
		return false;
	*s = slice_from(*s, 1);
	return true;
}

/* a_time - 21:00, 21:00:00.123, 9:00 PM, and a zone that is UTC's, or none */
static bool
a_time(struct slice s)
{
	int hour, minute, second = 0, fraction;

	if (!digits(&s, 1, 2, &hour) || !skip(&s, ":") ||
	    !digits(&s, 2, 2, &minute))
		return false;
	if (skip(&s, ":") && (!digits(&s, 2, 2, &second) || (skip(&s, ".") &&
	    !digits(&s, 1, 9, &fraction))))
		return false;
	s = slice_trim(s);
	if (slice_case_eq(s, SLICE("AM")) || slice_case_eq(s, SLICE("PM")))
		return hour >= 1 && hour <= 12 && minute < 60 && second <= 60;
	return (s.n == 0 || slice_is(s, "Z") || slice_is(s, "UTC") ||
	    slice_is(s, "+00:00")) && hour < 24 && minute < 60 && second <= 60;
}

/* snapshot_day - a time does not move it: what has no zone is read as UTC */
bool
snapshot_day(struct slice s, int32_t *out)
{
	int year, month, day;
	struct slice at = slice_trim(s);

	if (digits(&at, 4, 4, &year) && skip(&at, "-")) {
		if (!digits(&at, 2, 2, &month) || !skip(&at, "-") ||
		    !digits(&at, 2, 2, &day))
			return false;
	} else if (at = slice_trim(s), at.n == 8 &&
	    digits(&at, 4, 4, &year) && digits(&at, 2, 2, &month) &&
	    digits(&at, 2, 2, &day)) {
		/* 20260803 */
	} else {
		at = slice_trim(s);
		if (!digits(&at, 1, 2, &month) || !skip(&at, "/") ||
		    !digits(&at, 1, 2, &day) || !skip(&at, "/") ||
		    !digits(&at, 4, 4, &year))
			return false;
	}
	if (!date_exists(year, month, day) || year < 2000 || year > 2200)
		return false;
	if (at.n > 0 && (!skip(&at, " T") || !a_time(at)))
		return false;
	*out = (int32_t)date_days(year, month, day);
	return true;
}

/* snapshot_name - lower case; a capital behind a small one begins a word */
void
snapshot_name(struct slice s, char *out, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && n + 2 < room; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool small = i > 0 && (islower((unsigned char)s.p[i - 1]) ||
		    isdigit((unsigned char)s.p[i - 1]));

		if (isupper(c) && small && n > 0 && out[n - 1] != '_')
			out[n++] = '_';
		if (isalnum(c))
			out[n++] = (char)tolower(c);
		else if (n > 0 && out[n - 1] != '_')
			out[n++] = '_';
	}
	while (n > 0 && out[n - 1] == '_')
		n--;
	out[n] = '\0';
}

/* has - that word, in any case, in the first bytes */
static bool
has(struct slice s, const char *word)
{
	size_t n = strlen(word), most = s.n < 2000 ? s.n : 2000;

	for (size_t i = 0; i + n <= most; i++)
		if (strncasecmp(s.p + i, word, n) == 0)
			return true;
	return false;
}

/* snapshot_is_html - by its head */
bool
snapshot_is_html(struct slice s)
{
	s = slice_trim(s);
	if (s.n >= 3 && memcmp(s.p, "\xef\xbb\xbf", 3) == 0)
		s = slice_trim(slice_from(s, 3));
	return s.n > 0 && s.p[0] == '<' && (has(s, "<!doctype") ||
	    has(s, "<html") || has(s, "<head") || has(s, "<body"));
}

/* snapshot_denied - as such sentences go */
bool
snapshot_denied(struct slice s)
{
	static const char *const words[] = { "denied", "unauthorized",
		"not authorized", "unauthenticated", "invalid key",
		"invalid_grant", "key is invalid", "key has expired",
		"expired", "forbidden", "sign in", "log in" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (has(s, words[i]))
			return true;
	return false;
}

/* snapshot_give - what csv reads */
ssize_t
snapshot_give(void *with, void *room, size_t n)
{
	struct snapshot_bytes *b = with;

	n = n < b->rest.n ? n : b->rest.n;
	if (n > 0)
		memcpy(room, b->rest.p, n);
	b->rest = slice_from(b->rest, n);
	return (ssize_t)n;
}
