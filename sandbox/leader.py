"""The leader: first process of a sandbox's namespaces. ``python -m sandbox.leader``.

Everything in the sandbox is its child or hangs in a namespace that dies with it, so its end is the
end of the sandbox; and it ends when its owner does, whose end of a pipe it watches.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sandbox import namespaces
from sandbox.access import DIAL_SOCKET, Access
from sandbox.state import State

_PRIVATE: Final = Path("/run")
_DISKS: Final = _PRIVATE / "sandbox"


def main() -> None:
    """Serve until the owner is gone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--listener", type=int, required=True, help="a listening socket, inherited")
    parser.add_argument("--owner", type=int, required=True, help="a pipe whose other end the owner holds")
    parser.add_argument("--ready", type=int, required=True, help="a pipe to say 'ready' on")
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--packets", choices=("root", "user", "none"), required=True)
    options = parser.parse_args()

    threading.Thread(target=_end_with, args=(options.owner, options.directory), daemon=True).start()
    # moto takes most of the start: import it while the namespaces are prepared.
    loading = threading.Thread(target=_load_api)
    loading.start()
    reconcile: Callable[[State], None] = _nothing
    if options.packets != "none":
        reconcile = _data_plane(options.directory, as_root=options.packets == "root")
    loading.join()
    from sandbox.api.server import serve

    os.write(options.ready, b"ready")
    os.close(options.ready)
    serve(socket.socket(fileno=options.listener), reconcile)


def _load_api() -> None:
    # moto's import makes a million objects that stay: a third of it is the collector looking at them.
    gc.disable()
    from sandbox.api.server import load

    load()

    gc.freeze()
    gc.enable()


def _nothing(state: State) -> None:
    """Where no packets flow there is nothing to reconcile."""


def _data_plane(directory: Path, *, as_root: bool) -> Callable[[State], None]:
    from sandbox.fabric import Fabric
    from sandbox.internet import Dialler
    from sandbox.node import prepare

    namespaces.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(_PRIVATE)])
    namespaces.NAMED.mkdir()
    namespaces.ip("", ["link set lo up"])
    fabric = Fabric(prepare(_DISKS, as_root=as_root))
    access = Access(directory)
    threading.Thread(target=Dialler(directory / DIAL_SOCKET).serve, daemon=True).start()

    def reconcile(state: State) -> None:
        fabric.reconcile(state)
        access.write(state, fabric.host_keys())

    access.write(State(), {})
    return reconcile


def _end_with(owner: int, directory: Path) -> None:
    """Wait for the owner's end; then leave nothing, and end this process at once and for all."""
    try:
        while os.read(owner, 1):
            pass
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os._exit(0)


if __name__ == "__main__":
    main()
