"""The script ``run`` on a cold clone: a word at once, how many of how many, and no silence."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.repository.machine import Machine, lines_of

LOCK = "".join(f"{name}==1 \\\n    --hash=sha256:1\n" for name in ("one", "two", "three", "windows"))
_SITE = '"${0%/bin/python}/lib/python3.11/site-packages"'
PIP = f"""
echo "Ignoring windows: markers 'sys_platform == \\"win32\\"' don't match your environment"
echo Collecting one
echo Collecting two
wait_for half
echo Collecting three
echo "Installing collected packages: one, two, three"
mkdir -p {_SITE}/one-1.dist-info
wait_for unpacked
mkdir -p {_SITE}/two-1.dist-info {_SITE}/three-1.dist-info
"""
"""pip, that goes on when the test says so."""
DEADLINE = 30.0


@pytest.fixture
def cold(machine: Machine) -> Machine:
    (machine.checkout / "requirements.lock").write_text(LOCK)
    return machine


def waiting(machine: Machine, script: str = PIP) -> str:
    return f'wait_for() {{ while [ ! -e "{machine.root}/$1" ]; do sleep 0.02; done; }}\n{script}'


def until(process: subprocess.Popen[str], text: str) -> list[str]:
    """The lines on stderr up to the first one with that text."""
    assert process.stderr is not None
    lines: list[str] = []
    while not lines or text not in lines[-1]:
        line = process.stderr.readline()
        assert line, f"ended without {text!r}: {lines}"
        lines.append(line)
    return lines


@pytest.fixture
def started(cold: Machine) -> Iterator[subprocess.Popen[str]]:
    with _ended(cold.start("routes", DURING_PIP=waiting(cold))) as process:
        yield process


@contextlib.contextmanager
def _ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """The process, which ends however the test does; also where it says nothing more and is waited for."""

    def kill(*_signal: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    before = signal.signal(signal.SIGALRM, kill)
    signal.alarm(int(DEADLINE))
    try:
        yield process
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        kill()
        process.communicate()


@pytest.mark.parametrize(("language", "word"), [("C", "setting up"), ("pt_BR.UTF-8", "preparando")])
def test_the_first_word_comes_before_anything_is_looked_at(
    machine: Machine, language: str, word: str
) -> None:
    machine.stub("python3", f'while [ ! -e "{machine.root}/go" ]; do sleep 0.02; done; exit 1')
    with _ended(machine.start("routes", LANG=language)) as process:
        assert word in until(process, "run: ")[0]


def test_a_run_that_finds_all_ready_says_nothing_of_it(machine: Machine) -> None:
    assert "setting up" in machine.run("routes").stderr
    assert machine.run("routes").stderr == ""


def test_what_is_collected_and_unpacked_is_counted_of_all_that_this_system_needs(
    cold: Machine, started: subprocess.Popen[str]
) -> None:
    until(started, "  2 of 3\n")
    (cold.root / "half").touch()
    assert "run: all 3 are here; unpacking …\n" in until(started, "  1 of 3\n")
    (cold.root / "unpacked").touch()
    output, _ = started.communicate(timeout=DEADLINE)
    assert "ran: -P -m kthw.start pytest" in output


def test_into_a_log_go_plain_lines_for_as_long_as_it_takes(started: subprocess.Popen[str]) -> None:
    again = [until(started, "  2 of 3\n"), until(started, "  2 of 3\n"), until(started, "  2 of 3\n")]
    assert again[1:] == [["  2 of 3\n"], ["  2 of 3\n"]]
    assert not [line for lines in again for line in lines if "\r" in line or "\x1b" in line]


def test_making_the_environment_is_not_silent_either(cold: Machine) -> None:
    python = cold.bin / "python3"
    waits = f'case "$*" in *"-m venv"*) while [ ! -e "{cold.root}/go" ]; do sleep 0.02; done ;; esac\n'
    python.write_text(python.read_text().replace("\n", f"\n{waits}", 1))
    with _ended(cold.start("routes")) as process:
        said = until(process, " s\n")
        assert lines_of("".join(said), "making .venv with python3")
        until(process, " s\n")
        (cold.root / "go").touch()
        assert process.communicate(timeout=DEADLINE)[0]


def test_on_a_terminal_one_line_is_written_anew_and_nothing_of_it_stays(cold: Machine) -> None:
    for name in ("half", "unpacked"):
        (cold.root / name).touch()
    ours, theirs = pty.openpty()
    done = subprocess.run(
        ["./run", "routes"],
        cwd=cold.checkout, env=cold.environment({"DURING_PIP": waiting(cold), "LC_ALL": "pt_BR.UTF-8"}),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs, timeout=DEADLINE, check=True,
    )  # fmt: skip
    os.close(theirs)
    said = os.read(ours, 100_000).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "\r\x1b[K  1 de 3\r\x1b[K  2 de 3" in said
    assert "\r\x1b[Krun: os 3 estão aqui; desempacotando …" in said


def test_what_pip_said_is_kept_without_our_own_marks(cold: Machine) -> None:
    for name in ("half", "unpacked"):
        (cold.root / name).touch()
    cold.run("routes", DURING_PIP=waiting(cold))
    log = (cold.checkout / ".venv/install.log").read_text()
    assert "Collecting three" in log
    assert "run: " not in log


@pytest.mark.parametrize("victim", ["the command", "its group"])
def test_nothing_goes_on_counting_after_it_was_ended(
    cold: Machine, started: subprocess.Popen[str], victim: str
) -> None:
    until(started, "  2 of 3\n")
    if victim == "its group":
        os.killpg(started.pid, signal.SIGINT)
    else:
        started.kill()
    for name in ("half", "unpacked"):
        (cold.root / name).touch()
    deadline = time.monotonic() + DEADLINE
    while _alive(started):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _alive(process: subprocess.Popen[str]) -> bool:
    """Whether anything of the process group is left."""
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True
