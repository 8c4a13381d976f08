/*
 * report_fill - stores with a story, for the tests of `penstock report`.
 *
 *	report_fill DIR [TENANTS]
 *
 * makes DIR/watch, DIR/gate and DIR/outcomes with 58 weeks of mail until
 * 2026-11-23, always the same.  Tenant acme bought a list two weeks ago, and
 * sent six times its mail on one Thursday; initech is refused by one provider;
 * globex is well; umbrella sends too little to be judged, under a domain and
 * with replies that would like to be markup.  With TENANTS there are so many
 * more small ones, whose names are as long as names may be.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/clock.h"
#include "lib/date.h"
#include "lib/fold.h"
#include "lib/provider.h"
#include "lib/store_warm.h"
#include "policy/adapt.h"
#include "policy/progress.h"
#include "policy/subject.h"
#include "reputation/dmarc.h"
#include "reputation/outcome.h"
#include "reputation/score.h"
#include "reputation/snapshot.h"

#define MAP	(UINT64_C(1) << 30)
#define WEEKS	58

static struct why why;
static int32_t last;		/* the Monday that has begun */

/* must - or the end */
static void
must(int rc)
{
	if (rc != -1)
		return;
	fprintf(stderr, "report_fill: %s\n", why.text);
	exit(1);
}

/* noise - between -1 and 1, of a day and whatever else; always the same */
static double
noise(const char *what, int32_t day)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "%s %d", what, day);

	return (double)(hash_id("noise", (struct slice){ text, (size_t)n }) %
	    20001) / 10000.0 - 1;
}

/* some - so much of n, a little more or less */
static uint64_t
some(uint64_t n, double share, const char *what, int32_t day)
{
	double d = (double)n * share * (1 + 0.25 * noise(what, day));

	return d <= 0 ? 0 : (uint64_t)(d + 0.5);
}

struct flow {			/* who sends what by which way */
	const char	*group, *tenant, *domain, *stream, *pool, *address;
	uint64_t	a_day;
	int		from_week;	/* weeks before the end; 0: always */
};
/* clang-format off */
static const struct flow flows[] = {
	{ "agency7", "acme", "acme.example", "marketing", "b2b", "192.0.2.10", 5200, 0 },
	{ "agency7", "acme", "mail.acme.example", "transactional", "relay", "198.51.100.7", 700, 0 },
	{ "agency7", "globex", "globex.example", "marketing", "b2b", "192.0.2.10", 3400, 0 },
	{ "agency7", "globex", "globex.example", "marketing", "b2b", "192.0.2.11", 260, 4 },
	{ "", "initech", "initech.example", "default", "relay", "198.51.100.7", 1900, 0 },
	{ "", "initech", "initech.example", "default", "relay", "2001:db8:25::a:1", 800, 30 },
	{ "", "umbrella", "<b onload=\"x()\">&umbrella.example", "default", "", "", 9, 0 },
};
static const struct { const char *name; double part; bool reports; } providers[] = {
	{ "google", 0.42, false }, { "office365", 0.2, false },
	{ "outlook", 0.14, true }, { "yahoo", 0.11, true },
	{ "gmx_webde", 0.05, false }, { "other", 0.08, false },
};
/* clang-format on */
enum { PROVIDERS = sizeof(providers) / sizeof(providers[0]),
	FLOWS = sizeof(flows) / sizeof(flows[0]) };

/* Shares of what goes wrong. */
struct wrongs { double hard, blocked, deferred, slow, complaints; };

/* wrongs_of - the story */
static struct wrongs
wrongs_of(const struct flow *f, const char *provider, int32_t day)
{
	struct wrongs w = { 0.004, 0.0008, 0.02, 0.006, 0.0004 };
	int32_t ago = last - day;
	bool acme = strcmp(f->tenant, "acme") == 0;

	if (acme && strcmp(f->stream, "marketing") == 0 && ago <= 14) {
		w.hard = ago <= 7 ? 0.064 : 0.031;
		w.complaints = ago <= 7 ? 0.0045 : 0.002;
		w.deferred = 0.07;
		w.slow = 0.05;
	} else if (acme && ago > 150 && ago <= 190) {
		w.hard = 0.019;
	}
	if (strcmp(f->tenant, "initech") == 0 && ago <= 9 &&
	    strcmp(provider, "outlook") == 0) {
		w.blocked = 0.31;
		w.deferred = 0.2;
		w.slow = 0.18;
	}
	return w;
}

