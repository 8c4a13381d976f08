/*
 * logline - from left to right, once.
 *
 * Postfix writes a delivery line as
 *
 *	QID: to=<..>, orig_to=<..>, relay=.., delay=.., dsn=.., status=.. (text)
 *
 * Values end at ", ", so fields that later versions add are stepped over.  An
 * address ends at the first '>' outside of a quoted local part: a tenant may
 * choose the local part, and with it text that looks like fields.  The text in
 * brackets was chosen by a remote server and is cut off before anything in it
 * could be taken for ours.
 *
 * Not chosen: regular expressions (ten times the time), looking for " status="
 * from the right (the remote server decides what stands there).
 */
#include "reputation/logline.h"

#include <string.h>
#include <time.h>

#include "lib/date.h"

enum { ID_MOST = 40, CLASSIC = 15, TAG_MOST = 128 };

#define SECOND	INT64_C(1000000)
#define DAY	(86400 * SECOND)

const char *const logline_kind_names[] = { "other", "strange", "delivery",
	"client", "message_id", "queued", "expired", "removed", "deleted",
	"requeued", "notice", "milter", NULL };

/* What of Postfix speaks of messages. */
enum agent { AGENT_NONE, AGENT_DELIVERY, AGENT_SMTPD, AGENT_CLEANUP,
	AGENT_QMGR, AGENT_BOUNCE, AGENT_PICKUP, AGENT_POSTSUPER };
static const struct {
	const char	*name;
	enum agent	 agent;
} agents[] = {
	{ "smtp", AGENT_DELIVERY }, { "qmgr", AGENT_QMGR },
	{ "cleanup", AGENT_CLEANUP }, { "smtpd", AGENT_SMTPD },
	{ "lmtp", AGENT_DELIVERY }, { "local", AGENT_DELIVERY },
	{ "virtual", AGENT_DELIVERY }, { "pipe", AGENT_DELIVERY },
	{ "error", AGENT_DELIVERY }, { "retry", AGENT_DELIVERY },
	{ "discard", AGENT_DELIVERY }, { "bounce", AGENT_BOUNCE },
	{ "nqmgr", AGENT_QMGR }, { "defer", AGENT_BOUNCE },
	{ "trace", AGENT_BOUNCE }, { "pickup", AGENT_PICKUP },
	{ "postsuper", AGENT_POSTSUPER },
};

/* digits - exactly n of them as a number; -1: not */
static int
digits(const char *p, int n)
{
	int v = 0;

	for (; n > 0; n--, p++) {
		if (*p < '0' || *p > '9')
			return -1;
		v = v * 10 + (*p - '0');
	}
	return v;
}

/* --- time ---------------------------------------------------------------- */

/* month_of - "Jan" .. "Dec": 1 .. 12; 0: none */
static int
month_of(const char *p)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (memcmp(names + 3 * i, p, 3) == 0)
			return i + 1;
	return 0;
}

/* moment - a civil minute in the zone of the log */
static int64_t
moment(const struct logline_clock *c, int year, int month, int day, int hour,
    int minute)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1,
		.tm_mday = day, .tm_hour = hour, .tm_min = minute,
		.tm_isdst = -1 };

	if (c->zone != NULL)
		return zone_moment(c->zone, year, month, day, hour, minute, 0);
	return (int64_t)mktime(&tm) * SECOND;
}

/* guess - the year, and the minute in it */
static bool
guess(struct logline_clock *c, int month, int day, int hour, int minute)
{
	int64_t year;
	int this_month, this_day;

	date_of(c->now / DAY, &year, &this_month, &this_day);
	year++;			/* just before midnight, a zone east of UTC */
	for (int tries = 0; tries < 10; tries++, year--) {
		if (!date_exists(year, month, day))
			continue;
		c->moment = moment(c, (int)year, month, day, hour, minute);
		if (c->moment <= c->now + DAY)
			return true;
	}
	return false;
}

