"""Single packets from this pod to another's, from a port to a port: which of them are answered."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any

from kthw.observed.agent.answering import token
from kthw.observed.agent.datagrams import SMALL
from kthw.observed.agent.pod import Pod
from kthw.observed.agent.turns import READ, Turns

PAUSE = 0.5
"""Seconds after which a datagram is sent again; a connection's first packet the kernel itself repeats."""


class Single:
    """One of them, its socket bound to the port it is asked from. Made inside the pod. Raises ``OSError``."""

    def __init__(self, run: str, packet: list[Any], turns: Turns) -> None:
        self.number, protocol, self.worker, address, port, asker = packet
        self.datagram = protocol == "udp"
        self.question = f"kthw {run} 1\n".encode().ljust(SMALL + len(self.worker.encode()), b"\0")
        said = f"kthw {run} 1 {self.worker}\n".encode()
        self.expected = said if self.datagram else token(run, self.worker)
        self.answered = False
        self.turns = turns
        self.socket = socket.socket(
            socket.AF_INET, socket.SOCK_DGRAM if self.datagram else socket.SOCK_STREAM
        )
        try:
            self.socket.setblocking(False)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind(("", asker))
            self.socket.connect_ex((address, port))
            turns.register(self.socket, READ, self._heard)
        except OSError:
            self.socket.close()
            raise

    def ask(self) -> None:
        if self.datagram and not self.answered:
            with contextlib.suppress(OSError):
                self.socket.send(self.question)

    def close(self) -> None:
        self.turns.unregister(self.socket)
        self.socket.close()

    def _heard(self) -> None:
        try:
            said = self.socket.recv(len(self.expected) + 1)
        except OSError:
            said = b""
        self.answered = self.answered or said.startswith(self.expected)
        if not said and not self.datagram:
            self.turns.unregister(self.socket)  # refused, or over: it would be its turn for ever


def answered(pod: Pod, request: dict[str, Any], turns: Turns) -> dict[str, list[int]]:
    """The numbers of those that were ``answered`` by the pod that was asked, and of those ``unsent``."""
    singles: list[Single] = []
    unsent = []
    for packet in request["packets"]:
        try:
            with pod.inside():
                singles.append(Single(pod.run, packet, turns))
        except OSError:  # another socket has that port
            unsent.append(packet[0])
    until = time.monotonic() + request["seconds"]
    again = 0.0
    while time.monotonic() < until and not all(each.answered for each in singles):
        if time.monotonic() >= again:
            again = time.monotonic() + PAUSE
            for each in singles:
                each.ask()
        turns.turn(max(0.0, min(again, until) - time.monotonic()))
    for each in singles:
        each.close()
    return {"answered": [each.number for each in singles if each.answered], "unsent": unsent}
