"""What the agent says of the node around its pod: interfaces, kernel routes, firewall, metadata."""

from __future__ import annotations

import http.server
import json
import subprocess
import threading
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kthw.network.netfilter import Firewall, Packet
from kthw.observed.agent import firewall, system
from kthw.observed.agent.metadata import metadata
from kthw.observed.agent.node import facts, surroundings
from kthw.observed.evidence import Chain, Way
from kthw.observed.ssh.session import Session
from tests.observed.two_nodes import TwoNodes, why_not

NO_NODES = pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[TwoNodes]:
    lab = TwoNodes(tmp_path)
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TwoNodes, Session, Session]]:
    """Two nodes with a pod each, 10.200.0.2 and 10.200.1.2, for tests that put things right again."""
    made = TwoNodes(tmp_path_factory.mktemp("nodes"))
    sessions = made.session(0), made.session(1)
    for number, session in enumerate(sessions):
        made.make_pod(session, number)
    yield made, *sessions
    made.close()


def around(session: Session, **towards: tuple[str, str]) -> dict[str, Any]:
    return session.request("ways", deadline=20, towards=towards)


def ways_to(session: Session, address: str, around_: str = "") -> list[Way]:
    told = around(session, peer=(address, around_))["ways"]
    return [msgspec.convert(each, Way) for each in told]


def way(session: Session, address: str) -> Way:
    (told,) = ways_to(session, address)
    return told


def chains(session: Session) -> list[Chain]:
    return [msgspec.convert(each, Chain) for each in around(session)["firewall"]]


# --------------------------------------------------------------------------- interfaces


