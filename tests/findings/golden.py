"""All that is judged of each fault and each healthy variant, as text: ``python -m tests.findings.golden``.

The command writes the files of ``golden/`` anew, one for each module of cases; read what changed in them
before committing it. A name, an order, a number of a finding that nobody meant to change shows up there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from kthw.errors import LookError
from kthw.findings.check import Skip
from kthw.findings.finding import Finding, Lost
from kthw.findings.judging import Outcome, Verdict, judge
from kthw.findings.remark import Remark
from kthw.observed.evidence import Evidence, Probe
from tests.findings.faults import SUBJECTS

FOLDER: Final = Path(__file__).with_name("golden")
CASES: Final[dict[str, dict[str, Evidence]]] = {
    module.__name__.rpartition(".")[2]: {
        **{name: evidence for name, (evidence, _) in module.FAULTS.items()},
        **module.HEALTHY,
    }
    for module in SUBJECTS
}
"""By module, then by the name of the case."""
_BLANK: Final[tuple[object, ...]] = ("", (), {}, None, False)


def told(evidence: Evidence) -> str:
    """The verdict on it, without what passed. Raises ``AssertionError`` where a check breaks: none may."""
    verdict = judge(evidence)
    broken = [f"{o.check} {o.subject}: {o.fault}" for o in verdict.outcomes if o.status == "broken"]
    if broken:
        raise AssertionError("\n".join(broken))
    return "".join(f"  {line}\n" for line in _lines(verdict)) or "  all holds\n"


def text(module: str) -> str:
    """Of all cases of a module."""
    return "\n".join(f"{name}\n{told(evidence)}" for name, evidence in CASES[module].items())


def sections(module: str) -> dict[str, str]:
    """What the module's file says of each case."""
    written = (FOLDER / f"{module}.txt").read_text(encoding="utf-8")
    parts = (part.partition("\n") for part in f"{written}\n".split("\n\n") if part)
    return {name: f"{rest}\n" for name, _, rest in parts}


def _lines(verdict: Verdict) -> Iterator[str]:
    for outcome in verdict.outcomes:
        if outcome.status != "passed":
            yield f"{outcome.status}  {outcome.check}  {outcome.subject}{_reason(outcome)}"
    for finding in verdict.findings:
        yield from _finding(finding)
    for error in verdict.errors:
        yield from _record("error", error, "code", "subject")
    for remark in verdict.remarks:
        yield from _record("remark", remark, "code", "subject")


def _reason(outcome: Outcome) -> str:
    if outcome.skip:
        return f": {_skip(outcome.skip)}"
    if outcome.error:
        return f": {outcome.error.code} · {outcome.error.subject}"
    return "".join(f"\n    {' · '.join(finding.cause)}" for finding in outcome.findings) + outcome.fault


def _skip(skip: Skip) -> str:
    after = f", {skip.told_by} found {' · '.join(skip.after.cause)}" if skip.after else ""
    return f"{skip.reason}{after}{_facts(skip.facts)}"


def _finding(finding: Finding) -> Iterator[str]:
    yield from _record("finding", finding, "code", "subject", "lost")
    for lost in finding.lost:
        yield f"    lost {_probe(lost.probe)}{_causes(lost)}"


def _causes(lost: Lost) -> str:
    return "".join(f"\n      for {code} · {subject}" for code, subject in lost.causes)


def _record(kind: str, it: Finding | LookError | Remark, *first: str) -> Iterator[str]:
    yield f"{kind}  {it.code} · {it.subject}"
    for field in it.__struct_fields__:
        value = getattr(it, field)
        if field not in first and value not in _BLANK:
            yield (
                f"    {field}:{_facts(value)}" if isinstance(value, dict) else f"    {field}: {_value(value)}"
            )


def _value(value: Any) -> str:
    match value:
        case Probe():
            return _probe(value)
        case tuple():
            return ", ".join(map(str, value))
    return str(value).replace("\n", "⏎")


def _probe(probe: Probe) -> str:
    fields = {name: getattr(probe, name) for name in probe.__struct_fields__}
    return " ".join(f"{name}={value}" for name, value in fields.items() if value not in _BLANK)


def _facts(facts: Mapping[str, str]) -> str:
    return "".join(f"\n      {name} = {_value(value)}" for name, value in facts.items())


def write() -> None:
    """The files, as the judgement is now."""
    FOLDER.mkdir(exist_ok=True)
    for module in CASES:
        (FOLDER / f"{module}.txt").write_text(text(module), encoding="utf-8")


if __name__ == "__main__":
    write()
