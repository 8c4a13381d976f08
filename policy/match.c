/*
 * match - the lines of a stream, read once and asked for every mail.
 *
 * A line is words with spaces between them.  The value of a word is all that
 * stands behind its first ":"; a header's pattern stands behind the first "="
 * after its name, so a pattern may hold both.  A pattern has no space: "?"
 * stands for one.
 *
 * Three answers: no, yes, not yet.  A line is no as soon as one of its words
 * is no, and a stream yes as soon as one of its lines is yes, whatever the
 * others will be; that is how an envelope stream behind a header stream is
 * known at RCPT when the header stream cannot match any more.
 *
 * A stream with a claim listens to headers of its logins only.  For others a
 * line with a header word says no, negated or not: who may not choose the
 * stream by a header may not choose it by leaving the header out either.
 *
 * The glob keeps one place to go back to, that of its last star: a star that
 * is followed by another never needs to be tried again.
 */
#include "policy/match.h"

#include "lib/address.h"
#include "lib/text.h"
#include "policy/keywords.h"

#define WORDS_MAX	64
#define GLOB_MAX	255
#define HEADER_NAME_MAX	76	/* of a header */

/* clang-format off */
static const struct keyword heads[] = {
	{ .name = "any:", .id = MATCH_ANY, .where = 1 },
	{ .name = "sender:", .id = MATCH_SENDER, .where = 1 },
	{ .name = "recipient:", .id = MATCH_RECIPIENT, .where = 1 },
	{ .name = "login:", .id = MATCH_LOGIN, .where = 1 },
	{ .name = "listener:", .id = MATCH_LISTENER, .where = 1 },
	{ .name = "client:", .id = MATCH_CLIENT, .where = 1 },
	{ .name = "header:", .id = MATCH_HEADER, .where = 1 },
};
/* clang-format on */

static const char *const nowhere[] = { "" };
static const struct keyword_table table = { heads,
	sizeof(heads) / sizeof(heads[0]), nowhere };

/* fold - one ASCII letter */
static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* match_glob - does the pattern fit the whole text? */
bool
match_glob(struct slice glob, struct slice text)
{
	size_t g = 0, t = 0, star = 0, back = 0;
	bool starred = false;

	while (t < text.n) {
		if (g < glob.n && glob.p[g] == '*') {
			starred = true;
			star = g++;
			back = t;
		} else if (g < glob.n && (glob.p[g] == '?' ||
		    fold(glob.p[g]) == fold(text.p[t]))) {
			g++;
			t++;
		} else if (starred) {
			g = star + 1;
			t = ++back;
		} else {
			return false;
		}
	}
	while (g < glob.n && glob.p[g] == '*')
		g++;
	return g == glob.n;
}

/* --- reading -------------------------------------------------------------- */

/* unknown - a word that is none */
static bool
unknown(struct slice word, struct place at, struct problems *problems)
{
	const char *colon = memchr(word.p, ':', word.n), *near;
	struct slice head = { word.p, colon != NULL ?
	    (size_t)(colon - word.p) + 1 : word.n };
	struct quoted q;

	near = keyword_nearest(&table, head, 1);
	if (near != NULL && near == heads[0].name)
		problem_error(problems, at, "match: unknown word %s; write "
		    "\"any\"", text_quote(word, &q));
	else if (near != NULL)
		problem_error(problems, at, "match: unknown word %s; did you "
		    "mean \"%s...\"?", text_quote(word, &q), near);
	else
		problem_error(problems, at, "match: unknown word %s; expected "
		    "any, or sender:, recipient:, login:, listener:, client: "
		    "or header: and a pattern", text_quote(word, &q));
	return false;
}

/* scan_header - NAME or NAME=PATTERN */
static bool
scan_header(struct slice value, struct slice whole, struct place at,
    struct match_word *w, struct problems *problems)
{
	const char *is = memchr(value.p, '=', value.n);
	struct quoted q;

	w->name = (struct slice){ value.p, is != NULL ?
	    (size_t)(is - value.p) : value.n };
	w->glob = is != NULL ? slice_from(value, w->name.n + 1) : SLICE_NONE;
	for (size_t i = 0; i < w->name.n; i++)
		if (w->name.p[i] < '!' || w->name.p[i] > '~' ||
		    w->name.p[i] == ':' || w->name.p[i] == '*') {
			problem_error(problems, at, "match: %s: the name of a "
			    "header is written out, without \"*\" and \":\"",
			    text_quote(whole, &q));
			return false;
		}
	if (w->name.n >= 1 && w->name.n <= HEADER_NAME_MAX)
		return true;
	problem_error(problems, at, "match: %s: write header:NAME or "
	    "header:NAME=PATTERN, with a name of 1 to %d letters",
	    text_quote(whole, &q), HEADER_NAME_MAX);
	return false;
}

