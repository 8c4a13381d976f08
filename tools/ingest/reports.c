/*
 * reports - the socket, and one transaction for all mails of a moment.
 *
 * First every mail is read and sorted, and what is no report is sent on, since
 * that waits for somebody else and no transaction may.  Then the others write,
 * and one commit answers for all.  A mail that cannot be read, or is not
 * understood, is kept and answered with 250: the one who sent it can do
 * nothing about it, and a bounce of a bounce is nobody's.
 */
#include "tools/ingest/reports.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "tools/ingest/fields.h"
#include "tools/ingest/reports_in.h"

enum { ARENA_FIRST = 1 << 16 };

#define ARENA_MOST	((size_t)256 << 20)
#define SAMPLE		512
#define BATCH		((size_t)8 << 20)	/* bytes of mails */

/* report_by - what a claim is asked of */
void
report_by(const struct job *j, struct attribute_by *by)
{
	*by = (struct attribute_by){ .outcomes = j->r->with.outcomes,
	    .gate = *j->r->with.gate, .ring = j->r->ring, .now = j->now };
}

/* report_keep - into the quarantine */
int
report_keep(struct job *j, const char *kind, const char *reason,
    struct why *why)
{
	struct quarantined q = { .time = j->now, .kind = slice_of(kind),
	    .reason = slice_of(reason), .sender = j->sender,
	    .recipient = j->recipient, .size = j->message.n,
	    .message = j->message };

	return quarantine_put(j->r->with.outcomes, &q, why);
}

/* report_strange - counted, and a sample of it */
int
report_strange(struct job *j, const char *reason, struct why *why)
{
	const char *kind = report_names[j->kind];
	struct slice text = mail_text(&j->mail);

	if (text.n == 0)
		text = j->message;
	snprintf(j->answer, sizeof(j->answer), "%s: not understood, kept: "
	    "%.120s", kind, reason);
	if (outcomes_strange(j->r->with.outcomes, kind, j->now,
	    slice_cut(text, SAMPLE), why) == -1)
		return -1;
	return report_keep(j, kind, reason, why);
}

/* read_job - 1; 0 not now: it cannot be sent on */
static int
read_job(struct job *j, struct why *why)
{
	struct why reason;
	int got;

	if (mail_read(j->message, j->arena, &j->mail, &reason) == -1) {
		j->kind = REPORT_NONE;
		j->mail = (struct mail){ .head = SLICE("") };
		snprintf(j->answer, sizeof(j->answer), "%.150s", reason.text);
		return 1;
	}
	j->kind = sort_mail(&j->mail, j->sender.n == 0, j->arena);
	if ((j->kind != REPORT_NONE && j->kind != REPORT_AUTO) ||
	    report_leaves(j))
		return 1;
	if ((got = report_forward(j, why)) == -1)
		return 0;
	j->forwarded = got == 1;
	if (j->forwarded)
		snprintf(j->answer, sizeof(j->answer), "no report: sent on");
	return 1;
}

/* apply - what a mail means, in the open transaction */
static int
apply(struct job *j, struct why *why)
{
	static const char *const counters[] = { "mail none", "mail dsn",
		"mail arf", "mail rua", "mail auto" };
	char kept[200];

	j->recorded = j->known = j->unproven = j->other = 0;
	if (outcomes_count(j->r->with.outcomes, counters[j->kind], 1,
	    why) == -1)
		return -1;
	switch (j->kind) {
	case REPORT_DSN:
		return report_dsn(j, why);
	case REPORT_ARF:
		return report_arf(j, why);
	case REPORT_RUA:
		return report_rua(j, why);
	case REPORT_NONE:
		if (report_leaves(j))
			return report_leave(j, why);
		break;
	case REPORT_AUTO:
		break;
	}
	if (j->forwarded)
		return outcomes_count(j->r->with.outcomes, "mail sent on", 1,
		    why);
	snprintf(kept, sizeof(kept), "%s", j->answer);
	snprintf(j->answer, sizeof(j->answer), "%s: kept: %.150s",
	    report_names[j->kind], kept);
	return report_keep(j, report_names[j->kind], kept, why);
}

/* job_begin - a mail; false: no memory */
static bool
job_begin(struct job *j, struct reports *r, struct slice sender,
    const struct slice *recipients, size_t n, struct slice message)
{
	*j = (struct job){ .r = r, .sender = sender,
	    .recipient = recipients[0], .recipients = recipients,
	    .nrecipients = n, .message = message, .now = clock_now() };
	j->arena = arena_new(ARENA_FIRST, ARENA_MOST);
	return j->arena != NULL;
}

/* reports_take - the mails of a test or of a tool */
int
reports_take(struct reports *r, struct slice sender, struct slice recipient,
    struct slice message, char *out, size_t room, struct why *why)
{
	struct job j;
	int rc = -1;

	if (!job_begin(&j, r, sender, &recipient, 1, message))
		return why_kind(why, WHY_MEMORY, "no memory for a message");
	if (read_job(&j, why) == 1)
		rc = apply(&j, why);
	snprintf(out, room, "%s", j.answer);
	arena_free(j.arena);
	return rc;
}

/* answer - to all recipients of a mail */
static void
answer(struct lmtp *l, const char *code, const char *text)
{
	size_t n = lmtp_mail(l)->nrecipients;

	for (size_t i = 0; i < n; i++)
		lmtp_reply(l, "%s %s", code, text);
}

/* write_all - one transaction; true: it is on disk */
static bool
write_all(struct reports *r, struct job *jobs, const bool *ready, size_t n,
    struct why *why)
{
	int rc = outcomes_begin(r->with.outcomes, why);

