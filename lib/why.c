/*
 * why - sentences are cut, never refused: a long reason still names its start.
 */
#include "lib/why.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* why_set - the sentence, of no special kind */
int
why_set(struct why *why, const char *fmt, ...)
{
	va_list ap;

	why->kind = WHY_OTHER;
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return -1;
}

/* why_kind - the sentence, with the kind that tells the caller what to do */
int
why_kind(struct why *why, enum why_kind kind, const char *fmt, ...)
{
	va_list ap;

	why->kind = kind;
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return -1;
}

/* why_errno - the sentence and what the system said */
int
why_errno(struct why *why, const char *fmt, ...)
{
	int error = errno;
	char cause[128] = "";
	const char *said = cause;
	va_list ap;
	size_t n;

	why->kind = error == ENOMEM ? WHY_MEMORY :
	    error == ENOSPC || error == EDQUOT ? WHY_NOROOM : WHY_OTHER;
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	n = strlen(why->text);
#ifdef __GLIBC__
	said = strerror_r(error, cause, sizeof(cause));
#else				/* musl has that of POSIX */
	(void)strerror_r(error, cause, sizeof(cause));
#endif
	snprintf(why->text + n, sizeof(why->text) - n, ": %s", said);
	return -1;
}

/* why_in - says where the sentence belongs */
int
why_in(struct why *why, const char *fmt, ...)
{
	char was[sizeof(why->text)];
	va_list ap;
	size_t n;

	memcpy(was, why->text, sizeof(was));
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	n = strlen(why->text);
	snprintf(why->text + n, sizeof(why->text) - n, ": %s", was);
	return -1;
}
