"""penstock snapshot: what providers say of us, from files, and asked for."""

import json
import os
import shutil
import subprocess
import tempfile

import proc
import pytest

LABEL = "Official provider reputation snapshot (point-in-time; confirm in " \
    "provider consoles for latest status)."
CONF = """\
store  = "{folder}/store"
policy = "{folder}/policy.conf"
map_size = "64 MiB"
snapshot {{
{more}}}
"""


class Desk:
    """A configuration and a store, and nobody but the command line."""

    def __init__(self, more=""):
        self.folder = tempfile.mkdtemp(prefix="penstock-")
        os.mkdir(f"{self.folder}/store")
        self.write("policy.conf", 'tenant "acme" { logins = {"acme"} '
                   'domains = {"acme.example"} }\n')
        self.write("penstock.conf", CONF.format(folder=self.folder,
                                                more=more))

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w") as f:
            f.write(text)
        return f"{self.folder}/{name}"

    def penstock(self, *words, status=0, stdin=""):
        done = subprocess.run(
            [f"{proc.BUILD}/penstock", "-c", f"{self.folder}/penstock.conf",
             *words], text=True, capture_output=True, input=stdin)
        assert done.returncode == status, done.stdout + done.stderr
        return done

    def bring(self, *words, status=0, **how):
        return self.penstock("snapshot", "import", *words, status=status,
                             **how)

    def list(self, *words):
        return json.loads(self.penstock("snapshot", "list", "--json",
                                        *words).stdout)

    def audit(self):
        return [json.loads(line) for line in self.penstock(
            "audit", "--json").stdout.splitlines()]


@pytest.fixture
def desk():
    made = Desk()
    yield made
    shutil.rmtree(made.folder)


def page(*days, token=None, metric="spam", domain="acme.example"):
    """Of Postmaster Tools: (day of August, value)."""
    one = {"domainStats": [
        {"name": f"domains/{domain}/domainStats/x", "metric": metric,
         "date": {"year": 2026, "month": 8, "day": day},
         "value": {"floatValue": value}} for day, value in days]}
    if token:
        one["nextPageToken"] = token
    return json.dumps(one)


def figures(listed):
    return {(r["subject"], r["metric"], r["period_start"]): r["value"]
            for r in listed["snapshots"]}


def test_pages_become_rows_once(desk):
    one = desk.write("one.json", page((3, 0.001), (4, 0.0), token="more"))
    two = desk.write("two.json", page((6, 0.002)))
    said = desk.bring("--provider", "google", "--reason", "monthly look",
                      one, two).stdout
    assert "4 rows, 4 new, 0 unchanged" in said
    got = desk.list("--all")
    assert got["label"] == LABEL
    assert figures(got) == {
        ("acme.example", "spam_rate", "2026-08-03"): "0.001",
        ("acme.example", "spam_rate", "2026-08-04"): "0",
        ("acme.example", "spam_rate", "2026-08-05"): None,
        ("acme.example", "spam_rate", "2026-08-06"): "0.002"}
    assert [r["state"] for r in got["snapshots"]] == [
        "AVAILABLE", "AVAILABLE", "NO_DATA", "AVAILABLE"]
    assert all(r["source"] == "file" and len(r["raw_sha256"]) == 64
               for r in got["snapshots"])
    audit = desk.audit()
    assert [(r["kind"], r["object"], r["amount"], r["provider"], r["reason"])
            for r in audit] == [("import", "one.json", 4, "google",
                                 "monthly look")]
    assert audit[0]["after"] == "snapshots, google, 2 files, 4 rows"
    desk.penstock("audit", "--verify")
    # again, as another file, and touched: nothing changes
    shutil.copy(two, f"{desk.folder}/copy.json")
    os.utime(one)
    for files in [(one, two), (f"{desk.folder}/copy.json",)]:
        assert "imported before; nothing changed" in \
            desk.bring("--provider", "google", *files).stdout
    assert len(desk.audit()) == 1
    assert desk.list("--all") == got


def test_later_files_win_and_older_ones_do_not(desk):
    new = desk.write("new.json", page((3, 0.002)))
    old = desk.write("old.json", page((3, 0.001)))
    desk.bring("--provider", "google", "--taken", "2026-08-09", new)
    said = desk.bring("--provider", "google", "--taken", "2026-08-08",
                      "--json", old).stdout
    assert json.loads(said)["unchanged"] == 1
    assert desk.list()["snapshots"][0]["value"] == "0.002"
    newest = desk.write("newest.json", page((3, 0.003)))
    desk.bring("--provider", "google", "--taken", "2026-08-10", newest)
    row = desk.list()["snapshots"][0]
    assert row["value"] == "0.003"
    assert row["snapshot_date"].startswith("2026-08-10T00:00:00")


