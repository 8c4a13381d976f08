"""What the programs print for Postfix, and what they say of themselves."""

import grp
import os
import pwd
import re
import subprocess

import pytest

import gate
import house as house_
import proc


def test_postfix_accepts_every_line_and_knows_every_name(house):
    said = house.postfix.run("postconf", "-n")
    assert said.returncode == 0
    assert said.stderr == "", said.stderr
    have = {name: value.strip() for name, _, value in
            (line.partition(" =") for line in said.stdout.splitlines())}
    printed = [line.split("=", 1)[0].strip()
               for line in house.gate.postfix_lines().splitlines()
               if "=" in line and not line.startswith(("#", " ", "\t"))]
    assert "smtpd_milters" in printed
    for name in printed:
        assert name in have, name
    hard = int(house.postfix.run("postconf", "-h", "smtpd_hard_error_limit")
               .stdout)
    soft = int(house.postfix.run("postconf", "-h", "smtpd_soft_error_limit")
               .stdout)
    most = int(house.postfix.run("postconf", "-h", "smtpd_recipient_limit")
               .stdout)
    assert most < soft <= hard
    assert have["milter_default_action"] == "tempfail" or \
        "default_action=tempfail" in have["smtpd_milters"]


def test_master_lines_are_services_that_postfix_reads(build):
    pools = house_.MAIN_POLICY + '''
pool "b2b" {
	address "127.0.0.1" { helo = "mta1.example.net"  transport = "b2b1" }
	address "127.0.0.2" { helo = "mta2.example.net"  transport = "b2b2" }
}
'''
    house = build(policy=pools)
    lines = house.gate.postfix_lines("--master")
    with open(f"{house.postfix.folder}/etc/master.cf", "a") as f:
        f.write(lines)
    said = house.postfix.run("postconf", "-M")
    assert said.returncode == 0, said.stderr
    assert "b2b1" in said.stdout and "b2b2" in said.stdout
    said = house.postfix.run("postconf", "-P")
    assert "b2b2/unix/smtp_bind_address = 127.0.0.2" in said.stdout
    assert "mta1.example.net" in said.stdout


def test_check_without_a_store_makes_none(tmp_path):
    place = str(tmp_path)
    g = gate.Gate(place, house_.MAIN_POLICY, tenants=house_.TENANTS,
                  keys=house_.KEYS)
    said = subprocess.run([gate.program("penstock-milter"), "-n", "-c",
                           g.conf], capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert g.penstock("policy", "check").returncode == 0
    assert os.listdir(f"{place}/store") == []
    g.write("tenants.d/acme.conf", "tenant {")
    said = subprocess.run([gate.program("penstock-milter"), "-n", "-c",
                           g.conf], capture_output=True, text=True)
    assert said.returncode == 1, said.stderr
    said = g.penstock("policy", "check")
    assert said.returncode == 1
    assert "acme.conf:1:" in said.stdout + said.stderr


def test_status_says_well_and_not_running(build):
    house = build(queue=False)
    said = house.gate.penstock("status")
    assert said.returncode == 0, said.stdout + said.stderr
    assert str(house.gate.process.pid) in said.stdout
    house.gate.kill()
    assert house.gate.penstock("status").returncode == 3


def test_readiness_is_told_to_systemd():
    import socket
    with house_.House(queue=False) as house:
        house.gate.stop()
        address = f"{house.folder}/notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(address)
            s.settimeout(10)
            process = proc.start(
                [gate.program("penstock-milter"), "-c", house.gate.conf],
                env={**os.environ, "NOTIFY_SOCKET": address,
                     "WATCHDOG_USEC": "1000000"},
                stderr=subprocess.DEVNULL)
            words = ""
            while "READY=1" not in words:
                words += s.recv(4096).decode() + "\n"
            assert house.gate.answers()
            while "WATCHDOG=1" not in words:
                words += s.recv(4096).decode() + "\n"
            proc.stop(process, patience=10)


def test_the_socket_is_for_its_group_alone(house):
    mode = os.stat(house.gate.socket).st_mode & 0o777
    assert mode == 0o660, oct(mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give root up")
def test_root_is_given_up_for_the_user_of_the_configuration(tmp_path):
    for folder in ("store", "keys", "run"):
        (tmp_path / folder).mkdir()
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        os.chmod(folder, 0o755)
    (tmp_path / "policy.conf").write_text('unknown_sender = "defer"\n')
    conf = tmp_path / "penstock.conf"
    conf.write_text('map_size = "64 MiB"\n' + "".join(
        f'{name} = "{tmp_path}/{value}"\n' for name, value in (
            ("store", "store"), ("policy", "policy.conf"), ("keys", "keys")))
        + f'milter {{ socket = "unix:{tmp_path}/run/s"  '
          'socket_group = "mail"  user = "nobody" }\n')
    process = proc.start([gate.program("penstock-milter"), "-c", str(conf)],
                         stderr=subprocess.DEVNULL)
    try:
        proc.wait_for((tmp_path / "run" / "s").exists, 10, "the socket")
        with open(f"/proc/{process.pid}/status") as f:
            said = dict(line.split(":", 1) for line in f)
        nobody = str(pwd.getpwnam("nobody").pw_uid)
        assert said["Uid"].split() == [nobody] * 4
        assert int(said["CapEff"], 16) == 0
        assert os.stat(tmp_path / "store/gate").st_uid == int(nobody)
        socket_group = os.stat(tmp_path / "run" / "s").st_gid
        assert socket_group == grp.getgrnam("mail").gr_gid
    finally:
        proc.stop(process, patience=10)


def test_every_command_has_help():
    text = subprocess.run([gate.program("penstock"), "--help"],
                          capture_output=True, text=True)
    assert text.returncode == 0
    for line in text.stdout.splitlines():
        if not line.startswith("  ") or line.startswith("  -") or \
           line.strip().startswith("COMMAND"):
            continue
        words = line[2:18].split()
        said = subprocess.run([gate.program("penstock"), *words, "--help"],
                              capture_output=True, text=True)
        assert said.returncode in (0, 2), words
        assert said.stdout + said.stderr, words
    said = subprocess.run([gate.program("penstock"), "no-such"],
                          capture_output=True, text=True)
    assert said.returncode == 2


def test_every_command_tells_its_usage(tmp_path):
    def penstock(*words):
        return subprocess.run([gate.program("penstock"), *words], cwd=tmp_path,
                              capture_output=True, text=True)
    said = penstock("--help")
    commands = re.findall(r"^  ([a-z-]+(?: [a-z]+)?)  ", said.stdout, re.M)
    assert said.returncode == 0 and len(commands) >= 14, said.stdout
    for command in commands:
        said = penstock(*command.split(), "--help")
        assert said.returncode == 0, command
        assert said.stdout.startswith(f"usage: penstock {command}"), command
        assert penstock(*command.split(), "--nonsense").returncode == 2
