"""Who is sending, and whose names may stand in the message: real Postfix."""

import pytest

from house import message, send

MINE, OTHERS = "a@acme.example", "b@bolt.example"


def one(house, login, sender, text, rcpt="x@example.org", addr=None):
    smtp = house.client(login, addr)
    try:
        return send(smtp, sender, [rcpt], text)
    finally:
        smtp.close()


def test_a_login_is_its_tenant_and_the_event_says_so(house):
    sent = one(house, "acme", MINE, message(MINE))
    assert sent.code == 250, sent
    event = [e for e in house.gate.events()
             if e["queue_id"] == sent.queue_id]
    assert len(event) == 1
    event = event[0]
    assert (event["kind"], event["tenant"], event["login"]) == \
        ("accept", "acme", "acme")
    assert event["mail_from"] == MINE
    assert event["from_domains"] == ["acme.example"]
    assert [r["address"] for r in event["recipients"]] == ["x@example.org"]
    assert {s["selector"] for s in event["signatures"]} == {"r1", "e1"}


@pytest.mark.parametrize("login, sender", [
    ("news@acme.example", "a@acme.example"),
    ("acme", "a@deep.below.acme.example"),
    ("cats", "c@cats.example"),
])
def test_patterns_of_logins_and_domains_match(house, login, sender):
    assert one(house, login, sender, message(sender)).code == 250


def test_a_client_network_is_a_tenant_without_login(house):
    sent = one(house, None, "c@cats.example", message("c@cats.example"),
               addr="198.51.100.7")
    assert sent.code == 250, sent
    assert house.gate.events()[-1]["tenant"] == "cats"


def test_a_login_wins_over_the_client_network(house):
    sent = one(house, "acme", MINE, message(MINE), addr="198.51.100.7")
    assert sent.code == 250, sent
    assert house.gate.events()[-1]["tenant"] == "acme"


@pytest.mark.parametrize("login, addr", [
    ("nobody", None), ("acme@bolt.example", None), (None, "203.0.113.9"),
    ("acme ", None),
])
def test_an_unknown_sender_is_refused(house, login, addr):
    sent = one(house, login, MINE, message(MINE), addr=addr)
    assert sent.code == 550, sent


