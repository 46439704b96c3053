"""Faults as evidence shows them: what was done, and the findings it must yield, and no other.

``FAULTS[name]`` is ``(evidence, (code, …))``; ``HEALTHY[name]`` is evidence in which nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from tests.findings import (
    faults_of_cni,
    faults_of_filters,
    faults_of_firewalls,
    faults_of_hooks,
    faults_of_installed_networks,
    faults_of_next_hops,
    faults_of_node_routes,
    faults_of_nodes,
    faults_of_odd_labs,
    faults_of_other_machines,
    faults_of_packets,
    faults_of_plugins,
    faults_of_policy_rules,
    faults_of_prefix_lists,
    faults_of_private_labs,
    faults_of_reverse_path,
    faults_of_route_tables,
    faults_of_routes,
    faults_of_sizes,
    faults_of_the_way_in,
    faults_of_witnesses,
    faults_of_workers,
)
from tests.findings.judged import Faults, Healthy

SUBJECTS = (
    faults_of_witnesses,
    faults_of_workers,
    faults_of_the_way_in,
    faults_of_routes,
    faults_of_route_tables,
    faults_of_filters,
    faults_of_prefix_lists,
    faults_of_nodes,
    faults_of_firewalls,
    faults_of_hooks,
    faults_of_node_routes,
    faults_of_policy_rules,
    faults_of_next_hops,
    faults_of_other_machines,
    faults_of_plugins,
    faults_of_cni,
    faults_of_private_labs,
    faults_of_installed_networks,
    faults_of_reverse_path,
    faults_of_packets,
    faults_of_sizes,
    faults_of_odd_labs,
)
Case = TypeVar("Case")


def _together(*parts: Mapping[str, Case]) -> dict[str, Case]:
    together = {name: case for part in parts for name, case in part.items()}
    assert len(together) == sum(len(part) for part in parts), "two cases of one name"
    return together


FAULTS: Faults = _together(*(subject.FAULTS for subject in SUBJECTS))
HEALTHY: Healthy = _together(*(subject.HEALTHY for subject in SUBJECTS))
