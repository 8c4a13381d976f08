"""Warmups through SMTP: a day lets exactly its number through, under parallel
sessions, kills and restarts, and the next day another one.  The gate is told
the time with libfaketime; Postfix has the real one."""

import datetime
import glob
import json
import os
import threading

import pytest

import house as house_
import postfix
import proc
from house import message, send

FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
DAY_1 = datetime.date.today() + datetime.timedelta(days=2)
NUMBERS = (7, 11, 20)
POLICY = f"""\
unknown_sender = "refuse"
include "tenants.d"
schedule "few"  {{ table = {{"7", "11", "20"}} }}
schedule "wide" {{ start = 1000  ratio = 2  target = 8000 }}
pool "own" {{
	address "127.0.0.1" {{ transport = "own1"
		warmup "few" {{ started = "{DAY_1}" }} }}
	share {{ google = 50 }}
}}
class "letters" {{
	priority = "bulk"
	warmup "wide" {{ per = "login"  active_hours = "08:00-18:00" }}
}}
"""
TENANTS = {f"{name}.conf": f"""\
tenant "{name}" {{
	logins = {{"{name}", "*@{name}.example"}}
	domains = {{"{name}.example"}}
	{more}
}}
""" for name, more in {
    "acme": 'pool "own" { }', "bolt": 'pool "own" { }',
    "cats": 'class = "letters"',
}.items()}


@pytest.fixture(scope="module")
def house():
    if postfix.reason_not():
        pytest.skip(postfix.reason_not())
    if not FAKETIME:
        pytest.skip("libfaketime is not installed")
    with house_.House(policy=POLICY, tenants=TENANTS, keys={}) as h:
        h.gate.stop()
        yield h


def at(house, day, clock):
    """The gate's next life begins on that day of the schedule."""
    when = DAY_1 + datetime.timedelta(days=day - 1)
    house.gate.stop()
    house.gate.wrap = ["env", f"LD_PRELOAD={FAKETIME[0]}", "TZ=UTC",
                       f"FAKETIME=@{when} {clock}"]
    house.gate.start()


def one(house, tenant, to="r@remote.example", login=None):
    smtp = house.client(login or tenant)
    sender = f"a@{tenant}.example"
    sent = send(smtp, sender, [to], message(sender))
    smtp.quit()
    return sent


def flood(house, sessions, each):
    """So many at once, of two tenants by turns; how many got through."""
    passed, said = [], []

    def session(n):
        for _ in range(each):
            try:
                sent = one(house, ("acme", "bolt")[n % 2])
            except OSError:                 # the gate is killed under it
                continue
            (passed if sent.code == 250 else said).append(sent)

    threads = [threading.Thread(target=session, args=(n,))
               for n in range(sessions)]
    for t in threads:
        t.start()
    return threads, passed, said


def board(house, *words):
    said = house.gate.penstock("warmup", *words, "--json", check=True)
    return json.loads(said.stdout)["warmups"]


def test_before_it_begins_the_board_says_when(house):
    at(house, 0, "12:00:00")
    text = house.gate.penstock("warmup", "own", check=True).stdout
    assert f"not begun, of 3: begins {DAY_1}, few\n" in text, text
    assert "today" not in text and "google" not in text, text


def test_a_day_lets_its_number_through_whatever_happens(house):
    at(house, 1, "12:00:00")
    threads, passed, said = flood(house, 6, 4)
    for t in threads:
        t.join()
    assert len(passed) == NUMBERS[0], (passed, said)
    assert len(passed) + len(said) == 24
    for sent in said:
        told = sent.text + str(sent.recipients)
        assert sent.code == 451 and "limit warmup:day (few, day 1 of 3: 7 a " \
            "day) is used up" in told, sent
    row, = board(house, "127.0.0.1")
    assert (row["day"], row["used"], row["cap"]) == (1, 7, 7)
    # kill -9, and once more: not one more
    house.gate.kill()
    at(house, 1, "13:00:00")
    assert one(house, "acme").code == 451
    row, = board(house, "own")
    assert (row["used"], row["pool"], row["address"]) == \
        (7, "own", "127.0.0.1")


