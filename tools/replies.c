/*
 * replies - what remote servers said of late, the same sayings counted.
 *
 * Some records at a time, so that the store is not held while it counts.  At
 * most SAYINGS different ones are told apart; a stranger who makes more gets
 * one line for the rest.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/map.h"
#include "lib/scan.h"
#include "reputation/outcome.h"
#include "reputation/wording.h"
#include "tools/tool.h"

enum { BATCH = 256, SAYINGS = 20000, SHOWN = 30, BELOW = 10 };

static const char usage[] = "penstock replies [--provider NAME] "
    "[--domain NAME] [--tenant NAME]\n"
    "                        [--kind KIND] [--since TIME] [--all] [--json]";

struct saying {
	struct slice	text, sample, provider, category, action, rule;
	enum outcome_kind kind;
	uint64_t	count;
	int64_t		first, last;
};

struct replies {
	const char	*provider, *domain, *tenant, *since;
	int		 kind;		/* -1: all but delivered */
	bool		 all, json;
	int64_t		 from;
	struct arena	*arena;		/* of sayings */
	struct map	*map;
	struct saying	**list;
	size_t		 n;
	uint64_t	 total, rest;
};

/* kind_of - by its name, or -2 */
static int
kind_of(const char *name)
{
	for (int i = 0; outcome_kind_names[i] != NULL; i++)
		if (strcmp(outcome_kind_names[i], name) == 0)
			return i;
	return -2;
}

/* options - false: usage */
static bool
options(struct replies *r, int argc, char **argv)
{
	const char *kind = NULL;

	for (int i = 0; i < argc; i++) {
		const char **to = NULL;

		if (strcmp(argv[i], "--json") == 0)
			r->json = true;
		else if (strcmp(argv[i], "--all") == 0)
			r->all = true;
		else if (strcmp(argv[i], "--provider") == 0)
			to = &r->provider;
		else if (strcmp(argv[i], "--domain") == 0)
			to = &r->domain;
		else if (strcmp(argv[i], "--tenant") == 0)
			to = &r->tenant;
		else if (strcmp(argv[i], "--kind") == 0)
			to = &kind;
		else if (strcmp(argv[i], "--since") == 0)
			to = &r->since;
		else
			return false;
		if (to != NULL && ++i >= argc)
			return false;
		if (to != NULL)
			*to = argv[i];
	}
	r->kind = kind != NULL ? kind_of(kind) : -1;
	return r->kind != -2;
}

/* wanted - does it count? */
static bool
wanted(const struct replies *r, const struct outcome *x)
{
	return x->time >= r->from && x->reply.n > 0 &&
	    (r->kind >= 0 ? (int)x->kind == r->kind :
	    x->kind != OUTCOME_DELIVERED) &&
	    (r->provider == NULL || slice_is(x->provider, r->provider)) &&
	    (r->domain == NULL || slice_is(x->domain, r->domain)) &&
	    (r->tenant == NULL || slice_is(x->tenant, r->tenant));
}

/* remember - a saying that was not heard yet */
static struct saying *
remember(struct replies *r, struct slice key, struct slice text,
    const struct outcome *x)
{
	struct saying *s = arena_alloc(r->arena, sizeof(*s));
	struct slice kept = arena_copy(r->arena, key);

	if (s == NULL || kept.p == NULL)
		return NULL;
	s->text = arena_copy(r->arena, text);
	s->sample = arena_copy(r->arena, x->reply);
	s->provider = arena_copy(r->arena, x->provider);
	s->category = arena_copy(r->arena, x->category);
	s->action = arena_copy(r->arena, x->action);
	s->rule = arena_copy(r->arena, x->rule);
	s->kind = x->kind;
	s->first = s->last = x->time;
	if (map_set(r->map, kept, s) == -1)
		return NULL;
	r->list[r->n++] = s;
	return s;
}

/* count - one reply; -1: no memory */
static int
count(struct replies *r, const struct outcome *x)
{
	char text[WORDING_MAX], key[WORDING_MAX + 80];
	size_t n = wording_of(x->reply, text);
	size_t provider = x->provider.n < 64 ? x->provider.n : 64;
	struct saying *s;

	key[0] = (char)x->kind;
	memcpy(key + 1, x->provider.p, provider);
	key[1 + provider] = '\0';
	memcpy(key + 2 + provider, text, n);
	r->total++;
	s = map_get(r->map, (struct slice){ key, n + 2 + provider });
	if (s == NULL && r->n == SAYINGS) {
		r->rest++;
		return 0;
	}
	if (s == NULL && (s = remember(r, (struct slice){ key,
	    n + 2 + provider }, (struct slice){ text, n }, x)) == NULL)
		return -1;
	s->count++;
	if (x->time < s->first)
		s->first = x->time;
	if (x->time > s->last)
		s->last = x->time;
	return 0;
}

