"""All workers have one Name, as an auto-scaling group gives it, and one user data, which says no pod CIDR."""

from __future__ import annotations

from typing import Final

from sandbox import cni
from sandbox.lab import Lab

LAB: Final = Lab(
    user_data="",
    tags=(("Name", "k8s-worker"),),
    cni=cni.chapters,
    options=("--workers", "tag:Name=k8s-worker", "--pod-cidrs", "10.200.{n}.0/24"),
)
