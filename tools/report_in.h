/*
 * report_in - what the files that make a report share; private to them.
 */
#ifndef TOOLS_REPORT_IN_H
#define TOOLS_REPORT_IN_H

#include "reputation/outcome.h"
#include "tools/report.h"

struct making {			/* a report on its way */
	struct report	*r;
	const struct report_stores *in;
	struct sums	*sums;
	struct map	*strangers;	/* names of domains and addresses that
					   others than the scope used, too */
	struct why	*why;
};

/* Each fills its part. Action. */
int	report_rows(struct making *);
int	report_scores(struct making *);
int	report_wrong(struct making *);
int	report_refusals(struct making *);
int	report_warmups(struct making *);
int	report_dmarc(struct making *);
int	report_officials(struct making *);

/* Has somebody outside of the scope used that name, too? */
bool	report_shared(const struct making *, enum subject_kind, struct slice);
/* A sentence in report.missing. */
void	report_lacks(struct report *, const char *);
bool	report_has(const struct making *, enum subject_kind, struct slice);

#endif
