/*
 * finish - the tenants of all files become one policy: sorted by name, their
 * tables, the hash of what is in force.
 *
 * The hash is SHA-256 over the files sorted by path: path, NUL, and the
 * SHA-256 of the file's bytes.  Paths below the policy's folder are taken
 * relative to it, so that two machines with the same files agree.  Of a file
 * that runs on its last good form the bytes of that form count.
 */
#include "policy/build.h"

#include <stdlib.h>
#include <string.h>

/* by_name - as policy_tenant looks for it */
static int
by_name(const void *va, const void *vb)
{
	struct slice a = (*(struct tenant *const *)va)->name;
	struct slice c = (*(struct tenant *const *)vb)->name;
	int order = memcmp(a.p, c.p, a.n < c.n ? a.n : c.n);

	return order != 0 ? order : a.n < c.n ? -1 : a.n > c.n;
}

/* name_free - no tenant of that name is listed yet */
static bool
name_free(struct build *b, struct tenant *t)
{
	void *was = NULL;

	if (map_add(b->held[STAKE_TENANT], t->name, t, &was) == -1)
		b->nomem = true;
	return was == NULL;
}

/* gather - every tenant in the form of its file, by name */
static void
gather(struct build *b)
{
	struct policy *p = b->policy;
	size_t n = 0;

	for (size_t i = 0; i < b->nunits; i++)
		n += b->units[i].now.n;
	p->tenants = build_alloc(b, b->keep, n, sizeof(*p->tenants));
	if (p->tenants == NULL)
		return;
	for (size_t i = 0; i < b->nunits; i++) {
		const struct unit *u = &b->units[i];

		p->some_broken = p->some_broken ||
		    (i > 0 && u->form == FORM_BROKEN);
		for (size_t j = 0; j < u->now.n; j++) {
			struct tenant *t = u->now.tenants[j];

			t->form = i > 0 ? u->form : FORM_CURRENT;
			/* A broken file's logins count, its names may not. */
			if (t->form != FORM_BROKEN || name_free(b, t))
				p->tenants[p->ntenants++] = t;
		}
	}
	qsort(p->tenants, p->ntenants, sizeof(*p->tenants), by_name);
}

struct named {
	uint64_t	 id;
	const char	*kind;
	struct slice	 name;
	struct place	 at;
};

/* by_id - within a kind; kinds share no table */
static int
by_id(const void *va, const void *vb)
{
	const struct named *a = va, *c = vb;
	int order = strcmp(a->kind, c->kind);

	if (order != 0)
		return order;
	return a->id < c->id ? -1 : a->id > c->id;
}

/* ids - two names of one id would share their counters */
static void
ids(struct build *b)
{
	const struct policy *p = b->policy;
	size_t most = p->ntenants + p->ngroups + p->npools, n = 0;
	struct named *all = build_alloc(b, b->work, most, sizeof(*all));

	if (all == NULL)
		return;
	for (size_t i = 0; i < p->ntenants; i++)
		all[n++] = (struct named){ p->tenants[i]->id, "tenant",
		    p->tenants[i]->name, p->tenants[i]->at };
	for (size_t i = 0; i < p->ngroups; i++)
		all[n++] = (struct named){ p->groups[i]->id, "group",
		    p->groups[i]->name, p->groups[i]->at };
	for (size_t i = 0; i < p->npools; i++)
		all[n++] = (struct named){ p->pools[i]->id, "pool",
		    p->pools[i]->name, p->pools[i]->at };
	qsort(all, n, sizeof(*all), by_id);
	for (size_t i = 1; i < n; i++) {
		if (by_id(&all[i - 1], &all[i]) != 0 ||
		    slice_eq(all[i - 1].name, all[i].name))
			continue;
		problem_error(b->problems, all[i].at, "%s \"%.*s\" and %s "
		    "\"%.*s\" hash to the same id; rename one of them",
		    all[i].kind, SLICE_ARG(all[i].name), all[i - 1].kind,
		    SLICE_ARG(all[i - 1].name));
		b->units[0].form = FORM_BROKEN;
	}
}

