/*
 * page - the document, its words and its style.
 *
 * Words are a table; in them %T is the tenant, %L the stream, %A the address.
 * Which of three sentences is used depends on what is known: stream and
 * tenant, tenant alone, nothing.
 */
#include "tools/unsubscribe/page.h"

#include <stdio.h>
#include <string.h>

#include "lib/hash.h"
#include "lib/text.h"

const char *const page_languages[] = { "en", "es", "fr", "de", "pt", NULL };
enum { LANGUAGES = 5, SENTENCES = 3 };

static const char style[] =
    ":root{color-scheme:light dark;--ink:#1c1c1e;--dim:#55555c;--paper:#fff;"
    "--edge:#d0d0d6;--deed:#0b57d0;--on:#fff}"
    "@media (prefers-color-scheme:dark){:root{--ink:#f2f2f4;--dim:#b4b4bd;"
    "--paper:#1b1b1f;--edge:#46464e;--deed:#a8c7fa;--on:#062e6f}}"
    "*{box-sizing:border-box}"
    "html{background:var(--paper);color:var(--ink);"
    "font:1.0625rem/1.5 system-ui,sans-serif}"
    "body{margin:0;min-height:100vh;display:flex;align-items:center;"
    "justify-content:center;padding:1rem}"
    "main{width:100%;max-width:32rem;border:1px solid var(--edge);"
    "border-radius:.75rem;padding:2rem 1.5rem;overflow-wrap:anywhere}"
    "h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem}"
    "p{margin:0 0 1.25rem}p.dim{color:var(--dim);font-size:.9375rem}"
    "p:last-child,form:last-child{margin-bottom:0}"
    "button{font:inherit;font-weight:600;min-height:3rem;padding:.5rem 1.5rem;"
    "border-radius:.5rem;border:2px solid var(--deed);cursor:pointer;"
    "background:var(--deed);color:var(--on)}"
    "button.quiet{background:none;color:var(--deed)}"
    "button:focus-visible{outline:3px solid var(--ink);outline-offset:3px}"
    "@media (max-width:28rem){button{width:100%}}"
    "form{margin:0 0 1.25rem}";

struct words {
	const char	*title[PAGE_KINDS];
	const char	*says[PAGE_KINDS][SENTENCES];
	const char	*address, *leave, *late, *mistake, *again;
};

