/*
 * recorded - see recorded.h.
 */
#include "policy/recorded.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* client_of - the address as the gate wrote it */
static struct ip
client_of(struct slice text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct ip ip = { .known = false };
	char copy[INET6_ADDRSTRLEN];

	if (text.n == 0 || text.n >= sizeof(copy))
		return ip;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (inet_pton(AF_INET, copy, &v4.sin_addr) == 1)
		ip_of((struct sockaddr *)&v4, &ip);
	else if (inet_pton(AF_INET6, copy, &v6.sin6_addr) == 1)
		ip_of((struct sockaddr *)&v6, &ip);
	return ip;
}

/* recorded_mail - who sent it, and from where */
void
recorded_mail(const struct event *e, struct mail *mail)
{
	mail->login = e->login.n > 0 ? e->login : SLICE_NONE;
	mail->listener = e->listener;
	mail->told = e->stream;
	mail->client = client_of(e->client);
	mail->mail_from_text = e->mail_from.n > 0 ? e->mail_from :
	    SLICE("<>");
	mail->declared = e->size;
}

/* own_domain - one that the tenant may write in From */
static struct slice
own_domain(const struct tenant *tenant)
{
	struct slice d = tenant->ndomains > 0 ? tenant->domains[0] :
	    SLICE("unknown.invalid");

	return slice_starts(d, SLICE("*.")) ? slice_from(d, 2) : d;
}

/* from_field - addresses at the recorded domains; when the message ended
 * before its headers came, at the tenant's own, or that of MAIL FROM */
static const char *
from_field(const struct event *e, const struct mail *mail)
{
	const struct tenant *tenant = mail->tenant != NULL ? mail->tenant :
	    policy_tenant(mail->policy, e->tenant);
	const char *all = "";
	size_t i;

	for (i = 0; i < e->nfrom_domains && all != NULL; i++)
		all = arena_printf(mail->arena, "%s%sx@%.*s", all, i > 0 ?
		    ", " : "", SLICE_ARG(e->from_domains[i]));
	if (i > 0)
		return all;
	return arena_printf(mail->arena, "x@%.*s",
	    SLICE_ARG(tenant != NULL ? own_domain(tenant) :
	    mail->mail_from.domain.n > 0 ? mail->mail_from.domain :
	    SLICE("unknown.invalid")));
}

/* recorded_headers - what can be said of them */
int
recorded_headers(const struct event *e, const struct mail *mail,
    struct header_fact headers[RECORDED_HEADERS], size_t *n)
{
	headers[0] = (struct header_fact){ SLICE("From"),
		slice_of(from_field(e, mail)) };
	if (headers[0].value.p == NULL)
		return -1;
	*n = 1;
	if (mail->origin == ORIGIN_CLAIMED && e->tenant.n > 0)
		headers[(*n)++] = (struct header_fact){ mail->claimer->header,
			e->tenant };
	return 0;
}

/* recorded_local - the first of the policy's, or Postfix's own */
struct slice
recorded_local(const struct policy *p)
{
	return p->nlocal_transports > 0 ? p->local_transports[0] :
	    SLICE("local");
}
