/*
 * policy_files - a folder with policy files and keys, for unit tests.
 *
 * files_begin makes an empty folder and goes into it; keys/ has good.rsa,
 * good.ed, short.rsa (1024 bits), open.rsa (mode 0644) and text (no key).
 * files_end takes the folder away.  Included by one test program each.
 */
#ifndef TESTS_UNIT_POLICY_FILES_H
#define TESTS_UNIT_POLICY_FILES_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

static char files_dir[64];
static char files_keys_dir[64];

/* files_write - a file and the folders above it; no text: a folder */
static void
files_write(const char *path, const char *text, size_t n)
{
	char copy[256];
	FILE *out;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *p = strchr(copy, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		mkdir(copy, 0755);
		*p = '/';
	}
	out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, n, out), n);
	assert_int_equal(fclose(out), 0);
}

/* files_key - generate one into a PEM file */
static void
files_key(const char *path, EVP_PKEY *key, mode_t mode)
{
	FILE *out = fopen(path, "w");

	assert_non_null(key);
	assert_non_null(out);
	assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL,
	    NULL), 1);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
	EVP_PKEY_free(key);
}

/* files_keys - group set-up: the keys are made once */
static int
files_keys(void **state)
{
	char old[4096];

	(void)state;
	snprintf(files_keys_dir, sizeof(files_keys_dir),
	    "/tmp/penstock-keys-XXXXXX");
	if (getcwd(old, sizeof(old)) == NULL ||
	    mkdtemp(files_keys_dir) == NULL || chdir(files_keys_dir) == -1)
		return -1;
	files_key("good.rsa", EVP_RSA_gen(2048), 0600);
	files_key("open.rsa", EVP_RSA_gen(2048), 0644);
	files_key("short.rsa", EVP_RSA_gen(1024), 0600);
	files_key("good.ed", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), 0600);
	files_write("text", "hello\n", 6);
	chmod("text", 0600);
	return chdir(old);
}

/* files_unlink - for nftw */
static int
files_unlink(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* files_no_keys - group tear-down */
static int
files_no_keys(void **state)
{
	(void)state;
	return nftw(files_keys_dir, files_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

/* files_begin - into an empty folder with keys */
static void
files_begin(void)
{
	snprintf(files_dir, sizeof(files_dir), "/tmp/penstock-policy-XXXXXX");
	assert_non_null(mkdtemp(files_dir));
	assert_int_equal(chdir(files_dir), 0);
	assert_int_equal(symlink(files_keys_dir, "keys"), 0);
}

/* files_end - the folder and everything in it are gone */
static void
files_end(void)
{
	assert_int_equal(chdir("/tmp"), 0);
	nftw(files_dir, files_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
