/*
 * follow_find - which file holds the lines that were read last, and which one
 * comes behind it.
 *
 * Files of one log are FILE, and names that continue it with '.' or '-'.  From
 * old to new: by date where the name has one (FILE-20261120), by number where
 * it has that, the highest first (FILE.2.gz, FILE.1), and FILE last.  Where a
 * plain file and a packed one have the same number, the packed one is under
 * construction, or a leftover: the plain one counts.
 *
 * Not chosen: inodes alone (a packed file has another one, and they are used
 * again), names alone (they move while we look).
 */
#include "tools/ingest/follow_in.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"

enum { CANDIDATES = 4096, PIECE = 65536 };

struct candidate {
	char		*path;
	bool		 dated;		/* the rest is a date, or other words */
	long		 number;
	char		 rest[64];
	bool		 packed;
};

struct candidates {
	struct candidate *list;
	size_t		 n, room;
};

/* follow_file_close - also one that is not open */
void
follow_file_close(struct follow_file *f)
{
	gz_close(f->gz);
	if (f->fd != -1)
		close(f->fd);
	free(f->path);
	*f = (struct follow_file){ .fd = -1 };
}

/* follow_bad_add - one that is damaged; said once, as long as it is known */
void
follow_bad_add(struct follow_bad *bad, const struct follow_file *f,
    const struct why *why)
{
	size_t known = sizeof(bad->ino) / sizeof(bad->ino[0]);

	for (size_t i = 0; i < known && i < bad->n; i++)
		if (bad->ino[i] == f->ino)
			return;
	bad->ino[bad->n++ % known] = f->ino;
	snprintf(bad->text, sizeof(bad->text), "%s: %s", f->path, why->text);
	bad->fresh = true;
	log_error("%s: lines may be missing; going on with the next file",
	    bad->text);
}

/* is_packed - by its first bytes */
static bool
is_packed(int fd)
{
	unsigned char magic[2];

	return pread(fd, magic, 2, 0) == 2 && magic[0] == 0x1f &&
	    magic[1] == 0x8b;
}

/* follow_file_open - a log by name */
int
follow_file_open(struct follow_file *f, const char *path, bool live,
    struct why *why)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	*f = (struct follow_file){ .fd = -1 };
	if (fd == -1 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd == -1)
		return why_errno(why, "cannot read %s", path);
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		close(fd);
		return why_set(why, "%s is no file that lines can be read "
		    "from", path);
	}
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->size = (uint64_t)st.st_size;
	f->mtime = st.st_mtim.tv_sec * INT64_C(1000000) +
	    st.st_mtim.tv_nsec / 1000;
	f->live = live;
	if ((f->path = strdup(path)) == NULL) {
		close(fd);
		return why_kind(why, WHY_MEMORY, "no memory for a log");
	}
	if (!is_packed(fd)) {
		f->fd = fd;
		return 1;
	}
	if (gz_open(&f->gz, fd, why) == -1) {
		follow_file_close(f);
		return -1;
	}
	return 1;
}

/* matches_plain - both ends, by reading there */
static int
matches_plain(const struct follow_file *f, const struct follow_mark *m,
    struct why *why)
{
	char room[FOLLOW_PRINT];
	uint64_t n = m->offset < FOLLOW_PRINT ? m->offset : FOLLOW_PRINT;
	struct stat st;

	if (fstat(f->fd, &st) == -1)
		return why_errno(why, "cannot look at %s", f->path);
	if ((uint64_t)st.st_size < m->offset)
		return 0;
	return pread(f->fd, room, n, 0) == (ssize_t)n &&
	    memcmp(room, m->head, n) == 0 &&
	    pread(f->fd, room, n, (off_t)(m->offset - n)) == (ssize_t)n &&
	    memcmp(room, m->tail, n) == 0;
}

/* matches_packed - by unpacking up to the mark; it stands there then */
static int
matches_packed(struct follow_file *f, const struct follow_mark *m)
{
	uint64_t n = m->offset < FOLLOW_PRINT ? m->offset : FOLLOW_PRINT;
	char *room = malloc(PIECE + FOLLOW_PRINT);
	uint64_t at = 0;
	size_t kept = 0;
	struct why why;
	int rc = 0;

	/* the last FOLLOW_PRINT bytes stay at the front of the room */
	while (room != NULL && at < m->offset) {
		uint64_t want = m->offset - at;
		ssize_t got = gz_read(f->gz, room + kept, want < PIECE ?
		    (size_t)want : PIECE, &why);

		if (got <= 0)
			goto out;	/* too short, or still being made */
		if (at < n && at + (uint64_t)got >= n &&
		    memcmp(room + kept - at, m->head, n) != 0)
			goto out;
		at += (uint64_t)got;
		kept += (size_t)got;
		if (at >= n && kept > FOLLOW_PRINT) {
			memmove(room, room + kept - FOLLOW_PRINT,
			    FOLLOW_PRINT);
			kept = FOLLOW_PRINT;
		}
	}
	if (room == NULL)
		goto out;
	rc = memcmp(room + kept - n, m->tail, n) == 0;
out:
	free(room);
	return rc;
}

