"""What is said where nobody is found: who is there, what might have been meant, and where else to look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kthw.words.messages import Catalogue, Refused
from kthw.words.pasting import one_line


class Nobody(Refused, Protocol):
    """What was asked for and not found, as far as its words need it."""

    @property
    def there(self) -> Sequence[str]: ...
    @property
    def count(self) -> int: ...
    @property
    def better(self) -> str: ...
    @property
    def abroad(self) -> Sequence[str]: ...
    @property
    def abroad_in(self) -> str: ...
    @property
    def looked(self) -> int: ...


def screen(words: Catalogue, nobody: Nobody, again: str) -> str:
    """A screen of lines. ``again``: the command that asks, without its ``--workers``."""
    say = words.say
    lines = [words.refusal(nobody)]
    lines.append(say("run-workers-there" if nobody.there else "run-workers-none-there"))
    lines += [f"  {noun}" for noun in map(one_line, nobody.there)]
    more = nobody.count - len(nobody.there)
    if more:
        lines.append("  " + say("run-workers-more", count=more))
    if nobody.abroad:
        lines.append(say("run-workers-abroad", found=", ".join(nobody.abroad)))
        facts = {"region": nobody.abroad_in, "value": nobody.facts.get("value", "")}
        lines.append("  " + say("run-workers-look-there", again=again, **facts))
    elif nobody.looked:
        lines.append(say("run-workers-not-abroad", looked=nobody.looked))
    if nobody.better:
        lines.append(say("run-workers-better"))
        lines.append("  " + say("run-workers-so", again=again, selector=nobody.better))
    return "\n".join(lines)
