/*
 * lmtp_send - the sending side, one command at a time.
 *
 * No pipelining: it is one message to a neighbour on the same machine.  The
 * socket does not block; every wait has what is left of the patience.
 */
#include "lib/lmtp_send.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clock.h"

struct line {				/* a connection */
	int		 fd;
	int64_t		 until;		/* CLOCK_MONOTONIC, us */
	size_t		 at, len;
	char		 in[4096];
};

/* wait_for - the socket, or the end of the patience */
static int
wait_for(struct line *l, short events, struct why *why)
{
	struct pollfd p = { .fd = l->fd, .events = events };
	int64_t left;
	int got;

	do {
		if ((left = l->until - clock_mono()) <= 0)
			return why_set(why, "no answer in time");
		got = poll(&p, 1, (int)(left / 1000) + 1);
	} while (got == 0 || (got == -1 && errno == EINTR));
	return got == -1 ? why_errno(why, "cannot wait for an answer") : 0;
}

/* connected - to an address; *fd is the caller's to close */
static int
connected(struct line *l, const struct sockaddr *to, socklen_t n,
    struct why *why)
{
	socklen_t size = sizeof(int);
	int error = 0;

	l->fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (l->fd == -1)
		return why_errno(why, "cannot make a socket");
	if (connect(l->fd, to, n) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return why_errno(why, "cannot connect");
	if (wait_for(l, POLLOUT, why) == -1)
		return -1;
	if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &size) == -1)
		error = errno;
	errno = error;
	return error == 0 ? 0 : why_errno(why, "cannot connect");
}

/* connect_unix - "unix:/path" */
static int
connect_unix(struct line *l, const char *path, struct why *why)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(un.sun_path))
		return why_set(why, "the path of the socket is too long");
	memcpy(un.sun_path, path, strlen(path) + 1);
	return connected(l, (struct sockaddr *)&un, sizeof(un), why);
}

/* connect_inet - "inet:host:port" */
static int
connect_inet(struct line *l, const char *where, struct why *why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	const char *colon = strrchr(where, ':');
	char host[256];
	int rc;

	if (colon == NULL || (size_t)(colon - where) >= sizeof(host))
		return why_set(why, "expected \"inet:host:port\"");
	snprintf(host, sizeof(host), "%.*s", (int)(colon - where), where);
	if ((rc = getaddrinfo(host, colon + 1, &hints, &list)) != 0)
		return why_set(why, "%s: %s", host, gai_strerror(rc));
	rc = connected(l, list->ai_addr, list->ai_addrlen, why);
	freeaddrinfo(list);
	return rc;
}

