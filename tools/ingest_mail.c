/*
 * ingest_mail - penstock ingest --dsn, --arf and --rua: a mail on standard
 * input goes to the daemon's socket, as Postfix would bring it.
 *
 * The store has one writer, so nothing is done here; the answer of the daemon
 * is printed, and it is an error when it took the mail for something else than
 * was said.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/lmtp_send.h"
#include "lib/mem.h"
#include "tools/tool.h"

#define MAIL_MOST	((size_t)32 << 20)	/* as the daemon's */
#define PATIENCE	(60 * CLOCK_SECOND)

static const char usage[] =
    "penstock ingest --dsn|--arf|--rua [--to ADDRESS] <MAIL";

/* read_mail - standard input; an mbox's first line is not part of it */
static int
read_mail(struct buf *b)
{
	ssize_t n = 1;
	size_t line;
	char *room;

	while (n > 0 && b->len <= MAIL_MOST) {
		if ((room = buf_room(b, 65536)) == NULL)
			return tool_fail(TOOL_BROKEN, "out of memory");
		n = read(STDIN_FILENO, room, 65536);
		if (n == -1 && errno == EINTR)
			n = 1;
		else if (n == -1)
			return tool_fail(TOOL_BROKEN, "standard input: %s",
			    strerror(errno));
		else
			b->len += (size_t)n;
	}
	if (b->len > MAIL_MOST)
		return tool_fail(TOOL_NO, "the mail has more than %zu MiB",
		    MAIL_MOST >> 20);
	if (b->len == 0)
		return tool_fail(TOOL_USAGE, "no mail on standard input");
	if (b->len >= 5 && memcmp(b->data, "From ", 5) == 0) {
		for (line = 0; line < b->len && b->data[line] != '\n'; line++)
			;
		line += line < b->len;
		memmove(b->data, b->data + line, b->len - line);
		b->len -= line;
	}
	return TOOL_OK;
}

/* where_of - "inet:port@host" as lmtp_send has it; the caller frees */
static char *
where_of(const char *socket)
{
	const char *at = strchr(socket, '@');

	if (strncmp(socket, "inet:", 5) != 0 || at == NULL)
		return xstrdup(socket);
	return xasprintf("inet:%s:%.*s", at + 1, (int)(at - socket - 5),
	    socket + 5);
}

/* hand_over - and say what came of it */
static int
hand_over(const struct config *config, const char *kind, const char *to,
    struct slice mail)
{
	const struct slice recipient = slice_of(to);
	struct lmtp_to where = { .name = "localhost", .patience = PATIENCE };
	char *socket = where_of(config->ingest.lmtp);
	struct lmtp_answer answer;
	const char *text;
	struct why why;
	int rc;

	where.where = socket;
	rc = lmtp_send(&where, SLICE(""), &recipient, 1, false, mail, &answer,
	    &why);
	free(socket);
	if (rc == -1)
		return tool_fail(TOOL_BROKEN, "%s; does penstock-ingest run?",
		    why.text);
	if (answer.code / 100 != 2)
		return tool_fail(answer.code / 100 == 4 ? TOOL_BROKEN :
		    TOOL_NO, "penstock-ingest says: %s", answer.text);
	text = strlen(answer.text) > 10 ? answer.text + 10 : "";
	puts(text);
	if (strncmp(text, kind, strlen(kind)) != 0)
		return tool_fail(TOOL_NO, "it was not taken for what %s means "
		    "(penstock ingest quarantine list)", kind);
	return strstr(text, "not understood") != NULL ? TOOL_NO : TOOL_OK;
}

/* tool_ingest_mail - one mail */
int
tool_ingest_mail(const struct tool *tool, int argc, char **argv)
{
	const char *kind = NULL, *to = "report@localhost";
	struct config *config = NULL;
	struct buf mail = BUF_INIT;
	int status;

	if (tool_asks_help(argc, argv))
		return tool_help(usage);
	for (int i = 0; i < argc; i++)
		if (kind == NULL && (strcmp(argv[i], "--dsn") == 0 ||
		    strcmp(argv[i], "--arf") == 0 ||
		    strcmp(argv[i], "--rua") == 0))
			kind = argv[i] + 2;
		else if (strcmp(argv[i], "--to") == 0 && i + 1 < argc)
			to = argv[++i];
		else
			return tool_usage(usage);
	if (kind == NULL)
		return tool_usage(usage);
	if ((status = tool_config(tool, &config)) != TOOL_OK)
		return status;
	if (config->ingest.lmtp[0] == '\0')
		status = tool_fail(TOOL_NO, "%s: ingest { lmtp = \"...\" } "
		    "names no socket to hand it to", config->path);
	else
		status = read_mail(&mail);
	if (status == TOOL_OK)
		status = hand_over(config, kind, to, buf_slice(&mail));
	buf_free(&mail);
	config_free(config);
	return status;
}
