"""Pairs that are lost for no reason seen, and what counted their packets, or sees each of them."""

from __future__ import annotations

from kthw.observed.evidence import Chain, Evidence, Moved, Program
from tests.findings.changed_nodes import failing, with_node, with_trace
from tests.findings.clusters import OK
from tests.findings.judged import Faults, Healthy

PAIR = ("worker-0", "worker-1")
RULE = Moved(
    chain=Chain(tool="iptables", table="raw", name="PREROUTING"),
    text="-A PREROUTING -m length --length 1:9999 -j DROP",
    packets=3,
)
OF_NFT = Moved(
    chain=Chain(tool="nft", table="inet guide", name="c"),
    text="meta length < 9999 counter drop # handle 4",
    packets=9,
)
POLICY = Moved(
    chain=Chain(tool="iptables", table="filter", name="FORWARD", policy="DROP"), text="", packets=6
)
MASKED = Moved(
    chain=Chain(tool="iptables", table="raw", name="PREROUTING"),
    text='-A PREROUTING -m comment --comment "***" -j DROP',
    packets=3,
)
ANOTHER = Moved(
    chain=Chain(tool="iptables", table="filter", name="INPUT"), text="-A INPUT -j DROP", packets=90
)
TURNING = Moved(
    chain=Chain(tool="iptables", table="nat", name="PREROUTING"),
    text="-A PREROUTING -d 10.200.1.0/24 -j DNAT --to-destination 10.200.2.9",
    packets=1,
)
RPF = Moved(text="IPReversePathFilter", packets=3)
QDISC = Moved(text="tc qdisc clsact dev ens5: dropped", packets=3)
FILTER = Program(kind="tc", device="ens5", text="ingress: protocol all pref 49152 bpf chain 0 handle 0x1")
EGRESS = Program(kind="tc", device="cnio0", text="egress: protocol all pref 49152 bpf chain 0 handle 0x1")
XDP = Program(kind="xdp", device="ens5", text="XDP id 4")


def _lost(
    at: str,
    *moved: Moved,
    programs: tuple[Program, ...] = (),
    seen: tuple[int, int] = (4, 0),
    astray: tuple[str, ...] = (),
) -> Evidence:
    """The pair's packets get lost on that node, or are seen at so many places there and back."""
    evidence = with_trace(failing(OK, PAIR), *PAIR, *seen, astray)
    return with_node(evidence, at, moved=moved, programs=programs)


LOST = ("pod-unreachable",) * 2
FAULTS: Faults = {
    "a rule that nobody understands counted": (_lost("worker-1", RULE), LOST),
    "a rule of nft counted, and one that is about others more": (_lost("worker-1", ANOTHER, OF_NFT), LOST),
    "a policy counted the answers": (_lost("worker-1", POLICY, seen=(6, 1)), LOST),
    "a rule that is known in part counted": (_lost("worker-1", MASKED), LOST),
    "the kernel's reverse path filter counted": (_lost("worker-1", RPF), LOST),
    "a filter of tc, and its drops": (_lost("worker-1", QDISC, programs=(FILTER, EGRESS)), LOST),
    "a rule counted, and there is a filter of tc": (_lost("worker-1", RULE, programs=(FILTER,)), LOST),
    "an XDP program at the other end": (_lost("worker-1", programs=(XDP,), seen=(3, 0)), LOST),
    "an XDP program where the answers come back": (_lost("worker-0", programs=(XDP,), seen=(6, 3)), LOST),
    "a filter of tc at the other end, lost in the VPC": (
        _lost("worker-1", programs=(FILTER,), seen=(3, 0)),
        LOST,
    ),
    "a rule sends packets elsewhere": (
        _lost("worker-0", TURNING, seen=(3, 0), astray=("eni worker-2",)),
        LOST,
    ),
    "a rule of another node counted": (_lost("worker-2", RULE), LOST),
    "a counter of the kernel that moved by less": (
        _lost("worker-1", Moved(text="ens5: rx dropped", packets=2)),
        LOST,
    ),
    "a rule that counted less": (
        _lost("worker-1", Moved(chain=RULE.chain, text=RULE.text, packets=2), TURNING),
        LOST,
    ),
    "a rule that drops counted, and the packets go astray": (
        _lost("worker-0", RULE, seen=(3, 0), astray=("eni worker-2",)),
        LOST,
    ),
}

HEALTHY: Healthy = {}
