/*
 * adopt - a tenant file that was renamed and broken at once finds its last
 * good form under the name that it had.
 *
 * A form is kept under the path of its file.  Where a broken file has none, and
 * names a tenant that stands in a form whose file is gone, it is that file
 * under another name, and goes on with that form.  Not so when any tenant of
 * the form stands in a file that can be used: he moved there, and nobody may
 * take him back.  The first broken file in order has it.
 *
 * The store keeps such a form as long as somebody lives on it
 * (policy_files_unless), so the next start finds it again in the same way.
 */
#include "policy/build.h"

#include <string.h>

#define FORMS_GONE	100000	/* of files that are gone, looked through */

struct gone {
	struct slice	 path;
	struct gone	*next;
};

struct adoption {
	struct build	*b;
	struct map	*paths;		/* of files that are there */
	struct map	*named;		/* tenants of files that can be used */
	struct gone	*gone, **last;
	size_t		 n;
};

/* orphan - broken, without a form, and it names somebody */
static bool
orphan(const struct unit *u)
{
	return u->form == FORM_BROKEN && u->good == NULL && !u->good_unfit &&
	    u->partial.n > 0;
}

/* orphans - is there any? */
static bool
orphans(const struct build *b)
{
	for (size_t i = 1; i < b->nunits; i++)
		if (orphan(&b->units[i]))
			return true;
	return false;
}

/* note - tenants of a picture have a home */
static void
note(struct adoption *a, struct picture *pic)
{
	for (size_t i = 0; i < pic->n; i++)
		if (map_set(a->named, pic->tenants[i]->name, pic) == -1)
			a->b->nomem = true;
}

/* is_gone - callback per form: is its file still there? */
static bool
is_gone(void *with, struct slice path, struct slice text)
{
	struct adoption *a = with;
	struct gone *g;

	(void)text;
	if (map_get(a->paths, path) != NULL)
		return true;
	if ((g = build_alloc(a->b, a->b->work, 1, sizeof(*g))) == NULL)
		return false;
	g->path = build_copy(a->b, a->b->work, path);
	*a->last = g;
	a->last = &g->next;
	return ++a->n < FORMS_GONE && !a->b->nomem;
}

/* heir - the first broken file that names a tenant of the form */
static struct unit *
heir(struct build *b, const struct picture *form)
{
	for (size_t i = 1; i < b->nunits; i++) {
		struct unit *u = &b->units[i];

		if (!orphan(u))
			continue;
		for (size_t j = 0; j < u->partial.n; j++)
			for (size_t k = 0; k < form->n; k++)
				if (slice_eq(u->partial.tenants[j]->name,
				    form->tenants[k]->name))
					return u;
	}
	return NULL;
}

/* homeless - has nobody in it a home elsewhere? */
static bool
homeless(const struct adoption *a, const struct picture *form)
{
	for (size_t i = 0; i < form->n; i++)
		if (map_get(a->named, form->tenants[i]->name) != NULL)
			return false;
	return true;
}

/* read_form - of a file that is gone, for that unit; NULL: it is no good */
static struct picture *
read_form(struct build *b, uint32_t unit, struct slice path)
{
	const struct policy_forms *forms = &b->args->forms;
	struct problems mute;
	struct picture *pic;
	struct slice text;
	struct why why;

	arena_reset(b->file);
	problems_init(&mute, b->file);
	if (forms->get(forms->with, path, b->file, &text, &why) != 1 ||
	    (pic = build_alloc(b, b->work, 1, sizeof(*pic))) == NULL ||
	    !load_text(b, unit, build_printf(b, b->keep, "%.*s" LAST_GOOD,
	    SLICE_ARG(path)), text, pic, &mute))
		return NULL;
	return pic;
}

/* take - the form of one file that is gone */
static void
take(struct adoption *a, const struct gone *g)
{
	struct build *b = a->b;
	struct picture *form;
	struct unit *u;

	if ((form = read_form(b, 1, g->path)) == NULL ||
	    !homeless(a, form) || (u = heir(b, form)) == NULL ||
	    (form = read_form(b, (uint32_t)(u - b->units), g->path)) == NULL)
		return;
	u->was = build_copy(b, b->keep, g->path).p;
	u->good = form;
	u->form = FORM_LAST_GOOD;
	u->now = *form;
	note(a, form);
}

/* adopt - before rival claims are settled */
void
adopt(struct build *b)
{
	struct adoption a = { .b = b };
	struct why why;

	if (b->args->forms.each == NULL || !orphans(b))
		return;
	a.last = &a.gone;
	a.paths = map_new();
	a.named = map_new();
	if (a.paths == NULL || a.named == NULL)
		b->nomem = true;
	for (size_t i = 0; i < b->nunits && !b->nomem; i++) {
		if (map_set(a.paths, slice_of(b->units[i].path), b) == -1)
			b->nomem = true;
		else if (b->units[i].form != FORM_BROKEN)
			note(&a, &b->units[i].now);
	}
	/* what cannot be read there is as good as not there: 451 */
	if (!b->nomem)
		(void)b->args->forms.each(b->args->forms.with, is_gone, &a,
		    &why);
	for (const struct gone *g = a.gone; g != NULL && !b->nomem;
	    g = g->next)
		take(&a, g);
	map_free(a.paths);
	map_free(a.named);
}
