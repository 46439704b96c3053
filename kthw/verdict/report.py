"""What a run came to: its findings in the order of the path, its errors, its counts; and ``report.json``.

Pure: from the evidence and from what the tests said, to a document. The terminal, the HTML page and the
JSON file all show a ``Report``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from kthw.errors import LookError
from kthw.findings.finding import CODES, Finding
from kthw.findings.path import obstacles
from kthw.findings.reachability import surprises
from kthw.observed.evidence import SCHEMA, Evidence
from kthw.verdict.traces import traced
from kthw.words.messages import Catalogue

SYMPTOM: Final = "pod-unreachable"


class Summary(Struct, frozen=True, kw_only=True):
    """Tests by outcome, and what the run cost. ``errors``: tests that could not look."""

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    aws_calls: int = 0
    ssh_sessions: int = 0
    seconds: float = 0.0


class Found(Struct, frozen=True, kw_only=True):
    """A finding, and the node id of the test that said it first."""

    finding: Finding
    test: str


class Root(Struct, frozen=True, kw_only=True):
    """A finding to mend, with the pairs of pods (``Probe`` as text) that cannot talk because of it.

    ``passed``: those that could, although it should have kept them apart.
    """

    found: Found
    pairs: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()

    def traced(self, evidence: Evidence, pair: str, words: Catalogue) -> str:
        """How far the packets of one of ``pairs`` came, where nothing explains why no further."""
        if self.found.finding.code != SYMPTOM:
            return ""
        return traced(evidence, *_ends(pair), words)


class Report(Struct, frozen=True, kw_only=True):
    """``findings``: each (code, subject) once, in the order of the path and of the workers.

    ``surprises``: by (code, subject) of a finding, the pairs (``Probe`` as text) that got through although
    it is in their way. ``interrupted``: not all tests were asked, so their silence promises nothing.
    """

    evidence: Evidence
    findings: tuple[Found, ...] = ()
    errors: tuple[LookError, ...] = ()
    summary: Summary = Summary()
    surprises: dict[tuple[str, str], tuple[str, ...]] = {}
    interrupted: bool = False

    def roots(self) -> tuple[Root, ...]:
        """The findings to mend: causes with the pairs they explain, then the pairs nothing explains."""
        return _roots(self.evidence, self.findings, self.surprises)

    @property
    def is_local(self) -> bool:
        """Whether no account was looked at: a sandbox, or an endpoint on this machine."""
        target = self.evidence.target
        return target.kind == "sandbox" or target.is_local

    def document(self, words: Catalogue) -> dict[str, Any]:
        """``report.json``: its keys are a contract, its ``fix`` is in the language of ``words``."""
        return {
            "schema": SCHEMA,
            "target": {**msgspec.to_builtins(self.evidence.target), "local": self.is_local},
            "findings": [_finding(found, words) for found in self.findings],
            "errors": [_error(error, words) for error in self.errors],
            "surprises": [
                {"code": code, "subject": subject, "pairs": list(pairs)}
                for (code, subject), pairs in self.surprises.items()
            ],
            "summary": msgspec.to_builtins(self.summary),
            "evidence": {"schema": SCHEMA, **msgspec.to_builtins(self.evidence)},
        }


def report(
    evidence: Evidence,
    found: Iterable[Found],
    errors: Iterable[LookError],
    summary: Summary,
    *,
    interrupted: bool = False,
) -> Report:
    """Put together what was said, by whichever test, in whatever order."""
    counts = msgspec.structs.replace(
        summary, aws_calls=evidence.counts.aws_calls, ssh_sessions=evidence.counts.ssh_sessions
    )
    findings = _in_order(evidence, found)
    return Report(
        evidence=evidence,
        findings=findings,
        surprises=surprises(evidence, [one.finding for one in findings]),
        errors=_each_once([*evidence.errors, *errors]),
        summary=counts,
        interrupted=interrupted,
    )


def _in_order(evidence: Evidence, found: Iterable[Found]) -> tuple[Found, ...]:
    merged: dict[tuple[str, str], Found] = {}
    for one in sorted(found, key=lambda one: one.test):
        key = (one.finding.code, one.finding.subject)
        merged[key] = _together(merged[key], one) if key in merged else one
    position = {worker: n for n, worker in enumerate(evidence.intended.workers)}
    return tuple(
        sorted(
            merged.values(),
            key=lambda one: (
                CODES.index(one.finding.code),
                position.get(one.finding.worker, len(position)),
                one.finding.subject,
            ),
        )
    )


def _together(first: Found, second: Found) -> Found:
    finding = msgspec.structs.replace(
        first.finding,
        pairs=tuple(dict.fromkeys((*first.finding.pairs, *second.finding.pairs))),
        explained_by=tuple(dict.fromkeys((*first.finding.explained_by, *second.finding.explained_by))),
    )
    return msgspec.structs.replace(first, finding=finding)


def _each_once(errors: Sequence[LookError]) -> tuple[LookError, ...]:
    return tuple({(error.code, error.subject): error for error in reversed(errors)}.values())[::-1]


def _roots(
    evidence: Evidence, findings: Sequence[Found], passed: Mapping[tuple[str, str], tuple[str, ...]]
) -> tuple[Root, ...]:
    causes = [one for one in findings if one.finding.code != SYMPTOM]
    pairs: dict[int, dict[str, None]] = {n: {} for n in range(len(causes))}
    unexplained: list[tuple[Found, list[str]]] = []
    for symptom in (one for one in findings if one.finding.code == SYMPTOM):
        left = []
        for pair in symptom.finding.pairs:
            cause = _cause(evidence, causes, symptom.finding, pair)
            if cause is None:
                left.append(pair)
            else:
                pairs[cause][pair] = None
        if left:
            unexplained.append((symptom, left))
    explained = (
        Root(
            found=one,
            pairs=tuple(pairs[n]),
            passed=passed.get((one.finding.code, one.finding.subject), ()),
        )
        for n, one in enumerate(causes)
    )
    return (*explained, *_each_pair_once(unexplained))


def _each_pair_once(unexplained: Sequence[tuple[Found, list[str]]]) -> tuple[Root, ...]:
    """A pair is told from both its ends; here only by the finding that tells most."""
    told: set[str] = set()
    chosen: dict[int, Root] = {}
    for n, (symptom, pairs) in sorted(enumerate(unexplained), key=lambda each: -len(each[1][1])):
        new = [pair for pair in pairs if pair not in told]
        told.update(new)
        if new:
            chosen[n] = Root(found=symptom, pairs=tuple(new))
    return tuple(chosen[n] for n in sorted(chosen))


def _cause(evidence: Evidence, causes: Sequence[Found], symptom: Finding, pair: str) -> int | None:
    """The position in ``causes`` of what keeps this pair apart; asks the path only where it is not plain."""
    explaining = [n for n, one in enumerate(causes) if one.finding.code in symptom.explained_by]
    source, destination = _ends(pair)
    near = [n for n in explaining if causes[n].finding.worker in (source, destination)]
    if len(near) == 1:
        return near[0]
    known = evidence.intended.workers
    if source in known and destination in known:
        for obstacle in obstacles(evidence, source, destination):
            for n in explaining:
                finding = causes[n].finding
                if (finding.code, finding.subject) == (obstacle.code, obstacle.subject):
                    return n
    return next(iter([*near, *explaining]), None)


def _ends(pair: str) -> tuple[str, str]:
    """The workers at both ends of a probe's text, ``10.200.0.2@worker-0 → 10.200.1.2@worker-1: …``."""
    source, _, destination = pair.partition(" → ")
    return source.partition("@")[2], destination.partition(": ")[0].partition("@")[2]


def _finding(found: Found, words: Catalogue) -> dict[str, Any]:
    finding, said = found.finding, words.finding(found.finding)
    return {
        "code": finding.code,
        "subject": finding.subject,
        "expected": finding.expected,
        "observed": finding.observed,
        "near_miss": finding.near_miss,
        "fix": said.fix,
        "test": found.test,
        "worker": finding.worker,
        "what": said.what,
        "why": said.why,
        "pairs": list(finding.pairs),
        "explained_by": list(finding.explained_by),
    }


def _error(error: LookError, words: Catalogue) -> dict[str, Any]:
    said = words.error(error)
    return {
        "code": error.code,
        "subject": error.subject,
        "detail": error.detail,
        "fix": said.fix,
        "worker": error.worker,
        "what": said.what,
    }
