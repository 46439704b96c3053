"""The leader: first process of a sandbox's namespaces. ``python -m sandbox.leader``.

Everything in the sandbox is its child or hangs in a namespace that dies with it, so its end is the
end of the sandbox; and it ends when its owner does, whose end of a pipe it watches.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from kthw.words.messages import catalogue, language_of
from sandbox import folder, namespaces, status
from sandbox.access import DIAL_SOCKET, Access
from sandbox.habits import Habits
from sandbox.state import Reached, State, nobody_looks

_PRIVATE: Final = Path("/run")
_DISKS: Final = _PRIVATE / "sandbox"
_WRITING: Final = threading.Lock()
"""Held by whoever writes into the sandbox's folder, and by whoever takes it away."""


def main() -> None:
    """Serve until the owner is gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--listener", type=int, required=True, help="a listening socket, inherited")
    parser.add_argument("--owner", type=int, required=True, help="a pipe whose other end the owner holds")
    parser.add_argument("--ready", type=int, required=True, help="a pipe to say 'ready' on")
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--habits", required=True, help="sandbox.habits.Habits, as JSON")
    parser.add_argument("--packets", choices=("root", "user", "none"), required=True)
    options = parser.parse_args()

    # Whoever starts us may have any umask; what is secret is given its own mode where it is written.
    os.umask(0o022)
    threading.Thread(target=_end_with, args=(options.owner, options.directory), daemon=True).start()
    # moto takes most of the start: import it while the namespaces are prepared.
    loading = threading.Thread(target=_load_api)
    loading.start()
    obey: Callable[[State], None] = _nothing
    reached: Reached = nobody_looks
    if options.packets != "none":
        obey, reached = _data_plane(options.directory, as_root=options.packets == "root")

    def reconcile(state: State) -> None:
        obey(state)
        with _WRITING:
            status.record(options.directory, state)

    loading.join()
    from sandbox.api.server import serve

    os.write(options.ready, b"ready")
    os.close(options.ready)
    habits = Habits(**json.loads(options.habits))
    serve(socket.socket(fileno=options.listener), reconcile, habits=habits, reached=reached)


def _load_api() -> None:
    # moto's import makes a million objects that stay: a third of it is the collector looking at them.
    gc.disable()
    from sandbox.api.server import load

    load()

    gc.freeze()
    gc.enable()


def _nothing(state: State) -> None:
    """Where no packets flow there is nothing to reconcile."""


def _data_plane(directory: Path, *, as_root: bool) -> tuple[Callable[[State], None], Reached]:
    from sandbox.fabric import Fabric
    from sandbox.internet import Dialler
    from sandbox.node import label, prepare

    _make_private(directory)
    namespaces.NAMED.mkdir()
    namespaces.ip("", ["link set lo up"])
    words = catalogue(language_of(os.environ))
    grounds = prepare(_DISKS, directory, words, as_root=as_root)
    fabric = Fabric(grounds)
    access = Access(directory, words.say("sandbox-nobody-there"))

    def reconcile(state: State) -> None:
        fabric.reconcile(state)
        for instance in state.instances.values():
            label(grounds, instance)
        with _WRITING:
            access.write(state, fabric.host_keys())

    with _WRITING:
        threading.Thread(target=Dialler(directory / DIAL_SOCKET).serve, daemon=True).start()
        access.write(State(), {})
    return reconcile, fabric.reached


def _make_private(directory: Path) -> None:
    """A /run of the sandbox's own; its folder stays where it is, which may be below the host's."""
    with contextlib.ExitStack() as closing:
        held = os.open(directory, os.O_PATH | os.O_DIRECTORY)
        closing.callback(os.close, held)
        namespaces.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(_PRIVATE)])
        if directory.is_relative_to(_PRIVATE):
            directory.mkdir(parents=True)
            # As it stands: made canonical, it would be the new folder itself.
            bind = ["mount", "--no-canonicalize", "--bind"]
            namespaces.run([*bind, f"/proc/{os.getpid()}/fd/{held}", str(directory)])


def _end_with(owner: int, directory: Path) -> None:
    """Wait for the owner's end; then leave nothing, and end this process at once and for all."""
    try:
        while os.read(owner, 1):
            pass
    finally:
        with _WRITING:  # and never let go: a file written after this one look would stay
            folder.throw_away(directory)
            os._exit(0)


if __name__ == "__main__":
    main()
