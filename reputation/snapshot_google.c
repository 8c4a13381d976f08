/*
 * snapshot_google - Google Postmaster Tools: answers of its API, as they came.
 *
 * Version 2: pages of {"domainStats": [...], "nextPageToken": ...} of one query
 * or of a batch ({"results": [{"response" | "error"}]}), and the verdicts of
 * complianceStatus.  Version 1, which answers no more, is read from archives:
 * TrafficStats, one or a list of them.
 *
 * Pages come oldest first, so a file that lacks the last one lacks the newest
 * days: as many pages without a token must come as queries were made, which
 * is counted, and what lacks one is said.
 *
 * A value that proto3 leaves out of version 1 is 0 or unknown, which nobody can
 * tell: no row.  In version 2 the value is in a oneof, so a zero is written.
 *
 * The metric of version 2 is a name that whoever asked made up; "name" of an
 * entry is opaque but for the domain that it begins with.  Names in use for one
 * figure become one.
 */
#include "reputation/snapshot_in.h"

#include <stdio.h>
#include <string.h>

#include "lib/date.h"

/* name_domain - "domains/acme.example/..." -> acme.example */
static bool
name_domain(struct slice name, char out[256])
{
	const char *slash;
	struct slice d;

	if (!slice_starts(name, SLICE("domains/")))
		return false;
	d = slice_from(name, 8);
	if ((slash = memchr(d.p, '/', d.n)) != NULL)
		d.n = (size_t)(slash - d.p);
	return snapshot_domain(d, out);
}

/* subject - whom an object is about: its name, or what was asked */
static bool
subject(struct snapshot_set *set, const struct jval *v, char out[256])
{
	return name_domain(jval_text(jval_get(v, "name")), out) ||
	    (set->ask.subject.n > 0 && snapshot_domain(set->ask.subject, out));
}

/* add - a row of a domain */
static struct snapshot_item *
add(struct snapshot_set *set, const char *domain, const char *metric)
{
	return snapshot_add(set, "domain", slice_of(domain),
	    slice_of(metric));
}

/* --- version 2 ------------------------------------------------------------ */

/* metric - one name for each figure, however it was asked for */
static void
metric(struct slice s, char *out, size_t room)
{
	static const struct { const char *from, *to; } same[] = {
		{ "spam", "spam_rate" }, { "spamrate", "spam_rate" },
		{ "user_reported_spam_rate", "spam_rate" },
		{ "fbl_spam_rate", "feedback_loop_spam_rate" },
		{ "fbl_id", "feedback_loop_id" } };
	static const char *const parts[] = { "auth_success_rate",
		"tls_encryption_rate", "delivery_error_rate" };
	const char *colon = s.n > 0 ? memchr(s.p, ':', s.n) : NULL;
	size_t n;

	if (colon != NULL) {		/* ours: "auth_success_rate:spf" */
		snapshot_name((struct slice){ s.p, (size_t)(colon - s.p) }, out,
		    room);
		n = strlen(out);
		(void)snprintf(out + n, room - n, ":%.*s", SLICE_ARG(
		    slice_from(s, (size_t)(colon + 1 - s.p))));
		return;
	}
	snapshot_name(s, out, room);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		n = strlen(parts[i]);
		if (strncmp(out, parts[i], n) == 0 && out[n] == '_')
			out[n] = ':';	/* as we write it in questions */
	}
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (strcmp(out, same[i].from) == 0)
			(void)snprintf(out, room, "%s", same[i].to);
}

/* is_share - what kind of figure is it? */
static bool
is_share(const char *name)
{
	return strstr(name, "rate") != NULL || strstr(name, "ratio") != NULL;
}

/* figure - a number, as the metric means it */
static void
figure(struct snapshot_set *set, struct snapshot_item *item, const char *name,
    double x)
{
	char text[40];

	if (is_share(name)) {
		snapshot_share(set, item, x);
		return;
	}
	(void)snprintf(text, sizeof(text), "%.12g", x);
	snapshot_value(set, item, slice_of(text), strstr(name, "count") !=
	    NULL ? "count" : "number");
}

/* listed - texts of a list, a blank between them */
static void
listed(struct snapshot_set *set, struct snapshot_item *item,
    const struct jval *list)
{
	buf_reset(&set->scratch);
	for (size_t i = 0; i < jval_count(list); i++) {
		if (i > 0)
			buf_char(&set->scratch, ' ');
		buf_slices(&set->scratch, jval_text(jval_at(list, i)));
	}
	if (buf_failed(&set->scratch))
		set->failed = true;
	snapshot_value(set, item, buf_slice(&set->scratch), "ids");
	if (set->scratch.len > SNAPSHOT_TEXT)
		snapshot_note(set, item, SLICE("there are more of them"));
}

