"""``python -m sandbox ssh NAME [CMD …]``: log in to a machine of a sandbox that runs already."""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from sandbox import dial, folder
from sandbox.access import DIAL_SOCKET, SSH_CONFIG

_HOST: Final = "Host "
_MOST_NAMED: Final = 6


class NoLoginError(Exception):
    """There is nowhere to log in to; its text says so, and what to do, in the reader's language."""


def command(
    name: str, words: list[str], environment: Mapping[str, str], say: Callable[..., str]
) -> list[str]:
    """The ``ssh`` command that logs in to ``name``. Raises ``NoLoginError``."""
    config = environment.get("KTHW_SSH_CONFIG") or _only_running(name, say)
    try:
        hosts = _hosts(config)
    except folder.NotPrivateError as problem:
        raise NoLoginError(say("sandbox-not-yours", path=problem.filename)) from problem
    except OSError as problem:
        raise NoLoginError(say("sandbox-gone", config=config)) from problem
    if name not in hosts:
        raise NoLoginError(say("sandbox-no-machine", name=name, hosts=", ".join(sorted(hosts))))
    return ["ssh", "-F", config, name, *words]


def _hosts(config: str) -> list[str]:
    """The machines of an ssh_config. Raises ``OSError``; ``NotPrivateError`` if others may write to it.

    ssh believes a file it is given with ``-F`` whoever wrote it, and runs its ProxyCommand.
    """
    with Path(config).open(encoding="utf-8", errors="replace") as file:
        found = os.fstat(file.fileno())
        if found.st_uid not in (0, os.geteuid()) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise folder.NotPrivateError(1, "others could have written it", config)
        lines = file.read().splitlines()
    return [host for line in lines if line.startswith(_HOST) for host in line.split()[1:] if host != "*"]


def _only_running(name: str, say: Callable[..., str]) -> str:
    """The ssh_config of the one sandbox of this user's that runs; several are listed, with their machines."""
    try:
        living = [each / SSH_CONFIG for each in folder.living() if _answers(each / DIAL_SOCKET)]
    except folder.NotPrivateError as problem:
        raise NoLoginError(say("sandbox-not-yours", path=problem.filename)) from problem
    if not living:
        raise NoLoginError(say("sandbox-none-running"))
    if len(living) > 1:
        listed = "\n".join(_line(config, name) for config in living)
        raise NoLoginError(f"{say('sandbox-several-running', count=len(living))}\n{listed}")
    return str(living[0])


def _line(config: Path, name: str) -> str:
    hosts: list[str] = []
    with contextlib.suppress(FileNotFoundError):  # it ended this moment
        hosts = [host for host in _hosts(str(config)) if not host[0].isdigit()]
    more = ", …" if len(hosts) > _MOST_NAMED else ""
    login = f"KTHW_SSH_CONFIG={shlex.quote(str(config))} ./run sandbox ssh {shlex.quote(name)}"
    return f"  {login}  # {', '.join(sorted(hosts)[:_MOST_NAMED])}{more}"


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asking:
        try:
            dial.connect(asking, str(path))
        except OSError:
            return False
    return True
