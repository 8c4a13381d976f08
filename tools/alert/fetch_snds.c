/*
 * fetch_snds - the calls of a refresh of SNDS, which is about all addresses of
 * the account.
 *
 *	GET /data.aspx?key=K&date=MMDDYY	of yesterday; when that is
 *						empty, up to three days back
 *	GET /ipStatus.aspx?key=K		which addresses are blocked
 *
 * The key stands in the URL, so no URL is ever in a sentence or a log.
 */
#include "tools/alert/fetch_in.h"

#include <stdlib.h>

#include "lib/date.h"

enum { DAYS_BACK = 3 };

/* get - one page; fetch: 1 it was read or is empty, 0 it failed */
static int
get(struct fetch_job *j, const char *page, int32_t day, bool *empty,
    struct why *why)
{
	struct fetch_answer answer = { .body = BUF_INIT };
	struct fetch_request r = { .url = NULL };
	struct buf url = BUF_INIT;
	int64_t year;
	int month, d, got;

	buf_printf(&url, "%s/%s?key=",
	    j->round->config->snapshot.microsoft_url, page);
	fetch_escape(&url, j->secret->key);
	if (day != 0) {
		date_of(day, &year, &month, &d);
		buf_printf(&url, "&date=%02d%02d%02d", month, d,
		    (int)(year % 100));
	}
	buf_char(&url, '\0');
	r.url = url.data;
	got = buf_failed(&url) ? why_kind(why, WHY_MEMORY, "no memory for a "
	    "call") : fetch_call(j, &r, &answer, why);
	if (got == 1 && answer.status != 200)
		got = fetch_refused(j, &answer, why);
	*empty = slice_trim(buf_slice(&answer.body)).n == 0;
	if (got == 1 && !*empty && snapshot_read(j->set,
	    buf_slice(&answer.body), why) == -1)
		got = -1;
	if (url.data != NULL)
		explicit_bzero(url.data, url.cap);
	buf_free(&url);
	buf_free(&answer.body);
	return got;
}

/* fetch_snds - figures, then who is blocked */
int
fetch_snds(struct fetch_job *j, struct why *why)
{
	bool empty = true;
	int got = 1;

	if (j->secret->key.n == 0)
		return fetch_failed(j, SNAPSHOT_NOT_AUTHORIZED, why, "the "
		    "credentials of microsoft have no key");
	for (int back = 0; back <= DAYS_BACK && empty && got == 1; back++)
		got = get(j, "data.aspx", j->end - back, &empty, why);
	if (got == 1)
		got = get(j, "ipStatus.aspx", 0, &empty, why);
	return got == -1 ? -1 : 0;
}
