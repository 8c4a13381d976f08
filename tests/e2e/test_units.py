"""The systemd units, as `make install` installs them, in systemd's own eyes."""

import glob
import os
import re
import shutil
import subprocess

import pytest

TOP = os.path.join(os.path.dirname(__file__), "../..")


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze: make deps")
    place = tmp_path_factory.mktemp("installed")
    # what stands in build/ is what is tested: nothing is made anew beside it
    subprocess.run(["make", "-s", "-o", "all", "install", f"PREFIX={place}",
                    f"SYSCONFDIR={place}/etc", f"UNITDIR={place}/units",
                    f"LOCALSTATEDIR={place}/var"], cwd=TOP, check=True,
                   capture_output=True, timeout=600)
    found = sorted(glob.glob(f"{place}/units/*.service"))
    shipped = glob.glob(os.path.join(TOP, "conf/*.service"))
    assert len(found) == len(shipped) > 0
    return found


def test_systemd_finds_nothing_wrong_with_them(units):
    for unit in units:      # a word it does not know is only a line
        said = subprocess.run(["systemd-analyze", "verify", "--man=no", unit],
                              capture_output=True, text=True, timeout=120)
        ours = [x for x in (said.stdout + said.stderr).splitlines()
                if os.path.basename(unit) in x]
        assert said.returncode == 0 and ours == [], (unit, said)


def test_what_they_may_do_is_little(units):
    for unit in units:
        said = subprocess.run(["systemd-analyze", "security", "--no-pager",
                               "--offline=yes", unit], capture_output=True,
                              text=True, timeout=120)
        level = re.search(r"exposure level for \S+: ([\d.]+)", said.stdout)
        assert level is not None, said
        assert float(level[1]) <= 2.5, (unit, said.stdout)
