/*
 * pacer_line - see pacer_line.h.
 *
 * Deficit round robin, as Shreedhar and Varghese have it (1996), with two
 * changes.  What a message costs is known only once its event was read, so a
 * place pays when the message went, and may owe something then.  And a round in
 * which nobody can pay is not walked again and again: everybody gets at once
 * what the nearest one lacks.  A place that is empty is gone, with what it had:
 * nobody saves turns while he has nothing to send.
 *
 * Messages come to a line in the order of their age, from one other line at a
 * time; where several meet, the place of the last one that was put in between
 * is where looking for the next one begins.
 */
#include "milter/pacer_line.h"

#include <stdlib.h>
#include <string.h>

#include "lib/map.h"

enum { SLAB = 1024, PEEK = 8 };

struct queue {				/* one lane of a place */
	struct waiter	*first, *last;
	struct waiter	*hint;		/* put in between last; or NULL */
};

struct place_in_line {
	uint8_t		 id[LINE_KEY + 8];	/* key of the line, tenant */
	struct place_in_line *prev, *next;	/* the ring */
	struct queue	 lanes[LANES];
	int64_t		 deficit;
};

struct slab {
	struct slab	*next;
	struct waiter	 waiters[SLAB];
};

struct lines {
	struct map	*by_key, *places;
	struct line	*first;
	struct slab	*slabs;
	struct waiter	*free;
	struct lines_stat stat;
};

/* --- waiters -------------------------------------------------------------- */

/* slab_add - more room */
static int
slab_add(struct lines *l)
{
	struct slab *slab = calloc(1, sizeof(*slab));

	if (slab == NULL)
		return -1;
	slab->next = l->slabs;
	l->slabs = slab;
	l->stat.bytes += sizeof(*slab);
	for (size_t i = 0; i < SLAB; i++) {
		slab->waiters[i].next = l->free;
		l->free = &slab->waiters[i];
	}
	return 0;
}

/* waiter_new - all zero */
struct waiter *
waiter_new(struct lines *l)
{
	struct waiter *w;

	if (l->free == NULL && slab_add(l) == -1)
		return NULL;
	w = l->free;
	l->free = w->next;
	memset(w, 0, sizeof(*w));
	l->stat.waiters++;
	return w;
}

/* waiter_free - it stands nowhere */
void
waiter_free(struct lines *l, struct waiter *w)
{
	memset(w, 0, sizeof(*w));
	w->next = l->free;
	l->free = w;
	l->stat.waiters--;
}

/* waiter_next - slab after slab */
struct waiter *
waiter_next(struct lines *l, struct waiter *w)
{
	struct slab *slab = l->slabs;
	size_t i = 0;

	if (w != NULL) {
		while (w < slab->waiters || w >= slab->waiters + SLAB)
			slab = slab->next;
		i = (size_t)(w - slab->waiters) + 1;
	}
	for (; slab != NULL; slab = slab->next, i = 0)
		for (; i < SLAB; i++)
			if (slab->waiters[i].seq != 0)
				return &slab->waiters[i];
	return NULL;
}

/* --- lines ---------------------------------------------------------------- */

/* lines_new - the line of the new ones is there */
struct lines *
lines_new(void)
{
	static const uint8_t none[LINE_KEY];
	struct lines *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->by_key = map_new();
	l->places = map_new();
	if (l->by_key == NULL || l->places == NULL ||
	    lines_get(l, none) == NULL) {
		lines_free(l);
		return NULL;
	}
	return l;
}

/* key_of - of a map */
static struct slice
key_of(const uint8_t *key, size_t n)
{
	return (struct slice){ (const char *)key, n };
}

/* lines_get - found or made */
struct line *
lines_get(struct lines *l, const uint8_t key[LINE_KEY])
{
	struct line *line = map_get(l->by_key, key_of(key, LINE_KEY));
	void *old;

	if (line != NULL)
		return line;
	if ((line = calloc(1, sizeof(*line))) == NULL)
		return NULL;
	memcpy(line->key, key, LINE_KEY);
	if (map_add(l->by_key, key_of(line->key, LINE_KEY), line,
	    &old) == -1) {
		free(line);
		return NULL;
	}
	line->next = l->first;
	if (l->first != NULL)
		l->first->prev = line;
	l->first = line;
	l->stat.lines++;
	return line;
}

