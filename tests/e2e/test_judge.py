"""penstock-alert judges weeks when they are over: a gate's store, and a watch/
that tests/lib/judge.c fills."""

import json
import os
import subprocess

import gate
import proc
import pytest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
POLICY = """\
timezone = "UTC"
tenant "bad" { logins = {"bad"}  domains = {"bad.example"} }
"""


@pytest.fixture
def one(tmp_path):
    """A gate that was there a moment ago, and nine weeks of mail."""
    g = gate.Gate(str(tmp_path / "gate"), POLICY,
                  blocks='alert { user = "" }\n'
                  f'reputation = "{tmp_path}/r.conf"\n')
    with open(os.path.join(ROOT, "conf/reputation.conf"),
              encoding="utf-8") as f:
        (tmp_path / "r.conf").write_text(f.read())
    g.start()
    g.stop()
    subprocess.run(["make", "-s", "--no-print-directory",
                    f"{proc.BUILD}/judge", f"B={proc.BUILD}"], cwd=ROOT,
                   check=True, capture_output=True)
    subprocess.run([f"{proc.BUILD}/judge", g.store, "unjudged"], check=True,
                   capture_output=True)
    yield g
    g.kill()


def once(g, status=0):
    got = subprocess.run([gate.program("penstock-alert"), "-c", g.conf,
                          "--once"], capture_output=True, text=True)
    assert got.returncode == status, got.stderr
    return got.stdout + got.stderr


def explain(g, who, *more):
    got = g.penstock("report", "explain", who, "--json", *more)
    assert got.returncode == 0, got.stderr
    return json.loads(got.stdout)


def test_weeks_that_are_over_are_judged_in_order(one, tmp_path):
    once(one)
    last = explain(one, "tenant:bad")
    # unsubscribes are not known: there is no consent/ store
    assert last["tier"] == "Critical" and last["before"] == "Critical"
    assert not last["signals"]["unsubscribe"]["known"]
    said = one.penstock("report", "explain", "bad").stdout
    assert said.count("Critical (") >= 7, said      # the weeks before
    advice = one.penstock("advice", "list", "--json").stdout
    assert '"what":"throttle"' in advice
    once(one)                           # nothing is judged twice
    assert one.penstock("advice", "list", "--json").stdout == advice
    # other knots judge the weeks to come, not those that were
    text = (tmp_path / "r.conf").read_text()
    (tmp_path / "r.conf").write_text(text.replace('"10 %: 50"', '"11 %: 30"'))
    once(one)
    assert explain(one, "tenant:bad")["points"] == last["points"]


def test_a_wrong_file_is_said_and_nobody_is_judged(one, tmp_path):
    text = (tmp_path / "r.conf").read_text()
    (tmp_path / "r.conf").write_text(text.replace("watch = 10", "watch = 90"))
    said = once(one, status=3)
    assert "r.conf:" in said and "tiers rise" in said
    assert "nobody can be judged" in said
    for more, status in ((["-n"], 3), ([], 78)):    # systemd starts it once
        got = subprocess.run([gate.program("penstock-alert"), "-c", one.conf,
                              *more], capture_output=True, text=True)
        assert got.returncode == status and "tiers rise" in got.stderr
    (tmp_path / "r.conf").write_text(text)
    assert one.penstock("report", "explain", "bad").returncode == 1


def test_the_gate_passes_over_what_is_no_business_of_its(one):
    once(one)
    first = json.loads(one.penstock("advice", "list", "--json")
                       .stdout.split("\n")[0])
    one.start()
    said = one.penstock("advice", "apply", first["id"], "--reason", "yes")
    assert said.returncode == 0 and "desk:1" in said.stdout, said.stderr
    # the next decision is in force, so the gate has read the one before
    said = one.penstock("tenant", "pause", "bad", "--reason", "a test")
    assert said.returncode == 0, said.stderr
    assert "in force since" in said.stdout
    assert one.penstock("audit", "--verify").returncode == 0
    assert one.penstock("status").returncode == 0
