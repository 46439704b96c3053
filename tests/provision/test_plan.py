"""The plan decides for every worker before anything is done: pure, and a table of cases."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.findings.routes import route_to_worker
from kthw.intended.cluster import Intended
from kthw.network.model import Network
from kthw.observed.evidence import (
    Evidence,
    Instance,
    Inventory,
    NetworkInterface,
    PrefixList,
    Route,
    RouteTable,
    Subnet,
    TargetSeen,
    UserData,
    Vpc,
)
from kthw.provision import commands
from kthw.provision.plan import Headroom, headroom, plan
from kthw.words.messages import catalogue

ONE = Intended(workers=("worker-0",))
TWO = Intended(workers=("worker-0", "worker-1"))
LOCAL = Route(destination="10.0.0.0/16", gateway="local", origin="CreateRouteTable")

LEARNED = Route(destination="10.200.0.0/24", gateway="vgw-1", origin="EnableVgwRoutePropagation")


def worker(index: int, *, pod_cidr: str = "", subnet: str = "subnet-a", enis: int = 1) -> Instance:
    interfaces = tuple(
        NetworkInterface(id=f"eni-{index}{n}", subnet=subnet, vpc="vpc-1", device_index=n)
        for n in range(enis)
    )
    return Instance(
        id=f"i-{index}",
        state="running",
        name=f"worker-{index}",
        vpc="vpc-1",
        subnet=subnet,
        address=f"10.0.1.2{index}",
        network_interfaces=interfaces,
        user_data=UserData(pairs={"pod-cidr": pod_cidr or f"10.200.{index}.0/24"}),
    )


def network(*instances: Instance, routes: tuple[Route, ...] = (), **tables: RouteTable) -> Inventory:
    """The tutorial's network: subnet-a is ruled by rtb-pods, and rtb-main rules the rest."""
    pods = RouteTable(id="rtb-pods", vpc="vpc-1", subnets=("subnet-a",), routes=(LOCAL, *routes))
    main = RouteTable(id="rtb-main", vpc="vpc-1", main=True, routes=(LOCAL,))
    return Inventory(
        account="123456789012",
        region="us-east-1",
        vpcs=(Vpc(id="vpc-1", cidrs=("10.0.0.0/16",)),),
        subnets=tuple(Subnet(id=f"subnet-{x}", vpc="vpc-1", cidr="10.0.1.0/24") for x in "ab"),
        route_tables=tuple({"main": main, "pods": pods, **tables}.values()),
        instances=instances,
    )


def route(
    target: str, state: str = "active", destination: str = "10.200.0.0/24", network_interface: str = ""
) -> Route:
    by_interface = target.startswith("eni-")
    return Route(
        destination=destination,
        state=state,
        instance="" if by_interface else target,
        network_interface=target if by_interface else network_interface,
        foreign=destination.startswith("pl-"),
    )


_CREATE = "aws ec2 create-route --route-table-id rtb-pods --destination-cidr-block 10.200.0.0/24 "
_REPLACE = _CREATE.replace("create-route", "replace-route")


@pytest.mark.parametrize(
    ("routes", "outcome", "detail", "command"),
    [
        ((), "create", "", _CREATE + "--instance-id i-0"),
        ((route("i-0"),), "exists", "", ""),
        ((route("eni-00"),), "exists", "", ""),
        ((route("i-0", network_interface="eni-00"),), "exists", "", ""),
        ((route("i-9"),), "wrong-target", "i-9 active", _REPLACE + "--instance-id i-0"),
        ((route("eni-99"),), "wrong-target", "eni-99 active", _REPLACE + "--instance-id i-0"),
        ((Route(destination="10.200.0.0/24", gateway="igw-1"),), "wrong-target", "igw-1 active", None),
        ((route("i-9", "blackhole"),), "blackhole", "i-9 blackhole", _REPLACE + "--instance-id i-0"),
        ((route("i-0", "blackhole"),), "blackhole", "i-0 blackhole", None),
        ((route("i-9", destination="10.200.0.0/16"),), "create", "", None),
        ((route("i-9", destination="10.200.0.0/25"),), "create", "", None),
        ((LEARNED,), "create", "", None),
        ((Route(destination="pl-1", gateway="vpce-1", foreign=True),), "create", "", None),
    ],
    ids=[
        "nothing", "by-instance", "by-eni", "by-both", "other-instance", "other-eni", "gateway", "dead-other",
        "dead", "wider", "narrower", "propagated", "prefix-list",
    ],
)  # fmt: skip
def test_route_that_is_there_decides_what_to_do(
    routes: tuple[Route, ...], outcome: str, detail: str, command: str | None
) -> None:
    (step,) = plan(network(worker(0), routes=routes), ONE)
    assert (step.outcome, step.detail) == (outcome, detail)
    assert (step.worker, step.address, step.pod_cidr) == ("worker-0", "10.0.1.20", "10.200.0.0/24")
    assert step.route_table == "rtb-pods"
    if command is not None:
        assert step.command == command


