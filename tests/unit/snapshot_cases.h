/*
 * snapshot_cases - what consoles say, and the rows it becomes; tests/unit/
 * snapshot.c.  A form feed parts the files of one import.
 */
#ifndef TESTS_UNIT_SNAPSHOT_CASES_H
#define TESTS_UNIT_SNAPSHOT_CASES_H



#define GMAIL(metric, day, value) \
	"{\"name\":\"domains/acme.example/domainStats/AbC\",\"metric\":\"" \
	metric "\",\"date\":{\"year\":2026,\"month\":8,\"day\":" day "}," \
	"\"value\":" value "}"
#define PAGE(rows)	"{\"domainStats\":[" rows "]}"
#define OPEN(rows)	"{\"domainStats\":[" rows "],\"nextPageToken\":\"t\"}"
#define ROW(ip, colour, rate, traps) \
	ip ",8/3/2026 8:00 AM,8/3/2026 9:00 PM,14129,14120,13025," colour "," \
	rate ",8/3/2026 8:07 AM,8/3/2026 12:03 PM," traps ",,,\n"
#define PROOF	"zen.spamhaus.org 127.0.0.2 NOERROR 127.0.0.2 127.0.0.4\n" \
	"zen.spamhaus.org 127.0.0.1 NXDOMAIN\n"

