"""What bulk mail carries through real Postfix: unsubscribe headers that are
signed, links that work, what becomes of mail to several."""

import http.client
import json
import os
import re
import signal
import smtplib
import subprocess

import pytest

import gate as gate_
import ingest
import proc
from house import message, send
from test_dkim import python_verdicts

PORT, REPORTS = proc.port(), proc.port()
POLICY = """\
unknown_sender = "refuse"
include "tenants.d"
pool "out" {
	select = "sender"
	address "127.0.0.1" { transport = "out1" }
}
"""
TENANTS = {
    "acme.conf": """\
tenant "acme" {
	logins = {"acme"}
	domains = {"acme.example"}
	bounce_domain = "bounce.acme.example"
	campaign = "X-Campaign"
	dkim "r1" { domain = "acme.example"  key = "acme.rsa" }
	unsubscribe { url = "https://u.acme.example/u/"  list_id = "yes" }
	stream "news" {
		match = {"sender:news@*"}
		priority = "bulk"
		unsubscribe = "one-click"
		feedback_id = "add"
		cfbl = "fbl@acme.example"
	}
	stream "bounces" {
		match = {"sender:verp@*"}
		return_path = "verp"
	}
	stream "pooled" {
		match = {"sender:pooled@*"}
		return_path = "verp"
		pool "out" { }
	}
	stream "flyer" {
		match = {"sender:flyer@*"}
		priority = "bulk"
		postal_address = "Acme GmbH, Hauptstr. 1, 10115 Berlin"
		postal = "refuse"
	}
	stream "leaflet" {
		match = {"sender:leaflet@*"}
		priority = "bulk"
		postal_address = "Acme GmbH, Hauptstr. 1, 10115 Berlin"
	}
}
""",
    "each.conf": """\
tenant "each" {
	logins = {"each"}
	domains = {"each.example"}
	bounce_domain = "bounce.each.example"
	dkim "r1" { domain = "each.example"  key = "each.rsa" }
	unsubscribe {
		url = "https://u.each.example/u/"
		many_recipients = "defer"
		existing = "replace"
	}
	stream "news" {
		match = {"sender:news@*"}
		priority = "bulk"
		unsubscribe = "one-click"
		partial = "allow"
	}
}
""",
}
KEYS = {"acme.rsa": "rsa", "each.rsa": "rsa"}
BLOCKS = f"""\
unsubscribe {{
	socket = "inet:{PORT}@127.0.0.1"
	names = "{{folder}}/names"
	user = ""
}}
ingest {{
	log = ""
	user = ""
	lmtp = "inet:{REPORTS}@127.0.0.1"
}}
"""
TRANSPORT = "transport_maps = inline:{ { bounce.acme.example = " \
    f"lmtp:inet:127.0.0.1:{REPORTS} }} }}\n"
NEWS = "news@acme.example"
SAMPLES = os.path.join(os.path.dirname(__file__), "../fuzz/corpus")


@pytest.fixture(scope="module")
def house():
    import house as house_
    import postfix
    if postfix.reason_not():
        pytest.skip(postfix.reason_not())
    with house_.House(policy=POLICY, tenants=TENANTS, keys=KEYS,
                      blocks=BLOCKS, lines=TRANSPORT, tokens=True,
                      ways=True) as h:
        yield h


@pytest.fixture(scope="module")
def endpoint(house):
    """penstock-unsubscribe beside the gate, in its store."""
    house.gate.penstock("token", "names", "--write", check=True)
    log = open(f"{house.folder}/unsubscribe.log", "w")
    process = proc.start([gate_.program("penstock-unsubscribe"), "-c",
                          house.gate.conf], stdout=log, stderr=log)

    def ready():
        with open(f"{house.folder}/unsubscribe.log") as f:
            return " serves at " in f.read()
    proc.wait_for(ready, 20, "the endpoint")
    yield process
    proc.stop(process, signal.SIGTERM, 20)


@pytest.fixture(scope="module")
def reports(house):
    """penstock-ingest, to which mail for the bounce domain goes."""
    it = ingest.Ingest(house.gate)
    yield it.start()
    it.stop()


