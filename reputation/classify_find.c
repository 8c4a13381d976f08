/*
 * classify_find - all pieces of all rules in one pass over a text.
 *
 * Aho and Corasick's automaton (CACM 18, 1975).  Nodes are numbered level by
 * level, so that the children of a node stand together and a node needs no
 * table of its own: there may be 100,000 of them.  The root and its children
 * are where a text spends most of its time and where the many children are:
 * they have a full row each.
 *
 * A step takes one child or one failure link, and a failure link makes the
 * match shorter, so a text of n bytes takes at most 2 n of them; each looks at
 * no more labels than a node has children.
 */
#include "reputation/classify_in.h"

#include <stdlib.h>
#include <string.h>

struct span {			/* pieces [lo, hi) share the node's prefix */
	uint16_t	 lo, hi;
	uint32_t	 depth;
};

/* row_or_child - the child by that byte; 0: there is none */
static uint32_t
row_or_child(const struct find *f, uint32_t node, unsigned char byte)
{
	const struct find_node *at = &f->nodes[node];
	const unsigned char *label;

	if (node < f->nrows)
		return f->rows[node][byte];
	if (at->nchildren == 0)
		return 0;
	label = memchr(f->labels + at->child, byte, at->nchildren);
	return label != NULL ? (uint32_t)(label - f->labels) : 0;
}

/* find_step - the longest suffix that is the beginning of a piece */
uint32_t
find_step(const struct find *f, uint32_t node, unsigned char byte)
{
	uint32_t child;

	while ((child = row_or_child(f, node, byte)) == 0 && node != 0)
		node = f->nodes[node].fail;
	return child;
}

/* add_children - the next bytes of a span of pieces; returns the end */
static size_t
add_children(struct find *f, struct span *spans, const struct piece *pieces,
    uint32_t node, size_t end)
{
	struct span s = spans[node];
	unsigned char byte;
	uint16_t i = s.lo;

	f->nodes[node].piece = NOTHING;
	f->nodes[node].child = (uint32_t)end;
	if (i < s.hi && pieces[i].text.n == s.depth)
		f->nodes[node].piece = i++;
	while (i < s.hi) {
		byte = (unsigned char)pieces[i].text.p[s.depth];
		spans[end] = (struct span){ i, i, s.depth + 1 };
		f->labels[end] = byte;
		while (i < s.hi &&
		    (unsigned char)pieces[i].text.p[s.depth] == byte)
			i++;
		spans[end++].hi = i;
		f->nodes[node].nchildren++;
	}
	return end;
}

/* add_links - failure and shorter piece of the children of a node */
static void
add_links(struct find *f, uint32_t node)
{
	struct find_node *at = &f->nodes[node], *child;
	uint32_t i, to;

	for (i = at->child; i < at->child + at->nchildren; i++) {
		child = &f->nodes[i];
		to = node == 0 ? 0 : find_step(f, at->fail, f->labels[i]);
		child->fail = to;
		child->shorter = f->nodes[to].piece != NOTHING ? to :
		    f->nodes[to].shorter;
	}
}

/* add_rows - full tables for the root and its children */
static int
add_rows(struct find *f, struct arena *arena)
{
	size_t n = 1u + f->nodes[0].nchildren;
	uint32_t i, j;

	f->rows = arena_array(arena, n, sizeof(*f->rows));
	if (f->rows == NULL)
		return -1;
	for (i = 0; i < n; i++)
		for (j = 0; j < f->nodes[i].nchildren; j++)
			f->rows[i][f->labels[f->nodes[i].child + j]] =
			    f->nodes[i].child + j;
	f->nrows = n;
	return 0;
}

/* find_build - nodes level by level, then their links in the same order */
int
find_build(struct find *f, struct arena *arena, const struct piece *pieces,
    size_t n)
{
	size_t most = 1, end = 1, i;
	struct span *spans = NULL;
	int rc = -1;

	memset(f, 0, sizeof(*f));
	for (i = 0; i < n; i++)
		most += pieces[i].text.n;
	f->nodes = arena_array(arena, most, sizeof(*f->nodes));
	f->labels = arena_array(arena, most, 1);
	spans = calloc(most, sizeof(*spans));
	if (f->nodes == NULL || f->labels == NULL || spans == NULL)
		goto out;
	spans[0] = (struct span){ 0, (uint16_t)n, 0 };
	for (i = 0; i < end; i++)
		end = add_children(f, spans, pieces, (uint32_t)i, end);
	f->nnodes = end;
	if (add_rows(f, arena) == -1)
		goto out;
	for (i = 0; i < end; i++)
		add_links(f, (uint32_t)i);
	rc = 0;
out:
	free(spans);
	return rc;
}
