/*
 * compile_breaker - what stops a tenant's own mail when too much goes wrong.
 *
 * A block is whole: of one name the nearest holds, and none of its lines come
 * from further out, since a rate without the window and the least number that
 * it was thought with says nothing.  All of them count each tenant apart: a
 * breaker that one tenant trips for another would be a weapon.
 */
#include "policy/build.h"

#include <stdlib.h>

#include "lib/clock.h"
#include "lib/scan.h"
#include "lib/text.h"

enum { BREAKERS_MAX = 16 };
#define WINDOW_LEAST	CLOCK_MINUTE
#define WINDOW_MOST	(7 * CLOCK_DAY)

/* percent - "8%" or "0.25%" in hundredths of a percent; 0: it is none */
static int
percent(struct slice s)
{
	int n = 0, decimals = -1;

	if (s.n < 2 || s.p[s.n - 1] != '%' || s.p[0] == '.')
		return 0;
	for (size_t i = 0; i + 1 < s.n; i++) {
		if (s.p[i] == '.' && decimals == -1) {
			decimals = 0;
			continue;
		}
		if (s.p[i] < '0' || s.p[i] > '9' || n > 10000 ||
		    decimals == 2)
			return 0;
		n = n * 10 + (s.p[i] - '0');
		decimals += decimals >= 0;
	}
	for (decimals = decimals < 0 ? 0 : decimals; decimals < 2; decimals++)
		n *= 10;
	return n <= 10000 ? n : 0;
}

/* set_rate - how much is too much */
static void
set_rate(struct build *b, struct breaker *k, const struct value *v,
    struct problems *problems)
{
	struct quoted q;

	k->rate_text = build_copy(b, b->keep, v->text);
	k->off = slice_is(v->text, "none");
	if (!k->off && (k->rate = percent(v->text)) == 0)
		problem_error(problems, v->at, "rate: expected a part such as "
		    "\"8%%\" or \"0.25%%\", at most 100%%, or \"none\", found "
		    "%s", text_quote(v->text, &q));
}

/* set_window - how far back */
static void
set_window(struct breaker *k, const struct value *v,
    struct problems *problems)
{
	struct quoted q;
	struct why why;

	if (scan_duration(v->text, &k->window, &why) == -1)
		problem_error(problems, v->at, "window: %s", why.text);
	else if (k->window < WINDOW_LEAST || k->window > WINDOW_MOST)
		problem_error(problems, v->at, "window: %s is not between a "
		    "minute and 7 days", text_quote(v->text, &q));
}

/* set_per - what is judged apart */
static void
set_per(struct breaker *k, const struct value *v, struct problems *problems)
{
	const struct value *items;
	struct quoted q;
	size_t n;

	items = build_items(v, &n);
	for (size_t i = 0; i < n; i++) {
		if (slice_is(items[i].text, "stream"))
			k->per |= PER_STREAM;
		else if (slice_is(items[i].text, "login"))
			k->per |= PER_LOGIN;
		else if (!slice_is(items[i].text, "tenant"))
			problem_error(problems, items[i].at, "per: a breaker "
			    "judges apart tenant, stream, login, not %s",
			    text_quote(items[i].text, &q));
	}
}

/* set_slow - as a throttle that stands nowhere else */
static void
set_slow(struct build *b, struct breaker *k, struct slice text,
    struct place at, struct problems *problems)
{
	struct rate rate;
	struct why why;

	if (scan_rate(text, &rate, &why) == -1) {
		problem_error(problems, at, "slow: %s", why.text);
		return;
	}
	k->slow.rate = rate.n;
	k->slow.period = rate.period;
	k->slow.burst = rate.n >= 120 ? rate.n / 60 : 1;
	k->slow.text = build_copy(b, b->keep, text);
}

