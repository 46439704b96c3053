"""What sets the node's network card up when the node starts, and so has a place for routes."""

from __future__ import annotations

import re
import socket
from pathlib import Path

from kthw.observed.agent.kept import text_of

NETWORKD, MANAGER, IFSTATE = "/run/systemd/netif/links", "/run/NetworkManager/devices", "/run/network"
"""Where each of them notes which interfaces are its own."""
NETPLAN = "10-netplan-"
"""How a file begins that netplan makes for systemd-networkd, which reads it."""
_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,14}", re.ASCII)
_FILE = re.compile(r"^NETWORK_FILE=/\S*/([A-Za-z0-9_.-]{1,80}\.network)$", re.ASCII | re.MULTILINE)


def keeper(device: str) -> dict[str, str] | None:
    """``by``: ``netplan``, ``networkd``, ``networkmanager`` or ``ifupdown``, and the ``device``.

    ``file``: for systemd-networkd, the name of its ``.network`` file for this interface alone. ``None`` where
    none of them is seen to have the interface, or with a file that others have too.
    """
    if not _DEVICE.fullmatch(device):
        return None
    told = {"device": device, "file": ""}
    try:
        index = socket.if_nametoindex(device)
    except OSError:
        return None
    found = _FILE.search(text_of(f"{NETWORKD}/{index}"))
    if found:
        name = found.group(1)
        if name == f"{NETPLAN}{device}.network":
            return dict(told, by="netplan")
        # A file for several interfaces would have each of them look for the next hops.
        own = device in re.split(r"[-.]", name) and not name.startswith(NETPLAN)
        return dict(told, by="networkd", file=name) if own else None
    if "connection-uuid=" in text_of(f"{MANAGER}/{index}"):
        return dict(told, by="networkmanager")
    if f"{device}={device}" in text_of(f"{IFSTATE}/ifstate").split() or _is_up(device):
        return dict(told, by="ifupdown")
    return None


def _is_up(device: str) -> bool:
    """By the file that newer versions of ifupdown have for each interface."""
    return Path(f"{IFSTATE}/ifstate.{device}").is_file() and bool(text_of(f"{IFSTATE}/ifstate.{device}"))
