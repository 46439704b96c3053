"""What is so of all packets, told: a line, the smallest of those that do not come through, and a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from kthw.findings.finding import Finding
from kthw.findings.proof import Proof, proofs
from kthw.findings.sent import Confirmed, confirmed
from kthw.network.model import Network
from kthw.network.nouns import some
from kthw.words.messages import Catalogue

_MOST_PAIRS: Final = 3


class ProofTold(msgspec.Struct, frozen=True):
    """``proofs`` by what stops, or hides, the smallest flow; ``code``: of the finding that it is part of."""

    proofs: tuple[Proof, ...]
    code: str

    @property
    def first(self) -> Proof:
        return self.proofs[0]


class Proofs:
    """Those of one verdict; none where there is nothing to prove."""

    def __init__(self, network: Network | None, findings: Iterable[Finding]) -> None:
        self._network = network
        self.all: Sequence[Proof] = proofs(network) if network else ()
        self._subjects: dict[str, list[str]] = {}
        for finding in findings:
            self._subjects.setdefault(finding.code, []).append(finding.subject)
        self._known: dict[tuple[str, str], str] = {}
        self._confirmed: dict[tuple[str, str], Confirmed] = {}

    def summary(self, words: Catalogue) -> str:
        """The line; empty where there is nothing to prove."""
        count = Counter(each.outcome for each in self.all)
        if not self.all:
            return ""
        if count["proved"] == len(self.all):
            return words.say("report-proof-all", count=len(self.all))
        each = {outcome: count[outcome] for outcome in ("proved", "stopped", "unknown")}
        return words.say("report-proof-part", count=len(self.all), **each)

    @property
    def told(self) -> list[ProofTold]:
        """What is not proved, by what stops it, or what is not known."""
        by: dict[tuple[str, str, str], list[Proof]] = {}
        for each in self.all:
            if each.stop:
                by.setdefault((each.outcome, each.stop.doubt, each.stop.where), []).append(each)
        return [ProofTold(tuple(found), self._code(found[0])) for found in by.values()]

    @property
    def unfound(self) -> list[ProofTold]:
        """Of these, what no finding tells."""
        return [each for each in self.told if each.first.outcome == "stopped" and not each.code]

    def lines(self, told: ProofTold, words: Catalogue) -> list[str]:
        """The flow, what stops it, whose it is, and what came of sending it."""
        first = told.first
        pairs = some([f"{each.source} → {each.destination}" for each in told.proofs], _MOST_PAIRS)
        if first.stop is None:
            return []
        if first.outcome == "unknown":
            why = words.say(f"report-proof-doubt-{first.stop.doubt}", where=first.stop.where)
            flow = str(first.flow) if first.flow else "—"
            return [words.say("report-proof-unknown", pairs=pairs, flow=flow, why=why)]
        if first.flow is None:
            return [words.say("report-proof-untold", pairs=pairs), self._about(told, words)]
        stopped = words.say("report-proof-stopped", pairs=pairs, flow=str(first.flow), where=first.stop.where)
        return [stopped, self._about(told, words), words.say(f"report-proof-{self._sent(told) or 'unsent'}")]

    def document(self) -> dict[str, Any] | None:
        """The same for ``report.json``; ``None`` where there is nothing to prove."""
        if not self.all:
            return None
        count = Counter(each.outcome for each in self.all)
        return {
            "proved": count["proved"],
            "stopped": count["stopped"],
            "unknown": count["unknown"],
            "pairs": [self._pair(each) for each in self.all],
        }

    def _pair(self, proof: Proof) -> dict[str, Any]:
        found: dict[str, Any] = {
            "source": proof.source,
            "destination": proof.destination,
            "outcome": proof.outcome,
        }
        if proof.stop:
            found |= {
                "flow": str(proof.flow) if proof.flow else "",
                "where": proof.stop.where,
                "code": self._code(proof),
                "doubt": proof.stop.doubt,
                "sent": self._came(proof),
            }
        return found

    @staticmethod
    def _about(told: ProofTold, words: Catalogue) -> str:
        return (
            words.say("report-proof-of", code=told.code) if told.code else words.say("report-proof-needless")
        )

    def _sent(self, told: ProofTold) -> str:
        """What came of the first of them that was sent: they differ in the pods' addresses only."""
        found = set(map(self._came, told.proofs))
        return next((came for came in ("arrived", "lost", "taken") if came in found), "")

    def _came(self, proof: Proof) -> Confirmed:
        """Asked of each pair by all that is written, and looked up once."""
        pair = proof.source, proof.destination
        if pair not in self._confirmed:
            self._confirmed[pair] = confirmed(self._network, proof) if self._network else ""
        return self._confirmed[pair]

    def _code(self, proof: Proof) -> str:
        """Of the finding that says what stops it, where one does."""
        if proof.stop is None or not proof.stop.code:
            return ""
        key = (proof.stop.code, proof.stop.subject)
        if key not in self._known:
            there = any(each.startswith(key[1]) for each in self._subjects.get(key[0], ()))
            self._known[key] = key[0] if there else ""
        return self._known[key]
