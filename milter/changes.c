/*
 * changes - two snapshots side by side.
 *
 * A tenant has changed when what was compiled for it differs (a plan in the
 * main file may have changed, not its own file), when its logins and clients
 * do, wherever they stand, or when the bytes of its file do.
 *
 * A limit's name is in the key of its counter, so a limit that was renamed
 * starts at nothing.  That is said where a tenant has lost one and got another
 * of the same kind: somebody who moved a name may not have meant it.
 */
#include "milter/changes.h"

#include <stdlib.h>
#include <string.h>

#include "lib/hash.h"
#include "lib/wire.h"
#include "policy/match.h"
#include "policy/warmup.h"

enum { NAMES_MOST = 4096,	/* bytes of names in one line */
	RENAMED_TOLD = 20 };

/* put_warmup - what its numbers come from */
static void
put_warmup(struct buf *b, const struct warmup *w)
{
	put_field(b, w->schedule->name);
	for (int day = 1; day <= w->schedule->n; day++)
		put_i64(b, schedule_number(w->schedule, day));
	put_i64(b, w->started);
	put_u32(b, (uint32_t)w->first_mail << 16 |
	    (uint32_t)w->require_outcomes << 8 | (uint32_t)w->fast_track);
	put_field(b, w->hours_text);
}

/* put_limit - what it says, not where it stands */
static void
put_limit(struct buf *b, const struct limit *l)
{
	put_field(b, l->name);
	put_u32(b, (uint32_t)l->kind << 24 | (uint32_t)l->count << 16 |
	    (uint32_t)l->over << 8 | (uint32_t)l->shadow << 1 |
	    (l->over_at.file != NULL));
	put_u32(b, l->per);
	put_u64(b, l->to_all ? UINT64_MAX : l->to);
	put_i64(b, l->rate);
	put_i64(b, l->period);
	put_i64(b, l->burst);
	put_i64(b, l->most);
	put_u32(b, (uint32_t)l->unit);
	put_u32(b, (uint32_t)l->month_day);
	put_u32(b, (uint32_t)l->jitter);
	if (l->warmup != NULL && l->part == WARM_DAY)
		put_warmup(b, l->warmup);
}

/* put_identity - of a dkim block */
static void
put_identity(struct buf *b, const struct identity *id)
{
	put_field(b, id->selector);
	put_field(b, id->domain);
	put_field(b, slice_of(id->key_path));
	put_field(b, slice_of(id->trouble));
	put_u32(b, (uint32_t)id->type);
}

/* put_breaker - what trips it, and what then */
static void
put_breaker(struct buf *b, const struct breaker *k)
{
	put_field(b, k->name);
	put_u32(b, (uint32_t)k->when << 16 | (uint32_t)k->action << 8 |
	    (uint32_t)k->off);
	put_u32(b, (uint32_t)k->rate);
	put_i64(b, k->least);
	put_i64(b, k->window);
	put_u32(b, k->per);
	put_limit(b, &k->slow);
}

/* put_stream - what decides about its mail */
static void
put_stream(struct buf *b, const struct stream *s)
{
	put_field(b, s->name);
	put_u32(b, (uint32_t)s->max_recipients);
	put_u32(b, (uint32_t)s->fair_weight);
	put_u32(b, s->shadow << 16 | (uint32_t)s->priority << 12 |
	    (uint32_t)s->return_path << 8 | (uint32_t)s->partial << 4 |
	    (uint32_t)s->then << 1 | s->strip);
	put_u32(b, (uint32_t)s->unsubscribe << 12 |
	    (uint32_t)s->many_recipients << 8 | (uint32_t)s->existing << 4 |
	    (uint32_t)s->feedback_id << 1 | s->list_id);
	put_field(b, s->url);
	put_field(b, s->mailto);
	put_field(b, s->campaign);
	put_field(b, s->cfbl);
	put_u32(b, (uint32_t)s->suppressed);
	put_field(b, s->postal_address);
	put_u32(b, (uint32_t)s->postal);
	put_i64(b, s->hold_max);
	put_u32(b, (uint32_t)s->backoff);
	put_i64(b, s->backoff_max);
	put_field(b, slice_of(s->paused));
	for (size_t i = 0; i < s->nbreakers; i++)
		put_breaker(b, s->breakers[i]);
	for (size_t i = 0; i < s->nlines; i++)
		put_field(b, s->lines[i].text);
	for (size_t i = 0; i < s->nclaim; i++)
		put_field(b, s->claim[i]);
	for (size_t i = 0; i < s->nlimits; i++)
		put_limit(b, s->limits[i]);
	for (size_t i = 0; i < s->nroutes; i++) {
		put_field(b, s->routes[i].pool->name);
		put_u32(b, (uint32_t)s->routes[i].weight);
	}
	for (size_t i = 0; i < s->nidentities; i++)
		put_identity(b, &s->identities[i]);
}

