/*
 * postal - see postal.h.
 *
 *	bytes -> lines -> parts -> transfer decoding -> HTML -> folding -> KMP
 *
 * Each step keeps a few bytes and hands on one at a time, so that neither the
 * chunks of the milter's wire nor a soft line break nor a tag in the middle of
 * the address matter.  A line is gathered up to LINE bytes, since only a whole
 * one can be told from a boundary; a longer one is handed on in pieces.
 *
 * Not chosen: to keep the text and search it at the end (memory by the size of
 * what strangers send).
 */
#include "policy/postal.h"

#include <stdlib.h>
#include <string.h>

#include "policy/meter.h"
#include "policy/reply.h"

enum { LINE = 1024, HEAD = 4096, DEPTH = 8, BOUNDARY = 70, REFERENCE = 8 };

enum where { IN_HEAD, IN_TEXT, BETWEEN };	/* of a part; or nothing of use */
enum coding { CODING_NONE, CODING_QP, CODING_BASE64 };

struct postal_search {
	/* lines */
	char		 line[LINE];
	size_t		 nline;
	bool		 begun;		/* what is gathered is not its start */
	/* parts */
	enum where	 where;
	char		 head[HEAD];
	size_t		 nhead;
	char		 boundary[DEPTH][BOUNDARY + 1];
	size_t		 depth;
	/* decoding */
	enum coding	 coding;
	bool		 html, latin;
	unsigned	 bits, nbits;	/* of base64 */
	/* HTML */
	bool		 in_tag;
	char		 reference[REFERENCE + 1];
	size_t		 nreference;	/* with "&"; 0: in none */
	/* folding */
	bool		 blank, c2;
	/* search */
	struct slice	 want;
	uint16_t	 back[POSTAL_MOST + 1];
	size_t		 at;
	bool		 found;
};

