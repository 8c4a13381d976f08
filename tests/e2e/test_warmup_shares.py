"""Shares of providers in a warmup: mail to a domain of which nobody knew whose
it is moves there once it is known, and the board says what rules took."""

import datetime
import glob
import json
import struct
import subprocess
import time

import pytest

import ingest
import postfix
import proc
from house import House, message, send
from rawmilter import Milter

FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
# Wherever it is not about to be midnight.
HOUR = datetime.datetime.now(datetime.timezone.utc).hour
ZONE, WEST = ("UTC", 0) if 2 <= HOUR < 20 else ("Etc/GMT+12", 12)
POLICY = f"""\
timezone = "{ZONE}"
unknown_sender = "refuse"
include "tenants.d"
schedule "few" {{ table = {{"20", "20", "24"}} }}
pool "own" {{
	timezone = "{ZONE}"
	address "127.0.0.1" {{ transport = "own1"  warmup "few" {{ }} }}
	share {{ google = 50  microsoft = 25 }}
}}
"""
TENANTS = {"acme.conf": """\
tenant "acme" {
	logins = {"acme"}
	domains = {"acme.example"}
	pool "own" { }
}
"""}
BLOCK = "}\ningest {\n\tlog = \"\"\n\tuser = \"\"\n"


@pytest.fixture(scope="module")
def house():
    if postfix.reason_not():
        pytest.skip(postfix.reason_not())
    if not FAKETIME:
        pytest.skip("libfaketime is not installed")
    with House(policy=POLICY, tenants=TENANTS, keys={}, more=BLOCK) as h:
        h.ingest = ingest.Ingest(h.gate)
        yield h


def tomorrow(house):
    """The gate's next life begins a day from now."""
    house.gate.stop()
    house.gate.wrap = ["env", f"LD_PRELOAD={FAKETIME[0]}",
                       "FAKETIME=+1d", "FAKETIME_DONT_FAKE_MONOTONIC=1"]
    house.gate.start()


def submit(house, to):
    with house.client("acme") as smtp:
        return send(smtp, "a@acme.example", [to], message("a@acme.example"))


def board(house):
    said = house.gate.penstock("warmup", "own", "--json", check=True)
    row, = json.loads(said.stdout)["warmups"]
    return row, {p["provider"]: p for p in row["providers"]}


def learn(house, sent, to, relay):
    """The log of Postfix, as it is where there is DNS."""
    line = (time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()) +
            f" mx postfix/smtp[9]: {sent.queue_id}: to=<{to}>, "
            f"relay={relay}[192.0.2.25]:25, delay=1, "
            "delays=0.1/0/0.5/0.4, dsn=2.0.0, status=sent (250 2.0.0 OK)\n")
    house.gate.write("one.log", line)
    told = house.ingest.once(house.gate.folder + "/one.log")
    assert told["outcomes"] == 1, told


def test_what_is_learned_of_a_domain_moves_its_mail_to_the_provider(house):
    # nobody knows whose it is: it counts in the day, and in no share
    sent = [submit(house, f"r{i}@corp.example") for i in range(12)]
    assert [s.code for s in sent] == [250] * 12, sent
    row, providers = board(house)
    assert (row["day"], row["used"], row["cap"]) == (1, 12, 20)
    assert providers["google"]["used"] == 0
    assert submit(house, "first@gmail.com").code == 250
    assert board(house)[1]["google"]["used"] == 1
    # the delivery of one of them says it of all
    learn(house, sent[0], "r0@corp.example", "aspmx.l.google.com")
    proc.wait_for(lambda: board(house)[1]["google"]["used"] == 13, 90,
                  f"the move\n{house.gate.log()[-2000:]}")
    row, providers = board(house)
    assert (row["used"], providers["google"]["most"]) == (13, 10)
    text = house.gate.penstock("warmup", "own", check=True).stdout
    assert "13 of 10 (50 %)\n            3 above its part: no more goes " \
        "there today\n" in text, text
    moved = [e for e in house.gate.events() if e["kind"] == "warmup" and
             e["text"].startswith("move ")]
    assert [c["amount"] for e in moved for c in e["charges"]] == [12]
    # above its part: no more goes there today, by whatever domain
    for to in ("second@gmail.com", "r12@corp.example"):
        late = submit(house, to)
        assert late.code == 451 and "a day to google" in \
            late.text + str(late.recipients), late
    assert submit(house, "r@other.example").code == 250
    # once is enough: neither time nor a restart moves it again
    house.gate.kill()
    house.gate.start()
    time.sleep(7)
    assert board(house)[1]["google"]["used"] == 13
    assert submit(house, "second@gmail.com").code == 451


