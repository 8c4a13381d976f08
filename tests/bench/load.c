/*
 * load - drive a milter as Postfix would, from many connections at once, and
 * say how fast it went.
 *
 * One thread is one connection and sends message after message: MAIL, RCPT,
 * DATA, headers, EOH, body, EOM, each in a packet of its own and with a wait
 * where the protocol has a reply.  Packets without a reply go out with the
 * next one that has one, as they do from a busy Postfix.  The client shares
 * the machine with what it measures, so it prepares all bytes beforehand.
 *
 * Tenant N has the login tN, and writes as a@tN.example.  Which N: Zipf with
 * exponent 1 over -k keys, spread evenly over -t tenants; or, with -o, each
 * tenant once.  With -p a connection rests so many ms after each message.
 * Prints one line of JSON.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>

enum {
	PACKET_MOST = 65536,
	OUT_MOST = 1 << 18,
	LATENCIES = 1 << 16		/* per thread; later ones overwrite */
};

/* SMFIP_: "I do not send this", "this has no reply"; as in mfdef.h. */
static const struct {
	char		command;
	uint32_t	no, noreply;
} steps[] = {
	{ 'C', 0x1, 0x1000 },
	{ 'H', 0x2, 0x2000 },
	{ 'M', 0x4, 0x4000 },
	{ 'R', 0x8, 0x8000 },
	{ 'T', 0x200, 0x10000 },
	{ 'L', 0x20, 0x80 },
	{ 'N', 0x40, 0x40000 },
	{ 'B', 0x10, 0x80000 },
	{ 'E', 0, 0 },
};

struct connection {
	pthread_t	 thread;
	int		 fd;
	uint32_t	 protocol;
	uint64_t	 random;
	unsigned char	 out[OUT_MOST];
	size_t		 nout;
	unsigned char	 in[PACKET_MOST];
	size_t		 nin;
	uint32_t	*latency;		/* us */
	uint32_t	 longest;		/* of all, us */
	long		 sent, accepted, refused;
};

static struct {
	const char	*path;
	int		 connections, tenants, keys, seconds;
	int		 pause;			/* ms between messages */
	long		 bytes;
	bool		 once;
	double		*zipf;			/* cumulative, of each key */
	char		*body;
	atomic_long	 next;
	atomic_bool	 over;
} run = { .connections = 1, .tenants = 1, .keys = 1, .seconds = 3,
	.bytes = 10000 };

/* die - one sentence, and out */
static void
die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(3);
}

/* now - us of a clock that nobody sets */
static int64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* flush - write what is waiting */
static void
flush(struct connection *c)
{
	size_t done = 0;

	while (done < c->nout) {
		ssize_t n = send(c->fd, c->out + done, c->nout - done,
		    MSG_NOSIGNAL);

		if (n <= 0)
			die("send");
		done += (size_t)n;
	}
	c->nout = 0;
}

/* put - a packet into what is waiting */
static void
put(struct connection *c, char command, const void *data, size_t n)
{
	uint32_t length = htonl((uint32_t)n + 1);

	if (c->nout + n + 5 > sizeof(c->out))
		flush(c);
	memcpy(c->out + c->nout, &length, 4);
	c->out[c->nout + 4] = (unsigned char)command;
	memcpy(c->out + c->nout + 5, data, n);
	c->nout += n + 5;
}

/* next_packet - its command; data and length are those of the buffer */
static char
next_packet(struct connection *c, unsigned char **data, size_t *length)
{
	static _Thread_local size_t eaten;
	uint32_t n = 0;

	memmove(c->in, c->in + eaten, c->nin - eaten);
	c->nin -= eaten;
	eaten = 0;
	while (c->nin < 4 || (memcpy(&n, c->in, 4), n = ntohl(n),
	    n > sizeof(c->in) - 4 || c->nin < n + 4)) {
		ssize_t got;

		if (c->nin >= 4 && (n == 0 || n > sizeof(c->in) - 4))
			die("a packet of impossible length");
		got = recv(c->fd, c->in + c->nin, sizeof(c->in) - c->nin, 0);
		if (got <= 0)
			die("the milter hung up");
		c->nin += (size_t)got;
	}
	*data = c->in + 5;
	*length = n - 1;
	eaten = n + 4;
	return (char)c->in[4];
}

/* say - a command, and the verdict where one comes: 'c' when none does */
static char
say(struct connection *c, char command, const void *data, size_t n)
{
	unsigned char *bytes;
	size_t length;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i].command != command)
			continue;
		if (c->protocol & steps[i].no)
			return 'c';
		put(c, command, data, n);
		if (c->protocol & steps[i].noreply)
			return 'c';
	}
	flush(c);
	for (;;) {
		char verdict = next_packet(c, &bytes, &length);

		if (strchr("cartdys4f", verdict) != NULL)
			return verdict;
	}
}

