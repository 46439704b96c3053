"""No route table but the main one, on purpose: the subnets are associated with none."""

from __future__ import annotations

from typing import Final

from sandbox.lab import Lab

LAB: Final = Lab(tables="main")
