/*
 * gate_world - a gate without libmilter for tests: a real policy, ledger,
 * writer and store in a temporary folder, and the dialogue as functions.
 */
#ifndef TESTS_UNIT_GATE_WORLD_H
#define TESTS_UNIT_GATE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/provider.h"
#include "milter/stage.h"

#define NOW	(INT64_C(1795000000) * CLOCK_SECOND)

static const char policy_text[] =
    "unknown_sender = \"refuse\"\n"
    "trusted { clients = {\"192.0.2.0/24\"}  identify = \"from-domain\" }\n"
    "tenant \"acme\" {\n"
    "	logins = {\"acme\"}\n"
    "	domains = {\"acme.example\"}\n"
    "	cap \"daily\" { limit = \"10/day\" }\n"
    "	dkim \"s1\" { domain = \"acme.example\"  key = \"acme.rsa\" }\n"
    "}\n"
    "tenant \"bare\" {\n"
    "	logins = {\"bare\"}  domains = {\"bare.example\"}\n"
    "}\n"
    "tenant \"late\" {\n"
    "	logins = {\"late\"}  domains = {\"late.example\"}\n"
    "	dkim \"s1\" { domain = \"late.example\"  key = \"late.rsa\" }\n"
    "}\n"
    "tenant \"odd\" {\n"
    "	logins = {\"odd\"}  domains = {\"odd.example\"}\n"
    "	dkim \"s1\" { domain = \"odd.example\"  key = \"odd.rsa\"\n"
    "	    algorithm = \"rsa-sha256\" }\n"
    "}\n";

static char folder[64] = "/tmp/penstock-session-XXXXXX";
static struct config config;
static struct gate gate;

static inline const char *
at(const char *name)
{
	static char path[4][200];
	static unsigned n;
	char *p = path[n++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
	return p;
}

static inline void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline void
write_key(const char *path, bool rsa)
{
	EVP_PKEY *key = rsa ?
	    EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048) :
	    EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	FILE *f = fopen(path, "w");

	assert_non_null(key);
	assert_non_null(f);
	assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL,
	    NULL), 1);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
	EVP_PKEY_free(key);
}

static inline struct policy *
load(const char *path)
{
	struct policy_load args = { .path = path, .keys = config.keys };
	struct arena *arena = arena_new(4096, 0);
	struct problems problems;
	struct policy *p = NULL;
	struct why why;

	problems_init(&problems, arena);
	if (policy_load(&args, &p, &problems, &why) != 1)
		fail_msg("policy: %s", problems.first != NULL ?
		    problems.first->text : why.text);
	arena_free(arena);
	return p;
}

static inline int
setup(void **state)
{
	struct why why;

	(void)state;
	log_open("session", false, LOG_LEVEL_ERROR);
	assert_non_null(mkdtemp(folder));
	assert_int_equal(provider_init(&why), 0);
	config = (struct config){ .keys = strdup(folder) };
	config.milter.instance = "mx1";
	config.milter.max_sessions = 100;
	write_key(at("acme.rsa"), true);
	write_key(at("late.rsa"), true);
	write_key(at("odd.rsa"), true);
	write_file(at("policy.conf"), policy_text);
	clock_set(NOW);
	gate.config = &config;
	pthread_mutex_init(&gate.policy_lock, NULL);
	gate.policy = load(at("policy.conf"));
	/* what was good when the policy was loaded */
	assert_int_equal(unlink(at("late.rsa")), 0);
	write_key(at("odd.rsa"), false);
	assert_non_null(gate.ledger = ledger_new());
	assert_non_null(gate.keys = key_cache_new(0));
	if (store_open(&gate.store, at("gate"), 64 << 20, &why) == -1 ||
	    writer_start(&gate.writer, gate.store, gate.ledger, 0,
	    &why) == -1)
		fail_msg("%s", why.text);
	return 0;
}

