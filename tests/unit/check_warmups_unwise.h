/*
 * check_warmups_unwise - warmups that can be read and will not do what was
 * meant.  Rows of a table in check.c.
 */
	{ .name = "a warmup that begins in a later year",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" { warmup \"mailbox\" { started = \"2199-01-01\" } }\n") },
	  },
	  .want =
		"policy.conf:1:42: warning: started is a day to come: nothing passes this warmup before 2199-01-01\n" },
	{ .name = "a warmup larger than the cap beside it",
	  .files = {
	    { "policy.conf", TEXT("pool \"p\" {\n"
		"\taddress \"192.0.2.1\" { transport = \"p1\" warmup = \"standard\" cap \"day\" { limit = \"1000/day\" } }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:41: warning: warmup \"standard\" goes up to 10000 a day, and from day 16 on cap \"day\" (1000/day) at policy.conf:2:61 is reached first\n" },
	{ .name = "a warmup larger than the cap of its pool",
	  .files = {
	    { "policy.conf", TEXT("pool \"p\" {\n"
		"\tcap \"month\" { limit = \"3100/month\" }\n"
		"\taddress \"192.0.2.1\" { transport = \"p1\" warmup = \"standard\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:41: warning: warmup \"standard\" goes up to 10000 a day, and from day 2 on cap \"month\" (3100/month) at policy.conf:2:2 is reached first\n" },
	{ .name = "a warmup below the cap beside it",
	  .files = {
	    { "policy.conf", TEXT("pool \"p\" {\n"
		"\taddress \"192.0.2.1\" { transport = \"p1\" warmup = \"standard\" cap \"day\" { limit = \"10000/day\" } }\n"
		"}\n") },
	  },
	  .want =
		"" },
	{ .name = "a share without a warmup",
	  .files = {
	    { "policy.conf", TEXT("pool \"p\" {\n"
		"\tshare { google = 60 }\n"
		"\taddress \"192.0.2.1\" { transport = \"p1\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:10: warning: share is of the number of a warmup, and no address of pool \"p\" has one\n" },
	{ .name = "a stream with another schedule than its class",
	  .files = {
	    { "policy.conf", TEXT("class \"c\" {\n"
		"\twarmup = \"mailbox\"\n"
		"\tstream \"news\" { match = \"any\" priority = \"bulk\" warmup = \"standard\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:50: warning: warmup \"standard\" has another schedule than the one at policy.conf:2:2: it counts for itself here, and what it counts is not counted there\n" },
