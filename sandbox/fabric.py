"""The data plane: makes the kernel obey the API's state, by differences.

One network namespace per VPC (AWS's implied router), one per node, one for the internet. Whatever
AWS decides per ENI is decided in the VPC's namespace, on the ENI's link: its subnet's route table
(``sandbox.forwarding``), source/dest check, security groups and network ACLs (``sandbox.firewall``).
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Final

from sandbox import firewall, forwarding, internet, namespaces
from sandbox.firewall import GATEWAY_LINK, Ruleset, link_name
from sandbox.forwarding import Routes
from sandbox.metadata import ADDRESS as METADATA_ADDRESS
from sandbox.metadata import Metadata
from sandbox.node import Grounds, Node
from sandbox.state import Eni, State

_ENI_MTU: Final = 9001
"""What current-generation instances have inside a VPC (EC2 User Guide, *Network MTU*)."""
_INTERNET_MTU: Final = 1500
_GATEWAY_MAC: Final = "02:00:00:00:00:01"


@dataclass
class _Vpc:
    """What is in the kernel for one VPC. ``index`` numbers its link to the internet."""

    index: int
    namespace: str
    rules: Ruleset = field(default_factory=Ruleset)
    routes: Routes = field(default_factory=dict)
    tables: dict[str, int] = field(default_factory=dict)

    @property
    def gateway(self) -> str:
        """The internet's end of the gateway link."""
        return internet.link_addresses(self.index)[1].split("/")[0]


class Fabric:
    """The kernel's side of one region. ``reconcile`` is called by one thread at a time."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._vpcs: dict[str, _Vpc] = {}
        self._nodes: dict[str, Node] = {}
        self._links: dict[str, Eni] = {}
        self._public: dict[str, str] = {}
        self._vpcs_made = 0
        self._metadata = Metadata()
        internet.create()

    def reconcile(self, state: State) -> None:
        """Make the kernel what ``state`` says. Raises ``CommandError`` where it cannot."""
        running = {i.id for i in state.instances.values() if i.running}
        links = {eni.id: eni for eni in state.enis.values() if eni.instance in running}
        live = replace(state, enis=links)
        self._metadata.know(live)
        for vpc in live.vpcs:
            if vpc not in self._vpcs:
                self._create_vpc(vpc)
        adding = self._take_routes_away(live)
        self._take_links_away(links)
        self._take_nodes_away(state, running)
        booting = self._create_nodes(state, running)
        self._add_links(links, live)
        self._set_firewalls(live)
        for vpc, commands in adding.items():
            namespaces.ip(self._vpcs[vpc].namespace, commands)
        self._set_public_addresses(live)
        for vpc in [vpc for vpc in self._vpcs if vpc not in live.vpcs]:
            self._discard_vpc(vpc)
        for node in booting:
            node.start()

    def host_keys(self) -> dict[str, str]:
        """Public host key by instance id, of every node that has a disk."""
        return {identifier: node.host_key for identifier, node in self._nodes.items()}

    def _create_vpc(self, vpc: str) -> None:
        made = _Vpc(self._vpcs_made, vpc)
        self._vpcs_made += 1
        ours, theirs = internet.link_addresses(made.index)
        far = f"vpc{made.index}"
        namespaces.ip("", [f"netns add {vpc}"])
        namespaces.sysctl(vpc, _ROUTER)
        peer = f"peer name {far} netns {internet.NAMESPACE}"
        namespaces.ip(vpc, [
            "link set lo up",
            f"link add {GATEWAY_LINK} mtu {_INTERNET_MTU} type veth {peer}",
            f"addr add {ours} dev {GATEWAY_LINK}",
            f"link set {GATEWAY_LINK} up",
            f"rule add pref 30000 lookup {forwarding.ENIS}",
            f"addr add {METADATA_ADDRESS}/32 dev lo",
        ])  # fmt: skip
        namespaces.ip(internet.NAMESPACE, [f"addr add {theirs} dev {far}", f"link set {far} up"])
        namespaces.nft(vpc, f"add table {firewall.TABLE}\n")
        self._metadata.serve(vpc)
        self._vpcs[vpc] = made

    def _discard_vpc(self, vpc: str) -> None:
        namespaces.ip("", [f"netns del {self._vpcs.pop(vpc).namespace}"])

    def _take_routes_away(self, state: State) -> dict[str, list[str]]:
        """Remove what no longer holds; return what is to be added, by VPC, once links are there."""
        adding: dict[str, list[str]] = {}
        for identifier in state.vpcs:
            vpc = self._vpcs[identifier]
            rules = self._number_tables(vpc, state, identifier)
            wanted = forwarding.routes(state, identifier, vpc.tables, vpc.gateway)
            remove, add = forwarding.difference(vpc.routes, wanted)
            namespaces.ip(vpc.namespace, remove)
            vpc.routes = wanted
            adding[identifier] = rules + add
        return adding

    @staticmethod
    def _number_tables(vpc: _Vpc, state: State, identifier: str) -> list[str]:
        rules = []
        for table in state.route_tables.values():
            if table.vpc == identifier and table.id not in vpc.tables:
                number = forwarding.FIRST_TABLE + len(vpc.tables)
                vpc.tables[table.id] = number
                rules.append(f"rule add pref {number} fwmark {number:#x} lookup {number}")
        return rules

    def _take_links_away(self, links: dict[str, Eni]) -> None:
        gone: dict[str, list[str]] = defaultdict(list)
        for identifier, eni in list(self._links.items()):
            if identifier not in links or _place(links[identifier]) != _place(eni):
                gone[eni.vpc].append(f"link del {link_name(identifier)}")
                del self._links[identifier]
        for vpc, commands in gone.items():
            namespaces.ip(self._vpcs[vpc].namespace, commands)

    def _take_nodes_away(self, state: State, running: set[str]) -> None:
        for identifier, node in list(self._nodes.items()):
            if identifier not in running and node.powered:
                node.stop()
                namespaces.ip("", [f"netns del {identifier}"])
            if identifier not in state.instances:
                node.discard()
                del self._nodes[identifier]

    def _create_nodes(self, state: State, running: set[str]) -> list[Node]:
        """Disks and namespaces of instances that have just begun to run; they boot when wired."""
        booting = []
        for identifier in sorted(running):
            if identifier not in self._nodes:
                address = min(
                    (e for e in state.enis.values() if e.instance == identifier), key=lambda e: e.index
                ).addresses[0]
                hostname = f"ip-{address.replace('.', '-')}"
                self._nodes[identifier] = Node(self._grounds, state.instances[identifier], hostname)
            node = self._nodes[identifier]
            if not node.powered:
                namespaces.ip("", [f"netns add {identifier}"])
                namespaces.ip(identifier, ["link set lo up"])
                booting.append(node)
        return booting

    def _add_links(self, links: dict[str, Eni], state: State) -> None:
        for identifier, eni in links.items():
            if identifier not in self._links:
                cidr = ipaddress.IPv4Network(state.subnets[eni.subnet].cidr)
                router, node = _link_commands(eni, cidr)
                namespaces.ip(self._vpcs[eni.vpc].namespace, router)
                namespaces.ip(eni.instance, node)
            self._links[identifier] = eni

    def _set_firewalls(self, state: State) -> None:
        for identifier in state.vpcs:
            vpc = self._vpcs[identifier]
            wanted = firewall.ruleset(state, identifier, vpc.tables)
            namespaces.nft(vpc.namespace, firewall.difference(vpc.rules, wanted))
            vpc.rules = wanted

    def _set_public_addresses(self, state: State) -> None:
        """Tell the internet which VPC's gateway a public address is behind."""
        wanted = {
            public: internet.link_addresses(self._vpcs[eni.vpc].index)[0].split("/")[0]
            for eni in state.enis.values()
            if state.vpcs[eni.vpc].internet_gateway
            for _, public in eni.public
        }
        gone = [f"route del {a}/32 via {via}" for a, via in self._public.items() if wanted.get(a) != via]
        new = [f"route add {a}/32 via {via}" for a, via in wanted.items() if self._public.get(a) != via]
        namespaces.ip(internet.NAMESPACE, gone + new)
        self._public = wanted


