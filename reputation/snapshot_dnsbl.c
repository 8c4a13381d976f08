/*
 * snapshot_dnsbl - what block lists answered, written down by a resolver.
 *
 * A line for each question, fields parted by blanks:
 *
 *	ZONE SUBJECT RCODE [ADDRESS ...] ["TEXT" ...]
 *
 * RCODE is NOERROR, NXDOMAIN, SERVFAIL, REFUSED, TIMEOUT, ...; # begins a
 * comment.  Or JSON: objects {"zone", "address" or "domain", "rcode", "a": [],
 * "txt": []}, one behind the other or in a list.
 *
 * A list is believed when it was seen to work in the same file: 127.0.0.2 must
 * be listed and 127.0.0.1 must not (RFC 5782, section 5; for lists of domains
 * TEST and INVALID).  Else all it said is REFUSED: a list that has ended lists
 * nobody, or everybody.  NXDOMAIN is "not listed"; SERVFAIL, a time-out or an
 * address outside of 127.0.0.0/8 is no verdict, never a clean one.  All of
 * 127.255.255.0/24 are errors of the question.  Several addresses are taken
 * together, and an error among them does not undo a hit.
 *
 * The key of a customer of Spamhaus is a label of the zone and a secret: it is
 * taken off before anything is kept.
 */
#include "reputation/snapshot_in.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

enum { ZONES_MOST = 200, FIELDS = 40 };

struct answer {
	struct slice	 zone, subject, rcode;
	struct slice	 a[FIELDS], txt[FIELDS];
	size_t		 na, ntxt;
};

struct zone {
	char		 name[256];
	bool		 listed[2], clean[2];	/* test points: address, name */
};

struct lists {
	struct snapshot_set *set;
	struct zone	*zones;		/* ZONES_MOST */
	size_t		 nzones;
	bool		 judging;	/* the second time through the file */
};

/* What an address means: the zone ends so, from so, to so. */
static const struct { const char *zone; uint32_t low, high; const char *word; }
meanings[] = {
	{ "zen.spamhaus.org", 0x7f000002, 0x7f000002, "SBL" },
	{ "zen.spamhaus.org", 0x7f000003, 0x7f000003, "CSS" },
	{ "zen.spamhaus.org", 0x7f000004, 0x7f000007, "XBL" },
	{ "zen.spamhaus.org", 0x7f000009, 0x7f000009, "DROP" },
	{ "zen.spamhaus.org", 0x7f00000a, 0x7f00000b, "PBL" },
	{ "dbl.spamhaus.org", 0x7f000102, 0x7f000102, "spam" },
	{ "dbl.spamhaus.org", 0x7f000104, 0x7f000104, "phish" },
	{ "dbl.spamhaus.org", 0x7f000105, 0x7f000105, "malware" },
	{ "dbl.spamhaus.org", 0x7f000106, 0x7f000106, "botnet" },
	{ "dbl.spamhaus.org", 0x7f000166, 0x7f00016a, "abused-legit" },
};

/* public_zone - without a customer's key; false: no name of a zone.  Also the
 * name under which its meanings are known. */
static bool
public_zone(struct slice zone, char out[256], char known[256])
{
	static const char dq[] = ".dq.spamhaus.net";
	char room[256], *at = room, *tail, *dot;

	if (!snapshot_domain(zone, room))
		return false;
	if ((tail = strstr(room, dq)) != NULL && tail[sizeof(dq) - 1] == '\0') {
		for (dot = tail; dot > room && dot[-1] != '.'; dot--)
			;
		at = dot;		/* "zen.dq.spamhaus.net" */
		(void)snprintf(known, 256, "%.*s.spamhaus.org",
		    (int)(tail - at), at);
	} else
		(void)snprintf(known, 256, "%s", room);
	(void)snprintf(out, 256, "%s", at);
	return true;
}

/* zone_of - with what is known of its test points; NULL: too many */
static struct zone *
zone_of(struct lists *l, const char *name)
{
	for (size_t i = 0; i < l->nzones; i++)
		if (strcmp(l->zones[i].name, name) == 0)
			return &l->zones[i];
	if (l->nzones == ZONES_MOST)
		return NULL;
	(void)snprintf(l->zones[l->nzones].name, 256, "%s", name);
	return &l->zones[l->nzones++];
}

/* test_point - 0 one that must be listed, 1 one that must not; -1 none */
static int
test_point(const char *subject, bool *name)
{
	static const char *const points[2][4] = {
		{ "127.0.0.2", "::ffff:127.0.0.2", "test", NULL },
		{ "127.0.0.1", "::ffff:127.0.0.1", "invalid", NULL } };

	for (int k = 0; k < 2; k++)
		for (size_t i = 0; points[k][i] != NULL; i++)
			if (strcmp(subject, points[k][i]) == 0) {
				*name = i == 2;
				return k;
			}
	return -1;
}

/* What the addresses of an answer come to. */
struct verdict {
	bool	hit, refused, odd;	/* odd: an error among them */
	char	words[160], codes[160], error[120];
};

