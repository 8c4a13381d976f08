"""Held mail goes when there is room: in order, once, and not to everybody.

The gate decides (the pacer), penstock-release carries it out, on a real
Postfix; days pass by libfaketime.
"""

import os
import random
import re
import signal
import time

import pytest

import gate
import postfix
import proc
from endpoint import press
from house import House, message, send
from release import Release

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"

# The folder of a house's Postfix is beside the gate's.
BLOCK = """\
release {
	config_directory = "{folder}/../postfix/etc"
	command_directory = "%s/usr/sbin"
	inventory = "2 seconds"
}
""" % ("" if os.path.exists(postfix.INSTALLED) else postfix.UNPACKED)

PORT = proc.port()
ENDPOINT = f"""\
unsubscribe {{
	socket = "inet:{PORT}@127.0.0.1"
	names = "{{folder}}/names"
	user = ""
}}
"""
POLICY = """\
timezone = "UTC"
unknown_sender = "refuse"
include "tenants.d"
"""
TENANTS = {
    "news.conf": """\
tenant "news" {
	logins = {"news"}
	domains = {"news.example"}
	hold_max = "72h"
	cap "daily" { limit = "100/day"  over = "hold" }
}
""",
    "shop.conf": """\
tenant "shop" {
	logins = {"shop"}
	domains = {"shop.example"}
	hold_max = "48h"
	stream "campaign" {
		match = {"sender:offers@*"}
		priority = "bulk"
		unsubscribe = "off"
		cap "few" { limit = "2/day"  over = "hold" }
	}
}
""",
    "mixed.conf": """\
tenant "mixed" {
	logins = {"mixed"}
	domains = {"mixed.example"}
	hold_max = "72h"
	cap "daily" { limit = "5/day"  over = "hold" }
}
""",
    "list.conf": """\
tenant "list" {
	logins = {"list"}
	domains = {"list.example"}
	bounce_domain = "bounce.list.example"
	dkim "r1" { domain = "list.example"  key = "list.rsa" }
	unsubscribe { url = "https://u.list.example/u/" }
	hold_max = "48h"
	stream "news" {
		match = {"sender:news@*"}
		priority = "bulk"
		unsubscribe = "one-click"
		cap "few" { limit = "1/day"  over = "hold" }
	}
}
""",
}


@pytest.fixture
def house():
    if postfix.reason_not():
        pytest.skip(postfix.reason_not())
    if not os.path.exists(FAKETIME):
        pytest.skip("no libfaketime: make deps")
    with House(policy=POLICY, tenants=TENANTS, keys={"list.rsa": "rsa"},
               blocks=BLOCK + ENDPOINT, tokens=True) as h:
        yield h


@pytest.fixture
def endpoint(house):
    """penstock-unsubscribe beside that gate, in its store."""
    house.gate.penstock("token", "names", "--write", check=True)
    log = f"{house.folder}/unsubscribe.log"
    with open(log, "w") as f:
        process = proc.start([gate.program("penstock-unsubscribe"), "-c",
                              house.gate.conf], stdout=f, stderr=f)
    proc.wait_for(lambda: " serves at " in open(log).read(), 20,
                  "the endpoint")
    yield PORT
    proc.stop(process, signal.SIGTERM, 20)


def days_later(house, days):
    """The gate's clock is so many days later from its next start on."""
    house.gate.wrap = ["env", f"LD_PRELOAD={FAKETIME}",
                       f"FAKETIME=+{days}d", "FAKETIME_DONT_FAKE_MONOTONIC=1"]


def submit(house, login, recipients, sender=None, smtp=None):
    sender = sender or f"a@{login}.example"
    own = smtp is None
    smtp = smtp or house.client(login)
    try:
        return send(smtp, sender, recipients, message(sender))
    finally:
        if own:
            smtp.close()


def on_hold(house):
    return os.listdir(f"{house.postfix.folder}/queue/hold")


def got(house):
    """Every recipient, as often as the sink got mail for him."""
    return house.sink.recipients()


def until(house, question, what, patience=120):
    end = time.monotonic() + patience
    while not question():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}\n{house.gate.log()[-2000:]}")
        time.sleep(0.1)


def numbers(addresses):
    return sorted(int(a[1:].split("@")[0]) for a in addresses)


def releases(house):
    return [e for e in house.gate.events() if e["kind"] == "release"]


