"""The script ``run`` and the system packages: what it installs, and what it does without."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repository.machine import PROVIDES, Machine, lines_of


def test_nothing_is_installed_where_nothing_is_missing(machine: Machine) -> None:
    assert machine.run("routes").returncode == 0
    assert machine.run("test").returncode == 0
    assert not machine.calls("apt-get")
    assert not machine.calls("sudo")


@pytest.mark.parametrize("package", sorted(set(PROVIDES) - {"shellcheck", "fping", "curl", "chromium"}))
def test_each_package_is_missed_by_its_files(machine: Machine, package: str) -> None:
    machine.remove(package)
    done = machine.run("sandbox", "up")
    assert machine.installed == [package]
    assert "ran: -P -m kthw.start sandbox up" in done.stdout
    machine.run("sandbox", "up")
    assert machine.installed == [package], "once is enough"


def test_it_says_what_it_installs_and_how_before_it_does(machine: Machine) -> None:
    machine.remove("openssh-server", "nftables")
    said = machine.run("routes").stderr
    command = "run: installing: sudo apt-get install -y --no-install-recommends openssh-server nftables\n"
    assert command in said
    assert said.index(command) < said.index("Setting up packages")


def test_apts_words_stay_out_of_the_commands_output(machine: Machine) -> None:
    machine.remove("openssh-server")
    assert "Setting up packages" not in machine.run("routes").stdout


@pytest.mark.parametrize(("uid", "with_sudo"), [(0, False), (1000, True)])
def test_sudo_is_for_whoever_is_not_root(tmp_path: Path, uid: int, with_sudo: bool) -> None:
    machine = Machine(tmp_path, uid=uid)
    machine.remove("openssh-server")
    said = machine.run("routes").stderr
    assert bool(machine.calls("sudo")) is with_sudo
    assert ("installing: sudo apt-get" in said) is with_sudo
    assert machine.installed == ["openssh-server"]


def test_root_needs_no_uidmap_but_its_tests_do(tmp_path: Path) -> None:
    machine = Machine(tmp_path, uid=0)
    machine.remove("uidmap", "shellcheck", "fping", "curl")
    machine.run("routes")
    assert machine.installed == []
    machine.run("test")
    assert sorted(machine.installed) == ["curl", "fping", "shellcheck", "uidmap"]


@pytest.mark.parametrize("system", ["debian", "debian, chrome", "ubuntu"])
def test_its_tests_need_a_browser_where_one_can_be_had(machine: Machine, system: str) -> None:
    machine.remove("chromium")
    name, _, chrome = system.partition(", ")
    (machine.root / "etc/os-release").write_text(f"ID={name}\n")
    if chrome:
        machine.stub("google-chrome")
    machine.run("routes")
    machine.run("test")
    assert machine.installed == (["chromium"] if system == "debian" else [])


def test_without_the_browser_the_rest_is_installed_and_tested(machine: Machine) -> None:
    """Where it cannot be had, apt-get installs nothing of what is asked for in the same breath."""
    machine.remove("chromium", "openssh-server")
    machine.apt_get('case "$*" in *chromium*) exit 100 ;; esac')
    done = machine.run("test")
    assert (machine.root / "usr/sbin/sshd").exists()
    assert "going on without a browser" in done.stderr
    assert "ran: -P -m kthw.start pytest tests" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "variable"),
    [
        (("routes", "--target", "aws"), ""),
        (("routes", "-x", "--target=aws"), ""),
        (("pytest", "suites/routes", "--target", "aws", "-v"), ""),
        (("routes",), "aws"),
        (("pytest", "suites/routes"), "aws"),
        (("routes", "--evidence", "reports/report.json"), ""),
        (("provision", "plan"), ""),
    ],
)
def test_looking_at_an_account_or_a_file_needs_no_system_package(
    machine: Machine, arguments: tuple[str, ...], variable: str
) -> None:
    machine.remove(*PROVIDES)
    (machine.root / "etc/subuid").unlink()
    done = machine.run(*arguments, **({"KTHW_TARGET": variable} if variable else {}))
    assert done.returncode == 0
    assert machine.installed == []
    assert not machine.calls("sudo")


def test_an_explicit_sandbox_needs_them_whatever_the_variable_says(machine: Machine) -> None:
    machine.remove("nftables")
    machine.run("routes", "--target", "sandbox", KTHW_TARGET="aws")
    assert machine.installed == ["nftables"]


def test_stale_package_lists_are_updated_and_the_installation_tried_again(machine: Machine) -> None:
    machine.remove("nftables")
    machine.apt_get('[ -e "$0.again" ] || { touch "$0.again"; exit 100; }')
    assert machine.run("routes").returncode == 0
    calls = [line.split()[3] for line in machine.called if line.startswith("apt-get")]
    assert calls == ["install", "install", "update", "install"]


def test_without_apt_get_it_names_what_is_missing_and_goes_on(machine: Machine) -> None:
    machine.remove("openssh-server", "nftables")
    (machine.bin / "apt-get").unlink()
    done = machine.run("routes")
    assert done.returncode == 0
    assert lines_of(done.stderr, "openssh-server nftables")
    assert lines_of(done.stderr, "no apt-get")
    assert "ran: -P -m kthw.start pytest" in done.stdout


def test_without_the_right_to_install_it_says_what_an_administrator_types(machine: Machine) -> None:
    machine.remove("nftables")
    machine.stub("sudo", "exit 1")
    done = machine.run("routes")
    assert done.returncode == 0
    assert machine.installed == []
    assert lines_of(done.stderr, "apt-get install -y --no-install-recommends nftables")
    assert "ran: -P -m kthw.start pytest" in done.stdout


def test_elsewhere_than_on_linux_the_packet_checks_are_said_to_be_skipped(machine: Machine) -> None:
    machine.stub("uname", "echo Darwin")
    machine.remove(*PROVIDES)
    done = machine.run("routes")
    assert done.returncode == 0
    assert lines_of(done.stderr, "packets need Linux")
    assert machine.installed == []


def test_venvs_module_is_a_package_of_its_own_and_is_installed_for_every_command(machine: Machine) -> None:
    (machine.bin / "python3.no-ensurepip").touch()
    machine.run("routes", "--target", "aws")
    assert machine.installed == ["python3.11-venv"]


def test_without_venvs_module_nothing_runs_and_it_says_why(machine: Machine) -> None:
    (machine.bin / "python3.no-ensurepip").touch()
    machine.stub("sudo", "exit 1")
    done = machine.run("routes")
    assert done.returncode == 3
    assert lines_of(done.stderr, "apt-get install -y --no-install-recommends python3.11-venv")
    assert lines_of(done.stderr, "nothing can run without the venv module of python3")
