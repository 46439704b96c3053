"""A TCP connection, made within a deadline and given up at once when told to stop."""

from __future__ import annotations

import errno
import os
import queue
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar, cast

_T = TypeVar("_T")
_Found = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]

SLICE: Final = 0.2
"""Seconds between two looks at the deadline and the stop signal."""


class NotAllowedError(Exception):
    """The host is at an address that must not be dialled, which is in the message."""


def connect(
    host: str,
    port: int,
    deadline: float,
    stop: threading.Event,
    allowed: Callable[[str], bool] = lambda _address: True,
) -> socket.socket:
    """The first of the host's addresses that answers within ``deadline`` seconds, for all together.

    ``allowed`` is asked about each address before it is dialled. Raises ``OSError`` (of the last address),
    ``TimeoutError``, ``InterruptedError`` when ``stop`` is set, ``NotAllowedError``.
    """
    until = time.monotonic() + deadline
    failure: OSError = TimeoutError()
    for family, kind, protocol, _, address in _addresses(host, port, until, stop):
        if not allowed(str(address[0])):
            raise NotAllowedError(str(address[0]))
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


def within(seconds: float, stop: threading.Event, act: Callable[[], _T]) -> _T:
    """What ``act`` returns, or raises, if it does so in time; it is left alone with its work if it does not.

    Raises ``TimeoutError``, ``InterruptedError`` when ``stop`` is set.
    """
    outcome: queue.SimpleQueue[tuple[_T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put((act(), None))
        except BaseException as problem:  # noqa: BLE001 -- raised again by the one that waits
            outcome.put((None, problem))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    until = time.monotonic() + seconds
    while True:
        try:
            result, problem = outcome.get(timeout=max(0.0, min(SLICE, until - time.monotonic())))
        except queue.Empty:
            if stop.is_set():
                raise InterruptedError from None
            if time.monotonic() >= until:
                raise TimeoutError from None
            continue
        thread.join()
        if problem:
            raise problem
        return cast(_T, result)


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


def _addresses(host: str, port: int, until: float, stop: threading.Event) -> Sequence[_Found]:
    """What ``getaddrinfo`` says, which has no deadline of its own and cannot be interrupted."""

    def ask(flags: int) -> Sequence[_Found]:
        try:
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
        except UnicodeError:  # a part of the name is empty, or longer than 63 characters
            raise socket.gaierror(socket.EAI_NONAME, "no name that can be looked up") from None

    try:
        return ask(socket.AI_NUMERICHOST)
    except socket.gaierror:
        seconds = max(0.0, until - time.monotonic())
    try:
        return within(seconds, stop, lambda: ask(0))
    except TimeoutError:
        raise socket.gaierror(socket.EAI_AGAIN, f"no name server answered in {seconds:.0f} s") from None


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
