"""Whose turn it is: what is to be done as soon as there is something to read, or as one may write.

As ``selectors`` does it, at a third of its cost: a mesh of many pods is little else.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

READ, WRITE = select.EPOLLIN, select.EPOLLOUT
BOTH = READ | WRITE | select.EPOLLET
"""As either comes to be so, once each time."""


class Turns:
    """By file descriptor, what to call; an error or the other end's hanging up is something to read, too."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.acts: dict[int, Callable[[], None]] = {}

    def register(self, what: socket.socket | int, event: int, act: Callable[[], None]) -> None:
        number = what if isinstance(what, int) else what.fileno()
        self.epoll.register(number, event)
        self.acts[number] = act

    def unregister(self, what: socket.socket) -> None:
        """Just before it is closed, by which the kernel forgets it; what is not there is let be."""
        self.acts.pop(what.fileno(), None)

    def turn(self, seconds: float) -> None:
        """Wait for so long at most, and let each do it whose turn it is."""
        for number, _ in self.epoll.poll(seconds):
            act = self.acts.get(number)
            if act:
                act()
