/*
 * reply - the sentence a client is told, made so that nothing of a sender's
 * bytes can do harm in it.
 *
 * One line of printable ASCII, at most REPLY_MAX bytes.  Doubling of '%' for
 * libmilter is the milter's business.   Private to policy's decide files.
 * Threads: any.
 */
#ifndef POLICY_REPLY_H
#define POLICY_REPLY_H

#include "policy/decide.h"

#define REPLY_MAX	900

/* Fills the answer (stage is set by the caller before) and returns the
 * verdict; DEFER "451 4.3.0" when the arena is empty. */
enum verdict reply(struct answer *, struct arena *, enum verdict,
	    const char *code, const char *dsn, struct place rule,
	    const char *, ...) __attribute__((format(printf, 7, 8)));
enum verdict reply_memory(struct answer *);	/* 451 4.3.0 */
/* PASS, with the line that let it. */
enum verdict reply_pass(struct answer *, struct place rule);
/* Foreign text for use in a reply: at most 80 bytes of it, with all that is
 * not printable ASCII, and '"' and '\\', as \xNN. "?" without memory. */
struct slice reply_clean(struct arena *, struct slice);
/* "; contact ops@agency7.example", or "". */
struct slice reply_contact(struct arena *, const struct tenant *);

#endif
