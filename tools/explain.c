/*
 * explain - penstock policy explain: what the gate would say to a message that
 * is not sent, step by step.
 *
 * It asks decide_mail, decide_rcpt, decide_headers and decide_message, as the
 * gate does, with the counters of the store restored into a ledger of its own;
 * nothing is written.  What the gate's memory alone knows is not in it: what
 * other messages hold reserved at this moment.
 */
#include "tools/explain.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/scan.h"

static const char usage[] = "penstock policy explain [--login LOGIN] "
    "[--client IP]\n    (--from ADDRESS | --message FILE) [--sender ADDRESS] "
    "--rcpt ADDRESS ...\n    [--transport NAME] [--listener NAME] "
    "[--size BYTES] [--at TIME] [--fresh] [--json]";

static const char help[] =
"Asks the gate's own decision about a message that is not sent.\n\n"
"  --login LOGIN     authenticated as\n"
"  --client IP       connected from\n"
"  --from ADDRESS    the From header; may be a whole field value\n"
"  --sender ADDRESS  MAIL FROM; \"<>\" is the null sender; default: as --from\n"
"  --rcpt ADDRESS    a recipient; may be repeated\n"
"  --transport NAME  Postfix's transport of the recipients that follow it;\n"
"                    default smtp, which is remote\n"
"  --message FILE    headers, text and size of this message, and what would\n"
"                    be edited; \"-\" is stdin; without it no postal address\n"
"                    is looked for\n"
"  --listener NAME   Postfix's {daemon_name}\n"
"  --size BYTES      SIZE= of the MAIL command, and the message's if no file\n"
"  --at TIME         decide as of then: \"2026-11-22T00:00:00Z\", \"10:30\"\n"
"  --fresh           all counters empty; needs no store\n"
"  --json            one JSON object\n\n"
"Exit status: 0 it would pass, to all recipients; 1 it would not; 3 the store\n"
"cannot be read.\n";

/* rcpt_arg - one more recipient */
static int
rcpt_arg(struct explain *e, const char *address, const char *transport)
{
	struct explain_rcpt *to;

	to = xrealloc(e->rcpts, (e->nrcpts + 1) * sizeof(*to));
	e->rcpts = to;
	to[e->nrcpts++] = (struct explain_rcpt){ .address = slice_of(address),
		.transport = slice_of(transport) };
	return 0;
}

/* client_arg - an address, v4 or v6 */
static int
client_arg(struct explain *e, const char *text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		ip_of((struct sockaddr *)&v4, &e->client);
	else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		ip_of((struct sockaddr *)&v6, &e->client);
	else
		return tool_fail(TOOL_USAGE, "--client \"%s\": not an IP "
		    "address", text);
	return TOOL_OK;
}

/* value_arg - an option with a value */
static int
value_arg(struct explain *e, const char *name, const char *value,
    const char **transport)
{
	struct why why;

	if (strcmp(name, "--login") == 0)
		e->login = slice_of(value);
	else if (strcmp(name, "--from") == 0)
		e->from = slice_of(value);
	else if (strcmp(name, "--sender") == 0)
		e->sender = slice_of(value);
	else if (strcmp(name, "--listener") == 0)
		e->listener = slice_of(value);
	else if (strcmp(name, "--message") == 0)
		e->file = value;
	else if (strcmp(name, "--at") == 0)
		e->at = value;
	else if (strcmp(name, "--transport") == 0)
		*transport = value;
	else if (strcmp(name, "--rcpt") == 0)
		return rcpt_arg(e, value, *transport);
	else if (strcmp(name, "--client") == 0)
		return client_arg(e, value);
	else if (strcmp(name, "--size") != 0)
		return tool_usage(usage);
	else if (scan_size(slice_of(value), &e->size, &why) == -1)
		return tool_fail(TOOL_USAGE, "--size: %s", why.text);
	return TOOL_OK;
}

/* arguments - of the command line; -1: go on */
static int
arguments(struct explain *e, int argc, char **argv)
{
	const char *transport = "smtp";
	int i, status;

	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", usage, help);
			return TOOL_OK;
		}
		if (strcmp(argv[i], "--json") == 0)
			e->json = true;
		else if (strcmp(argv[i], "--fresh") == 0)
			e->fresh = true;
		else if (i + 1 == argc)
			return tool_usage(usage);
		else if ((status = value_arg(e, argv[i], argv[i + 1],
		    &transport)) != TOOL_OK)
			return status;
		else
			i++;
	}
	if (e->nrcpts == 0 || (e->file == NULL && e->from.p == NULL))
		return tool_usage(usage);
	return -1;
}

/* headers - those of the file, or one From */
static int
headers(struct explain *e)
{
	struct arena *arena = e->live.arena;
	struct why why;

	if (e->file != NULL) {
		if (message_read(e->file, arena, &e->message, &why) == -1)
			return tool_fail(TOOL_BROKEN, "%s", why.text);
		return TOOL_OK;
	}
	e->message.headers = arena_array(arena, 1,
	    sizeof(*e->message.headers));
	if (e->message.headers == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	e->message.headers[0] = (struct header_fact){ SLICE("From"), e->from };
	e->message.nheaders = 1;
	e->message.size = e->size;
	return TOOL_OK;
}

/* sender - MAIL FROM when it was not given: the first address of From */
static struct slice
sender(struct explain *e)
{
	struct mailboxes list;
	struct why why;
	size_t i;

	if (e->sender.p != NULL)
		return e->sender;
	for (i = 0; i < e->message.nheaders; i++)
		if (slice_case_eq(e->message.headers[i].name, SLICE("From")) &&
		    address_list(e->live.arena, e->message.headers[i].value,
		    &list, &why) != -1)
			return list.list[0].text;
	return e->from.p != NULL ? e->from : SLICE("<>");
}

/* prepare - the mail as the milter would begin it */
static int
prepare(struct explain *e)
{
	struct live *live = &e->live;
	struct why why;
	int status;

	e->now = live->now;
	if (e->at != NULL && scan_moment(slice_of(e->at), live->policy->zone,
	    live->now, &e->now, &why) == -1)
		return tool_fail(TOOL_USAGE, "--at: %s", why.text);
	if ((status = headers(e)) != TOOL_OK)
		return status;
	e->mail.mail_from_text = sender(e);
	return TOOL_OK;
}

/* tool_policy_explain - what would the gate say? */
int
tool_policy_explain(const struct tool *tool, int argc, char **argv)
{
	struct explain e = { .verdict = VERDICT_PASS };
	struct why why;
	int status;

	if ((status = arguments(&e, argc, argv)) != -1)
		goto usage;
	if ((status = live_open(tool, e.fresh ? LIVE_FRESH : LIVE_MAY_LACK |
	    LIVE_SHARES, &e.live)) != TOOL_OK || (status = prepare(&e)) !=
	    TOOL_OK)
		goto out;
	if (explain_ask(&e, &why) == -1) {
		status = tool_fail(TOOL_BROKEN, "%s", why.text);
		goto out;
	}
	if (e.json)
		explain_json(&e);
	else
		explain_print(&e, tool->color);
	status = explain_passed(&e) == e.nrcpts ? TOOL_OK : TOOL_NO;
out:
	message_free(&e.message);
	live_close(&e.live);
usage:
	free(e.rcpts);
	explain_forget(&e);
	return status;
}
