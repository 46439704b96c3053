"""``hostnamectl``: the node's name is its own, and stays over a restart."""

from __future__ import annotations

import os
import platform
import socket
from pathlib import Path

from sandbox.on_node.speaking import put, tell

_HOSTS = Path("/etc/hosts")


def main(words: list[str]) -> int:
    """Shows the name, or sets it."""
    verb, *names = [word for word in words if not word.startswith("-")] or ["status"]
    if verb == "status" or (verb == "hostname" and not names):
        _show(verb)
        return 0
    if verb not in ("set-hostname", "hostname") or len(names) != 1:
        tell("node-no-such-verb", verb=verb)
        return 1
    if os.geteuid():
        put("Could not set static hostname: Access denied")
        return 1
    try:
        socket.sethostname(names[0])
    except OSError as problem:
        put(f"Could not set static hostname: {problem.strerror}")
        return 1
    Path("/etc/hostname").write_text(f"{names[0]}\n", encoding="utf-8")
    # A real one has a resolver of its own that knows the new name; here sudo and the others look there.
    if names[0] not in _HOSTS.read_text(encoding="utf-8", errors="replace").split():
        with _HOSTS.open("a", encoding="utf-8") as hosts:
            hosts.write(f"127.0.1.1 {names[0]}\n")
    return 0


def _show(verb: str) -> None:
    if verb == "hostname":
        put(socket.gethostname())
        return
    lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    pairs = dict(line.split("=", 1) for line in lines if "=" in line)
    put(f" Static hostname: {socket.gethostname()}")
    put(f"Operating System: {pairs.get('PRETTY_NAME', '').strip(chr(34))}")
    put(f"          Kernel: Linux {platform.release()}")
    put(f"    Architecture: {platform.machine().replace('_', '-')}")