/* gather - all of the time that is asked for */
static int
gather(struct replies *r, struct outcomes *o, struct why *why)
{
	struct outcome *list = calloc(BATCH, sizeof(*list));
	struct arena *arena = arena_new(1 << 18, 0);
	uint64_t at, last;
	size_t got = 1;
	int rc = -1;

	if (list == NULL || arena == NULL) {
		why_kind(why, WHY_MEMORY, "out of memory");
		goto out;
	}
	if (outcomes_span(o, r->from, INT64_MAX, &at, &last, why) == -1)
		goto out;
	while (at <= last && got > 0) {
		arena_reset(arena);
		if (outcomes_read(o, at, BATCH, arena, list, &got, why) == -1)
			goto out;
		for (size_t i = 0; i < got; i++) {
			at = list[i].seq + 1;
			if (wanted(r, &list[i]) && count(r, &list[i]) == -1) {
				why_kind(why, WHY_MEMORY, "out of memory");
				goto out;
			}
		}
	}
	rc = 0;
out:
	arena_free(arena);
	free(list);
	return rc;
}

/* by_count - the most frequent first, then by text */
static int
by_count(const void *a, const void *b)
{
	const struct saying *x = *(struct saying *const *)a;
	const struct saying *y = *(struct saying *const *)b;
	size_t n = x->text.n < y->text.n ? x->text.n : y->text.n;
	int order;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	order = memcmp(x->text.p, y->text.p, n);
	return order != 0 ? order : (x->text.n > y->text.n) -
	    (x->text.n < y->text.n);
}

/* put_member - JSON: "name":"text", */
static void
put_member(struct buf *b, const char *name, struct slice text)
{
	buf_printf(b, "\"%s\":", name);
	buf_json(b, text);
	buf_char(b, ',');
}

/* print_json - one object a line */
static void
print_json(const struct replies *r)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < r->n; i++) {
		const struct saying *s = r->list[i];

		buf_reset(&b);
		buf_printf(&b, "{\"count\":%" PRIu64 ",", s->count);
		put_member(&b, "kind", slice_of(outcome_kind_names[s->kind]));
		put_member(&b, "provider", s->provider);
		put_member(&b, "category", s->category);
		put_member(&b, "action", s->action);
		put_member(&b, "rule", s->rule);
		put_member(&b, "text", s->text);
		put_member(&b, "sample", s->sample);
		buf_str(&b, "\"first\":\"");
		event_time(s->first, &b);
		buf_str(&b, "\",\"last\":\"");
		event_time(s->last, &b);
		buf_str(&b, "\"}\n");
		fwrite(b.data, 1, b.len, stdout);
	}
	buf_free(&b);
}

/* print_eyes - a table, and the text below each row */
static void
print_eyes(const struct replies *r)
{
	size_t shown = r->all || r->n < SHOWN ? r->n : SHOWN;
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < shown; i++) {
		const struct saying *s = r->list[i];

		printf("%8" PRIu64 "  %-9s  %-16.*s  %.*s%s%.*s\n%*s",
		    s->count, outcome_kind_names[s->kind],
		    SLICE_ARG(s->provider), SLICE_ARG(s->category),
		    s->action.n > 0 ? ", " : "", SLICE_ARG(s->action),
		    BELOW, "");
		buf_reset(&b);
		tool_wrap(&b, BELOW, s->text);
		printf("%.*s\n", (int)b.len, b.len > 0 ? b.data : "");
	}
	buf_free(&b);
	if (shown < r->n)
		printf("%zu more sayings: --all\n", r->n - shown);
	if (r->rest > 0)
		printf("%" PRIu64 " replies more in sayings that were not "
		    "told apart\n", r->rest);
	printf("%" PRIu64 " repl%s in %zu saying%s\n", r->total,
	    r->total == 1 ? "y" : "ies", r->n, r->n == 1 ? "" : "s");
}

/* run - with a store */
static int
run(struct replies *r, struct outcomes *o)
{
	struct why why;

	r->arena = arena_new(1 << 16, 0);
	r->map = map_new();
	r->list = calloc(SAYINGS, sizeof(*r->list));
	if (r->arena == NULL || r->map == NULL || r->list == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	if (r->since == NULL)
		r->from = clock_wall() - CLOCK_DAY;
	else if (scan_moment(slice_of(r->since), NULL, clock_wall(), &r->from,
	    &why) == -1)
		return tool_fail(TOOL_USAGE, "--since: %s", why.text);
	if (gather(r, o, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	qsort(r->list, r->n, sizeof(*r->list), by_count);
	if (r->json)
		print_json(r);
	else
		print_eyes(r);
	return TOOL_OK;
}

/* tool_replies - of the last day unless told */
int
tool_replies(const struct tool *tool, int argc, char **argv)
{
	struct replies r = { .kind = -1 };
	struct outcomes *o = NULL;
	struct config *config;
	int status;

	if (tool_asks_help(argc, argv))
		return tool_help(usage);
	if (!options(&r, argc, argv))
		return tool_usage(usage);
	if ((status = tool_config(tool, &config)) != TOOL_OK)
		return status;
	if ((status = tool_outcomes(config, &o)) == TOOL_OK)
		status = run(&r, o);
	outcomes_close(o);
	map_free(r.map);
	arena_free(r.arena);
	free(r.list);
	config_free(config);
	return status;
}
