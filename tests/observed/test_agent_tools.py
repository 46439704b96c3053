"""A node's own programs: what each that fails, hangs or is not there costs, and no more."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from kthw.observed.agent import firewall, system
from kthw.observed.agent.node import facts, surroundings
from tests.observed.two_nodes import PEER

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
            "hook": "forward",
            "priority": 0,
            "policy": "DROP",
            "rules": ["-A FORWARD -i cnio0 -j ACCEPT"],
        }
    ]
