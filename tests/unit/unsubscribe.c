/*
 * unsubscribe - the parts of penstock-unsubscribe without a socket: bodies,
 * languages, names, subjects, and the store that answers many wishes at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "tools/unsubscribe/consent.h"
#include "tools/unsubscribe/form.h"
#include "tools/unsubscribe/labels.h"
#include "tools/unsubscribe/letter.h"
#include "tools/unsubscribe/page.h"

static char dir[] = "/tmp/penstock-unsubscribe-XXXXXX";
#define M "multipart/form-data; boundary=b"
#define PART "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n"

static const struct {
	const char	*name, *type, *body;
	enum form_wish	 want;
} forms[] = {
	{ "what Gmail sends", "application/x-www-form-urlencoded", "List-Unsubscribe=One-Click", FORM_UNSUBSCRIBE },
	{ "a charset behind the type", "Application/X-WWW-Form-Urlencoded; charset=utf-8", "List-Unsubscribe=One-Click", FORM_UNSUBSCRIBE },
	{ "no type", NULL, "List-Unsubscribe=One-Click", FORM_UNSUBSCRIBE },
	{ "a line end behind it", NULL, "List-Unsubscribe=One-Click\r\n", FORM_UNSUBSCRIBE },
	{ "percent-encoded", NULL, "List%2DUnsubscribe=One%2dClick", FORM_UNSUBSCRIBE },
	{ "other pairs beside it", NULL, "a=b&List-Unsubscribe=One-Click&&c", FORM_UNSUBSCRIBE },
	{ "the way back", NULL, "resubscribe=yes", FORM_RESUBSCRIBE },
	{ "both", NULL, "resubscribe=yes&List-Unsubscribe=One-Click", FORM_NONE },
	{ "both, and one again", NULL, "List-Unsubscribe=One-Click&resubscribe=yes&resubscribe=yes", FORM_NONE },
	{ "nothing", NULL, "", FORM_NONE },
	{ "another case", NULL, "list-unsubscribe=one-click", FORM_NONE },
	{ "a name without a value", NULL, "List-Unsubscribe", FORM_NONE },
	{ "half a percent", NULL, "List-Unsubscribe=One-Click%2", FORM_NONE },
	{ "text", "text/plain", "List-Unsubscribe=One-Click", FORM_NONE },
	{ "JSON", "application/json", "{\"List-Unsubscribe\":\"One-Click\"}", FORM_NONE },
	{ "multipart", M, PART, FORM_UNSUBSCRIBE },
	{ "a quoted boundary", "multipart/form-data; charset=x; boundary=\"b\"", PART, FORM_UNSUBSCRIBE },
	{ "bare line ends", M, "--b\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\n\nOne-Click\n--b--\n", FORM_UNSUBSCRIBE },
	{ "a preamble and an unquoted name", M, "hello\r\n--b\r\ncontent-disposition:form-data;name=List-Unsubscribe\r\nContent-Type: text/plain\r\n\r\nOne-Click\r\n--b--\r\nbye", FORM_UNSUBSCRIBE },
	{ "another part first", M, "--b\r\nContent-Disposition: form-data; name=x\r\n\r\ny\r\n" PART, FORM_UNSUBSCRIBE },
	{ "no boundary", "multipart/form-data", PART, FORM_NONE },
	{ "another boundary", "multipart/form-data; boundary=c", PART, FORM_NONE },
	{ "a part without a name", M, "--b\r\n\r\nOne-Click\r\n--b--\r\n", FORM_NONE },
	{ "a value of two lines", M, "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\nnot\r\n--b--\r\n", FORM_NONE },
};

static void
bodies_ask_for_what_they_say(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		enum form_wish got = form_read(slice_of(forms[i].type),
		    slice_of(forms[i].body));

		if (got == forms[i].want)
			continue;
		print_error("%s: got %d, want %d\n", forms[i].name, got,
		    forms[i].want);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void
a_body_cut_anywhere_asks_for_nothing(void **state)
{
	/* multipart is whole when its value's line is followed by a boundary;
	 * the boundary's own end may be missing */
	static const char *const whole[] = { "List-Unsubscribe=One-Click",
		PART };
	static const char *const types[] = { "", M };
	static const size_t enough[] = { 26, sizeof(PART) - 1 - 9 };

	(void)state;
	for (int k = 0; k < 2; k++) {
		for (size_t n = 0; n < enough[k]; n++) {
			char *cut = malloc(n + 1);

			assert_non_null(cut);
			memcpy(cut, whole[k], n);
			if (form_read(slice_of(types[k]), (struct slice){ cut,
			    n }) != FORM_NONE)
				fail_msg("%s cut at %zu", types[k], n);
			free(cut);
		}
	}
}

