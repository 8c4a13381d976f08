"""Scores, what they recommend, and what people make of it: the command line
on a store that tests/lib/judge.c fills."""

import json
import os
import re
import stat
import subprocess

import gate
import proc
import pytest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
LABEL = ("Internal reputation model - directional guidance, not a mailbox "
         "provider score.")
POLICY = """\
timezone = "UTC"
pool "b2b" {{ {pool} address "192.0.2.10" {{ helo = "m.example" transport = "b2b1" {address} }} }}
tenant "bad" {{
	logins = {{"bad"}}  domains = {{"bad.example"}}
	pool "b2b" {{ }}
	{tenant}
}}
"""


class Desk:
    """A folder with a configuration, a policy and a watch/ that is filled."""

    def __init__(self, folder, more=""):
        self.folder = str(folder)
        os.makedirs(f"{folder}/store")
        self.policy()
        with open(f"{folder}/penstock.conf", "w", encoding="utf-8") as f:
            f.write(f'store = "{folder}/store"\nmap_size = "1 GiB"\n'
                    f'policy = "{folder}/policy.conf"\n{more}')
        subprocess.run(["make", "-s", "--no-print-directory",
                        f"{proc.BUILD}/judge", f"B={proc.BUILD}"], cwd=ROOT,
                       check=True, capture_output=True)
        subprocess.run([f"{proc.BUILD}/judge", f"{folder}/store"],
                       check=True, capture_output=True)

    def policy(self, **lines):
        lines = {"pool": "", "address": "", "tenant": "", **lines}
        with open(f"{self.folder}/policy.conf", "w", encoding="utf-8") as f:
            f.write(POLICY.format(**lines))

    def run(self, *words, status=0):
        got = subprocess.run([gate.program("penstock"), "-c",
                              f"{self.folder}/penstock.conf", *words],
                             capture_output=True, text=True)
        assert got.returncode == status, (got.stdout, got.stderr)
        return got.stdout if status == 0 else got.stdout + got.stderr

    def lines(self, *words):
        return [json.loads(x) for x in self.run(*words, "--json").split("\n")
                if x]


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path / "one")


def test_a_score_explains_itself(desk):
    said = desk.run("report", "explain", "tenant:bad")
    assert LABEL in said
    assert "Critical, 87.1 points at least" in said
    assert ("58.0  hard bounces: at least 11.6 % (1,260 of 10,500 "
            "recipients)") in said
    assert re.search(r"unsubscribe +n/a", said)
    one = json.loads(desk.run("report", "explain", "bad", "--json"))
    assert one["tier"] == "Critical" and one["holds"] and one["label"] == LABEL
    assert abs(sum(s["points"] for s in one["signals"].values())
               - one["points"]) < 0.01
    assert not one["signals"]["unsubscribe"]["known"]
    week = one["week"]
    again = desk.run("report", "explain", "bad", "--week", week)
    assert again == said
    assert desk.run("report", "explain", "bad", "--week", "last") == said
    assert "no score" in desk.run("report", "explain", "bad", "--week",
                                  "1999-W01", status=1)
    assert "2026-W47" in desk.run("report", "explain", "bad", "--week",
                                  "2025-W53", status=2)
    assert "no score" in desk.run("report", "explain", "nobody", status=1)
    assert "Healthy" in desk.run("report", "explain", "good")


def test_who_breaks_rules_and_sends_little_is_told_why(desk):
    said = desk.run("report", "explain", "rogue")
    assert "At Risk, by the rules of the house alone: 25.0 points" in said
    assert "weeks before" not in said


def test_a_wrong_file_of_knots_judges_nobody(tmp_path):
    desk = Desk(tmp_path / "one", f'reputation = "{tmp_path}/r.conf"\n')
    with open(os.path.join(ROOT, "conf/reputation.conf"),
              encoding="utf-8") as f:
        text = f.read()
    good = text.replace('"2 %: 10"', '"3 %: 10"')
    (tmp_path / "r.conf").write_text(good.replace("watch = 10", "watch = 70"))
    said = desk.run("report", "explain", "bad", status=3)
    assert re.search(r"r\.conf:\d+:1: error: tiers rise", said), said
    # other knots that are good: what was judged stays what it was
    (tmp_path / "r.conf").write_text(good)
    assert "DOES NOT HOLD" not in desk.run("report", "explain", "bad")
    (tmp_path / "r.conf").unlink()
    assert "there is no file" in desk.run("report", "explain", "bad",
                                          status=3)


