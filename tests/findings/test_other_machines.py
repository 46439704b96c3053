"""What is told of a machine that is to reach pods and is not there."""

from __future__ import annotations

import pytest

from kthw.findings.other_machines import lead_to_pods
from kthw.network.model import Network
from tests.findings.changed_aws import with_more_instances
from tests.findings.clusters import OK, instance
from tests.findings.faults_of_other_machines import NAME, asking


@pytest.mark.parametrize(("others", "told"), [(4, ""), (5, ", … (5)")])
def test_of_a_machine_that_is_not_there_the_first_four_others_are_named(others: int, told: str) -> None:
    evidence = with_more_instances(asking(OK), *(instance(n, f"jump-{n}") for n in range(3, 3 + others)))
    (found,) = lead_to_pods(Network(evidence), NAME)
    first = ", ".join(f"jump-{n} (i-0{n}, 10.0.1.{20 + n})" for n in range(3, 7))
    assert found.near_miss == first + told
