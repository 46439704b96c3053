"""Packets too big for a link, and packets of which a share is lost, as evidence shows them."""

from __future__ import annotations

from msgspec.structs import replace

from kthw.observed.evidence import Evidence, Route, SecurityRule
from tests.findings.changed_aws import with_group, with_route, without_route
from tests.findings.changed_nodes import (
    failing,
    failing_at,
    losing,
    with_forward_chain,
    with_mtu,
    with_nft,
    with_node,
    with_way,
)
from tests.findings.clusters import OK, ONE, healthy
from tests.findings.judged import Faults, Healthy

TO_1 = (("worker-0", "worker-1"), ("worker-2", "worker-1"))
FROM_1 = (("worker-1", "worker-0"), ("worker-1", "worker-2"))
TOO_BIG, LOST = "packets-too-big", "packets-lost"
TOLD = "fragmentation needed (from 10.0.1.21: 1300 bytes)"
LOTTERY = "-m statistic --mode random --probability 0.20000000019 -j DROP"


def sized(evidence: Evidence, mtu: int, *workers: str) -> Evidence:
    """The pods of these workers, or of all, send packets of ``mtu`` bytes and no larger ones."""
    named = workers or tuple(evidence.nodes)
    for worker in named:
        evidence = with_node(with_mtu(evidence, worker, "cnio0", mtu), worker, pod_mtu=mtu)
    probes = (replace(p, size=mtu) if p.size and p.source in named else p for p in evidence.probes)
    return replace(evidence, probes=tuple(probes))


SMALL_CARD = failing_at(with_mtu(OK, "worker-1", "ens5", 1300), 1304, *TO_1, *FROM_1)
SMALL_BRIDGE = failing_at(with_mtu(OK, "worker-1", "cnio0", 1300), 1300, *TO_1, detail=TOLD)
UNHEARD = failing_at(with_mtu(OK, "worker-1", "cnio0", 1300), 1300, *TO_1)
JUMBO = sized(OK, 8900)
LOSSY = losing(OK, 70, *TO_1, *FROM_1)
TCP_AND_PINGS = (
    SecurityRule(protocol="tcp", from_port=0, to_port=65535, cidrs=("10.0.0.0/8",)),
    SecurityRule(protocol="icmp", cidrs=("10.0.0.0/8",)),
)

