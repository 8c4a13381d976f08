/*
 * follow - lines out of files that move.
 *
 * A file is left when it is at its end and another one stands under its name
 * with something in it: who wrote the old one writes the new one by then.
 * What has no line end when a file is left is a line all the same.
 *
 * A file that was cut (copytruncate) is found out by its size, or by the bytes
 * before the cursor that are others now, which are looked at before anything
 * behind them is believed.  The copy then has the rest.
 *
 * A packed file that is damaged is read as far as it can be unpacked, up to its
 * last whole line, and is left like one that is at its end: what was written
 * since does not wait for a repair that may never come.
 *
 * Before a line was taken the mark is the file's inode, which is all there is.
 *
 * The mark follows the lines that were taken, not the bytes that were read,
 * and stays on the old file until a line of the new one is taken: so a crash
 * at any point finds either the one or the other.
 *
 * The cursor as it is stored: u8 format = 1, u64 device, inode, offset, field
 * first bytes, field last bytes.
 */
#include "tools/ingest/follow.h"
#include "tools/ingest/follow_in.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/wire.h"
#include "reputation/logline.h"

enum { ROOM = 1 << 20, FORMAT = 1, TRIES = 3 };

struct follow {
	char			*path;
	bool			 once;
	bool			 piped;		/* standard input */
	struct follow_file	 file;
	struct follow_mark	 mark;
	bool			 marked;	/* something was taken, ever */
	uint64_t		 offset;	/* of room[start] in the file */
	char			 head[FOLLOW_PRINT];
	char			*room;
	size_t			 start, end;	/* what is not taken yet */
	size_t			 looked;	/* no line end before that */
	bool			 skips;		/* in a line that is too long */
	bool			 last;		/* no more bytes will come */
	struct follow_stat	 stat;
	struct follow_bad	 bad;
};

/* follow_new - with room for lines */
static struct follow *
follow_new(const char *path, struct why *why)
{
	struct follow *f = calloc(1, sizeof(*f));

	if (f != NULL) {
		f->file.fd = -1;
		f->path = strdup(path);
		f->room = malloc(ROOM);
	}
	if (f == NULL || f->path == NULL || f->room == NULL) {
		follow_close(f);
		why_kind(why, WHY_MEMORY, "no memory to follow %s", path);
		return NULL;
	}
	return f;
}

/* follow_close - NULL is allowed */
void
follow_close(struct follow *f)
{
	if (f == NULL)
		return;
	follow_file_close(&f->file);
	free(f->path);
	free(f->room);
	free(f);
}

/* read_cursor - what an earlier life left */
static int
read_cursor(struct follow *f, struct slice cursor, struct why *why)
{
	struct wire w = wire_of(cursor);
	uint8_t format = get_u8(&w);
	struct slice head, tail;
	uint64_t n;

	f->mark.dev = get_u64(&w);
	f->mark.ino = get_u64(&w);
	f->mark.offset = get_u64(&w);
	head = get_field(&w);
	tail = get_field(&w);
	n = f->mark.offset < FOLLOW_PRINT ? f->mark.offset : FOLLOW_PRINT;
	if (format != FORMAT || w.bad || head.n != n || tail.n != n)
		return why_set(why, "the cursor of %s makes no sense: it was "
		    "written by a newer Penstock, or the store is damaged",
		    f->path);
	memcpy(f->mark.head, head.p, n);
	memcpy(f->mark.tail, tail.p, n);
	f->marked = true;
	return 0;
}

/* follow_open - a log that grows */
int
follow_open(struct follow **out, const char *path, struct slice cursor,
    struct why *why)
{
	struct follow *f = follow_new(path, why);

	*out = NULL;
	if (f == NULL)
		return -1;
	if (cursor.p != NULL && read_cursor(f, cursor, why) == -1) {
		follow_close(f);
		return -1;
	}
	*out = f;
	return 0;
}

/* follow_once - a file as it is, or what comes in */
int
follow_once(struct follow **out, const char *path, struct why *why)
{
	struct follow *f = follow_new(path, why);
	int got = 1;

	*out = NULL;
	if (f == NULL)
		return -1;
	f->once = true;
	if (strcmp(path, "-") == 0) {
		f->piped = true;
		f->file.fd = dup(STDIN_FILENO);
		if (f->file.fd == -1 || (f->file.path = strdup("standard "
		    "input")) == NULL)
			got = why_errno(why, "standard input");
	} else if ((got = follow_file_open(&f->file, path, false, why)) == 0) {
		why_set(why, "there is no file %s", path);
	}
	if (got != 1) {
		follow_close(f);
		return -1;
	}
	*out = f;
	return 0;
}

/* begin - at the mark of a file that was found, or at its first byte */
static void
begin(struct follow *f, bool at_mark)
{
	uint64_t n = 0;

	f->start = f->end = f->looked = 0;
	f->offset = 0;
	f->skips = f->last = false;
	f->stat.files++;
	if (!at_mark)
		return;
	n = f->mark.offset < FOLLOW_PRINT ? f->mark.offset : FOLLOW_PRINT;
	memcpy(f->head, f->mark.head, n);
	memcpy(f->room, f->mark.tail, n);
	f->start = f->end = f->looked = n;
	f->offset = f->mark.offset;
}

