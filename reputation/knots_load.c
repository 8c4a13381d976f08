/*
 * knots_load - the language of conf/reputation.conf.
 *
 *	lower_bound = "1.2816"
 *	signal "complaint" { knots = {"0.05 %: 0", "0.10 %: 10"} }
 *	policy   { minor = 5  minor_most = 15  many = 100  major = 25
 *	           confirmed = 50 }
 *	evidence { events = 3  points = 5  recipients = 200  confident = 1000 }
 *	tiers    { watch = 10  at_risk = 25  critical = 50 }
 *	fall     { margin = 5  weeks = 2 }
 *	targets "warm" { bounce = "1 %"  complaint = "0.1 %"
 *	           delivered = "95 %" }
 *
 * Everything has to be there.  A default that stands elsewhere would judge
 * people by a number which who reads the file does not see, and a signal that
 * was forgotten would be a sender without bounces.
 *
 * Shares are read as whole millionths of a percent, so that 0.1 % is the same
 * number wherever and however it is written.
 */
#include "reputation/knots.h"

#include <stdlib.h>

#include "lib/keyword.h"
#include "lib/scan.h"
#include "lib/text.h"

enum word { WORD_SIGNAL, WORD_KNOTS, WORD_BOUND, WORD_POLICY, WORD_EVIDENCE,
	WORD_TIERS, WORD_FALL, WORD_TARGETS, WORD_MINOR, WORD_MINOR_MOST,
	WORD_MANY, WORD_MAJOR, WORD_CONFIRMED, WORD_EVENTS, WORD_POINTS,
	WORD_RECIPIENTS, WORD_CONFIDENT, WORD_WATCH, WORD_AT_RISK,
	WORD_CRITICAL, WORD_MARGIN, WORD_WEEKS, WORD_BOUNCE, WORD_COMPLAINT,
	WORD_DELIVERED };
enum { IN_FILE = 1, IN_SIGNAL = 2, IN_POLICY = 4, IN_EVIDENCE = 8,
	IN_TIERS = 16, IN_FALL = 32, IN_TARGETS = 64 };

#define MILLION		1000000
#define Z_MOST		(4 * MILLION)
#define SPREAD_MOST	(1000 * INT64_C(1000000))	/* of a volume knot */
#define COUNT_MOST	1000000000

static const char *const where_names[] = { "the file", "signal", "policy",
	"evidence", "tiers", "fall", "targets" };

/* clang-format off */
static const struct keyword rows[] = {
	{ "signal", KEYWORD_BLOCK, IN_FILE, WORD_SIGNAL, .titles = 1,
	  .help = "what of a sender gives points" },
	{ "knots", KEYWORD_SET, IN_SIGNAL, WORD_KNOTS,
	  .help = "\"0.10 %: 10\": shares and their points, ascending" },
	{ "lower_bound", KEYWORD_STRING, IN_FILE, WORD_BOUND,
	  .help = "z of the lower bound: \"1.2816\" is 90 %" },
	{ "policy", KEYWORD_BLOCK, IN_FILE, WORD_POLICY,
	  .help = "points of what broke a rule of the house" },
	{ "minor", KEYWORD_NUMBER, IN_POLICY, WORD_MINOR, .most = 100,
	  .help = "points of a day with refusals" },
	{ "minor_most", KEYWORD_NUMBER, IN_POLICY, WORD_MINOR_MOST,
	  .most = 100, .help = "points of all such days" },
	{ "many", KEYWORD_NUMBER, IN_POLICY, WORD_MANY, .least = 2,
	  .most = COUNT_MOST, .help = "refusals that make a day a major one" },
	{ "major", KEYWORD_NUMBER, IN_POLICY, WORD_MAJOR, .most = 100,
	  .help = "points of a major day" },
	{ "confirmed", KEYWORD_NUMBER, IN_POLICY, WORD_CONFIRMED, .most = 100,
	  .help = "points of a trap" },
	{ "evidence", KEYWORD_BLOCK, IN_FILE, WORD_EVIDENCE,
	  .help = "how much has to be known" },
	{ "events", KEYWORD_NUMBER, IN_EVIDENCE, WORD_EVENTS, .least = 1,
	  .most = 1000, .help = "fewer in a signal are little evidence" },
	{ "points", KEYWORD_NUMBER, IN_EVIDENCE, WORD_POINTS, .most = 100,
	  .help = "the most that little evidence gives" },
	{ "recipients", KEYWORD_NUMBER, IN_EVIDENCE, WORD_RECIPIENTS,
	  .least = 1, .most = COUNT_MOST,
	  .help = "fewer in a week are insufficient data" },
	{ "confident", KEYWORD_NUMBER, IN_EVIDENCE, WORD_CONFIDENT,
	  .least = 1, .most = COUNT_MOST,
	  .help = "fewer in both weeks: confidence is low" },
	{ "tiers", KEYWORD_BLOCK, IN_FILE, WORD_TIERS,
	  .help = "points at which they begin" },
	{ "watch", KEYWORD_NUMBER, IN_TIERS, WORD_WATCH, .least = 1,
	  .most = 100, .help = "below is Healthy" },
	{ "at_risk", KEYWORD_NUMBER, IN_TIERS, WORD_AT_RISK, .least = 1,
	  .most = 100, .help = "where At Risk begins" },
	{ "critical", KEYWORD_NUMBER, IN_TIERS, WORD_CRITICAL, .least = 1,
	  .most = 100, .help = "where Critical begins" },
	{ "fall", KEYWORD_BLOCK, IN_FILE, WORD_FALL,
	  .help = "when a tier is left downward" },
	{ "margin", KEYWORD_NUMBER, IN_FALL, WORD_MARGIN, .most = 100,
	  .help = "points below where the tier begins" },
	{ "weeks", KEYWORD_NUMBER, IN_FALL, WORD_WEEKS, .least = 1,
	  .most = 52, .help = "in a row, to fall by one tier" },
	{ "targets", KEYWORD_BLOCK, IN_FILE, WORD_TARGETS, .titles = 1,
	  .help = "what reports hold figures against" },
	{ "bounce", KEYWORD_STRING, IN_TARGETS, WORD_BOUNCE,
	  .help = "hard bounces, at most" },
	{ "complaint", KEYWORD_STRING, IN_TARGETS, WORD_COMPLAINT,
	  .help = "complaints where they are reported, at most" },
	{ "delivered", KEYWORD_STRING, IN_TARGETS, WORD_DELIVERED,
	  .help = "delivered, at least" },
};
/* clang-format on */

