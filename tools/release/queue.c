/*
 * queue - see queue.h.
 *
 * hold/ may be hashed (hash_queue_names): folders of one character in each
 * other.  postsuper computes from the id in which one a message must be; a
 * walk needs no such rule, finds it wherever it is, and costs a tenth of a
 * second for a hundred thousand messages.
 *
 * A message is in one folder at a time and moves by rename(2).  So a look
 * through several folders in the order in which mail moves (hold, incoming,
 * active, deferred) may miss one that moves backwards meanwhile, from deferred
 * to incoming; that is why what was not found is looked for once more.
 */
#include "tools/release/queue.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/release/command.h"

enum { DEPTH = 16, OLDEST_MAJOR = 3, OLDEST_MINOR = 5 };

struct queue {
	char	*config, *postsuper, *postqueue;
	char	*folder;
	int	 fd;			/* of folder */
};

/* --- opening -------------------------------------------------------------- */

/* line_of - the next line of what postconf printed, trimmed, as a string */
static char *
line_of(struct slice *rest)
{
	const char *end = rest->n > 0 ? memchr(rest->p, '\n', rest->n) : NULL;
	size_t n = end != NULL ? (size_t)(end - rest->p) : rest->n;
	struct slice line = slice_trim((struct slice){ rest->p, n });

	*rest = slice_from(*rest, n + (end != NULL));
	return strndup(line.p, line.n);
}

/* new_enough - has its postsuper -f? */
static bool
new_enough(const char *version)
{
	int major = 0, minor = 0;

	return sscanf(version, "%d.%d", &major, &minor) == 2 &&
	    (major > OLDEST_MAJOR ||
	    (major == OLDEST_MAJOR && minor >= OLDEST_MINOR));
}

/* ask_postconf - where the queue is */
static int
ask_postconf(struct queue *q, const char *commands, struct why *why)
{
	struct buf said = BUF_INIT, complained = BUF_INIT;
	char *path = NULL, *version = NULL;
	struct slice rest;
	int status, rc = -1;

	if (asprintf(&path, "%s/postconf", commands) == -1)
		return why_kind(why, WHY_MEMORY, "no memory");
	char *const argv[] = { path, (char *)"-c", q->config, (char *)"-h",
		(char *)"queue_directory", (char *)"mail_version", NULL };

	if (command_run(argv, -1, &said, &complained, &status, why) == -1)
		goto out;
	rest = buf_slice(&said);
	q->folder = line_of(&rest);
	version = line_of(&rest);
	if (q->folder == NULL || version == NULL)
		why_kind(why, WHY_MEMORY, "no memory");
	else if (status != 0 || q->folder[0] != '/')
		why_set(why, "%s -c %s does not say where the queue is "
		    "(config_directory, command_directory): %.*s", path,
		    q->config, (int)(complained.len < 200 ? complained.len :
		    200), complained.data != NULL ? complained.data : "");
	else if (!new_enough(version))
		why_set(why, "Postfix %s has no postsuper -f; held mail needs "
		    "%d.%d or newer", version, OLDEST_MAJOR, OLDEST_MINOR);
	else
		rc = 0;
out:
	free(path);
	free(version);
	buf_free(&said);
	buf_free(&complained);
	return rc;
}

/* queue_open - names, the folder, and a first look at hold/ */
int
queue_open(struct queue **out, const char *config, const char *commands,
    struct why *why)
{
	struct queue *q = calloc(1, sizeof(*q));
	int hold;

	*out = NULL;
	if (q == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	q->fd = -1;
	q->config = strdup(config);
	if (q->config == NULL ||
	    asprintf(&q->postsuper, "%s/postsuper", commands) == -1 ||
	    asprintf(&q->postqueue, "%s/postqueue", commands) == -1) {
		why_kind(why, WHY_MEMORY, "no memory");
		goto fail;
	}
	if (ask_postconf(q, commands, why) == -1)
		goto fail;
	q->fd = open(q->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	hold = q->fd == -1 ? -1 : openat(q->fd, "hold", O_RDONLY |
	    O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (hold == -1) {
		why_errno(why, "cannot look into %s/hold", q->folder);
		goto fail;
	}
	close(hold);
	*out = q;
	return 0;
fail:
	queue_close(q);
	return -1;
}

/* queue_close - and forget the names */
void
queue_close(struct queue *q)
{
	if (q == NULL)
		return;
	if (q->fd != -1)
		close(q->fd);
	free(q->config);
	free(q->postsuper);
	free(q->postqueue);
	free(q->folder);
	free(q);
}

/* queue_folder - for the log */
const char *
queue_folder(const struct queue *q)
{
	return q->folder;
}

/* --- looking -------------------------------------------------------------- */

struct walk {
	bool		(*each)(void *, struct slice, uint64_t);
	void		*with;
	struct why	*why;
};

/* kind_of - DT_REG, DT_DIR, or something else */
static unsigned char
kind_of(int dir, const struct dirent *e)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type;
	if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return DT_UNKNOWN;
	return S_ISREG(st.st_mode) ? DT_REG : S_ISDIR(st.st_mode) ? DT_DIR :
	    DT_UNKNOWN;
}

/* walk_folder - files of a folder and of those of one character in it: 1 go
 * on, 0 stopped, -1 */
static int
walk_folder(int at, const char *name, int depth, struct walk *w)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW), rc = 1;
	struct dirent *e;
	DIR *dir;

