"""alert - penstock-alert beside a gate's store, and what it has counted."""

import json
import os
import signal
import subprocess

import gate
import proc


class Alert:
    """With the configuration of that gate."""

    def __init__(self, house_gate):
        self.gate = house_gate
        self.process = None

    def command(self, *arguments):
        return [gate.program("penstock-alert"), "-c", self.gate.conf,
                *arguments]

    def start(self):
        self.process = proc.start(
            self.command(), stdout=subprocess.DEVNULL,
            stderr=open(f"{self.gate.folder}/alert.log", "a"),
            env={**os.environ, "NOTIFY_SOCKET": ""})
        return self

    def log(self):
        with open(f"{self.gate.folder}/alert.log", errors="replace") as f:
            return f.read()

    def stop(self):
        status = proc.stop(self.process, signal.SIGTERM)
        self.process = None
        return status

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            proc.stop(self.process)
            self.process = None

    def run(self, *arguments):
        return subprocess.run(self.command(*arguments), capture_output=True,
                              text=True, timeout=120)

    def once(self, how="--once"):
        """All there is by now, counted: what it says of that."""
        said = self.run(how, "--json")
        if said.returncode != 0:
            raise OSError(f"penstock-alert {how}: {said.stderr}")
        return json.loads(said.stdout)

    def usage(self, month):
        said = self.gate.penstock("usage", "--month", month, "--json")
        return json.loads(said.stdout) if said.stdout else {}

    def dump(self):
        """Every cell of watch/, as lines."""
        return self.gate.penstock("store", "dump", "watch",
                                  check=True).stdout
