"""CNI plugins that are there, and that the kernel would not run."""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path
from typing import Any

from kthw.observed.agent.cni import program
from kthw.observed.agent.system import MOST_NAME

MACHINES = {
    3: "i386",
    8: "mips",
    21: "ppc64le",
    22: "s390x",
    40: "arm",
    62: "x86_64",
    183: "aarch64",
    243: "riscv64",
}
"""By the number in a program's ELF header, what ``uname -m`` calls it."""
ALSO_RUNS = {"x86_64": ("i386",), "aarch64": ("arm",)}
"""What many kernels run besides their own: that one does not is told by its plugin alone."""
HEADER = 20


def unfit_programs(folders: list[str], names: list[str]) -> list[dict[str, Any]]:
    """Those of the plugins that the kernel would not run, and why; what nobody could read is left out.

    ``why``: ``mode`` (nobody may run it), ``machine`` (it is ``built_for`` another), ``format`` (it is no
    program at all: empty, cut off, a page that says "Not Found").
    """
    here = os.uname().machine
    found = []
    for path in dict.fromkeys(program(name, folders) for name in names):
        with contextlib.suppress(OSError, ValueError):
            why, machine = _unfit(path, here)
            if why and len(str(path)) <= MOST_NAME:
                found.append({"path": str(path), "why": why, "built_for": machine, "machine": here})
    return found


def _unfit(path: Path, here: str) -> tuple[str, str]:
    """Why not, and what it is built for. Raises ``OSError`` where it is not there."""
    with path.open("rb") as opened:
        head = opened.read(HEADER)
    if not os.access(str(path), os.X_OK):
        return "mode", ""
    if head[:2] == b"#!":
        return "", ""
    if head[:4] != b"\x7fELF" or len(head) < HEADER:
        return "format", ""
    number = struct.unpack_from("<H" if head[5] == 1 else ">H", head, 18)[0]
    machine = MACHINES.get(number, f"machine-{number}")
    fits = machine == here or machine in ALSO_RUNS.get(here, ()) or here not in MACHINES.values()
    return ("", "") if fits else ("machine", machine)
