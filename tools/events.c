/*
 * events - what the gate did, from the store, by sequence.
 *
 * Some events at a time are copied out and printed, so that no transaction is
 * open while a terminal or a pipe is slow.  A follower looks every FOLLOW for
 * more; it ends with its reader, or with ^C, and both are no error.
 *
 * A cursor is a file of the caller's: the next sequence, as text.  It is
 * replaced, whole, after the lines in front of it were flushed.  Who is killed
 * between sees some lines again: at least once, never less.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/scan.h"
#include "tools/tool.h"

enum { BATCH = 256, FOLLOW = 200 /* ms */ };

static const char usage[] = "penstock events [--follow] [--since TIME] "
    "[--json] [--cursor FILE]\n"
    "                       [--tenant NAME] [--kind KIND] [--queue-id ID]";

static volatile sig_atomic_t interrupted;

struct options {
	bool		 follow, json, color;
	const char	*since, *cursor, *tenant, *queue_id;
	int		 kind;			/* -1: all */
};

/* on_signal - a follower's way out */
static void
on_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

/* kind_of - by its name, or -1 */
static int
kind_of(const char *name)
{
	for (int i = 0; event_kind_names[i] != NULL; i++)
		if (strcmp(event_kind_names[i], name) == 0)
			return i;
	return -1;
}

/* options_read - false: usage */
static bool
options_read(struct options *o, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		const char *kind = NULL, **to = NULL;

		if (strcmp(argv[i], "--follow") == 0)
			o->follow = true;
		else if (strcmp(argv[i], "--json") == 0)
			o->json = true;
		else if (strcmp(argv[i], "--since") == 0)
			to = &o->since;
		else if (strcmp(argv[i], "--cursor") == 0)
			to = &o->cursor;
		else if (strcmp(argv[i], "--tenant") == 0)
			to = &o->tenant;
		else if (strcmp(argv[i], "--queue-id") == 0)
			to = &o->queue_id;
		else if (strcmp(argv[i], "--kind") == 0)
			to = &kind;
		else
			return false;
		if (to == NULL)
			continue;
		if (++i >= argc)
			return false;
		*to = argv[i];
		if (kind != NULL && (o->kind = kind_of(kind)) == -1)
			return false;
	}
	return true;
}

/* --- the cursor ----------------------------------------------------------- */

/* cursor_read - fetch: 0 when there is no such file yet */
static int
cursor_read(const char *path, uint64_t *next, struct why *why)
{
	char text[32], *end;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		return errno == ENOENT ? 0 :
		    why_errno(why, "cannot open %s", path);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return why_errno(why, "cannot read %s", path);
	text[n] = '\0';
	errno = 0;
	*next = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || errno != 0 || *next == 0 ||
	    strcmp(end, "\n") != 0)
		return why_set(why, "%s is no cursor: it should hold the "
		    "sequence of the next event", path);
	return 1;
}

/* cursor_write - the old one or the new one, never half of it */
static int
cursor_write(const char *path, uint64_t next, struct why *why)
{
	char *new = xasprintf("%s.new", path), text[32];
	int n = snprintf(text, sizeof(text), "%" PRIu64 "\n", next);
	int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int rc = 0;

	if (fd == -1 || write(fd, text, (size_t)n) != n || fsync(fd) == -1 ||
	    rename(new, path) == -1)
		rc = why_errno(why, "cannot write the cursor %s", path);
	if (fd != -1)
		close(fd);
	free(new);
	return rc;
}

/* --- one event ------------------------------------------------------------ */

/* wanted - does it pass the filters? */
static bool
wanted(const struct options *o, const struct event *e)
{
	return (o->kind == -1 || (int)e->kind == o->kind) &&
	    (o->tenant == NULL || slice_is(e->tenant, o->tenant)) &&
	    (o->queue_id == NULL || slice_is(e->queue_id, o->queue_id));
}

/* put_plain - text of strangers, without what moves a cursor or rings */
static void
put_plain(struct buf *b, struct slice s, size_t width)
{
	size_t i;

	if (s.n == 0)
		s = SLICE("-");
	for (i = 0; i < s.n && s.p[i] != '\n'; i++) {
		unsigned char c = (unsigned char)s.p[i];

		/* 0x80..0x9f would be control characters to some */
		buf_char(b, c < 0x20 || c == 0x7f ? '?' : s.p[i]);
	}
	for (; i < width; i++)
		buf_char(b, ' ');
	buf_str(b, width > 0 ? "  " : "");
}

/* color_of - red what did not go, yellow what waits */
static const char *
color_of(const struct event *e)
{
	if (e->kind == EVENT_VOID || e->verdict == VERDICT_DEFER ||
	    e->verdict == VERDICT_HOLD)
		return "\033[33m";
	return e->verdict == VERDICT_PASS ? "" : "\033[31m";
}

