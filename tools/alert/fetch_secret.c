/*
 * fetch_secret - see fetch_secret.h.
 */
#include "tools/alert/fetch_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reputation/jdoc.h"

enum { MOST = 16384 };

struct inner {
	char		 bytes[MOST];	/* the file */
	char		 texts[MOST];	/* what is of use in it */
	size_t		 n;
};

/* owned - is it for us alone? */
static int
owned(int fd, const char *path, struct why *why)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return why_errno(why, "%s", path);
	if (!S_ISREG(st.st_mode))
		return why_set(why, "%s is no regular file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return why_set(why, "%s belongs to another user (uid %u); "
		    "chown it to the one who asks", path,
		    (unsigned)st.st_uid);
	if ((st.st_mode & 077) != 0)
		return why_set(why, "%s may be read by others (mode %03o); "
		    "chmod 600 it", path, (unsigned)(st.st_mode & 0777));
	return 0;
}

/* text - a member, kept beside the others; absent: there is none */
static struct slice
text(struct inner *in, const struct jval *v, const char *name)
{
	struct slice s = jval_text(jval_get(v, name));
	char *at = in->texts + in->n;

	if (s.n == 0 || s.n >= sizeof(in->texts) - in->n)
		return SLICE_NONE;
	memcpy(at, s.p, s.n);
	in->n += s.n + 1;	/* a NUL stays behind it */
	return (struct slice){ at, s.n };
}

/* plain - no controls: it goes into headers and URLs */
static bool
plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return true;
}

/* read_json - what is in it */
static int
read_json(struct fetch_secret *s, struct slice bytes, const char *path,
    struct why *why)
{
	struct jdoc *doc = NULL;
	const struct jval *v;
	struct why inner;

	if (jdoc_next(&bytes, &doc, &inner) != 1)
		return why_set(why, "%s is no JSON object", path);
	v = jdoc_root(doc);
	s->key = text(s->inner, v, "key");
	s->client = text(s->inner, v, "client_id");
	s->secret = text(s->inner, v, "client_secret");
	s->refresh = text(s->inner, v, "refresh_token");
	jdoc_free(doc);
	if (s->key.n == 0 && (s->client.n == 0 || s->refresh.n == 0))
		return why_set(why, "%s has neither key nor client_id and "
		    "refresh_token", path);
	if (!plain(s->key) || !plain(s->client) || !plain(s->secret) ||
	    !plain(s->refresh))
		return why_set(why, "%s: a blank or a control byte in it",
		    path);
	return 0;
}

/* fetch_secret_load - at every use: it may have been renewed */
int
fetch_secret_load(struct fetch_secret **out, const char *path,
    struct why *why)
{
	struct fetch_secret *s = calloc(1, sizeof(*s));
	struct inner *in = calloc(1, sizeof(*in));
	ssize_t got = -1;
	int fd = -1, rc = -1;

	*out = NULL;
	if (s == NULL || in == NULL) {
		free(s);
		free(in);
		return why_kind(why, WHY_MEMORY, "no memory for credentials");
	}
	s->inner = in;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY |
	    O_NONBLOCK)) == -1)
		(void)why_errno(why, "%s", path);
	else if (owned(fd, path, why) == 0 && (got = read(fd, in->bytes,
	    sizeof(in->bytes))) == -1)
		(void)why_errno(why, "%s", path);
	if (got == (ssize_t)sizeof(in->bytes))
		(void)why_set(why, "%s is too long for credentials", path);
	else if (got >= 0)
		rc = read_json(s, (struct slice){ in->bytes, (size_t)got },
		    path, why);
	if (fd != -1)
		close(fd);
	explicit_bzero(in->bytes, sizeof(in->bytes));
	if (rc == 0)
		*out = s;
	else
		fetch_secret_free(s);
	return rc;
}

/* fetch_secret_free - wiped first */
void
fetch_secret_free(struct fetch_secret *s)
{
	if (s == NULL)
		return;
	explicit_bzero(s->inner, sizeof(struct inner));
	free(s->inner);
	free(s);
}
