"""``python -m sandbox status``: who is in a sandbox, and what leads where, in a person's words.

The leader writes down what every call has changed, and so telling it asks nobody: a sandbox that is busy, or
has much in it, answers at once.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from sandbox import folder
from sandbox.internet import LAPTOP
from sandbox.state import AclEntry, Eni, Instance, Route, SecurityRule, State
from sandbox.surroundings import kept

_FILE: Final = "status.json"
_PROTOCOLS: Final = {"1": "icmp", "6": "tcp", "17": "udp"}


def record(directory: Path, state: State) -> None:
    """Write what ``told`` tells into the sandbox's ``directory``; a reader never sees half of it."""
    said = json.dumps([_network(state, vpc) for vpc in state.vpcs])
    path = directory / _FILE
    fresh = path.with_suffix(".new")
    fresh.touch(0o600)
    fresh.write_text(said)
    fresh.replace(path)


def told(directory: Path, say: Callable[..., str]) -> str:
    """Some lines, for the sandbox of ``directory``. Raises ``OSError`` where it has ended."""
    endpoint = kept(directory)["AWS_ENDPOINT_URL"]
    minutes = int((time.time() - (directory / "alive").stat().st_mtime) / 60)
    name = directory.name.removeprefix(folder.PREFIX)
    lines = [say("sandbox-status", name=name, minutes=minutes, endpoint=endpoint, laptop=LAPTOP)]
    networks = _networks(directory)
    for network in networks:
        lines += ["", *_lines(network, say)]
    return "\n".join(lines if networks else [*lines, say("sandbox-status-empty")])


def version(directory: Path) -> int:
    """Another number after each change."""
    with contextlib.suppress(FileNotFoundError):
        return (directory / _FILE).stat().st_mtime_ns
    return 0


def things(directory: Path, say: Callable[..., str]) -> list[str]:
    """A line for each thing that there is and that a call may change, which says by itself what it is."""
    return [line for network in _networks(directory) for line in _things(network, say)]


def _networks(directory: Path) -> list[dict[str, Any]]:
    with contextlib.suppress(FileNotFoundError):  # nothing was changed yet
        networks: list[dict[str, Any]] = json.loads((directory / _FILE).read_text())
        return networks
    return []


def _network(state: State, vpc: str) -> dict[str, Any]:
    there = state.vpcs[vpc]
    machines = [
        _machine(state.instances[eni.instance], eni)
        for eni in state.enis.values()
        if eni.vpc == vpc and not eni.index
    ]
    subnets: dict[str, list[str]] = {}
    for subnet in state.subnets.values():
        subnets.setdefault(subnet.route_table, []).append(subnet.cidr)
    tables = [
        {
            "id": table.id,
            "subnets": sorted(subnets.get(table.id, ())),
            "routes": [
                [route.destination, *_target(state, route)] for route in sorted(table.routes, key=_place)
            ],
        }
        for table in state.route_tables.values()
        if table.vpc == vpc
    ]
    machines.sort(key=lambda machine: ipaddress.IPv4Address(machine["private"]))
    return {
        "id": vpc, "region": there.region, "cidrs": there.cidrs, "gateway": there.internet_gateway,
        "machines": machines, "tables": tables, "rules": [*_rules(state, vpc)],
    }  # fmt: skip


def _rules(state: State, vpc: str) -> Iterator[str]:
    """What groups and network ACLs let in and out, in signs."""
    for group in state.security_groups.values():
        if group.vpc == vpc:
            name = f"{group.name} ({group.id})" if group.name else group.id
            for sign, rules in (("←", group.ingress), ("→", group.egress)):
                for rule in rules:
                    for end in (*rule.cidrs, *rule.groups):
                        yield f"{name}: {_packets(rule)} {sign} {end}"
    used = {subnet.network_acl for subnet in state.subnets.values() if subnet.vpc == vpc}
    for acl in (state.network_acls[each] for each in sorted(used & state.network_acls.keys())):
        for entry in acl.entries:
            sign = "→" if entry.egress else "←"
            does = "allow" if entry.allow else "deny"
            yield f"{acl.id}: {entry.number} {does} {_packets(entry)} {sign} {entry.cidr}"


def _packets(rule: SecurityRule | AclEntry) -> str:
    """``tcp 22``, ``udp 53-54``, ``icmp`` or ``*``."""
    if rule.protocol == "-1":
        return "*"
    name = _PROTOCOLS.get(rule.protocol, rule.protocol)
    if rule.from_port < 0 or name == "icmp":
        return name
    ports = {rule.from_port, rule.to_port}
    return f"{name} {'-'.join(map(str, sorted(ports)))}"


def _machine(instance: Instance, eni: Eni) -> dict[str, Any]:
    return {
        "name": instance.name, "id": instance.id, "running": instance.running, "private": eni.addresses[0],
        "public": eni.public[0][1] if eni.public else "", "user": instance.user,
    }  # fmt: skip


def _target(state: State, route: Route) -> tuple[str, str]:
    """(what it is, and whose)."""
    if route.kind != "eni":
        return route.kind, route.target
    eni = state.enis.get(route.target)
    instance = state.instances.get(eni.instance) if eni else None
    return "eni", f"{instance.name} ({instance.id})" if instance and instance.name else route.target


def _place(route: Route) -> tuple[bool, int, str]:
    """The VPC's own first, what leads out last."""
    return route.kind != "local", -ipaddress.IPv4Network(route.destination).prefixlen, route.destination


def _things(network: dict[str, Any], say: Callable[..., str]) -> Iterator[str]:
    yield _head(network)
    for machine in network["machines"]:
        yield "  ".join(_row(machine, say))
    for table in network["tables"]:
        yield _table(table, say).rstrip(":")
        for route in table["routes"]:
            yield f"{table['id']}: {_leads(route, say)}"
    yield from network["rules"]


def _head(network: dict[str, Any]) -> str:
    return "  ".join([network["region"], network["id"], *network["cidrs"], network["gateway"]]).rstrip()


def _row(machine: dict[str, Any], say: Callable[..., str]) -> tuple[str, ...]:
    return (
        machine["name"] or "—",
        machine["id"],
        say("sandbox-status-running" if machine["running"] else "sandbox-status-stopped"),
        machine["private"],
        f"{machine['user']}@{machine['public']}" if machine["public"] else "—",
    )


def _table(table: dict[str, Any], say: Callable[..., str]) -> str:
    return say("sandbox-status-table", table=table["id"], subnets=", ".join(table["subnets"]) or "—")


def _leads(route: list[str], say: Callable[..., str]) -> str:
    destination, kind, target = route
    return f"{destination} → {say('sandbox-status-nowhere') if kind == 'drop' else target or kind}"


def _lines(network: dict[str, Any], say: Callable[..., str]) -> Iterator[str]:
    yield _head(network)
    rows = [_row(machine, say) for machine in network["machines"]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    for table in network["tables"]:
        yield "  " + _table(table, say)
        yield from (f"    {_leads(route, say)}" for route in table["routes"])
