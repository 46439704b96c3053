"""What AWS did not show of the filters is neither right nor wrong."""

from __future__ import annotations

import pytest

from kthw.errors import CouldNotLook
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, Route, SecurityRule
from tests.findings.changed_aws import (
    TWO,
    table_of,
    with_group,
    with_interface,
    with_inventory,
    with_route,
    with_second_interface,
)
from tests.findings.clusters import OK, ONE
from tests.findings.judged import JUDGES

TO_SECOND = Route(destination=ONE, network_interface="eni-11")
SECOND = with_second_interface(with_route(OK, TO_SECOND), 1)
FIRST_SUBNET = SecurityRule(protocol="-1", cidrs=("10.0.1.0/24",))


@pytest.mark.parametrize(
    ("check", "evidence", "call"),
    [
        (
            "security-groups-allow",
            with_interface(OK, "worker-1", security_groups=("sg-0shared",)),
            "DescribeSecurityGroups",
        ),
        (
            "security-groups-allow",
            with_interface(SECOND, "worker-1", security_groups=("sg-0shared",)),
            "DescribeSecurityGroups",
        ),
        (
            "security-groups-allow",
            with_second_interface(with_route(OK, TO_SECOND), 1, security_groups=("sg-0shared",)),
            "DescribeSecurityGroups",
        ),
        ("network-acls-allow", with_inventory(OK, network_acls=()), "DescribeNetworkAcls"),
    ],
)
def test_what_was_not_seen_is_neither_right_nor_wrong(check: str, evidence: Evidence, call: str) -> None:
    """Of the groups: those of the primary ENI, by which pods' packets leave, and those where they arrive."""
    with pytest.raises(CouldNotLook, match="worker-1") as raised:
        JUDGES[check](Network(evidence), "worker-1")
    assert raised.value.error.detail == call


def test_a_worker_whose_table_was_not_seen_sends_all_the_same() -> None:
    unseen = with_inventory(TWO, route_tables=(table_of(TWO),))
    (found,) = JUDGES["security-groups-allow"](
        Network(with_group(unseen, ingress=(FIRST_SUBNET,))), "worker-1"
    )
    assert (found.code, found.facts["direction"]) == ("security-group-blocks", "ingress")
