"""All faults, pairs of faults and healthy variants."""

from __future__ import annotations

from typing import Final

from tests.faults.fault import Fault, Healthy
from tests.faults.workers_faults import POD_CIDRS, WORKERS

FAULTS: Final[tuple[Fault, ...]] = (*WORKERS, *POD_CIDRS)
PAIRS: Final[tuple[Fault, ...]] = ()
HEALTHY: Final[tuple[Healthy, ...]] = (
    Healthy(name="the tutorial's cluster", en="The tutorial's cluster.", pt="O cluster do tutorial."),
)
