/*
 * load - from files to a policy.
 *
 *   read the main file and the files it includes         read.c: one tree
 *   compile it: settings, pools, groups, classes, tenants
 *   read the folders' files, one after the other; each alone is good, or
 *     falls back to its last good form, or is broken
 *   give a file that got another name the form of the old one     adopt.c
 *   settle rival claims                                  rivals.c
 *   salvage logins of broken files, so that they get 451
 *   make the index, look at the whole, judge keys        finish.c, check.c
 *
 * Every step goes on after a mistake, so that one run names them all; whether
 * the policy may be used is asked once, at the end.  A tenant file's tree
 * lives in an arena that is reset for the next, so that a folder of 100,000
 * files needs the memory of its largest.
 */
#include "policy/build.h"

#include <stdlib.h>
#include <string.h>

#define FILE_ARENA	(64 << 10)	/* a tenant file and its tree */

/* load_text - a tenant file's bytes into a picture; true: no mistake */
bool
load_text(struct build *b, uint32_t unit, const char *path,
    struct slice text, struct picture *pic, struct problems *problems)
{
	unsigned errors = problems->errors;
	struct node *tree = parse_text(b->file, path, text, problems);

	hash_sha256(text.p, text.n, pic->hash);
	compile_picture(b, unit, tree, true, pic, problems);
	rivals_within(b, pic, problems);
	return problems->errors == errors;
}

/* load_good - the last good form of a tenant file, compiled once */
struct picture *
load_good(struct build *b, uint32_t unit)
{
	struct unit *u = &b->units[unit];
	const struct policy_forms *forms = &b->args->forms;
	struct problems mute;
	struct picture *pic;
	struct slice text;
	struct why why;

	if (unit == 0 || forms->get == NULL || u->good_asked)
		return unit == 0 ? NULL : u->good;
	u->good_asked = true;
	arena_reset(b->file);
	problems_init(&mute, b->file);
	if (forms->get(forms->with, slice_of(u->path), b->file, &text, &why) !=
	    1 || (pic = build_alloc(b, b->work, 1, sizeof(*pic))) == NULL)
		return NULL;
	if (load_text(b, unit, build_printf(b, b->keep, "%s" LAST_GOOD,
	    u->path), text, pic, &mute))
		u->good = pic;
	else
		u->good_unfit = true;
	return u->good;
}

/* runs - are that file's tenants in force, in whatever form? */
static bool
runs(const struct policy *running, const char *path)
{
	const struct policy_index *index = running != NULL ? running->index :
	    NULL;

	for (size_t i = 1; index != NULL && i < index->nunits; i++)
		if (strcmp(index->units[i].path, path) == 0)
			return index->units[i].form != FORM_BROKEN;
	return false;
}

/* main_unfit - a form that was good does not go with the new main part: that
 * is the main part's mistake, a class misspelt perhaps, and the running policy
 * stays.  Said of the first such file; that is enough to refuse the whole. */
static void
main_unfit(struct build *b, const struct unit *u)
{
	if (b->units[0].form == FORM_BROKEN || !runs(b->args->running, u->path))
		return;
	problem_error(b->problems, u->first_error, "neither this file nor its "
	    "last good form goes with %s any more, and its tenants send now; "
	    "so the main file is refused", b->policy->path);
	b->units[0].form = FORM_BROKEN;
}

/* first_error - where the mistakes of a unit begin */
static struct place
first_error(struct problem *after, const struct problems *problems)
{
	const struct problem *p = after != NULL ? after->next :
	    problems->first;

	while (p != NULL && p->warning)
		p = p->next;
	return p != NULL ? p->at : (struct place){ NULL, 0, 0 };
}

/* last_problem - the tail of the list, to see later what came behind it */
static struct problem *
last_problem(const struct problems *problems)
{
	if (problems->first == NULL)
		return NULL;
	return (struct problem *)((char *)problems->last -
	    offsetof(struct problem, next));
}

