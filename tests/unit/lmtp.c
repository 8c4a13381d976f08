/*
 * lmtp - each case is what a client sends and all that it is told; between
 * the replies stand, in square brackets, the messages that the program got.
 * Every dialogue runs whole, byte by byte, and in pieces of a size that cuts
 * CR LF . CR LF at every place; the transcript must be the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/lmtp.h"

#define HELLO	"250-mail.example\r\n250-PIPELINING\r\n250-SIZE 4096\r\n" \
	"250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES\r\n"
#define START	"LHLO here.example\r\nMAIL FROM:<s@a.example>\r\n"
#define STARTED	HELLO "250 2.1.0 fine\r\n"
#define GO	"354 end with a line that is a dot\r\n"
#define TO_A	"RCPT TO:<a@b.example>\r\n"
#define FINE_A	"250 2.1.5 fine\r\n"
#define KEPT	"250 2.0.0 kept\r\n"

struct dialogue {
	const char	*name;
	const char	*says;		/* the client */
	const char	*told;		/* without the greeting */
	size_t		 bytes;		/* of says, when it has a NUL */
};

/* clang-format off */
static const struct dialogue dialogues[] = {
	{ .name = "one recipient, one message",
	  START TO_A "DATA\r\nSubject: x\r\n\r\nhello\r\n.\r\nQUIT\r\n",
	  STARTED FINE_A GO
	  "[s@a.example|a@b.example|Subject: x\r\n\r\nhello\r\n]"
	  KEPT "221 2.0.0 bye\r\n" },
	{ .name = "one reply per recipient behind the dot",
	  START TO_A "RCPT TO:<c@d.example>\r\nDATA\r\n\r\nx\r\n.\r\n",
	  STARTED FINE_A "250 2.1.5 fine\r\n" GO
	  "[s@a.example|a@b.example,c@d.example|\r\nx\r\n]" KEPT KEPT },
	{ .name = "the null sender of a bounce",
	  "LHLO x\r\nMAIL FROM:<>\r\n" TO_A "DATA\r\n.\r\n",
	  STARTED FINE_A GO "[|a@b.example|]" KEPT },
	{ .name = "two messages, one pipeline",
	  START TO_A "DATA\r\none\r\n.\r\nMAIL FROM:<t@a.example>\r\n" TO_A
	  "DATA\r\ntwo\r\n.\r\n",
	  STARTED FINE_A GO "[s@a.example|a@b.example|one\r\n]" KEPT
	  "250 2.1.0 fine\r\n" FINE_A GO
	  "[t@a.example|a@b.example|two\r\n]" KEPT },
	{ .name = "stuffed dots are undone",
	  START TO_A "DATA\r\n..\r\n...x\r\n.y\r\n.\r\n",
	  STARTED FINE_A GO "[s@a.example|a@b.example|.\r\n..x\r\ny\r\n]"
	  KEPT },
	{ .name = "a bare LF does not end a message",
	  START TO_A "DATA\r\na\n.\nb\r\n.\nc\n.\r\nd\r.\re\r\n.\r\n",
	  STARTED FINE_A GO "[s@a.example|a@b.example|a\n.\nb\r\n\nc\n.\r\n"
	  "d\r.\re\r\n]" KEPT },
	{ .name = "a CR before CR LF does not hide the dot",
	  START TO_A "DATA\r\na\r\r\n.\r\n",
	  STARTED FINE_A GO "[s@a.example|a@b.example|a\r\r\n]" KEPT },
	{ .name = "dot CR that is not the end is kept",
	  START TO_A "DATA\r\n.\rx\r\n.\r\r\n.\r\n",
	  STARTED FINE_A GO "[s@a.example|a@b.example|\rx\r\n\r\r\n]" KEPT },
	{ .name = "a NUL in a message is a byte of it",
	  START TO_A "DATA\r\na\0b\r\n.\r\n",
	  STARTED FINE_A GO "[s@a.example|a@b.example|a?b\r\n]" KEPT,
	  sizeof(START TO_A "DATA\r\na\0b\r\n.\r\n") - 1 },
	{ .name = "commands in any case, ends with a bare LF",
	  "lhlo x\nmail from:<s@a.example>\nrcpt to:<a@b.example>\nrset\n"
	  "noop\nvrfy x\n",
	  STARTED FINE_A "250 2.0.0 forgotten\r\n250 2.0.0 fine\r\n"
	  "252 2.5.1 send it and see\r\n" },
	{ .name = "SMTP is refused",
	  "EHLO x\r\nHELO x\r\n",
	  "500 5.5.1 this is LMTP: say LHLO\r\n"
	  "500 5.5.1 this is LMTP: say LHLO\r\n" },
	{ .name = "MAIL before LHLO",
	  "MAIL FROM:<>\r\n", "503 5.5.1 LHLO comes first\r\n" },
	{ .name = "LHLO without a name",
	  "LHLO\r\n", "501 5.5.4 LHLO needs a name\r\n" },
	{ .name = "a second MAIL",
	  START "MAIL FROM:<>\r\n",
	  STARTED "503 5.5.1 there is a sender already\r\n" },
	{ .name = "RCPT before MAIL",
	  "LHLO x\r\n" TO_A, HELLO "503 5.5.1 MAIL comes first\r\n" },
	{ .name = "DATA without a recipient",
	  START "DATA\r\n", STARTED "503 5.5.1 no recipient was accepted\r\n" },
	{ .name = "LHLO in the middle forgets the transaction",
	  START "LHLO x\r\nDATA\r\n",
	  STARTED HELLO "503 5.5.1 no recipient was accepted\r\n" },
	{ .name = "the program refuses one of two recipients",
	  START "RCPT TO:<no@b.example>\r\n" TO_A "DATA\r\nx\r\n.\r\n",
	  STARTED "550 5.1.1 not here\r\n" FINE_A GO
	  "[s@a.example|a@b.example|x\r\n]" KEPT },
	{ .name = "the program refuses all recipients",
	  START "RCPT TO:<no@b.example>\r\nDATA\r\n",
	  STARTED "550 5.1.1 not here\r\n"
	  "503 5.5.1 no recipient was accepted\r\n" },
	{ .name = "parameters that are offered",
	  "LHLO x\r\nMAIL FROM:<s@a.example> SIZE=100 BODY=8BITMIME SMTPUTF8"
	  "\r\n", STARTED },
	{ .name = "parameters that are not",
	  "LHLO x\r\nMAIL FROM:<s@a.example> RET=HDRS\r\nMAIL FROM:<> SIZE=x"
	  "\r\nMAIL FROM:<> BODY=BINARYMIME\r\n",
	  HELLO "555 5.5.4 a parameter of MAIL is not known\r\n"
	  "501 5.5.4 SIZE= needs a number\r\n"
	  "555 5.5.4 a parameter of MAIL is not known\r\n" },
	{ .name = "SIZE says that it is too large",
	  "LHLO x\r\nMAIL FROM:<> SIZE=4097\r\nMAIL FROM:<> "
	  "SIZE=99999999999999999999\r\n",
	  HELLO "552 5.3.4 the message is too large\r\n"
	  "552 5.3.4 the message is too large\r\n" },
	{ .name = "RCPT with parameters",
	  START "RCPT TO:<a@b.example> NOTIFY=NEVER\r\n",
	  STARTED "555 5.5.4 RCPT takes no parameters here\r\n" },
	{ .name = "8-bit addresses need SMTPUTF8",
	  "LHLO x\r\nMAIL FROM:<\xc3\xbc@a.example>\r\n"
	  "MAIL FROM:<\xc3\xbc@a.example> SMTPUTF8\r\n"
	  "RCPT TO:<\xc3\xa4@b.example>\r\n",
	  HELLO "553 5.6.7 the sender needs SMTPUTF8\r\n250 2.1.0 fine\r\n"
	  "250 2.1.5 fine\r\n" },
	{ .name = "a recipient with 8-bit bytes, without",
	  START "RCPT TO:<\xc3\xa4@b.example>\r\n",
	  STARTED "553 5.6.7 the recipient needs SMTPUTF8\r\n" },
	{ .name = "quoted angles belong to the address; a source route does not",
	  "LHLO x\r\nMAIL FROM:<@r.example,@q.example:s@a.example>\r\n"
	  "RCPT TO:<\"a>b\\\" c\"@b.example>\r\nDATA\r\n.\r\n",
	  STARTED "250 2.1.5 fine\r\n" GO
	  "[s@a.example|\"a>b\\\" c\"@b.example|]" KEPT },
	{ .name = "what is no address",
	  "LHLO x\r\nMAIL FROM:s@a.example\r\nMAIL FROM:<s@a.example\r\n"
	  "MAIL FROM:<a b>\r\nMAIL FROM:<a>b\r\nMAIL FOR:<a>\r\n",
	  HELLO "501 5.1.7 the sender is not <address>\r\n"
	  "501 5.1.7 the sender is not <address>\r\n"
	  "501 5.1.7 the sender is not <address>\r\n"
	  "501 5.1.7 the sender is not <address>\r\n"
	  "501 5.5.4 write MAIL FROM:<address>\r\n" },
	{ .name = "an empty recipient, and none",
	  START "RCPT TO:<>\r\nRCPT\r\n",
	  STARTED "501 5.1.3 the recipient is not <address>\r\n"
	  "501 5.5.4 write RCPT TO:<address>\r\n" },
	{ .name = "too many recipients are asked to come again",
	  START TO_A TO_A TO_A TO_A "DATA\r\n.\r\n",
	  STARTED FINE_A FINE_A FINE_A "452 4.5.3 too many recipients, bring "
	  "the others in another message\r\n" GO
	  "[s@a.example|a@b.example,a@b.example,a@b.example|]" KEPT KEPT
	  KEPT },
	{ .name = "an unknown word, an empty line, DATA with an argument",
	  "FROB\r\n\r\nDATA x\r\n",
	  "500 5.5.2 no such command\r\n500 5.5.2 no such command\r\n"
	  "501 5.5.4 DATA takes no parameters\r\n" },
	{ .name = "a NUL in a command",
	  "NOOP\0\r\nNOOP\r\n",
	  "500 5.5.2 a NUL byte in a command\r\n250 2.0.0 fine\r\n", 13 },
	{ .name = "twenty errors are the end",
	  "X\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\n"
	  "X\r\nX\r\nX\r\nX\r\nX\r\nX\r\nX\r\nNOOP\r\n",
	  "500 5.5.2 no such command\r\n500 5.5.2 no such command\r\n"
	  "500 5.5.2 no such command\r\n500 5.5.2 no such command\r\n"
	  "500 5.5.2 no such command\r\n500 5.5.2 no such command\r\n"
	  "500 5.5.2 no such command\r\n500 5.5.2 no such command\r\n"
	  "500 5.5.2 no such command\r\n500 5.5.2 no such command\r\n"
	  "500 5.5.2 no such command\r\n500 5.5.2 no such command\r\n"
	  "500 5.5.2 no such command\r\n500 5.5.2 no such command\r\n"
	  "500 5.5.2 no such command\r\n500 5.5.2 no such command\r\n"
	  "500 5.5.2 no such command\r\n500 5.5.2 no such command\r\n"
	  "500 5.5.2 no such command\r\n"
	  "421 4.7.0 too many errors, closing\r\n" },
};
/* clang-format on */

