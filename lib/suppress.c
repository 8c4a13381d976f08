/*
 * suppress - the record, and what records say.
 *
 * Key: 16 bytes, the hash of the folded address (lib/fold.h).  Value:
 *
 *	u8	version, 1
 *	u16	version of the folding rules that made the key
 *	field	address as it came
 *	u32	number of entries, then each:
 *	  u8	scope		u8	reason		u8	1: a lift
 *	  u64	id of the scope
 *	  i64	date		i64	expires, 0 never
 *	  field	source		field	note
 *
 * Numbers are little-endian, a field is a u32 length and bytes (lib/wire.h).
 * The address stands beside its hash: an export must give it, an erasure must
 * find it, and new folding rules must be able to make a new key of it.
 *
 * All entries of an address lie in one value, so that the gate asks each store
 * once per recipient, whatever number of lists the recipient left.
 *
 * Why a lift is an entry and not a deletion: the suppression it speaks of may
 * stand in a store of another owner.  The later word counts, by date; where
 * dates are equal the suppression does.
 */
#include "lib/suppress.h"

#include <stdio.h>
#include <string.h>

enum { VERSION = 1, FLAG_LIFT = 1 };

const char *const suppress_store_names[] = { "outcomes", "consent", "desk",
	NULL };
const char *const suppress_scope_names[] = { "list", "tenant", "group",
	"platform", NULL };
const char *const suppress_reason_names[] = { "unsubscribe", "hard_bounce",
	"complaint", "invalid", "manual", "import", "trap", "erasure", NULL };

/* suppress_is_firm - reasons that no ordinary wish takes away */
bool
suppress_is_firm(enum suppress_reason reason)
{
	return reason != SUPPRESS_UNSUBSCRIBE && reason != SUPPRESS_MANUAL &&
	    reason != SUPPRESS_IMPORT;
}

/* --- bytes -------------------------------------------------------------- */

/* put_entry - one of them */
static void
put_entry(const struct suppress_entry *e, struct buf *out)
{
	struct slice source = e->source, note = e->note;

	if (source.n > SUPPRESS_SOURCE)
		source.n = SUPPRESS_SOURCE;
	if (note.n > SUPPRESS_NOTE)
		note.n = SUPPRESS_NOTE;
	put_u8(out, (uint8_t)e->scope);
	put_u8(out, (uint8_t)e->reason);
	put_u8(out, e->lift ? FLAG_LIFT : 0);
	put_u64(out, e->id);
	put_i64(out, e->date);
	put_i64(out, e->expires);
	put_field(out, source);
	put_field(out, note);
}

/* suppress_encode - appended to the buffer */
void
suppress_encode(const struct suppress_record *r, struct buf *out)
{
	put_u8(out, VERSION);
	put_u16(out, (uint16_t)r->rules);
	put_field(out, r->address);
	put_u32(out, (uint32_t)r->n);
	for (size_t i = 0; i < r->n; i++)
		put_entry(&r->list[i], out);
}

/* get_head - all before the entries; their number, bad when it cannot be */
static uint32_t
get_head(struct wire *w, struct suppress_record *r)
{
	uint32_t n;

	if (get_u8(w) != VERSION)
		w->bad = true;
	r->rules = get_u16(w);
	r->address = get_field(w);
	n = get_u32(w);
	if (n == 0 || n > SUPPRESS_ENTRIES)
		w->bad = true;
	return w->bad ? 0 : n;
}

/* get_entry - the next; bad for what nobody writes */
static void
get_entry(struct wire *w, struct suppress_entry *e)
{
	unsigned scope = get_u8(w), reason = get_u8(w), flags = get_u8(w);

	e->scope = (enum suppress_scope)scope;
	e->reason = (enum suppress_reason)reason;
	e->lift = flags == FLAG_LIFT;
	e->id = get_u64(w);
	e->date = get_i64(w);
	e->expires = get_i64(w);
	e->source = get_field(w);
	e->note = get_field(w);
	if (scope >= SUPPRESS_SCOPES || reason >= SUPPRESS_REASONS ||
	    flags > FLAG_LIFT || e->source.n > SUPPRESS_SOURCE ||
	    e->note.n > SUPPRESS_NOTE)
		w->bad = true;
}

/* damaged - the sentence */
static int
damaged(struct why *why)
{
	return why_kind(why, WHY_BROKEN, "a suppression record is damaged; "
	    "penstock store verify tells which store, restore a backup of it");
}

