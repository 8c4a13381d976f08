/*
 * reload - load, compare, swap, record, let the old one go.
 *
 * Order: swap first, then the record.  Whoever waits for the generation sees
 * it only when mail that begins from then on is decided by the new policy.
 *
 * An old policy is freed here, when the last message that holds it is over: of
 * 100,000 tenants that takes long enough for mail to feel it.
 *
 * Last good forms (milter/forms.c) are written in slices with mail between
 * them, before the record: each is good by itself, and what a crash leaves
 * out the next start finds missing.
 */
#include "milter/reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/version.h"
#include "milter/changes.h"
#include "milter/forms.h"
#include "milter/life.h"
#include "milter/pacer.h"

enum { JUDGE_KEYS = 1000, PREFETCH = 4096, FORMS_SLICE = 1000 };

struct old {				/* a policy that messages may hold */
	struct policy	*policy;
	struct old	*next;
};

struct reload {
	struct gate	*gate;
	struct old	*old;
	pthread_t	 thread;
	bool		 running;
	pthread_mutex_t	 lock;		/* of the two below */
	pthread_cond_t	 wake;
	bool		 wanted, stop;
	struct status	 status;	/* text borrows the buffer */
	struct buf	 text;
};

/* load - as the configuration says; running may be NULL; keys are stat'ed all,
 * and that many are parsed here and now */
static int
load(const struct gate *gate, const struct policy *running, size_t keys,
    struct policy **out, struct problems *problems, struct why *why)
{
	struct policy_load args = {
		.path = gate->config->policy,
		.keys = gate->config->keys,
		.token_keys = gate->config->token.keys,
		.running = running,
		.forms = policy_forms_of(gate->store),
		.judge_keys = keys,
	};

	*out = NULL;
	return policy_load(&args, out, problems, why);
}

/* log_lines - the text, line by line; problems are worth a warning */
static void
log_lines(struct slice text, enum log_level level)
{
	const char *end;
	size_t n;

	while (text.n > 0) {
		end = memchr(text.p, '\n', text.n);
		n = end != NULL ? (size_t)(end - text.p) : text.n;
		log_line(level, "policy: %.*s", (int)n, text.p);
		text = slice_from(text, n + (end != NULL));
	}
}

/* prefetch - keys are parsed ahead of the first message that needs them */
static void
prefetch(const struct gate *gate, const struct policy *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->ntenants; i++) {
		const struct tenant *t = p->tenants[i];

		for (size_t k = 0; k < t->nidentities; k++) {
			if (t->identities[k].trouble != NULL)
				continue;
			if (n++ == PREFETCH)
				return;
			key_prefetch(gate->keys, t->identities[k].key_path);
		}
	}
}

/* put_slice - of forms beside mail, in the writer's transaction */
static bool
put_slice(void *with, struct store *store)
{
	return forms_put(with, store, FORMS_SLICE);
}

/* put_all - of them, while there is no mail yet */
static bool
put_all(void *with, struct store *store)
{
	return forms_put(with, store, SIZE_MAX);
}

/* record - forms, then status and event in one commit */
static int
record(struct reload *r, bool start, struct why *why)
{
	const struct policy *now = r->gate->policy;
	struct forms *forms = NULL;
	struct event e = {
		.kind = EVENT_RELOAD,
		.time = clock_now(),
		.instance = slice_of(r->gate->config->milter.instance),
		.verdict = r->status.result == STATUS_REFUSED ?
		    VERDICT_REFUSE : VERDICT_PASS,
		.count = 1,
		.text = r->status.text,
	};
	int rc;

	memcpy(r->status.policy_hash, now->hash, sizeof(now->hash));
	memcpy(e.policy_hash, now->hash, sizeof(now->hash));
	if (r->status.result != STATUS_REFUSED &&
	    (forms = forms_new(now, r->gate->store)) == NULL)
		log_error("no memory for the last good forms");
	r->status.generation++;
	rc = writer_reload(r->gate->writer, &r->status, &e, forms == NULL ?
	    NULL : start ? put_all : put_slice, forms, why);
	forms_free(forms);
	return rc;
}

/* judge - what a load came to, in the status and in the log */
static void
judge(struct reload *r, int loaded, const struct policy *before,
    const struct policy *now, struct problems *problems, const struct why *why)
{
	size_t at;

	buf_reset(&r->text);
	if (loaded == 1) {
		changes_text(before, now, &r->text);
		log_lines(buf_slice(&r->text), LOG_LEVEL_INFO);
	} else if (before != NULL) {
		buf_printf(&r->text, "refused%s%s: the policy stays as it "
		    "was\n", loaded == -1 ? ": " : "",
		    loaded == -1 ? why->text : "");
		log_lines(buf_slice(&r->text), LOG_LEVEL_ERROR);
	}
	r->status.result = loaded != 1 ? STATUS_REFUSED :
	    problems->errors > 0 ? STATUS_PARTLY : STATUS_OK;
	at = r->text.len;
	changes_problems(problems, &r->text);
	log_lines(slice_from(buf_slice(&r->text), at), LOG_LEVEL_WARN);
	r->status.text = buf_slice(&r->text);
}

/* reload_new - nothing loaded yet */
struct reload *
reload_new(struct gate *gate)
{
	struct reload *r = calloc(1, sizeof(*r));
	pthread_condattr_t attr;

	if (r == NULL)
		return NULL;
	r->gate = gate;
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->wake, &attr);
	pthread_condattr_destroy(&attr);
	r->status = (struct status){
		.pid = getpid(),
		.started = clock_now(),
		.version = SLICE(PENSTOCK_VERSION),
		.socket = slice_of(gate->config->milter.socket),
	};
	return r;
}