def test_the_next_day_has_another_number(house):
    at(house, 2, "00:05:00")
    # the gate is killed while mail comes in
    threads, passed, said = flood(house, 4, 3)
    proc.wait_for(lambda: len(passed) >= 2 or not any(
        t.is_alive() for t in threads), 60, "some mail")
    house.gate.kill()
    at(house, 2, "00:20:00")
    for t in threads:
        t.join()
    more = [one(house, "acme") for _ in range(NUMBERS[1] + 2)]
    volume = sum(len(e["recipients"]) for e in house.gate.events()
                 if e["kind"] == "accept" and e["tenant"] in ("acme", "bolt"))
    voided = sum(len(e["recipients"]) for e in house.gate.events()
                 if e["kind"] == "void")
    assert volume - voided == NUMBERS[0] + NUMBERS[1]
    assert more[-1].code == 451, more[-1]
    row, = board(house, "own")
    assert (row["day"], row["used"], row["cap"]) == (2, 11, 11)


def test_a_provider_has_its_share(house):
    at(house, 3, "00:05:00")
    taken = [one(house, "acme", f"r{i}@gmail.com").code == 250
             for i in range(12)]
    assert taken == [True] * 10 + [False] * 2
    assert one(house, "acme", "r@remote.example").code == 250
    row, = board(house, "own")
    google, = [p for p in row["providers"] if p["provider"] == "google"]
    assert (google["used"], google["most"]) == (10, 10)
    text = house.gate.penstock("warmup", "own", check=True).stdout
    assert "[########################] 10 of 10 (50 %)" in text
    assert max(len(line) for line in text.splitlines()
               if not line.startswith("  rule")) <= 80     # no terminal
    assert row["rule"] == "A1" and row["judged"] == str(
        DAY_1 + datetime.timedelta(days=2))
    assert "11 of 11 used" in row["inputs"]


def test_letters_wait_for_their_hours_and_five_minutes(house):
    at(house, 4, "07:00:00")
    sent = one(house, "cats", login="eva@cats.example")
    told = sent.text + str(sent.recipients)
    when = DAY_1 + datetime.timedelta(days=3)
    assert sent.code == 451 and f"next slot {when} 08:00 UTC" in told, sent
    at(house, 4, "09:00:00")
    assert one(house, "cats", login="eva@cats.example").code == 250
    # the first days one at a time; another mailbox has its own
    sent = one(house, "cats", login="eva@cats.example")
    assert sent.code == 451 and "warmup:burst" in sent.text + \
        str(sent.recipients), sent
    assert one(house, "cats", login="ana@cats.example").code == 250
    rows = {r["of"]: r for r in board(house, "cats")}
    assert rows["login=eva@cats.example"]["used"] == 1
    assert rows["login=eva@cats.example"]["cap"] == 1000
    said = house.gate.penstock("limits", "cats", "--login",
                               "ana@cats.example", "--json", check=True)
    limits = {r["limit"]: r for r in json.loads(said.stdout)["limits"]}
    assert limits["warmup:day"]["used"] == 1
    assert limits["warmup:day"]["most"] == 250      # two of ten hours


def test_explain_is_the_gates_own_answer(house):
    at(house, 4, "10:00:00")
    said = house.gate.penstock(
        "policy", "explain", "--login", "eva@cats.example", "--from",
        "a@cats.example", "--rcpt", "r@remote.example", "--json")
    got = json.loads(said.stdout)
    limits = {x["limit"]: x for x in got["limits"]}
    assert limits["warmup:day"]["used"] == 1
    assert limits["warmup:day"]["of"] == "login=eva@cats.example"


def test_replay_decides_as_the_gate_did(house):
    said = house.gate.penstock("policy", "replay",
                               house.gate.folder + "/policy.conf", "--json",
                               check=True)
    got = json.loads(said.stdout)
    assert got["changes"] == [] and got["messages"] > 30, got
    # and another schedule would have said something else
    house.gate.write("wider.conf", POLICY.replace('"7", "11", "20"',
                                                  '"9", "11", "20"'))
    said = house.gate.penstock("policy", "replay",
                               house.gate.folder + "/wider.conf", "--json",
                               check=True)
    changes = json.loads(said.stdout)["changes"]
    assert sum(c["count"] for c in changes
               if c["was"] == "defer" and c["would"] == "pass") == 2, changes
