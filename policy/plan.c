/*
 * plan - see plan.h.
 *
 * The MTA counts the index of a header among those whose names are equal with
 * case ignored, as they stand at that moment.  Going from the last header to
 * the first, each removal leaves the indexes of those above it as they were.
 *
 * Mail that no tenant sends is not touched, not even a forged X-Penstock-.
 *
 * The header in which a sender may name its tenant is a word to this gate and
 * is always removed; from anybody else it has no meaning and stays.
 *
 * A stream may want the headers removed that select it: all fields of a name
 * that one of its lines looks for, whatever their value, since a word to this
 * gate is no word to the recipient.
 */
#include "policy/plan.h"

#include <string.h>

#include "lib/map.h"
#include "policy/egress.h"

const char *const edit_names[] = { "remove", "insert", "drop recipient",
	"quarantine", "return path", NULL };

/* plan_forged - is it a name that only we may write? */
bool
plan_forged(struct slice name)
{
	static const char head[] = "X-Penstock-";

	return name.n >= sizeof(head) - 1 &&
	    strncasecmp(name.p, head, sizeof(head) - 1) == 0;
}

/* selects - does a header of that name select the stream? */
static bool
selects(const struct stream *s, struct slice name)
{
	const struct match_word *w;

	for (size_t i = 0; i < s->nlines; i++)
		for (w = s->lines[i].words; w < s->lines[i].words +
		    s->lines[i].n; w++)
			if (w->what == MATCH_HEADER && !w->not &&
			    slice_case_eq(w->name, slice_trim(name)))
				return true;
	return false;
}

/* goes - is that header to be removed? */
static bool
goes(const struct mail *mail, const struct carried *carried,
    struct slice name)
{
	const struct stream *s = mail->stream;

	if (mail->tenant == NULL)
		return false;
	if (mail->claimer != NULL && slice_case_eq(slice_trim(name),
	    mail->claimer->header))
		return true;
	return plan_forged(name) || unsubscribe_takes(carried, name) ||
	    (s != NULL && s->strip && s->by_header && selects(s, name));
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

/* indexes_count - of each header that goes among those of its name, from 1 */
static int
indexes_count(const struct header_fact *h, size_t n, const bool *gone,
    unsigned *index, struct arena *arena)
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
		if (!gone[i])
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

/* removals - of the headers that go, the last first */
static int
removals(const struct header_fact *h, size_t n, const bool *gone,
    struct plan *plan, struct arena *arena, struct why *why)
{
	unsigned *index;
	struct edit edit;

	index = arena_array(arena, n, sizeof(*index));
	if (index == NULL || indexes_count(h, n, gone, index, arena) == -1)
		return why_kind(why, WHY_MEMORY,
		    "no memory for the headers of the message");
	while (n-- > 0) {
		if (!gone[n])
			continue;
		edit = (struct edit){ .kind = EDIT_REMOVE, .name = h[n].name,
			.index = index[n] };
		if (edit_add(plan, &edit, arena, why) == -1)
			return -1;
		plan->nremoved++;
	}
	return 0;
}

/* envelope - recipients that may not have it, and whether it is held */
static int
envelope(const struct mail *mail, struct plan *plan, struct arena *arena,
    struct why *why)
{
	struct edit edit;

	for (size_t i = 0; i < mail->nrcpts; i++) {
		if (mail->rcpts[i].verdict != VERDICT_DROP)
			continue;
		edit = (struct edit){ .kind = EDIT_DROP_RCPT,
			.value = mail->rcpts[i].path };
		if (edit_add(plan, &edit, arena, why) == -1)
			return -1;
	}
	edit = (struct edit){ .kind = EDIT_QUARANTINE,
		.value = mail->hold.text };
	if (mail->hold.code != NULL &&
	    edit_add(plan, &edit, arena, why) == -1)
		return -1;
	edit = (struct edit){ .kind = EDIT_RETURN_PATH,
		.value = plan->carried.return_path };
	return edit.value.n > 0 ? edit_add(plan, &edit, arena, why) : 0;
}

/* route - the header that tells Postfix the transport */
static int
route(const struct mail *mail, struct plan *plan, struct arena *arena,
    struct why *why)
{
	struct edit edit = { .kind = EDIT_INSERT, .name = SLICE(PLAN_ROUTE) };

	if (mail->egress == NULL ||
	    mail->egress->pool->select != SELECT_HEADER)
		return 0;
	edit.value = egress_transport(mail, arena);
	if (edit.value.p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a header");
	return edit_add(plan, &edit, arena, why);
}

/* inserts - the headers that are ours, and so are signed */
static int
inserts(struct plan *plan, struct arena *arena, struct why *why)
{
	const struct carried *c = &plan->carried;
	struct edit edit;

	for (size_t i = 0; i < c->n; i++) {
		edit = (struct edit){ .kind = EDIT_INSERT,
			.name = c->fields[i].name,
			.value = c->fields[i].value };
		if (edit_add(plan, &edit, arena, why) == -1)
			return -1;
		plan->left[plan->nleft].name = edit.name;
		plan->left[plan->nleft++].value = edit.value;
	}
	return 0;
}

/* plan_make - everything but the signatures */
int
plan_make(const struct mail *mail, const struct header_fact *h, size_t n,
    struct plan *plan, struct arena *arena, struct why *why)
{
	bool *gone, any = false;
	size_t i;

	memset(plan, 0, sizeof(*plan));
	if (unsubscribe_make(mail, h, n, &plan->carried, arena, why) == -1)
		return -1;
	plan->left = arena_array(arena, n + UNSUBSCRIBE_FIELDS,
	    sizeof(*plan->left));
	gone = arena_array(arena, n > 0 ? n : 1, sizeof(*gone));
	if (plan->left == NULL || gone == NULL)
		return why_kind(why, WHY_MEMORY,
		    "no memory for the headers of the message");
	for (i = 0; i < n; i++) {
		gone[i] = goes(mail, &plan->carried, h[i].name);
		any = any || gone[i];
		if (gone[i])
			continue;
		plan->left[plan->nleft].name = slice_trim(h[i].name);
		plan->left[plan->nleft++].value = h[i].value;
	}
	if (any && removals(h, n, gone, plan, arena, why) == -1)
		return -1;
	return envelope(mail, plan, arena, why) == -1 ||
	    route(mail, plan, arena, why) == -1 ? -1 :
	    inserts(plan, arena, why);
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
