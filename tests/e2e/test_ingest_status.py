"""What penstock ingest status says to eyes and to programs: a log that cannot
be read, a rotated one that is damaged, within 80 columns."""

import gzip
import os

import house as house_
import ingest
import proc
import pytest

BLOCK = "}\ningest {\n\tlog = \"%s\"\n\tuser = \"\"\n\tlog_zone = \"UTC\"\n"
LINE = "Nov 21 00:00:%02d gw postfix/master[1]: daemon started -- 3.7.11\n"


@pytest.fixture
def place():
    h = house_.House(more=BLOCK % "/nowhere", queue=False)
    h.log = f"{h.gate.folder}/a/long/way/to/mail.log"
    os.makedirs(os.path.dirname(h.log))
    conf = open(h.gate.conf).read().replace("/nowhere", h.log)
    h.gate.write("penstock.conf", conf)
    h.ingest = ingest.Ingest(h.gate)
    yield h
    h.ingest.kill()
    h.close()


def shown(house):
    text = house.gate.penstock("ingest", "status", check=True).stdout
    wide = [line for line in text.splitlines() if len(line) > 80]
    return text, [line for line in wide if not line.startswith(("NOT", " "))]


def test_a_log_that_cannot_be_read_is_said(place):
    os.mkdir(place.log)
    place.ingest.start()
    proc.wait_for(lambda: place.ingest.status()["logs"][0]["unreadable"], 30,
                  "the word about it")
    text, wide = shown(place)
    assert "NOT READ: file:" in text and "is no file" in text
    assert wide == []
    os.rmdir(place.log)
    with open(place.log, "w") as f:
        f.write(LINE % 1)
    proc.wait_for(lambda: place.ingest.status()["counts"]["lines"] == 1, 30,
                  "the line")
    proc.wait_for(lambda: not place.ingest.status()["logs"][0]["unreadable"],
                  30, "the end of that word")
    assert "NOT READ" not in shown(place)[0]


def test_a_damaged_rotated_log_holds_up_nothing(place):
    with open(place.log, "w") as f:
        f.write(LINE % 1)
    place.ingest.start()
    proc.wait_for(lambda: place.ingest.status()["counts"]["lines"] == 1, 30,
                  "the first line")
    place.ingest.kill()
    with open(place.log, "a") as f:
        f.writelines(LINE % (i % 60) for i in range(20000))
    packed = gzip.compress(open(place.log, "rb").read())
    os.unlink(place.log)
    with open(f"{place.log}.1.gz", "wb") as f:
        f.write(packed[:len(packed) // 2])
    with open(place.log, "w") as f:
        f.write(LINE % 2)
    place.ingest.start()
    proc.wait_for(lambda: place.ingest.status()["logs"][0]["last_line"] and
                  place.ingest.status()["not_understood"]["log"]["count"] == 1,
                  30, "the damaged one")
    said = place.ingest.status()
    assert said["not_understood"]["log"]["samples"][0].startswith(
        f"{place.log}.1.gz: cannot unpack it")
    proc.wait_for(lambda: place.ingest.status()["logs"][0]["behind"] == 0, 30,
                  "the live log")
    assert 2 < place.ingest.status()["counts"]["lines"] < 20002
    assert shown(place)[1] == []
