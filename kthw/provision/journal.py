"""What provisioning was about to do and did: one JSON line each, so that it can be taken back.

A line is on the disk before its route is created. A run that is killed at any moment leaves no route
that the journal does not know.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from kthw.errors import CouldNotLook, LookError
from kthw.observed.evidence import ProvisionStep
from kthw.provision.process import is_alive, started

DEFAULT: Final = Path(__file__).resolve().parents[2] / "reports" / "journal.jsonl"

Event = Literal[
    "create-intended",  # on the disk before the request goes out
    "created",
    "create-unknown",  # the request went out, and no answer came
    "create-refused",  # there is no such route, or not of our making
    "deleted",
    "gone",  # somebody else had deleted it
    "left",  # somebody has pointed it elsewhere: theirs now
]
_NOT_OURS: Final = ("create-refused",)
_OVER: Final = ("deleted", "gone", "left")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Which AWS: an account, a region of it, and the endpoint that answers for it."""

    account: str
    region: str
    endpoint: str


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line. ``started`` tells process ``pid`` of ``host`` from a later one with the same number."""

    at: str
    run: str
    host: str
    pid: int
    started: str
    place: Place
    event: Event
    worker: str
    route_table: str
    destination: str
    instance: str
    target: str
    network_interfaces: tuple[str, ...] = ()

    @property
    def route(self) -> tuple[Place, str, str]:
        """What identifies the route: a place, a table, a destination."""
        return (self.place, self.route_table, self.destination)

    @property
    def is_running(self) -> bool:
        """Whether the run that wrote this still goes on, on this host and in another process."""
        return self.host == socket.gethostname() and is_alive(self.pid, self.started)

    @property
    def age(self) -> float:
        """Seconds since this was written."""
        return (datetime.now(UTC) - datetime.fromisoformat(self.at)).total_seconds()


class Journal:
    """The journal in ``path``, and this run's pen. Several runs may write to one file.

    ``run`` is this run's id. Raises ``CouldNotLook`` (``journal-unusable``) where the file cannot be read
    or written; nothing must be created then.
    """

    def __init__(self, path: Path = DEFAULT) -> None:
        self.path = path
        self._started = started(os.getpid())
        self.run = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}-{secrets.token_hex(3)}"

    def record(self, event: Event, step: ProvisionStep, place: Place) -> None:
        """Write one line about ``step``; returns when it is on the disk."""
        self._write(
            Entry(
                at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                run=self.run,
                host=socket.gethostname(),
                pid=os.getpid(),
                started=self._started,
                place=place,
                event=event,
                worker=step.worker,
                route_table=step.route_table,
                destination=step.pod_cidr,
                instance=step.instance,
                target=step.target,
                network_interfaces=step.network_interfaces,
            )
        )

    def open(self) -> list[Entry]:
        """By route, the last entry of the run that made it, for every route that may still be there.

        The entries of all runs and places, oldest route first. A route that two runs say they created,
        one after the other, belongs to the later.
        """
        makers: dict[tuple[Place, str, str], dict[str, Entry]] = {}
        for entry in self._entries():
            of_route = makers.setdefault(entry.route, {})
            if entry.event in _OVER:
                of_route.clear()
            elif entry.event in _NOT_OURS:
                of_route.pop(entry.run, None)
            else:
                of_route[entry.run] = entry
        return [list(of_route.values())[-1] for of_route in makers.values() if of_route]

    def _entries(self) -> Iterator[Entry]:
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return
        except OSError as problem:
            raise self._unusable(problem) from problem
        for line in lines:
            try:
                yield msgspec.json.decode(line, type=Entry)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                # A line cut off by a kill or a full disk: its request never went out.
                continue

    def _write(self, entry: Entry) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(0, end - 1))
                torn = end and file.read(1) != b"\n"
                # One write to a file opened for appending: lines of two runs do not mix.
                file.write((b"\n" if torn else b"") + msgspec.json.encode(entry) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as problem:
            raise self._unusable(problem) from problem

    def _unusable(self, problem: OSError) -> CouldNotLook:
        return CouldNotLook(
            LookError(
                code="journal-unusable",
                subject=str(self.path),
                detail=problem.strerror or str(problem),
                facts={"file": str(self.path)},
            )
        )
