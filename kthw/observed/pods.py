"""The nodes and their pods: one SSH session per worker, a probe pod on each, packets between all."""

from __future__ import annotations

import contextlib
import functools
import secrets
import threading
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from kthw.errors import CouldNotLook, LookError
from kthw.intended import tutorial
from kthw.intended.cluster import Intended
from kthw.observed import answers, tracing
from kthw.observed.evidence import PROBE_PORT, Instance, Inventory, Node, Probe, Trace
from kthw.observed.login import open_session
from kthw.observed.namesakes import candidates, unambiguous
from kthw.observed.session import Session
from kthw.target import Target, endpoint_of

Progress = Callable[[str, int, int], None]
"""``(phase, done, of)``; phases: ``ssh``, ``pods``, ``probes``."""

FACTS_DEADLINE: Final = 15.0
WAYS_DEADLINE: Final = 20.0
TRACE_DEADLINE: Final = 5.0
POD_DEADLINE: Final = 45.0
END_DEADLINE: Final = 20.0
PROBE_DEADLINE: Final = 3.0
"""Seconds a probe keeps trying, in a small cluster."""
_PAIRS_PER_SECOND: Final = 3000
"""What a sandbox on two cores carries; a probe waits for its turn accordingly."""
_SLACK: Final = 20.0
"""Seconds for the last of many answers to come through, beyond the probes' own deadline."""

_T = TypeVar("_T")


class Seen(Struct, frozen=True, kw_only=True):
    """``nodes`` by worker name, those that could be logged in to; ``errors`` name the worker they concern."""

    nodes: dict[str, Node] = {}
    probes: tuple[Probe, ...] = ()
    traces: tuple[Trace, ...] = ()
    errors: tuple[LookError, ...] = ()
    ssh_sessions: int = 0


def _silent(_phase: str, _done: int, _of: int) -> None:
    pass


def look_into_nodes(
    target: Target, inventory: Inventory, intended: Intended, *, progress: Progress = _silent
) -> Seen:
    """Log in to every worker that has one running instance, make a pod on each, and send packets.

    All workers at once, and each step for all before the next: facts, pods, what is around them, probes,
    those that failed once more and watched, and the end. A worker that fails is an error of its own and
    holds up nobody beyond its deadlines; the others' mesh is measured. Nothing is raised. However this
    ends, every session is closed, and a pod goes with its session.
    """
    look = _Look(target, inventory, intended, progress)
    try:
        return look.all()
    finally:
        look.close()


def probe_deadline(pods: int) -> float:
    """Seconds each probe keeps trying in a mesh of so many pods."""
    return PROBE_DEADLINE + pods * pods / _PAIRS_PER_SECOND


