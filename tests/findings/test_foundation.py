"""What the judgement stands on: who is a worker, which table rules a subnet, what is let through."""

from __future__ import annotations

import ast
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from msgspec.structs import replace

import kthw.findings
import kthw.network
from kthw.errors import CouldNotLook, LookError
from kthw.findings import forwarding, nodes, workers
from kthw.findings.check import Judge
from kthw.findings.finding import Finding, once
from kthw.network import filters, ranges
from kthw.network.model import Network
from kthw.network.routing import Lookup, effective_table
from kthw.observed.evidence import AclEntry, Route, RouteTable, SecurityRule
from kthw.words.messages import catalogue
from tests.findings.changed_aws import (
    inventory_of,
    with_instance,
    with_inventory,
    with_more_instances,
    with_more_tables,
    with_table,
    with_user_data,
    without_instance,
    without_route,
)
from tests.findings.changed_nodes import with_node, with_way
from tests.findings.clusters import GROUP, MAIN, SUBNET, TABLE, healthy, instance, instance_id, route
from tests.findings.judged import JUDGES

OK = healthy()


@pytest.mark.parametrize(
    ("namesake", "expected"),
    [("terminated", "i-01"), ("shutting-down", "i-01"), ("stopped", "i-01"), ("running", None)],
)
def test_a_worker_is_the_one_running_instance(namesake: str, expected: str | None) -> None:
    evidence = with_more_instances(OK, instance(7, "worker-1", state=namesake))
    found = Network(evidence).instance("worker-1")
    assert (found.id if found else None) == expected


@pytest.mark.parametrize("state", ["stopped", "stopping", "pending"])
def test_a_worker_that_is_not_running_is_still_the_worker(state: str) -> None:
    found = Network(with_instance(OK, "worker-1", state=state)).instance("worker-1")
    assert found is not None
    assert found.id == "i-01"


@pytest.mark.parametrize("state", ["terminated", "shutting-down"])
def test_an_instance_without_return_is_no_worker(state: str) -> None:
    evidence = with_instance(OK, "worker-1", state=state)
    assert Network(evidence).instance("worker-1") is None
    (found,) = workers.one_running_instance(Network(evidence), "worker-1")
    assert found.code == "worker-missing"
    assert found.near_miss == f"worker-1 (i-01, 10.0.1.21) {state}"


def test_of_two_namesakes_the_one_with_a_route_is_kept() -> None:
    evidence = with_more_instances(OK, instance(7, "worker-1"))
    moved = tuple(reversed(inventory_of(evidence).instances))
    (found,) = workers.one_running_instance(Network(with_inventory(evidence, instances=moved)), "worker-1")
    assert (found.facts["instance"], found.facts["others"]) == ("i-01", "i-07")


@pytest.mark.parametrize("judge", JUDGES.values(), ids=JUDGES)
def test_no_check_passes_for_a_worker_that_is_missing(judge: Judge) -> None:
    """A check whose ground is missing says so; packets and leftovers are judged where they are."""
    evidence = without_instance(without_route(OK, "10.200.1.0/24"), "worker-1")
    elsewhere = {
        "workers-as-expected",
        "other-machines-lead-to-pods",
        "no-leftovers",
        "reaches-others",
        "is-reached-by-others",
        "reaches-own-node",
        "reaches-internet",
        "udp-between-pods",
        "full-size-between-pods",
        "no-packets-lost",
    }
    found = {f.code for f in judge(Network(evidence), "worker-1")}
    name = next(name for name, known in JUDGES.items() if known is judge)
    assert found == (set() if name in elsewhere else {"worker-missing"})


@pytest.mark.parametrize("judge", JUDGES.values(), ids=JUDGES)
def test_without_an_inventory_nothing_is_judged(judge: Judge) -> None:
    denied = LookError(code="access-denied", subject="account")
    with pytest.raises(CouldNotLook) as raised:
        judge(Network(replace(OK, inventory=None, errors=(denied,))), "worker-0")
    assert raised.value.error is denied


@pytest.mark.parametrize("judge", [forwarding.forwarding_on, nodes.cni_configured, nodes.cni_subnet_matches])
def test_a_node_that_was_not_seen_is_not_judged(judge: Judge) -> None:
    refused = LookError(code="ssh-auth-failed", subject="worker-1", worker="worker-1")
    evidence = replace(OK, nodes={"worker-0": OK.nodes["worker-0"]}, errors=(refused,))
    assert not judge(Network(evidence), "worker-0")
    with pytest.raises(CouldNotLook) as raised:
        judge(Network(evidence), "worker-1")
    assert raised.value.error is refused


