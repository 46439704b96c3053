"""A command that a person runs through us: its signals and its exit code stay its own."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator
from typing import IO, Any


@contextlib.contextmanager
def handling(handler: Callable[[int, Any], None], *numbers: signal.Signals) -> Iterator[None]:
    """These signals go to ``handler`` for the length of a ``with``."""
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def until_it_ends(command: list[str], environment: dict[str, str], output: IO[bytes] | None = None) -> int:
    """Run ``command``; its exit code, 128 + the signal's number when one ended it, as a shell says it.

    We outlive whatever it does about a signal. Ctrl-C reaches it from the terminal, as it reaches us; SIGTERM
    and SIGHUP, which may have been sent to us alone, are passed on. Nothing is raised meanwhile: an exception
    between the kernel's answer and its being noted would lose the exit code.

    ``output``: where what it writes goes; else it is seen. Raises ``OSError`` when it cannot be started.
    """
    started: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def pass_on(number: int, _frame: Any) -> None:
        # Ctrl-C is the terminal's to tell it: told again by us, it might end what has just ended by itself.
        if number == signal.SIGINT:
            return
        if started:
            started[0].send_signal(number)
        else:
            early.append(number)

    with handling(pass_on, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        started.append(subprocess.Popen(command, env=environment, stdout=output, stderr=output))
        for number in early:
            started[0].send_signal(number)
        code = started[0].wait()
    return code if code >= 0 else 128 - code