class _Look:
    def __init__(self, target: Target, inventory: Inventory, intended: Intended, progress: Progress) -> None:
        self._target = target
        self._intended = intended
        self._progress = progress
        self._run = secrets.token_hex(8)
        self._stop = threading.Event()
        self._workers = _one_running(inventory, intended)
        self._sessions: dict[str, Session] = {}
        self._opened: list[Session] = []
        self._failures: list[BaseException] = []
        self._nodes: dict[str, Node] = {}
        self._pods: dict[str, str] = {}
        self._probes: dict[str, tuple[Probe, ...]] = {}
        self._errors: dict[str, LookError] = {}
        self._threads: list[threading.Thread] = []

    def all(self) -> Seen:
        for worker, session in self._each("ssh", self._workers, self._log_in).items():
            self._sessions[worker] = session
        self._pods = self._each("pods", self._sessions, self._make_pod)
        self._each("", self._sessions, self._look_around)
        self._probes = self._each("probes", self._pods, self._probe)
        traces = self._trace()
        self._each("", self._pods, self._end)
        order = self._intended.workers
        return Seen(
            nodes={
                worker: msgspec.structs.replace(self._nodes[worker], pod=self._pods.get(worker, ""))
                for worker in order
                if worker in self._nodes
            },
            probes=tuple(probe for worker in order for probe in self._probes.get(worker, ())),
            traces=traces,
            errors=tuple(self._errors[worker] for worker in order if worker in self._errors),
            ssh_sessions=len(self._opened),
        )

    def close(self) -> None:
        """Stop whatever still runs and hang up everywhere."""
        self._stop.set()
        for thread in self._threads:
            thread.join(5.0)
        closers = [threading.Thread(target=session.close, daemon=True) for session in tuple(self._opened)]
        for closer in closers:
            closer.start()
        for closer in closers:
            closer.join(5.0)

    def _each(self, phase: str, workers: Iterable[str], act: Callable[[str], _T]) -> dict[str, _T]:
        """``act`` for all workers at once; the results of those that did not fail."""
        names = list(workers)
        done: dict[str, _T] = {}
        news = threading.Condition()
        finished = 0

        def one(worker: str) -> None:
            nonlocal finished
            try:
                result = act(worker)
            except CouldNotLook as problem:
                with news:
                    self._errors.setdefault(worker, problem.error)
            except BaseException as failure:  # noqa: BLE001 -- a mistake of ours, raised by the thread that waits
                self._failures.append(failure)
            else:
                with news:
                    done[worker] = result
            finally:
                with news:
                    finished += 1
                    news.notify()

        self._threads = [threading.Thread(target=one, args=[name], daemon=True) for name in names]
        if phase:
            self._progress(phase, 0, len(names))
        for thread in self._threads:
            thread.start()
        told = 0
        while told < len(names):
            with news:
                while finished == told:
                    news.wait()
                told = finished
            if phase:
                self._progress(phase, told, len(names))
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]
        return done

    def _log_in(self, worker: str) -> Session:
        instance = self._workers[worker]
        address = instance.public_address or instance.address
        subject = f"{worker} ({instance.id}, {address})"
        endpoint = endpoint_of(self._target)
        session = open_session(
            self._target.ssh, worker, address, subject=subject, endpoint=endpoint, stop=self._stop
        )
        self._opened.append(session)
        try:
            answer = session.request("facts", deadline=FACTS_DEADLINE, **_PLACES)
            self._nodes[worker] = answers.node(worker, session.facts["login"], answer)
        except BaseException:
            session.close()
            raise
        return session

    def _make_pod(self, worker: str) -> str:
        answer = self._sessions[worker].request(
            "pod", deadline=POD_DEADLINE, worker=worker, run=self._run, port=PROBE_PORT, **_PLACES
        )
        return str(answer["address"])

    def _probe(self, worker: str) -> tuple[Probe, ...]:
        seconds = probe_deadline(len(self._pods))
        peers = [
            {"worker": peer, "address": address, "port": PROBE_PORT}
            for peer, address in self._pods.items()
            if peer != worker
        ]
        answer = self._sessions[worker].request(
            "probe",
            # Twice: a probe's own time begins when its turn comes.
            deadline=2 * seconds + _SLACK,
            peers=peers,
            node=self._workers[worker].address,
            internet=[tutorial.INTERNET_HOST, tutorial.INTERNET_PORT],
            seconds=seconds,
        )
        return tuple(answers.probe(worker, self._pods[worker], told) for told in answer["probes"])

    def _look_around(self, worker: str) -> None:
        """What packets meet on the node: where its kernel sends those for any pod, its own included."""
        towards = {peer: to for peer, to in self._towards.items() if peer != worker or peer in self._pods}
        answer = self._sessions[worker].request("ways", deadline=WAYS_DEADLINE, towards=towards)
        self._nodes[worker] = answers.with_surroundings(self._nodes[worker], answer)

    @functools.cached_property
    def _towards(self) -> dict[str, tuple[str, str]]:
        """By worker, an address of its pods (its probe pod's, else the first one's to be) and their range."""
        found = {}
        for worker in self._intended.workers:
            cidr = answers.pod_cidr(self._workers.get(worker))
            address = self._pods.get(worker) or answers.first_pod(cidr)
            if address:
                found[worker] = (address, str(cidr or ""))
        return found

    def _trace(self) -> tuple[Trace, ...]:
        """Send again what did not arrive, and ask all nodes who saw it. A failure here is no error."""
        probes = [probe for mine in self._probes.values() for probe in mine]
        plan = tracing.plan(probes, {worker: self._workers[worker].address for worker in self._pods})
        if not plan.pairs:
            return ()
        pairs = plan.watched()
        seen: dict[str, list[tracing.Seen]] = {}

        def ask(worker: str, do: str, **fields: object) -> dict[str, Any]:
            with contextlib.suppress(CouldNotLook):
                return self._sessions[worker].request(do, deadline=TRACE_DEADLINE, **fields)
            return {}

        def watch(worker: str) -> None:
            ask(worker, "watch", mark=plan.mark, port=PROBE_PORT, pairs=pairs)

        def send(worker: str) -> None:
            ask(worker, "send", pairs=plan.sent_by(worker), times=tracing.TIMES, pause=tracing.PAUSE)

        def collect(worker: str) -> None:
            seen[worker] = ask(worker, "seen", seconds=tracing.SECONDS).get("seen", [])

        for step in (watch, send, collect):
            self._each("", self._pods, step)
        bridges = {worker: self._bridge(worker) for worker in self._pods}
        return tracing.traces(plan, seen, self._nodes, bridges)

    def _bridge(self, worker: str) -> str:
        """The bridge the worker's pods hang on, by the file that made the probe pod."""
        return next((config.bridge for config in self._nodes[worker].cni if config.bridge), "")

    def _end(self, worker: str) -> None:
        self._sessions[worker].request("end", deadline=END_DEADLINE)


_PLACES: Final = {"configs": tutorial.CNI_DIRECTORY, "plugins": tutorial.CNI_PLUGINS}


def _one_running(inventory: Inventory, intended: Intended) -> dict[str, Instance]:
    """In the VPC of the workers: a namesake elsewhere may be somebody else's machine."""
    meant = unambiguous(candidates(inventory.instances, intended))
    return {worker: instance for worker, instance in meant.items() if instance.state == "running"}
