/*
 * lmtp - RFC 2033, the receiving side.
 *
 * The machine has two ways to eat: lines of commands, which are collected in
 * a fixed buffer, and the bytes of a message, which are copied in runs and
 * searched for the dot by a small state.  A step ends when the program is
 * asked, so that a client's pipeline waits inside the input and not in a queue
 * of ours.
 *
 * A command that is too long, or has a NUL, is swallowed up to its end and
 * answered once.  A message that is too large, or for which there is no memory,
 * is swallowed up to its dot: whoever reads replies only after the dot (all
 * clients do) gets a reply that is true, and the connection lives on.
 *
 * The dot is CR LF . CR LF.  A bare LF never ends a message: two programs that
 * disagree about the end of a message let a stranger write the next one.  Lines
 * of commands may end in a bare LF, since after them nobody can disagree.
 *
 * Memory: the message of a connection is counted in rules->held by what was
 * allocated for it, and given back when its last reply is given.
 */
#include "lib/lmtp.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/buf.h"
#include "lib/mem.h"

enum state {
	STATE_FRESH,		/* no LHLO yet */
	STATE_READY,
	STATE_MAIL,		/* MAIL was good, RCPT may follow */
	STATE_RCPT,		/* the program judges a recipient */
	STATE_DATA,		/* bytes of a message */
	STATE_MESSAGE,		/* the program owes replies */
	STATE_END
};

enum dot {			/* where in CR LF . CR LF */
	DOT_TEXT, DOT_CR, DOT_LINE, DOT_DOT, DOT_DOT_CR
};

struct lmtp {
	struct lmtp_rules *rules;
	enum state	 state;
	struct arena	*arena;		/* addresses of one transaction */
	struct lmtp_mail mail;
	struct slice	*recipients;
	struct buf	 message, out;
	size_t		 sent;		/* bytes at the head of out */
	size_t		 held;		/* our part of rules->held */
	size_t		 replies;	/* given for this message */
	unsigned	 errors;
	enum dot	 dot;
	const char	*refused;	/* reply for a message not kept */
	size_t		 line_len;
	bool		 too_long, has_nul;
	char		 line[LMTP_LINE];
};

struct command {
	const char	*word;
	void		(*run)(struct lmtp *, struct slice);
};

/* say - one line of reply */
static void
say(struct lmtp *l, const char *text)
{
	buf_str(&l->out, text);
	buf_str(&l->out, "\r\n");
}

/* complain - an error of the client; too many of them are the end */
static void
complain(struct lmtp *l, const char *text)
{
	if (++l->errors < LMTP_ERRORS) {
		say(l, text);
		return;
	}
	say(l, "421 4.7.0 too many errors, closing");
	l->state = STATE_END;
}

/* forget - the transaction is over */
static void
forget(struct lmtp *l)
{
	arena_reset(l->arena);
	l->rules->held -= l->held;
	l->held = 0;
	buf_free(&l->message);
	l->mail = (struct lmtp_mail){ .sender = SLICE_NONE };
	l->recipients = NULL;
	l->replies = 0;
	l->refused = NULL;
	if (l->state != STATE_END && l->state != STATE_FRESH)
		l->state = STATE_READY;
}

/* --- commands ------------------------------------------------------------- */

/* word_is - does the line begin with these letters, in any case? */
static bool
word_is(struct slice s, const char *word)
{
	size_t n = strlen(word);

	return s.n >= n && strncasecmp(s.p, word, n) == 0;
}

/* path_of - "<a@b>" at the head of a line: 0, or -1 when there is none */
static int
path_of(struct slice *s, struct slice *out)
{
	bool quoted = false;
	size_t i, from = 1;

	*s = slice_trim(*s);
	if (s->n < 2 || s->p[0] != '<')
		return -1;
	for (i = 1; i < s->n; i++) {
		unsigned char c = (unsigned char)s->p[i];

		if (c < ' ' || c == 0x7f)
			return -1;
		if (quoted && c == '\\' && i + 1 < s->n)
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && c == '>')
			break;
		else if (!quoted && (c == ' ' || c == '<'))
			return -1;
		else if (!quoted && c == ':' && s->p[1] == '@')
			from = i + 1;	/* behind a source route */
	}
	if (i >= s->n || i - from > LMTP_PATH)
		return -1;
	*out = (struct slice){ s->p + from, i - from };
	*s = slice_from(*s, i + 1);
	if (s->n > 0 && s->p[0] != ' ')
		return -1;
	*s = slice_trim(*s);
	return 0;
}

