"""Kill, drain, reload: what Postfix and its clients see of it."""

import signal
import smtplib
import threading
import time

import proc
import pytest
from house import KEYS, TENANTS, Sent, message, send

MINE = "a@acme.example"
STAGES = ("before the client comes", "after connect", "after MAIL",
          "after RCPT", "after DATA", "in the headers", "in the body",
          "at the end")


def walk(smtp, stage, kill):
    """A message, up to the first no; the codes of every reply."""
    codes = []

    def say(code_text):
        codes.append(code_text[0])
        return code_text[0]

    def at(name):
        if name == stage:
            kill()
    at("after connect")
    if say(smtp.mail(MINE)) != 250:
        return codes
    at("after MAIL")
    if say(smtp.rcpt("x@example.org")) != 250:
        return codes
    at("after RCPT")
    if say(smtp.docmd("DATA")) != 354:
        return codes
    at("after DATA")
    text = message(MINE, body="line\r\n" * 30000)
    head, body = text.split("\r\n\r\n", 1)
    smtp.send(head[:30].encode())
    at("in the headers")
    smtp.send((head[30:] + "\r\n\r\n" + body[:90000]).encode())
    at("in the body")
    smtp.send(body[90000:].encode())
    if stage == "at the end":
        kill(paused=True)
    smtp.send(b".\r\n")
    if stage == "at the end":
        time.sleep(0.3)
        kill()
    say(smtp.getreply())
    return codes


@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_any_stage_postfix_says_451_and_queues_nothing(house,
                                                                 stage):
    before = len(house.sink.deliveries)

    def kill(paused=False):
        if paused:
            house.gate.process.send_signal(signal.SIGSTOP)
        else:
            house.gate.kill()
    try:
        if stage == "before the client comes":
            kill()
        smtp = house.client("acme", timeout=60)
        codes = walk(smtp, stage, kill)
        smtp.close()
    finally:
        if not house.gate.alive():
            house.gate.start()
    assert codes[-1] in (451, 421), codes
    assert 250 not in codes[2:], codes
    house.postfix.wait_empty()
    assert len(house.sink.deliveries) == before
    smtp = house.client("acme")
    assert send(smtp, MINE, ["x@example.org"], message(MINE)).code == 250
    smtp.quit()
    house.sink.wait(lambda s: len(s.deliveries) == before + 1)


def stream(house, stop, heard, lost):
    """Messages on ever new sessions until told to stop."""
    while not stop.is_set():
        try:
            smtp = house.client("acme", timeout=60)
            for _ in range(5):
                sent = send(smtp, MINE, ["x@example.org"], message(MINE))
                heard.append(sent)
                if sent.code != 250:
                    break
            smtp.quit()
        except smtplib.SMTPConnectError as e:
            heard.append(Sent(e.smtp_code, e.smtp_error, {}))
        except (OSError, smtplib.SMTPException) as e:
            lost.append(repr(e))


def streams(house, n=4):
    stop, heard, lost = threading.Event(), [], []
    threads = [threading.Thread(target=stream, args=(house, stop, heard,
                                                     lost))
               for _ in range(n)]
    for t in threads:
        t.start()

    def end():
        stop.set()
        for t in threads:
            t.join()
        return heard, lost
    return end, heard


def test_a_reload_under_load_disturbs_nobody(house):
    end, heard = streams(house)
    try:
        for n in range(20):
            text = TENANTS["cats.conf"].replace('class = "plain"',
                                                f'max_recipients = {n + 1}')
            house.gate.write("tenants.d/cats.conf", text)
            said = house.gate.reload()
            assert said.returncode == 0, said.stdout + said.stderr
    finally:
        heard, lost = end()
        house.gate.write("tenants.d/cats.conf", TENANTS["cats.conf"])
        house.gate.reload()
    assert lost == []
    assert len(heard) > 20
    assert {s.code for s in heard} == {250}


