"""The live picture of a sandbox, for who has ``sandbox up`` in a terminal: who is there, and what changed.

What is drawn is what ``status`` tells, from the same file, which the leader writes after every call that
changed anything. On a terminal all is written anew; elsewhere a line for each change.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TextIO

from sandbox import status

_LOOK_SECONDS: Final = 0.3
_MOST_CHANGES: Final = 12
_ANEW: Final = "\x1b[H\x1b[2J"
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


class Picture:
    """Of the sandbox of ``directory``, below ``head``, which stays: lines."""

    def __init__(
        self, directory: Path, head: Sequence[str], stream: TextIO | None, say: Callable[..., str]
    ) -> None:
        self._directory = directory
        self._head = head
        self._stream = stream
        self._say = say
        self._things: list[str] = []
        self._changes: list[str] = []

    def until_it_ends(self, leader: subprocess.Popen[bytes]) -> None:
        """Show each change until the sandbox's ``leader`` ends."""
        seen: object = None
        while leader.poll() is None:
            now = status.version(self._directory)
            if now != seen and self._stream:
                try:
                    self._show(self._stream, first=seen is None)
                except OSError:  # nobody can be shown anything
                    self._stream = None
                seen = now
            with contextlib.suppress(subprocess.TimeoutExpired):
                leader.wait(_LOOK_SECONDS)

    def _show(self, stream: TextIO, *, first: bool) -> None:
        things = status.things(self._directory, self._say)
        gone = [f"− {each}" for each in _only(self._things, things)]
        changes = [*gone, *(f"+ {each}" for each in _only(things, self._things))]
        self._things = things
        if not first and changes:
            self._changes = changes
        if stream.isatty():
            stream.write(_ANEW + "\n".join([*self._head, *self._picture()]) + "\n")
        elif not first:
            at = time.strftime("%H:%M:%S")
            stream.write("".join(f"{at} {change}\n" for change in changes))
        stream.flush()

    def _picture(self) -> list[str]:
        lines = status.told(self._directory, self._say).splitlines()
        if self._changes:
            at = time.strftime("%H:%M:%S")
            more = len(self._changes) - _MOST_CHANGES
            lines += ["", self._say("sandbox-picture-changed", at=at)]
            lines += [f"  {_BOLD}{change}{_PLAIN}" for change in self._changes[:_MOST_CHANGES]]
            lines += [self._say("sandbox-picture-more", count=more)] if more > 0 else []
        return lines


def _only(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """Those of ``one`` that the other lacks."""
    known = set(other)
    return [each for each in one if each not in known]