/* volume - of a flow on a day */
static uint64_t
volume(const struct flow *f, int32_t day)
{
	double n = (double)f->a_day;

	if (f->from_week > 0 && day < last - 7 * f->from_week)
		return 0;
	if (date_weekday(day) >= 5)
		n *= 0.22;
	if (strcmp(f->tenant, "acme") == 0 && last - day == 4)
		n *= 6;			/* the campaign */
	if (day == last)
		n *= 0.3;		/* the day is not over */
	return (uint64_t)(n * (1 + 0.12 * noise(f->domain, day)));
}

/* part - what of it went to one provider, and what became of that */
static void
part(struct db_txn *txn, const struct flow *f, int32_t day, size_t p,
    uint64_t all)
{
	const char *name = providers[p].name;
	struct wrongs w = wrongs_of(f, name, day);
	uint64_t n = some(all, providers[p].part, name, day);
	struct cell c = { .at = day, .group = slice_of(f->group),
	    .tenant = slice_of(f->tenant), .domain = slice_of(f->domain),
	    .stream = slice_of(f->stream), .pool = slice_of(f->pool),
	    .address = slice_of(f->address), .provider = slice_of(name) };
	uint64_t *t = c.n;

	if (n == 0)
		return;
	t[TALLY_ACCEPTED] = n;
	t[TALLY_MESSAGES] = n - n / 9;
	t[TALLY_BYTES] = t[TALLY_MESSAGES] * 18321;
	t[TALLY_HARD] = some(n, w.hard, "hard", day + (int32_t)p);
	t[TALLY_BLOCKED] = some(n, w.blocked, "blocked", day + (int32_t)p);
	t[TALLY_DEFERRED] = some(n, w.deferred, "deferred", day + (int32_t)p);
	t[TALLY_SLOW] = some(n, w.slow, "slow", day + (int32_t)p);
	if (t[TALLY_SLOW] > t[TALLY_DEFERRED])
		t[TALLY_SLOW] = t[TALLY_DEFERRED];
	t[TALLY_EXPIRED] = some(n, 0.0012, "expired", day + (int32_t)p);
	t[TALLY_DELIVERED] = n - t[TALLY_HARD] - t[TALLY_BLOCKED] -
	    t[TALLY_EXPIRED] - some(n, day >= last - 1 ? 0.02 : 0.002, "open",
	    day);
	t[TALLY_OPT_OUT] = some(n, 0.001, "optout", day + (int32_t)p);
	if (providers[p].reports) {
		t[TALLY_FEEDBACK] = t[TALLY_DELIVERED];
		t[TALLY_COMPLAINTS] = some(n, w.complaints, "complaints",
		    day + (int32_t)p);
	}
	must(rollup_put(txn, GRAIN_DAY, &c, &why));
}

/* crowd - small tenants, with names as long as they may be */
static void
crowd(struct db_txn *txn, int tenants)
{
	char tenant[80], domain[128];

	for (int i = 0; i < tenants; i++) {
		struct flow f = { "", tenant, domain, "default", "relay",
		    "198.51.100.7", 100 + (uint64_t)(i % 300), 0 };

		snprintf(tenant, sizeof(tenant), "t%05d-%.57s", i,
		    "a-name-that-is-as-long-as-the-name-of-a-tenant-may-ever-"
		    "be-x");
		snprintf(domain, sizeof(domain), "t%05d.example", i);
		for (int32_t day = last - 14; day < last; day++)
			part(txn, &f, day, (size_t)(i + day) % PROVIDERS,
			    volume(&f, day) * 3);
	}
}

/* --- what servers said ---------------------------------------------------- */

struct said { const char *tenant, *group, *kind, *category, *provider, *reply;
	uint64_t count; };
