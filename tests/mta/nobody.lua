-- A client without an address (pickup, an unknown family), and probes that
-- connect and leave.
dofile(dir .. "/common.lua")

conn = open("unspec")
pass(conn, "acme", "a@acme.example")
want(mail(conn, nil, "a@acme.example"), SMFIR_CONTINUE, "MAIL")
want(rcpt(conn, "x@example.org"), SMFIR_REPLYCODE, "RCPT")
mt.disconnect(conn)

for i = 1, 20 do
	conn = mt.connect(socket)
	mt.disconnect(conn, false)
	conn = open()
	mt.disconnect(conn, i % 2 == 0)
	conn = open()
	mail(conn, "acme", "a@acme.example")
	mt.disconnect(conn, i % 2 == 0)
end
conn = open("10.1.2.3")
pass(conn, nil, "c@bare.example")
mt.disconnect(conn)