const struct keyword_table knots_keywords = { rows,
	sizeof(rows) / sizeof(rows[0]), where_names };

static const char *const phases[] = { "warm", "warming" };

struct loader {
	struct knots	*k;
	struct problems	*problems;
	bool		 signals[SIGNALS], targets[2];	/* seen */
	bool		 has[WORD_DELIVERED + 1];	/* in the file, once */
};

/* decimal - a number in millionths off the front of *s; false: none */
static bool
decimal(struct slice *s, int64_t *out)
{
	int64_t n = 0, unit = MILLION;
	size_t i = 0;
	bool any = false;

	for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++, any = true)
		if ((n = n * 10 + (s->p[i] - '0')) > COUNT_MOST)
			return false;
	n *= MILLION;
	if (any && i + 1 < s->n && s->p[i] == '.' && s->p[i + 1] >= '0' &&
	    s->p[i + 1] <= '9')
		for (i++; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++) {
			if (unit == 1)
				return false;
			unit /= 10;
			n += unit * (s->p[i] - '0');
		}
	*out = n;
	*s = slice_trim(slice_from(*s, i));
	return any;
}

/* percent - "0.1 %" off the front of *s, as a share */
static bool
percent(struct slice *s, double *share)
{
	int64_t n;

	if (!decimal(s, &n) || s->n == 0 || s->p[0] != '%' ||
	    n > INT64_C(100) * MILLION)
		return false;
	*s = slice_trim(slice_from(*s, 1));
	*share = (double)n / (100.0 * MILLION);
	return true;
}

/* read_knot - "0.10 %: 10", or "7: 10" of volume; false: said why */
static bool
read_knot(struct loader *l, enum signal signal, const struct value *v,
    struct knot *out)
{
	struct slice s = slice_trim(v->text);
	struct quoted q;
	int64_t n, points;
	bool good;

	if (signal != SIGNAL_VOLUME) {
		good = percent(&s, &out->at);
	} else {
		good = decimal(&s, &n) && n <= SPREAD_MOST;
		out->at = good ? (double)n / MILLION : 0.0;
	}
	if (good && s.n > 0 && s.p[0] == ':') {
		s = slice_trim(slice_from(s, 1));
		if (decimal(&s, &points) && s.n == 0 &&
		    points <= INT64_C(100) * MILLION) {
			out->points = (double)points / MILLION;
			return true;
		}
	}
	problem_error(l->problems, v->at, "expected a knot such as %s, with "
	    "at most 100 points, found %s", signal == SIGNAL_VOLUME ?
	    "\"7: 10\"" : "\"0.10 %: 10\"", text_quote(v->text, &q));
	return false;
}

