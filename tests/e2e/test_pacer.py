"""Held mail goes when there is room: in order, once, and not to everybody.

The gate decides (the pacer), penstock-release carries it out, on a real
Postfix; days pass by libfaketime.
"""

import os
import random
import time

import pytest

import postfix
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
}


@pytest.fixture
def house():
    if postfix.reason_not():
        pytest.skip(postfix.reason_not())
    if not os.path.exists(FAKETIME):
        pytest.skip("no libfaketime: make deps")
    with House(policy=POLICY, tenants=TENANTS, keys={},
               blocks=BLOCK) as h:
        yield h


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
