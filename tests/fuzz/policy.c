/*
 * policy - fuzz the whole way from files to a policy: parse, check, compile,
 * rivals, index, with a running policy and last good forms.
 *
 * An input is up to five texts parted by lines "===": policy.conf, two tenant
 * files of the folder t, the last good form of the first of them, and a login
 * map m.map.  They are written to a folder of memory and loaded twice, the
 * second time over the first.  Includes that leave the folder are not followed,
 * so that a run reads nothing of the machine.
 *
 *	make fuzz
 *	build/bin/policy -dict=tests/fuzz/policy.dict NEW \
 *	    tests/fuzz/corpus/policy
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/match.h"
#include "policy/policy.h"

#define PARTS	5

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static struct slice parts[PARTS];

/* split - the texts of an input */
static void
split(struct slice input)
{
	const struct slice mark = SLICE("\n===\n");

	for (size_t i = 0; i < PARTS; i++) {
		const char *end = i < PARTS - 1 && input.n > 0 ?
		    memmem(input.p, input.n, mark.p, mark.n) : NULL;
		size_t n = end != NULL ? (size_t)(end - input.p) : input.n;

		parts[i] = (struct slice){ input.p, n };
		input = slice_from(input, end != NULL ? n + mark.n : n);
	}
}

/* leaves - does an include go anywhere else? */
static bool
leaves(struct slice text)
{
	return memmem(text.p, text.n, "..", 2) != NULL ||
	    memmem(text.p, text.n, "\"/", 2) != NULL;
}

static char dir[] = "/dev/shm/penstock-fuzz-XXXXXX";

/* below - a path in the folder; the fuzzer's own paths may be relative */
static const char *
below(const char *name, char out[64])
{
	snprintf(out, 64, "%s/%s", dir, name);
	return out;
}

/* put - a file of the folder */
static void
put(const char *name, struct slice text)
{
	char path[64];
	int fd = open(below(name, path), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1 || write(fd, text.p, text.n) != (ssize_t)text.n)
		abort();
	close(fd);
}

/* good_form - of the first tenant file */
static int
good_form(void *with, struct slice path, struct arena *arena,
    struct slice *text, struct why *why)
{
	char first[64];

	(void)with;
	(void)why;
	if (!slice_is(path, below("t/a.conf", first)) || parts[3].n == 0)
		return 0;
	*text = arena_copy(arena, parts[3]);
	return 1;
}

/* ask_stream - its keys and limits */
static void
ask_stream(const struct policy *p, const struct tenant *t,
    const struct stream *s, struct arena *arena)
{
	const struct identity *id;

	if (policy_stream(t, s->name) != s)
		abort();
	for (size_t j = 0; j < s->nidentities; j++) {
		if (policy_identities(s, s->identities[j].domain, &id) == 0)
			abort();
		if (!policy_owns(p, t, s->identities[j].domain, false))
			abort();
	}
	for (size_t j = 0; j < s->nlimits; j++) {
		const struct limit *l = s->limits[j];

		if (l->kind != LIMIT_THROTTLE ? l->most < 1 :
		    l->rate < 1 || l->burst < 1 || l->period < 1)
			abort();
		if ((l->per & (PER_STREAM | PER_LOGIN | PER_SENDER)) != 0 &&
		    (l->per & (PER_TENANT | PER_GROUP)) == 0)
			abort();
		policy_rule(p, l->at, arena);
	}
}

/* ask - what every loaded policy must answer without a crash */
static void
ask(const struct policy *p, struct arena *arena)
{
	struct ip ip = { .b = { [10] = 0xff, [11] = 0xff, [12] = 10 },
	    .known = true };
	const struct match_facts known = { .login = SLICE("a"),
	    .sender = SLICE("news@a.example"), .client = &ip,
	    .recipient = SLICE("you@b.example"), .headers_known = true };

	const struct tenant *made;

	policy_by_login(p, SLICE("a@b.a.example"), NULL);
	policy_claim(p, SLICE("a@b.a.example"), &ip);
	if (policy_auto(p, SLICE("a@new.example"), arena, &made) == 1 &&
	    !policy_owns(p, made, SLICE("new.example"), false))
		abort();
	policy_by_client(p, &ip, NULL);
	policy_trusts(p, &ip);
	for (size_t i = 0; i < p->ntenants; i++) {
		const struct tenant *t = p->tenants[i];

		if (policy_tenant(p, t->name) != t)
			abort();
		for (size_t j = 0; j < t->ndomains; j++) {
			struct slice d = t->domains[j];

			/* nobody speaks for those of a broken file */
			if (d.p[0] != '*' && policy_owns(p, t, d, false) !=
			    (t->form != FORM_BROKEN))
				abort();
		}
		if (t->nstreams == 0 || policy_default(t)->nlines != 0)
			abort();
		for (size_t j = 0; j < t->nstreams; j++)
			ask_stream(p, t, t->streams[j], arena);
		if (match_tenant(t, &known, NULL) == NULL)
			abort();
	}
}

/* load - once; the caller drops it */
static struct policy *
load(const struct policy *running, struct arena *arena)
{
	char path[64];
	struct policy_load args = { .path = below("policy.conf", path),
	    .keys = "keys", .running = running, .forms = { good_form, NULL } };
	struct policy *p = NULL;
	struct problems problems;
	struct why why;
	int got;

	problems_init(&problems, arena);
	got = policy_load(&args, &p, &problems, &why);
	if ((got == 1) != (p != NULL) || (got == 0 && problems.errors == 0))
		abort();
	problems_sort(&problems);
	if (p != NULL)
		ask(p, arena);
	return p;
}

/* clean - nothing is left behind */
static void
clean(void)
{
	static const char *const names[] = { "t/a.conf", "t/b.conf", "t",
	    "policy.conf", "m.map", "" };
	char path[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		remove(below(names[i], path));
}

/* prepare - the folder, once */
static void
prepare(void)
{
	static bool there;
	char path[64];

	if (there)
		return;
	if (mkdtemp(dir) == NULL || mkdir(below("t", path), 0700) == -1)
		abort();
	atexit(clean);
	there = true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct policy *first, *second;
	struct arena *arena;
	struct slice swap;

	prepare();
	split((struct slice){ (const char *)data, n });
	for (size_t i = 0; i < PARTS; i++)
		if (leaves(parts[i]))
			return 0;
	arena = arena_new(1 << 16, 0);
	put("policy.conf", parts[0]);
	put("t/a.conf", parts[1]);
	put("t/b.conf", parts[2]);
	put("m.map", parts[4]);
	first = load(NULL, arena);
	swap = parts[1];
	parts[1] = parts[2];
	parts[2] = swap;
	put("t/a.conf", parts[1]);
	put("t/b.conf", parts[2]);
	second = load(first, arena);
	policy_drop(first);
	policy_drop(second);
	arena_free(arena);
	return 0;
}
