"""Pools on a real Postfix: which address a message leaves by, what it says
there, how many connections it makes; weights, overflow, caps."""

import collections
import datetime
import glob
import json
import os
import re
import shutil
import threading
import time

import pytest

import house as house_
import postfix
from house import message, send
from rawmilter import Milter
from test_dkim import python_verdicts

FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
POLICY = """\
unknown_sender = "refuse"
include "tenants.d"
pool "sent" {
	select = "sender"
	address "127.0.0.11" {
		transport = "sent1"  helo = "mta1.penstock.example"
		cap "day" { limit = "1000/day" }
	}
	address "127.0.0.12" {
		transport = "sent2"  helo = "mta2.penstock.example"
		cap "day" { limit = "1000/day" }
	}
}
pool "head" {
	select = "header"  overflow = "spill"
	cap "few" { limit = "4/day"  to = "provider:freenet" }
	address "127.0.0.13" { transport = "head1"  helo = "mta3.penstock.example" }
}
pool "spill" {
	select = "header"
	address "127.0.0.14" { transport = "spill1"  helo = "mta4.penstock.example" }
}
pool "caps" {
	select = "header"
	cap "all" { limit = "30/day" }
	address "127.0.0.15" { transport = "caps1"
		cap "half" { limit = "20/day" } }
	address "127.0.0.16" { transport = "caps2"
		cap "half" { limit = "20/day" } }
}
pool "kept" {
	select = "header"
	cap "ten" { limit = "10/day" }
	cap "each" { limit = "100/day"  per = "provider" }
	cap "whose" { limit = "50/day"  per = "tenant" }
	address "127.0.0.17" { transport = "kept1" }
}
pool "even" {
	select = "header"  fair = "tenant"
	cap "many" { limit = "3000/day" }
	address "127.0.0.18" { transport = "even1" }
}
pool "tiny" {
	select = "header"
	address "127.0.0.19" { transport = "tiny1"  cap "tiny" { limit = "3/day" } }
}
pool "lent" {
	address "127.0.0.1" { transport = "lent1"  cap "lent" { limit = "2/day" } }
}
"""
TENANTS = {f"{name}.conf": f"""\
tenant "{name}" {{
	logins = {{"{name}"}}
	domains = {{"{name}.example"}}
	bounce_domain = "bounce.{name}.example"
	dkim "r1" {{ domain = "{name}.example"  key = "{name}.rsa" }}
	{more}
}}
""" for name, more in {
    "acme": 'return_path = "verp"  pool "sent" { }',
    "bolt": 'pool "head" { }',
    "cats": 'pool "caps" { }',
    "dogs": 'return_path = "verp"  pool "sent" { weight = 50 } '
            'pool "spill" { weight = 50 }\n'
            'stream "news" { match = {"sender:news@*"} priority = "bulk" '
            'feedback_id = "add" }',
    "eels": 'pool "lent" { }',
    "fish": 'pool "kept" { }\n'
            'stream "news" { match = {"sender:news@*"} priority = "bulk" }',
    "gnus": 'pool "even" { }  priority = "bulk"',
    "hens": 'pool "even" { }  priority = "bulk"  fair_weight = 2',
    "ibex": 'pool "tiny" { }',
}.items()}
KEYS = {f"{name[:4]}.rsa": "rsa" for name in TENANTS}
HELO = {f"127.0.0.{10 + n}": f"mta{n}.penstock.example" for n in (1, 2, 3, 4)}


@pytest.fixture(scope="module")
def house():
    if postfix.reason_not():
        pytest.skip(postfix.reason_not())
    with house_.House(policy=POLICY, tenants=TENANTS, keys=KEYS, tokens=True,
                      ways=True) as h:
        yield h


def submit(house, tenant, to, mark, sender=None, headers="", smtp=None):
    mine = smtp or house.client(tenant)
    sender = sender or f"a@{tenant}.example"
    sent = send(mine, sender, to, message(
        f"a@{tenant}.example" if sender == "<>" else sender,
        headers=f"X-Mark: {mark}\r\n{headers}"))
    if smtp is None:
        mine.quit()
    return sent


