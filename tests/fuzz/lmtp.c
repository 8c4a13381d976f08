/*
 * fuzz lmtp - any bytes as what a client of LMTP sends.  The first byte says
 * how they are cut into pieces.  The replies must be lines with a code, a
 * message must have a recipient, and nothing may be held at the end; cut in
 * another way the same bytes must get the same replies.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/lmtp.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* must - stop where the fuzzer sees it */
static void
must(bool fine)
{
	if (!fine)
		abort();
}

/* hear - into the transcript */
static void
hear(struct lmtp *l, struct buf *told)
{
	buf_slices(told, lmtp_out(l));
	lmtp_sent(l, lmtp_out(l).n);
}

/* talk - false: it wants to hang up */
static bool
talk(struct lmtp *l, struct slice in, struct buf *told)
{
	const struct lmtp_mail *m = lmtp_mail(l);
	size_t n;

	for (;;) {
		switch (lmtp_step(l, &in)) {
		case LMTP_READ:
			must(in.n == 0);
			hear(l, told);
			return true;
		case LMTP_WRITE:
			must(lmtp_out(l).n > 0);
			hear(l, told);
			break;
		case LMTP_RCPT:
			must(m->nrecipients >= 1 && m->nrecipients <= 50);
			must(m->recipients[m->nrecipients - 1].n > 0);
			lmtp_reply(l, m->recipients[m->nrecipients - 1].p[0] ==
			    'n' ? "550 5.1.1 no" : "250 2.1.5 fine");
			break;
		case LMTP_MESSAGE:
			must(m->nrecipients >= 1 && m->nrecipients <= 50);
			must(m->message.n <= 300);
			n = m->nrecipients;
			for (size_t i = 0; i < n; i++)
				lmtp_reply(l, "250 2.0.0 %.*s",
				    SLICE_ARG(m->recipients[i]));
			break;
		case LMTP_END:
			hear(l, told);
			return false;
		}
	}
}

/* whole - the dialogue in pieces of that size */
static void
whole(const uint8_t *data, size_t n, size_t piece, struct buf *told)
{
	struct lmtp_rules rules = { .name = "mail.example", .size_max = 300,
	    .recipients_max = 50, .held_max = 4096, .asks = true };
	struct lmtp *l = lmtp_new(&rules);
	bool on = true;

	must(l != NULL);
	for (size_t at = 0; at < n && on; at += piece)
		on = talk(l, (struct slice){ (const char *)data + at,
		    piece < n - at ? piece : n - at }, told);
	lmtp_free(l);
	must(rules.held == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf one = BUF_INIT, two = BUF_INIT;
	bool start = true;

	if (n == 0)
		return 0;
	whole(data + 1, n - 1, 1 + data[0] % 64, &one);
	whole(data + 1, n - 1, n, &two);
	must(slice_eq(buf_slice(&one), buf_slice(&two)));
	for (size_t i = 0; i < one.len; i++) {
		must(!start || (one.data[i] >= '2' && one.data[i] <= '5'));
		start = one.data[i] == '\n';
	}
	buf_free(&one);
	buf_free(&two);
	return 0;
}
