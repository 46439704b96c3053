"""The intended workers as the evidence shows them: who is who, and where. Looks things up, judges nothing."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from ipaddress import IPv4Network
from typing import Any, TypeVar

from kthw.errors import CouldNotLook, LookError
from kthw.intended import tutorial
from kthw.network import pod_cidr, ranges, routing
from kthw.network.filters import GroupRules
from kthw.observed.evidence import (
    CniConfig,
    Evidence,
    Instance,
    Inventory,
    NetworkInterface,
    Node,
    Probe,
    Route,
    RouteTable,
    SecurityGroup,
)
from kthw.observed.namesakes import GONE, candidates, home_of, unambiguous

T = TypeVar("T")

RUNNING = "running"

NODE_CODES = ("ssh-", "sudo-", "python-", "cni-", "probe-", "answer-", "node-")
_LOOPBACK = "loopback"


class Cluster:
    """One evidence, indexed. Get it with ``Cluster.of``; it holds no more than the evidence does.

    Raises ``CouldNotLook`` where there is no inventory: nothing can be judged then.
    """

    def __init__(self, evidence: Evidence) -> None:
        if evidence.inventory is None:
            raise CouldNotLook(_why_no_inventory(evidence))
        self.evidence = evidence
        self.inventory: Inventory = evidence.inventory
        self.workers = evidence.intended.workers
        self.by_id = {instance.id: instance for instance in self.inventory.instances}
        self.owner = {eni.id: i for i in self.inventory.instances for eni in i.network_interfaces}
        self.groups = {group.id: group for group in self.inventory.security_groups}
        self._remembered: dict[tuple[object, ...], Any] = {}
        self._bearing: dict[str, list[Instance]] = {}
        for instance in self.inventory.instances:
            self._bearing.setdefault(instance.name, []).append(instance)
        self.meant = candidates(self.inventory.instances, evidence.intended)
        ones = unambiguous(self.meant)
        self._instances = {worker: ones.get(worker) for worker in self.workers}

    @staticmethod
    def of(evidence: Evidence) -> Cluster:
        """The cluster in ``evidence``; made once per evidence."""
        return _cluster(_Same(evidence))

    def remember(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """``make()``, once per ``key``: what was judged once is not judged again for every pair."""
        if key not in self._remembered:
            self._remembered[key] = make()
        found: T = self._remembered[key]
        return found

    def bearing(self, name: str) -> list[Instance]:
        """The instances with that Name tag that are not gone."""
        return [instance for instance in self._bearing.get(name, ()) if instance.state not in GONE]

    def gone(self, name: str) -> list[Instance]:
        """The instances with that Name tag that are terminated, or about to be."""
        return [instance for instance in self._bearing.get(name, ()) if instance.state in GONE]

    def instance(self, worker: str) -> Instance | None:
        """The one running, else the only one left, in the VPC of the workers.

        ``None`` where there is none, or no telling which.
        """
        return self._instances.get(worker)

    @functools.cached_property
    def home(self) -> str:
        """The VPC of the workers."""
        return home_of(self.meant)

    @functools.cached_property
    def pod_cidrs(self) -> dict[str, IPv4Network]:
        """By worker, in order, the pod CIDR its user data names, where it names one."""
        found = {}
        for worker, instance in self._instances.items():
            if instance and instance.user_data is not None:
                network = pod_cidr.read(instance.user_data).network
                if network:
                    found[worker] = network
        return found

    @functools.cached_property
    def pod_ranges(self) -> tuple[IPv4Network, ...]:
        return ranges.pod_ranges(self.pod_cidrs.values())

    @functools.cached_property
    def located(self) -> dict[str, Instance]:
        """By worker, in order, the instances that are in a subnet."""
        return {worker: found for worker, found in self._instances.items() if found and found.subnet}

    @functools.cached_property
    def rulings(self) -> tuple[routing.Ruling, ...]:
        """The route tables that rule the workers' subnets."""
        subnets = {worker: instance.subnet for worker, instance in self.located.items()}
        return routing.rulings(self.inventory, subnets, self.pod_cidrs.values())

    @functools.cached_property
    def _ruling_of(self) -> dict[str, routing.Ruling]:
        return {worker: ruling for ruling in self.rulings for worker in ruling.workers}

    def ruling(self, worker: str) -> routing.Ruling | None:
        """What rules the worker's own subnet; ``None`` for a worker that is nowhere.

        Raises ``CouldNotLook`` for one whose subnet has no table: every subnet has one, so it was not seen.
        """
        ruling = self.ruling_seen(worker)
        if ruling is None and worker in self.located:
            subnet = self.located[worker].subnet
            raise CouldNotLook(LookError(code="aws-refused", subject=subnet, detail="DescribeRouteTables"))
        return ruling

    def ruling_seen(self, worker: str) -> routing.Ruling | None:
        """The same, and ``None`` as well where the table was not seen: it is no obstacle then."""
        return self._ruling_of.get(worker)

    def rulings_towards(self, worker: str) -> list[routing.Ruling]:
        """The tables that must know the way to ``worker``: those of the others, or of a lone worker."""
        self.ruling(worker)
        others = [r for r in self.rulings if r.workers[0] != worker or len(r.workers) > 1]
        return others or list(self.rulings)

    @functools.cached_property
    def _lookups(self) -> dict[str, routing.Lookup]:
        return {table.id: routing.Lookup(table) for table in self.inventory.route_tables}

    def lookup(self, table_id: str) -> routing.Lookup:
        return self._lookups[table_id]

    def is_public(self, table: RouteTable) -> bool:
        """Whether any worker whose subnet the table rules has a public address."""
        ruled = (worker for ruling in self.rulings if ruling.effective is table for worker in ruling.workers)
        return any(self.located[worker].public_address for worker in ruled)

    def goes_to(self, route: Route, worker: str) -> bool:
        """Whether the route's target is the worker's instance, or an ENI of it."""
        instance = self.instance(worker)
        if instance is None:
            return False
        mine = {eni.id for eni in instance.network_interfaces}
        return route.instance == instance.id or (not route.instance and route.network_interface in mine)

    def target_instance(self, route: Route) -> Instance | None:
        """The instance a route leads to, directly or through its ENI, where it is known."""
        return self.by_id.get(route.instance) or self.owner.get(route.network_interface)

    def leads_to_a_worker(self, route: Route) -> bool:
        """Whether the target is an instance bearing an intended name, or meant to, that is not gone."""
        target = self.target_instance(route)
        if target is None or target.state in GONE:
            return False
        return target.name in self._instances or any(target in self.misnamed(w) for w in self.workers)

    def misnamed(self, worker: str) -> list[Instance]:
        """For a worker nobody is named after: those whose name differs in case or hyphens only."""
        if self.bearing(worker):
            return []
        return self._by_letters.get(_letters(worker), [])

    @functools.cached_property
    def _by_letters(self) -> dict[str, list[Instance]]:
        """The instances that bear no intended name and are not gone, by the letters of their name."""
        found: dict[str, list[Instance]] = {}
        for instance in self.inventory.instances:
            if instance.name not in self._instances and instance.state not in GONE:
                found.setdefault(_letters(instance.name), []).append(instance)
        return found

    def pod_interface(self, worker: str, table_id: str) -> NetworkInterface | None:
        """The ENI where pod traffic for ``worker`` arrives: the one its route names, else the primary."""
        instance, cidr = self.instance(worker), self.pod_cidrs.get(worker)
        if instance is None:
            return None
        route = self.lookup(table_id).exactly(cidr) if cidr else None
        named = [e for e in instance.network_interfaces if route and e.id == route.network_interface]
        return named[0] if named else instance.primary_interface

    def vpc_cidrs(self, vpc_id: str) -> tuple[IPv4Network, ...]:
        found = next((vpc.cidrs for vpc in self.inventory.vpcs if vpc.id == vpc_id), ())
        return tuple(ranges.network(cidr) for cidr in found if cidr)

    def security_groups(self, interface: NetworkInterface | None) -> tuple[SecurityGroup, ...]:
        """The ENI's groups, or nothing unless all of them were seen."""
        ids = interface.security_groups if interface else ()
        found = tuple(self.groups[group] for group in ids if group in self.groups)
        return found if len(found) == len(ids) else ()

    def group_rules(self, groups: Sequence[SecurityGroup], direction: str) -> GroupRules:
        """The united rules of ``groups``, ``ingress`` or ``egress``; made once per set of groups."""
        united = [r for g in groups for r in (g.ingress if direction == "ingress" else g.egress)]
        key = ("rules", direction, *(group.id for group in groups))
        return self.remember(key, lambda: GroupRules(united, self._members))

    @functools.cached_property
    def _members(self) -> dict[str, set[str]]:
        """By security group, the private addresses of its ENIs: all that naming the group allows."""
        members: dict[str, set[str]] = {}
        for instance in self.inventory.instances:
            for eni in instance.network_interfaces:
                for group in eni.security_groups:
                    members.setdefault(group, set()).update(eni.addresses)
        return members

    def masquerades(self, worker: str) -> bool:
        """Whether its pods leave with the node's address: ``ipMasq``; the tutorial's ``true`` if not seen."""
        return worker not in self._bare

    @functools.cached_property
    def _bare(self) -> set[str]:
        """The workers whose pods are known to leave with their own addresses."""
        configs = {worker: pod_network(node) for worker, node in self.evidence.nodes.items()}
        return {worker for worker, config in configs.items() if config and not config.ip_masq}

    @functools.cached_property
    def _probes(self) -> dict[tuple[str, str], list[Probe]]:
        by_ends: dict[tuple[str, str], list[Probe]] = {}
        for probe in self.evidence.probes:
            by_ends.setdefault(("from", probe.source), []).append(probe)
            by_ends.setdefault(("to", probe.destination), []).append(probe)
        return by_ends

    def probes_from(self, worker: str) -> list[Probe]:
        return self._probes.get(("from", worker), [])

    def probes_to(self, worker: str) -> list[Probe]:
        return self._probes.get(("to", worker), [])

    def noun(self, worker: str) -> str:
        """``worker-1 (i-0ab…, 10.0.1.21)``, or the bare name where there is no one such instance."""
        instance = self.instance(worker)
        return instance_noun(instance, worker) if instance else worker

    def target_noun(self, route: Route) -> str:
        """A route's target with the name of what it is: ``worker-0 (i-0ab…, 10.0.1.20)``, ``igw-…``."""
        instance = self.target_instance(route)
        if instance is None:
            return route.target or "—"
        noun = instance_noun(instance)
        return noun if route.instance else f"{route.network_interface} · {noun}"

    def route_noun(self, route: Route) -> str:
        """``10.200.1.0/24 → worker-1 (i-0ab…, 10.0.1.21) active``."""
        return f"{route.destination} → {self.target_noun(route)} {route.state}"

    def login(self, worker: str) -> str:
        """The ``ssh`` command that got into the worker; where nobody did, the tutorial's."""
        node = self.evidence.nodes.get(worker)
        if node and node.login:
            return node.login
        instance = self.instance(worker)
        host = (instance.public_address or instance.address) if instance else worker
        # Without the sandbox's ssh_config the address is a stranger's.
        if self.evidence.target.is_local:
            return f"ssh -F KTHW_SSH_CONFIG {tutorial.SSH_USER}@{host}"
        return f"ssh -i {tutorial.KEY_FILE} {tutorial.SSH_USER}@{host}"

    def user_data_error(self, worker: str) -> LookError:
        """Why the worker's user data is not known."""
        mine = [e for e in self.evidence.errors if e.worker == worker and not e.code.startswith(NODE_CODES)]
        unread = LookError(code="aws-refused", subject=self.noun(worker), worker=worker, detail="userData")
        return mine[0] if mine else unread

    def node(self, worker: str) -> Node:
        """What was seen on the node. Raises ``CouldNotLook`` where nobody got in."""
        node = self.evidence.nodes.get(worker)
        if node is None:
            mine = [e for e in self.evidence.errors if e.worker == worker and e.code.startswith(NODE_CODES)]
            unseen = LookError(code="ssh-unreachable", subject=self.noun(worker), worker=worker)
            raise CouldNotLook(mine[0] if mine else unseen)
        return node


def instance_noun(instance: Instance, name: str = "") -> str:
    """``worker-1 (i-0ab…, 10.0.1.21)``; the id alone stands first where there is no Name tag."""
    name = name or instance.name
    about = ", ".join(filter(None, (instance.id if name else "", instance.address)))
    return f"{name or instance.id} ({about})" if about else name or instance.id


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


def pod_network(node: Node) -> CniConfig | None:
    """The CNI file that makes pods: the first that can be read, in order of name, loopback aside."""
    files = sorted(node.cni, key=lambda config: config.file)
    return next((c for c in files if not c.problem and c.type and c.type != _LOOPBACK), None)


def _why_no_inventory(evidence: Evidence) -> LookError:
    unknown = LookError(code="aws-unreachable", subject=evidence.target.kind)
    return next((error for error in evidence.errors if not error.worker), unknown)


class _Same:
    """An evidence as a key of the cache: the very same object, not an equal one."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence

    def __hash__(self) -> int:
        return id(self.evidence)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.evidence is self.evidence


@functools.lru_cache(maxsize=4)
def _cluster(key: _Same) -> Cluster:
    return Cluster(key.evidence)