def got(house, mark, n=1):
    return house.sink.wait(lambda s: len(s.with_header("X-Mark", mark)) >= n
                           and s.with_header("X-Mark", mark))


def event_of(house, sent):
    return next(e for e in house.gate.wait_events(lambda events: any(
        e["queue_id"] == sent.queue_id for e in events))
        if e["queue_id"] == sent.queue_id)


def test_the_printed_lines_are_accepted_by_postfix(house):
    p = house.postfix
    shutil.copy(f"{p.base}/etc/postfix/postfix-files", f"{p.folder}/etc/")
    for tool, *arguments in (["postconf", "-n"], ["postconf", "-M"],
                             ["postconf", "-P"], ["postfix", "check"]):
        said = p.run(tool, *arguments)
        assert said.returncode == 0, said
        assert "warning" not in said.stderr, said.stderr
    # every transport that a table names is there
    services = {line.split()[0] for line in p.run(
        "postconf", "-M").stdout.split("\n") if line}
    told = p.run("postconf", "-hx", "sender_dependent_default_transport_maps",
                 "milter_header_checks").stdout
    named = set(re.findall(r"([\w-]+):\S* }", told)) - {"retry"}
    assert {"sent1", "sent2-google", "head1", "caps2-orange"} <= named
    assert named - services == set()
    limits = {line.split()[0]: line.split()[6] for line in p.run(
        "postconf", "-M").stdout.split("\n") if line}
    assert (limits["sent1-orange"], limits["sent1"]) == ("2", "-")


def test_the_return_path_chooses_the_address(house):
    for i in range(10):
        sent = submit(house, "acme", [f"r{i}@example.org"], f"path{i}")
        assert sent.code == 250, sent
        mail = got(house, f"path{i}")[0]
        event = event_of(house, sent)
        assert event["pool"] == "sent" and event["address"] == mail.peer
        assert mail.helo == HELO[mail.peer]
        transport = {"127.0.0.11": "sent1", "127.0.0.12": "sent2"}[mail.peer]
        assert re.fullmatch(rf"b\.{transport}\.[a-z2-7]{{32}}@"
                            r"bounce\.acme\.example", mail.sender)
        assert event["return_path"] == mail.sender
        assert mail.headers("X-Penstock-Route") == []
        assert python_verdicts(mail.data, house.gate.dns()) == [True]
        said = house.gate.penstock("token", "read", mail.sender).stdout
        assert sent.queue_id in said, said
    peers = collections.Counter(
        d.peer for d in house.sink.deliveries if d.sender.startswith("b.sent"))
    assert peers == {"127.0.0.11": 5, "127.0.0.12": 5}


def test_mail_to_one_provider_has_a_transport_of_its_own(house):
    sent = submit(house, "acme", ["a@orange.fr", "b@wanadoo.fr"], "orange")
    mail = got(house, "orange")[0]
    assert sent.code == 250
    assert re.match(r"b\.sent[12]-orange\.", mail.sender)
    assert mail.helo == HELO[mail.peer]
    assert re.search(rf"postfix/sent[12]-orange/smtp\[\d+\]: {sent.queue_id}",
                     house.postfix.log())
    # to two of them it is the address's own
    submit(house, "acme", ["a@orange.fr", "b@gmail.com"], "mixed")
    assert re.match(r"b\.sent[12]\.", got(house, "mixed")[0].sender)


def test_mail_without_a_sender_leaves_by_postfix_own_route(house):
    sent = submit(house, "acme", ["r@example.org"], "null", sender="<>")
    mail = got(house, "null")[0]
    assert sent.code == 250
    assert mail.peer == "127.0.0.1" and mail.sender == ""
    assert event_of(house, sent)["pool"] == ""


