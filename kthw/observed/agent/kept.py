"""Which files of the node bring a kernel route back when the node starts again."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kthw.observed.agent.system import MOST_NAME

PLACES = (
    "/etc/netplan/*.yaml",
    "/etc/systemd/network/*.network",
    "/etc/systemd/network/*.network.d/*.conf",
    "/etc/network/interfaces",
    "/etc/network/interfaces.d/*",
    "/etc/network/if-up.d/*",
    "/etc/sysconfig/network-scripts/route-*",
    "/etc/NetworkManager/system-connections/*",
    "/etc/NetworkManager/dispatcher.d/*",
    "/etc/networkd-dispatcher/routable.d/*",
    "/etc/systemd/system/*.service",
    "/etc/rc.local",
    "/etc/rc.d/rc.local",
    "/etc/crontab",
    "/etc/cron.d/*",
    "/var/spool/cron/crontabs/root",
    "/usr/local/bin/*.sh",
    "/usr/local/sbin/*.sh",
)
"""Where the distributions keep routes, and where people put what makes them."""
MOST_FILES = 300
MOST_BYTES = 1 << 20
MOST_KEPT = 8
_ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])", re.ASCII)


def kept_routes(routes: list[dict[str, str]]) -> list[dict[str, Any]]:
    """``routes`` with the files that name the ``destination`` of each.

    By its address alone: ifupdown and ``route add -net`` write the netmask elsewhere. Of a file nothing is
    told but its name.
    """
    wanted = {route["destination"].partition("/")[0] for route in routes}
    named: dict[str, list[str]] = {}
    for path in _files() if wanted else ():
        for address in wanted.intersection(_ADDRESS.findall(_text(path))):
            named.setdefault(address, []).append(path)
    return [dict(r, kept=named.get(r["destination"].partition("/")[0], [])[:MOST_KEPT]) for r in routes]


def _files() -> Iterator[str]:
    found = [
        path
        for place in PLACES
        for path in sorted(map(str, Path("/").glob(place[1:])))
        if len(path) <= MOST_NAME
    ]
    return iter(found[:MOST_FILES])


def _text(path: str) -> str:
    """What the file says, but for remarks; empty for what is no file, or cannot be read."""
    try:
        # A pipe would wait for somebody to write.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:  # noqa: PTH123 -- of a descriptor
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return ""
            content = file.read(MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(line for line in content.splitlines() if not line.lstrip().startswith(("#", ";")))
