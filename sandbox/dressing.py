"""What is done on a lab's nodes themselves, over SSH as a person does it: CNI files, kernel routes."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kthw.errors import CouldNotLook, LookError
from kthw.intended import tutorial
from sandbox.lab import Lab, Machine

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

_SECONDS: Final = 30.0
_NO_LOGIN: Final = 255
"""What ``ssh`` ends with where it could not log in."""


def dress(ec2: EC2Client, lab: Lab, built: Mapping[str, Machine], config: Path) -> None:
    """Do all that ``lab`` has done on its machines, which ``build`` returned; ``config``: an ssh_config.

    A machine is waited for until it lets one in. Raises ``CouldNotLook`` (``sandbox-unavailable``).
    """
    machines = tuple(built.values())
    scripts = {each: script(lab, machines, machine) for each, machine in built.items()}
    addresses = _addresses(ec2, [each for each, lines in scripts.items() if lines])
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: _type(config, addresses[each], scripts[each]), addresses))


def script(lab: Lab, machines: Sequence[Machine], machine: Machine) -> str:
    """The lines that root types on ``machine``, one of ``machines``; empty where there is nothing to do."""
    lines = []
    if machine.pod_cidr:
        for name, content in (lab.cni(machine.pod_cidr) if lab.cni else {}).items():
            path = shlex.quote(f"{tutorial.CNI_DIRECTORY}/{name}")
            lines.append(f"printf '%s\\n' {shlex.quote(json.dumps(content, indent=2))} >{path}")
        lines += [line.format(cidr=machine.pod_cidr, name=machine.name) for line in lab.commands]
    if lab.routes == "kernel":
        others = [each for each in machines if each.pod_cidr and each is not machine]
        lines += [f"ip route replace {each.pod_cidr} via {each.address}" for each in others]
    return "\n".join(lines)


def _addresses(ec2: EC2Client, ids: Sequence[str]) -> dict[str, str]:
    """By instance id, the address to log in at."""
    pages: Iterable[Any] = (
        ec2.get_paginator("describe_instances").paginate(InstanceIds=list(ids)) if ids else ()
    )
    return {
        instance["InstanceId"]: instance.get("PublicIpAddress") or instance["PrivateIpAddress"]
        for page in pages
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
    }


def _type(config: Path, address: str, lines: str) -> None:
    deadline = time.monotonic() + _SECONDS
    command = ["ssh", "-F", str(config), "-o", "ConnectTimeout=5", address, "sudo sh -e"]
    while True:
        done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
        if done.returncode != _NO_LOGIN or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise CouldNotLook(
            LookError(code="sandbox-unavailable", subject="sandbox", detail=f"{address}: {said}")
        )
