"""The node's kernel and programs, as far as the agent touches them."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import re
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
SIOCGIFMTU, SIOCGIFHWADDR = 0x8921, 0x8927

DEADLINE = 20.0
"""Seconds a CNI plugin or ``iptables`` may take; what only looks has less, by ``Looking``."""
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin"
LIBC = ctypes.CDLL(None, use_errno=True)
MOST_NAME = 300
MOST_DETAIL = 2000
"""Characters of a name, and of an error's detail, that are told."""
_HALVES = re.compile("[\ud800-\udfff]")


class AgentError(Exception):
    """Something the asker must know: answered as ``error``."""

    def __init__(self, code: str, detail: str, **facts: str) -> None:
        super().__init__(detail)
        self.answer = {
            "code": code,
            "detail": detail[:MOST_DETAIL],
            "facts": {name: fact[:MOST_NAME] for name, fact in facts.items()},
        }


class UnseenError(Exception):
    """A program of the node's is not there, or did not do what it does; ``Looking`` knows which."""


class Looking:
    """The node's own programs, run to look, within one budget of time.

    What is not there is ``lacking``. What ends with an error, or not at all, or prints what nobody can
    read, ``failed``: could not look, which is neither right nor wrong. Neither is tried again.
    """

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self.lacking: list[str] = []
        self._failed: dict[str, str] = {}

    @property
    def failed(self) -> list[dict[str, Any]]:
        """As the errors of our answer."""
        return [
            AgentError("node-unreadable", f"{program}: {what}", tool=program).answer
            for program, what in self._failed.items()
        ]

    def fail(self, program: str, what: str) -> UnseenError:
        """Note that the program failed; the exception to raise."""
        self._failed.setdefault(program, what)
        return UnseenError()

    def run(self, *command: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Whatever its exit status. Raises ``UnseenError``."""
        program = command[0]
        if program in self.lacking or program in self._failed:
            raise UnseenError
        # Half of what is left: one that hangs must leave the others their turn.
        seconds = max(0.2, (self._until - time.monotonic()) / 2)
        try:
            return tool(*command, timeout=seconds, **options)
        except FileNotFoundError:
            self.lacking.append(program)
            raise UnseenError from None
        except subprocess.TimeoutExpired:
            raise self.fail(program, f"{' '.join(command[1:])}: no end in {seconds:.1f} s") from None
        except OSError as problem:
            raise self.fail(program, str(problem)) from None

    def text(self, *command: str, **options: Any) -> str:
        """What it prints. Raises ``UnseenError``, for an exit status too."""
        done = self.run(*command, **options)
        if done.returncode:
            said = " ".join(done.stderr.split())[-300:]
            what = f"{' '.join(command[1:])}: exit status {done.returncode}: {said}"
            raise self.fail(command[0], what)
        return done.stdout

    def ip(self, *arguments: str) -> list[dict[str, Any]]:
        """What ``ip -j`` prints of links: of which there always is one. Raises ``UnseenError``."""
        try:
            found = json.loads(self.text("ip", "-j", *arguments))
        except (ValueError, RecursionError):
            found = None
        links = [each for each in found if each] if isinstance(found, list) else []
        for link in links:
            addresses = link.get("addr_info", ()) if isinstance(link, dict) else None
            if (
                not isinstance(addresses, (list, tuple))
                or not all(isinstance(each, dict) for each in addresses)
                or not isinstance(link.get("ifname"), str)
                or not isinstance(link.get("linkinfo", {}), dict)
                or not isinstance(link.get("flags", []), list)
            ):
                links = []
                break
        if not links:
            raise self.fail("ip", f"-j {' '.join(arguments)}: printed what is no list of links")
        return links


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
    return subprocess.run(  # noqa: UP022 -- Python 3.6 has no capture_output=
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env=environment,
        timeout=options.pop("timeout", DEADLINE),
        check=False,
        **(options if "input" in options else {"stdin": subprocess.DEVNULL}),
    )


def where_is(program: str) -> str:
    """The file that ``tool`` would run; empty where there is none."""
    files = (Path(folder, program) for folder in PATH.split(":"))
    return next((str(each) for each in files if each.is_file() and os.access(str(each), os.X_OK)), "")


def writable(document: Any) -> Any:
    """``document`` with its texts made such as UTF-8 can say.

    A byte that is no UTF-8 (a hostname in Latin-1) is shown as the Latin-1 letter that it may well be; half
    of a surrogate pair, which JSON can say and nothing else, as U+FFFD.
    """
    if isinstance(document, str):
        return _HALVES.sub(_whole, document)
    if isinstance(document, dict):
        return {writable(key): writable(value) for key, value in document.items()}
    if isinstance(document, (list, tuple)):
        return [writable(each) for each in document]
    return document


def _whole(half: re.Match[str]) -> str:
    number = ord(half.group())
    return chr(number - 0xDC00) if 0xDC80 <= number <= 0xDCFF else "\ufffd"


def forwarding(interface: str = "") -> bool | None:
    """``net.ipv4.ip_forward``, or that of one interface for what comes in there; ``None``: cannot be read."""
    path = Path("/proc/sys/net/ipv4/conf", interface, "forwarding") if interface else FORWARDING
    try:
        return path.read_text(encoding="ascii").strip() != "0"
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


def mtu_of(name: str) -> int:
    """The MTU of an interface of the namespace we are in; 0 where it does not say."""
    asked = struct.pack("16si20x", name.encode(), 0)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            mtu: int = struct.unpack_from("16xi", fcntl.ioctl(control, SIOCGIFMTU, asked))[0]
    except OSError:
        return 0
    return mtu if 0 < mtu <= 65535 else 0


def hardware_of(name: str) -> str:
    """The hardware address of an interface of the namespace we are in; empty where it does not say."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            told = fcntl.ioctl(control, SIOCGIFHWADDR, struct.pack("16s24x", name.encode()))
    except OSError:
        return ""
    return ":".join(f"{byte:02x}" for byte in told[18:24])


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
