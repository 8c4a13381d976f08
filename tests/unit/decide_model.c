/*
 * The decision against a model that keeps its own books: random mail of three
 * tenants, many messages open at once, in streams by envelope and by header,
 * against caps that count apart by everything there is.  The model knows names
 * and sums, no keys, no meters and no claims.
 *
 *  1 Of no limit and value is more accepted than the cap.
 *  2 What the ledger says is spent is what the model added up.
 *  3 Who was turned away was turned away for a reason: what is spent, with all
 *    that open messages ask for, is more than the cap.
 *  4 When no message is open, nothing is reserved.
 *  5 The charges, replayed into an empty ledger, say the same.
 *
 * ROUNDS schedules (default 50) of 400 steps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/unit/charged.h"

#define STEPS	400
#define OPEN	6
#define RCPTS	8
#define SUMS	2048

static const char policy[] =
"cap \"house\" { limit = \"60/day\"  per = \"all\" }\n"
"cap \"into\" { limit = \"25/day\"  per = \"provider\" }\n"
"group \"g\" { cap \"group\" { limit = \"40/day\" }\n"
"  cap \"news\" { limit = \"9/day\"  per = {\"group\", \"sender_domain\"} } }\n"
"class \"c\" { cap \"own\" { limit = \"24/day\" }\n"
"  cap \"login\" { limit = \"10/day\"  per = \"login\" }\n"
"  cap \"place\" { limit = \"6/day\"  per = {\"login\", "
    "\"recipient_domain\"} }\n"
"  cap \"letters\" { limit = \"7/day\"  count = \"messages\" "
    "per = \"stream\" }\n"
"  stream \"e\" { match = {\"sender:e@*\"} }\n"
"  stream \"h\" { match = {\"header:X-H\"}\n"
"    cap \"own\" { limit = \"11/day\" } cap \"h\" { limit = \"8/day\" } }\n"
"}\n"
"tenant \"a\" { group = \"g\"  class = \"c\"  logins = {\"a\", \"*@a.example\"}\n"
"  domains = {\"a.example\", \"*.a.example\"} }\n"
"tenant \"b\" { group = \"g\"  class = \"c\"  logins = {\"*@b.example\"}\n"
"  domains = {\"b.example\"} }\n"
"tenant \"d\" { class = \"c\"  logins = {\"*@d.example\"}\n"
"  domains = {\"d.example\"} }\n";

static const char tenants[] = "abd";
static const char *const domains[] = { "gmail.com", "outlook.com",
	"one.example", "two.example" };
#define DOMAINS	(sizeof(domains) / sizeof(domains[0]))

struct sum {			/* "limit|values" and what was accepted */
	char		name[96];
	int64_t		most, spent, seen;
};

struct open {			/* a message under way, in the model's words */
	struct mail	 mail;
	struct arena	*arena;
	bool		 used, header;
	char		 tenant, login[32], sender[32];
	const char	*to[RCPTS];
	size_t		 n;
	unsigned	 from;	/* bits: x.example, sub.x.example */
};

static struct {
	struct open	open[OPEN];
	struct sum	sums[SUMS];
	size_t		nsums;
	struct ledger	*again;		/* for (5) */
	uint64_t	dice, seed;
	unsigned	step, accepted, turned;
} m;

static uint64_t
roll(uint64_t below)
{
	m.dice ^= m.dice << 13;
	m.dice ^= m.dice >> 7;
	m.dice ^= m.dice << 17;
	return (m.dice >> 11) % below;
}

static struct sum *
sum_of(const char *name, int64_t most)
{
	size_t i;

	for (i = 0; i < m.nsums; i++)
		if (strcmp(m.sums[i].name, name) == 0)
			return &m.sums[i];
	assert_true(m.nsums < SUMS);
	snprintf(m.sums[i].name, sizeof(m.sums[i].name), "%s", name);
	m.sums[i].most = most;
	m.nsums++;
	return &m.sums[i];
}

/* stream_of - which one it will be in; a header may still be unknown to the
 * gate, not to us */
static const char *
stream_of(const struct open *o)
{
	return o->sender[0] == 'e' ? "e" : o->header ? "h" : "default";
}

