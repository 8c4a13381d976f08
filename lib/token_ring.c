/*
 * token_ring - the keys of tokens, in one file.
 *
 *	# comment
 *	1 0f3c...	a number from 1 to 255 and 64 bytes in hex
 *	2 77ab...
 *
 * The highest number makes new tokens; all others verify what was made before,
 * for as long as mail lies in mailboxes: years.  So a key is added and, after
 * years, taken out, but never changed; one whose number was used for other
 * bytes would make every link of that time a bad one.
 *
 * One file and not a folder: it is replaced by one rename, so that no program
 * sees half of a rotation, and has one mode and one group.  penstock-milter,
 * penstock-ingest and penstock-unsubscribe read it, each as its own user:
 * root's, mode 0640, with a group of these three.  Whoever reads it can make
 * tokens, that is, unsubscribe anybody whose address is known; no more.
 */
#include "lib/token_in.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "lib/key.h"

enum { FILE_MAX = 64 << 10, NUMBER_DIGITS = 3 };

static const char head_text[] =
    "# Keys of unsubscribe and return-path tokens: number, 64 bytes in hex.\n"
    "# The highest number makes, all verify. Add, never change; keep for years."
    "\n";

/* nibble - of a hex digit, -1 for any other */
static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* read_bytes - the key itself; its text is never quoted */
static int
read_bytes(struct slice text, uint8_t out[TOKEN_KEY], const char *path,
    unsigned line, struct why *why)
{
	int hi, lo;

	if (text.n != 2 * TOKEN_KEY)
		return why_set(why, "%s:%u: the key has %zu characters; %d hex "
		    "digits are expected (openssl rand -hex %d)", path, line,
		    text.n, 2 * TOKEN_KEY, TOKEN_KEY);
	for (size_t i = 0; i < TOKEN_KEY; i++) {
		hi = nibble(text.p[2 * i]);
		lo = nibble(text.p[2 * i + 1]);
		if (hi == -1 || lo == -1)
			return why_set(why, "%s:%u: character %zu of the key "
			    "is no hex digit", path, line,
			    2 * i + 1 + (hi != -1));
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	if (memcmp(out, out + TOKEN_KEY / 2, TOKEN_KEY / 2) == 0)
		return why_set(why, "%s:%u: the two halves of the key are the "
		    "same: it is not random; openssl rand -hex %d makes one",
		    path, line, TOKEN_KEY);
	return 0;
}

/* read_line - "number key" */
static int
read_line(struct token_ring *ring, struct slice text, unsigned line,
    struct why *why)
{
	unsigned number = 0;
	size_t at = 0;

	while (at < text.n && at <= NUMBER_DIGITS && text.p[at] >= '0' &&
	    text.p[at] <= '9')
		number = number * 10 + (unsigned)(text.p[at++] - '0');
	if (at == 0 || at == text.n || (text.p[at] != ' ' &&
	    text.p[at] != '\t') || number == 0 || number > TOKEN_KEYS_MAX)
		return why_set(why, "%s:%u: a number from 1 to %d and a key "
		    "are expected", ring->path, line, TOKEN_KEYS_MAX);
	if (ring->key[number].there)
		return why_set(why, "%s:%u: there is a key %u already above; a "
		    "number is never used twice", ring->path, line, number);
	if (read_bytes(slice_trim(slice_from(text, at)),
	    ring->key[number].bytes, ring->path, line, why) == -1)
		return -1;
	for (unsigned i = 1; i <= TOKEN_KEYS_MAX; i++) {
		if (ring->key[i].there && memcmp(ring->key[i].bytes,
		    ring->key[number].bytes, TOKEN_KEY) == 0)
			return why_set(why, "%s:%u: this is key %u again",
			    ring->path, line, i);
	}
	ring->key[number].there = true;
	ring->keys++;
	if (number > ring->newest)
		ring->newest = (uint8_t)number;
	return 0;
}

/* read_lines - the text of the file */
static int
read_lines(struct token_ring *ring, struct slice text, struct why *why)
{
	unsigned line = 0;

	while (text.n > 0) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end != NULL ? (size_t)(end - text.p) : text.n;
		struct slice one = slice_trim((struct slice){ text.p, n });

		line++;
		text = slice_from(text, n + (end != NULL));
		if (one.n == 0 || one.p[0] == '#')
			continue;
		if (read_line(ring, one, line, why) == -1)
			return -1;
	}
	if (ring->keys == 0)
		return why_set(why, "%s: there is no key in it; penstock token "
		    "rotate makes one", ring->path);
	return 0;
}

/* token_ring_load - judge the file, read it, keep what is in it */
int
token_ring_load(struct token_ring **out, const char *path, struct why *why)
{
	struct token_ring *ring = calloc(1, sizeof(*ring));
	char *text = malloc(FILE_MAX);
	size_t n = 0;
	int rc = -1;

	*out = NULL;
	if (ring == NULL || text == NULL ||
	    (ring->path = strdup(path)) == NULL) {
		why_kind(why, WHY_MEMORY, "%s: no memory", path);
		goto out;
	}
	if (key_read(path, text, FILE_MAX, &n, &ring->file, why) == -1 ||
	    read_lines(ring, (struct slice){ text, n }, why) == -1)
		goto out;
	*out = ring;
	ring = NULL;
	rc = 0;
out:
	if (text != NULL)
		OPENSSL_cleanse(text, n);
	free(text);
	token_ring_free(ring);
	return rc;
}