def test_a_campaign_goes_day_by_day_in_order_and_once(house):
    r = Release(house.gate, house.postfix).start()
    dice = random.Random(500)
    codes = []
    smtp = house.client("news")
    for i in range(500):
        sent = submit(house, "news", [f"r{i}@example.org"], smtp=smtp)
        codes.append(sent.code if sent.recipients.get(
            f"r{i}@example.org", (250,))[0] == 250 else 451)
    smtp.close()
    # three days of it may wait, the fifth hundred comes again
    assert codes == [250] * 400 + [451] * 100
    until(house, lambda: len(got(house)) == 100, "the first hundred")
    assert numbers(got(house)) == list(range(100))
    assert len(on_hold(house)) == 300
    for day in (1, 2, 3):
        house.gate.kill()
        days_later(house, day)
        house.gate.start()
        while len(got(house)) < 100 * (day + 1):
            # each in the middle of whatever it does
            time.sleep(dice.uniform(0.2, 9))
            if dice.random() < 0.5:
                r.kill()
                r.start()
            else:
                house.gate.kill()
                house.gate.start()
            assert len(got(house)) <= 100 * (day + 1)
            if day > 1 and dice.random() < 0.4:
                until(house, lambda: len(got(house)) >= 100 * (day + 1),
                      f"day {day}\n{r.log()}")
        assert numbers(got(house)) == list(range(100 * (day + 1)))
    until(house, lambda: not on_hold(house), "an empty hold queue")
    told = [e["voids"] for e in releases(house)]
    assert told == sorted(set(told)) and len(told) == 300
    time.sleep(3)
    assert numbers(got(house)) == list(range(400))
    r.stop()
    house.gate.stop()
    said = house.gate.penstock("store", "verify")
    assert said.returncode == 0, said.stdout + said.stderr


def test_who_is_suppressed_meanwhile_is_not_mailed_and_others_pass(house):
    r = Release(house.gate, house.postfix).start()
    offers = "offers@shop.example"
    for who in ("one", "two", "gone", "stays"):
        assert submit(house, "shop", [f"{who}@example.org"],
                      sender=offers).code == 250
    until(house, lambda: len(got(house)) == 2, "two")
    assert len(on_hold(house)) == 2
    # a reset of a password does not wait behind them
    assert submit(house, "shop", ["reset@example.org"]).code == 250
    until(house, lambda: "reset@example.org" in got(house), "the reset")
    said = house.gate.penstock("suppress", "add", "gone@example.org", "--platform",
                               "--reason", "asked on the phone")
    assert said.returncode == 0, said.stderr
    house.gate.kill()
    days_later(house, 1)
    house.gate.start()
    until(house, lambda: "stays@example.org" in got(house), "the other one")
    until(house, lambda: not on_hold(house), "an empty hold queue")
    assert "gone@example.org" not in got(house)
    assert sorted(e["verdict"] for e in releases(house)) == ["drop", "pass"]
    r.stop()


def test_who_unsubscribes_while_held_is_not_mailed(house, endpoint):
    r = Release(house.gate, house.postfix).start()
    news = "news@list.example"
    # the first one goes, with the link; the day is used up then
    assert submit(house, "list", ["leaves@example.org"],
                  sender=news).code == 250
    first = house.sink.wait(lambda s: [
        d for d in s.deliveries if d.recipients == ["leaves@example.org"]])[0]
    link = re.match(r"<https://u\.list\.example(/u/[\w-]+)>",
                    first.headers("List-Unsubscribe")[0]).group(1)
    assert submit(house, "list", ["leaves@example.org"],
                  sender=news).code == 250
    assert submit(house, "list", ["stays@example.org"],
                  sender=news).code == 250
    assert len(on_hold(house)) == 2
    # no day passes between: what was held for him is dropped, so the day
    # that comes is for the one behind him
    assert press(endpoint, link) == 200
    house.gate.kill()
    days_later(house, 1)
    house.gate.start()
    until(house, lambda: "stays@example.org" in got(house), "who stays")
    until(house, lambda: not on_hold(house), f"an empty hold queue\n{r.log()}")
    assert sorted(got(house)) == ["leaves@example.org", "stays@example.org"]
    dropped, = [e for e in releases(house) if e["verdict"] == "drop"]
    assert [x["address"] for x in dropped["recipients"]] == \
        ["leaves@example.org"]
    why = dropped["recipients"][0]["rule"]
    assert why.startswith("suppressed by consent: unsubscribe"), why
    r.stop()


def test_the_oldest_goes_first_of_those_that_fit(house):
    r = Release(house.gate, house.postfix).start()
    # all of the first day, then what waits: two, four, three, one
    smtp = house.client("mixed")
    for name, n in (("now", 5), ("a", 2), ("b", 4), ("c", 3), ("d", 1)):
        assert submit(house, "mixed", [f"{name}{i}@example.org"
                                       for i in range(n)],
                      smtp=smtp).code == 250
    smtp.close()

    def names():
        return sorted({a[0] for a in got(house)})
    until(house, lambda: len(got(house)) == 5, "the first day's")
    held = [e["seq"] for e in house.gate.events() if e["kind"] == "hold"]
    assert len(held) == 4 and held == sorted(held)
    for day, count, who in ((1, 10, "acn"), (2, 15, "abcdn")):
        house.gate.kill()
        days_later(house, day)
        house.gate.start()
        until(house, lambda: len(got(house)) >= count, f"day {day}")
        time.sleep(1)       # nothing comes behind it
        assert len(got(house)) == count and "".join(names()) == who
    # four do not fit beside two, three do; nothing passed them otherwise
    assert [held.index(e["voids"]) for e in releases(house)] == [0, 2, 1, 3]
    until(house, lambda: not on_hold(house), "an empty hold queue")
    assert len(got(house)) == len(set(got(house))) == 15
    r.stop()
