"""Mail that reports: a real Postfix hands bounces and complaints over by LMTP,
and what is proven by them has an effect, and nothing else."""

import json
import os
import re
import shutil
import smtplib
import socketserver
import subprocess
import threading

import gate as gate_
import house as house_
import postfix
import proc
import pytest
from house import message, send

SAMPLES = os.path.join(os.path.dirname(__file__), "../fuzz/corpus")
BLOCK = """\
}
ingest {
	log = ""
	user = ""
	lmtp = "unix:%s/ingest.sock"
	socket_group = "%s"
%s"""
TENANTS = {"acme.conf": """\
tenant "acme" {
	class = "plain"
	logins = {"acme"}
	domains = {"acme.example"}
	bounce_domain = "bounce.acme.example"
}
"""}
# Mail for the bounce domain goes to the ingester, and nowhere is a place whose
# server says no.
TRANSPORT = """\
transport_maps = inline:{{ {{ bounce.acme.example = lmtp:unix:{}/ingest.sock }},
    {{ nowhere.example = smtp:[127.0.0.1]:{} }} }}
"""
SENDER = "b@bounce.acme.example"


class Refuser(socketserver.StreamRequestHandler):
    """A server that knows no recipient."""

    def handle(self):
        self.wfile.write(b"220 mx.nowhere.example ESMTP\r\n")
        for line in self.rfile:
            word = line[:4].upper()
            self.wfile.write(
                b"550 5.1.1 No such user here\r\n" if word == b"RCPT" else
                b"503 5.5.1 No recipients\r\n" if word == b"DATA" else
                b"221 2.0.0 Bye\r\n" if word == b"QUIT" else
                b"250 2.0.0 Ok\r\n")
            if word == b"QUIT":
                return


class World:
    """A house of acme, whose bounces come to a penstock-ingest."""

    def __init__(self, build, more=""):
        self.folder = house_.folder()
        self.process = self.house = None
        self.refuser = socketserver.ThreadingTCPServer(("127.0.0.1", 0),
                                                       Refuser)
        self.refuser.daemon_threads = True
        threading.Thread(target=self.refuser.serve_forever,
                         daemon=True).start()
        self.house = build(
            tenants=TENANTS, keys={},
            more=BLOCK % (self.folder, postfix.owner_group(), more),
            lines=TRANSPORT.format(self.folder,
                                   self.refuser.server_address[1]))
        self.gate = self.house.gate

    def start(self):
        with open(f"{self.folder}/log", "a") as log:
            self.process = proc.start(
                [gate_.program("penstock-ingest"), "-c", self.gate.conf],
                stdout=log, stderr=log,
                env={**os.environ, "NOTIFY_SOCKET": ""})
        proc.wait_for(self.up, 20, "the ingester's socket")
        return self

    def up(self):
        assert self.process.poll() is None, self.log()
        try:
            with smtplib.LMTP(f"{self.folder}/ingest.sock") as c:
                return c.noop()[0] == 250
        except OSError:
            return False

    def log(self):
        with open(f"{self.folder}/log", errors="replace") as f:
            return f.read()

    def answers(self):
        return re.findall(r"mail: (.*)", self.log())

    def wait_answer(self, words):
        return proc.wait_for(lambda: [a for a in self.answers()
                                      if words in a], 60,
                             f"{words!r} in\n{self.log()}")

    def stop(self, kill=False):
        if self.process is not None and kill:
            self.process.kill()
            self.process.wait()
        if self.process is not None:
            proc.stop(self.process, patience=2)
        self.process = None

    def close(self):
        self.stop()
        self.refuser.shutdown()
        self.refuser.server_close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def mail(self, *recipients):
        """A message of acme's to them; its Message-ID."""
        text = message("news@acme.example")
        with self.house.client("acme") as smtp:
            heard = send(smtp, SENDER, recipients, text)
        assert heard.taken == list(recipients), heard
        return re.search(r"Message-ID: <([^>]*)>", text).group(1)

    def hand_over(self, text, sender="", to=(SENDER,)):
        """One LMTP transaction; what is said behind the dot, each."""
        with smtplib.LMTP(f"{self.folder}/ingest.sock") as c:
            c.ehlo("client.example")
            assert c.mail(sender)[0] == 250
            for r in to:
                assert c.rcpt(r)[0] == 250
            c.putcmd("data")
            assert c.getreply()[0] == 354
            data = re.sub(r"\r\n|\n", "\r\n", text)
            c.send(re.sub(r"(?m)^\.", "..", data).encode() + b".\r\n")
            return [(code, words.decode()) for code, words in
                    (c.getreply() for _ in to)]

    def suppressed(self):
        """Every address in the table of suppressions."""
        dump = subprocess.run(
            ["mdb_dump", "-p", "-s", "suppressions",
             f"{self.gate.store}/outcomes"], capture_output=True, text=True)
        assert dump.returncode == 0, dump.stderr
        plain = re.sub(r"\\[0-9a-f]{2}", " ", dump.stdout)
        return set(re.findall(r"[\w.+-]+@[\w-]+\.example", plain))


