/*
 * page - what a person sees behind the link: one question and one button, in
 * five languages, without a script, a picture or a request to anybody else.
 *
 * Works by keyboard, for screen readers, in light and dark, on small screens.
 * Names and addresses are text and cannot be markup; of the address only the
 * first letter and the domain are shown, for links are forwarded.
 * Threads: any after page_init.
 */
#ifndef TOOLS_UNSUBSCRIBE_PAGE_H
#define TOOLS_UNSUBSCRIBE_PAGE_H

#include "lib/buf.h"
#include "lib/slice.h"

enum page_kind {
	PAGE_ASK,			/* the button */
	PAGE_LEFT,			/* unsubscribed; offers the way back */
	PAGE_GONE,			/* unsubscribed, and some time ago */
	PAGE_BACK,			/* subscribed again */
	PAGE_BAD,			/* no link of ours */
	PAGE_LATER,			/* could not be stored */
	PAGE_KINDS
};

struct page {
	enum page_kind	kind;
	unsigned	language;	/* of page_language */
	struct slice	tenant, list;	/* absent: nobody is named */
	struct slice	address;	/* whole; shown in part */
};

#define PAGE_CSP	256		/* bytes of page_csp with its NUL */

void	page_init(void);
/* "en", "es", ...; NULL-ended. */
extern const char *const page_languages[];
/* Accept-Language (RFC 9110, section 12.5.4): the best of ours; en. */
unsigned page_language(struct slice accept);
/* Appends the document. */
void	page_write(struct buf *, const struct page *);
/* Content-Security-Policy that lets the page's own style pass, no more. */
const char *page_csp(void);

#endif