/* clang-format off */
static const struct said sayings[] = {
	{ "acme", "agency7", "bounced", "recipient_unknown", "google",
	  "550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos or unnecessary spaces. 550 5.1.1 https://support.google.com/mail/?p=NoSuchUser", 2104 },
	{ "initech", "", "bounced", "block_reputation", "outlook",
	  "550 5.7.1 Unfortunately, messages from [198.51.100.7] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).", 1012 },
	{ "acme", "agency7", "deferred", "rate_limit", "yahoo",
	  "421 4.7.0 [TSS04] Messages from 192.0.2.10 temporarily deferred due to unexpected volume or user complaints", 873 },
	{ "globex", "agency7", "bounced", "quota", "office365",
	  "552 5.2.2 <r@globex-customer.example>: mailbox full", 61 },
	{ "umbrella", "", "bounced", "unknown", "other",
	  "550 </td><script>alert('x')</script>\033[2J\"&<!-- \xff\xfe \xe2\x80\xae" "desrever", 2 },
};
/* clang-format on */
enum { SAYINGS = sizeof(sayings) / sizeof(sayings[0]) };

/* outcomes - a record of each saying, reports, and the categories */
static void
outcomes(const char *dir, struct db_txn *txn)
{
	int64_t noon = ((int64_t)last - 3) * CLOCK_DAY + 12 * CLOCK_HOUR;
	struct outcomes *o;
	char path[512];

	snprintf(path, sizeof(path), "%s/outcomes", dir);
	must(outcomes_open(&o, path, MAP, &why));
	must(outcomes_begin(o, &why));
	for (size_t i = 0; i < SAYINGS; i++) {
		const struct said *s = &sayings[i];
		struct outcome x = { .kind = *s->kind == 'b' ?
		    OUTCOME_BOUNCED : OUTCOME_DEFERRED, .delay = -1,
		    .time = noon + (int64_t)i * CLOCK_MINUTE,
		    .tenant = slice_of(s->tenant), .group = slice_of(s->group),
		    .provider = slice_of(s->provider),
		    .recipient = SLICE("r@customer.example"),
		    .reply = slice_of(s->reply),
		    .category = slice_of(s->category) };
		struct category_cell c = { .at = last - 3,
		    .group = slice_of(s->group), .tenant = slice_of(s->tenant),
		    .provider = slice_of(s->provider),
		    .kind = slice_of(s->kind),
		    .category = slice_of(s->category), .count = s->count };

		must(outcomes_add(o, &x, &why));
		c.last = x.seq;
		must(rollup_put_category(txn, GRAIN_DAY, &c, &why));
	}
	for (int i = 0; i < 3; i++) {
		static const char *const domains[] = { "acme.example",
		    "globex.example", "initech.example" };
		struct dmarc_report r = { .org = SLICE("google.com"),
		    .id = slice_of(domains[i]), .domain = slice_of(domains[i]),
		    .begin = noon, .end = noon + CLOCK_HOUR,
		    .came = noon + 2 * CLOCK_HOUR };
		struct dmarc_total ours = { .source = SLICE("192.0.2.10"),
		    .aligned = 9100 - 3000 * (uint64_t)i,
		    .dkim = 9000 - 3000 * (uint64_t)i, .spf = 2500 };
		struct dmarc_total theirs = { .source = SLICE("203.0.113.9"),
		    .failing = 40 * (uint64_t)(i + 1), .rejected = 12 };

		must(dmarc_begin(o, &r, &why));
		must(dmarc_add(o, &r, &ours, &why));
		must(dmarc_add(o, &r, &theirs, &why));
	}
	must(outcomes_commit(o, &why));
	outcomes_close(o);
}

/* --- a warmup ------------------------------------------------------------- */

