/*
 * events - a gate's store with an event for every message of a log that was
 * made up, so that the ingester has something to join.
 *
 *	events FOLDER MAP-SIZE < table
 *
 * One message per line, by tabs: us since 1970, queue id, login, sender,
 * Message-ID, recipients with blanks between them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/event.h"
#include "lib/provider.h"
#include "lib/store.h"

enum { BATCH = 2000, FIELDS = 6, RCPTS = 16 };

/* stop - with the reason */
static void
stop(const char *what)
{
	fprintf(stderr, "events: %s\n", what);
	exit(1);
}

/* recipients - of the last field; how many */
static size_t
recipients(char *text, struct event_recipient *list)
{
	char *save = NULL, *at;
	size_t n = 0;

	for (char *p = strtok_r(text, " ", &save); p != NULL && n < RCPTS;
	    p = strtok_r(NULL, " ", &save)) {
		list[n] = (struct event_recipient){ .address = slice_of(p),
			.verdict = VERDICT_PASS };
		if ((at = strchr(p, '@')) != NULL)
			list[n].domain = slice_of(at + 1);
		list[n].provider = slice_of(provider_name(
		    provider_of(list[n].domain)));
		n++;
	}
	return n;
}

/* one - line of the table, appended */
static void
one(struct store *store, char *line, struct buf *b)
{
	struct event_recipient list[RCPTS];
	char *field[FIELDS], *save = NULL;
	struct event e = { .kind = EVENT_ACCEPT, .count = 1, .size = 4321,
		.tenant = SLICE("t"), .stream = SLICE("other"),
		.recipients = list };
	struct why why;

	for (int i = 0; i < FIELDS; i++)
		if ((field[i] = strtok_r(i == 0 ? line : NULL, "\t\n",
		    &save)) == NULL)
			stop("a line with less than six fields");
	e.time = strtoll(field[0], NULL, 10);
	e.queue_id = slice_of(field[1]);
	e.login = slice_of(field[2]);
	e.mail_from = slice_of(field[3]);
	e.message_id = slice_of(field[4]);
	e.nrecipients = recipients(field[5], list);
	buf_reset(b);
	event_encode(&e, b);
	if (buf_failed(b) || store_append(store, buf_slice(b), e.time,
	    e.queue_id, &e.seq, &why) == -1)
		stop("cannot append");
}

int
main(int argc, char **argv)
{
	struct store *store;
	struct buf b = BUF_INIT;
	char *line = NULL;
	size_t room = 0, n = 0;
	struct why why;

	if (argc != 3)
		stop("usage: events FOLDER MAP-SIZE < table");
	if (provider_init(&why) == -1 || store_open(&store, argv[1],
	    strtoull(argv[2], NULL, 10), &why) == -1)
		stop(why.text);
	while (getline(&line, &room, stdin) > 0) {
		if (n % BATCH == 0 && ((n > 0 && store_commit(store,
		    &why) == -1) || store_begin(store, &why) == -1))
			stop(why.text);
		one(store, line, &b);
		n++;
	}
	if (n > 0 && store_commit(store, &why) == -1)
		stop(why.text);
	store_close(store);
	buf_free(&b);
	free(line);
	printf("%zu\n", n);
	return 0;
}