/* value - one of five forms */
static void
value(struct snapshot_set *set, struct snapshot_item *item, const char *name,
    const struct jval *v)
{
	const struct jval *one, *list;
	int64_t whole;
	double x;

	if (jval_number(jval_get(v, "floatValue"), &x) ||
	    jval_number(jval_get(v, "doubleValue"), &x)) {
		figure(set, item, name, x);
	} else if ((one = jval_get(v, "intValue")) != NULL) {
		if (!jval_whole(one, &whole))
			snapshot_say(set, item, SNAPSHOT_API_ERROR,
			    "intValue is no whole number");
		else if (is_share(name))
			snapshot_share(set, item, (double)whole);
		else
			snapshot_count(set, item, whole);
	} else if ((one = jval_get(v, "stringValue")) != NULL &&
	    jval_kind(one) == JVAL_TEXT) {
		snapshot_value(set, item, jval_text(one), "text");
	} else if ((list = jval_get(v, "stringList")) != NULL) {
		listed(set, item, jval_get(list, "values"));
	} else if (v == NULL || jval_kind(v) == JVAL_NULL ||
	    (jval_kind(v) == JVAL_OBJECT && jval_get(v, "floatValue") == NULL &&
	    jval_get(v, "doubleValue") == NULL)) {
		snapshot_say(set, item, SNAPSHOT_NO_DATA, "no value came");
	} else {
		snapshot_say(set, item, SNAPSHOT_API_ERROR, "the value has no "
		    "form that is known");
	}
}

/* date - {"year", "month", "day"} */
static bool
date(const struct jval *v, int32_t *out)
{
	int64_t y, m, d;

	if (!jval_whole(jval_get(v, "year"), &y) ||
	    !jval_whole(jval_get(v, "month"), &m) ||
	    !jval_whole(jval_get(v, "day"), &d) || y < 2000 || y > 2200 ||
	    m < 1 || m > 12 || d < 1 || d > 31 ||
	    !date_exists(y, (int)m, (int)d))
		return false;
	*out = (int32_t)date_days(y, (int)m, (int)d);
	return true;
}

/* entry - one figure of one day, or of all that was asked for */
static void
entry(struct snapshot_set *set, const struct jval *v)
{
	const struct jval *when = jval_get(v, "date");
	struct snapshot_item *item;
	char domain[256], name[SNAPSHOT_METRIC * 2];
	int32_t day = 0;

	if (!subject(set, v, domain)) {
		snapshot_whole(set, SNAPSHOT_API_ERROR, "an entry names no "
		    "domain, and --subject says none");
		return;
	}
	metric(jval_text(jval_get(v, "metric")), name, sizeof(name));
	if (name[0] == '\0' || (when != NULL && !date(when, &day))) {
		snapshot_whole(set, SNAPSHOT_API_ERROR, "an entry about %s "
		    "has no %s", domain, name[0] == '\0' ? "metric" :
		    "date that there is");
		return;
	}
	item = add(set, domain, name);
	item->paged = true;
	if (when != NULL) {
		item->row.begin = item->row.end = day;
		item->daily = true;
	} else if (set->ask.begin != 0) {
		item->row.begin = set->ask.begin;
		item->row.end = set->ask.end;
	}
	value(set, item, name, jval_get(v, "value"));
}

/* page - of one query; a token says that another one follows */
static void
page(struct snapshot_set *set, const struct jval *v)
{
	const struct jval *stats = jval_get(v, "domainStats");
	struct slice token = jval_text(jval_get(v, "nextPageToken"));

	set->pages++;
	if (token.n > 0) {
		set->open++;
		set->token = arena_copy(set->arena, token);
		if (set->token.p == NULL)
			set->failed = true;
	}
	for (size_t i = 0; i < jval_count(stats) && !set->failed; i++)
		entry(set, jval_at(stats, i));
}

/* snapshot_google_end - did the last pages come?  A query is about one domain,
 * and rows are in the order of subjects */
