"""What looking costs as the cluster grows: AWS calls, SSH sessions, and seconds by phase.

``python -m benchmarks.costs [N …]`` (default 3 50 200; more than 200 workers: the AWS side only).
"""

from __future__ import annotations

import sys
import time

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


def main(counts: list[int]) -> None:
    """One row for each count."""
    no_packets = why_no_packets(catalogue("en").say)
    print(  # noqa: T201
        "| workers | AWS calls | SSH sessions | pod probes reached | boot s | routes s"
        " | aws s | ssh s | pods s | probes s |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    for count in counts:
        measure(count, no_packets)


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or [3, 50, 200])
