"""The smallest flow of what is stopped: what is left out of it may be anything."""

from __future__ import annotations

from ipaddress import IPv4Network

from kthw.findings.stops import Stop
from kthw.network.flows import Addresses, Flow, Span


def pods(worker: int) -> Addresses:
    found = Addresses.of_pods(IPv4Network(f"10.200.{worker}.0/24"), None)
    assert found
    return found


def test_what_stops_all_between_two_stops_the_smallest_of_what_is_asked_about() -> None:
    one, other = pods(0), pods(1)
    asked = Span(protocols=("udp", "tcp"), ports=(53, 90), askers=(40000, 40010))
    flow = Flow(source=one.smallest, destination=other.smallest, protocol="udp", port=53, asker=40000)
    assert Stop(where="x").flow(one, other, asked) == flow
    ping = Flow(source=one.smallest, destination=other.smallest, protocol="icmp")
    assert Stop(where="x").flow(one, other, Span()) == ping
