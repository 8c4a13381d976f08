/*
 * key - every way a key file can be wrong, with the sentence the postmaster
 * reads, and the cache: what it keeps, what it forgets, and what a hit costs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "lib/key.h"

static char dir[] = "/tmp/penstock-key-XXXXXX";
static char *rsa2048, *rsa1024, *ed, *locked, *ec, *public_half;

/* pem - the text of a key, locked with a phrase or not */
static char *
pem(EVP_PKEY *key, bool public, const char *phrase)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *data;
	long n;
	int ok;

	assert_non_null(key);
	ok = public ? PEM_write_bio_PUBKEY(bio, key) :
	    PEM_write_bio_PKCS8PrivateKey(bio, key,
	    phrase != NULL ? EVP_aes_128_cbc() : NULL, phrase,
	    phrase != NULL ? (int)strlen(phrase) : 0, NULL, NULL);
	assert_int_equal(ok, 1);
	n = BIO_get_mem_data(bio, &data);
	text = calloc(1, (size_t)n + 1);	/* data has no NUL behind */
	assert_non_null(text);
	memcpy(text, data, (size_t)n);
	BIO_free(bio);
	return text;
}

/* setup - keys made once, and a folder for them */
static int
setup(void **state)
{
	EVP_PKEY *big = EVP_RSA_gen(2048), *small = EVP_RSA_gen(1024);
	EVP_PKEY *curve = EVP_EC_gen("P-256");
	EVP_PKEY *edwards = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	rsa2048 = pem(big, false, NULL);
	locked = pem(big, false, "secret");
	public_half = pem(big, true, NULL);
	rsa1024 = pem(small, false, NULL);
	ec = pem(curve, false, NULL);
	ed = pem(edwards, false, NULL);
	EVP_PKEY_free(big);
	EVP_PKEY_free(small);
	EVP_PKEY_free(curve);
	EVP_PKEY_free(edwards);
	return 0;
}

/* path_of - a name in the folder; good until the fourth call after */
static const char *
path_of(const char *name)
{
	static char paths[4][256];
	static unsigned at;
	char *p = paths[at++ % 4];

	snprintf(p, sizeof(paths[0]), "%s/%s", dir, name);
	return p;
}

/* put - a file of that text and mode */
static const char *
put(const char *name, const char *text, size_t n, mode_t mode)
{
	const char *path = path_of(name);
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd != -1);
	assert_int_equal(write(fd, text, n), (ssize_t)n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	return path;
}

/* teardown - the folder goes */
static int
teardown(void **state)
{
	char path[300];

	(void)state;
	free(rsa2048);
	free(rsa1024);
	free(ed);
	free(locked);
	free(ec);
	free(public_half);
	for (int i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "%s/k%d", dir, i);
		unlink(path);
	}
	unlink(path_of("key"));
	unlink(path_of("link"));
	return rmdir(dir);
}

/* want_refused - by key_judge, and by key_stat too when looking is enough */
static void
want_refused(const char *name, const char *path, bool by_stat,
    const char *sentence)
{
	enum key_type type;
	const char *warning;
	struct why why = { .text = "" };
	int bits;

	if (key_judge(path, &type, &bits, &warning, &why) != -1)
		fail_msg("%s: got accepted, want \"%s\"", name, sentence);
	if (strstr(why.text, sentence) == NULL ||
	    strstr(why.text, path) == NULL)
		fail_msg("%s: got \"%s\", want the path and \"%s\"", name,
		    why.text, sentence);
	if (key_stat(path, &why) != (by_stat ? -1 : 0))
		fail_msg("%s: key_stat got %s", name, by_stat ? "fine" :
		    why.text);
}

struct text_case {
	const char	*name, *text, *sentence;
};

