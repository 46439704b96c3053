"""The file that keeps kernel routes over a restart, for what sets the node's network card up.

Each is a file of its own: what the node's configuration has already stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from kthw.observed.evidence import Keeper

UNIT: Final = "/etc/systemd/system/pod-routes.service"
"""What keeps the routes on any distribution with systemd."""


class KeepFile(msgspec.Struct, frozen=True, kw_only=True):
    """``lines`` are of addresses and our own words: in double quotes they mean nothing to a shell.

    ``mode``: octal, as ``chmod`` takes it. ``after``: what is typed once it is there, beginning with ``&&``.
    """

    path: str
    lines: tuple[str, ...]
    mode: str = "644"
    after: str = ""

    @property
    def command(self) -> str:
        """The command that writes it, on the node."""
        folder = self.path.rpartition("/")[0]
        lines = " ".join(f'"{line}"' for line in self.lines)
        return (
            f'sudo mkdir -p {folder} && printf "%s\\n" {lines} | sudo tee {self.path} >/dev/null'
            f" && sudo chmod {self.mode} {self.path}{self.after}"
        )


def keep_file(keeper: Keeper | None, routes: Sequence[tuple[str, str]]) -> KeepFile:
    """The file for ``routes``, each ``(destination, next hop)``; a systemd unit where nobody is known."""
    if keeper is None or (keeper.by == "networkd" and not keeper.file):
        return _unit(routes)
    return {
        "netplan": _netplan,
        "networkd": _networkd,
        "networkmanager": _dispatched,
        "ifupdown": _if_up,
    }[keeper.by](keeper, routes)


def _netplan(keeper: Keeper, routes: Sequence[tuple[str, str]]) -> KeepFile:
    """netplan puts all files' words about one interface together; where it refuses ours, ours goes again."""
    path = "/etc/netplan/90-pod-routes.yaml"
    written = [line for to, via in routes for line in (f"      - to: {to}", f"        via: {via}")]
    return KeepFile(
        path=path,
        lines=(
            "network:",
            "  version: 2",
            "  ethernets:",
            f"    {keeper.device}:",
            "      routes:",
            *written,
        ),
        mode="600",
        after=f" && {{ sudo netplan generate || sudo rm {path}; }}",
    )


def _networkd(keeper: Keeper, routes: Sequence[tuple[str, str]]) -> KeepFile:
    """Beside its file for the interface, wherever that is: read after it, and added to it."""
    written = [line for to, via in routes for line in ("[Route]", f"Destination={to}", f"Gateway={via}")]
    return KeepFile(path=f"/etc/systemd/network/{keeper.file}.d/60-pod-routes.conf", lines=tuple(written))


def _dispatched(keeper: Keeper, routes: Sequence[tuple[str, str]]) -> KeepFile:
    """NetworkManager runs it with an interface and what became of it."""
    return _script(
        "/etc/NetworkManager/dispatcher.d/60-pod-routes", f"\\$1.\\$2 = {keeper.device}.up", routes
    )


def _if_up(keeper: Keeper, routes: Sequence[tuple[str, str]]) -> KeepFile:
    """ifupdown runs it for each interface; a name with a dot it would pass over."""
    return _script("/etc/network/if-up.d/pod-routes", f"\\$IFACE = {keeper.device}", routes)


def _script(path: str, condition: str, routes: Sequence[tuple[str, str]]) -> KeepFile:
    lines = ("#!/bin/sh", f"[ {condition} ] || exit 0", *_replacing(routes))
    return KeepFile(path=path, lines=lines, mode="755")


def _unit(routes: Sequence[tuple[str, str]]) -> KeepFile:
    wanted = f"{UNIT.rpartition('/')[0]}/multi-user.target.wants"
    return KeepFile(
        path=UNIT,
        lines=(
            "[Unit]",
            "Wants=network-online.target",
            "After=network-online.target",
            "[Service]",
            "Type=oneshot",
            *(f"ExecStart=/sbin/{line}" for line in _replacing(routes)),
            "[Install]",
            "WantedBy=multi-user.target",
        ),
        after=f" && sudo mkdir -p {wanted} && sudo ln -sf {UNIT} {wanted}/",
    )


def _replacing(routes: Sequence[tuple[str, str]]) -> list[str]:
    return [f"ip route replace {to} via {via}" for to, via in routes]
