"""Mail that waits in the hold queue, and messages that go whole or not."""

import os

import pytest

from house import message, send

POLICY = """\
timezone = "UTC"
unknown_sender = "refuse"
include "tenants.d"
"""
TENANTS = {
    "slow.conf": """\
tenant "slow" {
	logins = {"slow"}
	domains = {"slow.example"}
	throttle "trickle" { rate = "2/day"  burst = 1  over = "hold" }
	cap "letters" { limit = "50/month"  count = "messages" }
}
""",
    "few.conf": """\
tenant "few" {
	logins = {"few"}
	domains = {"few.example"}
	cap "few" { limit = "2/month" }
}
""",
}


@pytest.fixture(scope="module")
def house():
    import house as house_
    import postfix
    if postfix.reason_not():
        pytest.skip(postfix.reason_not())
    with house_.House(policy=POLICY, tenants=TENANTS, keys={},
                      lines="milter_macro_daemon_name = SUBMISSION\n") as h:
        yield h


def submit(house, login, recipients):
    sender = f"a@{login}.example"
    smtp = house.client(login)
    try:
        return send(smtp, sender, recipients, message(sender))
    finally:
        smtp.close()


def on_hold(house):
    return os.listdir(f"{house.postfix.folder}/queue/hold")


def event_of(house, sent):
    return [e for e in house.gate.events()
            if e["queue_id"] == sent.queue_id][-1]


def test_what_does_not_fit_sits_in_the_hold_queue_and_is_recorded(house):
    first = submit(house, "slow", ["one@example.org"])
    assert first.code == 250, first
    sent = submit(house, "slow", ["two@example.org"])
    assert sent.code == 250, sent
    assert on_hold(house) == [sent.queue_id]
    listed = house.postfix.run("postqueue", "-p").stdout
    assert sent.queue_id + "!" in listed, listed
    event = event_of(house, sent)
    assert (event["kind"], event["verdict"], event["limit"]) == \
        ("hold", "hold", "trickle")
    assert event["rule"] == "tenants.d/slow.conf:4"
    assert "held, next slot" in event["reply"]
    assert [(r["address"], r["verdict"]) for r in event["recipients"]] == \
        [("two@example.org", "hold")]
    # what has room is charged, what is full is not
    assert {c["limit"]: c["amount"] for c in event["charges"]} == \
        {"held:trickle": 1, "letters": 1}
    assert "verdict=hold rule=tenants.d/slow.conf:4" in house.gate.log()
    house.sink.wait(lambda s: "one@example.org" in s.recipients(), 60)
    assert "two@example.org" not in house.sink.recipients()


def test_no_more_is_held_than_comes_out_in_a_day_even_after_a_crash(house):
    # two a day: one is held already
    assert submit(house, "slow", ["three@example.org"]).code == 250
    house.gate.kill()
    house.gate.start()
    sent = submit(house, "slow", ["four@example.org"])
    code, text = sent.recipients["four@example.org"]
    assert code == 451 and "no more of it may be held" in text, sent
    assert len(on_hold(house)) == 2


def test_a_mail_program_hears_that_nobody_got_it(house):
    smtp = house.client("few")
    try:
        smtp.mail("a@few.example")
        assert [smtp.rcpt(f"{n}@example.org")[0] for n in "abc"] == \
            [250, 250, 451]
        assert smtp.rcpt("d@example.org")[0] == 451
        smtp.putcmd("DATA")
        code, text = smtp.getreply()
        if code == 354:
            smtp.send(message("a@few.example").encode() + b"\r\n.\r\n")
            code, text = smtp.getreply()
        assert code == 451 and b"limit few (2/month)" in text, text
    finally:
        smtp.close()
    # nobody is charged
    assert submit(house, "few", ["a@example.org", "b@example.org"]).taken \
        == ["a@example.org", "b@example.org"]
