/*
 * door - the door that anybody may knock at.
 *
 * A connection that dribbles costs a descriptor and a few kB until its
 * deadline, and nothing of anybody's else: there are many places, nobody waits
 * for another, and one address may not take them all.  libmicrohttpd's own
 * time-out is of silence and lets a byte now and then keep a place, so the
 * deadline of the whole request is ours: an overdue socket is shut down, and
 * libmicrohttpd clears it away.
 *
 * The bound per address counts in a table of counters by keyed hash; two
 * addresses may share one, rarely.  IPv6 counts by /64.  Clients of this
 * machine are the web server in front, and are not bound.
 */
#include "tools/unsubscribe/door.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "lib/clock.h"
#include "lib/hash.h"
#include "lib/log.h"
#include "tools/unsubscribe/page.h"

enum { COUNTERS = 65536, POOL = 8192, POOL_STEP = 1024, BACKLOG = 1024 };

struct connection {
	struct connection *next, **prev;	/* under door.lock */
	int		 fd;
	int64_t		 since;		/* of this phase; clock_mono */
	bool		 waits;		/* for the disk: no deadline */
	bool		 cut;		/* shut down already */
	uint16_t	*counter;	/* NULL: not bound */
};

struct door {
	struct MHD_Daemon *daemon;
	struct shared	*shared;
	int64_t		 deadline, per_address;
	uint64_t	 seed;
	pthread_mutex_t	 lock;
	struct connection *first, **last;	/* oldest first */
	unsigned	 open;
	uint16_t	 counters[COUNTERS];	/* libmicrohttpd's thread */
};

struct exchange {			/* one request */
	struct MHD_Connection *mhd;
	struct door	*door;
	struct connection *connection;
	struct request	 request;
	struct answer	 answer;
	struct wish	 wish;
	bool		 waiting;
	size_t		 nbody;
	char		 body[FORM_MAX];
};

/* --- connections ---------------------------------------------------------- */

/* counter_of - of a client that is bound; NULL: it is not */
static uint16_t *
counter_of(struct door *h, const struct sockaddr *sa)
{
	const struct sockaddr_in *in = (const void *)sa;
	const struct sockaddr_in6 *in6 = (const void *)sa;
	const uint8_t *p;
	size_t n;

	if (h->per_address == 0 || sa == NULL)
		return NULL;
	if (sa->sa_family == AF_INET) {
		p = (const uint8_t *)&in->sin_addr;
		n = 4;
	} else if (sa->sa_family == AF_INET6) {
		p = in6->sin6_addr.s6_addr;
		n = 8;
		if (IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr))
			return NULL;
		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
			p += 12;
			n = 4;
		}
	} else {
		return NULL;
	}
	if (n == 4 && p[0] == 127)
		return NULL;
	return &h->counters[hash_64(h->seed, p, n) % COUNTERS];
}

/* admit - libmicrohttpd asks before it takes a connection */
static enum MHD_Result
admit(void *with, const struct sockaddr *sa, socklen_t n)
{
	struct door *h = with;
	const uint16_t *counter = counter_of(h, sa);

	(void)n;
	return counter == NULL || *counter < h->per_address ? MHD_YES : MHD_NO;
}

/* phase - the connection begins to be waited for anew */
static void
phase(struct door *h, struct connection *c, bool waits)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&h->lock);
	if (c->next != NULL)
		c->next->prev = c->prev;
	else
		h->last = c->prev;
	*c->prev = c->next;
	c->since = clock_mono();
	c->waits = waits;
	c->next = NULL;
	c->prev = h->last;
	*h->last = c;
	h->last = &c->next;
	pthread_mutex_unlock(&h->lock);
}

/* begun - a connection, on its way into the list; NULL without memory */
static struct connection *
begun(struct door *h, struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info;
	struct connection *c = calloc(1, sizeof(*c));

	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (c == NULL || info == NULL) {
		free(c);
		return NULL;
	}
	c->fd = info->connect_fd;
	info = MHD_get_connection_info(mhd,
	    MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	c->counter = counter_of(h, info != NULL ? info->client_addr : NULL);
	if (c->counter != NULL)
		++*c->counter;
	c->since = clock_mono();
	pthread_mutex_lock(&h->lock);
	c->prev = h->last;
	*h->last = c;
	h->last = &c->next;
	h->open++;
	pthread_mutex_unlock(&h->lock);
	return c;
}

/* ended - out of the list, before its descriptor is closed */
static void
ended(struct door *h, struct connection *c)
{
	pthread_mutex_lock(&h->lock);
	if (c->next != NULL)
		c->next->prev = c->prev;
	else
		h->last = c->prev;
	*c->prev = c->next;
	h->open--;
	pthread_mutex_unlock(&h->lock);
	if (c->counter != NULL)
		--*c->counter;
	free(c);
}

/* notify - libmicrohttpd tells of births and deaths */
static void
notify(void *with, struct MHD_Connection *mhd, void **context,
    enum MHD_ConnectionNotificationCode what)
{
	struct door *h = with;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = begun(h, mhd);
	} else if (*context != NULL) {
		ended(h, *context);
		*context = NULL;
	}
}

