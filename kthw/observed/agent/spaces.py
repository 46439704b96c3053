"""The network namespaces of the node: whether the addresses of containers are still anybody's."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

from kthw.observed.agent.asked import is_address
from kthw.observed.agent.system import CLONE_NEWNET, call

_LEAF = re.compile(r"\|-- (\S+)\n(?:\s+/\d+ .*\n)*?\s+/32 host LOCAL\n")
_MOUNT = re.compile(r"^(?:\S+ ){3}net:\[\d+\] (\S+) .* - nsfs ", re.MULTILINE)
GONE = (errno.ENOENT, errno.ESRCH, errno.EINVAL, errno.ENOTDIR)
"""What is said of a namespace that ended while we came to it, or of a file that is none."""


def addresses_everywhere() -> set[str]:
    """The IPv4 addresses in all network namespaces of this node, pods' and its own.

    Raises ``OSError`` where one cannot be looked into: then nobody knows which are not in use.
    """
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    found = set()
    try:
        for path in _namespaces():
            found |= _addresses_in(path, home)
    finally:
        os.close(home)
    return found


def _addresses_in(path: str, home: int) -> set[str]:
    inside = -1
    try:
        inside = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        call("setns", inside, CLONE_NEWNET)
        return _addresses()
    except OSError as problem:
        if problem.errno in GONE:
            return set()
        raise
    finally:
        call("setns", home, CLONE_NEWNET)
        if inside >= 0:
            os.close(inside)


def _addresses() -> set[str]:
    """Those of the namespace that we are in, as its kernel's routing table has them."""
    table = Path("/proc/thread-self/net/fib_trie").read_text(encoding="ascii", errors="replace")
    return {address for address in _LEAF.findall(table) if is_address(address)}


def _namespaces() -> Iterator[str]:
    """A path of each: those with processes, and those that something holds by a name only."""
    seen = set()
    for path in _paths():
        try:
            about = Path(path).stat()
        except OSError as problem:
            if problem.errno in GONE:
                continue
            raise
        if (about.st_dev, about.st_ino) not in seen:
            seen.add((about.st_dev, about.st_ino))
            yield path


def _paths() -> Iterator[str]:
    for each in _processes():
        yield f"{each}/ns/net"
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    for place in _MOUNT.findall(mounts):
        yield re.sub(r"\\(\d{3})", lambda octal: chr(int(octal.group(1), 8)), place)


def named_by_processes() -> str:
    """The control groups of all processes, in one text: a container's have its id in their names."""
    texts = []
    for each in _processes():
        with contextlib.suppress(OSError):
            texts.append((each / "cgroup").read_text(encoding="utf-8", errors="replace"))
    return "\n".join(texts)


def _processes() -> list[Path]:
    return [each for each in Path("/proc").iterdir() if each.name.isdigit()]
