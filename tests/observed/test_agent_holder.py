"""The process that holds the pod's namespace may be killed: what the pod brought is still taken back."""

from __future__ import annotations

import pytest

from tests.observed.two_nodes import CLEAN, TwoNodes, why_not


@pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")
def test_a_pod_whose_holder_was_killed_leaves_no_rule_no_bridge_and_no_address(nodes: TwoNodes) -> None:
    session = nodes.session(0)
    nodes.make_pod(session, 0)
    assert nodes.trace(0)["nat"]
    # The holder is in the pod's network, so it is found as the agent's child.
    agents = nodes.agents(0)
    holders = nodes.on(0, "sh", "-c", f"cat /proc/{agents[0]}/task/*/children").split()
    nodes.on(0, "kill", "-9", *holders)
    session.close()
    assert nodes.until_clean(0) == CLEAN
