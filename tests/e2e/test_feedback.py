"""What became of the mail is what the gate does next: penstock-ingest reads
the log of a real Postfix, and the next message meets it."""

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
include "tenants.d"
"""
TENANTS = {
    "way.conf": """\
tenant "way" {
	open "under-way" { limit = "2" }
	logins = {"way"}
	domains = {"way.example"}
}
""",
    "shop.conf": """\
tenant "shop" {
	logins = {"shop"}
	domains = {"shop.example"}
}
""",
}


def answer(recipient):
    """As the local part says."""
    if recipient.startswith("nobody"):
        return f"550 5.1.1 <{recipient}>: User unknown"
    if recipient.startswith("later"):
        return f"450 4.2.0 <{recipient}>: Greylisted, try again later"
    return None


@pytest.fixture
def house(build):
    """A house whose ingester follows its Postfix."""
    h = build(more=BLOCK % "/nowhere", policy=POLICY, tenants=TENANTS,
              keys={})
    conf = open(h.gate.conf).read().replace("/nowhere",
                                            f"{h.postfix.folder}/log")
    h.gate.write("penstock.conf", conf)
    h.sink.answer = answer
    h.ingest = ingest.Ingest(h.gate)
    yield h
    h.ingest.kill()


def submit(house, login, recipients):
    sender = f"a@{login}.example"
    with house.client(login) as smtp:
        return send(smtp, sender, recipients, message(sender))


def codes(sent):
    return [c for c, _ in sent.recipients.values()]


def used(house, tenant):
    said = house.gate.limits(tenant, "--json")
    return json.loads(said)["limits"][0]["used"]


def test_an_open_limit_frees_when_the_log_says_sent(house):
    house.ingest.start()
    sent = submit(house, "way", ["later1@dest.example", "later2@dest.example",
                                 "later3@dest.example"])
    assert codes(sent) == [250, 250, 451], sent
    assert used(house, "way") == 2
    house.sink.answer = None
    house.postfix.wait_empty(60)
    proc.wait_for(lambda: used(house, "way") == 0, 30, "room again")
    proc.wait_for(lambda: codes(submit(
        house, "way", ["ok1@dest.example"])) == [250], 30, "room at RCPT")


def test_a_hard_bounce_suppresses_at_the_next_rcpt(house):
    house.ingest.start()
    sent = submit(house, "shop", ["nobody@dest.example"])
    assert sent.code == 250, sent
    again = proc.wait_for(lambda: (lambda s: s if s.code == 550 else None)(
        submit(house, "shop", ["Nobody@Dest.Example"])), 30,
        "the suppression")
    assert "5.7.1" in again.text
    event = [e for e in house.gate.wait_events(
        lambda all_: any(e["kind"] == "drop" for e in all_))
        if e["kind"] == "drop"][0]
    assert event["recipients"][0]["rule"].startswith(
        "suppressed by outcomes: hard_bounce of tenant since 20"), event


def test_a_domain_is_known_by_who_took_its_mail(house):
    sent = submit(house, "shop", ["a@corp.example"])
    event = house.gate.events()[-1]
    assert event["recipients"][0]["provider"] == "unresolved"
    line = (time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()) +
            f" mx postfix/smtp[9]: {sent.queue_id}: to=<a@corp.example>, "
            "relay=aspmx.l.google.com[142.250.1.27]:25, delay=1, "
            "delays=0.1/0/0.5/0.4, dsn=2.0.0, status=sent (250 2.0.0 OK)\n")
    house.gate.write("one.log", line)
    told = house.ingest.once(house.gate.folder + "/one.log")
    assert told["outcomes"] == 1, told

    def provider():
        submit(house, "shop", ["b@Corp.Example"])
        return house.gate.events()[-1]["recipients"][0]["provider"]
    proc.wait_for(lambda: provider() == "google", 20, "what was learned")