/* scan_pattern - of a sender, a recipient, a login, a listener */
static bool
scan_pattern(struct slice value, struct slice whole, struct place at,
    struct match_word *w, struct problems *problems)
{
	struct quoted q;

	if (value.n == 0) {
		problem_error(problems, at, "match: %s has no pattern%s",
		    text_quote(whole, &q), w->what == MATCH_SENDER ?
		    "; the empty sender of bounces is \"sender:<>\"" : "");
		return false;
	}
	w->glob = w->what == MATCH_SENDER && slice_is(value, "<>") ?
	    SLICE("") : value;
	return true;
}

/* scan_client - an address or a network */
static bool
scan_client(struct slice value, struct place at, struct match_word *w,
    struct problems *problems)
{
	struct why why;

	if (net_scan(value, &w->net, &why) == 0)
		return true;
	problem_error(problems, at, "match: client: %s", why.text);
	return false;
}

/* scan_word - one of a line */
static bool
scan_word(struct slice whole, struct place at, struct match_word *w,
    struct problems *problems)
{
	struct slice word = whole, value;
	size_t i, n = sizeof(heads) / sizeof(heads[0]);
	struct quoted q;

	if ((w->not = word.p[0] == '!'))
		word = slice_from(word, 1);
	if (slice_is(word, "any")) {
		w->what = MATCH_ANY;
		return true;
	}
	for (i = 1; i < n; i++)
		if (slice_starts(word, slice_of(heads[i].name)))
			break;
	if (i == n)
		return unknown(word.n > 0 ? word : whole, at, problems);
	w->what = (enum match_what)heads[i].id;
	value = slice_from(word, strlen(heads[i].name));
	if (value.n > GLOB_MAX) {
		problem_error(problems, at, "match: %s is longer than %d "
		    "bytes", text_quote(whole, &q), GLOB_MAX);
		return false;
	}
	if (w->what == MATCH_HEADER)
		return scan_header(value, whole, at, w, problems);
	if (w->what == MATCH_CLIENT)
		return scan_client(value, at, w, problems);
	return scan_pattern(value, whole, at, w, problems);
}

/* next_word - and what is left of the line */
static struct slice
next_word(struct slice *rest)
{
	struct slice word;
	size_t n = 0;

	*rest = slice_trim(*rest);
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	word = (struct slice){ rest->p, n };
	*rest = slice_from(*rest, n);
	return word;
}

/* match_parse - a line into words */
int
match_parse(struct slice text, struct place at, struct arena *arena,
    struct match_line *line, struct problems *problems)
{
	struct slice rest, word;
	bool good = true;
	size_t n = 0;

	memset(line, 0, sizeof(*line));
	if ((rest = arena_copy(arena, text)).p == NULL)
		return -1;
	line->text = rest;
	line->at = at;
	for (struct slice left = rest; next_word(&left).n > 0;)
		n++;
	if (n == 0 || n > WORDS_MAX) {
		problem_error(problems, at, n == 0 ?
		    "match: an empty line; \"any\" matches all mail" :
		    "match: a line has at most %d words", WORDS_MAX);
		return 0;
	}
	if ((line->words = arena_array(arena, n, sizeof(*line->words))) ==
	    NULL)
		return -1;
	while ((word = next_word(&rest)).n > 0)
		good = scan_word(word, at, &line->words[line->n++],
		    problems) && good;
	return good;
}

/* --- asking --------------------------------------------------------------- */

/* in_net - is the client one of these? */
static bool
in_net(const struct net_key *net, const struct ip *ip)
{
	unsigned skip = net->family == 4 ? 96 : 0, bits = net->bits + skip;
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool v4;

	if (ip == NULL || !ip->known)
		return false;
	v4 = memcmp(ip->b, mapped, sizeof(mapped)) == 0;
	if (v4 != (net->family == 4))
		return false;
	if (memcmp(ip->b, net->b, bits / 8) != 0)
		return false;
	return bits % 8 == 0 || ((ip->b[bits / 8] ^ net->b[bits / 8]) >>
	    (8 - bits % 8)) == 0;
}

