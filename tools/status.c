/*
 * status - is the gate well?
 *
 * There is no control socket: the gate's writer keeps a record in its store,
 * and this reads it.  So a gate that hangs is seen by its old heartbeat, and
 * asking costs it nothing.  Of penstock-release it tells what stands in
 * release/, since without it held mail waits for ever.
 */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/held.h"
#include "lib/mem.h"
#include "lib/released.h"
#include "lib/store_in.h"
#include "tools/running.h"
#include "tools/tool.h"

/* The writer beats every two seconds when idle; this is long overdue. */
#define STALE	(15 * CLOCK_SECOND)
/* The longest time between two inventories, and a little. */
#define OLD	(65 * CLOCK_MINUTE)

static const char usage[] = "penstock status [--json]";

struct view {
	struct status	status;
	struct db_stat	db;
	uint64_t	last;		/* sequence */
	bool		running;
	int64_t		age;		/* of the heartbeat, us */
	uint64_t	held;		/* messages that wait */
	int64_t		oldest;		/* of them, since; 0: there is none */
	bool		releasing;	/* penstock-release runs */
	bool		counted;	/* and there is an inventory */
	struct inventory inventory;
};

/* releases - does held mail get out again?  None needs nobody. */
static bool
releases(const struct view *v)
{
	return v->held == 0 || (v->releasing && v->inventory.trouble.n == 0);
}

/* well - nothing that an operator should look at */
static bool
well(const struct view *v)
{
	return v->running && v->status.result == STATUS_OK &&
	    !v->status.draining && v->age < STALE && v->status.desk.n == 0 &&
	    v->status.clock_jump == 0 && releases(v);
}

/* moment - in the machine's zone */
static const char *
moment(int64_t us, char out[32])
{
	time_t t = (time_t)(us / CLOCK_SECOND);
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		return "?";
	return out;
}

/* size_text - in the unit that fits */
static const char *
size_text(uint64_t n, char out[32])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double d = (double)n;
	size_t u = 0;

	for (; d >= 1024 && u < 4; u++)
		d /= 1024;
	snprintf(out, 32, u == 0 ? "%.0f %s" : "%.1f %s", d, units[u]);
	return out;
}

/* print_reload - what the last load said, indented */
static void
print_reload(const struct status *s)
{
	struct slice text = s->text;
	const char *end;
	size_t n;

	printf("last load    %s\n", status_result_names[s->result]);
	while (text.n > 0) {
		end = memchr(text.p, '\n', text.n);
		n = end != NULL ? (size_t)(end - text.p) : text.n;
		printf("             %.*s\n", (int)n, text.p);
		text = slice_from(text, n + (end != NULL));
	}
}

/* print_held - what waits, and who lets it go */
static void
print_held(const struct view *v)
{
	const struct inventory *i = &v->inventory;
	char a[32];

	if (v->held > 0)
		printf("held         %llu message%s, the oldest since %s\n",
		    (unsigned long long)v->held, v->held == 1 ? "" : "s",
		    moment(v->oldest, a));
	if (v->held > 0 && !v->releasing)
		printf("             NOT RELEASED: penstock-release does not "
		    "run\n");
	else if (i->trouble.n > 0)
		printf("             NOT RELEASED: %.*s\n",
		    SLICE_ARG(i->trouble));
	if (v->counted && i->time > 0)
		printf("hold queue   %llu of ours, %llu held by others, as of "
		    "%s%s\n", (unsigned long long)i->ours,
		    (unsigned long long)i->foreign, moment(i->time, a),
		    v->releasing && clock_wall() - i->time > OLD ?
		    ", OVERDUE" : "");
}

/* print_eyes - aligned, for a person */
static void
print_eyes(const struct view *v)
{
	const struct status *s = &v->status;
	char a[32], b[32];

	if (v->running)
		printf("gate         running, pid %lld, since %s%s\n",
		    (long long)s->pid, moment(s->started, a),
		    s->draining ? ", draining" : "");
	else
		printf("gate         NOT RUNNING, last was pid %lld, "
		    "started %s\n", (long long)s->pid, moment(s->started, a));
	printf("version      %.*s on %.*s\n", SLICE_ARG(s->version),
	    SLICE_ARG(s->socket));
	printf("heartbeat    %lld s ago%s\n",
	    (long long)(v->age / CLOCK_SECOND),
	    v->running && v->age >= STALE ? ", OVERDUE" : "");
	printf("policy       %02x%02x%02x%02x, generation %llu\n",
	    s->policy_hash[0], s->policy_hash[1], s->policy_hash[2],
	    s->policy_hash[3], (unsigned long long)s->generation);
	print_reload(s);
	if (s->desk_seq > 0)
		printf("desk         up to desk:%llu in force\n",
		    (unsigned long long)s->desk_seq);
	if (s->desk.n > 0)
		printf("             NOT FOLLOWED: %.*s\n", SLICE_ARG(s->desk));
	printf("since start  %llu accepted, %llu deferred, %llu refused, "
	    "%llu failed\n", (unsigned long long)s->accepted,
	    (unsigned long long)s->deferred, (unsigned long long)s->refused,
	    (unsigned long long)s->failed);
	if (s->overflow > 0)
		printf("overflow     %llu charges to overflow counters\n",
		    (unsigned long long)s->overflow);
	printf("store        %llu events, %s used of %s\n",
	    (unsigned long long)v->last, size_text(v->db.used, a),
	    size_text(v->db.map_size, b));
	print_held(v);
	if (s->clock_jump != 0)
		printf("clock        the wall clock is %lld s %s gate time\n",
		    llabs((long long)s->clock_jump) / CLOCK_SECOND,
		    s->clock_jump > 0 ? "ahead of" : "behind");
}

