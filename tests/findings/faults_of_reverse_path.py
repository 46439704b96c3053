"""A second network interface that the VPC's route names, and a kernel that takes packets from one only."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from kthw.observed.evidence import Evidence, Link, Route, Vpc
from tests.findings.changed_aws import (
    in_two_subnets,
    inventory_of,
    with_instance,
    with_inventory,
    with_route,
    with_user_data,
)
from tests.findings.changed_nodes import masquerade_off, with_node, with_way
from tests.findings.clusters import LOCAL, OK, TABLE_2, VPC, route
from tests.findings.judged import Faults, Healthy

ONE = "10.200.1.0/24"
CONFLICT = ("node-route-conflict",)
ENS6 = Link(name="ens6", up=True, mtu=9001, addresses=("10.0.7.21/24",), rp_filter=1)
BARE = masquerade_off(OK)


def by_second(evidence: Evidence, everywhere: int | None = 0, **changes: Any) -> Evidence:
    """The pods of worker-1 are reached by ``eni-11``, its ``ens6`` in another subnet, which is strict.

    ``everywhere``: ``rp_filter`` of ``all``. ``changes``: of that link.
    """
    found = next(i for i in inventory_of(evidence).instances if i.name == "worker-1")
    first = found.network_interfaces[0]
    second = replace(first, id="eni-11", subnet="subnet-7", addresses=("10.0.7.21",), device_index=1)
    evidence = with_instance(evidence, "worker-1", network_interfaces=(first, second))
    evidence = with_route(evidence, Route(destination=ONE, network_interface="eni-11"))
    links = (*evidence.nodes["worker-1"].links, replace(ENS6, **changes))
    return with_node(evidence, "worker-1", links=links, rp_filter=everywhere)


def _from_afar() -> Evidence:
    """Only worker-0, in another subnet, sends that way."""
    evidence = by_second(in_two_subnets(OK, moved="worker-0"))
    evidence = with_route(evidence, Route(destination=ONE, network_interface="eni-11"), table=TABLE_2)
    return with_route(evidence, route(1, ONE))


def _to_itself() -> Evidence:
    """Only worker-1's own table leads to its second interface."""
    evidence = by_second(in_two_subnets(OK, moved="worker-1"))
    evidence = with_route(evidence, Route(destination=ONE, network_interface="eni-11"), table=TABLE_2)
    return with_route(evidence, route(1, ONE))


def _strict(evidence: Evidence) -> Evidence:
    """worker-1's kernel is strict, at each interface that it has."""
    links = tuple(replace(each, rp_filter=1) for each in evidence.nodes["worker-1"].links)
    return with_node(evidence, "worker-1", rp_filter=1, links=links)


def with_more_links(evidence: Evidence, *more: Link) -> Evidence:
    return with_node(evidence, "worker-1", links=(*evidence.nodes["worker-1"].links, *more))


def with_links(evidence: Evidence, **addresses: str) -> Evidence:
    """worker-1 with these addresses of its interfaces instead."""
    links = evidence.nodes["worker-1"].links
    return with_node(
        evidence,
        "worker-1",
        links=tuple(
            replace(each, addresses=(addresses[each.name],)) if each.name in addresses else each
            for each in links
        ),
    )


FAULTS: Faults = {
    "packets come in by another interface than answers leave by": (by_second(OK), CONFLICT),
    "strict everywhere": (by_second(OK, 1, rp_filter=0), CONFLICT),
    "another interface, masquerade off": (by_second(BARE), CONFLICT),
    "another interface, and the sender in another subnet": (_from_afar(), CONFLICT),
    "another interface, and the range of the pods is another's": (
        with_user_data(by_second(OK), "worker-1", pod_cidr="10.200.0.0/24"),
        ("pod-cidr-overlap",),
    ),
    "another interface, and one sender's address was not seen": (
        with_instance(by_second(OK), "worker-0", address=""),
        CONFLICT,
    ),
    "another interface, and one of two senders is answered by it": (
        with_way(
            by_second(BARE),
            "worker-1",
            "worker-0",
            device="ens6",
            via="10.0.7.1",
            route="10.200.0.0/24 via 10.0.7.1 dev ens6",
        ),
        CONFLICT * 2,
    ),
    "another interface, and others that are down or have no address": (
        with_more_links(
            by_second(OK),
            Link(name="ens7", addresses=("10.0.1.99/24",)),
            Link(name="ens8", up=True, addresses=("",)),
        ),
        CONFLICT,
    ),
    "another interface, and the range of the pods is the VPC's own": (
        with_route(
            with_inventory(by_second(OK), vpcs=(Vpc(id=VPC, cidrs=("10.0.0.0/16", "10.200.0.0/20")),)),
            replace(LOCAL, destination="10.200.0.0/20"),
        ),
        ("pod-cidr-inside-vpc",) * 3,
    ),
    "a VPN takes the way to a peer, and the one interface is strict": (
        with_way(
            _strict(BARE),
            "worker-1",
            "worker-0",
            device="wg0",
            via="",
            route="10.200.0.0/24 dev wg0",
        ),
        CONFLICT,
    ),
}

HEALTHY: Healthy = {
    "another interface, loose everywhere": by_second(OK, 2),
    "another interface, which alone has the senders' range": with_links(
        by_second(OK, addresses=("10.0.7.21/24", "10.0.1.121/24")), ens5="10.0.1.21/32"
    ),
    "another interface, and a strict one where nothing arrives": with_more_links(
        by_second(OK, rp_filter=2), Link(name="ens7", up=True, addresses=("10.0.8.21/24",), rp_filter=1)
    ),
    "another interface for what the node itself would send": _to_itself(),
    "another interface, no masquerade, and nobody asked for the ways": with_node(
        by_second(BARE), "worker-1", ways=BARE.nodes["worker-1"].ways[-1:]
    ),
    "another interface, a sender in another subnet, and nobody asked for the ways": with_node(
        _from_afar(), "worker-1", ways=OK.nodes["worker-1"].ways[-1:]
    ),
    "another interface, loose itself": by_second(OK, 1, rp_filter=2),
    "another interface, no filter": by_second(OK, 0, rp_filter=0),
    "another interface, and nobody looked how strict": by_second(OK, None),
    "another interface, and nobody looked how strict it is itself": by_second(OK, rp_filter=None),
    "another interface of the same range: nobody knows which": by_second(
        OK, addresses=("10.0.7.21/24", "10.0.1.121/24")
    ),
    "strict, one interface": _strict(OK),
}
