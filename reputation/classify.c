/*
 * classify - which rules hold for a reply, and the strongest of them.
 *
 * Rules are looked at from their words, not the other way round: the automaton
 * runs over the text once and names the pieces that end at each byte.  A term
 * waits for one piece at a time, first for its first, then (further on in the
 * text) for the next; each piece has a list of the terms that wait for it.  A
 * term moves on at most as often as it has pieces, so the work is that of the
 * text plus that of the rules' size, whatever the text is.  A rule whose last
 * term is through has its bit set; the lowest bit whose codes and provider fit
 * too is the answer, since rules are numbered from the strongest down.
 *
 * All of that is on the stack and only as much of it is touched as there are
 * rules.
 */
#include "reputation/classify.h"

#include <string.h>

#include "reputation/classify_in.h"

const char *const category_names[CATEGORIES] = {
	"unknown", "recipient_unknown", "recipient_inactive", "domain_bad",
	"quota", "block_reputation", "spam_content", "auth_policy",
	"policy_other", "rate_limit", "size_or_protocol", "network_expired",
	"system_remote"
};

const char *const action_names[ACTIONS] = {
	"none", "suppress_now", "suppress_after_k", "retry", "fix_sender",
	"slow_down"
};

struct search {
	const struct classifier *c;
	uint64_t	 hits[CLASSIFY_RULES_MAX / 64];	/* words are there */
	uint8_t		 through[CLASSIFY_RULES_MAX];	/* terms of a rule */
	bool		 seen[PIECES_MAX];		/* once, or more often */
	uint16_t	 waiting[PIECES_MAX];		/* first term, NOTHING */
	/* of terms under way */
	uint16_t	 next[TERMS_MAX];		/* that waits, too */
	uint16_t	 from[TERMS_MAX];		/* end of the last piece */
	uint8_t		 done[TERMS_MAX];		/* pieces */
};

/* advance - a term has its next piece, which ends at "end" */
static void
advance(struct search *s, uint16_t number, size_t end)
{
	const struct term *term = &s->c->terms[number];
	const struct rule *rule = &s->c->rules[term->rule];
	uint16_t piece;

	if (s->done[number] == term->npieces) {
		if (++s->through[term->rule] == rule->nterms)
			s->hits[term->rule / 64] |=
			    UINT64_C(1) << term->rule % 64;
		return;
	}
	piece = s->c->sequence[term->at + s->done[number]];
	s->from[number] = (uint16_t)end;
	s->next[number] = s->waiting[piece];
	s->waiting[piece] = number;
}

/* piece_found - wake who begins with it and who waits for it */
static void
piece_found(struct search *s, uint16_t number, size_t end)
{
	const struct piece *piece = &s->c->pieces[number];
	uint16_t *at = &s->waiting[number], term;
	uint16_t list = *at;
	uint32_t i;

	*at = NOTHING;			/* may be filled again below */
	while ((term = list) != NOTHING) {
		list = s->next[term];
		if (s->from[term] + piece->text.n <= end) {
			s->done[term]++;
			advance(s, term, end);
		} else {		/* overlaps its last piece */
			s->next[term] = s->waiting[number];
			s->waiting[number] = term;
		}
	}
	if (s->seen[number])
		return;
	s->seen[number] = true;
	for (i = piece->at; i < piece->at + piece->nstarts; i++) {
		s->done[s->c->starts[i]] = 1;
		advance(s, s->c->starts[i], end);
	}
}

/* search_text - set the bit of every rule whose words are in the text */
static void
search_text(struct search *s, const struct classifier *c,
    const struct said *said)
{
	const struct find *f = &c->find;
	uint32_t node = 0, at;
	size_t i;

	s->c = c;
	memcpy(s->hits, c->bare, sizeof(s->hits));
	memset(s->through, 0, c->nrules);
	memset(s->seen, 0, c->npieces * sizeof(s->seen[0]));
	memset(s->waiting, 0xff, c->npieces * sizeof(s->waiting[0]));
	for (i = 0; i < said->n; i++) {
		node = find_step(f, node, (unsigned char)said->text[i]);
		at = f->nodes[node].piece != NOTHING ? node :
		    f->nodes[node].shorter;
		for (; at != 0; at = f->nodes[at].shorter)
			piece_found(s, f->nodes[at].piece, i + 1);
	}
}

/* fits - a code against the rule's pattern; both are a few bytes long */
static bool
fits(const char *glob, const char *code)
{
	for (; *glob != '\0' && *glob != '*'; glob++, code++)
		if (*code == '\0' || (*glob != '?' && *glob != *code))
			return false;
	if (*glob == '\0')
		return *code == '\0';
	/* What follows the star must be the end of the code. */
	return strlen(code) >= strlen(glob + 1) &&
	    strcmp(code + strlen(code) - strlen(glob + 1), glob + 1) == 0;
}

/* holds - the rule's codes and provider, its words being there */
static bool
holds(const struct rule *rule, const struct said *said, unsigned provider)
{
	return (rule->providers == 0 || (rule->providers >> provider & 1)) &&
	    (rule->code[0] == '\0' || fits(rule->code, said->code)) &&
	    (rule->enhanced[0] == '\0' ||
	    fits(rule->enhanced, said->enhanced));
}

/* follows - the rule's action; what a server calls temporary kills nobody */
static enum action
follows(const struct rule *rule, const struct said *said)
{
	if (rule->action == ACTION_SUPPRESS_NOW && said->code[0] != '\0' &&
	    said->code[0] != '5' && rule->code[0] != said->code[0])
		return ACTION_SUPPRESS_AFTER_K;
	return rule->action;
}

/* provider_in - of the domain, where the caller knows none */
static unsigned
provider_in(unsigned provider, struct slice domain)
{
	char folded[256];

	if (provider >= PROVIDER_MAX)
		return PROVIDER_UNRESOLVED;
	if (provider != PROVIDER_UNRESOLVED || domain.n == 0 ||
	    domain.n > sizeof(folded))
		return provider;
	return provider_of((struct slice){ folded,
	    said_fold(folded, domain) });
}

/* classify_all - what matches, strongest first */
size_t
classify_all(const struct classifier *c, unsigned provider,
    struct slice domain, struct slice reply, struct finding *out, size_t room)
{
	struct search search;
	struct said said;
	const struct rule *rule;
	size_t i, n = 0;
	uint64_t bits;

	said_read(&said, reply);
	search_text(&search, c, &said);
	provider = provider_in(provider, domain);
	for (i = 0; i * 64 < c->nrules && n < room; i++)
		for (bits = search.hits[i]; bits != 0 && n < room;
		    bits &= bits - 1) {
			rule = &c->rules[i * 64 +
			    (size_t)__builtin_ctzll(bits)];
			if (holds(rule, &said, provider))
				out[n++] = (struct finding){ rule->category,
				    follows(rule, &said), rule->id };
		}
	return n;
}

/* classify - the strongest, or that there is none */
void
classify(const struct classifier *c, unsigned provider, struct slice domain,
    struct slice reply, struct finding *out)
{
	if (classify_all(c, provider, domain, reply, out, 1) == 0)
		*out = (struct finding){ CATEGORY_UNKNOWN, ACTION_NONE,
		    SLICE("-") };
}

/* classifier_free - NULL is allowed */
void
classifier_free(struct classifier *c)
{
	if (c != NULL)
		arena_free(c->arena);
}

/* classifier_rules - how many there are */
size_t
classifier_rules(const struct classifier *c)
{
	return c->nrules;
}