/* suppress_decode - the whole record */
int
suppress_decode(struct slice in, struct arena *arena,
    struct suppress_record *r, struct why *why)
{
	struct wire w = wire_of(in);
	uint32_t n = get_head(&w, r);

	if (w.bad)
		return damaged(why);
	if ((r->list = arena_array(arena, n, sizeof(*r->list))) == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a record");
	for (r->n = 0; r->n < n && !w.bad; r->n++)
		get_entry(&w, &r->list[r->n]);
	return w.bad || w.p != w.end ? damaged(why) : 0;
}

/* --- writing ------------------------------------------------------------ */

/* same_scope - do both speak of one thing? */
static bool
same_scope(const struct suppress_entry *a, const struct suppress_entry *b)
{
	return a->scope == b->scope && a->id == b->id;
}

/* outdated - within one store, does b make a say nothing any more? */
static bool
outdated(const struct suppress_entry *a, const struct suppress_entry *b)
{
	if (!same_scope(a, b) || a->date > b->date)
		return false;
	if (a->lift == b->lift)
		return a->lift || a->reason == b->reason;
	return true;
}

/* said - does an entry of the record say so already, or otherwise since? */
static bool
said(const struct suppress_record *r, const struct suppress_entry *e)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct suppress_entry *a = &r->list[i];

		if (!same_scope(a, e) || a->date < e->date)
			continue;
		if (a->lift != e->lift ? a->date > e->date || e->lift :
		    a->lift || (a->reason == e->reason &&
		    (a->date > e->date || a->expires == e->expires)))
			return true;
	}
	return false;
}

/* suppress_merge - what stands, without what the new word outdates */
int
suppress_merge(struct slice row, struct slice address,
    const struct suppress_entry *e, struct arena *arena, struct buf *out,
    struct why *why)
{
	struct suppress_record old = { .n = 0 }, new = { .n = 0 };

	if (row.p != NULL && suppress_decode(row, arena, &old, why) == -1)
		return -1;
	if (said(&old, e))
		return 0;
	new.rules = fold_version();
	new.address = row.p != NULL ? old.address : address;
	new.list = arena_array(arena, old.n + 1, sizeof(*new.list));
	if (new.list == NULL)
		return why_kind(why, WHY_MEMORY, "no memory for a record");
	for (size_t i = 0; i < old.n; i++)
		if (!outdated(&old.list[i], e))
			new.list[new.n++] = old.list[i];
	new.list[new.n++] = *e;
	if (new.n > SUPPRESS_ENTRIES)
		return why_set(why, "one address has %d suppressions already; "
		    "one of the whole tenant or platform says the same",
		    SUPPRESS_ENTRIES);
	suppress_encode(&new, out);
	return buf_failed(out) ?
	    why_kind(why, WHY_MEMORY, "no memory for a record") : 1;
}

/* suppress_add - read, change, write back */
int
suppress_add(struct db_txn *txn, unsigned table, const struct folded *folded,
    struct slice address, const struct suppress_entry *e, struct arena *arena,
    struct why *why)
{
	struct slice key = { (const char *)folded->hash, FOLD_HASH }, row;
	struct buf out = BUF_INIT;
	int rc;

	if ((rc = db_get(txn, table, key, &row, why)) == -1)
		return -1;
	if (rc == 0)
		row = SLICE_NONE;
	rc = suppress_merge(row, address, e, arena, &out, why);
	if (rc == 1 && db_put(txn, table, key, buf_slice(&out), why) == -1)
		rc = -1;
	buf_free(&out);
	return rc;
}

/* --- judging ------------------------------------------------------------ */

/* Latest lift of each scope of the mail, by who said it; 0: none. */
struct lifts {
	int64_t	date[SUPPRESS_SCOPES][SUPPRESS_STORES];
};

/* about - is the entry about this mail's list, tenant, group or all mail? */
static bool
about(const struct suppress_entry *e, const struct suppress_who *who)
{
	switch (e->scope) {
	case SUPPRESS_LIST:
		return who->list != 0 && e->id == who->list;
	case SUPPRESS_TENANT:
		return who->tenant != 0 && e->id == who->tenant;
	case SUPPRESS_GROUP:
		return who->group != 0 && e->id == who->group;
	default:
		return true;
	}
}

/* lifted - does a later word that covers it let the mail flow? */
static bool
lifted(const struct lifts *l, const struct suppress_entry *e,
    enum suppress_store store)
{
	const int64_t *by = l->date[e->scope];

