"""Streams through real Postfix: known at RCPT, or by a header at the end."""

import pytest

from house import message, send

POLICY = """\
timezone = "UTC"
unknown_sender = "refuse"
include "tenants.d"
"""
TENANTS = {
    "acme.conf": """\
tenant "acme" {
	logins = {"acme"}
	domains = {"acme.example"}
	contact = "ops@acme.example"
	dkim "r1" { domain = "acme.example"  key = "acme.rsa" }
	stream "near" {
		match = {"recipient:*@near.example"}
		cap "near" { limit = "3/month" }
	}
	stream "news" {
		match = {"header:X-Stream=news"}
		strip = "yes"
		dkim "n1" { domain = "acme.example"  key = "news.rsa" }
		cap "news" { limit = "3/month" }
	}
	stream "still" {
		match = {"header:X-Stream=still"}
		paused = "list under repair"
	}
	stream "letters" {
		match = {"sender:letters@*"}
	}
}
""",
    "soft.conf": """\
tenant "soft" {
	logins = {"soft"}
	domains = {"soft.example"}
	shadow = {"ownership"}
	dkim "r1" { domain = "soft.example"  key = "soft.rsa" }
}
""",
    "apart.conf": """\
tenant "apart" {
	logins = {"one@apart.example", "two@apart.example"}
	domains = {"apart.example"}
	cap "person" { limit = "2/month"  per = "login" }
	cap "place" { limit = "1/month"  per = "recipient_domain" }
}
""",
}
KEYS = {"acme.rsa": "rsa", "news.rsa": "rsa", "soft.rsa": "rsa"}
ME = "a@acme.example"


@pytest.fixture(scope="module")
def house():
    import house as house_
    import postfix
    if postfix.reason_not():
        pytest.skip(postfix.reason_not())
    with house_.House(policy=POLICY, tenants=TENANTS, keys=KEYS) as h:
        yield h


def submit(house, login, sender, recipients, text):
    smtp = house.client(login)
    try:
        return send(smtp, sender, recipients, text)
    finally:
        smtp.close()


def event_of(house, sent):
    return [e for e in house.gate.events()
            if e["queue_id"] == sent.queue_id][-1]


def test_a_header_selects_the_stream_and_its_limit_binds_at_the_end(house):
    text = message(ME, headers="X-Stream: news\r\nX-Stream: more\r\n")
    sent = submit(house, "acme", ME, ["n1@example.org", "n2@example.org"],
                  text)
    assert sent.code == 250, sent
    event = event_of(house, sent)
    assert (event["stream"], event["matched"]) == \
        ("news", "header:X-Stream=news")
    assert {c["limit"]: c["amount"] for c in event["charges"]} == {"news": 2}
    assert [s["selector"] for s in event["signatures"]] == ["n1"]
    house.sink.wait(lambda s: any("n1@example.org" in d.recipients
                                  for d in s.deliveries), 60)
    got = [d for d in house.sink.deliveries
           if "n1@example.org" in d.recipients][0]
    assert got.headers("X-Stream") == []
    assert len(got.headers("DKIM-Signature")) == 1
    # all or none: two more do not fit, though one would
    sent = submit(house, "acme", ME, ["n3@example.org", "n4@example.org"],
                  text)
    assert sent.code == 451 and "limit news (3/month)" in sent.text, sent
    assert [c for c, _ in sent.recipients.values()] == [250, 250]
    assert submit(house, "acme", ME, ["n5@example.org"], text).code == 250
    assert "stream=news rcpts=1 verdict=pass" in house.gate.log()


def test_without_the_header_it_is_the_default_stream(house):
    sent = submit(house, "acme", ME, ["d@example.org"], message(ME))
    assert sent.code == 250, sent
    event = event_of(house, sent)
    assert (event["stream"], event["matched"]) == ("default", "")
    assert [s["selector"] for s in event["signatures"]] == ["r1"]


def test_a_paused_stream_hears_the_reason_and_the_others_pass(house):
    sent = submit(house, "acme", ME, ["p@example.org"],
                  message(ME, headers="X-Stream: still\r\n"))
    assert sent.code == 451, sent
    assert "stream still is paused: list under repair" in sent.text
    assert "ops@acme.example" in sent.text


def test_the_first_recipient_fixes_the_stream(house):
    sender = "letters@acme.example"
    sent = submit(house, "acme", sender,
                  ["x@near.example", "y@far.example", "z@near.example"],
                  message(sender))
    assert [c for c, _ in sent.recipients.values()] == [250, 250, 250]
    assert event_of(house, sent)["stream"] == "near"
    # "near" stands first, so a header can only make "far" something else
    sent = submit(house, "acme", sender, ["y@far.example"],
                  message(sender))
    assert event_of(house, sent)["stream"] == "letters"


def test_a_shadow_of_ownership_lets_pass_and_records(house):
    sent = submit(house, "soft", "x@other.example", ["s@example.org"],
                  message("x@other.example"))
    assert sent.code == 250, sent
    event = event_of(house, sent)
    assert (event["verdict"], event["would"]) == ("pass", "refuse")
    assert "does not own" in event["reply"]
    assert event["signatures"] == []
    sent = submit(house, "soft", "x@soft.example", ["s@example.org"],
                  message("x@soft.example"))
    event = event_of(house, sent)
    assert event["would"] == ""
    assert [s["domain"] for s in event["signatures"]] == ["soft.example"]


def test_each_login_and_each_domain_has_a_counter_of_its_own(house):
    def one(login, *recipients):
        sent = submit(house, login, "x@apart.example", recipients,
                      message("x@apart.example"))
        return [c for c, _ in sent.recipients.values()]
    assert one("one@apart.example", "a@d1.example", "b@d1.example",
               "c@d2.example") == [250, 451, 250]
    assert one("one@apart.example", "a@d3.example") == [451]
    assert one("two@apart.example", "a@d1.example", "a@d3.example") == \
        [451, 250]
    # and they are what a restart finds
    house.gate.kill()
    house.gate.start()
    assert one("one@apart.example", "a@d4.example") == [451]
    assert one("two@apart.example", "a@d3.example", "a@d4.example") == \
        [451, 250]