def test_a_header_chooses_the_address_and_is_gone(house):
    # a sender's own header chooses nothing
    sent = submit(house, "bolt", ["r@example.org"], "header",
                  headers="X-Penstock-Route: spill1\r\n")
    mail = got(house, "header")[0]
    assert sent.code == 250
    assert mail.peer == "127.0.0.13" and mail.helo == HELO[mail.peer]
    assert mail.sender == "a@bolt.example"
    assert b"x-penstock-" not in mail.data.lower()
    assert python_verdicts(mail.data, house.gate.dns()) == [True]
    event = event_of(house, sent)
    assert (event["pool"], event["address"]) == ("head", "127.0.0.13")
    assert event["flags"]["overflow"] is False


def test_a_local_recipient_keeps_the_message_on_postfix_own_route(house):
    sent = submit(house, "bolt", ["r@example.org", "l@local.example"],
                  "local")
    mails = got(house, "local", 2)
    assert sent.code == 250
    assert {(m.peer, m.local) for m in mails} == {
        ("127.0.0.1", False), ("127.0.0.1", True)}
    assert event_of(house, sent)["pool"] == ""


def test_what_has_no_room_leaves_by_the_overflow(house):
    peers = []
    for i in range(6):
        sent = submit(house, "bolt", [f"r{i}@freenet.de"], f"over{i}")
        assert sent.code == 250, sent
        peers.append(got(house, f"over{i}")[0].peer)
        event = event_of(house, sent)
        assert event["address"] == peers[-1]
        assert event["flags"]["overflow"] is (i >= 4)
        assert event["pool"] == ("spill" if i >= 4 else "head")
    assert peers == ["127.0.0.13"] * 4 + ["127.0.0.14"] * 2
    said = house.gate.penstock("policy", "explain", "--login", "bolt",
                               "--from", "a@bolt.example", "--rcpt",
                               "r@freenet.de")
    assert said.returncode == 0
    assert "by its overflow, pool spill" in said.stdout
    assert "127.0.0.13" in said.stdout and "no room" in said.stdout


def test_a_pool_whose_address_is_not_told_binds_all_the_same(house):
    for i in range(2):
        assert submit(house, "eels", ["r@example.org"], "lent").code == 250
    sent = submit(house, "eels", ["r@example.org"], "lent")
    assert sent.code == 451 and "limit lent (2/day)" in sent.text
    assert {d.peer for d in got(house, "lent", 2)} == {"127.0.0.1"}


def test_more_than_ever_fit_are_told_to_come_with_the_next_message(house):
    sent = submit(house, "ibex", [f"r{i}@example.org" for i in range(5)],
                  "tiny")
    assert sent.code == 250
    assert [c for c, _ in sent.recipients.values()] == [250] * 3 + [452] * 2
    assert sent.recipients["r3@example.org"][1] == \
        "4.5.3 tenant ibex: pool tiny takes at most 3 recipients of one " \
        "message, by limit tiny (3/day); next slot: the next message"
    assert sorted(got(house, "tiny")[0].recipients) == [
        f"r{i}@example.org" for i in range(3)]


def test_bulk_mail_leaves_a_fifth_of_a_cap_to_other_mail(house):
    def one(sender):
        return submit(house, "fish", ["r@example.org"], "kept",
                      sender=f"{sender}@fish.example")
    assert [one("news").code for _ in range(10)] == [250] * 8 + [451] * 2
    assert "bulk mail 80% of it" in one("news").text
    assert [one("a").code for _ in range(3)] == [250, 250, 451]


def test_a_campaign_of_one_leaves_the_others_their_part_of_the_hour(house):
    """Of 3000 a day bulk mail has 100 for each hour that is over."""
    crowd = [f"r{i}@example.org" for i in range(50)]
    sent, smtp = None, house.client("gnus")
    for _ in range(60):             # all of the day would be 48
        sent = submit(house, "gnus", crowd, "even", smtp=smtp)
        if sent.code != 250:
            break
    smtp.quit()
    assert sent.code == 451 and sent.text.startswith("4.7.0 tenant gnus: ")
    assert "what this tenant may have of it in this hour is used up" in \
        sent.text
    # a part was kept for somebody; in the last moment of an hour it is gone,
    # and a moment later there is the next
    house_.proc.wait_for(lambda: submit(
        house, "hens", ["r@example.org"], "even2").code == 250, 120,
        "room for the other tenant")


