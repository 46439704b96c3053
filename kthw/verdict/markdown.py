"""A run in Markdown, as GitHub shows it: for a job's summary, and for an issue.

Pure, as the page is. Who reads it may be anybody, so no account's number is in it but for its end; and
nothing in it is trusted: a sentence with a name in it is escaped until that name is no markup, no link, no
mention and no other issue, and what is to be pasted stands in a fence that is longer than any in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from kthw.errors import LookError
from kthw.foreign import printable
from kthw.verdict.causes import Block, causes, missed, start
from kthw.verdict.outcome import outcome
from kthw.verdict.report import Report, Root
from kthw.words.messages import Catalogue
from kthw.words.pasting import one_line

MOST: Final = 60_000
"""Characters: GitHub's issues take 65,536, its summaries a megabyte."""
_MOST_ROWS: Final = 12
_MOST_PASTED: Final = 8_000
_MOST_SAID: Final = 2_000
JOINER: Final = "\u2060"
"""Nothing that is seen; what it stands in is no mention, no number of an issue and no address any more."""
_MARKUP: Final = re.compile(r"[\\`*_\[\]|~!$]")
_BEGINS: Final = re.compile(r"\A(\d*)([-+.)=:])")
_LINKS: Final = re.compile(r"(?<=[@#])|(?<=:)(?=//)|(?i:(?<=\bwww)(?=\.)|(?<=\bGH)(?=-\d))")
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ACCOUNT: Final = re.compile(r"(?<![0-9A-Za-z])[0-9]{8}([0-9]{4})(?![0-9A-Za-z])")


def markdown(report: Report, words: Catalogue, target: Sequence[str] = (), *, most: int = MOST) -> str:
    """What it came to, what is wrong and what could not be looked at, each with its command. ``target``: the
    lines that name what was looked at. At most ``most`` characters; causes that do not fit are counted.
    """
    ended = outcome(report, words)
    wrong, unseen = causes(report, words), missed(report, words)
    head = [f"## {ended.sign} {plain(ended.said)}", *map(plain, target)]
    head.append(" · ".join(f"{each.sign} {plain(each.said)}" for each in ended.counts))
    head += map(plain, ended.because)
    begin = start(wrong, unseen)
    if begin is not None:
        head.append(f"**{plain(words.say('report-start', what=begin.first.words.what))}**")
    written = "\n\n".join(filter(None, head))
    for key, sign, all_of_them in (("report-wrong", "✗", wrong), ("report-could-not-look", "!", unseen)):
        count = sum(len(block.causes) for block in all_of_them)
        parts = [_block(block, sign, words) for block in all_of_them]
        written += _as_many_as_fit(
            f"### {plain(words.say(key))} ({count})", parts, most - len(written), words
        )
    return written + "\n"


def masked_account(text: str) -> str:
    """``text`` with nothing of an account's number but its last four digits."""
    return _ACCOUNT.sub(r"…\1", text)


def plain(text: str) -> str:
    """``text`` as a paragraph that says just that."""
    said = printable(masked_account(one_line(text)), _MOST_SAID)
    said = _MARKUP.sub(r"\\\g<0>", "".join(_ENTITIES.get(c, c) for c in said))
    return _BEGINS.sub(r"\1\\\2", _LINKS.sub(JOINER, said))


def fenced(text: str) -> str:
    """``text`` to be pasted into a shell: line ends stay, and nothing in it ends the fence."""
    shown = printable(masked_account(text), _MOST_PASTED, lines=True)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sh\n{shown}\n{fence}"


def _as_many_as_fit(title: str, parts: Sequence[str], room: int, words: Catalogue) -> str:
    if not parts:
        return ""
    written = f"\n\n{title}"
    for n, part in enumerate(parts):
        more = "\n\n" + plain(words.say("night-more", count=len(parts) - n))
        if len(written) + len(part) + len(more) + 2 > room:
            return written + more
        written += f"\n\n{part}"
    return written


def _block(block: Block[Any], sign: str, words: Catalogue) -> str:
    return "\n\n".join(filter(None, _paragraphs(block, sign, words)))


def _paragraphs(block: Block[Any], sign: str, words: Catalogue) -> Iterator[str]:
    count = len(block.causes)
    subject = _subject(block.first.cause) if count == 1 else words.say("report-times", count=count)
    yield f"#### {sign} `{block.code}` · {plain(subject)}"
    yield plain(block.first.words.what)
    if count > 1:
        rows = [f"- {plain(_subject(each.cause))}" for each in block.causes[:_MOST_ROWS]]
        yield "\n".join(rows)
        if count > _MOST_ROWS:
            yield plain(words.say("night-more", count=count - _MOST_ROWS))
    yield plain(block.why)
    paste = block.paste(_MOST_ROWS)
    if 0 < len(paste) <= _MOST_PASTED:
        key = "report-look" if block.looks else "report-fix"
        key += "" if count == 1 else "-all" if count <= _MOST_ROWS else "-some"
        yield plain(words.say(key, count=min(count, _MOST_ROWS)))
        yield fenced(paste)


def _subject(cause: Root | LookError) -> str:
    return cause.finding.subject if isinstance(cause, Root) else cause.subject
