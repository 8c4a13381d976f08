"""Tenants that a header names, and tenants that appear by themselves."""

import re

import pytest

from house import message, send

POLICY = """\
timezone = "UTC"
unknown_sender = "refuse"
include "tenants.d"
claim "X-Tenant" { logins = {"app"} }
auto_tenant {
	by = "login-domain"  class = "box"  bounce_domain = "back.*"
}
class "box" {
	cap "daily" { limit = "2/month" }
	stream "verp" { match = {"sender:verp@*"}  return_path = "verp" }
}
"""
TENANTS = {
    "acme.conf": """\
tenant "acme" {
	logins = {"acme"}
	domains = {"acme.example"}
	dkim "r1" { domain = "acme.example"  key = "acme.rsa" }
}
""",
}

BLOCKS = 'ingest { log = ""  user = ""  lmtp = "unix:{folder}/in.sock" }\n'


@pytest.fixture(scope="module")
def house():
    import house as house_
    import postfix
    if postfix.reason_not():
        pytest.skip(postfix.reason_not())
    with house_.House(policy=POLICY, tenants=TENANTS, tokens=True,
                      keys={"acme.rsa": "rsa"}, blocks=BLOCKS) as h:
        yield h


def submit(house, login, sender, recipients, headers=""):
    smtp = house.client(login)
    try:
        return send(smtp, sender, recipients,
                    message(sender, headers=headers))
    finally:
        smtp.close()


def event_of(house, sent):
    return [e for e in house.gate.events()
            if e["queue_id"] == sent.queue_id][-1]


def delivered(house, recipient):
    house.sink.wait(lambda s: recipient in s.recipients(), 60)
    return [d for d in house.sink.deliveries
            if recipient in d.recipients][0]


def test_a_login_that_may_names_its_tenant_in_a_header(house):
    sent = submit(house, "app", "a@acme.example", ["c1@example.org"],
                  "X-Tenant: acme\r\n")
    assert sent.code == 250, sent
    event = event_of(house, sent)
    assert (event["tenant"], event["login"]) == ("acme", "app")
    assert [s["selector"] for s in event["signatures"]] == ["r1"]
    assert delivered(house, "c1@example.org").headers("X-Tenant") == []


@pytest.mark.parametrize("headers, words", [
    ("", "it is not there"),
    ("X-Tenant: nobody\r\n", '"nobody" is no tenant'),
    ("X-Tenant: acme\r\nX-Tenant: acme\r\n", "more than once"),
])
def test_without_a_name_it_is_refused(house, headers, words):
    sent = submit(house, "app", "a@acme.example", ["x@example.org"], headers)
    assert sent.code == 550 and words in sent.text, sent


def test_from_anybody_else_the_header_is_a_header(house):
    sent = submit(house, "acme", "a@acme.example", ["c2@example.org"],
                  "X-Tenant: other\r\n")
    assert sent.code == 250, sent
    assert delivered(house, "c2@example.org").headers("X-Tenant") == \
        ["other"]


def test_bounces_of_a_domain_that_became_a_tenant_come_back(house):
    sent = submit(house, "verp@shop.example", "verp@shop.example",
                  ["back@example.org"])
    assert sent.code == 250, sent
    path = event_of(house, sent)["return_path"]
    assert path.startswith("b+") and path.endswith("@back.shop.example")
    assert delivered(house, "back@example.org").sender == path
    # it is where the gate leads, nobody's to write or to send as
    for login, sender in (("a@shop.example", "a@back.shop.example"),
                          ("a@back.shop.example", "a@back.shop.example")):
        sent = submit(house, login, sender, ["a@example.org"])
        assert sent.code in (550, 553), sent
    said = house.gate.penstock("policy", "show", "--tenant", "shop.example")
    assert 'bounce_domain' in said.stdout and \
        ' back.shop.example ' in said.stdout, said.stdout
    # Postfix understands the lines that lead there
    lines = house.gate.postfix_lines()
    asked = {"relay_domains": "back.shop.example", "transport_maps": path}
    for name, key in asked.items():
        table = re.search(rf"^#{name} =.*(regexp:.*)$|^#    }} (regexp:.*)$",
                          lines[lines.index(f"#{name}"):], re.M)
        table = (table[1] or table[2]).replace("$$", "$")
        found = house.postfix.run("postmap", "-q", key, table)
        assert found.stdout.strip() in ("OK",
                                        f"lmtp:unix:{house.gate.folder}"
                                        "/in.sock"), (table, found)
        assert house.postfix.run("postmap", "-q", "x" + key.replace(
            "@", "@x"), table).stdout == ""


def test_a_domain_becomes_a_tenant_with_limits_of_its_own(house):
    sent = submit(house, "me@new.example", "me@new.example",
                  ["a@example.org", "b@example.org", "c@example.org"])
    assert [c for c, _ in sent.recipients.values()] == [250, 250, 451]
    event = event_of(house, sent)
    assert (event["tenant"], [c["amount"] for c in event["charges"]]) == \
        ("new.example", [2])
    assert submit(house, "me@next.example", "me@next.example",
                  ["a@example.org"]).code == 250
    sent = submit(house, "me@next.example", "me@new.example",
                  ["a@example.org"])
    assert sent.code == 553 and "does not own" in sent.text, sent
    # no login of a stranger speaks for a domain that a tenant has
    sent = submit(house, "me@acme.example", "me@acme.example",
                  ["a@example.org"])
    assert sent.code == 550, sent
    # and what was spent is what a restart finds
    house.gate.kill()
    house.gate.start()
    sent = submit(house, "you@new.example", "me@new.example",
                  ["a@example.org"])
    assert sent.recipients["a@example.org"][0] == 451, sent