/* is_blank - white space of ASCII */
static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* small - a letter in lower case */
static char
small(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* --- search --------------------------------------------------------------- */

/* step - one folded byte */
static void
step(struct postal_search *p, char c)
{
	while (p->at > 0 && p->want.p[p->at] != c)
		p->at = p->back[p->at];
	if (p->want.p[p->at] == c)
		p->at++;
	if (p->at == p->want.n) {
		p->found = true;
		p->at = p->back[p->at];
	}
}

/* prepare - where to go on when a byte does not fit */
static void
prepare(struct postal_search *p)
{
	size_t k = 0;

	p->back[0] = p->back[1] = 0;
	for (size_t i = 1; i < p->want.n; i++) {
		while (k > 0 && p->want.p[k] != p->want.p[i])
			k = p->back[k];
		k += p->want.p[k] == p->want.p[i];
		p->back[i + 1] = (uint16_t)k;
	}
}

/* --- folding -------------------------------------------------------------- */

/* put - one byte of text */
static void
put(struct postal_search *p, char c)
{
	if (p->c2) {			/* U+00A0 is a blank */
		p->c2 = false;
		if (c == '\xa0') {
			p->blank = true;
			return;
		}
		step(p, '\xc2');
	}
	if (is_blank(c)) {
		p->blank = true;
		return;
	}
	if (p->blank) {
		p->blank = false;
		step(p, ' ');
	}
	if (c == '\xc2')
		p->c2 = true;
	else
		step(p, small(c));
}

/* put_code - a character by its number, as UTF-8 */
static void
put_code(struct postal_search *p, unsigned long c)
{
	if (c < 0x80) {
		put(p, (char)c);
	} else if (c < 0x800) {
		put(p, (char)(0xc0 | c >> 6));
		put(p, (char)(0x80 | (c & 63)));
	} else if (c < 0x10000) {
		put(p, (char)(0xe0 | c >> 12));
		put(p, (char)(0x80 | (c >> 6 & 63)));
		put(p, (char)(0x80 | (c & 63)));
	}
}

/* postal_fold - the same for the address */
struct slice
postal_fold(struct arena *arena, struct slice address)
{
	char *out = arena_alloc(arena, address.n + 1);
	struct slice s = slice_trim(address);
	bool blank = false;
	size_t n = 0;

	if (out == NULL)
		return SLICE_NONE;
	for (size_t i = 0; i < s.n; i++) {
		if (is_blank(s.p[i])) {
			blank = true;
			continue;
		}
		if (blank)
			out[n++] = ' ';
		blank = false;
		out[n++] = small(s.p[i]);
	}
	out[n] = '\0';
	return (struct slice){ out, n };
}

/* --- HTML ----------------------------------------------------------------- */

/* reference - what "&...;" means, or the bytes as they are */
static void
reference(struct postal_search *p)
{
	static const struct {
		const char	*name;
		unsigned	 code;
	} known[] = { { "amp", '&' }, { "lt", '<' }, { "gt", '>' },
		{ "quot", '"' }, { "apos", '\'' }, { "nbsp", ' ' },
		{ "auml", 0xe4 }, { "ouml", 0xf6 }, { "uuml", 0xfc },
		{ "Auml", 0xc4 }, { "Ouml", 0xd6 }, { "Uuml", 0xdc },
		{ "szlig", 0xdf }, { "eacute", 0xe9 }, { "ntilde", 0xf1 } };
	const char *name = p->reference + 1;
	size_t n = p->nreference;
	char *end;
	unsigned long code;

	p->reference[n] = '\0';
	p->nreference = 0;
	if (name[0] == '#') {
		bool hex = name[1] == 'x' || name[1] == 'X';

		code = strtoul(name + 1 + hex, &end, hex ? 16 : 10);
		if (end > name + 1 + hex && *end == '\0') {
			put_code(p, code);
			return;
		}
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(name, known[i].name) == 0) {
			put_code(p, known[i].code);
			return;
		}
	for (size_t i = 0; i < n; i++)
		put(p, p->reference[i]);
}

/* text - one byte behind the transfer encoding, in UTF-8 */
static void
text(struct postal_search *p, char c)
{
	if (!p->html) {
		put(p, c);
		return;
	}
	if (p->in_tag) {
		p->in_tag = c != '>';
		return;
	}
	if (p->nreference > 0 && c == ';') {
		reference(p);
		return;
	}
	if (p->nreference > 0 && (p->nreference == REFERENCE || is_blank(c) ||
	    c == '<' || c == '&'))
		reference(p);
	if (c == '<') {
		p->in_tag = true;
		put(p, ' ');
	} else if (c == '&' || p->nreference > 0) {
		p->reference[p->nreference++] = c;
	} else {
		put(p, c);
	}
}

/* byte - one behind the transfer encoding */
static void
byte(struct postal_search *p, unsigned char c)
{
	if (p->latin && c >= 0x80) {
		text(p, (char)(0xc0 | c >> 6));
		text(p, (char)(0x80 | (c & 63)));
	} else {
		text(p, (char)c);
	}
}

/* --- transfer encodings --------------------------------------------------- */

/* hex - the value of a digit, or -1 */
static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = small(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* quoted - a line of quoted-printable */
static void
quoted(struct postal_search *p, const char *s, size_t n, bool end)
{
	while (end && n > 0 && is_blank(s[n - 1]))
		n--;
	for (size_t i = 0; i < n; i++) {
		if (s[i] != '=') {
			byte(p, (unsigned char)s[i]);
		} else if (i + 2 < n && hex(s[i + 1]) >= 0 &&
		    hex(s[i + 2]) >= 0) {
			byte(p, (unsigned char)(hex(s[i + 1]) << 4 |
			    hex(s[i + 2])));
			i += 2;
		} else if (i + 1 == n && end) {
			return;			/* the line goes on */
		} else {
			byte(p, '=');
		}
	}
	if (end)
		byte(p, '\n');
}

/* base64 - a line of it; what is no digit is passed over */
static void
base64(struct postal_search *p, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned c = (unsigned char)s[i], v;

		if (c >= 'A' && c <= 'Z')
			v = c - 'A';
		else if (c >= 'a' && c <= 'z')
			v = c - 'a' + 26;
		else if (c >= '0' && c <= '9')
			v = c - '0' + 52;
		else if (c == '+' || c == '/')
			v = c == '+' ? 62 : 63;
		else
			continue;
		p->bits = (p->bits << 6 | v) & 0xffff;
		p->nbits += 6;
		if (p->nbits >= 8) {
			p->nbits -= 8;
			byte(p, (unsigned char)(p->bits >> p->nbits & 255));
		}
	}
}

/* --- parts ---------------------------------------------------------------- */

/* starts - does it begin so, case ignored? */
static bool
starts(struct slice s, const char *word)
{
	size_t n = strlen(word);

	return s.n >= n && strncasecmp(s.p, word, n) == 0;
}

/* parameter - name=value behind a ";"; n 0: none */
static struct slice
parameter(struct slice v, const char *name)
{
	bool quote = false;

	for (size_t i = 0; i < v.n; i++) {
		struct slice s;

		if (v.p[i] == '"')
			quote = !quote;
		if (v.p[i] != ';' || quote)
			continue;
		s = slice_trim(slice_from(v, i + 1));
		if (!starts(s, name))
			continue;
		s = slice_trim(slice_from(s, strlen(name)));
		if (s.n < 2 || s.p[0] != '=')
			continue;
		s = slice_trim(slice_from(s, 1));
		quote = s.n > 0 && s.p[0] == '"';
		s = slice_from(s, quote);
		for (i = 0; i < s.n && (quote ? s.p[i] != '"' :
		    s.p[i] != ';' && !is_blank(s.p[i])); i++)
			;
		s.n = i;
		return s;
	}
	return SLICE_NONE;
}

/* part - what a head says of what follows */
static void
part(struct postal_search *p, struct slice type, struct slice coding)
{
	struct slice s;

	type = slice_trim(type);
	coding = slice_trim(coding);
	p->bits = p->nbits = 0;
	p->in_tag = p->c2 = false;
	p->nreference = 0;
	p->blank = true;
	p->at = 0;
	p->where = BETWEEN;
	if (starts(type, "multipart/")) {
		s = parameter(type, "boundary");
		if (s.n == 0 || s.n > BOUNDARY || p->depth == DEPTH)
			return;
		memcpy(p->boundary[p->depth], s.p, s.n);
		p->boundary[p->depth++][s.n] = '\0';
		return;
	}
	if (type.n > 0 && !starts(type, "text/"))
		return;
	p->where = IN_TEXT;
	p->html = starts(type, "text/html");
	s = parameter(type, "charset");
	p->latin = starts(s, "iso-8859-1") || starts(s, "windows-1252");
	p->coding = starts(coding, "quoted-printable") ? CODING_QP :
	    starts(coding, "base64") ? CODING_BASE64 : CODING_NONE;
}

/* field - of the head of a part, folds and all; n 0: it is not there */
static struct slice
field(const struct postal_search *p, const char *name)
{
	struct slice all = { p->head, p->nhead };
	size_t n = strlen(name);

	while (all.n > 0) {
		const char *end = all.p;

		do {
			end = memchr(end, '\n', (size_t)(all.p + all.n - end));
			if (end == NULL)
				end = all.p + all.n;
			else
				end++;
		} while (end < all.p + all.n && (*end == ' ' || *end == '\t'));
		if (starts(all, name) && all.n > n && all.p[n] == ':')
			return (struct slice){ all.p + n + 1,
			    (size_t)(end - all.p) - n - 1 };
		all = slice_from(all, (size_t)(end - all.p));
	}
	return SLICE_NONE;
}

/* is_boundary - a line that ends a part? */
static bool
is_boundary(struct postal_search *p, const char *s, size_t n)
{
	while (n > 0 && is_blank(s[n - 1]))
		n--;
	if (n < 3 || s[0] != '-' || s[1] != '-')
		return false;
	for (size_t d = p->depth; d > 0; d--) {
		size_t len = strlen(p->boundary[d - 1]);
		bool last;

		if (n < len + 2 || memcmp(s + 2, p->boundary[d - 1], len) != 0)
			continue;
		last = n == len + 4 && s[n - 1] == '-' && s[n - 2] == '-';
		if (!last && n != len + 2)
			continue;
		if (p->nreference > 0)
			reference(p);
		p->depth = last ? d - 1 : d;
		p->where = last ? BETWEEN : IN_HEAD;
		p->nhead = 0;
		return true;
	}
	return false;
}

/* piece - a line, or so much of one; end: it is the last of it */
static void
piece(struct postal_search *p, bool end)
{
	size_t n = p->nline;
	bool whole = end && !p->begun;

	p->nline = 0;
	p->begun = !end;
	if (whole && is_boundary(p, p->line, n))
		return;
	if (p->where == IN_HEAD) {
		if (whole && (n == 0 || (n == 1 && p->line[0] == '\r'))) {
			part(p, field(p, "content-type"),
			    field(p, "content-transfer-encoding"));
		} else if (n + 1 <= HEAD - p->nhead) {
			memcpy(p->head + p->nhead, p->line, n);
			p->nhead += n;
			if (end)
				p->head[p->nhead++] = '\n';
		}
		return;
	}
	if (p->where != IN_TEXT)
		return;
	if (p->coding == CODING_QP) {
		quoted(p, p->line, n, end);
	} else if (p->coding == CODING_BASE64) {
		base64(p, p->line, n);
	} else {
		for (size_t i = 0; i < n; i++)
			byte(p, (unsigned char)p->line[i]);
		if (end)
			byte(p, '\n');
	}
}

/* value_of - of the message's own field */
static struct slice
value_of(const struct header_fact *h, size_t n, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (slice_case_eq(slice_trim(h[i].name), name))
			return h[i].value;
	return SLICE_NONE;
}

/* postal_begin - if there is something to look for */
int
postal_begin(struct postal_search **out, const struct mail *mail,
    const struct header_fact *h, size_t n, struct why *why)
{
	const struct stream *s = mail->stream;
	struct postal_search *p;

	*out = NULL;
	if (mail->tenant == NULL || s == NULL || mail->nremote == 0 ||
	    s->priority != PRIORITY_BULK || s->postal_address.n == 0)
		return 0;
	if ((p = arena_array(mail->arena, 1, sizeof(*p))) == NULL)
		return why_kind(why, WHY_MEMORY,
		    "no memory to look for the postal address");
	p->want = s->postal_address;
	prepare(p);
	part(p, value_of(h, n, SLICE("Content-Type")),
	    value_of(h, n, SLICE("Content-Transfer-Encoding")));
	*out = p;
	return 0;
}

/* postal_add - a piece of the body; nothing to do once it was found */
void
postal_add(struct postal_search *p, const void *bytes, size_t n)
{
	const char *s = bytes;

	for (size_t i = 0; i < n && !p->found; i++) {
		if (s[i] == '\n') {
			piece(p, true);
			continue;
		}
		if (p->nline == LINE)
			piece(p, false);
		p->line[p->nline++] = s[i];
	}
}

/* postal_found - what is gathered is the last line */
bool
postal_found(struct postal_search *p)
{
	if (!p->found && p->nline > 0)
		piece(p, true);
	if (!p->found && p->nreference > 0)
		reference(p);
	if (!p->found && p->c2)
		put(p, ' ');
	return p->found;
}

/* postal_missing - as the stream says */
enum verdict
postal_missing(struct mail *mail, struct answer *a)
{
	const struct stream *s = mail->stream;
	bool defer = s->postal == POSTAL_DEFER;

	mail->no_postal = true;
	memset(a, 0, sizeof(*a));
	a->stage = STAGE_MESSAGE;
	if (s->postal == POSTAL_RECORD)
		return reply_pass(a, mail->tenant_rule);
	(void)reply(a, mail->arena, defer ? VERDICT_DEFER : VERDICT_REFUSE,
	    defer ? "451" : "550", defer ? "4.7.0" : "5.7.1", s->postal_at,
	    "tenant %.*s: the text of this message of stream %.*s does not "
	    "have the postal address of the sender%.*s",
	    SLICE_ARG(mail->tenant->name), SLICE_ARG(s->name),
	    SLICE_ARG(reply_contact(mail->arena, mail->tenant)));
	return shadow(mail, SHADOW_REQUIRE, a);
}