struct client {
	struct lmtp_rules rules;
	struct lmtp	*l;
	struct buf	 told;
};

/* begin - a connection, its greeting read */
static void
begin(struct client *c)
{
	c->rules = (struct lmtp_rules){ .name = "mail.example",
	    .size_max = 4096, .recipients_max = 3, .held_max = 10000,
	    .asks = true };
	c->told = (struct buf)BUF_INIT;
	assert_non_null(c->l = lmtp_new(&c->rules));
	assert_true(slice_is(lmtp_out(c->l), "220 mail.example LMTP\r\n"));
	lmtp_sent(c->l, lmtp_out(c->l).n);
}

/* hear - what the machine has to say goes into the transcript, in sips */
static void
hear(struct client *c)
{
	struct slice out;

	while ((out = lmtp_out(c->l)).n > 0) {
		size_t n = out.n > 7 ? 7 : out.n;

		buf_add(&c->told, out.p, n);
		lmtp_sent(c->l, n);
	}
}

/* note - a message into the transcript, and its replies */
static void
note(struct client *c)
{
	const struct lmtp_mail *m = lmtp_mail(c->l);
	size_t n = m->nrecipients;

	buf_char(&c->told, '[');
	buf_slices(&c->told, m->sender);
	for (size_t i = 0; i < n; i++) {
		buf_char(&c->told, i == 0 ? '|' : ',');
		buf_slices(&c->told, m->recipients[i]);
	}
	buf_char(&c->told, '|');
	for (size_t i = 0; i < m->message.n; i++)
		buf_char(&c->told, m->message.p[i] != '\0' ?
		    m->message.p[i] : '?');
	buf_char(&c->told, ']');
	for (size_t i = 0; i < n; i++)
		lmtp_reply(c->l, "250 2.0.0 kept");
}