/* json_held - members of the object */
static void
json_held(const struct view *v, struct buf *b)
{
	const struct inventory *i = &v->inventory;

	buf_printf(b, "\"held\":%llu,\"held_oldest\":%lld,\"release\":{"
	    "\"running\":%s,\"inventory\":%lld,\"ours\":%llu,"
	    "\"foreign\":%llu,\"trouble\":", (unsigned long long)v->held,
	    (long long)v->oldest, v->releasing ? "true" : "false",
	    (long long)i->time, (unsigned long long)i->ours,
	    (unsigned long long)i->foreign);
	buf_json(b, i->trouble);
	buf_str(b, "},");
}

/* print_json - one object */
static void
print_json(const struct view *v)
{
	const struct status *s = &v->status;
	struct buf b = BUF_INIT;

	buf_printf(&b, "{\"running\":%s,\"well\":%s,\"draining\":%s,"
	    "\"pid\":%lld,\"started\":%lld,\"heartbeat\":%lld,"
	    "\"heartbeat_age\":%lld,\"clock_jump\":%lld,",
	    v->running ? "true" : "false", well(v) ? "true" : "false",
	    s->draining ? "true" : "false", (long long)s->pid,
	    (long long)s->started, (long long)s->heartbeat,
	    (long long)v->age, (long long)s->clock_jump);
	running_json(s, &b);
	buf_printf(&b, ",\"accepted\":%llu,\"deferred\":%llu,"
	    "\"refused\":%llu,\"failed\":%llu,\"overflow\":%llu,"
	    "\"last_seq\":%llu,\"store_used\":%llu,\"store_size\":%llu,",
	    (unsigned long long)s->accepted, (unsigned long long)s->deferred,
	    (unsigned long long)s->refused, (unsigned long long)s->failed,
	    (unsigned long long)s->overflow, (unsigned long long)v->last,
	    (unsigned long long)v->db.used,
	    (unsigned long long)v->db.map_size);
	json_held(v, &b);
	buf_printf(&b, "\"desk_seq\":%llu,\"desk\":",
	    (unsigned long long)s->desk_seq);
	buf_json(&b, s->desk);
	buf_str(&b, ",\"version\":");
	buf_json(&b, s->version);
	buf_str(&b, ",\"socket\":");
	buf_json(&b, s->socket);
	buf_str(&b, "}\n");
	if (!buf_failed(&b))
		fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}

/* look_held - the gate's table, and what penstock-release says */
static int
look_held(const struct config *config, struct store *store,
    struct arena *arena, struct view *v)
{
	struct released_reader *reader = NULL;
	struct held first;
	struct why why;
	size_t got = 0;

	v->inventory.trouble = SLICE("");
	v->held = v->db.tables > T_HELD ? v->db.entries[T_HELD] : 0;
	v->releasing = running_owner(config, "release");
	if (store_held(store, 0, HELD_ALL, 1, arena, &first, &got,
	    &why) == -1 ||
	    released_reader(&reader, config->store, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	if (got == 1)
		v->oldest = first.since;
	switch (released_inventory(reader, arena, &v->inventory, &why)) {
	case 1:
		v->counted = true;
		break;
	case -1:
		fprintf(stderr, "penstock: what penstock-release says cannot "
		    "be read: %s\n", why.text);
		v->inventory = (struct inventory){ .trouble = SLICE("") };
		break;
	}
	released_reader_close(reader);
	return TOOL_OK;
}

/* look - everything there is to show */
static int
look(const struct config *config, struct store *store, struct arena *arena,
    struct view *v)
{
	int64_t time;
	struct why why;
	int rc, fd;

	if ((rc = running_status(store, arena, &v->status)) != TOOL_OK)
		return rc;
	if (db_stat(store_db(store), &v->db, &why) == -1 ||
	    store_last(store, &v->last, &time, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	if ((rc = look_held(config, store, arena, v)) != TOOL_OK)
		return rc;
	v->age = clock_wall() - v->status.wall;
	if (v->age < 0)
		v->age = 0;
	if ((fd = running_open(config, &v->status)) != -1) {
		v->running = true;
		close(fd);
	}
	return TOOL_OK;
}

/* tool_status - 0 well, 1 it runs with trouble, 3 it does not run */
int
tool_status(const struct tool *tool, int argc, char **argv)
{
	struct view v = { .running = false };
	struct config *config = NULL;
	struct arena *arena = NULL;
	struct store *store = NULL;
	bool json = argc == 1 && strcmp(argv[0], "--json") == 0;
	int rc;

	if (tool_asks_help(argc, argv))
		return tool_help(usage);
	if (argc > 0 && !json)
		return tool_usage(usage);
	if ((rc = tool_config(tool, &config)) != TOOL_OK ||
	    (rc = tool_store(config, &store)) != TOOL_OK)
		goto out;
	if ((arena = arena_new(4096, 0)) == NULL) {
		rc = tool_fail(TOOL_BROKEN, "out of memory");
		goto out;
	}
	if ((rc = look(config, store, arena, &v)) != TOOL_OK)
		goto out;
	if (json)
		print_json(&v);
	else
		print_eyes(&v);
	rc = !v.running ? TOOL_BROKEN : well(&v) ? TOOL_OK : TOOL_NO;
out:
	store_close(store);
	arena_free(arena);
	config_free(config);
	return rc;
}