def test_it_drains_with_the_day_and_counts_there_from_the_first_on(house):
    tomorrow(house)
    sent = [submit(house, f"s{i}@corp.example").code for i in range(12)]
    assert sent == [250] * 10 + [451] * 2
    assert house.gate.events()[-3]["recipients"][0]["provider"] == "google"


def test_what_is_held_for_a_warmup_is_no_more_than_goes_within_hold_max():
    """Of 20 a day bulk mail has 16; each waits for the throttle alone, and
    all of them for the day."""
    tenants = {"acme.conf": TENANTS["acme.conf"].replace(
        "\tpool", "\tpriority = \"bulk\"\n\thold_max = \"24h\"\n\tpool")}
    with House(policy=POLICY.replace("{ } }", '{ over = "hold" } }'),
               tenants=tenants, keys={}, queue=False) as h:
        said = []
        with Milter(h.gate.socket) as m:
            m.hello()
            while len(said) < 60 and (not said or said[-1].ok):
                said.append(m.send("acme", "<a@acme.example>",
                                   [f"<r{len(said)}@example.org>"],
                                   message("a@acme.example"))[0])
        kinds = [e["kind"] for e in h.gate.events()]
        assert kinds.count("accept") == 1
        assert 14 <= kinds.count("hold") <= 31, kinds
        assert len(said) < 60 and "no more of it may be held" in \
            said[-1].text, said[-1].text
        text = h.gate.penstock("hold", "list", check=True).stdout
        rows = [x.split() for x in text.splitlines() if x.startswith("acme")]
        assert {row[-1] for row in rows} <= {"warmup:burst", "warmup:day"}
        assert max(map(len, text.splitlines())) <= 80


def rewrite(house, factors):
    """Into the row of that warmup, as rules would have left it."""
    where = f"{house.gate.store}/gate"
    dump = subprocess.run(["mdb_dump", "-s", "warmups", where], check=True,
                          capture_output=True, text=True).stdout
    lines = dump.split("\n")
    at = lines.index("HEADER=END") + 1
    for i in range(at, lines.index("DATA=END"), 2):
        key, value = (bytes.fromhex(x.strip()) for x in lines[i:i + 2])
        if len(key) != 16:
            continue
        assert value[-1] == 0           # none so far
        value = value[:-1] + struct.pack("<B", len(factors))
        for provider, thousandths, until, rule in factors:
            value += struct.pack("<I", len(provider)) + provider.encode() + \
                struct.pack("<Hq", thousandths, until) + \
                struct.pack("<I", len(rule)) + rule.encode()
        lines[i + 1] = " " + value.hex()
    subprocess.run(["mdb_load", "-s", "warmups", where], check=True,
                   input="\n".join(lines), text=True, capture_output=True)


def test_the_board_says_in_words_what_rules_took(build):
    house = build(policy=POLICY, tenants=TENANTS, keys={})
    assert submit(house, "r@gmail.com").code == 250
    tomorrow(house)
    proc.wait_for(lambda: board(house)[0]["judged"], 60, "a row")
    for i in range(10):
        assert submit(house, f"r{i}@gmail.com").code == 250
    house.gate.stop()
    today = datetime.datetime.now(datetime.timezone.utc) - \
        datetime.timedelta(hours=WEST)
    until = today.date() + datetime.timedelta(days=3)
    days = (until - datetime.date(1970, 1, 1)).days
    rewrite(house, [("google", 500, days, "R1"), ("yahoo", 0, 0, "S2")])
    text = house.gate.penstock("warmup", "own", check=True).stdout
    lines = text.splitlines()
    at = next(i for i, x in enumerate(lines) if x.startswith("  google "))
    assert lines[at].endswith("] 10 of 5 (50 %)"), text
    assert lines[at + 1].strip() == f"R1 halved its part until {until}", text
    assert lines[at + 2].strip().startswith("5 above its part"), text
    at = next(i for i, x in enumerate(lines) if x.startswith("  yahoo "))
    assert lines[at].endswith("] 0 of 0"), text
    assert lines[at + 1].strip() == "stopped by S2; penstock warmup resume " \
        "lets it go on", text
    assert max(map(len, lines)) <= 80, text
    providers = board(house)[1]
    assert (providers["google"]["thousandths"], providers["google"]["most"],
            providers["google"]["until"], providers["google"]["rule"]) == \
        (500, 5, str(until), "R1")
    assert (providers["yahoo"]["thousandths"], providers["yahoo"]["until"],
            providers["yahoo"]["rule"]) == (0, None, "S2")
    # and the gate does as the board says
    house.gate.start()
    assert submit(house, "r@yahoo.com").code == 451
    assert submit(house, "r@other.example").code == 250
