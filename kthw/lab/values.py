"""What may stand after an option, or in the lab file: the same for both."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from kthw.foreign import printable
from kthw.intended import tutorial
from kthw.intended.cluster import NETWORKS, BadNames
from kthw.intended.selectors import asked_workers
from kthw.target import REGION
from kthw.words.messages import LANGUAGES

_SHAPES: Final[Mapping[str, tuple[re.Pattern[str], str]]] = MappingProxyType(
    {
        "expect-account": (re.compile(r"[0-9]{12}"), "run-bad-account"),
        "expect-workers": (re.compile(r"[1-9][0-9]{0,3}"), "run-bad-count"),
        "region": (REGION, "lab-bad-region"),
        "student": (re.compile(r"\S(?:.{0,98}\S)?"), "run-bad-student"),
        "ssh-user": (re.compile(r"[\w.][\w.-]*"), "run-bad-user"),
    }
)
_WORDS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = MappingProxyType(
    {
        "after": (tutorial.CHAPTERS, "run-bad-chapter"),
        "language": (LANGUAGES, "run-bad-language"),
        "network": (NETWORKS, "run-bad-network"),
    }
)


@contextlib.contextmanager
def of_option(name: str) -> Iterator[None]:
    """Within it, a ``BadNames`` is about a list of names that this option was given."""
    try:
        yield
    except BadNames as problem:
        problem.option = name if name == "also" else ""
        raise


def check(name: str, value: str) -> None:
    """Raise ``BadNames`` where ``value`` is none that the option ``name`` (without its hyphens) can have.

    What depends on more than the value is told by whoever knows that: pod CIDRs, files.
    """
    if name in ("workers", "also"):
        with of_option(name):
            asked_workers(value)
    shape, complaint = _SHAPES.get(name, (None, ""))
    if shape and not shape.fullmatch(value):
        raise BadNames(complaint, value=value)
    words, complaint = _WORDS.get(name, ((), ""))
    if words and value not in words:
        raise BadNames(complaint, value=value, known=", ".join(words)).among(words, value)
    if not value or printable(value, len(value)) != value:
        raise BadNames("lab-unprintable", name=name)