static const char *
provider(const char *domain)
{
	const char *name = provider_name(provider_of(slice_of(domain)));

	return name != NULL ? name : "";
}

/* add - n to the sum of that limit and these values */
static void
add(const char *limit, int64_t most, int64_t n, bool spend,
    const char *format, ...)
{
	char name[96], values[64];
	struct sum *s;
	va_list ap;

	va_start(ap, format);
	vsnprintf(values, sizeof(values), format, ap);
	va_end(ap);
	snprintf(name, sizeof(name), "%s|%s", limit, values);
	s = sum_of(name, most);
	if (spend)
		s->spent += n;
	else
		s->seen += n;
}

/* count - what a message is in every limit; spend, or only see */
static void
count(const struct open *o, bool spend)
{
	const char *stream = stream_of(o);
	bool h = stream[0] == 'h';
	unsigned bit;
	size_t i;

	for (i = 0; i < o->n; i++) {
		add("house", 60, 1, spend, "-");
		add("into", 25, 1, spend, "%s", provider(o->to[i]));
		add("own", h ? 11 : 24, 1, spend, h ? "%c.h" : "%c",
		    o->tenant);
		if (h)
			add("h", 8, 1, spend, "%c", o->tenant);
		add("login", 10, 1, spend, "%c %s", o->tenant, o->login);
		add("place", 6, 1, spend, "%c %s %s", o->tenant, o->login,
		    o->to[i]);
		if (o->tenant == 'd')
			continue;
		add("group", 40, 1, spend, "g");
		for (bit = 0; bit < 2; bit++)
			if ((o->from >> bit & 1) != 0)
				add("news", 9, 1, spend, "%c%u", o->tenant,
				    bit);
	}
	if (o->n > 0)
		add("letters", 7, 1, spend, "%c %s", o->tenant, stream);
}

/* a stream's own block of an inherited limit has a counter of the limit's own
 * outermost place: "own" of h counts with the tenant's */
static int64_t
own_spent(char tenant)
{
	char all[16], h[16];

	snprintf(all, sizeof(all), "own|%c", tenant);
	snprintf(h, sizeof(h), "own|%c.h", tenant);
	return sum_of(all, 24)->spent + sum_of(h, 11)->spent;
}

/* reason - is the limit that turned it away full for what is open? */
static void
reason(const struct answer *a, const struct open *self, const char *to)
{
	int64_t most = 0, want = 0, own;
	size_t i, n = a->limit->name.n;
	char h[16];

	if (slice_is(a->text, "") || a->limit == NULL)
		fail_msg("turned away without a limit");
	for (i = 0; i < m.nsums; i++)
		m.sums[i].seen = 0;
	for (i = 0; i < OPEN; i++)
		if (m.open[i].used && &m.open[i] != self)
			count(&m.open[i], false);
	if (to != NULL) {
		struct open more = *self;

		more.to[more.n++] = to;
		count(&more, false);
	} else
		count(self, false);
	/* full for one of its values is enough */
	for (i = 0; i < m.nsums; i++) {
		struct sum *s = &m.sums[i];

		if (strncmp(s->name, a->limit->name.p, n) != 0 ||
		    s->name[n] != '|')
			continue;
		if (s->spent + s->seen > s->most)
			return;
		want = s->spent + s->seen;
		most = s->most;
	}
	snprintf(h, sizeof(h), "own|%c.h", self->tenant);
	own = own_spent(self->tenant) + sum_of(h, 11)->seen;
	snprintf(h, sizeof(h), "own|%c", self->tenant);
	own += sum_of(h, 24)->seen;
	if (slice_is(a->limit->name, "own") && own > a->limit->most)
		return;
	/* of a shared cap one may hold a quarter, and one recipient */
	if (memmem(a->text.p, a->text.n, "open messages", 13) != NULL)
		return;
	fail_msg("seed %llu step %u: %.*s, but at most %lld of %lld",
	    (unsigned long long)m.seed, m.step, SLICE_ARG(a->text),
	    (long long)want, (long long)most);
}

static void
forget(struct open *o)
{
	decide_abort(&o->mail);
	memset(&o->mail, 0, sizeof(o->mail));
	arena_reset(o->arena);
	o->used = false;
}

