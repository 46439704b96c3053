"""Policy rules of a node's kernel that drop packets before a routing table is asked."""

from __future__ import annotations

from typing import Literal

from kthw.observed.evidence import PolicyRule, Way
from tests.findings.changed_nodes import failing, with_node, with_way
from tests.findings.clusters import OK
from tests.findings.judged import Faults, Healthy


def _rule(kind: Literal["blackhole", "unreachable", "prohibit"] = "blackhole", **ranges: str) -> PolicyRule:
    return PolicyRule(priority=100, kind=kind, text=f"from all {kind}", **ranges)


def _lookups(text: str, source: str = "10.200.0.0/16", entering: str = "") -> tuple[PolicyRule, ...]:
    """Rules that have other tables asked, one of them the table 100 of a VPN."""
    other = PolicyRule(priority=90, kind="lookup", text="from all lookup 90", table="90")
    source = "" if entering else source
    said = f"{text} lookup 100"
    return other, PolicyRule(
        priority=100, kind="lookup", text=said, source=source, entering=entering, table="100"
    )


def _beyond(route: str, via: str) -> tuple[Way, ...]:
    """Where what the pods of worker-1 answer nodes, and send to the internet, goes."""
    towards = {"worker-0": "10.0.1.20", "worker-2": "10.0.1.22", "": "1.1.1.1"}
    return tuple(
        Way(towards=worker, address=address, device="ens5", via=via, route=route)
        for worker, address in towards.items()
    )


FAULTS: Faults = {
    "a policy rule drops what is for a peer": (
        with_node(OK, "worker-1", rules=(_rule(destination="10.200.0.0/24"),)),
        ("node-route-conflict",),
    ),
    "a policy rule drops all that comes in from pods": (
        with_node(OK, "worker-1", rules=(_rule("prohibit", entering="cnio0"),)),
        ("node-route-conflict",),
    ),
    "a policy rule drops what is for its own pods": (
        with_node(
            OK, "worker-1", rules=(_rule("unreachable", destination="10.200.1.128/25", entering="ens5"),)
        ),
        ("node-route-conflict",),
    ),
    "a policy rule drops what its pods send": (
        with_node(OK, "worker-1", rules=(_rule(source="10.200.1.0/24"),)),
        ("node-route-conflict",),
    ),
    "a policy rule by source has a VPN's table asked": (
        with_way(
            with_way(
                with_node(OK, "worker-1", lookups=_lookups("from 10.200.0.0/16")),
                "worker-1",
                "worker-0",
                via="10.8.0.1",
                device="vpn0",
                route="default via 10.8.0.1 dev vpn0 table 100",
            ),
            "worker-1",
            "worker-2",
            via="10.8.0.1",
            device="vpn0",
            route="default via 10.8.0.1 dev vpn0 table 100",
        ),
        ("node-route-conflict",),
    ),
    "a policy rule by interface has an empty way asked": (
        with_way(
            with_node(OK, "worker-1", lookups=_lookups("from all iif cnio0", entering="cnio0")),
            "worker-1",
            "worker-0",
            kind="blackhole",
            via="",
            device="",
            route="blackhole default table 100",
        ),
        ("node-route-conflict",),
    ),
    "the table that a policy rule names has an entry for the peer's pods": (
        with_way(
            with_node(OK, "worker-1", lookups=_lookups("from 10.200.0.0/16")),
            "worker-1",
            "worker-0",
            via="10.8.0.1",
            device="vpn0",
            route="10.200.0.0/24 via 10.8.0.1 dev vpn0 table 100",
        ),
        ("node-route-conflict",),
    ),
    "a policy rule by source takes answers and the internet along": (
        with_node(
            failing(OK, ("*", "worker-1"), ("worker-1", ""), kind="pod"),
            "worker-1",
            lookups=_lookups("from 10.200.0.0/16"),
            beyond=_beyond("default via 10.0.1.99 dev ens5 table 100", via="10.0.1.99"),
        ),
        ("node-route-conflict", *("pod-unreachable",) * 3),
    ),
    "a policy rule by source takes the internet along": (
        with_node(
            failing(OK, ("worker-1", ""), kind="internet"),
            "worker-1",
            lookups=_lookups("from 10.200.0.0/16"),
            beyond=_beyond("default dev ens5 table 100", via="")[-1:],
        ),
        ("node-route-conflict", "pod-unreachable"),
    ),
    "the table that a policy rule names hands pods to nobody": (
        with_way(
            with_node(OK, "worker-1", lookups=_lookups("from 10.200.0.0/16")),
            "worker-1",
            "worker-0",
            via="10.0.1.99",
            route="default via 10.0.1.99 dev ens5 table 100",
        ),
        ("node-route-conflict",),
    ),
    "another table is asked, and by which rule is not known": (
        with_way(
            with_node(OK, "worker-1", lookups=_lookups("from 10.9.0.0/16", source="10.9.0.0/16")),
            "worker-1",
            "worker-0",
            via="10.8.0.1",
            device="vpn0",
            route="default via 10.8.0.1 dev vpn0 table 100",
        ),
        ("node-route-conflict",),
    ),
}

HEALTHY: Healthy = {
    "a policy rule by source has a table asked that leads the usual way": with_way(
        with_node(OK, "worker-1", lookups=_lookups("from 10.200.0.0/16")),
        "worker-1",
        "worker-0",
        route="default via 10.0.1.1 dev ens5 table 100",
    ),
    "a policy rule by source has answers and the internet go as usual": with_node(
        OK,
        "worker-1",
        lookups=_lookups("from 10.200.0.0/16"),
        beyond=(
            *_beyond("10.0.1.0/24 dev ens5 scope link table 100", via="")[:2],
            *_beyond("default via 10.0.1.1 dev ens5 table 100", via="10.0.1.1")[2:],
        ),
    ),
    "answers go elsewhere by a table that no rule names": with_node(
        OK,
        "worker-1",
        lookups=_lookups("from 10.200.0.0/16"),
        beyond=_beyond("default via 10.0.1.9", via="10.0.1.9"),
    ),
    "a policy rule drops what is for others": with_node(
        OK,
        "worker-1",
        rules=(_rule(destination="172.16.0.0/12"), _rule(entering="wlan0"), _rule(source="10.9.0.0/16")),
    ),
}
