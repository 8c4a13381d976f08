/*
 * login_map - a million lines in little memory.
 *
 * The file's own text holds the logins and names; a line is an entry of three
 * numbers in a table with linear probing: where its login begins, which name
 * it has, and on which line it stands.  Logins and domains are parted by the
 * seed of their hash and by the byte they begin at, so one table serves both.
 * The names are few and are looked up once.
 *
 * The hash is seeded per map, so that whoever chooses logins cannot make them
 * collide.
 */
#include "policy/login_map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/address.h"
#include "lib/hash.h"
#include "lib/keyword.h"
#include "lib/map.h"
#include "lib/text.h"

#define ERRORS_MAX	100	/* of one file; then it is left */
#define LOGIN_MOST	255
#define SIZE_LEAST	64u

struct line {
	uint32_t	 at;		/* of the login in all texts, + 1 */
	uint32_t	 name;
	uint32_t	 number;
};

struct text {
	const char	*path;
	char		*p;
	size_t		 n;
	uint64_t	 from;		/* its place among all texts */
};

struct name {
	struct slice	 text;
	struct place	 first;
	struct tenant	*tenant;
};

struct login_map {
	struct line	*table;
	size_t		 size, count;	/* size: a power of two */
	uint64_t	 seed, end;
	struct text	*texts;
	size_t		 ntexts;
	struct name	*names;
	size_t		 nnames, cap;
	struct map	*by_name;	/* name -> its number + 1 */
};

/* login_map_new - empty */
struct login_map *
login_map_new(void)
{
	struct login_map *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->size = SIZE_LEAST;
	m->table = calloc(m->size, sizeof(*m->table));
	m->by_name = map_new();
	if (m->table == NULL || m->by_name == NULL) {
		login_map_free(m);
		return NULL;
	}
	if (getrandom(&m->seed, sizeof(m->seed), GRND_NONBLOCK) !=
	    sizeof(m->seed))
		m->seed = (uint64_t)(uintptr_t)m;	/* early boot */
	return m;
}

/* login_map_free - the tables; texts are the caller's */
void
login_map_free(struct login_map *m)
{
	if (m == NULL)
		return;
	map_free(m->by_name);
	free(m->table);
	free(m->texts);
	free(m->names);
	free(m);
}

/* text_of - the file that holds that place */
static const struct text *
text_of(const struct login_map *m, uint32_t at)
{
	size_t i = m->ntexts - 1;

	while (i > 0 && m->texts[i].from > at)
		i--;
	return &m->texts[i];
}

/* login_at - up to the white space behind it */
static struct slice
login_at(const struct login_map *m, uint32_t at)
{
	const struct text *t = text_of(m, at);
	size_t from = (size_t)(at - t->from), n = 0;

	while (from + n < t->n && (unsigned char)t->p[from + n] > ' ')
		n++;
	return (struct slice){ t->p + from, n };
}

/* is_domain - does the line begin with "*@"? */
static bool
is_domain(struct slice login)
{
	return slice_starts(login, SLICE("*@"));
}

/* slot - the line of that login, or the empty place where it would be */
static struct line *
slot(const struct login_map *m, struct slice login, bool domain)
{
	size_t i = hash_64(m->seed + domain, login.p, login.n) &
	    (m->size - 1);

	for (;; i = (i + 1) & (m->size - 1)) {
		struct line *l = &m->table[i];
		struct slice own;

		if (l->at == 0)
			return l;
		own = login_at(m, l->at - 1);
		if (is_domain(own) == domain && slice_eq(slice_from(own,
		    domain ? 2 : 0), login))
			return l;
	}
}

/* grow - twice the room; action without a sentence */
static int
grow(struct login_map *m)
{
	struct line *old = m->table;
	size_t n = m->size;

	if ((m->table = calloc(n * 2, sizeof(*m->table))) == NULL) {
		m->table = old;
		return -1;
	}
	m->size = n * 2;
	for (size_t i = 0; i < n; i++) {
		struct slice own;

		if (old[i].at == 0)
			continue;
		own = login_at(m, old[i].at - 1);
		*slot(m, slice_from(own, is_domain(own) ? 2 : 0),
		    is_domain(own)) = old[i];
	}
	free(old);
	return 0;
}

/* place - of a line and a column */
static struct place
place(const struct text *t, uint32_t number, const char *at)
{
	const char *begin = at;

	while (begin > t->p && begin[-1] != '\n')
		begin--;
	return (struct place){ t->path, number, (unsigned)(at - begin) + 1 };
}