def test_forwarding_that_could_not_be_read_is_not_judged() -> None:
    with pytest.raises(CouldNotLook):
        forwarding.forwarding_on(Network(with_node(OK, "worker-1", ip_forward=None)), "worker-1")


def test_user_data_that_was_not_read_is_not_judged() -> None:
    denied = LookError(code="access-denied", subject="worker-1", worker="worker-1")
    evidence = replace(with_instance(OK, "worker-1", user_data=None), errors=(denied,))
    for judge in (workers.valid_pod_cidr, workers.ground):
        with pytest.raises(CouldNotLook) as raised:
            judge(Network(evidence), "worker-1")
        assert raised.value.error is denied


def test_a_subnet_whose_table_was_not_seen_is_not_judged() -> None:
    evidence = with_inventory(OK, route_tables=())
    for name in ("route-to-worker", "internet-route", "local-routes-intact"):
        with pytest.raises(CouldNotLook):
            JUDGES[name](Network(evidence), "worker-0")


def test_a_stopped_worker_is_still_ground_enough_to_judge_its_routes() -> None:
    assert workers.ground(Network(with_instance(OK, "worker-1", state="stopped")), "worker-1") == []


def test_a_pod_cidr_with_host_bits_still_lets_the_route_be_judged() -> None:
    evidence = with_user_data(OK, "worker-1", name="worker-1", pod_cidr="10.200.1.7/24")
    assert workers.ground(Network(evidence), "worker-1") == []


def test_a_subnet_is_ruled_by_its_association_else_by_the_main_table() -> None:
    assert getattr(effective_table(inventory_of(OK), SUBNET), "id", "") == TABLE
    fallen_back = with_table(OK, subnets=())
    assert getattr(effective_table(inventory_of(fallen_back), SUBNET), "id", "") == MAIN
    assert effective_table(inventory_of(OK), "subnet-0nowhere") is None


def test_the_longest_prefix_takes_the_packet() -> None:
    routes = ("0.0.0.0/0", "10.200.0.0/16", "10.200.1.0/24", "10.200.1.128/25")
    lookup = Lookup(
        RouteTable(id="rtb", vpc="vpc", routes=tuple(Route(destination=d, gateway=d) for d in routes))
    )
    taken = {
        address: getattr(lookup.taking(IPv4Address(address)), "gateway", None)
        for address in ("10.200.1.200", "10.200.1.2", "10.200.2.2", "192.0.2.1")
    }
    assert list(taken.values()) == ["10.200.1.128/25", "10.200.1.0/24", "10.200.0.0/16", "0.0.0.0/0"]


def test_a_static_route_beats_a_propagated_one() -> None:
    propagated = Route(destination="10.200.1.0/24", gateway="vgw", origin="EnableVgwRoutePropagation")
    static = Route(destination="10.200.1.0/24", instance="i-01")
    for order in ((propagated, static), (static, propagated)):
        lookup = Lookup(RouteTable(id="rtb", vpc="vpc", routes=order))
        assert lookup.exactly(IPv4Network("10.200.1.0/24")) is static


def test_pod_ranges_are_the_tutorials_or_the_smallest_around() -> None:
    def around(*cidrs: str) -> list[str]:
        return [str(found) for found in ranges.pod_ranges(IPv4Network(cidr) for cidr in cidrs)]

    assert around("10.200.0.0/24", "10.200.9.0/24") == ["10.200.0.0/16"]
    assert around("172.20.0.0/24", "172.20.2.0/24") == ["172.20.0.0/22"]
    assert around("10.200.0.0/24", "172.20.1.0/24") == ["10.200.0.0/16", "172.20.1.0/24"]
    assert around("10.1.0.0/24", "172.20.1.0/24") == ["10.1.0.0/24", "172.20.1.0/24"]
    assert around() == []


ECHO, TCP, UDP = filters.REQUESTS
NODES = IPv4Network("10.0.1.0/24")
NODE = IPv4Network("10.0.1.20/32")
HALF, OTHER_HALF = NODES.subnets()
LISTS = {"pl-0halves": (HALF, OTHER_HALF), "pl-0half": (HALF,), "pl-0empty": ()}


