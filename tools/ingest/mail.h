/*
 * mail - a message as its parts: the one door to GMime.
 *
 * Multiparts are flattened, in their order, with what they said of themselves;
 * a message inside of the message is one part and is not looked into: what a
 * stranger wrote there must not be taken for a report.  Transfer encodings are
 * undone, text is UTF-8 with LF ends.
 *
 * Bounded before GMime sees it: the first MAIL_BYTES and MAIL_LINES are read,
 * MAIL_BOUNDARIES lines may look like boundaries; GMime itself stops at a
 * depth of its own, and we at MAIL_DEPTH.
 * Ownership: everything lives in the arena.  Threads: mail_init once, before
 * others; then any.
 */
#ifndef TOOLS_INGEST_MAIL_H
#define TOOLS_INGEST_MAIL_H

#include <stdbool.h>
#include "lib/mem.h"
#include "lib/slice.h"
#include "lib/why.h"

#define MAIL_BYTES	(16u << 20)
#define MAIL_LINES	250000u
#define MAIL_LINE	(2u << 20)	/* bytes of one line, then it is cut */
#define MAIL_BOUNDARIES	10000u
#define MAIL_DEPTH	20u
#define MAIL_PARTS	200u
#define MAIL_SUBJECT	1000u	/* bytes of a subject */

struct mail_part {
	struct slice	type;		/* "text/plain", lower case */
	struct slice	name;		/* of the file; may be empty */
	struct slice	body;
	bool		text;		/* UTF-8 with LF ends */
};

struct mail {
	struct slice	head;		/* header fields, LF, as they came */
	struct slice	subject;	/* decoded; may be empty */
	struct slice	from;		/* address of the first From */
	struct slice	type;		/* of the whole: "multipart/report" */
	struct slice	report_type;	/* lower case; may be empty */
	struct mail_part *parts;
	size_t		 nparts;
	bool		 cut;		/* there was more than we look at */
};

void	mail_init(void);
/* Action: -1 without memory, or for a message that is made to hurt. */
int	mail_read(struct slice raw, struct arena *, struct mail *,
	    struct why *);
/* The first part of that type; NULL: none. */
const struct mail_part *mail_part(const struct mail *, const char *type);
/* The first text that a person would read; absent when there is none. */
struct slice mail_text(const struct mail *);

#endif
