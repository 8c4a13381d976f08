/*
 * fetch_http - see fetch_http.h.
 *
 * A handle is made for each call: there are a few hundred in a month, and a
 * connection that is kept would be one to explain.  A body that ends before its
 * length says so is an error of libcurl and never an answer.
 */
#include "tools/alert/fetch_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "lib/clock.h"
#include "lib/scan.h"
#include "lib/version.h"
#include "reputation/snapshot.h"

enum { WAIT_MOST = 400 * 86400 };	/* s: a year, and a bit */

struct fetch_http {
	int64_t		 timeout;
	char		*certificates;
	const atomic_bool *stop;
};

/* A call under way. */
struct call {
	struct fetch_http *http;
	struct fetch_answer *answer;
	int64_t		 now;
	bool		 large;
};

/* fetch_http_init - libcurl wants it before threads */
int
fetch_http_init(struct why *why)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return why_set(why, "libcurl cannot be used on this machine");
	return 0;
}

/* fetch_http_new - what all calls have in common */
int
fetch_http_new(struct fetch_http **out, int64_t timeout,
    const char *certificates, const atomic_bool *stop, struct why *why)
{
	struct fetch_http *http = calloc(1, sizeof(*http));

	*out = NULL;
	if (http == NULL || (http->certificates = strdup(certificates)) ==
	    NULL) {
		free(http);
		return why_kind(why, WHY_MEMORY, "no memory for calls");
	}
	http->timeout = timeout;
	http->stop = stop;
	*out = http;
	return 0;
}

/* fetch_http_free - NULL is allowed */
void
fetch_http_free(struct fetch_http *http)
{
	if (http == NULL)
		return;
	free(http->certificates);
	free(http);
}

/* take - a piece of the body; less than all of it ends the call */
static size_t
take(char *p, size_t size, size_t n, void *with)
{
	struct call *call = with;
	struct buf *body = &call->answer->body;

	n *= size;
	if (n > SNAPSHOT_BYTES - body->len) {
		call->large = true;
		return 0;
	}
	buf_add(body, p, n);
	return buf_failed(body) ? 0 : n;
}

/* header - Retry-After alone is of use: seconds, or a date */
static size_t
header(char *p, size_t size, size_t n, void *with)
{
	static const char name[] = "Retry-After:";
	struct call *call = with;
	struct slice s = { p, n * size }, value;
	struct why why;
	int64_t seconds;
	char room[64];

	if (s.n <= sizeof(name) - 1 || strncasecmp(p, name, sizeof(name) - 1) !=
	    0)
		return n * size;
	value = slice_trim(slice_from(s, sizeof(name) - 1));
	if (scan_count(value, 0, WAIT_MOST, &seconds, &why) == 0) {
		call->answer->wait = seconds * CLOCK_SECOND;
	} else if (value.n < sizeof(room)) {
		(void)snprintf(room, sizeof(room), "%.*s", SLICE_ARG(value));
		seconds = (int64_t)curl_getdate(room, NULL) -
		    call->now / CLOCK_SECOND;
		if (seconds > 0)
			call->answer->wait = (seconds < WAIT_MOST ? seconds :
			    WAIT_MOST) * CLOCK_SECOND;
	}
	return n * size;
}

/* stopping - asked by libcurl several times a second */
static int
stopping(void *with, curl_off_t dt, curl_off_t dn, curl_off_t ut,
    curl_off_t un)
{
	const struct call *call = with;

	(void)dt, (void)dn, (void)ut, (void)un;
	return call->http->stop != NULL && atomic_load(call->http->stop);
}

/* common - what holds for each call; false: libcurl is another one */
static bool
common(CURL *c, const struct fetch_http *http, struct call *call)
{
	long ms = (long)(http->timeout / 1000);
	CURLcode bad = CURLE_OK;

#define SET(option, value) \
	(bad = bad != CURLE_OK ? bad : curl_easy_setopt(c, option, value))
	SET(CURLOPT_PROTOCOLS_STR, "https,http");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_PROXY, "");			/* nor one of $https_proxy */
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_TIMEOUT_MS, ms);
	SET(CURLOPT_CONNECTTIMEOUT_MS, ms);
	/* else its end waits for a name server that does not answer */
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_USERAGENT, "penstock/" PENSTOCK_VERSION);
	SET(CURLOPT_WRITEFUNCTION, take);
	SET(CURLOPT_WRITEDATA, call);
	SET(CURLOPT_HEADERFUNCTION, header);
	SET(CURLOPT_HEADERDATA, call);
	SET(CURLOPT_XFERINFOFUNCTION, stopping);
	SET(CURLOPT_XFERINFODATA, call);
	SET(CURLOPT_NOPROGRESS, 0L);
	if (http->certificates[0] != '\0') {
		SET(CURLOPT_CAINFO, http->certificates);
		SET(CURLOPT_CAPATH, NULL);
	}
	return bad == CURLE_OK;
}

/* asked - the request itself */
static bool
asked(CURL *c, const struct fetch_request *r, struct curl_slist **headers)
{
	struct buf line = BUF_INIT;
	struct curl_slist *more;
	CURLcode bad = CURLE_OK;

	SET(CURLOPT_URL, r->url);
	if (r->body.p != NULL) {
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
		SET(CURLOPT_COPYPOSTFIELDS, r->body.p);
		buf_printf(&line, "Content-Type: %s", r->type);
		buf_char(&line, '\0');
		*headers = curl_slist_append(*headers, line.data);
		/* no "Expect: 100-continue" */
		if (*headers != NULL && (more = curl_slist_append(*headers,
		    "Expect:")) != NULL)
			*headers = more;
	}
	if (r->bearer != NULL) {
		buf_reset(&line);
		buf_printf(&line, "Authorization: Bearer %s", r->bearer);
		buf_char(&line, '\0');
		more = buf_failed(&line) ? NULL : curl_slist_append(*headers,
		    line.data);
		if (more == NULL)
			bad = CURLE_OUT_OF_MEMORY;
		else
			*headers = more;
	}
	if (line.data != NULL)
		explicit_bzero(line.data, line.cap);
	buf_free(&line);
	SET(CURLOPT_HTTPHEADER, *headers);
#undef SET
	return bad == CURLE_OK;
}

/* fetch_http - one call, whole or not at all */
int
fetch_http(struct fetch_http *http, const struct fetch_request *r,
    int64_t now, struct fetch_answer *answer, struct why *why)
{
	struct call call = { .http = http, .answer = answer, .now = now };
	struct curl_slist *headers = NULL;
	CURLcode code = CURLE_FAILED_INIT;
	CURL *c = curl_easy_init();

	buf_reset(&answer->body);
	answer->status = 0;
	answer->wait = 0;
	if (c != NULL && common(c, http, &call) && asked(c, r, &headers) &&
	    (code = curl_easy_perform(c)) == CURLE_OK)
		code = curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE,
		    &answer->status);
	curl_slist_free_all(headers);
	curl_easy_cleanup(c);
	if (code == CURLE_OK)
		return 0;
	if (call.large)
		return why_set(why, "the answer has more than %u bytes",
		    SNAPSHOT_BYTES);
	return why_set(why, "no answer: %s", curl_easy_strerror(code));
}

/* fetch_escape - RFC 3986's unreserved stay as they are */
void
fetch_escape(struct buf *b, struct slice s)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\0' && strchr(plain, s.p[i]) != NULL)
			buf_char(b, s.p[i]);
		else
			buf_printf(b, "%%%02X", (unsigned char)s.p[i]);
}
