/*
 * suppress_edit - penstock suppress add and remove.
 *
 * What operators say goes into desk/, beside a record of who said it and why.
 * A removal is a later word, not a deletion: what it speaks of may stand in the
 * store of another program.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/scan.h"
#include "tools/suppress.h"

static const char add_usage[] =
    "penstock suppress add ADDRESS SCOPE --reason TEXT [--as WHY]\n"
    "    [--until TIME]\n"
    "  SCOPE is --list TENANT/STREAM, --tenant NAME, --group NAME or\n"
    "  --platform; WHY is manual (default), unsubscribe, hard_bounce,\n"
    "  complaint, invalid, trap or erasure";
static const char remove_usage[] =
    "penstock suppress remove ADDRESS [SCOPE] --reason TEXT [--force]\n"
    "  without SCOPE all that stands is lifted; --force lifts bounces,\n"
    "  complaints and their like as well";

struct words {
	const char	*address, *reason, *until, *as;
	struct scope_option scope;
	bool		 force;
};

/* value - "--reason TEXT" and its like */
static bool
value(int argc, char **argv, int *i, const char *name, const char **out)
{
	if (strcmp(argv[*i], name) != 0 || *i + 1 >= argc)
		return false;
	*out = argv[++*i];
	return true;
}

/* arguments - TOOL_OK, or what to exit with */
static int
arguments(struct words *w, int argc, char **argv, bool add)
{
	const char *usage = add ? add_usage : remove_usage;
	int status = TOOL_OK;
	struct why why;

	for (int i = 0; i < argc && status == TOOL_OK; i++) {
		if (suppress_option(argc, argv, &i, &w->scope, &status) ||
		    value(argc, argv, &i, "--reason", &w->reason) ||
		    (add && (value(argc, argv, &i, "--until", &w->until) ||
		    value(argc, argv, &i, "--as", &w->as))))
			continue;
		if (!add && strcmp(argv[i], "--force") == 0)
			w->force = true;
		else if (argv[i][0] == '-' || w->address != NULL)
			return tool_usage(usage);
		else
			w->address = argv[i];
	}
	if (status != TOOL_OK)
		return status;
	if (w->address == NULL || w->reason == NULL ||
	    (add && !w->scope.given))
		return tool_usage(usage);
	if (desk_reason(slice_of(w->reason), &why) == -1)
		return tool_fail(TOOL_USAGE, "--reason: %s", why.text);
	return TOOL_OK;
}

/* write_entry - one entry and its record, in the transaction */
static int
write_entry(struct suppress_tool *t, struct db_txn *txn,
    const struct suppress_subject *s, const struct suppress_entry *e,
    const struct words *w, struct why *why)
{
	struct desk_record r = { .kind = e->lift ? DESK_SUPPRESS_REMOVE :
	    DESK_SUPPRESS_ADD };
	char whose[200];
	uint64_t seq;
	int rc = suppress_add(txn, DESK_T_SUPPRESSIONS, &s->folded,
	    s->mailbox.text, e, t->arena, why);

	if (rc != 1)
		return rc;
	desk_who(&r, t->arena);
	suppress_whose(t, e->scope, e->id, whose);
	r.subject = s->mailbox.text;
	r.reason = slice_of(w->reason);
	r.object = arena_copy(t->arena, slice_of(whose));
	r.after = slice_of(e->lift ? "lifted" :
	    suppress_reason_names[e->reason]);
	r.until = e->expires;
	if (desk_put(t->desk, &r, &seq, why) == -1)
		return -1;
	printf("%.*s: %s: %s (desk:%llu)\n", SLICE_ARG(s->mailbox.text),
	    whose, e->lift ? "lifted" : suppress_reason_names[e->reason],
	    (unsigned long long)seq);
	return 1;
}