def submit(house, login, sender, recipients, mark, headers=""):
    smtp = house.client(login)
    try:
        return send(smtp, sender, recipients, message(
            sender, headers=f"X-Mark: {mark}\r\n{headers}"))
    finally:
        smtp.close()


def got(house, mark):
    return house.sink.wait(lambda s: s.with_header("X-Mark", mark))[0]


def event_of(house, sent):
    return [e for e in house.gate.events()
            if e["queue_id"] == sent.queue_id][-1]


def link_of(delivery):
    return re.match(r"<(https://[^>]+)>", delivery.headers(
        "List-Unsubscribe")[0]).group(1)


def await_drop(house, who):
    """The gate looks for a store that was not there before every now and
    then; from then on it sees each wish at once."""
    def dropped():
        sent = submit(house, "acme", NEWS, [who, "stays@example.org"], "drop")
        return who in {r["address"] for r in event_of(house, sent)[
            "recipients"] if r["verdict"] == "drop"}
    proc.wait_for(dropped, 20, f"{who} to be dropped")


def post(path, body, kind):
    c = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    c.request("POST", path, body, {"Content-Type": kind})
    return c.getresponse().status


def test_both_headers_are_there_and_signed(house):
    sent = submit(house, "acme", NEWS, ["ann@example.org"], "both",
                  "X-Campaign: spring\r\nFeedback-ID: mine:a:b:c\r\n")
    assert sent.code == 250, sent
    mail = got(house, "both")
    listed = mail.headers("List-Unsubscribe")
    assert len(listed) == 1
    assert re.fullmatch(
        r"<https://u\.acme\.example/u/([\w-]+)>, "
        r"<mailto:unsubscribe@bounce\.acme\.example\?subject=\1>", listed[0])
    assert mail.headers("List-Unsubscribe-Post") == \
        ["List-Unsubscribe=One-Click"]
    assert mail.headers("List-Id") == ["<news.bounce.acme.example>"]
    codes = mail.headers("Feedback-ID")
    assert len(codes) == 1 and re.fullmatch(
        r"c\w{13}:t\w{13}:p\w{13}:s\w{13}", codes[0])
    assert mail.headers("CFBL-Address") == ["fbl@acme.example; report=arf"]
    signed = re.search(r"h=([^;]+)", re.sub(
        r"\s", "", mail.headers("DKIM-Signature")[0])).group(1).lower()
    for name in ("List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID",
                 "List-Id", "CFBL-Address", "CFBL-Feedback-ID"):
        assert name.lower() in signed.split(":"), name
    path = f"{house.folder}/both.eml"
    with open(path, "wb") as f:
        f.write(mail.data)
    said = house.gate.penstock("dkim", "verify", "--keys",
                               house.gate.query_file(), path)
    assert said.returncode == 0, said.stdout + said.stderr
    assert python_verdicts(mail.data, house.gate.dns()) == [True]
    assert event_of(house, sent)["campaign"] == "spring"


@pytest.mark.parametrize("who,body,kind", [
    ("gmail@example.org", b"List-Unsubscribe=One-Click",
     "application/x-www-form-urlencoded"),
    ("rfc@example.org", b"--b\r\nContent-Disposition: form-data; "
     b'name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
     "multipart/form-data; boundary=b")])
def test_the_link_of_a_delivered_mail_works(house, endpoint, who, body, kind):
    assert submit(house, "acme", NEWS, [who], who).code == 250
    link = link_of(got(house, who))
    said = house.gate.penstock("token", "read", link).stdout
    assert who in said and "acme/news" in said
    assert post(link[len("https://u.acme.example"):], body, kind) == 200
    checked = house.gate.penstock("suppress", "check", who, "--list",
                                  "acme/news")
    assert checked.returncode == 1, checked
    assert "unsubscribe" in checked.stdout, checked


def test_other_mail_has_nothing_of_it(house):
    assert submit(house, "acme", "bill@acme.example", ["ann@example.org"],
                  "bill").code == 250
    mail = got(house, "bill")
    for name in ("List-Unsubscribe", "List-Unsubscribe-Post", "List-Id",
                 "Feedback-ID", "CFBL-Address"):
        assert mail.headers(name) == []


