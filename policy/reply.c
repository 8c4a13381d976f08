/*
 * reply - see reply.h.
 *
 * Two guards.  What a sender chose goes through reply_clean, which shows every
 * byte without letting it act.  And the finished line loses whatever is not
 * printable ASCII: reasons and contacts come from policy files, which are
 * UTF-8, and an SMTP reply is not (RFC 5321, 4.2).
 */
#include "policy/reply.h"

#include <stdarg.h>
#include <stdio.h>

#define CLEAN_MAX	80

/* reply_memory - the arena is empty; static words */
enum verdict
reply_memory(struct answer *a)
{
	a->verdict = VERDICT_DEFER;
	a->code = "451";
	a->dsn = "4.3.0";
	a->text = SLICE("local trouble, try again later");
	a->rule = (struct place){ NULL, 0, 0 };
	a->unowned = false;
	return VERDICT_DEFER;
}

/* reply_pass - go on */
enum verdict
reply_pass(struct answer *a, struct place rule)
{
	a->verdict = VERDICT_PASS;
	a->code = "250";
	a->dsn = "2.0.0";
	a->text = SLICE("");
	a->rule = rule;
	a->unowned = false;
	return VERDICT_PASS;
}

/* reply - make the sentence */
enum verdict
reply(struct answer *a, struct arena *arena, enum verdict verdict,
    const char *code, const char *dsn, struct place rule, const char *format,
    ...)
{
	char line[REPLY_MAX + 1], *p;
	struct slice text;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	if (n < 0)
		return reply_memory(a);
	for (p = line; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	text = arena_copy(arena, slice_of(line));
	if (text.p == NULL)
		return reply_memory(a);
	a->verdict = verdict;
	a->code = code;
	a->dsn = dsn;
	a->text = text;
	a->rule = rule;
	a->unowned = false;
	return verdict;
}

/* reply_clean - a stranger's bytes, to be looked at only */
struct slice
reply_clean(struct arena *arena, struct slice s)
{
	static const char hex[] = "0123456789abcdef";
	char out[CLEAN_MAX * 4 + 4];
	unsigned char c;
	struct slice copy;
	size_t i, n = 0;

	for (i = 0; i < s.n && i < CLEAN_MAX; i++) {
		c = (unsigned char)s.p[i];
		if (c >= ' ' && c <= '~' && c != '"' && c != '\\') {
			out[n++] = (char)c;
			continue;
		}
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	if (i < s.n) {
		memcpy(out + n, "...", 3);
		n += 3;
	}
	copy = arena_copy(arena, (struct slice){ out, n });
	return copy.p != NULL ? copy : SLICE("?");
}

/* reply_contact - whom to ask: the tenant's contact, or its group's */
struct slice
reply_contact(struct arena *arena, const struct tenant *t)
{
	struct slice who = t->contact;
	char *text;

	if (who.n == 0 && t->group != NULL)
		who = t->group->contact;
	if (who.n == 0)
		return SLICE("");
	text = arena_printf(arena, "; contact %.*s", SLICE_ARG(who));
	return text != NULL ? slice_of(text) : SLICE("");
}
