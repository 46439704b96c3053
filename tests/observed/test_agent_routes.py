"""What the agent says of a node's interfaces and kernel routes."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from kthw.observed.agent import kept
from kthw.observed.evidence import Way
from kthw.observed.ssh.session import Session
from tests.observed.two_nodes import NO_NODES, PEER, Lab, TwoNodes, around


def ways_to(session: Session, address: str, around_: str = "") -> list[Way]:
    told = around(session, peer=(address, around_))["ways"]
    return [msgspec.convert(each, Way) for each in told]


def way(session: Session, address: str) -> Way:
    (told,) = ways_to(session, address)
    return told


@NO_NODES
def test_the_interfaces_are_told_without_the_bridges_ports(nodes: TwoNodes) -> None:
    nodes.on(0, "ip", "link", "set", "ens5", "mtu", "1400")
    nodes.on(0, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/ens5/rp_filter")
    nodes.on(0, "sh", "-c", "echo 2 > /proc/sys/net/ipv4/conf/all/rp_filter")
    nodes.on(0, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
    nodes.on(0, "sh", "-c", "echo 0 > /proc/sys/net/ipv4/conf/ens5/forwarding")
    session = nodes.session(0)
    assert [link["name"] for link in around(session)["links"]] == ["ens5"]
    nodes.make_pod(session, 0)
    seen = around(session)
    assert seen["rp_filter"] == 2
    card, bridge = seen["links"]
    assert card == {
        "name": "ens5", "kind": "", "up": True, "mtu": 1400, "addresses": ["10.0.1.20/24"], "rp_filter": 1,
        "forwarding": False,
    }  # fmt: skip
    assert (bridge["name"], bridge["kind"], bridge["addresses"]) == ("cnio0", "bridge", ["10.200.0.1/24"])
    assert bridge["forwarding"] is True


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
    lab: Lab, changes: tuple[str, ...], expected: Way
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
    lab: Lab,
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
def test_a_policy_route_is_followed(lab: Lab) -> None:
    nodes, session, _ = lab
    nodes.on(0, "ip", "route", "add", "10.200.0.0/16", "via", "10.0.1.9", "table", "77")
    nodes.on(0, "ip", "rule", "add", "to", "10.200.1.0/24", "table", "77")
    try:
        assert way(session, PEER).route == "10.200.0.0/16 via 10.0.1.9 dev ens5 table 77"
    finally:
        nodes.on(0, "ip", "rule", "del", "to", "10.200.1.0/24", "table", "77")
        nodes.on(0, "ip", "route", "flush", "table", "77")


@NO_NODES
def test_a_permanent_neighbour_is_told_where_it_is_not_the_pod(lab: Lab) -> None:
    """Of its own address, and with another's hardware address; what was asked, or is right, is not told."""
    nodes, session, _ = lab
    there = ("10.200.0.2", "dev", "cnio0")
    nodes.on(0, "fping", "-c", "1", "10.200.0.2")
    right = nodes.on(0, "ip", "neigh", "show", *there).partition("lladdr ")[2].partition(" ")[0]
    told = []
    try:
        for hardware in ("02:00:00:00:00:99", right):
            nodes.on(0, "ip", "neigh", "replace", *there, "lladdr", hardware, "nud", "permanent")
            told.append(around(session)["neighbours"])
    finally:
        nodes.on(0, "ip", "neigh", "flush", "dev", "cnio0", "nud", "permanent")
    assert told == [[{"address": "10.200.0.2", "device": "cnio0", "hardware": "02:00:00:00:00:99"}], []]
    assert around(session)["neighbours"] == []


RULES = {
    "to a range": (("100 to 10.200.1.0/24 blackhole",), [(100, "blackhole", "", "10.200.1.0/24", "")]),
    "from a range, by an interface that is not there": (
        ("100 from 10.200.0.0/24 iif cnio9 prohibit",), [(100, "prohibit", "10.200.0.0/24", "", "cnio9")],
    ),
    "everything, and then more": (
        ("100 unreachable", "101 to 10.200.1.7 blackhole"),
        [(100, "unreachable", "", "", ""), (101, "blackhole", "", "10.200.1.7/32", "")],
    ),
    "on a condition": (("100 not to 10.9.0.0/16 blackhole", "101 fwmark 7 blackhole"), []),
    "after another table": (("100 lookup 77", "101 to 10.200.1.0/24 blackhole"), []),
    "after the main table": (("32800 to 10.200.1.0/24 blackhole",), []),
}  # fmt: skip