@pytest.fixture
def world(build):
    made = []

    def one(more=""):
        made.append(World(build, more))
        return made[-1].start()
    yield one
    for w in made:
        w.close()


def sample(corpus, name, **edits):
    with open(f"{SAMPLES}/{corpus}/{name}") as f:
        text = f.read()
    for old, new in edits.items():
        text = text.replace({"id": "1001.news@acme.example",
                             "rcpt": "ann@far.example"}[old], new)
    return text


def test_a_bounce_of_postfix_suppresses_and_a_forged_one_does_not(world):
    w = world()
    known = w.mail("nobody@nowhere.example")
    assert w.wait_answer("dsn: 1 recorded, 0 known, 0 unproven")
    assert w.suppressed() == {"nobody@nowhere.example"}
    # The same again, as a stranger could send it, changes nothing.
    w.house.postfix.wait_empty()
    for forged in (
            sample("dsn", "exim", id="0000@client.example",
                   rcpt="victim@far.example"),
            sample("dsn", "postfix", rcpt="victim@far.example"),
            sample("dsn", "qmail", id="guess@client.example",
                   rcpt="victim@far.example")):
        with smtplib.SMTP("127.0.0.1", w.house.postfix.port) as smtp:
            smtp.ehlo("stranger.example")
            assert smtp.docmd("XCLIENT", "ADDR=203.0.113.7 "
                              "NAME=[UNAVAILABLE]")[0] == 220
            smtp.ehlo("stranger.example")
            heard = send(smtp, "", [SENDER], forged)
        if heard.code != 250:       # the gate knows no such client
            assert w.hand_over(forged)[0][0] == 250
    proc.wait_for(lambda: len([a for a in w.answers()
                               if "0 recorded" in a and "unproven" in a
                               and "0 unproven" not in a]) == 3, 60,
                  "three forged bounces\n" + w.log())
    assert w.suppressed() == {"nobody@nowhere.example"}
    # Who has the message may complain about it, once.
    complaint = sample("arf", "abuse", id=known,
                       rcpt="nobody@nowhere.example")
    assert w.hand_over(complaint) == [(250, "2.0.0 arf: abuse, 1 recorded, "
                                       "0 known, 0 unproven")]
    assert "0 recorded, 1 known" in w.hand_over(complaint)[0][1]


def test_a_complaint_is_obeyed_by_the_next_bulk_mail(world):
    w = world()
    known = w.mail("ann@dest.example")
    complaint = sample("arf", "abuse", id=known, rcpt="ann@dest.example")
    assert "1 recorded" in w.hand_over(complaint)[0][1]
    check = ["suppress", "check", "ann@dest.example", "--tenant", "acme"]
    assert w.gate.penstock(*check, "--bulk").returncode == 1
    # what is no bulk mail still comes, unless the policy says otherwise
    assert w.gate.penstock(*check).returncode == 0
    assert w.mail("ann@dest.example")
    w.gate.write("tenants.d/acme.conf", TENANTS["acme.conf"].replace(
        'class =', 'complaint_scope = "tenant"\n\tclass ='))
    assert w.gate.reload().returncode == 0

    def refused():
        text = message("news@acme.example")
        with w.house.client("acme") as smtp:
            return send(smtp, SENDER, ["ann@dest.example"], text).code == 550
    proc.wait_for(refused, 10, "nobody is left of the message")
    assert w.gate.events()[-1]["recipients"][0]["rule"].startswith(
        "suppressed by outcomes: complaint of tenant since 2")


