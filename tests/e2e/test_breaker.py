"""A tenant with a bad list trips its breaker, its neighbour does not notice,
and a person lifts it.  Everything is real: Postfix, its log, penstock-ingest."""

import json
import re
import time

import ingest
import proc
import pytest
from house import message, send

BLOCK = "}\ningest {\n\tlog = \"%s\"\n\tuser = \"\"\n" \
    "\tlmtp = \"unix:/nowhere.sock\"\n"
POLICY = """\
timezone = "UTC"
unknown_sender = "refuse"
breaker "hard" { rate = "20%"  least = 5  window = "1 hour"  action = "pause" }
include "tenants.d"
"""
TENANT = """\
tenant "{0}" {{
	logins = {{"{0}", "{0}2"}}
	domains = {{"{0}.example"}}
{1}}}
"""
TENANTS = {
    "bad.conf": TENANT.format("bad", ""),
    "good.conf": TENANT.format("good", ""),
    "held.conf": TENANT.format("held", """\
	breaker "hard" { rate = "20%"  least = 3  action = "hold"
		per = {"tenant", "login"} }
"""),
    "slow.conf": TENANT.format("slow", """\
	breaker "hard" { rate = "20%"  least = 3  action = "slow"
		slow = "1/hour" }
"""),
    "free.conf": TENANT.format("free", """\
	breaker "hard" { rate = "none" }
"""),
    "loud.conf": TENANT.format("loud", """\
	breaker "spam" { when = "complaint"  rate = "30%"  least = 4
		action = "pause" }
"""),
    "split.conf": TENANT.format("split", """\
	breaker "hard" { rate = "20%"  least = 3  action = "pause"
		per = {"tenant", "stream"} }
	stream "news" { match = {"sender:news@*"} }
"""),
    "inner.conf": TENANT.format("inner", """\
	breaker "hard" { rate = "none" }
	stream "news" {
		match = {"sender:news@*"}
		breaker "own" { rate = "20%"  least = 3  action = "pause" }
	}
"""),
    "late.conf": TENANT.format("late", """\
	breaker "hard" { rate = "20%"  least = 3  action = "pause" }
"""),
}


def answer(recipient):
    """As the local part says."""
    if recipient.startswith("nobody"):
        return f"550 5.1.1 <{recipient}>: User unknown"
    return None


@pytest.fixture(scope="module")
def house():
    import house as house_
    import postfix
    if postfix.reason_not():
        pytest.skip(postfix.reason_not())
    with house_.House(more=BLOCK % "/nowhere", policy=POLICY,
                      tenants=TENANTS, keys={}) as h:
        conf = open(h.gate.conf).read().replace("/nowhere",
                                                f"{h.postfix.folder}/log")
        h.gate.write("penstock.conf", conf)
        h.sink.answer = answer
        h.ingest = ingest.Ingest(h.gate)
        h.ingest.start()
        yield h
        h.ingest.kill()


def submit(house, login, recipients, tenant=None, local="a"):
    sender = f"{local}@{tenant or login}.example"
    with house.client(login) as smtp:
        return send(smtp, sender, recipients, message(sender))


def tripped(house, *words):
    said = house.gate.penstock("breaker", "list", "--json", *words)
    assert said.returncode == 0, said.stderr
    return [json.loads(line) for line in said.stdout.splitlines()]


def trip(house, login, n, tenant=None):
    """A list of which nobody exists; the row of its breaker."""
    for i in range(n):
        sent = submit(house, login, [f"nobody{login}{i}@dest.example"],
                      tenant)
        if "breaker" in str(sent):      # it was quicker than the list
            break
        assert sent.code == 250, sent
    proc.wait_for(lambda: tripped(house, tenant or login), 30,
                  f"the breaker of {login}\n{house.ingest.log()}")
    return tripped(house, tenant or login)[0]


def lift(house, *words):
    return house.gate.penstock("breaker", "lift", *words, "--reason",
                               "the list is clean now")