/* talk - a piece of input; false: the machine wants to hang up */
static bool
talk(struct client *c, struct slice in)
{
	const struct lmtp_mail *m;

	for (;;) {
		switch (lmtp_step(c->l, &in)) {
		case LMTP_READ:
			hear(c);
			assert_int_equal(in.n, 0);
			return true;
		case LMTP_WRITE:
			hear(c);
			break;
		case LMTP_RCPT:
			m = lmtp_mail(c->l);
			if (slice_is(m->recipients[m->nrecipients - 1],
			    "no@b.example"))
				lmtp_reply(c->l, "550 5.1.1 not here");
			else
				lmtp_reply(c->l, "250 2.1.5 fine");
			break;
		case LMTP_MESSAGE:
			hear(c);
			note(c);
			break;
		case LMTP_END:
			hear(c);
			return false;
		}
	}
}

/* done - and nothing is held any more */
static void
done(struct client *c)
{
	lmtp_free(c->l);
	assert_int_equal(c->rules.held, 0);
	buf_free(&c->told);
}

/* test_dialogues - the table, in pieces of 1, 2, 3, 5 bytes and whole */
static void
test_dialogues(void **state)
{
	static const size_t pieces[] = { 1, 2, 3, 5, 100000 };
	struct client c;

	(void)state;
	for (size_t i = 0; i < sizeof(dialogues) / sizeof(dialogues[0]); i++)
		for (size_t j = 0; j < 5; j++) {
			const struct dialogue *d = &dialogues[i];
			size_t n = d->bytes > 0 ? d->bytes : strlen(d->says);
			bool on = true;

			begin(&c);
			for (size_t at = 0; at < n && on; at += pieces[j])
				on = talk(&c, (struct slice){ d->says + at,
				    pieces[j] < n - at ? pieces[j] : n - at });
			if (!slice_is(buf_slice(&c.told), d->told))
				fail_msg("%s, in pieces of %zu:\n got: %.*s\n"
				    "want: %s", d->name, pieces[j],
				    (int)c.told.len, c.told.data, d->told);
			done(&c);
		}
}

