"""What operators decide, through the command line and a real Postfix."""

import json
import os
import pwd
import shutil
import stat
import subprocess
import time

import proc
import pytest
from house import message, send

POLICY = """\
timezone = "UTC"
unknown_sender = "defer"
include "tenants.d"
class "auto" { cap "daily" { limit = "2/day" } }
auto_tenant { by = "login-domain"  class = "auto" }
group "agency" { contact = "ops@agency.example" }
"""
TENANTS = {
    "acme.conf": """\
tenant "acme" {
	group = "agency"
	timezone = "Europe/Madrid"
	logins = {"acme", "*@acme.example"}
	domains = {"acme.example"}
	cap "daily" { limit = "5/day" }
	throttle "twin" { rate = "1000/hour" }
	cap "twin" { limit = "1000/day" }
}
""",
    "bolt.conf": """\
tenant "bolt" {
	logins = {"bolt"}
	domains = {"bolt.example"}
	open "way" { limit = "1000" }
}
""",
    "many.conf": """\
tenant "many" {
	logins = {"many"}
	domains = {"many.example"}
	cap "each" { limit = "3/day"  per = "login" }
	stream "news" {
		match = {"sender:news@*"}
		cap "few" { limit = "2/day" }
	}
	stream "late" { match = {"header:X-Late"} }
}
""",
    "still.conf": """\
tenant "still" {
	paused = "invoice unpaid"
	logins = {"still"}
	domains = {"still.example"}
}
""",
}


@pytest.fixture
def house(build):
    return build(policy=POLICY, tenants=TENANTS, keys={})


def submit(house, tenant="acme", recipients=("r@example.org",), name="a",
           headers=""):
    sender = f"{name}@{tenant}.example"
    smtp = house.client(tenant)
    try:
        return send(smtp, sender, list(recipients),
                    message(sender, headers=headers))
    finally:
        smtp.close()


def numbered(n, domain="example.org"):
    return [f"r{i}@{domain}" for i in range(n)]


def pause(house, *more, tenant="acme", reason="spam complaint 17"):
    return house.gate.penstock("tenant", "pause", tenant, "--reason", reason,
                               *more)


def resume(house, *more, tenant="acme"):
    return house.gate.penstock("tenant", "resume", tenant, "--reason",
                               "list was cleaned", *more)


def audit(house, *more):
    said = house.gate.penstock("audit", "--json", *more)
    assert said.returncode == 0, said.stderr
    return [json.loads(line) for line in said.stdout.splitlines()]


def test_a_paused_tenants_very_next_message_gets_451_with_the_reason(house):
    assert submit(house).code == 250
    began = time.monotonic()
    said = pause(house)
    assert said.returncode == 0, said.stderr
    assert "in force since" in said.stdout and "desk:1" in said.stdout
    assert time.monotonic() - began < 5.5
    sent = submit(house)
    assert sent.code == 451, sent
    assert sent.text == ("4.7.0 tenant acme is paused: spam complaint 17; "
                         "contact ops@agency.example"), sent.text
    assert submit(house, "bolt").code == 250
    event = house.gate.wait_events(lambda all_: any(
        e["kind"] == "defer" for e in all_))
    assert [e["rule"] for e in event if e["kind"] == "defer"] == ["desk:1"]
    said = resume(house)
    assert said.returncode == 0, said.stderr
    assert submit(house).code == 250
    # explain is the gate's own
    pause(house)
    said = house.gate.penstock(
        "policy", "explain", "--login", "acme", "--from", "a@acme.example",
        "--rcpt", "r@example.org")
    assert said.returncode == 1 and "spam complaint 17" in said.stdout
    assert "desk:3" in said.stdout, said.stdout


def test_a_pause_of_a_provider_defers_only_its_recipients(house):
    assert pause(house, "--provider", "google").returncode == 0
    sent = submit(house, recipients=["x@gmail.com", "y@example.org"])
    assert sent.recipients["x@gmail.com"][0] == 451
    assert "mail to google is paused" in sent.recipients["x@gmail.com"][1]
    assert sent.taken == ["y@example.org"]
    # another pause stands beside it, and each is ended by itself
    assert pause(house).returncode == 0
    said = resume(house)
    assert said.returncode == 1 and "mail to google is still" in said.stderr
    assert resume(house, "--provider", "google").returncode == 0
    assert submit(house, recipients=["x@gmail.com"]).code == 250


