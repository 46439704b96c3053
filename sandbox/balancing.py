"""Load balancers: a namespace with an address each, where connections are accepted and passed on.

As a network load balancer does with targets that are addresses: whoever is connected to sees the load
balancer's private address. A target that does not answer health checks gets no connections while another
one does.
"""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import threading
import time
from collections.abc import Iterable
from functools import partial
from typing import Final

from sandbox import namespaces
from sandbox.state import LoadBalancer, State

PREFIX: Final = "elb-"
"""Of the names of their namespaces."""
_INTERVAL: Final = 1.0
"""Seconds between health checks: AWS's are 10 to 30 apart, and it takes two to believe one."""
_PATIENCE: Final = 2.0
_TURN: Final = itertools.count()

Target = tuple[str, int]


class Balancers:
    """All that are there. ``know`` and ``leave`` are called by one thread at a time."""

    def __init__(self) -> None:
        self._listening: dict[tuple[str, int], socket.socket] = {}
        """By namespace and port."""
        self._targets: dict[tuple[str, int], tuple[Target, ...]] = {}
        self._arns: dict[str, str] = {}
        """Load balancer by namespace."""
        self._answered: dict[tuple[str, Target], bool] = {}
        """Whether a target did, the last time, asked from a namespace."""
        self._watching = False

    def know(self, state: State) -> None:
        """Listen and pass on as ``state`` says, in namespaces that are there and wired."""
        there = state.load_balancers.values()
        wanted = {(each.eni.instance, port): to for each in there for port, to in each.forwards}
        self._arns = {each.eni.instance: each.arn for each in there}
        self._close(self._listening.keys() - wanted.keys())
        self._targets = wanted
        asked = {(name, target) for (name, _), targets in wanted.items() for target in targets}
        self._answered = {key: told for key, told in self._answered.items() if key in asked}
        for balancer in there:
            self._listen(balancer)
        if wanted and not self._watching:
            self._watching = True
            threading.Thread(target=self._watch, daemon=True).start()

    def leave(self, names: Iterable[str]) -> None:
        """Nothing of ours is open in these namespaces any more: they live as long as a socket does."""
        gone = set(names)
        self._close([key for key in self._listening if key[0] in gone])

    def reached(self, arn: str, address: str, port: int) -> bool | None:
        told = [self._answered.get((name, (address, port))) for name, its in self._arns.items() if its == arn]
        known = [each for each in told if each is not None]
        return any(known) if known else None

    def _listen(self, balancer: LoadBalancer) -> None:
        name = balancer.eni.instance
        for port, _ in balancer.forwards:
            if (name, port) not in self._listening:
                where = (balancer.eni.addresses[0], port)
                listener = namespaces.inside(name, partial(socket.create_server, where, backlog=128))
                self._listening[name, port] = listener
                threading.Thread(target=self._accept, args=(name, port, listener), daemon=True).start()

    def _close(self, keys: Iterable[tuple[str, int]]) -> None:
        for key in list(keys):
            listener = self._listening.pop(key)
            # Whoever waits in accept() is woken by this, and by close() is not.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, name: str, port: int, listener: socket.socket) -> None:
        while self._listening.get((name, port)) is listener:
            try:
                client, _ = listener.accept()
            except OSError:
                continue
            threading.Thread(target=self._pass_on, args=(name, port, client), daemon=True).start()

    def _pass_on(self, name: str, port: int, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            targets = self._targets.get((name, port), ())
            # Where none answers, any may be tried (Network Load Balancer User Guide, *Target health*).
            able = [target for target in targets if self._answered.get((name, target))] or list(targets)
            if able:
                turn = next(_TURN)
                with namespaces.inside(name, partial(_connect, able[turn % len(able)])) as target:
                    _copy(client, target)

    def _watch(self) -> None:
        """Check the health of every target, for ever."""
        while True:
            began = time.monotonic()
            asked = {(name, target) for (name, _), to in self._targets.items() for target in to}
            asking = [threading.Thread(target=self._ask, args=each, daemon=True) for each in asked]
            for each in asking:
                each.start()
            for each in asking:
                each.join()
            time.sleep(max(0.0, began + _INTERVAL - time.monotonic()))

    def _ask(self, name: str, target: Target) -> None:
        try:
            namespaces.inside(name, partial(_connect, target)).close()
            answered = True
        except OSError:
            answered = False
        if any(target in to for (where, _), to in self._targets.items() if where == name):
            self._answered[name, target] = answered


def _connect(target: Target) -> socket.socket:
    return socket.create_connection(target, _PATIENCE)


def _copy(one: socket.socket, other: socket.socket) -> None:
    """Both ways, until both have ended."""
    ends = {one: other, other: one}
    for end in ends:
        end.settimeout(None)
    reading = [one, other]
    while reading:
        for ready in select.select(reading, [], [])[0]:
            data = ready.recv(65536)
            if data:
                ends[ready].sendall(data)
            else:
                reading.remove(ready)
                with contextlib.suppress(OSError):
                    ends[ready].shutdown(socket.SHUT_WR)
