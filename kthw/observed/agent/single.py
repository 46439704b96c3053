"""Single packets from a pod to another's, pings and from a port to a port: which of them are answered."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import Any

from kthw.observed.agent.answering import token
from kthw.observed.agent.datagrams import ECHO, ECHO_REPLY, ECHO_REQUEST, SMALL, folded, words_of
from kthw.observed.agent.pod import Pod
from kthw.observed.agent.turns import READ, Turns

KINDS = {
    "icmp": (socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "tcp": (socket.SOCK_STREAM, 0),
    "udp": (socket.SOCK_DGRAM, 0),
}
MOST = 2048
"""Bytes of an answer that are looked at."""
PAUSE = 0.5
"""Seconds after which a datagram is sent again; a connection's first packet the kernel itself repeats."""


class Single:
    """One of them, its socket bound to the port it is asked from. Made inside the pod. Raises ``OSError``."""

    def __init__(self, run: str, packet: list[Any], turns: Turns) -> None:
        self.number, protocol, worker, address, port, asker, _ = packet
        self.datagram = protocol != "tcp"
        self.ping = protocol == "icmp"
        if self.ping:
            self.question = echo(os.urandom(16))
            self.expected = self.question[4:]
        else:
            self.question = f"kthw {run} 1\n".encode().ljust(SMALL + len(worker.encode()), b"\0")
            said = f"kthw {run} 1 {worker}\n".encode()
            self.expected = said if self.datagram else token(run, worker)
        self.answered = False
        self.turns = turns
        self.socket = socket.socket(socket.AF_INET, *KINDS[protocol])
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
            said = self.socket.recv(MOST)
        except OSError:
            said = b""
        if self.ping and said:  # as a raw socket has it: with its IP header, and whatever else is answered
            said = said[(said[0] & 0xF) * 4 :]
            said = said[4:] if said.startswith(bytes([ECHO_REPLY, 0])) else b""
        self.answered = self.answered or said.startswith(self.expected)
        if not said and not self.datagram:
            self.turns.unregister(self.socket)  # refused, or over: it would be its turn for ever


def echo(body: bytes) -> bytes:
    """An echo request with that, by which its answer is known; two bytes of it are in the header, too."""
    identity = int.from_bytes(body[:2], "big")
    total = folded(words_of(body) + (ECHO_REQUEST << 8) + identity + 1)
    return ECHO.pack(ECHO_REQUEST, 0, total, identity, 1) + body


def listen(pods: dict[str, Pod], ports: list[Any]) -> None:
    """Answer at these as well, those of ``pods`` that there are."""
    for protocol, port, address in ports:
        pod = pods.get(address)
        if pod and pod.answering:
            with pod.inside():
                pod.answering.also(protocol, port)


def answered(pods: dict[str, Pod], request: dict[str, Any], turns: Turns) -> dict[str, list[int]]:
    """The numbers of those that were ``answered`` by the pod that was asked, and of those ``unsent``."""
    singles: list[Single] = []
    unsent = []
    for packet in request["packets"]:
        pod = pods.get(packet[-1])
        if not pod:
            unsent.append(packet[0])
            continue
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