/* lost - what was marked is nowhere */
static void
lost(struct follow *f)
{
	f->stat.gaps++;
	log_warn("%s: the file that was read last is gone, as it was up to "
	    "byte %llu, under any name: lines may be missing; reading again "
	    "what is there", f->path, (unsigned long long)f->mark.offset);
	f->marked = false;
}

/* set_mark - on the last line that was taken */
static void
set_mark(struct follow *f)
{
	uint64_t n = f->offset < FOLLOW_PRINT ? f->offset : FOLLOW_PRINT;

	if (n == 0 || f->file.path == NULL)	/* it was set at its end */
		return;
	f->mark.dev = f->file.dev;
	f->mark.ino = f->file.ino;
	f->mark.offset = f->offset;
	memcpy(f->mark.head, f->head, n);
	memcpy(f->mark.tail, f->room + f->start - n, n);
}

/* mark_first - the first byte of a file, before anything was taken */
static void
mark_first(struct follow *f)
{
	f->mark = (struct follow_mark){ .dev = f->file.dev,
		.ino = f->file.ino };
	f->marked = true;
}

/* find - a file to read. Fetch: 0 there is none at present. */
static int
find(struct follow *f, bool next, struct why *why)
{
	int got = 0;

	set_mark(f);
	follow_file_close(&f->file);
	if (!f->marked) {
		got = follow_file_open(&f->file, f->path, true, why);
		if (got == 1) {
			begin(f, false);
			mark_first(f);
		}
		return got;
	}
	/* names may change while we look at them */
	for (int tries = 0; got == 0 && tries < TRIES; tries++) {
		follow_file_close(&f->file);
		got = follow_find(f->path, &f->mark, next, &f->file,
		    &f->bad, why);
	}
	if (got == -1)
		return -1;
	if (got == 0 && next) {		/* no newer one yet */
		follow_file_close(&f->file);
		return 0;
	}
	if (got == 0 && f->file.path != NULL) {
		lost(f);
		begin(f, false);
		mark_first(f);
	} else if (got == 1) {
		begin(f, !next);
	}
	return f->file.path != NULL;
}

/* unchanged - do the bytes before the cursor still stand there? */
static bool
unchanged(const struct follow *f)
{
	uint64_t n = f->offset < FOLLOW_PRINT ? f->offset : FOLLOW_PRINT;
	char now[FOLLOW_PRINT];

	return n == 0 || f->file.fd == -1 || (pread(f->file.fd, now, n,
	    (off_t)(f->offset - n)) == (ssize_t)n &&
	    memcmp(now, f->room + f->start - n, n) == 0);
}

/* compact - keep what is not taken, and FOLLOW_PRINT bytes before it */
static void
compact(struct follow *f)
{
	size_t before = f->start < FOLLOW_PRINT ? f->start : FOLLOW_PRINT;
	size_t from = f->start - before;

	if (from == 0)
		return;
	memmove(f->room, f->room + from, f->end - from);
	f->start -= from;
	f->end -= from;
	f->looked -= from;
}

/* more - bytes behind those in the room. Fetch: 0 the end, for now. */
static int
more(struct follow *f, struct why *why)
{
	ssize_t got;

	compact(f);
	if (f->file.damaged)
		return 0;
	if (f->file.gz != NULL) {
		got = gz_read(f->file.gz, f->room + f->end, ROOM - f->end,
		    why);
		if (got == -1 && f->once)
			return why_in(why, "%s", f->file.path);
		if (got == -1) {
			follow_bad_add(&f->bad, &f->file, why);
			f->file.damaged = true;
			return 0;
		}
	} else {
		got = f->piped ?
		    read(f->file.fd, f->room + f->end, ROOM - f->end) :
		    pread(f->file.fd, f->room + f->end, ROOM - f->end,
		    (off_t)(f->offset + (f->end - f->start)));
		if (got == -1 && (errno == EINTR || errno == EAGAIN))
			return 0;
		if (got == -1)
			return why_errno(why, "cannot read %s", f->file.path);
	}
	f->end += (size_t)got;
	return got > 0;
}

/* replaced - another file stands under its name, and is in use already */
static bool
replaced(const struct follow *f)
{
	struct stat st;

	if (!f->file.live || f->file.gz != NULL)
		return !f->once;	/* a rotated one does not grow */
	return stat(f->path, &st) == 0 && st.st_size > 0 &&
	    ((uint64_t)st.st_dev != f->file.dev ||
	    (uint64_t)st.st_ino != f->file.ino);
}

/* cut_off - the file is shorter than what was read of it, or another text */
static bool
cut_off(const struct follow *f)
{
	struct stat st;

	if (f->once || f->file.fd == -1 || fstat(f->file.fd, &st) == -1)
		return false;
	return (uint64_t)st.st_size < f->offset + (f->end - f->start) ||
	    !unchanged(f);
}