/* test_cut - a client that goes away at any byte leaves nothing behind */
static void
test_cut(void **state)
{
	static const char all[] = START TO_A
	    "DATA\r\nSubject: x\r\n\r\n..hello\r\n.\r\n" "MAIL FROM:<>\r\n" TO_A
	    "DATA\r\nnext\r\n.\r\nQUIT\r\n";
	struct client c;

	(void)state;
	for (size_t n = 0; n < sizeof(all); n++) {
		char *copy = malloc(n > 0 ? n : 1);

		memcpy(copy, all, n);
		begin(&c);
		talk(&c, (struct slice){ copy, n });
		done(&c);
		free(copy);
	}
}

/* fill - n bytes of a message in lines of 100 */
static void
fill(struct client *c, size_t n)
{
	char line[100];

	memset(line, 'x', sizeof(line));
	memcpy(line + 98, "\r\n", 2);
	for (; n >= 100; n -= 100)
		assert_true(talk(c, (struct slice){ line, 100 }));
}

/* test_size - the last byte that fits, and the first that does not */
static void
test_size(void **state)
{
	static char block[4096];
	struct client c;

	(void)state;
	memset(block, 'x', sizeof(block));
	block[4094] = '\r', block[4095] = '\n';
	for (int more = 0; more < 2; more++) {
		begin(&c);
		talk(&c, slice_of(START TO_A "DATA\r\n"));
		if (more)
			talk(&c, slice_of("y"));
		talk(&c, (struct slice){ block, sizeof(block) });
		buf_reset(&c.told);
		talk(&c, slice_of(".\r\nNOOP\r\n"));
		if (more)
			assert_true(slice_is(buf_slice(&c.told),
			    "552 5.3.4 the message is too large\r\n"
			    "250 2.0.0 fine\r\n"));
		else
			assert_int_equal(c.told.data[0], '[');
		assert_int_equal(c.rules.held, 0);
		done(&c);
	}
}

