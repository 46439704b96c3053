"""What a security group is to let in is told as what it is: the nodes' addresses, or the pods' own."""

from __future__ import annotations

import pytest

from kthw.findings.judging import judge
from kthw.observed.evidence import Evidence, SecurityRule
from tests.findings.changed_aws import with_group
from tests.findings.changed_nodes import masquerade_off
from tests.findings.clusters import OK

NODES = SecurityRule(protocol="-1", cidrs=("10.0.0.0/16",))
PODS = SecurityRule(protocol="-1", cidrs=("10.200.0.0/16",))


@pytest.mark.parametrize(
    ("evidence", "variant", "lacking"),
    [
        (with_group(OK, ingress=(PODS,)), "ingress-nodes", "10.0.0.0/16"),
        (with_group(masquerade_off(OK), ingress=(NODES,)), "ingress-pods", "10.200.0.0/16"),
    ],
    ids=["nodes", "pods"],
)
def test_who_is_not_let_in_is_told(evidence: Evidence, variant: str, lacking: str) -> None:
    (found,) = judge(evidence).findings
    assert (found.code, found.variant) == ("security-group-blocks", variant)
    assert found.facts["cidr"] == lacking
