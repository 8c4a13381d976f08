"""A provider says that it wants less: the next mail of that tenant to it goes
slower or waits, everybody else's goes on, and it ends by itself.  Everything is
real: Postfix, its log, penstock-ingest."""

import json
import os
import signal

import ingest
import proc
import pytest
from house import message, send

BLOCK = "}\ningest {\n\tlog = \"%s\"\n\tuser = \"\"\n"
RULES = """\
# of this test
rule "unusual" {
	text = {"unusual rate of"}
	threshold = "2/hour"
	action = "pause"
	duration = "1 hour"
}
rule "brief" {
	text = {"come back soon"}
	threshold = "2/hour"
	action = "pause"
	duration = "20 seconds"
}
rule "slower" {
	text = {"a little slower"}
	threshold = "2/hour"
	action = "slow"  rate = "1/hour"
	duration = "1 hour"
}
"""
POLICY = """\
timezone = "UTC"
unknown_sender = "refuse"
backoff = "enforce"
include "tenants.d"
"""
TENANT = """\
tenant "{0}" {{
	logins = {{"{0}"}}
	domains = {{"{0}.example"}}
{1}}}
"""
TENANTS = {f"{name}.conf": TENANT.format(name, more) for name, more in {
    "hasty": "", "calm": "", "lifted": "", "brief": "", "slow": "",
    "told": "\tbackoff = \"advise\"\n",
    "deaf": "\tbackoff = \"off\"\n",
    "short": "\tbackoff_max = \"1 minute\"\n"}.items()}
SAYS = {"busy.example": "450 4.7.28 Our system has detected an unusual rate "
                        "of mail from you",
        "brief.example": "451 4.7.0 Too much, come back soon",
        "slow.example": "451 4.7.0 Please be a little slower",
        "gmail.com": "450 4.7.28 Our system has detected an unusual rate of"}


def answer(recipient):
    """As the domain says, for who is told to."""
    local, domain = recipient.lower().split("@")
    return SAYS.get(domain) if local.startswith("no") else None


@pytest.fixture(scope="module")
def house():
    import house as house_
    import postfix
    if postfix.reason_not():
        pytest.skip(postfix.reason_not())
    with house_.House(more=BLOCK % "/nowhere", policy=POLICY,
                      tenants=TENANTS, keys={}) as h:
        h.gate.write("backoff.conf", RULES)
        conf = open(h.gate.conf).read().replace("/nowhere",
                                                f"{h.postfix.folder}/log")
        h.gate.write("penstock.conf", conf + "backoff = \"backoff.conf\"\n")
        h.sink.answer = answer
        h.ingest = ingest.Ingest(h.gate)
        h.ingest.start()
        yield h
        h.ingest.kill()


def submit(house, login, *recipients):
    sender = f"a@{login}.example"
    with house.client(login) as smtp:
        return send(smtp, sender, recipients, message(sender))


def in_force(house, *words):
    said = house.gate.penstock("backoff", "list", "--json", *words)
    assert said.returncode == 0, said.stderr
    return [json.loads(line) for line in said.stdout.splitlines()]


def begin(house, login, domain, provider=None):
    """Two answers that ask for less; the row that comes of it."""
    for i in range(2):
        sent = submit(house, login, f"no{i}@{domain}")
        assert sent.code == 250, sent
    return proc.wait_for(
        lambda: [r for r in in_force(house, login)
                 if (r.get("domain"), r.get("provider")) ==
                 (None if provider else domain, provider)], 60,
        f"the back-off of {login}\n{house.ingest.log()}")[0]


def wait_code(house, login, recipient, code, patience=60):
    """Until the gate says that: it looks once a second."""
    return proc.wait_for(lambda: (
        s := submit(house, login, recipient)).recipients[recipient][0] ==
        code and s, patience, f"{code} for {recipient}")


def test_the_next_mail_waits_and_nobody_else_does(house):
    row = begin(house, "hasty", "busy.example")
    assert (row["tenant"], row["domain"], row["rule"], row["place"],
            row["action"], row["policy"], row["answers"]) == \
        ("hasty", "busy.example", "unusual", "backoff.conf:2", "pause",
         "enforce", 2), row
    assert row["until"] - row["since"] == 3600 * 10**6
    assert row["reply"].startswith("450 4.7.28 Our system has detected")
    wait_code(house, "hasty", "ok@busy.example", 451)
    # in one message: this one waits, that one goes
    sent = submit(house, "hasty", "ok@busy.example", "ok@dest.example")
    code, text = sent.recipients["ok@busy.example"]
    assert code == 451 and "busy.example wants less mail" in text and \
        "back-off rule unusual, 2 answers within 60 min" in text and \
        "unusual rate of mail from you" in text, sent
    assert sent.taken == ["ok@dest.example"], sent
    # and the neighbour
    assert submit(house, "calm", "ok@busy.example").code == 250
    # on record, under its name and its line
    event = house.gate.wait_events(lambda all_: any(
        e["kind"] == "defer" and e["tenant"] == "hasty"
        for e in all_))
    event = [e for e in event if e["kind"] == "defer"][-1]
    assert (event["limit"], event["rule"]) == ("backoff:unusual",
                                               "backoff.conf:2"), event
    said = house.gate.penstock(
        "policy", "explain", "--login", "hasty", "--from",
        "a@hasty.example", "--sender", "a@hasty.example", "--rcpt",
        "ok@busy.example")
    assert "backoff.conf:2" in said.stdout and "unusual" in said.stdout, said
    said = house.gate.penstock("limits", "hasty").stdout
    assert "back-off: tenant \"hasty\" to \"busy.example\": pause until" in \
        said and "rule unusual (backoff.conf:2): 2 answers" in said, said
    said = json.loads(house.gate.penstock("limits", "--json").stdout)
    assert [b["rule"] for b in said["backoffs"]
            if b["tenant"] == "hasty"] == ["unusual"], said
    # what servers said is what it was
    said = house.gate.penstock("replies", "--since", "1h").stdout
    assert "unusual rate of mail" in said, said


