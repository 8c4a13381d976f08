"""Providers are asked: what they answer, what they do not, and what it costs.

tests/snapshots/fetch makes one round of penstock-alert's questions at a set
time, against a server of ours (tests/lib/provider.py).
"""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import proc
import provider as provider_
import pytest

NOW = 1790856000                # 2026-10-01 12:00 UTC
DAY = 86400
QUERY = "/v2/domains/{}/domainStats:query"
STATUS = "/v2/domains/{}/complianceStatus"
SECRET = {"client_id": "id-7", "client_secret": "s3cret", "refresh_token":
          "refr3sh/+&"}
KEY = "5nds-k3y"
CONF = """\
store  = "{folder}/store"
policy = "{folder}/policy.conf"
map_size = "64 MiB"
snapshot {{
	google_url = "{url}"
	google_token_url = "{url}/token"
	microsoft_url = "{url}/snds"
	timeout = "5 seconds"
{more}}}
"""
DATA = "192.0.2.10,9/30/2026 8:00 AM,9/30/2026 9:00 PM,9,9,9,GREEN," \
    "< 0.1%,,,0,,,\n"


class World:
    def __init__(self, more="", tls=False, google=True, microsoft=False,
                 domains=("acme.example",)):
        self.folder = tempfile.mkdtemp(prefix="penstock-")
        os.mkdir(f"{self.folder}/store")
        self.server = provider_.Provider(self.folder if tls else None)
        if google:
            provider_.secret(f"{self.folder}/google.json", **SECRET)
            more += '\tgoogle_credentials = "google.json"\n'
            names = ", ".join(f'"{d}"' for d in domains)
            more += f"\tgoogle_domains = {{{names}}}\n"
        if microsoft:
            provider_.secret(f"{self.folder}/snds.json", key=KEY)
            more += '\tmicrosoft_credentials = "snds.json"\n'
        self.write("policy.conf", 'tenant "acme" { logins = {"acme"} '
                   'domains = {"acme.example"} }\n')
        self.write("penstock.conf", CONF.format(
            folder=self.folder, url=self.server.url, more=more))
        self.said = ""

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w") as f:
            f.write(text)

    def close(self):
        self.server.close()
        shutil.rmtree(self.folder)

    def fetch(self, *seeds, now=NOW, env=None):
        """One round; how many refreshes were begun."""
        done = subprocess.run(
            [f"{proc.BUILD}/snapshots/fetch", f"{self.folder}/penstock.conf",
             str(now), *seeds], text=True, capture_output=True, timeout=120,
            env={**os.environ, **(env or {})})
        self.said += done.stderr
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    def penstock(self, *words, status=0):
        done = subprocess.run(
            [f"{proc.BUILD}/penstock", "-c", f"{self.folder}/penstock.conf",
             *words], text=True, capture_output=True)
        self.said += done.stdout + done.stderr
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def rows(self):
        return json.loads(self.penstock("snapshot", "list", "--json",
                                        "--all"))["snapshots"]

    def states(self):
        """Of what is about whole answers: (state, note)."""
        return [(r["state"], r["note"]) for r in self.rows()
                if r["metric"] == "all"]

    def calls(self):
        """As counted: by the wall clock's month, so from the log."""
        return [int(n) for n in re.findall(r"\((\d+) of \d+ this month\)",
                                           self.said)]


@pytest.fixture
def world():
    made = []

    def one(**how):
        made.append(World(**how))
        return made[-1]
    yield one
    for w in made:
        # a secret is nowhere but in its file
        for word in ("s3cret", "refr3sh", KEY, "acc3ss"):
            assert word not in w.said
        w.close()


def entry(metric, day, value, domain="acme.example"):
    return {"name": f"domains/{domain}/domainStats/x", "metric": metric,
            "date": {"year": 2026, "month": 9, "day": day},
            "value": {"doubleValue": value}}


def page(*entries, token=None):
    one = {"domainStats": list(entries)}
    if token:
        one["nextPageToken"] = token
    return (200, {"Content-Type": "application/json"}, one)


def token(word="acc3ss"):
    return (200, {}, {"access_token": word, "expires_in": 3599,
                      "token_type": "Bearer"})


