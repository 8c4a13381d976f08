/*
 * random_policy - policies and messages made by chance, for tests that compare
 * two ways to one verdict.
 *
 * random_policy(number) sets the dice; the facts that follow go on with them.
 * Nothing with jitter: its dice know where the message lies in memory.  Only
 * even numbers look into the text, which no record holds.
 */
#ifndef TESTS_UNIT_RANDOM_POLICY_H
#define TESTS_UNIT_RANDOM_POLICY_H

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { FACTS_RCPTS = 8 };

struct facts {
	const char	*login;		/* or NULL */
	const char	*listener, *sender;
	struct sockaddr_in client;
	char		 rcpts[FACTS_RCPTS][64];
	const char	*transports[FACTS_RCPTS];
	size_t		 nrcpts;
	int64_t		 size;
	char		 text[4096];	/* the whole message, LF */
	char		 body[2048];	/* the same body, CRLF */
};

static uint64_t dice;

/* chance - below n; splitmix64 */
static size_t
chance(size_t n)
{
	uint64_t z = dice += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (size_t)((z ^ z >> 31) % n);
}

#define PICK(array)	(array)[chance(sizeof(array) / sizeof((array)[0]))]

static char policy_made[1 << 16];
static size_t policy_len;
static bool texts;			/* may the text of a mail matter? */

/* put - some text more of the policy */
static void
__attribute__((format(printf, 1, 2)))
put(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(policy_made + policy_len,
	    sizeof(policy_made) - policy_len, fmt, ap);
	va_end(ap);
	assert_true(n >= 0 &&
	    (size_t)n < sizeof(policy_made) - policy_len);
	policy_len += (size_t)n;
}

/* put_limit - any kind, small enough to be reached; per: an outermost block,
 * which may say what counts apart */
static void
put_limit(const char *name, bool per)
{
	static const char *const windows[] = { "minute", "hour", "day",
		"week", "month", "month@17" };
	static const char *const periods[] = { "minute", "hour", "day" };
	static const char *const tos[] = { "", "", "",
		"  to = \"provider:google\"", "  to = \"provider:microsoft\"" };
	static const char *const counts[] = { "", "",
		"  count = \"messages\"", "  count = \"recipients\"" };
	static const char *const overs[] = { "", "", "  over = \"refuse\"",
		"  over = \"defer\"", "  over = \"hold\"" };
	static const char *const pers[] = { "", "", "", "  per = \"login\"",
		"  per = \"tenant\"", "  per = \"recipient_domain\"",
		"  per = {\"provider\", \"sender\"}", "  per = \"stream\"",
		"  per = \"sender_domain\"", "  per = {\"group\", \"login\"}" };
	static const char *const modes[] = { "", "", "", "", "", "",
		"  mode = \"shadow\"" };
	const char *apart = per ? PICK(pers) : "";

	switch (chance(8)) {
	case 0:
	case 1:
		put("	cap \"%s\" { limit = \"%zu/%s\"  count = \"bytes\"%s%s }"
		    "\n", name, 3000 + chance(60000), PICK(windows), apart,
		    PICK(overs));
		break;
	case 2:
		put("	open \"%s\" { limit = \"%zu\"%s%s%s }\n", name,
		    20 + chance(200), apart, PICK(tos), PICK(overs));
		break;
	case 3:
	case 4:
		put("	throttle \"%s\" { rate = \"%zu/%s\"  burst = %zu"
		    "%s%s%s%s%s }\n", name, 1 + chance(50), PICK(periods),
		    3 + chance(40), apart, PICK(tos), PICK(counts),
		    PICK(overs), PICK(modes));
		break;
	default:
		put("	cap \"%s\" { limit = \"%zu/%s\"%s%s%s%s%s }\n", name,
		    5 + chance(200), PICK(windows), apart, PICK(tos),
		    PICK(counts), PICK(overs), PICK(modes));
	}
}

/* put_values - what may stand at every level, rarely */
static void
put_values(void)
{
	static const char *const shadows[] = { "mode = \"shadow\"",
		"shadow = {\"limits\"}", "shadow = {\"ownership\"}",
		"mode = \"enforce\"", "shadow = {}" };
	static const char *const postals[] = { "record", "defer", "refuse" };

	if (chance(6) == 0)
		put("	%s\n", PICK(shadows));
	if (chance(8) == 0 && texts)
		put("	postal_address = \"line  %zu Line %zu\"  postal = \"%s\"\n",
		    chance(4) + 2, chance(4) + 1, PICK(postals));
	if (chance(6) == 0)
		put("	max_recipients = %zu\n", 1 + chance(5));
	if (chance(6) == 0)
		put("	partial = \"%s\"\n", chance(2) == 0 ? "allow" :
		    "all-or-none");
	if (chance(6) == 0)
		put("	priority = \"%s\"\n", chance(2) == 0 ? "interactive" :
		    "bulk");
	if (chance(6) == 0)
		put("	hold_max = \"%zuh\"\n", 1 + chance(70));
	if (chance(8) == 0)
		put("	then = \"refuse\"\n");
}

