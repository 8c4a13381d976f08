/*
 * postfix_config - penstock postfix-config: the lines that Postfix needs for
 * this configuration, each with its reason.
 *
 * Fail closed is a property of Postfix's configuration as much as of ours:
 * with default_action=accept a gate that is down lets everything pass.  So
 * nothing here is optional advice.  The output is valid main.cf and master.cf;
 * comments stand on lines of their own, and with --main or --master it can be
 * fed to "postconf -e" and "postconf -M" line by line.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "tools/policy.h"
#include "tools/postfix_ways.h"
#include "tools/tool.h"

#define USAGE	"penstock postfix-config [--main | --master] [--queue DIR]"
#define QUEUE	"/var/spool/postfix"

/* Postfix's own default; tenants may have a larger max_recipients. */
#define RECIPIENTS	1000

static const char help[] = "usage: " USAGE "\n\n"
"Prints the lines for Postfix's main.cf and master.cf that belong to this\n"
"configuration, each with its reason. Changes nothing.\n\n"
"  --main        main.cf only\n"
"  --master      master.cf only: transports for each address of the pools\n"
"  --queue DIR   Postfix's queue_directory, default " QUEUE "\n";

struct wanted {
	bool		 main, master;
	const char	*queue;
};

/* reason - a comment, above the line that it explains */
static void
reason(const char *text)
{
	printf("# %s\n", text);
}

/* below - the part of a path behind a folder; NULL: it is not below it */
static const char *
below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	while (n > 1 && folder[n - 1] == '/')
		n--;
	if (strncmp(path, folder, n) != 0 || path[n] != '/')
		return NULL;
	return path + n + 1;
}

/* milter_address - the socket as smtpd sees it, from inside its chroot */
static char *
milter_address(const char *socket, const char *queue)
{
	const char *inside;

	if (strncmp(socket, "unix:", 5) == 0) {
		if ((inside = below(socket + 5, queue)) != NULL) {
			printf("# The socket is %s;\n"
			    "# a relative path starts at the queue directory, "
			    "in a chroot (Debian) and without.\n",
			    socket + 5);
			return xasprintf("unix:%s", inside);
		}
		printf("# %s is outside of the queue directory: an smtpd and "
		    "a cleanup\n# that run in a chroot (column 5 of "
		    "master.cf) cannot reach it.\n", socket + 5);
	} else if (strncmp(socket, "inet:", 5) == 0 &&
	    strchr(socket + 5, '@') != NULL) {
		const char *at = strchr(socket + 5, '@');

		/* libmilter writes port@host, Postfix host:port */
		return xasprintf("inet:%s:%.*s", at + 1,
		    (int)(at - socket - 5), socket + 5);
	}
	return xstrdup(socket);
}

/* most_recipients - no tenant may send to more in one message */
static int
most_recipients(const struct policy *p)
{
	int most = RECIPIENTS;

	for (size_t i = 0; i < p->ntenants; i++)
		if (policy_default(p->tenants[i])->max_recipients > most)
			most = policy_default(
			    p->tenants[i])->max_recipients;
	return most;
}

/* knows_pickup - has mail of sendmail(1) a tenant? it comes as 127.0.0.1 */
static bool
knows_pickup(const struct policy *p)
{
	const struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct ip ip;

	ip_of((const struct sockaddr *)&in, &ip);
	return policy_trusts(p, &ip) || policy_by_client(p, &ip, NULL) != NULL;
}

/* print_milter - how Postfix reaches the gate, and what if it does not */
static void
print_milter(const struct config *config, const struct policy *p,
    const char *queue)
{
	bool pickup = knows_pickup(p);
	char *address = milter_address(config->milter.socket, queue);

	reason("Last in the list when there are other milters: it signs what "
	    "they leave.");
	printf("smtpd_milters = { %s, connect_timeout=5s, command_timeout=30s,"
	    " content_timeout=120s, default_action=tempfail }\n", address);
	reason("Mail of sendmail(1) goes around the gate without this line.");
	if (!pickup)
		printf("# It is off because no tenant is known for 127.0.0.1: "
		    "such mail would stay in the\n# queue. Claim it with "
		    "clients = {\"127.0.0.1\"} in a tenant or in trusted.\n");
	printf("%snon_smtpd_milters = { %s, connect_timeout=5s, "
	    "command_timeout=30s, content_timeout=120s, "
	    "default_action=tempfail }\n", pickup ? "" : "#", address);
	reason("A gate that is down or hangs means 451, never mail unseen.");
	printf("milter_default_action = tempfail\n");
	reason("The protocol with all macros and replies that the gate uses.");
	printf("milter_protocol = 6\n");
	free(address);
}

/* print_domain - of bounces: where its mail goes */
static void
print_domain(struct slice domain, const char *where)
{
	printf("#    { %.*s = lmtp:%s }\n", SLICE_ARG(domain), where);
}

/* print_pattern - "bounce.*" of auto_tenant: which domains those are, or which
 * addresses are in one and where their mail goes */
static void
print_pattern(const struct policy *p, const char *where)
{
	struct slice form = p->automatic != NULL ?
	    p->automatic->bounce_domain : SLICE_NONE;

	if (form.n == 0 || form.p[form.n - 1] != '*')
		return;
	printf(" regexp:{ {/%c", where != NULL ? '@' : '^');
	for (size_t i = 0; i + 1 < form.n; i++)
		printf("%s%c", form.p[i] == '.' ? "\\" : "", form.p[i]);
	if (where != NULL)
		printf("[^@]+$$/ lmtp:%s} }", where);
	else
		printf("/ OK} }");
}