static inline int
teardown(void **state)
{
	char *rm;

	(void)state;
	writer_stop(gate.writer);
	store_close(gate.store);
	policy_drop(gate.policy);
	key_cache_free(gate.keys);
	ledger_free(gate.ledger);
	for (const char *const *f = (const char *const []){ "gate/data.mdb",
	    "gate/lock.mdb", "gate/owner.lock", "acme.rsa", "odd.rsa",
	    "policy.conf", "other.conf", NULL }; *f != NULL; f++)
		(void)unlink(at(*f));
	(void)rmdir(at("gate"));
	(void)rmdir(folder);
	rm = (char *)(uintptr_t)config.keys;
	free(rm);
	return 0;
}

/* A new day, so that no test sees what another spent. */
static inline struct session *
fresh(void)
{
	static int day;
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct session *s;

	clock_set(NOW + ++day * CLOCK_DAY);
	inet_pton(AF_INET, "198.51.100.7", &in.sin_addr);
	s = session_new(&gate, (struct sockaddr *)&in);
	assert_non_null(s);
	return s;
}

static inline void
done(struct session *s)
{
	struct ledger_stat stat;

	session_free(s);
	assert_int_equal(atomic_load(&gate.messages), 0);
	assert_int_equal(atomic_load(&gate.sessions), 0);
	ledger_stat(gate.ledger, &stat);
	assert_int_equal(stat.claims, 0);
}

static inline enum turn
mail(struct session *s, const char *login, const char *from)
{
	char *args[] = { NULL };
	struct envelope e = { .from = slice_of(from), .args = args,
		.login = slice_of(login), .listener = SLICE("smtpd") };
	struct answer a = { .code = NULL };
	enum turn t = stage_mail(s, &e, &a);

	if (t != TURN_ON)
		message_settle(s);
	return t;
}

static inline enum turn
rcpt(struct session *s, const char *to)
{
	struct answer a;

	return stage_rcpt(s, slice_of(to), SLICE("smtp"), &a);
}

static inline void
head(struct session *s, const char *from)
{
	stage_header(s, SLICE("Received"), SLICE("from a\n\tby b"));
	stage_header(s, SLICE("From"), slice_of(from));
	stage_header(s, SLICE("X-Penstock-Pool "), SLICE("forged"));
	stage_header(s, SLICE("Message-ID"), SLICE(" <1@acme.example> "));
	stage_header(s, SLICE("x-penstock-pool"), SLICE("forged too"));
}

/* To the verdict at the end, as gate.c would; edits work when apply is. */
static inline enum turn
rest(struct session *s, const char *from, bool apply, struct answer *a)
{
	static const struct why refused = { .text = "no such edit" };
	enum turn t;

	head(s, from);
	if ((t = stage_eoh(s, a)) == TURN_ON)
		t = stage_body(s, "Hello\r\n", 7, a);
	else
		goto out;
	if (t == TURN_ON)
		t = stage_eom(s, SLICE("4xQUEUEzID"), a);
	if (t == TURN_ACCEPT)
		t = stage_applied(s, apply ? NULL : &refused, a);
out:
	message_settle(s);
	return t;
}

static inline enum turn
message(struct session *s, const char *login, const char *from, size_t rcpts)
{
	struct answer a;
	enum turn t = mail(s, login, from);

	if (t != TURN_ON)
		return t;
	for (size_t i = 0; i < rcpts; i++)
		(void)rcpt(s, "<x@example.org>");
	return rest(s, from, true, &a);
}

static inline struct arena *
last_event(struct event *e)
{
	struct arena *arena = arena_new(4096, 0);
	struct slice bytes;
	struct why why;
	uint64_t seq;
	int64_t time;
	size_t got;

	assert_int_equal(store_last(gate.store, &seq, &time, &why), 0);
	assert_int_equal(store_read(gate.store, seq, 1, arena, &bytes, &got,
	    &why), 0);
	assert_int_equal(got, 1);
	assert_int_equal(event_decode(bytes, e, arena, &why), 0);
	return arena;
}

static inline uint64_t
last_seq(void)
{
	uint64_t seq;
	int64_t time;
	struct why why;

	assert_int_equal(store_last(gate.store, &seq, &time, &why), 0);
	return seq;
}

#define want(slice, text) \
	do { \
		if (!slice_is((slice), (text))) \
			fail_msg("%s: got \"%.*s\", want \"%s\"", #slice, \
			    SLICE_ARG(slice), (text)); \
	} while (0)

#endif
