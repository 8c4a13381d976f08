/*
 * score_say - the points of a score in the sentences of a person.
 *
 * Only what has points is told: everything else is fine, and a list of what is
 * fine hides what is not.
 */
#include "reputation/score.h"

#include <stdio.h>

/* clang-format off */
static const struct {
	const char	*what, *of;
} words[SIGNALS] = {
	[SIGNAL_COMPLAINT] = { "complaints", "where they are reported" },
	[SIGNAL_BOUNCE] = { "hard bounces", "recipients" },
	[SIGNAL_BLOCK] = { "blocked for reputation, content or authentication",
	    "recipients" },
	[SIGNAL_DEFERRAL] = { "asked to slow down", "recipients" },
	[SIGNAL_UNSUB] = { "unsubscribes", "accepted" },
};
/* clang-format on */

/* score_number - in groups of three digits */
void
score_number(struct buf *out, uint64_t n)
{
	char digits[32];
	int len = snprintf(digits, sizeof(digits), "%llu",
	    (unsigned long long)n);

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			buf_char(out, ',');
		buf_char(out, digits[i]);
	}
}

/* halves - a count in halves, in whole ones: nobody wrote to half a person */
static void
halves(struct buf *out, uint64_t n2)
{
	score_number(out, n2 / 2 + n2 % 2);
}

/* more - "; a and b" of the rules that were broken */
static void
more(struct buf *out, const char **link, unsigned n, const char *one,
    const char *many)
{
	if (n == 0)
		return;
	buf_printf(out, "%s%u %s", *link, n, n == 1 ? one : many);
	*link = ", ";
}

/* rules - of the house */
static void
rules(const struct score_input *in, struct buf *out)
{
	const char *link = "rules of the house: ";

	more(out, &link, in->confirmed, "trap that an operator confirmed",
	    "traps that an operator confirmed");
	more(out, &link, in->major, "day with many refusals of senders that "
	    "are not theirs", "days with many refusals of senders that are "
	    "not theirs");
	more(out, &link, in->minor, "day with refused senders that are not "
	    "theirs", "days with refused senders that are not theirs");
}

/* score_say - why a signal has points */
void
score_say(const struct score_input *in, const struct score *s,
    enum signal signal, struct buf *out)
{
	double low = s->low[signal] * 100.0;

	if (!(s->points[signal] > 0.0))
		return;
	if (signal == SIGNAL_POLICY) {
		rules(in, out);
		return;
	}
	if (signal == SIGNAL_VOLUME) {
		buf_printf(out, "volume: a day %.1f times as far above the "
		    "same weekdays before as those usually differ",
		    in->volume);
		return;
	}
	buf_printf(out, low < 1.0 ? "%s: at least %.2f %% (" :
	    "%s: at least %.1f %% (", words[signal].what, low);
	halves(out, in->x2[signal]);
	buf_str(out, " of ");
	halves(out, in->n2[signal]);
	buf_printf(out, " %s)", words[signal].of);
}
