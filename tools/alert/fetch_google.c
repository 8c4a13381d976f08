/*
 * fetch_google - the calls of a refresh about one domain.
 *
 *	POST token URL			grant_type=refresh_token; once a round
 *	POST /v2/domains/D/domainStats:query	all metrics of 30 days, 200
 *					entries a page, until no token comes
 *	GET  /v2/domains/D/complianceStatus	the verdicts
 *
 * 401 once means that the access token is over: another one is fetched and the
 * call made again.  Twice it is an answer.
 */
#include "tools/alert/fetch_in.h"

#include <inttypes.h>

#include "lib/date.h"
#include "reputation/jdoc.h"

enum { PAGE = 200, PAGES_MOST = 100 };

/* What is asked for; "auth_success_rate:spf" is written with a '_' there. */
static const struct { const char *name, *metric, *filter; } metrics[] = {
	{ "spam_rate", "SPAM_RATE", "" },
	{ "auth_success_rate:spf", "AUTH_SUCCESS_RATE",
	    "auth_type = \\\"spf\\\"" },
	{ "auth_success_rate:dkim", "AUTH_SUCCESS_RATE",
	    "auth_type = \\\"dkim\\\"" },
	{ "auth_success_rate:dmarc", "AUTH_SUCCESS_RATE",
	    "auth_type = \\\"dmarc\\\"" },
	{ "tls_encryption_rate:inbound", "TLS_ENCRYPTION_RATE",
	    "traffic_direction = \\\"inbound\\\"" },
	{ "tls_encryption_rate:outbound", "TLS_ENCRYPTION_RATE",
	    "traffic_direction = \\\"outbound\\\"" },
	{ "delivery_error_rate:reject", "DELIVERY_ERROR_RATE",
	    "error_type = \\\"reject\\\"" },
	{ "delivery_error_rate:temp_fail", "DELIVERY_ERROR_RATE",
	    "error_type = \\\"temp_fail\\\"" },
	{ "feedback_loop_id", "FEEDBACK_LOOP_ID", "" },
};
enum { NMETRICS = sizeof(metrics) / sizeof(metrics[0]) };

const char *const fetch_google_names[NMETRICS + 1] = { "spam_rate",
	"auth_success_rate:spf", "auth_success_rate:dkim",
	"auth_success_rate:dmarc", "tls_encryption_rate:inbound",
	"tls_encryption_rate:outbound", "delivery_error_rate:reject",
	"delivery_error_rate:temp_fail", "feedback_loop_id", NULL };

/* form - name=value of a body */
static void
form(struct buf *b, const char *name, struct slice value)
{
	if (b->len > 0)
		buf_char(b, '&');
	buf_printf(b, "%s=", name);
	fetch_escape(b, value);
}

/* keep - the access token of an answer; false: there is none */
static bool
keep(struct fetch_round *r, struct slice body)
{
	struct jdoc *doc = NULL;
	struct slice token;
	struct why why;
	bool fine = false;

	buf_reset(&r->token);
	if (jdoc_next(&body, &doc, &why) == 1) {
		token = jval_text(jval_get(jdoc_root(doc), "access_token"));
		fine = token.n > 0 && token.n < 8192;
		for (size_t i = 0; i < token.n && fine; i++)
			fine = (unsigned char)token.p[i] > ' ' &&
			    token.p[i] < 0x7f;
		if (fine) {
			buf_slices(&r->token, token);
			buf_char(&r->token, '\0');
		}
	}
	jdoc_free(doc);
	return fine && !buf_failed(&r->token);
}

/* authorize - fetch: 1 there is a token, 0 the job has failed */
static int
authorize(struct fetch_job *j, struct why *why)
{
	struct fetch_answer answer = { .body = BUF_INIT };
	struct buf body = BUF_INIT;
	struct fetch_request r = { .url = j->round->config->snapshot.
	    google_token_url, .type = "application/x-www-form-urlencoded" };
	int got;

	if (j->secret->refresh.n == 0)
		return fetch_failed(j, SNAPSHOT_NOT_AUTHORIZED, why, "the "
		    "credentials of google have no refresh_token");
	form(&body, "grant_type", SLICE("refresh_token"));
	form(&body, "client_id", j->secret->client);
	if (j->secret->secret.n > 0)
		form(&body, "client_secret", j->secret->secret);
	form(&body, "refresh_token", j->secret->refresh);
	if (buf_failed(&body))
		return why_kind(why, WHY_MEMORY, "no memory for a call");
	r.body = buf_slice(&body);
	got = fetch_call(j, &r, &answer, why);
	if (got == 1 && answer.status == 200 &&
	    !keep(j->round, buf_slice(&answer.body)))
		got = fetch_failed(j, SNAPSHOT_NOT_AUTHORIZED, why, "no access "
		    "token came for the refresh token");
	else if (got == 1 && (answer.status == 400 || answer.status == 401))
		got = fetch_failed(j, SNAPSHOT_NOT_AUTHORIZED, why, "HTTP "
		    "%ld: the refresh token is not taken (any more); make "
		    "another one", answer.status);
	else if (got == 1 && answer.status != 200)
		got = fetch_refused(j, &answer, why);
	if (answer.body.data != NULL)
		explicit_bzero(answer.body.data, answer.body.cap);
	if (body.data != NULL)
		explicit_bzero(body.data, body.cap);
	j->round->locked |= got == 0;
	buf_free(&answer.body);
	buf_free(&body);
	return got;
}

