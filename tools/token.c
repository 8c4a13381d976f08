/*
 * token - penstock token make, read, names and rotate: what a link says, and
 * the files that penstock-unsubscribe needs.
 *
 * A token names its tenant and stream by their ids only.  What they are called
 * is looked up in the policy; ids that it does not know (a tenant that is gone)
 * are shown in hex.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fold.h"
#include "lib/log.h"
#include "lib/text.h"
#include "lib/token.h"
#include "tools/names.h"
#include "tools/tool.h"

static const char make_usage[] =
    "penstock token make TENANT[/STREAM] ADDRESS\n"
    "  the token of that recipient's link: all mail of the tenant, or a stream";
static const char read_usage[] =
    "penstock token read [--json] TOKEN\n"
    "  TOKEN is a token or a URL that ends in one; exit status 1 when it is\n"
    "  none that our keys made";
static const char names_usage[] =
    "penstock token names [--write]\n"
    "  the names of tenants and streams for the page of penstock-unsubscribe,\n"
    "  to stdout or into the file that penstock.conf names";
static const char rotate_usage[] =
    "penstock token rotate\n"
    "  one key more in the file of token keys; the old ones verify as before";

/* ring - the keys of the configuration, or the reason why not */
static int
ring(const struct config *config, struct token_ring **out)
{
	struct why why;

	if (token_ring_load(out, config->token.keys, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s%s", why.text,
		    access(config->token.keys, F_OK) == -1 && errno == ENOENT ?
		    "; penstock token rotate makes the first key" : "");
	return TOOL_OK;
}

/* arena - of a command, or the end */
static struct arena *
arena(void)
{
	struct arena *made = arena_new(1 << 14, 0);

	if (made == NULL)
		log_fatal(TOOL_BROKEN, "out of memory");
	return made;
}

/* --- make --------------------------------------------------------------- */

/* make - the words of the command as a token */
static int
make(const struct token_ring *keys, struct slice whose, struct slice address,
    struct arena *a)
{
	struct folded folded;
	struct mailbox m;
	struct token t = { .list = 0 };
	struct slice text;
	const char *slash = memchr(whose.p, '/', whose.n);
	struct why why;

	if (slash != NULL && names_id(SUPPRESS_LIST, whose, &t.list,
	    &why) == -1)
		return tool_fail(TOOL_USAGE, "%s", why.text);
	if (names_id(SUPPRESS_TENANT, (struct slice){ whose.p, slash != NULL ?
	    (size_t)(slash - whose.p) : whose.n }, &t.tenant, &why) == -1)
		return tool_fail(TOOL_USAGE, "%s", why.text);
	if (fold_init(&why) == -1 ||
	    fold_text(address, a, &m, &folded, &why) == -1)
		return tool_fail(TOOL_USAGE, "%s", why.text);
	t.recipient = m.text;
	if (token_make(keys, &t, a, &text, &why) == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	puts(text.p);
	return TOOL_OK;
}

/* tool_token_make - penstock token make */
int
tool_token_make(const struct tool *tool, int argc, char **argv)
{
	struct token_ring *keys = NULL;
	struct config *config = NULL;
	struct arena *a;
	int status;

	if (tool_asks_help(argc, argv))
		return tool_help(make_usage);
	if (argc != 2 || argv[0][0] == '-')
		return tool_usage(make_usage);
	a = arena();
	if ((status = tool_config(tool, &config)) == TOOL_OK &&
	    (status = ring(config, &keys)) == TOOL_OK)
		status = make(keys, slice_of(argv[0]), slice_of(argv[1]), a);
	token_ring_free(keys);
	config_free(config);
	arena_free(a);
	return status;
}

/* --- read --------------------------------------------------------------- */

/* print_long - what a link says */
static void
print_long(const struct token *t, const struct names *names, bool json)
{
	char room[24], room2[24];
	const char *tenant = names_of(names, SUPPRESS_TENANT, t->tenant, room);
	const char *list = t->list == 0 ? "" :
	    names_of(names, SUPPRESS_LIST, t->list, room2);
	struct buf b = BUF_INIT;
	struct quoted q;

	if (json) {
		buf_printf(&b, "{\"genuine\":true,\"form\":\"long\","
		    "\"version\":%u,\"key\":%u,\"tenant\":", t->version,
		    t->key);
		buf_json(&b, slice_of(tenant));
		buf_str(&b, ",\"list\":");
		buf_json(&b, slice_of(list));
		buf_str(&b, ",\"recipient\":");
		buf_json(&b, t->recipient);
		buf_str(&b, "}\n");
		fwrite(b.data, 1, b.len, stdout);
		buf_free(&b);
		return;
	}
	printf("recipient  %s\ntenant     %s\nstream     %s\nkey        %u\n",
	    text_quote(t->recipient, &q), tenant,
	    t->list == 0 ? "all of the tenant" : list, t->key);
}

/* message_of - the event that the gate knows it by; fetch */
static int
message_of(const struct config *config, uint64_t id, struct event *e,
    struct arena *a, struct why *why)
{
	char *dir = xasprintf("%s/gate", config->store);
	struct store *store = NULL;
	uint64_t seq;
	int got = store_open_read(&store, dir, why);

	free(dir);
	if (got == 1)
		got = store_by_token(store, id, &seq, why);
	if (got == 1)
		got = store_event(store, seq, a, e, why);
	store_close(store);
	return got;
}

/* print_short - what a return path names */
static int
print_short(const struct config *config, const struct token_short *s,
    bool json, struct arena *a)
{
	struct quoted q;
	struct event e;
	struct why why;
	int got = message_of(config, s->id, &e, a, &why);

	if (got == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	if (json) {
		printf("{\"genuine\":true,\"form\":\"short\",\"key\":%u,"
		    "\"id\":\"%016" PRIx64 "\",\"event\":", s->key, s->id);
		if (got == 1)
			printf("%" PRIu64 "}\n", e.seq);
		else
			printf("null}\n");
		return TOOL_OK;
	}
	printf("short form, key %u, id %016" PRIx64 "\n", s->key, s->id);
	if (got == 0) {
		puts("message    the gate's store does not know it (any more)");
		return TOOL_OK;
	}
	printf("message    event %" PRIu64 ", queue id %.*s\ntenant     %s\n",
	    e.seq, SLICE_ARG(e.queue_id), text_quote(e.tenant, &q));
	for (size_t i = 0; i < e.nrecipients; i++)
		printf("recipient  %s\n", text_quote(e.recipients[i].address,
		    &q));
	return TOOL_OK;
}

/* read_token - long or short; exit status */
static int
read_token(const struct config *config, const struct token_ring *keys,
    struct slice text, const struct names *names, bool json, struct arena *a)
{
	struct token_short s;
	struct token t;
	struct why why;
	int got = token_read(keys, text, a, &t, &why);

	if (got == 1) {
		print_long(&t, names, json);
		return TOOL_OK;
	}
	if (got == 0 && memchr(text.p, '@', text.n) != NULL)
		text = token_in_path(text);
	if (got == 0 && (got = token_short_read(keys, text, &s, &why)) == 1)
		return print_short(config, &s, json, a);
	if (got == -1)
		return tool_fail(TOOL_BROKEN, "%s", why.text);
	if (json)
		puts("{\"genuine\":false}");
	else
		puts("none of ours: it was changed, cut, or made with a key "
		    "that is not in the file");
	return TOOL_NO;
}

/* tool_token_read - penstock token read */
int
tool_token_read(const struct tool *tool, int argc, char **argv)
{
	struct token_ring *keys = NULL;
	struct config *config = NULL;
	struct names *names = NULL;
	struct arena *a = NULL;
	const char *slash;
	bool json;
	int status;

	if (tool_asks_help(argc, argv))
		return tool_help(read_usage);
	json = argc == 2 && strcmp(argv[0], "--json") == 0;
	/* A token may begin with "-", so only what is too short for one and
	 * begins with "--" is an option. */
	if (argc != 1 + json || (strncmp(argv[json], "--", 2) == 0 &&
	    strlen(argv[json]) < TOKEN_SHORT))
		return tool_usage(read_usage);
	a = arena();
	slash = strrchr(argv[json], '/');
	if ((status = tool_config(tool, &config)) == TOOL_OK &&
	    (status = ring(config, &keys)) == TOOL_OK) {
		names = names_new(config);
		status = read_token(config, keys, slice_of(slash != NULL ?
		    slash + 1 : argv[json]), names, json, a);
	}
	names_free(names);
	token_ring_free(keys);
	config_free(config);
	arena_free(a);
	return status;
}

/* --- names -------------------------------------------------------------- */

/* names_text - the file as a whole; its lines are read by
 * tools/unsubscribe/page_names.c */
static void
names_text(const struct policy *p, struct buf *out)
{
	buf_str(out, "# Made by penstock token names; to be made anew "
	    "after a change of the policy.\n");
	for (size_t i = 0; i < p->ntenants; i++) {
		const struct tenant *t = p->tenants[i];

		buf_printf(out, "tenant %016" PRIx64 " %.*s\n", t->id,
		    SLICE_ARG(t->name));
		/* the last is "default", which says nothing to a reader */
		for (size_t k = 0; k + 1 < t->nstreams; k++)
			buf_printf(out, "list %016" PRIx64 " %.*s\n",
			    token_list(t->name, t->streams[k]->name),
			    SLICE_ARG(t->streams[k]->name));
	}
}

/* put_file - beside the path, then in its place; everybody may read it */
static int
put_file(const char *path, struct slice text)
{
	char *beside = xasprintf("%s.%ld", path, (long)getpid());
	int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	ssize_t put = fd == -1 ? -1 : write(fd, text.p, text.n);
	int status = TOOL_OK;

	if (put != (ssize_t)text.n || fchmod(fd, 0644) == -1 ||
	    fsync(fd) == -1 || rename(beside, path) == -1) {
		status = tool_fail(TOOL_BROKEN, "cannot write %s: %s", beside,
		    put != -1 && put != (ssize_t)text.n ? "no room" :
		    strerror(errno));
		if (fd != -1)
			unlink(beside);
	}
	if (fd != -1)
		close(fd);
	free(beside);
	return status;
}

/* tool_token_names - penstock token names */
int
tool_token_names(const struct tool *tool, int argc, char **argv)
{
	struct config *config = NULL;
	struct names *names = NULL;
	struct buf out = BUF_INIT;
	bool write_it;
	int status;

	if (tool_asks_help(argc, argv))
		return tool_help(names_usage);
	write_it = argc == 1 && strcmp(argv[0], "--write") == 0;
	if (argc != write_it)
		return tool_usage(names_usage);
	if ((status = tool_config(tool, &config)) == TOOL_OK) {
		names = names_new(config);
		if (names_policy(names) == NULL)
			status = TOOL_NO;
	}
	if (status == TOOL_OK) {
		names_text(names_policy(names), &out);
		if (buf_failed(&out))
			status = tool_fail(TOOL_BROKEN, "out of memory");
		else if (write_it)
			status = put_file(config->unsubscribe.names,
			    buf_slice(&out));
		else
			fwrite(out.data, 1, out.len, stdout);
	}
	buf_free(&out);
	names_free(names);
	config_free(config);
	return status;
}

/* tool_token_rotate - penstock token rotate */
int
tool_token_rotate(const struct tool *tool, int argc, char **argv)
{
	struct config *config = NULL;
	struct why why;
	uint8_t number;
	int status;

	if (tool_asks_help(argc, argv))
		return tool_help(rotate_usage);
	if (argc != 0)
		return tool_usage(rotate_usage);
	(void)argv;
	if ((status = tool_config(tool, &config)) == TOOL_OK) {
		if (token_ring_add(config->token.keys, &number, &why) == -1)
			status = tool_fail(TOOL_BROKEN, "%s", why.text);
		else
			printf("key %u is in %s and makes new tokens once the "
			    "gate has read its policy again: penstock "
			    "reload\n", number, config->token.keys);
	}
	config_free(config);
	return status;
}