	if (fd == -1 || (dir = fdopendir(fd)) == NULL) {
		if (fd == -1 && errno == ENOENT && depth > 0)
			return 1;	/* gone since it was read */
		why_errno(w->why, "cannot look into %s", name);
		if (fd != -1)
			close(fd);
		return -1;
	}
	while (rc == 1) {
		errno = 0;
		if ((e = readdir(dir)) == NULL) {
			if (errno != 0)
				rc = why_errno(w->why, "cannot read %s", name);
			break;
		}
		if (isalnum((unsigned char)e->d_name[0]) &&
		    e->d_name[1] == '\0' && depth < DEPTH &&
		    kind_of(fd, e) == DT_DIR)
			rc = walk_folder(fd, e->d_name, depth + 1, w);
		else if (order_queue_id(slice_of(e->d_name)) &&
		    kind_of(fd, e) == DT_REG)
			rc = w->each(w->with, slice_of(e->d_name),
			    (uint64_t)e->d_ino);
	}
	closedir(dir);
	return rc;
}

/* queue_held - what lies in hold/ */
int
queue_held(struct queue *q, bool (*each)(void *, struct slice, uint64_t),
    void *with, struct why *why)
{
	struct walk w = { each, with, why };

	return walk_folder(q->fd, "hold", 0, &w) == -1 ? -1 : 0;
}

struct search {
	const struct slice *ids;
	size_t		 n, left;
	enum order_place place, *out;
};

/* sought - is it one that is looked for?  They are few. */
static bool
sought(void *with, struct slice id, uint64_t file)
{
	struct search *s = with;

	(void)file;
	for (size_t i = 0; i < s->n; i++)
		if (s->out[i] == PLACE_AWAY && slice_eq(s->ids[i], id)) {
			s->out[i] = s->place;
			s->left--;
		}
	return s->left > 0;
}

/* look - through these folders, for what was not found yet */
static int
look(struct queue *q, struct search *s, unsigned last, struct why *why)
{
	struct walk w = { sought, s, why };

	for (unsigned p = PLACE_HOLD; p <= last && s->left > 0; p++) {
		s->place = (enum order_place)p;
		if (walk_folder(q->fd, order_places[p], 0, &w) == -1)
			return -1;
	}
	return 0;
}

/* queue_where - see the head: twice */
int
queue_where(struct queue *q, const struct slice *ids, size_t n,
    enum order_place *out, struct why *why)
{
	struct search s = { .ids = ids, .n = n, .left = n, .out = out };

	for (size_t i = 0; i < n; i++)
		out[i] = PLACE_AWAY;
	for (int i = 0; i < 2; i++)
		if (look(q, &s, PLACE_CORRUPT, why) == -1)
			return -1;
	return 0;
}

/* --- doing ---------------------------------------------------------------- */

/* queue_change - one run of postsuper, of hold/ alone */
int
queue_change(struct queue *q, enum order_verb verb, const struct slice *ids,
    size_t n, struct buf *said, struct why *why)
{
	static const char *const options[ORDER_VERBS] = {
		[ORDER_RELEASE] = "-H", [ORDER_EXPIRE] = "-f",
		[ORDER_DROP] = "-d" };
	char *const argv[] = { q->postsuper, (char *)"-c", q->config,
		(char *)options[verb], (char *)"-", (char *)"hold", NULL };
	struct buf lines = BUF_INIT;
	int fd = -1, status, rc = -1;

	for (size_t i = 0; i < n; i++) {
		buf_slices(&lines, ids[i]);
		buf_char(&lines, '\n');
	}
	if (buf_failed(&lines))
		why_kind(why, WHY_MEMORY, "no memory for queue ids");
	else if ((fd = command_file(buf_slice(&lines), why)) != -1)
		rc = command_run(argv, fd, NULL, said, &status, why);
	if (fd != -1)
		close(fd);
	buf_free(&lines);
	return rc;
}

/* queue_now - by the flush service; a message that is gone is none of its */
int
queue_now(struct queue *q, struct slice id, struct buf *said, struct why *why)
{
	char text[ORDER_ID_MOST + 1];
	char *const argv[] = { q->postqueue, (char *)"-c", q->config,
		(char *)"-i", text, NULL };
	int status;

	if (id.n >= sizeof(text))
		return why_set(why, "a queue id of %zu bytes", id.n);
	memcpy(text, id.p, id.n);
	text[id.n] = '\0';
	return command_run(argv, -1, NULL, said, &status, why);
}
