/*
 * log - one write(2) per line, so that lines of threads do not mix.
 */
#include "lib/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/clock.h"

enum { LINE_MAX_BYTES = 2048 };

static struct {
	const char	*program;
	bool		 to_syslog;
	bool		 to_journal;	/* stderr is read by systemd */
	enum log_level	 most;
} target = { "penstock", false, false, LOG_LEVEL_INFO };

static const int priorities[] = {
	[LOG_LEVEL_ERROR] = LOG_ERR,
	[LOG_LEVEL_WARN] = LOG_WARNING,
	[LOG_LEVEL_INFO] = LOG_INFO,
	[LOG_LEVEL_DEBUG] = LOG_DEBUG,
};

/* log_open - choose the one way out */
void
log_open(const char *program, bool to_syslog, enum log_level most)
{
	target.program = program;
	target.to_syslog = to_syslog;
	target.to_journal = getenv("JOURNAL_STREAM") != NULL;
	target.most = most;
	if (to_syslog)
		openlog(program, LOG_PID | LOG_NDELAY, LOG_MAIL);
}

/* write_line - head, text, newline in one go; control bytes become '?' */
static void
write_line(enum log_level level, const char *fmt, va_list ap)
{
	char line[LINE_MAX_BYTES];
	size_t head, n;
	int got;

	got = target.to_syslog ? 0 : target.to_journal ?
	    snprintf(line, sizeof(line), "<%d>", priorities[level]) :
	    snprintf(line, sizeof(line), "%s: ", target.program);
	head = got > 0 ? (size_t)got : 0;
	got = vsnprintf(line + head, sizeof(line) - head - 1, fmt, ap);
	n = head + (got > 0 ? (size_t)got : 0);
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	for (size_t i = head; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	if (target.to_syslog) {
		line[n] = '\0';
		syslog(priorities[level], "%s", line);
		return;
	}
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) == -1)
		return;		/* nowhere left to say it */
}

/* log_line - say it, unless it is too quiet for the level chosen */
void
log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	if (level > target.most)
		return;
	va_start(ap, fmt);
	write_line(level, fmt, ap);
	va_end(ap);
}

/* log_pace - so many in a minute; the first of a new one tells of the last */
bool
log_pace(struct log_pace *p, int64_t now, unsigned *left)
{
	int64_t minute = now / CLOCK_MINUTE + 1, was = p->minute;

	*left = 0;
	if (was != minute && atomic_compare_exchange_strong(&p->minute, &was,
	    minute)) {
		atomic_store(&p->said, 0);
		*left = atomic_exchange(&p->left, 0);
	}
	if (atomic_fetch_add(&p->said, 1) < LOG_PACE)
		return true;
	atomic_fetch_sub(&p->said, 1);
	atomic_fetch_add(&p->left, 1);
	return false;
}

/* log_paced - a line of many */
void
log_paced(struct log_pace *p, enum log_level level, const char *fmt, ...)
{
	unsigned left;
	va_list ap;

	if (level > target.most || !log_pace(p, clock_mono(), &left))
		return;
	if (left > 0)
		log_line(level, "%u lines like the next one were left out: "
		    "more than %d in a minute", left, LOG_PACE);
	va_start(ap, fmt);
	write_line(level, fmt, ap);
	va_end(ap);
}

/* log_fatal - say it and end the process at once, without handlers */
void
log_fatal(int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_line(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
	_exit(status);
}