/* write_all - or the end of the patience */
static int
write_all(struct line *l, const char *p, size_t n, struct why *why)
{
	ssize_t done;

	while (n > 0) {
		done = send(l->fd, p, n, MSG_NOSIGNAL);
		if (done == -1 && errno == EINTR)
			continue;
		if (done == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			if (wait_for(l, POLLOUT, why) == -1)
				return -1;
			continue;
		}
		if (done == -1)
			return why_errno(why, "cannot write");
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

/* read_byte - of the replies */
static int
read_byte(struct line *l, char *c, struct why *why)
{
	ssize_t n;

	while (l->at == l->len) {
		n = recv(l->fd, l->in, sizeof(l->in), 0);
		if (n == 0)
			return why_set(why, "the other side hung up");
		if (n > 0) {
			l->at = 0;
			l->len = (size_t)n;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			if (wait_for(l, POLLIN, why) == -1)
				return -1;
		} else if (errno != EINTR) {
			return why_errno(why, "cannot read");
		}
	}
	*c = l->in[l->at++];
	return 0;
}

/* reply - the last line of one; -1: none */
static int
reply(struct line *l, struct lmtp_answer *a, struct why *why)
{
	size_t n;
	char c;

	do {
		n = 0;
		do {
			if (read_byte(l, &c, why) == -1)
				return -1;
			if (c != '\r' && c != '\n' && n < sizeof(a->text) - 1)
				a->text[n++] = c;
		} while (c != '\n');
		a->text[n] = '\0';
		a->code = n >= 3 ? atoi(a->text) : 0;
		if (a->code < 200 || a->code > 599)
			return why_set(why, "an answer that is none: %s",
			    a->text);
	} while (n > 3 && a->text[3] == '-');
	return 0;
}

/* ask - a command; its answer must be of the class that is wanted */
static int
ask(struct line *l, struct buf *command, int class, struct lmtp_answer *a,
    struct why *why)
{
	int rc;

	buf_str(command, "\r\n");
	rc = buf_failed(command) ? why_kind(why, WHY_MEMORY, "no memory for a "
	    "command") : write_all(l, command->data, command->len, why);
	buf_reset(command);
	if (rc == -1 || reply(l, a, why) == -1)
		return -1;
	return class == 0 || a->code / 100 == class ? 0 :
	    why_set(why, "it said: %s", a->text);
}

/* body - with CR LF ends, dots stuffed, and the dot */
static int
body(struct line *l, struct slice m, struct why *why)
{
	struct buf b = BUF_INIT;
	bool start = true;
	int rc = 0;

	for (size_t i = 0; i < m.n && rc == 0; i++) {
		char c = m.p[i];

		if (start && c == '.')
			buf_char(&b, '.');
		start = c == '\n' || c == '\r';
		if (!start) {
			buf_char(&b, c);
		} else {
			buf_str(&b, "\r\n");
			if (c == '\r' && i + 1 < m.n && m.p[i + 1] == '\n')
				i++;
		}
		if (b.len >= 32768) {
			rc = write_all(l, b.data, b.len, why);
			buf_reset(&b);
		}
	}
	buf_str(&b, start ? ".\r\n" : "\r\n.\r\n");
	if (rc == 0)
		rc = buf_failed(&b) ? why_kind(why, WHY_MEMORY, "no memory "
		    "for a message") : write_all(l, b.data, b.len, why);
	buf_free(&b);
	return rc;
}

/* endings - behind the dot: LMTP one for each that was taken, SMTP one */
static int
endings(struct line *l, bool smtp, struct lmtp_answer *answers, size_t n,
    struct why *why)
{
	struct lmtp_answer one;
	bool got = false;

	for (size_t i = 0; i < n; i++) {
		if (answers[i].code / 100 != 2)
			continue;
		answers[i].code = 0;
		if ((!smtp || !got) && reply(l, &one, why) == -1)
			return -1;
		got = true;
		answers[i] = one;
	}
	return 0;
}

/* has_8bit - in the message */
static bool
has_8bit(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return true;
	return false;
}

/* dialogue - all of it */
static int
dialogue(struct line *l, const struct lmtp_to *to, struct slice sender,
    const struct slice *recipients, size_t n, bool utf8, struct slice message,
    struct lmtp_answer *answers, struct why *why)
{
	struct lmtp_answer a;
	struct buf c = BUF_INIT;
	size_t taken = 0;
	int rc = -1;

	if (reply(l, &a, why) == -1)
		goto out;
	if (a.code != 220) {
		why_set(why, "it said: %s", a.text);
		goto out;
	}
	buf_printf(&c, "%s %s", to->smtp ? "EHLO" : "LHLO", to->name);
	if (ask(l, &c, 2, &a, why) == -1)
		goto out;
	buf_printf(&c, "MAIL FROM:<%.*s>%s%s", SLICE_ARG(sender),
	    has_8bit(message) ? " BODY=8BITMIME" : "",
	    utf8 ? " SMTPUTF8" : "");
	if (ask(l, &c, 2, &a, why) == -1)
		goto out;
	for (size_t i = 0; i < n; i++) {
		buf_printf(&c, "RCPT TO:<%.*s>", SLICE_ARG(recipients[i]));
		if (ask(l, &c, 0, &answers[i], why) == -1)
			goto out;
		taken += answers[i].code / 100 == 2;
	}
	rc = 0;
	if (taken > 0) {
		buf_str(&c, "DATA");
		rc = ask(l, &c, 3, &a, why) == -1 || body(l, message, why) ==
		    -1 || endings(l, to->smtp, answers, n, why) == -1 ? -1 : 0;
	}
	if (rc == 0)
		(void)write_all(l, "QUIT\r\n", 6, &(struct why){ 0 });
out:
	buf_free(&c);
	return rc;
}

/* lmtp_send - see the header */
int
lmtp_send(const struct lmtp_to *to, struct slice sender,
    const struct slice *recipients, size_t n, bool utf8, struct slice message,
    struct lmtp_answer *answers, struct why *why)
{
	struct line l = { .fd = -1, .until = clock_mono() + to->patience };
	int rc;

	memset(answers, 0, n * sizeof(*answers));
	if (strncmp(to->where, "unix:", 5) == 0)
		rc = connect_unix(&l, to->where + 5, why);
	else if (strncmp(to->where, "inet:", 5) == 0)
		rc = connect_inet(&l, to->where + 5, why);
	else
		rc = why_set(why, "expected \"unix:/path\" or "
		    "\"inet:host:port\"");
	if (rc == 0)
		rc = dialogue(&l, to, sender, recipients, n, utf8, message,
		    answers, why);
	if (l.fd != -1)
		close(l.fd);
	return rc == 0 ? 0 : why_in(why, "%s", to->where);
}
