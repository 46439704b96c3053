"""The words a person reads, in their language: what is wrong, why it matters, what mends it.

The words themselves are in ``en/`` and ``pt-BR/``, a file a subject: one table per finding code
(``[finding.<code>]``), per error code (``[error.<code>]``), per remark (``[remark.<code>]``) and one for the
phrases of the user interface (``[say]``). A code's table may hold sub-tables, one per situation, chosen by
its ``variant``; what a sub-table does not say, its code's table says. ``looks = true`` stands over a ``fix``
that changes nothing when it is pasted: it is no mending. How a fact stands in the text,
above all in a ``fix``, which people paste, is told in ``pasting``. What came of a probe is data in English,
by the agent's own words; ``[probe]`` has each of them with what a person reads.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, Final, Protocol

import msgspec

from kthw.errors import LookError
from kthw.words.pasting import NotWhole, filled, one_line

LANGUAGES: Final = ("en", "pt-BR")


class Measured(Protocol):
    """A probe: who tried to reach whom how, and what came of it in the agent's words."""

    @property
    def pair(self) -> str: ...
    @property
    def outcome(self) -> str: ...


class Noticed(Protocol):
    """A remark, as far as its words need it."""

    @property
    def code(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def worker(self) -> str: ...
    @property
    def variant(self) -> str: ...
    @property
    def facts(self) -> dict[str, str]: ...


class Wrong(Noticed, Protocol):
    """A finding, as far as its words need it."""

    @property
    def expected(self) -> str: ...
    @property
    def observed(self) -> str | Measured: ...
    @property
    def near_miss(self) -> str | Measured: ...
    @property
    def table(self) -> str: ...
    @property
    def destination(self) -> str: ...
    @property
    def protocols(self) -> tuple[str, ...]: ...
    @property
    def lacks(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def cuts(self) -> tuple[str, ...]: ...


class Refused(Protocol):
    """Something that was asked for and cannot be, as far as its words need it."""

    @property
    def key(self) -> str: ...
    @property
    def facts(self) -> dict[str, str]: ...
    @property
    def place(self) -> str: ...
    @property
    def near(self) -> str: ...
    @property
    def option(self) -> str: ...


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """``what`` is one sentence, ``why`` one or two, ``fix`` lines to paste or one next step.

    ``looks``: what is pasted changes nothing, and only shows more.
    """

    what: str
    why: str
    fix: str
    looks: bool = False


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """All words of one language. A placeholder without a fact is printed as its own name, in capitals.

    All that it says is printable, whatever the facts are: no escapes, no turned text, no line ends.
    """

    language: str
    findings: dict[str, dict[str, Any]]
    errors: dict[str, dict[str, Any]]
    remarks: dict[str, dict[str, Any]]
    phrases: dict[str, str]
    outcomes: dict[str, str]

    def finding(self, finding: Wrong) -> Words:
        """The words for ``finding``."""
        facts = finding_facts(finding)
        seen = {"observed": self.seen(finding.observed), "near_miss": self.seen(finding.near_miss)}
        said = self._words(self.findings.get(finding.code, {}), finding.variant, {**facts, **seen})
        fix = "\n".join([*self._warned(finding), *filter(None, [said.fix])])
        return msgspec.structs.replace(said, fix=fix)

    def _warned(self, finding: Wrong) -> Iterator[str]:
        """What to know before the fix is pasted, as remarks to a shell: that it is not to be done alone."""
        itself = finding.code, finding.subject
        for code, subject in finding.lacks:
            key = "report-fix-lacks-itself" if (code, subject) == itself else "report-fix-lacks"
            yield self._remarked(key, code, also=f"{code} · {subject}")
        if finding.cuts:
            yield self._remarked("report-fix-cuts", "…", also=", ".join(finding.cuts))

    def _remarked(self, key: str, otherwise: str, *, also: str) -> str:
        try:
            return filled(self.phrases.get(key, key), {"also": also}, pasted=True)
        except NotWhole:
            return filled(self.phrases.get(key, key), {"also": otherwise}, pasted=True)

    def compared(self, finding: Wrong) -> list[tuple[str, str]]:
        """What was expected, what was observed, and the nearest miss: each that there is, with its label."""
        told = (
            ("report-expected", finding.expected),
            ("report-observed", finding.observed),
            ("report-near-miss", finding.near_miss),
        )
        return [(self.say(key), one_line(self.seen(value))) for key, value in told if value]

    def seen(self, what: str | Measured) -> str:
        """Notation as it is, a probe with its outcome in this language."""
        return what if isinstance(what, str) else self.probe(what)

    def probe(self, probe: Measured) -> str:
        """``10.200.0.2@worker-0 → 10.200.1.2@worker-1: icmp``, and what came of it in this language."""
        return f"{probe.pair} {self._outcome(probe.outcome)}"

    def _outcome(self, said: str) -> str:
        for template, words in self.outcomes.items():
            found = _template(template).fullmatch(said)
            if found:
                return filled(words, found.groupdict())
        return said

    def error(self, error: LookError) -> Words:
        """The words for ``error``."""
        return self._words(self.errors.get(error.code, {}), error.variant, error_facts(error))

    def remark(self, remark: Noticed) -> Words:
        """The words for ``remark``: ``what`` it is, and ``why`` it is told; there is nothing to mend."""
        facts = {"subject": remark.subject, "worker": remark.worker, **remark.facts}
        return self._words(self.remarks.get(remark.code, {}), remark.variant, facts)

    def _words(self, table: Mapping[str, Any], variant: str, facts: Mapping[str, object]) -> Words:
        chosen = table.get(variant, {})
        said = {**table, **chosen} if isinstance(chosen, dict) else table
        what, why = (filled(said.get(part, ""), facts) for part in ("what", "why"))
        try:
            fix = filled(said.get("fix", ""), facts, pasted=True)
        except NotWhole:
            fix = self.say("report-fix-by-hand", subject=facts["subject"])
            return Words(what=what, why=why, fix=fix, looks=True)
        told_by = chosen if isinstance(chosen, dict) and "fix" in chosen else table
        return Words(what=what, why=why, fix=fix, looks=bool(told_by.get("looks")))

    def refusal(self, refused: Refused) -> str:
        """Why it cannot be, after the place where it was said, if that is known; and what was meant."""
        said = self.say(refused.key, **refused.facts)
        if refused.option:
            said = said.replace("--workers", f"--{refused.option}")
        if refused.near:
            said = f"{said} {self.say('command-meant', near=refused.near)}"
        return f"{one_line(refused.place)}: {said}" if refused.place else said

    def say(self, key: str, /, **facts: object) -> str:
        """The phrase ``key`` of the user interface, or ``key`` itself where no catalogue has it."""
        return filled(self.phrases.get(key, key), facts)


@functools.cache
def catalogue(language: str) -> Catalogue:
    """The catalogue of ``language``, read once. Raises ``ValueError`` for one we do not speak."""
    if language not in LANGUAGES:
        raise ValueError(f"{language!r} is none of {', '.join(LANGUAGES)}")
    document: dict[str, dict[str, Any]] = {"finding": {}, "error": {}, "remark": {}, "say": {}, "probe": {}}
    for file in resources.files("kthw.words").joinpath(language).iterdir():
        for table, said in tomllib.loads(file.read_text(encoding="utf-8")).items():
            twice = document[table].keys() & said.keys()
            if twice:
                raise ValueError(f"{language}/{file.name} says again: {', '.join(sorted(twice))}")
            document[table].update(said)
    return Catalogue(
        language=language,
        findings=document["finding"],
        errors=document["error"],
        remarks=document["remark"],
        phrases=document["say"],
        outcomes=document["probe"],
    )


@functools.cache
def _template(text: str) -> re.Pattern[str]:
    """What ``text`` is, whatever stands in its ``{placeholders}``."""
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(text)))


def language_of(environment: Mapping[str, str]) -> str:
    """The language of a person's locale, in POSIX's order: ``LC_ALL``, ``LC_MESSAGES``, ``LANG``."""
    locale = next((v for n in ("LC_ALL", "LC_MESSAGES", "LANG") if (v := environment.get(n))), "")
    return "pt-BR" if locale.lower().startswith("pt") else "en"


def finding_facts(finding: Wrong) -> dict[str, object]:
    """Every placeholder that ``finding`` can fill: its fields and its facts."""
    fields: dict[str, object] = {
        "code": finding.code,
        "subject": finding.subject,
        "worker": finding.worker,
        "expected": finding.expected,
        "observed": finding.observed,
        "near_miss": finding.near_miss,
    }
    maybe = {
        "table": finding.table,
        "destination": finding.destination,
        "protocols": ", ".join(finding.protocols),
    }
    return {**fields, **{name: value for name, value in maybe.items() if value}, **finding.facts}


def error_facts(error: LookError) -> dict[str, object]:
    """Every placeholder that ``error`` can fill: its fields and its facts."""
    fields = {name: value for name, value in msgspec.structs.asdict(error).items() if name != "facts"}
    return {**fields, **error.facts}
