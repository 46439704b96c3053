"""The suite's full mesh against the floor: ``fping`` run directly inside pods' namespaces.

``python -m benchmarks.mesh_floor [N …]`` (default 3 50). The floor's pods are made by hand with the same
CNI configuration; one ``fping`` per pod pings all others at once, ICMP only. The suite asks by
ICMP, by TCP with a token and by UDP, each small and of full size, and reports each pair. Both on the same
cluster, in one run.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.costs import route_all
from kthw.intended.cluster import Intended, worker_names
from kthw.observed.gather import gather
from kthw.words.messages import catalogue
from sandbox.box import start, why_no_packets

_POD: Final = """
set -eu
conf=/etc/cni/net.d/10-bridge.conf
cni() { sudo env CNI_COMMAND=$1 CNI_CONTAINERID=floor CNI_NETNS=/run/netns/floor CNI_IFNAME=eth0 \
    CNI_PATH=/opt/cni/bin /opt/cni/bin/bridge <$conf; }
sudo ip netns add floor
cni ADD | grep -om1 '10\\.[0-9.]*/' | tr -d /
read -r peers
sudo ip netns exec floor fping -a -r 3 -t 250 -i 1 $peers 2>/dev/null | wc -l
read -r _ # the others may still be asking for this pod
cni DEL
sudo ip netns del floor
"""


def floor(config: Path, workers: tuple[str, ...]) -> tuple[float, int]:
    """(seconds, pairs reached) of one fping per pod, all at once."""
    sessions = {
        worker: subprocess.Popen(
            ["ssh", "-F", str(config), worker, _POD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for worker in workers
    }
    pods = {worker: _line(session) for worker, session in sessions.items()}
    began = time.monotonic()
    for worker, session in sessions.items():
        assert session.stdin is not None  # noqa: S101 -- for the type checker: it was asked for
        session.stdin.write(" ".join(pod for peer, pod in pods.items() if peer != worker) + "\n")
        session.stdin.flush()
    reached = sum(int(_line(session)) for session in sessions.values())
    seconds = time.monotonic() - began
    for session in sessions.values():
        session.communicate("\n", timeout=30)
    return seconds, reached


def _line(session: subprocess.Popen[str]) -> str:
    assert session.stdout is not None  # noqa: S101 -- as above
    return session.stdout.readline().strip()


def main(counts: list[int]) -> None:
    """One Markdown row for each cluster size."""
    print("| workers | probes / pairs | floor s | suite s | suite / floor |\n|---|---|---|---|---|")  # noqa: T201
    for count in counts:
        workers = worker_names(f"worker-[0-{count - 1}]")
        with start(workers) as box:
            route_all(box.target.endpoint, workers)
            marks: list[float] = []

            def progress(phase: str, _done: int, _of: int, marks: list[float] = marks) -> None:
                if phase == "probes":
                    marks.append(time.monotonic())

            seen = gather(box.target, Intended(workers=workers), progress=progress)
            suite = marks[-1] - marks[0]
            seconds, reached = floor(Path(box.target.ssh.config), workers)
        probes = sum(probe.kind == "pod" and probe.reached for probe in seen.probes)
        ratio = suite / seconds
        print(f"| {count} | {probes} / {reached} | {seconds:.2f} | {suite:.2f} | {ratio:.1f} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    if reason := why_no_packets(catalogue("en").say):
        sys.exit(reason)
    main([int(count) for count in sys.argv[1:]] or [3, 50])
