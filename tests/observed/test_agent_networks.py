"""The agent where a network is installed whole, or a plugin wraps another one's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from kthw.observed.agent.cni import cni_files
from kthw.observed.agent.node import AGENTS, running_agents
from sandbox.faults import flannel
from tests.observed.two_nodes import CLEAN, NO_NODES, PLUGINS, TwoNodes

MULTUS: dict[str, Any] = {"cniVersion": "0.4.0", "name": "multus-cni-network", "type": "multus"}
CALICO = {"name": "k8s-pod-network", "plugins": [{"type": "calico"}, {"type": "bandwidth"}]}


def read(folder: Path, *fields: str) -> list[tuple[str, ...]]:
    return [tuple(said[field] for field in fields) for said, _ in cni_files(str(folder))]


def test_of_a_wrapper_the_plugins_inside_are_told(tmp_path: Path) -> None:
    (tmp_path / "00-multus.conf").write_text(json.dumps({**MULTUS, "delegates": [CALICO, {"type": "sriov"}]}))
    (tmp_path / "10-calico.conflist").write_text(json.dumps(CALICO))
    assert read(tmp_path, "file", "type", "through", "name") == [
        ("00-multus.conf", "calico", "multus", "k8s-pod-network"),
        ("00-multus.conf", "bandwidth", "multus", "k8s-pod-network"),
        ("10-calico.conflist", "calico", "", "k8s-pod-network"),
        ("10-calico.conflist", "bandwidth", "", "k8s-pod-network"),
    ]


@pytest.mark.parametrize("inside", [None, [], "calico", [7], {"type": "calico"}, [{"plugins": []}], [{}]])
def test_a_wrapper_of_nothing_that_can_be_read_is_itself_or_a_problem(tmp_path: Path, inside: object) -> None:
    (tmp_path / "00-multus.conf").write_text(json.dumps({**MULTUS, "delegates": inside}))
    ((said, _),) = cni_files(str(tmp_path))
    assert said.get("type") == "multus" or said["problem"] in ("no plugin in the list", "no plugin type")


def test_delegates_of_what_wraps_nothing_are_its_own_affair(tmp_path: Path) -> None:
    (tmp_path / "10.conf").write_text(json.dumps({"type": "bridge", "delegates": [CALICO]}))
    assert read(tmp_path, "type", "through") == [("bridge", "")]


@pytest.mark.parametrize(
    ("delegate", "bridge"),
    [({}, "cni0"), ({"bridge": "cbr0"}, "cbr0"), ({"type": "ipvlan"}, ""), (7, "cni0")],
)
def test_flannel_s_pods_hang_on_the_bridge_that_it_has_made(
    tmp_path: Path, delegate: object, bridge: str
) -> None:
    (tmp_path / "10.conf").write_text(json.dumps({"type": "flannel", "delegate": delegate}))
    assert read(tmp_path, "bridge") == [(bridge,)]


@NO_NODES
@pytest.mark.parametrize("wraps", ["inside", "the next file"])
def test_a_pod_is_made_by_what_the_wrapper_hands_it_to(nodes: TwoNodes, wraps: str) -> None:
    """The wrapper itself needs the cluster's API, and would be asked for nothing else."""
    folder = nodes.configs(0)
    bridge = json.loads((folder / "10-bridge.conf").read_text())
    if wraps == "inside":
        (folder / "10-bridge.conf").unlink()
        (folder / "00-multus.conf").write_text(json.dumps({**MULTUS, "delegates": [bridge]}))
    else:
        (folder / "00-multus.conf").write_text(json.dumps(MULTUS))
    session = nodes.session(0)
    assert nodes.make_pod(session, 0) == "10.200.0.2"
    session.close()
    assert nodes.trace(0) == CLEAN


@NO_NODES
def test_a_pod_of_flannel_s_is_made_and_taken_back_with_its_bridge(nodes: TwoNodes, tmp_path: Path) -> None:
    """By the addresses of the agent's lease; no pod CIDR stands in any file."""
    folder, lease = nodes.configs(0), tmp_path / "subnet.env"
    for file in folder.iterdir():
        file.unlink()
    (folder / "10-flannel.conflist").write_text(json.dumps(flannel.CONFLIST))
    lease.write_text("FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.7.0/24\nFLANNEL_MTU=1450\n")
    program = tmp_path / "bin" / "flannel"
    program.parent.mkdir()
    program.write_text(flannel.plugin(str(lease), str(tmp_path / "ipam0")))
    program.chmod(0o755)
    runtime = tmp_path / "config.toml"
    runtime.write_text(f'bin_dirs = ["{program.parent}", "{PLUGINS}"]\n')
    session = nodes.session(0)
    places = {**nodes.places(0), "runtime": str(runtime)}
    made = session.request("pod", deadline=30, worker="worker-0", run="r1", port=8080, **places)
    assert made["address"] == "10.244.7.2"
    assert "cni0" in {link["ifname"] for link in json.loads(nodes.on(0, "ip", "-j", "link"))}
    session.close()
    assert nodes.trace(0) == CLEAN


@NO_NODES
def test_the_agents_of_networks_are_seen_where_they_run(nodes: TwoNodes, tmp_path: Path) -> None:
    """In a container or not; nobody else's processes are told of."""
    session = nodes.session(0)
    assert session.request("facts", deadline=10, **nodes.places(0))["cni_agents"] == []
    sleep = shutil.which("sleep")
    assert sleep
    for name in ("calico-node", "flanneld", "secret-agent"):
        shutil.copy(sleep, tmp_path / name)
        nodes.on(0, "sh", "-c", f"setsid {tmp_path / name} 100 </dev/null >/dev/null 2>&1 &")
    # What the shell has started has its own name only once it has become the other program.
    nodes.on(0, "sh", "-c", "until pgrep -x calico-node && pgrep -x flanneld; do :; done")
    told = session.request("facts", deadline=10, **nodes.places(0))["cni_agents"]
    assert told == ["calico-node", "flanneld"]
    assert set(told) <= set(AGENTS)


def test_a_process_that_ends_while_it_is_looked_at_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """As /proc has it: the name is listed, and whoever asks for it is told ESRCH."""

    def ended(_path: Path, *_args: Any, **_options: Any) -> Any:
        raise ProcessLookupError

    monkeypatch.setattr(Path, "stat", ended)
    monkeypatch.setattr(Path, "read_text", ended)
    assert running_agents() == []
