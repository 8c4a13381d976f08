/*
 * work_in - what work.c and inventory.c share; nobody else includes it.
 */
#ifndef TOOLS_RELEASE_WORK_IN_H
#define TOOLS_RELEASE_WORK_IN_H

#include "lib/held.h"
#include "lib/map.h"
#include "lib/released.h"
#include "lib/store.h"
#include "tools/release/work.h"

enum { WORK_PAGE = ORDER_IDS };

struct file {				/* in hold/ */
	uint64_t	 inode;
	bool		 ours;		/* a row names it */
};

struct station {			/* one Postfix */
	const char	*instance;
	struct ask	*ask;
	bool		 listed;	/* in this round */
	bool		 down;		/* likewise: it does not answer */
	bool		 proven;	/* files of ours were in it */
	struct arena	*arena;		/* of files */
	struct map	*files;		/* queue id -> struct file */
};

struct watch {				/* a row whose file is looked for */
	uint64_t	 seq;
	int64_t		 missing;	/* mono, since when; 0: it is there */
};

struct work {
	const struct config *config;
	struct db	*db;
	struct store	*gate;		/* NULL: not there yet */
	char		*gate_dir;
	struct station	*stations;
	size_t		 nstations;
	void		(*wait)(void);
	struct arena	*arena;		/* of a page */
	struct buf	 said;
	int64_t		 gate_time;	/* what is decided before that is old
					   enough, plus WORK_AGE */
	int64_t		 beat;		/* the gate's last sign of life, */
	uint64_t	 last;		/* its last event, and */
	int64_t		 still;		/* mono, since when both stand */
	bool		 waits;
	bool		 down;		/* some station; why is the first's */
	struct why	 why;
	struct work_tally tally;
	/* inventory.c */
	int64_t		 looked;	/* mono, of the last one; 0: none */
	struct watch	*watches;	/* by sequence */
	size_t		 nwatches;
	char		*trouble;	/* as it stands in the store */
};

/* The Postfix of a row. */
struct station *work_station(struct work *, const struct held *);
/* It did not do what it was told: it is left alone until the next round, and
 * the others go on.  -1 when it is not its fault. */
int	work_down(struct work *, struct station *, const struct why *);
/* Its files, once a round. Action. */
int	work_list(struct work *, struct station *, struct why *);
/* The file of a row; NULL: not in hold/. */
struct file *work_file(const struct station *, const struct held *);
/* What is known of a row in release/: fetch each.  Texts in the arena. */
int	work_known(struct work *, const struct held *, struct released *,
	    bool *done, struct trying *, bool *tried, struct why *);

int	work_inventory(struct work *, struct why *);
bool	work_inventory_due(const struct work *);
/* Note in the store why it does not work; "" that it does. */
void	work_trouble(struct work *, const char *);

#endif
