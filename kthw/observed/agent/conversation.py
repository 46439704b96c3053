"""The conversation on stdin and stdout, and the pod it is about.

What few conversations need is imported where it is needed: a worker compiles what is imported.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

from kthw.observed.agent.asked import MOST_BYTES, checked, read_request
from kthw.observed.agent.cni import Network, UnmadeError, plugin_folders
from kthw.observed.agent.measuring import Measuring
from kthw.observed.agent.node import facts, surroundings
from kthw.observed.agent.pod import Pod
from kthw.observed.agent.sweep import somebody_brought_bridge, sweep
from kthw.observed.agent.system import MOST_NAME, AgentError, alone, has_interface, writable
from kthw.observed.agent.turns import READ, Turns

if TYPE_CHECKING:
    from kthw.observed.agent.counters import Counters
    from kthw.observed.agent.watch import Watch

ENDINGS = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
IDLE = 600.0
"""Seconds without a request after which we go: whoever started us is gone, though no one told us."""


class Agent:
    """The conversation on stdin and stdout, and the pod it is about."""

    def __init__(self, more: dict[str, Any] | None = None) -> None:
        self.shapes = {do: shape for do, (shape, _) in (more or {}).items()}
        self.acts = {do: act for do, (_, act) in (more or {}).items()}
        self.turns = Turns()
        self.turns.register(0, READ, self._on_stdin)
        self.heard = b""
        self.last = time.monotonic()
        self.pod: Pod | None = None
        self.further: list[Pod] = []
        self.watch: Watch | None = None
        self.counters: Counters | None = None

    def converse(self) -> None:
        """Answer requests until the input ends, then take the pod away."""
        self._say({"ready": True, "pid": os.getpid()})
        try:
            while True:
                line = self._next()
                number = None
                try:
                    number, do, fields = read_request(line)
                    answer = self._act(do, checked(do, fields, self.shapes))
                except AgentError as problem:
                    answer = {"error": problem.answer}
                except Exception as problem:  # noqa: BLE001 -- the asker must know, and the pod must go in order
                    code = "cni-failed" if isinstance(problem, OSError) else "node-unreadable"
                    answer = {"error": AgentError(code, f"{type(problem).__name__}: {problem}").answer}
                self._say(dict(answer, id=number))
        finally:
            for each in ENDINGS:
                signal.signal(each, signal.SIG_IGN)
            with contextlib.suppress(Exception):
                self._close_pod()

    def _act(self, what: str, request: dict[str, Any]) -> dict[str, Any]:
        if what == "facts":
            return facts(request)
        if what == "pod":
            return self._try_pod(request)
        if what == "ways":
            pod = self.pod
            about = (pod.address, pod.network.bridge, pod.hardware) if pod else ("", "", "")
            return surroundings(request, about)
        if what == "probe":
            return self._probe(request)
        if what in ("watch", "send", "seen"):
            return self._trace(what, request)
        if what in ("further", "listen", "single"):
            return self._single(what, request)
        if what in self.acts:
            told: dict[str, Any] = self.acts[what](request)
            return told
        self._close_pod()
        return {"ended": True}

    def _try_pod(self, request: dict[str, Any]) -> dict[str, Any]:
        """The pod's address, or why the node's network makes none."""
        self._close_pod()
        plugins = plugin_folders(request["plugins"], request.get("runtime", ""))
        network = None
        try:
            network = Network.of_node(request["configs"], plugins)
            return self._make_pod(network, request, plugins)
        except UnmadeError as problem:
            from kthw.observed.agent.unmade import unmade

            failure = unmade(problem, network)
            return {"address": "", "file": failure["file"], "failure": failure}

    def _make_pod(self, network: Network, request: dict[str, Any], plugins: list[str]) -> dict[str, Any]:
        self.pod = Pod(network, request)
        try:
            with alone(request["configs"]):
                sweep(request["configs"], plugins)
                brings_bridge = not has_interface(network.bridge) or somebody_brought_bridge(
                    request["configs"], plugins, network
                )
                self.pod.open("-bridge" if brings_bridge else "", self.turns)
        except Exception:
            with contextlib.suppress(Exception):
                self._close_pod()
            raise
        made = {"address": self.pod.address, "mtu": self.pod.mtu}
        return dict(made, file=network.network["file"][:MOST_NAME])

    def _probe(self, request: dict[str, Any]) -> dict[str, Any]:
        if not self.pod:
            raise AgentError("cni-failed", "there is no pod to probe from")
        with self.pod.inside():
            return {"probes": Measuring(self.pod, request, self.turns).all()}

    def _single(self, what: str, request: dict[str, Any]) -> dict[str, Any]:
        if not self.pod or not self.pod.answering:
            raise AgentError("cni-failed", "there is no pod to send from")
        if what == "further":
            from kthw.observed.agent.further import make

            return make(self.pod, request["addresses"], self.further, self.turns)
        from kthw.observed.agent.single import answered, listen

        pods = {"": self.pod, **{each.address: each for each in self.further}}
        if what == "single":
            return answered(pods, request, self.turns)
        listen(pods, request["ports"])
        return {}

    def _trace(self, what: str, request: dict[str, Any]) -> dict[str, Any]:
        if not self.pod:
            raise AgentError("cni-failed", "there is no pod to trace from")
        if what == "watch":
            from kthw.observed.agent.counters import Counters
            from kthw.observed.agent.watch import Watch

            self._stop_watching()
            self.counters = Counters()
            self.watch = Watch(self.pod, request, self.turns)
        elif what == "send" and self.watch:
            for again in range(request["times"]):
                self._wait(request["pause"] if again else 0.0)
                self.watch.send(request["pairs"])
        elif what == "seen":
            self._wait(request["seconds"])
            seen, counters, self.counters = self._stop_watching(), self.counters, None
            return {"seen": seen, **(counters.told() if counters else {})}
        return {}

    def _stop_watching(self) -> list[list[Any]]:
        watch, self.watch = self.watch, None
        return watch.close() if watch else []

    def _close_pod(self) -> None:
        if not self.pod:
            return
        self._stop_watching()
        # A signal half-way would leave the other half behind: it waits.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
        try:
            with alone(self.pod.configs), contextlib.ExitStack() as last_first:
                for each in (self.pod, *self.further):
                    last_first.callback(each.close)
        finally:
            self.pod, self.further = None, []
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)

    def _next(self) -> bytes:
        while b"\n" not in self.heard:
            self.turns.turn(IDLE)
            if len(self.heard) > MOST_BYTES:
                sys.exit(0)
            if time.monotonic() - self.last > IDLE:
                sys.exit(0)
        line, self.heard = self.heard.split(b"\n", 1)
        return line

    def _wait(self, seconds: float) -> None:
        """Go on with whose turn it is for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.turns.turn(max(0.0, until - time.monotonic()))

    def _on_stdin(self) -> None:
        data = os.read(0, 1 << 16)
        if not data:
            sys.exit(0)
        self.heard += data
        self.last = time.monotonic()

    def _say(self, document: dict[str, Any]) -> None:
        try:  # many rows, and hardly ever a text that has to be looked at
            line = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        except UnicodeEncodeError:
            line = json.dumps(writable(document), separators=(",", ":")).encode()
        left = memoryview(line + b"\n")
        while left:
            left = left[os.write(1, left) :]


def leave(*_: object) -> NoReturn:
    """A signal: go the same way as at the end of the input."""
    sys.exit(0)


def main(more: dict[str, Any] | None = None) -> None:
    """Converse; a signal ends it as the end of the input does.

    ``more``: by what is to be done, the shape of a request and what does it, of a session that may write.
    """
    for each in ENDINGS:
        signal.signal(each, leave)
    with contextlib.suppress(BrokenPipeError):
        Agent(more).converse()