static const struct {
	const char	*name, *provider, *subject, *text, *want;
} cases[] = {
	/* --- Google, version 2 --- */
	{ "a page", "google", NULL, PAGE(GMAIL("spam", "3", "{\"floatValue\":0.001}")),
	  "acme.example spam_rate 08-03 0.001 share\n" },
	{ "a zero that was written is a zero", "google", NULL,
	  PAGE(GMAIL("spam", "3", "{\"floatValue\":0.0}")),
	  "acme.example spam_rate 08-03 0 share\n" },
	{ "a day that is missing is no zero", "google", NULL,
	  PAGE(GMAIL("spam", "3", "{\"floatValue\":0.0}") "," GMAIL("spam", "6", "{\"floatValue\":0.5}")),
	  "acme.example spam_rate 08-03 0 share\n"
	  "acme.example spam_rate 08-04 NO_DATA\n"
	  "acme.example spam_rate 08-05 NO_DATA\n"
	  "acme.example spam_rate 08-06 0.5 share\n" },
	{ "days are filled up in each metric", "google", NULL,
	  PAGE(GMAIL("spam", "3", "{\"floatValue\":0.25}") "," GMAIL("tls_encryption_rate:inbound", "4", "{\"doubleValue\":1}")),
	  "acme.example spam_rate 08-03 0.25 share\n"
	  "acme.example spam_rate 08-04 NO_DATA\n"
	  "acme.example tls_encryption_rate:inbound 08-03 NO_DATA\n"
	  "acme.example tls_encryption_rate:inbound 08-04 1 share\n" },
	{ "no value is no zero either", "google", NULL,
	  PAGE(GMAIL("spam", "3", "{}")),
	  "acme.example spam_rate 08-03 NO_DATA (no value came)\n" },
	{ "every form of a value", "google", NULL,
	  PAGE(GMAIL("DELIVERY_ERROR_COUNT", "3", "{\"intValue\":\"42\"}") ","
	    GMAIL("feedbackLoopId", "3", "{\"stringList\":{\"values\":[\"a_1\",\"b\"]}}") ","
	    GMAIL("word", "3", "{\"stringValue\":\"so\"}") ","
	    GMAIL("auth_success_rate:spf", "3", "{\"doubleValue\":0.98}")),
	  "acme.example auth_success_rate:spf 08-03 0.98 share\n"
	  "acme.example delivery_error_count 08-03 42 count\n"
	  "acme.example feedback_loop_id 08-03 a_1 b ids\n"
	  "acme.example word 08-03 so text\n" },
	{ "a count that is no number", "google", NULL,
	  PAGE(GMAIL("error_count", "3", "{\"intValue\":\"4x\"}")),
	  "acme.example error_count 08-03 API_ERROR (intValue is no whole number)\n" },
	{ "a share above one", "google", NULL,
	  PAGE(GMAIL("spam", "3", "{\"floatValue\":1.6}")),
	  "acme.example spam_rate 08-03 API_ERROR (1.6 is no share; expected 0 to 1)\n" },
	{ "a form nobody knows", "google", NULL,
	  PAGE(GMAIL("spam", "3", "{\"floatValue\":\"NaN\"}")),
	  "acme.example spam_rate 08-03 API_ERROR (the value has no form that is known)\n" },
	{ "pages, one behind the other", "google", NULL,
	  OPEN(GMAIL("spam", "3", "{\"floatValue\":0.25}")) "\n" PAGE(GMAIL("spam", "4", "{\"floatValue\":0.5}")),
	  "acme.example spam_rate 08-03 0.25 share\n"
	  "acme.example spam_rate 08-04 0.5 share\n" },
	{ "pages in files", "google", NULL,
	  OPEN(GMAIL("spam", "3", "{\"floatValue\":0.25}")) "\f" PAGE(GMAIL("spam", "4", "{\"floatValue\":0.5}")),
	  "acme.example spam_rate 08-03 0.25 share\n"
	  "acme.example spam_rate 08-04 0.5 share\n" },
	{ "pages in a list", "google", NULL,
	  "[" OPEN(GMAIL("spam", "3", "{\"floatValue\":0.25}")) "," PAGE("") "]",
	  "acme.example spam_rate 08-03 0.25 share\n" },
	{ "the last page is missing", "google", NULL,
	  OPEN(GMAIL("spam", "3", "{\"floatValue\":0.25}")),
	  "account all 09-01 API_ERROR (a last page is missing, and with it the newest days: follow nextPageToken to the end)\n"
	  "acme.example spam_rate 08-03 0.25 share\n" },
	{ "the last page of one of two domains is missing", "google", NULL,
	  PAGE(GMAIL("spam", "3", "{\"floatValue\":0.25}")) "{\"domainStats\":[{\"name\":\"domains/bolt.example/x\",\"metric\":\"spam\",\"date\":{\"year\":2026,\"month\":8,\"day\":3},\"value\":{\"floatValue\":0}}],\"nextPageToken\":\"u\"}",
	  "account all 09-01 API_ERROR\n"
	  "acme.example spam_rate 08-03 0.25 share\n"
	  "bolt.example spam_rate 08-03 0 share\n" },
	{ "an empty answer", "google", "acme.example", "{}",
	  "acme.example all 09-01 NO_DATA\n" },
	{ "an empty file", "google", "acme.example", "",
	  "acme.example all 09-01 NO_DATA\n" },
	{ "the same twice is one", "google", NULL,
	  PAGE(GMAIL("spam", "3", "{\"floatValue\":0.25}") "," GMAIL("SPAM_RATE", "3", "{\"floatValue\":0.25}")),
	  "acme.example spam_rate 08-03 0.25 share\n" },
	{ "two values for one day are none", "google", NULL,
	  PAGE(GMAIL("spam", "3", "{\"floatValue\":0.25}") "," GMAIL("spam", "3", "{\"floatValue\":0}")),
	  "acme.example spam_rate 08-03 API_ERROR (two values came for it, and they differ)\n" },
	{ "a date that does not exist", "google", NULL,
	  PAGE(GMAIL("spam", "32", "{\"floatValue\":0}")),
	  "account all 09-01 API_ERROR (an entry about acme.example has no date that there is)\n" },
	{ "a batch with an error among answers", "google", NULL,
	  "{\"results\":[{\"response\":" PAGE(GMAIL("spam", "3", "{\"floatValue\":0}")) "},{\"error\":{\"code\":7,\"message\":\"not yours\"}}]}",
	  "account all 09-01 NOT_AUTHORIZED (Google says: 7  not yours)\n"
	  "acme.example spam_rate 08-03 0 share\n" },
	{ "an error that is about rights", "google", "acme.example",
	  "{\"error\":{\"code\":401,\"status\":\"UNAUTHENTICATED\",\"message\":\"who?\"}}",
	  "acme.example all 09-01 NOT_AUTHORIZED (Google says: 401 UNAUTHENTICATED who?)\n" },
	{ "an error that is not", "google", "acme.example",
	  "{\"error\":{\"code\":500,\"message\":\"oops\"}}",
	  "acme.example all 09-01 API_ERROR (Google says: 500  oops)\n" },
	{ "a page for people", "google", "acme.example",
	  "<!DOCTYPE html><html><head><title>Sign in</title></head></html>",
	  "acme.example all 09-01 NOT_AUTHORIZED\n" },
	{ "JSON of somebody else", "google", NULL, "{\"weather\":\"fine\"}",
	  "account all 09-01 API_ERROR (JSON, but no answer of Postmaster Tools that is known)\n" },
	{ "controls in a text do no harm", "google", NULL,
	  PAGE(GMAIL("word", "3", "{\"stringValue\":\"a\\u001b[2Jb\"}")),
	  "acme.example word 08-03 a?[2Jb text\n" },
	{ "a key that comes twice", "google", "acme.example", "{\"a\":1,\"a\":2}",
	  "acme.example all 09-01 API_ERROR\n" },
	/* --- Google, compliance --- */
	{ "verdicts", "google", NULL,
	  "{\"name\":\"domains/acme.example/complianceStatus\",\"complianceData\":{\"domainId\":\"acme.example\",\"rowData\":["
	  "{\"requirement\":\"SPF\",\"status\":{\"status\":\"COMPLIANT\"}},"
	  "{\"requirement\":\"USER_REPORTED_SPAM_RATE\",\"status\":{\"status\":\"NEEDS_WORK\"}},"
	  "{\"requirement\":\"DKIM\",\"status\":{\"status\":\"PERHAPS\"}},"
	  "{\"requirement\":\"ENCRYPTION\",\"status\":{}}],"
	  "\"oneClickUnsubscribeVerdict\":{\"status\":{\"status\":\"NEEDS_WORK\"},\"reason\":\"NO_UNSUB_GENERAL\"}}}",
	  "acme.example compliance:dkim 09-01 API_ERROR (a verdict that is not known: PERHAPS)\n"
	  "acme.example compliance:encryption 09-01 NO_DATA (no verdict came)\n"
	  "acme.example compliance:one_click_unsubscribe 09-01 NEEDS_WORK verdict (NO_UNSUB_GENERAL)\n"
	  "acme.example compliance:spf 09-01 COMPLIANT verdict\n"
	  "acme.example compliance:user_reported_spam_rate 09-01 NEEDS_WORK verdict\n" },
	/* --- Google, version 1 --- */
	{ "a day of an archive", "google", NULL,
	  "{\"name\":\"domains/acme.example/trafficStats/20250803\",\"userReportedSpamRatio\":0.016,\"domainReputation\":\"HIGH\","
	  "\"spfSuccessRatio\":1.0,\"ipReputations\":[{\"reputation\":\"BAD\",\"ipCount\":\"3\"}],"
	  "\"spammyFeedbackLoops\":[{\"id\":\"x_7\",\"spamRatio\":0.2}],"
	  "\"deliveryErrors\":[{\"errorClass\":\"TEMPORARY_ERROR\",\"errorType\":\"RATE_LIMIT_EXCEEDED\",\"errorRatio\":0.01}]}",
	  "acme.example auth_success_rate:spf 2025-08-03 1 share\n"
	  "acme.example delivery_error_rate:temporary_error_rate_limit_exceeded 2025-08-03 0.01 share\n"
	  "acme.example domain_reputation 2025-08-03 HIGH category\n"
	  "acme.example feedback_loop_spam_rate:x_7 2025-08-03 0.2 share\n"
	  "acme.example ip_reputation:bad 2025-08-03 3 count\n"
	  "acme.example user_reported_spam_ratio 2025-08-03 0.016 share\n" },
	{ "a list of days; what is left out is not zero", "google", NULL,
	  "{\"trafficStats\":[{\"name\":\"domains/acme.example/trafficStats/20250803\",\"userReportedSpamRatio\":0.1},"
	  "{\"name\":\"domains/acme.example/trafficStats/20250804\",\"domainReputation\":\"SHINY\"}]}",
	  "acme.example domain_reputation 2025-08-03 NO_DATA\n"
	  "acme.example domain_reputation 2025-08-04 API_ERROR\n"
	  "acme.example user_reported_spam_ratio 2025-08-03 0.1 share\n"
	  "acme.example user_reported_spam_ratio 2025-08-04 NO_DATA\n" },
	/* --- Microsoft --- */
	{ "fourteen columns without a header", "microsoft", NULL,
	  ROW("192.0.2.10", "GREEN", "< 0.1%", "41"),
	  "192.0.2.10 complaint_rate 08-03 <0.001 share\n"
	  "192.0.2.10 data_commands 08-03 14120 count\n"
	  "192.0.2.10 filter_result 08-03 GREEN colour (times have no zone and are read as UTC)\n"
	  "192.0.2.10 message_recipients 08-03 13025 count\n"
	  "192.0.2.10 rcpt_commands 08-03 14129 count\n"
	  "192.0.2.10 trap_hits 08-03 41 count\n" },
	{ "a colour nobody knows is not green", "microsoft", NULL,
	  ROW("192.0.2.10", "TEAL", "0.3%", ""),
	  "192.0.2.10 complaint_rate 08-03 0.003 share\n"
	  "192.0.2.10 data_commands 08-03 14120 count\n"
	  "192.0.2.10 filter_result 08-03 API_ERROR (a colour that is not known: TEAL)\n"
	  "192.0.2.10 message_recipients 08-03 13025 count\n"
	  "192.0.2.10 rcpt_commands 08-03 14129 count\n" },
	{ "a rate without its sign", "microsoft", NULL,
	  "192.0.2.10,8/3/2026,8/3/2026,,,,RED,0.3,,,,,,\n",
	  "192.0.2.10 complaint_rate 08-03 API_ERROR\n"
	  "192.0.2.10 filter_result 08-03 RED colour\n" },
	{ "a period of months", "microsoft", NULL,
	  "192.0.2.10,12/31/2025 8:00 AM,8/3/2026 9:00 PM,1,1,1,YELLOW,,,,,,,\n",
	  "192.0.2.10 data_commands 2025-12-31..08-03 1 count\n"
	  "192.0.2.10 filter_result 2025-12-31..08-03 YELLOW colour\n"
	  "192.0.2.10 message_recipients 2025-12-31..08-03 1 count\n"
	  "192.0.2.10 rcpt_commands 2025-12-31..08-03 1 count\n" },
	{ "a thirteenth hour", "microsoft", NULL,
	  "192.0.2.10,8/3/2026 13:00 PM,8/3/2026 9:00 PM,1,1,1,GREEN,,,,,,,\n",
	  "192.0.2.10 filter_result 09-01 API_ERROR (its activity period cannot be read)\n" },
	{ "ranges that are blocked", "microsoft", NULL,
	  "192.0.2.10,192.0.2.11,Yes,Blocked due to user complaints\n",
	  "192.0.2.10 blocked 09-01 yes verdict (Blocked due to user complaints)\n"
	  "192.0.2.11 blocked 09-01 yes verdict (Blocked due to user complaints)\n" },
	{ "a range of a country stays one", "microsoft", NULL,
	  "10.0.0.0,10.255.255.255,No,\n",
	  "10.0.0.0-10.255.255.255 blocked 09-01 no verdict\n" },
	{ "neither yes nor no", "microsoft", NULL, "192.0.2.10,192.0.2.10,Maybe,\n",
	  "192.0.2.10 blocked 09-01 API_ERROR\n" },
	{ "a header, parted by semicolons", "microsoft", NULL,
	  "Beginning IP Address;Activity Period;RCPT Commands;Filter Result/Overall Status;Complaint Rate;Trap Hits\r\n"
	  "2001:DB8:0:0::1;2026-08-03 - 2026-08-04;7;Green;< 0.1%;0\r\n",
	  "2001:db8::1 complaint_rate 08-03..08-04 <0.001 share\n"
	  "2001:db8::1 filter_result 08-03..08-04 GREEN colour\n"
	  "2001:db8::1 rcpt_commands 08-03..08-04 7 count\n"
	  "2001:db8::1 trap_hits 08-03..08-04 0 count\n" },
	{ "JSON in a wrapper", "microsoft", NULL,
	  "{\"value\":[{\"BeginningIpAddress\":\"192.0.2.10\",\"ActivityPeriod\":\"2026-08-03T00:00:00Z\",\"RcptCommands\":12,\"OverallStatus\":\"Red\",\"ComplaintRate\":\"2%\",\"TrapHits\":null}]}",
	  "192.0.2.10 complaint_rate 08-03 0.02 share\n"
	  "192.0.2.10 filter_result 08-03 RED colour\n"
	  "192.0.2.10 rcpt_commands 08-03 12 count\n" },
	{ "JSON of blocks", "microsoft", NULL,
	  "[{\"beginningIpAddress\":\"192.0.2.10\",\"endingIpAddress\":\"192.0.2.10\",\"isListed\":false,\"reason\":\"\"}]",
	  "192.0.2.10 blocked 09-01 no verdict\n" },
	{ "an address without a row that day", "microsoft", NULL,
	  "Date,IP,Overall Status\n2026-08-03,192.0.2.10,GREEN\n2026-08-05,192.0.2.10,GREEN\n",
	  "192.0.2.10 filter_result 08-03 GREEN colour\n"
	  "192.0.2.10 filter_result 08-04 NO_DATA\n"
	  "192.0.2.10 filter_result 08-05 GREEN colour\n" },
	{ "a day without mail", "microsoft", NULL, "",
	  "account all 09-01 NO_DATA\n" },
	{ "a login page", "microsoft", NULL, "\n<html><body>Sign in to SNDS</body></html>",
	  "account all 09-01 NOT_AUTHORIZED\n" },
	{ "a sentence about the key", "microsoft", NULL, "Access denied: invalid key\n",
	  "account all 09-01 NOT_AUTHORIZED\n" },
	{ "some other sentence", "microsoft", NULL, "Come back later\n",
	  "account all 09-01 API_ERROR\n" },
	{ "an error in JSON", "microsoft", NULL, "{\"error\":{\"code\":\"x\",\"message\":\"Unauthorized\"}}",
	  "account all 09-01 NOT_AUTHORIZED\n" },
	{ "a row cut short", "microsoft", NULL, ROW("192.0.2.10", "GREEN", "", "") "192.0.2.11,8/3/20",
	  "192.0.2.10 data_commands 08-03 14120 count\n"
	  "192.0.2.10 filter_result 08-03 GREEN colour\n"
	  "192.0.2.10 message_recipients 08-03 13025 count\n"
	  "192.0.2.10 rcpt_commands 08-03 14129 count\n"
	  "account all 09-01 API_ERROR\n" },
	/* --- block lists --- */
	{ "listed and not, by a list that works", "dnsbl", NULL,
	  PROOF "zen.spamhaus.org 192.0.2.10 NOERROR 127.0.0.2 127.0.0.4 \"https://check.example/sbl/1\"\n"
	  "zen.spamhaus.org 192.0.2.11 NXDOMAIN # fine\n",
	  "192.0.2.10 zen.spamhaus.org 09-01 SBL,XBL verdict (127.0.0.2,127.0.0.4; https://check.example/sbl/1)\n"
	  "192.0.2.11 zen.spamhaus.org 09-01 not listed verdict\n" },
	{ "a list without test points is not believed", "dnsbl", NULL,
	  "zen.spamhaus.org 192.0.2.10 NXDOMAIN\n",
	  "192.0.2.10 zen.spamhaus.org 09-01 REFUSED\n" },
	{ "nor one that lists everybody", "dnsbl", NULL,
	  "old.example 127.0.0.2 NOERROR 127.0.0.2\nold.example 127.0.0.1 NOERROR 127.0.0.2\nold.example 192.0.2.10 NOERROR 127.0.0.2\n",
	  "192.0.2.10 old.example 09-01 REFUSED\n" },
	{ "nor one that lists nobody", "dnsbl", NULL,
	  "old.example 127.0.0.2 NXDOMAIN\nold.example 127.0.0.1 NXDOMAIN\nold.example 192.0.2.10 NXDOMAIN\n",
	  "192.0.2.10 old.example 09-01 REFUSED\n" },
	{ "an error is never a listing", "dnsbl", NULL,
	  PROOF "zen.spamhaus.org 192.0.2.10 NOERROR 127.255.255.254\n",
	  "192.0.2.10 zen.spamhaus.org 09-01 API_ERROR (127.255.255.254: asked through a public resolver; use your own)\n" },
	{ "an error beside a hit does not undo it", "dnsbl", NULL,
	  PROOF "zen.spamhaus.org 192.0.2.10 NOERROR 127.255.255.255 127.0.0.3\n",
	  "192.0.2.10 zen.spamhaus.org 09-01 CSS verdict\n" },
	{ "an address of somebody else", "dnsbl", NULL,
	  PROOF "zen.spamhaus.org 192.0.2.10 NOERROR 203.0.113.7\n",
	  "192.0.2.10 zen.spamhaus.org 09-01 API_ERROR\n" },
	{ "no answer is not a clean one", "dnsbl", NULL,
	  PROOF "zen.spamhaus.org 192.0.2.10 SERVFAIL\nzen.spamhaus.org 192.0.2.11 NOERROR\nzen.spamhaus.org 192.0.2.12 TIMEOUT\n",
	  "192.0.2.10 zen.spamhaus.org 09-01 API_ERROR (no answer: SERVFAIL)\n"
	  "192.0.2.11 zen.spamhaus.org 09-01 API_ERROR (no answer: NOERROR)\n"
	  "192.0.2.12 zen.spamhaus.org 09-01 API_ERROR (no answer: TIMEOUT)\n" },
	{ "a customer's key is not kept", "dnsbl", NULL,
	  "s3cret.zen.dq.spamhaus.net 127.0.0.2 NOERROR 127.0.0.2\ns3cret.zen.dq.spamhaus.net 127.0.0.1 NXDOMAIN\n"
	  "s3cret.zen.dq.spamhaus.net 192.0.2.10 NOERROR 127.0.0.10\n",
	  "192.0.2.10 zen.dq.spamhaus.net 09-01 PBL verdict\n" },
	{ "a list that refuses us", "dnsbl", NULL,
	  "multi.uribl.com test NOERROR 127.0.0.2\nmulti.uribl.com invalid NXDOMAIN\nmulti.uribl.com acme.example NOERROR 127.0.0.1\n",
	  "acme.example multi.uribl.com 09-01 REFUSED\n" },
	{ "answers in JSON", "dnsbl", NULL,
	  "[{\"zone\":\"zen.spamhaus.org\",\"address\":\"127.0.0.2\",\"rcode\":\"NOERROR\",\"a\":[\"127.0.0.2\"]},"
	  "{\"zone\":\"zen.spamhaus.org\",\"address\":\"127.0.0.1\",\"rcode\":\"NXDOMAIN\",\"a\":[]}]\n"
	  "{\"zone\":\"zen.spamhaus.org\",\"address\":\"192.0.2.10\",\"rcode\":\"NOERROR\",\"a\":\"127.0.0.11\",\"txt\":[\"why\"]}",
	  "192.0.2.10 zen.spamhaus.org 09-01 PBL verdict (127.0.0.11; why)\n" },
	{ "a line that says nothing", "dnsbl", NULL, PROOF "zen.spamhaus.org\n",
	  "account all 09-01 API_ERROR\n" },
	/* --- our own columns --- */
	{ "figures of anybody", "yahoo", NULL,
	  "provider,subject,metric,value,unit,period_start,period_end,snapshot_date,state,note\n"
	  ",acme.example,complaint_rate,0.002,share,2026-08-01,2026-08-07,2026-08-08,,from the console\n"
	  "gmx,192.0.2.10,listed,no,verdict,2026-08-03,,,,\n",
	  "192.0.2.10 listed 08-03 no verdict\n"
	  "acme.example complaint_rate 08-01..08-07 0.002 share (from the console)\n" },
	{ "a day that is still to come", "yahoo", NULL, "subject,metric,value,period_start,snapshot_date\nacme.example,rate,1,2026-08-03,2026-09-03\nacme.example,rate,2,2026-08-04,2026-09-01\n",
	  "acme.example rate 08-04 2 \nrefused 1: line 2: snapshot_date: \"2026-09-03\" is still to come\n" },
	{ "blank is no data", "yahoo", NULL, "subject,metric,value,period_start\nacme.example,rate,,2026-08-03\n",
	  "acme.example rate 08-03 NO_DATA\n" },
	{ "rows that are wrong", "yahoo", NULL,
	  "subject,metric,value,unit,period_start,state\nacme.example,rate,1.5,share,2026-08-03,\na b,rate,1,,2026-08-03,\nacme.example,rate,1,,2026-13-03,\nacme.example,rate,1,,2026-08-03,FINE\n",
	  "refused 4: line 2: value: \"1.5\" is no share\n" },
	{ "another provider without our columns", "yahoo", "acme.example", "a,b\n1,2\n",
	  "acme.example all 09-01 API_ERROR\n" },
};

#endif