def test_for_eyes(desk):
    assert "nothing yet" in desk.penstock("snapshot", "list").stdout
    desk.bring("--provider", "google", desk.write("a", page(
        (3, 0.001), (4, 0.002))))
    desk.bring("--provider", "microsoft", "-", stdin="192.0.2.10,"
               "8/3/2026 8:00 AM,8/3/2026 9:00 PM,9,9,9,YELLOW,< 0.1%,,,2"
               ",,,\n")
    said = desk.penstock("snapshot", "list").stdout
    lines = said.splitlines()
    assert lines[0] == LABEL
    assert lines[2].split()[:6] == ["PROVIDER", "SUBJECT", "METRIC", "VALUE",
                                    "OF", "STATE"]
    assert "0.002" in said and "0.001" in said      # "< 0.001"
    assert said.count("spam_rate") == 1             # the latest alone
    assert "calls this month: 0 of 200 (google 0 of 150, microsoft 0 of " \
        "50)" in said
    only = desk.penstock("snapshot", "list", "--provider", "Microsoft",
                         "--subject", "192.0.2.10").stdout
    assert "spam_rate" not in only and "YELLOW" in only
    upper = [r for r in desk.list()["snapshots"]
             if r["metric"] == "complaint_rate"]
    assert upper[0]["upper"] is True and upper[0]["value"] == "0.001"


@pytest.mark.parametrize("provider, text, state, said", [
    ("google", "<!doctype html><html>Sign in</html>", "NOT_AUTHORIZED",
     "sign in again"),
    ("google", page((3, 0.5))[:-9], "API_ERROR", "ends in the middle"),
    ("google", page((3, 0.5), token="x"), "API_ERROR", "a last page"),
    ("microsoft", "192.0.2.10,8/3/2026,8/3/2026,1,1,1,MAUVE,,,,,,,\n",
     "API_ERROR", "MAUVE"),
    ("dnsbl", "zen.spamhaus.org 192.0.2.10 NXDOMAIN\n", "REFUSED",
     "test points"),
    ("gmx", "a,b\n1,2\n", "API_ERROR", "our own columns"),
])
def test_a_state_and_never_a_zero(desk, provider, text, state, said):
    done = desk.bring("--provider", provider, "-", stdin=text, status=1)
    assert said in done.stderr
    bad = [r for r in desk.list("--all")["snapshots"]
           if r["state"] not in ("AVAILABLE", "NO_DATA")]
    assert [r["state"] for r in bad] == [state]
    assert bad[0]["value"] is None and said in bad[0]["note"]
    assert len(desk.audit()) == 1


def test_what_failed_is_over_when_figures_came(desk):
    desk.bring("--provider", "google", "--subject", "acme.example",
               "--taken", "2026-08-08", "-", stdin="<html>", status=1)
    assert [r["metric"] for r in desk.list()["snapshots"]] == ["all"]
    desk.bring("--provider", "google", "--taken", "2026-08-09", "-",
               stdin=page((3, 0.5)))
    assert [r["metric"] for r in desk.list()["snapshots"]] == ["spam_rate"]


def test_a_dry_run_stores_nothing(desk):
    said = desk.bring("--provider", "google", "--dry-run", "-",
                      stdin=page((3, 0.5))).stdout
    assert "1 rows (a dry run" in said
    assert desk.list()["snapshots"] == []
    assert not os.path.exists(f"{desk.folder}/store/desk")


def test_our_own_columns(desk):
    done = desk.bring("--provider", "gmx", "-", status=1, stdin=(
        "subject,metric,value,unit,period_start\n"
        "acme.example,complaint_rate,0.002,share,2026-08-03\n"
        "acme.example,complaint_rate,2,share,2026-08-04\n"))
    assert '1 rows are refused; line 3: value: "2" is no share' in \
        done.stderr
    assert figures(desk.list()) == {
        ("acme.example", "complaint_rate", "2026-08-03"): "0.002"}


@pytest.mark.parametrize("words, status, said", [
    ([], 2, "usage"),
    (["--provider", "google"], 2, "usage"),
    (["--provider", "a b", "-"], 2, "no name of a provider"),
    (["--provider", "google", "--taken", "in 3 days", "-"], 2, "to come"),
    (["--provider", "google", "--reason", "a\nb", "-"], 2, "--reason"),
    (["--provider", "google", "/nowhere"], 3, "No such file"),
])
def test_import_says_what_is_wrong(desk, words, status, said):
    assert said in desk.bring(*words, status=status).stderr
    assert not os.path.exists(f"{desk.folder}/store/desk")


ASK = ["--provider", "google", "--subject", "acme.example", "--incident",
       "INC-7", "--approver", "Ada", "--reason", "complaints rise"]


def without(words, option):
    at = words.index(option)
    return words[:at] + words[at + 2:]


def test_a_request_is_explained_or_recorded():
    desk = Desk(more='google_credentials = "cred.json"\n')
    try:
        def ask(*words, status):
            return desk.penstock("snapshot", "request", *words,
                                 status=status)
        for option in ("--incident", "--approver", "--reason"):
            assert f"a request needs {option}" in ask(
                *without(ASK, option), "--severity", "high",
                status=2).stderr
        assert "waits for the next refresh" in ask(
            *ASK, "--severity", "low", status=1).stderr
        assert "names no credentials" in ask(
            *["microsoft" if w == "google" else w for w in ASK],
            "--severity", "high", status=1).stderr
        assert "bring files" in ask(
            *["yahoo" if w == "google" else w for w in ASK],
            "--severity", "high", status=1).stderr
        said = ask(*ASK, "--severity", "high", status=0).stdout
        assert "desk:1 is recorded" in said
        row = desk.audit()[0]
        assert (row["kind"], row["provider"], row["object"], row["before"],
                row["after"], row["reason"]) == (
            "snapshot-request", "google", "acme.example",
            "incident INC-7 (high)", "approved by Ada", "complaints rise")
    finally:
        shutil.rmtree(desk.folder)
