/*
 * gz - zlib's own reader; a file that is not packed comes out as it is.
 */
#include "tools/ingest/gz.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

struct gz {
	gzFile	file;
};

/* gz_open - around a descriptor */
int
gz_open(struct gz **out, int fd, struct why *why)
{
	struct gz *g = calloc(1, sizeof(*g));

	*out = NULL;
	if (g == NULL || (g->file = gzdopen(fd, "r")) == NULL) {
		free(g);
		close(fd);
		return why_kind(why, WHY_MEMORY, "no memory to unpack a log");
	}
	(void)gzbuffer(g->file, 1 << 17);
	*out = g;
	return 0;
}

/* gz_read - the next piece */
ssize_t
gz_read(struct gz *g, void *p, size_t n, struct why *why)
{
	int code, got = gzread(g->file, p, n > INT_MAX ? INT_MAX :
	    (unsigned)n);
	const char *text;

	if (got > 0)
		return got;
	text = gzerror(g->file, &code);
	if (code == Z_OK || code == Z_STREAM_END)
		return got;
	return why_set(why, "cannot unpack it: %s", code == Z_ERRNO ?
	    strerror(errno) : text);
}

/* gz_at - how far in the packed file; none when it cannot be told */
uint64_t
gz_at(const struct gz *g)
{
	z_off_t at = gzoffset(g->file);

	return at < 0 ? 0 : (uint64_t)at;
}

/* gz_close - and its descriptor */
void
gz_close(struct gz *g)
{
	if (g == NULL)
		return;
	(void)gzclose(g->file);
	free(g);
}