FOREIGN = {
    "plain": message(OTHERS),
    "with a name": message(f"Friend <{OTHERS}>"),
    "behind an own address as its name": message(f'"{MINE}" <{OTHERS}>'),
    "behind a comment": message(f"({MINE}) {OTHERS}"),
    "second of two": message(f"{MINE}, {OTHERS}"),
    "in a group": message(f"Group: {MINE}, {OTHERS};"),
    "behind an encoded word": message(f"=?utf-8?q?{MINE}?= <{OTHERS}>"),
    "in a second From": message(f"{MINE}\r\nFrom: {OTHERS}"),
    "in a From with a space": message(f"{MINE}\r\nFrom : {OTHERS}"),
    "as Sender": message(MINE, headers=f"Sender: {OTHERS}\r\n"),
    "as Resent-From": message(MINE, headers=f"Resent-From: {OTHERS}\r\n"),
    "as Resent-Sender": message(MINE,
                                headers=f"Resent-Sender: {OTHERS}\r\n"),
    "an empty group": message("undisclosed:;"),
    "no domain": message("nobody"),
    "nothing": message("<>"),
    "a longer domain": message("a@acme.example.evil.example"),
    "UTF-8": message("a@b\u00fcro.example").encode("utf-8"),
    "8 bits": message("a@b\xfcro.example").encode("latin-1"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_name_that_the_tenant_does_not_own_is_refused(house, name):
    house.postfix.wait_empty()
    before = len(house.sink.deliveries)
    sent = one(house, "acme", MINE, FOREIGN[name])
    assert sent.code == 550, sent
    assert house.gate.alive()
    house.postfix.wait_empty()
    assert len(house.sink.deliveries) == before


def test_a_foreign_mail_from_is_refused_at_once(house):
    sent = one(house, "acme", OTHERS, message(MINE))
    assert sent.code == 553, sent
    assert sent.recipients == {} or not sent.taken


@pytest.mark.parametrize("text", [
    message(f"{MINE}, second@acme.example"),
    message(f'"{OTHERS}" <{MINE}>'),
    message(f"{MINE} ({OTHERS})"),
    message(MINE, headers=f"Sender: {MINE}\r\nResent-From: {MINE}\r\n"),
    message(MINE, headers=f"Reply-To: {OTHERS}\r\n"),
])
def test_a_name_in_a_comment_is_no_address(house, text):
    sent = one(house, "acme", MINE, text)
    assert sent.code == 250, sent


def test_inbound_mail_passes_untouched(house):
    text = message("stranger@elsewhere.example", "c@local.example",
                   headers="X-Penstock-Pool: theirs\r\n"
                   "X-Mark: inbound\r\n")
    sent = one(house, None, "stranger@elsewhere.example", text,
               "c@local.example", "203.0.113.9")
    assert sent.code == 250, sent
    got = house.sink.wait(lambda s: s.with_header("X-Mark", "inbound"))[0]
    assert got.local
    assert got.headers("DKIM-Signature") == []
    assert got.headers("X-Penstock-Pool") == ["theirs"]
    assert got.data.endswith(text.split("Subject:", 1)[1].encode())


def test_a_stranger_may_not_write_to_the_world(house):
    smtp = house.client(None, "203.0.113.9")
    sent = send(smtp, "s@elsewhere.example",
                ["c@local.example", "x@example.org"],
                message("s@elsewhere.example", headers="X-Mark: mixed\r\n"))
    smtp.close()
    assert "x@example.org" not in sent.taken, sent
    house.postfix.wait_empty()
    assert all(d.recipients == ["c@local.example"]
               for d in house.sink.with_header("X-Mark", "mixed"))


def test_forged_headers_of_ours_are_removed(house):
    forged = "".join(f"X-Penstock-Pool: forged{i}\r\nx-penstock-Tenant \t: "
                     f"bolt\r\nX-Other: {i}\r\nX-PENSTOCK-pool\t:\r\n"
                     for i in range(300))
    sent = one(house, "acme", MINE,
               message(MINE, headers=forged + "X-Mark: forged\r\n"))
    assert sent.code == 250, sent
    got = house.sink.wait(lambda s: s.with_header("X-Mark", "forged"))[0]
    assert b"x-penstock" not in got.data.lower()
    assert got.headers("X-Other") == [str(i) for i in range(300)]


def test_too_many_forged_headers_are_refused(house):
    """Postfix takes each out by reading its file from the start."""
    forged = "X-Penstock-Pool: forged\r\n" * 1001
    assert one(house, "acme", MINE, message(MINE, headers=forged)).code == 554


def test_a_bounce_of_a_tenant_counts_and_is_signed(house):
    text = message(MINE, headers="X-Mark: bounce\r\n")
    sent = one(house, "acme", "", text)
    assert sent.code == 250, sent
    got = house.sink.wait(lambda s: s.with_header("X-Mark", "bounce"))[0]
    assert got.sender == ""
    assert len(got.headers("DKIM-Signature")) == 2
    event = house.gate.events()[-1]
    assert (event["tenant"], event["mail_from"]) == ("acme", "")
    assert event["charges"]


def test_a_local_recipient_is_never_charged(house):
    smtp = house.client("acme")
    sent = send(smtp, MINE, ["c@local.example", "x@example.org"],
                message(MINE, headers="X-Mark: both\r\n"))
    smtp.quit()
    assert sent.code == 250, sent
    event = house.gate.events()[-1]
    assert [r["local"] for r in event["recipients"]] == [True, False]
    assert {c["amount"] for c in event["charges"]} == {1}
    house.sink.wait(lambda s: len(s.with_header("X-Mark", "both")) == 2)
