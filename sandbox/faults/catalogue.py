"""All faults, pairs of faults and healthy variants."""

from __future__ import annotations

from typing import Final

from sandbox.faults import healthy, pairs
from sandbox.faults.fault import Fault, Healthy
from sandbox.faults.faults_of_acls import ACLS
from sandbox.faults.faults_of_cni import CNI_FILES, CNI_PLUGINS, LEFT_OVER
from sandbox.faults.faults_of_hooks import HOOKS
from sandbox.faults.faults_of_node_routes import BESIDE, KERNEL_MISSING, NEXT_HOPS, OFF_LINK
from sandbox.faults.faults_of_nodes import CNI, FORWARDING, ROUTES, UNEXPLAINED
from sandbox.faults.faults_of_other_machines import OTHER_MACHINES
from sandbox.faults.faults_of_packets import SEEN_BY_NO_PING
from sandbox.faults.faults_of_plugins import PLUGINS
from sandbox.faults.faults_of_prefix_lists import LISTS
from sandbox.faults.faults_of_routes import MISSING, WRONG
from sandbox.faults.faults_of_the_vpc import GROUPS, INTERNET, LOCAL
from sandbox.faults.faults_of_the_way_in import WAY_IN
from sandbox.faults.faults_of_workers import POD_CIDRS, WORKERS

FAULTS: Final[tuple[Fault, ...]] = (
    *WORKERS,
    *POD_CIDRS,
    *MISSING,
    *WRONG,
    *LISTS,
    *LOCAL,
    *INTERNET,
    *WAY_IN,
    *GROUPS,
    *ACLS,
    *FORWARDING,
    *HOOKS,
    *CNI,
    *PLUGINS,
    *CNI_PLUGINS,
    *LEFT_OVER,
    *CNI_FILES,
    *ROUTES,
    *KERNEL_MISSING,
    *NEXT_HOPS,
    *BESIDE,
    *OFF_LINK,
    *OTHER_MACHINES,
    *SEEN_BY_NO_PING,
    *UNEXPLAINED,
)
PAIRS: Final[tuple[Fault, ...]] = pairs.pairs(FAULTS)
HEALTHY: Final[tuple[Healthy, ...]] = healthy.HEALTHY
