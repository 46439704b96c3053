"""A check as data: one question with a yes or no, and what must be known before it makes sense."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from kthw.findings.finding import Finding
from kthw.intended.cluster import Intended
from kthw.network.model import Network

Judge = Callable[[Network, str], Sequence[Finding]]
"""``judge(network, subject)``: what is wrong; nothing when all is as intended. Pure.

Raises ``CouldNotLook`` where the evidence does not hold what the question needs.
"""


Subjects = Callable[[Intended], Sequence[str]]
"""``subjects(intended)``: workers, or ``LAB``; nobody where it is not to be asked at all."""


def every_worker(intended: Intended) -> Sequence[str]:
    """Each intended worker."""
    return intended.workers


def every_other_machine(intended: Intended) -> Sequence[str]:
    """Each machine of ``--also``: no worker, and to reach pods all the same."""
    return tuple(intended.also)


LAB: Final = "lab"
"""The subject of what is asked once, and of no machine."""


def the_lab(intended: Intended) -> Sequence[str]:
    """The lab as a whole, once it is to be gone."""
    return (LAB,) if intended.is_cleaned_up else ()


class Skip(msgspec.Struct, frozen=True, kw_only=True):
    """Why a question makes no sense: the phrase ``reason`` with ``facts``.

    ``after``: what another check, ``told_by``, found and what is to be mended first.
    """

    reason: str
    facts: dict[str, str] = {}
    after: Finding | None = None
    told_by: str = ""


Need = Callable[[Network, str], Skip | None]
"""``need(network, subject)``: nothing where it is met, or why the question is not asked.

Raises ``CouldNotLook`` where it could not be looked at.
"""


Confirm = Callable[[str], None]
"""What a sentence of a suite is given: ``confirm(name)``, the check of that name finds nothing wrong here."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One question. ``name`` is unique; ``area`` groups it in reports and names its suite's file.

    ``chapter`` brings what it asks about: before it the question is skipped. ``subjects``: of whom it is
    asked, each intended worker as a rule. ``needs`` are asked in turn, the first that is not met decides.

    ``reads``: the kinds of AWS's resources without which it cannot pass. ``misled_by``: those without which
    it may find something wrong, whichever worker they concern; its passing stands. Those that ask the nodes,
    or measure packets, read nothing of AWS's.
    """

    name: str
    area: str
    chapter: str
    judge: Judge
    needs: tuple[Need, ...] = ()
    reads: frozenset[str] = frozenset()
    misled_by: frozenset[str] = frozenset()
    subjects: Subjects = every_worker
