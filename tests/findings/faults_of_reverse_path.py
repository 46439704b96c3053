"""A second network interface that the VPC's route names, and a kernel that takes packets from one only."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from kthw.observed.evidence import Evidence, Link, Route
from tests.findings.changed_aws import in_two_subnets, inventory_of, with_instance, with_route
from tests.findings.changed_nodes import masquerade_off, with_node
from tests.findings.clusters import OK, TABLE_2, route
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


FAULTS: Faults = {
    "packets come in by another interface than answers leave by": (by_second(OK), CONFLICT),
    "strict everywhere": (by_second(OK, 1, rp_filter=0), CONFLICT),
    "another interface, masquerade off": (by_second(BARE), CONFLICT),
    "another interface, and the sender in another subnet": (
        _from_afar(),
        CONFLICT,
    ),
}

HEALTHY: Healthy = {
    "another interface, loose everywhere": by_second(OK, 2),
    "another interface, loose itself": by_second(OK, 1, rp_filter=2),
    "another interface, no filter": by_second(OK, 0, rp_filter=0),
    "another interface, and nobody looked how strict": by_second(OK, None),
    "another interface, and nobody looked how strict it is itself": by_second(OK, rp_filter=None),
    "another interface of the same range: nobody knows which": by_second(
        OK, addresses=("10.0.7.21/24", "10.0.1.121/24")
    ),
    "strict, one interface": with_node(
        OK, "worker-1", rp_filter=1, links=tuple(replace(e, rp_filter=1) for e in OK.nodes["worker-1"].links)
    ),
}
