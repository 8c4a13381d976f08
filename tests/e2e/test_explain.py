"""explain and replay from the outside: the command beside the gate's socket.

tests/unit/explain_gate.c has the thousands; here a hundred messages go both
ways, with the store on disk between the two programs.
"""

import json
import random
import re

import gate
import house as house_
import pytest
from rawmilter import Milter

POLICY = """\
timezone = "UTC"
unknown_sender = "defer"
cap "login-month" { limit = "60/month"  per = "login" }
group "g" { cap "shared" { limit = "220/month" } }
class "plan" {
	cap "daily" { limit = "40/month"  over = "refuse" }
	stream "news" {
		match = {"sender:news@*", "header:X-Stream=news"}
		claim = {"acme", "bolt"}
		strip = "yes"
		cap "daily" { limit = "25/month"  over = "defer" }
		cap "places" { limit = "9/month"  per = "recipient_domain" }
	}
}
include "tenants.d"
"""
TENANTS = {
    "acme.conf": """\
tenant "acme" {
	group = "g"  class = "plan"
	logins = {"acme", "*@acme.example"}
	domains = {"acme.example"}
	max_recipients = 4
	dkim "r1" { domain = "acme.example"  key = "one.rsa" }
}
""",
    "bolt.conf": """\
tenant "bolt" {
	group = "g"  class = "plan"
	logins = {"bolt"}
	domains = {"bolt.example"}
	cap "daily" { limit = "90/month"  over = "hold" }
	partial = "all-or-none"
	shadow = {"ownership"}
}
""",
    "cats.conf": """\
tenant "cats" {
	group = "g"
	clients = {"198.51.100.0/24"}
	domains = {"cats.example"}
	paused = "away"
}
""",
}
LOGINS = ["acme", "ana@acme.example", "bolt", "nobody", None]
SENDERS = ["a@acme.example", "news@acme.example", "b@bolt.example",
           "news@bolt.example", "c@cats.example", "<>"]
CLIENTS = ["203.0.113.5", "198.51.100.9"]
PLACES = ["gmail.com", "example.org", "example.net"]
LATER = re.compile(r"next slot [0-9: -]+ UTC")


@pytest.fixture(scope="module")
def house():
    with house_.House(queue=False, policy=POLICY, tenants=TENANTS,
                      keys={"one.rsa": "rsa"}) as h:
        yield h


def facts(dice):
    sender = dice.choice(SENDERS)
    login = dice.choice(LOGINS)
    if dice.random() < 0.7 and sender != "<>":      # mostly as it should be
        login = {"acme": "acme", "bolt": "bolt", "cats": None}[
            sender.split("@")[1].split(".")[0]]
    author = sender if sender != "<>" else "a@acme.example"
    return {
        "login": login, "sender": sender, "client": dice.choice(CLIENTS),
        "rcpts": [f"r{dice.randrange(9)}@{dice.choice(PLACES)}"
                  for _ in range(dice.randrange(1, 7))],
        "message": f"From: {author}\n"
                   + dice.choice(["", "", "X-Stream: news\n"])
                   + "Subject: a test\n\n" + "line\n" * dice.randrange(9),
    }


def explained(house, f):
    """[(code, text)] of the steps, whether it was accepted, the edits."""
    words = ["--sender", f["sender"], "--client", f["client"]]
    for r in f["rcpts"]:
        words += ["--rcpt", r]
    if f["login"] is not None:
        words += ["--login", f["login"]]
    said = house.gate.penstock("policy", "explain", "--json", "--message",
                               "-", *words, input=f["message"])
    assert said.stdout, said.stderr
    got = json.loads(said.stdout)
    steps = [("250", "") if s["verdict"] in ("pass", "hold") else
             (s["code"], f"{s['code']} {s['dsn']} {s['text']}")
             for s in got["steps"]]
    return steps, got["accepted"], [e["name"] for e in got["edits"]
                                    if "name" in e], got


def sent(house, f):
    """The same of the gate."""
    def heard(reply):
        return ("250", "") if reply.ok else (str(reply.code), reply.text)
    with Milter(house.gate.socket) as m:
        m.hello(client=f["client"])
        steps = [heard(m.mail(f"<{f['sender'].strip('<>')}>", f["login"]))]
        accepted, taken = False, 0
        if steps[0][0] == "250":
            for r in f["rcpts"]:
                reply = m.rcpt(f"<{r}>")
                steps.append(heard(reply))
                taken += reply.ok
        if taken:
            reply = m.content(f["message"])
            accepted = reply.ok
            steps.append(heard(reply))
        edits = [e.name for e in m.edits if e.name]
        m.quit()
    return steps, accepted, edits


def same(explain, gate_):
    """Headers and the end are two steps of explain, one of SMTP."""
    steps = explain[0]
    said = len(gate_[0])
    if len(steps) >= said and said > 1:
        last = next((s for s in steps[said - 1:] if s[0] != "250"),
                    ("250", ""))
        steps = steps[:said - 1] + [last]
    return [(c, LATER.sub("next slot X", t)) for c, t in steps[:said]] == \
        [(c, LATER.sub("next slot X", t)) for c, t in gate_[0]]


def test_a_hundred_messages_hear_what_explain_said(house):
    dice = random.Random(20261125)
    seen = set()
    for n in range(100):
        f = facts(dice)
        explain = explained(house, f)
        got = sent(house, f)
        assert same(explain, got), (n, f, explain[0], got[0])
        assert explain[1] == got[1], (n, f, explain, got)
        if got[1]:
            assert sorted(explain[2]) == sorted(got[2]), (n, f)
        seen |= {code for code, _ in got[0]} | {explain[3].get("stream")}
    # all that the policy has was met on the way
    assert {"250", "451", "452", "550", "553", "news", "default"} <= seen


def test_the_records_through_their_own_policy_do_not_change(house):
    said = house.gate.penstock(
        "policy", "replay", f"{house.gate.folder}/policy.conf", "--json")
    got = json.loads(said.stdout)
    assert got["messages"] >= 30
    assert got["recipients_changed"] * 50 <= got["recipients"], got["changes"]


def test_a_new_policy_tells_what_it_would_change(house):
    house.gate.write("new.conf", POLICY.replace(
        '"220/month"', '"10/month"'))
    said = house.gate.penstock(
        "policy", "replay", f"{house.gate.folder}/new.conf", "--json")
    assert said.returncode == 0, said.stderr
    got = json.loads(said.stdout)
    shared = [c for c in got["changes"] if c["limit"] == "shared"
              and c["was"] == "pass" and c["would"] == "defer"]
    assert shared and shared[0]["rule"] == "new.conf:4"
    event = next(e for e in house.gate.events()
                 if e["seq"] == shared[0]["seq"])
    assert event["kind"] == "accept"
    assert shared[0]["recipient"] in \
        [r["address"] for r in event["recipients"]]
    accepted = sum(r["would"]["pass"] + r["would"]["hold"]
                   for r in got["tenants"] if r["limit"] is None)
    assert accepted <= 10
    # for eyes
    said = house.gate.penstock(
        "policy", "replay", f"{house.gate.folder}/new.conf")
    assert "shared" in said.stdout and "WOULD BE" in said.stdout
    assert "\r" not in said.stderr          # no bar, since no terminal


def test_replay_says_that_a_policy_has_mistakes(house):
    house.gate.write("bad.conf", 'cap "x" { limit = "lots/day" }\n')
    said = house.gate.penstock(
        "policy", "replay", f"{house.gate.folder}/bad.conf")
    assert said.returncode == 1
    assert "bad.conf:1:" in said.stderr
    assert gate.volume(house.gate.events()) > 0
