/*
 * config_snapshot - the block "snapshot": who is asked what, and how often.
 */
#include "lib/config_in.h"

#include <string.h>

#include "lib/address.h"
#include "lib/clock.h"
#include "lib/text.h"

/* loopback - http without TLS is for this machine alone */
static bool
loopback(struct slice rest)
{
	static const char *const hosts[] = { "127.0.0.1", "[::1]",
		"localhost" };

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		size_t n = strlen(hosts[i]);

		if (rest.n >= n && strncasecmp(rest.p, hosts[i], n) == 0 &&
		    (rest.n == n || rest.p[n] == ':' || rest.p[n] == '/'))
			return true;
	}
	return false;
}

/* url - https, or http to ourselves; without user, query and fragment */
static void
url(struct reader *r, const struct node *n, const char **out)
{
	struct slice text = n->value.text;
	bool good = slice_starts(text, SLICE("https://")) ? text.n > 8 :
	    slice_starts(text, SLICE("http://")) &&
	    loopback(slice_from(text, 7));
	struct quoted q;

	for (size_t i = 0; i < text.n && good; i++)
		good = (unsigned char)text.p[i] > ' ' && text.p[i] != 0x7f &&
		    strchr("?#@\\\"", text.p[i]) == NULL;
	if (good)
		*out = text.p;
	else
		problem_error(r->problems, n->value.at, "%s: expected "
		    "\"https://host/path\" (http only to 127.0.0.1, [::1] or "
		    "localhost), found %s", n->name.p, text_quote(text, &q));
}

/* optional - a path, or "" for none */
static void
optional(struct reader *r, const struct node *n, const char **out)
{
	if (n->value.text.n == 0)
		*out = "";
	else
		config_path(r, n, out);
}

/* domains - those that Google is asked about */
static void
domains(struct reader *r, const struct node *n)
{
	struct config *c = r->config;
	struct slice domain;
	struct why why;
	struct quoted q;

	c->snapshot.google_domains = arena_array(c->arena, n->value.nitems + 1,
	    sizeof(*c->snapshot.google_domains));
	c->snapshot.ngoogle_domains = 0;
	if (c->snapshot.google_domains == NULL) {
		r->failed = true;
		return;
	}
	for (size_t i = 0; i < n->value.nitems; i++) {
		struct slice text = n->value.items[i].text;

		if (address_domain(c->arena, text, false, &domain,
		    &why) == -1)
			problem_error(r->problems, n->value.items[i].at,
			    "google_domains: %s is no domain: %s",
			    text_quote(text, &q), why.text);
		else
			c->snapshot.google_domains[
			    c->snapshot.ngoogle_domains++] = domain.p;
	}
}

/* config_snapshot - one setting */
void
config_snapshot(struct reader *r, const struct node *n, int id)
{
	struct config *c = r->config;

	switch (id) {
	case WORD_SNAPSHOT_CALLS:
		config_count(r, n, &c->snapshot.calls);
		break;
	case WORD_SNAPSHOT_REFRESH:
		config_duration(r, n, CLOCK_DAY, 400 * CLOCK_DAY,
		    &c->snapshot.refresh);
		break;
	case WORD_SNAPSHOT_TIMEOUT:
		config_duration(r, n, CLOCK_SECOND, 10 * CLOCK_MINUTE,
		    &c->snapshot.timeout);
		break;
	case WORD_SNAPSHOT_CERTIFICATES:
		optional(r, n, &c->snapshot.certificates);
		break;
	case WORD_SNAPSHOT_GOOGLE_CREDENTIALS:
		optional(r, n, &c->snapshot.google_credentials);
		break;
	case WORD_SNAPSHOT_GOOGLE_URL:
		url(r, n, &c->snapshot.google_url);
		break;
	case WORD_SNAPSHOT_GOOGLE_TOKEN_URL:
		url(r, n, &c->snapshot.google_token_url);
		break;
	case WORD_SNAPSHOT_GOOGLE_DOMAINS:
		domains(r, n);
		break;
	case WORD_SNAPSHOT_GOOGLE_CALLS:
		config_count(r, n, &c->snapshot.google_calls);
		break;
	case WORD_SNAPSHOT_MICROSOFT_CREDENTIALS:
		optional(r, n, &c->snapshot.microsoft_credentials);
		break;
	case WORD_SNAPSHOT_MICROSOFT_URL:
		url(r, n, &c->snapshot.microsoft_url);
		break;
	case WORD_SNAPSHOT_MICROSOFT_CALLS:
		config_count(r, n, &c->snapshot.microsoft_calls);
		break;
	}
}

/* config_snapshot_defaults - what holds where the file says nothing */
void
config_snapshot_defaults(struct config *c)
{
	c->snapshot.calls = 200;
	c->snapshot.google_calls = 150;
	c->snapshot.microsoft_calls = 50;
	c->snapshot.refresh = 30 * CLOCK_DAY;
	c->snapshot.timeout = 30 * CLOCK_SECOND;
	c->snapshot.certificates = "";
	c->snapshot.google_credentials = "";
	c->snapshot.google_url = "https://gmailpostmastertools.googleapis.com";
	c->snapshot.google_token_url = "https://oauth2.googleapis.com/token";
	c->snapshot.microsoft_credentials = "";
	c->snapshot.microsoft_url =
	    "https://sendersupport.olc.protection.outlook.com/snds";
}