def google(w, domain="acme.example", *pages):
    w.server.says("/token", token())
    w.server.says(QUERY.format(domain), *(pages or [page()]))
    w.server.says(STATUS.format(domain), (200, {}, {
        "name": f"domains/{domain}/complianceStatus", "complianceData": {
            "domainId": domain, "rowData": [
                {"requirement": "SPF", "status": {"status": "COMPLIANT"}}]}}))


def test_pages_to_the_last_one(world):
    w = world()
    google(w, "acme.example", page(entry("spam_rate", 3, 0.001), token="p2"),
           page(entry("auth_success_rate_spf", 3, 1), token="p3"),
           page(entry("spam_rate", 30, 0.002)))
    assert w.fetch("acme.example:30") == 1
    assert w.server.paths() == ["/token"] + 3 * [QUERY.format(
        "acme.example")] + [STATUS.format("acme.example")]
    asked = w.server.asked
    assert asked[0].form == {"grant_type": "refresh_token", **SECRET}
    assert [a.token for a in asked[1:]] == 4 * ["acc3ss"]
    assert [a.json.get("pageToken") for a in asked[1:4]] == [None, "p2", "p3"]
    question = asked[1].json
    assert question["pageSize"] == 200
    assert question["timeQuery"]["dateRanges"]["dateRanges"] == [
        {"start": {"year": 2026, "month": 9, "day": 1},
         "end": {"year": 2026, "month": 9, "day": 30}}]
    assert question["metricDefinitions"][1] == {
        "name": "auth_success_rate_spf", "baseMetric": {
            "standardMetric": "AUTH_SUCCESS_RATE"},
        "filter": 'auth_type = "spf"'}
    rows = {(r["metric"], r["period_start"]): r for r in w.rows()}
    assert rows["spam_rate", "2026-09-03"]["value"] == "0.001"
    assert rows["spam_rate", "2026-09-30"]["value"] == "0.002"
    assert rows["spam_rate", "2026-09-04"]["state"] == "NO_DATA"
    assert rows["spam_rate", "2026-09-01"]["state"] == "NO_DATA"
    assert rows["auth_success_rate:spf", "2026-09-03"]["value"] == "1"
    assert rows["tls_encryption_rate:inbound", "2026-09-01"][
        "state"] == "NO_DATA"
    assert rows["compliance:spf", "2026-10-01"]["value"] == "COMPLIANT"
    assert {r["source"] for r in rows.values()} == {"api"}
    assert rows["spam_rate", "2026-09-03"]["snapshot_date"].startswith(
        "2026-10-01T12:00:00")
    assert w.calls() == [5]


def test_thirty_days_of_mail_and_thirty_days_apart(world):
    w = world()
    google(w, "acme.example", page(entry("spam_rate", 30, 0.002)))
    assert w.fetch("acme.example:29") == 0
    assert w.server.asked == []
    assert w.fetch("news.acme.example:30") == 1
    asked = len(w.server.asked)
    assert w.fetch(now=NOW + 30 * DAY - 1) == 0
    assert len(w.server.asked) == asked
    assert w.fetch(now=NOW + 30 * DAY) == 1
    row = w.rows()[0]
    assert row["next_eligible_refresh"].startswith("2026-11-30T12:00:00")


def test_the_list_says_who_is_asked_and_why_not(world):
    w = world(domains=("a.example", "b.example"), microsoft=True)
    w.server.says("/snds/data.aspx", (200, {}, DATA))
    w.server.says("/snds/ipStatus.aspx", (200, {}, ""))
    google(w, "a.example", page(entry("spam_rate", 30, 0.002, "a.example")))
    assert "penstock-alert has not counted any mail yet" in w.penstock(
        "snapshot", "list")
    now = int(time.time())
    assert w.fetch("a.example:31", "b.example:7", now=now) == 2
    said = w.penstock("snapshot", "list")
    assert "b.example has had mail on 7 days; a provider is asked from 30 " \
        "days on" in said
    when = time.strftime("%Y-%m-%d", time.gmtime(now + 31 * DAY - 1))
    for subject in ("google about a.example", "microsoft about account"):
        assert f"{subject}: it was asked a short while ago; the next " \
            f"refresh is from {when} on" in said
    got = json.loads(w.penstock("snapshot", "list", "--json"))
    assert [(a["provider"], a["subject"], a["eligible"]) for a in
            got["asked"]] == [("google", "a.example", False),
                              ("google", "b.example", False),
                              ("microsoft", "account", False)]
    assert got["budget"]["calls"] == 5


