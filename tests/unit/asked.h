/*
 * asked - a policy of a few tenants, and one mail at a time asked about, as
 * the milter asks.  Every answer is looked at: one printable line, a code that
 * fits the verdict.  Included by one test program each.
 */
#ifndef TESTS_UNIT_ASKED_H
#define TESTS_UNIT_ASKED_H

#include <arpa/inet.h>

#include "policy/plan.h"
#include "tests/unit/policy_files.h"

static struct {
	struct policy	*policy;
	struct ledger	*ledger;
	struct arena	*arena;		/* of the mail */
	struct arena	*texts;		/* of the test */
	struct mail	 mail;
	struct answer	 answer;
	const char	*listener;	/* NULL: smtpd */
	const char	*tokens;	/* NULL: nobody said where they are */
	int64_t		 now;
	uint64_t	 seq;
} asked;

/* asked_load - policy.conf as it stands in the folder */
static inline void
asked_load(void)
{
	struct policy_load args = { .path = "policy.conf", .keys = "keys",
	    .token_keys = asked.tokens };
	struct problems problems;
	const struct problem *one;
	struct why why;
	int got;

	problems_init(&problems, asked.texts);
	policy_drop(asked.policy);
	asked.policy = NULL;
	got = policy_load(&args, &asked.policy, &problems, &why);
	if (got != 1) {
		for (one = problems.first; one != NULL; one = one->next)
			print_message("%s:%u: %s\n", one->at.file,
			    one->at.line, one->text);
		fail_msg("policy_load: %d", got);
	}
}

/* asked_begin - test set-up: folder, policy, empty counters */
static inline void
asked_begin(const char *policy)
{
	files_begin();
	files_write("policy.conf", policy, strlen(policy));
	asked.arena = arena_new(1 << 14, 0);
	asked.texts = arena_new(1 << 14, 0);
	asked.ledger = ledger_new();
	assert_non_null(asked.arena);
	assert_non_null(asked.texts);
	assert_non_null(asked.ledger);
	/* 2024-10-04 00:00 UTC */
	asked.now = INT64_C(20000) * 86400 * 1000000;
	asked.seq = 0;
	asked_load();
}

static inline void
asked_end(void)
{
	decide_abort(&asked.mail);
	policy_drop(asked.policy);
	ledger_free(asked.ledger);
	arena_free(asked.arena);
	arena_free(asked.texts);
	memset(&asked, 0, sizeof(asked));
	files_end();
}

/* looked_at - an answer fit to be sent */
static inline enum verdict
looked_at(enum verdict verdict)
{
	const struct answer *a = &asked.answer;
	const char *first = verdict <= VERDICT_HOLD ? "2" :
	    verdict == VERDICT_DEFER ? "4" : "5";
	size_t i;

	assert_int_equal(a->verdict, verdict);
	assert_int_equal(a->code[0], *first);
	assert_int_equal(a->dsn[0], *first);
	assert_true(a->text.n <= 900);
	assert_true(verdict == VERDICT_PASS || a->text.n > 0);
	for (i = 0; i < a->text.n; i++)
		if (a->text.p[i] < ' ' || a->text.p[i] > '~')
			fail_msg("byte %02x in the reply",
			    (unsigned char)a->text.p[i]);
	return verdict;
}

static inline struct slice
maybe(const char *s)
{
	return s != NULL ? slice_of(s) : SLICE_NONE;
}

/* ask_mail - MAIL FROM by login or client (or neither) */
static inline enum verdict
ask_mail(const char *login, const char *client, const char *from, int64_t size)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct mail *mail = &asked.mail;

	decide_abort(mail);
	memset(mail, 0, sizeof(*mail));
	arena_reset(asked.arena);
	mail->policy = asked.policy;
	mail->ledger = asked.ledger;
	mail->arena = asked.arena;
	mail->login = maybe(login);
	mail->listener = slice_of(asked.listener != NULL ?
	    asked.listener : "smtpd");
	mail->mail_from_text = slice_of(from);
	mail->declared = size;
	if (client != NULL) {
		assert_int_equal(inet_pton(AF_INET, client, &sin.sin_addr), 1);
		ip_of((struct sockaddr *)&sin, &mail->client);
	}
	return looked_at(decide_mail(mail, asked.now, &asked.answer));
}

static inline enum verdict
ask_rcpt(const char *to, const char *transport)
{
	return looked_at(decide_rcpt(&asked.mail, slice_of(to),
	    maybe(transport), asked.now, &asked.answer));
}

/* ask_headers - pairs of name and value, NULL at the end */
static inline enum verdict
ask_headers(const char *const *pairs)
{
	struct header_fact h[16];
	size_t n = 0;

	for (; pairs[2 * n] != NULL; n++)
		h[n] = (struct header_fact){ slice_of(pairs[2 * n]),
			slice_of(pairs[2 * n + 1]) };
	return looked_at(decide_headers(&asked.mail, h, n, asked.now,
	    &asked.answer));
}

static inline enum verdict
ask_from(const char *from)
{
	const char *pairs[] = { "From", from, NULL };

	return ask_headers(pairs);
}

static inline enum verdict
ask_end(int64_t size)
{
	return looked_at(decide_message(&asked.mail, size, asked.now,
	    &asked.answer));
}

/* expect_reply - code, enhanced code, words in the text, and the line */
static inline void
expect_reply(const char *code, const char *dsn, const char *words,
    unsigned line)
{
	const struct answer *a = &asked.answer;

	if (strcmp(a->code, code) != 0 || strcmp(a->dsn, dsn) != 0 ||
	    memmem(a->text.p, a->text.n, words, strlen(words)) == NULL ||
	    (line != 0 && a->rule.line != line))
		fail_msg("want %s %s \"%s\" of line %u\n got %s %s \"%.*s\" "
		    "of line %u", code, dsn, words, line, a->code, a->dsn,
		    SLICE_ARG(a->text), a->rule.line);
}

#endif