static void
begin(struct open *o)
{
	static const char who[] = "xyz";
	struct answer a;
	char path[64];

	forget(o);
	o->tenant = tenants[roll(3)];
	snprintf(o->login, sizeof(o->login), "%c@%c.example", who[roll(3)],
	    o->tenant);
	snprintf(o->sender, sizeof(o->sender), "%c@%c.example",
	    roll(3) == 0 ? 'e' : 's', o->tenant);
	o->header = roll(2) == 0;
	o->from = o->tenant == 'a' ? 1 + (unsigned)roll(3) : 1;
	o->n = 0;
	snprintf(path, sizeof(path), "<%s>", o->sender);
	o->mail.policy = asked.policy;
	o->mail.ledger = asked.ledger;
	o->mail.arena = o->arena;
	o->mail.login = slice_of(o->login);
	o->mail.listener = SLICE("smtpd");
	o->mail.mail_from_text = arena_copy(o->arena, slice_of(path));
	assert_int_equal(decide_mail(&o->mail, asked.now, &a), VERDICT_PASS);
	o->used = true;
}

static void
recipient(struct open *o)
{
	const char *to = domains[roll(DOMAINS)];
	struct answer a;
	char path[64];

	if (!o->used || o->n == RCPTS - 1)
		return;
	snprintf(path, sizeof(path), "<r%llu@%s>",
	    (unsigned long long)roll(9), to);
	if (decide_rcpt(&o->mail, arena_copy(o->arena, slice_of(path)),
	    SLICE("smtp"), asked.now, &a) == VERDICT_PASS)
		o->to[o->n++] = to;
	else {
		m.turned++;
		reason(&a, o, to);
	}
}

/* spend - it is accepted: into the model, the ledger, and the one to replay */
static void
spend(struct open *o)
{
	struct claim *claim = &o->mail.claim;
	struct charge charges[64];
	size_t i;

	assert_true(claim->n < 64);
	for (i = 0; i < claim->n; i++)
		charges[i] = claim->asks[i].charge;
	ledger_settle(asked.ledger, charges, claim->n, true, ++asked.seq,
	    asked.now);
	assert_int_equal(ledger_replay(m.again, charges, claim->n, false,
	    asked.seq, asked.now), 0);
	memset(claim, 0, sizeof(*claim));
	count(o, true);
	for (i = 0; i < m.nsums; i++)
		if (m.sums[i].spent > m.sums[i].most)
			fail_msg("seed %llu step %u: %s has %lld of %lld",
			    (unsigned long long)m.seed, m.step,
			    m.sums[i].name, (long long)m.sums[i].spent,
			    (long long)m.sums[i].most);
	assert_true(own_spent(o->tenant) <= 24);
	m.accepted++;
}

static void
finish(struct open *o)
{
	char from[96];
	struct header_fact h[2] = { { SLICE("From"), SLICE_NONE },
		{ SLICE("X-H"), SLICE("1") } };
	struct answer a;

	if (!o->used || o->n == 0)
		return;
	snprintf(from, sizeof(from), "%s%s%s", (o->from & 1) != 0 ?
	    o->sender : "", o->from == 3 ? ", " : "", (o->from & 2) != 0 ?
	    "x@sub.a.example" : "");
	h[0].value = arena_copy(o->arena, slice_of(from));
	assert_int_equal(decide_headers(&o->mail, h, o->header ? 2 : 1,
	    asked.now, &a), VERDICT_PASS);
	if (!slice_is(o->mail.stream->name, stream_of(o)))
		fail_msg("want stream %s, got %.*s", stream_of(o),
		    SLICE_ARG(o->mail.stream->name));
	if (decide_message(&o->mail, 100, asked.now, &a) == VERDICT_PASS)
		spend(o);
	else {
		m.turned++;
		reason(&a, o, NULL);
	}
	forget(o);
}

/* told - what a ledger says of that limit and these facts */
static int64_t
told(struct ledger *l, char tenant, const char *limit,
    struct decide_facts f)
{
	struct ledger *keep = asked.ledger;
	char name[2] = { tenant, '\0' };
	int64_t used, reserved;

	asked.ledger = l;
	used = used_by(name, limit, &f, &reserved);
	asked.ledger = keep;
	assert_int_equal(reserved, 0);
	return used;
}

