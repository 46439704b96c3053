"""A tag of each worker says its pod CIDR, and no user data does."""

from __future__ import annotations

from typing import Final

from sandbox import cni
from sandbox.lab import Lab

LAB: Final = Lab(user_data="", tags=(("Name", "{name}"), ("pod-cidr", "{cidr}")), cni=cni.chapters)
