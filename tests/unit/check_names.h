/*
 * check_names - who is who wrongly: logins, clients, domains, keys.  Rows of
 * a table in check.c.
 */
	{ .name = "the same tenant twice in the main file",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n"
		"tenant \"a\" {\n"
		"\tlogins = {\"b\"}\n"
		"\tdomains = {\"b.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:5:1: error: tenant \"a\" stands already at policy.conf:1:1\n" },
	{ .name = "an empty tenant",
	  .files = {
	    { "policy.conf", TEXT("\n"
		"# nothing yet\n"
		"tenant \"a\" {\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:1: error: tenant \"a\" has no logins and no clients: no mail could ever be its own\n"
		"policy.conf:3:1: error: tenant \"a\" has no domains: it could write nothing in From\n" },
	{ .name = "a tenant that could never send",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:1:1: error: tenant \"a\" has no logins and no clients: no mail could ever be its own\n" },
	{ .name = "a tenant with empty sets",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {}\n"
		"\tdomains = {}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:11: error: logins is empty; leave it out instead\n"
		"policy.conf:3:12: error: domains is empty; the tenant could write nothing in From\n" },
	{ .name = "a set that is a string",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = \"a\"\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:11: error: logins: expected a set: logins = {\"a\"}\n" },
	{ .name = "two tenants of the main file with one login",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\", \"mail\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n"
		"tenant \"b\" {\n"
		"\tlogins = {\"mail\"}\n"
		"\tdomains = {\"b.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:6:12: error: login \"mail\" is held by tenant \"a\" already, at policy.conf:2:17\n" },
	{ .name = "one login listed twice",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\", \"b\", \"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:22: error: login \"a\" is listed twice, first at policy.conf:2:12\n" },
	{ .name = "two tenants of the main file with one domain",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"*.shop.example\"}\n"
		"}\n"
		"tenant \"b\" {\n"
		"\tlogins = {\"b\"}\n"
		"\tdomains = {\"*.SHOP.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:7:13: error: domain \"*.shop.example\" is held by tenant \"a\" already, at policy.conf:3:13\n" },
	{ .name = "two tenants with one network",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tclients = {\"10.1.0.0/16\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n"
		"tenant \"b\" {\n"
		"\tclients = {\"10.2.0.0/16\", \"10.1.0.0/16\"}\n"
		"\tdomains = {\"b.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:6:28: error: client \"10.1.0.0/16\" is held by tenant \"a\" already, at policy.conf:2:13\n" },
	{ .name = "the bounce domain of another's mail",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n"
		"tenant \"b\" {\n"
		"\tlogins = {\"b\"}\n"
		"\tdomains = {\"b.example\"}\n"
		"\tbounce_domain = \"a.example\"\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:8:18: error: bounce_domain \"a.example\" is held by tenant \"a\" already, at policy.conf:3:13\n" },
	{ .name = "domains set twice",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\", \"b.example\"}\n"
		"\tdomains = {\"c.example\", \"d.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:2: error: domains was set already at policy.conf:3:2\n" },
	{ .name = "a star in the middle of a login",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"mail*\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:12: error: logins: \"mail*\": \"*\" stands only in \"*@domain\" (all logins of it) and \"*@.domain\" (all below it)\n" },
	{ .name = "a login for everybody",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"*\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:12: error: logins: \"*\": \"*\" stands only in \"*@domain\" (all logins of it) and \"*@.domain\" (all below it)\n" },
	{ .name = "a login with a space",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a b\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:12: error: logins: \"a b\" has a space or control byte in it\n" },
	{ .name = "a domain with an underscore",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"my_shop.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:13: error: domains: \"my_shop.example\" is not a domain: the domain \"my_shop.example\" has \"_\" in it\n" },
	{ .name = "a domain that is an address",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"news@a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:13: error: domains: \"news@a.example\" is not a domain: the domain \"news@a.example\" has \"@\" in it\n" },
	{ .name = "all domains of a top level",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"*.com\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:13: error: domains: \"*.com\" would hold everything below a top level; it needs two labels at least, as \"*.acme.example\"\n" },
	{ .name = "a network with an address in it",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tclients = {\"10.1.2.3/16\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:13: error: clients: \"10.1.2.3/16\" is an address in a network, not the network; write \"10.1.0.0/16\", or \"10.1.2.3\" for the one address\n" },
	{ .name = "a network with too long a prefix",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tclients = {\"10.1.2.0/33\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:13: error: clients: \"10.1.2.0/33\": the number behind \"/\" must be 0 to 32\n" },
	{ .name = "a client by name",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tclients = {\"web1.a.example\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:13: error: clients: \"web1.a.example\" is not an IP address or network (as \"192.0.2.7\", \"10.1.0.0/16\", \"2001:db8::/32\")\n" },
	{ .name = "an IPv6 network with host bits",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tclients = {\"2001:db8::1/64\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:13: error: clients: \"2001:db8::1/64\" is an address in a network, not the network; write \"2001:db8::/64\", or \"2001:db8::1\" for the one address\n" },
	{ .name = "every address there is",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tclients = {\"0.0.0.0/0\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:2:13: error: clients: \"0.0.0.0/0\" is every address there is: an open relay\n" },
	{ .name = "trusted clients without a way to know the tenant",
	  .files = {
	    { "policy.conf", TEXT("trusted {\n"
		"\tclients = {\"10.0.0.1\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:1:1: error: trusted has no identify; write identify = \"from-domain\"\n" },
	{ .name = "trusted mail identified in a way that does not exist",
	  .files = {
	    { "policy.conf", TEXT("trusted {\n"
		"\tclients = {\"10.0.0.1\"}\n"
		"\tidentify = \"sender\"\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:3:13: error: identify: expected \"from-domain\", found \"sender\"\n" },
	{ .name = "a pause without a reason",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tpaused = \"\"\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:11: error: paused is empty; give the reason, it is told to the sender\n" },
	{ .name = "a key of another's domain",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"b.example\" key = \"good.rsa\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:2: error: dkim \"s1\" signs for b.example, which is not among the domains of tenant \"a\"\n" },
	{ .name = "a key of a domain whose part belongs to another",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"*.host.example\"}\n"
		"\tdkim \"s1\" { domain = \"b.host.example\" key = \"good.rsa\" }\n"
		"}\n"
		"tenant \"b\" {\n"
		"\tlogins = {\"b\"}\n"
		"\tdomains = {\"b.host.example\"}\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:2: error: dkim signs for b.host.example, which belongs to tenant \"b\", at policy.conf:8:13\n" },
	{ .name = "a key that is not there",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"gone.rsa\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:2: error: tenant \"a\": dkim \"s1\" cannot sign, mail of a.example gets 451: keys/gone.rsa: No such file or directory\n" },
	{ .name = "a key that everybody may read",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"open.rsa\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:2: error: tenant \"a\": dkim \"s1\" cannot sign, mail of a.example gets 451: keys/open.rsa: others may read or write this key (mode 0644); chmod 600 it, or let it be root's with mode 0640 and the group of penstock-milter\n" },
	{ .name = "a key of the wrong type",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tdkim \"s2\" { domain = \"a.example\" key = \"good.rsa\" algorithm = \"ed25519-sha256\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:5:2: error: tenant \"a\": dkim \"s2\" cannot sign, mail of a.example gets 451: algorithm says ed25519-sha256, and keys/good.rsa is good for rsa-sha256\n" },
	{ .name = "an Ed25519 key alone, as written",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.ed\" algorithm = \"ed25519-sha256\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:2: error: dkim \"s1\" is Ed25519 and a.example has no RSA key; add one, many receivers verify RSA only\n" },
	{ .name = "an Ed25519 key alone, as found in the file",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.ed\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:2: error: tenant \"a\": dkim \"s1\" cannot sign, mail of a.example gets 451: it is Ed25519 and the domain has no RSA key; add one, many receivers verify RSA only\n" },
	{ .name = "a key file with something else in it",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"text\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:2: error: tenant \"a\": dkim \"s1\" cannot sign, mail of a.example gets 451: keys/text: this is not a PEM file (no line -----BEGIN PRIVATE KEY-----)\n" },
	{ .name = "one selector twice for one domain",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"\tdkim \"S1\" { domain = \"a.example\" key = \"good.rsa\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:5:2: error: DKIM record \"s1._domainkey.a.example\" is listed twice, first at policy.conf:4:2\n" },
	{ .name = "a dkim block without a key",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:2: error: dkim \"s1\" has no key\n" },
	{ .name = "an algorithm that does not exist",
	  .files = {
	    { "policy.conf", TEXT("tenant \"a\" {\n"
		"\tlogins = {\"a\"}\n"
		"\tdomains = {\"a.example\"}\n"
		"\tdkim \"s1\" { domain = \"a.example\" key = \"good.rsa\" algorithm = \"rsa-sha1\" }\n"
		"}\n") },
	  },
	  .want =
		"policy.conf:4:64: error: algorithm: expected \"rsa-sha256\" or \"ed25519-sha256\", found \"rsa-sha1\"\n" },
