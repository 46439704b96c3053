"""The tutorial's cluster, opened for the laptop alone: what its own rules let in hides what nodes may do."""

from __future__ import annotations

from typing import Final

from sandbox import labs
from sandbox.lab import Lab

OWN_ADDRESS: Final[Lab] = labs.lab("own-address").but(routes="")
