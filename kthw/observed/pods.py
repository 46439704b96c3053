"""The nodes and their pods: one SSH session per worker, a probe pod on each, packets between all."""

from __future__ import annotations

import functools
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Network
from typing import Final, TypeVar

import msgspec

from kthw.errors import LookError
from kthw.intended import tutorial
from kthw.intended.cluster import Intended
from kthw.observed import answers, node_answers, pod_answers, tracing
from kthw.observed.abreast import Abreast
from kthw.observed.again import Again
from kthw.observed.aws import configured
from kthw.observed.besides import Besides
from kthw.observed.cni_networks import brought_by, pod_network, serves_strangers
from kthw.observed.evidence import PROBE_PORT, Inventory, Node, Probe, Sent, Trace
from kthw.observed.namesakes import machines_running
from kthw.observed.seen import Seen
from kthw.observed.ssh.session import MOST_BYTES, Session
from kthw.observed.ways_in import ways_in
from kthw.target import Target

Progress = Callable[[str, int, int], None]
"""``(phase, done, of)``; phases: ``ssh``, ``pods``, ``probes``."""

FACTS_DEADLINE: Final = 15.0
WAYS_DEADLINE: Final = 20.0
POD_DEADLINE: Final = 45.0
END_DEADLINE: Final = 20.0
PROBE_DEADLINE: Final = 3.0
"""Seconds a probe keeps trying, in a small cluster."""
_PAIRS_PER_SECOND: Final = 3000
"""What a sandbox on two cores carries; a probe waits for its turn accordingly."""
_SLACK: Final = 20.0
"""Seconds for the last of many answers to come through, beyond the probes' own deadline."""
BUDGET: Final = 45.0
"""Seconds that all questions to one worker together may take, in a small cluster, the probes aside."""
_BUDGET_PER_WORKER: Final = 0.25
"""What each of many workers adds: they may share a jump host, or the two cores of a sandbox."""
_BYTES_PER_WORKER: Final = 8 << 10
"""What each of many workers adds to the longest answer."""

_T = TypeVar("_T")


def _silent(_phase: str, _done: int, _of: int) -> None:
    pass


def look_into_nodes(
    target: Target,
    inventory: Inventory,
    intended: Intended,
    *,
    progress: Progress = _silent,
    doubt: Callable[[Seen], tuple[Sent, ...]] = lambda _seen: (),
) -> Seen:
    """Log in to every worker that has one running instance, make a pod on each, and send packets.

    All workers at once, and each step for all before the next: facts, pods, what is around them, probes,
    those that failed once more and watched, what is in ``doubt`` then, and the end. A worker that fails is
    an error of its own and holds up nobody beyond its deadlines, which share one budget; the others' mesh is
    measured. One that is lost (no answer in time, a broken connection, an answer that cannot be) is asked no
    more; what was not reached of its pod, or from it, is not measured. Nothing is raised. However this ends,
    every session is closed, and a pod goes with it.
    """
    look = _Look(target, inventory, intended, progress)
    try:
        return look.all(doubt)
    finally:
        look.close()


def probe_deadline(pods: int) -> float:
    """Seconds each probe keeps trying in a mesh of so many pods."""
    return PROBE_DEADLINE + pods * pods / _PAIRS_PER_SECOND