/* clang-format off */
static const struct words all_words[LANGUAGES] = {
	{ /* en */
	  .title = { "Unsubscribe", "You are unsubscribed",
	    "You are unsubscribed", "You are subscribed again",
	    "This link does not work", "Not saved yet" },
	  .says = {
	    [PAGE_ASK] = { "Do you want to stop getting “%L” mail from %T?",
	      "Do you want to stop getting this mail from %T?",
	      "Do you want to stop getting this mail?" },
	    [PAGE_LEFT] = { "You will no longer get “%L” mail from %T.",
	      "You will no longer get this mail from %T.",
	      "You will no longer get this mail." },
	    [PAGE_BACK] = { "You will get “%L” mail from %T again.",
	      "You will get this mail from %T again.",
	      "You will get this mail again." },
	    [PAGE_BAD] = { [2] = "It may have been cut off on its way. Open it "
	      "again from the message, or write to the sender." },
	    [PAGE_LATER] = { [2] = "Your wish could not be saved. Nothing has "
	      "changed; please try again in a minute." } },
	  .address = "Address: %A", .leave = "Unsubscribe",
	  .late = "A message that is already on its way may still arrive.",
	  .mistake = "Was this a mistake?", .again = "Subscribe again" },
	{ /* es */
	  .title = { "Cancelar la suscripción", "Suscripción cancelada",
	    "Suscripción cancelada", "Vuelve a estar suscrito",
	    "Este enlace no funciona", "Todavía no se ha guardado" },
	  .says = {
	    [PAGE_ASK] = { "¿Quiere dejar de recibir los correos «%L» de %T?",
	      "¿Quiere dejar de recibir estos correos de %T?",
	      "¿Quiere dejar de recibir estos correos?" },
	    [PAGE_LEFT] = { "Ya no recibirá los correos «%L» de %T.",
	      "Ya no recibirá estos correos de %T.",
	      "Ya no recibirá estos correos." },
	    [PAGE_BACK] = { "Volverá a recibir los correos «%L» de %T.",
	      "Volverá a recibir estos correos de %T.",
	      "Volverá a recibir estos correos." },
	    [PAGE_BAD] = { [2] = "Puede que haya llegado cortado. Ábralo otra "
	      "vez desde el mensaje o escriba al remitente." },
	    [PAGE_LATER] = { [2] = "No se ha podido guardar su petición. Nada "
	      "ha cambiado; inténtelo de nuevo en un minuto." } },
	  .address = "Dirección: %A", .leave = "Cancelar la suscripción",
	  .late = "Un mensaje que ya esté en camino aún puede llegar.",
	  .mistake = "¿Ha sido un error?", .again = "Volver a suscribirse" },
	{ /* fr */
	  .title = { "Se désabonner", "Vous êtes désabonné",
	    "Vous êtes désabonné", "Vous êtes de nouveau abonné",
	    "Ce lien ne fonctionne pas", "Pas encore enregistré" },
	  .says = {
	    [PAGE_ASK] = { "Voulez-vous ne plus recevoir les messages "
	      "« %L » de %T ?",
	      "Voulez-vous ne plus recevoir ces messages de %T ?",
	      "Voulez-vous ne plus recevoir ces messages ?" },
	    [PAGE_LEFT] = { "Vous ne recevrez plus les messages « %L » de %T.",
	      "Vous ne recevrez plus ces messages de %T.",
	      "Vous ne recevrez plus ces messages." },
	    [PAGE_BACK] = { "Vous recevrez de nouveau les messages « %L » "
	      "de %T.",
	      "Vous recevrez de nouveau ces messages de %T.",
	      "Vous recevrez de nouveau ces messages." },
	    [PAGE_BAD] = { [2] = "Il a peut-être été coupé en chemin. Ouvrez-le "
	      "de nouveau depuis le message, ou écrivez à l’expéditeur." },
	    [PAGE_LATER] = { [2] = "Votre demande n’a pas pu être enregistrée. "
	      "Rien n’a changé ; réessayez dans une minute." } },
	  .address = "Adresse : %A", .leave = "Se désabonner",
	  .late = "Un message déjà en route peut encore arriver.",
	  .mistake = "Était-ce une erreur ?", .again = "S’abonner de nouveau" },
	{ /* de */
	  .title = { "Abmelden", "Sie sind abgemeldet",
	    "Sie sind abgemeldet", "Sie sind wieder angemeldet",
	    "Dieser Link funktioniert nicht", "Noch nicht gespeichert" },
	  .says = {
	    [PAGE_ASK] = { "Möchten Sie die E-Mails „%L“ von %T nicht mehr "
	      "erhalten?",
	      "Möchten Sie diese E-Mails von %T nicht mehr erhalten?",
	      "Möchten Sie diese E-Mails nicht mehr erhalten?" },
	    [PAGE_LEFT] = { "Sie erhalten die E-Mails „%L“ von %T nicht mehr.",
	      "Sie erhalten diese E-Mails von %T nicht mehr.",
	      "Sie erhalten diese E-Mails nicht mehr." },
	    [PAGE_BACK] = { "Sie erhalten die E-Mails „%L“ von %T wieder.",
	      "Sie erhalten diese E-Mails von %T wieder.",
	      "Sie erhalten diese E-Mails wieder." },
	    [PAGE_BAD] = { [2] = "Vielleicht wurde er unterwegs abgeschnitten. "
	      "Öffnen Sie ihn noch einmal aus der Nachricht, oder schreiben "
	      "Sie dem Absender." },
	    [PAGE_LATER] = { [2] = "Ihr Wunsch konnte nicht gespeichert werden. "
	      "Es hat sich nichts geändert; bitte versuchen Sie es in einer "
	      "Minute noch einmal." } },
	  .address = "Adresse: %A", .leave = "Abmelden",
	  .late = "Eine Nachricht, die schon unterwegs ist, kann noch "
	    "ankommen.",
	  .mistake = "War das ein Versehen?", .again = "Wieder anmelden" },
	{ /* pt */
	  .title = { "Cancelar a subscrição", "Subscrição cancelada",
	    "Subscrição cancelada", "Subscrição retomada",
	    "Este link não funciona", "Ainda não foi guardado" },
	  .says = {
	    [PAGE_ASK] = { "Quer deixar de receber os e-mails “%L” de %T?",
	      "Quer deixar de receber estes e-mails de %T?",
	      "Quer deixar de receber estes e-mails?" },
	    [PAGE_LEFT] = { "Já não vai receber os e-mails “%L” de %T.",
	      "Já não vai receber estes e-mails de %T.",
	      "Já não vai receber estes e-mails." },
	    [PAGE_BACK] = { "Vai voltar a receber os e-mails “%L” de %T.",
	      "Vai voltar a receber estes e-mails de %T.",
	      "Vai voltar a receber estes e-mails." },
	    [PAGE_BAD] = { [2] = "Talvez tenha sido cortado pelo caminho. "
	      "Abra-o de novo a partir da mensagem ou escreva ao remetente." },
	    [PAGE_LATER] = { [2] = "Não foi possível guardar o seu pedido. Nada "
	      "mudou; tente de novo dentro de um minuto." } },
	  .address = "Endereço: %A", .leave = "Cancelar a subscrição",
	  .late = "Uma mensagem que já vai a caminho ainda pode chegar.",
	  .mistake = "Foi um engano?", .again = "Voltar a subscrever" },
};
/* clang-format on */

