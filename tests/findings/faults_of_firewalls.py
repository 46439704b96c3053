"""Firewalls that drop a part of what their node hands on, and those of nodes that were seen in part."""

from __future__ import annotations

from kthw.observed.evidence import Chain, Evidence
from tests.findings.changed_aws import with_instance, with_user_data, without_instance, without_route
from tests.findings.changed_nodes import (
    failing,
    masquerade_off,
    with_cni,
    with_forward_chain,
    with_nft,
    with_node,
)
from tests.findings.clusters import OK, ONE, healthy
from tests.findings.judged import Faults, Healthy

DROPPED = ("forward-dropped",)
OUT_BY_ANOTHER = "-i cnio0 ! -o ens5 -j DROP"
FROM_NODES = "-i ens5 -m conntrack --ctstate NEW -j DROP"
TO_THE_INTERNET = "-i cnio0 -d 1.1.1.1/32 -m conntrack --ctstate NEW -j DROP"
TWO_TOOLS = (
    Chain(
        tool="iptables-legacy",
        table="mangle",
        name="FORWARD",
        policy="DROP",
        rules=(
            "-A FORWARD -s 10.200.1.0/24 -j DROP",
            "-A FORWARD -d 10.200.1.0/24 -m comment --comment token=*** -j DROP",
        ),
    ),
    Chain(
        tool="iptables-legacy",
        table="filter",
        name="FORWARD",
        policy="DROP",
        rules=("-A FORWARD -s 10.200.1.0/24 -j DROP",),
    ),
    Chain(
        tool="iptables-nft",
        table="filter",
        name="FORWARD",
        policy="ACCEPT",
        rules=("-A FORWARD -s 10.200.1.0/24 -j DROP",),
    ),
)
SMALL = healthy(pods="10.200.{}.0/30")
MEANT = (
    "-i eth9 -s 10.1.0.0/16 -j ACCEPT",
    "-i cnio0 -d 10.9.0.0/16 -j ACCEPT",
    "-s 10.200.7.0/24 -j ACCEPT",
    "-d 10.200.8.0/24 -j ACCEPT",
    "-i cnio0 -d 10.8.0.0/16 -j ACCEPT",
)


def _podless(evidence: Evidence, worker: str) -> Evidence:
    return with_node(evidence, worker, pod="")


def _too_small(worker: str) -> Evidence:
    """Its user data says a pod CIDR of two addresses."""
    number = worker.rpartition("-")[2]
    return with_user_data(OK, worker, pod_cidr=f"10.200.{number}.1/31")


