"""Serving: EC2 and STS on one listening socket, one request at a time."""

from __future__ import annotations

import socket
from collections.abc import Callable

from sandbox.habits import AT_ONCE, Habits
from sandbox.state import Reached, State, nobody_looks


def serve(
    listener: socket.socket,
    reconcile: Callable[[State], None],
    region: str = "us-east-1",
    *,
    habits: Habits = AT_ONCE,
    reached: Reached = nobody_looks,
) -> None:
    """Answer API calls on ``listener``, a socket that listens already, until the process ends.

    After each call that may have changed something, in whatever region, and before its answer goes out,
    ``reconcile`` is given the state of all; and so it is when something happens of itself (``habits``).
    Requests are taken one at a time, so it is never called twice at once; what it raises becomes an
    ``InternalError`` answer and one line on stderr. A call that was refused, or that only reads, does not
    reach it. ``region`` is the one that is likely asked first. ``reached`` says how the targets of load
    balancers are.
    """
    load()
    from sandbox.api import connection, endpoint

    application = endpoint.Endpoint(reconcile, reached, region, habits)
    application.warm_up()
    connection.server_on(listener, application).serve_forever()


def load() -> None:
    """Import what ``serve`` needs, ahead of it: moto takes about a second, wherever it is imported.

    So nothing here imports it at the top, and its data files are read once instead of several times.
    """
    from sandbox.api import data_files

    data_files.read_once()
    import sandbox.api.connection
    import sandbox.api.endpoint  # noqa: F401 -- for whoever imports it next