BY_LIST = route("i-0", destination="pl-1")
HALVES = ("10.200.0.0/25", "10.200.0.128/25")


@pytest.mark.parametrize(
    ("routes", "entries", "by"),
    [
        ((BY_LIST,), ("10.200.0.0/24",), "10.200.0.0/24 (pl-1)"),
        ((BY_LIST,), HALVES, "10.200.0.0/25 (pl-1), 10.200.0.128/25 (pl-1)"),
        ((LEARNED, BY_LIST), ("10.200.0.0/24",), "10.200.0.0/24 (pl-1)"),
        (tuple(route("i-0", destination=half) for half in HALVES), (), ", ".join(HALVES)),
        ((route("i-0", destination="10.200.0.0/20"),), (), "10.200.0.0/20"),
        ((BY_LIST,), ("10.200.0.0/25",), ""),
        ((BY_LIST,), (), ""),
        ((replace(BY_LIST, state="blackhole"),), ("10.200.0.0/24",), ""),
        ((replace(BY_LIST, instance="i-9"),), ("10.200.0.0/24",), ""),
    ],
    ids=["list", "halves by list", "before learned", "halves", "wider", "half", "empty", "dead", "other"],
)  # fmt: skip
def test_nothing_is_created_where_other_routes_lead_there(
    routes: tuple[Route, ...], entries: tuple[str, ...], by: str
) -> None:
    inventory = network(worker(0), routes=routes)
    inventory = replace(inventory, prefix_lists=(PrefixList(id="pl-1", entries=entries),))
    (step,) = plan(inventory, ONE)
    assert (step.outcome, step.detail) == (("carried", by) if by else ("create", ""))
    assert bool(step.command) is not bool(by)
    evidence = Evidence(gathered_at="", target=TargetSeen(kind="sandbox"), intended=ONE, inventory=inventory)
    missing = [f.code for f in route_to_worker(Network(evidence), "worker-0")] == ["route-missing"]
    assert not (missing and by)


def test_no_route_is_made_in_another_vpc_than_the_others() -> None:
    """Such a route would be right there, and lead no packet of the others anywhere."""
    there = replace(worker(1), vpc="vpc-2")
    steps = plan(network(worker(0), there), TWO)
    assert [(step.outcome, step.detail) for step in steps] == [
        ("create", ""),
        ("impossible", "worker-elsewhere"),
    ]


@pytest.mark.parametrize(
    ("inventory", "lacking"),
    [
        (network(), "worker-missing"),
        (network(replace(worker(0), state="terminated")), "worker-missing"),
        (network(replace(worker(0), state="shutting-down")), "worker-missing"),
        (network(replace(worker(0), state="stopped")), "worker-not-running"),
        (network(worker(0), replace(worker(1), name="worker-0")), "worker-ambiguous"),
        (network(replace(worker(0), user_data=None)), "user-data-unread"),
        (network(replace(worker(0), user_data=UserData())), "pod-cidr-missing"),
        (network(worker(0, pod_cidr="10.200.0.0")), "pod-cidr-invalid"),
        (network(worker(0, pod_cidr="10.0.3.0/24")), "pod-cidr-inside-vpc"),
        (network(replace(worker(0), subnet="subnet-unknown")), "route-table-unknown"),
    ],
    ids=[
        "none", "terminated", "ending", "stopped", "two", "unread", "absent", "invalid", "inside", "table",
    ],
)  # fmt: skip
def test_what_is_lacking_makes_a_route_impossible(inventory: Inventory, lacking: str) -> None:
    (step,) = plan(inventory, ONE)
    assert (step.outcome, step.detail, step.command) == ("impossible", lacking, "")
    for language in ("en", "pt-BR"):
        key = f"provision-impossible-{lacking}"
        assert catalogue(language).say(key) != key


@pytest.mark.parametrize("state", ["running", "pending"])
def test_worker_that_runs_or_is_about_to_gets_its_route(state: str) -> None:
    assert [s.outcome for s in plan(network(replace(worker(0), state=state)), ONE)] == ["create"]