void
snapshot_google_end(struct snapshot_set *set)
{
	struct slice last = SLICE_NONE;
	size_t domains = 0;

	for (size_t i = 0; i < set->n; i++) {
		if (!set->items[i].paged || (last.p != NULL &&
		    slice_eq(last, set->items[i].row.subject)))
			continue;
		last = set->items[i].row.subject;
		domains++;
	}
	if (set->open > 0 && set->pages - set->open < (domains > 0 ? domains :
	    1))
		snapshot_whole(set, SNAPSHOT_API_ERROR, "a last page is "
		    "missing, and with it the newest days: follow "
		    "nextPageToken to the end");
}

/* --- compliance ----------------------------------------------------------- */

/* verdict - COMPLIANT, NEEDS_WORK, or what we do not know */
static void
verdict(struct snapshot_set *set, const char *domain, struct slice what,
    const struct jval *status, struct slice reason)
{
	char name[80], metric_name[100];
	struct snapshot_item *item;
	struct slice word;

	if (jval_kind(status) == JVAL_OBJECT)
		status = jval_get(status, "status");
	word = jval_text(status);
	snapshot_name(what, name, sizeof(name));
	(void)snprintf(metric_name, sizeof(metric_name), "compliance:%s",
	    name);
	item = add(set, domain, metric_name);
	item->row.unit = SLICE("verdict");
	if (slice_is(word, "COMPLIANT") || slice_is(word, "NEEDS_WORK")) {
		snapshot_value(set, item, word, "verdict");
		snapshot_note(set, item, reason);
	} else if (word.n == 0 || slice_is(word, "STATE_UNSPECIFIED") ||
	    slice_is(word, "STATUS_UNSPECIFIED"))
		snapshot_say(set, item, SNAPSHOT_NO_DATA, "no verdict came");
	else
		snapshot_say(set, item, SNAPSHOT_API_ERROR, "a verdict that "
		    "is not known: %.*s", (int)(word.n < 60 ? word.n : 60),
		    word.p);
}

/* compliance_of - of the domain, or of one below it */
static void
compliance_of(struct snapshot_set *set, const struct jval *v,
    const char *fallback)
{
	static const char *const more[][2] = {
		{ "oneClickUnsubscribeVerdict", "one_click_unsubscribe" },
		{ "honorUnsubscribeVerdict", "honor_unsubscribe" } };
	const struct jval *rows = jval_get(v, "rowData"), *one;
	char domain[256];

	if (!snapshot_domain(jval_text(jval_get(v, "domainId")), domain))
		(void)snprintf(domain, sizeof(domain), "%s", fallback);
	for (size_t i = 0; i < jval_count(rows) && !set->failed; i++) {
		one = jval_at(rows, i);
		verdict(set, domain, jval_text(jval_get(one, "requirement")),
		    jval_get(one, "status"), SLICE_NONE);
	}
	for (size_t i = 0; i < 2; i++)
		if ((one = jval_get(v, more[i][0])) != NULL)
			verdict(set, domain, slice_of(more[i][1]),
			    jval_get(one, "status"),
			    jval_text(jval_get(one, "reason")));
}

/* compliance - both parts */
static void
compliance(struct snapshot_set *set, const struct jval *v)
{
	const struct jval *below = jval_get(v, "subdomainComplianceData");
	char domain[256] = "";

	if (!subject(set, v, domain) && !snapshot_domain(jval_text(jval_get(
	    jval_get(v, "complianceData"), "domainId")), domain)) {
		snapshot_whole(set, SNAPSHOT_API_ERROR, "a compliance status "
		    "names no domain, and --subject says none");
		return;
	}
	compliance_of(set, jval_get(v, "complianceData"), domain);
	if (below != NULL)
		compliance_of(set, below, domain);
}

/* --- version 1 ------------------------------------------------------------ */

struct traffic {
	struct snapshot_set *set;
	char		 domain[256];
	int32_t		 day;
};

/* traffic_row - a figure of that day */
static struct snapshot_item *
traffic_row(const struct traffic *t, const char *head, struct slice tail)
{
	char name[SNAPSHOT_METRIC * 2], last[SNAPSHOT_METRIC];
	struct snapshot_item *item;
	bool id = strncmp(head, "feedback", 8) == 0;
	bool fixed = !id && strncmp(head, "ip_", 3) != 0 &&
	    strncmp(head, "delivery", 8) != 0;

	snapshot_name(tail, last, sizeof(last));
	if (tail.n == 0)
		(void)snprintf(name, sizeof(name), "%s", head);
	else
		(void)snprintf(name, sizeof(name), "%s:%.*s", head,
		    id ? (int)(tail.n < 300 ? tail.n : 300) :
		    (int)strlen(last), id ? tail.p : last);
	item = add(t->set, t->domain, name);
	item->row.begin = item->row.end = t->day;
	item->daily = fixed;
	return item;
}

