"""The security group is opened for the laptop's own address only, as many make it."""

from __future__ import annotations

from typing import Final

from sandbox.internet import LAPTOP
from sandbox.lab import Lab

LAB: Final = Lab(opened_to=f"{LAPTOP}/32")
