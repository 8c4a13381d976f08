/*
 * decision - see decision.h.
 *
 * The gate is not asked and not told: it reads the desk several times a second
 * and says in its status record up to which decision it has come.  So whoever
 * may write the desk needs no right to talk to the gate, and a gate that is
 * down finds the decision when it starts.
 */
#include "tools/decision.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/keyword.h"
#include "lib/scan.h"
#include "lib/text.h"
#include "tools/desk_state.h"
#include "tools/running.h"

#define PATIENCE	(5 * CLOCK_SECOND)

/* decision_option - one of those that all commands have */
int
decision_option(struct decision *d, int argc, char **argv, int *at)
{
	const struct { const char *name; const char **to; } options[] = {
		{ "--reason", &d->reason }, { "--until", &d->until },
		{ "--stream", &d->stream }, { "--provider", &d->provider } };

	if (strcmp(argv[*at], "--json") == 0) {
		d->json = true;
		return 1;
	}
	if (*at + 1 >= argc)
		return 0;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (strcmp(argv[*at], options[i].name) != 0)
			continue;
		*options[i].to = argv[++*at];
		return 1;
	}
	return 0;
}

/* decision_begin - reason first: it needs nothing */
int
decision_begin(struct decision *d, unsigned live_flags, bool needs_policy)
{
	struct why why;
	int status;

	if (d->reason == NULL)
		return tool_fail(TOOL_USAGE, "a decision needs --reason: who "
		    "reads the audit log must know why");
	if (desk_reason(slice_of(d->reason), &why) == -1)
		return tool_fail(TOOL_USAGE, "%s", why.text);
	status = live_open(d->tool, live_flags, &d->live);
	if (status != TOOL_NO || needs_policy)
		return status;
	fprintf(stderr, "penstock: the policy has mistakes, so names are not "
	    "checked\n");
	return TOOL_OK;
}

/* decision_end - whatever is there of it */
void
decision_end(struct decision *d)
{
	live_close(&d->live);
}

/* decision_nearest - as the keyword table does it */
const char *
decision_nearest(struct arena *arena, const struct slice *names, size_t n,
    struct slice word)
{
	struct keyword *rows = arena_array(arena, n + 1, sizeof(*rows));
	struct keyword_table table = { .rows = rows, .n = n };
	size_t i;

	if (rows == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		rows[i].where = 1;
		rows[i].name = arena_copy(arena, names[i]).p;
		if (rows[i].name == NULL)
			return NULL;
	}
	return keyword_nearest(&table, word, 1);
}

/* tenant_unknown - with the nearest one */
static int
tenant_unknown(struct decision *d, const char *name)
{
	const struct policy *p = d->live.policy;
	struct arena *arena = d->live.arena;
	struct slice *names = arena_array(arena, p->ntenants + 1,
	    sizeof(*names));
	const char *near = NULL;
	struct quoted q;

	for (size_t i = 0; names != NULL && i < p->ntenants; i++)
		names[i] = p->tenants[i]->name;
	if (names != NULL)
		near = decision_nearest(arena, names, p->ntenants,
		    slice_of(name));
	if (near != NULL)
		return tool_fail(TOOL_NO, "no tenant %s in %s; did you mean "
		    "\"%s\"?", text_quote(slice_of(name), &q), p->path, near);
	return tool_fail(TOOL_NO, "no tenant %s in %s; penstock tenant list "
	    "names them", text_quote(slice_of(name), &q), p->path);
}

/* decision_tenant - it must be in the policy, if there is one to ask */
int
decision_tenant(struct decision *d, const char *name, const struct tenant **t)
{
	struct quoted q;

	*t = NULL;
	if (!keyword_is_name(slice_of(name)))
		return tool_fail(TOOL_USAGE, "%s is no name of a tenant",
		    text_quote(slice_of(name), &q));
	d->record.tenant = slice_of(name);
	if (d->live.policy == NULL)
		return TOOL_OK;
	*t = policy_tenant(d->live.policy, slice_of(name));
	if (*t == NULL && policy_auto_domain(d->live.policy, slice_of(name),
	    d->live.arena, t) == -1)
		return tool_fail(TOOL_BROKEN, "out of memory");
	return *t != NULL ? TOOL_OK : tenant_unknown(d, name);
}

/* zone_of - where its times are told */
static const struct zone *
zone_of(const struct decision *d, const struct tenant *t)
{
	if (t != NULL && t->zone != NULL)
		return t->zone;
	return d->live.policy != NULL ? d->live.policy->zone : zone_utc();
}