/* name_of - the number of a tenant's name; -1 without memory */
static long
name_of(struct login_map *m, struct slice name, struct place at)
{
	uintptr_t known = (uintptr_t)map_get(m->by_name, name);

	if (known != 0)
		return (long)known - 1;
	if (m->nnames == m->cap) {
		size_t cap = m->cap > 0 ? m->cap * 2 : 16;
		struct name *more = reallocarray(m->names, cap, sizeof(*more));

		if (more == NULL)
			return -1;
		m->names = more;
		m->cap = cap;
	}
	m->names[m->nnames] = (struct name){ name, at, NULL };
	if (map_set(m->by_name, name, (void *)(uintptr_t)(m->nnames + 1)) ==
	    -1)
		return -1;
	return (long)m->nnames++;
}

/* fit - may it be a login? folds the domain of "*@" */
static bool
fit(char *p, size_t n, struct place at, struct problems *problems)
{
	struct slice login = { p, n }, domain;
	struct arena *room;
	struct quoted q;
	struct why why;
	bool below, good;

	if (n > LOGIN_MOST) {
		problem_error(problems, at, "login %s is longer than %d bytes",
		    text_quote(login, &q), LOGIN_MOST);
		return false;
	}
	if (!is_domain(login)) {
		if (memchr(p, '*', n) == NULL && p[0] != '@')
			return true;
		problem_error(problems, at, "login %s: \"*\" stands only in "
		    "\"*@domain\" (all logins of it) and \"*@.domain\" (all "
		    "below it)", text_quote(login, &q));
		return false;
	}
	below = n > 2 && p[2] == '.';
	if ((room = arena_new(1024, 0)) == NULL)
		return false;
	good = address_domain(room, slice_from(login, 2 + below), true,
	    &domain, &why) == 0 && domain.n + 2 + below == n &&
	    (!below || memchr(domain.p, '.', domain.n) != NULL);
	if (good)
		memcpy(p + 2 + below, domain.p, domain.n);
	else
		problem_error(problems, at, "login %s does not end in a "
		    "domain%s", text_quote(login, &q), below ? " of two "
		    "labels at least" : "");
	arena_free(room);
	return good;
}

/* twice - two lines for one login */
static void
twice(const struct login_map *m, const struct line *old, struct slice login,
    struct place at, struct problems *problems)
{
	const struct text *t = text_of(m, old->at - 1);
	struct place first = place(t, old->number,
	    t->p + (old->at - 1 - t->from));
	struct quoted q;

	problem_error(problems, at, "login %s stands already at %s:%u:%u",
	    text_quote(login, &q), first.file, first.line, first.col);
}

/* enter - a line into the table; -1 without memory */
static int
enter(struct login_map *m, const struct text *t, char *login, size_t n,
    struct slice name, uint32_t number, struct problems *problems)
{
	struct place at = place(t, number, login);
	bool domain = is_domain((struct slice){ login, n });
	struct line *l;
	long named;

	if (!fit(login, n, at, problems))
		return 0;
	if (m->count + 1 > m->size / 4 * 3 && grow(m) == -1)
		return -1;
	l = slot(m, (struct slice){ login + (domain ? 2 : 0), n -
	    (domain ? 2 : 0) }, domain);
	if (l->at != 0) {
		twice(m, l, (struct slice){ login, n }, at, problems);
		return 0;
	}
	if ((named = name_of(m, name, place(t, number, name.p))) == -1)
		return -1;
	*l = (struct line){ (uint32_t)(t->from + (uint64_t)(login - t->p)) + 1,
	    (uint32_t)named, number };
	m->count++;
	return 0;
}

/* next_word - skips white space; n 0: the line is over */
static struct slice
next_word(const char **p, const char *end)
{
	const char *from;

	while (*p < end && (**p == ' ' || **p == '\t'))
		(*p)++;
	from = *p;
	while (*p < end && **p != ' ' && **p != '\t')
		(*p)++;
	return (struct slice){ from, (size_t)(*p - from) };
}

/* odd - bytes that no line has; says it */
static bool
odd(const struct text *t, uint32_t number, const char *from, const char *end,
    struct problems *problems)
{
	for (const char *p = from; p < end; p++) {
		unsigned char c = (unsigned char)*p;

		if ((c >= ' ' && c != 0x7f) || c == '\t')
			continue;
		problem_error(problems, place(t, number, p), c == '\r' ?
		    "the file has Windows line ends; run: sed -i 's/\\r$//' "
		    "%s" : "a control byte in %s; is this the right file?",
		    t->path);
		return true;
	}
	if (end - from >= 3 && memcmp(from, "\xef\xbb\xbf", 3) == 0) {
		problem_error(problems, place(t, number, from), "the file "
		    "begins with a byte order mark; save it as UTF-8 without "
		    "BOM");
		return true;
	}
	return false;
}

