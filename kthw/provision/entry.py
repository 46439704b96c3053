"""A line of the journal: its type, and how a line that somebody else may have written is read."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from ipaddress import IPv4Network
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from kthw.observed.values import Cidr, Identifier, MaybeIdentifier, Name
from kthw.provision.process import is_alive

MOST_BYTES: Final = 64 * 1024
"""Of one line; ours have less than one."""

Event = Literal[
    "create-intended",  # on the disk before the request goes out
    "created",  # AWS said yes: the only proof there is that a route is ours
    "create-unknown",  # the request went out, and no answer came
    "create-refused",  # there is no such route, or not of our making
    "delete-intended",  # on the disk before the request goes out
    "delete-refused",  # the route is still there, and as much ours as before
    "deleted",
    "gone",  # there was no such route any more
    "left",  # somebody has pointed it elsewhere: theirs now
    "replace-intended",  # as with create, of a route that led to ``before``
    "replaced",
    "replace-unknown",
    "replace-refused",
    "restore-intended",  # as with delete: it is to lead to ``before`` again
    "restore-refused",
    "restored",
    "kept",  # what it led to is no more: it stays as we made it
]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Which AWS: an account, a region of it, and the endpoint that answers for it."""

    account: Identifier
    region: Identifier
    endpoint: Name


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line. ``started`` tells process ``pid`` of ``host`` from a later one with the same number.

    ``before``: what a route that was replaced led to.
    Without a ``route_table`` it is about a kernel route of ``instance``, and ``target`` is its next hop.
    Raises ``ValueError`` for a time without a zone, and for a destination that is no network.
    """

    at: Annotated[str, Meta(max_length=40)]
    run: Identifier
    host: Name
    pid: Annotated[int, Meta(ge=1, le=2**31)]
    started: Name
    place: Place
    event: Event
    worker: Name
    destination: Cidr
    instance: MaybeIdentifier
    target: Identifier
    route_table: MaybeIdentifier = ""
    network_interfaces: Annotated[tuple[Identifier, ...], Meta(max_length=100)] = ()
    before: MaybeIdentifier = ""

    def __post_init__(self) -> None:
        if datetime.fromisoformat(self.at).tzinfo is None:
            raise ValueError(f"{self.at} has no time zone")
        IPv4Network(self.destination)
        if not (self.route_table or self.instance):
            raise ValueError("a route of no table and no node")

    @property
    def by_node(self) -> bool:
        """Whether it is about a kernel route of a node, and not about one of the VPC's."""
        return not self.route_table

    @property
    def route(self) -> tuple[Place, str, str]:
        """What identifies the route: a place, a table or a node, a destination."""
        return (self.place, self.route_table or self.instance, self.destination)

    @property
    def is_running(self) -> bool:
        """Whether the run that wrote this still goes on, on this host and in another process."""
        return self.host == socket.gethostname() and is_alive(self.pid, self.started)

    @property
    def age(self) -> float:
        """Seconds since this was written."""
        return (datetime.now(UTC) - datetime.fromisoformat(self.at)).total_seconds()


_DECODER: Final = msgspec.json.Decoder(Entry)


def decoded(line: bytes) -> Entry | None:
    """The entry in ``line``, or ``None`` where it is none that a run of ours can have written."""
    if len(line) > MOST_BYTES:
        return None
    try:
        return _DECODER.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError, OverflowError):
        # Also: text that is no UTF-8 (a ValueError), and nesting without end in a field we do not know.
        return None