@NO_NODES
def test_the_interfaces_are_told_without_the_bridges_ports(nodes: TwoNodes) -> None:
    nodes.on(0, "ip", "link", "set", "ens5", "mtu", "1400")
    nodes.on(0, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/ens5/rp_filter")
    nodes.on(0, "sh", "-c", "echo 2 > /proc/sys/net/ipv4/conf/all/rp_filter")
    session = nodes.session(0)
    assert [link["name"] for link in around(session)["links"]] == ["ens5"]
    nodes.make_pod(session, 0)
    seen = around(session)
    assert seen["rp_filter"] == 2
    card, bridge = seen["links"]
    assert card == {
        "name": "ens5", "kind": "", "up": True, "mtu": 1400, "addresses": ["10.0.1.20/24"], "rp_filter": 1,
    }  # fmt: skip
    assert (bridge["name"], bridge["kind"], bridge["addresses"]) == ("cnio0", "bridge", ["10.200.0.1/24"])


# --------------------------------------------------------------------------- kernel routes

PEER = "10.200.1.2"
WAYS = {
    "as wired": ((), Way(towards="peer", address=PEER, device="ens5", via="10.0.1.21",
                         route="10.200.1.0/24 via 10.0.1.21 dev ens5")),
    "a narrower one": (
        ("add 10.200.1.0/25 via 10.0.1.9",),
        Way(towards="peer", address=PEER, device="ens5", via="10.0.1.9",
            route="10.200.1.0/25 via 10.0.1.9 dev ens5"),
    ),
    "another device": (
        ("add 10.200.1.2/32 dev cnio0",),
        Way(towards="peer", address=PEER, device="cnio0", route="10.200.1.2 dev cnio0 scope link"),
    ),
    "blackhole": (
        ("add blackhole 10.200.1.0/26",),
        Way(towards="peer", address=PEER, kind="blackhole", route="blackhole 10.200.1.0/26"),
    ),
    "unreachable": (
        ("add unreachable 10.200.1.0/26 metric 7",),
        Way(towards="peer", address=PEER, kind="unreachable", route="unreachable 10.200.1.0/26 metric 7"),
    ),
    "none at all": (("del 10.200.1.0/24",), Way(towards="peer", address=PEER, kind="none")),
}  # fmt: skip


@NO_NODES
@pytest.mark.parametrize(("changes", "expected"), WAYS.values(), ids=WAYS)
def test_the_way_is_the_kernels_with_the_entry_that_decides(
    lab: tuple[TwoNodes, Session, Session], changes: tuple[str, ...], expected: Way
) -> None:
    """And that entry can be taken away by the text it is told by."""
    nodes, session, _ = lab
    for change in changes:
        nodes.on(0, "ip", "route", *change.split())
    try:
        assert way(session, PEER) == expected
    finally:
        if expected.kind == "none":
            nodes.on(0, "ip", "route", "add", "10.200.1.0/24", "via", "10.0.1.21")
        elif changes:
            nodes.on(0, "ip", "route", "del", *expected.route.split())
    assert way(session, PEER).route == "10.200.1.0/24 via 10.0.1.21 dev ens5"


@NO_NODES
def test_of_several_next_hops_the_entry_is_told_whichever_is_taken(
    lab: tuple[TwoNodes, Session, Session],
) -> None:
    nodes, session, _ = lab
    hops = ("nexthop", "via", "10.0.1.8", "nexthop", "via", "10.0.1.9")
    nodes.on(0, "ip", "route", "add", "10.200.1.0/25", *hops)
    try:
        ways = [way(session, f"10.200.1.{n}") for n in range(2, 34)]
        assert {each.via for each in ways} == {"10.0.1.8", "10.0.1.9"}
        assert {each.route for each in ways} == {
            "10.200.1.0/25 nexthop via 10.0.1.8 dev ens5 weight 1 nexthop via 10.0.1.9 dev ens5 weight 1"
        }
    finally:
        nodes.on(0, "ip", "route", "del", "10.200.1.0/25", *hops)


@NO_NODES
def test_a_policy_route_is_followed(lab: tuple[TwoNodes, Session, Session]) -> None:
    nodes, session, _ = lab
    nodes.on(0, "ip", "route", "add", "10.200.0.0/16", "via", "10.0.1.9", "table", "77")
    nodes.on(0, "ip", "rule", "add", "to", "10.200.1.0/24", "table", "77")
    try:
        assert way(session, PEER).route == "10.200.0.0/16 via 10.0.1.9 dev ens5 table 77"
    finally:
        nodes.on(0, "ip", "rule", "del", "to", "10.200.1.0/24", "table", "77")
        nodes.on(0, "ip", "route", "flush", "table", "77")


@NO_NODES
def test_an_entry_for_a_part_of_the_pods_range_is_a_way_of_its_own(
    lab: tuple[TwoNodes, Session, Session],
) -> None:
    nodes, session, _ = lab
    added = ("blackhole 10.200.1.128/25", "10.200.1.77 via 10.0.1.9", "10.200.2.0/25 via 10.0.1.9")
    for route in added:
        nodes.on(0, "ip", "route", "add", *route.split())
    try:
        first, *others = ways_to(session, PEER, "10.200.1.0/24")
    finally:
        for route in added:
            nodes.on(0, "ip", "route", "del", *route.split())
    assert first.route == "10.200.1.0/24 via 10.0.1.21 dev ens5"
    assert {(way.address, way.kind, way.route) for way in others} == {
        ("10.200.1.129", "blackhole", "blackhole 10.200.1.128/25"),
        ("10.200.1.77", "unicast", "10.200.1.77 via 10.0.1.9 dev ens5"),
    }


@NO_NODES
def test_200_ways_are_asked_at_once(lab: tuple[TwoNodes, Session, Session]) -> None:
    _, session, _ = lab
    towards = {f"worker-{n}": (f"10.200.{n}.2", f"10.200.{n}.0/24") for n in range(200)}
    seen = {each["towards"]: each["device"] for each in around(session, **towards)["ways"]}
    assert list(seen) == list(towards)
    assert (seen["worker-0"], seen["worker-1"], seen["worker-7"]) == ("cnio0", "ens5", "")


# --------------------------------------------------------------------------- the firewall

SHELL = """set -e
forward() { iptables -A FORWARD "$@"; }
drop() { iptables -P FORWARD DROP; }
guide() {
  nft add table inet guide
  nft "add chain inet guide forward { type filter hook forward priority 5; policy $1; }"
}
rule() { nft "add rule inet guide forward $*"; }
"""
RULES = {
    "nothing": "true",
    "policy DROP": "drop",
    "policy DROP of the legacy variant": "iptables-legacy -P FORWARD DROP",
    "policy DROP, one direction accepted": "drop; forward -i ens5 -o cnio0 -j ACCEPT",
    "policy DROP, both accepted": "drop; forward -i cnio0 -j ACCEPT; forward -o cnio0 -j ACCEPT",
    "stateful": """
        drop; forward -d 10.200.1.0/24 -j ACCEPT; forward -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
    """,
    "ping only": "drop; forward -p icmp -j ACCEPT",
    "ping dropped": "forward -p icmp -m icmp --icmp-type echo-request -j DROP",
    "answers dropped": "forward -p icmp -m icmp --icmp-type echo-reply -j DROP",
    "the port dropped": "forward -p tcp -m multiport --dports 80,8000:8999 -j REJECT",
    "another port dropped": "forward -p tcp --dport 80 -j DROP",
    "a chain of its own": """
        iptables -N PODS; iptables -A PODS -s 10.0.1.20 -j RETURN; iptables -A PODS -j DROP
        forward -d 10.200.0.0/16 -j PODS
    """,
    "a chain of its own, for another": """
        iptables -N PODS; iptables -A PODS -s 10.9.9.9 -j RETURN; iptables -A PODS -j DROP
        forward -d 10.200.0.0/16 -j PODS
    """,
    "goto": "iptables -N PODS; drop; forward -g PODS; forward -j ACCEPT",
    "mangle": "iptables -t mangle -A FORWARD -i ens5 -p tcp -j DROP",
    "negations": "forward ! -i lo ! -s 10.0.0.0/8 -j DROP; forward -i ens5 ! -o docker0 ! -p tcp -j DROP",
    "a comment that says DROP": "drop; forward -m comment --comment 'not -j DROP' -j ACCEPT",
    "nft policy": "guide drop",
    "nft accepts": """
        guide drop; rule ct state established,related accept
        rule 'iifname "ens*" ip daddr { 10.200.1.0/24, 10.9.0.0/16 } accept'
    """,
    "nft reject": "guide accept; rule ip protocol tcp reject with icmpx admin-prohibited",
    "nft range": "guide accept; rule ip saddr 10.0.1.9-10.0.1.30 tcp dport 8000-8080 counter drop",
    "nft jump": """
        guide accept; nft add chain inet guide pods
        nft 'add rule inet guide pods meta l4proto icmp log prefix "drop accept" drop'
        rule oifname cnio0 counter jump pods
    """,
    "nft for IPv6 and others": """
        guide accept; rule meta nfproto ipv6 drop; rule ip6 daddr fd00::/8 drop; rule udp dport 1-65535 drop
    """,
    "nft, a table of IPv4": """
        nft add table ip mine; nft 'add chain ip mine before { type filter hook forward priority -10; }'
        nft add rule ip mine before icmp type echo-request drop
    """,
}
PUT_RIGHT = """
iptables -P FORWARD ACCEPT; iptables -F; iptables -X; iptables -t mangle -F; iptables-legacy -P FORWARD ACCEPT
nft delete table inet guide; nft delete table ip mine; true
"""


@NO_NODES
@pytest.mark.parametrize("commands", RULES.values(), ids=RULES)
def test_the_firewall_as_it_is_read_does_what_it_does_to_packets(
    lab: tuple[TwoNodes, Session, Session], commands: str
) -> None:
    """Real rules, printed by the real tools: what the judgement predicts is what becomes of real packets."""
    nodes, sender, session = lab
    nodes.on(1, "sh", "-c", SHELL + commands)
    try:
        read = Firewall(chains(session))
        peers = [{"worker": "worker-1", "address": PEER, "port": 8080}]
        answer = sender.request("probe", deadline=20, peers=peers, seconds=0.4)
    finally:
        nodes.on(1, "sh", "-c", PUT_RIGHT)
    reached = {protocol: reached for _, _, _, protocol, reached, _, _ in answer["probes"]}
    assert {name: not _dropped(read, name) for name in reached} == reached


def _dropped(read: Firewall, protocol: Any) -> bool:
    node, pod = IPv4Address("10.0.1.20"), IPv4Address(PEER)
    request = Packet(source=node, destination=pod, protocol=protocol, entering="ens5", leaving="cnio0")
    reply = Packet(
        source=pod, destination=node, protocol=protocol, entering="cnio0", leaving="ens5", reply=True
    )
    return bool(read.drops(request) or read.drops(reply))


@NO_NODES
def test_only_chains_that_forwarded_packets_pass_are_told(lab: tuple[TwoNodes, Session, Session]) -> None:
    nodes, _, session = lab
    pods = "iptables -N PODS; forward -j PODS; iptables -N IDLE; iptables -A INPUT -s 10.9.9.9 -j DROP"
    nodes.on(1, "sh", "-c", SHELL + pods)
    try:
        told = [(chain.tool, chain.table, chain.name, chain.policy) for chain in chains(session)]
    finally:
        nodes.on(1, "sh", "-c", PUT_RIGHT)
    assert [each for each in told if each[:2] == ("iptables", "filter")] == [
        ("iptables", "filter", "FORWARD", "ACCEPT"),
        ("iptables", "filter", "PODS", ""),
    ]


@NO_NODES
def test_a_table_of_iptables_is_not_told_twice(lab: tuple[TwoNodes, Session, Session]) -> None:
    """nft lists the tables of iptables-nft as well."""
    nodes, _, session = lab
    nodes.on(1, "iptables", "-A", "FORWARD", "-s", "10.9.9.9", "-j", "DROP")
    try:
        told = chains(session)
    finally:
        nodes.on(1, "sh", "-c", PUT_RIGHT)
    assert [rule for chain in told for rule in chain.rules] == ["-A FORWARD -s 10.9.9.9/32 -j DROP"]


@NO_NODES
def test_a_very_long_chain_is_cut_and_says_so(lab: tuple[TwoNodes, Session, Session]) -> None:
    """And what is behind the cut is not judged."""
    nodes, _, session = lab
    lines = [f"add rule inet guide forward ip saddr 10.{n >> 8}.{n & 255}.9 accept\n" for n in range(2100)]
    try:
        nodes.on(1, "sh", "-c", f"{SHELL}guide drop")
        # An ordinary user's kernel takes no message as long as all of them.
        for n in range(0, len(lines), 300):
            nodes.on(1, "sh", "-c", f"nft -f - <<'EOF'\n{''.join(lines[n : n + 300])}EOF")
        (chain,) = [chain for chain in chains(session) if chain.tool == "nft"]
    finally:
        nodes.on(1, "sh", "-c", PUT_RIGHT)
    assert (len(chain.rules), chain.cut) == (2000, True)
    assert not _dropped(Firewall([chain]), "icmp")
    assert _dropped(Firewall([msgspec.structs.replace(chain, cut=False)]), "icmp")


LOOK = {"towards": {"worker-1": [PEER, "10.200.1.0/24"]}}
TABLES = "10.200.1.0/24 via 10.0.1.21 dev ens5 \ndefault via 10.0.1.1 dev ens5 \n"
LINKS = json.dumps([{"ifname": "lo"}, {"ifname": "ens5", "flags": ["UP"], "mtu": 9001, "addr_info": []}])
SAVED = "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -i cnio0 -j ACCEPT\nCOMMIT\n"
HEALTHY: dict[str, tuple[int, str, str] | BaseException] = {
    "ip -j": (0, LINKS, ""),
    "ip route get": (0, f"{PEER} via 10.0.1.21 dev ens5 src 10.0.1.20 uid 0 \\    cache \n", ""),
    "ip route show": (0, TABLES, ""),
    "nft": (0, "table inet mine {\n\tset s {\n\t}\n}\n", ""),
    "iptables-nft-save": (0, SAVED, ""),
}


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, str, str] | BaseException]:
    """What a node's programs do: exit status, output and complaint, or what comes of running them."""
    does = dict(HEALTHY)

    def run(*command: str, **_: Any) -> subprocess.CompletedProcess[str]:
        part = {"-j": "ip -j", "-batch": "ip route get", "show": "ip route show"}
        name = next((part[word] for word in command if command[0] == "ip" and word in part), command[0])
        done = does.get(name, FileNotFoundError())
        if isinstance(done, BaseException):
            raise done
        return subprocess.CompletedProcess(command, *done)

    monkeypatch.setattr(system, "tool", run)
    monkeypatch.setattr(firewall, "LEGACY_TABLES", "/nonexistent")
    return does


