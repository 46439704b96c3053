"""What provisioning was about to do and did: one JSON line each, so that it can be taken back.

A line is on the disk before its request goes out, and another when AWS has answered. A run that is killed
at any moment leaves no route that the journal does not know.
"""

from __future__ import annotations

import errno
import os
import secrets
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from kthw.errors import CouldNotLook, LookError
from kthw.observed.evidence import ProvisionStep
from kthw.provision.claims import Claim, claims
from kthw.provision.entry import Entry, Event, Place, decoded
from kthw.provision.process import started

DEFAULT: Final = Path(__file__).resolve().parents[2] / "reports" / "journal.jsonl"
MOST_BYTES: Final = 64 * 1024 * 1024
"""Of a journal; a run of a thousand routes writes two."""
_NAMED: Final = 5
"""How many of the lines that cannot be read are named."""
_GUARDED: Final = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""Where a link, a pipe or a device lies in the journal's place, it is neither followed nor waited for."""


class Journal:
    """The journal in ``path``, and this run's pen. Several runs may write to one file.

    ``run`` is this run's id. Raises ``CouldNotLook`` (``journal-unusable``) where the file cannot be read
    or written, or somebody else has put it there; nothing must be created then.
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
                before=step.before,
            )
        )

    def open(self) -> list[Claim]:
        """What may still be there of all that any run made, in every place; lines nobody can read apart."""
        return claims(entry for _, entry in self._lines() if entry)

    def unread(self) -> LookError | None:
        """The lines that cannot be read, as an error (``journal-damaged``), or ``None``.

        Facts: ``file``, and ``lines``, their numbers.
        """
        numbers = [number for number, entry in self._lines() if entry is None]
        if not numbers:
            return None
        some = numbers[:_NAMED]
        more = f" … (+{len(numbers) - _NAMED})" if len(numbers) > _NAMED else ""
        facts = {
            "file": str(self.path),
            "lines": ", ".join(map(str, some)) + more,
        }
        return LookError(code="journal-damaged", subject=str(self.path), facts=facts)

    def _lines(self) -> Iterator[tuple[int, Entry | None]]:
        """The number of each line that says something, and its entry where it can be read."""
        for number, line in enumerate(self._read().split(b"\n"), start=1):
            if line.strip():
                yield number, decoded(line)

    def _read(self) -> bytes:
        with self._usable():
            try:
                found = os.open(self.path, os.O_RDONLY | _GUARDED)
            except FileNotFoundError:
                return b""
            with os.fdopen(found, "rb") as file:
                self._check(os.fstat(found))
                return file.read(MOST_BYTES + 1)

    def _write(self, entry: Entry) -> None:
        with self._usable():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | _GUARDED
            file = os.open(self.path, flags, 0o600)
            try:
                seen = os.fstat(file)
                self._check(seen)
                if seen.st_uid == os.geteuid() and stat.S_IMODE(seen.st_mode) & 0o077:
                    os.fchmod(file, 0o600)
                torn = seen.st_size and os.pread(file, 1, seen.st_size - 1) != b"\n"
                # One write to a file opened for appending: lines of two runs do not mix.
                line = (b"\n" if torn else b"") + msgspec.json.encode(entry) + b"\n"
                if os.write(file, line) < len(line):
                    raise OSError("only a part of a line could be written")
                os.fsync(file)
                if not seen.st_size:
                    self._keep_the_name()
            finally:
                os.close(file)

    def _keep_the_name(self) -> None:
        """A new file's name is on the disk only when its folder is."""
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _check(self, seen: os.stat_result) -> None:
        """Raise ``OSError`` where this is not a file that we, root or the folder's owner wrote."""
        if not stat.S_ISREG(seen.st_mode):
            raise OSError("not a regular file")
        if seen.st_uid not in (os.geteuid(), 0, self.path.parent.stat().st_uid):
            raise OSError(f"it belongs to somebody else (uid {seen.st_uid})")
        if seen.st_size > MOST_BYTES:
            raise OSError(f"{seen.st_size} bytes are too many: a journal has at most {MOST_BYTES}")

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as problem:  # a ValueError: a path with a NUL in it
            told = (problem.strerror if isinstance(problem, OSError) else "") or str(problem)
            if isinstance(problem, OSError) and problem.errno == errno.ELOOP:
                told = "it is a symbolic link, and I follow none"
            raise CouldNotLook(
                LookError(
                    code="journal-unusable",
                    subject=str(self.path),
                    detail=told,
                    facts={"file": str(self.path)},
                )
            ) from problem
