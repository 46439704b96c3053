"""What is wrong, as it is shown: causes of one kind are one block, numbered, with their commands together.

The terminal, the page and the class page tell the same blocks with the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, TypeVar

import msgspec
from msgspec import Struct

from kthw.errors import LookError
from kthw.verdict.report import SYMPTOM, Report, Root
from kthw.words.messages import Catalogue, Words

Told = TypeVar("Told")
_REMARK: Final = "#"
_MUCH: Final = 6


class Cause(Struct, Generic[Told], frozen=True, kw_only=True):
    """One of a block: its number, from 1, by which all that is shown refers to it."""

    number: int
    cause: Told
    words: Words


class Block(Struct, Generic[Told], frozen=True, kw_only=True):
    """Causes of one code in one situation, told by the words for the first of them; never none."""

    code: str
    causes: tuple[Cause[Told], ...]

    @property
    def first(self) -> Cause[Told]:
        return self.causes[0]

    @property
    def why(self) -> str:
        return self.first.words.why

    @property
    def looks(self) -> bool:
        """Whether what is to be pasted changes nothing."""
        return self.first.words.looks

    def paste(self, most: int | None = None) -> str:
        """All their commands, or those of the first ``most``, to be pasted at once."""
        return together([each.words.fix for each in self.causes[:most]])


def blocks(causes: Iterable[Told], told: Callable[[Told], tuple[str, str, Words]]) -> tuple[Block[Told], ...]:
    """``causes``, in the order to mend them. ``told``: the code of one, its variant, and what is said of it.

    A block stands where its first cause does, and so do its numbers.
    """
    alike: dict[str, dict[tuple[str, bool], list[tuple[Told, Words]]]] = {}
    for cause in causes:
        code, variant, said = told(cause)
        alike.setdefault(code, {}).setdefault((variant, said.looks), []).append((cause, said))
    found: list[Block[Told]] = []
    number = 0
    for code, kinds in alike.items():
        for each in kinds.values():
            numbered = tuple(
                Cause(number=n, cause=cause, words=said) for n, (cause, said) in enumerate(each, number + 1)
            )
            number += len(each)
            found.append(Block(code=code, causes=numbered))
    return tuple(found)


def together(fixes: Sequence[str]) -> str:
    """Commands of several fixes as one paste: a whole fix, and a remark to the reader, once."""
    lines: list[str] = []
    remarks: set[str] = set()
    for fix in dict.fromkeys(filter(None, fixes)):
        for line in fix.splitlines():
            if line.startswith(_REMARK):
                if line in remarks:
                    continue
                remarks.add(line)
            lines.append(line)
    return "\n".join(lines)


def causes(report: Report, words: Catalogue) -> tuple[Block[Root], ...]:
    """What is to be mended. Where that is much, no cause says which others have to be mended with it."""

    def told(root: Root) -> tuple[str, str, Words]:
        finding = root.finding
        alone = msgspec.structs.replace(finding, lacks=()) if is_much(report) and finding.lacks else finding
        return finding.code, finding.variant, words.finding(alone)

    return report.remember(("causes", words.language), lambda: blocks(report.roots, told))


def is_much(report: Report) -> bool:
    """Whether there are so many causes that each is told in brief."""
    return len(report.roots) > _MUCH


def missed(report: Report, words: Catalogue) -> tuple[Block[LookError], ...]:
    """What could not be looked at."""

    def told(error: LookError) -> tuple[str, str, Words]:
        return error.code, error.variant, words.error(error)

    return report.remember(("missed", words.language), lambda: blocks(report.errors, told))


def start(
    wrong: Sequence[Block[Root]], unseen: Sequence[Block[LookError]]
) -> Block[Root] | Block[LookError] | None:
    """Where to begin: with the first cause. Pairs that nothing explains come after what was not seen."""
    explained = next((block for block in wrong if block.code != SYMPTOM), None)
    return explained or next(iter(unseen), None) or next(iter(wrong), None)