/* door_sweep - the list is in the order of since, so it ends at the first
 * that has time */
void
door_sweep(struct door *h)
{
	int64_t now = clock_mono();

	pthread_mutex_lock(&h->lock);
	for (struct connection *c = h->first; c != NULL; c = c->next) {
		if (now - c->since < h->deadline)
			break;
		if (c->waits || c->cut)
			continue;
		c->cut = true;
		(void)shutdown(c->fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&h->lock);
}

/* door_count - how many there are */
unsigned
door_count(struct door *h)
{
	unsigned n;

	pthread_mutex_lock(&h->lock);
	n = h->open;
	pthread_mutex_unlock(&h->lock);
	return n;
}

/* --- requests ------------------------------------------------------------- */

/* header - of the request; absent when there is none */
static struct slice
header(struct MHD_Connection *mhd, const char *name)
{
	return slice_of(MHD_lookup_connection_value(mhd, MHD_HEADER_KIND,
	    name));
}

/* exchange_new - what is known when the header is there */
static struct exchange *
exchange_new(struct door *h, struct MHD_Connection *mhd, const char *url,
    const char *method)
{
	const union MHD_ConnectionInfo *info;
	struct exchange *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return NULL;
	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	x->mhd = mhd;
	x->door = h;
	x->connection = info != NULL ? info->socket_context : NULL;
	x->request = (struct request){ .method = method,
	    .path = slice_of(url), .language = header(mhd, "Accept-Language"),
	    .type = header(mhd, "Content-Type") };
	return x;
}

/* written - the disk has it, or not; in the thread of consent */
static void
written(struct wish *w)
{
	struct exchange *x = w->with;

	MHD_resume_connection(x->mhd);
}

/* send_answer - with the headers that keep it private and harmless */
static enum MHD_Result
send_answer(struct exchange *x)
{
	static const char *const headers[][2] = {
		{ "Cache-Control", "no-store" },
		{ "X-Robots-Tag", "noindex, nofollow" },
		{ "Referrer-Policy", "no-referrer" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Connection", "close" },
		{ "Vary", "Accept-Language" },
	};
	struct answer *a = &x->answer;
	struct MHD_Response *r;
	enum MHD_Result rc;

	if (buf_failed(&a->body))
		return MHD_NO;
	r = MHD_create_response_from_buffer(a->body.len, a->body.data,
	    MHD_RESPMEM_MUST_COPY);
	if (r == NULL)
		return MHD_NO;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		(void)MHD_add_response_header(r, headers[i][0],
		    headers[i][1]);
	(void)MHD_add_response_header(r, "Content-Security-Policy",
	    page_csp());
	(void)MHD_add_response_header(r, "Content-Type", a->html ?
	    "text/html; charset=utf-8" : "text/plain; charset=utf-8");
	if (a->html)
		(void)MHD_add_response_header(r, "Content-Language",
		    page_languages[a->language]);
	if (a->allow)
		(void)MHD_add_response_header(r, "Allow", "GET, HEAD, POST");
	if (a->status == MHD_HTTP_SERVICE_UNAVAILABLE)
		(void)MHD_add_response_header(r, "Retry-After", "60");
	phase(x->door, x->connection, false);
	rc = MHD_queue_response(x->mhd, a->status, r);
	MHD_destroy_response(r);
	return rc;
}

/* whole - the request is there: answer it, or wait for the disk */
static enum MHD_Result
whole(struct exchange *x)
{
	x->request.body = (struct slice){ x->body, x->nbody };
	if (answer_begin(x->door->shared, &x->request, &x->answer,
	    &x->wish) == ANSWER_NOW)
		return send_answer(x);
	x->waiting = true;
	x->wish.done = written;
	x->wish.with = x;
	phase(x->door, x->connection, true);
	MHD_suspend_connection(x->mhd);
	consent_put(x->door->shared->consent, &x->wish);
	return MHD_YES;
}

/* too_long - by what the client says itself, before the body comes */
static bool
too_long(struct MHD_Connection *mhd)
{
	struct slice said = header(mhd, "Content-Length");

	return said.n > 4 || (said.n > 0 && atoi(said.p) > FORM_MAX);
}

/* handle - libmicrohttpd's callback: header, body in pieces, end, and once
 * more when the disk has answered */
static enum MHD_Result
handle(void *with, struct MHD_Connection *mhd, const char *url,
    const char *method, const char *version, const char *data, size_t *n,
    void **context)
{
	struct door *h = with;
	struct exchange *x = *context;
	size_t room;

	(void)version;
	if (x == NULL) {
		if ((x = *context = exchange_new(h, mhd, url, method)) == NULL)
			return MHD_NO;
		if (!too_long(mhd))
			return MHD_YES;
		x->answer.status = MHD_HTTP_CONTENT_TOO_LARGE;
		buf_str(&x->answer.body, "too large\n");
		return send_answer(x);
	}
	if (x->waiting) {
		answer_done(h->shared, &x->answer, &x->wish);
		return send_answer(x);
	}
	if (*n > 0) {
		room = sizeof(x->body) - x->nbody;
		if (*n > room)
			x->request.too_large = true;
		else
			room = *n;
		memcpy(x->body + x->nbody, data, room);
		x->nbody += room;
		*n = 0;
		return MHD_YES;
	}
	return whole(x);
}

/* completed - whatever became of it */
static void
completed(void *with, struct MHD_Connection *mhd, void **context,
    enum MHD_RequestTerminationCode code)
{
	struct exchange *x = *context;

	(void)with, (void)mhd, (void)code;
	if (x == NULL)
		return;
	buf_free(&x->answer.body);
	free(x);
	*context = NULL;
}

/* mutter - what libmicrohttpd has to say about strangers */
static void
mutter(void *with, const char *fmt, va_list ap)
{
	char text[256];

	(void)with;
	vsnprintf(text, sizeof(text), fmt, ap);
	log_debug("%s", text);
}

/* --- life ----------------------------------------------------------------- */

/* door_start - libmicrohttpd gets the socket and a thread */
int
door_start(struct door **out, struct shared *shared, const struct config *c,
    int fd, const char *certificate, const char *key, struct why *why)
{
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0,
		    (void *)(uintptr_t)certificate },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key },
		{ MHD_OPTION_END, 0, NULL } };
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD |
	    MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct door *h = calloc(1, sizeof(*h));

	*out = NULL;
	if (h == NULL || getrandom(&h->seed, sizeof(h->seed), 0) !=
	    (ssize_t)sizeof(h->seed)) {
		free(h);
		return why_kind(why, WHY_MEMORY, "no memory for HTTP");
	}
	if (certificate != NULL)
		flags |= MHD_USE_TLS;
	else
		tls[0].option = MHD_OPTION_END;
	h->shared = shared;
	h->deadline = c->unsubscribe.deadline;
	h->per_address = c->unsubscribe.per_address;
	h->last = &h->first;
	pthread_mutex_init(&h->lock, NULL);
	h->daemon = MHD_start_daemon(flags, 0, admit, h, handle, h,
	    MHD_OPTION_EXTERNAL_LOGGER, mutter, NULL,
	    MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)c->unsubscribe.connections,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL,
	    MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)POOL_STEP,
	    MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned)(h->deadline / CLOCK_SECOND) + 1,
	    MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)BACKLOG,
	    MHD_OPTION_NOTIFY_CONNECTION, notify, h,
	    MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
	    MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
	    MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	if (h->daemon == NULL) {
		pthread_mutex_destroy(&h->lock);
		free(h);
		return why_set(why, certificate != NULL ? "HTTP cannot be "
		    "served: certificate and certificate_key must be a PEM "
		    "chain and its key, and files enough must be allowed" :
		    "HTTP cannot be served: are there files enough (see "
		    "LimitNOFILE) for the connections that penstock.conf "
		    "allows?");
	}
	*out = h;
	return 0;
}

/* door_quiet - the listening socket is closed */
void
door_quiet(struct door *h)
{
	MHD_socket fd = MHD_quiesce_daemon(h->daemon);

	if (fd != MHD_INVALID_SOCKET)
		close(fd);
}

/* door_stop - and every connection with it */
void
door_stop(struct door *h)
{
	if (h == NULL)
		return;
	MHD_stop_daemon(h->daemon);
	pthread_mutex_destroy(&h->lock);
	free(h);
}
