"""What the pages say of the programs, against what the programs say."""

import os
import re
import subprocess

import pytest

import gate

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
SCOPE = {"list", "tenant", "group", "platform"}     # of suppress, in one word


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as f:
        return f.read()


COMMANDS = re.findall(r'\{ "([a-z -]+)", tool_', read("tools/penstock.c"))


def manual():
    """{command: options}, of all items that a command has."""
    told, command = {}, None
    for line in read("man/penstock.1").split("\n"):
        item = re.match(r"\.It Cm ([a-z-]+(?: [a-z]+)?)", line)
        if item:
            command = item.group(1)
        elif line.startswith((".Ss", ".Sh")):
            command = None
        if command is None:
            continue
        other = re.match(r"\.Cm ([a-z]+ [a-z]+) Fl", line)
        if other and other.group(1) in COMMANDS:
            continue                        # of a neighbour
        found = re.findall(r"(?:Fl|\|) -([a-z][a-z-]+)", line)
        told.setdefault(command, set()).update(found)
        if re.search(r"\bAr\b.*\bscope\b", line):
            told[command] |= SCOPE
    return told


MANUAL = manual()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_the_options_that_its_manual_has(command):
    said = subprocess.run([gate.program("penstock"), *command.split(),
                           "--help"], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("usage: penstock " + command), said.stdout
    words = re.sub(r"\(penstock [a-z]+ [a-z]+ --\S+", "", said.stdout)
    help_ = set(re.findall(r"--([a-z][a-z-]+)", words))
    if "SCOPE" in words:
        help_ |= SCOPE
    assert help_ == MANUAL.get(command, set())


@pytest.mark.parametrize("name", ("milter", "ingest", "unsubscribe"))
def test_a_daemon_has_the_options_that_its_manual_has(name):
    said = subprocess.run([gate.program(f"penstock-{name}"), "-h"],
                          capture_output=True, text=True)
    page = read(f"man/penstock-{name}.8")
    page = page[:page.index(".Sh SEE ALSO")]
    help_ = set(re.findall(r"(?<![\w-])--?([a-z]+)\b",
                           said.stdout + said.stderr))
    help_ |= {c for group in re.findall(r"\[-([a-z]+)\]", said.stdout)
              for c in group}
    told = {o.lstrip("-") for o in re.findall(r"\bFl (-?[a-z]+)", page)}
    told |= {c for o in told if o in ("hnv", "hv") for c in o}
    assert help_ - told == set(), said.stdout
