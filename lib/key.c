/*
 * key - one key file: is it safe to use, what is in it, what must DNS say.
 *
 * A key signs a trial text that its own public half must verify, so that a
 * damaged one is found here and not by the receivers; the same signature pays
 * what OpenSSL does once per key (Montgomery form, blinding), away from mail.
 * The trial text is fixed: nobody learns anything from its signature, which
 * stays in this function.
 *
 * Not chosen: mlock of what was read (the parsed key inside OpenSSL would not
 * be covered); EVP_PKEY_check (tests the primes, 50 ms for RSA).
 */
#include "lib/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "lib/hash.h"

enum {
	FILE_MAX_BYTES = 64 << 10,
	RSA_LEAST = 1024,	/* RFC 8301, section 3.2 */
	RSA_GOOD = 2048,
	RSA_VERIFIED = 4096,	/* receivers need not go beyond */
	RSA_MOST = 16384	/* OpenSSL's own bound */
};

const char *const key_algorithms[] = {
	[KEY_RSA] = "rsa-sha256", [KEY_ED25519] = "ed25519-sha256", NULL
};

/* --- the file ------------------------------------------------------------ */

/* trouble - what the system says; our own lack of means is told apart */
static int
trouble(struct why *why, const char *path)
{
	int error = errno;

	why_errno(why, "%s", path);
	if (error == EMFILE || error == ENFILE || error == EIO)
		why->kind = WHY_MEMORY;
	return -1;
}

/* ours - is this one of the groups we run with? */
static bool
ours(gid_t gid)
{
	gid_t groups[256];
	int n;

	if (gid == getegid())
		return true;
	n = getgroups(256, groups);
	for (int i = 0; i < n; i++) {
		if (groups[i] == gid)
			return true;
	}
	return false;
}

/*
 * is_private - may nobody read it who should not?  root's file for our group is
 * the usual way of a service without root; root itself, who checks the policy
 * for that service, cannot know its group and takes any but root's own.
 */
static bool
is_private(const struct stat *st)
{
	if ((st->st_mode & 077) == 0)
		return true;
	if (st->st_uid != 0 || (st->st_mode & 0137) != 0)
		return false;
	return geteuid() == 0 ? st->st_gid != 0 : ours(st->st_gid);
}

/* judge_stat - what can be said without reading */
static int
judge_stat(const char *path, const struct stat *st, struct why *why)
{
	unsigned mode = st->st_mode & 07777;

	if (S_ISDIR(st->st_mode))
		return why_set(why, "%s: this is a folder, not a key", path);
	if (!S_ISREG(st->st_mode))
		return why_set(why, "%s: this is not a regular file", path);
	if (st->st_size == 0)
		return why_set(why, "%s: the key file is empty", path);
	if (st->st_size > FILE_MAX_BYTES)
		return why_set(why, "%s: %lld bytes are too many for a key",
		    path, (long long)st->st_size);
	if (!is_private(st))
		return why_set(why, "%s: others may read or write this key "
		    "(mode %04o); chmod 600 it, or let it be root's with mode "
		    "0640 and the group of penstock-milter", path, mode);
	return 0;
}

/* judge_folder - nobody else may put another file in its place */
static int
judge_folder(const char *path, struct why *why)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : slash == path ? 1 :
	    (size_t)(slash - path);
	char *folder = n > 0 ? strndup(path, n) : strdup(".");
	struct stat st;
	int rc = 0;

	if (folder == NULL)
		return why_kind(why, WHY_MEMORY, "%s: no memory", path);
	if (stat(folder, &st) == -1)
		rc = why_errno(why, "%s: the folder of the key", folder);
	else if ((st.st_mode & S_IWOTH) != 0 && (st.st_mode & S_ISVTX) == 0)
		rc = why_set(why, "%s: anybody may replace this key, its "
		    "folder is writable for all (mode %04o)", path,
		    (unsigned)(st.st_mode & 07777));
	free(folder);
	return rc;
}

/* key_stat - the file and the way to it, without opening anything */
int
key_stat(const char *path, struct why *why)
{
	struct stat st;
	char *real = NULL;
	int rc = -1;

	if (stat(path, &st) == -1)
		return trouble(why, path);
	if (judge_stat(path, &st, why) == -1 || judge_folder(path, why) == -1)
		goto out;
	/* behind a symbolic link, the folder of the target counts too */
	if ((real = realpath(path, NULL)) == NULL) {
		trouble(why, path);
		goto out;
	}
	if (strcmp(real, path) != 0 && judge_folder(real, why) == -1)
		goto out;
	if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == -1) {
		why_errno(why, "%s: user %u cannot read it", path,
		    (unsigned)geteuid());
		goto out;
	}
	rc = 0;