/* one - a line; -1 without memory */
static int
one(struct login_map *m, const struct text *t, uint32_t number, char *from,
    const char *end, struct problems *problems)
{
	const char *p = from;
	struct slice login, name, more;
	struct quoted q;

	if (odd(t, number, from, end, problems))
		return 0;
	login = next_word(&p, end);
	if (login.n == 0 || login.p[0] == '#')
		return 0;
	name = next_word(&p, end);
	more = next_word(&p, end);
	if (name.n == 0 || name.p[0] == '#')
		problem_error(problems, place(t, number, login.p), "login %s "
		    "has no tenant; a line is a login and the name of its "
		    "tenant", text_quote(login, &q));
	else if (!keyword_is_name(name))
		problem_error(problems, place(t, number, name.p), "%s is not "
		    "a name; a name has 1 to 64 letters, digits, \".\", "
		    "\"_\" or \"-\"", text_quote(name, &q));
	else if (more.n > 0 && more.p[0] != '#')
		problem_error(problems, place(t, number, more.p), "%s is too "
		    "much; a line is a login and the name of its tenant",
		    text_quote(more, &q));
	else
		return enter(m, t, from + (login.p - from), login.n, name,
		    number, problems);
	return 0;
}

/* login_map_add - a whole file */
int
login_map_add(struct login_map *m, const char *path, char *text, size_t n,
    struct problems *problems)
{
	struct text *more = reallocarray(m->texts, m->ntexts + 1,
	    sizeof(*more)), *t;
	unsigned before = problems->errors;
	uint32_t number = 1;
	char *end;

	if (more == NULL)
		return -1;
	m->texts = more;
	if (m->end + n + 1 >= UINT32_MAX) {
		problem_error(problems, (struct place){ path, 1, 1 },
		    "the login maps have more than 4 GiB together");
		return 0;
	}
	t = &m->texts[m->ntexts++];
	*t = (struct text){ path, text, n, m->end };
	m->end += n + 1;
	for (char *p = text; p < text + n; p = end + 1, number++) {
		if ((end = memchr(p, '\n', (size_t)(text + n - p))) == NULL)
			end = text + n;
		if (one(m, t, number, p, end, problems) == -1)
			return -1;
		if (problems->errors - before < ERRORS_MAX)
			continue;
		problem_error(problems, (struct place){ path, number, 1 },
		    "too many mistakes; the rest of %s was not read", path);
		break;
	}
	return 0;
}

/* login_map_count - lines that count */
size_t
login_map_count(const struct login_map *m)
{
	return m->count;
}

/* login_map_settle - names become tenants */
void
login_map_settle(struct login_map *m, struct tenant *(*find)(void *,
    struct slice, struct place), void *with)
{
	for (size_t i = 0; i < m->nnames; i++)
		m->names[i].tenant = find(with, m->names[i].text,
		    m->names[i].first);
}

/* login_map_find - whose is it? */
bool
login_map_find(const struct login_map *m, struct slice login, bool domain,
    struct tenant **tenant, struct slice *name, struct place *at)
{
	const struct line *l;
	const struct text *t;

	if (m == NULL || m->count == 0 || login.n == 0 ||
	    (l = slot(m, login, domain))->at == 0)
		return false;
	t = text_of(m, l->at - 1);
	if (tenant != NULL)
		*tenant = m->names[l->name].tenant;
	if (name != NULL)
		*name = m->names[l->name].text;
	if (at != NULL)
		*at = place(t, l->number, t->p + (l->at - 1 - t->from));
	return true;
}

/* login_map_each - of one tenant */
void
login_map_each(const struct login_map *m, const struct tenant *tenant,
    void (*call)(void *, struct slice, struct place), void *with)
{
	for (size_t i = 0; m != NULL && i < m->size; i++) {
		const struct line *l = &m->table[i];
		const struct text *t;

		if (l->at == 0 || m->names[l->name].tenant != tenant)
			continue;
		t = text_of(m, l->at - 1);
		call(with, login_at(m, l->at - 1), place(t, l->number,
		    t->p + (l->at - 1 - t->from)));
	}
}

/* login_map_walk - of all tenants */
void
login_map_walk(const struct login_map *m, void (*call)(void *,
    struct tenant *, struct slice), void *with)
{
	for (size_t i = 0; m != NULL && i < m->size; i++) {
		const struct line *l = &m->table[i];

		if (l->at != 0 && m->names[l->name].tenant != NULL)
			call(with, m->names[l->name].tenant,
			    login_at(m, l->at - 1));
	}
}
