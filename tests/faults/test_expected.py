"""What the catalogue's faults expect is what the suite can say; their data stand where nobody judges."""

from __future__ import annotations

import pytest

from kthw.errors import CODES as ERROR_CODES
from kthw.findings.codes import CODES
from kthw.words.messages import catalogue
from sandbox.faults.catalogue import FAULTS, PAIRS
from sandbox.faults.fault import Fault


@pytest.mark.parametrize("fault", [*FAULTS, *PAIRS], ids=lambda fault: fault.name)
def test_a_fault_expects_findings_and_errors_that_there_are(fault: Fault) -> None:
    sections = catalogue("en").findings
    assert fault.told
    assert [told for told in fault.told if told.code not in CODES] == []
    unworded = [t for t in fault.told if t.variant and t.variant not in sections[t.code]]
    assert unworded == []
    assert [error for error in fault.errors if error.split()[0] not in ERROR_CODES] == []
