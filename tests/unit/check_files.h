/*
 * check_files - mistakes in files: includes, rival files, bytes that cannot be
 * read.  Rows of a table in check.c.
 */
	{ .name = "an include of something that is not there",
	  .files = {
	    { "policy.conf", TEXT("# tenants\n"
		"\n"
		"include \"tenants.d\"\n") },
	  },
	  .want =
		"policy.conf:3:9: error: include: there is no file or folder \"tenants.d\"\n" },
	{ .name = "an include loop over two files",
	  .files = {
	    { "policy.conf", TEXT("include \"more.conf\"\n") },
	    { "more.conf", TEXT("timezone = \"UTC\"\n"
		"include \"policy.conf\"\n") },
	  },
	  .want =
		"more.conf:2:9: error: include goes round in a circle: policy.conf is being read already\n" },
	{ .name = "a file included twice",
	  .files = {
	    { "policy.conf", TEXT("include \"more.conf\"\n"
		"include \"./more.conf\"\n") },
	    { "more.conf", TEXT("timezone = \"UTC\"\n") },
	  },
	  .want =
		"policy.conf:2:9: error: more.conf is included twice, first at policy.conf:1:9\n" },
	{ .name = "an include inside a block",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tinclude \"more.conf\"\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:2: error: \"include\" cannot stand in class; its place is in the main file\n" },
	{ .name = "a mistake in an included file of the main part",
	  .files = {
	    { "policy.conf", TEXT("timezone = \"UTC\"\n"
		"include \"more.conf\"\n") },
	    { "more.conf", TEXT("# more\n"
		"\n"
		"class \"a\" { burst = 5 }\n") },
	  },
	  .want =
		"more.conf:3:13: error: \"burst\" cannot stand in class; its place is in throttle\n" },
	{ .name = "a class in two main files",
	  .files = {
	    { "policy.conf", TEXT("include \"more.conf\"\n"
		"class \"a\" { }\n") },
	    { "more.conf", TEXT("# more\n"
		"\n"
		"class \"a\" { }\n") },
	  },
	  .want =
		"more.conf:3:1: error: class \"a\" stands already at policy.conf:2:1\n" },
	{ .name = "a class in a tenant file",
	  .files = {
	    { "policy.conf", TEXT("include \"t\"\n") },
	    { "t/a.conf", TEXT("class \"a\" { }\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"t/a.conf:1:1: error: \"class\" cannot stand here: a file of an included folder holds tenants only\n" },
	{ .name = "an include in a tenant file",
	  .files = {
	    { "policy.conf", TEXT("include \"t\"\n") },
	    { "t/a.conf", TEXT("include \"x\"\n") },
	  },
	  .want =
		"t/a.conf:1:1: error: \"include\" cannot stand here: a file of an included folder holds tenants only\n" },
	{ .name = "a tenant file that is a folder",
	  .files = {
	    { "policy.conf", TEXT("include \"t\"\n") },
	    { "t/a.conf/x", TEXT("") },
	  },
	  .want =
		"t/a.conf:1:1: error: t/a.conf is not a regular file\n" },
	{ .name = "two tenant files with one login",
	  .files = {
	    { "policy.conf", TEXT("include \"t\"\n") },
	    { "t/a.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"mail\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	    { "t/b.conf", TEXT("# second\n"
		"tenant \"b\" {\n"
		"\tlogins = {\"b\", \"mail\"}\n"
		"\tdomains = {\"b.example\"}\n"
		"}\n") },
	  },
	  .want =
		"t/b.conf:3:17: error: login \"mail\" is held by tenant \"a\" already, at t/a.conf:2:12\n" },
	{ .name = "two tenant files with one name and one domain",
	  .files = {
	    { "policy.conf", TEXT("include \"t\"\n") },
	    { "t/a.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	    { "t/b.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"b\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"t/b.conf:1:8: error: tenant \"a\" stands already at t/a.conf:1:8\n"
		"t/b.conf:3:13: error: domain \"a.example\" is held by tenant \"a\" already, at t/a.conf:3:13\n" },
	{ .name = "a tenant file against the main file",
	  .files = {
	    { "policy.conf", TEXT("tenant \"b\" {\n"
		"\tlogins = {\"mail\"}\n"
		"\tdomains = {\"b.example\"}\n"
		"}\n"
		"include \"t\"\n") },
	    { "t/a.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"mail\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"t/a.conf:2:12: error: login \"mail\" is held by tenant \"b\" already, at policy.conf:2:12\n" },
	{ .name = "mistakes in several files at once",
	  .files = {
	    { "policy.conf", TEXT("timezone = \"Nowhere\"\n"
		"include \"t\"\n"
		"class \"a\" { burts = 5 }\n") },
	    { "t/a.conf", TEXT("tenant \"a\" {\n"
		"\tlogin = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	    { "t/b.conf", TEXT("# no class\n"
		"tenant \"b\" {\n"
		"\tclass = \"b\"\n"
		"\tlogins = {\"b\"\n"
		"\tdomains = {\"b.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:1:12: error: timezone: there is no time zone \"Nowhere\" in /usr/share/zoneinfo (package tzdata)\n"
		"policy.conf:3:13: error: unknown word \"burts\" in class\n"
		"t/a.conf:2:2: error: unknown word \"login\" in tenant; did you mean \"logins\"?\n"
		"t/b.conf:3:10: error: there is no class \"b\"\n"
		"t/b.conf:5:2: error: expected \",\" or \"}\", found \"domains\"\n" },
	{ .name = "a string without an end",
	  .files = {
	    { "policy.conf", TEXT("timezone = \"UTC\n"
		"unknown_sender = \"defer\"\n") },
	  },
	  .want =
		"policy.conf:1:12: error: this string does not end on its line: \"UTC\"\n" },
	{ .name = "a block without an end",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"\tmax_recipients = 5\n") },
	  },
	  .want =
		"policy.conf:3:1: error: missing \"}\" of class \"a\", opened at line 1\n" },
	{ .name = "a brace too many",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" {\n"
		"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:1: error: expected the name of a setting or of a block, found \"}\"\n" },
	{ .name = "a missing equals sign",
	  .files = {
	    { "policy.conf", TEXT("timezone \"UTC\"\n") },
	  },
	  .want =
		"policy.conf:2:1: error: expected \"{\" after timezone, found the end of the file\n" },
	{ .name = "quotation marks from a word processor",
	  .files = {
	    { "policy.conf", TEXT("timezone = \342\200\234UTC\342\200\235\n") },
	  },
	  .want =
		"policy.conf:1:12: error: text stands in quotes: write \"\342\200\234UTC\342\200\235\"; the only quotation mark is \"\n"
		"policy.conf:1:12: error: timezone: \"\342\200\234UTC\342\200\235\" is not the name of a time zone; write one such as \"Europe/Madrid\"\n" },
	{ .name = "an unknown escape",
	  .files = {
	    { "policy.conf", TEXT("include \"tenants\\n\"\n") },
	  },
	  .want =
		"policy.conf:1:9: error: include: there is no file or folder \"tenants\\\\n\"\n"
		"policy.conf:1:17: error: unknown escape \\ before \"n\"; a string knows \\\" and \\\\ only\n" },
	{ .name = "line ends of Windows, and a mistake behind them",
	  .files = {
	    { "policy.conf", TEXT("# a\r\n"
		"\r\n"
		"timezone = \"Nowhere\"\r\n") },
	  },
	  .want =
		"policy.conf:1:4: error: the file has Windows line ends; run: sed -i 's/\\r$//' policy.conf\n"
		"policy.conf:3:12: error: timezone: there is no time zone \"Nowhere\" in /usr/share/zoneinfo (package tzdata)\n" },
	{ .name = "a byte order mark, and a mistake behind it",
	  .files = {
	    { "policy.conf", TEXT("\357\273\277timezone = \"Nowhere\"\n") },
	  },
	  .want =
		"policy.conf:1:1: error: the file begins with a byte order mark; save it as UTF-8 without one\n"
		"policy.conf:1:15: error: timezone: there is no time zone \"Nowhere\" in /usr/share/zoneinfo (package tzdata)\n" },
	{ .name = "a NUL byte",
	  .files = {
	    { "policy.conf", TEXT("timezone = \"UTC\"\n"
		"# \000\n") },
	  },
	  .want =
		"policy.conf:2:3: error: NUL byte (1 in this file)\n" },
	{ .name = "bytes that are no UTF-8",
	  .files = {
	    { "policy.conf", TEXT("# caf\351\n"
		"timezone = \"UTC\"\n") },
	  },
	  .want =
		"policy.conf:1:6: error: byte 0xe9 is not UTF-8 (1 such bytes in this file); save the file as UTF-8\n" },
