"""Which files of the node bring a kernel route back when the node starts again."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
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
_ADDRESS = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d{1,3}){3})(/\d{1,2}(?!\d))?(?![\d.])", re.ASCII)


def kept_routes(routes: list[dict[str, str]]) -> list[dict[str, Any]]:
    """``routes`` with the files that name the ``destination`` of each.

    With its prefix where the file writes one, else by its address: ifupdown and ``route add -net`` write the
    netmask elsewhere. Of a file nothing is told but its name.
    """
    wanted = {form for route in routes for form in _forms(route)}
    named: dict[str, list[str]] = {}
    for path in _files() if wanted else ():
        for form in wanted.intersection(
            address + prefix for address, prefix in _ADDRESS.findall(text_of(path))
        ):
            named.setdefault(form, []).append(path)
    return [
        dict(route, kept=sorted({path for form in _forms(route) for path in named.get(form, ())})[:MOST_KEPT])
        for route in routes
    ]


def _forms(route: dict[str, str]) -> tuple[str, str]:
    return route["destination"], route["destination"].partition("/")[0]


def _files() -> Iterator[str]:
    found = [path for place in PLACES for path in sorted(_matching(place)) if len(path) <= MOST_NAME]
    return iter(found[:MOST_FILES])


def _matching(place: str) -> list[str]:
    """As a shell has it, with one star in a name, which may stand for a first dot too.

    ``glob`` would make regular expressions of all places, which takes longer than to look.
    """
    folder, _, name = place.rpartition("/")
    if "*" not in place:
        return [place]
    first, _, last = name.partition("*")
    found = []
    for each in _matching(folder):
        with contextlib.suppress(OSError):
            found += [
                f"{each}/{name}"
                for name in os.listdir(each)  # noqa: PTH208 -- names are compared, and a path made of few
                if name.startswith(first) and name[len(first) :].endswith(last)
            ]
    return found


def text_of(path: str) -> str:
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
