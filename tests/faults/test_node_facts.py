"""What goes wrong on a node is seen over the same SSH session, named, and mended by the command printed.

And what nobody can name is followed: how far the packets came. One sandbox with its routes; each test
breaks one node in a shell, as a person would.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from kthw.findings.finding import Finding
from kthw.intended.cluster import Intended
from kthw.network.traces import fate
from kthw.observed.evidence import Evidence
from kthw.observed.gather import gather
from kthw.words.messages import catalogue
from sandbox.box import Sandbox, ec2_client, start, why_no_packets
from sandbox.faults.terminal import Terminal
from tests.faults.judge import findings
from tests.faults.prediction import disagreements
from tests.own_address import OWN_ADDRESS

NO_PACKETS = why_no_packets(catalogue("en").say)
pytestmark = pytest.mark.skipif(bool(NO_PACKETS), reason=NO_PACKETS)

WORKERS = ("worker-0", "worker-1", "worker-2")
INTENDED = Intended(workers=WORKERS)
WITH_1 = {(a, b) for a in WORKERS for b in WORKERS if a != b and "worker-1" in (a, b)}
TO_0 = {("worker-1", "worker-0")}


class Lab:
    """The tutorial's cluster with its routes, a look at it, and a person's terminal."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box
        self.terminal = Terminal(box)
        ec2 = ec2_client(box.target.endpoint)
        kubernetes: Any = [{"Name": "tag:Name", "Values": ["kubernetes"]}]
        table = ec2.describe_route_tables(Filters=kubernetes)["RouteTables"][0]["RouteTableId"]
        for reservation in ec2.describe_instances()["Reservations"]:
            for instance in reservation["Instances"]:
                name = next(tag["Value"] for tag in instance["Tags"] if tag["Key"] == "Name")
                if name in WORKERS:
                    ec2.create_route(
                        RouteTableId=table,
                        DestinationCidrBlock=f"10.200.{WORKERS.index(name)}.0/24",
                        InstanceId=instance["InstanceId"],
                    )

    def look(self) -> Evidence:
        return gather(self._box.target, INTENDED)

    def on(self, worker: str, command: str) -> None:
        self.terminal.types(f"ssh {worker} \"sudo sh -c '{command}'\"", {})


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with start(WORKERS, like=OWN_ADDRESS) as box:
        made = Lab(box)
        yield made
        made.terminal.close()


def causes(evidence: Evidence) -> list[Finding]:
    return [finding for finding in findings(evidence) if finding.code != "pod-unreachable"]


def cut(evidence: Evidence) -> set[tuple[str, str]]:
    return {(p.source, p.destination) for p in evidence.probes if p.kind == "pod" and not p.reached}


def test_a_healthy_node_tells_all_and_nothing_is_traced(lab: Lab) -> None:
    seen = lab.look()
    assert findings(seen) == []
    assert seen.traces == ()
    for number, worker in enumerate(WORKERS):
        node = seen.nodes[worker]
        assert node.imds == "v1"
        assert node.firewall is not None
        card, bridge = node.links
        assert (card.name, card.mtu, card.addresses) == ("ens5", 9001, (f"10.0.1.{20 + number}/24",))
        assert (bridge.name, bridge.kind, bridge.addresses) == ("cnio0", "bridge", (f"10.200.{number}.1/24",))
        assert {way.towards: way.device for way in node.ways} == {
            other: "cnio0" if other == worker else "ens5" for other in WORKERS
        }


BROKEN = {
    "policy DROP": ("iptables -P FORWARD DROP", "forward-dropped", "", WITH_1),
    "a rule for the pod range": (
        "iptables -A FORWARD -d 10.200.0.0/16 -j DROP", "forward-dropped", "rule", WITH_1,
    ),
    "a rule with a comment": (
        "iptables -A FORWARD -o cnio0 -m comment --comment \\\"no pods\\\" -j REJECT",
        "forward-dropped", "rule", WITH_1,
    ),
    "a rule of nftables": (
        "nft add table inet guide; "
        "nft add chain inet guide forward \\{ type filter hook forward priority 0 \\; policy accept \\; \\}; "
        "nft add rule inet guide forward iifname cnio0 counter drop",
        "forward-dropped", "rule", WITH_1,
    ),
    "policy drop of nftables": (
        "nft add table ip guide; "
        "nft add chain ip guide forward \\{ type filter hook forward priority 0 \\; policy drop \\; \\}",
        "forward-dropped", "", WITH_1,
    ),
    "a route to a peer by an address of nobody": (
        "ip route add 10.200.0.0/24 via 10.0.1.99", "node-route-conflict", "", TO_0,
    ),
    "a route to a peer is a blackhole": (
        "ip route add blackhole 10.200.0.0/24", "node-route-conflict", "refused", TO_0,
    ),
    "a part of it is unreachable": (
        "ip route add unreachable 10.200.0.128/25 metric 5", "node-route-conflict", "refused", set(),
    ),
    "another bridge has the range": (
        "ip link add docker0 type bridge; ip link set docker0 up; ip route add 10.200.0.0/24 dev docker0",
        "node-route-conflict", "", TO_0,
    ),
    "its own pods elsewhere": (
        "ip route add 10.200.1.0/24 via 10.0.1.1 dev ens5", "node-route-conflict", "own", WITH_1,
    ),
    "forwarding off": ("sysctl -qw net.ipv4.ip_forward=0", "forwarding-off", "", WITH_1),
}  # fmt: skip


