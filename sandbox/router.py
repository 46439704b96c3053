"""One VPC in the kernel: AWS's implied router, a namespace with a link to each ENI.

``plan`` says what it should hold, ``take_away`` and ``put`` make it so by differences. A step is
remembered when it has been applied and not before. One that failed leaves doubt: nobody knows how much of
it the kernel took. Doubt is resolved by looking at the kernel, never by guessing.
"""

from __future__ import annotations

import itertools
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from sandbox import firewall, forwarding, internet, namespaces, nftables, subnet, wire
from sandbox.firewall import GATEWAY_LINK, link_name
from sandbox.forwarding import Routes
from sandbox.looking import look, named
from sandbox.metadata import ADDRESS as METADATA_ADDRESS
from sandbox.nftables import Ruleset
from sandbox.resolver import ADDRESS as RESOLVER_ADDRESS
from sandbox.state import Eni, State

_INTERNET_MTU: Final = 1500
_ROUTER: Final = {
    "ipv4/ip_forward": "1",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
    "ipv4/conf/all/send_redirects": "0",
    "ipv4/conf/default/send_redirects": "0",
    # A packet that comes back to where it came from (a route to oneself) is AWS's to carry too.
    "ipv4/conf/all/accept_local": "1",
}


@dataclass(frozen=True)
class Plan:
    """What one VPC's namespace should hold: ``enis`` of running instances by id, each with its subnet's
    CIDR; ``rules`` for packets and ``frames`` for what is below them; ``lookups``, the kernel tables that a
    packet's mark chooses."""

    enis: dict[str, tuple[Eni, str]]
    routes: Routes
    rules: Ruleset
    frames: Ruleset
    lookups: frozenset[int]