out:
	free(real);
	return rc;
}

/* slurp - the bytes of a key file and what file they came from */
static int
slurp(const char *path, char *out, size_t room, size_t *n, struct stat *st,
    struct why *why)
{
	ssize_t got = 0;
	int fd, rc = -1;

	*n = 0;
	/* a fifo must not hold us up before fstat says what it is */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return trouble(why, path);
	if (fstat(fd, st) == -1) {
		trouble(why, path);
		goto out;
	}
	if (judge_stat(path, st, why) == -1)
		goto out;
	while (*n < room && (got = read(fd, out + *n, room - *n)) != 0) {
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1) {
			trouble(why, path);
			goto out;
		}
		*n += (size_t)got;
	}
	rc = 0;
out:
	close(fd);
	return rc;
}

/* key_read - a file that is fit to hold a key, whatever is in it */
int
key_read(const char *path, char *out, size_t room, size_t *n, struct stat *st,
    struct why *why)
{
	if (key_stat(path, why) == -1 ||
	    slurp(path, out, room, n, st, why) == -1)
		return -1;
	return *n < room ? 0 : why_set(why, "%s: %zu bytes or more are too "
	    "many for a key", path, room);
}

/* --- the key in it ------------------------------------------------------- */

/* no_phrase - a daemon has nobody to ask */
static int
no_phrase(char *phrase, int size, int writing, void *asked)
{
	(void)phrase, (void)size, (void)writing;
	*(bool *)asked = true;
	return -1;
}

/* Files that people take for a private key, by the words they begin with. */
static const struct mistake {
	const char	*label, *says;
} mistakes[] = {
	{ "-----BEGIN OPENSSH PRIVATE KEY-----",
	    "this is an OpenSSH key, and mail needs PEM; make one with "
	    "openssl genpkey" },
	{ "-----BEGIN PUBLIC KEY-----",
	    "this is the public half; the private key is needed here" },
	{ "-----BEGIN RSA PUBLIC KEY-----",
	    "this is the public half; the private key is needed here" },
	{ "-----BEGIN CERTIFICATE-----",
	    "this is a certificate, not a private key" },
	{ "-----BEGIN CERTIFICATE REQUEST-----",
	    "this is a certificate request, not a private key" },
};

/* no_key - say what the file is, since it is no private key */
static int
no_key(const char *path, const char *text, size_t n, struct why *why)
{
	static const char begin[] = "-----BEGIN ", end[] = "-----END ";

	if (memmem(text, n, begin, sizeof(begin) - 1) == NULL)
		return why_set(why, "%s: this is not a PEM file (no line "
		    "-----BEGIN PRIVATE KEY-----)", path);
	if (memmem(text, n, " PRIVATE KEY-----", 17) != NULL &&
	    memmem(text, n, end, sizeof(end) - 1) == NULL)
		return why_set(why, "%s: the key is cut short (no -----END "
		    "line)", path);
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		if (memmem(text, n, mistakes[i].label,
		    strlen(mistakes[i].label)) != NULL)
			return why_set(why, "%s: %s", path, mistakes[i].says);
	}
	return why_set(why, "%s: the private key in it is damaged", path);
}

/* decode - the private key of a PEM text */
static EVP_PKEY *
decode(const char *path, const char *text, size_t n, struct why *why)
{
	EVP_PKEY *pkey = NULL;
	bool asked = false, memory;
	BIO *bio = NULL;

	if ((bio = BIO_new_mem_buf(text, (int)n)) == NULL) {
		why_kind(why, WHY_MEMORY, "%s: no memory", path);
		return NULL;
	}
	pkey = PEM_read_bio_PrivateKey(bio, NULL, no_phrase, &asked);
	memory = ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;
	ERR_clear_error();
	BIO_free(bio);
	if (pkey != NULL)
		return pkey;
	if (memory)
		why_kind(why, WHY_MEMORY, "%s: no memory", path);
	else if (asked)
		why_set(why, "%s: the key is locked with a passphrase; "
		    "openssl pkey -in OLD -out NEW takes it away", path);
	else
		no_key(path, text, n, why);
	return NULL;
}

/* judge_kind - RSA or Ed25519, and long enough */
static int
judge_kind(const char *path, struct key *key, struct why *why)
{
	const char *kind;

	key->bits = EVP_PKEY_get_bits(key->pkey);
	switch (EVP_PKEY_get_base_id(key->pkey)) {
	case EVP_PKEY_ED25519:
		key->type = KEY_ED25519;
		return 0;
	case EVP_PKEY_RSA:
		key->type = KEY_RSA;
		if (key->bits < RSA_LEAST)
			return why_set(why, "%s: an RSA key of %d bits; "
			    "receivers want %d and ignore fewer than %d",
			    path, key->bits, RSA_GOOD, RSA_LEAST);
		if (key->bits > RSA_MOST)
			return why_set(why, "%s: an RSA key of %d bits; "
			    "receivers verify up to %d", path, key->bits,
			    RSA_VERIFIED);
		return 0;
	default:
		kind = EVP_PKEY_get0_type_name(key->pkey);
		return why_set(why, "%s: a key of type %s; DKIM knows RSA and "
		    "Ed25519", path, kind != NULL ? kind : "unknown");
	}
}