/* compare - what the ledgers say with what the model says */
static void
compare(const char *sum, char tenant, const char *limit,
    struct decide_facts f)
{
	int64_t want = sum_of(sum, INT64_MAX)->spent, got, again;

	if (strcmp(limit, "own") == 0)
		want = own_spent(tenant);
	got = told(asked.ledger, tenant, limit, f);
	again = told(m.again, tenant, limit, f);
	if (got != want || again != want)
		fail_msg("seed %llu: %s: want %lld, got %lld, after a replay "
		    "%lld", (unsigned long long)m.seed, sum, (long long)want,
		    (long long)got, (long long)again);
}

static void
compare_all(void)
{
	char sum[96], login[32];
	size_t i, j;
	char t;

	for (i = 0; (t = tenants[i]) != '\0'; i++) {
		struct decide_facts f = { .provider = DECIDE_ALL };

		compare("house|-", t, "house", f);
		snprintf(sum, sizeof(sum), "own|%c", t);
		compare(sum, t, "own", f);
		snprintf(sum, sizeof(sum), "letters|%c default", t);
		compare(sum, t, "letters", f);
		snprintf(login, sizeof(login), "x@%c.example", t);
		f.login = slice_of(login);
		snprintf(sum, sizeof(sum), "login|%c %s", t, login);
		compare(sum, t, "login", f);
		for (j = 0; j < DOMAINS; j++) {
			f.recipient_domain = slice_of(domains[j]);
			snprintf(sum, sizeof(sum), "place|%c %s %.*s", t,
			    login, SLICE_ARG(f.recipient_domain));
			compare(sum, t, "place", f);
			f.provider = provider_of(f.recipient_domain);
			snprintf(sum, sizeof(sum), "into|%s",
			    provider(domains[j]));
			compare(sum, t, "into", f);
		}
		if (t == 'd')
			continue;
		compare("group|g", t, "group", f);
		snprintf(sum, sizeof(sum), "%c.example", t);
		f.sender_domain = arena_copy(asked.texts, slice_of(sum));
		snprintf(sum, sizeof(sum), "news|%c0", t);
		compare(sum, t, "news", f);
	}
}

static void
schedule(uint64_t seed)
{
	struct ledger_stat stat;
	struct open *o;
	size_t i;

	ledger_free(asked.ledger);
	assert_non_null(asked.ledger = ledger_new());
	assert_non_null(m.again = ledger_new());
	m.seed = seed;
	m.dice = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	m.nsums = 0;
	memset(m.sums, 0, sizeof(m.sums));
	for (m.step = 0; m.step < STEPS; m.step++) {
		o = &m.open[roll(OPEN)];
		switch (roll(10)) {
		case 0: case 1:
			if (!o->used)
				begin(o);
			break;
		case 2:
			finish(o);
			break;
		case 3:
			if (roll(4) == 0)
				forget(o);	/* RSET */
			break;
		default:
			recipient(o);
		}
	}
	for (i = 0; i < OPEN; i++)
		forget(&m.open[i]);
	ledger_stat(asked.ledger, &stat);
	assert_int_equal(stat.claims, 0);
	compare_all();
	ledger_free(m.again);
	arena_reset(asked.texts);
}

static void
it_says_what_the_books_say(void **state)
{
	const char *rounds = getenv("ROUNDS");
	long i, n = rounds != NULL ? atol(rounds) : 50;

	(void)state;
	for (i = 0; i < OPEN; i++)
		m.open[i].arena = arena_new(1 << 14, 0);
	for (i = 1; i <= n; i++)
		schedule((uint64_t)i);
	for (i = 0; i < OPEN; i++)
		arena_free(m.open[i].arena);
	print_message("%u messages accepted, %u turned away or recipients of "
	    "them\n", m.accepted, m.turned);
	assert_true(m.accepted > n * 5 && m.turned > n * 5);
}

static int
setup(void **state)
{
	(void)state;
	asked_begin(policy);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	asked_end();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_says_what_the_books_say,
		    setup, teardown),
	};

	return cmocka_run_group_tests_name("decide_model", tests, files_keys,
	    files_no_keys);
}