def test_a_restart_gives_nobody_a_second_part_of_the_hour():
    """Before noon both were there; then one takes all it gets."""
    if not FAKETIME:
        pytest.skip("libfaketime is not installed")
    with house_.House(policy=POLICY, tenants=TENANTS, keys=KEYS, tokens=True,
                      queue=False) as h:
        def life(clock):
            h.gate.stop()
            h.gate.wrap = ["env", f"LD_PRELOAD={FAKETIME[0]}", "TZ=UTC",
                           f"FAKETIME=@{tomorrow} {clock}"]
            h.gate.start()

        def takes(tenant, most=10**6):
            n = 0
            with Milter(h.gate.socket) as m:
                m.hello()
                while n < most and m.send(
                        tenant, f"<a@{tenant}.example>",
                        [f"<r{i}@example.org>" for i in range(20)],
                        message(f"a@{tenant}.example"))[0].ok:
                    n += 20
            return n
        tomorrow = datetime.date.today() + datetime.timedelta(days=1)
        life("11:50:00")
        assert (takes("gnus", 20), takes("hens", 20)) == (20, 20)
        life("12:05:00")
        first = takes("gnus")
        # a third of 1300, less what is kept, and what is lent of it
        assert 250 < first < 500, first
        said = h.gate.penstock(
            "policy", "explain", "--login", "gnus", "--from",
            "a@gnus.example", *[word for i in range(20) for word in (
                "--rcpt", f"r{i}@example.org")])
        assert said.returncode == 1 and "may have of it in this hour is " \
            "used up" in " ".join(said.stdout.split()), said.stdout
        for _ in range(2):
            h.gate.kill()
            life("12:05:00")
            assert takes("gnus") <= 20
        assert takes("hens") > 500


