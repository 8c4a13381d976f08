/*
 * explain_way - by which pool and address the message would leave, and why, in
 * both voices.
 */
#include <stdio.h>

#include "policy/egress.h"
#include "tools/explain.h"

/* weights - of all routes of the stream together */
static long long
weights(const struct stream *s)
{
	long long all = 0;

	for (size_t i = 0; i < s->nroutes; i++)
		all += s->routes[i].weight;
	return all;
}

/* print_look - one address that it might have left by */
static void
print_look(const struct explain *e, const struct egress_look *look)
{
	printf("          %-15.*s %s", SLICE_ARG(look->address->address),
	    look->fits ? "room" : "no room");
	if (look->fullest != NULL)
		printf("%s %s %.*s", look->fits ? ", fullest is" : " in",
		    limit_kind_names[look->fullest->kind],
		    SLICE_ARG(look->fullest->name));
	printf(", %d.%d%% used", look->load / 10, look->load % 10);
	printf("%s\n", look->address == e->mail.egress ? ", taken" : "");
}

/* explain_way_print - the pool, the address, and the others */
void
explain_way_print(struct explain *e)
{
	const struct mail *mail = &e->mail;
	const struct route *r = mail->route;

	if (r == NULL || mail->stream == NULL)
		return;
	printf("\nway     pool %.*s", SLICE_ARG(r->pool->name));
	if (mail->stream->nroutes > 1)
		printf(", by the first recipient's address, weight %d of %lld",
		    r->weight, weights(mail->stream));
	printf(" (%.*s)\n", SLICE_ARG(policy_rule(e->live.policy, r->at,
	    e->live.arena)));
	if (mail->away != NULL)
		printf("        it leaves by Postfix's own route: %s\n",
		    mail->away);
	if (mail->egress == NULL)
		return;
	if (egress_overflowed(mail))
		printf("        that has no room: by its overflow, pool "
		    "%.*s\n", SLICE_ARG(mail->egress->pool->name));
	printf("        address %.*s, transport %.*s%s\n",
	    SLICE_ARG(mail->egress->address),
	    SLICE_ARG(egress_transport(mail, mail->arena)),
	    e->accepted ? "" : ", if it had room");
	for (size_t i = 0; i < mail->nlooks; i++)
		print_look(e, &mail->looks[i]);
}

/* json_looks - all that were looked at, the best first */
static void
json_looks(const struct mail *mail, struct buf *b)
{
	buf_str(b, "\"looks\":[");
	for (size_t i = 0; i < mail->nlooks; i++) {
		const struct egress_look *look = &mail->looks[i];

		buf_str(b, i > 0 ? ",{" : "{");
		buf_json_member(b, "address", look->address->address);
		buf_json_member(b, "fullest", look->fullest != NULL ?
		    look->fullest->name : SLICE(""));
		buf_printf(b, "\"fits\":%s,\"load\":%d}", look->fits ?
		    "true" : "false", look->load);
	}
	buf_str(b, "]");
}

/* explain_way_json - null when it has no pool */
void
explain_way_json(struct explain *e, struct buf *b)
{
	const struct mail *mail = &e->mail;
	const struct route *r = mail->route;
	const struct pool_address *a = mail->egress;

	if (r == NULL || mail->stream == NULL) {
		buf_str(b, "\"way\":null,");
		return;
	}
	buf_str(b, "\"way\":{");
	buf_json_member(b, "route", r->pool->name);
	buf_json_member(b, "rule",
	    policy_rule(e->live.policy, r->at, e->live.arena));
	buf_json_member(b, "own_route",
	    slice_of(mail->away != NULL ? mail->away : ""));
	buf_json_member(b, "pool", a != NULL ? a->pool->name : SLICE(""));
	buf_json_member(b, "address", a != NULL ? a->address : SLICE(""));
	buf_json_member(b, "transport", a != NULL ? egress_transport(mail,
	    mail->arena) : SLICE(""));
	buf_printf(b, "\"weight\":%d,\"weights\":%lld,\"overflow\":%s,",
	    r->weight, weights(mail->stream), egress_overflowed(mail) ?
	    "true" : "false");
	json_looks(mail, b);
	buf_str(b, "},");
}
