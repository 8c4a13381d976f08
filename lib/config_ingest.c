/*
 * config_ingest - the block "ingest".
 */
#include "lib/config_in.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/scan.h"
#include "lib/text.h"
#include "lib/zone.h"

#define DEFAULT_LOG	"/var/log/mail.log"
#define KEEP_LEAST	(62 * CLOCK_DAY)	/* reputation/prune.h */
#define KEEP_MOST	(36500 * CLOCK_DAY)
#define KEEP		(90 * CLOCK_DAY)
#define KEEP_TOTALS	(1095 * CLOCK_DAY)

/* strings - the members of a set, as they are */
static size_t
strings(struct reader *r, const struct value *set, const char ***out)
{
	*out = arena_array(r->config->arena, set->nitems + 1, sizeof(**out));
	if (*out == NULL) {
		r->failed = true;
		return 0;
	}
	for (size_t i = 0; i < set->nitems; i++)
		(*out)[i] = set->items[i].text.p;
	return set->nitems;
}

/* add_log - one file more; "" is none */
static void
add_log(struct reader *r, const struct node *n, const struct value *value)
{
	struct config *c = r->config;
	struct node one = *n;
	const char **wider, *path = "";

	one.value = *value;
	config_path(r, &one, &path);
	wider = arena_array(c->arena, c->ingest.nlogs + 2, sizeof(*wider));
	if (wider == NULL) {
		r->failed = true;
		return;
	}
	for (size_t i = 0; i < c->ingest.nlogs; i++) {
		wider[i] = c->ingest.logs[i];
		if (strcmp(wider[i], path) == 0)
			problem_error(r->problems, value->at,
			    "%s is followed already", path);
	}
	wider[c->ingest.nlogs++] = path;
	c->ingest.logs = wider;
}

/* read_instances - "syslog_name=instance", each */
static void
read_instances(struct reader *r, const struct node *n)
{
	struct config *c = r->config;
	struct quoted q;

	c->ingest.names = arena_array(c->arena, 2 * n->value.nitems + 1,
	    sizeof(*c->ingest.names));
	c->ingest.nnames = 0;
	if (c->ingest.names == NULL) {
		r->failed = true;
		return;
	}
	for (size_t i = 0; i < n->value.nitems; i++) {
		struct slice text = n->value.items[i].text, name, instance;
		const char *at = memchr(text.p, '=', text.n);

		name = (struct slice){ text.p, at == NULL ? 0 :
		    (size_t)(at - text.p) };
		instance = slice_from(text, name.n + 1);
		if (name.n == 0 || !keyword_is_name(instance)) {
			problem_error(r->problems, n->value.items[i].at,
			    "instances: expected \"syslog_name=instance\", "
			    "found %s", text_quote(text, &q));
			continue;
		}
		name = arena_copy(c->arena, name);
		r->failed |= name.p == NULL;
		c->ingest.names[c->ingest.nnames++] = name.p;
		c->ingest.names[c->ingest.nnames++] = instance.p;
	}
}

/* read_zone - one that the machine knows */
static void
read_zone(struct reader *r, const struct node *n)
{
	const struct zone *zone;
	struct why why;

	if (n->value.text.n > 0 &&
	    zone_find(n->value.text.p, &zone, &why) == -1)
		problem_error(r->problems, n->value.at, "log_zone: %s",
		    why.text);
	else
		r->config->ingest.zone = n->value.text.p;
}

/* read_forward - as Postfix writes it: "inet:host:port" */
static void
read_forward(struct reader *r, const struct node *n)
{
	struct slice text = n->value.text, port;
	const char *colon = text.n > 0 ? memrchr(text.p, ':', text.n) : NULL;
	struct quoted q;
	struct why why;
	int64_t number;

	r->config->ingest.forward = text.p;
	if (text.n == 0)
		return;
	port = colon != NULL ? slice_from(text, (size_t)(colon - text.p) + 1) :
	    SLICE("");
	if (!slice_starts(text, SLICE("inet:")) || colon < text.p + 6 ||
	    scan_count(port, 1, 65535, &number, &why) == -1)
		problem_error(r->problems, n->value.at, "forward: expected "
		    "\"inet:host:port\", found %s", text_quote(text, &q));
}

/* config_ingest - one setting */
void
config_ingest(struct reader *r, const struct node *n, int id)
{
	struct config *c = r->config;

	switch (id) {
	case WORD_INGEST_LOG:
		r->log_set = true;	/* "" is no file at all */
		if (n->value.text.n > 0)
			add_log(r, n, &n->value);
		break;
	case WORD_INGEST_LOGS:
		for (size_t i = 0; i < n->value.nitems; i++)
			add_log(r, n, &n->value.items[i]);
		break;
	case WORD_INGEST_JOURNAL:
		c->ingest.njournal = strings(r, &n->value,
		    &c->ingest.journal);
		break;
	case WORD_INGEST_FOLDER:
		if (n->value.text.n == 0)
			c->ingest.journal_folder = "";
		else
			config_path(r, n, &c->ingest.journal_folder);
		break;
	case WORD_INGEST_ZONE:
		read_zone(r, n);
		break;
	case WORD_INGEST_INSTANCES:
		read_instances(r, n);
		break;
	case WORD_INGEST_RELAYS:
		c->ingest.nrelays = strings(r, &n->value, &c->ingest.relays);
		break;
	case WORD_INGEST_LMTP:
		if (n->value.text.n == 0)
			c->ingest.lmtp = "";
		else
			config_socket(r, n, &c->ingest.lmtp);
		break;
	case WORD_INGEST_GROUP:
		c->ingest.socket_group = n->value.text.p;
		break;
	case WORD_INGEST_FORWARD:
		read_forward(r, n);
		break;
	case WORD_INGEST_KEEP_OUTCOMES:
		config_duration(r, n, KEEP_LEAST, KEEP_MOST,
		    &c->ingest.keep_outcomes);
		break;
	case WORD_INGEST_KEEP_MESSAGES:
		config_duration(r, n, KEEP_LEAST, KEEP_MOST,
		    &c->ingest.keep_messages);
		break;
	case WORD_INGEST_KEEP_TOTALS:
		config_duration(r, n, KEEP_LEAST, KEEP_MOST,
		    &c->ingest.keep_totals);
		break;
	case WORD_INGEST_USER:
		c->ingest.user = n->value.text.p;
		break;
	}
}

/* config_ingest_defaults - what holds where the file says nothing, once it is
 * read: a log by that name, unless something else was named */
void
config_ingest_defaults(struct reader *r)
{
	static const char *default_logs[] = { DEFAULT_LOG };
	struct config *c = r->config;

	if (c->ingest.zone == NULL)
		c->ingest.zone = "";
	if (c->ingest.journal_folder == NULL)
		c->ingest.journal_folder = "";
	if (c->ingest.user == NULL)
		c->ingest.user = "";
	if (c->ingest.lmtp == NULL)
		c->ingest.lmtp = "";
	if (c->ingest.socket_group == NULL)
		c->ingest.socket_group = "";
	if (c->ingest.forward == NULL)
		c->ingest.forward = "";
	if (c->ingest.keep_outcomes == 0)
		c->ingest.keep_outcomes = KEEP;
	if (c->ingest.keep_messages == 0)
		c->ingest.keep_messages = KEEP;
	if (c->ingest.keep_totals == 0)
		c->ingest.keep_totals = KEEP_TOTALS;
	if (!r->log_set && c->ingest.nlogs == 0 && c->ingest.njournal == 0) {
		c->ingest.logs = default_logs;
		c->ingest.nlogs = 1;
	}
}