/* follow_file_matches - is it this content? */
int
follow_file_matches(struct follow_file *f, const struct follow_mark *m,
    struct why *why)
{
	if (m->offset == 0)
		return f->dev == m->dev && f->ino == m->ino;
	return f->gz != NULL ? matches_packed(f, m) : matches_plain(f, m, why);
}

/* --- the files of a log -------------------------------------------------- */

/* read_name - what stands behind FILE: number, date, packed */
static bool
read_name(const char *rest, struct candidate *c)
{
	size_t n = strlen(rest);
	char *end;

	if (n < 2 || (rest[0] != '.' && rest[0] != '-'))
		return false;
	if (n > 3 && strcmp(rest + n - 3, ".gz") == 0) {
		c->packed = true;
		n -= 3;
	}
	if (n < 2 || n >= sizeof(c->rest))
		return false;
	memcpy(c->rest, rest, n);
	c->rest[n] = '\0';
	c->number = strtol(c->rest + 1, &end, 10);
	c->dated = c->rest[0] == '-' || *end != '\0' || c->number > 100000;
	/* what is neither a number nor begins with a digit is another file */
	return c->rest[1] >= '0' && c->rest[1] <= '9';
}

/* by_age - the oldest first; a plain one before its packed twin */
static int
by_age(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int order;

	if (x->dated != y->dated)
		return x->dated ? -1 : 1;
	if (!x->dated && x->number != y->number)
		return x->number > y->number ? -1 : 1;
	if (x->dated && (order = strcmp(x->rest, y->rest)) != 0)
		return order;
	return (int)x->packed - (int)y->packed;
}

/* forget - their names */
static void
forget(struct candidates *all)
{
	for (size_t i = 0; all != NULL && i < all->n; i++)
		free(all->list[i].path);
	if (all != NULL)
		free(all->list);
	free(all);
}

/* unique - a packed twin of a plain file does not count */
static void
unique(struct candidates *all)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->n; i++) {
		struct candidate *c = &all->list[i];
		const struct candidate *last = kept > 0 ?
		    &all->list[kept - 1] : NULL;

		if (last != NULL && c->dated == last->dated &&
		    c->number == last->number &&
		    strcmp(c->rest, last->rest) == 0) {
			free(c->path);
			continue;
		}
		all->list[kept++] = *c;
	}
	all->n = kept;
}

/* one_more - room for a candidate; NULL: no memory */
static struct candidate *
one_more(struct candidates *all)
{
	size_t room = all->room > 0 ? all->room * 2 : 16;
	struct candidate *wider;

	if (all->n < all->room)
		return &all->list[all->n];
	wider = reallocarray(all->list, room, sizeof(*wider));
	if (wider == NULL)
		return NULL;
	all->list = wider;
	all->room = room;
	return &all->list[all->n];
}

/* gather - the rotated files of a log, the oldest first */
static int
gather(const char *path, struct candidates **out, struct why *why)
{
	const char *slash = strrchr(path, '/'), *base;
	struct candidates *all = calloc(1, sizeof(*all));
	struct dirent *entry;
	char *dir = NULL;
	DIR *d = NULL;
	size_t n;
	int rc = -1;

	*out = NULL;
	base = slash == NULL ? path : slash + 1;
	n = strlen(base);
	dir = slash == NULL ? strdup(".") :
	    strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (all == NULL || dir == NULL) {
		why_kind(why, WHY_MEMORY, "no memory for a folder");
		goto out;
	}
	if ((d = opendir(dir)) == NULL) {
		why_errno(why, "cannot look into %s for rotated logs", dir);
		goto out;
	}
	while ((entry = readdir(d)) != NULL && all->n < CANDIDATES) {
		struct candidate found = { .path = NULL }, *c;

		if (strncmp(entry->d_name, base, n) != 0 ||
		    !read_name(entry->d_name + n, &found))
			continue;
		c = one_more(all);
		if (c == NULL || asprintf(&found.path, "%s/%s", dir,
		    entry->d_name) == -1) {
			why_kind(why, WHY_MEMORY, "no memory for a folder");
			goto out;
		}
		*c = found;
		all->n++;
	}
	if (all->n > 0)
		qsort(all->list, all->n, sizeof(all->list[0]), by_age);
	unique(all);
	*out = all;
	all = NULL;
	rc = 0;
out:
	if (d != NULL)
		closedir(d);
	forget(all);
	free(dir);
	return rc;
}

