"""What of a CNI file is told, and of whose: of the one that counts, that a person wrote, and is to mend."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from kthw.errors import CouldNotLook
from kthw.findings.cni_config import another_meant, gives_pods_all, in_part, shut_in
from kthw.findings.finding import Finding
from kthw.intended.cluster import CNI_PLUGIN
from kthw.network.model import Network
from kthw.observed.evidence import CniConfig, Evidence
from tests.findings.changed_aws import with_user_data
from tests.findings.changed_nodes import failing, masquerade_off, with_cni, with_node
from tests.findings.clusters import OK, healthy
from tests.findings.faults_of_cni import UNDER_ITS_OWN, with_another
from tests.findings.faults_of_node_routes import meaning

BRIDGE = OK.nodes["worker-1"].cni[0]
PODS, VPC = "10.200.0.0/16", "10.0.0.0/16"
NOTHING_SAID = with_user_data(OK, "worker-1")
COPIED = with_user_data(OK, "worker-1", pod_cidr="10.200.0.0/24")


def found(evidence: Evidence) -> list[Finding]:
    return gives_pods_all(Network(evidence), "worker-1")


def variants(evidence: Evidence) -> list[str]:
    return [each.variant for each in found(evidence)]


def files(*configs: CniConfig, evidence: Evidence = OK) -> Evidence:
    return with_node(evidence, "worker-1", cni=configs)


def first(**changes: Any) -> CniConfig:
    """Another tool's file, that comes before the tutorial's."""
    return replace(BRIDGE, **{"file": "05-podman.conf", "subnet": "10.88.0.0/16", **changes})


def test_only_of_a_file_made_by_hand_must_be_known_what_it_says_of_gateway_and_routes() -> None:
    older = {"gateway": None, "routes": None}
    with pytest.raises(CouldNotLook) as raised:
        found(with_cni(OK, "worker-1", **older))
    assert raised.value.error.variant == "untold-file"
    file = "/etc/cni/net.d/10-bridge.conf"
    assert raised.value.error.facts == {"login": Network(OK).login("worker-1"), "file": file}
    assert found(with_cni(OK, "worker-1", type="ptp", **older)) == []
    assert found(with_cni(OK, "worker-1", ipam="dhcp", **older)) == []


def test_what_was_not_told_of_routes_shuts_nobody_in() -> None:
    assert shut_in(Network(with_cni(OK, "worker-1", routes=None)), "worker-1") == []


@pytest.mark.parametrize("evidence", [NOTHING_SAID, COPIED], ids=["nothing said", "another's"])
def test_without_a_pod_cidr_of_its_own_nothing_is_a_part_of_it_or_meant(evidence: Evidence) -> None:
    """That is to be mended first; and which addresses are right is not known before."""
    network = Network(with_cni(evidence, "worker-1", subnet="10.200.0.0/25"))
    assert in_part(network, "worker-1") == []
    for subnet in ("", "10.200.0.0/24"):
        network = Network(files(first(), replace(BRIDGE, subnet=subnet), evidence=evidence))
        assert another_meant(network, "worker-1") == []


def test_of_a_node_that_nobody_saw_and_of_what_is_no_range_nothing_is_told() -> None:
    unseen = Network(replace(OK, nodes={}))
    assert in_part(unseen, "worker-1") == another_meant(unseen, "worker-1") == []
    assert in_part(Network(with_cni(OK, "worker-1", subnet="")), "worker-1") == []


def test_another_file_is_meant_only_where_it_is_another_and_by_hand() -> None:
    assert variants(files(first(), BRIDGE)) == ["another"]
    assert found(files(first(), first(subnet=BRIDGE.subnet))) == []
    assert found(files(first(), first(file="20-flannel.conf", type="flannel", subnet=BRIDGE.subnet))) == []


def test_a_file_without_a_subnet_is_told_with_a_dash() -> None:
    (told,) = found(with_another(""))
    assert told.observed == "/etc/cni/net.d/05-podman.conf: —"
    assert told.facts["cni_subnet"] == "—"


@pytest.mark.parametrize(
    "routes",
    [
        ("10.1.0.0/16", "10.201.0.0/16"),
        ("::/0",),
        (PODS,),
        (VPC, "10.200.1.0/24", "10.200.2.0/24"),
    ],
    ids=["to nobody", "of IPv6", "to the pods, and not to the VPC", "to the VPC, and not to all others"],
)
def test_routes_that_lead_not_to_all_others_shut_pods_in(routes: tuple[str, ...]) -> None:
    (told,) = found(with_cni(masquerade_off(OK), "worker-1", routes=routes))
    assert (told.variant, told.observed) == ("no-route", ", ".join(routes))


def test_routes_to_the_vpc_and_to_each_other_workers_pods_are_enough() -> None:
    routes = (VPC, "10.200.0.0/24", "10.200.2.0/24")
    assert found(with_cni(masquerade_off(OK), "worker-1", routes=routes)) == []


def bare(count: int, *workers: str) -> Evidence:
    """Of so many, those let their pods out under their own addresses, and they reach no internet."""
    evidence = healthy(count)
    for worker in workers:
        evidence = failing(with_cni(evidence, worker, ip_masq=False), (worker, ""), kind="internet")
    return evidence


def test_that_one_masquerades_not_is_wrong_where_more_than_half_of_those_seen_do() -> None:
    assert variants(bare(5, "worker-1", "worker-3")) == ["no-masquerade"]
    assert found(bare(5, "worker-1", "worker-3", "worker-4")) == []
    unseen = {worker: node for worker, node in UNDER_ITS_OWN.nodes.items() if worker != "worker-2"}
    assert found(replace(UNDER_ITS_OWN, nodes=unseen)) == []


def test_that_a_packet_reached_the_internet_is_enough() -> None:
    assert variants(UNDER_ITS_OWN) == ["no-masquerade"]
    alone = with_cni(OK, "worker-1", ip_masq=False)
    assert found(failing(alone, ("worker-1", ""), kind="internet", protocols=("icmp",))) == []


@pytest.mark.parametrize(
    ("count", "others"),
    [(4, "worker-0, worker-2, worker-3"), (5, "worker-0, worker-2, worker-3, …")],
)
def test_of_many_that_masquerade_three_are_named(count: int, others: str) -> None:
    (told,) = found(bare(count, "worker-1"))
    assert told.facts["others"] == others


def test_what_others_write_or_hand_on_is_nobodys_to_mend() -> None:
    """No bridge made by hand, a wrapper before it, a network that was asked for by name."""
    assert found(with_cni(UNDER_ITS_OWN, "worker-1", type="ptp")) == []
    closed = with_cni(OK, "worker-1", gateway=False)
    assert shut_in(Network(closed), "worker-1") != []
    assert shut_in(Network(with_cni(closed, "worker-1", through="multus")), "worker-1") == []
    assert shut_in(Network(meaning(closed, CNI_PLUGIN)), "worker-1") == []
    assert shut_in(Network(replace(closed, nodes={})), "worker-1") == []


@pytest.mark.parametrize(("bridge", "told"), [("br0", "br0"), ("", "cnio0")])
def test_the_bridge_is_told_by_its_name_or_the_tutorials(bridge: str, told: str) -> None:
    (wrong,) = found(with_cni(OK, "worker-1", bridge=bridge, gateway=False))
    assert wrong.facts["bridge"] == told
