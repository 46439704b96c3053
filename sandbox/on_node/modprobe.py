"""``modprobe`` and ``lsmod``: all nodes share this computer's kernel, and load nothing into it."""

from __future__ import annotations

import os
from pathlib import Path

from sandbox.on_node.speaking import put, tell

_SIGNS = {
    "br_netfilter": "/proc/sys/net/bridge",
    "ip_tables": "/proc/net/ip_tables_names",
    "ip_vs": "/proc/net/ip_vs",
    "nf_conntrack": "/proc/sys/net/netfilter",
}
"""What is there where a module is in the kernel, built in or loaded, and ``/sys/module`` need not say so."""


def main(words: list[str]) -> int:
    """Succeeds where the kernel has them already, as modprobe(8) does then, and says nothing."""
    names = [word.replace("-", "_") for word in words if not word.startswith("-")]
    if "-a" not in words and "--all" not in words:
        names = names[:1]  # the others are its parameters
    if "-r" in words or "--remove" in words:
        tell("node-no-module-removed")
        return 1
    missing = [name for name in names if not _has(name)]
    for name in missing:
        tell("node-no-module", module=name)
    return 1 if missing or not names else 0


def lsmod(_words: list[str]) -> int:
    """As the kernel tells it."""
    put(f"{'Module':<24}{'Size':<8}  Used by")
    for line in _lines("/proc/modules"):
        name, size, used, by, *_ = line.split()
        put(f"{name:<24}{size:<8}  {used} {by.strip('-').rstrip(',')}".rstrip())
    return 0


def _has(name: str) -> bool:
    if Path("/sys/module", name).is_dir() or (name in _SIGNS and Path(_SIGNS[name]).exists()):
        return True
    if any(line.split()[-1:] == [name] for line in _lines("/proc/filesystems")):
        return True
    built_in = _lines(f"/lib/modules/{os.uname().release}/modules.builtin")
    return any(Path(line).name.partition(".")[0].replace("-", "_") == name for line in built_in)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