@NO_NODES
@pytest.mark.parametrize(("added", "told"), RULES.values(), ids=RULES)
def test_the_rules_that_drop_are_those_that_are_asked_first(
    lab: Lab, added: tuple[str, ...], told: list[tuple[int, str, str, str, str]]
) -> None:
    """And each can be taken away by the text it is told by."""
    nodes, session, _ = lab
    for rule in added:
        nodes.on(0, "ip", "rule", "add", "pref", *rule.split())
    seen = around(session)["rules"]
    try:
        each = [(r["priority"], r["kind"], r["source"], r["destination"], r["entering"]) for r in seen]
        assert each == told
    finally:
        for rule in seen:
            nodes.on(0, "ip", "rule", "del", "pref", str(rule["priority"]), *rule["text"].split())
        for rule in added if not told else ():
            nodes.on(0, "ip", "rule", "del", "pref", rule.split()[0])
    assert around(session)["rules"] == []


@NO_NODES
@pytest.mark.parametrize(
    "rule", ["from 10.200.0.0/24", "iif cnio0", "from 10.200.0.0/16 to 10.200.1.0/24 iif cnio0"]
)
def test_a_table_for_what_pods_send_is_asked_as_they_ask_it(lab: Lab, rule: str) -> None:
    """The node's own packets for the same address go another way."""
    nodes, session, _ = lab
    nodes.on(0, "ip", "route", "add", "default", "via", "10.0.1.9", "table", "77")
    nodes.on(0, "ip", "rule", "add", "pref", "100", *rule.split(), "table", "77")
    try:
        assert way(session, PEER).route == "default via 10.0.1.9 dev ens5 table 77"
        (told,) = around(session)["lookups"]
        assert (told["priority"], told["kind"], told["table"]) == (100, "lookup", "77")
        assert nodes.on(0, "ip", "route", "get", PEER).startswith(f"{PEER} via 10.0.1.21 ")
    finally:
        nodes.on(0, "ip", "rule", "del", "pref", "100", *told["text"].split())
        nodes.on(0, "ip", "route", "flush", "table", "77")
    assert way(session, PEER).via == "10.0.1.21"


@NO_NODES
def test_a_table_for_another_sender_is_not_that_of_pods(lab: Lab) -> None:
    """As a second network interface has one, for its own address."""
    nodes, session, _ = lab
    nodes.on(0, "ip", "route", "add", "default", "via", "10.0.1.9", "table", "77")
    nodes.on(0, "ip", "rule", "add", "pref", "100", "from", "10.0.7.9", "table", "77")
    try:
        assert way(session, PEER).via == "10.0.1.21"
    finally:
        nodes.on(0, "ip", "rule", "del", "pref", "100")
        nodes.on(0, "ip", "route", "flush", "table", "77")