/* next_word - of the parameters behind a path */
static struct slice
next_word(struct slice *s)
{
	struct slice word = *s;
	size_t n = 0;

	while (n < s->n && s->p[n] != ' ')
		n++;
	word.n = n;
	*s = slice_trim(slice_from(*s, n));
	return word;
}

/* has_8bit - needs SMTPUTF8 */
static bool
has_8bit(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return true;
	return false;
}

/* size_fits - SIZE=: not a promise, only what saves the way in vain */
static const char *
size_fits(struct lmtp *l, struct slice digits)
{
	size_t n = 0, i;

	if (digits.n == 0 || digits.n > 20)
		return "501 5.5.4 SIZE= needs a number";
	for (i = 0; i < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9')
			return "501 5.5.4 SIZE= needs a number";
		if (n <= l->rules->size_max)
			n = n * 10 + (size_t)(digits.p[i] - '0');
	}
	return n > l->rules->size_max ? "552 5.3.4 the message is too large" :
	    NULL;
}

/* mail_parameters - NULL, or the reply that refuses them */
static const char *
mail_parameters(struct lmtp *l, struct slice s)
{
	const char *wrong;
	struct slice word;

	while (s.n > 0) {
		word = next_word(&s);
		if (word_is(word, "SIZE=")) {
			wrong = size_fits(l, slice_from(word, 5));
			if (wrong != NULL)
				return wrong;
		} else if (slice_case_eq(word, SLICE("SMTPUTF8"))) {
			l->mail.utf8 = true;
		} else if (!slice_case_eq(word, SLICE("BODY=8BITMIME")) &&
		    !slice_case_eq(word, SLICE("BODY=7BIT"))) {
			return "555 5.5.4 a parameter of MAIL is not known";
		}
	}
	return NULL;
}

/* run_lhlo - who calls does not matter; what we can do does */
static void
run_lhlo(struct lmtp *l, struct slice s)
{
	if (s.n == 0) {
		complain(l, "501 5.5.4 LHLO needs a name");
		return;
	}
	l->state = STATE_READY;
	forget(l);
	buf_printf(&l->out, "250-%s\r\n250-PIPELINING\r\n250-SIZE %zu\r\n"
	    "250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n",
	    l->rules->name, l->rules->size_max);
}

/* run_mail - MAIL FROM:<sender> parameters */
static void
run_mail(struct lmtp *l, struct slice s)
{
	const char *wrong;
	struct slice path;

	if (l->state == STATE_FRESH) {
		complain(l, "503 5.5.1 LHLO comes first");
		return;
	}
	if (l->state == STATE_MAIL) {
		complain(l, "503 5.5.1 there is a sender already");
		return;
	}
	if (!word_is(s, "FROM:")) {
		complain(l, "501 5.5.4 write MAIL FROM:<address>");
		return;
	}
	s = slice_from(s, 5);
	if (path_of(&s, &path) == -1) {
		complain(l, "501 5.1.7 the sender is not <address>");
		return;
	}
	l->mail.utf8 = false;
	if ((wrong = mail_parameters(l, s)) != NULL) {
		complain(l, wrong);
		return;
	}
	if (has_8bit(path) && !l->mail.utf8) {
		complain(l, "553 5.6.7 the sender needs SMTPUTF8");
		return;
	}
	l->mail.sender = arena_copy(l->arena, path);
	if (l->mail.sender.p == NULL) {
		say(l, "451 4.3.0 out of memory");
		return;
	}
	l->state = STATE_MAIL;
	say(l, "250 2.1.0 fine");
}

