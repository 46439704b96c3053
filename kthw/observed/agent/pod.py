"""The probe pod: a network namespace without a name, attached by the node's own CNI configuration."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import struct
import subprocess
from collections.abc import Iterator
from typing import Any

from kthw.observed.agent.answering import Answering
from kthw.observed.agent.cni import INTERFACE, Network
from kthw.observed.agent.system import (
    CLONE_NEWNET,
    DEADLINE,
    FORWARDING,
    PR_SET_PDEATHSIG,
    Looking,
    UnseenError,
    call,
    forwarding,
    hardware_of,
    has_interface,
    mtu_of,
    raise_interface,
    started,
    tool,
)
from kthw.observed.agent.turns import Turns


class Pod:
    """The probe pod: a network namespace without a name, on the node's pod network."""

    def __init__(self, network: Network, request: dict[str, Any]) -> None:
        self.network = network
        self.worker: str = request["worker"]
        self.run: str = request["run"]
        self.port: int = request["port"]
        self.configs: str = request["configs"]
        self.address = ""
        self.mtu = 0
        self.hardware = ""
        self.answering: Answering | None = None
        self.holder = 0
        self.container = ""
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.namespace = -1

    def open(self, mark: str, turns: Turns) -> None:
        """Make it, and answer whoever asks. Raises ``AgentError``, ``OSError``; ``close`` tidies up.

        ``mark``: the end of its container id, ``-bridge`` where it brings the bridge with it.
        """
        self.container = f"kthw-probe-{os.getpid()}-{started(os.getpid())}{mark}"
        self.holder = hold_namespace()
        path = f"/proc/{self.holder}/ns/net"
        self.namespace = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        forwarded = forwarding()
        try:
            self.address = self.network.add(self.container, path)
        finally:
            # The bridge plugin turns forwarding on. We came to measure, not to mend.
            if forwarded is False and forwarding():
                FORWARDING.write_text("0", encoding="ascii")
        with self.inside():
            raise_interface("lo")
            self.mtu, self.hardware = mtu_of(INTERFACE), hardware_of(INTERFACE)
            self.answering = Answering(self.port, self.run, self.worker, turns)

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Sockets made in here belong to the pod."""
        call("setns", self.namespace, CLONE_NEWNET)
        try:
            yield
        finally:
            call("setns", self.home, CLONE_NEWNET)

    def close(self) -> None:
        """Take everything back. Raises ``AgentError`` when a plugin would not; the namespace goes anyway."""
        try:
            if self.answering:
                self.answering.close()
                self.answering = None
            if self.container:
                # By our own hold on the namespace: had the holder been killed, the plugin would find no
                # namespace, free the address, and leave the pod's rules and bridge where no sweep looks.
                held = f"/proc/{os.getpid()}/fd/{self.namespace}" if self.namespace >= 0 else ""
                try:
                    self.network.delete(self.container, held)
                finally:  # a plugin that failed to ADD may fail to DEL as well
                    drop_bridge(self.network.bridge, self.container)
        finally:
            if self.holder:
                os.kill(self.holder, signal.SIGKILL)
                os.waitpid(self.holder, 0)
                self.holder = 0
            if self.namespace >= 0:
                os.close(self.namespace)
                self.namespace = -1


def hold_namespace() -> int:
    """Start a child that does nothing but hold a new network namespace; its pid. Raises ``OSError``."""
    ours = os.getpid()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != ours:  # we died before the call above
                os._exit(1)
            # Signals meant for the whole group must leave us time for CNI DEL.
            for each in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
                signal.signal(each, signal.SIG_IGN)
            call("unshare", CLONE_NEWNET)
            os.write(writing, b"\0\0")
            os.closerange(0, 256)
            while True:
                signal.pause()
        except OSError as problem:
            os.write(writing, struct.pack("=H", problem.errno or errno.EPERM))
        finally:
            os._exit(1)
    os.close(writing)
    try:
        said = os.read(reading, 2)
    finally:
        os.close(reading)
    number = struct.unpack("=H", said)[0] if len(said) == 2 else errno.ECHILD
    if number:
        os.waitpid(child, 0)
        raise OSError(number, f"a network namespace: {os.strerror(number)}")
    return child


def drop_bridge(bridge: str, container: str) -> None:
    """Remove the bridge the pod brought with it, unless somebody else's pod hangs on it by now."""
    if container.endswith("-bridge") and bridge and has_interface(bridge):
        with contextlib.suppress(OSError, subprocess.TimeoutExpired, UnseenError):
            # Where nobody can say whose pods hang on it, it stays.
            if not Looking(DEADLINE).text("ip", "-o", "link", "show", "master", bridge).strip():
                tool("ip", "link", "delete", bridge, "type", "bridge")
