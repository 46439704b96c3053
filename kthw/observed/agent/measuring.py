"""All that is measured from one pod: who answers, how much is lost on the way, and how large it may be."""

from __future__ import annotations

import gc
from typing import Any

from kthw.observed.agent.answering import DNS_PORT, token
from kthw.observed.agent.calls import Call, Probe
from kthw.observed.agent.counting import Count, Counting
from kthw.observed.agent.datagrams import Datagrams
from kthw.observed.agent.limits import Limits
from kthw.observed.agent.mesh import Mesh
from kthw.observed.agent.pod import Pod
from kthw.observed.agent.turns import Turns

SAMPLED, SAMPLED_LEAST, SAMPLED_IN_ALL = 20, 5, 60
"""Packets for a pair that answers (at least so many, or none) and for all pairs of a pod: they notice a loss.

Where there are many pairs, what the mesh itself sends over a lossy link is enough to notice it; then only
those are sampled that were answered in part.
"""
AT_ONCE = 4
"""Packets of each kind for a later try, where they are few: three of four may be lost, and a pair answers."""
SAMPLING = 2.0
"""Seconds for that; it takes some milliseconds where nothing is lost."""
COUNTED, COUNTED_LEAST, PAUSE = 200, 50, 0.01
"""Packets for a pair that lost some, at least so many, and the seconds between two of them."""
AGAIN = (0.2, 0.4)
"""Seconds between two tries of what nothing came of, of such a pair: it is not slow, it loses."""
COUNTING = 4.0
"""Seconds for that in a small cluster; as long as a probe's deadline in one that has a longer one."""
EACH_PEER = 5e-5
"""Seconds between two packets, for each pod that may be sending as well: a sandbox has two cores for all."""
NO_WAY = ("network unreachable", "host unreachable", "time to live exceeded")
LIMITS, LIMITING = 32, 4.0
"""Pairs whose limit is looked for, and the seconds for that."""


