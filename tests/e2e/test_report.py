"""penstock report: the same bytes, the same figures in all voices, and nobody
else's in a report with a scope."""

import html.parser
import json
import os
import re

import browser
import pytest
import reports

PICTURES = os.environ.get("PICTURES")       # a folder to look at them in
LABEL = ("Internal reputation model - directional guidance, not a mailbox "
         "provider score.")
OFFICIAL = ("Official provider reputation snapshot (point-in-time; confirm in "
            "provider consoles for latest status).")


@pytest.fixture(scope="module")
def stores():
    with reports.Stores() as one:
        yield one


@pytest.fixture(scope="module")
def model(stores):
    return json.loads(stores.shown("report.json"))


class Page(html.parser.HTMLParser):
    """Tables of a page, by the id of what they stand in; tags and words."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.words, self.open = [], [], []
        self.tables, self.row, self.cell = {}, None, None
        self.feed(text)

    def where(self):
        return next((i for _, i in reversed(self.open) if i), None)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag not in ("meta", "br"):
            self.open.append((tag, attrs.get("id") if
                              (attrs.get("id") or "").startswith("chart-")
                              else None))
        if tag == "tr":
            self.row = []
        elif tag in ("td", "th"):
            self.cell = {"text": "", "values": []}
        elif tag == "data" and self.cell is not None:
            self.cell["values"].append(float(attrs["value"]))

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass
        if tag in ("td", "th") and self.row is not None:
            self.row.append(self.cell)
            self.cell = None
        elif tag == "tr":
            self.tables.setdefault(self.where(), []).append(self.row)
            self.row = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell["text"] += data
        self.words.append(data)


@pytest.fixture(scope="module")
def page(stores):
    return Page(stores.shown("report.html").decode())


# --- the same bytes -------------------------------------------------------------
@pytest.mark.parametrize("name", reports.SHOWN)
def test_what_is_shown_is_what_is_kept(stores, name):
    with open(os.path.join(reports.GOLDEN, name), "rb") as f:
        kept = f.read()
    assert stores.shown(name) == kept, \
        f"{name} is another one: look at it, then tests/golden/renew"


def test_stores_made_twice_and_asked_later_give_the_same_bytes(stores):
    with reports.Stores() as other:
        for name in ("80.txt", "report.json", "report.html", "report.csv"):
            assert other.shown(name) == stores.shown(name)


# --- the same figures -----------------------------------------------------------
def test_every_picture_has_the_figures_of_the_json(page, model):
    days = page.tables["chart-a"][1:]
    assert len(days) == len(model["days"]) == 28
    for row, day in zip(days, model["days"]):
        assert row[0]["text"] == day["date"]
        assert [c["values"][0] for c in row[1:5]] == [
            day["delivered"], day["deferred"],
            day["hard"] + day["bounced"] + day["expired"], day["blocked"]]
        assert (row[5]["text"] == "yes") == day["spike"]
    assert any(day["spike"] for day in model["days"])
    for chart, x, n in (("chart-b", "complaints", ("feedback",)),
                        ("chart-c", "hard", ("delivered", "hard", "blocked",
                                             "bounced", "expired"))):
        for row, day in zip(page.tables[chart][1:], model["days"]):
            assert row[1]["values"] == [sum(day[k] for k in n)]
            assert row[2]["values"] == [day[x]]
    for row, strip in zip(page.tables["chart-d"][1:], model["timeline"]):
        assert row[0]["text"] == f"{strip['kind']} {strip['name']}"
        for cell, tier in zip(row[1:5], ("Healthy", "Watch", "At Risk",
                                         "Critical")):
            assert cell["values"] == [sum(
                w["tier"] == tier for w in strip["weeks"])]
    for row, want in zip(page.tables["chart-h"][1:],
                         model["calibration"]["matrix"]):
        assert [c["values"] for c in row[1:]] == [[n] for n in want]
    assert model["calibration"]["pairs"] == sum(
        map(sum, model["calibration"]["matrix"])) > 0
    curve = page.tables["chart-g"][1:]
    history = model["warmups"][0]["history"]
    assert len(curve) == len(history) > 20
    for row, day in zip(curve, history):
        assert row[0]["text"] == day["date"]
        assert [c["values"][0] for c in row[1:4]] == [
            day["day"], day["cap"], day["used"]]
        assert row[4]["text"] == day["rule"]


def test_points_and_shares_of_the_page_are_those_of_the_json(page, model):
    text = "".join(page.words)
    for subject in model["attention"]:
        assert subject["name"] in text
        for reason in subject["reasons"]:
            assert reason["text"] in text
    values = {a["value"] for t, a in page.tags if t == "data"}
    for subject in model["attention"][:6]:
        for reason in subject["reasons"]:
            assert f"{reason['points']:.6g}" in values
    for kpi in model["kpis"].values():
        assert str(kpi["n"]) in values
        assert f"{kpi['share']:.6g}" in values
    for name in ("acme", "globex", "initech", "192.0.2.10", "b2b"):
        s = next(s for s in model["subjects"] if s["name"] == name and
                 s["kind"] != "stream")
        assert str(s["now"]["accepted"]) in values
        for rate in ("delivered", "bounce", "complaint"):
            assert f"{s['rates'][rate]['share']:.6g}" in values


def test_shares_are_made_of_what_stands_beside_them(model):
    def walk(x):
        if isinstance(x, dict):
            if {"x", "n", "share"} <= set(x):
                assert x["share"] is None if x["n"] == 0 else \
                    abs(x["share"] - x["x"] / x["n"]) < 1e-5
            for v in x.values():
                walk(v)
        elif isinstance(x, list):
            for v in x:
                walk(v)
    walk(model)
    tenants = [s for s in model["subjects"] if s["kind"] == "tenant"]
    for tally in ("accepted", "delivered", "hard", "complaints"):
        assert sum(s["now"][tally] for s in tenants) == \
            model["total"]["now"][tally]


def test_csv_has_a_row_per_subject_with_the_same_figures(stores, model):
    import csv
    import io
    rows = list(csv.DictReader(io.StringIO(
        stores.shown("report.csv").decode())))
    assert len(rows) == len(model["subjects"]) + 1
    for row, s in zip(rows[1:], model["subjects"]):
        assert (row["kind"], row["name"].lstrip("'")) == (
            s["kind"], s["name"])
        assert int(row["accepted"]) == s["now"]["accepted"]
        share = s["rates"]["complaint"]["share"]
        assert row["complaint_share"] == ("" if share is None else
                                          f"{share:.6g}")


def test_both_labels_stand_where_such_figures_do(stores):
    for name in ("80.txt", "120.txt", "ascii.txt", "report.json",
                 "report.html"):
        said = stores.shown(name).decode()
        assert LABEL in said and OFFICIAL in said, name
    assert LABEL in stores.shown("overview.txt").decode()
    branded = stores.run("--brand", "Acme").stdout.decode()
    assert "Internal Acme reputation model - directional guidance" in branded


# --- nobody else's figures ------------------------------------------------------
OTHERS = {
    ("--tenant", "globex"): ("acme", "initech", "umbrella", "198.51.100.7"),
    ("--tenant", "initech"): ("acme", "globex", "umbrella", "agency7",
                              "192.0.2"),
    ("--tenant", "umbrella"): ("acme", "globex", "initech", "agency7",
                               "192.0.2", "198.51", "2001:db8"),
    ("--group", "agency7"): ("initech", "umbrella", "2001:db8"),
}


@pytest.mark.parametrize("scope", OTHERS, ids=lambda s: s[1])
@pytest.mark.parametrize("voice", [[], ["--json"], ["--csv"],
                                   ["--html", "-"], ["--overview"],
                                   ["--overview", "--json"]],
                         ids=lambda v: "".join(v) or "text")
def test_a_scope_names_nobody_else(stores, scope, voice):
    said = stores.run(*scope, *voice, COLUMNS="120", LANG="C.UTF-8")
    assert said.returncode == 0, said.stderr
    assert scope[1].encode() in said.stdout
    for other in OTHERS[scope]:
        assert other.encode() not in said.stdout, other


def test_a_shared_pool_shows_only_the_part_and_no_score(stores, model):
    alone = json.loads(stores.run("--tenant", "globex", "--json").stdout)

    def find(report, kind, name):
        return next(s for s in report["subjects"]
                    if (s["kind"], s["name"]) == (kind, name))
    whole = find(model, "address", "192.0.2.10")
    part = find(alone, "address", "192.0.2.10")
    assert 0 < part["now"]["accepted"] < whole["now"]["accepted"]
    assert whole["score"] is not None and part["score"] is None
    assert all(w["tier"] is None for w in part["weeks"])
    # that one is his alone
    assert find(alone, "address", "192.0.2.11")["score"] is not None
    assert [w["name"] for w in alone["warmups"]] == ["192.0.2.11"]
    assert find(alone, "tenant", "globex") == find(model, "tenant", "globex")
    assert "event" not in alone["as_of"] and "event" in model["as_of"]
    assert alone["refusals"] and all(
        "globex" in (r["sample"] or "") for r in alone["refusals"])


def test_figures_of_a_shared_address_are_not_a_tenants(stores):
    said = json.loads(stores.run("--tenant", "acme", "--json").stdout)
    assert [o["subject"] for o in said["official"]] == ["acme.example"]
    assert [d["domain"] for d in said["dmarc"]] == ["acme.example"]


def test_who_came_from_another_group_was_judged_there(model):
    with reports.Stores(("moved",)) as s:
        said = json.loads(s.run("--group", "agency7", "--json").stdout)
        whole = json.loads(s.run("--json").stdout)
        texts = [s.run("--tenant", "globex", *voice).stdout.decode()
                 for voice in ([], ["--json"], ["--html", "-"])]
    scores = {r["name"]: r["score"] for r in said["subjects"]
              if r["kind"] in ("tenant", "stream")}
    assert scores["globex"] is scores["globex/marketing"] is None
    assert scores["acme"]
    assert not any(t["name"] == "globex" for t in said["timeline"])
    # and why nobody could ask is the operator's to know, not the tenant's
    assert "/etc/google.json" in json.dumps(whole["official"])
    for text in texts:
        assert "NOT_AUTHORIZED" in text and "google.json" not in text


def test_a_scope_compares_what_is_surely_its_own(stores, model):
    said = json.loads(stores.run("--tenant", "acme", "--json").stdout)
    assert model["calibration"]["pairs"] > 3
    assert said["calibration"]["pairs"] == 1


def test_large_amounts_are_not_rounded():
    with reports.Stores() as s:
        with open(f"{s.folder}/policy.conf", "w") as f:
            f.write(reports.POLICY.replace("value = 1200",
                                           "value = 123456789"))
        said = json.loads(s.run("--overview", "--json").stdout)
    assert said["overview"]["value"] == 123456789 + 900 + 2500
    assert [r["value"] for r in said["subjects"] if (r["kind"], r["name"]) ==
            ("tenant", "acme")] == [123456789]


# --- terminals ------------------------------------------------------------------
@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("fill", [(), ("300",)], ids=["four", "many"])
def test_nothing_is_wider_than_the_terminal(columns, fill):
    with reports.Stores(fill) as s:
        for more in ([], ["--overview"]):
            said = s.run(*more, COLUMNS=str(columns),
                         LANG="C.UTF-8").stdout.decode()
            for line in said.splitlines():
                assert len(line) <= columns or line == OFFICIAL, line
                assert line == line.rstrip() or "·" in line, repr(line)


def test_ascii_is_ascii_and_nothing_drives_the_terminal(stores):
    plain = stores.shown("ascii.txt")
    assert all(c == 10 or 32 <= c < 127 for c in plain)
    for name in ("80.txt", "120.txt"):
        said = stores.shown(name).decode()
        assert "\033" not in said
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]",
                             said)
        assert "alert('x')" in said     # it is shown, as text


def test_colour_is_for_terminals_and_never_the_only_sign(stores):
    def on_a_terminal(**environment):
        import pty
        import subprocess
        import proc
        ours, theirs = pty.openpty()
        run = subprocess.Popen(
            [f"{proc.BUILD}/penstock", "-c", stores.conf, "report"],
            stdout=theirs, stdin=subprocess.DEVNULL,
            env={"COLUMNS": "80", "LANG": "C.UTF-8", **environment})
        os.close(theirs)
        said = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:         # the other end is closed
                break
            if not piece:
                break
            said += piece
        os.close(ours)
        assert run.wait() == 0
        return said.replace(b"\r\n", b"\n")
    colour, none = on_a_terminal(), on_a_terminal(NO_COLOR="1")
    assert b"\033[" in colour and b"\033" not in none
    assert re.sub(rb"\033\[[0-9;]*m", b"", colour) == none
    assert none == stores.shown("80.txt")


# --- periods --------------------------------------------------------------------
@pytest.mark.parametrize("asked, name, first, last", [
    ([], "2026-W47", "2026-11-16", "2026-11-22"),
    (["--week", "last"], "2026-W48", "2026-11-23", "2026-11-29"),
    (["--week", "2026-W46"], "2026-W46", "2026-11-09", "2026-11-15"),
    (["--week", "2026-11-22"], "2026-W47", "2026-11-16", "2026-11-22"),
    (["--day", "2026-11-19"], "2026-11-19", "2026-11-19", "2026-11-19"),
    (["--day", "last"], "2026-11-23", "2026-11-23", "2026-11-23"),
    (["--month", "2026-10"], "2026-10", "2026-10-01", "2026-10-31"),
    (["--month", "last"], "2026-11", "2026-11-01", "2026-11-30"),
    (["--month", "2031-02"], "2031-02", "2031-02-01", "2031-02-28"),
    (["--week", "2020-W53"], "2020-W53", "2020-12-28", "2021-01-03"),
])
def test_periods(stores, asked, name, first, last):
    said = stores.run(*asked, "--json")
    assert said.returncode == 0, said.stderr
    period = json.loads(said.stdout)["period"]
    assert (period["name"], period["from"], period["to"]) == (
        name, first, last)
    for voice in ([], ["--html", "-"], ["--csv"], ["--overview"]):
        assert stores.run(*asked, *voice).returncode == 0


def test_a_report_of_the_past_knows_nothing_that_came_later(stores, model):
    before = json.loads(stores.run("--week", "2026-W45", "--json").stdout)
    acme = next(s for s in before["subjects"] if s["name"] == "acme")
    assert acme["score"]["as_of"] == "2026-11-09"
    assert acme["score"]["tier"] == "Healthy"
    assert not before["attention"]
    assert before["warmups"][0]["history"][-1]["date"] == "2026-11-08"
    assert model["attention"]


@pytest.mark.parametrize("asked", [
    ["--week", "2026-W60"], ["--week", "2027-W53"], ["--day", "2026-02-30"],
    ["--month", "2026-13"], ["--month", "November"], ["--day", ""],
    ["--day", "2026-11-19", "--week", "last"], ["--json", "--csv"],
    ["--tenant", "a", "--group", "b"], ["--overview", "--html", "x"],
    ["--brand", "x" * 41], ["more"]])
def test_what_cannot_be_asked_is_usage(stores, asked):
    said = stores.run(*asked)
    assert said.returncode == 2 and not said.stdout and said.stderr


# --- when there is nothing ------------------------------------------------------
def test_no_store_says_what_to_do():
    with reports.Stores(None) as s:
        said = s.run()
        assert said.returncode == 3
        assert b"is penstock-alert running?" in said.stderr


def test_nobody_of_that_name(stores):
    said = stores.run("--tenant", "nobody")
    assert said.returncode == 1 and not said.stdout
    assert b'of the tenant "nobody"' in said.stderr


def test_a_period_without_mail_is_shown_as_such(stores):
    text = stores.run("--week", "2031-W07", COLUMNS="80").stdout.decode()
    assert "No mail in this period" in text
    assert text.count("n/a") >= 3 and "0.00 %" not in text
    page = stores.run("--week", "2031-W07", "--html", "-").stdout.decode()
    assert "No mail in this period" in page
    assert not re.search(r"\b(nan|inf)\b", page)
    said = json.loads(stores.run("--week", "2031-W07", "--json").stdout)
    assert said["kpis"]["bounce"]["share"] is None
    assert said["kpis"]["bounce"]["met"] is None
    assert said["completeness"] is None


def test_where_nobody_reports_complaints_it_is_not_zero(stores):
    google = next(s for s in json.loads(stores.shown("report.json"))
                  ["subjects"] if s["name"] == "google")
    assert google["rates"]["complaint"] == {"x": 0, "n": 0, "share": None}


# --- the page -------------------------------------------------------------------
def test_the_page_needs_nothing_else(page, stores):
    text = stores.shown("report.html").decode()
    tags = {t for t, _ in page.tags}
    assert not tags & {"script", "link", "img", "iframe", "object", "form",
                       "base", "use", "image", "a", "video", "b onload"}
    for _, attributes in page.tags:
        assert "style" not in attributes
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert "//" not in (value or "")
    assert not re.search(r"url\((?!#p\d\))", text)
    assert "@import" not in text
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    named = [a for t, a in page.tags if t == "svg" and a.get("role") == "img"
             and "aria-labelledby" in a]
    assert len(named) > 15
    for a in named:
        assert set(a["aria-labelledby"].split()) <= set(ids)


def test_a_large_house_fits_in_half_a_megabyte():
    with reports.Stores(("5000",)) as s:
        said = s.run("--html", "-")
        assert said.returncode == 0
        assert len(said.stdout) <= 500_000, len(said.stdout)
        model = json.loads(s.run("--json").stdout)
        tenants = [t for t in model["subjects"] if t["kind"] == "tenant"]
        assert len(tenants) == 5004
        rest = next(o for o in model["others"] if o["kind"] == "tenant")
        assert rest["subjects"] == 5004 - 19
        assert rest["now"]["accepted"] == sum(
            t["now"]["accepted"] for t in tenants if not t["shown"])
        assert b"4985 others" in said.stdout


def test_a_file_is_replaced_as_a_whole(stores, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")
    assert stores.run("--html", str(path)).returncode == 0
    assert path.read_bytes() == stores.shown("report.html")
    assert os.listdir(tmp_path) == ["report.html"]
    said = stores.run("--html", str(tmp_path / "no" / "such"))
    assert said.returncode == 3 and b"cannot be written" in said.stderr


@pytest.mark.skipif(browser.PATH is None, reason="no chromium")
@pytest.mark.parametrize("width, dark", [(1180, False), (1180, True),
                                         (360, False), (360, True)])
def test_the_page_in_a_browser(stores, tmp_path, width, dark):
    path = tmp_path / "report.html"
    assert stores.run("--html", str(path)).returncode == 0
    with browser.Browser(width, 900, dark) as b:
        b.ask("Log.enable")
        b.visit(f"file://{path}", "2026-W47: 2 tenants and 3 addresses need "
                "attention - all tenants")
        if PICTURES:
            high = b.value("document.documentElement.scrollHeight")
            b.ask("Emulation.setDeviceMetricsOverride", width=width,
                  height=high, deviceScaleFactor=1, mobile=False)
            b.picture(f"{PICTURES}/report-{width}-"
                      f"{'dark' if dark else 'light'}.png")
        # the style was let in by its hash: ink and paper are far apart
        ink, paper = (b.value(
            "getComputedStyle(document.documentElement)."
            f"{p}.match(/\\d+/g).map(Number).reduce((a, b) => a + b)")
            for p in ("color", "backgroundColor"))
        assert abs(ink - paper) > 450 and (ink > paper) == dark
        # the page itself does not scroll sideways; wide tables do
        assert b.value("document.documentElement.scrollWidth") <= width
        # pictures have a size, and what is drawn in them has a colour
        sizes = b.value(
            "[...document.querySelectorAll('svg[aria-labelledby]')].map(s => "
            "s.getBoundingClientRect()).map(r => [r.width, r.height])")
        assert len(sizes) > 15 and all(w > 40 and h > 20 for w, h in sizes)
        fills = b.value(
            "[...new Set([...document.querySelectorAll('#chart-a rect')].map("
            "r => getComputedStyle(r).fill))]")
        assert len(fills) >= 4
        assert any("url(" in f for f in fills)      # a pattern, not colour only
        # every figure can be unfolded
        assert b.value("[...document.querySelectorAll('details')].every(d => "
                       "(d.open = true, d.getBoundingClientRect().height > "
                       "60))")
        assert not b.complaints()
        assert set(b.requests()) <= {f"file://{path}", "about:blank"}


@pytest.mark.skipif(browser.PATH is None, reason="no chromium")
def test_the_page_on_paper(stores, tmp_path):
    import base64
    path = tmp_path / "report.html"
    assert stores.run("--html", str(path)).returncode == 0
    with browser.Browser(1180, 900, True) as b:
        b.visit(f"file://{path}", "2026-W47: 2 tenants and 3 addresses need "
                "attention - all tenants")
        paper = base64.b64decode(b.ask("Page.printToPDF",
                                       printBackground=True)["data"])
        if PICTURES:
            with open(f"{PICTURES}/report.pdf", "wb") as f:
                f.write(paper)
        assert paper.startswith(b"%PDF")
        pages = len(re.findall(rb"/Type\s*/Page\b", paper))
        assert 2 <= pages <= 12, pages
