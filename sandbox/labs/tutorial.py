"""The tutorial's cluster, call for call, as it is before the chapter on pod network routes: without them."""

from __future__ import annotations

from typing import Final

from sandbox.lab import Lab

LAB: Final = Lab(routes="", balanced=True)
