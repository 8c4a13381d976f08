/*
 * message - a message in a file, as the gate's milter would be shown it.
 */
#ifndef TOOLS_MESSAGE_H
#define TOOLS_MESSAGE_H

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/why.h"
#include "policy/decide.h"

struct message_file {
	struct header_fact	*headers;
	size_t			 nheaders;
	int64_t			 size;	/* bytes on the wire */
	struct buf		 text;	/* the file; body is a part of it */
	struct slice		 body;
};

/* Reads headers up to the first line that is none. "-": stdin. Action. */
int	message_read(const char *path, struct arena *, struct message_file *,
	    struct why *);
/* Cuts the next line off, without its LF or CRLF; false at the end. */
bool	message_line(struct slice *rest, struct slice *line);
void	message_free(struct message_file *);

#endif