def test_a_node_that_can_tell_tells(programs: dict[str, Any]) -> None:
    """What the next ones take a part of away from."""
    seen = surroundings(LOOK)
    assert (seen["lacking"], seen["failed"]) == ([], [])
    assert [link["name"] for link in seen["links"]] == ["ens5"]
    assert [each["route"] for each in seen["ways"]] == ["10.200.1.0/24 via 10.0.1.21 dev ens5"]
    assert [(each["name"], each["policy"]) for each in seen["firewall"]] == [("FORWARD", "DROP")]


def test_a_node_without_the_tools_knows_nothing_and_says_so(programs: dict[str, Any]) -> None:
    programs.clear()
    seen = surroundings(LOOK)
    assert (seen["links"], seen["ways"], seen["firewall"]) == ([], [], None)
    assert (seen["lacking"], seen["failed"]) == (["ip", "nft", "iptables-save"], [])


SLOW = subprocess.TimeoutExpired("ip", 8)
FAILING = {
    "ip exits with 1": ("ip -j", (1, "", "Cannot open netlink socket"), "ip"),
    "ip knows no JSON": ("ip -j", (255, "", 'Option "-j" is unknown'), "ip"),
    "ip hangs": ("ip -j", SLOW, "ip"),
    "ip cannot be run": ("ip -j", PermissionError("no"), "ip"),
    "ip prints garbage": ("ip -j", (0, "hello", ""), "ip"),
    "ip prints nothing": ("ip -j", (0, "", ""), "ip"),
    "ip prints a number": ("ip -j", (0, "7", ""), "ip"),
    "ip prints other JSON": ("ip -j", (0, '[["lo"]]', ""), "ip"),
    "ip prints links that are none": ("ip -j", (0, '[{"ifname": "a", "addr_info": [1]}]', ""), "ip"),
    "ip prints too deep a nest": ("ip -j", (0, "[" * 100_000, ""), "ip"),
    "route get exits with 1": ("ip route get", (1, "", "no"), "ip"),
    "route get prints nothing": ("ip route get", (0, "", ""), "ip"),
    "route get prints garbage": ("ip route get", (0, "hello\nworld\n", ""), "ip"),
    "route get hangs": ("ip route get", SLOW, "ip"),
    "route show exits with 1": ("ip route show", (1, TABLES, "Dump terminated"), "ip"),
    "route show prints nothing": ("ip route show", (0, "", ""), "ip"),
    "route show prints garbage": ("ip route show", (0, "hello\n", ""), "ip"),
    "nft exits with 1": ("nft", (1, "", "Error"), "nft"),
    "nft hangs": ("nft", SLOW, "nft"),
    "nft prints garbage": ("nft", (0, "hello\n", ""), "nft"),
    "nft prints half": ("nft", (0, "table ip x {\n chain y {\n", ""), "nft"),
    "nft closes more than it opens": ("nft", (0, "}\n}\ntable ip x {\n", ""), "nft"),
    "iptables-save exits with 1": ("iptables-nft-save", (1, SAVED, ""), "iptables-nft-save"),
    "iptables-save hangs": ("iptables-nft-save", SLOW, "iptables-nft-save"),
    "iptables-save prints garbage": ("iptables-nft-save", (0, "hello\n", ""), "iptables-nft-save"),
    "iptables-save prints rules of no table": ("iptables-nft-save", (0, "-A X\n", ""), "iptables-nft-save"),
    "iptables-save prints half": ("iptables-nft-save", (0, "*filter\n:FORWARD\n", ""), "iptables-nft-save"),
}  # fmt: skip


