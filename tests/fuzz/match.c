/*
 * fuzz match - any line of a stream, asked of any mail.
 *
 * An input is texts parted by newlines: a line, a sender, a recipient, a login,
 * a header's name and its value.  What is known at MAIL is never taken back at
 * RCPT or at the end of the headers, and a glob answers as the plain recursive
 * definition does.
 */
#include <stdint.h>
#include <stdlib.h>

#include "policy/match.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define TEXTS	6
#define SHORT	16		/* bytes that recursion is given */

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* plain - the definition of a glob */
static bool
plain(struct slice glob, struct slice text)
{
	char a, b;

	if (glob.n == 0)
		return text.n == 0;
	if (glob.p[0] == '*')
		return plain(slice_from(glob, 1), text) || (text.n > 0 &&
		    plain(glob, slice_from(text, 1)));
	if (text.n == 0)
		return false;
	a = glob.p[0] >= 'A' && glob.p[0] <= 'Z' ? glob.p[0] | 0x20 :
	    glob.p[0];
	b = text.p[0] >= 'A' && text.p[0] <= 'Z' ? text.p[0] | 0x20 :
	    text.p[0];
	return (a == '?' || a == b) && plain(slice_from(glob, 1),
	    slice_from(text, 1));
}

/* ask - three times, knowing more each time */
static void
ask(const struct match_line *line, const struct slice *texts)
{
	struct header_fact header = { texts[4], texts[5] };
	struct stream s = { .lines = line, .nlines = 1 };
	struct match_facts f = { .sender = texts[1], .login = texts[3] };
	enum known mail, rcpt, eoh;

	for (size_t i = 0; i < line->n; i++)
		s.by_header = s.by_header ||
		    line->words[i].what == MATCH_HEADER;
	mail = match_stream(&s, &f, NULL);
	f.recipient = texts[2];
	rcpt = match_stream(&s, &f, NULL);
	f.headers = &header;
	f.nheaders = 1;
	f.headers_known = true;
	eoh = match_stream(&s, &f, NULL);
	must(mail == KNOWN_NOT_YET || mail == rcpt);
	must(rcpt == KNOWN_NOT_YET || rcpt == eoh);
	must(eoh != KNOWN_NOT_YET);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct slice rest = { (const char *)data, n }, texts[TEXTS], a, b;
	struct arena *arena = arena_new(4096, 0);
	struct match_line line;
	struct problems problems;
	int got;

	for (size_t i = 0; i < TEXTS; i++) {
		const char *end = i < TEXTS - 1 && rest.n > 0 ?
		    memchr(rest.p, '\n', rest.n) : NULL;

		texts[i] = (struct slice){ rest.n > 0 ? rest.p : "", end !=
		    NULL ? (size_t)(end - rest.p) : rest.n };
		rest = slice_from(rest, texts[i].n + (end != NULL));
	}
	problems_init(&problems, arena);
	got = match_parse(texts[0], (struct place){ "f", 1, 1 }, arena, &line,
	    &problems);
	must(got == 1 ? problems.errors == 0 : problems.errors > 0);
	if (got == 1)
		ask(&line, texts);
	a = (struct slice){ texts[0].p, texts[0].n < SHORT ? texts[0].n :
	    SHORT };
	b = (struct slice){ texts[1].p, texts[1].n < SHORT ? texts[1].n :
	    SHORT };
	must(match_glob(a, b) == plain(a, b));
	arena_free(arena);
	return 0;
}
