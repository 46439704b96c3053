"""Services of a node: sshd, and those whose unit file somebody has put into ``/etc/systemd/system``.

Of a unit file are read ``Type``, ``ExecStartPre``, ``ExecStart``, ``ExecStop``, ``Environment``,
``EnvironmentFile``, ``WorkingDirectory`` and ``WantedBy``.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Settings = dict[str, list[str]]
    """All values of a key."""

FOLDER = Path("/etc/systemd/system")
STATE = Path("/run/sandbox-units")
LOGS = Path("/var/log")
SSH = ("ssh", "sshd")
_SSHD_PID = Path("/run/sshd.pid")
_SECONDS = 5.0


class UnitError(Exception):
    """It could not be started or stopped; its text is what the system said."""


class Unit:
    """``name``: without ``.service``."""

    def __init__(self, name: str) -> None:
        self.name = name[: -len(".service")] if name.endswith(".service") else name
        self.is_ssh = self.name in SSH
        self.file = FOLDER / f"{self.name}.service"
        self.log = LOGS / ("sshd.log" if self.is_ssh else f"{self.name}.log")

    @property
    def exists(self) -> bool:
        return self.is_ssh or self.file.exists()

    @property
    def settings(self) -> Settings:
        """What its file says, each key with all its values."""
        found: Settings = {}
        text = self.file.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")
        for line in text.splitlines():
            key, equals, value = line.strip().partition("=")
            if equals and not key.startswith(("#", ";")):
                found.setdefault(key.strip(), []).append(value.strip())
        return found

    @property
    def pid(self) -> int | None:
        """Its first process, while that runs."""
        path = _SSHD_PID if self.is_ssh else STATE / self.name
        with contextlib.suppress(OSError, ValueError):
            number = int(path.read_text())
            if b"Z" not in Path(f"/proc/{number}/stat").read_bytes().rpartition(b")")[2].split()[:1]:
                return number
        return None

    @property
    def is_done(self) -> bool:
        """Whether it is one that does something once, and has."""
        return (STATE / f"{self.name}.done").exists()

    @property
    def wants(self) -> list[Path]:
        """The links that have it started with the machine."""
        targets = " ".join(self.settings.get("WantedBy", [])).split() if not self.is_ssh else []
        return [FOLDER / f"{target}.wants" / self.file.name for target in targets]

    @property
    def is_enabled(self) -> bool:
        return self.is_ssh or any(FOLDER.glob(f"*.wants/{self.file.name}"))

    def start(self) -> None:
        """Run it. Raises ``UnitError``."""
        if self.pid:
            return
        STATE.mkdir(exist_ok=True)
        if self.is_ssh:
            _run([["/usr/sbin/sshd", "-t"], ["/usr/sbin/sshd", "-E", str(self.log)]])
            _until(lambda: bool(self.pid))
            return
        settings = self.settings
        how = {"env": _environment(settings), "cwd": (settings.get("WorkingDirectory") or ["/"])[-1]}
        before = [_words(line) for line in settings.get("ExecStartPre", []) if not line.startswith("-")]
        commands = [_words(line) for line in settings.get("ExecStart", []) if line]
        _run(before, **how)
        if settings.get("Type", [""])[-1] == "oneshot":
            _run(commands, **how)
            (STATE / f"{self.name}.done").touch()
            return
        for command in commands[:1]:
            try:
                with self.log.open("ab") as log:
                    process = subprocess.Popen(
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                        **how,
                    )  # type: ignore[call-overload]  # of what a unit says
            except OSError as problem:
                raise UnitError(f"{command[0]}: {problem.strerror}") from problem
            (STATE / self.name).write_text(str(process.pid))
            with contextlib.suppress(subprocess.TimeoutExpired):
                if process.wait(0.3):
                    raise UnitError(f"{command[0]}: {process.returncode} ({self.log})")

    def stop(self) -> None:
        """End it, and all of its session. Raises ``UnitError``."""
        (STATE / f"{self.name}.done").unlink(missing_ok=True)
        pid = self.pid
        if not self.is_ssh:
            _run([_words(line) for line in self.settings.get("ExecStop", []) if line])
        if pid:
            # Of sshd the one that listens: who is logged in stays, as on a real one.
            with contextlib.suppress(ProcessLookupError):
                (os.kill if self.is_ssh else os.killpg)(pid, signal.SIGTERM)
            _until(lambda: self.pid != pid)

    def reload(self) -> None:
        """Have it read its settings again."""
        pid = self.pid
        if pid:
            os.kill(pid, signal.SIGHUP)


def units() -> list[Unit]:
    """sshd's, and those that have a file."""
    return [Unit("ssh"), *(Unit(path.name) for path in sorted(FOLDER.glob("*.service")))]


def _words(line: str) -> list[str]:
    return shlex.split(line.lstrip("-@:+!"))


def _environment(settings: Settings) -> dict[str, str]:
    pairs = [pair for line in settings.get("Environment", []) for pair in shlex.split(line)]
    for name in settings.get("EnvironmentFile", []):
        with contextlib.suppress(OSError):
            lines = Path(name.lstrip("-")).read_text(encoding="utf-8", errors="replace").splitlines()
            pairs += [line.strip() for line in lines if "=" in line and not line.startswith("#")]
    said = {key: value.strip("'\"") for key, _, value in (pair.partition("=") for pair in pairs)}
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", **said}


def _run(commands: list[list[str]], **how: object) -> None:
    for command in commands:
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **how
            )  # type: ignore[call-overload]  # of what a unit says
        except OSError as problem:
            raise UnitError(f"{command[0]}: {problem.strerror}") from problem
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines() or [str(done.returncode)]
            raise UnitError(f"{shlex.join(command)}: {'; '.join(said[:3])}")


def _until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not so() and time.monotonic() < deadline:
        time.sleep(0.02)
