"""The tables of ``docs/interruptions.md``, and of the same page in Portuguese, from the cases that are tried.

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

_DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
PAGES: Final = {"en": _DOCS / "interruptions.md", "pt-BR": _DOCS / "interrupcoes.pt-BR.md"}
_BETWEEN: Final = re.compile(r"(<!-- (\w+): written by .*? -->\n).*?(<!-- end -->)", re.DOTALL)
_VICTIMS: Final = {
    "owner": "pytest itself",
    "worker": "an xdist worker",
    "leader": "the sandbox's leader",
    "agent": "the agent on a node",
}
_PORTUGUESE: Final = {
    "phase": "fase", "pytest itself": "o próprio pytest", "an xdist worker": "um worker do xdist",
    "the sandbox's leader": "o líder do sandbox", "the agent on a node": "o agente num nó",
    "boot": "início", "provision": "rotas", "ssh": "ssh", "pods": "pods", "probes": "sondas",
    "judging": "julgamento", "report": "relatório",
    "the second route, at": "a segunda rota, em", "at": "em", "before": "antes de", "after": "depois de",
    "plan": "plano", "created": "criada", "repointed": "reapontada", "there": "lá", "then": "depois",
    "none": "nenhuma", "leads to": "leva a", "nothing to take back": "nada a desfazer",
    "deleted": "apagada", "gone": "sumida", "maybe": "talvez", "restored": "restaurada",
}  # fmt: skip
"""All that the tables say but for names: of programs, signals, commands, workers and the journal's events."""


def filled(page: str, language: str = "en") -> str:
    """``page`` with each of its tables as the cases are now."""
    tables = {"suite": suite(language), "routes": routes(language), "replaced": replaced(language)}
    return _BETWEEN.sub(lambda found: f"{found[1]}{tables[found[2]]}{found[3]}", page)


def suite(language: str = "en") -> str:
    """Phase by victim: the signals that are tried; in bold those of every run."""
    phases = list(dict.fromkeys(phase for _, phase, _ in EVERYTHING))
    rows = [[_said(phase, language), *(_signals(phase, victim) for victim in _VICTIMS)] for phase in phases]
    return _table([_said(each, language) for each in ("phase", *_VICTIMS.values())], rows)


def _signals(phase: str, victim: str) -> str:
    told = []
    for case in EVERYTHING:
        if case[1:] == (phase, victim):
            name = f"**{case[0]}**" if case in COVERING else case[0]
            told.append(f"{name} → 10" if phase in MISSED.get((case[0], victim), ()) else name)
    return ", ".join(told) or "–"


def routes(language: str = "en") -> str:
    """What is there when ``apply`` or ``rollback`` of three routes ended, and what a rollback makes of it."""
    rows = [
        [f"`{action}`, {_place(phase, language)}", *(_ended(end, language) for end in ends)]
        for action, phases in (("apply", APPLYING), ("rollback", ROLLING_BACK))
        for phase, ends in phases.items()
    ]
    return _table([_said("the second route, at", language), "INT, TERM, HUP", "KILL"], rows)


def _ended(end: End, language: str) -> str:
    left = ", ".join(f"worker-{n}" for n in end.left) or _said("none", language)
    back = ", ".join(f"{n} {_said(outcome, language)}" for n, outcome in end.back.items())
    back = back or _said("nothing to take back", language)
    return f"{_said('there', language)}: {left}; {_said('then', language)}: {back}"


def replaced(language: str = "en") -> str:
    """Where a route leads that ``--replace-wrong`` is replacing, or a rollback pointing back."""
    rows = []
    for phase, ends in PHASES.items():
        action, place = phase.split(" ", 1)
        rows.append([f"`{action}`, {_place(place, language)}", *(_leads(*end, language) for end in ends)])
    return _table([_said("at", language), "INT, TERM", "KILL"], rows)


def _leads(leads: str, back: str, language: str) -> str:
    then = _said(back or "nothing to take back", language)
    return f"{_said('leads to', language)} {leads}; {_said('then', language)}: {then}"


def _place(phase: str, language: str) -> str:
    """``before EVENT``, ``after EVENT``, or a word: an event's name is the journal's."""
    word, _, event = phase.partition(" ")
    return " ".join(filter(None, (_said(word, language), event)))


def _said(text: str, language: str) -> str:
    return _PORTUGUESE[text] if language == "pt-BR" else text


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    for spoken, page in PAGES.items():
        page.write_text(filled(page.read_text(encoding="utf-8"), spoken), encoding="utf-8")
