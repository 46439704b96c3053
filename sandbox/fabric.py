"""The data plane: makes the kernel obey the API's state, by differences.

One network namespace per VPC (AWS's implied router), one per node, one for the internet. Whatever
AWS decides per ENI is decided in the VPC's namespace, on the ENI's link: its subnet's route table
(``sandbox.forwarding``), source/dest check, security groups and network ACLs (``sandbox.firewall``).
"""

from __future__ import annotations

import contextlib
import itertools
import shutil
from collections.abc import Set as AbstractSet
from typing import Final

from sandbox import birth, internet, namespaces
from sandbox.balancing import PREFIX, Balancers
from sandbox.disk import Place
from sandbox.looking import look, named
from sandbox.metadata import Metadata
from sandbox.namespaces import CommandError
from sandbox.node import Grounds, Node
from sandbox.resolver import Resolver
from sandbox.router import Plan, Router
from sandbox.state import State

_VPC: Final = "vpc-"
_INSTANCE: Final = "i-"


class Fabric:
    """The kernel's side of an account, all regions. ``reconcile`` is called by one thread at a time."""

    def __init__(self, grounds: Grounds) -> None:
        self._grounds = grounds
        self._vpcs: dict[str, Router] = {}
        self._nodes: dict[str, Node] = {}
        self._public: dict[str, str] | None = {}
        """Public address to the VPC's end of the link it is behind; None: whatever the kernel has."""
        self._metadata = Metadata()
        self._balancers = Balancers()
        self._resolver = Resolver()
        internet.create()

    def reconcile(self, state: State) -> None:
        """Make the kernel what ``state`` says: plan, apply, commit.

        The plan is made before anything is touched. What was applied is remembered, step by step; what
        failed is not. Whoever is root on a node can pull a link out from under us, so after a failure the
        kernel is looked at and everything is tried once more. Where that fails too the error is raised
        (``CommandError`` or ``OSError``): the API's change stays, is told as InternalError, and any next
        call, the same or another, brings kernel and API together.
        """
        try:
            self._apply(state)
        except (CommandError, OSError):
            self._doubt()
            try:
                self._apply(state)
            except BaseException:
                self._doubt()
                raise
        except BaseException:
            self._doubt()
            raise

    def host_keys(self) -> dict[str, str]:
        """Public host key by instance id, of every node that has a disk."""
        return {identifier: node.host_key for identifier, node in self._nodes.items()}

    def reached(self, arn: str, address: str, port: int) -> bool | None:
        """Whether a load balancer's target answered (``sandbox.state.Reached``)."""
        return self._balancers.reached(arn, address, port)

    def _doubt(self) -> None:
        self._public = None
        for router in self._vpcs.values():
            router.doubt()

    def _apply(self, state: State) -> None:
        running, live = state.running, state.live
        new, plans = self._plan(live)
        booting = {i for i in running if i not in self._nodes or not self._nodes[i].powered}
        self._metadata.know(live)
        self._resolver.know(live)
        for router in new:
            self._create_vpc(router)
        for vpc, plan in plans.items():
            self._vpcs[vpc].take_away(plan, booting)
        self._take_nodes_away(state, running - booting)
        self._create_nodes(state, booting)
        self._create_balancers(state)
        for vpc, plan in plans.items():
            self._vpcs[vpc].put(plan)
        self._balancers.know(state)
        self._set_public_addresses(live)
        self._take_vpcs_away(live)
        for identifier in sorted(booting):
            self._nodes[identifier].start()

    def _plan(self, live: State) -> tuple[list[Router], dict[str, Plan]]:
        """(The VPCs to be created, what each VPC should hold.) Touches nothing."""
        taken = {router.index for router in self._vpcs.values()}
        free = (index for index in itertools.count() if index not in taken)
        new = [
            Router(vpc.id, next(free), vpc.resolver) for vpc in live.vpcs.values() if vpc.id not in self._vpcs
        ]
        routers = {**self._vpcs, **{router.vpc: router for router in new}}
        return new, {vpc: routers[vpc].plan(live) for vpc in live.vpcs}

    def _create_vpc(self, router: Router) -> None:
        router.create()
        with contextlib.ExitStack() as undoing:
            undoing.callback(self._metadata.leave, router.vpc)
            self._metadata.serve(router.vpc)
            self._resolver.serve(router.vpc, router.own_addresses[1:])
            undoing.pop_all()
        self._vpcs[router.vpc] = router

    def _take_vpcs_away(self, live: State) -> None:
        for vpc in [vpc for vpc in self._vpcs if vpc not in live.vpcs]:
            self._metadata.leave(vpc)
            self._resolver.leave(vpc)
            self._vpcs[vpc].discard()
            del self._vpcs[vpc]
        _remove({name for name in named() if name.startswith(_VPC)} - self._vpcs.keys())

    def _take_nodes_away(self, state: State, staying: AbstractSet[str]) -> None:
        for identifier, node in list(self._nodes.items()):
            if identifier not in staying:
                node.stop()
            if identifier not in state.instances:
                node.discard()
                del self._nodes[identifier]
        _remove({name for name in named() if name.startswith(_INSTANCE)} - staying)

    def _create_nodes(self, state: State, booting: AbstractSet[str]) -> None:
        """Disks and namespaces of instances that have just begun to run; they boot when wired."""
        for identifier in sorted(booting):
            if identifier not in self._nodes:
                self._nodes[identifier] = self._node(state, identifier)
            namespaces.ip("", [f"netns add {identifier}"])
            namespaces.ip(identifier, ["link set lo up"])

    def _create_balancers(self, state: State) -> None:
        """Namespaces of load balancers, and of no others."""
        wanted = {each.eni.instance for each in state.load_balancers.values()}
        there = {name for name in named() if name.startswith(PREFIX)}
        self._balancers.leave(there - wanted)
        _remove(there - wanted)
        for name in sorted(wanted - there):
            namespaces.ip("", [f"netns add {name}"])
            namespaces.ip(name, ["link set lo up"])

    def _node(self, state: State, identifier: str) -> Node:
        enis = [eni for eni in state.enis.values() if eni.instance == identifier]
        first = min(enis, key=lambda eni: eni.index)
        vpc, address = state.vpcs[first.vpc], first.addresses[0]
        place = Place(address, vpc.domain, vpc.resolver)
        born_with = birth.files(self._grounds.directory, address)
        with contextlib.ExitStack() as undoing:
            undoing.callback(shutil.rmtree, self._grounds.disks / identifier, ignore_errors=True)
            node = Node(self._grounds, state.instances[identifier], place, born_with)
            undoing.pop_all()
        return node

    def _set_public_addresses(self, live: State) -> None:
        """Tell the internet which VPC's gateway a public address is behind."""
        wanted = {
            public: self._vpcs[eni.vpc].near
            for eni in live.enis.values()
            if live.vpcs[eni.vpc].internet_gateway
            for _, public in eni.public
        } | {nat.public: self._vpcs[nat.vpc].near for nat in live.nat_gateways.values()}
        if self._public is None:
            rows = look(internet.NAMESPACE, "route show")
            self._public = {row["dst"]: row["gateway"] for row in rows if "gateway" in row}
        gone = [f"route del {a}/32 via {via}" for a, via in self._public.items() if wanted.get(a) != via]
        new = [f"route add {a}/32 via {via}" for a, via in wanted.items() if self._public.get(a) != via]
        namespaces.ip(internet.NAMESPACE, gone + new)
        self._public = wanted


def _remove(gone: AbstractSet[str]) -> None:
    namespaces.ip("", [f"netns del {name}" for name in sorted(gone)])