static void
a_body_over_the_bound_asks_for_nothing(void **state)
{
	char body[FORM_MAX + 1];

	(void)state;
	memset(body, '&', sizeof(body));
	memcpy(body, "List-Unsubscribe=One-Click", 26);
	assert_int_equal(form_read(SLICE(""), (struct slice){ body,
	    FORM_MAX }), FORM_UNSUBSCRIBE);
	assert_int_equal(form_read(SLICE(""), (struct slice){ body,
	    FORM_MAX + 1 }), FORM_NONE);
}

static const struct { const char *said, *want; } languages[] = {
	{ "", "en" }, { "de", "de" }, { "DE-at", "de" }, { "*", "en" },
	{ "fr;q=0.2,pt;q=0.8,es;q=0.79", "pt" }, { "es , fr", "es" },
	{ "nl,zh-CN;q=0.9,fr;q=0.001", "fr" }, { "de;q=0", "en" },
	{ "deu", "en" }, { "de;q=2", "en" }, { "de;q=1.0", "de" },
	{ "de;x=y", "en" }, { ",,;;q=,de", "de" }, { "en;q=0.1,de;q=0.1", "en" },
};

static void
the_best_language_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
		assert_string_equal(page_languages[page_language(slice_of(
		    languages[i].said))], languages[i].want);
}

static void
every_page_is_whole_in_every_language(void **state)
{
	struct page p = { .tenant = SLICE("<b>&\"'"), .list = SLICE("</main>"),
	    .address = SLICE("\xc3\xa4nn@example.org") };
	struct buf b = BUF_INIT;

	(void)state;
	page_init();
	for (p.language = 0; p.language < 5; p.language++) {
		for (int kind = 0; kind < PAGE_KINDS; kind++) {
			p.kind = (enum page_kind)kind;
			buf_reset(&b);
			page_write(&b, &p);
			buf_char(&b, '\0');
			assert_false(buf_failed(&b));
			assert_null(strstr(b.data, "<b>"));
			assert_null(strstr(b.data, "(null)"));
			assert_null(strchr(strstr(b.data, "<main>"), '%'));
			assert_non_null(strstr(b.data, "</html>"));
			assert_null(strstr(strstr(b.data, "</main>") + 1,
			    "</main>"));
			assert_null(strstr(b.data, "\xc3\xa4nn"));
			if (kind == PAGE_ASK || kind == PAGE_BACK)
				assert_non_null(strstr(b.data,
				    "&lt;b&gt;&amp;&quot;&#39;"));
		}
	}
	buf_free(&b);
}