/* set_one - one line of the block */
static void
set_one(struct build *b, struct breaker *k, const struct keyword *row,
    const struct value *v, struct problems *problems)
{
	struct why why;

	switch (row->id) {
	case WORD_WHEN:
		k->when = (enum breaker_when)choice_index(row, v);
		break;
	case WORD_BREAKER_RATE:
		set_rate(b, k, v, problems);
		break;
	case WORD_LEAST:		/* keyword_check has read it */
		(void)scan_count(v->text, row->least, row->most, &k->least,
		    &why);
		break;
	case WORD_WINDOW:
		set_window(k, v, problems);
		break;
	case WORD_PER:
		set_per(k, v, problems);
		break;
	case WORD_ACTION:
		k->action = (enum breaker_action)choice_index(row, v);
		break;
	case WORD_SLOW:
		set_slow(b, k, v->text, v->at, problems);
		break;
	default:
		break;
	}
}

/* breaker - one block */
static const struct breaker *
breaker(struct build *b, const struct scope *scope, const struct node *node,
    struct problems *problems)
{
	struct breaker *k = build_alloc(b, b->keep, 1, sizeof(*k));
	const char *name;

	if (k == NULL || !build_name(node, &k->name, problems))
		return NULL;
	*k = (struct breaker){ .name = build_copy(b, b->keep, k->name),
	    .least = 10, .window = CLOCK_HOUR, .at = node->at,
	    .per = PER_TENANT | (scope->in_stream ? PER_STREAM : 0),
	    .slow = { .kind = LIMIT_THROTTLE, .to_all = true, .at = node->at,
	    .over = OVER_DEFER, .over_at = node->at } };
	set_slow(b, k, SLICE("60/hour"), node->at, problems);
	keyword_duplicates(node->child, problems);
	for (struct node *n = node->child; n != NULL; n = n->next) {
		const struct keyword *row = words_check(n, IN_BREAKER,
		    problems);

		if (row != NULL)
			set_one(b, k, row, &n->value, problems);
	}
	if (k->rate_text.p == NULL)
		problem_error(problems, node->at, "breaker \"%.*s\" has no "
		    "rate; write rate = \"8%%\"", SLICE_ARG(k->name));
	/* no limit of a file can be named like that */
	name = build_printf(b, b->keep, "breaker %.*s", SLICE_ARG(k->name));
	k->slow.name = slice_of(name);
	k->slow.per = k->per;
	return k;
}

/* compile_breakers - all blocks of a level or of a stream */
void
compile_breakers(struct build *b, struct scope *scope,
    const struct node *chain, struct problems *problems)
{
	struct stream *said = &scope->said;
	const struct breaker *k;
	size_t n = 0;

	for (const struct node *c = chain; c != NULL; c = c->next)
		if (c->type == NODE_BLOCK && c->ntitles == 1 &&
		    slice_is(c->name, "breaker") && ++n == BREAKERS_MAX + 1)
			problem_error(problems, c->at, "more than %d breakers "
			    "in one block", BREAKERS_MAX);
	if (n == 0 || n > BREAKERS_MAX || (said->breakers = build_alloc(b,
	    b->keep, n, sizeof(*said->breakers))) == NULL)
		return;
	scope->says = true;
	for (const struct node *c = chain; c != NULL; c = c->next)
		if (c->type == NODE_BLOCK && c->ntitles == 1 &&
		    slice_is(c->name, "breaker") && (k = breaker(b, scope, c,
		    problems)) != NULL)
			said->breakers[said->nbreakers++] = k;
}

/* compose_breakers - a nearer level's over those there are, by name */
void
compose_breakers(struct build *b, struct stream *to,
    const struct stream *from)
{
	const struct breaker **all;
	size_t i, j, n = to->nbreakers;

	if (from->nbreakers == 0 || (all = build_alloc(b, b->keep, n +
	    from->nbreakers, sizeof(*all))) == NULL)
		return;
	for (i = 0; i < n; i++)
		all[i] = to->breakers[i];
	for (i = 0; i < from->nbreakers; i++) {
		for (j = 0; j < n; j++)
			if (slice_eq(all[j]->name, from->breakers[i]->name))
				break;
		all[j] = from->breakers[i];
		n += j == n;
	}
	to->breakers = all;
	to->nbreakers = n;
}
