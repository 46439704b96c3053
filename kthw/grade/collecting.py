"""Which files were handed in: of folders, archives and files, in an order that is always the same."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from kthw.grade import hand_in
from kthw.grade.hand_in import MOST_FILES, BadFile, HandIn, is_ours
from kthw.intended.cluster import BadNames

_DEEPEST = 8


def collected(named: Sequence[str]) -> list[HandIn]:
    """All that may be of a student's, by what was named at the command line.

    Raises ``BadNames`` for what is not there, for none at all and for too many.
    """
    found: list[HandIn] = []
    for name in named:
        path = Path(name)
        if not os.path.lexists(path):
            raise BadNames("grade-no-such", value=name)
        for each in _of(path):
            found.append(each)
            if len(found) > MOST_FILES:
                raise BadNames("grade-too-many", value=name, most=str(MOST_FILES))
    return found


def _of(path: Path) -> Iterator[HandIn]:
    if path.is_dir():
        yield from _in_folder(path, "", 0)
    elif path.suffix.lower() == ".zip":
        yield from _in_archive(path, "") or ()
    else:
        yield HandIn(file=str(path), name=_beside(path))


def _beside(path: Path) -> str:
    """A file's name, below the folder that says whose it is where it says nothing itself."""
    parent = path.absolute().parent
    folder = parent.parent.name if parent.name == "reports" else parent.name
    return f"{folder}/{path.name}" if path.name == "report.json" else path.name


def _in_folder(folder: Path, above: str, depth: int) -> Iterator[HandIn]:
    try:
        entries = sorted(os.scandir(folder), key=lambda each: each.name)
    except OSError:
        yield HandIn(file=str(folder), name=above or folder.name, bad="unread")
        return
    for entry in entries:
        name = f"{above}{entry.name}"
        if not is_ours(entry.name):
            continue
        if entry.is_symlink():
            yield HandIn(file=entry.path, name=name, bad="link")
        elif entry.is_dir():
            if depth < _DEEPEST:
                yield from _in_folder(Path(entry.path), f"{name}/", depth + 1)
        elif name.lower().endswith(".zip"):
            yield from _in_archive(Path(entry.path), f"{name}/", one=True)
        else:
            yield HandIn(file=entry.path, name=name, bad="" if entry.is_file() else "special")


def _in_archive(path: Path, above: str, *, one: bool = False) -> Iterator[HandIn]:
    """``one``: it may be a single student's, packed; then it is read as one file, and so it is named."""
    try:
        with hand_in.opened(path) as file, hand_in.archive(file) as packed:
            listed = sorted(each for each in hand_in.members(packed) if is_ours(each[0]))
    except BadFile as problem:
        yield HandIn(file=str(path), name=(above or path.name).rstrip("/"), bad=problem.why)
        return
    recordings = [each for each in listed if HandIn(file="", name=each[0]).is_candidate]
    if one and len(recordings) < 2:
        yield HandIn(file=str(path), name=above.rstrip("/"))
        return
    for member, bad in listed:
        yield HandIn(file=str(path), name=f"{above}{member}", member=member, bad=bad)
