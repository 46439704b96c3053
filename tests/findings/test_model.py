"""What the model of the network finds of the evidence, where no check asks it just so."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.errors import CouldNotLook, LookError
from kthw.network.arrival import interfaces, interfaces_of_probe, undecided
from kthw.network.model import Network
from kthw.observed.cni_networks import pod_network
from kthw.observed.evidence import CniConfig, Evidence, Route, TargetSeen
from tests.findings.changed_aws import (
    inventory_of,
    with_instance,
    with_inventory,
    with_more_instances,
    with_route,
    with_second_interface,
    with_user_data,
    without_instance,
    without_route,
)
from tests.findings.changed_nodes import with_cni, with_node, with_way
from tests.findings.clusters import GATEWAY, GROUP, OK, ONE, SUBNET, TABLE, healthy, instance, node, route

GONE = without_instance(OK, "worker-1")


def with_errors(evidence: Evidence, *errors: LookError) -> Evidence:
    return replace(evidence, errors=errors)


def test_of_namesakes_those_that_are_gone_are_known_apart() -> None:
    network = Network(with_more_instances(OK, instance(7, "worker-1", state="terminated")))
    assert [each.id for each in network.bearing("worker-1")] == ["i-01"]
    assert [each.id for each in network.gone("worker-1")] == ["i-07"]


def test_a_worker_whose_subnet_is_not_known_is_nowhere() -> None:
    network = Network(with_instance(OK, "worker-1", subnet=""))
    assert list(network.located) == ["worker-0", "worker-2"]
    assert network.ruling("worker-1") is None
    assert Network(GONE).ruling("worker-1") is None


def test_a_table_that_was_not_seen_is_what_could_not_be_looked_at() -> None:
    with pytest.raises(CouldNotLook) as raised:
        Network(with_inventory(OK, route_tables=())).ruling("worker-1")
    assert raised.value.error == LookError(code="aws-refused", subject=SUBNET, detail="DescribeRouteTables")
    with pytest.raises(CouldNotLook):
        Network(with_inventory(OK, route_tables=())).rulings_towards("worker-1")


def test_the_router_has_the_first_address_of_a_subnet_that_was_seen() -> None:
    assert Network(OK).router(SUBNET) == "10.0.1.1"
    assert Network(OK).router("subnet-0nowhere") == ""
    for cidr, first in (("", ""), ("10.0.1.0/32", "10.0.1.0")):
        subnets = tuple(replace(each, cidr=cidr) for each in inventory_of(OK).subnets)
        assert Network(with_inventory(OK, subnets=subnets)).router(SUBNET) == first


@pytest.mark.parametrize(
    ("leading", "there"),
    [
        (route(1, ONE), True),
        (Route(destination=ONE, instance="i-01"), True),
        (Route(destination=ONE, network_interface="eni-01"), True),
        (route(0, ONE), False),
        (Route(destination=ONE, gateway=GATEWAY), False),
    ],
    ids=["both", "instance", "interface", "another", "gateway"],
)
def test_a_route_leads_to_a_worker_that_is_there(leading: Route, *, there: bool) -> None:
    assert Network(OK).goes_to(leading, "worker-1") is there
    assert not Network(GONE).goes_to(leading, "worker-1")


@pytest.mark.parametrize(
    ("evidence", "login"),
    [
        (
            with_instance(OK, "worker-1", public_address=""),
            "ssh -i kubernetes.id_rsa ubuntu@10.0.1.21",
        ),
        (replace(OK, nodes={}), "ssh -i kubernetes.id_rsa ubuntu@203.0.113.21"),
        (GONE, "ssh -i kubernetes.id_rsa ubuntu@worker-1"),
        (
            replace(OK, target=TargetSeen(kind="sandbox", endpoint="http://127.0.0.1:5000")),
            "ssh -F KTHW_SSH_CONFIG ubuntu@203.0.113.21",
        ),
    ],
    ids=["private", "nobody got in", "missing", "simulated"],
)
def test_where_nobody_told_of_a_login_it_is_the_tutorials(evidence: Evidence, login: str) -> None:
    assert Network(evidence).login("worker-1") == login


def test_a_login_that_was_told_is_the_one_to_type() -> None:
    login = "ssh -i other.pem admin@203.0.113.21"
    assert Network(with_node(OK, "worker-1", login=login)).login("worker-1") == login


def test_the_instances_that_routes_lead_to_are_those_in_use() -> None:
    network = Network(with_more_instances(without_route(OK, ONE), instance(7, "worker-1")))
    assert network.routed == {"i-00", "i-02"}


SSH = LookError(code="ssh-unreachable", subject="worker-1", worker="worker-1")
DENIED = LookError(code="access-denied", subject="worker-1", worker="worker-1")
THROTTLED = LookError(code="throttled", subject="worker-1", worker="worker-1", kind="user-data")


def test_why_user_data_is_not_known_is_what_aws_said_of_it() -> None:
    def why(*errors: LookError) -> LookError:
        return Network(with_errors(OK, *errors)).user_data_error("worker-1")

    untold = LookError(
        code="aws-refused", subject="worker-1 (i-01, 10.0.1.21)", worker="worker-1", detail="userData"
    )
    assert why(SSH, DENIED, THROTTLED) is THROTTLED
    assert why(SSH, THROTTLED, DENIED) is THROTTLED
    assert why(SSH, DENIED) is DENIED
    assert why(SSH) == why() == untold


def test_why_there_is_no_inventory_is_an_error_of_the_whole_run() -> None:
    refused = LookError(code="credentials-refused", subject="account")
    with pytest.raises(CouldNotLook) as raised:
        Network(with_errors(replace(OK, inventory=None), SSH, refused))
    assert raised.value.error is refused


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ((CniConfig(file="00.conf", problem="no JSON", type="bridge"),), "10-bridge.conf"),
        ((CniConfig(file="00.conf"),), "10-bridge.conf"),
        ((CniConfig(file="00.conf", type="loopback"),), "10-bridge.conf"),
        ((CniConfig(file="90.conf", type="ptp"), CniConfig(file="00.conf", type="ptp")), "00.conf"),
    ],
    ids=["unreadable", "of no type", "loopback", "first by name"],
)
def test_the_file_that_makes_pods_is_the_first_that_can(files: tuple[CniConfig, ...], found: str) -> None:
    seen = node("worker-1", ONE)
    config = pod_network(replace(seen, cni=(*files, *seen.cni)))
    assert config
    assert config.file == found


def test_groups_are_known_where_all_of_them_were_seen() -> None:
    network = Network(OK)
    (eni,) = network.located["worker-1"].network_interfaces
    assert [group.id for group in network.groups.of(eni)] == [GROUP]
    assert network.groups.of(replace(eni, security_groups=(GROUP, "sg-0shared"))) == ()
    assert network.groups.of(None) == ()


LIST = "pl-0a"
SECOND = with_route(
    with_second_interface(OK, 1), Route(destination=LIST, network_interface="eni-11", foreign=True)
)


@pytest.mark.parametrize(
    ("evidence", "by"),
    [
        (SECOND, LIST),
        (with_route(SECOND, Route(destination=ONE, network_interface="eni-11")), ""),
        (with_route(OK, route(1, LIST)), ""),
        (with_route(OK, route(0, LIST)), ""),
        (without_instance(SECOND, "worker-1"), ""),
    ],
    ids=["another", "known", "primary", "another worker's", "missing"],
)
def test_a_list_that_was_not_read_leaves_open_whether_packets_arrive_elsewhere(
    evidence: Evidence, by: str
) -> None:
    assert undecided(Network(evidence), "worker-1", TABLE) == by


TO_SECOND = with_route(with_second_interface(OK, 1), Route(destination=ONE, network_interface="eni-11"))
UNSAID = with_cni(with_user_data(without_route(TO_SECOND, ONE), "worker-1"), "worker-1", subnet="")

BY_KERNEL = with_way(
    with_second_interface(OK, 1),
    "worker-0",
    "worker-1",
    via="10.0.1.121",
    route=f"{ONE} via 10.0.1.121 dev ens5",
)
"""One node hands them to the second ENI, in a lab judged by the VPC's routes."""


