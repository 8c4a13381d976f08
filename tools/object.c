/*
 * object - see object.h.
 */
#include "tools/object.h"

#include <inttypes.h>
#include <string.h>

#include "lib/date.h"
#include "lib/event.h"

/* object_sep - a comma, unless something has just begun */
void
object_sep(struct buf *b)
{
	if (b->len > 0 && strchr("{[:", b->data[b->len - 1]) == NULL)
		buf_char(b, ',');
}

/* object_name - of a member, whose value follows */
void
object_name(struct buf *b, const char *key)
{
	object_sep(b);
	buf_printf(b, "\"%s\":", key);
}

/* object_text - a string, or null where there is none */
void
object_text(struct buf *b, const char *key, struct slice s)
{
	object_name(b, key);
	if (s.n > 0)
		buf_json(b, s);
	else
		buf_str(b, "null");
}

/* object_number - a count */
void
object_number(struct buf *b, const char *key, uint64_t n)
{
	object_name(b, key);
	buf_printf(b, "%" PRIu64, n);
}

/* object_real - a share, a score, a z */
void
object_real(struct buf *b, const char *key, double d)
{
	object_name(b, key);
	buf_printf(b, "%.6g", d);
}

/* object_amount - what people count: not rounded to six digits */
void
object_amount(struct buf *b, const char *key, double d)
{
	object_name(b, key);
	buf_printf(b, "%.13g", d);
}

/* object_yes - true or false */
void
object_yes(struct buf *b, const char *key, bool is)
{
	object_name(b, key);
	buf_str(b, is ? "true" : "false");
}

/* object_date - "2026-11-24" */
void
object_date(struct buf *b, const char *key, int32_t days)
{
	int64_t year;
	int month, day;

	date_of(days, &year, &month, &day);
	object_name(b, key);
	buf_printf(b, "\"%04d-%02d-%02d\"", (int)year, month, day);
}

/* object_moment - RFC 3339, or null */
void
object_moment(struct buf *b, const char *key, int64_t us)
{
	object_name(b, key);
	if (us == 0) {
		buf_str(b, "null");
		return;
	}
	buf_char(b, '"');
	event_time(us, b);
	buf_char(b, '"');
}
