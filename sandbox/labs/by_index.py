"""Nothing says a pod CIDR; it follows from the number in the name, by which file and route were written."""

from __future__ import annotations

from typing import Final

from sandbox import cni
from sandbox.lab import Lab

LAB: Final = Lab(user_data="", cni=cni.chapters, options=("--pod-cidrs", "10.200.{number}.0/24"))
