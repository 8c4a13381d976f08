"""penstock suppress: what operators say of addresses, and lists in CSV."""

import csv
import io
import json
import os
import random

import pytest
from endpoint import Endpoint

ROUNDS = int(os.environ.get("ROUNDS", "50"))
OURS = "address,scope,list,reason,source,created_at,expires_at,note"


@pytest.fixture
def it():
    """A store, keys and a policy; the endpoint is started where needed."""
    one = Endpoint()
    yield one
    one.close()


def suppress(it, *words, status=0, **how):
    said = it.penstock("suppress", *words, **how)
    assert said.returncode == status, said.stdout + said.stderr
    return said.stdout if status in (0, 1) and said.stdout else said.stderr


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def check(it, address, *words):
    said = it.penstock("suppress", "check", "--json", address, *words)
    answer = json.loads(said.stdout)
    assert said.returncode == int(answer["suppressed"])
    return answer


def test_added_checked_removed(it):
    suppress(it, "add", "A.nn+x@gmail.com", "--tenant", "acme", "--reason",
             "asked by phone")
    got = check(it, "ann@googlemail.com")
    assert got["suppressed"] and got["folded"] == "ann@gmail.com"
    assert got["entries"][0]["note"] == "asked by phone"
    assert check(it, "ann@gmail.com", "--tenant", "acme")["suppressed"]
    assert not check(it, "ann@gmail.com", "--tenant", "bolt")["suppressed"]
    suppress(it, "remove", "ann@gmail.com", "--reason", "asked to come back")
    assert not check(it, "ann@gmail.com")["suppressed"]
    assert "nothing stands" in suppress(
        it, "remove", "ann@gmail.com", "--reason", "again", status=1)


def test_what_is_firm_needs_force(it):
    suppress(it, "add", "trap@example.org", "--platform", "--as", "trap",
             "--reason", "known trap")
    said = suppress(it, "remove", "trap@example.org", "--reason", "no",
                    status=1)
    assert "--force" in said
    assert check(it, "trap@example.org")["suppressed"]
    suppress(it, "remove", "trap@example.org", "--reason", "was wrong",
             "--force")
    assert not check(it, "trap@example.org")["suppressed"]


@pytest.mark.parametrize("words, status, said", [
    (["add", "a@example.org", "--tenant", "amce", "--reason", "x"], 1,
     'no tenant "amce"'),
    (["add", "a@example.org", "--tenant", "acme"], 2, "usage"),
    (["add", "a@example.org", "--reason", "x"], 2, "usage"),
    (["add", "a example.org", "--tenant", "acme", "--reason", "x"], 2,
     "no place"),
    (["add", "a@example.org", "--tenant", "acme", "--reason", "x\ny"], 2,
     "--reason"),
    (["add", "a@example.org", "--tenant", "acme", "--platform", "--reason",
      "x"], 2, "one scope"),
    (["add", "a@example.org", "--list", "acme", "--reason", "x"], 2,
     "TENANT/STREAM"),
    (["add", "a@example.org", "--platform", "--as", "mood", "--reason", "x"],
     2, 'no reason is called "mood"'),
    (["add", "a@example.org", "--platform", "--until", "yesterday",
      "--reason", "x"], 2, "--until"),
    (["import", "/nonexistent.csv"], 3, "No such file"),
    (["export", "--frobnicate"], 2, "usage")])
def test_mistakes_have_a_sentence(it, words, status, said):
    got = it.penstock("suppress", *words)
    assert got.returncode == status
    assert said in got.stderr
    assert suppress(it, "export").strip() == OURS


def test_the_recipient_and_the_operator_take_turns(it):
    it.start()
    token = it.token("turns@example.org")
    assert it.post(token).status == 200
    words = "turns@example.org", "--list", "acme/default"
    got = check(it, *words)
    assert got["suppressed"]
    assert [e["store"] for e in got["entries"]] == ["consent"]
    suppress(it, "remove", words[0], "--reason", "came back by phone")
    assert not check(it, *words)["suppressed"]
    # the press after that counts, though the endpoint's own store says
    # "unsubscribed" already
    assert it.post(token).status == 200
    assert check(it, *words)["suppressed"]
    assert not check(it, "turns@example.org", "--tenant", "bolt")["suppressed"]