/* decision - a day of it as an event; returns the day that follows */
static int
decision(struct store *s, int32_t date, int day, int64_t cap, int64_t used,
    int clean, struct warm_row *row, struct buf *sentence)
{
	struct adapt_count count = { .ended = (uint64_t)used,
	    .deferred = (uint64_t)used / 40, .arrived = 3 * (uint64_t)used,
	    .hard = day == 15 ? (uint64_t)used / 60 : (uint64_t)used / 400 };
	struct adapt_provider google = { .name = SLICE("google"),
	    .count = count };
	struct adapt_input in = { .date = date, .day = day, .days = 42,
	    .cap = cap, .used = used, .bulk = cap - cap / 10, .clean = clean,
	    .known = true, .providers = &google, .nproviders = 1 };
	struct event e = { .kind = EVENT_WARMUP, .count = 1,
	    .limit = SLICE("warmup"), .voids = row->seq, .pool = SLICE("b2b"),
	    .address = SLICE("192.0.2.11"), .rule = SLICE("policy.conf:9") };
	struct buf line = BUF_INIT, encoded = BUF_INIT;
	struct adapt_decision d;
	uint64_t seq;

	adapt(&in, &d);
	adapt_print(&in, &d, &line);
	buf_reset(sentence);
	adapt_say(&in, &d, sentence);
	e.text = buf_slice(&line);
	event_encode(&e, &encoded);
	must(store_append(s, buf_slice(&encoded), ((int64_t)date + 1) *
	    CLOCK_DAY + 10 * CLOCK_MINUTE, SLICE_NONE, &seq, &why));
	row->seq = seq;
	row->date = date + 1;
	row->used = date;
	row->clean = d.clean;
	row->day = d.day;
	row->rule = slice_of(adapt_rule_names[d.rule]);
	buf_free(&line);
	buf_free(&encoded);
	return d.day;
}

/* gate - the events of a warmup and its row */
static void
gate(const char *dir)
{
	struct warm_row row = { .name = SLICE("192.0.2.11"), .day = 1,
	    .started = last - 26, .key = { 7 } };
	struct buf sentence = BUF_INIT, bytes = BUF_INIT;
	struct store *s;
	char path[512];
	double cap;
	int day = 1;

	snprintf(path, sizeof(path), "%s/gate", dir);
	must(store_open(&s, path, MAP, &why));
	must(store_begin(s, &why));
	for (int32_t date = last - 26; date < last; date++) {
		cap = 50;
		for (int i = 1; i < day; i++)
			cap *= 1.094;
		day = decision(s, date, day, (int64_t)cap, (int64_t)(cap *
		    (date_weekday(date) >= 5 ? 0.42 : 0.86)), row.clean, &row,
		    &sentence);
	}
	row.inputs = buf_slice(&sentence);
	progress_encode(&row, &bytes);
	must(store_put_warm(s, row.key, buf_slice(&bytes), &why));
	must(store_commit(s, &why));
	store_close(s);
	buf_free(&sentence);
	buf_free(&bytes);
}

/* --- what providers say --------------------------------------------------- */

/* older - what was said of a domain some quarters ago */
static void
older(struct db_txn *txn, int quarter, int i)
{
	static const char *const domains[] = { "acme.example",
	    "globex.example", "initech.example" };
	int32_t end = last - 3 - 7 * 13 * quarter;
	struct snapshot s = { .provider = SLICE("google"),
	    .subject_type = SLICE("domain"), .subject = slice_of(domains[i]),
	    .metric = SLICE("spam_rate"), .unit = SLICE("share"),
	    .value = slice_of(i == 0 && quarter == 2 ? "0.0018" : "0.0004"),
	    .begin = end, .end = end, .taken = (end + 1) * CLOCK_DAY,
	    .fetched = (end + 1) * CLOCK_DAY, .source = SLICE("file") };

	must(snapshots_put(txn, WATCH_SNAPSHOTS, &s, &why));
}

