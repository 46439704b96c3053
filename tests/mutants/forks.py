"""Trying something in a child process that nothing comes back from but a word."""

from __future__ import annotations

import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Final, NamedTuple

_MEMORY: Final = 8 << 30
"""Bytes of address space: a change that makes a loop endless may fill the machine before its time is over."""
_BROKEN: Final = 70


class Ended(NamedTuple):
    """``said`` by the child; ``timed_out``: it had used the processor for too long."""

    said: str
    timed_out: bool = False


def in_a_child(work: Callable[[Callable[[str], None]], None]) -> Ended:
    """``work(say)``, in a fork of this process: ``say(word)`` ends the child at once, so does its return.

    Raises ``RuntimeError`` with the child's traceback where ``work`` itself fails: that is a fault of ours.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(work, writing)
    os.close(writing)
    with open(reading, encoding="utf-8") as told:  # noqa: PTH123 -- a descriptor, not a path
        said = told.read()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGPROF:
        return Ended("", timed_out=True)
    if code != 0:
        raise RuntimeError(f"a child ended with {code}: {said}")
    return Ended(said)


def allow(seconds: float) -> None:
    """From now on the process may use the processor so long; then the kernel ends it.

    Not seconds on the wall: others may be using this machine.
    """
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _work(work: Callable[[Callable[[str], None]], None], writing: int) -> None:
    """Never returns. The exit is the kernel's own: no handler of the parent's runs a second time."""
    silent = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silent, descriptor)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def say(word: str) -> None:
        _write(writing, word)
        os._exit(0)

    try:
        work(say)
    except KeyboardInterrupt:
        os._exit(130)
    except BaseException:  # noqa: BLE001 -- whatever it is, the parent tells it
        signal.setitimer(signal.ITIMER_PROF, 0)
        _write(writing, traceback.format_exc())
        sys.stdout = sys.stderr = None  # nothing more is to be flushed
        os._exit(_BROKEN)
    os._exit(0)


def _write(descriptor: int, text: str) -> None:
    data = text.encode()
    while data:
        data = data[os.write(descriptor, data) :]