/* join - one word more, once */
static void
join(char *list, size_t room, const char *word)
{
	size_t n = strlen(list);
	const char *there = strstr(list, word);

	if (there == NULL)
		(void)snprintf(list + n, room - n, "%s%s", n > 0 ? "," : "",
		    word);
}

/* weigh - one address */
static void
weigh(struct verdict *v, const char *known, struct slice text)
{
	bool uri = strstr(known, "uribl.") != NULL ||
	    strstr(known, "surbl.") != NULL;
	char shown[64];
	struct in_addr in;
	uint32_t a;

	if (!snapshot_address(text, shown) || inet_pton(AF_INET, shown, &in) !=
	    1 || (a = ntohl(in.s_addr)) >> 24 != 127) {
		v->odd = true;
		(void)snprintf(v->error, sizeof(v->error), "an address that "
		    "no list answers with: somebody else answers for it");
	} else if ((a & 0xffffff00) == 0x7fffff00) {
		v->odd = true;
		(void)snprintf(v->error, sizeof(v->error), "%s: %s", shown,
		    (a & 255) == 252 ? "the name of the zone is wrong" :
		    (a & 255) == 254 ? "asked through a public resolver; "
		    "use your own" : (a & 255) == 255 ? "asked too often; get "
		    "a key" : "an error of the question");
	} else if (uri && (a == 0x7f000001 || a == 0x7f0000ff)) {
		v->refused = true;
		(void)snprintf(v->error, sizeof(v->error), "%s: the list "
		    "refuses this resolver", shown);
	} else if (a == 0x7f0001ff) {
		v->odd = true;
		(void)snprintf(v->error, sizeof(v->error), "an address was "
		    "asked for in a list of domains");
	} else {
		const char *word = "listed";

		for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]);
		    i++)
			if (strcmp(known, meanings[i].zone) == 0 &&
			    a >= meanings[i].low && a <= meanings[i].high)
				word = meanings[i].word;
		v->hit = true;
		join(v->words, sizeof(v->words), word);
		join(v->codes, sizeof(v->codes), shown);
	}
}

/* judge - a row, of a list that was seen to work or not */
static void
judge(struct lists *l, const struct answer *a, const struct zone *zone,
    const char *known, const char *subject, bool address)
{
	struct slice txt = a->ntxt > 0 ? a->txt[0] : SLICE("");
	struct verdict v = { .hit = false };
	struct snapshot_item *item;
	char note[400];
	int kind = address ? 0 : 1;

	item = snapshot_add(l->set, address ? "address" : "domain",
	    slice_of(subject), slice_of(zone->name));
	item->row.unit = SLICE("verdict");
	for (size_t i = 0; i < a->na; i++)
		weigh(&v, known, a->a[i]);
	if (!zone->listed[kind] || !zone->clean[kind]) {
		snapshot_say(l->set, item, SNAPSHOT_REFUSED, "the list is not "
		    "believed: the file has no answers for its test points "
		    "(%s listed, %s not)", address ? "127.0.0.2" : "TEST",
		    address ? "127.0.0.1" : "INVALID");
	} else if (v.hit) {
		snapshot_value(l->set, item, slice_of(v.words), "verdict");
		(void)snprintf(note, sizeof(note), "%s%s%.*s", v.codes,
		    txt.n > 0 ? "; " : "", SLICE_ARG(txt));
		snapshot_note(l->set, item, slice_of(note));
	} else if (v.refused) {
		snapshot_say(l->set, item, SNAPSHOT_REFUSED, "%s", v.error);
	} else if (v.odd) {
		snapshot_say(l->set, item, SNAPSHOT_API_ERROR, "%s", v.error);
	} else if (slice_case_eq(a->rcode, SLICE("NXDOMAIN"))) {
		snapshot_value(l->set, item, SLICE("not listed"), "verdict");
	} else {
		snapshot_say(l->set, item, SNAPSHOT_API_ERROR, "no answer: "
		    "%.*s", (int)(a->rcode.n < 60 ? a->rcode.n : 60),
		    a->rcode.p != NULL ? a->rcode.p : "");
	}
}

/* prove - a test point: does the list say what it must? */
static void
prove(struct zone *zone, const struct answer *a, const char *known, int point,
    bool name)
{
	struct verdict v = { .hit = false };

	for (size_t i = 0; i < a->na; i++)
		weigh(&v, known, a->a[i]);
	if (point == 0)
		zone->listed[name] |= v.hit && !v.odd && !v.refused;
	else
		zone->clean[name] |= a->na == 0 &&
		    slice_case_eq(a->rcode, SLICE("NXDOMAIN"));
}

