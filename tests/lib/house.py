"""house - a gate, a Postfix and a sink, put together as INSTALL says."""

import os
import re
import shutil
import smtplib
import tempfile

import gate
import postfix
import proc
import sink

# Three tenants; "acme" signs twice, "bolt" once, "cats" not at all.
MAIN_POLICY = """\
timezone = "UTC"
unknown_sender = "refuse"
include "tenants.d"
class "plain" {
	throttle "steady" { rate = "100000/minute" }
	cap "monthly" { limit = "10000000/month" }
}
"""
TENANTS = {
    "acme.conf": """\
tenant "acme" {
	class = "plain"
	contact = "postmaster@acme.example"
	logins = {"acme", "*@acme.example"}
	domains = {"acme.example", "*.acme.example"}
	dkim "r1" { domain = "acme.example"  key = "acme.rsa" }
	dkim "e1" { domain = "acme.example"  key = "acme.ed" }
}
""",
    "bolt.conf": """\
tenant "bolt" {
	class = "plain"
	logins = {"bolt"}
	domains = {"bolt.example"}
	dkim "r1" { domain = "bolt.example"  key = "bolt.rsa" }
}
""",
    "cats.conf": """\
tenant "cats" {
	class = "plain"
	logins = {"cats"}
	clients = {"198.51.100.0/24"}
	domains = {"cats.example"}
}
""",
}
KEYS = {"acme.rsa": "rsa", "acme.ed": "ed", "bolt.rsa": "rsa"}


def folder():
    """A new one, that others may enter; short, since sockets live there."""
    path = tempfile.mkdtemp(prefix="penstock-", dir="/tmp")
    os.chmod(path, 0o755)
    return path


class House:
    """close() stops everything and removes the folder.  ways: Postfix has
    the transports of the policy's pools."""

    def __init__(self, policy=MAIN_POLICY, tenants=None, keys=None,
                 more="", map_size="1 GiB", lines="", queue=True,
                 store=None, blocks="", tokens=False, ways=False):
        self.folder = folder()
        self.sink = self.gate = self.postfix = None
        try:
            self.sink = sink.Sink() if queue else None
            self.gate = gate.Gate(
                self.folder + "/gate", policy, more=more, map_size=map_size,
                store=store, group=postfix.owner_group() if queue else "",
                tenants=TENANTS if tenants is None else tenants,
                keys=KEYS if keys is None else keys, blocks=blocks,
                tokens=tokens)
            self.gate.start()
            if queue:
                self.postfix = postfix.Postfix(
                    self.folder + "/postfix", self.sink.port,
                    self.to_the_sink(self.gate.postfix_lines()) + lines,
                    self.gate.postfix_lines("--master") if ways else ""
                    ).start()
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.postfix is not None:
            self.postfix.stop()
        if self.gate is not None and self.gate.process is not None:
            proc.stop(self.gate.process, patience=0.1)
            self.gate.process = None
        if self.sink is not None:
            self.sink.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def to_the_sink(self, lines):
        """There is no DNS: a filter without a next hop, which would go to
        the recipient's own, goes to the sink."""
        return re.sub(r"(FILTER (?!retry)[\w.-]+:) ",
                      rf"\1[127.0.0.1]:{self.sink.port} ", lines)

    def client(self, login=None, addr=None, **how):
        return self.postfix.client(login, addr, **how)


class Sent:
    """What a client heard: per recipient, and at the end."""

    def __init__(self, code, text, recipients):
        self.code, self.text = code, text.decode("utf-8", "replace")
        self.recipients = recipients

    @property
    def taken(self):
        """Recipients that got the message."""
        return [r for r, (code, _) in self.recipients.items()
                if code == 250] if self.code == 250 else []

    @property
    def queue_id(self):
        """From "250 2.0.0 Ok: queued as QID"."""
        return self.text.rsplit(" ", 1)[-1] if self.code == 250 else None

    def __repr__(self):
        return f"Sent({self.code} {self.text} {self.recipients})"


def send(smtp, sender, recipients, message):
    """One message on an open session; no exception for a refusal."""
    heard = {}
    code, text = smtp.mail(sender)
    if code == 250:
        for r in recipients:
            code, text = smtp.rcpt(r)
            heard[r] = (code, text.decode("utf-8", "replace"))
        if any(c == 250 for c, _ in heard.values()):
            try:
                code, text = smtp.data(message)
            except smtplib.SMTPDataError as e:
                code, text = e.smtp_code, e.smtp_error
            return Sent(code, text, heard)
    smtp.rset()
    return Sent(code, text, heard)


def message(sender, to="someone@example.org", subject="a test", body=None,
            headers=""):
    return (f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n{headers}"
            "Date: Sat, 21 Nov 2026 07:00:00 +0000\r\n"
            f"Message-ID: <{os.urandom(8).hex()}@client.example>\r\n\r\n"
            + (body or "Hello,\r\nthis is a body.\r\n"))