_ROUTER: Final = {
    "ipv4/ip_forward": "1",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
    "ipv4/conf/all/send_redirects": "0",
    "ipv4/conf/default/send_redirects": "0",
    # A packet that comes back to where it came from (a route to oneself) is AWS's to carry too.
    "ipv4/conf/all/accept_local": "1",
}


def _place(eni: Eni) -> tuple[object, ...]:
    """What cannot change without the link being made anew."""
    return eni.instance, eni.subnet, eni.index, eni.addresses


def _mac(eni: Eni) -> str:
    tail = eni.id[-8:]
    return "06:00:" + ":".join(tail[i : i + 2] for i in range(0, 8, 2))


def _link_commands(eni: Eni, subnet: ipaddress.IPv4Network) -> tuple[list[str], list[str]]:
    """One ENI as a veth: (the VPC's commands, the node's).

    Neighbours are permanent and the node's subnet route goes through the gateway, which is how AWS
    carries packets (there is no layer 2 in a VPC) and needs no ARP: the kernel's neighbour table
    is shared by all namespaces and holds 1,024 learnt entries.
    """
    link, inside, mac = link_name(eni.id), f"ens{5 + eni.index}", _mac(eni)
    gateway = str(subnet.network_address + 1)
    # Two interfaces may be in one subnet: a metric each, as Ubuntu's netplan gives them on AWS.
    metric = 100 * (eni.index + 1)
    router = [
        f"link add {link} mtu {_ENI_MTU} address {_GATEWAY_MAC} type veth"
        f" peer name {inside} mtu {_ENI_MTU} address {mac} netns {eni.instance}",
        f"addr add {gateway}/32 dev {link}",
        f"link set {link} up",
        *(f"neigh replace {address} lladdr {mac} dev {link} nud permanent" for address in eni.addresses),
    ]
    node = [
        *(f"addr add {a}/{subnet.prefixlen} dev {inside} noprefixroute" for a in eni.addresses),
        f"link set {inside} up",
        f"neigh replace {gateway} lladdr {_GATEWAY_MAC} dev {inside} nud permanent",
        f"route add {gateway}/32 dev {inside} scope link src {eni.addresses[0]} metric {metric}",
        f"route add {subnet} via {gateway} dev {inside} src {eni.addresses[0]} metric {metric}",
    ]
    if eni.index == 0:
        node.append(f"route add default via {gateway} dev {inside} src {eni.addresses[0]}")
    return router, node