def test_several_recipients_get_an_address_that_names_the_message(house):
    sent = submit(house, "acme", NEWS, ["ann@example.org", "bob@example.org"],
                  "several")
    assert sent.code == 250, sent
    mail = got(house, "several")
    assert re.fullmatch(r"<mailto:b\+[a-z2-7]{32}@bounce\.acme\.example"
                        r"\?subject=unsubscribe>",
                        mail.headers("List-Unsubscribe")[0])
    assert mail.headers("List-Unsubscribe-Post") == []


def test_one_of_several_unsubscribes_by_mail(house, reports):
    who = ["ann@several.example", "bob@several.example"]
    assert submit(house, "acme", NEWS, who, "leave").code == 250
    to = re.match(r"<mailto:([^?]+)", got(house, "leave").headers(
        "List-Unsubscribe")[0]).group(1)

    def write(sender, subject):
        before = len(reports.log())
        with smtplib.LMTP("127.0.0.1", REPORTS) as c:
            c.sendmail(sender, [to], f"From: {sender}\r\nTo: {to}\r\n"
                       f"Subject: {subject}\r\n\r\n\r\n")
        return proc.wait_for(lambda: re.findall(
            r"mail: (.*)", reports.log()[before:]), 60, "an answer")[0]
    assert write("eve@else.example", "unsubscribe") == \
        "unsubscribe: unproven, kept"
    assert "unsubscribe" not in write(who[0], "Re: out of office")
    assert write(who[0], "Unsubscribe") == "unsubscribe: recorded"
    assert write(who[0], "unsubscribe") == "unsubscribe: known"
    await_drop(house, who[0])
    sent = submit(house, "acme", NEWS, who, "leave2")
    assert {r["address"]: r["verdict"] for r in event_of(house, sent)[
        "recipients"]} == {who[0]: "drop", who[1]: "pass"}


def test_each_his_own_message(house):
    smtp = house.client("each")
    sent = send(smtp, "news@each.example", ["a@example.org", "b@example.org"],
                message("news@each.example", headers="X-Mark: each\r\n"
                        "List-Unsubscribe: <https://own.example/>\r\n"))
    smtp.close()
    assert sent.recipients["a@example.org"][0] == 250
    code, text = sent.recipients["b@example.org"]
    assert code == 452 and text.startswith("4.5.3 "), text
    mail = got(house, "each")
    assert mail.recipients == ["a@example.org"]
    assert link_of(mail).startswith("https://u.each.example/u/")


def test_a_new_key_is_taken_up_with_the_policy(house):
    def number():
        return re.search(r"key +(\d+)", house.gate.penstock(
            "token", "read", link_of(mail)).stdout).group(1)
    assert submit(house, "acme", NEWS, ["k1@example.org"], "k1").code == 250
    mail = got(house, "k1")
    before = number()
    house.gate.penstock("token", "rotate", check=True)
    assert house.gate.reload().returncode == 0
    assert submit(house, "acme", NEWS, ["k2@example.org"], "k2").code == 250
    mail = got(house, "k2")
    assert int(number()) == int(before) + 1


def test_without_keys_it_is_later_and_the_check_says_why(build):
    h = build(policy=POLICY, tenants=TENANTS, keys=KEYS, queue=False)
    said = h.gate.penstock("policy", "check")
    assert said.returncode == 1
    assert "needs the keys of tokens, its mail gets 451" in said.stdout + \
        said.stderr


def test_a_bounce_comes_back_to_the_message_that_it_is_of(house, reports):
    house.sink.answer = lambda r: "550 5.1.1 User unknown" if \
        r == "gone@example.org" else None
    sent = submit(house, "acme", "verp@acme.example",
                  ["here@example.org", "gone@example.org"], "verp")
    assert sent.code == 250, sent
    event = event_of(house, sent)
    assert event["mail_from"] == "verp@acme.example"
    assert re.fullmatch(r"b\+[a-z2-7]{32}@bounce\.acme\.example",
                        event["return_path"])
    assert got(house, "verp").sender == event["return_path"]
    token = event["return_path"][2:34]
    said = house.gate.penstock("token", "read", "--json", token.upper())
    read = json.loads(said.stdout)
    assert (read["id"], read["event"]) == (event["token"], event["seq"])
    shown = house.gate.penstock("token", "read", token).stdout
    assert "here@example.org" in shown and "gone@example.org" in shown
    proc.wait_for(lambda: "dsn: 1 recorded, 0 known, 0 unproven" in
                  reports.log(), 60, "the bounce of Postfix")