/* put_stream - by the envelope or by a header */
static void
put_stream(const char *name, const char *narrow)
{
	static const char *const lines[] = { "sender:a@*", "sender:<>",
		"login:t1", "!login:t2", "listener:submission",
		"client:10.1.0.0/16", "recipient:*@example.org",
		"recipient:r1* sender:*@t1.example", "header:X-Stream",
		"header:X-Stream=bulk", "!header:X-Stream",
		"header:X-Stream=n?ws recipient:*@gmail.com" };
	static const char *const claims[] = { "{\"t1\", \"t2\", \"t3\"}",
		"{\"*@t1.example\", \"t1\"}" };

	put("	stream \"%s\" {\n	match = {\"%s\", \"%s\"}\n", name,
	    PICK(lines), PICK(lines));
	put("	claim = %s\n", PICK(claims));
	if (chance(2) == 0)
		put("	strip = \"yes\"\n");
	if (chance(8) == 0)
		put("	paused = \"list in review\"\n");
	put_values();
	if (chance(2) == 0)
		put_limit("plan", false);
	if (chance(2) == 0)
		put_limit(narrow, true);
	put("	}\n");
}

/* put_pools - two, one flowing over into the other; three addresses */
static void
put_pools(void)
{
	static const char *const selects[] = { "none", "header", "header",
		"sender" };
	static const char *const paths[] = { "defer", "ignore" };

	for (size_t i = 0; i < 2; i++) {
		put("pool \"p%zu\" {\n	select = \"%s\"  other_path = "
		    "\"%s\"\n", i, PICK(selects), PICK(paths));
		if (chance(2) == 0)
			put("	fair = \"tenant\"\n");
		if (i == 0 && chance(2) == 0)
			put("	overflow = \"p1\"\n");
		if (chance(2) == 0)
			put("	timezone = \"America/New_York\"\n");
		if (chance(2) == 0)
			put_limit("way", false);
		for (size_t j = 0; j < 2 - i; j++) {
			put("	address \"192.0.2.%zu\" { transport = "
			    "\"p%zu-%zu\"\n", 2 * i + j, i, j);
			if (chance(3) > 0)
				put_limit("day", false);
			put("	}\n");
		}
		put("}\n");
	}
}

/* put_routes - one pool or both */
static void
put_routes(void)
{
	if (chance(3) > 0)
		put("	pool \"p0\" { weight = %zu }\n", 1 + chance(5));
	if (chance(3) == 0)
		put("	pool \"p1\" { weight = %zu }\n", 1 + chance(5));
}

/* put_tenant - "t1" with its domain, and a key more often than not */
static void
put_tenant(size_t i, bool streams)
{
	static const char *const keys[] = { "acme.rsa", "acme.rsa",
		"acme.rsa", "odd.rsa" };

	put("tenant \"t%zu\" {\n	logins = {\"t%zu\", \"*@t%zu.example\"}\n"
	    "	clients = {\"10.%zu.0.0/16\"}\n"
	    "	domains = {\"t%zu.example\", \"*.t%zu.example\"}\n"
	    "	bounce_domain = \"b%zu.example\"\n", i, i, i, i, i, i, i);
	if (chance(2) == 0)
		put("	group = \"g%zu\"\n", chance(2));
	if (chance(2) == 0)
		put("	class = \"c%zu\"\n", chance(2));
	if (chance(3) == 0)
		put("	timezone = \"Asia/Tokyo\"\n");
	if (chance(8) == 0)
		put("	paused = \"invoice %zu\"\n", i);
	if (chance(2) == 0)
		put("	contact = \"help@t%zu.example\"\n", i);
	if (chance(2) == 0)
		put_routes();
	put_values();
	for (size_t n = chance(3); n > 0; n--)
		put_limit(n == 1 ? "own" : "own2", true);
	if (streams && chance(2) == 0)
		put_stream("mine", "narrow");
	if (chance(3) > 0)
		put("	dkim \"s1\" { domain = \"t%zu.example\"  key = \"%s\" }"
		    "\n", i, PICK(keys));
	put("}\n");
}

