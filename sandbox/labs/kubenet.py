"""Pods as kubelet's kubenet made them: ``cbr0``, and pod CIDRs that AWS is not told."""

from __future__ import annotations

from typing import Final

from sandbox import cni
from sandbox.lab import Lab

LAB: Final = Lab(
    user_data="",
    cni=cni.kubenet,
    commands=("iptables -t nat -A POSTROUTING ! -d 10.0.0.0/8 -m addrtype ! --dst-type LOCAL -j MASQUERADE",),
    options=("--pod-cidrs", "10.200.{n}.0/24"),
)
