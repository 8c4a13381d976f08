"""Held mail on a real Postfix: postsuper, postqueue, and kill -9."""

import os
import random
import shutil
import smtplib
import socket
import stat
import subprocess
import time

import pytest

import gate
import house
import postfix
import proc
import release as release_
import sink as sink_
from house import message, send
from release import DROP, EXPIRE, GO, WAITING

pytestmark = pytest.mark.skipif(
    postfix.reason_not() is not None, reason=str(postfix.reason_not()))

POLICY = 'timezone = "UTC"\nunknown_sender = "refuse"\n'
# No run of the queue while a test lasts: what is released must go at once.
LINES = ("smtpd_sender_restrictions = static:HOLD\n"
         "queue_run_delay = 1h\nminimal_backoff_time = 1h\n")
LAPS = max(1, min(int(os.environ.get("ROUNDS", "50")) // 2, 100))


class Yard:
    """A Postfix that holds everything, a gate's store without a gate."""

    def __init__(self, lines='\tinventory = "1s"\n'):
        self.folder = house.folder()
        self.sink = sink_.Sink()
        self.postfix = postfix.Postfix(self.folder + "/postfix",
                                       self.sink.port, LINES).start()
        self.gate = gate.Gate(
            self.folder + "/gate", POLICY,
            blocks=release_.Release.block(self.postfix, lines))
        self.gate.start()
        self.gate.stop()
        self.release = release_.Release(self.gate, self.postfix)

    def close(self):
        self.release.close()
        self.postfix.stop()
        self.sink.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def client(self):
        """Greeted.  A fresh Postfix of this yard was seen, some times in a
        thousand, whose daemons slept before their first word, for minutes and
        without a log: it is another one then, and what it did is printed."""
        for _ in range(3):
            try:
                return self.postfix.client(timeout=20)
            except (smtplib.SMTPServerDisconnected, TimeoutError) as e:
                print(f"no greeting: {e!r}\n{self.postfix.said()}\n"
                      f"{self.asleep()}")
                self.postfix.stop()
                self.postfix.start()
        return self.postfix.client()

    def asleep(self):
        """The processes of Postfix, and where in the kernel they wait."""
        return subprocess.run(
            ["ps", "-o", "pid,ppid,user,stat,wchan:30,etimes,args", "-s",
             str(self.postfix.process.pid)], text=True,
            capture_output=True).stdout

    def submit(self, n, name="u"):
        """Queue ids of n messages, to name0@, name1@ ..."""
        ids, smtp = [], self.client()
        for i in range(n):
            ids.append(send(smtp, "a@acme.example",
                            [f"{name}{i}@example.org"],
                            message("a@acme.example")).queue_id)
        smtp.close()
        return ids

    def delivered(self):
        """Recipients at example.org, as often as they got something."""
        return sorted(r for d in self.sink.deliveries for r in d.recipients
                      if r.endswith("@example.org"))

    def wait_result(self, queue_id, result):
        proc.wait_for(lambda: self.release.held().get(queue_id, {})
                      .get("result") == result, 60,
                      f"{queue_id}: {result}\n{self.release.log()}")


@pytest.fixture
def yard():
    made = []

    def one(*how):
        made.append(Yard(*how))
        return made[-1]
    yield one
    for y in made:
        y.close()


def test_what_is_decided_goes_now_and_foreign_mail_stays(yard):
    y = yard()
    go, drop, expire, waiting, foreign = y.submit(5)
    y.release.rows({go: GO, drop: DROP, expire: EXPIRE, waiting: WAITING})
    y.release.start()
    y.sink.wait(lambda s: "u0@example.org" in s.recipients(), 60)
    # the sender of the expired one hears of it
    y.sink.wait(lambda s: "a@acme.example" in s.recipients(), 60)
    bounce = [d for d in y.sink.deliveries
              if d.recipients == ["a@acme.example"]][0]
    assert bounce.sender == "" and b"u2@example.org" in bounce.data
    for queue_id, result in ((go, "done"), (drop, "dropped"),
                             (expire, "expired"), (waiting, "")):
        y.wait_result(queue_id, result)
    assert y.release.on_hold() == {waiting, foreign}
    assert y.delivered() == ["u0@example.org"]
    log = y.postfix.log()
    assert f"{drop}: removed" in log and f"{foreign}: rel" not in log
    # what a person did by hand is told, and only that
    y.postfix.run("postsuper", "-d", waiting)
    y.wait_result(waiting, "gone")
    assert "deleted it" in y.release.held()[waiting]["said"]
    assert y.release.on_hold() == {foreign}
    said = y.gate.penstock("status").stdout
    assert "1 held by others" in said and "NOT REL" not in said, said
    said = y.gate.penstock("hold", "list").stdout
    assert max(map(len, said.splitlines())) <= 80, said
    assert said.startswith("TENANT  QUEUE-ID"), said
    assert "1 more in hold/ is held by others" in said, said
    assert y.release.stop() == 0
    said = y.gate.penstock("status").stdout
    assert "NOT RELEASED: penstock-release does not run" in said, said


SLOW = {"slow.conf": """\
tenant "slow" {
	logins = {"slow"}
	domains = {"slow.example"}
	cap "daily" { limit = "1/day"  over = "hold" }
}
"""}


def test_a_person_decides_from_the_command_line(build):
    h = build(policy=POLICY + 'include "tenants.d"\n'
              'hold_max = "72 hours"\n', tenants=SLOW, keys={},
              lines="queue_run_delay = 1h\nminimal_backoff_time = 1h\n")
    release = release_.Release(h.gate, h.postfix)
    with open(h.gate.conf, "a") as f:
        f.write(release.block(h.postfix, '\tinventory = "1s"\n'))
    try:
        ids, smtp = [], h.client("slow")
        for i in range(4):
            ids.append(send(smtp, "a@slow.example", [f"u{i}@example.org"],
                            message("a@slow.example")).queue_id)
        smtp.close()
        h.sink.wait(lambda s: "u0@example.org" in s.recipients(), 60)
        assert set(release.held()) == set(ids[1:]), release.held()
        assert set(release.held("--tenant", "slow")) == set(ids[1:])
        assert release.held("--tenant", "fast") == {}
        said = h.gate.penstock("status")
        assert said.returncode == 1 and "NOT RELEASED" in said.stdout, said
        release.start()
        # one may go, the last one first
        for words in (("limits", "grant", "slow", "daily", "+1", "--until",
                       "2h"), ("hold", "release", ids[3])):
            said = h.gate.penstock(*words, "--reason", "the chairman waits")
            assert said.returncode == 0, said
        h.sink.wait(lambda s: "u3@example.org" in s.recipients(), 90)
        # what is done is forgotten
        proc.wait_for(lambda: set(release.held()) == {ids[1], ids[2]}, 60,
                      "the gate to forget\n" + release.log())
        said = h.gate.penstock("hold", "release", ids[3], "--reason", "x")
        assert said.returncode == 1 and "no message" in said.stderr, said
        said = h.gate.penstock("hold", "drop", "--tenant", "slow",
                               "--reason", "a campaign of last year")
        assert said.returncode == 0, said
        assert said.stdout.startswith("2 messages are dropped"), said
        proc.wait_for(lambda: not release.on_hold() and not release.held(),
                      90, "an empty hold queue\n" + release.log())
        said = h.gate.penstock("audit").stdout
        assert "hold-release" in said and "the chairman waits" in said, said
        assert "2 messages held" in said, said
        said = h.gate.penstock("hold", "list").stdout
        assert said == "nothing is held\n", said
        assert sorted(r for r in h.sink.recipients()
                      if r.endswith("@example.org")) == \
            ["u0@example.org", "u3@example.org"]
        kinds = [e["kind"] for e in h.gate.events("--since", "1h")]
        assert kinds.count("release") == 3, kinds
    finally:
        release.close()


def test_killed_at_random_each_message_goes_once(yard):
    y = yard()
    chance, rows, cut = random.Random(1), {}, 0
    foreign = y.submit(3, "foreign")
    for lap in range(LAPS):
        for i, queue_id in enumerate(y.submit(6, f"u{lap}-")):
            rows[queue_id] = DROP if i == 0 else GO
        y.release.rows(rows)
        before = len(y.release.on_hold())
        y.release.start()
        time.sleep(chance.uniform(0, 0.3))
        half = y.release.halves() if chance.random() < 0.4 else []
        for pid in half:
            os.kill(pid, 9)
        if half:            # the other one sees it, and ends by itself
            y.release.process.wait(60)
        y.release.kill()
        left = len(y.release.on_hold())
        cut += len(foreign) < left < before
    y.release.start()
    proc.wait_for(lambda: y.release.on_hold() == set(foreign) and all(
        r["result"] for r in y.release.held().values()), 120,
        "the rest\n" + y.release.log()[-3000:])
    for queue_id, row in y.release.held().items():
        assert row["result"] == (
            "dropped" if rows[queue_id] == DROP else "done"), row
    want = sorted(f"u{lap}-{i}@example.org" for lap in range(LAPS)
                  for i in range(1, 6))
    y.sink.wait(lambda s: len(y.delivered()) >= len(want), 120)
    y.release.stop()
    assert y.delivered() == want
    assert y.release.on_hold() == set(foreign)
    print(f"{len(rows)} messages, {LAPS} kills, {cut} within an order")


def test_once_and_check(yard):
    y = yard()
    ids = y.submit(2)
    y.release.rows({ids[0]: GO, ids[1]: WAITING})
    assert y.release.run("-n").returncode == 0
    said = y.release.run("--once")
    assert said.returncode == 0, said.stderr
    assert said.stdout == "1 released, 0 dropped, 0 expired, 0 gone, " \
        "0 failed\n"
    said = y.release.run("--once")
    assert said.stdout.startswith("0 released"), said
    y.sink.wait(lambda s: "u0@example.org" in s.recipients(), 60)
    os.rename(f"{y.postfix.folder}/etc/main.cf",
              f"{y.postfix.folder}/etc/main.old")
    said = y.release.run("-n")
    assert said.returncode == 1 and "config_directory" in said.stderr, said
    assert y.release.run("--once", "more").returncode == 2
    assert y.release.run("--user", "x").returncode == 2


def test_without_room_for_its_store_nothing_is_released(yard):
    y = yard()
    ids = y.submit(2)
    y.release.rows({ids[0]: GO, ids[1]: DROP})
    place = f"{y.gate.store}/release"
    os.makedirs(place, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs",
                       place], capture_output=True).returncode != 0:
        pytest.skip("no tmpfs")
    try:
        said = y.release.run("--once")
        assert said.returncode > 0 and "room" in said.stderr, said
        assert y.release.on_hold() == set(ids) and y.delivered() == []
    finally:
        subprocess.run(["umount", "-l", place], check=True)
    said = y.release.run("--once")
    assert said.stdout.startswith("1 released, 1 dropped"), said
    y.sink.wait(lambda s: "u0@example.org" in s.recipients(), 60)


def test_the_half_that_is_root_may_live_elsewhere(yard):
    y = yard('\tinventory = "1s"\n\tagent = "unix:{folder}/agent.sock"\n')
    path = f"{y.gate.folder}/agent.sock"
    ids = y.submit(3)
    y.release.rows({ids[0]: GO, ids[1]: WAITING, ids[2]: WAITING})
    y.release.start()
    proc.wait_for(lambda: "not released: " in
                  y.gate.penstock("hold", "list").stdout, 60, "trouble")
    said = y.gate.penstock("status")
    assert "cannot connect" in said.stdout, said
    y.release.start_agent(path)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    y.sink.wait(lambda s: "u0@example.org" in s.recipients(), 60)
    y.wait_result(ids[0], "done")
    # killed beside its Postfix, and started again
    y.release.kill("agent")
    y.release.stop()
    y.release.rows({ids[0]: GO, ids[1]: GO, ids[2]: WAITING})
    y.release.start()
    y.release.start_agent(path)
    y.sink.wait(lambda s: "u1@example.org" in s.recipients(), 60)
    y.wait_result(ids[1], "done")
    y.release.stop()
    # nothing but orders, and no more than those
    for line in (b"release ALL\n", b"release -r\n", b"requeue 8B6BAA7A6E3\n",
                 b"release " + b"A" * 20000, b"\n"):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(path)
            heard = b""
            try:
                s.sendall(line)
                while chunk := s.recv(4096):
                    heard += chunk
            except ConnectionError:     # of what is read by nobody
                assert len(line) > 20000
            assert len(line) > 20000 or heard.startswith(
                b"penstock-release 1\nno "), heard
    assert y.release.on_hold() == {ids[2]}
    assert y.delivered() == ["u0@example.org", "u1@example.org"]


def test_who_reads_stores_is_not_root(yard):
    someone = proc.user("backup", "list", "irc", "games", "news")
    y = yard(f'\tuser = "{someone.pw_name}"\n')
    for at, _, files in os.walk(f"{y.gate.store}/gate"):
        os.chown(at, -1, someone.pw_gid)
        for name in files:
            os.chown(f"{at}/{name}", -1, someone.pw_gid)
    os.chmod(y.gate.store, 0o755)
    os.mkdir(f"{y.gate.store}/release")     # as the unit does before it
    os.chown(f"{y.gate.store}/release", someone.pw_uid, someone.pw_gid)
    os.chmod(f"{y.gate.store}/release", 0o2750)
    ids = y.submit(1)
    y.release.rows({ids[0]: GO})
    y.release.start()
    y.sink.wait(lambda s: "u0@example.org" in s.recipients(), 60)

    def owner(pid):
        with open(f"/proc/{pid}/status") as f:
            said = f.read()
        return said.split("Uid:")[1].split()[:4]
    assert set(owner(y.release.process.pid)) == {str(someone.pw_uid)}
    halves = y.release.halves()
    assert [owner(pid) for pid in halves] == [["0"] * 4]
    assert os.stat(f"{y.gate.store}/release").st_uid == someone.pw_uid
    assert y.release.stop() == 0
    proc.wait_for(lambda: not any(os.path.exists(f"/proc/{pid}")
                                  for pid in halves), 20, "the other half")
