/*
 * check_words - mistakes in words, numbers and names, each with what a
 * postmaster reads.  Rows of a table in check.c.
 */
	{ .name = "a misspelt word is named with the nearest known one",
	  .files = {
	    { "policy.conf", TEXT("# a plan\n"
		"#\n"
		"\n"
		"timezone = \"UTC\"\n"
		"class \"starter\" {\n"
		"\t# fifty at most\n"
		"\tmax_recipient = 50\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:7:2: error: unknown word \"max_recipient\" in class; did you mean \"max_recipients\"?\n" },
	{ .name = "a word far from every known one is named without a guess",
	  .files = {
	    { "policy.conf", TEXT("quota = 5\n") },
	  },
	  .want =
		"policy.conf:1:1: error: unknown word \"quota\" in the main file\n" },
	{ .name = "a word of elsewhere that is near to one of here",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomain = {\"a.example\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:2: error: \"domain\" cannot stand in tenant; its place is in dkim; did you mean \"domains\"?\n" },
	{ .name = "a word in the wrong block is sent to its place",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tburst = 20\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:2: error: \"burst\" cannot stand in class; its place is in throttle\n" },
	{ .name = "a tenant's word at the top is sent to its place",
	  .files = {
	    { "policy.conf", TEXT("logins = {\"a\"}\n") },
	  },
	  .want =
		"policy.conf:1:1: error: \"logins\" cannot stand in the main file; its place is in tenant or claim\n" },
	{ .name = "a rate without a period",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tthrottle \"t\" { rate = \"200\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:24: error: rate: \"200\" has no period; write 200/ and second, minute, hour or day\n" },
	{ .name = "a rate in a unit that does not exist",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tthrottle \"t\" { rate = \"200/fortnight\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:24: error: rate: \"200/fortnight\": unknown period \"fortnight\"; expected second, minute, hour or day\n" },
	{ .name = "a rate per month belongs into a cap",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tthrottle \"t\" { rate = \"200/month\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:24: error: rate: \"200/month\": a rate does not count per month; expected second, minute, hour or day\n" },
	{ .name = "a cap per second belongs into a throttle",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tcap \"t\" { limit = \"200/second\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:20: error: limit: \"200/second\": a cap does not count per second; expected minute, hour, day, week, month or month@17\n" },
	{ .name = "a rate of nothing",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tthrottle \"t\" { rate = \"0/hour\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:24: error: rate: \"0/hour\": the number is from 1 to 1000000000000\n" },
	{ .name = "a rate beyond all bounds",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tthrottle \"t\" { rate = \"9999999999999/hour\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:24: error: rate: \"9999999999999/hour\": the number is from 1 to 1000000000000\n" },
	{ .name = "a negative rate",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tthrottle \"t\" { rate = \"-5/hour\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:24: error: rate: \"-5/hour\": expected a whole number before the period, such as \"200/hour\"\n" },
	{ .name = "a month that begins on a day some months do not have",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tcap \"t\" { limit = \"5/month@31\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:20: error: limit: \"5/month@31\": the day after \"month@\" is 1 to 28, a day that every month has\n" },
	{ .name = "a burst below one",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tthrottle \"t\" { rate = \"200/hour\" burst = 0 }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:43: error: burst: expected a whole number from 1 to 1000000000000, found \"0\"\n" },
	{ .name = "a burst in quotes",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tthrottle \"t\" { rate = \"200/hour\" burst = \"20\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:43: error: burst: expected a number without quotes, found \"20\"\n" },
	{ .name = "a jitter above one",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tthrottle \"t\" { rate = \"200/hour\" jitter = 1.5 }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:44: error: jitter: expected a number from 0 to 1, found \"1.5\"\n" },
	{ .name = "a throttle without a rate",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tthrottle \"t\" { burst = 5 }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:2: error: throttle \"t\" has no rate; write rate = \"200/hour\"\n" },
	{ .name = "a cap without a limit",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tcap \"t\" { }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:2: error: cap \"t\" has no limit; write limit = \"1000/day\"\n" },
	{ .name = "a throttle without a name",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tthrottle { rate = \"5/hour\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:2: error: throttle needs a title: throttle \"...\" { ... }\n" },
	{ .name = "something to count that does not exist",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tcap \"t\" { limit = \"5/day\" count = \"mails\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:36: error: count: expected \"recipients\", \"messages\" or \"bytes\", found \"mails\"\n" },
	{ .name = "an answer that no release can give",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tcap \"t\" { limit = \"5/day\" over = \"discard\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:35: error: over: expected \"defer\", \"hold\" or \"refuse\", found \"discard\"\n" },
	{ .name = "an unknown provider",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tcap \"t\" { limit = \"5/day\" to = \"provider:gogle\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:33: error: to: unknown provider \"gogle\"; did you mean \"google\"?\n" },
	{ .name = "a destination that is no provider",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tcap \"t\" { limit = \"5/day\" to = \"domain:x.example\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:33: error: to: expected \"all\" or \"provider:NAME\", found \"domain:x.example\"\n" },
	{ .name = "breakers that cannot be meant",
	  .files = {
	    { "policy.conf", TEXT("breaker \"a\" { least = 5 }\n"
		"breaker \"b\" { rate = \"8\" }\n"
		"breaker \"c\" { rate = \"101%\" }\n"
		"breaker \"d\" { rate = \"8%\" window = \"8 days\" }\n"
		"breaker \"e\" { rate = \"8%\" per = {\"tenant\", \"sender\"} }\n"
		"breaker \"f\" { rate = \"8%\" action = \"refuse\" }\n"
		"breaker \"g\" { rate = \"0.125%\" slow = \"fast\" }\n") },
	  },
	  .want =
		"policy.conf:1:1: error: breaker \"a\" has no rate; write rate = \"8%\"\n"
		"policy.conf:2:22: error: rate: expected a part such as \"8%\" or \"0.25%\", at most 100%, or \"none\", found \"8\"\n"
		"policy.conf:3:22: error: rate: expected a part such as \"8%\" or \"0.25%\", at most 100%, or \"none\", found \"101%\"\n"
		"policy.conf:4:36: error: window: \"8 days\" is not between a minute and 7 days\n"
		"policy.conf:5:44: error: per: a breaker judges apart tenant, stream, login, not \"sender\"\n"
		"policy.conf:6:36: error: action: expected \"hold\", \"slow\" or \"pause\", found \"refuse\"\n"
		"policy.conf:7:22: error: rate: expected a part such as \"8%\" or \"0.25%\", at most 100%, or \"none\", found \"0.125%\"\n"
		"policy.conf:7:38: error: slow: \"fast\": expected a whole number before the period, such as \"200/hour\"\n" },
	{ .name = "words of later releases do not pass in silence",
	  .files = {
	    { "policy.conf", TEXT("pool \"b2b\" {\n"
		"\taddress \"192.0.2.10\" { transport = \"b1\" }\n"
		"}\n"
		"class \"a\" {\n"
		"\trequire { spf = \"warn\" }\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tstream \"marketing\" { match = \"any\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:5:2: error: require is not part of this release (nothing is looked up in DNS); take it out of the class\n" },
	{ .name = "the switched-off limit of a class that has none of that name",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\tcap \"daily\" { limit = \"5/day\" }\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tclass = \"c\"\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tcap \"dayly\" { limit = \"none\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:8:2: error: cap \"dayly\" is \"none\" and switches nothing off: no cap of that name stands further out; there is \"daily\"\n" },
	{ .name = "a limit that is off where there is nothing to inherit",
	  .files = {
	    { "policy.conf", TEXT("group \"g\" {\n"
		"\tcap \"t\" { limit = \"none\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:2: error: cap \"t\" is \"none\" and switches nothing off: no cap of that name stands further out\n" },
	{ .name = "a time zone that does not exist",
	  .files = {
	    { "policy.conf", TEXT("# zones\n"
		"timezone = \"Mars/Olympus\"\n") },
	  },
	  .want =
		"policy.conf:2:12: error: timezone: there is no time zone \"Mars/Olympus\" in /usr/share/zoneinfo (package tzdata)\n" },
	{ .name = "a time zone in bare words",
	  .files = {
	    { "policy.conf", TEXT("timezone = Europe/Madrid\n") },
	  },
	  .want =
		"policy.conf:1:12: error: text stands in quotes: write \"Europe/Madrid\"\n" },
	{ .name = "a choice that does not exist",
	  .files = {
	    { "policy.conf", TEXT("unknown_sender = \"reject\"\n") },
	  },
	  .want =
		"policy.conf:1:18: error: unknown_sender: expected \"defer\" or \"refuse\", found \"reject\"\n" },
	{ .name = "a mode that does not exist",
	  .files = {
	    { "policy.conf", TEXT("mode = \"test\"\n") },
	  },
	  .want =
		"policy.conf:1:8: error: mode: expected \"enforce\" or \"shadow\", found \"test\"\n" },
	{ .name = "a part that cannot be in shadow",
	  .files = {
	    { "policy.conf", TEXT("shadow = {\"limits\", \"owner\", \"limit\"}\n") },
	  },
	  .want =
		"policy.conf:1:21: error: shadow: unknown part \"owner\"; expected \"limits\", \"ownership\", \"require\" or \"suppression\"\n"
		"policy.conf:1:30: error: shadow: unknown part \"limit\"; did you mean \"limits\"?\n" },
	{ .name = "mode and shadow at once",
	  .files = {
	    { "policy.conf", TEXT("mode = \"shadow\"\n"
		"shadow = {\"limits\"}\n") },
	  },
	  .want =
		"policy.conf:2:1: error: mode and shadow say the same thing twice; the other stands at policy.conf:1:1\n" },
	{ .name = "a share of a cap beyond the whole",
	  .files = {
	    { "policy.conf", TEXT("inflight = \"250%\"\n") },
	  },
	  .want =
		"policy.conf:1:12: error: inflight: expected a whole number from 1 to 100, found \"250\"\n" },
	{ .name = "the same setting twice",
	  .files = {
	    { "policy.conf", TEXT("timezone = \"UTC\"\n"
		"unknown_sender = \"defer\"\n"
		"\n"
		"timezone = \"Europe/Madrid\"\n") },
	  },
	  .want =
		"policy.conf:4:1: error: timezone was set already at policy.conf:1:1\n" },
	{ .name = "the same class twice",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" { }\n"
		"\n"
		"# again\n"
		"class \"a\" { }\n") },
	  },
	  .want =
		"policy.conf:4:1: error: class \"a\" stands already at policy.conf:1:1\n" },
	{ .name = "the same limit twice",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tcap \"t\" { limit = \"5/day\" }\n"
		"\tcap \"t\" { limit = \"6/day\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:2: error: cap \"t\" stands already at policy.conf:2:2\n" },
	{ .name = "a class that does not exist",
	  .files = {
	    { "policy.conf", TEXT("class \"starter\" { }\n"
		"tenant \"a\" {\n"
		"\tclass = \"startr\"\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:10: error: there is no class \"startr\"; did you mean \"starter\"?\n" },
	{ .name = "a group that does not exist",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tgroup = \"agency\"\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:10: error: there is no group \"agency\"\n" },
	{ .name = "a pool that does not exist",
	  .files = {
	    { "policy.conf", TEXT("pool \"b2b\" {\n"
		"\taddress \"192.0.2.1\" { transport = \"b1\" }\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tpool \"b2c\" { weight = 10 }\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:5:7: error: there is no pool \"b2c\"; did you mean \"b2b\"?\n" },
	{ .name = "a name with a space",
	  .files = {
	    { "policy.conf", TEXT("class \"my plan\" { }\n") },
	  },
	  .want =
		"policy.conf:1:7: error: \"my plan\" is not a name; a name has 1 to 64 letters, digits, \".\", \"_\" or \"-\"\n" },
	{ .name = "an empty name",
	  .files = {
	    { "policy.conf", TEXT("class \"\" { }\n") },
	  },
	  .want =
		"policy.conf:1:7: error: \"\" is not a name; a name has 1 to 64 letters, digits, \".\", \"_\" or \"-\"\n" },
	{ .name = "a name of 65 letters",
	  .files = {
	    { "policy.conf", TEXT("class \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" { }\n") },
	  },
	  .want =
		"policy.conf:1:7: error: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\" is not a name; a name has 1 to 64 letters, digits, \".\", \"_\" or \"-\"\n" },
	{ .name = "a block with two titles",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" \"b\" { }\n") },
	  },
	  .want =
		"policy.conf:1:11: error: class takes one title, found a second: \"b\"\n" },
	{ .name = "a block written as a setting",
	  .files = {
	    { "policy.conf", TEXT("tenant = \"a\"\n") },
	  },
	  .want =
		"policy.conf:1:1: error: tenant is a block, not a setting; write tenant \"...\" { ... }\n" },
	{ .name = "a setting written as a block",
	  .files = {
	    { "policy.conf", TEXT("timezone { }\n") },
	  },
	  .want =
		"policy.conf:1:1: error: timezone is a setting, not a block; write timezone = \"...\"\n" },
	{ .name = "a pool address that is none",
	  .files = {
	    { "policy.conf", TEXT("pool \"a\" {\n"
		"\taddress \"192.0.2.256\" { transport = \"b1\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:10: error: \"192.0.2.256\" is not an IP address\n" },
	{ .name = "a pool address without a transport",
	  .files = {
	    { "policy.conf", TEXT("pool \"a\" {\n"
		"\taddress \"192.0.2.1\" { helo = \"mta1.example.net\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:2: error: address \"192.0.2.1\" has no transport: the name of its service in master.cf\n" },
	{ .name = "two addresses with one transport",
	  .files = {
	    { "policy.conf", TEXT("pool \"a\" {\n"
		"\taddress \"192.0.2.1\" { transport = \"b1\" }\n"
		"\taddress \"192.0.2.2\" { transport = \"b1\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:2: error: transport \"b1\" is used already at policy.conf:2:2\n" },
	{ .name = "a transport that would replace Postfix's own",
	  .files = {
	    { "policy.conf", TEXT("pool \"a\" {\n"
		"\taddress \"192.0.2.1\" { transport = \"smtp\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:36: error: transport: \"smtp\" is a service of Postfix's own; choose another name\n" },
	{ .name = "a pool whose settings cannot be",
	  .files = {
	    { "policy.conf", TEXT("pool \"a\" {\n"
		"\ttimezone = \"Mars/Base\"\n"
		"\tselect = \"from\"\n"
		"\tfair = \"login\"\n"
		"\tother_path = \"refuse\"\n"
		"\toverflow = \"aa\"\n"
		"}\n"
		"pool \"long\" { overflow = \"long\" address \"192.0.2.2\" { transport = \"a2\" } }\n") },
	  },
	  .want =
		"policy.conf:2:13: error: timezone: there is no time zone \"Mars/Base\" in /usr/share/zoneinfo (package tzdata)\n"
		"policy.conf:3:11: error: select: expected \"none\", \"sender\" or \"header\", found \"from\"\n"
		"policy.conf:4:9: error: fair: expected \"none\" or \"tenant\", found \"login\"\n"
		"policy.conf:5:15: error: other_path: expected \"defer\" or \"ignore\", found \"refuse\"\n"
		"policy.conf:6:13: error: overflow: there is no pool \"aa\"; did you mean \"a\"?\n"
		"policy.conf:8:26: error: overflow: a pool does not flow over into itself; leave the line out\n" },
	{ .name = "shares of no providers",
	  .files = {
	    { "policy.conf", TEXT("pool \"a\" {\n"
		"\tshare { google = 101 gogle = 5 yahoo = \"half\" apple { } office365-dane = 7 }\n"
		"\taddress \"192.0.2.1\" { transport = \"a1\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:19: error: share: expected a percentage from 1 to 100, as google = 60, found \"101\"\n"
		"policy.conf:2:23: error: share: unknown provider \"gogle\"; did you mean \"google\"?\n"
		"policy.conf:2:41: error: share: expected a percentage from 1 to 100, as google = 60, found \"half\"\n"
		"policy.conf:2:48: error: share: expected a provider and its percent, such as google = 60\n" },
	{ .name = "limits of a pool and of an address",
	  .files = {
	    { "policy.conf", TEXT("pool \"a\" {\n"
		"\tcap \"x\" { }\n"
		"\tcap \"y\" { limit = \"none\" }\n"
		"\tcap \"z\" { limit = \"5/day\" helo = \"a.example\" }\n"
		"\taddress \"192.0.2.1\" { transport = \"a1\" cap \"v\" { limit = \"5/fortnight\" } }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:2: error: cap \"x\" has no limit; write limit = \"1000/day\"\n"
		"policy.conf:3:2: error: cap \"y\" is \"none\" and switches nothing off: no cap of that name stands further out; there is \"x\"\n"
		"policy.conf:4:28: error: \"helo\" cannot stand in cap; its place is in address\n"
		"policy.conf:5:59: error: limit: \"5/fortnight\": unknown period \"fortnight\"; expected minute, hour, day, week, month or month@17\n" },
	{ .name = "one address written in two ways",
	  .files = {
	    { "policy.conf", TEXT("pool \"a\" {\n"
		"\tselect = \"header\"\n"
		"\taddress \"2001:db8::1\" { transport = \"a1\" }\n"
		"\taddress \"2001:0db8:0::1\" { transport = \"a2\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:2: error: address \"2001:db8::1\" is used already at policy.conf:3:2\n" },
	{ .name = "transports that do not go into a return path",
	  .files = {
	    { "policy.conf", TEXT("pool \"a\" {\n"
		"\tselect = \"sender\"\n"
		"\taddress \"192.0.2.1\" { transport = \"abcdefghijklmnopqrstuvwxyzabcd\" }\n"
		"\taddress \"192.0.2.2\" { transport = \"a.1\" }\n"
		"\taddress \"192.0.2.3\" { transport = \"abcdefghijklmnopqrstuvwxyzabc\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:24: error: transport: \"abcdefghijklmnopqrstuvwxyzabcd\" is longer than the 29 letters that fit into a return path (select = \"sender\")\n"
		"policy.conf:4:24: error: transport: \"a.1\" has a dot, which ends it in a return path (select = \"sender\")\n" },
	{ .name = "a value is a whole number, and a tenant's",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tvalue = 12.5\n"
		"}\n"
		"group \"g\" {\n"
		"\tvalue = 1200\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:10: error: value: expected a whole number from 0 to 1000000000000, found \"12.5\"\n"
		"policy.conf:7:2: error: \"value\" cannot stand in group; its place is in tenant\n" },
	{ .name = "a contact that does not fit into an SMTP reply",
	  .files = {
	    { "policy.conf", TEXT("group \"g\" {\n"
		"\tcontact = \"Jos\303\251\"\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:12: error: contact goes into SMTP replies, which are plain ASCII; byte 4 is not\n" },
