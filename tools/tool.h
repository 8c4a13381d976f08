/*
 * tool - what the subcommands of penstock share: exit codes, the two voices,
 * the way to the configuration.
 *
 * One file is one subcommand; the table in penstock.c dispatches and makes
 * --help.  A command gets argv behind its own words.
 */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include <stdbool.h>
#include <stdio.h>
#include "lib/buf.h"
#include "lib/config.h"
#include "lib/parse.h"
#include "lib/store.h"

enum tool_exit { TOOL_OK, TOOL_NO, TOOL_USAGE, TOOL_BROKEN };

struct tool {
	const char	*config_path;	/* -c, or CONFIG_DEFAULT */
	bool		 color;		/* stdout is a terminal, no NO_COLOR */
};

/* Loads penstock.conf; trouble goes to stderr: TOOL_BROKEN. */
int	tool_config(const struct tool *, struct config **);
/* Opens <store>/gate for reading; prints why and returns TOOL_BROKEN. */
int	tool_store(const struct config *, struct store **);
/* Likewise <store>/outcomes, for commands that ask what became of mail. */
struct outcomes;
int	tool_outcomes(const struct config *, struct outcomes **);
/* file:line:col: error: text, sorted, to the stream. */
void	tool_problems(FILE *, struct problems *);
/* "penstock: ..." to stderr; returns status. */
int	tool_fail(int status, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
int	tool_usage(const char *usage);	/* to stderr; TOOL_USAGE */
int	tool_help(const char *usage);	/* to stdout; TOOL_OK */
/* Is --help all that is asked? */
bool	tool_asks_help(int argc, char **argv);

/* Aligned columns: add cells row by row, print at the end. '>' right-aligns. */
struct table;
struct table *table_new(const char *const *headings, const char *align);
void	 table_cell(struct table *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
void	 table_print(const struct table *, FILE *, bool color);
size_t	 table_rows(const struct table *);	/* without the headings */
void	 table_free(struct table *);

/* Text for eyes, from column indent on: on a terminal it is broken at blanks
 * and goes on below itself, elsewhere it stays one line.  Words are whole. */
void	 tool_wrap(struct buf *, size_t indent, struct slice);

int	tool_policy_check(const struct tool *, int argc, char **argv);
int	tool_policy_show(const struct tool *, int argc, char **argv);
int	tool_policy_explain(const struct tool *, int argc, char **argv);
int	tool_policy_replay(const struct tool *, int argc, char **argv);
int	tool_limits_grant(const struct tool *, int argc, char **argv);
int	tool_limits_reset(const struct tool *, int argc, char **argv);
int	tool_tenant_list(const struct tool *, int argc, char **argv);
int	tool_tenant_pause(const struct tool *, int argc, char **argv);
int	tool_hold_list(const struct tool *, int argc, char **argv);
int	tool_hold_release(const struct tool *, int argc, char **argv);
int	tool_hold_drop(const struct tool *, int argc, char **argv);
int	tool_breaker_list(const struct tool *, int argc, char **argv);
int	tool_breaker_lift(const struct tool *, int argc, char **argv);
int	tool_backoff_list(const struct tool *, int argc, char **argv);
int	tool_backoff_lift(const struct tool *, int argc, char **argv);
int	tool_backoff_test(const struct tool *, int argc, char **argv);
int	tool_warmup_resume(const struct tool *, int argc, char **argv);
int	tool_warmup_explain(const struct tool *, int argc, char **argv);
int	tool_tenant_resume(const struct tool *, int argc, char **argv);
int	tool_warmup(const struct tool *, int argc, char **argv);
int	tool_report_explain(const struct tool *, int argc, char **argv);
int	tool_report_calibrate(const struct tool *, int argc, char **argv);
int	tool_advice_list(const struct tool *, int argc, char **argv);
int	tool_advice_apply(const struct tool *, int argc, char **argv);
int	tool_advice_dismiss(const struct tool *, int argc, char **argv);
int	tool_audit(const struct tool *, int argc, char **argv);
int	tool_limits(const struct tool *, int argc, char **argv);
int	tool_report(const struct tool *, int argc, char **argv);
int	tool_usage_month(const struct tool *, int argc, char **argv);
int	tool_events(const struct tool *, int argc, char **argv);
int	tool_status(const struct tool *, int argc, char **argv);
int	tool_reload(const struct tool *, int argc, char **argv);
int	tool_postfix_config(const struct tool *, int argc, char **argv);
int	tool_dkim_verify(const struct tool *, int argc, char **argv);
int	tool_dkim_dns(const struct tool *, int argc, char **argv);
int	tool_bounce_test(const struct tool *, int argc, char **argv);
int	tool_suppress_add(const struct tool *, int argc, char **argv);
int	tool_suppress_remove(const struct tool *, int argc, char **argv);
int	tool_suppress_check(const struct tool *, int argc, char **argv);
int	tool_suppress_import(const struct tool *, int argc, char **argv);
int	tool_suppress_export(const struct tool *, int argc, char **argv);
int	tool_token_make(const struct tool *, int argc, char **argv);
int	tool_token_read(const struct tool *, int argc, char **argv);
int	tool_token_names(const struct tool *, int argc, char **argv);
int	tool_token_rotate(const struct tool *, int argc, char **argv);
int	tool_ingest(const struct tool *, int argc, char **argv);
int	tool_ingest_status(const struct tool *, int argc, char **argv);
int	tool_trace(const struct tool *, int argc, char **argv);
int	tool_replies(const struct tool *, int argc, char **argv);
int	tool_provider(const struct tool *, int argc, char **argv);
int	tool_ingest_mail(const struct tool *, int argc, char **argv);
int	tool_ingest_quarantine(const struct tool *, int argc, char **argv);
int	tool_snapshot_import(const struct tool *, int argc, char **argv);
int	tool_snapshot_list(const struct tool *, int argc, char **argv);
int	tool_snapshot_request(const struct tool *, int argc, char **argv);
int	tool_store_stat(const struct tool *, int argc, char **argv);
int	tool_store_verify(const struct tool *, int argc, char **argv);
int	tool_store_dump(const struct tool *, int argc, char **argv);
int	tool_store_backup(const struct tool *, int argc, char **argv);
int	tool_store_anew(const struct tool *, int argc, char **argv);

#endif
