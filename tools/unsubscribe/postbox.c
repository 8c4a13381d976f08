/*
 * postbox - a thread around lib/lmtp_serve.h.
 *
 * Mail of this kind is rare and comes from the Postfix beside us.  All wishes
 * of the messages of one turn are put first and waited for then, so they share
 * commits.
 */
#include "tools/unsubscribe/postbox.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/lmtp_serve.h"
#include "lib/log.h"
#include "tools/unsubscribe/letter.h"

enum { RECIPIENTS = 32, SIZE = 1 << 20, HELD = 8 << 20 };
#define TICK	CLOCK_SECOND
#define LAST	(5 * CLOCK_SECOND)	/* for those under way at the end */

struct postbox {
	struct shared	*shared;
	struct lmtp_server *server;
	int		 wake;
	pthread_t	 thread;
	pthread_mutex_t	 lock;
	pthread_cond_t	 told;
	unsigned	 waiting;	/* wishes that are not answered yet */
};

/* One recipient of one message; the wish is the store's until it is told. */
struct item {
	struct wish	 wish;
	bool		 wished;
	const char	*reply;		/* where there was no wish */
};

/* told - the store has answered one */
static void
told(struct wish *w)
{
	struct postbox *p = w->with;

	pthread_mutex_lock(&p->lock);
	if (--p->waiting == 0)
		pthread_cond_signal(&p->told);
	pthread_mutex_unlock(&p->lock);
}

/* begin - what the mail asks for, into the queue of the store */
static void
begin(struct postbox *p, struct item *item, struct slice recipient,
    struct slice message)
{
	struct shared *s = p->shared;
	struct arena *arena = arena_new(1024, 0);
	struct token t;
	struct why why;
	int rc = -1;

	if (arena != NULL) {
		pthread_rwlock_rdlock(&s->lock);
		rc = letter_token(s->ring, recipient, message, arena, &t,
		    &why);
		pthread_rwlock_unlock(&s->lock);
	}
	item->reply = rc == 0 ? "250 2.1.5 no unsubscribe link of ours in it, "
	    "nothing was done" : "451 4.3.0 no memory";
	if (rc == 1) {
		consent_wish(&item->wish, &t, false, "mailto");
		item->wished = true;
		item->wish.done = told;
		item->wish.with = p;
		pthread_mutex_lock(&p->lock);
		p->waiting++;
		pthread_mutex_unlock(&p->lock);
		consent_put(s->consent, &item->wish);
	}
	arena_free(arena);
}

/* reply_of - when the store has told */
static const char *
reply_of(const struct item *item)
{
	if (!item->wished)
		return item->reply;
	return item->wish.result == CONSENT_DONE ? "250 2.1.5 unsubscribed" :
	    "451 4.3.0 unsubscribes cannot be stored now";
}

/* deliver - the messages of one turn */
static void
deliver(void *self, struct lmtp **l, size_t n)
{
	static struct log_pace pace;
	struct postbox *p = self;
	struct item *items;
	size_t all = 0, at = 0;

	for (size_t i = 0; i < n; i++)
		all += lmtp_mail(l[i])->nrecipients;
	items = calloc(all, sizeof(*items));
	for (size_t i = 0; i < n; i++) {
		const struct lmtp_mail *mail = lmtp_mail(l[i]);

		for (size_t k = 0; items != NULL && k < mail->nrecipients; k++)
			begin(p, &items[at++], mail->recipients[k],
			    mail->message);
	}
	pthread_mutex_lock(&p->lock);
	while (p->waiting > 0)
		pthread_cond_wait(&p->told, &p->lock);
	pthread_mutex_unlock(&p->lock);
	at = 0;
	for (size_t i = 0; i < n; i++) {
		size_t owed = lmtp_mail(l[i])->nrecipients;

		for (size_t k = 0; k < owed; k++) {
			const char *reply = items == NULL ?
			    "451 4.3.0 no memory" : reply_of(&items[at++]);

			log_paced(&pace, LOG_LEVEL_INFO, "mailto: %s", reply);
			lmtp_reply(l[i], "%s", reply);
		}
	}
	free(items);
}

/* turn - one poll; false: told to stop */
static bool
turn(struct postbox *p)
{
	struct pollfd fds[LMTP_SLOTS + 2];
	int64_t due = lmtp_server_due(p->server);
	size_t n = lmtp_server_poll(p->server, fds);

	if (due == -1 || due > TICK)
		due = TICK;
	fds[n] = (struct pollfd){ .fd = p->wake, .events = POLLIN };
	if (poll(fds, n + 1, (int)(due / 1000) + 1) == -1)
		for (size_t i = 0; i <= n; i++)
			fds[i].revents = 0;
	if (fds[n].revents != 0)
		return false;
	lmtp_server_turn(p->server, fds, n);
	return true;
}

/* run - the thread; at the end those under way may finish */
static void *
run(void *with)
{
	struct pollfd fds[LMTP_SLOTS + 1];
	struct postbox *p = with;
	int64_t until;

	while (turn(p))
		;
	until = clock_mono() + LAST;
	while (lmtp_server_drain(p->server) > 0 && clock_mono() < until) {
		size_t n = lmtp_server_poll(p->server, fds);

		if (poll(fds, n, 100) == -1)
			for (size_t i = 0; i < n; i++)
				fds[i].revents = 0;
		lmtp_server_turn(p->server, fds, n);
	}
	return NULL;
}

/* release - whatever there is of it */
static void
release(struct postbox *p)
{
	lmtp_server_free(p->server);
	if (p->wake != -1)
		close(p->wake);
	pthread_cond_destroy(&p->told);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* postbox_start - a thread that serves the socket */
int
postbox_start(struct postbox **out, struct shared *shared, int fd,
    struct why *why)
{
	const struct lmtp_rules rules = { .name = "penstock-unsubscribe",
	    .size_max = SIZE, .recipients_max = RECIPIENTS, .held_max = HELD };
	struct postbox *p = calloc(1, sizeof(*p));
	int err;

	*out = NULL;
	if (p == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for LMTP");
	p->shared = shared;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->told, NULL);
	p->server = lmtp_server_new(fd, &rules, &(struct lmtp_service){
	    .deliver = deliver, .self = p });
	if ((p->wake = eventfd(0, EFD_CLOEXEC)) == -1 || p->server == NULL) {
		release(p);
		return why_set(why, "no memory or descriptor for LMTP");
	}
	if ((err = pthread_create(&p->thread, NULL, run, p)) != 0) {
		release(p);
		errno = err;
		return why_errno(why, "cannot start a thread for LMTP");
	}
	*out = p;
	return 0;
}

/* postbox_stop - behind the messages that are under way */
void
postbox_stop(struct postbox *p)
{
	uint64_t one = 1;

	if (p == NULL)
		return;
	while (write(p->wake, &one, sizeof(one)) == -1 && errno == EINTR)
		;
	pthread_join(p->thread, NULL);
	release(p);
}
