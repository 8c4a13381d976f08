/*
 * check_levels - what levels make of one another that is right but not wise,
 * or right.  Rows of a table in check.c.
 */
	{ .name = "a limit of the main file that counts everybody together",
	  .files = {
	    { "policy.conf", TEXT("cap \"day\" { limit = \"5000/day\" }\n"
		"cap \"all\" { limit = \"6000/day\" per = \"all\" }\n"
		"cap \"each\" { limit = \"70/day\" per = \"tenant\" }\n") },
	  },
	  .want =
		"policy.conf:1:1: warning: cap \"day\" counts the mail of all tenants together; write per = \"tenant\" for one count each, or per = \"all\" to say that you mean it\n"
		"policy.conf:2:1: warning: cap \"all\" (6000/day) can never bind: cap \"day\" (5000/day) at policy.conf:1:1 is always reached first\n" },
	{ .name = "a shared cap measured by a tenant's own number",
	  .files = {
	    { "policy.conf", TEXT("group \"g\" {\n"
		"\tcap \"contract\" { limit = \"500/month\" }\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tgroup = \"g\"\n"
		"\tcap \"contract\" { limit = \"100/month\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:9:19: warning: cap \"contract\" is shared, at policy.conf:2:2: what is written here is measured against what all its tenants have spent\n" },
	{ .name = "a stream that counts weeks where its tenant counts days",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tcap \"plan\" { limit = \"100/day\" }\n"
		"\tstream \"s\" {\n"
		"\t\tmatch = {\"sender:s@*\"}\n"
		"\t\tcap \"plan\" { limit = \"130/week\" }\n"
		"\t}\n"
		"\tstream \"t\" {\n"
		"\t\tmatch = {\"sender:t@*\"}\n"
		"\t\tcap \"plan\" { limit = \"30/day\" }\n"
		"\t}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:8:3: warning: cap \"plan\" has another rate, window or count than the one at policy.conf:5:2: it counts for itself here, and what it counts is not counted there\n" },
	{ .name = "a shared cap that a class switches off",
	  .files = {
	    { "policy.conf", TEXT("cap \"house\" { limit = \"500/month\" per = \"all\" }\n"
		"class \"c\" {\n"
		"\tcap \"house\" { limit = \"none\" }\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tclass = \"c\"\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:16: warning: cap \"house\" is shared, at policy.conf:1:1: what is written here is measured against what all its tenants have spent\n" },
	{ .name = "a limit of a group that a group's limit is above",
	  .files = {
	    { "policy.conf", TEXT("group \"g\" {\n"
		"\tcap \"month\" { limit = \"500/month\" }\n"
		"\tcap \"day\" { limit = \"600/day\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:2: warning: cap \"day\" (600/day) can never bind: cap \"month\" (500/month) at policy.conf:2:2 is always reached first\n" },
	{ .name = "a stream behind one that has all mail",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tstream \"news\" { match = \"sender:news@*\" }\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tclass = \"c\"\n"
		"\tstream \"all\" { match = {\"login:x\", \"any\"} }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:2: warning: stream \"news\" is never reached: stream \"all\" at policy.conf:9:2 is tried first and has all of its mail\n" },
	{ .name = "a stream whose lines an earlier one has",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tstream \"one\" { match = {\"sender:NEWS@*\", \"login:x client:10.0.0.0/8\"} }\n"
		"\tstream \"two\" { match = {\"client:10.0.0.0/8 login:x sender:y@*\", \"login:q sender:news@*\"} }\n"
		"\tstream \"three\" { match = {\"login:x\", \"sender:news@*\"} }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:6:2: warning: stream \"two\" is never reached: stream \"one\" at policy.conf:5:2 is tried first and has all of its mail\n" },
	{ .name = "a claim hides nothing",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tstream \"one\" { match = \"header:X-S\" claim = {\"a\"} }\n"
		"\tstream \"two\" { match = \"header:X-S\" }\n"
		"}\n") },
	  },
	  .want =
		"" },
	{ .name = "max_recipients of a stream over a burst",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tthrottle \"t\" { rate = \"50/hour\" burst = 10 }\n"
		"\tstream \"news\" { match = \"sender:news@*\" max_recipients = 20 }\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tclass = \"c\"\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:42: warning: max_recipients 20 is more than throttle \"t\" at policy.conf:2:2 ever lets pass at once (10): the rest of such a message is deferred\n" },
	{ .name = "open limits need the ingester, said once",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\topen \"way\" { limit = \"100\" }\n"
		"\topen \"yahoo\" { limit = \"200\" to = \"provider:yahoo\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:5:2: warning: open limits need penstock-ingest: what it does not report delivered or bounced stays open (said once)\n"
		"policy.conf:6:2: warning: open \"yahoo\" (200) can never bind: open \"way\" (100) at policy.conf:5:2 is always reached first\n" },
	{ .name = "a limit in shadow binds nothing",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tcap \"tight\" { limit = \"5/day\" mode = \"shadow\" }\n"
		"\tcap \"wide\" { limit = \"10/day\" }\n"
		"}\n") },
	  },
	  .want =
		"" },
	{ .name = "lines of a login map for a tenant that is not there",
	  .files = {
	    { "policy.conf", TEXT("login_map = \"m\"\n") },
	    { "m", TEXT("x gone\n"
		"y gone\n") },
	  },
	  .want =
		"m:1:3: warning: there is no tenant \"gone\": the logins that this file gives it are nobody's\n" },
	{ .name = "a claim in vain",
	  .files = {
	    { "policy.conf", TEXT("claim \"X-T\" { logins = {\"a\", \"b\"} tenants = {\"a\", \"gone\"} }\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:1:1: warning: claim \"X-T\": there is no tenant \"gone\"\n"
		"policy.conf:1:25: warning: login \"a\" is of tenant \"a\", at policy.conf:3:12: it cannot name another\n" },
	{ .name = "a policy of all new words without a fault is passed in silence",
	  .files = {
	    { "policy.conf", TEXT("timezone = \"Europe/Madrid\"\n"
		"shadow = {\"require\", \"suppression\"}\n"
		"max_recipients = 100\n"
		"then = \"refuse\"\n"
		"hold_max = \"72h\"\n"
		"partial = \"all-or-none\"\n"
		"return_path = \"verp\"\n"
		"priority = \"interactive\"\n"
		"cap \"house\" { limit = \"9000/day\" per = \"all\" over = \"hold\" mode = \"enforce\" }\n"
		"group \"g\" {\n"
		"\tmode = \"shadow\"\n"
		"\tthrottle \"t\" { rate = \"500/hour\" per = {\"group\", \"login\"} }\n"
		"}\n"
		"class \"base\" { cap \"d\" { limit = \"100/day\" per = \"stream\" } }\n"
		"class \"c\" {\n"
		"\textends = \"base\"\n"
		"\tstream \"news\" {\n"
		"\t\tmatch = {\"sender:news@*\", \"header:X-Stream=news !login:ops\"}\n"
		"\t\tstrip = \"yes\"\n"
		"\t\tclaim = {\"a\", \"*@.a.example\"}\n"
		"\t\tcap \"d\" { limit = \"200/day\" }\n"
		"\t}\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tgroup = \"g\"\n"
		"\tbounce_domain = \"b.a.example\"\n"
		"\tclass = \"c\"\n"
		"\tstream \"default\" { cap \"d\" { jitter = 0.1 } }\n"
		"}\n") },
	  },
	  .want =
		"" },
