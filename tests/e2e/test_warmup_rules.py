"""A bad list stops its provider when the day is over, and a person lets it go
on.  Everything is real: Postfix, its log, penstock-ingest, the gate and the
command line.  So that no test waits for midnight, midnight comes to the test:
the pool lives in a time zone of its own, whose day ends in a minute."""

import json
import os
import struct
import time

import ingest
import proc
import pytest
from house import folder, message, send

BLOCK = "}\ningest {\n\tlog = \"%s\"\n\tuser = \"\"\n"
POLICY = """\
timezone = "UTC"
unknown_sender = "refuse"
include "tenants.d"
"""
POOL = """\
pool "b2b" {{
	timezone = "{zone}"
	address "192.0.2.10" {{ helo = "mta1.example.net"  transport = "b2b1"
		warmup = "cold-slow"  started = "first-mail" }}
}}
"""
TENANT = """\
tenant "acme" {{
	logins = {{"acme"}}
	domains = {{"acme.example"}}
{more}}}
"""


def answer(recipient):
    """As the local part says."""
    if recipient.startswith("nobody"):
        return f"550 5.1.1 <{recipient}>: User unknown"
    return None


def zone_file(path, offset):
    """Always so many seconds east; RFC 8536, version 2."""
    def block(code):
        head = b"TZif2" + 15 * b"\0" + struct.pack(">6L", 0, 0, 0, 0, 1, 4)
        return head + struct.pack(">lBB", offset, 0, 0) + b"TST\0"
    west = -offset
    text = f"<TST>{'-' if west < 0 else ''}{abs(west) // 3600}:" \
        f"{abs(west) % 3600 // 60:02d}:{abs(west) % 60:02d}"
    with open(path, "wb") as f:
        f.write(block("l") + block("q") + f"\n{text}\n".encode())


@pytest.fixture(scope="module")
def house():
    import house as house_
    import postfix
    if postfix.reason_not():
        pytest.skip(postfix.reason_not())
    zones = folder()
    os.makedirs(f"{zones}/Test")
    zone_file(f"{zones}/UTC", 0)
    before = os.environ.get("TZDIR")
    os.environ["TZDIR"] = zones
    with house_.House(more=BLOCK % "/nowhere", policy=POLICY,
                      tenants={"acme.conf": TENANT.format(more="")},
                      keys={}) as h:
        conf = open(h.gate.conf).read().replace("/nowhere",
                                                f"{h.postfix.folder}/log")
        h.gate.write("penstock.conf", conf)
        h.sink.answer = answer
        h.ingest = ingest.Ingest(h.gate)
        h.ingest.start()
        h.zones = zones
        yield h
        h.ingest.kill()
    if before is None:
        del os.environ["TZDIR"]
    else:
        os.environ["TZDIR"] = before


def submit(house, *recipients):
    with house.client("acme") as smtp:
        return send(smtp, "a@acme.example", recipients,
                    message("a@acme.example"))


def explain(house, subject="192.0.2.10"):
    said = house.gate.penstock("warmup", "explain", subject, "--json")
    assert said.returncode in (0, 1), said.stderr
    return said.returncode, [json.loads(line)
                             for line in said.stdout.splitlines()]


def begin_day(house, name):
    """A pool whose day is over in one to two minutes; when that is."""
    over = (int(time.time()) + 119) // 60 * 60
    offset = -over % 86400
    zone_file(f"{house.zones}/Test/{name}",
              offset if offset <= 43200 else offset - 86400)
    house.gate.write("policy.conf", POLICY + POOL.format(zone=f"Test/{name}"))
    house.gate.write("tenants.d/acme.conf", TENANT.format(
        more="\tpool \"b2b\" { weight = 1 }\n"))
    said = house.gate.penstock("reload")
    assert said.returncode == 0, said.stdout + said.stderr
    return over


def finals(house):
    """How many bounces the ingester knows of."""
    said = house.gate.penstock("replies", "--json")
    return sum(json.loads(line).get("count", 0)
               for line in said.stdout.splitlines()
               if "User unknown" in line or "user unknown" in line)


def bad_list(house):
    """Thirty of whom twelve do not exist, in time; a slow machine may need
    another day."""
    for name in ("One", "Two", "Three"):
        over = begin_day(house, name)
        for i in range(3):
            sent = submit(house, *[f"nobody{name}{i}{k}@gmail.com"
                                   for k in range(4)],
                          *[f"ok{name}{i}{k}@gmail.com" for k in range(6)])
            assert sent.code == 250, sent
        proc.wait_for(lambda: finals(house) >= 12, 60,
                      f"the bounces\n{house.ingest.log()}")
        if time.time() < over - 2:
            return
    pytest.fail("this machine needs more than a minute for three messages")


def test_a_bad_list_stops_its_provider_until_a_person_resumes(house):
    bad_list(house)
    assert house.gate.penstock("warmup", "resume", "192.0.2.10", "--reason",
                               "too early").returncode == 1
    proc.wait_for(lambda: explain(house)[1], 180,
                  f"the end of the day\n{house.gate.log()}")
    status, decisions = explain(house)
    last = decisions[-1]
    assert status == 0 and last["rederived"], decisions
    assert (last["rule"], last["day_before"], last["day_after"],
            last["provider"]) == ("S2", 1, 1, "google"), last
    google = [p for p in last["providers"] if p["provider"] == "google"][0]
    assert (google["hard"], google["ended"]) == (12, 30), last
    assert (last["used"], last["cap"], last["bulk"]) == (30, 50, 40), last
    assert last["outcomes"], last
    # the event is there for whoever follows events
    event = [e for e in house.gate.events() if e["kind"] == "warmup"][-1]
    assert event["text"].startswith("S2 to=1 "), event
    # that provider is stopped, the others are not
    sent = submit(house, "ok@gmail.com")
    assert sent.code == 451 and "warmup" in str(sent), sent
    assert submit(house, "ok@web.de").code == 250
    # also in the next life of the gate
    house.gate.kill()
    house.gate.start()
    assert submit(house, "ok@gmail.com").code == 451
    # for eyes
    said = house.gate.penstock("warmup", "explain", "192.0.2.10")
    assert said.returncode == 0, said.stderr
    assert "S2  day 1 -> 1 of 42  30/50" in said.stdout, said.stdout
    # the person: with a reason, once, on record
    assert house.gate.penstock("warmup", "resume",
                               "192.0.2.10").returncode == 2
    assert house.gate.penstock("warmup", "resume", "192.0.2.99", "--reason",
                               "another").returncode == 1
    said = house.gate.penstock("warmup", "resume", "192.0.2.10", "--provider",
                               "google", "--reason", "the list is clean now")
    assert said.returncode == 0, said.stdout + said.stderr
    assert submit(house, "ok@gmail.com").code == 250
    said = house.gate.penstock("warmup", "resume", "192.0.2.10", "--reason",
                               "again")
    assert said.returncode == 1 and "is not stopped" in said.stderr, said
    audit = house.gate.penstock("audit").stdout
    assert "warmup-resume" in audit and "the list is clean now" in audit
    assert house.gate.penstock("audit", "--verify").returncode == 0
    status, decisions = explain(house)
    assert status == 0 and decisions[-1]["resumed"], decisions
    assert decisions[-1]["by"].startswith("desk:"), decisions
    # and what was decided stays decided over a stop
    house.gate.stop()
    house.gate.start()
    assert submit(house, "ok@gmail.com").code == 250