@pytest.mark.parametrize(("program", "does", "named"), FAILING.values(), ids=FAILING)
def test_a_program_that_fails_is_named_and_nothing_is_told_of_what_it_would_show(
    programs: dict[str, Any], program: str, does: Any, named: str
) -> None:
    """Not even that there is nothing; and what the others show is told all the same."""
    programs[program] = does
    seen = surroundings(LOOK)
    assert [(each["code"], each["facts"]) for each in seen["failed"]] == [
        ("node-unreadable", {"tool": named})
    ]
    assert seen["failed"][0]["detail"].startswith(f"{named}: ")
    assert seen["lacking"] == []
    assert (seen["ways"] == [], seen["firewall"] is None) == (named == "ip", named != "ip")


def test_a_way_that_the_kernel_refuses_is_no_failure_of_the_program(programs: dict[str, Any]) -> None:
    said = "RTNETLINK answers: Network is unreachable\nCommand failed -:1\n"
    programs["ip route get"] = (1, "", said)
    seen = surroundings(LOOK)
    assert seen["failed"] == []
    assert [each["kind"] for each in seen["ways"]] == ["none"]


def test_a_kernel_without_nftables_has_no_rules_in_it(programs: dict[str, Any]) -> None:
    programs["nft"] = (1, "", "netlink: Error: cache initialization failed: Protocol not supported")
    seen = surroundings(LOOK)
    assert seen["failed"] == []
    assert [each["name"] for each in seen["firewall"]] == ["FORWARD"]