def test_advice_is_decided_by_people_and_audited(desk):
    all_ = desk.lines("advice", "list")
    assert {x["state"] for x in all_} == {"open"}
    throttle = next(x for x in all_ if x["kind"] == "tenant"
                    and x["what"] == "throttle")
    assert throttle["name"] == "bad" and throttle["object"] == "yahoo"
    assert "560 of 5,600 recipients (10.0 %)" in throttle["text"]
    assert throttle["text"] in desk.run("advice", "list")
    said = desk.run("advice", "apply", throttle["id"], "--reason",
                    "agreed with the customer")
    assert "on record as applied: desk:1" in said
    assert ('cap "advice" { to = "provider:yahoo"  limit = "200/day" }'
            in said)
    review = next(x for x in all_ if x["what"] == "review tenants")
    desk.run("advice", "dismiss", review["id"], "--reason", "known, a test")
    for words in (("apply", throttle["id"]), ("dismiss", throttle["id"])):
        assert "applied already: desk:1" in desk.run(
            "advice", *words, "--reason", "again", status=1)
    assert "no advice" in desk.run("advice", "apply", "aaaaaaaaaa",
                                   "--reason", "x", status=1)
    assert "--reason" in desk.run("advice", "apply", review["id"], status=2)
    now = {x["id"]: x for x in desk.lines("advice", "list")}
    assert now[throttle["id"]]["state"] == "applied"
    assert now[throttle["id"]]["reason"] == "agreed with the customer"
    assert now[review["id"]]["state"] == "dismissed"
    assert len(now) == len(all_)
    audit = desk.lines("audit")
    assert [(x["kind"], x["object"]) for x in audit] == [
        ("advice-apply", throttle["id"]), ("advice-dismiss", review["id"])]
    assert audit[0]["tenant"] == "bad"
    assert "tenant bad: throttle yahoo" in audit[0]["before"]
    assert "whole" in desk.run("audit", "--verify")


def test_what_apply_says_can_be_written_into_the_policy(desk):
    wanted = {"tenant": None, "pool": None, "address": None}
    for x in desk.lines("advice", "list"):
        if x["what"] == "throttle":
            said = desk.run("advice", "apply", x["id"], "--reason", "yes")
            wanted[x["kind"]] = re.search(r'cap "advice" \{.*?\}',
                                          said).group(0)
    assert all(wanted.values()), wanted
    desk.policy(**wanted)
    desk.run("policy", "check")


def test_scores_are_held_against_what_providers_say(desk, tmp_path):
    out = str(tmp_path / "suggested.conf")
    got = json.loads(desk.run("report", "calibrate", "--suggest", out,
                              "--json"))
    assert got["pairs"] == 24 and got["enough"] and got["agree"] == 12
    assert sum(sum(row) for row in got["matrix"]) == 24
    assert got["matrix"][1] == [12, 12, 0, 0]
    assert len(got["disagreements"]) == 12
    assert "hard bounces" in got["disagreements"][0]["why"]
    assert [(x["signal"], x["was"], x["agree"]) for x in got["suggestions"]
            ] == [("bounce", 0.02, 24)]
    assert stat.S_IMODE(os.stat(out).st_mode) == 0o644
    # it is never written over, and it is a file that can be used
    assert "there already" in desk.run("report", "calibrate", "--suggest",
                                       out, status=3)
    with open(f"{desk.folder}/penstock.conf", "a", encoding="utf-8") as f:
        f.write(f'reputation = "{out}"\n')
    desk.run("report", "explain", "bad")
    said = desk.run("report", "calibrate", "--quarter", "1999Q1", status=1)
    assert "not enough evidence: 0 pairs" in said


def test_a_list_with_nothing_in_it_says_so(tmp_path):
    desk = Desk(tmp_path / "one")
    subprocess.run(["rm", "-rf", f"{desk.folder}/store/watch"], check=True)
    assert "penstock-alert" in desk.run("advice", "list", status=3)
