/*
 * warmer_in - what the files of the warmer share; nobody else includes it.
 *
 * warmer.c: the thread, zones and their days.  warmer_day.c: who sent how much
 * on a day, from the events.  warmer_fate.c: what became of it.
 * warmer_judge.c: decisions, and their commit.  warmer_resume.c: the word of a
 * person.  warmer_move.c: mail to providers who were not known.
 */
#ifndef MILTER_WARMER_IN_H
#define MILTER_WARMER_IN_H

#include "lib/fate.h"
#include "lib/map.h"
#include "milter/warmer.h"
#include "policy/adapt.h"
#include "policy/subject.h"

#define WARMER_ROWS	1000	/* of one commit */

struct warm_zone {		/* a zone in which warmups count their days */
	const struct zone *zone;
	int64_t		 next;		/* the first date not judged yet */
	bool		 known;		/* next is */
};

struct warmer {
	struct gate	*gate;
	struct warm_zone *zones;
	size_t		 nzones;
	uint32_t	 policy;	/* whose zones they are */
	int64_t		 grace, patience, every;	/* us */
	struct moves	*moves;
	int64_t		 born;		/* clock_mono */
	char		 trouble[sizeof(((struct why *)NULL)->text)];
	pthread_t	 thread;
	bool		 running;
	pthread_mutex_t	 lock;		/* of stop */
	pthread_cond_t	 wake;
	bool		 stop;
	pthread_mutex_t	 turn;		/* who changes the picture */
	/* between warmer_resume and warmer_resumed */
	struct arena	*desk;
	struct writer_warm out;
};

/* One warmup, and what it sent on the day. */
struct warm_mail {
	struct subject	 subject;
	const struct event *seen;	/* that says whose it is; NULL: an
					   address's own */
	int64_t		 used, turned;
	struct warm_mail *next;		/* of the same tenant */
};

struct warm_day {
	struct warmer	*w;
	struct policy	*policy;
	struct progress	*progress;	/* of the beginning */
	const struct zone *zone;
	int64_t		 date;
	struct window	 window;
	struct arena	*arena;		/* all below */
	struct arena	*some;		/* of one batch */
	struct map	*by_key, *by_tenant;
	struct warm_mail **list;
	size_t		 n, cap;
	uint64_t	 last;		/* event of it; 0: none */
};

/* --- warmer.c ------------------------------------------------------------ */
bool	 warmer_stopping(struct warmer *);
int64_t	 warmer_date(const struct zone *, int64_t now);
void	 warmer_window(const struct zone *, int64_t date, struct window *);

/* --- warmer_move.c ------------------------------------------------------- */
struct moves *moves_new(void);			/* NULL: no memory */
void	 moves_free(struct moves *);		/* NULL allowed */
int	 moves_look(struct warmer *, const struct policy *, struct why *);

/* --- warmer_day.c -------------------------------------------------------- */
/* All warmups of that zone, and what they sent.  Action; day_free always. */
int	 day_read(struct warm_day *, struct why *);
void	 day_free(struct warm_day *);

/* --- warmer_fate.c ------------------------------------------------------- */
/* Providers with traffic, and what is known besides; in the day's arena.
 * Action; in->known stays as it is when nothing is. */
int	 fate_read(struct warm_day *, const struct warm_mail *, struct fates *,
	    const struct progress *, struct adapt_input *, struct why *);

/* --- warmer_judge.c ------------------------------------------------------ */
/* Every warmup of the day, on record and in force.  fates NULL: nobody knows
 * what became of it. */
int	 day_judge(struct warm_day *, struct fates *, struct why *);
/* The event that an earlier decision is recorded in, in the arena. Fetch. */
int	 warm_event(struct gate *, uint64_t seq, struct arena *,
	    struct event *, struct why *);

#endif