def test_a_failing_ip_is_an_error_among_the_facts_too(programs: dict[str, Any]) -> None:
    programs["ip -j"] = (1, "", "no")
    seen = facts({"configs": "/nonexistent", "plugins": "/nonexistent"})
    assert [each["facts"] for each in seen["failed"]] == [{"tool": "ip"}]


def test_an_old_node_with_one_variant_of_iptables_is_read_too(programs: dict[str, Any]) -> None:
    programs.clear()
    programs["iptables-save"] = (0, SAVED, "")
    assert firewall.chains(system.Looking(5)) == [
        {
            "tool": "iptables",
            "table": "filter",
            "name": "FORWARD",
            "policy": "DROP",
            "rules": ["-A FORWARD -i cnio0 -j ACCEPT"],
        }
    ]


# --------------------------------------------------------------------------- who saw the packets


@NO_NODES
@pytest.mark.parametrize("protocol", ["icmp", "tcp"])
def test_every_interface_on_the_way_sees_the_packet_and_its_answer(
    lab: tuple[TwoNodes, Session, Session], protocol: str
) -> None:
    assert watched(lab, protocol) == {
        (0, "request"): {"eth0 in pod", "cnio0", "ens5"},
        (1, "request"): {"ens5", "cnio0", "eth0 in pod"},
        (1, "reply"): {"eth0 in pod", "cnio0", "ens5"},
        (0, "reply"): {"ens5", "cnio0", "eth0 in pod"},
    }