def test_a_cap_is_a_cap_for_sessions_in_parallel(house):
    taken, others = [], []

    def session(n):
        smtp = house.client("cats")
        for i in range(8):
            sent = submit(house, "cats", [f"r{i}@example.org"], f"par{n}",
                          smtp=smtp)
            (taken if sent.code == 250 else others).append(sent)
        smtp.quit()
    threads = [threading.Thread(target=session, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(taken) == 30 and len(others) == 34
    assert {s.code for s in others} == {451}
    assert all("limit all (30/day)" in s.text for s in others)
    house.sink.wait(lambda s: sum(d.peer in ("127.0.0.15", "127.0.0.16")
                                  for d in s.deliveries) == 30)
    peers = collections.Counter(d.peer for d in house.sink.deliveries)
    # the lesser used of the two, as each message saw them
    assert abs(peers["127.0.0.15"] - peers["127.0.0.16"]) <= 8, peers


def limits(house, *words):
    said = house.gate.penstock("limits", *words, "--json", check=True)
    return {(row["limit"], row["of"]): row
            for row in json.loads(said.stdout)["limits"]}


def test_limits_shows_the_caps_of_pools_and_addresses(house):
    """What the tests above sent."""
    assert submit(house, "fish", ["r@gmail.com"], "kept").code == 451
    rows = limits(house)
    ten = rows["ten", "pool=kept"]
    assert (ten["used"], ten["most"], ten["remaining"], ten["bulk"]) == \
        (10, 10, 0, 8)
    assert (ten["tenant"], ten["per"], ten["kind"]) == ("", "pool", "cap")
    assert ten["rule"].startswith("policy.conf:") and ten["next"] > 0
    few = rows["few", "pool=head"]
    assert (few["used"], few["to"]) == (4, "provider:freenet")
    # one row for each provider that something was sent to
    each = [of for limit, of in rows if limit == "each"]
    assert each == ["pool=kept provider=unresolved"], each
    # and for each tenant, of a cap that counts them apart
    assert [r["tenant"] for (limit, _), r in rows.items()
            if limit == "whose"] == ["fish"]
    half = {of: r["used"] for (limit, of), r in rows.items()
            if limit == "half"}
    assert set(half) == {"address=127.0.0.15", "address=127.0.0.16"}
    assert sum(half.values()) == rows["all", "pool=caps"]["used"] == 30
    assert ("lent", "address=127.0.0.1") in rows
    # of a tenant: those that its mail may leave by, also the empty ones
    mine = limits(house, "dogs")
    assert {of for limit, of in mine if limit == "day"} == {
        "address=127.0.0.11", "address=127.0.0.12"}
    assert not {"ten", "half", "lent"} & {limit for limit, _ in mine}
    text = house.gate.penstock("limits", check=True).stdout
    assert re.search(r"^pool=kept +ten +10/day +10 +10 +0 ", text, re.M), text


def test_weights_give_each_recipient_one_pool(house):
    def pools(mark):
        for i in range(30):
            assert submit(house, "dogs", [f"r{i}@example.org"],
                          f"{mark}{i}").code == 250
        return [got(house, f"{mark}{i}")[0].peer == "127.0.0.14"
                for i in range(30)]
    first = pools("w")
    assert pools("v") == first
    assert 5 <= sum(first) <= 25
    a, b = first.index(True), first.index(False)
    sent = submit(house, "dogs", [f"r{a}@example.org", f"r{b}@example.org"],
                  "both")
    assert sent.code == 250
    assert [c for c, _ in sent.recipients.values()] == [250, 452]
    assert "next slot: the next message" in \
        sent.recipients[f"r{b}@example.org"][1]
    assert got(house, "both")[0].peer == "127.0.0.14"


def test_feedback_id_tells_the_pools_apart(house):
    codes = {}
    for i in range(12):
        assert submit(house, "dogs", [f"f{i}@example.org"], f"fb{i}",
                      sender="news@dogs.example").code == 250
        mail = got(house, f"fb{i}")[0]
        pool = mail.headers("Feedback-ID")[0].split(":")[2]
        codes.setdefault(mail.peer == "127.0.0.14", set()).add(pool)
    assert len(codes[True]) == 1 and len(codes[False]) == 1
    assert codes[True] != codes[False]


def test_a_provider_gets_as_many_connections_as_it_takes(house):
    """orange takes 2; what is sent elsewhere is not bound by that."""
    def crowd(domain):
        house.sink.crowd.clear()
        house.sink.pause = 0.4
        try:
            for i in range(12):
                assert submit(house, "bolt", [f"c{i}@{domain}"],
                              domain).code == 250
            got(house, domain, 12)
        finally:
            house.sink.pause = 0
        return house.sink.crowd["127.0.0.13"]
    assert crowd("orange.fr") == 2
    assert crowd("example.net") > 2


def test_replay_agrees_with_the_gate(house):
    """All that the tests above sent, to the policy that was in force."""
    said = house.gate.penstock("policy", "replay",
                               f"{house.gate.folder}/policy.conf", "--json")
    assert said.returncode == 0, said.stderr
    told = json.loads(said.stdout)
    assert told["messages"] >= 150
    # of sessions in parallel the last to pass and the first not to are told
    # by their order in the store
    assert told["recipients_changed"] * 50 <= told["recipients"], \
        told["changes"]


def test_a_transport_that_postfix_does_not_know_waits(build):
    """A policy newer than main.cf: the mail stays, and says why."""
    h = build(policy=POLICY, tenants=TENANTS, keys=KEYS, tokens=True,
              ways=True)
    newer = POLICY.replace('"sent1"', '"sent9"').replace('"sent2"', '"sent8"')
    h.gate.write("policy.conf", newer)
    assert h.gate.reload().returncode == 0
    sent = submit(h, "acme", ["r@example.org"], "newer")
    assert sent.code == 250
    deadline = time.time() + 30
    while "not in main.cf" not in h.postfix.log():
        assert time.time() < deadline, h.postfix.log()
        time.sleep(0.2)
    assert not h.sink.with_header("X-Mark", "newer")
    assert os.path.isdir(h.folder)