def test_a_bad_list_stops_its_tenant_alone_until_a_person_lifts_it(house):
    for i in range(6):
        assert submit(house, "good", [f"ok{i}@dest.example"]).code == 250
    assert lift(house, "bad").returncode == 1       # nothing tripped
    row = trip(house, "bad", 5)
    assert (row["tenant"], row["breaker"], row["bad"], row["all"],
            row["action"]) == ("bad", "hard", 5, 5, "pause"), row
    sent = submit(house, "bad", ["ok@dest.example"])
    assert sent.code == 451 and "breaker hard tripped" in str(sent), sent
    assert "5 of 5 recipients hard_bounce" in str(sent)
    event = house.gate.wait_events(
        lambda all_: any(e["kind"] == "defer" for e in all_))[-1]
    assert event["rule"].startswith("policy.conf:3"), event
    said = house.gate.penstock(
        "policy", "explain", "--login", "bad", "--from", "a@bad.example",
        "--sender", "a@bad.example", "--rcpt", "ok@dest.example")
    assert "breaker hard tripped" in said.stdout, said.stdout
    # the neighbour, under the same line of the policy
    assert submit(house, "good", ["ok@dest.example"]).code == 250
    assert [r["tenant"] for r in tripped(house)] == ["bad"]
    # a restart of both forgets nothing
    house.gate.stop()
    house.gate.start()
    house.ingest.kill()
    house.ingest.start()
    assert submit(house, "bad", ["ok@dest.example"]).code == 451
    # the person
    assert house.gate.penstock("breaker", "lift", "bad").returncode == 2
    said = lift(house, "bad", "hard")
    assert said.returncode == 0, said.stderr
    assert "is lifted" in said.stdout, said.stdout
    assert submit(house, "bad", ["ok@dest.example"]).code == 250
    assert tripped(house) == []
    audit = house.gate.penstock("audit").stdout
    assert "breaker-lift" in audit and "the list is clean now" in audit
    # counting begins anew: the five of before are not held against it
    proc.wait_for(lambda: "tenant bad counts anew" in house.ingest.log(), 30,
                  "the lift")
    # the log of Postfix knows seconds: what bounces in that of the lift is
    # taken for older
    lifted = time.time()
    proc.wait_for(lambda: int(time.time()) > int(lifted), 5, "a second")
    for i in range(3):
        sent = submit(house, "bad", [f"nobodyagain{i}@dest.example"])
        assert sent.code == 250, sent
    assert tripped(house) == []
    for i in range(3, 5):       # with the good one from above, 4 are enough
        submit(house, "bad", [f"nobodyagain{i}@dest.example"])
    proc.wait_for(lambda: tripped(house, "bad"), 30, "the breaker again")
    row = tripped(house, "bad")[0]
    assert 4 <= row["bad"] <= 5 <= row["all"] <= 6, row


def test_held_mail_waits_and_another_login_is_not_held(house):
    row = trip(house, "held", 3)
    assert (row["login"], row["action"]) == ("held", "hold"), row
    sent = submit(house, "held", ["waits@dest.example"])
    assert sent.code == 250, sent
    event = [e for e in house.gate.events()
             if e["queue_id"] == sent.queue_id][-1]
    assert event["verdict"] == "hold" and \
        event["recipients"][0]["verdict"] == "hold", event
    other = submit(house, "held2", ["goes@dest.example"], tenant="held")
    assert other.code == 250
    house.sink.wait(lambda s: "goes@dest.example" in s.recipients())
    assert "waits@dest.example" not in house.sink.recipients()


def test_slow_lets_a_little_through(house):
    trip(house, "slow", 3)
    first = submit(house, "slow", ["one@dest.example", "two@dest.example"])
    assert [c for c, _ in first.recipients.values()] == [250, 451], first
    assert "breaker hard" in first.recipients["two@dest.example"][1], first


def test_limits_shows_what_tripped(house):
    said = house.gate.penstock("limits").stdout
    assert "breaker hard: tenant \"slow\": slow until penstock breaker " \
        "lift" in said and "3 of 3 recipients hard_bounce" in said, said
    said = json.loads(house.gate.penstock("limits", "slow", "--json").stdout)
    assert [(b["tenant"], b["breaker"], b["bad"])
            for b in said["breakers"]] == [("slow", "hard", 3)], said
    assert said["backoffs"] == []
    assert "breaker" not in house.gate.penstock("limits", "good").stdout


