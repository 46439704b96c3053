"""Firewalls that drop packets of pods elsewhere than in FORWARD: at the other hooks that they pass."""

from __future__ import annotations

from typing import Any, Literal

from kthw.observed.evidence import Chain, Evidence
from tests.findings.changed_nodes import failing, masquerade_off, with_node
from tests.findings.clusters import OK
from tests.findings.judged import Faults, Healthy

DROPPED = ("forward-dropped",)
Hook = Literal["ingress", "prerouting", "input", "output", "postrouting", "egress"]


def _iptables(table: str, hook: Hook, *rules: str, policy: str = "ACCEPT") -> Chain:
    name = hook.upper()
    said = tuple(f"-A {name} {rule}" for rule in rules)
    priority = {"raw": -300, "mangle": -150, "filter": 0}[table]
    return Chain(
        tool="iptables", table=table, name=name, policy=policy, hook=hook, priority=priority, rules=said
    )


def _nft(family: str, hook: Hook, *rules: str, policy: str = "ACCEPT", **about: Any) -> Chain:
    said = tuple(f"{rule} # handle {n}" for n, rule in enumerate(rules, 4))
    table = f"{family} guide"
    return Chain(tool="nft", table=table, name="c", policy=policy, hook=hook, rules=said, **about)


def _with(*chains: Chain, evidence: Evidence = OK, worker: str = "worker-1") -> Evidence:
    return with_node(evidence, worker, firewall=chains)


OF_TWO_HOOKS = (
    _iptables("filter", "input", "-j PODS"),
    Chain(tool="iptables", table="filter", name="PODS", rules=("-A PODS -p icmp -j DROP",)),
    Chain(
        tool="iptables",
        table="filter",
        name="FORWARD",
        policy="ACCEPT",
        rules=("-A FORWARD -o docker0 -j PODS",),
    ),
)

FAULTS: Faults = {
    "raw drops what pods send": (_with(_iptables("raw", "prerouting", "-s 10.200.0.0/16 -j DROP")), DROPPED),
    "raw drops what comes back, before the mask is off": (
        _with(_iptables("raw", "prerouting", "-i ens5 -d 10.0.1.21/32 -p tcp -j DROP")),
        DROPPED,
    ),
    "mangle drops DNS before it goes out": (
        _with(_iptables("mangle", "postrouting", "-s 10.200.1.0/24 -p udp -m udp --dport 53 -j DROP")),
        DROPPED,
    ),
    "prerouting of nftables, policy drop": (
        _with(_nft("inet", "prerouting", policy="DROP", priority=-300)),
        DROPPED,
    ),
    "ingress of the card, all new": (
        _with(_nft("netdev", "ingress", "ip saddr 10.0.0.0/16 tcp dport 8080 drop", devices=("ens5",))),
        DROPPED,
    ),
    "ingress of the bridge, policy drop": (
        _with(_nft("netdev", "ingress", policy="DROP", devices=("ens6", "cnio0"))),
        DROPPED,
    ),
    "egress of the card, by the node's address": (
        _with(_nft("netdev", "egress", "ip saddr 10.0.1.21 icmp type echo-request drop", devices=("ens5",))),
        DROPPED,
    ),
    "after the mask, where there is none": (
        _with(
            _nft("ip", "postrouting", "ip saddr 10.200.1.0/24 drop", priority=110),
            evidence=masquerade_off(OK),
        ),
        DROPPED,
    ),
    "the bridge's own chain drops": (_with(_nft("bridge", "input", "ip protocol tcp drop")), DROPPED),
    "only new connections are dropped": (
        _with(_nft("ip", "prerouting", "tcp dport 8080 drop", nat=True, priority=-100)),
        DROPPED,
    ),
    "INPUT keeps pods from their node": (
        failing(
            _with(_iptables("filter", "input", policy="DROP")),
            ("worker-1", "worker-1"),
            kind="node",
            protocols=("icmp",),
        ),
        (*DROPPED, "pod-unreachable"),
    ),
    "OUTPUT keeps the node's answers": (
        _with(_iptables("filter", "output", "-o cnio0 -j REJECT")),
        DROPPED,
    ),
    "a chain of two hooks drops at one": (_with(*OF_TWO_HOOKS), DROPPED),
    "a rule at another hook that is known in part": (
        _with(_iptables("raw", "prerouting", '-s 10.200.0.0/16 -m comment --comment "***" -j DROP')),
        DROPPED,
    ),
}

HEALTHY: Healthy = {
    "every hook counts only": _with(
        _iptables("raw", "prerouting", "-s 10.200.0.0/16"),
        _iptables("mangle", "postrouting", "-d 10.200.0.0/16 -j MARK --set-xmark 0x1/0xffffffff"),
        _nft("netdev", "ingress", "ip saddr 10.0.0.0/16 counter packets 9 bytes 540", devices=("ens5",)),
        _nft("netdev", "egress", "counter packets 9 bytes 540", devices=("ens5",)),
        _nft("bridge", "input", "ip saddr 10.200.1.0/24 counter packets 9 bytes 540"),
    ),
    "raw keeps pods from the instance metadata": _with(
        _iptables("raw", "prerouting", "-i cnio0 -d 169.254.169.254/32 -j DROP")
    ),
    "raw asks for the way back": _with(_iptables("raw", "prerouting", "-m rpfilter --invert -j DROP")),
    "the pods' addresses, where they are masked already": _with(
        _nft("netdev", "egress", "ip saddr 10.200.1.0/24 tcp dport 8080 drop", devices=("ens5",)),
        _nft("ip", "postrouting", "ip saddr 10.200.1.0/24 udp dport 53 drop", priority=110),
        _iptables("raw", "prerouting", "-i ens5 -d 10.200.1.0/24 -p icmp -m icmp --icmp-type 0 -j DROP"),
    ),
    "the node's address, where the mask is off already": _with(
        _nft("ip", "prerouting", "iifname ens5 ip daddr 10.0.1.21 ct state established drop", priority=0)
    ),
    "another interface's ingress": _with(_nft("netdev", "ingress", policy="DROP", devices=("docker0",))),
    "bridges' own chains for what stays on them": _with(
        _nft("bridge", "input", "iifname veth9 drop", "ether type arp drop", "meta protocol ip6 drop")
    ),
    "answers, where only new connections are asked about": _with(
        _nft("ip", "prerouting", "tcp sport 8080 drop", "udp sport 53 drop", nat=True, priority=-100)
    ),
    "the state of a connection before it is known": _with(
        _iptables("raw", "prerouting", "-m conntrack --ctstate NEW -j DROP")
    ),
    "INPUT as ufw leaves it": _with(
        _iptables(
            "filter",
            "input",
            "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            "-p icmp -m icmp --icmp-type 8 -j ACCEPT",
            policy="DROP",
        )
    ),
    "what kubelet has in INPUT and OUTPUT": _with(
        *(
            _iptables(
                "filter",
                hook,
                "! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
                "-m mark --mark 0x8000/0x8000 -j DROP",
            )
            for hook in ("input", "output")
        )
    ),
}
