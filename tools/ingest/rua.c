/*
 * rua - expat, one element at a time.
 *
 * What is wanted stands at fixed places, so the parser keeps the path of the
 * element it is in, and a table says what the text there means.  A prefix of a
 * namespace is cut off: RFC 9990 has a namespace, RFC 7489 has none, and
 * reporters mix them.  Text is collected up to RUA_TEXT bytes; what is longer
 * is cut, so no value can cost memory.
 *
 * A document type is refused before it can declare an entity, so there is
 * nothing to expand; expat's own guard against expansion stands behind that.
 */
#include "tools/ingest/rua.h"

#include <expat.h>
#include <stdlib.h>

#include "tools/ingest/fields.h"
#include "tools/ingest/unpack.h"

#define PATH_MAX_BYTES	256
#define DEPTH_MAX	16
#define TOKEN_BYTES	(1 << 20)	/* of a name or an attribute */

enum place {
	P_ORG, P_ID, P_BEGIN, P_END, P_DOMAIN, P_POLICY, P_RECORD, P_SOURCE,
	P_COUNT, P_DISPOSITION, P_DKIM, P_SPF, P_FROM, P_SIGNER, P_RESULT,
	P_NOWHERE
};

static const struct {
	const char	*path;
	enum place	 place;
} places[] = {
	{ "feedback/report_metadata/org_name", P_ORG },
	{ "feedback/report_metadata/report_id", P_ID },
	{ "feedback/report_metadata/date_range/begin", P_BEGIN },
	{ "feedback/report_metadata/date_range/end", P_END },
	{ "feedback/policy_published/domain", P_DOMAIN },
	{ "feedback/policy_published/p", P_POLICY },
	{ "feedback/record", P_RECORD },
	{ "feedback/record/row/source_ip", P_SOURCE },
	{ "feedback/record/row/count", P_COUNT },
	{ "feedback/record/row/policy_evaluated/disposition", P_DISPOSITION },
	{ "feedback/record/row/policy_evaluated/dkim", P_DKIM },
	{ "feedback/record/row/policy_evaluated/spf", P_SPF },
	{ "feedback/record/identifiers/header_from", P_FROM },
	{ "feedback/record/auth_results/dkim/domain", P_SIGNER },
	{ "feedback/record/auth_results/dkim/result", P_RESULT },
};

struct reader {
	XML_Parser	 parser;
	struct arena	*arena;
	struct rua	*rua;
	struct rua_record one;
	bool		 signer_passed;
	struct slice	 signer;	/* of the signature at hand */
	size_t		 room;
	char		 path[PATH_MAX_BYTES];
	size_t		 ends[DEPTH_MAX + 1];	/* of the path, by depth */
	unsigned	 depth;
	char		 text[RUA_TEXT];
	size_t		 text_len;
	int64_t		 fed;		/* bytes that the parser got */
	bool		 bad;
	struct why	 why;
};

/* stop - this is no report */
static void
stop(struct reader *r, const char *text)
{
	if (!r->bad)
		why_set(&r->why, "%s", text);
	r->bad = true;
	XML_StopParser(r->parser, XML_FALSE);
}

/* where - the place of the element at hand */
static enum place
where(const struct reader *r)
{
	struct slice path = { r->path, r->ends[r->depth] };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (slice_is(path, places[i].path))
			return places[i].place;
	return P_NOWHERE;
}

/* begin - deeper by one */
static void
begin(void *data, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *r = data;
	const char *colon = strrchr(name, ':');
	size_t at = r->ends[r->depth], n;

	(void)attributes;
	if (r->bad)
		return;
	name = colon != NULL ? colon + 1 : name;
	n = strlen(name);
	if (r->depth == DEPTH_MAX || at + 1 + n >= sizeof(r->path)) {
		stop(r, "the report is nested too deep");
		return;
	}
	if (at > 0)
		r->path[at++] = '/';
	memcpy(r->path + at, name, n);
	r->ends[++r->depth] = at + n;
	r->text_len = 0;
	if (r->depth == 1 && !slice_is((struct slice){ r->path, at + n },
	    "feedback"))
		stop(r, "the file is XML, but no DMARC report");
	if (where(r) == P_RECORD) {
		r->one = (struct rua_record){ .count = 0 };
		r->signer_passed = false;
		r->signer = SLICE_NONE;
	}
}

/* text - collected, up to a length */
static void
text(void *data, const XML_Char *s, int n)
{
	struct reader *r = data;
	size_t fits = sizeof(r->text) - r->text_len;

	if (n <= 0 || r->bad)
		return;
	if ((size_t)n < fits)
		fits = (size_t)n;
	memcpy(r->text + r->text_len, s, fits);
	r->text_len += fits;
}

/* number - digits, or 0 */
static uint64_t
number(struct slice s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.n && i < 12; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return s.p[i] == '.' ? n : 0;
		n = n * 10 + (uint64_t)(s.p[i] - '0');
	}
	return s.n <= 12 ? n : 0;
}

/* kept - the text at hand, in the arena */
static struct slice
kept(struct reader *r, struct slice s)
{
	struct slice copy = field_flat(s, r->arena);

	if (copy.p == NULL && !r->bad) {
		why_kind(&r->why, WHY_MEMORY, "no memory for a report");
		r->bad = true;
		XML_StopParser(r->parser, XML_FALSE);
	}
	return copy;
}

