"""postfix - a Postfix of our own: its own ports, queue, users and log.

The machine's Postfix programs are used where they are installed, otherwise
those which tests/deps unpacked; configuration, queue and data live in a
folder of the test, and the mail system of the machine, if any, is not
touched.  Needs root, as Postfix does.  Who the client is comes by XCLIENT.
"""

import glob
import os
import smtplib
import subprocess

import proc

INSTALLED = "/usr/lib/postfix/sbin/master"
UNPACKED = os.path.join(proc.BORROW, "postfix")
QUEUES = ("maildrop", "incoming", "active", "deferred", "hold")

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = {base}/usr/sbin
daemon_directory = {base}/usr/lib/postfix/sbin
shlib_directory = {base}/usr/lib/postfix
meta_directory = {folder}/etc
sendmail_path = {base}/usr/sbin/sendmail
mailq_path = {base}/usr/sbin/mailq
newaliases_path = {base}/usr/sbin/newaliases
mail_owner = {owner}
setgid_group = {setgid}
default_privs = nobody
import_environment = MAIL_CONFIG TZ LD_LIBRARY_PATH
export_environment = TZ LD_LIBRARY_PATH
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
inet_protocols = ipv4
inet_interfaces = 127.0.0.1
myhostname = mx.penstock.example
mydestination = local.example
local_transport = lmtp:inet:127.0.0.1:{sink}
local_recipient_maps =
alias_maps =
alias_database =
relayhost = [127.0.0.1]:{sink}
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = check_client_access static:OK,
    reject_unauth_destination
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
disable_dns_lookups = yes
smtp_dns_support_level = disabled
smtpd_use_tls = no
default_process_limit = 200
message_size_limit = 50000000
in_flow_delay = 0
initial_destination_concurrency = 20
minimal_backoff_time = 1s
queue_run_delay = 1s
notify_classes =
biff = no
"""

MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
lmtp      unix  - - n - - lmtp
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


def available():
    return os.path.exists(INSTALLED) or os.path.exists(
        os.path.join(UNPACKED, "usr/lib/postfix/sbin/master"))


def reason_not():
    """None, or why no Postfix can run here."""
    if not available():
        return "no Postfix: make deps"
    if os.getuid() != 0:
        return "Postfix's master runs as root only"
    return None


class Postfix:
    def __init__(self, folder, sink, lines="", master_lines=""):
        """lines: added to main.cf (what postfix-config prints, and more).
        Nothing runs before start()."""
        self.folder, self.port = folder, proc.port()
        self.base = "" if os.path.exists(INSTALLED) else UNPACKED
        owner = owner_account()
        setgid = proc.group("postdrop", "uucp", "news", "games", "src",
                            besides=(owner.pw_gid,))
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                            "LC_ALL": "C", "MAIL_CONFIG": f"{folder}/etc"}
        if self.base:
            self.environment["LD_LIBRARY_PATH"] = \
                f"{self.base}/usr/lib/postfix"
        self.process = None
        self._folders(owner, setgid)
        self.write("main.cf", MAIN.format(
            folder=folder, base=self.base, owner=owner.pw_name,
            setgid=setgid.gr_name, sink=sink) + lines)
        self.write("master.cf", MASTER.format(port=self.port) + master_lines)

    def _folders(self, owner, setgid):
        """What Postfix's own set-up would make, with the same owners."""
        def make(name, mode, uid, gid):
            path = os.path.join(self.folder, name)
            os.makedirs(path, exist_ok=True)
            os.chown(path, uid, gid)
            os.chmod(path, mode)
        os.makedirs(self.folder, exist_ok=True)
        for at in (self.folder, os.path.dirname(self.folder)):
            os.chmod(at, 0o755)
        make("etc", 0o755, 0, 0)
        make("queue", 0o755, 0, 0)
        make("queue/pid", 0o755, 0, 0)
        make("data", 0o700, owner.pw_uid, owner.pw_gid)
        for name in ("active", "bounce", "corrupt", "defer", "deferred",
                     "flush", "hold", "incoming", "private", "saved",
                     "trace"):
            make(f"queue/{name}", 0o700, owner.pw_uid, 0)
        make("queue/maildrop", 0o730, owner.pw_uid, setgid.gr_gid)
        make("queue/public", 0o710, owner.pw_uid, setgid.gr_gid)

    def write(self, name, content):
        with open(os.path.join(self.folder, "etc", name), "w") as f:
            f.write(content)

    def start(self):
        self.process = proc.start(
            [f"{self.base}/usr/lib/postfix/sbin/master", "-d",
             "-c", f"{self.folder}/etc"], env=self.environment,
            cwd="/", stdout=subprocess.DEVNULL,
            stderr=open(f"{self.folder}/stderr", "w"))
        try:
            proc.wait_for(lambda: proc.answers(self.port) or
                          self.process.poll() is not None, 20)
            if self.process.poll() is not None:
                raise OSError("it ended")
        except OSError as e:
            raise OSError(f"Postfix does not answer: {e}\n{self.said()}") \
                from e
        return self

    def stop(self):
        if self.process is not None:
            proc.stop(self.process)
            self.process = None

    def run(self, tool, *arguments, **how):
        """One of Postfix's commands, on this instance."""
        return subprocess.run(
            [f"{self.base}/usr/sbin/{tool}", "-c", f"{self.folder}/etc",
             *arguments], env=self.environment, text=True,
            capture_output=True, **how)

    # --- the client's side --------------------------------------------------
    def client(self, login=None, addr=None, timeout=60):
        """smtplib.SMTP, greeted, as that login and from that address."""
        smtp = smtplib.SMTP("127.0.0.1", self.port, "client.example",
                            timeout)
        smtp.ehlo()
        said = []
        if login is not None:
            said.append("LOGIN=" + xtext(login))
        if addr is not None:
            said.append(f"ADDR={addr} NAME=[UNAVAILABLE]")
        if said:
            code, words = smtp.docmd("XCLIENT", " ".join(said))
            if code != 220:
                smtp.close()
                raise smtplib.SMTPConnectError(code, words)
            smtp.ehlo()
        return smtp

    # --- what happened --------------------------------------------------------
    def queued(self):
        """Paths of all messages in the queue."""
        return [p for q in QUEUES for p in
                glob.glob(f"{self.folder}/queue/{q}/**", recursive=True)
                if os.path.isfile(p)]

    def wait_empty(self, patience=30.0):
        proc.wait_for(lambda: not self.queued(), patience, "an empty queue")

    def log(self):
        try:
            with open(f"{self.folder}/log", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def said(self):
        with open(f"{self.folder}/stderr", errors="replace") as f:
            return f.read() + self.log()[-3000:]


def owner_account():
    """Who Postfix's daemons are: not root, shared with nobody."""
    return proc.user("postfix", "uucp", "news", "games", "irc", "list")


def owner_group():
    """The group that may talk to the milter's socket."""
    import grp
    return grp.getgrgid(owner_account().pw_gid).gr_name


def xtext(value):
    """RFC 1891 xtext, which XCLIENT wants."""
    return "".join(c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c):02X}"
                   for c in value)
