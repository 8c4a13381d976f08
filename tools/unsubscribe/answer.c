/*
 * answer - what a request gets.
 *
 * A 400 for a token is decided behind the same steps for all: the token reader
 * decrypts in any case (lib/token.c), and nothing of the request but its
 * language shows in the page.  The method and the body are looked at only when
 * the token is one of ours, so a stranger cannot ask one by the other.
 */
#include "tools/unsubscribe/answer.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "tools/unsubscribe/page.h"

enum { OK = 200, BAD = 400, NOT_ALLOWED = 405, TOO_LARGE = 413, LATER = 503 };

/* text - a plain answer of one line */
static enum answer_step
text(struct answer *a, unsigned status, const char *line)
{
	a->status = status;
	a->html = false;
	buf_str(&a->body, line);
	return ANSWER_NOW;
}

/* show - a page */
static void
show(struct shared *s, struct answer *a, unsigned status, enum page_kind kind,
    const struct token *t)
{
	struct page page = { .kind = kind, .language = a->language };

	a->status = status;
	a->html = true;
	if (t == NULL) {
		page_write(&a->body, &page);
		return;
	}
	page.address = t->recipient;
	pthread_rwlock_rdlock(&s->lock);
	page.tenant = labels_tenant(s->labels, t->tenant);
	if (t->list != 0)
		page.list = labels_list(s->labels, t->list);
	page_write(&a->body, &page);
	pthread_rwlock_unlock(&s->lock);
}

/* state - the page of a token as things stand; *left: is it unsubscribed? */
static int
state(struct shared *s, const struct token *t, enum page_kind *kind)
{
	static struct log_pace pace;
	struct why why;
	int64_t date = 0;
	int rc = consent_left(s->consent, t, &date, &why);

	if (rc == -1) {
		log_paced(&pace, LOG_LEVEL_WARN, "the store cannot be read: "
		    "%s", why.text);
		return -1;
	}
	*kind = rc == 0 ? PAGE_ASK :
	    clock_wall() - date < s->resubscribe ? PAGE_LEFT : PAGE_GONE;
	return 0;
}

/* read_token - what stands behind the last slash; 1, 0 */
static int
read_token(struct shared *s, struct slice path, struct arena *arena,
    struct token *t)
{
	size_t at = path.n;
	struct why why;
	int rc;

	while (at > 0 && path.p[at - 1] != '/')
		at--;
	pthread_rwlock_rdlock(&s->lock);
	rc = token_read(s->ring, slice_from(path, at), arena, t, &why);
	pthread_rwlock_unlock(&s->lock);
	return rc;
}

/* is_get - GET or HEAD: nothing may change */
static bool
is_get(const struct request *r)
{
	return strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;
}

/* of_post - a wish, or what is wrong with it */
static enum answer_step
of_post(struct shared *s, const struct request *r, const struct token *t,
    struct answer *a, struct wish *w)
{
	enum page_kind kind;

	if (r->too_large)
		return text(a, TOO_LARGE, "too large\n");
	switch (form_read(r->type, r->body)) {
	case FORM_UNSUBSCRIBE:
		consent_wish(w, t, false, "one-click");
		return ANSWER_WISH;
	case FORM_RESUBSCRIBE:
		if (state(s, t, &kind) == -1) {
			show(s, a, LATER, PAGE_LATER, NULL);
			return ANSWER_NOW;
		}
		/* offered for a while only; then a page says what holds */
		if (kind != PAGE_LEFT) {
			show(s, a, OK, kind, t);
			return ANSWER_NOW;
		}
		consent_wish(w, t, true, "page");
		return ANSWER_WISH;
	default:
		return text(a, BAD, "the body is not "
		    "List-Unsubscribe=One-Click (RFC 8058)\n");
	}
}

/* of_token - a request about a token that is ours */
static enum answer_step
of_token(struct shared *s, const struct request *r, const struct token *t,
    struct answer *a, struct wish *w)
{
	enum page_kind kind;

	if (strcmp(r->method, "POST") == 0)
		return of_post(s, r, t, a, w);
	if (!is_get(r)) {
		a->allow = true;
		return text(a, NOT_ALLOWED, "GET, HEAD or POST\n");
	}
	if (state(s, t, &kind) == -1)
		show(s, a, LATER, PAGE_LATER, NULL);
	else
		show(s, a, OK, kind, t);
	return ANSWER_NOW;
}

/* answer_begin - all but what has to wait for the disk */
enum answer_step
answer_begin(struct shared *s, const struct request *r, struct answer *a,
    struct wish *w)
{
	struct arena *arena = NULL;
	enum answer_step step = ANSWER_NOW;
	struct token t;
	int rc;

	a->language = page_language(r->language);
	if (is_get(r) && slice_is(r->path, "/health"))
		return consent_well(s->consent) ? text(a, OK, "ok\n") :
		    text(a, LATER, "unsubscribes cannot be stored\n");
	if (is_get(r) && slice_is(r->path, "/robots.txt"))
		return text(a, OK, "User-agent: *\nDisallow: /\n");
	if ((arena = arena_new(1024, 0)) == NULL) {
		show(s, a, LATER, PAGE_LATER, NULL);
		return ANSWER_NOW;
	}
	rc = read_token(s, r->path, arena, &t);
	if (rc == 1)
		step = of_token(s, r, &t, a, w);
	else if (rc == 0)
		show(s, a, BAD, PAGE_BAD, NULL);
	else
		show(s, a, LATER, PAGE_LATER, NULL);
	arena_free(arena);
	return step;
}

/* answer_done - a wish was written, or not */
void
answer_done(struct shared *s, struct answer *a, const struct wish *w)
{
	struct token t = { .tenant = w->tenant, .list = w->list,
	    .recipient = { w->address, w->naddress } };

	if (w->result != CONSENT_DONE)
		show(s, a, LATER, PAGE_LATER, NULL);
	else if (w->lift)
		show(s, a, OK, PAGE_BACK, &t);
	else
		show(s, a, OK, s->resubscribe > 0 ? PAGE_LEFT : PAGE_GONE,
		    &t);
}