class Measuring:
    """Made, run and closed inside the pod."""

    def __init__(
        self,
        pod: Pod,
        request: dict[str, Any],
        turns: Turns,
    ) -> None:
        self.pod = pod
        self.deadline: float = request["seconds"]
        self.turns = turns
        self.datagrams = Datagrams(pod.run, turns, self._connection_refused)
        self.mesh: Mesh | None = None
        self.calls: list[Call] = []
        self.pairs: list[Pair] = []
        self.probes: list[Probe] = []
        few = len(request["peers"]) * SAMPLED_LEAST <= SAMPLED_IN_ALL
        for peer in request["peers"]:
            self._call_pod(peer["worker"], peer["address"], peer["port"], AT_ONCE if few else 1)
        if request.get("node"):
            self._call([Probe("node", pod.worker, request["node"], "icmp")], times=AT_ONCE)
        if request.get("internet"):
            address, port = request["internet"]
            self._call([Probe("internet", "", address, "icmp")], times=AT_ONCE)
            self._call([Probe("internet", "", address, "tcp", port)])

    def all(self) -> list[list[Any]]:
        """The rows of the answer."""
        gc.disable()  # a mesh makes many objects at once, and none that it would find
        try:
            self._try(self.calls, self.deadline)
            for pair in self.pairs:
                pair.choose()
            self._sample()
            self._count()
            self._limit()
        finally:
            self.datagrams.close()
            gc.enable()
        for pair in self.pairs:
            pair.share_refusal()
        return [each.told(self.deadline) for each in self.probes]

    def _call_pod(self, worker: str, address: str, port: int, times: int) -> None:
        pair = Pair(worker, address, port, self.pod.mtu)
        if address == self.pod.address:
            for probe in pair.probes:
                probe.refusal = f"{address} is this pod's own address"
            self.probes += pair.probes
            return
        self.pairs.append(pair)
        self._call(pair.of("icmp") + pair.of("udp"), times=times)
        self._call(pair.of("tcp"), token(self.pod.run, worker))

    def _call(self, probes: list[Probe], expected: bytes = b"", times: int = 1) -> None:
        self.probes += probes
        self.calls.append(Call(probes, expected, self.pod.run, times))

    def _try(
        self, calls: list[Call], deadline: float, *besides: Any, pauses: tuple[float, float] | None = None
    ) -> None:
        """Each call until something comes of it, and what is to be done ``besides``."""
        self.mesh = mesh = Mesh(calls, deadline, self.datagrams, self.turns, pauses)
        try:
            self._run(mesh, *besides)
        finally:
            mesh.close()
            self.mesh = None

    def _run(self, *tasks: Any) -> None:
        while True:
            left = [task for task in tasks if task.left]
            if not left:
                return
            self.turns.turn(min(task.advance() for task in left))

    def _sample(self) -> None:
        most = SAMPLED_IN_ALL // SAMPLED_LEAST
        counts = [Count(pair.counted) for pair in self.pairs if pair.counted]
        if len(counts) > most:
            counts = [Count(pair.counted) for pair in self.pairs if pair.counted and pair.is_in_part][:most]
        times = min(SAMPLED, SAMPLED_IN_ALL // len(counts)) if counts else 0
        sampling = Counting(counts, times, 0.0, SAMPLING, self.datagrams)
        self._run(sampling)
        sampling.tell()

    def _count(self) -> None:
        """Of the pairs that lost some: how many, and once more whatever nothing came of.

        Where there are any, one that is silent may have lost all by chance: it is asked with them.
        """
        lossy = [pair for pair in self.pairs if pair.is_lossy]
        if not lossy:
            return
        seconds = max(COUNTING, self.deadline)
        most = int(seconds / (EACH_PEER * len(self.pairs)))
        room = max(1, most // COUNTED_LEAST)
        silent = [pair for pair in self.pairs if pair.is_silent][: room // 2]
        for pair in silent:
            pair.count_by(pair.of("icmp")[0])
        lossy = lossy[: room - len(silent)] + silent
        times = max(COUNTED_LEAST, min(COUNTED, most // len(lossy)))
        pause = max(PAUSE, EACH_PEER * len(self.pairs) * len(lossy))
        counts = [Count(pair.counted) for pair in lossy if pair.counted]
        counting = Counting(counts, times, pause, seconds, self.datagrams)
        failed = [pair.unreached(protocols) for pair in lossy for protocols in (("icmp", "udp"), ("tcp",))]
        run = self.pod.run
        calls = [Call(each, token(run, each[0].worker), run) for each in failed if each]
        self._try(calls, seconds, counting, pauses=AGAIN)
        counting.tell()

    def _limit(self) -> None:
        narrow = [pair for pair in self.pairs if pair.narrow][:LIMITS]
        limits = Limits([pair.narrow for pair in narrow if pair.narrow], LIMITING, self.datagrams)
        self._run(limits)
        limits.tell()
        for pair in narrow:
            pair.share_limit()

    def _connection_refused(self, address: str, text: str) -> None:
        if self.mesh:
            self.mesh.connection_refused(address, text)


class Pair:
    """The probes of one other pod: small ones, and as large as this pod's interface sends."""

    def __init__(self, worker: str, address: str, port: int, mtu: int) -> None:
        self.counted: Probe | None = None
        self.by_protocol = {
            protocol: [
                Probe("pod", worker, address, protocol, DNS_PORT if protocol == "udp" else port, size)
                for size in ((0, mtu) if mtu else (0,))
            ]
            for protocol in ("icmp", "tcp", "udp")
        }
        self.probes = [each for probes in self.by_protocol.values() for each in probes]

    def of(self, protocol: str) -> list[Probe]:
        return self.by_protocol[protocol]

    def unreached(self, protocols: tuple[str, ...]) -> list[Probe]:
        """Anew, to be tried once more."""
        found = [each for each in self.probes if each.protocol in protocols and not each.reached]
        for probe in found:
            probe.done, probe.numbers = False, []
        return found

    def choose(self) -> None:
        """By which protocol packets are counted: ICMP, or UDP where only that is answered, of any size."""
        for small, *full in (self.of("icmp"), self.of("udp")):
            if small.reached or any(each.reached for each in full):
                self.count_by(small)
                return

    def count_by(self, small: Probe) -> None:
        """What has been sent until now is the count, unless there is a better one."""
        small.lost = small.missed if small.reached else len(small.numbers)
        small.sent = small.lost + small.reached
        self.counted = small

    @property
    def is_lossy(self) -> bool:
        """Whether some were lost, and not all."""
        return self.counted is not None and any(each.missed or each.lost for each in self.probes)

    @property
    def is_in_part(self) -> bool:
        """Whether something came of some of them, and nothing of others."""
        return 0 < sum(each.reached for each in self.probes) < len(self.probes)

    @property
    def is_silent(self) -> bool:
        """Whether nothing came of any, and nobody said why."""
        return not any(each.reached or each.refusal for each in self.probes)

    @property
    def narrow(self) -> Probe | None:
        """That whose full size did not pass while small ones do, by a protocol that can be measured with."""
        for protocol in ("icmp", "udp"):
            small, *full = self.of(protocol)
            if full and small.reached and not full[0].reached:
                return full[0]
        return None

    def share_refusal(self) -> None:
        """A kernel says only now and then that there is no way to an address; it means every packet."""
        said = [each.refusal for each in self.probes if each.refusal.startswith(NO_WAY)]
        for probe in self.probes if said else ():
            if not probe.reached and not probe.refusal:
                probe.refusal = said[0]

    def share_limit(self) -> None:
        """A path's limit is that of all protocols; what only UDP met is not ICMP's."""
        limits = [each.limit for each in self.probes if each.limit]
        for probe in self.probes if limits else ():
            if probe.size and not probe.reached:
                probe.limit = limits[0]
