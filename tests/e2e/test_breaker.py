"""A tenant with a bad list trips its breaker, its neighbour does not notice,
and a person lifts it.  Everything is real: Postfix, its log, penstock-ingest."""

import json
import time

import ingest
import proc
import pytest
from house import message, send

BLOCK = "}\ningest {\n\tlog = \"%s\"\n\tuser = \"\"\n"
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


def submit(house, login, recipients, tenant=None):
    sender = f"a@{tenant or login}.example"
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


def test_none_switches_it_off(house):
    for i in range(8):
        sent = submit(house, "free", [f"nobodyfree{i}@dest.example"])
        assert sent.code == 250, sent
    proc.wait_for(lambda: len(house.ingest.outcomes("a@free.example")) == 8,
                  30, "the outcomes")
    trip(house, "good", 20)     # read behind them; 20 of 27 are too much
    assert "free" not in [r["tenant"] for r in tripped(house)]
