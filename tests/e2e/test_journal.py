"""The ingester follows a journal: entries come, files come and go, it is
killed and started; each message has what was said of it, once."""

import os

import house as house_
import ingest
import journal
import proc
import pytest
from house import message
from rawmilter import Milter

UNIT, OTHER = "postfix@-.service", "dovecot.service"
BLOCK = """\
ingest {
	journal = {"%s"}
	journal_folder = "{folder}/journal"
	user = ""
}
""" % UNIT


@pytest.fixture
def house():
    if journal.program() is None:
        pytest.skip("no systemd-journal-remote: make deps")
    with house_.House(queue=False, blocks=BLOCK) as h:
        os.mkdir(f"{h.gate.folder}/journal")
        yield h


def accept(house, queue_id):
    with Milter(house.gate.socket) as m:
        m.hello()
        reply, got = m.send("acme", "<a@acme.example>", ["<r@dest.example>"],
                            message("a@acme.example"), queue_id)
        m.quit()
    assert got, reply


def lines(queue_id, status="sent (250 2.0.0 Ok)", dsn="2.0.0"):
    return [("postfix/qmgr", f"{queue_id}: from=<a@acme.example>, size=9, "
             "nrcpt=1 (queue active)"),
            ("postfix/smtp", f"{queue_id}: to=<r@dest.example>, "
             f"relay=mx.dest.example[192.0.2.1]:25, delay=1, dsn={dsn}, "
             f"status={status}"),
            ("postfix/qmgr", f"{queue_id}: removed")]


def kinds(i, queue_id):
    return i.outcomes("a@acme.example").get((queue_id, "r@dest.example"))


def test_a_journal_is_followed_through_everything(house):
    place = f"{house.gate.folder}/journal"
    first = journal.Journal(f"{place}/one.journal")
    ids = [f"4kJ{n:07d}zAB" for n in range(6)]
    for queue_id in ids:
        accept(house, queue_id)
    first.write(UNIT, lines(ids[0]))        # before there was a reader
    proc.wait_for(lambda: os.path.exists(first.path), 20, "the journal")
    i = ingest.Ingest(house.gate).start()
    try:
        # what another unit says is not of Postfix, whatever it looks like
        first.write(OTHER, lines(ids[2]))
        first.write(UNIT, lines(ids[1]))
        proc.wait_for(lambda: kinds(i, ids[1]) == ["delivered"], 60,
                      "the first entries")
        assert kinds(i, ids[2]) is None
        i.kill()
        first.write(UNIT, lines(ids[2], "bounced (550 5.1.1 no such user)",
                                "5.1.1"))
        i.start()
        proc.wait_for(lambda: kinds(i, ids[2]) == ["bounced"], 60,
                      "what was said meanwhile")
        # journald begins another file
        first.close()
        second = journal.Journal(f"{place}/two.journal")
        second.write(UNIT, lines(ids[3]))
        proc.wait_for(lambda: kinds(i, ids[3]) == ["delivered"], 60,
                      "the second file")
        # and an old one goes, with the entry that was read last of it
        assert i.stop() == 0
        os.unlink(first.path)
        second.write(UNIT, lines(ids[4]))
        i.start()
        proc.wait_for(lambda: kinds(i, ids[4]) == ["delivered"], 60,
                      "what came after an old file went")
        second.close()
        third = journal.Journal(f"{place}/three.journal")
        assert i.stop() == 0
        os.unlink(second.path)      # the place itself is gone now
        third.write(UNIT, lines(ids[5]))
        i.start()
        proc.wait_for(lambda: kinds(i, ids[5]) == ["delivered"], 60,
                      "what came after the place was lost")
        third.close()
        # each entry once
        proc.wait_for(lambda: i.status()["counts"]["lines"] >= 5 * 3, 20,
                      "the last line")
        assert i.status()["counts"]["lines"] == 5 * 3
        assert kinds(i, ids[0]) is None         # from before the first reader
        assert kinds(i, ids[1]) == ["delivered"]
    finally:
        i.kill()
