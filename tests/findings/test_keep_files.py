"""What keeps kernel routes over a restart is written where the node's distribution reads it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from kthw.findings.keep_files import UNIT, KeepFile, keep_file
from kthw.observed.evidence import Keeper

ROUTES = [("10.200.0.0/24", "10.0.1.20"), ("10.200.2.0/24", "10.0.1.22")]
TYPED = [f"ip route replace {to} via {via}" for to, via in ROUTES]


def by(name: str, file: str = "") -> KeepFile:
    return keep_file(Keeper(by=name, device="ens5", file=file), ROUTES)  # type: ignore[arg-type]


def written(file: KeepFile, root: Path, *, netplan: int = 0) -> Path:
    """What its command leaves on a node whose files are under ``root``; ``netplan`` ends with that status."""
    assert "'" not in file.command
    # ``sudo`` writes elsewhere here; all else is the command as it is pasted.
    played = f"""
        sudo() {{
            if [ "$1" = netplan ]; then return {netplan}; fi
            local words=() word
            for word in "$@"; do case $word in /*) word="{root}$word" ;; esac; words+=("$word"); done
            command "${{words[@]}}"
        }}
        eval "$1"
    """
    subprocess.run(["bash", "-euc", played, "bash", file.command], check=True)
    return root / file.path[1:]


def run(path: Path, *arguments: str, **environment: str) -> list[str]:
    """The commands that the script runs."""
    programs = path.parent / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "ip").write_text('#!/bin/sh\necho "ip $*"\n')
    (programs / "ip").chmod(0o755)
    known = {"PATH": f"{programs}:/usr/bin:/bin", **environment}
    done = subprocess.run(
        [str(path), *arguments], env=known, capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.splitlines()


def test_netplan_has_a_file_of_its_own_which_names_nothing_but_the_routes(tmp_path: Path) -> None:
    path = written(by("netplan"), tmp_path)
    assert path == tmp_path / "etc/netplan/90-pod-routes.yaml"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text().splitlines() == [
        "network:",
        "  version: 2",
        "  ethernets:",
        "    ens5:",
        "      routes:",
        "      - to: 10.200.0.0/24",
        "        via: 10.0.1.20",
        "      - to: 10.200.2.0/24",
        "        via: 10.0.1.22",
    ]


def test_what_netplan_refuses_does_not_stay(tmp_path: Path) -> None:
    assert not written(by("netplan"), tmp_path, netplan=1).exists()


def test_networkd_has_a_file_beside_the_interfaces_own(tmp_path: Path) -> None:
    path = written(by("networkd", "70-ens5.network"), tmp_path)
    assert path == tmp_path / "etc/systemd/network/70-ens5.network.d/60-pod-routes.conf"
    assert path.read_text().splitlines() == [
        "[Route]",
        "Destination=10.200.0.0/24",
        "Gateway=10.0.1.20",
        "[Route]",
        "Destination=10.200.2.0/24",
        "Gateway=10.0.1.22",
    ]


def test_networkmanager_types_them_when_that_interface_is_up(tmp_path: Path) -> None:
    path = written(by("networkmanager"), tmp_path)
    assert path == tmp_path / "etc/NetworkManager/dispatcher.d/60-pod-routes"
    assert path.stat().st_mode & 0o777 == 0o755
    assert run(path, "ens5", "up") == TYPED
    assert run(path, "ens5", "down") == run(path, "ens6", "up") == run(path, "", "connectivity-change") == []


def test_ifupdown_types_them_when_that_interface_is_up(tmp_path: Path) -> None:
    path = written(by("ifupdown"), tmp_path)
    assert path == tmp_path / "etc/network/if-up.d/pod-routes"
    assert path.stat().st_mode & 0o777 == 0o755
    assert run(path, IFACE="ens5") == TYPED
    assert run(path, IFACE="--all") == run(path, IFACE="lo") == []


def test_where_nobody_is_known_a_unit_types_them(tmp_path: Path) -> None:
    file = keep_file(None, ROUTES)
    path = written(file, tmp_path)
    assert file.path == UNIT
    assert by("networkd").path == UNIT
    assert [line for line in path.read_text().splitlines() if line.startswith("Exec")] == [
        f"ExecStart=/sbin/{line}" for line in TYPED
    ]
    assert (path.parent / "multi-user.target.wants" / path.name).is_symlink()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here to ask")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    path = written(keep_file(None, ROUTES), tmp_path)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--generators=no", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert [line for line in done.stderr.splitlines() if path.name in line] == []
