/*
 * penstock - the command line: a table, a look-up and one call.
 *
 * --help is printed from the table that dispatches, so that no command can be
 * missing from it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/version.h"
#include "tools/tool.h"

struct command {
	const char	*words;		/* one or two, parted by a space */
	int		(*run)(const struct tool *, int, char **);
	const char	*help;
};

/* clang-format off */
static const struct command commands[] = {
	{ "policy check", tool_policy_check,
	    "read the policy and name every mistake in it" },
	{ "policy show", tool_policy_show,
	    "the policy as it stands for a tenant, with file:line" },
	{ "policy explain", tool_policy_explain,
	    "what the gate would say to a message, and why" },
	{ "policy replay", tool_policy_replay,
	    "what another policy would have said to the recorded mail" },
	{ "tenant list", tool_tenant_list,
	    "who there is, in which form, and who is paused by what" },
	{ "tenant pause", tool_tenant_pause,
	    "stop a tenant's mail, or a part of it, for a while" },
	{ "tenant resume", tool_tenant_resume,
	    "end such a pause" },
	{ "limits grant", tool_limits_grant,
	    "raise a limit of a tenant for a while" },
	{ "limits reset", tool_limits_reset,
	    "forget what was spent of a limit" },
	{ "limits", tool_limits,
	    "what is spent of every limit, and when there is room" },
	{ "warmup explain", tool_warmup_explain,
	    "each decision about a warmup, and whether it holds" },
	{ "warmup resume", tool_warmup_resume,
	    "let one go on that a rule stopped" },
	{ "warmup", tool_warmup,
	    "how far each warmup is, and what is left of today" },
	{ "breaker list", tool_breaker_list,
	    "whose mail is stopped since too much of it went wrong" },
	{ "breaker lift", tool_breaker_lift,
	    "let it flow again" },
	{ "backoff list", tool_backoff_list,
	    "providers that want less mail, of whom and until when" },
	{ "backoff lift", tool_backoff_lift,
	    "let mail flow again before that" },
	{ "backoff test", tool_backoff_test,
	    "which rules of back-off a remote server's reply counts for" },
	{ "hold list", tool_hold_list,
	    "mail that waits until a limit has room, and until when" },
	{ "hold release", tool_hold_release,
	    "let held mail go now: one message, a tenant's, all" },
	{ "hold drop", tool_hold_drop,
	    "delete held mail" },
	{ "report explain", tool_report_explain,
	    "how a sender stands, and what each of its points is from" },
	{ "report calibrate", tool_report_calibrate,
	    "do our scores go with what mailbox providers say?" },
	{ "advice list", tool_advice_list,
	    "what scores recommend, and what became of it" },
	{ "advice apply", tool_advice_apply,
	    "follow one: what to write now; on record" },
	{ "advice dismiss", tool_advice_dismiss,
	    "do not follow it; on record" },
	{ "report", tool_report,
	    "how a day, week or month went, for whom, and why" },
	{ "audit", tool_audit,
	    "who decided what, when and why; --verify checks the chain" },
	{ "events", tool_events,
	    "what the gate did, one line each; --follow, --json" },
	{ "usage", tool_usage_month,
	    "what each tenant and group sent in a month, for an invoice" },
	{ "status", tool_status,
	    "is the gate well, and what did its last reload say" },
	{ "reload", tool_reload,
	    "have the gate read its policy again, and print the result" },
	{ "postfix-config", tool_postfix_config,
	    "the lines for Postfix's main.cf and master.cf" },
	{ "dkim dns", tool_dkim_dns,
	    "the DNS records of the keys that sign" },
	{ "dkim verify", tool_dkim_verify,
	    "verify the signatures of a message with libopendkim" },
	{ "bounce test", tool_bounce_test,
	    "what a remote server's reply means, and the rule that says so" },
	{ "suppress add", tool_suppress_add,
	    "an address gets no mail of a list, a tenant, a group or anyone" },
	{ "suppress remove", tool_suppress_remove,
	    "it may get mail again" },
	{ "suppress check", tool_suppress_check,
	    "what is said of an address, by whom, and what holds" },
	{ "suppress import", tool_suppress_import,
	    "a CSV list of SendGrid, Mailgun, SES, or our own" },
	{ "suppress export", tool_suppress_export,
	    "all that stands, as CSV" },
	{ "token make", tool_token_make,
	    "the token of a recipient's unsubscribe link" },
	{ "token read", tool_token_read,
	    "whom and what such a token is about" },
	{ "token names", tool_token_names,
	    "the names of tenants for the page of penstock-unsubscribe" },
	{ "token rotate", tool_token_rotate,
	    "one key more for tokens; old ones stay good" },
	{ "ingest status", tool_ingest_status,
	    "how far the logs are read, and what was not understood" },
	{ "ingest quarantine", tool_ingest_quarantine,
	    "mails that reported something and had no effect" },
	{ "ingest", tool_ingest,
	    "read one log of Postfix to its end; or hand over a report" },
	{ "trace", tool_trace,
	    "the life of messages: by recipient, sender or id" },
	{ "replies", tool_replies,
	    "what remote servers say, the most frequent first" },
	{ "provider", tool_provider,
	    "which mailbox provider a domain belongs to, and who says so" },
	{ "snapshot import", tool_snapshot_import,
	    "what providers say of us: files of Google, Microsoft, lists" },
	{ "snapshot list", tool_snapshot_list,
	    "the latest of it, and when they may be asked again" },
	{ "snapshot request", tool_snapshot_request,
	    "have a provider asked now, since there is an incident" },
	{ "store stat", tool_store_stat,
	    "size, fill and tables of the gate's store" },
	{ "store verify", tool_store_verify,
	    "read every page and record of the store" },
	{ "store dump", tool_store_dump,
	    "the whole store as JSON lines" },
	{ "store backup", tool_store_backup,
	    "a consistent copy, while the gate runs" },
	{ "store anew", tool_store_anew,
	    "go on after the desk was lost" },
};
/* clang-format on */

