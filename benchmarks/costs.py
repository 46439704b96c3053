"""What looking costs as the cluster grows: AWS calls, SSH sessions, and seconds by phase.

``python -m benchmarks.costs [N …]`` (default 3 50 200; more than 200 workers: the AWS side only).
``python -m benchmarks.costs --sandbox [N …]`` (default 3 50 200 1000): what the sandbox itself costs.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from kthw.intended.cluster import Intended, worker_names
from kthw.observed.gather import gather
from kthw.words.messages import catalogue
from sandbox.box import ec2_client, start, why_no_packets
from sandbox.lab import Lab

_MOST_WITH_PACKETS = 200
_MOST_ROUTES = 490
"""What fits into one route table under its default quota of 500."""


def route_all(endpoint: str, workers: tuple[str, ...]) -> None:
    """One route per worker, as the chapter makes them."""
    ec2 = ec2_client(endpoint)
    tables = ec2.describe_route_tables(Filters=[{"Name": "tag:Name", "Values": ["kubernetes"]}])
    table = tables["RouteTables"][0]["RouteTableId"]
    ids = {
        tag["Value"]: instance["InstanceId"]
        for page in ec2.get_paginator("describe_instances").paginate()
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
        for tag in instance["Tags"]
    }
    for index, worker in enumerate(workers[:_MOST_ROUTES]):
        ec2.create_route(
            RouteTableId=table, DestinationCidrBlock=Lab().pod_cidr(index), InstanceId=ids[worker]
        )


def measure(count: int, no_packets: str) -> None:
    """Boot a cluster of ``count`` workers with its routes, look once, print one Markdown row."""
    workers = worker_names(f"worker-[0-{count - 1}]")
    without = no_packets or ("too many nodes for this machine" if count > _MOST_WITH_PACKETS else "")
    began = time.monotonic()
    with start(workers, no_packets=without) as box:
        booted = time.monotonic() - began
        began = time.monotonic()
        route_all(box.target.endpoint, workers)
        routed = time.monotonic() - began
        phases: dict[str, float] = {}

        def progress(phase: str, _done: int, _of: int) -> None:
            phases.setdefault(phase, time.monotonic())

        seen = gather(box.target, Intended(workers=workers), progress=progress)
        phases["end"] = time.monotonic()
    pods = [probe for probe in seen.probes if probe.kind == "pod"]
    reached = sum(probe.reached for probe in pods)
    marks = list(phases.values())
    spent = {name: after - at for name, at, after in zip(phases, marks, marks[1:], strict=False)}
    seconds = " | ".join(f"{spent.get(phase, 0.0):.1f}" for phase in ("aws", "ssh", "pods", "probes"))
    print(  # noqa: T201 -- its purpose
        f"| {count} | {seen.counts.aws_calls} | {seen.counts.ssh_sessions} | {reached} of {len(pods)}"
        f" | {booted:.1f} | {routed:.1f} | {seconds} |",
        flush=True,
    )
    for error in seen.errors[:3]:
        print(error, file=sys.stderr)  # noqa: T201


def processes(leader: int) -> list[int]:
    """A sandbox's: the one that was started, and all that came of it."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended this moment
        parents[int(stat.parent.name)] = int(fields[1])
    found = [leader]
    for each in found:
        found += [process for process, parent in parents.items() if parent == each]
    return found


def megabytes(process: int) -> float:
    """What of the memory is its own, and its share of what it has in common with others (PSS)."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def processor(process: int) -> float:
    """Seconds of processor time, its own and that of those that it has waited for."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def weigh(count: int, no_packets: str) -> None:
    """Boot a cluster of ``count`` workers, route it, print one Markdown row of what that takes."""
    workers = worker_names(f"worker-[0-{count - 1}]")
    without = no_packets or ("too many nodes for this machine" if count > _MOST_WITH_PACKETS else "")
    began = time.monotonic()
    with start(workers, no_packets=without) as box:
        booted = time.monotonic() - began
        spent = sum(map(processor, processes(box.leader.pid)))
        began = time.monotonic()
        route_all(box.target.endpoint, workers)
        routed = (time.monotonic() - began) / min(count, _MOST_ROUTES)
        began = time.monotonic()
        answers = ec2_client(box.target.endpoint).describe_instances()["Reservations"]
        described = time.monotonic() - began
        sizes = sorted((megabytes(each) for each in processes(box.leader.pid)), reverse=True)
    assert len(answers) >= count  # noqa: S101 -- ours
    print(  # noqa: T201 -- its purpose
        f"| {count} | {'no' if without else 'yes'} | {booted:.1f} | {spent:.1f}"
        f" | {routed * 1000:.0f} | {described:.2f} | {len(sizes)} | {sizes[0]:.0f} | {sum(sizes):.0f}"
        f" | {os.getloadavg()[0]:.0f} |",
        flush=True,
    )


def main(counts: list[int], *, of_sandbox: bool = False) -> None:
    """One row for each count."""
    no_packets = why_no_packets(catalogue("en").say)
    if of_sandbox:
        print(  # noqa: T201
            "| workers | nodes | boot s | its CPU s | a CreateRoute ms | DescribeInstances s | processes"
            " | largest process MB | all MB | load |\n|---|---|---|---|---|---|---|---|---|---|"
        )
        for count in counts:
            weigh(count, no_packets)
        return
    print(  # noqa: T201
        "| workers | AWS calls | SSH sessions | pod probes reached | boot s | routes s"
        " | aws s | ssh s | pods s | probes s |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    for count in counts:
        measure(count, no_packets)


if __name__ == "__main__":
    typed = [int(count) for count in sys.argv[1:] if count != "--sandbox"]
    sandbox = "--sandbox" in sys.argv[1:]
    main(typed or [3, 50, 200, *([1000] if sandbox else [])], of_sandbox=sandbox)