/* digest - of all that was compiled for a tenant; false without memory */
static bool
digest(const struct tenant *t, struct buf *b, uint8_t out[16])
{
	buf_reset(b);
	put_u32(b, (uint32_t)t->form);
	put_u64(b, t->known);
	put_field(b, t->group != NULL ? t->group->name : SLICE_NONE);
	put_field(b, t->group != NULL ? slice_of(t->group->paused) :
	    SLICE_NONE);
	put_field(b, t->class);
	put_field(b, t->contact);
	put_u64(b, (uint64_t)t->value);
	put_field(b, t->bounce_domain);
	put_field(b, slice_of(t->paused));
	for (size_t i = 0; i < t->nstreams; i++)
		put_stream(b, t->streams[i]);
	for (size_t i = 0; i < t->ndomains; i++)
		put_field(b, t->domains[i]);
	if (buf_failed(b))
		return false;
	hash_128(b->data, b->len, out);
	return true;
}

struct names {				/* one line of the summary */
	struct buf	 buf;
	size_t		 n, left_out;
};

/* names_add - until the line is long enough */
static void
names_add(struct names *names, struct slice name)
{
	names->n++;
	if (names->buf.len + name.n > NAMES_MOST) {
		names->left_out++;
		return;
	}
	buf_char(&names->buf, ' ');
	buf_slices(&names->buf, name);
}

/* names_print - "added (2): a b" */
static void
names_print(struct names *names, const char *what, struct buf *out)
{
	if (names->n > 0) {
		buf_printf(out, "%s (%zu):", what, names->n);
		buf_slices(out, buf_slice(&names->buf));
		if (names->left_out > 0)
			buf_printf(out, " and %zu more", names->left_out);
		buf_char(out, '\n');
	}
	buf_free(&names->buf);
}

/* file_changed - remember a path whose bytes are new */
static void
file_changed(void *with, struct slice path, struct slice text)
{
	static char yes;
	struct map *files = with;
	char *copy;

	(void)text;
	if ((copy = strndup(path.p, path.n)) == NULL)
		return;
	if (map_add(files, (struct slice){ copy, path.n }, &yes, NULL) == -1)
		free(copy);
}

/* files_free - the paths and their map */
static void
files_free(struct map *files)
{
	struct slice key;
	void *value;
	size_t at = 0;

	while (files != NULL && map_next(files, &at, &key, &value))
		free((char *)(uintptr_t)key.p);
	map_free(files);
}

/* same - is nothing different for that tenant? */
static bool
same(const struct tenant *a, const struct tenant *b, const struct map *files,
    struct buf *room)
{
	uint8_t x[16], y[16];

	if (files != NULL && b->at.file != NULL &&
	    map_get(files, slice_of(b->at.file)) != NULL)
		return false;
	return digest(a, room, x) && digest(b, room, y) &&
	    memcmp(x, y, sizeof(x)) == 0;
}

/* has_limit - of that kind and name, in any stream */
static bool
has_limit(const struct tenant *t, const struct limit *l)
{
	for (size_t i = 0; i < t->nstreams; i++)
		for (size_t j = 0; j < t->streams[i]->nlimits; j++) {
			const struct limit *own = t->streams[i]->limits[j];

			if (own->kind == l->kind &&
			    slice_eq(own->name, l->name))
				return true;
		}
	return false;
}

/* lost - the first limit of that kind that only the one has */
static const struct limit *
lost(const struct tenant *of, const struct tenant *other, int kind)
{
	for (size_t i = 0; i < of->nstreams; i++)
		for (size_t j = 0; j < of->streams[i]->nlimits; j++) {
			const struct limit *l = of->streams[i]->limits[j];

			/* nobody renames a warmup */
			if ((int)l->kind == kind && l->warmup == NULL &&
			    !has_limit(other,
			    l))
				return l;
		}
	return NULL;
}

