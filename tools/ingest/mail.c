/*
 * mail - GMime, held at arm's length.
 *
 * GMime's parser makes an object per header field and per part, so its memory
 * is a multiple of what stands in the message: five million lines "a:" would
 * be more than a gigabyte.  So the message is cut at a number of lines before
 * GMime sees it, and refused when it consists of boundaries.  What is cut off
 * is the tail of the returned message in all reports that we know.
 *
 * Nesting: the parser recurses; its own limit is 1,024 levels, which fits in
 * the stack of a thread as we make it (LMTP_STACK).  We look no deeper than
 * MAIL_DEPTH.
 *
 * A text/rfc822-headers part is a message part for GMime, of which only the
 * head is used.  The message inside is written out from its own bytes.
 */
#include "tools/ingest/mail.h"

#include <stdint.h>

#include <gmime/gmime.h>

#include "tools/ingest/fields.h"

struct reader {
	struct mail	*mail;
	struct arena	*arena;
	bool		 failed;
};

/* mail_init - GMime's tables */
void
mail_init(void)
{
	static bool done;

	if (!done)
		g_mime_init();
	done = true;
}

/* lower - a copy in lower case */
static struct slice
lower(struct slice s, struct arena *arena)
{
	char *out = arena_alloc(arena, s.n + 1);

	if (out == NULL)
		return SLICE_NONE;
	for (size_t i = 0; i < s.n; i++)
		out[i] = (char)g_ascii_tolower(s.p[i]);
	return (struct slice){ out, s.n };
}

/* bounded - the head of the message that is looked at; -1: made to hurt */
static int
bounded(struct slice *raw, bool *cut, struct why *why)
{
	size_t lines = 0, boundaries = 0, i;
	size_t n = raw->n < MAIL_BYTES ? raw->n : MAIL_BYTES, line = 0;
	char before = '\n';

	for (i = 0; i < n; i++) {
		char c = raw->p[i];

		if ((c == '\n' && ++lines >= MAIL_LINES) ||
		    ++line > MAIL_LINE)
			break;
		if (c == '\n')
			line = 0;
		if (before == '\n' && c == '-' && i + 1 < n &&
		    raw->p[i + 1] == '-' && ++boundaries > MAIL_BOUNDARIES)
			return why_set(why, "the message has more than %u "
			    "lines that begin with \"--\"", MAIL_BOUNDARIES);
		before = c;
	}
	*cut = i < raw->n;
	raw->n = i;
	return 0;
}

/* type_of - "text/plain" */
static struct slice
type_of(GMimeObject *object, struct arena *arena)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	char *text = type != NULL ? g_mime_content_type_get_mime_type(type) :
	    NULL;
	struct slice made = lower(slice_of(text != NULL ? text :
	    "application/octet-stream"), arena);

	g_free(text);
	return made;
}

/* name_of - the file name, by the disposition or by the type */
static struct slice
name_of(GMimeObject *object, struct arena *arena)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	const char *name = GMIME_IS_PART(object) ?
	    g_mime_part_get_filename(GMIME_PART(object)) : NULL;

	if (name == NULL && type != NULL)
		name = g_mime_content_type_get_parameter(type, "name");
	return arena_copy(arena, slice_of(name != NULL ? name : ""));
}

/* stream_bytes - what a stream in memory holds, copied */
static struct slice
stream_bytes(GMimeStream *stream, struct arena *arena)
{
	GByteArray *array = g_mime_stream_mem_get_byte_array(
	    GMIME_STREAM_MEM(stream));

	return arena_copy(arena, (struct slice){
	    array->len > 0 ? (const char *)array->data : "", array->len });
}

/* content_of - of a leaf: decoded, text as UTF-8 */
static struct slice
content_of(GMimePart *part, bool text, struct arena *arena)
{
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GMimeStream *mem, *filtered;
	GMimeFilter *filter = NULL;
	const char *charset;
	struct slice made;

	if (content == NULL)
		return SLICE("");
	mem = g_mime_stream_mem_new();
	filtered = g_mime_stream_filter_new(mem);
	charset = text ? g_mime_object_get_content_type_parameter(
	    GMIME_OBJECT(part), "charset") : NULL;
	if (charset != NULL && g_ascii_strcasecmp(charset, "utf-8") != 0 &&
	    g_ascii_strcasecmp(charset, "us-ascii") != 0)
		filter = g_mime_filter_charset_new(charset, "utf-8");
	if (filter != NULL) {
		g_mime_stream_filter_add(GMIME_STREAM_FILTER(filtered),
		    filter);
		g_object_unref(filter);
	}
	g_mime_data_wrapper_write_to_stream(content, filtered);
	g_mime_stream_flush(filtered);
	made = stream_bytes(mem, arena);
	g_object_unref(filtered);
	g_object_unref(mem);
	return made;
}

/* message_of - a message inside of this one, as it was written */
static struct slice
message_of(GMimeMessagePart *part, struct arena *arena)
{
	GMimeMessage *message = g_mime_message_part_get_message(part);
	GMimeStream *mem;
	struct slice made;

	if (message == NULL)
		return SLICE("");
	mem = g_mime_stream_mem_new();
	g_mime_object_write_to_stream(GMIME_OBJECT(message), NULL, mem);
	made = stream_bytes(mem, arena);
	g_object_unref(mem);
	return made;
}

