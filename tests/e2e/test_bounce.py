"""penstock bounce test: a line in, one JSON object out, whatever the line."""

import json
import os
import random
import subprocess

import proc

PENSTOCK = os.path.join(proc.BUILD, "penstock")
RULES = """\
# id    provider  code enhanced category    action      text
full    *         *    *        quota       none        "is full"
google  google    *    *        rate_limit  slow_down   is full
"""


def penstock(*arguments, feed=b""):
    return subprocess.run([PENSTOCK, *arguments], input=feed,
                          capture_output=True, timeout=60)


def lines(feed, *arguments):
    """The objects for what was fed; every one has the three members."""
    run = penstock("bounce", "test", *arguments, "-", feed=feed)
    assert run.returncode == 0, run.stderr
    assert run.stdout == b"" or run.stdout.endswith(b"\n")
    found = [json.loads(x) for x in run.stdout.decode().splitlines()]
    for one in found:
        assert set(one) == {"category", "action", "rule"}, one
    return found


def test_a_reply_for_eyes():
    run = penstock("bounce", "test", "550 5.1.1 <a@b.example>: User unknown")
    assert run.returncode == 0
    rows = [x.split() for x in run.stdout.decode().splitlines()]
    assert rows[0] == ["category", "action", "rule"]
    assert rows[1][:3] == ["decides", "recipient_unknown", "suppress_now"]
    assert len(rows) > 2 and all(r[0] == "also" for r in rows[2:])
    run = penstock("bounce", "test", "--json",
                   "550 5.1.1 <a@b.example>: User unknown")
    one = json.loads(run.stdout)
    assert one["category"] == "recipient_unknown" and one["runners_up"]


def test_it_needs_no_configuration():
    run = subprocess.run([PENSTOCK, "bounce", "test", "552 mailbox full"],
                         capture_output=True, cwd="/", env={})
    assert run.returncode == 0 and b"quota" in run.stdout


def test_one_object_per_line():
    feed = [
        b"550 5.1.1 no such user", b"", b" ", b"\t", b"-\t", b"\xff\xfe\x00",
        b"gmail.com\t550-5.2.1 receiving mail at a rate that 550 5.2.1 pre",
        b"550 " + b"x" * 2000000, b"{\"a\": 1}", b"\x1b[31m", b"-\t550 gone",
        b"a\tb\tc\t550 5.1.1 user unknown", b"\r", b"550 user unknown\r",
    ]
    found = lines(b"\n".join(feed) + b"\n")
    assert len(found) == len(feed)
    assert found[0]["action"] == "suppress_now"
    assert found[1] == {"category": "unknown", "action": "none", "rule": "-"}
    assert found[6]["category"] == "rate_limit"
    assert found[-1]["action"] == "suppress_now"
    assert lines(b"") == []
    assert len(lines(b"\n")) == 1
    assert len(lines(b"550 no newline at the end")) == 1
    noise = random.Random(4).randbytes(300000)
    assert len(lines(noise)) == noise.count(b"\n") + \
        (not noise.endswith(b"\n"))


def test_answers_come_while_the_pipe_is_open():
    run = subprocess.Popen([PENSTOCK, "bounce", "test", "-"],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for reply in (b"550 user unknown\n", b"552 mailbox full\n"):
        run.stdin.write(reply)
        run.stdin.flush()
        assert "category" in json.loads(run.stdout.readline())
    run.stdin.close()
    assert run.wait(60) == 0
    run.stdout.close()


def test_the_domain_before_the_tab(tmp_path):
    path = tmp_path / "rules"
    path.write_text(RULES)
    found = lines(b"gmail.com\tis full\nGMAIL.com\tis full\n-\tis full\n"
                  b"b.example\tis full\nis full\na@gmail.com\tis full\n"
                  b"550\tis full\n\tis full\n", "--rules", str(path))
    assert [f["rule"] for f in found] == ["google", "google", "full", "full",
                                          "full", "google", "full", "full"]
    found = lines(b"is full\nb.example\tis full\n", "--rules", str(path),
                  "--domain", "gmail.com")
    assert [f["rule"] for f in found] == ["google", "full"]


def test_rules_that_a_file_replaces(tmp_path):
    path = tmp_path / "my.rules"
    path.write_text(RULES)
    config = tmp_path / "penstock.conf"
    config.write_text('bounces = "my.rules"\n')
    run = penstock("-c", str(config), "bounce", "test", "--json",
                   "550 the box is full")
    assert json.loads(run.stdout)["rule"] == "full"
    run = penstock("-c", str(config), "bounce", "test", "--json",
                   "550 user unknown")
    assert json.loads(run.stdout)["rule"] == "-"
    # A named file must be there, and be good; every mistake is named.
    path.write_text("a\nb * 5xx * quota none x\n")
    run = penstock("-c", str(config), "bounce", "test", "550 x")
    assert run.returncode == 1 and run.stdout == b""
    assert f"{path}:1:2: error: a rule has 7 columns" in run.stderr.decode()
    assert f"{path}:2:5: error: expected a code" in run.stderr.decode()
    path.unlink()
    run = penstock("-c", str(config), "bounce", "test", "550 x")
    assert run.returncode == 3 and b"there is no file" in run.stderr


def test_how_it_is_called():
    assert penstock("bounce", "test", "--help").returncode == 0
    for arguments in ([], ["a", "b"], ["--rules"], ["--wrong", "a"]):
        run = penstock("bounce", "test", *arguments)
        assert run.returncode == 2 and b"usage:" in run.stderr
    run = penstock("bounce", "test", "--", "--dashes--")
    assert run.returncode == 0