/* trial - sign, and let the public half verify; warms the key up as well */
static int
trial(const char *path, const struct key *key, struct why *why)
{
	static const unsigned char text[HASH_SHA256] = "penstock";
	const EVP_MD *md = key->type == KEY_RSA ? EVP_sha256() : NULL;
	unsigned char sig[RSA_MOST / 8];
	size_t n = sizeof(sig);
	EVP_MD_CTX *sign = EVP_MD_CTX_new(), *verify = EVP_MD_CTX_new();
	int rc = 0;

	if (sign == NULL || verify == NULL)
		rc = why_kind(why, WHY_MEMORY, "%s: no memory", path);
	else if (EVP_DigestSignInit(sign, NULL, md, NULL, key->pkey) != 1 ||
	    EVP_DigestSign(sign, sig, &n, text, sizeof(text)) != 1 ||
	    EVP_DigestVerifyInit(verify, NULL, md, NULL, key->pkey) != 1 ||
	    EVP_DigestVerify(verify, sig, n, text, sizeof(text)) != 1)
		rc = why_set(why, "%s: the key is damaged: what it signs "
		    "does not verify", path);
	ERR_clear_error();
	EVP_MD_CTX_free(sign);
	EVP_MD_CTX_free(verify);
	return rc;
}

/* key_parse - the whole way from a path to a key that was tried */
int
key_parse(const char *path, struct key *key, struct stat *st, struct why *why)
{
	char *text = NULL;
	size_t n = 0;
	int rc = -1;

	key->pkey = NULL;
	memset(st, 0, sizeof(*st));
	if ((text = malloc(FILE_MAX_BYTES)) == NULL)
		return why_kind(why, WHY_MEMORY, "%s: no memory", path);
	if (key_stat(path, why) == -1 ||
	    slurp(path, text, FILE_MAX_BYTES, &n, st, why) == -1 ||
	    (key->pkey = decode(path, text, n, why)) == NULL ||
	    judge_kind(path, key, why) == -1 || trial(path, key, why) == -1)
		goto out;
	rc = 0;
out:
	if (rc == -1) {
		EVP_PKEY_free(key->pkey);
		key->pkey = NULL;
	}
	OPENSSL_cleanse(text, n);
	free(text);
	return rc;
}

/* key_judge - one file, for those who check a policy */
int
key_judge(const char *path, enum key_type *type, int *bits,
    const char **warning, struct why *why)
{
	struct key key;
	struct stat st;

	*warning = NULL;
	if (key_parse(path, &key, &st, why) == -1)
		return -1;
	*type = key.type;
	*bits = key.bits;
	if (key.type == KEY_RSA && key.bits < RSA_GOOD)
		*warning = "an RSA key of less than 2048 bits; more and more "
		    "receivers ignore its signatures";
	else if (key.type == KEY_RSA && key.bits > RSA_VERIFIED)
		*warning = "an RSA key of more than 4096 bits; receivers need "
		    "not verify it, and DNS must carry its record";
	EVP_PKEY_free(key.pkey);
	return 0;
}

/* key_record - what DNS must say at selector._domainkey.domain */
int
key_record(const struct key *key, char *out, size_t size, struct why *why)
{
	unsigned char raw[32], *der = NULL;
	const unsigned char *p = raw;
	size_t n = sizeof(raw), head;
	int len, rc = -1;

	if (key->type == KEY_ED25519) {
		if (EVP_PKEY_get_raw_public_key(key->pkey, raw, &n) != 1)
			goto out;
	} else {
		if ((len = i2d_PUBKEY(key->pkey, &der)) <= 0)
			goto out;
		p = der;
		n = (size_t)len;
	}
	head = (size_t)snprintf(out, size, "v=DKIM1; k=%s; p=",
	    key->type == KEY_RSA ? "rsa" : "ed25519");
	if (head >= size || base64_len(n) >= size - head) {
		rc = why_set(why, "the record of the key has no room");
		goto done;
	}
	out[head + base64_encode(p, n, out + head)] = '\0';
	rc = 0;
	goto done;
out:
	ERR_clear_error();
	rc = why_set(why, "the public half of the key cannot be written");
done:
	OPENSSL_free(der);
	return rc;
}
