"""kill -9 of the gate at random moments while mail, resets and edits of limits
go on: what clients heard, what is on record and what is counted must agree."""

import json
import os
import random
import sys
import threading
import time

import house as house_
import pytest
from house import message
from rawmilter import Closed, Milter

MAIN = """\
timezone = "UTC"
unknown_sender = "refuse"
include "tenants.d"
group "both" {{
	cap "shared" {{ limit = "{shared}/month" }}
}}
"""
TENANT = """\
tenant "{name}" {{
	group = "both"
	throttle "steady" {{ rate = "{rate}"  burst = 1000000 }}
	cap "few" {{ limit = "1000000/{few}" }}
	cap "letters" {{ limit = "1000000/month"  count = "messages" }}
	cap "volume" {{ limit = "900000000/month"  count = "bytes" }}
	cap "google" {{ limit = "1000000/month"  to = "provider:google" }}
	logins = {{"{name}"}}
	domains = {{"{name}.example"}}
}}
"""
NAMES = ("acme", "bolt")
MORE = 800          # of the shared cap, for every life of the gate


def policy_of(shared, few="month", rate="1/day"):
    return MAIN.format(shared=shared), {
        f"{name}.conf": TENANT.format(name=name, few=few, rate=rate)
        for name in NAMES}


class Senders:
    """Clients that do not care whether the gate lives."""

    def __init__(self, gate):
        self.gate = gate
        self.heard, self.unsure = 0, 0      # recipients
        self.queue_ids, self.slowest = set(), 0.0
        self.lock, self.stop = threading.Lock(), False
        self.threads = [threading.Thread(target=self.run, args=(i,))
                        for i in range(8)]
        for t in self.threads:
            t.start()

    def run(self, i):
        dice = random.Random(os.urandom(8))
        while not self.stop:
            try:
                with Milter(self.gate.socket, timeout=20) as m:
                    m.hello()
                    while not self.stop:
                        self.one(m, dice, NAMES[i % len(NAMES)])
            except (Closed, OSError):
                time.sleep(0.01)

    def one(self, m, dice, name):
        sender, queue_id = f"a@{name}.example", "4x" + os.urandom(6).hex()
        size = dice.choice(("SIZE=1", "SIZE=300", "SIZE=99999", "X=Y"))
        if not m.mail(f"<{sender}>", name, size).ok:
            time.sleep(0.01)
            return
        hosts = ("gmail.com", "example.org")
        taken = sum(m.rcpt(f"<r{k}@{dice.choice(hosts)}>").ok
                    for k in range(dice.randrange(1, 5)))
        if taken == 0 or dice.random() < 0.2:
            m.abort()
            return
        text = message(sender, body="x" * dice.randrange(900))
        with self.lock:
            self.unsure += taken
        began = time.monotonic()
        reply = m.content(text, queue_id)
        with self.lock:
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.unsure -= taken
            if reply.ok:
                self.heard += taken
                self.queue_ids.add(queue_id)

    def end(self):
        self.stop = True
        for t in self.threads:
            t.join()


def counted(events):
    """{(tenant, limit): amount} of what was accepted and not taken back."""
    voided = {e["voids"] for e in events if e["kind"] == "void"}
    sums = {}
    for e in events:
        if e["kind"] != "accept" or e["seq"] in voided:
            continue
        for c in e["charges"]:
            who = "" if c["limit"] == "shared" else e["tenant"]
            key = (who, c["limit"])
            sums[key] = sums.get(key, 0) + c["amount"]
    return sums


def spent(gate):
    """{(tenant, limit): used}"""
    said = json.loads(gate.penstock("limits", "--json", check=True).stdout)
    return {(row.get("tenant", ""), row["limit"]): row["used"]
            for row in said["limits"] if row["used"] > 0}


def edit(gate, dice, shared):
    """Another policy, that takes nothing from anybody."""
    few = dice.choice(("day", "month", "week"))
    main, tenants = policy_of(shared, few, dice.choice(("1/day", "3/day")))
    gate.write("policy.conf", main)
    for name, text in tenants.items():
        gate.write(f"tenants.d/{name}", text)


def test_killed_again_and_again_the_count_is_what_was_heard():
    lives = min(int(os.environ.get("ROUNDS", "50")), 500) // 2
    dice = random.Random(int(os.environ.get("SEED", "0")) or None)
    main, tenants = policy_of(MORE)
    heard, unsure, slowest, queue_ids = 0, 0, 0.0, set()
    with house_.House(queue=False, policy=main, tenants=tenants,
                      keys={}) as house:
        gate = house.gate
        for life in range(1, lives + 1):
            edit(gate, dice, MORE * life)
            senders = Senders(gate)
            if dice.random() < 0.7:
                assert gate.reload().returncode in (0, 1)
            time.sleep(dice.uniform(0.02, 0.6))
            if dice.random() < 0.2:
                assert gate.stop() == 0
            else:
                gate.kill()
            senders.end()
            gate.start()
            heard += senders.heard
            unsure += senders.unsure
            queue_ids |= senders.queue_ids
            slowest = max(slowest, senders.slowest)
            events = gate.events()
            sums = counted(events)
            total = sums.get(("", "shared"), 0)
            assert heard <= total <= heard + unsure, (life, heard, unsure)
            assert total <= MORE * life, (life, total)
            lost = queue_ids - {e["queue_id"] for e in events
                                if e["kind"] == "accept"}
            assert not lost, (life, lost)
            assert spent(gate) == sums, life
        assert slowest < 2.5, slowest
        assert heard > 0 and gate.stop() == 0
    print(f"{lives} lives: {heard} recipients with a 250, {total} counted, "
          f"{unsure} unanswered, slowest answer {slowest:.3f} s")


if __name__ == "__main__":
    sys.exit(pytest.main([__file__]))
