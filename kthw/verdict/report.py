"""What a run came to: the causes with the pairs they keep apart, the errors, the counts; and ``report.json``.

Pure: from a verdict to a document. The terminal, the HTML page and the JSON file all show a ``Report``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from kthw.errors import LookError
from kthw.findings.finding import Cause, Finding, Lost
from kthw.findings.judging import Verdict
from kthw.findings.reachability import surprises
from kthw.network.node_routes import by_plugin
from kthw.observed.evidence import SCHEMA, Probe
from kthw.verdict.network_told import network_document, network_told, pod_cidrs_told
from kthw.verdict.promised import promise_document, promised
from kthw.verdict.proof_told import Proofs
from kthw.verdict.since import Since
from kthw.verdict.traces import traced
from kthw.words.messages import Catalogue

Known = TypeVar("Known")
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


class Root(Struct, frozen=True, kw_only=True):
    """A finding to mend, with the probes between pods that fail because of it.

    ``passed``: those that got through, although it should have kept them apart.
    """

    finding: Finding
    pairs: tuple[Probe, ...] = ()
    passed: tuple[Probe, ...] = ()


class Report:
    """One verdict, as it is told. ``tests``: the node id of the test that told a cause first.

    ``surprises``: by cause, the probes that got through although it is in their way. ``interrupted``: not
    all tests were asked, so their silence promises nothing. ``since``: what changed since the run before.
    ``phases``: of the look, each with its seconds.
    """

    def __init__(
        self,
        verdict: Verdict,
        summary: Summary,
        *,
        tests: Mapping[Cause, str] | None = None,
        interrupted: bool = False,
        since: Since | None = None,
        phases: Sequence[tuple[str, float]] = (),
    ) -> None:
        self.verdict = verdict
        self.evidence = verdict.evidence
        self.findings = verdict.findings
        self.errors = verdict.errors
        counts = verdict.evidence.counts
        self.summary = msgspec.structs.replace(
            summary, aws_calls=counts.aws_calls, ssh_sessions=counts.ssh_sessions
        )
        self.interrupted = interrupted
        self.since = since
        self.phases = phases
        self._tests = tests or {}
        self._known: dict[object, Any] = {}

    def remember(self, key: object, make: Callable[[], Known]) -> Known:
        """What ``make`` gives, made once: terminal, page and table of tests tell the same."""
        if key not in self._known:
            self._known[key] = make()
        known: Known = self._known[key]
        return known

    @cached_property
    def surprises(self) -> dict[Cause, tuple[Probe, ...]]:
        return surprises(self.verdict.network, self.findings) if self.verdict.network else {}

    @cached_property
    def roots(self) -> tuple[Root, ...]:
        """The findings to mend: causes with the pairs they explain, then the pairs nothing explains."""
        return _roots(self.findings, self.surprises)

    def traced(self, root: Root, pair: Probe, words: Catalogue) -> str:
        """How far the packets of one of its pairs came, where nothing explains why no further."""
        network = self.verdict.network
        if root.finding.code != SYMPTOM or network is None:
            return ""
        return traced(network.probes.trace(pair.source, pair.destination), words)

    def promised(self, root: Root, words: Catalogue) -> list[str]:
        """Which pairs its fix alone mends, and which it does not, where that was tried."""
        return promised(self.verdict.promises.get(root.finding.cause), words)

    def network(self, words: Catalogue) -> list[str]:
        """By which network model and which pod CIDRs it was judged, where that needs saying."""
        network = self.verdict.network
        if self.evidence.intended.is_cleaned_up:
            return []  # there is to be none any more
        return [*filter(None, [network_told(network, words)]), *pod_cidrs_told(network, words)]

    @cached_property
    def proofs(self) -> Proofs:
        """What is so of all packets, and not only of those that were sent."""
        return Proofs(self.verdict.network, self.findings)

    @property
    def is_local(self) -> bool:
        """Whether no account was looked at: a sandbox, or an endpoint on this machine."""
        target = self.evidence.target
        return target.kind == "sandbox" or target.is_local

    @property
    def pod_cidrs(self) -> dict[str, dict[str, str]]:
        """By worker, its pod CIDR, by which kind of source, and where in it."""
        network = self.verdict.network
        asked = network is not None and not by_plugin(network)
        each = {worker: network.said(worker) for worker in network.workers} if network and asked else {}
        return {
            worker: {"cidr": said.saying.cidr, "source": said.source, "where": said.saying.noun}
            for worker, said in each.items()
            if said and said.saying
        }

    def document(self, words: Catalogue) -> dict[str, Any]:
        """``report.json``: its keys are a contract, its ``fix`` is in the language of ``words``.

        What is to be encoded as JSON may be in it as it is: evidence, and its structs.
        """
        written: dict[int, str] = {}
        return {
            "schema": SCHEMA,
            "target": {**msgspec.to_builtins(self.evidence.target), "local": self.is_local},
            "findings": [
                {
                    **_finding(each, self._tests.get(each.cause, ""), words, written),
                    **promise_document(self.verdict.promises.get(each.cause)),
                }
                for each in self.findings
            ],
            "errors": [_error(error, words) for error in self.errors],
            "surprises": [
                {"code": code, "subject": subject, "pairs": [str(pair) for pair in pairs]}
                for (code, subject), pairs in self.surprises.items()
            ],
            "remarks": [
                {"code": each.code, "subject": each.subject, "what": said.what, "fix": said.fix}
                for each in self.verdict.remarks
                if (said := words.remark(each))
            ],
            "proof": self.proofs.document(),
            "pod_cidrs": self.pod_cidrs,
            "summary": msgspec.to_builtins(self.summary),
            "network": network_document(self.verdict.network, words),
            **({"since": self.since.document()} if self.since else {}),
            "evidence": msgspec.structs.asdict(self.evidence),
        }


def _roots(findings: Sequence[Finding], passed: Mapping[Cause, tuple[Probe, ...]]) -> tuple[Root, ...]:
    causes = _Causes(finding for finding in findings if finding.code != SYMPTOM)
    # By identity: a pair is told from both its ends, by the same probe.
    pairs: dict[Cause, dict[int, Probe]] = {}
    # By the identity of what stops them: pairs that meet the same have the same.
    alike: dict[int, dict[int, Probe] | None] = {}
    unexplained: list[tuple[Finding, list[Probe]]] = []
    for symptom in (finding for finding in findings if finding.code == SYMPTOM):
        left = []
        for lost in symptom.lost:
            stopping = id(lost.causes)
            if stopping not in alike:
                cause = causes.first_told(lost)
                alike[stopping] = pairs.setdefault(cause, {}) if cause else None
            explained_too = alike[stopping]
            if explained_too is None:
                cause = causes.alike(lost)
                explained_too = pairs.setdefault(cause, {}) if cause else None
            if explained_too is None:
                left.append(lost.probe)
            else:
                explained_too[id(lost.probe)] = lost.probe
        if left:
            unexplained.append((symptom, left))
    explained = (
        Root(finding=each, pairs=tuple(pairs.get(each.cause, {}).values()), passed=passed.get(each.cause, ()))
        for each in causes.told.values()
    )
    return (*explained, *_each_pair_once(unexplained))


class _Causes:
    """The causes that are told, to look up which of them keeps a pair apart."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.told = {finding.cause: finding for finding in findings}
        self._of_code: dict[str, Cause] = {}
        self._at: dict[tuple[str, str], Cause] = {}
        for cause, finding in self.told.items():
            self._of_code.setdefault(finding.code, cause)
            self._at.setdefault((finding.code, finding.worker), cause)

    def first_told(self, lost: Lost) -> Cause | None:
        """The first in its way that is told."""
        return next((cause for cause in lost.causes if cause in self.told), None)

    def alike(self, lost: Lost) -> Cause | None:
        """Failing that, one of the same kind, at an end of it if any."""
        if not lost.causes:
            return None
        ends = (lost.probe.source, lost.probe.destination)
        near = (self._at.get((code, end)) for code, _ in lost.causes for end in ends)
        alike = (self._of_code.get(code) for code, _ in lost.causes)
        return next(filter(None, (*near, *alike)), None)


