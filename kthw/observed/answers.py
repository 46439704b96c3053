"""What a worker's agent answers, decoded: one struct per kind of answer, and what it must be about.

A worker is not trusted. Nothing that it says is compared, shown, put into a command or sent to another
worker before it is one of these. What does not fit is ``UnfitError``, which tells the field.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Sequence
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from kthw.foreign import printable
from kthw.observed.evidence import (
    Chain,
    CniConfig,
    Keeper,
    KernelRoute,
    Link,
    Moved,
    Neighbour,
    PodFailure,
    PolicyRule,
    Probe,
    Program,
    UnfitProgram,
    Way,
)
from kthw.observed.values import Address, Interface, MaybeAddress, Milliseconds, Name, Small, Text

MOST_PARTS: Final = 256
"""Ways to parts of pod CIDRs, beyond the one for each worker."""
MOST_ROUTES: Final = 2500
"""Kernel routes of a node: one for each worker there may be, and others."""
MOST_KEPT: Final = 8
"""Files that keep one route."""

T = TypeVar("T")

Key = tuple[str, str, str, str, int]
"""What a probe is about: kind, destination, its address, protocol, size."""


class UnfitError(ValueError):
    """An answer is not what it should be; the text says where, printable and short."""


class _Answer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: int


class _Circumstances(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an error's message may be filled with: no more, since messages hold commands to paste."""

    variant: Literal["", "refused"] = ""
    file: Name = ""
    plugin: Name = ""
    tool: Literal["", "ip", "nft", "iptables-nft-save", "iptables-legacy-save", "iptables-save"] = ""


class Problem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An error that the agent itself reports."""

    code: Literal["cni-failed", "node-unreadable", "answer-unreadable"]
    detail: Text
    facts: _Circumstances

    @property
    def variant(self) -> str:
        return self.facts.variant

    @property
    def circumstances(self) -> dict[str, str]:
        told = msgspec.structs.asdict(self.facts).items()
        return {name: fact for name, fact in told if fact and name != "variant"}


class _Envelope(Struct, frozen=True, kw_only=True):
    """What every answer has: the number of the question, or the refusal of one that could not be read."""

    id: int | None
    error: Problem | None = None


class Ready(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The agent's first word."""

    ready: bool
    pid: int


_Problems = Annotated[tuple[Problem, ...], Meta(max_length=8)]


class Facts(_Answer, frozen=True, kw_only=True, forbid_unknown_fields=True):
    hostname: Name
    addresses: Annotated[tuple[Address, ...], Meta(max_length=500)]
    ip_forward: bool | None
    cni: Annotated[tuple[CniConfig, ...], Meta(max_length=500)]
    cni_path: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=8)]
    cni_plugins: Annotated[tuple[Name, ...], Meta(max_length=500)] | None
    cni_elsewhere: Annotated[tuple[Name, ...], Meta(max_length=500)]
    cni_unfit: Annotated[tuple[UnfitProgram, ...], Meta(max_length=500)] = ()
    cni_agents: Annotated[tuple[Name, ...], Meta(max_length=16)] | None = None
    kubelet_pod_cidr: Name
    imds: Literal["v1", "v2", "none"]
    failed: _Problems


