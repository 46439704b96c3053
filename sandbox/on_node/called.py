"""Which of these programs is meant: the name it was called by says it."""

from __future__ import annotations

from pathlib import Path

from sandbox.on_node import absent, apt, hostnamectl, journalctl, modprobe, swap, systemctl

PROGRAMS = {
    "apt": apt.main,
    "apt-get": apt.main,
    "dnf": apt.main,
    "yum": apt.main,
    "hostnamectl": hostnamectl.main,
    "journalctl": journalctl.main,
    "lsmod": modprobe.lsmod,
    "modprobe": modprobe.main,
    "service": systemctl.service,
    "swapoff": swap.main,
    "swapon": swap.main,
    "systemctl": systemctl.main,
}
POWER = ("halt", "poweroff", "reboot", "shutdown")


def main(called: str, words: list[str]) -> int:
    """Run it; the exit code."""
    name = Path(called).name
    if words == ["--enabled"]:
        return systemctl.boot()
    if name in POWER:
        return systemctl.power(name)
    if name in PROGRAMS:
        return PROGRAMS[name](words)
    return absent.main(name, words)