@NO_NODES
@pytest.mark.parametrize("protocol", ["icmp", "tcp"])
def test_nobody_behind_what_drops_it_sees_the_packet(
    lab: tuple[TwoNodes, Session, Session], protocol: str
) -> None:
    nodes, *_ = lab
    nodes.on(1, "iptables", "-P", "FORWARD", "DROP")
    try:
        seen = watched(lab, protocol)
    finally:
        nodes.on(1, "sh", "-c", PUT_RIGHT)
    assert seen == {(0, "request"): {"eth0 in pod", "cnio0", "ens5"}, (1, "request"): {"ens5"}}


@NO_NODES
def test_packets_of_others_are_not_counted(lab: tuple[TwoNodes, Session, Session]) -> None:
    nodes, sender, receiver = lab
    pairs = [[0, "icmp", "10.200.0.2", "10.0.1.20", PEER]]
    for session in (sender, receiver):
        session.request("watch", deadline=5, mark="00" * 8, port=8080, pairs=pairs)
    nodes.on(0, "fping", "-c", "2", "-p", "100", "10.200.1.2")
    assert [s.request("seen", deadline=5, seconds=0.1)["seen"] for s in (sender, receiver)] == [[], []]


def watched(lab: tuple[TwoNodes, Session, Session], protocol: str) -> dict[tuple[int, str], set[str]]:
    """By node and direction, where a packet from pod to pod was seen; bridge ports aside."""
    _, *sessions = lab
    pairs = [[7, protocol, "10.200.0.2", "10.0.1.20", PEER]]
    for session in sessions:
        session.request("watch", deadline=5, mark="0123456789abcdef", port=8080, pairs=pairs)
    sessions[0].request("send", deadline=5, pairs=[[7, protocol, PEER]], times=2, pause=0.05)
    found: dict[tuple[int, str], set[str]] = {}
    for number, session in enumerate(sessions):
        for pair, direction, interface, inside in session.request("seen", deadline=5, seconds=0.2)["seen"]:
            assert pair == 7
            if not interface.startswith("veth"):
                where = f"{interface} in pod" if inside else interface
                found.setdefault((number, direction), set()).add(where)
    return found


# --------------------------------------------------------------------------- metadata


class Metadata(http.server.BaseHTTPRequestHandler):
    """Answers a plain GET with ``plain``, one with the token with ``with_token``."""

    plain, with_token = 200, 200

    def do_GET(self) -> None:
        self._answer(self.with_token if self.headers.get("X-aws-ec2-metadata-token") == "t0" else self.plain)

    def do_PUT(self) -> None:
        self._answer(200 if self.headers.get("X-aws-ec2-metadata-token-ttl-seconds") else 400)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"t0")

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("plain", "with_token", "expected"),
    [(200, 200, "v1"), (401, 200, "v2"), (401, 401, "none"), (403, 403, "none"), (404, 200, "none")],
)
def test_the_metadata_service_is_known_by_what_it_says_to_a_plain_question(
    plain: int, with_token: int, expected: str
) -> None:
    handler = type("Handler", (Metadata,), {"plain": plain, "with_token": with_token})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            assert metadata("127.0.0.1", server.server_port) == expected
        finally:
            server.shutdown()
            thread.join()
        closed = server.server_port
    assert metadata("127.0.0.1", closed) == "none"
