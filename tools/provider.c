/*
 * provider - which mailbox provider a domain belongs to, and who says so.
 *
 * The same order as the gate's: the list of exact domains, then what relays
 * taught.  What nobody knows is unresolved, which is not other.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/address.h"
#include "lib/provider.h"
#include "reputation/outcome.h"
#include "tools/tool.h"

static const char usage[] = "penstock provider [--json] DOMAIN ...";

struct answer {
	struct slice	 domain;
	unsigned	 listed;	/* PROVIDER_UNRESOLVED: not */
	bool		 taught;
	struct learned	 learned;
};

/* name_of - what counts */
static struct slice
name_of(const struct answer *a)
{
	if (a->listed != PROVIDER_UNRESOLVED)
		return slice_of(provider_name(a->listed));
	return a->taught ? a->learned.provider :
	    slice_of(provider_name(PROVIDER_UNRESOLVED));
}

/* source_of - and why */
static const char *
source_of(const struct answer *a)
{
	return a->listed != PROVIDER_UNRESOLVED ? "list" :
	    a->taught ? "outcomes" : "none";
}

/* print_json - one object */
static void
print_json(const struct answer *a)
{
	struct buf b = BUF_INIT;

	buf_str(&b, "{\"domain\":");
	buf_json(&b, a->domain);
	buf_str(&b, ",\"provider\":");
	buf_json(&b, name_of(a));
	buf_printf(&b, ",\"source\":\"%s\",\"list\":", source_of(a));
	if (a->listed == PROVIDER_UNRESOLVED)
		buf_str(&b, "null");
	else
		buf_json(&b, slice_of(provider_name(a->listed)));
	buf_str(&b, ",\"outcomes\":");
	if (!a->taught) {
		buf_str(&b, "null");
	} else {
		buf_str(&b, "{\"provider\":");
		buf_json(&b, a->learned.provider);
		buf_str(&b, ",\"relay\":");
		buf_json(&b, a->learned.relay);
		buf_str(&b, ",\"first\":\"");
		event_time(a->learned.first, &b);
		buf_str(&b, "\",\"last\":\"");
		event_time(a->learned.last, &b);
		buf_printf(&b, "\",\"days\":%" PRIu64 "}", a->learned.count);
	}
	buf_str(&b, "}\n");
	fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}

/* print_eyes - for a person */
static void
print_eyes(const struct answer *a)
{
	struct buf b = BUF_INIT;

	printf("%.*s: %.*s\n", SLICE_ARG(a->domain), SLICE_ARG(name_of(a)));
	printf("    list      %s\n", a->listed != PROVIDER_UNRESOLVED ?
	    provider_name(a->listed) : "not on it");
	if (a->taught) {
		event_time(a->learned.last, &b);
		printf("    outcomes  %.*s, from relay %.*s, last at %.*s\n",
		    SLICE_ARG(a->learned.provider),
		    SLICE_ARG(a->learned.relay), (int)b.len, b.data);
	} else {
		puts("    outcomes  nothing was learned from a relay");
	}
	buf_free(&b);
}

/* ask - one domain */
static int
ask(const char *text, struct outcomes *o, struct arena *arena,
    struct answer *a)
{
	struct why why;
	int got = 0;

	*a = (struct answer){ .listed = PROVIDER_UNRESOLVED };
	if (address_domain(arena, slice_of(text), false, &a->domain,
	    &why) == -1)
		return tool_fail(TOOL_USAGE, "%s: %s", text, why.text);
	a->listed = provider_of(a->domain);
	if (o != NULL)
		got = outcomes_learned(o, a->domain, arena, &a->learned,
		    &why);
	if (got == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	a->taught = got == 1;
	return TOOL_OK;
}

/* open_store - if there is one: the list speaks without it */
static int
open_store(const struct tool *tool, struct outcomes **o)
{
	struct config *config;
	struct why why;
	char *dir;
	int got, status = tool_config(tool, &config);

	if (status != TOOL_OK)
		return status;
	dir = xasprintf("%s/outcomes", config->store);
	got = outcomes_open_read(o, dir, &why);
	free(dir);
	config_free(config);
	return got == -1 ? tool_fail(TOOL_BROKEN, "%s", why.text) : TOOL_OK;
}

/* tool_provider - 0 all known, 1 one is unresolved */
int
tool_provider(const struct tool *tool, int argc, char **argv)
{
	bool json = argc > 0 && strcmp(argv[0], "--json") == 0;
	struct arena *arena;
	struct outcomes *o = NULL;
	struct answer a;
	struct why why;
	int status, one, unknown = TOOL_OK;

	if (tool_asks_help(argc, argv))
		return tool_help(usage);
	if (argc - json < 1 || argv[json][0] == '-')
		return tool_usage(usage);
	if (provider_init(&why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	if ((arena = arena_new(4096, 0)) == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	status = open_store(tool, &o);
	for (int i = json; status == TOOL_OK && i < argc; i++) {
		if ((one = ask(argv[i], o, arena, &a)) != TOOL_OK) {
			status = one;
			break;
		}
		if (slice_is(name_of(&a), provider_name(PROVIDER_UNRESOLVED)))
			unknown = TOOL_NO;
		if (json)
			print_json(&a);
		else
			print_eyes(&a);
	}
	outcomes_close(o);
	arena_free(arena);
	return status != TOOL_OK ? status : unknown;
}