/* add_part - one leaf */
static void
add_part(struct reader *r, GMimeObject *object)
{
	struct mail *m = r->mail;
	struct mail_part *part;

	if (m->nparts == MAIL_PARTS) {
		m->cut = true;
		return;
	}
	part = &m->parts[m->nparts++];
	part->type = type_of(object, r->arena);
	part->name = name_of(object, r->arena);
	if (GMIME_IS_MESSAGE_PART(object)) {
		part->text = true;
		part->body = message_of(GMIME_MESSAGE_PART(object), r->arena);
	} else if (GMIME_IS_PART(object)) {
		part->text = text_begins(part->type, "text/") ||
		    text_begins(part->type, "message/");
		part->body = content_of(GMIME_PART(object), part->text,
		    r->arena);
	} else {
		part->body = SLICE("");
	}
	if (part->text && part->body.p != NULL)
		part->body = fields_lf(part->body, r->arena);
	if (part->type.p == NULL || part->name.p == NULL ||
	    part->body.p == NULL)
		r->failed = true;
}

/* walk - into multiparts, down to MAIL_DEPTH */
static void
walk(struct reader *r, GMimeObject *object, unsigned depth)
{
	GMimeMultipart *multi;
	int n;

	if (object == NULL || r->failed)
		return;
	if (!GMIME_IS_MULTIPART(object)) {
		add_part(r, object);
		return;
	}
	if (depth >= MAIL_DEPTH) {
		r->mail->cut = true;
		return;
	}
	multi = GMIME_MULTIPART(object);
	n = g_mime_multipart_get_count(multi);
	for (int i = 0; i < n && r->mail->nparts < MAIL_PARTS; i++)
		walk(r, g_mime_multipart_get_part(multi, i), depth + 1);
}

/* head_of - the header of the whole, with LF ends */
static struct slice
head_of(struct slice raw, struct arena *arena)
{
	struct slice rest = raw, line;
	size_t n = raw.n;

	while (line_next(&rest, &line))
		if (line.n == 0 || (line.n == 1 && line.p[0] == '\r')) {
			n = (size_t)(line.p - raw.p);
			break;
		}
	return fields_lf((struct slice){ raw.p, n }, arena);
}

/* describe - the whole: its type and its subject */
static void
describe(struct reader *r, GMimeMessage *message)
{
	GMimeObject *top = g_mime_message_get_mime_part(message);
	const char *type = top == NULL ? NULL :
	    g_mime_object_get_content_type_parameter(top, "report-type");
	const char *subject = g_mime_message_get_subject(message);
	struct mail *m = r->mail;

	m->type = top != NULL ? type_of(top, r->arena) : SLICE("text/plain");
	m->report_type = lower(slice_of(type != NULL ? type : ""), r->arena);
	m->subject = field_flat(slice_cut(slice_of(subject != NULL ? subject :
	    ""), MAIL_SUBJECT), r->arena);
	if (m->type.p == NULL || m->report_type.p == NULL ||
	    m->subject.p == NULL)
		r->failed = true;
}

/* parse - GMime's part of the work; NULL: it is no message */
static GMimeMessage *
parse(struct slice raw)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(raw.p, raw.n);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message;

	g_object_unref(stream);
	g_mime_parser_set_format(parser, GMIME_FORMAT_MESSAGE);
	message = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	return message;
}

/* empty - nothing in it: a boundary that never comes, for example */
static bool
empty(const struct mail *m)
{
	for (size_t i = 0; i < m->nparts; i++)
		if (slice_trim(m->parts[i].body).n > 0)
			return false;
	return true;
}

/* whole_text - what is behind the header as one text, whatever it said */
static int
whole_text(struct mail *m, struct slice raw, struct arena *arena,
    struct why *why)
{
	struct slice body = fields_lf(raw, arena);

	if (body.p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a message");
	if (m->head.n < body.n)
		body = slice_from(body, m->head.n);
	m->parts[0] = (struct mail_part){ .type = SLICE("text/plain"),
	    .name = SLICE(""), .text = true, .body = body };
	m->nparts = 1;
	return 0;
}

/* mail_read - cut, parse, flatten */
int
mail_read(struct slice raw, struct arena *arena, struct mail *out,
    struct why *why)
{
	struct reader r = { out, arena, false };
	GMimeMessage *message;

	*out = (struct mail){ .subject = SLICE("") };
	if (bounded(&raw, &out->cut, why) == -1)
		return -1;
	out->head = head_of(raw, arena);
	out->parts = arena_array(arena, MAIL_PARTS, sizeof(*out->parts));
	if (out->head.p == NULL || out->parts == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a message");
	out->from = text_address(field_find(out->head, "From", arena));
	if ((message = parse(raw)) == NULL) {
		/* no header at all: the whole is text */
		out->type = SLICE("text/plain");
		out->report_type = SLICE("");
		return whole_text(out, raw, arena, why);
	}
	describe(&r, message);
	walk(&r, g_mime_message_get_mime_part(message), 0);
	g_object_unref(message);
	if (!r.failed && empty(out))
		return whole_text(out, raw, arena, why);
	if (r.failed)
		return why_kind(why, WHY_MEMORY, "no memory for a message");
	return 0;
}

/* mail_part - by its type */
const struct mail_part *
mail_part(const struct mail *m, const char *type)
{
	for (size_t i = 0; i < m->nparts; i++)
		if (slice_is(m->parts[i].type, type))
			return &m->parts[i];
	return NULL;
}

/* mail_text - plain before HTML; a whole without a type is plain */
struct slice
mail_text(const struct mail *m)
{
	const struct mail_part *part = mail_part(m, "text/plain");

	if (part == NULL)
		part = mail_part(m, "text/html");
	return part != NULL ? part->body : SLICE_NONE;
}
