"""The policies that people copy: conf/policy.conf, conf/examples, and every
example of the manual.  Nothing here needs Postfix."""

import json
import os
import re
import subprocess

import gate
import keys
import pytest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
CONF = os.path.join(ROOT, "conf")
EXAMPLES = os.path.join(CONF, "examples")
PAGES = [os.path.join(ROOT, f"man/penstock-{page}.5")
         for page in ("policy", "pools")]


class Desk:
    """penstock with a configuration of its own, for one policy file."""

    def __init__(self, folder, policy):
        self.conf = f"{folder}/penstock.conf"
        with open(self.conf, "w") as f:
            f.write(f'store = "{folder}/store"\npolicy = "{policy}"\n'
                    f'keys = "{folder}/keys"\n')

    def run(self, *words):
        return subprocess.run([gate.program("penstock"), "-c", self.conf,
                               *words], capture_output=True, text=True)

    def check(self):
        said = self.run("policy", "check", "--json")
        assert said.stdout, said.stderr
        return json.loads(said.stdout), said.returncode

    def explain(self, login, sender, rcpts, headers="", **more):
        words = [w for r in rcpts for w in ("--rcpt", r)]
        for name, value in more.items():
            words += [f"--{name}", value]
        if login is not None:
            words += ["--login", login]
        text = f"From: {sender}\n{headers}Subject: x\n\nHello.\n"
        said = subprocess.run(
            [gate.program("penstock"), "-c", self.conf, "policy", "explain",
             "--fresh", "--json", "--message", "-", "--sender", sender,
             *words], input=text, capture_output=True, text=True)
        assert said.stdout, said.stderr
        return json.loads(said.stdout)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Of an example by its name; "" is conf itself."""
    made = {}

    def of(name):
        if name not in made:
            folder = str(tmp_path_factory.mktemp("desk"))
            home = os.path.join(EXAMPLES, name) if name else CONF
            keys.make(f"{folder}/keys", keys.named(home))
            made[name] = Desk(folder, f"{home}/policy.conf")
        return made[name]
    return of


WANTED = {      # warnings that an example is to have, by their beginning
    "mailu-single": [],
    "agency": ["open limits need penstock-ingest"],
    "esp": ["open limits need penstock-ingest"],
    "outreach": [],
}


def test_every_example_is_known_here():
    folders = {n for n in os.listdir(EXAMPLES)
               if os.path.isdir(os.path.join(EXAMPLES, n))}
    assert folders == set(WANTED)


@pytest.mark.parametrize("name", sorted(WANTED))
def test_an_example_has_no_mistake_and_only_wanted_warnings(desk, name):
    said, status = desk(name).check()
    texts = [p["text"] for p in said["problems"]]
    assert status == 0 and said["errors"] == 0, texts
    rest = [t for t in texts
            if not any(t.startswith(w) for w in WANTED[name])]
    assert rest == []
    assert len(texts) == len(WANTED[name])


def test_a_tenant_is_shown_in_80_columns(desk):
    d = desk("agency")
    lists = json.loads(d.run("policy", "show", "--tenant", "tailor",
                             "--json").stdout)
    long = ", ".join(sorted(
        (v["value"] for v in lists[0]["inside"] if "value" in v
         and v["value"] is not None), key=len)[-1:])
    for name in ("tailor", "dentist", "pizzeria"):
        shown = d.run("policy", "show", "--tenant", name).stdout
        assert name in shown and max(map(len, shown.splitlines())) <= 80, \
            shown
    # what is folded is all there
    shown = d.run("policy", "show", "--tenant", "tailor").stdout
    for word in long.split(" "):
        assert word in shown, (word, shown)


def test_the_installed_policy_is_quiet_and_in_shadow(desk, tmp_path):
    said, status = desk("").check()
    assert status == 0 and said["problems"] == []
    shown = desk("").run("policy", "show", "--json")
    values = {v["name"]: v for v in json.loads(shown.stdout)
              if "value" in v}
    assert values["shadow"]["value"] == "limits, ownership"
    assert values["shadow"]["from"].startswith("policy.conf:")


def test_the_tenant_of_the_readme_is_a_tenant(tmp_path):
    with open(f"{CONF}/tenants.d/README") as f:
        text = f.read()
    acme = text[text.index("# /etc/penstock/tenants.d/acme.conf"):]
    with open(f"{CONF}/policy.conf") as f:
        (tmp_path / "policy.conf").write_text(f.read())
    (tmp_path / "tenants.d").mkdir()
    (tmp_path / "tenants.d/acme.conf").write_text(acme)
    keys.make(f"{tmp_path}/keys", keys.named(tmp_path))
    desk = Desk(tmp_path, tmp_path / "policy.conf")
    said, status = desk.check()
    assert status == 0 and said["problems"] == [], said
    # whoever logs in today keeps sending: its domain is a tenant
    got = desk.explain("me@today.example", "me@today.example",
                       ["r@gmail.com"] * 3)
    assert got["verdict"] == "pass" and got["tenant"] == "today.example"
    assert {x["limit"] for x in got["limits"]} == \
        {"steady", "google", "daily"}
    # in shadow a foreign domain passes, is recorded, and is not signed
    got = desk.explain("acme", "a@elsewhere.example", ["r@gmail.com"])
    assert got["verdict"] == "pass"
    assert got["shadow"]["verdict"] == "refuse"
    assert got["edits"] == []


def test_a_mailbox_of_the_company_has_a_day_of_its_own(desk):
    d = desk("mailu-single")
    got = d.explain("ana@acme.example", "ana@acme.example", ["r@gmail.com"])
    assert got["verdict"] == "pass" and got["stream"] == "default"
    limits = {x["limit"]: x for x in got["limits"]}
    assert limits["mailbox"]["of"] == "login=ana@acme.example"
    assert limits["mailbox-day"]["over"] == "hold"
    assert [e["selector"] for e in got["edits"]] == ["m2026a", "m2026e"]
    # the shop and its letters
    got = d.explain("shop@shop.acme.example", "orders@acme.example",
                    ["r@gmail.com"])
    assert got["stream"] == "shop"
    assert {x["limit"]: x["number"] for x in got["limits"]}["shop"] == \
        "30/minute"
    got = d.explain("shop@shop.acme.example", "news@acme.example",
                    ["r@gmail.com", "s@gmail.com"])
    assert got["stream"] == "newsletter"
    assert [r["verdict"] for r in got["recipients"]] == ["pass", "defer"]
    assert "max_recipients" in got["steps"][2]["text"]
    # a vacation reply: no login, from the mail store, empty sender
    got = d.explain(None, "<>", ["r@example.org"], client="192.168.203.7")
    assert got["verdict"] == "refuse"       # <> is not a From
    got = d.explain("eve@elsewhere.example", "ana@acme.example",
                    ["r@example.org"])
    assert got["verdict"] == "defer" and got["tenant"] == ""


def test_the_agency_keeps_clients_apart_and_shares_the_contract(desk):
    d = desk("agency")
    said, _ = d.check()
    assert said["tenants"] == 30
    got = d.explain("ana@books.example", "ana@books.example",
                    ["r@gmail.com"])
    limits = {x["limit"]: x for x in got["limits"]}
    assert limits["contract"]["of"] == "group=agency"
    assert limits["daily"]["number"] == "10000/day"
    assert limits["daily"]["over"] == "hold"
    assert limits["google"]["number"] == "600/minute"
    assert {e["domain"] for e in got["edits"] if "domain" in e} == \
        {"books.example", "agency.example"}
    assert got["edits"][0] == {"name": "X-Penstock-Route", "edit": "insert",
                               "value": got["way"]["transport"]}
    assert got["way"]["transport"] in ("out1-google", "out2-google")
    # letters by a header, which does not leave
    got = d.explain("ana@books.example", "ana@books.example",
                    ["r@gmail.com"], headers="X-Agency-Letter: spring\n")
    assert got["stream"] == "letters" and got["known"] == "headers"
    assert got["may_be"] == ["letters", "default"]
    assert got["edits"][0] == {"name": "X-Agency-Letter", "index": 1,
                               "edit": "remove"}
    assert {x["limit"]: x["number"] for x in got["limits"]}["letters"] == \
        "8000/day"
    # a paused stream, and the rest of that client
    got = d.explain("p@printer.example", "news@printer.example",
                    ["r@gmail.com"])
    assert got["verdict"] == "defer"
    assert "bought list" in got["steps"][-1]["text"]
    got = d.explain("p@printer.example", "p@printer.example",
                    ["r@gmail.com"])
    assert got["verdict"] == "pass"
    # one client as another
    got = d.explain("p@printer.example", "ana@books.example",
                    ["r@gmail.com"])
    assert got["verdict"] == "refuse"
    # the new one is in shadow for that
    got = d.explain("t@tailor.example", "t@old-tailor.example",
                    ["r@gmail.com"])
    assert got["verdict"] == "pass" and got["shadow"]["verdict"] == "refuse"
    # each mailbox of the school for itself
    got = d.explain("k@school.example", "k@school.example", ["r@gmail.com"])
    assert {x["limit"]: x["of"] for x in got["limits"]}["mailbox"] == \
        "login=k@school.example"


def test_the_provider_has_plans_and_believes_headers_of_the_api_only(desk):
    d = desk("esp")
    api, own = "lantern@api.esp.example", "ana@lantern.example"
    letter = "X-Stream: letters\n"
    got = d.explain(api, own, ["r@gmail.com"], headers=letter)
    assert got["stream"] == "letters"
    assert {x["limit"]: x["number"] for x in got["limits"]}[
        "plan-letters"] == "33000/month"
    got = d.explain(own, own, ["r@gmail.com"], headers=letter)
    assert got["stream"] == "default"
    limits = {x["limit"]: x for x in got["limits"]}
    assert "daily" not in limits                # none of starter's
    assert limits["plan"]["over"] == "refuse"   # inherited from free
    assert limits["plan"]["number"] == "50000/month"
    # the free plan counts per day as well
    got = d.explain("harbour", "a@harbour.example", ["r@gmail.com"])
    assert {x["limit"]: x["number"] for x in got["limits"]}["daily"] == \
        "200/day"
    # eleven recipients are one too many there
    got = d.explain("harbour", "a@harbour.example",
                    [f"r{i}@gmail.com" for i in range(11)])
    assert got["steps"][11]["code"] == "452"
    # codes are not slowed down by the place they go to
    got = d.explain("orchard@api.esp.example", "no-reply@id.orchard.example",
                    ["r@gmail.com"])
    assert got["stream"] == "login-codes"
    assert "one-place" not in {x["limit"] for x in got["limits"]}
    assert [e["selector"] for e in got["edits"]] == ["o2026a", "o2026e",
                                                     "e2026"]
    # a reseller's customers share what it bought
    got = d.explain("mill@api.esp.example", "a@mill.example",
                    ["r@example.org"])
    assert {x["limit"]: x["of"] for x in got["limits"]}["bought"] == \
        "group=northwind"


def test_new_addresses_and_mailboxes_grow(desk):
    d = desk("outreach")
    said = d.run("warmup", "--json")
    rows = {r["address"]: r for r in json.loads(said.stdout)["warmups"]
            if r["address"]}
    first, known = rows["192.0.2.60"], rows["192.0.2.61"]
    assert (first["schedule"], first["day"], first["cap"]) == \
        ("cold-slow", 1, 50)
    assert known["schedule"] == "calm" and known["day"] > 1
    assert known["started"] == "2026-10-01" and known["cap"] > 40
    assert {p["provider"]: p["percent"] for p in first["providers"]} == {
        "google": 60, "outlook": 60, "office365": 60, "office365-dane": 60}
    # letters are of a person's mailbox and of an address, an answer of none
    letter = d.explain("ana@outreach.example", "ana@outreach.example",
                       ["r@gmail.com"], headers="X-Campaign: spring\n")
    of = {x["limit"]: x for x in letter["limits"]}
    assert letter["stream"] == "letters"
    assert of["warmup:day"]["number"] in ("mailbox", "cold-slow", "calm")
    answer = d.explain("ana@outreach.example", "ana@outreach.example",
                       ["r@gmail.com"])
    assert answer["stream"] == "default" and answer["limits"] == []


# --- the manual -----------------------------------------------------------------
AROUND = {      # section, or section/word: what an example stands in
    "Main file": "{}",
    "Main file/trusted": "trusted {{ {} {rest} }}",
    "Every level": "class \"x\" {{ {} }}",
    "Every level/unsubscribe": "class \"x\" {{ unsubscribe {{ {} }} }}",
    "Pool": "pool \"p\" {{ {} }}",
    "Pool/address": "pool \"p\" {{ address \"192.0.2.9\" {{ {} {rest} }} }}",
    "Warmup": "class \"x\" {{ {} }}",
    "Warmup/warmup": "class \"x\" {{ warmup \"standard\" {{ {} }} }}",
    "Schedules": "{}",
    "Schedules/schedule": "schedule \"s\" {{ {} {rest} }}",
    "Group": "group \"g\" {{ {} }}",
    "Class": "class \"x\" {{ {} }}",
    "Routes": "class \"x\" {{ {} }}",
    "Routes/pool": "class \"x\" {{ pool \"b2b\" {{ {} }} }}",
    "Tenant": "tenant \"t\" {{ {} {rest} }}",
    "Tenant/dkim": "tenant \"t\" {{ logins = {{\"t\"}} domains = "
                   "{{\"acme.example\"}} dkim \"s\" {{ {} {rest} }} }}",
    "Streams": "class \"x\" {{ stream \"s\" {{ {} {rest} }} }}",
    "Breakers": "breaker \"hard\" {{ rate = \"9%\" }}\n"
                "class \"x\" {{ {} }}",
    "Limits": "class \"x\" {{ {} }}",
}
REST = {        # what the block needs besides, unless that is the example
    "Main file/trusted": {"clients": '{"127.0.0.1"}',
                          "identify": '"from-domain"'},
    "Pool/address": {"transport": '"t"'},
    "Tenant": {"logins": '{"t"}', "domains": '{"acme.example"}'},
    "Tenant/dkim": {"domain": '"acme.example"', "key": '"acme.rsa"'},
    "Streams": {"match": '{"sender:x@*"}'},
    "Schedules/schedule": {"start": "50", "ratio": "1.1", "target": "2000"},
}
ALONE = {"table"}       # words that need nothing besides
BESIDE = '''
pool "b2b" { address "192.0.2.1" { transport = "b" } }
group "agency7" { }
class "starter" { }
'''


def shown():
    """(where, word, text) of every example of the section WORDS."""
    for page in PAGES:
        yield from shown_in(page)


def shown_in(page):
    with open(page) as f:
        lines = f.read().split("\n")
    section, stack, display = None, [], None
    for line in lines[lines.index(".Sh WORDS") + 1:]:
        if line.startswith(".Sh "):
            break
        if line.startswith(".Ss "):
            section = line[4:]
        elif line.startswith(".Bl "):
            stack.append(None)
        elif line.startswith(".El"):
            stack.pop()
        elif line.startswith(".It Ic "):
            stack[-1] = line.split()[2]
        elif line.startswith(".Bd "):
            display = []
        elif line.startswith(".Ed") and display is not None:
            yield "/".join([section, *stack[:-1]]), stack[-1], \
                "\n".join(display)
            display = None
        elif line.startswith(".Dl "):
            yield "/".join([section, *stack[:-1]]), stack[-1], \
                line[4:].replace("\\(dq", '"')
        elif display is not None:
            display.append(line)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    folder = tmp_path_factory.mktemp("manual")
    (folder / "tenants.d").mkdir()
    (folder / "logins.map").write_text("# none\n")
    keys.make(f"{folder}/keys", {"acme.rsa": "rsa", "platform.rsa": "rsa",
                                 "acme.ed": "ed"})
    return folder


@pytest.mark.parametrize("where,word,text", list(shown()))
def test_an_example_of_the_manual_is_read(scratch, where, word, text):
    rest = " ".join(f"{k} = {v}" for k, v in REST.get(where, {}).items()
                    if k != word and word not in ALONE)
    body = AROUND[where].format(text, rest=rest)
    (scratch / "policy.conf").write_text(BESIDE + body + "\n")
    said, status = Desk(scratch, scratch / "policy.conf").check()
    errors = [p["text"] for p in said["problems"] if p["severity"] == "error"]
    assert status == 0 and errors == [], body


@pytest.mark.parametrize("page", PAGES)
def test_the_long_example_of_the_manual_is_read(scratch, page):
    with open(page) as f:
        text = f.read()
    text = text[text.index(".Sh EXAMPLES"):]
    body = re.search(r"\.Bd -literal\n(.*?)\n\.Ed", text, re.S).group(1)
    (scratch / "policy.conf").write_text(body + "\n")
    said, status = Desk(scratch, scratch / "policy.conf").check()
    assert status == 0 and said["errors"] == 0, said
