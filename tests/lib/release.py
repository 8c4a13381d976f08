"""release - penstock-release beside a gate's store and a private Postfix, and
rows of held messages written by hand, as the gate would have them.
"""

import glob
import json
import os
import re
import struct
import subprocess

import gate
import proc

HOUR = 3600 * 10**6
WAITING, GO, DROP, EXPIRE = range(4)


class Release:
    """With the configuration of that gate, whose release block is its."""

    def __init__(self, house_gate, postfix):
        self.gate, self.postfix = house_gate, postfix
        self.process = self.agent = None
        # what Postfix's commands want, where Postfix is only unpacked
        self.environment = {**os.environ, **postfix.environment,
                            "NOTIFY_SOCKET": ""}

    @staticmethod
    def block(postfix, lines=""):
        return ("release {\n"
                f'\tconfig_directory = "{postfix.folder}/etc"\n'
                f'\tcommand_directory = "{postfix.base}/usr/sbin"\n'
                f"{lines}}}\n")

    def command(self, *arguments):
        """With no more rights than its unit leaves it."""
        with open(f"{proc.ROOT}/conf/penstock-release.service") as f:
            rights = re.search(r"^CapabilityBoundingSet=(.*)$", f.read(),
                               re.M).group(1).split()
        return ["setpriv", "--no-new-privs", "--bounding-set", ",".join(
            ["-all"] + ["+" + r[4:].lower() for r in rights]), "--",
            gate.program("penstock-release"), *arguments]

    def start(self):
        self.process = proc.start(
            self.command("-c", self.gate.conf), env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=open(f"{self.gate.folder}/release.log", "a"))
        return self

    def start_agent(self, socket, *arguments):
        self.agent = proc.start(
            self.command("--agent", socket, "--config-directory",
                         f"{self.postfix.folder}/etc", "--command-directory",
                         f"{self.postfix.base}/usr/sbin", *arguments),
            env=self.environment, stdout=subprocess.DEVNULL,
            stderr=open(f"{self.gate.folder}/agent.log", "a"))
        proc.wait_for(lambda: os.path.exists(socket) or
                      self.agent.poll() is not None, 20, "the agent's socket")
        return self

    def run(self, *arguments):
        return subprocess.run(
            self.command("-c", self.gate.conf, *arguments), text=True,
            env=self.environment, capture_output=True, timeout=120)

    def log(self):
        with open(f"{self.gate.folder}/release.log", errors="replace") as f:
            return f.read()

    def halves(self):
        """Pids of those that stay root."""
        pids = []
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path) as f:
                    said = f.read()
            except OSError:
                continue
            name, _, rest = said.partition("(")[2].rpartition(")")
            if name == "penstock-releas" and \
               int(rest.split()[1]) == self.process.pid:
                pids.append(int(path.split("/")[2]))
        return pids

    def stop(self):
        status = proc.stop(self.process)
        self.process = None
        return status

    def kill(self, process="process"):
        one = getattr(self, process)
        if one is not None:
            one.kill()
            one.wait()
            proc.stop(one)
            setattr(self, process, None)

    def close(self):
        self.kill()
        self.kill("agent")

    # --- what there is --------------------------------------------------------
    def held(self, *arguments):
        """{queue id: row of penstock hold list}"""
        said = self.gate.penstock("hold", "list", "--json", *arguments)
        if said.returncode != 0:
            raise OSError(said.stderr)
        rows = [json.loads(line) for line in said.stdout.splitlines()]
        return {row["queue_id"]: row for row in rows}

    def on_hold(self):
        """Queue ids in hold/."""
        return set(os.listdir(f"{self.postfix.folder}/queue/hold"))

    def rows(self, wanted):
        """{queue id: state} into the table of a gate that is stopped; all
        decided an hour before its last sign of life."""
        said = self.gate.penstock("status", "--json")
        beat = json.loads(said.stdout)["heartbeat"]
        lines = []
        for seq, (queue_id, state) in enumerate(wanted.items(), 1):
            decided = state != WAITING
            value = struct.pack(
                "<BBqqqQqQ", 1, state, beat - 2 * HOUR, beat + 24 * HOUR,
                beat - HOUR if decided else 0, seq + 1 if decided else 0,
                0, 7)
            for text in ("", queue_id, "acme", "bulk", "", "", "daily"):
                value += struct.pack("<I", len(text)) + text.encode()
            lines.append((struct.pack(">Q", seq), value))
        load = "VERSION=3\nformat=bytevalue\ndatabase=held\ntype=btree\n" \
            "mapsize=1073741824\nHEADER=END\n" + "".join(
                f" {k.hex()}\n {v.hex()}\n" for k, v in lines) + "DATA=END\n"
        subprocess.run(["mdb_load", f"{self.gate.store}/gate"], input=load,
                       text=True, check=True, capture_output=True)