/* contents - files that can be read and are no key */
static void
contents(void **state)
{
	char *cut = strndup(rsa2048, 900);
	char *tail = strdup(rsa2048), *swap = strdup(rsa2048);
	const struct text_case cases[] = {
		{ "a text", "hello\n", "not a PEM file" },
		{ "a key cut short", cut, "cut short" },
		{ "a key with a byte lost in its middle", tail, "damaged" },
		{ "a key with other bits", swap, "damaged" },
		{ "a locked key", locked, "passphrase" },
		{ "a public key", public_half, "public half" },
		{ "an EC key", ec, "DKIM knows RSA and Ed25519" },
		{ "a certificate",
		  "-----BEGIN CERTIFICATE-----\nAAAA\n"
		  "-----END CERTIFICATE-----\n", "certificate" },
		{ "an OpenSSH key",
		  "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"
		  "-----END OPENSSH PRIVATE KEY-----\n", "OpenSSH" },
		{ "an empty PEM",
		  "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
		  "damaged" },
	};

	(void)state;
	memmove(tail + 800, tail + 801, strlen(tail + 801) + 1);
	swap[200] = swap[200] == 'A' ? 'B' : 'A';	/* in the modulus */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		want_refused(cases[i].name, put("key", cases[i].text,
		    strlen(cases[i].text), 0600), false, cases[i].sentence);
	free(cut);
	free(tail);
	free(swap);
}

/* files - what the file system shows */
static void
files(void **state)
{
	char *huge = calloc(1, 70000);
	const char *path;

	(void)state;
	want_refused("no file", path_of("none"), true, "No such file");
	want_refused("an empty file", put("key", "", 0, 0600), true, "empty");
	want_refused("a huge file", put("key", huge, 70000, 0600), true,
	    "too many");
	free(huge);
	want_refused("readable by all", put("key", ed, strlen(ed), 0644), true,
	    "mode 0644");
	want_refused("readable by the group", put("key", ed, strlen(ed),
	    0640), true, "mode 0640");
	want_refused("writable by all", put("key", ed, strlen(ed), 0602), true,
	    "mode 0602");
	unlink(path_of("key"));

	assert_int_equal(mkfifo(path_of("key"), 0600), 0);
	want_refused("a fifo does not hold us up", path_of("key"), true,
	    "not a regular file");
	unlink(path_of("key"));
	assert_int_equal(mkdir(path_of("key"), 0700), 0);
	want_refused("a folder", path_of("key"), true, "folder");
	rmdir(path_of("key"));

	path = put("key", ed, strlen(ed), 0600);
	assert_int_equal(chmod(dir, 0777), 0);
	want_refused("a folder that all may write", path, true,
	    "anybody may replace");
	assert_int_equal(chmod(dir, 01777), 0);
	assert_int_equal(key_stat(path, &(struct why){ .text = "" }), 0);
	assert_int_equal(chmod(dir, 0700), 0);
	if (geteuid() != 0) {
		assert_int_equal(chmod(path, 0000), 0);
		want_refused("not ours to read", path, true, "cannot read");
	}
}

/* links - a symbolic link is followed, and its target judged */
static void
links(void **state)
{
	struct why why;

	(void)state;
	put("key", ed, strlen(ed), 0600);
	assert_int_equal(symlink("key", path_of("link")), 0);
	assert_int_equal(key_stat(path_of("link"), &why), 0);
	put("key", ed, strlen(ed), 0644);
	want_refused("a link to a key for all", path_of("link"), true,
	    "mode 0644");
	unlink(path_of("key"));
	want_refused("a link to nothing", path_of("link"), true,
	    "No such file");
	unlink(path_of("link"));
}

/* group - root's file for the group of the service */
static void
group(void **state)
{
	const char *path;
	struct why why;

	(void)state;
	if (geteuid() != 0)
		skip();
	path = put("key", ed, strlen(ed), 0640);
	assert_int_equal(chown(path, 0, 12345), 0);
	assert_int_equal(key_stat(path, &why), 0);	/* root checks for it */
	assert_int_equal(chmod(path, 0660), 0);
	assert_int_equal(key_stat(path, &why), -1);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(key_stat(path, &why), -1);
	assert_int_equal(chown(path, 54321, 12345), 0);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(key_stat(path, &why), -1);
}

