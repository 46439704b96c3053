"""A TCP connection, made within a deadline and given up at once when told to stop."""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
import time
from typing import Final

SLICE: Final = 0.2
"""Seconds between two looks at the deadline and the stop signal."""


def connect(host: str, port: int, deadline: float, stop: threading.Event) -> socket.socket:
    """The first of the host's addresses that answers within ``deadline`` seconds, for all together.

    Raises ``OSError`` (of the last address), ``TimeoutError``, ``InterruptedError`` when ``stop`` is set.
    """
    until = time.monotonic() + deadline
    failure: OSError = TimeoutError()
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.setblocking(False)
            number = connection.connect_ex(address)
            if number == errno.EINPROGRESS:
                _await_writable(connection, until, stop)
                number = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not number:
                connection.setblocking(True)
                return connection
            failure = OSError(number, os.strerror(number))
        except TimeoutError as problem:
            failure = problem
        except BaseException:
            connection.close()
            raise
        connection.close()
    raise failure


def readable(connection: socket.socket, seconds: float) -> bool:
    """Whether there is something, or the end, to read within ``seconds``."""
    return _ready(connection, select.POLLIN, seconds)


def explained(problem: OSError, host: str, deadline: float) -> tuple[str, str]:
    """A kind of failure, and what happened in plain notation."""
    if isinstance(problem, socket.gaierror):
        return "unknown-name", f"{host}: {problem.strerror}"
    if problem.errno == errno.ECONNREFUSED:
        return "refused", "connection refused"
    if problem.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return "no-route", (problem.strerror or "").lower()
    if isinstance(problem, TimeoutError):
        return "timeout", f"no answer in {deadline:.0f} s"
    return "", problem.strerror or str(problem)


def _await_writable(connection: socket.socket, until: float, stop: threading.Event) -> None:
    while not _ready(connection, select.POLLOUT, min(SLICE, max(0.0, until - time.monotonic()))):
        if stop.is_set():
            raise InterruptedError
        if time.monotonic() >= until:
            raise TimeoutError


def _ready(connection: socket.socket, event: int, seconds: float) -> bool:
    # Not select(): it knows no descriptor above 1023.
    poll = select.poll()
    poll.register(connection, event)
    return bool(poll.poll(seconds * 1000))
