/*
 * fold - address folding.
 *
 * Rules are few and found by the domain in a map; nothing is allocated on the
 * way of a message: a domain in other scripts, which libidn2 converts, comes
 * from people and lists only, for lib/address asks mail for A-labels.
 *
 * The hash is the first 16 bytes of SHA-256("penstock address", 0x00, folded
 * text): without a secret, since every program of the house, and one restored
 * from a backup, must find the same entry.  The version of the rules is not in
 * it: an address that a new rule does not touch keeps its key.
 *
 * Not folded: letters of other scripts in a local part (which case they have
 * is a matter of the mailbox's own system), and quotes, which lib/address has
 * taken off where they say nothing.
 */
#include "lib/fold.h"

#include <string.h>

#include <idn2.h>

#include "lib/hash.h"
#include "lib/keyword.h"
#include "lib/map.h"

extern const char fold_data[];		/* made from conf/folding.conf */

enum word { WORD_VERSION, WORD_FOLD, WORD_DOMAINS, WORD_TAG, WORD_DROP,
	WORD_AS };
enum { IN_FILE = 1, IN_FOLD = 2 };
static const char *const where_names[] = { "folding.conf", "fold" };

/* clang-format off */
static const struct keyword rows[] = {
	{ "version", KEYWORD_NUMBER, IN_FILE, WORD_VERSION,
	  .least = 1, .most = 65535, .help = "of the rules" },
	{ "fold", KEYWORD_BLOCK, IN_FILE, WORD_FOLD, .titles = 1,
	  .help = "what one provider ignores" },
	{ "domains", KEYWORD_SET, IN_FOLD, WORD_DOMAINS,
	  .help = "its domains, exactly" },
	{ "tag", KEYWORD_STRING, IN_FOLD, WORD_TAG,
	  .help = "begins a tag" },
	{ "drop", KEYWORD_STRING, IN_FOLD, WORD_DROP,
	  .help = "counts for nothing" },
	{ "as", KEYWORD_STRING, IN_FOLD, WORD_AS,
	  .help = "stands for all of them" },
};
/* clang-format on */

static const struct keyword_table table = {
	rows, sizeof(rows) / sizeof(rows[0]), where_names
};

struct rule {
	char		 tag;		/* 0: none */
	const char	*drop;		/* "": none */
	struct slice	 as;		/* n == 0: each domain for itself */
};

/* The one global: filled before threads start, read-only from then on. */
static struct {
	struct arena	*arena;
	struct map	*domains;	/* domain -> struct rule */
	unsigned	 version;
} all;

/* add_rule - one block */
static int
add_rule(const struct node *block, struct problems *problems)
{
	struct rule *rule = arena_alloc(all.arena, sizeof(*rule));
	const struct value *domains = NULL;
	const struct keyword *row;
	void *old;

	if (rule == NULL)
		return -1;
	rule->drop = "";
	keyword_duplicates(block->child, problems);
	for (const struct node *n = block->child; n != NULL; n = n->next) {
		row = keyword_check(&table, n, IN_FOLD, problems);
		if (row == NULL)
			continue;
		if (row->id == WORD_DOMAINS)
			domains = &n->value;
		else if (row->id == WORD_DROP)
			rule->drop = n->value.text.p;
		else if (row->id == WORD_AS)
			rule->as = n->value.text;
		else if (n->value.text.n == 1)
			rule->tag = n->value.text.p[0];
		else
			problem_error(problems, n->at, "a tag begins with one "
			    "character");
	}
	for (size_t i = 0; domains != NULL && i < domains->nitems; i++) {
		if (map_add(all.domains, domains->items[i].text, rule,
		    &old) == -1)
			return -1;
		if (old != NULL)
			problem_error(problems, domains->items[i].at,
			    "%s has a rule already", domains->items[i].text.p);
	}
	return 0;
}

/* read_rules - the whole text; -1 without memory */
static int
read_rules(struct problems *problems)
{
	const struct keyword *row;
	struct node *n = parse_text(all.arena, "folding.conf",
	    slice_of(fold_data), problems);

	keyword_duplicates(n, problems);
	for (; n != NULL; n = n->next) {
		row = keyword_check(&table, n, IN_FILE, problems);
		if (row == NULL)
			continue;
		if (row->id == WORD_FOLD && add_rule(n, problems) == -1)
			return -1;
		for (size_t i = 0; row->id == WORD_VERSION &&
		    i < n->value.text.n; i++)
			all.version = all.version * 10 +
			    (unsigned)(n->value.text.p[i] - '0');
	}
	return 0;
}