/* write_all - n entries in one transaction; exit status */
static int
write_all(struct suppress_tool *t, const struct suppress_subject *s,
    const struct suppress_entry *list, size_t n, const struct words *w)
{
	struct db_txn *txn;
	struct why why;
	int status = suppress_desk(t), rc = 0, changed = 0;

	if (status != TOOL_OK)
		return status;
	if (desk_begin(t->desk, &txn, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	for (size_t i = 0; i < n && rc != -1; i++) {
		rc = write_entry(t, txn, s, &list[i], w, &why);
		changed += rc == 1;
	}
	if (rc == -1 || changed == 0)
		desk_abort(t->desk);
	else if (desk_commit(t->desk, &why) == -1)
		rc = -1;
	if (rc == -1)
		return tool_fail(TOOL_BROKEN, "%s; nothing was changed",
		    why.text);
	if (changed == 0)
		puts("it stands so already; nothing was changed");
	return TOOL_OK;
}

/* add - the entry that the words describe */
static int
add(struct suppress_tool *t, const struct words *w)
{
	int reason = suppress_reason_of(w->as != NULL ? w->as : "manual");
	struct suppress_subject s;
	struct suppress_entry e = { .scope = w->scope.scope,
	    .id = w->scope.id, .source = SLICE("operator"),
	    .note = slice_of(w->reason) };
	struct why why;
	int status;

	if (reason == -1)
		return tool_fail(TOOL_USAGE, "--as: no reason is called "
		    "\"%s\"", w->as);
	if (w->until != NULL && scan_moment(slice_of(w->until), NULL, t->now,
	    &e.expires, &why) == -1)
		return tool_fail(TOOL_USAGE, "--until: %s", why.text);
	if (w->until != NULL && e.expires <= t->now)
		return tool_fail(TOOL_USAGE, "--until: that is over already");
	if ((status = suppress_known(t, &w->scope)) != TOOL_OK ||
	    (status = suppress_subject(t, w->address, &s)) != TOOL_OK)
		return status;
	e.reason = (enum suppress_reason)reason;
	for (int i = 0; i < SUPPRESS_STORES; i++)
		for (size_t k = 0; k < s.records[i].n; k++) {
			struct suppress_entry *old = &s.records[i].list[k];

			if (old->scope == e.scope && old->id == e.id &&
			    old->reason == e.reason && old->expires ==
			    e.expires && suppress_state(s.records,
			    (enum suppress_store)i, old, t->now) ==
			    SUPPRESS_STANDS) {
				puts("it stands so already; nothing was "
				    "changed");
				return TOOL_OK;
			}
		}
	e.date = suppress_date(s.records, e.scope, e.id, t->now);
	return write_all(t, &s, &e, 1, w);
}

/* lifts_of - a lift for each scope at which something stands; a firm one that
 * stands and is not forced is told */
static size_t
lifts_of(struct suppress_tool *t, const struct words *w,
    const struct suppress_subject *s, struct suppress_entry *out,
    const struct suppress_entry **firm)
{
	size_t n = 0, k;

	for (int i = 0; i < SUPPRESS_STORES; i++) {
		for (size_t j = 0; j < s->records[i].n; j++) {
			const struct suppress_entry *e =
			    &s->records[i].list[j];

			if ((w->scope.given && (e->scope != w->scope.scope ||
			    e->id != w->scope.id)) || suppress_state(
			    s->records, (enum suppress_store)i, e, t->now) !=
			    SUPPRESS_STANDS)
				continue;
			if (suppress_is_firm(e->reason) && !w->force)
				*firm = e;
			for (k = 0; k < n; k++)
				if (out[k].scope == e->scope &&
				    out[k].id == e->id)
					break;
			if (k < n)
				continue;
			out[n++] = (struct suppress_entry){
			    .scope = e->scope, .id = e->id,
			    .reason = SUPPRESS_MANUAL, .lift = true,
			    .date = suppress_date(s->records, e->scope, e->id,
			    t->now), .source = SLICE("operator"),
			    .note = slice_of(w->reason) };
		}
	}
	return n;
}

/* take_away - a later word for all that stands */
static int
take_away(struct suppress_tool *t, const struct words *w)
{
	const struct suppress_entry *firm = NULL;
	struct suppress_entry *list;
	struct suppress_subject s;
	char whose[200];
	size_t n = 0;
	int status;

	if ((status = suppress_subject(t, w->address, &s)) != TOOL_OK)
		return status;
	for (int i = 0; i < SUPPRESS_STORES; i++)
		n += s.records[i].n;
	if ((list = arena_array(t->arena, n + 1, sizeof(*list))) == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	n = lifts_of(t, w, &s, list, &firm);
	if (n == 0) {
		printf("nothing stands against %.*s%s\n",
		    SLICE_ARG(s.mailbox.text), w->scope.given ? " there" : "");
		return TOOL_NO;
	}
	if (firm != NULL) {
		suppress_whose(t, firm->scope, firm->id, whose);
		return tool_fail(TOOL_NO, "%s: %s: mail there would do harm; "
		    "--force lifts it all the same, and the audit log says "
		    "who did", whose, suppress_reason_names[firm->reason]);
	}
	return write_all(t, &s, list, n, w);
}

/* run - either command */
static int
run(const struct tool *tool, int argc, char **argv, bool adding)
{
	struct words w = { .address = NULL };
	struct suppress_tool t;
	int status;

	if (tool_asks_help(argc, argv))
		return tool_help(adding ? add_usage : remove_usage);
	if ((status = arguments(&w, argc, argv, adding)) != TOOL_OK)
		return status;
	if ((status = suppress_begin(tool, &t)) == TOOL_OK)
		status = adding ? add(&t, &w) : take_away(&t, &w);
	suppress_end(&t);
	return status;
}

/* tool_suppress_add - penstock suppress add */
int
tool_suppress_add(const struct tool *tool, int argc, char **argv)
{
	return run(tool, argc, argv, true);
}

/* tool_suppress_remove - penstock suppress remove */
int
tool_suppress_remove(const struct tool *tool, int argc, char **argv)
{
	return run(tool, argc, argv, false);
}
