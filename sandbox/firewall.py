"""Security groups, network ACLs, source/dest check and the internet gateway's NAT, as nftables.

Pure: ``ruleset`` says what one VPC's table should hold. The packet's way through the forward hook:

1. source/dest check of the ENI it comes from and the ENI it goes to; a NAT gateway takes what comes from an
   ENI's own address, and lets in the answers only (the network ACL of its subnet is not asked);
2. the network ACL of the subnet it leaves and of the one it enters (stateless; not within a subnet:
   AWS VPC User Guide, *Network ACL basics*);
3. the security groups of the ENI it comes from and of the ENI it goes to (stateful).

An ``accept`` ends only its own base chain, a ``drop`` is final: so each step is a base chain.
"""

from __future__ import annotations

import hashlib
from typing import Final

from sandbox.metadata import ADDRESS as METADATA_ADDRESS
from sandbox.nftables import Ruleset, plain
from sandbox.resolver import ADDRESS as RESOLVER_ADDRESS
from sandbox.state import AclEntry, Eni, NatGateway, SecurityRule, State

GATEWAY_LINK: Final = "igw"
TABLE: Final = "ip vpc"
LIFETIME: Final = ("iptables", "-w", "-t", "mangle", "-A", "PREROUTING", "-j", "TTL", "--ttl-inc", "1")
"""Once for each VPC: it gives a packet beforehand what the kernel will take from its TTL. A VPC is no hop:
pods on two nodes see each other's packets with ttl=62. nftables alone cannot count."""
_LONGEST_LIVED: Final = 0x8000_0000
"""The bit of a packet's mark that says it came with a TTL of 255, which no increment goes beyond."""
_PROTOCOLS: Final = {"1": "icmp", "6": "tcp", "17": "udp", "icmp": "icmp", "tcp": "tcp", "udp": "udp"}


def link_name(eni: str) -> str:
    """The VPC side's interface of an ENI (15 characters at most, so the id's end)."""
    return f"eni{eni[-10:]}"


def ruleset(state: State, vpc: str, marks: dict[str, int]) -> Ruleset:
    """The table of ``vpc``; ``marks``: the packet mark of each route table id."""
    enis = [eni for eni in state.enis.values() if eni.vpc == vpc]
    rules = Ruleset(TABLE)
    _base(rules, enis, state, marks, attached=bool(state.vpcs[vpc].internet_gateway))
    _router(rules, state.vpcs[vpc].resolver)
    _network_acls(rules, enis, state, vpc)
    _security_groups(rules, enis, state, vpc)
    return rules


def _base(rules: Ruleset, enis: list[Eni], state: State, marks: dict[str, int], *, attached: bool) -> None:
    nats = [nat for nat in state.nat_gateways.values() if enis and nat.vpc == enis[0].vpc and attached]
    public = [pair for eni in enis for pair in eni.public] if attached else []
    public += [(nat.address, nat.public) for nat in nats]
    own = [f'"{link_name(eni.id)}" . {address}' for eni in enis for address in eni.addresses]
    rules.set("own", "type ifname . ipv4_addr", own)
    rules.set("checked", "type ifname", [f'"{link_name(e.id)}"' for e in enis if e.source_dest_check])
    rules.set("mapped", "type ipv4_addr", [private for private, _ in public])
    rules.map("to_public", "type ipv4_addr : ipv4_addr", [f"{a} : {b}" for a, b in public])
    rules.map("to_private", "type ipv4_addr : ipv4_addr", [f"{b} : {a}" for a, b in public])
    tables = [(link_name(eni.id), marks[state.subnets[eni.subnet].route_table]) for eni in enis]
    rules.map("route_table", "type ifname : mark", [f'"{link}" : {mark:#x}' for link, mark in tables])

    # A packet that bears a mark was in a frame for a peer: it is on its way already.
    rules.chain("choose_table", "type filter hook prerouting priority -160;", [
        "meta mark 0 meta mark set iifname map @route_table",
        f"ip ttl 255 meta mark set meta mark or {_LONGEST_LIVED:#x}",
    ])  # fmt: skip
    rules.chain("longest_lived", "type filter hook postrouting priority mangle;", [
        f"meta mark and {_LONGEST_LIVED:#x} != 0 ip ttl set 255",
    ])  # fmt: skip
    # Stateless, and outside of what connection tracking sees: a public address that changes (stop and
    # start) changes for the next packet, and not when the kernel forgets the flow.
    rules.chain("from_internet", "type filter hook prerouting priority -310;", [
        f'iifname "{GATEWAY_LINK}" ip daddr set ip daddr map @to_private',
    ])  # fmt: skip
    rules.chain("to_internet", "type filter hook postrouting priority 310;", [
        f'oifname "{GATEWAY_LINK}" ip saddr set ip saddr map @to_public',
    ])  # fmt: skip
    # The table that chose the way says by which NAT gateway it goes: one of one table, which is the default.
    through = {marks[table]: nat for table, nat in _through(state).items() if nat in nats}
    rules.chain("nat_gateways", "type nat hook postrouting priority srcnat;", [
        f'oifname "{GATEWAY_LINK}" {_of_table(mark)} snat to {nat.address}' for mark, nat in through.items()
    ])  # fmt: skip
    rules.chain("source_dest_check", "type filter hook forward priority -40;", [
        "iifname @checked iifname . ip saddr != @own drop",
        "oifname @checked oifname . ip daddr != @own drop",
        *(f'oifname "{GATEWAY_LINK}" {_of_table(mark)} iifname . ip saddr @own accept' for mark in through),
        f'iifname "{GATEWAY_LINK}" ct status snat accept',
        # The internet gateway translates addresses it has a public address for, and drops the rest.
        f'oifname "{GATEWAY_LINK}" ip saddr != @mapped drop',
        f'iifname "{GATEWAY_LINK}" ip daddr != @mapped drop',
    ])  # fmt: skip


