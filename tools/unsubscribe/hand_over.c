/*
 * hand_over - a pipe(8) command that gives its mail to the daemon's socket.
 *
 * For mail systems that cannot deliver by LMTP.  It keeps nothing and decides
 * nothing: what the daemon answers is its exit status, and whatever goes wrong
 * on the way is 75 (EX_TEMPFAIL), so that the mail system comes again.
 */
#include "tools/unsubscribe/postbox.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/log.h"

enum { PATIENCE = 60, REPLY = 1024, RECIPIENT = 400, MESSAGE = 1 << 20 };

/* connect_unix - to a path */
static int
connect_unix(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(sun.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&sun,
	    sizeof(sun)) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

/* connect_inet - "port@host" */
static int
connect_inet(const char *where, int family)
{
	struct addrinfo hints = { .ai_family = family,
	    .ai_socktype = SOCK_STREAM }, *found = NULL;
	const char *at = strchr(where, '@');
	char port[16];
	int fd = -1;

	snprintf(port, sizeof(port), "%.*s", at != NULL ? (int)(at - where) :
	    0, where);
	if (at == NULL || getaddrinfo(at + 1, port, &hints, &found) != 0) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	for (struct addrinfo *a = found; a != NULL && fd == -1;
	    a = a->ai_next) {
		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd != -1 && connect(fd, a->ai_addr, a->ai_addrlen) == -1) {
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	return fd;
}

/* dial - the socket of the daemon, as a stream */
static FILE *
dial(const char *where)
{
	struct timeval patience = { PATIENCE, 0 };
	int fd;

	if (strncmp(where, "unix:", 5) == 0)
		fd = connect_unix(where + 5);
	else if (strncmp(where, "inet6:", 6) == 0)
		fd = connect_inet(where + 6, AF_INET6);
	else
		fd = connect_inet(where + 5, AF_INET);
	if (fd == -1)
		return NULL;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
	    sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
	    sizeof(patience));
	return fdopen(fd, "r+");
}

/* reply - the last line of one; its first digit, 0 when there is none */
static int
reply(FILE *f, char text[REPLY])
{
	do {
		if (fgets(text, REPLY, f) == NULL)
			return 0;
	} while (strlen(text) > 3 && text[3] == '-');
	text[strcspn(text, "\r\n")] = '\0';
	return text[0] >= '2' && text[0] <= '5' ? text[0] - '0' : 0;
}

/* ask - one command */
static int
ask(FILE *f, const char *command, char text[REPLY])
{
	/* a stream may not go from reading to writing without a word */
	if (fseek(f, 0, SEEK_CUR) == -1 && errno != ESPIPE)
		return 0;
	if (fprintf(f, "%s\r\n", command) < 0 || fflush(f) == EOF)
		return 0;
	return reply(f, text);
}

/* copy - the message, its dots doubled, its lines ended by CR LF; false when
 * it cannot be read or written, or is too large */
static bool
copy(FILE *from, FILE *to)
{
	bool fresh = true;		/* at the beginning of a line */
	long n = 0;
	int c, before = 0;

	if (fseek(to, 0, SEEK_CUR) == -1 && errno != ESPIPE)
		return false;
	while ((c = getc(from)) != EOF && n++ < MESSAGE) {
		if (fresh && c == '.')
			putc('.', to);
		if (c == '\n' && before != '\r')
			putc('\r', to);
		putc(c, to);
		fresh = c == '\n';
		before = c;
	}
	if (ferror(from) || c != EOF)
		return false;
	if (!fresh)
		fputs("\r\n", to);
	return fputs(".\r\n", to) != EOF && fflush(to) != EOF;
}

/* safe - an address that can stand in a command */
static bool
safe(const char *recipient)
{
	size_t n = strlen(recipient);

	if (n == 0 || n > RECIPIENT)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)recipient[i] <= ' ' ||
		    strchr("<>\177", recipient[i]) != NULL)
			return false;
	return true;
}

/* postbox_hand_over - the whole dialogue */
int
postbox_hand_over(const char *where, const char *recipient)
{
	char text[REPLY] = "", rcpt[RECIPIENT + 32];
	FILE *f = NULL;
	int status = EX_TEMPFAIL, got;

	if (!safe(recipient)) {
		log_error("the recipient is no address");
		return EX_USAGE;
	}
	if ((f = dial(where)) == NULL) {
		log_error("%s: %s; is penstock-unsubscribe running?", where,
		    strerror(errno));
		return EX_TEMPFAIL;
	}
	snprintf(rcpt, sizeof(rcpt), "RCPT TO:<%s>", recipient);
	if (reply(f, text) != 2 || ask(f, "LHLO localhost", text) != 2 ||
	    ask(f, "MAIL FROM:<>", text) != 2)
		goto out;
	if ((got = ask(f, rcpt, text)) != 2) {
		status = got == 5 ? EX_NOUSER : EX_TEMPFAIL;
		goto out;
	}
	if (ask(f, "DATA", text) != 3 || !copy(stdin, f) ||
	    (got = reply(f, text)) == 0)
		goto out;
	status = got == 2 ? EX_OK : got == 5 ? EX_UNAVAILABLE : EX_TEMPFAIL;
	(void)ask(f, "QUIT", text + 0);
out:
	if (status != EX_OK)
		log_error("%s: not taken: %s", where, text[0] != '\0' ? text :
		    "no answer");
	fclose(f);
	return status;
}