def test_an_ingester_that_dies_loses_no_bounce_and_counts_none_twice(world):
    w = world()
    w.stop(kill=True)
    for n in range(5):
        w.mail(f"nobody{n}@nowhere.example")
    assert len(w.house.postfix.queued()) > 0
    w.start()
    w.house.postfix.run("postqueue", "-f")
    proc.wait_for(lambda: len(w.suppressed()) == 5 or
                  w.house.postfix.run("postqueue", "-f") is None, 60,
                  "five suppressions\n" + w.log())
    w.house.postfix.wait_empty(60)
    w.stop()
    w.start()
    assert len(w.suppressed()) == 5
    assert sum("1 recorded" in a for a in w.answers()) == 5


def test_answers_of_people_go_on_to_the_sender_of_the_message(world):
    import sink
    people = sink.Sink()
    try:
        w = world(f'\tforward = "inet:127.0.0.1:{people.port}"\n')
        known = w.mail("ann@dest.example")
        away = sample("dsn", "vacation") \
            .replace("\n\n", f"\nIn-Reply-To: <{known}>\n\n", 1)
        said = w.hand_over(away, "ann@dest.example")
        assert said == [(250, "2.0.0 no report: sent on")], w.log()
        (got,) = people.deliveries
        assert (got.sender, got.recipients) == ("ann@dest.example", [SENDER])
        assert got.headers("Subject") == ["Out of office: What is new"]
        assert got.headers("X-Penstock-Forwarded") == ["yes"]
        # It does not go round.
        again = got.data.decode().replace("\r\n", "\n")
        assert "sent on before" in w.hand_over(again, "ann@x.example")[0][1]
        assert len(people.deliveries) == 1
    finally:
        people.close()
    # Nobody is there any more: Postfix keeps it.
    code, words = w.hand_over(away, "ann@dest.example")[0]
    assert (code, words[:5]) == (451, "4.3.0"), words


def pipe(w, flag, text, *more):
    said = w.gate.penstock("ingest", flag, *more, input=text)
    return said.returncode, said.stdout, said.stderr


def test_a_pipe_hands_over_and_the_quarantine_shows_the_rest(world):
    w = world()
    known = w.mail("ann@dest.example")
    code, out, err = pipe(w, "--dsn", "From MAILER-DAEMON Wed Nov 25\n" +
                          sample("dsn", "exim", id=known,
                                 rcpt="ann@dest.example"))
    assert (code, out) == (0, "dsn: 1 recorded, 0 known, 0 unproven, "
                           "0 delays and successes\n"), err
    assert w.suppressed() == {"ann@dest.example"}
    code, out, err = pipe(w, "--arf", sample("arf", "unknown-type"))
    assert code == 1 and out.startswith("arf: not understood"), (out, err)
    code, out, err = pipe(w, "--dsn", sample("arf", "not-spam", id=known,
                                             rcpt="ann@dest.example"))
    assert code == 1 and out.startswith("arf: not-spam, 1 recorded"), out
    assert "was not taken for what dsn means" in err
    code, out, err = pipe(w, "--rua", "Subject: Report domain: acme.example\n"
                          "Content-Type: text/xml\n\n<svg/>\n")
    assert code == 1 and "no DMARC report" in out, (out, err)
    assert pipe(w, "--dsn", "")[0] == 2
    rows = "".join(f"<record><row><source_ip>10.0.{i >> 8}.{i & 255}"
                   "</source_ip><count>1</count></row></record>\n"
                   for i in range(20010))
    code, out, err = pipe(
        w, "--rua", "Subject: Report domain: acme.example\n"
        "Content-Type: text/xml\n\n<feedback><report_metadata><org_name>far"
        "</org_name><report_id>1</report_id><date_range><begin>1795478400"
        "</begin><end>1795564799</end></date_range></report_metadata>"
        "<policy_published><domain>acme.example</domain></policy_published>" +
        rows + "</feedback>\n")
    assert (code, out) == (0, 'rua: 20000 records, 18000 of them under '
                           '"others"\n'), err
    counts = json.loads(w.gate.penstock("ingest", "status",
                                        "--json").stdout)["counts"]
    assert (counts["dmarc_others"], counts["dmarc_left_out"]) == (18000, 10)

    listed = w.gate.penstock("ingest", "quarantine", "list", "--json").stdout
    kept = [json.loads(line) for line in listed.splitlines()]
    assert [(k["kind"], k["id"]) for k in kept] == [("rua", 2), ("arf", 1)]
    assert "of a kind that is not known" in kept[1]["reason"]
    seen = w.gate.penstock("ingest", "quarantine", "list").stdout
    assert len(seen.splitlines()) == 3 and "rua" in seen, seen
    shown = w.gate.penstock("ingest", "quarantine", "show", "1")
    assert shown.returncode == 0 and "Feedback-Type: dream" in shown.stdout
    assert "of a kind that is not known" in shown.stderr
    assert w.gate.penstock("ingest", "quarantine", "show", "9") \
        .returncode == 1
    w.stop()
    code, out, err = pipe(w, "--dsn", sample("dsn", "exim"))
    assert code == 3 and "does penstock-ingest run?" in err, err


