"""Recipients who must not get a mail, told through the desk and consent/."""

import os
import shutil

import pytest

from house import House, message, send

POLICY = """\
timezone = "UTC"
unknown_sender = "refuse"
include "tenants.d"
"""
TENANTS = {
    "shop.conf": """\
tenant "shop" {
	logins  = {"shop"}
	domains = {"shop.example"}
	cap "month" { limit = "1000/month" }
	stream "news" { match = {"sender:news@*"}  priority = "bulk" }
	stream "late" { match = {"header:X-Stream=late"}  priority = "bulk" }
}
""",
    "own.conf": """\
tenant "own" {
	logins  = {"own"}
	domains = {"own.example"}
	suppressed = "refuse"
}
""",
    "dark.conf": """\
tenant "dark" {
	logins  = {"dark"}
	domains = {"dark.example"}
	shadow = {"suppression"}
}
""",
    "wide.conf": """\
tenant "wide" {
	logins  = {"wide"}
	domains = {"wide.example"}
	complaint_scope = "tenant"
	stream "codes" {
		match = {"sender:codes@*"}
		complaint_scope = "bulk"
	}
	stream "late" { match = {"header:X-Stream=late"} }
}
""",
}


@pytest.fixture(scope="module")
def house():
    import postfix
    if postfix.reason_not():
        pytest.skip(postfix.reason_not())
    with House(policy=POLICY, tenants=TENANTS, keys={}) as h:
        yield h


def suppress(house, *words):
    said = house.gate.penstock("suppress", *words, "--reason", "a test")
    assert said.returncode == 0, said.stderr


def submit(house, login, recipients, user="a", headers=""):
    sender = f"{user}@{login}.example"
    smtp = house.client(login)
    try:
        return send(smtp, sender, recipients,
                    message(sender, headers=headers))
    finally:
        smtp.close()


def event_of(house, sent):
    return [e for e in house.gate.events()
            if e["queue_id"] == sent.queue_id][-1]


def verdicts(event):
    return {r["address"]: r["verdict"] for r in event["recipients"]}


def test_one_of_three_is_dropped_and_the_others_get_it(house):
    suppress(house, "add", "Gone@Example.ORG", "--tenant", "shop")
    sent = submit(house, "shop", ["here@example.org", "GONE@example.ORG",
                                  "too@example.org"])
    assert sent.code == 250 and \
        {c for c, _ in sent.recipients.values()} == {250}, sent
    event = event_of(house, sent)
    assert event["kind"] == "accept"
    assert [r["verdict"] for r in event["recipients"]] == \
        ["pass", "drop", "pass"]
    why = event["recipients"][1]["rule"]
    assert why.startswith("suppressed by desk: manual of tenant since 20"), why
    assert [c["amount"] for c in event["charges"]] == [2]
    house.sink.wait(lambda s: {"here@example.org", "too@example.org"} <=
                    set(s.recipients()))
    assert "gone" not in str(house.sink.recipients()).lower()


def test_when_nobody_is_left_the_message_is_refused_and_free(house):
    suppress(house, "add", "alone@example.org", "--tenant", "shop")
    sent = submit(house, "shop", ["alone@example.org"])
    assert sent.code == 550 and "5.7.1" in sent.text, sent
    event = [e for e in house.gate.wait_events(
        lambda all_: any(e["kind"] == "drop" for e in all_))
        if e["kind"] == "drop"][-1]
    assert (event["kind"], event["verdict"]) == ("drop", "refuse")
    assert verdicts(event) == {"alone@example.org": "drop"}


def test_a_list_binds_its_stream_alone(house):
    suppress(house, "add", "reader@example.org", "--list", "shop/news",
             "--as", "unsubscribe")
    assert submit(house, "shop", ["reader@example.org"],
                  user="news").code == 550
    assert submit(house, "shop", ["reader@example.org"]).code == 250


def test_a_complaint_stops_bulk_mail(house):
    suppress(house, "add", "angry@example.org", "--tenant", "shop",
             "--as", "complaint")
    assert submit(house, "shop", ["angry@example.org"],
                  user="news").code == 550
    assert submit(house, "shop", ["angry@example.org"]).code == 250


