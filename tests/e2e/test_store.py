"""The store on bad days: full disk, second owner, backup while it works."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time

import gate
import house as house_
import postfix
import proc
import pytest
from house import message, send
from rawmilter import Closed, Milter

MINE = "a@acme.example"


@contextlib.contextmanager
def small_disk(size):
    """A file system of that size; skipped where mounting is forbidden."""
    place = house_.folder()
    said = subprocess.run(["mount", "-t", "tmpfs", "-o",
                           f"size={size},mode=755", "tmpfs", place],
                          capture_output=True, text=True)
    if said.returncode != 0:
        os.rmdir(place)
        pytest.skip(f"no tmpfs: {said.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place])
        os.rmdir(place)


def fill(path):
    """Takes every byte that is left."""
    with open(path, "wb", buffering=0) as f:
        for piece in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    f.write(b"\0" * piece)


def raw(house, n=1, rcpts=1):
    """n messages; how many were accepted, and the last reply."""
    got = 0
    with Milter(house.gate.socket) as m:
        m.hello()
        for i in range(n):
            reply, taken = m.send(
                "acme", f"<{MINE}>",
                [f"<r{k}@example.org>" for k in range(rcpts)], message(MINE))
            got += bool(taken)
        m.quit()
    return got, reply


LONG = "x" * 60 + "@" + ".".join("y" * 60 for _ in range(2)) + ".example"


def exhaust(house):
    """Large events until one is turned away; the reply."""
    rcpts = [f"<{i:04d}{LONG}>" for i in range(1000)]
    with Milter(house.gate.socket) as m:
        m.hello()
        for _ in range(1000):
            reply = m.mail(f"<{MINE}>", "acme")
            if reply.ok:
                assert all(r.ok for r in m.rcpts(rcpts))
                reply = m.content(message(MINE))
            if not reply.ok:
                return reply
    raise AssertionError("there is no end of room")


def recovers(house):
    return proc.wait_for(lambda: raw(house)[0] == 1, 10, "recovery")


def test_a_full_disk_is_451_and_recovers_without_restart():
    with small_disk("100m") as place, \
            house_.House(queue=False, store=place) as house:
        assert raw(house)[0] == 1
        fill(f"{place}/ballast")
        reply = exhaust(house)
        assert reply.code == 451, reply
        got, reply = raw(house)
        assert (got, reply.code) == (0, 451), reply
        assert house.gate.alive()
        before = gate.volume(house.gate.events())
        assert house.gate.penstock("limits").returncode == 0
        os.unlink(f"{place}/ballast")
        recovers(house)
        assert gate.volume(house.gate.events()) == before + 1
        assert house.gate.stop() == 0
        said = house.gate.penstock("store", "verify")
        assert said.returncode == 0, said.stdout + said.stderr


def test_a_full_map_is_451_and_a_larger_one_goes_on():
    with house_.House(queue=False, map_size="16 MiB") as house:
        reply = exhaust(house)
        assert reply.code == 451, reply
        assert house.gate.alive()
        before = gate.volume(house.gate.events())
        house.gate.stop()
        with open(house.gate.conf) as f:
            conf = f.read()
        house.gate.write("penstock.conf", conf.replace("16 MiB", "1 GiB"))
        house.gate.start()
        assert raw(house)[0] == 1
        assert gate.volume(house.gate.events()) == before + 1


def test_through_postfix_a_full_disk_loses_nothing():
    if postfix.reason_not():
        pytest.skip(postfix.reason_not())

    def one(house, smtp):
        return send(smtp, MINE, ["x@example.org"], message(MINE)).code
    with small_disk("100m") as place, house_.House(store=place) as house:
        smtp = house.client("acme")
        assert one(house, smtp) == 250
        fill(f"{place}/ballast")
        exhaust(house)
        assert one(house, smtp) == 451
        smtp.close()
        os.unlink(f"{place}/ballast")
        recovers(house)
        smtp = house.client("acme")
        assert one(house, smtp) == 250
        smtp.close()
        house.postfix.wait_empty()
        assert len(house.sink.deliveries) == 2


def injected(house, *what):
    """The gate again, with faults put under its calls of the kernel."""
    if subprocess.run(["strace", "-o", "/dev/null", "true"],
                      capture_output=True).returncode != 0:
        pytest.skip("strace may not trace here")
    house.gate.stop()
    house.gate.wrap = ["strace", "-f", "-qq", "-o", "/dev/null",
                       *(x for w in what for x in ("-e", w))]
    house.gate.start(60)
    house.gate.wrap = []


@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
def test_an_error_of_the_disk_is_a_loud_end_and_a_sound_start(call):
    with house_.House(queue=False) as house:
        injected(house, f"trace={call}", f"inject={call}:error=EIO:when=40")
        taken, last = set(), None
        for n in range(200):
            try:
                with Milter(house.gate.socket) as m:
                    m.hello()
                    last, got = m.send("acme", f"<{MINE}>", ["<x@a.example>"],
                                       message(MINE), f"4xEIO{n:04d}")
                    if got:
                        taken.add(f"4xEIO{n:04d}")
            except (Closed, OSError):
                break
        assert house.gate.process.wait(10) == 74, house.gate.log()[-2000:]
        assert "error" in house.gate.log()[-2000:].lower()
        proc.stop(house.gate.process)
        assert taken and len(taken) < 200
        house.gate.start()
        assert taken <= {e["queue_id"] for e in house.gate.events()}
        assert raw(house)[0] == 1
        house.gate.stop()
        assert house.gate.penstock("store", "verify").returncode == 0


def test_a_slow_disk_is_451_in_time_and_what_lands_is_taken_back():
    with house_.House(queue=False) as house:
        assert raw(house)[0] == 1
        before = spent(house)["monthly"]
        injected(house, "trace=fdatasync",
                 "inject=fdatasync:delay_exit=6000000:when=4")
        slow, replies = 0.0, []
        for _ in range(12):
            began = time.monotonic()
            replies.append(raw(house)[1])
            slow = max(slow, time.monotonic() - began)
            time.sleep(0.2)
        assert {r.code for r in replies} == {250, 451}, replies
        assert 1.5 < slow < 5
        proc.wait_for(lambda: raw(house)[0] == 1, 15, "the disk")
        accepted = sum(r.code == 250 for r in replies) + 1
        events = house.gate.wait_events(
            lambda all_: any(e["kind"] == "void" for e in all_))
        assert gate.volume(events) == before + accepted
        assert spent(house)["monthly"] == before + accepted


def test_a_second_gate_on_the_store_ends_at_once():
    with house_.House(queue=False) as house:
        began = time.monotonic()
        second = subprocess.run(
            [gate.program("penstock-milter"), "-c", house.gate.conf],
            capture_output=True, text=True, timeout=10)
        assert second.returncode == 73, second.stderr
        assert time.monotonic() - began < 1
        assert str(house.gate.process.pid) in second.stderr
        assert raw(house)[0] == 1


@pytest.mark.parametrize("how", ["cut", "empty", "noise"])
def test_a_damaged_store_is_a_refusal_that_systemd_does_not_repeat(how):
    with house_.House(queue=False) as house:
        assert raw(house, 50)[0] == 50
        house.gate.stop()
        data = f"{house.gate.store}/gate/data.mdb"
        if how == "noise":
            with open(data, "r+b") as f:
                f.seek(8192)
                f.write(os.urandom(1 << 20))
        else:
            os.truncate(data, 70000 if how == "cut" else 0)
        run = subprocess.run(
            [gate.program("penstock-milter"), "-c", house.gate.conf],
            capture_output=True, text=True, timeout=10)
        assert run.returncode == 65, run
        assert f"{house.gate.store}/gate" in run.stderr


def test_a_backup_while_mail_flows_is_whole():
    with house_.House(queue=False) as house:
        stop = threading.Event()

        def flow():
            while not stop.is_set():
                raw(house, 20)
        threads = [threading.Thread(target=flow) for _ in range(4)]
        for t in threads:
            t.start()
        try:
            for n in range(5):
                copy = f"{house.folder}/copy{n}"
                known = len(house.gate.events())
                said = house.gate.penstock("store", "backup", copy)
                assert said.returncode == 0, said.stdout + said.stderr
                conf = f"{copy}/penstock.conf"
                with open(house.gate.conf) as f:
                    text = f.read().replace(f"{house.gate.folder}/store",
                                            copy)
                with open(conf, "w") as f:
                    f.write(text)
                run = [gate.program("penstock"), "-c", conf]
                assert subprocess.run([*run, "store", "verify"],
                                      capture_output=True).returncode == 0
                lines = subprocess.run([*run, "events", "--json"],
                                       capture_output=True, text=True)
                seqs = [json.loads(x)["seq"]
                        for x in lines.stdout.splitlines()]
                assert len(seqs) >= known
                assert seqs == list(range(1, len(seqs) + 1))
        finally:
            stop.set()
            for t in threads:
                t.join()


def test_restart_brings_back_every_counter():
    with house_.House(queue=False) as house:
        assert raw(house, 30, rcpts=3)[0] == 30
        before = spent(house)
        assert before["monthly"] == 90
        assert house.gate.stop() == 0
        house.gate.start()
        assert spent(house)["monthly"] == 90
        assert raw(house, 1, rcpts=3)[0] == 1
        house.gate.kill()
        house.gate.start()
        assert spent(house)["monthly"] == 93


def spent(house):
    """{limit: used} of acme."""
    said = json.loads(house.gate.penstock("limits", "acme", "--json",
                                          check=True).stdout)
    rows = said["limits"] if isinstance(said, dict) else said
    return {row["limit"]: row["used"] for row in rows}


if __name__ == "__main__":
    sys.exit(pytest.main([__file__]))
