/*
 * order - what one half of penstock-release may say to the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/release/order.h"

static struct why why;

/* --- queue ids ------------------------------------------------------------ */

static const struct {
	const char	*name, *id;
	bool		 good;
} ids[] = {
	{ "short, as Debian's", "8B6BAA7A6E3", true },
	{ "short, of the smallest inode", "4F2A61", true },
	{ "short, of the largest inode", "FFFFFFFFFFFFFFFFFFFFF", true },
	{ "short, and a digit more", "FFFFFFFFFFFFFFFFFFFFFF", false },
	{ "a time without an inode", "4F2A6", false },
	{ "lower case is none of Postfix's", "8b6baa7a6e3", false },
	{ "long", "4hGPxs0KqpzcLY3", true },
	{ "long, of a distant second", "10000004hGPzB", true },
	{ "long, without the z", "4hGPxs0KqpcLY3", false },
	{ "long, with the z too early", "4hGPxs0Kz1cLY3", false },
	{ "long, with the z too late", "4hGPxs0Kqp123zB", false },
	{ "long, with nothing behind the z", "4hGPxs0Kqpz", false },
	{ "long, with a second z", "4hGPxs0KqpzcLzY3", false },
	{ "long, with a vowel", "4hGPas0KqpzcLY3", false },
	{ "nothing", "", false },
	{ "all of them", "ALL", false },
	{ "the way to read them", "-", false },
	{ "an option", "-H", false },
	{ "a path", "../active/8B6BAA7A6E3", false },
	{ "a sign behind it, as mailq has", "8B6BAA7A6E3!", false },
	{ "a blank in it", "8B6BA A7A6E3", false },
	{ "a line end in it", "8B6BA\nA7A6E3", false },
	{ "letters of another alphabet", "8B6B\xc3\x84" "A7", false },
};

static void
only_what_postfix_makes_is_a_queue_id(void **state)
{
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (order_queue_id(slice_of(ids[i].id)) != ids[i].good) {
			print_error("%s: \"%s\": want %d\n", ids[i].name,
			    ids[i].id, ids[i].good);
			wrong++;
		}
	assert_false(order_queue_id((struct slice){ "8B6BA\0A7", 8 }));
	assert_int_equal(wrong, 0);
}

/* --- orders --------------------------------------------------------------- */

static const struct {
	const char	*name, *line;
	int		 verb;		/* -1: refused */
	size_t		 n;
} orders[] = {
	{ "what lies in hold/", "list", ORDER_LIST, 0 },
	{ "one message", "release 8B6BAA7A6E3", ORDER_RELEASE, 1 },
	{ "several", "drop 8B6BAA7A6E3 8CCB9A7A6F4", ORDER_DROP, 2 },
	{ "to its sender", "expire 8B6BAA7A6E3", ORDER_EXPIRE, 1 },
	{ "where", "where 4hGPxs0KqpzcLY3", ORDER_WHERE, 1 },
	{ "now", "queue 8B6BAA7A6E3", ORDER_QUEUE, 1 },
	{ "nothing", "", -1, 0 },
	{ "a verb of nobody's", "requeue 8B6BAA7A6E3", -1, 0 },
	{ "a verb in capitals", "RELEASE 8B6BAA7A6E3", -1, 0 },
	{ "nobody to release", "release", -1, 0 },
	{ "nobody, and a blank", "release ", -1, 0 },
	{ "two blanks", "release  8B6BAA7A6E3", -1, 0 },
	{ "a blank at the end", "release 8B6BAA7A6E3 ", -1, 0 },
	{ "a blank in front", " list", -1, 0 },
	{ "a list of something", "list 8B6BAA7A6E3", -1, 0 },
	{ "all messages", "release ALL", -1, 0 },
	{ "an option", "release -d 8B6BAA7A6E3", -1, 0 },
	{ "a good one and a bad one", "drop 8B6BAA7A6E3 ALL", -1, 0 },
	{ "a tab", "release\t8B6BAA7A6E3", -1, 0 },
	{ "the end of a line of DOS", "list\r", -1, 0 },
};

