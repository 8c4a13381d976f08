/*
 * lmtp_serve and lmtp_send - over a real socket, against each other.  A thread
 * turns the server; what it was given is compared with what was sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/lmtp_send.h"
#include "lib/lmtp_serve.h"

#define PATIENCE	(60 * CLOCK_SECOND)

struct house {
	int		 fd;
	struct lmtp_server *server;
	pthread_t	 thread;
	atomic_bool	 stop;
	struct buf	 got;		/* by the thread, until it is joined */
	size_t		 together;	/* most messages in one delivery */
};

static char folder[64], path[96], where[112];

/* recipient - no@... is not here */
static void
recipient(void *self, struct lmtp *l)
{
	const struct lmtp_mail *m = lmtp_mail(l);

	(void)self;
	if (m->recipients[m->nrecipients - 1].p[0] == 'n')
		lmtp_reply(l, "550 5.1.1 not here");
	else
		lmtp_reply(l, "250 2.1.5 fine");
}

/* deliver - noted; later@... is asked to come again */
static void
deliver(void *self, struct lmtp **all, size_t n)
{
	struct house *h = self;

	if (n > h->together)
		h->together = n;
	for (size_t i = 0; i < n; i++) {
		const struct lmtp_mail *m = lmtp_mail(all[i]);
		size_t r = m->nrecipients;

		buf_printf(&h->got, "<%.*s>%zu[", SLICE_ARG(m->sender), r);
		buf_slices(&h->got, m->message);
		buf_char(&h->got, ']');
		for (size_t k = 0; k < r; k++)
			if (m->recipients[k].p[0] == 'l')
				lmtp_reply(all[i], "451 4.3.0 later");
			else
				lmtp_reply(all[i], "250 2.0.0 kept %zu", k);
	}
}

/* turn - until it is told to stop */
static void *
turn(void *self)
{
	struct pollfd fds[LMTP_SLOTS + 1];
	struct house *h = self;
	size_t n;

	while (!h->stop) {
		n = lmtp_server_poll(h->server, fds);
		assert_true(lmtp_server_due(h->server) <= LMTP_SILENCE);
		poll(fds, n, 20);
		lmtp_server_turn(h->server, fds, n);
	}
	return NULL;
}

/* call - a connection that says nothing yet */
static int
call(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

/* say - and not wait */
static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL),
	    (ssize_t)strlen(text));
}

/* hears - reads until the text has come */
static bool
hears(int fd, const char *text)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char in[8192];
	size_t n = 0;
	ssize_t got;

	while (n < sizeof(in) - 1 && poll(&p, 1, 60000) == 1) {
		if ((got = recv(fd, in + n, sizeof(in) - 1 - n, 0)) <= 0)
			return false;
		n += (size_t)got;
		in[n] = '\0';
		if (strstr(in, text) != NULL)
			return true;
	}
	return false;
}

static int
setup(void **state)
{
	static const struct lmtp_rules rules = { .name = "mail.example",
		.size_max = 1 << 20, .recipients_max = 10,
		.held_max = 8 << 20, .asks = true };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct lmtp_service service = { recipient, deliver, NULL };
	struct house *h = calloc(1, sizeof(*h));

	snprintf(folder, sizeof(folder), "/tmp/penstock-lmtp.XXXXXX");
	if (h == NULL || mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/socket", folder);
	snprintf(where, sizeof(where), "unix:%s", path);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	h->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(h->fd, (struct sockaddr *)&un, sizeof(un)) == -1 ||
	    listen(h->fd, 64) == -1)
		return -1;
	service.self = h;
	h->server = lmtp_server_new(h->fd, &rules, &service);
	*state = h;
	return h->server == NULL ||
	    pthread_create(&h->thread, NULL, turn, h) != 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	struct house *h = *state;

	lmtp_server_free(h->server);
	close(h->fd);
	unlink(path);
	rmdir(folder);
	buf_free(&h->got);
	free(h);
	return 0;
}

/* stop - the thread; from here on the transcript is ours */
static struct slice
stop(struct house *h)
{
	h->stop = true;
	pthread_join(h->thread, NULL);
	return buf_slice(&h->got);
}

/* hand_over - by lmtp_send */
static int
hand_over(const char *message, const struct slice *to, size_t n,
    struct lmtp_answer *answers, struct why *why)
{
	struct lmtp_to lmtp = { .where = where, .name = "here.example",
	    .patience = PATIENCE };

	return lmtp_send(&lmtp, SLICE("s@a.example"), to, n, false,
	    slice_of(message), answers, why);
}

static void
a_message_arrives_as_it_was_sent(void **state)
{
	const struct slice to[] = { SLICE("a@b"), SLICE("no@b"),
		SLICE("later@b"), SLICE("c@b") };
	struct lmtp_answer answers[4];
	struct why why;

	if (hand_over("Subject: x\n\n.dot\r\n..two\rlast", to, 4, answers,
	    &why) == -1)
		fail_msg("%s", why.text);
	assert_int_equal(answers[0].code, 250);
	assert_string_equal(answers[0].text, "250 2.0.0 kept 0");
	assert_int_equal(answers[1].code, 550);
	assert_int_equal(answers[2].code, 451);
	assert_string_equal(answers[3].text, "250 2.0.0 kept 2");
	assert_true(slice_is(stop(*state), "<s@a.example>3[Subject: x\r\n\r\n"
	    ".dot\r\n..two\r\nlast\r\n]"));
}

static void
nobody_is_wanted(void **state)
{
	const struct slice to[] = { SLICE("no@b") };
	struct lmtp_answer answer;
	struct why why;

	assert_int_equal(hand_over("x", to, 1, &answer, &why), 0);
	assert_int_equal(answer.code, 550);
	assert_true(slice_is(stop(*state), ""));
}

