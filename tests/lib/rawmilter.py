"""rawmilter - a mail server's side of the milter protocol, version 6.

Written for tests: it says exactly what it is told, also nonsense, and keeps
every edit and reply.  Blocking sockets; one Milter is one connection and
belongs to one thread.  Lengths are 32 bits in network order in front of a
command byte and its data (mfdef.h of libmilter names the bytes).
"""

import socket
import struct

# What the other side may answer (SMFIR_*).
CONTINUE, ACCEPT, REJECT, TEMPFAIL = b"c", b"a", b"r", b"t"
DISCARD, REPLYCODE, SKIP, PROGRESS = b"d", b"y", b"s", b"p"
VERDICTS = (CONTINUE, ACCEPT, REJECT, TEMPFAIL, DISCARD, REPLYCODE, SKIP,
            b"4", b"f")

# "I shall not send this" (SMFIP_NO*) and "no reply to this" (SMFIP_NR_*).
NO = {b"C": 0x1, b"H": 0x2, b"M": 0x4, b"R": 0x8, b"B": 0x10, b"L": 0x20,
      b"N": 0x40, b"U": 0x100, b"T": 0x200}
NR = {b"L": 0x80, b"C": 0x1000, b"H": 0x2000, b"M": 0x4000, b"R": 0x8000,
      b"T": 0x10000, b"U": 0x20000, b"N": 0x40000, b"B": 0x80000}
LEADING_SPACE = 0x100000

CHUNK = 65535


class Closed(Exception):
    """The other side hung up."""


class Reply:
    """One verdict: its byte and, where it has one, the SMTP reply."""

    def __init__(self, verdict, text=""):
        self.verdict = verdict
        self.text = text

    @property
    def ok(self):
        return self.verdict in (CONTINUE, ACCEPT, SKIP)

    @property
    def code(self):
        """250, or the reply's own number, or Postfix's for a bare verdict."""
        if self.verdict == REPLYCODE:
            return int(self.text[:3])
        return {TEMPFAIL: 451, REJECT: 550}.get(self.verdict, 250)

    def __repr__(self):
        return f"Reply({self.verdict.decode()} {self.text})"


class Edit:
    """One change at the end of a message."""

    NAMES = {b"h": "add", b"i": "insert", b"m": "change", b"b": "body",
             b"e": "from", b"+": "rcpt+", b"2": "rcpt+", b"-": "rcpt-",
             b"q": "quarantine"}

    def __init__(self, command, data, space=False):
        """space: the space after the colon was negotiated to be ours."""
        self.kind = self.NAMES.get(command, "?" + repr(command))
        self.index, self.name, self.value = None, None, data
        if command in (b"i", b"m"):
            self.index = struct.unpack(">I", data[:4])[0]
            data = data[4:]
        if command in (b"h", b"i", b"m"):
            name, _, value = data.partition(b"\0")
            self.name, self.value = name.decode("latin-1"), \
                value.rstrip(b"\0")

    def __repr__(self):
        return f"Edit({self.kind} {self.index} {self.name}: {self.value!r})"


def packet(command, data=b""):
    return struct.pack(">I", len(data) + 1) + command + data


def text(value):
    return value if isinstance(value, bytes) else value.encode()


def macros(stage, values):
    """The packet that carries macros for the command that follows it."""
    data = b"".join(text(k) + b"\0" + text(v) + b"\0"
                    for k, v in values.items() if v is not None)
    return packet(b"D", stage + data)