@pytest.mark.parametrize("sender", ["verp", "pooled"])
def test_a_bounce_in_its_own_words_is_known_by_its_address(house, reports,
                                                           sender):
    sent = submit(house, "acme", f"{sender}@acme.example",
                  [f"{sender}@far.example"], f"words {sender}")
    path = event_of(house, sent)["return_path"]
    head, token, rest = re.fullmatch(
        r"(b\+|b\.out1\.)([a-z2-7]{32})(@.*)", path).groups()
    assert head == ("b+" if sender == "verp" else "b.out1.")
    assert sent.queue_id in house.gate.penstock("token", "read", path).stdout

    def hand_over(to):
        with open(f"{SAMPLES}/dsn/domino") as f:
            text = f.read().replace("ann@far.example",
                                    f"{sender}@far.example")
        with smtplib.LMTP("127.0.0.1", REPORTS) as c:
            c.sendmail("<>", [to], text)
    before = len(reports.log())
    hand_over(head + "a" * 32 + rest)
    hand_over(path.upper())
    proc.wait_for(lambda: reports.log()[before:].count("mail: dsn:") == 2, 60,
                  "two answers")
    said = re.findall(r"mail: (dsn: \d recorded, \d known, \d unproven)",
                      reports.log()[before:])
    assert said == ["dsn: 0 recorded, 0 known, 1 unproven",
                    "dsn: 1 recorded, 0 known, 0 unproven"]


def test_a_complaint_finds_its_message_by_what_is_left_of_it(house, reports):
    who = ["ann@two.example", "bob@two.example"]
    sent = submit(house, "acme", "verp@acme.example", who, "left")
    path = event_of(house, sent)["return_path"]

    def complain(about, feedback_id, mail_from):
        with open(f"{SAMPLES}/arf/cfbl") as f:
            text = f.read().replace(
                "CFBL-Feedback-ID: k7abcdefghij",
                f"CFBL-Feedback-ID: {feedback_id}\n"
                f"Original-Mail-From: <{mail_from}>").replace(
                    "ann@far.example", about).replace("1001.news", "0.none")
        before = len(reports.log())
        with smtplib.LMTP("127.0.0.1", REPORTS) as c:
            c.sendmail("<>", ["fbl@bounce.acme.example"], text)
        return proc.wait_for(lambda: re.findall(
            r"mail: arf: abuse, (.*)", reports.log()[before:]), 60,
            "an answer")[0]
    nothing = "0 recorded, 0 known, 1 unproven"
    # an id that somebody spoilt, and the return path that is whole
    assert complain(who[0], "k7abcdefghij", path) == \
        "1 recorded, 0 known, 0 unproven"
    # who has the message names its recipients, each once, and nobody else
    assert complain(who[0], path[2:34], path) == \
        "0 recorded, 1 known, 0 unproven"
    assert complain("victim@two.example", path[2:34], path) == nothing
    assert complain("redacted@two.example", path[2:34], path) == nothing
    assert complain(who[1], "k7abcdefghij", "b+" + "a" * 32 +
                    path[34:]) == nothing
    for address, told in ((who[0], True), (who[1], False),
                          ("victim@two.example", False)):
        said = house.gate.penstock("suppress", "check", address, "--tenant",
                                   "acme")
        assert ("complaint" in said.stdout) is told, (address, said)


def test_who_unsubscribed_gets_no_more_and_the_others_do(house, endpoint):
    who = [f"r{n}@many.example" for n in range(60)]
    assert submit(house, "acme", NEWS, who[:1], "first").code == 250
    assert post(link_of(got(house, "first"))[len("https://u.acme.example"):],
                b"List-Unsubscribe=One-Click",
                "application/x-www-form-urlencoded") == 200
    await_drop(house, who[0])
    sent = submit(house, "acme", NEWS, who, "after")
    assert sent.code == 250, sent
    event = event_of(house, sent)
    assert {r["address"] for r in event["recipients"]
            if r["verdict"] == "drop"} == {who[0]}
    house.sink.wait(lambda s: len({r for d in s.with_header("X-Mark", "after")
                                   for r in d.recipients}) == 59)
    assert who[0] not in {r for d in house.sink.with_header("X-Mark", "after")
                          for r in d.recipients}
    # alone: nobody is left
    assert submit(house, "acme", NEWS, who[:1], "alone").code == 550
    # a bill is no list's
    assert submit(house, "acme", "bill@acme.example", who[:1],
                  "bill2").code == 250
    assert got(house, "bill2").recipients == who[:1]


