"""Every fault is caught under its own name and nothing else is said; what is printed mends it.

Packets included: what the path predicts for each pair of workers is what is measured, broken and mended.
Each finding and its variant is lived through once, with a third of the pairs and of what is well; all with
``KTHW_EVERY_CASE=1``.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

import pytest

from kthw.findings.codes import CODES
from kthw.findings.finding import Finding, once
from kthw.observed.evidence import Evidence
from kthw.words.messages import catalogue
from sandbox.faults.catalogue import FAULTS, HEALTHY, PAIRS
from sandbox.faults.fault import Fault, Healthy, Told
from tests.faults import promises, results
from tests.faults.judge import findings
from tests.faults.lab import Lab
from tests.faults.prediction import arrived_unpredicted, disagreements, lost_unpredicted, unmeasured

pytestmark = pytest.mark.slow

SYMPTOM = "pod-unreachable"
_EVERY_CASE: Final = bool(os.environ.get("KTHW_EVERY_CASE"))
_TRIED = 2
"""After so many fixes of a case is looked, one by one: of two faults, each may need the other's fix too."""


def asked(faults: Sequence[Fault]) -> list[Fault]:
    """Of these, each that must be told as none before it; or all of them."""
    found: dict[object, Fault] = {}
    for fault in faults:
        for told in sorted(fault.told):
            found.setdefault((told.code, told.variant), fault)
        for error in fault.errors:
            found.setdefault(error.split()[0], fault)
    return list(faults if _EVERY_CASE else dict.fromkeys(found.values()))


def well(variants: Sequence[Healthy]) -> list[Healthy]:
    """Every third of these, and each that is the first in its cluster; or all of them."""
    first = {variant.stage: variant for variant in reversed(variants)}
    return [v for n, v in enumerate(variants) if _EVERY_CASE or n % 3 == 0 or first[v.stage] is v]


@pytest.mark.parametrize("fault", asked(FAULTS), ids=lambda fault: fault.name)
def test_a_fault_is_named_once_and_mended_by_what_is_printed(clean_lab: Lab, fault: Fault) -> None:
    live_through(clean_lab, fault, "fault")


@pytest.mark.parametrize("fault", PAIRS if _EVERY_CASE else PAIRS[::3], ids=lambda fault: fault.name)
def test_of_two_faults_at_once_neither_hides_the_other(clean_lab: Lab, fault: Fault) -> None:
    live_through(clean_lab, fault, "pair")


@pytest.mark.parametrize("variant", well(HEALTHY), ids=lambda variant: variant.name)
def test_nothing_is_said_about_a_healthy_variant(clean_lab: Lab, variant: Healthy) -> None:
    lab, started = clean_lab, time.monotonic()
    lab.set(variant.stage)
    lab.types(variant.does)
    seen = lab.look()
    found = causes(seen)
    results.write(
        results.Result(
            name=variant.name,
            kind="healthy",
            found=[f"{f.code} {f.worker}" for f in found],
            exact=not found,
            agreed=not disagreements(seen),
            packets=_packets(seen),
            seconds=time.monotonic() - started,
        )
    )
    assert_well(seen)
    assert against_the_model(seen) == []
    lab.cleans(variant.cleans)


def live_through(lab: Lab, fault: Fault, kind: str) -> None:
    """Break, look, do what is printed, and look again until nothing is found."""
    started = time.monotonic()
    lab.set(fault.stage)
    assert lab.is_usual()
    lab.types(fault.breaks)
    seen = lab.look()
    found = causes(seen)
    result = results.Result(
        name=fault.name,
        kind=kind,
        expected=sorted(set(fault.expected)),
        found=[f"{f.code} {f.worker}" for f in found],
        by_command=not fault.restores,
        packets=_packets(seen),
        agreed=not disagreements(seen),
    )
    try:
        assert told(found) == fault.told, described(found)
        assert {f"{e.code} {e.worker}" for e in seen.errors} == set(fault.errors)
        assert SYMPTOM in fault.codes or lost_unpredicted(seen) == []
        assert arrived_unpredicted(seen) == []
        assert against_the_model(seen) == []
        result.exact = True
        lab.types(fault.restores)
        rounds, last = 0, None
        while found and rounds < fault.rounds:
            rounds += 1
            if not fault.restores:
                last = mend(lab, seen, found, result)
            seen = last or lab.look()
            found = causes(seen)
        assert_well(seen)
        result.mended, result.rounds = not fault.restores, rounds
        assert result.broken == []
    finally:
        result.seconds = time.monotonic() - started
        results.write(result)
    lab.cleans(fault.cleans)


def mend(lab: Lab, seen: Evidence, found: list[Finding], result: results.Result) -> Evidence | None:
    """Paste the fixes in the order they are printed, each once; look after each of the first.

    Then what was promised of it, as things stood before it was pasted, must have come. Returns what was seen
    after the last of them, if anybody looked.
    """
    words = catalogue("en")
    fixes: dict[str, Finding] = {}
    for finding in found:
        fixes.setdefault(words.finding(finding).fix, finding)
    last: Evidence | None = seen
    for n, (fix, finding) in enumerate(fixes.items()):
        before = (last or lab.look()) if n < _TRIED else None
        promise = promises.promise(before, finding) if before else None
        lab.pastes(fix)
        last = None
        if before and promise:
            last = lab.look()
            result.promised += promises.count(promise)
            result.broken += promises.broken(before, promise, last)
    return last


def causes(evidence: Evidence) -> list[Finding]:
    """What a summary tells: every finding once, without the symptoms that another finding explains."""
    return [f for f in once(findings(evidence)) if f.code != SYMPTOM or not f.explained_by]


def told(found: list[Finding]) -> set[Told]:
    """As a fault expects it: the situation only where the catalogue has words of its own for it."""
    sections = catalogue("en").findings
    return {
        Told(f.code, f.worker, variant if isinstance(sections[f.code].get(variant), dict) else "")
        for f in found
        for variant in [f.variant]
    }


def described(found: list[Finding]) -> str:
    return "\n".join(f"{f.code}: {catalogue('en').finding(f).what}" for f in found)


def assert_well(evidence: Evidence) -> None:
    """No finding, nothing that could not be looked at, and every pair measured and through."""
    assert described(causes(evidence)) == ""
    assert [str(error) for error in evidence.errors] == []
    assert [str(probe) for probe in evidence.probes if probe.kind == "pod" and not probe.reached] == []
    assert unmeasured(evidence) == set()


def against_the_model(evidence: Evidence) -> list[str]:
    """What was sent besides the probes, since it should not come through, and did."""
    return [str(each) for each in evidence.sent if each.reached]


def _packets(evidence: Evidence) -> int:
    return sum(1 for probe in evidence.probes if probe.kind == "pod")


def test_the_catalogue_is_large_enough_and_sees_every_code_from_two_sides() -> None:
    """At least 60 faults, 20 pairs, 20 healthy variants; every code expected by two faults or more.

    But that of the lab as it was asked for: it comes of what is typed, and not of what is there.
    """
    assert len(FAULTS) >= 60
    assert len(PAIRS) >= 20
    assert len(HEALTHY) >= 20
    everything: list[Fault | Healthy] = [*FAULTS, *PAIRS, *HEALTHY]
    assert [name for name, times in Counter(each.name for each in everything).items() if times > 1] == []
    sides = Counter(code for fault in FAULTS for code in fault.codes)
    seen = {code for code in CODES if sides[code] >= 2}
    assert [code for code in CODES if code not in seen and CODES[code].scope != "lab"] == []
