/*
 * audit_verify - penstock audit --verify: is the desk what was written, and all
 * of it?
 *
 * The chain alone tells a changed, removed or reordered record, unless
 * somebody who may write the desk wrote all the chain anew, or cut its end.
 * So each head that the gate kept must be the chain at its sequence; the last
 * of them is the one in the orders that the gate has in force.  What was never
 * in force, decided and taken away within a fifth of a second or while no gate
 * ran, leaves no trace.
 */
#include "tools/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policy/orders.h"

enum { HEADS = 64 };

struct verdict_of {
	uint64_t	 rows, heads;	/* that were well */
	uint64_t	 last;		/* record that was read */
	uint64_t	 gone;		/* records that somebody answers for */
	uint64_t	 wrong;		/* first record that is not; 0: none */
	struct buf	 text;		/* why */
};

struct heads {				/* of the gate, in order */
	struct store	*store;
	struct store_head list[HEADS], last;
	size_t		 n, at;
	uint64_t	 next;
	bool		 last_given;	/* the one of the orders */
};

/* last_head - the end of the chain in the orders in force */
static int
last_head(struct heads *h, struct why *why)
{
	struct arena *arena = arena_new(1 << 14, 0);
	struct orders *o = NULL;
	struct slice stored;
	int got = -1;

	if (arena == NULL)
		why_kind(why, WHY_MEMORY, "out of memory");
	else if ((got = store_orders(h->store, arena, &stored, why)) == 1)
		got = orders_decode(stored, &o, why);
	h->last = (struct store_head){ .seq = orders_seq(o) };
	orders_chain(o, h->last.chain);
	h->last_given = o == NULL || h->last.seq == 0;
	orders_drop(o);
	arena_free(arena);
	return got == -1 ? -1 : 0;
}

/* heads_next - fetch */
static int
heads_next(struct heads *h, struct store_head *head, struct why *why)
{
	if (h->store == NULL)
		return 0;
	if (h->at == h->n) {
		h->at = 0;
		if (store_heads(h->store, h->next, HEADS, h->list, &h->n,
		    why) == -1)
			return -1;
		if (h->n > 0)
			h->next = h->list[h->n - 1].seq + 1;
	}
	if (h->n > 0) {
		*head = h->list[h->at++];
		return 1;
	}
	if (h->last_given)
		return 0;
	h->last_given = true;
	*head = h->last;
	return 1;
}

/* when - the gate had read so far, if it is known */
static void
when(struct buf *b, const struct store_head *head)
{
	if (head->time == 0)
		return;
	buf_str(b, " at ");
	event_time(head->time, b);
}

/* differ - the chain is not what the gate saw */
static void
differ(struct verdict_of *v, const struct store_head *head)
{
	v->wrong = head->seq;
	buf_printf(&v->text, "desk:%" PRIu64 " is not the decision that the "
	    "gate read", head->seq);
	when(&v->text, head);
	buf_str(&v->text, ": the desk was written anew, up to there or more");
}

/* cut - the gate saw more than there is */
static void
cut(struct verdict_of *v, const struct store_head *head)
{
	v->wrong = v->last + 1;
	buf_printf(&v->text, "desk:%" PRIu64 " is missing: the desk ends at "
	    "desk:%" PRIu64 ", and the gate read up to desk:%" PRIu64,
	    v->last + 1, v->last, head->seq);
	when(&v->text, head);
}

/* anew - records are gone and somebody said that it goes on; from is what it
 * goes on from.  The gate's heads of what is gone have nothing to be beside. */
static int
anew(struct heads *h, struct verdict_of *v, const struct desk_row *row,
    uint8_t from[HASH_SHA256], struct store_head *head, int *more,
    struct why *why)
{
	const struct desk_record *r = &row->record;

