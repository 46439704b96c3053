"""What is judged of each case, to the last field, is what was read and committed: see ``golden.py``."""

from __future__ import annotations

import functools

import pytest

from kthw.findings.judging import Outcome, Verdict
from tests.findings import golden
from tests.findings.clusters import OK
from tests.findings.golden import CASES, FOLDER, sections, told

_sections = functools.cache(sections)
EACH = [(module, name) for module, cases in CASES.items() for name in cases]


@pytest.mark.parametrize(("module", "name"), EACH, ids=[name for _, name in EACH])
def test_a_case_is_judged_to_the_last_field_as_it_was(module: str, name: str) -> None:
    """Meant otherwise? ``python -m tests.findings.golden``, and read what changed."""
    assert told(CASES[module][name]) == _sections(module)[name]


def test_every_file_is_of_a_module_and_every_section_of_a_case() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == set(CASES)
    for module, cases in CASES.items():
        assert list(_sections(module)) == list(cases)


def test_a_check_that_breaks_is_never_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Outcome(check="is-right", subject="worker-0", status="broken", fault="KeyError")
    monkeypatch.setattr(golden, "judge", lambda evidence: Verdict(evidence, None, (broken,)))
    with pytest.raises(AssertionError, match="is-right worker-0: KeyError"):
        told(OK)
