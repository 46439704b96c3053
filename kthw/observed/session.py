"""The conversation with the agent on one worker: one channel, one command, for the whole run.

Deadlines are ours: the SSH library's do not bound everything they seem to. Whatever the worker
writes to its standard error is read as it comes, because unread output stops both streams.
"""

from __future__ import annotations

import json
import shlex
import threading
import time
from collections.abc import Callable
from importlib import resources
from typing import Any, Final, Protocol

from kthw.errors import CouldNotLook, LookError
from kthw.observed import agent

START_DEADLINE: Final = 20.0
"""Seconds from the command to the agent's first word: a shell, sudo, and a Python that starts."""
_SLICE: Final = 0.2
"""Seconds between two looks at the other stream, the deadline and the stop signal."""
_KEPT: Final = 4000
"""Bytes of its standard error, and of what it said before the agent's first word, that we keep."""

_NO_PYTHON: Final = 90
_NO_SUDO: Final = 91
_OLD_PYTHON: Final = "kthw: python3 is "
_SCRIPT: Final = (
    f"command -v python3 >/dev/null || exit {_NO_PYTHON}; "
    'if [ "$(id -u)" = 0 ]; then exec python3 -u -c "$1"; fi; '
    f"command -v sudo >/dev/null || exit {_NO_SUDO}; "
    # We read what sudo says.
    'export LC_ALL=C; exec sudo -n python3 -u -c "$1"'
)
_BOOTSTRAP: Final = (
    "import sys;"
    f'sys.version_info<(3,7) and sys.exit("{_OLD_PYTHON}"+sys.version.split()[0]);'
    'f=open(0,"rb",0,closefd=False);n=int(f.readline());b=b"";'
    'exec("while len(b)<n:b+=f.read(n-len(b)) or sys.exit(0)");'
    'exec(compile(b,"kthw","exec"))'
)
COMMAND: Final = f"exec sh -c {shlex.quote(_SCRIPT)} kthw {shlex.quote(_BOOTSTRAP)}"
"""What the login shell on the worker is asked to run; the program follows on its standard input."""


class Channel(Protocol):
    """What this module needs of an SSH channel (``paramiko.Channel`` has it)."""

    def settimeout(self, timeout: float | None, /) -> None: ...
    def sendall(self, data: bytes, /) -> None: ...
    def recv(self, size: int, /) -> bytes: ...
    def recv_stderr_ready(self) -> bool: ...
    def recv_stderr(self, size: int, /) -> bytes: ...
    def exit_status_ready(self) -> bool: ...
    def recv_exit_status(self) -> int: ...