class Milter:
    def __init__(self, address, timeout=60):
        """address: a path, or (host, port)."""
        kind = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(kind, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        self.wanted = {}
        self.protocol = 0
        self.edits = []

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- bytes ----------------------------------------------------------
    def write(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as e:
            raise Closed(str(e)) from e

    def exactly(self, n):
        got = b""
        while len(got) < n:
            try:
                more = self.socket.recv(n - len(got))
            except ConnectionResetError as e:
                raise Closed(str(e)) from e
            if not more:
                raise Closed("end of file")
            got += more
        return got

    def read(self):
        length = struct.unpack(">I", self.exactly(4))[0]
        data = self.exactly(length)
        return data[:1], data[1:]

    def verdict(self):
        """Reads to the verdict; edits on the way are kept."""
        while True:
            command, data = self.read()
            if command == PROGRESS:
                continue
            if command in VERDICTS:
                said = data.rstrip(b"\0").decode("utf-8", "replace")
                return Reply(command, said)
            self.edits.append(Edit(
                command, data, bool(self.protocol & LEADING_SPACE)))

    def command(self, command, data=b""):
        """Says it unless it was declined; waits unless no reply comes."""
        if self.protocol & NO.get(command, 0):
            return Reply(CONTINUE)
        self.write(packet(command, data))
        if self.protocol & NR.get(command, 0):
            return Reply(CONTINUE)
        return self.verdict()

    # --- the dialogue -----------------------------------------------------
    def negotiate(self, version=6, actions=0x1ff, protocol=0x1fffff):
        self.write(packet(b"O", struct.pack(">III", version, actions,
                                            protocol)))
        command, data = self.read()
        if command != b"O":
            raise Closed(f"no negotiation: {command!r}")
        self.version, self.actions, self.protocol = \
            struct.unpack(">III", data[:12])
        rest = data[12:]
        while len(rest) > 4:
            stage = struct.unpack(">I", rest[:4])[0]
            names, rest = rest[4:].split(b"\0", 1)
            self.wanted[stage] = names.decode().split()
        return self

    def connect(self, client="127.0.0.1", name="localhost",
                listener="smtpd", **more):
        self.write(macros(b"C", {"j": "mx.example", "{daemon_name}": listener,
                                 "v": "Postfix 3.7.11", **more}))
        if client is None:
            return self.command(b"C", text(name) + b"\0U")
        family = b"6" if ":" in client else b"4"
        return self.command(b"C", text(name) + b"\0" + family +
                            struct.pack(">H", 40000) + text(client) + b"\0")

    def helo(self, name="client.example"):
        return self.command(b"H", text(name) + b"\0")

    def mail(self, sender, login=None, *arguments, **more):
        values = {"{mail_addr}": text(sender).strip(b"<>")}
        if login is not None:
            values.update({"{auth_type}": "PLAIN", "{auth_authen}": login})
        self.edits = []
        self.write(macros(b"M", {**values, **more}))
        return self.command(b"M", b"\0".join(
            text(a) for a in (sender, *arguments)) + b"\0")

    def rcpt(self, recipient, mailer="smtp", queue_id=None, **more):
        self.write(macros(b"R", {
            "i": queue_id, "{rcpt_mailer}": mailer,
            "{rcpt_host}": text(recipient).strip(b"<>").rpartition(b"@")[2],
            "{rcpt_addr}": text(recipient).strip(b"<>"), **more}))
        return self.command(b"R", text(recipient) + b"\0")

    def rcpts(self, recipients):
        """Many at once, without waiting between them; the replies."""
        self.write(macros(b"R", {"{rcpt_mailer}": "smtp"}))
        for at in range(0, len(recipients), 200):
            part = recipients[at:at + 200]
            self.write(b"".join(packet(b"R", text(r) + b"\0")
                                for r in part))
            yield from (self.verdict() for _ in part)

    def data(self, queue_id=None):
        self.write(macros(b"T", {"i": queue_id}))
        return self.command(b"T")

    def header(self, name, value):
        return self.command(b"L", text(name) + b"\0" + text(value) + b"\0")

    def eoh(self, queue_id=None):
        self.write(macros(b"N", {"i": queue_id}))
        return self.command(b"N")

    def body(self, data):
        return self.command(b"B", data)

    def eom(self, queue_id=None):
        self.write(macros(b"E", {"i": queue_id}))
        return self.command(b"E")

    def abort(self):
        self.write(packet(b"A"))

    def quit(self):
        try:
            self.write(packet(b"Q"))
        except Closed:
            pass
        self.close()

    # --- whole things -----------------------------------------------------
    def hello(self, **how):
        self.negotiate()
        self.connect(**how)
        self.helo()
        return self

    def content(self, message, queue_id="4xTEST1zABC", chunk=CHUNK):
        """DATA to the end of the message; the first verdict that is no."""
        message = crlf(text(message))
        head, _, body = message.partition(b"\r\n\r\n")
        reply = self.data(queue_id)
        if not reply.ok:
            return reply
        for name, value in split_headers(head):
            if not self.protocol & LEADING_SPACE and value[:1] == b" ":
                value = value[1:]
            reply = self.header(name, value.replace(b"\r\n", b"\n"))
            if not reply.ok:
                return reply
        reply = self.eoh(queue_id)
        if reply.verdict == ACCEPT:
            return reply
        for at in range(0, len(body), chunk):
            if not reply.ok or reply.verdict == SKIP:
                break
            reply = self.body(body[at:at + chunk])
        return self.eom(queue_id) if reply.ok else reply

    def send(self, login, sender, recipients, message,
             queue_id="4xTEST1zABC", **how):
        """One message; the reply that ended it, and who was accepted."""
        reply = self.mail(sender, login)
        if not reply.ok:
            return reply, []
        replies = [(r, self.rcpt(r, queue_id=queue_id)) for r in recipients]
        taken = [r for r, said in replies if said.ok]
        if not taken:
            self.abort()
            return replies[-1][1], []
        reply = self.content(message, queue_id, **how)
        if not reply.ok:
            taken = []
        return reply, taken


def crlf(message):
    return message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def split_headers(head):
    """[(name, value with its leading space and folds)]"""
    fields = []
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1][1] += b"\r\n" + line
        elif line:
            name, _, value = line.partition(b":")
            fields.append([name, value])
    return [(n, v) for n, v in fields]


def apply_edits(message, edits):
    """The message as Postfix would deliver it after these edits."""
    head, _, body = crlf(text(message)).partition(b"\r\n\r\n")
    fields = [[n, v] for n, v in split_headers(head)]
    for edit in edits:
        value = b" " + edit.value.replace(b"\r\n", b"\n").replace(
            b"\n", b"\r\n") if edit.kind in ("add", "insert", "change") \
            else edit.value
        if edit.kind == "insert":
            fields.insert(edit.index, [edit.name.encode("latin-1"), value])
        elif edit.kind == "add":
            fields.append([edit.name.encode("latin-1"), value])
        elif edit.kind == "change":
            same = [f for f in fields if f[0].decode("latin-1").strip()
                    .lower() == edit.name.lower()]
            if not 0 < edit.index <= len(same):
                continue
            if edit.value:
                same[edit.index - 1][1] = value
            else:
                fields = [f for f in fields if f is not same[edit.index - 1]]
        elif edit.kind == "body":
            body = edit.value
    return b"".join(n + b":" + v + b"\r\n" for n, v in fields) + \
        b"\r\n" + body