def test_a_drain_loses_no_message_and_answers_every_client(house):
    accepted_before = {e["queue_id"] for e in house.gate.events()
                       if e["kind"] == "accept"}
    end, heard = streams(house)
    try:
        for _ in range(3):
            proc.wait_for(lambda n=len(heard): len(heard) > n + 10, 30)
            began = time.monotonic()
            assert house.gate.stop() == 0
            assert time.monotonic() - began < 11
            house.gate.start()
    finally:
        heard, lost = end()
    assert lost == []
    assert {s.code for s in heard} <= {250, 451, 421}, heard
    ids = {s.queue_id for s in heard if s.code == 250}
    recorded = {e["queue_id"] for e in house.gate.events()
                if e["kind"] == "accept"} - accepted_before
    assert ids <= recorded
    house.postfix.wait_empty()


def test_a_broken_tenant_file_keeps_its_last_good_form(build):
    house = build()

    def code(login, sender):
        smtp = house.client(login)
        try:
            return send(smtp, sender, ["x@example.org"],
                        message(sender)).code
        finally:
            smtp.close()
    assert code("acme", MINE) == 250
    house.gate.write("tenants.d/acme.conf",
                     TENANTS["acme.conf"].replace('"acme", "*@', '"acme" "*@'))
    said = house.gate.reload()
    assert said.returncode == 1, said.stdout + said.stderr
    assert "acme.conf" in said.stdout + said.stderr
    assert code("acme", MINE) == 250
    assert code("bolt", "b@bolt.example") == 250
    assert house.gate.stop() == 0
    house.gate.start()
    assert code("acme", MINE) == 250
    assert code("bolt", "b@bolt.example") == 250

    house.gate.write("tenants.d/dogs.conf",
                     'tenant "dogs" { logins = {"dogs"} domains = '
                     '{"dogs.example"} no_such_word = 3 }\n')
    assert house.gate.reload().returncode == 1
    assert code("dogs", "d@dogs.example") == 451
    assert code("stranger", "d@dogs.example") == 451
    assert code("bolt", "b@bolt.example") == 250


def test_a_broken_main_file_keeps_the_whole_old_policy(build):
    house = build()
    house.gate.write("policy.conf", 'include "tenants.d"\nclass "plain" {')
    said = house.gate.reload()
    assert said.returncode == 1, said.stdout + said.stderr
    smtp = house.client("acme")
    assert send(smtp, MINE, ["x@example.org"], message(MINE)).code == 250
    smtp.close()


def spoil(path, how):
    import os
    if how == "missing":
        os.unlink(path)
    elif how == "group-readable":
        os.chmod(path, 0o644)
    elif how == "truncated":
        with open(path) as f:
            text = f.read()
        with open(path, "w") as f:
            f.write(text[:len(text) // 2])
    elif how == "empty":
        open(path, "w").close()
    elif how == "too short":
        import gate
        gate.make_key(path, "rsa", 768)
    elif how == "of another kind":
        import gate
        gate.make_key(path, "ed")
    elif how == "a folder":
        os.unlink(path)
        os.mkdir(path)


@pytest.mark.parametrize("how", ["missing", "group-readable", "truncated",
                                 "empty", "too short", "of another kind",
                                 "a folder"])
def test_a_bad_key_is_451_for_its_tenant_alone(build, how):
    tenants = {**TENANTS, "bolt.conf": TENANTS["bolt.conf"].replace(
        'key = "bolt.rsa"', 'key = "bolt.rsa"  algorithm = "rsa-sha256"')}
    house = build(tenants=tenants, keys=KEYS)
    house.gate.stop()
    spoil(f"{house.gate.folder}/keys/bolt.rsa", how)
    house.gate.start()
    for login, sender, wanted in (("bolt", "b@bolt.example", 451),
                                  ("acme", MINE, 250),
                                  ("cats", "c@cats.example", 250)):
        smtp = house.client(login)
        sent = send(smtp, sender, ["x@example.org"], message(sender))
        smtp.close()
        assert sent.code == wanted, (login, sent)
    check = house.gate.penstock("policy", "check")
    assert check.returncode == 1
    assert "bolt" in check.stdout + check.stderr
    house.postfix.wait_empty()
    assert all(d.sender != "b@bolt.example" for d in house.sink.deliveries)
