/*
 * hand_over - a pipe(8) command that gives its mail to the daemon's socket.
 *
 * For mail systems that cannot deliver by LMTP.  It keeps nothing and decides
 * nothing: what the daemon answers is its exit status, and whatever goes wrong
 * on the way is 75 (EX_TEMPFAIL), so that the mail system comes again.
 */
#include "tools/unsubscribe/postbox.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/lmtp_send.h"
#include "lib/log.h"

enum { CHUNK = 65536, MESSAGE = 1 << 20 };
#define PATIENCE	CLOCK_MINUTE

/* slurp - the message, which must end within its bound */
static int
slurp(struct buf *out)
{
	ssize_t got;
	char *room;

	do {
		if ((room = buf_room(out, CHUNK)) == NULL)
			return -1;
		if ((got = read(STDIN_FILENO, room, CHUNK)) == -1) {
			if (errno != EINTR)
				return -1;
			continue;
		}
		out->len += (size_t)got;
	} while (got != 0 && out->len <= MESSAGE);
	if (out->len <= MESSAGE)
		return 0;
	errno = EMSGSIZE;
	return -1;
}

/* address - "inet:port@host" of penstock.conf, as lib/lmtp_send has it */
static void
address(const char *where, char *out, size_t room)
{
	const char *colon = strchr(where, ':'), *at = strchr(where, '@');

	if (strncmp(where, "unix:", 5) == 0 || colon == NULL || at == NULL)
		snprintf(out, room, "%s", where);
	else
		snprintf(out, room, "inet:%s:%.*s", at + 1,
		    (int)(at - colon - 1), colon + 1);
}

/* postbox_hand_over - the whole dialogue; an exit status of sysexits.h */
int
postbox_hand_over(const char *where, const char *recipient)
{
	struct lmtp_answer answer = { .code = 0 };
	struct lmtp_to to = { .name = "penstock-unsubscribe",
	    .patience = PATIENCE };
	struct slice rcpt = slice_of(recipient);
	struct buf message = BUF_INIT;
	char text[512];
	struct why why;
	int rc, error;

	if (slurp(&message) == -1) {
		error = errno;
		log_error("cannot read the message: %s", strerror(error));
		buf_free(&message);
		return error == EMSGSIZE ? EX_DATAERR : EX_TEMPFAIL;
	}
	address(where, text, sizeof(text));
	to.where = text;
	rc = lmtp_send(&to, SLICE(""), &rcpt, 1, false, buf_slice(&message),
	    &answer, &why);
	buf_free(&message);
	if (rc == 0 && answer.code / 100 == 2)
		return EX_OK;
	log_error("%s: not taken: %s; is penstock-unsubscribe running?", where,
	    answer.code != 0 ? answer.text : rc == -1 ? why.text :
	    "no answer");
	return rc == 0 && answer.code / 100 == 5 ? EX_UNAVAILABLE :
	    EX_TEMPFAIL;
}
