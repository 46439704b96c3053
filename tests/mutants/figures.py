"""What came of the mutants: counted, and told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from tests.mutants.sources import Key, Mutant
from tests.mutants.trying import Outcome

COLUMNS: Final = ("mutants", "killed", "timed out", "equivalent", "surviving", "of these untested")
_MARK: Final = "<!-- what the command wrote, {}: {} -->\n"


class Results:
    """The outcomes of one run; ``listed``: the mutants that are argued to be equivalent."""

    def __init__(self, listed: Collection[Key]) -> None:
        self._listed = listed
        self.outcomes: dict[Key, tuple[Mutant, Outcome]] = {}
        self.unnoticed = 0

    def add(self, mutant: Mutant, outcome: Outcome) -> None:
        """One more."""
        self.outcomes[mutant.key] = (mutant, outcome)
        self.unnoticed += not (outcome.by or outcome.timed_out)

    @property
    def surviving(self) -> list[Mutant]:
        """Those that no test noticed, and nobody argued about, in the order of the sources."""
        left = [mutant for mutant, _ in self.outcomes.values() if self.survives(mutant)]
        return sorted(left, key=lambda mutant: (mutant.key.file, mutant.number))

    def survives(self, mutant: Mutant) -> bool:
        """Whether no test noticed it, and nobody argued about it."""
        return self._column(*self.outcomes[mutant.key]) == "surviving"

    @property
    def refuted(self) -> list[tuple[Mutant, Outcome]]:
        """Those that are listed as equivalent, and a test notices."""
        return [
            (mutant, outcome)
            for key, (mutant, outcome) in self.outcomes.items()
            if key in self._listed and (outcome.by or outcome.timed_out)
        ]

    def by_file(self) -> dict[str, Counter[str]]:
        """The numbers of each file, by column."""
        found: dict[str, Counter[str]] = {}
        for mutant, outcome in self.outcomes.values():
            counted = found.setdefault(mutant.key.file, Counter())
            counted["mutants"] += 1
            column = self._column(mutant, outcome)
            counted[column] += 1
            counted["of these untested"] += outcome.untested and column == "surviving"
        return dict(sorted(found.items()))

    def _column(self, mutant: Mutant, outcome: Outcome) -> str:
        if outcome.timed_out:
            return "timed out"
        if outcome.by:
            return "killed"
        return "equivalent" if mutant.key in self._listed else "surviving"


def table(by_file: Mapping[str, Counter[str]]) -> str:
    """A row a folder, then a row a file; Markdown."""
    folders: dict[str, Counter[str]] = {}
    for file, counted in by_file.items():
        folders.setdefault(f"{Path(file).parent.as_posix()}/", Counter()).update(counted)
    rows = [("", *COLUMNS), ("---", *("---:" for _ in COLUMNS))]
    together = {"all": sum(folders.values(), Counter())} if len(folders) > 1 else {}
    for name, counted in {**together, **folders, **by_file}.items():
        rows.append((name, *(str(counted[column]) for column in COLUMNS)))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def write(file: Path, part: str, text: str) -> None:
    """Put ``text`` between the two marks of that part of the page."""
    begin, end = (_MARK.format(part, mark) for mark in ("begin", "end"))
    before, rest = file.read_text(encoding="utf-8").split(begin)
    _, after = rest.split(end)
    file.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
