/*
 * plan - see plan.h.
 *
 * The MTA counts the index of a header among those whose names are equal with
 * case ignored, as they stand at that moment.  Going from the last header to
 * the first, each removal leaves the indexes of those above it as they were.
 *
 * Mail that no tenant sends is not touched, not even a forged X-Penstock-.
 */
#include "policy/plan.h"

#include <string.h>

#include "lib/map.h"

/* plan_forged - is it a name that only we may write? */
bool
plan_forged(struct slice name)
{
	static const char head[] = "X-Penstock-";

	return name.n >= sizeof(head) - 1 &&
	    strncasecmp(name.p, head, sizeof(head) - 1) == 0;
}

/* lower - a name in small letters, to count by */
static struct slice
lower(struct arena *arena, struct slice name)
{
	struct slice copy = arena_copy(arena, slice_trim(name));
	char *p = (char *)(uintptr_t)copy.p;
	size_t i;

	for (i = 0; p != NULL && i < copy.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] - 'A' + 'a');
	return copy;
}

/* indexes_count - of each forged header among those of its name, from 1 */
static int
indexes_count(const struct header_fact *h, size_t n, unsigned *index,
    struct arena *arena)
{
	struct map *seen = NULL;
	struct slice name;
	unsigned *last;
	size_t i;
	int ret = -1;

	seen = map_new();
	if (seen == NULL)
		goto out;
	for (i = 0; i < n; i++) {
		if (!plan_forged(h[i].name))
			continue;
		name = lower(arena, h[i].name);
		if (name.p == NULL)
			goto out;
		last = map_get(seen, name);
		index[i] = last != NULL ? *last + 1 : 1;
		if (map_set(seen, name, &index[i]) == -1)
			goto out;
	}
	ret = 0;
out:
	map_free(seen);
	return ret;
}

/* edit_add - one more */
static int
edit_add(struct plan *plan, const struct edit *edit, struct arena *arena,
    struct why *why)
{
	size_t cap;
	struct edit *to;

	if (plan->n == plan->cap) {
		cap = plan->cap > 0 ? plan->cap * 2 : 8;
		to = arena_array(arena, cap, sizeof(*to));
		if (to == NULL)
			return why_kind(why, WHY_MEMORY,
			    "no memory for the edits of the message");
		if (plan->n > 0)
			memcpy(to, plan->edits, plan->n * sizeof(*to));
		plan->edits = to;
		plan->cap = cap;
	}
	plan->edits[plan->n++] = *edit;
	return 0;
}

/* plan_make - everything but the signatures */
int
plan_make(const struct mail *mail, const struct header_fact *h, size_t n,
    struct plan *plan, struct arena *arena, struct why *why)
{
	struct edit edit;
	unsigned *index = NULL;
	bool ours = mail->tenant != NULL;
	size_t i, nforged = 0;

	memset(plan, 0, sizeof(*plan));
	for (i = 0; ours && i < n; i++)
		nforged += plan_forged(h[i].name);
	plan->left = arena_array(arena, n > 0 ? n : 1, sizeof(*plan->left));
	if (nforged > 0)
		index = arena_array(arena, n, sizeof(*index));
	if (plan->left == NULL || (nforged > 0 && (index == NULL ||
	    indexes_count(h, n, index, arena) == -1)))
		return why_kind(why, WHY_MEMORY,
		    "no memory for the headers of the message");
	for (i = n; nforged > 0 && i-- > 0;) {
		if (!plan_forged(h[i].name))
			continue;
		edit = (struct edit){ .kind = EDIT_REMOVE, .name = h[i].name,
			.index = index[i] };
		if (edit_add(plan, &edit, arena, why) == -1)
			return -1;
	}
	for (i = 0; i < n; i++) {
		if (ours && plan_forged(h[i].name))
			continue;
		plan->left[plan->nleft].name = slice_trim(h[i].name);
		plan->left[plan->nleft++].value = h[i].value;
	}
	for (i = 0; i < mail->nrcpts; i++) {
		if (mail->rcpts[i].verdict != VERDICT_DROP)
			continue;
		edit = (struct edit){ .kind = EDIT_DROP_RCPT,
			.value = mail->rcpts[i].to.text };
		if (edit_add(plan, &edit, arena, why) == -1)
			return -1;
	}
	return 0;
}

/* plan_signature - on top of all */
int
plan_signature(struct plan *plan, struct slice value, struct arena *arena,
    struct why *why)
{
	struct edit edit = { .kind = EDIT_INSERT,
		.name = SLICE("DKIM-Signature"), .value = value };

	return edit_add(plan, &edit, arena, why);
}