static void
slow_clients_do_not_stand_in_the_way(void **state)
{
	const struct slice to[] = { SLICE("a@b") };
	struct lmtp_answer answer;
	int slow[LMTP_SLOTS - 1];
	struct why why;

	for (size_t i = 0; i < LMTP_SLOTS - 1; i++) {
		slow[i] = call();
		say(slow[i], "LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\n"
		    "DATA\r\nhalf a li");
	}
	if (hand_over("quick\n", to, 1, &answer, &why) == -1)
		fail_msg("%s", why.text);
	assert_int_equal(answer.code, 250);
	/* and they get theirs in the end */
	for (size_t i = 0; i < LMTP_SLOTS - 1; i++)
		say(slow[i], "ne\r\n.\r\n");
	for (size_t i = 0; i < LMTP_SLOTS - 1; i++) {
		assert_true(hears(slow[i], "250 2.0.0 kept"));
		close(slow[i]);
	}
	stop(*state);
}

static void
silent_ones_make_room_when_the_house_is_full(void **state)
{
	const struct slice to[] = { SLICE("a@b") };
	struct lmtp_answer answer;
	int silent[LMTP_SLOTS];
	struct why why;

	for (size_t i = 0; i < LMTP_SLOTS; i++) {
		silent[i] = call();
		assert_true(hears(silent[i], "220 "));
	}
	if (hand_over("in the end\n", to, 1, &answer, &why) == -1)
		fail_msg("%s", why.text);
	assert_int_equal(answer.code, 250);
	for (size_t i = 0; i < LMTP_SLOTS; i++)
		close(silent[i]);
	stop(*state);
}

static void
a_pipeline_of_messages_is_answered_in_order(void **state)
{
	int fd = call();

	say(fd, "LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@b>\r\n"
	    "DATA\r\none\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n"
	    "two\r\n.\r\nQUIT\r\n");
	assert_true(hears(fd, "250 2.0.0 kept 0\r\n250 2.0.0 kept 1\r\n"
	    "250 2.1.0 fine\r\n250 2.1.5 fine\r\n354 end with a line that is "
	    "a dot\r\n250 2.0.0 kept 0\r\n221 2.0.0 bye\r\n"));
	close(fd);
	assert_true(slice_is(stop(*state), "<>2[one\r\n]<>1[two\r\n]"));
}

static void
a_client_that_leaves_is_forgotten(void **state)
{
	static const char all[] = "LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>"
	    "\r\nDATA\r\nx\r\n.\r\n";
	const struct slice to[] = { SLICE("a@b") };
	struct lmtp_answer answer;
	struct why why;

	for (size_t n = 0; n < sizeof(all) - 3; n++) {
		int fd = call();

		assert_int_equal(send(fd, all, n, MSG_NOSIGNAL), (ssize_t)n);
		close(fd);
	}
	if (hand_over("still here\n", to, 1, &answer, &why) == -1)
		fail_msg("%s", why.text);
	assert_true(slice_is(stop(*state), "<s@a.example>1[still here\r\n]"));
}

static void
a_drain_lets_messages_finish(void **state)
{
	struct pollfd fds[LMTP_SLOTS + 1];
	struct house *h = *state;
	int idle = call(), busy = call();
	size_t n, left = 2;

	assert_true(hears(idle, "220 "));
	say(busy, "LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n");
	assert_true(hears(busy, "354 "));
	stop(h);
	assert_int_equal(lmtp_server_drain(h->server), 1);
	assert_true(hears(idle, "421 4.3.2 going down"));
	say(busy, "x\r\n.\r\n");
	for (int64_t until = clock_mono() + PATIENCE; left > 0 &&
	    clock_mono() < until; left = lmtp_server_drain(h->server)) {
		n = lmtp_server_poll(h->server, fds);
		poll(fds, n, 20);
		lmtp_server_turn(h->server, fds, n);
	}
	assert_int_equal(left, 0);
	assert_true(hears(busy, "250 2.0.0 kept 0"));
	close(idle);
	close(busy);
}

static void
the_other_side_is_described_when_it_fails(void **state)
{
	const struct slice to[] = { SLICE("a@b") };
	struct lmtp_to lmtp = { .where = "unix:/nonexistent/socket",
	    .name = "x", .patience = PATIENCE };
	struct lmtp_answer answer;
	struct why why;

	assert_int_equal(lmtp_send(&lmtp, SLICE(""), to, 1, false,
	    SLICE("x"), &answer, &why), -1);
	assert_non_null(strstr(why.text, "unix:/nonexistent/socket: cannot "
	    "connect"));
	lmtp.where = "carrier pigeon";
	assert_int_equal(lmtp_send(&lmtp, SLICE(""), to, 1, false,
	    SLICE("x"), &answer, &why), -1);
	/* SMTP to a server of LMTP is refused */
	lmtp.where = where;
	lmtp.smtp = true;
	assert_int_equal(lmtp_send(&lmtp, SLICE(""), to, 1, false,
	    SLICE("x"), &answer, &why), -1);
	assert_non_null(strstr(why.text, "500 5.5.1 this is LMTP"));
	stop(*state);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_message_arrives_as_it_was_sent),
		TEST(nobody_is_wanted),
		TEST(slow_clients_do_not_stand_in_the_way),
		TEST(silent_ones_make_room_when_the_house_is_full),
		TEST(a_pipeline_of_messages_is_answered_in_order),
		TEST(a_client_that_leaves_is_forgotten),
		TEST(a_drain_lets_messages_finish),
		TEST(the_other_side_is_described_when_it_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