FAULTS: Faults = {
    "one network card takes less than the pods send": (SMALL_CARD, (TOO_BIG,)),
    "all network cards take less than the pods send": (
        failing_at(
            with_mtu(
                with_mtu(with_mtu(OK, "worker-0", "ens5", 1450), "worker-1", "ens5", 1450),
                "worker-2",
                "ens5",
                1450,
            ),
            1450,
            *TO_1,
            detail=TOLD,
        ),
        (TOO_BIG,) * 2,
    ),
    "one bridge takes less than its pods": (SMALL_BRIDGE, (TOO_BIG,)),
    "a bridge takes less, and a firewall swallows what is told of it": (
        with_nft(UNHEARD, "worker-0", "icmp type destination-unreachable drop"),
        (TOO_BIG,) * 2,
    ),
    "a bridge takes less, a firewall swallows it, and answers of TCP get lost": (
        with_nft(
            failing_at(UNHEARD, 0, FROM_1[0], protocols=("tcp",)),
            "worker-0",
            "icmp type destination-unreachable drop",
        ),
        (TOO_BIG,) * 2,
    ),
    "the same with iptables, at the other sender": (
        with_forward_chain(UNHEARD, "worker-2", "-p icmp -m icmp --icmp-type 3/4 -j DROP"),
        (TOO_BIG,) * 2,
    ),
    "the same by its code": (
        with_nft(UNHEARD, "worker-0", "icmp type destination-unreachable icmp code frag-needed drop"),
        (TOO_BIG,) * 2,
    ),
    "the pods of one worker are jumbo": (
        failing_at(sized(OK, 8900, "worker-1"), 1500, *FROM_1),
        (TOO_BIG,),
    ),
    "the pods of one worker take less": (
        failing_at(sized(OK, 1400, "worker-1"), 1400, *TO_1),
        (TOO_BIG,),
    ),
    "of two workers' pods one takes less": (
        failing_at(sized(healthy(2), 1400, "worker-1"), 1400, ("worker-0", "worker-1")),
        (TOO_BIG,),
    ),
    "a kernel route says a smaller mtu": (
        failing_at(
            with_way(OK, "worker-0", "worker-1", route="10.200.1.0/24 via 10.0.1.1 dev ens5 mtu 1400"),
            1400,
            TO_1[0],
            detail=TOLD,
        ),
        (TOO_BIG,),
    ),
    "jumbo pods, and the way is through a gateway": (
        failing_at(with_route(JUMBO, Route(destination=ONE, other="tgw-0a")), 8500, ("worker-0", "worker-1")),
        ("route-wrong-target", TOO_BIG),
    ),
    "full-size packets get lost, and nothing says where": (
        failing_at(OK, 1472, ("worker-0", "worker-1")),
        (TOO_BIG,),
    ),
    "full-size packets of TCP alone get lost": (
        failing_at(OK, 0, ("worker-0", "worker-1"), protocols=("tcp",)),
        (TOO_BIG,),
    ),
    "a network card takes less, and a pair is not reached at all": (
        failing(SMALL_CARD, ("worker-0", "worker-1")),
        (TOO_BIG, "pod-unreachable", "pod-unreachable"),
    ),
    # A share is lost.
    "a third of what one worker exchanges is lost": (LOSSY, (LOST,) * 3),
    "one pair loses a fifth": (losing(OK, 40, TO_1[0]), (LOST,)),
    "one pair loses nearly all": (losing(OK, 199, TO_1[0], reached=False), (LOST,)),
    "a rule of iptables drops by lot": (with_forward_chain(LOSSY, "worker-1", LOTTERY), (LOST,)),
    "a rule of nftables drops by lot": (
        with_nft(LOSSY, "worker-1", "numgen random mod 100 < 20 drop"),
        (LOST,),
    ),
    "a rule drops what is beyond a rate": (
        with_nft(LOSSY, "worker-1", 'iifname "ens5" limit rate over 10/second drop'),
        (LOST,),
    ),
    "a rule drops by lot what is for another range": (
        with_forward_chain(LOSSY, "worker-1", f"-d 172.17.0.0/16 {LOTTERY}"),
        (LOST,) * 3,
    ),
    "a rule with a secret drops by lot": (
        with_forward_chain(LOSSY, "worker-1", f"-m comment --comment token=*** {LOTTERY}"),
        (LOST,),
    ),
    "a rule at either end drops by lot": (
        with_forward_chain(
            with_forward_chain(LOSSY, "worker-1", LOTTERY), "worker-0", f"-d 10.200.1.0/24 {LOTTERY}"
        ),
        (LOST,) * 2,
    ),
    "a share is lost, and some of what is sent never arrived": (
        failing(LOSSY, ("worker-0", "worker-1"), protocols=("tcp", "udp")),
        (LOST,) * 3,
    ),
    "a share is lost, and UDP is shut": (
        failing(with_group(LOSSY, ingress=TCP_AND_PINGS), ("*", "*"), protocols=("udp",)),
        (LOST,) * 3 + ("security-group-blocks", *("pod-unreachable",) * 3),
    ),
    "three of 50 are lost, and no connection came about": (
        failing(losing(OK, 3, TO_1[0], sent=50), TO_1[0], protocols=("tcp",)),
        (LOST,),
    ),
    "one of 20 is lost, and none of full size arrived": (
        failing_at(losing(OK, 1, TO_1[0], sent=20), 0, TO_1[0]),
        (LOST,),
    ),
    "three of 200 are lost, and no connection came about": (
        failing(losing(OK, 3, TO_1[0]), TO_1[0], protocols=("tcp",)),
        ("pod-unreachable",) * 2,
    ),
    "three of 50 are lost, and a group lets no UDP in": (
        failing(
            losing(with_group(OK, ingress=TCP_AND_PINGS), 3, TO_1[0], sent=50), ("*", "*"), protocols=("udp",)
        ),
        ("security-group-blocks", *("pod-unreachable",) * 3),
    ),
    "one of 20 is lost, and a network card takes less than the pods send": (
        losing(SMALL_CARD, 1, TO_1[0], sent=20),
        (TOO_BIG,),
    ),
    "all of it is lost": (
        failing(losing(OK, 200, TO_1[0], reached=False), TO_1[0]),
        ("pod-unreachable",) * 2,
    ),
    "a route is missing, and UDP fails with the rest": (
        failing(without_route(OK, ONE), *TO_1),
        ("route-missing", *("pod-unreachable",) * 3),
    ),
    "UDP alone fails": (failing(OK, TO_1[0], protocols=("udp",)), ("pod-unreachable",)),
}

HEALTHY: Healthy = {
    "jumbo pods": JUMBO,
    "everything takes 1450 bytes": with_mtu(
        with_mtu(with_mtu(sized(OK, 1450), "worker-0", "ens5", 1450), "worker-1", "ens5", 1450),
        "worker-2",
        "ens5",
        1450,
    ),
    "a card takes less, and TCP and all others got through": with_mtu(OK, "worker-1", "ens5", 1498),
    "no rule is told for what gets through": with_nft(OK, "worker-1", "numgen random mod 100 < 20 drop"),
    "one packet is lost": losing(OK, 1, ("*", "*")),
    "three of 50 are lost, and all else arrived": losing(OK, 3, TO_1[0], sent=50),
    "as much is lost as may be": losing(OK, 24, ("*", "*")),
    "the first tries were lost, and of those that were counted next to none": losing(
        OK, 2, TO_1[0], reached=False
    ),
    "jumbo pods, and a rule swallows what nobody needs to say": with_nft(
        JUMBO, "worker-0", "icmp type destination-unreachable drop"
    ),
}