/* read_unit - a tenant file, into the best form it has */
static void
read_unit(struct build *b, uint32_t unit)
{
	struct unit *u = &b->units[unit];
	struct problem *before = last_problem(b->problems);
	struct picture *good;
	struct slice text;
	struct why why;
	int got;

	arena_reset(b->file);
	got = parse_read(b->file, u->path, &text, &why);
	if (got != 1) {
		problem_error(b->problems, (struct place){ u->path, 1, 1 },
		    "%s", got == 0 ? "there is no such file; a link that leads "
		    "nowhere?" :
		    why.text);
	} else if (load_text(b, unit, u->path, text, &u->now,
	    b->problems)) {
		u->form = FORM_CURRENT;
		return;
	}
	u->first_error = first_error(before, b->problems);
	if (b->nomem)
		return;
	u->partial = u->now;
	good = load_good(b, unit);
	u->form = good != NULL ? FORM_LAST_GOOD : FORM_BROKEN;
	if (u->good_unfit)
		main_unfit(b, u);
	if (good != NULL) {
		u->now = *good;
	} else {
		u->now.n = 0;
		u->now.stakes = NULL;
	}
}

/* salvage - the logins of a file that is new and broken, and its domains:
 * nobody speaks for them, but they make no tenant by themselves either */
static void
salvage(struct build *b, uint32_t unit)
{
	struct unit *u = &b->units[unit];
	struct map *map;
	struct problems mute;
	struct slice text;
	struct why why;

	arena_reset(b->file);
	problems_init(&mute, b->file);
	memset(&u->now, 0, sizeof(u->now));
	if (parse_read(b->file, u->path, &text, &why) != 1)
		return;
	hash_sha256(text.p, text.n, u->now.hash);
	compile_salvage(b, unit, parse_text(b->file, u->path, text, &mute),
	    &u->now);
	for (struct stake *s = u->now.stakes; s != NULL; s = s->next) {
		/* a login of somebody's in a map stays his */
		if ((s->kind == STAKE_LOGIN || s->kind ==
		    STAKE_LOGIN_DOMAIN) && login_map_find(
		    b->policy->index->login_map, s->text, s->kind ==
		    STAKE_LOGIN_DOMAIN, NULL, NULL, NULL))
			continue;
		map = s->kind == STAKE_DOMAIN ? b->policy->index->withheld :
		    b->held[s->kind];
		if (map_add(map, s->text, s, NULL) == -1)
			b->nomem = true;
	}
}

/* say_forms - what becomes of broken files; only the gate can know */
static void
say_forms(struct build *b)
{
	if (b->units[0].form == FORM_BROKEN)
		return;			/* nothing becomes of them */
	for (size_t i = 1; i < b->nunits; i++) {
		const struct unit *u = &b->units[i];

		if (u->form == FORM_CURRENT || b->args->forms.get == NULL)
			continue;
		if (u->form == FORM_LAST_GOOD && u->was != NULL) {
			problem_warn(b->problems, u->first_error, "the tenants "
			    "of this file go on with the last good form of "
			    "%s, which is gone", u->was);
			continue;
		}
		problem_warn(b->problems, u->first_error,
		    u->form == FORM_LAST_GOOD ?
		    "the tenants of this file go on with its last good form" :
		    "this file has no last good form: its logins, and unknown "
		    "ones, get 451 until it is mended");
	}
}

/* build_all - every step, also after mistakes */
static void
build_all(struct build *b)
{
	compile_main(b, b->problems);
	rivals_within(b, &b->units[0].now, b->problems);
	read_folders(b);
	if (b->problems->errors > b->errors_before)
		b->units[0].form = FORM_BROKEN;
	for (uint32_t i = 1; i < b->nunits && !b->nomem; i++)
		read_unit(b, i);
	if (!b->nomem)
		adopt(b);
	if (b->nomem)
		return;
	rivals_settle(b);
	if (!b->nomem)
		rivals_report(b);
	for (uint32_t i = 1; i < b->nunits && !b->nomem; i++)
		if (b->units[i].form == FORM_BROKEN)
			salvage(b, i);
	say_forms(b);
	if (!b->nomem)
		finish(b);
}

