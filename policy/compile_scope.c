/*
 * compile_scope - what may stand at every level of the language, and the
 * streams of a level.
 *
 * A value is remembered with its place; whether a nearer level says it again
 * is not asked here.  "mode" and "shadow" are two ways to write one value.
 */
#include "policy/build.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/scan.h"
#include "lib/text.h"

#define LINES_MAX	256		/* of a match */
#define HOLD_LEAST	CLOCK_MINUTE
#define HOLD_MOST	(72 * CLOCK_HOUR)
#define BACKOFF_LEAST	CLOCK_MINUTE
#define BACKOFF_MOST	CLOCK_DAY

/* shadow_part - one of a set */
static unsigned
shadow_part(const struct value *v, struct problems *problems)
{
	char near[128];
	struct quoted q;

	for (unsigned i = 0; shadow_names[i] != NULL; i++)
		if (slice_is(v->text, shadow_names[i]))
			return 1u << i;
	build_near(shadow_names, v->text, near, sizeof(near));
	problem_error(problems, v->at, "shadow: unknown part %s%s",
	    text_quote(v->text, &q), near[0] != '\0' ? near : "; expected "
	    "\"limits\", \"ownership\", \"require\" or \"suppression\"");
	return 0;
}

/* set_shadow - mode = "shadow" is shadow = all parts there are */
static void
set_shadow(struct stream *said, const struct node *node,
    const struct keyword *row, struct problems *problems)
{
	const struct value *v = &node->value;
	char first[PATH_ROOM];

	if (said->shadow_at.file != NULL) {
		problem_error(problems, node->at, "mode and shadow say the "
		    "same thing twice; the other stands at %s",
		    build_place(said->shadow_at, first, sizeof(first)));
		return;
	}
	said->shadow_at = node->at;
	if (row->id == WORD_MODE) {
		said->shadow = choice_index(row, v) == 1 ? SHADOW_ALL : 0;
		return;
	}
	said->shadow = 0;
	for (size_t i = 0; i < v->nitems; i++)
		said->shadow |= shadow_part(&v->items[i], problems);
}

/* set_hold - how long a message may be held */
static void
set_hold(struct build *b, struct stream *said, const struct node *node,
    struct problems *problems)
{
	const struct value *v = &node->value;
	struct quoted q;
	struct why why;

	said->hold_max_at = node->at;
	if (scan_duration(v->text, &said->hold_max, &why) == -1)
		problem_error(problems, v->at, "hold_max: %s", why.text);
	else if (said->hold_max < HOLD_LEAST || said->hold_max > HOLD_MOST)
		problem_error(problems, v->at, "hold_max: %s is not between a "
		    "minute and 72 hours; Postfix's own queue gives mail up "
		    "after some days", text_quote(v->text, &q));
	else if (said->hold_max >= b->policy->queue_lifetime - CLOCK_DAY)
		problem_error(problems, v->at, "hold_max: %s and a day for its "
		    "delivery are not less than maximal_queue_lifetime, %lld "
		    "hours: Postfix would give up what has just been let go",
		    text_quote(v->text, &q),
		    (long long)(b->policy->queue_lifetime / CLOCK_HOUR));
}

/* set_backoff_max - how long a provider may keep mail waiting */
static void
set_backoff_max(struct stream *said, const struct node *node,
    struct problems *problems)
{
	const struct value *v = &node->value;
	struct quoted q;
	struct why why;

	said->backoff_max_at = node->at;
	if (scan_duration(v->text, &said->backoff_max, &why) == -1)
		problem_error(problems, v->at, "backoff_max: %s", why.text);
	else if (said->backoff_max < BACKOFF_LEAST ||
	    said->backoff_max > BACKOFF_MOST)
		problem_error(problems, v->at, "backoff_max: %s is not between "
		    "a minute and 24 hours", text_quote(v->text, &q));
}

/* set_match - the lines of a stream */
static void
set_match(struct build *b, struct stream *said, const struct node *node,
    struct problems *problems)
{
	const struct value *items;
	struct match_line *lines;
	size_t n;

	items = build_items(&node->value, &n);
	said->match_at = node->at;
	if (n == 0 || n > LINES_MAX) {
		problem_error(problems, node->value.at, n == 0 ? "match is "
		    "empty: no mail would be in this stream" : "match has "
		    "more than %d lines", LINES_MAX);
		return;
	}
	if ((lines = build_alloc(b, b->keep, n, sizeof(*lines))) == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		if (match_parse(items[i].text, items[i].at, b->keep,
		    &lines[i], problems) == -1) {
			b->nomem = true;
			return;
		}
		for (size_t j = 0; j < lines[i].n; j++)
			said->by_header = said->by_header ||
			    lines[i].words[j].what == MATCH_HEADER;
	}
	said->lines = lines;
	said->nlines = n;
}