/* classic - "Nov 21 02:27:26"; bytes eaten, 0: it is none */
static size_t
classic(struct slice line, struct logline_clock *c, int64_t *time)
{
	const char *p = line.p;
	int month, day, hour, minute, second;

	if (line.n <= CLASSIC || p[3] != ' ' || p[6] != ' ' || p[9] != ':' ||
	    p[12] != ':' || p[CLASSIC] != ' ')
		return 0;
	if ((second = digits(p + 13, 2)) == -1 || second > 60)
		return 0;
	if (memcmp(c->minute, p, 12) != 0 || c->base != c->now) {
		month = month_of(p);
		day = p[4] == ' ' ? digits(p + 5, 1) : digits(p + 4, 2);
		hour = digits(p + 7, 2);
		minute = digits(p + 10, 2);
		if (month == 0 || day < 1 || hour < 0 || hour > 23 ||
		    minute < 0 || minute > 59)
			return 0;
		c->minute[0] = '\0';
		if (!guess(c, month, day, hour, minute))
			return 0;
		memcpy(c->minute, p, 12);
		c->base = c->now;
	}
	*time = c->moment + second * SECOND;
	return CLASSIC + 1;
}

/* fraction - ".123456" behind the seconds; bytes eaten */
static size_t
fraction(struct slice s, int64_t *us)
{
	int64_t unit = SECOND / 10;
	size_t at = 1;

	*us = 0;
	if (s.n < 2 || (s.p[0] != '.' && s.p[0] != ','))
		return 0;
	for (; at < s.n && s.p[at] >= '0' && s.p[at] <= '9'; at++) {
		*us += (s.p[at] - '0') * unit;
		unit /= 10;
	}
	return at > 1 ? at : 0;
}

/* offset - "Z", "+01:00", "+0100", "+01"; bytes eaten, 0: it is none */
static size_t
offset(struct slice s, int64_t *us)
{
	int hours, minutes = 0;
	size_t n = 3;

	*us = 0;
	if (s.n > 0 && s.p[0] == 'Z')
		return 1;
	if (s.n < 3 || (s.p[0] != '+' && s.p[0] != '-') ||
	    (hours = digits(s.p + 1, 2)) == -1)
		return 0;
	if (s.n >= 6 && s.p[3] == ':') {
		minutes = digits(s.p + 4, 2);
		n = 6;
	} else if (s.n >= 5 && s.p[3] >= '0' && s.p[3] <= '9') {
		minutes = digits(s.p + 3, 2);
		n = 5;
	}
	if (minutes == -1 || hours > 15 || minutes > 59)
		return 0;
	*us = (hours * 60 + minutes) * 60 * SECOND;
	if (s.p[0] == '-')
		*us = -*us;
	return n;
}

/* iso - "2026-11-21T02:27:26.123456+01:00"; bytes eaten, 0: it is none */
static size_t
iso(struct slice line, int64_t *time)
{
	const char *p = line.p;
	int64_t us, off;
	int year, month, day, hour, minute, second;
	size_t at = 19, n;

	if (line.n < 21 || p[4] != '-' || p[7] != '-' || p[10] != 'T' ||
	    p[13] != ':' || p[16] != ':')
		return 0;
	year = digits(p, 4);
	month = digits(p + 5, 2);
	day = digits(p + 8, 2);
	hour = digits(p + 11, 2);
	minute = digits(p + 14, 2);
	second = digits(p + 17, 2);
	if (year < 1970 || month < 1 || !date_exists(year, month, day) ||
	    hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
	    second < 0 || second > 60)
		return 0;
	at += fraction(slice_from(line, at), &us);
	if ((n = offset(slice_from(line, at), &off)) == 0)
		return 0;
	at += n;
	if (at >= line.n || p[at] != ' ')
		return 0;
	*time = date_days(year, month, day) * DAY +
	    ((hour * 60 + minute) * 60 + second) * SECOND + us - off;
	return at + 1;
}

/* --- the message --------------------------------------------------------- */

/* is_id - what Postfix writes as a queue id: hexadecimal, or long */
static bool
is_id(struct slice s)
{
	if (s.n < 5 || s.n > ID_MOST)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') ||
		    (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
		    (s.p[i] >= 'a' && s.p[i] <= 'z')))
			return false;
	return true;
}

/* take_address - "<...>" at the front of rest; quoted parts may hold '>' */
static bool
take_address(struct slice *rest, struct slice *out)
{
	bool quoted = false;
	size_t i;

	if (rest->n < 2 || rest->p[0] != '<')
		return false;
	for (i = 1; i < rest->n; i++) {
		if (quoted && rest->p[i] == '\\')
			i++;
		else if (rest->p[i] == '"')
			quoted = !quoted;
		else if (rest->p[i] == '>' && !quoted)
			break;
	}
	if (i >= rest->n) {	/* an odd quote: then the first '>' it is */
		const char *end = memchr(rest->p, '>', rest->n);

		if (end == NULL)
			return false;
		i = (size_t)(end - rest->p);
	}
	*out = (struct slice){ rest->p + 1, i - 1 };
	*rest = slice_from(*rest, i + 1);
	return true;
}

