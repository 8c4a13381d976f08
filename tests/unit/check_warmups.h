/*
 * check_warmups - mistakes in schedules and warmups, each with what a person
 * reads.  Rows of a table in check.c.
 */
	{ .name = "a schedule that nobody knows",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" { warmup = \"cold\" }\n") },
	  },
	  .want =
		"policy.conf:1:22: error: warmup: there is no schedule \"cold\"; there are \"cold-slow\", \"standard\", \"established\" and \"mailbox\", and those of schedule blocks\n" },
	{ .name = "a schedule that is nearly one of ours",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" { warmup = \"mailbx\" }\n") },
	  },
	  .want =
		"policy.conf:1:22: error: warmup: there is no schedule \"mailbx\"; did you mean \"mailbox\"?\n" },
	{ .name = "a schedule that is nearly one of the file",
	  .files = {
	    { "policy.conf", TEXT("schedule \"mine\" { table = {\"5\"} }\n"
		"class \"c\" { warmup = \"mins\" }\n") },
	  },
	  .want =
		"policy.conf:2:22: error: warmup: there is no schedule \"mins\"; did you mean \"mine\"?\n" },
	{ .name = "a schedule by the name of one of ours",
	  .files = {
	    { "policy.conf", TEXT("schedule \"standard\" { table = {\"5\"} }\n") },
	  },
	  .want =
		"policy.conf:1:10: error: schedule \"standard\" is built in; choose another name\n" },
	{ .name = "a schedule of nothing",
	  .files = {
	    { "policy.conf", TEXT("schedule \"s\" { }\n") },
	  },
	  .want =
		"policy.conf:1:1: error: schedule \"s\" needs a table, or start, ratio and target\n" },
	{ .name = "a schedule said twice",
	  .files = {
	    { "policy.conf", TEXT("schedule \"s\" { table = {\"5\"} start = 5 }\n") },
	  },
	  .want =
		"policy.conf:1:1: error: schedule \"s\" needs a table, or start, ratio and target\n" },
	{ .name = "a schedule with a part missing",
	  .files = {
	    { "policy.conf", TEXT("schedule \"s\" { start = 5 target = 50 }\n") },
	  },
	  .want =
		"policy.conf:1:1: error: schedule \"s\" needs a table, or start, ratio and target\n" },
	{ .name = "a table that falls",
	  .files = {
	    { "policy.conf", TEXT("schedule \"s\" { table = {\"50\", \"60\", \"55\"} }\n") },
	  },
	  .want =
		"policy.conf:1:37: error: table: \"55\" is less than the day before it; a warmup does not fall\n" },
	{ .name = "a table of words",
	  .files = {
	    { "policy.conf", TEXT("schedule \"s\" { table = {\"50\", \"more\"} }\n") },
	  },
	  .want =
		"policy.conf:1:31: error: table: expected a whole number from 1 to 1000000000, found \"more\"\n" },
	{ .name = "a table of no days",
	  .files = {
	    { "policy.conf", TEXT("schedule \"s\" { table = {} }\n") },
	  },
	  .want =
		"policy.conf:1:24: error: table: expected the numbers of 1 to 400 days, as {\"50\", \"60\"}\n" },
	{ .name = "a schedule that does not grow",
	  .files = {
	    { "policy.conf", TEXT("schedule \"s\" { start = 5 ratio = 0.9 target = 50 }\n") },
	  },
	  .want =
		"policy.conf:1:1: error: schedule \"s\": ratio must be more than 1, as 1.1 for a tenth more each day\n" },
	{ .name = "a broken schedule is spoken of once",
	  .files = {
	    { "policy.conf", TEXT("schedule \"s\" { start = 50 ratio = 1.1 target = 5 }\n"
		"class \"c\" { warmup = \"s\" }\n") },
	  },
	  .want =
		"policy.conf:1:1: error: schedule \"s\": start must be at least 1, and target at least start and at most 1000000000\n" },
	{ .name = "a start that is no date",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" { warmup \"mailbox\" { started = \"yesterday\" } }\n") },
	  },
	  .want =
		"policy.conf:1:42: error: started: expected a date, as \"2026-11-01\", or \"first-mail\", found \"yesterday\"\n" },
	{ .name = "a start with a time of day",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" { warmup \"mailbox\" { started = \"2026-11-01 08:00\" } }\n") },
	  },
	  .want =
		"policy.conf:1:42: error: started: expected a date, as \"2026-11-01\", or \"first-mail\", found \"2026-11-01 08:00\"\n" },
	{ .name = "a start on a day that does not exist",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" { warmup \"mailbox\" { started = \"2026-02-30\" } }\n") },
	  },
	  .want =
		"policy.conf:1:42: error: started: expected a date, as \"2026-11-01\", or \"first-mail\", found \"2026-02-30\"\n" },
	{ .name = "hours over midnight",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" { warmup \"mailbox\" { active_hours = \"22:00-04:00\" } }\n") },
	  },
	  .want =
		"policy.conf:1:47: error: active_hours: \"22:00-04:00\" ends before it begins; hours over midnight are two, one that ends at 24:00 and one that begins at 00:00\n" },
	{ .name = "hours of no days",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" { warmup \"mailbox\" { active_hours = {} } }\n") },
	  },
	  .want =
		"policy.conf:1:47: error: active_hours is empty: nothing could ever be sent; leave it out instead\n" },
	{ .name = "a warmup of each provider",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" { warmup \"mailbox\" { per = \"provider\" } }\n") },
	  },
	  .want =
		"policy.conf:1:38: error: per: \"provider\" has no warmup of its own; expected login, sender_domain, address, sender, stream or tenant\n" },
	{ .name = "two warmups in one block",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\twarmup = \"mailbox\"\n"
		"\twarmup \"standard\" { }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:2: error: a second warmup; the first stands at policy.conf:2:2\n" },
	{ .name = "a warmup in the main file",
	  .files = {
	    { "policy.conf", TEXT("warmup = \"standard\"\n") },
	  },
	  .want =
		"policy.conf:1:1: error: \"warmup\" cannot stand in the main file; its place is in address, class, tenant or stream\n" },
	{ .name = "none that switches nothing off",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" { warmup = \"none\" }\n") },
	  },
	  .want =
		"policy.conf:1:13: error: warmup is \"none\" and switches nothing off: no warmup stands further out\n" },
	{ .name = "none with settings",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" { warmup = \"mailbox\" }\n"
		"class \"c\" { extends = \"a\" warmup \"none\" { started = \"first-mail\" } }\n") },
	  },
	  .want =
		"policy.conf:2:43: error: warmup \"none\" switches it off; it has no settings\n" },
	{ .name = "another per than the warmup further out",
	  .files = {
	    { "policy.conf", TEXT("class \"a\" { warmup = \"mailbox\" }\n"
		"class \"c\" { extends = \"a\" warmup \"mailbox\" { per = \"login\" } }\n") },
	  },
	  .want =
		"policy.conf:2:46: error: warmup \"mailbox\" stands further out at policy.conf:1:13, which says what it counts per; another per would be another count: take the line out, or give this limit a name of its own\n" },
	{ .name = "settings of a warmup that is not there",
	  .files = {
	    { "policy.conf", TEXT("pool \"p\" { address \"192.0.2.1\" { transport = \"p1\" started = \"2026-11-01\" active_hours = \"08:00-18:00\" } }\n") },
	  },
	  .want =
		"policy.conf:1:51: error: started is about a warmup, and this address has none; write warmup = \"cold-slow\" beside it\n"
		"policy.conf:1:74: error: active_hours is about a warmup, and this address has none; write warmup = \"cold-slow\" beside it\n" },
	{ .name = "settings beside a block",
	  .files = {
	    { "policy.conf", TEXT("pool \"p\" { address \"192.0.2.1\" { transport = \"p1\" started = \"2026-11-01\" warmup \"standard\" { } } }\n") },
	  },
	  .want =
		"policy.conf:1:51: error: started belongs into the block of the warmup\n" },
	{ .name = "a share of nobody knows what",
	  .files = {
	    { "policy.conf", TEXT("pool \"p\" { share { unresolved = 5 } address \"192.0.2.1\" { transport = \"p1\" warmup = \"standard\" } }\n") },
	  },
	  .want =
		"policy.conf:1:20: error: share: nobody knows the provider of such recipients yet; they count against the address alone\n" },