/* set_claim - whose headers count */
static void
set_claim(struct build *b, struct stream *said, const struct node *node,
    struct problems *problems)
{
	const struct value *v = &node->value;
	struct slice text;

	said->claim_at = node->at;
	if (v->nitems == 0)
		problem_error(problems, v->at, "claim is empty: nobody could "
		    "select the stream by a header; leave it out instead");
	said->claim = build_alloc(b, b->keep, v->nitems,
	    sizeof(*said->claim));
	said->nclaim = 0;
	for (size_t i = 0; said->claim != NULL && i < v->nitems; i++)
		if (compile_login_text(b, "claim", &v->items[i], &text,
		    problems))
			said->claim[said->nclaim++] = text;
}

/* set_of_stream - what stands in streams only; false: something else */
static bool
set_of_stream(struct build *b, struct scope *scope, const struct node *node,
    const struct keyword *row, struct problems *problems)
{
	struct stream *said = &scope->said;

	switch (row->id) {
	case WORD_MATCH:
		if (slice_is(scope->name, "default"))
			problem_error(problems, node->at, "stream \"default\" "
			    "has all mail that no other stream has; it takes "
			    "no match");
		else
			set_match(b, said, node, problems);
		return true;
	case WORD_STRIP:
		said->strip_at = node->at;
		said->strip = choice_index(row, &node->value) == 1;
		return true;
	case WORD_CLAIM:
		set_claim(b, said, node, problems);
		return true;
	case WORD_PAUSED:
		said->paused_at = node->at;
		if (build_reply_text(node, problems))
			said->paused = build_copy(b, b->keep,
			    node->value.text).p;
		return true;
	default:
		return false;
	}
}

/* compile_said - one value */
bool
compile_said(struct build *b, struct scope *scope, const struct node *node,
    const struct keyword *row, struct problems *problems)
{
	struct stream *said = &scope->said;
	const struct value *v = &node->value;

	scope->says = true;		/* or it is the caller's word */
	switch (row->id) {
	case WORD_MODE:
	case WORD_SHADOW:
		set_shadow(said, node, row, problems);
		return true;
	case WORD_MAX_RECIPIENTS:
		said->max_recipients_at = node->at;
		said->max_recipients = atoi(v->text.p);	/* 1 to 10^6 */
		return true;
	case WORD_FAIR_WEIGHT:
		said->fair_weight_at = node->at;
		said->fair_weight = atoi(v->text.p);	/* 1 to 1000 */
		return true;
	case WORD_PARTIAL:
		said->partial_at = node->at;
		said->partial = choice_index(row, v) == 1 ?
		    PARTIAL_ALL_OR_NONE : PARTIAL_ALLOW;
		return true;
	case WORD_THEN:
		said->then_at = node->at;
		said->then = choice_index(row, v) == 1 ? OVER_REFUSE :
		    OVER_DEFER;
		return true;
	case WORD_SUPPRESSED:
		said->suppressed_at = node->at;
		said->suppressed = (enum suppressed)choice_index(row, v);
		return true;
	case WORD_COMPLAINT_SCOPE:
		said->complaint_scope_at = node->at;
		said->complaint_scope =
		    (enum complaint_scope)choice_index(row, v);
		return true;
	case WORD_HOLD_MAX:
		set_hold(b, said, node, problems);
		return true;
	case WORD_BACKOFF:
		said->backoff_at = node->at;
		said->backoff = (enum heed)choice_index(row, v);
		return true;
	case WORD_BACKOFF_MAX:
		set_backoff_max(said, node, problems);
		return true;
	case WORD_PRIORITY:
		said->priority_at = node->at;
		said->priority = (enum priority)choice_index(row, v);
		return true;
	case WORD_RETURN_PATH:
		said->return_path_at = node->at;
		said->return_path = (enum return_path)choice_index(row, v);
		return true;
	default:
		return compile_carried(b, scope, node, row, problems) ||
		    (scope->in_stream && set_of_stream(b, scope, node, row,
		    problems));
	}
}

/* is_titled - a block of that name with its one title */
static bool
is_titled(const struct node *node, const char *word)
{
	return node->type == NODE_BLOCK && node->ntitles == 1 &&
	    slice_is(node->name, word);
}

/* route - a pool that mail would leave by; false: it is no good */
static bool
route(struct build *b, const struct node *node, struct route *out,
    struct problems *problems)
{
	struct slice name = node->titles[0].text;
	char near[128];
	struct quoted q;

