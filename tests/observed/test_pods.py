"""The nodes and the mesh of their pods, on a sandbox: real sshd, real plugins, real packets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from kthw.intended.cluster import Intended
from kthw.observed.aws.inventory import read_inventory
from kthw.observed.aws.reader import Reader
from kthw.observed.evidence import Inventory, Probe
from kthw.observed.pods import look_into_nodes
from kthw.observed.seen import Seen
from kthw.words.messages import catalogue
from sandbox.box import Sandbox, ec2_client, start, why_no_packets

NO_PACKETS = why_no_packets(catalogue("en").say)
pytestmark = pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)

ROOT = Path(__file__).resolve().parents[2]
WORKERS = ("worker-0", "worker-1", "worker-2")
INTENDED = Intended(workers=WORKERS)
CONFIG = "/etc/cni/net.d/10-bridge.conf"


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with start() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def bare(box: Sandbox) -> Seen:
    """What is seen before there are routes."""
    return look_into_nodes(box.target, inventory_of(box), INTENDED)


@pytest.fixture(scope="module")
def routed(box: Sandbox, bare: Seen) -> Inventory:
    """The inventory, once the pod routes are there."""
    inventory = inventory_of(box)
    table = next(table.id for table in inventory.route_tables if not table.main)
    ec2 = ec2_client(box.target.endpoint)
    for instance in inventory.instances:
        if instance.name in WORKERS and instance.user_data:
            cidr = instance.user_data.pairs["pod-cidr"]
            ec2.create_route(RouteTableId=table, DestinationCidrBlock=cidr, InstanceId=instance.id)
    return inventory


def inventory_of(box: Sandbox) -> Inventory:
    return read_inventory(Reader(box.target), INTENDED)[0]


def on(box: Sandbox, worker: str, command: str) -> str:
    """Run a command on a worker, as a person would."""
    done = subprocess.run(
        ["ssh", "-F", str(box.directory / "ssh_config"), worker, command],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout


def between_pods(seen: Seen) -> dict[tuple[str, str], set[bool]]:
    pairs: dict[tuple[str, str], set[bool]] = {}
    for probe in seen.probes:
        if probe.kind == "pod":
            pairs.setdefault((probe.source, probe.destination), set()).add(probe.reached)
    return pairs


def others(seen: Seen) -> list[Probe]:
    return [probe for probe in seen.probes if probe.kind != "pod"]


LEFT = "ls -A /var/lib/cni/networks/bridge | grep -c ^10; ip -o link show cnio0; true"


def left_behind(box: Sandbox, seconds: float = 10) -> dict[str, str]:
    """What pods left on each worker, once there is nothing or the time is up."""
    until = time.monotonic() + seconds
    while True:
        seen = {worker: on(box, worker, LEFT) for worker in WORKERS}
        if set(seen.values()) == {"0\n"} or time.monotonic() > until:
            return seen
        time.sleep(0.1)


def test_without_routes_only_pods_of_other_nodes_are_out_of_reach(bare: Seen) -> None:
    """A pod reaches its own node and the internet all the same: the probes work."""
    assert set(map(frozenset, between_pods(bare).values())) == {frozenset({False})}
    assert [str(probe) for probe in others(bare) if not probe.reached] == []
    assert bare.errors == ()


def test_each_node_tells_what_it_is(bare: Seen) -> None:
    assert tuple(bare.nodes) == WORKERS
    node = bare.nodes["worker-1"]
    assert node.hostname
    assert node.login.startswith("ssh -F ")
    assert node.addresses == ("10.0.1.21",)
    assert node.ip_forward is True
    assert [config.file for config in node.cni] == ["10-bridge.conf", "99-loopback.conf"]
    assert node.cni[0].subnet == "10.200.1.0/24"
    assert node.cni[0].ip_masq
    assert node.cni_path == ("/opt/cni/bin",)
    assert {"bridge", "host-local"} <= set(node.cni_plugins or ())
    assert [config.ipam for config in node.cni] == ["host-local", ""]
    assert node.pod.startswith("10.200.1.")


def test_with_routes_every_pod_reaches_every_other(box: Sandbox, routed: Inventory) -> None:
    """By ICMP, TCP and UDP, small and of full size, both ways, in one session per worker."""
    seen = look_into_nodes(box.target, routed, INTENDED)
    assert [str(probe) for probe in seen.probes if not probe.reached] == []
    assert len(between_pods(seen)) == 6
    assert len(seen.probes) == 6 * 6 + 3 * 3
    assert {node.pod_mtu for node in seen.nodes.values()} == {1500}
    assert seen.ssh_sessions == 3


def test_the_look_leaves_nothing_on_the_nodes(box: Sandbox, routed: Inventory) -> None:
    assert left_behind(box, 0) == dict.fromkeys(WORKERS, "0\n")


def test_progress_is_told_phase_by_phase(box: Sandbox, routed: Inventory) -> None:
    told: list[tuple[str, int, int]] = []
    look_into_nodes(box.target, routed, INTENDED, progress=lambda *said: told.append(said))
    phases = list(dict.fromkeys(phase for phase, _, _ in told))
    assert phases == ["ssh", "pods", "probes"]
    for phase in phases:
        assert (phase, 0, 3) in told
        assert (phase, 3, 3) in told


def test_a_dead_worker_hides_nothing_about_the_others(box: Sandbox, routed: Inventory) -> None:
    """It is an error of its own, within the connect deadline, and the others' mesh is measured."""
    nowhere = msgspec.structs.replace
    instances = tuple(
        nowhere(each, public_address="203.0.113.250") if each.name == "worker-1" else each
        for each in routed.instances
    )
    ssh_config = (box.directory / "ssh_config").read_text()
    without_names = box.directory / "by_address"
    without_names.write_text(ssh_config.replace("Host worker-1 ", "Host "))
    ssh = msgspec.structs.replace(box.target.ssh, config=str(without_names))
    target = msgspec.structs.replace(box.target, ssh=ssh)
    began = time.monotonic()
    seen = look_into_nodes(target, msgspec.structs.replace(routed, instances=instances), INTENDED)
    assert time.monotonic() - began < 15
    assert [(error.code, error.worker) for error in seen.errors] == [("ssh-unreachable", "worker-1")]
    assert set(seen.nodes) == {"worker-0", "worker-2"}
    assert between_pods(seen) == {("worker-0", "worker-2"): {True}, ("worker-2", "worker-0"): {True}}
    assert seen.ssh_sessions == 2


