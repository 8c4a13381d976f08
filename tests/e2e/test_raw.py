"""The gate alone, with a raw client: caps, crashes, nonsense, half packets."""

import os
import random
import socket
import struct
import threading
import time

import gate
import house as house_
import proc
import pytest
from house import message
from rawmilter import Closed, Milter, apply_edits, crlf, macros, packet

CAPPED = {"big.conf": """\
tenant "big" {
	cap "thousand" { limit = "1000/month" }
	logins = {"big"}
	domains = {"big.example"}
	dkim "r1" { domain = "big.example"  key = "big.rsa" }
}
"""}
WIDE = {"big.conf": CAPPED["big.conf"].replace("1000/month",
                                               "100000000/month")}
BIG = "<a@big.example>"
TEXT = message("a@big.example")


def capped(build, **how):
    return build(queue=False, tenants=CAPPED, keys={"big.rsa": "rsa"}, **how)


def parallel(n, work):
    """work(i) on n threads; raises what the first one raised."""
    wrong = []

    def one(i):
        try:
            work(i)
        except BaseException as e:      # noqa: BLE001
            wrong.append(e)
    threads = [threading.Thread(target=one, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if wrong:
        raise wrong[0]


def rcpts(n, m=100):
    return [f"<s{n}r{i}@example.org>" for i in range(m)]


def test_fifty_sessions_of_a_hundred_share_a_cap_exactly(build):
    house = capped(build)
    taken = []

    def session(n):
        with Milter(house.gate.socket) as m:
            m.hello()
            reply, got = m.send("big", BIG, rcpts(n), TEXT, f"4xCAP{n:04d}")
            taken.extend(got)
            m.quit()
    parallel(50, session)
    assert len(taken) == 1000
    assert gate.volume(house.gate.events(), "big") == 1000
    with Milter(house.gate.socket) as m:
        reply, got = m.hello().send("big", BIG, ["<x@example.org>"], TEXT)
        assert got == []
        assert reply.code == 451 and "thousand" in reply.text, reply


def test_kill_9_in_the_middle_never_gives_more_than_the_cap(build):
    house = capped(build)
    accepted, stop = {}, threading.Event()

    def session(n):
        random_ = random.Random(n)
        serial = 0
        while not stop.is_set():
            try:
                with Milter(house.gate.socket) as m:
                    m.hello()
                    while not stop.is_set():
                        serial += 1
                        queue_id = f"4xK{n:03d}z{serial:06d}"
                        reply, got = m.send(
                            "big", BIG, rcpts(n, random_.randint(1, 4)),
                            TEXT, queue_id)
                        if got:
                            accepted[queue_id] = len(got)
                        elif reply.code == 451 and "thousand" in reply.text:
                            time.sleep(0.05)
            except (Closed, OSError):
                time.sleep(0.02)

    def killer():
        for _ in range(4):
            time.sleep(0.5)
            house.gate.kill()
            house.gate.start()
        time.sleep(1.5)
        stop.set()
    threads = [threading.Thread(target=session, args=(n,))
               for n in range(16)] + [threading.Thread(target=killer)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    total = sum(accepted.values())
    assert 0 < total <= 1000
    events = {e["queue_id"]: e for e in house.gate.events()
              if e["kind"] == "accept"}
    missing = set(accepted) - set(events)
    assert not missing, f"answered and not recorded: {missing}"
    assert all(len(events[q]["recipients"]) == n
               for q, n in accepted.items())
    volume = gate.volume(events.values(), "big")
    assert total <= volume <= 1000


def test_the_edits_make_a_message_that_verifies(build):
    house = capped(build)
    with Milter(house.gate.socket) as m:
        m.hello()
        text = message("a@big.example", headers="X-Penstock-Pool: forged\r\n"
                       "X-Keep: a\r\n b\r\n")
        reply, _ = m.send("big", BIG, ["<x@example.org>"], text)
        assert reply.ok, reply
        signed = apply_edits(text, m.edits)
    assert b"X-Penstock" not in signed and b"X-Keep" in signed
    path = f"{house.folder}/signed.eml"
    with open(path, "wb") as f:
        f.write(signed)
    said = house.gate.penstock("dkim", "verify", "--keys",
                               house.gate.query_file(), path)
    assert said.returncode == 0, said.stdout + said.stderr


def test_reset_and_silence_give_back_what_was_reserved(build):
    house = capped(build)
    with Milter(house.gate.socket) as m:
        m.hello()
        m.mail(BIG, "big")
        assert all(m.rcpt(r).ok for r in rcpts(0, 1000))
        with Milter(house.gate.socket) as other:
            reply, got = other.hello().send("big", BIG, rcpts(1, 1), TEXT)
            assert got == [] and reply.code == 451
        m.abort()
        m.mail(BIG, "big")
        assert all(m.rcpt(r).ok for r in rcpts(0, 1000))
    # the connection is gone without a word
    time.sleep(0.3)
    with Milter(house.gate.socket) as m:
        reply, got = m.hello().send("big", BIG, rcpts(2, 1000), TEXT)
        assert len(got) == 1000


def test_a_login_ends_with_its_mail(build):
    """libmilter keeps the macros of a command that brings none.  Like
    Postfix, this client says only what the gate asked for, and has no login
    after STARTTLS or before AUTH."""
    house = capped(build)
    known = {"{daemon_name}": "smtpd", "v": "Postfix 3.7.11",
             "{auth_type}": "PLAIN", "{rcpt_mailer}": "smtp",
             "{rcpt_addr}": "x@example.org"}

    def say(m, command, wanted, data, **more):
        told = {**known, **more}
        m.write(macros(command, {k: told[k] for k in m.wanted[wanted]
                                 if k in told}))
        return m.command(command, data)
    with Milter(house.gate.socket) as m:
        m.hello()
        assert say(m, b"M", 2, b"<a@big.example>\0",
                   **{"{auth_authen}": "big"}).ok
        assert say(m, b"R", 3, b"<x@example.org>\0").ok
        m.abort()
        del known["{auth_type}"]
        assert say(m, b"M", 2, b"<a@big.example>\0").ok     # as a stranger
        assert not say(m, b"R", 3, b"<x@example.org>\0").ok
        # nor does a local recipient make the next one local
        assert say(m, b"R", 3, b"<c@local.example>\0",
                   **{"{rcpt_mailer}": "lmtp"}).ok
        del known["{rcpt_mailer}"]
        assert not say(m, b"R", 3, b"<x@example.org>\0").ok


def test_trusted_mail_speaks_for_one_tenant(build):
    """A relay without login: From names the tenant, and nobody else's name
    may stand beside it, in the message or on its envelope."""
    house = build(queue=False, policy=house_.MAIN_POLICY + """\
trusted { clients = {"192.0.2.0/24"}  identify = "from-domain" }
""")
    mine, other = "a@acme.example", "b@bolt.example"
    world, home = ("<x@example.org>", "smtp"), ("<c@local.example>", "lmtp")

    def heard(sender, head, *to):
        with Milter(house.gate.socket) as m:
            m.hello(client="192.0.2.9")
            assert m.mail(f"<{sender}>").ok
            assert all(m.rcpt(*r).ok for r in to)
            return m.content(f"From: {head}\r\n\r\nbody\r\n").code
    assert heard(mine, mine, world) == 250
    assert house.gate.events()[-1]["tenant"] == "acme"
    assert heard("", mine, world, home) == 250
    assert heard(other, mine, world) == 553
    assert heard("a@elsewhere.example", mine, world) == 553
    assert heard(mine, f"{mine}, {other}", world) == 550
    assert heard(mine, f"{mine}\r\nSender: {other}", world) == 550
    assert heard(mine, "a@elsewhere.example", world, home) == 550
    assert heard(mine, "a@elsewhere.example", home) == 250


# --- nonsense --------------------------------------------------------------------
HOSTILE = [
    b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x00\x00\x00\x01Z",
    b"\x7f\xff\xff\xffO", packet(b"O"), packet(b"O", b"\0" * 3),
    packet(b"O", b"\xff" * 12), packet(b"O", b"\0" * 4000),
    packet(b"E"), packet(b"B", b"x" * 70000), packet(b"R", b"<a@b>\0"),
    packet(b"D", b"M"), packet(b"D", b"Mi"), packet(b"D", b"M{auth_authen}"),
    packet(b"D", b"Z" + b"a\0" * 500), packet(b"L", b"no colon"),
    packet(b"C", b"host"), packet(b"C", b"host\0"), packet(b"C", b"h\0004"),
    packet(b"C", b"h\0L\0\0/tmp/x\0"), packet(b"M"), packet(b"M", b"\0"),
    packet(b"A"), packet(b"K"), packet(b"U", b"HELP\0"), packet(b"Q"),
    b"EHLO someone\r\nMAIL FROM:<a@b>\r\n", b"\0" * 5000,
]


def steady(house):
    """Threads and descriptors once nobody is connected."""
    def calm():
        first = house.gate.descriptors()
        time.sleep(0.1)
        return first == house.gate.descriptors()
    proc.wait_for(calm, 10)
    return house.gate.threads(), house.gate.descriptors()


def settled(house, threads, descriptors):
    """No thread and no descriptor stays. libmilter's pool keeps a few
    threads by itself, which are not per connection."""
    proc.wait_for(lambda: house.gate.descriptors() <= descriptors, 20,
                  f"descriptors to fall to {descriptors}")
    proc.wait_for(lambda: house.gate.threads() <= threads + 4, 20,
                  f"threads to fall to {threads} or so")


def well(house):
    """An ordinary message passes, quickly."""
    began = time.monotonic()
    with Milter(house.gate.socket) as m:
        reply, got = m.hello().send("big", BIG, ["<x@example.org>"], TEXT)
        m.quit()
    assert got, reply
    return time.monotonic() - began


def feed(house, data, wait=0.02):
    """Writes, reads what comes, hangs up."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(wait)
        s.connect(house.gate.socket)
        try:
            s.sendall(data)
            while s.recv(65536):
                pass
        except (socket.timeout, ConnectionError):
            pass


@pytest.fixture(scope="module")
def sturdy():
    with house_.House(queue=False, tenants=WIDE, keys={"big.rsa": "rsa"},
                      more='timeout = "1 second"\n') as house:
        well(house)
        yield house


def test_nonsense_is_not_the_end(sturdy):
    before = steady(sturdy)
    greeting = packet(b"O", struct.pack(">III", 6, 0x1ff, 0x1fffff))
    for words in HOSTILE:
        feed(sturdy, words)
        feed(sturdy, greeting + words)
        feed(sturdy, greeting + packet(b"M", b"<a@big.example>\0") + words)
    random_ = random.Random(os.environ.get("SEED", "1"))
    for _ in range(int(os.environ.get("ROUNDS", "50")) * 4):
        words = b"".join(packet(bytes([random_.choice(b"CHMRTLNBEADU")]),
                                random_.randbytes(random_.randrange(60)))
                         for _ in range(random_.randrange(1, 12)))
        feed(sturdy, greeting + words, 0.005)
    assert sturdy.gate.alive(), sturdy.gate.log()
    settled(sturdy, *before)
    well(sturdy)


class Recorder(Milter):
    """Keeps all bytes of the client's side."""
    def write(self, data):
        self.said = getattr(self, "said", b"") + data
        super().write(data)


def test_a_line_cut_after_any_byte_leaves_nothing_behind(sturdy):
    with Recorder(sturdy.gate.socket) as m:
        m.hello()
        reply, got = m.send("big", BIG, ["<x@example.org>"], TEXT)
        assert got, reply
        session = m.said
    before = steady(sturdy)
    for n in range(len(session)):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(sturdy.gate.socket)
            s.sendall(session[:n])
        if n % 50 == 0:
            assert sturdy.gate.alive(), f"cut after {n} bytes"
    assert sturdy.gate.alive(), sturdy.gate.log()
    settled(sturdy, *before)
    assert well(sturdy) < 2


def test_four_hundred_half_packets_do_not_stop_the_others(sturdy):
    before = steady(sturdy)
    halves = []
    for _ in range(400):
        s = socket.socket(socket.AF_UNIX)
        s.connect(sturdy.gate.socket)
        s.sendall(struct.pack(">I", 100) + b"O")
        halves.append(s)
    time.sleep(0.5)
    for _ in range(20):
        assert well(sturdy) < 5

    # The time-out ends them, not we; libmilter's pool may need many rounds.
    def hung_up():
        for s in halves:
            s.setblocking(False)
        return sum(closed(s) for s in halves) == 400
    proc.wait_for(hung_up, 120, "400 half packets to time out")
    for s in halves:
        s.close()
    assert sturdy.gate.alive()
    settled(sturdy, *before)


def closed(s):
    try:
        return s.recv(100) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_a_silent_crowd_costs_nothing(sturdy):
    before = steady(sturdy)
    crowd = []
    for _ in range(400):
        m = Milter(sturdy.gate.socket)
        crowd.append(m.hello())
    assert sturdy.gate.threads() <= before[0] + 40      # of 400
    assert well(sturdy) < 2
    for m in crowd:
        m.quit()
    settled(sturdy, *before)


def test_no_memory_is_lost_over_many_messages(sturdy):
    def some(n):
        with Milter(sturdy.gate.socket) as m:
            m.hello()
            for _ in range(n):
                m.mail("<a@other.example>", "big")
                m.mail(BIG, "big")
                m.rcpt("<x@example.org>")
                m.content(TEXT)
            m.quit()
    some(300)
    before = sturdy.gate.resident("RssAnon")
    some(1500)
    assert sturdy.gate.resident("RssAnon") - before < 3000


HOSTILE_FROM = {
    "8-bit domain": b" <a@b\xfcro.example>", "empty": b"", "a space": b" ",
    "half a string": b' "', "half an angle": b" <", "open comments":
    b" (((((", "no domain": b" nobody", "an at sign": b" @", "no domain in "
    "angles": b" <a@>", "30,000 open comments": b" " + b"(" * 30000,
    "a name only": b" =?utf-8?q?=C3=BC?=", "as long as may be":
    b" " + b"x" * 59800, "too long": b" " + b"x" * 59900,
    "5,000 commas": b" a@big.example" + b"," * 5000,
    "3,000 mailboxes": b" " + b", ".join([b"a@big.example"] * 3000),
}
MAY_PASS = ("5,000 commas", "3,000 mailboxes")


@pytest.mark.parametrize("name", HOSTILE_FROM)
def test_a_hostile_from_gets_an_answer(sturdy, name):
    with Milter(sturdy.gate.socket) as m:
        m.hello()
        m.mail(BIG, "big")
        m.rcpt("<x@example.org>")
        text = b"From:" + HOSTILE_FROM[name] + b"\r\nSubject: x\r\n\r\nbody\r\n"
        reply = m.content(text)
        if name not in MAY_PASS or not reply.ok:
            assert reply.code in (550, 554), reply
    assert sturdy.gate.alive()
    well(sturdy)


def test_lines_of_a_megabyte_are_signed_as_seen(sturdy):
    text = crlf(message("a@big.example", body="y" * 1000000 + "\r\n")
                .encode())
    for chunk in (1, 7, 65535):
        part = text if chunk > 1 else message("a@big.example").encode()
        with Milter(sturdy.gate.socket) as m:
            m.hello()
            reply, _ = m.send("big", BIG, ["<x@example.org>"], part,
                              chunk=chunk if chunk != 7 else 997)
            assert reply.ok, reply
            signed = apply_edits(part, m.edits)
        path = f"{sturdy.folder}/long.eml"
        with open(path, "wb") as f:
            f.write(signed)
        said = sturdy.gate.penstock("dkim", "verify", "--keys",
                                    sturdy.gate.query_file(), path)
        assert said.returncode == 0, said.stdout + said.stderr