/* traffic_share - if it came, and is a number */
static void
traffic_share(const struct traffic *t, const char *head, struct slice tail,
    const struct jval *v)
{
	double x;

	if (jval_number(v, &x))
		snapshot_share(t->set, traffic_row(t, head, tail), x);
	else if (v != NULL)
		snapshot_say(t->set, traffic_row(t, head, tail),
		    SNAPSHOT_API_ERROR, "it is no number");
}

/* category - HIGH, MEDIUM, LOW, BAD */
static void
category(const struct traffic *t, const struct jval *v)
{
	struct slice word = jval_text(v);
	struct snapshot_item *item;

	if (v == NULL)
		return;
	item = traffic_row(t, "domain_reputation", SLICE_NONE);
	item->row.unit = SLICE("category");
	if (slice_is(word, "HIGH") || slice_is(word, "MEDIUM") ||
	    slice_is(word, "LOW") || slice_is(word, "BAD"))
		snapshot_value(t->set, item, word, "category");
	else if (slice_is(word, "REPUTATION_CATEGORY_UNSPECIFIED"))
		snapshot_say(t->set, item, SNAPSHOT_NO_DATA, "no category "
		    "came");
	else
		snapshot_say(t->set, item, SNAPSHOT_API_ERROR, "a category "
		    "that is not known: %.*s", (int)(word.n < 60 ? word.n :
		    60), word.p != NULL ? word.p : "");
}

/* errors - shares of refusals, by class and type */
static void
errors(const struct traffic *t, const struct jval *list)
{
	char tail[200];

	for (size_t i = 0; i < jval_count(list) && !t->set->failed; i++) {
		const struct jval *one = jval_at(list, i);

		(void)snprintf(tail, sizeof(tail), "%.60s %.60s",
		    jval_text(jval_get(one, "errorClass")).n > 0 ?
		    jval_text(jval_get(one, "errorClass")).p : "unknown",
		    jval_text(jval_get(one, "errorType")).n > 0 ?
		    jval_text(jval_get(one, "errorType")).p : "unknown");
		traffic_share(t, "delivery_error_rate", slice_of(tail),
		    jval_get(one, "errorRatio"));
	}
}

/* lists - what a day has several of */
static void
lists(const struct traffic *t, const struct jval *v)
{
	const struct jval *ips = jval_get(v, "ipReputations"), *one;
	const struct jval *loops = jval_get(v, "spammyFeedbackLoops");
	struct snapshot_item *item;
	int64_t count;

	for (size_t i = 0; i < jval_count(ips) && !t->set->failed; i++) {
		one = jval_at(ips, i);
		item = traffic_row(t, "ip_reputation",
		    jval_text(jval_get(one, "reputation")));
		if (jval_whole(jval_get(one, "ipCount"), &count))
			snapshot_count(t->set, item, count);
		else
			snapshot_say(t->set, item, SNAPSHOT_NO_DATA,
			    "no number came");
	}
	for (size_t i = 0; i < jval_count(loops) && !t->set->failed; i++) {
		one = jval_at(loops, i);
		traffic_share(t, "feedback_loop_spam_rate",
		    jval_text(jval_get(one, "id")),
		    jval_get(one, "spamRatio"));
	}
	errors(t, jval_get(v, "deliveryErrors"));
}

/* traffic - a day of version 1; its name ends in the day */
static void
traffic(struct snapshot_set *set, const struct jval *v)
{
	static const struct { const char *key, *head, *tail; } shares[] = {
		{ "userReportedSpamRatio", "user_reported_spam_ratio", "" },
		{ "spfSuccessRatio", "auth_success_rate", "spf" },
		{ "dkimSuccessRatio", "auth_success_rate", "dkim" },
		{ "dmarcSuccessRatio", "auth_success_rate", "dmarc" },
		{ "outboundEncryptionRatio", "tls_encryption_rate",
		    "outbound" },
		{ "inboundEncryptionRatio", "tls_encryption_rate",
		    "inbound" } };
	struct slice name = jval_text(jval_get(v, "name"));
	struct traffic t = { .set = set };

	if (!subject(set, v, t.domain) || name.n < 8 ||
	    !snapshot_day(slice_from(name, name.n - 8), &t.day)) {
		snapshot_whole(set, SNAPSHOT_API_ERROR, "TrafficStats without "
		    "a name of a domain and a day");
		return;
	}
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		traffic_share(&t, shares[i].head, slice_of(shares[i].tail),
		    jval_get(v, shares[i].key));
	category(&t, jval_get(v, "domainReputation"));
	lists(&t, v);
}

