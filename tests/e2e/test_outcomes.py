"""What became of the mail: a real Postfix, a sink that says no to some, and
penstock-ingest between its log and the gate's store."""

import collections
import json
import os
import subprocess

import gate
import ingest
import proc
import pytest
from house import message, send

BLOCK = "}\ningest {\n\tlog = \"%s\"\n\tuser = \"\"\n"
SENDERS = {"acme": "a@acme.example", "bolt": "b@bolt.example",
           "cats": "c@cats.example"}
UNKNOWN = "550 5.1.1 <{}>: Recipient address rejected: User unknown"
LATER = "450 4.2.0 <{}>: Greylisted, please try again later"


def answer(recipient):
    """As the local part says."""
    local = recipient.partition("@")[0]
    if local.startswith("nobody"):
        return UNKNOWN.format(recipient)
    if local.startswith("later") or local.startswith("never"):
        return LATER.format(recipient)
    return None


@pytest.fixture
def house(build):
    """A house whose ingester follows its Postfix."""
    h = build(more=BLOCK % "/nowhere")
    conf = open(h.gate.conf).read().replace("/nowhere",
                                            f"{h.postfix.folder}/log")
    h.gate.write("penstock.conf", conf)
    h.sink.answer = answer
    h.ingest = ingest.Ingest(h.gate)
    yield h
    h.ingest.kill()


def mail(house, login, recipients):
    """One message of that tenant; its queue id."""
    with house.client(login) as smtp:
        sent = send(smtp, SENDERS[login], recipients,
                    message(SENDERS[login]))
    assert sorted(sent.taken) == sorted(recipients), sent
    return sent.queue_id


def kinds(house, login):
    return house.ingest.outcomes(SENDERS[login])


def test_outcomes_equal_what_was_sent_per_tenant_and_provider(house):
    house.ingest.start()
    want = collections.defaultdict(dict)
    for login in SENDERS:
        for n in range(4):
            rcpts = [f"ok{n}@gmail.com", f"nobody{n}@dest.example",
                     f"later{n}@yahoo.com", f"Ok{n}@Dest.Example"]
            q = mail(house, login, rcpts)
            for r, k in zip(rcpts, (["delivered"], ["bounced"],
                                    ["deferred"], ["delivered"])):
                want[login][q, r.lower()] = k
    for login in SENDERS:
        proc.wait_for(lambda: kinds(house, login) == want[login], 30,
                      f"the outcomes of {login}")
    # who was put off gets it at last
    house.sink.answer = None
    house.postfix.wait_empty(60)
    for login in SENDERS:
        for key in want[login]:
            if "later" in key[1]:
                want[login][key] = ["deferred", "delivered"]
        proc.wait_for(lambda: kinds(house, login) == want[login], 30,
                      f"the last outcomes of {login}")
    told = [t for s in SENDERS.values()
            for t in house.ingest.trace("--sender", s)]
    assert len(told) == 12 and all(t["open"] == [] for t in told)
    by = collections.Counter((o["tenant"], o["provider"], o["kind"])
                             for t in told for o in t["outcomes"])
    for login in SENDERS:
        assert by[login, "google", "delivered"] == 4
        assert by[login, "yahoo", "deferred"] == 4
        assert by[login, "yahoo", "delivered"] == 4
        assert by[login, "unresolved", "bounced"] == 4  # a private relay
        assert by[login, "unresolved", "delivered"] == 4
    bounce = next(o for t in told for o in t["outcomes"]
                  if o["kind"] == "bounced")
    assert bounce["code"] == "5.1.1" and "User unknown" in bounce["reply"]
    assert bounce["category"] == "recipient_unknown"
    status = house.ingest.status()
    assert status["not_understood"]["log"]["count"] == 0, status
    # Postfix's report of each bounce is a message of its own, and no outcome
    assert status["counts"]["notices"] >= 12
    assert status["counts"]["foreign"] == 0


