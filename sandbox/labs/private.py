"""No machine but the jump host has a public address; the others' subnets go out by a NAT gateway."""

from __future__ import annotations

from typing import Final

from sandbox.lab import Lab

LAB: Final = Lab(
    subnets=("10.0.1.0/24", "10.0.2.0/24"),
    zones=True,
    front="10.0.0.0/24",
    jump="jumpbox",
    tables="each",
    options=("--ssh-jump", "jumpbox"),
)
