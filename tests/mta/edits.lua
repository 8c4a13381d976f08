-- The signature is inserted at the top, forged headers go, nothing else does.
dofile(dir .. "/common.lua")

conn = open()
want(mail(conn, "acme", "a@acme.example"), SMFIR_CONTINUE, "MAIL")
want(rcpt(conn, "x@example.org"), SMFIR_CONTINUE, "RCPT")
want(head(conn, "a@acme.example", {
	{ "X-Penstock-Pool", " forged" }, { "x-penstock-pool", " again" },
	{ "X-Other", " stays" } }), SMFIR_CONTINUE, "headers")
want(finish(conn), SMFIR_ACCEPT, "end of message")

if not signed(conn) then error("no signature") end
value = mt.getheader(conn, "DKIM-Signature", 0)
for _, part in ipairs({ "v=1", "a=rsa-sha256", "d=acme.example", "s=s1",
    "c=relaxed/relaxed", "h=", "bh=", "b=" }) do
	if not string.find(value, part, 1, true) then
		error("no " .. part .. " in " .. value)
	end
end
if string.find(value, "\r") then error("a carriage return left") end
if not mt.eom_check(conn, MT_HDRDELETE, "X-Penstock-Pool") then
	error("the forged header stays")
end
if mt.eom_check(conn, MT_HDRDELETE, "X-Other") then
	error("a stranger's header went")
end
for _, no in ipairs({ MT_HDRADD, MT_BODYCHANGE, MT_QUARANTINE }) do
	if mt.eom_check(conn, no) then error("an edit that nobody asked for") end
end
say("unsigned where there is no key")
pass(conn, "bare", "b@bare.example")
if signed(conn) then error("signed without a key") end
mt.disconnect(conn)
