"""What a lab is that a person may have built: who is in it, where, what is said, what leads where. Data."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Final, Literal

from kthw.intended import tutorial
from sandbox import cni, images

MOST_WORKERS: Final = 1000
_MOST_ROUTES: Final = 490
"""What fits into a route table under its default quota of 500, beside the chapter's own."""
_JUMP_HOST: Final = 5
Chapter = Literal["machines", "workers"]
CHAPTERS: Final = ("machines", "workers")
"""After which of the tutorial's chapters a lab stands: without, or with, what is done on its nodes."""


@dataclass(frozen=True)
class Machine:
    """One instance. ``subnet``: the place of its subnet in ``Lab.subnets``, -1 the one in front of them.

    ``tags``: pairs (key, value). ``pod_cidr`` is empty for what is no worker.
    """

    name: str
    address: str
    subnet: int
    user_data: str
    tags: tuple[tuple[str, str], ...]
    pod_cidr: str = ""


@dataclass(frozen=True, kw_only=True)
class Lab:
    """The tutorial's, where nothing else is said.

    ``subnets``: where the workers are, the first of them in the first; ``zones``: each in an availability
    zone of its own. ``front``: a public subnet before them, with the jump host and a NAT gateway; nobody else
    has a public address then. ``name`` and ``tags`` of a worker, its ``user_data``, and ``others_say``, that
    of the other machines, are patterns of ``{name}``, ``{n}`` and ``{cidr}``, its pod CIDR. The first one's
    is ``pods``, the next ones follow. ``tables``: one for all subnets, one for ``each``, or the ``main`` one;
    ``acl``: the last subnet has a network ACL of its own, which lets everything pass. ``routes``: pod routes
    of the VPC, to the ``instance`` or its ``eni``, or ``kernel`` routes on every machine, or on the workers
    alone (without ``others_routed``). ``checked``: the source/dest check stays on. ``lets_in``: what the
    security group does of the nodes' own traffic, each (protocol, port, source), where it is not all of the
    VPC's and the pods'; ``opened_to``: from where SSH, the API's port and pings are let in. ``balanced``: a
    network load balancer is in front of the controllers. ``disk``: in GB. ``first``: the number of the first
    worker; ``host``: its address within its subnet;
    ``nat``: whether the subnets behind the one in front have a way out. ``cni``: the files of
    ``/etc/cni/net.d`` for a pod CIDR, by name, where they are not those that the tutorial's chapter writes of
    the pair in the user data; ``commands``: what is typed on a worker besides, patterns too. ``image``: the
    id of everybody's, which says whom they let in.
    ``options``: what the suite is told.
    """

    vpc: str = tutorial.VPC_CIDR
    subnets: tuple[str, ...] = (tutorial.SUBNET_CIDR,)
    zones: bool = False
    front: str = ""
    jump: str = ""
    others: tuple[str, ...] = tutorial.CONTROLLERS
    others_say: str = f"{tutorial.NAME_KEY}={{name}}"
    workers: int = 3
    first: int = 0
    host: int = tutorial.WORKER_FIRST_HOST
    name: str = "worker-{n}"
    tags: tuple[tuple[str, str], ...] = (("Name", "{name}"),)
    pods: str = str(next(IPv4Network(tutorial.POD_RANGE).subnets(new_prefix=24)))
    user_data: str = tutorial.user_data("{name}", "{cidr}")
    tables: Literal["one", "each", "main"] = "one"
    acl: bool = False
    routes: Literal["", "instance", "eni", "kernel"] = "instance"
    others_routed: bool = True
    checked: bool = False
    lets_in: tuple[tuple[str, int, str], ...] | None = None
    opened_to: str = tutorial.EVERYWHERE
    balanced: bool = False
    disk: int = tutorial.DISK_GIGABYTES
    nat: bool = True
    cni: Callable[[str], Mapping[str, object]] | None = None
    commands: tuple[str, ...] = ()
    image: str = images.FOCAL.id
    options: tuple[str, ...] = ()

    @property
    def root_device(self) -> str:
        """As the image has it."""
        return images.root_device_of(self.image)

    def but(self, **changes: object) -> Lab:
        """The same but for these."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]  # by name, as they are declared

    def names(self, count: int | None = None) -> tuple[str, ...]:
        """What the first ``count`` workers are called, where nobody calls them otherwise."""
        return tuple(
            self.name.format(n=self.first + n) for n in range(self.workers if count is None else count)
        )

    def pod_cidr(self, number: int) -> str:
        """The pod CIDR of that worker: of the 257th of the tutorial's, 10.201.0.0/24."""
        first = IPv4Network(self.pods)
        start = int(first.network_address) + number * first.num_addresses
        return str(IPv4Network((start, first.prefixlen)))

    def pod_range(self, count: int) -> str:
        """One CIDR around the pods of that many workers: the tutorial's where it does."""
        whole, pods = IPv4Network(tutorial.POD_RANGE), [IPv4Network(self.pod_cidr(n)) for n in range(count)]
        if pods and not pods[0].subnet_of(whole):
            whole = pods[0]
        while not all(each.subnet_of(whole) for each in pods):
            whole = whole.supernet()
        return str(whole)

    @functools.cached_property
    def most(self) -> int:
        """How many workers it has room for."""
        room = min(IPv4Network(each).num_addresses for each in (*self.subnets[1:], self._widest))
        by_table = _MOST_ROUTES if self.routes in ("instance", "eni") else MOST_WORKERS
        return min(room - self.host - 2, by_table, MOST_WORKERS)

    @property
    def _widest(self) -> str:
        """The first subnet may be made wider where it is the only one."""
        return self.vpc if len(self.subnets) == 1 and not self.front else self.subnets[0]

    def ranges(self, count: int) -> tuple[str, ...]:
        """``subnets``, wide enough for that many workers."""
        first = IPv4Network(self.subnets[0])
        while len(self.subnets) == 1 and self.host + count > first.num_addresses - 2:
            first = first.supernet()
        return (str(first), *self.subnets[1:])

    def machines(self, names: Sequence[str]) -> tuple[Machine, ...]:
        """All of them, with the workers last; those are called ``names``."""
        subnets = self.ranges(len(names))
        found = []
        if self.jump:
            place = -1 if self.front else 0
            found.append(self._other(self.jump, place, (self.front or subnets[0], _JUMP_HOST)))
        found += [
            self._other(name, 0, (subnets[0], tutorial.CONTROLLER_FIRST_HOST + number))
            for number, name in enumerate(self.others)
        ]
        for number, name in enumerate(names):
            facts = {"name": name, "n": self.first + number, "cidr": self.pod_cidr(number)}
            place = number * len(subnets) // len(names)
            found.append(
                Machine(
                    name=name,
                    address=_host(subnets[place], self.host + number),
                    subnet=place,
                    user_data=self.user_data.format(**facts),
                    tags=tuple((key, value.format(**facts)) for key, value in self.tags),
                    pod_cidr=str(facts["cidr"]),
                )
            )
        return tuple(found)

    def born_with(self, machine: Machine) -> dict[str, str]:
        """The files that the workers chapter leaves on that machine, by their paths."""
        pairs = dict(pair.split("=", 1) for pair in machine.user_data.split("|") if "=" in pair)
        cidr = machine.pod_cidr if self.cni else pairs.get(tutorial.POD_CIDR_KEY, "").strip()
        written = (self.cni or cni.chapters)(cidr) if cidr else {}
        return {tutorial.cni_path(name): f"{json.dumps(of, indent=4)}\n" for name, of in written.items()}

    def _other(self, name: str, subnet: int, place: tuple[str, int]) -> Machine:
        user_data = self.others_say.format(name=name)
        return Machine(name, _host(*place), subnet, user_data, (("Name", name),))


def _host(subnet: str, number: int) -> str:
    return str(IPv4Address(int(IPv4Network(subnet).network_address) + number))
