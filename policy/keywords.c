/*
 * keywords - the table of the policy language.
 *
 * The same name may have several rows, as long as no two stand in the same
 * block: "class" is a block in the main file and a setting in a tenant.
 */
#include "policy/keywords.h"

#include "policy/policy.h"

#define DAY_MAX		INT64_C(1000000000)
#define COUNT_MAX	INT64_C(1000000000000)		/* 10^12 */

const char *const mode_choices[] = { "enforce", "shadow", NULL };
static const char *const then_choices[] = { "defer", "refuse", NULL };
static const char *const partial_choices[] = { "allow", "all-or-none", NULL };
static const char *const yes_no[] = { "no", "yes", NULL };
static const char *const unknown_choices[] = { "defer", "refuse", NULL };
static const char *const algorithm_choices[] = { "rsa-sha256",
	"ed25519-sha256", NULL };			/* as enum key_type */
static const char *const by_choices[] = { "login-domain", NULL };
static const char *const identify_choices[] = { "from-domain", NULL };

#define IN_LIMIT	(IN_THROTTLE | IN_CAP | IN_OPEN)
#define IN_LIMITED	(IN_FILE | IN_GROUP | IN_CLASS | IN_TENANT | \
			IN_STREAM | IN_POOL | IN_ADDRESS)
#define IN_LEVEL	(IN_FILE | IN_GROUP | IN_CLASS | IN_TENANT)