static void
names_are_read_line_by_line(void **state)
{
	static const char text[] = "# comment\n"
	    "tenant 00000000000000ff Acme & Sons \r\n"
	    "list\t00000000000000ff\tSpring news\n"
	    "tenant ff short\ntenant 00000000000000FF capitals\n"
	    "group 0000000000000001 x\ntenant 0000000000000002\n"
	    "tenant 0000000000000003 bad \xff utf\n"
	    "tenant 0000000000000004 bell \a\n"
	    "list 0000000000000005 last";
	struct labels *labels;
	struct why why;
	char path[64];
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/names", dir);
	assert_int_equal(labels_load(&labels, path, &why), 0);
	assert_null(labels);
	assert_null(labels_tenant(NULL, 255).p);
	assert_non_null(f = fopen(path, "w"));
	fputs(text, f);
	fclose(f);
	assert_int_equal(labels_load(&labels, path, &why), 1);
	assert_true(slice_is(labels_tenant(labels, 255), "Acme & Sons"));
	assert_true(slice_is(labels_list(labels, 255), "Spring news"));
	assert_true(slice_is(labels_list(labels, 5), "last"));
	for (uint64_t id = 1; id < 5; id++)
		assert_null(labels_tenant(labels, id).p);
	labels_free(labels);
	labels_free(NULL);
	unlink(path);
}

static const struct { const char *mail, *want; } subjects[] = {
	{ "Subject: plain\r\n\r\n", " plain" },
	{ "From: a\nSUBJECT:x\n\nSubject: y\n", "x" },
	{ "X: a\n Subject: no\nSubject: yes\n", " yes" },
	{ "Subject: two\r\n\t lines\r\nX: y\r\n", " two\t lines" },
	{ "Subject: =?utf-8?Q?a=5Fb_c?=\n", " a_b c" },
	{ "Subject: =?utf-8?B?aGVsbG8=?=\n", " hello" },
	{ "Subject: =?u?q?a?= =?u?B?Yg==?= c =?u?q?d?=\n", " ab c d" },
	{ "Subject: =?u?q?a?=\r\n =?u?q?b?=\r\n", " ab" },
	{ "Subject: =?u?X?a?= =?u?q?open\n", " =?u?X?a?= =?u?q?open" },
	{ "Subject: =?u?B?###?=x\n", " x" },
	{ "Subject: =?u?q?=4\n", " =?u?q?=4" },
	{ "\nSubject: in the body\n", "" }, { "", "" }, { "Subject", "" },
	{ "Subject:", "" },
};

static void
subjects_are_unfolded_and_decoded(void **state)
{
	char out[LETTER_SUBJECT];
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		const char *want = subjects[i].want;
		size_t n = letter_subject(slice_of(subjects[i].mail), out);

		if (n == strlen(want) && memcmp(out, want, n) == 0)
			continue;
		print_error("%s: got \"%.*s\", want \"%s\"\n",
		    subjects[i].mail, (int)n, out, want);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* --- the store ------------------------------------------------------------ */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t some = PTHREAD_COND_INITIALIZER;
static unsigned answered;

/* done - count it */
static void
done(struct wish *w)
{
	(void)w;
	pthread_mutex_lock(&lock);
	answered++;
	pthread_cond_signal(&some);
	pthread_mutex_unlock(&lock);
}

/* put_all - n wishes, and wait for all of them */
static void
put_all(struct consent *c, struct wish *w, unsigned n)
{
	answered = 0;
	for (unsigned i = 0; i < n; i++) {
		w[i].done = done;
		consent_put(c, &w[i]);
	}
	pthread_mutex_lock(&lock);
	while (answered < n)
		pthread_cond_wait(&some, &lock);
	pthread_mutex_unlock(&lock);
}

/* open_it - the store in our folder */
static struct consent *
open_it(uint64_t map)
{
	struct consent *c;
	struct why why;
	char path[64];

	snprintf(path, sizeof(path), "%s/consent", dir);
	if (consent_open(&c, path, map, &why) == -1)
		fail_msg("%s", why.text);
	return c;
}

/* wipe - and the folder of the store */
static void
wipe(void)
{
	static const char *const files[] = { "data.mdb", "lock.mdb",
		"owner.lock", "" };
	char path[96];

	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/consent/%s", dir, files[i]);
		if (files[i][0] != '\0')
			unlink(path);
		else
			rmdir(path);
	}
}

