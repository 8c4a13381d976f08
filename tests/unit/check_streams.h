/*
 * check_streams - mistakes in streams, classes and what counts apart.  Rows of
 * a table in check.c.
 */
	{ .name = "a misspelt word of a stream",
	  .files = {
	    { "policy.conf", TEXT("# comments\n"
		"\n"
		"# and more\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"news\" { mach = \"sender:news@*\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:7:18: error: unknown word \"mach\" in stream; did you mean \"match\"?\n" },
	{ .name = "a misspelt word in a line of match",
	  .files = {
	    { "policy.conf", TEXT("# streams\n"
		"\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"news\" {\n"
		"\t\tmatch = {\"sendr:news@*\", \"recipient:\"}\n"
		"\t}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:7:12: error: match: unknown word \"sendr:news@*\"; did you mean \"sender:...\"?\n"
		"policy.conf:7:28: error: match: \"recipient:\" has no pattern\n" },
	{ .name = "a stream without a match",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"news\" { priority = \"bulk\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:2: error: stream \"news\" has no match, here or further out: no mail would be in it; write match = {\"sender:news@*\"}\n" },
	{ .name = "a stream of a class without a match, said once and not to its tenants",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tstream \"news\" { priority = \"bulk\" }\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tclass = \"c\"\n"
		"}\n"
		"group \"g\" { }\n") },
	  },
	  .want =
		"policy.conf:2:2: error: stream \"news\" has no match, here or further out: no mail would be in it; write match = {\"sender:news@*\"}\n" },
	{ .name = "a match that is empty",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"news\" { match = {} }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:26: error: match is empty: no mail would be in this stream\n" },
	{ .name = "a match in the stream that has the rest",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"default\" { match = \"any\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:21: error: stream \"default\" has all mail that no other stream has; it takes no match\n" },
	{ .name = "the same stream twice",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"news\" { match = \"any\" }\n"
		"\tstream \"news\" { match = \"any\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:5:2: error: stream \"news\" stands already at policy.conf:4:2\n" },
	{ .name = "a stream in a stream",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"news\" {\n"
		"\t\tmatch = \"any\"\n"
		"\t\tstream \"more\" { match = \"any\" }\n"
		"\t}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:6:3: error: \"stream\" cannot stand in stream; its place is in the main file, group, class or tenant\n" },
	{ .name = "a stream written as a setting",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream = \"news\"\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:2: error: stream is a block, not a setting; write stream \"...\" { ... }\n" },
	{ .name = "a stream with a name that is none",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"my news\" { match = \"any\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:9: error: \"my news\" is not a name; a name has 1 to 64 letters, digits, \".\", \"_\" or \"-\"\n" },
	{ .name = "words of a stream outside of one",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tmatch = \"any\"\n"
		"\tstrip = \"yes\"\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:2: error: \"match\" cannot stand in tenant; its place is in stream\n"
		"policy.conf:5:2: error: \"strip\" cannot stand in tenant; its place is in stream\n" },
	{ .name = "strip that is neither yes nor no",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"news\" { match = \"header:X-S\" strip = \"true\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:47: error: strip: expected \"no\" or \"yes\", found \"true\"\n" },
	{ .name = "a claim of nobody",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"news\" { match = \"header:X-S\" claim = {} }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:47: error: claim is empty: nobody could select the stream by a header; leave it out instead\n" },
	{ .name = "a claim by a pattern that a login cannot be",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"news\" { match = \"header:X-S\" claim = {\"ops*\"} }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:48: error: claim: \"ops*\": \"*\" stands only in \"*@domain\" (all logins of it) and \"*@.domain\" (all below it)\n" },
	{ .name = "a header that frees its writer of a cap",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tcap \"day\" { limit = \"50/day\" }\n"
		"\tstream \"free\" {\n"
		"\t\tmatch = \"header:X-Free\"\n"
		"\t\tcap \"day\" { limit = \"none\" }\n"
		"\t}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:5:2: error: stream \"free\" is selected by a header (match at policy.conf:6:3) and loosens cap \"day\": anybody could write that header; name the logins that may, claim = {\"...\"}\n" },
	{ .name = "a header that raises a limit of the class",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tthrottle \"t\" { rate = \"50/hour\" }\n"
		"\tstream \"fast\" {\n"
		"\t\tmatch = \"header:X-Fast=1\"\n"
		"\t\tthrottle \"t\" { rate = \"1/second\" }\n"
		"\t}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:2: error: stream \"fast\" is selected by a header (match at policy.conf:4:3) and loosens throttle \"t\": anybody could write that header; name the logins that may, claim = {\"...\"}\n" },
	{ .name = "a header that raises the recipients of a message",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tmax_recipients = 10\n"
		"\tstream \"many\" { match = \"header:X-Many\" max_recipients = 100 }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:5:2: error: stream \"many\" is selected by a header (match at policy.conf:5:18) and loosens max_recipients: anybody could write that header; name the logins that may, claim = {\"...\"}\n" },
	{ .name = "a header that puts limits in shadow",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"free\" { match = {\"sender:x@*\", \"header:X-Free\"} mode = \"shadow\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:2: error: stream \"free\" is selected by a header (match at policy.conf:4:18) and loosens all limits (shadow): anybody could write that header; name the logins that may, claim = {\"...\"}\n" },
	{ .name = "a key in the stream of a class",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tstream \"news\" {\n"
		"\t\tmatch = \"sender:news@*\"\n"
		"\t\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\t}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:3: error: dkim cannot stand in this stream; a key is of a tenant's domain: write it in the stream of that tenant\n" },
	{ .name = "a key of another's domain in a stream",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"news\" {\n"
		"\t\tmatch = \"sender:news@*\"\n"
		"\t\tdkim \"s1\" { domain = \"b.example\" key = \"good.rsa\" }\n"
		"\t}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:6:3: error: dkim \"s1\" signs for b.example, which is not among the domains of tenant \"a\"\n" },
	{ .name = "a selector of the tenant with another key in a stream",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tstream \"news\" {\n"
		"\t\tmatch = \"sender:news@*\"\n"
		"\t\tdkim \"s1\" { domain = \"a.example\" key = \"short.rsa\" }\n"
		"\t}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:7:3: error: DKIM record \"s1._domainkey.a.example\" is listed twice, first at policy.conf:4:2\n" },
	{ .name = "an Ed25519 key alone in a stream",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tstream \"news\" {\n"
		"\t\tmatch = \"sender:news@*\"\n"
		"\t\tdkim \"s2\" { domain = \"a.example\" key = \"good.ed\" algorithm = \"ed25519-sha256\" }\n"
		"\t}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:7:3: error: dkim \"s2\" is Ed25519 and a.example has no RSA key; add one, many receivers verify RSA only\n" },
	{ .name = "a pool of a stream that does not exist",
	  .files = {
	    { "policy.conf", TEXT("pool \"b2b\" {\n"
		"\taddress \"192.0.2.1\" { transport = \"b1\" }\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"news\" { match = \"any\" pool \"b2c\" { } }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:7:37: error: there is no pool \"b2c\"; did you mean \"b2b\"?\n" },
	{ .name = "a class that extends itself",
	  .files = {
	    { "policy.conf", TEXT("# plans\n"
		"\n"
		"class \"a\" {\n"
		"\textends = \"a\"\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:2: error: class \"a\" extends itself: \"a\" extends \"a\"\n" },
	{ .name = "classes that extend each other in a circle",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" { extends = \"b\" }\n"
		"class \"b\" { extends = \"c\" }\n"
		"class \"c\" { extends = \"a\" }\n"
		"class \"d\" { extends = \"a\" }\n") },
	  },
	  .want =
		"policy.conf:1:13: error: class \"a\" extends itself: \"a\" extends \"b\" extends \"c\" extends \"a\"\n" },
	{ .name = "a class that extends one that is not there",
	  .files = {
	    { "policy.conf", TEXT("class \"starter\" { }\n"
		"class \"pro\" { extends = \"startr\" }\n") },
	  },
	  .want =
		"policy.conf:2:25: error: there is no class \"startr\"; did you mean \"starter\"?\n" },
	{ .name = "extends in a tenant",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\textends = \"c\"\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:2: error: \"extends\" cannot stand in tenant; its place is in class\n" },
	{ .name = "a dimension that does not exist",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tcap \"t\" { limit = \"5/day\" per = \"logn\" }\n"
		"\tcap \"u\" { limit = \"5/day\" per = {\"tenant\", \"campaign\"} }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:34: error: per: unknown dimension \"logn\"; did you mean \"login\"?\n"
		"policy.conf:3:45: error: per: unknown dimension \"campaign\"; expected group, tenant, stream, login, sender, sender_domain, pool, address, provider, recipient_domain, or \"all\" alone\n" },
	{ .name = "per of nothing, and of all and something",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tcap \"t\" { limit = \"5/day\" per = {} }\n"
		"\tcap \"u\" { limit = \"5/day\" per = {\"all\", \"login\"} }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:34: error: per is empty; leave it out, or write \"all\"\n"
		"policy.conf:3:34: error: per: \"all\" says that nothing counts apart; it stands alone\n" },
	{ .name = "per as a number",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tcap \"t\" { limit = \"5/day\" per = 1 }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:34: error: per: expected a string or a set such as {\"a\", \"b\"}, found the number 1\n" },
	{ .name = "another per in a nearer block",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tcap \"t\" { limit = \"5/day\" }\n"
		"}\n"
		"# and\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tclass = \"c\"\n"
		"\tcap \"t\" { limit = \"6/day\" per = \"login\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:9:28: error: cap \"t\" stands further out at policy.conf:2:2, which says what it counts per; another per would be another count: take the line out, or give this limit a name of its own\n" },
	{ .name = "the per of a class beside that of a group",
	  .files = {
	    { "policy.conf", TEXT("group \"g\" {\n"
		"\tcap \"t\" { limit = \"5/day\" }\n"
		"}\n"
		"class \"c\" {\n"
		"\tcap \"t\" { limit = \"6/day\" per = \"login\" }\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tclass = \"c\"\n"
		"\tgroup = \"g\"\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:10:2: error: class \"c\" and group \"g\" do not go together: policy.conf:5:28: cap \"t\" stands further out at policy.conf:2:2, which says what it counts per; another per would be another count: take the line out, or give this limit a name of its own\n" },
	{ .name = "what only a group could give to a class",
	  .files = {
	    { "policy.conf", TEXT("group \"g\" {\n"
		"\tcap \"t\" { limit = \"5/day\" }\n"
		"}\n"
		"class \"c\" {\n"
		"\tcap \"t\" { over = \"refuse\" }\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tclass = \"c\"\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:10:2: error: class \"c\" needs a group: policy.conf:5:2: cap \"t\" has no limit; write limit = \"1000/day\"\n" },
	{ .name = "the switched-off limit of a stream",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tcap \"daily\" { limit = \"5/day\" }\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tclass = \"c\"\n"
		"\tstream \"news\" {\n"
		"\t\tmatch = \"any\"\n"
		"\t\tthrottle \"daily\" { rate = \"none\" }\n"
		"\t}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:10:3: error: throttle \"daily\" is \"none\" and switches nothing off: no throttle of that name stands further out\n" },
	{ .name = "a nearer block of a limit that nobody gave a number",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"news\" {\n"
		"\t\tmatch = \"any\"\n"
		"\t\tcap \"daily\" { over = \"refuse\" }\n"
		"\t}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:6:3: error: cap \"daily\" has no limit; write limit = \"1000/day\"\n" },
	{ .name = "an open limit with a window",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\topen \"t\" { limit = \"5000/day\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:21: error: limit: expected how many may be under way at a time, as \"5000\", found \"5000/day\"\n" },
	{ .name = "an open limit of nothing",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\topen \"t\" { limit = \"0\" }\n"
		"\topen \"u\" { over = \"hold\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:21: error: limit: expected how many may be under way at a time, as \"5000\", found \"0\"\n"
		"policy.conf:3:2: error: open \"u\" has no limit; write limit = \"5000\"\n" },
	{ .name = "an open limit that counts bytes",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\topen \"t\" { limit = \"5\" count = \"bytes\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:25: error: \"count\" cannot stand in open; its place is in throttle or cap\n" },
	{ .name = "a wait in the hold queue without an end",
	  .files = {
	    { "policy.conf", TEXT("hold_max = \"5 days\"\n") },
	  },
	  .want =
		"policy.conf:1:12: error: hold_max: \"5 days\" is not between a minute and 72 hours; Postfix's own queue gives mail up after some days\n" },
	{ .name = "a wait that Postfix's queue does not outlive by a day",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" { hold_max = \"47h\" }\n"
		"hold_max = \"48h\"\n"
		"maximal_queue_lifetime = \"3 days\"\n") },
	  },
	  .want =
		"policy.conf:2:12: error: hold_max: \"48h\" and a day for its delivery are not less than maximal_queue_lifetime, 72 hours: Postfix would give up what has just been let go\n" },
	{ .name = "a queue that keeps mail for no time at all",
	  .files = {
	    { "policy.conf", TEXT("maximal_queue_lifetime = \"1 day\"\n") },
	  },
	  .want =
		"policy.conf:1:26: error: maximal_queue_lifetime: \"1 day\" leaves no day to deliver what was held; Postfix's default is 5 days\n" },
	{ .name = "a wait in the hold queue without a unit",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\thold_max = \"24\"\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:13: error: hold_max: \"24\" has no unit; expected seconds, minutes, hours or days\n" },
	{ .name = "a number where a duration belongs",
	  .files = {
	    { "policy.conf", TEXT("hold_max = 24\n") },
	  },
	  .want =
		"policy.conf:1:12: error: hold_max: expected a duration such as \"15 minutes\", found the number 24\n" },
	{ .name = "what becomes of mail that cannot be held",
	  .files = {
	    { "policy.conf", TEXT("then = \"hold\"\n") },
	  },
	  .want =
		"policy.conf:1:8: error: then: expected \"defer\" or \"refuse\", found \"hold\"\n" },
	{ .name = "partial acceptance that does not exist",
	  .files = {
	    { "policy.conf", TEXT("partial = \"none\"\n") },
	  },
	  .want =
		"policy.conf:1:11: error: partial: expected \"allow\" or \"all-or-none\", found \"none\"\n" },
	{ .name = "a priority that does not exist",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"news\" { match = \"any\" priority = \"low\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:43: error: priority: expected \"interactive\", \"transactional\" or \"bulk\", found \"low\"\n" },
	{ .name = "a return path that does not exist",
	  .files = {
	    { "policy.conf", TEXT("return_path = \"VERP\"\n") },
	  },
	  .want =
		"policy.conf:1:15: error: return_path: expected \"keep\" or \"verp\", found \"VERP\"\n" },
	{ .name = "mode and shadow at once in a stream",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"news\" { match = \"any\" mode = \"shadow\" shadow = {} }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:48: error: mode and shadow say the same thing twice; the other stands at policy.conf:4:32\n" },
	{ .name = "a mode of a limit that does not exist",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tcap \"t\" { limit = \"5/day\" mode = \"off\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:35: error: mode: expected \"enforce\" or \"shadow\", found \"off\"\n" },
	{ .name = "a pause of a stream without a reason",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"news\" { match = \"any\" paused = \"\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:41: error: paused is empty; give the reason, it is told to the sender\n" },
	{ .name = "several mistakes in several streams, all in one run",
	  .files = {
	    { "policy.conf", TEXT("# one\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"a\" {\n"
		"\t\tmatch = {\"any\", \"x:y\"}\n"
		"\t\tcap \"t\" { limit = \"5\" }\n"
		"\t}\n"
		"\n"
		"\t# two\n"
		"\tstream \"b\" { match = \"any\" per = \"login\" }\n"
		"\tstream \"c\" { }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:6:19: error: match: unknown word \"x:y\"; expected any, or sender:, recipient:, login:, listener:, client: or header: and a pattern\n"
		"policy.conf:7:21: error: limit: \"5\" has no period; write 5/ and minute, hour, day, week, month or month@17\n"
		"policy.conf:11:29: error: \"per\" cannot stand in stream; its place is in throttle, cap, open, breaker or warmup\n"
		"policy.conf:12:2: error: stream \"c\" has no match, here or further out: no mail would be in it; write match = {\"sender:news@*\"}\n" },
	{ .name = "mistakes in a CRLF file stand where they stand",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\r\n"
		"\tlogins = {\"a\"}\r\n"
		"\tdomains = {\"a.example\"}\r\n"
		"\tstream \"news\" {\r\n"
		"\t\tmatch = \"x:y\"\r\n"
		"\t}\r\n"
		"}\r\n") },
	  },
	  .want =
		"policy.conf:1:13: error: the file has Windows line ends; run: sed -i 's/\\r$//' policy.conf\n"
		"policy.conf:5:11: error: match: unknown word \"x:y\"; expected any, or sender:, recipient:, login:, listener:, client: or header: and a pattern\n" },
	{ .name = "a limit of a tenant file that is wrong leaves the others",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" { cap \"t\" { limit = \"5/day\" } }\n"
		"include \"t\"\n") },
	    { "t/a.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tclass = \"c\"\n"
		"\tcap \"t\" { per = \"login\" }\n"
		"}\n") },
	    { "t/b.conf", TEXT("tenant \"b\" {\n"
		"\tlogins = {\"b\"}\n"
		"\tdomains = {\"b.example\"}\n"
		"}\n") },
	  },
	  .want =
		"t/a.conf:5:12: error: cap \"t\" stands further out at policy.conf:1:13, which says what it counts per; another per would be another count: take the line out, or give this limit a name of its own\n" },
	{ .name = "a login map that is not there",
	  .files = {
	    { "policy.conf", TEXT("# maps\n"
		"\n"
		"login_map = \"logins.map\"\n") },
	  },
	  .want =
		"policy.conf:3:13: error: there is no file \"logins.map\"\n" },
	{ .name = "a login map with a line that is none, and one login twice",
	  .files = {
	    { "policy.conf", TEXT("login_map = {\"m\"}\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	    { "m", TEXT("# c\n"
		"\n"
		"x a\n"
		"y\n"
		"x a\n") },
	  },
	  .want =
		"m:4:1: error: login \"y\" has no tenant; a line is a login and the name of its tenant\n"
		"m:5:1: error: login \"x\" stands already at m:3:1\n" },
	{ .name = "a login of a map that a tenant has",
	  .files = {
	    { "policy.conf", TEXT("login_map = \"m\"\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	    { "m", TEXT("a a\n") },
	  },
	  .want =
		"policy.conf:3:12: error: login \"a\" is held by tenant \"a\" already, at m:1:1\n" },
	{ .name = "a login map twice",
	  .files = {
	    { "policy.conf", TEXT("login_map = {\"m\", \"./m\"}\n") },
	    { "m", TEXT("") },
	  },
	  .want =
		"policy.conf:1:19: error: m is included twice, first at policy.conf:1:14\n" },
	{ .name = "a claim in what cannot be a header",
	  .files = {
	    { "policy.conf", TEXT("claim \"X Tenant\" { logins = {\"app\"} }\n") },
	  },
	  .want =
		"policy.conf:1:7: error: \"X Tenant\" is not the name of a header\n" },
	{ .name = "a claim of nobody and of empty sets",
	  .files = {
	    { "policy.conf", TEXT("claim \"X-Tenant\" { tenants = {} }\n") },
	  },
	  .want =
		"policy.conf:1:1: error: claim \"X-Tenant\" has no logins and no clients: nobody may name a tenant in it\n"
		"policy.conf:1:30: error: tenants is empty; leave it out to allow any\n" },
	{ .name = "a login in two claims",
	  .files = {
	    { "policy.conf", TEXT("claim \"X-A\" { logins = {\"app\"} }\n"
		"claim \"X-B\" { logins = {\"other\", \"app\"} }\n") },
	  },
	  .want =
		"policy.conf:2:34: error: \"app\" may claim already, at policy.conf:1:25\n" },
	{ .name = "claims without a header",
	  .files = {
	    { "policy.conf", TEXT("claim { logins = {\"app\"} }\n") },
	  },
	  .want =
		"policy.conf:1:1: error: claim needs a title: claim \"...\" { ... }\n" },
	{ .name = "automatic tenants by nothing, of a class that is not there",
	  .files = {
	    { "policy.conf", TEXT("class \"starter\" { }\n"
		"auto_tenant { class = \"strter\" except = {\"x_y.example\", \"*.com\"} }\n") },
	  },
	  .want =
		"policy.conf:2:1: error: auto_tenant has no by; write by = \"login-domain\"\n"
		"policy.conf:2:23: error: there is no class \"strter\"; did you mean \"starter\"?\n"
		"policy.conf:2:42: error: except: \"x_y.example\" is not a domain: the domain \"x_y.example\" has \"_\" in it\n"
		"policy.conf:2:57: error: except: \"*.com\" would hold everything below a top level; it needs two labels at least, as \"*.acme.example\"\n" },
	{ .name = "automatic tenants whose bounces go nowhere, or to a tenant",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"}\n"
		"auto_tenant { by = \"login-domain\" bounce_domain = \"a.example\" }\n") },
	  },
	  .want =
		"policy.conf:6:51: error: bounce_domain \"a.example\" is held by tenant \"a\" already, at policy.conf:3:13\n" },
	{ .name = "bounces of automatic tenants below something else than a domain",
	  .files = {
	    { "policy.conf", TEXT("auto_tenant { by = \"login-domain\" bounce_domain = \"*.b\" }\n") },
	  },
	  .want =
		"policy.conf:1:51: error: bounce_domain: \"*.b\" is not a domain: the domain \"*.b\" has \"*\" in it\n" },
	{ .name = "automatic tenants by something else",
	  .files = {
	    { "policy.conf", TEXT("auto_tenant { by = \"sender\" }\n") },
	  },
	  .want =
		"policy.conf:1:20: error: by: expected \"login-domain\", found \"sender\"\n" },
	{ .name = "a misspelt word of automatic tenants, and two blocks of them",
	  .files = {
	    { "policy.conf", TEXT("auto_tenant { by = \"login-domain\" clas = \"x\" }\n"
		"\n"
		"auto_tenant { by = \"login-domain\" }\n") },
	  },
	  .want =
		"policy.conf:1:35: error: unknown word \"clas\" in auto_tenant; did you mean \"class\"?\n"
		"policy.conf:3:1: error: auto_tenant stands already at policy.conf:1:1\n" },
	{ .name = "unsubscribe in a stream that is not bulk",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tbounce_domain = \"b.a.example\"\n"
		"\tunsubscribe { url = \"https://u.example/u/\" }\n"
		"\tstream \"news\" { match = \"any\" unsubscribe = \"mailto\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:7:32: error: stream \"news\": unsubscribe is for bulk mail, and this stream is none; write priority = \"bulk\"\n" },
	{ .name = "one-click without an address",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tbounce_domain = \"b.a.example\"\n"
		"\tstream \"news\" { match = \"any\" priority = \"bulk\" unsubscribe = \"one-click\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:6:50: error: stream \"news\": one-click needs the address of penstock-unsubscribe; write unsubscribe { url = \"https://.../\" }\n" },
	{ .name = "an unsubscribe address in the clear",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tbounce_domain = \"b.a.example\"\n"
		"\tunsubscribe { url = \"http://u.example/u/\" }\n"
		"\tstream \"news\" { match = \"any\" priority = \"bulk\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:6:22: error: url: \"http://u.example/u/\" is not an https:// address that ends in \"/\" (at most 200 bytes); the token of a recipient goes behind it\n" },
	{ .name = "an unsubscribe address that would run into its token",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tbounce_domain = \"b.a.example\"\n"
		"\tunsubscribe { url = \"https://u.example/u\" }\n"
		"\tstream \"news\" { match = \"any\" priority = \"bulk\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:6:22: error: url: \"https://u.example/u\" is not an https:// address that ends in \"/\" (at most 200 bytes); the token of a recipient goes behind it\n" },
	{ .name = "a mailto that is a whole address",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tbounce_domain = \"b.a.example\"\n"
		"\tunsubscribe { mailto = \"u@a.example\" }\n"
		"\tstream \"news\" { match = \"any\" priority = \"bulk\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:6:25: error: mailto: \"u@a.example\" is not the part of an address before \"@\" (small letters, digits, \"-\", \"_\", \".\"); it goes with bounce_domain\n" },
	{ .name = "one message each, in a stream that is known too late",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tbounce_domain = \"b.a.example\"\n"
		"\tunsubscribe { url = \"https://u.example/u/\" many_recipients = \"defer\" }\n"
		"\tstream \"news\" { match = \"header:X\" priority = \"bulk\" unsubscribe = \"one-click\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:7:55: error: stream \"news\": many_recipients = \"defer\" needs a stream that is known at RCPT, and this one is known when the headers have come; write \"mailto\" or \"refuse\"\n" },
	{ .name = "a campaign that is no header",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tcampaign = \"X Campaign\"\n"
		"\tstream \"news\" { match = \"any\" priority = \"bulk\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:5:13: error: campaign: \"X Campaign\" is not the name of a header, such as \"X-Campaign\"\n" },
	{ .name = "a place for complaints that is no address",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tcfbl = \"fbl\"\n"
		"\tstream \"news\" { match = \"any\" priority = \"bulk\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:5:9: error: cfbl: \"fbl\" is not an address, such as \"fbl@acme.example\"\n" },
	{ .name = "what becomes of mail without an address that is not known",
	  .files = {
	    { "policy.conf", TEXT("priority = \"bulk\"\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tpostal = \"refuse\"\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:6:2: error: stream \"default\": postal says what becomes of mail without an address, and there is no postal_address\n" },
	{ .name = "an address too short to be one",
	  .files = {
	    { "policy.conf", TEXT("postal_address = \" here  1 \"\n") },
	  },
	  .want =
		"policy.conf:1:18: error: postal_address: write it as it stands in the mail, on one line, 10 to 300 bytes\n" },
