/*
 * match - the lines of a stream: which mail is in it?
 *
 *	match = {"sender:news@*", "header:X-Stream=bulk !login:ops"}
 *
 * Words in a line are ANDed, lines ORed, "!" negates a word.  Words are any,
 * sender:GLOB (MAIL FROM), recipient:GLOB, login:GLOB, listener:GLOB,
 * client:ADDRESS[/BITS], header:NAME, header:NAME=GLOB.  Globs know * and ?,
 * cases are folded.  What is not known yet is neither yes nor no: a stream is
 * settled as soon as what is known suffices, as three-valued logic says.
 * In a stream with a claim, a line with a header word is no for every login
 * that is not in it.  "sender:<>" is the empty sender.
 * Threads: any; questions do not allocate.
 */
#ifndef POLICY_MATCH_H
#define POLICY_MATCH_H

#include "lib/problem.h"
#include "policy/net.h"
#include "policy/policy.h"

struct header_fact {			/* as seen, in order */
	struct slice	name, value;	/* name without trailing white space */
};

enum match_what { MATCH_ANY, MATCH_SENDER, MATCH_RECIPIENT, MATCH_LOGIN,
	MATCH_LISTENER, MATCH_CLIENT, MATCH_HEADER };

struct match_word {
	enum match_what	 what;
	bool		 not;
	struct slice	 name;		/* of the header */
	struct slice	 glob;		/* p NULL: the header is there */
	struct net_key	 net;		/* MATCH_CLIENT */
};

struct match_line {
	struct match_word *words;
	size_t		 n;
	struct slice	 text;		/* as written */
	struct place	 at;
};

enum known { KNOWN_NO, KNOWN_YES, KNOWN_NOT_YET };

struct match_facts {
	struct slice	 login, listener;
	struct slice	 sender;	/* canonical text, "" for <> */
	const struct ip	*client;
	struct slice	 recipient;	/* p NULL: none yet */
	const struct header_fact *headers;
	size_t		 nheaders;
	bool		 headers_known;
};

/* One line, into the arena; a mistake goes to problems at that place. 1, 0 a
 * mistake, -1 without memory. */
int	 match_parse(struct slice text, struct place, struct arena *,
	    struct match_line *, struct problems *);
/* *which (may be NULL): the line that said yes. */
enum known match_stream(const struct stream *, const struct match_facts *,
	    const struct match_line **which);
/*
 * The stream of that mail: the first that says yes, when all before it say no;
 * NULL when that is not known yet.  With headers_known and a recipient it
 * always is.
 */
const struct stream *match_tenant(const struct tenant *,
	    const struct match_facts *, const struct match_line **which);
/* Does * and ?, ASCII case folded; time is the product of the lengths. */
bool	 match_glob(struct slice glob, struct slice text);

#endif