/* token_ring_free - and nothing of it stays in memory */
void
token_ring_free(struct token_ring *ring)
{
	if (ring == NULL)
		return;
	free(ring->path);
	OPENSSL_cleanse(ring, sizeof(*ring));
	free(ring);
}

/* token_ring_changed - by what identifies a file, as for DKIM keys */
bool
token_ring_changed(const struct token_ring *ring)
{
	struct stat now;

	return stat(ring->path, &now) == -1 ||
	    now.st_ino != ring->file.st_ino ||
	    now.st_dev != ring->file.st_dev ||
	    now.st_size != ring->file.st_size ||
	    now.st_mtim.tv_sec != ring->file.st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != ring->file.st_mtim.tv_nsec;
}

/* token_ring_newest - the number that makes */
uint8_t
token_ring_newest(const struct token_ring *ring, size_t *keys)
{
	*keys = ring->keys;
	return ring->newest;
}

/* --- one key more ------------------------------------------------------- */

/* random_line - "number key" of fresh bytes */
static int
random_line(char *out, size_t room, unsigned number, struct why *why)
{
	uint8_t key[TOKEN_KEY];
	int n;

	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return why_errno(why, "no random numbers from the kernel");
	n = snprintf(out, room, "%u ", number);
	for (size_t i = 0; i < TOKEN_KEY; i++)
		n += snprintf(out + n, room - (size_t)n, "%02x", key[i]);
	snprintf(out + n, room - (size_t)n, "\n");
	OPENSSL_cleanse(key, sizeof(key));
	return 0;
}

/* write_whole - all of it, on disk */
static int
write_whole(int fd, const char *text, size_t n)
{
	ssize_t put;

	for (; n > 0; text += put, n -= (size_t)put) {
		if ((put = write(fd, text, n)) == -1)
			return -1;
	}
	return fsync(fd);
}

/* sync_folder - the new name is on disk: tokens made with a key that a power
 * failure takes away would be bad for ever */
static int
sync_folder(const char *path)
{
	char *copy = strdup(path);
	int fd = -1, rc = -1;

	if (copy != NULL)
		fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1) {
		rc = fsync(fd);
		close(fd);
	}
	free(copy);
	return rc;
}

/* replace - text beside path, then in its place */
static int
replace(const char *path, struct slice text, const struct stat *old,
    struct why *why)
{
	char *beside = NULL;
	int fd = -1, rc = -1;

	if (asprintf(&beside, "%s.new", path) == -1) {
		beside = NULL;
		why_kind(why, WHY_MEMORY, "%s: no memory", path);
		goto out;
	}
	/* a rotation under way is waited for by nobody: the other one wins */
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1) {
		why_errno(why, "%s%s", beside, errno == EEXIST ? " was left by "
		    "a rotation that is under way or was cut short; remove it "
		    "if none is" : "");
		goto out;
	}
	if ((old != NULL && (fchown(fd, old->st_uid, old->st_gid) == -1 ||
	    fchmod(fd, old->st_mode & 07777) == -1)) ||
	    write_whole(fd, text.p, text.n) == -1 ||
	    rename(beside, path) == -1) {
		why_errno(why, "cannot write %s", beside);
		unlink(beside);
		goto out;
	}
	if (sync_folder(path) == -1) {
		why_errno(why, "cannot sync the folder of %s", path);
		goto out;
	}
	rc = 0;
out:
	if (fd != -1)
		close(fd);
	free(beside);
	return rc;
}

/* token_ring_add - the old file as it is, and one line more */
int
token_ring_add(const char *path, uint8_t *number, struct why *why)
{
	struct token_ring *ring = NULL;
	struct stat old;
	size_t n = 0;
	bool there = access(path, F_OK) == 0;
	char *text = malloc(FILE_MAX + 256);
	int rc = -1;

	if (text == NULL)
		return why_kind(why, WHY_MEMORY, "%s: no memory", path);
	*number = 1;
	if (there) {
		if (token_ring_load(&ring, path, why) == -1 ||
		    key_read(path, text, FILE_MAX, &n, &old, why) == -1)
			goto out;
		if (ring->newest == TOKEN_KEYS_MAX) {
			why_set(why, "%s: key %d is the last that a number can "
			    "name", path, TOKEN_KEYS_MAX);
			goto out;
		}
		*number = (uint8_t)(ring->newest + 1);
		if (text[n - 1] != '\n')
			text[n++] = '\n';
	} else {
		n = sizeof(head_text) - 1;
		memcpy(text, head_text, n);
	}
	if (random_line(text + n, 256, *number, why) == -1)
		goto out;
	n += strlen(text + n);
	rc = replace(path, (struct slice){ text, n }, there ? &old : NULL,
	    why);
out:
	OPENSSL_cleanse(text, FILE_MAX + 256);
	free(text);
	token_ring_free(ring);
	return rc;
}
