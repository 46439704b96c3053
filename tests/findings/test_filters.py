"""What security groups and network ACLs let through, and how their rules are told."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from msgspec.structs import replace

from kthw.network.filters import REPLIES, REQUESTS, GroupRules, Need, denials, denied, entry_text, rule_text
from kthw.observed.evidence import AclEntry, SecurityRule

ECHO, TCP, UDP = REQUESTS
NODE, OTHER = IPv4Network("10.0.1.20/32"), IPv4Network("10.0.1.21/32")
NODES = IPv4Network("10.0.1.20/31")
MEMBERS = {"sg-both": ("10.0.1.20", "10.0.1.21"), "sg-one": ("10.0.1.20",)}


def tcp(low: int, high: int, *, groups: tuple[str, ...] = (), cidrs: tuple[str, ...] = ()) -> SecurityRule:
    return SecurityRule(protocol="tcp", from_port=low, to_port=high, groups=groups, cidrs=cidrs)


def grouped(*names: str) -> SecurityRule:
    return SecurityRule(protocol="-1", groups=names)


@pytest.mark.parametrize(
    ("rules", "peers", "allowed"),
    [
        ((grouped("sg-one"),), NODE, True),
        ((grouped("sg-one"),), OTHER, False),
        ((grouped("sg-one"),), NODES, False),
        ((grouped("sg-one", "sg-both"),), OTHER, True),
        ((tcp(0, 65535, groups=("sg-one",)),), NODE, True),
        ((tcp(22, 22, groups=("sg-one",)),), NODE, False),
        ((tcp(0, 9999, groups=("sg-one",)), tcp(10000, 65535, groups=("sg-both",))), NODE, True),
        ((tcp(0, 9999, groups=("sg-one",)), tcp(10000, 65535, groups=("sg-both",))), OTHER, False),
        ((tcp(0, 9999, groups=("sg-one",)), tcp(10000, 65535, cidrs=("10.0.1.0/24",))), NODE, True),
        ((tcp(0, 9999, groups=("sg-one",)), tcp(10001, 65535, cidrs=("10.0.1.0/24",))), NODE, False),
        ((SecurityRule(protocol="icmp", groups=("sg-one",)),), NODE, False),
        (
            (SecurityRule(protocol="icmp", groups=("sg-one",)), tcp(0, 65535, cidrs=("10.9.0.0/16",))),
            NODE,
            False,
        ),
        ((tcp(1, 65535, cidrs=("10.0.1.20/32", "10.0.1.21/32")),), NODES, True),
        ((tcp(2, 65535, cidrs=("10.0.1.20/31",)),), NODES, False),
        ((tcp(1, 65534, cidrs=("10.0.1.20/31",)),), NODES, False),
        ((tcp(40000, 65535, cidrs=("10.0.0.0/8",)), tcp(1, 40000, cidrs=("10.0.0.0/8",))), NODES, True),
        ((), NODE, False),
    ],
)
def test_what_the_rules_of_a_group_allow_together(
    rules: tuple[SecurityRule, ...], peers: IPv4Network, *, allowed: bool
) -> None:
    asked = GroupRules(rules, MEMBERS, {})
    assert asked.allows(TCP, peers) is allowed
    assert asked.allows(TCP, peers) is allowed, "the same when asked again"


def test_one_answer_is_not_taken_for_another() -> None:
    rules = GroupRules([tcp(0, 65535, cidrs=("10.0.1.20/32",))], {}, {})
    assert [rules.allows(need, peers) for need in (TCP, ECHO) for peers in (NODE, OTHER)] == [
        True, False, False, False,
    ]  # fmt: skip


def test_near_are_the_rules_about_some_of_them_or_about_a_group() -> None:
    part, elsewhere = tcp(22, 22, cidrs=("10.9.0.0/16", "10.0.1.21/32")), tcp(22, 22, cidrs=("10.9.0.0/16",))
    group = tcp(22, 22, groups=("sg-one",))
    assert GroupRules([part, elsewhere, group], MEMBERS, {}).nearest(NODES) == [part, group]


def entry(number: int, allow: bool, cidr: str = "0.0.0.0/0", low: int = -1, high: int = -1) -> AclEntry:
    protocol = "-1" if low == -1 else "6"
    return AclEntry(
        number=number, egress=False, allow=allow, cidr=cidr, protocol=protocol, from_port=low, to_port=high
    )


@pytest.mark.parametrize(
    ("entries", "denying"),
    [
        # What is denied first after a port that is allowed is seen, and what is before it.
        ([entry(1, True, low=1, high=99), entry(2, False, low=100, high=100), entry(3, True)], [2]),
        ([entry(1, True, low=1, high=99), entry(2, False, low=1, high=99), entry(3, True)], []),
        ([entry(1, True, low=1, high=99), entry(2, False, low=1, high=100), entry(3, True)], [2]),
        ([entry(1, True, low=1, high=65534)], ["*"]),
        ([entry(1, True, low=2, high=65535)], ["*"]),
        ([entry(1, True, low=1, high=65535)], []),
        ([entry(9, False, "10.0.1.21/32"), entry(8, False, "10.0.1.20/32"), entry(10, True)], [8, 9]),
        ([entry(5, False, low=7, high=7), entry(4, False, low=9, high=9), entry(6, True)], [4, 5]),
        ([entry(4, True, "10.0.1.20/32"), entry(5, False, low=7, high=7)], [5, "*"]),
    ],
)  # fmt: skip
def test_what_denies_any_of_it_is_told_by_number(entries: list[AclEntry], denying: list[object]) -> None:
    assert [found.number if found else "*" for found in denials(entries, NODES, TCP)] == denying


def test_what_is_denied_comes_in_order_of_port() -> None:
    """The first is the one that a person is told of."""
    ports = [8080, 443, 80, 6443, 22, 10250, 3306, 53, 9153, 2379]
    entries = [entry(n, False, low=port, high=port) for n, port in enumerate(ports, 1)]
    assert [port for _, port, _ in denied([*entries, entry(99, True)], NODE, TCP)] == sorted(ports)


def test_an_entry_about_another_protocols_addresses_is_passed_over() -> None:
    six = AclEntry(number=1, egress=False, allow=False, cidr="")
    assert denials([six, entry(2, True)], NODES, TCP) == []


PINGS = SecurityRule(protocol="icmp", prefix_lists=("pl-0b",))


@pytest.mark.parametrize(
    ("rules", "need", "undecided"),
    [
        ((replace(tcp(0, 65535), prefix_lists=("pl-0a",)), PINGS), ECHO, "pl-0b"),
        ((replace(tcp(0, 65535), prefix_lists=("pl-0a",)), PINGS), TCP, "pl-0a"),
        ((replace(tcp(0, 65535), prefix_lists=("pl-0b", "pl-0a")),), TCP, "pl-0a"),
        ((replace(tcp(22, 22), prefix_lists=("pl-0a",)),), TCP, ""),
        ((replace(tcp(0, 65535), prefix_lists=("pl-0read",)),), TCP, ""),
        ((tcp(0, 65535, cidrs=("10.0.1.0/24",)),), TCP, ""),
    ],
    ids=["another protocol's first", "the first", "two", "too few ports", "read", "let through"],
)
def test_of_lists_that_were_not_read_the_first_that_may_let_it_through_is_named(
    rules: tuple[SecurityRule, ...], need: Need, undecided: str
) -> None:
    assert GroupRules(rules, {}, {"pl-0read": ()}).undecided(need, NODES) == undecided


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (tcp(9, 9, cidrs=("10.0.0.0/8", "10.9.0.0/16"), groups=("g",)), "tcp 9 ← 10.0.0.0/8, 10.9.0.0/16, g"),
        (tcp(22, 80, cidrs=("10.0.0.0/8",)), "tcp 22-80 ← 10.0.0.0/8"),
        (SecurityRule(protocol="-1", prefix_lists=("pl-1",)), "all ← pl-1"),
        (SecurityRule(protocol="6", from_port=1, to_port=2, groups=("sg-1",)), "tcp 1-2 ← sg-1"),
        (SecurityRule(protocol="17", cidrs=("10.0.0.0/8",)), "udp ← 10.0.0.0/8"),
        (SecurityRule(protocol="-1", cidrs=("10.0.0.0/8",)), "all ← 10.0.0.0/8"),
        (SecurityRule(protocol="1", from_port=8, to_port=-1, cidrs=("10.0.0.0/8",)), "icmp 8 ← 10.0.0.0/8"),
        (SecurityRule(protocol="icmp", from_port=3, to_port=4, cidrs=("9.0.0.0/8",)), "icmp 3/4 ← 9.0.0.0/8"),
        (SecurityRule(protocol="50", cidrs=("10.0.0.0/8",)), "50 ← 10.0.0.0/8"),
    ],
)  # fmt: skip
def test_a_rule_is_told_as_it_is_written(rule: SecurityRule, text: str) -> None:
    assert rule_text(rule, "←") == text


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (entry(100, False, "10.0.2.0/24", 22, 22), "100 deny tcp 22 → 10.0.2.0/24"),
        (entry(32766, True), "32766 allow all → 0.0.0.0/0"),
        (entry(32767, False), "* deny all → 0.0.0.0/0"),
        (None, "* deny"),
    ],
)
def test_an_entry_is_told_with_its_number_and_what_it_does(told: AclEntry | None, text: str) -> None:
    assert entry_text(told, "→") == text


@pytest.mark.parametrize(
    ("need", "text"), [(Need("tcp", 22, 22), "tcp 22"), (Need("tcp", 1, 65535), "tcp 1-65535")]
)
def test_what_must_get_through_is_told_with_its_ports(need: Need, text: str) -> None:
    assert str(need) == text


def test_what_is_asked_is_what_pods_send_and_what_linux_answers_them() -> None:
    """A ping and its answer; any port, and the ports that Linux calls from; a question to the pods' DNS."""
    assert list(map(str, REQUESTS)) == ["icmp 8", "tcp 1-65535", "udp 53"]
    assert list(map(str, REPLIES)) == ["icmp 0", "tcp 32768-60999", "udp 32768-60999"]


