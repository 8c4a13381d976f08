/*
 * board_print - the two voices of `penstock warmup`.  For eyes: some lines for
 * each, within 80 columns.
 */
#include <string.h>

#include "lib/clock.h"
#include "lib/date.h"
#include "tools/board.h"

#define BAR	24
#define INDENT	12		/* where what is said of a word begins */

/* date_text - "2026-11-01" */
static const char *
date_text(const struct board *b, int64_t date)
{
	int64_t year;
	int month, day;
	const char *text;

	date_of(date, &year, &month, &day);
	text = arena_printf(b->live->arena, "%04d-%02d-%02d", (int)year,
	    month, day);
	return text != NULL ? text : "";
}

/* whose - "b2b 192.0.2.10", "acme/news login=ops" */
static const char *
whose(const struct board *b, const struct board_row *r)
{
	const char *text;

	if (r->address != NULL)
		text = arena_printf(b->live->arena, "%.*s %.*s",
		    SLICE_ARG(r->address->pool->name),
		    SLICE_ARG(r->address->address));
	else
		text = arena_printf(b->live->arena, "%.*s%s%s",
		    SLICE_ARG(r->tenant->name), *r->of != '\0' ? " " : "",
		    r->of);
	return text != NULL ? text : "";
}

/* bar - how much of it is used */
static void
bar(int64_t used, int64_t most, char out[BAR + 3])
{
	int full = most <= 0 ? (used > 0 ? BAR : 0) : used >= most ? BAR :
	    (int)((__int128)used * BAR / most);

	out[0] = '[';
	memset(out + 1, '.', BAR);
	memset(out + 1, '#', (size_t)full);
	out[BAR + 1] = ']';
	out[BAR + 2] = '\0';
}

/* print_day - the first line, which says where it is */
static void
print_day(const struct board *b, const struct board_row *r, bool color)
{
	const struct warm_view *v = &r->view;
	const struct warmup *w = r->limit->warmup;

	printf("%s%s%s\n", color ? "\033[1m" : "", whose(b, r),
	    color ? "\033[0m" : "");
	printf("  %-*s", INDENT - 2, "day");
	if (v->day == 0)
		printf("not begun, of %d: begins %s", v->days,
		    date_text(b, w->started));
	else
		printf("%d of %d", v->day, v->days);
	printf(", %.*s", SLICE_ARG(w->schedule->name));
	if (r->row != NULL)
		printf(", since %s", date_text(b, r->row->started));
	else if (v->day > 0)
		printf(w->first_mail ? ", since the first mail" :
		    ", by the calendar since %s", date_text(b, w->started));
	if (r->limit->shadow)
		printf(", in shadow");
	putchar('\n');
	if (v->stopped)
		printf("  %-*s%sstopped on %s; penstock warmup resume lets it "
		    "go on%s\n", INDENT - 2, "", color ? "\033[31m" : "",
		    date_text(b, r->row->stopped), color ? "\033[0m" : "");
}

/* print_today - used, of how many */
static void
print_today(const struct board_row *r)
{
	char drawn[BAR + 3];
	int64_t left = r->view.cap - r->used;

	bar(r->used, r->view.cap, drawn);
	printf("  %-*s%s %lld of %lld, %lld left\n", INDENT - 2, "today",
	    drawn, (long long)r->used, (long long)r->view.cap,
	    (long long)(left > 0 ? left : 0));
}

/* print_hour - what there is of it now, and when there is more */
static void
print_hour(const struct board *b, const struct board_row *r)
{
	const struct warm_view *v = &r->view;
	const struct slice hours = r->limit->warmup->hours_text;
	struct buf wrapped = BUF_INIT;
	int64_t left = r->most - r->used;
	const char *next;

	if (v->cap == 0)
		return;
	printf("  %-*s%lld more each hour; ", INDENT - 2, "bulk",
	    (long long)v->hour);
	next = live_slot(b->live, r->zone, r->next);
	if (left > 0)
		printf("%lld may go by now", (long long)left);
	else if (r->next >= LEDGER_SOMETIME)
		printf("none now");
	else
		printf("none now, next slot %s", next);
	putchar('\n');
	if (hours.n == 0)
		return;
	tool_wrap(&wrapped, INDENT, hours);
	printf("  %-*s%.*s\n", INDENT - 2, "hours",
	    SLICE_ARG(buf_slice(&wrapped)));
	buf_free(&wrapped);
}