def test_a_notification_of_ses_is_a_report_like_any_other(world):
    w = world()
    known = w.mail("ann@dest.example", "bob@dest.example")
    # no message of ours; and one that did not go there
    for edits in ({"id": "0000@acme.example", "rcpt": "ann@dest.example"},
                  {"id": known, "rcpt": "eve@dest.example"}):
        out = pipe(w, "--dsn", sample("dsn", "sns", **edits))[1]
        assert "0 recorded, 0 known, 1 unproven" in out, out
    assert w.suppressed() == set()
    for name, said in (("sns-broken", "1 recorded, 0 known"),
                       ("sns-envelope", "0 recorded, 1 known")):
        code, out, err = pipe(w, "--dsn", sample(
            "dsn", name, id=known, rcpt="ann@dest.example"))
        assert (code, out) == (0, f"dsn: {said}, 0 unproven, 0 delays and "
                               "successes\n"), err
    assert w.suppressed() == {"ann@dest.example"}
    code, out, err = pipe(w, "--arf", sample("arf", "sns", id=known,
                                             rcpt="bob@dest.example"))
    assert (code, out) == (0, "arf: abuse, 1 recorded, 0 known, 0 unproven"
                           "\n"), err
    assert w.suppressed() == {"ann@dest.example", "bob@dest.example"}


def test_what_a_stranger_wrote_does_not_drive_the_terminal(world):
    w = world()
    run = w.gate.penstock
    assert run("ingest", "quarantine", "list").stdout == \
        "no mail is kept: all reports were understood\n"
    known = w.mail("ann@dest.example")
    report = sample("dsn", "exim", id=known, rcpt="ann@dest.example")
    assert "SMTP error" in report
    report = report.replace("SMTP error", "SMTP \x1b]0;pwned\x07\x1b[2J")
    assert "1 recorded" in w.hand_over(report)[0][1]
    said = run("suppress", "check", "ann@dest.example").stdout
    assert "hard_bounce" in said and "pwned" in said, said
    for text in (said, run("trace", known).stdout, run("replies").stdout):
        assert text and "\x1b" not in text and "\x07" not in text, text


def test_postfix_config_prints_the_transport(world):
    w = world()
    said = w.gate.penstock("postfix-config", "--main").stdout
    assert "#relay_domains = bounce.acme.example\n" in said, said
    assert "{ bounce.acme.example = lmtp:unix:" \
        f"{w.folder}/ingest.sock }}" in said, said


def test_every_recipient_is_answered_behind_the_dot(world):
    w = world()
    said = w.hand_over(sample("dsn", "vacation"), "ann@far.example",
                       [f"b{n}@bounce.acme.example" for n in range(7)])
    assert len(said) == 7 and {code for code, _ in said} == {250}, said
