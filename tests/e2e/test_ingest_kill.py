"""The ingester against an oracle: a log that is written, renamed, copied and
cut, packed, while it is killed and started again; then every message has the
outcomes that were written, no more and no less."""

import collections
import datetime
import gzip
import os
import random
import shutil

import house as house_
import ingest
import proc
import pytest
from house import message
from rawmilter import Milter

SENDER = "a@acme.example"
BLOCK = "}\ningest {\n\tlog = \"%s\"\n\tuser = \"\"\n\tlog_zone = \"UTC\"\n"
# a second or so each: tests/soak schedules goes round in full
ROUNDS = int(os.environ.get("SCHEDULES", "50"))
KEEP = 40       # rotated files: more than a round makes
SAID = {
    "delivered": "dsn=2.0.0, status=sent (250 2.0.0 Ok)",
    "bounced": "dsn=5.1.1, status=bounced (host mx.dest.example[192.0.2.1] "
               "said: 550 5.1.1 <x@y>: user unknown, status=sent (250 Ok))",
    "deferred": "dsn=4.7.1, status=deferred (host mx.dest.example[192.0.2.1] "
                "said: 450 4.7.1 try again later)",
}


class Log:
    """The writer: postlogd and logrotate in one, so that nothing is lost."""

    def __init__(self, path):
        self.path = path
        self.file = open(path, "a")

    def write(self, lines):
        for line in lines:
            self.file.write(line + "\n")
        self.file.flush()

    def shift(self):
        for n in range(KEEP, 0, -1):
            for end in ("", ".gz"):
                if os.path.exists(f"{self.path}.{n}{end}"):
                    os.rename(f"{self.path}.{n}{end}",
                              f"{self.path}.{n + 1}{end}")

    def rename(self, late):
        """The writer may find out a little later."""
        self.shift()
        os.rename(self.path, f"{self.path}.1")
        self.write(late)
        self.file.close()
        self.file = open(self.path, "a")

    def copytruncate(self):
        self.shift()
        shutil.copyfile(self.path, f"{self.path}.1")
        os.truncate(self.path, 0)

    def pack(self, n):
        try:
            with open(f"{self.path}.{n}", "rb") as f, \
                    gzip.open(f"{self.path}.{n}.gz.new", "wb") as z:
                shutil.copyfileobj(f, z)
        except FileNotFoundError:
            return
        os.rename(f"{self.path}.{n}.gz.new", f"{self.path}.{n}.gz")
        os.unlink(f"{self.path}.{n}")


def life(rng, queue_id, recipients, stamp):
    """Lines of one message, and what comes of each recipient."""
    lines, told = [], {}
    head = f"{stamp} gw postfix/"
    lines.append(f"{head}qmgr[2]: {queue_id}: from=<{SENDER}>, size=9, "
                 f"nrcpt={len(recipients)} (queue active)")
    expires = rng.random() < 0.15
    for r in recipients:
        kinds = []
        for _ in range(rng.randrange(3) + expires):
            kinds.append("deferred")
        if not expires or rng.random() < 0.5:
            kinds.append(rng.choice(["delivered", "delivered", "bounced"]))
        for k in kinds:
            lines.append(f"{head}smtp[3]: {queue_id}: to=<{r}>, relay=mx.dest."
                         f"example[192.0.2.1]:25, delay=1, {SAID[k]}")
        told[queue_id, r] = sorted(set(kinds) | (
            set() if kinds[-1:] and kinds[-1] != "deferred" else
            {"expired"} if expires else set()))
    if expires:
        lines.append(f"{head}qmgr[2]: {queue_id}: from=<{SENDER}>, "
                     "status=expired, returned to sender")
    lines.append(f"{head}qmgr[2]: {queue_id}: removed")
    return lines, {k: v for k, v in told.items() if v}


@pytest.fixture(scope="module")
def place():
    """A gate without Postfix, and its ingester's log."""
    h = house_.House(more=BLOCK % "/nowhere", queue=False)
    h.log = f"{h.gate.folder}/mail.log"
    conf = open(h.gate.conf).read().replace("/nowhere", h.log)
    h.gate.write("penstock.conf", conf)
    yield h
    h.close()


def accept(house, rng, first, n):
    """n messages through the milter; {queue id: recipients}."""
    sent = {}
    with Milter(house.gate.socket) as m:
        m.hello()
        for i in range(first, first + n):
            q = f"4kX{i:07d}zAB"
            sent[q] = [f"r{i}.{k}@dest.example"
                       for k in range(rng.randrange(1, 4))]
            reply, taken = m.send("acme", f"<{SENDER}>",
                                  [f"<{r}>" for r in sent[q]],
                                  message(SENDER), queue_id=q)
            assert reply.ok and len(taken) == len(sent[q]), reply
        m.quit()
    return sent


def one_round(house, rng, first):
    """A schedule; what was to be told, and the ingester that tells it."""
    log = Log(house.log)
    told, lines = {}, []
    for q, rcpts in accept(house, rng, first, 12).items():
        more, kinds = life(rng, q, rcpts, datetime.datetime.now(
            datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ"))
        lines.append(more)
        told.update(kinds)
    # messages side by side, each in its own order
    mixed = []
    while lines:
        pick = rng.choice(lines)
        mixed.append(pick.pop(0))
        if not pick:
            lines.remove(pick)
    ing = ingest.Ingest(house.gate).start()
    while mixed:
        dice = rng.random()
        n = rng.randrange(1, 8)
        if dice < 0.5:
            log.write(mixed[:n])
            del mixed[:n]
        elif dice < 0.62:
            log.rename(mixed[:n])
            del mixed[:n]
        elif dice < 0.70:
            log.copytruncate()
        elif dice < 0.80:
            log.pack(rng.randrange(1, 4))
        else:
            ing.kill()
            ing.start()
    return told, ing


def test_outcomes_equal_the_oracle(place):
    seed = int(os.environ.get("SEED", "20"))
    rng = random.Random(seed)
    want, ing = {}, ingest.Ingest(place.gate).start()
    Log(place.log).write(["Nov 21 00:00:00 gw postfix/master[1]: daemon "
                          "started -- version 3.7.11"])
    proc.wait_for(lambda: ing.status()["counts"]["lines"] == 1, 30,
                  "the first line")
    ing.kill()
    for i in range(ROUNDS):
        told, ing = one_round(place, rng, i * 12)
        want.update(told)
        proc.wait_for(lambda: ing.outcomes(SENDER) == want, 60,
                      f"seed {seed}, round {i}: outcomes as written")
        ing.kill()
    kinds = collections.Counter(k for v in want.values() for k in v)
    assert {"delivered", "bounced", "deferred", "expired"} <= set(kinds)
    last = ing.start().status()
    assert last["not_understood"]["log"]["count"] == 0, last
    assert last["counts"]["outcomes"] == sum(kinds.values())
    assert last["counts"]["foreign"] == 0
    ing.kill()
