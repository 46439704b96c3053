"""What a node's CNI files are for."""

from __future__ import annotations

from typing import Final

from kthw.observed.evidence import CniConfig, Node

_LOOPBACK: Final = "loopback"


def pod_network(node: Node) -> CniConfig | None:
    """The CNI file that makes pods: the first that can be read, in order of name, loopback aside."""
    files = sorted(node.cni, key=lambda config: config.file)
    return next((c for c in files if not c.problem and c.type and c.type != _LOOPBACK), None)