def test_an_expiry_and_a_deletion_end_who_is_open(house):
    house.ingest.start()
    first = mail(house, "acme", ["never1@dest.example", "ok1@dest.example"])
    second = mail(house, "acme", ["never2@dest.example"])
    proc.wait_for(lambda: kinds(house, "acme").get(
        (second, "never2@dest.example")) == ["deferred"], 30, "a deferral")
    proc.wait_for(lambda: kinds(house, "acme").get(
        (first, "never1@dest.example")) == ["deferred"], 30, "a deferral")
    house.postfix.run("postsuper", "-e", first)
    house.postfix.run("postsuper", "-d", second)
    # an expired one ends when it is tried again, which may be minutes away
    house.postfix.run("postqueue", "-f")
    proc.wait_for(lambda: kinds(house, "acme") == {
        (first, "never1@dest.example"): ["deferred", "expired"],
        (first, "ok1@dest.example"): ["delivered"],
        (second, "never2@dest.example"): ["deferred", "deleted"],
    }, 60, "an end")


def test_a_life_of_the_ingester_goes_on_where_the_last_ended(house):
    """kill -9 while mail flows, and reading the whole log once more."""
    want = {}
    for n in range(6):
        house.ingest.start()
        r = [f"ok{n}@dest.example", f"nobody{n}@dest.example"]
        q = mail(house, "acme", r)
        want[q, r[0]], want[q, r[1]] = ["delivered"], ["bounced"]
        if n % 2 == 0:      # as far as it came
            proc.wait_for(lambda: len(kinds(house, "acme")) == len(want),
                          30, "outcomes")
        house.ingest.kill()
    house.postfix.wait_empty()
    log = f"{house.postfix.folder}/log"
    first = house.ingest.once(log)
    assert kinds(house, "acme") == want
    again = house.ingest.once(log)
    assert again["outcomes"] == again["foreign"] == again["notices"] == 0
    assert again["lines"] == first["lines"] and again["repeated"] >= 12
    with open(log, "rb") as f:          # from the middle, by a pipe
        f.seek(os.path.getsize(log) // 2)
        piped = subprocess.run(
            [gate.program("penstock-ingest"), "-c", house.gate.conf,
             "--once", "-", "--json"], stdin=f, capture_output=True,
            text=True, timeout=60)
    assert piped.returncode == 0, piped.stderr
    assert json.loads(piped.stdout)["outcomes"] == 0
    assert kinds(house, "acme") == want


def test_a_hard_bounce_is_dropped_at_the_next_rcpt(house):
    house.ingest.start()
    gone, other = "nobody9@dest.example", "ok9@dest.example"
    q = mail(house, "acme", [gone])
    proc.wait_for(lambda: kinds(house, "acme").get((q, gone)) ==
                  ["bounced"], 30, "the bounce")

    def dropped():
        """Taken by the next message, and sent to nobody."""
        q = mail(house, "acme", [gone, other])
        event = next(e for e in house.gate.events() if e["queue_id"] == q)
        return {r["address"]: (r["verdict"], r["rule"])
                for r in event["recipients"]}
    got = dropped()     # the gate looks for a new store once a second
    if got[gone][0] != "drop":
        got = proc.wait_for(lambda: (d := dropped())[gone][0] == "drop" and
                            d, 10, "a drop")
    assert got[gone][1].startswith("suppressed by outcomes: hard_bounce of "
                                   "tenant since 2"), got
    assert got[other][0] == "pass"
    # it binds the tenant who heard of it, and nobody else
    assert mail(house, "bolt", [gone])
    said = house.gate.penstock("suppress", "check", gone, "--tenant", "acme")
    assert said.returncode == 1 and "hard_bounce" in said.stdout, said
    # a person lifts it
    said = house.gate.penstock("suppress", "remove", gone, "--tenant",
                               "acme", "--force", "--reason", "is back")
    assert said.returncode == 0, said.stderr
    proc.wait_for(lambda: dropped()[gone][0] == "pass", 10, "a pass")


def test_a_soft_bounce_and_a_text_that_lies_suppress_nobody(house):
    """The remote server's words are not fields of a log line."""
    lies = {"full@dest.example": "552 5.2.2 <{}>: mailbox is full",
            "liar@dest.example":
            "450 4.2.0 no), status=bounced (550 5.1.1 user unknown: {}"}
    house.sink.answer = lambda r: lies[r].format(r) if r in lies else None
    house.ingest.start()
    q = mail(house, "acme", list(lies))
    proc.wait_for(lambda: kinds(house, "acme") == {
        (q, "full@dest.example"): ["bounced"],
        (q, "liar@dest.example"): ["deferred"]}, 30, "both outcomes")
    for r in lies:
        assert house.gate.penstock("suppress", "check", r, "--tenant",
                                   "acme", "--bulk").returncode == 0, r


def test_a_log_that_cannot_be_read_is_waited_for(house):
    """A folder, a pipe in its place: the ingester says so and lives."""
    log = f"{house.postfix.folder}/log"
    conf = open(house.gate.conf).read().replace(log, f"{log}.other")
    house.gate.write("penstock.conf", conf)
    os.mkdir(f"{log}.other")
    house.ingest.start()
    proc.wait_for(lambda: "trying again" in house.ingest.log(), 20,
                  "a complaint")
    os.rmdir(f"{log}.other")
    os.mkfifo(f"{log}.other")
    q = mail(house, "acme", ["ok1@dest.example"])
    house.postfix.wait_empty()
    assert house.ingest.running()
    os.unlink(f"{log}.other")
    os.link(log, f"{log}.other")
    proc.wait_for(lambda: kinds(house, "acme") == {
        (q, "ok1@dest.example"): ["delivered"]}, 30, "the outcome")
    assert "can be read again" in house.ingest.log()
    assert house.ingest.log().count("trying again") == 1
    # and in the middle of its life
    os.unlink(f"{log}.other")
    os.mkdir(f"{log}.other")
    proc.wait_for(lambda: house.ingest.log().count("trying again") == 2, 20,
                  "another complaint")
    os.rmdir(f"{log}.other")
    more = mail(house, "acme", ["nobody1@dest.example"])
    os.link(log, f"{log}.other")
    proc.wait_for(lambda: kinds(house, "acme").get(
        (more, "nobody1@dest.example")) == ["bounced"], 30, "the second")
    assert len(kinds(house, "acme")) == 2


def test_the_store_has_one_writer(house):
    house.ingest.start()
    said = house.gate.penstock("ingest", f"{house.postfix.folder}/log")
    assert said.returncode == 3
    assert str(house.ingest.process.pid) in said.stderr
    assert "stop it" in said.stderr
    assert house.ingest.stop() == 0
    assert house.gate.penstock("ingest", "status").returncode == 1


def test_questions_of_a_postmaster(house):
    """trace, replies and provider, for eyes and for scripts."""
    house.ingest.start()
    ids = [mail(house, "acme", [f"nobody{n}@gmail.com", "ok@dest.example"])
           for n in range(3)]
    mail(house, "bolt", ["nobody@gmail.com"])
    proc.wait_for(lambda: len(kinds(house, "acme")) == 6 and
                  len(kinds(house, "bolt")) == 1, 30, "outcomes")
    run = house.gate.penstock
    # by queue id, by Message-ID, by recipient and sender
    event = house.ingest.trace(ids[1])[0]["event"]
    assert event["queue_id"] == ids[1] and event["tenant"] == "acme"
    by_id = house.ingest.trace(event["message_id"])
    assert [t["event"]["queue_id"] for t in by_id] == [ids[1]]
    both = house.ingest.trace("--rcpt", "OK@dest.example", "--sender",
                              "a@acme.example", "--since", "1h")
    assert [t["event"]["queue_id"] for t in both] == ids
    assert house.ingest.trace("--rcpt", "ok@dest.example", "--sender",
                              "b@bolt.example") == []
    eyes = run("trace", ids[0])
    assert eyes.returncode == 0
    assert "bounced" in eyes.stdout and "delivered" in eyes.stdout
    assert run("trace", "4000000000zXXXX").returncode == 1
    assert run("trace").returncode == 2
    # the same sentence of a server, counted
    said = run("replies", "--provider", "google", "--since", "1h", "--json")
    replies = [json.loads(line) for line in said.stdout.splitlines()]
    assert [r["count"] for r in replies] == [4]
    assert replies[0]["text"] == "550 5.1.1 <ADDRESS>: Recipient address " \
        "rejected: User unknown"
    assert replies[0]["category"] == "recipient_unknown"
    assert "3  bounced" in run("replies", "--tenant", "acme").stdout
    assert run("replies", "--provider", "yahoo", "--json").stdout == ""
    assert run("replies", "--kind", "nonsense").returncode == 2
    # who says that gmail.com is google
    said = run("provider", "--json", "gmail.com", "dest.example")
    one, two = [json.loads(line) for line in said.stdout.splitlines()]
    assert (one["provider"], one["source"]) == ("google", "list")
    assert (two["provider"], two["source"]) == ("unresolved", "none")
    assert said.returncode == 1
    assert run("provider", "no..domain").returncode == 2
