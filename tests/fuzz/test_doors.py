"""Answers of a worker and of EC2 that somebody may have made up: refused, or of their kinds; never a fault.

Seeded, in this process, and bounded. ``KTHW_FUZZ=100000 ./run test tests/fuzz`` tries more of them.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from typing import Any, Final

import msgspec
import pytest

from kthw.foreign import printable
from kthw.intended import tutorial
from kthw.observed import answers
from kthw.observed.aws import shapes
from tests.findings.clusters import healthy
from tests.fuzz.documents import mutant

MUTANTS: Final = int(os.environ.get("KTHW_FUZZ", "12000"))
NODE: Final = msgspec.to_builtins(healthy().nodes["worker-0"])
PROBLEM: Final = {"code": "node-unreadable", "detail": "ip: exit status 1", "facts": {"tool": "ip"}}

FACTS: Final = {
    "id": 7, "hostname": "ip-10-0-1-20", "addresses": ["10.0.1.20"], "ip_forward": True, "cni": NODE["cni"],
    "cni_path": ["/opt/cni/bin"], "cni_plugins": ["bridge", "host-local"],
    "cni_elsewhere": ["/usr/lib/cni/bridge"],
    "kubelet_pod_cidr": "10.200.0.0/24", "imds": "v1", "failed": [PROBLEM],
}  # fmt: skip
WAYS: Final = {
    "id": 7, "links": NODE["links"], "rp_filter": 2, "bridge_netfilter": "off", "ways": NODE["ways"],
    "firewall": NODE["firewall"],
    "lacking": ["nft"], "failed": [],
}  # fmt: skip
PROBED: Final = {
    "id": 7,
    "probes": [
        ["pod", "worker-1", "10.200.1.2", "icmp", 0, True, "", 0.4, 0, 200, 41],
        ["pod", "worker-1", "10.200.1.2", "udp", 1500, False, "no answer in 3.0 s", 0.0, 1304, 0, 0],
        ["node", "worker-0", "10.0.1.20", "icmp", 0, False, "no answer in 3.0 s", 0.0, 0, 0, 0],
        ["internet", "", tutorial.INTERNET_HOST, "tcp", 0, True, "", 12.5, 0, 0, 0],
    ],
}
ANSWERS: Final[dict[str, tuple[Any, dict[str, Any]]]] = {
    "facts": (answers.Facts, FACTS),
    "ways": (answers.Surroundings, WAYS),
    "probe": (answers.Probed, PROBED),
    "pod": (answers.PodMade, {"id": 7, "address": "10.200.0.2", "file": "10-bridge.conf", "mtu": 1500}),
    "seen": (answers.Seen, {"id": 7, "seen": [[0, "request", "cnio0", False], [1, "reply", "eth0", True]]}),
    "refused": (answers.Done, {"id": 7, "error": PROBLEM}),
}

_TAGS: Final = [{"Key": "Name", "Value": "worker-0"}]
RULE: Final = {
    "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
    "UserIdGroupPairs": [{"GroupId": "sg-0a"}], "PrefixListIds": [{"PrefixListId": "pl-0a"}],
}  # fmt: skip
INTERFACE: Final = {
    "NetworkInterfaceId": "eni-0a", "SubnetId": "subnet-0a", "VpcId": "vpc-0a",
    "PrivateIpAddress": "10.0.1.20",
    "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.1.20"}], "SourceDestCheck": False,
    "Association": {"PublicIp": "203.0.113.20"}, "Groups": [{"GroupId": "sg-0a"}],
    "Attachment": {"DeviceIndex": 0},
}  # fmt: skip
RESOURCES: Final[dict[str, tuple[Callable[[object], object], dict[str, Any]]]] = {
    "vpc": (
        shapes.vpc,
        {
            "VpcId": "vpc-0a", "CidrBlock": "10.0.0.0/16", "Tags": _TAGS,
            "CidrBlockAssociationSet": [
                {"CidrBlock": "10.1.0.0/16", "CidrBlockState": {"State": "associated"}}
            ],
        },
    ),
    "subnet": (
        shapes.subnet,
        {"SubnetId": "subnet-0a", "VpcId": "vpc-0a", "CidrBlock": "10.0.1.0/24", "Tags": _TAGS},
    ),
    "gateway": (
        shapes.internet_gateway,
        {"InternetGatewayId": "igw-0a", "Attachments": [{"VpcId": "vpc-0a", "State": "available"}]},
    ),
    "table": (
        shapes.route_table,
        {
            "RouteTableId": "rtb-0a", "VpcId": "vpc-0a", "Tags": _TAGS,
            "Associations": [
                {"Main": False, "SubnetId": "subnet-0a", "AssociationState": {"State": "associated"}}
            ],
            "Routes": [
                {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"},
                {"DestinationCidrBlock": "10.200.0.0/24", "InstanceId": "i-0a", "Origin": "CreateRoute"},
                {"DestinationPrefixListId": "pl-0a", "NatGatewayId": "nat-0a"},
            ],
        },
    ),
    "instance": (
        shapes.instance,
        {
            "InstanceId": "i-0a", "State": {"Name": "running"}, "Tags": _TAGS, "VpcId": "vpc-0a",
            "SubnetId": "subnet-0a", "PrivateIpAddress": "10.0.1.20", "PublicIpAddress": "203.0.113.20",
            "NetworkInterfaces": [INTERFACE],
        },
    ),
    "salvaged instance": (
        shapes.salvaged,
        {"InstanceId": "i-0a", "Tags": _TAGS, "NetworkInterfaces": [INTERFACE]},
    ),
    "group": (
        shapes.security_group,
        {
            "GroupId": "sg-0a", "VpcId": "vpc-0a", "GroupName": "kubernetes", "IpPermissions": [RULE],
            "IpPermissionsEgress": [RULE],
        },
    ),
    "acl": (
        shapes.network_acl,
        {
            "NetworkAclId": "acl-0a", "VpcId": "vpc-0a", "IsDefault": True,
            "Associations": [{"SubnetId": "subnet-0a"}],
            "Entries": [
                {
                    "RuleNumber": 100, "Egress": False, "RuleAction": "allow", "Protocol": "6",
                    "CidrBlock": "0.0.0.0/0", "PortRange": {"From": 22, "To": 22},
                }
            ],
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_a_worker_s_answer_is_of_its_kind_or_is_refused(name: str) -> None:
    kind, honest = ANSWERS[name]
    line = json.dumps(honest).encode()
    assert answers.decoded(line, kind, {7})[0] == 7
    chance = random.Random(f"answer {name}")  # noqa: S311 -- a seed, no secret
    refusals = []
    for _ in range(MUTANTS // len(ANSWERS)):
        try:
            _, answer = answers.decoded(json.dumps(mutant(line, chance)).encode(), kind, {7})
        except answers.UnfitError as refused:
            refusals.append(str(refused))
        else:
            assert isinstance(answer, kind | answers.Problem)
            _is_of_its_types(answer)
    assert refusals
    assert [said for said in refusals if printable(said, len(said)) != said] == []


@pytest.mark.parametrize("name", RESOURCES)
def test_a_resource_of_ec2_is_of_its_kind_or_is_refused(name: str) -> None:
    read, honest = RESOURCES[name]
    document = json.dumps(honest).encode()
    assert read(honest) is not None
    chance = random.Random(f"resource {name}")  # noqa: S311 -- a seed, no secret
    refused = 0
    for _ in range(MUTANTS // len(RESOURCES)):
        try:
            noun = read(mutant(document, chance))
        except msgspec.ValidationError as problem:
            refused += bool(str(problem))
        else:
            _is_of_its_types(noun)
    assert refused or name == "salvaged instance"


def _is_of_its_types(noun: object) -> None:
    """What is made of it can be written, and is taken again by the types that checked it."""
    msgspec.json.decode(msgspec.json.encode(noun), type=type(noun))
