"""A class of thirty, as their files would come from a learning platform; made of the cases of tests/findings.

``made(folder)`` writes the files and the roster. ``EXPECTED`` is what must come of it, by student: whether it
counts, the codes of what is to be mended, and what is told of the hand-in.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from kthw.findings.judging import judge
from kthw.observed.evidence import Evidence
from kthw.observed.recording import as_json, decoded, encode
from kthw.verdict.report import Report, Summary
from kthw.words.messages import catalogue
from tests.findings.clusters import OK
from tests.findings.faults import FAULTS, HEALTHY

_STATUS = {"passed": "passed", "failed": "failed", "error": "errors", "skipped": "skipped"}
_INSTANCE = re.compile(rb"i-0(\d+)")


def of_student(
    evidence: Evidence, number: int, *, language: str = "en", at: str = "", student: str = ""
) -> Evidence:
    """The same, in an account of their own, and with instances that nobody else has."""
    text = _INSTANCE.sub(rb"i-0%d0\1" % (number + 1000), encode(evidence))
    text = text.replace(b"123456789012", b"%012d" % (100000000000 + number))
    mine = decoded(text, "made")
    return replace(
        mine,
        target=replace(mine.target, kind="aws"),
        gathered_at=at or "2026-03-01T10:00:00+00:00",
        language=language,
        student=student,
    )


def report(evidence: Evidence) -> bytes:
    """``report.json`` of a run that saw that, as the suite writes it."""
    verdict = judge(evidence)
    counts = dict.fromkeys(_STATUS.values(), 0)
    for outcome in verdict.outcomes:
        counts[_STATUS[outcome.status]] += 1
    words = catalogue(evidence.language or "en")
    return msgspec.json.format(as_json(Report(verdict, Summary(**counts)).document(words)), indent=1)


def altered(content: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The recording after somebody's editor was in it."""
    document = json.loads(content)
    change(document)
    return json.dumps(document).encode()


