"""The internet: one namespace with a few hosts that answer, and the laptop people log in from."""

from __future__ import annotations

import array
import contextlib
import errno
import ipaddress
import os
import socket
import threading
from functools import partial
from pathlib import Path
from typing import Final

from kthw.intended import tutorial
from sandbox import namespaces

NAMESPACE: Final = "internet"
LAPTOP: Final = "198.51.100.10"
"""Where SSH to a node comes from: an address of RFC 5737, as a home's would be somebody's."""
DOCUMENTATION: Final = ("203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24")
"""RFC 5737: no machine on the internet has such an address, so that a mistake dials nobody."""
BENCHMARKING: Final = "198.18.0.0/15"
"""RFC 2544: nor has any such a one. For an account that holds all of the others at once."""
PUBLIC: Final = (*DOCUMENTATION, BENCHMARKING)
_HOSTS: Final = {tutorial.INTERNET_HOST: (tutorial.INTERNET_PORT, 80, 53), "8.8.8.8": (443, 53)}
NAMES: Final = {"one.one.one.one": tutorial.INTERNET_HOST, "dns.google": "8.8.8.8"}
"""What the hosts of this internet are called."""
_LINKS: Final = ipaddress.IPv4Network("100.64.0.0/16")
_DIAL_SECONDS: Final = 10.0
_NOBODY: Final = (errno.EINVAL, errno.ENETUNREACH)
"""What the kernel says of a destination that the blackhole swallows."""


def create() -> None:
    """Make the namespace, its addresses and its listeners."""
    namespaces.ip("", [f"netns add {NAMESPACE}"])
    addresses = [f"addr add {address}/32 dev lo" for address in (*_HOSTS, LAPTOP)]
    # Like the real one, it has no answer for private addresses, not even that it has none.
    namespaces.ip(NAMESPACE, ["link set lo up", *addresses, "route add blackhole default"])
    namespaces.sysctl(NAMESPACE, {"ipv4/ip_forward": "1", "ipv4/conf/all/rp_filter": "0"})
    for address, ports in _HOSTS.items():
        for port in ports:
            listener = namespaces.inside(NAMESPACE, partial(_listen, address, port))
            threading.Thread(target=_answer, args=(listener,), daemon=True).start()


def link_addresses(index: int) -> tuple[str, str]:
    """The two ends of the link to VPC number ``index``: (the VPC's, the internet's), in CIDR form."""
    base = int(_LINKS.network_address) + 4 * index
    return f"{ipaddress.IPv4Address(base + 1)}/30", f"{ipaddress.IPv4Address(base + 2)}/30"


def _listen(address: str, port: int) -> socket.socket:
    return socket.create_server((address, port), backlog=512)


def _answer(listener: socket.socket) -> None:
    """Accept and hang up: a reached host is all a probe wants to see."""
    while True:
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
            connection.close()


class Dialler:
    """Connects to the internet's addresses for the host's programs.

    A client of the socket at ``path`` writes ``ADDRESS PORT\\n`` and receives either ``+`` with the
    connected socket itself (SCM_RIGHTS), or ``-`` and the reason, or ``?`` and the reason where nobody has
    that address. The socket stays in the internet's
    namespace wherever it is used: so the only way to a node is the internet gateway.
    """

    def __init__(self, path: Path) -> None:
        self._server = socket.socket(socket.AF_UNIX)
        # Named by way of its folder's descriptor: the kernel takes no name longer than 107 bytes.
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            self._server.bind(f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)
        path.chmod(0o600)
        self._server.listen(512)

    def serve(self) -> None:
        """Serve for ever, a thread a client."""
        while True:
            client, _ = self._server.accept()
            threading.Thread(target=self._dial, args=(client,), daemon=True).start()

    @staticmethod
    def _dial(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.settimeout(_DIAL_SECONDS)
            address, _, port = client.recv(256).decode().strip().rpartition(" ")
            try:
                connection = namespaces.inside(NAMESPACE, partial(_connect, address, int(port)))
            except (OSError, ValueError) as problem:
                unknown = isinstance(problem, OSError) and problem.errno in _NOBODY
                come = f" (here you come from {LAPTOP})" if isinstance(problem, TimeoutError) else ""
                client.sendall(f"{'?' if unknown else '-'}{problem}{come}".encode())
                return
            with connection:
                descriptors = array.array("i", [connection.fileno()])
                client.sendmsg([b"+"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])


def _connect(address: str, port: int) -> socket.socket:
    ipaddress.IPv4Address(address)  # names have no meaning here: refuse them before a look-up
    return socket.create_connection((address, port), _DIAL_SECONDS, source_address=(LAPTOP, 0))
