"""Two nodes, a controller and a jump host; kernel routes lead to pods, as in the present original.

Nothing in AWS says a pod CIDR: that of the first node is 10.200.0.0/24, of the second 10.200.1.0/24.
"""

from __future__ import annotations

from typing import Final

from sandbox import cni
from sandbox.lab import Lab

LAB: Final = Lab(
    jump="jumpbox",
    others=("server",),
    others_say="",
    workers=2,
    name="node-{n}",
    user_data="",
    routes="kernel",
    cni=cni.present,
    options=("--workers", "node-*", "--pod-cidrs", "10.200.{n}.0/24"),
)
