"""The API in a process of its own, for the tests: every state it hands on is left in a file."""

from __future__ import annotations

import pickle
import socket
import sys
from pathlib import Path

from sandbox.api.server import serve
from sandbox.habits import Habits
from sandbox.router import Router
from sandbox.state import State

ROUTES_PER_TABLE = 20
"""Few, so that a test can use them up."""


def main(descriptor: int, directory: Path, *habits: str) -> None:
    """Serve on an inherited socket. ``state`` in ``directory`` is the last state, pickled, and ``calls``
    how many there were; with a file ``broken`` there, reconciling fails with what it says. ``habits``: words
    ``name=value``."""
    calls = 0

    def reconcile(state: State) -> None:
        nonlocal calls
        calls += 1
        _write(directory / "state", pickle.dumps(state))
        _write(directory / "calls", str(calls).encode())
        for index, vpc in enumerate(state.vpcs.values()):
            Router(vpc.id, index, vpc.resolver).plan(state.live)
        if (directory / "broken").exists():
            raise OSError((directory / "broken").read_text())

    told = {name: float(value) for name, _, value in (word.partition("=") for word in habits)}
    with_habits = Habits(**{"routes_per_table": ROUTES_PER_TABLE, **told})  # type: ignore[arg-type]
    serve(socket.socket(fileno=descriptor), reconcile, habits=with_habits)


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.replace(path)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