def test_a_pause_of_a_stream_leaves_the_others(house):
    assert pause(house, "--stream", "news", tenant="many").returncode == 0
    sent = submit(house, "many", name="news")
    assert sent.code == 451 and "stream news is paused" in repr(sent), sent
    assert submit(house, "many").code == 250
    assert resume(house, "--stream", "news", tenant="many").returncode == 0
    # one that a header selects is known at the end only
    assert pause(house, "--stream", "late", "--provider", "google",
                 tenant="many").returncode == 0
    assert submit(house, "many", ["x@gmail.com"],
                  headers="X-Late: 1\r\n").code == 451
    assert submit(house, "many", name="news",
                  recipients=["x@gmail.com"]).code == 250


def test_a_limit_of_a_stream_is_reset_and_one_of_each_login_is_not(house):
    assert [submit(house, "many", name="news").code for _ in range(3)] == \
        [250, 250, 451]
    said = house.gate.penstock("limits", "reset", "many", "few", "--reason",
                               "r")
    assert said.returncode == 0 and "2 spent" in said.stdout, said
    assert submit(house, "many", name="news").code == 250
    assert submit(house, "many").code == 451        # three of one login
    said = house.gate.penstock("limits", "reset", "many", "each", "--reason",
                               "r")
    assert said.returncode == 1 and "with --login (" in said.stderr, said
    said = house.gate.penstock("limits", "reset", "many", "few", "--reason",
                               "r", "--login", "many")
    assert said.returncode == 1 and "does not count" in said.stderr, said
    said = house.gate.penstock("limits", "reset", "many", "each", "--reason",
                               "r", "--login", "another")
    assert said.returncode == 0 and "0 spent" in said.stdout, said
    assert submit(house, "many").code == 451
    said = house.gate.penstock("limits", "reset", "many", "each", "--reason",
                               "r", "--login", "Many")
    assert said.returncode == 0, said
    assert "3 spent of limit each (3/day) of login=Many is" in said.stdout
    assert [submit(house, "many").code for _ in range(4)] == \
        [250, 250, 250, 451]
    assert audit(house)[-1]["object"] == "login=Many"
    said = house.gate.penstock("limits", "grant", "many", "each", "+1",
                               "--until", "1h", "--reason", "r")
    assert said.returncode == 0, said
    assert submit(house, "many").code == 250
    assert submit(house, "many").code == 451


def test_a_tenant_that_no_file_names_is_paused_and_reset_as_well(house):
    def code():
        smtp = house.client("x@later.example")
        try:
            return send(smtp, "x@later.example", ["r@example.org"],
                        message("x@later.example")).code
        finally:
            smtp.close()
    assert [code(), code(), code()] == [250, 250, 451]
    said = house.gate.penstock("limits", "reset", "later.example", "daily",
                               "--reason", "r")
    assert said.returncode == 0 and "2 spent" in said.stdout, said
    assert code() == 250
    assert pause(house, tenant="later.example").returncode == 0
    assert code() == 451
    line = [x for x in house.gate.penstock("tenant", "list").stdout
            .splitlines() if x.startswith("later.example ")]
    assert len(line) == 1 and "desk:2" in line[0] and " auto " in line[0]


def test_a_pause_ends_by_itself(house):
    said = pause(house, "--until", "2 seconds")
    assert said.returncode == 0, said.stderr
    assert submit(house).code == 451
    deadline = time.monotonic() + 20
    while submit(house).code != 250:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_resume_names_the_line_that_still_pauses(house):
    said = resume(house, tenant="still")
    assert said.returncode == 1
    assert "tenants.d/still.conf:2" in said.stderr, said.stderr
    assert "invoice unpaid" in said.stderr
    assert pause(house, tenant="still").returncode == 0
    said = resume(house, tenant="still")
    assert said.returncode == 1 and "has ended" in said.stdout
    assert "tenants.d/still.conf:2" in said.stderr
    assert submit(house, "still").text.startswith(
        "4.7.0 tenant still is paused: invoice unpaid")


def test_a_grant_lets_exactly_so_many_more_through(house):
    assert len(submit(house, recipients=numbered(9)).taken) == 5
    said = house.gate.penstock("limits", "grant", "acme", "daily", "+3",
                               "--until", "2h", "--reason", "launch")
    assert said.returncode == 0, said.stderr
    assert "3 more" in said.stdout
    limit = [x for x in json.loads(house.gate.limits("acme", "--json"))
             ["limits"] if x["limit"] == "daily"][0]
    assert (limit["used"], limit["most"], limit["remaining"]) == (5, 8, 3)
    assert len(submit(house, recipients=numbered(9)).taken) == 3
    assert submit(house).code == 451
    # taken back: what was sent with it stays spent
    said = house.gate.penstock("limits", "grant", "acme", "cap:daily", "+0",
                               "--until", "2h", "--reason", "enough")
    assert said.returncode == 0, said.stderr
    assert submit(house).code == 451


