"""Two nodes as network namespaces with a wire between them, all under one ``unshare``, for the agent's tests.

Nothing outside is touched: when the ``unshare`` dies, every namespace, interface, mount and process
in it is gone.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kthw.observed.ssh.session import Session
from tests.observed.local_channel import LocalChannel

PLUGINS = "/usr/lib/cni"
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin:/usr/bin:/bin",
    "LC_ALL": "C",
}
_AS_USER = () if os.geteuid() == 0 else ("--user", "--map-root-user")
_UNSHARE = ("unshare", *_AS_USER, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
_WIRE = """
mount -t tmpfs tmpfs /run && mkdir /run/netns && ip netns add node0 && ip netns add node1 &&
ip -n node0 link add ens5 type veth peer name ens5 netns node1 &&
ip -n node0 address add 10.0.1.20/24 dev ens5 && ip -n node1 address add 10.0.1.21/24 dev ens5 &&
for n in node0 node1; do
    ip -n $n link set lo up && ip -n $n link set ens5 up &&
    ip netns exec $n sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward' || exit 1
done
ip -n node0 route add 10.200.1.0/24 via 10.0.1.21 && ip -n node1 route add 10.200.0.0/24 via 10.0.1.20 &&
echo ready && exec sleep infinity
"""


@functools.cache
def why_not() -> str:
    """Why the nodes cannot be made here, or nothing."""
    if not Path(PLUGINS, "bridge").exists():
        return "containernetworking-plugins is not installed"
    trial = [*_UNSHARE, "sh", "-c", "mount -t tmpfs tmpfs /run && ip link add v type veth peer name w"]
    done = subprocess.run(trial, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    return f"no namespaces here: {done.stderr.strip()}" if done.returncode else ""


class TwoNodes:
    """``node0`` (10.0.1.20, pods 10.200.0.0/24) and ``node1`` (10.0.1.21, pods 10.200.1.0/24)."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._unshare = subprocess.Popen(
            [*_UNSHARE, "sh", "-c", _WIRE], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=ENVIRONMENT
        )
        assert self._unshare.stdout
        said = self._unshare.stdout.readline()
        assert said == b"ready\n", said + self._unshare.stdout.read()
        children = Path(f"/proc/{self._unshare.pid}/task/{self._unshare.pid}/children").read_text()
        self._leader = children.split()[0]
        self._channels: list[LocalChannel] = []
        for number in (0, 1):
            (self.configs(number)).mkdir()
            self.configure(number)

    def close(self) -> None:
        for channel in self._channels:
            channel.hang_up()
        self._unshare.kill()
        self._unshare.wait()
        assert self._unshare.stdout
        self._unshare.stdout.close()

    def configs(self, number: int) -> Path:
        return self.directory / f"net.d{number}"

    def reservations(self, number: int) -> list[str]:
        """The addresses ``host-local`` holds on a node."""
        folder = self.directory / f"ipam{number}" / "bridge"
        return sorted(file.name for file in folder.glob("10.*")) if folder.exists() else []

    def configure(self, number: int, file: str = "10-bridge.conf", **changes: object) -> None:
        """The tutorial's CNI files, with changes to the bridge's."""
        bridge = {
            "cniVersion": "0.4.0",
            "name": "bridge",
            "type": "bridge",
            "bridge": "cnio0",
            "isGateway": True,
            "ipMasq": True,
            "ipam": {
                "type": "host-local",
                "dataDir": str(self.directory / f"ipam{number}"),
                "ranges": [[{"subnet": f"10.200.{number}.0/24"}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
            **changes,
        }
        (self.configs(number) / file).write_text(json.dumps(bridge))
        loopback = {"cniVersion": "0.4.0", "name": "lo", "type": "loopback"}
        (self.configs(number) / "99-loopback.conf").write_text(json.dumps(loopback))

    def on(self, number: int, *command: str, check: bool = True) -> str:
        """Run a command on a node and return what it printed."""
        return self._run(*self._enter(number), *command, check=check)

    def around(self, *command: str) -> None:
        """Run it on the machine that both nodes are on: names of namespaces made here are known on both."""
        self._run(*self._around(), *command, check=True)

    def _run(self, *command: str, check: bool) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def session(self, number: int, *, writes: bool = False) -> Session:
        """The agent, running on a node."""
        channel = LocalChannel(*self._enter(number), environment=ENVIRONMENT)
        self._channels.append(channel)
        session = channel.session(f"worker-{number}", writes=writes)
        session.start()
        return session

    def cut(self) -> None:
        """Kill the agent that came last, as a broken connection would end it."""
        os.killpg(self._channels[-1].process.pid, signal.SIGKILL)

    def places(self, number: int) -> dict[str, str]:
        return {"configs": str(self.configs(number)), "plugins": PLUGINS}

    def make_pod(self, session: Session, number: int) -> str:
        return str(self.ask_for_pod(session, number)["address"])

    def ask_for_pod(self, session: Session, number: int, **places: str) -> dict[str, Any]:
        """The agent's answer, with other places where plugins are, if need be."""
        asked = {"worker": f"worker-{number}", "run": "r1", "port": 8080, **self.places(number), **places}
        return session.request("pod", deadline=30, **asked)

    def agents(self, number: int) -> list[int]:
        """The pids, as the nodes see them, of the agents and their pods' holders on a node."""
        found = self.on(number, "ip", "netns", "pids", f"node{number}").split()
        return [int(pid) for pid in found if "-c" in self._command(int(pid))]

    def trace(self, number: int) -> dict[str, object]:
        """All that a pod could leave on a node."""
        return {
            "reservations": self.reservations(number),
            "links": sorted(
                link["ifname"] for link in json.loads(self.on(number, "ip", "-j", "link")) if "ifname" in link
            ),
            "nat": [
                line for line in self.on(number, "iptables", "-t", "nat", "-S").splitlines() if "CNI" in line
            ],
            "processes": self.agents(number),
        }

    def until_clean(self, number: int, seconds: float = 10) -> dict[str, object]:
        """The traces on a node, once there are none or the time is up."""
        until = time.monotonic() + seconds
        while (trace := self.trace(number)) != CLEAN and time.monotonic() < until:
            time.sleep(0.05)
        return trace

    def _command(self, pid: int) -> str:
        return self.on(0, "sh", "-c", f"tr '\\0' ' ' < /proc/{pid}/cmdline", check=False)

    def _enter(self, number: int) -> tuple[str, ...]:
        return (*self._around(), "ip", "netns", "exec", f"node{number}")

    def _around(self) -> tuple[str, ...]:
        user = ("--user", "--preserve-credentials") if _AS_USER else ()
        return ("nsenter", "--target", self._leader, *user, "--net", "--mount", "--pid")


CLEAN: dict[str, object] = {"reservations": [], "links": ["ens5", "lo"], "nat": [], "processes": []}


class Lab(NamedTuple):
    """Two nodes and a session with each."""

    nodes: TwoNodes
    sender: Session
    receiver: Session


NO_NODES = pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")
PEER = "10.200.1.2"
"""The pod on the other node."""
PUT_RIGHT = """
iptables -P FORWARD ACCEPT; iptables -F; iptables -X; iptables -t mangle -F; iptables-legacy -P FORWARD ACCEPT
nft delete table inet guide; nft delete table ip mine; true
"""


def around(session: Session, **towards: tuple[str, str]) -> dict[str, Any]:
    """What a node says of its surroundings."""
    return session.request("ways", deadline=20, towards=towards)
