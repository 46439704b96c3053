"""What a command writes to standard output: all of it arrives, or whoever typed is told that it did not."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import IO, Final

from kthw.foreign import printable

_STDOUT: Final = 1
_STDERR: Final = 2


class NotWritten(Exception):  # noqa: N818 -- not an error of ours
    """A full disk, a stream that was closed; ``detail`` is what the system says of it."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


def bear_any_sign(errors: str = "replace") -> None:
    """A terminal, or a locale, without a sign that we write is no reason to stop.

    Neither is a stream that was closed before we began (``>&-``). What is written to such an output, the
    system refuses; and its number is taken, or the next file that is opened would have it.
    """
    if sys.stdout is None:
        sys.stdout = _taken(_STDOUT, os.O_RDONLY)
    if sys.stderr is None:
        sys.stderr = _taken(_STDERR, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def write(text: str) -> None:
    """Write, at once. Raises ``NotWritten``, and ``BrokenPipeError`` where whoever read has enough.

    After either, what comes goes nowhere, and Python's own last flush has nothing to complain of.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as problem:
        give_up(sys.stdout)
        if isinstance(problem, BrokenPipeError):
            raise
        raise NotWritten(problem.strerror or str(problem)) from problem


def give_up(stream: IO[str]) -> None:
    """What is written to it from now on goes nowhere, and what it still holds: no error is left in it."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        stream.flush()


def write_line(line: str, most: int, *, lines: bool = False) -> None:
    """The same of what may be anybody's text: a line, or several, of so many characters at most."""
    write(f"{printable(line, most, lines=lines)}\n")


def _taken(number: int, flags: int) -> io.TextIOWrapper:
    descriptor = os.open(os.devnull, flags)
    if descriptor != number:
        os.dup2(descriptor, number)
        os.close(descriptor)
    # Without a buffer: what is refused is refused at once, and not at Python's own last flush.
    raw = io.FileIO(number, "w", closefd=False)
    return io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