	if (r->kind != DESK_ANEW || (uint64_t)r->amount != v->last ||
	    r->seq <= v->last + 1 || !desk_anew_after(r, from))
		return 0;
	while (*more == 1 && head->seq < r->seq) {
		if (head->seq == r->seq - 1 && memcmp(head->chain, from,
		    HASH_SHA256) != 0)
			return 0;
		*more = heads_next(h, head, why);
	}
	v->gone += r->seq - 1 - v->last;
	v->last = r->seq - 1;
	return *more == -1 ? -1 : 1;
}

/* walk - records and heads side by side; stops at the first that is wrong */
static int
walk(struct audit *a, struct heads *h, struct verdict_of *v, struct why *why)
{
	uint8_t chain[HASH_SHA256] = { 0 };
	const struct desk_row *row;
	struct store_head head;
	int got, more = heads_next(h, &head, why);

	while (more != -1 && (got = audit_next(a, &row, why)) == 1) {
		if (anew(h, v, row, chain, &head, &more, why) == -1)
			return -1;
		if (!desk_follows(row, v->last + 1, chain)) {
			v->wrong = v->last + 1;
			buf_printf(&v->text, "desk:%" PRIu64 " was changed, or "
			    "does not follow from the one before it",
			    v->wrong);
			return 0;
		}
		v->rows++;
		v->last++;
		memcpy(chain, row->chain, sizeof(chain));
		while (more == 1 && head.seq <= v->last) {
			if (head.seq == v->last && memcmp(head.chain, chain,
			    sizeof(chain)) != 0) {
				differ(v, &head);
				return 0;
			}
			v->heads++;
			more = heads_next(h, &head, why);
		}
	}
	if (more == -1 || got == -1)
		return -1;
	if (more == 1)
		cut(v, &head);
	return 0;
}

/* print - one voice or the other */
static void
print(const struct audit *a, struct verdict_of *v)
{
	struct buf b = BUF_INIT;

	if (v->wrong == 0 && v->rows == 0 && v->heads == 0)
		buf_str(&v->text, "nothing was ever decided");
	else if (v->wrong == 0)
		buf_printf(&v->text, "%" PRIu64 " decisions%s, the chain is "
		    "whole; %s", v->rows, v->gone > 0 ? ", after others that "
		    "were lost (penstock audit says who went on)" : "",
		    a->store == NULL ?
		    "there is no gate's store to compare with" :
		    v->heads == 0 ? "no gate has read them yet" :
		    "it is the one that the gate saw");
	if (a->json) {
		buf_printf(&b, "{\"whole\":%s,\"decisions\":%" PRIu64
		    ",\"heads\":%" PRIu64 ",\"lost\":%" PRIu64
		    ",\"first_wrong\":", v->wrong == 0 ? "true" : "false",
		    v->rows, v->heads, v->gone);
		if (v->wrong == 0)
			buf_str(&b, "null");
		else
			buf_printf(&b, "%" PRIu64, v->wrong);
		buf_str(&b, ",\"text\":");
		buf_json(&b, buf_slice(&v->text));
		buf_char(&b, '}');
	} else {
		buf_str(&b, v->wrong == 0 ? "" : "DAMAGED: ");
		buf_slices(&b, buf_slice(&v->text));
	}
	buf_char(&b, '\n');
	fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}

/* audit_verify - the answer is yes or no */
int
audit_verify(struct audit *a)
{
	struct heads *h = xcalloc(1, sizeof(*h));
	struct verdict_of v = { .text = BUF_INIT };
	struct why why;
	int rc = TOOL_OK;

	h->store = a->store;
	h->last_given = true;
	if (h->store != NULL && last_head(h, &why) == -1)
		rc = tool_fail(TOOL_BROKEN, "%s", why.text);
	else if (walk(a, h, &v, &why) == -1) {
		/* a record that cannot be read is as good as a changed one */
		v.wrong = v.last + 1;
		buf_str(&v.text, why.text);
	}
	if (rc == TOOL_OK) {
		print(a, &v);
		rc = v.wrong == 0 ? TOOL_OK : TOOL_NO;
	}
	buf_free(&v.text);
	free(h);
	return rc;
}