/* lines_next - all of them */
struct line *
lines_next(struct lines *l, struct line *line)
{
	return line == NULL ? l->first : line->next;
}

/* place_drop - out of the ring, and forgotten */
static void
place_drop(struct lines *l, struct line *line, struct place_in_line *p)
{
	p->prev->next = p->next;
	p->next->prev = p->prev;
	if (line->turn == p)
		line->turn = p->next != p ? p->next : NULL;
	(void)map_remove(l->places, key_of(p->id, sizeof(p->id)));
	free(p);
}

/* line_drop - with all its places */
static void
line_drop(struct lines *l, struct line *line)
{
	while (line->turn != NULL)
		place_drop(l, line, line->turn);
	if (line->prev != NULL)
		line->prev->next = line->next;
	else
		l->first = line->next;
	if (line->next != NULL)
		line->next->prev = line->prev;
	(void)map_remove(l->by_key, key_of(line->key, LINE_KEY));
	l->stat.lines--;
	free(line);
}

/* lines_tidy - nobody waits there any more */
void
lines_tidy(struct lines *l, struct line *line)
{
	static const uint8_t none[LINE_KEY];

	if (line->n == 0 && memcmp(line->key, none, LINE_KEY) != 0)
		line_drop(l, line);
}

/* lines_free - and all who stand in them */
void
lines_free(struct lines *l)
{
	struct slab *slab;

	if (l == NULL)
		return;
	while (l->first != NULL)
		line_drop(l, l->first);
	while ((slab = l->slabs) != NULL) {
		l->slabs = slab->next;
		free(slab);
	}
	map_free(l->by_key);
	map_free(l->places);
	free(l);
}

/* lines_stat - how much there is of it */
void
lines_stat(const struct lines *l, struct lines_stat *stat)
{
	*stat = l->stat;
}

/* --- places --------------------------------------------------------------- */

/* place_find - a tenant's in a line, or NULL */
static struct place_in_line *
place_find(struct lines *l, const struct line *line, uint64_t tenant,
    uint8_t id[LINE_KEY + 8])
{
	memcpy(id, line->key, LINE_KEY);
	for (int i = 0; i < 8; i++)
		id[LINE_KEY + i] = (uint8_t)(tenant >> (8 * i));
	return map_get(l->places, key_of(id, LINE_KEY + 8));
}

/* place_get - the same, made at the end of the ring when there is none */
static struct place_in_line *
place_get(struct lines *l, struct line *line, uint64_t tenant)
{
	uint8_t id[LINE_KEY + 8];
	struct place_in_line *p = place_find(l, line, tenant, id);
	void *old;

	if (p != NULL)
		return p;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return NULL;
	memcpy(p->id, id, sizeof(p->id));
	if (map_add(l->places, key_of(p->id, sizeof(p->id)), p, &old) == -1) {
		free(p);
		return NULL;
	}
	if (line->turn == NULL) {
		p->prev = p->next = p;
		line->turn = p;
		return p;
	}
	p->next = line->turn;
	p->prev = line->turn->prev;
	p->prev->next = p->next->prev = p;
	return p;
}

/* queue_add - by age */
static void
queue_add(struct queue *q, struct waiter *w)
{
	struct waiter *at;

	if (q->first == NULL || w->seq < q->first->seq) {
		w->next = q->first;
		q->first = w;
		if (q->last == NULL)
			q->last = w;
		return;
	}
	at = w->seq > q->last->seq ? q->last :
	    q->hint != NULL && q->hint->seq < w->seq ? q->hint : q->first;
	while (at->next != NULL && at->next->seq < w->seq)
		at = at->next;
	w->next = at->next;
	at->next = w;
	if (w->next == NULL)
		q->last = w;
	else
		q->hint = w;
}

/* queue_take - the oldest */
static struct waiter *
queue_take(struct queue *q)
{
	struct waiter *w = q->first;

	if ((q->first = w->next) == NULL)
		q->last = NULL;
	if (q->hint == w)
		q->hint = NULL;
	w->next = NULL;
	w->standing = false;
	return w;
}