/* print_reports - who takes bounces and complaints; both settings may hold
 * something already, so these lines are not put in place by themselves */
static void
print_reports(const struct config *config, const struct policy *p,
    const char *queue)
{
	const struct tenant *many = p->automatic;
	char *where;

	if (config->ingest.lmtp[0] == '\0')
		return;
	where = milter_address(config->ingest.lmtp, queue);
	printf("\n");
	reason("Mail that reports goes to penstock-ingest: bounces, by the "
	    "bounce domains of");
	reason("the policy. Add to what these two say already; complaints and "
	    "DMARC reports");
	reason("need a row for their address, such as { fbl@... = lmtp:... "
	    "}.");
	printf("#relay_domains =");
	for (size_t i = 0; i < p->ntenants; i++)
		if (p->tenants[i]->bounce_domain.n > 0)
			printf(" %.*s",
			    SLICE_ARG(p->tenants[i]->bounce_domain));
	if (many != NULL && many->bounce_domain.n > 0 &&
	    many->bounce_domain.p[many->bounce_domain.n - 1] == '*')
		many = NULL;
	if (many != NULL && many->bounce_domain.n > 0)
		printf(" %.*s", SLICE_ARG(many->bounce_domain));
	print_pattern(p, NULL);
	printf("\n#transport_maps = inline:{\n");
	for (size_t i = 0; i < p->ntenants; i++)
		if (p->tenants[i]->bounce_domain.n > 0)
			print_domain(p->tenants[i]->bounce_domain, where);
	if (many != NULL && many->bounce_domain.n > 0)
		print_domain(many->bounce_domain, where);
	printf("#    }");
	print_pattern(p, where);
	printf("\n");
	free(where);
}

/* print_main - main.cf */
static void
print_main(const struct config *config, const struct policy *p,
    const char *queue)
{
	int recipients = most_recipients(p);

	printf("# main.cf: for penstock-milter, from %s\n\n", config->path);
	print_milter(config, p, queue);
	printf("\n");
	reason("Short queue ids repeat within hours; events are found by id.");
	printf("enable_long_queue_ids = yes\n");
	reason("Postfix's bound on recipients of one message, the gate's own "
	    "is per tenant.");
	printf("smtpd_recipient_limit = %d\n", recipients);
	reason("Each recipient over a limit is an error. Stock Postfix sleeps "
	    "1 s per error");
	reason("after 10 and hangs up after 20: whole messages would be lost "
	    "for a few.");
	printf("smtpd_soft_error_limit = %d\n", recipients + 10);
	printf("smtpd_hard_error_limit = %d\n", recipients + 20);
	reason("What may be held is to have a day for its delivery "
	    "(maximal_queue_lifetime of");
	reason("the policy).");
	printf("maximal_queue_lifetime = %lldh\n",
	    (long long)(p->queue_lifetime / CLOCK_HOUR));
	printf("\n");
	reason("A NUL byte hides the rest of a header from milters, not from "
	    "recipients.");
	printf("message_reject_characters = \\0\n");
	reason("A bare newline can smuggle in a second message with a sender "
	    "of its own.");
	printf("smtpd_forbid_bare_newline = normalize\n");
	reason("By default own networks are excluded, and those are our "
	    "senders.");
	printf("smtpd_forbid_bare_newline_exclusions =\n");
	reason("Converting to quoted-printable at delivery breaks the "
	    "signature made here.");
	printf("disable_mime_output_conversion = yes\n");
	print_reports(config, p, queue);
	postfix_ways_main(p);
}

/* options - 0, or the exit status; *help_shown stops with 0 */
static int
options(int argc, char **argv, struct wanted *w, bool *stop)
{
	*w = (struct wanted){ true, true, QUEUE };
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			fputs(help, stdout);
			*stop = true;
			return TOOL_OK;
		} else if (strcmp(argv[i], "--main") == 0) {
			w->master = false;
		} else if (strcmp(argv[i], "--master") == 0) {
			w->main = false;
		} else if (strcmp(argv[i], "--queue") == 0 && i + 1 < argc &&
		    argv[i + 1][0] == '/') {
			w->queue = argv[++i];
		} else {
			return tool_usage(USAGE);
		}
	}
	return w->main || w->master ? TOOL_OK : tool_usage(USAGE);
}

/* tool_postfix_config - load, print */
int
tool_postfix_config(const struct tool *tool, int argc, char **argv)
{
	struct config *config = NULL;
	struct policy *policy = NULL;
	struct arena *arena = NULL;
	struct problems problems;
	struct wanted wanted;
	bool stop = false;
	int status;

	if ((status = options(argc, argv, &wanted, &stop)) != TOOL_OK || stop)
		return status;
	if ((status = tool_config(tool, &config)) != TOOL_OK)
		return status;
	if ((arena = arena_new(1 << 16, 0)) == NULL) {
		config_free(config);
		return tool_fail(TOOL_BROKEN, "out of memory");
	}
	problems_init(&problems, arena);
	if (tool_policy_load(config->policy, config->keys, NULL, &problems,
	    &policy) != 1) {
		tool_problems(stderr, &problems);
		status = tool_fail(TOOL_NO, "%s has mistakes", config->policy);
		goto out;
	}
	if (wanted.main)
		print_main(config, policy, wanted.queue);
	if (wanted.main && wanted.master)
		putchar('\n');
	if (wanted.master)
		postfix_ways_master(config, policy);
out:
	policy_drop(policy);
	arena_free(arena);
	config_free(config);
	return status;
}
