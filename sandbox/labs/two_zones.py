"""The last worker is in another availability zone, in a subnet of its own; one route table for both."""

from __future__ import annotations

from typing import Final

from sandbox.lab import Lab

LAB: Final = Lab(subnets=("10.0.1.0/24", "10.0.2.0/24"), zones=True)
