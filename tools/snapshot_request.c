/*
 * snapshot_request - penstock snapshot request: a person wants to know now.
 *
 * A refresh is due every thirty days.  Who has an incident cannot wait that
 * long; so he asks, says which incident and who allows it, and the desk has it.
 * penstock-alert makes the call, once, when the numbers of the month allow it:
 * those bind everybody, and so a request that they would refuse is refused
 * here, in a sentence, and not written down.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/text.h"
#include "tools/desk_state.h"
#include "tools/snapshot.h"

static const char usage[] =
    "penstock snapshot request --provider P --subject S --incident ID\n"
    "    --severity high|critical --approver NAME --reason TEXT [--json]\n"
    "  has penstock-alert ask google about a domain, or microsoft about all\n"
    "  our addresses (--subject account), before a refresh is due";

struct request {
	struct arena	*arena;
	struct config	*config;
	const char	*provider, *subject, *incident, *severity, *approver,
			*reason;
	bool		 json;
	int64_t		 now;
};

/* arguments - TOOL_OK, or what to exit with */
static int
arguments(struct request *r, int argc, char **argv)
{
	const struct { const char *name; const char **to; } options[] = {
		{ "--provider", &r->provider }, { "--subject", &r->subject },
		{ "--incident", &r->incident }, { "--severity", &r->severity },
		{ "--approver", &r->approver }, { "--reason", &r->reason } };
	size_t k, n = sizeof(options) / sizeof(options[0]);

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			r->json = true;
			continue;
		}
		for (k = 0; k < n; k++)
			if (strcmp(argv[i], options[k].name) == 0)
				break;
		if (k == n || i + 1 >= argc)
			return tool_usage(usage);
		*options[k].to = argv[++i];
	}
	for (k = 0; k < n; k++)
		if (*options[k].to == NULL)
			return tool_fail(TOOL_USAGE, "a request needs %s; "
			    "penstock snapshot request --help tells all",
			    options[k].name);
	return TOOL_OK;
}

/* fine - are the words what they should be? */
static int
fine(struct request *r)
{
	const struct { const char *name, *text; } lines[] = {
		{ "--reason", r->reason }, { "--incident", r->incident },
		{ "--approver", r->approver }, { "--subject", r->subject } };
	struct why why;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (desk_reason(slice_of(lines[i].text), &why) == -1)
			return tool_fail(TOOL_USAGE, "%s: it must be one line "
			    "of printable text", lines[i].name);
	if (strcmp(r->severity, "high") != 0 &&
	    strcmp(r->severity, "critical") != 0)
		return tool_fail(TOOL_NO, "an incident of severity \"%s\" "
		    "waits for the next refresh; a request takes high or "
		    "critical", r->severity);
	if ((r->provider = snapshot_provider(r->arena, r->provider)) == NULL)
		return TOOL_USAGE;
	if (strlen(r->subject) > SNAPSHOT_SUBJECT)
		return tool_fail(TOOL_USAGE, "--subject is too long");
	return TOOL_OK;
}

/* allowed - would it be made? */
static int
allowed(struct request *r)
{
	struct slice provider = slice_of(r->provider);
	struct snapshot_stores stores;
	struct budget_answer answer;
	struct why why;
	int status;

	if (budget_credentials(r->config, provider) == NULL)
		return tool_fail(TOOL_NO, "nobody can be asked at %s: %s",
		    r->provider, slice_is(provider, "google") ||
		    slice_is(provider, "microsoft") ? "penstock.conf names no "
		    "credentials of it, in the block snapshot" :
		    "only google and microsoft answer calls; bring files with "
		    "penstock snapshot import");
	if ((status = snapshot_stores(r->config, &stores)) != TOOL_OK)
		return status;
	if (snapshot_budget(r->config, stores.watch, provider,
	    slice_of(r->subject), r->now, &answer, &why) == -1)
		status = tool_fail(TOOL_BROKEN, "%s", why.text);
	else if (answer.said != BUDGET_MAY)
		status = tool_fail(TOOL_NO, "not requested: %s", answer.text);
	snapshot_stores_close(&stores);
	return status;
}

/* put - onto the desk */
static int
put(struct request *r)
{
	char *dir = xasprintf("%s/desk", r->config->store);
	struct desk_record d = { .kind = DESK_SNAPSHOT_REQUEST,
	    .provider = slice_of(r->provider), .object = slice_of(r->subject),
	    .reason = slice_of(r->reason) };
	struct desk *desk = NULL;
	uint64_t seq = 0;
	struct why why;
	int rc = -1;

	d.before = slice_of(arena_printf(r->arena, "incident %s (%s)",
	    r->incident, r->severity));
	d.after = slice_of(arena_printf(r->arena, "approved by %s",
	    r->approver));
	desk_who(&d, r->arena);
	if (desk_goes_on_gate(r->config, &why) == 0 && desk_open(&desk, dir,
	    (uint64_t)r->config->map_size, &why) == 0)
		rc = desk_append(desk, &d, &seq, &why);
	desk_close(desk);
	free(dir);
	if (rc == -1)
		return tool_fail(TOOL_BROKEN, "not requested: %s", why.text);
	if (r->json)
		printf("{\"seq\":%llu}\n", (unsigned long long)seq);
	else
		printf("desk:%llu is recorded; penstock-alert asks %s about %s "
		    "within a minute, and penstock snapshot list shows what "
		    "came of it\n", (unsigned long long)seq, r->provider,
		    r->subject);
	return TOOL_OK;
}

/* tool_snapshot_request - penstock snapshot request */
int
tool_snapshot_request(const struct tool *tool, int argc, char **argv)
{
	struct request r = { .arena = arena_new(1 << 14, 0),
		.now = clock_wall() };
	int status;

	if (tool_asks_help(argc, argv)) {
		arena_free(r.arena);
		return tool_help(usage);
	}
	if (r.arena == NULL)
		return tool_fail(TOOL_BROKEN, "out of memory");
	if ((status = arguments(&r, argc, argv)) == TOOL_OK &&
	    (status = fine(&r)) == TOOL_OK &&
	    (status = tool_config(tool, &r.config)) == TOOL_OK &&
	    (status = allowed(&r)) == TOOL_OK)
		status = put(&r);
	config_free(r.config);
	arena_free(r.arena);
	return status;
}
