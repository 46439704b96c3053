"""The agent on a worker: what it sees, the pod it makes, and that nothing of it stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kthw.observed.agent import node
from kthw.observed.ssh.session import Session
from tests.observed.two_nodes import CLEAN, PLUGINS, TwoNodes, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")


def facts(nodes: TwoNodes, session: Session, number: int = 0) -> dict[str, Any]:
    return session.request("facts", deadline=10, **nodes.places(number))


def failure(nodes: TwoNodes, session: Session | None = None) -> dict[str, Any]:
    """Why node 0 makes no pod."""
    answer = nodes.ask_for_pod(session or nodes.session(0), 0)
    assert answer["address"] == ""
    told: dict[str, Any] = answer["failure"]
    return told


# --------------------------------------------------------------------------- facts


def test_the_facts_are_the_node_as_it_was_found(nodes: TwoNodes) -> None:
    """Its own addresses without the bridge's, forwarding, the CNI files in order, the plugins."""
    session = nodes.session(0)
    seen = facts(nodes, session)
    assert seen["addresses"] == ["10.0.1.20"]
    assert seen["ip_forward"] is True
    assert "bridge" in seen["cni_plugins"]
    assert [each["file"] for each in seen["cni"]] == ["10-bridge.conf", "99-loopback.conf"]
    assert seen["cni"][0] == {
        "file": "10-bridge.conf",
        "type": "bridge",
        "ipam": "host-local",
        "name": "bridge",
        "bridge": "cnio0",
        "subnet": "10.200.0.0/24",
        "ip_masq": True,
        "gateway": True,
        "routes": ["0.0.0.0/0"],
        "through": "",
    }
    nodes.make_pod(session, 0)
    assert facts(nodes, session)["addresses"] == ["10.0.1.20"]


def test_forwarding_that_is_off_is_seen(nodes: TwoNodes) -> None:
    nodes.on(0, "sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward")
    assert facts(nodes, nodes.session(0))["ip_forward"] is False