/* read_knots - of a signal: ascending in both */
static void
read_knots(struct loader *l, enum signal signal, const struct value *v)
{
	struct knot *c = l->k->curve[signal];
	size_t n = 0;
	struct quoted q;

	for (size_t i = 0; i < v->nitems; i++) {
		if (n == KNOTS_MOST) {
			problem_error(l->problems, v->items[i].at, "more than "
			    "%d knots", KNOTS_MOST);
			break;
		}
		if (!read_knot(l, signal, &v->items[i], &c[n]))
			continue;
		if (i == 0 && c[0].points > 0.0)
			problem_error(l->problems, v->items[0].at, "the first "
			    "knot has 0 points: what is less than it gives as "
			    "many");
		if (n > 0 && c[n].at <= c[n - 1].at)
			problem_error(l->problems, v->items[i].at, "%s is not "
			    "above the knot before it; they stand in order",
			    text_quote(v->items[i].text, &q));
		else if (n > 0 && c[n].points < c[n - 1].points)
			problem_error(l->problems, v->items[i].at, "%s has "
			    "less points than the knot before it: worse would "
			    "be better", text_quote(v->items[i].text, &q));
		n++;
	}
	if (v->nitems < 2)
		problem_error(l->problems, v->at, "a line needs two knots; "
		    "a signal without points is \"0 %%: 0\", \"100 %%: 0\"");
	l->k->ncurve[signal] = n;
}

/* number - of a row with bounds, which keyword_check has held */
static int64_t
number(const struct value *v)
{
	struct why why;
	int64_t n = 0;

	return scan_count(v->text, 0, COUNT_MOST, &n, &why) == 0 ? n : 0;
}

/* read_bound - z */
static void
read_bound(struct loader *l, const struct value *v)
{
	struct slice s = slice_trim(v->text);
	struct quoted q;
	int64_t n;

	if (!decimal(&s, &n) || s.n > 0 || n < MILLION / 10 || n > Z_MOST)
		problem_error(l->problems, v->at, "lower_bound: expected a "
		    "number from 0.1 to 4 such as \"1.2816\", which is 90 %%, "
		    "found %s", text_quote(v->text, &q));
	else
		l->k->z = (double)n / MILLION;
}

/* read_target - a share */
static void
read_target(struct loader *l, const struct keyword *row, const struct value *v,
    double *out)
{
	struct slice s = slice_trim(v->text);
	struct quoted q;

	if (!percent(&s, out) || s.n > 0)
		problem_error(l->problems, v->at, "%s: expected a share such "
		    "as \"0.1 %%\", found %s", row->name,
		    text_quote(v->text, &q));
}

/* read_setting - one line of a block */
static void
read_setting(struct loader *l, const struct keyword *row, const struct value *v,
    size_t block)
{
	struct knots *k = l->k;

	l->has[row->id] = true;
	switch ((enum word)row->id) {
	case WORD_KNOTS:
		read_knots(l, (enum signal)block, v);
		break;
	case WORD_MINOR: k->minor = (double)number(v); break;
	case WORD_MINOR_MOST: k->minor_most = (double)number(v); break;
	case WORD_MANY: k->many = (uint64_t)number(v); break;
	case WORD_MAJOR: k->major = (double)number(v); break;
	case WORD_CONFIRMED: k->confirmed = (double)number(v); break;
	case WORD_EVENTS: k->least_events = (unsigned)number(v); break;
	case WORD_POINTS: k->few_points = (double)number(v); break;
	case WORD_RECIPIENTS: k->least_recipients = (uint64_t)number(v); break;
	case WORD_CONFIDENT: k->confident = (uint64_t)number(v); break;
	case WORD_WATCH: k->watch = (double)number(v); break;
	case WORD_AT_RISK: k->at_risk = (double)number(v); break;
	case WORD_CRITICAL: k->critical = (double)number(v); break;
	case WORD_MARGIN: k->margin = (double)number(v); break;
	case WORD_WEEKS: k->calm_weeks = (unsigned)number(v); break;
	case WORD_BOUNCE:
	case WORD_COMPLAINT:
	case WORD_DELIVERED:
		read_target(l, row, v, &k->targets[block][row->id -
		    WORD_BOUNCE]);
		break;
	case WORD_SIGNAL: case WORD_BOUND: case WORD_POLICY:
	case WORD_EVIDENCE: case WORD_TIERS: case WORD_FALL: case WORD_TARGETS:
		break;
	}
}

/* lacking - settings of a block that are not in it */
static void
lacking(struct loader *l, const struct node *block, unsigned where)
{
	for (size_t i = 0; i < knots_keywords.n; i++)
		if (rows[i].where == where && !l->has[rows[i].id])
			problem_error(l->problems, block->at, "%.*s has no "
			    "%s; conf/reputation.conf shows one",
			    SLICE_ARG(block->name), rows[i].name);
}