@pytest.mark.parametrize(
    ("rule", "peers", "echo", "tcp"),
    [
        (SecurityRule(protocol="-1", cidrs=("0.0.0.0/0",)), NODES, True, True),
        (SecurityRule(protocol="-1", cidrs=("10.0.1.0/25", "10.0.1.128/25")), NODES, True, True),
        (SecurityRule(protocol="-1", cidrs=("10.0.1.0/25",)), NODES, False, False),
        (SecurityRule(protocol="6", from_port=0, to_port=65535, cidrs=("0.0.0.0/0",)), NODES, False, True),
        (SecurityRule(protocol="tcp", from_port=22, to_port=22, cidrs=("0.0.0.0/0",)), NODES, False, False),
        (SecurityRule(protocol="icmp", cidrs=("0.0.0.0/0",)), NODES, True, False),
        (SecurityRule(protocol="icmp", from_port=8, to_port=-1, cidrs=("0.0.0.0/0",)), NODES, True, False),
        (SecurityRule(protocol="icmp", from_port=0, to_port=-1, cidrs=("0.0.0.0/0",)), NODES, False, False),
        # A ping has the code 0: a rule for another one lets none through.
        (SecurityRule(protocol="icmp", from_port=8, to_port=0, cidrs=("0.0.0.0/0",)), NODES, True, False),
        (SecurityRule(protocol="icmp", from_port=8, to_port=1, cidrs=("0.0.0.0/0",)), NODES, False, False),
        (SecurityRule(protocol="icmp", from_port=3, to_port=-1, cidrs=("0.0.0.0/0",)), NODES, False, False),
        (SecurityRule(protocol="udp", cidrs=("0.0.0.0/0",)), NODES, False, False),
        (SecurityRule(protocol="-1", prefix_lists=("pl-0halves",)), NODES, True, True),
        (SecurityRule(protocol="-1", prefix_lists=("pl-0half",)), NODES, False, False),
        (
            SecurityRule(protocol="-1", prefix_lists=("pl-0half",), cidrs=("10.0.1.128/25",)),
            NODES,
            True,
            True,
        ),
        (SecurityRule(protocol="tcp", prefix_lists=("pl-0halves",)), NODES, False, True),
        (SecurityRule(protocol="-1", prefix_lists=("pl-0empty",)), NODES, False, False),
        (SecurityRule(protocol="-1", prefix_lists=("pl-0unread",)), NODES, False, False),
        (SecurityRule(protocol="-1", groups=(GROUP,)), NODE, True, True),
        (SecurityRule(protocol="-1", groups=("sg-0other",)), NODE, False, False),
        # A group stands for its members' own addresses, never for what is behind them.
        (SecurityRule(protocol="-1", groups=(GROUP,)), IPv4Network("10.200.0.0/24"), False, False),
        (SecurityRule(protocol="-1", groups=(GROUP,)), IPv4Network("10.200.0.2/32"), False, False),
    ],
)
def test_a_security_group_rule_allows_what_aws_says(
    rule: SecurityRule, peers: IPv4Network, echo: bool, tcp: bool
) -> None:
    allowed = filters.GroupRules([rule], {GROUP: {"10.0.1.20"}}, LISTS)
    assert (allowed.allows(ECHO, peers), allowed.allows(TCP, peers)) == (echo, tcp)


def _entry(number: int, *, allow: bool = True, **fields: object) -> AclEntry:
    return replace(AclEntry(number=number, egress=False, allow=allow, cidr="0.0.0.0/0"), **fields)


@pytest.mark.parametrize(
    ("entries", "denying"),
    [
        ((_entry(100),), []),
        ((), [None]),
        ((_entry(100), _entry(50, allow=False)), [50]),
        ((_entry(100), _entry(150, allow=False)), []),
        ((_entry(100), _entry(50, allow=False, cidr="10.0.1.7/32")), [50]),
        ((_entry(100), _entry(50, allow=False, cidr="10.0.2.0/24")), []),
        ((_entry(100), _entry(50, allow=False, protocol="6", from_port=22, to_port=22)), [50]),
        ((_entry(100), _entry(50, allow=False, protocol="17")), []),
        (
            (
                _entry(100, protocol="6", from_port=0, to_port=1023),
                _entry(110, protocol="6", from_port=1024, to_port=65535),
            ),
            [],
        ),
        ((_entry(100, protocol="6", from_port=1024, to_port=65535),), [None]),
        ((_entry(100, cidr="10.0.1.0/25"),), [None]),
    ],
)
def test_the_first_entry_by_number_decides(entries: tuple[AclEntry, ...], denying: list[int | None]) -> None:
    found = filters.denials(entries, NODES, TCP)
    assert [entry.number if entry else None for entry in found] == denying