	*out = (struct route){ .pool = map_get(b->pools, name), .weight = 1,
	    .at = node->at };
	for (struct node *n = node->child; n != NULL; n = n->next)
		if (words_check(n, IN_ROUTE, problems) != NULL)
			out->weight = atoi(n->value.text.p); /* 1 to 10^6 */
	keyword_duplicates(node->child, problems);
	if (out->pool == NULL) {
		problem_error(problems, node->titles[0].at,
		    "there is no pool %s%s", text_quote(name, &q),
		    build_nearest(b->pools, name, near, sizeof(near)));
		return false;
	}
	return true;
}

/* routes - all pools of a block; together they replace those further out */
static void
routes(struct build *b, struct scope *scope, const struct node *chain,
    struct problems *problems)
{
	struct route *all;
	size_t n = 0, good = 0;

	for (const struct node *c = chain; c != NULL; c = c->next)
		n += is_titled(c, "pool");
	if (n == 0 || scope->level == LEVEL_GROUP ||
	    (scope->level == LEVEL_FILE && !scope->in_stream) ||
	    (all = build_alloc(b, b->keep, n, sizeof(*all))) == NULL)
		return;
	for (const struct node *c = chain; c != NULL; c = c->next)
		if (is_titled(c, "pool") && route(b, c, &all[good], problems))
			good++;
	scope->says = true;
	scope->said.routes = all;
	scope->said.nroutes = good;
}

/* stream_id - two streams of one id would share their counters */
static void
stream_id(struct build *b, struct stream *said, struct place at,
    struct problems *problems)
{
	const struct stream *other;
	struct stream *first;
	void *was = NULL;
	struct slice key;

	said->id = hash_id("stream", said->name);
	key = (struct slice){ (const char *)&said->id, sizeof(said->id) };
	if ((other = map_get(b->stream_ids, key)) == NULL) {
		if ((first = build_alloc(b, b->work, 1, sizeof(*first))) ==
		    NULL)
			return;
		*first = *said;
		key.p = (const char *)&first->id;
		if (map_add(b->stream_ids, key, first, &was) == -1)
			b->nomem = true;
	} else if (!slice_eq(other->name, said->name)) {
		problem_error(problems, at, "stream \"%.*s\" and stream "
		    "\"%.*s\" hash to the same id; rename one of them",
		    SLICE_ARG(said->name), SLICE_ARG(other->name));
	}
}

/* foreign_keys - keys are of a tenant's domains */
static void
foreign_keys(const struct scope *scope, const struct node *chain,
    struct problems *problems)
{
	for (const struct node *n = chain; n != NULL; n = n->next)
		if (scope->level != LEVEL_TENANT && is_titled(n, "dkim"))
			problem_error(problems, n->at, "dkim cannot stand in "
			    "this stream; a key is of a tenant's domain: "
			    "write it in the stream of that tenant");
}

/* stream - one block of a level */
static void
stream(struct build *b, const struct scope *level, const struct node *node,
    struct scope *out, struct problems *problems)
{
	unsigned errors = problems->errors;

	*out = (struct scope){ .level = level->level, .in_stream = true,
	    .at = node->at, .arena = level->arena };
	if (build_name(node, &out->name, problems))
		out->name = build_copy(b, b->keep, out->name);
	out->said.name = out->name;
	stream_id(b, &out->said, node->at, problems);
	compile_duplicates(b, node->child, problems);
	for (struct node *n = node->child; n != NULL; n = n->next) {
		const struct keyword *row = words_check(n, IN_STREAM,
		    problems);

		if (row != NULL && row->type != KEYWORD_BLOCK)
			(void)compile_said(b, out, n, row, problems);
	}
	foreign_keys(level, node->child, problems);
	compile_blocks(b, out, node->child, problems);
	out->faulty = problems->errors > errors;
}

/* compile_blocks - limits, pools and streams */
void
compile_blocks(struct build *b, struct scope *scope,
    const struct node *chain, struct problems *problems)
{
	size_t n = 0;

	compile_drafts(b, scope, chain, problems);
	routes(b, scope, chain, problems);
	compile_breakers(b, scope, chain, problems);
	if (scope->in_stream)
		return;
	compile_unsubscribe(b, scope, chain, problems);
	for (const struct node *c = chain; c != NULL; c = c->next)
		if (is_titled(c, "stream") && ++n == STREAMS_MAX + 1)
			problem_error(problems, c->at, "more than %d streams "
			    "in one block", STREAMS_MAX);
	if (n == 0 || n > STREAMS_MAX || (scope->streams = build_alloc(b,
	    scope->arena, n, sizeof(*scope->streams))) == NULL)
		return;
	for (const struct node *c = chain; c != NULL; c = c->next)
		if (is_titled(c, "stream"))
			stream(b, scope, c, &scope->streams[scope->nstreams++],
			    problems);
}