/* has_line - is there a whole one in the room? */
static bool
has_line(struct follow *f)
{
	const char *at;

	if (f->looked < f->start)
		f->looked = f->start;
	at = memchr(f->room + f->looked, '\n', f->end - f->looked);
	f->looked = at == NULL ? f->end : (size_t)(at - f->room);
	return at != NULL || f->end - f->start >= LOGLINE_MAX;
}

/* take_last - at the end of a file that is left: what has no line end */
static int
take_last(struct follow *f)
{
	if (f->end == f->start)
		return 0;
	f->last = true;
	return 1;
}

/* leave - the next file, when this one is done. Fetch. */
static int
leave(struct follow *f, struct why *why)
{
	int got;

	/* who wrote before we saw the new file has been read: look again */
	if ((got = more(f, why)) != 0)
		return got == -1 ? -1 : has_line(f);
	if (f->end > f->start && !f->last && !f->file.damaged &&
	    take_last(f) == 1)
		return 1;
	if (f->offset == 0 && (f->mark.offset > 0 ||
	    f->mark.ino != f->file.ino || f->mark.dev != f->file.dev)) {
		/* nothing came of it */
		follow_file_close(&f->file);
		return 0;
	}
	if ((got = find(f, true, why)) != 1)
		return got;
	if ((got = more(f, why)) == -1)
		return -1;
	/* not to wait in an empty one: were it copied and cut before a line
	 * of it is taken, nothing would tell */
	if (f->end == f->start)
		follow_file_close(&f->file);
	return f->end > f->start && has_line(f);
}

/* follow_fill - a piece of whatever file it is */
int
follow_fill(struct follow *f, struct why *why)
{
	int got;

	if (has_line(f) || f->last)
		return 1;
	if (f->file.path == NULL && (got = find(f, false, why)) != 1)
		return got;
	if (cut_off(f)) {
		/* lines that were read and not taken are in the copy, too */
		if ((got = find(f, false, why)) != 1)
			return got;
		log_info("%s was cut: going on in %s", f->path, f->file.path);
	}
	if ((got = more(f, why)) == -1)
		return -1;
	if (has_line(f))
		return 1;
	if (got == 1)
		return 0;
	if (f->once)
		return take_last(f);
	return replaced(f) ? leave(f, why) : 0;
}

/* follow_damaged - once */
int
follow_damaged(struct follow *f, struct slice *text)
{
	int fresh = f->bad.fresh;

	*text = slice_of(f->bad.text);
	f->bad.fresh = false;
	return fresh;
}

/* take - n bytes of the room are done */
static void
take(struct follow *f, size_t n)
{
	if (f->offset < FOLLOW_PRINT) {
		size_t at = (size_t)f->offset, want = FOLLOW_PRINT - at;

		memcpy(f->head + at, f->room + f->start, n < want ? n : want);
	}
	f->start += n;
	f->offset += n;
}

/* follow_line - the next one */
bool
follow_line(struct follow *f, struct slice *line)
{
	const char *p = f->room + f->start, *at;
	size_t n = f->end - f->start;

	for (;;) {
		p = f->room + f->start;
		n = f->end - f->start;
		if (n == 0)
			return f->last = false;
		if (f->looked < f->start)
			f->looked = f->start;
		at = memchr(f->room + f->looked, '\n', f->end - f->looked);
		f->looked = at == NULL ? f->end : (size_t)(at - f->room);
		if (at == NULL && n < LOGLINE_MAX && !f->last)
			return false;
		if (at != NULL)
			n = (size_t)(at - p);
		else if (n > LOGLINE_MAX)
			n = LOGLINE_MAX;
		take(f, at != NULL ? n + 1 : n);
		if (!f->skips)
			break;
		f->skips = at == NULL;
	}
	if (n > LOGLINE_MAX)
		n = LOGLINE_MAX;
	if (at == NULL && n >= LOGLINE_MAX) {
		f->skips = true;
		f->stat.cut++;
	}
	*line = (struct slice){ p, n };
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

/* follow_cursor - as a later life wants it */
bool
follow_cursor(struct follow *f, struct buf *b)
{
	uint64_t n;

	if (!f->marked)
		return false;
	set_mark(f);
	n = f->mark.offset < FOLLOW_PRINT ? f->mark.offset : FOLLOW_PRINT;
	put_u8(b, FORMAT);
	put_u64(b, f->mark.dev);
	put_u64(b, f->mark.ino);
	put_u64(b, f->mark.offset);
	put_field(b, (struct slice){ f->mark.head, n });
	put_field(b, (struct slice){ f->mark.tail, n });
	return true;
}

/* follow_now - of the file, when it does not grow any more */
int64_t
follow_now(const struct follow *f)
{
	int64_t wall = clock_wall();

	if (f->piped || f->file.live || f->file.path == NULL ||
	    f->file.mtime > wall)
		return wall;
	return f->file.mtime;
}

/* follow_stat - where it stands */
void
follow_stat(const struct follow *f, struct follow_stat *out)
{
	struct stat st;

	*out = f->stat;
	out->done = f->offset;
	out->size = f->file.size;
	if (f->file.fd != -1 && fstat(f->file.fd, &st) == 0)
		out->size = (uint64_t)st.st_size;
	out->packed = f->file.gz != NULL ? gz_at(f->file.gz) : 0;
}
