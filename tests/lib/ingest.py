"""ingest - penstock-ingest beside a gate, and what it knows."""

import json
import os
import signal

import gate
import proc


class Ingest:
    """With the configuration of that gate, whose ingest block is its."""

    def __init__(self, house_gate):
        self.gate = house_gate
        self.process = None

    def start(self, patience=20.0):
        self.log_file = open(f"{self.gate.folder}/ingest.log", "a")
        self.process = proc.start(
            [gate.program("penstock-ingest"), "-c", self.gate.conf],
            stdout=self.log_file, stderr=self.log_file,
            env={**os.environ, "NOTIFY_SOCKET": ""})
        proc.wait_for(self.running, patience, "penstock-ingest\n" +
                      self.log())
        return self

    def running(self):
        """Its own word, of this life."""
        if self.process.poll() is not None:
            raise OSError(f"penstock-ingest ended with "
                          f"{self.process.returncode}:\n{self.log()}")
        return self.status().get("pid") == self.process.pid

    def log(self):
        with open(f"{self.gate.folder}/ingest.log", errors="replace") as f:
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

    def status(self):
        said = self.gate.penstock("ingest", "status", "--json")
        return json.loads(said.stdout) if said.stdout else {}

    def once(self, path, **how):
        """The counters of one log read to its end."""
        said = self.gate.penstock("ingest", "--json", path, **how)
        if said.returncode != 0:
            raise OSError(f"penstock ingest: {said.stderr}")
        return json.loads(said.stdout)

    def trace(self, *arguments):
        """[{"event", "outcomes", "open"}]"""
        said = self.gate.penstock("trace", "--json", *arguments)
        if said.returncode not in (0, 1):
            raise OSError(f"penstock trace: {said.stderr}")
        return [json.loads(line) for line in said.stdout.splitlines()]

    def outcomes(self, sender):
        """{(queue id, recipient): sorted kinds} of all of a sender's mail."""
        told = {}
        for t in self.trace("--sender", sender):
            for o in t["outcomes"]:
                told.setdefault((t["event"]["queue_id"],
                                 o["recipient"].lower()),
                                []).append(o["kind"])
        return {k: sorted(v) for k, v in told.items()}
