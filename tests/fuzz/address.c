/*
 * fuzz address - any bytes as a header field, a path and a domain.  What is
 * accepted must keep the promises of lib/address.h, and read the same when it
 * is written out and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/address.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* good - what every mailbox promises */
static void
good(const struct mailbox *m)
{
	must(m->local.n >= 1 && m->local.n <= 255);
	must(m->domain.n >= 1 && m->domain.n <= 253);
	must(m->text.n > m->domain.n + 1 && m->text.n <= 320);
	must(m->text.p[m->text.n - m->domain.n - 1] == '@');
	must(slice_eq(m->domain, slice_from(m->text,
	    m->text.n - m->domain.n)));
	must(memchr(m->local.p, '@', m->local.n) == NULL);
	for (size_t i = 0; i < m->domain.n; i++) {
		char c = m->domain.p[i];

		must((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		    c == '-' || c == '.');
	}
	for (size_t i = 0; i < m->text.n; i++)
		must((unsigned char)m->text.p[i] >= ' ');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct arena *arena;
	struct slice in = { (const char *)data, n }, out;
	struct mailboxes list, again;
	struct mailbox m, one;
	struct why why;

	if (arena == NULL)
		must((arena = arena_new(1 << 16, 0)) != NULL);
	arena_reset(arena);
	if (address_list(arena, in, &list, &why) == 0) {
		must(list.n >= 1 && list.n <= ADDRESS_MAX);
		for (size_t i = 0; i < list.n; i++) {
			good(&list.list[i]);
			must(address_list(arena, list.list[i].text, &again,
			    &why) == 0 && again.n == 1);
			must(slice_eq(again.list[0].text, list.list[i].text));
		}
	}
	if (address_path(arena, in, &m, &why) == 1) {
		good(&m);
		must(address_path(arena, m.text, &one, &why) == 1);
		must(slice_eq(m.text, one.text));
	}
	if (address_domain(arena, in, false, &out, &why) == 0)
		must(out.n >= 1 && out.n <= 253 && out.p[out.n - 1] != '.');
	return 0;
}