@pytest.mark.parametrize(
    ("evidence", "arrive"),
    [
        (TO_SECOND, ["eni-11"]),
        (with_node(TO_SECOND, "worker-1", pod="10.201.1.2"), ["eni-11"]),
        (with_node(TO_SECOND, "worker-1", pod=""), ["eni-11"]),
        (replace(TO_SECOND, nodes={}), ["eni-11"]),
        (UNSAID, ["eni-01"]),
        (BY_KERNEL, ["eni-01"]),
        (GONE, []),
        (with_instance(healthy(2), "worker-1", network_interfaces=()), []),
    ],
    ids=[
        "routed",
        "outside the range",
        "no pod",
        "unseen",
        "no pod CIDR",
        "by one kernel",
        "missing",
        "no interface",
    ],
)
def test_packets_arrive_where_routes_lead_or_else_at_the_primary_eni(
    evidence: Evidence, arrive: list[str]
) -> None:
    for find in (interfaces, interfaces_of_probe):
        assert [eni.id for eni in find(Network(evidence), "worker-1", TABLE)] == arrive


def test_why_a_list_that_no_recording_tells_of_is_not_known() -> None:
    untold = LookError(code="aws-refused", subject=LIST, detail="GetManagedPrefixListEntries")
    assert Network(OK).prefix_lists.unread(LIST).error == untold


def test_the_way_to_a_pod_is_the_first_that_was_told_not_that_of_a_part() -> None:
    ways = OK.nodes["worker-0"].ways
    part = replace(ways[0], address="10.200.1.129", via="10.0.1.22")
    network = Network(with_node(OK, "worker-0", ways=(*ways, part)))
    assert network.probes.way("worker-0", "worker-1") is ways[0]
