"""What each tenant and group sent: a real Postfix, the gate, the ingester,
penstock-release and penstock-alert; then an invoice that equals what was sent,
with mail that was held, let go and taken back in it."""

import collections
import csv
import datetime
import io
import json
import random
import shutil
import socket
import struct
import threading
import time

import alert
import ingest
import postfix
import proc
import pytest
from house import House, message, send
from rawmilter import Closed, Milter
from release import Release

POLICY = """\
timezone = "UTC"
unknown_sender = "refuse"
include "tenants.d"
group "alpha" { }
group "beta" { }
"""
TENANT = """\
tenant "%(name)s" {
	%(more)s
	logins = {"%(name)s"}
	domains = {"%(name)s.example"}
}
"""
TENANTS = {f"{name}.conf": TENANT % {"name": name, "more": more}
           for name, more in (("acme", 'group = "alpha"'),
                              ("bolt", 'group = "alpha"'),
                              ("cats", ""),
                              ("slow", 'group = "beta"  hold_max = "48h"\n'
                               '\tcap "few" { limit = "2/day"  '
                               'over = "hold" }'))}
BLOCKS = """\
ingest {
	log = "{folder}/../postfix/log"
	user = ""
}
"""


def month():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m")


def submit(house, login, recipients):
    with house.client(login) as smtp:
        return send(smtp, f"a@{login}.example", recipients,
                    message(f"a@{login}.example"))


def reset(house, queue_id, after):
    """A message whose Postfix is gone when the gate would edit it: a void
    follows, unless the gate was quicker, or had not read so far."""
    with Milter(house.gate.socket) as m:
        m.hello()
        m.mail("<a@acme.example>", "acme")
        m.rcpt("<raw@dest.example>", queue_id=queue_id)
        m.data(queue_id)
        for line in message("a@acme.example").split("\r\n")[:5]:
            name, _, value = line.partition(": ")
            m.header(name, value)
        m.eoh(queue_id)
        m.body(b"Hello\r\n")
        m.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
        m.write(b"\0\0\0\1E")
        time.sleep(after)
        m.socket.close()


@pytest.fixture
def house():
    if postfix.reason_not():
        pytest.skip(postfix.reason_not())
    tenants = dict(TENANTS)
    tenants["acme.conf"] = tenants["acme.conf"].replace(
        "\tlogins", '\tdkim "r1" { domain = "acme.example"  '
        'key = "acme.rsa" }\n\tlogins')
    with House(policy=POLICY, tenants=tenants, keys={"acme.rsa": "rsa"},
               blocks=BLOCKS) as h:
        h.sink.answer = lambda r: f"550 5.1.1 <{r}>: User unknown" \
            if r.startswith("nobody") else None
        h.gate.write("penstock.conf", open(h.gate.conf).read() +
                     Release.block(h.postfix, '\tinventory = "2 seconds"\n'))
        h.ingest = ingest.Ingest(h.gate)
        h.release = Release(h.gate, h.postfix)
        h.alert = alert.Alert(h.gate)
        yield h
        h.alert.kill()
        h.ingest.kill()
        h.release.close()


def by_name(told):
    """{tenant or group: (messages, accepted, delivered, held)}"""
    return {(kind, line["tenant" if kind == "tenants" else "group"]):
            (line["messages"], line["accepted"], line["delivered"],
             line["held"])
            for kind in ("tenants", "groups") for line in told[kind]}