class _Look:
    def __init__(self, target: Target, inventory: Inventory, intended: Intended, progress: Progress) -> None:
        self._endpoint = configured.endpoint(target)
        self._inventory = inventory
        self._intended = intended
        self._progress = progress
        self._run = secrets.token_hex(8)
        self._stop = threading.Event()
        self._machines = machines_running(inventory.instances, intended)
        self._workers = {w: self._machines[w] for w in intended.workers if w in self._machines}
        self._ways_in = ways_in(target.ssh, inventory.instances, self._machines.values())
        self._sessions: dict[str, Session] = {}
        self._opened: list[Session] = []
        self._nodes: dict[str, Node] = {}
        self._pods: dict[str, str] = {}
        self._towards: dict[str, tuple[str, str]] = {}
        self._probes: dict[str, tuple[Probe, ...]] = {}
        self._errors: dict[str, list[LookError]] = {}
        self._lost: set[str] = set()
        self._abreast = Abreast()

    def all(self, doubt: Callable[[Seen], tuple[Sent, ...]]) -> Seen:
        self._sessions = self._each("ssh", self._machines, self._log_in)
        made = self._each("pods", self._served(), self._make_pod)
        self._pods = {worker: address for worker, address in made.items() if address}
        self._towards = self._ways_to_be()
        self._each("", self._alive(self._sessions), self._look_around)
        self._pods = self._alive(self._pods)
        self._probes = self._each("probes", self._pods, self._probe)
        traces = self._trace()
        sent = self._send_besides(doubt)
        self._each("", self._alive(self._pods), self._end)
        return msgspec.structs.replace(
            self._seen(),
            traces=tuple(trace for trace in traces if not {trace.source, trace.destination} & self._lost),
            sent=tuple(each for each in sent if not {each.source, each.destination} & self._lost),
        )

    def _seen(self) -> Seen:
        self._pods = self._alive(self._pods)
        order = (*self._intended.workers, *self._intended.also)
        return Seen(
            nodes={
                worker: msgspec.structs.replace(self._nodes[worker], pod=self._pods.get(worker, ""))
                for worker in order
                if worker in self._nodes
            },
            probes=tuple(self._measured()),
            errors=tuple(error for worker in order for error in self._errors.get(worker, ())),
            ssh_sessions=len(self._opened),
        )

    def _served(self) -> list[str]:
        """Workers whose network makes a pod for us; another's plugin would write into its cluster's API."""
        here = [worker for worker in self._alive(self._sessions) if worker in self._workers]
        return [worker for worker in here if serves_strangers(self._nodes[worker])]

    def _measured(self) -> Iterator[Probe]:
        """The probes; but what failed with a lost worker's pod may have failed because it was gone."""
        for worker in self._intended.workers:
            for probe in self._probes.get(worker, ()):
                if probe.reached or not {probe.source, probe.destination} & self._lost:
                    yield probe

    def _alive(self, found: dict[str, _T]) -> dict[str, _T]:
        return {worker: each for worker, each in found.items() if worker not in self._lost}

    def _note(self, worker: str, error: LookError) -> None:
        """Keep the error, unless one of its kind is told of that worker already."""
        told = self._errors.setdefault(worker, [])
        if all(error.code != each.code for each in told):
            told.append(error)

    def _failed(self, worker: str, error: LookError) -> None:
        """Called by one worker's thread at a time."""
        self._note(worker, error)
        session = self._sessions.get(worker)
        if session and (not session.usable or error.code == "probe-timeout"):
            self._lose(worker, session)

    def _lose(self, worker: str, session: Session) -> None:
        """Ask it nothing more, and let its pod go now: hanging up may take a while, and nobody waits."""
        self._lost.add(worker)
        threading.Thread(target=session.close, daemon=True).start()

    def close(self) -> None:
        """Stop whatever still runs and hang up everywhere."""
        self._stop.set()
        self._abreast.wait(5.0)
        closers = [threading.Thread(target=session.close, daemon=True) for session in tuple(self._opened)]
        for closer in closers:
            closer.start()
        for closer in closers:
            closer.join(5.0)

    def _each(self, phase: str, workers: Iterable[str], act: Callable[[str], _T]) -> dict[str, _T]:
        """``act`` for all workers at once; the results of those that did not fail, in the order given."""
        tell = functools.partial(self._progress, phase) if phase else None
        return self._abreast.each(workers, act, self._failed, tell)

    def _log_in(self, worker: str) -> Session:
        session = self._ways_in.log_in(
            worker, self._machines[worker], endpoint=self._endpoint, stop=self._stop
        )
        self._opened.append(session)
        count = len(self._machines)
        session.allow(
            seconds=BUDGET + _BUDGET_PER_WORKER * count + 3 * probe_deadline(count),
            size=MOST_BYTES + _BYTES_PER_WORKER * count,
        )
        try:
            answer = session.ask("facts", answers.Facts, deadline=FACTS_DEADLINE, **PLACES)
        except BaseException:
            self._lose(worker, session)
            raise
        self._nodes[worker] = node_answers.node(worker, session.facts["login"], answer)
        self._note_all(session, answer.failed)
        return session

    def _make_pod(self, worker: str) -> str:
        """Its address; empty where the node's own network makes none, and the node then tells why."""
        session = self._sessions[worker]
        answer = session.ask(
            "pod",
            answers.PodMade,
            deadline=POD_DEADLINE,
            worker=worker,
            run=self._run,
            port=PROBE_PORT,
            **PLACES,
        )
        failure = pod_answers.pod_failure(answer)
        if failure:
            self._nodes[worker] = msgspec.structs.replace(self._nodes[worker], pod_failure=failure)
            return ""
        with session.fitting("pod"):
            address = pod_answers.pod_address(answer, self._inventory, self._cidrs.values())
        self._nodes[worker] = msgspec.structs.replace(self._nodes[worker], pod_mtu=answer.mtu)
        return address

    def _probe(self, worker: str) -> tuple[Probe, ...]:
        session, seconds = self._sessions[worker], probe_deadline(len(self._pods))
        peers = {peer: address for peer, address in self._pods.items() if peer != worker}
        node = self._workers[worker].address
        answer = session.ask(
            "probe",
            answers.Probed,
            # A probe's own time begins when its turn comes, and what was lost is asked for again.
            deadline=3 * seconds + _SLACK,
            peers=[{"worker": w, "address": a, "port": PROBE_PORT} for w, a in peers.items()],
            node=node,
            internet=[tutorial.INTERNET_HOST, tutorial.INTERNET_PORT],
            seconds=seconds,
        )
        sizes = (0, mtu) if (mtu := self._nodes[worker].pod_mtu) else (0,)
        asked = [
            ("pod", w, a, protocol, size)
            for w, a in peers.items()
            for protocol in ("icmp", "tcp", "udp")
            for size in sizes
        ]
        asked += [("node", worker, node, "icmp", 0)] if node else []
        asked += [("internet", "", tutorial.INTERNET_HOST, protocol, 0) for protocol in ("icmp", "tcp")]
        with session.fitting("probe"):
            probes = answers.probes(worker, self._pods[worker], answer, asked)
        missing = len(asked) - len(probes)
        if missing:
            detail = f"probe: {missing} of {len(asked)} probes are not in it"
            self._note(worker, session.failure("answer-unreadable", detail).error)
        return probes

    def _look_around(self, worker: str) -> None:
        """What packets meet on the node: where its kernel sends those for any pod, its own included."""
        session = self._sessions[worker]
        towards = {peer: to for peer, to in self._towards.items() if peer != worker or peer in self._pods}
        others = {w: each.address for w, each in self._workers.items() if w != worker and each.address}
        beyond = {**others, "": tutorial.INTERNET_HOST} if worker in self._pods else {}
        answer = session.ask(
            "ways", answers.Surroundings, deadline=WAYS_DEADLINE, towards=towards, beyond=[*beyond.items()]
        )
        with session.fitting("ways"):
            self._nodes[worker] = node_answers.with_surroundings(self._nodes[worker], answer, towards, beyond)
        self._note_all(session, answer.failed)

    def _note_all(self, session: Session, problems: Iterable[answers.Problem]) -> None:
        """What the worker itself could not see, though the rest of its answer holds."""
        for each in problems:
            failure = session.failure(each.code, each.detail, each.variant, **each.circumstances)
            self._note(session.worker, failure.error)

    @functools.cached_property
    def _cidrs(self) -> dict[str, IPv4Network]:
        """By worker, the pod CIDR of its user data, where there is one."""
        said = self._intended.pod_cidrs
        found = {
            worker: pod_answers.pod_cidr(self._workers.get(worker), said.get(worker, ""))
            for worker in self._intended.workers
        }
        return {worker: cidr for worker, cidr in found.items() if cidr}

    def _ways_to_be(self) -> dict[str, tuple[str, str]]:
        """By worker, an address of its pods (its probe pod's, else the first one's to be) and their range."""
        pods = self._alive(self._pods)
        found = {}
        for worker in self._intended.workers:
            cidr = self._cidrs.get(worker)
            address = pods.get(worker) or pod_answers.first_pod(cidr)
            if address:
                found[worker] = (address, str(cidr or ""))
        return found

    def _trace(self) -> tuple[Trace, ...]:
        """Send again what did not arrive, and ask all nodes who saw it."""
        # A tunnel's packets do not look at each place as they did at the one before.
        pods = self._alive(self._pods)
        workers = {w: pods[w] for w in pods if brought_by(pod_network(self._nodes[w])) is None}
        measured = (each for each in self._measured() if {each.source, each.destination} <= workers.keys())
        plan = tracing.plan(measured, {worker: self._workers[worker].address for worker in workers})
        if not plan.pairs:
            return ()
        again = Again(self._sessions, plan)
        for step in (again.watch, again.send, again.collect):
            self._each("", self._alive(workers), step)
        for worker, told in again.told.items():
            self._nodes[worker] = node_answers.with_witnesses(self._nodes[worker], told)
        bridges = {worker: self._bridge(worker) for worker in workers}
        return tracing.traces(plan, dict(sorted(again.seen.items())), self._nodes, bridges)

    def _send_besides(self, doubt: Callable[[Seen], tuple[Sent, ...]]) -> tuple[Sent, ...]:
        besides = Besides(self._sessions, self._alive(self._pods), doubt(self._seen()))
        self._each("", besides.lacking, besides.make)
        self._each("", besides.asked, besides.listen)
        self._each("", besides.asking, besides.send)
        return besides.sent

    def _bridge(self, worker: str) -> str:
        """The bridge the worker's pods hang on, by the file that made the probe pod."""
        return next((config.bridge for config in self._nodes[worker].cni if config.bridge), "")

    def _end(self, worker: str) -> None:
        self._sessions[worker].ask("end", answers.Done, deadline=END_DEADLINE)


PLACES: Final = {
    "configs": tutorial.CNI_DIRECTORY,
    "plugins": tutorial.CNI_PLUGINS,
    "runtime": tutorial.CONTAINERD_CONFIG,
}
"""Where the agent looks for what makes pods."""