def test_a_tenant_wide_unsubscribe_lets_a_password_reset_pass(it):
    it.start()
    assert it.post(it.token("pw@example.org", "acme")).status == 200
    assert check(it, "pw@example.org", "--tenant", "acme",
                 "--bulk")["suppressed"]
    assert not check(it, "pw@example.org", "--tenant", "acme")["suppressed"]


SENDGRID = {
    "bounces": ("created,email,reason,status\n"
                '1443651125,a@example.org,"550 no, sorry",5.1.1\n',
                "hard_bounce"),
    "spam": ("created,email,ip\n1443651125,a@example.org,192.0.2.1\n",
             "complaint"),
    "invalid": ("created,email,reason\n1443651125,a@example.org,Mail domain "
                "mentioned in email address is unknown\n", "invalid"),
    "unsubscribes": ("email,created\r\na@example.org,1443651125\r\n",
                     "unsubscribe")}
MAILGUN = {
    "bounces": ("\ufeffaddress,code,error,created_at\na@example.org,550,"
                '"No, sorry","Wed, 30 Sep 2015 22:12:05 UTC"\n',
                "hard_bounce"),
    "complaints": ("address,created_at\na@example.org,2015-09-30T22:12:05Z\n",
                   "complaint"),
    "unsubscribes": ('address,tags,created_at\na@example.org,*,"Thu, 01 Oct '
                     '2015 00:12:05 +0200"\n', "unsubscribe")}


@pytest.mark.parametrize("text, reason", [
    *SENDGRID.values(), *MAILGUN.values()])
def test_lists_of_other_houses(it, text, reason):
    suppress(it, "import", "--tenant", "acme", "-", input=text)
    got, = rows(suppress(it, "export"))
    assert (got["address"], got["reason"]) == ("a@example.org", reason)
    assert (got["scope"], got["list"]) == ("tenant", "acme")
    assert got["created_at"] == "2015-09-30T22:12:05Z"


@pytest.mark.parametrize("text", [
    "a@example.org,BOUNCE\r\nb@example.org,COMPLAINT\r\n",
    "EmailAddress,Reason,LastUpdateTime\na@example.org,BOUNCE,2026-01-01\n"
    "b@example.org,COMPLAINT,2026-01-01T00:00:00.5+01:00\n"])
def test_lists_of_ses(it, text):
    suppress(it, "import", "--platform", "-", input=text)
    assert {r["address"]: r["reason"] for r in rows(suppress(
        it, "export"))} == {"a@example.org": "hard_bounce",
                            "b@example.org": "complaint"}


def test_rows_that_are_refused_are_kept_with_why(it):
    text = ("email,created,reason,status\n"
            "good@example.org,1443651125,,5.1.1\n"
            "no-at-sign,1443651125,,\n"
            "late@example.org,99999999999,,\n"
            "date@example.org,soon,,\n"
            ",1443651125,,\n"
            '"torn@example.org" x,1,,\n'
            "nul\0@example.org,1,,\n"
            'bell@example.org,1,"\a",\n'
            "also@example.org,1443651125,,\n"
            '"open@example.org,1443651125\n')
    errors = f"{it.folder}/errors.csv"
    said = it.penstock("suppress", "import", "--tenant", "acme", "--json",
                       "--errors", errors, "-", input=text)
    assert said.returncode == 1
    counts = json.loads(said.stdout)
    assert (counts["rows"], counts["new"], counts["refused"]) == (10, 2, 8)
    assert counts["format"] == "SendGrid"
    with open(errors) as f:
        kept = {int(r["line"]): r["error"] for r in csv.DictReader(f)}
    assert sorted(kept) == [3, 4, 5, 6, 7, 8, 9, 11]
    for line, word in ((3, "no domain"), (4, "future"), (5, "no date"),
                       (6, "no address"), (7, "closing quote"), (8, "NUL"),
                       (9, "no line of text"), (11, "not closed")):
        assert word in kept[line], kept[line]


