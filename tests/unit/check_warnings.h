/*
 * check_warnings - policies that are right but not wise, or right.  Rows of
 * a table in check.c.
 */
	{ .name = "a policy without a fault is passed in silence",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"}\n") },
	  },
	  .want =
		"" },
	{ .name = "a queue that keeps mail for less than the usual wait",
	  .files = {
	    { "policy.conf", TEXT("maximal_queue_lifetime = \"2 days\"\n") },
	  },
	  .want =
		"policy.conf:1:1: warning: maximal_queue_lifetime: mail may be held for 24 hours where no hold_max is written, and is to have a day for its delivery then; write hold_max\n" },
	{ .name = "what a class says and automatic tenants cannot have",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tstream \"verp\" { match = {\"sender:v@*\"}  return_path = \"verp\" }\n"
		"}\n"
		"auto_tenant { by = \"login-domain\"  class = \"c\" }\n") },
	  },
	  .want =
		"policy.conf:2:42: warning: stream \"verp\": there is no bounce_domain for return_path = \"verp\": MAIL FROM stays as it came\n" },
	{ .name = "automatic tenants with bounces below each one's domain",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tstream \"verp\" { match = {\"sender:v@*\"}  return_path = \"verp\" }\n"
		"}\n"
		"auto_tenant { by = \"login-domain\"  class = \"c\"  bounce_domain = \"b.*\" }\n") },
	  },
	  .want =
		"" },
	{ .name = "platform's key signs one-click mail of a tenant in the main file",
	  .files = {
	    { "policy.conf", TEXT("dkim \"p1\" { domain = \"host.example\" key = \"good.rsa\" }\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tbounce_domain = \"b.a.example\"\n"
		"\tunsubscribe { url = \"https://u.example/u/\" }\n"
		"\tstream \"n\" { match = {\"sender:n@*\"} priority = \"bulk\" unsubscribe = \"one-click\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:1: warning: tenant \"a\" has no dkim block: its mail is signed by the platform only\n" },
	{ .name = "a tenant without a key is sent unsigned",
	  .files = {
	    { "policy.conf", TEXT("# one\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:1: warning: tenant \"a\" has no dkim block: its mail is sent unsigned\n" },
	{ .name = "a tenant without a key is signed by the platform",
	  .files = {
	    { "policy.conf", TEXT("dkim \"p1\" { domain = \"host.example\" key = \"good.rsa\" }\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:1: warning: tenant \"a\" has no dkim block: its mail is signed by the platform only\n" },
	{ .name = "a header takes mail out of a later stream's limit",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tcap \"all\" { limit = \"100/day\" }\n"
		"\tstream \"txn\" { match = {\"header:X-Txn\"} }\n"
		"\tstream \"bulk\" {\n"
		"\t\tmatch = {\"sender:news@*\"}\n"
		"\t\tcap \"bulk\" { limit = \"2/day\" }\n"
		"\t}\n"
		"}\n"
		"class \"d\" {\n"
		"\tstream \"txn\" { match = {\"header:X-Txn\"} }\n"
		"\tstream \"default\" { cap \"few\" { limit = \"2/day\" } }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:2: warning: stream \"txn\" is selected by a header, and mail of stream \"bulk\" escapes cap \"bulk\" at policy.conf:6:3 by it: anybody could write that header; name the logins that may, claim = {\"...\"}\n"
		"policy.conf:10:2: warning: stream \"txn\" is selected by a header, and mail of stream \"default\" escapes cap \"few\" at policy.conf:11:21 by it: anybody could write that header; name the logins that may, claim = {\"...\"}\n" },
	{ .name = "a header that takes nothing out of a limit",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tcap \"all\" { limit = \"100/day\" }\n"
		"\tstream \"txn\" { match = {\"header:X-Txn !sender:news@*\"} }\n"
		"\tstream \"vip\" { match = {\"header:X-Vip\"} claim = {\"v\"} }\n"
		"\tstream \"own\" { match = {\"header:X-Own\"} cap \"own\" { limit = \"1/day\" } }\n"
		"\tstream \"bulk\" {\n"
		"\t\tmatch = {\"sender:news@*\"}\n"
		"\t\tcap \"bulk\" { limit = \"2/day\" }\n"
		"\t}\n"
		"\tstream \"end\" { match = {\"header:X-End\"} }\n"
		"}\n") },
	  },
	  .want =
		"" },
	{ .name = "a pool without an address",
	  .files = {
	    { "policy.conf", TEXT("pool \"b2b\" {\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:1:1: warning: pool \"b2b\" has no address: nothing could leave by it\n" },
	{ .name = "pools that mail cannot be sent to",
	  .files = {
	    { "policy.conf", TEXT("pool \"many\" {\n"
		"\taddress \"192.0.2.1\" { transport = \"m1\" }\n"
		"\taddress \"192.0.2.2\" { transport = \"m2\" }\n"
		"}\n"
		"pool \"mild\" {\n"
		"\tselect = \"sender\" overflow = \"many\"\n"
		"\taddress \"192.0.2.3\" { transport = \"m3\" }\n"
		"}\n"
		"pool \"most\" {\n"
		"\toverflow = \"mild\"\n"
		"\taddress \"192.0.2.4\" { transport = \"m4\" }\n"
		"}\n"
		"class \"c\" { pool \"mild\" { }\n"
		"\tstream \"letters\" { match = \"sender:n@*\" return_path = \"verp\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:2: warning: pool \"many\" has several addresses and no select: Postfix is not told which one the gate counted; write select = \"sender\" or \"header\"\n"
		"policy.conf:10:13: warning: overflow: pool \"mild\" has an overflow of its own, which mail that comes from here does not take\n"
		"policy.conf:13:13: warning: pool \"mild\" is selected by the return path (select = \"sender\"), and stream \"default\" keeps it: its mail leaves by Postfix's own route; write return_path = \"verp\"\n" },
	{ .name = "more recipients in a message than a burst has room for",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tthrottle \"steady\" { rate = \"200/hour\" burst = 20 }\n"
		"\tmax_recipients = 50\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tclass = \"c\"\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:2: warning: max_recipients 50 is more than throttle \"steady\" at policy.conf:2:2 ever lets pass at once (20): the rest of such a message is deferred\n" },
	{ .name = "as many recipients as a burst has room for",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tthrottle \"steady\" { rate = \"200/hour\" }\n"
		"\tmax_recipients = 200\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tclass = \"c\"\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"}\n") },
	  },
	  .want =
		"" },
	{ .name = "a daily cap above the monthly one",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tcap \"day\" { limit = \"5000/day\" }\n"
		"\tcap \"month\" { limit = \"1000/month@17\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:2: warning: cap \"day\" (5000/day) can never bind: cap \"month\" (1000/month@17) at policy.conf:3:2 is always reached first\n" },
	{ .name = "a weekly cap above the monthly one may bind all the same",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tcap \"week\" { limit = \"1500/week\" }\n"
		"\tcap \"month\" { limit = \"1000/month\" }\n"
		"}\n") },
	  },
	  .want =
		"" },
	{ .name = "a cap that a throttle never lets anybody reach",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tthrottle \"steady\" { rate = \"10/hour\" }\n"
		"\tcap \"day\" { limit = \"262/day\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:2: warning: cap \"day\" (262/day) can never bind: throttle \"steady\" (10/hour) at policy.conf:2:2 is always reached first\n" },
	{ .name = "a wider cap does not cover a narrower one of another count",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tcap \"a\" { limit = \"5000/day\" }\n"
		"\tcap \"b\" { limit = \"1000/month\" count = \"messages\" }\n"
		"}\n") },
	  },
	  .want =
		"" },
	{ .name = "a cap of one provider under a smaller cap of all",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tcap \"google\" { limit = \"5000/day\" to = \"provider:google\" }\n"
		"\tcap \"all\" { limit = \"1000/day\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:2: warning: cap \"google\" (5000/day) can never bind: cap \"all\" (1000/day) at policy.conf:3:2 is always reached first\n" },
	{ .name = "a cap of all above a smaller cap of one provider",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tcap \"google\" { limit = \"1000/day\" to = \"provider:google\" }\n"
		"\tcap \"all\" { limit = \"5000/day\" }\n"
		"}\n") },
	  },
	  .want =
		"" },
	{ .name = "a tenant's own number that makes its class's limit idle",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tcap \"day\" { limit = \"500/day\" }\n"
		"\tcap \"hour\" { limit = \"100/hour\" }\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tclass = \"c\"\n"
		"\tcap \"hour\" { limit = \"600/hour\" }\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:9:2: warning: cap \"hour\" (600/hour) can never bind: cap \"day\" (500/day) at policy.conf:2:2 is always reached first\n" },
	{ .name = "a group's limit is not judged by one tenant's",
	  .files = {
	    { "policy.conf", TEXT("group \"g\" { cap \"all\" { limit = \"9000/day\" } }\n"
		"class \"c\" {\n"
		"\tcap \"day\" { limit = \"500/day\" }\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tclass = \"c\"\n"
		"\tgroup = \"g\"\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"}\n") },
	  },
	  .want =
		"" },
	{ .name = "a tenant's limit above its group's",
	  .files = {
	    { "policy.conf", TEXT("group \"g\" { cap \"all\" { limit = \"900/day\" } }\n"
		"class \"c\" {\n"
		"\tcap \"day\" { limit = \"1000/day\" }\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tclass = \"c\"\n"
		"\tgroup = \"g\"\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:2: warning: cap \"day\" (1000/day) can never bind: cap \"all\" (900/day) at policy.conf:1:13 is always reached first\n" },
	{ .name = "a key that is rather short",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"short.rsa\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:2: warning: dkim \"s1\": an RSA key of less than 2048 bits; more and more receivers ignore its signatures\n" },
	{ .name = "a letter to nowhere",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tstream \"news\" { match = \"any\" priority = \"bulk\" unsubscribe = \"mailto\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:5:50: warning: stream \"news\": there is no bounce_domain for the mailto: no List-Unsubscribe is written\n" },
	{ .name = "one-click without a letter for several recipients",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tunsubscribe { url = \"https://u.example/u/\" }\n"
		"\tstream \"news\" { match = \"any\" priority = \"bulk\" unsubscribe = \"one-click\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:6:50: warning: stream \"news\": there is no bounce_domain for the mailto: mail to several recipients at once gets no List-Unsubscribe\n" },