def test_cni_files_of_every_form_are_read(nodes: TwoNodes) -> None:
    """A list has an entry per plugin, a broken file its problem, and other files do not count."""
    folder = nodes.configs(0)
    for file in folder.iterdir():
        file.unlink()
    (folder / "05-broken.conf").write_text("{")
    (folder / "06-empty.conf").write_text('{"name": "x"}')
    listed = {
        "name": "podnet",
        "plugins": [
            {"type": "bridge", "ipam": {"subnet": "10.200.0.0/24"}},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
    (folder / "10-list.conflist").write_text(json.dumps(listed))
    (folder / "README").write_text("not this")
    (folder / "10-calico.conflist.broken").write_text("{")
    seen = facts(nodes, nodes.session(0))["cni"]
    assert [(each["file"], each.get("type", ""), each.get("subnet", "")) for each in seen] == [
        ("05-broken.conf", "", ""),
        ("06-empty.conf", "", ""),
        ("10-list.conflist", "bridge", "10.200.0.0/24"),
        ("10-list.conflist", "portmap", ""),
    ]
    assert seen[0]["problem"]
    assert seen[1]["problem"] == "no plugin type"
    assert seen[2]["bridge"] == "cni0"


RUNTIMES = {
    "none": (None, "{usual}"),
    "nothing in it": ("", "{usual}"),
    "of Debian's package": ('[plugins."io.containerd.grpc.v1.cri".cni]\n  bin_dir = "{other}"\n', "{other}"),
    "of containerd 2": ("[plugins]\n    bin_dir = ''\n    bin_dirs = ['{other}', \"/x\"]\n", "{other} /x"),
    "over several lines": ('bin_dirs = [\n  "/x",\n  "{other}",\n]\n', "/x {other}"),
    "a remark": ('# bin_dir = "{other}"\nconf_dir = "/x"\n', "{usual}"),
    "no folders": ('bin_dir = "x"\nbin_dirs = ["", "/a:/b", 7]\n', "{usual}"),
}


@pytest.mark.parametrize(("runtime", "expected"), RUNTIMES.values(), ids=RUNTIMES)
def test_plugins_are_looked_for_where_the_runtimes_configuration_says(
    tmp_path: Path, runtime: str | None, expected: str
) -> None:
    """Programs that can be run; and a pod is made with those that are there."""
    folders = {"usual": tmp_path / "usual", "other": tmp_path / "other"}
    for name, folder in folders.items():
        folder.mkdir()
        (folder / f"of-{name}").touch(mode=0o755)
        (folder / "no-program").touch(mode=0o644)
        (folder / "folder").mkdir()
    if runtime is not None:
        (tmp_path / "config.toml").write_text(runtime.replace("{other}", str(folders["other"])))
    asked = {"plugins": str(folders["usual"]), "runtime": str(tmp_path / "config.toml")}
    seen = node.facts({"configs": str(tmp_path / "none"), **asked})
    assert seen["cni_path"] == expected.format(**folders).split()
    there = [name for name, folder in folders.items() if str(folder) in seen["cni_path"]]
    assert seen["cni_plugins"] == [f"of-{name}" for name in there]


def test_a_pod_is_made_with_the_plugins_that_the_runtime_has(nodes: TwoNodes, tmp_path: Path) -> None:
    """Those in the usual folder do not count then, for us as for the runtime."""
    runtime = tmp_path / "config.toml"
    (tmp_path / "empty").mkdir()
    places = {**nodes.places(0), "plugins": str(tmp_path / "empty"), "runtime": str(runtime)}
    runtime.write_text(f'bin_dirs = ["{tmp_path / "empty"}", "{PLUGINS}"]\n')
    session = nodes.session(0)
    asked = {"worker": "worker-0", "run": "r1", "port": 8080}
    assert session.request("pod", deadline=30, **asked, **places)["address"] == "10.200.0.2"
    runtime.write_text(f'bin_dir = "{tmp_path / "empty"}"\n')
    seen = session.request("facts", deadline=10, **places)
    assert (seen["cni_plugins"], seen["cni_elsewhere"]) == (
        [],
        [f"{PLUGINS}/bridge", f"{PLUGINS}/host-local", f"{PLUGINS}/loopback"],
    )
    refused = session.request("pod", deadline=30, **asked, **places)
    assert refused["failure"]["cause"] == "no-program"


def test_no_cni_files_are_no_entries(nodes: TwoNodes) -> None:
    session = nodes.session(0)
    assert session.request("facts", deadline=10, configs="/nonexistent", plugins="/nonexistent")["cni"] == []


# --------------------------------------------------------------------------- the pod


def test_a_pod_gets_its_address_from_the_nodes_own_configuration(nodes: TwoNodes) -> None:
    session = nodes.session(0)
    assert nodes.make_pod(session, 0) == "10.200.0.2"
    assert "cnio0" in nodes.trace(0)["links"]  # type: ignore[operator]  # it is a list
    assert nodes.reservations(0) == ["10.200.0.2"]


def test_a_pod_has_no_name_in_run_netns(nodes: TwoNodes) -> None:
    nodes.make_pod(nodes.session(0), 0)
    assert sorted(nodes.on(0, "ls", "/run/netns").split()) == ["node0", "node1"]


def test_the_end_takes_everything_back(nodes: TwoNodes) -> None:
    """The address, the masquerade rule, the veth, and the bridge that the pod had brought."""
    session = nodes.session(0)
    nodes.make_pod(session, 0)
    assert session.request("end", deadline=20)["ended"]
    left = nodes.trace(0)
    assert {**left, "processes": []} == CLEAN
    session.close()
    assert nodes.trace(0) == CLEAN


def test_hanging_up_takes_everything_back(nodes: TwoNodes) -> None:
    session = nodes.session(0)
    nodes.make_pod(session, 0)
    session.close()
    assert nodes.trace(0) == CLEAN


@pytest.mark.parametrize("signal", ["TERM", "HUP", "INT"])
def test_a_signal_takes_everything_back(nodes: TwoNodes, signal: str) -> None:
    nodes.make_pod(nodes.session(0), 0)
    for pid in nodes.agents(0):
        nodes.on(0, "kill", f"-{signal}", str(pid))
    assert nodes.until_clean(0) == CLEAN


def test_kill_9_leaves_no_namespace_and_the_next_agent_sweeps_the_rest(nodes: TwoNodes) -> None:
    """The kernel takes the pod; the reserved address and the rule wait for the next pod to be made."""
    nodes.make_pod(nodes.session(0), 0)
    nodes.on(0, "kill", "-9", str(min(nodes.agents(0))))
    nodes.until_clean(0, 0.5)
    left = nodes.trace(0)
    assert left["processes"] == []
    assert left["links"] == ["cnio0", "ens5", "lo"]
    assert nodes.reservations(0) == ["10.200.0.2"]
    assert left["nat"]
    session = nodes.session(0)
    nodes.make_pod(session, 0)
    assert len(nodes.reservations(0)) == 1
    session.close()
    assert nodes.trace(0) == CLEAN


def test_the_sweep_leaves_the_living_and_strangers_alone(nodes: TwoNodes) -> None:
    """Two runs at once, and a pod of kubelet's: none loses its address."""
    first, second = nodes.session(0), nodes.session(0)
    nodes.make_pod(first, 0)
    folder = nodes.directory / "ipam0" / "bridge"
    (folder / "10.200.0.99").write_text("3f2a9c\r\neth0")
    (folder / "10.200.0.98").write_text("kthw-probe-of-somebody\r\neth0")
    assert nodes.make_pod(second, 0) == "10.200.0.3"
    assert nodes.reservations(0) == ["10.200.0.2", "10.200.0.3", "10.200.0.98", "10.200.0.99"]
    second.close()
    assert nodes.reservations(0) == ["10.200.0.2", "10.200.0.98", "10.200.0.99"]
    assert "cnio0" in nodes.trace(0)["links"]  # type: ignore[operator]  # it is a list
    first.close()


def test_the_sweep_frees_an_address_whose_configuration_is_gone(nodes: TwoNodes) -> None:
    folder = nodes.directory / "ipam0" / "oldnet"
    folder.mkdir(parents=True)
    (folder / "10.9.9.9").write_text("kthw-probe-99999-1\r\neth0")
    nodes.make_pod(nodes.session(0), 0)
    assert not (folder / "10.9.9.9").exists()


def test_a_bridge_that_was_there_stays(nodes: TwoNodes) -> None:
    nodes.on(0, "ip", "link", "add", "cnio0", "type", "bridge")
    session = nodes.session(0)
    nodes.make_pod(session, 0)
    session.close()
    assert nodes.trace(0) == {**CLEAN, "links": ["cnio0", "ens5", "lo"]}


def test_the_last_of_two_pods_takes_the_bridge_that_the_first_brought(nodes: TwoNodes) -> None:
    """A bridge left with an address would break the next pod after the student mends the subnet."""
    first, second = nodes.session(0), nodes.session(0)
    nodes.make_pod(first, 0)
    nodes.make_pod(second, 0)
    first.close()
    assert "cnio0" in nodes.trace(0)["links"]  # type: ignore[operator]  # it is a list
    second.close()
    assert nodes.trace(0) == CLEAN


def test_a_failed_pod_takes_its_bridge_along(nodes: TwoNodes) -> None:
    """Where the subnet is empty the plugin makes the bridge, fails, and cannot undo it either."""
    nodes.configure(0, ipam={"type": "host-local", "ranges": [[{"subnet": ""}]]})
    failure(nodes)
    assert nodes.trace(0)["links"] == ["ens5", "lo"]


def test_forwarding_is_left_as_it_was_found(nodes: TwoNodes) -> None:
    """The bridge plugin turns it on; we came to measure, not to mend."""
    nodes.on(0, "sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward")
    nodes.make_pod(nodes.session(0), 0)
    assert nodes.on(0, "cat", "/proc/sys/net/ipv4/ip_forward") == "0\n"


def test_a_list_of_plugins_is_chained(nodes: TwoNodes) -> None:
    folder = nodes.configs(0)
    bridge = json.loads((folder / "10-bridge.conf").read_text())
    (folder / "10-bridge.conf").unlink()
    plugins = [bridge, {"type": "tuning", "sysctl": {"net.ipv4.conf.eth0.rp_filter": "0"}}]
    (folder / "10.conflist").write_text(
        json.dumps({"cniVersion": "0.4.0", "name": "bridge", "plugins": plugins})
    )
    session = nodes.session(0)
    assert nodes.make_pod(session, 0) == "10.200.0.2"
    session.close()
    assert nodes.trace(0) == CLEAN


def test_the_first_network_by_file_name_counts_and_loopback_is_none(nodes: TwoNodes) -> None:
    (nodes.configs(0) / "01-loopback.conf").write_text(
        '{"cniVersion": "0.4.0", "name": "lo", "type": "loopback"}'
    )
    (nodes.configs(0) / "02-broken.conf").write_text("{")
    session = nodes.session(0)
    answer = session.request("pod", deadline=30, worker="worker-0", run="r1", port=8080, **nodes.places(0))
    assert answer["file"] == "10-bridge.conf"


def test_a_plugins_own_words_are_reported(nodes: TwoNodes) -> None:
    """As with the empty subnet that a 401 from the metadata service leaves in the file."""
    ipam = {"type": "host-local", "ranges": [[{"subnet": ""}]]}
    nodes.configure(0, ipam=ipam)
    told = failure(nodes)
    assert (told["cause"], told["file"], told["plugin"]) == ("refused", "10-bridge.conf", "bridge")
    assert "bridge ADD" in told["said"]
    assert "invalid CIDR address" in told["said"]
    assert nodes.trace(0)["reservations"] == []


def test_a_plugin_that_fails_half_way_leaves_nothing(nodes: TwoNodes) -> None:
    folder = nodes.configs(0)
    bridge = json.loads((folder / "10-bridge.conf").read_text())
    (folder / "10-bridge.conf").unlink()
    plugins = [bridge, {"type": "tuning", "sysctl": {"net.ipv4.no_such_thing": "0"}}]
    (folder / "10.conflist").write_text(
        json.dumps({"cniVersion": "0.4.0", "name": "bridge", "plugins": plugins})
    )
    assert "tuning ADD" in failure(nodes)["said"]
    assert {**nodes.trace(0), "processes": []} == CLEAN


def test_a_plugin_that_is_not_there_is_named(nodes: TwoNodes) -> None:
    nodes.configure(0, type="calico")
    told = failure(nodes)
    assert (told["cause"], told["plugin"]) == ("no-program", "calico")
    assert PLUGINS in told["said"]


def test_no_configuration_at_all_is_said(nodes: TwoNodes) -> None:
    for file in nodes.configs(0).iterdir():
        file.unlink()
    assert failure(nodes)["cause"] == "no-network"


def test_a_session_goes_on_after_a_pod_that_failed(nodes: TwoNodes) -> None:
    session = nodes.session(0)
    nodes.configure(0, type="calico")
    failure(nodes, session)
    assert facts(nodes, session)["hostname"]