@pytest.mark.parametrize(("command", "code", "variant", "pairs"), BROKEN.values(), ids=BROKEN)
def test_it_is_named_predicted_and_mended_by_its_command(
    lab: Lab, command: str, code: str, variant: str, pairs: set[tuple[str, str]]
) -> None:
    """One finding; exactly the pairs it predicts fail; the command it prints mends it."""
    lab.on("worker-1", command)
    seen = lab.look()
    (found,) = causes(seen)
    assert (found.code, found.worker, found.variant) == (code, "worker-1", variant)
    assert cut(seen) == pairs
    assert disagreements(seen) == []
    symptoms = {f.explained_by for f in findings(seen) if f.code == "pod-unreachable"}
    assert symptoms == ({(code,)} if pairs else set())
    lab.terminal.types(catalogue("pt-BR").finding(found).fix)
    mended = lab.look()
    assert findings(mended) == []
    assert cut(mended) == set()


ALL = "-m length --length 1:9999"
"""A match that is not judged, and holds."""
UNSEEN = {
    "dropped as it comes in": (
        f"iptables -t raw -A PREROUTING -i ens5 -p icmp {ALL} -j DROP",
        "iptables -t raw -F",
        ("worker-0", "worker-1"), "request-on-node", "eni worker-1", "bridge worker-1",
    ),
    "dropped before it goes out": (
        f"iptables -t mangle -A POSTROUTING -o ens5 -p icmp --icmp-type 8 {ALL} -j DROP",
        "iptables -t mangle -F",
        ("worker-1", "worker-0"), "request-on-node", "bridge worker-1", "eni worker-1",
    ),
    "the answer dropped": (
        f"iptables -t mangle -A POSTROUTING -o ens5 -p icmp --icmp-type 0 {ALL} -j DROP",
        "iptables -t mangle -F",
        ("worker-0", "worker-1"), "reply-on-node", "bridge worker-1", "eni worker-1",
    ),
    "only TCP": (
        f"iptables -t raw -A PREROUTING -i ens5 -p tcp --dport 8080 {ALL} -j DROP",
        "iptables -t raw -F",
        ("worker-0", "worker-1"), "request-on-node", "eni worker-1", "bridge worker-1",
    ),
    "where nothing counts": (
        "nft add table ip guide; "
        "nft add chain ip guide c \\{ type filter hook prerouting priority 0 \\; \\}; "
        "nft add rule ip guide c iifname ens5 ip protocol icmp meta length 1-9999 drop",
        "nft delete table ip guide",
        ("worker-0", "worker-1"), "request-on-node", "eni worker-1", "bridge worker-1",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "undo", "pair", "situation", "last", "missing"), UNSEEN.values(), ids=UNSEEN
)
def test_what_nothing_explains_is_followed_to_where_it_was_last_seen(
    lab: Lab, command: str, undo: str, pair: tuple[str, str], situation: str, last: str, missing: str
) -> None:
    """No cause is made up; the trace names the hop, and the rule where one counts; it costs two seconds."""
    lab.on("worker-1", command)
    began = time.monotonic()
    try:
        seen = lab.look()
    finally:
        lab.on("worker-1", undo)
    assert causes(seen) == []
    came = next(fate(t) for t in seen.traces if (t.source, t.destination) == pair)
    assert (came.situation, came.last, came.missing) == (situation, last, missing)
    variant = situation if "nft" in command else "on-node-rule"
    said = [f for f in findings(seen) if f.variant == variant and f.facts["source"] == pair[0]]
    assert said
    told = catalogue("pt-BR").finding(said[0]).what
    assert came.way in told
    assert (ALL in told) is ("nft" not in command)
    assert time.monotonic() - began < 20


def test_a_packet_that_comes_out_at_a_third_node_is_found_there(lab: Lab) -> None:
    """The kernel's own words about the way look right, and the packet goes elsewhere all the same."""
    divert = "iptables -t nat -A PREROUTING -i cnio0 -d 10.200.1.0/24 -j DNAT --to-destination 10.200.2.250"
    lab.on("worker-0", divert)
    try:
        seen = lab.look()
    finally:
        lab.on("worker-0", "iptables -t nat -F PREROUTING")
    trace = next(t for t in seen.traces if (t.source, t.destination) == ("worker-0", "worker-1"))
    assert fate(trace).situation == "astray"
    assert "eni worker-2" in fate(trace).astray