def test_a_reset_survives_the_gates_death_and_happens_once(house):
    assert len(submit(house, recipients=numbered(9)).taken) == 5
    said = house.gate.penstock("limits", "reset", "acme", "daily",
                               "--reason", "counted twice")
    assert said.returncode == 0, said.stderr
    assert "5 spent" in said.stdout
    house.gate.kill()
    house.gate.start()
    assert len(submit(house, recipients=numbered(2)).taken) == 2
    house.gate.kill()
    house.gate.start()
    assert len(submit(house, recipients=numbered(9)).taken) == 3
    resets = [e for e in house.gate.events() if e["kind"] == "reset"]
    assert [(e["tenant"], e["limit"], e["rule"]) for e in resets] == \
        [("acme", "daily", "desk:1")]
    assert house.gate.penstock("store", "verify").returncode == 0


def test_decisions_survive_the_gate_and_wait_for_it(house):
    assert pause(house).returncode == 0
    house.gate.kill()
    said = resume(house)
    assert said.returncode == 0 and "no gate runs" in said.stdout
    said = pause(house, reason="again")
    assert said.returncode == 0 and "from the next start" in said.stdout
    house.gate.start()
    assert submit(house).text.startswith("4.7.0 tenant acme is paused: again")


def test_audit_shows_who_and_the_reload(house):
    house.gate.write("tenants.d/cats.conf", TENANTS["bolt.conf"].replace(
        "bolt", "cats"))
    assert house.gate.reload().returncode == 0
    env = {**os.environ, "SUDO_UID": str(pwd.getpwnam("nobody").pw_uid),
           "SUDO_USER": "nobody"}
    said = house.gate.penstock("tenant", "pause", "acme", "--reason", "r1",
                               env=env)
    assert said.returncode == 0, said.stderr
    lines = audit(house)
    assert [x["kind"] for x in lines] == ["reload", "reload", "pause"]
    assert (lines[2]["user"], lines[2]["sudo"], lines[2]["reason"]) == \
        ("root", "nobody", "r1")
    assert lines[2]["before"] == "not paused"
    assert lines[2]["after"] == "paused: r1"
    said = house.gate.penstock("audit").stdout.splitlines()
    assert len(said) == 3
    assert "nobody as root  pause acme: r1" in said[2], said
    assert "reload" in said[1] and "cats" in said[1], said
    assert audit(house, "--since", "2200-01-01") == []
    said = house.gate.penstock("audit", "--verify")
    assert said.returncode == 0 and "the chain is whole" in said.stdout


def test_verify_finds_a_cut_tail_and_the_gate_does_not_obey_it(house):
    desk = f"{house.gate.store}/desk"
    assert pause(house, tenant="bolt").returncode == 0
    shutil.copytree(desk, desk + ".old")
    assert pause(house).returncode == 0
    # somebody puts the old one back: the last decision never was
    shutil.rmtree(desk)
    os.rename(desk + ".old", desk)
    said = house.gate.penstock("audit", "--verify")
    assert said.returncode == 1, said
    assert "desk:2 is missing" in said.stdout, said.stdout
    assert submit(house).code == 451

    def status():
        return json.loads(house.gate.penstock("status", "--json").stdout)
    proc.wait_for(lambda: "somebody cut it" in status()["desk"], 10,
                  "the gate to see it")
    assert house.gate.penstock("status").returncode == 1
    # nor does a restart make it forget
    house.gate.kill()
    house.gate.start()
    assert submit(house).code == 451
    said = json.loads(house.gate.penstock("audit", "--verify",
                                          "--json").stdout)
    assert said["whole"] is False and said["first_wrong"] == 2


def test_nothing_is_decided_at_a_desk_that_the_gate_does_not_obey(house):
    desk = f"{house.gate.store}/desk"
    assert pause(house, tenant="bolt").returncode == 0
    shutil.copytree(desk, desk + ".old")
    assert pause(house).returncode == 0
    shutil.rmtree(desk)
    resume = ("tenant", "resume", "acme", "--reason", "paid")
    said = house.gate.penstock(*resume)
    assert said.returncode == 3, said
    assert "is gone" in said.stderr and "desk:2" in said.stderr, said
    assert not os.path.exists(desk)
    os.rename(desk + ".old", desk)
    said = house.gate.penstock(*resume)
    assert said.returncode == 3, said
    assert "was cut or written anew" in said.stderr, said
    assert submit(house).code == 451


