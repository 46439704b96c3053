"""The conversation with the agent on one worker: one channel, one command, for the whole run.

Deadlines are ours: the SSH library's do not bound everything they seem to. Whatever the worker
writes to its standard error is read as it comes, because unread output stops both streams. A worker is
not trusted: what it says is bounded in size and time as it is read, and decoded by ``answers``.
"""

from __future__ import annotations

import contextlib
import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol, TypeVar

from kthw.errors import CouldNotLook, LookError
from kthw.observed import answers
from kthw.observed.ssh import program
from kthw.observed.ssh.program import COMMAND as COMMAND

START_DEADLINE: Final = 20.0
"""Seconds from the command to the agent's first word: a shell, sudo, and a Python that starts."""
_SLICE: Final = 0.2
"""Seconds between two looks at the other stream, the deadline and the stop signal."""
_EXIT_SECONDS: Final = 2.0
"""How long we wait for the code with which a program that ended has ended."""
_KEPT: Final = 4000
"""Bytes of its standard error, and of what it said before the agent's first word, that we keep."""
MOST_NOISE: Final = 1 << 18
"""Bytes that start-up files of the login shell may print before the agent's first word."""
MOST_BYTES: Final = 4 << 20
"""Of one answer, where nobody allows for more."""
_CHUNK: Final = 1 << 16
_MOST_COMPLAINTS: Final = 64
"""Chunks of its standard error that are read between two looks at the answer and the clock."""

T = TypeVar("T")


class Channel(Protocol):
    """What this module needs of a command's streams; one that is broken raises ``OSError``."""

    def settimeout(self, timeout: float | None, /) -> None: ...
    def send(self, data: bytes, /) -> int: ...
    def recv(self, size: int, /) -> bytes: ...
    def recv_stderr_ready(self) -> bool: ...
    def recv_stderr(self, size: int, /) -> bytes: ...
    def exit_status_ready(self) -> bool: ...
    def recv_exit_status(self) -> int: ...