/* open_nth - a rotated one that can be read, or behind them the live one.
 * Fetch. */
static int
open_nth(const struct candidates *all, size_t i, const char *path,
    struct follow_file *f, struct why *why)
{
	if (i < all->n)
		return follow_file_open(f, all->list[i].path, false,
		    why) == 1;
	return i == all->n ? follow_file_open(f, path, true, why) : 0;
}

/* open_content - the same, but a rotated one without a byte is passed over */
static int
open_content(const struct candidates *all, size_t i, const char *path,
    struct follow_file *f, struct follow_bad *bad, struct why *why)
{
	ssize_t got = open_nth(all, i, path, f, why);
	bool empty = false;
	char byte;

	if (got != 1 || f->live)
		return (int)got;
	if (f->gz != NULL && (got = gz_read(f->gz, &byte, 1, why)) == -1)
		follow_bad_add(bad, f, why);
	empty = f->gz != NULL ? got <= 0 : f->size == 0;
	if (!empty && f->gz == NULL)
		return 1;
	follow_file_close(f);
	return empty ? 0 : open_nth(all, i, path, f, why);
}

/* locate - which of them holds the mark; all->n + 1: none. Fetch. */
static int
locate(const struct candidates *all, const char *path,
    const struct follow_mark *m, size_t *at, struct follow_file *found,
    struct why *why)
{
	struct follow_file f;
	int got;

	*found = (struct follow_file){ .fd = -1 };
	/* The live one first, then from new to old: two that begin alike are
	 * told apart by where they were. */
	for (size_t i = all->n + 1; i-- > 0;) {
		if ((got = open_nth(all, i, path, &f, why)) == 0)
			continue;
		if (got == 1)
			got = follow_file_matches(&f, m, why);
		if (got != 1) {
			follow_file_close(&f);
			if (got == -1)
				return -1;
			continue;
		}
		if (found->path == NULL ||
		    (f.dev == m->dev && f.ino == m->ino)) {
			follow_file_close(found);
			*found = f;
			*at = i;
		} else {
			follow_file_close(&f);
		}
		if (found->dev == m->dev && found->ino == m->ino)
			break;
	}
	return found->path != NULL;
}

/* same_names - is everything still where it was, and the file that was found
 * under its name?  Fetch. */
static int
same_names(const struct candidates *all, size_t at, const char *path,
    uint64_t dev, uint64_t ino, struct why *why)
{
	struct candidates *now;
	struct stat st;
	bool same;

	if (gather(path, &now, why) == -1)
		return -1;
	same = now->n == all->n;
	for (size_t i = 0; same && i < all->n; i++)
		same = strcmp(now->list[i].path, all->list[i].path) == 0;
	forget(now);
	return same && stat(at < all->n ? all->list[at].path : path,
	    &st) == 0 && (uint64_t)st.st_dev == dev &&
	    (uint64_t)st.st_ino == ino;
}

/* next_of - the file behind the one that was found at that place.  Names that
 * move in between could have brought a later one there: then none.  Fetch. */
static int
next_of(const struct candidates *all, size_t at, const char *path,
    struct follow_file *f, struct follow_bad *bad, struct why *why)
{
	uint64_t dev = f->dev, ino = f->ino;
	size_t next = at;
	int got, same;

	follow_file_close(f);
	do
		got = open_content(all, ++next, path, f, bad, why);
	while (got == 0 && next < all->n);
	if (got != 1)
		return got;
	if ((same = same_names(all, at, path, dev, ino, why)) != 1)
		follow_file_close(f);
	return same;
}

/* follow_find - the file to read on from */
int
follow_find(const char *path, const struct follow_mark *m, bool next,
    struct follow_file *out, struct follow_bad *bad, struct why *why)
{
	struct candidates *all;
	size_t at = 0;
	int got, found;

	*out = (struct follow_file){ .fd = -1 };
	if (gather(path, &all, why) == -1)
		return -1;
	found = locate(all, path, m, &at, out, why);
	if (found == 1 && next) {
		found = next_of(all, at, path, out, bad, why);
	} else if (found == 0 && !next) {
		do
			got = open_content(all, at++, path, out, bad, why);
		while (got == 0 && at <= all->n);
		if (got == -1)
			found = -1;
	}
	forget(all);
	return found;
}
