/*
 * html - one pass over the page, no tree.
 *
 * Only bounces are read with it, so what a browser would show does not matter;
 * that words, addresses and codes come out in their order does.
 */
#include "tools/ingest/html.h"

#include "tools/ingest/fields.h"

struct entity {
	const char	*name, *text;
};

static const struct entity entities[] = {
	{ "&lt;", "<" }, { "&gt;", ">" }, { "&amp;", "&" }, { "&quot;", "\"" },
	{ "&nbsp;", " " }, { "&#64;", "@" }, { "&commat;", "@" },
	{ "&#46;", "." }, { "&#39;", "'" }, { "&apos;", "'" },
	{ "&#160;", " " },
};

/* breaks - does the tag end a line? */
static bool
breaks(struct slice tag)
{
	static const char *const names[] = { "<br", "<p", "</p", "<div",
		"</div", "<tr", "</tr", "<li", "<h", "</h", "<hr", "</table",
		"<pre", "</pre", "<td", "<blockquote" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (text_begins(tag, names[i]))
			return true;
	return false;
}

/* tag_end - behind the tag; style and script with what is in them */
static size_t
tag_end(struct slice s)
{
	static const char *const dark[][2] = { { "<style", "</style" },
		{ "<script", "</script" }, { "<!--", "-->" } };
	const char *end;
	size_t skip = 0, at;

	for (size_t i = 0; i < 3; i++)
		if (text_begins(s, dark[i][0])) {
			at = text_find(s, dark[i][1]);
			if (at == (size_t)-1)
				return s.n;	/* and only one search */
			skip = at;
		}
	end = memchr(s.p + skip, '>', s.n - skip);
	return end != NULL ? (size_t)(end - s.p) + 1 : s.n;
}

/* html_text - see the header */
struct slice
html_text(struct slice page, struct arena *arena)
{
	char *out = arena_alloc(arena, page.n + 1);
	size_t n = 0, i;

	if (out == NULL)
		return SLICE_NONE;
	while (page.n > 0) {
		if (page.p[0] == '<') {
			if (breaks(page) && n > 0 && out[n - 1] != '\n')
				out[n++] = '\n';
			page = slice_from(page, tag_end(page));
			continue;
		}
		for (i = 0; page.p[0] == '&' && i < sizeof(entities) /
		    sizeof(entities[0]); i++)
			if (text_begins(page, entities[i].name))
				break;
		if (page.p[0] == '&' && i < sizeof(entities) /
		    sizeof(entities[0])) {
			out[n++] = entities[i].text[0];
			page = slice_from(page, strlen(entities[i].name));
			continue;
		}
		out[n++] = page.p[0];
		page = slice_from(page, 1);
	}
	return (struct slice){ out, n };
}
