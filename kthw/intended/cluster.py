"""The intended cluster: which workers should be there, and how far the student has come."""

from __future__ import annotations

import re

import msgspec

from kthw.intended import tutorial

_RANGE = re.compile(r"\[(\d+)-(\d+)\]")
_MOST_WORKERS = 2000


class Intended(msgspec.Struct, frozen=True, kw_only=True):
    """``workers`` by Name tag, in order, each once; ``after`` is the last chapter finished."""

    workers: tuple[str, ...]
    after: str = "routes"

    def __post_init__(self) -> None:
        if self.after not in tutorial.CHAPTERS:
            known = ", ".join(tutorial.CHAPTERS)
            raise ValueError(f"{self.after!r} is no chapter; the chapters are: {known}")

    def has_finished(self, chapter: str) -> bool:
        """Whether ``chapter`` is behind the student."""
        return tutorial.CHAPTERS.index(chapter) <= tutorial.CHAPTERS.index(self.after)


def worker_names(text: str) -> tuple[str, ...]:
    """The names meant by ``--workers``: comma-separated, each maybe with one range ``worker-[0-199]``.

    Raises ``ValueError``, with a sentence for the person who typed it, for an empty list, an empty
    name, a name given twice or a range that runs backwards.
    """
    names: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        found = _RANGE.search(part)
        if found:
            first, last = int(found[1]), int(found[2])
            if last < first:
                raise ValueError(f"the range {found[0]} runs backwards; write [{last}-{first}]")
            if last - first >= _MOST_WORKERS:
                raise ValueError(f"the range {found[0]} names more than {_MOST_WORKERS} workers")
            names += [f"{part[: found.start()]}{n}{part[found.end() :]}" for n in range(first, last + 1)]
        elif not part or any(c in part for c in "[]"):
            raise ValueError(f"{part!r} is no worker name; write worker-0,worker-1 or worker-[0-2]")
        else:
            names.append(part)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} is named twice")
    return tuple(names)
