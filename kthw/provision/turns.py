"""One at a time per route table: a second run on this machine waits until the first has taken back its own.

Otherwise the second sees the first's routes, makes none, and is told that pods do not reach each other when
the first takes them away. A lock is a file in a private folder, held by ``flock``: a crash frees it. Runs on
other machines know nothing of it; for them the routes are read again before a failure is believed
(``kthw.observed.gather``).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from kthw.errors import CouldNotLook, LookError
from kthw.observed.values import Name
from kthw.provision.entry import Place

PATIENCE_SECONDS: Final = 120.0
"""How long a turn is waited for: a run that looks at 200 workers takes about a minute."""
_POLL_SECONDS: Final = 0.2


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Whose turn it is: a process of this machine, the table it works on, and since when."""

    pid: Annotated[int, Meta(ge=0, le=2**31)] = 0
    since: Name = "?"


Waiting = Callable[[str, Holder], None]
"""Told once that ``Holder`` is waited for, because of the table ``str``."""


@contextlib.contextmanager
def turn(
    place: Place, tables: Iterable[str], *, waiting: Waiting, patience: float = PATIENCE_SECONDS
) -> Iterator[None]:
    """Have ``tables`` of ``place`` to ourselves, on this machine and under this user, until the end.

    Raises ``CouldNotLook``: ``route-table-busy`` where another run has one of them for longer than
    ``patience`` seconds, ``journal-unusable`` where no lock can be made.
    """
    deadline = time.monotonic() + patience
    with contextlib.ExitStack() as held:
        # In one order for all, so that two runs never wait for each other.
        for table in sorted({table for table in tables if table}):
            held.enter_context(_lock(place, table, deadline, waiting, patience))
        yield


@contextlib.contextmanager
def _lock(place: Place, table: str, deadline: float, waiting: Waiting, patience: float) -> Iterator[None]:
    path = _folder() / _name(place, table)
    with _unusable(path):
        lock = _taken(path)
    said = False
    while lock is None:
        holder = _holder(path)
        if not said:
            waiting(table, holder)
            said = True
        if time.monotonic() > deadline:
            raise CouldNotLook(_busy(table, holder, patience))
        time.sleep(_POLL_SECONDS)
        with _unusable(path):
            lock = _taken(path)
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, msgspec.json.encode(Holder(pid=os.getpid(), since=time.strftime("%H:%M:%S"))), 0)
        yield
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(lock)


def _taken(path: Path) -> int | None:
    """The lock, held; or ``None`` while another holds it."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it before us takes its name away at the end: then it is nobody's lock any more.
            if os.fstat(lock).st_ino == path.stat().st_ino:
                return lock
        except BlockingIOError:
            os.close(lock)
            return None
        except FileNotFoundError:
            pass
        except OSError:
            os.close(lock)
            raise
        os.close(lock)


def _holder(path: Path) -> Holder:
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(1000), type=Holder)
    except (OSError, msgspec.MsgspecError, ValueError):
        return Holder()


def _folder() -> Path:
    """Where locks lie: one folder for all runs of this person, whatever their checkout; made if need be.

    In the home, or where there is none to write in (a container), among the temporary files; in either
    it must be ours alone.
    """
    # Unlike Path.expanduser, this raises nothing where nobody knows the home.
    home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")  # noqa: PTH111 -- see above
    for folder in (Path(home) / "kthw", Path(tempfile.gettempdir()) / f"kthw-{os.geteuid()}"):
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            seen = folder.lstat()
            if stat.S_ISDIR(seen.st_mode) and seen.st_uid == os.geteuid() and os.access(folder, os.W_OK):
                folder.chmod(0o700)
                return folder
    refused = PermissionError(f"{folder} is not mine to write in")
    with _unusable(folder):
        raise refused


def _name(place: Place, table: str) -> str:
    what = "\0".join((place.account, place.region, place.endpoint, table))
    return hashlib.sha256(what.encode(errors="backslashreplace")).hexdigest()[:32] + ".lock"


def _busy(table: str, holder: Holder, patience: float) -> LookError:
    facts = {"table": table, "pid": str(holder.pid), "since": holder.since, "seconds": f"{patience:.0f}"}
    return LookError(code="route-table-busy", subject=table, facts=facts)


@contextlib.contextmanager
def _unusable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        facts = {"file": str(path)}
        error = LookError(
            code="journal-unusable", subject=str(path), detail=problem.strerror or str(problem), facts=facts
        )
        raise CouldNotLook(error) from problem
