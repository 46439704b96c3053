"""``check``, ``hint`` and ``reveal``: what one types in the shell of an exercise.

``python -m sandbox.practice COMMAND DIRECTORY``, with the sandbox's folder; ``sandbox.practice.run`` lays
them on PATH.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from kthw.start import loaded
from kthw.words.messages import catalogue, language_of
from sandbox.faults.stages import STAGES
from sandbox.practice import look, session
from sandbox.practice.pool import Exercise
from sandbox.practice.session import SHARES, Session
from sandbox.practice.telling import tell

_ALL_HOLD, _SOMETHING_WRONG, _CANNOT_TELL = 0, 1, 2
_MOST_PAIRS: Final = 12
Say = Callable[..., str]


def main(arguments: list[str]) -> int:
    """Run one of them; return the exit code. 0: all holds, or it was told. 1: something is wrong. 2: that
    could not be found out. 130: interrupted."""
    loaded()
    name, directory = arguments[0], Path(arguments[1])
    command = {"check": check, "hint": hint, "reveal": reveal}[name]
    try:
        with session.kept(directory) as exercise:
            return command(exercise, directory, catalogue(exercise.language).say)
    except FileNotFoundError:
        tell(catalogue(language_of(os.environ)).say("practice-over"))
        return _CANNOT_TELL
    except KeyboardInterrupt:
        # Between the suite's own times: while it runs, Ctrl-C is the suite's, which says what came of it.
        tell(catalogue(language_of(os.environ)).say("practice-interrupted"))
        return 130


def check(exercise: Session, directory: Path, say: Say) -> int:
    """The suite's verdict without its answer: how much holds, and where it does not."""
    tell(say("practice-looking"), aside=True)
    found = looked(exercise, directory)
    if found is None:
        tell(say("practice-no-verdict", detail=look.last_words(directory)))
        return _CANNOT_TELL
    tell(*verdict(exercise, found, say))
    return _ALL_HOLD if found.right else _SOMETHING_WRONG


def looked(exercise: Session, directory: Path, *, told: bool = False) -> look.Seen | None:
    """What the suite sees now, noted in the session."""
    found = look.look(directory, STAGES[exercise.drawn.stage].options, exercise.language, told=told)
    if found:
        exercise.checks += 1
        exercise.looked(found.codes, everything=not found.unseen, right=found.right)
    return found


def verdict(exercise: Session, found: look.Seen, say: Say) -> Iterator[str]:
    """The lines that ``check`` prints."""
    right, count = found.holding
    if found.right:
        yield say("practice-right", count=count)
        yield say("practice-solved", score=exercise.score)
        return
    yield say("practice-wrong", right=right, count=count)
    for area, (its_right, its_count) in found.areas.items():
        if its_right < its_count:
            named = say(f"report-area-{area}")
            yield f"    {say('practice-area', area=named, right=its_right, count=its_count)}"
    if found.lost:
        yield f"  {say('practice-lost')}"
        yield from (f"    {pair}" for pair in found.lost[:_MOST_PAIRS])
        if len(found.lost) > _MOST_PAIRS:
            yield f"    {say('practice-lost-more', count=len(found.lost) - _MOST_PAIRS)}"
    if found.unseen:
        yield f"  {say('practice-unseen', what=', '.join(found.unseen))}"
    mended = sum(exercise.mended)
    if exercise.count > 1 and mended and not exercise.revealed:
        yield f"  {say('practice-mended', mended=mended, count=exercise.count)}"


def hint(exercise: Session, _directory: Path, say: Say) -> int:
    """The next one, and what it has cost."""
    if exercise.revealed or exercise.solved:
        tell(say("practice-hint-needless"))
        return _ALL_HOLD
    given = exercise.take_hint()
    if given is None:
        tell(say("practice-hint-none"))
        return _ALL_HOLD
    about, number, place = given
    lines = (
        say("practice-hint-number", place=place, most=len(SHARES), number=number, count=exercise.count),
        hinted(about, place, say),
        say("practice-hint-cost", cost=SHARES[place - 1], best=exercise.best),
    )
    tell(*lines)
    return _ALL_HOLD


def hinted(about: Exercise, place: int, say: Say) -> str:
    """The hint about a fault in that place, from 1: on which side it is, what to compare, and nearly what."""
    what, worker = about.data.expected[0].split()
    code, _, _ = what.partition(".")
    return say(f"practice-hint-{about.side if place == 1 else f'{code}-{place}'}", worker=worker)


def reveal(exercise: Session, directory: Path, say: Say) -> int:
    """What was done, and all that the suite says; what is not mended by now is worth nothing."""
    found = looked(exercise, directory, told=True)
    if found is None:
        tell(say("practice-no-verdict", detail="—"))
        return _CANNOT_TELL
    exercise.revealed = True
    language = {"en": "en", "pt-BR": "pt"}[exercise.language]
    done = [getattr(each.data, language) for each in exercise.drawn.exercises]
    tell("", say("practice-done"), *(f"  {each}" for each in done), "")
    tell(say("practice-revealed", score=exercise.score))
    return _ALL_HOLD


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