def zipped(*files: tuple[str, bytes]) -> bytes:
    """A ZIP with these files in it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return packed.getvalue()


class Made(NamedTuple):
    """One student: the file (``None`` in it: nothing is handed in), and what must come of it."""

    name: str
    file: str
    content: bytes | None
    counts: bool
    codes: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    language: str = "en"
    account: str = ""


def _moodle(name: str, number: int) -> str:
    return f"{name}_{number}_assignsubmission_file_report.json"


def _canvas(name: str, number: int) -> str:
    *first, last = name.lower().split()
    return f"{last}{''.join(first)}_{number}_{number + 7000}_report.json"


def _class() -> list[Made]:
    made: list[Made] = []
    number = 0

    def handed(
        name: str, case: Evidence, codes: tuple[str, ...] = (), language: str = "en", **how: Any
    ) -> None:
        nonlocal number
        number += 1
        evidence = of_student(case, number, language=language, **how.pop("run", {}))
        content = how.pop("change", lambda content: content)(report(evidence))
        file = how.pop("file", _canvas(name, number) if number % 2 else _moodle(name, number))
        counts = how.pop("counts", True)
        made.append(Made(name, file, content, counts, codes, how.pop("told", ()), language, **how))

    def fault(name: str, case: str, **how: Any) -> None:
        handed(name, FAULTS[case][0], tuple(sorted(set(FAULTS[case][1]))), **how)

    # Who is done.
    handed("Ana Souza", OK, language="pt-BR")
    handed("João Ávila", OK, language="pt-BR")
    handed("Grace Hopper", OK)
    handed("Zoë Müller", HEALTHY[next(iter(HEALTHY))], file="lab-zoe/reports/report.json")
    handed("Olu Adeyemi", OK, file="Olu Adeyemi_55_assignsubmission_file/report.json")
    # Who is not.
    fault("Bruno Lima", "worker never launched", language="pt-BR")
    fault("Carla Dias", "worker stopped", language="pt-BR")
    fault("Ken Sato", "pod-cider", file="ken-sato.json")
    fault("Lee Min", "two running namesakes", file="lab-lee/reports/report.json")
    fault("Marie Curie", "no user data")
    fault("Davi Rocha", "empty pod-cidr", language="pt-BR")
    fault("Erika Moura", "worker terminated, route left", language="pt-BR")
    fault("Tom Baker", "overlap by the option")
    fault(
        "Uma Thorn", "several pod CIDRs", file="uma.zip", change=lambda c: zipped(("reports/report.json", c))
    )
    # Who is late, elsewhere, or not alone.
    handed("Late Larry", OK, run={"at": "2026-03-03T10:00:00+00:00"}, told=("late",))
    one = replace(OK, intended=OK.intended.only(("worker-0",)))
    handed("Short Sue", one, ("route-stale",), counts=False, told=("other-lab",))
    early = replace(OK, intended=replace(OK.intended, after="machines"))
    handed("Early Eve", early, counts=False, told=("other-lab",))
    shared: dict[str, Any] = {"counts": False, "told": ("same-account",)}
    twin = report(of_student(OK, 77))
    handed("Twin One", OK, change=lambda _: twin, **shared)
    handed("Twin Two", OK, change=lambda _: twin, **shared)
    # Who tried it on.
    broken, codes = FAULTS["worker stopped"]
    hiding: dict[str, Any] = {"counts": False, "told": ("altered",)}
    handed("Sly Sam", broken, tuple(sorted(set(codes))), change=_hide_findings, **hiding)
    handed("Sly Tess", broken, (), change=_start_worker, **hiding)
    handed("Sly Uri", OK, counts=False, told=("altered",), change=_other_account)
    handed("Other Olga", OK, run={"student": "Ana Souza"}, counts=False, told=("other-name",))
    # What is no recording, or hostile.
    bomb = zipped(("report.json", b"[" * 30_000_000))
    for name, file, content, kind in (
        ("Bo Bomb", "bo-bomb.zip", bomb, "bad"),
        ("Dee Deep", "dee-deep.json", b"[" * 500_000, "not-recording"),
        ("<script>alert(1)</script> Eve", "script-alert-1-script-eve.json", b"{}", "not-recording"),
        ("Empty Ed", "empty-ed.json", b"", "not-recording"),
        ("Pat Page", "pat-page.html", b"<html>", "bad"),
    ):
        made.append(Made(name, file, content, False, (), (kind,)))
    made.append(Made("Missing Mia", "", None, False, (), ("missing",), "pt-BR"))
    made.append(Made("=Missing(Max)", "", None, False, (), ("missing",)))
    return made


def _hide_findings(content: bytes) -> bytes:
    return altered(content, lambda document: document["findings"].clear())


def _start_worker(content: bytes) -> bytes:
    """As if all had been running: the evidence of a healthy lab, the findings left as they were."""

    def change(document: dict[str, Any]) -> None:
        healthy = json.loads(encode(of_student(OK, 999)))
        account = document["evidence"]["inventory"]["account"]
        document["evidence"].update(inventory={**healthy["inventory"], "account": account})
        for key in ("nodes", "probes"):
            document["evidence"][key] = healthy[key]

    return altered(content, change)


def _other_account(content: bytes) -> bytes:
    return altered(content, lambda document: document["evidence"]["target"].update(account="999999999999"))


CLASS: Final = _class()
EXPECTED: Final = {one.name: (one.counts, one.codes, one.told) for one in CLASS}


def made(folder: Path) -> Path:
    """Write what was handed in below ``folder``; return the roster beside."""
    lines = ["nome;arquivo;idioma"]
    for one in CLASS:
        part = (
            one.file.split("/")[0]
            .split("_")[0]
            .removesuffix(".json")
            .removesuffix(".zip")
            .removesuffix(".html")
        )
        lines.append(f"{one.name};{part};{one.language}")
        if one.content is not None:
            path = folder / one.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(one.content)
    roster = folder.parent / "roster.csv"
    roster.write_text("\n".join(lines), encoding="utf-8")
    return roster
