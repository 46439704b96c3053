"""Two faults at once: neither may hide the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sandbox.faults.fault import Fault, together

NAMES: Final = (
    ("one route forgotten", "source/dest check on again"),
    ("one route forgotten", "no rule for the nodes"),
    ("one route forgotten", "forwarding off on one node"),
    ("one route forgotten", "FORWARD policy is DROP"),
    ("two workers swapped", "forwarding off on all nodes"),
    ("two workers swapped", "source/dest check never switched off"),
    ("route to a controller", "egress to the nodes only"),
    ("route to a NAT gateway", "source/dest check on again"),
    ("half of the range diverted", "CNI subnet of nobody"),
    ("half of the range diverted", "a rule rejects what is forwarded"),
    ("leftover to a controller", "CNI file removed"),
    ("leftover of a fourth worker", "TCP only"),
    ("interface deleted", "ping only"),
    ("table never associated", "no rule for the nodes"),
    ("table never associated", "forwarding off on one node"),
    ("one route in the main table", "source/dest check on again"),
    ("subnet taken out of the local route", "one route forgotten"),
    ("local route replaced", "forwarding off on one node"),
    ("no default route", "one route forgotten"),
    ("no default route in the second table", "route only in the other subnet's table"),
    ("ACL denies what goes to the pods", "route only in the other subnet's table"),
    ("pod-cidr misspelt", "source/dest check on again"),
    ("worker named in another style", "no rule for the nodes"),
    ("another machine of the same name", "one route in the main table"),
    ("one POD_CIDR in all terminals", "source/dest check on again"),
    ("a node's route to a peer is unreachable", "route to the internet gateway"),
    ("one route forgotten", "plugins in the package's folder"),
    ("no UDP between the nodes", "forwarding off on one node"),
    ("a rule drops UDP", "a bridge of 1300 bytes"),
    ("a rule of nftables loses a fifth", "FORWARD accepts pings and TCP only"),
    ("no rule for the pods, masquerade off", "source/dest check on again"),
    ("one kernel route forgotten", "kernel routes, and the check on at one node"),
    ("kernel route through a controller", "kernel routes, and no rule for the nodes"),
    ("no kernel routes at all", "kernel routes, and forwarding off"),
    ("kernel route for a mistyped range", "a node's own pods handed to its peer"),
    ("a node drops what its kernel route was for", "kernel routes, and the check never switched off"),
    (
        "no route at all between two subnets",
        "a kernel route for all pods through an address of another subnet",
    ),
)


def pairs(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """The pairs above, both of each in the stage of the one that needs a special one."""
    named = {fault.name: fault for fault in faults}
    return tuple(together(named[one], named[other]) for one, other in NAMES)
