"""A node's firewall as a worker tells it: judged in bounded time, whatever the chains do to each other."""

from __future__ import annotations

import time
from ipaddress import IPv4Address

import pytest

from kthw.network.netfilter import Firewall
from kthw.network.packet import Packet
from kthw.observed.evidence import Chain

PACKET = Packet(source=IPv4Address("10.200.0.2"), destination=IPv4Address("10.200.1.2"), protocol="tcp")


def chain(name: str, *rules: str, policy: str = "") -> Chain:
    said = tuple(f"-A {name} {rule}" for rule in rules)
    return Chain(tool="iptables", table="filter", name=name, policy=policy, rules=said)


@pytest.mark.parametrize(
    "chains",
    [
        (chain("FORWARD", *["-m strange -j FORWARD"] * 30, "-j DROP", policy="ACCEPT"),),
        (
            chain("FORWARD", *["-j A"] * 30, "-j DROP", policy="ACCEPT"),
            *(chain(a, *[f"-j {b}"] * 30) for a, b in ("AB", "BC", "CA")),
        ),
        (
            chain("FORWARD", "-j c0", "-j DROP", policy="ACCEPT"),
            *(chain(f"c{n}", f"-j c{n + 1}", f"-j c{n + 1}") for n in range(2000)),
        ),
    ],
    ids=["itself", "in a circle", "very deep"],
)
def test_chains_that_jump_without_end_are_judged_at_once(chains: tuple[Chain, ...]) -> None:
    begun = time.process_time()
    Firewall(chains).drops(PACKET)
    assert time.process_time() - begun < 2


def test_what_a_circle_may_do_is_not_known_and_so_no_drop() -> None:
    firewall = Firewall((chain("FORWARD", "-j A", "-j DROP", policy="ACCEPT"), chain("A", "-j A")))
    assert firewall.drops(PACKET) == ()


@pytest.mark.parametrize("port", ["9" * 4500, "²", "", ":", "1:²", "²:9999", "ssh"])
def test_a_port_that_is_no_number_may_be_any(port: str) -> None:
    assert (
        Firewall((chain("FORWARD", f"-p tcp --dport '{port}' -j DROP", policy="ACCEPT"),)).drops(PACKET) == ()
    )