/* skip - that text at the front, if it is there */
static bool
skip(struct slice *rest, const char *text, size_t n)
{
	if (rest->n < n || memcmp(rest->p, text, n) != 0)
		return false;
	rest->p += n;
	rest->n -= n;
	return true;
}
#define SKIP(rest, text)	skip((rest), (text), sizeof(text) - 1)

/* take_value - up to ", ", which goes with it */
static struct slice
take_value(struct slice *rest)
{
	struct slice value = *rest;
	const char *p = rest->p, *end = rest->p + rest->n;

	while ((p = memchr(p, ',', (size_t)(end - p))) != NULL) {
		if (p + 1 < end && p[1] == ' ') {
			value.n = (size_t)(p - rest->p);
			*rest = slice_from(*rest, value.n + 2);
			return value;
		}
		p++;
	}
	*rest = slice_from(*rest, rest->n);
	return value;
}

/* scan_delay - "0.04", "4.2", "299" seconds as us; -1: no number */
static int64_t
scan_delay(struct slice s)
{
	int64_t v = 0, us;
	size_t i;

	for (i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		if ((v = v * 10 + (s.p[i] - '0')) > INT64_C(1000000000))
			return -1;
	if (i == 0)
		return -1;
	(void)fraction(slice_from(s, i), &us);
	return v * SECOND + us;
}

/* delivery - the fields of a delivery line; false: it is another line */
static bool
delivery(struct slice rest, struct logline *l)
{
	const char *text;

	if (!SKIP(&rest, "to=") || !take_address(&rest, &l->to))
		return false;
	l->kind = LOGLINE_STRANGE;
	if (!SKIP(&rest, ", "))
		return true;
	if (SKIP(&rest, "orig_to=") && (!take_address(&rest, &l->orig_to) ||
	    !SKIP(&rest, ", ")))
		return true;
	while (rest.n > 0) {
		if (SKIP(&rest, "status=")) {
			text = memmem(rest.p, rest.n, " (", 2);
			l->status = rest;
			if (text == NULL)
				break;
			l->status.n = (size_t)(text - rest.p);
			l->text = slice_from(rest, l->status.n + 2);
			if (l->text.n > 0 &&
			    l->text.p[l->text.n - 1] == ')')
				l->text.n--;
			break;
		}
		if (SKIP(&rest, "relay="))
			l->relay = take_value(&rest);
		else if (SKIP(&rest, "dsn="))
			l->dsn = take_value(&rest);
		else if (SKIP(&rest, "delay="))
			l->delay = scan_delay(take_value(&rest));
		else
			(void)take_value(&rest);
	}
	if (l->status.n > 0 && l->status.n < 32)
		l->kind = LOGLINE_DELIVERY;
	return true;
}

/* queued - qmgr's lines about a message */
static void
queued(struct slice rest, struct logline *l)
{
	if (slice_is(rest, "removed")) {
		l->kind = LOGLINE_REMOVED;
		return;
	}
	if (!SKIP(&rest, "from=") || !take_address(&rest, &l->from))
		return;
	if (SKIP(&rest, ", status=expired") ||
	    SKIP(&rest, ", status=force-expired"))
		l->kind = LOGLINE_EXPIRED;
	else if (SKIP(&rest, ", size="))
		l->kind = LOGLINE_QUEUED;
}

/* client - smtpd's line about a new message */
static void
client(struct slice rest, struct logline *l)
{
	if (!SKIP(&rest, "client="))
		return;
	l->kind = LOGLINE_CLIENT;
	l->client = take_value(&rest);
	while (rest.n > 0) {
		if (SKIP(&rest, "sasl_username="))
			l->sasl = take_value(&rest);
		else
			(void)take_value(&rest);
	}
}

/* notice - bounce(8) made a report about this message */
static void
notice(struct slice rest, struct logline *l)
{
	static const char mark[] = " notification: ";
	const char *at = memmem(rest.p, rest.n, mark, sizeof(mark) - 1);

	if (at == NULL)
		return;
	l->notice = slice_from(rest, (size_t)(at - rest.p) + sizeof(mark) - 1);
	if (is_id(l->notice))
		l->kind = LOGLINE_NOTICE;
}

/* requeued - "uid=0 from=<a@b> orig_id=QID": postsuper -r gave it a new id */
static void
requeued(struct slice rest, struct logline *l)
{
	const char *at = memmem(rest.p, rest.n, "from=<", 6);

	if (at == NULL)
		return;
	rest = slice_from(rest, (size_t)(at - rest.p) + 5);
	if (!take_address(&rest, &l->from) || !SKIP(&rest, " orig_id="))
		return;
	l->notice = rest;
	if (is_id(l->notice))
		l->kind = LOGLINE_REQUEUED;
}

/* cleaned - cleanup's lines: the Message-ID, and what a milter did */
static void
cleaned(struct slice rest, struct logline *l)
{
	if (SKIP(&rest, "message-id=")) {
		l->message_id = rest;
		l->kind = LOGLINE_MESSAGE_ID;
	} else if (SKIP(&rest, "milter-")) {
		l->text = rest;
		l->kind = LOGLINE_MILTER;
	}
}

/* logline_message - what one daemon says */
void
logline_message(struct slice tag, struct slice message, int64_t time,
    struct logline *l)
{
	enum agent agent = AGENT_NONE;
	const char *slash, *colon;
	struct slice rest;

	*l = (struct logline){ .kind = LOGLINE_OTHER, .time = time,
		.delay = -1 };
	if ((slash = memrchr(tag.n > 0 ? tag.p : "", '/', tag.n)) == NULL)
		return;
	l->name = (struct slice){ tag.p, (size_t)(slash - tag.p) };
	l->daemon = slice_from(tag, l->name.n + 1);
	for (size_t i = 0; i < sizeof(agents) / sizeof(agents[0]); i++)
		if (slice_is(l->daemon, agents[i].name)) {
			agent = agents[i].agent;
			break;
		}
	if (agent == AGENT_NONE || message.n == 0 ||
	    (colon = memchr(message.p, ':', message.n)) == NULL)
		return;
	l->queue_id = (struct slice){ message.p,
		(size_t)(colon - message.p) };
	rest = slice_from(message, l->queue_id.n + 1);
	if (!is_id(l->queue_id) || !SKIP(&rest, " ")) {
		l->queue_id = SLICE_NONE;
		return;
	}
	switch (agent) {
	case AGENT_DELIVERY:
		(void)delivery(rest, l);
		break;
	case AGENT_QMGR:	/* it writes delivery lines when a transport
				   does not answer */
		if (!delivery(rest, l))
			queued(rest, l);
		break;
	case AGENT_SMTPD:
		client(rest, l);
		break;
	case AGENT_CLEANUP:
		cleaned(rest, l);
		break;
	case AGENT_BOUNCE:
		notice(rest, l);
		break;
	case AGENT_PICKUP:
		requeued(rest, l);
		break;
	case AGENT_POSTSUPER:
		if (slice_is(rest, "removed"))
			l->kind = LOGLINE_DELETED;
		break;
	case AGENT_NONE:
		break;
	}
}

/* logline_parse - time, host, tag, and the message behind them */
bool
logline_parse(struct slice line, struct logline_clock *c, struct logline *l)
{
	struct slice host, tag;
	const char *space, *end;
	int64_t time = 0;
	size_t at;

	*l = (struct logline){ .kind = LOGLINE_STRANGE, .delay = -1 };
	if (line.n > LOGLINE_MAX)
		line.n = LOGLINE_MAX;
	if (line.n < CLASSIC + 2)
		return false;
	at = line.p[0] >= '0' && line.p[0] <= '9' ? iso(line, &time) :
	    classic(line, c, &time);
	if (at == 0)
		return false;
	line = slice_from(line, at);
	if ((space = memchr(line.p, ' ', line.n)) == NULL)
		return false;
	host = (struct slice){ line.p, (size_t)(space - line.p) };
	line = slice_from(line, host.n + 1);
	end = memmem(line.p, line.n < TAG_MOST ? line.n : TAG_MOST, ": ", 2);
	if (end == NULL) {
		l->time = time;
		l->kind = LOGLINE_OTHER;	/* "last message repeated" */
		return true;
	}
	tag = (struct slice){ line.p, (size_t)(end - line.p) };
	line = slice_from(line, tag.n + 2);
	if ((end = memchr(tag.p, '[', tag.n)) != NULL)
		tag.n = (size_t)(end - tag.p);
	logline_message(tag, line, time, l);
	l->host = host;
	return true;
}