/* lowered - the same in lower case */
static struct slice
lowered(struct reader *r, struct slice s)
{
	struct slice copy = kept(r, s);
	char *p = (char *)(uintptr_t)copy.p;

	for (size_t i = 0; i < copy.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + 'a' - 'A');
	return copy;
}

/* record_end - one row more, unless it says nothing */
static void
record_end(struct reader *r)
{
	struct rua *rua = r->rua;
	struct rua_record *grown;
	size_t room;

	if (r->one.source.n == 0 || r->one.count == 0)
		return;
	if (rua->n == RUA_RECORDS) {
		rua->more++;
		return;
	}
	if (rua->n == r->room) {
		room = r->room > 0 ? r->room * 2 : 32;
		grown = arena_array(r->arena, room, sizeof(*grown));
		if (grown == NULL) {
			stop(r, "no memory for a report");
			return;
		}
		if (rua->n > 0)
			memcpy(grown, rua->records, rua->n * sizeof(*grown));
		rua->records = grown;
		r->room = room;
	}
	rua->records[rua->n++] = r->one;
}

/* value - what the text means at that place */
static void
value(struct reader *r, enum place place, struct slice s)
{
	switch (place) {
	case P_ORG:
		r->rua->org = kept(r, s);
		break;
	case P_ID:
		r->rua->id = kept(r, s);
		break;
	case P_BEGIN:
		r->rua->begin = (int64_t)number(s);
		break;
	case P_END:
		r->rua->end = (int64_t)number(s);
		break;
	case P_DOMAIN:
		r->rua->domain = lowered(r, s);
		break;
	case P_POLICY:
		r->rua->policy = kept(r, s);
		break;
	case P_SOURCE:
		r->one.source = lowered(r, s);
		break;
	case P_COUNT:
		r->one.count = number(s);
		break;
	case P_DISPOSITION:
		r->one.disposition = lowered(r, s);
		break;
	case P_DKIM:
		r->one.dkim = slice_case_eq(s, SLICE("pass"));
		break;
	case P_SPF:
		r->one.spf = slice_case_eq(s, SLICE("pass"));
		break;
	case P_FROM:
		r->one.from = lowered(r, s);
		break;
	case P_SIGNER:
		r->signer = lowered(r, s);
		if (r->one.signer.n == 0)
			r->one.signer = r->signer;
		break;
	case P_RESULT:
		if (!r->signer_passed && r->signer.n > 0 &&
		    slice_case_eq(s, SLICE("pass"))) {
			r->one.signer = r->signer;
			r->signer_passed = true;
		}
		break;
	case P_RECORD:
		record_end(r);
		break;
	case P_NOWHERE:
		break;
	}
}

/* end - one up */
static void
end(void *data, const XML_Char *name)
{
	struct reader *r = data;

	(void)name;
	if (r->bad || r->depth == 0)
		return;
	value(r, where(r), slice_trim((struct slice){ r->text,
	    r->text_len }));
	r->text_len = 0;
	r->depth--;
}

/* doctype - refused before it can declare anything */
static void
doctype(void *data, const XML_Char *name, const XML_Char *system,
    const XML_Char *public, int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	stop(data, "the report has a document type; no reporter needs one");
}

/* sink - bytes of the XML */
static int
sink(void *data, const void *bytes, size_t n, struct why *why)
{
	struct reader *r = data;

	if (XML_Parse(r->parser, bytes, (int)n, 0) != XML_STATUS_ERROR &&
	    !r->bad) {
		/* What it cannot finish it holds in memory. */
		r->fed += (int64_t)n;
		if (r->fed - (int64_t)XML_GetCurrentByteIndex(r->parser) >
		    TOKEN_BYTES)
			return why_set(why, "the XML has a name or an "
			    "attribute of more than %d KiB",
			    TOKEN_BYTES >> 10);
		return 0;
	}
	if (r->bad) {
		*why = r->why;
		return -1;
	}
	return why_set(why, "line %lu of the XML: %s",
	    XML_GetCurrentLineNumber(r->parser),
	    XML_ErrorString(XML_GetErrorCode(r->parser)));
}

/* judge - is it all there? */
static int
judge(const struct rua *rua, struct why *why)
{
	if (rua->domain.n == 0)
		return why_set(why, "the report names no domain");
	if (rua->org.n == 0 || rua->id.n == 0)
		return why_set(why, "the report does not say whose it is "
		    "(org_name, report_id)");
	if (rua->begin <= 0 || rua->end < rua->begin ||
	    rua->end - rua->begin > 35 * 86400)
		return why_set(why, "the report has no date_range, or one of "
		    "more than 35 days");
	return 0;
}

/* rua_read - unpack into the parser */
int
rua_read(struct slice attachment, struct arena *arena, struct rua *out,
    struct why *why)
{
	struct reader *r = arena_alloc(arena, sizeof(*r));
	int rc;

	*out = (struct rua){ .n = 0 };
	if (r == NULL || (r->parser = XML_ParserCreate(NULL)) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a report");
	r->arena = arena;
	r->rua = out;
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, begin, end);
	XML_SetCharacterDataHandler(r->parser, text);
	XML_SetStartDoctypeDeclHandler(r->parser, doctype);
	rc = unpack(attachment, sink, r, why);
	if (rc == 0 && XML_Parse(r->parser, "", 0, 1) == XML_STATUS_ERROR)
		rc = why_set(why, "the XML ends too early: %s",
		    XML_ErrorString(XML_GetErrorCode(r->parser)));
	XML_ParserFree(r->parser);
	return rc == 0 ? judge(out, why) : -1;
}
