"""The labs that faults and variants happen in: those of the sandbox, with all their pod routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sandbox import cni, labs
from sandbox.lab import Lab

_TUTORIAL: Final = Lab(others=())
_TWO_SUBNETS: Final = labs.lab("two-zones").but(others=(), zones=False)
_TABLE_EACH: Final = _TWO_SUBNETS.but(tables="each", acl=True)

STAGES: Final[Mapping[str, Lab]] = {
    "tutorial": Lab(others=("controller-0",)),
    "two subnets": _TABLE_EACH,
    "two subnets, one table": _TWO_SUBNETS,
    "bare": _TUTORIAL.but(cni=cni.bare),
    "two subnets, bare": _TABLE_EACH.but(cni=cni.bare),
    "main table": labs.lab("main-table").but(others=()),
    "main table, two subnets": _TWO_SUBNETS.but(tables="main"),
    "by interface": labs.lab("eni-routes").but(others=()),
    "one worker": _TUTORIAL.but(workers=1),
    "two workers": _TUTORIAL.but(workers=2),
    "twelve workers": _TUTORIAL.but(workers=12),
    "172.31": _TUTORIAL.but(vpc="172.31.0.0/16", subnets=("172.31.16.0/20",), pods="172.20.0.0/24"),
    "10.240": labs.lab("vpc-is-subnet").but(others=()),
    "192.168": _TUTORIAL.but(vpc="192.168.0.0/20", subnets=("192.168.4.0/22",), pods="10.244.0.0/24"),
    "wide pods": _TUTORIAL.but(pods="10.200.0.0/20"),
    "narrow pods": _TUTORIAL.but(pods="10.200.0.0/27"),
    "node names": _TUTORIAL.but(name="node{n}"),
    "long names": _TUTORIAL.but(name="ip-10-0-1-2{n}.eu-west-1.compute.internal"),
    "private": labs.lab("private").but(others=(), options=()),
    "node routes": _TUTORIAL.but(
        workers=2,
        others=("controller-0",),
        routes="kernel",
        others_routed=False,
        options=("--network", "node-routes"),
    ),
    "node routes, by themselves": _TUTORIAL.but(workers=2, routes="kernel"),
    "node routes, everywhere": _TUTORIAL.but(
        workers=2,
        others=("controller-0",),
        jump="jumpbox",
        routes="kernel",
        options=("--network", "node-routes", "--also", "controller-0,jumpbox"),
    ),
    "node routes, two subnets": _TABLE_EACH.but(
        workers=2, others=("controller-0",), options=("--network", "node-routes")
    ),
    "three by kernel routes": _TUTORIAL.but(routes="kernel", options=("--network", "node-routes")),
    "shared pods": _TUTORIAL.but(pods="100.64.0.0/24"),
}