COMPLAINT = """\
From: fbl@far.example
To: fbl@gate.example
Subject: Abuse report
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="r1"

--r1
Content-Type: text/plain

This is an email abuse report.

--r1
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: ExampleFBL/1.0
Version: 1
Original-Rcpt-To: <{0}>

--r1
Content-Type: message/rfc822

Message-ID: <{1}>
To: {0}
Subject: What is new

Hello.

--r1--
"""


def test_complaints_are_held_against_what_was_delivered(house):
    ids = []
    for i in range(4):
        text = message("a@loud.example")
        with house.client("loud") as smtp:
            sent = send(smtp, "a@loud.example", [f"ok{i}@far.example"], text)
        assert sent.code == 250, sent
        ids.append(re.search(r"Message-ID: <([^>]*)>", text).group(1))
    proc.wait_for(lambda: len(house.ingest.outcomes("a@loud.example")) == 4,
                  60, "the deliveries")

    def complain(i, words="1 recorded"):
        said = house.gate.penstock("ingest", "--arf", input=COMPLAINT.format(
            f"ok{i}@far.example", ids[i]))
        assert said.returncode == 0 and words in said.stdout, said
    complain(0)
    complain(0, "1 known")  # the same one again is no second complaint
    house.ingest.kill()     # and a start counts what there is, once
    house.ingest.start()
    assert tripped(house, "loud") == []     # 1 of 4
    complain(1)
    row = proc.wait_for(lambda: tripped(house, "loud"), 60,
                        house.ingest.log())[0]
    assert (row["breaker"], row["when"], row["bad"], row["all"]) == \
        ("spam", "complaint", 2, 4), row
    sent = proc.wait_for(lambda: (
        s := submit(house, "loud", ["new@dest.example"])).code == 451 and s,
        30, "the gate")
    assert "2 of 4 recipients complaint" in str(sent), sent
    assert submit(house, "good", ["new@dest.example"]).code == 250


def paused(house, login, local):
    return proc.wait_for(lambda: (
        s := submit(house, login, ["ok@dest.example"], local=local)).code ==
        451 and s, 30, "the gate")


def test_streams_are_judged_apart(house):
    for login, breaker in (("split", "hard"), ("inner", "own")):
        for i in range(3):
            sent = submit(house, login, [f"nobody{login}{i}@dest.example"],
                          local="news")
            assert sent.code == 250 or "breaker" in str(sent), sent
        row = proc.wait_for(lambda: tripped(house, login), 60,
                            house.ingest.log())[0]
        assert (row["breaker"], row["stream"]) == (breaker, "news"), row
        assert f"breaker {breaker} tripped" in str(
            paused(house, login, "news"))
        assert submit(house, login, ["ok@dest.example"]).code == 250
    assert submit(house, "inner", ["nobodyelse@dest.example"]).code == 250


def test_a_log_read_by_hand_trips_it_too(house):
    house.ingest.kill()
    log = f"{house.postfix.folder}/log"
    for i in range(3):
        sent = submit(house, "late", [f"nobodylate{i}@dest.example"])
        assert sent.code == 250, sent
    proc.wait_for(lambda: open(log, errors="replace").read().count(
        "to=<nobodylate") >= 3, 60, "the bounces in the log")
    assert house.ingest.once(log)["outcomes"] >= 3
    row = tripped(house, "late")[0]
    assert (row["bad"], row["all"]) == (3, 3), row
    paused(house, "late", "a")
    house.ingest.start()


def test_none_switches_it_off(house):
    for i in range(8):
        sent = submit(house, "free", [f"nobodyfree{i}@dest.example"])
        assert sent.code == 250, sent
    proc.wait_for(lambda: len(house.ingest.outcomes("a@free.example")) == 8,
                  30, "the outcomes")
    trip(house, "good", 20)     # read behind them; 20 of 27 are too much
    assert "free" not in [r["tenant"] for r in tripped(house)]
