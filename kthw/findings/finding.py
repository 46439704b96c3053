"""A finding: one failure mode, as data. Its words live in the message catalogues."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from kthw.findings.codes import CODES, Code
from kthw.findings.fix import Change
from kthw.observed.evidence import Probe

Cause = tuple[str, str]
"""``(code, subject)``: what a finding is known by."""


class Lost(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A probe that failed, and what stands in its way, the first obstacle first."""

    probe: Probe
    causes: tuple[Cause, ...] = ()


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong, always in the order expected, observed, nearest miss.

    ``subject`` is a noun that prints itself (``worker-1 (i-0ab…, 10.0.1.21)``). ``expected``, ``observed``
    and ``near_miss`` are notation, the same in every language (``10.200.1.0/24 → i-0ab… active``), or a
    probe; ``observed`` is ``—`` for nothing at all, ``near_miss`` empty when nothing similar was seen.
    ``worker`` is the intended worker's name. ``table`` and ``destination``: of the route it is about, if
    any. ``protocols``: which packets it stops; empty means all. ``lost``: the failed probes it is about.
    ``variant``: the situation within the code, that chooses its words. ``changes``: what its fix does to what
    was observed, command by command; empty where that cannot be said. ``lacks``: where that alone mends no
    pair, the first of what else has to be mended; ``cuts``: the first pairs that it would cut off.
    ``facts`` only fills the placeholders of the message; nothing is decided by them.
    """

    code: str
    subject: str
    worker: str
    expected: str
    observed: str | Probe
    near_miss: str | Probe = ""
    table: str = ""
    destination: str = ""
    protocols: tuple[str, ...] = ()
    lost: tuple[Lost, ...] = ()
    variant: str = ""
    changes: tuple[Change, ...] = ()
    lacks: tuple[Cause, ...] = ()
    cuts: tuple[str, ...] = ()
    facts: dict[str, str] = {}

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"unknown finding code {self.code!r}")

    @property
    def cause(self) -> Cause:
        """What it is known by."""
        return self.code, self.subject

    @property
    def about(self) -> Code:
        """What its code says of it."""
        return CODES[self.code]

    @property
    def explained_by(self) -> tuple[str, ...]:
        """The codes of what stands in the way of its lost probes, each once."""
        return explaining(self.lost)

    def stops(self, protocol: str) -> bool:
        """Whether it is in the way of packets of that protocol."""
        return not self.protocols or protocol in self.protocols


def explaining(told: Iterable[Lost]) -> tuple[str, ...]:
    """The codes of what stands in their way, each once."""
    # Probes that meet the same have the same object: each is gone through once.
    causes = {id(lost.causes): lost.causes for lost in told}
    return tuple(dict.fromkeys(code for each in causes.values() for code, _ in each))


def once(findings: Iterable[Finding]) -> list[Finding]:
    """Each (code, subject) once, the first one told, in order: one cause may be seen from many places."""
    told: dict[Cause, Finding] = {}
    for finding in findings:
        told.setdefault(finding.cause, finding)
    return list(told.values())