def test_one_backup_has_all_stores(house, endpoint, reports):
    gate = house.gate
    assert gate.penstock("suppress", "add", "kept@example.org", "--platform",
                         "--reason", "a test").returncode == 0
    place = f"{house.folder}/backup"
    said = gate.penstock("store", "backup", place)
    assert said.returncode == 0, said
    names = ["outcomes", "gate", "consent", "desk"]
    assert [x.split(" ")[0] for x in said.stdout.splitlines()] == \
        [f"{place}/{n}" for n in names], said.stdout
    assert re.search(r"/consent is well: \d+ suppressed", said.stdout)
    assert re.search(r"/outcomes is well: \d+ outcomes, \d+ suppressed",
                     said.stdout), said.stdout
    assert re.search(r"/desk is well: decisions up to desk:\d+, 1 supp",
                     said.stdout), said.stdout
    rows = json.loads(gate.penstock("store", "stat", "--json").stdout)
    assert list(rows) == names and rows["gate"]["last_seq"] > 0
    assert "suppressions" in rows["consent"]["rows"]
    said = gate.penstock("store", "stat", "desk", "consent").stdout
    assert said.startswith("consent\n") and "\ndesk\n" in said, said
    assert gate.penstock("store", "verify").returncode == 0
    assert gate.penstock("store", "verify", "desks").returncode == 2
    assert gate.penstock("store", "verify", "watch").returncode == 3
    assert gate.penstock("store", "backup", place).returncode == 1
    # a part alone, and one that is damaged in the middle
    one = f"{house.folder}/one"
    assert gate.penstock("store", "backup", one, "consent").returncode == 0
    assert os.listdir(one) == ["consent"]
    with open(gate.conf) as f:
        text = f.read().replace(gate.store + '"', place + '"')
    gate.write("backup.conf", text)
    size = os.path.getsize(f"{place}/consent/data.mdb")
    with open(f"{place}/consent/data.mdb", "r+b") as f:
        f.seek(8192)
        f.write(b"\xff" * (size - 8192))
    said = subprocess.run([gate_.program("penstock"), "-c",
                           f"{gate.folder}/backup.conf", "store", "verify"],
                          capture_output=True, text=True)
    assert said.returncode == 1 and f"{place}/consent" in said.stderr, said
    assert f"{place}/desk is well" in said.stdout, said


def letter(sender, mark, body):
    return message(sender, body=body, headers=f"X-Mark: {mark}\r\n"
                   "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
                   "boundary=\"b\"\r\n")


def test_bulk_mail_without_a_postal_address(house):
    part = "--b\r\nContent-Type: text/html\r\n" \
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    good = part + "<p>Acme GmbH,<br>Hauptstr. 1, 10=\r\n115 Berlin</p>" \
        "\r\n--b--\r\n"
    bad = part + "<p>Acme GmbH</p>\r\n--b--\r\n"
    smtp = house.client("acme")
    sent = send(smtp, "flyer@acme.example", ["p@example.org"],
                letter("flyer@acme.example", "bad", bad))
    assert sent.code == 550 and "postal address" in sent.text, sent
    said = house.gate.penstock(
        "policy", "explain", "--login", "acme", "--rcpt", "p@example.org",
        "--message", "-", input=letter("flyer@acme.example", "bad", bad))
    assert said.returncode == 1 and f"550 {sent.text}" in said.stdout, said
    sent = send(smtp, "flyer@acme.example", ["p@example.org"],
                letter("flyer@acme.example", "good", good))
    assert sent.code == 250, sent
    assert event_of(house, sent)["flags"]["no_postal"] is False
    sent = send(smtp, "leaflet@acme.example", ["p@example.org"],
                letter("leaflet@acme.example", "told", bad))
    smtp.close()
    assert sent.code == 250, sent
    assert event_of(house, sent)["flags"]["no_postal"] is True
