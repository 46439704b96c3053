"""What is done on a lab's running nodes, over SSH as a person does it: kernel routes, and lines to type."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kthw.errors import CouldNotLook, LookError
from sandbox.access import DIAL_SOCKET, SSH_CONFIG
from sandbox.dial import connection
from sandbox.lab import Chapter, Lab, Machine

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

_SECONDS: Final = 60.0
"""For one machine; so long may a login take where many are under way on a machine with much to do."""
_NO_LOGIN: Final = 255
"""What ``ssh`` ends with where it could not log in."""


def dress(
    ec2: EC2Client, lab: Lab, built: Mapping[str, Machine], directory: Path, after: Chapter = "workers"
) -> None:
    """Wait until all machines that ``build`` returned let one in, and do all that ``lab`` has done on them,
    which is nothing ``after`` the machines alone.

    ``directory``: the sandbox's. Raises ``CouldNotLook`` (``sandbox-unavailable``).
    """
    machines = tuple(built.values())
    addresses = _addresses(ec2, list(built))

    def visit(instance: str) -> None:
        address, public = addresses[instance]
        lines = script(lab, machines, built[instance]) if after == "workers" else ""
        if public:
            _wait_for_greeting(directory, address)
        if lines or not public:
            _type(directory, address, lines)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(visit, built))


def script(lab: Lab, machines: Sequence[Machine], machine: Machine) -> str:
    """The lines that root types on ``machine``, one of ``machines``; empty where there is nothing to do."""
    lines = []
    if machine.pod_cidr:
        lines += [line.format(cidr=machine.pod_cidr, name=machine.name) for line in lab.commands]
    if lab.routes == "kernel" and (machine.pod_cidr or lab.others_routed):
        # A next hop in another subnet the kernel does not take.
        near = [each for each in machines if each.subnet == machine.subnet and each is not machine]
        others = [each for each in near if each.pod_cidr]
        lines += [f"ip route replace {each.pod_cidr} via {each.address}" for each in others]
    return "\n".join(lines)


def _addresses(ec2: EC2Client, ids: Sequence[str]) -> dict[str, tuple[str, bool]]:
    """By instance id, the address to log in at, and whether it is a public one."""
    pages: Iterable[Any] = ec2.get_paginator("describe_instances").paginate(InstanceIds=list(ids))
    found = [i for page in pages for reservation in page["Reservations"] for i in reservation["Instances"]]
    return {
        each["InstanceId"]: (
            each.get("PublicIpAddress") or each["PrivateIpAddress"],
            "PublicIpAddress" in each,
        )
        for each in found
    }


def _wait_for_greeting(directory: Path, address: str) -> None:
    """Until its sshd greets, seen from the internet."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        with (
            contextlib.suppress(OSError),
            connection(str(directory / DIAL_SOCKET), address, "22") as remote,
        ):
            remote.settimeout(max(0.1, deadline - time.monotonic()))
            if remote.recv(4) == b"SSH-":
                return
        time.sleep(0.02)
    raise _unavailable(f"sshd on {address} did not greet in {_SECONDS:.0f} s")


def _type(directory: Path, address: str, lines: str) -> None:
    deadline = time.monotonic() + _SECONDS
    config = str(directory / SSH_CONFIG)
    command = ["ssh", "-F", config, "-o", f"ConnectTimeout={_SECONDS:.0f}", address, "sudo sh -e"]
    while True:
        done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
        if done.returncode != _NO_LOGIN or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    if done.returncode:
        raise _unavailable(f"{address}: {(done.stderr.strip().splitlines() or ['?'])[-1]}")


def _unavailable(detail: str) -> CouldNotLook:
    return CouldNotLook(LookError(code="sandbox-unavailable", subject="sandbox", detail=detail))
