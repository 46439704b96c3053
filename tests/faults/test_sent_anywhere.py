"""Packets that do not come through at other addresses than the probe pods': they are sent there."""

from __future__ import annotations

from typing import Final

import pytest
from msgspec.structs import replace

from kthw.findings.judging import judge
from kthw.findings.proof import proofs
from kthw.findings.sent import confirmed, to_send
from kthw.network.model import Network
from kthw.observed.evidence import Evidence, Sent
from kthw.verdict.report import Report, Summary
from kthw.words.messages import catalogue
from tests.faults.lab import Lab

HELD: Final = "ls -1 /var/lib/cni/networks/bridge 2>/dev/null | grep '^[0-9.]*$' || true"
LEFT: Final = f"{HELD}; ip netns list; ip -o link | cut -d' ' -f2 | grep -E 'veth|cnio' || true"
"""Of pods of ours nothing is left: no address, no namespace with a name, no interface."""
STANDING: Final = """
ip netns add standing
cni() {
  CNI_COMMAND=$1 CNI_CONTAINERID=standing CNI_NETNS=/run/netns/standing CNI_IFNAME=eth0 \
    CNI_PATH=/opt/cni/bin CNI_ARGS='IgnoreUnknown=1;IP=10.200.1.128' \
    /opt/cni/bin/bridge </etc/cni/net.d/10-bridge.conf >&2
}
"""
UNSHADOWED: Final = "route delete-route 10.200.1.128/25 ''"
SHADOWED: Final = (
    "tutorial",
    'route create-route 10.200.1.128/25 "--instance-id ${WORKER_0}"',
    UNSHADOWED,
    {("worker-0", "", "worker-1", "10.200.1.128", "icmp", 0)},
)
"""By the route table that all workers have."""
DROPPED: Final = (
    "tutorial",
    "ssh worker-1 'sudo iptables -A FORWARD -s 10.200.1.64/28 -d 10.200.2.128/28 -p tcp --dport 25 -j DROP'",
    "ssh worker-1 'sudo iptables -F FORWARD'",
    {("worker-1", "10.200.1.64", "worker-2", "10.200.2.128", "tcp", 25)},
)
"""Both ends have other addresses than the probe pods."""
SOURCES: Final = (
    "tutorial",
    "ssh worker-1 'sudo iptables -A FORWARD -s 10.200.1.64/28 -p udp -j DROP'",
    "ssh worker-1 'sudo iptables -F FORWARD'",
    {
        ("worker-0", "", "worker-1", "10.200.1.64", "udp", 1),
        ("worker-1", "10.200.1.64", "worker-0", "", "udp", 1),
        ("worker-1", "10.200.1.64", "worker-2", "", "udp", 1),
    },
)
"""What they are asked arrives, and their answers do not."""
ACL: Final = (
    "two subnets",
    "acl egress 50 deny 10.200.0.64/28",
    "open_acl",
    {("worker-2", "", "worker-0", "10.200.0.64", "icmp", 0)},
)
"""Of worker-2's subnet: its packets to those pods leave it not."""
BARE_ACL: Final = (
    "two subnets, bare",
    "acl ingress 50 deny 10.200.1.32/28 6 --port-range From=1,To=65535",
    "open_acl",
    {
        ("worker-1", "10.200.1.32", "worker-2", "", "tcp", 1),
        ("worker-2", "", "worker-1", "10.200.1.32", "tcp", 1),
    },
)
"""Pods are seen as themselves there: a range of sources may be denied."""


def test_nobody_needs_more_pods_where_all_is_proved(clean_lab: Lab) -> None:
    clean_lab.set("tutorial")
    seen = clean_lab.look()
    assert {each.outcome for each in proofs(Network(seen))} == {"proved"}
    assert seen.sent == ()


@pytest.mark.parametrize(
    ("stage", "breaks", "mends", "sent"),
    [SHADOWED, DROPPED, SOURCES, ACL, BARE_ACL],
    ids=["shadowed half", "dropped at both ends", "dropped sources", "ACL", "ACL of sources"],
)
def test_the_smallest_packet_is_sent_at_its_own_address_and_lost(
    clean_lab: Lab, stage: str, breaks: str, mends: str, sent: set[tuple[object, ...]]
) -> None:
    lab = clean_lab
    lab.set(stage)
    lab.types(breaks)
    seen = lab.look()
    assert {
        (e.source, e.source_address, e.destination, e.destination_address, e.protocol, e.port)
        for e in seen.sent
    } == sent
    assert not any(each.reached or each.taken for each in seen.sent)
    assert "lost" in came(seen)
    assert seen.errors == ()
    assert seen.counts.ssh_sessions == len(lab.intended.workers)
    for worker in lab.intended.workers:
        assert lab.on(worker, LEFT) == ""
    lab.types(mends)


def test_a_packet_to_a_pod_that_stands_is_not_sent_and_the_pod_keeps_its_address(clean_lab: Lab) -> None:
    """Nor would it be, were it the only address that a packet is lost at: nobody's pod is taken for it."""
    lab = clean_lab
    lab.set("tutorial")
    # It was made long ago: the next address that is given is not the one after its own.
    lab.on(
        "worker-1", f"{STANDING} cni ADD; printf 10.200.1.2 >/var/lib/cni/networks/bridge/last_reserved_ip.0"
    )
    try:
        lab.types(SHADOWED[1])
        seen = lab.look()
        assert [(each.destination_address, each.taken) for each in seen.sent] == [("10.200.1.128", True)]
        assert "taken" in came(seen)
        report, words = Report(judge(seen), Summary()), catalogue("en")
        (lines,) = [report.proofs.lines(each, words) for each in report.proofs.told]
        assert lines[-1] == words.say("report-proof-taken")
        assert lab.on("worker-1", HELD) == "10.200.1.128\n"
        # Not by ``ip -n``: it mounts a /sys of its own, which an ordinary user's sandbox may not.
        inside = "nsenter --net=/run/netns/standing ip -4 address show eth0"
        assert "10.200.1.128/24" in lab.on("worker-1", inside)
    finally:
        lab.types(UNSHADOWED)
        lab.on("worker-1", f"{STANDING.replace('ip netns add', 'true')} cni DEL; ip netns delete standing")


def test_what_arrives_against_the_model_is_told(clean_lab: Lab) -> None:
    """The route is taken back between the look at it and the sending: the packet comes through."""
    lab = clean_lab
    lab.set("tutorial")
    lab.types(SHADOWED[1])

    def mended_meanwhile(evidence: Evidence) -> tuple[Sent, ...]:
        lab.types(UNSHADOWED)
        return to_send(evidence)

    seen = lab.look_and_send(mended_meanwhile)
    (sent,) = seen.sent
    assert sent == replace(sent, destination_address="10.200.1.128", reached=True)
    assert "arrived" in came(seen)


def came(seen: Evidence) -> set[str]:
    network = Network(seen)
    return {confirmed(network, each) for each in proofs(network) if each.outcome == "stopped"}