def test_each_cause_is_kept_once_in_order() -> None:
    def finding(code: str, subject: str) -> Finding:
        return Finding(code=code, subject=subject, worker="w", expected="x", observed="y")

    told = [finding("route-missing", "a"), finding("route-stale", "b"), finding("route-missing", "a")]
    assert [(f.code, f.subject) for f in once(told)] == [("route-missing", "a"), ("route-stale", "b")]


@pytest.mark.parametrize(("strangers", "near"), [(39, "wrker-1"), (40, "")])
def test_among_many_strangers_a_likeness_says_nothing(strangers: int, near: str) -> None:
    evidence = with_instance(OK, "worker-1", name="wrker-1")
    evidence = with_more_instances(evidence, *(instance(n, f"x{n}") for n in range(100, 100 + strangers)))
    (found,) = workers.one_running_instance(Network(evidence), "worker-1")
    assert found.facts["near_name"] == near


def test_the_number_of_workers_is_asked_for_only_where_somebody_said_it() -> None:
    assert not workers.the_first_of_expected(OK.intended)


@pytest.mark.parametrize("known", [True, False])
def test_the_namesake_kept_is_the_one_in_the_vpc_of_the_others(known: bool) -> None:
    """Whichever is listed first, and has a route: of a second cluster in the account, none is kept."""
    theirs = [instance(n + 4, f"worker-{n}", vpc="vpc-0other") for n in range(2)]
    evidence = with_more_instances(OK, *theirs)
    if known:
        evidence = with_more_tables(
            evidence, RouteTable(id="rtb-0z", vpc="vpc-0other", routes=(route(5, "10.200.1.0/24"),))
        )
        evidence = without_route(evidence, "10.200.1.0/24")
    (found,) = JUDGES["one-running-instance"](Network(evidence), "worker-1")
    assert found.facts["instance"] == instance_id(1)
    assert "vpc-0other" in str(found.observed)


def test_a_worker_whose_vpc_was_not_seen_is_taken_for_one_at_home() -> None:
    network = Network(with_instance(OK, "worker-1", vpc=""))
    assert JUDGES["one-running-instance"](network, "worker-1") == []
    assert network.instance("worker-1") is not None


def test_a_login_is_the_one_that_got_in() -> None:
    login = "ssh -F lab.conf ubuntu@10.0.1.21"
    network = Network(with_node(OK, "worker-1", login=login))
    assert network.login("worker-1") == login
    assert network.login("worker-0").startswith("ssh -i kubernetes.id_rsa ubuntu@203.0.113.")


@pytest.mark.parametrize(
    "route_text", ["default dev wg0 scope link", "default via 10.0.2.1 dev ens6 metric 50", ""]
)
def test_no_command_of_ours_takes_a_node_s_default_route(route_text: str) -> None:
    evidence = with_way(OK, "worker-0", "worker-1", device="wg0", via="", route=route_text)
    (found,) = JUDGES["kernel-routes-right"](Network(evidence), "worker-0")
    assert "del" not in catalogue("en").finding(found).fix.split()


PURE = (
    "kthw.findings",
    "kthw.network",
    "kthw.intended",
    "kthw.errors",
    "kthw.foreign",
    "kthw.secrets",
    "kthw.observed.cni_networks",
    "kthw.observed.evidence",
    "kthw.observed.namesakes",
)
"""Of the looking: the nouns, who is meant by a name, and how what was masked is known. No looking."""


def test_the_judgement_does_no_io() -> None:
    """Pure functions over evidence: no module of it imports anything that could look elsewhere."""
    allowed = {
        "__future__",
        "base64",
        "binascii",
        "bisect",
        "collections",
        "contextlib",
        "difflib",
        "enum",
        "functools",
        "ipaddress",
        "itertools",
        "json",
        "kthw",
        "math",
        "msgspec",
        "operator",
        "re",
        "shlex",
        "traceback",
        "typing",
    }
    folders = [Path(next(iter(package.__path__))) for package in (kthw.findings, kthw.network)]
    for file in (file for folder in folders for file in folder.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed, file.name
            ours = [name for name in names if name.startswith("kthw.")]
            assert all(name.startswith(PURE) for name in ours), file.name
