"""Why a node's own network makes no pod: what the agent finds out of it, with the real plugins."""

from __future__ import annotations

import errno
import json
import os
import shutil
import struct
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kthw.observed.agent import spaces
from kthw.observed.agent.programs import MACHINES
from kthw.observed.evidence import PodFailure, UnfitProgram
from tests.observed.two_nodes import PLUGINS, TwoNodes, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")
HERE = os.uname().machine
OTHER = "aarch64" if HERE != "aarch64" else "x86_64"
LONG_AGO = 1_600_000_000
"""Before any pod of these tests was made."""


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """A folder of the plugins' own."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bridge", "host-local"):
        shutil.copy(Path(PLUGINS, name), folder)
    return folder


def why(nodes: TwoNodes, **places: str) -> PodFailure:
    """As the evidence has it."""
    answer = nodes.ask_for_pod(nodes.session(0), 0, **places)
    assert answer["address"] == ""
    return msgspec.convert(answer["failure"], PodFailure)


def unfit(nodes: TwoNodes, plugins: Path) -> tuple[UnfitProgram, ...]:
    asked = {**nodes.places(0), "plugins": str(plugins)}
    answer = nodes.session(0).request("facts", deadline=10, **asked)
    return msgspec.convert(answer["cni_unfit"], tuple[UnfitProgram, ...])


def elf(machine: str) -> bytes:
    """The beginning of a program for that machine, and no more."""
    number = next(number for number, name in MACHINES.items() if name == machine)
    return b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHI", 2, number, 1) + bytes(100)


def small_range(nodes: TwoNodes, last: int = 4) -> dict[str, Any]:
    """The configuration with addresses from .2 to ``last`` only, of a range that no sandbox beside it has."""
    ranges = [[{"subnet": "10.213.7.0/24", "rangeStart": "10.213.7.2", "rangeEnd": f"10.213.7.{last}"}]]
    ipam = {"type": "host-local", "dataDir": str(nodes.directory / "ipam0"), "ranges": ranges}
    nodes.configure(0, ipam=ipam)
    return ipam


def pods(nodes: TwoNodes, count: int) -> None:
    """So many pods by the node's plugins, each in a namespace of its own without a process."""
    config = (nodes.configs(0) / "10-bridge.conf").read_text()
    for number in range(count):
        name = f"pod{number}"
        nodes.around("ip", "netns", "add", name)
        run = (
            f"CNI_COMMAND=ADD CNI_CONTAINERID=container-{number} CNI_NETNS=/run/netns/{name} CNI_IFNAME=eth0 "
            f"CNI_PATH={PLUGINS} {PLUGINS}/bridge <<'END'\n{config}\nEND"
        )
        nodes.on(0, "sh", "-c", run)
    for lease in (nodes.directory / "ipam0" / "bridge").glob("10.*"):
        os.utime(lease, (LONG_AGO, LONG_AGO))


def test_plugins_that_the_kernel_would_not_run_are_named_with_the_reason(
    nodes: TwoNodes, plugins: Path
) -> None:
    assert unfit(nodes, plugins) == ()
    (plugins / "bridge").chmod(0o644)
    (plugins / "host-local").write_bytes(elf(OTHER))
    assert unfit(nodes, plugins) == (
        UnfitProgram(path=f"{plugins}/bridge", why="mode", machine=HERE),
        UnfitProgram(path=f"{plugins}/host-local", why="machine", built_for=OTHER, machine=HERE),
    )
    (plugins / "bridge").chmod(0o755)
    (plugins / "host-local").write_text("Not Found")
    assert [(each.path, each.why) for each in unfit(nodes, plugins)] == [(f"{plugins}/host-local", "format")]
    (plugins / "host-local").write_text("#!/bin/sh\nexit 1\n")
    assert unfit(nodes, plugins) == ()


def test_what_the_kernel_says_of_a_program_it_does_not_run_is_told(nodes: TwoNodes, plugins: Path) -> None:
    (plugins / "bridge").write_bytes(elf(OTHER))
    told = why(nodes, plugins=str(plugins))
    assert (told.cause, told.said) == ("not-run", f"{plugins}/bridge: Exec format error")


def test_versions_that_all_plugins_know_are_told_where_one_does_not_know_the_file_s(nodes: TwoNodes) -> None:
    nodes.configure(0, cniVersion="9.9.9")
    told = why(nodes)
    assert (told.cause, told.version) == ("version", "9.9.9")
    assert {"0.3.1", "0.4.0", "1.0.0"} <= set(told.versions)
    assert "plugin supports" in told.said


def test_an_old_bridge_is_told_with_its_address_and_stays(nodes: TwoNodes) -> None:
    nodes.on(0, "ip", "link", "add", "cnio0", "type", "bridge")
    nodes.on(0, "ip", "address", "add", "10.99.0.1/24", "dev", "cnio0")
    told = why(nodes)
    assert told.cause == "bridge"
    assert told.bridge
    assert (told.bridge.name, told.bridge.addresses) == ("cnio0", ("10.99.0.1/24",))
    assert (told.bridge.ports, told.bridge.pods) == ((), ())
    assert nodes.reservations(0) == []
    assert "cnio0" in nodes.on(0, "ip", "link")


