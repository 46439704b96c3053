"""What the catalogue's clean-ups leave behind is noticed, and only where they have been is it looked for."""

from __future__ import annotations

import pytest

from tests.faults.lab import TOUCHES_NODES, Lab


@pytest.mark.parametrize(
    ("lines", "touches"),
    [
        ("route delete-route 10.20.1.0/24 ''", False),
        ("aws ec2 delete-route-table --route-table-id ${UNUSED}", False),
        ("open_acl\nacl ingress 90 deny 10.200.0.0/16", False),
        ("ssh worker-1 sudo nft delete table inet trial", True),
        ("x=$(ssh worker-1 hostname)", True),
        ("masquerade on", True),
        ("user_data ${WORKER_1} 'name=worker-1'", True),
        ("clear_elsewhere", True),
        ("comes_back worker-1 10.200.0.0/24", True),
        ("aws ec2 detach-network-interface --attachment-id ${ATTACHED}", True),
        ("aws ec2 terminate-instances --instance-ids ${AGAIN}", True),
    ],
)
def test_it_is_known_whether_a_line_changes_more_than_what_aws_lists(lines: str, touches: bool) -> None:
    assert bool(TOUCHES_NODES.search(lines)) is touches


@pytest.mark.slow
def test_what_a_clean_up_leaves_in_aws_is_noticed(clean_lab: Lab) -> None:
    lab = clean_lab
    lab.set(lab.stage or "tutorial")
    assert lab.is_usual()
    lab.cleans('route create-route 10.99.0.0/16 "--instance-id ${WORKER_0}"')
    assert not lab.is_usual()
    lab.cleans("route delete-route 10.99.0.0/16 ''")
    assert lab.is_usual()
    looked = lab.look()
    assert looked.nodes, "whoever looks at all of it does"
    lab.cleans("")
    assert lab.look() is looked


def seen_anew_it_is_usual(lab: Lab) -> bool:
    """A busy machine may answer one packet of the many too late for the look that asked."""
    lab.types("true")
    return lab.is_usual()


@pytest.mark.slow
def test_what_a_clean_up_leaves_on_a_node_is_noticed(clean_lab: Lab) -> None:
    lab = clean_lab
    lab.set(lab.stage or "tutorial")
    assert lab.is_usual()
    lab.cleans("ssh worker-0 sudo sysctl -qw net.ipv4.ip_forward=0")
    assert not lab.is_usual()
    lab.cleans("ssh worker-0 sudo sysctl -qw net.ipv4.ip_forward=1")
    assert lab.is_usual() or seen_anew_it_is_usual(lab)