/* says - what the store says of a token */
static int
says(struct consent *c, const struct token *t, int64_t *date)
{
	struct why why;
	int rc = consent_left(c, t, date, &why);

	if (rc == -1)
		fail_msg("%s", why.text);
	return rc;
}

static void
a_press_is_always_the_later_word(void **state)
{
	struct token t = { .tenant = 1, .list = 2,
	    .recipient = SLICE("ann@example.org") };
	struct consent *c = open_it(1u << 28);
	int64_t date = 0, before = -1;
	struct wish w;

	(void)state;
	assert_int_equal(says(c, &t, &date), 0);
	/* many presses in one microsecond, and back and forth */
	for (int i = 0; i < 20; i++) {
		consent_wish(&w, &t, i % 3 == 2, "test");
		put_all(c, &w, 1);
		assert_int_equal(w.result, CONSENT_DONE);
		assert_int_equal(says(c, &t, &date), i % 3 != 2);
		if (before != -1)
			assert_true(date > before);
		before = date;
	}
	t.list = 3;
	assert_int_equal(says(c, &t, &date), 0);
	consent_close(c);
	wipe();
}

static void
wishes_of_many_are_all_answered_and_survive(void **state)
{
	enum { N = 3000 };
	struct wish *w = calloc(N, sizeof(*w));
	struct consent *c = open_it(1u << 28);
	struct token t = { .tenant = 9 };
	char address[40];
	int64_t date;

	(void)state;
	assert_non_null(w);
	for (int i = 0; i < N; i++) {
		snprintf(address, sizeof(address), "u%d@example.org", i);
		t.recipient = slice_of(address);
		consent_wish(&w[i], &t, false, "test");
	}
	put_all(c, w, N);
	assert_true(consent_well(c) && !consent_broken(c));
	consent_stop(c);
	/* after the end nothing is promised */
	put_all(c, w, 1);
	assert_int_equal(w[0].result, CONSENT_LATER);
	consent_close(c);
	c = open_it(1u << 28);
	for (int i = 0; i < N; i++) {
		snprintf(address, sizeof(address), "u%d@example.org", i);
		t.recipient = slice_of(address);
		assert_int_equal(says(c, &t, &date), 1);
		if (i > 0)
			assert_int_equal(w[i].result, CONSENT_DONE);
	}
	consent_close(c);
	wipe();
	free(w);
}

static void
one_bad_wish_does_not_take_others_along(void **state)
{
	struct token t = { .tenant = 9, .recipient = SLICE("a@example.org") };
	struct consent *c = open_it(1u << 28);
	struct wish w[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		t.recipient = i == 1 ? SLICE("no address") :
		    SLICE("a@example.org");
		consent_wish(&w[i], &t, false, "test");
	}
	put_all(c, w, 3);
	assert_int_equal(w[0].result, CONSENT_DONE);
	assert_int_equal(w[1].result, CONSENT_LATER);
	assert_int_equal(w[2].result, CONSENT_DONE);
	consent_close(c);
	wipe();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_ask_for_what_they_say),
		cmocka_unit_test(a_body_cut_anywhere_asks_for_nothing),
		cmocka_unit_test(a_body_over_the_bound_asks_for_nothing),
		cmocka_unit_test(the_best_language_is_found),
		cmocka_unit_test(every_page_is_whole_in_every_language),
		cmocka_unit_test(names_are_read_line_by_line),
		cmocka_unit_test(subjects_are_unfolded_and_decoded),
		cmocka_unit_test(a_press_is_always_the_later_word),
		cmocka_unit_test(wishes_of_many_are_all_answered_and_survive),
		cmocka_unit_test(one_bad_wish_does_not_take_others_along),
	};
	struct why why;
	int failed;

	if (fold_init(&why) == -1 || mkdtemp(dir) == NULL)
		return 1;
	failed = cmocka_run_group_tests_name("unsubscribe", tests, NULL, NULL);
	wipe();
	rmdir(dir);
	return failed;
}
