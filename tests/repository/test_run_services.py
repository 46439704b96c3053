"""The script ``run`` starts no service, and takes nobody's sub-ids."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from kthw.words.messages import LANGUAGES, catalogue
from tests.repository.machine import Machine, lines_of


def test_no_service_may_start_while_packages_are_installed_and_any_may_afterwards(machine: Machine) -> None:
    machine.remove("openssh-server")
    machine.run("routes")
    assert "policy answers 101" in machine.called
    assert not machine.policy.exists()


@pytest.mark.parametrize("fate", ["exit 1", "kill -9 $$", "kill -9 $PPID"])
def test_services_may_start_again_however_apt_get_ends(machine: Machine, fate: str) -> None:
    """``$PPID`` is the shell that runs as root: what it leaves behind forbids nothing, and goes next time."""
    machine.remove("openssh-server")
    machine.apt_get(fate)
    machine.run("routes")
    assert "policy answers 101" in machine.called
    if machine.policy.exists():
        assert "PPID" in fate
        assert subprocess.run([machine.policy, "ssh", "start"], check=False).returncode == 0
    machine.apt_get()
    machine.remove("openssh-server")
    machine.run("routes")
    assert not list(machine.policy.parent.glob("policy-rc.d*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_services_may_start_again_after_an_interruption(machine: Machine, number: signal.Signals) -> None:
    machine.remove("openssh-server")
    machine.apt_get("exec sleep 60")
    started = machine.start("routes")
    machine.wait_for("policy answers 101")
    os.killpg(started.pid, number)
    started.communicate(timeout=20)
    assert not list(machine.policy.parent.glob("policy-rc.d*"))


def test_a_policy_that_is_there_already_and_forbids_is_left_alone(machine: Machine) -> None:
    machine.stub("policy-rc.d", "exit 101", where=machine.policy.parent)
    before = machine.policy.read_bytes()
    machine.remove("nftables")
    machine.run("routes")
    assert "policy answers 101" in machine.called
    assert machine.policy.read_bytes() == before


@pytest.mark.parametrize("fate", ["", "kill -9 $PPID"])
def test_a_policy_that_allows_steps_aside_and_comes_back(machine: Machine, fate: str) -> None:
    machine.stub("policy-rc.d", "exit 0", where=machine.policy.parent)
    before = machine.policy.read_bytes()
    machine.remove("nftables")
    machine.apt_get(fate)
    machine.run("routes")
    assert "policy answers 101" in machine.called
    assert subprocess.run([machine.policy, "ssh", "start"], check=False).returncode == 0
    machine.apt_get()
    machine.remove("nftables")
    machine.run("routes")
    assert machine.policy.read_bytes() == before
    assert [path.name for path in machine.policy.parent.glob("policy-rc.d*")] == ["policy-rc.d"]


def test_an_sshd_that_it_installed_is_not_enabled(machine: Machine) -> None:
    machine.remove("openssh-server")
    machine.run("routes")
    assert "systemctl disable ssh.service ssh.socket" in machine.called
    assert "update-rc.d ssh disable" in machine.called
    assert not [call for call in machine.calls("systemctl") if "disable" not in call]


def test_an_sshd_that_was_there_stays_as_it_was(machine: Machine) -> None:
    machine.remove("nftables")
    machine.run("routes")
    assert not machine.calls("systemctl")
    assert not machine.calls("update-rc.d")


def test_missing_sub_ids_are_said_and_given_past_those_of_others(machine: Machine) -> None:
    for name in ("subuid", "subgid"):
        (machine.root / "etc" / name).write_text("somebody:100000:65536\nother:300000:65536\n")
    said = machine.run("routes").stderr
    command = "usermod --add-subuids 365536-431071 --add-subgids 365536-431071 student"
    assert f"sudo {command}" in said
    assert command in machine.called


def test_on_a_fresh_machine_sub_ids_begin_at_100000(machine: Machine) -> None:
    for name in ("subuid", "subgid"):
        (machine.root / "etc" / name).unlink()
    machine.run("routes")
    assert "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 student" in machine.called


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_the_script_which_knows_the_ranges_of_others_says_which_to_take(language: str) -> None:
    said = catalogue(language).say(
        "sandbox-needs-namespaces", user="student", detail="Operation not permitted"
    )
    assert "./run routes" in said.split("/etc/subuid")[1]
    assert "usermod" not in said


@pytest.mark.parametrize("entry", ["student:100000:65536\n", "1000:100000:65536\n"])
def test_sub_ids_by_name_or_by_number_are_enough(machine: Machine, entry: str) -> None:
    for name in ("subuid", "subgid"):
        (machine.root / "etc" / name).write_text(entry)
    machine.run("routes")
    assert not machine.calls("usermod")


def test_root_needs_no_sub_ids(tmp_path: Path) -> None:
    machine = Machine(tmp_path, uid=0)
    (machine.root / "etc/subuid").unlink()
    machine.run("routes")
    assert not machine.calls("usermod")


def test_ubuntus_restriction_is_named_and_not_touched(machine: Machine) -> None:
    knob = machine.root / "proc/sys/kernel/apparmor_restrict_unprivileged_userns"
    knob.parent.mkdir(parents=True)
    knob.write_text("1\n")
    done = machine.run("routes")
    assert lines_of(done.stderr, "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0")
    assert knob.read_text() == "1\n"
    knob.write_text("0\n")
    assert machine.run("routes").stderr == ""
