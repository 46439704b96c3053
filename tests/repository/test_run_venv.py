"""The script ``run`` and ``.venv``: made when and only when it must be."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.repository.machine import Machine, lines_of


def test_the_second_run_installs_nothing_and_is_quick(machine: Machine) -> None:
    machine.run("routes")
    before = len(machine.called)
    seconds = []
    for _ in range(7):
        started = time.perf_counter()
        done = machine.run("routes")
        seconds.append(time.perf_counter() - started)
        assert done.stderr == ""
    # The best of seven: other tests share the processor, and a slow script is slow every time.
    assert min(seconds) < 0.1
    assert not [call for call in machine.called[before:] if "pip" in call or "venv -" in call]


def test_the_locked_packages_are_installed_with_their_hashes(machine: Machine) -> None:
    machine.run("routes", DURING_PIP='echo "pip $*" >>"$HOME/pip"', HOME=str(machine.root))
    assert "--require-hashes" in (machine.root / "pip").read_text()
    assert "requirements.lock" in (machine.root / "pip").read_text()


def installs(machine: Machine, *arguments: str, **extra: str) -> str:
    """Which locks one ./run installed, and whether it made .venv anew."""
    marker = machine.checkout / ".venv/marker"
    if marker.parent.exists():
        marker.touch()
    done = machine.run(*arguments, **extra)
    assert done.returncode == 0, done.stderr
    said = lines_of(done.stderr, "locked Python packages")
    lock = said[0].rsplit("(", 1)[1].split(")")[0] if said else "nothing"
    return lock if marker.exists() or lock == "nothing" else f"{lock}, anew"


def test_venv_is_renewed_when_and_only_when_something_changed(machine: Machine) -> None:
    assert installs(machine, "routes") == "requirements.lock, anew"
    assert installs(machine, "routes") == "nothing"
    assert installs(machine, "test") == "requirements-dev.lock", "the dev tools are an addition"
    assert installs(machine, "routes") == "nothing", "what serves the tests serves the suite"
    (machine.checkout / "requirements.lock").write_text("one==2 \\\n    --hash=sha256:2\n")
    assert installs(machine, "routes") == "requirements.lock, anew"
    assert installs(machine, "test") == "requirements-dev.lock"
    (machine.checkout / "requirements-dev.lock").write_text("one==2 \\\n    --hash=sha256:2\n")
    assert installs(machine, "routes") == "nothing"
    assert installs(machine, "test") == "requirements-dev.lock, anew"


def test_venv_is_renewed_when_its_interpreter_vanished(machine: Machine) -> None:
    machine.run("routes")
    (machine.checkout / ".venv/bin/python").unlink()
    assert installs(machine, "routes") == "requirements.lock, anew"


def test_venv_is_renewed_when_its_interpreter_became_another(machine: Machine) -> None:
    machine.run("routes")
    python = machine.checkout / ".venv/bin/python"
    python.rename(python.with_name("python3.12"))
    python.symlink_to("python3.12")
    assert installs(machine, "routes") == "requirements.lock, anew"


def test_python_from_the_environment_is_respected(machine: Machine) -> None:
    machine.run("routes")
    shutil.copy(machine.bin / "python3", machine.bin / "mine")
    assert installs(machine, "routes", PYTHON=str(machine.bin / "mine")) == "requirements.lock, anew"
    assert installs(machine, "routes", PYTHON=str(machine.bin / "mine")) == "nothing"
    done = machine.run("routes", PYTHON="/nowhere/python")
    assert done.returncode == 3
    assert "/nowhere/python" in done.stderr


def test_a_failed_install_says_so_and_is_not_taken_for_ready(machine: Machine) -> None:
    failed = machine.run("routes", PIP_STATUS="1")
    assert failed.returncode == 3
    assert "ran:" not in failed.stdout
    assert lines_of(failed.stderr, "pip could not install requirements.lock")
    assert installs(machine, "routes") == "requirements.lock, anew"


@pytest.mark.parametrize("first", ["routes", "test"])
def test_an_interrupted_install_is_not_taken_for_ready(machine: Machine, first: str) -> None:
    if first == "test":
        machine.run("routes")
    started = machine.start(
        first, DURING_PIP='echo "pip is working" >>"$LOG"; exec sleep 60', LOG=str(machine.log)
    )
    machine.wait_for("pip is working")
    os.killpg(started.pid, signal.SIGKILL)
    started.communicate(timeout=20)
    assert installs(machine, "routes") == "requirements.lock, anew"


def test_a_venv_that_somebody_else_made_is_added_to_and_never_deleted(machine: Machine) -> None:
    theirs = machine.checkout / ".venv/bin"
    theirs.mkdir(parents=True)
    shutil.copy(machine.bin / "python3", theirs / "python")
    assert installs(machine, "routes") == "requirements.lock"
    (machine.checkout / "requirements.lock").write_text("one==2 \\\n    --hash=sha256:2\n")
    assert installs(machine, "routes") == "requirements.lock"
    (theirs / "python").unlink()
    done = machine.run("routes")
    assert done.returncode == 3
    assert "Move it away" in done.stderr
    assert theirs.exists()


def test_two_at_once_set_up_once(machine: Machine, tmp_path: Path) -> None:
    during = f'echo "pip is working" >>"{machine.log}"; while [ ! -e "{tmp_path}/go" ]; do sleep 0.02; done'
    first = machine.start("routes", DURING_PIP=during)
    machine.wait_for("pip is working")
    second = machine.start("routes", DURING_PIP=during)
    try:
        assert second.stderr is not None
        said = [second.stderr.readline(), second.stderr.readline()]
    finally:
        # Whatever was said: they wait for it, and would wait for ever.
        (tmp_path / "go").touch()
        outputs = [process.communicate(timeout=60)[0] for process in (first, second)]
    assert "setting up what is missing" in said[0]
    assert said[1] == "run: another ./run is setting up .venv here; waiting for it …\n"
    assert all("ran: -P -m kthw.start pytest" in output for output in outputs)
    assert machine.called.count("pip is working") == 1


def test_a_python_too_old_is_named(machine: Machine) -> None:
    machine.stub("python3", "exit 1")
    done = machine.run("routes")
    assert done.returncode == 3
    assert "Python 3.11 or newer is needed" in done.stderr
    assert "too old or broken: python3" in done.stderr


def test_a_later_name_serves_when_the_first_python_is_too_old(machine: Machine) -> None:
    (machine.bin / "python3").rename(machine.bin / "python3.13")
    machine.stub("python3", "exit 1")
    assert machine.run("provision").returncode == 0
