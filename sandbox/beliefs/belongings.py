"""All that a run makes: noted before anything is made, tagged as it is made, taken back in AWS's order.

A run has a folder of its own, with its journal, its private key and its known hosts, which goes when nothing
of the run is left. What was made and not yet noted when a run was killed is found by its tag.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

TAG: Final = "kthw-beliefs"
JOURNAL: Final = "journal.jsonl"
_DEADLINE: Final = 300.0
"""Seconds for all of it: a machine takes up to two minutes to end."""


class Belongings:
    """One run's. ``tag``: its own value of ``TAG``. While this process holds it, no other takes it back."""

    def __init__(self, folder: Path) -> None:
        """Raises ``BlockingIOError`` where another process holds it, ``OSError`` where it cannot be."""
        self.folder = folder
        self.tag = folder.name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = (folder / JOURNAL).open("a+b", buffering=0)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def begin(self, where: dict[str, str]) -> None:
        """Note which account and region this is about; on the disk when it returns."""
        self._note({"where": where})

    def note(self, kind: str, identifier: str) -> str:
        """Note what AWS has just made; ``identifier`` again."""
        self._note({"kind": kind, "id": identifier})
        return identifier

    def forget(self) -> None:
        """Nothing is left: the folder goes."""
        self._file.close()
        shutil.rmtree(self.folder)

    def close(self) -> None:
        self._file.close()

    @property
    def where(self) -> dict[str, str]:
        """What ``begin`` noted; empty when it did not come to that, and nothing was made."""
        found: dict[str, str] = next((line["where"] for line in self._lines() if "where" in line), {})
        return found

    @property
    def noted(self) -> list[tuple[str, str]]:
        return [(str(line["kind"]), str(line["id"])) for line in self._lines() if "kind" in line]

    def tags(self, kind: str, *more: str) -> list[Any]:
        """``TagSpecifications`` of a call that makes these."""
        tags = [{"Key": TAG, "Value": self.tag}, {"Key": "Name", "Value": "kthw-beliefs"}]
        return [{"ResourceType": each, "Tags": tags} for each in (kind, *more)]

    def _note(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")
        os.fsync(self._file.fileno())

    def _lines(self) -> Iterator[dict[str, Any]]:
        for line in (self.folder / JOURNAL).read_bytes().splitlines():
            with contextlib.suppress(ValueError):  # the end of one that was being written
                yield json.loads(line)


def take_back(ec2: EC2Client, belongings: Belongings, pause: float) -> list[tuple[str, str, str]]:
    """Delete all that is there of the run; what could not be, as (kind, id, why). ``pause``: seconds between
    two looks at what takes time."""
    until = time.monotonic() + _DEADLINE
    there = set(belongings.noted) | _tagged(ec2, belongings.tag)
    left = []
    for kind, delete in _DELETIONS.items():
        for identifier in sorted(each for its, each in there if its == kind):
            why = _deleted(lambda delete=delete, it=identifier: delete(ec2, it), until, pause)  # type: ignore[misc] # bound here
            if why:
                left.append((kind, identifier, why))
    return left


def _tagged(ec2: EC2Client, tag: str) -> set[tuple[str, str]]:
    try:
        pages = ec2.get_paginator("describe_tags").paginate(
            Filters=[{"Name": "key", "Values": [TAG]}, {"Name": "value", "Values": [tag]}]
        )
        return {(str(each["ResourceType"]), each["ResourceId"]) for page in pages for each in page["Tags"]}
    except (BotoCoreError, ClientError):
        return set()  # the journal is there


def _deleted(delete: Callable[[], bool], until: float, pause: float) -> str:
    """Why it could not be, or nothing. ``delete`` returns whether it is gone."""
    while True:
        try:
            gone, why = delete(), "it takes too long"
        except ClientError as problem:
            code, why = problem.response["Error"]["Code"], str(problem)
            gone = code.endswith(".NotFound")
            if not gone and code not in ("DependencyViolation", "RequestLimitExceeded"):
                return why
        except BotoCoreError as problem:
            return str(problem)
        if gone:
            return ""
        if time.monotonic() > until:
            return why
        time.sleep(pause)


def _end_instance(ec2: EC2Client, it: str) -> bool:
    ec2.terminate_instances(InstanceIds=[it])
    found = ec2.describe_instances(InstanceIds=[it])["Reservations"]
    return all(each["State"]["Name"] == "terminated" for one in found for each in one["Instances"])


def _delete_gateway(ec2: EC2Client, it: str) -> bool:
    for gateway in ec2.describe_internet_gateways(InternetGatewayIds=[it])["InternetGateways"]:
        for attachment in gateway["Attachments"]:
            ec2.detach_internet_gateway(InternetGatewayId=it, VpcId=attachment["VpcId"])
    ec2.delete_internet_gateway(InternetGatewayId=it)
    return True


def _by(operation: str, parameter: str) -> Callable[[EC2Client, str], bool]:
    def delete(ec2: EC2Client, it: str) -> bool:
        getattr(ec2, operation)(**{parameter: it})
        return True

    return delete


_DELETIONS: Final[dict[str, Callable[[EC2Client, str], bool]]] = {
    "instance": _end_instance,
    "network-interface": _by("delete_network_interface", "NetworkInterfaceId"),
    "subnet": _by("delete_subnet", "SubnetId"),
    "route-table": _by("delete_route_table", "RouteTableId"),
    "network-acl": _by("delete_network_acl", "NetworkAclId"),
    "security-group": _by("delete_security_group", "GroupId"),
    "internet-gateway": _delete_gateway,
    "vpc": _by("delete_vpc", "VpcId"),
    "key-pair": _by("delete_key_pair", "KeyPairId"),
}
"""By kind, as ``TagSpecifications`` call it, in the order in which AWS allows it."""