/* test_held - messages of all connections together have a bound */
static void
test_held(void **state)
{
	struct client c, other = { .l = NULL };

	(void)state;
	begin(&c);
	c.rules.held_max = 6000;
	assert_non_null(other.l = lmtp_new(&c.rules));
	talk(&c, slice_of(START TO_A "DATA\r\n"));
	talk(&other, slice_of(START TO_A "DATA\r\n"));
	fill(&c, 4000);
	assert_true(c.rules.held >= 4000);
	fill(&other, 4000);
	buf_reset(&other.told);
	talk(&other, slice_of(".\r\n"));
	assert_true(slice_is(buf_slice(&other.told),
	    "452 4.3.1 too many large messages at a time\r\n"));
	/* The first is none the worse, and gives back what it held. */
	buf_reset(&c.told);
	talk(&c, slice_of(".\r\n"));
	assert_int_equal(c.told.data[0], '[');
	assert_int_equal(c.rules.held, 0);
	/* Now there is room for the other. */
	talk(&other, slice_of("MAIL FROM:<>\r\n" TO_A "DATA\r\n"));
	fill(&other, 4000);
	buf_reset(&other.told);
	talk(&other, slice_of(".\r\n"));
	assert_int_equal(other.told.data[0], '[');
	lmtp_free(other.l);
	buf_free(&other.told);
	done(&c);
}

/* test_line - the longest command, one byte more, and a megabyte */
static void
test_line(void **state)
{
	char *line = malloc(1 << 20);
	struct client c;

	(void)state;
	memset(line, 'x', 1 << 20);
	memcpy(line, "NOOP ", 5);
	begin(&c);
	memcpy(line + LMTP_LINE - 2, "\r\n", 2);
	talk(&c, (struct slice){ line, LMTP_LINE });
	memcpy(line + LMTP_LINE - 2, "x\r\n", 3);
	talk(&c, (struct slice){ line, LMTP_LINE + 1 });
	memset(line + 5, 'x', (1 << 20) - 5);
	line[(1 << 20) - 1] = '\n';
	talk(&c, (struct slice){ line, 1 << 20 });
	talk(&c, slice_of("NOOP\r\n"));
	assert_true(slice_is(buf_slice(&c.told), "250 2.0.0 fine\r\n"
	    "500 5.5.2 the line is too long\r\n"
	    "500 5.5.2 the line is too long\r\n250 2.0.0 fine\r\n"));
	done(&c);
	free(line);
}

/* test_unread - a client that sends and never reads is not fed for ever */
static void
test_unread(void **state)
{
	struct slice in = SLICE_NONE;
	struct buf many = BUF_INIT;
	struct client c;

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		buf_str(&many, "NOOP\r\n");
	begin(&c);
	in = buf_slice(&many);
	assert_int_equal(lmtp_step(c.l, &in), LMTP_WRITE);
	assert_true(lmtp_out(c.l).n < LMTP_UNREAD + 1000);
	assert_true(in.n > 0);
	assert_true(talk(&c, in));
	done(&c);
	buf_free(&many);
}

/* test_program - replies that would break a line, and the program's end */
static void
test_program(void **state)
{
	struct slice in = SLICE(START TO_A);
	struct client c;

	(void)state;
	begin(&c);
	assert_true(lmtp_idle(c.l));
	assert_int_equal(lmtp_step(c.l, &in), LMTP_RCPT);
	assert_false(lmtp_idle(c.l));
	hear(&c);
	buf_reset(&c.told);
	lmtp_reply(c.l, "250 %s", "a\r\n550 b\x01");
	hear(&c);
	assert_true(slice_is(buf_slice(&c.told), "250 a??550 b?\r\n"));
	buf_reset(&c.told);
	lmtp_give_up(c.l, "421 4.3.2 going down");
	lmtp_give_up(c.l, "421 4.3.2 going down");
	in = SLICE("NOOP\r\n");
	assert_int_equal(lmtp_step(c.l, &in), LMTP_END);
	hear(&c);
	assert_true(slice_is(buf_slice(&c.told), "421 4.3.2 going down\r\n"));
	done(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dialogues),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_held),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_unread),
		cmocka_unit_test(test_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