/* recipient_add - the array grows as a whole, in one piece of the arena */
static int
recipient_add(struct lmtp *l, struct slice path)
{
	size_t n = l->mail.nrecipients, i;
	struct slice copy = arena_copy(l->arena, path), *grown;

	if (copy.p == NULL)
		return -1;
	if (n == 0 || (n >= 8 && (n & (n - 1)) == 0)) {
		grown = arena_array(l->arena, n < 8 ? 8 : n * 2,
		    sizeof(*grown));
		if (grown == NULL)
			return -1;
		for (i = 0; i < n; i++)
			grown[i] = l->recipients[i];
		l->mail.recipients = l->recipients = grown;
	}
	l->recipients[l->mail.nrecipients++] = copy;
	return 0;
}

/* run_rcpt - RCPT TO:<recipient>, without parameters */
static void
run_rcpt(struct lmtp *l, struct slice s)
{
	struct slice path;

	if (l->state != STATE_MAIL) {
		complain(l, "503 5.5.1 MAIL comes first");
		return;
	}
	if (!word_is(s, "TO:")) {
		complain(l, "501 5.5.4 write RCPT TO:<address>");
		return;
	}
	s = slice_from(s, 3);
	if (path_of(&s, &path) == -1 || path.n == 0) {
		complain(l, "501 5.1.3 the recipient is not <address>");
		return;
	}
	if (s.n > 0) {
		complain(l, "555 5.5.4 RCPT takes no parameters here");
		return;
	}
	if (has_8bit(path) && !l->mail.utf8) {
		complain(l, "553 5.6.7 the recipient needs SMTPUTF8");
		return;
	}
	/* Not an error of the client: it brings the others again. */
	if (l->mail.nrecipients >= l->rules->recipients_max) {
		say(l, "452 4.5.3 too many recipients, bring the others in "
		    "another message");
		return;
	}
	if (recipient_add(l, path) == -1) {
		say(l, "451 4.3.0 out of memory");
		return;
	}
	if (l->rules->asks)
		l->state = STATE_RCPT;
	else
		say(l, "250 2.1.5 fine");
}

/* run_data - bytes follow */
static void
run_data(struct lmtp *l, struct slice s)
{
	if (s.n > 0) {
		complain(l, "501 5.5.4 DATA takes no parameters");
		return;
	}
	if (l->state != STATE_MAIL || l->mail.nrecipients == 0) {
		complain(l, "503 5.5.1 no recipient was accepted");
		return;
	}
	l->state = STATE_DATA;
	l->dot = DOT_LINE;
	say(l, "354 end with a line that is a dot");
}

/* run_rset - forget it */
static void
run_rset(struct lmtp *l, struct slice s)
{
	(void)s;
	forget(l);
	say(l, "250 2.0.0 forgotten");
}

/* run_noop - still here */
static void
run_noop(struct lmtp *l, struct slice s)
{
	(void)s;
	say(l, "250 2.0.0 fine");
}

/* run_vrfy - we do not tell */
static void
run_vrfy(struct lmtp *l, struct slice s)
{
	(void)s;
	say(l, "252 2.5.1 send it and see");
}

/* run_quit - good bye */
static void
run_quit(struct lmtp *l, struct slice s)
{
	(void)s;
	say(l, "221 2.0.0 bye");
	l->state = STATE_END;
}

/* run_smtp - RFC 2033, section 4.1: a server of LMTP must refuse these */
static void
run_smtp(struct lmtp *l, struct slice s)
{
	(void)s;
	complain(l, "500 5.5.1 this is LMTP: say LHLO");
}

static const struct command commands[] = {
	{ "LHLO", run_lhlo }, { "MAIL", run_mail }, { "RCPT", run_rcpt },
	{ "DATA", run_data }, { "RSET", run_rset }, { "NOOP", run_noop },
	{ "QUIT", run_quit }, { "VRFY", run_vrfy }, { "HELO", run_smtp },
	{ "EHLO", run_smtp },
};

