"""The intended workers as the evidence shows them: who is who, and where. Looks things up, judges nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network
from typing import Any, TypeVar

from kthw.errors import CouldNotLook, LookError
from kthw.intended import tutorial
from kthw.network import prefix_lists, ranges, routing
from kthw.network.groups import Groups
from kthw.network.nouns import destination_noun, instance_noun
from kthw.network.pods import Pods
from kthw.network.probes import Probes
from kthw.network.said import Said, said
from kthw.observed.cni_networks import pod_network
from kthw.observed.evidence import (
    Evidence,
    Instance,
    Inventory,
    NetworkAcl,
    Node,
    Route,
    RouteTable,
    Subnet,
)
from kthw.observed.namesakes import GONE, Roll, also_there, candidates, home_of, letters, unambiguous

T = TypeVar("T")

RUNNING = "running"

NODE_CODES = ("ssh-", "sudo-", "python-", "cni-", "probe-", "answer-", "node-")


class Network:
    """One evidence, indexed once and passed everywhere; it holds no more than the evidence does.

    Raises ``CouldNotLook`` where there is no inventory: nothing can be judged then.
    """

    def __init__(self, evidence: Evidence) -> None:
        if evidence.inventory is None:
            raise CouldNotLook(_why_no_inventory(evidence))
        self.evidence = evidence
        self.prefix_lists = prefix_lists.PrefixLists(evidence.inventory.prefix_lists)
        self.inventory: Inventory = prefix_lists.with_lists_spread(evidence.inventory, self.prefix_lists)
        self.workers = evidence.intended.workers
        self.by_id = {instance.id: instance for instance in self.inventory.instances}
        self.owner = {eni.id: i for i in self.inventory.instances for eni in i.network_interfaces}
        self._remembered: dict[tuple[object, ...], Any] = {}
        self._roll = Roll(evidence.intended)
        self._bearing: dict[str, list[Instance]] = {}
        for instance in self.inventory.instances:
            self._bearing.setdefault(self._roll.known_as(instance), []).append(instance)
        self.meant = candidates(self.inventory.instances, evidence.intended)
        ones = unambiguous(self.meant)
        self._instances = {worker: ones.get(worker) for worker in self.workers}
        self.also = also_there(self.inventory.instances, evidence.intended, self.home)
        self.probes = Probes(evidence)
        self.groups = Groups(self.inventory, self.prefix_lists)

    def remember(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """``make()``, once per ``key``: what was judged once is not judged again for every pair."""
        if key not in self._remembered:
            self._remembered[key] = make()
        found: T = self._remembered[key]
        return found

    def worker_of(self, instance: Instance) -> str:
        """The intended worker that the instance is, or may be; empty where it is none."""
        return self._roll.worker(instance.id, instance.name)

    def bearing(self, name: str) -> list[Instance]:
        """The instances with that Name tag, or that are the worker of that name, and are not gone."""
        return [instance for instance in self._bearing.get(name, ()) if instance.state not in GONE]

    def gone(self, name: str) -> list[Instance]:
        """Those of them that are terminated, or about to be."""
        return [instance for instance in self._bearing.get(name, ()) if instance.state in GONE]

    def instance(self, worker: str) -> Instance | None:
        """The one running, else the only one left, in the VPC of the workers.

        ``None`` where there is none, or no telling which.
        """
        return self._instances.get(worker) or self.also.get(worker)

    @functools.cached_property
    def home(self) -> str:
        """The VPC of the workers."""
        return home_of(self.meant)

    @functools.cached_property
    def pod_cidrs(self) -> dict[str, IPv4Network]:
        """By worker, in order, the pod CIDR that is said to be its own, where one is."""
        each = {worker: self.said(worker) for worker in self.workers}
        return {worker: said.read.network for worker, said in each.items() if said and said.read.network}

    def said(self, worker: str) -> Said | None:
        """Where its pod CIDR is said; ``None`` where what would rule was not read."""
        return self.remember(("said", worker), lambda: said(self, worker))

    @functools.cached_property
    def position(self) -> dict[str, int]:
        """By worker, its place among the intended ones."""
        return {worker: n for n, worker in enumerate(self.workers)}

    @functools.cached_property
    def pods(self) -> Pods:
        """Whose pods live where, and where nobody's do."""
        vpcs = [cidr for each in self._vpcs.values() for cidr in each]
        others = () if self._unborne else self.strangers  # a stranger may be the one that nobody bears
        tables = (routes for other in others for routes in self.all_routes_to(other).values())
        return Pods(self.pod_cidrs, self.position, vpcs, [r.network for routes in tables for r in routes])

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
        others = {name: each.subnet for name, each in self.also.items()}
        ruled = routing.rulings(self.inventory, others, self.pod_cidrs.values())
        return {worker: ruling for ruling in (*ruled, *self.rulings) for worker in ruling.workers}

    def ruling(self, worker: str) -> routing.Ruling | None:
        """What rules the own subnet of the worker, or of another machine; ``None`` for one that is nowhere.

        Raises ``CouldNotLook`` for one whose subnet has no table: every subnet has one, so it was not seen.
        """
        ruling, instance = self.ruling_seen(worker), self.instance(worker)
        if ruling is None and instance and instance.subnet:
            refused = LookError(code="aws-refused", subject=instance.subnet, detail="DescribeRouteTables")
            raise CouldNotLook(refused)
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

    @functools.cached_property
    def _routes_to(self) -> dict[str, dict[str, list[Route]]]:
        found: dict[str, dict[str, list[Route]]] = {}
        for table in self.inventory.route_tables:
            for route in table.routes:
                target = self.target_instance(route)
                if target and not route.foreign:
                    found.setdefault(target.id, {}).setdefault(table.id, []).append(route)
        return found

    def routes_to(self, table: RouteTable, instance: Instance | None) -> list[Route]:
        """The table's IPv4 routes that lead to the instance, in their order."""
        return self.all_routes_to(instance).get(table.id, [])

    def all_routes_to(self, instance: Instance | None) -> Mapping[str, list[Route]]:
        """The IPv4 routes that lead to the instance, by the id of their table."""
        return self._routes_to.get(instance.id, {}) if instance else {}

    @functools.cached_property
    def routed(self) -> set[str]:
        """The ids of the instances that any route leads to."""
        return set(self._routes_to)

    @functools.cached_property
    def subnets(self) -> dict[str, Subnet]:
        """By id."""
        return {subnet.id: subnet for subnet in self.inventory.subnets}

    @functools.cached_property
    def acls(self) -> dict[str, NetworkAcl]:
        """By the id of a subnet, the ACL that filters what enters and leaves it."""
        return {subnet: acl for acl in self.inventory.network_acls for subnet in acl.subnets}

    def router(self, subnet_id: str) -> str:
        """AWS's router in the subnet: the first address after the network's own; empty if not known."""
        subnet = self.subnets.get(subnet_id)
        hosts = ranges.network(subnet.cidr).hosts() if subnet and subnet.cidr else ()
        return next(map(str, hosts), "")

    def lookup(self, table_id: str) -> routing.Lookup:
        return self._lookups[table_id]

    def is_public(self, table: RouteTable) -> bool:
        """Whether any worker whose subnet the table rules has a public address."""
        ruled = (worker for ruling in self.rulings if ruling.effective is table for worker in ruling.workers)
        return any(self.located[worker].public_address for worker in ruled)

    def goes_to(self, route: Route, worker: str) -> bool:
        """Whether the route's target is the worker's instance, or an ENI of it."""
        target = self.target_instance(route)
        return target is not None and target is self.instance(worker)

    def target_instance(self, route: Route) -> Instance | None:
        """The instance a route leads to, directly or through its ENI, where it is known."""
        return self.by_id.get(route.instance) or self.owner.get(route.network_interface)

    def leads_to_a_worker(self, route: Route) -> bool:
        """Whether the target is an instance bearing an intended name, or meant to, that is not gone."""
        target = self.target_instance(route)
        if target is None or target.state in GONE:
            return False
        return bool(self.worker_of(target)) or letters(target.name) in self._unborne

    @functools.cached_property
    def strangers(self) -> list[Instance]:
        """The instances that bear no intended name, and are not gone."""
        return [i for i in self.inventory.instances if i.state not in GONE and not self.worker_of(i)]

    def misnamed(self, worker: str) -> list[Instance]:
        """The strangers whose name differs from the worker's in case or hyphens only."""
        return self._by_letters.get(letters(worker), [])

    @functools.cached_property
    def _unborne(self) -> set[str]:
        """The letters of the intended names that nobody bears."""
        return {letters(worker) for worker in self.workers if not self.bearing(worker)}

    @functools.cached_property
    def _by_letters(self) -> dict[str, list[Instance]]:
        """The strangers, by the letters of their name."""
        found: dict[str, list[Instance]] = {}
        for instance in self.strangers:
            found.setdefault(letters(instance.name), []).append(instance)
        return found

    @functools.cached_property
    def _vpcs(self) -> dict[str, tuple[IPv4Network, ...]]:
        each = self.inventory.vpcs
        return {vpc.id: tuple(ranges.network(cidr) for cidr in vpc.cidrs) for vpc in each}

    def vpc_cidrs(self, vpc_id: str) -> tuple[IPv4Network, ...]:
        """The VPC's own blocks, the primary first."""
        return self._vpcs.get(vpc_id, ())

    def masquerades(self, worker: str) -> bool:
        """Whether its pods leave with the node's address: ``ipMasq``; the tutorial's ``true`` if not seen."""
        return worker not in self._bare

    @functools.cached_property
    def _bare(self) -> set[str]:
        """The workers whose pods are known to leave with their own addresses."""
        configs = {worker: pod_network(node) for worker, node in self.evidence.nodes.items()}
        return {worker for worker, config in configs.items() if config and not config.ip_masq}

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
        return f"{destination_noun(route)} → {self.target_noun(route)} {route.state}"

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

    @functools.cached_property
    def _errors(self) -> dict[str, list[LookError]]:
        found: dict[str, list[LookError]] = {}
        for error in self.evidence.errors:
            found.setdefault(error.worker, []).append(error)
        return found

    def errors_of(self, worker: str) -> list[LookError]:
        """What could not be looked at of this worker."""
        return self._errors.get(worker, [])

    def errors_on_node(self, worker: str) -> list[LookError]:
        """Those of them that tell why its node, or its pods, were not seen."""
        return [error for error in self.errors_of(worker) if error.code.startswith(NODE_CODES)]

    @functools.cached_property
    def changed(self) -> list[LookError]:
        """The errors that say that somebody else changed routes while we looked."""
        return [error for error in self.evidence.errors if error.code == "routes-changed"]

    def user_data_error(self, worker: str) -> LookError:
        """Why the worker's user data is not known."""
        mine = [e for e in self.errors_of(worker) if not e.code.startswith(NODE_CODES)]
        mine.sort(key=lambda error: error.kind != "user-data")
        unread = LookError(code="aws-refused", subject=self.noun(worker), worker=worker, detail="userData")
        return mine[0] if mine else unread

    def node(self, worker: str) -> Node:
        """What was seen on the node. Raises ``CouldNotLook`` where nobody got in."""
        node = self.evidence.nodes.get(worker)
        if node is None:
            mine = self.errors_on_node(worker)
            unseen = LookError(code="ssh-unreachable", subject=self.noun(worker), worker=worker)
            raise CouldNotLook(mine[0] if mine else unseen)
        return node


def _why_no_inventory(evidence: Evidence) -> LookError:
    unknown = LookError(code="aws-unreachable", subject=evidence.target.kind)
    return next((error for error in evidence.errors if not error.worker), unknown)
