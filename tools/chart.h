/*
 * chart - pictures for a page: SVG that stands in the HTML, without scripts.
 *
 * A chart knows nothing of mail: it gets numbers and names.  Each has a title
 * and a description, which a screen reader says; colours are classes of the
 * page's style, and what differs in colour differs in shape or pattern, too.
 * The same numbers give the same bytes.
 * Foreign text is escaped here (markup_text).   Threads: any.
 */
#ifndef TOOLS_CHART_H
#define TOOLS_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/buf.h"

/* A stranger's text between tags or in quotes: no markup, no bytes that are
 * no UTF-8, nothing that turns the direction of a line. */
void	markup_text(struct buf *, struct slice);
void	markup_str(struct buf *, const char *);

struct chart {
	struct buf	*b;
	double		 wide, high;	/* of all */
	double		 left, right, top, bottom;	/* the plot's edges */
	double		 most;		/* at its top */
};

/* id: of letters, once in a page. */
void	chart_begin(struct chart *, struct buf *, const char *id,
	    const char *title, const char *desc, double wide, double high);
void	chart_end(const struct chart *);
void	chart_label(const struct chart *, double x, double y,
	    const char *class, const char *anchor, const char *fmt, ...)
	    __attribute__((format(printf, 6, 7)));
/* A number that a scale may end with, and whose quarters are easy to read. */
double	chart_nice(double most);
double	chart_y(const struct chart *, double value);

struct chart_days {		/* charts whose width is time */
	int32_t		 from;		/* days since 1970 */
	size_t		 n;
	size_t		 now;		/* the last so many are shaded */
};
/* The middle of a day; where it begins. */
double	chart_x(const struct chart *, const struct chart_days *, size_t at);
double	chart_x0(const struct chart *, const struct chart_days *, size_t at);
void	chart_time(const struct chart *, const struct chart_days *);

/* --- kinds of charts ------------------------------------------------------ */
struct chart_part {		/* of a bar */
	const char	*class;
	const uint64_t	*values;	/* [days] */
};
void	chart_stack(struct buf *, const char *id, const char *title,
	    const char *desc, const struct chart_days *,
	    const struct chart_part *, size_t parts, const bool *marked);

struct chart_point { double low, at, high; bool known; };	/* shares */
struct chart_line { double at; const char *label; };
void	chart_band(struct buf *, const char *id, const char *title,
	    const char *desc, const struct chart_days *,
	    const struct chart_point *, const struct chart_line *, size_t n);

/* Cells of a year: level 0 nothing, 1 (good) .. 4 (bad). */
struct chart_strip { struct slice kind, name; const uint8_t *levels; };
void	chart_strips(struct buf *, const char *id, const char *title,
	    const char *desc, int32_t last, size_t weeks,
	    const struct chart_strip *, size_t n);

/* Steps that add up, against cuts. */
struct chart_step { const char *name; double points; };
void	chart_fall(struct buf *, const char *id, const char *title,
	    const char *desc, const struct chart_step *, size_t n,
	    const double cuts[3], int level);

/* Two shares of a day: one as a line, from low (at the bottom) to 1; the other
 * as a broken line from 0, a percent being as high as of the first. */
void	chart_small(struct buf *, const char *id, const char *title,
	    const char *desc, const struct chart_days *,
	    const struct chart_point *, const struct chart_point *,
	    double target, double low);

struct chart_mark { int32_t day; double cap, used; const char *rule;
	bool back; };
void	chart_curve(struct buf *, const char *id, const char *title,
	    const char *desc, const struct chart_mark *, size_t n);

#endif