def test_an_invoice_equals_what_was_sent(house):
    before = month()
    house.ingest.start()
    house.release.start()
    want = collections.defaultdict(lambda: [0, 0, 0, 0])

    def count(tenant, group, messages=0, accepted=0, delivered=0, held=0):
        for key in (("tenants", tenant), ("groups", group)):
            for i, n in enumerate((messages, accepted, delivered, held)):
                want[key][i] += n

    for i in range(3):
        assert submit(house, "acme", [f"ok{i}@gmail.com", f"ok{i}@yahoo.com",
                                      f"nobody{i}@dest.example"]).taken
        count("acme", "alpha", 1, 3, 2)
        assert submit(house, "bolt", [f"ok{i}@dest.example"]).taken
        count("bolt", "alpha", 1, 1, 1)
    assert submit(house, "cats", ["ok@dest.example"]).taken
    count("cats", "", 1, 1, 1)
    # two of slow's go, two are held; one of those is let go by a person
    sent = [submit(house, "slow", ["ok@dest.example"]) for _ in range(4)]
    assert all(s.taken for s in sent)
    count("slow", "beta", 3, 3, 3, 2)
    for words in (("limits", "grant", "slow", "few", "+1", "--until", "2h"),
                  ("hold", "release", sent[3].queue_id)):
        said = house.gate.penstock(*words, "--reason", "they asked for it")
        assert said.returncode == 0, said.stderr
    # what Postfix never heard of is taken back
    tries = 0
    while not any(e["kind"] == "void" for e in house.gate.events()):
        tries += 1
        assert tries < 60, "no void"
        reset(house, f"4xRAW{tries:03d}zAB", tries % 6 * 0.001)

    def wanted():
        """With those of them whose Postfix was gone a little too late."""
        events = house.gate.events()
        voided = {e["voids"] for e in events if e["kind"] == "void"}
        lost = sum(e["kind"] == "accept" and e["seq"] not in voided and
                   e["queue_id"].startswith("4xRAW") for e in events)
        told = {k: tuple(v) for k, v in want.items()}
        for key in (("tenants", "acme"), ("groups", "alpha")):
            told[key] = (want[key][0] + lost, want[key][1] + lost,
                         *want[key][2:])
        return told

    def same():
        house.alert.once()
        return by_name(house.alert.usage(month())) == wanted()

    try:
        proc.wait_for(same, 60, "what was sent")
    except TimeoutError:
        raise AssertionError((by_name(house.alert.usage(month())),
                              wanted()))
    if month() != before:
        pytest.skip("the month ended under the test")
    told = house.alert.usage(month())
    assert told["events_missing"] == told["outcomes_missing"] == 0
    # the other two voices say the same
    said = house.gate.penstock("usage", "--month", month(), "--csv",
                               check=True)
    assert "is not over" in said.stderr
    rows = list(csv.DictReader(io.StringIO(said.stdout)))
    assert {(r["kind"] + "s", r["tenant"] or r["group"]):
            tuple(int(r[n]) for n in ("messages", "accepted", "delivered",
                                      "held"))
            for r in rows} == by_name(told)
    said = house.gate.penstock("usage", "--month", month(), check=True)
    assert "acme" in said.stdout and "(all)" in said.stdout
    # and a store that is made anew says the same of all of it
    cells = house.alert.dump()
    rows = [json.loads(line) for line in cells.splitlines()]
    assert {r["record"] for r in rows} == {"store", "hour", "day", "category",
                                           "category_hour"}
    assert [r["count"] for r in rows if r["record"] == "category"] == [3]
    assert sum(r["count"] for r in rows
               if r["record"] == "category_hour") == 3
    for grain in ("hour", "day"):
        assert sum(r.get("hard", 0) for r in rows
                   if r["record"] == grain) == 3
        assert {r.get("domain") for r in rows if r["record"] == grain} == {
            f"{name}.example" for name in ("acme", "bolt", "cats", "slow")}
    house.alert.once("--rebuild")
    assert house.alert.dump() == cells
    assert house.gate.penstock("store", "verify", "watch").returncode == 0
    stat = house.gate.penstock("store", "stat", "watch")
    assert "counted       up to event" in stat.stdout


@pytest.fixture
def gate_alone():
    with House(policy=POLICY, tenants=TENANTS, keys={}, queue=False,
               blocks="ingest { log = \"\"  user = \"\" }\n") as h:
        h.alert = alert.Alert(h.gate)
        yield h
        h.alert.kill()


def test_killed_again_and_again_it_counts_the_same(gate_alone):
    house, rng, sent = gate_alone, random.Random(7), [0]
    over = threading.Event()

    def submit_all():
        with Milter(house.gate.socket) as m:
            m.hello()
            while not over.is_set():
                n = sent[0]
                reply, taken = m.send(
                    ("acme", "bolt", "cats")[n % 3],
                    f"<a@{('acme', 'bolt', 'cats')[n % 3]}.example>",
                    [f"<r{n}@gmail.com>"],
                    message(f"a@{('acme', 'bolt', 'cats')[n % 3]}.example"),
                    queue_id=f"4xK{n:06d}zAB")
                assert reply.ok and taken, reply
                sent[0] += 1
            m.quit()

    sender = threading.Thread(target=submit_all)
    sender.start()
    try:
        for _ in range(12):
            house.alert.start()
            time.sleep(rng.random() * 0.4)
            house.alert.kill()
    finally:
        over.set()
        sender.join()
    counted = house.alert.once()
    assert counted["last_event"] == house.gate.events()[-1]["seq"]
    told = house.alert.usage(month())
    assert told["all"]["accepted"] == told["all"]["messages"] == sent[0]
    cells = house.alert.dump()
    assert sent[0] >= 12
    again = house.alert.once("--rebuild")
    assert again["events"] == counted["last_event"]
    assert house.alert.dump() == cells


