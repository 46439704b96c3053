"""The tables of ``docs/interruptions.md``, from the cases that are tried.

``python -m tests.plugin.interruption_table`` writes them there anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tests.plugin.test_interruption_matrix import COVERING, EVERYTHING, MISSED
from tests.provision.test_interruptions import APPLYING, ROLLING_BACK, End
from tests.provision.test_replacing import PHASES

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "interruptions.md"
_BETWEEN: Final = re.compile(r"(<!-- (\w+): written by .*? -->\n).*?(<!-- end -->)", re.DOTALL)
_VICTIMS: Final = {
    "owner": "pytest itself",
    "worker": "an xdist worker",
    "leader": "the sandbox's leader",
    "agent": "the agent on a node",
}


def filled(page: str) -> str:
    """``page`` with each of its tables as the cases are now."""
    tables = {"suite": suite(), "routes": routes(), "replaced": replaced()}
    return _BETWEEN.sub(lambda found: f"{found[1]}{tables[found[2]]}{found[3]}", page)


def suite() -> str:
    """Phase by victim: the signals that are tried; in bold those of every run."""
    phases = list(dict.fromkeys(phase for _, phase, _ in EVERYTHING))
    rows = [[phase, *(_signals(phase, victim) for victim in _VICTIMS)] for phase in phases]
    return _table(["phase", *_VICTIMS.values()], rows)


def _signals(phase: str, victim: str) -> str:
    told = []
    for case in EVERYTHING:
        if case[1:] == (phase, victim):
            name = f"**{case[0]}**" if case in COVERING else case[0]
            told.append(f"{name} → 10" if phase in MISSED.get((case[0], victim), ()) else name)
    return ", ".join(told) or "–"


def routes() -> str:
    """What is there when ``apply`` or ``rollback`` of three routes ended, and what a rollback makes of it."""
    rows = [
        [f"`{action}`, {phase}", *map(_ended, ends)]
        for action, phases in (("apply", APPLYING), ("rollback", ROLLING_BACK))
        for phase, ends in phases.items()
    ]
    return _table(["the second route, at", "INT, TERM, HUP", "KILL"], rows)


def _ended(end: End) -> str:
    left = ", ".join(f"worker-{n}" for n in end.left) or "none"
    back = ", ".join(f"{n} {outcome}" for n, outcome in end.back.items()) or "nothing to take back"
    return f"there: {left}; then: {back}"


def replaced() -> str:
    """Where a route leads that ``--replace-wrong`` is replacing, or a rollback pointing back."""
    rows = [
        [f"`{phase.split(' ', 1)[0]}`, {phase.split(' ', 1)[1]}", *(_leads(*end) for end in ends)]
        for phase, ends in PHASES.items()
    ]
    return _table(["at", "INT, TERM", "KILL"], rows)


def _leads(leads: str, back: str) -> str:
    return f"leads to {leads}; then: {back or 'nothing to take back'}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