def test_a_token_that_is_over(world):
    w = world()
    google(w, "acme.example", (401, {}, {"error": {"code": 401}}),
           page(entry("spam_rate", 30, 0.002)))
    w.server.says("/token", token("acc3ss-1"), token("acc3ss-2"))
    assert w.fetch("acme.example:30") == 1
    assert w.server.paths()[:4] == ["/token", QUERY.format("acme.example"),
                                    "/token", QUERY.format("acme.example")]
    assert [a.token for a in w.server.asked] == [
        "", "acc3ss-1", "", "acc3ss-2", "acc3ss-2"]
    assert w.states() == []


def test_twice_401_is_an_answer(world):
    w = world()
    google(w, "acme.example", (401, {}, {"error": {"code": 401}}))
    assert w.fetch("acme.example:30") == 1
    assert w.server.paths() == 2 * ["/token", QUERY.format("acme.example")]
    assert w.states()[0][0] == "NOT_AUTHORIZED"
    # and it is tried again the next day, not the next hour
    assert w.fetch(now=NOW + DAY - 1) == 0
    assert w.fetch(now=NOW + DAY) == 1


def test_no_token_costs_one_call(world):
    w = world(domains=("a.example", "b.example", "c.example"))
    w.server.says("/token", (400, {}, {"error": "invalid_grant"}))
    assert w.fetch("a.example:30", "b.example:30", "c.example:30") == 1
    assert w.server.paths() == ["/token"]
    assert w.states()[0][0] == "NOT_AUTHORIZED"
    assert "refresh token" in w.states()[0][1]


@pytest.mark.parametrize("answer, state, said", [
    ((500, {}, "oops"), "API_ERROR", "HTTP 500"),
    ((502, {}, "<html>Bad Gateway</html>"), "API_ERROR", "HTTP 502"),
    ((403, {}, {"error": {"code": 403}}), "NOT_AUTHORIZED", "HTTP 403"),
    ((302, {"Location": "https://accounts.example/"}, ""), "API_ERROR",
     "elsewhere"),
    ((200, {}, "<!doctype html><html>Sign in</html>"), "NOT_AUTHORIZED",
     "sign in again"),
    ((200, {}, '{"domainStats":[{"name":'), "API_ERROR",
     "ends in the middle"),
    ((200, {"cut": 20}, json.dumps({"domainStats": [entry("spam", 3, 0)]})),
     "API_ERROR", "no answer"),
    ((200, {"slow": True, "cut": 5}, "{" + 20 * " " + "}"), "API_ERROR",
     "no answer"),
    ((200, {}, b"[" * 17000000), "API_ERROR", "more than 16777216 bytes"),
    ((200, {}, '{"weather":"fine"}'), "API_ERROR", "no answer of Postmaster"),
])
def test_a_state_and_never_a_zero(world, answer, state, said):
    w = world(more='' if said != "no answer" else "")
    google(w, "acme.example", answer)
    assert w.fetch("acme.example:30") == 1
    whole = w.states()
    assert [s for s, _ in whole] == [state] and said in whole[0][1]
    assert not any(r["value"] is not None and r["metric"] == "spam_rate"
                   for r in w.rows())
    assert "some of it failed" in w.said


@pytest.mark.parametrize("wait, days", [("172800", 2), (
    "Tue, 06 Oct 2026 12:00:00 GMT", 5), ("60", 1)])
def test_asked_too_often(world, wait, days):
    w = world()
    google(w, "acme.example", (429, {"Retry-After": wait}, "slow down"))
    assert w.fetch("acme.example:30") == 1
    assert "asked too often; it asks to wait for" in w.states()[0][1]
    assert w.fetch(now=NOW + days * DAY - 1) == 0
    assert w.fetch(now=NOW + days * DAY) == 1


