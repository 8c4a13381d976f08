-- Messages in every order on one connection: none leaves anything behind.
-- Tenant "tight" may send to two recipients a day, so a reservation that is
-- not given back is seen at once.
dofile(dir .. "/common.lua")

function two(conn)
	want(mail(conn, "tight", "t@tight.example"), SMFIR_CONTINUE, "MAIL")
	want(rcpt(conn, "x@example.org"), SMFIR_CONTINUE, "first RCPT")
	want(rcpt(conn, "y@example.org"), SMFIR_CONTINUE, "second RCPT")
	want(rcpt(conn, "z@example.org"), SMFIR_REPLYCODE, "third RCPT")
end

-- A connection, once what the last one had reserved is given back: the gate
-- learns a moment later that its line is gone.
function after()
	local conn = open()
	for i = 1, 100 do
		want(mail(conn, "tight", "t@tight.example"), SMFIR_CONTINUE, "MAIL")
		local got = rcpt(conn, "x@example.org")
		mt.abort(conn)
		if got == SMFIR_CONTINUE then
			return conn
		end
		mt.sleep(0.05)
	end
	error("a reservation outlives its connection")
end

say("MAIL again without an abort")
conn = open()
for i = 1, 3 do two(conn) end

say("RSET")
for i = 1, 3 do
	two(conn)
	mt.abort(conn)
end

say("RSET in the body")
for i = 1, 3 do
	two(conn)
	want(head(conn, "t@tight.example"), SMFIR_CONTINUE, "headers")
	mt.bodystring(conn, "half a line")
	mt.abort(conn)
end

say("our own refusal at the end of the headers, no abort follows")
for i = 1, 3 do
	two(conn)
	want(head(conn, "b@bare.example"), SMFIR_REPLYCODE, "headers")
end

say("QUIT in the middle")
two(conn)
mt.disconnect(conn)

say("the line is cut in the middle")
conn = after()
two(conn)
mt.disconnect(conn, false)

say("all of it was given back")
conn = after()
two(conn)
want(head(conn, "t@tight.example"), SMFIR_CONTINUE, "headers")
want(finish(conn), SMFIR_ACCEPT, "end of message")
want(mail(conn, "tight", "t@tight.example"), SMFIR_CONTINUE, "MAIL")
want(rcpt(conn, "x@example.org"), SMFIR_REPLYCODE, "RCPT over the cap")
mt.abort(conn)

say("many messages on one connection")
for i = 1, 200 do
	pass(conn, i % 2 == 0 and "acme" or "bare",
	    i % 2 == 0 and "a@acme.example" or "b@bare.example")
	if signed(conn) ~= (i % 2 == 0) then
		error("message " .. i .. ": the other's signature")
	end
end
mt.disconnect(conn)