def test_a_complaint_stops_all_mail_where_the_policy_says_so(house):
    suppress(house, "add", "angry@example.org", "--tenant", "wide",
             "--as", "complaint")
    # the stream is known at the end of the headers alone
    sent = submit(house, "wide", ["angry@example.org", "b@example.org"])
    assert sent.code == 250
    assert verdicts(event_of(house, sent)) == {
        "angry@example.org": "drop", "b@example.org": "pass"}
    # a stream may say less than its tenant
    assert submit(house, "wide", ["angry@example.org"],
                  user="codes").code == 250
    check = ["suppress", "check", "angry@example.org", "--json"]
    for scope, want in ((("--tenant", "wide"), 1),
                        (("--list", "wide/codes"), 0),
                        (("--list", "wide/late"), 1),
                        (("--tenant", "shop"), 0),
                        (("--list", "shop/news", "--bulk"), 1)):
        said = house.gate.penstock(*check, *scope)
        assert said.returncode == want, (scope, said.stdout, said.stderr)


def test_a_stream_that_a_header_selects_drops_at_the_end(house):
    suppress(house, "add", "later@example.org", "--list", "shop/late",
             "--as", "unsubscribe")
    late = "X-Stream: late\r\n"
    sent = submit(house, "shop", ["later@example.org", "x@example.org"],
                  headers=late)
    assert sent.code == 250
    assert verdicts(event_of(house, sent)) == {
        "later@example.org": "drop", "x@example.org": "pass"}
    assert submit(house, "shop", ["later@example.org"],
                  headers=late).code == 550
    assert submit(house, "shop", ["later@example.org"]).code == 250


def test_refuse_answers_at_rcpt(house):
    suppress(house, "add", "no@example.org", "--platform")
    sent = submit(house, "own", ["no@example.org", "yes@example.org"])
    assert sent.recipients["no@example.org"][0] == 550, sent
    assert "may not get this" in sent.recipients["no@example.org"][1]
    assert sent.recipients["yes@example.org"][0] == 250 and sent.code == 250


def test_a_shadow_only_records(house):
    suppress(house, "add", "shade@example.org", "--platform")
    sent = submit(house, "dark", ["shade@example.org"])
    assert sent.code == 250, sent
    event = event_of(house, sent)
    assert event["would"] == "drop" and \
        verdicts(event) == {"shade@example.org": "pass"}


def test_explain_says_the_same(house):
    suppress(house, "add", "asked@example.org", "--tenant", "shop")
    said = house.gate.penstock(
        "policy", "explain", "--login", "shop", "--from", "a@shop.example",
        "--sender", "a@shop.example", "--rcpt", "asked@example.org",
        "--rcpt", "fine@example.org")
    assert "suppressed by desk: manual of tenant" in said.stdout, said.stdout
    assert said.stdout.endswith(
        "  drop    asked@example.org\n  pass    fine@example.org\n\n"
        "verdict pass, for 1 of 2 recipients\n"), said.stdout


def test_what_is_removed_gets_mail_again(house):
    suppress(house, "add", "back@example.org", "--tenant", "shop")
    assert submit(house, "shop", ["back@example.org"]).code == 550
    suppress(house, "remove", "back@example.org", "--tenant", "shop")
    assert submit(house, "shop", ["back@example.org"]).code == 250


def test_lists_that_were_there_and_are_gone_defer_all_mail(house):
    suppress(house, "add", "kept@example.org", "--platform")
    assert submit(house, "shop", ["kept@example.org"]).code == 550
    desk = house.gate.store + "/desk"
    os.rename(desk, desk + ".away")
    try:
        house.gate.stop()
        house.gate.start()
        sent = submit(house, "shop", ["kept@example.org"])
        assert [c for c, _ in sent.recipients.values()] == [451], sent
        assert "cannot be read" in str(sent)
        assert "restore it from a backup" in house.gate.log()
    finally:
        shutil.move(desk + ".away", desk)
    house.gate.stop()
    house.gate.start()
    assert submit(house, "shop", ["kept@example.org"]).code == 550
    assert submit(house, "shop", ["other@example.org"]).code == 250