/* take_tables - the tables of the last round are the index */
static void
take_tables(struct build *b)
{
	struct policy_index *index = b->policy->index;

	index->logins = b->held[STAKE_LOGIN];
	index->login_domains = b->held[STAKE_LOGIN_DOMAIN];
	index->domains = b->held[STAKE_DOMAIN];
	index->bounces = b->held[STAKE_BOUNCE];
	index->clients.map = b->held[STAKE_CLIENT];
	b->held[STAKE_LOGIN] = b->held[STAKE_LOGIN_DOMAIN] = NULL;
	b->held[STAKE_DOMAIN] = b->held[STAKE_BOUNCE] = NULL;
	b->held[STAKE_CLIENT] = NULL;
	nets_ready(&index->clients);
	nets_ready(&index->trusted);
	nets_ready(&index->claim_clients);
	index->units = build_alloc(b, b->keep, b->nunits,
	    sizeof(*index->units));
	if (index->units == NULL)
		return;
	index->nunits = b->nunits;
	for (size_t i = 0; i < b->nunits; i++) {
		index->units[i].path = b->units[i].path;
		index->units[i].was = b->units[i].was;
		index->units[i].form = b->units[i].form;
		memcpy(index->units[i].hash, b->units[i].now.hash,
		    HASH_SHA256);
	}
}

/* know - one login or client more; a sum has no order */
static void
know(struct tenant *t, uint64_t kind, struct slice text)
{
	t->known += hash_64(kind, text.p, text.n) | 1;
}

/* know_line - of a login map */
static void
know_line(void *with, struct tenant *t, struct slice text)
{
	(void)with;
	know(t, STAKES, text);
}

/* known - what each tenant is known by, as a number to compare */
static void
known(const struct policy_index *index)
{
	const struct map *maps[] = { index->logins, index->login_domains,
	    index->clients.map };

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		size_t at = 0;
		void *value;

		while (map_next(maps[i], &at, NULL, &value)) {
			struct stake *s = value;

			know(s->tenant, s->kind, s->text);
		}
	}
	login_map_walk(index->login_map, know_line, NULL);
}

struct hashed {
	const char	*path;
	const uint8_t	*hash;
};

/* by_path - bytes, not locale */
static int
by_path(const void *va, const void *vb)
{
	return strcmp(((const struct hashed *)va)->path,
	    ((const struct hashed *)vb)->path);
}

/* hash_files - of all that is in force */
static void
hash_files(struct build *b)
{
	const char *slash = strrchr(b->policy->path, '/');
	size_t head = slash != NULL ? (size_t)(slash - b->policy->path) + 1 :
	    0, n = 0, most = b->nunits;
	struct hash_sha256_ctx *ctx = NULL;
	struct hashed *all;

	for (const struct main_file *f = b->files; f != NULL; f = f->next)
		most++;
	if ((all = build_alloc(b, b->work, most, sizeof(*all))) == NULL)
		return;
	for (const struct main_file *f = b->files; f != NULL; f = f->next)
		all[n++] = (struct hashed){ f->path, f->hash };
	for (size_t i = 1; i < b->nunits; i++)
		all[n++] = (struct hashed){ b->units[i].path,
		    b->units[i].now.hash };
	for (size_t i = 0; i < n; i++)
		if (strncmp(all[i].path, b->policy->path, head) == 0)
			all[i].path += head;
	qsort(all, n, sizeof(*all), by_path);
	if ((ctx = hash_sha256_new()) == NULL) {
		b->nomem = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		hash_sha256_add(ctx, all[i].path, strlen(all[i].path) + 1);
		hash_sha256_add(ctx, all[i].hash, HASH_SHA256);
	}
	hash_sha256_end(ctx, b->policy->hash);
	hash_sha256_free(ctx);
}

/* finish - the policy as it will be read */
void
finish(struct build *b)
{
	gather(b);
	if (!b->nomem)
		ids(b);
	if (!b->nomem)
		take_tables(b);
	if (!b->nomem)
		identify_settle(b);
	if (!b->nomem)
		known(b->policy->index);
	if (!b->nomem)
		hash_files(b);
	if (!b->nomem)
		check_tenants(b);
	if (!b->nomem)
		check_keys(b);
	if (!b->nomem)
		check_ring(b);
}