def test_terminated_namesake_does_not_matter() -> None:
    old = replace(worker(0), id="i-old", state="terminated")
    assert [(s.outcome, s.instance) for s in plan(network(old, worker(0)), ONE)] == [("create", "i-0")]


def test_running_worker_is_meant_and_its_stopped_namesake_is_not() -> None:
    old = replace(worker(0), id="i-old", state="stopped")
    assert [(s.outcome, s.instance) for s in plan(network(old, worker(0)), ONE)] == [("create", "i-0")]


def test_instance_with_several_interfaces_is_routed_by_its_primary_one() -> None:
    (step,) = plan(network(worker(0, enis=2)), ONE)
    assert step.target == "eni-00"
    assert step.command == _CREATE + "--network-interface-id eni-00"


def test_route_to_the_second_interface_of_the_right_worker_is_there() -> None:
    assert [s.outcome for s in plan(network(worker(0, enis=2), routes=(route("eni-01"),)), ONE)] == ["exists"]


def test_host_bits_are_routed_as_aws_would() -> None:
    (step,) = plan(network(worker(0, pod_cidr="10.200.0.7/24")), ONE)
    assert (step.outcome, step.pod_cidr) == ("create", "10.200.0.0/24")


def test_subnet_without_an_association_is_ruled_by_the_main_table() -> None:
    assert [s.route_table for s in plan(network(worker(0, subnet="subnet-b")), ONE)] == ["rtb-main"]


def test_workers_in_subnets_with_different_tables_are_routed_in_both() -> None:
    steps = plan(network(worker(0), worker(1, subnet="subnet-b")), TWO)
    assert [(step.worker, step.route_table) for step in steps] == [
        ("worker-0", "rtb-pods"),
        ("worker-0", "rtb-main"),
        ("worker-1", "rtb-main"),
        ("worker-1", "rtb-pods"),
    ]


@pytest.mark.parametrize("other", ["10.200.0.0/24", "10.200.0.0/16", "10.200.0.128/25"])
def test_neither_of_two_workers_that_claim_the_same_addresses_gets_a_route(other: str) -> None:
    steps = plan(network(worker(0), worker(1, pod_cidr=other)), TWO)
    assert [(step.outcome, step.detail) for step in steps] == [("impossible", "pod-cidr-overlap")] * 2
    assert [step.command for step in steps] == ["", ""]


def test_route_that_is_right_stays_right_though_another_worker_claims_it_too() -> None:
    clash = network(worker(0), worker(1, pod_cidr="10.200.0.0/24"), routes=(route("i-0"),))
    assert [step.outcome for step in plan(clash, TWO)] == ["exists", "wrong-target"]


def test_headroom_counts_what_counts_towards_the_quota() -> None:
    routes = (
        route("i-9", destination="10.200.9.0/24"),
        Route(destination="10.1.0.0/16", gateway="vgw-1", origin="EnableVgwRoutePropagation"),
        Route(destination="::/0", gateway="igw-1", foreign=True),
    )
    inventory = network(worker(0), worker(1), routes=routes)
    assert headroom(inventory, plan(inventory, TWO)) == (Headroom(route_table="rtb-pods", now=2, adding=2),)


def test_plan_that_adds_nothing_has_no_headroom_to_tell() -> None:
    inventory = network(worker(0), routes=(route("i-0"),))
    assert headroom(inventory, plan(inventory, ONE)) == ()


@pytest.mark.parametrize("language", ["en", "pt-BR"])
@pytest.mark.parametrize("enis", [1, 2])
@pytest.mark.parametrize("routes", [(), (route("i-9"),)], ids=["missing", "wrong"])
def test_command_of_a_step_is_the_fix_of_the_finding(
    routes: tuple[Route, ...], enis: int, language: str
) -> None:
    inventory = network(worker(0, enis=enis), routes=routes)
    evidence = Evidence(gathered_at="", target=TargetSeen(kind="sandbox"), intended=ONE, inventory=inventory)
    (finding,) = route_to_worker(Network(evidence), "worker-0")
    (step,) = plan(inventory, ONE)
    assert catalogue(language).finding(finding).fix == step.command


def test_delete_command_names_table_and_destination() -> None:
    assert (
        commands.delete_route("rtb-1", "10.200.0.0/24")
        == "aws ec2 delete-route --route-table-id rtb-1 --destination-cidr-block 10.200.0.0/24"
    )