/* good - what is accepted, with its warning and its record */
static void
good(void **state)
{
	enum key_type type;
	const char *warning;
	char record[1000];
	const struct key *key;
	struct key_cache *cache = key_cache_new(0);
	struct why why = { .text = "" };
	int bits;

	(void)state;
	assert_int_equal(key_judge(put("key", rsa2048, strlen(rsa2048), 0600),
	    &type, &bits, &warning, &why), 0);
	assert_int_equal(type, KEY_RSA);
	assert_int_equal(bits, 2048);
	assert_null(warning);
	assert_int_equal(key_judge(put("key", rsa1024, strlen(rsa1024), 0400),
	    &type, &bits, &warning, &why), 0);
	assert_int_equal(bits, 1024);
	assert_non_null(strstr(warning, "2048"));

	assert_int_equal(key_get(cache, put("key", ed, strlen(ed), 0600), &key,
	    &why), 0);
	assert_int_equal(key->type, KEY_ED25519);
	assert_string_equal(key_algorithms[key->type], "ed25519-sha256");
	assert_int_equal(key_record(key, record, sizeof(record), &why), 0);
	assert_int_equal(strncmp(record, "v=DKIM1; k=ed25519; p=", 22), 0);
	assert_int_equal((int)strlen(record), 22 + 44);
	assert_int_equal(key_record(key, record, 66, &why), -1);
	key_release(cache, key);
	key_cache_free(cache);
}

/* small_rsa - fewer than 1024 bits are refused */
static void
small_rsa(void **state)
{
	EVP_PKEY *key = EVP_RSA_gen(512);
	char *text = pem(key, false, NULL);

	(void)state;
	want_refused("512 bits", put("key", text, strlen(text), 0600), false,
	    "512 bits");
	EVP_PKEY_free(key);
	free(text);
}

/* name_of - the n-th key file */
static const char *
name_of(int n)
{
	static char name[16];

	snprintf(name, sizeof(name), "k%d", n);
	return name;
}

/* lru - the cache keeps the ones used last, and gives out the same key */
static void
lru(void **state)
{
	struct key_cache *cache = key_cache_new(3);
	const struct key *first, *again, *other;
	struct why why;

	(void)state;
	for (int i = 0; i < 4; i++)
		put(name_of(i), ed, strlen(ed), 0600);
	assert_int_equal(key_get(cache, path_of("k0"), &first, &why), 0);
	for (int i = 1; i < 3; i++) {
		assert_int_equal(key_get(cache, path_of(name_of(i)), &other,
		    &why), 0);
		key_release(cache, other);
	}
	assert_int_equal(key_get(cache, path_of("k0"), &again, &why), 0);
	assert_ptr_equal(first, again);
	/* k1 is the oldest now and goes; k0 stays */
	assert_int_equal(key_get(cache, path_of("k3"), &other, &why), 0);
	key_release(cache, other);
	unlink(path_of("k0"));
	unlink(path_of("k1"));
	key_release(cache, again);
	assert_int_equal(key_get(cache, path_of("k0"), &again, &why), 0);
	assert_ptr_equal(first, again);
	assert_int_equal(key_get(cache, path_of("k1"), &other, &why), -1);
	key_release(cache, again);
	key_cache_free(cache);
	/* a key outlives its cache while somebody holds it */
	assert_int_equal(first->type, KEY_ED25519);
	key_release(NULL, first);
}

/* refresh - changed files are read anew, unchanged ones are not */
static void
refresh(void **state)
{
	struct key_cache *cache = key_cache_new(0);
	const struct key *one, *two, *held;
	struct why why;

	(void)state;
	put("k0", ed, strlen(ed), 0600);
	put("k1", "nonsense", 8, 0600);
	assert_int_equal(key_get(cache, path_of("k0"), &one, &why), 0);
	assert_int_equal(key_get(cache, path_of("k1"), &two, &why), -1);

	/* a failure is remembered, and so is a key */
	put("k1", rsa1024, strlen(rsa1024), 0600);
	put("k0", rsa1024, strlen(rsa1024), 0600);
	assert_int_equal(key_get(cache, path_of("k1"), &two, &why), -1);
	assert_non_null(strstr(why.text, "not a PEM"));
	assert_int_equal(key_get(cache, path_of("k0"), &held, &why), 0);
	assert_ptr_equal(one, held);

	key_cache_refresh(cache);
	assert_int_equal(key_get(cache, path_of("k1"), &two, &why), 0);
	key_release(cache, two);
	assert_int_equal(key_get(cache, path_of("k0"), &two, &why), 0);
	assert_int_equal(two->type, KEY_RSA);
	assert_int_equal(one->type, KEY_ED25519);
	key_release(cache, one);
	key_release(cache, held);

	key_cache_refresh(cache);
	assert_int_equal(key_get(cache, path_of("k0"), &one, &why), 0);
	assert_ptr_equal(one, two);
	key_release(cache, one);
	key_release(cache, two);

	/* the same file with a mode that lets others in is refused then */
	assert_int_equal(chmod(path_of("k0"), 0644), 0);
	key_cache_refresh(cache);
	assert_int_equal(key_get(cache, path_of("k0"), &one, &why), -1);
	key_cache_free(cache);
}

