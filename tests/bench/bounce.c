/*
 * bounce - what it costs to say what a reply means: microseconds of CPU per
 * reply, with the rules that are compiled in and with files of 2,000 and of
 * 4,096 made-up rules.
 *
 *	bounce [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/buf.h"
#include "reputation/classify.h"

static const char *const replies[] = {
	"550 5.1.1 <someone@example.org>: Recipient address rejected: User "
	    "unknown in virtual mailbox table (in reply to RCPT TO command)",
	"host gmail-smtp-in.l.google.com[192.0.2.27] said: 550-5.1.1 The email "
	    "account that you tried to reach does not exist. Please try "
	    "550-5.1.1 double-checking the recipient's email address for "
	    "typos or 550-5.1.1 unnecessary spaces. For more information, go "
	    "to 550 5.1.1 https://support.google.com/mail/?p=NoSuchUser "
	    "a640c23a62f3a-aa5999c8a2asi12 - gsmtp (in reply to RCPT TO "
	    "command)",
	"smtp; 552 5.2.2 <someone@example.org>: mailbox full",
	"421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to "
	    "unexpected volume or user complaints - 4.16.55.1; see "
	    "https://postmaster.yahooinc.com/error-codes",
	"554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using "
	    "a list; see https://lists.example/query/192.0.2.1",
	"connect to mx.example.org[192.0.2.1]:25: Connection timed out",
	"550 5.4.1 Recipient address rejected: Access denied. AS(201806281) "
	    "[AM6EUR05FT047.eop-eur05.prod.protection.outlook.com "
	    "2026-11-25T09:30:25.255Z 08DE000000000000]",
	"250 2.0.0 Ok: queued as 4XyZ",
};
enum { REPLIES = sizeof(replies) / sizeof(replies[0]) };

/* seconds - of CPU that this process has used */
static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* made_up - n rules of words that look like words */
static struct classifier *
made_up(unsigned n)
{
	static const char *const words[] = { "user", "mailbox", "recipient",
		"address", "account", "message", "blocked", "unknown",
		"rejected", "policy", "server", "sender", "limit", "please" };
	struct arena *arena = arena_new(4096, 0);
	struct classifier *c = NULL;
	struct buf b = BUF_INIT;
	struct problems problems;
	struct why why;

	problems_init(&problems, arena);
	for (unsigned i = 0; i < n; i++)
		buf_printf(&b, "r%u * * * quota none %s %s%u & %s * %s%u\n", i,
		    words[i % 14], words[i / 14 % 14], i, words[i / 7 % 14],
		    words[i * 31 % 14], i / 50);
	if (classifier_parse(&c, "made up", buf_slice(&b), &problems,
	    &why) != 1) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	buf_free(&b);
	arena_free(arena);
	return c;
}

/* measure - all replies, round and round */
static void
measure(const char *name, const struct classifier *c, unsigned rounds)
{
	struct finding f;
	unsigned known = 0;
	double began = seconds();

	for (unsigned i = 0; i < rounds; i++)
		for (unsigned k = 0; k < REPLIES; k++) {
			classify(c, 0, SLICE_NONE, slice_of(replies[k]), &f);
			known += f.category != CATEGORY_UNKNOWN;
		}
	printf("  %-24s %5zu rules %8.2f us per reply (%u of %u known)\n",
	    name, classifier_rules(c),
	    (seconds() - began) * 1e6 / rounds / REPLIES, known / rounds,
	    REPLIES);
}

int
main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 20000;
	struct classifier *c;
	struct why why;

	if (classifier_builtin(&c, &why) == -1) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	puts("bounce classifier, CPU");
	measure("compiled in", c, rounds);
	classifier_free(c);
	measure("made up", c = made_up(2000), rounds);
	classifier_free(c);
	measure("made up", c = made_up(4096), rounds);
	classifier_free(c);
	return 0;
}
