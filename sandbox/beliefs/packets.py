"""Beliefs about packets between two machines of one subnet, and between pods on them.

A packet that is believed to be lost has a twin that must arrive: what nothing ever reached tells nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from kthw.intended import tutorial
from sandbox.beliefs.belief import Belief
from sandbox.beliefs.lab import FROM_INSIDE, Lab
from sandbox.beliefs.machine import arrives

_OFF_ON: Final = "off: arrives; on: lost"


def _between_nodes(lab: Lab) -> str:
    return lab.a.ping(lab.b.address)


def _between_pods(lab: Lab) -> str:
    with lab.pod_routes():
        return lab.until("ttl=62", lambda: lab.a.ping(lab.b.pod, from_pod=True))


@contextlib.contextmanager
def _through_each_other(lab: Lab) -> Iterator[None]:
    """Kernel routes, and none in the VPC."""
    pairs = ((lab.a, lab.b), (lab.b, lab.a))
    for one, other in pairs:
        one.run(f"ip route add {other.pods} via {other.address}")
    try:
        yield
    finally:
        for one, other in pairs:
            one.run(f"ip route del {other.pods}")


def _on_link(lab: Lab) -> str:
    with _through_each_other(lab):
        return lab.until("ttl=62", lambda: lab.a.ping(lab.b.pod, from_pod=True))


def _on_link_receiver(lab: Lab) -> str:
    with _through_each_other(lab):
        off = lab.until("arrives", lambda: arrives(lab.a, lab.b, to_pod=True))
        with lab.checked(lab.b):
            on = lab.until("lost", lambda: arrives(lab.a, lab.b, to_pod=True))
    return f"off: {off}; on: {on}"


def _receiver(lab: Lab) -> str:
    with lab.pod_routes():
        off = lab.until("arrives", lambda: arrives(lab.a, lab.b, to_pod=True))
        with lab.checked(lab.b):
            on = lab.until("lost", lambda: arrives(lab.a, lab.b, to_pod=True))
    return f"off: {off}; on: {on}"


def _sender(lab: Lab) -> str:
    off = lab.until("arrives", lambda: arrives(lab.a, lab.b, from_pod=True))
    with lab.checked(lab.a):
        on = lab.until("lost", lambda: arrives(lab.a, lab.b, from_pod=True))
    return f"off: {off}; on: {on}"


def _sender_itself(lab: Lab) -> str:
    with lab.pod_routes(), lab.checked(lab.a):
        pods = lab.until("lost", lambda: arrives(lab.a, lab.b, from_pod=True, to_pod=True))
        return f"pod's: {pods}; its own: {arrives(lab.a, lab.b, to_pod=True)}"


def _subnet_router(lab: Lab) -> str:
    return f"peer: {lab.a.ping(lab.b.address)}; router: {lab.a.ping('10.90.1.1')}"


def _no_route(lab: Lab) -> str:
    return f"peer: {lab.a.ping(lab.b.address)}; nowhere: {lab.a.ping('10.202.0.1')}"


@contextlib.contextmanager
def _acl_without_pings(lab: Lab) -> Iterator[None]:
    """The subnet's ACL lets TCP through and nothing else."""
    filters = [{"Name": "association.subnet-id", "Values": [lab.subnet]}]
    before = lab.call("describe_network_acls", Filters=filters)["NetworkAcls"][0]
    mine = next(a for a in before["Associations"] if a["SubnetId"] == lab.subnet)["NetworkAclAssociationId"]
    made = lab.call("create_network_acl", VpcId=lab.vpc, TagSpecifications=lab.mine.tags("network-acl"))
    acl = lab.mine.note("network-acl", made["NetworkAcl"]["NetworkAclId"])
    for egress in (False, True):
        lab.call(
            "create_network_acl_entry", NetworkAclId=acl, RuleNumber=100, Protocol="6", RuleAction="allow",
            Egress=egress, CidrBlock="0.0.0.0/0", PortRange={"From": 0, "To": 65535},
        )  # fmt: skip
    changed = lab.call("replace_network_acl_association", AssociationId=mine, NetworkAclId=acl)
    try:
        yield
    finally:
        back = {"AssociationId": changed["NewAssociationId"], "NetworkAclId": before["NetworkAclId"]}
        lab.call("replace_network_acl_association", **back)
        lab.call("delete_network_acl", NetworkAclId=acl)


def _acl(lab: Lab, *, to_pod: bool) -> str:
    """What leaves the subnet shows that the ACL is in force."""

    def out() -> str:
        return "lost" if lab.a.ping(tutorial.INTERNET_HOST) == "lost" else "passes"

    before = out()
    with lab.pod_routes(), _acl_without_pings(lab):
        leaving = lab.until("lost", out)
        return f"out: {before}, then {leaving}; within: {arrives(lab.a, lab.b, to_pod=to_pod)}"


_ACL_WITHIN: Final = "out: passes, then lost; within: arrives"


def _group_by_group(lab: Lab) -> str:
    """The group lets its own members in, and no range."""
    members = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": lab.group}]}]
    with lab.pod_routes():
        lab.until("arrives", lambda: arrives(lab.a, lab.b, from_pod=True))
        lab.call("authorize_security_group_ingress", GroupId=lab.group, IpPermissions=members)
        lab.call("revoke_security_group_ingress", GroupId=lab.group, IpPermissions=FROM_INSIDE)
        try:
            pod = lab.until("lost", lambda: arrives(lab.a, lab.b, from_pod=True))
            return f"node: {arrives(lab.a, lab.b)}; pod: {pod}"
        finally:
            lab.call("authorize_security_group_ingress", GroupId=lab.group, IpPermissions=FROM_INSIDE)
            lab.call("revoke_security_group_ingress", GroupId=lab.group, IpPermissions=members)


PACKETS: Final = (
    Belief("ttl-of-nodes", "ttl=64", "inferred", _between_nodes),
    Belief("ttl-of-pods", "ttl=62", "recorded", _between_pods),
    Belief("peer-as-next-hop", "ttl=62", "documented", _on_link),
    Belief("peer-as-next-hop-checked", _OFF_ON, "inferred", _on_link_receiver),
    Belief("check-of-receiver", _OFF_ON, "documented", _receiver),
    Belief("check-of-sender", _OFF_ON, "documented", _sender),
    Belief("check-lets-its-own-out", "pod's: lost; its own: arrives", "documented", _sender_itself),
    Belief("router-is-silent", "peer: ttl=64; router: lost", "reported", _subnet_router),
    Belief("no-route-is-silent", "peer: ttl=64; nowhere: lost", "reported", _no_route),
    Belief("acl-within-a-subnet", _ACL_WITHIN, "documented", lambda lab: _acl(lab, to_pod=False)),
    Belief("acl-of-pods-within-a-subnet", _ACL_WITHIN, "inferred", lambda lab: _acl(lab, to_pod=True)),
    Belief("group-is-no-pods", "node: arrives; pod: lost", "inferred", _group_by_group),
)
