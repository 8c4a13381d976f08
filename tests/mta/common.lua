-- What all scripts share. "socket" and "dir" come from run (-D).

function say(what)
	mt.echo("   " .. what)
end

function want(got, wanted, what)
	if got ~= wanted then
		error(what .. ": got reply " .. string.char(got) ..
		    ", want " .. string.char(wanted), 2)
	end
end

function open(ip)
	local conn = mt.connect(socket, 100, 0.05)
	if conn == nil then
		error("no connection to " .. socket)
	end
	mt.macro(conn, SMFIC_CONNECT, "{daemon_name}", "smtpd", "j", "mx")
	if mt.conninfo(conn, "client.example", ip or "198.51.100.9") ~= nil then
		error("connect failed")
	end
	want(mt.getreply(conn), SMFIR_CONTINUE, "connect")
	return conn
end

-- MAIL; login nil: nobody logged in. The reply.
function mail(conn, login, from)
	if login ~= nil then
		mt.macro(conn, SMFIC_MAIL, "{auth_type}", "PLAIN",
		    "{auth_authen}", login, "{mail_addr}", from)
	else
		mt.macro(conn, SMFIC_MAIL, "{mail_addr}", from)
	end
	if mt.mailfrom(conn, "<" .. from .. ">", "SIZE=1000") ~= nil then
		error("MAIL failed")
	end
	return mt.getreply(conn)
end

function rcpt(conn, to, mailer, id)
	mt.macro(conn, SMFIC_RCPT, "{rcpt_mailer}", mailer or "smtp",
	    "i", id or "4xMILTERTEST")
	if mt.rcptto(conn, "<" .. to .. ">") ~= nil then
		error("RCPT failed")
	end
	return mt.getreply(conn)
end

-- Headers to the end of the headers; the reply to that.
function head(conn, from, more)
	mt.header(conn, "From", " " .. from)
	mt.header(conn, "To", " x@example.org")
	for i, h in ipairs(more or {}) do
		mt.header(conn, h[1], h[2])
	end
	mt.header(conn, "Subject", " a test\n\tin two lines")
	if mt.eoh(conn) ~= nil then
		error("end of headers failed")
	end
	return mt.getreply(conn)
end

function finish(conn)
	mt.bodystring(conn, "Hello,\r\nthis is a body.\r\n")
	want(mt.getreply(conn), SMFIR_CONTINUE, "body")
	if mt.eom(conn) ~= nil then
		error("end of message failed")
	end
	return mt.getreply(conn)
end

-- A whole message that must pass.
function pass(conn, login, from, to)
	want(mail(conn, login, from), SMFIR_CONTINUE, "MAIL " .. from)
	want(rcpt(conn, to or "x@example.org"), SMFIR_CONTINUE, "RCPT")
	want(head(conn, from), SMFIR_CONTINUE, "headers")
	want(finish(conn), SMFIR_ACCEPT, "end of message")
end

function signed(conn)
	return mt.eom_check(conn, MT_HDRINSERT, "DKIM-Signature")
end
