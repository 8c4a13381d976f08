-- Mail from outside to recipients of this machine is none of our business;
-- mail from outside to outside is nobody's.
dofile(dir .. "/common.lua")

conn = open()
say("only local recipients: accepted at the end of the headers, untouched")
want(mail(conn, nil, "q@elsewhere.example"), SMFIR_CONTINUE, "MAIL")
want(rcpt(conn, "a@acme.example", "local"), SMFIR_CONTINUE, "RCPT")
want(head(conn, "a@acme.example", { { "X-Penstock-Pool", " theirs" } }),
    SMFIR_ACCEPT, "headers")

say("a remote recipient without a login: refused, the others stay")
want(mail(conn, nil, "q@elsewhere.example"), SMFIR_CONTINUE, "MAIL")
want(rcpt(conn, "x@example.org", "smtp"), SMFIR_REPLYCODE, "remote RCPT")
want(rcpt(conn, "a@acme.example", "virtual"), SMFIR_CONTINUE, "local RCPT")
want(head(conn, "q@elsewhere.example"), SMFIR_ACCEPT, "headers")

say("a tenant right behind it is itself")
pass(conn, "acme", "a@acme.example")
if not signed(conn) then error("no signature") end

say("a bounce from outside")
want(mail(conn, nil, ""), SMFIR_CONTINUE, "MAIL")
want(rcpt(conn, "a@acme.example", "local"), SMFIR_CONTINUE, "RCPT")
want(head(conn, "mailer-daemon@elsewhere.example"), SMFIR_ACCEPT, "headers")
mt.disconnect(conn)
