"""The CNI file is a list of plugins of version 1.0.0: the bridge, and ``portmap`` after it."""

from __future__ import annotations

from typing import Final

from sandbox import cni
from sandbox.lab import Lab

LAB: Final = Lab(cni=cni.conflist)