@NO_NODES
def test_an_entry_for_a_part_of_the_pods_range_is_a_way_of_its_own(
    lab: Lab,
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
def test_200_ways_are_asked_at_once(lab: Lab) -> None:
    _, session, _ = lab
    towards = {f"worker-{n}": (f"10.200.{n}.2", f"10.200.{n}.0/24") for n in range(200)}
    seen = {each["towards"]: each["device"] for each in around(session, **towards)["ways"]}
    assert list(seen) == list(towards)
    assert (seen["worker-0"], seen["worker-1"], seen["worker-7"]) == ("cnio0", "ens5", "")


@NO_NODES
def test_the_routes_through_a_next_hop_are_told_the_default_one_aside(lab: Lab) -> None:
    """And no policy's, none to a device, and of two for one destination the one that counts."""
    nodes, session, _ = lab
    added = (
        "10.200.2.0/24 via 10.0.1.22",
        "10.200.2.0/24 via 10.0.1.9 metric 700",
        "blackhole 10.200.3.0/24",
        "10.200.4.0/24 dev cnio0",
        "10.200.5.0/24 via 10.0.1.9 table 77",
    )
    before = around(session)["routes"]
    for route in added:
        nodes.on(0, "ip", "route", "add", *route.split())
    try:
        told = around(session)["routes"]
    finally:
        for route in added:
            nodes.on(0, "ip", "route", "del", *route.split())
    assert {"destination": "10.200.1.0/24", "via": "10.0.1.21", "device": "ens5", "kept": []} in before
    new = {"destination": "10.200.2.0/24", "via": "10.0.1.22", "device": "ens5", "kept": []}
    assert [each for each in told if each not in before] == [new]


ROUTE = {"destination": "10.200.1.0/24", "via": "10.0.1.21", "device": "ens5"}
KEEPING = {
    "netplan": ("routes: [{to: 10.200.1.0/24, via: 10.0.1.21}]", True),
    "networkd": ("[Route]\nDestination=10.200.1.0/24\nGateway=10.0.1.21", True),
    "ifupdown": ("up ip route add 10.200.1.0/24 via 10.0.1.21 || true", True),
    "a netmask elsewhere": ("route add -net 10.200.1.0 netmask 255.255.255.0 gw 10.0.1.21", True),
    "a remark": ("  # ip route add 10.200.1.0/24 via 10.0.1.21", False),
    "another one that ends alike": ("ip route add 110.200.1.0/24 via 10.0.1.21", False),
    "another one that begins alike": ("ip route add 10.200.1.0.5", False),
    "the next hop only": ("address 10.0.1.21", False),
    "no text": ("\udcff 10.200.1.0/24", True),
}


@pytest.mark.parametrize(("text", "keeps"), KEEPING.values(), ids=KEEPING)
def test_a_file_that_names_a_routes_destination_keeps_it(
    text: str, keeps: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "PLACES", (f"{tmp_path}/*.yaml",))
    file = tmp_path / "60-pods.yaml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert kept.kept_routes([ROUTE]) == [{**ROUTE, "kept": [str(file)] if keeps else []}]


def test_what_is_no_file_of_text_keeps_no_route_and_nobody_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "PLACES", (f"{tmp_path}/*",))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "nowhere").symlink_to("nothing")
    assert kept.kept_routes([ROUTE]) == [{**ROUTE, "kept": []}]


def test_of_very_many_files_some_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "PLACES", (f"{tmp_path}/*",))
    for number in range(kept.MOST_KEPT + 1):
        (tmp_path / f"{number}.sh").write_text("ip route add 10.200.1.0/24 via 10.0.1.21")
    (told,) = kept.kept_routes([ROUTE])
    assert len(told["kept"]) == kept.MOST_KEPT


def test_a_star_stands_for_any_part_of_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file's and of a folder's, none and a first dot included; a place without one is itself."""
    for folder in ("a.d", "b.d", ".d", "a", "a.d/a.conf", "b.d/c"):
        (tmp_path / folder).mkdir()
    text = "ip route add 10.200.1.0/24 via 10.0.1.21"
    for name in (
        "a.d/.conf",
        "a.d/b.conf",
        "a.d/b.conf~",
        "b.d/c/d.conf",
        ".d/route-",
        "b.d/aroute-1",
        "a/a.conf",
    ):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(kept, "MOST_KEPT", 20)

    def found(place: str) -> list[str]:
        monkeypatch.setattr(kept, "PLACES", (f"{tmp_path}/{place}",))
        return [path.removeprefix(f"{tmp_path}/") for path in kept.kept_routes([ROUTE])[0]["kept"]]

    for place in (
        "*.d/*.conf",
        "*.d/*",
        "a/*",
        "*",
        "a*/*.conf",
        "*.d/route-*",
        "none/*",
        "a.d/b.conf",
        "a.d/b",
    ):
        assert found(place) == sorted(
            str(path.relative_to(tmp_path)) for path in tmp_path.glob(place) if path.is_file()
        ), place
    assert found("*.d/*.conf") == ["a.d/.conf", "a.d/b.conf"]
