"""Security groups, network ACLs, source/dest check and the internet gateway's NAT, as nftables.

Pure: ``ruleset(state, vpc)`` says what one VPC's table should hold, ``difference`` the script that
makes the kernel's table so, touching only what differs. The packet's way through the forward hook:

1. source/dest check of the ENI it comes from and the ENI it goes to;
2. the network ACL of the subnet it leaves and of the one it enters (stateless; not within a subnet:
   AWS VPC User Guide, *Network ACL basics*);
3. the security groups of the ENI it comes from and of the ENI it goes to (stateful).

An ``accept`` ends only its own base chain, a ``drop`` is final: so each step is a base chain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from sandbox.state import AclEntry, Eni, SecurityRule, State

GATEWAY_LINK: Final = "igw"
TABLE: Final = "ip vpc"
ANEW: Final = f"add table {TABLE}\ndelete table {TABLE}\nadd table {TABLE}\n"
"""Before a script that begins from nothing: whatever the table held is gone in the same transaction."""
_PROTOCOLS: Final = {"1": "icmp", "6": "tcp", "17": "udp", "icmp": "icmp", "tcp": "tcp", "udp": "udp"}


@dataclass(frozen=True)
class Named:
    """A set, map or chain: its declaration and its members (elements, or rules in order)."""

    declaration: str
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ruleset:
    """What one nftables table holds, by name. ``kinds``: ``set`` or ``map`` for each of ``sets``."""

    sets: dict[str, Named] = field(default_factory=dict)
    chains: dict[str, Named] = field(default_factory=dict)


def link_name(eni: str) -> str:
    """The VPC side's interface of an ENI (15 characters at most, so the id's end)."""
    return f"eni{eni[-10:]}"


def ruleset(state: State, vpc: str, marks: dict[str, int]) -> Ruleset:
    """The table of ``vpc``; ``marks``: the packet mark of each route table id."""
    enis = [eni for eni in state.enis.values() if eni.vpc == vpc]
    rules = Ruleset()
    _base(rules, enis, state, marks, attached=bool(state.vpcs[vpc].internet_gateway))
    _network_acls(rules, enis, state, vpc)
    _security_groups(rules, enis, state, vpc)
    return rules


def _base(rules: Ruleset, enis: list[Eni], state: State, marks: dict[str, int], *, attached: bool) -> None:
    public = [pair for eni in enis for pair in eni.public] if attached else []
    own = [f'"{link_name(eni.id)}" . {address}' for eni in enis for address in eni.addresses]
    _set(rules, "own", "type ifname . ipv4_addr", own)
    _set(rules, "checked", "type ifname", [f'"{link_name(e.id)}"' for e in enis if e.source_dest_check])
    _set(rules, "mapped", "type ipv4_addr", [private for private, _ in public])
    _map(rules, "to_public", "type ipv4_addr : ipv4_addr", [f"{a} : {b}" for a, b in public])
    _map(rules, "to_private", "type ipv4_addr : ipv4_addr", [f"{b} : {a}" for a, b in public])
    tables = [(link_name(eni.id), marks[state.subnets[eni.subnet].route_table]) for eni in enis]
    _map(rules, "route_table", "type ifname : mark", [f'"{link}" : {mark:#x}' for link, mark in tables])

    _chain(rules, "choose_table", "type filter hook prerouting priority mangle;", [
        "meta mark set iifname map @route_table",
    ])  # fmt: skip
    # Stateless, and outside of what connection tracking sees: a public address that changes (stop and
    # start) changes for the next packet, and not when the kernel forgets the flow.
    _chain(rules, "from_internet", "type filter hook prerouting priority -310;", [
        f'iifname "{GATEWAY_LINK}" ip daddr set ip daddr map @to_private',
    ])  # fmt: skip
    _chain(rules, "to_internet", "type filter hook postrouting priority 310;", [
        f'oifname "{GATEWAY_LINK}" ip saddr set ip saddr map @to_public',
    ])  # fmt: skip
    _chain(rules, "source_dest_check", "type filter hook forward priority -40;", [
        "iifname @checked iifname . ip saddr != @own drop",
        "oifname @checked oifname . ip daddr != @own drop",
        # The internet gateway translates addresses it has a public address for, and drops the rest.
        f'oifname "{GATEWAY_LINK}" ip saddr != @mapped drop',
        f'iifname "{GATEWAY_LINK}" ip daddr != @mapped drop',
    ])  # fmt: skip


def _network_acls(rules: Ruleset, enis: list[Eni], state: State, vpc: str) -> None:
    subnets = [subnet for subnet in state.subnets.values() if subnet.vpc == vpc]
    leaving, entering = [], []
    for subnet in subnets:
        name, acl = _name(subnet.id), _name(subnet.network_acl)
        links = [f'"{link_name(eni.id)}"' for eni in enis if eni.subnet == subnet.id]
        _set(rules, f"in_{name}", "type ifname", links)
        for way, link in (("out", "oifname"), ("in", "iifname")):
            _chain(rules, f"acl_{way}_{name}", "", [f"{link} @in_{name} return", f"jump acl_{way}_{acl}"])
        leaving += [f"{link} : jump acl_out_{name}" for link in links]
        entering += [f"{link} : jump acl_in_{name}" for link in links]
    for acl_id in {subnet.network_acl for subnet in subnets}:
        entries = state.network_acls[acl_id].entries
        for way, egress in (("out", True), ("in", False)):
            ruled = [_acl_rule(entry) for entry in entries if entry.egress == egress]
            _chain(rules, f"acl_{way}_{_name(acl_id)}", "", [*ruled, "drop"])
    _map(rules, "leaving", "type ifname : verdict", leaving)
    _map(rules, "entering", "type ifname : verdict", entering)
    for name, priority, link in (("leaving", -30, "iifname"), ("entering", -20, "oifname")):
        header = f"type filter hook forward priority {priority};"
        _chain(rules, f"acl_{name}", header, [f"{link} vmap @{name}"])


def _acl_rule(entry: AclEntry) -> str:
    way = "daddr" if entry.egress else "saddr"
    verdict = "accept" if entry.allow else "drop"
    ports = _ports(entry.protocol, entry.from_port, entry.to_port)
    return f"ip {way} {entry.cidr} {ports}{verdict}"


def _security_groups(rules: Ruleset, enis: list[Eni], state: State, vpc: str) -> None:
    groups = [group for group in state.security_groups.values() if group.vpc == vpc]
    for group in groups:
        members = [a for eni in enis if group.id in eni.security_groups for a in eni.addresses]
        _set(rules, f"members_{_name(group.id)}", "type ipv4_addr", members)
    known = {group.id for group in groups}
    for group in groups:
        for way, address, its in (("in", "saddr", group.ingress), ("out", "daddr", group.egress)):
            allowed = [line for rule in its for line in _group_rules(rule, address, known)]
            _chain(rules, f"group_{way}_{_name(group.id)}", "", allowed)
    receive, send = [], []
    for eni in enis:
        ids = sorted(known & set(eni.security_groups))
        # One chain for each combination of groups in use: 200 workers with the same groups share it.
        combination = hashlib.sha256(" ".join(ids).encode()).hexdigest()[:12]
        for way in ("in", "out"):
            jumps = [f"jump group_{way}_{_name(group)}" for group in ids]
            _chain(rules, f"all_{way}_{combination}", "", [*jumps, "drop"])
        receive.append(f'"{link_name(eni.id)}" : jump all_in_{combination}')
        send.append(f'"{link_name(eni.id)}" : jump all_out_{combination}')
    _map(rules, "send", "type ifname : verdict", send)
    _map(rules, "receive", "type ifname : verdict", receive)
    for name, priority, link in (("send", -10, "iifname"), ("receive", 0, "oifname")):
        _chain(rules, f"groups_{name}", f"type filter hook forward priority {priority};", [
            "ct state established,related accept",
            f"{link} vmap @{name}",
        ])  # fmt: skip


def _group_rules(rule: SecurityRule, address: str, known: set[str]) -> list[str]:
    ports = _ports(rule.protocol, rule.from_port, rule.to_port)
    # A group as source means the private addresses of its members' ENIs, never their pods'.
    sources = [*rule.cidrs, *(f"@members_{_name(group)}" for group in rule.groups if group in known)]
    return [f"ip {address} {source} {ports}accept" for source in sources]


def _ports(protocol: str, first: int, last: int) -> str:
    if protocol in ("-1", "all"):
        return ""
    name = _PROTOCOLS.get(protocol)
    if name is None:
        # ICMPv6 is a protocol as any other to IPv4.
        return f"ip protocol {58 if protocol == 'icmpv6' else protocol} "
    if name == "icmp":
        kind = f"icmp type {first} " if first != -1 else "ip protocol icmp "
        return kind + (f"icmp code {last} " if first != -1 and last != -1 else "")
    if first == -1 or (first, last) == (0, 65535):
        return f"ip protocol {name} "
    return f"{name} dport {first}-{last} " if first != last else f"{name} dport {first} "


def difference(before: Ruleset, after: Ruleset) -> str:
    """The nftables script, one transaction, that turns ``before`` into ``after``; empty when equal."""
    lines: list[str] = []
    for name, named in after.sets.items():
        if name not in before.sets:
            lines.append(f"add {named.declaration.replace('NAME', f'{TABLE} {name}')}")
    for name, named in after.chains.items():
        if name not in before.chains:
            lines.append(f"add chain {TABLE} {name} {named.declaration}".rstrip())
    for name, named in before.sets.items():
        gone = set(named.members) - set(after.sets[name].members if name in after.sets else ())
        lines += _elements("delete", name, gone)
    for name, named in after.chains.items():
        if name not in before.chains or before.chains[name].members != named.members:
            lines.append(f"flush chain {TABLE} {name}")
            lines += [f"add rule {TABLE} {name} {rule}" for rule in named.members]
    for name, named in after.sets.items():
        new = set(named.members) - set(before.sets[name].members if name in before.sets else ())
        lines += _elements("add", name, new)
    gone_chains = [name for name in before.chains if name not in after.chains]
    lines += [f"flush chain {TABLE} {name}" for name in gone_chains]
    lines += [f"delete chain {TABLE} {name}" for name in gone_chains]
    for name, named in before.sets.items():
        if name not in after.sets:
            lines.append(f"delete {named.declaration.split(' ', 1)[0]} {TABLE} {name}")
    return "\n".join(lines) + "\n" if lines else ""


def _elements(action: str, name: str, members: Iterable[str]) -> list[str]:
    listed = sorted(members)
    if action == "delete":
        # A map's element is deleted by its key alone.
        listed = [member.split(" : ")[0] for member in listed]
    return [f"{action} element {TABLE} {name} {{ {', '.join(listed)} }}"] if listed else []


def _set(rules: Ruleset, name: str, kind: str, members: Iterable[str]) -> None:
    rules.sets[name] = Named(f"set NAME {{ {kind}; }}", tuple(sorted(set(members))))


def _map(rules: Ruleset, name: str, kind: str, members: Iterable[str]) -> None:
    rules.sets[name] = Named(f"map NAME {{ {kind}; }}", tuple(sorted(set(members))))


def _chain(rules: Ruleset, name: str, hook: str, members: Iterable[str]) -> None:
    rules.chains[name] = Named(f"{{ {hook} }}" if hook else "", tuple(members))


def _name(identifier: str) -> str:
    return identifier.replace("-", "_")