def test_what_hangs_on_an_old_bridge_is_told(nodes: TwoNodes) -> None:
    """A pod's address too, though no process is in its namespace."""
    nodes.on(0, "ip", "link", "add", "cnio0", "type", "bridge")
    nodes.on(0, "ip", "address", "add", "10.99.0.1/24", "dev", "cnio0")
    nodes.around("ip", "netns", "add", "old")
    nodes.on(0, "ip", "link", "add", "vethold", "type", "veth", "peer", "name", "eth0", "netns", "old")
    nodes.on(0, "ip", "link", "set", "vethold", "master", "cnio0", "up")
    nodes.around("ip", "-n", "old", "address", "add", "10.99.0.7/24", "dev", "eth0")
    bridge = why(nodes).bridge
    assert bridge
    assert (bridge.ports, bridge.pods) == (("vethold",), ("10.99.0.7",))


def test_addresses_of_containers_that_are_no_more_are_told_from_those_in_use(nodes: TwoNodes) -> None:
    small_range(nodes)
    pods(nodes, 3)
    for name in ("pod0", "pod2"):
        nodes.around("ip", "netns", "delete", name)
    told = why(nodes)
    assert (told.cause, told.plugin) == ("addresses", "bridge")
    assert "no IP addresses available" in told.said
    assert told.leases
    assert told.leases.folder == str(nodes.directory / "ipam0" / "bridge")
    assert (told.leases.free, told.leases.more, told.leases.held) == (("10.213.7.2", "10.213.7.4"), 0, 1)


def test_a_reservation_of_just_now_is_somebody_s(nodes: TwoNodes) -> None:
    """A pod that is being made has its address nowhere yet."""
    small_range(nodes, last=2)
    folder = nodes.directory / "ipam0" / "bridge"
    folder.mkdir(parents=True)
    (folder / "10.213.7.2").write_text("container-0\r\neth0")
    leases = why(nodes).leases
    assert leases
    assert (leases.free, leases.held) == ((), 1)


def test_a_reservation_is_somebody_s_while_a_process_bears_the_container_s_name(nodes: TwoNodes) -> None:
    """Its control group does; every process of a machine without containers is in the same one."""
    group = Path("/proc/self/cgroup").read_text().strip().splitlines()[-1]
    small_range(nodes, last=3)
    folder = nodes.directory / "ipam0" / "bridge"
    folder.mkdir(parents=True)
    for address, container in (("10.213.7.2", group), ("10.213.7.3", "a container that is gone")):
        (folder / address).write_text(f"{container}\r\neth0")
        os.utime(folder / address, (LONG_AGO, LONG_AGO))
    leases = why(nodes).leases
    assert leases
    assert (leases.free, leases.held) == (("10.213.7.3",), 1)


def test_of_a_namespace_that_nobody_can_look_into_no_address_is_free(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One that ended meanwhile has none."""
    monkeypatch.setattr(spaces, "_paths", lambda: iter([str(tmp_path / "gone")]))
    assert spaces.addresses_everywhere() == set()

    def refused(path: Path) -> None:
        raise PermissionError(errno.EPERM, "no", str(path))

    monkeypatch.setattr(Path, "stat", refused)
    with pytest.raises(PermissionError):
        spaces.addresses_everywhere()


def test_a_pod_that_failed_leaves_nothing(nodes: TwoNodes) -> None:
    small_range(nodes, last=2)
    pods(nodes, 1)
    before = nodes.trace(0)
    assert why(nodes).cause == "addresses"
    assert {**nodes.trace(0), "processes": []} == before


def test_the_file_s_gateway_and_routes_are_told(nodes: TwoNodes) -> None:
    def told(**changes: Any) -> tuple[object, object]:
        nodes.configure(0, **changes)
        first = nodes.session(0).request("facts", deadline=10, **nodes.places(0))["cni"][0]
        return first["gateway"], first["routes"]

    ipam = {"type": "host-local", "ranges": [[{"subnet": "10.200.0.0/24"}]]}
    assert told() == (True, ["0.0.0.0/0"])
    assert told(isGateway=False, ipam=ipam) == (False, [])
    assert told(isGateway=False, isDefaultGateway=True, ipam=ipam) == (True, ["0.0.0.0/0"])
    routes = [{"dst": "10.0.0.1/8", "gw": "10.200.0.1"}, {"dst": "fd00::/8"}, {}, 7]
    assert told(ipam={**ipam, "routes": routes}) == (True, ["10.0.0.0/8"])
    assert json.loads((nodes.configs(0) / "10-bridge.conf").read_text())["isGateway"] is True
