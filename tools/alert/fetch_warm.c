/*
 * fetch_warm - has a warmup of ours come to its end?
 */
#include "tools/alert/fetch_in.h"

#include <stdlib.h>

#include "lib/mem.h"
#include "lib/store.h"
#include "policy/progress.h"

/* fetch_warm - as the gate has it; one that cannot be read is no answer */
bool
fetch_warm(struct fetch_round *r)
{
	char *dir = xasprintf("%s/gate", r->config->store);
	struct progress *p = NULL;
	struct store *store = NULL;
	const struct warm_row *rows;
	struct why why;
	bool warm = false;
	size_t n;

	if (store_open_read(&store, dir, &why) == 1 &&
	    progress_restore(store, &p, &why) == 0) {
		n = progress_rows(p, &rows);
		for (size_t i = 0; i < n && !warm; i++)
			warm = rows[i].warmed != 0;
	}
	progress_drop(p);
	store_close(store);
	free(dir);
	return warm;
}