def udp(low: int = -1, high: int = -1) -> SecurityRule:
    return SecurityRule(protocol="17", from_port=low, to_port=high, cidrs=("10.0.1.0/24",))


@pytest.mark.parametrize(
    ("rules", "allowed"),
    [
        ((udp(),), True),
        ((udp(53, 53),), True),
        ((udp(0, 52), udp(54, 65535)), False),
        ((udp(8472, 8472),), False),
        ((tcp(0, 65535, cidrs=("10.0.1.0/24",)),), False),
    ],
)
def test_of_udp_only_the_questions_to_dns_are_asked_for(
    rules: tuple[SecurityRule, ...], *, allowed: bool
) -> None:
    assert GroupRules(rules, {}, {}).allows(UDP, NODES) is allowed


@pytest.mark.parametrize("need", [*REQUESTS, *REPLIES], ids=str)
@pytest.mark.parametrize("rule", [SecurityRule(protocol="-1"), SecurityRule(protocol="icmp"), tcp(0, 65535)])
def test_a_rule_for_all_of_a_protocol_is_for_each_part_of_it(need: Need, rule: SecurityRule) -> None:
    wide = replace(rule, cidrs=("0.0.0.0/0",))
    assert GroupRules([wide], {}, {}).allows(need, NODES) is (rule.protocol in ("-1", need.protocol))


def test_a_group_in_a_rule_of_one_protocol_says_nothing_of_an_answer_of_another() -> None:
    assert not GroupRules([tcp(0, 65535, groups=("sg-one",))], MEMBERS, {}).allows(REPLIES[0], NODE)