/* run_line - one command, without its end */
static void
run_line(struct lmtp *l, struct slice line)
{
	struct slice word = line;
	size_t i;

	for (i = 0; i < line.n && line.p[i] != ' '; i++)
		;
	word.n = i;
	line = slice_trim(slice_from(line, i));
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (slice_case_eq(word, slice_of(commands[i].word))) {
			commands[i].run(l, line);
			return;
		}
	complain(l, "500 5.5.2 no such command");
}

/* eat_line - up to its end; false: the input has no end of line yet */
static bool
eat_line(struct lmtp *l, struct slice *in)
{
	const char *end = in->n > 0 ? memchr(in->p, '\n', in->n) : NULL;
	size_t n = end != NULL ? (size_t)(end - in->p) + 1 : in->n;
	size_t fits = n;

	if (n > sizeof(l->line) - l->line_len) {
		l->too_long = true;
		fits = sizeof(l->line) - l->line_len;
	}
	if (fits > 0) {
		memcpy(l->line + l->line_len, in->p, fits);
		if (memchr(in->p, '\0', fits) != NULL)
			l->has_nul = true;
	}
	l->line_len += fits;
	*in = slice_from(*in, n);
	if (end == NULL)
		return false;
	if (l->too_long)
		complain(l, "500 5.5.2 the line is too long");
	else if (l->has_nul)
		complain(l, "500 5.5.2 a NUL byte in a command");
	else
		run_line(l, slice_trim((struct slice){ l->line,
		    l->line_len }));
	l->line_len = 0;
	l->too_long = l->has_nul = false;
	return true;
}

/* --- the message ---------------------------------------------------------- */

/* keep - bytes of the message, when there is room for them */
static void
keep(struct lmtp *l, const char *p, size_t n)
{
	size_t others = l->rules->held - l->held;

	if (n == 0 || l->refused != NULL)
		return;
	if (n > l->rules->size_max - l->message.len) {
		l->refused = "552 5.3.4 the message is too large";
	} else if (others + l->message.len + n > l->rules->held_max) {
		l->refused = "452 4.3.1 too many large messages at a time";
	} else {
		buf_add(&l->message, p, n);
		if (buf_failed(&l->message))
			l->refused = "451 4.3.0 out of memory";
	}
	if (l->refused != NULL)
		buf_free(&l->message);
	l->held = l->message.cap;
	l->rules->held = others + l->held;
}

/* message_end - the dot came */
static void
message_end(struct lmtp *l)
{
	size_t i;

	if (l->refused == NULL) {
		l->mail.message = buf_slice(&l->message);
		l->state = STATE_MESSAGE;
		return;
	}
	for (i = 0; i < l->mail.nrecipients; i++)
		say(l, l->refused);
	forget(l);
}

/* plain_run - how many bytes lie ahead that cannot belong to the dot */
static size_t
plain_run(struct slice s)
{
	const char *cr = memchr(s.p, '\r', s.n);

	return cr != NULL ? (size_t)(cr - s.p) : s.n;
}

/* eat_data - up to the dot or the end of the input */
static void
eat_data(struct lmtp *l, struct slice *in)
{
	size_t n;
	char c;

	while (in->n > 0 && l->state == STATE_DATA) {
		if (l->dot == DOT_TEXT && (n = plain_run(*in)) > 0) {
			keep(l, in->p, n);
			*in = slice_from(*in, n);
			continue;
		}
		c = in->p[0];
		*in = slice_from(*in, 1);
		switch (l->dot) {
		case DOT_TEXT:
			l->dot = DOT_CR;	/* plain_run stopped at a CR */
			break;
		case DOT_CR:
			keep(l, "\r", 1);
			if (c == '\r')
				break;		/* one CR waits again */
			keep(l, &c, 1);
			l->dot = c == '\n' ? DOT_LINE : DOT_TEXT;
			break;
		case DOT_LINE:
			if (c == '.') {
				l->dot = DOT_DOT;	/* stuffed, or the end */
			} else if (c == '\r') {
				l->dot = DOT_CR;
			} else {
				keep(l, &c, 1);
				l->dot = DOT_TEXT;
			}
			break;
		case DOT_DOT:
			if (c == '\r') {
				l->dot = DOT_DOT_CR;
			} else {
				keep(l, &c, 1);
				l->dot = DOT_TEXT;
			}
			break;
		case DOT_DOT_CR:
			if (c == '\n') {
				message_end(l);
			} else {
				keep(l, "\r", 1);
				if (c == '\r') {
					l->dot = DOT_CR;
				} else {
					keep(l, &c, 1);
					l->dot = DOT_TEXT;
				}
			}
			break;
		}
	}
}