@pytest.mark.parametrize("backup", [False, True])
def test_a_lost_desk_goes_on_when_a_person_says_so(house, backup):
    desk = f"{house.gate.store}/desk"

    def suppress(address):
        return house.gate.penstock("suppress", "add", address, "--platform",
                                   "--reason", "asked by letter")
    assert pause(house, tenant="still").returncode == 0
    assert suppress("kept@example.org").returncode == 0
    proc.wait_for(lambda: submit(house, "bolt", recipients=[
        "kept@example.org"]).code == 550, 20, "the list to hold")
    shutil.copytree(desk, desk + ".backup")
    assert pause(house).returncode == 0
    assert pause(house, "--provider", "google", tenant="bolt").returncode == 0
    anew = ("store", "anew", "--reason", "disk died, ticket 4711")
    said = house.gate.penstock(*anew)
    assert said.returncode == 1 and "in order up to desk:4" in said.stderr
    shutil.rmtree(desk)
    if backup:
        os.rename(desk + ".backup", desk)
    else:       # nobody's list may look empty; nor does a command make it so
        proc.wait_for(lambda: submit(house, "bolt").code == 451, 20,
                      "mail to be deferred")
        said = suppress("new@example.org")
        assert said.returncode == 3 and "store anew" in said.stderr, said
        assert not os.path.exists(desk)
    said = resume(house)
    assert said.returncode == 3 and "store anew" in said.stderr, said
    assert house.gate.penstock("store", "anew").returncode == 2
    said = house.gate.penstock(*anew)
    assert said.returncode == 0 and "desk:5, in force" in said.stdout, said
    # what was in force is so, and can be decided about again
    assert submit(house).code == 451
    assert submit(house, "still").code == 451
    proc.wait_for(lambda: submit(house, "bolt").code == 250, 20,
                  "mail to flow again")
    assert submit(house, "bolt", recipients=["x@gmail.com"]).code == 451
    assert resume(house).returncode == 0
    assert submit(house).code == 250
    # a backup brings back what it has of the lists, and no more is claimed
    got = submit(house, "bolt", recipients=["kept@example.org"])
    assert got.code == (550 if backup else 250), got
    said = house.gate.penstock("audit", "--verify", "--json")
    assert said.returncode == 0, said
    said = json.loads(said.stdout)
    assert (said["decisions"], said["lost"], said["first_wrong"]) == \
        ((4, 2, None) if backup else (2, 4, None))
    said = house.gate.penstock("audit").stdout
    assert f"anew, without desk:{3 if backup else 1} to desk:4: disk died" \
        in said, said
    # and it is the same for a gate that starts
    house.gate.kill()
    house.gate.start()
    assert submit(house).code == 250
    assert submit(house, "still").code == 451
    said = house.gate.penstock(*anew)
    assert said.returncode == 1 and "in order up to desk:6" in said.stderr


CASES = [
    ("an unknown tenant gets the nearest name",
     ["tenant", "pause", "acmee", "--reason", "r"], 1, 'did you mean "acme"'),
    ("no reason", ["tenant", "pause", "acme"], 2, "--reason"),
    ("an empty reason", ["tenant", "pause", "acme", "--reason", " "], 2,
     "empty"),
    ("two lines of reason",
     ["tenant", "pause", "acme", "--reason", "a\nb"], 2, "one line"),
    ("an end in the past", ["tenant", "pause", "acme", "--reason", "r",
     "--until", "2020-01-01"], 2, "that is over"),
    ("an end that is none", ["tenant", "pause", "acme", "--reason", "r",
     "--until", "soon"], 2, "tomorrow 08:00"),
    ("an unknown provider", ["tenant", "pause", "acme", "--reason", "r",
     "--provider", "gogle"], 1, "no provider"),
    ("an unknown stream", ["tenant", "pause", "acme", "--reason", "r",
     "--stream", "news"], 1, "no stream"),
    ("nothing to resume", ["tenant", "resume", "acme", "--reason", "r"], 1,
     "not paused by the desk"),
    ("an unknown limit gets the nearest name",
     ["limits", "reset", "acme", "dialy", "--reason", "r"], 1,
     'did you mean "daily"'),
    ("an open limit", ["limits", "reset", "bolt", "way", "--reason", "r"], 1,
     "still under way"),
    ("a sender that is none", ["limits", "reset", "many", "each", "--reason",
     "r", "--login", "a b"], 2, "space"),
    ("a limit of two kinds", ["limits", "reset", "acme", "twin", "--reason",
     "r"], 1, "throttle:twin"),
    ("a grant without an end", ["limits", "grant", "acme", "daily", "+5",
     "--reason", "r"], 2, "--until"),
    ("a grant without a plus", ["limits", "grant", "acme", "daily", "5",
     "--until", "1h", "--reason", "r"], 2, "+N"),
    ("a grant of nonsense", ["limits", "grant", "acme", "daily", "+x",
     "--until", "1h", "--reason", "r"], 2, "whole number"),
]