def test_asked_to_wait_for_ever(world):
    w = world()
    google(w, "acme.example", (429, {
        "Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, "slow down"))
    assert w.fetch("acme.example:30") == 1
    assert "it asks to wait for 34560000 s" in w.states()[0][1]


def test_pages_without_end(world):
    w = world(more="\tcalls = 1000\n\tgoogle_calls = 1000\n")
    google(w, "acme.example", page(token="again"))
    assert w.fetch("acme.example:30") == 1
    assert len(w.server.asked) == 101
    assert "no last one" in w.states()[0][1]


def test_the_number_of_calls_ends_it(world):
    w = world(more="\tcalls = 4\n", domains=("a.example", "b.example"))
    for domain in ("a.example", "b.example"):
        google(w, domain, page(entry("spam_rate", 30, 0.002, domain)))
    assert w.fetch("a.example:30", "b.example:30") == 2
    # token, query, status of the first; the query of the second
    assert len(w.server.asked) == 4
    assert w.states()[0][0] == "REFUSED"
    assert "all 4 calls of this month are used" in w.states()[0][1]
    # the next month both may be asked again
    assert w.fetch(now=NOW + 32 * DAY) == 2


def test_a_call_is_one_of_the_month_in_which_it_is_made(world):
    w = world()

    def late(_):
        time.sleep(4)               # it is October when the token comes
        return token()
    google(w, "acme.example", page(entry("spam_rate", 29, 0.002)))
    w.server.says("/token", late)
    assert w.fetch("acme.example:30", now=NOW - 12 * 3600 - 3) == 1
    assert len(w.server.asked) == 3
    assert w.calls() == [2]


def test_a_name_server_that_never_answers(world):
    w = world()
    google(w)
    with open(f"{w.folder}/penstock.conf") as f:
        text = f.read()
    w.write("penstock.conf", text.replace(
        f'google_url = "{w.server.url}"', 'google_url = "https://hang.example"'
    ))
    assert w.fetch("acme.example:30", env={"FETCH_HANGS": "hang.example"}) == 1
    assert w.states() == [("API_ERROR", "no answer: Timeout was reached")]


def test_killed_while_it_asks(world):
    w = world()
    google(w, "acme.example", (200, {"slow": True, "cut": 1}, "{}"))
    now = int(time.time())
    process = proc.start(
        [f"{proc.BUILD}/snapshots/fetch", f"{w.folder}/penstock.conf",
         str(now), "acme.example:30"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    proc.wait_for(lambda: len(w.server.asked) == 2, 60, "the second call")
    assert proc.stop(process, signal.SIGKILL) == -signal.SIGKILL
    # both calls are counted, and it does not begin again by itself
    listed = json.loads(w.penstock("snapshot", "list", "--json"))
    assert listed["budget"]["calls"] == 2
    assert w.fetch(now=now + 60) == 0
    assert len(w.server.asked) == 2


def test_a_request_is_done_once(world):
    w = world()
    google(w, "acme.example", page(entry("spam_rate", 30, 0.002)))
    google(w, "other.example", page(entry("spam_rate", 30, 0.003,
                                          "other.example")))
    ask = ["snapshot", "request", "--provider", "google", "--incident", "I7",
           "--severity", "high", "--approver", "Ada", "--reason", "why"]
    w.penstock(*ask, "--subject", "other.example")
    assert w.fetch() == 1
    assert [r["value"] for r in w.rows() if r["subject"] == "other.example"
            and r["value"] and r["metric"] == "spam_rate"] == ["0.003"]
    assert w.fetch(now=NOW + 1) == 0
    w.penstock(*ask, "--subject", "not a domain")
    assert w.fetch(now=NOW + 2) == 0
    assert [(s, "no domain" in n) for s, n in w.states()] == [
        ("REFUSED", True)]
    assert w.fetch(now=NOW + 3) == 0
    assert "desk:2 (google about not a domain) is not done" in w.said


@pytest.fixture
def daemon():
    """penstock-alert itself, which has no set time."""
    made = []

    def start(w):
        log = open(f"{w.folder}/alert.log", "a")
        made.append(proc.start(
            [f"{proc.BUILD}/penstock-alert", "-c",
             f"{w.folder}/penstock.conf"], stdout=log, stderr=log,
            env={**os.environ, "NOTIFY_SOCKET": ""}))
        log.close()
        return made[-1]
    yield start
    for process in made:
        proc.stop(process, signal.SIGKILL)


def test_the_daemon_obeys_a_request(world, daemon):
    w = world(domains=())
    google(w, "acme.example", page())
    w.penstock("snapshot", "request", "--provider", "google", "--incident",
               "I7", "--severity", "critical", "--approver", "Ada",
               "--reason", "why", "--subject", "acme.example")
    process = daemon(w)
    proc.wait_for(lambda: any(r["metric"] == "compliance:spf" for r in
                              w.rows()), 60, "the answer")
    listed = json.loads(w.penstock("snapshot", "list", "--json"))
    assert listed["budget"]["calls"] == len(w.server.asked) == 3
    # it ends at once, also in the middle of a call
    w.server.says(QUERY.format("acme.example"),
                  (200, {"slow": True, "cut": 1}, "{}"))
    w.penstock("snapshot", "request", "--provider", "google", "--incident",
               "I8", "--severity", "critical", "--approver", "Ada",
               "--reason", "why", "--subject", "acme.example")
    proc.wait_for(lambda: len(w.server.asked) == 5, 60, "another question")
    assert proc.stop(process, signal.SIGTERM, 30) == 0
    with open(f"{w.folder}/alert.log") as f:
        w.said += f.read()
    assert "snapshot: google about acme.example" in w.said


def test_snds(world):
    w = world(google=False, microsoft=True)
    w.server.says("/snds/data.aspx", (200, {}, ""), (200, {}, DATA))
    w.server.says("/snds/ipStatus.aspx", (200, {}, "192.0.2.11,192.0.2.11,"
                                          "Yes,Blocked\n"))
    assert w.fetch("acme.example:30") == 1
    assert [(a.path, a.query) for a in w.server.asked] == [
        ("/snds/data.aspx", {"key": KEY, "date": "093026"}),
        ("/snds/data.aspx", {"key": KEY, "date": "092926"}),
        ("/snds/ipStatus.aspx", {"key": KEY})]
    got = {(r["subject"], r["metric"]): r["value"] for r in w.rows()}
    assert got["192.0.2.10", "filter_result"] == "GREEN"
    assert got["192.0.2.11", "blocked"] == "yes"
    assert w.calls() == [3]
    # all our addresses are one subject
    assert w.fetch(now=NOW + DAY) == 0


def test_snds_without_a_day(world):
    w = world(google=False, microsoft=True)
    w.server.says("/snds/data.aspx", (200, {}, ""))
    w.server.says("/snds/ipStatus.aspx", (200, {}, ""))
    assert w.fetch("acme.example:30") == 1
    assert len(w.server.asked) == 5
    assert [s for s, _ in w.states()] == ["NO_DATA"]


def test_snds_wants_somebody_to_sign_in(world):
    w = world(google=False, microsoft=True)
    w.server.says("/snds/data.aspx", (200, {}, "<html>Sign in</html>"))
    w.server.says("/snds/ipStatus.aspx", (200, {}, "<html>Sign in</html>"))
    assert w.fetch("acme.example:30") == 1
    assert [s for s, _ in w.states()] == ["NOT_AUTHORIZED"]


@pytest.mark.parametrize("spoil, said", [
    (lambda path: os.chmod(path, 0o640), "may be read by others"),
    (os.unlink, "No such file"),
    (lambda path: open(path, "w").close(), "no JSON object"),
    (lambda path: provider_.secret(path, client_id="x"), "has neither key"),
])
def test_credentials_that_are_no_good(world, spoil, said):
    w = world()
    google(w)
    spoil(f"{w.folder}/google.json")
    assert w.fetch("acme.example:30") == 1
    assert w.server.asked == []
    assert w.states()[0][0] == "NOT_AUTHORIZED" and said in w.states()[0][1]


def test_tls_is_verified(world):
    w = world(tls=True)
    google(w, "acme.example", page(entry("spam_rate", 30, 0.002)))
    assert w.fetch("acme.example:30") == 1
    assert w.server.asked == []
    assert "no answer: SSL" in w.states()[0][1]
    trusting = world(tls=True, more='\tcertificates = "ca.pem"\n')
    google(trusting, "acme.example", page(entry("spam_rate", 30, 0.002)))
    assert trusting.fetch("acme.example:30") == 1
    assert len(trusting.server.asked) == 3


def test_no_proxy_of_the_environment(world):
    w = world()
    google(w, "acme.example", page(entry("spam_rate", 30, 0.002)))
    nowhere = f"http://127.0.0.1:{proc.port()}"
    assert w.fetch("acme.example:30", env={
        "http_proxy": nowhere, "https_proxy": nowhere,
        "ALL_PROXY": nowhere}) == 1
    assert len(w.server.asked) == 3
