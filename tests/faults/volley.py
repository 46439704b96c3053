"""Many packets at once between made-up pods of a sandbox's nodes, any address, any port: which are answered.

A pod of a node is a namespace on its bridge with many addresses of its range. Whatever is sent there to any
TCP or UDP port is answered by one server; pings by the kernel. All goes over the real ``ssh``, by bare
sockets: nothing of ``kthw`` vouches for what its model is compared with.
"""

from __future__ import annotations

import contextlib
import json
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

POD: Final = """
ip netns add volley
ip link show cnio0 >/dev/null 2>&1 || ip link add cnio0 address {mac} type bridge
ip address replace 10.200.{n}.1/24 dev cnio0; ip link set cnio0 up
ip link add volley type veth peer name eth0 netns volley; ip link set volley master cnio0 up
inside() {{ nsenter --net=/run/netns/volley "$@"; }}
inside ip link set lo up; inside ip link set eth0 up
for last in {addresses}; do inside ip address add 10.200.{n}.$last/24 dev eth0; done
inside ip route add default via 10.200.{n}.1
inside iptables -t nat -A PREROUTING -p tcp -j REDIRECT --to-ports 7
inside iptables -t nat -A PREROUTING -p udp -j REDIRECT --to-ports 7
inside sh -c 'echo 0 >/proc/sys/net/ipv4/icmp_ratelimit'
"""
BRIDGE: Final = "0a:58:0a:c8:{n:02x}:01"
"""A bridge's address, set, as the bridge plugin sets it. One that nobody set is the lowest of its ports', our
probe pod's among them; a pod whose neighbour is asked for meanwhile sends to nobody for the next 8 seconds.
"""
MASQUERADED: Final = "iptables -t nat -A POSTROUTING -s 10.200.{n}.0/24 ! -d 10.200.{n}.0/24 -j MASQUERADE"
"""As the bridge plugin does it for each pod's address (``ipMasq``)."""
_HOLDS_MUCH: Final = """
import socket
def holds_much(made):
    try: made.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)
    except PermissionError: made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
"""
"""33 is SO_RCVBUFFORCE, which is root's: an ordinary user gets what the kernel lets everybody have."""
_SERVER: Final = """
import selectors, socket, sys
tcp, udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
for each in (tcp, udp): each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); each.bind(("", 7))
tcp.listen(4096)
holds_much(udp)
print("ready", flush=True)
waits = selectors.DefaultSelector()
for each in (tcp, udp, sys.stdin): waits.register(each, selectors.EVENT_READ)
while True:
    for key, _ in waits.select():
        if key.fileobj is tcp:
            tcp.accept()[0].close()
        elif key.fileobj is sys.stdin:
            sys.exit()
        else:
            data, sender = udp.recvfrom(99)
            udp.sendto(data, sender)
"""
_SENDER: Final = """
import json, select, socket, struct, sys, time
ROUNDS, PAUSE, AT_ONCE = 3, 0.7, 250
flows = json.loads(sys.stdin.read())
answered = set()
ping = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
holds_much(ping)
ping.setblocking(False)
def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16: total = (total >> 16) + (total & 0xFFFF)
    return ~total & 0xFFFF
def echo(number):
    body = struct.pack("!BBHHHI", 8, 0, 0, number % 65536, number // 65536, number)
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]
def begin(number, protocol, source, destination, port, asker):
    made = socket.socket(type=socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((source, asker))
    made.connect_ex((destination, port))
    return made
def pings(until):
    while time.monotonic() < until:
        if not select.select([ping], [], [], max(0, until - time.monotonic()))[0]: return
        data = ping.recv(99)
        if data[20] == 0 and len(data) >= 32: answered.add(struct.unpack_from("!I", data, 28)[0])
for first in range(0, len(flows), AT_ONCE):
    batch, open_, waits = flows[first:first + AT_ONCE], {}, select.poll()
    for again in range(ROUNDS):
        for flow in batch:
            number, protocol, source, destination, port, asker = flow
            if number in answered: continue
            if protocol == "icmp":
                single = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
                single.bind((source, 0))
                try: single.sendto(echo(number), (destination, 0))
                except OSError: pass
                single.close()
            elif protocol == "udp":
                if again == 0: open_[number] = begin(*flow)
                try: open_[number].send(b"%d" % number)
                except OSError: pass
            elif again == 0:
                open_[number] = begin(*flow)
        pings(time.monotonic() + PAUSE)
        for number, protocol, *_ in batch:
            made = open_.get(number)
            if made is None or number in answered: continue
            if protocol == "udp":
                try:
                    if made.recv(99) == b"%d" % number: answered.add(number)
                except OSError: pass
            elif made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                try: made.getpeername(); answered.add(number)
                except OSError: pass
    for made in open_.values(): made.close()
print(json.dumps(sorted(answered)))
"""


class Shot(NamedTuple):
    """A flow with its number: a ping's identifier, by which a firewall remembers whose answer is whose."""

    number: int
    protocol: str
    source: str
    destination: str
    port: int
    asker: int


class Volley:
    """The made-up pods of some nodes; ``addresses``: by node, the last numbers of its pod's."""

    def __init__(self, folder: Path, addresses: Mapping[str, Sequence[int]], *, masked: bool) -> None:
        self._folder = folder
        self._workers = tuple(addresses)
        for n, (worker, numbers) in enumerate(addresses.items()):
            script = POD.format(n=n, mac=BRIDGE.format(n=n), addresses=" ".join(map(str, numbers)))
            self.run(worker, script + (MASQUERADED.format(n=n) if masked else ""))

    def run(self, worker: str, script: str) -> str:
        """What a script prints on the node."""
        return run_on(self._folder, worker, script)

    @contextlib.contextmanager
    def answering(self) -> Iterator[None]:
        """While the servers of all pods run."""
        with contextlib.ExitStack() as stack:
            for worker in self._workers:
                server = stack.enter_context(
                    subprocess.Popen(
                        self._inside(worker, _SERVER),
                        stdout=subprocess.PIPE,
                        stdin=subprocess.PIPE,
                        text=True,
                    )
                )
                assert server.stdin
                assert server.stdout
                stack.callback(server.stdin.close)
                assert server.stdout.readline() == "ready\n"
            yield

    def answered(self, shots: Mapping[str, Iterable[Shot]]) -> set[int]:
        """The numbers of those that were answered, all pods sending at once; ``shots`` by who sends."""
        sending = {
            worker: subprocess.Popen(
                self._inside(worker, _SENDER), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for worker in shots
        }
        for worker, process in sending.items():
            assert process.stdin
            process.stdin.write(json.dumps(list(shots[worker])))
            process.stdin.close()
        found: set[int] = set()
        for process in sending.values():
            assert process.stdout
            found |= set(json.loads(process.stdout.read()))
            assert process.wait() == 0
        return found

    def _inside(self, worker: str, program: str) -> list[str]:
        inside = ("nsenter", "--net=/run/netns/volley", "python3", "-c", _HOLDS_MUCH + program)
        return _on(self._folder, worker, "sudo", *inside)


def run_on(folder: Path, worker: str, script: str) -> str:
    """What a script prints that root runs on a node of the sandbox of that folder."""
    command = _on(folder, worker, "sudo", "sh", "-e")
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _on(folder: Path, worker: str, *command: str) -> list[str]:
    return ["ssh", "-o", "LogLevel=ERROR", "-F", str(folder / "ssh_config"), worker, shlex.join(command)]