enum { NCOMMANDS = sizeof(commands) / sizeof(commands[0]) };

/* help - the table for people */
static void
help(FILE *out)
{
	fprintf(out, "usage: penstock [-c FILE] COMMAND [ARGUMENT ...]\n\n");
	for (size_t i = 0; i < NCOMMANDS; i++)
		fprintf(out, "  %-16s %s\n", commands[i].words,
		    commands[i].help);
	fprintf(out, "\n  -c FILE          configuration, default %s\n"
	    "  COMMAND --help   its own options\n"
	    "  -v, --version    which release this is\n\n"
	    "Exit status: 0 fine, 1 the answer is no, 2 usage, "
	    "3 something is broken.\n", CONFIG_DEFAULT);
}

/* find - the command whose words argv begins with, and how many they are */
static const struct command *
find(int argc, char **argv, int *taken)
{
	for (size_t i = 0; i < NCOMMANDS; i++) {
		const char *words = commands[i].words;
		const char *space = strchr(words, ' ');

		if (space == NULL) {
			*taken = 1;
			if (strcmp(argv[0], words) == 0)
				return &commands[i];
			continue;
		}
		*taken = 2;
		if (argc > 1 && strlen(argv[0]) == (size_t)(space - words) &&
		    strncmp(argv[0], words, (size_t)(space - words)) == 0 &&
		    strcmp(argv[1], space + 1) == 0)
			return &commands[i];
	}
	return NULL;
}

/* unknown - which commands begin like that, or where to look */
static int
unknown(const char *word)
{
	bool some = false;

	for (size_t i = 0; i < NCOMMANDS; i++) {
		size_t n = strlen(word);

		if (strncmp(commands[i].words, word, n) != 0 ||
		    commands[i].words[n] != ' ')
			continue;
		fprintf(stderr, some ? ", %s" : "penstock: %s what? Try: %s",
		    some ? commands[i].words : word, commands[i].words);
		some = true;
	}
	if (some)
		fputc('\n', stderr);
	else
		fprintf(stderr, "penstock: no command \"%s\"; "
		    "penstock --help lists them\n", word);
	return TOOL_USAGE;
}

int
main(int argc, char **argv)
{
	struct tool tool = { CONFIG_DEFAULT, false };
	const struct command *command;
	int at = 1, taken = 0;

	log_open("penstock", false, LOG_LEVEL_WARN);
	tool.color = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "-c") == 0 && at + 1 < argc) {
			tool.config_path = argv[++at];
		} else if (strcmp(argv[at], "-h") == 0 ||
		    strcmp(argv[at], "--help") == 0) {
			help(stdout);
			return TOOL_OK;
		} else if (strcmp(argv[at], "-v") == 0 ||
		    strcmp(argv[at], "--version") == 0) {
			puts("penstock " PENSTOCK_VERSION);
			return TOOL_OK;
		} else {
			return tool_usage("penstock [-c FILE] COMMAND ...");
		}
	}
	if (at >= argc) {
		help(stderr);
		return TOOL_USAGE;
	}
	if ((command = find(argc - at, argv + at, &taken)) == NULL)
		return unknown(argv[at]);
	at += taken;
	return command->run(&tool, argc - at, argv + at);
}
