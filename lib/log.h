/*
 * log - one line per thing that an operator should know.
 *
 * To stderr, with sd-daemon priorities ("<6>") when stderr is the journal
 * ($JOURNAL_STREAM is set), without when it is not; or to syslog(3) as
 * facility mail.  Never both.  Line breaks and control bytes in the text are
 * written as '?'.  No addresses of recipients and no tokens at info.
 * Threads: any after log_open.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG };

/* program: borrowed for the life of the process. Before main starts threads. */
void	log_open(const char *program, bool to_syslog, enum log_level most);

#define log_error(...)	log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)	log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)	log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
void	log_line(enum log_level, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
/*
 * A line that strangers can cause as often as they like: the first LOG_PACE of
 * a minute are said, and before the next one how many were not.  A pace, all
 * zero at first, is of one place in the program.  Threads: any.
 */
#define LOG_PACE	300
struct log_pace {
	_Atomic int64_t	minute;
	_Atomic unsigned said, left;
};
void	log_paced(struct log_pace *, enum log_level, const char *, ...)
	    __attribute__((format(printf, 3, 4)));
/* At that moment (clock_mono): may a line be said?  *left: so many were not,
 * which is to be said first. */
bool	log_pace(struct log_pace *, int64_t now, unsigned *left);
/* Only for main() and x-functions: says it and _exits with status. */
void	log_fatal(int status, const char *, ...)
	    __attribute__((noreturn, format(printf, 2, 3)));

#endif