def test_a_dry_run_counts_and_stores_nothing(it):
    text = "email,created\na@example.org,1\nb@example.org,2\nnonsense,3\n"
    said = it.penstock("suppress", "import", "--dry-run", "--json",
                       "--platform", "-", input=text)
    counts = json.loads(said.stdout)
    assert (counts["dry_run"], counts["new"], counts["refused"]) == \
        (True, 2, 1)
    assert rows(suppress(it, "export")) == []
    suppress(it, "import", "--platform", "-", input=text, status=1)
    said = it.penstock("suppress", "import", "--dry-run", "--json",
                       "--platform", "-", input=text)
    assert json.loads(said.stdout)["unchanged"] == 2


def test_rows_of_one_address_hold_in_their_order(it):
    """Rows are sorted before they are stored; the order of a file stays."""
    def row(address, n, note):
        return f"{address},tenant,acme,manual,shop,2025-01-01T00:00:{n:02}Z" \
               f",,{note}"
    lines = [OURS]
    for n in range(20):
        lines += [row(f"u{k}@example.org", n, f"{k} {n}") for k in range(9)]
    said = json.loads(suppress(it, "import", "--json", "-",
                               input="\n".join(lines) + "\n"))
    assert (said["new"], said["changed"], said["unchanged"]) == (9, 171, 0)
    kept = {r["address"]: r["note"] for r in rows(suppress(it, "export"))}
    assert kept == {f"u{k}@example.org": f"{k} 19" for k in range(9)}
    # the same, latest first: what is older says nothing new
    said = json.loads(suppress(it, "import", "--json", "-", input="\n".join(
        lines[:1] + lines[:0:-1]) + "\n"))
    assert (said["new"], said["changed"], said["unchanged"]) == (0, 0, 180)


def test_lists_without_a_scope_are_refused(it):
    said = it.penstock("suppress", "import", "-", input="email\na@b.example\n")
    assert said.returncode == 1
    said = it.penstock("suppress", "import", "-", input="name,age\nx,1\n",
                       check=False)
    assert said.returncode == 3 and "no header" in said.stderr


def test_what_is_exported_is_imported_the_same(it):
    """1,000,000 rows with ROUNDS=5000."""
    it.start()
    assert it.post(it.token("press@example.org")).status == 200
    pick = random.Random(7)
    lines = [OURS]
    for n in range(min(ROUNDS, 5000) * 200):
        scope, name = pick.choice([
            ("tenant", "acme"), ("list", "acme/default"), ("platform", ""),
            ("group", "#0123456789abcdef"), ("list", "gone/old")])
        reason = pick.choice(["unsubscribe", "hard_bounce", "manual",
                              "complaint", "import"])
        lines.append(
            f"u{pick.randrange(10 ** 5)}@example{n % 7}.org,{scope},{name},"
            f"{reason},shop,2025-{1 + n % 12:02}-0{1 + n % 9}T0{n % 10}:00:"
            f"0{n % 10}.{n % 1000000:06}Z,"
            f"{'2099-01-01T00:00:00Z' if n % 11 == 0 else ''},"
            f"\"note, no. \"\"{n}\"\"\"")
    suppress(it, "import", "-", input="\n".join(lines) + "\n")
    suppress(it, "remove", rows(suppress(it, "export"))[0]["address"],
             "--reason", "one of them", "--force")
    first = suppress(it, "export")
    assert "press@example.org" in first
    assert len(rows(first)) > len(lines) // 3
    other = Endpoint()
    try:
        said = suppress(other, "import", "--json", "-", input=first)
        assert json.loads(said)["refused"] == 0
        assert suppress(other, "export") == first
        said = suppress(other, "import", "--json", "-", input=first)
        assert json.loads(said)["unchanged"] == len(rows(first))
    finally:
        other.close()


def test_a_store_that_cannot_be_read_is_no_empty_list(it):
    it.start()
    assert it.post(it.token("there@example.org")).status == 200
    it.stop()
    with open(f"{it.folder}/store/consent/data.mdb", "r+b") as f:
        f.truncate(4096)
    assert suppress(it, "check", "there@example.org", status=3)
    assert suppress(it, "export", status=3)
