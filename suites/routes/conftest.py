"""Who is asked, and what must be true before a question makes sense.

Test ids come from the intended workers, never from what was found: a missing worker is a failing test,
and not an absent one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from kthw.findings import nodes, workers
from kthw.findings.check import Require
from kthw.findings.finding import Finding
from kthw.intended.cluster import worker_names
from kthw.observed.evidence import Evidence

_ORDER = ("test_workers.py", "test_routes.py", "test_security.py", "test_nodes.py", "test_pods.py")
_RUNS = "test_workers.py::test_exactly_one_running_instance_bears_the_name"
_POD_CIDR = "test_workers.py::test_user_data_names_a_pod_cidr_of_its_own"
_CNI = "test_nodes.py::test_cni_configuration_is_there"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ask in the order of the path: what a failure may be caused by comes before it."""
    here = [Path(__file__).parent / name for name in _ORDER]
    items.sort(key=lambda item: here.index(item.path) if item.path in here else -1)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "worker" in metafunc.fixturenames:
        metafunc.parametrize("worker", worker_names(metafunc.config.getoption("workers")))


@pytest.fixture
def one_instance(require: Require) -> None:
    """One instance is meant by the worker's name, running or stopped."""
    require(_ambiguous_or_missing, _RUNS)


@pytest.fixture
def one_pod_cidr(one_instance: None, require: Require) -> None:
    """The worker has a pod CIDR of its own: without it there is nothing to route."""
    require(workers.ground, _POD_CIDR)


@pytest.fixture
def running(packets: None, require: Require) -> None:
    """Packets can be sent, and the worker runs."""
    require(workers.one_running_instance, _RUNS)


@pytest.fixture
def node(running: None, logged_in: None) -> None:
    """Somebody got into the running worker. An error where nobody could."""


@pytest.fixture
def firewall(node: None, firewall_seen: None) -> None:
    """The worker could tell its firewall."""


@pytest.fixture
def kernel_routes(node: None, kernel_routes_seen: None) -> None:
    """The worker could tell where its kernel sends packets."""


@pytest.fixture
def cni(node: None, require: Require) -> None:
    """The worker can make pods."""
    require(nodes.cni_configured, _CNI)


@pytest.fixture
def pod(one_pod_cidr: None, cni: None, probe_pod: None) -> None:
    """A probe pod came up on the worker. An error where it could not."""


def _ambiguous_or_missing(evidence: Evidence, worker: str) -> Sequence[Finding]:
    found = workers.instance_of(evidence, worker)
    return [] if found else workers.one_running_instance(evidence, worker)
