/*
 * config_release - the block "release".
 */
#include "lib/config_in.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/text.h"

/* directory - an absolute path: it goes to Postfix's commands as it is */
static void
directory(struct reader *r, const struct node *n, const char **out)
{
	struct quoted q;

	if (n->value.text.n == 0 || n->value.text.p[0] != '/')
		problem_error(r->problems, n->value.at, "%s: expected an "
		    "absolute path, found %s", n->name.p,
		    text_quote(n->value.text, &q));
	else
		*out = n->value.text.p;
}

/* read_agent - "unix:/path"; "" is none */
static void
read_agent(struct reader *r, const struct node *n)
{
	const char **out = &r->config->release.agent;
	struct quoted q;

	if (n->value.text.n == 0 ||
	    slice_starts(n->value.text, SLICE("unix:/")))
		*out = n->value.text.p;
	else
		problem_error(r->problems, n->value.at, "agent: expected "
		    "\"unix:/path\", found %s", text_quote(n->value.text, &q));
}

/* taken - is that instance named already? */
static bool
taken(const struct config *c, struct slice instance)
{
	for (size_t i = 0; i < c->release.ninstances; i += 2)
		if (slice_is(instance, c->release.instances[i]))
			return true;
	return false;
}

/* read_instances - "instance=/directory" or "instance=unix:/socket", each */
static void
read_instances(struct reader *r, const struct node *n)
{
	struct config *c = r->config;
	struct quoted q;

	c->release.instances = arena_array(c->arena, 2 * n->value.nitems + 1,
	    sizeof(*c->release.instances));
	c->release.ninstances = 0;
	if (c->release.instances == NULL) {
		r->failed = true;
		return;
	}
	for (size_t i = 0; i < n->value.nitems; i++) {
		struct slice text = n->value.items[i].text, name, where;
		const char *at = memchr(text.p, '=', text.n);

		name = (struct slice){ text.p, at == NULL ? 0 :
		    (size_t)(at - text.p) };
		where = slice_from(text, name.n + 1);
		if (!keyword_is_name(name) || (!slice_starts(where,
		    SLICE("/")) && !slice_starts(where, SLICE("unix:/")))) {
			problem_error(r->problems, n->value.items[i].at,
			    "instances: expected \"instance=/etc/postfix-x\" "
			    "or \"instance=unix:/socket\", found %s",
			    text_quote(text, &q));
			continue;
		}
		if (taken(c, name)) {
			problem_error(r->problems, n->value.items[i].at,
			    "instances: %.*s is there already",
			    SLICE_ARG(name));
			continue;
		}
		name = arena_copy(c->arena, name);
		r->failed |= name.p == NULL;
		c->release.instances[c->release.ninstances++] = name.p;
		c->release.instances[c->release.ninstances++] = where.p;
	}
}

/* config_release - one setting */
void
config_release(struct reader *r, const struct node *n, int id)
{
	struct config *c = r->config;

	switch (id) {
	case WORD_RELEASE_CONFIG:
		directory(r, n, &c->release.config_directory);
		break;
	case WORD_RELEASE_COMMANDS:
		directory(r, n, &c->release.command_directory);
		break;
	case WORD_RELEASE_AGENT:
		read_agent(r, n);
		break;
	case WORD_RELEASE_INSTANCES:
		read_instances(r, n);
		break;
	case WORD_RELEASE_USER:
		c->release.user = n->value.text.p;
		break;
	case WORD_RELEASE_INVENTORY:
		config_duration(r, n, CLOCK_SECOND, CLOCK_HOUR,
		    &c->release.inventory);
		break;
	}
}

/* config_release_defaults - what holds where the file says nothing */
void
config_release_defaults(struct config *c)
{
	c->release.config_directory = "/etc/postfix";
	c->release.command_directory = "/usr/sbin";
	c->release.agent = "";
	c->release.user = "";
	c->release.inventory = CLOCK_MINUTE;
}