/* --- documents ------------------------------------------------------------ */

/* error - what Google says instead */
static void
error(struct snapshot_set *set, const struct jval *v)
{
	struct slice status = jval_text(jval_get(v, "status"));
	struct slice message = jval_text(jval_get(v, "message"));
	int64_t code = 0;
	bool denied;

	(void)jval_whole(jval_get(v, "code"), &code);
	denied = code == 401 || code == 403 || code == 7 || code == 16 ||
	    slice_is(status, "PERMISSION_DENIED") ||
	    slice_is(status, "UNAUTHENTICATED") ||
	    slice_is(jval_text(v), "invalid_grant");
	snapshot_whole(set, denied ? SNAPSHOT_NOT_AUTHORIZED :
	    SNAPSHOT_API_ERROR, "Google says: %lld %.*s %.*s",
	    (long long)code, (int)(status.n < 60 ? status.n : 60),
	    status.p != NULL ? status.p : "", (int)(message.n < 300 ?
	    message.n : 300), message.p != NULL ? message.p : "");
}

static void document(struct snapshot_set *, const struct jval *);

/* batch - answers in the order of the questions */
static void
batch(struct snapshot_set *set, const struct jval *list)
{
	for (size_t i = 0; i < jval_count(list) && !set->failed; i++) {
		const struct jval *one = jval_at(list, i);

		if (jval_get(one, "error") != NULL)
			error(set, jval_get(one, "error"));
		else
			document(set, jval_get(one, "response"));
	}
}

/* object - which of them is it? */
static void
object(struct snapshot_set *set, const struct jval *v)
{
	void *at = NULL;
	const struct jval *first;
	struct slice key;
	bool empty = !jval_each(v, &at, &key, &first);
	const struct jval *days = jval_get(v, "trafficStats");

	if (jval_get(v, "error") != NULL) {
		error(set, jval_get(v, "error"));
	} else if (empty || jval_get(v, "domainStats") != NULL ||
	    (jval_get(v, "nextPageToken") != NULL && days == NULL)) {
		page(set, v);
	} else if (jval_kind(jval_get(v, "results")) == JVAL_LIST) {
		batch(set, jval_get(v, "results"));
	} else if (jval_get(v, "complianceData") != NULL ||
	    jval_get(v, "subdomainComplianceData") != NULL) {
		compliance(set, v);
	} else if (jval_kind(days) == JVAL_LIST) {
		page(set, v);
		for (size_t i = 0; i < jval_count(days) && !set->failed; i++)
			traffic(set, jval_at(days, i));
	} else if (jval_get(v, "name") != NULL) {
		traffic(set, v);
	} else {
		snapshot_whole(set, SNAPSHOT_API_ERROR, "JSON, but no answer "
		    "of Postmaster Tools that is known");
	}
}

/* document - an object, or a list of them */
static void
document(struct snapshot_set *set, const struct jval *v)
{
	if (jval_kind(v) == JVAL_OBJECT) {
		object(set, v);
		return;
	}
	if (jval_kind(v) != JVAL_LIST)
		snapshot_whole(set, SNAPSHOT_API_ERROR, "JSON, but no answer "
		    "of Postmaster Tools that is known");
	for (size_t i = 0; i < jval_count(v) && !set->failed; i++)
		if (jval_kind(jval_at(v, i)) == JVAL_OBJECT)
			object(set, jval_at(v, i));
		else
			snapshot_whole(set, SNAPSHOT_API_ERROR, "a list of "
			    "something else than answers");
}

/* snapshot_google - documents, one behind the other */
void
snapshot_google(struct snapshot_set *set, struct slice bytes)
{
	struct jdoc *doc = NULL;
	struct why why;
	int got;

	while ((got = jdoc_next(&bytes, &doc, &why)) == 1) {
		document(set, jdoc_root(doc));
		jdoc_free(doc);
	}
	if (got == -1 && why.kind == WHY_MEMORY)
		set->failed = true;
	else if (got == -1)
		snapshot_whole(set, SNAPSHOT_API_ERROR, "no JSON, or half of "
		    "it: %s", why.text);
}