/* random_policy - the same text for the same number */
static const char *
random_policy(uint64_t number)
{
	bool streams;

	texts = number % 2 == 0;
	dice = number * UINT64_C(0x2545f4914f6cdd1d);
	streams = chance(4) > 0;
	policy_len = 0;
	put("unknown_sender = \"%s\"\n", chance(2) == 0 ? "defer" : "refuse");
	put("timezone = \"%s\"\n", chance(2) == 0 ? "UTC" : "Europe/Madrid");
	if (chance(2) == 0)
		put("trusted { clients = {\"192.0.2.0/24\"}"
		    "  identify = \"from-domain\" }\n");
	if (chance(2) == 0)
		put("claim \"X-Tenant\" { logins = {\"api\"}%s }\n",
		    chance(2) == 0 ? "  tenants = {\"t1\", \"t2\"}" : "");
	if (chance(2) == 0)
		put("auto_tenant { by = \"login-domain\"  class = \"c1\"%s }\n",
		    chance(2) == 0 ? "  group = \"g0\"" : "");
	put_values();
	put_pools();
	if (chance(2) == 0)
		put_limit("house", true);
	if (streams && chance(2) == 0)
		put_stream("news", "wide");
	for (size_t i = 0; i < 2; i++) {
		put("group \"g%zu\" {\n", i);
		if (chance(6) == 0)
			put("	paused = \"stopped\"\n");
		put_limit("shared", true);
		put_values();
		put("}\n");
	}
	for (size_t i = 0; i < 2; i++) {
		put("class \"c%zu\" {\n", i);
		if (i == 1 && chance(2) == 0)
			put("	extends = \"c0\"\n");
		put_routes();
		put_limit("plan", false);
		if (chance(2) == 0)
			put_limit(i == 0 ? "more0" : "more1", true);
		put_values();
		if (streams && chance(2) == 0)
			put_stream(chance(2) == 0 ? "bulk" : "news", i == 0 ?
			    "narrow0" : "narrow1");
		put("}\n");
	}
	for (size_t i = 1; i <= 4; i++)
		put_tenant(i, streams);
	return policy_made;
}

/* random_step - how much later the next message comes, us; apart: a
 * minute at least */
static int64_t
random_step(bool apart)
{
	static const int64_t seconds[] = { 0, 1, 7, 60, 600, 4000, 40000 };

	return ((apart ? 61 : 0) + PICK(seconds)) * INT64_C(1000000) +
	    (int64_t)chance(1000000);
}

/* random_body - LF in the text, CRLF as the gate hears it */
static void
random_body(struct facts *f, char *text, size_t room)
{
	size_t n = 0, m = 0;

	for (size_t lines = chance(20); lines > 0; lines--) {
		m += (size_t)snprintf(text + m, room - m, "line %zu\n",
		    lines);
		n += (size_t)snprintf(f->body + n, sizeof(f->body) - n,
		    "line %zu\r\n", lines);
	}
	f->body[n] = text[m] = '\0';
}

/* random_size - what SIZE= tells: nothing, the truth, or (not honest) any */
static int64_t
random_size(const struct facts *f, bool honest)
{
	int64_t size = 0;

	if (chance(2) == 0)
		return 0;
	for (const char *p = f->text; *p != '\0'; p++)
		size += *p == '\n' ? 2 : 1;
	return honest ? size : (int64_t)chance(5000);
}

/* random_facts - mostly sensible, often not */
static void
random_facts(struct facts *f, bool honest)
{
	static const char *const logins[] = { "t1", "t2", "t3", "t4", "t1",
		"t2", "x@t1.example", "y@t3.example", "nobody", "api", "api",
		"z@elsewhere.example", "z@elsewhere.example", NULL, NULL };
	static const char *const clients[] = { "203.0.113.5", "203.0.113.5",
		"10.1.2.3", "10.3.0.9", "192.0.2.77" };
	static const char *const senders[] = { "<a@t1.example>",
		"<b@t2.example>", "<c@sub.t3.example>", "<d@t4.example>",
		"<>", "<e@b1.example>", "<f@elsewhere.example>", "<broken" };
	static const char *const froms[] = { "a@t1.example",
		"B <b@t2.example>", "c@sub.t3.example", "d@t4.example",
		"a@t1.example, b@t1.example", "f@elsewhere.example",
		"not an address" };
	static const char *const domains[] = { "gmail.com", "outlook.com",
		"example.org", "example.net" };
	static const char *const transports[] = { "smtp", "smtp", "smtp",
		"smtp", "lmtp" };
	static const char *const more[] = { "", "", "",
		"Sender: s@t1.example\n", "X-Penstock-Pool: forged\n",
		"X-Stream: bulk\n", "X-Stream: news\n",
		"X-Tenant: t1\n", "X-Tenant: t3\n",
		"Subject: folded\n over\n lines\n" };
	size_t who = chance(8);
	char body[2048];

	memset(f, 0, sizeof(*f));
	/* seven of eight: one tenant throughout, by the same index */
	f->login = who < 4 ? logins[who] : PICK(logins);
	f->sender = who < 4 ? senders[who] : PICK(senders);
	f->listener = chance(3) == 0 ? "submission" : "smtpd";
	f->client.sin_family = AF_INET;
	inet_pton(AF_INET, PICK(clients), &f->client.sin_addr);
	f->nrcpts = 1 + chance(chance(4) == 0 ? FACTS_RCPTS : 3);
	for (size_t i = 0; i < f->nrcpts; i++) {
		snprintf(f->rcpts[i], sizeof(f->rcpts[i]), "<r%zu@%s>",
		    chance(50), PICK(domains));
		f->transports[i] = PICK(transports);
	}
	if (chance(40) == 0)
		snprintf(f->rcpts[0], sizeof(f->rcpts[0]), "<nonsense");
	random_body(f, body, sizeof(body));
	snprintf(f->text, sizeof(f->text), "From: %s\n%s%s\n%s",
	    who < 4 ? froms[who] : PICK(froms), PICK(more), PICK(more),
	    body);
	f->size = random_size(f, honest);
}

#endif