def test_one_works_and_the_next_waits(gate_alone):
    house = gate_alone
    first, second = house.alert, alert.Alert(house.gate)
    first.start()
    proc.wait_for(lambda: "counting" in first.log(), 20, "the first one")
    said = first.run("--once")
    assert said.returncode == 3 and "it counts by itself" in said.stderr
    second.start()
    try:
        proc.wait_for(lambda: "waiting for its end" in first.log(), 20,
                      "the second one")
        with Milter(house.gate.socket) as m:
            m.hello()
            reply, taken = m.send("acme", "<a@acme.example>",
                                  ["<r@gmail.com>"],
                                  message("a@acme.example"))
            assert reply.ok and taken, reply
        proc.wait_for(lambda: house.alert.usage(month()).get(
            "all", {}).get("accepted") == 1, 20, "the first to count")
        first.kill()
        proc.wait_for(lambda: first.log().count("counting") == 2, 20,
                      "the second to take over")
        assert second.stop() == 0
        assert "stopped" in first.log()
    finally:
        second.kill()


def test_what_is_asked_wrongly_or_too_early_is_said(gate_alone):
    house = gate_alone
    early = house.gate.penstock("usage", "--json")
    assert early.returncode == 3 and "penstock-alert" in early.stderr
    house.alert.once()
    for bad in (["--month", "2026-13"], ["--month", "26-01"], ["--month"],
                ["--csv", "--json"], ["acme"], ["--month", "2026-1x"]):
        assert house.gate.penstock("usage", *bad).returncode == 2, bad
    assert house.gate.penstock("usage", "--help").returncode == 0
    assert house.gate.penstock("store", "dump", "watch", "x").returncode == 2
    for bad in (["--once", "--rebuild"], ["--json"], ["x"]):
        assert house.alert.run(*bad).returncode == 2, bad
    assert house.alert.run("-n").returncode == 0
    with open(f"{house.gate.folder}/bad.conf", "w") as f:
        f.write("alert { keep_hours = \"1h\" }\n")
    house.alert.gate.conf = f"{house.gate.folder}/bad.conf"
    said = house.alert.run("-n")
    assert said.returncode == 3 and "keep_hours" in said.stderr


def test_another_gate_store_is_said_and_counted_anew_when_told(gate_alone):
    house = gate_alone

    def one(queue_id):
        with Milter(house.gate.socket) as m:
            m.hello()
            reply, taken = m.send("acme", "<a@acme.example>",
                                  ["<r@gmail.com>"],
                                  message("a@acme.example"),
                                  queue_id=queue_id)
            assert reply.ok and taken, reply

    for n in range(5):
        one(f"4xA{n:06d}zAB")
    house.alert.once()
    house.gate.stop()
    shutil.rmtree(f"{house.gate.store}/gate")
    house.gate.start()
    one("4xB000000zAB")
    said = house.alert.run("--once")
    assert said.returncode == 3 and "--rebuild" in said.stderr
    house.alert.once("--rebuild")
    assert house.alert.usage(month())["all"]["accepted"] == 1


def test_a_sender_that_is_not_his_counts_as_a_violation(gate_alone):
    house = gate_alone
    with Milter(house.gate.socket) as m:
        m.hello()
        for n in range(3):      # two of them are repeats of the first
            reply, taken = m.send("acme", "<a@bolt.example>",
                                  ["<r@gmail.com>"],
                                  message("a@bolt.example"))
            assert reply.code == 553, reply
        reply, taken = m.send("acme", "<a@acme.example>", ["<r@gmail.com>"],
                              message("ceo@bolt.example"))
        assert reply.code == 550, reply
        m.quit()
    house.gate.stop()           # what was counted only is written now
    events = [e for e in house.gate.events() if e["kind"] == "refuse"]
    assert sum(e["count"] for e in events) == 4
    assert all(e["flags"]["unowned"] for e in events), events
    house.alert.once()
    days = [r for r in map(json.loads, house.alert.dump().splitlines())
            if r["record"] == "day"]
    assert sum(r["violated"] for r in days) == 4
    assert sum(r["refused"] for r in days) == 4
    assert {r["tenant"] for r in days} == {"acme"}
    assert not any("accepted" in r for r in days)