def _each_pair_once(unexplained: Sequence[tuple[Finding, list[Probe]]]) -> tuple[Root, ...]:
    """A pair is told from both its ends, and by protocol; here only by the finding that tells most."""
    told_by: dict[tuple[str, str], int] = {}
    chosen: dict[int, dict[int, Probe]] = {}
    for n, (_, pairs) in sorted(enumerate(unexplained), key=lambda each: -len(each[1][1])):
        for pair in pairs:
            first = told_by.setdefault((pair.source, pair.destination_address), n)
            chosen.setdefault(first, {})[id(pair)] = pair
    return tuple(Root(finding=unexplained[n][0], pairs=tuple(chosen[n].values())) for n in sorted(chosen))


def _pairs(finding: Finding, written: dict[int, str]) -> list[str]:
    """``written``: by identity, the pairs that were put into words: each is told from both its ends."""
    found = []
    for lost in finding.lost:
        pair = written.get(id(lost))
        if pair is None:
            pair = written[id(lost)] = str(lost.probe)
        found.append(pair)
    return found


def _finding(finding: Finding, test: str, words: Catalogue, written: dict[int, str]) -> dict[str, Any]:
    said = words.finding(finding)
    return {
        "code": finding.code,
        "subject": finding.subject,
        "expected": finding.expected,
        "observed": str(finding.observed),
        "near_miss": str(finding.near_miss),
        "fix": said.fix,
        "test": test,
        "worker": finding.worker,
        "what": said.what,
        "why": said.why,
        "pairs": _pairs(finding, written),
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
