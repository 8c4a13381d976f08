/*
 * report_forward - what is no report goes on to a person.
 *
 * An answer to a message of ours goes to its sender, whoever the bounce address
 * belongs to: the message is found by In-Reply-To and References.  Anything
 * else goes on as it is addressed.
 *
 * The other side is a neighbour (a port of Postfix on the same machine).  When
 * it does not answer, mails wait with Postfix (451), and it is not asked again
 * for FORWARD_REST: this program has a log to read.  A mail that was sent on
 * before bears FORWARD_MARK, and does not go round.
 */
#include <stdio.h>

#include "lib/clock.h"
#include "lib/lmtp_send.h"
#include "tools/ingest/fields.h"
#include "tools/ingest/reports_in.h"

#define FORWARD_MARK		"X-Penstock-Forwarded"
#define FORWARD_PATIENCE	(10 * CLOCK_SECOND)
#define FORWARD_REST		(30 * CLOCK_SECOND)

enum { REFERENCES = 20 };

/* last_id - the last Message-ID of a field, and cut it off */
static struct slice
last_id(struct slice *s)
{
	size_t end = s->n, at;

	while (end > 0 && s->p[end - 1] != '>')
		end--;
	for (at = end; at > 0 && s->p[at - 1] != '<'; at--)
		;
	s->n = at > 0 ? at - 1 : 0;
	return at > 0 && end > at ? (struct slice){ s->p + at, end - at - 1 } :
	    SLICE_NONE;
}

/* sender_of - of the message that it answers; fetch */
static int
sender_of(struct job *j, struct slice *out, struct why *why)
{
	static const char *const names[] = { "In-Reply-To", "References" };
	struct attribute_by by;
	struct event e;
	struct slice field, id;
	int got;

	report_by(j, &by);
	for (size_t i = 0; i < 2; i++) {
		field = field_find(j->mail.head, names[i], j->arena);
		for (int n = 0; n < REFERENCES &&
		    (id = last_id(&field)).n > 0; n++) {
			got = attribute_message(&by, id, j->arena, &e, why);
			if (got == -1)
				return -1;
			if (got == 1 && e.mail_from.n > 0) {
				*out = e.mail_from;
				return 1;
			}
		}
	}
	return 0;
}

/* is_here - of a pipe: such a mail has nowhere to go */
static bool
is_here(struct slice recipient)
{
	struct slice here = SLICE(REPORTS_HERE);

	return recipient.n >= here.n && slice_case_eq(slice_from(recipient,
	    recipient.n - here.n), here);
}

/* send_on - 1 all took it, or refused it for good; -1 not now */
static int
send_on(struct job *j, const struct slice *to, size_t n, struct why *why)
{
	struct lmtp_to where = { .where = j->r->with.forward, .smtp = true,
	    .name = "localhost", .patience = FORWARD_PATIENCE };
	struct lmtp_answer *answers = arena_array(j->arena, n,
	    sizeof(*answers));
	const char mark[] = FORWARD_MARK ": yes\r\n";
	struct slice whole = { NULL, sizeof(mark) - 1 + j->message.n };
	char *p = arena_alloc(j->arena, whole.n);

	if (answers == NULL || p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a message");
	memcpy(p, mark, sizeof(mark) - 1);
	memcpy(p + sizeof(mark) - 1, j->message.p, j->message.n);
	whole.p = p;
	if (lmtp_send(&where, j->sender, to, n, j->utf8, whole, answers,
	    why) == -1) {
		j->r->forward_again = clock_mono() + FORWARD_REST;
		return -1;
	}
	for (size_t i = 0; i < n; i++)
		if (answers[i].code < 200 || (answers[i].code >= 300 &&
		    answers[i].code < 500))
			return why_set(why, "%s said: %s", where.where,
			    answers[i].text);
	for (size_t i = 0; i < n; i++)
		if (answers[i].code >= 500) {
			snprintf(j->answer, sizeof(j->answer), "%s",
			    answers[i].text);
			return 0;
		}
	return 1;
}

/* report_forward - see the header */
int
report_forward(struct job *j, struct why *why)
{
	struct slice sender;
	int got;

	if (j->r->with.forward == NULL || j->r->with.forward[0] == '\0') {
		snprintf(j->answer, sizeof(j->answer), "no report, and no "
		    "\"forward\" is set");
		return 0;
	}
	if (is_here(j->recipient) ||
	    field_find(j->mail.head, FORWARD_MARK, j->arena).p != NULL) {
		snprintf(j->answer, sizeof(j->answer), "no report%s",
		    is_here(j->recipient) ? "" : ", and it was sent on "
		    "before");
		return 0;
	}
	if (clock_mono() < j->r->forward_again)
		return why_set(why, "%s did not answer a moment ago",
		    j->r->with.forward);
	if ((got = sender_of(j, &sender, why)) == -1)
		return -1;
	return got == 1 ? send_on(j, &sender, 1, why) :
	    send_on(j, j->recipients, j->nrecipients, why);
}
