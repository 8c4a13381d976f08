/*
 * whose - see whose.h.
 *
 * The desk keeps this text, and the gate reads it back: so a value that the
 * text could not hold is refused when it is said, and not when it is read.
 */
#include "policy/whose.h"

#include <string.h>

#include "lib/provider.h"

/* set_provider - by its name */
static int
set_provider(struct decide_facts *f, struct slice name, struct why *why)
{
	for (unsigned i = 0; i < provider_count(); i++)
		if (slice_case_eq(slice_of(provider_name(i)), name)) {
			f->provider = i;
			return 0;
		}
	return why_set(why, "there is no provider \"%.*s\" (penstock provider "
	    "DOMAIN names a domain's)", SLICE_ARG(name));
}

/* set_sender - a path, or the null sender */
static int
set_sender(struct decide_facts *f, struct slice value, struct arena *arena,
    struct why *why)
{
	struct mailbox box;
	int got = address_path(arena, value, &box, why);

	if (got == -1)
		return why_in(why, "sender");
	f->sender = got == 1 ? box.text : SLICE("");
	return 0;
}

/* whose_set - the text must hold it */
int
whose_set(struct decide_facts *f, unsigned per, struct slice value,
    struct arena *arena, struct why *why)
{
	const char *name = per_names[__builtin_ctz(per)];

	for (size_t i = 0; i < value.n; i++)
		if ((unsigned char)value.p[i] <= ' ' || value.p[i] == 0x7f)
			return why_set(why, "%s: a space or control byte in "
			    "it", name);
	if (value.n == 0)
		return why_set(why, "%s: nothing is named", name);
	switch (per) {
	case PER_PROVIDER:
		return set_provider(f, value, why);
	case PER_SENDER:
		return set_sender(f, value, arena, why);
	case PER_SENDER_DOMAIN:
		return address_domain(arena, value, true, &f->sender_domain,
		    why);
	case PER_RECIPIENT_DOMAIN:
		return address_domain(arena, value, true,
		    &f->recipient_domain, why);
	default:
		f->login = arena_copy(arena, value);
		return f->login.p != NULL ? 0 : why_kind(why, WHY_MEMORY,
		    "out of memory");
	}
}

/* value_of - what was said of it; p NULL: nothing */
static struct slice
value_of(const struct decide_facts *f, unsigned per)
{
	switch (per) {
	case PER_LOGIN:
		return f->login;
	case PER_SENDER:
		return f->sender.p != NULL && f->sender.n == 0 ? SLICE("<>") :
		    f->sender;
	case PER_SENDER_DOMAIN:
		return f->sender_domain;
	case PER_RECIPIENT_DOMAIN:
		return f->recipient_domain;
	case PER_PROVIDER:
		return f->provider == DECIDE_ALL ? SLICE_NONE :
		    slice_of(provider_name(f->provider));
	default:
		return SLICE_NONE;
	}
}

/* whose_said - the dimensions */
unsigned
whose_said(const struct decide_facts *f)
{
	unsigned said = 0;

	for (unsigned i = 0; i < PER_DIMENSIONS; i++)
		if (value_of(f, 1u << i).p != NULL)
			said |= 1u << i;
	return said;
}

/* whose_print - "login=ops provider=google" */
struct slice
whose_print(const struct decide_facts *f, struct arena *arena)
{
	const char *all = "";
	struct slice value;

	for (unsigned i = 0; i < PER_DIMENSIONS && all != NULL; i++) {
		value = value_of(f, 1u << i);
		if (value.p != NULL)
			all = arena_printf(arena, "%s%s%s=%.*s", all,
			    *all != '\0' ? " " : "", per_names[i],
			    SLICE_ARG(value));
	}
	return all != NULL ? slice_of(all) : SLICE_NONE;
}

/* per_of - a name; 0: it is none that may be named */
static unsigned
per_of(struct slice name)
{
	for (unsigned i = 0; i < PER_DIMENSIONS; i++)
		if ((WHOSE_PER >> i & 1) != 0 && slice_is(name, per_names[i]))
			return 1u << i;
	return 0;
}

/* whose_scan - word by word */
int
whose_scan(struct slice text, struct decide_facts *f, struct arena *arena,
    struct why *why)
{
	struct slice word, name;
	const char *end, *is;
	unsigned per;

	*f = (struct decide_facts){ .provider = DECIDE_ALL };
	while (text.n > 0) {
		end = memchr(text.p, ' ', text.n);
		word = text;
		word.n = end != NULL ? (size_t)(end - text.p) : text.n;
		text = slice_from(text, word.n + (end != NULL));
		is = memchr(word.p, '=', word.n);
		name = word;
		name.n = is != NULL ? (size_t)(is - word.p) : 0;
		if ((per = per_of(name)) == 0 ||
		    (whose_said(f) & per) != 0)
			return why_set(why, "\"%.*s\" names no counter",
			    SLICE_ARG(word));
		if (whose_set(f, per, slice_from(word, name.n + 1), arena,
		    why) == -1)
			return -1;
	}
	return 0;
}