def test_a_worker_whose_pod_cannot_be_made_is_still_described(box: Sandbox, routed: Inventory) -> None:
    """Its node is in the evidence, without a pod, and with the plugin's words; that is no error."""
    on(box, "worker-2", f"sudo cp {CONFIG} /root/kept; sudo sed -i 's|10.200.2.0/24||' {CONFIG}")
    try:
        seen = look_into_nodes(box.target, routed, INTENDED)
    finally:
        on(box, "worker-2", f"sudo mv /root/kept {CONFIG}")
    assert seen.errors == ()
    failure = seen.nodes["worker-2"].pod_failure
    assert failure
    assert (failure.cause, failure.file, failure.plugin) == ("refused", "10-bridge.conf", "bridge")
    assert "invalid CIDR address" in failure.said
    assert seen.nodes["worker-2"].pod == ""
    assert seen.nodes["worker-0"].pod_failure is None
    assert seen.nodes["worker-2"].cni[0].subnet == ""
    assert set(between_pods(seen)) == {("worker-0", "worker-1"), ("worker-1", "worker-0")}


def test_only_workers_with_one_running_instance_are_tried(box: Sandbox, routed: Inventory) -> None:
    """Stopped, missing and ambiguous ones are findings about the inventory, not failures to look."""
    changed = {
        "worker-1": lambda each: [msgspec.structs.replace(each, state="stopped")],
        "worker-2": lambda each: [each, msgspec.structs.replace(each, id="i-2")],
    }
    instances = [
        one for each in routed.instances for one in changed.get(each.name, lambda each: [each])(each)
    ]
    seen = look_into_nodes(
        box.target,
        msgspec.structs.replace(routed, instances=tuple(instances)),
        Intended(workers=(*WORKERS, "worker-3")),
    )
    assert (seen.ssh_sessions, tuple(seen.nodes), seen.errors) == (1, ("worker-0",), ())
    assert {probe.kind for probe in seen.probes} == {"node", "internet"}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_look_that_is_ended_leaves_nothing_on_the_nodes(
    box: Sandbox, routed: Inventory, how: signal.Signals
) -> None:
    """Ctrl-C and kill -9, while the pods are there and probing."""
    on(box, "worker-0", "sudo ip route add blackhole 10.200.2.0/24")
    try:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.observed.look_at_sandbox",
                box.target.endpoint,
                box.target.ssh.config,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        )
        assert process.stdout
        for line in process.stdout:
            if line.startswith("probes 0"):
                break
        else:
            raise AssertionError(process.communicate()[1])
        assert "cnio0" in on(box, "worker-0", LEFT)
        process.send_signal(how)
        began = time.monotonic()
        process.communicate(timeout=20)
        assert time.monotonic() - began < 5
        assert left_behind(box) == dict.fromkeys(WORKERS, "0\n")
    finally:
        on(box, "worker-0", "sudo ip route del blackhole 10.200.2.0/24")


def test_two_looks_at_once_do_not_disturb_each_other(box: Sandbox, routed: Inventory) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.observed.look_at_sandbox",
        box.target.endpoint,
        box.target.ssh.config,
    ]
    other = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    )
    seen = [look_into_nodes(box.target, routed, INTENDED) for _ in range(3)]
    assert other.wait(30) == 0
    for each in seen:
        assert [str(probe) for probe in each.probes if not probe.reached] == []
    assert left_behind(box) == dict.fromkeys(WORKERS, "0\n")
