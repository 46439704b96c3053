"""What the ``aws`` commands of fixes change of what was observed, as data.

Each is what AWS would list afterwards, and no more: a route to a machine that does not run is a blackhole,
and of routes for one destination only that is replaced which names it itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from kthw.network.model import RUNNING
from kthw.network.routing import ACTIVE, BLACKHOLE, PROPAGATED
from kthw.observed.evidence import (
    AclEntry,
    Evidence,
    Instance,
    Inventory,
    NetworkAcl,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityRule,
)

_LOCAL: Final = "local"
_T = TypeVar("_T", RouteTable, SecurityGroup, NetworkAcl)


class CheckOff(Struct, frozen=True, kw_only=True, tag=True):
    """``modify-network-interface-attribute --no-source-dest-check``."""

    interface: str

    def on(self, evidence: Evidence) -> Evidence:
        return _with_inventory(
            evidence,
            lambda seen: replace(seen, instances=tuple(self._of(each) for each in seen.instances)),
        )

    def _of(self, instance: Instance) -> Instance:
        enis = (
            replace(eni, source_dest_check=False) if eni.id == self.interface else eni
            for eni in instance.network_interfaces
        )
        return replace(instance, network_interfaces=tuple(enis))


class RouteMade(Struct, frozen=True, kw_only=True, tag=True):
    """``create-route`` or ``replace-route`` to an instance, or else to an ENI; with neither to the VPC."""

    table: str
    destination: str
    instance: str = ""
    interface: str = ""

    def on(self, evidence: Evidence) -> Evidence:
        made = self._made(evidence)
        return _with_routes(evidence, self.table, lambda kept: (*_without(kept, self.destination), made))

    def _made(self, evidence: Evidence) -> Route:
        if not self.instance and not self.interface:
            return Route(destination=self.destination, gateway=_LOCAL, origin="CreateRouteTable")
        target = next((each for each in _instances(evidence) if self._leads_to(each)), None)
        primary = target.primary_interface if target else None
        return Route(
            destination=self.destination,
            instance=target.id if target else self.instance,
            network_interface=self.interface or (primary.id if primary else ""),
            state=ACTIVE if target and target.state == RUNNING else BLACKHOLE,
        )

    def _leads_to(self, instance: Instance) -> bool:
        if self.interface:
            return any(eni.id == self.interface for eni in instance.network_interfaces)
        return instance.id == self.instance


class RouteGone(Struct, frozen=True, kw_only=True, tag=True):
    """``delete-route``, by a range or by a prefix list."""

    table: str
    destination: str

    def on(self, evidence: Evidence) -> Evidence:
        return _with_routes(evidence, self.table, lambda routes: _without(routes, self.destination))


class PropagationOff(Struct, frozen=True, kw_only=True, tag=True):
    """``disable-vgw-route-propagation``."""

    table: str
    gateway: str

    def on(self, evidence: Evidence) -> Evidence:
        return _with_routes(
            evidence,
            self.table,
            lambda routes: (r for r in routes if r.origin != PROPAGATED or r.gateway != self.gateway),
        )


class Associated(Struct, frozen=True, kw_only=True, tag=True):
    """``associate-route-table``, of a subnet that has none of its own."""

    table: str
    subnet: str

    def on(self, evidence: Evidence) -> Evidence:
        return _with_table(
            evidence, self.table, lambda table: replace(table, subnets=(*table.subnets, self.subnet))
        )


class Authorized(Struct, frozen=True, kw_only=True, tag=True):
    """``authorize-security-group-ingress``, or ``-egress``, of all ports of a protocol, or of all."""

    group: str
    direction: str
    cidr: str
    protocol: str = "-1"

    def on(self, evidence: Evidence) -> Evidence:
        rule = SecurityRule(protocol=self.protocol, cidrs=(self.cidr,))

        def let(group: SecurityGroup) -> SecurityGroup:
            if self.direction == "ingress":
                return replace(group, ingress=(*group.ingress, rule))
            return replace(group, egress=(*group.egress, rule))

        return _with_inventory(
            evidence,
            lambda seen: replace(seen, security_groups=_but(seen.security_groups, self.group, let)),
        )


class EntryMade(Struct, frozen=True, kw_only=True, tag=True):
    """``create-network-acl-entry``, that lets all ports of a protocol pass, or all."""

    acl: str
    direction: str
    number: int
    cidr: str
    protocol: str

    def on(self, evidence: Evidence) -> Evidence:
        made = AclEntry(
            number=self.number,
            egress=self.direction == "egress",
            allow=True,
            protocol=self.protocol,
            cidr=self.cidr,
        )
        return _with_entries(evidence, self.acl, lambda entries: (*entries, made))


class EntryGone(Struct, frozen=True, kw_only=True, tag=True):
    """``delete-network-acl-entry``."""

    acl: str
    direction: str
    number: int

    def on(self, evidence: Evidence) -> Evidence:
        gone = self.number, self.direction == "egress"
        return _with_entries(
            evidence, self.acl, lambda entries: (e for e in entries if (e.number, e.egress) != gone)
        )


def _with_inventory(evidence: Evidence, change: Callable[[Inventory], Inventory]) -> Evidence:
    seen = evidence.inventory
    return replace(evidence, inventory=change(seen)) if seen else evidence


def _instances(evidence: Evidence) -> Iterable[Instance]:
    return evidence.inventory.instances if evidence.inventory else ()


def _but(things: Iterable[_T], identifier: str, change: Callable[[_T], _T]) -> tuple[_T, ...]:
    return tuple(change(each) if each.id == identifier else each for each in things)


def _with_table(evidence: Evidence, table: str, change: Callable[[RouteTable], RouteTable]) -> Evidence:
    return _with_inventory(
        evidence, lambda seen: replace(seen, route_tables=_but(seen.route_tables, table, change))
    )


def _with_routes(
    evidence: Evidence, table: str, change: Callable[[Iterable[Route]], Iterable[Route]]
) -> Evidence:
    return _with_table(evidence, table, lambda each: replace(each, routes=tuple(change(each.routes))))


def _with_entries(
    evidence: Evidence, acl: str, change: Callable[[Iterable[AclEntry]], Iterable[AclEntry]]
) -> Evidence:
    return _with_inventory(
        evidence,
        lambda seen: replace(
            seen,
            network_acls=_but(
                seen.network_acls, acl, lambda each: replace(each, entries=tuple(change(each.entries)))
            ),
        ),
    )


def _without(routes: Iterable[Route], destination: str) -> Iterable[Route]:
    """What is left when that is deleted, or replaced; a propagated one stays."""
    return (r for r in routes if r.destination != destination or r.origin == PROPAGATED)
