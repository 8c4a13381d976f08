/*
 * compile_carried - what bulk mail carries for those who had enough of it:
 * List-Unsubscribe, Feedback-ID, CFBL-Address, a postal address; and what a
 * tenant's streams cannot do as they stand.
 *
 * A link without a scheme that encrypts, or one that would run into its token,
 * is a mistake that every recipient would have: it is refused here.
 */
#include "policy/build.h"

#include "lib/text.h"
#include "policy/postal.h"
#include "policy/unsubscribe.h"

enum { URL_MOST = 200, LOCAL_MOST = 48 };

/* set_url - https, and the token is what stands behind its last slash */
static void
set_url(struct build *b, struct stream *said, const struct value *v,
    struct problems *problems)
{
	bool good = v->text.n <= URL_MOST && v->text.n > 9 &&
	    slice_starts(v->text, SLICE("https://")) &&
	    v->text.p[v->text.n - 1] == '/';
	struct quoted q;

	for (size_t i = 0; i < v->text.n; i++)
		good = good && v->text.p[i] > ' ' && v->text.p[i] < 0x7f &&
		    strchr("<>\"\\^`{|}?#,", v->text.p[i]) == NULL;
	if (!good)
		problem_error(problems, v->at, "url: %s is not an https:// "
		    "address that ends in \"/\" (at most %d bytes); the token "
		    "of a recipient goes behind it", text_quote(v->text, &q),
		    URL_MOST);
	else
		said->url = build_copy(b, b->keep, v->text);
}

/* set_mailto - a local part, or none */
static void
set_mailto(struct build *b, struct stream *said, const struct value *v,
    struct problems *problems)
{
	bool good = v->text.n > 0 && v->text.n <= LOCAL_MOST;
	struct quoted q;

	said->mailto = SLICE_NONE;
	if (slice_is(v->text, "none"))
		return;
	for (size_t i = 0; i < v->text.n; i++)
		good = good && ((v->text.p[i] >= 'a' && v->text.p[i] <= 'z') ||
		    (v->text.p[i] >= '0' && v->text.p[i] <= '9') ||
		    strchr("-_.", v->text.p[i]) != NULL);
	if (!good)
		problem_error(problems, v->at, "mailto: %s is not the part of "
		    "an address before \"@\" (small letters, digits, \"-\", "
		    "\"_\", \".\"); it goes with bounce_domain",
		    text_quote(v->text, &q));
	else
		said->mailto = build_copy(b, b->keep, v->text);
}

/* set_campaign - the name of a header, or none */
static void
set_campaign(struct build *b, struct stream *said, const struct value *v,
    struct problems *problems)
{
	struct quoted q;

	said->campaign = SLICE_NONE;
	if (slice_is(v->text, "none"))
		return;
	if (!build_header(v->text))
		problem_error(problems, v->at, "campaign: %s is not the name "
		    "of a header, such as \"X-Campaign\"",
		    text_quote(v->text, &q));
	else
		said->campaign = build_copy(b, b->keep, v->text);
}

/* set_cfbl - an address, or none */
static void
set_cfbl(struct build *b, struct stream *said, const struct value *v,
    struct problems *problems)
{
	struct mailbox box;
	struct quoted q;
	struct why why;

	said->cfbl = SLICE_NONE;
	if (slice_is(v->text, "none"))
		return;
	if (address_path(b->keep, v->text, &box, &why) != 1)
		problem_error(problems, v->at, "cfbl: %s is not an address, "
		    "such as \"fbl@acme.example\"", text_quote(v->text, &q));
	else
		said->cfbl = box.text;
}

/* set_postal - as it is looked for, or none */
static void
set_postal(struct build *b, struct stream *said, const struct value *v,
    struct problems *problems)
{
	struct slice folded;

	said->postal_address = SLICE_NONE;
	if (slice_is(v->text, "none"))
		return;
	folded = postal_fold(b->keep, v->text);
	if (folded.p == NULL)
		b->nomem = true;
	else if (folded.n < 10 || folded.n > POSTAL_MOST)
		problem_error(problems, v->at, "postal_address: write it as "
		    "it stands in the mail, on one line, 10 to %d bytes",
		    POSTAL_MOST);
	else
		said->postal_address = folded;
}

/* compile_carried - one value; false: it is another's */
bool
compile_carried(struct build *b, struct scope *scope,
    const struct node *node, const struct keyword *row,
    struct problems *problems)
{
	struct stream *said = &scope->said;
	const struct value *v = &node->value;

	switch (row->id) {
	case WORD_UNSUBSCRIBE:
		said->unsubscribe_at = node->at;
		said->unsubscribe = (enum unsubscribe)choice_index(row, v);
		return true;
	case WORD_URL:
		said->url_at = node->at;
		set_url(b, said, v, problems);
		return true;
	case WORD_MAILTO:
		said->mailto_at = node->at;
		set_mailto(b, said, v, problems);
		return true;
	case WORD_MANY_RECIPIENTS:
		said->many_recipients_at = node->at;
		said->many_recipients = (enum many)choice_index(row, v);
		return true;
	case WORD_EXISTING:
		said->existing_at = node->at;
		said->existing = (enum existing)choice_index(row, v);
		return true;
	case WORD_LIST_ID:
		said->list_id_at = node->at;
		said->list_id = choice_index(row, v) == 1;
		return true;
	case WORD_FEEDBACK_ID:
		said->feedback_id_at = node->at;
		said->feedback_id = (enum feedback)choice_index(row, v);
		return true;
	case WORD_CAMPAIGN:
		said->campaign_at = node->at;
		set_campaign(b, said, v, problems);
		return true;
	case WORD_CFBL:
		said->cfbl_at = node->at;
		set_cfbl(b, said, v, problems);
		return true;
	case WORD_POSTAL_ADDRESS:
		said->postal_address_at = node->at;
		set_postal(b, said, v, problems);
		return true;
	case WORD_POSTAL:
		said->postal_at = node->at;
		said->postal = (enum postal)choice_index(row, v);
		return true;
	default:
		return false;
	}
}