/* prefetch - the thread parses ahead, drops what has no room, and stops */
static void
prefetch(void **state)
{
	struct key_cache *cache = key_cache_new(100);
	const struct key *key;
	struct why why;

	(void)state;
	for (int i = 0; i < 20; i++) {
		put(name_of(i), ed, strlen(ed), 0600);
		key_prefetch(cache, path_of(name_of(i)));
	}
	for (int i = 0; i < 1000; i++)
		key_prefetch(cache, "/nonexistent/key");
	/* whoever comes first parses; both ways end in a key */
	for (int i = 0; i < 20; i++) {
		assert_int_equal(key_get(cache, path_of(name_of(i)), &key,
		    &why), 0);
		key_release(cache, key);
	}
	key_cache_free(cache);
	cache = key_cache_new(1);
	for (int i = 0; i < 20; i++)
		key_prefetch(cache, path_of(name_of(i)));
	key_cache_free(cache);
}

enum { THREADS = 4, FILES = 40 };

/* hammer - one of several threads at a cache that is too small */
static void *
hammer(void *arg)
{
	struct key_cache *cache = arg;
	char path[256];
	struct why why;

	for (int i = 0; i < 2000; i++) {
		const struct key *key;

		snprintf(path, sizeof(path), "%s/k%d", dir, i * 7 % FILES);
		if (key_get(cache, path, &key, &why) == -1)
			return arg;
		if (key->type != KEY_ED25519)
			return arg;
		key_release(cache, key);
		if (i % 400 == 0)
			key_cache_refresh(cache);
		key_prefetch(cache, path);
	}
	return NULL;
}

/* threads - get, release, refresh, evict and prefetch at once */
static void
threads(void **state)
{
	struct key_cache *cache = key_cache_new(FILES - 5);
	pthread_t thread[THREADS];
	void *failed;

	(void)state;
	for (int i = 0; i < FILES; i++)
		put(name_of(i), ed, strlen(ed), 0600);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, hammer,
		    cache), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &failed);
		assert_null(failed);
	}
	key_cache_free(cache);
}

/* hit - a key that is there costs next to nothing */
static void
hit(void **state)
{
	enum { TIMES = 200000 };
	struct key_cache *cache = key_cache_new(0);
	const struct key *key;
	const char *path = put("k0", ed, strlen(ed), 0600);
	struct why why;
	clock_t start;
	double ns;

	(void)state;
	assert_int_equal(key_get(cache, path, &key, &why), 0);
	key_release(cache, key);
	unlink(path);
	start = clock();
	for (int i = 0; i < TIMES; i++) {
		if (key_get(cache, path, &key, &why) == -1)
			fail_msg("%s", why.text);
		key_release(cache, key);
	}
	ns = (double)(clock() - start) / CLOCKS_PER_SEC * 1e9 / TIMES;
	print_message("a hit and its release: %.0f ns\n", ns);
	/* twenty times what it takes, for sanitizers and busy machines */
	assert_true(ns < 5000);
	key_cache_free(cache);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),
		cmocka_unit_test(links),
		cmocka_unit_test(group),
		cmocka_unit_test(contents),
		cmocka_unit_test(good),
		cmocka_unit_test(small_rsa),
		cmocka_unit_test(lru),
		cmocka_unit_test(refresh),
		cmocka_unit_test(prefetch),
		cmocka_unit_test(threads),
		cmocka_unit_test(hit),
	};

	return cmocka_run_group_tests_name("key", tests, setup, teardown);
}