/* put_line - for eyes: when, what, who, from, to how many, verdict, why */
static void
put_line(struct buf *b, const struct event *e, bool color)
{
	const char *paint = color ? color_of(e) : "";
	char text[32];
	struct slice rule = e->rule;

	event_time(e->time, b);
	buf_str(b, "  ");
	put_plain(b, slice_of(event_kind_names[e->kind]), 7);
	put_plain(b, e->tenant, 16);
	put_plain(b, e->mail_from.n == 0 && e->tenant.n > 0 ? SLICE("<>") :
	    e->mail_from, 32);
	snprintf(text, sizeof(text), "%5zu  ", e->nrecipients);
	buf_str(b, text);
	buf_str(b, paint);
	put_plain(b, slice_of(verdict_names[e->verdict]), 6);
	buf_str(b, paint[0] != '\0' ? "\033[0m" : "");
	if (rule.n == 0 && e->text.n > 0)
		rule = e->text;
	put_plain(b, rule, 0);
	if (e->limit.n > 0)
		buf_printf(b, " (%.*s)", SLICE_ARG(e->limit));
	if (e->count > 1)
		buf_printf(b, " x %u", e->count);
	if (e->kind == EVENT_VOID)
		buf_printf(b, " takes back %" PRIu64, e->voids);
	buf_char(b, '\n');
}

/* --- all of them ---------------------------------------------------------- */

struct run {
	struct options	 o;
	struct store	*store;
	struct arena	*arena;
	struct buf	 out;
	uint64_t	 next;
	bool		 gone;		/* our reader is */
};

/* flush - what was formatted; sets gone when nobody reads any more */
static int
flush(struct run *r, struct why *why)
{
	if (buf_failed(&r->out))
		return why_set(why, "out of memory");
	if ((r->out.len > 0 && fwrite(r->out.data, 1, r->out.len, stdout) !=
	    r->out.len) || fflush(stdout) != 0) {
		if (errno != EPIPE)
			return why_errno(why, "cannot write");
		r->gone = true;
	}
	buf_reset(&r->out);
	return 0;
}

/* print_batch - up to BATCH events; *n of them were there */
static int
print_batch(struct run *r, size_t *n, struct why *why)
{
	struct slice encoded[BATCH];
	struct event e;
	size_t i;

	arena_reset(r->arena);
	if (store_read(r->store, r->next, BATCH, r->arena, encoded, n,
	    why) == -1)
		return -1;
	for (i = 0; i < *n; i++) {
		if (event_decode(encoded[i], &e, r->arena, why) == -1)
			return why_in(why, "event behind %" PRIu64,
			    r->next - 1);
		r->next = e.seq + 1;
		if (!wanted(&r->o, &e))
			continue;
		if (r->o.json) {
			event_json(&e, &r->out);
			buf_char(&r->out, '\n');
		} else
			put_line(&r->out, &e, r->o.color);
	}
	if (*n == 0)
		return 0;
	if (flush(r, why) == -1)
		return -1;
	return r->gone || r->o.cursor == NULL ? 0 :
	    cursor_write(r->o.cursor, r->next, why);
}

/* where - the first sequence to print */
static int
where(struct run *r, struct why *why)
{
	uint64_t last;
	int64_t time;
	int got = 0;

	r->next = 1;
	if (r->o.cursor != NULL &&
	    (got = cursor_read(r->o.cursor, &r->next, why)) == -1)
		return -1;
	if (got == 1) {
		if (store_last(r->store, &last, &time, why) == -1)
			return -1;
		if (r->next > last + 1)
			return why_set(why, "the cursor %s is at event %"
			    PRIu64 ", the last one is %" PRIu64 ": it belongs "
			    "to another store", r->o.cursor, r->next, last);
		return 0;
	}
	if (r->o.since == NULL)
		return 0;
	if (scan_moment(slice_of(r->o.since), NULL, clock_wall(), &time,
	    why) == -1)
		return -1;
	return store_seq_at(r->store, time, &r->next, why);
}

/* print_all - until there are no more, or for ever */
static int
print_all(struct run *r, struct why *why)
{
	struct pollfd out = { .fd = STDOUT_FILENO };
	size_t n;

	while (!interrupted && !r->gone) {
		if (print_batch(r, &n, why) == -1)
			return -1;
		if (n == BATCH)
			continue;
		if (!r->o.follow)
			break;
		/* asks for nothing: only that the reader went away */
		if (poll(&out, 1, FOLLOW) == 1 &&
		    (out.revents & (POLLERR | POLLHUP)) != 0)
			break;
	}
	return 0;
}

/* tool_events - the subcommand */
int
tool_events(const struct tool *tool, int argc, char **argv)
{
	struct run r = { .o = { .kind = -1, .color = tool->color },
		.out = BUF_INIT };
	struct sigaction act = { .sa_handler = on_signal };
	struct config *config = NULL;
	struct why why;
	int rc;

	if (tool_asks_help(argc, argv))
		return tool_help(usage);
	if (!options_read(&r.o, argc, argv))
		return tool_usage(usage);
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	signal(SIGPIPE, SIG_IGN);
	if ((rc = tool_config(tool, &config)) != TOOL_OK ||
	    (rc = tool_store(config, &r.store)) != TOOL_OK)
		goto out;
	if ((r.arena = arena_new(256u << 10, 0)) == NULL) {
		rc = tool_fail(TOOL_BROKEN, "out of memory");
		goto out;
	}
	if (where(&r, &why) == -1 || print_all(&r, &why) == -1)
		rc = tool_fail(TOOL_BROKEN, "%s", why.text);
out:
	buf_free(&r.out);
	arena_free(r.arena);
	store_close(r.store);
	config_free(config);
	return rc;
}
