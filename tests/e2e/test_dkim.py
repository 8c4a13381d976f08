"""What Postfix delivers verifies: libopendkim, and python3-dkim."""

import json
import os
import re

import dkim
import pytest

from house import message, send

BODIES = {
    "ordinary": None,
    "empty": "\r\n",
    "blank lines at the end": "text\r\n\r\n\r\n\r\n",
    "only blank lines": "\r\n\r\n\r\n",
    "dots": ".\r\n..\r\n.a\r\n",
    "spaces and tabs": "a  b\t \t c \r\n \t\r\nend\t\r\n",
    "long lines": ("x" * 990 + "\r\n") * 40,
    "large": "0123456789 abcdefghij\r\n" * 20000,
}
HEADERS = {
    "ordinary": "",
    "folded": "X-Fold: one\r\n two\r\n\t three  \r\nCc: a@b.example,\r\n"
              "\t c@d.example\r\n",
    "repeated": "Cc: a@b.example\r\nCc: c@d.example\r\n",
    "odd": "Reply-To:a@b.example\r\nCC:   x@y.example  \r\n",
    "white space": "Cc \t: a@b.example\r\nReply-To:\r\n\t<c@d.example>\r\n"
                   "In-Reply-To:\r\nReferences:\r\n \r\n <1@x>\t \r\n",
    "crowded": "Cc: a@b.example\r\n" * 1000,
    "lists": "List-Unsubscribe: <https://u.example/1>\r\n"
             "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
             "Feedback-ID: a:b:c:acme1\r\n",
}


def python_verdicts(data, records):
    """One bool per DKIM-Signature, by python3-dkim."""
    def look_up(name, timeout=5):
        return records.get(name.decode().rstrip("."), "").encode()
    def one(i):
        try:
            return dkim.DKIM(data).verify(idx=i, dnsfunc=look_up)
        except dkim.ValidationError:
            return False
    n = len(re.findall(rb"(?im)^dkim-signature:", data))
    return [one(i) for i in range(n)]


def deliver(house, sender, login, mark, body=None, headers=""):
    smtp = house.client(login)
    text = message(sender, body=body,
                   headers=headers + f"X-Mark: {mark}\r\n")
    sent = send(smtp, sender, ["x@example.org"], text)
    smtp.quit()
    assert sent.code == 250, sent
    return house.sink.wait(lambda s: s.with_header("X-Mark", mark))[0]


def verify(house, data):
    path = os.path.join(house.folder, "delivered.eml")
    with open(path, "wb") as f:
        f.write(data)
    return house.gate.penstock("dkim", "verify", "--keys",
                               house.gate.query_file(), "--json", path)


@pytest.mark.parametrize("headers", HEADERS)
@pytest.mark.parametrize("body", BODIES)
def test_both_signatures_verify(house, body, headers):
    mark = os.urandom(8).hex()
    got = deliver(house, "a@acme.example", "acme", mark, BODIES[body],
                  HEADERS[headers])
    said = verify(house, got.data)
    assert said.returncode == 0, said.stdout + said.stderr
    json.loads(said.stdout)
    assert python_verdicts(got.data, house.gate.dns()) == [True, True]


def test_an_altered_message_does_not_verify(house):
    got = deliver(house, "b@bolt.example", "bolt", "altered")
    assert verify(house, got.data).returncode == 0
    changed = got.data.replace(b"this is a body", b"this is 4 body")
    assert verify(house, changed).returncode == 1
    assert python_verdicts(changed, house.gate.dns()) == [False]
    more = got.data.replace(b"From: ", b"From: c@bolt.example\r\nFrom: ", 1)
    assert verify(house, more).returncode == 1, "From is not oversigned"


def test_signatures_stand_on_top_and_name_the_tenant(house):
    got = deliver(house, "a@sub.acme.example", "acme", "top")
    assert got.data.lower().startswith(b"dkim-signature:")
    tags = [dict(re.findall(r"(\w+)=([^;]*)", re.sub(r"\s", "", v)))
            for v in got.headers("DKIM-Signature")]
    assert {t["d"] for t in tags} == {"acme.example"}
    assert {t["a"] for t in tags} == {"rsa-sha256", "ed25519-sha256"}
    for t in tags:
        assert t["c"] == "relaxed/relaxed"
        assert "l" not in t and "x" not in t
        names = t["h"].lower().split(":")
        assert names.count("from") == 2
        for name in ("list-unsubscribe", "list-unsubscribe-post",
                     "feedback-id"):
            assert name in names


def test_a_tenant_without_keys_is_sent_unsigned(house):
    got = deliver(house, "c@cats.example", "cats", "unsigned")
    assert got.headers("DKIM-Signature") == []


def test_a_foreign_signature_does_not_hinder_ours(house):
    foreign = "DKIM-Signature: v=1; a=rsa-sha256; d=other.example; s=x;\r\n" \
        "\tc=relaxed/relaxed; h=from; bh=AAAA; b=AAAA\r\n"
    got = deliver(house, "b@bolt.example", "bolt", "foreign",
                  headers=foreign)
    values = got.headers("DKIM-Signature")
    assert len(values) == 2
    assert "d=bolt.example" in values[0].replace(" ", "")
    assert python_verdicts(got.data, house.gate.dns())[0] is True
