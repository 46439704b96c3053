"""The user data is a script, in which a variable has the pod CIDR."""

from __future__ import annotations

from typing import Final

from sandbox import cni
from sandbox.lab import Lab

LAB: Final = Lab(
    user_data="#!/bin/bash\nset -e\nPOD_CIDR={cidr}\nhostnamectl set-hostname {name}\n", cni=cni.chapters
)
