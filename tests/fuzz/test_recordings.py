"""Recordings that somebody else may have written: refused in one sentence, or judged and told; never a fault.

Seeded, in this process, and bounded. ``KTHW_FUZZ=100000 ./run pytest tests/fuzz -n 0`` tries more of them.
"""

from __future__ import annotations

import json
import os
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from benchmarks.judging import Lines
from fixtures.summary import Summing
from kthw.errors import CouldNotLook
from kthw.findings.judging import judge
from kthw.foreign import printable
from kthw.observed.evidence import Evidence
from kthw.observed.recording import as_json, encode, read
from kthw.verdict.page import page
from kthw.verdict.report import Report, Summary
from kthw.words.messages import LANGUAGES, catalogue
from tests.findings.faults import FAULTS, HEALTHY
from tests.fuzz.documents import mutant

MUTANTS: Final = int(os.environ.get("KTHW_FUZZ", "2400"))
SHARDS: Final = 6
"""Each its own seed, so that they may run side by side."""
SEEDS: Final = {**FAULTS, **{name: (evidence, ()) for name, evidence in HEALTHY.items()}}
_UNSEEN: Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_JOINERS: Final = "\u200c\u200d"


def _recorded(document: Any, path: Path) -> Evidence | None:
    """The evidence, or ``None`` where it was refused in one printable sentence of each language."""
    path.write_text(json.dumps(document), encoding="utf-8")
    try:
        return read(path)
    except CouldNotLook as refused:
        for language in LANGUAGES:
            said = catalogue(language).error(refused.error).what
            assert said
            assert _strange(said) == ""
        return None


def _told(evidence: Evidence, language: str) -> None:
    """The report, as JSON, as a page and on the terminal."""
    verdict = judge(evidence)
    assert [outcome.fault for outcome in verdict.outcomes if outcome.fault] == []
    told = Report(verdict, Summary(passed=1))
    words = catalogue(language)
    assert json.loads(as_json(told.document(words)))["schema"] == evidence.schema
    assert _strange(page(told, words, ["target"])) == ""
    terminal = Lines()
    Summing(terminal, words, told).tell({}, [])  # type: ignore[arg-type]  # two methods of it are used
    for line in terminal.lines:
        assert _strange(line, lines=False) == ""


def _strange(text: str, *, lines: bool = True) -> str:
    """What in a text would not be seen as what it is."""
    kept = _JOINERS + ("\n\t" if lines else "")
    return "".join(c for c in sorted(set(text)) if c not in kept and unicodedata.category(c) in _UNSEEN)


def _lone_subnet(document: dict[str, Any]) -> None:
    document["inventory"]["subnets"][0]["cidr"] = "10.0.1.20/32"


def _bridge_of_no_address(document: dict[str, Any]) -> None:
    for node in document["nodes"].values():
        for link in node["links"]:
            link["addresses"] = (
                ["", *link["addresses"]] if link.get("kind") == "bridge" else link["addresses"]
            )


def _endless_chain(document: dict[str, Any]) -> None:
    rules = ["-A FORWARD -j FORWARD"] * 40
    chain = {"tool": "iptables", "table": "filter", "name": "FORWARD", "policy": "DROP", "rules": rules}
    for node in document["nodes"].values():
        node["firewall"] = [chain]


@pytest.mark.parametrize("spoil", [_lone_subnet, _bridge_of_no_address, _endless_chain])
@pytest.mark.parametrize("fault", ["a node's own pods are sent to the VPC", "a rule rejects all"])
def test_what_once_ended_the_judgement_is_judged(
    spoil: Callable[[dict[str, Any]], None], fault: str, tmp_path: Path
) -> None:
    document = json.loads(encode(SEEDS[fault][0]))
    spoil(document)
    evidence = _recorded(document, tmp_path / "evidence.json")
    assert evidence is not None
    for language in LANGUAGES:
        _told(evidence, language)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_recording_that_was_tampered_with_is_refused_in_a_sentence_or_judged_and_told(
    shard: int, tmp_path: Path
) -> None:
    chance = random.Random(f"recordings {shard}")  # noqa: S311 -- the same each time is what is wanted
    documents = [encode(evidence) for evidence, _ in SEEDS.values()]
    read_ = 0
    for n in range(shard, MUTANTS, SHARDS):
        document = mutant(chance.choice(documents), chance)
        try:
            evidence = _recorded(document, tmp_path / "evidence.json")
            if evidence is not None:
                read_ += 1
                _told(evidence, chance.choice(LANGUAGES))
        except Exception as problem:
            kept = tmp_path / f"mutant-{n}.json"
            kept.write_text(json.dumps(document), encoding="utf-8")
            problem.add_note(f"mutant {n} of shard {shard}: {kept}")
            raise
    # A fuzzer whose documents are all refused would judge nothing, and one that spoils none refuse nothing.
    assert MUTANTS // SHARDS // 10 < read_ < MUTANTS // SHARDS


def test_what_is_printed_is_what_is_meant_by_printable() -> None:
    assert _strange("a\x1bb\u202e\n", lines=False) == "\n\x1b\u202e"
    assert _strange(printable("a\x1bb\u202e\n"), lines=False) == ""
