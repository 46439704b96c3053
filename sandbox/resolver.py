"""A VPC's DNS server, at its first range's address plus two and at 169.254.169.253, over UDP and TCP.

Served per VPC, in its namespace. What is public and not in this sandbox's internet it has no answer for, and
says so (``SERVFAIL``, which programs tell as a *temporary failure*): that such a name did not exist, it could
not know. Of records it has ``A`` and ``PTR``.
"""

from __future__ import annotations

import contextlib
import ipaddress
import select
import socket
import struct
import threading
from dataclasses import dataclass
from functools import partial
from typing import Final

from sandbox import names, namespaces
from sandbox.names import Known
from sandbox.state import State

ADDRESS: Final = "169.254.169.253"
"""In every VPC, beside that of its own range."""
PORT: Final = 53
_TTL: Final = 60
"""Seconds, as AWS's answers have it."""
_TCP_SECONDS: Final = 5.0
_MOST: Final = 4096
_A, _PTR, _ANY, _IN = 1, 12, 255, 1
_RESPONSE: Final = 0x8080
"""The bits that say: an answer, from one who looks further for whoever asks."""
_KEPT: Final = 0x7900
"""Those of the question that stand in the answer: what kind of question, and whether to look further."""
_SERVER_FAILURE, _NO_SUCH_NAME, _NOT_IMPLEMENTED = 2, 3, 4


Records = list[tuple[int, bytes]]
"""(Type, data) of each."""


@dataclass(frozen=True)
class Question:
    """``text``: as it was asked, to be repeated in the answer."""

    name: str
    kind: int
    text: bytes


def answer(query: bytes, state: State, vpc: str) -> bytes:
    """What to send back, nothing where there is nothing to say: no question, or a resolver switched off."""
    its = state.vpcs.get(vpc)
    question = _question(query)
    if its is None or not its.resolves or question is None:
        return b""
    number, flags = struct.unpack_from("!HH", query)
    if flags >> 11 & 0xF:
        return _packed(number, flags, question, [], _NOT_IMPLEMENTED)
    known = names.look_up(question.name, its, state)
    code = {True: 0, False: _NO_SUCH_NAME, None: _SERVER_FAILURE}[known.exists]
    return _packed(number, flags, question, _records(known, question.kind), code)


def _question(query: bytes) -> Question | None:
    """The first question, where it is one that can be read."""
    if len(query) < 12 or query[2] & 0x80 or struct.unpack_from("!H", query, 4)[0] < 1:
        return None
    labels, at = [], 12
    while at < len(query) and query[at]:
        size = query[at]
        if size > 63 or at + 1 + size >= len(query):
            return None
        labels.append(query[at + 1 : at + 1 + size].decode("ascii", "replace").lower())
        at += 1 + size
    if at + 5 > len(query):
        return None
    kind, _class = struct.unpack_from("!HH", query, at + 1)
    return Question(".".join(labels), kind, query[12 : at + 5])


def _records(known: Known, kind: int) -> Records:
    """None where what is known is of another type than what was asked."""
    if known.address and kind in (_A, _ANY):
        return [(_A, ipaddress.IPv4Address(known.address).packed)]
    if known.name and kind in (_PTR, _ANY):
        labels = [label.encode() for label in known.name.split(".")]
        return [(_PTR, b"".join(bytes([len(label)]) + label for label in labels) + b"\0")]
    return []


def _packed(number: int, flags: int, question: Question, records: Records, code: int) -> bytes:
    head = struct.pack("!HHHHHH", number, _RESPONSE | flags & _KEPT | code, 1, len(records), 0, 0)
    listed = [
        # 0xC00C: the name in the question.
        struct.pack("!HHHIH", 0xC00C, kind, _IN, _TTL, len(data)) + data
        for kind, data in records
    ]
    return head + question.text + b"".join(listed)


class Resolver:
    """The servers of all VPCs. ``know`` replaces what they answer from."""

    def __init__(self) -> None:
        self._state = State()
        self._leaving: dict[str, socket.socket] = {}
        """What ends a VPC's server when it is closed."""

    def know(self, state: State) -> None:
        """Answer from ``state`` from now on."""
        self._state = state

    def serve(self, vpc: str, addresses: tuple[str, ...]) -> None:
        """Serve inside the namespace ``vpc``, which has these addresses already."""
        listening = namespaces.inside(vpc, partial(_listening, addresses))
        self._leaving[vpc], ending = socket.socketpair()
        threading.Thread(target=self._serve, args=(vpc, listening, ending), daemon=True).start()

    def leave(self, vpc: str) -> None:
        """Stop serving inside the namespace ``vpc``, which lives as long as a socket of it is open."""
        leaving = self._leaving.pop(vpc, None)
        if leaving is not None:
            leaving.close()

    def _serve(self, vpc: str, listening: list[socket.socket], ending: socket.socket) -> None:
        with contextlib.ExitStack() as closing:
            for each in (*listening, ending):
                closing.enter_context(each)
            while True:
                ready, _, _ = select.select([*listening, ending], [], [])
                if ending in ready:
                    return
                for each in ready:
                    with contextlib.suppress(OSError):  # whoever asked has gone
                        self._take(vpc, each)

    def _take(self, vpc: str, listening: socket.socket) -> None:
        if listening.type == socket.SOCK_STREAM:
            connection, _ = listening.accept()
            threading.Thread(target=self._converse, args=(vpc, connection), daemon=True).start()
            return
        query, asking = listening.recvfrom(_MOST)
        said = answer(query, self._state, vpc)
        if said:
            listening.sendto(said, asking)

    def _converse(self, vpc: str, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError), connection.makefile("rb") as reading:
            connection.settimeout(_TCP_SECONDS)
            while len(size := reading.read(2)) == 2:
                said = answer(reading.read(struct.unpack("!H", size)[0]), self._state, vpc)
                if not said:
                    return
                connection.sendall(struct.pack("!H", len(said)) + said)


def _listening(addresses: tuple[str, ...]) -> list[socket.socket]:
    opened: list[socket.socket] = []
    try:
        for address in addresses:
            datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            opened.append(datagrams)
            datagrams.bind((address, PORT))
            opened.append(socket.create_server((address, PORT)))
    except BaseException:
        for each in opened:
            each.close()
        raise
    return opened