def test_crashes_and_a_log_read_again_change_nothing(house):
    before = in_force(house, "hasty")
    assert before, "the test before this one made it"
    house.gate.stop()
    house.gate.start()
    house.ingest.kill()
    log = f"{house.postfix.folder}/log"
    assert house.ingest.once(log)["repeated"] >= 2
    assert house.ingest.once(log)["outcomes"] == 0
    house.ingest.start()
    assert in_force(house, "hasty") == before
    wait_code(house, "hasty", "ok@busy.example", 451)


def test_a_provider_is_all_of_its_domains(house):
    assert begin(house, "hasty", "gmail.com", "google")["rule"] == "unusual"
    wait_code(house, "hasty", "ok@googlemail.com", 451)
    assert submit(house, "calm", "ok@gmail.com").code == 250


def test_it_ends_by_itself(house):
    begin(house, "brief", "brief.example")
    wait_code(house, "brief", "ok@brief.example", 451, patience=15)
    wait_code(house, "brief", "ok@brief.example", 250)
    assert in_force(house, "brief") == []


def test_slow_lets_one_through(house):
    row = begin(house, "slow", "slow.example")
    assert (row["action"], row["rate"]) == ("slow", "1/hour"), row
    first = proc.wait_for(lambda: (
        s := submit(house, "slow", "a@slow.example", "b@slow.example",
                    "c@dest.example")).recipients["b@slow.example"][0] ==
        451 and s, 30, "slow")
    assert "limit backoff:slower (1/hour to slow.example) is used up" in \
        first.recipients["b@slow.example"][1], first
    assert first.recipients["c@dest.example"][0] == 250


def test_advise_only_shows_it_and_off_does_not_even_that(house):
    row = begin(house, "told", "busy.example")
    assert row["policy"] == "advise", row
    event = proc.wait_for(lambda: [
        e for e in [house.gate.events()[-1]]
        if submit(house, "told", "ok@busy.example").code == 250 and
        e["tenant"] == "told" and e.get("would") == "defer"], 30,
        "an event that says what would have been")[0]
    assert event["kind"] == "accept" and event["limit"] == \
        "backoff:unusual", event
    assert begin(house, "deaf", "busy.example")["policy"] == "off"
    for _ in range(3):
        sent = submit(house, "deaf", "ok@busy.example")
        assert sent.code == 250, sent
    assert house.gate.events()[-1].get("would") != "defer"


def test_the_policy_bounds_it(house):
    row = begin(house, "short", "busy.example")
    assert row["until"] - row["since"] == 60 * 10**6, row


def test_a_person_lifts_it(house):
    def lift(*words):
        return house.gate.penstock("backoff", "lift", *words, "--reason",
                                   "they called us")
    assert lift("lifted").returncode == 1
    begin(house, "lifted", "busy.example")
    wait_code(house, "lifted", "ok@busy.example", 451)
    assert house.gate.penstock("backoff", "lift", "lifted").returncode == 2
    assert lift("lifted", "google").returncode == 1
    said = lift("lifted", "busy.example")
    assert said.returncode == 0 and "is lifted" in said.stdout, said
    assert submit(house, "lifted", "ok@busy.example").code == 250
    assert in_force(house, "lifted") == []
    assert in_force(house, "hasty") != []
    audit = house.gate.penstock("audit").stdout
    assert "backoff-lift" in audit and "they called us" in audit
    said = house.gate.penstock("limits", "lifted").stdout
    assert "back-off" not in said, said


def test_a_file_with_a_mistake_is_named_and_not_used(house):
    house.gate.write("backoff.conf", RULES.replace("2/hour", "two/hour", 1))
    os.kill(house.ingest.process.pid, signal.SIGHUP)
    proc.wait_for(lambda: "rules of back-off: the old ones stay" in
                  house.ingest.log(), 30, "the reload")
    assert "backoff.conf:4:14: threshold: " in house.ingest.log()
    said = house.gate.penstock("backoff", "test", "busy.example",
                               "450 unusual rate of mail")
    assert said.returncode == 1 and "4:14: " in said.stderr, said
    house.gate.write("backoff.conf", RULES)
    os.kill(house.ingest.process.pid, signal.SIGHUP)
    proc.wait_for(lambda: "rules of back-off read again: 3" in
                  house.ingest.log(), 30, "the reload")
    said = house.gate.penstock("backoff", "test", "--json", "busy.example",
                               "450 unusual rate of mail")
    assert json.loads(said.stdout)["rule"] == "unusual", said
    said = house.gate.penstock("backoff", "test", "busy.example",
                               "450 something else")
    assert said.returncode == 1, said
