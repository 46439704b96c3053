"""The node's kernel and programs, as far as the agent touches them."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1

DEADLINE = 20.0
"""Seconds a CNI plugin, ``ip`` or ``iptables`` may take."""
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin"
LIBC = ctypes.CDLL(None, use_errno=True)


class AgentError(Exception):
    """Something the asker must know: answered as ``error``."""

    def __init__(self, code: str, detail: str, **facts: str) -> None:
        super().__init__(detail)
        self.answer = {"code": code, "detail": detail, "facts": facts}


def call(function: str, *arguments: int) -> None:
    """A system call of libc's. Raises ``OSError``."""
    if getattr(LIBC, function)(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def read(path: str) -> str:
    """A small file's text, without the end of line. Raises ``OSError``."""
    return Path(path).read_text(encoding="utf-8", errors="replace").rstrip("\n")


def tool(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program of the node's to its end. Raises ``OSError``, ``subprocess.TimeoutExpired``."""
    environment = dict(os.environ, LC_ALL="C", PATH=PATH)
    environment.update(options.pop("environment", {}))
    return subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
        timeout=DEADLINE,
        check=False,
        **(options if "input" in options else {"stdin": subprocess.DEVNULL}),
    )


def ip(*arguments: str) -> list[dict[str, Any]]:
    """What ``ip -j`` prints; nothing where it is missing, fails, or is too old for JSON."""
    try:
        found = json.loads(tool("ip", "-j", *arguments).stdout or "[]")
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return []
    return [each for each in found if each]


def forwarding() -> bool | None:
    """``net.ipv4.ip_forward``, or ``None`` where it cannot be read."""
    try:
        return FORWARDING.read_text(encoding="ascii").strip() != "0"
    except OSError:
        return None


@contextlib.contextmanager
def alone(directory: str) -> Iterator[None]:
    """One agent of this node at a time: another's pod must not come while we remove an empty bridge."""
    descriptor = -1
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def raise_interface(name: str) -> None:
    """``ip link set NAME up`` in the namespace we are in."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        asked = struct.pack("16sH14x", name.encode(), 0)
        flags = struct.unpack_from("16xH", fcntl.ioctl(control, SIOCGIFFLAGS, asked))[0]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", name.encode(), flags | IFF_UP))


def has_interface(name: str) -> bool:
    """Whether the namespace we are in has it (``/sys`` would show the one it was mounted in)."""
    try:
        return bool(name) and socket.if_nametoindex(name) > 0
    except OSError:
        return False


def started(pid: int) -> str:
    """When a process started, in the kernel's ticks since boot; empty when there is none."""
    try:
        return read(f"/proc/{pid}/stat").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
