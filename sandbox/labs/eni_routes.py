"""The pod routes lead to network interfaces, not to instances."""

from __future__ import annotations

from typing import Final

from sandbox.lab import Lab

LAB: Final = Lab(routes="eni")