	if (rc == -1)
		return false;
	for (size_t i = 0; rc == 0 && i < n; i++)
		if (ready[i])
			rc = apply(&jobs[i], why);
	if (rc == -1) {
		outcomes_abort(r->with.outcomes);
		return false;
	}
	return outcomes_commit(r->with.outcomes, why) == 0;
}

/* failed - the store: say it once, and stop when it cannot be trusted */
static void
failed(struct reports *r, const struct why *why)
{
	static struct log_pace pace;

	log_paced(&pace, LOG_LEVEL_ERROR, "mails wait with Postfix: %s",
	    why->text);
	if (why->kind != WHY_BROKEN)
		return;
	r->broken = true;
	r->why = *why;
}

/* tell - the clients, and the log */
static void
tell(struct lmtp **all, struct job *jobs, const bool *ready, size_t n,
    bool written)
{
	static struct log_pace pace;

	for (size_t i = 0; i < n; i++)
		if (written && ready[i]) {
			log_paced(&pace, LOG_LEVEL_INFO, "mail: %s",
			    jobs[i].answer);
			answer(all[i], "250 2.0.0", jobs[i].answer);
		} else {
			answer(all[i], "451 4.3.0", "not now, try again");
		}
}

/* ring_again - a key was added: what it makes is known from here on */
static void
ring_again(struct reports *r)
{
	struct token_ring *ring = NULL;
	struct why why;

	if (r->with.token_keys == NULL || r->with.token_keys[0] == '\0' ||
	    (r->ring != NULL && !token_ring_changed(r->ring)))
		return;
	if (token_ring_load(&ring, r->with.token_keys, &why) == -1)
		return;			/* the old ones go on */
	token_ring_free(r->ring);
	r->ring = ring;
}

/* batch - of some mails: read, send on, write, answer */
static void
batch(struct reports *r, struct lmtp **all, size_t n)
{
	static struct log_pace pace;
	bool ready[LMTP_SLOTS], written;
	struct job jobs[LMTP_SLOTS];
	struct why why = { .kind = WHY_OTHER };

	ring_again(r);
	for (size_t i = 0; i < n; i++) {
		const struct lmtp_mail *m = lmtp_mail(all[i]);

		ready[i] = job_begin(&jobs[i], r, m->sender, m->recipients,
		    m->nrecipients, m->message);
		jobs[i].utf8 = m->utf8;
		if (ready[i] && read_job(&jobs[i], &why) == 0) {
			log_paced(&pace, LOG_LEVEL_WARN, "a mail waits with "
			    "Postfix: %s", why.text);
			ready[i] = false;
		}
	}
	written = write_all(r, jobs, ready, n, &why);
	if (written || n == 1 || why.kind == WHY_BROKEN) {
		if (!written)
			failed(r, &why);
		tell(all, jobs, ready, n, written);
	} else {
		/* One of them may be the reason: each for itself. */
		for (size_t i = 0; i < n; i++) {
			written = write_all(r, &jobs[i], &ready[i], 1, &why);
			if (!written)
				failed(r, &why);
			tell(&all[i], &jobs[i], &ready[i], 1, written);
		}
	}
	for (size_t i = 0; i < n; i++)
		arena_free(jobs[i].arena);
}

/* deliver - in batches, so that many large mails do not need their memory at
 * the same time */
static void
deliver(void *self, struct lmtp **all, size_t n)
{
	size_t from, to, bytes;

	for (from = 0; from < n; from = to) {
		bytes = 0;
		for (to = from; to < n && (to == from || bytes +
		    lmtp_mail(all[to])->message.n <= BATCH); to++)
			bytes += lmtp_mail(all[to])->message.n;
		batch(self, all + from, to - from);
	}
}

/* reports_new - the keys, the socket */
int
reports_new(struct reports **out, int listen_fd,
    const struct reports_with *with, struct why *why)
{
	const struct lmtp_rules rules = { .name = "penstock-ingest",
	    .size_max = REPORTS_SIZE, .recipients_max = REPORTS_RCPTS,
	    .held_max = REPORTS_HELD };
	struct lmtp_service service = { .deliver = deliver };
	struct reports *r = calloc(1, sizeof(*r));
	struct why reason;

	*out = NULL;
	if (r == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for reports");
	mail_init();
	r->with = *with;
	if (with->token_keys != NULL && with->token_keys[0] != '\0' &&
	    access(with->token_keys, F_OK) == 0 &&
	    token_ring_load(&r->ring, with->token_keys, &reason) == -1)
		log_warn("tokens prove nothing: %s", reason.text);
	service.self = r;
	if (listen_fd != -1 && (r->server = lmtp_server_new(listen_fd, &rules,
	    &service)) == NULL) {
		reports_free(r);
		return why_kind(why, WHY_MEMORY, "no memory for reports");
	}
	*out = r;
	return 0;
}

/* reports_free - whoever is connected tries again later */
void
reports_free(struct reports *r)
{
	if (r == NULL)
		return;
	lmtp_server_free(r->server);
	token_ring_free(r->ring);
	free(r);
}

/* reports_want - the socket and its connections */
size_t
reports_want(void *self, struct pollfd *fds, size_t room)
{
	struct reports *r = self;

	return r->server != NULL && room >= LMTP_SLOTS + 1 ?
	    lmtp_server_poll(r->server, fds) : 0;
}

/* reports_ready - a turn */
int
reports_ready(void *self, const struct pollfd *fds, size_t n,
    struct why *why)
{
	struct reports *r = self;

	if (n > 0)
		lmtp_server_turn(r->server, fds, n);
	if (r->broken)
		*why = r->why;
	return r->broken ? -1 : 0;
}