class Router:
    """The kernel's side of one VPC. ``index`` numbers its link to the internet; ``resolver`` is the address
    of its DNS server."""

    def __init__(self, vpc: str, index: int, resolver: str) -> None:
        self.vpc = vpc
        self.own_addresses = (METADATA_ADDRESS, RESOLVER_ADDRESS, resolver)
        self.index = index
        self._tables: dict[str, int] = {}
        self._links: dict[str, Eni] = {}
        """The links that were made whole, by ENI."""
        self._addresses: dict[str, set[str]] = {}
        """The addresses of ours that each of them has, or may have while it is in ``_unsettled``."""
        self._unsettled: set[str] = set()
        self._routes: Routes = {}
        self._lookups: set[int] = set()
        self._rules: Ruleset | None = None
        """None: whatever is there is replaced; and so of ``_frames``."""
        self._frames: Ruleset | None = None
        self._sure = True

    @property
    def near(self) -> str:
        """This VPC's end of the link to the internet."""
        return internet.link_addresses(self.index)[0].split("/")[0]

    @property
    def far_link(self) -> str:
        """The interface of that link in the internet's namespace."""
        return f"vpc{self.index}"

    def create(self) -> None:
        """Make the namespace, from nothing: what is left of one made by half goes first."""
        self.discard()
        ours, theirs = internet.link_addresses(self.index)
        namespaces.ip("", [f"netns add {self.vpc}"])
        namespaces.sysctl(self.vpc, _ROUTER)
        namespaces.within(self.vpc, *firewall.LIFETIME)
        namespaces.ip(self.vpc, [
            "link set lo up",
            f"link add {GATEWAY_LINK} mtu {_INTERNET_MTU} type veth"
            f" peer name {self.far_link} netns {internet.NAMESPACE}",
            f"addr add {ours} dev {GATEWAY_LINK}",
            f"link set {GATEWAY_LINK} up",
            f"rule add pref 30000 lookup {forwarding.ENIS}",
            *(f"addr add {address}/32 dev lo" for address in self.own_addresses),
        ])  # fmt: skip
        namespaces.ip(
            internet.NAMESPACE, [f"addr add {theirs} dev {self.far_link}", f"link set {self.far_link} up"]
        )

    def discard(self) -> None:
        """Take it away, as far as it is there."""
        if self.far_link in {row["ifname"] for row in look(internet.NAMESPACE, "link show type veth")}:
            namespaces.ip(internet.NAMESPACE, [f"link del {self.far_link}"])
        if self.vpc in named():
            namespaces.ip("", [f"netns del {self.vpc}"])

    def doubt(self) -> None:
        """Something failed: believe nothing that is remembered until it was looked at."""
        self._sure = False

    def plan(self, live: State) -> Plan:
        """What ``live``, a state with the ENIs of running instances only, means for this VPC. Changes
        nothing in the kernel."""
        tables = [table.id for table in live.route_tables.values() if table.vpc == self.vpc]
        # One for each ENI too: what came in a frame for it is led there, wherever the packet wants to go.
        tables += [eni.id for eni in live.enis.values() if eni.vpc == self.vpc]
        self._tables = {table: self._tables[table] for table in tables if table in self._tables}
        taken = set(self._tables.values())
        free = (n for n in itertools.count(forwarding.FIRST_TABLE) if n not in taken)
        for table in tables:
            if table not in self._tables:
                self._tables[table] = next(free)
        gateway = internet.link_addresses(self.index)[1].split("/")[0]
        return Plan(
            {e.id: (e, live.subnets[e.subnet].cidr) for e in live.enis.values() if e.vpc == self.vpc},
            forwarding.routes(live, self.vpc, self._tables, gateway),
            firewall.ruleset(live, self.vpc, self._tables),
            subnet.ruleset(live, self.vpc, self._tables),
            frozenset(self._tables.values()),
        )

    def take_away(self, plan: Plan, booting: AbstractSet[str]) -> None:
        """Remove routes and links that no longer hold, and the links of ``booting`` instances, which begin
        with an empty namespace. Raises ``CommandError``."""
        if not self._sure:
            self._look()
        remove, _ = forwarding.difference(self._routes, plan.routes)
        namespaces.ip(self.vpc, remove)
        self._routes = forwarding.common(self._routes, plan.routes)
        gone = []
        for identifier, eni in self._links.items():
            wanted = plan.enis.get(identifier)
            if wanted is None or wire.place(wanted[0]) != wire.place(eni) or eni.instance in booting:
                gone.append(identifier)
        if self._frames is not None:
            script, left = subnet.released(self._frames, map(link_name, gone))
            namespaces.nft(self.vpc, script)
            self._frames = left
        namespaces.ip(self.vpc, [f"link del {link_name(identifier)}" for identifier in gone])
        for identifier in gone:
            del self._links[identifier]
            # The kernel takes a link's routes with the link.
            self._routes = forwarding.without_link(self._routes, link_name(identifier))

    def put(self, plan: Plan) -> None:
        """Make links, addresses, filters and routes what the plan says. Raises ``CommandError``."""
        for identifier, (eni, cidr) in plan.enis.items():
            if identifier not in self._links:
                wire.make(eni, cidr)
                self._links[identifier] = eni
                self._unsettled.discard(identifier)
            elif self._addresses[identifier] != set(eni.addresses) or identifier in self._unsettled:
                self._unsettled.add(identifier)
                self._addresses[identifier] |= set(eni.addresses)
                wire.readdress(eni, cidr, self._addresses[identifier])
                self._unsettled.discard(identifier)
            self._addresses[identifier] = set(eni.addresses)
        filters = nftables.difference(self._rules, plan.rules)
        namespaces.nft(self.vpc, filters + nftables.difference(self._frames, plan.frames))
        self._rules, self._frames = plan.rules, plan.frames
        self._put_routes(plan)
        self._sure = True

    def _put_routes(self, plan: Plan) -> None:
        _, add = forwarding.difference(self._routes, plan.routes)
        old = [f"rule del pref {number}" for number in sorted(self._lookups - plan.lookups)]
        new = [
            f"rule add pref {number} fwmark {number:#x}/{forwarding.MARKS:#x} lookup {number}"
            for number in sorted(plan.lookups - self._lookups)
        ]
        namespaces.ip(self.vpc, old + new + add)
        self._routes, self._lookups = plan.routes, set(plan.lookups)

    def _look(self) -> None:
        """Remember what the kernel has, and remove the links that are nobody's: made by half."""
        present = {row["ifname"] for row in look(self.vpc, "link show type veth")} - {GATEWAY_LINK}
        self._links = {i: eni for i, eni in self._links.items() if link_name(i) in present}
        strays = present - {link_name(identifier) for identifier in self._links}
        namespaces.ip(self.vpc, [f"link del {stray}" for stray in sorted(strays)])
        self._routes = forwarding.held(look(self.vpc, "-4 route show table all"))
        preferences = {int(row["priority"]) for row in look(self.vpc, "rule show")}
        self._lookups = {n for n in preferences if forwarding.FIRST_TABLE <= n < forwarding.LAST_TABLE}
        self._rules = self._frames = None