class Session:
    """Requests to one worker's agent and its answers, in turn.

    ``facts`` are those of every error about this worker (``worker``, ``address``, ``user`` …).
    ``stop``, once set, ends whatever waits here within a fraction of a second.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        worker: str,
        subject: str,
        facts: dict[str, str],
        stop: threading.Event,
        hang_up: Callable[[], None],
    ) -> None:
        self.worker = worker
        self.subject = subject
        self.facts = facts
        self._channel = channel
        self._stop = stop
        self._hang_up = hang_up
        self._heard = b""
        self._complaints = b""
        self._asked = 0

    def start(self, deadline: float = START_DEADLINE) -> None:
        """Send the program and wait for its first word.

        Raises ``CouldNotLook``: ``sudo-denied``, ``python-missing``, ``ssh-auth-failed`` (the login
        runs no commands), ``probe-timeout``, ``ssh-unreachable`` (the connection broke).
        """
        until = time.monotonic() + deadline
        program = _program()
        self._send(b"%d\n%s" % (len(program), program), until)
        noise = b""
        while True:
            line = self._line("start", until)
            if line is None:
                raise self._start_failure(noise)
            try:
                if json.loads(line)["ready"] is True:
                    return
            except (ValueError, TypeError, KeyError):
                # Start-up files of the login shell may print anything before us.
                noise = (noise + line + b"\n")[-_KEPT:]

    def request(self, do: str, *, deadline: float, **fields: object) -> dict[str, Any]:
        """Ask for ``do`` and return the answer, waiting ``deadline`` seconds.

        Raises ``CouldNotLook`` with the agent's own code, ``probe-timeout``, or
        ``ssh-unreachable`` when the connection broke.
        """
        until = time.monotonic() + deadline
        self._asked += 1
        asked = {"id": self._asked, "do": do, **fields}
        if not self._send(json.dumps(asked, separators=(",", ":")).encode() + b"\n", until):
            raise self._lost()
        while True:
            line = self._line(do, until)
            if line is None:
                raise self._lost()
            answer: dict[str, Any] = json.loads(line)
            if answer.get("id") == self._asked:
                break
        if "error" in answer:
            error = answer["error"]
            raise self.failure(error["code"], error["detail"], **error["facts"])
        return answer

    def close(self) -> None:
        """Hang up: the agent sees the end of its input and takes its pod away."""
        self._hang_up()

    def failure(self, code: str, detail: str, **facts: str) -> CouldNotLook:
        """An error about this worker."""
        error = LookError(
            code=code,
            subject=self.subject,
            detail=detail,
            worker=self.worker,
            facts={**self.facts, **facts},
        )
        return CouldNotLook(error)

    def _send(self, data: bytes, until: float) -> bool:
        """Whether the other side still takes it; what it said before it stopped can still be read."""
        self._channel.settimeout(max(0.1, until - time.monotonic()))
        try:
            self._channel.sendall(data)
        except TimeoutError:
            raise self.failure("probe-timeout", "nothing was read on the worker", what="send") from None
        except OSError:
            return False
        return True

    def _line(self, what: str, until: float) -> bytes | None:
        """The next line, or ``None`` when the program's output ended."""
        began = time.monotonic()
        while b"\n" not in self._heard:
            left = until - time.monotonic()
            if left <= 0:
                waited = f"{until - began:.0f}"
                raise self.failure("probe-timeout", f"no answer in {waited} s", what=what, waited=waited)
            self._raise_if_stopped()
            self._channel.settimeout(min(left, _SLICE))
            try:
                data = self._channel.recv(1 << 16)
            except TimeoutError:
                data = None
            except OSError:
                data = b""
            self._drain()
            if data == b"":
                return None
            self._heard += data or b""
        line, self._heard = self._heard.split(b"\n", 1)
        return line

    def _drain(self) -> None:
        while self._channel.recv_stderr_ready():
            data = self._channel.recv_stderr(1 << 16)
            if not data:
                return
            self._complaints = (self._complaints + data)[-_KEPT:]

    def _raise_if_stopped(self) -> None:
        if self._stop.is_set():
            raise self.failure("ssh-unreachable", "interrupted", variant="interrupted")

    def _exit_status(self, patience: float = 2.0) -> int | None:
        until = time.monotonic() + patience
        while not self._channel.exit_status_ready():
            if time.monotonic() >= until:
                return None
            self._stop.wait(0.02)
        self._drain()
        return self._channel.recv_exit_status()

    def _lost(self) -> CouldNotLook:
        status = self._exit_status()
        said = _one_line(self._complaints)
        if status in (None, -1):
            return self.failure("ssh-unreachable", said or "the connection broke", variant="lost")
        return self.failure(
            "ssh-unreachable", f"the program on the worker ended ({status}): {said}", variant="lost"
        )

    def _start_failure(self, noise: bytes) -> CouldNotLook:
        status = self._exit_status()
        said = _one_line(self._complaints) or _one_line(noise)
        if status == _NO_PYTHON or (status == 1 and "python3: command not found" in said):
            return self.failure("python-missing", said or "python3: not found")
        if _OLD_PYTHON in said:
            version = said.split(_OLD_PYTHON, 1)[1].split()[0]
            return self.failure(
                "python-missing",
                f"python3 is {version}; 3.7 or later is needed",
                variant="old",
                version=version,
            )
        if status == _NO_SUDO:
            return self.failure("sudo-denied", "sudo: not found", variant="no-sudo")
        if status == 1 and ("sudo:" in said or "sudoers" in said):
            return self.failure("sudo-denied", said)
        if status in (None, -1):
            return self.failure("ssh-unreachable", said or "the connection broke", variant="lost")
        # Ubuntu's root login, a nologin shell, a forced command: let in, but to run nothing.
        return self.failure(
            "ssh-auth-failed", said or f"the login shell ended with {status}", variant="no-commands"
        )


def _program() -> bytes:
    """The agent's modules as one program."""
    package = resources.files(agent)
    modules = [
        (f"{agent.__name__}.{name}", package.joinpath(f"{name}.py").read_text(encoding="utf-8"))
        for name in agent.SOURCES
    ]
    return (
        "import json, sys, types\n"
        f"for name, source in json.loads({json.dumps(modules)!r}):\n"
        "    module = sys.modules[name] = types.ModuleType(name)\n"
        "    exec(compile(source, name, 'exec'), module.__dict__)\n"
        "module.main()\n"
    ).encode()


def _one_line(said: bytes) -> str:
    return " ".join(said.decode(errors="replace").split())[-300:]
