"""Workers that are asked for by what they are: what ``--workers`` takes beside names and ranges."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Collection, Iterable, Mapping
from ipaddress import IPv4Address
from typing import Final

import msgspec

from kthw.foreign import printable
from kthw.intended.cluster import MOST_WORKERS, BadNames, each_named, is_worker_name

NAME: Final = "tag:Name"
ID: Final = "instance-id"
ADDRESS: Final = "private-ip-address"
_TAG: Final = "tag:"
_AN_ID: Final = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_WILD: Final = re.compile(r"[*?]")
_LONGEST: Final = 400
"""Characters of a selector: a tag's key has 128 at most, its value 256."""


class Selector(msgspec.Struct, frozen=True, kw_only=True):
    """``text`` as it was typed. ``filters``: EC2's names of filters, each with a pattern that must be met.

    In a pattern ``*`` is anything and ``?`` one character, as in a shell; case counts.
    """

    text: str
    filters: tuple[tuple[str, str], ...]

    def meets(self, facts: Mapping[str, Collection[str]]) -> bool:
        """Whether an instance is meant of which these values are known, by the name of the filter."""
        return all(any(_fits(value, wanted) for value in facts.get(key, ())) for key, wanted in self.filters)


class FoundNobody(BadNames):
    """``selector`` is met by no instance. What is there instead:

    ``there``: a noun for each, of ``count`` in all. ``better``: what might have been meant, or empty.
    ``abroad``: a noun for each that meets it in another region, the first in ``abroad_in``; ``looked``: how
    many other regions answered.
    """

    def __init__(
        self, selector: Selector, there: Iterable[str], count: int, better: str, **facts: str
    ) -> None:
        super().__init__("run-workers-nobody", selector=selector.text, **facts)
        self.selector = selector
        self.there = tuple(there)
        self.count = count
        self.better = better
        self.abroad: tuple[str, ...] = ()
        self.abroad_in = ""
        self.looked = 0


def asked_workers(text: str) -> tuple[str | Selector, ...]:
    """The names and selectors that ``--workers`` has, in their order, with commas between; ranges spelt out.

    Selectors: a Name tag with ``*`` or ``?`` in it, ``tag:KEY=VALUE`` (VALUE may be such a pattern), an
    instance id, a private address, and ``NAME@ADDRESS`` or ``NAME@ID``. Raises ``BadNames``.
    """
    return tuple(each if _is_name(each) else _selector(each, text) for each in each_named(text, _is_name))


def _is_name(part: str) -> bool:
    """Whether it is to be read as a plain Name tag."""
    at = part.rpartition("@")
    return not (
        part.startswith(_TAG)
        or _WILD.search(part)
        or _AN_ID.fullmatch(part)
        or _is_address(part)
        or (at[0] and (_is_address(at[2]) or _AN_ID.fullmatch(at[2])))
    )


def _selector(part: str, text: str) -> Selector:
    filters = _filters(part)
    if not filters or len(part) > _LONGEST or part != printable(part, _LONGEST):
        raise BadNames("run-bad-selector", value=text, part=part)
    return Selector(text=part, filters=filters)


def _filters(part: str) -> tuple[tuple[str, str], ...]:
    if part.startswith(_TAG):
        key, equals, wanted = part.removeprefix(_TAG).partition("=")
        return ((f"{_TAG}{key}", wanted),) if key and equals else ()
    if _AN_ID.fullmatch(part):
        return ((ID, part),)
    if _is_address(part):
        return ((ADDRESS, part),)
    name, _, place = part.rpartition("@")
    of_place = (
        ((ID, place),) if _AN_ID.fullmatch(place) else ((ADDRESS, place),) if _is_address(place) else ()
    )
    name = name if of_place else part
    return ((NAME, name), *of_place) if is_worker_name(_WILD.sub("x", name)) else ()


def _is_address(part: str) -> bool:
    try:
        return str(IPv4Address(part)) == part
    except ValueError:
        return False


def _fits(value: str, wanted: str) -> bool:
    # In fnmatch a bracket opens a set of characters; for us it is one of them.
    return fnmatch.fnmatchcase(value, wanted.replace("[", "[[]"))


def refuse_too_many(workers: Collection[str], text: str) -> None:
    """Raise ``BadNames`` where more were found than are ever judged at once."""
    if len(workers) > MOST_WORKERS:
        raise BadNames("run-workers-too-many", value=text, count=str(len(workers)), most=str(MOST_WORKERS))
