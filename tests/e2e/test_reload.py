"""Reloads under load, half of them broken: nobody's mail is lost, nobody is
decided by half a policy, and neighbours never notice.  tests/soak has the full
count."""

import json
import os
import threading

import house as houses
import proc
from rawmilter import Closed, Milter

ROUNDS = int(os.environ.get("ROUNDS", "50"))
WHOLE = """\
tenant "%(name)s" {
	logins  = {"%(name)s", "%(name)s-%(n)d"}
	domains = {"%(name)s.example"}
	stream "news" {
		match = "sender:news@*"
		throttle "pace" { rate = "1000000/second" }
	}
	cap "day" { limit = "%(most)d/day" }
}
"""
MAIN = 'include "tenants.d"\nclass "plan" { max_recipients = %d }\n'


def whole(name, n):
    return WHOLE % {"name": name, "n": n, "most": 1000000 + n}


class Sender(threading.Thread):
    """Mail of one tenant, one message after the other, until it is over."""

    def __init__(self, gate, name):
        super().__init__(daemon=True)
        self.gate, self.name = gate, name
        self.over = threading.Event()
        self.accepted, self.refused, self.cut = 0, [], 0

    def run(self):
        text = houses.message(f"news@{self.name}.example")
        while not self.over.is_set():
            try:
                with Milter(self.gate.socket) as m:
                    m.hello()
                    for _ in range(20):
                        queue_id = f"4y{self.name}{self.accepted:06d}"
                        reply, got = m.send(
                            self.name, f"<news@{self.name}.example>",
                            ["<you@b.example>"], text, queue_id)
                        if got:
                            self.accepted += 1
                        else:
                            self.refused.append(reply)
                    m.quit()
            except (Closed, OSError):
                self.cut += 1


def test_a_tenant_file_renamed_and_broken_at_once_goes_on():
    with houses.House(queue=False, tenants={"old.conf": whole("b", 0)}) as h:
        def sends():
            with Milter(h.gate.socket) as m:
                m.hello()
                reply, got = m.send("b", "<news@b.example>",
                                    ["<you@c.example>"],
                                    houses.message("news@b.example"))
                m.quit()
            return got

        def forms():
            dump = h.gate.penstock("store", "dump").stdout.splitlines()
            return [os.path.basename(x["path"]) for x in map(json.loads, dump)
                    if x["record"] == "form"]
        assert sends()
        proc.wait_for(lambda: forms() == ["old.conf"], 20, "the form")
        tenants = h.gate.folder + "/tenants.d"
        os.rename(f"{tenants}/old.conf", f"{tenants}/new.conf")
        h.gate.write("tenants.d/new.conf", whole("b", 1).replace(
            "domains", "domain"))
        said = h.gate.reload()
        assert said.returncode == 1
        assert "last good form of" in said.stdout + said.stderr, said
        assert sends()
        h.gate.kill()
        h.gate.start()
        assert sends()
        said = h.gate.penstock("tenant", "list").stdout
        assert "last good" in said, said
        # mended: the form is that of the new name, and the old one goes
        h.gate.write("tenants.d/new.conf", whole("b", 1))
        assert h.gate.reload().returncode == 0
        proc.wait_for(lambda: forms() == ["new.conf"], 20, "the new form")
        assert sends()


def test_half_of_many_reloads_are_broken_and_no_mail_notices():
    names = ("healthy", "broken")
    with houses.House(queue=False, tenants={
            f"{name}.conf": whole(name, 0) for name in names}) as h:
        senders = [Sender(h.gate, name) for name in names]
        for s in senders:
            s.start()
        refused = 0
        for n in range(1, ROUNDS + 1):
            text = whole("broken", n)
            main = MAIN % n
            if n % 4 == 1:      # its own file, cut somewhere inside
                text = text[:20 + n * 7 % (len(text) - 25)]
            elif n % 4 == 3:    # the main part, after which all stays old
                main = main[:-3 - n % 5]
            h.gate.write("tenants.d/broken.conf", text)
            h.gate.write("policy.conf", main)
            said = h.gate.reload()
            assert said.returncode == (1 if n % 2 else 0), \
                (n, said.stdout, said.stderr)
            refused += said.returncode
            if n % 4 == 1:
                assert "kept in their last good form (1): broken" in \
                    said.stdout, said.stdout
                assert not [x for x in said.stdout.splitlines()
                            if "healthy" in x and ": warning: " not in x]
        for s in senders:
            s.over.set()
        for s in senders:
            s.join(60)
        assert refused == (ROUNDS + 1) // 2
        for s in senders:
            assert s.accepted > 0 and s.cut == 0 and not s.refused, \
                (s.name, s.accepted, s.cut, s.refused[:3])
        events = [e for e in h.gate.events() if e["kind"] == "accept"]
        assert len(events) == sum(s.accepted for s in senders)
        # by one whole policy each: two limits of the stream, one rule apiece
        for e in events:
            assert e["stream"] == "news", e
            assert {c["limit"] for c in e["charges"]} == {"pace", "day"}, e


def test_a_check_beside_the_store_names_limits_that_start_anew():
    text = whole("acme", 0)
    with houses.House(queue=False, tenants={"acme.conf": text}) as h:
        with Milter(h.gate.socket) as m:
            m.hello()
            for n in range(3):
                _, got = m.send("acme", "<news@acme.example>",
                                ["<you@b.example>", "<me@b.example>"],
                                houses.message("news@acme.example"),
                                f"4y{n}")
                assert got
            m.quit()
        assert h.gate.stop() == 0       # its counters are in the store
        said = h.gate.penstock("policy", "check")
        assert said.returncode == 0 and "starts at 0" not in said.stdout
        h.gate.write("tenants.d/acme.conf",
                     text.replace('cap "day"', 'cap "daily"'))
        said = h.gate.penstock("policy", "check")
        assert said.returncode == 0, said.stdout
        assert ('warning: cap "daily" of tenant "acme" is new and starts at '
                '0; "day" is gone with 6 spent of it') in said.stdout
        # another number is no new name
        h.gate.write("tenants.d/acme.conf",
                     text.replace("1000000/day", "7/week"))
        assert "starts at 0" not in h.gate.penstock("policy",
                                                    "check").stdout