/* compile_unsubscribe - the block of a level */
void
compile_unsubscribe(struct build *b, struct scope *scope,
    const struct node *chain, struct problems *problems)
{
	for (; chain != NULL; chain = chain->next) {
		if (chain->type != NODE_BLOCK || chain->ntitles != 0 ||
		    !slice_is(chain->name, "unsubscribe"))
			continue;
		keyword_duplicates(chain->child, problems);
		for (struct node *n = chain->child; n != NULL; n = n->next) {
			const struct keyword *row = words_check(n,
			    IN_UNSUBSCRIBE, problems);

			if (row == NULL)
				continue;
			scope->says = true;
			(void)compile_carried(b, scope, n, row, problems);
		}
	}
}

/* impossible - what a stream says and cannot be; NULL: nothing */
static const char *
impossible(const struct stream *s, struct place *at)
{
	*at = s->postal_at;
	if (s->postal != POSTAL_RECORD && s->postal_address.n == 0 &&
	    s->priority == PRIORITY_BULK)
		return "postal says what becomes of mail without an address, "
		    "and there is no postal_address";
	*at = s->unsubscribe_at;
	if (s->unsubscribe == UNSUBSCRIBE_OFF)
		return NULL;
	if (s->priority != PRIORITY_BULK)
		return "unsubscribe is for bulk mail, and this stream is "
		    "none; write priority = \"bulk\"";
	if (s->unsubscribe != UNSUBSCRIBE_ONE_CLICK)
		return NULL;
	if (s->url.n == 0)
		return "one-click needs the address of penstock-unsubscribe; "
		    "write unsubscribe { url = \"https://.../\" }";
	if (s->many_recipients == MANY_DEFER && s->late)
		return "many_recipients = \"defer\" needs a stream that is "
		    "known at RCPT, and this one is known when the headers "
		    "have come; write \"mailto\" or \"refuse\"";
	return NULL;
}

/* in_vain - what a stream says and will not be done for this tenant */
static const char *
in_vain(const struct build *b, const struct tenant *t,
    const struct stream *s, struct place *at)
{
	*at = s->unsubscribe_at;
	if (s->unsubscribe == UNSUBSCRIBE_ONE_CLICK && s->nidentities == 0 &&
	    b->policy->nidentities == 0)
		return "one-click counts only with a DKIM signature, and "
		    "there is no dkim block: List-Unsubscribe-Post is left "
		    "out";
	if (t->bounce_domain.n > 0)
		return NULL;
	if (s->return_path == RETURN_PATH_VERP) {
		*at = s->return_path_at;
		return "there is no bounce_domain for return_path = "
		    "\"verp\": MAIL FROM stays as it came";
	}
	if (s->unsubscribe == UNSUBSCRIBE_MAILTO)
		return "there is no bounce_domain for the mailto: no "
		    "List-Unsubscribe is written";
	if (s->unsubscribe == UNSUBSCRIBE_ONE_CLICK &&
	    s->many_recipients == MANY_MAILTO)
		return "there is no bounce_domain for the mailto: mail to "
		    "several recipients at once gets no List-Unsubscribe";
	return NULL;
}

/* check_carried - told at the tenant, when the line is of another file */
void
check_carried(struct build *b, const struct tenant *t,
    struct problems *problems)
{
	struct place at;
	const char *what;

	for (size_t i = 0; !b->nomem && i < t->nstreams; i++) {
		const struct stream *s = t->streams[i];
		bool wrong = (what = impossible(s, &at)) != NULL;

		if (!wrong && (what = in_vain(b, t, s, &at)) == NULL)
			continue;
		if (at.file != t->at.file)
			at = t->at;
		if (!wrong && build_told(b, at, 'w'))
			continue;
		if (wrong)
			problem_error(problems, at, "stream \"%.*s\": %s",
			    SLICE_ARG(s->name), what);
		else
			problem_warn(problems, at, "stream \"%.*s\": %s",
			    SLICE_ARG(s->name), what);
	}
}

/* needs - the first stream of a tenant that needs tokens, or NULL */
static const struct stream *
needs(const struct tenant *t)
{
	for (size_t i = 0; t != NULL && i < t->nstreams; i++)
		if (unsubscribe_needs_ring(t->streams[i]))
			return t->streams[i];
	return NULL;
}

/* check_ring - read once, if anybody needs it */
void
check_ring(struct build *b)
{
	struct policy *p = b->policy;
	const struct stream *s = needs(p->automatic);
	struct why why;

	for (size_t i = 0; s == NULL && i < p->ntenants; i++)
		s = needs(p->tenants[i]);
	if (s == NULL || b->args->token_keys == NULL ||
	    token_ring_load(&p->ring, b->args->token_keys, &why) == 0)
		return;
	p->ring_trouble = build_copy(b, b->keep, slice_of(why.text)).p;
	problem_error(b->problems, s->at, "stream \"%.*s\" needs the keys of "
	    "tokens, its mail gets 451: %s (penstock token rotate makes the "
	    "file)", SLICE_ARG(s->name), why.text);
}