/* fits - what is absent fits nothing */
static enum known
fits(struct slice glob, struct slice text)
{
	return text.p != NULL && match_glob(glob, text) ? KNOWN_YES :
	    KNOWN_NO;
}

/* has_header - one of that name, and of that value if one is given */
static bool
has_header(const struct match_word *w, const struct match_facts *f)
{
	for (size_t i = 0; i < f->nheaders; i++)
		if (slice_case_eq(slice_trim(f->headers[i].name), w->name) &&
		    (w->glob.p == NULL || match_glob(w->glob,
		    slice_trim(f->headers[i].value))))
			return true;
	return false;
}

/* word_fact - without its "!" */
static enum known
word_fact(const struct match_word *w, const struct match_facts *f)
{
	switch (w->what) {
	case MATCH_SENDER:
		return fits(w->glob, f->sender);
	case MATCH_RECIPIENT:
		return f->recipient.p == NULL ? KNOWN_NOT_YET :
		    fits(w->glob, f->recipient);
	case MATCH_LOGIN:
		return fits(w->glob, f->login);
	case MATCH_LISTENER:
		return fits(w->glob, f->listener);
	case MATCH_CLIENT:
		return in_net(&w->net, f->client) ? KNOWN_YES : KNOWN_NO;
	case MATCH_HEADER:
		if (!f->headers_known)
			return KNOWN_NOT_YET;
		return has_header(w, f) ? KNOWN_YES : KNOWN_NO;
	case MATCH_ANY:
		break;
	}
	return KNOWN_YES;
}

/* ask_line - all of its words */
static enum known
ask_line(const struct match_line *line, const struct match_facts *f,
    bool may_claim)
{
	enum known all = KNOWN_YES, one;

	for (size_t i = 0; i < line->n; i++) {
		const struct match_word *w = &line->words[i];

		if (w->what == MATCH_HEADER && !may_claim)
			return KNOWN_NO;
		one = word_fact(w, f);
		if (one == KNOWN_NOT_YET)
			all = KNOWN_NOT_YET;
		else if ((one == KNOWN_YES) == w->not)
			return KNOWN_NO;
	}
	return all;
}

/* claimed - "x" is one login, "*@d" those of d, "*@.d" those below d */
static bool
claimed(struct slice own, struct slice login)
{
	const char *at = memrchr(login.p, '@', login.n);
	struct slice domain;

	if (!slice_starts(own, SLICE("*@")))
		return slice_eq(own, login);
	if (at == NULL)
		return false;
	domain = slice_from(login, (size_t)(at - login.p) + 1);
	own = slice_from(own, 2);
	if (own.n > 0 && own.p[0] == '.')
		return domain.n > own.n && slice_case_eq(own,
		    slice_from(domain, domain.n - own.n));
	return slice_case_eq(own, domain);
}

/* may_claim - do the headers of that login count? */
static bool
may_claim(const struct stream *s, struct slice login)
{
	if (s->nclaim == 0)
		return true;
	for (size_t i = 0; login.p != NULL && i < s->nclaim; i++)
		if (claimed(s->claim[i], login))
			return true;
	return false;
}

/* match_stream - any of its lines */
enum known
match_stream(const struct stream *s, const struct match_facts *f,
    const struct match_line **which)
{
	bool listens = s->by_header && may_claim(s, f->login);
	enum known any = KNOWN_NO, one;

	if (which != NULL)
		*which = NULL;
	if (s->nlines == 0)		/* default */
		return KNOWN_YES;
	for (size_t i = 0; i < s->nlines; i++) {
		one = ask_line(&s->lines[i], f, listens);
		if (one == KNOWN_YES) {
			if (which != NULL)
				*which = &s->lines[i];
			return KNOWN_YES;
		}
		if (one == KNOWN_NOT_YET)
			any = KNOWN_NOT_YET;
	}
	return any;
}

/* match_tenant - the first that says yes behind those that say no */
const struct stream *
match_tenant(const struct tenant *t, const struct match_facts *f,
    const struct match_line **which)
{
	for (size_t i = 0; i < t->nstreams; i++)
		switch (match_stream(t->streams[i], f, which)) {
		case KNOWN_YES: return t->streams[i];
		case KNOWN_NOT_YET: return NULL;
		case KNOWN_NO: break;
		}
	return policy_default(t);
}