class Session:
    """Requests to one worker's agent and its answers, in turn.

    ``facts`` are those of every error about this worker (``worker``, ``login`` …); ``host`` was
    dialled, and ``user`` is who was let in.
    ``stop``, once set, ends whatever waits here within a fraction of a second. ``writes``: the agent can be
    asked to change something, which nobody does but provisioning.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        worker: str,
        subject: str,
        facts: dict[str, str],
        host: str = "",
        user: str = "",
        stop: threading.Event,
        hang_up: Callable[[], None],
        writes: bool = False,
    ) -> None:
        self.worker = worker
        self.subject = subject
        self.facts = facts
        self._host = host
        self._user = user
        self._channel = channel
        self._stop = stop
        self._writes = writes
        self._hang_up = hang_up
        self._heard = bytearray()
        self._complaints = b""
        self._asked = 0
        self._late: set[int] = set()
        self._most = MOST_BYTES
        self._budget = self._left = math.inf
        self._short = False
        self.usable = True
        """Whether it may be asked again: it is neither lost nor told us what cannot be."""

    def allow(self, *, seconds: float, size: int) -> None:
        """One budget of time for all further questions together, and the most bytes of one answer."""
        self._budget = self._left = seconds
        self._most = size

    def start(self, deadline: float = START_DEADLINE) -> None:
        """Send the program and wait for its first word.

        Raises ``CouldNotLook``: ``sudo-denied``, ``python-missing``, ``ssh-auth-failed`` (the login
        runs no commands), ``probe-timeout``, ``answer-unreadable`` (it says too much before it), or
        ``ssh-unreachable`` (the connection broke).
        """
        until = time.monotonic() + deadline
        text = program.program(writes=self._writes)
        self._send(b"%d\n%s" % (len(text), text), until, "start")
        noise, said = b"", 0
        while True:
            line = self._line("start", until, MOST_NOISE)
            if line is None:
                raise self._start_failure(noise)
            if answers.is_ready(line):
                return
            # Start-up files of the login shell may print anything before us.
            noise = (noise + line + b"\n")[-_KEPT:]
            said += len(line) + 1
            if said > MOST_NOISE:
                raise self._too_much(MOST_NOISE)

    def ask(self, do: str, kind: type[T], *, deadline: float, **fields: object) -> T:
        """Ask for ``do`` and return the answer, waiting ``deadline`` seconds, or what is left of the budget.

        Raises ``CouldNotLook`` with the agent's own code, ``probe-timeout``, ``answer-unreadable``, or
        ``ssh-unreachable`` when the connection broke. After a ``probe-timeout`` the answer may still come.
        """
        began = time.monotonic()
        self._short = self._left < deadline
        until = began + min(deadline, self._left)
        try:
            answer = self._answer(do, kind, until, fields)
        finally:
            self._left -= time.monotonic() - began
        if isinstance(answer, answers.Problem):
            raise self.failure(answer.code, answer.detail, answer.variant, **answer.circumstances)
        return answer

    def request(self, do: str, *, deadline: float, **fields: object) -> dict[str, Any]:
        """The same, and the answer as it came: only that it is JSON is known of it."""
        return self.ask(do, dict[str, Any], deadline=deadline, **fields)

    def _answer(self, do: str, kind: type[T], until: float, fields: dict[str, object]) -> answers.Problem | T:
        self._asked += 1
        question = {"id": self._asked, "do": do, **fields}
        if not self._send(json.dumps(question, separators=(",", ":")).encode() + b"\n", until, do):
            raise self._lost()
        while True:
            try:
                line = self._line(do, until, self._most)
            except CouldNotLook:
                self._late.add(self._asked)
                raise
            if line is None:
                raise self._lost()
            try:
                return answers.decoded(line, kind, {self._asked})[1]
            except answers.UnfitError as problem:
                if not self._is_late(line):
                    raise self.unfit(do, problem) from problem

    def _is_late(self, line: bytes) -> bool:
        """Whether it answers a question that we no longer wait for; each is answered once."""
        try:
            number, _ = answers.decoded(line, dict[str, Any], self._late)
        except answers.UnfitError:
            return False
        known = number in self._late
        self._late.discard(number)
        return known

    def close(self) -> None:
        """Hang up: the agent sees the end of its input and takes its pod away."""
        self._hang_up()

    def failure(self, code: str, detail: str, variant: str = "", **facts: str) -> CouldNotLook:
        """An error about this worker."""
        error = LookError(
            code=code,
            subject=self.subject,
            detail=detail,
            worker=self.worker,
            resource=self._host,
            user=self._user,
            variant=variant,
            facts={**self.facts, **facts},
        )
        return CouldNotLook(error)

    def unfit(self, do: str, problem: Exception) -> CouldNotLook:
        """The error of an answer that is not what it should be; nothing more is asked of that worker."""
        self.usable = False
        return self.failure("answer-unreadable", f"{do}: {problem}", what=do)

    @contextlib.contextmanager
    def fitting(self, do: str) -> Iterator[None]:
        """What turns out in here to be no fitting answer to ``do`` is an error about this worker."""
        try:
            yield
        except answers.UnfitError as problem:
            raise self.unfit(do, problem) from problem

    def _too_much(self, most: int) -> CouldNotLook:
        self.usable = False
        return self.failure("answer-unreadable", f"more than {most} bytes without an answer", what="size")

    def _send(self, data: bytes, until: float, what: str) -> bool:
        """Whether the other side still takes it; what it said before it stopped can still be read."""
        view = memoryview(data)
        while view:
            left = until - time.monotonic()
            if left <= 0:
                self.usable = False  # half a question was sent
                raise self._in_vain(what, "nothing was read on the worker")
            self._raise_if_stopped()
            self._channel.settimeout(min(left, _SLICE))
            try:
                view = view[self._channel.send(bytes(view[:_CHUNK])) :]
            except TimeoutError:
                continue
            except OSError:
                return False
        return True

    def _line(self, what: str, until: float, most: int) -> bytes | None:
        """The next line, or ``None`` when the program's output ended."""
        began = time.monotonic()
        searched = 0
        while (end := self._heard.find(b"\n", searched)) < 0:
            searched = len(self._heard)
            if searched > most:
                raise self._too_much(most)
            left = until - time.monotonic()
            if left <= 0:
                raise self._in_vain(what, f"no answer in {until - began:.0f} s")
            self._raise_if_stopped()
            self._channel.settimeout(min(left, _SLICE))
            try:
                data = self._channel.recv(_CHUNK)
            except TimeoutError:
                data = None
            except OSError:
                data = b""
            self._drain()
            if data == b"":
                return None
            self._heard += data or b""
        line = bytes(self._heard[:end])
        del self._heard[: end + 1]
        return line

    def _in_vain(self, what: str, detail: str) -> CouldNotLook:
        """A deadline has passed: the question's own, or that of all questions together."""
        if self._short:
            budget = f"{self._budget:.0f}"
            return self.failure("probe-timeout", f"{what}: {detail}", "spent", what=what, budget=budget)
        return self.failure("probe-timeout", f"{what}: {detail}", what=what)

    def _drain(self) -> None:
        for _ in range(_MOST_COMPLAINTS):
            if not self._channel.recv_stderr_ready():
                return
            try:
                data = self._channel.recv_stderr(_CHUNK)
            except OSError:
                return
            if not data:
                return
            self._complaints = (self._complaints + data)[-_KEPT:]

    def _raise_if_stopped(self) -> None:
        if self._stop.is_set():
            raise self.failure("ssh-unreachable", "interrupted", variant="interrupted")

    def _exit_status(self) -> int | None:
        until = time.monotonic() + _EXIT_SECONDS
        while not self._channel.exit_status_ready():
            if time.monotonic() >= until:
                return None
            self._stop.wait(0.02)
        self._drain()
        return self._channel.recv_exit_status()

    def _lost(self) -> CouldNotLook:
        self.usable = False
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
        if status == program.NO_PYTHON or (status == 1 and "python3: command not found" in said):
            return self.failure("python-missing", said or "python3: not found")
        if program.OLD_PYTHON in said:
            version = said.split(program.OLD_PYTHON, 1)[1].split()[0]
            return self.failure(
                "python-missing",
                f"python3 is {version}; {program.OLDEST} or later is needed",
                variant="old",
                version=version,
                oldest=program.OLDEST,
            )
        if status == program.NO_SUDO:
            return self.failure("sudo-denied", "sudo: not found", variant="no-sudo")
        if status == 1 and ("sudo:" in said or "sudoers" in said):
            return self.failure("sudo-denied", said)
        if status in (None, -1):
            return self.failure("ssh-unreachable", said or "the connection broke", variant="lost")
        # Ubuntu's root login, a nologin shell, a forced command: let in, but to run nothing.
        return self.failure(
            "ssh-auth-failed", said or f"the login shell ended with {status}", variant="no-commands"
        )


def _one_line(said: bytes) -> str:
    return " ".join(said.decode(errors="replace").split())[-300:]
