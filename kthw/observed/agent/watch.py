"""Who sees the packets of a pair that failed: sent again, with a mark, and watched for on every interface.

The kernel hands a copy to a packet socket as a packet enters by an interface, before any firewall, and
as it leaves by one, after all of them.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
from collections.abc import Callable
from typing import Any

from kthw.observed.agent.datagrams import ECHO_REPLY, ECHO_REQUEST, SO_RCVBUFFORCE, folded, words_of
from kthw.observed.agent.pod import Pod
from kthw.observed.agent.turns import READ, Turns

ETH_P_ALL = 3
SO_ATTACH_FILTER = 26
PACKET_LOOPBACK, PACKET_OTHERHOST = 5, 3
FIRST_PORT = 61000
"""Where the source ports of the connections begin: above those the kernel gives out by itself."""
MOST_SEEN = 20_000
"""Sightings that are told."""
MAGIC = b"kthw"

_LOAD_PROTOCOL, _IS, _ACCEPT, _REFUSE = 0x30, 0x15, (0x06, 0, 0, 0xFFFF), (0x06, 0, 0, 0)
FILTER = ((_LOAD_PROTOCOL, 0, 0, 9), (_IS, 1, 0, 1), (_IS, 0, 1, 6), _ACCEPT, _REFUSE)
"""Classic BPF, from the network header: the IPv4 protocol is ICMP or TCP."""


class Watch:
    """The packets of ``pairs``, wherever on this node they show up, in the node and inside the pod.

    ``pairs``: ``[number, protocol, source, source_node, destination]``, the addresses as text.
    """

    def __init__(self, pod: Pod, request: dict[str, Any], turns: Turns) -> None:
        self.mark = MAGIC + bytes.fromhex(request["mark"])
        self.port: int = request["port"]
        self.turns = turns
        self.pod = pod
        self.seen: set[tuple[int, str, str, bool]] = set()
        self.connections: list[socket.socket] = []
        self.requests: dict[tuple[str, str], int] = {}
        self.replies: dict[tuple[str, str], int] = {}
        self.numbers = {number for number, *_ in request["pairs"]}
        for number, protocol, source, node, destination in request["pairs"]:
            if protocol == "tcp":
                for address in (source, node):
                    self.requests[address, destination] = number
                    self.replies[destination, address] = number
        self.node_side = _tap(turns, lambda: self._drain(self.node_side, False))
        with pod.inside():
            self.pod_side = _tap(turns, lambda: self._drain(self.pod_side, True))

    def send(self, pairs: list[list[Any]]) -> None:
        """From inside the pod, once: an echo request, or the beginning of a connection."""
        with self.pod.inside(), socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as icmp:
            icmp.setblocking(False)
            for number, protocol, destination in pairs:
                # A refusal by this node's own kernel is a result too: nobody will have seen the packet.
                with contextlib.suppress(OSError):
                    if protocol == "icmp":
                        icmp.sendto(_echo(self.mark, number), (destination, 0))
                    else:
                        self._connect(number, destination)

    def close(self) -> list[list[Any]]:
        """Stop watching: ``[number, "request" or "reply", interface, in the pod]`` of all that was seen."""
        for tap, inside in ((self.node_side, False), (self.pod_side, True)):
            self._drain(tap, inside)
            self.turns.unregister(tap)
            tap.close()
        for connection in self.connections:
            connection.close()
        return [list(each) for each in sorted(self.seen)][:MOST_SEEN]

    def _connect(self, number: int, destination: str) -> None:
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.connections.append(connection)
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.bind(("", FIRST_PORT + number % 4000))
        connection.connect_ex((destination, self.port))

    def _drain(self, tap: socket.socket, inside: bool) -> None:
        while True:
            try:
                packet, (interface, _, kind, _, _) = tap.recvfrom(512)
            except OSError:
                return
            if kind not in (PACKET_LOOPBACK, PACKET_OTHERHOST):
                whose = self._whose(packet)
                if whose:
                    self.seen.add((*whose, interface, inside))

    def _whose(self, packet: bytes) -> tuple[int, str] | None:
        """Which pair's packet it is, and which way it goes; ``None`` for all that is not ours."""
        if len(packet) < 20 or packet[0] >> 4 != 4:
            return None
        body = packet[(packet[0] & 0xF) * 4 :]
        if packet[9] == socket.IPPROTO_ICMP:
            marked = body[8 : 8 + len(self.mark)] == self.mark and len(body) >= 10 + len(self.mark)
            if not marked or body[0] not in (ECHO_REQUEST, ECHO_REPLY):
                return None
            number = struct.unpack_from("!H", body, 8 + len(self.mark))[0]
            if number not in self.numbers:  # the others know the mark, and need not be honest
                return None
            return number, "request" if body[0] == ECHO_REQUEST else "reply"
        if len(body) < 4:
            return None
        ends = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
        source, destination = struct.unpack_from("!HH", body)
        if destination == self.port and ends in self.requests:
            return self.requests[ends], "request"
        if source == self.port and ends in self.replies:
            return self.replies[ends], "reply"
        return None


def _tap(turns: Turns, on_packet: Callable[[], None]) -> socket.socket:
    """A socket that is given a copy of every ICMP and TCP packet of the namespace we are in."""
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    code = b"".join(struct.pack("=HBBI", *each) for each in FILTER)
    program = ctypes.create_string_buffer(code, len(code))
    tap.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(FILTER), ctypes.addressof(program))
    )
    with contextlib.suppress(OSError):
        tap.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
    tap.setblocking(False)
    turns.register(tap, READ, on_packet)
    return tap


def _echo(mark: bytes, number: int) -> bytes:
    """An echo request whose data is ``mark`` and the pair's number."""
    data = mark + struct.pack("!H", number)
    head = struct.pack("!BBHHH", ECHO_REQUEST, 0, 0, 0x6B74, number & 0xFFFF)
    return head[:2] + struct.pack("!H", folded(words_of(head + data))) + head[4:] + data
