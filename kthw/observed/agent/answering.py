"""What a probe pod answers those who ask: which pod it is, over TCP and over UDP."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

from kthw.observed.agent.datagrams import MOST_AT_ONCE, SO_RCVBUFFORCE
from kthw.observed.agent.turns import READ, Turns

DNS_PORT = 53
"""The port of UDP: what is asked there is what pods need UDP for, and what firewalls have rules about."""
MOST_BULK = 65535
"""Bytes that are sent back over one connection."""
MOST_CONNECTIONS = 4096
"""Those that are open at a time; the oldest makes room."""
PATTERN = bytes(range(256)) * 256
AT_ONCE = socket.MSG_DONTWAIT


class Answering:
    """A TCP and a UDP socket of the pod's. Made inside the pod; answers when it is its turn.

    Over TCP, ``kthw RUN WORKER`` to whoever connects, and then what is said back, if that begins with
    ``kthw RUN LENGTH`` and is as long as it says. To who said that as he connected, both at once, and no more
    than he said: one packet as full as his. Over UDP, ``kthw RUN NUMBER WORKER`` to who says
    ``kthw RUN NUMBER``.
    Who does not know the run hears no more than that first line, and nobody more than he said himself.
    """

    def __init__(self, port: int, run: str, worker: str, turns: Turns) -> None:
        self.turns = turns
        self.token = token(run, worker)
        self.prefix = f"kthw {run} ".encode()
        self.name = b" " + worker.encode() + b"\n"
        self.connections: dict[socket.socket, bytearray] = {}
        self.more: list[socket.socket] = []
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            for each, on_packet in ((self.tcp, self._welcome), (self.udp, self._answer)):
                each.setblocking(False)
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                with contextlib.suppress(OSError):
                    each.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
                each.bind(("", port if each is self.tcp else DNS_PORT))
                turns.register(each, READ, on_packet)
            self.tcp.listen(2048)
            unhurried(self.tcp)  # so are those it accepts
        except OSError:
            self.close()
            raise

    def also(self, protocol: str, port: int) -> None:
        """Answer there as well, in the pod that we are inside of; where something listens, that answers."""
        opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
        try:
            opened.setblocking(False)
            opened.bind(("", port))
            if protocol == "tcp":
                opened.listen(64)
        except OSError:
            opened.close()
            return
        answer = self._welcome if protocol == "tcp" else self._answer
        self.turns.register(opened, READ, lambda: answer(opened))
        self.more.append(opened)

    def close(self) -> None:
        for each in (self.tcp, self.udp, *self.more, *self.connections):
            self.turns.unregister(each)
            each.close()
        self.connections.clear()

    def _welcome(self, tcp: socket.socket | None = None) -> None:
        for _ in range(MOST_AT_ONCE):
            try:
                peer, _ = (tcp or self.tcp).accept()
            except OSError:
                return
            if len(self.connections) >= MOST_CONNECTIONS:
                self._drop(next(iter(self.connections)))
            self.connections[peer] = bytearray()
            self.turns.register(peer, READ, self._listen_to(peer))
            self._greet(peer)

    def _greet(self, peer: socket.socket) -> None:
        """What was said by now came with the handshake's last packet: its answer is as large."""
        said, length = self.connections[peer], 0
        try:
            try:
                said += peer.recv(MOST_BULK, AT_ONCE)
                length = bulk_length(self.prefix, said)
            except BlockingIOError:
                pass
            whole = 0 < length <= len(said)
            peer.send((self.token + said)[:length] if whole else self.token, AT_ONCE)
            if whole:
                said.clear()
            elif length < 0:
                self._drop(peer)
        except OSError:
            self._drop(peer)

    def _listen_to(self, peer: socket.socket) -> Callable[[], None]:
        return lambda: self._heard(peer)

    def _heard(self, peer: socket.socket) -> None:
        """More of what is to come back; when it is all there, it goes at once: segments as full as can be."""
        said = self.connections[peer]
        try:
            more = peer.recv(MOST_BULK, AT_ONCE)
            said += more
            length = bulk_length(self.prefix, said)
            if not more or length < 0:
                self._drop(peer)
            elif length and len(said) >= length:
                peer.send(said[:length], AT_ONCE)
                said.clear()
        except BlockingIOError:
            pass
        except OSError:
            self._drop(peer)

    def _drop(self, peer: socket.socket) -> None:
        del self.connections[peer]
        self.turns.unregister(peer)
        peer.close()

    def _answer(self, udp: socket.socket | None = None) -> None:
        udp = udp or self.udp
        for _ in range(MOST_AT_ONCE):
            try:
                data, sender = udp.recvfrom(MOST_BULK)
            except OSError:
                return
            line = data.split(b"\n", 1)[0]
            # A number and no more: two pods would answer each other's answers for ever.
            if line.startswith(self.prefix) and line[len(self.prefix) :].isdigit():
                with contextlib.suppress(OSError):
                    udp.sendto((line + self.name)[: len(data)], sender)


def unhurried(connection: socket.socket) -> None:
    """Let its acknowledgements wait for what we say next: each of them alone costs as much as data does."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)


def token(run: str, worker: str) -> bytes:
    """What the pod on ``worker`` says to whoever connects, so that we know the right one answered."""
    return f"kthw {run} {worker}\n".encode()


def bulk(run: str, length: int) -> bytes:
    """So many bytes to send over a connection, no two segments of them alike."""
    head = f"kthw {run} {length}\n".encode()
    return (head + PATTERN[:length])[:length]


def bulk_length(prefix: bytes, said: bytearray) -> int:
    """How long what begins so is to be; 0 where that is still to come, -1 where it is none of ours."""
    if not said.startswith(prefix[: len(said)]):
        return -1
    line = bytes(said[len(prefix) : len(prefix) + 8]).split(b"\n")
    if len(line) < 2:
        return 0 if len(line[0]) < 8 else -1
    whole = line[0].isdigit() and 0 < int(line[0]) <= MOST_BULK
    return int(line[0]) if whole else -1
