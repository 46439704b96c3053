"""What is left of a lab in its account once it has been taken down: the evidence of the last chapter."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from kthw.observed.values import Identifier, MaybeAddress, MaybeIdentifier, Name

LeftoverKind = Literal[
    "instance",
    "load-balancer",
    "target-group",
    "nat-gateway",
    "elastic-ip",
    "volume",
    "network-interface",
    "internet-gateway",
    "security-group",
    "subnet",
    "route-table",
    "vpc",
    "key-pair",
]
"""In the order in which AWS lets them be deleted: what holds another comes before it."""
GOING: Final = ("shutting-down", "deleting", "detaching")
"""States of what AWS is taking away already."""


class Leftover(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One resource of the lab's that is still there.

    ``id``: as its deletion names it (``vol-0ab…``, a load balancer's ARN, a key pair's name). ``vpc``: the
    one it is in, or is attached to. ``address``: of an elastic IP. ``ingress`` and ``egress``: of a security
    group, the rules of others that name it, because of which AWS does not delete it: ``sg-0ab…:sgr-0cd…``.
    """

    kind: LeftoverKind
    id: Identifier
    name: Name = ""
    state: MaybeIdentifier = ""
    vpc: MaybeIdentifier = ""
    address: MaybeAddress = ""
    ingress: tuple[Identifier, ...] = ()
    egress: tuple[Identifier, ...] = ()

    @property
    def is_going(self) -> bool:
        """Whether AWS is taking it away already."""
        return self.state in GOING