/* clang-format off */
static const struct keyword rows[] = {
	/* the main file */
	{ "include", KEYWORD_STRING, IN_FILE, WORD_INCLUDE,
	    .help = "a file, or a folder whose *.conf hold tenants" },
	{ "timezone", KEYWORD_ZONE, IN_FILE | IN_TENANT | IN_POOL,
	    WORD_TIMEZONE, .unset = "UTC",
	    .help = "zone in which days, weeks and months of caps begin" },
	{ "unknown_sender", KEYWORD_CHOICE, IN_FILE, WORD_UNKNOWN_SENDER,
	    .choices = unknown_choices, .unset = "defer",
	    .help = "answer to a login that no tenant claims" },
	{ "inflight", KEYWORD_NUMBER, IN_FILE, WORD_INFLIGHT,
	    .least = 1, .most = 100, .unset = "25",
	    .help = "percent of a shared cap that one tenant may hold "
	    "reserved" },
	{ "maximal_queue_lifetime", KEYWORD_DURATION, IN_FILE,
	    WORD_QUEUE_LIFETIME, .unset = "5d",
	    .help = "Postfix's: how long it keeps what it cannot deliver" },
	{ "submission", KEYWORD_SET, IN_FILE, WORD_SUBMISSION,
	    .unset = "names with \"submission\" or \"smtps\"",
	    .help = "more listeners ({daemon_name}) that are submission" },
	{ "local_transports", KEYWORD_SET, IN_FILE, WORD_LOCAL_TRANSPORTS,
	    .unset = "local, virtual, lmtp, maildrop, dovecot",
	    .help = "transports whose recipients are local: never charged" },
	{ "trusted", KEYWORD_BLOCK, IN_FILE, WORD_TRUSTED,
	    .help = "clients whose From domain names the tenant" },
	{ "identify", KEYWORD_CHOICE, IN_TRUSTED, WORD_IDENTIFY,
	    .choices = identify_choices,
	    .help = "how the tenant of trusted mail is found" },

	{ "login_map", KEYWORD_LIST, IN_FILE, WORD_LOGIN_MAP,
	    .unset = "none",
	    .help = "files of \"login tenant\" lines, for very many logins" },
	{ "claim", KEYWORD_BLOCK, IN_FILE, WORD_CLAIM_BLOCK, .titles = 1,
	    .help = "who names the tenant of a mail in that header" },
	{ "tenants", KEYWORD_SET, IN_CLAIM, WORD_TENANTS,
	    .unset = "any", .help = "the tenants that may be named" },
	{ "auto_tenant", KEYWORD_BLOCK, IN_FILE, WORD_AUTO_TENANT,
	    .help = "tenants that appear by themselves, one for a domain" },
	{ "by", KEYWORD_CHOICE, IN_AUTO, WORD_BY, .choices = by_choices,
	    .help = "what they are made of: the domain of the login" },
	{ "except", KEYWORD_SET, IN_AUTO, WORD_EXCEPT, .unset = "none",
	    .help = "domains that become no tenant: x, *.x" },

	/* pools */
	{ "pool", KEYWORD_BLOCK, IN_FILE, WORD_POOL, .titles = 1,
	    .help = "sending addresses that belong together" },
	{ "select", KEYWORD_CHOICE, IN_POOL, WORD_SELECT,
	    .choices = select_names, .unset = "none",
	    .help = "how Postfix is told the address: sender, header, or none, "
	    "which is its own route" },
	{ "fair", KEYWORD_CHOICE, IN_POOL, WORD_FAIR, .choices = fair_names,
	    .unset = "none",
	    .help = "tenant: each one's weight of its caps is guaranteed" },
	{ "overflow", KEYWORD_NAME, IN_POOL, WORD_OVERFLOW, .unset = "none",
	    .help = "the pool for mail that its own caps have no room for" },
	{ "other_path", KEYWORD_CHOICE, IN_POOL, WORD_OTHER_PATH,
	    .choices = other_path_names, .unset = "defer",
	    .help = "recipients whose weight says another pool: 452, or they "
	    "go with the first" },
	{ "share", KEYWORD_BLOCK, IN_POOL, WORD_SHARE,
	    .help = "percent of an address's warmup for a provider" },
	{ "schedule", KEYWORD_BLOCK, IN_FILE, WORD_SCHEDULE, .titles = 1,
	    .help = "how many on day 1, on day 2, ... of a warmup" },
	{ "table", KEYWORD_SET, IN_SCHEDULE, WORD_TABLE,
	    .help = "the numbers, {\"50\", \"60\", ...}" },
	{ "start", KEYWORD_NUMBER, IN_SCHEDULE, WORD_START,
	    .least = 1, .most = DAY_MAX, .help = "the number of day 1" },
	{ "ratio", KEYWORD_NUMBER, IN_SCHEDULE, WORD_RATIO,
	    .help = "how much more each day: 1.1 is a tenth more" },
	{ "target", KEYWORD_NUMBER, IN_SCHEDULE, WORD_TARGET,
	    .least = 1, .most = DAY_MAX, .help = "the number it ends with" },
	{ "warmup", KEYWORD_NAME,
	    IN_ADDRESS | IN_CLASS | IN_TENANT | IN_STREAM, WORD_WARMUP,
	    .unset = "none",
	    .help = "the schedule by which its mail may grow; \"none\"" },
	{ "warmup", KEYWORD_BLOCK,
	    IN_ADDRESS | IN_CLASS | IN_TENANT | IN_STREAM, WORD_WARMUP,
	    .titles = 1, .help = "the same, with settings" },
	{ "started", KEYWORD_STRING, IN_ADDRESS | IN_WARMUP, WORD_STARTED,
	    .unset = "first-mail",
	    .help = "the date of day 1, or that of the first mail" },
	{ "active_hours", KEYWORD_LIST, IN_ADDRESS | IN_WARMUP,
	    WORD_ACTIVE_HOURS, .unset = "all day",
	    .help = "when bulk mail may be sent: \"Mon-Fri 08:00-18:00\"" },
	{ "require_outcomes", KEYWORD_CHOICE, IN_ADDRESS | IN_WARMUP,
	    WORD_REQUIRE_OUTCOMES, .choices = yes_no, .unset = "no",
	    .help = "no new day while nobody knows what became of the mail" },
	{ "fast_track", KEYWORD_CHOICE, IN_ADDRESS | IN_WARMUP,
	    WORD_FAST_TRACK, .choices = yes_no, .unset = "no",
	    .help = "a day more after three that were full and clean" },
	{ "per", KEYWORD_LIST, IN_WARMUP, WORD_PER,
	    .unset = "what it stands in",
	    .help = "what has a warmup of its own: login, sender_domain, "
	    "address, ..." },
	{ "over", KEYWORD_CHOICE, IN_WARMUP, WORD_OVER,
	    .choices = over_names, .unset = "hold for interactive mail, else "
	    "defer",
	    .help = "answer beyond it: defer 451, hold, refuse 550" },
	{ "mode", KEYWORD_CHOICE, IN_WARMUP, WORD_MODE,
	    .choices = mode_choices, .unset = "enforce",
	    .help = "shadow: decided and recorded, and the mail passes" },
	{ "address", KEYWORD_BLOCK, IN_POOL, WORD_ADDRESS, .titles = 1,
	    .help = "an IP address that Postfix binds to" },
	{ "helo", KEYWORD_STRING, IN_ADDRESS, WORD_HELO,
	    .unset = "Postfix's myhostname",
	    .help = "the name it says in EHLO" },
	{ "transport", KEYWORD_NAME, IN_ADDRESS, WORD_TRANSPORT,
	    .help = "its service in Postfix's master.cf" },

	/* groups, classes, tenants */
	{ "group", KEYWORD_BLOCK, IN_FILE, WORD_GROUP, .titles = 1,
	    .help = "tenants that share limits and a contact" },
	{ "class", KEYWORD_BLOCK, IN_FILE, WORD_CLASS, .titles = 1,
	    .help = "a plan: limits that stand in each of its tenants" },
	{ "tenant", KEYWORD_BLOCK, IN_FILE, WORD_TENANT, .titles = 1,
	    .help = "one who sends" },
	{ "group", KEYWORD_NAME, IN_TENANT | IN_AUTO, WORD_IN_GROUP,
	    .unset = "none", .help = "the group it belongs to" },
	{ "class", KEYWORD_NAME, IN_TENANT | IN_AUTO, WORD_IN_CLASS,
	    .unset = "none", .help = "the class whose limits it has" },
	{ "extends", KEYWORD_NAME, IN_CLASS, WORD_EXTENDS,
	    .unset = "nothing", .help = "the class whose lines it begins with" },
	{ "pool", KEYWORD_BLOCK, IN_CLASS | IN_TENANT | IN_STREAM, WORD_POOL,
	    .titles = 1, .help = "a pool its mail leaves by" },
	{ "weight", KEYWORD_NUMBER, IN_ROUTE, WORD_WEIGHT,
	    .least = 1, .most = 1000000, .unset = "1",
	    .help = "this pool's part beside the other pools" },
	{ "contact", KEYWORD_STRING, IN_GROUP | IN_TENANT, WORD_CONTACT,
	    .unset = "none", .help = "whom replies tell the sender to ask" },
	{ "value", KEYWORD_NUMBER, IN_TENANT, WORD_VALUE,
	    .least = 0, .most = COUNT_MAX, .unset = "not known",
	    .help = "what the tenant is worth to you, in any unit: penstock "
	    "report says how much of all of it is at risk" },
	{ "paused", KEYWORD_STRING, IN_GROUP | IN_TENANT | IN_STREAM,
	    WORD_PAUSED, .unset = "not paused",
	    .help = "the reason why all mail gets 451 for now" },
	{ "suppressed", KEYWORD_CHOICE, IN_LEVEL | IN_STREAM, WORD_SUPPRESSED,
	    .choices = suppressed_names, .unset = "drop",
	    .help = "a recipient who bounced, complained or unsubscribed: "
	    "drop takes him out of the message, refuse answers 550" },
	{ "complaint_scope", KEYWORD_CHOICE, IN_LEVEL | IN_STREAM,
	    WORD_COMPLAINT_SCOPE, .choices = complaint_scope_names,
	    .unset = "bulk",
	    .help = "what a complaint stops: bulk mail, or all mail of the "
	    "tenant to who complained" },
	{ "logins", KEYWORD_SET, IN_TENANT | IN_CLAIM, WORD_LOGINS,
	    .help = "SASL logins: x, *@domain, *@.domain (all below)" },
	{ "clients", KEYWORD_SET, IN_TENANT | IN_TRUSTED | IN_CLAIM,
	    WORD_CLIENTS,
	    .help = "addresses and networks it sends from without a login" },
	{ "domains", KEYWORD_SET, IN_TENANT, WORD_DOMAINS,
	    .help = "what it may write in MAIL FROM and From: x, *.x" },
	{ "bounce_domain", KEYWORD_STRING, IN_TENANT | IN_AUTO,
	    WORD_BOUNCE_DOMAIN, .unset = "none",
	    .help = "one more domain for MAIL FROM only; in auto_tenant one "
	    "for all, or \"bounce.*\", below each one's own" },

	/* what a nearer level may say again */
	{ "mode", KEYWORD_CHOICE, IN_LEVEL | IN_STREAM | IN_LIMIT, WORD_MODE,
	    .choices = mode_choices, .unset = "enforce",
	    .help = "shadow: decided and recorded, and the mail passes" },
	{ "shadow", KEYWORD_SET, IN_LEVEL | IN_STREAM, WORD_SHADOW,
	    .unset = "nothing",
	    .help = "the parts in shadow: limits, ownership, require, "
	    "suppression" },
	{ "max_recipients", KEYWORD_NUMBER, IN_LEVEL | IN_STREAM,
	    WORD_MAX_RECIPIENTS, .least = 1, .most = 1000000,
	    .unset = "none", .help = "recipients of one message" },
	{ "partial", KEYWORD_CHOICE, IN_LEVEL | IN_STREAM, WORD_PARTIAL,
	    .choices = partial_choices, .unset = "all-or-none where mail "
	    "programs submit, else allow",
	    .help = "may some recipients of a message pass without the "
	    "others?" },
	{ "then", KEYWORD_CHOICE, IN_LEVEL | IN_STREAM, WORD_THEN,
	    .choices = then_choices, .unset = "defer",
	    .help = "answer to what may be held and does not fit" },
	{ "hold_max", KEYWORD_DURATION, IN_LEVEL | IN_STREAM, WORD_HOLD_MAX,
	    .unset = "24h",
	    .help = "what is held must be free to go within this time; 72h "
	    "at most" },
	{ "backoff", KEYWORD_CHOICE, IN_LEVEL | IN_STREAM, WORD_BACKOFF,
	    .choices = heed_names, .unset = "advise",
	    .help = "what a provider's wish for less mail does: off, advise "
	    "shows it, enforce slows or defers" },
	{ "backoff_max", KEYWORD_DURATION, IN_LEVEL | IN_STREAM,
	    WORD_BACKOFF_MAX, .unset = "4h",
	    .help = "how long one may last at most; 24h at most" },
	{ "priority", KEYWORD_CHOICE, IN_LEVEL | IN_STREAM, WORD_PRIORITY,
	    .choices = priority_names, .unset = "transactional",
	    .help = "which mail may wait; interactive is held, not "
	    "deferred" },
	{ "fair_weight", KEYWORD_NUMBER, IN_LEVEL, WORD_FAIR_WEIGHT,
	    .least = 1, .most = 1000, .unset = "1",
	    .help = "a tenant's part of a pool that is fair, beside the other "
	    "tenants'" },
	{ "return_path", KEYWORD_CHOICE, IN_LEVEL | IN_STREAM,
	    WORD_RETURN_PATH, .choices = return_path_names, .unset = "keep",
	    .help = "MAIL FROM as it came, or one for each recipient" },

	/* streams */
	{ "stream", KEYWORD_BLOCK, IN_LEVEL, WORD_STREAM, .titles = 1,
	    .help = "a part of a tenant's mail with settings of its own" },
	{ "match", KEYWORD_LIST, IN_STREAM, WORD_MATCH,
	    .help = "lines of words; any line that fits selects the stream" },
	{ "strip", KEYWORD_CHOICE, IN_STREAM, WORD_STRIP,
	    .choices = yes_no, .unset = "no",
	    .help = "remove the headers that select the stream" },
	{ "claim", KEYWORD_SET, IN_STREAM, WORD_CLAIM,
	    .unset = "every login",
	    .help = "logins that may select the stream by a header" },

	/* breakers */
	{ "breaker", KEYWORD_BLOCK, IN_LEVEL | IN_STREAM, WORD_BREAKER,
	    .titles = 1,
	    .help = "stops mail of which too much goes wrong" },
	{ "when", KEYWORD_CHOICE, IN_BREAKER, WORD_WHEN,
	    .choices = breaker_when_names, .unset = "hard_bounce",
	    .help = "what goes wrong" },
	{ "rate", KEYWORD_STRING, IN_BREAKER, WORD_BREAKER_RATE,
	    .help = "\"8%\": the part of it that is too much; \"none\" "
	    "switches an inherited one off" },
	{ "least", KEYWORD_NUMBER, IN_BREAKER, WORD_LEAST,
	    .least = 1, .most = 1000000000, .unset = "10",
	    .help = "how many recipients must be known before it is judged" },
	{ "window", KEYWORD_DURATION, IN_BREAKER, WORD_WINDOW,
	    .unset = "1 hour", .help = "how far it looks back" },
	{ "per", KEYWORD_LIST, IN_BREAKER, WORD_PER,
	    .unset = "tenant, and the stream it stands in",
	    .help = "what is judged apart: tenant, stream, login" },
	{ "action", KEYWORD_CHOICE, IN_BREAKER, WORD_ACTION,
	    .choices = breaker_action_names, .unset = "hold",
	    .help = "what the mail gets until a person lifts it" },
	{ "slow", KEYWORD_RATE, IN_BREAKER, WORD_SLOW, .unset = "60/hour",
	    .help = "what action = \"slow\" lets through" },

	/* what bulk mail carries */
	{ "unsubscribe", KEYWORD_CHOICE, IN_STREAM, WORD_UNSUBSCRIBE,
	    .choices = unsubscribe_names, .unset = "off",
	    .help = "the List-Unsubscribe that bulk mail gets" },
	{ "unsubscribe", KEYWORD_BLOCK, IN_LEVEL, WORD_UNSUBSCRIBE_BLOCK,
	    .help = "where one unsubscribes, and the exceptions" },
	{ "url", KEYWORD_STRING, IN_UNSUBSCRIBE, WORD_URL, .unset = "none",
	    .help = "https://.../ of penstock-unsubscribe" },
	{ "mailto", KEYWORD_STRING, IN_UNSUBSCRIBE, WORD_MAILTO,
	    .unset = "unsubscribe",
	    .help = "local part of its address at bounce_domain; \"none\"" },
	{ "many_recipients", KEYWORD_CHOICE, IN_UNSUBSCRIBE,
	    WORD_MANY_RECIPIENTS, .choices = many_names, .unset = "mailto",
	    .help = "one-click mail to several at once" },
	{ "existing", KEYWORD_CHOICE, IN_UNSUBSCRIBE, WORD_EXISTING,
	    .choices = existing_names, .unset = "keep",
	    .help = "what becomes of a sender's own List-Unsubscribe" },
	{ "list_id", KEYWORD_CHOICE, IN_UNSUBSCRIBE, WORD_LIST_ID,
	    .choices = yes_no, .unset = "no",
	    .help = "write a List-Id where there is none" },
	{ "feedback_id", KEYWORD_CHOICE, IN_LEVEL | IN_STREAM,
	    WORD_FEEDBACK_ID, .choices = feedback_names, .unset = "off",
	    .help = "Feedback-ID of bulk mail: ours, or the sender's if he "
	    "has one" },
	{ "campaign", KEYWORD_STRING, IN_LEVEL | IN_STREAM, WORD_CAMPAIGN,
	    .unset = "none",
	    .help = "the header that names the campaign; \"none\"" },
	{ "cfbl", KEYWORD_STRING, IN_LEVEL | IN_STREAM, WORD_CFBL,
	    .unset = "none",
	    .help = "address for complaints about bulk mail (RFC 9477)" },
	{ "postal_address", KEYWORD_STRING, IN_LEVEL | IN_STREAM,
	    WORD_POSTAL_ADDRESS, .unset = "none",
	    .help = "what a text of bulk mail must have" },
	{ "postal", KEYWORD_CHOICE, IN_LEVEL | IN_STREAM, WORD_POSTAL,
	    .choices = postal_names, .unset = "record",
	    .help = "what becomes of bulk mail without postal_address" },

	/* dkim */
	{ "dkim", KEYWORD_BLOCK, IN_FILE | IN_TENANT | IN_STREAM, WORD_DKIM,
	    .titles = 1,
	    .help = "a key that signs; the title is the selector" },
	{ "domain", KEYWORD_STRING, IN_DKIM, WORD_DOMAIN,
	    .help = "d= of the signature" },
	{ "key", KEYWORD_STRING, IN_DKIM, WORD_KEY,
	    .help = "file of the private key, relative to keys" },
	{ "algorithm", KEYWORD_CHOICE, IN_DKIM, WORD_ALGORITHM,
	    .choices = algorithm_choices, .unset = "the key's",
	    .help = "what the key must be good for" },

	/* limits */
	{ "throttle", KEYWORD_BLOCK, IN_LIMITED, WORD_THROTTLE,
	    .titles = 1,
	    .help = "a steady rate with a burst (a leaking bucket)" },
	{ "cap", KEYWORD_BLOCK, IN_LIMITED, WORD_CAP, .titles = 1,
	    .help = "a count per calendar minute, hour, day, week, month" },
	{ "open", KEYWORD_BLOCK, IN_LIMITED, WORD_OPEN,
	    .titles = 1,
	    .help = "recipients accepted and not yet delivered or bounced" },
	{ "rate", KEYWORD_RATE, IN_THROTTLE, WORD_RATE,
	    .help = "\"200/hour\"; \"none\" switches an inherited one off" },
	{ "burst", KEYWORD_NUMBER, IN_THROTTLE, WORD_BURST,
	    .least = 1, .most = COUNT_MAX, .unset = "the rate's number",
	    .help = "how many may pass at once after a quiet time" },
	{ "limit", KEYWORD_CAP, IN_CAP, WORD_LIMIT,
	    .help = "\"1000/day\"; \"none\" switches an inherited one off" },
	{ "limit", KEYWORD_STRING, IN_OPEN, WORD_LIMIT,
	    .help = "\"5000\"; \"none\" switches an inherited one off" },
	{ "count", KEYWORD_CHOICE, IN_THROTTLE | IN_CAP, WORD_COUNT,
	    .choices = count_by_names, .unset = "recipients",
	    .help = "what is counted" },
	{ "to", KEYWORD_STRING, IN_LIMIT, WORD_TO, .unset = "all",
	    .help = "only recipients of \"provider:NAME\"" },
	{ "per", KEYWORD_LIST, IN_LIMIT, WORD_PER,
	    .unset = "what it stands in",
	    .help = "what has a count of its own: tenant, stream, login, "
	    "sender, ..." },
	{ "over", KEYWORD_CHOICE, IN_LIMIT, WORD_OVER,
	    .choices = over_names, .unset = "hold for interactive mail, else "
	    "defer",
	    .help = "answer beyond it: defer 451, hold, refuse 550" },
	{ "jitter", KEYWORD_NUMBER, IN_THROTTLE | IN_CAP, WORD_JITTER,
	    .least = 0, .most = 1, .unset = "0",
	    .help = "0 to 1: the next slot told is later by a random part "
	    "of the wait" },
};
/* clang-format on */