/* read_block - its lines; block: which signal or phase it is of */
static void
read_block(struct loader *l, const struct node *node, unsigned where,
    size_t block)
{
	for (size_t i = 0; i < knots_keywords.n; i++)
		if (rows[i].where == where)
			l->has[rows[i].id] = false;
	keyword_duplicates(node->child, l->problems);
	for (const struct node *n = node->child; n != NULL; n = n->next) {
		const struct keyword *row = keyword_check(&knots_keywords, n,
		    where, l->problems);

		if (row != NULL)
			read_setting(l, row, &n->value, block);
		else
			for (size_t i = 0; i < knots_keywords.n; i++)
				if (slice_is(n->name, rows[i].name))
					l->has[rows[i].id] = true; /* said */
	}
	lacking(l, node, where);
}

/* titled - a block of a signal or of a phase */
static void
titled(struct loader *l, const struct node *node, unsigned where,
    const char *const *names, size_t n, bool *seen)
{
	const struct value *title = &node->titles[0];
	struct quoted q;
	size_t i;

	for (i = 0; i < n && !slice_is(title->text, names[i]); i++)
		;
	if (i == n) {
		problem_error(l->problems, title->at, where == IN_TARGETS ?
		    "targets are of \"warm\" or \"warming\", not of %s" :
		    "there is no signal %s; penstock-reputation(5) has them",
		    text_quote(title->text, &q));
		return;
	}
	seen[i] = true;
	read_block(l, node, where, i);
}

/* read_node - a statement of the file */
static void
read_node(struct loader *l, const struct node *n)
{
	const struct keyword *row = keyword_check(&knots_keywords, n, IN_FILE,
	    l->problems);

	if (row == NULL)
		return;
	l->has[row->id] = true;
	switch ((enum word)row->id) {
	case WORD_SIGNAL:
		titled(l, n, IN_SIGNAL, signal_names, SIGNAL_POLICY,
		    l->signals);
		break;
	case WORD_TARGETS:
		titled(l, n, IN_TARGETS, phases, 2, l->targets);
		break;
	case WORD_BOUND: read_bound(l, &n->value); break;
	case WORD_POLICY: read_block(l, n, IN_POLICY, 0); break;
	case WORD_EVIDENCE: read_block(l, n, IN_EVIDENCE, 0); break;
	case WORD_TIERS: read_block(l, n, IN_TIERS, 0); break;
	default: read_block(l, n, IN_FALL, 0); break;
	}
}

/* check_all - what is not there, and what does not go together */
static void
check_all(struct loader *l, struct place top, const struct node *tiers)
{
	const struct knots *k = l->k;

	for (size_t i = 0; i < knots_keywords.n; i++)
		if (rows[i].where == IN_FILE && !l->has[rows[i].id] &&
		    rows[i].titles == 0)
			problem_error(l->problems, top, "there is no %s; "
			    "conf/reputation.conf shows one", rows[i].name);
	for (int i = 0; i < SIGNAL_POLICY; i++)
		if (!l->signals[i])
			problem_error(l->problems, top, "there is no signal "
			    "\"%s\"; conf/reputation.conf shows one",
			    signal_names[i]);
	for (int i = 0; i < 2; i++)
		if (!l->targets[i])
			problem_error(l->problems, top, "there are no targets "
			    "\"%s\"; conf/reputation.conf shows them",
			    phases[i]);
	if (tiers != NULL && (k->watch >= k->at_risk ||
	    k->at_risk >= k->critical))
		problem_error(l->problems, tiers->at, "tiers rise: watch is "
		    "below at_risk, at_risk below critical");
}

/* knots_parse - a file in memory */
int
knots_parse(const char *file, struct slice text, struct knots **out,
    struct problems *problems, struct why *why)
{
	struct loader l = { .problems = problems };
	struct arena *arena = arena_new(1 << 14, 0);
	unsigned errors = problems->errors;
	const struct node *tiers = NULL;
	struct buf stored = BUF_INIT;
	int got = -1;

	*out = NULL;
	l.k = calloc(1, sizeof(*l.k));
	if (arena == NULL || l.k == NULL)
		goto out;
	struct node *tree = parse_text(arena, file, text, problems);
	keyword_duplicates(tree, problems);
	for (struct node *n = tree; n != NULL; n = n->next) {
		read_node(&l, n);
		if (slice_is(n->name, "tiers") && n->type == NODE_BLOCK)
			tiers = n;
	}
	check_all(&l, (struct place){ file, 1, 1 }, problems->errors == errors ?
	    tiers : NULL);
	knots_encode(l.k, &stored);
	if (buf_failed(&stored))
		goto out;
	hash_sha256(stored.data, stored.len, l.k->hash);
	got = problems->errors == errors;
	if (got == 1) {
		*out = l.k;
		l.k = NULL;
	}
out:
	if (got == -1)
		why_kind(why, WHY_MEMORY, "no memory for %s", file);
	knots_free(l.k);
	arena_free(arena);
	buf_free(&stored);
	return got;
}