def test_mistakes_are_named_and_nothing_is_decided(build):
    house = build(policy=POLICY, tenants=TENANTS, keys={}, queue=False)
    for name, words, status, says in CASES:
        said = house.gate.penstock(*words)
        assert said.returncode == status, (name, said)
        assert says in said.stderr, (name, said.stderr)
        assert said.stdout == "", name
    assert not os.path.exists(f"{house.gate.store}/desk")
    said = house.gate.penstock("audit", "--verify")
    assert said.returncode == 0 and "nothing was ever decided" in said.stdout


def test_a_broken_policy_keeps_nobody_from_pausing(house):
    house.gate.write("policy.conf", "nonsense = \n")
    said = pause(house)
    assert said.returncode == 0, said.stderr
    assert "names are not checked" in said.stderr
    assert submit(house).code == 451


def test_tenant_list_has_those_that_made_themselves(house):
    for name in ("new", "other", "new"):
        smtp = house.client(f"me@{name}.example")
        assert send(smtp, f"me@{name}.example", ["r@example.org"],
                    message(f"me@{name}.example")).code == 250
        smtp.close()
    assert pause(house, tenant="idle.example").returncode == 0
    lines = [json.loads(x) for x in house.gate.penstock(
        "tenant", "list", "--json").stdout.splitlines()]
    assert [(x["tenant"], x["form"], x["class"]) for x in lines[4:]] == [
        ("new.example", "auto", "auto"), ("other.example", "auto", "auto"),
        ("idle.example", "auto", "auto")]
    assert lines[4]["rule"] == "policy.conf:5"
    assert lines[6]["paused_by"] == "desk:1"
    said = house.gate.penstock("tenant", "list").stdout
    assert "made by auto_tenant, of the mail of the last 7 days" in said
    # a domain that got a tenant of its own is no longer one
    house.gate.write("tenants.d/new.conf", 'tenant "shop" { '
                     'logins = {"*@new.example"}  '
                     'domains = {"new.example"} }\n')
    assert house.gate.reload().returncode == 0
    said = house.gate.penstock("tenant", "list").stdout
    assert "new.example" not in said and "shop" in said, said


def test_tenant_list_says_who_is_paused_by_what(house):
    assert pause(house, "--until", "2h").returncode == 0
    lines = [json.loads(x) for x in house.gate.penstock(
        "tenant", "list", "--json").stdout.splitlines()]
    by_name = {x["tenant"]: x for x in lines}
    assert list(by_name) == ["acme", "bolt", "many", "still"]
    assert by_name["acme"]["paused_by"] == "desk:1"
    assert by_name["acme"]["logins"] == 2
    assert by_name["acme"]["group"] == "agency"
    assert by_name["acme"]["desk"][0]["reason"] == "spam complaint 17"
    assert not by_name["bolt"]["paused"]
    assert by_name["still"]["paused_by"] == "tenants.d/still.conf:2"
    said = house.gate.penstock("tenant", "list").stdout
    assert "paused by desk:1 until" in said and "Europe/Madrid" in said


@pytest.mark.skipif(os.getuid() != 0, reason="needs to become another user")
def test_who_may_not_write_the_desk_is_told_whom_to_ask(build):
    house = build(policy=POLICY, tenants=TENANTS, keys={}, queue=False)
    assert pause(house, tenant="bolt").returncode == 0
    mode = os.stat(f"{house.gate.store}/desk").st_mode
    assert stat.S_IMODE(mode) == 0o2770
    # the rest of it may be read, so that the desk is what stops him
    for folder, _, files in os.walk(house.folder):
        if folder.endswith("/desk"):
            continue
        os.chmod(folder, 0o777)
        for name in files:
            os.chmod(f"{folder}/{name}", 0o666)
    run = subprocess.run(
        ["setpriv", "--reuid", "nobody", "--clear-groups", "--regid",
         "nogroup", os.path.abspath(os.path.join(
             os.environ.get("B", "build"), "penstock")),
         "-c", house.gate.conf, "tenant", "pause", "acme", "--reason", "r"],
        text=True, capture_output=True, cwd="/")
    assert run.returncode == 3, run
    assert "not decided" in run.stderr and "group" in run.stderr, run.stderr
