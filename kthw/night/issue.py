"""One issue for a lab that is broken: what is to be done about it after this night, and what it says. Pure.

Opened on the first red night, its text brought up to date on later ones with a word where the causes are
others, closed on a green one. A night that saw not everything neither opens nor closes anything: it says so,
once, where an issue is open.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from kthw.night.came import Night
from kthw.verdict.markdown import MOST, markdown, plain
from kthw.words.messages import Catalogue

_MARK: Final = re.compile(
    r"<!-- kthw-night since=([0-9T:+-]{10,32}) nights=([0-9]{1,6})"
    r" causes=([0-9a-f]{16}|-) last=([a-z-]{5,8}) -->"
)
_ROOM: Final = 2_000
"""Characters that stand around the report in an issue's text."""
_MOST_CODES: Final = 3


class Issue(Struct, frozen=True):
    """An open issue that bears our label, which only who may write to the repository can give it."""

    number: Annotated[int, Meta(ge=1)]
    body: str | None = ""


class Deed(Struct, frozen=True, kw_only=True):
    """One request: to the issue ``number``, or for a new one where that is 0. ``told``: what it is for."""

    told: Literal["open", "update", "comment", "close"]
    number: int = 0
    fields: dict[str, Any]


class _State(Struct, frozen=True, kw_only=True):
    """What an issue's text says of the nights before, in a comment that nobody sees."""

    since: str
    nights: int = 1
    causes: str = "-"
    last: str = "broken"

    @property
    def mark(self) -> str:
        counted = f"since={self.since} nights={self.nights}"
        return f"<!-- kthw-night {counted} causes={self.causes} last={self.last} -->"


def deeds(
    night: Night,
    there: Sequence[Issue],
    label: str,
    words: Catalogue,
    *,
    target: Sequence[str] = (),
    run: str = "",
    now: datetime | None = None,
) -> tuple[Deed, ...]:
    """What is to be done, in order; nothing where nobody need be told. ``there``: the open issues with our
    ``label``. ``run``: where this run can be read, a URL or empty.
    """
    writing = _Writing(night, words, target, run, (now or datetime.now(UTC)).isoformat(timespec="seconds"))
    open_ones = sorted(there, key=lambda issue: issue.number)
    if night.kind == "broken":
        return tuple(writing.broken(open_ones[0]) if open_ones else writing.first(label))
    if not open_ones:
        return ()
    if night.kind == "whole":
        return tuple(deed for issue in open_ones for deed in writing.whole(issue))
    return tuple(writing.unseen(open_ones[0]))


class _Writing:
    def __init__(self, night: Night, words: Catalogue, target: Sequence[str], run: str, now: str) -> None:
        self._night = night
        self._words = words
        self._target = target
        self._run = run
        self._now = now

    def first(self, label: str) -> Iterator[Deed]:
        report = self._night.report
        codes = list(dict.fromkeys(root.finding.code for root in report.roots)) if report else []
        some = ", ".join(codes[:_MOST_CODES]) + (" …" if len(codes) > _MOST_CODES else "")
        title = self._words.say("night-issue-title-codes" if some else "night-issue-title", codes=some)
        body = self._body(_State(since=self._now, causes=self._causes))
        yield Deed(told="open", fields={"title": title, "body": body, "labels": [label]})

    def broken(self, issue: Issue) -> Iterator[Deed]:
        before = self._state(issue)
        state = replace(before, nights=before.nights + 1, causes=self._causes, last="broken")
        yield Deed(told="update", number=issue.number, fields={"body": self._body(state)})
        if self._causes not in (before.causes, "-"):
            yield self._comment(issue, "night-issue-others")
        elif before.last != "broken":
            yield self._comment(issue, "night-issue-again")

    def whole(self, issue: Issue) -> Iterator[Deed]:
        yield self._comment(issue, "night-issue-whole")
        fields = {"state": "closed", "state_reason": "completed"}
        yield Deed(told="close", number=issue.number, fields=fields)

    def unseen(self, issue: Issue) -> Iterator[Deed]:
        """What was found stays in its text: it is the last that anybody has seen."""
        before = self._state(issue)
        if before.last == self._night.kind:
            return
        mark = replace(before, last=self._night.kind).mark
        body = issue.body or ""
        marked = _MARK.sub(mark, body, count=1) if _MARK.search(body) else f"{mark}\n{body}"
        yield Deed(told="update", number=issue.number, fields={"body": marked[:MOST]})
        yield self._comment(issue, f"night-issue-{self._night.kind}")

    @property
    def _causes(self) -> str:
        """The causes as one short word, to tell whether they are the same ones."""
        report = self._night.report
        if report is None or not report.roots:
            return "-"
        each = sorted(f"{root.finding.code}\0{root.finding.subject}" for root in report.roots)
        return hashlib.sha256("\n".join(each).encode(errors="backslashreplace")).hexdigest()[:16]

    def _state(self, issue: Issue) -> _State:
        found = _MARK.search(issue.body or "")
        if not found:
            return _State(since=self._now, nights=0)
        since, nights, causes, last = found.groups()
        return _State(since=since, nights=int(nights), causes=causes, last=last)

    def _body(self, state: _State) -> str:
        report, say = self._night.report, self._words.say
        told = markdown(report, self._words, self._target, most=MOST - _ROOM) if report else ""
        lines = (
            state.mark,
            plain(say("night-issue-nights", count=state.nights, since=state.since, now=self._now)),
            self._link,
            told or plain(self._night.said(self._words)),
            "---",
            plain(say("night-issue-foot")),
        )
        return "\n\n".join(filter(None, lines))

    def _comment(self, issue: Issue, key: str) -> Deed:
        said = "\n\n".join(filter(None, (plain(self._words.say(key)), self._link)))
        return Deed(told="comment", number=issue.number, fields={"body": said})

    @property
    def _link(self) -> str:
        return f"[{plain(self._words.say('night-issue-run'))}]({self._run})" if self._run else ""
