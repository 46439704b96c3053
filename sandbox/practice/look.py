"""Asking the suite, as a person would: its own command on the sandbox, of which only the reports are read."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import msgspec

from sandbox import surroundings
from sandbox.command import until_it_ends

ROOT: Final = Path(__file__).resolve().parents[2]
REPORT: Final = "report.json"
_FOLDER: Final = "practice"
_LOG: Final = "practice.log"
_OURS: Final = ("KTHW_", "PYTEST_")
"""How variables begin that would tell the suite to look otherwise."""
_SYMPTOM: Final = "pod-unreachable"
_RIGHT, _WRONG = 0, (1, 10)
"""The suite's exit codes: all holds; something is wrong, or could not be looked at."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """``areas``: by the area, how many requirements hold, and how many there are. ``lost``: the pairs whose
    packets do not arrive, each ``worker-0 → worker-1 (icmp, tcp)``. ``codes``: of what is wrong, without mere
    consequences. ``unseen``: what could not be looked at. ``right``: nothing is left to do.
    """

    areas: Mapping[str, tuple[int, int]]
    lost: Sequence[str]
    codes: set[str]
    unseen: Sequence[str]
    right: bool

    @property
    def holding(self) -> tuple[int, int]:
        """How many requirements hold, and how many there are."""
        return sum(n for n, _ in self.areas.values()), sum(n for _, n in self.areas.values())


def report(directory: Path) -> Path:
    """Where the last look at the sandbox of ``directory`` left its recording."""
    return directory / _FOLDER / REPORT


def look(directory: Path, options: Sequence[str], language: str, *, told: bool = False) -> Seen | None:
    """The routes suite on the sandbox of ``directory``; ``options``: those of its lab.

    ``told``: with all that the suite says; otherwise it is silent. ``None`` where it came to no end, for
    which ``last_words`` may have a reason. Raises ``OSError`` where the sandbox has ended.
    """
    folder = directory / _FOLDER
    shutil.rmtree(folder, ignore_errors=True)  # so that nothing is taken for this look's
    command = [
        sys.executable, "-P", "-m", "kthw.start", "pytest", "--rootdir", str(ROOT),
        "-c", str(ROOT / "pytest.ini"), "-p", "no:cacheprovider", str(ROOT / "suites/routes"),
        "--target", "aws", "--lab", "none", "--language", language, "--reports", str(folder), "-q", *options,
    ]  # fmt: skip
    own = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    inside = {name: value for name, value in own.items() if name not in surroundings.UNSET}
    environment = {**inside, **surroundings.kept(directory), "PYTHONPATH": str(ROOT)}
    with (directory / _LOG).open("wb") as log:
        code = until_it_ends(command, environment, output=None if told else log)
    if code != _RIGHT and code not in _WRONG:
        return None
    document = json.loads((folder / REPORT).read_bytes())
    return seen(document, (folder / "junit.xml").read_bytes(), right=code == _RIGHT)


def last_words(directory: Path) -> str:
    """The last line that a silent look said."""
    lines = (directory / _LOG).read_text(errors="replace").splitlines()
    return next((line for line in reversed(lines) if line.strip()), "")


def seen(document: Mapping[str, Any], junit: bytes, *, right: bool) -> Seen:
    """Of ``report.json`` and ``junit.xml``, what may be told to who is to find the rest himself."""
    found: Counter[str] = Counter()
    holding: Counter[str] = Counter()
    for case in ElementTree.fromstring(junit).iter("testcase"):  # noqa: S314 -- the suite has just written it
        area = case.get("classname", "").rpartition("test_")[2]
        found[area] += 1
        holding[area] += all(part.tag not in ("failure", "error", "skipped") for part in case)
    lost: dict[str, dict[str, None]] = {}
    for probe in document["evidence"]["probes"]:
        if probe["kind"] == "pod" and not probe["reached"]:
            pair = f"{probe['source']} → {probe['destination']}"
            lost.setdefault(pair, {})[probe["protocol"]] = None
    return Seen(
        areas={area: (holding[area], count) for area, count in sorted(found.items())},
        lost=[f"{pair} ({', '.join(protocols)})" for pair, protocols in sorted(lost.items())],
        codes={
            finding["code"]
            for finding in document["findings"]
            if finding["code"] != _SYMPTOM or not finding["explained_by"]
        },
        unseen=list(dict.fromkeys(error["subject"] for error in document["errors"])),
        right=right,
    )
