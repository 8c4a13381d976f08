"""A second opinion: python3-dkim on messages that the unit test signed.

tests/unit/differential writes them (DIFF_SAMPLE_DIR) with the keys' records.
Left out are messages that python3-dkim rewrites while reading: it takes a
lone LF for a line end, and refuses white space before a header's colon.
"""

import os
import re
import subprocess
import sys

import dkim
import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
import proc     # noqa: E402

PROGRAM = os.path.join(proc.BUILD, "unit/differential")


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """({name: record}, [(file name, message)]) of a fresh run."""
    folder = tmp_path_factory.mktemp("dkim")
    if not os.path.exists(PROGRAM):
        subprocess.run(["make", "-C", proc.ROOT, f"B={proc.BUILD}", PROGRAM],
                       check=True, capture_output=True)
    subprocess.run([PROGRAM], check=True, capture_output=True,
                   env={**os.environ, "DIFF_SAMPLE_DIR": str(folder),
                        "ROUNDS": "2"})
    with open(folder / "keys.txt") as f:
        records = dict(line.split(None, 1) for line in f)
    return records, [(p.name, p.read_bytes())
                     for p in sorted(folder.glob("*.eml"))]


def readable(data):
    head = data.split(b"\r\n\r\n", 1)[0]
    return not re.search(rb"(?<!\r)\n", data) and \
        not re.search(rb"(?m)^[!-9;-~]+[ \t]+:", head)


def verdicts(data, records):
    """One bool per DKIM-Signature."""
    def look_up(name, timeout=5):
        return records.get(name.decode().rstrip("."), "").strip().encode()
    head = data.split(b"\r\n\r\n", 1)[0]
    n = len(re.findall(rb"(?im)^dkim-signature:", head))
    return [dkim.DKIM(data).verify(idx=i, dnsfunc=look_up) for i in range(n)]


def test_python_dkim_agrees(samples):
    records, messages = samples
    seen = {1: 0, 2: 0}
    kinds = set()
    for name, data in messages:
        if not readable(data):
            continue
        got = verdicts(data, records)
        assert got and all(got), f"{name}: {got}"
        seen[len(got)] += 1
        kinds.update(re.findall(rb"a=([a-z0-9-]+);", data))
    assert kinds >= {b"rsa-sha256", b"ed25519-sha256"}
    assert seen[1] >= 60 and seen[2] >= 30, f"too few were readable: {seen}"


def test_python_dkim_sees_a_change(samples):
    records, messages = samples
    for name, data in [m for m in messages if readable(m[1])][:30]:
        changed = data.replace(b"@sender.example", b"@sander.example", 1)
        if changed == data or b"@sander.example" in data:
            continue
        assert not any(verdicts(changed, records)), name