/* greet - connect, negotiate, HELO */
static void
greet(struct connection *c)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	uint32_t options[3] = { htonl(6), htonl(0x1ff), htonl(0x1fffff) };
	unsigned char *data;
	size_t length;
	static const char macros[] = "Cj\0mx.example\0{daemon_name}\0smtpd";
	static const char client[] = "localhost\0" "4\x9c\x40" "127.0.0.1";

	if (strlen(run.path) >= sizeof(to.sun_path))
		die("a path too long for a socket");
	memcpy(to.sun_path, run.path, strlen(run.path) + 1);
	if ((c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    connect(c->fd, (struct sockaddr *)&to, sizeof(to)) == -1)
		die(run.path);
	put(c, 'O', options, sizeof(options));
	flush(c);
	if (next_packet(c, &data, &length) != 'O' || length < 12)
		die("no negotiation");
	memcpy(&c->protocol, data + 8, 4);
	c->protocol = ntohl(c->protocol);
	put(c, 'D', macros, sizeof(macros));
	say(c, 'C', client, sizeof(client));
	say(c, 'H', "client.example", sizeof("client.example"));
}

/* pick - the number of the tenant that writes next, -1 when there is none */
static int
pick(struct connection *c)
{
	double x;
	int low = 0, high = run.keys - 1;

	if (run.once) {
		long n = atomic_fetch_add(&run.next, 1);

		return n < run.tenants ? (int)n : -1;
	}
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	x = (double)(c->random >> 11) / (double)(UINT64_C(1) << 53);
	while (low < high) {
		int middle = (low + high) / 2;

		if (run.zipf[middle] < x)
			low = middle + 1;
		else
			high = middle;
	}
	return (int)((long)low * run.tenants / run.keys);
}

/* headers - those of an ordinary message; false when one was refused */
static bool
headers(struct connection *c, int tenant, long serial)
{
	static const char *const fields[][2] = {
		{ "Received", " from [192.0.2.7] (unknown [192.0.2.7])\n"
		    "\tby mx.example (Postfix) with ESMTPSA id 4xTEST1zABC\n"
		    "\tfor <x@example.org>; Sat, 21 Nov 2026 07:00:00 +0000" },
		{ "To", " \"A. Recipient\" <x@example.org>" },
		{ "Subject", " A subject of the ordinary length of subjects" },
		{ "Date", " Sat, 21 Nov 2026 07:00:00 +0000" },
		{ "MIME-Version", " 1.0" },
		{ "Content-Type", " text/plain; charset=utf-8" },
		{ "Content-Transfer-Encoding", " 8bit" },
		{ "Reply-To", " <answers@example.net>" },
		{ "X-Mailer", " load" },
	};
	bool space = (c->protocol & 0x100000) != 0;
	char text[512];
	int n;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		n = snprintf(text, sizeof(text), "%s%c%s", fields[i][0], 0,
		    fields[i][1] + (space ? 0 : 1));
		if (say(c, 'L', text, (size_t)n + 1) != 'c')
			return false;
	}
	n = snprintf(text, sizeof(text),
	    "From%c%s\"A Sender\" <a@t%d.example>", 0, space ? " " : "",
	    tenant);
	if (say(c, 'L', text, (size_t)n + 1) != 'c')
		return false;
	n = snprintf(text, sizeof(text), "Message-ID%c%s<%d.%ld@t%d.example>",
	    0, space ? " " : "", (int)getpid(), serial, tenant);
	return say(c, 'L', text, (size_t)n + 1) == 'c';
}

/* message - one, whole; whether it was accepted */
static bool
message(struct connection *c, int tenant, long serial)
{
	static const char rcpt_macros[] = "R{rcpt_mailer}\0smtp\0"
	    "{rcpt_host}\0example.org\0{rcpt_addr}\0x@example.org";
	char text[256], id[64];
	int n, nid;
	char verdict;

	nid = snprintf(id, sizeof(id), "Ei%c4x%05lxz%04lx", 0,
	    serial & 0xfffff, (long)(c->random & 0xffff));
	n = snprintf(text, sizeof(text),
	    "M{auth_type}%cPLAIN%c{auth_authen}%ct%d%c{mail_addr}%c"
	    "a@t%d.example", 0, 0, 0, tenant, 0, 0, tenant);
	put(c, 'D', text, (size_t)n + 1);
	n = snprintf(text, sizeof(text), "<a@t%d.example>%cSIZE=%ld", tenant,
	    0, run.bytes);
	if (say(c, 'M', text, (size_t)n + 1) != 'c')
		return false;
	put(c, 'D', rcpt_macros, sizeof(rcpt_macros));
	if (say(c, 'R', "<x@example.org>", 16) != 'c') {
		put(c, 'A', "", 0);
		return false;
	}
	id[0] = 'T';
	put(c, 'D', id, (size_t)nid + 1);
	if (say(c, 'T', "", 0) != 'c' || !headers(c, tenant, serial) ||
	    say(c, 'N', "", 0) != 'c')
		return false;
	for (long at = 0; at < run.bytes; at += 65535) {
		long rest = run.bytes - at;

		verdict = say(c, 'B', run.body + at,
		    (size_t)(rest < 65535 ? rest : 65535));
		if (verdict == 's')
			break;
		if (verdict != 'c')
			return false;
	}
	id[0] = 'E';
	put(c, 'D', id, (size_t)nid + 1);
	verdict = say(c, 'E', "", 0);
	return verdict == 'c' || verdict == 'a';
}

