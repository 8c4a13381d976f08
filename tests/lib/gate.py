"""gate - penstock-milter with a configuration, a policy and keys of its own.

Everything lies in one folder; the socket too, so that two gates never meet.
"""

import json
import os
import re
import signal
import socket
import subprocess
import time

import proc

CONF = """\
store  = "{store}"
policy = "{folder}/policy.conf"
keys   = "{folder}/keys"
map_size = "{map_size}"
milter {{
	socket = "unix:{folder}/milter.sock"
	socket_group = "{group}"
	user = ""
{more}}}
token {{ keys = "{folder}/token.keys" }}
{blocks}"""


def make_key(path, kind="rsa", bits=2048):
    """A private key, PEM, for its owner alone."""
    wanted = ["-algorithm", "ed25519"] if kind == "ed" else \
        ["-algorithm", "rsa", "-pkeyopt", f"rsa_keygen_bits:{bits}"]
    subprocess.run(["openssl", "genpkey", *wanted, "-out", path],
                   check=True, capture_output=True)
    os.chmod(path, 0o600)


def program(name):
    return os.path.join(proc.BUILD, name)


class Gate:
    def __init__(self, folder, policy, group="", more="", map_size="1 GiB",
                 keys=None, tenants=None, store=None, blocks="",
                 tokens=False):
        """
        keys: {file: "rsa" | "ed" | path of a key to copy}; tenants: {file
        in tenants.d: text}; more: lines for the milter block; blocks: of
        other programs, "{folder}" being ours; tokens: make a key for them.
        """
        self.folder = folder
        self.conf = f"{folder}/penstock.conf"
        self.socket = f"{folder}/milter.sock"
        self.process = None
        self.wrap = []          # a program to run it under, as valgrind
        self.store = store or f"{folder}/store"
        for sub in ("store", "keys", "tenants.d"):
            os.makedirs(f"{folder}/{sub}", exist_ok=True)
        os.chmod(folder, 0o755)
        self.write("penstock.conf", CONF.format(
            folder=folder, group=group, map_size=map_size, more=more,
            store=self.store, blocks=blocks.replace("{folder}", folder)))
        self.write("policy.conf", policy)
        for name, text in (tenants or {}).items():
            self.write(f"tenants.d/{name}", text)
        for name, kind in (keys or {}).items():
            self.key(name, kind)
        if tokens:
            self.penstock("token", "rotate", check=True)

    def write(self, name, text):
        path = f"{self.folder}/{name}"
        with open(path + ".new", "w") as f:
            f.write(text)
        os.rename(path + ".new", path)

    def key(self, name, kind):
        path = f"{self.folder}/keys/{name}"
        if kind in ("rsa", "ed"):
            make_key(path, kind)
        else:
            with open(kind) as source, open(path, "w") as copy:
                copy.write(source.read())
            os.chmod(path, 0o600)

    # --- life -----------------------------------------------------------------
    def start(self, patience=20.0):
        self.log_file = open(f"{self.folder}/gate.log", "a")
        self.process = proc.start(
            [*self.wrap, program("penstock-milter"), "-c", self.conf],
            stdout=self.log_file, stderr=self.log_file,
            env={**os.environ, "NOTIFY_SOCKET": ""})
        proc.wait_for(lambda: self.answers() or
                      self.process.poll() is not None, patience,
                      "the gate's socket")
        if self.process.poll() is not None:
            raise OSError(f"the gate ended with {self.process.returncode}:\n"
                          + self.log())
        return self

    def answers(self):
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(self.socket)
            return True
        except OSError:
            return False

    def stop(self, patience=15.0):
        """Drains it; the exit status."""
        if self.process is None:
            return None
        status = proc.stop(self.process, signal.SIGUSR2, patience)
        self.process = None
        return status

    def kill(self):
        """kill -9: nothing of it gets a chance to tidy."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            proc.stop(self.process)
            self.process = None

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def log(self):
        with open(f"{self.folder}/gate.log", errors="replace") as f:
            return f.read()

    # --- what it has ------------------------------------------------------------
    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident(self, what="VmRSS"):
        """Kilobytes in memory; RssAnon leaves out the mapped store."""
        with open(f"/proc/{self.process.pid}/status") as f:
            return int(re.search(rf"{what}:\s+(\d+)", f.read()).group(1))

    def cpu(self):
        """Seconds of processor time so far, user and system."""
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # --- the command line -------------------------------------------------------
    def penstock(self, *arguments, check=False, **how):
        return subprocess.run(
            [program("penstock"), "-c", self.conf, *arguments], text=True,
            capture_output=True, check=check, timeout=120, **how)

    def events(self, *arguments):
        said = self.penstock("events", "--json", *arguments)
        if said.returncode != 0:
            raise OSError(f"penstock events: {said.returncode}\n{said.stderr}")
        return [json.loads(line) for line in said.stdout.splitlines()]

    def wait_events(self, question, patience=10.0):
        """Events once the question about them is true; refusals are not
        waited for by the gate, so they may come a little later."""
        return proc.wait_for(
            lambda: (lambda e: e if question(e) else None)(self.events()),
            patience, "the events")

    def limits(self, *arguments):
        return self.penstock("limits", *arguments).stdout

    def reload(self):
        return self.penstock("reload")

    def postfix_lines(self, which="--main"):
        return self.penstock("postfix-config", which, check=True).stdout

    def query_file(self):
        """Writes the keys' records as libopendkim reads them; the path."""
        path = f"{self.folder}/keys.txt"
        with open(path, "w") as f:
            f.write(self.penstock("dkim", "dns", "--query-file",
                                  check=True).stdout)
        return path

    def dns(self):
        """{name: text} of the signing keys' records."""
        with open(self.query_file()) as f:
            return dict(line.strip().split(None, 1) for line in f
                        if line.strip())


def volume(events, tenant=None):
    """Remote recipients in accepted events, voids taken back."""
    voided = {e.get("voids") for e in events if e["kind"] == "void"}
    return sum(sum(not r.get("local") and r["verdict"] == "pass"
                   for r in e["recipients"])
               for e in events if e["kind"] == "accept"
               and e["seq"] not in voided
               and (tenant is None or e["tenant"] == tenant))


def now():
    return time.monotonic()
