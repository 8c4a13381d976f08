"""proc - processes of tests: started to die with us, ports that are ours.

Everything a test starts gets its own process group and is killed when the
test program ends: by Ctrl-C (atexit), and also by kill -9.  For that a shell
waits on a pipe whose other end only we hold.  (The kernel could send a signal
by itself, PR_SET_PDEATHSIG, but forgets it when Postfix's master changes its
user.)
"""

import atexit
import fcntl
import grp
import os
import pwd
import random
import signal
import socket
import subprocess
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BUILD = os.path.abspath(os.environ.get("B", os.path.join(ROOT, "build")))
BORROW = os.path.join(ROOT, "build")    # unpacked Postfix and opendkim

_alive = []
_watchers = {}      # process -> (its watcher, our end of the pipe)
_locks = []         # one descriptor, open until we end
_ports = set()


def start(arguments, **how):
    """Popen, in a session of its own, that does not outlive us."""
    how.setdefault("stdin", subprocess.DEVNULL)
    process = subprocess.Popen(arguments, start_new_session=True, **how)
    theirs, ours = os.pipe()
    watcher = subprocess.Popen(
        ["sh", "-c", 'read -r _; kill -s KILL -- "-$0"', str(process.pid)],
        stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True)
    os.close(theirs)
    _alive.append(process)
    _watchers[process] = (watcher, ours)
    return process


def stop(process, first=signal.SIGTERM, patience=10.0):
    """Asks, waits, then kills the group; the exit status."""
    if process.poll() is None:
        process.send_signal(first)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            pass
    if process in _watchers:
        watcher, ours = _watchers.pop(process)
        watcher.kill()
        watcher.wait()
        os.close(ours)
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    if process in _alive:
        _alive.remove(process)
    return process.wait()


@atexit.register
def stop_all():
    while _alive:
        stop(_alive[-1], patience=3.0)


def wait_for(question, patience=10.0, what="it"):
    """Asks until the answer is true, and returns it."""
    end = time.monotonic() + patience
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise TimeoutError(f"waited {patience:g} s for {what}")
        time.sleep(0.02)


def port():
    """
    A loopback TCP port for this process alone.  Postfix binds with
    SO_REUSEPORT, so two of them share a port without a word: a bind of ours
    without it tells whether it is free, and a lock on that byte of a file
    keeps others of our kind away until we end.
    """
    if not _locks:
        _locks.append(os.open(f"/tmp/penstock-{os.getuid()}.ports",
                              os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW |
                              os.O_CLOEXEC, 0o600))
    for _ in range(500):
        number = random.SystemRandom().randrange(20000, 32000)
        if number in _ports:
            continue
        try:
            fcntl.lockf(_locks[0], fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", number))
        except OSError:
            continue
        _ports.add(number)
        return number
    raise OSError("no free port between 20000 and 32000")


def answers(number, greeting=b"220"):
    try:
        with socket.create_connection(("127.0.0.1", number), 2) as s:
            s.settimeout(5)
            return s.recv(100).startswith(greeting)
    except OSError:
        return False


def user(*wanted):
    """The first of these users that exists, is not root, and shares its
    number with nobody."""
    every = pwd.getpwall()
    for name in wanted:
        same = [u for u in every if u.pw_name == name]
        if same and same[0].pw_uid != 0 and \
           sum(u.pw_uid == same[0].pw_uid for u in every) == 1:
            return same[0]
    raise LookupError("none of these users is here: " + " ".join(wanted))


def group(*wanted, besides=()):
    """The same for groups; never one of those numbers."""
    every = grp.getgrall()
    for name in wanted:
        same = [g for g in every if g.gr_name == name]
        if same and same[0].gr_gid not in (0, *besides) and \
           sum(g.gr_gid == same[0].gr_gid for g in every) == 1:
            return same[0]
    raise LookupError("none of these groups is here: " + " ".join(wanted))
