"""What is too old leaves outcomes/, through the programs: a log of last year
is read, the ingester starts, and the command line says what went."""

import datetime
import glob
import json
import shutil
import subprocess

import gate as gate_
import house as house_
import ingest
import proc
import pytest
from house import message
from rawmilter import Milter

FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
BLOCK = "}\ningest {\n\tlog = \"\"\n\tuser = \"\"\n\tlog_zone = \"UTC\"\n%s"
LINES = 40


@pytest.fixture
def place():
    h = house_.House(more=BLOCK % "\tkeep_totals = \"100 days\"\n",
                     queue=False)
    yield h
    h.close()


def log_of(house, days):
    """Mail of other houses that was delivered so many days ago."""
    path = f"{house.gate.folder}/log{days}"
    day = datetime.datetime.now(datetime.timezone.utc) - \
        datetime.timedelta(days=days)
    with open(path, "w") as f:
        for i in range(LINES):
            f.write(f"{day:%Y-%m-%dT%H:%M:%S}Z gw postfix/smtp[3]: 4kY{days}"
                    f"z{i:05d}: to=<r{i}@dest.example>, relay=mx.dest.example"
                    "[192.0.2.1]:25, delay=1, dsn=2.0.0, status=sent "
                    "(250 2.0.0 Ok)\n")
    return path


def stat(house):
    return json.loads(house.gate.penstock("store", "stat", "--json",
                                          check=True).stdout)["outcomes"]


def test_what_is_old_is_pruned_and_said(place):
    ing = ingest.Ingest(place.gate)
    for days in (200, 95, 3):
        assert ing.once(log_of(place, days))["foreign"] == LINES
    before = stat(place)
    assert before["rows"]["messages"] == 3 * LINES
    assert not any(before["pruned"].values())
    ing.start()
    proc.wait_for(lambda: stat(place)["pruned"]["messages"] == 2 * LINES, 60,
                  "the messages to go")
    ing.kill()
    after = stat(place)
    assert after["rows"]["messages"] == LINES
    # sums of 95 days ago are young enough, learned providers are in use
    assert 0 < after["pruned"]["days"] < before["rows"]["days"]
    assert after["rows"]["domains"] == before["rows"]["domains"]
    shown = place.gate.penstock("store", "stat", check=True).stdout
    assert f"{LINES} rows, {2 * LINES} pruned" in shown
    assert ing.once(f"{place.gate.folder}/log3")["repeated"] == LINES


def accept(house, queue_id, domain):
    """A message to one recipient there, by the clock that the gate has."""
    with Milter(house.gate.socket) as m:
        m.hello()
        reply, taken = m.send("acme", "<a@acme.example>", [f"<r@{domain}>"],
                              message("a@acme.example"), queue_id=queue_id)
        assert reply.ok and taken, reply
        m.quit()


def asks_for_less(house, queue_id, domain, days):
    """A log in which its server said so, that many days ago."""
    path = f"{house.gate.folder}/log-{queue_id}"
    when = datetime.datetime.now(datetime.timezone.utc) - \
        datetime.timedelta(days=days, minutes=-1)
    with open(path, "w") as f:
        f.write(f"{when:%Y-%m-%dT%H:%M:%S}Z gw postfix/smtp[3]: {queue_id}: "
                f"to=<r@{domain}>, relay=mx.{domain}[192.0.2.1]:25, delay=1, "
                f"dsn=4.7.28, status=deferred (host mx.{domain}[192.0.2.1] "
                "said: 450 4.7.28 Our system has detected an unusual rate of "
                "mail from you)\n")
    return path


@pytest.mark.skipif(not FAKETIME, reason="no libfaketime: make deps")
def test_back_off_of_long_ago_is_pruned(place):
    ing = ingest.Ingest(place.gate)
    place.gate.stop()
    shutil.rmtree(f"{place.gate.store}/gate")  # it knows what time it was
    place.gate.wrap = ["env", f"LD_PRELOAD={FAKETIME[0]}", "FAKETIME=-5d",
                       "FAKETIME_DONT_FAKE_MONOTONIC=1"]
    place.gate.start()
    accept(place, "4kYold0zAB", "old.example")
    place.gate.stop()
    place.gate.wrap = []
    place.gate.start()
    accept(place, "4kYnew0zAB", "new.example")
    for log in (asks_for_less(place, "4kYold0zAB", "old.example", 5),
                asks_for_less(place, "4kYnew0zAB", "new.example", 0)):
        assert ing.once(log)["foreign"] == 0
    assert stat(place)["rows"]["backoff"] == 2
    ing.start()
    proc.wait_for(lambda: stat(place)["pruned"]["backoff"] == 1, 60,
                  "the row of five days ago to go")
    ing.kill()
    assert stat(place)["rows"]["backoff"] == 1


@pytest.mark.parametrize("word", ["outcomes", "messages", "totals"])
def test_less_than_is_needed_is_a_mistake(place, word):
    text = open(place.gate.conf).read()
    place.gate.write("penstock.conf", text.replace(
        "\tkeep_totals = \"100 days\"", f"\tkeep_{word} = \"61 days\""))
    said = subprocess.run([gate_.program("penstock-ingest"), "-c",
                           place.gate.conf, "-n"], text=True,
                          stderr=subprocess.PIPE)
    assert said.returncode == 3 and f"keep_{word}" in said.stderr