/* list_renamed - counters that start anew while others are left behind */
static void
list_renamed(const struct tenant *old, const struct tenant *now,
    struct buf *out, size_t *said)
{
	for (int kind = 0; limit_kind_names[kind] != NULL; kind++) {
		const struct limit *fresh = lost(now, old, kind);
		const struct limit *gone = lost(old, now, kind);

		if (fresh == NULL || gone == NULL || ++*said > RENAMED_TOLD)
			continue;
		buf_printf(out, "%s ", limit_kind_names[kind]);
		buf_slices(out, fresh->name);
		buf_str(out, " of tenant ");
		buf_slices(out, now->name);
		buf_str(out, " is new and starts at 0; ");
		buf_slices(out, gone->name);
		buf_str(out, " is gone with what was spent of it\n");
	}
}

/* list_forms - whose file is not in force as it stands */
static void
list_forms(const struct policy *p, struct buf *out)
{
	struct names kept = { .buf = BUF_INIT }, broken = { .buf = BUF_INIT };

	for (size_t i = 0; i < p->ntenants; i++) {
		if (p->tenants[i]->form == FORM_LAST_GOOD)
			names_add(&kept, p->tenants[i]->name);
		else if (p->tenants[i]->form == FORM_BROKEN)
			names_add(&broken, p->tenants[i]->name);
	}
	names_print(&kept, "kept in their last good form", out);
	names_print(&broken, "broken and deferred", out);
}

/* list_tenants - added, changed, removed */
static void
list_tenants(const struct policy *before, const struct policy *now,
    struct buf *out)
{
	struct names added = { .buf = BUF_INIT }, changed = { .buf = BUF_INIT },
		gone = { .buf = BUF_INIT };
	struct map *files = map_new();
	struct buf room = BUF_INIT, more = BUF_INIT;
	const struct tenant *old;
	size_t renamed = 0;

	if (files != NULL)
		policy_files_since(now, before, file_changed, files);
	for (size_t i = 0; i < now->ntenants; i++) {
		const struct tenant *t = now->tenants[i];

		if ((old = policy_tenant(before, t->name)) == NULL)
			names_add(&added, t->name);
		else if (t->form == FORM_CURRENT && !same(old, t, files, &room))
			names_add(&changed, t->name);
		if (old != NULL && t->form == FORM_CURRENT)
			list_renamed(old, t, &more, &renamed);
	}
	for (size_t i = 0; i < before->ntenants; i++)
		if (policy_tenant(now, before->tenants[i]->name) == NULL)
			names_add(&gone, before->tenants[i]->name);
	names_print(&added, "added", out);
	names_print(&changed, "changed", out);
	names_print(&gone, "removed", out);
	buf_slices(out, buf_slice(&more));
	if (renamed > RENAMED_TOLD)
		buf_printf(out, "and %zu more limits that start at 0\n",
		    renamed - RENAMED_TOLD);
	buf_free(&more);
	buf_free(&room);
	files_free(files);
}

/* changes_text - for the person who asked */
void
changes_text(const struct policy *before, const struct policy *now,
    struct buf *out)
{
	size_t at = out->len;

	if (before == NULL)
		buf_printf(out, "loaded: %zu tenant%s\n", now->ntenants,
		    now->ntenants == 1 ? "" : "s");
	else
		list_tenants(before, now, out);
	list_forms(now, out);
	if (out->len != at)
		return;
	buf_str(out, memcmp(before->hash, now->hash, sizeof(now->hash)) != 0 ?
	    "the main part changed, no tenant's limits, domains or keys\n" :
	    "nothing changed\n");
}

/* problem_lines - those of one severity, while there is room */
static void
problem_lines(const struct problems *problems, bool warning, struct buf *out)
{
	size_t left_out = 0;

	for (const struct problem *p = problems->first; p != NULL;
	    p = p->next) {
		if (p->warning != warning)
			continue;
		if (out->len > CHANGES_MOST) {
			left_out++;
			continue;
		}
		if (p->at.file != NULL)
			buf_printf(out, "%s:%u:%u: ", p->at.file, p->at.line,
			    p->at.col);
		buf_printf(out, "%s: %.1000s\n", warning ? "warning" : "error",
		    p->text);
	}
	if (left_out > 0)
		buf_printf(out, "and %zu more %s\n", left_out,
		    warning ? "warnings" : "errors");
}

/* changes_problems - what is wrong comes before what is not wise */
void
changes_problems(struct problems *problems, struct buf *out)
{
	problems_sort(problems);
	problem_lines(problems, false, out);
	problem_lines(problems, true, out);
}