/* work - messages until the time is over or everyone had a turn */
static void *
work(void *argument)
{
	struct connection *c = argument;
	int tenant;

	greet(c);
	while (!atomic_load(&run.over) && (tenant = pick(c)) != -1) {
		int64_t began = now();
		uint32_t took;

		if (message(c, tenant, c->sent))
			c->accepted++;
		else
			c->refused++;
		took = (uint32_t)(now() - began);
		c->latency[c->sent++ % LATENCIES] = took;
		if (took > c->longest)
			c->longest = took;
		if (run.pause > 0)
			usleep((useconds_t)run.pause * 1000);
	}
	put(c, 'Q', "", 0);
	flush(c);
	close(c->fd);
	return NULL;
}

/* prepare - the body: lines of 76 letters; the sums of Zipf's law */
static void
prepare(void)
{
	double sum = 0;

	if ((run.body = malloc((size_t)run.bytes + 1)) == NULL ||
	    (run.zipf = calloc((size_t)run.keys, sizeof(double))) == NULL)
		die("memory");
	for (long i = 0; i < run.bytes; i++)
		run.body[i] = i % 78 == 76 ? '\r' : i % 78 == 77 ? '\n' :
		    i % 7 == 6 ? ' ' : (char)('a' + i % 26);
	run.body[run.bytes - 2] = '\r';
	run.body[run.bytes - 1] = '\n';
	for (int i = 0; i < run.keys; i++)
		sum += 1.0 / (i + 1);
	for (int i = 0; i < run.keys; i++)
		run.zipf[i] = (i > 0 ? run.zipf[i - 1] : 0) +
		    1.0 / (i + 1) / sum;
}

static int
by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* print - what all connections saw, as JSON */
static void
print(struct connection *const *all, int64_t took)
{
	uint32_t *latency;
	size_t n = 0;
	long accepted = 0, refused = 0;
	uint32_t longest = 0;
	struct rusage use;

	latency = calloc((size_t)run.connections, LATENCIES * sizeof(uint32_t));
	if (latency == NULL)
		die("memory");
	for (int i = 0; i < run.connections; i++) {
		size_t have = (size_t)all[i]->sent;

		if (have > LATENCIES)
			have = LATENCIES;
		memcpy(latency + n, all[i]->latency, have * sizeof(uint32_t));
		n += have;
		accepted += all[i]->accepted;
		refused += all[i]->refused;
		if (all[i]->longest > longest)
			longest = all[i]->longest;
	}
	qsort(latency, n, sizeof(uint32_t), by_size);
	getrusage(RUSAGE_SELF, &use);
	printf("{\"accepted\": %ld, \"refused\": %ld, \"seconds\": %.3f, "
	    "\"p50\": %u, \"p99\": %u, \"longest\": %u, "
	    "\"client_cpu\": %.3f}\n", accepted, refused,
	    (double)took / 1e6, n > 0 ? latency[n / 2] : 0,
	    n > 0 ? latency[n - 1 - n / 100] : 0, longest,
	    (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	    (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6);
	free(latency);
}

int
main(int argc, char **argv)
{
	struct connection **all;
	int64_t began;
	int option;

	while ((option = getopt(argc, argv, "b:c:d:k:op:s:t:")) != -1) {
		switch (option) {
		case 'b': run.bytes = atol(optarg); break;
		case 'c': run.connections = atoi(optarg); break;
		case 'd': run.seconds = atoi(optarg); break;
		case 'k': run.keys = atoi(optarg); break;
		case 'o': run.once = true; break;
		case 'p': run.pause = atoi(optarg); break;
		case 's': run.path = optarg; break;
		case 't': run.tenants = atoi(optarg); break;
		default: run.path = NULL; optind = argc; break;
		}
	}
	if (run.path == NULL || run.bytes < 2 || run.connections < 1 ||
	    run.keys < 1 || run.tenants < run.keys) {
		fprintf(stderr, "usage: load -s SOCKET [-c CONNECTIONS] "
		    "[-d SECONDS | -o] [-b BYTES] [-t TENANTS] [-k KEYS] "
		    "[-p MS]\n");
		return 2;
	}
	prepare();
	if ((all = calloc((size_t)run.connections, sizeof(*all))) == NULL)
		die("memory");
	began = now();
	for (int i = 0; i < run.connections; i++) {
		if ((all[i] = calloc(1, sizeof(**all))) == NULL ||
		    (all[i]->latency = calloc(LATENCIES,
		    sizeof(uint32_t))) == NULL)
			die("memory");
		all[i]->random = UINT64_C(0x9e3779b97f4a7c15) *
		    (uint64_t)(i + 1);
		if (pthread_create(&all[i]->thread, NULL, work, all[i]) != 0)
			die("a thread");
	}
	if (!run.once) {
		sleep((unsigned)run.seconds);
		atomic_store(&run.over, true);
	}
	for (int i = 0; i < run.connections; i++)
		pthread_join(all[i]->thread, NULL);
	print(all, now() - began);
	return 0;
}
