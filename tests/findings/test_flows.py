"""All that pods may send each other, and the smallest of it: what a person is told, and what is sent."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

import pytest

from kthw.network.flows import Addresses, Flow, Span

POD, OTHER, HIGH = map(IPv4Address, ("10.200.0.2", "10.200.1.2", "10.200.0.130"))
RANGE = IPv4Network("10.200.0.0/24")
LOW_HALF, HIGH_HALF = RANGE.subnets()
PING = Flow(source=POD, destination=OTHER, protocol="icmp")
QUESTION = Flow(source=POD, destination=OTHER, protocol="udp", port=53, asker=32768)


def pods(probe: IPv4Address | None = None, cidr: str = str(RANGE)) -> Addresses:
    found = Addresses.of_pods(IPv4Network(cidr), probe)
    assert found
    return found


def test_a_flow_is_told_with_its_ports_where_it_has_any() -> None:
    assert str(PING) == "icmp 10.200.0.2 → 10.200.1.2"
    assert (PING.port, PING.asker) == (0, 0)
    assert str(QUESTION) == "udp 10.200.0.2:32768 → 10.200.1.2:53"


@pytest.mark.parametrize(
    ("span", "requests", "replies"),
    [
        (
            Span(),
            ["icmp 8", "tcp 1-65535", "udp 1-65535"],
            ["icmp 0", "tcp 32768-60999", "udp 32768-60999"],
        ),
        (Span.of(QUESTION), ["udp 53"], ["udp 32768"]),
        (Span.of(PING), ["icmp 8"], ["icmp 0"]),
    ],
    ids=["all", "a question", "a ping"],
)
def test_what_must_get_through_is_what_asks_and_what_answers(
    span: Span, requests: list[str], replies: list[str]
) -> None:
    assert list(map(str, span.requests)) == requests
    assert list(map(str, span.replies)) == replies


def test_a_pod_has_neither_the_networks_nor_the_gateways_nor_the_broadcast_address() -> None:
    for cidr, first, last in ((str(RANGE), POD, "10.200.0.254"), ("10.200.0.0/30", POD, "10.200.0.2")):
        found = pods(cidr=cidr)
        assert (IPv4Address(found.first), IPv4Address(found.last)) == (first, IPv4Address(last))
    assert Addresses.of_pods(IPv4Network("10.200.0.0/31"), None) is None
    assert not pods(cidr="10.200.0.0/30").least(IPv4Network("10.200.0.0/31"))
    assert pods().least(IPv4Network("10.200.0.254/31")) == IPv4Address("10.200.0.254")
    assert not pods().least(IPv4Network("10.200.0.255/32"))


def test_the_probe_pods_address_is_the_smallest_where_it_is_one_of_the_range() -> None:
    assert (pods().smallest, pods(HIGH).smallest, pods(OTHER).smallest) == (POD, HIGH, POD)
    assert Addresses.alone(OTHER).smallest == OTHER
    assert sorted([POD, HIGH, IPv4Address("10.200.0.3")], key=pods(HIGH).rank) == [
        HIGH, POD, IPv4Address("10.200.0.3"),
    ]  # fmt: skip
    assert (pods(HIGH).least(RANGE), pods(HIGH).least(LOW_HALF)) == (HIGH, POD)


@pytest.mark.parametrize(
    ("probe", "parts", "found"),
    [
        (None, "low high", (POD, "low")),
        (HIGH, "low high", (HIGH, "high")),
        (POD, "low high", (POD, "low")),
        (HIGH, "low", (POD, "low")),
        (None, "broadcast high", (IPv4Address("10.200.0.128"), "high")),
        (None, "broadcast", None),
        (HIGH, "broadcast low high", (HIGH, "high")),
        (None, "", None),
    ],
)
def test_the_first_of_some_parts_is_the_probe_pods_or_else_the_lowest(
    probe: IPv4Address | None, parts: str, found: tuple[IPv4Address, str] | None
) -> None:
    by_name = {"low": LOW_HALF, "high": HIGH_HALF, "broadcast": IPv4Network("10.200.0.255/32")}
    assert pods(probe).first_of((by_name[name], name) for name in parts.split()) == found


def test_of_each_part_that_ranges_tell_apart_the_smallest_is_told_the_probe_pods_first() -> None:
    cuts = [IPv4Network("10.200.0.64/26"), HIGH_HALF, IPv4Network("10.200.0.255/32")]
    each = list(map(str, pods(HIGH).apart(cuts)))
    assert each[:3] == ["10.200.0.130", "10.200.0.2", "10.200.0.64"]
    assert "10.200.0.255" not in each
    assert each[3:] == sorted(each[3:], key=IPv4Address)
    assert Addresses.alone(POD).apart(cuts) == [POD]