def _router(rules: Ruleset, resolver: str) -> None:
    """It is none to be seen: it answers for instance metadata and for names, says where a packet is too long,
    and nothing else."""
    names = f"{{ {resolver}, {RESOLVER_ADDRESS} }}"
    rules.chain("to_router", "type filter hook input priority 0;", [
        f"ip daddr {METADATA_ADDRESS} accept",
        f"ip daddr {names} udp dport 53 accept",
        f"ip daddr {names} tcp dport 53 accept",
        "drop",
    ])  # fmt: skip
    rules.chain("from_router", "type filter hook output priority 0;", [
        f"ip saddr {METADATA_ADDRESS} accept",
        f"ip saddr {names} udp sport 53 accept",
        f"ip saddr {names} tcp sport 53 accept",
        "icmp type 3 icmp code 4 accept",
        "drop",
    ])  # fmt: skip


def _through(state: State) -> dict[str, NatGateway]:
    """The NAT gateway that the default route of a table leads to, by the table's id."""
    return {
        table.id: state.nat_gateways[route.target]
        for table in state.route_tables.values()
        for route in table.routes
        if route.kind == "nat" and route.target in state.nat_gateways
    }


def _of_table(mark: int) -> str:
    return f"meta mark and {~_LONGEST_LIVED & 0xFFFF_FFFF:#x} == {mark:#x}"


def _network_acls(rules: Ruleset, enis: list[Eni], state: State, vpc: str) -> None:
    subnets = [subnet for subnet in state.subnets.values() if subnet.vpc == vpc]
    leaving, entering = [], []
    for subnet in subnets:
        name, acl = plain(subnet.id), plain(subnet.network_acl)
        links = [f'"{link_name(eni.id)}"' for eni in enis if eni.subnet == subnet.id]
        rules.set(f"in_{name}", "type ifname", links)
        for way, link in (("out", "oifname"), ("in", "iifname")):
            rules.chain(f"acl_{way}_{name}", "", [f"{link} @in_{name} return", f"jump acl_{way}_{acl}"])
        leaving += [f"{link} : jump acl_out_{name}" for link in links]
        entering += [f"{link} : jump acl_in_{name}" for link in links]
    for acl_id in {subnet.network_acl for subnet in subnets}:
        entries = state.network_acls[acl_id].entries
        for way, egress in (("out", True), ("in", False)):
            ruled = [_acl_rule(entry) for entry in entries if entry.egress == egress]
            rules.chain(f"acl_{way}_{plain(acl_id)}", "", [*ruled, "drop"])
    rules.map("leaving", "type ifname : verdict", leaving)
    rules.map("entering", "type ifname : verdict", entering)
    for name, priority, link in (("leaving", -30, "iifname"), ("entering", -20, "oifname")):
        header = f"type filter hook forward priority {priority};"
        rules.chain(f"acl_{name}", header, [f"{link} vmap @{name}"])


def _acl_rule(entry: AclEntry) -> str:
    way = "daddr" if entry.egress else "saddr"
    verdict = "accept" if entry.allow else "drop"
    ports = _ports(entry.protocol, entry.from_port, entry.to_port)
    return f"ip {way} {entry.cidr} {ports}{verdict}"


def _security_groups(rules: Ruleset, enis: list[Eni], state: State, vpc: str) -> None:
    groups = [group for group in state.security_groups.values() if group.vpc == vpc]
    for group in groups:
        members = [a for eni in enis if group.id in eni.security_groups for a in eni.addresses]
        rules.set(f"members_{plain(group.id)}", "type ipv4_addr", members)
    known = {group.id for group in groups}
    for group in groups:
        for way, address, its in (("in", "saddr", group.ingress), ("out", "daddr", group.egress)):
            allowed = [line for rule in its for line in _group_rules(rule, address, known)]
            rules.chain(f"group_{way}_{plain(group.id)}", "", allowed)
    receive, send = [], []
    for eni in (eni for eni in enis if eni.filtered):
        ids = sorted(known & set(eni.security_groups))
        # One chain for each combination of groups in use: 200 workers with the same groups share it.
        combination = hashlib.sha256(" ".join(ids).encode()).hexdigest()[:12]
        for way in ("in", "out"):
            jumps = [f"jump group_{way}_{plain(group)}" for group in ids]
            rules.chain(f"all_{way}_{combination}", "", [*jumps, "drop"])
        receive.append(f'"{link_name(eni.id)}" : jump all_in_{combination}')
        send.append(f'"{link_name(eni.id)}" : jump all_out_{combination}')
    rules.map("send", "type ifname : verdict", send)
    rules.map("receive", "type ifname : verdict", receive)
    for name, priority, link in (("send", -10, "iifname"), ("receive", 0, "oifname")):
        rules.chain(f"groups_{name}", f"type filter hook forward priority {priority};", [
            "ct state established,related accept",
            f"{link} vmap @{name}",
        ])  # fmt: skip


def _group_rules(rule: SecurityRule, address: str, known: set[str]) -> list[str]:
    ports = _ports(rule.protocol, rule.from_port, rule.to_port)
    # A group as source means the private addresses of its members' ENIs, never their pods'.
    sources = [*rule.cidrs, *(f"@members_{plain(group)}" for group in rule.groups if group in known)]
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