class PodMade(_Answer, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The pod's address, or why there is none."""

    address: MaybeAddress
    file: Name
    mtu: Annotated[int, Meta(ge=0, le=65535)] = 0
    failure: PodFailure | None = None


class Surroundings(_Answer, frozen=True, kw_only=True, forbid_unknown_fields=True):
    links: Annotated[tuple[Link, ...], Meta(max_length=64)]
    rp_filter: Small | None
    bridge_netfilter: Literal["on", "off", "none", ""] = ""
    ways: tuple[Way, ...]
    routes: Annotated[tuple[KernelRoute, ...], Meta(max_length=MOST_ROUTES)] | None = None
    rules: Annotated[tuple[PolicyRule, ...], Meta(max_length=64)] | None = None
    lookups: Annotated[tuple[PolicyRule, ...], Meta(max_length=64)] | None = None
    beyond: tuple[Way, ...] = ()
    neighbours: Annotated[tuple[Neighbour, ...], Meta(max_length=4)] = ()
    keeper: Keeper | None = None
    firewall: Annotated[tuple[Chain, ...], Meta(max_length=2000)] | None
    lacking: Annotated[tuple[Literal["ip", "nft", "iptables-save"], ...], Meta(max_length=3)]
    failed: _Problems


class _Row(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One probe; the fields are those of ``Probe``."""

    kind: Literal["pod", "node", "internet"]
    destination: Name
    destination_address: Address
    protocol: Literal["icmp", "tcp", "udp"]
    size: Small
    reached: bool
    detail: Name
    milliseconds: Milliseconds
    limit: Small
    sent: Small
    lost: Small


class Probed(_Answer, frozen=True, kw_only=True, forbid_unknown_fields=True):
    probes: tuple[_Row, ...]


Sighting = tuple[Annotated[int, Meta(ge=0, lt=2000)], Literal["request", "reply"], Interface, bool]
"""(pair's number, ``request`` or ``reply``, interface, whether inside the pod)."""


class Seen(_Answer, frozen=True, kw_only=True, forbid_unknown_fields=True):
    seen: Annotated[tuple[Sighting, ...], Meta(max_length=20_000)]
    moved: Annotated[tuple[Moved, ...], Meta(max_length=32)] = ()
    programs: Annotated[tuple[Program, ...], Meta(max_length=16)] = ()


class Singles(_Answer, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The numbers of single packets that were answered, and of those that could not be sent."""

    answered: Annotated[tuple[int, ...], Meta(max_length=64)]
    unsent: Annotated[tuple[int, ...], Meta(max_length=64)]


class Further(_Answer, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The addresses that further pods now have, and those that are somebody's."""

    made: Annotated[tuple[Address, ...], Meta(max_length=8)]
    taken: Annotated[tuple[Address, ...], Meta(max_length=8)]


class RouteThere(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kernel route of a node; ``ours``: it bears our mark."""

    via: Name
    ours: bool
    text: Text


class RouteTold(_Answer, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came of a request to add or delete a kernel route, and those for its destination afterwards."""

    done: bool
    detail: Text
    routes: Annotated[tuple[RouteThere, ...], Meta(max_length=16)]


class Done(_Answer, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of what has nothing to tell."""

    ended: bool = True


_KINDS: Final = (
    _Envelope,
    Ready,
    Facts,
    PodMade,
    Surroundings,
    Probed,
    Seen,
    Further,
    Singles,
    RouteTold,
    Done,
    dict[str, Any],
)
_DECODERS: Final[dict[Any, msgspec.json.Decoder[Any]]] = {kind: msgspec.json.Decoder(kind) for kind in _KINDS}
"""Made before there are threads: when several are the first to decode a struct, msgspec 0.22 crashes."""


def decoded(line: bytes, kind: type[T], asked: Container[int]) -> tuple[int, Problem | T]:
    """Which of the questions ``asked`` the ``line`` answers, and the answer. Raises ``UnfitError``."""
    try:
        head: _Envelope = _DECODERS[_Envelope].decode(line)
        if head.error:
            return -1 if head.id is None else _known(head.id, asked), head.error
        answer: T = _DECODERS[kind].decode(line)
        return _known(head.id, asked), answer
    except UnfitError:
        raise
    except (ValueError, RecursionError) as problem:
        raise UnfitError(printable(str(problem))) from problem


def is_ready(line: bytes) -> bool:
    """Whether it is the agent's first word; anything else is somebody else's."""
    if b'"ready"' not in line:
        return False
    try:
        first: Ready = _DECODERS[Ready].decode(line)
        return first.ready
    except (ValueError, RecursionError):
        return False


def _known(number: int | None, asked: Container[int]) -> int:
    if number is None or number not in asked:
        raise UnfitError(f"an answer to a question that was not asked: {number}")
    return number


def probes(worker: str, pod: str, answer: Probed, asked: Sequence[Key]) -> tuple[Probe, ...]:
    """The measurements, in the order of ``asked``; ``pod`` is the sending pod's address.

    What is not answered is not measured, and missing. Raises ``UnfitError`` for what nobody asked for, and
    for what is told twice.
    """
    wanted = set(asked)
    found: dict[Key, Probe] = {}
    for row in answer.probes:
        key = (row.kind, row.destination, row.destination_address, row.protocol, row.size)
        if key not in wanted or key in found:
            about = " ".join(map(str, key))
            raise UnfitError(printable(f"probes: {about}: nobody asked for that, or not twice"))
        try:
            found[key] = Probe(source=worker, source_address=pod, **msgspec.structs.asdict(row))
        except ValueError as problem:
            raise UnfitError(printable(f"probes: {' '.join(map(str, key))}: {problem}")) from problem
    return tuple(found[key] for key in asked if key in found)


def sightings(answer: Seen, pairs: int) -> tuple[Sighting, ...]:
    """What was seen of so many pairs. Raises ``UnfitError``."""
    if any(number >= pairs for number, *_ in answer.seen):
        raise UnfitError("seen: a pair that was not watched")
    return answer.seen


def further(answer: Further, asked: Collection[str]) -> tuple[set[str], set[str]]:
    """The addresses that further pods have, and those that are somebody's. Raises ``UnfitError``."""
    made, taken = set(answer.made), set(answer.taken)
    if made & taken or not made | taken <= set(asked):
        raise UnfitError("further: an address that nobody asked for, or not so")
    return made, taken


def singles(answer: Singles, asked: Collection[int]) -> dict[int, bool]:
    """Whether each was answered, of those that were sent; the others are left out. Raises ``UnfitError``."""
    if not all(number in asked for number in (*answer.answered, *answer.unsent)):
        raise UnfitError("single: a packet that nobody asked for")
    return {number: number in answer.answered for number in asked if number not in answer.unsent}