/* reload_first - the policy to start with */
int
reload_first(struct reload *r, struct why *why)
{
	struct arena *arena = arena_new(1 << 16, 0);
	struct problems problems;
	struct policy *p;
	int got;

	if (arena == NULL)
		return why_kind(why, WHY_MEMORY, "no memory");
	problems_init(&problems, arena);
	got = load(r->gate, NULL, JUDGE_KEYS, &p, &problems, why);
	judge(r, got, NULL, p, &problems, why);
	if (got == 0)
		why_set(why, "%s: %u error%s", r->gate->config->policy,
		    problems.errors, problems.errors == 1 ? "" : "s");
	arena_free(arena);
	if (got != 1)
		return -1;
	r->gate->policy = p;
	return 0;
}

/* retire - dropped when nobody else has it, by sweep; without memory now */
static void
retire(struct reload *r, struct policy *policy)
{
	struct old *o = malloc(sizeof(*o));

	if (o == NULL) {
		policy_drop(policy);
		return;
	}
	*o = (struct old){ policy, r->old };
	r->old = o;
}

/* sweep - the old ones that are ours alone, or all */
static void
sweep(struct reload *r, bool all)
{
	struct old **at = &r->old, *o;

	while ((o = *at) != NULL) {
		if (!all && !policy_alone(o->policy)) {
			at = &o->next;
			continue;
		}
		*at = o->next;
		policy_drop(o->policy);
		free(o);
	}
}

/* again - one reload, start to end */
static void
again(struct reload *r)
{
	struct policy *before = gate_policy(r->gate), *p = NULL;
	struct arena *arena = arena_new(1 << 16, 0);
	struct problems problems;
	struct why why;
	int got;

	if (arena == NULL) {
		log_error("reload: no memory");
		policy_drop(before);
		return;
	}
	problems_init(&problems, arena);
	got = load(r->gate, before, JUDGE_KEYS, &p, &problems, &why);
	judge(r, got, before, p, &problems, &why);
	if (got == 1) {
		key_cache_refresh(r->gate->keys);
		policy_drop(gate_swap(r->gate, p));
		pacer_wake(r->gate->pacer);
		prefetch(r->gate, p);
	}
	if (record(r, false, &why) == -1)
		log_error("reload: not recorded: %s", why.text);
	if (got == 1)
		retire(r, before);
	else
		policy_drop(before);
	arena_free(arena);
}

/* wait_a_little - for a request, or for messages to end; lock held */
static void
wait_a_little(struct reload *r)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	(void)pthread_cond_timedwait(&r->wake, &r->lock, &until);
}

/* work - the thread: several requests while one runs are one */
static void *
work(void *arg)
{
	struct reload *r = arg;
	bool wanted;

	life_aside();
	pthread_mutex_lock(&r->lock);
	for (;;) {
		while (!r->wanted && !r->stop && r->old == NULL)
			pthread_cond_wait(&r->wake, &r->lock);
		if (!r->wanted && !r->stop)
			wait_a_little(r);
		if (r->stop)
			break;
		wanted = r->wanted;
		r->wanted = false;
		pthread_mutex_unlock(&r->lock);
		if (wanted)
			again(r);
		sweep(r, false);
		pthread_mutex_lock(&r->lock);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* reload_record - the start counts as a reload; one that cannot be recorded
 * (no room) is no reason not to start: mail gets 451 until there is room */
void
reload_record(struct reload *r)
{
	struct why why;

	if (record(r, true, &why) == -1)
		log_error("start: not recorded: %s", why.text);
}

/* reload_start - with the rights that every later reload has */
int
reload_start(struct reload *r, struct why *why)
{
	int err;

	prefetch(r->gate, r->gate->policy);
	if ((err = pthread_create(&r->thread, NULL, work, r)) != 0) {
		errno = err;
		return why_errno(why, "cannot start the reload thread");
	}
	r->running = true;
	return 0;
}

/* reload_request - soon */
void
reload_request(struct reload *r)
{
	pthread_mutex_lock(&r->lock);
	r->wanted = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
}

/* reload_stop - and forget */
void
reload_stop(struct reload *r)
{
	if (r == NULL)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
	if (r->running)
		pthread_join(r->thread, NULL);
	sweep(r, true);
	pthread_cond_destroy(&r->wake);
	pthread_mutex_destroy(&r->lock);
	buf_free(&r->text);
	free(r);
}

/* reload_check - for a person, before anything is touched */
bool
reload_check(const struct config *config, FILE *out)
{
	struct gate gate = { .config = config };
	struct arena *arena = arena_new(1 << 16, 0);
	struct buf text = BUF_INIT;
	struct problems problems;
	struct policy *p = NULL;
	struct why why;
	int got;

	if (arena == NULL)
		log_fatal(71, "out of memory");
	problems_init(&problems, arena);
	got = load(&gate, NULL, SIZE_MAX, &p, &problems, &why);
	if (got == -1)
		fprintf(out, "%s\n", why.text);
	changes_problems(&problems, &text);
	fwrite(text.data != NULL ? text.data : "", 1, text.len, out);
	got = got == 1 && problems.errors == 0;
	policy_drop(p);
	buf_free(&text);
	arena_free(arena);
	return got;
}
