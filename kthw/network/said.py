"""Where a worker's pod CIDR is said, which of several sayings rules, and what is only assumed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

from kthw.network import pod_cidr, ranges
from kthw.network.pod_cidr import PodCidr
from kthw.observed.evidence import CniConfig, Instance, Node, Route

Source = Literal["option", "user-data", "tag", "cni", "kubelet", "route"]

ASSUMED: Final = frozenset[Source](("cni", "kubelet", "route"))
"""What merely follows from a pod CIDR, and is no yardstick of itself."""


class Saying(msgspec.Struct, frozen=True, kw_only=True):
    """``cidr`` by ``source``; ``where`` in it: a key, a tag, a file, the id of a route table."""

    source: Source
    cidr: str
    where: str = ""


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


def said(
    *,
    option: str,
    instance: Instance | None,
    node: Node | None,
    config: CniConfig | None,
    routes: Iterable[tuple[str, Route]],
) -> Said | None:
    """For one worker. ``option``: by the person who runs us, or empty. ``config``: the CNI file of its pods.

    ``routes``: those that lead to it, with the id of their table. ``None`` where its user data, which would
    rule, was not read.
    """
    if option:
        stated = [Saying(source="option", cidr=option)]
    elif instance is None or instance.user_data is None:
        return None
    else:
        stated = []
    read, saying = _user_data(instance)
    if saying:
        stated.append(saying)
    if instance:
        stated += [Saying(source="tag", cidr=cidr, where=key) for key, cidr in instance.pod_cidr_tags.items()]
    meant_there = read is not None and read.variant in pod_cidr.MEANT_IN_USER_DATA
    assumed = [] if meant_there and not stated else list(_assumed(node, config, routes))
    each = [*stated, *assumed]
    if not each:
        return Said(read=read or PodCidr(problem="pod-cidr-missing", variant="absent", observed="—"))
    first = each[0]
    return Said(
        read=read if read is not None and first is saying else pod_cidr.valid(first.cidr, first.where),
        saying=first,
        others=tuple(other for other in each[1:] if other.cidr != first.cidr),
    )


def _user_data(instance: Instance | None) -> tuple[PodCidr | None, Saying | None]:
    if instance is None or instance.user_data is None:
        return None, None
    read = pod_cidr.read(instance.user_data)
    if read.problem == "pod-cidr-missing":
        return read, None
    return read, Saying(
        source="user-data",
        cidr=str(read.network or read.observed),
        where=read.statement.key if read.statement else "",
    )


def _assumed(
    node: Node | None, config: CniConfig | None, routes: Iterable[tuple[str, Route]]
) -> Iterator[Saying]:
    if config and pod_cidr.is_network(config.subnet):
        yield Saying(source="cni", cidr=config.subnet, where=config.file)
    if node and pod_cidr.is_network(node.kubelet_pod_cidr):
        yield Saying(source="kubelet", cidr=node.kubelet_pod_cidr)
    by_table = [(table, ranges.network(route.destination)) for table, route in routes if not route.foreign]
    whole = list(ipaddress.collapse_addresses(network for _, network in by_table))
    if len(whole) == 1 and pod_cidr.is_network(str(whole[0])):
        yield Saying(source="route", cidr=str(whole[0]), where=by_table[0][0])