static void
an_order_is_one_of_six(void **state)
{
	struct buf b = BUF_INIT;
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct slice line = slice_of(orders[i].line);
		struct order o = { .n = 0 };
		int rc = order_parse(line, &o, &why);

		if ((rc == 0) != (orders[i].verb != -1) || (rc == 0 &&
		    ((int)o.verb != orders[i].verb || o.n != orders[i].n))) {
			print_error("%s: got %d, verb %d, n %zu\n",
			    orders[i].name, rc, o.verb, o.n);
			wrong++;
		}
		if (rc == -1)
			continue;
		buf_reset(&b);
		order_format(&o, &b);
		assert_true(b.len == line.n + 1 && b.data[line.n] == '\n' &&
		    memcmp(b.data, line.p, line.n) == 0);
	}
	buf_free(&b);
	assert_int_equal(wrong, 0);
}

static void
an_order_has_bounds(void **state)
{
	struct buf b = BUF_INIT;
	struct order o;

	(void)state;
	buf_str(&b, "where");
	for (int i = 0; i < ORDER_IDS; i++)
		buf_printf(&b, " %05X1", i);
	assert_int_equal(order_parse(buf_slice(&b), &o, &why), 0);
	assert_int_equal(o.n, ORDER_IDS);
	buf_str(&b, " 8B6BAA7A6E3");
	assert_int_equal(order_parse(buf_slice(&b), &o, &why), -1);
	while (b.len < ORDER_LINE)
		buf_str(&b, " 8B6BAA7A6E3");
	assert_int_equal(order_parse(buf_slice(&b), &o, &why), -1);
	assert_non_null(strstr(why.text, "an order of"));
	buf_free(&b);
}

/* --- replies -------------------------------------------------------------- */

static const struct {
	const char	*name, *line;
	int		 kind;		/* -1: refused */
} replies[] = {
	{ "a file", "held 8B6BAA7A6E3 18446744073709551615", REPLY_HELD },
	{ "a place", "at 8B6BAA7A6E3 deferred", REPLY_AT },
	{ "the end", "end 0 ", REPLY_END },
	{ "the end, and what was said", "end 200 postsuper: no", REPLY_END },
	{ "no", "no cannot look into hold", REPLY_NO },
	{ "no, and no more", "no ", REPLY_NO },
	{ "nothing", "", -1 },
	{ "a number too large", "held 8B6BAA7A6E3 18446744073709551616", -1 },
	{ "a number of many digits", "held 8B6BAA7A6E3 184467440737095516150",
	  -1 },
	{ "a zero in front", "held 8B6BAA7A6E3 01", -1 },
	{ "a sign in front", "held 8B6BAA7A6E3 +1", -1 },
	{ "no number", "held 8B6BAA7A6E3 ", -1 },
	{ "a word more", "held 8B6BAA7A6E3 1 1", -1 },
	{ "no file", "held 8B6BAA7A6E3", -1 },
	{ "a place of nobody's", "at 8B6BAA7A6E3 maildrop", -1 },
	{ "an id of nobody's", "at ALL hold", -1 },
	{ "an end without a text", "end 0", -1 },
	{ "an end without a number", "end  ", -1 },
	{ "no, without a blank", "no", -1 },
	{ "a text that would harm a terminal", "no \033[2J", -1 },
	{ "a greeting", ORDER_HELLO, -1 },
};

static void
a_reply_is_one_of_four(void **state)
{
	struct buf b = BUF_INIT;
	int wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		struct slice line = slice_of(replies[i].line);
		struct reply r;
		int rc = reply_parse(line, &r, &why);

		if ((rc == 0) != (replies[i].kind != -1) || (rc == 0 &&
		    (int)r.kind != replies[i].kind)) {
			print_error("%s: got %d, kind %d\n", replies[i].name,
			    rc, r.kind);
			wrong++;
		}
		if (rc == -1)
			continue;
		buf_reset(&b);
		reply_format(&r, &b);
		assert_true(b.len == line.n + 1 &&
		    memcmp(b.data, line.p, line.n) == 0);
	}
	buf_free(&b);
	assert_int_equal(wrong, 0);
}

static void
what_postfix_says_is_made_one_line(void **state)
{
	char text[1000];
	struct reply r = { .kind = REPLY_NO, .text = { text, sizeof(text) } };
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	reply_format(&r, &b);
	assert_true(b.len < ORDER_LINE);
	assert_ptr_equal(memchr(b.data, '\n', b.len), b.data + b.len - 1);
	assert_int_equal(reply_parse((struct slice){ b.data, b.len - 1 }, &r,
	    &why), 0);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_postfix_makes_is_a_queue_id),
		cmocka_unit_test(an_order_is_one_of_six),
		cmocka_unit_test(an_order_has_bounds),
		cmocka_unit_test(a_reply_is_one_of_four),
		cmocka_unit_test(what_postfix_says_is_made_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