/* print_factor - what a rule took from a part */
static void
print_factor(const struct board *b, const struct warm_factor *f)
{
	printf("\n%*s", INDENT, "");
	if (f->thousandths == 0)
		printf("stopped by %.*s", SLICE_ARG(f->rule));
	else if (f->thousandths == 500)
		printf("%.*s halved its part", SLICE_ARG(f->rule));
	else
		printf("%.*s left %d %% of its part", SLICE_ARG(f->rule),
		    f->thousandths / 10);
	if (f->until != 0)
		printf(" until %s", date_text(b, f->until));
	else
		printf("; penstock warmup resume lets it go on");
}

/* print_part - its percentage, and why it is what it is */
static void
print_part(const struct board *b, const struct board_provider *p)
{
	if (p->percent < 100)
		printf(" (%d %%)", p->percent);
	if (p->factor != NULL)
		print_factor(b, p->factor);
	if (p->used > p->most)
		printf("\n%*s%lld above its part: no more goes there today",
		    INDENT, "", (long long)(p->used - p->most));
}

/* print_providers - each with its part */
static void
print_providers(const struct board *b, const struct board_row *r)
{
	char drawn[BAR + 3];

	for (size_t i = 0; i < r->nproviders; i++) {
		const struct board_provider *p = &r->providers[i];
		const char *name = provider_name(p->provider);

		bar(p->used, p->most, drawn);
		if (strlen(name) > INDENT - 3)
			printf("  %s\n%*s", name, INDENT, "");
		else
			printf("  %-*s", INDENT - 2, name);
		printf("%s %lld of %lld", drawn, (long long)p->used,
		    (long long)p->most);
		print_part(b, p);
		putchar('\n');
	}
}

/* print_rule - the last one that spoke */
static void
print_rule(const struct board *b, const struct board_row *r)
{
	struct buf text = BUF_INIT, wrapped = BUF_INIT;

	printf("  %-*s", INDENT - 2, "rule");
	if (r->row == NULL || r->row->rule.n == 0) {
		printf("none has spoken yet\n");
		return;
	}
	buf_printf(&text, "%.*s for %s: %.*s", SLICE_ARG(r->row->rule),
	    date_text(b, r->row->date), SLICE_ARG(r->row->inputs));
	tool_wrap(&wrapped, INDENT, buf_slice(&text));
	printf("%.*s\n", SLICE_ARG(buf_slice(&wrapped)));
	buf_free(&wrapped);
	buf_free(&text);
}

/* print_warm - when it will be done */
static void
print_warm(const struct board *b, const struct board_row *r)
{
	printf("  %-*s", INDENT - 2, "warm");
	if (r->row != NULL && r->row->warmed != 0)
		printf("since %s; %lld a day stay a cap until the line is "
		    "taken out", date_text(b, r->row->warmed),
		    (long long)r->view.cap);
	else if (r->warm == 0)
		printf("nobody knows, while it is stopped");
	else
		printf("%s, if no rule holds it", date_text(b, r->warm));
	putchar('\n');
}

/* board_print - for eyes */
void
board_print(const struct board *b, bool color)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct board_row *r = &b->list[i];

		if (i > 0)
			putchar('\n');
		print_day(b, r, color);
		if (r->view.day > 0) {
			print_today(r);
			print_hour(b, r);
			print_providers(b, r);
			print_rule(b, r);
		}
		print_warm(b, r);
	}
	if (b->n == 0)
		printf("nothing is warmed up\n");
}

/* --- JSON ----------------------------------------------------------------- */

