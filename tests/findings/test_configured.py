"""Where user data is no good, a path is judged with the pod CIDR of the CNI file, if there is one to take."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from kthw.findings.configured import as_configured
from kthw.network.model import Network
from kthw.observed.evidence import Evidence
from tests.findings.changed_aws import with_instance, with_user_data
from tests.findings.changed_nodes import with_cni, with_node
from tests.findings.clusters import OK, ONE

WRONG = with_user_data(OK, "worker-1", pod_cidr="10.200.0.0/24")
"""Another worker's pod CIDR in the user data; the CNI file has the right one."""
NOTHING_TO_TAKE: dict[str, Evidence] = {
    "all is well": OK,
    "user data was not read": with_instance(OK, "worker-1", user_data=None),
    "nobody logged in": replace(WRONG, nodes={}),
    "no CNI file": with_node(WRONG, "worker-1", cni=()),
    "no subnet in it": with_cni(WRONG, "worker-1", subnet=""),
}


@pytest.mark.parametrize("evidence", NOTHING_TO_TAKE.values(), ids=NOTHING_TO_TAKE)
def test_where_there_is_nothing_to_take_the_network_is_the_very_same(evidence: Evidence) -> None:
    network = Network(evidence)
    assert as_configured(network) is network


def test_one_that_was_not_seen_keeps_no_other_from_being_judged_so() -> None:
    nodes = {name: node for name, node in WRONG.nodes.items() if name != "worker-0"}
    found = as_configured(Network(replace(WRONG, nodes=nodes)))
    assert str(found.pod_cidrs["worker-1"]) == ONE
