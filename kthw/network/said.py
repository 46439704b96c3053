"""Where a worker's pod CIDR is said, which of several sayings rules, and what is only assumed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from kthw.intended import tutorial
from kthw.intended.pod_cidrs import WIDEST
from kthw.network import pod_cidr
from kthw.network.pod_cidr import PodCidr
from kthw.observed.cni_networks import pod_network
from kthw.observed.evidence import Instance, Node, UserData

if TYPE_CHECKING:
    from kthw.network.model import Network

Source = Literal["option", "user-data", "tag", "cni", "kubelet", "route"]

ASSUMED: Final = frozenset[Source](("cni", "kubelet", "route"))
"""What merely follows from a pod CIDR, and is no yardstick of itself."""


class Saying(msgspec.Struct, frozen=True, kw_only=True):
    """``cidr`` by ``source``; ``where`` in it: a key, a tag, a file, the id of a route table."""

    source: Source
    cidr: str
    where: str = ""

    @property
    def noun(self) -> str:
        """The place, in notation: ``user-data POD_CIDR``, ``tag pod-cidr``, ``--pod-cidrs``, a path, …"""
        paths = {"cni": tutorial.cni_path(self.where), "route": self.where}
        names = {"option": "--pod-cidrs", "kubelet": "kubelet podCIDR"}
        return {**paths, **names}.get(self.source) or f"{self.source} {self.where}".strip()


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What rules. ``read`` is how it is to be understood, or what is wrong with it.

    ``saying`` is ``None`` where nothing says one: then ``read`` tells what user data says instead.
    ``others`` say something else, in the order in which they would rule.
    """

    read: PodCidr
    saying: Saying | None = None
    others: tuple[Saying, ...] = ()

    @property
    def source(self) -> Source:
        return self.saying.source if self.saying else "user-data"

    @property
    def is_assumed(self) -> bool:
        return self.source in ASSUMED


def said(network: Network, worker: str) -> Said | None:
    """Of one worker; ``None`` where its user data, which would rule, was not read."""
    instance, node = network.instance(worker), network.evidence.nodes.get(worker)
    found = stated(network.evidence.intended.pod_cidrs.get(worker, ""), instance)
    if found is None or found.saying or found.read.variant in pod_cidr.MEANT_IN_USER_DATA:
        # What is stated is the yardstick of what follows from it: that has checks of its own.
        return found
    assumed = list(_assumed(network, instance, node))
    return _ruled(assumed, pod_cidr.valid(assumed[0].cidr)) if assumed else found


def stated(option: str, instance: Instance | None) -> Said | None:
    """The same, of what is stated only. ``option``: by the person who runs us, or empty."""
    data, tags = (instance.user_data, instance.pod_cidr_tags) if instance else (None, {})
    if not option and data is None:
        return None
    data = data or UserData()
    read = pod_cidr.read(data)
    each = [Saying(source="option", cidr=option)] if option else []
    each += [*_in_user_data(data, read), *_in_tags(tags)]
    if not each:
        return Said(read=read)
    first = each[0]
    return _ruled(each, read if first.source == "user-data" else pod_cidr.valid(first.cidr, first.where))


def _ruled(each: list[Saying], read: PodCidr) -> Said:
    return Said(read=read, saying=each[0], others=tuple(one for one in each[1:] if one.cidr != each[0].cidr))


def _in_user_data(data: UserData, read: PodCidr) -> Iterator[Saying]:
    if read.statement:
        cidr, key = read.statement.cidr, read.statement.key
    elif read.problem != "pod-cidr-missing":
        cidr, key = data.pairs[tutorial.POD_CIDR_KEY], tutorial.POD_CIDR_KEY
    else:
        return
    yield Saying(source="user-data", cidr=str(read.network or cidr), where=key)


def _in_tags(tags: Mapping[str, str]) -> list[Saying]:
    return [Saying(source="tag", cidr=cidr, where=key) for key, cidr in sorted(tags.items())]


def _assumed(network: Network, instance: Instance | None, node: Node | None) -> Iterator[Saying]:
    config = pod_network(node) if node else None
    if config and pod_cidr.is_network(config.subnet):
        yield Saying(source="cni", cidr=config.subnet, where=config.file)
    if node and pod_cidr.is_network(node.kubelet_pod_cidr):
        yield Saying(source="kubelet", cidr=node.kubelet_pod_cidr)
    led = [
        (table, each.network) for table, routes in network.all_routes_to(instance).items() for each in routes
    ]
    # A default route to a NAT instance is no worker's pods.
    led = [(table, pods) for table, pods in led if pods.prefixlen >= WIDEST]
    whole = list(ipaddress.collapse_addresses(pods for _, pods in led))
    if len(whole) == 1 and pod_cidr.is_network(str(whole[0])):
        yield Saying(source="route", cidr=str(whole[0]), where=led[0][0])
