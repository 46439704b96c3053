"""What is otherwise between two recordings is told in a sentence, each once, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from kthw.history.changes import changes
from kthw.observed.evidence import AclEntry, Evidence, KernelRoute, Route, SecurityRule
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.changed_aws import (
    inventory_of,
    with_group,
    with_instance,
    with_interface,
    with_inventory,
    with_route,
    with_table,
    without_instance,
    without_route,
)
from tests.findings.changed_nodes import with_forward_chain, with_node
from tests.findings.clusters import OK, route

SSH = SecurityRule(protocol="tcp", from_port=22, to_port=22, cidrs=("0.0.0.0/0",))
W1 = "worker-1 (i-01, 10.0.1.21)"


def said(was: Evidence, now: Evidence, language: str = "en") -> list[str]:
    return [each.said(catalogue(language)) for each in changes(was, now)]


def rebuilt() -> Evidence:
    """worker-1 is made anew, with another id and address."""
    old = next(each for each in inventory_of(OK).instances if each.name == "worker-1")
    new = replace(old, id="i-0new", address="10.0.1.99", network_interfaces=())
    others = [each for each in inventory_of(OK).instances if each.name != "worker-1"]
    return with_inventory(OK, instances=(*others, new))


def blackhole() -> Evidence:
    return with_route(OK, replace(route(1, "10.200.1.0/24"), state="blackhole"))


CASES: dict[str, tuple[Evidence, list[str]]] = {
    "route gone": (
        without_route(OK, "10.200.1.0/24"),
        [f"The route to 10.200.1.0/24 in rtb-0a is gone; before it led to {W1}."],
    ),
    "route astray": (
        with_route(OK, Route(destination="10.200.1.0/24", instance="i-02", network_interface="eni-02")),
        [
            "The route to 10.200.1.0/24 in rtb-0a leads to worker-2 (i-02, 10.0.1.22); "
            f"before it led to {W1}."
        ],
    ),
    "route by interface": (
        with_route(OK, Route(destination="10.200.9.0/24", network_interface="eni-01")),
        [f"There is a new route to 10.200.9.0/24 in rtb-0a; it leads to eni-01, {W1}."],
    ),
    "blackhole": (
        blackhole(),
        [
            f"The route to 10.200.1.0/24 in rtb-0a is a blackhole; it leads to {W1}, and was active before."
        ],
    ),
    "instance gone": (without_instance(OK, "worker-1"), [f"Instance {W1} is gone."]),
    "instance stopped": (
        with_instance(OK, "worker-1", state="stopped"),
        [f"{W1} is stopped; before it was running."],
    ),
    "instance replaced": (
        rebuilt(),
        ["worker-1 is another instance: i-0new, 10.0.1.99; before it was i-01, 10.0.1.21."],
    ),
    "check": (
        with_interface(OK, "worker-1", source_dest_check=True),
        [f"The source/dest check of eni-01, {W1} is on; before it was off."],
    ),
    "groups": (
        with_interface(OK, "worker-1", security_groups=("sg-0z",)),
        [f"eni-01, {W1} has the security groups sg-0z; before it had sg-0a."],
    ),
    "association": (
        with_table(OK, subnets=()),
        ["Subnet subnet-0a is ruled by route table rtb-0main; before it was ruled by rtb-0a."],
    ),
    "rules": (
        with_group(OK, ingress=(SSH,)),
        [
            "Security group sg-0a lost a rule for what comes in: all · 10.0.0.0/16.",
            "Security group sg-0a lost a rule for what comes in: all · 10.200.0.0/16.",
            "Security group sg-0a has a new rule for what comes in: tcp 22 · 0.0.0.0/0.",
        ],
    ),
    "forwarding": (with_node(OK, "worker-2", ip_forward=False), ["worker-2 no longer forwards packets."]),
    "firewall": (
        with_forward_chain(OK, "worker-2", policy="DROP"),
        [
            "The firewall of worker-2, chain iptables filter FORWARD, ends with DROP; "
            "before it ended with ACCEPT."
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_one_change_is_one_sentence(name: str) -> None:
    now, told = CASES[name]
    assert said(OK, now) == told


@pytest.mark.parametrize("name", CASES)
def test_the_way_back_is_told_as_well_in_both_languages(name: str) -> None:
    now, told = CASES[name]
    for language in LANGUAGES:
        back = said(now, OK, language)
        assert len(back) == len(told)
        assert not any("history-change" in each for each in back)
    assert said(now, OK) != told


def test_of_several_instances_of_one_name_each_is_told() -> None:
    """Two of a name that are gone, and one that is new: one is replaced, and the other is gone."""
    one = next(each for each in inventory_of(OK).instances if each.name == "worker-1")
    others = [each for each in inventory_of(OK).instances if each.name != "worker-1"]
    two, new = (
        replace(one, id=f"i-0{end}", address=f"10.0.1.{end}", network_interfaces=()) for end in (77, 99)
    )
    was, now = (with_inventory(OK, instances=(*others, *named)) for named in ((one, two), (new,)))
    gone = "Instance worker-1 (i-077, 10.0.1.77) is gone."
    assert said(was, now) == [
        "worker-1 is another instance: i-099, 10.0.1.99; before it was i-01, 10.0.1.21.",
        gone,
    ]
    assert said(was, with_inventory(OK, instances=tuple(others))) == [f"Instance {W1} is gone.", gone]
    assert said(now, was) == [
        "worker-1 is another instance: i-01, 10.0.1.21; before it was i-099, 10.0.1.99.",
        "There is a new instance: worker-1 (i-077, 10.0.1.77), running.",
    ]


def test_a_rule_of_a_network_acl_that_is_another_is_told_with_both() -> None:
    acl = inventory_of(OK).network_acls[0]
    entries = tuple(
        replace(each, allow=False) if (each.number, each.egress) == (100, False) else each
        for each in acl.entries
    )
    more = AclEntry(
        number=90, egress=True, allow=False, protocol="17", cidr="10.0.0.0/16", from_port=53, to_port=53
    )
    now = with_inventory(
        OK, network_acls=(replace(acl, entries=(*entries, more)), *inventory_of(OK).network_acls[1:])
    )
    assert said(OK, now) == [
        f"Rule 100 of network ACL {acl.id} for what comes in is: deny all · 0.0.0.0/0; "
        "before it was: allow all · 0.0.0.0/0.",
        f"Network ACL {acl.id} has a new rule 90 for what goes out: deny udp 53 · 10.0.0.0/16.",
    ]


def test_kernel_routes_of_a_node_are_compared_where_both_were_read() -> None:
    def having(*routes: KernelRoute) -> Evidence:
        return with_node(OK, "worker-0", routes=routes)

    one, other = (KernelRoute(destination="10.200.1.0/24", via=via) for via in ("10.0.1.21", "10.0.1.22"))
    assert said(having(one), having(other)) == [
        "The kernel route of worker-0 to 10.200.1.0/24 leads through 10.0.1.22; before through 10.0.1.21."
    ]
    assert said(having(), having(one)) == [
        "worker-0 has a new kernel route to 10.200.1.0/24 through 10.0.1.21."
    ]
    assert said(with_node(OK, "worker-0", routes=None), having(one)) == []


def test_nothing_is_told_of_what_is_the_same_or_was_not_looked_at() -> None:
    nobody: dict[str, Any] = {"nodes": {}, "inventory": None}
    assert said(OK, OK) == []
    assert said(OK, replace(OK, **nobody)) == []
    assert said(replace(OK, nodes={}), OK) == []
