/*
 * config_unsubscribe - the blocks "token" and "unsubscribe".
 */
#include "lib/config_in.h"

#include "lib/clock.h"

/* optional - a path, or "" for none */
static void
optional(struct reader *r, const struct node *n, const char **out)
{
	if (n->value.text.n == 0)
		*out = "";
	else
		config_path(r, n, out);
}

/* config_unsubscribe - one setting of either */
void
config_unsubscribe(struct reader *r, const struct node *n, int id)
{
	struct config *c = r->config;

	switch (id) {
	case WORD_TOKEN_KEYS:
		config_path(r, n, &c->token.keys);
		break;
	case WORD_UNSUBSCRIBE_SOCKET:
		config_socket(r, n, &c->unsubscribe.socket);
		break;
	case WORD_UNSUBSCRIBE_GROUP:
		c->unsubscribe.socket_group = n->value.text.p;
		break;
	case WORD_UNSUBSCRIBE_USER:
		c->unsubscribe.user = n->value.text.p;
		break;
	case WORD_UNSUBSCRIBE_LMTP:
		if (n->value.text.n == 0)
			c->unsubscribe.lmtp = "";
		else
			config_socket(r, n, &c->unsubscribe.lmtp);
		break;
	case WORD_UNSUBSCRIBE_NAMES:
		config_path(r, n, &c->unsubscribe.names);
		break;
	case WORD_UNSUBSCRIBE_CERTIFICATE:
		optional(r, n, &c->unsubscribe.certificate);
		break;
	case WORD_UNSUBSCRIBE_CERTIFICATE_KEY:
		optional(r, n, &c->unsubscribe.certificate_key);
		break;
	case WORD_UNSUBSCRIBE_CONNECTIONS:
		config_count(r, n, &c->unsubscribe.connections);
		break;
	case WORD_UNSUBSCRIBE_PER_ADDRESS:
		config_count(r, n, &c->unsubscribe.per_address);
		break;
	case WORD_UNSUBSCRIBE_DEADLINE:
		config_duration(r, n, CLOCK_SECOND, CLOCK_HOUR,
		    &c->unsubscribe.deadline);
		break;
	case WORD_UNSUBSCRIBE_RESUBSCRIBE:
		config_duration(r, n, 0, 366 * CLOCK_DAY,
		    &c->unsubscribe.resubscribe);
		break;
	}
}

/* config_unsubscribe_defaults - what holds where the file says nothing */
void
config_unsubscribe_defaults(struct config *c)
{
	c->token.keys = "/etc/penstock/token.keys";
	c->unsubscribe.socket = "inet:8094@127.0.0.1";
	c->unsubscribe.socket_group = "";
	c->unsubscribe.user = "";
	c->unsubscribe.lmtp = "";
	c->unsubscribe.names = "/etc/penstock/unsubscribe.names";
	c->unsubscribe.certificate = "";
	c->unsubscribe.certificate_key = "";
	c->unsubscribe.connections = 16384;
	c->unsubscribe.per_address = 64;
	c->unsubscribe.deadline = 10 * CLOCK_SECOND;
	c->unsubscribe.resubscribe = 7 * CLOCK_DAY;
}