/* maps_new - the tables of names */
static bool
maps_new(struct build *b)
{
	struct map **maps[] = { &b->classes, &b->groups, &b->pools,
	    &b->schedules, &b->addresses, &b->group_scopes,
	    &b->group_gives, &b->mixes, &b->made, &b->warned, &b->stream_ids,
	    &b->policy->index->trusted.map,
	    &b->policy->index->claim_logins,
	    &b->policy->index->claim_domains,
	    &b->policy->index->claim_clients.map,
	    &b->policy->index->withheld };

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		if ((*maps[i] = map_new()) == NULL)
			return false;
	return true;
}

/* begin - an empty policy and all that is needed to fill it */
static bool
begin(struct build *b)
{
	static atomic_uint loads;
	struct policy *p;

	if ((b->keep = arena_new(1 << 16, 0)) == NULL ||
	    (b->work = arena_new(1 << 16, 0)) == NULL ||
	    (b->file = arena_new(FILE_ARENA, 0)) == NULL ||
	    (p = build_alloc(b, b->keep, 1, sizeof(*p))) == NULL)
		return false;
	b->policy = p;
	p->arena = b->keep;
	atomic_init(&p->refs, 1);
	p->number = atomic_fetch_add(&loads, 1) + 1;
	p->path = build_copy(b, b->keep, slice_of(b->args->path)).p;
	p->index = build_alloc(b, b->keep, 1, sizeof(*p->index));
	b->units = build_alloc(b, b->work, 1, sizeof(*b->units));
	if (b->nomem || !maps_new(b))
		return false;
	b->units[0].path = p->path;
	b->units[0].now.last = &b->units[0].now.stakes;
	b->nunits = 1;
	b->last_file = &b->files;
	b->last_folder = &b->folders;
	b->last_node = &b->tree;
	return true;
}

/* end - all but the policy */
static void
end(struct build *b)
{
	map_free(b->classes);
	map_free(b->groups);
	map_free(b->pools);
	map_free(b->schedules);
	map_free(b->addresses);
	map_free(b->group_scopes);
	map_free(b->group_gives);
	map_free(b->mixes);
	map_free(b->made);
	map_free(b->warned);
	map_free(b->stream_ids);
	for (int i = 0; i < STAKES; i++)
		map_free(b->held[i]);
	arena_free(b->file);
	arena_free(b->work);
}

/* own_places - problems outlive the policy in whose arena the paths are */
static void
own_places(struct problems *problems)
{
	const char *last = NULL;
	struct slice copy = SLICE("?");

	for (struct problem *p = problems->first; p != NULL; p = p->next) {
		if (p->at.file == NULL)
			continue;
		if (p->at.file != last) {
			last = p->at.file;
			copy = arena_copy(problems->arena, slice_of(last));
		}
		p->at.file = copy.p != NULL ? copy.p : "?";
	}
}

/* policy_load - the one way from files to a policy */
int
policy_load(const struct policy_load *args, struct policy **out,
    struct problems *problems, struct why *why)
{
	struct build b = { .args = args, .problems = problems,
	    .errors_before = problems->errors };
	int got = -1;

	*out = NULL;
	if (provider_init(why) == -1)
		return -1;
	if (!begin(&b)) {
		b.nomem = true;
		goto out;
	}
	got = read_main(&b, b.policy->path, (struct place){ NULL, 0, 0 },
	    NULL, why);
	if (got == 0)
		why_set(why, "there is no policy file %s", args->path);
	if (got != 1) {
		got = -1;
		goto out;
	}
	build_all(&b);
	got = b.units[0].form == FORM_CURRENT;
out:
	if (b.nomem)
		got = why_kind(why, WHY_MEMORY, "no memory for the policy");
	own_places(problems);
	end(&b);
	if (got == 1)
		*out = b.policy;
	else if (b.policy != NULL)
		policy_drop(b.policy);
	else
		arena_free(b.keep);
	return got;
}
