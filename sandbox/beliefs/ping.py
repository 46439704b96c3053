"""Runs on a machine, as root, from ``ssh``'s standard input: pings to the address that is its argument.

Prints ``ttl=62`` of the first answer; ``refused`` where somebody on the way says so; else ``lost``. Every
image has a Python, and not every one a ``ping``; standard library only.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import time


def checksum(data: bytes) -> int:
    """RFC 1071's."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ping(address: str) -> str:
    """Three of them, and what has come a second after the first."""
    link = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    mine = struct.pack("!H", os.getpid() & 0xFFFF)
    began = time.monotonic()
    for number in (1, 2, 3):
        body = mine + struct.pack("!H", number) + b"kthw-beliefs"
        sent = struct.pack("!BBH", 8, 0, checksum(bytes([8, 0, 0, 0]) + body)) + body
        link.sendto(sent, (address, 0))
        if said := heard(link, mine, began + (0.3 * number if number < 3 else 1.2)):
            return said
    return "lost"


def heard(link: socket.socket, mine: bytes, end: float) -> str:
    """What came of pings with the identifier ``mine`` until ``end``; empty where nothing did."""
    while (left := end - time.monotonic()) > 0:
        link.settimeout(left)
        try:
            packet = link.recv(2048)
        except TimeoutError:
            break
        answer = packet[(packet[0] & 15) * 4 :]
        if answer[0] == 0 and answer[4:6] == mine:
            return f"ttl={packet[8]}"
        if answer[0] in (3, 11) and answer[8 + 20 + 4 :][:2] == mine:
            return "refused"
    return ""


if __name__ == "__main__":
    try:
        print(ping(sys.argv[1]))  # noqa: T201 -- its purpose
    except OSError as problem:
        print(f"failed: {problem}")  # noqa: T201 -- its purpose
