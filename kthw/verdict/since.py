"""What changed from one run to a later one: which causes are new, gone, still there, or were not looked at.

A cause is gone only where the checks that told it were answered this time; where they could not be, it is
told apart: silence of a check that could not look is no good news.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from kthw.findings.finding import Cause
from kthw.observed.values import Name
from kthw.words.messages import Catalogue
from kthw.words.moments import moment
from kthw.words.pasting import one_line

MOST_TELLERS: Final = 20
_MOST_NAMED: Final = 3
_INSTANCE: Final = re.compile(r" \(i-[0-9a-z]+(?:, [\d.]+)?\)")
_INTERFACE: Final = re.compile(r"\beni-[0-9a-z]+\b")
_ID: Final = re.compile(r"\b([a-z]{1,8})-[0-9a-f]{8,17}\b")
KINDS: Final = ("new", "uncovered", "still", "hidden", "gone")
"""In the order in which a reader wants them."""

Teller = tuple[Name, Name]
"""A check and its subject."""


class Stood(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A cause that stood, and the first checks that told it. ``subject`` is fit to be shown."""

    code: Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,60}\Z")]
    subject: Name
    worker: Name = ""
    told_by: Annotated[tuple[Teller, ...], Meta(max_length=MOST_TELLERS)] = ()

    def known_by(self, *, ids_last: bool) -> Cause:
        """By what it is the same cause in another run: not by an instance that may have been replaced.

        ``ids_last``: whether what AWS calls its things stays; a private sandbox names all anew each time.
        """
        name = _INTERFACE.sub("eni-…", _INSTANCE.sub("", self.subject))
        return self.code, name if ids_last else _ID.sub(r"\1-…", name)


class Standing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one run came to, as far as it can be compared. ``at``: when it looked.

    ``missed``: by check, the subjects it was not answered for; all of them where none is named.
    ``private``: of a sandbox, or of an endpoint on this machine. ``cut``: how many causes more there were
    than are named here: then nobody knows of one that is not named whether it was there.
    """

    at: Name
    causes: tuple[Stood, ...] = ()
    missed: Mapping[str, tuple[str, ...]] = {}
    private: bool = False
    cut: int = 0

    def would_tell(self, cause: Stood) -> bool:
        """Whether that cause would be here, had it been there: all that tell it were asked, none is cut."""
        return not self.cut and all(map(self.was_asked, cause.told_by))

    def was_asked(self, teller: Teller) -> bool:
        """Whether that check was answered, yes or no, for that subject."""
        check, subject = teller
        subjects = self.missed.get(check)
        return subjects is None or bool(subjects and subject not in subjects)


class Since(Struct, frozen=True, kw_only=True):
    """What changed since ``at``. ``uncovered``: is there, and was not looked at then, or may have
    been cut off; ``hidden``: was there, and was not looked at now, or may have been cut off."""

    at: str
    new: tuple[Stood, ...] = ()
    uncovered: tuple[Stood, ...] = ()
    still: tuple[Stood, ...] = ()
    hidden: tuple[Stood, ...] = ()
    gone: tuple[Stood, ...] = ()

    def of(self, kind: str) -> tuple[Stood, ...]:
        """One of ``KINDS``."""
        found: tuple[Stood, ...] = getattr(self, kind)
        return found

    @property
    def is_worse(self) -> bool:
        """Whether something is wrong that was not seen before."""
        return bool(self.new or self.uncovered)

    def lines(self, words: Catalogue) -> list[str]:
        """A sentence with the counts, and one that names the first of what changed."""
        at = moment(self.at, words)
        counts = [words.say(f"since-{kind}", count=len(self.of(kind))) for kind in KINDS if self.of(kind)]
        if not counts:
            return [words.say("since-nothing", at=at)]
        said = [words.say("since-counts", at=at, counts=", ".join(counts))]
        changed = [kind for kind in KINDS if kind != "still" and self.of(kind)]
        named = [
            words.say(f"since-which-{kind}", which=named_briefly(self.of(kind), words)) for kind in changed
        ]
        return [*said, *([" ".join(named)] if named else [])]

    def document(self) -> dict[str, Any]:
        """For ``report.json``."""
        causes = {
            kind: [{"code": each.code, "subject": each.subject} for each in self.of(kind)] for kind in KINDS
        }
        return {"at": self.at, **causes}


def named_briefly(causes: Sequence[Stood], words: Catalogue) -> str:
    """The first few of them, those of a code together and without ids, and how many more there are."""
    by_code: dict[str, list[str]] = {}
    for each in causes[:_MOST_NAMED]:
        by_code.setdefault(each.code, []).append(_INSTANCE.sub("", one_line(each.subject)))
    shown = ", ".join(f"{code} ({'; '.join(subjects)})" for code, subjects in by_code.items())
    more = len(causes) - _MOST_NAMED
    return words.say("since-more", which=shown, count=more) if more > 0 else shown


def since(before: Standing, now: Standing) -> Since:
    """What changed from the one to the other, in the order in which each run tells its causes."""
    ids_last = not (before.private or now.private)
    was = {each.known_by(ids_last=ids_last): each for each in before.causes}
    there = {each.known_by(ids_last=ids_last): each for each in now.causes}
    fresh = [each for key, each in there.items() if key not in was]
    left = [each for key, each in was.items() if key not in there]
    return Since(
        at=before.at,
        new=tuple(each for each in fresh if before.would_tell(each)),
        uncovered=tuple(each for each in fresh if not before.would_tell(each)),
        still=tuple(each for key, each in there.items() if key in was),
        hidden=tuple(each for each in left if not now.would_tell(each)),
        gone=tuple(each for each in left if now.would_tell(each)),
    )