/* snapshots - one figure, one bound, one refusal */
static void
snapshots(struct db_txn *txn)
{
	int64_t taken = ((int64_t)last - 2) * CLOCK_DAY;
	struct snapshot list[] = {
		{ .provider = SLICE("google"), .subject_type = SLICE("domain"),
		  .subject = SLICE("acme.example"),
		  .metric = SLICE("spam_rate"), .value = SLICE("0.0031"),
		  .unit = SLICE("share") },
		{ .provider = SLICE("microsoft"), .upper = true,
		  .subject_type = SLICE("address"),
		  .subject = SLICE("192.0.2.10"),
		  .metric = SLICE("complaint_rate"), .value = SLICE("0.001"),
		  .unit = SLICE("share") },
		{ .provider = SLICE("google"), .subject_type = SLICE("domain"),
		  .subject = SLICE("initech.example"),
		  .metric = SLICE("spam_rate"), .state = SNAPSHOT_NO_DATA,
		  .note = SLICE("no day of the period has a figure") },
	};

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		list[i].begin = last - 9;
		list[i].end = last - 3;
		list[i].taken = list[i].fetched = taken;
		list[i].source = SLICE("file");
		list[i].next = taken + 30 * CLOCK_DAY;
		must(snapshots_put(txn, WATCH_SNAPSHOTS, &list[i], &why));
	}
	for (int quarter = 1; quarter < 4; quarter++)
		for (int i = 0; i < 3; i++)
			older(txn, quarter, i);
}

/* moved - globex came from another group, and could not be asked about */
static void
moved(struct db_txn *txn)
{
	static const struct flow before = { "agency8", "globex",
	    "globex.example", "marketing", "b2b", "192.0.2.10", 900, 0 };
	struct snapshot s = { .provider = SLICE("google"),
	    .subject_type = SLICE("domain"),
	    .subject = SLICE("globex.example"),
	    .metric = SLICE(SNAPSHOT_WHOLE), .begin = last - 2,
	    .end = last - 2, .taken = ((int64_t)last - 1) * CLOCK_DAY,
	    .fetched = ((int64_t)last - 1) * CLOCK_DAY,
	    .source = SLICE("api"), .state = SNAPSHOT_NOT_AUTHORIZED,
	    .note = SLICE("/etc/google.json may be read by others") };

	for (int32_t day = last - 70; day < last - 42; day++)
		part(txn, &before, day, 0, volume(&before, day));
	must(snapshots_put(txn, WATCH_SNAPSHOTS, &s, &why));
}

/* --- all ------------------------------------------------------------------ */

/* warms - the address that is warming up */
static bool
warms(void *with, enum subject_kind kind, struct slice name)
{
	(void)with;
	return kind == SUBJECT_ADDRESS && slice_is(name, "192.0.2.11");
}

/* scores - each Monday, as penstock-alert would */
static void
scores(struct db *watch)
{
	struct score_sources sources = { .warming = warms };
	struct problems problems;
	struct arena *arena = arena_new(4096, 0);
	struct knots *knots;
	size_t n;

	problems_init(&problems, arena);
	if (knots_load(NULL, &knots, &problems, &why) != 1)
		exit(1);
	for (int32_t day = last - 7 * 52; day <= last; day += 7)
		must(scores_run(watch, &sources, knots, day, &n, &why));
	knots_free(knots);
	arena_free(arena);
}

int
main(int argc, char **argv)
{
	struct db_txn *txn;
	struct db *watch;
	char path[512];

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: report_fill DIR [TENANTS | moved]\n");
		return 2;
	}
	last = (int32_t)date_days(2026, 11, 23);
	must(provider_init(&why));
	must(fold_init(&why));
	(void)mkdir(argv[1], 0755);
	snprintf(path, sizeof(path), "%s/watch", argv[1]);
	must(watch_open(&watch, path, MAP, &why));
	must(db_begin(watch, true, &txn, &why));
	for (int32_t day = last - 7 * WEEKS; day <= last; day++)
		for (size_t i = 0; i < FLOWS; i++)
			for (size_t p = 0; p < PROVIDERS; p++)
				part(txn, &flows[i], day, p,
				    volume(&flows[i], day));
	if (argc == 3 && strcmp(argv[2], "moved") == 0)
		moved(txn);
	else if (argc == 3)
		crowd(txn, atoi(argv[2]));
	outcomes(argv[1], txn);
	snapshots(txn);
	must(db_commit(txn, &why));
	gate(argv[1]);
	scores(watch);
	db_close(watch);
	return 0;
}
