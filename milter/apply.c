/*
 * apply - edits and replies, at the border to libmilter.
 *
 * A "\r" is refused in values although folds may be written "\r\n" elsewhere:
 * Postfix takes both, we write one.  Bytes over 127 are let through in values
 * (RFC 6532), not in names.
 * Each edit is one packet without an answer: a success says that it was sent.
 */
#include "milter/apply.h"

#include <string.h>

/* apply_name_ok - a field name of RFC 5322, 2.2 */
bool
apply_name_ok(struct slice name)
{
	if (name.n == 0)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f ||
		    name.p[i] == ':')
			return false;
	return true;
}

/* apply_value_ok - one field, folded or not, and nothing behind it */
bool
apply_value_ok(struct slice value)
{
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (c == '\n') {
			if (i + 1 >= value.n || (value.p[i + 1] != '\t' &&
			    value.p[i + 1] != ' '))
				return false;
		} else if ((c < 0x20 && c != '\t') || c == 0x7f) {
			return false;
		}
	}
	return true;
}

/* apply_text - a reply text in ASCII, with every percent sign doubled */
bool
apply_text(struct slice text, char out[APPLY_REPLY_MOST])
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		size_t need = c == '%' ? 2 : 1;

		if (c < 0x20 || c == 0x7f)
			return false;
		if (n + need >= APPLY_REPLY_MOST)
			break;
		if (c == '%')
			out[n++] = '%';
		out[n++] = c <= '~' ? (char)c : '?';
	}
	out[n] = '\0';
	return n > 0;
}

/* apply_reply - what the client will read */
void
apply_reply(SMFICTX *ctx, const struct answer *a)
{
	char text[APPLY_REPLY_MOST];

	if (a->code == NULL || !apply_text(a->text, text))
		return;
	(void)smfi_setreply(ctx, (char *)a->code, (char *)a->dsn, text);
}

/* one_edit - checked, made a C string, sent; MI_FAILURE when refused */
static int
one_edit(SMFICTX *ctx, const struct edit *e, struct arena *arena)
{
	struct slice name = arena_copy(arena, e->name);
	struct slice value = arena_copy(arena, e->value);

	if (name.p == NULL || value.p == NULL || !apply_value_ok(value))
		return MI_FAILURE;
	if (e->kind == EDIT_QUARANTINE)
		return smfi_quarantine(ctx, (char *)value.p);
	if (e->kind == EDIT_RETURN_PATH)
		return smfi_chgfrom(ctx, (char *)value.p, NULL);
	if (e->kind == EDIT_DROP_RCPT)
		return smfi_delrcpt(ctx, (char *)value.p);
	if (!apply_name_ok(name))
		return MI_FAILURE;
	if (e->kind == EDIT_REMOVE)
		return smfi_chgheader(ctx, (char *)name.p, (int)e->index,
		    NULL);
	return smfi_insheader(ctx, 0, (char *)name.p, (char *)value.p);
}

/* apply_plan - every edit, or no acceptance */
int
apply_plan(SMFICTX *ctx, const struct plan *plan, struct arena *arena,
    struct why *why)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct edit *e = &plan->edits[i];

		if (one_edit(ctx, e, arena) != MI_SUCCESS)
			return why_set(why, "%s %.*s (edit %zu of %zu)",
			    edit_names[e->kind], SLICE_ARG(e->name), i + 1,
			    plan->n);
	}
	return 0;
}
