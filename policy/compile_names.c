/*
 * compile_names - logins, clients and domains: what a tenant is known by and
 * what it may say.  Each becomes a stake; whether somebody else holds it
 * already is rivals.c's question.
 */
#include "policy/build.h"

#include <stdio.h>
#include <string.h>

#include "lib/text.h"

#define LOGIN_MAX	255

/* stake_add - one thing that this tenant alone may hold */
void
stake_add(struct build *b, struct picture *pic, enum stake_kind kind,
    struct slice text, struct place at, struct tenant *t, uint32_t unit)
{
	bool passing = kind == STAKE_TENANT || kind == STAKE_SELECTOR;
	struct stake *s = build_alloc(b, passing ? b->work : b->keep, 1,
	    sizeof(*s));

	if (s == NULL)
		return;
	*s = (struct stake){ text, t, at, NULL, unit, (uint8_t)kind };
	*pic->last = s;
	pic->last = &s->next;
}

/* labels - of a domain */
static size_t
labels(struct slice domain)
{
	size_t n = 1;

	for (size_t i = 0; i < domain.n; i++)
		n += domain.p[i] == '.';
	return n;
}

/* scan_domain - "x", or "*.x" (star), lower case in the work arena */
static bool
scan_domain(struct build *b, const char *word, const struct value *v,
    struct slice text, bool star, struct slice *out,
    struct problems *problems)
{
	struct quoted q;
	struct why why;

	if (address_domain(b->work, text, true, out, &why) == -1) {
		problem_error(problems, v->at, "%s: %s is not a domain: %s",
		    word, text_quote(v->text, &q), why.text);
		return false;
	}
	if (star && labels(*out) < 2) {
		problem_error(problems, v->at, "%s: %s would hold everything "
		    "below a top level; it needs two labels at least, as "
		    "\"*.acme.example\"", word, text_quote(v->text, &q));
		return false;
	}
	return true;
}

/* login_fit - may it be a login at all? */
static bool
login_fit(const char *word, const struct value *v, struct problems *problems)
{
	struct quoted q;

	if (v->text.n == 0) {
		problem_error(problems, v->at, "%s: an empty login", word);
		return false;
	}
	if (v->text.n > LOGIN_MAX) {
		problem_error(problems, v->at, "%s: %s is longer than 255 "
		    "bytes", word, text_quote(v->text, &q));
		return false;
	}
	for (size_t i = 0; i < v->text.n; i++)
		if ((unsigned char)v->text.p[i] <= ' ' ||
		    v->text.p[i] == 0x7f) {
			problem_error(problems, v->at, "%s: %s has a "
			    "space or control byte in it", word,
			    text_quote(v->text, &q));
			return false;
		}
	return true;
}

/* compile_login_text - one login, or all of a domain; false: it is no good.
 * Of "*@X.example" and "*@.X.example" the domain is folded, in keep. */
bool
compile_login_text(struct build *b, const char *word, const struct value *v,
    struct slice *out, struct problems *problems)
{
	struct slice text = v->text, domain;
	bool below;
	struct quoted q;

	if (!login_fit(word, v, problems))
		return false;
	if (slice_starts(text, SLICE("*@"))) {
		below = text.n > 2 && text.p[2] == '.';
		if (!scan_domain(b, word, v, slice_from(text, 2 + below),
		    below, &domain, problems))
			return false;
		*out = slice_of(build_printf(b, b->keep, "*@%s%.*s",
		    below ? "." : "", SLICE_ARG(domain)));
		return true;
	}
	if (memchr(text.p, '*', text.n) != NULL || text.p[0] == '@') {
		problem_error(problems, v->at, "%s: %s: \"*\" stands only in "
		    "\"*@domain\" (all logins of it) and \"*@.domain\" (all "
		    "below it)", word, text_quote(text, &q));
		return false;
	}
	*out = build_copy(b, b->keep, text);
	return true;
}

/* compile_logins - exact ones, and all of a domain */
void
compile_logins(struct build *b, struct picture *pic, struct tenant *t,
    uint32_t unit, const struct value *set, struct problems *problems)
{
	for (size_t i = 0; i < set->nitems; i++) {
		const struct value *v = &set->items[i];
		struct slice text;

		if (!compile_login_text(b, "logins", v, &text, problems))
			continue;
		if (slice_starts(text, SLICE("*@")))
			stake_add(b, pic, STAKE_LOGIN_DOMAIN, slice_from(text,
			    2), v->at, t, unit);
		else
			stake_add(b, pic, STAKE_LOGIN, text, v->at, t, unit);
	}
}

/* compile_clients - addresses and networks */
void
compile_clients(struct build *b, struct picture *pic, struct tenant *t,
    uint32_t unit, const struct value *set, struct problems *problems)
{
	for (size_t i = 0; i < set->nitems; i++) {
		const struct value *v = &set->items[i];
		struct net_key key;
		struct why why;

		if (net_scan(v->text, &key, &why) == -1)
			problem_error(problems, v->at, "clients: %s",
			    why.text);
		else if (key.bits == 0)
			problem_error(problems, v->at, "clients: \"%.*s\" is "
			    "every address there is: an open relay",
			    SLICE_ARG(v->text));
		else
			stake_add(b, pic, STAKE_CLIENT, build_copy(b, b->keep,
			    net_slice(&key)), v->at, t, unit);
	}
}

/* compile_domains - what it may write behind the @ */
void
compile_domains(struct build *b, struct picture *pic, struct tenant *t,
    uint32_t unit, const char *word, const struct value *set,
    struct problems *problems)
{
	t->ndomains = 0;		/* said twice: the last one counts */
	t->domains = build_alloc(b, b->keep, set->nitems,
	    sizeof(*t->domains));
	if (t->domains == NULL)
		return;
	for (size_t i = 0; i < set->nitems; i++) {
		const struct value *v = &set->items[i];
		bool star = slice_starts(v->text, SLICE("*."));
		struct slice domain, text;

		if (!scan_domain(b, word, v, slice_from(v->text,
		    star ? 2 : 0), star, &domain, problems))
			continue;
		text = slice_of(build_printf(b, b->keep, "%s%.*s",
		    star ? "*." : "", SLICE_ARG(domain)));
		t->domains[t->ndomains++] = text;
		stake_add(b, pic, STAKE_DOMAIN, slice_from(text, star), v->at,
		    t, unit);
	}
}

/* compile_bounce - one domain more, for MAIL FROM only */
void
compile_bounce(struct build *b, struct picture *pic, struct tenant *t,
    uint32_t unit, const struct value *v, struct problems *problems)
{
	struct slice domain;

	if (!scan_domain(b, "bounce_domain", v, v->text, false, &domain,
	    problems))
		return;
	t->bounce_domain = build_copy(b, b->keep, domain);
	stake_add(b, pic, STAKE_BOUNCE, t->bounce_domain, v->at, t, unit);
}

/* compile_bounce_auto - one for all of them, or "bounce.*", where "*" is the
 * domain of each */
void
compile_bounce_auto(struct build *b, struct picture *pic, struct tenant *t,
    const struct value *v, struct problems *problems)
{
	struct slice text = v->text, domain;

	if (text.n < 3 || memcmp(text.p + text.n - 2, ".*", 2) != 0) {
		compile_bounce(b, pic, t, 0, v, problems);
		return;
	}
	text.n -= 2;
	if (scan_domain(b, "bounce_domain", v, text, false, &domain,
	    problems))
		t->bounce_domain = slice_of(build_printf(b, b->keep, "%.*s.*",
		    SLICE_ARG(domain)));
}
