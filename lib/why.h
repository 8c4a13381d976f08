/*
 * why - the reason an action failed, in a sentence for a person.
 *
 * Three styles of function, named in each header:
 *   action    0, or -1 with *why filled (why is the last parameter)
 *   question  bool or pointer, cannot fail
 *   fetch     1 got it, 0 not there, -1 failed with *why filled
 * Who returns -1 makes the sentence; who stops it logs it, once.
 * Threads: any; a struct why belongs to one thread.
 */
#ifndef LIB_WHY_H
#define LIB_WHY_H

enum why_kind {
	WHY_OTHER,
	WHY_NOROOM,	/* disk or map full: 451 now, may recover by itself */
	WHY_BROKEN,	/* the store cannot be trusted: exit, restart, verify */
	WHY_BUSY,	/* somebody else has it */
	WHY_MEMORY	/* out of memory: 451 for this message */
};

struct why {
	enum why_kind	kind;
	char		text[480];
};

/* All three return -1, so that "return why_set(...)" reads well. */
int	why_set(struct why *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
/* Appends ": " and strerror(errno). */
int	why_errno(struct why *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
/* Puts "context: " before the sentence that is there. */
int	why_in(struct why *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
/* As why_set, with a kind. */
int	why_kind(struct why *, enum why_kind, const char *, ...)
	    __attribute__((format(printf, 3, 4)));

#endif