static char csp[PAGE_CSP];

/* page_init - the policy names the style by its hash */
void
page_init(void)
{
	uint8_t sum[HASH_SHA256];
	char text[64];

	hash_sha256(style, sizeof(style) - 1, sum);
	text[base64_encode(sum, sizeof(sum), text)] = '\0';
	snprintf(csp, sizeof(csp), "default-src 'none'; style-src "
	    "'sha256-%s'; img-src data:; form-action 'self'; base-uri 'none'; "
	    "frame-ancestors 'none'", text);
}

/* page_csp - see page_init */
const char *
page_csp(void)
{
	return csp;
}

/* --- which language ------------------------------------------------------- */

/* quality - "q=0.7" in thousandths; 1000 without, 0 for nonsense */
static int
quality(struct slice params)
{
	int q = 0, scale = 100;

	params = slice_trim(params);
	if (params.n == 0)
		return 1000;
	if (params.n < 3 || (params.p[0] | 0x20) != 'q' || params.p[1] != '=' ||
	    (params.p[2] != '0' && params.p[2] != '1'))
		return 0;
	if (params.p[2] == '1')
		return 1000;
	for (size_t i = 4; i < params.n && scale > 0; i++, scale /= 10) {
		if (params.p[i] < '0' || params.p[i] > '9')
			break;
		q += scale * (params.p[i] - '0');
	}
	return q;
}

/* known - "pt-BR" is pt to us; LANGUAGES: none of ours */
static unsigned
known(struct slice range)
{
	unsigned i = 0;

	if (range.n < 2 || (range.n > 2 && range.p[2] != '-'))
		return LANGUAGES;
	while (i < LANGUAGES && !slice_case_eq((struct slice){ range.p, 2 },
	    slice_of(page_languages[i])))
		i++;
	return i;
}

/* page_language - the greatest quality; of equals the first */
unsigned
page_language(struct slice accept)
{
	unsigned best = 0, i;
	int most = 0, q;

	while (accept.n > 0) {
		const char *comma = memchr(accept.p, ',', accept.n), *semi;
		size_t n = comma != NULL ? (size_t)(comma - accept.p) :
		    accept.n;
		struct slice one = { accept.p, n };

		accept = slice_from(accept, n + (comma != NULL));
		semi = n > 0 ? memchr(one.p, ';', n) : NULL;
		if (semi != NULL)
			n = (size_t)(semi - one.p);
		q = quality(semi != NULL ? slice_from(one, n + 1) :
		    SLICE_NONE);
		i = known(slice_trim((struct slice){ one.p, n }));
		if (i < LANGUAGES && q > most) {
			most = q;
			best = i;
		}
	}
	return best;
}