/* decision_until - an end that is yet to come */
int
decision_until(struct decision *d, const struct tenant *t)
{
	struct quoted q;
	struct why why;

	d->record.until = 0;
	if (d->until == NULL)
		return TOOL_OK;
	if (scan_until(slice_of(d->until), zone_of(d, t), clock_wall(),
	    &d->record.until, &why) == -1)
		return tool_fail(TOOL_USAGE, "--until: %s", why.text);
	if (d->record.until <= clock_wall())
		return tool_fail(TOOL_USAGE, "--until %s is %s: that is over",
		    text_quote(slice_of(d->until), &q), decision_time(d, t,
		    d->record.until));
	return TOOL_OK;
}

/* decision_time - for eyes */
const char *
decision_time(struct decision *d, const struct tenant *t, int64_t us)
{
	char text[128];
	const char *copy;

	copy = arena_printf(d->live.arena, "%s", zone_print(zone_of(d, t), us,
	    text, sizeof(text)));
	return copy != NULL ? copy : "?";
}

/* append - behind the last one, of the desk or of the gate */
static int
append(struct decision *d, struct desk *desk, struct why *why)
{
	uint8_t chain[HASH_SHA256];

	if (d->record.kind != DESK_ANEW)
		return desk_append(desk, &d->record, &d->seq, why);
	orders_chain(d->live.orders, chain);
	return desk_anew(desk, &d->record, orders_seq(d->live.orders), chain,
	    &d->seq, why);
}

/* decision_record - onto the desk */
int
decision_record(struct decision *d)
{
	char *dir = xasprintf("%s/desk", d->live.config->store);
	struct desk *desk = NULL;
	struct why why;
	int rc;

	if (d->record.kind != DESK_ANEW && desk_goes_on(d->live.config,
	    d->live.orders, &why) == -1) {
		free(dir);
		return tool_fail(TOOL_BROKEN, "not decided: %s", why.text);
	}
	desk_who(&d->record, d->live.arena);
	d->record.reason = slice_of(d->reason);
	d->record.time = clock_wall();
	rc = desk_open(&desk, dir, (uint64_t)d->live.config->map_size, &why);
	if (rc == 0)
		rc = append(d, desk, &why);
	desk_close(desk);
	free(dir);
	return rc == -1 ? tool_fail(TOOL_BROKEN, "not decided: %s", why.text) :
	    TOOL_OK;
}

/* in_force - 1 it is; 0 no gate runs; -1 the gate is late, and has said why */
static int
in_force(struct decision *d, struct status *status)
{
	int64_t deadline = clock_mono() + PATIENCE;
	struct timespec pause = { .tv_nsec = 20000000 };
	struct arena *arena = d->live.arena;
	struct why why;
	int gate = -1, rc = -1;

	do {
		if (d->live.store == NULL || store_status(d->live.store,
		    status, arena, &why) != 1)
			return 0;
		if (gate == -1)
			gate = running_open(d->live.config, status);
		if (gate == -1)
			return 0;
		if (status->desk_seq >= d->seq && status->desk.n == 0)
			rc = 1;
		else
			nanosleep(&pause, NULL);
	} while (rc == -1 && clock_mono() < deadline);
	close(gate);
	return rc;
}

/* decision_make - and what came of it */
int
decision_make(struct decision *d, const char *said)
{
	struct status status = { .pid = 0 };
	int rc, force;

	if ((rc = decision_record(d)) != TOOL_OK)
		return rc;
	force = in_force(d, &status);
	if (d->json)
		printf("{\"seq\":%llu,\"gate\":%s,\"in_force\":%s}\n",
		    (unsigned long long)d->seq, force != 0 ? "true" : "false",
		    force == 1 ? "true" : "false");
	else if (force == 1)
		printf("%s: desk:%llu, in force since %s\n", said,
		    (unsigned long long)d->seq, decision_time(d, NULL,
		    clock_wall()));
	else if (force == 0)
		printf("%s: desk:%llu is recorded; no gate runs on %s, it "
		    "will hold from the next start\n", said,
		    (unsigned long long)d->seq, d->live.config->store);
	if (force != -1)
		return TOOL_OK;
	return tool_fail(TOOL_BROKEN, "desk:%llu is recorded, but the gate has "
	    "not put it in force within %d s%s%.*s; penstock status tells how "
	    "the gate is", (unsigned long long)d->seq,
	    (int)(PATIENCE / CLOCK_SECOND), status.desk.n > 0 ? ": " : "",
	    SLICE_ARG(status.desk));
}
