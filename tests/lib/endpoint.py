"""endpoint - penstock-unsubscribe with a store, keys and names of its own."""

import hashlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import tempfile

import proc

CONF = """\
store  = "{folder}/store"
policy = "{folder}/policy.conf"
map_size = "{map_size}"
token {{ keys = "{folder}/token.keys" }}
unsubscribe {{
	socket = "{socket}"
	lmtp = "unix:{folder}/lmtp.sock"
	names = "{folder}/names"
	user = ""
{more}}}
"""
POLICY = """\
tenant "acme" { logins = {"acme"} domains = {"acme.example"} }
tenant "bolt" { logins = {"bolt"} domains = {"bolt.example"} }
"""
ONE_CLICK = b"List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"


def identity(kind, name):
    """The durable id of a named thing, as lib/hash.h has it."""
    return hashlib.sha256(f"{kind}\0{name}".encode()).hexdigest()[:16]


def press(port, path):
    """What a mailbox provider does when its user presses the button."""
    made = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    made.request("POST", path, ONE_CLICK, {"Content-Type": FORM})
    return made.getresponse().status


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = dict((k.lower(), v) for k, v in response.getheaders())
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode()


class Endpoint:
    def __init__(self, more="", where=None, map_size="1 GiB"):
        self.folder = tempfile.mkdtemp(prefix="penstock-")
        os.chmod(self.folder, 0o755)
        self.conf = f"{self.folder}/penstock.conf"
        self.port = proc.port()
        self.more, self.map_size = more, map_size
        self.where = where or f"inet:{self.port}@127.0.0.1"
        self.process = None
        os.mkdir(f"{self.folder}/store")
        self.write("policy.conf", POLICY)
        self.configure()
        self.penstock("token", "rotate", check=True)
        self.penstock("token", "names", "--write", check=True)

    def configure(self):
        self.write("penstock.conf", CONF.format(
            folder=self.folder, socket=self.where, more=self.more,
            map_size=self.map_size))

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w") as f:
            f.write(text)

    def penstock(self, *arguments, check=False, **how):
        return subprocess.run(
            [f"{proc.BUILD}/penstock", "-c", self.conf, *arguments],
            capture_output=True, text=True, check=check, **how)

    def token(self, address, whose="acme/default"):
        return self.penstock("token", "make", whose, address,
                             check=True).stdout.strip()

    # --- life -----------------------------------------------------------------
    def start(self):
        self.log_file = open(f"{self.folder}/log", "a")
        self.process = proc.start(
            [f"{proc.BUILD}/penstock-unsubscribe", "-c", self.conf],
            stdout=self.log_file, stderr=self.log_file,
            env={**os.environ, "NOTIFY_SOCKET": ""})
        proc.wait_for(lambda: " serves at " in self.log()[self.seen():] or
                      self.process.poll() is not None, 20, "the endpoint")
        if self.process.poll() is not None:
            raise OSError(self.log())
        self.mark = len(self.log())
        return self

    mark = 0

    def seen(self):
        return self.mark

    def log(self):
        with open(f"{self.folder}/log") as f:
            return f.read()

    def stop(self):
        status = proc.stop(self.process, signal.SIGTERM, 20)
        self.process = None
        return status

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        proc.stop(self.process)
        self.process = None

    def close(self):
        if self.process is not None:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # --- asking ---------------------------------------------------------------
    def connection(self, timeout=30):
        if self.where.startswith("unix:"):
            made = http.client.HTTPConnection("localhost", timeout=timeout)
            made.sock = socket.socket(socket.AF_UNIX)
            made.sock.settimeout(timeout)
            made.sock.connect(self.where[5:])
            return made
        return http.client.HTTPConnection("127.0.0.1", self.port,
                                          timeout=timeout)

    def ask(self, method, path, body=None, timeout=30, **headers):
        made = self.connection(timeout)
        try:
            made.request(method, path, body, {
                k.replace("_", "-"): v for k, v in headers.items()})
            return Answer(made.getresponse())
        finally:
            made.close()

    def get(self, token, **headers):
        return self.ask("GET", f"/u/{token}", **headers)

    def post(self, token, body=ONE_CLICK, **headers):
        headers.setdefault("Content_Type", FORM)
        return self.ask("POST", f"/u/{token}", body, **headers)

    def left(self, token):
        """Is it unsubscribed, by the page?"""
        text = self.get(token).text
        assert ("You are unsubscribed" in text) != \
            ('value="One-Click"' in text), text
        return "You are unsubscribed" in text
