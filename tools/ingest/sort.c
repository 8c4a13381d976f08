/*
 * sort - in this order: complaint, DMARC report, bounce with a part for
 * machines (fields, or JSON), automatic answer, bounce in words.
 *
 * Automatic answers stand before bounces in words because a vacation notice
 * quotes anything; but Exim, Office 365 and others mark their bounces with
 * Auto-Submitted: auto-replied, so that field alone makes no answer of a mail
 * that comes from a daemon.
 */
#include "tools/ingest/sort.h"

#include "tools/ingest/dsn.h"
#include "tools/ingest/fields.h"
#include "tools/ingest/sns.h"

const char *const report_names[] = { "none", "dsn", "arf", "rua", "auto",
	NULL };

/* Beginnings of subjects; those of Outlook stand before a colon. */
static const char *const away[] = { "out of office", "automatic reply",
	"auto reply", "autoreply", "auto-reply", "auto response",
	"autoresponse", "auto:", "automatische antwort",
	"abwesenheit", "abwesend", "respuesta autom", "fuera de la oficina",
	"r\xc3\xa9ponse automatique", "reponse automatique", "absence",
	"absent du bureau", "risposta automatica", "fuori sede",
	"resposta autom", "automatisch antwoord", "afwezig", "on vacation",
	"vacation", "away from", "i am away", "autosvar", "automatiskt svar",
	"odpowied\xc5\xba automatyczna", "\xe8\x87\xaa\xe5\x8a\xa8\xe5\x9b\x9e"
	"\xe5\xa4\x8d", "\xe8\x87\xaa\xe5\x8b\x95\xe5\xbf\x9c\xe7\xad\x94" };

/* from_daemon - MAILER-DAEMON and postmaster do not go on holiday */
static bool
from_daemon(const struct mail *m)
{
	return text_begins(m->from, "mailer-daemon") ||
	    text_begins(m->from, "postmaster") ||
	    text_begins(m->from, "mail-daemon");
}

/* has_field - is it there, whatever it says? */
static bool
has_field(const struct mail *m, const char *name, struct arena *arena)
{
	return field_find(m->head, name, arena).p != NULL;
}

/* sort_is_auto - see the header */
bool
sort_is_auto(const struct mail *m, struct arena *arena)
{
	struct slice submitted = field_find(m->head, "Auto-Submitted", arena);
	struct slice precedence = field_find(m->head, "Precedence", arena);

	if (from_daemon(m) || has_field(m, "X-Failed-Recipients", arena))
		return false;
	if (text_begins(submitted, "auto-replied") ||
	    text_begins(submitted, "auto-notified"))
		return true;
	if (has_field(m, "X-Autoreply", arena) ||
	    has_field(m, "X-Autorespond", arena) ||
	    has_field(m, "X-Autoresponder", arena) ||
	    has_field(m, "X-Vacation", arena) ||
	    has_field(m, "X-AutoReply-From", arena) ||
	    text_begins(precedence, "auto_reply") ||
	    text_begins(precedence, "auto-reply"))
		return true;
	for (size_t i = 0; i < sizeof(away) / sizeof(away[0]); i++)
		if (text_begins(m->subject, away[i]))
			return true;
	return false;
}

/* sort_is_jmrp - "complaint about message from 192.0.2.1", and the message */
bool
sort_is_jmrp(const struct mail *m)
{
	const struct mail_part *part = mail_part(m, "message/rfc822");

	return part != NULL && (text_begins(m->subject,
	    "complaint about message from") || text_begins(part->body,
	    "X-HmXmrOriginalRecipient:"));
}

/* ends - with these letters */
static bool
ends(struct slice s, const char *tail)
{
	size_t n = strlen(tail);

	return s.n >= n && slice_case_eq(slice_from(s, s.n - n),
	    (struct slice){ tail, n });
}

/* is_rua_name - "receiver!domain!begin!end.xml.gz" */
static bool
is_rua_name(struct slice name)
{
	size_t marks = 0;

	for (size_t i = 0; i < name.n; i++)
		marks += name.p[i] == '!';
	return marks >= 2 && (ends(name, ".xml") || ends(name, ".gz") ||
	    ends(name, ".zip") || ends(name, ".gzip"));
}

/* sort_rua_part - by the name of a file, or by the subject of the mail */
const struct mail_part *
sort_rua_part(const struct mail *m)
{
	static const char *const types[] = { "application/gzip",
		"application/x-gzip", "application/zip", "application/x-zip",
		"application/x-zip-compressed", "text/xml", "application/xml",
		"application/octet-stream", "application/dmarc-report+xml" };
	bool subject = text_has(m->subject, "report domain:") ||
	    text_has(m->subject, "dmarc aggregate report");

	for (size_t i = 0; i < m->nparts; i++)
		if (is_rua_name(m->parts[i].name))
			return &m->parts[i];
	for (size_t i = 0; subject && i < m->nparts; i++)
		for (size_t j = 0; j < sizeof(types) / sizeof(types[0]); j++)
			if (slice_is(m->parts[i].type, types[j]))
				return &m->parts[i];
	return NULL;
}

/* sort_mail - the order is argued at the head of this file */
enum report
sort_mail(const struct mail *m, bool null_sender, struct arena *arena)
{
	struct dsn dsn;
	struct arf arf;
	struct why why;

	if (slice_is(m->report_type, "feedback-report") ||
	    mail_part(m, "message/feedback-report") != NULL ||
	    sort_is_jmrp(m))
		return REPORT_ARF;
	if (sort_rua_part(m) != NULL)
		return REPORT_RUA;
	if (slice_is(m->report_type, "delivery-status") ||
	    mail_part(m, "message/delivery-status") != NULL ||
	    mail_part(m, "message/global-delivery-status") != NULL)
		return REPORT_DSN;
	if (sns_read(m, arena, &dsn) == 1)
		return REPORT_DSN;
	if (sns_complaint(m, arena, &arf) == 1)
		return REPORT_ARF;
	if (sort_is_auto(m, arena))
		return REPORT_AUTO;
	if (dsn_is_bounce(m, null_sender) &&
	    dsn_read(m, null_sender, arena, &dsn, &why) == 1)
		return REPORT_DSN;
	return REPORT_NONE;
}
