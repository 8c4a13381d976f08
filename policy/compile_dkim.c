/*
 * compile_dkim - the keys that sign, for a tenant or for the platform.
 *
 * A dkim block is known by (selector, domain): the same selector may stand
 * twice in a tenant, for two domains or, with two names of its own, for an
 * Ed25519 key beside its RSA twin.  Ed25519 alone is refused: large receivers
 * do not verify it, so that mail would count as unsigned there.
 */
#include "policy/build.h"

#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

/* lower - ASCII letters, in place; DNS does not tell them apart */
static void
lower(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s |= 0x20;
}

/* set_domain - d= of the signature; the tenant must own it */
static bool
set_domain(struct build *b, struct identity *id, const struct value *v,
    struct problems *problems)
{
	struct slice domain;
	struct quoted q;
	struct why why;

	if (address_domain(b->work, v->text, true, &domain, &why) == -1) {
		problem_error(problems, v->at, "domain: %s is not a domain: "
		    "%s", text_quote(v->text, &q), why.text);
		return false;
	}
	id->domain = build_copy(b, b->keep, domain);
	return true;
}

/* set_one - one setting of a dkim block */
static bool
set_one(struct build *b, struct identity *id, const struct keyword *row,
    const struct value *v, struct problems *problems)
{
	switch (row->id) {
	case WORD_DOMAIN:
		return set_domain(b, id, v, problems);
	case WORD_KEY:
		if (v->text.n == 0) {
			problem_error(problems, v->at, "key: the name of a "
			    "file is missing");
			return false;
		}
		id->key_path = build_path(b, b->keep, b->args->keys != NULL ?
		    b->args->keys : ".", v->text);
		return true;
	default:
		id->type = (enum key_type)choice_index(row, v);
		id->typed = true;
		return true;
	}
}

/* one - a block; false: it is no good */
static bool
one(struct build *b, const struct node *node, struct identity *id,
    struct problems *problems)
{
	unsigned errors = problems->errors;
	struct quoted q;

	id->at = node->at;
	id->type = KEY_RSA;		/* until the key says otherwise */
	if (build_name(node, &id->selector, problems))
		id->selector = build_copy(b, b->keep, id->selector);
	keyword_duplicates(node->child, problems);
	for (struct node *n = node->child; n != NULL; n = n->next) {
		const struct keyword *row = words_check(n, IN_DKIM, problems);

		if (row != NULL)
			set_one(b, id, row, &n->value, problems);
	}
	if (problems->errors > errors)
		return false;
	if (id->domain.n == 0 || id->key_path == NULL) {
		problem_error(problems, node->at, "dkim %s has no %s",
		    text_quote(node->titles[0].text, &q),
		    id->domain.n == 0 ? "domain" : "key");
		return false;
	}
	return true;
}

/* compare - by domain as policy_identities looks for it, RSA first */
static int
compare(const void *va, const void *vb)
{
	const struct identity *a = va, *b = vb;
	int order;

	if (a->domain.n != b->domain.n)
		return a->domain.n < b->domain.n ? -1 : 1;
	if ((order = memcmp(a->domain.p, b->domain.p, a->domain.n)) != 0)
		return order;
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->at.line != b->at.line)
		return a->at.line < b->at.line ? -1 : 1;
	return a->at.col < b->at.col ? -1 : a->at.col > b->at.col;
}

/* twins - an Ed25519 key needs an RSA key for the same domain */
static void
twins(const struct identity *ids, size_t n, struct problems *problems)
{
	for (size_t i = 0; i < n; i++) {
		bool rsa = !ids[i].typed || ids[i].type == KEY_RSA;

		for (size_t j = 0; !rsa && j < n; j++)
			rsa = slice_eq(ids[i].domain, ids[j].domain) &&
			    (!ids[j].typed || ids[j].type == KEY_RSA);
		if (!rsa)
			problem_error(problems, ids[i].at, "dkim \"%.*s\" is "
			    "Ed25519 and %.*s has no RSA key; add one, many "
			    "receivers verify RSA only",
			    SLICE_ARG(ids[i].selector),
			    SLICE_ARG(ids[i].domain));
	}
}

/* again - is it the key of that DNS record, as another block has it? */
static bool
again(const struct identity *id, const struct identity *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_case_eq(id->selector, ids[i].selector) &&
		    slice_eq(id->domain, ids[i].domain) &&
		    strcmp(id->key_path, ids[i].key_path) == 0)
			return true;
	return false;
}

/* shared_key - streams of a tenant may sign with one key */
static bool
shared_key(const struct identity *id, const struct tenant *t,
    const struct scope *beside)
{
	if (beside == NULL)
		return false;
	for (size_t i = 0; i < beside->nstreams; i++)
		if (again(id, beside->streams[i].said.identities,
		    beside->streams[i].said.nidentities))
			return true;
	return again(id, t->identities, t->nidentities);
}

/* compile_dkim - all blocks of a chain, sorted by domain */
void
compile_dkim(struct build *b, struct picture *pic, struct tenant *t,
    uint32_t unit, const struct node *chain, const struct scope *beside,
    struct identity **out, size_t *nout, struct problems *problems)
{
	const struct identity none = { 0 };
	struct identity *ids;
	size_t n = 0, good = 0;

	*nout = 0;
	*out = NULL;
	for (const struct node *c = chain; c != NULL; c = c->next)
		n += c->type == NODE_BLOCK && c->ntitles == 1 &&
		    slice_is(c->name, "dkim");
	if (n == 0 || (ids = build_alloc(b, b->keep, n, sizeof(*ids))) == NULL)
		return;
	for (const struct node *c = chain; c != NULL; c = c->next) {
		char *name;

		if (c->type != NODE_BLOCK || c->ntitles != 1 ||
		    !slice_is(c->name, "dkim"))
			continue;
		ids[good] = none;
		if (!one(b, c, &ids[good], problems))
			continue;
		name = build_printf(b, b->work, "%.*s._domainkey.%.*s",
		    SLICE_ARG(ids[good].selector), SLICE_ARG(ids[good].domain));
		lower(name);
		if (!shared_key(&ids[good], t, beside))
			stake_add(b, pic, STAKE_SELECTOR, slice_of(name),
			    c->at, t, unit);
		good++;
	}
	qsort(ids, good, sizeof(*ids), compare);
	twins(ids, good, problems);
	*out = ids;
	*nout = good;
}

/* replaced - does the stream have keys of its own for that domain? */
static bool
replaced(const struct stream *said, struct slice domain)
{
	for (size_t i = 0; i < said->nidentities; i++)
		if (slice_eq(said->identities[i].domain, domain))
			return true;
	return false;
}

/* compile_stream_keys - by domain: the stream's own, else the tenant's */
void
compile_stream_keys(struct build *b, const struct tenant *t,
    struct stream *s, const struct stream *said)
{
	s->identities = t->identities;
	s->nidentities = t->nidentities;
	if (said == NULL || said->nidentities == 0 || (s->identities =
	    build_alloc(b, b->keep, t->nidentities + said->nidentities,
	    sizeof(*s->identities))) == NULL)
		return;
	s->nidentities = 0;
	for (size_t i = 0; i < said->nidentities; i++)
		s->identities[s->nidentities++] = said->identities[i];
	for (size_t i = 0; i < t->nidentities; i++)
		if (!replaced(said, t->identities[i].domain))
			s->identities[s->nidentities++] = t->identities[i];
	qsort(s->identities, s->nidentities, sizeof(*s->identities), compare);
}
