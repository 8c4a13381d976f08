"""journal - a systemd journal of our own, written by systemd-journal-remote
(Debian's, unpacked into build/ by make deps)."""

import os
import subprocess
import time

import proc

INSTALLED = "/lib/systemd/systemd-journal-remote"
UNPACKED = os.path.join(proc.BUILD, "systemd-journal-remote" + INSTALLED)


def program():
    """The path, or None where there is none."""
    return next((p for p in (INSTALLED, UNPACKED)
                 if os.access(p, os.X_OK)), None)


class Journal:
    """One file of a journal; entries are in it soon after they are written."""

    def __init__(self, path):
        self.path = path
        self.started = time.monotonic()
        self.boot = os.urandom(16).hex()
        self.process = proc.start(
            [program(), "-o", path, "-"], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def write(self, unit, entries):
        """[(syslog identifier, message)], as the unit said them now."""
        text = b""
        for tag, message in entries:
            now = time.time_ns() // 1000
            mono = int((time.monotonic() - self.started) * 1e6) + 1
            text += (f"__REALTIME_TIMESTAMP={now}\n"
                     f"__MONOTONIC_TIMESTAMP={mono}\n_BOOT_ID={self.boot}\n"
                     f"_SYSTEMD_UNIT={unit}\nSYSLOG_IDENTIFIER={tag}\n"
                     f"MESSAGE={message}\n\n").encode()
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def close(self):
        """Finishes the file."""
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait(timeout=30)
            proc.stop(self.process)
            self.process = None