FAULTS: Faults = {
    "a part of its pods is dropped": (
        with_forward_chain(OK, "worker-1", "-d 10.200.1.16/28 -j DROP"),
        DROPPED,
    ),
    "a part of the others' pods is dropped": (
        with_forward_chain(OK, "worker-1", "-s 10.200.1.0/24 -d 10.200.2.64/26 -j REJECT"),
        DROPPED,
    ),
    "what other nodes hand over is dropped, not what the pods send": (
        with_forward_chain(OK, "worker-1", FROM_NODES),
        DROPPED,
    ),
    "only what pods send to the internet is dropped": (
        with_forward_chain(OK, "worker-1", TO_THE_INTERNET),
        DROPPED,
    ),
    "DNS is dropped": (with_nft(OK, "worker-1", "udp dport 53 drop"), DROPPED),
    "the answers of DNS are dropped": (
        with_forward_chain(OK, "worker-1", "-p udp --sport 53 -j DROP"),
        DROPPED,
    ),
    "policy DROP, and pings and TCP accepted": (
        with_forward_chain(OK, "worker-1", "-p icmp -j ACCEPT", "-p tcp -j ACCEPT", policy="DROP"),
        DROPPED,
    ),
    "two tools, two tables, and each drops": (with_node(OK, "worker-1", firewall=TWO_TOOLS), DROPPED * 6),
    "a rule that would run a program": (
        with_forward_chain(
            OK,
            "worker-1",
            "-j DROP --modprobe=/tmp/x",
            "-j DROP --mod=/tmp/x",
            "-j DROP -M /tmp/x",
            "-j DROP -nM/tmp/x",
        ),
        DROPPED * 4,
    ),
    "policy DROP, and rules that were meant for the pods": (
        with_forward_chain(OK, "worker-1", *MEANT, policy="DROP"),
        DROPPED,
    ),
    "policy DROP, and pods that hang on no bridge": (
        with_forward_chain(with_cni(OK, "worker-1", bridge=""), "worker-1", *MEANT[:1], policy="DROP"),
        DROPPED,
    ),
    "what is for a peer's pods is dropped, and it has none now": (
        with_forward_chain(_podless(OK, "worker-0"), "worker-1", "-d 10.200.0.2/32 -j DROP"),
        DROPPED,
    ),
    "the same, and their range is the smallest there is": (
        with_forward_chain(_podless(SMALL, "worker-0"), "worker-1", "-d 10.200.0.2/32 -j DROP"),
        DROPPED,
    ),
    "policy DROP, and a peer's range is too small for pods": (
        with_forward_chain(
            with_forward_chain(
                _podless(with_cni(_too_small("worker-2"), "worker-2", subnet=""), "worker-2"),
                "worker-1",
                policy="DROP",
            ),
            "worker-2",
            policy="DROP",
        ),
        (*DROPPED, "cni-subnet-mismatch", "pod-cidr-invalid"),
    ),
    "policy DROP, and the range is too small for pods, but not in the CNI file": (
        with_forward_chain(_podless(_too_small("worker-1"), "worker-1"), "worker-1", policy="DROP"),
        (*DROPPED, "cni-subnet-mismatch", "pod-cidr-invalid"),
    ),
    "what other nodes hand over is dropped, and one is gone": (
        with_forward_chain(without_instance(OK, "worker-0"), "worker-1", FROM_NODES),
        (*DROPPED, "route-stale", "worker-missing"),
    ),
    "what other nodes hand over is dropped, and of one the address was not seen": (
        with_forward_chain(with_instance(OK, "worker-0", address=""), "worker-1", FROM_NODES),
        DROPPED,
    ),
    "what the probe pod sends is dropped": (
        with_forward_chain(
            with_node(OK, "worker-1", pod="10.200.1.9"), "worker-1", "-s 10.200.1.9/32 -j DROP"
        ),
        DROPPED,
    ),
    "what other nodes hand over is dropped and lost, and of one the address was not seen": (
        failing(
            with_forward_chain(with_instance(OK, "worker-0", address=""), "worker-1", FROM_NODES),
            ("worker-0", "worker-1"),
        ),
        (*DROPPED, *("pod-unreachable",) * 2),
    ),
    "policy DROP, and nobody knows where its pods are": (
        with_node(
            with_forward_chain(with_user_data(without_route(OK, ONE), "worker-1"), "worker-1", policy="DROP"),
            "worker-1",
            pod="",
            cni=(),
        ),
        ("cni-config-missing", "pod-cidr-missing"),
    ),
}

HEALTHY: Healthy = {
    "the broadcast address is dropped": with_forward_chain(OK, "worker-1", "-d 10.200.1.255/32 -j DROP"),
    "a port of some pods is shut that nobody needs": with_forward_chain(
        OK, "worker-1", "-d 10.200.1.16/28 -p udp -m udp --dport 19 -j DROP"
    ),
    "UDP ports that nobody needs are closed": with_nft(
        OK, "worker-1", "udp dport { 9, 19, 1900 } drop", "udp sport 1900 drop"
    ),
    "what counts only": with_nft(OK, "worker-1", "udp dport 53 counter packets 9 bytes 540", "counter"),
    "DNS to the internet is dropped": with_forward_chain(
        OK, "worker-1", "-d 1.1.1.1/32 -p udp -m udp --dport 53 -j DROP"
    ),
    "no masquerade, and what would go to the internet is dropped": with_forward_chain(
        masquerade_off(OK), "worker-1", TO_THE_INTERNET
    ),
    "a rule drops what pods of one node would send to each other": with_forward_chain(
        OK, "worker-1", "-s 10.200.1.0/24 -d 10.200.1.0/24 -j DROP", "-s 10.0.1.21/32 -j DROP"
    ),
    "the card is not the first of the interfaces": with_node(
        with_forward_chain(OK, "worker-1", OUT_BY_ANOTHER), "worker-1", links=OK.nodes["worker-1"].links[::-1]
    ),
    "a rule drops what leaves by another interface, and nobody knows the card": with_node(
        with_forward_chain(OK, "worker-1", OUT_BY_ANOTHER), "worker-1", links=(), ways=()
    ),
}
