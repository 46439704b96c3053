"""Signal × phase × victim: whatever is hit whenever, nothing stays, and who is left speaks in sentences.

Phases: while the sandbox boots, is provisioned, logged in to, gets pods, is probed; while tests judge; while
reports are written. Victims: pytest itself (the owner), an xdist worker, the sandbox's leader, an agent on a
node. A process that is stopped is killed a second later, but for the leader: that the sandbox sees to.

Every run does a covering subset: each signal, each phase and each victim several times. All of it, as root
and as an ordinary user: ``KTHW_FULL_MATRIX=1 ./run pytest tests/plugin/test_interruption_matrix.py -n 2``
(half an hour on two cores).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from kthw.observed.recording import write
from kthw.words.messages import catalogue
from sandbox.box import why_no_packets
from tests.findings.clusters import healthy
from tests.ordinary_user import OrdinaryUser, ordinary_user, why_none
from tests.plugin.conftest import NOT_ALL_SEEN, PROJECT, PYTEST, clean
from tests.sandbox.test_lifecycle import alive, descendants, mounts_and_namespaces, wait_until

pytestmark = pytest.mark.slow

SAY: Final = catalogue("en").say
NO_PACKETS: Final = why_no_packets(SAY)
OPEN: Final = ("boot", "provision", "ssh", "pods", "probes")
"""Phases in which a sandbox is open."""
SIGNALS: Final = ("INT", "TERM", "HUP", "KILL", "STOP")
EVERYTHING: Final = [
    *((name, phase, "owner") for name in SIGNALS for phase in (*OPEN, "judging", "report")),
    *((name, phase, "leader") for name in SIGNALS for phase in OPEN),
    *((name, phase, "agent") for name in SIGNALS for phase in OPEN[2:]),
    *((name, phase, "worker") for name in SIGNALS for phase in ("judging", "report")),
]
COVERING: Final = [
    ("INT", "boot", "owner"),
    ("STOP", "provision", "owner"),
    ("HUP", "ssh", "owner"),
    ("KILL", "pods", "owner"),
    ("TERM", "probes", "owner"),
    ("INT", "judging", "owner"),
    ("INT", "report", "owner"),
    ("TERM", "report", "owner"),
    ("KILL", "boot", "leader"),
    ("STOP", "provision", "leader"),
    ("INT", "pods", "leader"),
    ("KILL", "probes", "leader"),
    ("KILL", "ssh", "agent"),
    ("TERM", "pods", "agent"),
    ("STOP", "probes", "agent"),
    ("KILL", "judging", "worker"),
    ("INT", "report", "worker"),
]
MISSED: Final = {
    ("KILL", "leader"): OPEN[:4],
    ("STOP", "leader"): OPEN[:3],
    ("KILL", "agent"): OPEN[2:4],
    ("STOP", "agent"): OPEN[2:4],
}
"""When somebody's end has to be heard of. Later, all may have been seen by the time that it dies; the kernel
carries packets for as long as a leader that is stopped is waited for."""
_FULL: Final = bool(os.environ.get("KTHW_FULL_MATRIX"))
_SECONDS: Final = 120.0
"""No run lasts longer, whatever is done to it."""


def cases() -> list[Any]:
    made = []
    chosen = EVERYTHING if _FULL else COVERING
    for user in ("me", *(("student",) if _FULL else ())):
        for name, phase, victim in chosen:
            marks = []
            if phase in OPEN and NO_PACKETS:
                marks.append(pytest.mark.skip(reason=NO_PACKETS))
            if user == "student" and why_none():
                marks.append(pytest.mark.skip(reason=why_none()))
            made.append(
                pytest.param(name, phase, victim, user, marks=marks, id=f"{name}-{phase}-{victim}-{user}")
            )
    return made


@dataclass
class Run:
    """A run of the suite under way; ``lines`` grows as it speaks."""

    process: subprocess.Popen[str]
    home: Path
    through: tuple[str, ...]
    lines: list[str] = field(default_factory=list)
    reader: threading.Thread | None = None

    @property
    def said(self) -> str:
        return "".join(self.lines)

    def read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)

    def wait_for(self, phase: str) -> None:
        if phase in OPEN:
            words = SAY(f"run-phase-{phase}")
            self._until(lambda: any(line.startswith(words) for line in self.lines), phase)
        else:
            self._until((self.home / "at").exists, phase)

    def victim(self, kind: str) -> int:
        """The pid of the process to hit; the sandbox's may take a moment to be there."""
        if kind == "worker" or (kind == "owner" and (self.home / "at").exists()):
            return int((self.home / "at").read_text())
        if kind == "owner":
            return self.process.pid
        found: list[int] = []

        def is_there() -> bool:
            found[:] = [pid for pid in descendants(self.process.pid) if _is(kind, pid)]
            return bool(found)

        self._until(is_there, kind)
        return found[0]

    def _until(self, condition: Any, what: str) -> None:
        deadline = time.monotonic() + _SECONDS
        while not condition():
            ended = self.process.poll() is not None
            assert not ended, f"{what}: the run ended before\n{self.said}"
            assert time.monotonic() < deadline, f"{what} never came\n{self.said}"
            time.sleep(0.01)