/* fold_init - the rules that are compiled in */
int
fold_init(struct why *why)
{
	struct problems problems;

	if (all.version != 0)
		return 0;
	if ((all.arena = arena_new(32768, 0)) == NULL ||
	    (all.domains = map_new()) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for folding rules");
	problems_init(&problems, all.arena);
	if (read_rules(&problems) == -1)
		return why_kind(why, WHY_MEMORY, "no memory for folding rules");
	if (problems.errors > 0 || all.version == 0)
		return why_set(why, "folding.conf, which is compiled in: %s",
		    problems.first != NULL ? problems.first->text :
		    "it has no version");
	return 0;
}

/* fold_version - of what is compiled in */
unsigned
fold_version(void)
{
	return all.version;
}

/* fold_local - lower case, without tag and what is dropped; its length */
static size_t
fold_local(const struct rule *rule, struct slice local, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < local.n; i++) {
		char c = local.p[i];

		if (rule != NULL && rule->tag != '\0' && c == rule->tag &&
		    i > 0)
			break;
		if (rule != NULL && c != '\0' &&
		    strchr(rule->drop, c) != NULL)
			continue;
		out[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	/* "..." is nobody's mailbox; it must not become everybody's */
	return n > 0 || rule == NULL ? n : fold_local(NULL, local, out);
}

/* fold_mailbox - the text that is hashed, and its hash */
void
fold_mailbox(const struct mailbox *m, struct folded *out)
{
	static const char sense[] = "penstock address";
	char whole[sizeof(sense) + FOLD_MAX];
	uint8_t sum[HASH_SHA256];
	const struct rule *rule = map_get(all.domains, m->domain);
	struct slice local = m->local, domain = m->domain;

	/* lib/address lets nothing longer pass */
	if (local.n > 255)
		local.n = 255;
	if (rule != NULL && rule->as.n > 0)
		domain = rule->as;
	if (domain.n > 253)
		domain.n = 253;
	out->n = fold_local(rule, local, out->text);
	out->text[out->n++] = '@';
	memcpy(out->text + out->n, domain.p, domain.n);
	out->n += domain.n;
	memcpy(whole, sense, sizeof(sense));
	memcpy(whole + sizeof(sense), out->text, out->n);
	hash_sha256(whole, sizeof(sense) + out->n, sum);
	memcpy(out->hash, sum, FOLD_HASH);
}

/* a_label - "local@domain" with a domain in other scripts, as ASCII */
static int
a_label(struct arena *arena, struct slice *text, size_t at, struct why *why)
{
	struct slice domain = slice_from(*text, at + 1);
	char in[FOLD_MAX], *out = NULL;
	const char *made;
	int rc;

	if (domain.n >= sizeof(in) || memchr(domain.p, '\0', domain.n) != NULL)
		return why_set(why, "the domain is too long, or has a NUL "
		    "in it");
	memcpy(in, domain.p, domain.n);
	in[domain.n] = '\0';
	rc = idn2_to_ascii_8z(in, &out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (rc == IDN2_MALLOC)
		return why_kind(why, WHY_MEMORY, "no memory for a domain");
	if (rc != IDN2_OK)
		return why_set(why, "the domain is no international name: %s",
		    idn2_strerror(rc));
	made = arena_printf(arena, "%.*s@%s", (int)at, text->p, out);
	idn2_free(out);
	if (made == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for an address");
	*text = slice_of(made);
	return 0;
}

/* fold_text - as written by people */
int
fold_text(struct slice text, struct arena *arena, struct mailbox *mailbox,
    struct folded *out, struct why *why)
{
	struct mailbox m;
	size_t at;
	bool foreign = false;
	int rc;

	text = slice_trim(text);
	if (text.n > 2 && text.p[0] == '<' && text.p[text.n - 1] == '>')
		text = (struct slice){ text.p + 1, text.n - 2 };
	for (at = text.n; at > 0 && text.p[at - 1] != '@'; at--)
		foreign = foreign || (unsigned char)text.p[at - 1] >= 0x80;
	if (at > 1 && foreign && text.n <= FOLD_MAX &&
	    memchr(text.p, '\0', at) == NULL &&
	    a_label(arena, &text, at - 1, why) == -1)
		return -1;
	if ((rc = address_path(arena, text, &m, why)) == 0)
		return why_set(why, "the address is empty");
	if (rc == -1)
		return -1;
	fold_mailbox(&m, out);
	if (mailbox != NULL)
		*mailbox = m;
	return 0;
}
