"""Three workers in three availability zones, in a subnet each; one route table for all of them."""

from __future__ import annotations

from typing import Final

from sandbox.lab import Lab

LAB: Final = Lab(subnets=("10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"), zones=True)
