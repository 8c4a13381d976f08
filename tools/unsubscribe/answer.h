/*
 * answer - from a request to an answer, without a socket.
 *
 *	GET, HEAD  .../TOKEN	a page; changes nothing, whoever asks
 *	POST       .../TOKEN	a wish, which is put in the store; then a page
 *	GET, HEAD  /health	may unsubscribes be stored?
 *	GET, HEAD  /robots.txt	stay away
 *
 * The token is what stands behind the last "/" of the path.  All that is no
 * token of ours gets one and the same 400, whatever is wrong with it.
 * Threads: any; what is shared is behind struct shared's lock.
 */
#ifndef TOOLS_UNSUBSCRIBE_ANSWER_H
#define TOOLS_UNSUBSCRIBE_ANSWER_H

#include <pthread.h>
#include "lib/buf.h"
#include "tools/unsubscribe/consent.h"
#include "tools/unsubscribe/form.h"
#include "tools/unsubscribe/labels.h"

struct shared {				/* of the process */
	struct consent	*consent;
	int64_t		 resubscribe;	/* us the way back is offered */
	pthread_rwlock_t lock;		/* of the two below */
	struct token_ring *ring;
	struct labels	*labels;	/* NULL: none */
};

struct request {
	const char	*method;	/* as it came, NUL-ended */
	struct slice	 path;
	struct slice	 language;	/* Accept-Language */
	struct slice	 type;		/* Content-Type */
	struct slice	 body;
	bool		 too_large;	/* the body was cut */
};

struct answer {
	unsigned	 status;
	bool		 html;		/* else text/plain */
	bool		 allow;		/* say which methods there are */
	unsigned	 language;
	struct buf	 body;
};

enum answer_step { ANSWER_NOW, ANSWER_WISH };

/* ANSWER_WISH: put *wish, and when it is done call answer_done.  Before that,
 * and in place of it, nothing is written into the answer. */
enum answer_step answer_begin(struct shared *, const struct request *,
	    struct answer *, struct wish *);
void	answer_done(struct shared *, struct answer *, const struct wish *);

#endif