	return by[SUPPRESS_DESK] > e->date ||
	    (by[SUPPRESS_CONSENT] > e->date &&
	    e->reason == SUPPRESS_UNSUBSCRIBE) ||
	    (by[SUPPRESS_OUTCOMES] > e->date && store == SUPPRESS_OUTCOMES);
}

/* binds - does it reach this stream?  Other reasons than these two do. */
static bool
binds(const struct suppress_entry *e, const struct suppress_who *who)
{
	if (e->reason == SUPPRESS_COMPLAINT)
		return e->scope == SUPPRESS_LIST || who->bulk ||
		    who->complained;
	return e->reason != SUPPRESS_UNSUBSCRIBE ||
	    e->scope == SUPPRESS_LIST || who->bulk;
}

/* tell - the entry as a hit */
static void
tell(struct suppress_hit *hit, const struct suppress_entry *e,
    enum suppress_store store)
{
	*hit = (struct suppress_hit){ store, e->scope, e->reason, e->id,
	    e->date, e->expires, "" };
	snprintf(hit->source, sizeof(hit->source), "%.*s",
	    SLICE_ARG(e->source));
}

/* pass - all entries that are about the mail: lifts (hit NULL), or the rest */
static int
pass(struct slice record, enum suppress_store store,
    const struct suppress_who *who, struct lifts *lifts,
    struct suppress_hit *hit, bool *found, struct why *why)
{
	struct wire w = wire_of(record);
	struct suppress_record head;
	struct suppress_entry e;
	uint32_t n = get_head(&w, &head);

	for (; n > 0 && !w.bad; n--) {
		get_entry(&w, &e);
		if (w.bad || !about(&e, who) ||
		    (e.expires != 0 && e.expires <= who->now))
			continue;
		if (e.lift && hit == NULL) {
			if (e.date > lifts->date[e.scope][store])
				lifts->date[e.scope][store] = e.date;
		} else if (!e.lift && hit != NULL && binds(&e, who) &&
		    !lifted(lifts, &e, store) &&
		    (!*found || e.scope > hit->scope)) {
			tell(hit, &e, store);
			*found = true;
		}
	}
	return w.bad ? damaged(why) : 0;
}

/* suppress_state - of one entry */
enum suppress_state
suppress_state(const struct suppress_record records[SUPPRESS_STORES],
    enum suppress_store store, const struct suppress_entry *e, int64_t now)
{
	struct lifts lifts = { .date = { { 0 } } };

	if (e->expires != 0 && e->expires <= now)
		return SUPPRESS_EXPIRED;
	if (e->lift)
		return SUPPRESS_LIFTS;
	for (int s = 0; s < SUPPRESS_STORES; s++) {
		for (size_t i = 0; i < records[s].n; i++) {
			const struct suppress_entry *l = &records[s].list[i];
			int64_t *date = &lifts.date[e->scope][s];

			if (l->lift && same_scope(l, e) && l->date > *date &&
			    (l->expires == 0 || l->expires > now))
				*date = l->date;
		}
	}
	return lifted(&lifts, e, store) ? SUPPRESS_LIFTED : SUPPRESS_STANDS;
}

/* suppress_date - a clock that was set back must not undo a decision */
int64_t
suppress_date(const struct suppress_record records[SUPPRESS_STORES],
    enum suppress_scope scope, uint64_t id, int64_t now)
{
	for (int s = 0; s < SUPPRESS_STORES; s++)
		for (size_t i = 0; i < records[s].n; i++)
			if (records[s].list[i].scope == scope &&
			    records[s].list[i].id == id &&
			    records[s].list[i].date >= now)
				now = records[s].list[i].date + 1;
	return now;
}

/* suppress_judge - lifts first, then what stands against them */
int
suppress_judge(const struct slice records[SUPPRESS_STORES],
    const struct suppress_who *who, struct suppress_hit *hit, struct why *why)
{
	struct lifts lifts = { .date = { { 0 } } };
	bool found = false;

	for (int i = 0; i < SUPPRESS_STORES; i++)
		if (records[i].p != NULL && pass(records[i],
		    (enum suppress_store)i, who, &lifts, NULL, &found,
		    why) == -1)
			return -1;
	for (int i = 0; i < SUPPRESS_STORES; i++)
		if (records[i].p != NULL && pass(records[i],
		    (enum suppress_store)i, who, &lifts, hit, &found,
		    why) == -1)
			return -1;
	return found;
}