/* take - one answer, the first time or the second */
static void
take(struct lists *l, const struct answer *a)
{
	char name[256], known[256], subject[256];
	bool address = snapshot_address(a->subject, subject), of_name = false;
	struct zone *zone = NULL;
	int point;

	if (!public_zone(a->zone, name, known) ||
	    (!address && !snapshot_domain(a->subject, subject)) ||
	    a->rcode.n == 0 || (zone = zone_of(l, name)) == NULL) {
		if (l->judging)
			snapshot_whole(l->set, SNAPSHOT_API_ERROR, "an answer "
			    "without a zone, an address or domain, and a "
			    "code");
		return;
	}
	if ((point = test_point(subject, &of_name)) == -1) {
		if (l->judging)
			judge(l, a, zone, known, subject, address);
	} else if (!l->judging)
		prove(zone, a, known, point, of_name);
}

/* --- text ----------------------------------------------------------------- */

/* word - cut from the front of a line; quotes hold it together */
static bool
word(struct slice *line, struct slice *out, bool *quoted)
{
	size_t n = 0;

	*line = slice_trim(*line);
	if (line->n == 0 || line->p[0] == '#')
		return false;
	if ((*quoted = line->p[0] == '"')) {
		*line = slice_from(*line, 1);
		while (n < line->n && line->p[n] != '"')
			n++;
		*out = (struct slice){ line->p, n };
		*line = slice_from(*line, n + 1);
		return true;
	}
	while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t')
		n++;
	*out = (struct slice){ line->p, n };
	*line = slice_from(*line, n);
	return true;
}

/* line_of - one answer; false: there is none in it */
static bool
line_of(struct slice line, struct answer *a)
{
	struct slice *head[3] = { &a->zone, &a->subject, &a->rcode }, w;
	size_t n = 0;
	bool quoted;

	memset(a, 0, sizeof(*a));
	for (; word(&line, &w, &quoted); n++) {
		if (n < 3 && !quoted)
			*head[n] = w;
		else if (quoted && a->ntxt < FIELDS)
			a->txt[a->ntxt++] = w;
		else if (!quoted && a->na < FIELDS)
			a->a[a->na++] = w;
	}
	return n > 0;
}

/* text - a line for each answer */
static void
text(struct lists *l, struct slice bytes)
{
	struct answer a;

	while (bytes.n > 0 && !l->set->failed) {
		const char *end = memchr(bytes.p, '\n', bytes.n);
		size_t n = end != NULL ? (size_t)(end - bytes.p) : bytes.n;

		if (line_of((struct slice){ bytes.p, n }, &a))
			take(l, &a);
		bytes = slice_from(bytes, n + 1);
	}
}

/* --- JSON ----------------------------------------------------------------- */

/* texts_of - of a list, or one alone */
static size_t
texts_of(const struct jval *v, struct slice out[FIELDS])
{
	size_t n = 0;

	if (jval_kind(v) == JVAL_TEXT)
		out[n++] = jval_text(v);
	for (size_t i = 0; i < jval_count(v) && n < FIELDS; i++)
		if (jval_kind(jval_at(v, i)) == JVAL_TEXT)
			out[n++] = jval_text(jval_at(v, i));
	return n;
}

/* document - an answer, or a list of them */
static void
document(struct lists *l, const struct jval *v)
{
	struct answer a = { .zone = jval_text(jval_get(v, "zone")) };

	for (size_t i = 0; i < jval_count(v) && !l->set->failed; i++)
		if (jval_kind(jval_at(v, i)) == JVAL_OBJECT)
			document(l, jval_at(v, i));
	if (jval_kind(v) != JVAL_OBJECT)
		return;
	a.subject = jval_text(jval_get(v, "address"));
	if (a.subject.n == 0)
		a.subject = jval_text(jval_get(v, "domain"));
	a.rcode = jval_text(jval_get(v, "rcode"));
	a.na = texts_of(jval_get(v, "a"), a.a);
	a.ntxt = texts_of(jval_get(v, "txt"), a.txt);
	take(l, &a);
}

/* json - documents, one behind the other */
static void
json(struct lists *l, struct slice bytes)
{
	struct jdoc *doc = NULL;
	struct why why;
	int got;

	while ((got = jdoc_next(&bytes, &doc, &why)) == 1) {
		document(l, jdoc_root(doc));
		jdoc_free(doc);
	}
	if (got == -1 && why.kind == WHY_MEMORY)
		l->set->failed = true;
	else if (got == -1 && l->judging)
		snapshot_whole(l->set, SNAPSHOT_API_ERROR, "no JSON, or half "
		    "of it: %s", why.text);
}

/* snapshot_dnsbl - test points first, wherever they stand */
void
snapshot_dnsbl(struct snapshot_set *set, struct slice bytes)
{
	struct lists l = { .set = set };
	struct slice s = slice_trim(bytes);
	bool is_json = s.n > 0 && (s.p[0] == '{' || s.p[0] == '[');

	if ((l.zones = calloc(ZONES_MOST, sizeof(*l.zones))) == NULL) {
		set->failed = true;
		return;
	}
	for (int i = 0; i < 2; i++) {
		l.judging = i == 1;
		if (is_json)
			json(&l, s);
		else
			text(&l, s);
	}
	free(l.zones);
}