def _is(kind: str, pid: int) -> bool:
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        if kind == "leader":
            return words[1:3] == ["-m", "sandbox.leader"]
        return words[0].endswith("python3") and "-c" in words
    return False


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Any]:
    with contextlib.ExitStack() as closing:

        def one(phase: str, victim: str, user: str) -> Run:
            home: Path = tmp_path
            through: tuple[str, ...] = ()
            own = {"TMPDIR": str(tmp_path), "XDG_RUNTIME_DIR": "", "PYTHONDONTWRITEBYTECODE": "1"}
            if user == "student":
                student: OrdinaryUser = closing.enter_context(ordinary_user())
                home, through = student.home, student.through
                own |= student.environment
            own |= {"OWN_PHASE": phase, "OWN_VICTIM": victim, "OWN_FOLDER": str(home)}
            own["OWN_JOURNAL"] = str(home / "journal.jsonl")
            command = [*through, *PYTEST, "-p", "tests.plugin.own_phase", "suites/routes"]
            command += ["--reports", str(home / "reports"), "--workers", "worker-[0-1]"]
            if phase not in OPEN:
                write(healthy(), home / "evidence.json")
                (home / "evidence.json").chmod(0o644)
                command += ["--evidence", str(home / "evidence.json")]
                command[command.index("--workers") : command.index("--workers") + 2] = []
            if victim == "worker":
                command += ["-n", "2"]
            process = subprocess.Popen(
                command, cwd=PROJECT, env={**clean(), **own}, text=True, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            closing.callback(_end, process)
            run = Run(process, home, through)
            run.reader = threading.Thread(target=run.read, daemon=True)
            run.reader.start()
            return run

        yield one


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize(("name", "phase", "victim", "user"), cases())
def test_whatever_is_hit_whenever_nothing_stays(
    name: str, phase: str, victim: str, user: str, begin: Any
) -> None:
    before = mounts_and_namespaces()
    run: Run = begin(phase, victim, user)
    run.wait_for(phase)
    pid = run.victim(victim)
    family = [run.process.pid, *descendants(run.process.pid)]
    os.kill(pid, signal.Signals[f"SIG{name}"])
    if name == "STOP" and victim != "leader":
        time.sleep(1)  # stopped for as long as that, and then no more
        with contextlib.suppress(ProcessLookupError):  # whoever missed it was quicker
            os.kill(pid, signal.SIGKILL)
    (run.home / "go").touch()
    code = run.process.wait(_SECONDS)
    assert run.reader is not None
    wait_until(lambda: not any(map(alive, family)), f"{family} gone")
    run.reader.join(10)

    # Nothing stays, or the next start takes it away.
    sweep = "from sandbox import folder; made, alive = folder.make(); folder.throw_away(made)"
    environment = {**os.environ, "TMPDIR": str(run.home), "XDG_RUNTIME_DIR": "", "HOME": str(run.home)}
    subprocess.run([*run.through, sys.executable, "-c", sweep], cwd=PROJECT, env=environment, check=True)
    assert not [path for path in run.home.iterdir() if path.name.startswith("kthw-")]
    assert mounts_and_namespaces() == before

    is_dead = victim == "owner" and (name in ("KILL", "STOP") or (phase not in OPEN and name != "INT"))
    if is_dead:
        assert code < 0, run.said
        return
    assert "Traceback" not in run.said
    if victim == "owner":
        assert code == pytest.ExitCode.INTERRUPTED, run.said
        assert phase not in OPEN or SAY("run-interrupted") in run.said
    elif phase in MISSED.get((name, victim), ()):
        assert code == NOT_ALL_SEEN, run.said