/* line_add - it waits here now */
int
line_add(struct lines *l, struct line *line, struct waiter *w)
{
	struct place_in_line *p = place_get(l, line, w->tenant);

	if (p == NULL)
		return -1;
	queue_add(&p->lanes[w->lane], w);
	w->standing = true;
	line->n++;
	return 0;
}

/* front - the queue whose head is the place's next; NULL: all are empty */
static struct queue *
front(struct lines *l, struct line *line, struct place_in_line *p)
{
	for (int i = 0; i < LANES; i++) {
		struct queue *q = &p->lanes[i];

		while (q->first != NULL && q->first->dead) {
			waiter_free(l, queue_take(q));
			line->n--;
		}
		if (q->first != NULL)
			return q;
	}
	return NULL;
}

/* cheer - nobody can pay: all get what the nearest lacks */
static void
cheer(struct lines *l, struct line *line)
{
	struct place_in_line *p = line->turn;
	int64_t least = INT64_MAX;
	struct queue *q;

	do {
		q = front(l, line, p);
		if (q != NULL && q->first->cost - p->deficit < least)
			least = q->first->cost - p->deficit;
		p = p->next;
	} while (p != line->turn);
	do {
		p->deficit += least < INT64_MAX ? least : 0;
		p = p->next;
	} while (p != line->turn);
}

/* line_take - whose turn is it? */
struct waiter *
line_take(struct lines *l, struct line *line)
{
	struct place_in_line *p, *began = line->turn;
	struct queue *q;

	while ((p = line->turn) != NULL) {
		if ((q = front(l, line, p)) == NULL) {
			if (began == p)
				began = p->next;
			place_drop(l, line, p);
			if (line->turn == NULL)
				break;
			continue;
		}
		if (p->deficit >= q->first->cost) {
			line->n--;
			return queue_take(q);
		}
		line->turn = p->next;
		if (line->turn == began)
			cheer(l, line);
	}
	return NULL;
}

/* peek_place - the first of that place */
static void
peek_place(struct peek *k, struct place_in_line *p)
{
	k->place = p;
	k->lane = 0;
	k->depth = 0;
	k->prev = k->at = NULL;
}

/* peek_next - one further in the place; NULL: that was the last */
static struct waiter *
peek_next(struct peek *k)
{
	struct waiter *w;

	for (;;) {
		w = k->at != NULL ? k->at->next : k->prev != NULL ?
		    k->prev->next : k->place->lanes[k->lane].first;
		if (k->at != NULL)
			k->prev = k->at;
		if ((k->at = w) == NULL) {
			k->prev = NULL;
			if (++k->lane == LANES)
				return NULL;
		} else if (!w->dead)
			return w;
	}
}

/* line_peek - the next one of this place, or of the next place */
struct waiter *
line_peek(struct lines *l, struct line *line, struct peek *k)
{
	struct waiter *w;

	(void)l;
	if (k->began == NULL) {
		if ((k->began = line->turn) == NULL)
			return NULL;
		peek_place(k, k->began);
		(void)peek_next(k);	/* it was asked just now */
	}
	for (;;) {
		if (k->lane < LANES && k->depth++ < PEEK &&
		    (w = peek_next(k)) != NULL)
			return w;
		if (k->place->next == k->began)
			return NULL;
		peek_place(k, k->place->next);
	}
}

/* line_out - the one at hand waits here no more */
void
line_out(struct line *line, struct peek *k)
{
	struct queue *q = &k->place->lanes[k->lane];
	struct waiter *w = k->at;

	*(k->prev != NULL ? &k->prev->next : &q->first) = w->next;
	if (q->last == w)
		q->last = k->prev;
	if (q->hint == w)
		q->hint = NULL;
	w->next = NULL;
	w->standing = false;
	k->at = NULL;
	line->n--;
}

/* line_pay - for what went */
void
line_pay(struct lines *l, struct line *line, const struct waiter *w)
{
	uint8_t id[LINE_KEY + 8];
	struct place_in_line *p = place_find(l, line, w->tenant, id);

	if (p != NULL)
		p->deficit -= w->cost;
}
