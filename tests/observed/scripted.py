"""Workers without a machine: sessions over channels in this process, whose agents answer by script."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kthw.errors import CouldNotLook, LookError
from kthw.intended.cluster import Intended
from kthw.observed import ways_in
from kthw.observed.agent.asked import checked, read_request
from kthw.observed.evidence import Instance, Inventory, UserData
from kthw.observed.pods import look_into_nodes
from kthw.observed.seen import Seen
from kthw.observed.ssh.session import Session
from kthw.target import SshAccess, Target

WORKERS = ("worker-0", "worker-1", "worker-2")
Output = bytes | Iterator[bytes] | None
"""What a worker writes: at once, or piece by piece; ``None``: it hangs up, and nothing: it is silent."""
Script = Callable[[str, dict[str, Any], dict[str, Any]], Output]
"""``(what was asked for, its fields, an honest answer)`` to what is written instead."""


class ScriptedChannel:
    """What ``Session`` needs of a channel, and behind it an agent that is honest but for its script."""

    def __init__(self, worker: str, script: Script | None = None, hears: tuple[str, ...] = WORKERS) -> None:
        self.worker, self.script, self.hears = worker, script, hears
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.complaint: Iterator[bytes] = iter(())
        self.closed = threading.Event()
        self._in = b""
        self._out: list[Iterator[bytes]] = []
        self._ended = False
        self._timeout: float | None = None
        self._program = -1

    def settimeout(self, timeout: float | None, /) -> None:
        self._timeout = timeout

    def send(self, data: bytes, /) -> int:
        if self._ended:
            raise BrokenPipeError
        self._in += data
        if self._program < 0 and b"\n" in self._in:
            length, self._in = self._in.split(b"\n", 1)
            self._program = int(length)
        if self._program > 0:
            taken, self._in = self._in[: self._program], self._in[self._program :]
            self._program -= len(taken)
            if not self._program:
                self._write("start", {}, {"ready": True, "pid": 7})
        while not self._program and b"\n" in self._in:
            line, self._in = self._in.split(b"\n", 1)
            number, do, fields = read_request(line)
            fields = checked(
                do, fields
            )  # as the real one does: what no agent would take is no request of ours
            self.asked.append((do, fields))
            self._write(do, fields, {**self._honest(do, fields), "id": number})
        return len(data)

    def recv(self, _size: int, /) -> bytes:
        while self._out:
            piece = next(self._out[0], None)
            if piece is not None:
                return piece
            self._out.pop(0)
        if self._ended:
            return b""
        self.closed.wait(self._timeout)
        raise TimeoutError

    def recv_stderr_ready(self) -> bool:
        return True

    def recv_stderr(self, _size: int, /) -> bytes:
        return next(self.complaint, b"")

    def exit_status_ready(self) -> bool:
        return self._ended

    def recv_exit_status(self) -> int:
        return -1

    def _write(self, do: str, fields: dict[str, Any], honest: dict[str, Any]) -> None:
        out = self.script(do, fields, honest) if self.script else encoded(honest)
        if out is None:
            self._ended = True
        else:
            self._out.append(iter([out] if out else []) if isinstance(out, bytes) else out)

    def _honest(self, do: str, fields: dict[str, Any]) -> dict[str, Any]:
        number = self.worker[-1]
        if do == "facts":
            cni = {
                "file": "10-bridge.conf",
                "type": "bridge",
                "ipam": "host-local",
                "name": "bridge",
                "bridge": "cnio0",
            }
            return {
                "hostname": self.worker, "addresses": [f"10.0.1.2{number}"], "ip_forward": True,
                "cni": [{**cni, "subnet": f"10.200.{number}.0/24", "ip_masq": True}],
                "cni_path": ["/opt/cni/bin"], "cni_plugins": ["bridge", "host-local"], "cni_elsewhere": [],
                "kubelet_pod_cidr": "",
                "imds": "v1", "failed": [],
            }  # fmt: skip
        if do == "pod":
            return {"address": f"10.200.{number}.2", "file": "10-bridge.conf", "mtu": 1500}
        if do == "ways":
            via = {"device": "ens5", "via": "10.0.1.1", "kind": "unicast", "route": "default via 10.0.1.1"}
            link = {"name": "ens5", "kind": "", "up": True, "mtu": 9001, "rp_filter": 2, "forwarding": True}
            chain = {"tool": "iptables", "table": "filter", "name": "FORWARD", "policy": "ACCEPT"}
            return {
                "links": [{**link, "addresses": [f"10.0.1.2{number}/24"]}],
                "rp_filter": 2, "rules": [],
                "ways": [{"towards": w, "address": a, **via} for w, (a, _) in fields["towards"].items()],
                "firewall": [{**chain, "rules": ["-A FORWARD -j ACCEPT"]}], "lacking": [], "failed": [],
            }  # fmt: skip
        if do == "probe":
            return {"probes": [self._row(*key) for key in keys(self.worker, fields)]}
        return {"seen": []} if do == "seen" else {"ended": True} if do == "end" else {}

    def _row(self, kind: str, worker: str, *about: str | int) -> list[Any]:
        reached = kind != "pod" or worker in self.hears
        came = [True, "", 0.4] if reached else [False, "no answer in 3.0 s", 0.0]
        return [kind, worker, *about, *came, 0, 0, 0]


def keys(worker: str, fields: dict[str, Any]) -> list[tuple[str, str, str, str, int]]:
    """What the fields of ``probe`` ask about."""
    found = [
        ("pod", peer["worker"], peer["address"], how, size)
        for peer in fields["peers"]
        for how in ("icmp", "tcp", "udp")
        for size in (0, 1500)
    ]
    found += [("node", worker, fields["node"], "icmp", 0)]
    return found + [("internet", "", fields["internet"][0], how, 0) for how in ("icmp", "tcp")]


def encoded(document: Any) -> bytes:
    return json.dumps(document).encode() + b"\n"


class Lab:
    """``worker-0`` to ``worker-2``, one running instance each; ``look`` at them by their channels."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.channels: dict[str, ScriptedChannel] = {}

    def look(self, *channels: ScriptedChannel) -> Seen:
        """All that is seen; a worker without a channel cannot be reached."""
        self.channels = {channel.worker: channel for channel in channels}

        def opened(_: Any, worker: str, address: str, *, endpoint: str, **told: Any) -> Session:
            assert endpoint == ""
            facts = {"worker": worker, "login": f"ssh ubuntu@{address}"}
            if worker not in self.channels:
                raise CouldNotLook(LookError(code="ssh-unreachable", subject=worker, worker=worker))
            channel = self.channels[worker]
            session = Session(channel, worker=worker, facts=facts, hang_up=channel.closed.set, **told)
            session.start(START_DEADLINE)
            return session

        self.monkeypatch.setattr(ways_in, "open_session", opened)
        return look_into_nodes(Target(kind="aws", ssh=SshAccess()), INVENTORY, Intended(workers=WORKERS))


START_DEADLINE = 1.0
INVENTORY = Inventory(
    account="1",
    region="r",
    instances=tuple(
        Instance(
            id=f"i-{n}", state="running", name=worker, vpc="vpc-1", address=f"10.0.1.2{n}",
            user_data=UserData(pairs={"pod-cidr": f"10.200.{n}.0/24"}),
        )
        for n, worker in enumerate(WORKERS)
    ),
)  # fmt: skip


def dripping(line: bytes, pause: float = 0.02) -> Iterator[bytes]:
    """A byte at a time."""
    for n in range(len(line)):
        time.sleep(pause)
        yield line[n : n + 1]
