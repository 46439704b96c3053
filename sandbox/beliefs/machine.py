"""One of the two machines: commands by ``ssh``, pings, and what arrived by the kernel's own count."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_PING: Final = Path(__file__).with_name("ping.py").read_text(encoding="utf-8")
_PINGED: Final = re.compile(r"ttl=\d+|refused|lost")
_ECHOES: Final = "cat /proc/net/snmp"
_IN_POD: Final = "nsenter --net=/run/netns/belief "
"""Not ``ip netns exec``: that mounts /sys, which is not everybody's to mount."""


class NotSeenError(Exception):
    """It could not be looked at, and so nothing is known. Its text says why."""


@dataclass
class Machine:
    """``address``: its private one; ``pods``: its pods' range, whose first address the machine has and whose
    second a pod. ``ssh``: the program with its options, and no host. ``heard`` keeps what was said."""

    id: str
    address: str
    pods: str
    user: str
    ssh: Sequence[str]
    heard: list[dict[str, Any]]
    public: str = ""

    @property
    def pod(self) -> str:
        return self.pods.replace(".0/24", ".2")

    def run(self, command: str, program: str = "") -> str:
        """What root's shell prints there, with ``program`` on standard input; its exit code is no failure.
        Raises ``NotSeenError``."""
        remote = f"sudo sh -c {shlex.quote(command)}"
        try:
            done = subprocess.run(
                [*self.ssh, f"{self.user}@{self.public}", remote],
                capture_output=True, text=True, errors="replace", check=False, timeout=60,
                input=program,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as problem:
            raise NotSeenError(f"ssh: {problem}") from problem
        self.heard.append({"on": self.address, "command": command, "answer": done.stdout[-2000:]})
        if done.returncode == 255:
            raise NotSeenError(f"ssh: {done.stderr.strip()[-300:]}")
        return done.stdout

    def wait(self, seconds: float) -> None:
        """Until it lets one in. Raises ``NotSeenError``."""
        until = time.monotonic() + seconds
        while True:
            try:
                self.run("true")
            except NotSeenError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
            else:
                return

    def make_pod(self) -> None:
        """A pod as a CNI plugin makes it: a namespace with a link to the machine, which forwards."""
        first, inside = self.pods.replace(".0/24", ".1"), f"{_IN_POD}ip"
        self.run(
            "ip netns add belief && ip link add belief0 type veth peer name eth0 netns belief && "
            f"ip addr add {first}/24 dev belief0 && ip link set belief0 up && {inside} link set lo up && "
            f"{inside} addr add {self.pod}/24 dev eth0 && {inside} link set eth0 up && "
            f"{inside} route add default via {first} && sysctl -w net.ipv4.ip_forward=1"
        )

    def ping(self, address: str, *, from_pod: bool = False) -> str:
        """``ttl=62`` of the answer, ``refused`` where a router says so, else ``lost``."""
        said = self.run(f"{_IN_POD if from_pod else ''}python3 - {address}", _PING).strip()
        if not _PINGED.fullmatch(said):
            raise NotSeenError(f"no ping from {self.address}: {said}")
        return said

    def echoes(self, *, in_pod: bool) -> int:
        """How many pings have come in so far, answered or not."""
        names, values = [line.split() for line in self._snmp(in_pod).splitlines() if line.startswith("Icmp:")]
        return int(values[names.index("InEchos")])

    def _snmp(self, in_pod: bool) -> str:
        said = self.run(f"{_IN_POD if in_pod else ''}{_ECHOES} | grep ^Icmp:")
        if said.count("Icmp:") != 2:
            raise NotSeenError(f"no count of pings on {self.address}")
        return said


def arrives(source: Machine, to: Machine, *, from_pod: bool = False, to_pod: bool = False) -> str:
    """``arrives`` or ``lost``: whether a ping's own packet comes in, whatever becomes of its answer."""
    before = to.echoes(in_pod=to_pod)
    source.ping(to.pod if to_pod else to.address, from_pod=from_pod)
    return "arrives" if to.echoes(in_pod=to_pod) > before else "lost"


def until(wanted: str, look: Callable[[], str], seconds: float, pause: float) -> str:
    """What ``look`` says once that is ``wanted``, or its last word after ``seconds``."""
    end = time.monotonic() + seconds
    while (seen := look()) != wanted and time.monotonic() < end:
        time.sleep(pause)
    return seen
