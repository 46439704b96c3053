"""The faults of the catalogue that one practises on, and what each of them takes hold of.

Not all are fit for it: nobody is locked out (then ``check`` could look at less than was broken), nothing is
launched or stopped (that takes AWS's time), and each is put right by what the suite prints. Those chosen
together change different things and are told by different codes, so that neither hides the other and each
can be ticked off by itself; ``tests.practice`` tries it.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from sandbox.faults.catalogue import FAULTS
from sandbox.faults.fault import Fault

Side = Literal["routes", "filters", "nodes"]
ONE_TABLE: Final = "tutorial"
TWO_TABLES: Final = "two subnets"
_BOTH: Final = (ONE_TABLE, TWO_TABLES)


class Exercise(msgspec.Struct, frozen=True, kw_only=True):
    """``fault``: its name in the catalogue. ``side``: where it is: in the VPC's ``routes``, in what its
    ``filters`` let through, or on the ``nodes``. ``touches``: what it changes. ``stages``: the labs it works
    in (``sandbox.faults.stages``). ``easy``: one command mends it, and nobody logs in anywhere for it.
    """

    fault: str
    side: Side
    touches: tuple[str, ...]
    stages: tuple[str, ...] = (ONE_TABLE,)
    easy: bool = False

    @property
    def data(self) -> Fault:
        """The fault itself."""
        return _NAMED[self.fault]


_NAMED: Final = {fault.name: fault for fault in FAULTS}


def _route(fault: str, *touches: str, stages: tuple[str, ...] = (ONE_TABLE,)) -> Exercise:
    return Exercise(fault=fault, side="routes", touches=touches, stages=stages, easy=stages[0] == ONE_TABLE)


def _filter(fault: str, touches: str, stage: str) -> Exercise:
    return Exercise(fault=fault, side="filters", touches=(touches,), stages=(stage,), easy=stage == ONE_TABLE)


def _node(fault: str) -> Exercise:
    return Exercise(fault=fault, side="nodes", touches=("node",), stages=_BOTH)


EXERCISES: Final = (
    _route("one route forgotten", "route 1"),
    _route("half a route", "route 1"),
    _route("one route in the main table", "route 2"),
    _route("route to a controller", "route 1"),
    _route("route to the internet gateway", "route 1"),
    _route("interface deleted", "route 1"),
    _route("half of the range diverted", "route 1"),
    _route("leftover to a controller", "route 9"),
    _route("table never associated", "table", "route 1", "route 2", "route 9"),
    _route("source/dest check on again", "check", stages=_BOTH),
    _route("route only in the other subnet's table", "route 1", stages=(TWO_TABLES,)),
    _route("route missing in both tables", "route 1", stages=(TWO_TABLES,)),
    _filter("no rule for the nodes", "group", ONE_TABLE),
    _filter("TCP only", "group", ONE_TABLE),
    _filter("ping only", "group", ONE_TABLE),
    _filter("ACL denies the other nodes", "acl", TWO_TABLES),
    _filter("ACL denies what goes to the pods", "acl", TWO_TABLES),
    _filter("ACL without the answers' ports", "acl", TWO_TABLES),
    _filter("ACL denies ping", "acl", TWO_TABLES),
    _node("forwarding off on one node"),
    _node("FORWARD policy is DROP"),
    _node("a rule rejects what is forwarded"),
    _node("a mangle rule drops DNS on its way out"),
    _node("a node's route to a peer is unreachable"),
    _node("CNI subnet of nobody"),
)
