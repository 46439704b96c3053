"""Programs that the images have and this computer has not: what they are, and how they come here."""

from __future__ import annotations

import os
from pathlib import Path

from sandbox.on_node.speaking import tell

PACKAGES = {
    "conntrack": "conntrack",
    "dig": "bind9-dnsutils",
    "host": "bind9-host",
    "ipset": "ipset",
    "nc": "netcat-openbsd",
    "nslookup": "bind9-dnsutils",
    "ping": "iputils-ping",
    "socat": "socat",
    "tcpdump": "tcpdump",
    "tracepath": "iputils-tracepath",
    "traceroute": "traceroute",
}
"""The Debian package of each."""
_INSTEAD = {
    "dig": "getent hosts NAME",
    "host": "getent hosts NAME",
    "nc": "timeout 3 bash -c '</dev/tcp/ADDRESS/PORT' && echo open",
    "nslookup": "getent hosts NAME",
}
"""What asks the same and is always there."""
_NOT_FOUND = 127


def main(name: str, words: list[str]) -> int:
    """Runs it, where it has come meanwhile."""
    for folder in ("/usr/bin", "/usr/sbin", "/bin", "/sbin"):
        program = Path(folder, name)
        if program.exists():
            os.execv(program, [name, *words])  # noqa: S606 -- the program that was asked for
    tell("node-no-program", program=name, package=PACKAGES[name])
    if name in _INSTEAD:
        tell("node-instead", command=_INSTEAD[name])
    return _NOT_FOUND
