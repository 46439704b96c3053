"""CONTRIBUTING shows how a check was added, in lines that are still there."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
_EXAMPLE = re.compile(r"```diff\n(.*?)```", re.DOTALL)


def test_the_example_of_adding_a_check_is_made_of_lines_of_these_files() -> None:
    """In their order; what comes after a "…" is left out."""
    (example,) = _EXAMPLE.findall((PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    file, left = "", ""
    shown: dict[str, int] = {}
    for line in example.splitlines():
        if line.startswith("--- "):
            file = line[4:]
            left = (PROJECT / file).read_text(encoding="utf-8")
            shown[file] = 0
        elif line.startswith("+"):
            start, cut, _ = line[1:].partition("…")
            _, found, left = f"\n{left}".partition(f"\n{start}" if cut else f"\n{start}\n")
            assert found, f"{file} has no longer, here or later: {line[1:]}"
            shown[file] += 1
        else:
            assert line == "…"
    assert all(shown.values())
    assert {Path(each).parts[0] for each in shown} == {"kthw", "sandbox", "suites", "tests"}