/* call - with a token, and another one when the first is over */
static int
call(struct fetch_job *j, struct fetch_request *r, struct fetch_answer *a,
    struct why *why)
{
	int got = 1;

	for (int i = 0; i < 2 && got == 1; i++) {
		if (j->round->token.len == 0)
			got = authorize(j, why);
		if (got != 1)
			break;
		r->bearer = j->round->token.data;
		got = fetch_call(j, r, a, why);
		if (got != 1 || a->status != 401)
			return got;
		buf_reset(&j->round->token);
	}
	return got;
}

/* day - {"year":...} */
static void
day(struct buf *b, const char *name, int32_t days)
{
	int64_t year;
	int month, d;

	date_of(days, &year, &month, &d);
	buf_printf(b, "\"%s\":{\"year\":%" PRId64 ",\"month\":%d,\"day\":%d}",
	    name, year, month, d);
}

/* question - the body of a query, of that page */
static void
question(const struct fetch_job *j, struct slice token, struct buf *b)
{
	buf_reset(b);
	buf_str(b, "{\"metricDefinitions\":[");
	for (size_t i = 0; i < NMETRICS; i++) {
		buf_printf(b, "%s{\"name\":\"", i > 0 ? "," : "");
		for (const char *p = metrics[i].name; *p != '\0'; p++)
			buf_char(b, *p == ':' ? '_' : *p);
		buf_printf(b, "\",\"baseMetric\":{\"standardMetric\":\"%s\"},"
		    "\"filter\":\"%s\"}", metrics[i].metric,
		    metrics[i].filter);
	}
	buf_str(b, "],\"timeQuery\":{\"dateRanges\":{\"dateRanges\":[{");
	day(b, "start", j->begin);
	buf_char(b, ',');
	day(b, "end", j->end);
	buf_printf(b, "}]}},\"aggregationGranularity\":\"DAILY\","
	    "\"pageSize\":%d", PAGE);
	if (token.n > 0) {
		buf_str(b, ",\"pageToken\":");
		buf_json(b, token);
	}
	buf_char(b, '}');
}

/* read_answer - a body into rows, or its status as one */
static int
read_answer(struct fetch_job *j, const struct fetch_answer *a,
    struct why *why)
{
	if (a->status != 200)
		return fetch_refused(j, a, why);
	return snapshot_read(j->set, buf_slice(&a->body), why) == -1 ? -1 : 1;
}

/* pages - of the query, to the last one; fetch: 0 it failed */
static int
pages(struct fetch_job *j, struct fetch_answer *a, struct buf *url,
    struct buf *body, struct why *why)
{
	struct fetch_request r = { .type = "application/json" };
	struct slice token = SLICE_NONE;
	int got = 1, n;

	buf_printf(url, "%s/v2/domains/%.*s/domainStats:query",
	    j->round->config->snapshot.google_url, SLICE_ARG(j->ask.subject));
	buf_char(url, '\0');
	for (n = 0; got == 1 && n < PAGES_MOST; n++) {
		question(j, token, body);
		if (buf_failed(url) || buf_failed(body))
			return why_kind(why, WHY_MEMORY, "no memory for a "
			    "call");
		r.url = url->data;
		r.body = buf_slice(body);
		if ((got = call(j, &r, a, why)) == 1)
			got = read_answer(j, a, why);
		if (got != 1)
			return got;
		token = snapshot_token(j->set);
		if (token.n == 0)
			return 1;
	}
	return fetch_failed(j, SNAPSHOT_API_ERROR, why, "more than %d pages "
	    "came, and no last one", PAGES_MOST);
}

/* fetch_google - figures, then verdicts */
int
fetch_google(struct fetch_job *j, struct why *why)
{
	struct fetch_answer answer = { .body = BUF_INIT };
	struct buf url = BUF_INIT, body = BUF_INIT;
	struct fetch_request r = { .type = NULL };
	int got = pages(j, &answer, &url, &body, why);

	if (got == 1) {
		buf_reset(&url);
		buf_printf(&url, "%s/v2/domains/%.*s/complianceStatus",
		    j->round->config->snapshot.google_url,
		    SLICE_ARG(j->ask.subject));
		buf_char(&url, '\0');
		r.url = url.data;
		got = buf_failed(&url) ? why_kind(why, WHY_MEMORY, "no memory "
		    "for a call") : call(j, &r, &answer, why);
		if (got == 1)
			got = read_answer(j, &answer, why);
	}
	buf_free(&answer.body);
	buf_free(&url);
	buf_free(&body);
	return got == -1 ? -1 : 0;
}
