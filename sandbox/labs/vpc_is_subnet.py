"""The VPC has one subnet, and it is the whole VPC."""

from __future__ import annotations

from typing import Final

from sandbox.lab import Lab

LAB: Final = Lab(vpc="10.240.0.0/24", subnets=("10.240.0.0/24",))