static const char *const where_names[] = { "the main file", "trusted", "pool",
	"address", "group", "class", "tenant", "throttle", "cap", "dkim",
	"pool of a tenant", "stream", "open", "claim",
	"auto_tenant", "unsubscribe", "breaker", "share", "warmup",
	"schedule", NULL };

const struct keyword_table policy_keywords = { rows,
	sizeof(rows) / sizeof(rows[0]), where_names };

/* Words of the language that a later release adds. */
struct later {
	const char	*name;
	unsigned	 where;
	const char	*means;		/* what would be believed in vain */
};

/* clang-format off */
static const struct later laters[] = {
	{ "require", IN_LEVEL | IN_STREAM, "nothing is looked up in DNS" },
};
/* clang-format on */

/* later_find - is it a word that will mean something here one day? */
static const struct later *
later_find(struct slice name, unsigned where)
{
	for (size_t i = 0; i < sizeof(laters) / sizeof(laters[0]); i++)
		if ((laters[i].where & where) != 0 &&
		    slice_is(name, laters[i].name))
			return &laters[i];
	return NULL;
}

/* drop_percent - "25%" is the number 25 */
static void
drop_percent(struct value *v)
{
	if (v->type == VALUE_STRING && v->text.n > 1 &&
	    v->text.p[v->text.n - 1] == '%') {
		v->type = VALUE_NUMBER;
		v->text.n--;
	}
}

/* words_check - the row of a node, or NULL with the mistake said */
const struct keyword *
words_check(struct node *node, unsigned where, struct problems *problems)
{
	const struct later *later = later_find(node->name, where);

	if (later != NULL) {
		problem_error(problems, node->at,
		    "%s is not part of this release (%s); take it out of the "
		    "%s", later->name, later->means, where == IN_FILE ?
		    "file" : policy_keywords.where_names[
		    __builtin_ctz(where)]);
		return NULL;
	}
	if (node->type == NODE_SETTING && slice_is(node->name, "inflight"))
		drop_percent(&node->value);
	return keyword_check(&policy_keywords, node, where, problems);
}