/* field - "name":"text", */
static void
field(struct buf *b, const char *name, struct slice text)
{
	buf_printf(b, "\"%s\":", name);
	if (text.p == NULL)
		buf_str(b, "null");
	else
		buf_json(b, text);
	buf_char(b, ',');
}

/* number - "name":n, */
static void
number(struct buf *b, const char *name, int64_t n)
{
	buf_printf(b, "\"%s\":%lld,", name, (long long)n);
}

/* date - "name":"2026-11-01", or null */
static void
date(const struct board *board, struct buf *b, const char *name, int64_t when)
{
	field(b, name, when != 0 ? slice_of(date_text(board, when)) :
	    SLICE_NONE);
}

/* json_providers - an array of objects */
static void
json_providers(const struct board *board, const struct board_row *r,
    struct buf *b)
{
	buf_str(b, "\"providers\":[");
	for (size_t i = 0; i < r->nproviders; i++) {
		const struct board_provider *p = &r->providers[i];
		const struct warm_factor *f = p->factor;

		buf_str(b, i > 0 ? ",{" : "{");
		field(b, "provider", slice_of(provider_name(p->provider)));
		number(b, "used", p->used);
		number(b, "most", p->most);
		number(b, "percent", p->percent);
		field(b, "rule", f != NULL ? f->rule : SLICE_NONE);
		date(board, b, "until", f != NULL ? f->until : 0);
		buf_printf(b, "\"thousandths\":%d}", p->thousandths);
	}
	buf_char(b, ']');
}

/* json_row - one object */
static void
json_row(const struct board *board, const struct board_row *r, struct buf *b)
{
	const struct warm_view *v = &r->view;
	const struct warm_row *row = r->row;
	const struct warmup *w = r->limit->warmup;
	const struct pool_address *a = r->address;

	buf_char(b, '{');
	field(b, "subject", row != NULL && row->name.n > 0 ? row->name :
	    slice_of(whose(board, r)));
	field(b, "pool", a != NULL ? a->pool->name : SLICE_NONE);
	field(b, "address", a != NULL ? a->address : SLICE_NONE);
	field(b, "tenant", a == NULL ? r->tenant->name : SLICE_NONE);
	field(b, "stream", r->stream != NULL ? r->stream->name : SLICE_NONE);
	field(b, "of", slice_of(r->of));
	field(b, "schedule", w->schedule->name);
	number(b, "day", v->day);
	number(b, "days", v->days);
	date(board, b, "date", v->today.date);
	date(board, b, "started", row != NULL ? row->started : w->first_mail ?
	    0 : w->started);
	number(b, "cap", v->cap);
	number(b, "used", r->used);
	number(b, "hour", v->hour);
	number(b, "so_far", v->so_far);
	if (r->next >= LEDGER_SOMETIME)
		buf_str(b, "\"next\":null,");
	else
		number(b, "next", r->next);
	field(b, "active_hours", w->hours_text.n > 0 ? w->hours_text :
	    SLICE_NONE);
	date(board, b, "stopped", row != NULL ? row->stopped : 0);
	date(board, b, "warmed", row != NULL ? row->warmed : 0);
	date(board, b, "warm", r->warm);
	field(b, "rule", row != NULL && row->rule.n > 0 ? row->rule :
	    SLICE_NONE);
	field(b, "inputs", row != NULL && row->inputs.n > 0 ? row->inputs :
	    SLICE_NONE);
	date(board, b, "judged", row != NULL ? row->date : 0);
	field(b, "mode", slice_of(r->limit->shadow ? "shadow" : "enforce"));
	json_providers(board, r, b);
	buf_char(b, '}');
}

/* board_json - one object */
void
board_json(const struct board *board)
{
	struct buf b = BUF_INIT;

	buf_printf(&b, "{\"time\":%lld,\"warmups\":[",
	    (long long)board->live->now);
	for (size_t i = 0; i < board->n; i++) {
		if (i > 0)
			buf_char(&b, ',');
		json_row(board, &board->list[i], &b);
	}
	buf_str(&b, "]}\n");
	if (!buf_failed(&b))
		fwrite(b.data, 1, b.len, stdout);
	buf_free(&b);
}