/* --- the document --------------------------------------------------------- */

/* escaped - text that cannot be markup */
static void
escaped(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.n; i++) {
		switch (text.p[i]) {
		case '&':
			buf_str(out, "&amp;");
			break;
		case '<':
			buf_str(out, "&lt;");
			break;
		case '>':
			buf_str(out, "&gt;");
			break;
		case '"':
			buf_str(out, "&quot;");
			break;
		case '\'':
			buf_str(out, "&#39;");
			break;
		default:
			buf_char(out, text.p[i]);
		}
	}
}

/* masked - a...@example.org */
static void
masked(struct buf *out, struct slice address)
{
	size_t at = address.n, first;

	while (at > 0 && address.p[at - 1] != '@')
		at--;
	if (at < 2)
		return;
	first = text_utf8(address.p, at - 1);
	if (first > 0)
		escaped(out, (struct slice){ address.p, first });
	buf_str(out, "…@");
	escaped(out, slice_from(address, at));
}

/* sentence - with what the page knows put in */
static void
sentence(struct buf *out, const char *text, const struct page *p)
{
	for (; *text != '\0'; text++) {
		if (text[0] != '%') {
			buf_char(out, *text);
			continue;
		}
		switch (*++text) {
		case 'T':
			escaped(out, p->tenant);
			break;
		case 'L':
			escaped(out, p->list);
			break;
		case 'A':
			masked(out, p->address);
			break;
		}
	}
}

/* paragraph - <p> of a sentence */
static void
paragraph(struct buf *out, const char *class, const char *text,
    const struct page *p)
{
	buf_printf(out, "<p%s>", class);
	sentence(out, text, p);
	buf_str(out, "</p>\n");
}

/* form - one button, which posts to where the page came from */
static void
form(struct buf *out, const char *name, const char *value, const char *class,
    const char *text)
{
	buf_printf(out, "<form method=\"post\">"
	    "<input type=\"hidden\" name=\"%s\" value=\"%s\">"
	    "<button type=\"submit\"%s>%s</button></form>\n", name, value,
	    class, text);
}

/* leave - the button that this is all about */
static void
leave(struct buf *out, const struct words *w)
{
	form(out, "List-Unsubscribe", "One-Click", "", w->leave);
}

/* head - all before <main> */
static void
head(struct buf *out, const char *language, const char *title)
{
	buf_printf(out, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\">\n"
	    "<meta name=\"robots\" content=\"noindex, nofollow\">\n"
	    "<meta name=\"referrer\" content=\"no-referrer\">\n"
	    "<link rel=\"icon\" href=\"data:,\">\n"
	    "<title>%s</title>\n<style>", language, title);
	buf_add(out, style, sizeof(style) - 1);
	buf_str(out, "</style>\n</head>\n<body>\n");
}

/* page_write - the whole document */
void
page_write(struct buf *out, const struct page *p)
{
	const struct words *w = &all_words[p->language < LANGUAGES ?
	    p->language : 0];
	enum page_kind says = p->kind == PAGE_GONE ? PAGE_LEFT : p->kind;
	int which = p->tenant.n == 0 ? 2 : p->list.n == 0 ? 1 : 0;

	if (w->says[says][0] == NULL)
		which = 2;
	head(out, page_languages[w - all_words], w->title[p->kind]);
	buf_printf(out, "<main>\n<h1>%s</h1>\n", w->title[p->kind]);
	paragraph(out, says == PAGE_LEFT || says == PAGE_BACK ?
	    " role=\"status\"" : "", w->says[says][which], p);
	if (p->address.n > 0)
		paragraph(out, " class=\"dim\"", w->address, p);
	if (p->kind == PAGE_ASK)
		leave(out, w);
	if (says == PAGE_LEFT)
		paragraph(out, " class=\"dim\"", w->late, p);
	if (p->kind == PAGE_LEFT) {
		paragraph(out, " class=\"dim\"", w->mistake, p);
		form(out, "resubscribe", "yes", " class=\"quiet\"", w->again);
	}
	buf_str(out, "</main>\n</body>\n</html>\n");
}