/* --- from outside --------------------------------------------------------- */

/* lmtp_new - greet */
struct lmtp *
lmtp_new(struct lmtp_rules *rules)
{
	struct lmtp *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->rules = rules;
	if ((l->arena = arena_new(4096, 0)) == NULL) {
		free(l);
		return NULL;
	}
	buf_printf(&l->out, "220 %s LMTP\r\n", rules->name);
	return l;
}

/* lmtp_free - with whatever was under way */
void
lmtp_free(struct lmtp *l)
{
	if (l == NULL)
		return;
	l->rules->held -= l->held;
	arena_free(l->arena);
	buf_free(&l->message);
	buf_free(&l->out);
	free(l);
}

/* lmtp_step - eat until the program is asked or the input is empty */
enum lmtp_step
lmtp_step(struct lmtp *l, struct slice *in)
{
	for (;;) {
		if (buf_failed(&l->out))
			l->state = STATE_END;
		if (l->state == STATE_END)
			return LMTP_END;
		if (l->state == STATE_RCPT)
			return LMTP_RCPT;
		if (l->state == STATE_MESSAGE)
			return LMTP_MESSAGE;
		if (l->out.len - l->sent > LMTP_UNREAD)
			return LMTP_WRITE;
		if (in->n == 0)
			return LMTP_READ;
		if (l->state == STATE_DATA)
			eat_data(l, in);
		else if (!eat_line(l, in))
			return LMTP_READ;
	}
}

/* lmtp_mail - the transaction as far as it came */
const struct lmtp_mail *
lmtp_mail(const struct lmtp *l)
{
	return &l->mail;
}

/* lmtp_reply - what the program says to a recipient */
void
lmtp_reply(struct lmtp *l, const char *fmt, ...)
{
	char text[480];
	va_list ap;
	size_t i;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (i = 0; text[i] != '\0'; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = '?';
	if (l->state == STATE_RCPT) {
		if (text[0] != '2') {
			l->mail.nrecipients--;
			l->errors++;
		}
		l->state = STATE_MAIL;
		say(l, text);
		if (l->errors >= LMTP_ERRORS)
			lmtp_give_up(l, "421 4.7.0 too many errors, closing");
	} else if (l->state == STATE_MESSAGE) {
		say(l, text);
		if (++l->replies == l->mail.nrecipients)
			forget(l);
	}
}

/* lmtp_give_up - our own wish */
void
lmtp_give_up(struct lmtp *l, const char *text)
{
	if (l->state == STATE_END)
		return;
	say(l, text);
	l->state = STATE_END;
	forget(l);
}

/* lmtp_out - what the client has not been told yet */
struct slice
lmtp_out(const struct lmtp *l)
{
	return slice_from(buf_slice(&l->out), l->sent);
}

/* lmtp_sent - and now it was */
void
lmtp_sent(struct lmtp *l, size_t n)
{
	l->sent += n < l->out.len - l->sent ? n : l->out.len - l->sent;
	if (l->sent == l->out.len && !buf_failed(&l->out)) {
		buf_reset(&l->out);
		l->sent = 0;
	}
}

/* lmtp_idle - between two messages */
bool
lmtp_idle(const struct lmtp *l)
{
	return l->state == STATE_FRESH || l->state == STATE_READY ||
	    l->state == STATE_END;
}
