/*
 * store_anew - penstock store anew: the desk was lost, or an older copy of it
 * was put back, and a person decides that work goes on.
 *
 * The gate obeys only what follows from the last decision that it took, and
 * keeps the number and the chain of that one.  So the first record of the new
 * life bears the next number and is chained to it: for the gate nothing has
 * happened, and what was in force stays in force.  The record says up to where
 * the desk reaches (amount) and what it is chained to (object), so that
 * penstock audit --verify finds the gap and who answers for it.
 *
 * Not chosen: to have the gate forget what it knows of the desk.  Whoever wants
 * a decision of his unseen could then have it forgotten.
 */
#include <string.h>

#include "tools/decision.h"
#include "tools/desk_state.h"

static const char usage[] = "penstock store anew --reason TEXT [--json]";
static const char help[] =
"When store/desk was lost: put its newest backup back first, if there is one.\n"
"Then this goes on behind the last decision that the gate has in force, with\n"
"a record of who said so.  What is in force stays so; decisions in no backup\n"
"are gone from the audit log, and so is what penstock suppress said\n"
"since the backup: import it again.\n\n"
"  --reason TEXT  one line; the audit log keeps it\n"
"  --json         one JSON object\n\n"
"Exit status: 0 it goes on, 1 the desk is in order, 3 not recorded, or the\n"
"gate did not take it within 5 s.\n";

/* needed - does the desk lack what the gate has? */
static int
needed(const struct decision *d)
{
	if (orders_seq(d->live.orders) == 0)
		return tool_fail(TOOL_NO, "the gate has no decision in force: "
		    "there is nothing to go on from, and the next decision "
		    "makes the desk");
	if (desk_state(d->live.config, d->live.orders) == DESK_STATE_FINE)
		return tool_fail(TOOL_NO, "the desk is in order up to "
		    "desk:%llu", (unsigned long long)
		    orders_seq(d->live.orders));
	return TOOL_OK;
}

/* tool_store_anew - go on, and say so */
int
tool_store_anew(const struct tool *tool, int argc, char **argv)
{
	struct decision d = { .tool = tool, .record.kind = DESK_ANEW };
	int status;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			printf("usage: %s\n\n%s", usage, help);
			return TOOL_OK;
		}
		if (!decision_option(&d, argc, argv, &i))
			return tool_usage(usage);
	}
	if (d.until != NULL || d.stream != NULL || d.provider != NULL)
		return tool_usage(usage);
	if ((status = decision_begin(&d, LIVE_MAY_LACK | LIVE_POLICY,
	    false)) == TOOL_OK && (status = needed(&d)) == TOOL_OK)
		status = decision_make(&d, "the desk goes on; what was "
		    "suppressed since its backup must be imported again");
	decision_end(&d);
	return status;
}
